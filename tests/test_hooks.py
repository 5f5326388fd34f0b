"""The GitHub Action and the pre-commit hooks, run as those services run them, as far as that goes without them."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="The action runs in sh.")


def program(folder: Path, name: str, script: str) -> None:
    """A program of this name in a folder."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(script, "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@dataclass
class Runner:
    """Runs a composite action: a small part of what GitHub's runner does, with its files and its shell."""

    workspace: Path
    temp: Path
    path: list[str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    failed: bool = False

    def expression(self, text: str, inputs: dict[str, str]) -> str:
        left, compared, right = text.partition(" != ")
        if compared:
            return "true" if self.expression(left, inputs) != right.strip("'") else ""
        first, *rest = left.split(".")
        if first == "inputs":
            return inputs[rest[0]]
        if left == "github.action_path":
            return str(ROOT)
        assert (first, rest[1]) == ("steps", "outputs"), text
        return self.outputs.get(rest[0], {}).get(rest[2], "")

    def filled(self, text: str, inputs: dict[str, str]) -> str:
        return _EXPRESSION.sub(lambda match: self.expression(match[1], inputs), text)

    def run(self, **given: str) -> dict[str, str]:
        """Run all steps; what the action puts out."""
        known = ACTION["inputs"]
        inputs = {name: str(about.get("default", "")) for name, about in known.items()}
        given = {name.replace("_", "-"): value for name, value in given.items()}
        assert given.keys() <= inputs.keys()
        inputs.update(given)
        for step in ACTION["runs"]["steps"]:
            if self.failed or ("if" in step and not self.filled(step["if"], inputs)):
                continue
            self.step(step, inputs)
        return {name: self.filled(about["value"], inputs) for name, about in ACTION["outputs"].items()}

    def step(self, step: dict[str, Any], inputs: dict[str, str]) -> None:
        files = {name: self.temp / f"_{name}" for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("", "utf-8")
        script = self.temp / "_script.sh"
        script.write_text(self.filled(step["run"], inputs), "utf-8")
        env = {name: self.filled(str(value), inputs) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            [step["shell"], "-e", str(script)],
            cwd=self.workspace,
            env={
                "PATH": os.pathsep.join([*self.path, "/usr/bin", "/bin"]),
                "RUNNER_TEMP": str(self.temp),
                "PYTHONUTF8": "1",
                **{name: str(file) for name, file in files.items()},
                **env,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        self.log += done.stdout
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        self.path[:0] = files["GITHUB_PATH"].read_text("utf-8").splitlines()
        lines = [line.partition("=") for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()]
        if "id" in step:
            self.outputs[step["id"]] = {name: value for name, _, value in lines}
        self.failed = done.returncode != 0


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner on which goodcommission is installed, in a repository with three documents."""
    workspace, temp, programs = (tmp_path / name for name in ("work", "temp", "bin"))
    (workspace / "tenders").mkdir(parents=True)
    temp.mkdir()
    shutil.copy(ROOT / "examples" / "tender.json", workspace / "tenders" / "mentoring.json")
    shutil.copy(ROOT / "examples" / "contract.yaml", workspace / "tenders" / "a contract.yaml")
    program(
        programs,
        "goodcommission",
        f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' -m goodcommission.cli \"$@\"\n",
    )
    program(programs, "python3", f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")
    return Runner(workspace, temp, [str(programs)])


def test_no_input_stands_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert not _EXPRESSION.search(step["run"])
        assert step["shell"] == "sh"


def test_annotations_summary_and_outputs(runner: Runner) -> None:
    outputs = runner.run(files="tenders/mentoring.json", version="installed")
    assert not runner.failed, runner.log
    assert re.search(r"::error file=tenders/mentoring.json,line=\d+,col=23,title=PP-01", runner.log)
    assert runner.summary.startswith("## Resettlement mentoring")
    report = json.loads(Path(outputs["json"]).read_text("utf-8"))
    assert outputs["status"] == "0"
    assert outputs["report"] == ""
    assert outputs["score"] == str(report["score"]["score"])
    assert outputs["grade"] == report["score"]["grade"]


def test_patterns_and_names_with_spaces_on_lines_of_their_own(runner: Runner) -> None:
    outputs = runner.run(files="tenders/*.json\ntenders/a contract.yaml\n", version="installed")
    assert not runner.failed, runner.log
    reports = json.loads(Path(outputs["json"]).read_text("utf-8"))
    assert [one["document"]["name"] for one in reports] == ["tenders/mentoring.json", "tenders/a contract.yaml"]
    assert outputs["score"] == str(min(one["score"]["score"] for one in reports))


@pytest.mark.parametrize("gate", [{"fail_under": "60", "fail_on": "high"}, {"config": "strict.toml"}])
def test_a_gate_fails_the_job_after_the_report_is_made(runner: Runner, gate: dict[str, str]) -> None:
    (runner.workspace / "strict.toml").write_text("[gates]\nfail_under = 90\n", "utf-8")
    outputs = runner.run(files="tenders/*", version="installed", format="sarif-findings", **gate)
    assert runner.failed
    assert outputs["status"] == "1"
    assert json.loads(Path(outputs["report"]).read_text("utf-8"))["version"] == "2.1.0"
    assert runner.summary


def test_bad_input_fails_the_job_with_its_message(runner: Runner) -> None:
    (runner.workspace / "tenders" / "bad.json").write_text('{"kind": "tender", "colour": 1}', "utf-8")
    outputs = runner.run(files="tenders/*", version="installed")
    assert runner.failed
    assert (outputs["status"], outputs["json"], outputs["score"]) == ("2", "", "")
    assert "tenders/bad.json:1:" in runner.log
    missing = Runner(runner.workspace, runner.temp, runner.path)
    missing.run(files="nowhere/*.json", version="installed")
    assert missing.failed
    assert "nowhere/*.json: there is no such file" in missing.log


def test_a_report_goes_where_it_is_wanted(runner: Runner) -> None:
    outputs = runner.run(files="tenders/mentoring.json", version="installed", format="csv", output="audit report.csv")
    assert not runner.failed, runner.log
    assert outputs["report"] == "audit report.csv"
    assert (runner.workspace / "audit report.csv").read_text("utf-8").startswith("\ufeffdocument,")


def test_what_documents_say_is_no_command_to_github(runner: Runner) -> None:
    document = json.loads((ROOT / "examples" / "tender.json").read_text("utf-8"))
    document["title"] = "::error::from the title"
    (runner.workspace / "title.json").write_text(json.dumps(document), "utf-8")
    (runner.workspace / "::error::from the name").write_text("{", "utf-8")
    runner.run(files="title.json", version="installed", format="text")
    other = Runner(runner.workspace, runner.temp, runner.path)
    other.run(files="::error*", version="installed")
    assert other.failed
    stopped = None
    for line in (runner.log + other.log).splitlines():
        command = line.strip()
        if stopped is not None:
            stopped = None if command == f"::{stopped}::" else stopped
        elif command.startswith("::stop-commands::"):
            stopped = command.removeprefix("::stop-commands::")
            assert len(stopped) == 32
        else:
            assert not command.startswith("::error::"), line
    assert stopped is None
    assert "::error::from the title" in runner.log


@pytest.mark.parametrize(("version", "wanted"), [("", str(ROOT)), ("1.2.3", "goodcommission==1.2.3")])
def test_it_is_installed_in_a_place_of_its_own(tmp_path: Path, version: str, wanted: str) -> None:
    programs, temp, said = tmp_path / "bin", tmp_path / "temp", tmp_path / "said"
    temp.mkdir()
    note = f'#!/bin/sh\necho "$0 $@" >> "{said}"\n'
    program(programs, "goodcommission", f"{note}exit 2\n")
    program(
        programs,
        "python3",
        f'{note}if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "{programs}/goodcommission" "$3/bin/goodcommission"; '
        'printf "#!/bin/sh\\nexit 0\\n" > "$3/bin/goodcommission"; '
        f'cp "$0" "$3/bin/python"; fi\n',
    )
    runner = Runner(tmp_path, temp, [str(programs)])
    runner.step(ACTION["runs"]["steps"][0], {"version": version})
    assert not runner.failed, runner.log
    place = temp / "goodcommission" / "bin"
    assert runner.path[0] == str(place)
    assert said.read_text("utf-8").splitlines() == [
        f"{programs}/python3 -m venv {temp}/goodcommission",
        f"{place}/python -m pip install --quiet --disable-pip-version-check {wanted}",
    ]


@pytest.mark.parametrize("name", ["description", "name", "runs", "inputs", "outputs"])
def test_the_action_has_what_github_asks_for(name: str) -> None:
    assert ACTION[name]
    assert ACTION["runs"]["using"] == "composite"
    assert all("description" in about for about in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))


# --- pre-commit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["goodcommission-audit", "goodcommission-validate"])
def test_a_hook_runs_on_the_files_of_a_commit(id: str, runner: Runner) -> None:
    hook = HOOKS[id]
    # pre-commit installs the checkout with pip and calls the entry with the files that fit.
    assert hook["language"] == "python"
    assert re.search(hook["files"], "services/tenders/mentoring.json")
    assert not re.search(hook["files"], "src/package.json")
    files = ["tenders/mentoring.json", "tenders/a contract.yaml"]
    assert all(re.search(hook["files"], file) for file in files)

    def hooked(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*hook["entry"].split(), *arguments, *files],
            cwd=runner.workspace,
            env={"PATH": os.pathsep.join([*runner.path, "/usr/bin", "/bin"]), "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    assert hooked().returncode == 0
    if id == "goodcommission-audit":
        failing = hooked("--fail-on", "high")
        assert failing.returncode == 1
        assert "high severity" in failing.stderr
    (runner.workspace / files[0]).write_text("{}", "utf-8")
    assert hooked().returncode == 2


def test_the_entries_are_programs_that_are_installed() -> None:
    scripts = re.findall(r"^(\w+) = \"goodcommission", (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert {hook["entry"].split()[0] for hook in HOOKS.values()} <= set(scripts)
