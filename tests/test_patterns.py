"""Patterns: the reference engine against the definition, written out naively and tried on every possible verdict."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodcommission.engine import patterns as engine
from goodcommission.engine.durable import TooManyRulesets
from goodcommission.engine.patterns import EngineReport, Member, PatternOutcome, compile_patterns, evaluate, run
from goodcommission.exceptions import EngineError, Fault, PackError
from goodcommission.packs.model import Match, Pattern

State = tuple[str, bool]
STATES: tuple[State, ...] = (
    ("pass", False),
    ("fail", False),
    ("unknown", False),
    ("not_applicable", False),
    ("not_yet_due", False),
    ("pass", True),
    ("fail", True),
)
VERDICTS = ("pass", "fail", "not_applicable")


def pattern(id: str, concludes: str, **clauses: Any) -> Pattern:
    return Pattern.model_validate(
        {"id": id, "title": id, "concludes": concludes, "severity": "medium", "why": "for the test", **clauses}
    )


def rule(id: str, verdict: str = "fail") -> dict[str, Any]:
    return {"rule": id, "verdict": verdict}


def group(id: str, verdict: str = "fail") -> dict[str, Any]:
    return {"group": id, "verdict": verdict}


def conclusion(id: str) -> dict[str, Any]:
    return {"conclusion": id}


# The definition, naively


class Definition:
    """One joint choice of verdicts and gates (or what is known), and what follows from it, by recursion."""

    def __init__(
        self,
        patterns: Sequence[Pattern],
        groups: Mapping[str, str | None],
        verdicts: Mapping[str, str],
        gates: Mapping[str, bool | None],
    ) -> None:
        self.patterns, self.groups, self.verdicts, self.gates = patterns, groups, verdicts, gates

    def holds(self, use: Match) -> bool:
        if use.conclusion is not None:
            return any(self.concluded(one) for one in self.patterns if one.concludes == use.conclusion)
        if use.rule is not None:
            return self.verdicts.get(use.rule) == use.verdict
        members = [self.verdicts[rule] for rule, group in self.groups.items() if group == use.group]
        if not members:
            return False
        for verdict in ("fail", "unknown", "pass"):
            if verdict in members:
                return use.verdict == verdict
        return use.verdict == "not_applicable"

    def concluded(self, one: Pattern) -> bool:
        if not (True if one.when is None else self.gates.get(one.id)):
            return False
        if one.at_least:
            counted = set()
            for use in one.at_least.of:
                if self.holds(use):
                    own = self.groups.get(use.rule) if use.rule else use.group
                    counted.add(("group", own) if own else ("itself", use.rule or use.conclusion))
            if len(counted) < one.at_least.count:
                return False
        return (
            all(map(self.holds, one.all_of))
            and (not one.any_of or any(map(self.holds, one.any_of)))
            and not any(map(self.holds, one.unless))
        )


def choices(
    patterns: Sequence[Pattern], states: Mapping[str, State], gates: Mapping[str, bool | None]
) -> Iterator[tuple[dict[str, str], dict[str, bool]]]:
    """Every joint choice that is still possible."""
    domains = []
    for verdict, provisional in states.values():
        if verdict == "unknown":
            domains.append(("pass", "fail", "not_applicable"))
        elif provisional:
            domains.append(("pass", "fail"))
        else:
            domains.append(("not_applicable" if verdict == "not_yet_due" else verdict,))
    gated = [one.id for one in patterns if one.when is not None]
    either = [(True, False) if gates.get(id) is None else (gates[id],) for id in gated]
    for verdicts in itertools.product(*domains):
        for values in itertools.product(*either):
            yield dict(zip(states, verdicts, strict=True)), dict(zip(gated, values, strict=True))


def defined(
    patterns: Sequence[Pattern],
    groups: Mapping[str, str | None],
    states: Mapping[str, State],
    gates: Mapping[str, bool | None],
) -> dict[str, str]:
    """The outcome of each pattern, by trying everything."""
    known = {id: "not_applicable" if verdict == "not_yet_due" else verdict for id, (verdict, _) in states.items()}
    now = Definition(patterns, groups, known, gates)
    outcomes = {one.id: "concluded" if now.concluded(one) else "excluded" for one in patterns}
    for verdicts, opened in choices(patterns, states, gates):
        world = Definition(patterns, groups, verdicts, opened)
        for one in patterns:
            if outcomes[one.id] == "excluded" and world.concluded(one):
                outcomes[one.id] = "open"
    return outcomes


def outcomes_of(outcomes: Sequence[PatternOutcome]) -> dict[str, str]:
    return {one.id: one.outcome for one in outcomes}


def test_every_small_chain_on_every_state() -> None:
    """Two rules, two patterns, the second resting on the first, each with and without `unless`: 288 sets, 49 states."""
    rules = {"A-1": None, "B-1": None}
    literals = [rule("A-1", "pass"), rule("A-1", "fail"), rule("B-1", "fail"), rule("B-1", "not_applicable")]
    first = [
        {"all_of": [asked], **({"unless": [taken]} if taken else {})}
        for asked in literals[:3]
        for taken in (None, *literals[1:])
    ]
    c1 = conclusion("risk.one")
    second = [
        {clause: of, **({"unless": [taken]} if taken else {})}
        for clause, of in (
            ("all_of", [c1, literals[0]]),
            ("any_of", [c1, literals[1]]),
            ("at_least", {"count": 2, "of": [c1, literals[0], literals[1], literals[3]]}),
            ("all_of", [literals[2]]),
        )
        for taken in (None, c1, *literals)
    ]
    for one, two in itertools.product(first, second):
        patterns = [pattern("X-1", "risk.one", **one), pattern("X-2", "risk.two", **two)]
        compiled = compile_patterns(patterns, rules)
        for a, b in itertools.product(STATES, STATES):
            states = {"A-1": a, "B-1": b}
            assert outcomes_of(evaluate(compiled, states, {})) == defined(patterns, rules, states, {}), (
                one,
                two,
                states,
            )


def test_every_mix_of_a_group_and_its_member_on_every_state() -> None:
    """A group of two, asked for beside its members, in both directions: 294 sets, 49 states."""
    rules = {"A-1": "g", "B-1": "g"}
    literals = [*(rule("A-1", verdict) for verdict in VERDICTS), *(group("g", verdict) for verdict in VERDICTS)]
    for first, second, taken in itertools.product(literals, (None, *literals), (None, *literals)):
        clauses = {"all_of": [one for one in (first, second) if one], "unless": [taken] if taken else []}
        patterns = [pattern("X-1", "risk.one", **clauses)]
        compiled = compile_patterns(patterns, rules)
        for a, b in itertools.product(STATES, STATES):
            states = {"A-1": a, "B-1": b}
            assert outcomes_of(evaluate(compiled, states, {})) == defined(patterns, rules, states, {}), (
                clauses,
                states,
            )


# Drawn sets

RULES = tuple(f"R-{number}" for number in range(1, 6))
GROUPS = ("ga", "gb")


@st.composite
def drawn_sets(draw: st.DrawFn) -> tuple[list[Pattern], dict[str, str | None]]:
    """Up to five patterns; each may rest on earlier ones; some rules and conclusions are not loaded."""
    groups = {id: draw(st.sampled_from((None, None, *GROUPS))) for id in RULES[:4]}
    patterns: list[Pattern] = []
    for number in range(draw(st.integers(1, 5))):
        own = f"risk.c{draw(st.integers(0, number))}"
        earlier = sorted({one.concludes for one in patterns} - {own} | {"risk.unreached"})
        # a conclusion shared with an earlier pattern must not be one that this one rests on, directly or not
        if any(one.concludes == own for one in patterns):
            earlier = ["risk.unreached"]
        literal = st.one_of(
            st.builds(rule, st.sampled_from(RULES), st.sampled_from(VERDICTS)),
            st.builds(group, st.sampled_from(GROUPS), st.sampled_from(VERDICTS)),
            st.builds(conclusion, st.sampled_from(earlier)),
            st.builds(conclusion, st.sampled_from(earlier)),
        )
        some = st.lists(literal, min_size=1, max_size=3)
        clauses: dict[str, Any] = {}
        kinds = draw(st.sets(st.sampled_from(("all_of", "any_of", "at_least")), min_size=1, max_size=2))
        for kind in sorted(kinds):
            clauses[kind] = draw(some)
        if "at_least" in clauses:
            clauses["at_least"] = {"count": draw(st.integers(1, 3)), "of": clauses["at_least"] + draw(some)}
        if draw(st.booleans()):
            clauses["unless"] = draw(some)
        if draw(st.integers(0, 3)) == 0:
            clauses["when"] = "true"
        patterns.append(pattern(f"X-{draw(st.integers(0, 9))}{number}", own, **clauses))
    return patterns, groups


drawn_states = st.tuples(*(st.sampled_from(STATES) for _ in RULES[:4])).map(
    lambda states: dict(zip(RULES[:4], states, strict=True))
)
mostly_unknown = st.tuples(*(st.sampled_from((*STATES, *[("unknown", False)] * 6)) for _ in RULES[:4])).map(
    lambda states: dict(zip(RULES[:4], states, strict=True))
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn_sets(), st.lists(st.one_of(drawn_states, mostly_unknown), min_size=3, max_size=3), st.randoms())
def test_drawn_sets_are_as_defined_in_any_order(
    drawn: tuple[list[Pattern], dict[str, str | None]], audits: list[dict[str, State]], chance: random.Random
) -> None:
    patterns, groups = drawn
    shuffled = chance.sample(patterns, len(patterns))
    compiled, again = compile_patterns(patterns, groups), compile_patterns(shuffled, groups)
    assert [one.id for one in compiled.order] == [one.id for one in again.order]
    for states in audits:
        gates = {one.id: chance.choice((True, True, False, None)) for one in patterns if one.when is not None}
        outcomes = evaluate(compiled, states, gates)
        assert outcomes == evaluate(again, dict(reversed(states.items())), gates)
        assert outcomes_of(outcomes) == defined(patterns, groups, states, gates)
        known = {id: "not_applicable" if verdict == "not_yet_due" else verdict for id, (verdict, _) in states.items()}
        now = Definition(patterns, groups, known, gates)
        for one, outcome in zip(compiled.order, outcomes, strict=True):
            of = one.at_least.of if one.at_least else ()
            holding = {as_member(use) for use in (*one.all_of, *one.any_of, *of) if now.holds(use)}
            assert set(outcome.satisfied) == holding
            assert set(outcome.withdrawn_by) == {as_member(use) for use in one.unless if now.holds(use)}
            if outcome.outcome == "open" and outcome.gate is not None:
                assert outcome.undecided, "something must settle it"


def as_member(use: Match) -> Member:
    kind = "rule" if use.rule else "group" if use.group else "conclusion"
    return Member(kind, use.rule or use.group or use.conclusion or "", use.verdict)


# What is told


def tell(
    compiled: engine.PatternSet, gates: Mapping[str, bool | None] | None = None, **verdicts: str
) -> PatternOutcome:
    """The last pattern's outcome; A_1="fail?" is a provisional fail."""
    states = {id.replace("_", "-"): (value.rstrip("?"), value.endswith("?")) for id, value in verdicts.items()}
    return evaluate(compiled, states, gates or {})[-1]  # type: ignore[arg-type]


def names(members: Sequence[Member]) -> list[str]:
    return [str(member) for member in members]


def test_derivation_is_told_sorted() -> None:
    compiled = compile_patterns(
        [
            pattern(
                "X-1",
                "risk.bar",
                at_least={"count": 2, "of": [rule("B-2"), group("size"), rule("A-1"), rule("C-3")]},
                unless=[rule("D-4", "pass"), rule("E-5", "pass")],
            )
        ],
        {"A-1": None, "B-2": None, "C-3": "size", "D-4": None, "E-5": None},
    )
    told = tell(compiled, A_1="fail", B_2="fail?", C_3="fail", D_4="unknown", E_5="fail")
    assert told.outcome == "concluded"
    assert names(told.satisfied) == ["A-1: fail", "B-2: fail", "C-3: fail", "group size: fail"]
    assert names(told.provisional) == ["B-2: fail"]
    assert names(told.would_be_withdrawn_by) == ["D-4: pass"]
    assert told.undecided == () and told.withdrawn_by == () and told.gate is True
    told = tell(compiled, A_1="fail", B_2="fail", C_3="fail", D_4="pass", E_5="fail")
    assert (told.outcome, names(told.withdrawn_by)) == ("excluded", ["D-4: pass"])
    told = tell(compiled, A_1="fail", B_2="unknown", C_3="pass", D_4="unknown", E_5="fail")
    assert (told.outcome, names(told.undecided)) == ("open", ["B-2: fail", "D-4: pass"])


def test_a_provisional_withdrawal_leaves_it_open() -> None:
    compiled = compile_patterns(
        [pattern("X-1", "risk.a", all_of=[rule("A-1")], unless=[rule("B-1", "pass")])], {"A-1": None, "B-1": None}
    )
    told = tell(compiled, A_1="fail", B_1="pass?")
    assert (told.outcome, names(told.withdrawn_by), names(told.undecided)) == ("open", ["B-1: pass"], ["B-1: pass"])


def test_groups_count_once() -> None:
    groups = {"A-1": "g", "A-2": "g", "A-3": None, "A-4": "h"}
    compiled = compile_patterns(
        [pattern("X-1", "risk.a", at_least={"count": 2, "of": [rule("A-1"), rule("A-2"), group("g"), rule("A-3")]})],
        groups,
    )
    assert tell(compiled, A_1="fail", A_2="fail", A_3="pass").outcome == "excluded"
    assert tell(compiled, A_1="fail", A_2="pass", A_3="fail").outcome == "concluded"
    assert tell(compiled, A_1="unknown", A_2="pass", A_3="fail").outcome == "open"
    of_two = [rule("A-1"), rule("A-2"), rule("A-4"), rule("A-5")]
    compiled = compile_patterns([pattern("X-1", "risk.a", at_least={"count": 2, "of": of_two})], {**groups, "A-5": "h"})
    assert tell(compiled, A_1="fail", A_2="fail", A_4="pass", A_5="pass").outcome == "excluded"
    assert tell(compiled, A_1="fail", A_2="fail", A_4="fail", A_5="pass").outcome == "concluded"


@pytest.mark.parametrize(
    ("members", "verdict", "expected"),
    [
        (("fail", "unknown"), "fail", "concluded"),
        (("pass", "unknown"), "fail", "open"),
        (("pass", "unknown"), "pass", "open"),
        (("pass", "not_yet_due"), "pass", "concluded"),
        (("not_applicable", "not_yet_due"), "not_applicable", "concluded"),
        (("not_applicable", "unknown"), "not_applicable", "open"),
        (("pass", "unknown"), "not_applicable", "excluded"),
        (("fail", "unknown"), "pass", "excluded"),
        (("fail?", "pass"), "pass", "open"),
        (("fail?", "pass"), "fail", "concluded, provisionally"),
        (("fail", "pass?"), "fail", "concluded"),
        (("pass", "pass"), "pass", "concluded"),
        (("pass", "not_applicable"), "pass", "concluded"),
        (("pass?", "pass"), "pass", "concluded, provisionally"),
        (("not_applicable", "pass?"), "pass", "concluded, provisionally"),
        (("not_applicable", "not_applicable"), "not_applicable", "concluded"),
        (("not_applicable", "not_applicable"), "pass", "excluded"),
        (("not_applicable", "not_applicable"), "fail", "excluded"),
    ],
)
def test_group_verdicts(members: tuple[str, str], verdict: str, expected: str) -> None:
    compiled = compile_patterns([pattern("X-1", "risk.a", all_of=[group("g", verdict)])], {"A-1": "g", "A-2": "g"})
    told = tell(compiled, A_1=members[0], A_2=members[1])
    assert told.outcome + (", provisionally" if told.provisional else "") == expected


@pytest.mark.parametrize(
    ("severity", "raised", "lowered", "shown"),
    [
        ("low", "fail", "pass", "medium"),
        ("medium", "fail", "pass", "high"),
        ("high", "fail", "pass", "high"),
        ("high", "pass", "fail", "medium"),
        ("low", "pass", "fail", "low"),
        ("medium", "fail", "fail", "medium"),
        ("medium", "unknown", "unknown", "medium"),
        ("positive", "fail", "pass", "positive"),
        ("positive", "pass", "fail", "positive"),
        ("medium", "pass", "fail", "low"),
    ],
)
def test_severity_steps(severity: str, raised: str, lowered: str, shown: str) -> None:
    one = pattern(
        "X-1",
        "risk.a",
        severity=severity,
        all_of=[rule("A-1")],
        raised_by=[rule("B-1")],
        lowered_by=[rule("B-2")],
    )
    told = tell(compile_patterns([one], dict.fromkeys(("A-1", "B-1", "B-2"))), A_1="fail", B_1=raised, B_2=lowered)
    assert (told.outcome, told.severity) == ("concluded", shown)
    assert bool(told.raised_by) == (raised == "fail") and bool(told.lowered_by) == (lowered == "fail")


def test_gates() -> None:
    compiled = compile_patterns([pattern("X-1", "risk.a", when="true", all_of=[rule("A-1")])], {"A-1": None})
    for gate, outcome in ((True, "concluded"), (False, "excluded"), (None, "open")):
        told = tell(compiled, {"X-1": gate}, A_1="fail")
        assert (told.outcome, told.gate) == (outcome, gate)
    assert tell(compiled, {}, A_1="fail").outcome == "open"


def test_not_loaded_is_not_checked() -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", all_of=[rule("A-1"), rule("Z-9")]),
            pattern(
                "X-2",
                "risk.b",
                any_of=[rule("A-1"), group("nowhere"), conclusion("risk.unreached")],
                unless=[rule("Z-9", "pass")],
            ),
        ],
        {"A-1": None},
    )
    first, second = evaluate(compiled, {"A-1": ("fail", False)}, {})
    assert (first.outcome, names(first.not_checked)) == ("excluded", ["Z-9: fail"])
    assert second.outcome == "concluded" and second.would_be_withdrawn_by == ()
    assert names(second.not_checked) == ["Z-9: pass", "group nowhere: fail", "risk.unreached"]


def test_what_can_not_be_checked_at_all_is_never_concluded() -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", all_of=[rule("A-1")], any_of=[rule("Z-9")]),
            pattern("X-2", "risk.b", all_of=[rule("A-1")], at_least={"count": 1, "of": [rule("Z-8"), rule("Z-9")]}),
            pattern("X-3", "risk.c", at_least={"count": 2, "of": [rule("A-1"), rule("Z-9")]}),
        ],
        {"A-1": None},
    )
    for state in STATES:
        assert {one.outcome for one in evaluate(compiled, {"A-1": state}, {})} == {"excluded"}


def test_a_loaded_rule_without_a_verdict_is_unknown() -> None:
    compiled = compile_patterns([pattern("X-1", "risk.a", all_of=[rule("A-1")])], {"A-1": None})
    assert evaluate(compiled, {}, {})[0].outcome == "open"


def test_either_of_two_patterns_reaches_a_conclusion() -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", all_of=[rule("A-1")]),
            pattern("X-2", "risk.a", all_of=[rule("A-2")]),
            pattern("X-3", "risk.b", all_of=[conclusion("risk.a")]),
        ],
        {"A-1": None, "A-2": None},
    )
    assert tell(compiled, A_1="pass", A_2="fail").outcome == "concluded"
    assert tell(compiled, A_1="pass", A_2="unknown").outcome == "open"
    assert tell(compiled, A_1="pass", A_2="pass").outcome == "excluded"


def test_one_rule_cannot_fail_here_and_pass_there() -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", all_of=[rule("A-1")]),
            pattern("X-2", "risk.b", all_of=[conclusion("risk.a"), rule("A-1", "pass")]),
        ],
        {"A-1": None},
    )
    assert [one.outcome for one in evaluate(compiled, {"A-1": ("unknown", False)}, {})] == ["open", "excluded"]


def test_what_is_beyond_the_budget_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pattern("X-1", "risk.a", all_of=[rule("A-1"), rule("B-1")], any_of=[rule("A-1", "pass"), rule("B-1", "pass")])
    compiled = compile_patterns([one], {"A-1": None, "B-1": None})
    assert tell(compiled, A_1="unknown", B_1="unknown").outcome == "excluded"
    monkeypatch.setattr(engine, "LOOKS", 0)
    assert tell(compiled, A_1="unknown", B_1="unknown").outcome == "open"


def test_the_worst_case_is_bounded() -> None:
    """Thirteen of 24 must fail, but not twelve: never so, and no early choice shows it."""
    ids = [f"A-{number}" for number in range(1, 25)]
    one = pattern(
        "X-1",
        "risk.a",
        at_least={"count": 13, "of": [rule(id) for id in ids]},
        unless=[conclusion("risk.b")],
    )
    other = pattern("X-0", "risk.b", at_least={"count": 12, "of": [rule(id) for id in ids]})
    compiled = compile_patterns([one, other], dict.fromkeys(ids))
    began = time.perf_counter()
    assert tell(compiled, **{id.replace("-", "_"): "unknown" for id in ids}).outcome == "open"
    assert time.perf_counter() - began < 2


A, B, C = rule("A-1"), rule("B-1"), rule("C-1")
RISK = [conclusion(f"risk.{letter}") for letter in "abc"]
GATED = [pattern("X-1", "risk.a", when="true", all_of=[A])]
BOTH_GATED = [*GATED, pattern("X-2", "risk.b", when="true", all_of=[B])]
PULLED_TWO_WAYS: dict[str, list[Pattern]] = {
    "a gate is true and false": [
        *GATED,
        pattern("X-2", "risk.b", all_of=[RISK[0]]),
        pattern("X-3", "risk.c", all_of=[RISK[1]], unless=[RISK[0]]),
    ],
    "only without the gate": [
        *GATED,
        pattern("X-2", "risk.b", all_of=[RISK[0]]),
        pattern("X-3", "risk.c", any_of=[RISK[1], C], unless=[RISK[0]]),
    ],
    "only with the gate": [
        *GATED,
        pattern("X-2", "risk.b", all_of=[RISK[0], B]),
        pattern("X-3", "risk.c", at_least={"count": 1, "of": [RISK[0], C]}, unless=[RISK[1]]),
    ],
    "one gate of two": [
        *BOTH_GATED,
        pattern("X-3", "risk.c", all_of=RISK[:2]),
        pattern("X-4", "risk.d", at_least={"count": 1, "of": RISK[:2]}, unless=[RISK[2]]),
    ],
    "both gates and not both": [
        *BOTH_GATED,
        pattern("X-3", "risk.c", any_of=RISK[:2]),
        pattern("X-4", "risk.d", at_least={"count": 2, "of": RISK[:2]}, unless=[RISK[2]]),
    ],
    "a gate and a rule": [
        *GATED,
        pattern("X-2", "risk.b", all_of=[RISK[0]], any_of=[B, rule("B-1", "pass")]),
        pattern("X-3", "risk.c", any_of=[RISK[0], B], unless=[RISK[1], rule("B-1", "not_applicable")]),
    ],
    "two of three and not the first two": [
        pattern("X-1", "risk.a", all_of=[A, B]),
        pattern("X-2", "risk.b", at_least={"count": 2, "of": [A, B, C]}, unless=[RISK[0]]),
    ],
    "neither passed nor failed": [pattern("X-1", "risk.a", all_of=[C], unless=[A, rule("A-1", "pass")])],
    "passed or failed is sure": [
        pattern("X-1", "risk.a", any_of=[B, rule("B-1", "pass")]),
        pattern("X-2", "risk.b", all_of=[A], unless=[RISK[0]]),
    ],
    "neither gate, and either": [
        *BOTH_GATED,
        pattern("X-3", "risk.c", all_of=RISK[:2]),
        pattern("X-4", "risk.d", any_of=RISK[:2]),
        pattern("X-5", "risk.e", any_of=[C, rule("C-1", "pass")], unless=RISK[:2]),
        pattern(
            "X-6", "risk.f", all_of=[conclusion("risk.d")], any_of=[RISK[2], conclusion("risk.e")], unless=[RISK[2]]
        ),
    ],
    "passed and failed": [pattern("X-1", "risk.a", all_of=[rule("A-1", "pass"), A])],
    "passed and not applicable": [
        pattern("X-1", "risk.a", all_of=[rule("A-1", "pass"), rule("A-1", "not_applicable")])
    ],
    "failed and not applicable": [pattern("X-1", "risk.a", all_of=[A, rule("A-1", "not_applicable")])],
    "the first rule withdraws": [
        pattern("X-1", "risk.a", all_of=[C], any_of=[B, rule("B-1", "pass")], unless=[rule("A-1", "pass")])
    ],
    "a group does not apply": [
        pattern("X-1", "risk.a", any_of=[A, rule("A-1", "pass")]),
        pattern("X-2", "risk.b", all_of=[group("g", "not_applicable")], any_of=[A, rule("A-1", "pass")]),
    ],
    "a group may not apply": [pattern("X-1", "risk.a", all_of=[A], unless=[group("g", "not_applicable")])],
    "a group is not passed, and its members are": [
        pattern(
            "X-1",
            "risk.a",
            all_of=[rule("B-1", "not_applicable"), rule("C-1", "pass")],
            unless=[group("g", "pass")],
        )
    ],
    "one of a group is passed and the group is not": [
        pattern("X-1", "risk.a", all_of=[rule("B-1", "pass"), A], unless=[group("g", "pass")])
    ],
    "a group is passed and one of it is not": [
        pattern("X-1", "risk.a", all_of=[group("g", "pass"), rule("B-1", "not_applicable")], unless=[A])
    ],
    "what is not checked comes first": [
        pattern("X-1", "risk.a", all_of=[A]),
        pattern("X-2", "risk.b", any_of=[rule("Z-9"), RISK[0]], unless=[rule("Z-9", "pass"), A]),
    ],
}


NEVER = {
    "a gate is true and false",
    "both gates and not both",
    "neither gate, and either",
    "passed and failed",
    "passed and not applicable",
    "failed and not applicable",
    "a group is not passed, and its members are",
    "what is not checked comes first",
}


@pytest.mark.parametrize("name", PULLED_TWO_WAYS)
def test_what_is_pulled_two_ways_is_as_defined(name: str) -> None:
    patterns = PULLED_TWO_WAYS[name]
    rules = {"A-1": None, "B-1": "g", "C-1": "g"}
    compiled = compile_patterns(patterns, rules)
    gated = [one.id for one in patterns if one.when is not None]
    seen = set()
    for states in itertools.product(STATES[:4] + STATES[-1:] if gated else STATES, repeat=3):
        for opened in itertools.product((True, False, None), repeat=len(gated)):
            given = dict(zip(rules, states, strict=True)), dict(zip(gated, opened, strict=True))
            outcomes = outcomes_of(evaluate(compiled, *given))
            assert outcomes == defined(patterns, rules, *given), given
            seen.add(outcomes[patterns[-1].id])
    never = name in NEVER
    assert seen == ({"excluded"} if never else {"excluded", "open", "concluded"})


@pytest.mark.parametrize(
    ("states", "gate", "outcome", "provisional", "undecided", "could_withdraw"),
    [
        ("fail fail pass", True, "concluded", [], [], []),
        ("fail? fail pass", True, "concluded", ["risk.a"], [], []),
        ("fail fail? pass", True, "concluded", ["B-1: fail"], [], []),
        ("fail fail unknown", True, "concluded", [], [], ["risk.c"]),
        ("fail fail? pass?", True, "concluded", ["B-1: fail"], [], ["risk.c"]),
        ("fail fail pass", None, "open", [], ["risk.a"], []),
        ("fail fail fail?", True, "open", [], ["risk.c"], []),
        ("fail unknown fail?", None, "open", [], ["B-1: fail", "risk.a", "risk.c"], []),
        ("unknown fail pass", True, "open", [], ["risk.a"], []),
        ("fail fail pass", False, "excluded", [], [], []),
        ("fail fail fail", True, "excluded", [], [], []),
    ],
)
def test_what_is_told_of_conclusions(
    states: str,
    gate: bool | None,
    outcome: str,
    provisional: list[str],
    undecided: list[str],
    could_withdraw: list[str],
) -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", when="true", all_of=[A]),
            pattern("X-0", "risk.c", all_of=[C]),
            pattern("X-2", "risk.b", all_of=[RISK[0], B], unless=[RISK[2]]),
        ],
        dict.fromkeys(("A-1", "B-1", "C-1")),
    )
    told = tell(compiled, {"X-1": gate}, **dict(zip(("A_1", "B_1", "C_1"), states.split(), strict=True)))
    assert told.outcome == outcome
    assert names(told.provisional) == provisional
    assert names(told.undecided) == undecided
    assert names(told.would_be_withdrawn_by) == could_withdraw
    assert (told.id, told.concludes) == ("X-2", "risk.b")


def test_members_are_told_in_one_order() -> None:
    asked = [rule(f"Z-{number}", verdict) for number in range(8, 0, -1) for verdict in VERDICTS]
    compiled = compile_patterns([pattern("X-1", "risk.a", any_of=[A, *asked])], {"A-1": None})
    assert names(tell(compiled, A_1="pass").not_checked) == [
        f"Z-{number}: {verdict}" for number in range(1, 9) for verdict in ("fail", "not applicable", "pass")
    ]


# Order and errors


def test_order_is_topological_and_by_id() -> None:
    patterns = [
        pattern("X-1", "risk.last", all_of=[conclusion("risk.middle")]),
        pattern("X-2", "risk.middle", any_of=[conclusion("risk.first"), rule("A-1")]),
        pattern("X-9", "risk.first", all_of=[rule("A-1")]),
        pattern("X-5", "risk.alone", all_of=[rule("A-1")]),
    ]
    for shuffled in itertools.permutations(patterns):
        assert [one.id for one in compile_patterns(shuffled, {}).order] == ["X-5", "X-9", "X-2", "X-1"]


@pytest.mark.parametrize("clause", ["all_of", "any_of", "at_least", "unless", "raised_by", "lowered_by"])
def test_a_circle_is_an_error(clause: str) -> None:
    back: dict[str, Any] = {clause: [conclusion("risk.c")]}
    if clause == "at_least":
        back = {"at_least": {"count": 1, "of": [conclusion("risk.c")]}}
    if clause in ("unless", "raised_by", "lowered_by"):
        back["all_of"] = [rule("A-1")]
    patterns = [
        pattern("X-1", "risk.a", **back),
        pattern("X-2", "risk.b", all_of=[conclusion("risk.a")]),
        pattern("X-3", "risk.c", all_of=[conclusion("risk.b")]),
        pattern("X-0", "risk.d", all_of=[conclusion("risk.c")]),
    ]
    with pytest.raises(PackError) as error:
        compile_patterns(patterns, {"A-1": None})
    assert "X-1 (risk.a) rests on X-3 (risk.c) rests on X-2 (risk.b) rests on X-1 (risk.a)" in str(error.value)
    assert "X-0" not in str(error.value)


def test_a_pattern_cannot_rest_on_itself() -> None:
    with pytest.raises(PackError, match=r"X-1 \(risk.a\) rests on X-1 \(risk.a\)"):
        compile_patterns([pattern("X-1", "risk.a", any_of=[conclusion("risk.a"), rule("A-1")])], {})


def test_ids_must_differ() -> None:
    one = pattern("X-1", "risk.a", all_of=[rule("A-1")])
    with pytest.raises(PackError, match="X-1"):
        compile_patterns([one, one], {})


def test_no_patterns() -> None:
    compiled = compile_patterns([], {"A-1": None})
    assert evaluate(compiled, {}, {}) == ()


# Which engine ran


def test_the_reference_when_asked_for() -> None:
    outcomes, report = run(compile_patterns([], {}), {}, {}, "reference")
    assert (outcomes, report.name, report.differences) == ((), "reference", ())


def test_without_durable_rules_auto_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodcommission.engine.durable.available", lambda: (False, "durable-rules is not installed."))
    compiled = compile_patterns([pattern("X-1", "risk.a", all_of=[rule("A-1")])], {"A-1": None})
    outcomes, report = run(compiled, {"A-1": ("fail", False)}, {}, "auto")
    assert outcomes_of(outcomes) == {"X-1": "concluded"}
    assert (report.name, report.reason) == ("reference", "durable-rules is not installed.")
    with pytest.raises(EngineError, match=r"pip install 'goodcommission\[durable\]'"):
        run(compiled, {"A-1": ("fail", False)}, {}, "durable")


class Concluding:
    """Stands in for durable-rules, and concludes what it is told to or fails."""

    def __init__(self, answer: frozenset[str] | Exception) -> None:
        self.answer = answer

    def __call__(self) -> Concluding:
        return self

    def evaluate(self, *given: Any) -> frozenset[str]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ran(
    monkeypatch: pytest.MonkeyPatch, asked: Any, answer: frozenset[str] | Exception
) -> tuple[dict[str, str], EngineReport]:
    monkeypatch.setattr("goodcommission.engine.durable.available", lambda: (True, "It is installed."))
    monkeypatch.setattr("goodcommission.engine.durable.DurableEngine", Concluding(answer))
    patterns = [pattern("X-1", "risk.a", all_of=[rule("A-1")]), pattern("X-2", "risk.b", all_of=[rule("A-2")])]
    verdicts: Any = {"A-1": ("fail", False), "A-2": ("pass", False)}
    outcomes, report = run(compile_patterns(patterns, dict.fromkeys(("A-1", "A-2"))), verdicts, {}, asked)
    return outcomes_of(outcomes), report


def test_the_report_says_which_engine_ran_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    right = {"X-1": "concluded", "X-2": "excluded"}
    agreeing = frozenset({"X-1"})
    for asked, expected in (
        ("reference", EngineReport("reference", "The reference engine was asked for.")),
        ("auto", EngineReport("durable", "It is installed.")),
        ("durable", EngineReport("durable", "It was asked for.")),
    ):
        assert ran(monkeypatch, asked, agreeing) == (right, expected)


def test_the_reference_stands_and_differences_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes, report = ran(monkeypatch, "auto", frozenset({"X-2"}))
    assert outcomes == {"X-1": "concluded", "X-2": "excluded"}
    assert report.differences == (
        "X-1: the reference says concluded, durable-rules says not concluded.",
        "X-2: the reference says excluded, durable-rules says concluded.",
    )


def test_an_engine_that_fails_is_told_and_never_passed_over_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for error, differences in (
        (EngineError(Fault("It broke."), Fault("And more.")), ("It broke.",)),
        (TooManyRulesets(Fault("There are too many.")), ()),
    ):
        message = error.faults[0].message
        _, report = ran(monkeypatch, "auto", error)
        assert report == EngineReport("reference", message, differences)
        with pytest.raises(EngineError) as caught:
            ran(monkeypatch, "durable", error)
        assert caught.value is error


def test_what_can_not_run_is_told_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineError) as caught:
        ran(monkeypatch, "fastest", frozenset())
    assert caught.value.faults == (Fault('there is no engine "fastest"; there are auto, durable, reference'),)
    monkeypatch.setattr("goodcommission.engine.durable.available", lambda: (False, "It is not here."))
    with pytest.raises(EngineError) as caught:
        run(compile_patterns([], {}), {}, {}, "durable")
    assert caught.value.faults == (
        Fault(
            "The durable-rules engine cannot run: It is not here.",
            suggestion="Install it with `pip install 'goodcommission[durable]'` (Python 3.11 or 3.12, needs a C "
            "compiler), or use `--engine reference`.",
        ),
    )
    assert run(compile_patterns([], {}), {}, {})[1] == EngineReport("reference", "It is not here.")


def test_faults_of_patterns_are_told_in_full() -> None:
    with pytest.raises(PackError) as caught:
        compile_patterns([pattern("X-1", "risk.a", any_of=[conclusion("risk.a")])], {})
    assert caught.value.faults == (
        Fault(
            "Patterns rest on each other in a circle: X-1 (risk.a) rests on X-1 (risk.a).",
            suggestion="Take one of these conclusions out of the clauses of the pattern that uses it.",
        ),
    )
    one, two = (pattern(id, "risk.a", all_of=[rule("A-1")]) for id in ("X-1", "X-2"))
    with pytest.raises(PackError) as caught:
        compile_patterns([two, one, two, one, one], {})
    assert [fault.message for fault in caught.value.faults] == [
        "Two patterns have the id X-1; ids must differ.",
        "Two patterns have the id X-2; ids must differ.",
    ]


def test_members_are_written_in_words() -> None:
    assert str(Member("rule", "A-1", "not_applicable")) == "A-1: not applicable"
    assert str(Member("group", "size", "fail")) == "group size: fail"
    assert str(Member("conclusion", "risk.a")) == "risk.a"


def test_a_set_knows_its_rules_groups_and_conclusions() -> None:
    patterns = [pattern(id, "risk.a", all_of=[rule("A-1")]) for id in ("X-1", "X-2")]
    compiled = compile_patterns(patterns, {"A-1": None, "B-2": "size", "B-1": "size"})
    assert dict(compiled.rule_groups) == {"A-1": None, "B-2": "size", "B-1": "size"}
    assert dict(compiled.groups) == {"size": ("B-1", "B-2")}
    assert dict(compiled.conclusions) == {"risk.a": (0, 1)}


def test_what_a_literal_counts_as() -> None:
    groups = {"A-1": None, "B-1": "size"}
    for use, counts_as in (
        (rule("A-1"), ("rule", "A-1")),
        (rule("B-1"), ("group", "size")),
        (group("size"), ("group", "size")),
        (conclusion("risk.a"), ("conclusion", "risk.a")),
    ):
        assert engine.counted_as(Match.model_validate(use), groups) == counts_as
