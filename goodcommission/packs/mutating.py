"""Mutants: rules with one small mistake each, such as ``>`` for ``>=``, that the cases of a pack must notice.

A mutant is made on the tree of a condition and decided by it. Written back as CEL it would have to pass checks that
are meant for authors (no condition that asks nothing, no arithmetic outside a let), and each would be compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from goodcommission.description.facts import Fact, days, dictionary
from goodcommission.engine.conditions import PARAMS, Condition, TreeCondition
from goodcommission.engine.tree import Call, Const, FieldOf, Item, ListOf, Macro, Node, Variable
from goodcommission.engine.verdicts import CompiledRule
from goodcommission.packs.model import STAGES, TIERS, Parameter

Change = Callable[[CompiledRule], CompiledRule]
PENNY: Final = 0.01
"""The unit of amounts and shares."""
_SIGNS: Final[Mapping[str, str]] = {
    "_==_": "==",
    "_!=_": "!=",
    "_<_": "<",
    "_<=_": "<=",
    "_>_": ">",
    "_>=_": ">=",
    "_&&_": "&&",
    "_||_": "||",
    "_+_": "+",
    "_-_": "-",
    "_*_": "*",
    "_/_": "/",
    "@in": "in",
}
_MISREAD: Final[Mapping[str, tuple[str, ...]]] = {
    "_<_": ("_<=_", "_>=_"),
    "_<=_": ("_<_", "_>_"),
    "_>_": ("_>=_", "_<=_"),
    "_>=_": ("_>_", "_<_"),
    "_==_": ("_!=_",),
    "_!=_": ("_==_",),
    "_&&_": ("_||_",),
    "_||_": ("_&&_",),
    "_+_": ("_-_",),
    "_-_": ("_+_",),
    "_*_": ("_/_",),
    "_/_": ("_*_",),
    "max_of": ("min_of",),
    "min_of": ("max_of",),
    "earliest": ("latest",),
    "latest": ("earliest",),
    "largest": ("smallest",),
    "smallest": ("largest",),
    "sum_of": ("largest",),
    "days_between": ("weekdays_between",),
    "weekdays_between": ("days_between",),
    "add_days": ("add_months",),
    "add_months": ("add_days",),
}
"""What an operator or function is easily mistaken for."""
_FINE: Final = ("ratio", "share", "percent", "per cent")
"""Units, besides currencies, of which a hundredth matters."""
_LOGIC: Final = ("_&&_", "_||_")
_EQUAL: Final = ("_==_", "_!=_")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule, or what rules share, with one mistake."""

    pointer: str
    """Where in the pack."""
    said: str
    """The mistake in words."""
    apply: Change


# --- Conditions in writing -----------------------------------------------------------------------------------------


def written(node: Node, inside: bool = False) -> str:
    """A condition as an author would write it."""
    match node:
        case Const(bool() as value):
            return str(value).lower()
        case Const(str() as value):
            return f"'{value}'"
        case Const(value):
            return repr(value)
        case Variable(name) | Item(name):
            return name
        case FieldOf(record, field):
            return f"{written(record, True)}.{field}"
        case ListOf(nodes):
            return f"[{', '.join(map(written, nodes))}]"
        case Macro(kind, over, item, body):
            return f"{written(over, True)}.{kind}({item}, {written(body)})"
        case Call("!_", (part,)):
            return f"!{written(part, True)}"
        case Call("-_", (part,)):
            return f"-{written(part, True)}"
        case Call("_?_:_", parts):
            test, then, otherwise = (written(part, True) for part in parts)
            text = f"{test} ? {then} : {otherwise}"
        case Call(function, (left, right)) if function in _SIGNS:
            same = isinstance(left, Call) and left.function == function and function in _LOGIC
            text = f"{written(left, not same and _binds(left, function))} {_SIGNS[function]} "
            text += written(right, _binds(right, function))
        case Call(function, args):
            return f"{function}({', '.join(map(written, args))})"
    return f"({text})" if inside else text


def _binds(part: Node, around: str) -> bool:
    """Whether a part needs parentheses; comparisons within && and || do not."""
    if not isinstance(part, Call):
        return False
    return part.function in (*_LOGIC, "_?_:_") or around not in _LOGIC


def _quoted(node: Node) -> str:
    text = written(node)
    return f"`{text if len(text) <= 90 else text[:60] + ' … ' + text[-25:]}`"


# --- Mutants of a condition ----------------------------------------------------------------------------------------

Items = Mapping[str, Mapping[str, Fact] | tuple[str, ...]]
"""What the items of the macros around are: the fields of a record, or the values of an enumeration."""


def trees(
    node: Node, items: Items, *, asked: bool, chained: str = "", denied: bool = False
) -> Iterator[tuple[Node, str]]:
    """The condition with one mistake each, and the mistake in words.

    Args:
        node: The condition or a part of it.
        items: What the items of the macros around it are.
        asked: Whether it is a yes/no condition, which can be negated.
        chained: The operator around it, if it is && or ||: a chain is one list of parts.
        denied: Whether a ``!`` stands before it.
    """
    yield from _here(node, items, asked=asked, chained=chained, denied=denied)
    match node:
        case FieldOf(record, field):
            yield from ((FieldOf(part, field), said) for part, said in trees(record, items, asked=False))
        case ListOf(nodes):
            for index, part in enumerate(nodes):
                if not (isinstance(part, Const) and isinstance(part.value, str)):
                    for other, said in trees(part, items, asked=False):
                        yield ListOf((*nodes[:index], other, *nodes[index + 1 :])), said
        case Macro(kind, over, item, body):
            for other, said in trees(over, items, asked=False):
                yield Macro(kind, other, item, body), said
            inner = {**items, item: _item(over)}
            for other, said in trees(body, inner, asked=kind != "map"):
                yield Macro(kind, over, item, other), said
        case Call(function, args):
            for index, part in enumerate(args):
                logical = function in (*_LOGIC, "!_") or (function == "_?_:_" and (index == 0 or asked))
                chain = function if function in _LOGIC else ""
                for other, said in trees(part, items, asked=logical, chained=chain, denied=function == "!_"):
                    yield Call(function, (*args[:index], other, *args[index + 1 :])), said


def _here(node: Node, items: Items, *, asked: bool, chained: str, denied: bool) -> Iterator[tuple[Node, str]]:
    match node:
        case Const(bool()):
            return
        case Const(int() | float() as value):
            for other in _beside(value):
                yield Const(other), f"{value!r} read as {other!r}"
        case Call("!_", (part,)):
            yield part, f"{_quoted(node)} read without the !"
        case Call(function, args):
            for other_function in _MISREAD.get(function, ()):
                mistaken = f"`{_SIGNS.get(function, function)}` read as `{_SIGNS.get(other_function, other_function)}`"
                yield Call(other_function, args), f"{mistaken} in {_quoted(node)}"
            yield from _call(node, items, chained)
        case Macro(kind, over, item, body):
            if kind in ("exists", "all"):
                other_kind: Literal["exists", "all"] = "all" if kind == "exists" else "exists"
                yield Macro(other_kind, over, item, body), f"`{kind}` read as `{other_kind}` in {_quoted(node)}"
            elif kind == "filter":
                yield over, f"`filter` left out in {_quoted(node)}"
    if asked and not denied and _leaf(node):
        yield Call("!_", (node,)), f"{_quoted(node)} read with a ! before it"


def _leaf(node: Node) -> bool:
    match node:
        case Variable() | FieldOf() | Macro() | Call("@in" | "covers", _):
            return True
    return False


def _call(node: Call, items: Items, chained: str) -> Iterator[tuple[Node, str]]:
    function, args = node.function, node.args
    if function in _LOGIC and function != chained:
        parts = _chain(node, function)
        for index, part in enumerate(parts):
            rest = [*parts[:index], *parts[index + 1 :]]
            yield _joined(rest, function), f"{_quoted(part)} left out"
    elif function == "_?_:_":
        yield args[1], f"{_quoted(args[1])} always taken in {_quoted(node)}"
        yield args[2], f"{_quoted(args[2])} always taken in {_quoted(node)}"
    elif function == "covers":
        yield Call(function, args[::-1]), f"the lists swapped in {_quoted(node)}"
        yield from _listed(node, items)
    elif function == "@in":
        yield from _listed(node, items)
    elif function in _EQUAL:
        left, right = args
        if isinstance(right, Const) and isinstance(right.value, str):
            for other in _others(_values(left, items), (right.value,)):
                yield Call(function, (left, Const(other))), f"'{right.value}' read as '{other}' in {_quoted(node)}"
        elif function == "_==_" and any(isinstance(part, Const) and _is_number(part.value) for part in args):
            for wider in ("_<=_", "_>=_"):
                yield Call(wider, args), f"`==` read as `{_SIGNS[wider]}` in {_quoted(node)}"


def _listed(node: Call, items: Items) -> Iterator[tuple[Node, str]]:
    """A value missing from a list that is written out, or another in its place."""
    for place, part in enumerate(node.args):
        if not isinstance(part, ListOf):
            continue
        texts = [one.value for one in part.items if isinstance(one, Const) and isinstance(one.value, str)]
        if len(texts) != len(part.items):
            continue
        other_side = _values(node.args[1 - place], items)
        for index, text in enumerate(texts):
            rest = (*part.items[:index], *part.items[index + 1 :])
            if rest:
                args = (*node.args[:place], ListOf(rest), *node.args[place + 1 :])
                yield Call(node.function, args), f"'{text}' left out of the list in {_quoted(node)}"
            for other in _others(other_side, texts):
                swapped = (*part.items[:index], Const(other), *part.items[index + 1 :])
                args = (*node.args[:place], ListOf(swapped), *node.args[place + 1 :])
                yield Call(node.function, args), f"'{text}' read as '{other}' in {_quoted(node)}"


def _others(values: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """The value after the last that is taken, if there is one left."""
    free = [value for value in values if value not in taken]
    if not free:
        return ()
    at = max((values.index(one) for one in taken if one in values), default=-1)
    return (next((value for value in values[at + 1 :] if value in free), free[0]),)


def _values(node: Node, items: Items) -> Sequence[str]:
    """The values of an enumeration, where a part of a condition is one."""
    match node:
        case Variable(name) if name in dictionary():
            return dictionary()[name].values
        case Item(name):
            known = items.get(name)
            return known if isinstance(known, tuple) else ()
        case FieldOf(Item(name), field):
            fields = items.get(name)
            return fields[field].values if isinstance(fields, Mapping) and field in fields else ()
        case Macro("filter", over, _, _):
            return _values(over, items)
        case Macro("map", over, item, body):
            return _values(body, {**items, item: _item(over)})
    return ()


def _item(over: Node) -> Mapping[str, Fact] | tuple[str, ...]:
    """What the items of a list are."""
    match over:
        case Variable(name) if name in dictionary():
            fact = dictionary()[name]
            return fact.fields or fact.values
        case Macro("filter", inner, _, _):
            return _item(inner)
    return ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _beside(value: float) -> tuple[float, float]:
    """A number one unit lower and one unit higher."""
    step = unit_of(value)
    return moved(value, -step), moved(value, step)


def moved(value: float, by: float) -> float:
    """A number so much higher, as it would be written."""
    return round(value + by, 6)


def unit_of(value: float, unit: str | None = None) -> float:
    """One unit of a number: a day, a month, a page; of an amount a penny, of a share or a fraction 0.01."""
    if type(value) is int:
        return 1
    fine = unit in _FINE or (unit is not None and unit.isupper()) or not float(value).is_integer()
    return PENNY if fine or (unit is None and abs(value) < 2) else 1.0


def _chain(node: Node, function: str) -> list[Node]:
    match node:
        case Call(name, (left, right)) if name == function:
            return [*_chain(left, function), *_chain(right, function)]
    return [node]


def _joined(parts: Sequence[Node], function: str) -> Node:
    whole = parts[0]
    for part in parts[1:]:
        whole = Call(function, (whole, part))
    return whole


# --- Mutants of a rule ---------------------------------------------------------------------------------------------


def by_trees(rule: CompiledRule) -> CompiledRule:
    """The rule with all its conditions decided by their trees, and a memory of its own."""
    return _everywhere(rule, TreeCondition.of)


def _everywhere(rule: CompiledRule, change: Callable[[Condition], Condition]) -> CompiledRule:
    """The rule with each condition that decides its verdict changed; what is the same stays the same object."""
    done: dict[int, Condition] = {}

    def changed(condition: Condition) -> Condition:
        return done.setdefault(id(condition), change(condition))

    return replace(
        rule,
        when=rule.when and changed(rule.when),
        planned=rule.planned and changed(rule.planned),
        branches=tuple(replace(branch, condition=changed(branch.condition)) for branch in rule.branches),
        lets=tuple(replace(let, value=changed(let.value)) for let in rule.lets),
        notes=(),
        memory={},
    )


def deciding(rule: CompiledRule) -> tuple[frozenset[str], frozenset[str]]:
    """The lets and the facts on which the verdict rests; others are only written in texts or mends."""
    conditions = [one for one in (rule.when, rule.planned, *(branch.condition for branch in rule.branches)) if one]
    names = {name for condition in conditions for name in condition.names}
    lets = set()
    for let in reversed(rule.lets):
        if let.name in names:
            lets.add(let.name)
            names.update(let.value.names)
    facts = {name for name in names if name not in lets and not name.startswith(PARAMS)}
    return frozenset(lets), frozenset(facts)


def rule_mutants(rule: CompiledRule, pointer: str) -> Iterator[Mutant]:
    """All mutants of a rule by itself: of its conditions, its own lets, its order of branches, and when it is asked.

    Args:
        rule: The rule, its conditions decided by their trees.
        pointer: Where it is in its pack.
    """
    own = rule.rule
    if rule.when is not None:
        yield Mutant(f"{pointer}/when", "`when` left out", lambda one: replace(one, when=None, memory={}))
        yield from _condition(rule.when, f"{pointer}/when")
    if rule.planned is not None:
        yield Mutant(f"{pointer}/planned", "`planned` left out", lambda one: replace(one, planned=None, memory={}))
        yield from _condition(rule.planned, f"{pointer}/planned")
    lets, _ = deciding(rule)
    for let in rule.lets:
        if let.owner == own.id and let.name in lets:
            yield from _condition(let.value, f"{pointer}/let/{let.name}/is")
    if rule.require:
        yield from _condition(rule.branches[0].condition, f"{pointer}/require")
    else:
        yield from _branches(rule, pointer)
    yield from _asked(rule, pointer)
    yield from _of_law(rule, pointer)


def _condition(condition: Condition, pointer: str) -> Iterator[Mutant]:
    for tree, said in trees(condition.tree, {}, asked=condition.type.name == "bool"):
        yield Mutant(pointer, said, _in_place_of(condition, TreeCondition.of(condition, tree)))


def _in_place_of(old: Condition, new: Condition) -> Change:
    return lambda rule: _everywhere(rule, lambda one: new if one is old else one)


def _branches(rule: CompiledRule, pointer: str) -> Iterator[Mutant]:
    branches = rule.branches
    for index, branch in enumerate(branches):
        place = f"{pointer}/decide/{index}"
        if len(branches) > 1:
            without = (*branches[:index], *branches[index + 1 :])
            yield Mutant(place, "this branch left out", _with_branches(without))
        if index + 1 < len(branches):
            after = branches[index + 1]
            if (branch.verdict, branch.severity) != (after.verdict, after.severity):
                swapped = (*branches[:index], after, branch, *branches[index + 2 :])
                yield Mutant(place, "this branch asked after the next", _with_branches(swapped))
        if branch.severity != rule.rule.severity:
            plain = replace(branch, severity=rule.rule.severity)
            others = (*branches[:index], plain, *branches[index + 1 :])
            said = f"the severity {branch.severity} left out"
            yield Mutant(f"{place}/severity", said, _with_branches(others))
        yield from _condition(branch.condition, f"{place}/{branch.verdict}")


def _with_branches(branches: tuple[Any, ...]) -> Change:
    return lambda rule: replace(rule, branches=branches, memory={})


def _asked(rule: CompiledRule, pointer: str) -> Iterator[Mutant]:
    own = rule.rule
    for kind in own.applies_to if len(own.applies_to) > 1 else ():
        rest = own.model_copy(update={"applies_to": tuple(other for other in own.applies_to if other != kind)})
        yield Mutant(f"{pointer}/applies_to", f"not asked of the kind {kind}", _with(rule=rest))
    for other in (rule.due - 1, rule.due + 1):
        if 0 <= other < len(STAGES):
            said = f"asked from the stage {STAGES[other]}, not {STAGES[rule.due]}"
            yield Mutant(f"{pointer}/due_from", said, _with(due=other))
    for other in (rule.tier - 1, rule.tier + 1):
        if 0 <= other < len(TIERS):
            yield Mutant(
                f"{pointer}/tier", f"asked from the tier {TIERS[other]}, not {TIERS[rule.tier]}", _with(tier=other)
            )


def _of_law(rule: CompiledRule, pointer: str) -> Iterator[Mutant]:
    """For a rule of law: asked under any law, or in force from or until another day."""
    law = rule.law
    if law is None:
        return
    if law.regimes is not None:
        yield Mutant(f"{pointer}/regimes", "asked under any law", _with_law(regimes=None))
    if law.territories is not None:
        yield Mutant(f"{pointer}/territories", "asked in any part of the kingdom", _with_law(territories=None))
    for key, word, day in (("start", "from", law.start), ("until", "until", law.until)):
        for step, side in ((-1, "earlier"), (1, "later")) if day is not None else ():
            said = f"in force {word} a day {side}"
            yield Mutant(f"{pointer}/in_force/{word}", said, _with_law(**{key: (day or 0) + step}))


def _with_law(**changes: Any) -> Change:
    def changed(rule: CompiledRule) -> CompiledRule:
        return replace(rule, law=rule.law and replace(rule.law, **changes, memory={}), memory={})

    return changed


def _with(**changes: Any) -> Change:
    return lambda rule: replace(rule, **changes, memory={})


# --- Mutants of what rules share -----------------------------------------------------------------------------------


def parameter_mutants(name: str, parameter: Parameter) -> Iterator[Mutant]:
    """A parameter one unit lower and higher; of a banded one, each limit and each step."""
    pointer = f"/parameters/{name}"
    if parameter.values is not None:
        yield from _dated(name, parameter)
    elif parameter.bands is None:
        value = parameter.value
        if isinstance(value, str) or value is None:
            return
        step = unit_of(value, parameter.unit)
        for other in (moved(value, -step), moved(value, step)):
            yield Mutant(
                pointer, f"the parameter {name}: {value!r} read as {other!r}", _parameter(PARAMS + name, other)
            )
    else:
        yield from _banded(name, parameter)


def _dated(name: str, parameter: Parameter) -> Iterator[Mutant]:
    """Each of the values by date one unit off, and beginning a day earlier or later."""
    for index, one in enumerate(parameter.values or ()):
        value, place = one.value, f"/parameters/{name}/values/{index}"
        if not isinstance(value, str):
            step = unit_of(value, parameter.unit)
            for other in (moved(value, -step), moved(value, step)):
                said = f"the parameter {name} from {one.from_}: {value!r} read as {other!r}"
                yield Mutant(place, said, _with_span(PARAMS + name, index, value=other))
        for step, side in ((-1, "earlier"), (1, "later")):
            said = f"the parameter {name}: {value!r} a day {side} than from {one.from_}"
            yield Mutant(place, said, _with_span(PARAMS + name, index, start=days(one.from_) + step))


def _with_span(name: str, index: int, **changes: Any) -> Change:
    def changed(rule: CompiledRule) -> CompiledRule:
        if rule.law is None or name not in rule.law.dated:
            return rule
        spans = rule.law.dated[name]
        moved_one = (*spans[:index], replace(spans[index], **changes), *spans[index + 1 :])
        return _with_law(dated={**rule.law.dated, name: moved_one})(rule)

    return changed


def _banded(name: str, parameter: Parameter) -> Iterator[Mutant]:
    pointer = f"/parameters/{name}"
    steps = [[float("inf") if band.below is None else band.below, band.is_] for band in parameter.bands or ()]
    for row, (below, is_) in enumerate(steps):
        for column, (word, value, unit) in enumerate((("below", below, PENNY), ("is", is_, unit_of(is_, "")))):
            for other in (moved(value, -unit), moved(value, unit)) if value != float("inf") else ():
                rows = [list(step) for step in steps]
                rows[row][column] = other
                said = f"the parameter {name}: {word} {value!r} read as {rows[row][column]!r}"
                yield Mutant(f"{pointer}/bands/{row}", said, _parameter(PARAMS + name, rows))


def _parameter(name: str, value: Any) -> Change:
    def changed(condition: Condition) -> Condition:
        if name not in condition.names or not isinstance(condition, TreeCondition):
            return condition
        return TreeCondition.of(condition, None, {**condition.constants, name: value})

    return lambda rule: _everywhere(rule, changed)


def let_mutants(owner: str, name: str, tree: Node, *, asked: bool) -> Iterator[Mutant]:
    """A let that the rules of a pack share, with one mistake each."""
    for other, said in trees(tree, {}, asked=asked):
        yield Mutant(f"/let/{name}/is", f"{said}, in the let {name}", _shared_let(owner, name, other))


def _shared_let(owner: str, name: str, tree: Node) -> Change:
    def changed(rule: CompiledRule) -> CompiledRule:
        lets = tuple(
            replace(let, value=TreeCondition.of(let.value, tree)) if (let.owner, let.name) == (owner, name) else let
            for let in rule.lets
        )
        return replace(rule, lets=lets, memory={})

    return changed
