"""Conditions: compiled and checked once, decided by CEL, explained by their tree."""

from __future__ import annotations

import difflib
import math
import operator
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial, reduce
from typing import Any, Final, Protocol, Self, TypeAlias

from cel_expr_python import cel

from goodcommission.description.facts import COMPLETE, GIVEN, Fact, dictionary
from goodcommission.engine.tree import (
    Call,
    Const,
    FieldOf,
    Item,
    ListOf,
    Macro,
    Node,
    UndecodedError,
    Variable,
    canonical,
    decode,
    variables,
    walk,
)
from goodcommission.exceptions import EngineError, Fault
from goodcommission.packs.functions import FUNCTIONS, cel_functions, cel_type

AS_OF = "as_of"
PARAMS = "params."
DEEPEST_MACRO = 2
LONGEST_CONDITION = 4000
MOST_STEPS = 10_000
"""How many items one condition may look at: CEL's own budget, kept by the tree as well."""
_LARGEST_INT, _SMALLEST_INT = 2**63 - 1, -(2**63)


class ConditionError(ValueError):
    """A condition does not compile or breaks a rule of the condition language.

    Args:
        message: What is wrong, in one sentence.
        offset: Line and column within the condition's text, 1-based, where known.
        suggestion: The nearest known name, or what to write instead.
        unknown: The name that is not known, where that is what is wrong.
    """

    def __init__(
        self,
        message: str,
        offset: tuple[int, int] | None = None,
        suggestion: str | None = None,
        unknown: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.offset, self.suggestion, self.unknown = message, offset, suggestion, unknown


# --- Types -----------------------------------------------------------------------------------------------------

_FACT_TYPES: Final[Mapping[str, str]] = {
    "bool": "bool",
    "int": "int",
    "double": "double",
    "money": "double",
    "date": "int",
    "enum": "string",
    "text": "string",
    "list_enum": "list(string)",
    "list_text": "list(string)",
    "list_record": "list(record)",
}


@dataclass(frozen=True, slots=True)
class Type:
    """The static type of a part of a condition."""

    name: str
    """``bool``, ``int``, ``double``, ``string``, ``record``, ``given``, ``list(…)``, ``bands``."""
    values: tuple[str, ...] = ()
    """The literals of an enumeration."""
    fields: Mapping[str, Fact] = field(default_factory=dict)
    """The fields of a record, or of the records of a list."""
    literals: tuple[str, ...] = ()
    """The texts that are written out in the condition and can be its value, or that of a list's items."""

    @property
    def item(self) -> Type:
        """The type of a list's items."""
        return Type(self.name.removeprefix("list(").removesuffix(")"), self.values, self.fields, self.literals)

    def listed(self) -> Type:
        """The type of a list of such items."""
        return Type(f"list({self.name})", self.values, self.fields, self.literals)

    def joined(self, other: Type) -> Type:
        """The type of what is either this or another of the same name."""
        literals = (*self.literals, *other.literals)
        mine, others = self.values or self.literals, other.values or other.literals
        closed = (self.values or other.values) and mine and others
        return Type(self.name, tuple(dict.fromkeys((*mine, *others))) if closed else (), self.fields, literals)


def _type_of_fact(fact: Fact) -> Type:
    return Type(_FACT_TYPES[fact.type], fact.values, fact.fields)


@cache
def _fact_types() -> Mapping[str, Type]:
    types: dict[str, Type] = {AS_OF: Type("int")}
    for fact in dictionary().values():
        types[fact.name] = _type_of_fact(fact)
        if fact.may_be_none:
            types[fact.name + GIVEN] = Type("bool")
        if fact.type.startswith("list"):
            types[fact.name + COMPLETE] = Type("bool")
    return types


# --- Compiling -------------------------------------------------------------------------------------------------

_ERROR: Final = cel.Type.ERROR
_COMPARISONS: Final = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_ARITHMETIC: Final = frozenset({"_+_", "_-_", "_*_", "_/_", "-_"})
_LOGIC: Final = frozenset({"_&&_", "_||_", "!_", "_?_:_"})
_CONSTANTS: Final[Mapping[type, str]] = {bool: "bool", int: "int", float: "double", str: "string"}
_PLAIN: Final = _COMPARISONS | {"@in"}
_BUILT_IN: Final = frozenset({"@in", "size", "double"})
_SCALARS: Final = frozenset({"bool", "int", "double", "string"})
_SPELLED: Final[Mapping[str, str]] = {"_[_]": "x[…]", "_?_:_": "? :", "@in": "in"}
_TEXT = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
_HAS = re.compile(r"\bhas\s*\(")
"""On a variable CEL turns ``has(x)`` into ``x`` before anybody can see it, so it is found in the text."""
_OVERLOAD = re.compile(r"found no matching overload for '([^']+)' applied to '\((.*)\)'")
_MIXED_NUMBERS = "Write 50000.0 for money and shares; convert a whole number with double(…)."
_CEL_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?:\n|$)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']*)'")


class View:
    """What CEL sees of one audit: some values by name; its activation is made only when a condition needs it."""

    __slots__ = ("_activation", "data")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self._activation: cel.Activation | None = None

    @property
    def activation(self) -> cel.Activation:
        """CEL's form of the values; one environment's activations serve the expressions of all."""
        if self._activation is None:
            self._activation = _activate()(self.data)
        return self._activation


def built(condition: Condition) -> tuple[str, tuple[str, ...], tuple[str, ...], str]:
    """What it takes to restore a condition, as JSON can hold it."""
    type_ = condition.type
    return type_.name, type_.values, condition.names, b64encode(canonical(condition.serialized)).decode("ascii")


@cache
def _deserialize() -> Callable[[bytes], cel.Expression]:
    return Vocabulary().env.deserialize  # type: ignore[no-any-return]


@cache
def _activate() -> Callable[[Mapping[str, Any]], cel.Activation]:
    return Vocabulary().env.Activation  # type: ignore[no-any-return]


class Condition:
    """A compiled expression: a condition (``bool``) or the value of a let or an edit. Immutable.

    The tree and the steps that explain it are made when they are first needed: most conditions of most packs never
    are.
    """

    __slots__ = (
        "_constants",
        "_explain",
        "_tree",
        "asked",
        "blank",
        "expression",
        "names",
        "serialized",
        "text",
        "type",
    )

    def __init__(
        self,
        text: str,
        type: Type,
        expression: cel.Expression,
        serialized: bytes,
        names: tuple[str, ...],
        constants: Mapping[str, Any],
    ) -> None:
        self.text, self.type, self.expression, self.serialized = text, type, expression, serialized
        self.names = names
        """The variables it mentions, sorted."""
        self.asked = tuple(name for name in names if name not in constants)
        """Those of them that are not parameters."""
        self.blank = UNKNOWN
        """CEL's answer where none of these is known."""
        self._constants = constants
        self._tree: Node | None = None
        self._explain: _Step | None = None
        if not self.asked:
            self.blank = self._answer(View({name: constants[name] for name in names}))

    @property
    def tree(self) -> Node:
        """Its syntax tree."""
        if self._tree is None:
            self._tree = decode(self.serialized)
        return self._tree

    def value(self, view: View) -> Any:
        """CEL's answer, or UNKNOWN.

        Raises:
            EngineError: It would take too many steps, or CEL can't read a value.
        """
        data = view.data
        for name in self.asked:
            if name in data:
                return self._answer(view)
        return self.blank

    def _answer(self, view: View) -> Any:
        try:
            result = self.expression.eval(view.activation)
        except RuntimeError as error:
            raise self._failed("budget exceeded" in str(error), str(error)) from None
        value = result.plain_value()
        if value is True or value is False:
            return value
        return UNKNOWN if result.type() == _ERROR else value

    def explain(
        self, values: Mapping[str, Any], lets: Lets, evidence: Callable[[str], object] | None = None
    ) -> Explained:
        """The tree's answer: the value, the facts that settled it, or the facts that are missing.

        Args:
            values: The facts.
            lets: The lets that it may name, with what settled them.
            evidence: What stands behind a fact. Where one item of a list settles it and several do, the one is named
                that evidence stands behind, wherever it is in the list; else the first.

        Raises:
            EngineError: It would take too many steps.
        """
        if self._explain is None:
            self._explain = _closure(self.tree, self._constants)
        try:
            return self._explain(values, {_EVIDENCE: evidence} if evidence else {}, lets)
        except _TooManyStepsError:
            raise self._failed(True, "") from None

    def _failed(self, budget: bool, reason: str) -> EngineError:
        if budget:
            what = f"it looks at more than {MOST_STEPS:,} items of what the description lists"
            return EngineError(Fault(f"a condition takes too many steps: {what}: {self.text}"))
        return EngineError(Fault(f"a condition can't be evaluated on this description: {self.text}: {reason}"))


class TreeCondition(Condition):
    """A condition that its tree decides as well: one that was never written, such as a mutant of another.

    That CEL decides the same is tested for all conditions; CEL's compiler would refuse many mutants.
    """

    __slots__ = ()

    def __init__(self, tree: Node, type: Type, constants: Mapping[str, Any]) -> None:
        self.text, self.type, self.serialized = "", type, b""
        self.names = tuple(sorted(variables(tree)))
        self.asked = self.names
        self.blank = UNKNOWN
        self._constants = constants
        self._tree = tree
        self._explain = _closure(tree, constants)

    def value(self, view: View) -> Any:
        """The tree's answer, or UNKNOWN.

        Raises:
            EngineError: It would take too many steps.
        """
        return self.explain(view.data, _Given(view.data))[0]

    @classmethod
    def of(cls, condition: Condition, tree: Node | None = None, constants: Mapping[str, Any] | None = None) -> Self:
        """The same condition decided by its tree, or one with another tree or other parameters in its place."""
        return cls(tree or condition.tree, condition.type, constants or condition._constants)

    @property
    def constants(self) -> Mapping[str, Any]:
        """The values of the parameters, by their full names."""
        return self._constants


class _Given:
    """Lets that have been computed, as a condition's tree asks for them."""

    __slots__ = ("data",)

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def __getitem__(self, name: str) -> Explained:
        return self.data.get(name, UNKNOWN), (), ()


class Vocabulary:
    """The names and types that a pack's conditions may use; extended rule by rule with lets."""

    def __init__(self, types: Mapping[str, Type] | None = None, constants: Mapping[str, Any] | None = None) -> None:
        self.types: Mapping[str, Type] = types if types is not None else _fact_types()
        self.constants: Mapping[str, Any] = constants or {}
        """The values of the parameters, by their full names."""
        self._env: cel.Env | None = None

    def extended(self, types: Mapping[str, Type], constants: Mapping[str, Any] | None = None) -> Vocabulary:
        """The same vocabulary with further names."""
        if not types:
            return self
        return Vocabulary({**self.types, **types}, {**self.constants, **(constants or {})})

    @property
    def env(self) -> cel.Env:
        """CEL's environment for this vocabulary."""
        if self._env is None:
            self._env = cel.NewEnv(
                variables={name: cel_type(type_.name) for name, type_ in self.types.items()}, functions=cel_functions()
            )
        return self._env

    def compile(self, text: str, *, arithmetic: bool = False, boolean: bool = True) -> Condition:
        """Compile and check one expression.

        Args:
            text: CEL.
            arithmetic: Whether ``+ - * /``, ``filter`` and ``map`` may be used (in lets and edits).
            boolean: Whether it must be a yes/no condition.

        Raises:
            ConditionError: It does not compile, or uses what conditions may not use.
        """
        if len(text) > LONGEST_CONDITION:
            raise ConditionError(f"the condition is longer than {LONGEST_CONDITION} characters; split it into lets")
        if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
            raise ConditionError("the condition holds half a character (a lone surrogate)")
        if "has" in text and _HAS.search(_TEXT.sub("''", text)):
            raise ConditionError("has() is not allowed: a condition can't ask whether a fact is there")
        try:
            expression = self.env.compile(text)
        except (RuntimeError, ValueError, UnicodeError) as error:
            raise self._cel_error(str(error)) from None
        serialized = expression.serialize()
        try:
            tree = decode(serialized)
        except UndecodedError as error:
            raise ConditionError(str(error)) from None
        type_ = _Checker(self.types, arithmetic).check(tree)
        if boolean and type_.name != "bool":
            raise ConditionError(f"a condition must be true or false; this is of type {type_.name}")
        if type_.item.name not in _SCALARS:
            raise ConditionError(f"this has no value that can be used (type {type_.name})")
        if not (names := tuple(sorted(variables(tree)))):
            raise ConditionError("this asks nothing: it has the same value for every description")
        condition = Condition(text, type_, expression, serialized, names, self.constants)
        try:
            alone = condition.explain({}, _NOTHING_KNOWN)[0]
        except EngineError:
            raise ConditionError(f"the condition takes more than {MOST_STEPS:,} steps, whatever is stated") from None
        if alone is not UNKNOWN and condition.asked:
            raise ConditionError("this is settled by what it says itself, whatever a description states")
        return condition

    def restore(self, text: str, built: Sequence[Any]) -> Condition:
        """A condition from what ``built`` gave for it, without compiling or checking it again."""
        type_, values, names, serialized = built
        data = b64decode(serialized)
        return Condition(text, Type(type_, tuple(values)), _deserialize()(data), data, tuple(names), self.constants)

    def _cel_error(self, message: str) -> ConditionError:
        place = _CEL_PLACE.search(message)
        if place is None:
            return ConditionError("the condition can't be read: " + message.splitlines()[0][:200])
        at, what = (int(place[1]), int(place[2])), place[3].removesuffix(" [INVALID_ARGUMENT]")
        if undeclared := _UNDECLARED.search(what):
            name = undeclared[1]
            near = difflib.get_close_matches(name, self.types, n=1, cutoff=0.6)
            advice = f'Did you mean "{near[0]}"?' if near else "`goodcommission schema description` lists all facts."
            return ConditionError(f'there is no fact, parameter or let "{name}"', at, advice, name)
        if overload := _OVERLOAD.search(what):
            types = overload[2].split(", ")
            mixed = _MIXED_NUMBERS if {"int", "double"} <= set(types) else None
            return ConditionError(f"{_spelled(overload[1])} can't be used with {_listed(types)}", at, mixed)
        return ConditionError(f"the condition can't be read: {what.removeprefix('Syntax error: ')}", at)


def _spelled(function: str) -> str:
    """An operator or a function as it is written: ``_<=_`` is ``<=``."""
    if function in _SPELLED:
        return _SPELLED[function]
    return function.strip("_") if "_" in function[:1] + function[-1:] else function + "()"


def _listed(types: list[str]) -> str:
    return " and ".join(types) if len(types) < 3 else f"{', '.join(types[:-1])} and {types[-1]}"


class _Checker:
    """Static checks beyond CEL's own: allowed functions, record fields, enumeration literals, depth."""

    def __init__(self, types: Mapping[str, Type], arithmetic: bool) -> None:
        self.types, self.arithmetic = types, arithmetic

    def check(self, tree: Node) -> Type:
        return self.type(tree, {}, 0)

    def type(self, node: Node, items: Mapping[str, Type], depth: int) -> Type:
        match node:
            case Const(value):
                if isinstance(value, float) and not math.isfinite(value):
                    raise ConditionError("the number is too large to be computed with")
                literals = (value,) if isinstance(value, str) else ()
                return Type(_CONSTANTS[type(value)], literals=literals)
            case Variable(name):
                if name not in self.types:
                    raise ConditionError(f'there is no fact, parameter or let "{name}"', unknown=name)
                return self.types[name]
            case Item(name):
                return items[name]
            case FieldOf(record, name):
                return self.field(self.type(record, items, depth), name)
            case ListOf(nodes):
                types = [self.type(child, items, depth) for child in nodes]
                if len({type_.name for type_ in types}) > 1:
                    raise ConditionError("a list literal holds values of one type")
                if not types or types[0].name not in _SCALARS:
                    raise ConditionError("a list literal holds texts, numbers or yes/no values, one at least")
                return reduce(Type.joined, types).listed()
            case Macro():
                return self.macro(node, items, depth)
            case Call(function, args):
                return self.call(function, args, [self.type(arg, items, depth) for arg in args])

    def field(self, record: Type, name: str) -> Type:
        if record.name == "given" and name == "given":
            return Type("bool")
        if record.name != "record":
            raise ConditionError(f'".{name}" is asked of something that has no fields')
        fact = record.fields.get(name)
        if fact is None:
            near = difflib.get_close_matches(name, record.fields, n=1, cutoff=0.6)
            raise ConditionError(
                f'the records of this list have no field "{name}"',
                suggestion=f'Did you mean "{near[0]}"?' if near else f"They have: {', '.join(record.fields)}.",
            )
        return Type("given") if fact.type == "text" and fact.may_be_none else _type_of_fact(fact)

    def macro(self, node: Macro, items: Mapping[str, Type], depth: int) -> Type:
        if depth + 1 > DEEPEST_MACRO:
            raise ConditionError(f"exists, all, filter and map may be nested {DEEPEST_MACRO} deep at most")
        if node.kind in ("filter", "map") and not self.arithmetic:
            raise ConditionError(f"{node.kind} is allowed only in a let")
        if any(name.partition(".")[0] == node.item for name in self.types):
            raise ConditionError(f'"{node.item}" is a fact or a let; name the items of {node.kind} differently')
        over = self.type(node.list, items, depth)
        if not over.name.startswith("list("):
            raise ConditionError(f"{node.kind} looks through a list, not a {over.name}")
        body = self.type(node.body, {**items, node.item: over.item}, depth + 1)
        if node.kind == "map":
            if body.name not in _SCALARS:
                raise ConditionError(f"map makes a list of texts, numbers or yes/no values, not of type {body.name}")
            return body.listed()
        if body.name != "bool":
            raise ConditionError(f"what {node.kind} asks of each item must be true or false")
        return over if node.kind == "filter" else Type("bool")

    def call(self, function: str, args: tuple[Node, ...], types: list[Type]) -> Type:
        if function in _LOGIC:
            if function == "_?_:_":
                if types[0].name != "bool":
                    raise ConditionError("what stands before ? must be true or false")
                if types[1].name != types[2].name:
                    raise ConditionError("both sides of ?: must be of one type")
                return types[1].joined(types[2])
            if any(type_.name != "bool" for type_ in types):
                raise ConditionError("&&, || and ! join conditions that are true or false")
            return Type("bool")
        if function in _COMPARISONS or function == "@in":
            self.compare(function, args, types)
            return Type("bool")
        if function in _ARITHMETIC:
            if any(type_.name not in ("int", "double") for type_ in types):
                raise ConditionError("only numbers and dates can be added, subtracted, multiplied or divided")
            if function == "-_" and isinstance(args[0], Const):
                return types[0]
            if not self.arithmetic:
                raise ConditionError("arithmetic is allowed only in a let")
            if len({type_.name for type_ in types}) > 1:
                mixed = f"{_spelled(function)} can't be used with {_listed([type_.name for type_ in types])}"
                raise ConditionError(mixed, suggestion=_MIXED_NUMBERS)
            return types[0]
        if function == "size" and types[0].name.startswith("list("):
            return Type("int")
        if function == "double" and types[0].name in ("int", "double"):
            return Type("double")
        for form in FUNCTIONS.get(function, ()):
            if tuple(type_.name for type_ in types) == form.parameters:
                if function == "covers":
                    _comparable(types[0].item, types[1].item)
                return Type(form.returns)
        if function in FUNCTIONS or function in _BUILT_IN:
            raise ConditionError(f"{function}() can't be used with {_listed([type_.name for type_ in types])}")
        raise ConditionError(f"{_spelled(function)} is not allowed in a condition")

    def compare(self, function: str, args: tuple[Node, ...], types: list[Type]) -> None:
        left, right = types
        if function == "@in":
            if not right.name.startswith("list("):
                raise ConditionError("`in` asks whether a value is in a list")
            right = right.item
        if left.name != right.name or left.name not in _SCALARS:
            raise ConditionError(
                f"a value of type {left.name} is compared with one of type {right.name}",
                suggestion=_MIXED_NUMBERS if {left.name, right.name} == {"int", "double"} else None,
            )
        if left.name in ("bool", "string") and function not in ("_==_", "_!=_", "@in"):
            raise ConditionError(f"values of type {left.name} have no order")
        if left.name == "double" and any(_is_computed(part) for arg in args for part in walk(arg)):
            raise ConditionError(
                "a computed number is compared before it is rounded (0.08 < 0.8 * 0.1 is true to a computer)",
                suggestion="Give it a let of its own, which rounds it, and compare that.",
            )
        _comparable(left, right)


def _is_computed(node: Node) -> bool:
    match node:
        case Call("-_", (Const(),)):
            return False
        case Call(function, _):
            return function in _ARITHMETIC or function == "sum_of"
    return False


def _comparable(left: Type, right: Type) -> None:
    """Two texts can be equal: what is written out is a value of the enumeration, and two enumerations share one."""
    for known, other in ((left, right), (right, left)):
        for literal in other.literals:
            if known.values and literal not in known.values:
                near = difflib.get_close_matches(literal, known.values, n=1, cutoff=0.6)
                raise ConditionError(
                    f'"{literal}" is not a value of this fact',
                    suggestion=f'Did you mean "{near[0]}"?' if near else f"It can be: {', '.join(known.values)}.",
                )
    if left.values and right.values and not set(left.values) & set(right.values):
        raise ConditionError("these two have no value in common, so that they are never equal")


# --- Explaining ------------------------------------------------------------------------------------------------


class _Unknown:
    """The value of what is not known."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()

Explained: TypeAlias = tuple[Any, tuple[str, ...], tuple[str, ...]]
"""A value (or UNKNOWN), the references of the facts that settled it, the references of the facts that are missing."""


class Lets(Protocol):
    """Lets by name, each with what it rests on."""

    def __getitem__(self, name: str, /) -> Explained:
        """A let."""


_Step: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any], Lets], Explained]


class _NothingKnown(dict[str, Explained]):
    def __missing__(self, name: str) -> Explained:
        return UNKNOWN, (), ()


_NOTHING_KNOWN: Final = _NothingKnown()


class _TooManyStepsError(Exception):
    """Macros within macros would look at more items than CEL's budget allows."""


def _closure(node: Node, constants: Mapping[str, Any]) -> _Step:
    """The tree as a function of (values, items, lets): Kleene's logic, with the reasons."""
    inner = partial(_closure, constants=constants)
    match node:
        case Const(value):
            constant: Explained = (value, (), ())
            return lambda values, items, lets: constant
        case Variable(name):
            return _variable(name, constants)
        case Item(name):
            return lambda values, items, lets: items[name]
        case FieldOf(record, name):
            return _field(inner(record), name)
        case ListOf(nodes):
            steps = [inner(child) for child in nodes]
            if all(isinstance(child, Const) for child in nodes):
                fixed: Explained = ([child.value for child in nodes if isinstance(child, Const)], (), ())
                return lambda values, items, lets: fixed
            return _strict(steps, lambda *parts: list(parts))
        case Macro(kind, over, item, body):
            return _macro(kind, inner(over), item, inner(body))
        case Call("_&&_" | "_||_" as function, _):
            return _joined([inner(part) for part in _flat(node, function)], function == "_||_")
        case Call("_?_:_", (test, then, otherwise)):
            return _choice(inner(test), inner(then), inner(otherwise))
        case Call(function, (Variable(name), other)) if (
            function in _PLAIN and _is_fact(name, constants) and (fixed := _fixed(other, constants)) is not None
        ):
            return _leaf(name, _OPERATORS[function], fixed)
        case Call(function, args):
            return _strict([inner(arg) for arg in args], computation(function))


def _flat(node: Node, function: str) -> list[Node]:
    """The parts that one operator joins: ``a && b && c`` is three parts, not two of which one is two."""
    match node:
        case Call(name, (left, right)) if name == function:
            return [*_flat(left, function), *_flat(right, function)]
    return [node]


def _is_fact(name: str, constants: Mapping[str, Any]) -> bool:
    return name not in constants and name in _fact_types() and not name.startswith(PARAMS)


def _fixed(node: Node, constants: Mapping[str, Any]) -> Any:
    """The value of what can't change: a literal, a list of literals, a parameter; else None."""
    match node:
        case Const(value):
            return value
        case Variable(name):
            return constants.get(name)
        case ListOf(nodes) if all(isinstance(child, Const) for child in nodes):
            return [child.value for child in nodes if isinstance(child, Const)]
    return None


def _leaf(name: str, compute: Callable[[Any, Any], bool], fixed: Any) -> _Step:
    """A fact compared with what can't change: most of what conditions are made of."""
    reference = (name.removesuffix(GIVEN),)
    missing: Explained = (UNKNOWN, (), reference)
    true: Explained = (True, reference, ())
    false: Explained = (False, reference, ())

    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        value = values.get(name, UNKNOWN)
        if value is UNKNOWN:
            return missing
        return true if compute(value, fixed) else false

    return step


def _variable(name: str, constants: Mapping[str, Any]) -> _Step:
    if name in constants:
        constant: Explained = (constants[name], (), ())
        return lambda values, items, lets: constant
    if "." not in name and name not in _fact_types():
        return lambda values, items, lets: lets[name]
    reference = name.removesuffix(GIVEN)
    known = (reference,)
    missing: Explained = (UNKNOWN, (), known)
    true: Explained = (True, known, ())
    false: Explained = (False, known, ())

    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        value = values.get(name, UNKNOWN)
        if value is UNKNOWN:
            return missing
        if value is True:
            return true
        if value is False:
            return false
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return [(item, (f"{name}[{index}]",)) for index, item in enumerate(value)], known, ()
        return value, known, ()

    return step


def _field(record: _Step, name: str) -> _Step:
    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        value, settled, missing = record(values, items, lets)
        if value is UNKNOWN:
            return value, settled, missing
        if isinstance(value, tuple):
            value, (reference,) = value
            reference = f"{reference}.{name}"
        else:
            reference = settled[0] if settled else name
        part = value.get(name, UNKNOWN)
        return (UNKNOWN, (), (reference,)) if part is UNKNOWN else (part, (reference,), ())

    return step


def _joined(steps: list[_Step], decisive: bool) -> _Step:
    """``&&`` (False decides) and ``||`` (True decides)."""

    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        settled: tuple[str, ...] = ()
        missing: tuple[str, ...] = ()
        unknown = False
        for part in steps:
            result = part(values, items, lets)
            value = result[0]
            if value is decisive:
                return result
            if value is UNKNOWN:
                unknown = True
                missing += result[2]
            else:
                settled += result[1]
        return (UNKNOWN, (), missing) if unknown else (not decisive, settled, ())

    return step


def _choice(test: _Step, then: _Step, otherwise: _Step) -> _Step:
    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        asked = test(values, items, lets)
        if asked[0] is UNKNOWN:
            return UNKNOWN, (), asked[2]
        chosen = (then if asked[0] else otherwise)(values, items, lets)
        return chosen[0], asked[1] + chosen[1], chosen[2]

    return step


def _strict(steps: list[_Step], compute: Callable[..., Any]) -> _Step:
    """An operator or function that needs all its arguments."""
    if len(steps) == 2:
        left, right = steps

        def both(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
            a, b = left(values, items, lets), right(values, items, lets)
            if a[0] is UNKNOWN or b[0] is UNKNOWN:
                return UNKNOWN, (), a[2] + b[2]
            value = compute(a[0], b[0])
            return value, a[1] + b[1], ()

        return both

    def step(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        parts = [part(values, items, lets) for part in steps]
        if any(part[0] is UNKNOWN for part in parts):
            return UNKNOWN, (), tuple(name for part in parts for name in part[2])
        value = compute(*(part[0] for part in parts))
        return value, tuple(name for part in parts for name in part[1]), ()

    return step


_STEPS: Final = ""
"""Where a macro's items are kept, no item's name: how many items the macros around it look at."""
_EVIDENCE: Final = "?"
"""In the same place: what stands behind a fact."""


def _macro(kind: str, over: _Step, item: str, body: _Step) -> _Step:
    def each(
        values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets
    ) -> tuple[Explained, list[tuple[Any, Explained]]]:
        whole = over(values, items, lets)
        if whole[0] is UNKNOWN:
            return whole, []
        steps = len(whole[0]) * items.get(_STEPS, 1)
        if steps > MOST_STEPS:
            raise _TooManyStepsError
        results = []
        for entry in whole[0]:
            bound = {**items, _STEPS: steps, item: (entry, entry[1] if isinstance(entry, tuple) else whole[1], ())}
            results.append((entry, body(values, bound, lets)))
        return whole, results

    def quantified(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        decisive = kind == "exists"
        whole, results = each(values, items, lets)
        if whole[0] is UNKNOWN:
            return whole
        if deciding := [result[1] for _, result in results if result[0] is decisive]:
            settled = _best_shown(deciding, items.get(_EVIDENCE))
            asked = tuple(name for name in whole[1] if not any(part.startswith(name) for part in settled))
            return decisive, asked + settled, ()
        missing = tuple(name for _, result in results if result[0] is UNKNOWN for name in result[2])
        if any(result[0] is UNKNOWN for _, result in results):
            return UNKNOWN, (), missing
        return not decisive, whole[1] + tuple(name for _, result in results for name in result[1]), ()

    def collected(values: Mapping[str, Any], items: Mapping[str, Any], lets: Lets) -> Explained:
        whole, results = each(values, items, lets)
        if whole[0] is UNKNOWN:
            return whole
        if any(result[0] is UNKNOWN for _, result in results):
            return UNKNOWN, (), tuple(name for _, result in results for name in result[2])
        settled = whole[1] + tuple(name for _, result in results for name in result[1])
        if kind == "map":
            return [result[0] for _, result in results], settled, ()
        return [entry for entry, result in results if result[0] is True], settled, ()

    return quantified if kind in ("exists", "all") else collected


def _best_shown(deciding: Sequence[tuple[str, ...]], evidence: Callable[[str], object] | None) -> tuple[str, ...]:
    """Of the facts of some items, each of which would do, those with evidence behind all, or behind any, of them."""
    if evidence is None or len(deciding) == 1:
        return deciding[0]
    return max(deciding, key=lambda names: (all(map(evidence, names)), any(map(evidence, names))))


def _divide(a: Any, b: Any) -> Any:
    if b == 0:
        return UNKNOWN
    if isinstance(a, int):
        quotient = abs(a) // abs(b)
        return quotient if (a >= 0) == (b >= 0) else -quotient
    return a / b


_OPERATORS: Final[Mapping[str, Callable[..., Any]]] = {
    "_==_": operator.eq,
    "_!=_": operator.ne,
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
    "!_": operator.not_,
    "-_": operator.neg,
    "_+_": operator.add,
    "_-_": operator.sub,
    "_*_": operator.mul,
    "_/_": _divide,
    "@in": lambda value, list_: value in list_,
    "size": len,
    "double": float,
}


def computation(function: str) -> Callable[..., Any]:
    """An operator or function on values that are known; it gives UNKNOWN where it has no value."""
    compute = _OPERATORS.get(function) or FUNCTIONS[function][0].compute

    if function in _COMPARISONS or function in ("!_", "@in", "size"):
        return compute

    def computed(*parts: Any) -> Any:
        try:
            value = compute(*parts)
        except (ValueError, OverflowError, ArithmeticError):
            return UNKNOWN
        if type(value) is int and not _SMALLEST_INT <= value <= _LARGEST_INT:
            return UNKNOWN
        return value

    return computed


# --- What must be known ----------------------------------------------------------------------------------------


def known_when(node: Node, truth: bool) -> frozenset[str]:
    """The variables that are certainly known if the condition has this truth value.

    A yes/no variable that must itself have a certain value is there twice, the second time as ``name=True``.
    """
    match node:
        case Variable(name):
            return frozenset({name, f"{name}={truth}"})
        case Call("_&&_" | "_||_" as function, (left, right)):
            first, second = known_when(left, truth), known_when(right, truth)
            return first | second if (function == "_&&_") == truth else first & second
        case Call("!_", (inner,)):
            return known_when(inner, not truth)
        case Call("_?_:_", (test, then, otherwise)):
            yes = known_when(test, True) | known_when(then, truth)
            no = known_when(test, False) | known_when(otherwise, truth)
            return yes & no
        case Macro("exists" | "all" as kind, over, _, body):
            decided = known_when(body, truth) if (kind == "exists") == truth else frozenset()
            return _strictly_known(over) | decided
        case _:
            return _strictly_known(node)


def _strictly_known(node: Node) -> frozenset[str]:
    """The variables that are certainly known if the node has a value at all."""
    match node:
        case Call("_&&_" | "_||_" | "!_" | "_?_:_", _) | Macro("exists" | "all", _, _, _):
            return known_when(node, True) & known_when(node, False)
        case Call(_, nodes) | ListOf(nodes):
            return frozenset(name for part in nodes for name in _strictly_known(part))
        case Macro(_, over, _, _):
            return _strictly_known(over)
        case FieldOf(record, _):
            return _strictly_known(record)
        case Variable(name):
            return frozenset({name})
        case _:
            return frozenset()


def strictly_known(condition: Condition) -> frozenset[str]:
    """The variables that are certainly known if a let has a value."""
    return _strictly_known(condition.tree)
