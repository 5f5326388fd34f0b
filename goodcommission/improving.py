"""The smallest change: the cheapest set of edits with which a description reaches a score, and what each gives.

Nothing is added up that could be tried: every figure is the score of the description with the edits in it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from pydantic import Field

from goodcommission import scoring
from goodcommission.auditing import audit, counted, judge_all
from goodcommission.description.document import Document
from goodcommission.description.facts import COMPLETE, GIVEN, Fact, days, dictionary, gather
from goodcommission.description.reading import read_description
from goodcommission.description.types import NONE
from goodcommission.description.writing import as_written
from goodcommission.engine.mending import CannotMendError, Change, Kind, Operation, apply, changes, plain, stated
from goodcommission.engine.texts import say, say_date
from goodcommission.engine.verdicts import RuleVerdict, Setting
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.packs.model import Severity, Tier, Verdict
from goodcommission.report.model import FactMissing, Part

TARGET: Final = 80.0
COSTS: Final[Mapping[Kind, int]] = {"safe": 0, "decision": 1, "evidence": 3}
"""What an edit costs. A convention: a decision takes a meeting, what must be done first takes weeks."""
FACTS_TO_STATE: Final = 3
_ROUNDS: Final = 8
"""So often a finding is followed by another of the same rule, or of one that the edit breaks."""
_TOGETHER: Final = 6
"""Faults that touch each other are tried in all combinations, up to so many; beyond, each by itself."""
_TRIES: Final = 20


# --- What is found -----------------------------------------------------------------------------------------------


class Figures(Part):
    """The score in points of 100, with the interval and the grade."""

    score: float | None
    low: float | None
    high: float | None
    grade: str


class ProposedEdit(Part):
    """One edit of the description."""

    kind: Kind
    name: str = Field(description="The fact or the part of one, such as requirements.insurance[1].needed_by.")
    pointer: str = Field(description="JSON pointer into the file; a list's new item ends with /-.")
    title: str
    before: str | None = Field(description="What is stated now, in words; None if nothing is.")
    after: str = Field(description="What is to be stated, in words.")
    value: Any = Field(description="What is to be stated, as a description writes it.")


class MendedRule(Part):
    """A rule that fails, and the edits after which it does not."""

    rule: str
    title: str
    finding: str
    remedy: str | None
    severity: Severity
    verdict: Literal["pass", "unknown"] = Field(description="After the edits.")
    in_patch: bool = Field(description="All its edits are safe or decisions, and it passes after them.")
    edits: tuple[ProposedEdit, ...] = Field(description="Empty where the edits of another rule mend it as well.")
    then_state: tuple[str, ...] = Field(description="Facts to state before it can pass.")


class Step(Part):
    """A fault that counts once (a rule or a group of rules), and what mending all of it gives."""

    id: str
    title: str
    kind: Kind = Field(description="Of its hardest edit.")
    cost: int
    points: float = Field(description="By which the score rises in the order of the steps.")
    points_alone: float = Field(description="By which it would rise with this step alone.")
    rules: tuple[MendedRule, ...]


class NotOffered(Part):
    """A rule that fails and for which there are no edits to offer."""

    rule: str
    finding: str
    reason: str


class Improvement(Part):
    """The cheapest edits that reach a score; a pure function of the description, the packs, the day and the target."""

    schema_version: Literal["1.0"] = "1.0"
    name: str = Field(description="The file as it was named, or how the description came.")
    title: str | None
    as_of: str | None
    target: float
    reached: bool = Field(description="With all steps; without, they give the best score that edits can give.")
    now: Figures
    with_patch: Figures = Field(description="With the patch applied, and nothing else.")
    with_all: Figures = Field(description="With all steps, once what they ask for is done and stated.")
    cost: int
    costs: Mapping[Kind, int]
    steps: tuple[Step, ...] = Field(description="Steps that are wholly in the patch come first.")
    patch: tuple[Operation, ...] = Field(description="JSON Patch (RFC 6902): safe edits and decisions only.")
    patch_is_for: Literal["file", "converted"] = Field(
        description="A published notice is not changed: its patch is for the description that `convert` makes of it."
    )
    not_offered: tuple[NotOffered, ...]
    state_first: tuple[FactMissing, ...] = Field(description="The facts whose statement narrows the interval most.")

    def to_json(self) -> str:
        """The same bytes for the same input."""
        return self.model_dump_json(indent=2) + "\n"

    def patch_json(self) -> str:
        """The patch alone."""
        return json.dumps(list(self.patch), ensure_ascii=False, indent=2) + "\n"


def improve(
    description: Document | Mapping[str, Any] | str | os.PathLike[str],
    packs: Packs | Sequence[str] | None = None,
    *,
    target: float = TARGET,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    as_of: dt.date | None = None,
    tier: Tier | None = None,
    costs: Mapping[Kind, int] = COSTS,
    require_evidence: bool = False,
) -> Improvement:
    """The cheapest set of edits with which a description reaches a score.

    The edits are the remedies of the rules themselves. Facts that are not stated are not guessed: they stay unknown,
    and the best of them are named.

    Args:
        description: As for `audit`.
        packs: As for `audit`.
        target: The score to reach, in points of 100.
        commissioner: As for `audit`.
        as_of: As for `audit`; some edits are made on this day.
        tier: As for `audit`.
        costs: What an edit of each kind costs.
        require_evidence: As for `audit`. An edit states something, and does not prove it: what it mends is open then.

    Raises:
        DescriptionError: The description can't be read or is not valid.
        PackError: A pack is not there.
    """
    document = (
        description if isinstance(description, Document) else read_description(description, commissioner=commissioner)
    )
    # What is raised is the score, which is of practice.
    used = (packs if isinstance(packs, Packs) else load_packs(packs)).practice
    report = audit(document, used, as_of=as_of, tier=tier, engine="reference", require_evidence=require_evidence)
    day = None if report.as_of is None else days(dt.date.fromisoformat(report.as_of))
    raw = plain(description) if isinstance(description, Mapping) and document.origin == "description" else None
    bench = _Bench(used, tier, day, _profile(document), require_evidence)
    base = bench.state(raw if raw is not None else as_written(document))
    faults, left_out = _faults(bench, base, costs, frozenset(document.profile.facts if document.profile else ()))
    chosen = _choose(bench, base, faults, target)
    plan = _apply_all(bench, base, chosen, faults, costs)
    return Improvement(
        name=document.name,
        title=document.description.title,
        as_of=report.as_of,
        target=target,
        reached=(plan.state.score.score or 0.0) >= target if plan.state.score.score is not None else False,
        now=_figures(base),
        with_patch=_figures(plan.patched),
        with_all=_figures(plan.state),
        cost=sum(step.cost for step in plan.steps),
        costs=dict(costs),
        steps=tuple(plan.steps),
        patch=tuple(plan.patch),
        patch_is_for="converted" if document.origin == "ocds" else "file",
        not_offered=tuple(one for one in left_out if plan.state.verdict(one.rule) == "fail"),
        state_first=tuple(fact for fact in report.missing if fact.narrows)[:FACTS_TO_STATE],
    )


def _profile(document: Document) -> Mapping[str, Any] | None:
    """What the commissioner's profile fills in, to be filled in again."""
    if document.profile is None or document.description.commissioner is None:
        return None
    names = {name.partition(".")[2] for name in document.profile.facts}
    stated = document.description.commissioner.model_dump(mode="json", include=names)
    evidence = [
        one.model_dump(mode="json", exclude_none=True)
        for one in document.profile.evidence
        if any(f"/commissioner/{name}/".startswith(f"{one.pointer.rstrip('/')}/") for name in names)
    ]
    return {"commissioner": stated, "evidence": evidence}


# --- Trying ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, slots=True)
class _State:
    """A description as it is written, and what the rules say of it."""

    raw: dict[str, Any]
    setting: Setting
    verdicts: Mapping[str, RuleVerdict]
    judged: tuple[scoring.Judged, ...]
    score: scoring.Score
    passed: float
    covered: float

    def verdict(self, rule: str) -> Verdict:
        return self.verdicts[rule].verdict if rule in self.verdicts else "not_applicable"

    def failing(self) -> set[str]:
        return {id for id, verdict in self.verdicts.items() if verdict.verdict == "fail"}


@dataclass(frozen=True, slots=True)
class _Mend:
    """How a rule is mended: its edits, and what is then."""

    rule: str
    changes: tuple[Change, ...]
    state: _State

    @property
    def complete(self) -> bool:
        """Whether the rule passes with what can be written into a description as a decision."""
        return self.state.verdict(self.rule) == "pass" and all(change.kind != "evidence" for change in self.changes)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What counts once: a failing rule or group, with the edits of each failing member."""

    unit: scoring.Unit
    mends: tuple[_Mend, ...]
    state: _State
    edits: Mapping[tuple[str, str], int]
    """What each edit costs."""
    waiting: int
    """What it costs to find out what must be stated besides."""
    outside: bool
    """An edit belongs into the commissioner's profile, not into this file."""

    @property
    def cost(self) -> int:
        return sum(self.edits.values()) + self.waiting

    @property
    def touched(self) -> set[str]:
        return {_base(change.reference) for mend in self.mends for change in mend.changes}


@dataclass(slots=True)
class _Bench:
    """Where edits are tried: everything but the description stays as it is."""

    packs: Packs
    tier: Tier | None
    day: int | None
    profile: Mapping[str, Any] | None
    require_evidence: bool = False
    known: dict[str, _State] = field(default_factory=dict)

    def state(self, raw: dict[str, Any]) -> _State:
        key = json.dumps(raw, sort_keys=True)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._judge(raw)
        return found

    def _judge(self, raw: dict[str, Any]) -> _State:
        document = read_description(raw, commissioner=self.profile)
        facts = gather(document, self.packs.currency)
        if self.day is not None:
            facts = replace(facts, values={**facts.values, "as_of": self.day})
        setting, verdicts = judge_all(document, facts, self.packs, self.tier, require_evidence=self.require_evidence)
        pairs = list(zip(self.packs.rules, verdicts, strict=True))
        judged = tuple(counted(verdict) for verdict in verdicts if verdict is not None)
        score = scoring.compute(judged, self.packs.groups, self.packs.weights)
        passed, covered = _sums(scoring.units(judged, self.packs.groups), self.packs.weights)
        said = {rule.rule.id: verdict for rule, verdict in pairs if verdict is not None}
        return _State(raw, setting, said, judged, score, passed, covered)

    def with_changes(self, state: _State, made: Iterable[Change]) -> _State:
        raw = plain(state.raw)
        for change in made:
            apply(raw, change)
        return self.state(raw)

    def mend(self, start: _State, rule: str) -> _Mend | None:
        """Edits after which a failing rule no longer fails, and no other does that did not; None if there are none."""
        made: list[Change] = []
        state, allowed = start, start.failing() - {rule}
        for _ in range(_ROUNDS):
            failing = [rule] if state.verdict(rule) == "fail" else sorted(state.failing() - allowed)
            if not failing:
                break
            try:
                more = changes(state.verdicts[failing[0]], state.setting, state.raw, self.profile)
                if not more:
                    return None
                more = [replace(change, kind="evidence") if self._past(change) else change for change in more]
                state = self.with_changes(state, more)
            except (CannotMendError, DescriptionError):
                return None
            made += more
        if not self._mended(state, rule, allowed):
            return None
        return self._least(_Mend(rule, tuple(made), state), start, allowed)

    def _past(self, change: Change) -> bool:
        """Whether it states a day that is over: that can be true, and nobody can decide it any more."""
        fact = dictionary().get(change.reference)
        dated = fact is not None and fact.type == "date" and change.value != NONE
        return dated and self.day is not None and days(dt.date.fromisoformat(change.value)) < self.day

    def _mended(self, state: _State, rule: str, allowed: set[str]) -> bool:
        return state.verdict(rule) in ("pass", "unknown") and state.failing() <= allowed

    def _least(self, mend: _Mend, start: _State, allowed: set[str]) -> _Mend:
        """The mend without the edits that it can do without, what would have to be done or stated first."""
        for change in sorted(mend.changes, key=lambda change: change.kind != "evidence"):
            fewer = tuple(other for other in mend.changes if other is not change)
            try:
                state = self.with_changes(start, fewer)
            except (CannotMendError, DescriptionError):
                continue  # An edit of an item needs the one that adds it.
            if self._mended(state, mend.rule, allowed) and state.verdict(mend.rule) == mend.state.verdict(mend.rule):
                mend = _Mend(mend.rule, fewer, state)
        return mend

    def apply(self, fault: _Fault, state: _State) -> _State | None:
        """The description with a fault mended as well; None if that can't be done beside what is mended already."""
        members = [mend.rule for mend in fault.mends]
        try:
            after = self.with_changes(state, (change for mend in fault.mends for change in mend.changes))
        except (DescriptionError, IndexError, KeyError):
            after = state
        if after.failing() <= state.failing() - set(members):
            return after
        after = state
        for rule in members:
            if after.verdict(rule) == "fail":
                mend = self.mend(after, rule)
                if mend is None:
                    return None
                after = mend.state
        return after


def _base(reference: str) -> str:
    return reference.partition("[")[0].removesuffix(COMPLETE).removesuffix(GIVEN)


def _sums(units: Iterable[scoring.Unit], weights: Mapping[str, float]) -> tuple[float, float]:
    """What passes and what is decided, so that score = 100 × passed / covered (see `scoring.compute`)."""
    applying: dict[str, list[scoring.Unit]] = {}
    for unit in units:
        if unit.state != "not_applicable":
            applying.setdefault(unit.pack, []).append(unit)
    shares = [
        (unit.state, weights[pack] * unit.tenths / sum(other.tenths for other in members))
        for pack, members in applying.items()
        for unit in members
    ]
    return (
        math.fsum(share for state, share in shares if state == "pass"),
        math.fsum(share for state, share in shares if state != "unknown"),
    )


def _figures(state: _State) -> Figures:
    score = state.score
    return Figures(score=score.score, low=score.low, high=score.high, grade=score.grade)


def _gain(before: _State, after: _State) -> float:
    return scoring.points((after.score.score or 0.0) - (before.score.score or 0.0))


# --- What can be mended ------------------------------------------------------------------------------------------


def _faults(
    bench: _Bench, base: _State, costs: Mapping[Kind, int], profile: frozenset[str]
) -> tuple[list[_Fault], list[NotOffered]]:
    """The faults that edits mend, and the rules for which there are none."""
    faults, left_out = [], []
    for unit in scoring.units(base.judged, bench.packs.groups):
        if unit.state != "fail":
            continue
        mends: list[_Mend] = []
        state = base
        for member in unit.members:
            if member.verdict != "fail" or state.verdict(member.rule) != "fail":
                continue
            mend = bench.mend(state, member.rule)
            if mend is None:
                break
            mends.append(mend)
            state = mend.state
        failing = [member.rule for member in unit.members if member.verdict == "fail"]
        if any(state.verdict(rule) == "fail" for rule in failing):
            for rule in failing:
                verdict = base.verdicts[rule]
                left_out.append(
                    NotOffered(rule=rule, finding=verdict.finding or "", reason=_why_not(bench, base, rule, failing))
                )
            continue
        edits = {change.key: costs[change.kind] for mend in mends for change in mend.changes}
        waiting = sum(costs["evidence"] for mend in mends if mend.state.verdict(mend.rule) == "unknown")
        outside = any(_base(reference) in profile for reference, _ in edits)
        faults.append(_Fault(unit, tuple(mends), state, edits, waiting, outside))
    return faults, left_out


def _why_not(bench: _Bench, base: _State, rule: str, failing: Sequence[str]) -> str:
    if bench.mend(base, rule) is not None:
        others = ", ".join(other for other in failing if other != rule)
        return f"it counts as one fault with {others}, and not all of it can be mended by edits"
    if any("as_of" in edit.names for branch in bench.packs.rule(rule).branches for edit in branch.mend) and (
        bench.day is None
    ):
        return "it is mended on a day, and no day is known"
    return "no edit of the description mends it without another rule failing, or what is stated is too little for one"


# --- Choosing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Option:
    """Some of the faults that touch each other, mended: what that costs, and what it does to the score's sums."""

    faults: tuple[int, ...]
    cost: int
    edits: int
    passed: float
    covered: float

    def value(self, share: float) -> float:
        """What it contributes towards a score of this share: all of these together must make up what is lacking."""
        return self.passed - share * self.covered


def _clusters(bench: _Bench, faults: Sequence[_Fault]) -> list[list[int]]:
    """Faults in clusters: those of one cluster write or read the same facts, or facts that one rule reads.

    A rule's verdict depends on nothing but what it reads, so clusters do not influence each other.
    """
    reads = [{_base(name) for name in rule.reads} for rule in bench.packs.rules]
    reads += [{_base(name) for name in gate.reads} for gate in bench.packs.tiers if gate]
    seen = [{at for at, names in enumerate(reads) if names & fault.touched} for fault in faults]
    clusters: list[list[int]] = []
    for index, mine in enumerate(seen):
        near = [cluster for cluster in clusters if any(seen[other] & mine for other in cluster)]
        clusters = [cluster for cluster in clusters if cluster not in near]
        clusters.append(sorted([index, *(other for cluster in near for other in cluster)]))
    parts: list[list[int]] = []
    for cluster in clusters:
        parts.extend([cluster] if len(cluster) <= _TOGETHER else [[index] for index in cluster])
    return parts


def _options(bench: _Bench, base: _State, faults: Sequence[_Fault], cluster: Sequence[int]) -> list[_Option]:
    """All combinations of the faults of a cluster that can be mended together, nothing among them."""
    states: dict[tuple[int, ...], _State | None] = {(): base}
    options = [_Option((), 0, 0, 0.0, 0.0)]
    for size in range(1, len(cluster) + 1):
        for some in itertools.combinations(cluster, size):
            before = states[some[:-1]]
            state = states[some] = None if before is None else bench.apply(faults[some[-1]], before)
            if state is None:
                continue
            edits = {key: cost for index in some for key, cost in faults[index].edits.items()}
            cost = sum(edits.values()) + sum(faults[index].waiting for index in some)
            passed, covered = state.passed - base.passed, state.covered - base.covered
            options.append(_Option(some, cost, len(edits), passed, covered))
    return options


def _choose(bench: _Bench, base: _State, faults: Sequence[_Fault], target: float) -> list[int]:
    """The faults to mend: the cheapest that reach the target, then the fewest edits; else those that give the most."""
    if base.score.score is None or base.score.score >= target:
        return []
    choices = [_options(bench, base, faults, cluster) for cluster in _clusters(bench, faults)]
    share = (target - 0.05) / 100 + 1e-9  # Scores are rounded to a tenth.
    for _ in range(_TRIES):
        chosen = _cheapest(choices, share * base.covered - base.passed, share)
        if chosen is None:
            break
        score = _together(bench, base, faults, chosen)
        if score >= target:
            return chosen
        share += max(target - score, 0.05) / 100  # Edits that widen what applies, or stand in each other's way.
    return _best(bench, base, faults, choices)


def _together(bench: _Bench, base: _State, faults: Sequence[_Fault], chosen: Iterable[int]) -> float:
    state = base
    for index in chosen:
        state = bench.apply(faults[index], state) or state
    return state.score.score or 0.0


def _cheapest(choices: Sequence[Sequence[_Option]], lacking: float, share: float) -> list[int] | None:
    """One option of each cluster, at the lowest cost, that together make up what is lacking."""
    table: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for options in choices:
        grown: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
        for (cost, edits), (value, chosen) in table.items():
            for option in options:
                key, more = (cost + option.cost, edits + option.edits), value + option.value(share)
                if key not in grown or more > grown[key][0] + 1e-12:
                    grown[key] = (more, (*chosen, *option.faults))
        table, most = {}, -math.inf
        for key in sorted(grown):  # What costs more and gives no more is never of use.
            if grown[key][0] > most + 1e-12:
                table[key], most = grown[key], grown[key][0]
    for key in sorted(table):
        if table[key][0] >= lacking - 1e-12:
            return sorted(table[key][1])
    return None


def _best(bench: _Bench, base: _State, faults: Sequence[_Fault], choices: Sequence[Sequence[_Option]]) -> list[int]:
    """The faults with which the score is highest, at the lowest cost."""
    chosen: list[int] = []
    score = base.score.score or 0.0
    for _ in range(_TRIES):
        best = [
            max(options, key=lambda option: (round(option.value(score / 100), 12), -option.cost, -option.edits))
            for options in choices
        ]
        found = sorted(index for option in best for index in option.faults)
        reached = _together(bench, base, faults, found)
        if reached <= score:
            break
        chosen, score = found, reached
    return chosen


# --- The plan ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """The chosen edits, one after the other."""

    state: _State
    patched: _State
    steps: list[Step]
    patch: list[Operation]


def _apply_all(
    bench: _Bench, base: _State, chosen: Sequence[int], faults: Sequence[_Fault], costs: Mapping[Kind, int]
) -> _Plan:
    """Mend the chosen faults in order: first what can be patched, then what must be done or stated first."""

    def order(index: int) -> tuple[bool, float, int]:
        fault = faults[index]
        whole = not fault.outside and all(mend.complete for mend in fault.mends)
        return not whole, -_gain(base, fault.state) / (fault.cost or 0.5), index

    ordered = sorted(chosen, key=order)
    plan = _Plan(base, base, [], [])
    mended: dict[int, list[tuple[_State, _Mend, bool]]] = {index: [] for index in ordered}
    gains = dict.fromkeys(ordered, 0.0)
    for patching in (True, False):
        for index in ordered:
            fault, before = faults[index], plan.state
            for one in fault.mends:
                if any(mend.rule == one.rule for _, mend, _ in mended[index]):
                    continue
                mend = _Mend(one.rule, (), plan.state) if plan.state.verdict(one.rule) != "fail" else None
                mend = mend or bench.mend(plan.state, one.rule)
                if mend is None or (patching and (fault.outside or not mend.complete)):
                    continue
                mended[index].append((plan.state, mend, patching))
                if patching:
                    raw = plain(plan.state.raw)
                    plan.patch += [operation for change in mend.changes for operation in apply(raw, change)]
                plan.state = mend.state
            gains[index] += _gain(before, plan.state)
        if patching:
            plan.patched = plan.state
    for index in ordered:
        plan.steps.append(_step(bench, base, faults[index], costs, gains[index], mended[index]))
    return plan


def _step(
    bench: _Bench,
    base: _State,
    fault: _Fault,
    costs: Mapping[Kind, int],
    gained: float,
    mended: Sequence[tuple[_State, _Mend, bool]],
) -> Step:
    group = bench.packs.groups.get(fault.unit.id)
    kinds = [change.kind for _, mend, _ in mended for change in mend.changes]
    hardest: Kind = "evidence" if any(not patched for _, _, patched in mended) else "safe"
    for kind in ("decision", "evidence"):
        hardest = kind if kind in kinds and hardest != "evidence" else hardest
    return Step(
        id=fault.unit.id,
        title=group.title if group else bench.packs.rule(fault.unit.id).rule.title,
        kind=hardest,
        cost=sum(costs[kind] for kind in kinds) + fault.waiting,
        points=scoring.points(gained),
        points_alone=_gain(base, fault.state),
        rules=tuple(_rule(base, *one) for one in mended),
    )


def _rule(base: _State, before: _State, mend: _Mend, patched: bool) -> MendedRule:
    found = base.verdicts[mend.rule]
    after = mend.state.verdicts[mend.rule]
    raw = plain(before.raw)
    edits = []
    for change in mend.changes:
        edits.append(_proposed(change, raw))
        apply(raw, change)
    return MendedRule(
        rule=mend.rule,
        title=found.rule.rule.title,
        finding=found.finding or "",
        remedy=found.remedy,
        severity=found.severity,
        verdict="pass" if after.verdict == "pass" else "unknown",
        in_patch=patched,
        edits=tuple(edits),
        then_state=after.missing if after.verdict == "unknown" else (),
    )


def _proposed(change: Change, raw: Mapping[str, Any]) -> ProposedEdit:
    """An edit in words, beside what is written so far."""
    head, bracket, rest = change.reference.partition("[")
    of_list = head.removesuffix(COMPLETE) if head not in dictionary() else head
    fact = dictionary()[of_list]
    title, part, value = fact.title, fact, change.value
    pointer, before = stated(raw, change)
    if bracket:
        index, _, name = rest.partition("].")
        part = fact.fields[name]
        title = f"{part.title} ({fact.title}, {_item(raw, pointer, int(index))})"
    elif of_list != head:
        title = f"whether these are all ({fact.title})"
        if not pointer.endswith("/complete"):
            value = {"complete": value, "items": plain(stated(raw, Change(of_list, None, change.kind))[1])}
    return ProposedEdit(
        kind=change.kind,
        name=change.reference,
        pointer=pointer,
        title=title,
        before=None if before is None else _spoken(before, part),
        after=_spoken(change.value, part),
        value=value,
    )


def _item(raw: Any, pointer: str, index: int) -> str:
    """An item of a list as a reader tells it from the others."""
    here = raw
    for step in pointer.split("/")[1:-1]:
        here = here[int(step)] if isinstance(here, list) else here[step]
    named = next((here[name] for name in ("name", "group", "kind") if isinstance(here.get(name), str)), None)
    return f"no. {index + 1}" + (f": {named.replace('_', ' ')}" if named else "")


def _spoken(value: Any, fact: Fact) -> str:
    """A value as it is written in a description, in words."""
    if isinstance(value, dict):
        if value.keys() == {"amount", "currency"}:
            return say(value["amount"], value["currency"])
        return _spoken(value["items"], fact) if "items" in value else "; ".join(str(part) for part in value.values())
    if isinstance(value, list):
        return ", ".join(_spoken(item, fact) for item in value) or NONE
    if fact.type == "date" and value != NONE:
        return say_date(dt.date.fromisoformat(value))
    if isinstance(value, str):
        return say(value, "enum" if fact.type in ("enum", "list_enum") else None)
    return say(value, "share" if fact.unit == "share" else None)
