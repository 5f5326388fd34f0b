"""The score: weights, interval, coverage, grade, and what each mend or statement would change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from goodcommission.packs.model import Group, Severity, Strength, Verdict

SEVERITY_WEIGHT: Final[Mapping[Severity, float]] = {"high": 5.0, "medium": 3.0, "low": 1.0}
STRENGTH_WEIGHT: Final[Mapping[Strength, float]] = {
    "recommendation": 1.0,
    "needs-to-happen": 0.9,
    "good-practice": 0.8,
    "experience": 0.7,
}
GRADES: Final[tuple[tuple[str, float], ...]] = (("A", 85.0), ("B", 70.0), ("C", 55.0), ("D", 40.0), ("E", 0.0))
LEAST_COVERAGE: Final = 50.0
"""Below this coverage (in percent) there is no grade: insufficient evidence."""
CAPPED_GRADE: Final = "C"

State = Literal["pass", "fail", "unknown", "not_applicable"]


_TENTHS: Final[Mapping[tuple[Severity, Strength], int]] = {
    (severity, strength): round(10 * severe * strong)
    for severity, severe in SEVERITY_WEIGHT.items()
    for strength, strong in STRENGTH_WEIGHT.items()
}
"""Weights in tenths: whole numbers, so that a sum does not depend on the order."""


def weight(severity: Severity, strength: Strength) -> float:
    """What a rule or group counts; it never depends on the verdict."""
    return tenths(severity, strength) / 10


def tenths(severity: Severity, strength: Strength) -> int:
    """The weight in tenths."""
    return _TENTHS[severity, strength]


class Judged(NamedTuple):
    """What the score needs to know of one rule."""

    rule: str
    pack: str
    group: str | None
    severity: Severity
    strength: Strength
    verdict: Verdict
    provisional: bool = False
    claimed: bool = False
    scored: bool = True
    missing: tuple[str, ...] = ()
    found: Severity | None = None
    """The severity of the finding, where the rule fails: it may be below the rule's, and never changes a weight."""


class Unit(NamedTuple):
    """One fault that counts once: a rule by itself, or a group of rules."""

    id: str
    pack: str
    tenths: int
    """Its weight, in tenths."""
    state: State
    open: bool
    """Whether it may still go either way: unknown or provisional."""
    members: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class PackScore:
    """The score of one pack, in points of 100; None where nothing is decided."""

    pack: str
    weight: float
    score: float | None
    low: float | None
    high: float | None
    coverage: float
    """Share of the applicable weight that is decided, in percent."""


@dataclass(frozen=True, slots=True)
class Score:
    """The overall score, in points of 100; None where no rule applies or none is decided."""

    score: float | None
    low: float | None
    high: float | None
    coverage: float
    """In percent."""
    grade: str
    """A to E, a range such as "C–A", or "insufficient evidence"."""
    caps: tuple[str, ...]
    """Why the grade is capped, in sentences."""
    packs: tuple[PackScore, ...]
    mends: Mapping[str, float]
    """Points that mending would give, by rule id; at each failing member of a group what the whole group would."""
    narrowing: Mapping[str, float]
    """Points by which stating a fact would narrow the interval, at most, by reference; the largest first."""


def state_of(verdict: Verdict) -> State:
    """The state of a rule by itself: what is not due yet counts as little as what does not apply."""
    return "not_applicable" if verdict == "not_yet_due" else verdict


def together(members: Sequence[tuple[State, bool]]) -> tuple[State, bool]:
    """The state of a group, and whether it may still go either way.

    Args:
        members: The state of each, and whether it is provisional.
    """
    states = {state for state, _ in members}
    if "fail" in states:
        return "fail", all(provisional for state, provisional in members if state == "fail")
    if "unknown" in states:
        return "unknown", True
    if "pass" in states:
        return "pass", any(provisional for _, provisional in members)
    return "not_applicable", False


def units(judged: Iterable[Judged], groups: Mapping[str, Group]) -> tuple[Unit, ...]:
    """The faults that count: rules by themselves, then groups."""
    result: list[Unit] = []
    grouped: dict[tuple[str, str], list[Judged]] = {}
    for item in judged:
        if not item.scored:
            continue
        if item.group is not None:
            grouped.setdefault((item.pack, item.group), []).append(item)
            continue
        state = state_of(item.verdict)
        worth = tenths(item.severity, item.strength)
        result.append(Unit(item.rule, item.pack, worth, state, state == "unknown" or item.provisional, (item,)))
    for (pack, id), members in grouped.items():
        state, open_ = together([(state_of(one.verdict), one.provisional) for one in members])
        group = groups[id]
        result.append(Unit(id, pack, tenths(group.severity, group.strength), state, open_, tuple(members)))
    return tuple(result)


def _grade(points: float) -> str:
    return next(letter for letter, least in GRADES if points >= least)


def _capped(letter: str, capped: bool) -> str:
    return max(letter, CAPPED_GRADE) if capped else letter


def points(value: float) -> float:
    """A figure of a score, rounded to what is shown; the last bits of a double can't tip it."""
    return round(round(value, 9), 1)


@dataclass(slots=True)
class Sums:
    """Sums of weight in one pack, in tenths."""

    applicable: int = 0
    decided: int = 0
    passed: int = 0
    surely_passed: int = 0
    possibly_passed: int = 0

    def add(self, unit: Unit) -> None:
        """Count one fault."""
        if unit.state == "not_applicable":
            return
        worth = unit.tenths
        self.applicable += worth
        if unit.state != "unknown":
            self.decided += worth
        if unit.state == "pass":
            self.passed += worth
            if not unit.open:
                self.surely_passed += worth
        if unit.state == "pass" or unit.open:
            self.possibly_passed += worth


def compute(judged: Sequence[Judged], groups: Mapping[str, Group], weights: Mapping[str, float]) -> Score:
    """The score of one audit.

    Args:
        judged: All rules with their verdicts.
        groups: The groups of all packs, by id.
        weights: The weight of each pack.

    The overall score is Σ pack weight × pack coverage × pack score / Σ pack weight × pack coverage.
    """
    counted = units(judged, groups)
    sums: dict[str, Sums] = {pack: Sums() for pack in weights}
    for unit in counted:
        sums[unit.pack].add(unit)
    applying = [(weights[pack], s) for pack, s in sums.items() if s.applicable]
    total = math.fsum(weight_ for weight_, _ in applying)
    covered = math.fsum(weight_ * s.decided / s.applicable for weight_, s in applying)
    passed = math.fsum(weight_ * s.passed / s.applicable for weight_, s in applying)
    surely = math.fsum(weight_ * s.surely_passed / s.applicable for weight_, s in applying)
    possibly = math.fsum(weight_ * s.possibly_passed / s.applicable for weight_, s in applying)
    score = points(100 * passed / covered) if covered else None
    low = points(100 * surely / total) if total else None
    high = points(100 * possibly / total) if total else None
    coverage = points(100 * covered / total) if total else 0.0
    caps = _caps(judged)
    share = {
        unit.id: weights[unit.pack] * unit.tenths / sums[unit.pack].applicable
        for unit in counted
        if unit.state != "not_applicable"
    }
    return Score(
        score=score,
        low=low,
        high=high,
        coverage=coverage,
        grade=overall_grade(score, low, high, coverage, bool(caps)),
        caps=caps,
        packs=tuple(_pack_score(pack, weights[pack], s) for pack, s in sums.items()),
        mends={
            member.rule: points(100 * share[unit.id] / covered)
            for unit in counted
            if unit.state == "fail"
            for member in unit.members
            if member.verdict == "fail"
        },
        narrowing=_narrowing(counted, share, total),
    )


def _pack_score(pack: str, weight_: float, s: Sums) -> PackScore:
    if not s.applicable:
        return PackScore(pack, weight_, None, None, None, 0.0)
    return PackScore(
        pack,
        weight_,
        points(100 * s.passed / s.decided) if s.decided else None,
        points(100 * s.surely_passed / s.applicable),
        points(100 * s.possibly_passed / s.applicable),
        points(100 * s.decided / s.applicable),
    )


def is_capping(item: Judged) -> bool:
    """Whether it is a failure that caps the grade: of a recommendation, surely, and of high severity."""
    return (
        item.scored
        and item.verdict == "fail"
        and not item.provisional
        and (item.found or item.severity) == "high"
        and item.strength == "recommendation"
    )


def _caps(judged: Sequence[Judged]) -> tuple[str, ...]:
    caps = []
    failing = [item.rule for item in judged if is_capping(item)]
    if failing:
        caps.append(
            f"A recommendation of high severity is not met ({', '.join(failing)}): the grade is {CAPPED_GRADE} at best."
        )
    # What fails for now may turn out to be met, and is then no more than claimed either.
    met = [item for item in judged if item.scored and (item.verdict == "pass" or item.provisional)]
    if met and all(item.claimed or item.verdict == "fail" for item in met):
        caps.append(
            f"All that is met rests on statements without evidence: the grade is {CAPPED_GRADE} at best. "
            "Name the documents that show it under `evidence`."
        )
    return tuple(caps)


def overall_grade(score: float | None, low: float | None, high: float | None, coverage: float, capped: bool) -> str:
    """The grade, or the range of grades, of a score."""
    if score is None or low is None or high is None or coverage < LEAST_COVERAGE:
        return "insufficient evidence"
    worst, best = _capped(_grade(low), capped), _capped(_grade(high), capped)
    return best if worst == best else f"{worst}–{best}"


def _narrowing(counted: Sequence[Unit], share: Mapping[str, float], total: float) -> Mapping[str, float]:
    """What stating each missing fact is worth: a fault's share of the interval, split among the facts it waits for."""
    narrowing: dict[str, float] = {}
    for unit in counted:
        if not unit.open:
            continue
        missing = dict.fromkeys(name for member in unit.members for name in member.missing)
        if missing:
            each = 100 * share[unit.id] / total / len(missing)
            for name in missing:
                narrowing[name] = narrowing.get(name, 0.0) + each
    shown = [(-points(value), name) for name, value in narrowing.items()]
    return {name: -value for value, name in sorted(shown)}
