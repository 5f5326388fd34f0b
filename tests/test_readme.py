"""What the README and the pages in docs/ show is what happens.

`python tests/test_readme.py` writes the outputs of their commands anew.

A page in docs/ is one session: its files (a block whose first line names one, such as ```yaml waivers.yaml) are written
and its commands run in the order in which they stand, in one folder with a copy of the examples.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goodcommission.packs.loading import shipped_packs

CHECKOUT = Path(__file__).parent.parent
README = CHECKOUT / "README.md"
PAGES = sorted((CHECKOUT / "docs").glob("*.md"))
LEFT_OUT = "…"
_CONSOLE = re.compile(r"^```console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)```$", re.MULTILINE)
_PYTHON = re.compile(r"^```pycon\n((?:.*\n)*?)```$", re.MULTILINE)
_BLOCK = re.compile(
    r"^```(?:console\n\$ (?P<command>.*)\n(?P<output>(?:.*\n)*?)"
    r"|(?:yaml|json|toml) (?P<name>\S+)\n(?P<text>(?:.*\n)*?))```$",
    re.MULTILINE,
)
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def readme() -> str:
    return README.read_text("utf-8")


def output(command: str, folder: Path | None = None) -> str:
    """What a command prints at 80 columns, run by this Python's goodcommission in a folder with the examples."""
    if folder is None:
        with tempfile.TemporaryDirectory() as fresh:
            shutil.copytree(CHECKOUT / "examples", Path(fresh, "examples"))
            return output(command, Path(fresh))
    function = f"goodcommission() {{ '{sys.executable}' -m goodcommission.cli \"$@\"; }}\n"
    kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"}}
    run = subprocess.run(
        ["bash", "-c", function + command],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return run.stdout


def passages(shown: str) -> list[list[str]]:
    """The lines shown, cut at each "…" that stands for lines left out."""
    parts: list[list[str]] = [[]]
    for line in shown.splitlines():
        if line == LEFT_OUT:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def begins(passage: list[str], lines: list[str], start: int) -> int | None:
    """Where a passage stands in some lines."""
    size = len(passage)
    return next((at for at in range(start, len(lines) - size + 1) if lines[at : at + size] == passage), None)


def unnumbered(line: str) -> str:
    """The line with its numbers and bars levelled: a rule more changes them, and the passage is the same."""
    return re.sub(r"[█▒░]+", "█", re.sub(r"\d+", "0", line))


def renewed(lines: list[str], shown: str) -> str:
    """The passages shown, as a command prints them now: from the first line of each to its last."""
    parts, plain = [], [unnumbered(line) for line in lines]
    if LEFT_OUT not in shown.splitlines():
        return "".join(f"{line}\n" for line in lines)
    for passage in passages(shown):
        if passage:
            first = plain.index(unnumbered(passage[0]))
            parts.append("\n".join(lines[first : plain.index(unnumbered(passage[-1]), first) + 1]))
        else:
            parts.append("")
    return f"\n{LEFT_OUT}\n".join(parts).strip("\n") + "\n"


def compare(command: str, shown: str, lines: list[str]) -> None:
    """Hold what a block shows against the lines that were printed."""
    parts, at = passages(shown), 0
    for passage in parts:
        found = begins(passage, lines, at)
        assert found is not None, "\n".join([command, "not printed:", *passage, "but:", *lines[at:]])
        assert found == 0 or passage is not parts[0], command
        at = found + len(passage)
    assert at == len(lines) or not parts[-1], "\n".join([command, "printed as well:", *lines[at:]])


def run_examples(page: Path) -> doctest.TestResults:
    """Run a page's examples of Python, all in one session."""
    blocks = "\n".join(_PYTHON.findall(page.read_text("utf-8")))
    return doctest.DocTestRunner().run(doctest.DocTestParser().get_doctest(blocks, {}, page.name, page.name, 0))


def session(page: str, folder: Path) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Each command of a page with the lines that it prints."""
    shutil.copytree(CHECKOUT / "examples", folder / "examples")
    for block in _BLOCK.finditer(page):
        if block["name"]:
            (folder / block["name"]).write_text(block["text"], "utf-8")
        else:
            yield block, output(block["command"], folder).splitlines()


@pytest.mark.parametrize("block", list(_CONSOLE.finditer(readme())), ids=lambda block: block["command"])
def test_a_command_prints_what_the_readme_shows(block: re.Match[str]) -> None:
    compare(block["command"], block["output"], output(block["command"]).splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_what_happens(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for block, lines in session(page.read_text("utf-8"), tmp_path):
        compare(block["command"], block["output"], lines)
    monkeypatch.chdir(tmp_path)
    assert run_examples(page).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = _LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_there_are_commands_with_their_output() -> None:
    assert len(_CONSOLE.findall(readme())) >= 2


def test_the_python_examples_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    results = run_examples(README)
    assert results.attempted >= 5
    assert results.failed == 0


def test_the_table_names_every_pack_with_its_number_of_rules() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (\d+) \|", readme(), re.MULTILINE))
    packs = [loaded.pack for loaded in shipped_packs() if loaded.pack.pack]
    assert rows == {pack.id: str(len(pack.rules) + len(pack.patterns)) for pack in packs}


def test_what_the_readme_links_to_is_there() -> None:
    links = _LINK.findall(readme())
    assert links
    assert [link for link in links if not (CHECKOUT / link).exists()] == []


def test_ci_runs_both_commands_for_a_fresh_machine_as_they_stand() -> None:
    lines = [line for line in readme().splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert len(lines) == 2
    assert lines[0].endswith("audit examples/tender.json")
    assert lines[1].endswith(".venv/bin/pytest")


def write_anew(page: Path) -> None:
    """Put what its commands and examples print now into a page, and the number of rules of each pack."""
    text = page.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        for block, lines in session(text, Path(folder)):
            now = f"```console\n$ {block['command']}\n{renewed(lines, block['output'])}```"
            text = text.replace(block[0], now)
        for pack in (loaded.pack for loaded in shipped_packs()):
            count = len(pack.rules) + len(pack.patterns)
            text = re.sub(rf"^(\| `{pack.pack}` \|) \d+ \|", rf"\1 {count} |", text, flags=re.MULTILINE)
        page.write_text(text, "utf-8")
        with contextlib.chdir(CHECKOUT if page == README else folder):
            for shown, printed in other_results(page):
                text = text.replace(shown, printed)
    page.write_text(text, "utf-8")


def other_results(page: Path) -> list[tuple[str, str]]:
    """The results of a page's examples of Python that are no longer what they print, with what they print now."""
    changed: list[tuple[str, str]] = []

    class Runner(doctest.DocTestRunner):
        def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
            shown = "".join(f"{'...' if i else '>>>'} {line}\n" for i, line in enumerate(example.source.splitlines()))
            changed.append((shown + example.want, shown + got))

    blocks = "\n".join(_PYTHON.findall(page.read_text("utf-8")))
    Runner().run(doctest.DocTestParser().get_doctest(blocks, {}, page.name, page.name, 0), out=lambda _: None)
    return changed


if __name__ == "__main__":
    for one in (README, *PAGES):
        write_anew(one)
