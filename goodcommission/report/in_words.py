"""Conditions in plain English, for readers of the rule pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from goodcommission.description.facts import COMPLETE, GIVEN, Fact, dictionary
from goodcommission.engine.conditions import PARAMS
from goodcommission.engine.texts import say
from goodcommission.engine.tree import Call, Const, FieldOf, Item, ListOf, Macro, Node, Variable
from goodcommission.engine.verdicts import CompiledLet, CompiledRule
from goodcommission.packs.model import Parameter

_COMPARED: Final[Mapping[str, str]] = {
    "_==_": "is",
    "_!=_": "is not",
    "_<_": "is less than",
    "_<=_": "is at most",
    "_>_": "is more than",
    "_>=_": "is at least",
}
_DATES: Final[Mapping[str, str]] = {
    "_==_": "is",
    "_!=_": "is not",
    "_<_": "is before",
    "_<=_": "is not after",
    "_>_": "is after",
    "_>=_": "is not before",
}
_OPPOSITE: Final[Mapping[str, str]] = {
    "_==_": "_!=_",
    "_!=_": "_==_",
    "_<_": "_>=_",
    "_<=_": "_>_",
    "_>_": "_<=_",
    "_>=_": "_<_",
}
_COMPUTED: Final[Mapping[str, str]] = {"_+_": "plus", "_-_": "minus", "_*_": "times", "_/_": "divided by"}
_FUNCTIONS: Final[Mapping[str, str]] = {
    "size": "the number of entries in {0}",
    "double": "{0}",
    "max_of": "the larger of {0} and {1}",
    "min_of": "the smaller of {0} and {1}",
    "largest": "the largest of {0}",
    "smallest": "the smallest of {0}",
    "sum_of": "the sum of {0}",
    "earliest": "the earlier of {0} and {1}",
    "latest": "the later of {0} and {1}",
    "days_between": "the days from {0} to {1}",
    "weekdays_between": "the weekdays between {0} and {1}",
    "band": "the step of {0} for {1}",
    "covers": "{0} holds all of {1}",
}


class InWords:
    """What the conditions of one rule say, with its facts, parameters and lets by their plain names."""

    def __init__(self, rule: CompiledRule) -> None:
        self.rule = rule
        self.currency = rule.currency
        self.parameters: Mapping[str, Parameter] = rule.parameters
        self.lets: Mapping[str, CompiledLet] = {let.name: let for let in rule.lets}
        self.items: dict[str, Fact] = {}
        self.named: dict[str, None] = {}
        """The lets that stand under their names in what was said, in the order in which they came up."""

    def where(self) -> tuple[tuple[str, str], ...]:
        """What was named so far, each with what it is."""
        meanings: dict[str, str] = {}
        while name := next((name for name in self.named if name not in meanings), None):
            meanings[name] = self._value(self.lets[name].value.tree)
        return tuple((name.replace("_", " "), meaning) for name, meaning in meanings.items())

    def name(self, let: str) -> str:
        """A let by its own name, or by that of the fact that it is."""
        tree = self.lets[let].value.tree
        if isinstance(tree, Variable) and self._fact(tree):
            return self._value(tree)
        self.named[let] = None
        return f"“{let.replace('_', ' ')}”"

    def says(self, node: Node) -> str:
        """A yes/no condition as a clause."""
        return self._clause(node, yes=True, inner=False)

    def clauses(self, node: Node) -> tuple[str, ...]:
        """What must hold, one clause for each part of a conjunction."""
        if isinstance(node, Call) and node.function == "_&&_":
            return tuple(clause for arg in node.args for clause in self.clauses(arg))
        if isinstance(node, Variable) and node.name in self.lets:
            return self.clauses(self.lets[node.name].value.tree)
        return (self.says(node),)

    # -- clauses --

    def _clause(self, node: Node, *, yes: bool, inner: bool) -> str:
        match node:
            case Const(bool() as value):
                return "always" if value is yes else "never"
            case Variable(name) if name in self.lets:
                return self._clause(self.lets[name].value.tree, yes=yes, inner=inner)
            case Variable(name) if name.endswith(GIVEN) and name not in dictionary():
                title = self._title(dictionary()[name.removesuffix(GIVEN)])
                return f"{title} is stated" if yes else f"{title} is stated as none"
            case Variable(name) if name.endswith(COMPLETE) and name not in dictionary():
                title = self._title(dictionary()[name.removesuffix(COMPLETE)])
                return f"{title}: all are named" if yes else f"{title}: not all are named"
            case FieldOf(FieldOf() as part, "given") if fact := self._fact(part):
                return f"{self._title(fact)} is {'stated' if yes else 'stated as none'}"
            case Variable() | FieldOf():
                fact = self._fact(node)
                return _said(fact, yes=yes) if fact else f"{self._value(node)}: {'yes' if yes else 'no'}"
            case Call("!_", (arg,)):
                return self._clause(arg, yes=not yes, inner=inner)
            case Call("_&&_" | "_||_" as operator, args):
                joined = " and " if (operator == "_&&_") is yes else " or "
                parts = [part for arg in args for part in self._chained(arg, operator)]
                text = joined.join(self._clause(part, yes=yes, inner=True) for part in parts)
                return f"({text})" if inner else text
            case Call("_?_:_", (test, one, other)):
                asked = self._clause(test, yes=True, inner=True)
                text = (
                    f"if {asked}: {self._clause(one, yes=yes, inner=True)}, "
                    f"otherwise: {self._clause(other, yes=yes, inner=True)}"
                )
                return f"({text})" if inner else text
            case Call("@in", (one, ListOf(items))) if len(items) > 1:
                names = [self._literal(item, self._fact(one)) for item in items]
                choice = f"{', '.join(names[:-1])} or {names[-1]}"
                return f"{self._value(one)} {'is' if yes else 'is not'} {choice}"
            case Call("@in", (one, ListOf((only,)))):
                return f"{self._value(one)} {'is' if yes else 'is not'} {self._literal(only, self._fact(one))}"
            case Call("@in", (one, other)):
                held = "is among" if yes else "is not among"
                return f"{self._literal(one, self._fact(other))} {held} {self._value(other)}"
            case Call(operator, (one, other)) if operator in _COMPARED:
                return self._comparison(operator if yes else _OPPOSITE[operator], one, other)
            case Call("covers", (one, other)):
                held = "holds" if yes else "does not hold"
                return f"{self._value(one)} {held} all of {self._value(other)}"
            case Macro("exists" | "all" as kind, held_in, item, body):
                return self._quantified(kind, held_in, item, body, yes=yes)
        return f"{self._value(node)}: {'yes' if yes else 'no'}"

    def _chained(self, node: Node, operator: str) -> list[Node]:
        """The parts of "a and (b and c)", which needs no brackets."""
        if isinstance(node, Variable) and node.name in self.lets:
            inner = self.lets[node.name].value.tree
            return self._chained(inner, operator) if isinstance(inner, Call) else [node]
        if isinstance(node, Call) and node.function == operator:
            return [part for arg in node.args for part in self._chained(arg, operator)]
        return [node]

    def _comparison(self, operator: str, one: Node, other: Node) -> str:
        fact = self._fact(one) or self._fact(other)
        dated = self._unit(one) == "date" or self._unit(other) == "date"
        match one, other:
            case _, Const(bool() as value):
                return self._clause(one, yes=(operator == "_==_") is value, inner=True)
            case Call("size", (held,)), Const(0) if operator in ("_==_", "_>_", "_!=_", "_<=_"):
                return f"{self._value(held)}: {'none' if operator in ('_==_', '_<=_') else 'at least one'}"
            case _, Const(0) if dated:  # A planned day is stated: days are counted from 1970.
                return f"{self._value(one)} is {'stated' if operator == '_>_' else 'not stated'}"
        words = (_DATES if dated else _COMPARED)[operator]
        right = self._literal(other, fact) if isinstance(other, Const) else self._value(other)
        if isinstance(other, Const):
            right = self._figure(other, one)
        return f"{self._value(one)} {words} {right}"

    def _quantified(self, kind: str, held_in: Node, item: str, body: Node, *, yes: bool) -> str:
        fact = self._fact(held_in)
        if fact:
            self.items[item] = fact
        holds = self._clause(body, yes=True, inner=False)
        listed = self._value(held_in)
        if kind == "all":
            return f"of {listed}, {'each' if yes else 'not each'} is one for which {holds}"
        return f"of {listed}, {'at least one' if yes else 'none'} is one for which {holds}"

    # -- values --

    def _value(self, node: Node) -> str:
        match node:
            case Const():
                return self._literal(node, None)
            case Variable(name) if name.startswith(PARAMS):
                return self._parameter(name.removeprefix(PARAMS))
            case Variable(name) if name in self.lets:
                return self.name(name)
            case Variable("as_of"):
                return "the day of the audit"
            case Variable() | FieldOf():
                fact = self._fact(node)
                return self._title(fact) if fact else getattr(node, "name", "it")
            case Item(name):
                return "it"
            case ListOf(items):
                return ", ".join(self._literal(item, None) for item in items) or "nothing"
            case Call(operator, (one, other)) if operator in _COMPUTED:
                return f"{self._part(one)} {_COMPUTED[operator]} {self._part(other)}"
            case Call("add_months" | "add_days" as function, (day, moved)):
                return self._moved(day, moved, function.removeprefix("add_"))
            case Call(function, args) if function in _FUNCTIONS:
                return _FUNCTIONS[function].format(*(self._value(arg) for arg in args))
            case Call("_?_:_", (test, one, other)):
                asked = self._clause(test, yes=True, inner=True)
                return f"{self._value(one)} (if {asked}; otherwise {self._value(other)})"
            case Macro("filter", held_in, item, body):
                self._remember(held_in, item)
                return f"those of {self._value(held_in)} for which {self._clause(body, yes=True, inner=False)}"
            case Macro("map", held_in, item, body):
                self._remember(held_in, item)
                return f"{self._value(body)} of each of {self._value(held_in)}"
        return self._clause(node, yes=True, inner=True)

    def _part(self, node: Node) -> str:
        """A part of a sum or a product; one that is computed itself in brackets."""
        bare = node.args[0] if isinstance(node, Call) and node.function == "double" else node
        computed = isinstance(bare, Call) and bare.function in _COMPUTED
        return f"({self._value(node)})" if computed else self._value(node)

    def _moved(self, day: Node, moved: Node, unit: str) -> str:
        """A day so many days or months before or after another."""
        back = False
        if isinstance(moved, Const) and isinstance(moved.value, int):
            back = moved.value < 0
            text = self._with_unit(abs(moved.value), unit)
        else:
            text = self._value(moved)
            if unit.removesuffix("s") not in text:
                text += f" {unit}"
        return f"{text} {'before' if back else 'after'} {self._value(day)}"

    def _remember(self, held_in: Node, item: str) -> None:
        fact = self._fact(held_in)
        if fact:
            self.items[item] = fact

    def _fact(self, node: Node) -> Fact | None:
        match node:
            case Variable(name):
                return dictionary().get(name.removesuffix(GIVEN).removesuffix(COMPLETE))
            case FieldOf(Item(item), field) if item in self.items:
                return self.items[item].fields.get(field.removesuffix(GIVEN))
            case FieldOf(_, field):
                return next((f.fields[field] for f in self.items.values() if field in f.fields), None)
        return None

    def _unit(self, node: Node) -> str | None:
        fact = self._fact(node)
        if fact:
            return {"money": self.currency, "date": "date", "enum": "enum"}.get(fact.type, fact.unit)
        match node:
            case Variable(name) if name in self.lets:
                return self.lets[name].let.unit
            case Variable(name) if name.startswith(PARAMS):
                return self.parameters[name.removeprefix(PARAMS)].unit
            case Call("double" | "max_of" | "min_of" | "largest" | "smallest" | "sum_of" | "earliest" | "latest", args):
                return self._unit(args[0])
            case Call("add_months" | "add_days"):
                return "date"
        return None

    def _parameter(self, name: str) -> str:
        parameter = self.parameters[name]
        if parameter.bands is not None or parameter.latest is None:
            return name.replace("_", " ")
        return self._with_unit(parameter.latest, parameter.unit)

    def _with_unit(self, value: Any, unit: str | None) -> str:
        text = say(value, unit)
        if unit is None or unit.isupper() or unit in ("date", "enum", "share", "percent", "ratio", "per year"):
            return text
        return f"{text} {unit.removesuffix('s') if text == '1' else unit}"

    def _figure(self, const: Const, beside: Node) -> str:
        if isinstance(const.value, str):
            return self._literal(const, self._fact(beside))
        return self._with_unit(const.value, self._unit(beside))

    def _literal(self, node: Node, fact: Fact | None) -> str:
        if not isinstance(node, Const):
            return self._value(node)
        value = node.value
        if isinstance(value, str):
            return "none" if value == "" else say(value, "enum" if fact is None or fact.values else None)
        return say(value)

    def _title(self, fact: Fact) -> str:
        return _bare(fact.title) if fact.title.startswith("whether ") else fact.title


def _bare(title: str) -> str:
    return title.removeprefix("whether ")


def _said(fact: Fact, *, yes: bool) -> str:
    if fact.title.startswith("whether "):
        return _bare(fact.title) if yes else f"it is not so that {_bare(fact.title)}"
    return f"{fact.title}: {'yes' if yes else 'no'}"
