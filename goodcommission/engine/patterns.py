"""Patterns: what findings mean together. Works out which are concluded, open or excluded.

This is the reference engine: the definition of what a pattern means. durable-rules runs beside it (durable.py).

A literal asks for the verdict of a rule or group, or for the conclusion of another pattern.

*On what is known*, `{rule, verdict}` holds when the rule has that verdict, provisional or not; a rule that is not yet
due counts as not applicable. A group fails if a member fails; else it is unknown if a member is unknown; else it passes
if a member passes; else it is not applicable. A conclusion holds when any pattern that reaches it is concluded.

*Possible* is every joint choice of pass, fail or not applicable for each unknown rule, of pass or fail for each
provisional one, and of true or false for each unknown gate. A rule that is not loaded, or a conclusion that no loaded
pattern reaches, neither holds nor is possible: it is not checked.

- **concluded**: the gate is true, every clause holds on what is known, and no `unless` literal does;
- **excluded**: not concluded, and under no possible choice would it be;
- **open**: neither.
"""

from __future__ import annotations

import functools
import heapq
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from goodcommission.exceptions import EngineError, Fault, PackError
from goodcommission.packs.model import Match, Outcome, Pattern, Verdict

Verdicts: TypeAlias = Mapping[str, tuple[Verdict, bool]]
"""Rule id -> (verdict, provisional). A loaded rule without a verdict is unknown."""

Gates: TypeAlias = Mapping[str, bool | None]
"""Pattern id -> what its `when` says; None is unknown. A pattern without `when` may be left out."""

Shown: TypeAlias = Literal["high", "medium", "low", "positive"]
Engine: TypeAlias = Literal["auto", "durable", "reference"]

LOOKS: Final = 20_000
"""How many times a pattern, or one that it rests on, is looked at in the search before it is called open.

A look takes some 0.5 µs: some 15 ms for one pattern at most. Only rules that are pulled two ways are chosen for (asked
to fail here and to pass there), so that real packs need few looks.
"""

_SHIFT: Final[Mapping[str, int]] = {"pass": 0, "fail": 1, "not_applicable": 2}
_RAISED: Final[Mapping[Shown, Shown]] = {"low": "medium", "medium": "high", "high": "high", "positive": "positive"}
_LOWERED: Final[Mapping[Shown, Shown]] = {"high": "medium", "medium": "low", "low": "low", "positive": "positive"}


@dataclass(frozen=True, slots=True)
class Member:
    """One thing that a pattern looks at, as a report shows it."""

    kind: Literal["rule", "group", "conclusion"]
    id: str
    verdict: Literal["pass", "fail", "not_applicable"] | None = None
    """The verdict asked for; None for a conclusion."""

    def __str__(self) -> str:
        if self.verdict is None:
            return self.id
        name = f"group {self.id}" if self.kind == "group" else self.id
        return f"{name}: {self.verdict.replace('_', ' ')}"


@dataclass(frozen=True, slots=True)
class PatternOutcome:
    """What came of one pattern, and why."""

    id: str
    concludes: str
    outcome: Outcome
    severity: Shown
    """As shown: after `raised_by` and `lowered_by`."""
    satisfied: tuple[Member, ...]
    """Everything under `all_of`, `any_of` and `at_least` that holds on what is known."""
    provisional: tuple[Member, ...]
    """Those of the satisfied that what is still unknown could overturn."""
    raised_by: tuple[Member, ...]
    lowered_by: tuple[Member, ...]
    withdrawn_by: tuple[Member, ...]
    """What holds under `unless`."""
    would_be_withdrawn_by: tuple[Member, ...]
    """Of a concluded pattern: what is undecided under `unless`."""
    undecided: tuple[Member, ...]
    """Of an open pattern: what would settle it."""
    not_checked: tuple[Member, ...]
    """Rules and groups that are not loaded, and conclusions that no loaded pattern reaches."""
    gate: bool | None
    """Whether `when` is true; None is unknown."""


@dataclass(frozen=True, slots=True)
class EngineReport:
    """Which engine ran the patterns, why that one, and where it and the reference disagree."""

    name: Literal["durable", "reference"]
    reason: str
    differences: tuple[str, ...] = ()


Members: TypeAlias = tuple[tuple[int, Member], ...]
"""Members with the bit that says whether they hold."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A group's bits, and the bits of its members, for each verdict."""

    passes: int
    fails: int
    not_applicable: int
    member_passes: int
    member_fails: int
    member_not_applicable: int
    member_unknown: int


@dataclass(frozen=True, slots=True, eq=False)
class _Clauses:
    """One pattern, compiled to bits."""

    id: str
    concludes: str
    severity: Shown
    gated: bool
    bit: int
    """Of its conclusion."""
    never: bool
    """A clause cannot hold, because too much of it is not checked."""
    all_of: int
    any_of: int
    """0 if there is no such clause."""
    count: int
    """0 if there is no such clause."""
    buckets: tuple[int, ...]
    """One for each group that `at_least` counts."""
    counted: int
    single: bool
    """Each bucket is one bit, so that counting bits will do."""
    looked_at: int
    """All of `all_of`, `any_of` and `at_least`."""
    unless: int
    raised: int
    lowered: int
    seen: int
    """All bits of these."""
    used: bool
    """Other patterns use the conclusion."""
    torn: bool
    """Some rule or gate may be wanted two ways at once: see `_Scope`."""
    positive: Members
    negative: Members
    raising: Members
    lowering: Members
    not_checked: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a pattern rests on, directly and through conclusions: for the search."""

    patterns: tuple[int, ...]
    """Positions, in order; the pattern itself is the last."""
    groups: tuple[_Group, ...]
    torn: int
    """The `fail` bits of the rules that no single verdict would suit."""
    torn_rules: tuple[tuple[int, int, tuple[int, ...]], ...]
    """(fail bit, all bits, the bits in the order in which to try them)."""
    torn_gates: tuple[int, ...]
    """Positions of patterns whose gate is wanted both true and false."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class PatternSet:
    """Patterns in the order in which they are worked out: each after those it rests on."""

    order: tuple[Pattern, ...]
    rule_groups: Mapping[str, str | None]
    """Each loaded rule, and its group if it has one."""
    groups: Mapping[str, tuple[str, ...]]
    """Each group, and its loaded rules."""
    conclusions: Mapping[str, tuple[int, ...]]
    """Each conclusion, and the positions in `order` of the patterns that reach it."""
    _rules: tuple[tuple[str, Mapping[tuple[str, bool], int]], ...] = field(repr=False)
    """Each rule that matters, and for each of its states the bits: known, possible and certain, side by side."""
    _width: int
    """How many bits stand side by side."""
    _groups: tuple[_Group, ...] = field(repr=False)
    _clauses: tuple[_Clauses, ...] = field(repr=False)
    _scopes: tuple[_Scope, ...] = field(repr=False)


def compile_patterns(patterns: Sequence[Pattern], rule_groups: Mapping[str, str | None]) -> PatternSet:
    """Put patterns in order and prepare them.

    Args:
        patterns: The patterns of all loaded packs, in any order: the result does not depend on it.
        rule_groups: Each loaded rule, and the group it belongs to. Group ids are unique over the loaded packs.

    Raises:
        PackError: Two patterns have one id, or patterns rest on each other in a circle.
    """
    order = _ordered(patterns)
    conclusions: dict[str, tuple[int, ...]] = {}
    for position, pattern in enumerate(order):
        conclusions[pattern.concludes] = (*conclusions.get(pattern.concludes, ()), position)
    members: dict[str, tuple[str, ...]] = {}
    for rule, group in sorted(rule_groups.items()):
        if group is not None:
            members[group] = (*members.get(group, ()), rule)
    bits = _Bits(order, rule_groups, members, conclusions)
    used = {use.conclusion for pattern in order for use in _uses(pattern)}
    scopes = tuple(_scope(position, order, bits, members, conclusions) for position in range(len(order)))
    clauses = tuple(
        _compiled(pattern, scope, bits, rule_groups, used) for pattern, scope in zip(order, scopes, strict=True)
    )
    return PatternSet(
        order=order,
        rule_groups=MappingProxyType(dict(rule_groups)),
        groups=MappingProxyType(members),
        conclusions=MappingProxyType(conclusions),
        _rules=tuple((rule, bits.states(rule)) for rule in bits.rules),
        _width=bits.width,
        _groups=tuple(bits.groups.values()),
        _clauses=clauses,
        _scopes=scopes,
    )


def evaluate(patterns: PatternSet, verdicts: Verdicts, gates: Gates) -> tuple[PatternOutcome, ...]:
    """Work out all patterns, in order. Pure; the same verdicts always give the same outcomes."""
    packed, width, silent = 0, patterns._width, ("unknown", False)
    for rule, states in patterns._rules:
        packed |= states[verdicts.get(rule, silent)]
    ones = (1 << width) - 1
    known, possible, certain = packed & ones, packed >> width & ones, packed >> 2 * width
    rules_possible, rules_certain = possible, certain
    for group in patterns._groups:
        if known & group.member_fails:
            known |= group.fails
        elif not known & group.member_unknown:
            known |= group.passes if known & group.member_passes else group.not_applicable
    if patterns._groups:
        possible, certain = _group_bounds(patterns._groups, possible, certain)

    open_gates: tuple[bool | None, ...] = tuple(
        gates.get(one.id, None if one.gated else True) for one in patterns._clauses
    )
    outcomes = []
    for position, one in enumerate(patterns._clauses):
        gate = open_gates[position]
        outcome: Outcome
        if _holds(one, known, known, gate is True):
            outcome = "concluded"
            if one.used and _holds(one, certain, possible, True):
                certain |= one.bit
            known |= one.bit
            possible |= one.bit
        elif _holds(one, possible, certain, gate is not False) and (
            not one.torn or _reachable(patterns, position, rules_possible, rules_certain, open_gates)
        ):
            outcome = "open"
            possible |= one.bit
        else:
            outcome = "excluded"
        seen = one.seen
        outcomes.append(_explained(one, outcome, gate, known & seen, possible & seen, certain & seen))
    return tuple(outcomes)


def run(
    patterns: PatternSet, verdicts: Verdicts, gates: Gates, engine: Engine = "auto"
) -> tuple[tuple[PatternOutcome, ...], EngineReport]:
    """Work out all patterns with the engine asked for, and say which it was and why.

    The reference always runs, and its answer stands; where durable-rules ran too, their conclusions are compared.

    Args:
        patterns: From `compile_patterns`.
        verdicts: Of the loaded rules.
        gates: Of the patterns that have a `when`.
        engine: `auto` takes durable-rules where it is installed.

    Raises:
        EngineError: `durable` was asked for and is not installed or did not do its work.
    """
    if engine not in get_args(Engine):
        raise EngineError(Fault(f'there is no engine "{engine}"; there are {", ".join(get_args(Engine))}'))
    outcomes = evaluate(patterns, verdicts, gates)
    if engine == "reference":
        return outcomes, EngineReport("reference", "The reference engine was asked for.")
    from goodcommission.engine.durable import DurableEngine, TooManyRulesets, available

    installed, reason = available()
    if not installed:
        if engine == "durable":
            raise EngineError(Fault(f"The durable-rules engine cannot run: {reason}", suggestion=_ADVICE))
        return outcomes, EngineReport("reference", reason)
    try:
        concluded = DurableEngine().evaluate(patterns, verdicts, gates)
    except TooManyRulesets as error:
        if engine == "durable":
            raise
        return outcomes, EngineReport("reference", error.faults[0].message)
    except EngineError as error:
        if engine == "durable":
            raise
        message = error.faults[0].message
        return outcomes, EngineReport("reference", message, (message,))
    why = "It was asked for." if engine == "durable" else reason
    return outcomes, EngineReport("durable", why, _differences(outcomes, concluded))


_ADVICE: Final = (
    "Install it with `pip install 'goodcommission[durable]'` (Python 3.11 or 3.12, needs a C compiler), "
    "or use `--engine reference`."
)


def _differences(outcomes: Sequence[PatternOutcome], concluded: Collection[str]) -> tuple[str, ...]:
    """Where the reference and durable-rules disagree, in sentences."""
    return tuple(
        f"{one.id}: the reference says {one.outcome}, durable-rules says "
        f"{'concluded' if one.id in concluded else 'not concluded'}."
        for one in outcomes
        if (one.outcome == "concluded") != (one.id in concluded)
    )


# Evaluation


def _holds(one: _Clauses, held: int, withdrawing: int, gate: bool) -> bool:
    """Whether a pattern is concluded, given the bits that hold in its clauses and those that hold under `unless`.

    Called with (known, known) for what is known, (possible, certain) for the most that can be, (certain, possible) for
    the least that must be.
    """
    return (
        gate
        and not one.never
        and held & one.all_of == one.all_of
        and (not one.any_of or held & one.any_of != 0)
        and (not one.count or ((held & one.counted).bit_count() if one.single else _counted(one, held)) >= one.count)
        and not withdrawing & one.unless
    )


def _counted(one: _Clauses, held: int) -> int:
    """In how many groups something holds."""
    count = 0
    for bucket in one.buckets:
        if held & bucket:
            count += 1
    return count


def _group_bounds(groups: Iterable[_Group], possible: int, certain: int) -> tuple[int, int]:
    """Add the verdicts that each group may and must have to those of the rules."""
    for group in groups:
        if possible & group.member_fails:
            possible |= group.fails
        if certain & group.member_fails:
            certain |= group.fails
            continue
        if possible & group.member_passes:
            possible |= group.passes
            if not possible & group.member_fails:  # each member is decided, as what is not might fail
                certain |= group.passes
        if possible & group.member_not_applicable == group.member_not_applicable:
            possible |= group.not_applicable
            if certain & group.member_not_applicable == group.member_not_applicable:
                certain |= group.not_applicable
    return possible, certain


def _reachable(patterns: PatternSet, position: int, possible: int, certain: int, gates: Sequence[bool | None]) -> bool:
    """Whether a pattern that looks possible literal by literal can really be concluded by one joint choice.

    Where no undecided rule or gate is pulled two ways, everything that is possible is possible at once, and the answer
    is yes. Else choose for those that are, depth first, and give up a choice as soon as it looks impossible.
    """
    scope = patterns._scopes[position]
    undecided = possible & ~certain
    rules = (
        [(bits, values) for fail, bits, values in scope.torn_rules if undecided & fail]
        if undecided & scope.torn
        else []
    )
    torn_gates = [index for index in scope.torn_gates if gates[index] is None]
    if not rules and not torn_gates:
        return True
    chosen = list(gates)
    left = LOOKS

    def search(depth: int, possible: int, certain: int) -> bool:
        nonlocal left
        left -= len(scope.patterns)
        if left < 0:
            return True
        may, must = _bounds(patterns, scope, possible, certain, chosen)
        if not may or must:
            return may
        if depth < len(rules):
            bits, values = rules[depth]
            return any(
                search(depth + 1, possible & ~bits | value, certain | value) for value in values if possible & value
            )
        if depth - len(rules) < len(torn_gates):
            index = torn_gates[depth - len(rules)]
            for value in (True, False):
                chosen[index] = value
                if search(depth + 1, possible, certain):
                    return True
            chosen[index] = None
            return False
        return True

    # the first choice of each is mostly right: try them all at once
    likely_possible, likely_certain = possible, certain
    for bits, values in rules:
        value = next(value for value in values if possible & value)
        likely_possible = likely_possible & ~bits | value
        likely_certain |= value
    return search(len(rules), likely_possible, likely_certain) or search(0, possible, certain)


def _bounds(
    patterns: PatternSet, scope: _Scope, possible: int, certain: int, gates: Sequence[bool | None]
) -> tuple[bool, bool]:
    """Whether the scope's pattern may be, and must be, concluded; literal by literal."""
    possible, certain = _group_bounds(scope.groups, possible, certain)
    may = must = False
    for index in scope.patterns:
        one, gate = patterns._clauses[index], gates[index]
        may = _holds(one, possible, certain, gate is not False)
        must = may and _holds(one, certain, possible, gate is True)
        if may:
            possible |= one.bit
        if must:
            certain |= one.bit
    return may, must


@functools.lru_cache(maxsize=4096)
def _explained(
    one: _Clauses, outcome: Outcome, gate: bool | None, known: int, possible: int, certain: int
) -> PatternOutcome:
    """The outcome with its derivation. Remembered: the bits are only those that the pattern looks at."""
    satisfied: tuple[Member, ...] = ()
    provisional: tuple[Member, ...] = ()
    if known & one.looked_at:
        satisfied = tuple([member for bit, member in one.positive if known & bit])
        unsure = known & ~certain
        if unsure & one.looked_at:
            provisional = tuple([member for bit, member in one.positive if unsure & bit])
    raised = tuple([member for bit, member in one.raising if known & bit]) if known & one.raised else ()
    lowered = tuple([member for bit, member in one.lowering if known & bit]) if known & one.lowered else ()
    severity = one.severity
    if raised and not lowered:
        severity = _RAISED[severity]
    elif lowered and not raised:
        severity = _LOWERED[severity]
    withdrawn = tuple([member for bit, member in one.negative if known & bit]) if known & one.unless else ()
    could_withdraw: tuple[Member, ...] = ()
    undecided: tuple[Member, ...] = ()
    if outcome == "concluded":
        unsure = possible & ~known & one.unless
        if unsure:
            could_withdraw = tuple([member for bit, member in one.negative if unsure & bit])
    elif outcome == "open":
        unsure = possible & ~certain
        wanted = one.all_of
        if not certain & one.any_of:
            wanted |= one.any_of
        if one.count and _counted(one, certain) < one.count:
            for bucket in one.buckets:
                if not certain & bucket:
                    wanted |= bucket
        wanted &= unsure
        found = [member for bit, member in one.positive if wanted & bit]
        found += [member for bit, member in one.negative if unsure & bit & ~wanted]
        undecided = tuple(found)
    return PatternOutcome(
        one.id,
        one.concludes,
        outcome,
        severity,
        satisfied,
        provisional,
        raised,
        lowered,
        withdrawn,
        could_withdraw,
        undecided,
        one.not_checked,
        gate,
    )


# Compilation


def _uses(pattern: Pattern) -> Iterable[Match]:
    yield from pattern.all_of
    yield from pattern.any_of
    if pattern.at_least:
        yield from pattern.at_least.of
    yield from pattern.unless
    yield from pattern.raised_by
    yield from pattern.lowered_by


def _ordered(patterns: Sequence[Pattern]) -> tuple[Pattern, ...]:
    """Each pattern after those whose conclusions it uses; among those that could come next, the smallest id."""
    by_id: dict[str, Pattern] = {}
    repeated = []
    concluding: dict[str, list[str]] = {}
    for pattern in patterns:
        if pattern.id in by_id:
            repeated.append(pattern.id)
            continue
        by_id[pattern.id] = pattern
        concluding.setdefault(pattern.concludes, []).append(pattern.id)
    if repeated:
        raise PackError(*(Fault(f"Two patterns have the id {id}; ids must differ.") for id in sorted(set(repeated))))
    rests_on = {
        id: {other for use in _uses(pattern) if use.conclusion for other in concluding.get(use.conclusion, ())}
        for id, pattern in by_id.items()
    }
    carries: dict[str, list[str]] = {}
    for id, others in rests_on.items():
        for other in others:
            carries.setdefault(other, []).append(id)
    waiting = {id: len(others) for id, others in rests_on.items()}
    ready = [id for id, count in waiting.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        id = heapq.heappop(ready)
        order.append(by_id[id])
        for carried in carries.get(id, ()):
            waiting[carried] -= 1
            if not waiting[carried]:
                heapq.heappush(ready, carried)
    if len(order) < len(by_id):
        left = sorted(id for id, count in waiting.items() if count)
        raise PackError(_circle(left, rests_on, by_id))
    return tuple(order)


def _circle(left: Sequence[str], rests_on: Mapping[str, set[str]], by_id: Mapping[str, Pattern]) -> Fault:
    """Follow what each rests on until one comes back: every pattern that is left over rests on another such."""
    remaining, path = set(left), [left[0]]
    while True:
        following = min(rests_on[path[-1]] & remaining)
        if following in path:
            circle = path[path.index(following) :]
            break
        path.append(following)
    start = circle.index(min(circle))
    circle = circle[start:] + circle[:start]
    chain = " rests on ".join(f"{id} ({by_id[id].concludes})" for id in (*circle, circle[0]))
    return Fault(
        f"Patterns rest on each other in a circle: {chain}.",
        suggestion="Take one of these conclusions out of the clauses of the pattern that uses it.",
    )


class _Bits:
    """Gives each thing that can hold its bit: four for a rule, three for a group, one for a conclusion."""

    def __init__(
        self,
        order: Sequence[Pattern],
        rule_groups: Mapping[str, str | None],
        members: Mapping[str, tuple[str, ...]],
        conclusions: Collection[str],
    ) -> None:
        uses = [use for pattern in order for use in _uses(pattern)]
        names = sorted({use.group for use in uses if use.group in members and use.group is not None})
        asked = {use.rule for use in uses if use.rule in rule_groups and use.rule is not None}
        self.rules = sorted(asked | {rule for name in names for rule in members[name]})
        self._rule_bit = {rule: 4 * index for index, rule in enumerate(self.rules)}
        self.width = start = 4 * len(self.rules)
        self._group_bit = {name: start + 3 * index for index, name in enumerate(names)}
        start += 3 * len(names)
        self._conclusion_bit = {name: start + index for index, name in enumerate(sorted(conclusions))}
        self.groups = {name: self._group(name, members[name]) for name in names}

    def rule(self, rule: str, state: int) -> int:
        return 1 << self._rule_bit[rule] + state

    def all_of_rule(self, rule: str) -> int:
        return 7 << self._rule_bit[rule]

    def conclusion(self, conclusion: str) -> int:
        return 1 << self._conclusion_bit[conclusion]

    def of(self, use: Match) -> int:
        """The bit of a literal; 0 if it is not checked."""
        if use.rule is not None and use.verdict is not None:
            return self.rule(use.rule, _SHIFT[use.verdict]) if use.rule in self._rule_bit else 0
        if use.group is not None and use.verdict is not None:
            return 1 << self._group_bit[use.group] + _SHIFT[use.verdict] if use.group in self._group_bit else 0
        return self.conclusion(use.conclusion) if use.conclusion in self._conclusion_bit else 0

    def states(self, rule: str) -> dict[tuple[str, bool], int]:
        """For each (verdict, provisional): the bits that are known, possible and certain, side by side."""
        passes, fails, not_applicable, unknown = (self.rule(rule, state) for state in range(4))
        either = passes | fails
        states = {("pass", True): (passes, either, 0), ("fail", True): (fails, either, 0)}
        for verdict, bit in (
            ("pass", passes),
            ("fail", fails),
            ("not_applicable", not_applicable),
            ("not_yet_due", not_applicable),
        ):
            states[verdict, False] = (bit, bit, bit)
            states.setdefault((verdict, True), (bit, bit, bit))
        states["unknown", False] = states["unknown", True] = (unknown, either | not_applicable, 0)
        return {
            state: known | possible << self.width | certain << 2 * self.width
            for state, (known, possible, certain) in states.items()
        }

    def _group(self, name: str, members: Iterable[str]) -> _Group:
        of_members = [0, 0, 0, 0]
        for rule in members:
            for state in range(4):
                of_members[state] |= self.rule(rule, state)
        first = self._group_bit[name]
        passes, fails, not_applicable, unknown = of_members
        return _Group(1 << first, 2 << first, 4 << first, passes, fails, not_applicable, unknown)


def _member(use: Match) -> Member:
    if use.rule is not None:
        return Member("rule", use.rule, use.verdict)
    if use.group is not None:
        return Member("group", use.group, use.verdict)
    return Member("conclusion", use.conclusion or "")


def _sorted(members: Iterable[Member]) -> tuple[Member, ...]:
    kinds = ("rule", "group", "conclusion")
    return tuple(sorted(set(members), key=lambda member: (kinds.index(member.kind), member.id, member.verdict or "")))


def _with_bits(uses: Iterable[Match], bits: _Bits) -> tuple[int, Members]:
    """The bits of literals, together and one by one; those that are not checked left out."""
    found = {_member(use): bit for use in uses if (bit := bits.of(use))}
    together = 0
    for bit in found.values():
        together |= bit
    return together, tuple((found[member], member) for member in _sorted(found))


def counted_as(use: Match, rule_groups: Mapping[str, str | None]) -> tuple[str, str]:
    """What a literal counts as under `at_least`: its group, or itself."""
    if use.rule is not None:
        group = rule_groups.get(use.rule)
        return ("group", group) if group is not None else ("rule", use.rule)
    return ("group", use.group) if use.group is not None else ("conclusion", use.conclusion or "")


def _compiled(
    pattern: Pattern,
    scope: _Scope,
    bits: _Bits,
    rule_groups: Mapping[str, str | None],
    used: Collection[str | None],
) -> _Clauses:
    all_of, _ = _with_bits(pattern.all_of, bits)
    any_of, _ = _with_bits(pattern.any_of, bits)
    of = pattern.at_least.of if pattern.at_least else ()
    counted, _ = _with_bits(of, bits)
    by_group: dict[tuple[str, str], int] = {}
    for use in of:
        if bits.of(use):
            counts_as = counted_as(use, rule_groups)
            by_group[counts_as] = by_group.get(counts_as, 0) | bits.of(use)
    buckets = tuple(bucket for _, bucket in sorted(by_group.items()))
    count = pattern.at_least.count if pattern.at_least else 0
    _, positive = _with_bits((*pattern.all_of, *pattern.any_of, *of), bits)
    unless, negative = _with_bits(pattern.unless, bits)
    raised, raising = _with_bits(pattern.raised_by, bits)
    lowered, lowering = _with_bits(pattern.lowered_by, bits)
    return _Clauses(
        id=pattern.id,
        concludes=pattern.concludes,
        severity=pattern.severity,
        gated=pattern.when is not None,
        bit=bits.conclusion(pattern.concludes),
        never=(
            not all(bits.of(use) for use in pattern.all_of)
            or (bool(pattern.any_of) and not any_of)
            or len(buckets) < count
        ),
        all_of=all_of,
        any_of=any_of,
        count=count,
        buckets=buckets,
        counted=counted,
        single=all(bucket.bit_count() == 1 for bucket in buckets),
        looked_at=all_of | any_of | counted,
        unless=unless,
        raised=raised,
        lowered=lowered,
        seen=all_of | any_of | counted | unless | raised | lowered,
        used=pattern.concludes in used,
        torn=bool(scope.torn_rules or scope.torn_gates),
        positive=positive,
        negative=negative,
        raising=raising,
        lowering=lowering,
        not_checked=_sorted(_member(use) for use in _uses(pattern) if not bits.of(use)),
    )


def _scope(
    position: int,
    order: Sequence[Pattern],
    bits: _Bits,
    members: Mapping[str, tuple[str, ...]],
    conclusions: Mapping[str, tuple[int, ...]],
) -> _Scope:
    """What a pattern rests on, and which rules and gates are pulled two ways when it is to be concluded.

    Walks from the pattern through the conclusions it uses; under `unless` the wish turns round. A rule is torn when no
    verdict gives every literal about it what is wished: then, and only then, literals cannot be looked at one by one.
    """
    wishes: dict[str, dict[tuple[str, bool], int]] = {}
    """Rule -> (verdict, wanted or not) -> how early it was met: what is near to the pattern is tried first."""
    seen: set[tuple[int, bool]] = set()
    groups: set[str] = set()
    todo = deque([(position, True)])
    met = 0
    while todo:
        index, wish = todo.popleft()
        if (index, wish) in seen:
            continue
        seen.add((index, wish))
        pattern = order[index]
        at_least = pattern.at_least.of if pattern.at_least else ()
        positive = [(use, wish) for use in (*pattern.all_of, *pattern.any_of, *at_least)]
        for use, wanted in (*positive, *((use, not wish) for use in pattern.unless)):
            if not bits.of(use):
                continue
            if use.conclusion is not None:
                todo.extend((other, wanted) for other in conclusions[use.conclusion])
                continue
            met += 1
            rules: tuple[str, ...] = (use.rule or "",)
            wish_of = (use.verdict or "", wanted)
            if use.group is not None:
                groups.add(use.group)
                rules = members[use.group]
                if wish_of == ("pass", False):
                    # one failing member is the sure way to keep a group from passing
                    wish_of = ("fail", True)
            for rule in rules:
                wishes.setdefault(rule, {}).setdefault(wish_of, met)
    torn = 0
    torn_rules = []
    for rule, of_rule in sorted(wishes.items(), key=lambda item: (min(item[1].values()), item[0])):
        want = {verdict for verdict, wanted in of_rule if wanted}
        avoid = {verdict for verdict, wanted in of_rule if not wanted}
        if not all(_suits(want, avoid, domain) for domain in (("pass", "fail"), ("pass", "fail", "not_applicable"))):
            fail = bits.rule(rule, _SHIFT["fail"])
            torn |= fail
            values = sorted(_SHIFT, key=lambda verdict: _appeal(verdict, of_rule))
            torn_rules.append((fail, bits.all_of_rule(rule), tuple(bits.rule(rule, _SHIFT[value]) for value in values)))
    return _Scope(
        patterns=tuple(sorted({index for index, _ in seen})),
        groups=tuple(bits.groups[name] for name in sorted(groups)),
        torn=torn,
        torn_rules=tuple(torn_rules),
        torn_gates=tuple(
            index
            for index in sorted({index for index, _ in seen})
            if order[index].when is not None and (index, True) in seen and (index, False) in seen
        ),
    )


def _appeal(verdict: str, wishes: Mapping[tuple[str, bool], int]) -> tuple[int, int]:
    """How early to try a verdict: what is wanted, the nearest first; what nobody minds; what is to be avoided."""
    wanted, avoided = wishes.get((verdict, True)), wishes.get((verdict, False))
    if wanted is not None and (avoided is None or wanted <= avoided):
        return 0, wanted
    return (1, 0) if avoided is None else (2, -avoided)


def _suits(want: set[str], avoid: set[str], domain: Sequence[str]) -> bool:
    """Whether one verdict gives all literals about a rule what is wished."""
    return any(verdict not in avoid and want.intersection(domain) <= {verdict} for verdict in domain)
