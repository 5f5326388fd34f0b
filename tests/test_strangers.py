"""Packs, documents and notices from strangers: what they try against the machine, the reader and the spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from goodcommission import AuditReport, PackError, audit, load_packs
from goodcommission.packs.checking import check_packs
from goodcommission.packs.compiling import MOST_OF_CONDITIONS
from goodcommission.packs.limits import MOST_BYTES, MOST_LETS, MOST_OF_A_KIND
from goodcommission.packs.loading import MOST_FILES
from goodcommission.report.formats import FORMATS, render

DOCUMENT: dict[str, Any] = {
    "kind": "tender",
    "stage": "published",
    "process": {"route": "open_tender"},
    "term": {"months": 12},
    "value": {"total": {"amount": 120000, "currency": "GBP"}},
    "requirements": {"insurance": [{"kind": "public_liability", "cover": {"amount": 1, "currency": "GBP"}}]},
}


def rule(number: int = 1, **parts: str) -> str:
    said = {
        "title": "Long",
        "asks": "It is long.",
        "phase": "procurement",
        "applies_to": "[tender]",
        "severity": "high",
        "strength": "good-practice",
        "kind": "direct",
        "require": "term.months >= 24",
        "finding": "Short.",
        "why": "It is better.",
        "remedy": "Longer.",
        "sources": "[{source: policy}]",
        **parts,
    }
    return f"  - id: EV-{number}\n" + "".join(f"    {name}: {value}\n" for name, value in said.items())


def pack(
    rules: Iterable[str] = (rule(),),
    lets: Iterable[str] = (),
    title: str = "Evil",
    policy: str = "Policy",
    more: str = "",
) -> str:
    head = f"pack: evil\nversion: 1.0.0\ntitle: {title}\nsources: {{policy: {{title: {policy}}}}}\n{more}"
    named = "".join(f"  z{number}: {{is: '{let}'}}\n" for number, let in enumerate(lets))
    return head + (f"let:\n{named}" if named else "") + "rules:\n" + "".join(rules)


def quoted(text: str) -> str:
    """A text as YAML can hold any."""
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def loaded(text: str, folder: Path) -> Any:
    file = folder / "evil.yaml"
    file.write_text(text, "utf-8")
    return load_packs(["evil"], rules=[str(file)])


OVER = "requirements.insurance"
ONES = ",".join("1" * 95)
NUMBERS = range(MOST_OF_A_KIND + 1)
REFUSED: dict[str, tuple[str, str]] = {
    "a tag that runs code": (pack(title="!!python/object/apply:os.system ['touch pwned']"), "tag"),
    "a tag of our own": (pack(title="!include /etc/passwd"), "tag"),
    "an alias bomb": (
        "a: &a [x, x, x]\n" + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefg")),
        "refers to another place",
    ),
    "a merge": (pack() + "x: &x {a: 1}\ny: {<<: *x}\n", "refers to another place"),
    "sections without end": ("pack: " + "[" * 50_000, "within each other"),
    "two documents": (pack() + "---\n" + pack(), ""),
    "a file in extends": (pack(more="extends: [../../etc/passwd]\n"), "my-pack"),
    "a file in uses": (pack(more="uses: [/etc/passwd]\n"), "my-pack"),
    "itself in extends": (pack(more="extends: [evil]\n"), "extends itself"),
    "a file to write": (pack([rule(mend='[{set: "../../etc/passwd", value: 1, kind: safe}]')]), "no fact"),
    "an attribute in a text": (pack([rule(finding='"{term.months.__class__.__mro__}"')]), "not the name"),
    "a template in a text": (pack([rule(finding='"{{ 7 * 7 }}"')]), "brace"),
    "a format in a text": (pack([rule(finding='"{term.months!r:>99999999}"')]), "not the name"),
    "a function of Python": (pack([rule(require="\"open('/etc/passwd') == 'x'\"")]), "open"),
    "a method": (pack([rule(require="\"notice.ocid.matches('(a+)+$')\"")]), "matches"),
    "a text that grows": (pack([rule(require="\"z0 == 'a'\"")], ["notice.ocid + notice.ocid"]), "only numbers"),
    "has": (pack([rule(require='"has(term.months)"')]), "has()"),
    "three lists within each other": (
        pack([rule(require=f'"{OVER}.exists(a, {OVER}.exists(b, {OVER}.exists(c, a.cover > 1.0)))"')]),
        "2 deep",
    ),
    "lists that are written out": (
        pack([rule(require=f'"[{ONES},{ONES}].all(a, [{ONES}].all(b, term.months == a || as_of == b))"')]),
        "steps",
    ),
    "brackets within brackets": (
        pack([rule(require='"' + "(" * 1900 + "term.months > 1" + ")" * 1900 + '"')]),
        "recursion",
    ),
    "a sum of two thousand": (pack(lets=["1 + " * 900 + "term.months"]), "depth"),
    "a giant number": (pack([rule(require=f'"term.months > {"9" * 300}"')]), "literal"),
    "a giant parameter": (
        pack(more=f"parameters: {{big: {{value: {'9' * 400}, basis: convention, why: x}}}}\n"),
        "too large",
    ),
    "a number that is none": (pack(more="parameters: {big: {value: .nan, basis: convention, why: x}}\n"), ""),
    "a condition without end": (pack([rule(require='"' + "term.months > 1 && " * 300 + 'true"')]), "longer than"),
    "lets that double": (
        pack([rule(require="z30 > 1")], ["term.months", *(f"z{n} + z{n}" for n in range(30))]),
        "parts",
    ),
    "clauses that double": (
        pack([rule(require="z30")], ["term.months > 1", *(f"z{n} ? z{n} : !z{n}" for n in range(30))]),
        "parts",
    ),
    "lets without end": (
        pack(lets=["term.months + 1"] * (MOST_LETS + 1)),
        f"{MOST_LETS} lets at most, and this has {MOST_LETS + 1}",
    ),
    "lets in rules": (
        pack([rule(n, let="{a: {is: term.months + 1}}") for n in range(MOST_LETS + 1)]),
        f"{MOST_LETS} lets at most",
    ),
    "rules without end": (pack([rule(n) for n in NUMBERS]), f"{MOST_OF_A_KIND} rules at most"),
    "parameters without end": (
        pack(more="parameters:\n" + "".join(f"  p{n}: {{value: 1, basis: law, why: x}}\n" for n in NUMBERS)),
        "parameters at most",
    ),
    "conditions without end": (
        pack([rule(n, require='"' + "term.months > 1 && " * 200 + 'term.months > 2"') for n in range(20)]),
        f"more than {MOST_OF_CONDITIONS:,} characters together",
    ),
    "a file without end": (pack(title="x" * MOST_BYTES), "kB at most"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_a_hostile_pack_is_refused_soon_and_in_our_words(text: str, reason: str, tmp_path: Path) -> None:
    started = time.process_time()
    with pytest.raises(PackError) as caught:
        loaded(text, tmp_path)
    assert time.process_time() - started < 2
    assert reason in str(caught.value)
    assert all(fault.file == str(tmp_path / "evil.yaml") for fault in caught.value.faults)
    assert len(str(caught.value)) < 20_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.yaml"]


HARMLESS: dict[str, str] = {
    "numbers beyond all": pack(
        [rule(require="z0 > 5.0 && z1 > 5 && z2 > 5", finding='"{params.big}"')],
        [
            "double(term.months) * params.big * params.big",
            "term.months * 9223372036854775807 * 9223372036854775807",
            "add_months(as_of, 9223372036854775807)",
        ],
        more="parameters: {big: {value: 1.0e+308, basis: convention, why: x}}\n",
    ),
    "a thousand denials": pack([rule(require='"' + "!" * 1901 + '(term.months > 1)"')]),
    "a text of 800,000 letters": pack([rule(title="x" * 800_000)]),
    "a text that repeats": pack([rule(finding='"' + "{term.months} " * 50_000 + '"')]),
    "as many lets as may be": pack(lets=[f"term.months + {n}" for n in range(MOST_LETS)]),
    "a chain of lets": pack([rule(require="z90 > 1")], ["term.months", *(f"z{n} + 1" for n in range(90))]),
    "as many steps as may be": pack(
        [rule(require=f'"[{ONES}].all(a, [{ONES}].all(b, term.months == a || as_of == b))"')]
    ),
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=list(HARMLESS))
def test_a_pack_at_the_limits_is_loaded_and_audited_soon(text: str, tmp_path: Path) -> None:
    started = time.process_time()
    packs = loaded(text, tmp_path)
    report = audit(DOCUMENT, packs, tier="large")
    assert report.result("EV-1").verdict in ("pass", "fail", "unknown")
    assert render("text", [report])
    assert time.process_time() - started < 5


def test_a_folder_of_packs_without_end_is_refused(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / f"{number}.yaml").write_text("x", "utf-8")
    with pytest.raises(PackError, match=f"{MOST_FILES} are loaded at most"):
        load_packs(rules=[str(tmp_path)])


GUARDED = """
import os, sys
from goodcommission import audit, load_packs, PackError
from goodcommission.packs.checking import check_packs
from goodcommission.packs.compiling import MOST_OF_CONDITIONS
from goodcommission.report.formats import FORMATS, render

DOCUMENT, FILES = %r, sys.argv[1:]
def used(file):
    try:
        packs = load_packs(["evil"], rules=[file])
        report = audit(DOCUMENT, packs, tier="large")
        for form in FORMATS:
            render(form, [report])
        check_packs([file])
    except PackError:
        pass

used(FILES[0])  # What Python imports and reads on its own account is there from now on.
seen, allowed = [], None
MEANT = ("open", "os.", "socket.", "subprocess.", "exec", "compile", "import", "ctypes.", "shutil.", "tempfile.",
         "urllib.", "http.", "pty.", "mmap.", "signal.", "pickle.", "code.", "sys.settrace")
def watch(event, given):
    if not event.startswith(MEANT):
        return
    if event == "open" and given[0] == allowed and given[1] in ("r", "rb"):
        return
    seen.append((allowed, event, str(given)[:200]))
sys.addaudithook(watch)
for file in FILES[1:]:
    allowed = file
    used(file)
allowed = None
seen_too = len(seen)
open(os.devnull).close()
assert len(seen) > seen_too, "the guard sleeps"
seen = [one for one in seen[:seen_too]]
print("\\n".join(map(str, seen)))
"""


def test_a_pack_opens_nothing_connects_nowhere_and_runs_nothing(tmp_path: Path) -> None:
    """Python's audit events while hostile packs are loaded, checked, audited with and reported on."""
    texts = {"first": pack(), **{name: text for name, (text, _) in REFUSED.items()}, **HARMLESS}
    few = {name: text for name, text in texts.items() if len(text) < 3_000}
    files = []
    for number, text in enumerate(few.values()):
        files.append(str(tmp_path / f"{number:02}.yaml"))
        Path(files[-1]).write_text(text, "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", GUARDED % DOCUMENT, *files], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    # CEL looks for an optional library each time, and rich loads its tables of widths when it first needs them.
    events = [one for one in run.stdout.splitlines() if "('google" not in one and "/rich/_unicode_data" not in one]
    assert [one for one in events if "rich._unicode_data" not in one] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(Path(file).name for file in files)


# --- What a hostile text does where it is read -------------------------------------------------------------------

TRICKS = (
    "\x1b[31mred\x1b]0;title\x07 \u202eabc\u2066 \u2028 <script>alert(1)</script> [x](javascript:alert(1)) ![i](http://e/x)"
    " `code` | pipe | ::error file=x::y %0A <!-- ]]> &lt;"
)
ACTING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AuditReport:
    """With a pack and a document that say such things wherever they may; descriptions hold no control characters."""
    starts = {"title": "=", "asks": "+", "finding": "-", "why": "@", "remedy": "\t="}
    texts = {name: quoted(f"{start}{name} {TRICKS}") for name, start in starts.items()}
    text = pack([rule(**texts)], title=quoted(f"=pack {TRICKS}"), policy=quoted(f"=policy {TRICKS}"))
    said = re.sub("[\x00-\x1f]", "", TRICKS)
    document = {**DOCUMENT, "title": f"=cmd|'/c calc'!A0 {said}", "id": f"@SUM(1) {said}"}
    return audit(document, loaded(text, tmp_path_factory.mktemp("evil")), tier="large")


DATA = ("json", "sarif", "sarif-findings", "gitlab")
"""For programs: names and paths are as they are; texts that are shown are not."""


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in DATA])
def test_no_character_acts_in_any_format(form: str, report: AuditReport) -> None:
    text = render(form, [report], everything=True)
    assert "EV-1" in text
    assert ACTING.findall(text) == []


@pytest.mark.parametrize("form", DATA)
def test_data_hold_no_control_character_and_no_message_acts(form: str, report: AuditReport) -> None:
    text = render(form, [report])
    assert re.findall("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text) == []
    if form != "json":
        said = re.findall(r'"(?:text|markdown|description)": ?"((?:[^"\\]|\\.)*)"', text)
        assert said
        assert [one for one in said if ACTING.search(one)] == []


def test_html_and_markdown_run_link_and_load_nothing(report: AuditReport) -> None:
    html = render("html", [report])
    assert "<script>alert" not in html and "alert(1)" in html
    assert not re.search(r"""(href|src|action)\s*=\s*["']?\s*(javascript|http://e)""", html, re.IGNORECASE)
    text = render("markdown", [report])
    assert "<script" not in text and "](javascript" not in text and "](http://e" not in text
    sarif = json.loads(render("sarif", [report]))
    for rule_ in sarif["runs"][0]["tool"]["driver"]["rules"]:
        said = rule_["help"].get("markdown", "")
        assert "<script" not in said and "](javascript" not in said


def test_no_line_is_a_command_to_github(report: AuditReport) -> None:
    lines = [line for line in render("github", [report]).splitlines() if line.startswith("::")]
    assert lines
    for line in lines:
        properties, _, _ = line.removeprefix("::").partition("::")
        assert "file=x:" not in properties


def test_no_cell_of_the_csv_is_a_formula(report: AuditReport) -> None:
    rows = list(csv.reader(io.StringIO(render("csv", [report]).removeprefix("\ufeff"), newline="")))
    cells = [cell for row in rows for cell in row if cell]
    assert [cell for cell in cells if cell[0] in "=+-@\t\r\n"] == []
    assert any(cell.startswith("'=title") for cell in cells)


def test_messages_about_a_hostile_pack_act_on_no_terminal(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from goodcommission.cli import main

    file = tmp_path / "evil.yaml"
    file.write_text(pack([rule(finding=quoted(f"{{{TRICKS}}}"), phase=quoted(TRICKS))]), "utf-8")
    for command in (["packs", "check", str(file)], ["audit", "-", "--rules", str(file)]):
        result = CliRunner().invoke(main, command, input=json.dumps(DOCUMENT))
        assert result.exit_code == 2
        assert ACTING.findall(result.stderr + result.stdout) == []
    file.write_text(pack([rule(title=quoted(TRICKS), why=quoted(TRICKS))], title=quoted(TRICKS)), "utf-8")
    for command in (["rules", "list"], ["rules", "show", "EV-1"], ["packs", "list"]):
        shown = CliRunner().invoke(main, [*command, "--rules", str(file)])
        assert shown.exit_code == 0
        assert ACTING.findall(shown.stdout) == []


def test_the_csv_of_a_scan_is_defused_and_nothing_else(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    from goodcommission.scan import Options, write_scan
    from goodcommission.scan.comparing import compare
    from goodcommission.scan.tables import as_published

    names = [
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "＝1",
        "'s-Hertogenbosch",
        "'=1",
        "''=1",
        "Leeds, =1",
        'a "b"\n=1',
        "Łódź",
    ]
    releases = [
        {
            "ocid": f"={number}",
            "id": f"-{number}",
            "date": "2026-01-01T00:00:00Z",
            "tag": ["tender"],
            "initiationType": "tender",
            "buyer": {"id": "1", "name": name},
            "tender": {"id": "1", "title": name},
        }
        for number, name in enumerate(names)
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(one) + "\n" for one in releases), "utf-8")
    options = Options(packs=("subcontracting",))
    for form in ("parquet", "csv", "jsonl"):
        write_scan([tmp_path / "in.jsonl"], tmp_path / form, options, form=form, jobs=1)  # type: ignore[arg-type]
    published = polars.read_parquet(tmp_path / "parquet" / "notices" / "*.parquet")
    with (tmp_path / "csv" / "notices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row for row in rows for cell in row.values() if cell[:1] in tuple("=+-@\t\r\n＝")] == []
    for row, buyer, ocid in zip(rows, published["buyer"], published["ocid"], strict=True):
        assert row["buyer"] == (f"'{buyer}" if buyer.lstrip("'")[0] in "=+-@\t＝" else buyer)
        assert row["ocid"] == f"'{ocid}"
    read_back = as_published(polars.scan_csv(tmp_path / "csv" / "notices.csv")).collect()
    assert read_back["buyer"].to_list() == published["buyer"].to_list()
    lines = [json.loads(line) for line in (tmp_path / "jsonl" / "notices.jsonl").read_text("utf-8").splitlines()]
    assert [one["buyer"] for one in lines] == published["buyer"].to_list()
    assert set(published["buyer"]) >= {"=HYPERLINK(1)", "@SUM(1)", "'s-Hertogenbosch"}
    assert compare(tmp_path / "parquet", tmp_path / "csv").matched == len(names)


def test_the_checks_of_a_pack_find_no_way_either(tmp_path: Path) -> None:
    file = tmp_path / "evil.yaml"
    file.write_text(REFUSED["lets that double"][0], "utf-8")
    assert ["parts" in fault.message for fault in check_packs([str(file)]).faults] == [True]
