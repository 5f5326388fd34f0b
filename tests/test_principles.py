"""The principles on which commissioners trust an audit, tried on every rule, every case and every example."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn import full, is_money, smaller, stated, thinned
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import scoring
from goodcommission.auditing import audit, tier_reached
from goodcommission.description.document import Document
from goodcommission.description.facts import COMPLETE, GIVEN, Facts, date, days, dictionary, gather
from goodcommission.description.reading import read_description
from goodcommission.engine.law import Regime
from goodcommission.engine.verdicts import RuleVerdict, Setting, judge
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.compiling import Packs, compile_packs
from goodcommission.packs.loading import load_packs, pack_files, read_pack, shipped_folder
from goodcommission.packs.model import STAGES, TIERS, Tier
from goodcommission.regimes import regime_of
from goodcommission.report.model import AuditReport

HERE = Path(__file__).parent
EXAMPLES = sorted(
    path
    for folder in (shipped_folder("examples"), shipped_folder("examples") / "ocds")
    for path in folder.iterdir()
    if path.suffix in (".json", ".yaml")
)
VIGNETTES: list[dict[str, Any]] = yaml.safe_load((HERE / "fixtures" / "vignettes.yaml").read_text("utf-8"))
DECIDED = ("pass", "fail")
SEEDS = st.integers(0, 2**32 - 1)
tried = settings(max_examples=120)


# What is audited here


@dataclass(frozen=True, eq=False)
class Story:
    """A description that is tried."""

    name: str
    raw: dict[str, Any]
    rule: str = ""
    tier: Tier | None = "large"
    as_of: str | None = None

    @property
    def day(self) -> dt.date | None:
        return dt.date.fromisoformat(self.as_of) if self.as_of else None


@cache
def packs() -> Packs:
    """The shipped packs with their cases, which the built form leaves out."""
    return compile_packs([read_pack(path) for path in pack_files(shipped_folder("rules"))])


@cache
def stories() -> tuple[Story, ...]:
    """All cases of all rules, all examples, all vignettes."""
    found = []
    for compiled in packs().rules:
        rule = compiled.rule
        for case in rule.cases:
            raw = {"kind": rule.applies_to[0], "stage": rule.due_from, **case.given}
            raw = {name: value for name, value in raw.items() if value is not None}
            tier = None if case.tier == "from_value" else case.tier
            law = compiled.law
            verified = date(law.verified_on).isoformat() if law and law.verified_on else None
            found.append(Story(f"{rule.id} “{case.name}”", raw, rule.id, tier, case.as_of or verified))
    found += [Story(one["id"], one["description"], tier=one.get("tier")) for one in VIGNETTES]
    for path in EXAMPLES:
        for tier in (None, "large"):
            raw = read_description(path).description.model_dump(mode="json", exclude_none=True)
            found.append(Story(f"{path.name} ({tier})", raw, tier=tier))
    return tuple(found)


def stories_of(pack: str) -> list[Story]:
    ids = {rule.rule.id for rule in packs().rules if rule.pack == pack}
    return [story for story in stories() if story.rule in ids] if pack else [s for s in stories() if not s.rule]


PACK_IDS = ["", *(pack for pack in packs().ids if any(rule.pack == pack for rule in packs().rules))]
each_pack = pytest.mark.parametrize("pack", PACK_IDS, ids=[pack or "examples" for pack in PACK_IDS])


gather_all = gather
"""Exchanged by a test, to see that the others would notice."""


@dataclass(frozen=True)
class Judged:
    """What all rules say of a description."""

    facts: Facts
    verdicts: dict[str, RuleVerdict]


def judged(
    raw: dict[str, Any], tier: Tier | None = "large", day: dt.date | None = None, regime: Regime | None = None
) -> Judged:
    document = read_description(raw)
    kind, stage = document.description.kind, document.description.stage
    facts = gather_all(document, packs().currency)
    if day is not None:
        facts = replace(facts, values={**facts.values, "as_of": days(day)})
    setting = Setting(facts, kind, None if stage is None else STAGES.index(stage), (), facts.values.get("as_of"))
    setting.tiers = tier_reached(packs(), setting, tier)
    setting.regime = regime or regime_of(packs(), setting)
    asked = [rule for rule in packs().rules if kind in rule.rule.applies_to]
    return Judged(facts, {rule.rule.id: judge(rule, setting) for rule in asked})


def audited(story: Story, **options: Any) -> AuditReport:
    return audit(story.raw, packs(), tier=story.tier, as_of=story.day, engine="reference", **options)


def sample(step: int) -> list[Story]:
    """The examples and vignettes, and one in so many of the cases."""
    cases = [story for story in stories() if story.rule]
    return [*(story for story in stories() if not story.rule), *cases[::step]]


def scored(report: AuditReport) -> list[scoring.Judged]:
    """A report's results as the score sees them."""
    return [
        scoring.Judged(
            one.rule.id,
            one.rule.pack,
            one.rule.group,
            one.rule.severity,
            one.rule.strength,
            one.verdict,
            one.provisional,
            one.claimed,
            one.rule.scored,
            one.missing,
            one.severity,
        )
        for one in report.results
    ]


def compute(given: list[scoring.Judged]) -> scoring.Score:
    return scoring.compute(given, packs().groups, packs().weights)


# Taking away and adding: drawn.py


def base(reference: str) -> str:
    """The fact that a reference belongs to."""
    return reference.partition("[")[0].removesuffix(COMPLETE).removesuffix(GIVEN)


def is_known(reference: str, facts: Facts) -> bool:
    """Whether what a reference names is stated."""
    name, bracket, rest = reference.partition("[")
    if not bracket:
        return name in facts.values or name + GIVEN in facts.values
    index, _, part = rest.partition("]")
    items = facts.values.get(name, [])
    return int(index) < len(items) and (not part or part.removeprefix(".") in items[int(index)])


def is_a_name(reference: str) -> bool:
    """Whether a reference names something that a description can state."""
    name, bracket, rest = reference.partition("[")
    if name == "as_of":
        return True
    if name.endswith(COMPLETE):
        return dictionary()[name.removesuffix(COMPLETE)].type.startswith("list")
    return name in dictionary() and (not bracket or rest.partition("].")[2] in dictionary()[name].fields)


def firm(verdict: RuleVerdict) -> bool:
    """Decided for good: nothing that is still to be stated may change it."""
    return (verdict.verdict in DECIDED and not verdict.provisional) or verdict.verdict == "not_applicable"


def unfounded(before: Judged, after: Judged, what: str) -> list[str]:
    """What is wrong with the verdicts on the smaller of two descriptions, of which one holds the other."""
    wrong = []
    gone = {
        base(name)
        for name in before.facts.values.keys() | after.facts.values.keys()
        if before.facts.values.get(name) != after.facts.values.get(name)
    }
    for id, less in after.verdicts.items():
        more = before.verdicts[id]
        if firm(less) and (more.verdict, more.provisional) != (less.verdict, less.provisional):
            wrong.append(f"{what}: {id} was {more.verdict} and becomes {less.verdict}")
        if firm(more) and not firm(less) and less.verdict != "not_yet_due" and not gone & {*map(base, less.missing)}:
            wrong.append(f"{what}: {id} was {more.verdict}, is {less.verdict} and names only {less.missing}")
        wrong += ill_explained(less, after.facts, f"{what}: {id}")
    return wrong


def ill_explained(verdict: RuleVerdict, facts: Facts, what: str) -> list[str]:
    """What is wrong with the facts that a verdict names."""
    wrong = [f"{what} rests on {name}, which is not stated" for name in verdict.settled if not is_known(name, facts)]
    wrong += [f"{what} names {name}, which cannot be stated" for name in verdict.missing if not is_a_name(name)]
    if verdict.verdict == "unknown" and not verdict.missing and not verdict.reason:
        wrong.append(f"{what} is unknown, and nobody learns why")
    if verdict.verdict == "unknown" and verdict.missing and all(is_known(name, facts) for name in verdict.missing):
        told = any(facts.values.get(name + GIVEN) is False for name in verdict.missing)
        if not told:
            wrong.append(f"{what} waits for {verdict.missing}, all of it stated")
    if verdict.provisional and not verdict.missing:
        wrong.append(f"{what} is provisional, and nothing could overturn it")
    if verdict.verdict in DECIDED and not verdict.provisional and verdict.missing:
        wrong.append(f"{what} is decided, and waits for {verdict.missing}")
    return wrong


# Silence never fails


@each_pack
def test_taking_any_statement_away_neither_fails_nor_passes_a_rule(pack: str) -> None:
    wrong: list[str] = []
    for story in stories_of(pack):
        # Evidence is for something that is stated, so it goes first; it never decides.
        raw = {name: value for name, value in story.raw.items() if name != "evidence"}
        before = judged(raw, story.tier, story.day)
        for id, verdict in before.verdicts.items():
            wrong += ill_explained(verdict, before.facts, f"{story.name}: {id}")
        for place, less in smaller(raw):
            wrong += unfounded(before, judged(less, story.tier, story.day), f"{story.name} without {place}")
    assert wrong == []


@tried
@given(SEEDS)
def test_stating_more_changes_nothing_that_was_decided(seed: int) -> None:
    chance = random.Random(seed)
    raw, tier = full(seed), chance.choice((None, *TIERS))

    def of_practice(raw: dict[str, Any]) -> Judged:
        found = judged(raw, tier)
        return Judged(found.facts, {id: one for id, one in found.verdicts.items() if one.rule.law is None})

    before = of_practice(raw)
    for _ in range(4):
        raw = thinned(raw, chance, chance.choice((0.03, 0.1, 0.3)))
        after = of_practice(raw)
        assert unfounded(before, after, str(seed)) == []
        assert_nested(before, after)
        before = after


@tried
@given(SEEDS)
def test_stating_more_changes_nothing_that_the_law_decided(seed: int) -> None:
    chance = random.Random(seed)
    raw = full(seed)
    # What is drawn contradicts itself: that one law is stated, and the signs of another. So the law is given here.
    law = Regime(chance.choice(sorted(packs().regime_titles)), "given", candidates=None)
    law = replace(law, candidates=frozenset({law.id or ""}), territory="england", territories=frozenset({"england"}))

    def of_law(raw: dict[str, Any]) -> Judged:
        found = judged(raw, "large", dt.date(2026, 11, 20), law)
        return Judged(found.facts, {id: one for id, one in found.verdicts.items() if one.rule.law is not None})

    before = of_law(raw)
    for _ in range(4):
        raw = thinned(raw, chance, chance.choice((0.03, 0.1, 0.3)))
        after = of_law(raw)
        assert unfounded(before, after, str(seed)) == []
        before = after


def test_whoever_answers_what_is_missing_gets_a_verdict() -> None:
    """Facts are named until all is decided; none that could decide stays unnamed."""
    for story in [story for story in stories() if story.rule][::15]:
        chance = random.Random(story.name)
        raw = {name: value for name, value in story.raw.items() if name != "evidence"}
        found, given_up = judged(raw, story.tier, story.day), set()
        for _ in range(12):
            waiting = {name for one in found.verdicts.values() for name in one.missing if one.verdict == "unknown"}
            waiting = {name for name in waiting if not is_known(name, found.facts)} - given_up - {"as_of"}
            if not waiting:
                break
            for name in sorted(waiting):
                raw, was = answered(raw, name, found.facts, chance), raw
                if raw is was:
                    given_up.add(name)
            before, found = found, judged(raw, story.tier, story.day)
            assert unfounded(found, before, story.name) == []
        assert not waiting, f"{story.name}: {waiting}"
        for id, one in found.verdicts.items():
            told = any(found.facts.values.get(name + GIVEN) is False for name in one.missing)
            if one.verdict == "unknown" and not told and not {*map(base, one.missing)} & {*map(base, given_up)}:
                assert one.reason, f"{story.name}: {id} waits for {one.missing}"


def answered(raw: dict[str, Any], name: str, facts: Facts, chance: random.Random) -> dict[str, Any]:
    """The description with an answer to what is missing, or the same one where each answer contradicts the rest."""
    path = facts.pointer(name).split("/")[1:]
    field = name.partition("].")[2]
    fact = dictionary()[base(name)]
    for _ in range(20):
        here: Any = (richer := dict(raw))
        for step in path[:-1]:  # A copy of what is on the way is enough.
            at = int(step) if isinstance(here, list) else step
            here[at] = copy.copy(here[at]) if isinstance(here, list) or at in here else {}
            here = here[at]
        if name.endswith(COMPLETE):
            items = here[path[-1]]
            here[path[-1]] = {"complete": True, "items": items["items"] if isinstance(items, dict) else items}
        else:
            here[path[-1]] = stated(fact.fields[field] if field else fact, chance)
        try:
            read_description(richer)
        except DescriptionError:
            continue
        return richer
    return raw


def counted(found: Judged) -> list[scoring.Judged]:
    """Verdicts as the score sees them; a rule for other documents does not apply."""
    rows = []
    for compiled in packs().rules:
        rule, verdict = compiled.rule, found.verdicts.get(compiled.rule.id)
        row = (rule.id, compiled.pack, rule.group, rule.severity, rule.strength)
        if verdict is None:
            rows.append(scoring.Judged(*row, "not_applicable", scored=rule.scored and compiled.law is None))
        else:
            outcome = (verdict.verdict, verdict.provisional, verdict.claimed)
            counts = rule.scored and compiled.law is None
            rows.append(scoring.Judged(*row, *outcome, counts, verdict.missing, verdict.severity))
    return rows


def assert_nested(more: Judged, less: Judged) -> None:
    """The interval of the fuller description lies within that of the smaller one.

    Where a plan with a date makes a rule pass before it is due, the rule joins the score; only then it may not.
    """
    if any(one.verdict == "not_yet_due" != more.verdicts[id].verdict for id, one in less.verdicts.items()):
        return
    outer, within = compute(counted(less)), compute(counted(more))
    if within.low is None or within.high is None or outer.low is None or outer.high is None:
        assert within.low is None
        return
    assert outer.low - 0.1 <= within.low <= within.high <= outer.high + 0.1


def test_it_would_be_noticed_if_silence_counted_as_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def presuming(document: Document, currency: str = "GBP") -> Facts:
        facts = gather(document, currency)
        no = {fact.name: False for fact in dictionary().values() if fact.type == "bool"}
        return replace(facts, values={**no, **facts.values})

    monkeypatch.setitem(globals(), "gather_all", presuming)
    with pytest.raises(AssertionError, match="becomes fail"):
        test_taking_any_statement_away_neither_fails_nor_passes_a_rule("equality-impact")


def test_it_would_be_noticed_if_a_rule_took_an_open_list_for_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pack = {
        "pack": "hasty",
        "version": "1.0.0",
        "title": "A pack that trusts open lists",
        "sources": {"nobody": {"title": "Nobody's report"}},
        "rules": [
            {
                "id": "HA-01",
                "title": "It is not re-tendered out of habit",
                "asks": "That it is not re-tendered out of habit.",
                "phase": "procurement",
                "applies_to": ["tender"],
                "severity": "low",
                "strength": "experience",
                "kind": "direct",
                "require": "!retender.reasons.exists(r, r == 'policy_default')",
                "finding": "Habit is the reason.",
                "why": "Habit is no reason.",
                "remedy": "Give a reason.",
                "sources": [{"source": "nobody"}],
            }
        ],
    }
    path = tmp_path / "hasty.yaml"
    path.write_text(yaml.safe_dump(pack), "utf-8")
    hasty = compile_packs([*packs().packs, read_pack(path)])
    monkeypatch.setitem(globals(), "packs", lambda: hasty)
    raw = {"kind": "tender", "retender": {"reasons": ["need_changed", "policy_default"]}}
    before = judged(raw)
    wrong = [fault for place, less in smaller(raw) for fault in unfounded(before, judged(less), place)]
    assert wrong == ["retender/reasons/1: HA-01 was fail and becomes pass"]


def test_null_says_as_much_as_silence() -> None:
    for story in sample(8):
        raw = {name: value for name, value in story.raw.items() if name != "evidence"}
        silent = {name: value for name, value in raw.items() if name in ("kind", "stage", "value")}
        nulls = dict.fromkeys(raw) | silent
        assert results(judged(nulls, story.tier, story.day)) == results(judged(silent, story.tier, story.day))
        for place, _ in itertools.islice(smaller(raw), 12):
            if (nulled := with_null(raw, place.split("/"))) is not None:
                without = dict(smaller(raw))[place]
                found, expected = judged(nulled, story.tier, story.day), judged(without, story.tier, story.day)
                assert found.facts.values == expected.facts.values, f"{story.name}: {place}"
                assert results(found) == results(expected), f"{story.name}: {place}"


def with_null(raw: dict[str, Any], path: list[str]) -> dict[str, Any] | None:
    """The description with null at this place, or None if it is an item of a list."""
    raw = copy.deepcopy(raw)
    here: Any = raw
    for step in path[:-1]:
        here = here[int(step)] if isinstance(here, list) else here[step]
    if isinstance(here, list):
        return None
    here[path[-1]] = None
    return raw


def results(found: Judged) -> dict[str, tuple[Any, ...]]:
    return {id: (one.verdict, one.severity, one.provisional, one.missing) for id, one in found.verdicts.items()}


# Provisional verdicts


def test_a_provisional_verdict_counts_and_may_still_go_either_way() -> None:
    needed = {"PP-01", "SC-03", "SC-05", "SC-10", "SU-03"}
    seen: set[str] = set()
    for story in [*sample(5), *(story for story in stories() if story.rule in needed)]:
        report = audited(story)
        for one in report.results:
            if not one.provisional or packs().rule(one.rule.id).law is not None:
                continue
            seen.add(one.rule.id)
            assert one.verdict in DECIDED and one.missing
            alone = [row._replace(group=None) for row in scored(report) if row.rule == one.rule.id]
            score = compute(alone)
            if one.rule.scored:
                assert (score.low, score.high, score.coverage) == (0, 100, 100)
                assert score.score == (100 if one.verdict == "pass" else 0)
            assert all(score.narrowing[name] > 0 for name in one.missing) or not one.rule.scored
            assert {rule for name in report.missing for rule in name.rules if name.name in one.missing} >= {one.rule.id}
        assert_turning_stays_within(report)
    assert seen >= needed


def assert_turning_stays_within(report: AuditReport) -> None:
    """However what is open turns out, the score stays within the interval."""
    rows = scored(report)
    for turned in ("pass", "fail"):
        settled = [
            row._replace(verdict=turned, provisional=False) if row.provisional or row.verdict == "unknown" else row
            for row in rows
        ]
        score = compute(settled).score
        if report.score.low is None or report.score.high is None:
            assert score is None
        else:
            assert score is not None and report.score.low - 0.05 <= score <= report.score.high + 0.05


# Not yet due


@each_pack
def test_before_it_is_due_a_rule_never_fails_and_passes_only_on_a_plan(pack: str) -> None:
    passed: set[str] = set()
    for story in stories_of(pack):
        found = {stage: judged({**story.raw, "stage": stage}, story.tier, story.day) for stage in STAGES}
        for stage, compiled in itertools.product(STAGES, packs().rules):
            rule = compiled.rule
            if rule.id not in found[stage].verdicts or STAGES.index(stage) >= compiled.due:
                continue
            early, due = found[stage].verdicts[rule.id], found[rule.due_from].verdicts[rule.id]
            assert early.verdict != "fail", f"{story.name}: {rule.id} at {stage}"
            assert early.verdict != "pass" or compiled.planned is not None
            if early.verdict == "not_yet_due":
                assert rule.due_from in (early.reason or "")
            if early.verdict == "pass" and due.verdict == "fail" and rule.id not in TERMS:
                passed.add(rule.id)
                dated = [name for name in early.settled if dictionary()[base(name)].type == "date"]
                assert dated, f"{story.name}: {rule.id} passes at {stage} without a date"
    if pack in PLANS:
        assert passed == PLANS[pack]


PLANS = {"equality-impact": {"EI-07"}, "subcontracting": {"SC-06"}}
"""Rules that would fail once they are due and that a plan, with its date, passes until then."""
TERMS = {"SC-10"}
"""Rules on terms that stand in a draft already; what comes of them later is asked when it is due."""


def test_a_plan_is_said_to_be_one_also_where_it_is_open_whether_the_rule_applies() -> None:
    plan = {"stage": "draft", "equality": {"meeting_planned_for": "2026-03-01", "marginalised_users_met": False}}
    asked = judged({"kind": "tender", "process": {"route": "open_tender"}, **plan}).verdicts["EI-07"]
    assert (asked.verdict, asked.reason) == ("pass", "planned, with a date")
    there = {"kind": "tender", "stage": "draft", "process": {"route": "open_tender"}}
    done = judged({**there, "equality": {"marginalised_users_met": True}}).verdicts["EI-07"]
    assert (done.verdict, done.reason) == ("pass", "in place before it is due")
    open_ = judged({"kind": "tender", **plan}).verdicts["EI-07"]
    assert (open_.verdict, open_.missing) == ("unknown", ("process.route",))
    assert open_.reason == "if it is asked, it is met on what is stated"


# Tiers


@each_pack
def test_what_is_asked_of_small_contracts_is_asked_alike_of_larger_ones(pack: str) -> None:
    for story in stories_of(pack):
        found = {tier: judged(story.raw, tier, story.day).verdicts for tier in TIERS}
        for compiled, tier in itertools.product(packs().rules, TIERS):
            rule = compiled.rule
            if rule.id not in found[tier]:
                continue
            verdict, large = found[tier][rule.id], found["large"][rule.id]
            if TIERS.index(tier) >= TIERS.index(rule.tier):
                same = (verdict.verdict, verdict.settled, verdict.missing, verdict.finding)
                assert same == (large.verdict, large.settled, large.missing, large.finding), story.name
            else:
                assert verdict.verdict == "not_applicable" and rule.tier in (verdict.reason or "")


@each_pack
def test_without_a_value_only_what_is_asked_of_all_is_decided(pack: str) -> None:
    for story in stories_of(pack):
        raw = {name: value for name, value in story.raw.items() if name not in ("value", "evidence")}
        found, large = judged(raw, None, story.day).verdicts, judged(raw, "large", story.day).verdicts
        for id, verdict in found.items():
            if packs().rule(id).rule.tier == "small":
                assert results_of(verdict) == results_of(large[id])
            else:
                assert verdict.verdict in ("unknown", "not_applicable", "not_yet_due"), f"{story.name}: {id}"
                assert verdict.verdict != "unknown" or "value.total" in verdict.missing


def results_of(verdict: RuleVerdict) -> tuple[Any, ...]:
    return verdict.verdict, verdict.severity, verdict.provisional, verdict.missing, verdict.settled


@pytest.mark.parametrize(
    ("amount", "tier"),
    [(0, "small"), (49999.99, "small"), (50000, "medium"), (663539.99, "medium"), (663540, "large")],
)
def test_the_value_says_how_much_is_asked(amount: float, tier: str) -> None:
    report = audit({"kind": "tender", "value": {"total": {"amount": amount, "currency": "GBP"}}}, packs())
    assert (report.tier.name, report.tier.basis) == (tier, "value")
    asked = {one.rule.tier for one in report.results if not (one.reason or "").startswith("asked ")}
    assert asked == set(TIERS[: TIERS.index(report.tier.name or "small") + 1])


# Claims


@each_pack
def test_what_is_met_is_a_claim_until_a_deciding_statement_has_evidence(pack: str) -> None:
    for story in stories_of(pack):
        bare = Story(
            story.name, {name: v for name, v in story.raw.items() if name != "evidence"}, "", story.tier, story.as_of
        )
        report = audited(bare)
        passes = [one for one in report.results if one.verdict == "pass"]
        assert all(one.claimed for one in passes)
        assert report.score.claimed == report.score.passes
        if passes:
            assert_below(report.score.grade, "C")
        places = {fact.name: fact.pointer for fact in report.facts}
        for one in passes:
            if story.rule not in ("", one.rule.id):
                continue
            for name in one.decided_by:
                if name in ("kind", "stage"):
                    continue
                evidence = [{"pointer": places[name], "document": "the file"}]
                shown = audited(Story(story.name, {**bare.raw, "evidence": evidence}, "", story.tier, story.as_of))
                again = shown.result(one.rule.id)
                assert (again.verdict, again.claimed) == ("pass", False), f"{story.name}: {one.rule.id}, {places[name]}"
                assert next(fact for fact in shown.facts if fact.name == name).evidenced
                assert verdicts(shown) == verdicts(report)


def assert_below(grade: str, letter: str) -> None:
    """No letter of a grade is better than this one."""
    assert grade == "insufficient evidence" or all(part >= letter for part in grade.split("–"))


def verdicts(report: AuditReport) -> dict[str, tuple[str, bool, str]]:
    return {one.rule.id: (one.verdict, one.provisional, one.severity) for one in report.results}


def row(id: str, verdict: Any, **more: Any) -> scoring.Judged:
    fields = {"pack": "p", "group": None, "severity": "high", "strength": "recommendation", **more}
    return scoring.Judged(id, verdict=verdict, **fields)


@pytest.mark.parametrize(
    ("rows", "grade"),
    [
        ([row("A-1", "pass"), row("A-2", "pass")], "A"),
        ([row("A-1", "pass", claimed=True), row("A-2", "pass", claimed=True)], "C"),
        ([row("A-1", "pass", claimed=True), row("A-2", "pass")], "A"),
        ([row("A-1", "fail"), *(row(f"A-{n}", "pass") for n in range(2, 40))], "C"),
        ([row("A-1", "fail", found="medium"), *(row(f"A-{n}", "pass") for n in range(2, 40))], "A"),
        ([row("A-1", "fail", severity="medium"), *(row(f"A-{n}", "pass") for n in range(2, 40))], "A"),
        ([row("A-1", "fail", strength="experience"), *(row(f"A-{n}", "pass") for n in range(2, 40))], "A"),
        ([row("A-1", "fail"), row("A-2", "pass")], "D"),
    ],
)
def test_claims_and_a_failing_recommendation_cap_the_grade(rows: list[scoring.Judged], grade: str) -> None:
    assert scoring.compute(rows, {}, {"p": 1.0}).grade == grade


# Amounts in another currency


@each_pack
def test_amounts_in_another_currency_are_unknown_and_it_is_said_why(pack: str) -> None:
    for story in stories_of(pack):
        text = json.dumps({name: value for name, value in story.raw.items() if name != "evidence"})
        raw = json.loads(text)
        if '"GBP"' not in text:
            continue
        euros = json.loads(text.replace('"GBP"', '"EUR"'))
        assert unfounded(judged(raw, story.tier, story.day), judged(euros, story.tier, story.day), story.name) == []
        report = audited(Story(story.name, euros, "", story.tier, story.as_of))
        facts = gather(read_description(euros))
        for one in report.missing:
            if is_money(stated_at(euros, facts.pointer(one.name))):
                assert "EUR" in (one.reason or ""), f"{story.name}: {one.name}"


def stated_at(raw: Any, pointer: str) -> Any:
    """The value at a JSON pointer, or None."""
    try:
        return resolve(raw, pointer)
    except (KeyError, IndexError):
        return None


def resolve(raw: Any, pointer: str) -> Any:
    """The value at a JSON pointer."""
    for step in pointer.split("/")[1:]:
        raw = raw[int(step)] if isinstance(raw, list) else raw[step.replace("~1", "/").replace("~0", "~")]
    return raw


# The same question, the same answer


def content(report: AuditReport) -> dict[str, Any]:
    """What a report says, without which text it was read from and where it stands there."""
    place = {"pointer", "file", "line", "column"}
    proof = {"__all__": {"document"}}
    return report.model_dump(
        exclude={"document": {"name", "file", "digest"}, "facts": {"__all__": place}, "proof": proof}
    )


def shuffled(value: Any, chance: random.Random, lists: bool) -> Any:
    """The same statements in another order."""
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: shuffled(value[name], chance, lists) for name in names}
    if isinstance(value, list):
        items = [shuffled(item, chance, lists) for item in value]
        return chance.sample(items, len(items)) if lists else items
    return value


def test_the_same_input_gives_the_same_bytes() -> None:
    again = compile_packs(packs().packs)
    for story in sample(24):
        first = audited(story).to_json()
        raw = copy.deepcopy(story.raw)
        assert audit(raw, again, tier=story.tier, as_of=story.day, engine="reference").to_json() == first
        assert raw == story.raw
        assert (
            audited(Story(story.name, shuffled(raw, random.Random(1), False), "", story.tier, story.as_of)).to_json()
            == first
        )


def test_the_order_of_lists_changes_no_verdict() -> None:
    for story in sample(6):
        report = audited(story)
        bare = audited(Story(story.name, {**story.raw, "evidence": None}, "", story.tier, story.as_of))
        for seed in range(2):
            raw = shuffled({**story.raw, "evidence": None}, random.Random(seed), lists=True)
            other = audited(Story(story.name, raw, "", story.tier, story.as_of))
            assert verdicts(other) == verdicts(report)
            assert (other.score, other.packs) == (bare.score, bare.packs)
            assert [(one.id, one.outcome, one.severity) for one in other.patterns] == [
                (one.id, one.outcome, one.severity) for one in report.patterns
            ]


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    for story in sample(16):
        as_json, as_yaml = tmp_path / "description.json", tmp_path / "description.yaml"
        as_json.write_text(json.dumps(story.raw, indent=1), "utf-8")
        as_yaml.write_text(yaml.safe_dump(story.raw, allow_unicode=True, sort_keys=False), "utf-8")
        options: dict[str, Any] = {"tier": story.tier, "as_of": story.day, "engine": "reference"}
        first, second = audit(as_json, packs(), **options), audit(as_yaml, packs(), **options)
        assert content(first) == content(second) == content(audited(story))
        for report, path in ((first, as_json), (second, as_yaml)):
            text = path.read_text("utf-8")
            assert_places(report, story.raw, dict(written(text)))


def written(text: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """JSON pointer of each value of a text (JSON is YAML here), with its line and column."""
    waiting = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    while waiting:
        pointer, node = waiting.pop()
        yield pointer, (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            waiting += [(f"{pointer}/{key.value}", value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(f"{pointer}/{index}", value) for index, value in enumerate(node.value)]


def assert_places(report: AuditReport, raw: Any, places: dict[str, tuple[int, int]]) -> None:
    """Each fact leads to its value in the text."""
    for fact in report.facts:
        if fact.name != "as_of":
            resolve(raw, fact.pointer)
            assert (fact.line, fact.column) == places[fact.pointer], fact.name


def test_the_order_of_packs_changes_nothing() -> None:
    loaded = [read_pack(path) for path in pack_files(shipped_folder("rules"))]
    turned = compile_packs(loaded[::-1])
    assert load_packs(packs().ids[::-1]) is load_packs(packs().ids)
    for story in sample(16):
        report = audited(story)
        other = audit(story.raw, turned, tier=story.tier, as_of=story.day, engine="reference")
        assert verdicts(other) == verdicts(report)
        assert figures(other) == figures(report)
        assert {one.id: one for one in other.patterns} == {one.id: one for one in report.patterns}
        assert other.facts == report.facts
        assert [(one.name, one.narrows, {*one.rules}) for one in other.missing] == [
            (one.name, one.narrows, {*one.rules}) for one in report.missing
        ]


def figures(report: AuditReport) -> tuple[Any, ...]:
    """The score without the sentences that name rules in the order of the packs."""
    score = report.score
    return score.score, score.low, score.high, score.coverage, score.grade, len(score.caps), score.passes, score.claimed


def test_threads_get_the_same_bytes() -> None:
    chosen = sample(24)[:60:2]

    def all_of_them(turn: int) -> list[str]:
        order = [*chosen[turn:], *chosen[:turn]]
        found = {one.name: audit(one.raw, packs(), tier=one.tier, as_of=one.day).to_json() for one in order}
        return [found[one.name] for one in chosen]

    alone = all_of_them(0)
    with ThreadPoolExecutor(8) as threads:
        assert all(found == alone for found in threads.map(all_of_them, range(8)))


def test_another_process_gets_the_same_bytes() -> None:
    """Python draws the order of sets anew in each process; no report may show it."""
    script = (
        "import hashlib, json, sys; from goodcommission.auditing import audit; seen = hashlib.sha256()\n"
        "for raw in json.load(sys.stdin): seen.update(audit(raw, engine='reference').to_json().encode())\n"
        "print(seen.hexdigest())"
    )
    given = json.dumps([story.raw for story in sample(16)])
    found = [
        subprocess.run(
            [sys.executable, "-c", script],
            input=given,
            capture_output=True,
            text=True,
            check=True,
            cwd=HERE.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]


# The report


@each_pack
def test_the_report_leads_from_each_verdict_to_its_facts(pack: str) -> None:
    for story in stories_of(pack):
        report = audited(story)
        stated_names, missing = {fact.name for fact in report.facts}, {one.name: one for one in report.missing}
        for one in report.results:
            assert stated_names >= {*one.decided_by}
            assert missing.keys() >= {*one.missing}
            assert all(one.rule.id in (*missing[name].rules, *missing[name].law) for name in one.missing)
            assert (one.finding is not None) == (one.verdict == "fail")
            assert one.verdict != "fail" or one.remedy
        for pattern in report.patterns:
            assert missing.keys() >= {*pattern.missing}
        assert all(one.title for one in report.missing)
        for fact in report.facts:
            if fact.name != "as_of":
                assert_shows(fact.value, resolve(story.raw, fact.pointer), fact.name)
        assert_score(report)


def assert_shows(shown: Any, written: Any, name: str) -> None:
    """The report shows the value that stands at the pointer."""
    if is_money(written):
        assert shown == pytest.approx(written["amount"])
    elif isinstance(written, dict | list):
        items = written.get("items", written) if isinstance(written, dict) else written
        if name.endswith(COMPLETE):
            assert shown is True
        elif isinstance(items, list) and items and isinstance(items[0], dict):
            assert shown == len(items)
        elif isinstance(items, list):
            assert list(shown) == items
    elif dictionary()[base(name)].type == "money" and written == "none":
        assert shown == 0
    elif name.partition("].")[2] and isinstance(written, str) and shown == "stated":
        assert written != "none"
    else:
        assert shown == written, name


def assert_score(report: AuditReport) -> None:
    """The score follows from the results, and each mend gives the points that it promises."""
    rows = scored(report)
    score = compute(rows)
    shown = report.score
    assert (shown.score, shown.low, shown.high) == (score.score, score.low, score.high)
    assert (shown.coverage, shown.grade, shown.caps) == (score.coverage, score.grade, score.caps)
    for one in report.results:
        assert (one.points is not None) == (one.verdict == "fail" and one.rule.scored)
        if one.points is None:
            continue
        unit = (one.rule.pack, one.rule.group or one.rule.id)
        mended = [
            row._replace(verdict="pass", provisional=False)
            if (row.pack, row.group or row.rule) == unit and row.verdict in ("fail", "unknown") and row.scored
            else row
            for row in rows
        ]
        after = compute(mended).score
        assert after is not None and score.score is not None
        assert after - score.score == pytest.approx(one.points, abs=0.1001), one.rule.id


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_each_fact_of_an_example_leads_to_its_place_in_the_file(path: Path) -> None:
    text = path.read_text("utf-8")
    raw = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    report = audit(path, packs(), tier="large", engine="reference")
    places = dict(written(text))
    for fact in report.facts:
        if fact.name != "as_of":
            resolve(raw, fact.pointer)
            assert (fact.line, fact.column) == places[fact.pointer], fact.name
    assert report.document.origin == ("ocds" if path.parent.name == "ocds" else "description")


def test_no_example_fails_on_what_it_does_not_state() -> None:
    """A notice says little; what it does not say must not be held against anybody."""
    for path in EXAMPLES:
        document = read_description(path)
        assert isinstance(document, Document)
        facts = gather(document, packs().currency)
        for one in audit(document, packs(), tier="large", engine="reference").results:
            assert all(is_known(name, facts) or name == "as_of" for name in one.decided_by), (
                f"{path.name}: {one.rule.id}"
            )
            assert one.verdict != "fail" or one.decided_by
