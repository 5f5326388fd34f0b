"""The audit: description → facts → verdicts → patterns → score → report, each by its own module."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from goodcommission import scoring
from goodcommission.answers import Answers, Manual, asked_of, read_answers
from goodcommission.description.document import Document
from goodcommission.description.evidence import WITHOUT_EVIDENCE
from goodcommission.description.facts import (
    COMPLETE,
    GIVEN,
    Facts,
    date,
    days,
    dictionary,
    gather,
    part_of,
    place_of,
    shown,
)
from goodcommission.description.joining import known
from goodcommission.description.kinds import KINDS_OF_SEVERAL
from goodcommission.description.model import Description, Evidence
from goodcommission.description.reading import read_description
from goodcommission.description.types import NONE
from goodcommission.engine.conditions import PARAMS, UNKNOWN, Explained
from goodcommission.engine.law import UNKNOWN_REGIME, Law, Regime
from goodcommission.engine.patterns import Engine, EngineReport, Member, PatternOutcome, run
from goodcommission.engine.texts import say
from goodcommission.engine.verdicts import (
    CompiledRule,
    RuleVerdict,
    Setting,
    ask,
    judge,
    judge_on_evidence,
)
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import KEPT, load_packs
from goodcommission.packs.model import STAGES, TIERS, Tier
from goodcommission.regimes import regime_of
from goodcommission.report.citing import cite
from goodcommission.report.model import (
    SCHEMA_VERSION,
    Adjusted,
    AuditedDocument,
    AuditedGroup,
    AuditedLaw,
    AuditedPack,
    AuditedProfile,
    AuditReport,
    BranchLogic,
    CaseUsed,
    DocumentProof,
    EngineUsed,
    EvidenceNamed,
    FactMissing,
    FactStated,
    LawLogic,
    LawUsed,
    LetLogic,
    OverallScore,
    ParameterUsed,
    PatternResult,
    RegimeLogic,
    RegimeUsed,
    RuleInfo,
    RuleLogic,
    RuleResult,
    TierLogic,
    TierUsed,
    ValueSpan,
    plain,
)
from goodcommission.report.wording import listed
from goodcommission.version import VERSION

GOVERNING: Final[Mapping[str, tuple[str, ...]]] = {
    "tender": ("timeline.tender_published", "notice.date"),
    "contract": ("timeline.contract_signed", "award.date", "notice.date"),
    "decommissioning_plan": ("decommissioning.notice_date", "decommissioning.decision_date"),
    "grant_programme": ("timeline.tender_published", "award.date"),
}
"""The facts that date a document, by its kind, the first that is stated first."""


def audit(
    description: Document | Description | Mapping[str, Any] | str | os.PathLike[str],
    packs: Packs | Sequence[str] | None = None,
    *,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    as_of: dt.date | None = None,
    tier: Tier | None = None,
    engine: Engine = "auto",
    require_evidence: bool = False,
    answers: Answers | str | os.PathLike[str] | Mapping[str, Any] | None = None,
    regime: str | None = None,
) -> AuditReport:
    """Audit one description against rule packs.

    A pure function: no clock, no network, no environment. Safe to call from threads.

    Args:
        description: A file (JSON, YAML or an OCDS notice), a dict in the same form, or what ``read_description`` gave.
        packs: What ``load_packs`` gave, or ids of shipped packs; all shipped packs by default.
        commissioner: The commissioner's profile (a file or a dict with the one section ``commissioner``): it fills
            what the description says nothing of. Not for what ``read_description`` gave, which takes it there.
        as_of: The day of the audit. By default the document's own governing date (published, signed, notice given);
            if it states none, the day is unknown and so is what depends on it.
        tier: How much to ask (``small``, ``medium``, ``large``); by default what the value of the contract says.
        engine: What combines the findings: ``auto`` takes durable-rules where it is installed.
        require_evidence: Whether what is stated without evidence counts as unknown where a rule would be met by it or
            would not be asked; what a document says against itself stands.
        answers: Signed answers to the questions that only a person can answer: a file, a dict in the same form, or what
            ``read_answers`` gave.
        regime: The law that the document is under, such as ``procurement_act_2023``; by default worked out from it.

    Returns:
        The report: score and interval in points of 100, verdicts, combined findings, and the facts with their places.

    Raises:
        DescriptionError: The description can't be read or is not valid; all faults are named.
        PackError: A pack is not there.
        EngineError: The engine asked for is not installed or failed.
        AnswerError: The answers can't be read, are not signed, or answer what is not asked.
    """
    if isinstance(description, Document):
        document = description
    else:
        document = read_description(description, commissioner=commissioner)
    used = packs if isinstance(packs, Packs) else load_packs(packs)
    facts = gather(document, used.currency)
    day, basis = day_of(document.description, facts, as_of)
    if day is not None:
        facts = replace(facts, values={**facts.values, "as_of": day})
    setting, verdicts = judge_all(document, facts, used, tier, require_evidence=require_evidence, regime=regime)
    gates = {one.pattern.id: condition_gate(one.gate, setting) for one in used.patterns if one.gate}
    outcomes, engine_report = run(
        used.pattern_set,
        {
            rule.rule.id: ("not_applicable", False) if verdict is None else (verdict.verdict, verdict.provisional)
            for rule, verdict in zip(used.rules, verdicts, strict=True)
        },
        {id: value for id, (value, _) in gates.items()},
        engine,
    )
    signed = answers if answers is None or isinstance(answers, Answers) else read_answers(answers)
    manual = Manual(
        signed, asked_of(used, document, signed, None if day is None else date(day)), used, strict=require_evidence
    )
    judged = [*(counted(one) for one in verdicts if one is not None), *manual.judged]
    score = scoring.compute(judged, used.groups, used.weights)
    results = results_of(used, verdicts, score)
    report = report_on(
        Audited(
            audited_document(document),
            None,
            results,
            stated(
                document,
                used.currency,
                facts,
                {*setting.regime.decided_by, *(name for r in results for name in r.decided_by)},
            ),
            why_not_of(facts, require_evidence),
            regime_used(used, [setting.regime]),
            (proof_of(known(document, facts), setting.regime),),
        ),
        used,
        tier_used([setting], tier),
        gates,
        outcomes,
        engine_report,
        score,
        day,
        basis,
        require_evidence,
    )
    return manual.added_to(report, score)


def judge_all(
    document: Document,
    facts: Facts,
    packs: Packs,
    tier: Tier | None,
    *,
    require_evidence: bool = False,
    regime: str | None = None,
) -> tuple[Setting, list[RuleVerdict | None]]:
    """What each rule says of a document by itself; None for a rule that is not asked of its kind."""
    kind, stage, day = document.description.kind, facts.values.get("stage"), facts.values.get("as_of")
    setting = Setting(facts, kind, None if stage is None else STAGES.index(stage), (), day)
    setting.tiers = tier_reached(packs, setting, tier)
    setting.regime = regime_of(packs, setting, regime)
    if not require_evidence:
        return setting, [judge(rule, setting) if kind in rule.rule.applies_to else None for rule in packs.rules]
    asked, proof = (
        replace(setting, facts=facts.only_shown(with_basics=basics), stated=facts.values, lets={}, by_law={})
        for basics in (True, False)
    )
    asked.tiers = proof.tiers = tier_reached(packs, asked, tier)
    return setting, [
        judge_on_evidence(rule, setting, asked, proof) if kind in rule.rule.applies_to else None for rule in packs.rules
    ]


def day_of(
    description: Description, facts: Facts, as_of: dt.date | None
) -> tuple[int | None, Literal["given", "document", "unknown"]]:
    """The day of the audit, and where it comes from."""
    if as_of is not None:
        try:
            return days(as_of), "given"
        except AttributeError:
            message = f"as_of is a day, such as datetime.date(2026, 3, 31), and not {as_of!r}"
            raise DescriptionError(message) from None
    for name in (*GOVERNING[description.kind], "as_at"):
        if name in facts.values:
            return facts.values[name], "document"
    return None, "unknown"


def condition_gate(gate: CompiledRule | None, setting: Setting) -> tuple[bool | None, tuple[str, ...]]:
    """Whether a pattern's condition holds (None: unknown), and the facts that are missing."""
    if gate is None:
        return True, ()
    value, _, missing = ask(gate, setting)
    return (None if value is UNKNOWN else value), missing


def tier_reached(packs: Packs, setting: Setting, tier: Tier | None) -> tuple[Explained, ...]:
    """Whether the description is at least of each tier."""
    if tier is not None:
        reached = TIERS.index(tier)
        return tuple((index <= reached, (), ()) for index in range(len(TIERS)))
    return tuple((True, (), ()) if gate is None else ask(gate, setting) for gate in packs.tiers)


def counted(verdict: RuleVerdict) -> scoring.Judged:
    """What a rule says, as the score counts it; a rule that is not asked of the kind of document changes nothing."""
    written = verdict.rule.rule
    return scoring.Judged(
        written.id,
        verdict.rule.pack,
        written.group,
        written.severity,
        written.strength,
        verdict.verdict,
        verdict.provisional,
        verdict.claimed,
        written.scored and (verdict.rule.law is None or not verdict.rule.law.of_pack),
        verdict.missing,
        verdict.severity,
    )


# --- The report ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=KEPT)
def rule_infos(packs: Packs) -> tuple[Mapping[str, RuleInfo], Mapping[str, RuleResult]]:
    """For each rule what the report says of it, and its result where it does not apply to the kind of document."""
    works = {loaded.pack.id: loaded.pack.sources for loaded in packs.packs}
    infos, elsewhere = {}, {}
    for rule in packs.rules:
        written = rule.rule
        info = RuleInfo(
            id=written.id,
            aliases=written.aliases,
            pack=rule.pack,
            title=written.title,
            asks=written.asks,
            phase=written.phase,
            level=written.level,
            tier=written.tier,
            due_from=written.due_from,
            severity=written.severity,
            strength=written.strength,
            kind=written.kind,
            group=written.group,
            scored=written.scored and rule.pack not in packs.laws,
            law=rule.pack in packs.laws,
            same_fault_as=written.same_fault_as,
            why=written.why,
            sources=tuple(cite(citation, works[rule.pack][citation.source]) for citation in written.sources),
        )
        infos[written.id] = info
        kinds = listed([KINDS_OF_SEVERAL[kind] for kind in written.applies_to])
        elsewhere[written.id] = RuleResult.of(
            rule=info,
            verdict="not_applicable",
            provisional=False,
            claimed=False,
            evidenced=False,
            severity=written.severity,
            finding=None,
            remedy=None,
            points=None,
            notes=(),
            reason=f"asked of {kinds}",
            decided_by=("kind",),
            missing=(),
            waived=None,
            known_before=False,
            document=None,
            documents=(),
            law=(),
        )
    return infos, elsewhere


@dataclass(frozen=True, slots=True)
class Audited:
    """What is audited and what rules say of it, as the report has it."""

    document: AuditedDocument
    case: CaseUsed | None
    results: tuple[RuleResult, ...]
    facts: tuple[FactStated, ...]
    why_not: Callable[[str], tuple[str | None, str]]
    """Why what is stated of a missing fact does not help, and then its JSON pointer."""
    regime: RegimeUsed
    proof: tuple[DocumentProof, ...]


def audited_document(document: Document) -> AuditedDocument:
    """A document as a report names it."""
    description = document.description
    return AuditedDocument.of(
        name=document.name,
        file=document.source.name if document.source else None,
        kind=description.kind,
        stage=description.stage,
        id=description.id,
        title=description.title,
        origin=document.origin,
        digest=document.digest,
        notes=document.notes,
        profile=AuditedProfile(name=document.profile.name, digest=document.profile.digest)
        if document.profile
        else None,
    )


def proof_of(known: Mapping[str, Any], regime: Regime) -> DocumentProof:
    """What a report says of a document so that its verdicts can be checked: what is known of it, and its law."""
    return DocumentProof.of(
        **{**known, "evidenced": tuple(known["evidenced"])},
        regimes=None if regime.candidates is None else tuple(sorted(regime.candidates)),
        territories=None if regime.territories is None else tuple(sorted(regime.territories)),
    )


def results_of(packs: Packs, verdicts: Sequence[RuleVerdict | None], score: scoring.Score) -> tuple[RuleResult, ...]:
    """What the report says of each rule; a verdict is None where the rule is not asked of the kind of document."""
    infos, elsewhere = rule_infos(packs)
    return tuple(
        elsewhere[rule.rule.id] if verdict is None else _result(infos[rule.rule.id], verdict, score)
        for rule, verdict in zip(packs.rules, verdicts, strict=True)
    )


def why_not_of(facts: Facts, require_evidence: bool) -> Callable[[str], tuple[str | None, str]]:
    """What gives the reason why a fact is missing although something is stated, and then the pointer of the fact."""
    known = facts.only_shown(with_basics=False) if require_evidence else facts

    def why_not(reference: str) -> tuple[str | None, str]:
        reason = known.reasons.get(reference)
        if reason is None and known.values.get(reference + GIVEN) is False:
            reason = "it is stated as none"
        return reason, "" if reason is None else facts.pointer(reference)

    return why_not


def report_on(
    audited: Audited,
    packs: Packs,
    tier: TierUsed,
    gates: Mapping[str, tuple[bool | None, tuple[str, ...]]],
    outcomes: Sequence[PatternOutcome],
    engine: EngineReport,
    score: scoring.Score,
    day: int | None,
    basis: Literal["given", "document", "unknown"],
    require_evidence: bool,
) -> AuditReport:
    """The report of one audit."""
    results = audited.results
    patterns = _patterns(packs, gates, outcomes, {r.rule.id: r.missing for r in results})
    passes = [r for r in results if r.verdict == "pass" and r.rule.scored]
    return AuditReport.of(
        schema_version=SCHEMA_VERSION,
        goodcommission=VERSION,
        document=audited.document,
        case=audited.case,
        as_of=None if day is None else date(day).isoformat(),
        as_of_basis=basis,
        require_evidence=require_evidence,
        tier=tier,
        engine=EngineUsed.of(
            name=engine.name, digest=engine_digest(), reason=engine.reason, differences=engine.differences
        ),
        packs_digest=packs.digest,
        packs=_audited_packs(packs, score),
        regime=audited.regime,
        laws=_audited_laws(packs, results),
        groups=_groups(packs),
        adjusted=_adjusted(packs),
        score=OverallScore.of(
            score=score.score,
            low=score.low,
            high=score.high,
            coverage=score.coverage,
            grade=score.grade,
            caps=score.caps,
            passes=len(passes),
            claimed=sum(r.claimed for r in passes),
            evidenced=sum(r.evidenced for r in passes),
        ),
        score_without_waivers=None,
        waiver_findings=(),
        baseline=None,
        answers=None,
        questions=(),
        results=results,
        patterns=patterns,
        facts=audited.facts,
        missing=_missing(audited.why_not, results, patterns, score),
        proof=audited.proof,
        digest=None,
        **_logic(packs),
    )


def _result(info: RuleInfo, verdict: RuleVerdict, score: scoring.Score) -> RuleResult:
    points = score.mends.get(info.id)
    if verdict.kept and verdict.kept[0].points == points:
        return verdict.kept[0]  # type: ignore[no-any-return]
    result = RuleResult.of(
        rule=info,
        verdict=verdict.verdict,
        provisional=verdict.provisional,
        claimed=verdict.claimed,
        evidenced=verdict.evidenced,
        severity=verdict.severity,
        finding=verdict.finding,
        remedy=verdict.remedy,
        points=points,
        notes=verdict.notes,
        reason=verdict.reason,
        decided_by=verdict.settled,
        missing=verdict.missing,
        waived=None,
        known_before=False,
        document=None,
        documents=(),
        law=_law_used(verdict),
    )
    verdict.kept[:] = [result]  # the points depend on the whole audit, and are compared
    return result


def regime_used(
    packs: Packs, regimes: Sequence[Regime], name: Callable[[int, str], str] = lambda number, reference: reference
) -> RegimeUsed:
    """The law that it is run under; of a case, that of all its documents.

    Args:
        packs: The packs.
        regimes: What is known of each document.
        name: What a fact of a document, by its number, is called in the report.
    """
    ids = dict.fromkeys(regime.id for regime in regimes)
    number, regime = min(enumerate(regimes), key=lambda item: item[1].provisional)
    if len(ids) > 1:
        titles = [packs.regime_titles.get(id, id) if id else "a law that is not known" for id in ids]
        because = f"its documents stand under different laws: {listed(titles)}"
        regime = replace(UNKNOWN_REGIME, because=because)
    return RegimeUsed.of(
        id=regime.id,
        title=None if regime.id is None else packs.regime_titles.get(regime.id, regime.id),
        territory=regime.territory,
        basis=regime.basis,
        because=regime.because,
        provisional=regime.provisional,
        decided_by=tuple(name(number, one) for one in regime.decided_by),
        missing=tuple(name(number, one) for one in regime.missing),
    )


def _audited_laws(packs: Packs, results: Sequence[RuleResult]) -> tuple[AuditedLaw, ...]:
    counts: dict[str, Counter[str]] = {id: Counter() for id in packs.laws}
    for result in results:
        if result.rule.law:
            counts[result.rule.pack][result.verdict] += 1
    return tuple(
        AuditedLaw.of(
            id=id,
            title=loaded.pack.title,
            version=loaded.pack.version,
            digest=loaded.digest,
            verified_on=loaded.pack.law.verified_on.isoformat(),  # type: ignore[union-attr]
            review_by=loaded.pack.law.review_by.isoformat(),  # type: ignore[union-attr]
            may_not_meet=counts[id]["fail"],
            met=counts[id]["pass"],
            not_settled=counts[id]["unknown"],
            not_yet_due=counts[id]["not_yet_due"],
            does_not_apply=counts[id]["not_applicable"],
        )
        for id, loaded in packs.laws.items()
    )


def _law_used(verdict: RuleVerdict) -> tuple[LawUsed, ...]:
    """The numbers of a law that were used, each with where it stands and when it was verified."""
    rule, standing = verdict.rule, verdict.standing
    if standing is None or verdict.verdict not in ("pass", "fail"):
        return ()
    used = []
    for name, value in standing.values.items():
        span = standing.spans[name]
        written = rule.parameters[name.removeprefix(PARAMS)].values[rule.law.dated[name].index(span)]  # type: ignore[index, union-attr]
        used.append(
            LawUsed.of(
                name=name.removeprefix(PARAMS),
                value=value,
                unit=rule.parameters[name.removeprefix(PARAMS)].unit,
                start=written.from_.isoformat(),
                until=written.until and written.until.isoformat(),
                provision=written.provision,
                source=written.source,
                verified_on=written.verified_on.isoformat(),
                review_by=written.review_by.isoformat(),
            )
        )
    return tuple(used)


def tier_used(settings: Sequence[Setting], tier: Tier | None) -> TierUsed:
    """The tier; of a case, the largest that one of its documents is of."""
    if tier is not None:
        return TierUsed.of(name=tier, basis="override")
    if any(value is UNKNOWN for setting in settings for value, _, _ in setting.tiers):
        return TierUsed.of(name=None, basis="unknown")
    reached = max(index for setting in settings for index, (value, _, _) in enumerate(setting.tiers) if value is True)
    return TierUsed.of(name=TIERS[reached], basis="value")


def _audited_packs(packs: Packs, score: scoring.Score) -> tuple[AuditedPack, ...]:
    by_id = {one.pack: one for one in score.packs}
    return tuple(
        AuditedPack.of(
            id=loaded.pack.id,
            title=loaded.pack.title,
            version=loaded.pack.version,
            digest=loaded.digest,
            weight=by_id[loaded.pack.id].weight,
            score=by_id[loaded.pack.id].score,
            low=by_id[loaded.pack.id].low,
            high=by_id[loaded.pack.id].high,
            coverage=by_id[loaded.pack.id].coverage,
            grade=loaded.grade,
        )
        for loaded in packs.packs
        if loaded.pack.id in by_id
    )


@lru_cache(maxsize=KEPT)
def _adjusted(packs: Packs) -> tuple[Adjusted, ...]:
    return tuple(Adjusted(**asdict(change)) for change in packs.changes)


@lru_cache(maxsize=KEPT)
def _groups(packs: Packs) -> tuple[AuditedGroup, ...]:
    return tuple(
        AuditedGroup(id=id, pack=loaded.pack.id, title=group.title, severity=group.severity, strength=group.strength)
        for loaded in packs.packs
        for id, group in loaded.pack.groups.items()
    )


def _members(members: Sequence[Member]) -> tuple[str, ...]:
    return tuple([str(member) for member in members]) if members else ()


@cache
def engine_digest() -> str:
    """SHA-256 of the code that judges and scores, so that a report says with what it was made."""
    package = Path(__file__).parent
    judging = [*sorted((package / "engine").glob("*.py"))]
    judging += [package / "description" / name for name in ("facts.py", "evidence.py", "joining.py")]
    judging += [package / name for name in ("packs/functions.py", "scoring.py", "auditing.py", "casework.py")]
    digests = [sha256(path.read_bytes()).hexdigest() for path in judging if path.is_file()]
    return "sha256:" + sha256("\n".join(digests).encode()).hexdigest()


@lru_cache(maxsize=KEPT)
def _logic(packs: Packs) -> Mapping[str, Any]:
    """The conditions and numbers by which anybody can repeat the verdicts of these packs."""
    gates = [(tier, gate) for tier, gate in zip(TIERS, packs.tiers, strict=True) if gate is not None]
    return {
        "currency": packs.currency,
        "logic": tuple(_rule_logic(rule) for rule in packs.rules),
        "tiers": tuple(
            TierLogic(tier=tier, pack=gate.pack, lets=_lets(gate), condition=gate.branches[0].condition.text)  # type: ignore[arg-type]
            for tier, gate in gates
        ),
        "regimes": tuple(
            RegimeLogic(
                id=one.sign.id,
                title=one.sign.title,
                territories=one.sign.territories,
                pack=one.pack,
                settles=one.sign.if_stated is not None,
                lets=_lets(one.gate),
                condition=one.gate.branches[0].condition.text,
            )
            for one in packs.regimes
        ),
        "parameters": _parameters([*packs.rules, *(gate for _, gate in gates), *(one.gate for one in packs.regimes)]),
    }


def _lets(rule: CompiledRule) -> tuple[LetLogic, ...]:
    return tuple(LetLogic(name=let.name, expression=let.value.text) for let in rule.lets)


def _rule_logic(rule: CompiledRule) -> RuleLogic:
    return RuleLogic(
        rule=rule.rule.id,
        pack=rule.pack,
        applies_to=rule.rule.applies_to,
        lets=_lets(rule),
        when=rule.when.text if rule.when else None,
        planned=rule.planned.text if rule.planned else None,
        law=_law_logic(rule.law),
        require=rule.require,
        branches=tuple(
            BranchLogic(verdict=branch.verdict, condition=branch.condition.text, severity=branch.severity)
            for branch in rule.branches
        ),
    )


def _law_logic(law: Law | None) -> LawLogic | None:
    if law is None:
        return None
    return LawLogic(
        regimes=None if law.regimes is None else tuple(sorted(law.regimes)),
        territories=None if law.territories is None else tuple(sorted(law.territories)),
        governed_by=law.governed_by,
        start=None if law.start is None else date(law.start).isoformat(),
        until=None if law.until is None else date(law.until).isoformat(),
        review_by=None if law.review_by is None else date(law.review_by).isoformat(),
        dated=tuple(name.removeprefix(PARAMS) for name in law.dated),
    )


def _parameters(rules: Sequence[CompiledRule]) -> tuple[ParameterUsed, ...]:
    used = {
        (rule.pack, name.removeprefix(PARAMS)): rule
        for rule in rules
        for constants in (rule.constants, *(let.constants for let in rule.lets), rule.law.dated if rule.law else ())
        for name in constants
    }
    parameters = []
    for (pack, name), rule in sorted(used.items(), key=lambda item: item[0]):
        one = rule.parameters[name]
        bands = None if one.bands is None else tuple((band.below, band.is_) for band in one.bands)
        parameters.append(
            ParameterUsed(
                pack=pack,
                name=name,
                value=one.value,
                bands=bands,
                unit=one.unit,
                basis=one.basis,
                why=one.why,
                spans=tuple(
                    ValueSpan(
                        value=span.value,
                        start=span.from_.isoformat(),
                        until=span.until.isoformat() if span.until else None,
                        regimes=span.regimes,
                        territories=span.territories,
                        verified_on=span.verified_on.isoformat(),
                        review_by=span.review_by.isoformat(),
                    )
                    for span in one.values or ()
                ),
            )
        )
    return tuple(parameters)


@lru_cache(maxsize=KEPT)
def _pattern_infos(packs: Packs) -> Mapping[str, Mapping[str, Any]]:
    """What the report says of each pattern whatever comes of it."""
    works = {loaded.pack.id: loaded.pack.sources for loaded in packs.packs}
    return {
        one.pattern.id: {
            "aliases": one.pattern.aliases,
            "title": one.pattern.title,
            "pack": one.pack,
            "why": one.pattern.why,
            "remedy": one.pattern.remedy,
            "sources": tuple(cite(citation, works[one.pack][citation.source]) for citation in one.pattern.sources),
        }
        for one in packs.patterns
    }


def _patterns(
    packs: Packs,
    gates: Mapping[str, tuple[bool | None, tuple[str, ...]]],
    outcomes: Sequence[PatternOutcome],
    missing_of: Mapping[str, tuple[str, ...]],
) -> tuple[PatternResult, ...]:
    infos = _pattern_infos(packs)
    results = []
    for outcome in outcomes:
        info = infos[outcome.id]
        missing: tuple[str, ...] = ()
        if outcome.outcome == "open":
            waiting = [name for m in outcome.undecided if m.kind == "rule" for name in missing_of.get(m.id, ())]
            gate = gates[outcome.id][1] if outcome.gate is None else ()
            missing = tuple(dict.fromkeys((*gate, *waiting)))
        results.append(
            PatternResult.of(
                # In the order of the model, which is that of the JSON.
                id=outcome.id,
                aliases=info["aliases"],
                title=info["title"],
                pack=info["pack"],
                concludes=outcome.concludes,
                outcome=outcome.outcome,
                severity=outcome.severity,
                why=info["why"],
                remedy=info["remedy"],
                because=_members((*outcome.satisfied, *outcome.raised_by, *outcome.lowered_by)),
                withdrawn_by=_members(outcome.withdrawn_by),
                would_be_withdrawn_by=_members(outcome.would_be_withdrawn_by),
                undecided=_members(outcome.undecided),
                not_checked=_members(outcome.not_checked),
                missing=missing,
                sources=info["sources"],
                waived=None,
                known_before=False,
            )
        )
    return tuple(results)


@cache
def order_of_facts() -> Mapping[str, int]:
    """The place of each fact in the commissioning cycle."""
    return {name: position for position, name in enumerate(dictionary())}


def stated(document: Document, currency: str, facts: Facts, names: Iterable[str]) -> tuple[FactStated, ...]:
    """Facts of a document with their places, in the order of the commissioning cycle; all of them are stated in it."""
    order = order_of_facts()
    found = []
    for _, reference in sorted((order.get(name.partition("[")[0], -1), name) for name in names):
        value, title, unit, type_ = part_of(facts, reference)
        text = _spoken(value, type_, currency if type_ == "money" else type_ if type_ in ("date", "enum") else unit)
        if reference == "as_of":
            file, pointer, line, column = document.name, "", None, None
        else:
            file, pointer, line, column = place_of(document, facts, reference)
        evidence = _named(facts.evidence_for(reference))
        found.append(
            FactStated.of(
                name=reference,
                title=title,
                value=shown(value, type_),
                text=text,
                file=file,
                pointer=pointer,
                line=line,
                column=column,
                evidenced=evidence is not None,
                evidence=evidence,
            )
        )
    return tuple(found)


def _named(evidence: Evidence | None) -> EvidenceNamed | None:
    if evidence is None:
        return None
    day = evidence.date.isoformat() if evidence.date else None
    return EvidenceNamed.of(document=evidence.document, page=evidence.page, url=evidence.url, date=day)


def _spoken(value: Any, type_: str, unit: str | None) -> str:
    if value is None:
        return ""
    if value == NONE:
        return NONE
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{len(value)} stated"
    return say(value, unit if type_ not in ("double", "int") or unit == "share" else None)


def _missing(
    why_not: Callable[[str], tuple[str | None, str]],
    results: Sequence[RuleResult],
    patterns: Sequence[PatternResult],
    score: scoring.Score,
) -> tuple[FactMissing, ...]:
    rules: dict[str, list[str]] = {}
    law: dict[str, list[str]] = {}
    for result in results:
        for name in result.missing:
            rules.setdefault(name, [])
            (law.setdefault(name, []) if result.rule.law else rules[name]).append(result.rule.id)
    for pattern in patterns:
        for name in pattern.missing:
            rules.setdefault(name, [])
    missing = []
    narrowing = score.narrowing
    for narrows, reference in sorted((-narrowing.get(name, 0.0), name) for name in rules):
        title, question = _question(reference)
        reason, pointer = why_not(reference)
        if reason == WITHOUT_EVIDENCE:
            question = f"Which document shows {title}? Name it under evidence, for {pointer}."
        missing.append(
            FactMissing.of(
                name=reference,
                title=title,
                question=question,
                reason=reason,
                narrows=-narrows,
                rules=tuple(rules[reference]),
                law=tuple(law.get(reference, ())),
            )
        )
    return tuple(missing)


@lru_cache(maxsize=4096)
def _question(reference: str) -> tuple[str, str]:
    """What a missing fact is called, and the question that it answers."""
    entries = dictionary()
    name, bracket, rest = plain(reference).partition("[")
    if reference == "as_of":
        return "the day of the audit", "On which day is it audited? (`--as-of`)"
    if name.endswith(COMPLETE):
        title = entries[name.removesuffix(COMPLETE)].title
        return f"whether all is named under “{title}”", "Are these all? Write {complete: true, items: [...]}."
    fact = entries[name]
    if bracket:
        part = fact.fields[rest.partition("].")[2]]
        return f"{part.title} ({fact.title}, no. {int(rest.partition(']')[0]) + 1})", part.help or fact.help
    return fact.title, fact.help
