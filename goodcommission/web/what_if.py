"""What if: the few values that decide most, to be changed beside the report; the document itself stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import FormData

from goodcommission.comparing import Comparison, compare
from goodcommission.description.document import Document
from goodcommission.description.facts import COMPLETE, GIVEN, Fact, dictionary
from goodcommission.description.raw import held as stated
from goodcommission.description.raw import place
from goodcommission.description.reading import read_description
from goodcommission.description.writing import as_written
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.model import Verdict
from goodcommission.quick_check import AnswerError
from goodcommission.report.model import AuditReport
from goodcommission.report.wording import capital, score_words
from goodcommission.web.fields import LEFT, Field, currency_of, entry_in, entry_of, meaning, said, section
from goodcommission.web.service import AuditOptions, Service

MOST: Final = 8
"""Values that are offered."""
_OFFERED: Final = frozenset({"bool", "int", "double", "money", "date", "enum"})
_NOT_OFFERED: Final = frozenset({"kind", "stage"})
_MOVES: Final = frozenset({"verdict", "newly_unknown", "newly_asked", "no_longer_asked"})
_WORDS: Final[Mapping[Verdict, str]] = {
    "pass": "met",
    "fail": "not met",
    "unknown": "not evidenced",
    "not_yet_due": "not yet due",
    "not_applicable": "does not apply",
}
_OUTCOMES: Final[Mapping[str, str]] = {
    "concluded": "it adds up to this",
    "gone": "it no longer adds up to this",
    "open": "this is open now",
    "severity": "of another severity",
}


@dataclass(frozen=True, slots=True)
class Move:
    """A rule or combined finding of which something else came."""

    id: str
    title: str
    before: str
    after: str
    direction: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial."""

    before: str
    after: str
    low: float
    high: float
    moves: tuple[Move, ...] = ()
    reworded: int = 0
    """Rules that say the same for another reason."""
    changed: int = 0
    """Values that were changed."""
    errors: tuple[str, ...] = ()
    """What can't be tried; the figures are then those of the report."""


def offered(report: AuditReport) -> tuple[Fact, ...]:
    """The values that decide most: by the points that mending gives, and by how much the interval would narrow."""
    worth: dict[str, float] = {}

    def add(reference: str, points: float) -> None:
        name = reference.removesuffix(GIVEN).removesuffix(COMPLETE)
        fact = dictionary().get(name)
        if fact is not None and fact.type in _OFFERED and name not in _NOT_OFFERED:
            worth[name] = worth.get(name, 0.0) + points

    narrows = {one.name: one.narrows for one in report.missing}
    for result in report.results:
        if result.verdict == "fail" or result.provisional:
            for reference in result.decided_by:
                add(reference, result.points or 0.1)
        if result.provisional:
            for reference in result.missing:
                add(reference, narrows.get(reference, 0.0))
    best = sorted(worth, key=lambda name: -worth[name])[:MOST]
    order = {name: place for place, name in enumerate(dictionary())}
    return tuple(dictionary()[name] for name in sorted(best, key=order.__getitem__))


def fields(document: Document, report: AuditReport, form: FormData | None = None) -> tuple[Field, ...]:
    """The fields of the trial, with what the document states or with what was tried."""
    raw = as_written(document)
    found = []
    for fact in offered(report):
        held = stated(raw, fact.name, LEFT)
        entry = entry_in(form, fact) if form is not None else entry_of(fact, held)
        found.append(Field(fact, entry, currency_of(held), about=section(fact)))
    return tuple(found)


def tried(service: Service, document: Document, report: AuditReport, options: AuditOptions, form: FormData) -> Outcome:
    """The audit with other values, and what moved."""
    raw = as_written(document)
    errors: list[str] = []
    changed = 0
    for fact in offered(report):
        held, entry = stated(raw, fact.name, LEFT), entry_in(form, fact)
        if entry == entry_of(fact, held):
            continue
        try:
            value = meaning(fact, entry, currency_of(held))
        except AnswerError as error:
            errors.append(f"{capital(fact.title)}: {said(error.faults)}")
            continue
        changed += 1
        _put(raw, fact, value)
    after = report
    if changed and not errors:
        try:
            after = service.audit(read_description(raw, commissioner=options.profile()), options)
        except DescriptionError as error:
            errors.append(said(error.faults))
    comparison = compare(report, after)
    score = after.score
    return Outcome(
        score_words(report.score),
        score_words(after.score),
        score.low or 0.0,
        100.0 if score.high is None else score.high,
        _moves(comparison),
        sum(one.kind in ("finding", "certainty") for one in comparison.rules),
        changed,
        tuple(errors),
    )


def _moves(comparison: Comparison) -> tuple[Move, ...]:
    rules = tuple(
        Move(
            one.rule.id,
            one.rule.title,
            _WORDS[one.before.verdict],
            _WORDS[one.after.verdict],
            one.direction,
        )
        for one in comparison.rules
        if one.kind in _MOVES
    )
    patterns = tuple(Move(one.id, one.title, "", _OUTCOMES[one.kind], one.direction) for one in comparison.patterns)
    order = {"worse": 0, "better": 1, "neither": 2}
    return tuple(sorted((*rules, *patterns), key=lambda one: order[one.direction]))


def _put(raw: dict[str, Any], fact: Fact, value: Any) -> None:
    """State another value, or none; what showed the old one to be true shows nothing of the new one."""
    within, last = place(raw, fact.name)
    if value is LEFT:
        within.pop(last, None)
    else:
        within[last] = value
    if isinstance(raw.get("evidence"), list):
        raw["evidence"] = [
            one
            for one in raw["evidence"]
            if not isinstance(one, Mapping) or not f"{one.get('pointer')}/".startswith(f"{fact.pointer}/")
        ]
