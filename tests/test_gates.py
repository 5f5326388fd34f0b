"""Gates: what each asks, what it says, and that none is averaged away."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from goodcommission import AuditReport, GoodCommissionError, audit, audit_case, load_packs
from goodcommission.gating import Gate, GateName, as_data, check_gates, gates_of
from goodcommission.report.model import Waiver
from goodcommission.waivers import Waivers, apply

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


# --- What is said -------------------------------------------------------------------------------------------------


def line(report: AuditReport, name: GateName, asked: Any) -> str:
    (result,) = check_gates(report, [Gate(name, asked, "--here")])
    return result.line("t.json")


def test_each_gate_says_what_was_found_and_what_is_asked(report: AuditReport) -> None:
    score = report.score
    assert line(report, "fail_under", 99.5) == (
        f"t.json: the score is {score.score:g}, and at least 99.5 is asked for (--here)."
    )
    assert line(report, "min_low", 1.0) == (
        f"t.json: the low end of the score is {score.low:g}, and at least 1 is asked for (--here)."
    )
    assert line(report, "min_coverage", 2.0) == (
        f"t.json: {score.coverage:g}% of what applies is judged, and at least 2% is asked for (--here)."
    )
    assert line(report, "never_fail", ("SU-01", "X-01")) == (
        "t.json: SU-01 may never fail, and is not met; X-01 may never fail, and is found (--here)."
    )
    assert judged(report, "never_fail", ("SU-01", "SU-01"))[1] == ("SU-01",)


def test_findings_of_a_severity_are_counted_and_named(report: AuditReport) -> None:
    alone = audit(EXAMPLES / "tender.json", load_packs(["service-user-involvement"]), as_of=DAY)
    assert line(alone, "fail_on", "high") == "t.json: 1 finding of high severity: SU-01 (--here)."
    low = tuple(one.rule.id for one in alone.results if one.verdict == "fail" and one.rule.scored)
    assert len(low) > 1
    assert line(alone, "fail_on", "low") == (
        f"t.json: {len(low)} findings of low or higher severity: {', '.join(low)} (--here)."
    )
    none = audit({"kind": "tender"}, load_packs(["service-user-involvement"]), as_of=DAY)
    assert line(none, "fail_on", "medium") == "t.json: no finding of medium or higher severity (--here)."
    assert judged(none, "fail_on", "medium")[:2] == (True, ())


def test_rules_that_hold_a_gate_are_said_to(report: AuditReport) -> None:
    met = [one.rule.id for one in report.results if one.verdict == "pass" and not one.provisional][:2]
    assert line(report, "never_fail", tuple(met)) == (
        f"t.json: {met[0]}, {met[1]} may never fail: none fails (--here)."
    )
    assert line(report, "must_pass", tuple(met)) == (
        f"t.json: {met[0]}, {met[1]} must be met: none fails or is unknown (--here)."
    )
    assert judged(report, "must_pass", tuple(met))[1] == ()


def test_why_a_rule_holds_a_gate_up_is_said(report: AuditReport) -> None:
    met = next(one.rule.id for one in report.results if one.verdict == "pass")
    unknown = next(one.rule.id for one in report.results if one.verdict == "unknown")
    open_one = next(one.id for one in report.patterns if one.outcome == "open" and one.severity != "positive")
    waiver = Waiver(
        rule="SU-01",
        document=None,
        pointer=None,
        reason="r",
        owner="o",
        granted="2026-01-01",
        expires="2027-01-01",
        note=None,
        file="w.yaml",
        line=1,
    )
    waived = changed(changed(report, "SU-01", waived=waiver), unknown, waived=waiver)
    provisional = changed(waived, met, provisional=True)
    assert line(provisional, "must_pass", ("SU-01", unknown, met, open_one)) == (
        "t.json: SU-01 must be met, and is not met, though it is waived; "
        f"{unknown} must be met, and is not evidenced; "
        f"{met} must be met, and is met for now, and what is not stated could overturn it; "
        f"{open_one} must be met, and is open (--here)."
    )


def test_an_unanswered_question_holds_up_only_what_must_be_met(report: AuditReport) -> None:
    question = next(one.id for one in report.questions if one.answer is None)
    assert line(report, "must_pass", (question,)) == f"t.json: {question} must be met, and is not answered (--here)."
    assert judged(report, "never_fail", (question,))[0]


def test_a_rule_is_asked_for_by_an_id_that_it_had_before(report: AuditReport) -> None:
    info = report.result("SU-01").rule.model_copy(update={"aliases": ("OLD-7",)})
    renamed = changed(report, "SU-01", rule=info)
    assert judged(renamed, "never_fail", ("OLD-7", "SU-01"))[:2] == (False, ("SU-01",))


def test_what_can_not_be_a_gate_is_said_with_advice(report: AuditReport) -> None:
    strength = next(one.id for one in report.patterns if one.severity == "positive")
    for name, advice in (
        (strength, "Name rules, or combined findings that are a risk."),
        ("ZZZZZZZZ", "Is its pack among those that are used?"),
    ):
        with pytest.raises(GoodCommissionError) as caught:
            line(report, "never_fail", (name,))
        assert caught.value.faults[0].suggestion == advice
        assert caught.value.faults[0].message.endswith("(--here)")


@dataclass(frozen=True)
class Setting:
    value: Any
    origin: str


def test_settings_become_gates_in_one_order_and_none_that_asks_nothing() -> None:
    settings = {
        "gates.must_pass": Setting(("SU-01",), "toml:4"),
        "gates.never_fail": Setting((), "toml:3"),
        "gates.fail_on": Setting("never", "toml:2"),
        "gates.min_coverage": Setting(None, "toml:1"),
        "gates.min_low": Setting(0.0, "toml:5"),
        "gates.fail_under": Setting(70.0, "--fail-under"),
    }
    assert gates_of(settings) == (
        Gate("fail_under", 70.0, "--fail-under"),
        Gate("min_low", 0.0, "toml:5"),
        Gate("must_pass", ("SU-01",), "toml:4"),
    )
    assert gates_of({}) == ()
    every: dict[str, Any] = {"fail_under": 1.0, "min_low": 2.0, "min_coverage": 3.0, "fail_on": "low"}
    every |= {"never_fail": ("A",), "must_pass": ("B",)}
    given = {f"gates.{name}": Setting(value, "toml") for name, value in reversed(every.items())}
    assert [(gate.name, gate.asked) for gate in gates_of(given)] == list(every.items())


def test_contradictions_and_faulty_waivers_count_as_findings(report: AuditReport) -> None:
    one = {"kind": "tender", "id": "A", "value": {"total": {"amount": 300000, "currency": "GBP"}}}
    other = {**one, "id": "B", "value": {"total": {"amount": 400000, "currency": "GBP"}}}
    case = audit_case([one, other], load_packs(["combined-findings"]), as_of=DAY)
    assert case.case is not None
    severity = case.case.contradictions[0].severity
    assert judged(case, "fail_on", severity)[:2] == (False, ("the contradiction on value.total",))
    assert severity != "high"
    assert judged(case, "fail_on", "high")[0]
    expired = Waivers(
        (
            Waiver(
                rule="SU-01",
                document="*",
                pointer=None,
                reason="r",
                owner="o",
                granted="2026-01-01",
                expires="2026-02-01",
                note=None,
                file="w.yaml",
                line=1,
            ),
        )
    )
    assert "the waiver of SU-01" in judged(apply(report, expired, DAY), "fail_on", "medium")[1]
    assert "the waiver of SU-01" not in judged(apply(report, expired, DAY), "fail_on", "high")[1]


def test_data_holds_the_gate_and_its_sentence(report: AuditReport) -> None:
    (data,) = as_data(check_gates(report, [Gate("fail_on", "high", "--fail-on")]))
    assert data["gate"] == "fail_on"
    assert (data["asked"], data["passed"], data["origin"]) == ("high", False, "--fail-on")
    assert data["found"] == list(judged(report, "fail_on", "high")[1])
    assert data["message"] == judged(report, "fail_on", "high")[2]
    assert set(data) == {"gate", "passed", "asked", "found", "origin", "message"}
