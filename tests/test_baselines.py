"""The baseline: what was there before is marked and passed over by gates; it only shrinks."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import audit
from goodcommission.baselines import Baseline, apply, create, document_of, read_baseline, update
from goodcommission.cli import main
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.exceptions import BaselineError
from goodcommission.report.model import AuditReport, Waiver
from goodcommission.report.text import render
from goodcommission.waivers import Waivers
from goodcommission.waivers import apply as apply_waivers

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)
TENDER = audit(EXAMPLES / "tender.json", as_of=DAY)
CONTRACT = audit(EXAMPLES / "contract.yaml", as_of=DAY)
PLAN = audit(EXAMPLES / "decommissioning-plan.yaml", as_of=DAY)
REPORTS = (TENDER, CONTRACT, PLAN)
BASELINE = create(REPORTS)


def failing(report: AuditReport) -> set[str]:
    rules = {result.rule.id for result in report.results if result.verdict == "fail"}
    return rules | {one.id for one in report.patterns if one.outcome == "concluded" and one.severity != "positive"}


def known_before(report: AuditReport) -> set[str]:
    return {r.rule.id for r in report.results if r.known_before} | {p.id for p in report.patterns if p.known_before}


def with_failing(report: AuditReport, rules: set[str]) -> AuditReport:
    """The same audit in which, of what failed, only these rules still do."""

    def changed(result: Any) -> Any:
        mended = result.verdict == "fail" and result.rule.id not in rules
        return result.model_copy(update={"verdict": "pass"}) if mended else result

    patterns = tuple(
        one.model_copy(update={"outcome": one.outcome if one.id in rules else "excluded"}) for one in report.patterns
    )
    return report.model_copy(update={"results": tuple(changed(r) for r in report.results), "patterns": patterns})


# --- What it does ------------------------------------------------------------------------------------------------


def test_all_that_was_there_before_is_marked_and_stays() -> None:
    report = apply(TENDER, BASELINE)
    assert known_before(report) == failing(report) == failing(TENDER)
    assert not any(one.stands for one in (*report.results, *report.patterns))
    assert report.baseline is not None
    assert (report.baseline.hidden, report.baseline.mended) == (len(failing(TENDER)), 0)
    assert [r.finding for r in report.results] == [r.finding for r in TENDER.results]


def test_it_counts_in_the_score() -> None:
    assert apply(TENDER, BASELINE).score == TENDER.score


def test_what_is_new_stands() -> None:
    fewer = create([with_failing(TENDER, failing(TENDER) - {"PP-11", "X-23"})])
    report = apply(TENDER, fewer)
    assert {r.rule.id for r in report.results if r.stands} == {"PP-11"}
    assert {p.id for p in report.patterns if p.stands} == {"X-23"}


def test_what_is_mended_is_counted() -> None:
    report = apply(with_failing(TENDER, failing(TENDER) - {"PP-11", "PP-06"}), BASELINE)
    assert report.baseline is not None
    assert (report.baseline.hidden, report.baseline.mended) == (len(failing(TENDER)) - 2, 2)


def test_what_is_waived_is_not_in_a_baseline_nor_hidden_by_one() -> None:
    fields: dict[str, Any] = {"reason": "r", "owner": "o", "note": None, "file": "waivers.yaml", "line": 2}
    of = {"rule": "PP-01", "document": "tender.json", "pointer": None}
    waivers = Waivers((Waiver(**of, **fields, granted="2026-11-01", expires="2026-12-01"),))
    waived = apply_waivers(TENDER, waivers, DAY)
    assert "PP-01" not in {one.rule for one in create([waived]).findings}
    both = apply(waived, BASELINE).result("PP-01")
    assert (both.waived is not None, both.known_before, both.stands) == (True, False, False)
    # It comes back the day it expires, whatever the baseline says.
    expired = apply(apply_waivers(TENDER, waivers, dt.date(2026, 12, 1)), BASELINE)
    assert expired.result("PP-01").stands
    assert "PP-01" in {one.rule for one in update(BASELINE, [waived]).baseline.findings}


def test_an_update_takes_out_what_is_mended_and_adds_nothing() -> None:
    small = create([with_failing(TENDER, failing(TENDER) - {"PP-11", "X-23"})])
    later = with_failing(TENDER, failing(TENDER) - {"PP-06"})
    ratchet = update(small, [later])
    assert [one.rule for one in ratchet.mended] == ["PP-06"]
    assert ratchet.fresh == (("WXC-2026-117", "PP-11"), ("WXC-2026-117", "X-23"))
    assert set(ratchet.baseline.findings) == {one for one in small.findings if one.rule != "PP-06"}


def test_an_update_leaves_what_was_not_audited() -> None:
    one_pack = audit(EXAMPLES / "tender.json", ["subcontracting"], as_of=DAY)
    ratchet = update(BASELINE, [one_pack])
    assert ratchet.mended == ()
    pruned = update(BASELINE, [one_pack], prune=True)
    assert {one.rule for one in pruned.baseline.findings} == failing(one_pack)


def test_adding_keeps_the_first_day_and_the_other_documents() -> None:
    older = create([with_failing(TENDER, {"PP-01"}), CONTRACT], dt.date(2026, 1, 1))
    added = create([TENDER], DAY, older)
    days = {(one.document, one.rule): one.first_seen for one in added.findings}
    assert days["WXC-2026-117", "PP-01"] == "2026-01-01"
    assert days["WXC-2026-117", "PP-02"] == "2026-11-20"
    assert {one for one in older.findings if one.document != "WXC-2026-117"} <= set(added.findings)


def test_without_a_day_there_is_no_baseline() -> None:
    undated = audit(
        {
            "kind": "tender",
            "process": {"same_as_large_contracts": True},
            "value": {"total": {"amount": 90_000, "currency": "GBP"}},
            "term": {"months": 12},
        }
    )
    assert undated.as_of is None
    assert failing(undated)
    with pytest.raises(BaselineError, match="first seen is not known"):
        create([undated])
    assert {one.first_seen for one in create([undated], DAY).findings} == {"2026-11-20"}


# --- Properties --------------------------------------------------------------------------------------------------

_SUBSETS = st.tuples(*(st.sets(st.sampled_from(sorted(failing(report)))) for report in REPORTS))


def changed(subsets: tuple[set[str], ...]) -> list[AuditReport]:
    return [with_failing(report, rules) for report, rules in zip(REPORTS, subsets, strict=True)]


@settings(max_examples=40)
@given(_SUBSETS, _SUBSETS, _SUBSETS)
def test_a_baseline_never_grows(first: Any, second: Any, third: Any) -> None:
    made = create(changed(first))
    once = update(made, changed(second)).baseline
    twice = update(once, changed(third)).baseline
    assert set(twice.findings) <= set(once.findings) <= set(made.findings)
    assert update(once, changed(second)).baseline == once
    for report in changed(third):
        assert known_before(apply(report, twice)) <= known_before(apply(report, made))


@settings(max_examples=40)
@given(_SUBSETS)
def test_what_is_mended_and_comes_back_is_new(mended: Any) -> None:
    left = tuple(failing(report) - rules for report, rules in zip(REPORTS, mended, strict=True))
    ratchet = update(BASELINE, changed(left))
    assert {(one.document, one.rule) for one in ratchet.mended} == {
        (report.document.id, rule) for report, rules in zip(REPORTS, mended, strict=True) for rule in rules
    }
    for report, rules in zip(REPORTS, mended, strict=True):
        back = apply(report, ratchet.baseline)
        new = {r.rule.id for r in back.results if r.stands} | {p.id for p in back.patterns if p.stands}
        assert new == rules


def shuffled(value: Any, by: random.Random) -> Any:
    if isinstance(value, dict):
        names = list(value)
        by.shuffle(names)
        return {name: shuffled(value[name], by) for name in names}
    return [shuffled(item, by) for item in value] if isinstance(value, list) else value


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.sampled_from([None, 1, 4]), st.booleans())
def test_reformatting_and_reordering_a_document_keeps_the_matches(
    tmp_path_factory: pytest.TempPathFactory, by: random.Random, indent: int | None, as_yaml: bool
) -> None:
    raw = shuffled(json.loads((EXAMPLES / "tender.json").read_text("utf-8")), by)
    text = yaml.safe_dump(raw, sort_keys=False) if as_yaml else json.dumps(raw, indent=indent)
    file = tmp_path_factory.mktemp("moved") / f"renamed.{'yaml' if as_yaml else 'json'}"
    file.write_text(text, "utf-8")
    report = apply(audit(file, as_of=DAY), BASELINE)
    assert known_before(report) == failing(TENDER)
    assert report.baseline is not None
    assert report.baseline.mended == 0


@settings(max_examples=40)
@given(st.permutations(REPORTS))
def test_the_order_of_the_audits_does_not_show_in_the_file(reports: Any) -> None:
    assert create(reports).to_json() == BASELINE.to_json()


# --- The file ----------------------------------------------------------------------------------------------------


def saved(tmp_path: Path, baseline: Baseline = BASELINE) -> Path:
    file = tmp_path / "baseline.json"
    file.write_text(baseline.to_json(), "utf-8")
    return file


def test_the_file_is_sorted_with_one_line_a_finding(tmp_path: Path) -> None:
    lines = BASELINE.to_json().splitlines()
    assert lines[:3] == ["{", '  "baseline": 1,', '  "findings": [']
    assert len(lines) == len(BASELINE.findings) + 5
    rules = [(one["document"], one["rule"]) for one in json.loads(BASELINE.to_json())["findings"]]
    of_plan = [rule for document, rule in rules if document == PLAN.document.id]
    assert of_plan[:4] == ["DN-03", "DN-04", "DN-08", "DN-11"]
    assert read_baseline(saved(tmp_path)).findings == BASELINE.findings
    assert Baseline(()).to_json() == '{\n  "baseline": 1,\n  "findings": []\n}\n'


def test_without_a_mended_finding_only_its_line_goes(tmp_path: Path) -> None:
    smaller = update(BASELINE, [with_failing(CONTRACT, failing(CONTRACT) - {"SU-07"})]).baseline
    before, after = BASELINE.to_json().splitlines(), smaller.to_json().splitlines()
    assert [line for line in before if line not in after] == [line for line in before if '"SU-07"' in line]


def test_a_fingerprint_of_another_rule_is_an_error(tmp_path: Path) -> None:
    text = BASELINE.to_json().replace('"rule": "PP-11"', '"rule": "PP-12"')
    file = tmp_path / "baseline.json"
    file.write_text(text, "utf-8")
    line = next(number for number, one in enumerate(text.splitlines(), 1) if '"PP-12"' in one)
    for use in (lambda b: apply(TENDER, b), lambda b: update(b, [TENDER]), lambda b: create([TENDER], DAY, b)):
        with pytest.raises(BaselineError) as error:
            use(read_baseline(file))
        (fault,) = error.value.faults
        assert fault.message == 'the fingerprint is of "PP-11", and the baseline says "PP-12"'
        assert (fault.file, fault.line) == (str(file), line)
    apply(CONTRACT, read_baseline(file))


_LINE = '{"document": "a", "rule": "PP-01", "fingerprint": "%s", "first_seen": "2026-11-20"}' % ("0" * 32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "baseline.json:1:1: this is no baseline"),
        ("{}", "baseline.json:1:1: this is no baseline"),
        ('{"baseline": 2, "findings": []}', "baseline.json:1:14: a baseline of form 1 is expected"),
        ('{"baseline": 1}', 'baseline.json:1:1: the field "findings" is missing'),
        ('{"baseline": 1, "findings": [1]}', "baseline.json:1:30: a finding is expected here"),
        (f'{{"baseline": 1, "findings": [{_LINE}, {_LINE}]}}', "this finding is in the baseline twice"),
        (
            f'{{"baseline": 1, "findings": [{_LINE.replace("0" * 32, "xyz")}]}}',
            "a fingerprint of 32 hexadecimal digits",
        ),
        (f'{{"baseline": 1, "findings": [{_LINE.replace("2026-11-20", "today")}]}}', "this is no day"),
        (f'{{"baseline": 1, "findings": [{_LINE.replace("first_seen", "seen")}]}}', 'there is no field "seen" here'),
        ("{", "baseline.json:1:"),
    ],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text, "utf-8")
    with pytest.raises(BaselineError) as error:
        read_baseline(file)
    assert message in str(error.value)


# --- The text ----------------------------------------------------------------------------------------------------


def test_the_text_hides_what_was_there_before_and_says_how_much() -> None:
    smaller = create([with_failing(TENDER, failing(TENDER) - {"PP-11", "X-23"})])
    named = Baseline(smaller.findings, "baseline.json")
    report = apply(TENDER, named)
    text = render(report)
    flat = " ".join(text.split())
    hidden = len(failing(TENDER)) - 2
    assert f"{hidden} findings were there before (baseline.json); no gate fails for them, and --all shows them" in flat
    assert "\nPP-11 " in text
    assert "\nPP-01 " not in text
    everything = render(report, everything=True)
    assert "\nPP-01 " in everything
    assert everything.count("it was there before") == hidden
    mended = render(apply(with_failing(TENDER, {"PP-01"}), named))
    assert f"{hidden - 1} findings are mended since: goodcommission baseline update baseline.json" in " ".join(
        mended.split()
    )


def test_the_text_says_when_nothing_is_new() -> None:
    assert "Nothing new departs from what the rules ask." in render(apply(TENDER, BASELINE))


# --- The commands ------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("audit.json").write_text(TENDER.to_json(), "utf-8")
    Path("all.json").write_text(f"[{TENDER.to_json()}, {CONTRACT.to_json()}, {PLAN.to_json()}]", "utf-8")
    Path("later.json").write_text(with_failing(TENDER, failing(TENDER) - {"PP-06"}).to_json(), "utf-8")
    return tmp_path


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["baseline", *arguments])


def test_create_writes_all_that_is_wrong(folder: Path) -> None:
    result = run("create", "all.json", "--output", "baseline.json")
    assert (result.exit_code, result.output) == (0, f"baseline.json: {len(BASELINE.findings)} findings.\n")
    assert Path("baseline.json").read_text("utf-8") == BASELINE.to_json()
    assert run("create", "all.json").stdout == BASELINE.to_json()


def test_create_adds_only_when_asked(folder: Path) -> None:
    run("create", "later.json", "-o", "baseline.json", "--as-of", "2026-01-01")
    again = run("create", "audit.json", "-o", "baseline.json")
    assert again.exit_code == 2
    assert "this file is there already" in again.stderr
    assert run("create", "audit.json", "-o", "baseline.json", "--add").exit_code == 0
    days = {one.rule: one.first_seen for one in read_baseline("baseline.json").findings}
    assert (days["PP-01"], days["PP-06"]) == ("2026-01-01", "2026-11-20")
    assert run("create", "audit.json", "-o", "other.json", "--add").exit_code == 2


def test_update_takes_out_and_never_adds(folder: Path) -> None:
    run("create", "all.json", "-o", "baseline.json")
    result = run("update", "baseline.json", "later.json")
    left = len(BASELINE.findings) - 1
    assert result.exit_code == 0
    assert result.stdout == (
        f"baseline.json: 1 finding taken out, {left} left.\n  PP-06 in WXC-2026-117, first seen on 2026-11-20\n"
    )
    back = run("update", "baseline.json", "audit.json")
    assert back.stdout == f"baseline.json: none is mended, {left} left.\n"
    assert back.stderr == "Not in the baseline, and not added: PP-06 in WXC-2026-117.\n"
    assert run("update", "baseline.json", "audit.json", "--prune", "-o", "pruned.json").exit_code == 0
    assert {one.document for one in read_baseline("pruned.json").findings} == {"WXC-2026-117"}
    assert len(read_baseline("baseline.json").findings) == left


def test_show_lists_what_it_holds_and_what_became_of_it(folder: Path) -> None:
    run("create", "audit.json", "-o", "baseline.json")
    assert "  PP-06    first seen on 2026-11-20\n" in run("show", "baseline.json").stdout
    assert "  PP-06    first seen on 2026-11-20, and mended\n" in run("show", "baseline.json", "later.json").stdout
    data = json.loads(run("show", "baseline.json", "later.json", "--format", "json").stdout)
    assert [one["rule"] for one in data if one["mended"]] == ["PP-06"]
    run("update", "baseline.json", "later.json")
    assert "Not in it:\n  PP-06    in WXC-2026-117\n" in run("show", "baseline.json", "audit.json").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "nix.json"), "nix.json: there is no such file"),
        (("create", "tender.json"), "tender.json:1:1: this is no saved report"),
        (("create", "broken.json"), "broken.json:1:2"),
        (("create", "old.json"), 'old.json:1:1: the field "goodcommission" is missing'),
        (("create", "none.json"), "none.json:1:1: there is no report in this file"),
        (("show", "audit.json"), "audit.json:1:1: this is no baseline"),
        (("create", "audit.json", "-o", "audit.json"), "the output would overwrite what is read"),
    ],
)
def test_what_cannot_be_read_is_said(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    Path("tender.json").write_text('{"kind": "tender"}', "utf-8")
    Path("broken.json").write_text('{"}', "utf-8")
    Path("none.json").write_text("[]", "utf-8")
    Path("old.json").write_text('{"schema_version": "1.0"}', "utf-8")
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


# --- What is said of a file that is none, in full ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[]",
            [("this is no baseline", 1, 1, "", "A baseline is what `goodcommission baseline create` writes.")],
        ),
        (
            '{"baseline": 2, "findings": []}',
            [
                (
                    "a baseline of form 1 is expected; this one may come from a newer goodcommission",
                    1,
                    14,
                    "/baseline",
                    None,
                )
            ],
        ),
        ('{"baseline": 1, "findings": {}}', [("a list of findings is expected here", 1, 29, "/findings", None)]),
        (
            '{"baseline": 1, "findings": [3]}',
            [("a finding is expected here: document, rule, fingerprint, first_seen", 1, 30, "/findings/0", None)],
        ),
        (
            '{"baseline": 1, "findings": [{"document": 1, "rule": "A", "fingerprint": "x", "first_seen": "", "h": 2}]}',
            [
                ("a text is expected here", 1, 43, "/findings/0/document", None),
                ("a fingerprint of 32 hexadecimal digits is expected here", 1, 74, "/findings/0/fingerprint", None),
                ("this is no day; it is written as 2026-03-31", 1, 93, "/findings/0/first_seen", None),
                ('there is no field "h" here', 1, 97, "/findings/0/h", None),
            ],
        ),
        (
            '{"baseline": 1, "findings": [{"document": "d", "rule": "A", "first_seen": "2026-01-01"}]}',
            [('the field "fingerprint" is missing', 1, 30, "/findings/0", None)],
        ),
    ],
)
def test_each_fault_is_told_in_full(tmp_path: Path, text: str, expected: list[tuple[Any, ...]]) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text, "utf-8")
    with pytest.raises(BaselineError) as error:
        read_baseline(file)
    assert [(one.message, one.line, one.column, one.pointer, one.suggestion) for one in error.value.faults] == expected
    assert {one.file for one in error.value.faults} == {str(file)}


def test_a_finding_that_is_there_twice_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    one = BASELINE.findings[0].model_dump()
    file.write_text(json.dumps({"baseline": 1, "findings": [one, one]}, indent=1), "utf-8")
    with pytest.raises(BaselineError) as error:
        read_baseline(file)
    (fault,) = error.value.faults
    assert (fault.message, fault.suggestion) == ("this finding is in the baseline twice", "Take one out.")
    assert (fault.pointer, fault.line, fault.column) == ("/findings/1/fingerprint", 13, 19)
    file.write_text(json.dumps({"baseline": 1, "findings": [one] * (MOST_FAULTS + 5)}), "utf-8")
    with pytest.raises(BaselineError) as error:
        read_baseline(file)
    assert len(error.value.faults) == MOST_FAULTS


def test_a_baseline_that_was_edited_is_told_with_its_places(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    ours = [one for one in BASELINE.findings if one.document == "WXC-2026-117"]
    edited = ours[-1].model_copy(update={"rule": "XX-1", "document": "another"})
    # One that fits nothing comes first, in the file and in the report: the others are looked at all the same.
    gone = ours[1].model_copy(update={"fingerprint": "0" * 32})
    rows = [one.model_dump() for one in (gone, edited)]
    file.write_text(json.dumps({"baseline": 1, "findings": rows}, indent=1), "utf-8")
    for baseline, name in ((read_baseline(file), str(file)), (Baseline((gone, edited)), None)):
        with pytest.raises(BaselineError) as error:
            apply(TENDER, baseline)
        assert [(one.message, one.pointer, one.suggestion) for one in error.value.faults] == [
            (
                f'the fingerprint is of "{written}", and the baseline says "{found}"',
                f"/findings/1/{field}",
                "A baseline is not edited by hand; create it anew.",
            )
            for field, written, found in (
                ("rule", ours[-1].rule, "XX-1"),
                ("document", "WXC-2026-117", "another"),
            )
        ]
        assert {one.file for one in error.value.faults} == {name}
        places = [(one.line, one.column) for one in error.value.faults]
        assert places == ([(12, 12), (11, 16)] if name else [(None, None)] * 2)


def test_no_day_is_told_with_the_document_and_what_to_do() -> None:
    undated = TENDER.model_copy(update={"as_of": None})
    with pytest.raises(BaselineError) as error:
        create([undated])
    (fault,) = error.value.faults
    assert fault.message == "on which day these findings were first seen is not known"
    assert (fault.file, fault.suggestion) == (TENDER.document.name, "Say it: --as-of YYYY-MM-DD.")


def test_the_file_keeps_letters_and_the_order_of_numbers() -> None:
    known = BASELINE.findings[0]
    some = [
        known.model_copy(update={"rule": rule, "document": document, "fingerprint": f"{at:032x}"})
        for at, (document, rule) in enumerate(
            [("é", "PP-10"), ("é", "PP-9"), ("é", "PP"), ("é", "AB-11"), ("é", "PP-0x"), ("a", "Z-1"), ("é", "PP-x")]
        )
    ]
    text = Baseline(tuple(some)).to_json()
    assert "é" in text
    written = [(one["document"], one["rule"]) for one in json.loads(text)["findings"]]
    assert written == [
        ("a", "Z-1"),
        ("é", "AB-11"),
        ("é", "PP"),
        ("é", "PP-0x"),
        ("é", "PP-x"),
        ("é", "PP-9"),
        ("é", "PP-10"),
    ]


def test_a_baseline_keeps_its_name(tmp_path: Path) -> None:
    named = Baseline(BASELINE.findings, "old.json")
    assert create([TENDER], DAY, named).name == "old.json"
    assert update(named, [TENDER]).baseline.name == "old.json"
    assert create([TENDER], DAY).name == Baseline(()).name == "baseline"
    marked = apply(TENDER, named).baseline
    assert marked is not None and marked.name == "old.json"


def test_a_document_without_an_id_is_called_by_its_file() -> None:
    for name in ("a/b\\c.json", "c.json", "C:\\a\\c.json"):
        assert document_of(TENDER.document.model_copy(update={"id": None, "name": name})) == "c.json"
    assert document_of(TENDER.document) == "WXC-2026-117"


def test_a_strength_is_no_finding() -> None:
    strengths = {one.id for report in REPORTS for one in report.patterns if one.severity == "positive"}
    concluded = tuple(
        one.model_copy(update={"outcome": "concluded"}) if one.severity == "positive" else one
        for one in TENDER.patterns
    )
    baseline = create([TENDER.model_copy(update={"patterns": concluded})])
    assert strengths
    assert not strengths & {one.rule for one in baseline.findings}


def test_what_a_rule_was_called_is_followed_and_the_rest_is_kept(tmp_path: Path) -> None:
    info = TENDER.result("PP-01").rule.model_copy(update={"id": "PP-77", "aliases": ("PP-01",)})
    results = tuple(one.model_copy(update={"rule": info}) if one.rule.id == "PP-01" else one for one in TENDER.results)
    renamed = TENDER.model_copy(update={"results": results})
    file = tmp_path / "baseline.json"
    file.write_text(BASELINE.to_json(), "utf-8")
    before = read_baseline(file)
    marked = apply(renamed, before)
    assert marked.result("PP-77").known_before
    assert marked.baseline is not None
    assert (marked.baseline.mended, marked.baseline.name) == (0, str(file))
    ratchet = update(before, [renamed])
    assert (ratchet.mended, ratchet.fresh) == ((), ())
    assert len(ratchet.baseline.findings) == len(BASELINE.findings)
    moved = {one.fingerprint: one for one in ratchet.baseline.findings}
    kept = {one.fingerprint: one for one in BASELINE.findings}
    assert {one.rule for mark, one in moved.items() if mark not in kept} == {"PP-77"}
    assert {one.rule for mark, one in kept.items() if mark not in moved} == {"PP-01"}
    # A file that was edited is told with its places under the new id as well.
    other = [one if one.rule != "PP-02" else one.model_copy(update={"rule": "PP-03"}) for one in BASELINE.findings]
    file.write_text(Baseline(tuple(other)).to_json(), "utf-8")
    with pytest.raises(BaselineError) as error:
        apply(renamed, read_baseline(file))
    assert {(one.file, one.line is None) for one in error.value.faults} == {(str(file), False)}
