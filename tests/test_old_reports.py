"""Reports that earlier versions wrote: read as they are, or refused with what is the matter. Named by commit.

c724cae and later have version 1.0 of the format as it was settled; the earlier ones, which no release ever wrote, lack
fields that it has.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from goodcommission.cli import main
from goodcommission.report.formats import FORMATS

FIXTURES = Path(__file__).parent / "fixtures" / "reports"
READ = ("c724cae", "f42a01d")
REFUSED = {"1fadd70": "file", "53af376": "digest", "0922ba8": "grade"}
"""With the first field that each lacks."""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the reports as `NAME.json`, and the document that they are of."""
    for file in FIXTURES.glob("*.json.gz"):
        (tmp_path / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    shutil.copy(FIXTURES / "document.json", tmp_path / "doc.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert "fault of goodcommission" not in result.stderr
    return result


def test_all_fixtures_are_used() -> None:
    assert {file.name.partition(".")[0] for file in FIXTURES.glob("*.gz")} == {*READ, *REFUSED}


@pytest.mark.parametrize("name", READ)
def test_a_report_of_this_format_is_shown_gated_compared_and_verified(name: str, old: Path) -> None:
    file = f"{name}.json"
    for form in FORMATS:
        shown = run("report", file, "--format", form)
        assert shown.exit_code == 0, shown.stderr
        assert "PP-01" in shown.output
    assert run("gate", file, "--no-config", "--never-fail", "PP-03").exit_code == 0
    assert run("gate", file, "--no-config", "--fail-under", "50").exit_code == 1
    verified = run("verify", file, "doc.json")
    assert (verified.exit_code, ": the same." in verified.output) == (0, True), verified.stderr
    (old / "changed.json").write_text((old / file).read_text("utf-8").replace('"unknown"', '"pass"', 1), "utf-8")
    assert run("verify", "changed.json", "doc.json").exit_code == 1


@pytest.mark.parametrize("name", READ)
def test_a_report_of_this_format_stands_beside_a_new_one(name: str, old: Path) -> None:
    audited = run("audit", "doc.json", "--pack", "proportionate-procurement", "--as-of", "2026-11-20", "-o", "new.json")
    assert audited.exit_code == 0, audited.stderr
    compared = run("diff", f"{name}.json", "new.json")
    assert (compared.exit_code, "Resettlement mentoring" in compared.output) == (0, True), compared.stderr
    assert run("baseline", "create", f"{name}.json", "-o", "base.json").exit_code == 0
    assert run("audit", "doc.json", "--pack", "proportionate-procurement", "--baseline", "base.json").exit_code == 0


@pytest.mark.parametrize(("name", "field"), REFUSED.items())
def test_an_earlier_report_is_refused_with_what_it_lacks_and_what_to_do(name: str, field: str, old: Path) -> None:
    file = f"{name}.json"
    for command in (
        ["report", file],
        ["gate", file, "--no-config", "--fail-under", "1"],
        ["diff", file, "f42a01d.json"],
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert f"{file}:" in result.stderr and f'the field "{field}" is missing' in result.stderr
        assert "audit again" in result.stderr
    verified = run("verify", file, "doc.json")
    assert verified.exit_code in (1, 2)
    assert verified.stderr.startswith(file)


@pytest.mark.parametrize("version", ["0.9", "1.99", "2.0", 1, None])
def test_another_format_is_refused_with_both_versions(version: object, old: Path) -> None:
    raw = json.loads((old / "f42a01d.json").read_text("utf-8"))
    (old / "other.json").write_text(json.dumps({**raw, "schema_version": version}), "utf-8")
    for command in (["report", "other.json"], ["gate", "other.json", "--no-config", "--fail-under", "1"]):
        result = run(*command)
        assert result.exit_code == 2
        assert f"has version {json.dumps(version)} of the format" in result.stderr
    assert run("verify", "other.json", "doc.json").exit_code in (1, 2)
