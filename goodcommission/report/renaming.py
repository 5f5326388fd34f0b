"""Rules that were renamed: what was written under an old id is still theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from goodcommission.report.model import AuditReport, PatternResult, RuleResult


def current_ids(report: AuditReport) -> Mapping[str, str]:
    """Old id → the id under which this report has the rule or combined finding."""
    return {alias: id for id, aliases in _named(report) for alias in aliases}


def under_current_ids(report: AuditReport, names: Mapping[str, str]) -> AuditReport:
    """A report in which rules and combined findings have the ids that another report gives them."""
    if not any(id in names for id, _ in _named(report)):
        return report

    def rule(result: RuleResult) -> RuleResult:
        info = result.rule.model_copy(update={"id": names.get(result.rule.id, result.rule.id)})
        return result.model_copy(update={"rule": info})

    def pattern(one: PatternResult) -> PatternResult:
        return one.model_copy(update={"id": names.get(one.id, one.id)})

    return report.model_copy(
        update={
            "results": tuple(map(rule, report.results)),
            "patterns": tuple(map(pattern, report.patterns)),
            "logic": tuple(one.model_copy(update={"rule": names.get(one.rule, one.rule)}) for one in report.logic),
        }
    )


def _named(report: AuditReport) -> Iterator[tuple[str, tuple[str, ...]]]:
    for result in report.results:
        yield result.rule.id, result.rule.aliases
    for one in report.patterns:
        yield one.id, one.aliases
