"""A comparison of two audits as plain text: what got worse first, then better, then what else changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.engine.texts import say_date
from goodcommission.report.terminal import neutral
from goodcommission.report.text import NARROWEST, WIDEST, Page, bar
from goodcommission.report.wording import (
    KINDS,
    NO_GRADE,
    capital,
    count,
    few,
    grade_words,
    listed,
    number,
    section,
    whole,
)

if TYPE_CHECKING:
    from goodcommission.comparing import (
        Comparison,
        Comparisons,
        FactChange,
        FactNamed,
        FactPlaced,
        Figures,
        PatternChange,
        RuleChange,
        RuleNamed,
        RuleState,
        ScoreChange,
        Side,
    )

_AT: Final = 11
_BAR: Final = 20
_LONGEST: Final = 600
_INDENT: Final = "  "
_VALUE: Final = 160
_MOST_IDS: Final = 12
_REPEATED: Final = 3
"""Names with so many dots belong to sections that are asked again and again."""
_COLOURS: Final[Mapping[str, str]] = {"worse": "bold red", "better": "green", "neither": "yellow"}
_SAID: Final[Mapping[str, str]] = {
    "pass": "met",
    "fail": "not met",
    "unknown": "not known",
    "not_applicable": "does not apply",
    "not_yet_due": "not yet due",
}


def render_all(found: Comparisons, *, width: int = 80, colour: bool = False) -> str:
    """All comparisons as text, then the documents that only one side has.

    Args:
        found: What was compared.
        width: Columns; between 48 and 100 are used.
        colour: Whether to write ANSI colours.
    """
    texts = [render(one, width=width, colour=colour) for one in found.comparisons]
    if len(found.comparisons) > 1 or found.only_before or found.only_after:
        page = Page(max(NARROWEST, min(width, WIDEST)), [])
        _all(page, found)
        texts.append(page.text(colour=colour))
    return ("\n" + "═" * min(width, WIDEST) + "\n\n").join(texts)


def render(comparison: Comparison, *, width: int = 80, colour: bool = False) -> str:
    """One comparison as text; arguments as for `render_all`."""
    page = Page(max(NARROWEST, min(width, WIDEST)), [])
    _headline(page, comparison)
    _alike(page, comparison)
    rules, facts = comparison.rules, {fact.name: fact for fact in comparison.facts}
    for direction in ("worse", "better"):
        of_it = [one for one in rules if one.direction == direction]
        combined = [one for one in comparison.patterns if one.direction == direction]
        if of_it or combined:
            page.heading(f"{capital(direction)}: {count(len(of_it) + len(combined), 'change')}")
        for rule in of_it:
            _rule(page, rule, facts)
        for pattern in combined:
            _pattern(page, pattern)
    rest: tuple[tuple[str, Callable[[RuleChange], bool]], ...] = (
        ("No longer known", lambda one: one.kind == "newly_unknown"),
        ("Newly asked", lambda one: one.kind == "newly_asked"),
        ("No longer asked", lambda one: one.kind == "no_longer_asked"),
        ("Still not met, and said otherwise", lambda one: one.kind == "finding"),
        ("The same answer, on other grounds", lambda one: one.kind == "certainty"),
        ("Waived, or no longer waived", lambda one: one.kind == "waiver"),
    )
    for title, belongs in rest:
        of_it = [one for one in rules if one.direction == "neither" and belongs(one)]
        if of_it:
            page.heading(f"{title}: {count(len(of_it), 'rule')}")
        for rule in of_it:
            _rule(page, rule, facts)
    undecided = [one for one in comparison.patterns if one.direction == "neither"]
    if undecided:
        page.heading(f"No longer certain: {count(len(undecided), 'combined finding')}")
        for pattern in undecided:
            _pattern(page, pattern)
    _facts(page, comparison.facts)
    page.blank()
    page.say(f"{count(comparison.compared, 'rule')} compared. The rules describe good practice; no legal advice.")
    return page.text(colour=colour)


# --- Headline ----------------------------------------------------------------------------------------------------


def _headline(page: Page, comparison: Comparison) -> None:
    old, new = comparison.before, comparison.after
    page.say(neutral(new.title or old.title or new.id or new.name, _LONGEST // 2), style="bold")
    page.labelled("Old", _source(old), at=_AT)
    page.labelled("New", _source(new), at=_AT)
    made = [_made(side) for side in (old, new)]
    page.labelled("Given", f"each {made[0]}" if made[0] == made[1] else f"old: {made[0]}; new: {made[1]}", at=_AT)
    for note in comparison.notes:
        page.labelled("Note", neutral(note, _LONGEST), at=_AT)
    page.blank()
    _scores(page, comparison.score)
    if comparison.common_score:
        page.blank()
        page.say("On the rules that both have, without waivers:", _INDENT)
        _scores(page, comparison.common_score)
    page.blank()
    page.say(_outcome(comparison), _INDENT, "bold")


def _source(side: Side) -> str:
    kind = KINDS.get(side.kind, side.kind).lower()
    return f"{neutral(side.name)} ({kind}{f', {side.stage}' if side.stage else ''})"


def _made(side: Side) -> str:
    day = f"as at {_day(side.as_of)}" if side.as_of else "on no particular day"
    return f"{'a report' if side.given == 'report' else 'a document, audited'} {day}"


def _day(day: str) -> str:
    return say_date(dt.date.fromisoformat(day))


def _scores(page: Page, score: ScoreChange) -> None:
    for when, figures in (("old", score.before), ("new", score.after)):
        if figures.low is None or figures.high is None:
            page.say(f"{when}  no score: nothing that applies is judged", _INDENT)
            continue
        page.lines.append(
            ((_INDENT, ""), (f"{when}  ", "dim"), *bar(figures.low, figures.high, _BAR), (f"  {_figure(figures)}", ""))
        )
        grade = "too little is stated" if figures.grade == NO_GRADE else f"grade {grade_words(figures.grade)}"
        reach = "" if figures.low == figures.high else f", could be {whole(figures.low)} to {whole(figures.high)}"
        page.say(grade + reach, " " * (_BAR + 9), "dim")
    page.labelled("Change", _difference(score), at=_AT)


def _figure(figures: Figures) -> str:
    # A high score over the little that is judged would mislead.
    return "–" if figures.score is None or figures.grade == NO_GRADE else f"{whole(figures.score)} of 100"


def _difference(score: ScoreChange) -> str:
    if score.low_difference is None or score.high_difference is None:
        return "can't be said: one of them has no score"
    if score.before == score.after:
        return "none"
    ends = f"the low end {_signed(score.low_difference)}, the high end {_signed(score.high_difference)}"
    if score.difference is None or NO_GRADE in (score.before.grade, score.after.grade):
        return ends
    return f"{_signed(score.difference)} ({ends})"


def _signed(value: float) -> str:
    return "0" if value == 0 else f"{'+' if value > 0 else '–'}{number(abs(value))}"


def _outcome(comparison: Comparison) -> str:
    if comparison.same:
        if comparison.before.digest == comparison.after.digest and not comparison.unlike:
            return "Nothing changed: it is the same document, audited in the same way."
        return "Nothing changed in what the rules say, nor in the facts that decide it."
    kinds = [one.kind for one in comparison.rules if one.direction == "neither"]
    parts = [
        f"{comparison.worse} worse",
        f"{comparison.better} better",
        *(
            f"{amount} {words}"
            for kind, words in (
                ("newly_unknown", "no longer known"),
                ("newly_asked", "newly asked"),
                ("no_longer_asked", "no longer asked"),
                ("finding", "said otherwise"),
            )
            if (amount := kinds.count(kind))  # type: ignore[arg-type]
        ),
    ]
    return f"{capital(listed(parts))}."


# --- Whether they were made alike --------------------------------------------------------------------------------


def _alike(page: Page, comparison: Comparison) -> None:
    if not (comparison.unlike or comparison.only_before or comparison.only_after):
        return
    page.heading("Not made alike")
    page.say("They are compared on the rules that both have. What differs (old and new):", _INDENT)
    alone_packs = {one.pack for one in (*comparison.only_before, *comparison.only_after)}
    for one in comparison.unlike:
        if one.pack in alone_packs:
            continue  # Its rules are listed below.
        page.labelled("-", f"{neutral(one.message, _LONGEST)}.", at=4)
    for side, alone in (("old", comparison.only_before), ("new", comparison.only_after)):
        for pack, named in _by_pack(alone).items():
            ids = listed([*(one.id for one in named[:_MOST_IDS]), *_more(named)])
            page.labelled("-", f"only in the {side} audit, of {neutral(pack)}: {ids}.", at=4)
    changed = [one.rule.id for one in comparison.rules if one.rule_changed]
    if changed:
        page.labelled("-", f"rules that were changed themselves, and say something else: {listed(changed)}.", at=4)


def _by_pack(named: Iterable[RuleNamed]) -> dict[str, list[RuleNamed]]:
    packs: dict[str, list[RuleNamed]] = {}
    for one in named:
        packs.setdefault(one.pack, []).append(one)
    return packs


def _more(named: Sequence[RuleNamed]) -> list[str]:
    return [f"{len(named) - _MOST_IDS} more"] if len(named) > _MOST_IDS else []


# --- Changes -----------------------------------------------------------------------------------------------------


def _rule(page: Page, change: RuleChange, facts: Mapping[str, FactChange]) -> None:
    page.blank()
    colour = _COLOURS[change.direction]
    page.labelled(change.rule.id, neutral(change.rule.title), at=_AT, indent="", styles=(colour, "bold"))
    page.labelled("Was", _state(change.before), at=_AT)
    page.labelled("Is", _state(change.after), at=_AT)
    names = dict.fromkeys((*change.after.decided_by, *change.before.decided_by, *change.after.missing))
    for index, fact in enumerate(facts[name] for name in names if name in facts):
        page.labelled("Because" if index == 0 else "", _moved(fact), at=_AT)
    known = [one for one in change.decided_by if one.name not in {*facts, "kind", "stage", "as_of"}]
    for index, stated in enumerate(known if change.kind in ("verdict", "newly_asked") else ()):
        value = neutral(stated.stated.text, _VALUE)
        said = _title(stated) + (f": {value}" if value else "")
        page.labelled("Stated" if index == 0 else "", f"{said} ({_place(stated.stated)})", at=_AT)
    if change.direction == "worse" and change.after.remedy:
        page.labelled("Remedy", neutral(change.after.remedy, _LONGEST), at=_AT)
    if change.kind == "newly_unknown" and change.after.missing:
        page.labelled("Missing", f"not stated, or it does not help: {listed(few(change.after.missing))}", at=_AT)
    if change.rule_changed:
        page.labelled("Note", "the rule itself was changed, or a limit in it.", at=_AT)


def _state(state: RuleState) -> str:
    said = _SAID[state.verdict]
    if state.verdict == "fail":
        said += f", {state.severity} severity"
    marks = []
    if state.claimed:
        marks.append("by the document’s own word, without evidence")
    if state.provisional:
        marks.append("unless what is not stated says otherwise")
    if state.waived:
        marks.append("waived")
    said += f" ({'; '.join(marks)})" if marks else ""
    more = state.finding if state.verdict == "fail" else state.reason
    return f"{said}: {neutral(more, _LONGEST)}" if more else said


def _pattern(page: Page, change: PatternChange) -> None:
    page.blank()
    styles = (_COLOURS[change.direction], "bold")
    page.labelled(change.id, neutral(change.title), at=_AT, indent="", styles=styles)
    good = "positive" in (change.before.severity, change.after.severity)
    what = "a strength" if good else "a combined finding"
    said = {
        "concluded": f"{what}, and it was not one before" + ("" if good else f": {change.after.severity} severity"),
        "gone": f"no longer {what}",
        "open": f"was {what}; whether it still is depends on what is not stated",
        "severity": f"{what}: {change.before.severity} severity before, {change.after.severity} now",
    }[change.kind]
    page.labelled("Is", said, at=_AT)
    members = [one.partition(":")[0] for one in change.after.because]
    if change.kind == "concluded" and members:
        page.labelled("Because", f"of {listed(members)}", at=_AT)


def _moved(fact: FactChange) -> str:
    return f"{_title(fact)}: {_value(fact.before)} → {_value(fact.after)}"


def _title(fact: FactChange | FactNamed) -> str:
    title = neutral(fact.title)
    repeated = "[" in fact.name or fact.name.count(".") >= _REPEATED
    return f"{title} ({section(fact.name)})" if repeated and ", no. " not in title else title


def _value(value: FactPlaced | None) -> str:
    return "not stated" if value is None else neutral(value.text, _VALUE) or "stated"


def _facts(page: Page, facts: Sequence[FactChange]) -> None:
    if not facts:
        return
    page.heading(f"Stated otherwise: {count(len(facts), 'fact')}")
    for fact in facts:
        page.labelled("-", _moved(fact), at=4)
        places = " → ".join(_place(value) for value in (fact.before, fact.after) if value)
        page.labelled("", f"{fact.name} ({places})", at=4, styles=("", "dim"))


def _place(value: FactPlaced) -> str:
    return neutral(":".join(str(part) for part in (value.file, value.line, value.column) if part is not None))


# --- Several documents -------------------------------------------------------------------------------------------


def _all(page: Page, found: Comparisons) -> None:
    page.heading(f"{count(len(found.comparisons), 'document')} compared")
    for one in found.comparisons:
        said = "nothing changed" if one.same else f"{one.worse} worse, {one.better} better"
        page.labelled("-", f"{neutral(one.after.name)}: {said}", at=4)
    for side, names in (("first", found.only_before), ("second", found.only_after)):
        if names:
            page.blank()
            page.say(f"Only in the {side} file, and compared with nothing:", _INDENT)
            for name in names:
                page.labelled("-", neutral(name), at=4)
