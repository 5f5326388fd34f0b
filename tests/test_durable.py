"""durable-rules agrees with the reference engine, whatever the patterns, order or threads; and says when it fails.

GOODCOMMISSION_SOAK=10 draws ten times as many pattern sets.
"""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodcommission.engine import durable
from goodcommission.engine.durable import DurableEngine, Fact, TooManyRulesets, available
from goodcommission.engine.patterns import PatternSet, compile_patterns, evaluate, run
from goodcommission.exceptions import EngineError
from goodcommission.packs.model import Pattern

INSTALLED, WHY_NOT = available()
needs_durable = pytest.mark.skipif(not INSTALLED, reason=WHY_NOT)
# durable-rules itself calls datetime.utcfromtimestamp
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")

SOAK = int(os.environ.get("GOODCOMMISSION_SOAK", "1"))
RULES = tuple(f"R-{number}" for number in range(1, 21))
GROUPS: dict[str, str | None] = {id: f"g{index % 3}" if index < 9 else None for index, id in enumerate(RULES[:-1])}
"""The last rule is not loaded."""
STATES = (
    *[("fail", False)] * 5,
    *[("pass", False)] * 4,
    *[("unknown", False)] * 2,
    ("fail", True),
    ("pass", True),
    ("not_applicable", False),
    ("not_yet_due", False),
)


def pattern(id: str, concludes: str, **clauses: Any) -> Pattern:
    return Pattern.model_validate(
        {"id": id, "title": id, "concludes": concludes, "severity": "medium", "why": "for the test", **clauses}
    )


def rule(id: str, verdict: str = "fail") -> dict[str, Any]:
    return {"rule": id, "verdict": verdict}


def conclusion(id: str) -> dict[str, Any]:
    return {"conclusion": id}


@pytest.fixture(autouse=True)
def many_rulesets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "RULESETS", 100_000)


@st.composite
def pattern_sets(draw: st.DrawFn) -> list[Pattern]:
    """Six to twelve patterns: a chain of four, and others that may rest on anything before them."""
    rule_literal = st.builds(rule, st.sampled_from(RULES), st.sampled_from(("fail", "fail", "pass", "not_applicable")))
    group_literal = st.builds(
        lambda id, verdict: {"group": id, "verdict": verdict},
        st.sampled_from(("g0", "g1", "g2", "nowhere")),
        st.sampled_from(("fail", "pass")),
    )
    patterns: list[Pattern] = []
    for number in range(draw(st.integers(6, 12))):
        concluded = [f"risk.c{earlier}" for earlier in range(number)]
        literal = st.one_of(rule_literal, rule_literal, group_literal)
        if concluded:
            literal = st.one_of(rule_literal, group_literal, st.builds(conclusion, st.sampled_from(concluded)))
        clauses: dict[str, Any] = {}
        if 0 < number < 4:
            clauses["all_of"] = [conclusion(concluded[-1])]
        elif draw(st.booleans()):
            clauses["all_of"] = draw(st.lists(literal, min_size=1, max_size=2))
        if draw(st.booleans()):
            clauses["any_of"] = draw(st.lists(rule_literal if number < 4 else literal, min_size=3, max_size=5))
        if not clauses or draw(st.booleans()):
            of = draw(st.lists(rule_literal if number < 4 else literal, min_size=4, max_size=8))
            clauses["at_least"] = {"count": draw(st.integers(1, 3)), "of": of}
        if draw(st.booleans()):
            clauses["unless"] = draw(st.lists(literal, min_size=1, max_size=2))
        if draw(st.booleans()):
            clauses["when"] = "true"
        # ids do not follow the chain, so that the order has to be worked out
        patterns.append(pattern(f"X-{(number * 7) % 13}", f"risk.c{number}", **clauses))
    return patterns


def audit(patterns: PatternSet, chance: random.Random) -> tuple[dict[str, Any], dict[str, bool | None]]:
    verdicts = {id: chance.choice(STATES) for id in GROUPS}
    gates = {one.id: chance.choice((True, True, True, False, None)) for one in patterns.order if one.when is not None}
    return verdicts, gates


def concluded_by_reference(patterns: PatternSet, verdicts: Any, gates: Mapping[str, bool | None]) -> set[str]:
    return {one.id for one in evaluate(patterns, verdicts, gates) if one.outcome == "concluded"}


@needs_durable
@settings(max_examples=75 * SOAK, deadline=None, suppress_health_check=list(HealthCheck))
@given(pattern_sets(), st.randoms(use_true_random=False))
def test_engines_agree(patterns: list[Pattern], chance: random.Random) -> None:
    compiled = compile_patterns(chance.sample(patterns, len(patterns)), GROUPS)
    engine = DurableEngine()
    for _ in range(40):
        verdicts, gates = audit(compiled, chance)
        assert engine.evaluate(compiled, verdicts, gates) == concluded_by_reference(compiled, verdicts, gates)


def chain(depth: int) -> list[Pattern]:
    """Each rests on the one before; each second one is withdrawn by a verdict, each third by a conclusion."""
    patterns = [pattern("X-50", "risk.off", at_least={"count": 1, "of": [rule("R-10", "pass"), rule("R-11", "pass")]})]
    for number in range(depth):
        clauses: dict[str, Any] = {"all_of": [rule("R-12")]}
        if number:
            clauses["all_of"] = [conclusion(f"risk.c{number - 1}")]
        if number % 2:
            clauses["unless"] = [rule(RULES[number % 9], "pass")]
        if number % 3 == 2:
            clauses["unless"] = [conclusion("risk.off")]
        patterns.append(pattern(f"X-{depth - number}", f"risk.c{number}", **clauses))
    return patterns


@needs_durable
@pytest.mark.parametrize("depth", [4, 27, 40])
def test_chains_fire_to_the_end(depth: int) -> None:
    compiled = compile_patterns(chain(depth), GROUPS)
    verdicts: dict[str, Any] = dict.fromkeys(GROUPS, ("fail", False))
    assert len(DurableEngine().evaluate(compiled, verdicts, {})) == depth
    stopped: dict[str, Any] = {**verdicts, "R-10": ("pass", False)}
    assert DurableEngine().evaluate(compiled, stopped, {}) == {"X-50", f"X-{depth}", f"X-{depth - 1}"}


@needs_durable
def test_a_conclusion_is_joined_by_durable_rules() -> None:
    """Chains run inside one ruleset: nothing is counted here between its patterns."""
    compiled = compile_patterns(chain(27), GROUPS)
    (section,) = durable._sections(compiled)
    assert len(section.parts) == 28
    assert sum(len(part.asks) for part in section.parts) == 26


@needs_durable
def test_rulesets_are_cut_where_conclusions_are_counted() -> None:
    compiled = compile_patterns(
        [
            pattern("X-1", "risk.a", all_of=[rule("R-1")]),
            pattern("X-2", "risk.b", all_of=[rule("R-2")]),
            pattern("X-3", "risk.c", at_least={"count": 2, "of": [conclusion("risk.a"), rule("R-10")]}),
            pattern("X-4", "risk.d", any_of=[conclusion("risk.b"), rule("R-11")]),
        ],
        GROUPS,
    )
    assert [len(section.parts) for section in durable._sections(compiled)] == [2, 2]
    chance = random.Random(4)
    for _ in range(100):
        verdicts, gates = audit(compiled, chance)
        assert DurableEngine().evaluate(compiled, verdicts, gates) == concluded_by_reference(compiled, verdicts, gates)


@needs_durable
def test_a_conclusion_both_asked_for_and_forbidden() -> None:
    """durable-rules does not match one fact twice in a rule: `$not` would never see it."""
    patterns = [
        pattern("X-1", "risk.a", all_of=[rule("R-1")]),
        pattern("X-2", "risk.b", all_of=[conclusion("risk.a")], unless=[conclusion("risk.a")]),
    ]
    verdicts: Any = dict.fromkeys(GROUPS, ("fail", False))
    assert DurableEngine().evaluate(compile_patterns(patterns, GROUPS), verdicts, {}) == {"X-1"}


@needs_durable
def test_more_conclusions_than_antecedents() -> None:
    first = [pattern(f"X-{number}", f"risk.c{number}", all_of=[rule(RULES[number])]) for number in range(19)]
    everything = [conclusion(f"risk.c{number}") for number in range(19)]
    last = pattern("X-90", "risk.all", all_of=everything[:14], unless=everything[14:])
    compiled = compile_patterns([*first, last], GROUPS)
    for failing in (set(RULES[:14]), set(RULES[:13]), set(RULES[1:14]), set(RULES[:15]), set(RULES[:14]) | {"R-19"}):
        verdicts: Any = {id: ("fail" if id in failing else "pass", False) for id in GROUPS}
        assert DurableEngine().evaluate(compiled, verdicts, {}) == concluded_by_reference(compiled, verdicts, {})


@needs_durable
def test_nothing_of_the_user_goes_in() -> None:
    sections = durable._sections(compile_patterns(chain(5), GROUPS))
    assert not any(word in section.definition for section in sections for word in ("X-", "R-", "risk", "g0"))


@needs_durable
def test_equal_structures_share_rulesets() -> None:
    ours = compile_patterns([pattern("X-1", "risk.a", all_of=[rule("R-1"), rule("R-2")])], GROUPS)
    theirs = compile_patterns([pattern("Y-7", "risk.b", all_of=[rule("R-3"), rule("R-4")])], GROUPS)
    assert durable._sections(ours)[0].name == durable._sections(theirs)[0].name
    failing: Any = dict.fromkeys(GROUPS, ("fail", False))
    assert DurableEngine().evaluate(ours, failing, {}) == {"X-1"}
    assert DurableEngine().evaluate(theirs, failing, {}) == {"Y-7"}


# The order of assertion


class GatesFirst(DurableEngine):
    def _facts(self, section: Any, *args: Any) -> list[Fact]:
        facts = super()._facts(section, *args)
        return sorted(facts, key=lambda fact: fact[0] >= durable._CONCLUSIONS or fact[0] % durable._KINDS != 0)


class ConclusionsLast(DurableEngine):
    def _facts(self, section: Any, *args: Any) -> list[Fact]:
        return sorted(super()._facts(section, *args), key=lambda fact: fact[0] >= durable._CONCLUSIONS)


WITHDRAWN = [pattern("X-1", "risk.a", all_of=[rule("R-1")], unless=[rule("R-10", "pass")])]


@needs_durable
def test_gates_before_numbers_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_patterns(WITHDRAWN, GROUPS)
    verdicts: Any = {id: ("pass" if id == "R-10" else "fail", False) for id in GROUPS}
    assert DurableEngine().evaluate(compiled, verdicts, {}) == set()
    assert GatesFirst().evaluate(compiled, verdicts, {}) == {"X-1"}
    outcomes, report = run(compiled, verdicts, {}, "auto")
    assert (report.name, report.differences) == ("durable", ())
    monkeypatch.setattr(durable, "DurableEngine", GatesFirst)
    outcomes, report = run(compiled, verdicts, {}, "auto")
    assert outcomes[0].outcome == "excluded", "the reference's answer stands"
    assert report.differences == ("X-1: the reference says excluded, durable-rules says concluded.",)


@needs_durable
def test_conclusions_of_earlier_rulesets_last_is_noticed() -> None:
    patterns = [
        pattern("X-1", "risk.a", all_of=[rule("R-1")]),
        pattern("X-2", "risk.b", any_of=[conclusion("risk.a")]),
        pattern("X-3", "risk.c", all_of=[rule("R-2")], unless=[conclusion("risk.a")]),
    ]
    compiled = compile_patterns(patterns, GROUPS)
    verdicts: Any = dict.fromkeys(GROUPS, ("fail", False))
    assert DurableEngine().evaluate(compiled, verdicts, {}) == {"X-1", "X-2"}
    assert ConclusionsLast().evaluate(compiled, verdicts, {}) == {"X-1", "X-2", "X-3"}


# Threads, processes, many audits


@needs_durable
def test_eight_threads() -> None:
    sets = [compile_patterns(patterns, GROUPS) for patterns in (chain(4), chain(40), chain(9), WITHDRAWN)]
    before = threading.active_count()

    def audits(seed: int) -> int:
        chance = random.Random(seed)
        wrong = 0
        for number in range(250):
            compiled = sets[(seed + number) % len(sets)]
            verdicts, gates = audit(compiled, chance)
            wrong += bool(run(compiled, verdicts, gates, "durable")[1].differences)
        return wrong

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(audits, range(8))) == 0
    assert threading.active_count() == before, "no timer threads"


@needs_durable
def test_a_short_soak() -> None:
    """Whole audits on both engines, from 8 threads of a process of their own; docs/reliability.md has the long one."""
    script = Path(__file__).parent.parent / "benchmarks" / "soak_engines.py"
    done = subprocess.run(
        [sys.executable, script, "--audits", "1000", "--threads", "8"],
        env={**os.environ, "PYTHONPATH": str(script.parent.parent)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 mismatches, 0 failures" in done.stdout and "1,000" in done.stdout


@needs_durable
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_can_audit() -> None:
    """Also when it was forked while another thread was in the middle of an audit."""
    compiled = compile_patterns(chain(9), GROUPS)
    verdicts: Any = dict.fromkeys(GROUPS, ("fail", False))
    expected = DurableEngine().evaluate(compiled, verdicts, {})
    with durable._process()._lock:
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if DurableEngine().evaluate(compiled, verdicts, {}) == expected else 1)
            finally:
                os._exit(2)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0
            return
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


# When it cannot be used, or fails


@pytest.fixture
def asked_anew() -> Iterator[None]:
    available.cache_clear()
    yield
    available.cache_clear()


@pytest.mark.usefixtures("asked_anew")
def test_not_on_python_3_13(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert available() == (False, "durable-rules does not import on Python 3.13 or later.")
    with pytest.raises(EngineError, match=r"3\.13"):
        DurableEngine().evaluate(compile_patterns([], {}), {}, {})


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.skipif(sys.version_info >= (3, 13), reason="the version of Python comes first")
def test_not_installed_or_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert available() == (False, "durable-rules is not installed.")
    available.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.0.29")
    assert available() == (False, "durable-rules 2.0.29 is installed; only 2.0.28 has been tested.")


def unlike_any_other(number: int) -> PatternSet:
    """A structure that no other test uses."""
    of = [rule("R-1"), rule("R-10"), rule("R-11"), rule("R-12")] * 50
    return compile_patterns([pattern("X-1", "risk.a", at_least={"count": number, "of": of}, all_of=of)], GROUPS)


@needs_durable
def test_too_many_rulesets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "RULESETS", 0)
    compiled = unlike_any_other(101)
    with pytest.raises(TooManyRulesets):
        run(compiled, {}, {}, "durable")
    _, report = run(compiled, {}, {}, "auto")
    assert report.name == "reference" and "cannot be freed" in report.reason and report.differences == ()


@needs_durable
def test_an_end_that_does_not_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable._Process, "_end", lambda process, context: None)
    compiled = unlike_any_other(102)
    with pytest.raises(EngineError, match="last rule did not fire"):
        run(compiled, {}, {}, "durable")
    _, report = run(compiled, {}, {}, "auto")
    assert report.name == "reference" and report.differences, "a failure is a difference, not a silent fallback"


@needs_durable
def test_a_clock_that_leaps_stops_no_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond ten seconds durable-rules gives an action up, and END with it: a soak on a busy machine met it."""
    seconds = itertools.count(0, 3600)
    monkeypatch.setattr(importlib.import_module("durable.engine"), "_unix_now", lambda: next(seconds))
    compiled = compile_patterns(chain(27), GROUPS)
    assert len(DurableEngine().evaluate(compiled, dict.fromkeys(GROUPS, ("fail", False)), {})) == 27
    assert next(seconds) > 27 * 3600, "durable-rules looked at another clock"


@needs_durable
def test_an_exception_in_an_action(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(context: Any, fact: Any) -> None:
        raise RuntimeError("out of order")

    compiled = compile_patterns(chain(4), GROUPS)
    verdicts: Any = dict.fromkeys(GROUPS, ("fail", False))
    before = DurableEngine().evaluate(compiled, verdicts, {})
    with monkeypatch.context() as patched:
        patched.setattr(importlib.import_module("durable.engine").Closure, "assert_fact", broken)
        with pytest.raises(EngineError, match="out of order"):
            DurableEngine().evaluate(compiled, verdicts, {})
    assert DurableEngine().evaluate(compiled, verdicts, {}) == before


@needs_durable
def test_an_interruption_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_patterns(chain(4), GROUPS)
    verdicts: Any = dict.fromkeys(GROUPS, ("fail", False))
    before = DurableEngine().evaluate(compiled, verdicts, {})
    host = durable._process()._host
    real, calls = type(host).assert_fact, iter(range(10_000))

    def interrupted(*args: Any) -> Any:
        if next(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(type(host), "assert_fact", interrupted)
        with pytest.raises(KeyboardInterrupt):
            DurableEngine().evaluate(compiled, verdicts, {})
    for _ in range(1_100):
        assert DurableEngine().evaluate(compiled, verdicts, {}) == before
