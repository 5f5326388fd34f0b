"""The kind of document that is a funder's programme of grants: the programme of 2010, and what is asked of any."""

from __future__ import annotations

from pathlib import Path

import pytest

from goodcommission import audit, load_packs, read_description
from goodcommission.report.model import AuditReport

HERE = Path(__file__).parent
PROGRAMME = audit(HERE / "fixtures" / "grant-programme-2010.yaml", ["grants-and-contracts", "outcomes-and-innovation"])


def decided(report: AuditReport) -> dict[str, str]:
    return {one.rule.id: one.verdict for one in report.results if one.verdict in ("pass", "fail")}


def test_the_programme_of_2010_gets_the_verdicts_that_its_evaluation_gives_it() -> None:
    assert decided(PROGRAMME) == {
        "GC-05": "pass",
        "GC-08": "pass",
        "GC-10": "fail",
        "GC-12": "pass",
        "GC-16": "fail",
        "GC-17": "fail",
        "OI-04": "pass",
        "OI-13": "pass",
        "OI-15": "fail",
        "OI-17": "fail",
    }


@pytest.mark.parametrize(
    ("rule", "missing"),
    [
        ("GC-09", "programme.intermediary_assessed"),
        ("GC-11", "programme.intermediary_reports_agreed"),
        ("GC-13", "programme.reasons_recorded"),
        ("GC-14", "programme.experience_checked"),
        ("GC-15", "programme.widening_agreed"),
        ("OI-02", "outcomes.measures[7].first_measurable_month"),
    ],
)
def test_what_the_evaluation_does_not_tell_stays_open(rule: str, missing: str) -> None:
    (result,) = (one for one in PROGRAMME.results if one.rule.id == rule)
    assert result.verdict == "unknown"
    assert missing in result.missing


def test_the_form_of_one_programme_is_no_rule_for_others() -> None:
    """Its eight outcomes and its principles (AX-101 to 115 of the second catalogue) stand in the fixture only."""
    assert not [rule.rule.id for rule in load_packs().rules if rule.rule.id.startswith("AX-")]
    outcomes = read_description(HERE / "fixtures" / "grant-programme-2010.yaml").description.outcomes
    assert outcomes is not None
    assert outcomes.measures is not None
    assert len(outcomes.measures.items) == 8


def test_every_rule_for_grant_programmes_is_decided_by_the_example() -> None:
    report = audit(HERE.parent / "examples" / "grant-programme.yaml")
    ours = {
        rule.rule.id
        for rule in load_packs(["grants-and-contracts", "outcomes-and-innovation"]).rules
        if "grant_programme" in rule.rule.applies_to
    }
    open_ = {one.rule.id for one in report.results if one.verdict == "unknown"}
    assert not ours & open_
    assert report.document.kind == "grant_programme"
    assert {"pass", "fail"} <= {one.verdict for one in report.results if one.rule.id in ours}


def test_every_rule_on_grants_and_outcomes_is_decided_by_an_example() -> None:
    names = ("tender.json", "contract.yaml", "decommissioning-plan.yaml", "grant-programme.yaml", "small-tender.yaml")
    found = {id for name in names for id in decided(audit(HERE.parent / "examples" / name))}
    ours = {rule.rule.id for rule in load_packs(["grants-and-contracts", "outcomes-and-innovation"]).rules}
    assert not ours - found


def test_a_programme_is_dated_by_its_call_and_else_by_its_awards() -> None:
    raw = {"kind": "grant_programme", "award": {"date": "2026-05-20"}}
    by_award = audit(raw)
    by_call = audit({**raw, "timeline": {"tender_published": "2026-02-09"}})
    assert (str(by_award.as_of), str(by_call.as_of)) == ("2026-05-20", "2026-02-09")
