"""Gates: what each asks, what it says, and that none is averaged away."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from goodcommission import AuditReport, GoodCommissionError, audit, load_packs
from goodcommission.gating import Gate, GateName, as_data, check_gates

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)


@pytest.fixture(scope="module")
def report() -> AuditReport:
    return audit(EXAMPLES / "tender.json", as_of=DAY)


def judged(report: AuditReport, name: GateName, asked: Any) -> tuple[bool, Any, str]:
    (result,) = check_gates(report, [Gate(name, asked, "here")])
    return result.passed, result.found, result.message


def changed(report: AuditReport, id: str, **values: Any) -> AuditReport:
    """The report with something else said of one rule."""
    results = tuple(one.model_copy(update=values) if one.rule.id == id else one for one in report.results)
    return report.model_copy(update={"results": results})


@pytest.mark.parametrize(("name", "field"), [("fail_under", "score"), ("min_low", "low"), ("min_coverage", "coverage")])
def test_a_figure_passes_from_what_is_asked_on(report: AuditReport, name: GateName, field: str) -> None:
    found = getattr(report.score, field)
    assert judged(report, name, found)[:2] == (True, found)
    passed, same, message = judged(report, name, found + 0.1)
    assert (passed, same) == (False, found)
    assert f"{found:g}" in message
    assert f"at least {found + 0.1:g}" in message


@pytest.mark.parametrize("name", ["fail_under", "min_low"])
def test_no_score_passes_no_gate_on_the_score(name: GateName) -> None:
    nothing = audit({"kind": "tender", "stage": "draft"}, load_packs(["combined-findings"]))
    assert judged(nothing, name, 0.0) == (False, None, "there is no score, and at least 0 is asked for")


def test_a_severity_stops_findings_of_it_and_above(report: AuditReport) -> None:
    high, medium, low = (set(judged(report, "fail_on", severity)[1]) for severity in ("high", "medium", "low"))
    assert high < medium < low
    assert "X-01" in high
    assert "PP-06" not in low, "it is shown, and not scored"


def test_what_is_waived_or_was_there_before_stops_no_gate_on_severity(report: AuditReport) -> None:
    only = load_packs(["service-user-involvement"])
    alone = audit(EXAMPLES / "tender.json", only, as_of=DAY)
    assert judged(alone, "fail_on", "high")[1] == ("SU-01",)
    assert judged(changed(alone, "SU-01", known_before=True), "fail_on", "high")[0]


def test_a_rule_that_may_never_fail_stops_a_report_of_any_score(report: AuditReport) -> None:
    perfect = report.model_copy(update={"score": report.score.model_copy(update={"score": 100.0, "low": 100.0})})
    assert judged(perfect, "never_fail", ("SU-01",))[:2] == (False, ("SU-01",))
    assert judged(changed(perfect, "SU-01", known_before=True), "never_fail", ("SU-01",))[0] is False


def test_only_must_pass_minds_what_is_unknown_or_provisional(report: AuditReport) -> None:
    unknown = next(one.rule.id for one in report.results if one.verdict == "unknown")
    met = next(one.rule.id for one in report.results if one.verdict == "pass" and not one.provisional)
    elsewhere = next(one.rule.id for one in report.results if one.verdict == "not_applicable")
    assert judged(report, "never_fail", (unknown, met, elsewhere))[0]
    assert judged(report, "must_pass", (met, elsewhere))[0]
    assert judged(report, "must_pass", (unknown, met, elsewhere))[:2] == (False, (unknown,))
    assert judged(changed(report, met, provisional=True), "must_pass", (met,))[0] is False


def test_a_combined_finding_can_be_named(report: AuditReport) -> None:
    assert judged(report, "never_fail", ("X-01",))[:2] == (False, ("X-01",))
    assert judged(report, "never_fail", ("X-01",))[2] == "X-01 may never fail, and is found"
    open_one = next(one.id for one in report.patterns if one.outcome == "open" and one.severity != "positive")
    assert judged(report, "never_fail", (open_one,))[0]
    assert judged(report, "must_pass", (open_one,))[0] is False


@pytest.mark.parametrize(("id", "near"), [("PP-001", "PP-01"), ("pp-01", "PP-01")])
def test_a_gate_on_a_rule_that_is_not_there_is_an_error(report: AuditReport, id: str, near: str) -> None:
    with pytest.raises(GoodCommissionError) as caught:
        judged(report, "never_fail", (id,))
    assert f"Did you mean {near}?" in str(caught.value)


def test_a_gate_on_a_strength_is_an_error(report: AuditReport) -> None:
    strength = next(one.id for one in report.patterns if one.severity == "positive")
    with pytest.raises(GoodCommissionError, match="is a strength"):
        judged(report, "must_pass", (strength,))


def test_gates_as_data_hold_what_was_asked_and_found(report: AuditReport) -> None:
    gates = [Gate("fail_under", 90.0, "goodcommission.toml:3"), Gate("never_fail", ("SU-01",), "--never-fail")]
    figure, named = as_data(check_gates(report, gates))
    assert (figure["asked"], figure["found"], figure["origin"]) == (90.0, report.score.score, "goodcommission.toml:3")
    assert (named["asked"], named["found"], named["passed"]) == (["SU-01"], ["SU-01"], False)
