"""Whatever packs, verdicts and texts hold, durable-rules is handed nothing but what docs/decisions/0007 allows.

Every call of its C extension is looked at, and goes through. GOODCOMMISSION_SOAK=10 draws ten times as much; the same
tests run under MALLOC_PERTURB_ and valgrind as docs/reliability.md says.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from goodcommission import audit, load_packs
from goodcommission.engine import durable
from goodcommission.engine.durable import ANTECEDENTS, PATTERNS, DurableEngine, available
from goodcommission.engine.patterns import compile_patterns, evaluate
from goodcommission.exceptions import GoodCommissionError, PackError
from goodcommission.packs.model import AtLeast, Match, Pattern

INSTALLED, WHY_NOT = available()
pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason=WHY_NOT),
    # durable-rules itself calls datetime.utcfromtimestamp
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning"),
]
SOAK = float(os.environ.get("GOODCOMMISSION_SOAK", "1"))
LARGEST = 1_000_000
"""No number that is handed over is larger: packs hold fewer literals, and a count is cut to them."""


# --- The envelope ------------------------------------------------------------------------------------------------


def whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def is_fact(text: str) -> bool:
    fact = json.loads(text)
    return (
        text.isascii()
        and len(text) < 100
        and fact.keys() == {"sid", "k", "n"}
        and re.fullmatch(r"[0-9]{1,12}", fact["sid"]) is not None
        and whole(fact["k"], 0, 10_000)
        and whole(fact["n"], 1, LARGEST)
    )


def is_state(text: str) -> bool:
    state = json.loads(text)
    return state == {"sid": state["sid"], "id": f"sid-{state['sid']}", "$s": 1} and state["sid"].isdecimal()


def is_ruleset(name: str, text: str) -> bool:
    rules = json.loads(text)
    names = [*rules]
    return (
        re.fullmatch(r"patterns_[0-9a-f]{32}", name) is not None
        and text.isascii()
        and len(text) < 100_000
        and 2 <= len(names) <= PATTERNS + 1
        and names.pop() == "end"
        and all(re.fullmatch(r"p[0-9]{1,2}_c[0-9]{1,4}", one) for one in names)
        and all(
            rule.keys() == {"all"}
            and 1 <= len(rule["all"]) <= ANTECEDENTS
            and all(is_antecedent(one) for one in rule["all"])
            for rule in rules.values()
        )
    )


def is_antecedent(one: dict[str, Any]) -> bool:
    ((name, test),) = one.items()
    key, number = test["$and"][0]["k"], test["$and"][1]["$gte"]["n"]
    return (
        re.fullmatch(r"m|m_[0-9]{1,2}(\$not)?", name) is not None
        and test == {"$and": [{"k": key}, {"$gte": {"n": number}}]}
        and whole(key, 0, 10_000)
        and whole(number, 1, LARGEST)
    )


def is_handle(value: Any) -> bool:
    return type(value) is int


ALLOWED: dict[str, Callable[..., bool]] = {
    "create_ruleset": is_ruleset,
    "assert_fact": lambda handle, fact: is_handle(handle) and is_fact(fact),
    "update_state": lambda handle, state: is_handle(handle) and is_state(state),
    "delete_state": lambda handle, sid: is_handle(handle) and re.fullmatch(r"[0-9]{1,12}", sid) is not None,
    "start_action_for_state": lambda handle, state: is_handle(handle) and is_handle(state),
    "complete_and_start_action": lambda handle, state: is_handle(handle) and is_handle(state),
}
"""The functions of the C extension that may be called, and with what."""


class Handed:
    """Stands in front of the C extension, and keeps what does not belong there."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.outside: list[str] = []
        self.calls = 0
        self.alive: set[tuple[int, str]] = set()
        self.most_alive = 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not callable(real) or isinstance(real, type):
            return real

        def call(*args: Any) -> Any:
            self.calls += 1
            try:
                inside = name in ALLOWED and ALLOWED[name](*args)
            except (ValueError, KeyError, IndexError, TypeError, AttributeError):
                inside = False
            if not inside:
                self.outside.append(f"{name}{args}"[:500])
            if name == "assert_fact":
                self.alive.add((args[0], json.loads(args[1])["sid"]))
            elif name == "delete_state":
                self.alive.discard((args[0], args[1]))
            self.most_alive = max(self.most_alive, len(self.alive))
            return real(*args)

        return call


@pytest.fixture(scope="module")
def handed() -> Iterator[Handed]:
    module: Any = importlib.import_module("durable.engine")
    with pytest.MonkeyPatch.context() as patched:
        handed = Handed(module.durable_rules_engine)
        patched.setattr(module, "durable_rules_engine", handed)
        patched.setattr(durable, "RULESETS", 100_000)
        yield handed


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("assert_fact", (1, '{"sid": "1", "k": 3, "n": 1, "text": "Robert"}')),
        ("assert_fact", (1, '{"sid": "1", "k": "3", "n": 1}')),
        ("assert_fact", (1, '{"sid": "1", "k": 3, "n": true}')),
        ("assert_fact", (1, '{"sid": "1", "k": 3, "n": 1000000000000}')),
        ("assert_fact", (1, '{"sid": "X-1", "k": 3, "n": 1}')),
        ("create_ruleset", ("patterns_of_mine", '{"end": {"all": []}}')),
        ("create_ruleset", ("patterns_" + "a" * 32, '{"X-1": {"all": [{"m": {"$and": []}}]}, "end": {"all": []}}')),
        ("delete_state", (1, "none")),
        ("start_timer", (1, 2)),
    ],
)
def test_what_does_not_belong_is_noticed(name: str, args: Any) -> None:
    """The test below would see it."""
    handed = Handed(SimpleNamespace(**{name: lambda *given: None}))
    getattr(handed, name)(*args)
    assert len(handed.outside) == 1


# --- Hostile packs, verdicts and texts ---------------------------------------------------------------------------

ODD = (
    "\0",
    "X-1\0X-2",
    "\ud800",
    "\udcff",
    "😀" * 50,
    'X-1","k":1}',
    '{"sid":"1","k":0,"n":1}',
    "$not",
    "$s",
    "sid",
    "end",
    "p0_c0",
    "{{7*7}}",
    "%s%n%x",
    "'; DROP TABLE rules; --",
    "../../etc/passwd",
    "\u202e",
    "\r\n",
    "\\",
    "é" * 1_000,
    "a" * 1_000_000,
    "",
)
texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=()), max_size=30))
counts = st.one_of(st.integers(1, 4), st.sampled_from((2**31 - 1, 2**31, 2**63, 2**64 + 1, 10**30, 10**400, 10**5000)))


@st.composite
def hostile_patterns(draw: st.DrawFn) -> tuple[list[Pattern], list[str]]:
    """Patterns that no validation has seen, and the ids of the rules that they look at."""
    rules = draw(st.lists(texts, min_size=1, max_size=5, unique=True))
    names: list[str] = []
    patterns = []
    for number in range(draw(st.integers(1, 5))):
        verdict = draw(st.sampled_from(("fail", "pass", "not_applicable")))
        literal = st.builds(lambda id, v=verdict: Match.model_construct(rule=id, verdict=v), st.sampled_from(rules))
        if names:
            literal = st.one_of(
                literal, st.builds(lambda id: Match.model_construct(conclusion=id), st.sampled_from(names))
            )
        literals = st.lists(literal, min_size=1, max_size=draw(st.sampled_from((2, 3, 20))))
        clauses: dict[str, Any] = {"all_of": tuple(draw(literals))}
        if draw(st.booleans()):
            clauses["any_of"] = tuple(draw(literals))
        if draw(st.booleans()):
            clauses["at_least"] = AtLeast.model_construct(count=draw(counts), of=tuple(draw(literals)))
        if draw(st.booleans()):
            clauses["unless"] = tuple(draw(literals))
        name = draw(texts)
        about = {"title": name, "severity": "high", "why": name, "remedy": name}
        patterns.append(Pattern.model_construct(id=f"{number}{draw(texts)}", concludes=name, **about, **clauses))
        names.append(name)
    return patterns, rules


@settings(max_examples=int(60 * SOAK), suppress_health_check=list(HealthCheck), deadline=None)
@given(hostile_patterns(), st.data())
def test_nothing_of_packs_and_verdicts(handed: Handed, drawn: tuple[list[Pattern], list[str]], data: Any) -> None:
    patterns, rules = drawn
    try:
        compiled = compile_patterns(patterns, dict.fromkeys(rules))
    except PackError:  # in a circle
        assume(False)
        raise
    states = st.tuples(st.sampled_from(("fail", "pass", "unknown", "not_applicable", "not_yet_due")), st.booleans())
    verdicts: Any = {id: data.draw(states) for id in rules}
    concluded = DurableEngine().evaluate(compiled, verdicts, {})
    assert concluded == {one.id for one in evaluate(compiled, verdicts, {}) if one.outcome == "concluded"}
    # Neither is a verdict that there is not handed on, nor what stands in the place of a rule or gate.
    DurableEngine().evaluate(compiled, {**{id: (id, id) for id in rules}, "\0": ("\ud800", None)}, {"\0": True})
    assert handed.outside == []
    assert handed.most_alive <= 1 and not handed.alive


@pytest.mark.parametrize("digits", [1, 10, 19, 30, 5000])
def test_a_count_that_cannot_be_reached(handed: Handed, digits: int) -> None:
    """It went in as it was: a number of any size."""
    count = 10**digits
    literals = tuple(Match(rule=f"R-{number}", verdict="fail") for number in range(4))
    one = Pattern.model_construct(
        id="X-1", title="t", concludes="risk.a", severity="low", why="w", at_least=AtLeast(count=count, of=literals)
    )
    compiled = compile_patterns([one], {f"R-{number}": None for number in range(4)})
    assert DurableEngine().evaluate(compiled, {f"R-{number}": ("fail", False) for number in range(4)}, {}) == set()
    assert handed.outside == []


def packed(text: str, name: str, count: int) -> dict[str, Any]:
    """A pack of patterns that may well be valid, with this text wherever a text may stand."""
    about = {"title": text, "severity": "high", "why": text, "remedy": text}
    about["sources"] = [{"source": "none", "section": text}]  # type: ignore[assignment]
    fails = [{"rule": f"PP-0{number}", "verdict": "fail"} for number in range(1, 7)]
    return {
        "pack": "hostile",
        "version": "1.0.0",
        "title": text,
        "about": text,
        "sources": {"none": {"title": text, "year": 2026, "kind": "guidance"}},
        "patterns": [
            {"id": "Z-1", "concludes": f"risk.{name}", "any_of": fails, **about},
            {"id": "Z-2", "concludes": "risk.b", "at_least": {"count": count, "of": fails}, **about},
            {"id": "Z-3", "concludes": "risk.c", "all_of": [{"conclusion": f"risk.{name}"}], **about},
        ],
    }


@settings(max_examples=int(12 * SOAK), suppress_health_check=list(HealthCheck), deadline=None)
@given(text=texts, name=st.sampled_from(("a", "a" * 100_000, "x_1")), count=counts)
@example(text="a" * 50_000, name="a" * 500_000, count=10**30)
@example(text='{"sid": "1", "k": 0, "n": 1}', name="end", count=2)
def test_nothing_of_files(handed: Handed, tmp_path: Path, text: str, name: str, count: int) -> None:
    """A whole audit with a pack of strangers: it is refused, or works; either way nothing gets through."""
    place = tmp_path / "hostile.yaml"
    place.write_text(json.dumps(packed(text, name, count)) if count < 10**100 else "pack: hostile\n", "utf-8")
    tender: dict[str, Any] = {
        "kind": "tender",
        "title": text,
        "value": {"total": {"amount": 100_000, "currency": "GBP"}},
        "process": {"response_pages": 90, "same_as_large_contracts": True, "certificates_required": [text, text]},
    }
    try:
        packs = load_packs(["proportionate-procurement", "hostile"], rules=[place])
    except PackError:
        packs = load_packs(["proportionate-procurement", "combined-findings"])
    before = handed.calls
    try:
        report = audit(tender, packs, engine="durable")
    except GoodCommissionError:
        report = audit(
            {**tender, "title": "Said", "process": {"same_as_large_contracts": True}}, packs, engine="durable"
        )
    assert report.engine.differences == () and handed.calls > before
    assert handed.outside == []
    load_packs.__globals__["_compiled"].cache_clear()  # the file is another the next time, perhaps within one tick
