"""Comparing two audits: what got better, what got worse, what is no longer known, and whether they can be compared."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeVar

from pydantic import Field

from goodcommission.auditing import stated
from goodcommission.description.document import Document
from goodcommission.description.facts import GIVEN, Facts, gather
from goodcommission.engine.texts import say_date
from goodcommission.packs.model import Outcome, Severity, Verdict
from goodcommission.report.model import (
    AuditReport,
    FactStated,
    OverallScore,
    ParameterUsed,
    Part,
    PatternResult,
    RuleResult,
    Scalar,
    plain,
)
from goodcommission.report.renaming import current_ids, under_current_ids
from goodcommission.report.rescoring import rescore
from goodcommission.report.wording import listed

Direction = Literal["better", "worse", "neither"]
_ASKED: Final[Mapping[Verdict, int]] = {"not_applicable": 0, "not_yet_due": 1, "pass": 2, "fail": 2, "unknown": 2}
"""Whether a rule is asked: not at all, later, now."""
_SEVERITIES: Final = ("low", "medium", "high")
_NUMBER: Final = re.compile(r"\[(\d+)\]")
_Given = TypeVar("_Given")


class Figures(Part):
    """A score in points of 100."""

    score: float | None
    low: float | None
    high: float | None
    coverage: float
    grade: str


class ScoreChange(Part):
    """A score before and after."""

    before: Figures
    after: Figures
    difference: float | None = Field(description="Of the scores; None where one has none.")
    low_difference: float | None
    high_difference: float | None


class Side(Part):
    """One of the two audits."""

    name: str
    file: str | None
    id: str | None
    title: str | None
    kind: str
    stage: str | None
    digest: str
    as_of: str | None
    tier: str | None
    packs_digest: str
    given: Literal["document", "report"] = Field(description="Whether its document is there, or only a report.")


class Unlike(Part):
    """Something in which the two audits were not made alike."""

    what: Literal[
        "document",
        "kind",
        "packs",
        "definitions",
        "parameter",
        "severity",
        "day",
        "tier",
        "profile",
        "waivers",
        "evidence",
        "version",
    ]
    before: str | None
    after: str | None
    message: str
    pack: str | None = Field(default=None, description="The pack that only one of them used.")


class RuleNamed(Part):
    """A rule, by its name."""

    id: str
    pack: str
    title: str


class RuleState(Part):
    """What a rule said in one of the audits."""

    verdict: Verdict
    severity: Severity
    finding: str | None
    remedy: str | None
    provisional: bool
    claimed: bool
    waived: bool
    reason: str | None
    decided_by: tuple[str, ...]
    missing: tuple[str, ...]


class FactPlaced(Part):
    """A value and its place."""

    value: Scalar | tuple[Scalar, ...] | None
    text: str
    file: str
    pointer: str
    line: int | None
    column: int | None


class FactNamed(Part):
    """A fact that decided something."""

    name: str
    title: str
    stated: FactPlaced


class RuleChange(Part):
    """A rule that says something else."""

    rule: RuleNamed
    kind: Literal["verdict", "newly_unknown", "newly_asked", "no_longer_asked", "finding", "certainty", "waiver"]
    direction: Direction = Field(description="Worse: what was met or not known is not met; better: it is met now.")
    before: RuleState
    after: RuleState
    decided_by: tuple[FactNamed, ...] = Field(description="What decides it now.")
    rule_changed: bool = Field(description="The rule itself asks something else, or by other limits.")


class PatternState(Part):
    """What came of a combined finding in one of the audits."""

    outcome: Outcome
    severity: Literal["high", "medium", "low", "positive"]
    because: tuple[str, ...]


class PatternChange(Part):
    """A combined finding of which something else came."""

    id: str
    title: str
    pack: str
    kind: Literal["concluded", "gone", "open", "severity"]
    direction: Direction
    before: PatternState
    after: PatternState


class FactChange(Part):
    """A fact that rules rest on, and that is stated otherwise."""

    name: str
    title: str
    before: FactPlaced | None = Field(description="None if it was not stated.")
    after: FactPlaced | None = Field(description="None if it is no longer stated.")


class Comparison(Part):
    """Two audits compared on the rules that both of them asked of."""

    before: Side
    after: Side
    notes: tuple[str, ...] = Field(description="What to know about how they were made.")
    unlike: tuple[Unlike, ...] = Field(description="Empty if both were made alike.")
    compared: int = Field(description="Rules that both audits have.")
    only_before: tuple[RuleNamed, ...] = Field(description="Rules and combined findings of the first audit alone.")
    only_after: tuple[RuleNamed, ...] = Field(description="Rules and combined findings of the second audit alone.")
    score: ScoreChange = Field(description="As each audit has it.")
    common_score: ScoreChange | None = Field(
        description="On the rules that both have and without waivers, where that is not the same as `score`."
    )
    rules: tuple[RuleChange, ...]
    patterns: tuple[PatternChange, ...]
    facts: tuple[FactChange, ...]
    better: int = Field(description="Rules and combined findings that got better.")
    worse: int = Field(description="Rules and combined findings that got worse.")

    @property
    def same(self) -> bool:
        """Whether nothing changed in what the rules say and what they rest on."""
        return not (self.rules or self.patterns or self.facts)


class Comparisons(Part):
    """All that two files hold, compared one by one."""

    schema_version: Literal["1.0"] = "1.0"
    comparisons: tuple[Comparison, ...]
    only_before: tuple[str, ...] = Field(description="Documents that the second file does not have.")
    only_after: tuple[str, ...] = Field(description="Documents that the first file does not have.")

    @property
    def worse(self) -> bool:
        """Whether anything got worse."""
        return any(one.worse for one in self.comparisons)

    def to_json(self) -> str:
        """The same bytes for the same input."""
        return self.model_dump_json(indent=2) + "\n"


def compare(
    before: AuditReport,
    after: AuditReport,
    *,
    documents: tuple[Document | None, Document | None] = (None, None),
    notes: Sequence[str] = (),
) -> Comparison:
    """Compare two audits.

    Better: a rule that was not met or not known is met; a finding is less severe; a combined finding is gone, a
    strength concluded. Worse is the reverse, and a newly asked rule that is not met. What is no longer known is
    neither.

    Args:
        before: What `audit` gave, or `read_reports` read.
        after: The same.
        documents: What was audited, where it is there: then values are compared, too, on which only one of the audits
            rests.
        notes: What to know about how they were made.
    """
    before = under_current_ids(before, current_ids(after))
    of_before = {result.rule.id: result for result in before.results}
    of_after = {result.rule.id: result for result in after.results}
    patterns_before = {one.id: one for one in before.patterns}
    patterns_after = {one.id: one for one in after.patterns}
    common = [id for id in of_after if id in of_before]
    changed = _changed_rules(before, after, common)
    decisive = {
        fact.name: FactNamed(name=fact.name, title=fact.title, stated=_placed(after, fact)) for fact in after.facts
    }
    rules = tuple(
        found for id in common if (found := _rule(of_before[id], of_after[id], decisive, rule_changed=id in changed))
    )
    patterns = tuple(
        change
        for id, one in patterns_after.items()
        # With members that one audit did not check, it would differ for that alone.
        if id in patterns_before
        and patterns_before[id].not_checked == one.not_checked
        and (change := _pattern(patterns_before[id], one))
    )
    unlike = tuple(_unlike(before, after))
    directions = [*(one.direction for one in rules), *(one.direction for one in patterns)]
    return Comparison(
        before=_side(before, documents[0]),
        after=_side(after, documents[1]),
        notes=tuple(notes),
        unlike=unlike,
        compared=len(common),
        only_before=_alone(before, of_after.keys() | patterns_after.keys()),
        only_after=_alone(after, of_before.keys() | patterns_before.keys()),
        score=_score(before.score, after.score),
        common_score=_common_score(before, after, common),
        rules=rules,
        patterns=patterns,
        facts=tuple(_facts(before, after, documents)),
        better=directions.count("better"),
        worse=directions.count("worse"),
    )


def pairs(
    before: Sequence[_Given], after: Sequence[_Given], named: Callable[[_Given], tuple[str | None, str]]
) -> tuple[list[tuple[_Given, _Given]], list[_Given], list[_Given]]:
    """Which of some documents are the same: by id, then by name; one on each side always are.

    Args:
        before: Documents or reports.
        after: The same.
        named: The id and the name of one.

    Returns:
        The pairs in the order of `after`, then what is left of `before` and of `after`.
    """
    if len(before) == len(after) == 1:
        return [(before[0], after[0])], [], []
    partner: dict[int, int] = {}
    by: tuple[Callable[[_Given], Hashable], ...] = (
        # Both first, so that documents that share an id are still told apart by their names.
        lambda one: named(one) if named(one)[0] else None,
        lambda one: named(one)[0],
        lambda one: named(one)[1],
        lambda one: _name_alone(named(one)[1]),
    )
    for key in by:
        free: dict[Hashable, list[int]] = defaultdict(list)
        for index, one in enumerate(before):
            if index not in partner.values() and key(one) is not None:
                free[key(one)].append(index)
        for index, one in enumerate(after):
            if index not in partner and free.get(key(one)):
                partner[index] = free[key(one)].pop(0)
    taken = set(partner.values())
    return (
        [(before[partner[index]], one) for index, one in enumerate(after) if index in partner],
        [one for index, one in enumerate(before) if index not in taken],
        [one for index, one in enumerate(after) if index not in partner],
    )


def _name_alone(name: str) -> str:
    """A name without its folders; of one notice of a file with several, what tells it from the others."""
    file, mark, notice = name.rpartition("#")
    return notice if mark and file else re.split(r"[/\\]", name)[-1]


# --- How they were made ------------------------------------------------------------------------------------------


def _side(report: AuditReport, given: Document | None) -> Side:
    document = report.document
    return Side(
        name=document.name,
        file=document.file,
        id=document.id,
        title=document.title,
        kind=document.kind,
        stage=document.stage,
        digest=document.digest,
        as_of=report.as_of,
        tier=report.tier.name,
        packs_digest=report.packs_digest,
        given="document" if given else "report",
    )


def _alone(report: AuditReport, others: Iterable[str]) -> tuple[RuleNamed, ...]:
    known = set(others)
    named = [*(_named(result) for result in report.results)]
    named += [RuleNamed(id=one.id, pack=one.pack, title=one.title) for one in report.patterns]
    return tuple(one for one in named if one.id not in known)


def _named(result: RuleResult) -> RuleNamed:
    return RuleNamed(id=result.rule.id, pack=result.rule.pack, title=result.rule.title)


def _unlike(before: AuditReport, after: AuditReport) -> Iterator[Unlike]:
    old, new = before.document, after.document
    if old.id != new.id and old.id and new.id:
        yield Unlike(what="document", before=old.id, after=new.id, message=f"the documents’ ids: {old.id} and {new.id}")
    if old.kind != new.kind:
        kinds = (old.kind.replace("_", " "), new.kind.replace("_", " "))
        yield Unlike(what="kind", before=old.kind, after=new.kind, message=f"a {kinds[0]} and a {kinds[1]}")
    if before.as_of != after.as_of:
        said = f"the day of the audit: {_day(before)} and {_day(after)}"
        yield Unlike(what="day", before=before.as_of, after=after.as_of, message=said)
    if before.tier.name != after.tier.name:
        tiers = (before.tier.name, after.tier.name)
        said = f"how much is asked of a purchase of this size: {tiers[0] or 'not known'} and {tiers[1] or 'not known'}"
        yield Unlike(what="tier", before=tiers[0], after=tiers[1], message=said)
    if before.require_evidence != after.require_evidence:
        asked = ["required" if one.require_evidence else "not required" for one in (before, after)]
        said = f"evidence for what is stated: {asked[0]} and {asked[1]}"
        yield Unlike(what="evidence", before=asked[0], after=asked[1], message=said)
    packs = list(_packs(before, after))
    parameters = list(_parameters(before, after))
    severities = list(_severities(before, after))
    yield from (*packs, *parameters, *severities)
    if before.packs_digest != after.packs_digest and not (packs or parameters or severities):
        digests = (before.packs_digest, after.packs_digest)
        said = "the rule packs: what they share, or what was configured for them, is not the same"
        yield Unlike(what="definitions", before=digests[0], after=digests[1], message=said)
    profiles = (old.profile, new.profile)
    if (profiles[0] and profiles[0].digest) != (profiles[1] and profiles[1].digest):
        names = [one.name if one else None for one in profiles]
        said = f"the commissioner’s profile: {names[0] or 'none'} and {names[1] or 'none'}"
        if names[0] == names[1]:
            said = f"the commissioner’s profile {names[0]} was changed"
        yield Unlike(what="profile", before=names[0], after=names[1], message=said)
    waived = [sum(r.waived is not None for r in report.results) for report in (before, after)]
    if waived[0] != waived[1]:
        said = f"rules waived, which do not count in the score: {waived[0]} and {waived[1]}"
        yield Unlike(what="waivers", before=str(waived[0]), after=str(waived[1]), message=said)
    if before.goodcommission != after.goodcommission:
        versions = (before.goodcommission, after.goodcommission)
        said = f"the version of goodcommission: {versions[0]} and {versions[1]}"
        yield Unlike(what="version", before=versions[0], after=versions[1], message=said)


def _day(report: AuditReport) -> str:
    return say_date(dt.date.fromisoformat(report.as_of)) if report.as_of else "no particular day"


def _packs(before: AuditReport, after: AuditReport) -> Iterator[Unlike]:
    old, new = {pack.id: pack for pack in before.packs}, {pack.id: pack for pack in after.packs}
    for id in (*old, *(id for id in new if id not in old)):
        if id not in new:
            said = f"the pack {id}: the old audit alone"
            yield Unlike(what="packs", before=old[id].version, after=None, message=said, pack=id)
        elif id not in old:
            said = f"the pack {id}: the new audit alone"
            yield Unlike(what="packs", before=None, after=new[id].version, message=said, pack=id)
        elif old[id].version != new[id].version:
            versions = (old[id].version, new[id].version)
            said = f"the pack {id}: version {versions[0]} and {versions[1]}"
            yield Unlike(what="packs", before=versions[0], after=versions[1], message=said)
        elif old[id].digest != new[id].digest:
            said = f"the pack {id}: both say version {old[id].version}, but it was changed"
            yield Unlike(what="packs", before=old[id].digest, after=new[id].digest, message=said)
    checked = {one.id: one.not_checked for one in before.patterns}
    partly = [one.id for one in after.patterns if checked.get(one.id, one.not_checked) != one.not_checked]
    if partly:
        said = (
            f"combined findings of which one audit checked more than the other, and that are left out: {listed(partly)}"
        )
        yield Unlike(what="packs", before=None, after=None, message=said)


def _parameters(before: AuditReport, after: AuditReport) -> Iterator[Unlike]:
    old, new = ({(one.pack, one.name): one for one in report.parameters} for report in (before, after))
    for key, one in new.items():
        if key in old and (old[key].value, old[key].bands) != (one.value, one.bands):
            values = (_limit(old[key]), _limit(one))
            said = f"the limit {one.name} ({one.pack}): {values[0]} and {values[1]}"
            yield Unlike(what="parameter", before=values[0], after=values[1], message=said)


def _limit(one: ParameterUsed) -> str:
    if one.bands is None:
        return f"{one.value:g}" if isinstance(one.value, float) else str(one.value)
    return ", ".join(f"{value:g}" + ("" if below is None else f" below {below:g}") for below, value in one.bands)


def _severities(before: AuditReport, after: AuditReport) -> Iterator[Unlike]:
    """Rules, groups and combined findings that are weighed otherwise in one of the audits, or not asked."""
    old, new = ({one.name: one for one in r.adjusted if one.kind == "severity"} for r in (before, after))
    for name in (*old, *(name for name in new if name not in old)):
        one = old.get(name) or new[name]
        values = tuple(side[name].after if name in side else one.before for side in (old, new))
        if values[0] != values[1]:
            said = f"the configured severity of {name}: {values[0]} and {values[1]}"
            yield Unlike(what="severity", before=values[0], after=values[1], message=said)


def _changed_rules(before: AuditReport, after: AuditReport, common: Sequence[str]) -> set[str]:
    """The rules that ask something else, by another condition or by another limit."""
    logics = [{one.rule: one for one in report.logic} for report in (before, after)]
    limits = {(one.pack, one.name): (one.value, one.bands) for one in before.parameters}
    moved = {
        (one.pack, one.name) for one in after.parameters if limits.get((one.pack, one.name)) != (one.value, one.bands)
    }
    changed = set()
    for id in common:
        old, new = logics[0].get(id), logics[1].get(id)
        if old is not None and new is not None:
            written = new.model_dump_json() if moved else ""
            uses = any(pack == new.pack and re.search(rf"\bparams\.{name}\b", written) for pack, name in moved)
            if old != new or uses:
                changed.add(id)
    return changed


# --- Scores ------------------------------------------------------------------------------------------------------


def _score(before: OverallScore, after: OverallScore) -> ScoreChange:
    return ScoreChange(
        before=_figures(before),
        after=_figures(after),
        difference=_difference(before.score, after.score),
        low_difference=_difference(before.low, after.low),
        high_difference=_difference(before.high, after.high),
    )


def _figures(score: OverallScore) -> Figures:
    return Figures(score=score.score, low=score.low, high=score.high, coverage=score.coverage, grade=score.grade)


def _difference(before: float | None, after: float | None) -> float | None:
    # Adding 0.0 makes a difference of -0.0 plain.
    return None if before is None or after is None else round(after - before, 1) + 0.0


def _common_score(before: AuditReport, after: AuditReport, common: Sequence[str]) -> ScoreChange | None:
    """The scores on the rules that both have, without waivers; None where they are the scores of the audits."""
    both = set(common)
    alone = [[r.rule.id for r in report.results if r.rule.id not in both] for report in (before, after)]
    if not any(alone) and not any(r.waived for report in (before, after) for r in report.results):
        return None
    scores = [rescore(report, dict.fromkeys(ids)).score for report, ids in zip((before, after), alone, strict=True)]
    if scores == [before.score, after.score]:
        return None
    return _score(*scores)


# --- Rules and combined findings ---------------------------------------------------------------------------------


def _rule(old: RuleResult, new: RuleResult, facts: Mapping[str, FactNamed], *, rule_changed: bool) -> RuleChange | None:
    known = _kind(old, new)
    if known is None:
        return None
    kind, direction = known
    return RuleChange(
        rule=_named(new),
        kind=kind,
        direction=direction,
        before=_state(old),
        after=_state(new),
        decided_by=tuple(facts[name] for name in new.decided_by if name in facts),
        rule_changed=rule_changed,
    )


def _kind(
    old: RuleResult, new: RuleResult
) -> (
    tuple[
        Literal["verdict", "newly_unknown", "newly_asked", "no_longer_asked", "finding", "certainty", "waiver"],
        Direction,
    ]
    | None
):
    was, now = old.verdict, new.verdict
    if _ASKED[now] > _ASKED[was]:
        return "newly_asked", "worse" if now == "fail" else "neither"
    if _ASKED[now] < _ASKED[was]:
        return "no_longer_asked", "neither"
    if was != now:
        if now == "unknown":
            return "newly_unknown", "neither"
        return "verdict", "better" if now == "pass" else "worse"
    if now == "fail" and (old.finding, old.severity) != (new.finding, new.severity):
        heavier = _SEVERITIES.index(new.severity) - _SEVERITIES.index(old.severity)
        return "finding", "worse" if heavier > 0 else "better" if heavier < 0 else "neither"
    if (old.provisional, old.claimed) != (new.provisional, new.claimed):
        return "certainty", "neither"
    if (old.waived is None) != (new.waived is None):
        return "waiver", "neither"
    return None


def _state(result: RuleResult) -> RuleState:
    return RuleState(
        verdict=result.verdict,
        severity=result.severity,
        finding=result.finding,
        remedy=result.remedy,
        provisional=result.provisional,
        claimed=result.claimed,
        waived=result.waived is not None,
        reason=result.reason,
        decided_by=result.decided_by,
        missing=result.missing,
    )


def _pattern(old: PatternResult, new: PatternResult) -> PatternChange | None:
    good = "positive" in (old.severity, new.severity)
    kind: Literal["concluded", "gone", "open", "severity"]
    direction: Direction = "neither"
    if new.outcome == "concluded" and old.outcome != "concluded":
        kind, direction = "concluded", "better" if good else "worse"
    elif old.outcome == "concluded" and new.outcome == "excluded":
        kind, direction = "gone", "worse" if good else "better"
    elif old.outcome == "concluded" and new.outcome == "open":
        kind = "open"
    elif old.outcome == new.outcome == "concluded" and old.severity != new.severity and not good:
        heavier = _SEVERITIES.index(new.severity) > _SEVERITIES.index(old.severity)
        kind, direction = "severity", "worse" if heavier else "better"
    else:
        return None
    states = [PatternState(outcome=one.outcome, severity=one.severity, because=one.because) for one in (old, new)]
    return PatternChange(
        id=new.id, title=new.title, pack=new.pack, kind=kind, direction=direction, before=states[0], after=states[1]
    )


# --- Facts -------------------------------------------------------------------------------------------------------


def _facts(
    before: AuditReport, after: AuditReport, documents: tuple[Document | None, Document | None]
) -> Iterator[FactChange]:
    """Facts of another value, and those that were not stated on one side.

    A report holds only the facts that decided something: without its document, one that it neither holds nor misses
    is not known to differ.
    """
    (old, not_in_old), (new, not_in_new) = (
        _known(before, after, documents[0]),
        _known(after, before, documents[1]),
    )
    moved = _moved(old, new)
    for name in (*new, *(name for name in old if name not in new)):
        one, other = old.get(name), new.get(name)
        if one and other:
            changed = (one.value, one.text) != (other.value, other.text)
        else:
            changed = name in (not_in_old if other else not_in_new)
        if changed and name not in moved:
            yield FactChange(
                name=name,
                title=(other or one or old[name]).title,
                before=_placed(before, one) if one else None,
                after=_placed(after, other) if other else None,
            )


def _known(
    report: AuditReport, other: AuditReport, document: Document | None
) -> tuple[dict[str, FactStated], set[str]]:
    """The facts known of one side, and the names of those that it is known not to state."""
    known = {fact.name: fact for fact in report.facts if fact.name != "as_of"}
    absent = {fact.name for fact in report.missing} - known.keys()
    if document is not None:
        facts = gather(document, report.currency)
        asked = {fact.name for fact in other.facts if fact.name != "as_of" and fact.name == plain(fact.name)}
        asked -= known.keys()
        there = {name for name in asked if _is_stated(name, facts)}
        known.update({fact.name: fact for fact in stated(document, report.currency, facts, there)})
        # What is missing for a rule may be stated, in a form that does not help it.
        absent = (absent | asked) - there
    return known, absent


def _is_stated(reference: str, facts: Facts) -> bool:
    name, bracket, rest = reference.partition("[")
    if not bracket:
        return name in facts.values or facts.values.get(name + GIVEN) is False
    index, _, field = rest.partition("].")
    items, at = facts.values.get(name), int(index.removesuffix("]"))
    return isinstance(items, list) and at < len(items) and (not field or field in items[at])


def _moved(old: Mapping[str, FactStated], new: Mapping[str, FactStated]) -> set[str]:
    """The facts of lists whose items stand in another order and say the same."""
    lists = [_items(old), _items(new)]
    return {
        name
        for head in lists[0].keys() & lists[1].keys()
        if sorted(map(repr, lists[0][head].values())) == sorted(map(repr, lists[1][head].values()))
        for name in (*old, *new)
        if name.partition("[")[0] == head and "[" in name
    }


def _items(facts: Mapping[str, FactStated]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """By list and number of the item: what is stated of it."""
    items: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for name, fact in facts.items():
        if found := _NUMBER.search(name):
            items[name[: found.start()]][found[1]].append((name[found.end() :], fact.text))
    return items


def _placed(report: AuditReport, fact: FactStated) -> FactPlaced:
    document = report.document
    return FactPlaced(
        value=fact.value,
        text=fact.text,
        file=document.file if document.file and fact.file == document.name else fact.file,
        pointer=fact.pointer,
        line=fact.line,
        column=fact.column,
    )
