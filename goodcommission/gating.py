"""Gates: what a report must reach before work may go on. Each is judged by itself, and none is averaged away."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from goodcommission.exceptions import Fault, GoodCommissionError
from goodcommission.report.renaming import current_ids

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport, PatternResult, RuleResult

GateName = Literal["fail_under", "min_low", "min_coverage", "fail_on", "never_fail", "must_pass"]

_ORDER: Final = ("low", "medium", "high")
_STATES: Final[Mapping[str, str]] = {
    "pass": "met for now, and what is not stated could overturn it",
    "fail": "not met",
    "unknown": "not evidenced",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that is asked of a report.

    ``fail_under``, ``min_low`` and ``min_coverage`` ask for points of 100: of the score, of the low end of its
    interval, of the share that is judged. ``fail_on`` asks for no finding of this severity or above, combined
    findings and what is wrong with waivers included; what is waived or was there before is passed over.
    ``never_fail`` and ``must_pass`` name rules or combined findings, waived or not: those of the one may be unknown,
    those of the other may not.
    """

    name: GateName
    asked: float | str | tuple[str, ...]
    origin: str
    """Where it was set: an option, or a line of a configuration file."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What became of one gate."""

    gate: Gate
    passed: bool
    found: float | tuple[str, ...] | None
    """The figure that was compared (None if there is none), or the ids that are in the way."""
    message: str
    """What was found and what is asked, in one sentence without its full stop."""

    def line(self, document: str) -> str:
        """The gate in one line."""
        return f"{document}: {self.message} ({self.gate.origin})."


def gates_of(settings: Mapping[str, Any]) -> tuple[Gate, ...]:
    """The gates among settings (``gates.fail_under`` and so on, each with a value and an origin), in one order."""
    gates = []
    names: tuple[GateName, ...] = ("fail_under", "min_low", "min_coverage", "fail_on", "never_fail", "must_pass")
    for name in names:
        setting = settings.get(f"gates.{name}")
        if setting is not None and setting.value not in (None, (), "never"):
            gates.append(Gate(name, setting.value, str(setting.origin)))
    return tuple(gates)


def check_gates(report: AuditReport, gates: Iterable[Gate]) -> tuple[GateResult, ...]:
    """Judge a report by each gate.

    Raises:
        GoodCommissionError: A gate names a rule that is not part of the report: it could never fail.
    """
    return tuple(_check(report, gate) for gate in gates)


def _check(report: AuditReport, gate: Gate) -> GateResult:
    score = report.score
    if isinstance(gate.asked, tuple):
        return _named(report, gate, gate.asked)
    if isinstance(gate.asked, str):
        return _severity(report, gate, gate.asked)
    if gate.name == "min_coverage":
        return _figure(gate, score.coverage, "{found}% of what applies is judged", gate.asked, "%")
    if gate.name == "min_low":
        return _figure(gate, score.low, "the low end of the score is {found}", gate.asked)
    return _figure(gate, score.score, "the score is {found}", gate.asked)


def _figure(gate: Gate, found: float | None, text: str, least: float, unit: str = "") -> GateResult:
    said = "there is no score" if found is None else text.format(found=f"{found:g}")
    passed = found is not None and found >= least
    return GateResult(gate, passed, found, f"{said}, and at least {least:g}{unit} is asked for")


def _severity(report: AuditReport, gate: Gate, least: str) -> GateResult:
    worse = _ORDER[_ORDER.index(least) :]
    ids = [r.rule.id for r in report.results if r.stands and (r.rule.scored or r.rule.law) and r.severity in worse]
    ids += [p.id for p in report.patterns if p.stands and p.severity in worse]
    contradictions = report.case.contradictions if report.case else ()
    ids += [f"the contradiction on {one.name}" for one in contradictions if one.severity in worse]
    ids += [f"the waiver of {one.waiver.rule}" for one in report.waiver_findings if one.severity in worse]
    above = least if least == "high" else f"{least} or higher"
    if not ids:
        return GateResult(gate, True, (), f"no finding of {above} severity")
    findings = "1 finding" if len(ids) == 1 else f"{len(ids)} findings"
    return GateResult(gate, False, tuple(ids), f"{findings} of {above} severity: {', '.join(ids)}")


def _named(report: AuditReport, gate: Gate, ids: Sequence[str]) -> GateResult:
    """Rules that may never fail, or must pass: a waiver or a baseline does not help them."""
    rules = {result.rule.id: result for result in report.results}
    patterns = {one.id: one for one in report.patterns}
    unanswered = {one.id for one in report.questions if one.answer is None}
    in_the_way: list[tuple[str, str]] = []
    renamed = current_ids(report)
    for id in dict.fromkeys(renamed.get(id, id) for id in ids):
        if id in unanswered:
            why = "not answered" if gate.name == "must_pass" else None
        elif id in rules:
            why = _why_rule(rules[id], gate)
        elif id in patterns:
            why = _why_pattern(patterns[id], gate)
        else:
            near = difflib.get_close_matches(id.upper(), [*rules, *patterns], n=1)
            advice = f"Did you mean {near[0]}?" if near else "Is its pack among those that are used?"
            message = f'there is no rule "{id}" in the audit of {report.document.name} ({gate.origin})'
            raise GoodCommissionError(Fault(message, suggestion=advice))
        if why:
            in_the_way.append((id, why))
    asked = "may never fail" if gate.name == "never_fail" else "must be met"
    found = tuple(id for id, _ in in_the_way)
    if not found:
        whole = "none fails" if gate.name == "never_fail" else "none fails or is unknown"
        return GateResult(gate, True, (), f"{', '.join(ids)} {asked}: {whole}")
    return GateResult(gate, False, found, "; ".join(f"{id} {asked}, and is {why}" for id, why in in_the_way))


def _why_rule(result: RuleResult, gate: Gate) -> str | None:
    verdict = result.verdict
    if verdict == "fail" or (gate.name == "must_pass" and (verdict == "unknown" or result.provisional)):
        return _STATES[verdict] + (", though it is waived" if verdict == "fail" and result.waived else "")
    return None


def _why_pattern(one: PatternResult, gate: Gate) -> str | None:
    if one.severity == "positive":
        message = f"{one.id} is a strength: a gate can't be set on it ({gate.origin})"
        raise GoodCommissionError(Fault(message, suggestion="Name rules, or combined findings that are a risk."))
    if one.outcome == "concluded":
        return "found"
    return "open" if gate.name == "must_pass" and one.outcome == "open" else None


def as_data(results: Sequence[GateResult]) -> list[dict[str, Any]]:
    """Gates as JSON holds them."""
    return [
        {
            "gate": result.gate.name,
            "passed": result.passed,
            "asked": list(result.gate.asked) if isinstance(result.gate.asked, tuple) else result.gate.asked,
            "found": list(result.found) if isinstance(result.found, tuple) else result.found,
            "origin": result.gate.origin,
            "message": result.message,
        }
        for result in results
    ]
