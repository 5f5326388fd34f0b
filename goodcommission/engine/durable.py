"""Runs patterns on durable-rules, a Rete engine, beside the reference engine (patterns.py).

durable-rules 2.0.28 is sound only when it is used narrowly. What was measured, and what is therefore done here:

- it misses firings or aborts beyond some dozens of rules: rulesets of at most 28 patterns;
- over 16 antecedents nothing fires: literals are counted here, and a rule sees one gate, one number for each clause
  and the conclusions it asks for;
- `$not` sees only what was asserted so far: conclusions of earlier rulesets first, then all numbers, then the gates in
  order, so that whatever can withdraw a conclusion is there before the gate that lets it through;
- it does not match one fact twice in a rule: a conclusion that is asked for and forbidden is counted;
- exceptions in actions vanish: actions catch everything, and a last fact END must fire its rule, else it is an error;
- `delete_state` before anything has fired frees an uninitialised pointer: each ruleset is primed with END;
- an action during which the clock goes on by more than ten seconds (a busy machine, a process that was stopped, a clock
  that was set) is given up in silence, with all that would follow: ours tell it that they began just now;
- over 1,024 live sessions it crashes, and tells sessions apart by a 32-bit hash: one is alive at a time, under a lock,
  and always deleted;
- the default host starts timer threads that call in behind any lock: ours has none;
- rulesets can be neither redefined nor freed: they are named by their digest and shared, and their number is bounded.

Nothing of the user's text goes in: facts are two whole numbers, a key and a value.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import itertools
import json
import math
import os
import sys
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from goodcommission.engine.patterns import Gates, PatternSet, Verdicts, counted_as
from goodcommission.exceptions import EngineError
from goodcommission.packs.model import Match, Pattern

VERSION: Final = "2.0.28"
"""The release that was measured."""
PATTERNS: Final = 28
"""Of one ruleset."""
ANTECEDENTS: Final = 16
"""Of one rule."""
RULESETS: Final = 128
"""Of one process: they are never freed, and one of 28 patterns takes about 1 MB."""

_GATE, _ALL, _ANY, _COUNT, _UNLESS = range(5)
_KINDS: Final = 5
_CONCLUSIONS: Final = _KINDS * PATTERNS
"""The first key of a conclusion; below it are the gates and numbers of the patterns."""
_END: Final = 10_000

Fact = tuple[int, int]
"""A key and a value."""


class TooManyRulesets(EngineError):
    """This process has built as many different rulesets as it may."""


@functools.cache
def available() -> tuple[bool, str]:
    """Whether durable-rules can be used here, and a sentence that says why or why not."""
    if sys.version_info >= (3, 13):
        return False, "durable-rules does not import on Python 3.13 or later."
    try:
        version = importlib.metadata.version("durable_rules")
    except importlib.metadata.PackageNotFoundError:
        return False, "durable-rules is not installed."
    if version != VERSION:
        return False, f"durable-rules {version} is installed; only {VERSION} has been tested."
    try:
        importlib.import_module("durable.engine")
    except Exception as error:  # a broken build fails in many ways
        return False, f"durable-rules {VERSION} is installed but does not import: {error}"
    return True, f"durable-rules {VERSION} is installed."


@dataclass(frozen=True, slots=True)
class _Part:
    """One pattern in its ruleset: what the host counts for it, and what durable-rules looks at."""

    id: str
    gated: bool
    numbers: tuple[tuple[int, tuple[Match, ...]], ...]
    """(kind of number, what is counted)."""
    needs: Mapping[int, int]
    """Kind of number -> how many are needed; under `unless`, one is too many."""
    asks: tuple[int, ...]
    """Keys of conclusions that are antecedents."""
    forbids: tuple[int, ...]
    """Keys of conclusions that are antecedents under `$not`."""
    key: int
    """Of its own conclusion."""


@dataclass(frozen=True, slots=True)
class _Section:
    """The patterns of one ruleset."""

    first: int
    """Position of its first pattern in the pattern set."""
    parts: tuple[_Part, ...]
    keys: Mapping[str, int]
    """Conclusions that are antecedents here, and their keys."""
    name: str
    definition: str


@dataclass(slots=True)
class _Run:
    """What the actions of the session that is alive append to."""

    concluded: list[int]
    asserted: set[int]
    errors: list[BaseException]
    ended: bool = False


class DurableEngine:
    """Works out which patterns are concluded, on durable-rules. Any number of threads may use any number of these."""

    def evaluate(self, patterns: PatternSet, verdicts: Verdicts, gates: Gates) -> frozenset[str]:
        """The ids of the concluded patterns.

        Raises:
            TooManyRulesets: This process has built its fill of rulesets.
            EngineError: durable-rules did not do its work.
        """
        installed, reason = available()
        if not installed:
            raise EngineError(f"The durable-rules engine cannot run: {reason}")
        concluded: set[str] = set()
        conclusions: set[str] = set()
        for section in _sections(patterns):
            facts = self._facts(section, patterns, verdicts, gates, conclusions)
            for index in _process().fire(section, facts):
                pattern = patterns.order[section.first + index]
                concluded.add(pattern.id)
                conclusions.add(pattern.concludes)
        return frozenset(concluded)

    def _facts(
        self,
        section: _Section,
        patterns: PatternSet,
        verdicts: Verdicts,
        gates: Gates,
        conclusions: set[str],
    ) -> list[Fact]:
        """What is asserted, in the order in which `$not` needs it; not what is too little for any rule."""
        earlier = [(key, 1) for name, key in section.keys.items() if name in conclusions]
        counts: list[Fact] = []
        opened: list[Fact] = []
        for index, part in enumerate(section.parts):
            for kind, uses in part.numbers:
                number = _number(kind, uses, patterns, verdicts, conclusions)
                if number >= part.needs[kind]:
                    counts.append((_KINDS * index + kind, number))
            if gates.get(part.id, None if part.gated else True) is True:
                opened.append((_KINDS * index + _GATE, 1))
        return [*earlier, *counts, *opened]


# Counting


def _number(kind: int, uses: Sequence[Match], patterns: PatternSet, verdicts: Verdicts, conclusions: set[str]) -> int:
    """How many of these hold on what is known; under `at_least`, how many groups of them."""
    holding = [use for use in uses if _holds(use, patterns, verdicts, conclusions)]
    if kind == _COUNT:
        return len({counted_as(use, patterns.rule_groups) for use in holding})
    return len(holding)


def _holds(use: Match, patterns: PatternSet, verdicts: Verdicts, conclusions: set[str]) -> bool:
    if use.conclusion is not None:
        return use.conclusion in conclusions
    if use.rule is not None:
        return use.rule in patterns.rule_groups and _verdict(verdicts, use.rule) == use.verdict
    found = {_verdict(verdicts, rule) for rule in patterns.groups.get(use.group or "", ())}
    for verdict in ("fail", "unknown", "pass", "not_applicable"):
        if verdict in found:
            return verdict == use.verdict
    return False


def _verdict(verdicts: Verdicts, rule: str) -> str:
    verdict = verdicts.get(rule, ("unknown", False))[0]
    return "not_applicable" if verdict == "not_yet_due" else verdict


# Rulesets

_cut: weakref.WeakKeyDictionary[PatternSet, tuple[_Section, ...]] = weakref.WeakKeyDictionary()
_cut_lock = threading.Lock()


def _sections(patterns: PatternSet) -> tuple[_Section, ...]:
    """The pattern set cut into rulesets; worked out once."""
    with _cut_lock:
        sections = _cut.get(patterns)
        if sections is None:
            sections = _cut[patterns] = tuple(
                _section(patterns, first, last) for first, last in itertools.pairwise(_cuts(patterns))
            )
        return sections


def _cuts(patterns: PatternSet) -> list[int]:
    """Where rulesets begin: after 28 patterns, or where a conclusion of this ruleset has to be counted by the host."""
    cuts = [0]
    concluded_here: set[str] = set()
    for position, pattern in enumerate(patterns.order):
        counted = {use.conclusion for _, uses in _split(patterns, pattern)[0] for use in uses}
        if position - cuts[-1] == PATTERNS or counted & concluded_here:
            cuts.append(position)
            concluded_here = set()
        concluded_here.add(pattern.concludes)
    if patterns.order:
        cuts.append(len(patterns.order))
    return cuts


def _split(
    patterns: PatternSet, pattern: Pattern
) -> tuple[tuple[tuple[int, tuple[Match, ...]], ...], tuple[str, ...], tuple[str, ...]]:
    """What the host counts for a pattern, and the conclusions that durable-rules joins: asked for, forbidden.

    Conclusions are joined under `all_of` and `unless`, as far as there are antecedents for them; the host counts the
    rest, and those under `any_of` and `at_least`. One that is both asked for and forbidden is counted too, because
    durable-rules does not match one fact twice in a rule: its `$not` would never see it.
    """
    room = ANTECEDENTS - _KINDS
    asked: list[str] = []
    forbidden: list[str] = []
    for uses, joined in ((pattern.all_of, asked), (pattern.unless, forbidden)):
        for use in uses:
            name = use.conclusion
            if name in patterns.conclusions and name is not None and name not in (*asked, *forbidden) and room:
                joined.append(name)
                room -= 1
    numbers = (
        (_ALL, tuple(use for use in pattern.all_of if use.conclusion not in asked)),
        (_ANY, pattern.any_of),
        (_COUNT, pattern.at_least.of if pattern.at_least else ()),
        (_UNLESS, tuple(use for use in pattern.unless if use.conclusion not in forbidden)),
    )
    return tuple((kind, uses) for kind, uses in numbers if uses), tuple(asked), tuple(forbidden)


def _section(patterns: PatternSet, first: int, last: int) -> _Section:
    split = [_split(patterns, pattern) for pattern in patterns.order[first:last]]
    joined = sorted({name for _, asked, forbidden in split for name in (*asked, *forbidden)})
    keys = {name: _CONCLUSIONS + index for index, name in enumerate(joined)}
    parts = []
    for position in range(first, last):
        pattern = patterns.order[position]
        numbers, asked, forbidden = split[position - first]
        needs = {_ANY: 1, _UNLESS: 1}
        if pattern.at_least:  # one more than there are is never reached: a count of any size stays out
            needs[_COUNT] = min(pattern.at_least.count, len(pattern.at_least.of) + 1)
        needs[_ALL] = sum(len(uses) for kind, uses in numbers if kind == _ALL)
        parts.append(
            _Part(
                id=pattern.id,
                gated=pattern.when is not None,
                numbers=numbers,
                needs=needs,
                asks=tuple(keys[name] for name in asked),
                forbids=tuple(keys[name] for name in forbidden),
                key=keys.get(pattern.concludes, 0),
            )
        )
    definition = json.dumps(_definition(parts), separators=(",", ":"))
    digest = hashlib.sha256(definition.encode()).hexdigest()[:32]
    return _Section(first, tuple(parts), keys, f"patterns_{digest}", definition)


def _definition(parts: Sequence[_Part]) -> dict[str, Any]:
    """The ruleset, without its actions."""
    rules: dict[str, Any] = {}
    for index, part in enumerate(parts):
        key = _KINDS * index
        wanted = [_at_least(key + _GATE, 1)]
        wanted += [_at_least(key + kind, part.needs[kind]) for kind, _ in part.numbers if kind != _UNLESS]
        wanted += [_at_least(conclusion, 1) for conclusion in part.asks]
        unwanted = [_at_least(key + kind, 1) for kind, _ in part.numbers if kind == _UNLESS]
        unwanted += [_at_least(conclusion, 1) for conclusion in part.forbids]
        if len(wanted) + len(unwanted) > ANTECEDENTS:
            raise EngineError(f"Pattern {part.id} has more than {ANTECEDENTS} antecedents.")
        antecedents = [{f"m_{number}": test} for number, test in enumerate(wanted)]
        antecedents += [{f"m_{number}$not": test} for number, test in enumerate(unwanted, len(wanted))]
        # the key of the conclusion is part of the name, so that it is part of the digest too
        rules[f"p{index}_c{part.key}"] = {"all": antecedents}
    rules["end"] = {"all": [{"m": _at_least(_END, 1)}]}
    return rules


def _at_least(key: int, value: int) -> dict[str, Any]:
    return {"$and": [{"k": key}, {"$gte": {"n": value}}]}


# The process

_made: list[_Process] = []
_made_lock = threading.Lock()


def _process() -> _Process:
    """The one host of this process, made when it is first needed."""
    with _made_lock:
        if not _made:
            _made.append(_Process())
        return _made[0]


class _Process:
    """Everything that calls durable-rules, which keeps its rulesets in one global table."""

    def __init__(self) -> None:
        engine = importlib.import_module("durable.engine")

        def without_timers(host: Any) -> None:
            """The default host starts two timer threads here."""

        self._host: Any = type("QuietHost", (engine.Host,), {"_run": without_timers})()
        self._not_handled: type[Exception] = engine.MessageNotHandledException
        self._lock = threading.Lock()
        self._built: set[str] = set()
        self._primed: set[str] = set()
        self._sids = itertools.count(1)
        self._run = _Run([], set(), [])
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        # the thread that held the lock does not exist in the child
        self._lock = threading.Lock()

    def fire(self, section: _Section, facts: Sequence[Fact]) -> list[int]:
        """Which patterns of the section fire on these facts, in the order in which they fired."""
        with self._lock:
            if section.name not in self._primed:
                self._prime(section)
            return self._session(section, facts).concluded

    def _prime(self, section: _Section) -> None:
        """Build the ruleset, and let END fire once before anything is deleted."""
        if section.name in self._built:
            raise EngineError("durable-rules could not be made ready for these patterns.")
        if len(self._built) >= RULESETS:
            raise TooManyRulesets(
                f"This process has built {RULESETS} different durable-rules rulesets, which cannot be freed; "
                "a new process can run durable-rules again."
            )
        definition = json.loads(section.definition)
        for index, (rule, part) in enumerate(zip(definition, section.parts, strict=False)):
            definition[rule]["run"] = self._action(index, part.key)
        definition["end"]["run"] = self._end
        self._built.add(section.name)
        try:
            self._host.register_rulesets({section.name: definition})
        except Exception as error:
            raise EngineError(f"durable-rules did not accept a ruleset: {error}") from error
        self._session(section, (), primed=False)
        self._primed.add(section.name)

    def _end(self, context: Any) -> None:
        context._start_time = math.inf  # never too late
        self._run.ended = True

    def _action(self, index: int, key: int) -> Callable[[Any], None]:
        """Append the pattern's index, and assert its conclusion if a rule of the ruleset asks for it."""

        def act(context: Any) -> None:
            run = self._run
            context._start_time = math.inf  # never too late
            try:
                run.concluded.append(index)
                if key and key not in run.asserted:
                    run.asserted.add(key)
                    context.assert_fact({"k": key, "n": 1})
            except BaseException as error:  # durable-rules would swallow it
                run.errors.append(error)

        return act

    def _session(self, section: _Section, facts: Sequence[Fact], primed: bool = True) -> _Run:
        """One session, from the first assertion to the deletion of its state; the lock is held."""
        run = self._run = _Run([], {key for key, _ in facts}, [])
        sid = str(next(self._sids))
        try:
            for key, number in (*facts, (_END, 1)):
                with contextlib.suppress(self._not_handled):  # too small a number for any rule
                    self._host.assert_fact(section.name, {"sid": sid, "k": key, "n": number})
        except BaseException as error:
            if primed:
                with contextlib.suppress(Exception):  # the state may not have come into being
                    self._host.delete_state(section.name, sid)
            if isinstance(error, Exception):
                raise EngineError(f"durable-rules failed: {error}") from error
            raise
        if run.ended or primed:
            self._host.delete_state(section.name, sid)
        for failure in run.errors:
            if isinstance(failure, Exception):
                raise EngineError(f"durable-rules failed in an action: {failure}") from failure
            raise failure
        if not run.ended:
            raise EngineError("durable-rules stopped before the end of the audit: its last rule did not fire.")
        return run
