"""The wheel, installed where nothing else is: what its users get. Needs a package registry, and is never skipped."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CHECKOUT = Path(__file__).parent.parent
CARRIED = ("examples", "rules", "schemas")


class Installed(NamedTuple):
    """An environment that holds the wheel and what it depends on, and an empty folder to work in."""

    wheel: Path
    scripts: Path
    package: Path
    work: Path

    def run(self, program: str, *arguments: str, status: int = 0) -> str:
        run = subprocess.run(
            [self.scripts / program, *arguments],
            cwd=self.work,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert run.returncode == status, run.stdout + run.stderr
        assert "Traceback" not in run.stderr
        return run.stdout

    def python(self, code: str) -> str:
        return self.run("python", "-c", code)


def environment() -> Mapping[str, str]:
    """That of this process, without what leads to the checkout or to this process's own environment."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "COLUMNS", "GOODCOMMISSION")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return {**kept, "PYTHONUTF8": "1"}


def done(*command: str | os.PathLike[str]) -> None:
    run = subprocess.run(command, cwd=CHECKOUT.anchor, env=environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    # By way of the source distribution: it has to hold all that the wheel is made of.
    done(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT)
    (wheel,) = folder.glob("*.whl")
    (_sdist,) = folder.glob("*.tar.gz")
    place = folder / "environment"
    venv.create(place, with_pip=True)
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    done(scripts / "python", "-m", "pip", "install", "--quiet", wheel)
    work = folder / "work"
    work.mkdir()
    found = subprocess.run(
        [scripts / "python", "-c", "import goodcommission; print(goodcommission.__file__)"],
        cwd=work,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return Installed(wheel, scripts, Path(found.stdout.strip()).parent, work)


def test_it_is_the_installed_copy_that_runs(installed: Installed) -> None:
    assert installed.package.is_relative_to(installed.scripts.parent)
    assert not installed.package.is_relative_to(CHECKOUT)
    assert str(CHECKOUT) not in installed.python("import sys; print(sys.path)")


def test_the_wheel_holds_the_package_and_what_it_reads_and_nothing_else(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    expected = {
        f"goodcommission/{path.relative_to(CHECKOUT).as_posix()}"
        for folder in CARRIED
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file()
    }
    package = {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "goodcommission").rglob("*")
        if path.is_file() and not any("cache" in part for part in path.parent.parts)
    }
    assert {"goodcommission/py.typed", "goodcommission/packs/shipped.json"} <= package
    assert {name for name in names if ".dist-info/" not in name} == expected | package


def test_durable_rules_is_an_extra_and_the_tools_are_not_installed(installed: Installed) -> None:
    listed = json.loads(installed.run("python", "-m", "pip", "list", "--format", "json"))
    names = {item["name"].lower().replace("_", "-") for item in listed}
    assert "cel-expr-python" in names
    assert names.isdisjoint({"durable-rules", "protobuf", "hypothesis", "pytest", "hatchling"})


@pytest.mark.parametrize(
    "example",
    sorted(
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / "examples").rglob("*")
        if path.suffix in {".json", ".yaml"} and "template" not in path.relative_to(CHECKOUT).as_posix()
    ),
)
def test_each_example_is_audited(installed: Installed, example: str) -> None:
    path = str(installed.package / example)
    text = installed.run("goodcommission", "audit", "--as-of", "2026-11-20", path)
    assert "of 100" in text
    report: dict[str, Any] = json.loads(
        installed.run("goodcommission", "audit", "--as-of", "2026-11-20", "--format", "json", path)
    )
    assert report["as_of"] == "2026-11-20"
    assert report["engine"]["name"] == "reference"
    assert len(report["results"]) > 50


def test_the_installed_rules_are_checked_and_listed(installed: Installed) -> None:
    assert "no faults" in installed.run("goodcommission", "packs", "check", str(installed.package / "rules"))
    assert "PP-03" in installed.run("goodcommission", "rules", "list")
    assert "turnover" in installed.run("goodcommission", "rules", "show", "PP-03")


@pytest.mark.parametrize(
    ("name", "file"), [("description", "description"), ("pack", "rule-pack"), ("report", "report")]
)
def test_the_installed_schemas_are_those_of_the_checkout(installed: Installed, name: str, file: str) -> None:
    printed = json.loads(installed.run("goodcommission", "schema", name))
    assert printed == json.loads((CHECKOUT / "schemas" / f"{file}.schema.json").read_text("utf-8"))


def test_the_shipped_packs_need_no_yaml_at_a_start(installed: Installed) -> None:
    code = "import sys; from goodcommission import load_packs; load_packs(); print('yaml' in sys.modules)"
    assert installed.python(code).strip() == "False"


def test_it_can_be_used_from_python(installed: Installed) -> None:
    example = str(installed.package / "examples" / "tender.json")
    code = f"from goodcommission import audit; print(audit({example!r}).result('PP-01').verdict)"
    assert installed.python(code).strip() == "fail"


def test_the_types_of_the_public_api_are_seen_from_outside(installed: Installed) -> None:
    """By mypy, in a folder that knows nothing of the checkout; it notices where the program is wrong on purpose."""
    text = (CHECKOUT / "tests" / "typed_program.py").read_text("utf-8")
    (installed.work / "program.py").write_text(text, "utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", "--python-executable",
         installed.scripts / "python", "--cache-dir", os.devnull, "program.py"],
        cwd=installed.work, env=environment(), capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    lines = enumerate(text.splitlines(), 1)
    expected = [(number, line.rpartition("# error: ")[2]) for number, line in lines if "# error: " in line]
    found = re.findall(r"^program\.py:(\d+): error: .*\[([a-z-]+)\]$", run.stdout, re.MULTILINE)
    assert [(int(number), code) for number, code in found] == expected, run.stdout + run.stderr
    assert len(expected) == 3
    import goodcommission

    assert all(f" {name}," in text or f".{name}," in text for name in goodcommission.__all__)


def test_bad_input_is_told_in_one_message(installed: Installed) -> None:
    assert installed.run("goodcommission", "audit", "nowhere.json", status=2) == ""
