"""Several documents audited together: what is split comes out as it was whole, and what contradicts is said."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import full, thinned
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import DescriptionError, audit, audit_case, load_packs, read_description
from goodcommission.cli import main
from goodcommission.description.case import CHANGING, NAMING, OF_ITS_TIME, case_schema
from goodcommission.description.facts import dictionary
from goodcommission.report.formats import FORMATS, render
from goodcommission.report.model import AuditReport
from goodcommission.report.schema import report_schema
from goodcommission.verifying import verify
from goodcommission.waivers import apply_all, read_waivers

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
WHOLE: dict[str, dict[str, Any]] = {
    "tender": json.loads((EXAMPLES / "tender.json").read_text("utf-8")),
    "contract": yaml.safe_load((EXAMPLES / "contract.yaml").read_text("utf-8")),
    "plan": yaml.safe_load((EXAMPLES / "decommissioning-plan.yaml").read_text("utf-8")),
    "programme": yaml.safe_load((EXAMPLES / "grant-programme.yaml").read_text("utf-8")),
}
PACKS = load_packs()
DAY = dt.date(2026, 11, 21)
TENDER: dict[str, Any] = {"kind": "tender", "id": "T-1", "stage": "published"}
CONTRACT: dict[str, Any] = {"kind": "contract", "id": "C-1", "stage": "live"}


def gbp(amount: float) -> dict[str, Any]:
    return {"amount": amount, "currency": "GBP"}


def case(*documents: Any, **options: Any) -> AuditReport:
    return audit_case([*documents], PACKS, as_of=options.pop("as_of", DAY), **options)


def said(report: AuditReport) -> dict[str, Any]:
    """All that an audit finds, without where."""
    return {
        "score": report.score,
        "packs": report.packs,
        "tier": report.tier,
        "regime": report.regime,
        "day": report.as_of,
        "results": [
            (
                r.rule.id,
                r.verdict,
                r.provisional,
                r.claimed,
                r.evidenced,
                r.severity,
                r.finding,
                r.remedy,
                r.points,
                r.reason,
            )
            for r in report.results
        ],
        "facts": [(r.rule.id, r.decided_by, sorted(r.missing)) for r in report.results],
        "stated": [(fact.name, fact.value, fact.evidence) for fact in report.facts],
        "required": report.require_evidence,
        "patterns": [(one.id, one.outcome, one.severity, one.because, one.undecided) for one in report.patterns],
        "missing": [(fact.name, fact.reason, fact.question, fact.narrows) for fact in report.missing],
    }


# --- A description in parts is the description whole ------------------------------------------------------------


def leaves(value: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and not value.keys() & {"complete", "amount"}:
        return [leaf for name, part in value.items() for leaf in leaves(part, (*path, name))]
    return [(path, value)]


def there(document: Any, pointer: str) -> bool:
    for name in pointer.strip("/").split("/"):
        if isinstance(document, list):
            return True
        if not isinstance(document, Mapping) or name not in document:
            return False
        document = document[name]
    return True


@st.composite
def split(draw: st.DrawFn, whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A description in up to four parts of its kind, cut between sections or right through them."""
    size = draw(st.integers(2, 4))
    number = st.integers(0, size - 1)
    depth = draw(st.integers(1, 4))
    parts: list[dict[str, Any]] = [{"kind": whole["kind"]} for _ in range(size)]
    owners: dict[tuple[str, ...], int] = {}
    for path, value in leaves({name: part for name, part in whole.items() if name not in ("kind", "evidence")}):
        cut = path[:depth]
        if cut not in owners:
            owners[cut] = draw(number)
        section = parts[owners[cut]]
        for name in path[:-1]:
            section = section.setdefault(name, {})
        section[path[-1]] = value
    for part in parts:
        part["evidence"] = [item for item in whole.get("evidence", []) if there(part, item["pointer"])]
    kept = [part for part in parts if len(part) > 2 or part["evidence"]]
    return draw(st.permutations(kept))


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize(("day", "evidence"), [(DAY, False), (None, False), (DAY, True)])
@given(data=st.data())
@settings(max_examples=9, deadline=None)
def test_splitting_changes_nothing(name: str, day: dt.date | None, evidence: bool, data: st.DataObject) -> None:
    whole = WHOLE[name]
    parts = data.draw(split(whole))
    report = case(*parts, as_of=day, require_evidence=evidence)
    assert said(report) == said(audit(whole, PACKS, as_of=day, require_evidence=evidence))
    assert report.case is not None
    assert report.case.contradictions == ()


@given(data=st.data(), seed=st.integers(0, 2**32 - 1), share=st.sampled_from((0.3, 0.7)))
@settings(max_examples=12, deadline=None)
def test_splitting_what_is_drawn_changes_nothing(data: st.DataObject, seed: int, share: float) -> None:
    whole = thinned(full(seed), random.Random(seed), share)
    parts = data.draw(split(whole))
    report = case(*parts)
    assert said(report) == said(audit(whole, PACKS, as_of=DAY))
    assert report.case is not None
    assert report.case.contradictions == ()


@pytest.mark.parametrize("name", WHOLE)
def test_a_case_of_one_document_says_what_its_audit_says(name: str) -> None:
    assert said(case(WHOLE[name])) == said(audit(WHOLE[name], PACKS, as_of=DAY))


def test_splitting_changes_nothing_with_a_profile() -> None:
    profile = {"commissioner": {"scaled_procedures": False, "joint_team": True, "staff_time_for_users": True}}
    whole = WHOLE["tender"]
    first = {name: part for name, part in whole.items() if name in ("kind", "commissioner", "stage", "value")}
    rest = {name: part for name, part in whole.items() if name not in ("commissioner", "stage", "value", "evidence")}
    report = case(first, rest, commissioner=profile)
    alone = {name: part for name, part in whole.items() if name != "evidence"}
    assert said(report) == said(audit(alone, PACKS, commissioner=profile, as_of=DAY))


# --- Order ------------------------------------------------------------------------------------------------------


@given(order=st.permutations(["tender.json", "contract.yaml", "decommissioning-plan.yaml"]))
@settings(max_examples=6, deadline=None)
def test_the_order_of_documents_does_not_matter(order: list[str]) -> None:
    documents = [read_description(EXAMPLES / name) for name in sorted(order)]
    again = [read_description(EXAMPLES / name) for name in order]
    assert case(*again).to_json() == case(*documents).to_json()


# --- What one document says, another knows ----------------------------------------------------------------------


def test_a_document_takes_from_another_what_it_does_not_say_and_says_where_from() -> None:
    contract = {**CONTRACT, "value": {"total": gbp(300000)}}
    tender = {**TENDER, "process": {"route": "open_tender", "response_pages": 92}}
    assert audit(tender, PACKS, as_of=DAY).result("PP-01").verdict == "unknown"
    report = case(contract, tender)
    result = report.result("PP-01")
    assert (result.verdict, result.document) == ("fail", "T-1")
    places = {fact.name: fact.file for fact in report.facts if fact.name in result.decided_by}
    assert places == {"process.response_pages": "T-1", "value.total": "C-1"}


def test_its_own_statement_comes_first() -> None:
    tender = {**TENDER, "process": {"route": "open_tender", "response_pages": 92}, "value": {"total": gbp(300000)}}
    contract = {**CONTRACT, "value": {"total": gbp(90_000_000)}}
    result = case(contract, tender).result("PP-01")
    assert result.verdict == "fail"
    assert result.finding is not None and "£300,000" in result.finding


def test_what_two_others_say_differently_is_unknown_with_the_reason() -> None:
    tender = {**TENDER, "process": {"route": "open_tender", "response_pages": 92}}
    one = {**CONTRACT, "value": {"total": gbp(300000)}}
    other = {**CONTRACT, "id": "C-2", "value": {"total": gbp(900000)}}
    report = case(one, other, tender)
    assert report.result("PP-01").verdict == "unknown"
    missing = {fact.name: fact.reason for fact in report.missing}
    reasons = [reason for name, reason in missing.items() if name.partition("@")[0] == "value.total"]
    assert reasons == ["the other documents of the case say different things of it (C-1 and C-2)"]


def test_an_amount_that_cannot_be_compared_is_taken_with_its_reason() -> None:
    tender = {**TENDER, "process": {"route": "open_tender", "response_pages": 92}}
    contract = {**CONTRACT, "value": {"total": {"amount": 300000, "currency": "EUR"}}}
    report = case(tender, contract)
    assert report.result("PP-01").verdict == "unknown"
    assert {fact.name: fact.reason for fact in report.missing}["value.total"] == (
        "it is stated in EUR, and the limits are in GBP"
    )


def test_the_stage_of_a_contract_is_not_that_of_its_tender() -> None:
    tender = {"kind": "tender", "id": "T-1", "users": {"phases": {"procurement": {"involved": False}}}}
    report = case(tender, CONTRACT)
    alone = audit(tender, PACKS, as_of=DAY).result("SU-01")
    of_tender = {one.document: one.verdict for one in report.result("SU-01").documents}
    assert of_tender["T-1"] == alone.verdict


def test_evidence_in_one_document_stands_behind_the_same_statement_in_another() -> None:
    fact: dict[str, Any] = {
        "termination": {"notice_days": 90, "exit_plan_required": True},
        "value": {"total": gbp(300000)},
        "funding": {"mechanism": "contract"},
    }
    evidence = [{"pointer": "/termination/notice_days", "document": "Draft contract, clause 3"}]
    tender = {**TENDER, **fact}
    assert audit(tender, PACKS, as_of=DAY).result("DN-12").claimed
    assert not case(tender, {**CONTRACT, **fact, "evidence": evidence}).result("DN-12").claimed
    other = {**fact, "termination": {"notice_days": 91, "exit_plan_required": True}}
    assert case(tender, {**CONTRACT, **other, "evidence": evidence}).result("DN-12").claimed


# --- One verdict a rule -----------------------------------------------------------------------------------------


def test_a_rule_counts_once_and_fails_if_one_document_fails() -> None:
    good = {**TENDER, "value": {"total": gbp(300000)}, "process": {"route": "open_tender", "response_pages": 10}}
    bad = {
        **TENDER,
        "id": "T-2",
        "value": {"total": gbp(300000)},
        "process": {"route": "open_tender", "response_pages": 92},
    }
    report = case(good, bad)
    result = report.result("PP-01")
    assert (result.verdict, result.document) == ("fail", "T-2")
    assert {one.document: one.verdict for one in result.documents} == {"T-1": "pass", "T-2": "fail"}
    assert [r.rule.id for r in report.results].count("PP-01") == 1


def test_names_of_facts_stay_unique_where_documents_differ() -> None:
    small = {**TENDER, "value": {"total": gbp(300000)}, "process": {"route": "open_tender", "response_pages": 92}}
    large = {**CONTRACT, "value": {"total": gbp(400000)}, "subcontracting": {"position": "in_use"}}
    report = case(small, large)
    names = [fact.name for fact in report.facts]
    assert len(names) == len(set(names))
    values = {fact.name: fact for fact in report.facts}
    for result in report.results:
        assert all(name in values for name in result.decided_by)
        for name in result.decided_by:
            assert name.partition("@")[2] in ("", values[name].file)
    lacking = {fact.name for fact in report.missing}
    assert all(name in lacking for result in report.results for name in result.missing)


def test_the_law_of_a_case_leads_to_the_facts_that_tell_it() -> None:
    law = {"process": {"regime": "no_procurement_law"}}
    report = case({**TENDER, **law}, {**TENDER, "id": "T-2"})
    assert report.regime.id == "no_procurement_law"
    (name,) = report.regime.decided_by
    assert {fact.name: (fact.value, fact.file) for fact in report.facts}[name] == ("no_procurement_law", "T-1")


def test_patterns_join_findings_of_different_documents() -> None:
    one = {
        **TENDER,
        "commissioner": {"procurement_involved_from": "procurement"},
        "value": {"total": gbp(300000)},
        "process": {
            "route": "open_tender",
            "response_pages": 92,
            "same_as_large_contracts": True,
            "general_policies": 9,
        },
    }
    insurance = {"kind": "public_liability", "cover": gbp(10_000_000), "needed_by": "bid"}
    other = {
        **TENDER,
        "id": "T-2",
        "value": {"total": gbp(300000)},
        "requirements": {
            "minimum_annual_turnover": gbp(1_000_000),
            "turnover_justification": "none",
            "insurance": {"complete": True, "items": [insurance]},
        },
    }
    alone = [audit(part, PACKS, as_of=DAY) for part in (one, other)]
    together = case(one, other)
    joined = {p.id for p in together.patterns if p.outcome == "concluded"}
    seen = {p.id for report in alone for p in report.patterns if p.outcome == "concluded"}
    new = joined - seen
    members = [{member.partition(":")[0] for member in together.pattern(id).because} for id in new]
    found_in = [{r.document for r in together.results if r.rule.id in names} for names in members]
    assert {"T-1", "T-2"} in found_in


# --- Contradictions ---------------------------------------------------------------------------------------------


def contradictions(*documents: Any) -> dict[str, str]:
    report = case(*documents)
    assert report.case is not None
    return {one.name: one.severity for one in report.case.contradictions}


def test_a_contradiction_has_both_values_and_both_places(tmp_path: Path) -> None:
    (tmp_path / "tender.yaml").write_text("kind: tender\nstage: published\nterm:\n  months: 36\n", "utf-8")
    (tmp_path / "contract.json").write_text(
        '{"kind": "contract",\n "stage": "live",\n "term": {"months": 24}}', "utf-8"
    )
    report = case(tmp_path / "contract.json", tmp_path / "tender.yaml")
    assert report.case is not None
    (one,) = report.case.contradictions
    assert one.name == "term.months"
    assert [(fact.value, Path(fact.file).name, fact.line, fact.column, fact.pointer) for fact in one.statements] == [
        (36, "tender.yaml", 4, 11, "/term/months"),
        (24, "contract.json", 3, 21, "/term/months"),
    ]


def test_a_contradiction_is_as_grave_as_what_rests_on_it() -> None:
    tender = {
        **TENDER,
        "value": {"total": gbp(300000)},
        "process": {"route": "open_tender", "response_pages": 92},
        "lots": {"count": 1},
    }
    other = {
        **TENDER,
        "id": "T-2",
        "value": {"total": gbp(320000)},
        "process": {"route": "open_tender", "response_pages": 9},
        "lots": {"count": 2},
    }
    report = case(tender, other)
    assert report.case is not None
    found = {one.name: one for one in report.case.contradictions}
    assert found["process.response_pages"].severity == "high"
    assert "PP-01" in found["process.response_pages"].rules
    decisive = {name for r in report.results for name in r.decided_by}
    assert not any(name.startswith("lots.count") for name in decisive)
    assert (found["lots.count"].severity, found["lots.count"].rules) == ("low", ())


def test_contradictions_do_not_change_the_score() -> None:
    tender = {**TENDER, "value": {"total": gbp(300000)}, "lots": {"count": 1}}
    alike = {**CONTRACT, "value": {"total": gbp(300000)}, "lots": {"count": 1}}
    other = {**CONTRACT, "value": {"total": gbp(300000)}, "lots": {"count": 2}}
    assert contradictions(tender, alike) == {}
    assert contradictions(tender, other) == {"lots.count": "low"}
    assert case(tender, alike).score == case(tender, other).score


def named(**parts: Any) -> dict[str, Any]:
    """The sections of a description; a name such as term__months is a field of one."""
    sections: dict[str, Any] = {}
    for name, value in parts.items():
        section, _, field = name.partition("__")
        sections.setdefault(section, {})[field] = value
    return sections


def all_of(*items: Any) -> dict[str, Any]:
    return {"complete": True, "items": [*items]}


LIABILITY = {"kind": "public_liability", "needed_by": "bid"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (named(value__total=gbp(3)), named(value__total={"amount": 3, "currency": "EUR"}), True),
        (named(value__total=gbp(300000)), named(value__total=gbp(300000.00)), False),
        (
            named(requirements__minimum_annual_turnover="none"),
            named(requirements__minimum_annual_turnover=gbp(0)),
            False,
        ),
        (named(term__no_extension_reason="The grant ends"), named(term__no_extension_reason="Money ends"), False),
        (named(term__no_extension_reason="The grant ends"), named(term__no_extension_reason="none"), True),
        (named(market__engagement_date="none"), named(market__engagement_date="2026-06-11"), True),
        # Lists that leave open whether there is more contradict nothing.
        (named(service__need_areas=["housing"]), named(service__need_areas=["family"]), False),
        (
            named(service__need_areas=all_of("housing", "family")),
            named(service__need_areas=all_of("family", "housing")),
            False,
        ),
        (named(service__need_areas=all_of("housing")), named(service__need_areas=["family"]), True),
        (named(service__need_areas=all_of("housing", "family")), named(service__need_areas=["family"]), False),
        (named(service__need_areas=[]), named(service__need_areas=["family"]), True),
        # Records match where nothing that both state differs.
        (
            named(requirements__insurance=all_of(LIABILITY)),
            named(requirements__insurance=all_of({"kind": "public_liability", "cover": gbp(5)})),
            False,
        ),
        (
            named(requirements__insurance=all_of(LIABILITY)),
            named(requirements__insurance=[{"kind": "public_liability", "needed_by": "award"}]),
            True,
        ),
        # Spelling is no contradiction; another number of places is.
        (named(service__places=all_of("Wexmoor")), named(service__places=all_of("Wexmoor town")), False),
        (named(service__places=all_of("Wexmoor")), named(service__places=all_of("Wexmoor", "Thornley")), True),
        # These change while a service is bought and run.
        (named(subcontracting__position="wanted"), named(subcontracting__position="in_use"), False),
        (named(users__met_by_commissioners=False), named(users__met_by_commissioners=True), False),
    ],
)
def test_what_contradicts(one: Any, other: Any, expected: bool) -> None:
    assert bool(contradictions({**TENDER, **one}, {**CONTRACT, **other})) is expected
    assert bool(contradictions({**CONTRACT, **one}, {**TENDER, **other})) is expected


def test_the_facts_that_are_set_apart_are_there() -> None:
    names = [*NAMING, *OF_ITS_TIME, *CHANGING]
    known = dictionary()
    assert [one for one in names if not any(fact == one or fact.startswith(f"{one}.") for fact in known)] == []
    assert len(names) == len(set(names))


def test_a_profile_contradicts_nothing_and_gives_way_to_every_document() -> None:
    profile = {"commissioner": {"scaled_procedures": False}}
    tender = {**TENDER, "commissioner": {"scaled_procedures": True}}
    report = case(tender, CONTRACT, commissioner=profile)
    assert report.case is not None
    assert report.case.contradictions == ()
    assert {fact.value for fact in report.facts if fact.name.startswith("commissioner.scaled_procedures")} <= {True}


def test_a_notice_and_what_was_made_of_it_agree() -> None:
    notice = EXAMPLES / "ocds" / "find-a-tender-heating-study-tender.json"
    document = read_description(notice)
    copied = document.description.model_dump(mode="json", exclude_none=True)
    report = case(notice, copied)
    assert report.case is not None
    assert report.case.contradictions == ()
    assert {one.origin for one in report.case.documents} == {"ocds", "description"}
    assert said(report)["results"] == said(case(notice))["results"]


# --- Every format -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contradicting() -> AuditReport:
    return case(
        {**WHOLE["tender"]},
        {**CONTRACT, "case": "resettlement-mentoring", "term": {"months": 24}, "termination": {"notice_days": 30}},
    )


@pytest.mark.parametrize("form", [name for name in FORMATS if name != "json"])
def test_every_format_shows_the_contradictions_and_the_document_of_a_finding(
    form: str, contradicting: AuditReport
) -> None:
    text = render(form, [contradicting])
    assert "the length in months" in text.lower()
    assert "36" in text and "24" in text
    assert "WXC-2026-117" in text and "C-1" in text


def test_the_saved_report_follows_its_schema_and_is_read_back(contradicting: AuditReport, tmp_path: Path) -> None:
    from goodcommission.report.reading import read_reports

    text = contradicting.to_json()
    jsonschema.Draft202012Validator(report_schema()).validate(json.loads(text))
    (tmp_path / "case.json").write_text(text, "utf-8")
    (back,) = read_reports(tmp_path / "case.json")
    for form in FORMATS:
        assert render(form, [back]) == render(form, [contradicting])


# --- Case files and bad input -----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(EXAMPLES / "tender.json", tmp_path / "tender.json")
    contract = {**CONTRACT, "case": "resettlement-mentoring", "term": {"months": 36}}
    (tmp_path / "contract.yaml").write_text(yaml.safe_dump(contract), "utf-8")
    return tmp_path


def listing(folder: Path, text: str) -> Path:
    file = folder / "case.yaml"
    file.write_text(text, "utf-8")
    return file


def test_a_case_file_says_what_its_documents_say(folder: Path) -> None:
    text = "case: resettlement-mentoring\ndocuments: [contract.yaml, tender.json]\n"
    report = audit_case(listing(folder, text), PACKS, as_of=DAY)
    assert said(report) == said(case(folder / "tender.json", folder / "contract.yaml"))
    assert report.document.id == "resettlement-mentoring"
    jsonschema.Draft202012Validator(case_schema()).validate(yaml.safe_load(text))


def test_the_published_schema_of_case_files_is_in_step() -> None:
    assert json.loads((ROOT / "schemas" / "case.schema.json").read_text("utf-8")) == case_schema()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case: x\ndocuments: []\n", "case.yaml:2:1: a case has at least one document"),
        ("case: x\ndocuments: tender.json\n", "case.yaml:2:1: a case has at least one document"),
        ("documents: [tender.json]\n", "case.yaml:1:1: a case file says which case it is"),
        ("case: 7\ndocuments: [tender.json]\n", "case.yaml:1:1: `case` is a text"),
        ("case: x\ndocuments: [7]\n", "case.yaml:2:13: a document is named by its file"),
        ("case: x\ndocuments: ['-']\n", "case.yaml:2:13: a document is named by its file"),
        ("case: x\ndocuments:\n  - tender.json\n  - ./tender.json\n", "case.yaml:4:5: ./tender.json is listed twice"),
        ("case: x\ndocuments: [tender.json, nowhere.json]\n", "case.yaml:2:26: "),
        ("case: x\ndocument: [a]\ndocuments: [tender.json]\n", 'case.yaml:2:1: there is no field "document"'),
        ("case: other\ndocuments: [tender.json]\n", "tender.json:5:11: the document belongs to the case"),
    ],
)
def test_a_wrong_case_file_is_told_with_its_place(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        audit_case(listing(folder, text), PACKS)
    assert any(message in str(fault) for fault in caught.value.faults), caught.value


def test_a_missing_document_is_told_with_its_name(folder: Path) -> None:
    with pytest.raises(DescriptionError, match=r"nowhere\.json: there is no such file"):
        audit_case(listing(folder, "case: x\ndocuments: [nowhere.json]\n"), PACKS)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([], "at least one document"),
        ([TENDER, dict(TENDER)], "is there twice"),
        ([{**TENDER, "case": "a"}, {**CONTRACT, "case": "b"}], 'belongs to the case "b", and T-1 to "a"'),
        (TENDER, "a case is a list of documents"),
    ],
)
def test_what_is_no_case(documents: Any, message: str) -> None:
    with pytest.raises(DescriptionError, match=message):
        audit_case(documents, PACKS)


def test_two_documents_of_one_name_are_told_apart() -> None:
    report = case({"kind": "tender", "lots": {"count": 1}}, {"kind": "tender", "lots": {"count": 2}})
    assert report.case is not None
    assert [one.name for one in report.case.documents] == ["description", "description (2)"]


def test_a_case_file_is_refused_where_one_description_is_expected(folder: Path) -> None:
    file = listing(folder, "case: resettlement-mentoring\ndocuments: [tender.json]\n")
    with pytest.raises(DescriptionError, match="this is a case file"):
        audit(file, PACKS)


# --- The command line -------------------------------------------------------------------------------------------


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_the_command_audits_documents_together_and_says_where_they_could_be(folder: Path) -> None:
    files = [folder / "tender.json", folder / "contract.yaml"]
    listed = listing(folder, "case: resettlement-mentoring\ndocuments: [tender.json, contract.yaml]\n")
    options = ["--as-of", DAY, "--format", "json"]
    together = run("audit", "--case", *files, *options)
    report = AuditReport.model_validate(json.loads(together.stdout))
    assert report.case is not None
    assert len(report.case.documents) == 2
    by_file = AuditReport.model_validate(json.loads(run("audit", listed, *options).stdout))
    assert said(by_file) == said(report)
    apart = run("audit", *files, *options)
    assert len(json.loads(apart.stdout)) == 2
    assert "belong to one case (resettlement-mentoring): with --case they are audited together" in apart.stderr
    assert "belong to one case" not in together.stderr


def test_a_gate_sees_a_contradiction(tmp_path: Path) -> None:
    tender = {**TENDER, "lots": {"count": 1}}
    files = written(tmp_path, tender, {**CONTRACT, "lots": {"count": 2}})
    assert run("audit", "--case", *files, "--fail-on", "medium").exit_code == 0
    failed = run("audit", "--case", *files, "--fail-on", "low")
    assert failed.exit_code == 1
    assert "the contradiction on lots.count" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--case", "case.yaml"], "this is a case file, and --case is for documents"),
        (["--case", "tender.json", "tender.json"], "the document is there twice"),
        (["--case", "tender.json", "nowhere.json"], "there is no such file"),
        (["case.yaml", "--output", "contract.yaml"], "the output would overwrite what is read"),
        (["--case", "--template", "tender.json"], "--case can't be used with --template"),
    ],
)
def test_what_the_command_refuses(
    arguments: list[str], message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing(folder, "case: resettlement-mentoring\ndocuments: [tender.json, contract.yaml]\n")
    monkeypatch.chdir(folder)
    result = run("audit", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_other_commands_say_what_a_case_file_is(folder: Path) -> None:
    file = listing(folder, "case: resettlement-mentoring\ndocuments: [tender.json]\n")
    for command in ("validate", "improve", "convert"):
        result = run(command, file)
        assert result.exit_code == 2
        assert "this is a case file" in result.stderr


# --- Waivers and answers ----------------------------------------------------------------------------------------


def test_a_waiver_for_one_document_hides_no_finding_of_another(tmp_path: Path) -> None:
    bad = {**TENDER, "value": {"total": gbp(300000)}, "process": {"route": "open_tender", "response_pages": 92}}
    also = {**bad, "id": "T-2", "process": {"route": "open_tender", "response_pages": 93}}
    good = {**bad, "id": "T-2", "process": {"route": "open_tender", "response_pages": 9}}
    waiver = {
        "rule": "PP-01",
        "document": "T-1",
        "reason": "The papers are being cut.",
        "owner": "A. Officer",
        "granted": "2026-11-01",
        "expires": "2026-12-31",
    }

    def waived(report: AuditReport, document: str) -> bool:
        file = tmp_path / "waivers.json"
        file.write_text(json.dumps({"waivers": [{**waiver, "document": document}]}), "utf-8")
        return apply_all([report], read_waivers(file), DAY)[0].result("PP-01").waived is not None

    assert waived(case(bad, good), "T-1")
    assert not waived(case(bad, also), "T-1")
    assert waived(case(bad, also), "T-*")


def test_a_question_is_answered_with_yes_only_for_every_document() -> None:
    question = case(TENDER, {**TENDER, "id": "T-2"}).questions[0].id
    answer = {"question": question, "answer": "yes", "by": "A. Officer", "on": "2026-11-02"}

    def verdict(*answers: dict[str, Any]) -> str:
        report = case(TENDER, {**TENDER, "id": "T-2"}, answers={"answers": [*answers]})
        return next((r.verdict for r in report.results if r.rule.id == question), "unanswered")

    assert verdict(answer) == "pass"
    assert verdict({**answer, "document": "T-1"}) == "unanswered"
    assert verdict({**answer, "document": "T-1"}, {**answer, "document": "T-2"}) == "pass"
    assert verdict({**answer, "document": "T-1"}, {**answer, "document": "T-2", "answer": "no"}) == "fail"


# --- A saved report on a case is verified -----------------------------------------------------------------------


def save(report: AuditReport, folder: Path) -> Path:
    file = folder / "report.json"
    file.write_text(report.to_json(), "utf-8")
    return file


def written(folder: Path, *documents: Mapping[str, Any]) -> list[Path]:
    files = [folder / f"document-{number}.json" for number in range(len(documents))]
    for file, document in zip(files, documents, strict=True):
        file.write_text(json.dumps(document), "utf-8")
    return files


@pytest.mark.parametrize("evidence", [False, True])
def test_the_examples_as_one_case_are_verified(evidence: bool, tmp_path: Path) -> None:
    files = [EXAMPLES / name for name in ("tender.json", "contract.yaml", "decommissioning-plan.yaml")]
    report = save(case(*files, require_evidence=evidence), tmp_path)
    assert [one.differences for one in verify(report, files[::-1])] == [()]


@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_documents_that_contradict_each_other_are_verified(data: st.DataObject) -> None:
    """Parts of two descriptions, of which some say the same facts otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            *data.draw(split(WHOLE[data.draw(st.sampled_from(["tender", "contract"]))])),
            *data.draw(split(WHOLE["plan"])),
        ]
        for part in parts:
            part.pop("case", None)
        files = written(Path(folder), *parts)
        report = save(case(*files, require_evidence=data.draw(st.booleans())), Path(folder))
        assert [one.differences for one in verify(report, files)] == [()]


def sealed(raw: dict[str, Any], folder: Path) -> Path:
    raw.pop("digest")
    body = json.dumps(raw, indent=2, ensure_ascii=False)
    digest = sha256(body.encode()).hexdigest()
    file = folder / "forged.json"
    file.write_text(f'{body[:-2]},\n  "digest": "sha256:{digest}"\n}}\n', "utf-8")
    return file


def test_verifying_needs_all_documents_and_notices_what_was_changed(tmp_path: Path) -> None:
    small = {**TENDER, "value": {"total": gbp(300000)}, "process": {"route": "open_tender", "response_pages": 92}}
    files = written(tmp_path, small, {**CONTRACT, "value": {"total": gbp(400000)}})
    report = save(case(*files), tmp_path)
    assert verify(report, files)[0].differences == ()
    (missing,) = verify(report, files[:1])[0].differences
    assert "document-1.json is not among the documents that were given" in missing

    def forged(change: Callable[[dict[str, Any]], None]) -> tuple[str, ...]:
        raw = json.loads(report.read_text("utf-8"))
        change(raw)
        return verify(sealed(raw, tmp_path), files)[0].differences

    assert forged(lambda raw: None) == ()

    def pass_it(raw: dict[str, Any]) -> None:
        next(r for r in raw["results"] if r["rule"]["id"] == "PP-01")["verdict"] = "pass"

    def of_other(raw: dict[str, Any]) -> None:
        next(r for r in raw["results"] if r["rule"]["id"] == "PP-01")["documents"][0]["verdict"] = "pass"

    def agree(raw: dict[str, Any]) -> None:
        raw["case"]["contradictions"] = []

    def other_value(raw: dict[str, Any]) -> None:
        raw["case"]["contradictions"][0]["statements"][1]["value"] = 300000.0

    for change, what in ((pass_it, "PP-01"), (of_other, "PP-01"), (agree, "value.total"), (other_value, "value.total")):
        assert any(what in one for one in forged(change)), change
