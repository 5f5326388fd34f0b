"""Conditions as columns: what a rule can tell apart, worked out for many notices at once.

A rule's verdict, and the facts that it names, depend on a notice only through a few answers: whether each comparison in
its conditions is true, false or unknown, which of the facts behind these are known, and the items of the lists that it
looks through. `Columns` takes the condition trees apart into these answers, computes each of them as a column of
Polars, shared by all rules that ask it, and joins them to one key a rule and notice. Notices with the same key are the
same to the rule, so that the engine has to judge only one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from goodcommission.description.facts import COMPLETE, EPOCH, GIVEN, dictionary
from goodcommission.engine.conditions import AS_OF, UNKNOWN, Condition, computation
from goodcommission.engine.law import Span
from goodcommission.engine.tree import Call, Const, FieldOf, Item, ListOf, Macro, Node, Variable
from goodcommission.engine.verdicts import LET_DIGITS, CompiledRule
from goodcommission.packs.functions import FUNCTIONS, NotComputableError

_COMPARISONS: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_", "_?_:_"})
_SMALL: Final = 1 << 20
"""Keys below this are looked up in a table by their place, which takes a tenth of the time."""
_HALF: Final = 1 << 31
_WORD: Final = 1 << 62
_MOST_CODES: Final = 1 << 24
"""Of the words before, when a key takes several: with the next word it still is one whole number."""
MOST_INTERNED: Final = 1 << 20
"""Above all numbers of different values of one fact; at a tenth all is forgotten: a bound on memory."""
_LARGEST_EXACT: Final = 1e9
"""Below it a number times a million is exact enough to be rounded by multiplying."""
_FIRST_DAY, _LAST_DAY = 1 - EPOCH, 3_652_059 - EPOCH


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a condition in which lets and parameters are filled in: equal parts have equal answers."""

    op: str
    """``fact``, ``const``, ``dated`` (a number of law), ``round``, a function or operator of CEL; ``null``: never
    known; ``raw``: something that only the engine computes."""
    args: tuple[Part, ...] = ()
    value: Any = None
    type: str = "bool"
    facts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names in a condition stand for."""

    constants: Mapping[str, Any]
    lets: Mapping[str, tuple[Part, bool]]
    """What a let is, and whether it is rounded."""
    law: int | None
    """The number of the law that has the dated parameters."""
    dated: Mapping[str, str]
    """These, with their types."""


@dataclass(slots=True)
class Telling:
    """What tells notices apart for one condition or one rule."""

    atoms: dict[Part, None] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    raws: set[str] = field(default_factory=set)

    def tell(self, part: Part) -> None:
        """Add what tells apart the answers of a part that is true, false or unknown."""
        if part.op in _LOGIC:
            for arg in part.args:
                self.tell(arg)
        elif part.op in ("null", "raw"):
            (self.known if part.op == "null" else self.raws).update(part.facts)
            self._tests(part)
        elif part.op != "const":
            self.atoms[part] = None
            if not _is_direct(part):
                self.known |= part.facts
                self._tests(part)

    def _tests(self, part: Part) -> None:
        """The conditions within a number, ``a ? b : c``: which side it comes from."""
        for arg in part.args:
            if arg.op == "_?_:_":
                self.tell(arg.args[0])
            self._tests(arg)


def _is_direct(part: Part) -> bool:
    """Whether it is unknown just where its one fact is."""
    return part.op == "fact" or (len(part.facts) == 1 and all(arg.op in ("fact", "const") for arg in part.args))


def room(count: int) -> int:
    """A bound for so many numbers that seldom changes when there are more of them."""
    return max(4, 1 << count.bit_length())


class Coder:
    """Small numbers for the whole numbers of a column: 0 for the first that was seen, 1 for the second, and so on."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._table: tuple[pl.Series, pl.Series] | None = None

    def __len__(self) -> int:
        return len(self._known)

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._table = None

    def codes(self, column: pl.Series, bound: int = _WORD) -> tuple[pl.Series, list[int]]:
        """The number of each value, and for each value that was not seen before a row that has it.

        Args:
            column: None of its values is negative.
            bound: Above all its values; always the same until all is forgotten.
        """
        found = self._look_up(column, bound)
        if found.null_count() == 0:
            return found, []
        at = found.is_null().arg_true()
        new = pl.DataFrame({"value": column.gather(at), "row": at}).unique("value", keep="first", maintain_order=True)
        for value in new["value"].to_list():
            self._known[value] = len(self._known)
        self._table = None
        return self._look_up(column, bound), new["row"].to_list()

    def _look_up(self, column: pl.Series, bound: int) -> pl.Series:
        if self._table is None:
            known = self._known
            old, new = pl.Series(known.keys(), dtype=pl.Int64), pl.Series(known.values(), dtype=pl.UInt32)
            if bound <= _SMALL:
                new = pl.repeat(None, bound, dtype=pl.UInt32, eager=True).scatter(old, new)
            self._table = old, new
        old, new = self._table
        if bound <= _SMALL:
            return new[column]
        return column.replace_strict(old, new, default=None, return_dtype=pl.UInt32)


@dataclass(slots=True)
class Key:
    """The columns that tell notices apart for a rule, and the number of each combination of them that was seen."""

    atoms: tuple[int, ...]
    known: tuple[str, ...]
    raws: tuple[str, ...]
    bounds: tuple[int, ...] = ()
    """Of all columns, as the numbers below were made with them."""
    words: list[Coder] = field(default_factory=list)
    """For each whole number in which these find room, the last apart: its values."""
    classes: Coder = field(default_factory=Coder)

    def clear(self) -> None:
        """Forget all combinations."""
        self.words.clear()
        self.classes.clear()


class Columns:
    """The conditions of some rule packs, taken apart.

    Args:
        stated: The facts that a notice can state at all; of all others it is known that they are unknown.
    """

    def __init__(self, stated: Collection[str]) -> None:
        self.stated = frozenset(stated)
        self.parts: list[Part] = []
        self._numbers: dict[Part, int] = {}
        self.interned: dict[str, dict[Any, int]] = {}

    def telling(self, rule: CompiledRule, conditions: Sequence[Condition], law: int | None) -> Telling:
        """What tells notices apart for some conditions of a rule."""
        lets: dict[str, tuple[Part, bool]] = {}
        dated = {name: dated_type(spans) for name, spans in rule.law.dated.items()} if rule.law else {}
        for let in rule.lets:
            scope = Scope(let.constants, lets, law, dated)
            lets[let.name] = (self._part(let.value.tree, scope), let.value.type.name == "double")
        found = Telling()
        for condition in conditions:
            found.tell(self._part(condition.tree, Scope(rule.constants, lets, law, dated)))
        return found

    def forget(self) -> bool:
        """Give the values of facts new numbers if there are too many; True if keys from before mean nothing now."""
        if all(len(known) <= MOST_INTERNED // 10 for known in self.interned.values()):
            return False
        self.interned.clear()
        return True

    def key(self, telling: Telling, further: Collection[str] = ()) -> Key:
        """The columns of what tells notices apart.

        Args:
            telling: Of all conditions that count.
            further: Facts whose very value counts.
        """
        raws = telling.raws | set(further)
        return Key(
            tuple(sorted(self._number(part) for part in telling.atoms)),
            tuple(sorted(telling.known - raws)),
            tuple(sorted(raws)),
        )

    def _number(self, part: Part) -> int:
        number = self._numbers.get(part)
        if number is None:
            number = self._numbers[part] = len(self.parts)
            self.parts.append(part)
        return number

    # -- trees to parts --

    def _part(self, node: Node, scope: Scope) -> Part:
        match node:
            case Const(value):
                return _constant(value)
            case Variable(name):
                return self._variable(name, scope)
            case ListOf(nodes) if all(isinstance(one, Const) for one in nodes):
                return Part("const", value=tuple(one.value for one in nodes if isinstance(one, Const)), type="list")
            case Call(function, nodes):
                return self._call(function, tuple(self._part(one, scope) for one in nodes))
            case _:
                return self._only_by_the_engine(node, scope)

    def _variable(self, name: str, scope: Scope) -> Part:
        if name in scope.constants:
            return _constant(scope.constants[name])
        if name in scope.lets:
            part, rounded = scope.lets[name]
            if not rounded or part.op in ("null", "raw"):
                return part
            if part.op == "const":
                return _constant(round(part.value, LET_DIGITS)) if math.isfinite(part.value) else _never(part)
            return Part("round", (part,), type="double", facts=part.facts)
        if name.startswith("params."):
            return Part("dated", value=(scope.law, name), type=scope.dated[name])
        type_ = _type_of(name)
        if name not in self.stated:
            return Part("null", type=type_)
        facts = frozenset({name})
        return Part("raw" if type_ == "list" else "fact", value=name, type=type_, facts=facts)

    def _call(self, function: str, args: tuple[Part, ...]) -> Part:
        facts = frozenset[str]().union(*(arg.facts for arg in args))
        type_ = _result(function, args)
        if function in _LOGIC:
            return Part(function, args, type=type_, facts=facts)
        if any(arg.op == "raw" or (arg.type == "list" and arg.op != "const") for arg in args) or (
            type_ == "int" and function in ("_*_", "_/_")  # beyond 64 bits, Polars would wrap around
        ):
            return Part("raw", args, type=type_, facts=facts)
        if any(arg.op == "null" for arg in args):
            return Part("null", args, type=type_, facts=facts)
        if all(arg.op == "const" for arg in args):
            value = computation(function)(*(arg.value for arg in args))
            return Part("null", type=type_) if value is UNKNOWN else _constant(value)
        return Part(function, args, type=type_, facts=facts)

    def _only_by_the_engine(self, node: Node, scope: Scope) -> Part:
        """A part that looks through a list: what it depends on."""
        parts: list[Part] = []

        def collect(one: Node) -> None:
            match one:
                case Variable():
                    parts.append(self._variable(one.name, scope))
                case FieldOf(record, _):
                    collect(record)
                case Call(_, nodes) | ListOf(nodes):
                    for child in nodes:
                        collect(child)
                case Macro(_, over, _, body):
                    collect(over)
                    collect(body)
                case Const() | Item():
                    pass

        collect(node)
        facts = frozenset[str]().union(*(part.facts for part in parts))
        return Part("raw", type="raw", facts=facts)


def _constant(value: Any) -> Part:
    if isinstance(value, list | tuple):
        return Part("const", value=_hashable(value), type="list")
    names = {bool: "bool", int: "int", float: "double", str: "string"}
    return Part("const", value=value, type=names[type(value)])


def dated_type(spans: Sequence[Span]) -> str:
    """The type of a number of law."""
    return "int" if all(type(span.value) is int for span in spans) else "double"


def _never(part: Part) -> Part:
    return Part("null", type=part.type)


def _hashable(value: Any) -> Any:
    return tuple(_hashable(one) for one in value) if isinstance(value, list | tuple) else value


def _type_of(name: str) -> str:
    if name == AS_OF:
        return "int"
    if name.endswith((GIVEN, COMPLETE)):
        return "bool"
    known = dictionary()[name].type
    plain = {"bool": "bool", "int": "int", "date": "int", "double": "double", "money": "double"}
    return "list" if known.startswith("list") else plain.get(known, "string")


def _result(function: str, args: tuple[Part, ...]) -> str:
    if function in _COMPARISONS or function in ("@in", "_&&_", "_||_", "!_", "covers"):
        return "bool"
    if function == "_?_:_":
        return args[1].type
    if function == "double":
        return "double"
    if function == "size":
        return "int"
    for form in FUNCTIONS.get(function, ()):
        if len(FUNCTIONS[function]) == 1 or form.parameters[0] == args[0].type:
            return form.returns
    return args[0].type


DTYPES: Final[Mapping[str, Any]] = {
    "bool": pl.Boolean,
    "int": pl.Int64,
    "double": pl.Float64,
    "string": pl.String,
}


class Batch:
    """The facts of some notices as columns, and the answers to the parts of conditions, each computed once.

    Args:
        columns: The conditions.
        rows: What each notice states, by the names of the facts.
    """

    def __init__(self, columns: Columns, rows: Sequence[Mapping[str, Any]]) -> None:
        self.columns, self.rows, self.height = columns, rows, len(rows)
        self.dated: dict[tuple[int, str], pl.Series | None] = {}
        """Numbers of law, by the law and the parameter: what each notice's law says."""
        self.values = _turned(rows)
        """What the notices state of each fact, None where one doesn't."""
        self._facts: dict[str, pl.Series] = {}
        self._answers: dict[Part, Any] = {}
        self._digits: dict[int, pl.Series] = {}
        self._known: dict[str, pl.Series] = {}
        self._raws: dict[str, pl.Series] = {}

    def fact(self, name: str) -> pl.Series | None:
        """The column of a fact; None if no notice states it."""
        if name not in self.values:
            return None
        if name not in self._facts:
            self._facts[name] = pl.Series(name, self.values[name], dtype=DTYPES[_type_of(name)], strict=True)
        return self._facts[name]

    def _raw(self, name: str) -> tuple[pl.Series | None, int]:
        """A number for each different value of a fact, 0 for unknown, and a bound; None if no notice states it."""
        known = self.columns.interned.setdefault(name, {})
        if name not in self._raws and name in self.values:
            values = self.values[name]
            numbers = [0 if value is None else known.setdefault(_frozen(value), len(known) + 1) for value in values]
            self._raws[name] = pl.Series(numbers, dtype=pl.UInt32)
        return self._raws.get(name), room(len(known) + 1)

    def prepare(self, keys: Sequence[Key]) -> None:
        """Work out the columns of some keys, for all of them together: each by itself costs many times as much."""
        parts = self.columns.parts
        answers = {str(number): self.answer(parts[number]) for key in keys for number in key.atoms}
        there = {name: answer for name, answer in answers.items() if answer is not None}
        # 0 is unknown, 1 true, 2 false
        digits = pl.DataFrame(there).select((2 - pl.all().cast(pl.UInt32)).fill_null(0).name.keep())
        self._digits = {int(column.name): column for column in digits}
        facts = {name: self.fact(name) for key in keys for name in key.known if name in self.values}
        known = pl.DataFrame(facts).select(pl.all().is_not_null().cast(pl.UInt32))
        self._known = {column.name: column for column in known}

    def classes(
        self, key: Key, further: Sequence[tuple[pl.Series | None, int]] = ()
    ) -> tuple[pl.Series, list[int], bool]:
        """The class of each notice by a key that was prepared.

        Args:
            key: What tells notices apart.
            further: Columns of small whole numbers, each with a bound that is above all of them.

        Returns:
            The number of each notice's class; for each class that is new a notice that is in it; and whether all
            classes are new, because a column needs more room than it had when the others were numbered.
        """
        digits: list[tuple[pl.Series | None, int]] = list(further)
        digits += [(self._digits.get(number), 3) for number in key.atoms]
        digits += [(self._known.get(name), 2) for name in key.known]
        digits += [self._raw(name) for name in key.raws]
        bounds = tuple([bound for _, bound in digits])
        renewed = bounds != key.bounds
        if renewed:
            key.clear()
            key.bounds = bounds
        total: pl.Series | None = None  # of the words before and of the digits before those that are added up in `part`
        part: pl.Series | None = None
        begin, place, word = 1, 1, 0
        for column, bound in digits:
            if begin * place * bound > _WORD:
                total = _sum(total, part, begin)
                if word == len(key.words):
                    key.words.append(Coder())
                codes, _ = key.words[word].codes(self._or_zeros(total, pl.Int64))
                total, part, begin, place, word = codes.cast(pl.Int64), None, _MOST_CODES, 1, word + 1
            elif place * bound > _HALF:
                total, part, begin, place = _sum(total, part, begin), None, begin * place, 1
            if column is not None:
                shifted = column if place == 1 else column * place
                part = shifted if part is None else part + shifted
            place *= bound
        if begin == 1 and place <= _SMALL:
            codes, new = key.classes.codes(self._or_zeros(part, pl.UInt32), place)
        else:
            codes, new = key.classes.codes(self._or_zeros(_sum(total, part, begin), pl.Int64))
        return codes, new, renewed

    def _or_zeros(self, column: pl.Series | None, dtype: Any) -> pl.Series:
        return pl.zeros(self.height, dtype=dtype, eager=True) if column is None else column

    # -- answers --

    def answer(self, part: Part) -> Any:
        """The column of a part; None if it is unknown for all."""
        if part not in self._answers:
            self._answers[part] = self._compute(part)
        return self._answers[part]

    def _compute(self, part: Part) -> Any:
        match part.op:
            case "fact":
                return self.fact(part.value)
            case "dated":
                return self.dated[part.value]
            case "null" | "raw":
                return None
            case "_&&_" | "_||_":
                return self._joined(part)
            case "_?_:_":
                return self._chosen(part)
        args = [arg.value if arg.op == "const" else self.answer(arg) for arg in part.args]
        if any(arg is None for arg in args):
            return None
        if part.op in _OPERATORS:
            return _OPERATORS[part.op](*args)
        return self._by_function(part.op, args)

    def _column(self, part: Part) -> pl.Series:
        """The column of a part, also where it is the same for all."""
        answer = part.value if part.op == "const" else self.answer(part)
        if isinstance(answer, pl.Series):
            return answer
        return pl.repeat(answer, self.height, dtype=DTYPES[part.type], eager=True)

    def _joined(self, part: Part) -> pl.Series:
        left, right = (pl.lit(self._column(arg)) for arg in part.args)
        return pl.select(left & right if part.op == "_&&_" else left | right).to_series()

    def _chosen(self, part: Part) -> pl.Series:
        test, then, otherwise = (pl.lit(self._column(arg)) for arg in part.args)
        return pl.select(pl.when(test).then(then).when(test.not_()).then(otherwise)).to_series()

    def _by_function(self, name: str, args: list[Any]) -> pl.Series:
        """A function without a column form: computed once for each different set of arguments."""
        compute = FUNCTIONS[name][0].compute
        known: dict[Any, Any] = {}
        lists = [arg.to_list() if isinstance(arg, pl.Series) else [arg] * self.height for arg in args]
        values: list[Any] = []
        for given in zip(*lists, strict=True):
            if given not in known:
                known[given] = _tried(compute, given)
            values.append(known[given])
        return pl.Series(values, dtype=DTYPES[FUNCTIONS[name][0].returns], strict=True)


def _turned(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Columns from rows."""
    columns: dict[str, list[Any]] = {}
    nothing: list[Any] = [None] * len(rows)
    for index, row in enumerate(rows):
        for name, value in row.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = nothing.copy()
            column[index] = value
    return columns


def _sum(total: pl.Series | None, part: pl.Series | None, place: int) -> pl.Series | None:
    """The sum of a number and of one that begins at a place of its own."""
    if part is None:
        return total
    shifted = part.cast(pl.Int64) * place
    return shifted if total is None else total + shifted


def _tried(compute: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    if None in given:
        return None
    try:
        return compute(*given)
    except (NotComputableError, ValueError, OverflowError, ArithmeticError):
        return None


def _frozen(value: Any) -> Any:
    """A value that can be looked up; values of different types are different."""
    if isinstance(value, list):
        return ("list", *(_frozen(one) for one in value))
    if isinstance(value, dict):
        return ("record", *((name, _frozen(value[name])) for name in sorted(value)))
    return (type(value).__name__, value)


def _series(value: Any) -> pl.Expr:
    return pl.lit(value)


def _divided(a: Any, b: Any) -> pl.Series:
    if not isinstance(b, pl.Series):  # by a single number Polars multiplies with its reciprocal, which is not the same
        b = pl.repeat(b, len(a), dtype=pl.Float64, eager=True)
    return pl.select(pl.when(_series(b) != 0).then(_series(a) / _series(b))).to_series()


def _larger(a: Any, b: Any) -> pl.Series:
    test = _series(a) >= _series(b)
    return pl.select(pl.when(test).then(_series(a)).when(test.not_()).then(_series(b))).to_series()


def _smaller(a: Any, b: Any) -> pl.Series:
    test = _series(a) <= _series(b)
    return pl.select(pl.when(test).then(_series(a)).when(test.not_()).then(_series(b))).to_series()


def _later(day: Any, count: Any) -> pl.Series:
    total = _series(day) + _series(count)
    return pl.select(pl.when(total.is_between(_FIRST_DAY, _LAST_DAY)).then(total)).to_series()


def rounded(numbers: pl.Series) -> pl.Series:
    """Rounded as Python rounds, which rounds the decimal number and not the double times a million."""
    number = pl.lit(numbers)
    scaled = number * 1e6
    exact = number.is_finite() & (number.abs() < _LARGEST_EXACT) & ((scaled - scaled.floor() - 0.5).abs() > 1e-3)
    # Divided by a single number Polars multiplies with its reciprocal, which is not the same.
    divisor = pl.repeat(1e6, len(numbers), dtype=pl.Float64, eager=True)
    frame = pl.select(rounded=scaled.round(0) / pl.lit(divisor), doubtful=(~exact).fill_null(False))
    rounded, doubtful = frame["rounded"], frame["doubtful"]
    at = doubtful.arg_true()
    values = [
        None if number is None or not math.isfinite(number) else round(number, LET_DIGITS)
        for number in numbers[at].to_list()
    ]
    return rounded.scatter(at, pl.Series(values, dtype=pl.Float64)) if values else rounded


_OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    "_==_": lambda a, b: a == b,
    "_!=_": lambda a, b: a != b,
    "_<_": lambda a, b: a < b,
    "_<=_": lambda a, b: a <= b,
    "_>_": lambda a, b: a > b,
    "_>=_": lambda a, b: a >= b,
    "!_": lambda a: ~a,
    "-_": lambda a: -a,
    "_+_": lambda a, b: a + b,
    "_-_": lambda a, b: a - b,
    "_*_": lambda a, b: a * b,
    "_/_": _divided,
    "@in": lambda a, b: a.is_in(list(b)),
    "double": lambda a: a.cast(pl.Float64),
    "round": rounded,
    "max_of": _larger,
    "min_of": _smaller,
    "earliest": _smaller,
    "latest": _larger,
    "add_days": _later,
    "days_between": lambda first, last: last - first,
}
