"""``packs check --grade``: how well the cases of a pack prove its rules.

Each rule is misread in many small ways (see ``mutating``), and its cases are run on each misreading: one at least must
come out differently. Where none does, descriptions around the rule's thresholds (see ``probing``) show whether any
could; if so the first of them is offered as a case, and if not the misreading changes nothing and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations, islice
from pathlib import Path
from typing import Any, Final

from goodcommission.description.facts import Facts, dictionary
from goodcommission.description.reading import read_description
from goodcommission.engine.conditions import PARAMS, Condition, Explained
from goodcommission.engine.texts import say
from goodcommission.engine.verdicts import CompiledRule, RuleVerdict, Setting, compute_lets, judge, setting_for
from goodcommission.exceptions import DescriptionError, EngineError, Fault, PackError
from goodcommission.packs.checking import case_setting, differences, unmended
from goodcommission.packs.compiling import LoadedPack, Packs, located
from goodcommission.packs.loading import KEPT_GRADE
from goodcommission.packs.model import Case, Pack, PackGrade, Verdict
from goodcommission.packs.mutating import Mutant, by_trees, deciding, let_mutants, parameter_mutants, rule_mutants
from goodcommission.packs.probing import Probe, Probes, Statement, fact_of, setting_of
from goodcommission.replacing import replace_file

GRADING: Final = 1
"""Raised when mutants or descriptions are made differently: what was graded before is graded anew."""
_LETTERS: Final = (("A", 95.0), ("B", 85.0), ("C", 70.0), ("D", 50.0), ("E", 0.0))
_MOST_PAIRED: Final = 60
"""Descriptions of each of two rules that are put together to see whether both can pass."""
_MOST_SEARCHED: Final = 6
"""Rules that share what is misread, and for which a case is looked for."""
_MOST_TELLING: Final = 20
"""Descriptions that tell a mutant apart of which the best is offered as a case."""
_DECIDED: Final = ("pass", "fail")
Seen = tuple[Verdict, str | None, bool]
"""What a case can ask of a verdict: the verdict, the severity of a failure, and whether it is provisional."""


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mistake that no case notices, and a case that would."""

    rule: str
    said: str
    file: str | None
    line: int | None
    as_it_is: str
    misread: str
    case: dict[str, Any]
    """A case to be added; or of a case that is there, its name and what it should expect as well.

    One case can be offered for several mistakes.
    """
    is_there: bool
    mended: bool
    """False for a case that fails and that the rule's own mend does not make pass, as ``packs check`` asks."""


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mistake that changes nothing, as far as was tried."""

    rule: str
    said: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class GradedPack:
    """How well a pack is tested, and what its cases leave open."""

    pack: str
    title: str
    grade: PackGrade | None
    """None if the pack has no rules, or one that can't be graded."""
    survivors: tuple[Survivor, ...]
    equivalents: tuple[Equivalent, ...]
    skipped: tuple[str, ...]
    """Rules that can't be graded, as their cases do not come out as they expect."""
    warnings: tuple[Fault, ...]
    """Branches that nothing reaches, and rules that can't both pass."""


def grade_of(killed: int, survivors: int, equivalents: int, cases: int) -> PackGrade | None:
    """The grade for so many mutants; None if there were none."""
    mutants = killed + survivors
    if not mutants:
        return None
    percent = killed * 1000 // mutants / 10
    letter = next(letter for letter, least in _LETTERS if percent >= least)
    return PackGrade.model_validate(
        {
            "letter": letter,
            "percent": percent,
            "cases": cases,
            "mutants": mutants,
            "killed": killed,
            "equivalents": equivalents,
        }
    )


def grade_pack(target: LoadedPack, packs: Packs, only: Sequence[str] = ()) -> GradedPack:
    """Grade a pack: its rules, and the parameters and lets that they share.

    Definitions are graded by the rules of all packs that rest on them and were read with their cases.

    Args:
        target: The pack, as it was read, with its cases.
        packs: The packs it is used with, among them the target.
        only: Ids of the rules to be graded; all of them by default, and what they share.
    """
    return _Grading(target, packs, only).grade()


def grade_key(target: LoadedPack, available: Iterable[LoadedPack]) -> str:
    """What the grade of a pack depends on, as "sha256:…": a grade with another key is out of date.

    That is its text, that of the packs and definitions it builds on, the facts it names, and the way of grading.

    Args:
        target: The pack, as it was read.
        available: The packs and definitions there are.
    """
    by_id = {one.pack.id: one for one in available}
    wanted, builds_on = [target.pack.id], {target.pack.id: target.digest}
    while wanted:
        pack = target.pack if wanted[-1] == target.pack.id else by_id[wanted[-1]].pack
        wanted.pop()
        for name in (*pack.uses, *pack.extends):
            if name in by_id and name not in builds_on:
                builds_on[name] = by_id[name].digest
                wanted.append(name)
    if target.pack.law or any(parameter.values for parameter in target.pack.parameters.values()):
        builds_on |= {id: one.digest for id, one in by_id.items() if one.pack.regimes}
    text = target.source.text if target.source else ""
    facts = (fact for name, fact in dictionary().items() if name in text)
    said = "\n".join(f"{fact.name} {fact.type} {fact.values} {fact.unit} {fact.may_be_none}" for fact in facts)
    parts = (GRADING, sorted(builds_on.items()), said)
    return "sha256:" + sha256(repr(parts).encode()).hexdigest()


def grade_file(pack: Path) -> Path:
    """Where the grade of a pack of one's own is kept: beside it."""
    return pack.with_name(pack.stem + KEPT_GRADE)


def save_grade(path: Path, grade: PackGrade | None, key: str) -> None:
    """Keep the grade of a pack beside it.

    Raises:
        PackError: The file can't be written.
    """
    held = {"key": key, "grade": grade and grade.model_dump(mode="json")}
    try:
        replace_file(grade_file(path), (json.dumps(held, indent=2) + "\n").encode())
    except OSError as error:
        message = f"this file cannot be written: {error.strerror or error}"
        raise PackError(Fault(message, str(grade_file(path)))) from None


def kept_grade(path: Path, target: LoadedPack, available: Iterable[LoadedPack]) -> PackGrade | None:
    """The grade that is kept beside a pack; None if there is none, or it was of another state of the pack."""
    try:
        held = json.loads(grade_file(path).read_bytes())
        if held["key"] == grade_key(target, available):
            return PackGrade.model_validate(held["grade"])
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return None


# --- One rule ------------------------------------------------------------------------------------------------------


class _Bench:
    """A rule, its cases, and the descriptions it is tried on."""

    def __init__(self, compiled: CompiledRule, packs: Packs) -> None:
        self.compiled, self.packs = compiled, packs
        self.rule = by_trees(compiled)
        self.settings = tuple(self._setting(case.given, case) for case in compiled.rule.cases)
        self._probes: Probes | None = None
        self.offered: list[_Offer] = []

    def _setting(self, given: Mapping[str, Any], case: Case) -> Setting:
        raw = {"kind": self.rule.rule.applies_to[0], "stage": self.rule.rule.due_from, **given}
        document = read_description({name: value for name, value in raw.items() if value is not None})
        return case_setting(document, self.packs, case, self.compiled)

    @property
    def probes(self) -> Probes:
        """The descriptions it is tried on."""
        if self._probes is None:
            self._probes = Probes(self.rule, self.packs)
        return self._probes

    def killed(self, mutant: CompiledRule) -> bool:
        """Whether a case comes out differently from what it expects."""
        same_lets = all(mine.value is other.value for mine, other in zip(self.rule.lets, mutant.lets, strict=True))
        for case, setting in zip(self.rule.rule.cases, self.settings, strict=True):
            try:
                verdict = _verdict(mutant, setting if same_lets else _afresh(setting))
            except EngineError:
                return True
            if any(True for _ in differences(case, verdict)):
                return True
        return False

    def telling(self, mutant: CompiledRule) -> Iterator[tuple[Probe, tuple[str, ...]]]:
        """The descriptions that tell a mutant from the rule; those where only what is missing differs come last."""
        changed = _changed(self.rule, mutant)
        same_lets = changed is not None and not changed[1]
        by_missing: list[tuple[Probe, tuple[str, ...]]] = []
        for probe in self.probes.made:
            try:
                if changed is not None and not _moves(self.rule, mutant, changed, probe):
                    continue
                mine = _verdict(self.rule, probe.setting)
                other = _verdict(mutant, probe.setting if same_lets else _afresh(probe.setting))
            except EngineError:
                continue
            if _seen(mine) != _seen(other):
                yield probe, ()
            elif mine.verdict == "unknown" and (gone := _gone(mine, other)) and len(by_missing) < 5:
                by_missing.append((probe, gone))
        yield from by_missing

    def offer(self, mutant: CompiledRule) -> _Offer | None:
        """A case that tells a mutant from the rule: one that was offered for another, or the best there is."""
        for earlier in self.offered:
            try:
                other = _verdict(mutant, _afresh(earlier.setting))
            except EngineError:
                continue
            if any(True for _ in differences(earlier.case, other)):
                return replace(earlier, misread=_said(other))
        found = list(islice(self.telling(mutant), _MOST_TELLING))
        # A case that is decided says more than one that is unknown.
        found.sort(key=lambda one: (bool(one[1]), _verdict(self.rule, one[0].setting).verdict not in _DECIDED))
        offers = [offer for probe, gone in found if (offer := self._offer(mutant, probe, gone)) is not None]
        best = next((one for one in offers if one.mended), offers[0] if offers else None)
        if best is not None:
            self.offered.append(best)
        return best

    def _offer(self, mutant: CompiledRule, probe: Probe, gone: tuple[str, ...]) -> _Offer | None:
        """A description as a case; None if the reader of descriptions or CEL do not bear it out."""
        given = _written(probe, self.rule)
        written: dict[str, Any] = {"name": _name(probe), "expect": "pass"}
        written |= {"tier": probe.tier} if probe.tier != "large" else {}
        written |= {"as_of": probe.as_of} if probe.as_of else {}
        bare = Case.model_validate({**written, "given": given})
        try:
            setting = self._setting(given, bare)
            mine, other = _verdict(self.compiled, setting), _verdict(mutant, _afresh(setting))
        except (DescriptionError, EngineError):
            return None
        if _seen(mine) == _seen(other) and not gone:
            return None
        written["expect"] = mine.verdict
        if mine.verdict == other.verdict == "fail" and mine.severity != other.severity:
            written["severity"] = mine.severity
        if mine.verdict == other.verdict and mine.provisional != other.provisional:
            written["provisional"] = mine.provisional
        if _seen(mine) == _seen(other):
            written["missing"] = list(gone)
        case = Case.model_validate({**written, "given": given})
        mended = mine.verdict != "fail" or unmended(self.compiled, self.packs, case, mine) is None
        is_there = probe.case is not None and not probe.changed and probe.tier == probe.case.tier
        shown = written if is_there else {**written, "given": given}
        return _Offer(case, setting, shown, is_there, mended, _said(mine, gone), _said(other))


@dataclass(frozen=True, slots=True)
class _Offer:
    """A case that tells a mutant apart."""

    case: Case
    setting: Setting
    written: dict[str, Any]
    is_there: bool
    mended: bool
    """Whether the rule's mend makes it pass, if it fails: ``packs check`` asks that of each case."""
    as_it_is: str
    misread: str


def _verdict(rule: CompiledRule, setting: Setting) -> RuleVerdict:
    if setting.kind not in rule.rule.applies_to:
        return RuleVerdict(rule, "not_applicable", rule.rule.severity)
    return judge(rule, setting)


def _afresh(setting: Setting) -> Setting:
    """The setting without the lets that the rule as it stands has computed there."""
    return replace(setting, lets={}, by_law={})


def _seen(verdict: RuleVerdict) -> Seen:
    return verdict.verdict, verdict.severity if verdict.verdict == "fail" else None, verdict.provisional


def _gone(mine: RuleVerdict, other: RuleVerdict) -> tuple[str, ...]:
    """What is named as missing now and would not be any more."""
    return tuple(name for name in mine.missing if name not in other.missing)


def _said(verdict: RuleVerdict, gone: tuple[str, ...] = ()) -> str:
    words = verdict.verdict.replace("_", " ")
    if verdict.verdict == "fail":
        words += f", {verdict.severity}"
    if verdict.provisional:
        words += ", provisional"
    return words + (f", and {', '.join(gone)} is named as missing" if gone else "")


_Pairs = tuple[tuple[Condition, Condition], ...]


def _changed(rule: CompiledRule, mutant: CompiledRule) -> tuple[_Pairs, tuple[int, ...]] | None:
    """The conditions that differ, and the places of the lets that do; None if more than conditions differs."""
    shape, other = (
        (
            one.rule,
            id(one.law),
            one.due,
            one.tier,
            one.when is None,
            one.planned is None,
            *((b.verdict, b.severity) for b in one.branches),
        )
        for one in (rule, mutant)
    )
    if shape != other:
        return None
    mine = [rule.when, rule.planned, *(branch.condition for branch in rule.branches)]
    theirs = [mutant.when, mutant.planned, *(branch.condition for branch in mutant.branches)]
    pairs = tuple((a, b) for a, b in zip(mine, theirs, strict=True) if a is not b and a is not None and b is not None)
    lets = (n for n, (a, b) in enumerate(zip(rule.lets, mutant.lets, strict=True)) if a.value is not b.value)
    return pairs, tuple(lets)


def _moves(rule: CompiledRule, mutant: CompiledRule, changed: tuple[_Pairs, tuple[int, ...]], probe: Probe) -> bool:
    """Whether a changed condition or let says something else of a description: if not, neither does the rule."""
    pairs, lets = changed
    setting = setting_for(rule, probe.setting)
    values, known = setting.facts.values, compute_lets(rule, setting)
    if lets:
        misread = compute_lets(mutant, _afresh(setting))
        if any(_differ(known[rule.lets[place].name], misread[rule.lets[place].name]) for place in lets):
            return True
    for mine, other in pairs:
        now = probe.known.get(id(mine))
        if now is None:
            now = probe.known[id(mine)] = mine.explain(values, known)
        if _differ(now, other.explain(values, known)):
            return True
    return False


def _differ(one: Explained, other: Explained) -> bool:
    return (one[0] is not other[0] and one[0] != other[0]) or one[2] != other[2]


# --- Cases in words ------------------------------------------------------------------------------------------------


def _written(probe: Probe, rule: CompiledRule) -> dict[str, Any]:
    """A description as a case has it: without what goes without saying."""
    given = dict(probe.given)
    for name, default in (("kind", rule.rule.applies_to[0]), ("stage", rule.rule.due_from)):
        if given.get(name) == default:
            del given[name]
    if "stage" not in probe.given:
        given["stage"] = None
    return given


def _name(probe: Probe) -> str:
    name = probe.case.name if probe.case else "as described"
    if not probe.changed:
        return name if probe.case and probe.tier == probe.case.tier else f"{name}, for a {probe.tier} contract"
    return f"{name}; " + ", ".join(map(_stated, probe.changed))


def _stated(statement: Statement) -> str:
    fact = dictionary().get(statement.fact)
    title, raw = (fact.title if fact else "the day of the audit"), statement.raw
    if raw is None:
        return f"{title} not stated"
    match raw:
        case bool():
            words = "yes" if raw else "no"
        case {"amount": amount, "currency": currency}:
            words = say(float(amount), currency)
        case list() | {"items": _}:
            items = raw if isinstance(raw, list) else raw["items"]
            if any(isinstance(item, dict) for item in items):
                words = f"{len(items)} of them" if items else "none"
            else:
                words = " and ".join(str(item).replace("_", " ") for item in items) or "none"
            if isinstance(raw, dict):
                words += ", complete" if raw.get("complete") else ", not complete"
        case float() if fact and fact.unit == "share":
            words = f"{raw * 100:.10g}%"
        case _:
            words = str(raw).replace("_", " ")
    return f"{title}: {words}"


# --- A pack --------------------------------------------------------------------------------------------------------


class _Grading:
    def __init__(self, target: LoadedPack, packs: Packs, only: Sequence[str]) -> None:
        self.target, self.packs, self.only = target, packs, only
        self.pack = target.pack
        compiled = {rule.rule.id: rule for rule in packs.rules}
        self.rules: list[tuple[int, _Bench]] = []
        self.skipped: list[str] = []
        own = [compiled[rule.id] for rule in self.pack.rules if not only or rule.id in only]
        users = [rule for rule in packs.rules if rule.rule.cases and _rests_on(rule, self.pack)]
        places = {rule.id: index for index, rule in enumerate(self.pack.rules)}
        for rule in users if self.pack.definitions else own:
            id = rule.rule.id
            try:
                bench = _Bench(rule, packs)
            except DescriptionError:
                self.skipped.append(id)
                continue
            if bench.killed(bench.rule):
                self.skipped.append(id)
            else:
                self.rules.append((places.get(id, 0), bench))
        self.survivors: list[Survivor] = []
        self.equivalents: list[Equivalent] = []
        self.killed = 0

    def grade(self) -> GradedPack:
        own = () if self.pack.definitions else self.rules
        for index, bench in own:
            for mutant in rule_mutants(bench.rule, f"/rules/{index}"):
                self.judge(mutant, [bench])
        if not self.only:
            for mutant in self.shared():
                self.judge(mutant, [bench for _, bench in self.rules])
        warnings = (*self.unreached(own), *(self.conflicts() if own and not self.only else ()))
        cases = sum(len(bench.rule.rule.cases) for _, bench in self.rules)
        return GradedPack(
            self.pack.id,
            self.pack.title,
            None if self.skipped else grade_of(self.killed, len(self.survivors), len(self.equivalents), cases),
            tuple(self.survivors),
            tuple(self.equivalents),
            tuple(self.skipped),
            warnings,
        )

    def judge(self, mutant: Mutant, benches: Iterable[_Bench]) -> None:
        mutated = [(bench, mutant.apply(bench.rule)) for bench in benches]
        touched = [(bench, rule) for bench, rule in mutated if _touched(bench.rule, rule)]
        if any(bench.killed(rule) for bench, rule in touched):
            self.killed += 1
            return
        where = located(self.target, mutant.pointer, "")
        for bench, rule in touched[:_MOST_SEARCHED]:
            offer = bench.offer(rule)
            if offer is not None:
                self.survivors.append(
                    Survivor(
                        bench.rule.rule.id,
                        mutant.said,
                        where.file,
                        where.line,
                        offer.as_it_is,
                        offer.misread,
                        offer.written,
                        offer.is_there,
                        offer.mended,
                    )
                )
                return
        id = mutated[0][0].rule.rule.id if len(mutated) == 1 else self.pack.id
        self.equivalents.append(Equivalent(id, mutant.said, where.file, where.line))

    def shared(self) -> Iterator[Mutant]:
        """Mutants of the parameters and lets that the pack declares for all its rules."""
        for name, parameter in self.pack.parameters.items():
            yield from parameter_mutants(name, parameter)
        lets = {let.name: let for _, bench in self.rules for let in bench.rule.lets if let.owner == self.pack.id}
        for name in self.pack.let:
            if name in lets:
                value = lets[name].value
                yield from let_mutants(self.pack.id, name, value.tree, asked=value.type.name == "bool")

    # -- what nothing reaches, and what can't both be --

    def unreached(self, own: Iterable[tuple[int, _Bench]]) -> Iterator[Fault]:
        """Branches that neither a case nor any description that was tried is decided by."""
        for index, bench in own:
            wanted = set(range(len(bench.rule.branches)))
            wanted -= {_verdict(bench.rule, setting).branch for setting in bench.settings}
            for probe in bench.probes.made if wanted and not bench.rule.require else ():
                wanted.discard(_verdict(bench.rule, probe.setting).branch)
                if not wanted:
                    break
            for branch in sorted(wanted) if not bench.rule.require else ():
                message = f"nothing that was tried reaches this branch of {bench.rule.rule.id}"
                yield located(self.target, f"/rules/{index}/decide/{branch}", message)

    def conflicts(self) -> Iterator[Fault]:
        """Pairs of rules that are asked of the same description and never both met."""
        for (_, first), (index, second) in combinations(self.rules, 2):
            shared = {fact_of(name) for name in first.probes.facts & second.probes.facts} - {"kind", "stage"}
            kinds = set(first.rule.rule.applies_to) & set(second.rule.rule.applies_to)
            if not shared or not kinds:
                continue
            if _together(first, second, kinds, "pass", lambda bench: bench.probes.cases):
                continue
            if _together(first, second, kinds, "pass", lambda bench: bench.probes.made):
                continue
            if _together(first, second, kinds, "asked", lambda bench: bench.probes.made):
                a, b = first.rule.rule.id, second.rule.rule.id
                message = f"no description that was tried meets both {a} and {b}, though both can be asked of one"
                facts = f"Both read {', '.join(sorted(shared))}."
                yield located(self.target, f"/rules/{index}/id", message, facts)


def _rests_on(rule: CompiledRule, pack: Pack) -> bool:
    """Whether the verdicts of a rule rest on what a pack or definitions declare for several rules."""
    lets, _ = deciding(rule)
    names = {name for let in rule.lets if let.name in lets for name in let.constants} | set(rule.constants)
    return any(let.owner == pack.id and let.name in lets for let in rule.lets) or any(
        PARAMS + name in names for name in pack.parameters
    )


def _touched(rule: CompiledRule, mutant: CompiledRule) -> bool:
    changed = _changed(rule, mutant)
    return changed is None or any(changed)


def _together(first: _Bench, second: _Bench, kinds: AbstractSet[str], wanted: str, of: Any) -> bool:
    """Whether some description gets both rules to pass (or to be decided), put together from one of each."""
    decided = ("pass",) if wanted == "pass" else _DECIDED

    def some(bench: _Bench) -> list[Probe]:
        found = (
            probe
            for probe in of(bench)
            if probe.setting.kind in kinds and _verdict(bench.rule, probe.setting).verdict in decided
        )
        return list(islice(found, _MOST_PAIRED))

    for one in some(first):
        for other in some(second):
            for mine, theirs, bench, own in ((one, other, second, first), (other, one, first, second)):
                reads = set(own.probes.read)
                values = {name: value for name, value in theirs.values.items() if fact_of(name) not in reads}
                values |= mine.values
                setting = setting_of(Facts(values, {}, frozenset()), bench.packs, "large")
                if all(_verdict(each.rule, setting).verdict in decided for each in (bench, own)):
                    return True
    return False
