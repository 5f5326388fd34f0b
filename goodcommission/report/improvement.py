"""The smallest change as plain text: what to decide, what to do first, and what each gives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from goodcommission.engine.texts import say_date
from goodcommission.report.terminal import neutral
from goodcommission.report.text import NARROWEST, WIDEST, Page, bar
from goodcommission.report.wording import (
    NO_GRADE,
    count,
    grade_words,
    listed,
    number,
    points,
    section,
    what_for,
    whole,
)

if TYPE_CHECKING:
    from goodcommission.improving import Figures, Improvement, MendedRule, ProposedEdit, Step
    from goodcommission.report.model import FactMissing

_AT: Final = 11
_BAR: Final = 20
_LONGEST: Final = 600
_REPEATED: Final = 3
"""Names with so many dots belong to sections that are asked again and again."""
_LABELS: Final = {"safe": "Write", "decision": "Decide", "evidence": "State"}
_COLOURS: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}


def render(improvement: Improvement, *, width: int = 80, colour: bool = False) -> str:
    """The edits of one description as text.

    Args:
        improvement: What `improve` gave.
        width: Columns; between 48 and 100 are used.
        colour: Whether to write ANSI colours.
    """
    page = Page(max(NARROWEST, min(width, WIDEST)), [])
    _headline(page, improvement)
    patched = [step for step in improvement.steps if step.kind != "evidence"]
    first = [step for step in improvement.steps if step.kind == "evidence"]
    if patched:
        page.heading(f"Decide: {count(len(patched), 'step')}, {points(_sum(patched))}")
        page.say("All of this is in the patch (--patch FILE writes it). Somebody has to choose it.", "  ")
        _steps(page, patched)
    if first:
        page.heading(f"Do or show first: {count(len(first), 'step')}, {points(_sum(first))}")
        page.say(
            "Nothing that is marked “State” is in the patch: state it once it is so, and name under `evidence` what "
            "shows it.",
            "  ",
        )
        _steps(page, first)
    if improvement.not_offered:
        page.heading(f"Left as they are: {count(len(improvement.not_offered), 'finding')}")
        for one in improvement.not_offered:
            page.labelled(one.rule, neutral(one.finding, _LONGEST), at=_AT, indent="")
            page.labelled("But", f"{one.reason}.", at=_AT)
    _state_first(page, improvement)
    _foot(page, improvement)
    return page.text(colour=colour)


def _headline(page: Page, improvement: Improvement) -> None:
    page.say(neutral(improvement.title or improvement.name, _LONGEST // 2), style="bold")
    page.labelled("File", neutral(improvement.name), at=_AT)
    day = improvement.as_of
    page.labelled("Audited", f"as at {_date(day)}" if day else "on no particular day", at=_AT)
    page.labelled("Target", f"{number(improvement.target)} of 100", at=_AT)
    page.blank()
    _score(page, improvement.now, "now")
    if improvement.patch:
        _score(page, improvement.with_patch, "with the patch")
    if improvement.steps and improvement.with_all != improvement.with_patch:
        _score(page, improvement.with_all, "with all of it")
    page.blank()
    page.say(_outcome(improvement), "  ", "bold")


def _score(page: Page, figures: Figures, when: str) -> None:
    if figures.score is None or figures.low is None or figures.high is None:
        page.say(f"No score {when}: nothing that applies is decided.", "  ")
        return
    unjudged = figures.grade == NO_GRADE  # A high score over the little that is judged would mislead.
    grade = "too little is stated" if unjudged else f"grade {grade_words(figures.grade)}"
    shown = "  –" if unjudged else f"{whole(figures.score):>3}"
    page.lines.append((("  ", ""), *bar(figures.low, figures.high, _BAR), (f"  {shown} {when}", "")))
    reach = "" if figures.low == figures.high else f", could be {whole(figures.low)} to {whole(figures.high)}"
    page.say(f"{grade}{reach}", " " * (_BAR + 8), "dim")


def _outcome(improvement: Improvement) -> str:
    target, now = number(improvement.target), improvement.now.score
    edits = sum(len(rule.edits) for step in improvement.steps for rule in step.rules)
    if now is None:
        return "Too little is stated for a score: no edit can change that, only stating more can."
    if now >= improvement.target and improvement.now.grade == NO_GRADE:
        return "Nothing that is stated has to change, but too little is stated to say more: state the rest."
    if now >= improvement.target:
        return "The target is reached already: nothing has to change."
    if improvement.reached:
        return f"{_cap(count(edits, 'edit reaches', 'edits reach'))} {target}; no cheaper set does."
    if not improvement.steps:
        return f"No edit raises the score towards {target}: only stating more can."
    best = number(improvement.with_all.score or 0.0)
    return f"Edits do not reach {target}. The best that they give is {best}, with {count(edits, 'edit')}."


def _cap(text: str) -> str:
    return text[:1].upper() + text[1:]


def _sum(steps: list[Step]) -> float:
    return round(sum(step.points for step in steps), 1)


def _steps(page: Page, steps: list[Step]) -> None:
    for step in steps:
        page.blank()
        for rule in step.rules:
            page.labelled(
                rule.rule, neutral(rule.finding, _LONGEST), at=_AT, indent="", styles=(_COLOURS[rule.severity], "bold")
            )
            for label, text in _lines(rule, step.kind == "evidence"):
                page.labelled(label, text, at=_AT)
        page.labelled("Gives", _gives(step), at=_AT)


def _lines(rule: MendedRule, evidence: bool) -> Iterator[tuple[str, str]]:
    needs_doing = any(edit.kind == "evidence" for edit in rule.edits)
    if needs_doing and rule.remedy:
        yield "Do", neutral(rule.remedy, _LONGEST)
    label = ""
    for edit in rule.edits:
        label, before = _LABELS[edit.kind], label
        yield "" if label == before else label, f"{_edit(edit)} ({edit.name})"
    if not rule.edits:
        yield "", "Mended by the edits above as well."
    if rule.then_state:
        yield "And state", f"{listed(rule.then_state)}: the rule stays open until then."
    if evidence and rule.in_patch and rule.edits:
        yield "", "This is in the patch."


def _edit(edit: ProposedEdit) -> str:
    title, after = neutral(edit.title), neutral(edit.after, 200)
    if edit.pointer.endswith("/-"):
        return f"{title}: add {after}"
    if edit.before is None:
        return f"{title}: {after}"
    return f"{title}: {neutral(edit.before, 100)} → {after}"


def _gives(step: Step) -> str:
    gives = points(step.points)
    if step.points_alone != step.points:
        gives += f" ({number(step.points_alone)} by itself)"
    if len(step.rules) > 1:
        gives += f", as one fault: {neutral(step.title)}"
    return gives


def _state_first(page: Page, improvement: Improvement) -> None:
    if not improvement.state_first:
        return
    page.heading("Worth stating as well")
    page.say("These are no edits: nobody but you knows the answers. They could turn out either way.", "  ")
    for index, fact in enumerate(improvement.state_first, 1):
        page.labelled(f"{index}.", _question(fact), at=6)
        page.labelled("", f"{fact.name}{what_for(fact)}", at=6, styles=("", "dim"))


def _question(fact: FactMissing) -> str:
    asked, title = neutral(fact.question), neutral(fact.title)
    if "?" in asked and "[" not in fact.name:
        return asked
    verb = "Say" if title.startswith(("whether", "who", "how", "what", "when", "why")) else "State"
    repeated = fact.name.count(".") >= _REPEATED and "[" not in fact.name
    return f"{verb} {title}{f' ({section(fact.name)})' if repeated else ''}."


def _foot(page: Page, improvement: Improvement) -> None:
    page.blank()
    if improvement.patch and improvement.patch_is_for == "converted":
        page.say("A published notice can't be changed: the patch is for the description that `convert` makes of it.")
    page.say("The figures are of audits with the edits made; they are not advice on what to decide.")


def _date(day: str) -> str:
    return say_date(dt.date.fromisoformat(day))
