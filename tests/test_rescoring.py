"""A score computed from a saved report alone is the audit's own, whatever is then changed in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import audit
from goodcommission.report.model import AuditReport
from goodcommission.report.rescoring import rescore

EXAMPLES = Path(__file__).parents[1] / "examples"
REPORTS = {
    name: AuditReport.model_validate_json(audit(EXAMPLES / name, as_of=dt.date(2026, 11, 20)).to_json())
    for name in ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
}


def failing(report: AuditReport) -> list[str]:
    return [result.rule.id for result in report.results if result.verdict == "fail"]


@pytest.mark.parametrize("name", REPORTS)
def test_with_nothing_changed_it_is_the_score_of_the_audit(name: str) -> None:
    report = REPORTS[name]
    same = rescore(report, {})
    assert (same.score, same.packs) == (report.score, report.packs)
    assert same.mends == {r.rule.id: r.points for r in report.results if r.points is not None}
    assert [same.narrowing.get(fact.name, 0.0) for fact in report.missing] == [f.narrows for f in report.missing]


@pytest.mark.parametrize("name", REPORTS)
def test_points_are_what_mending_gives(name: str) -> None:
    report = REPORTS[name]
    for result in report.results:
        # What fails alone: the members of a group are mended together.
        if result.verdict == "fail" and result.rule.scored and result.rule.group is None:
            mended = rescore(report, {result.rule.id: "pass"}).score.score
            assert mended is not None
            assert report.score.score is not None
            assert result.points is not None
            assert abs(mended - report.score.score - result.points) < 0.11


def test_all_mended_is_the_full_score_and_all_taken_out_does_not_count() -> None:
    report = REPORTS["tender.json"]
    assert rescore(report, dict.fromkeys(failing(report), "pass")).score.score == 100
    out = rescore(report, dict.fromkeys(failing(report))).score
    assert out.score == 100
    assert out.coverage < report.score.coverage
    assert out.caps == ()


def test_a_pass_taken_out_is_no_longer_counted_among_the_passes() -> None:
    report = REPORTS["contract.yaml"]
    passed = next(r for r in report.results if r.verdict == "pass" and r.claimed and r.rule.scored)
    score = rescore(report, {passed.rule.id: None}).score
    assert (score.passes, score.claimed) == (report.score.passes - 1, report.score.claimed - 1)


def test_what_the_report_does_not_hold_cannot_be_changed() -> None:
    with pytest.raises(KeyError, match="PP-99"):
        rescore(REPORTS["tender.json"], {"PP-99": "pass"})


@settings(max_examples=40)
@given(st.data())
def test_taking_out_what_fails_never_lowers_the_score(data: st.DataObject) -> None:
    report = REPORTS[data.draw(st.sampled_from(sorted(REPORTS)))]
    out = data.draw(st.sets(st.sampled_from(failing(report))))
    score = rescore(report, dict.fromkeys(out)).score
    assert score.score is not None
    assert score.score >= (report.score.score or 0)
    assert 0 <= (score.low or 0) <= score.score <= (score.high or 0) <= 100
