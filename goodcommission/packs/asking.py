"""Which facts the rules ask for, once it is known what kind of document is audited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from goodcommission.description.facts import COMPLETE, GIVEN, dictionary
from goodcommission.description.model import Kind
from goodcommission.engine.conditions import UNKNOWN, Condition
from goodcommission.engine.tree import Call, Const, ListOf, Node, Variable, variables
from goodcommission.engine.verdicts import CompiledRule
from goodcommission.packs.compiling import Packs
from goodcommission.packs.model import Match, Pattern

_NOTHING: Final[frozenset[str]] = frozenset()
_Left = tuple[Any, frozenset[str]]
"""What the kind alone makes of an expression, or UNKNOWN; and the names that it still reads."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one kind of document; facts in the order of the commissioning cycle."""

    rules: Mapping[str, frozenset[str]]
    """Rule → the facts that decide it, those of its tier among them."""
    deciding: Mapping[str, tuple[str, ...]]
    """Fact → the rules and patterns that it helps to decide."""
    advising: Mapping[str, tuple[str, ...]]
    """Fact → the rules for which it only adds advice."""


def _left(node: Node, known: Mapping[str, _Left]) -> _Left:
    match node:
        case Const(value):
            return value, _NOTHING
        case Variable(name):
            return known.get(name, (UNKNOWN, frozenset({name})))
        case Call("_&&_" | "_||_" as operator, args):
            deciding = operator == "_||_"
            parts = [_left(arg, known) for arg in args]
            if any(value is deciding for value, _ in parts):
                return deciding, _NOTHING
            waiting = [names for value, names in parts if value is UNKNOWN]
            return (UNKNOWN, _NOTHING.union(*waiting)) if waiting else (not deciding, _NOTHING)
        case Call("!_", (arg,)):
            value, names = _left(arg, known)
            return (UNKNOWN, names) if value is UNKNOWN else (not value, _NOTHING)
        case Call("_?_:_", (test, yes, no)):
            value, names = _left(test, known)
            if value is not UNKNOWN:
                return _left(yes if value else no, known)
            return UNKNOWN, names.union(_left(yes, known)[1], _left(no, known)[1])
        case Call("_==_" | "_!=_" as operator, (one, other)):
            left, right = _left(one, known), _left(other, known)
            if UNKNOWN not in (left[0], right[0]):
                return (left[0] == right[0]) is (operator == "_==_"), _NOTHING
            return UNKNOWN, left[1] | right[1]
        case Call("@in", (one, ListOf(items))):
            value, names = _left(one, known)
            if value is not UNKNOWN and all(isinstance(item, Const) for item in items):
                return value in [item.value for item in items if isinstance(item, Const)], _NOTHING
            return UNKNOWN, names.union(*(_left(item, known)[1] for item in items))
    return UNKNOWN, _NOTHING.union(*(known[n][1] if n in known else {n} for n in variables(node)))


def _facts(names: Iterable[str]) -> frozenset[str]:
    found = {name.removesuffix(GIVEN).removesuffix(COMPLETE) for name in names}
    return frozenset(name for name in found if name in dictionary() and name != "kind")


def _read(rule: CompiledRule, kind: Kind) -> tuple[frozenset[str], frozenset[str]]:
    """The facts that decide a rule for this kind, and those that its advice reads."""
    known: dict[str, _Left] = {"kind": (kind, _NOTHING)}
    for let in rule.lets:
        known[let.name] = _left(let.value.tree, known)

    def left(condition: Condition | None) -> _Left:
        return (False, _NOTHING) if condition is None else _left(condition.tree, known)

    asked, names = left(rule.when)
    if rule.when is not None and asked is False:
        return _NOTHING, _NOTHING
    deciding = names | left(rule.planned)[1]
    for branch in rule.branches:
        value, names = left(branch.condition)
        deciding |= names
        if value is True:
            break
    return _facts(deciding), _facts(_NOTHING.union(*(left(note.condition)[1] for note in rule.notes)))


def _kinds(pattern: Pattern, packs: Packs) -> frozenset[str]:
    """The kinds of document on which a pattern's own rules can say something."""
    clauses = (pattern.all_of, pattern.any_of, pattern.at_least.of if pattern.at_least else ())
    used: list[Match] = [match for clause in clauses for match in clause]
    kinds: set[str] = set()
    for rule in packs.rules:
        if any(rule.rule.id == match.rule or (match.group and rule.rule.group == match.group) for match in used):
            kinds.update(rule.rule.applies_to)
    concluded = {match.conclusion for match in used if match.conclusion}
    for other in packs.patterns:
        if other.pattern.concludes in concluded and other.pattern.id != pattern.id:
            kinds |= _kinds(other.pattern, packs)
    return frozenset(kinds)


@lru_cache(maxsize=16)
def asked(packs: Packs, kind: Kind) -> Asked:
    """What the rules and patterns ask of one kind of document.

    What a condition asks only of other kinds is left out: a contract is not asked for what
    ``kind == 'tender' && …`` reads.
    """
    packs = packs.practice  # What only a law asks is asked where the law is known.
    rules: dict[str, frozenset[str]] = {}
    advice: dict[str, frozenset[str]] = {}
    gates: dict[str, frozenset[str]] = {}
    for rule in packs.rules:
        if kind in rule.rule.applies_to:
            deciding, advising = _read(rule, kind)
            if not deciding:
                continue
            tier = packs.tiers[rule.tier]
            rules[rule.rule.id] = deciding | (_read(tier, kind)[0] if tier else _NOTHING)
            advice[rule.rule.id] = advising
    for one in packs.patterns:
        if one.gate is not None and kind in _kinds(one.pattern, packs):
            gates[one.pattern.id] = _read(one.gate, kind)[0]
    decided = _by_fact({**rules, **gates})
    advised = {fact: ids for fact, ids in _by_fact(advice).items() if fact not in decided}
    return Asked(rules, decided, advised)


def _by_fact(read: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    found = {fact: tuple(id for id, facts in read.items() if fact in facts) for fact in dictionary()}
    return {fact: ids for fact, ids in found.items() if ids}
