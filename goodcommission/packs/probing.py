"""Descriptions made from a rule: around each of its thresholds, with each value of each fact it reads, or without it.

They start from the rule's own cases, which lie where its verdict changes, and differ from them in one fact or two.
Nothing is drawn at random: the same rule always gets the same descriptions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, zip_longest
from typing import Any, Final

from goodcommission.auditing import tier_reached
from goodcommission.description.facts import COMPLETE, GIVEN, Fact, Facts, date, days, dictionary, gather
from goodcommission.description.reading import read_description
from goodcommission.description.types import NONE
from goodcommission.engine.conditions import AS_OF, Explained, TreeCondition
from goodcommission.engine.law import STATED_REGIME, STATED_TERRITORY, Law
from goodcommission.engine.tree import Call, Const, FieldOf, Macro, Node, Variable, walk
from goodcommission.engine.verdicts import CompiledLet, CompiledRule, Setting, compute_let, setting_for
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.checking import case_setting
from goodcommission.packs.compiling import BANDS_END, Packs
from goodcommission.packs.model import STAGES, TIERS, Case, Tier
from goodcommission.packs.mutating import PENNY, deciding, moved
from goodcommission.regimes import regime_of

MOST_SINGLE: Final = 2500
"""Descriptions of one rule that differ from a case in one fact."""
MOST_DOUBLE: Final = 2500
"""And in two."""
_MOST_VALUES: Final = 40
"""Values tried of one fact."""
_MOST_LISTS: Final = 120
"""Lists of records tried of one fact."""
_MOST_TURNS: Final = 3000
"""Searches for the value at which a comparison turns."""
_NUMBERS: Final = ("int", "double", "money", "date")
_ORDERED: Final = ("_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_")
_SOME_DAY: Final = days(dt.date(2026, 1, 5))
_A_TEXT: Final = "as recorded"
_GRID: Final[Mapping[str, tuple[float, ...]]] = {
    "int": (0, 1, 2, 3, 5, 7, 12, 13, 24, 36, 60, 120, 400, 2000, 20000, 1000000),
    "money": (0.0, 1.0, 1e3, 1e4, 5e4, 1e5, 3e5, 1e6, 6e6, 1e8),
    "double": (0.0, 1.0, 2.0, 5.0, 10.0, 100.0, 1e4, 1e6),
    "share": (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0),
}
"""Where to look for a turn, before it is narrowed down; days lie around another day that is stated."""
_DAYS_APART: Final = (0, 1, 5, 10, 20, 30, 45, 60, 90, 100, 130, 200, 300, 370, 750, 1500, 4000)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a description says of one fact."""

    fact: str
    raw: Any
    """As it is written; None if nothing is said."""
    values: Mapping[str, Any]
    """As conditions see it."""


@dataclass(slots=True)
class Probe:
    """A description on which a rule is tried."""

    given: dict[str, Any]
    """As it is written, with kind and stage."""
    setting: Setting
    tier: Tier
    as_of: str | None
    case: Case | None = None
    """The case that it is, or that it is made from."""
    changed: tuple[Statement, ...] = ()
    """In what it differs from the case."""
    known: dict[int, Explained] = field(default_factory=dict)
    """What the conditions of the rule as it stands say of it, by condition."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The facts as conditions see them."""
        return self.setting.facts.values


def fact_of(name: str) -> str:
    """The fact of ``x.given`` and ``x.complete``."""
    return name.removesuffix(GIVEN).removesuffix(COMPLETE)


def setting_of(facts: Facts, packs: Packs, tier: Tier) -> Setting:
    """What a rule needs to know of a description."""
    stage = facts.values.get("stage")
    setting = Setting(
        facts, facts.values["kind"], None if stage is None else STAGES.index(stage), (), facts.values.get(AS_OF)
    )
    setting.tiers = tier_reached(packs, setting, tier)
    setting.regime = regime_of(packs, setting)
    return setting


class Probes:
    """The descriptions on which one rule is tried.

    Args:
        rule: The rule, its conditions decided by their trees.
        packs: The packs it is used with.
    """

    def __init__(self, rule: CompiledRule, packs: Packs) -> None:
        self.rule, self.packs = rule, packs
        self.lets, self.facts = deciding(rule)
        names = {fact_of(name) for name in (*self.facts, *_law_reads(rule, packs))}
        self.read = tuple(sorted(names | {"kind", "stage"}))
        self.numbers = _numbers(rule, self.lets)
        self.seen: set[str] = set()
        self.spoken: dict[str, Statement | None] = {}
        self.turns: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.cases = tuple(self._bases())
        self._made: tuple[Probe, ...] | None = None

    @property
    def made(self) -> tuple[Probe, ...]:
        """The cases, and the descriptions made from them."""
        if self._made is None:
            single = tuple(islice(self._single(), MOST_SINGLE))
            self._made = (*self.cases, *single, *islice(self._double(), MOST_DOUBLE))
        return self._made

    # -- the cases --

    def _bases(self) -> Iterator[Probe]:
        own = self.rule.rule
        for case in own.cases:
            raw = {"kind": own.applies_to[0], "stage": own.due_from, **case.given}
            raw = {name: value for name, value in raw.items() if value is not None}
            try:
                setting = case_setting(read_description(raw), self.packs, case, self.rule)
            except DescriptionError:
                continue
            values = {name: value for name, value in setting.facts.values.items() if fact_of(name) in self.read}
            day = setting.as_of
            given: dict[str, Any] = {}
            for name in self.read:
                stated = _look(raw, name)
                if stated is not None:
                    given = _put(given, name, stated)
            tier: Tier = "large" if case.tier == "from_value" else case.tier
            probe = self._probe(given, values, tier, case.as_of, day, case, ())
            if probe is not None:
                yield probe

    def _probe(
        self,
        given: dict[str, Any],
        values: Mapping[str, Any],
        tier: Tier,
        as_of: str | None,
        day: int | None,
        case: Case | None,
        changed: tuple[Statement, ...],
    ) -> Probe | None:
        if day is not None:
            values = {**values, AS_OF: day}
        key = repr((tier, sorted(values.items(), key=lambda item: item[0])))
        if key in self.seen:
            return None
        self.seen.add(key)
        facts = Facts(values, {}, frozenset())
        return Probe(given, setting_of(facts, self.packs, tier), tier, as_of, case, changed)

    def _with(self, base: Probe, *statements: Statement, tier: Tier | None = None) -> Probe | None:
        given, values, as_of = base.given, dict(base.values), base.as_of
        for one in statements:
            values = {name: value for name, value in values.items() if fact_of(name) != one.fact} | dict(one.values)
            if one.fact == AS_OF:
                as_of = one.raw
            else:
                given = _put(given, one.fact, one.raw)
        changed = (*base.changed, *statements)
        return self._probe(given, values, tier or base.tier, as_of, values.get(AS_OF), base.case, changed)

    # -- one fact changed --

    def _single(self) -> Iterator[Probe]:
        by_base = [self._beside(base) for base in self.cases]
        for row in zip_longest(*by_base):
            for found in row:
                if found is not None:
                    yield found

    def _beside(self, base: Probe) -> Iterator[Probe]:
        for statement in chain(self._boundaries(base), *(self._statements(name, base) for name in self.read)):
            if (found := self._with(base, statement)) is not None:
                yield found
        for tier in TIERS:
            if (found := self._with(base, tier=tier)) is not None:  # type: ignore[arg-type]
                yield found

    def _statements(self, name: str, base: Probe) -> Iterator[Statement]:
        """What can be said of a fact, and nothing."""
        if name != "kind":
            yield Statement(name, None, {})
        own = self.rule.rule
        if name == "kind":
            raws: Iterable[Any] = own.applies_to
        elif name == "stage":
            raws = STAGES
        elif name == AS_OF:
            return
        elif dictionary()[name].type == "list_record":
            raws = islice(self._lists(dictionary()[name], base), _MOST_LISTS)
        else:
            raws = self._raws(dictionary()[name], _look(base.given, name))
        for raw in raws:
            if (statement := self._said(name, raw)) is not None:
                yield statement

    def _said(self, name: str, raw: Any) -> Statement | None:
        """A statement in the form that conditions see, or None if it is not a valid one."""
        key = f"{name} {raw!r}"
        if key not in self.spoken:
            self.spoken[key] = None
            try:
                document = read_description(_put({"kind": self.rule.rule.applies_to[0]}, name, raw))
            except DescriptionError:
                return None
            values = gather(document, self.packs.currency).values
            mine = {one: value for one, value in values.items() if fact_of(one) == name}
            self.spoken[key] = Statement(name, raw, mine)
        return self.spoken[key]

    def _raws(self, fact: Fact, stated: Any) -> Iterator[Any]:
        if fact.may_be_none:
            yield NONE
        if fact.type == "bool":
            yield from (True, False)
        elif fact.type == "enum":
            yield from fact.values
        elif fact.type == "text":
            yield _A_TEXT
        elif fact.type in ("list_enum", "list_text"):
            yield from self._short_lists(fact, stated)
        elif fact.type in ("int", "money", "double"):
            numbers = [0, *(number for number in self.numbers if _fits(fact, number))]
            yield from (self._amount(fact, number) for number in numbers[:_MOST_VALUES])
            if stated is not None and (here := _as_number(fact, stated)) is not None:
                unit = 1 if fact.type == "int" else PENNY
                yield from (self._amount(fact, moved(here, step)) for step in (-unit, unit))
        elif fact.type == "date" and self.rule.law is not None and fact.name in self.rule.law.governed_by:
            yield from (date(day + step).isoformat() for day in _changeovers(self.rule.law) for step in (-1, 0, 1))
        elif fact.type == "date" and isinstance(stated, str) and stated != NONE:
            here = days(dt.date.fromisoformat(stated))
            yield from (date(here + step).isoformat() for step in (-1, 1))

    def _amount(self, fact: Fact, number: float) -> Any:
        if fact.type == "money":
            amount = int(number) if float(number).is_integer() else number
            return {"amount": amount, "currency": self.rule.currency}
        if fact.type == "date":
            return date(int(number)).isoformat()
        return int(number) if fact.type == "int" or float(number).is_integer() else number

    def _short_lists(self, fact: Fact, stated: Any) -> Iterator[Any]:
        """Lists of values: none, one, all that matter, one more and one fewer than is stated, complete or not."""
        values = list(fact.values) or [_A_TEXT]
        matter = [value for value in values if value in self._literals()] or values[:1]
        items = stated.get("items", []) if isinstance(stated, dict) else stated or []
        lists = [[], *([one] for one in values[:_MOST_VALUES]), matter]
        lists += [[other for other in matter if other != one] for one in matter]
        lists += [[other for other in items if other != one] for one in items]
        lists += [[*items, one] for one in values[:_MOST_VALUES] if one not in items]
        for one in (items, *lists):
            yield one
            yield {"complete": True, "items": one}
            yield {"complete": False, "items": one}

    def _literals(self) -> frozenset[str]:
        texts = (one.value for tree in _trees(self.rule, self.lets) for one in walk(tree) if isinstance(one, Const))
        return frozenset(text for text in texts if isinstance(text, str))

    # -- lists of records --

    def _lists(self, fact: Fact, base: Probe) -> Iterator[Any]:
        """Lists of records: those of the cases, with a record more or fewer, and a field of one changed or missing."""
        yield []
        stated = [_look(case.given, fact.name) for case in (base, *self.cases)]
        lists = [one.get("items", []) if isinstance(one, dict) else one for one in stated if one]
        asked = {one.field for tree in _trees(self.rule, self.lets) for one in walk(tree) if isinstance(one, FieldOf)}
        for position, items in enumerate(lists):
            written = stated[0] if position == 0 and stated[0] else None
            complete = written.get("complete") if isinstance(written, dict) else None
            for other in (None, True, False) if position == 0 else (True,):
                yield _listed(items, other)
            keep = complete if position == 0 else True
            for index, record in enumerate(items):
                for changed in self._records(fact, record, asked):
                    yield _listed([*items[:index], changed, *items[index + 1 :]], keep)
                yield _listed([*items[:index], *items[index + 1 :]], keep)
            if position and lists[0] is not items:
                yield _listed([*lists[0], *items], complete)

    def _records(self, fact: Fact, record: Mapping[str, Any], asked: set[str]) -> Iterator[dict[str, Any]]:
        for name, part in fact.fields.items():
            if name not in asked:
                continue
            if name in record:
                yield {other: value for other, value in record.items() if other != name}
            for raw in self._raws(part, record.get(name)):
                if raw != record.get(name):
                    yield {**record, name: raw}

    # -- thresholds --

    def _boundaries(self, base: Probe) -> Iterator[Statement]:
        """For each comparison and each number in it, the values between which it turns."""
        values = setting_for(self.rule, base.setting).facts.values
        for comparison in self._comparisons():
            for name in comparison.facts:
                yield from self._turn(values, comparison, name)

    def _comparisons(self) -> tuple[_Comparison, ...]:
        if not hasattr(self, "_compared"):
            self._compared = tuple(_comparisons(self.rule, self.lets))
        return self._compared

    def _turn(self, values: Mapping[str, Any], comparison: _Comparison, name: str) -> Iterator[Statement]:
        around = tuple((other, repr(values.get(other))) for other in comparison.reads if fact_of(other) != name)
        start = values.get(name) if name == AS_OF or dictionary()[name].type == "date" else None
        key = (comparison.number, name, around, start)
        if key not in self.turns:
            if len(self.turns) >= _MOST_TURNS:
                return
            self.turns[key] = tuple(self._search(values, comparison, name))
        for number in self.turns[key]:
            if name == AS_OF:
                yield Statement(AS_OF, date(int(number)).isoformat(), {AS_OF: int(number)})
            elif (said := self._said(name, self._amount(dictionary()[name], number))) is not None:
                yield said

    def _search(self, values: Mapping[str, Any], comparison: _Comparison, name: str) -> Iterator[float]:
        fact = dictionary().get(name)
        kind = "date" if fact is None else "share" if fact.unit == "share" else fact.type
        unit: float = 1 if kind in ("int", "date") else PENNY
        grid: list[float]
        if kind == "date":
            known = [values[name]] if name in values else []
            known += [values[other] for other in comparison.facts if other != name and other in values]
            middles = [day for day in known if isinstance(day, int) and day > 3000] or [_SOME_DAY]
            grid = sorted({middle + way * far for middle in middles for far in _DAYS_APART for way in (-1, 1)})
        else:
            grid = sorted({*_GRID[kind], *(number for number in self.numbers if fact and _fits(fact, number))})
        truths = [comparison.truth(values, name, number) for number in grid]
        for low, high, first, last in zip(grid, grid[1:], truths, truths[1:], strict=False):
            if first is last:
                continue
            steps = round((high - low) / unit)
            below, above = 0, steps
            while above - below > 1:
                middle = (below + above) // 2
                if comparison.truth(values, name, moved(low, middle * unit)) is first:
                    below = middle
                else:
                    above = middle
            for step in (below, above, below - 1, above + 1):
                number = moved(low, step * unit)
                if number >= 0:
                    yield number

    # -- two facts changed --

    def _double(self) -> Iterator[Probe]:
        by_base = [self._twice(base) for base in self.cases]
        for row in zip_longest(*by_base):
            for found in row:
                if found is not None:
                    yield found

    def _twice(self, base: Probe) -> Iterator[Probe]:
        numbers = setting_for(self.rule, base.setting).facts.values
        firsts = [(name, tuple(islice(self._statements(name, base), 8))) for name in self.read]
        for name, statements in firsts:
            for first in statements:
                values = {one: value for one, value in numbers.items() if fact_of(one) != name} | dict(first.values)
                for comparison in self._comparisons():
                    for other in comparison.facts:
                        if other != name:
                            for second in self._turn(values, comparison, other):
                                if (found := self._with(base, first, second)) is not None:
                                    yield found
        for index, (_, statements) in enumerate(firsts):
            for _, others in firsts[index + 1 :]:
                for first in statements:
                    for second in others:
                        if (found := self._with(base, first, second)) is not None:
                            yield found


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A comparison of numbers in a rule, by itself."""

    number: int
    condition: TreeCondition
    lets: tuple[CompiledLet, ...]
    reads: tuple[str, ...]
    facts: tuple[str, ...]
    """The facts in it that are numbers or dates."""

    def truth(self, values: Mapping[str, Any], name: str, number: float) -> Any:
        """Whether it holds if a fact has this value."""
        changed = {**values, name: number, name + GIVEN: True}
        lets: dict[str, Explained] = {}
        for let in self.lets:
            lets[let.name] = compute_let(let, changed, lets)
        return self.condition.explain(changed, lets)[0]


def _law_reads(rule: CompiledRule, packs: Packs) -> frozenset[str]:
    """The facts that settle whether a rule of law holds, and with which numbers."""
    if rule.law is None:
        return frozenset()
    signs = (name for sign in packs.regimes for name in sign.gate.reads)
    return frozenset({*rule.law.governed_by, STATED_REGIME, STATED_TERRITORY, *signs})


def _changeovers(law: Law) -> tuple[int, ...]:
    """The days on which a law or one of its numbers changes."""
    spans = [(span.start, span.until) for some in law.dated.values() for span in some]
    return tuple(sorted({day for pair in (*spans, (law.start, law.until)) for day in pair if day is not None}))


def _trees(rule: CompiledRule, lets: frozenset[str]) -> Iterator[Node]:
    conditions = [rule.when, rule.planned, *(branch.condition for branch in rule.branches)]
    conditions += [let.value for let in rule.lets if let.name in lets]
    yield from (condition.tree for condition in conditions if condition is not None)


def _comparisons(rule: CompiledRule, lets: frozenset[str]) -> Iterator[_Comparison]:
    conditions = [rule.when, rule.planned, *(branch.condition for branch in rule.branches)]
    conditions += [let.value for let in rule.lets if let.name in lets]
    seen: set[Node] = set()
    for condition in conditions:
        if not isinstance(condition, TreeCondition):
            continue
        for node in _compared(condition.tree):
            if node in seen:
                continue
            seen.add(node)
            alone = TreeCondition(node, condition.type, condition.constants)
            names, needed = set(alone.names), []
            for let in reversed(rule.lets):
                if let.name in names:
                    needed.append(let)
                    names.update(let.value.names)
            reads = tuple(sorted(name for name in names if fact_of(name) in dictionary() or name == AS_OF))
            facts = tuple(name for name in reads if name == AS_OF or _is_number(name))
            if facts:
                yield _Comparison(len(seen), alone, tuple(reversed(needed)), reads, facts)


def _is_number(name: str) -> bool:
    return name in dictionary() and dictionary()[name].type in _NUMBERS


def _compared(node: Node) -> Iterator[Node]:
    """The comparisons in a condition that stand by themselves, not inside a macro."""
    match node:
        case Macro():
            return
        case Call(function, args):
            if function in _ORDERED and not any(
                isinstance(part, Const) and isinstance(part.value, bool | str) for part in args
            ):
                yield node
            for part in args:
                yield from _compared(part)


def _numbers(rule: CompiledRule, lets: frozenset[str]) -> tuple[float, ...]:
    """The numbers that a rule names, and those one unit beside them."""
    found: set[float] = set()
    conditions = [rule.when, rule.planned, *(branch.condition for branch in rule.branches)]
    conditions += [let.value for let in rule.lets if let.name in lets]
    for condition in conditions:
        if not isinstance(condition, TreeCondition):
            continue
        for node in walk(condition.tree):
            value: Any = node.value if isinstance(node, Const) else None
            if isinstance(node, Variable):
                value = condition.constants.get(node.name)
            if isinstance(value, list):
                found.update(part for step in value for part in step if part != BANDS_END)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found.add(value)
    for spans in rule.law.dated.values() if rule.law else ():
        found.update(span.value for span in spans if not isinstance(span.value, str))
    beside = dict.fromkeys(moved(value, step) for step in (0, PENNY, -PENNY, 1, -1) for value in sorted(found))
    return tuple(value for value in beside if value >= 0)


def _fits(fact: Fact, number: float) -> bool:
    if fact.unit == "share":
        return 0 <= number <= 1
    return fact.type != "int" or float(number).is_integer()


def _as_number(fact: Fact, stated: Any) -> float | None:
    value = stated.get("amount") if isinstance(stated, dict) else stated
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


# --- Descriptions as they are written ------------------------------------------------------------------------------


def _look(given: Mapping[str, Any], name: str) -> Any:
    here: Any = given
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return None
        here = here[part]
    return here


def _put(given: Mapping[str, Any], name: str, raw: Any) -> dict[str, Any]:
    """The description with one fact stated, or not stated any more."""
    part, _, rest = name.partition(".")
    copied = dict(given)
    if rest:
        inner = copied.get(part)
        value: Any = _put(inner if isinstance(inner, Mapping) else {}, rest, raw)
        if not value:
            value = None
    else:
        value = raw
    if value is None:
        copied.pop(part, None)
    else:
        copied[part] = value
    return copied


def _listed(items: Sequence[Any], complete: bool | None) -> Any:
    return list(items) if complete is None else {"complete": complete, "items": list(items)}
