"""The audit of a template: what each rule says of it, whatever is filled in."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from goodcommission.auditing import GOVERNING, rule_infos, tier_reached
from goodcommission.description.document import printable_name
from goodcommission.description.facts import days as in_days
from goodcommission.description.facts import dictionary, gather
from goodcommission.description.reading import with_profile
from goodcommission.description.templates import SYNTAX, Place, Placeholder, Template, read_template
from goodcommission.description.types import NONE
from goodcommission.description.validation import validate
from goodcommission.engine.templates import Piece, Question, Row, Solution, Span, said, scale, solve
from goodcommission.engine.texts import say
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.packs.model import TIERS, Tier
from goodcommission.report.model import AuditedProfile, RuleInfo, Scalar
from goodcommission.report.template_model import (
    Ending,
    GivenValue,
    Holds,
    PlaceholderInfo,
    PlaceholderPlace,
    Range,
    Solved,
    TemplateCounts,
    TemplateDocument,
    TemplateReport,
    TemplateRule,
)
from goodcommission.report.wording import KINDS, listed
from goodcommission.version import VERSION

_WORDS: Final = {"met": "met", "not_met": "not met", "not_asked": "not asked", "not_evidenced": "not evidenced"}
_ORDER: Final = ("met", "not_met", "not_asked", "not_evidenced")


def audit_template(
    template: Template | Mapping[str, Any] | str | os.PathLike[str],
    packs: Packs | Sequence[str] | None = None,
    *,
    syntax: Sequence[str] = SYNTAX,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    as_of: dt.date | None = None,
    tier: Tier | None = None,
) -> TemplateReport:
    """Work out what rules say of a template, over everything that its placeholders may stand for.

    A pure function: no clock, no network, no environment. Safe to call from threads.

    Args:
        template: A file (JSON or YAML), a dict in the same form, or what ``read_template`` gave.
        packs: What ``load_packs`` gave, or ids of shipped packs; all shipped packs by default.
        syntax: How placeholders are written; not for what ``read_template`` gave.
        commissioner: The commissioner's profile, as for ``audit``.
        as_of: The day of the audit; by default the document's own governing date, which may be a placeholder.
        tier: How much to ask; by default what the value of the contract says, which may be a placeholder.

    Returns:
        For each rule whether it always holds, never holds or depends on placeholders, and on which values.

    Raises:
        DescriptionError: The template can't be read or is not valid; all faults are named.
        PackError: A pack is not there.
    """
    if not isinstance(template, Template):
        template = read_template(template, syntax=syntax)
    if commissioner is not None:
        template = replace(template, document=with_profile((template.document,), commissioner)[0])
    # A law holds for what is bought, on its dates; a template has none.
    used = (packs if isinstance(packs, Packs) else load_packs(packs)).practice
    question = ask(template, used, as_of=as_of, tier=tier)
    infos, _ = rule_infos(used)
    kind = template.document.description.kind
    rules = []
    for rule in used.rules:
        info = infos[rule.rule.id]
        if kind in rule.rule.applies_to:
            rules.append(_result(info, solve(rule, question), template, question))
        else:
            rules.append(_elsewhere(info, rule.rule.applies_to))
    return _report(template, question, used, tuple(rules), as_of, tier)


def ask(template: Template, packs: Packs, *, as_of: dt.date | None = None, tier: Tier | None = None) -> Question:
    """A template, in the form in which rules are solved for it."""
    facts = gather(template.document, packs.currency)
    if as_of is not None:
        facts = replace(facts, values={**facts.values, "as_of": in_days(as_of)})
    kind = template.document.description.kind
    placeholders = tuple(one for one in template.placeholders.values() if one.type is not None)
    question = Question(
        facts,
        kind,
        placeholders,
        {one.name: _limits(template, one, packs.currency) for one in placeholders if scale(one)},
        template.lists,
        packs.currency,
        () if as_of else (*GOVERNING[kind], "as_at"),
        packs.tiers,
        None if tier is None else TIERS.index(tier),
        lambda setting: tier_reached(packs, setting, tier),
    )
    for name in question.governing:
        if name in facts.values:
            return replace(question, facts=replace(facts, values={**facts.values, "as_of": facts.values[name]}))
    return question


# --- What the rest of the template allows ------------------------------------------------------------------------


def _limits(template: Template, placeholder: Placeholder, currency: str) -> tuple[int, int]:
    """The lowest and the highest figure that contradicts nothing that is stated, in steps.

    All that a description may not contradict are limits to one side, so that what fits lies between two figures.
    """
    of = scale(placeholder)
    assert of is not None  # noqa: S101 (asked only of figures)

    def fits(step: int) -> bool:
        try:
            validate(template.fill({placeholder.name: said(placeholder, step)}, currency), None, "")
        except DescriptionError:
            return False
        return True

    low, high = of.low, of.high
    ends = fits(low), fits(high)
    if all(ends):
        return low, high
    inside = low if ends[0] else high if ends[1] else next((s for s in _stated(template, placeholder) if fits(s)), None)
    if inside is None:
        return low, high  # Nothing fits: each audit of what is filled in will say why.
    return _edge(fits, inside, low), _edge(fits, inside, high)


def _edge(fits: Any, inside: int, end: int) -> int:
    """The last step that fits, on the way from one that does."""
    if fits(end):
        return end
    outside = end
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if fits(middle) else (inside, middle)
    return inside


def _stated(template: Template, placeholder: Placeholder) -> Iterator[int]:
    """The figures of the same type that are stated."""
    of = scale(placeholder)
    assert of is not None  # noqa: S101 (asked only of figures)
    entries = dictionary()
    for name, value in gather(template.document).values.items():
        fact = entries.get(name)
        if (
            fact is not None
            and fact.type == placeholder.type
            and of.low <= (step := round(value * of.steps)) <= of.high
        ):
            yield step


# --- In words ----------------------------------------------------------------------------------------------------


def _unit(placeholder: Placeholder, currency: str) -> str | None:
    return {"money": currency, "date": "date", "enum": "enum"}.get(placeholder.type or "") or (
        "share" if placeholder.unit == "share" else None
    )


def _words(placeholder: Placeholder, value: Any, currency: str) -> str:
    """A value of a placeholder, as a sentence says it."""
    if value == NONE and placeholder.type != "enum":
        return "none"
    return say(value, _unit(placeholder, currency))


def _trailing(step: int) -> int:
    return len(str(step)) - len(str(step).rstrip("0")) if step else 20


def _end(placeholder: Placeholder, inside: int, beyond: int) -> tuple[int, bool]:
    """How a limit is written: the last figure inside, or the rounder one beyond (below £50,000, not to £49,999.99)."""
    if placeholder.type in ("int", "date") or _trailing(inside) >= _trailing(beyond):
        return inside, True
    return beyond, False


def _range(placeholder: Placeholder, span: Span, limits: tuple[int, int], currency: str) -> Range:
    name = placeholder.name
    low, low_in = (None, True) if span.low <= limits[0] else _end(placeholder, span.low, span.low - 1)
    high, high_in = (None, True) if span.high >= limits[1] else _end(placeholder, span.high, span.high + 1)

    def shown(step: int) -> str:
        value = scale(placeholder)
        return say(step if value is None else value.value(step), _unit(placeholder, currency))

    if low is None and high is None:
        text = f"any {name}"
    elif span.low == span.high:
        text = f"{name} is {shown(span.low)}" if placeholder.type == "date" else f"{name} = {shown(span.low)}"
        low = high = span.low
        low_in = high_in = True
    elif placeholder.type == "date":
        after = "" if low is None else shown(low)
        until = "" if high is None else shown(high)
        text = (
            f"{name} is from {after} to {until}"
            if after and until
            else (f"{name} is on {after} or later" if after else f"{name} is on {until} or earlier")
        )
    else:
        above = "" if low is None else f"{shown(low)} {'≤' if low_in else '<'} "
        below = "" if high is None else f" {'≤' if high_in else '<'} {shown(high)}"
        if low is not None and high is None:
            text = f"{name} {'≥' if low_in else '>'} {shown(low)}"
        else:
            text = f"{above}{name}{below}"
    return Range.of(
        low=None if low is None else said(placeholder, low),
        low_included=low_in,
        high=None if high is None else said(placeholder, high),
        high_included=high_in,
        text=text,
    )


def _ending(placeholder: Placeholder, pieces: Sequence[Piece], limits: tuple[int, int], currency: str) -> Ending:
    """All pieces with one outcome."""
    spans = _connected(piece.span for piece in pieces if piece.span is not None)
    ranges = tuple(_range(placeholder, span, limits, currency) for span in spans)
    values = tuple(value for piece in pieces for value in piece.values)
    return Ending.of(
        outcome=pieces[0].outcome,
        provisional=any(piece.provisional for piece in pieces),
        ranges=ranges,
        values=values,
        text=_either_way(placeholder, ranges, values, currency),
    )


def _solved(row: Row, template: Template, limits: Mapping[str, tuple[int, int]], currency: str) -> Solved:
    placeholder = template.placeholders[row.placeholder]
    given = tuple(_given(template.placeholders[name], values, limits, currency) for name, values in row.given)
    grouped = [[piece for piece in row.pieces if piece.outcome == outcome] for outcome in _ORDER]
    span = limits.get(row.placeholder, (0, 0))
    endings = tuple(_ending(placeholder, pieces, span, currency) for pieces in grouped if pieces)
    text = f"{_if([one.text for one in given])}{_sentence(endings)}"
    return Solved.of(given=given, placeholder=row.placeholder, endings=endings, text=text)


def _given(
    placeholder: Placeholder, found: Sequence[Any], limits: Mapping[str, tuple[int, int]], currency: str
) -> GivenValue:
    spans = _connected(sorted((one for one in found if isinstance(one, Span)), key=lambda span: span.low))
    ranges = tuple(_range(placeholder, span, limits[placeholder.name], currency) for span in spans)
    values = tuple(one for one in found if not isinstance(one, Span))
    text = _either_way(placeholder, ranges, values, currency)
    return GivenValue.of(placeholder=placeholder.name, ranges=ranges, values=values, text=text)


def _connected(spans: Iterable[Span]) -> list[Span]:
    """Ranges in order, those that touch as one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].high + 1 == span.low:
            found[-1] = Span(found[-1].low, span.high)
        else:
            found.append(span)
    return found


def _either_way(placeholder: Placeholder, ranges: Sequence[Range], values: Sequence[Any], currency: str) -> str:
    texts = [one.text for one in ranges]
    if values:
        shown = " or ".join(_words(placeholder, value, currency) for value in values)
        texts.append(f"{placeholder.name} is {shown}")
    return " or ".join(texts)


def _if(conditions: Sequence[str]) -> str:
    return f"where {listed(conditions)}: " if conditions else ""


def _sentence(endings: Sequence[Ending]) -> str:
    """As in “met if contract_value ≥ £450,000; not asked if contract_value < £50,000; otherwise not met”."""
    if len(endings) == 1:
        return f"always {_WORDS[endings[0].outcome]}"
    # What takes most words is what remains; how it is met is always said.
    rest = max(endings, key=lambda one: (one.outcome != "met", len(one.ranges) + len(one.values), len(one.text)))
    parts = [f"{_WORDS[one.outcome]} if {one.text}" for one in endings if one is not rest]
    return f"{'; '.join(parts)}; otherwise {_WORDS[rest.outcome]}"


def _answer(solution: Solution, solved: Sequence[Solved], missing: Sequence[str]) -> str:
    """What the rule says, in one sentence."""
    names = listed(solution.placeholders)
    unstated = f" and on what is not stated ({listed(missing)})" if missing else " and on what is not stated"
    if solution.holds == "unsolved":
        return f"not worked out: it may depend on {names}"
    if solved:
        return ". ".join(one.text for one in solved)
    waits = f": it waits for {listed(missing)}" if missing and solution.holds == "not_evidenced" else ""
    certain = {"always": "met", "never": "not met", "not_evidenced": "not evidenced", "not_asked": "not asked"}
    if solution.holds in certain:
        where = f" (whether it is asked depends on {names})" if names else ""
        return f"{certain[solution.holds]} whatever is filled in{where}{waits}"
    return f"depends on {names or 'what is filled in'}" + (unstated if solution.holds == "depends_and_unstated" else "")


# --- The report --------------------------------------------------------------------------------------------------


def _result(info: RuleInfo, solution: Solution, template: Template, question: Question) -> TemplateRule:
    solved = tuple(_solved(row, template, question.limits, question.currency) for row in solution.rows)
    never = solution.failing if solution.holds == "never" else None
    return TemplateRule.of(
        rule=info,
        severity=solution.failing.severity if solution.failing else info.severity,
        holds=solution.holds,
        placeholders=solution.placeholders,
        outcomes=tuple(outcome for outcome in _ORDER if outcome in solution.outcomes),
        provisional=solution.provisional,
        solved=solved,
        text=_answer(solution, solved, solution.missing),
        reason=solution.reason,
        missing=solution.missing,
        finding=never.finding if never else None,
        remedy=never.remedy if never else None,
    )


def _elsewhere(info: RuleInfo, kinds: Sequence[str]) -> TemplateRule:
    """A rule that is asked of other kinds of document."""
    return TemplateRule.of(
        rule=info,
        severity=info.severity,
        holds="not_asked",
        placeholders=(),
        outcomes=("not_asked",),
        provisional=False,
        solved=(),
        text=f"asked of a {' or '.join(KINDS[kind].lower() for kind in kinds)}",
        reason=None,
        missing=(),
        finding=None,
        remedy=None,
    )


def _report(
    template: Template,
    question: Question,
    packs: Packs,
    rules: tuple[TemplateRule, ...],
    as_of: dt.date | None,
    tier: Tier | None,
) -> TemplateReport:
    document, description = template.document, template.document.description
    counts: Counter[Holds] = Counter(rule.holds for rule in rules)
    depending: dict[str, list[str]] = {}
    for rule in rules:
        for name in rule.placeholders if rule.holds in {"depends", "depends_and_unstated"} else ():
            depending.setdefault(name, []).append(rule.rule.id)
    return TemplateReport(
        goodcommission=VERSION,
        template=TemplateDocument(
            name=printable_name(document.name),
            kind=description.kind,
            stage=description.stage,
            id=description.id,
            title=description.title,
            digest=document.digest,
            profile=AuditedProfile(name=printable_name(document.profile.name), digest=document.profile.digest)
            if document.profile
            else None,
        ),
        as_of=as_of.isoformat() if as_of else None,
        tier=tier,
        packs_digest=packs.digest,
        placeholders=tuple(
            _placeholder(one, question, tuple(depending.get(one.name, ()))) for one in template.placeholders.values()
        ),
        counts=TemplateCounts(**{name: counts[name] for name in TemplateCounts.model_fields}),  # type: ignore[index]
        rules=rules,
    )


def _placeholder(placeholder: Placeholder, question: Question, rules: tuple[str, ...]) -> PlaceholderInfo:
    of = scale(placeholder)
    lowest: Scalar | None = None
    highest: Scalar | None = None
    if of is not None:
        low, high = question.limits[placeholder.name]
        lowest = said(placeholder, low) if low > of.low else None
        highest = said(placeholder, high) if high < of.high else None
    return PlaceholderInfo(
        name=placeholder.name,
        type=placeholder.type or "evidence",
        unit=question.currency if placeholder.type == "money" else placeholder.unit,
        places=tuple(
            PlaceholderPlace(
                fact=place.reference if place.fact else None,
                title=_title(place),
                pointer=place.pointer,
                line=place.line,
                column=place.column,
            )
            for place in placeholder.places
        ),
        lowest=lowest,
        highest=highest,
        rules=rules,
    )


def _title(place: Place) -> str:
    """What stands there, in plain English."""
    if place.fact is None:
        return "the evidence"
    fact = dictionary()[place.fact]
    return f"{fact.title}: {fact.fields[place.field].title}" if place.field else fact.title
