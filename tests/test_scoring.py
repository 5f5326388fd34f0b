"""The score: against DESIGN's formulas written out in fractions, on every combination of verdicts of small packs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from goodcommission import scoring
from goodcommission.packs.model import Group, Severity, Strength, Verdict
from goodcommission.scoring import Judged, Score, compute

SEVERITY: Mapping[Severity, int] = {"high": 5, "medium": 3, "low": 1}
STRENGTH: Mapping[Strength, Fraction] = {
    "recommendation": Fraction(10, 10),
    "needs-to-happen": Fraction(9, 10),
    "good-practice": Fraction(8, 10),
    "experience": Fraction(7, 10),
}
STATES: tuple[tuple[Verdict, bool], ...] = (
    ("pass", False),
    ("fail", False),
    ("unknown", False),
    ("not_applicable", False),
    ("pass", True),
    ("fail", True),
)
GROUPS = {
    "size": Group(title="Size", severity="high", strength="good-practice"),
    "money": Group(title="Money", severity="low", strength="experience"),
}


# --- The formulas of DESIGN 4, written out ---------------------------------------------------------------------------


def turned(rules: Sequence[Judged], to: Verdict) -> list[Judged]:
    return [r._replace(verdict=to, provisional=False) if r.provisional or r.verdict == "unknown" else r for r in rules]


def faults(rules: Sequence[Judged]) -> dict[str, list[tuple[Fraction, str]]]:
    """By pack: the weight and the verdict of each rule or group."""
    found: dict[str, list[tuple[Fraction, str]]] = {}
    names = dict.fromkeys((r.pack, r.group or r.rule) for r in rules if r.scored)
    for pack, name in names:
        members = [r for r in rules if r.scored and (r.pack, r.group or r.rule) == (pack, name)]
        first = GROUPS[name] if members[0].group else members[0]
        verdicts = {"not_applicable" if r.verdict == "not_yet_due" else r.verdict for r in members}
        verdict = next(v for v in ("fail", "unknown", "pass", "not_applicable") if v in verdicts)
        found.setdefault(pack, []).append((SEVERITY[first.severity] * STRENGTH[first.strength], verdict))
    return found


def by_formula(rules: Sequence[Judged], weights: Mapping[str, float]) -> tuple[Fraction | None, Fraction]:
    """Overall score and coverage, of 1."""
    score = base = total = Fraction(0)
    for pack, units in faults(rules).items():
        applicable = sum((w for w, v in units if v != "not_applicable"), Fraction(0))
        decided = sum((w for w, v in units if v in ("pass", "fail")), Fraction(0))
        if not applicable:
            continue
        weight, coverage = Fraction(weights[pack]), decided / applicable
        total += weight
        base += weight * coverage
        if decided:
            score += weight * coverage * sum((w for w, v in units if v == "pass"), Fraction(0)) / decided
    return (score / base if base else None), (base / total if total else Fraction(0))


def check(rules: Sequence[Judged], weights: Mapping[str, float]) -> Score:
    result = compute(rules, GROUPS, weights)
    score, coverage = by_formula(rules, weights)
    low, _ = by_formula(turned(rules, "fail"), weights)
    high, _ = by_formula(turned(rules, "pass"), weights)
    for shown, exact in ((result.score, score), (result.low, low), (result.high, high), (result.coverage, coverage)):
        assert (shown is None) == (exact is None), rules
        if shown is not None and exact is not None:
            assert abs(shown - 100 * exact) <= 0.05 + 1e-9, (rules, shown, float(exact))
    assert 0 <= result.coverage <= 100
    if result.low is not None and result.high is not None:
        assert 0 <= result.low <= result.high <= 100
        assert result.score is None or result.low <= result.score <= result.high, (rules, result)
    for one in result.packs:
        own = [r for r in rules if r.pack == one.pack]
        of_pack, pack_coverage = by_formula(own, weights)
        assert (one.score is None) == (of_pack is None)
        assert of_pack is None or abs((one.score or 0) - 100 * of_pack) <= 0.05 + 1e-9
        assert abs(one.coverage - 100 * pack_coverage) <= 0.05 + 1e-9
    return result


def judged(number: int, state: tuple[Verdict, bool], group: str | None = None, pack: str = "a") -> Judged:
    severities, strengths = tuple(SEVERITY), tuple(STRENGTH)
    verdict, provisional = state
    severity, strength = severities[number % 3], strengths[number % 4]
    missing = (f"fact.{number}", "fact.shared") if provisional or verdict == "unknown" else ()
    return Judged(f"{pack.upper()}-{number}", pack, group, severity, strength, verdict, provisional, missing=missing)


SHAPES: dict[str, tuple[Sequence[tuple[str | None, str]], Mapping[str, float]]] = {
    "four rules": ([(None, "a")] * 4, {"a": 1.0}),
    "a group of two and two rules": ([("size", "a"), (None, "a"), ("size", "a"), (None, "a")], {"a": 1.0}),
    "two groups": ([("size", "a"), ("size", "a"), ("money", "a"), ("money", "a")], {"a": 1.0}),
    "a group of three": ([("size", "a"), ("size", "a"), ("size", "a"), (None, "a")], {"a": 2.0}),
    "two packs": ([(None, "a"), (None, "a"), (None, "b"), (None, "b")], {"a": 1.0, "b": 1.0}),
    "two packs of different weight and a group": (
        [("size", "a"), ("size", "a"), (None, "a"), (None, "b")],
        {"a": 1.0, "b": 2.5},
    ),
    "five rules in two packs": (
        [("money", "a"), ("money", "a"), (None, "a"), (None, "b"), (None, "b")],
        {"a": 0.3, "b": 1.7},
    ),
}


@pytest.mark.parametrize(("shape", "weights"), SHAPES.values(), ids=SHAPES)
def test_every_combination_of_verdicts(shape: Sequence[tuple[str | None, str]], weights: Mapping[str, float]) -> None:
    for states in itertools.product(STATES, repeat=len(shape)):
        check([judged(n, state, *shape[n]) for n, state in enumerate(states)], weights)


@pytest.mark.parametrize(("shape", "weights"), list(SHAPES.values())[:5], ids=list(SHAPES)[:5])
def test_mends_are_worth_what_they_change(
    shape: Sequence[tuple[str | None, str]], weights: Mapping[str, float]
) -> None:
    for states in itertools.product(STATES[:4], repeat=len(shape)):
        rules = [judged(n, state, *shape[n]) for n, state in enumerate(states)]
        before, _ = by_formula(rules, weights)
        result = compute(rules, GROUPS, weights)
        assert set(result.mends) == {r.rule for r in rules if r.verdict == "fail"}
        for failing in (r for r in rules if r.verdict == "fail"):
            together = {r.rule for r in rules if r.group == failing.group} if failing.group else {failing.rule}
            wrong = [r.rule in together and r.verdict in ("fail", "unknown") for r in rules]
            mended = [r._replace(verdict="pass") if at else r for at, r in zip(wrong, rules, strict=True)]
            after, _ = by_formula(mended, weights)
            assert before is not None
            assert after is not None
            assert abs(result.mends[failing.rule] - 100 * (after - before)) <= 0.05 + 1e-9, (rules, failing)


# --- Invariants on larger audits -------------------------------------------------------------------------------------

WEIGHTS = {"a": 1.0, "b": 0.7, "c": 2.0}


@st.composite
def audits(draw: st.DrawFn) -> list[Judged]:
    size = draw(st.integers(1, 14))
    rules = []
    for number in range(size):
        group = draw(st.sampled_from((None, None, "size", "money")))
        pack = {"size": "a", "money": "b"}.get(group or "", draw(st.sampled_from(tuple(WEIGHTS))))
        verdict, provisional = draw(st.sampled_from((*STATES, ("not_yet_due", False))))
        waits = provisional or verdict == "unknown"
        names = st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=3, unique=True)
        rules.append(
            Judged(
                f"R-{number}",
                pack,
                group,
                draw(st.sampled_from(tuple(SEVERITY))),
                draw(st.sampled_from(tuple(STRENGTH))),
                verdict,
                provisional,
                claimed=verdict == "pass" and draw(st.booleans()),
                scored=draw(st.integers(0, 9)) > 0,
                missing=tuple(draw(names)) if waits else (),
            )
        )
    return rules


@given(audits())
def test_the_formulas_hold(rules: list[Judged]) -> None:
    check(rules, WEIGHTS)


@given(audits(), st.randoms(use_true_random=False))
def test_order_does_not_matter(rules: list[Judged], rng: random.Random) -> None:
    result = compute(rules, GROUPS, WEIGHTS)
    shuffled = rng.sample(rules, len(rules))
    again = compute(shuffled, GROUPS, dict(reversed(WEIGHTS.items())))
    for name in ("score", "low", "high", "coverage", "grade", "mends"):
        assert getattr(result, name) == getattr(again, name), name
    assert set(result.packs) == set(again.packs)
    assert result.narrowing.keys() == again.narrowing.keys()


@given(audits(), st.integers(0), st.booleans())
def test_turning_a_fail_into_a_pass_lowers_nothing(rules: list[Judged], which: int, claimed: bool) -> None:
    failing = [n for n, r in enumerate(rules) if r.verdict == "fail"]
    assume(failing)
    before = compute(rules, GROUPS, WEIGHTS)
    at = failing[which % len(failing)]
    passed = rules[at]._replace(verdict="pass", provisional=False, missing=(), claimed=claimed)
    after = compute([*rules[:at], passed, *rules[at + 1 :]], GROUPS, WEIGHTS)
    for name in ("score", "low", "high"):
        old, new = getattr(before, name), getattr(after, name)
        assert new is None or old is None or new >= old, name
    if "insufficient evidence" not in (before.grade, after.grade):
        worst, best = ends(before.grade)
        assert ends(after.grade)[0] <= worst
        assert ends(after.grade)[1] <= best


def ends(grade: str) -> tuple[str, str]:
    worst, _, best = grade.partition("–")
    return worst, best or worst


@given(audits(), st.integers(0), st.sampled_from(("pass", "fail", "not_applicable")))
def test_every_piece_of_evidence_nests_the_interval(rules: list[Judged], which: int, verdict: Verdict) -> None:
    waiting = [n for n, r in enumerate(rules) if r.verdict == "unknown" or r.provisional]
    assume(waiting)
    at = waiting[which % len(waiting)]
    # What holds for now and may be overturned can still become either, but not "not asked".
    assume(verdict != "not_applicable" or not rules[at].provisional)
    before = compute(rules, GROUPS, WEIGHTS)
    known = rules[at]._replace(verdict=verdict, provisional=False, missing=())
    after = compute([*rules[:at], known, *rules[at + 1 :]], GROUPS, WEIGHTS)
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return
    assert before.low <= after.low <= after.high <= before.high


@given(audits(), st.sampled_from((None, "size", "money")), st.sampled_from(("not_applicable", "not_yet_due")))
def test_what_does_not_apply_changes_nothing(rules: list[Judged], group: str | None, verdict: Verdict) -> None:
    pack = {"size": "a", "money": "b"}.get(group or "", "c")
    more = [*rules, Judged("R-99", pack, group, "high", "recommendation", verdict)]
    assert compute(more, GROUPS, WEIGHTS) == compute(rules, GROUPS, WEIGHTS)
    unscored = [*rules, Judged("R-99", pack, group, "high", "recommendation", "fail", scored=False)]
    assert compute(unscored, GROUPS, WEIGHTS) == compute(rules, GROUPS, WEIGHTS)


@given(audits())
def test_what_narrows_is_no_wider_than_the_interval(rules: list[Judged]) -> None:
    result = compute(rules, GROUPS, WEIGHTS)
    if result.low is None or result.high is None:
        assert not result.narrowing
        return
    narrows = list(result.narrowing.values())
    assert sum(narrows) <= result.high - result.low + 0.1 + 0.05 * len(narrows) + 1e-9
    assert narrows == sorted(narrows, reverse=True)
    named = {name for r in rules if r.scored for name in r.missing}
    assert set(result.narrowing) <= named


@settings(max_examples=50)
@given(audits())
def test_weights_do_not_depend_on_verdicts(rules: list[Judged]) -> None:
    tenths = {unit.id: unit.tenths for unit in scoring.units(rules, GROUPS)}
    for verdict in ("pass", "fail", "unknown", "not_applicable"):
        same = [r._replace(verdict=verdict, found="low") for r in rules]  # type: ignore[arg-type]
        assert {unit.id: unit.tenths for unit in scoring.units(same, GROUPS)} == tenths


# --- Weights, groups, grades -----------------------------------------------------------------------------------------


def test_weights() -> None:
    assert scoring.weight("high", "recommendation") == 5.0
    assert scoring.weight("medium", "experience") == 2.1
    for severity in SEVERITY:
        for strength in STRENGTH:
            assert scoring.weight(severity, strength) == float(SEVERITY[severity] * STRENGTH[strength])


def rules_of(*verdicts: Verdict | str, group: str | None = None, **more: object) -> list[Judged]:
    made = []
    for number, verdict in enumerate(verdicts):
        word, provisional = verdict.rstrip("?"), verdict.endswith("?")
        one = Judged(f"R-{number}", "a", group, "medium", "good-practice", word, provisional)  # type: ignore[arg-type]
        made.append(one._replace(**more))  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(
    ("members", "state", "open_"),
    [
        (("pass", "fail"), "fail", False),
        (("pass", "unknown"), "unknown", True),
        (("fail", "unknown"), "fail", False),
        (("fail?", "unknown"), "fail", True),
        (("fail?", "fail"), "fail", False),
        (("pass", "pass?"), "pass", True),
        (("pass", "not_applicable"), "pass", False),
        (("unknown", "not_applicable"), "unknown", True),
        (("not_applicable", "not_yet_due"), "not_applicable", False),
    ],
)
def test_a_group_is_one_fault(members: Sequence[str], state: str, open_: bool) -> None:
    (unit,) = scoring.units(rules_of(*members, group="size"), GROUPS)
    assert (unit.id, unit.tenths, unit.state, unit.open) == ("size", 40, state, open_)


def grade_of(rules: Iterable[Judged]) -> tuple[str, int]:
    result = compute(list(rules), GROUPS, {"a": 1.0})
    return result.grade, len(result.caps)


@pytest.mark.parametrize(
    ("passes", "fails", "unknowns", "grade"),
    [
        (20, 0, 0, "A"),
        (17, 3, 0, "A"),
        (16, 4, 0, "B"),
        (14, 6, 0, "B"),
        (13, 7, 0, "C"),
        (11, 9, 0, "C"),
        (10, 10, 0, "D"),
        (8, 12, 0, "D"),
        (7, 13, 0, "E"),
        (0, 20, 0, "E"),
        (14, 3, 3, "B–A"),
        (10, 0, 10, "D–A"),
        (9, 1, 10, "D–A"),
        (9, 0, 11, "insufficient evidence"),
        (0, 0, 20, "insufficient evidence"),
        (0, 0, 0, "insufficient evidence"),
    ],
)
def test_grades(passes: int, fails: int, unknowns: int, grade: str) -> None:
    verdicts = ["pass"] * passes + ["fail"] * fails + ["unknown"] * unknowns
    assert grade_of(rules_of(*verdicts)) == (grade, 0)


def test_a_failing_recommendation_of_high_severity_caps_the_grade() -> None:
    rules = rules_of(*["pass"] * 19)
    failing = Judged("R-99", "a", None, "high", "recommendation", "fail")
    assert grade_of([*rules, failing]) == ("C", 1)
    assert compute([*rules, failing], GROUPS, {"a": 1.0}).caps[0].startswith("A recommendation of high severity is not")
    # Neither what is not certain, nor what is shown as less, nor what does not count.
    assert grade_of([*rules, failing._replace(provisional=True)])[1] == 0
    assert grade_of([*rules, failing._replace(found="medium")])[1] == 0
    assert grade_of([*rules, failing._replace(scored=False)]) == ("A", 0)
    assert grade_of([*rules, failing._replace(strength="needs-to-happen")])[1] == 0


def test_claims_alone_cap_the_grade() -> None:
    claimed = rules_of(*["pass"] * 20, claimed=True)
    assert grade_of(claimed) == ("C", 1)
    assert grade_of([*claimed[1:], claimed[0]._replace(claimed=False)]) == ("A", 0)
    assert grade_of(rules_of(*["fail"] * 3)) == ("E", 0)


def test_nothing_asked_gives_no_score() -> None:
    result = compute(rules_of("not_applicable", "not_yet_due"), GROUPS, {"a": 1.0, "b": 1.0})
    assert (result.score, result.low, result.high, result.coverage) == (None, None, None, 0.0)
    assert [(one.score, one.coverage) for one in result.packs] == [(None, 0.0), (None, 0.0)]
    undecided = compute(rules_of("unknown"), GROUPS, {"a": 1.0})
    assert (undecided.score, undecided.low, undecided.high) == (None, 0.0, 100.0)


def test_one_decided_rule_of_a_large_pack_does_not_outweigh_another_pack() -> None:
    """A plain mean of the packs would give 50."""
    first = rules_of(*["pass"] * 20)
    second = [r._replace(pack="b", rule=f"S-{n}") for n, r in enumerate(rules_of("fail", *["unknown"] * 19))]
    result = compute([*first, *second], GROUPS, {"a": 1.0, "b": 1.0})
    assert result.score == 95.2
    assert result.coverage == 52.5


def test_what_a_rule_counts_is_written_down() -> None:
    """The weights are a promise: whoever changes one changes every score that was ever published."""
    for severity, strength in itertools.product(SEVERITY, STRENGTH):
        assert scoring.weight(severity, strength) == float(SEVERITY[severity] * STRENGTH[strength])


CLAIMS = (
    "All that is met rests on statements without evidence: the grade is C at best. "
    "Name the documents that show it under `evidence`."
)


def test_why_a_grade_is_capped_is_told_in_full() -> None:
    failing = Judged("R-99", "a", None, "high", "recommendation", "fail")
    both = [*rules_of(*["pass"] * 5, claimed=True), failing, failing._replace(rule="R-98")]
    assert compute(both, GROUPS, {"a": 1.0}).caps == (
        "A recommendation of high severity is not met (R-99, R-98): the grade is C at best.",
        CLAIMS,
    )
    # What fails for now may be met, and would be a claim; what does not count is no evidence of anything.
    open_ = rules_of("fail")[0]._replace(provisional=True)
    assert len(compute([open_], GROUPS, {"a": 1.0}).caps) == 1
    shown = rules_of("pass")[0]._replace(rule="R-97", scored=False)
    assert len(compute([*rules_of("pass", claimed=True), shown], GROUPS, {"a": 1.0}).caps) == 1


def test_a_grade_goes_down_at_its_limit_and_never_by_a_cap_that_is_not_there() -> None:
    for letter, least in (("A", 85.0), ("B", 70.0), ("C", 55.0), ("D", 40.0), ("E", 0.0)):
        assert scoring.overall_grade(least, least, least, 100.0, capped=False) == letter
        assert scoring.overall_grade(least, least, least, 100.0, capped=True) == max(letter, "C")
        if least:
            below = least - 0.1
            assert scoring.overall_grade(below, below, below, 100.0, capped=False) == chr(ord(letter) + 1)
    assert scoring.overall_grade(90.0, 30.0, 95.0, 50.0, capped=False) == "E–A"
    assert scoring.overall_grade(90.0, 30.0, 95.0, 50.0, capped=True) == "E–C"
    for figures in ((90.0, 30.0, 95.0, 49.9), (None, 0.0, 95.0, 90.0), (1.0, None, 95.0, 90.0), (1.0, 0.0, None, 90.0)):
        assert scoring.overall_grade(*figures, capped=False) == "insufficient evidence"


def test_the_score_of_a_pack_names_its_weight() -> None:
    result = compute([*rules_of("unknown"), *rules_of("pass", "fail")], GROUPS, {"a": 2.5, "b": 0.5})
    assert [(one.pack, one.weight) for one in result.packs] == [("a", 2.5), ("b", 0.5)]
    undecided = compute(rules_of("unknown"), GROUPS, {"a": 2.5}).packs[0]
    assert (undecided.score, undecided.low, undecided.high, undecided.coverage) == (None, 0.0, 100.0, 0.0)
