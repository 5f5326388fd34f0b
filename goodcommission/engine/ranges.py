"""What conditions can give when facts are not one value but any of many.

Each part of a condition's tree gives the values that it can have: a number between two others, one of several texts or
truth values. Every function that conditions may call rises or falls steadily with its arguments, so that its values
on a range lie between those at the range's ends. What does not depend on the open facts is computed once.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from goodcommission.engine.conditions import UNKNOWN, Condition
from goodcommission.engine.tree import Call, Const, FieldOf, Item, ListOf, Macro, Node, Variable
from goodcommission.engine.verdicts import LET_DIGITS, CompiledLet
from goodcommission.packs.functions import FUNCTIONS

_INFINITE: Final = math.inf

# --- Many values at once -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Between:
    """Any number between two, both included; perhaps unknown."""

    low: Any
    high: Any
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Either:
    """One of several texts or truth values, or unknown."""

    values: frozenset[Any]


class Anything:
    """Whatever it may be."""

    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Final = Anything()
Abstract: TypeAlias = Any
"""A value as conditions see it, UNKNOWN, a list or record of such, or ``Between``, ``Either``, ``ANYTHING``."""
Truths: TypeAlias = frozenset[Any]
_ALL: Final[Truths] = frozenset({True, False, UNKNOWN})


def between(low: Any, high: Any, unknown: bool = False) -> Abstract:
    """All numbers between two; one number where they are equal."""
    if low != low or high != high:  # noqa: PLR0124 (not a number: 0 times infinity)
        return Between(-_INFINITE, _INFINITE, True)
    return low if low == high and not unknown else Between(low, high, unknown)


def either(values: Iterable[Any]) -> Abstract:
    """One of several values; that value where it is the only one."""
    found = frozenset(values)
    return next(iter(found)) if len(found) == 1 else Either(found)


def _is_number(value: Abstract) -> bool:
    return isinstance(value, Between) or (isinstance(value, int | float) and not isinstance(value, bool))


def _span(value: Abstract) -> tuple[Any, Any, bool]:
    if isinstance(value, Between):
        return value.low, value.high, value.unknown
    if _is_number(value):
        return value, value, False
    return -_INFINITE, _INFINITE, True


def truths(value: Abstract) -> Truths:
    """The truth values (or texts) that something can have."""
    if isinstance(value, Either):
        return value.values
    return _ALL if value is ANYTHING else frozenset({value})


def joined(values: Sequence[Abstract]) -> Abstract:
    """What is one of several."""
    first = values[0]
    if all(type(value) is type(first) and value == first for value in values[1:]):
        return first
    if any(_is_number(value) for value in values):
        if not all(_is_number(value) or value is UNKNOWN for value in values):
            return ANYTHING
        spans = [_span(value) for value in values if value is not UNKNOWN]
        unknown = any(span[2] for span in spans) or any(value is UNKNOWN for value in values)
        return between(min(span[0] for span in spans), max(span[1] for span in spans), unknown)
    if all(isinstance(value, bool | str | Either) or value is UNKNOWN for value in values):
        return either(one for value in values for one in truths(value))
    return ANYTHING


def _and(left: Truths, right: Truths) -> Truths:
    """Kleene's conjunction of all pairs."""
    return frozenset(
        False if a is False or b is False else True if a is True and b is True else UNKNOWN for a in left for b in right
    )


def _not(values: Truths) -> Truths:
    return frozenset(UNKNOWN if value is UNKNOWN else not value for value in values)


# --- Functions and operators -------------------------------------------------------------------------------------

_RISING: Final[Mapping[str, tuple[bool, ...]]] = {
    "double": (True,),
    "-_": (False,),
    "_+_": (True, True),
    "_-_": (True, False),
    "max_of": (True, True),
    "min_of": (True, True),
    "earliest": (True, True),
    "latest": (True, True),
    "add_months": (True, True),
    "add_days": (True, True),
    "weekdays_between": (False, True),
    "days_between": (False, True),
}
"""For each function of numbers: whether it rises with each argument, or falls."""
_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "double": float,
    "-_": operator.neg,
    "_+_": operator.add,
    "_-_": operator.sub,
    "_*_": operator.mul,
}
_LARGEST_INT: Final = 2**63 - 1


def _computed(function: str, *parts: Any) -> Any:
    """A function of certain numbers; UNKNOWN where it has no value."""
    try:
        value = (_PLAIN.get(function) or FUNCTIONS[function][0].compute)(*parts)
    except (ValueError, OverflowError, ArithmeticError):
        return UNKNOWN
    if type(value) is int and not -_LARGEST_INT - 1 <= value <= _LARGEST_INT:
        return UNKNOWN
    return value


def _steady(function: str, args: Sequence[Abstract]) -> Abstract:
    """A function that rises or falls with each of its arguments."""
    spans = [_span(arg) for arg in args]
    unknown = any(span[2] for span in spans)
    rising = _RISING[function]
    if any(math.isinf(end) for span in spans for end in span[:2]):
        return Between(-_INFINITE, _INFINITE, True)
    low = _computed(function, *(span[0] if up else span[1] for span, up in zip(spans, rising, strict=True)))
    high = _computed(function, *(span[1] if up else span[0] for span, up in zip(spans, rising, strict=True)))
    if low is UNKNOWN or high is UNKNOWN:
        exact = all(span[0] == span[1] for span in spans) and not unknown
        return UNKNOWN if exact else Between(-_INFINITE, _INFINITE, True)
    return between(low, high, unknown)


def _product(left: Abstract, right: Abstract) -> Abstract:
    (a, b, first), (c, d, second) = _span(left), _span(right)
    if any(math.isinf(end) for end in (a, b, c, d)):
        return Between(-_INFINITE, _INFINITE, True)
    corners = [_computed("_*_", x, y) for x in (a, b) for y in (c, d)]
    if any(corner is UNKNOWN for corner in corners):
        return UNKNOWN if a == b and c == d else Between(-_INFINITE, _INFINITE, True)
    return between(min(corners), max(corners), first or second)


def _quotient(left: Abstract, right: Abstract) -> Abstract:
    (a, b, first), (c, d, second) = _span(left), _span(right)
    if c == d == 0:
        return UNKNOWN
    if c <= 0 <= d or any(math.isinf(end) for end in (a, b, c, d)):
        return Between(-_INFINITE, _INFINITE, True)
    corners = [_divided(x, y) for x in (a, b) for y in (c, d)]
    return between(min(corners), max(corners), first or second)


def _divided(a: Any, b: Any) -> Any:
    if isinstance(a, int):
        quotient = abs(a) // abs(b)
        return quotient if (a >= 0) == (b >= 0) else -quotient
    return a / b


_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}


def _compared(function: str, left: Abstract, right: Abstract) -> Truths:
    if left is UNKNOWN or right is UNKNOWN:
        return frozenset({UNKNOWN})
    if left is ANYTHING or right is ANYTHING:
        return _ALL
    if not (_is_number(left) and _is_number(right)):
        same = frozenset(
            UNKNOWN if a is UNKNOWN or b is UNKNOWN else a == b for a in truths(left) for b in truths(right)
        )
        return same if function == "_==_" else _not(same)
    (a, b, first), (c, d, second) = _span(left), _span(right)
    unknown = frozenset({UNKNOWN}) if first or second else frozenset()
    if function in _ORDER:
        order = _ORDER[function]
        return frozenset({order(a, c), order(a, d), order(b, c), order(b, d)}) | unknown
    apart, equal = b < c or d < a, a == b == c == d
    same = frozenset({not apart}) if apart or equal else frozenset({True, False})
    return (same if function == "_==_" else _not(same)) | unknown


_COMPARISONS: Final = frozenset({*_ORDER, "_==_", "_!=_"})
Relation: TypeAlias = int | None
"""Whether the left side is smaller (-1), equal (0) or larger (1); None if one of the two is unknown."""


def _relations(left: Abstract, right: Abstract) -> tuple[Relation, ...]:
    """How two numbers can stand to each other."""
    (a, b, first), (c, d, second) = _span(left), _span(right)
    unknown: tuple[Relation, ...] = (None,) if first or second else ()
    return (*((-1,) if a < d else ()), *((0,) if a <= d and c <= b else ()), *((1,) if b > c else ()), *unknown)


def _related(function: str, relation: Relation) -> Any:
    if relation is None:
        return UNKNOWN
    if function in _ORDER:
        return _ORDER[function](relation, 0)
    return (relation == 0) is (function == "_==_")


def _contained(value: Abstract, items: Abstract) -> Truths:
    if value is UNKNOWN or items is UNKNOWN:
        return frozenset({UNKNOWN})
    if items is ANYTHING or value is ANYTHING or any(item is UNKNOWN for item in items):
        return _ALL
    # For each text on its own: which of several it is must not differ from item to item.
    found: Truths = frozenset()
    for one in truths(value) if not isinstance(value, Between) else [value]:
        absent: Truths = frozenset({True})
        for item in items:
            absent = _and(absent, _not(_compared("_==_", one, item)))
        found |= _not(absent)
    return found or frozenset({False})


def _banded(bands: Sequence[Sequence[float]], value: Abstract) -> Abstract:
    low, high, unknown = _span(value)
    steps, start = [], -_INFINITE
    for below, step in bands:
        if start <= high and low < below:
            steps.append(step)
        start = below
    return between(min(steps), max(steps), unknown) if steps else UNKNOWN


def _of_list(function: str, items: Abstract) -> Abstract:
    if function == "size":
        return Between(0, _INFINITE) if items is ANYTHING else len(items)
    if items is ANYTHING:
        return Between(-_INFINITE, _INFINITE, True)
    spans = [_span(item) for item in items]
    if any(item is UNKNOWN for item in items) or (not items and function != "sum_of"):
        return UNKNOWN
    unknown = any(span[2] for span in spans)
    take: Any = {"largest": max, "smallest": min, "sum_of": math.fsum}[function]
    if any(math.isinf(end) for span in spans for end in span[:2]):
        return Between(-_INFINITE, _INFINITE, True)
    return between(take([span[0] for span in spans]), take([span[1] for span in spans]), unknown)


def _covering(args: Sequence[Abstract]) -> Truths:
    if any(arg is ANYTHING or any(not isinstance(item, str) for item in arg) for arg in args):
        return _ALL
    return frozenset({set(args[1]) <= set(args[0])})


def _apply(function: str, args: Sequence[Abstract]) -> Abstract:
    """An operator or function that needs all its arguments."""
    if any(arg is UNKNOWN for arg in args):
        return UNKNOWN
    if function in _ORDER or function in ("_==_", "_!=_"):
        return either(_compared(function, *args))
    if function == "@in":
        return either(_contained(*args))
    if function == "!_":
        return either(_not(truths(args[0])))
    if function == "_*_":
        return _product(*args)
    if function == "_/_":
        return _quotient(*args)
    if function == "band":
        return _banded(*args)
    if function == "covers":
        return either(_covering(args))
    if function in ("size", "largest", "smallest", "sum_of"):
        return _of_list(function, args[0])
    return _steady(function, args)


# --- Conditions, with all that is stated worked in ---------------------------------------------------------------

State: TypeAlias = Mapping[str, Abstract]
_Run: TypeAlias = Callable[[State, Mapping[str, Abstract]], Abstract]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition: what it gives, and the open facts that this depends on (and items of lists)."""

    run: _Run
    names: frozenset[str]
    made_of: tuple[Part, ...] = ()
    """The parts that it is computed from; none for a fact."""

    @property
    def fixed(self) -> bool:
        """Whether it is the same whatever is filled in."""
        return not self.names

    def value(self) -> Abstract:
        """What it gives, if that is fixed."""
        return self.run({}, {})


def fixed(value: Abstract) -> Part:
    """A part that gives the same whatever is filled in."""
    return Part(lambda state, items: value, frozenset())


ASSUMED: Final = "\1"
OPEN: Final = "\2"
"""In the state, beside the facts: what is assumed of open comparisons, and those of which nothing is."""
_ITEM: Final = "\0"
"""Marks the name of a macro's item among the names of facts."""


class Folding:
    """Makes of a rule's trees functions of what is filled in; all else is computed once."""

    def __init__(self, values: Mapping[str, Any], open: frozenset[str], constants: Mapping[str, Any]) -> None:
        self.values, self.open, self.constants = values, open, dict(constants)
        self.lets: dict[str, Part] = {}
        self.order: list[tuple[str, Part]] = []
        self.hints: set[float] = set()

    def add(self, let: CompiledLet) -> None:
        """A let: rounded as the engine does it."""
        if let.name in self.lets:
            return
        self.constants.update(let.constants)
        part = self.part(let.value.tree)
        if part.fixed:
            self.lets[let.name] = fixed(rounded(part.value()))
            return
        self.order.append((let.name, part))
        name = let.name
        self.lets[name] = Part(lambda state, items: state[name], part.names, (part,))

    def condition(self, condition: Condition | None) -> Part | None:
        """A condition; None where there is none."""
        return None if condition is None else self.part(condition.tree)

    def part(self, node: Node) -> Part:
        """A part of a condition."""
        part = self._part(node)
        return fixed(part.value()) if part.fixed else part

    def _part(self, node: Node) -> Part:
        match node:
            case Const(value):
                self.hint(value)
                return fixed(value)
            case Variable(name):
                return self.variable(name)
            case Item(name):
                return Part(lambda state, items: items[name], frozenset({_ITEM + name}))
            case FieldOf(record, name):
                inner = self.part(record)
                return Part(lambda state, items: _field(inner.run(state, items), name), inner.names, (inner,))
            case ListOf(nodes):
                return self.strict(nodes, lambda parts: UNKNOWN if UNKNOWN in parts else list(parts))
            case Macro(kind, over, item, body):
                return self.macro(kind, self.part(over), item, self.part(body))
            case Call("_&&_" | "_||_" as function, (left, right)):
                return _logical(self.part(left), self.part(right), function == "_||_")
            case Call("_?_:_", (test, then, otherwise)):
                return self.choice(self.part(test), self.part(then), self.part(otherwise))
            case Call(function, (left, right)) if function in _COMPARISONS:
                return self.comparison(function, left, right)
            case Call(function, args):
                return self.strict(args, lambda parts: _apply(function, parts))

    def hint(self, value: Any) -> None:
        """A number that the rule names: ranges are cut there first."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.hints.add(value)
        elif isinstance(value, list):
            for entry in value:
                self.hint(entry)

    def variable(self, name: str) -> Part:
        """A parameter, a let or a fact."""
        if name in self.constants:
            self.hint(self.constants[name])
            return fixed(self.constants[name])
        if name in self.lets:
            return self.lets[name]
        if name in self.open:
            return Part(lambda state, items: state.get(name, UNKNOWN), frozenset({name}))
        value = self.values.get(name, UNKNOWN)
        self.hint(value)
        return fixed(value)

    def strict(self, nodes: Sequence[Node], compute: Callable[[Sequence[Abstract]], Abstract]) -> Part:
        """What needs all of its parts."""
        parts = [self.part(node) for node in nodes]
        names = frozenset().union(*(part.names for part in parts))
        if any(part.fixed and part.value() is UNKNOWN for part in parts):
            return fixed(UNKNOWN)
        return Part(lambda state, items: compute([part.run(state, items) for part in parts]), names, tuple(parts))

    def comparison(self, function: str, left: Node, right: Node) -> Part:
        """A comparison; where it is open, what was assumed of its two sides elsewhere holds here as well."""
        first, second = self.part(left), self.part(right)
        names = first.names | second.names
        if any(part.fixed and part.value() is UNKNOWN for part in (first, second)):
            return fixed(UNKNOWN)
        of_items = any(name.startswith(_ITEM) for name in names)

        def run(state: State, items: Mapping[str, Abstract]) -> Abstract:
            a, b = first.run(state, items), second.run(state, items)
            found = _compared(function, a, b)
            assumed: dict[tuple[Node, Node], Relation] | None = state.get(ASSUMED)
            if len(found) == 1 or assumed is None or of_items or not (_is_number(a) and _is_number(b)):
                return either(found)
            if (left, right) in assumed:
                return _related(function, assumed[left, right])
            if (right, left) in assumed:
                relation = assumed[right, left]
                return _related(function, None if relation is None else -relation)
            state[OPEN].setdefault((left, right), _relations(a, b))
            return either(found)

        return Part(run, names, (first, second))

    def choice(self, test: Part, then: Part, otherwise: Part) -> Part:
        """``test ? then : otherwise``."""
        if test.fixed:
            asked = test.value()
            return fixed(UNKNOWN) if asked is UNKNOWN else then if asked else otherwise

        def run(state: State, items: Mapping[str, Abstract]) -> Abstract:
            results = []
            for asked in truths(test.run(state, items)):
                chosen = then if asked is True else otherwise
                results.append(UNKNOWN if asked is UNKNOWN else chosen.run(state, items))
            return joined(results)

        return Part(run, test.names | then.names | otherwise.names, (test, then, otherwise))

    @staticmethod
    def macro(kind: str, over: Part, item: str, body: Part) -> Part:
        """A look through a list."""

        def run(state: State, items: Mapping[str, Abstract]) -> Abstract:
            entries = over.run(state, items)
            if entries is UNKNOWN:
                return UNKNOWN
            if entries is ANYTHING:
                return either(_ALL) if kind in ("exists", "all") else ANYTHING
            results = [body.run(state, {**items, item: entry}) for entry in entries]
            if kind in ("exists", "all"):
                whole: Truths = frozenset({True})
                for result in results:
                    found = truths(result)
                    whole = _and(whole, _not(found) if kind == "exists" else found)
                return either(_not(whole) if kind == "exists" else whole)
            if any(result is UNKNOWN for result in results):
                return UNKNOWN
            if kind == "map":
                return results
            if all(isinstance(result, bool) for result in results):
                return [entry for entry, result in zip(entries, results, strict=True) if result]
            return ANYTHING

        return Part(run, over.names | (body.names - {_ITEM + item}), (over, body))


def _logical(left: Part, right: Part, disjunction: bool) -> Part:
    for one, other in ((left, right), (right, left)):
        if one.fixed:
            value = one.value()
            if value is disjunction:
                return fixed(disjunction)
            if value is (not disjunction):
                return other

    def run(state: State, items: Mapping[str, Abstract]) -> Abstract:
        a = truths(left.run(state, items))
        if a == {disjunction}:
            return disjunction
        b = truths(right.run(state, items))
        return either(_not(_and(_not(a), _not(b))) if disjunction else _and(a, b))

    return Part(run, left.names | right.names, (left, right))


def _field(record: Abstract, name: str) -> Abstract:
    if record is UNKNOWN or record is ANYTHING:
        return record
    return record.get(name, UNKNOWN)


def rounded(value: Abstract) -> Abstract:
    """A let's value, with six decimals; unknown where it is not finite."""
    if isinstance(value, float):
        return round(value, LET_DIGITS) if math.isfinite(value) else UNKNOWN
    if isinstance(value, Between):
        finite = math.isfinite(value.low) and math.isfinite(value.high)
        low, high = (round(end, LET_DIGITS) if isinstance(end, float) else end for end in (value.low, value.high))
        return between(low, high, value.unknown or not finite)
    return value
