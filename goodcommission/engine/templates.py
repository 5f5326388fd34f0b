"""What a rule says of a template: for which values of its placeholders it is met, worked out exactly.

A rule is looked at for whole ranges at once (see ``ranges``). Where a range can end in only one way, that is proven for
each value in it; elsewhere the range is cut, first at the numbers that the rule names, then in halves, down to single
values. What is found is then compared with the rule's own verdicts on both sides of every limit.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from goodcommission.description.facts import COMPLETE, GIVEN, Facts, date, days, dictionary
from goodcommission.description.templates import Place, Placeholder
from goodcommission.description.types import NONE
from goodcommission.engine.conditions import AS_OF, UNKNOWN, Explained
from goodcommission.engine.ranges import (
    ANYTHING,
    ASSUMED,
    OPEN,
    Abstract,
    Anything,
    Between,
    Either,
    Folding,
    Part,
    Relation,
    State,
    Truths,
    between,
    either,
    fixed,
    joined,
    rounded,
    truths,
)
from goodcommission.engine.tree import Const, FieldOf, Node, walk
from goodcommission.engine.verdicts import CompiledRule, RuleVerdict, Setting, judge
from goodcommission.exceptions import EngineError
from goodcommission.packs.model import STAGES, Verdict

Outcome = Literal["met", "not_met", "not_asked", "not_evidenced"]
Class = Literal["always", "never", "depends", "depends_and_unstated", "not_evidenced", "not_asked", "unsolved"]

OUTCOMES: Final[Mapping[Verdict, Outcome]] = {
    "pass": "met",
    "fail": "not_met",
    "not_applicable": "not_asked",
    "not_yet_due": "not_asked",
    "unknown": "not_evidenced",
}
MOST_COMBINATIONS: Final = 256
"""Of yes/no, enumerations and texts: so many are tried one by one; beyond, only what can happen is worked out."""
MOST_RELATIONS: Final = 64
"""Ways in which open comparisons can come out together: so many are looked at one by one."""
MOST_CUTS: Final = 20_000
"""Ranges looked at for one rule and one figure; then it counts as not solved."""
MOST_LOOKS: Final = 12_000
"""The same where several figures decide together, for what can happen; it takes two seconds."""
MOST_TRIED: Final = 2_000
"""The same for whether a placeholder makes a difference; then it is said to make one."""
MOST_CELLS: Final = 12
"""Ranges of one figure that are told apart beside those of another."""
MOST_ROWS: Final = 12
"""Combinations that are listed for one rule."""


# --- What may be filled in ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """The figures that may be filled in: whole steps between two limits."""

    steps: int
    """Steps in one: 100 for pence in a pound."""
    low: int
    high: int

    def value(self, step: int) -> Any:
        """The figure as conditions see it."""
        return step / self.steps if self.steps > 1 else step


_COUNTS: Final = Scale(1, 0, 10**9)
_MONEY: Final = Scale(100, 0, 10**14)
_SHARES: Final = Scale(10_000, 0, 10_000)
_NUMBERS: Final = Scale(100, 0, 10**11)
_DAYS: Final = Scale(1, days(dt.date(2000, 1, 1)), days(dt.date(2199, 12, 31)))


def scale(placeholder: Placeholder) -> Scale | None:
    """The figures that a placeholder can stand for; None if it stands for something else."""
    if placeholder.type == "double":
        return _SHARES if placeholder.unit == "share" else _NUMBERS
    return {"int": _COUNTS, "money": _MONEY, "date": _DAYS}.get(placeholder.type or "")


@dataclass(frozen=True, slots=True)
class Span:
    """All figures from one step to another, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several values: yes or no, a value of an enumeration, a text, ``none``."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class AnyList:
    """Any list, complete or not."""


@dataclass(frozen=True, slots=True)
class TheList:
    """One certain list."""

    items: tuple[Any, ...]
    complete: bool


Filling: TypeAlias = Span | OneOf | AnyList | TheList
"""What a placeholder is taken to be: one value, or any of many at once."""
Filled: TypeAlias = Mapping[str, Filling]
ANY_TEXT: Final = "any text"


@dataclass(frozen=True, slots=True)
class Question:
    """A template, as rules see it."""

    facts: Facts
    """What it states."""
    kind: str
    placeholders: tuple[Placeholder, ...]
    """Those that stand for facts."""
    limits: Mapping[str, tuple[int, int]]
    """For figures: the lowest and highest that the rest of the template allows, in steps."""
    lists: Mapping[str, tuple[tuple[Any, ...], bool]]
    currency: str
    governing: tuple[str, ...]
    """The facts that date the document; empty where the day of the audit is given."""
    gates: tuple[CompiledRule | None, ...]
    """For each tier, the condition that the contract is at least of it."""
    tier: int | None
    """The index of the tier that is to be used whatever the value."""
    tiers: Callable[[Setting], tuple[Explained, ...]]

    def open(self) -> frozenset[str]:
        """The names of all facts that depend on placeholders."""
        names = {
            place.fact + suffix
            for placeholder in self.placeholders
            for place in placeholder.places
            if place.fact is not None and self.usable(place)
            for suffix in ("", GIVEN, COMPLETE)
        }
        for name in self.governing:
            if name in names:
                return frozenset(names | {AS_OF})
            if name in self.facts.values:
                break
        return frozenset(names)

    def usable(self, place: Place) -> bool:
        """Whether an amount is in the currency of the rules' limits: in another it stays unknown."""
        return place.currency in (None, self.currency)

    def bind(self, filled: Filled) -> dict[str, Abstract]:
        """The open facts, as what is filled in makes them."""
        state: dict[str, Abstract] = {}
        lists: dict[str, list[Any]] = {}
        for placeholder in self.placeholders:
            filling = filled.get(placeholder.name)
            if filling is None:
                continue
            value, given = _meaning(placeholder, filling)
            for place in placeholder.places:
                if place.fact is None or not self.usable(place):
                    continue
                if place.entry is not None:
                    self._enter(lists, place, value, given)
                elif isinstance(filling, AnyList | TheList):
                    state[place.fact] = value
                    state[place.fact + COMPLETE] = given
                else:
                    state[place.fact] = value
                    if dictionary()[place.fact].may_be_none:
                        state[place.fact + GIVEN] = given
        for name, items in lists.items():
            state[name] = UNKNOWN if any(item is None for item in items) else items
            if name in self.lists:
                state[name + COMPLETE] = True if self.lists[name][1] else UNKNOWN
            else:
                state[name + COMPLETE] = self.facts.values.get(name + COMPLETE, UNKNOWN)
        for name in self.governing:
            day = state.get(name, self.facts.values.get(name, UNKNOWN))
            if day is not UNKNOWN:
                state[AS_OF] = day
                break
        return state

    def _enter(self, lists: dict[str, list[Any]], place: Place, value: Abstract, given: Abstract) -> None:
        """Put a value into its entry of a list."""
        assert place.fact is not None and place.entry is not None  # noqa: PT018, S101 (the caller asked)
        if place.fact not in lists:
            stated = self.lists[place.fact][0] if place.fact in self.lists else self.facts.values[place.fact]
            lists[place.fact] = [dict(item) if isinstance(item, dict) else item for item in stated]
        items = lists[place.fact]
        if place.field is None:
            items[place.entry] = value
            return
        field = dictionary()[place.fact].fields[place.field]
        if field.type == "text" and field.may_be_none:
            value = {"given": given}
        items[place.entry][place.field] = value

    def setting(self, filled: Filled) -> Setting:
        """The facts of the description that this filling makes; each placeholder must have one value."""
        values = dict(self.facts.values)
        for name, value in self.bind(filled).items():
            if value is UNKNOWN:
                values.pop(name, None)
            else:
                values[name] = value
        stage = values.get("stage")
        facts = replace(self.facts, values=values)
        setting = Setting(facts, self.kind, None if stage is None else STAGES.index(stage), (), values.get(AS_OF))
        setting.tiers = self.tiers(setting)
        return setting


def _meaning(placeholder: Placeholder, filling: Filling) -> tuple[Abstract, Abstract]:
    """The value of a fact, and whether it is given (of a list: whether it is complete)."""
    if isinstance(filling, AnyList):
        return ANYTHING, either({True, UNKNOWN})
    if isinstance(filling, TheList):
        return list(filling.items), True if filling.complete or not filling.items else UNKNOWN
    if isinstance(filling, Span):
        of = scale(placeholder)
        assert of is not None  # noqa: S101 (only figures have spans)
        return between(of.value(filling.low), of.value(filling.high)), True
    if placeholder.type in ("bool", "enum"):
        return either(set(filling.values)), True
    absent = 0.0 if placeholder.type == "money" else UNKNOWN
    if not placeholder.may_be_none:
        return either(set(filling.values)), True
    return (
        joined([absent if value == NONE else value for value in filling.values]),
        either({value != NONE for value in filling.values}),
    )


# --- Verdicts ----------------------------------------------------------------------------------------------------

Ending: TypeAlias = tuple[Outcome, bool]
"""How it can end: the outcome, and whether what is not stated could overturn it."""


class Program:
    """One rule over one template: how it can end, for all of some fillings at once."""

    def __init__(self, rule: CompiledRule, question: Question) -> None:
        self.rule, self.question = rule, question
        folding = Folding(question.facts.values, question.open(), rule.constants)
        gate = question.gates[rule.tier] if question.tier is None else None
        if gate is not None:
            folding.constants.update(gate.constants)
            for let in gate.lets:
                folding.add(let)
        for let in rule.lets:
            folding.add(let)
        self.size = folding.part(gate.branches[0].condition.tree) if gate is not None else None
        if question.tier is not None:
            self.size = fixed(rule.tier <= question.tier)
        self.when = folding.condition(rule.when)
        self.planned = folding.condition(rule.planned)
        branches = rule.branches[:1] if rule.require else rule.branches
        self.branches = [(branch.verdict, folding.part(branch.condition.tree)) for branch in branches]
        self.stage = folding.variable("stage") if rule.due else None
        self.lets = folding.order
        parts = [self.size, self.when, self.planned, self.stage, *(part for _, part in self.branches)]
        self.parts = [part for part in parts if part is not None]
        self.names = frozenset(name for part in self.parts for name in part.names)
        """The open facts on which the verdict can depend."""
        self.hints = folding.hints
        self.looks = 0
        """How often it was looked at what can happen."""

    def endings(self, filled: Filled, *, careful: bool = False) -> frozenset[Ending]:
        """All ways in which it can end.

        Args:
            filled: What is filled in.
            careful: Look at open comparisons one by one: ``a > b`` and ``a <= b`` are never both false.
        """
        state = self.question.bind(filled)
        if not careful:
            return self._endings(dict(state))
        waiting: dict[tuple[Node, Node], tuple[Relation, ...]] = {}
        found = self._endings({**state, ASSUMED: {}, OPEN: waiting})
        sides = list(waiting)
        if len(found) == 1 or math.prod(len(waiting[pair]) for pair in sides) > MOST_RELATIONS:
            return found
        return frozenset(
            ending
            for relations in itertools.product(*(waiting[pair] for pair in sides))
            for ending in self._endings({**state, ASSUMED: dict(zip(sides, relations, strict=True)), OPEN: {}})
        )

    def depending_on(self, names: frozenset[str]) -> list[Part]:
        """The largest parts that depend on some facts and on nothing else."""
        found: dict[int, Part] = {}
        seen: set[int] = set()
        waiting = list(self.parts)
        while waiting:
            part = waiting.pop()
            if id(part) in seen or names.isdisjoint(part.names):
                continue
            seen.add(id(part))
            if part.names <= names:
                found[id(part)] = part
            else:
                waiting += part.made_of
        return list(found.values())

    def state(self, filled: Filled) -> dict[str, Abstract]:
        """The open facts and the lets, as what is filled in makes them."""
        state = self.question.bind(filled)
        for name, let in self.lets:
            state[name] = rounded(let.run(state, {}))
        return state

    def _endings(self, state: dict[str, Abstract]) -> frozenset[Ending]:
        self.looks += 1
        for name, let in self.lets:
            state[name] = rounded(let.run(state, {}))
        size = _truths(self.size, state)
        asked = _truths(self.when, state)
        decisions = self._decisions(state)
        due: set[bool | None] = {True}
        if self.stage is not None:
            stages = truths(self.stage.run(state, {}))
            due = {None if stage is UNKNOWN else STAGES.index(stage) >= self.rule.due for stage in stages}
        planned = _truths(self.planned, state) if self.planned is not None else frozenset({False})
        return frozenset(
            (OUTCOMES[verdict], provisional)
            for choice in itertools.product(size, asked, due, planned, decisions)
            for verdict, provisional in [_verdict(*choice, plannable=self.planned is not None)]
        )

    def _decisions(self, state: State) -> set[tuple[Verdict, bool]]:
        if self.rule.require:
            answers: Mapping[Any, Verdict] = {True: "pass", False: "fail", UNKNOWN: "unknown"}
            return {(answers[value], False) for value in _truths(self.branches[0][1], state)}
        found: set[tuple[Verdict, bool]] = set()
        undecided: set[frozenset[Verdict]] = {frozenset()}
        for verdict, part in self.branches:
            values = _truths(part, state)
            if True in values:
                found |= {(verdict, bool(before - {verdict})) for before in undecided}
            left = undecided if False in values else set()
            undecided = left | {before | {verdict} for before in undecided if UNKNOWN in values}
            if not undecided:
                return found
        return found | {("unknown", False)}

    def verdict(self, filled: Filled) -> RuleVerdict:
        """The rule's own verdict on one description."""
        return judge(self.rule, self.question.setting(filled))


def _truths(part: Part | None, state: State) -> Truths:
    return frozenset({True}) if part is None else truths(part.run(state, {}))


def _verdict(
    size: Any, asked: Any, due: bool | None, planned: Any, decision: tuple[Verdict, bool], *, plannable: bool
) -> tuple[Verdict, bool]:
    """How gates, stage, plan and decision make a verdict: what ``judge`` does, for one combination."""
    if size is False or asked is False:
        return "not_applicable", False
    gates_open = size is True and asked is True
    planned = planned if due is not True else False
    if due is False and planned is not True:
        return "not_yet_due", False
    if due is False and gates_open and plannable:
        return "pass", False
    if due is False:
        decision = ("pass", False)
    if not gates_open or (due is None and not (decision[0] == "pass" and planned is True)):
        return "unknown", False
    return decision


# --- Solving -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """Values of one placeholder for which a rule ends in the same way: a range of figures, or single values."""

    outcome: Outcome
    provisional: bool
    span: Span | None = None
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """How a rule ends: given some values of some placeholders, for each value of one more."""

    given: tuple[tuple[str, tuple[Any, ...]], ...]
    placeholder: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Solution:
    """What a rule says of a template."""

    holds: Class
    placeholders: tuple[str, ...]
    """Those on which it depends."""
    outcomes: frozenset[Outcome]
    """How it can end."""
    provisional: bool
    """Whether what is not stated could overturn it somewhere."""
    missing: tuple[str, ...]
    """The facts besides placeholders that would decide it."""
    rows: tuple[Row, ...] = ()
    reason: str | None = None
    """Why the values for which it holds are not given."""
    failing: RuleVerdict | None = None
    """Of a rule that is somewhere not met: the most severe of the verdicts that were looked at."""


class _UnsolvedError(Exception):
    """Too much to work through."""


_SEVERITIES: Final = ("low", "medium", "high")


class _Solver:
    def __init__(self, rule: CompiledRule, question: Question) -> None:
        self.program = Program(rule, question)
        self.question = question
        names = self.program.names
        fields = {node.field for tree in _trees(rule) for node in walk(tree) if isinstance(node, FieldOf)}
        touching = [one for one in question.placeholders if _touches(one, names, fields, question)]
        self.figures = [one for one in touching if scale(one) is not None]
        self.lists = [one for one in touching if (one.type or "").startswith("list")]
        self.finite = [one for one in touching if one not in self.figures and one not in self.lists]
        self.touching = touching
        self.cells: dict[str, list[Span]] = {}
        self.seen: list[tuple[Ending, RuleVerdict]] = []

    # -- what may be filled in --

    def values(self, placeholder: Placeholder) -> tuple[Any, ...]:
        """All values of a yes/no, an enumeration or (as far as the rule can tell them apart) a text."""
        if placeholder.type == "bool":
            return True, False
        if placeholder.type == "enum":
            return placeholder.values
        none = (NONE,) if placeholder.may_be_none else ()
        if all(self._only_given(place) for place in placeholder.places):
            return (*none, ANY_TEXT)
        # Texts are only ever equal or not: to those named, to those stated, to each other.
        texts = [one for one in self.finite if one.type == "text"]
        rule = self.program.rule
        stated = [self.question.facts.values.get(name) for name in rule.reads]
        named = {node.value for tree in _trees(rule) for node in walk(tree) if isinstance(node, Const)}
        words = {word for word in (*named, *rule.constants.values(), *_flat(stated)) if isinstance(word, str)}
        fresh = (ANY_TEXT, *(f"{ANY_TEXT} ({number})" for number in range(2, len(texts) + 1)))
        return (*none, *sorted(words - {NONE}), *fresh)

    def _only_given(self, place: Place) -> bool:
        """Whether the rule asks of a text only if it is there."""
        if place.field is not None and place.fact is not None:
            return dictionary()[place.fact].fields[place.field].may_be_none
        return place.fact is None or place.fact not in self.program.names

    def whole(self, placeholder: Placeholder) -> Span:
        """All figures that may be filled in."""
        return Span(*self.question.limits[placeholder.name])

    def alternatives(self, placeholder: Placeholder) -> list[Filling]:
        """Everything that may be filled in, in a few large parts."""
        if placeholder in self.lists:
            return [AnyList()]
        if placeholder in self.figures:
            none: list[Filling] = [OneOf((NONE,))] if placeholder.may_be_none else []
            return [self.whole(placeholder), *none]
        return [OneOf(self.values(placeholder))]

    # -- one placeholder --

    def pieces(self, placeholder: Placeholder, others: Filled) -> tuple[Piece, ...]:
        """For each value of one placeholder how the rule ends, the others being certain."""
        if placeholder not in self.figures:
            alone = [(OneOf((value,)), value) for value in self.values(placeholder)]
            found = [(self.at({**others, placeholder.name: one}), value) for one, value in alone]
            return tuple(
                Piece(*ending, values=tuple(value for other, value in found if other == ending))
                for ending in dict.fromkeys(ending for ending, _ in found)
            )
        pieces = [
            Piece(*ending, span=span) for ending, span in self.ranges(placeholder, self.whole(placeholder), others)
        ]
        for piece in pieces:
            if piece.span is not None:
                self.verify(placeholder, piece, piece.span, others)
        if placeholder.may_be_none:
            pieces.append(Piece(*self.at({**others, placeholder.name: OneOf((NONE,))}), values=(NONE,)))
        return tuple(pieces)

    def ranges(self, placeholder: Placeholder, whole: Span, others: Filled) -> list[tuple[Ending, Span]]:
        """The ranges of one figure in each of which the rule ends in one way, in order."""
        cuts = self.cuts(placeholder)
        found: list[tuple[Ending, Span]] = []
        waiting, looks = [whole], 0
        while waiting:
            span = waiting.pop()
            looks += 1
            if looks > MOST_CUTS:
                raise _UnsolvedError
            endings = self.program.endings({**others, placeholder.name: span})
            if len(endings) > 1 and span.low < span.high:
                waiting += reversed(_cut(span, cuts))
                continue
            ending = next(iter(endings)) if len(endings) == 1 else self.at({**others, placeholder.name: span})
            if found and found[-1][0] == ending:
                found[-1] = (ending, Span(found[-1][1].low, span.high))
            else:
                found.append((ending, span))
        return found

    def cuts(self, placeholder: Placeholder) -> list[int]:
        """Where ranges are cut first: at the numbers that the rule names, and one step on."""
        of = scale(placeholder)
        assert of is not None  # noqa: S101 (only figures have ranges)
        steps = {round(hint * of.steps) for hint in self.program.hints if abs(hint) < of.high + 2}
        return sorted(step + more for step in steps for more in (0, 1))

    def at(self, filled: Filled) -> Ending:
        """How the rule ends on one description; where a range is all alike, at both of its ends."""
        endings = set()
        for upper in (False, True):
            verdict = self.program.verdict({name: _corner(filling, upper) for name, filling in filled.items()})
            endings.add((OUTCOMES[verdict.verdict], verdict.provisional))
            self.seen.append(((OUTCOMES[verdict.verdict], verdict.provisional), verdict))
            if not any(isinstance(filling, Span) and filling.low < filling.high for filling in filled.values()):
                break
        if len(endings) > 1:
            raise EngineError(f"a range of {self.program.rule.rule.id} is not what the rule's verdicts are: {filled}")
        return endings.pop()

    def verify(self, placeholder: Placeholder, piece: Piece, span: Span, others: Filled) -> None:
        """Compare with the rule's own verdicts at both ends of a range and in its middle."""
        for step in {span.low, (span.low + span.high) // 2, span.high}:
            if self.at({**others, placeholder.name: Span(step, step)}) != (piece.outcome, piece.provisional):
                what = f"{self.program.rule.rule.id} for {placeholder.name} at {said(placeholder, step)}"
                raise EngineError(f"a range is not what the rule's verdicts are: {what}")

    # -- all placeholders --

    def solve(self) -> Solution:
        if not self.touching:
            self.at({})
            return self.solution(())
        shown = self.shown()
        chosen = [one for one in self.touching if one is not shown]
        combinations = math.prod(len(self.options(one)) for one in chosen) if shown else 0
        if shown is not None and combinations <= MOST_COMBINATIONS:
            try:
                return self.table(shown, chosen)
            except _UnsolvedError:
                return self.search(f"the values of {shown.name} for which it holds are too many ranges to list")
        if self.lists:
            reason = f"what {_listed(one.name for one in self.lists)} may list can't be tried out in full"
        elif shown is None:
            reason = f"{_listed(one.name for one in self.figures)} decide together"
        else:
            reason = f"there are {combinations} combinations of what can be chosen"
        return self.search(reason)

    def shown(self) -> Placeholder | None:
        """The placeholder whose values are listed; None where there are figures that can't be told apart in steps."""
        if self.lists:
            return None
        if len(self.figures) < 2:
            return (self.figures or self.finite)[-1]
        for one in self.figures:
            cells = self.steps(one)
            if cells is not None:
                self.cells[one.name] = cells
        whole = [one for one in self.figures if one.name not in self.cells]
        if len(whole) > 1:
            return None
        if whole:
            return whole[0]
        # What only decides how much is asked is better told apart than listed.
        gate = self.program.size
        asked = [one for one in self.figures if gate is None or not any(p.fact in gate.names for p in one.places)]
        return max(asked or self.figures, key=lambda one: len(self.cells[one.name]))

    def steps(self, placeholder: Placeholder) -> list[Span] | None:
        """The ranges of a figure within which nothing that the rule computes from it changes, if there are few."""
        facts = {place.fact for place in placeholder.places}
        others = {place.fact for one in self.touching if one is not placeholder for place in one.places}
        dated = AS_OF in self.program.names
        if facts & others or (dated and not facts.isdisjoint(self.question.governing)):
            return None
        names = frozenset(f"{fact}{suffix}" for fact in facts for suffix in ("", GIVEN, COMPLETE))
        parts = self.program.depending_on(names)
        if any(not part.made_of for part in parts):
            return None
        cuts = self.cuts(placeholder)
        found: list[tuple[list[Abstract], Span]] = []
        waiting, looks = [self.whole(placeholder)], 0
        while waiting:
            span = waiting.pop()
            looks += 1
            state = self.program.state({placeholder.name: span})
            values = [part.run(state, {}) for part in parts]
            if span.low < span.high and any(isinstance(value, Between | Either | Anything) for value in values):
                waiting += reversed(_cut(span, cuts))
            elif found and found[-1][0] == values:
                found[-1] = (values, Span(found[-1][1].low, span.high))
            else:
                found.append((values, span))
            if looks > MOST_CUTS // 20 or len(found) > MOST_CELLS:
                return None
        return [span for _, span in found]

    def options(self, placeholder: Placeholder) -> tuple[Any, ...]:
        """What is told apart of a placeholder: its values, or the ranges of a figure."""
        if placeholder.name not in self.cells:
            return self.values(placeholder)
        return (*self.cells[placeholder.name], *((NONE,) if placeholder.may_be_none else ()))

    def table(self, shown: Placeholder, chosen: list[Placeholder]) -> Solution:
        """Every combination of what can be chosen, with the ranges of the one figure in each."""
        cells = {
            combination: self.pieces(
                shown, {one.name: _alone(value) for one, value in zip(chosen, combination, strict=True)}
            )
            for combination in itertools.product(*(self.options(one) for one in chosen))
        }
        for index in reversed(range(len(chosen))):
            without = {key[:index] + key[index + 1 :]: pieces for key, pieces in cells.items()}
            if all(without[key[:index] + key[index + 1 :]] == pieces for key, pieces in cells.items()):
                cells = without
                del chosen[index]
        if chosen and all(len({(piece.outcome, piece.provisional) for piece in row}) == 1 for row in cells.values()):
            shown, chosen, cells = _without(chosen, cells)
        rows = _merged(shown.name, {one.name: self.options(one) for one in chosen}, cells)
        depends = [one.name for one in chosen]
        if any(len({(piece.outcome, piece.provisional) for piece in row.pieces}) > 1 for row in rows):
            depends.append(shown.name)
        solution = self.solution(tuple(one.name for one in self.touching if one.name in depends))
        if len(rows) > MOST_ROWS:
            return replace(solution, reason=f"there are {len(rows)} combinations to tell apart")
        return replace(solution, rows=rows if depends else ())

    def search(self, reason: str) -> Solution:
        """Which ways to end there are, and the placeholders that make a difference; no ranges."""
        boxes: list[dict[str, Filling]] = [
            {one.name: part for one, part in zip(self.touching, parts, strict=True)}
            for parts in itertools.product(*(self.alternatives(one) for one in self.touching))
        ]
        points: dict[Outcome, Filled] = {}
        for sample in self.samples():
            points.setdefault(self.at(sample)[0], sample)
        cuts = {one.name: self.cuts(one) for one in self.figures}
        possible: set[Outcome] = set()
        most = self.program.looks + MOST_LOOKS
        while boxes:
            box = boxes.pop(0)
            if not self.unseen(box, points):
                continue
            point = self.middle(box)
            if point is not None:
                points.setdefault(self.at(point)[0], point)
            parts = self.halves(box, cuts)
            if parts is not None:
                boxes += parts
            elif point != box:
                possible |= self.unseen(box, points)
            if self.program.looks > most:
                possible |= {outcome for left in boxes for outcome, _ in self.program.endings(left)}
                break
        solution = self.solution(self.deciding(points))
        maybe = sorted(possible - solution.outcomes)
        classes = {
            _class(solution.outcomes | set(some))
            for size in range(len(maybe) + 1)
            for some in itertools.combinations(maybe, size)
        }
        if len(classes) > 1:
            names = tuple(one.name for one in self.touching)
            return replace(solution, holds="unsolved", placeholders=names, reason=reason)
        return replace(solution, reason=reason if solution.placeholders else None)

    def unseen(self, box: Filled, points: Mapping[Outcome, Filled]) -> set[Outcome]:
        """How the rule may end within a box, besides those ways that have been seen."""
        return {outcome for outcome, _ in self.program.endings(box, careful=True)} - set(points)

    def deciding(self, points: Mapping[Outcome, Filled]) -> tuple[str, ...]:
        """The placeholders that make a difference, but for those that are proven to make none.

        A difference is shown by two descriptions that differ in nothing else.
        """
        return tuple(
            one.name
            for one in self.touching
            if any(self.differs(one, point) for point in list(points.values())) or self.may_differ(one)
        )

    def differs(self, placeholder: Placeholder, point: Filled) -> bool:
        """Whether the outcome changes with one placeholder, the others being as they are at a point."""
        others = {name: filling for name, filling in point.items() if name != placeholder.name}
        if placeholder in self.lists:
            lists = self.some_lists(placeholder)
            return len({self.at({**others, placeholder.name: sample})[0] for sample in lists}) > 1
        try:
            return len({piece.outcome for piece in self.pieces(placeholder, others)}) > 1
        except _UnsolvedError:
            return True

    def may_differ(self, placeholder: Placeholder) -> bool:
        """The same at any point: boxes of the others are cut until one shows a difference, or none can."""
        others = [one for one in self.touching if one is not placeholder]
        cuts = {one.name: self.cuts(one) for one in self.figures}
        boxes: list[dict[str, Filling]] = [
            {one.name: part for one, part in zip(others, parts, strict=True)}
            for parts in itertools.product(*(self.alternatives(one) for one in others))
        ]
        own: list[Filling] = []
        for part in self.alternatives(placeholder):
            own += [OneOf((value,)) for value in part.values] if isinstance(part, OneOf) else [part]
        most = self.program.looks + MOST_TRIED
        while boxes and self.program.looks < most:
            box = boxes.pop(0)
            endings = [self.program.endings({**box, placeholder.name: part}, careful=True) for part in own]
            if len({outcome for found in endings for outcome, _ in found}) == 1:
                continue
            point = self.middle(box)
            if point is not None and self.differs(placeholder, point):
                return True
            parts = self.halves(box, cuts)
            if parts is None and point is None:
                return True
            boxes += parts or []
        return bool(boxes)

    def samples(self) -> Iterator[Filled]:
        """Some descriptions to begin with: the ends of each range, the first and last of each choice."""
        few: list[list[Filling]] = []
        for one in self.touching:
            if one in self.lists:
                few.append(list(self.some_lists(one)))
            elif one in self.figures:
                span = self.whole(one)
                few.append([Span(span.low, span.low), Span(span.high, span.high)])
                inside = [cut for cut in self.cuts(one) if span.low < cut < span.high]
                few[-1] += [Span(cut, cut) for cut in inside[:: max(len(inside) // 4, 1)]]
            else:
                few.append([OneOf((value,)) for value in self.values(one)])
        for parts in itertools.islice(itertools.product(*few), 300):
            yield {one.name: part for one, part in zip(self.touching, parts, strict=True)}

    def some_lists(self, placeholder: Placeholder) -> Iterator[Filling]:
        """A few lists: none, each value alone, all values; records with each field at its extremes."""
        yield TheList((), True)
        place = next(place for place in placeholder.places if place.fact is not None)
        fact = dictionary()[place.fact or ""]
        entries: list[Any] = []
        options: Mapping[str, list[Any]]
        if place.field is not None:
            fact = fact.fields[place.field]
        if fact.type == "list_record":
            choices = []
            for name, field in fact.fields.items():
                options = {
                    "bool": [True, False],
                    "enum": list(field.values),
                    "money": [0.0, 1e9],
                    "double": [0.0, 1.0],
                    "int": [0, 1000],
                    "date": [_DAYS.low, _DAYS.high],
                    "text": [{"given": True}, {"given": False}] if field.may_be_none else [ANY_TEXT],
                }
                choices.append([(name, option) for option in options[field.type]])
            entries += [dict(parts) for parts in itertools.islice(itertools.product(*choices), 64)]
        else:
            entries += fact.values or (ANY_TEXT,)
        for complete in (True, False):
            yield TheList(tuple(entries), complete)
            for entry in entries:
                yield TheList((entry,), complete)

    def middle(self, box: Filled) -> Filled | None:
        """One description within a box; None where a list may be any."""
        point: dict[str, Filling] = {}
        for name, filling in box.items():
            if isinstance(filling, Span):
                middle = (filling.low + filling.high) // 2
                point[name] = Span(middle, middle)
            elif isinstance(filling, OneOf):
                point[name] = OneOf(filling.values[:1])
            else:
                return None
        return point

    def halves(self, box: Filled, cuts: Mapping[str, list[int]]) -> list[dict[str, Filling]] | None:
        """A box cut along one of its sides: what can be chosen first, then the widest; None if nothing can be cut."""

        def size(name: str) -> float:
            filling = box[name]
            if isinstance(filling, Span):
                return float(filling.high - filling.low)
            return math.inf if isinstance(filling, OneOf) and len(filling.values) > 1 else 0.0

        name = max(box, key=size)
        if not size(name):
            return None
        filling = box[name]
        parts: list[Filling] = []
        if isinstance(filling, OneOf):
            parts += [OneOf((value,)) for value in filling.values]
        elif isinstance(filling, Span):
            parts += _cut(filling, cuts[name])
        return [{**box, name: part} for part in parts]

    # -- the answer --

    def solution(self, placeholders: tuple[str, ...]) -> Solution:
        outcomes = frozenset(outcome for (outcome, _), _ in self.seen)
        filled_in = {place.reference for one in self.question.placeholders for place in one.places}
        missing: dict[str, None] = {}
        for (outcome, provisional), verdict in self.seen:
            if outcome == "not_evidenced" or provisional:
                missing.update(dict.fromkeys(name for name in verdict.missing if name not in filled_in))
        failing = [verdict for (outcome, _), verdict in self.seen if outcome == "not_met"]
        failing.sort(key=lambda verdict: _SEVERITIES.index(verdict.severity), reverse=True)
        return Solution(
            _class(outcomes),
            placeholders,
            outcomes,
            any(provisional for (_, provisional), _ in self.seen),
            tuple(missing),
            failing=failing[0] if failing else None,
        )


def _class(outcomes: Iterable[Outcome]) -> Class:
    """What can be said of a rule as a whole: of the descriptions of which it is asked."""
    asked = frozenset(outcomes) - {"not_asked"}
    if not asked:
        return "not_asked"
    if len(asked) == 1:
        certain: Mapping[Outcome, Class] = {"met": "always", "not_met": "never", "not_evidenced": "not_evidenced"}
        return certain[next(iter(asked))]
    return "depends_and_unstated" if "not_evidenced" in asked else "depends"


def _trees(rule: CompiledRule) -> Iterator[Node]:
    """All conditions of a rule, and its lets."""
    for let in rule.lets:
        yield let.value.tree
    for condition in (rule.when, rule.planned, *(branch.condition for branch in rule.branches)):
        if condition is not None:
            yield condition.tree


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    """Values, and the entries of those that are lists."""
    for value in values:
        if isinstance(value, list):
            yield from (one for entry in value for one in (entry.values() if isinstance(entry, dict) else [entry]))
        else:
            yield value


def _touches(placeholder: Placeholder, names: frozenset[str], fields: set[str], question: Question) -> bool:
    """Whether a rule reads something that a placeholder stands for."""
    for place in placeholder.places:
        if place.fact is None or not question.usable(place) or (place.field is not None and place.field not in fields):
            continue
        if any(place.fact + suffix in names for suffix in ("", GIVEN, COMPLETE)):
            return True
        if AS_OF in names and place.fact in question.governing:
            return True
    return False


def _alone(value: Any) -> Filling:
    """One value, or one range, as it is filled in."""
    return value if isinstance(value, Span) else OneOf((value,))


def _corner(filling: Filling, upper: bool) -> Filling:
    """One end of a range; all else as it is."""
    if isinstance(filling, Span):
        end = filling.high if upper else filling.low
        return Span(end, end)
    return filling


def _cut(span: Span, cuts: Sequence[int]) -> tuple[Span, Span]:
    """A range in two: at one of the numbers that the rule names, or in the middle."""
    inside = [cut for cut in cuts if span.low < cut <= span.high]
    at = inside[len(inside) // 2] if inside else (span.low + span.high + 1) // 2
    return Span(span.low, at - 1), Span(at, span.high)


def _without(
    chosen: list[Placeholder], cells: Mapping[tuple[Any, ...], tuple[Piece, ...]]
) -> tuple[Placeholder, list[Placeholder], dict[tuple[Any, ...], tuple[Piece, ...]]]:
    """The same table where the placeholder shown makes no difference: the last of the others is shown instead."""
    grouped: dict[tuple[Any, ...], dict[Ending, list[Any]]] = {}
    for key, pieces in cells.items():
        grouped.setdefault(key[:-1], {}).setdefault((pieces[0].outcome, pieces[0].provisional), []).append(key[-1])
    table = {
        key: tuple(piece for ending, values in endings.items() for piece in _pieces(ending, values))
        for key, endings in grouped.items()
    }
    return chosen[-1], chosen[:-1], table


def _pieces(ending: Ending, found: Sequence[Any]) -> Iterator[Piece]:
    """Ranges and values of one placeholder that end alike."""
    for one in found:
        if isinstance(one, Span):
            yield Piece(*ending, span=one)
    if values := tuple(one for one in found if not isinstance(one, Span)):
        yield Piece(*ending, values=values)


def _merged(
    shown: str, chosen: Mapping[str, tuple[Any, ...]], cells: Mapping[tuple[Any, ...], tuple[Piece, ...]]
) -> tuple[Row, ...]:
    """The rows of a table; rows that differ in one choice only, and end alike, are one."""
    rows: list[tuple[tuple[tuple[Any, ...], ...], tuple[Piece, ...]]] = [
        (tuple((value,) for value in key), pieces) for key, pieces in cells.items()
    ]
    for index in reversed(range(len(chosen))):
        groups: dict[Any, list[Any]] = {}
        for key, pieces in rows:
            groups.setdefault((key[:index], key[index + 1 :], pieces), []).extend(key[index])
        rows = [((*before, tuple(values), *after), pieces) for (before, after, pieces), values in groups.items()]
    return tuple(
        Row(
            tuple(
                (name, values)
                for (name, all_), values in zip(chosen.items(), key, strict=True)
                if len(values) < len(all_)
            ),
            shown,
            pieces,
        )
        for key, pieces in rows
    )


def _listed(names: Iterable[str]) -> str:
    all_ = list(names)
    return all_[0] if len(all_) == 1 else f"{', '.join(all_[:-1])} and {all_[-1]}"


def solve(rule: CompiledRule, question: Question) -> Solution:
    """What a rule says of a template, over everything that may be filled in.

    Facts that the template neither states nor leaves to a placeholder stay unknown.
    """
    return _Solver(rule, question).solve()


def said(placeholder: Placeholder, step: int) -> Any:
    """A figure of a placeholder as a report holds it: a number, or a date."""
    of = scale(placeholder)
    if of is None:
        raise ValueError(placeholder.name)
    return date(step).isoformat() if placeholder.type == "date" else of.value(step)
