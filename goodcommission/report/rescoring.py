"""Computes the score anew from a report alone, with some verdicts changed or rules taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goodcommission import scoring
from goodcommission.packs.model import Group, Verdict
from goodcommission.report.model import AuditedPack, AuditReport, OverallScore, RuleResult


@dataclass(frozen=True, slots=True)
class Rescored:
    """A score as it would be."""

    score: OverallScore
    packs: tuple[AuditedPack, ...]
    mends: Mapping[str, float]
    """Points that mending would give, by rule id."""
    narrowing: Mapping[str, float]
    """Points by which stating a fact would narrow the interval, at most, by name."""


def rescore(report: AuditReport, verdicts: Mapping[str, Verdict | None]) -> Rescored:
    """The score of a report if some rules had said something else.

    Args:
        report: What `audit` gave, or what was read from its JSON.
        verdicts: Rule id → the verdict it would have (settled, and for a pass not only claimed); None takes the rule
            out, as if it did not apply. Rules that are not named stay as they are.

    Raises:
        KeyError: The report has no such rule.
    """
    if unknown := verdicts.keys() - {result.rule.id for result in report.results}:
        raise KeyError(", ".join(sorted(unknown)))
    judged = [_judged(result, verdicts) for result in report.results]
    score = scoring.compute(
        judged,
        {
            group.id: Group(title=group.title, severity=group.severity, strength=group.strength)
            for group in report.groups
        },
        {pack.id: pack.weight for pack in report.packs},
    )
    passes = [one for one in judged if one.verdict == "pass" and one.scored]
    by_id = {one.pack: one for one in score.packs}
    return Rescored(
        OverallScore(
            score=score.score,
            low=score.low,
            high=score.high,
            coverage=score.coverage,
            grade=score.grade,
            caps=score.caps,
            passes=len(passes),
            claimed=sum(one.claimed for one in passes),
            evidenced=sum(r.evidenced for r in report.results if r.rule.id not in verdicts and _passes(r)),
        ),
        tuple(
            pack.model_copy(
                update={name: getattr(by_id[pack.id], name) for name in ("score", "low", "high", "coverage")}
            )
            for pack in report.packs
        ),
        score.mends,
        score.narrowing,
    )


def _passes(result: RuleResult) -> bool:
    return result.verdict == "pass" and result.rule.scored


def _judged(result: RuleResult, verdicts: Mapping[str, Verdict | None]) -> scoring.Judged:
    rule = result.rule
    judged = scoring.Judged(
        rule.id,
        rule.pack,
        rule.group,
        rule.severity,
        rule.strength,
        result.verdict,
        result.provisional,
        result.claimed,
        rule.scored,
        result.missing,
        result.severity,
    )
    if rule.id not in verdicts:
        return judged
    return judged._replace(
        verdict=verdicts[rule.id] or "not_applicable", provisional=False, claimed=False, missing=(), found=None
    )
