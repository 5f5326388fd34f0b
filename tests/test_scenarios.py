"""The command line as its users meet it: documents, command, output and exit status, one file a scenario.

A file of ``tests/scenarios`` has sections, each under a line ``==== name ====``:

- ``what``: what it shows, in a sentence; the name of the test is that of the file.
- ``file NAME``: a file that is there, with its text; ``example NAME``: one of the examples.
- ``command``: a line for each command, run one after the other in the folder of the files.
- ``status``: the exit status of the last command.
- ``stdout`` and ``stderr``: what the last command writes; a line "…" stands for lines left out. Empty if not given.
- ``written NAME``: a file that is there afterwards, with its text.

``GOODCOMMISSION_GOLDEN=1 pytest tests/test_scenarios.py`` writes status and whole outputs anew; look at the difference.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from goodcommission import cli

SCENARIOS = sorted(Path(__file__).with_name("scenarios").glob("*.txt"))
EXAMPLES = Path(__file__).parents[1] / "examples"
LEFT_OUT = "…"
_SECTION = re.compile(r"^==== (?P<name>.+) ====\n", re.MULTILINE)
_KINDS = {"what", "file", "example", "command", "status", "stdout", "stderr", "written"}


def sections(text: str) -> dict[str, str]:
    """The sections of a scenario, by their whole name."""
    before, *parts = _SECTION.split(text)
    assert before == "", "a scenario starts with its first section"
    names = parts[::2]
    assert len(set(names)) == len(names), "each section stands once"
    assert {name.partition(" ")[0] for name in names} <= _KINDS
    return dict(zip(names, parts[1::2], strict=True))


def run(parts: dict[str, str], folder: Path) -> Result:
    """Put the files in place and run the commands; the result is the last one's."""
    for name, text in parts.items():
        kind, _, file = name.partition(" ")
        target = folder / file
        if kind in ("file", "example"):
            target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "file":
            target.write_text(text, "utf-8")
        elif kind == "example":
            shutil.copy(EXAMPLES / text.strip(), target)
    result = None
    for line in parts["command"].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "goodcommission"
        result = CliRunner().invoke(cli.main, arguments, env={"COLUMNS": "", "GOODCOMMISSION_DEBUG": "1"})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result is not None
    return result


def as_expected(written: str, expected: str) -> bool:
    """Whether an output is what is expected, with anything in place of lines left out."""
    pattern = "".join(r"(?:.*\n)*?" if line == LEFT_OUT else re.escape(line) + "\n" for line in expected.splitlines())
    return re.fullmatch(pattern, written) is not None


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario(scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = scenario.read_text("utf-8")
    parts = sections(text)
    assert parts["what"].strip()
    monkeypatch.chdir(tmp_path)
    result = run(parts, tmp_path)
    if os.environ.get("GOODCOMMISSION_GOLDEN"):
        scenario.write_text(renewed(text, parts, result), "utf-8")
        return
    said = f"{result.stderr}{result.stdout}"
    assert result.exit_code == int(parts["status"]), said
    for name, written in (("stderr", result.stderr), ("stdout", result.stdout)):
        assert as_expected(written, parts.get(name, "")), f"{name}:\n{written}"
    for name, expected in parts.items():
        if name.startswith("written "):
            assert as_expected((tmp_path / name.removeprefix("written ")).read_text("utf-8"), expected), name


def renewed(text: str, parts: dict[str, str], result: Result) -> str:
    """The scenario with what happens now; outputs that leave lines out stay as they are if they still hold."""
    for name, now in (("status", f"{result.exit_code}\n"), ("stdout", result.stdout), ("stderr", result.stderr)):
        head = f"==== {name} ====\n"
        if name not in parts:
            text += head + now if now else ""
        elif not as_expected(now, parts[name]):
            text = text.replace(head + parts[name], head + now)
    return text


def test_there_are_scenarios_of_every_command_that_gates_or_configures() -> None:
    commands = "\n".join(sections(path.read_text("utf-8"))["command"] for path in SCENARIOS)
    for command in ("audit", "gate", "config show"):
        assert f"goodcommission {command}" in commands
