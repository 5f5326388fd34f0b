"""``packs check``: what compiling can't see in a pack: its cases, its mends, and what it declares but does not use."""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from goodcommission.auditing import condition_gate, tier_reached
from goodcommission.description.document import Document
from goodcommission.description.facts import days, gather
from goodcommission.description.reading import read_description
from goodcommission.engine.conditions import PARAMS
from goodcommission.engine.mending import CannotMendError, apply, changes, plain
from goodcommission.engine.patterns import PatternOutcome, PatternSet, Verdicts, compile_patterns, evaluate
from goodcommission.engine.tree import Node
from goodcommission.engine.verdicts import (
    CompiledRule,
    RuleVerdict,
    Setting,
    judge,
)
from goodcommission.exceptions import DescriptionError, EngineError, Fault, PackError
from goodcommission.packs.compiling import LoadedPack, Packs, compile_packs, located
from goodcommission.packs.extending import extended
from goodcommission.packs.loading import pack_files, read_pack, shipped_packs
from goodcommission.packs.model import STAGES, Case, Match, Pattern, PatternCase, Rule, Verdict
from goodcommission.regimes import regime_of

_NEEDED: Final[tuple[Verdict, ...]] = ("fail", "pass", "not_applicable", "unknown")


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``packs check`` found."""

    faults: tuple[Fault, ...]
    packs: int
    rules: int
    patterns: int
    cases: int
    targets: tuple[LoadedPack, ...] = field(default=(), repr=False)
    compiled: Packs | None = field(default=None, repr=False)
    """The packs and those that they are used with; None if they do not compile."""


def check_packs(paths: Sequence[str | os.PathLike[str]]) -> Checked:
    """Lint packs and run their cases.

    Args:
        paths: Pack files or folders. They are checked together with the shipped packs, of which those
            with the same id are replaced.
    """
    faults: list[Fault] = []
    targets: list[LoadedPack] = []
    for path in paths:
        try:
            files = pack_files(path)
        except PackError as error:
            faults.extend(error.faults)
            continue
        for file in files:
            try:
                targets.append(read_pack(file))
            except PackError as error:
                faults.extend(error.faults)
    ids = {target.pack.id for target in targets}
    packs: Packs | None = None
    try:
        others = shipped_packs() if targets else ()
        together, made = extended([*(other for other in others if other.pack.id not in ids), *targets])
        packs = compile_packs(together, (), made)
    except PackError as error:
        faults.extend(error.faults)
    else:
        for target in targets:
            faults.extend(_check(target, packs))
    rules = [rule for target in targets for rule in target.pack.rules]
    patterns = [pattern for target in targets for pattern in target.pack.patterns]
    cases = sum(len(rule.cases) for rule in rules) + sum(len(pattern.cases) for pattern in patterns)
    return Checked(tuple(dict.fromkeys(faults)), len(targets), len(rules), len(patterns), cases, tuple(targets), packs)


def _check(target: LoadedPack, packs: Packs) -> Iterator[Fault]:
    yield from _unused(target, packs)
    compiled = {rule.rule.id: rule for rule in packs.rules}
    for index, rule in enumerate(target.pack.rules):
        pointer = f"/rules/{index}"
        yield from _standing(target, rule, pointer)
        yield from _of_law(target, compiled[rule.id], pointer)
        yield from _cases(target, compiled[rule.id], packs, pointer)
    for index, pattern in enumerate(target.pack.patterns):
        yield from _pattern_cases(target, pattern, packs, f"/patterns/{index}")


# --- What is declared ------------------------------------------------------------------------------------------


def _unused(target: LoadedPack, packs: Packs) -> Iterator[Fault]:
    pack = target.pack
    if pack.definitions:
        return
    mine = [rule for rule in packs.rules if rule.pack == pack.id]
    gates = [one.gate for one in packs.patterns if one.pack == pack.id and one.gate]
    used: set[str] = set()
    for rule in [*mine, *gates]:
        used.update(rule.constants)
        used.update(rule.law.dated if rule.law else ())
        for let in rule.lets:
            used.update(let.constants, (let.name,))
        for branch in rule.branches:
            used.update(name for edit in branch.mend for name in edit.names)
            used.update(name for text in (branch.finding, branch.remedy) if text for name in text.names)
        for note in rule.notes:
            used.update(note.text.names)
    for name in pack.parameters:
        if PARAMS + name not in used:
            yield located(target, f"/parameters/{name}", f'no rule of this pack uses the parameter "{name}"')
    for name in pack.let:
        if name not in used:
            yield located(target, f"/let/{name}", f'no rule of this pack uses the let "{name}"')
    for index, written in enumerate(pack.rules):
        needed = {let.name for let in packs.rule(written.id).lets}
        for name in written.let:
            if name not in needed:
                yield located(target, f"/rules/{index}/let/{name}", f'{written.id} does not use the let "{name}"')
    needed_by = {one.pattern.id: {let.name for let in one.gate.lets} for one in packs.patterns if one.gate}
    for index, pattern in enumerate(pack.patterns):
        for name in pattern.let:
            if name not in needed_by.get(pattern.id, ()):
                yield located(target, f"/patterns/{index}/let/{name}", f'{pattern.id} does not use the let "{name}"')
    cited = {citation.source for rule_ in pack.rules for citation in rule_.sources}
    cited |= {citation.source for pattern in pack.patterns for citation in pattern.sources}
    cited |= {value.source for parameter in pack.parameters.values() for value in parameter.values or ()}
    for name in pack.sources:
        if name not in cited:
            yield located(target, f"/sources/{name}", f'no rule of this pack cites the source "{name}"')
    for name in pack.groups:
        members = [rule.id for rule in pack.rules if rule.group == name]
        if len(members) < 2:
            has = f"has {len(members)} member{'' if len(members) == 1 else 's'}"
            yield located(target, f"/groups/{name}", f'the group "{name}" {has}; a group joins two or more')


def _standing(target: LoadedPack, rule: Rule, pointer: str) -> Iterator[Fault]:
    """An indicator of ours that rests on one experience is at most medium, unless law or guidance stands behind it."""
    if rule.severity == "high" and rule.strength == "experience" and rule.kind == "indicator":
        kinds = {target.pack.sources[citation.source].kind for citation in rule.sources}
        if kinds <= {"practice"}:
            yield located(
                target,
                f"{pointer}/severity",
                f"{rule.id} is an indicator that rests on one experience: its severity is at most medium",
                "Cite the law or guidance that stands behind it, or lower the severity.",
            )
    order = ("low", "medium", "high")
    for index, branch in enumerate(rule.decide or ()):
        if branch.severity and order.index(branch.severity) > order.index(rule.severity):
            place = f"{pointer}/decide/{index}/severity"
            yield located(target, place, f"a finding of {rule.id} can't be more severe than the rule")


def _of_law(target: LoadedPack, compiled: CompiledRule, pointer: str) -> Iterator[Fault]:
    """A rule of law says what may not be met and where that stands, of purchases of any size, and is never certain."""
    rule = compiled.rule
    if target.pack.kind != "law":
        return
    if rule.tier != "small":
        message = f"{rule.id} is law, which holds whatever the size of an audit"
        yield located(target, f"{pointer}/tier", message, "Write small.")
    if not any(citation.provision for citation in rule.sources):
        yield located(target, f"{pointer}/sources", f"{rule.id} is law and cites no `provision`")
    findings = [(f"{pointer}/finding", rule.finding)]
    findings += [(f"{pointer}/decide/{at}/finding", one.finding) for at, one in enumerate(rule.decide or ())]
    for place, finding in findings:
        if finding and "may not meet" not in finding:
            yield located(target, place, f"a finding of {rule.id} must say “may not meet”: it is no legal advice")


def _verified(compiled: CompiledRule) -> int | None:
    """The day on which the law of a rule was last verified, which is that of its cases unless they say another."""
    return None if compiled.law is None else compiled.law.verified_on


# --- Cases -----------------------------------------------------------------------------------------------------


def run_case(compiled: CompiledRule, packs: Packs, case: Case, given: dict[str, Any] | None = None) -> RuleVerdict:
    """Apply a rule to one of its cases.

    Raises:
        DescriptionError: The case's description is not valid.
    """
    rule = compiled.rule
    raw = {"kind": rule.applies_to[0], "stage": rule.due_from, **(case.given if given is None else given)}
    document = read_description({key: value for key, value in raw.items() if value is not None})
    return judge(compiled, case_setting(document, packs, case, compiled))


def case_setting(document: Document, packs: Packs, case: Case, compiled: CompiledRule) -> Setting:
    """What a rule needs to know of the description of one of its cases.

    Raises:
        DescriptionError: The day of the case is not in the calendar.
    """
    facts = gather(document, packs.currency)
    try:
        day = days(dt.date.fromisoformat(case.as_of)) if case.as_of else _verified(compiled)
    except ValueError:
        raise DescriptionError(f"there is no day {case.as_of} in the calendar") from None
    if day is not None:
        facts = replace(facts, values={**facts.values, "as_of": day})
    stage = document.description.stage
    setting = Setting(facts, document.description.kind, None if stage is None else STAGES.index(stage), (), day)
    setting.tiers = tier_reached(packs, setting, None if case.tier == "from_value" else case.tier)
    setting.regime = regime_of(packs, setting)
    return setting


def _cases(target: LoadedPack, compiled: CompiledRule, packs: Packs, pointer: str) -> Iterator[Fault]:
    rule = compiled.rule
    expected = {case.expect for case in rule.cases}
    for verdict in _NEEDED:
        if verdict in expected or (verdict == "not_applicable" and rule.when is None and target.pack.kind != "law"):
            continue
        yield located(target, f"{pointer}/id", f"{rule.id} has no case that expects {verdict.replace('_', ' ')}")
    decided: set[int] = set()
    for index, case in enumerate(rule.cases):
        place, name = f"{pointer}/cases/{index}", f"{rule.id}, “{case.name}”"
        try:
            if case.given.get("kind", rule.applies_to[0]) in rule.applies_to:
                got = run_case(compiled, packs, case)
            else:
                got = RuleVerdict(compiled, "not_applicable", rule.severity)
            if got.verdict == case.expect == "fail" and (wrong := unmended(compiled, packs, case, got)) is not None:
                yield located(target, place, f"{name}: {wrong}")
        except DescriptionError as error:
            for fault in error.faults:
                where = f"{place}/given{fault.pointer or ''}"
                yield located(target, where, f"{name}: {fault.message}", fault.suggestion)
            continue
        except EngineError as error:
            yield located(target, place, f"{name}: {error.faults[0].message}")
            continue
        if got.branch is not None and got.verdict in ("pass", "fail"):
            decided.add(got.branch)
        for difference in differences(case, got):
            yield located(target, place, f"{name}: {difference}")
    yield from _unreached(target, compiled, decided, pointer)


def _unreached(target: LoadedPack, compiled: CompiledRule, decided: set[int], pointer: str) -> Iterator[Fault]:
    rule = compiled.rule
    seen: dict[Node, int] = {}
    for index in range(len(rule.decide or ())):
        place, tree = f"{pointer}/decide/{index}", compiled.branches[index].condition.tree
        first = seen.setdefault(tree, index)
        if first != index:
            yield located(target, place, f"this branch of {rule.id} is never reached: branch {first + 1} asks the same")
        elif index not in decided:
            yield located(target, place, f"no case of {rule.id} is decided by this branch")


def differences(case: Case, verdict: RuleVerdict) -> Iterator[str]:
    """In what a verdict is not what a case expects."""
    if verdict.verdict != case.expect:
        missing = f"; missing: {', '.join(verdict.missing)}" if verdict.missing else ""
        finding = f"; {verdict.finding}" if verdict.finding else ""
        reason = f"; {verdict.reason}" if verdict.reason else ""
        yield f"expected {case.expect}, got {verdict.verdict}{missing}{finding}{reason}"
        return
    if case.severity and verdict.severity != case.severity:
        yield f"expected severity {case.severity}, got {verdict.severity}"
    if case.provisional is not None and verdict.provisional != case.provisional:
        yield f"expected provisional {case.provisional}, got {verdict.provisional}"
    absent = [fact for fact in case.missing or () if fact not in verdict.missing]
    if absent:
        got = ", ".join(verdict.missing) or "nothing"
        yield f"{', '.join(absent)} should be named as missing; named: {got}"
    if case.finding and case.finding not in (verdict.finding or ""):
        yield f"the finding should hold “{case.finding}”; it is “{verdict.finding}”"


# --- Mends -----------------------------------------------------------------------------------------------------


def apply_mend(verdict: RuleVerdict, setting: Setting, given: dict[str, Any]) -> dict[str, Any] | None:
    """The case's description with the edits of the finding applied, or None if an edit's value can't be computed."""
    rule = verdict.rule.rule
    written = {"kind": rule.applies_to[0], "stage": rule.due_from, **given}
    mended: dict[str, Any] = plain({name: value for name, value in written.items() if value is not None})
    try:
        for change in changes(verdict, setting, mended):
            apply(mended, change)
    except CannotMendError:
        return None
    return mended


def unmended(compiled: CompiledRule, packs: Packs, case: Case, verdict: RuleVerdict) -> str | None:
    """What is wrong with the mend of a case that fails; None if it makes the case pass."""
    if not compiled.branches[verdict.branch or 0].mend:
        return "it fails, and neither the rule nor the branch has a `mend`"
    raw = {"kind": compiled.rule.applies_to[0], "stage": compiled.rule.due_from, **case.given}
    read = read_description({k: v for k, v in raw.items() if v is not None})
    setting = case_setting(read, packs, case, compiled)
    given = apply_mend(verdict, setting, case.given)
    if given is None:
        return "the mend has a value that can't be computed here"
    try:
        after = run_case(compiled, packs, case, given)
    except DescriptionError as error:
        return f"the mended description is not valid: {error.faults[0].message}"
    if after.verdict != "pass":
        why = after.finding or f"missing: {', '.join(after.missing)}"
        return f"after its mend it is {after.verdict}, not pass ({why})"
    return None


# --- Patterns --------------------------------------------------------------------------------------------------


def _pattern_cases(target: LoadedPack, pattern: Pattern, packs: Packs, pointer: str) -> Iterator[Fault]:
    known = {rule.rule.id for rule in packs.rules}
    known |= {match.rule for one in packs.patterns for match in _matches(one.pattern) if match.rule}
    for outcome in ("concluded", "open", "excluded"):
        if outcome not in {case.expect for case in pattern.cases}:
            yield located(target, f"{pointer}/id", f"{pattern.id} has no case that expects {outcome}")
    for index, case in enumerate(pattern.cases):
        place, name = f"{pointer}/cases/{index}", f"{pattern.id}, “{case.name}”"
        for id in case.verdicts:
            if id not in known:
                near = difflib.get_close_matches(id, known, n=1)
                advice = f"Did you mean {near[0]}?" if near else None
                yield located(target, f"{place}/verdicts/{id}", f'{name}: there is no rule "{id}"', advice)
        try:
            outcomes = run_pattern_case(packs, case)
        except DescriptionError as error:
            for fault in error.faults:
                where = f"{place}/facts{fault.pointer or ''}"
                yield located(target, where, f"{name}: {fault.message}", fault.suggestion)
            continue
        except EngineError as error:
            yield located(target, place, f"{name}: {error.faults[0].message}")
            continue
        got = next(outcome for outcome in outcomes if outcome.id == pattern.id)
        if got.outcome != case.expect:
            yield located(target, place, f"{name}: expected {case.expect}, got {got.outcome}")
        elif case.severity and got.severity != case.severity:
            yield located(target, place, f"{name}: expected severity {case.severity}, got {got.severity}")


def _matches(pattern: Pattern) -> Iterator[Match]:
    """Everything that a pattern looks for."""
    yield from (*pattern.all_of, *pattern.any_of, *(pattern.at_least.of if pattern.at_least else ()))
    yield from (*pattern.unless, *pattern.raised_by, *pattern.lowered_by)


@functools.lru_cache(maxsize=1)
def _with_their_rules(packs: Packs) -> PatternSet:
    """The patterns as if every rule that they look for were loaded: a case is about them and not about the packs."""
    named: dict[str, str | None] = {
        match.rule: None for one in packs.patterns for match in _matches(one.pattern) if match.rule
    }
    return compile_patterns([one.pattern for one in packs.patterns], {**named, **packs.pattern_set.rule_groups})


def run_pattern_case(packs: Packs, case: PatternCase) -> tuple[PatternOutcome, ...]:
    """Work out all patterns on a pattern's case. Where it names no verdict of a rule, that is unknown."""
    document = read_description({"kind": "tender", **case.given})
    facts = gather(document, packs.currency)
    setting = Setting(facts, document.description.kind, None, (), None)
    gates = {one.pattern.id: condition_gate(one.gate, setting)[0] for one in packs.patterns if one.gate}
    patterns = _with_their_rules(packs)
    verdicts: Verdicts = {rule: (case.verdicts.get(rule, "unknown"), False) for rule in patterns.rule_groups}
    return evaluate(patterns, verdicts, gates)
