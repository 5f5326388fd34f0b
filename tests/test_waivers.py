"""Waivers: what they waive still shows and does not count; it comes back; and what is wrong with them is said."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import audit, audit_case
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.exceptions import Fault, WaiverError
from goodcommission.report.model import AuditReport, Waiver
from goodcommission.report.rescoring import rescore
from goodcommission.report.schema import report_schema
from goodcommission.report.text import render
from goodcommission.waivers import Waivers, apply, apply_all, read_waivers

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)
TENDER = audit(EXAMPLES / "tender.json", as_of=DAY)
CONTRACT = audit(EXAMPLES / "contract.yaml", as_of=DAY)
PLAN = audit(EXAMPLES / "decommissioning-plan.yaml", as_of=DAY)
FAILING = [result.rule.id for result in TENDER.results if result.verdict == "fail"]

GOOD: dict[str, Any] = {
    "rule": "PP-01",
    "document": "tender.json",
    "reason": "The framework sets the papers.",
    "owner": "Head of procurement",
    "granted": "2026-11-01",
    "expires": "2027-11-01",
}


def waiver(**changed: Any) -> Waivers:
    """One waiver, with some fields changed or, by None, left out."""
    return waivers({**GOOD, **changed})


def waivers(*written: dict[str, Any]) -> Waivers:
    blank = {"document": None, "pointer": None, "note": None, "file": "waivers.yaml"}
    return Waivers(tuple(Waiver(**{**blank, **one, "line": 2 + index}) for index, one in enumerate(written)))


def said(*reports: AuditReport) -> list[tuple[str, str]]:
    return [(one.kind, one.message) for report in reports for one in report.waiver_findings]


# --- What it does ------------------------------------------------------------------------------------------------


def test_a_waived_failure_still_shows_and_does_not_count() -> None:
    report = apply(TENDER, waiver(), DAY)
    result = report.result("PP-01")
    assert (result.verdict, result.finding) == ("fail", TENDER.result("PP-01").finding)
    assert result.waived is not None
    assert (result.waived.owner, result.waived.reason) == (GOOD["owner"], GOOD["reason"])
    assert (result.stands, result.points) == (False, None)
    assert report.score == rescore(TENDER, {"PP-01": None}).score
    assert report.packs == rescore(TENDER, {"PP-01": None}).packs
    assert report.score_without_waivers == TENDER.score
    assert "PP-01" not in " ".join(report.score.caps)


def test_the_score_is_that_of_an_audit_in_which_the_rule_is_not_asked() -> None:
    report = apply(TENDER, waiver(rule="SU-03"), DAY)
    assert report.score.score is not None
    assert TENDER.score.score is not None
    assert report.score.score > TENDER.score.score
    others = {r.rule.id: r.points for r in report.results if r.verdict == "fail" and r.rule.id != "SU-03"}
    for rule, points in others.items():
        if TENDER.result(rule).rule.group is None:
            mended = rescore(report, {"SU-03": None, rule: "pass"}).score.score
            assert mended is not None
            assert points is not None
            assert abs(mended - report.score.score - points) < 0.11


@pytest.mark.parametrize(
    ("day", "holds"),
    [
        ("2026-10-31", False),
        ("2026-11-01", True),
        ("2026-11-02", True),
        ("2027-10-31", True),
        ("2027-11-01", False),
        ("2027-11-02", False),
    ],
)
def test_it_holds_from_the_day_it_is_granted_to_the_day_before_it_expires(day: str, holds: bool) -> None:
    report = apply(TENDER, waiver(), dt.date.fromisoformat(day))
    result = report.result("PP-01")
    assert (result.waived is not None, result.stands) == (holds, not holds)
    assert (report.score == TENDER.score) is not holds
    assert report.score_without_waivers == TENDER.score


def test_without_a_day_waivers_cannot_be_judged() -> None:
    with pytest.raises(WaiverError) as error:
        apply(TENDER, waiver(), None)
    why, advice = "on which day the waivers are judged is not known", "Say it: --as-of YYYY-MM-DD."
    assert error.value.faults == (Fault(why, suggestion=advice),)


@pytest.mark.parametrize(
    "document", ["tender.json", "*tender*", "WXC-2026-117", "WXC-2026-*", "*", TENDER.document.name]
)
def test_a_document_is_named_by_its_id_or_its_file(document: str) -> None:
    assert apply(TENDER, waiver(document=document), DAY).result("PP-01").waived


def test_names_differ_by_their_case_on_every_machine() -> None:
    assert not apply(TENDER, waiver(document="Tender.json"), DAY).result("PP-01").waived


def test_a_pointer_waives_what_rests_on_it() -> None:
    item = "/equality/specialist_routes/items/1"
    for pointer in (item, f"{item}/route", "/equality/specialist_routes", "/equality"):
        assert apply(TENDER, waiver(rule="EI-09", document=None, pointer=pointer), DAY).result("EI-09").waived
    for pointer in ("/equality/specialist_routes/items/0", f"{item}/rou", "/equal", "/process"):
        report = apply(TENDER, waiver(rule="EI-09", document=None, pointer=pointer), DAY)
        assert not report.result("EI-09").waived
        assert said(report) == [
            (
                "unused",
                f"EI-09 fails in {TENDER.document.name}, but not at {pointer} alone: it rests on {item}/route.",
            )
        ]


def test_a_waiver_of_one_item_does_not_outlive_it() -> None:
    raw = json.loads((EXAMPLES / "tender.json").read_text("utf-8"))
    routes = raw["equality"]["specialist_routes"]["items"]
    of_first = waiver(rule="EI-09", document=None, pointer="/equality/specialist_routes/items/0")
    for route in routes:
        route["route"] = "none"
    assert apply(audit(raw, as_of=DAY), of_first, DAY).result("EI-09").waived
    routes[0]["route"] = "lot"
    second = apply(audit(raw, as_of=DAY), of_first, DAY)
    assert second.result("EI-09").stands
    assert [kind for kind, _ in said(second)] == ["unused"]


def test_a_waiver_of_one_item_is_not_one_of_two() -> None:
    """A finding that rests on two items of a list is waived by a pointer to the list, not by one to an item."""
    fact = next(fact for fact in TENDER.facts if fact.name == "equality.specialist_routes[1].route")
    place = "/equality/specialist_routes/items/0"
    other = fact.model_copy(update={"name": "equality.specialist_routes[0].route", "pointer": f"{place}/route"})
    result = TENDER.result("EI-09").model_copy(update={"decided_by": (other.name, fact.name)})
    results = tuple(result if r.rule.id == "EI-09" else r for r in TENDER.results)
    report = TENDER.model_copy(update={"results": results, "facts": (*TENDER.facts, other)})
    assert apply(report, waiver(rule="EI-09", pointer=place), DAY).result("EI-09").stands
    assert apply(report, waiver(rule="EI-09", pointer="/equality/specialist_routes"), DAY).result("EI-09").waived


def test_a_combined_finding_can_be_waived_as_well() -> None:
    report = apply(TENDER, waiver(rule="X-01"), DAY)
    assert report.pattern("X-01").outcome == "concluded"
    assert report.pattern("X-01").waived
    assert not report.pattern("X-01").stands
    assert report.score == TENDER.score


def test_a_report_that_bore_waivers_is_judged_anew() -> None:
    first = apply(TENDER, waiver(), DAY)
    assert apply(first, waiver(), DAY) == first
    other = apply(first, waiver(rule="PP-11"), DAY)
    assert other == apply(TENDER, waiver(rule="PP-11"), DAY)
    none = apply(first, Waivers(()), DAY)
    assert (none.score, none.results, none.missing) == (TENDER.score, TENDER.results, TENDER.missing)


def test_the_report_goes_through_json_and_follows_the_schema() -> None:
    report = apply(TENDER, waivers(GOOD, {**GOOD, "rule": "SC-05", "expires": "2026-11-02"}), DAY)
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(report.to_json()))
    assert AuditReport.model_validate_json(report.to_json()).to_json() == report.to_json()


@settings(max_examples=40)
@given(st.sets(st.sampled_from(FAILING)))
def test_more_waivers_never_lower_the_score_and_change_no_verdict(rules: set[str]) -> None:
    report = apply(TENDER, waivers(*({**GOOD, "rule": rule} for rule in sorted(rules))), DAY)
    assert [r.verdict for r in report.results] == [r.verdict for r in TENDER.results]
    assert {r.rule.id for r in report.results if r.waived} == rules
    assert (report.score.score or 0) >= (TENDER.score.score or 0)
    assert report.score_without_waivers == TENDER.score


# --- What is wrong with waivers ----------------------------------------------------------------------------------


def test_one_that_is_needed_and_no_wider_is_not_mentioned() -> None:
    assert said(apply(TENDER, waiver(), DAY)) == []
    assert said(apply(TENDER, waiver(document="*"), DAY)) == []  # of one document, all documents are no more


def test_an_expired_one_says_that_the_finding_counts_again() -> None:
    report = apply(TENDER, waiver(expires="2026-11-20"), DAY)
    assert said(report) == [
        ("expired", "It expired on 20 November 2026, and PP-01 counts again: mend it, or have the waiver renewed.")
    ]
    finding = report.waiver_findings[0]
    assert (finding.concerns, finding.file, finding.line, finding.severity) == (("PP-01",), "waivers.yaml", 2, "medium")


def test_an_expired_one_that_is_not_needed_is_to_be_taken_out() -> None:
    report = apply(TENDER, waiver(rule="SC-02", expires="2026-11-20"), DAY)
    assert said(report) == [("expired", "It expired on 20 November 2026 and is not needed: take it out.")]
    assert report.waiver_findings[0].concerns == ()


def test_one_that_is_not_yet_granted_says_so() -> None:
    report = apply(TENDER, waiver(granted="2026-11-21"), DAY)
    assert said(report) == [("not_yet", "It is granted on 21 November 2026 only; until then PP-01 counts.")]


def test_one_that_expires_before_it_is_granted_contradicts_itself() -> None:
    for expires in ("2026-11-01", "2026-10-01"):
        report = apply(TENDER, waiver(expires=expires), DAY)
        assert not report.result("PP-01").waived
        day = "1 November 2026" if expires == "2026-11-01" else "1 October 2026"
        never = f"It expires on {day} and is granted on 1 November 2026: it never holds."
        assert said(report) == [("contradictory", never)]


def test_two_of_one_thing_contradict_each_other() -> None:
    report = apply(TENDER, waivers(GOOD, {**GOOD, "document": "*"}), DAY)
    assert said(report) == [
        ("contradictory", f"It waives PP-01 in {TENDER.document.name}, as does the one in line 2: keep one.")
    ]
    waived = report.result("PP-01").waived
    assert waived is not None
    assert waived.line == 2


def test_a_renewal_beside_what_expired_is_no_contradiction() -> None:
    report = apply(TENDER, waivers({**GOOD, "expires": "2026-11-20"}, {**GOOD, "granted": "2026-11-20"}), DAY)
    assert report.result("PP-01").waived
    assert [kind for kind, _ in said(report)] == ["expired"]


def test_one_of_a_rule_that_is_met_contradicts_itself() -> None:
    met = next(r.rule.id for r in TENDER.results if r.verdict == "pass")
    assert said(apply(TENDER, waiver(rule=met), DAY)) == [
        ("contradictory", f"{met} is met in {TENDER.document.name}: there is nothing to waive. Take it out.")
    ]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("unknown", "cannot be judged"), ("not_applicable", "does not apply"), ("not_yet_due", "is not yet due")],
)
def test_one_of_a_rule_that_does_not_fail_is_unused(verdict: str, words: str) -> None:
    rule = next(r.rule.id for r in TENDER.results if r.verdict == verdict)
    report = apply(TENDER, waiver(rule=rule), DAY)
    assert said(report) == [("unused", f"{rule} {words} in {TENDER.document.name}: take it out.")]


def test_one_of_a_document_that_is_not_there_is_unused() -> None:
    report = apply(TENDER, waiver(document="tedner.json"), DAY)
    assert not report.result("PP-01").waived
    assert said(report) == [
        (
            "unused",
            "No document that was audited is called “tedner.json”: take it out, if that holds of all that you audit.",
        )
    ]


def test_one_of_a_whole_document_where_a_pointer_would_do_is_too_wide() -> None:
    report = apply(TENDER, waiver(rule="EI-09"), DAY)
    assert report.result("EI-09").waived
    assert [kind for kind, _ in said(report)] == ["too_wide"]
    pointer = said(report)[0][1].rpartition("add pointer: ")[2]
    narrower = apply(TENDER, waiver(rule="EI-09", pointer=pointer), DAY)
    assert narrower.result("EI-09").waived
    assert said(narrower) == []


def test_one_of_all_documents_is_too_wide_where_only_one_fails() -> None:
    reports = apply_all((TENDER, CONTRACT, PLAN), waiver(document="*"), DAY)
    assert said(*reports) == [
        ("too_wide", f"It holds for 3 documents, and PP-01 fails only in {TENDER.document.name}: name it.")
    ]
    assert reports[0].waiver_findings
    assert said(*apply_all((TENDER, CONTRACT, PLAN), waiver(), DAY)) == []


def test_one_that_several_documents_need_is_not_too_wide() -> None:
    pointer = "/users"
    wide = waiver(rule="SU-03", document="*", pointer=pointer)
    reports = apply_all((TENDER, PLAN), wide, DAY)
    assert all(report.result("SU-03").waived for report in reports)
    assert said(*reports) == []


def test_what_concerns_no_report_stands_once() -> None:
    reports = apply_all((TENDER, CONTRACT), waiver(document="gone.json"), DAY)
    assert [len(report.waiver_findings) for report in reports] == [1, 0]


def test_a_rule_whose_pack_was_not_used_is_left_alone() -> None:
    report = audit(EXAMPLES / "tender.json", ["subcontracting"], as_of=DAY)
    assert said(apply(report, waiver(), DAY)) == []


def test_an_unknown_rule_is_an_error_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(yaml.safe_dump({"waivers": [GOOD, {**GOOD, "rule": "pp-03"}]}, sort_keys=False), "utf-8")
    with pytest.raises(WaiverError) as error:
        apply(TENDER, read_waivers(file), DAY)
    (fault,) = error.value.faults
    assert (fault.message, fault.suggestion) == ('there is no rule "pp-03"', "Did you mean PP-03?")
    assert (fault.file, fault.pointer, fault.line, fault.column) == (str(file), "/waivers/1/rule", 8, 9)


def test_a_rule_that_may_never_fail_cannot_be_waived() -> None:
    with pytest.raises(WaiverError, match=r"waivers.yaml:2: PP-01 may never fail here, so it can't be waived"):
        apply(TENDER, waiver(), DAY, never=("PP-01",))
    apply(TENDER, waiver(), DAY, never=("PP-02",))


def test_a_combined_finding_has_no_place() -> None:
    with pytest.raises(WaiverError, match="X-01 is a combined finding, which rests on no one place"):
        apply(TENDER, waiver(rule="X-01", pointer="/process"), DAY)


# --- The file ----------------------------------------------------------------------------------------------------


def read(tmp_path: Path, text: str, name: str = "waivers.yaml", **options: Any) -> Waivers:
    (tmp_path / name).write_text(text, "utf-8")
    return read_waivers(tmp_path / name, **options)


def test_a_file_may_be_yaml_or_json(tmp_path: Path) -> None:
    written = {"waivers": [GOOD, {**GOOD, "rule": "EI-09", "pointer": "/equality", "note": "Grant 17"}]}
    one = read(tmp_path, yaml.safe_dump(written, sort_keys=False))
    two = read(tmp_path, json.dumps(written, indent=2), "waivers.json")
    assert [w.rule for w in one.items] == ["PP-01", "EI-09"]
    assert [w.line for w in one.items] == [2, 8]
    assert [w.line for w in two.items] == [3, 11]
    bare = {"file", "line"}
    assert [w.model_dump(exclude=bare) for w in one.items] == [w.model_dump(exclude=bare) for w in two.items]


def test_a_file_may_hold_none(tmp_path: Path) -> None:
    assert read(tmp_path, "waivers: []").items == ()


@pytest.mark.parametrize(
    ("changed", "place", "message"),
    [
        ({"owenr": "me"}, (8, 3), 'there is no field "owenr" here (at /waivers/0/owenr). Did you mean owner?'),
        (
            {"colour": "red"},
            (8, 3),
            'there is no field "colour" here (at /waivers/0/colour). There are rule, document,',
        ),
        ({"reason": None}, (4, 11), "a text is expected here"),
        ({"reason": "  "}, (4, 11), "a text is expected here"),
        ({"rule": 12}, (2, 9), "a text is expected here"),
        ({"expires": "31/03/2027"}, (7, 12), "this is no day; it is written as year-month-day, such as 2027-03-31"),
        ({"expires": "2027-02-29"}, (7, 12), "this is no day"),
        ({"granted": "20261101"}, (6, 12), "this is no day"),
        ({"pointer": "equality"}, (8, 12), "this is no JSON pointer to a place"),
        ({"pointer": ""}, (8, 12), "this is no JSON pointer to a place"),
        ({"expires": "2027-11-02"}, (7, 12), "this waiver lasts 366 days, and at most 365 are allowed"),
    ],
)
def test_a_fault_has_its_line_and_column(
    tmp_path: Path, changed: dict[str, Any], place: tuple[int, int], message: str
) -> None:
    with pytest.raises(WaiverError) as error:
        read(tmp_path, yaml.safe_dump({"waivers": [{**GOOD, **changed}]}, sort_keys=False))
    (fault,) = error.value.faults
    assert (fault.line, fault.column) == place
    assert message in str(fault)


@pytest.mark.parametrize("field", ["rule", "reason", "owner", "granted", "expires", "document"])
def test_a_field_that_is_missing_is_named(tmp_path: Path, field: str) -> None:
    without = {name: value for name, value in GOOD.items() if name != field}
    with pytest.raises(WaiverError) as error:
        read(tmp_path, yaml.safe_dump({"waivers": [without]}, sort_keys=False))
    (fault,) = error.value.faults
    assert (fault.line, fault.column) == (2, 3)
    assert fault.message == (
        "this waiver does not say where it holds" if field == "document" else f'the field "{field}" is missing'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rule: PP-01", "a file of waivers is a mapping with a list under `waivers:`"),
        ("waiver: []", "Did you mean waivers?"),
        ("waivers: PP-01", "a list of waivers is expected here"),
        ("waivers: [PP-01]", "a waiver is a set of fields: rule, document or pointer"),
        ("waivers: [}", "waivers.yaml:1:11"),
    ],
)
def test_what_is_no_file_of_waivers_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WaiverError) as error:
        read(tmp_path, text)
    assert message in str(error.value)


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    bad = {**GOOD, "owner": None, "expires": "soon"}
    with pytest.raises(WaiverError) as error:
        read(tmp_path, yaml.safe_dump({"waivers": [bad, {**GOOD, "rule": None}]}, sort_keys=False))
    assert [fault.line for fault in error.value.faults] == [5, 7, 8]


def test_how_long_a_waiver_may_last_can_be_set(tmp_path: Path) -> None:
    text = yaml.safe_dump({"waivers": [{**GOOD, "expires": "2026-12-01"}]})
    assert read(tmp_path, text, most_days=30).items
    with pytest.raises(WaiverError, match=r"lasts 30 days, and at most 29 are allowed.*on 2026-11-30 or before"):
        read(tmp_path, text, most_days=29)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a", [("a file of waivers is a mapping with a list under `waivers:`", 1, 1, "", None)]),
        (
            "waiver: []",
            [
                ('the field "waivers" is missing', 1, 1, "", None),
                ('there is no field "waiver" here', 1, 1, "/waiver", "Did you mean waivers?"),
            ],
        ),
        ("waivers: []\nnote: x", [('there is no field "note" here', 2, 1, "/note", "There are waivers.")]),
        ("waivers: PP-01", [("a list of waivers is expected here", 1, 10, "/waivers", None)]),
        (
            "waivers: [PP-01]",
            [
                (
                    "a waiver is a set of fields: rule, document or pointer, reason, owner, granted, expires",
                    1,
                    11,
                    "/waivers/0",
                    None,
                )
            ],
        ),
        (
            "waivers: [{rule: A, document: d, reason: r, owner: o, granted: 2026-01-01, expires: 2026-02-01, hue: 1}]",
            [
                (
                    'there is no field "hue" here',
                    1,
                    97,
                    "/waivers/0/hue",
                    "There are rule, document, pointer, reason, owner, granted, expires, note.",
                )
            ],
        ),
        (
            "waivers: [{rule: A, reason: r, owner: o, granted: 2026-11-01, expires: 2029-11-02}]",
            [
                (
                    "this waiver does not say where it holds",
                    1,
                    11,
                    "/waivers/0",
                    'Add document: (an id or a file name; "*" is every document), pointer:, or both.',
                ),
                (
                    "this waiver lasts 1097 days, and at most 365 are allowed",
                    1,
                    72,
                    "/waivers/0/expires",
                    "Let it expire on 2027-11-01 or before.",
                ),
            ],
        ),
        (
            "waivers: [{rule: 1, document: d, pointer: x, reason: '', owner: o, granted: soon, expires: 9999-12-31}]",
            [
                ("a text is expected here", 1, 18, "/waivers/0/rule", None),
                (
                    "this is no JSON pointer to a place; it is written like /requirements/insurance/0",
                    1,
                    43,
                    "/waivers/0/pointer",
                    None,
                ),
                ("a text is expected here", 1, 54, "/waivers/0/reason", None),
                (
                    "this is no day; it is written as year-month-day, such as 2027-03-31",
                    1,
                    77,
                    "/waivers/0/granted",
                    None,
                ),
            ],
        ),
    ],
)
def test_each_fault_is_told_in_full(tmp_path: Path, text: str, expected: list[tuple[Any, ...]]) -> None:
    with pytest.raises(WaiverError) as error:
        read(tmp_path, text)
    told = [(one.message, one.line, one.column, one.pointer, one.suggestion) for one in error.value.faults]
    assert told == expected
    assert {one.file for one in error.value.faults} == {str(tmp_path / "waivers.yaml")}


def test_a_rule_and_an_owner_may_have_one_letter(tmp_path: Path) -> None:
    (one,) = read(tmp_path, yaml.safe_dump({"waivers": [{**GOOD, "rule": "A", "owner": " J "}]})).items
    assert (one.rule, one.owner) == ("A", "J")
    assert (one.document, one.pointer, one.note) == ("tender.json", None, None)


def test_a_last_day_beyond_the_calendar_is_no_danger(tmp_path: Path) -> None:
    text = yaml.safe_dump({"waivers": [{**GOOD, "granted": "0001-01-01", "expires": "9999-12-31"}]})
    with pytest.raises(WaiverError) as error:
        read(tmp_path, text, most_days=3_652_000)
    assert error.value.faults[0].suggestion == "Let it expire on 9999-11-03 or before."


def test_what_can_not_be_waived_is_told_with_advice() -> None:
    for changed, never, told in (
        ({}, ("PP-01",), ("/waivers/0/rule", "Take the waiver out, or the rule from the gate.")),
        (
            {"rule": "X-01", "pointer": "/process"},
            (),
            ("/waivers/0/pointer", "Take the pointer out, and name the document."),
        ),
        ({"rule": "ZZZZZZZZ"}, (), ("/waivers/0/rule", None)),
    ):
        with pytest.raises(WaiverError) as error:
            apply(TENDER, waiver(**changed), DAY, never=never)
        (fault,) = error.value.faults
        assert (fault.pointer, fault.suggestion) == told
        assert (fault.file, fault.line, fault.column) == ("waivers.yaml", 2, None)


def test_a_gate_may_name_a_rule_by_an_id_that_it_had_before() -> None:
    info = TENDER.result("PP-01").rule.model_copy(update={"aliases": ("OLD-7",)})
    results = tuple(one.model_copy(update={"rule": info}) if one.rule.id == "PP-01" else one for one in TENDER.results)
    renamed = TENDER.model_copy(update={"results": results})
    assert apply(renamed, waiver(rule="OLD-7"), DAY).result("PP-01").waived is not None
    with pytest.raises(WaiverError, match="PP-01 may never fail here"):
        apply(renamed, waiver(rule="PP-01"), DAY, never=("OLD-7",))


def test_what_is_wrong_with_waivers_has_its_weight() -> None:
    met = next(r.rule.id for r in TENDER.results if r.verdict == "pass")
    unknown = next(r.rule.id for r in TENDER.results if r.verdict == "unknown")
    for changed, kind, severity in (
        ({"expires": "2026-11-20"}, "expired", "medium"),
        ({"rule": met, "expires": "2026-11-20"}, "expired", "low"),
        ({"rule": met}, "contradictory", "medium"),
        ({"rule": unknown}, "unused", "low"),
        ({"rule": "EI-09"}, "too_wide", "low"),
        ({"granted": "2026-11-21"}, "not_yet", "low"),
    ):
        (found,) = apply(TENDER, waiver(**changed), DAY).waiver_findings
        assert (found.kind, found.severity) == (kind, severity)
        assert (found.file, found.line) == ("waivers.yaml", 2)


def test_what_is_missing_is_told_anew_without_what_is_waived() -> None:
    report = apply(TENDER, waivers(*({**GOOD, "rule": rule} for rule in FAILING)), DAY)
    without = rescore(TENDER, dict.fromkeys(FAILING))
    assert {one.name: one.narrows for one in report.missing} == {
        one.name: without.narrowing.get(one.name, 0.0) for one in TENDER.missing
    }
    worth = [(-one.narrows, one.name) for one in report.missing]
    assert worth == sorted(worth)
    assert worth != [(-one.narrows, one.name) for one in TENDER.missing]
    assert any(one.narrows for one in report.missing)
    assert report.packs == without.packs != TENDER.packs


def test_a_name_may_hold_folders_of_another_system() -> None:
    document = TENDER.document.model_copy(update={"name": "C:\\tenders\\2026\\tender.json", "id": None})
    elsewhere = TENDER.model_copy(update={"document": document})
    for name, holds in (("tender.json", True), ("C:/tenders/*/tender.json", True), ("2026", False), ("None", False)):
        assert (apply(elsewhere, waiver(document=name), DAY).result("PP-01").waived is not None) is holds, name


def test_what_is_said_of_several_documents_counts_them() -> None:
    both = (TENDER, PLAN)
    verdicts = {one.result(rule).verdict for one in both for rule in ("PP-01",)}
    assert verdicts == {"fail", "not_applicable"}
    met = next(one.rule.id for one in TENDER.results if one.verdict == PLAN.result(one.rule.id).verdict == "pass")
    assert said(*apply_all(both, waiver(rule=met, document="*"), DAY)) == [
        ("contradictory", f"{met} is met in 2 documents: there is nothing to waive. Take it out.")
    ]
    open_ = next(
        one.rule.id
        for one in TENDER.results
        if {one.verdict, PLAN.result(one.rule.id).verdict} == {"unknown", "not_applicable"}
    )
    assert said(*apply_all(both, waiver(rule=open_, document="*"), DAY)) == [
        ("unused", f"{open_} cannot be judged or does not apply in 2 documents: take it out.")
    ]


def test_what_is_said_of_a_combined_finding_that_is_not_there() -> None:
    absent = next(one.id for one in TENDER.patterns if one.outcome == "excluded" and one.severity != "positive")
    strength = next(one.id for one in TENDER.patterns if one.severity == "positive")
    for id in (absent, strength):
        assert said(apply(TENDER, waiver(rule=id), DAY)) == [
            ("unused", f"{id} is not concluded in {TENDER.document.name}: take it out.")
        ]
    found = tuple(
        one.model_copy(update={"outcome": "concluded"}) if one.id == strength else one for one in TENDER.patterns
    )
    report = apply(TENDER.model_copy(update={"patterns": found}), waiver(rule=strength), DAY)
    assert report.pattern(strength).waived is None
    assert said(report) == [("unused", f"{strength} is a strength in {TENDER.document.name}: take it out.")]


def test_a_rule_of_a_pack_of_ones_own_can_be_waived() -> None:
    def renamed(result: Any) -> Any:
        info = result.rule.model_copy(update={"id": "OWN-1"})
        return result.model_copy(update={"rule": info}) if result.rule.id == "PP-01" else result

    own = TENDER.model_copy(update={"results": tuple(map(renamed, TENDER.results))})
    assert apply(own, waiver(rule="OWN-1"), DAY).result("OWN-1").waived
    with pytest.raises(WaiverError) as error:
        apply(own, waiver(rule="own-1"), DAY)
    assert [fault.suggestion for fault in error.value.faults] == ["Did you mean OWN-1?"]


def test_where_a_finding_rests_is_said_where_a_pointer_does_not_cover_it() -> None:
    rule = next(
        one.rule.id
        for one in TENDER.results
        if one.verdict == "fail" and len({name for name in one.decided_by if name not in ("kind", "stage")}) > 1
    )
    facts = {fact.name: fact.pointer for fact in TENDER.facts}
    places = [fact.pointer for fact in TENDER.facts if fact.name in TENDER.result(rule).decided_by]
    assert len(places) == len(set(facts) & set(TENDER.result(rule).decided_by))
    report = apply(TENDER, waiver(rule=rule, pointer="/nowhere"), DAY)
    assert said(report) == [
        (
            "unused",
            f"{rule} fails in {TENDER.document.name}, but not at /nowhere alone: it rests on {' and '.join(places)}.",
        )
    ]


def test_the_second_of_two_without_lines_is_told_as_well() -> None:
    two = waivers(GOOD, GOOD)
    bare = Waivers(tuple(one.model_copy(update={"line": None}) for one in two.items))
    assert said(apply(TENDER, bare, DAY)) == [
        ("contradictory", f"It waives PP-01 in {TENDER.document.name}, as does one before it: keep one.")
    ]


def test_in_a_case_a_waiver_is_for_the_case_or_for_each_document_that_shows_the_finding() -> None:
    failing = {"users": {"phases": {"procurement": {"involved": False}}}, "stage": "published"}
    value = {"value": {"total": {"amount": 6000000, "currency": "GBP"}}}
    one = {"kind": "tender", "id": "T-1", "case": "C", **failing, **value}
    other = {**one, "id": "T-2"}
    met = {**one, "id": "T-3", "users": {"phases": {"procurement": {"involved": True, "first_date": "2026-01-01"}}}}
    for documents, name, holds in (
        ((one, other), "C", True),
        ((one, other), "T-*", True),
        ((one, other), "T-1", False),
        ((one, met), "T-1", True),
        ((one, met), "T-3", False),
    ):
        report = audit_case(list(documents), as_of=DAY)
        rule = next(
            r.rule.id
            for r in report.results
            if r.verdict == "fail" and r.documents and "users" in " ".join(r.decided_by)
        )
        assert (apply(report, waiver(rule=rule, document=name), DAY).result(rule).waived is not None) is holds, name
    # A combined finding is the case's: a waiver of it is for all documents.
    combined = next(one for one in report.patterns if one.outcome != "concluded")
    found = combined.model_copy(update={"outcome": "concluded", "severity": "high"})
    patterns = tuple(found if one.id == combined.id else one for one in report.patterns)
    report = report.model_copy(update={"patterns": patterns})
    for name, holds in (("C", True), ("T-*", True), ("T-1", False)):
        waived = apply(report, waiver(rule=combined.id, document=name), DAY).pattern(combined.id).waived
        assert (waived is not None) is holds, name


def resting_on(*facts: tuple[str, str]) -> AuditReport:
    """The report of the tender, in which EI-09 rests on these facts alone, each a name and a pointer."""
    kind = next(fact for fact in TENDER.facts if fact.name == "kind")
    stated = tuple(kind.model_copy(update={"name": name, "pointer": pointer}) for name, pointer in facts)
    result = TENDER.result("EI-09").model_copy(update={"decided_by": tuple(name for name, _ in facts)})
    results = tuple(result if one.rule.id == "EI-09" else one for one in TENDER.results)
    return TENDER.model_copy(update={"results": results, "facts": stated})


ROUTES = "/equality/specialist_routes/items"
GENERAL = [(name, f"/{name}") for name in ("kind", "stage", "as_of")]
ROUTE = [(f"equality.specialist_routes[{n}].route", f"{ROUTES}/{n}/route") for n in range(3)]
GROUP = [(f"equality.groups[{n}].group", f"/equality/groups/{n}/group") for n in range(3)]


@pytest.mark.parametrize(
    ("facts", "pointer", "rests"),
    [
        ([*GENERAL, ROUTE[1]], f"{ROUTES}/1", None),
        ([*GENERAL, ROUTE[1]], "/kind", f"{ROUTES}/1/route"),
        ([*GENERAL, ROUTE[1]], "/stage", f"{ROUTES}/1/route"),
        ([*GENERAL, ROUTE[1]], "/as_of", f"{ROUTES}/1/route"),
        (GENERAL, "/stage", None),
        (GENERAL, "/as_of", None),
        (GENERAL, "/nowhere", "/kind and /stage and /as_of"),
        ([], "/nowhere", ""),
        (ROUTE[:2], f"{ROUTES}/0", f"{ROUTES}/0/route and {ROUTES}/1/route"),
        ([ROUTE[0], GROUP[1]], f"{ROUTES}/0", None),
        ([ROUTE[0], *GROUP[:2]], f"{ROUTES}/0", None),
        (
            [ROUTE[0], *GROUP[:2]],
            "/equality/groups/1",
            f"{ROUTES}/0/route and {' and '.join(one for _, one in GROUP[:2])}",
        ),
        ([ROUTE[0], ("value.total", "/value/total")], f"{ROUTES}/0", None),
    ],
)
def test_a_place_is_that_of_a_finding_where_no_other_item_of_its_list_is(
    facts: list[tuple[str, str]], pointer: str, rests: str | None
) -> None:
    report = apply(resting_on(*facts), waiver(rule="EI-09", pointer=pointer), DAY)
    assert (report.result("EI-09").waived is not None) is (rests is None)
    why = f"it rests on {rests}" if rests else "it rests on no one place"
    expected = f"EI-09 fails in {TENDER.document.name}, but not at {pointer} alone: {why}."
    assert said(report) == ([] if rests is None else [("unused", expected)])


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ([ROUTE[1]], f"{ROUTES}/1/route"),
        ([*GENERAL, ROUTE[1]], f"{ROUTES}/1/route"),
        ([ROUTE[1], ("equality.specialist_routes[1]", f"{ROUTES}/1")], f"{ROUTES}/1"),
        ([ROUTE[1], ("equality.specialist_routes[1].group", f"{ROUTES}/1/group")], f"{ROUTES}/1"),
        (ROUTE[:2], None),
        ([ROUTE[1], GROUP[1]], None),
        ([("process.route", "/process/route"), ("process.framework", "/process/framework")], None),
        ([], None),
    ],
)
def test_the_one_place_of_a_finding_is_told(facts: list[tuple[str, str]], place: str | None) -> None:
    report = apply(resting_on(*facts), waiver(rule="EI-09"), DAY)
    assert report.result("EI-09").waived
    assert [message.rpartition("add pointer: ")[2] for _, message in said(report)] == ([place] if place else [])


def test_what_is_wrong_stands_in_the_report_that_it_concerns() -> None:
    met = next(one.rule.id for one in PLAN.results if one.verdict == "pass")
    for changed, kind in (({}, "contradictory"), ({"expires": "2026-11-02"}, "expired")):
        reports = apply_all((TENDER, PLAN), waiver(rule=met, document=PLAN.document.name, **changed), DAY)
        assert [[one.kind for one in report.waiver_findings] for report in reports] == [[], [kind]]
    assert (
        PLAN.document.name
        in said(apply_all((TENDER, PLAN), waiver(rule=met, document=PLAN.document.name), DAY)[1])[0][1]
    )
    # PP-01 fails in the tender alone.
    for order, places in (((PLAN, TENDER), [0, 1]), ((TENDER, PLAN), [1, 0])):
        reports = apply_all(order, waiver(document="*", granted="2026-11-21"), DAY)
        assert [len(report.waiver_findings) for report in reports] == places


def test_one_of_two_documents_is_too_wide_where_only_one_fails_and_is_told_once() -> None:
    both = waivers({**GOOD, "document": "*"}, {**GOOD, "document": "*"})
    assert said(*apply_all((TENDER, CONTRACT), both, DAY)) == [
        ("too_wide", f"It holds for 2 documents, and PP-01 fails only in {TENDER.document.name}: name it."),
        ("contradictory", f"It waives PP-01 in {TENDER.document.name}, as does the one in line 2: keep one."),
    ]


def test_the_nearest_rule_is_told_of_packs_that_were_not_used_as_well() -> None:
    report = audit(EXAMPLES / "tender.json", ["subcontracting"], as_of=DAY)
    for written, near in (
        ("pp-03", "Did you mean PP-03?"),
        ("x-01", "Did you mean X-01?"),
        ("sc-05", "Did you mean SC-05?"),
    ):
        with pytest.raises(WaiverError) as error:
            apply(report, waiver(rule=written), DAY)
        assert [fault.suggestion for fault in error.value.faults] == [near]


def test_a_file_of_faults_tells_no_more_than_can_be_read(tmp_path: Path) -> None:
    long = {**GOOD, "expires": "2029-01-01"}
    with pytest.raises(WaiverError) as error:
        read(tmp_path, json.dumps({"waivers": [long] * (MOST_FAULTS + 5)}), "waivers.json")
    assert len(error.value.faults) == MOST_FAULTS
    with pytest.raises(WaiverError) as error:
        apply(TENDER, waivers(*[{**GOOD, "rule": "ZZZZ"}] * (MOST_FAULTS + 5)), DAY)
    assert len(error.value.faults) == MOST_FAULTS


# --- The text ----------------------------------------------------------------------------------------------------


def test_the_text_shows_what_is_waived_by_whom_until_when_and_the_score_without() -> None:
    text = render(apply(TENDER, waiver(note="Asked of everybody"), DAY))
    flat = " ".join(text.split())
    score = TENDER.score
    figures = f"{score.score:.0f} of 100 (could be {score.low:.0f} to {score.high:.0f})"
    assert f"Waived 1 finding; without the waiver: {figures}, grade between E and C" in flat
    section = flat[flat.index("Waived: 1 finding") :]
    assert "PP-01 Bidders must work through 92 pages" in section
    assert "Because The framework sets the papers." in section
    assert "Owner Head of procurement, until it expires on 1 November 2027 (waivers.yaml:2)" in section
    assert "Note Asked of everybody" in section
    assert text.count("\nPP-01 ") == 1
    assert "(PP-01, waived)" in flat


def test_the_text_shows_waivers_to_look_at() -> None:
    flat = " ".join(render(apply(TENDER, waiver(expires="2026-11-20"), DAY)).split())
    assert "PP-01 It expired on 20 November 2026, and PP-01 counts again" in flat
    assert "(waivers.yaml:2)" in flat
    assert "Waived:" not in flat


def test_nothing_is_said_of_waivers_where_there_are_none() -> None:
    assert "aive" not in render(TENDER)
