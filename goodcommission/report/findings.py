"""What a report says, as one list in one shape, for the formats that machines read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from goodcommission.report.fingerprints import fingerprint
from goodcommission.report.model import plain
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import (
    NOT_ADVICE,
    SEVERITIES,
    View,
    capital,
    contradicted,
    contradiction_matters,
    count,
    deciding,
    evidence_reference,
    few,
    law_numbers,
    listed,
    score_words,
    settled_in,
)

if TYPE_CHECKING:
    from goodcommission.report.model import (
        AuditReport,
        Cited,
        Contradiction,
        FactStated,
        PatternResult,
        RuleResult,
        WaiverFinding,
    )

Status = Literal["finding", "met", "strength", "open", "later", "elsewhere"]
"""Finding: not met, concluded, or a waiver that is wrong. Strength: concluded, and good. Elsewhere: does not apply."""

WAIVERS: Final = "waivers"
"""Stands for a pack where something is wrong with a waiver."""
CONTRADICTIONS: Final = "contradictions"
"""Stands for a pack where documents of a case contradict each other."""
_LONGEST: Final = 600
_SAID: Final = {
    "fail": "Not met",
    "pass": "Met",
    "unknown": "Not evidenced",
    "not_yet_due": "Not yet due",
    "not_applicable": "Does not apply",
}
_WAIVER_TITLES: Final = {
    "expired": "A waiver has run out",
    "not_yet": "A waiver does not hold yet",
    "unused": "A waiver waives nothing",
    "contradictory": "A waiver contradicts another or itself",
    "too_wide": "A waiver is wider than it needs to be",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is stated."""

    file: str
    line: int | None
    column: int | None
    pointer: str
    fact: str
    """The name of the fact; "" where a place in a file of waivers is meant."""
    said: str
    """What is stated there."""
    evidence: str = ""
    """The document that shows it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one rule, one pattern, one contradiction or one faulty waiver says."""

    id: str
    kind: Literal["rule", "combined", "contradiction", "waiver"]
    status: Status
    pack: str
    title: str
    severity: Literal["high", "medium", "low", "positive"]
    message: str
    """One or more sentences that stand alone."""
    details: tuple[str, ...]
    """Lines with what is stated where, why, what to do, and who says so."""
    remedy: str | None
    places: tuple[Place, ...]
    """In the audited document first; none where nothing is stated."""
    fingerprint: str
    excused: str | None
    """Why no gate fails for it: it is waived, or it was there before."""
    scored: bool
    law: bool
    """Of a law pack: it weighs, and is no part of the score."""
    result: RuleResult | PatternResult | Contradiction | WaiverFinding

    @property
    def weighs(self) -> bool:
        """Whether a finding is more than a remark: it counts in the score, or is one of law."""
        return self.scored or self.law

    @property
    def sort(self) -> str:
        """Its kind, with law apart from practice."""
        return "law" if self.law else self.kind


def entries(report: AuditReport) -> tuple[Entry, ...]:
    """All results of a report, in the order of the packs; then combined findings, contradictions, faults of waivers."""
    view = View(report, file_of(report))
    return (
        *(_of_rule(view, result) for result in report.results),
        *(_of_pattern(view, one) for one in report.patterns),
        *(_of_contradiction(view, one) for one in (report.case.contradictions if report.case else ())),
        *(_of_waiver(report, one) for one in report.waiver_findings),
    )


def standing(report: AuditReport) -> tuple[Entry, ...]:
    """The findings of a report that count, the worst first: neither waived nor there before."""
    return _standing(entries(report))


def _standing(found: Sequence[Entry]) -> tuple[Entry, ...]:
    stand = [one for one in found if one.status == "finding" and one.excused is None]
    return tuple(sorted(stand, key=lambda one: (not one.weighs, one.law, SEVERITIES.index(one.severity))))


def headline(report: AuditReport) -> str:
    """What came of an audit, in one or two sentences."""
    all_ = entries(report)
    findings = _standing(all_)
    kinds = (
        ("rule", "rule not met", "rules not met"),
        ("law", "finding of law", "findings of law"),
        ("combined", "combined finding", None),
        ("contradiction", "contradiction", None),
        ("waiver", "waiver at fault", "waivers at fault"),
    )
    numbers = [
        count(amount, one, many) for kind, one, many in kinds if (amount := sum(f.sort == kind for f in findings))
    ]
    high = sum(one.severity == "high" for one in findings)
    found = listed(numbers) + (f" ({high} of high severity)" if high else "") if findings else "no findings"
    excused = sum(one.excused is not None for one in all_)
    set_aside = f", {excused} more waived or known before" if excused else ""
    return f"{neutral(report.document.name)}: {score_words(report.score)}; {found}{set_aside}."


def file_of(report: AuditReport) -> str:
    """The file of the audited document, or of the first of a case; its name where it has none."""
    first = report.case.documents[0] if report.case else report.document
    return report.document.file or first.file or first.name


def path(file: str) -> str:
    """A file's path with slashes, without needless parts: paths are compared as texts."""
    if re.match(r"^(<.*>|\w\w+:)", file):
        return file
    return posixpath.normpath(file.replace("\\", "/"))


def _of_rule(view: View, result: RuleResult) -> Entry:
    rule = result.rule
    status: Status = {  # type: ignore[assignment]
        "fail": "finding", "pass": "met", "unknown": "open", "not_yet_due": "later", "not_applicable": "elsewhere",
    }[result.verdict]  # fmt: skip
    missing = [view.title(view.missing[name]) for name in result.missing if name in view.missing]
    parts = [neutral(result.finding or f"{_SAID[result.verdict]}: {rule.title}", _LONGEST)]
    if result.verdict == "fail" and result.provisional:
        parts.append(f"Unless what is not stated says otherwise: {'; '.join(missing) or 'see the rule'}.")
    if result.reason:
        parts.append(capital(neutral(result.reason)) + ".")
    where = settled_in(result)
    if where and result.verdict == "fail":
        parts.append(f"This is found in {where}.")
    if result.verdict == "unknown" and missing:
        parts.append(f"Not stated: {'; '.join(few(missing))}.")
    if result.claimed:
        parts.append("Met by the document's own word; no evidence is named.")
    if result.verdict == "pass" and result.provisional:
        parts.append(f"Met unless what is not stated says otherwise: {'; '.join(missing)}.")
    facts = deciding(view, result)
    # The stage or a value from the commissioner's profile says less about a finding than what the document states.
    own = result.document or view.report.document.name
    facts = sorted(facts, key=lambda fact: (fact.file != own, plain(fact.name) == "stage"))
    details = [f"Document: {where}"] if where else []
    details += [f"Stated: {_said(view, fact)} ({view.place(fact)}{_shown_by(fact)})" for fact in facts]
    details += [f"Law: {number}" for number in law_numbers(result)]
    details.append(f"Why: {neutral(rule.why)}")
    if result.remedy:
        details.append(f"Remedy: {neutral(result.remedy, _LONGEST)}")
    details += [f"Note: {neutral(note, _LONGEST)}" for note in result.notes]
    details += _sources(rule.sources)
    if rule.law:
        details.append(f"Note: {NOT_ADVICE}")
    return Entry(
        id=rule.id,
        kind="rule",
        status=status,
        pack=rule.pack,
        title=neutral(rule.title),
        severity=result.severity,
        message=" ".join(_sentence(part) for part in parts),
        details=tuple(details),
        remedy=result.remedy and neutral(result.remedy, _LONGEST),
        places=tuple(_place(view, fact) for fact in facts),
        fingerprint=fingerprint(result, view.report.document),
        excused=_excused(result) if result.verdict == "fail" else None,
        scored=rule.scored,
        law=rule.law,
        result=result,
    )


def _of_pattern(view: View, one: PatternResult) -> Entry:
    good = one.severity == "positive"
    status: Status = "open" if one.outcome == "open" else "met"
    if one.outcome == "concluded":
        status = "strength" if good else "finding"
    members = [name for member in one.because if (name := member.partition(":")[0]) in view.rules]
    parts = [neutral(one.title)]
    if members and one.outcome == "concluded":
        parts.append(f"This follows from {listed(members)}.")
    if status == "open":
        waiting = list(dict.fromkeys(member.partition(":")[0] for member in one.undecided))
        parts.append(f"This is open; it waits for {listed(few(waiting))}." if waiting else "This is open.")
    if one.outcome == "excluded":
        parts.append("This does not hold here.")
    facts = [fact for name in members for fact in deciding(view, view.rules[name])]
    facts = sorted(
        dict.fromkeys(facts), key=lambda fact: (fact.file != view.report.document.name, plain(fact.name) == "stage")
    )
    details = [f"Because: {_member(view, name)}" for name in members]
    details.append(f"Why: {neutral(one.why)}")
    if one.remedy:
        details.append(f"Remedy: {neutral(one.remedy)}")
    details += _sources(one.sources)
    return Entry(
        id=one.id,
        kind="combined",
        status=status,
        pack=one.pack,
        title=neutral(one.title),
        severity=one.severity,
        message=" ".join(_sentence(part) for part in parts),
        details=tuple(details),
        remedy=one.remedy and neutral(one.remedy),
        places=tuple(_place(view, fact) for fact in facts) if one.outcome == "concluded" else (),
        fingerprint=fingerprint(one, view.report.document),
        excused=_excused(one) if status == "finding" else None,
        scored=True,
        law=False,
        result=one,
    )


def _of_contradiction(view: View, one: Contradiction) -> Entry:
    matters = contradiction_matters(one)
    return Entry(
        id=f"contradiction-{one.name}",
        kind="contradiction",
        status="finding",
        pack=CONTRADICTIONS,
        title=f"Documents of the case contradict each other on {neutral(one.title)}",
        severity=one.severity,
        message=f"{_sentence(contradicted(one))} {matters}",
        details=(*(f"Stated: {_said(view, fact)} ({view.place(fact)})" for fact in one.statements), f"Why: {matters}"),
        remedy="Find out which is right, and correct the other.",
        places=tuple(_place(view, fact) for fact in one.statements),
        fingerprint=fingerprint(one, view.report.document),
        excused=None,
        law=False,
        scored=True,
        result=one,
    )


def _of_waiver(report: AuditReport, one: WaiverFinding) -> Entry:
    waiver = one.waiver
    places = (Place(one.file, one.line, None, "", "", f"waiver of {neutral(waiver.rule)}"),)
    holds = f"of {neutral(waiver.rule)} by {neutral(waiver.owner)}, until {waiver.expires}"
    details = (f"Waiver: {holds}: {neutral(waiver.reason, _LONGEST)}",)
    return Entry(
        id=f"waiver-{one.kind.replace('_', '-')}",
        kind="waiver",
        status="finding",
        pack=WAIVERS,
        title=_WAIVER_TITLES[one.kind],
        severity=one.severity,
        message=_sentence(neutral(one.message, _LONGEST)),
        details=details,
        remedy=None,
        places=places,
        fingerprint=fingerprint(one, report.document),
        excused=None,
        scored=True,
        law=False,
        result=one,
    )


def _excused(result: RuleResult | PatternResult) -> str | None:
    if result.waived is not None:
        waived = result.waived
        return f"Waived by {neutral(waived.owner)} until {waived.expires}: {neutral(waived.reason, _LONGEST)}"
    return "It was there before: it is in the baseline." if result.known_before else None


def _said(view: View, fact: FactStated) -> str:
    value = neutral(fact.text, 160)
    return f"{view.title(fact)}: {value}" if value else view.title(fact)


def _shown_by(fact: FactStated) -> str:
    shown = evidence_reference(fact)
    return f"; shown by {shown}" if shown else ""


def _place(view: View, fact: FactStated) -> Place:
    return Place(
        path(view.file_of(fact)),
        fact.line,
        fact.column,
        fact.pointer,
        fact.name,
        _said(view, fact),
        evidence_reference(fact) or "",
    )


def _member(view: View, name: str) -> str:
    result = view.rules[name]
    return f"{neutral(result.finding or result.rule.title, 240)} ({name})"


def _sources(sources: Sequence[Cited]) -> Iterator[str]:
    """The first source; the others would bury the finding."""
    if sources:
        more = f"; {len(sources) - 1} more" if len(sources) > 1 else ""
        yield f"Source: {neutral(str(sources[0]))}{more}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
