"""The command line: what it writes, where, with which status, and that no fault of the user's ends in a traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from goodcommission import cli, read_description
from goodcommission.cli import frame
from goodcommission.packs import schema as pack_schema
from goodcommission.packs.loading import pack_files
from goodcommission.report import schema as report_schema
from goodcommission.report.text import wrap

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
TENDER = str(EXAMPLES / "tender.json")
CONTRACT = str(EXAMPLES / "contract.yaml")
NOTICE = str(EXAMPLES / "ocds" / "find-a-tender-heating-study-tender.json")
DAY = ("--as-of", "2026-11-20")


def run(*arguments: str, input: str | bytes | None = None, **environment: str) -> Result:
    result = CliRunner().invoke(cli.main, list(arguments), input=input, env={"COLUMNS": "", **environment})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([sys.executable, "-m", "goodcommission.cli", *arguments], env=environment, **options)


def process(*arguments: str, **options: Any) -> tuple[int, bytes, bytes]:
    with start(*arguments, **options) as running:
        out, err = running.communicate(timeout=120)
    assert b"Traceback" not in err
    assert b"Exception ignored" not in err
    return running.returncode, out, err


# --- audit -------------------------------------------------------------------------------------------------------


def test_an_audit_is_read_as_text_and_succeeds_whatever_it_finds() -> None:
    result = run("audit", TENDER, *DAY)
    assert result.exit_code == 0
    assert "Resettlement mentoring" in result.stdout
    assert "as at 20 November 2026" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_todays_date_is_used_and_printed() -> None:
    report = json.loads(run("audit", TENDER, "--format", "json").stdout)
    assert report["as_of_basis"] == "given"
    assert report["as_of"] is not None
    year, month, day = report["as_of"].split("-")
    assert f"as at {int(day)} " in run("audit", TENDER).stdout
    assert (year, len(month)) >= ("2026", 2)


def test_one_audit_is_an_object_and_several_are_an_array() -> None:
    one = json.loads(run("audit", TENDER, "--format", "json", *DAY).stdout)
    several = json.loads(run("audit", TENDER, CONTRACT, "--format", "json", *DAY).stdout)
    assert isinstance(one, dict)
    assert [report["document"]["kind"] for report in several] == ["tender", "contract"]
    assert several[0] == one


def test_each_process_of_an_ocds_file_is_audited(tmp_path: Path) -> None:
    package = json.loads(Path(NOTICE).read_text("utf-8"))
    other = json.loads(json.dumps(package["releases"][0]))
    other["ocid"] = "ocds-h6vhtk-other"
    package["releases"].append(other)
    file = tmp_path / "two.json"
    file.write_text(json.dumps(package), "utf-8")
    reports = json.loads(run("audit", str(file), "--format", "json", *DAY).stdout)
    assert len({report["document"]["id"] for report in reports}) == 2
    text = run("audit", str(file), *DAY).stdout
    assert "2 audits" in text
    assert f"two.json#{other['ocid']}:" not in text


def test_the_same_input_gives_the_same_bytes() -> None:
    first = process("audit", TENDER, "--format", "json", *DAY, env={"PYTHONHASHSEED": "1"})
    second = process("audit", TENDER, "--format", "json", *DAY, env={"PYTHONHASHSEED": "2", "LC_ALL": "C"})
    assert first == second
    assert first[0] == 0


def test_standard_input_is_read() -> None:
    result = run("audit", "-", *DAY, input=Path(TENDER).read_bytes())
    assert result.exit_code == 0
    assert "<stdin>:" in result.stdout
    assert run("audit", "-", "-", input="").exit_code == 2


def test_only_the_packs_named_are_used() -> None:
    report = json.loads(run("audit", TENDER, "--pack", "equality-impact", "--format", "json").stdout)
    assert [pack["id"] for pack in report["packs"]] == ["equality-impact"]
    result = run("audit", TENDER, "--pack", "equality-impct")
    assert result.exit_code == 2
    assert "Did you mean equality-impact?" in result.stderr


OWN = """
pack: own-rules
version: 1.0.0
title: Our own rules
sources:
  handbook: {title: Commissioning handbook, publisher: Wexmoor County Council, year: 2026}
rules:
  - id: OWN-1
    title: Bidders have a month
    asks: That there are questions.
    phase: procurement
    applies_to: [tender]
    severity: low
    strength: good-practice
    kind: direct
    require: process.response_pages <= 100
    finding: "There are {process.response_pages} pages."
    why: It is so.
    remedy: Write less.
    mend: [{set: process.response_pages, value: 100, kind: decision}]
    sources: [{source: handbook}]
    cases:
      - {name: much, expect: fail, given: {process: {response_pages: 101}}}
      - {name: little, expect: pass, given: {process: {response_pages: 100}}}
      - {name: silence, expect: unknown, missing: [process.response_pages], given: {}}
"""


def test_packs_of_ones_own_are_used_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN, "utf-8")
    assert run("packs", "check", str(tmp_path)).exit_code == 0
    report = json.loads(run("audit", TENDER, "--rules", str(tmp_path), "--format", "json").stdout)
    assert {result["rule"]["id"] for result in report["results"]} >= {"OWN-1", "PP-01"}
    assert "Commissioning handbook" in run("rules", "show", "OWN-1", "--rules", str(tmp_path)).stdout


def test_the_tier_and_the_engine_can_be_chosen() -> None:
    report = json.loads(run("audit", TENDER, "--tier", "large", "--engine", "reference", "--format", "json").stdout)
    assert report["tier"] == {"name": "large", "basis": "override"}
    assert report["engine"]["name"] == "reference"


def test_a_commissioners_profile_fills_what_is_not_said(tmp_path: Path) -> None:
    profile = tmp_path / "council.yaml"
    profile.write_text("commissioner: {staff_time_for_users: true}\n", "utf-8")
    tender = tmp_path / "tender.yaml"
    tender.write_text("kind: tender\nvalue: {total: {amount: 300000, currency: GBP}}\n", "utf-8")
    result = run("audit", str(tender), "--commissioner", str(profile), "--passes")
    assert result.exit_code == 0
    assert f"{profile}:1:38" in result.stdout
    profile.write_text("comissioner: {}\n", "utf-8")
    wrong = run("audit", TENDER, CONTRACT, "--commissioner", str(profile))
    assert wrong.exit_code == 2
    assert len(wrong.stderr.splitlines()) == 1


def test_engines_that_differ_are_an_error_only_under_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    from goodcommission import auditing

    audit = auditing.audit

    def differing(*arguments: Any, **options: Any) -> Any:
        report = audit(*arguments, **options)
        return report.model_copy(update={"engine": report.engine.model_copy(update={"differences": ("X-01: open",)})})

    monkeypatch.setattr(auditing, "audit", differing)
    assert run("audit", TENDER).exit_code == 0
    assert "The engines disagree" in run("audit", TENDER).stdout
    strict = run("audit", TENDER, "--strict")
    assert strict.exit_code == 2
    assert "X-01: open" in strict.stderr


# --- Gates and status --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--fail-under", "0"), 0),
        (("--fail-under", "99.5"), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "high"), 1),
        (("--fail-on", "low"), 1),
        (("--fail-under", "101"), 2),
        (("--fail-under", "nan"), 2),
        (("--fail-under", "many"), 2),
        (("--fail-on", "severe"), 2),
        (("--as-of", "2026-02-30"), 2),
        (("--as-of", "20261120"), 2),
        (("--as-of", "today"), 2),
        (("--engine", "steam"), 2),
        (("--tier", "huge"), 2),
        (("--format", "pdf"), 2),
        (("--nonsense",), 2),
        (("--rules", "no such folder"), 2),
        (("--pack", ""), 2),
    ],
)
def test_the_status_says_what_became_of_it(arguments: Sequence[str], status: int) -> None:
    result = run("audit", TENDER, *arguments)
    assert result.exit_code == status
    assert bool(result.stderr) == (status != 0)
    assert bool(result.stdout) == (status != 2)


def test_a_gate_names_what_fails_it() -> None:
    assert "(--fail-under)" in run("audit", TENDER, "--fail-under", "90").stderr
    high = run("audit", TENDER, "--fail-on", "high").stderr
    assert "PP-01" in high
    assert "X-01" in high
    assert "PP-06" not in high


def test_without_a_score_no_least_score_is_reached() -> None:
    result = run("audit", "-", "--fail-under", "0", input="kind: tender\n")
    assert result.exit_code == 1
    assert "there is no score" in result.stderr


def test_a_faulty_file_gets_no_report_and_the_others_do(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"kind": "tnder"}', "utf-8")
    result = run("audit", str(bad), TENDER, str(tmp_path / "none.json"), *DAY)
    assert result.exit_code == 2
    assert "Resettlement mentoring" in result.stdout
    assert "bad.json:1:10" in result.stderr
    assert "none.json: there is no such file" in result.stderr
    report = json.loads(run("audit", str(bad), TENDER, "--format", "json").stdout)
    assert isinstance(report, list)
    assert len(report) == 1


# --- Where it is written -----------------------------------------------------------------------------------------


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    result = run("audit", TENDER, "--output", str(file), *DAY, COLUMNS="60")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Resettlement mentoring" in file.read_text("utf-8")
    assert os.listdir(tmp_path) == ["report.txt"]
    again = file.read_bytes()
    assert run("audit", TENDER, "-o", str(file), *DAY).exit_code == 0
    assert file.read_bytes() == again


def test_nothing_is_written_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "report.json"
    file.write_text("before", "utf-8")
    bad = tmp_path / "bad.yaml"
    bad.write_text("kind: [", "utf-8")
    result = run("audit", TENDER, str(bad), "--output", str(file))
    assert result.exit_code == 2
    assert "not written" in result.stderr

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    result = run("audit", TENDER, "--output", str(file))
    assert result.exit_code == 2
    assert "No space left" in result.stderr
    assert file.read_text("utf-8") == "before"
    assert sorted(os.listdir(tmp_path)) == ["bad.yaml", "report.json"]


def test_an_output_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    for output in (tmp_path, tmp_path / "no" / "such" / "folder.txt", tmp_path / ("x" * 300), Path(TENDER) / "x"):
        result = run("audit", TENDER, "--output", str(output))
        assert result.exit_code == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "tender.json"
    file.write_bytes(Path(TENDER).read_bytes())
    result = run("audit", str(file), "--output", str(file))
    assert result.exit_code == 2
    assert file.read_bytes() == Path(TENDER).read_bytes()


def test_output_may_be_a_device() -> None:
    assert run("audit", TENDER, "--output", os.devnull).exit_code == 0


def test_a_reader_that_leaves_early_is_no_error() -> None:
    with start("audit", TENDER, CONTRACT, "--all") as running:
        assert running.stdout
        running.stdout.close()
        assert running.stderr
        errors = running.stderr.read()
        assert running.wait(timeout=60) == frame.BROKEN_PIPE
    assert errors == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("args", [("audit", TENDER), ("--help",), ("--version",)])
def test_a_full_disk_is_said(args: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        status, _, errors = process(*args, stdout=full)
    assert status == 2
    assert b"No space left" in errors and errors.count(b"\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise")
def test_an_interruption_is_quiet(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with start("audit", str(pipe)) as running:
        # It opens once the other side waits to read it, which is after everything was imported.
        with pipe.open("wb"):
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == frame.INTERRUPTED
        assert running.stderr
        assert running.stderr.read() == b"Interrupted.\n"


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "utf-8"}],
)
def test_any_terminal_can_show_it(environment: dict[str, str]) -> None:
    status, out, _ = process("audit", TENDER, env={"PYTHONUTF8": "0", **environment})
    assert status == 0
    if environment in ({"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}):
        assert out.isascii()
        assert b"GBP 300,000" in out
        assert b"#####" in out
    assert b"?" not in out.split(b"State these first")[0]


def test_the_width_is_that_of_the_terminal_or_80(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)  # the name of a file is not cut

    def widest(**environment: str) -> int:
        return max(len(line) for line in run("audit", "tender.json", **environment).stdout.splitlines())

    assert 72 < widest() <= 80
    assert widest(COLUMNS="60") < widest() < widest(COLUMNS="100")
    assert widest(COLUMNS="nonsense") == widest(COLUMNS="0") == widest()
    assert widest(COLUMNS="080") == widest()
    assert widest(COLUMNS="9" * 5000) == widest(COLUMNS="1000")


@pytest.mark.parametrize("width", ["1", "2", "20"])
def test_no_terminal_is_too_narrow(width: str) -> None:
    for arguments in (("rules", "list"), ("packs", "list"), ("rules", "show", "PP-03"), ("audit", TENDER)):
        assert run(*arguments, COLUMNS=width).exit_code == 0
    assert wrap("wide 😀 and narrow –", 0) == ["wi", "de", "😀", "an", "d", "na", "rr", "ow", "–"]


def test_names_that_are_no_utf_8_are_written_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a character stands in Python for a byte of a name that says nothing in UTF-8."""
    monkeypatch.chdir(tmp_path)
    odd = "\udcff"
    shutil.copy(TENDER, f"{odd}tender.json")
    shutil.copy(next((EXAMPLES / "templates").glob("*.yaml")), f"{odd}template.yaml")
    assert run("audit", TENDER, *DAY, "-o", f"{odd}report.json").exit_code == 0
    assert run("baseline", "create", f"{odd}report.json", "-o", f"{odd}baseline.json").exit_code == 0
    for arguments in (
        ("gate", f"{odd}report.json", "--fail-under", "0"),
        ("audit", "--template", f"{odd}template.yaml", "--fail-on", "never"),
        ("audit", TENDER, *DAY, "--baseline", f"{odd}baseline.json"),
        ("config", "show", f"{odd}tender.json"),
    ):
        result = run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.stderr
        assert "\\xff" in result.stdout or "\\udcff" in result.stdout
        json.loads(result.stdout)


def test_no_command_writes_over_what_it_reads(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    assert run("audit", TENDER, *DAY, "-o", str(report)).exit_code == 0
    before = report.read_bytes()
    result = run("gate", str(report), "--fail-under", "0", "-o", str(report))
    assert result.exit_code == 2 and "would overwrite what is read" in result.stderr
    assert report.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_colour_is_for_terminals_that_want_it() -> None:
    import pty

    def shown(**environment: str) -> bytes:
        ours, theirs = pty.openpty()
        with start("rules", "list", stdout=theirs, env={"TERM": "xterm", **environment}) as running:
            os.close(theirs)
            parts = []
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                parts.append(part)
            assert running.wait(timeout=60) == 0
        os.close(ours)
        return b"".join(parts)

    assert b"\x1b[" in shown()
    assert b"\x1b[" not in shown(NO_COLOR="1")
    assert b"\x1b[" not in shown(TERM="dumb")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text")
def test_a_file_may_have_any_name(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/\xff\x1b[31m.json"
    with open(file, "wb") as tender:
        tender.write(Path(TENDER).read_bytes())
    for form in ("text", "json"):
        status, out, _ = process("audit", os.fsdecode(file), "--format", form)
        assert status == 0
        assert b"\x1b" not in out
    status, _, errors = process("audit", os.fsdecode(file) + ".none")
    assert status == 2
    assert b"\x1b" not in errors


def test_a_fault_of_ours_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from goodcommission import auditing

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a cog fell out")

    monkeypatch.setattr(auditing, "audit", broken)
    result = run("audit", TENDER)
    assert result.exit_code == frame.OUR_FAULT
    assert "RuntimeError: a cog fell out" in result.stderr
    monkeypatch.setenv("GOODCOMMISSION_DEBUG", "1")
    assert isinstance(CliRunner().invoke(cli.main, ["audit", TENDER]).exception, RuntimeError)


# --- Bad input ---------------------------------------------------------------------------------------------------

DEEP = 10_000
BAD: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "not JSON": ("json", b'{"kind": "tender",}', (":1:",)),
    "not YAML": ("yaml", b"kind: tender\nvalue: {total: [}\n", (":2:",)),
    "two byte order marks": ("json", b'\xef\xbb\xbf\xef\xbb\xbf{"kind": "tender"}', (":1:1",)),
    "UTF-16": ("json", '{"kind": "tender"}'.encode("utf-16"), ("UTF-16",)),
    "UTF-16 without a mark": ("json", '{"kind": "tender"}'.encode("utf-16-le"), ("UTF-16",)),
    "invalid UTF-8": ("json", b'{"kind": "tender", "title": "\xe9t\xe9"}', (":1:", "UTF-8")),
    "a duplicate key": ("json", b'{"kind": "tender",\n "kind": "contract"}', (":2:", "kind")),
    "a duplicate key in YAML": ("yaml", b"kind: tender\nkind: contract\n", (":2:", "kind")),
    "NaN": ("json", b'{"kind": "tender", "term": {"months": NaN}}', (":1:", "NaN")),
    "Infinity": ("json", b'{"kind": "tender", "term": {"months": -Infinity}}', (":1:", "Infinity")),
    "NaN in YAML": ("yaml", b"kind: tender\nterm: {months: .nan}\n", (":2:",)),
    "beyond a double": ("json", b'{"kind":"tender","value":{"total":{"amount":1e400,"currency":"GBP"}}}', (":1:",)),
    "beyond int64": ("json", b'{"kind": "tender", "term": {"months": 9223372036854775808}}', ("/term/months",)),
    "many digits": ("json", b'{"kind": "tender", "term": {"months": ' + b"9" * 10_000 + b"}}", (":1:",)),
    "nesting": ("json", b'{"kind": ' + b"[" * DEEP + b"]" * DEEP + b"}", (":1:",)),
    "nesting in YAML": ("yaml", b"kind: " + b"[" * DEEP + b"]" * DEEP, (":1:",)),
    "a misspelt field": ("json", b'{"kind": "tender", "vlaue": {}}', (":1:20", "/vlaue", "Did you mean")),
    "a wrong type": ("json", b'{"kind": "tender", "term": {"months": "36"}}', ("/term/months", "whole number")),
    "a wrong currency": (
        "json",
        b'{"kind": "tender", "value": {"total": {"amount": 1, "currency": "POUNDS"}}}',
        ("/value/total/currency", "GBP"),
    ),
    "a wrong date": ("json", b'{"kind": "tender", "term": {"start": "31/03/2026"}}', ("/term/start", "2026-03-31")),
    "no such day": ("json", b'{"kind": "tender", "term": {"start": "2026-02-30"}}', ("/term/start",)),
    "an end before a start": (
        "json",
        b'{"kind": "tender", "term": {"start": "2027-04-01", "end": "2027-03-31"}}',
        ("/term/end",),
    ),
    "an empty file": ("json", b"", ("empty",)),
    "blanks": ("yaml", b" \n\n", ("empty",)),
    "only a comment": ("yaml", b"# nothing\n", ("nothing but comments",)),
    "a PDF": ("json", b"%PDF-1.7 ...", ("PDF",)),
    "aliases that explode": (
        "yaml",
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(
            f"{new}: &{new} [{','.join(f'*{old}' for _ in range(9))}]\n".encode()
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        (":",),
    ),
    "an OCDS file without a notice": ("json", b'{"releases": []}', ("/releases",)),
    "lone surrogates": ("json", b'{"kind": "tender", "title": "\\ud800"}', (":1:",)),
    "escapes": ("json", b'{"kind": "tender", "\\u001b[31m\\u202e": 1}', (":1:",)),
}


@pytest.mark.parametrize("command", ["audit", "validate", "convert"])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_message_for_each_fault(name: str, command: str, tmp_path: Path) -> None:
    ending, data, said = BAD[name]
    file = tmp_path / f"bad.{ending}"
    file.write_bytes(data)
    result = run(command, str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert 0 < len(lines) <= frame.MOST_FAULTS + 1
    assert all(line.startswith(str(file)) for line in lines)
    assert all(len(line) < 1000 for line in lines)
    assert not any(character in result.stderr for character in "\x1b\u202e")
    for part in said:
        assert part in result.stderr


def test_what_is_not_a_file_is_said(tmp_path: Path) -> None:
    for name in (str(tmp_path), str(tmp_path / "none.yaml"), "\x00", "x" * 5000, ""):
        result = run("audit", name)
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1


def test_a_file_of_200_mb_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as large:
        large.truncate(200_000_000)
    result = run("audit", str(file))
    assert result.exit_code == 2
    assert "200 MB" in result.stderr


def test_equal_faults_are_grouped_and_many_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    lots = "".join("  - {months: many}\n" for _ in range(7))
    file.write_text(f"kind: tender\nlots:\n  items:\n{lots}", "utf-8")
    (line,) = run("audit", str(file)).stderr.splitlines()
    assert "bad.yaml:4:" in line
    assert "The same 6 times more, in lines 5, 6, 7, 8, 9 and on" in line
    file.write_text("kind: tender\n" + "".join(f"wrong_{n:02}x{n * 7919}: 1\n" for n in range(50)), "utf-8")
    lines = run("audit", str(file)).stderr.splitlines()
    assert len(lines) == frame.MOST_FAULTS + 1
    assert "30 more faults" in lines[-1]


PACK: dict[str, Any] = yaml.safe_load(OWN)
PACK_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a type error": ({"require": "process.response_pages == 'many'"}, "require"),
    "an unknown fact": ({"require": "process.response_pagse <= 100"}, "process.response_pages"),
    "a condition that is not yes or no": ({"require": "process.response_pages"}, "require"),
    "a literal that is no value": ({"require": "process.route == 'raffle'"}, "raffle"),
    "a sentence that names nothing": ({"finding": "There are {process.pages}."}, "process.pages"),
}


def faulty(tmp_path: Path, changes: dict[str, Any]) -> str:
    pack = json.loads(json.dumps(PACK))
    pack["rules"][0] |= changes
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(pack, sort_keys=False), "utf-8")
    return str(file)


@pytest.mark.parametrize("name", PACK_FAULTS)
def test_a_faulty_pack_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    changes, said = PACK_FAULTS[name]
    file = faulty(tmp_path, changes)
    for arguments in (("audit", TENDER, "--rules", file), ("packs", "check", file)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert f"{file}:" in result.stderr
        assert said in result.stderr


def test_a_pack_without_cases_does_not_pass_its_check(tmp_path: Path) -> None:
    result = run("packs", "check", faulty(tmp_path, {"cases": []}))
    assert result.exit_code == 2
    assert "OWN-1" in result.stderr


def test_an_id_is_given_once(tmp_path: Path) -> None:
    file = faulty(tmp_path, {"id": "PP-01"})
    for arguments in (("audit", TENDER, "--rules", file), ("packs", "check", file)):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "PP-01" in result.stderr


def test_patterns_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "cycle.yaml"
    pattern = (
        "{{id: Z-{0}, title: T, concludes: risk.z{0}, severity: low, all_of: [{{conclusion: risk.z{1}}}], why: W}}"
    )
    patterns = f"  - {pattern.format(1, 2)}\n  - {pattern.format(2, 1)}\n"
    file.write_text(f"pack: cycle\nversion: 1.0.0\ntitle: Cycle\npatterns:\n{patterns}", "utf-8")
    for arguments in (("audit", TENDER, "--rules", str(file)), ("packs", "check", str(file))):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "Z-1" in result.stderr


@pytest.mark.parametrize("text", ["", "[]", "pack: x", "pack: x\nversion: 1\ntitle: 3", "{", "a: &a [*a]"])
def test_what_is_no_pack_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "no.yaml"
    file.write_text(text, "utf-8")
    for arguments in (("audit", TENDER, "--rules", str(file)), ("packs", "check", str(file))):
        result = run(*arguments)
        assert result.exit_code == 2
        assert str(file) in result.stderr


# --- validate and convert ----------------------------------------------------------------------------------------


def test_valid_files_are_said_to_be_valid() -> None:
    result = run("validate", TENDER, CONTRACT, NOTICE)
    assert result.exit_code == 0
    assert result.stdout.count(": valid (") == 3


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("notice", sorted(path.name for path in (EXAMPLES / "ocds").glob("*.json")))
def test_a_converted_notice_is_audited_like_the_notice(notice: str, form: str, tmp_path: Path) -> None:
    source = str(EXAMPLES / "ocds" / notice)
    file = tmp_path / f"converted.{form}"
    assert run("convert", source, "--output", str(file)).exit_code == 0
    reports = [json.loads(run("audit", name, "--format", "json", *DAY).stdout) for name in (source, str(file))]
    assert reports[0]["score"] == reports[1]["score"]
    verdicts = [[(r["rule"]["id"], r["verdict"], r["claimed"]) for r in report["results"]] for report in reports]
    assert verdicts[0] == verdicts[1]


def test_a_description_can_be_turned_from_one_form_into_the_other(tmp_path: Path) -> None:
    file = tmp_path / "contract.json"
    assert run("convert", CONTRACT, "-o", str(file)).exit_code == 0
    there = json.loads(run("audit", str(file), "--format", "json", *DAY).stdout)
    here = json.loads(run("audit", CONTRACT, "--format", "json", *DAY).stdout)
    assert there["results"] == here["results"]


def test_processes_with_names_alike_get_files_of_their_own(tmp_path: Path) -> None:
    release = json.loads(Path(NOTICE).read_text("utf-8"))["releases"][0]
    ids = ("ocds-a/b", "ocds-a-b", "OCDS-A-B", "notice")
    file = tmp_path / "notice.json"
    file.write_text(json.dumps({"releases": [{**release, "ocid": id} for id in ids]}), "utf-8")
    (tmp_path / "to").mkdir()
    assert run("convert", str(file), "--output", str(tmp_path / "to")).exit_code == 0
    names = ["OCDS-A-B-3.yaml", "notice.yaml", "ocds-a-b-2.yaml", "ocds-a-b.yaml"]
    assert sorted(os.listdir(tmp_path / "to")) == names
    assert {read_description(tmp_path / "to" / name).description.notice.ocid for name in names} == set(ids)
    refused = run("convert", str(file), "--output", str(tmp_path), "--format", "json")
    assert refused.exit_code == 2 and "would overwrite what is read" in refused.stderr
    assert sorted(os.listdir(tmp_path)) == ["notice.json", "to"]


def test_several_processes_need_a_folder(tmp_path: Path) -> None:
    package = json.loads(Path(NOTICE).read_text("utf-8"))
    other = json.loads(json.dumps(package["releases"][0]))
    other["ocid"] = "../../ocds-other"
    package["releases"].append(other)
    file = tmp_path / "two.json"
    file.write_text(json.dumps(package), "utf-8")
    result = run("convert", str(file))
    assert result.exit_code == 2
    assert "folder" in result.stderr
    folder = tmp_path / "folder"
    folder.mkdir()
    assert run("convert", str(file), "--output", str(folder)).exit_code == 0
    written = sorted(os.listdir(folder))
    assert len(written) == 2
    assert "ocds-other.yaml" in written
    assert run("validate", *(str(folder / name) for name in written)).exit_code == 0


# --- rules, packs, schema ----------------------------------------------------------------------------------------


def test_rules_are_listed_and_each_can_be_shown() -> None:
    rules = json.loads(run("rules", "list", "--format", "json").stdout)
    text = run("rules", "list").stdout
    assert len(rules) > 50
    for rule in rules:
        assert rule["id"] in text
        shown = run("rules", "show", rule["id"])
        assert shown.exit_code == 0
        assert " ".join(rule["why"].split()) in " ".join(shown.stdout.split())
        assert json.loads(run("rules", "show", rule["id"], "--format", "json").stdout)["id"] == rule["id"]
    one_pack = json.loads(run("rules", "list", "--pack", "subcontracting", "--format", "json").stdout)
    assert {rule["pack"] for rule in one_pack} == {"subcontracting"}


def test_a_rule_is_shown_with_its_condition_numbers_and_sources() -> None:
    text = run("rules", "show", "pp-03").stdout
    for part in ("Required turnover fits", "Not met", "turnover_multiple is 2", "regulation 58(9)", "Asked of"):
        assert part in text


def test_an_unknown_rule_names_the_nearest() -> None:
    result = run("rules", "show", "PP-99")
    assert result.exit_code == 2
    assert "Did you mean PP-09?" in result.stderr


def test_packs_are_listed_and_checked() -> None:
    listed = json.loads(run("packs", "list", "--format", "json").stdout)
    assert {pack["id"] for pack in listed} >= {"subcontracting", "combined-findings"}
    assert all(pack["id"] in run("packs", "list").stdout for pack in listed)
    assert run("packs", "check", "no such folder").exit_code == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("rule-pack", pack_schema.schema_text()), ("report", report_schema.schema_text())],
)
def test_published_schemas_are_in_step(name: str, text: str) -> None:
    file = ROOT / "schemas" / f"{name}.schema.json"
    if os.environ.get("GOODCOMMISSION_GOLDEN"):
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


@pytest.mark.parametrize("name", ["case", "description", "pack", "report"])
def test_schemas_are_printed(name: str) -> None:
    schema = json.loads(run("schema", name).stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_shipped_packs_follow_the_schema() -> None:
    checker = jsonschema.Draft202012Validator(json.loads(run("schema", "pack").stdout))
    for file in pack_files(ROOT / "rules"):
        checker.validate(yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader))
    broken = [
        {**PACK, "rulse": []},
        {**PACK, "definitions": "both"},
        {key: value for key, value in PACK.items() if key != "version"},
        {**PACK, "rules": [{**PACK["rules"][0], "severity": "dire"}]},
    ]
    assert checker.is_valid(PACK)
    assert not any(checker.is_valid(pack) for pack in broken)


def test_reports_follow_the_schema() -> None:
    checker = jsonschema.Draft202012Validator(json.loads(run("schema", "report").stdout))
    files = [
        TENDER,
        CONTRACT,
        str(EXAMPLES / "decommissioning-plan.yaml"),
        *map(str, (EXAMPLES / "ocds").glob("*.json")),
    ]
    for report in json.loads(run("audit", *files, "--format", "json", *DAY).stdout):
        checker.validate(report)


# --- The program itself ------------------------------------------------------------------------------------------


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith("goodcommission ")
    for arguments in ((), ("audit",), ("rules",), ("rules", "show"), ("packs",), ("packs", "check"), ("convert",)):
        assert "Usage:" in run(*arguments, "--help").stdout
    assert "Exit status: 0 fine, 1 a gate" in run("--help").stdout


def test_a_start_imports_nothing_that_it_does_not_need() -> None:
    heavy = ["cel_expr_python", "durable", "jsonschema", "ocdsmerge", "pydantic", "rich", "yaml"]
    code = f"import sys, goodcommission.cli; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    assert shown.stdout.strip() == b"[]"


def test_an_audit_imports_neither_what_colours_nor_what_reads_ocds() -> None:
    code = (
        "import sys; from goodcommission.cli import main\n"
        f"try: main(['audit', {TENDER!r}, '--output', {os.devnull!r}])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('rich.console', 'jsonschema', 'ocdsmerge') if name in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=True
    )
    assert shown.stdout.strip() == b"[]"
