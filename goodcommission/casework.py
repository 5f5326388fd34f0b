"""The audit of a case: several documents that describe one service, with one report and one score."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from goodcommission import scoring
from goodcommission.answers import Answers, Asked, Manual, asked_of, read_answers
from goodcommission.auditing import (
    Audited,
    audited_document,
    condition_gate,
    counted,
    day_of,
    judge_all,
    order_of_facts,
    proof_of,
    regime_used,
    report_on,
    results_of,
    stated,
    tier_used,
    why_not_of,
)
from goodcommission.description.case import Case, Given, read_case
from goodcommission.description.facts import date, dictionary
from goodcommission.description.joining import Contradicted, Joined, contradictions, join, knowledge
from goodcommission.description.types import Money
from goodcommission.engine.joining import CaseVerdict, Names, combine, severity_of
from goodcommission.engine.law import Regime
from goodcommission.engine.patterns import Engine, run
from goodcommission.engine.texts import say
from goodcommission.engine.verdicts import RuleVerdict
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.packs.model import Tier
from goodcommission.report.model import (
    AuditedDocument,
    AuditReport,
    CaseUsed,
    Contradiction,
    DocumentVerdict,
    FactStated,
)


def audit_case(
    documents: Case | Sequence[Given] | str | os.PathLike[str],
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
    """Audit the documents of one service together: one report, one score.

    Each document is audited with its own facts, filled from the others where it says nothing; a rule counts once: not
    met if one document does not meet it. What documents say differently of one fact is in ``report.case``.

    Args:
        documents: A case file, or the documents: files, dicts, or what ``read_description`` gave.
        packs: As for ``audit``.
        commissioner: As for ``audit``.
        as_of: The day of the audit. By default the latest of the documents' own governing dates.
        tier: As for ``audit``; by default what each document says of the value.
        engine: As for ``audit``.
        require_evidence: As for ``audit``; evidence in one document stands behind the same statement in another.
        regime: As for ``audit``; by default worked out for each document.
        answers: As for ``audit``; an answer may name a document, or the case that the documents name.

    Raises:
        DescriptionError: A document can't be read or is not valid; they are not of one case; one is there twice.
        PackError: A pack is not there.
        EngineError: The engine asked for is not installed or failed.
    """
    case = read_case(documents, commissioner=commissioner)
    used = packs if isinstance(packs, Packs) else load_packs(packs)
    joined = join(case, used.currency)
    days_ = [day_of(one.document.description, one.facts, as_of) for one in joined]
    day, basis = max(days_, key=lambda item: -(10**9) if item[0] is None else item[0])
    if day is not None:
        joined = tuple(
            replace(one, facts=replace(one.facts, values={**one.facts.values, "as_of": day})) for one in joined
        )
    judged = [
        judge_all(one.document, one.facts, used, tier, require_evidence=require_evidence, regime=regime)
        for one in joined
    ]
    said = [verdicts for _, verdicts in judged]
    conditions = [(one.pattern.id, one.gate) for one in used.patterns if one.gate]
    regimes = [setting.regime for setting, _ in judged]
    verdicts, gates, names = combine(
        joined,
        said,
        [{id: condition_gate(gate, setting) for id, gate in conditions} for setting, _ in judged],
        [(*one.decided_by, *one.missing) for one in regimes],
    )
    outcomes, engine_report = run(
        used.pattern_set,
        {
            rule.rule.id: ("not_applicable", False) if one is None else (one.verdict.verdict, one.verdict.provisional)
            for rule, one in zip(used.rules, verdicts, strict=True)
        },
        {id: value for id, (value, _) in gates.items()},
        engine,
    )
    signed = answers if answers is None or isinstance(answers, Answers) else read_answers(answers)
    asked = [asked_of(used, one.document, signed, None if day is None else date(day)) for one in joined]
    manual = Manual(signed, _asked_once(asked), used, strict=require_evidence)
    counts = [*(counted(one.verdict) for one in verdicts if one is not None), *manual.judged]
    score = scoring.compute(counts, used.groups, used.weights)
    report = report_on(
        _audited(
            case,
            joined,
            used,
            said,
            verdicts,
            names,
            score,
            require_evidence,
            regimes,
        ),
        used,
        tier_used([setting for setting, _ in judged], tier),
        gates,
        outcomes,
        engine_report,
        score,
        day,
        basis,
        require_evidence,
    )
    return manual.added_to(report, score)


def _asked_once(asked: Sequence[Sequence[Asked]]) -> list[Asked]:
    """Each question once: answered with no if that is the answer for one document, with yes if it is for all."""
    by_id: dict[str, Asked] = {}
    worst_first = ("no", None, "yes", "not_applicable")
    for one in (one for of_document in asked for one in of_document):
        known = by_id.setdefault(one.question.id, one)
        answers = [each.answer.answer if each.answer else None for each in (one, known)]
        if worst_first.index(answers[0]) < worst_first.index(answers[1]):
            by_id[one.question.id] = one
    return list(by_id.values())


def _audited(
    case: Case,
    joined: Sequence[Joined],
    packs: Packs,
    said: Sequence[Sequence[RuleVerdict | None]],
    verdicts: Sequence[CaseVerdict | None],
    names: Names,
    score: scoring.Score,
    require_evidence: bool,
    regimes: Sequence[Regime],
) -> Audited:
    documents = tuple(audited_document(one.document) for one in joined)
    profiles = {one.profile.digest: one.profile for one in documents if one.profile}
    results = []
    said_of_all = [None if one is None else one.verdict for one in verdicts]
    for result, one in zip(results_of(packs, said_of_all, score), verdicts, strict=True):
        if one is None:
            results.append(result.model_copy(update={"decided_by": names.kinds()}))
            continue
        of_each = tuple(
            DocumentVerdict.of(document=documents[at].name, verdict=v.verdict, provisional=v.provisional)
            for at, v in one.said
        )
        results.append(result.model_copy(update={"document": documents[one.number].name, "documents": of_each}))
    name, regime = case.name, regime_used(packs, regimes, names.name)
    return Audited(
        AuditedDocument.of(
            name=name,
            file=case.file,
            kind="case",
            stage=None,
            id=case.id,
            title=case.title,
            origin="description",
            digest=case.digest,
            notes=tuple(f"{one.name}: {note}" for one in documents for note in one.notes),
            profile=next(iter(profiles.values())) if len(profiles) == 1 else None,
        ),
        CaseUsed.of(
            id=case.id,
            documents=documents,
            contradictions=tuple(_contradiction(one, joined, packs, said) for one in contradictions(joined)),
        ),
        tuple(results),
        _stated_in_case(
            name, joined, packs.currency, names, {*regime.decided_by, *(n for r in results for n in r.decided_by)}
        ),
        _why_not(joined, names, require_evidence),
        regime,
        tuple(proof_of(known, law) for known, law in zip(knowledge(joined), regimes, strict=True)),
    )


def _stated_in_case(
    case: str, joined: Sequence[Joined], currency: str, names: Names, decisive: Iterable[str]
) -> tuple[FactStated, ...]:
    order = order_of_facts()
    found = []
    for _, name in sorted((order.get(names.known[name][1].partition("[")[0], -1), name) for name in decisive):
        number, reference = names.known[name]
        (fact,) = stated(joined[number].document, currency, joined[number].facts, [reference])
        found.append(fact.model_copy(update={"name": name, **({"file": case} if reference == "as_of" else {})}))
    return tuple(found)


def _why_not(joined: Sequence[Joined], names: Names, require_evidence: bool) -> Callable[[str], tuple[str | None, str]]:
    of_each = [why_not_of(one.facts, require_evidence) for one in joined]

    def why_not(name: str) -> tuple[str | None, str]:
        number, reference = names.known[name]
        return of_each[number](reference)

    return why_not


def _contradiction(
    one: Contradicted, joined: Sequence[Joined], packs: Packs, said: Sequence[Sequence[RuleVerdict | None]]
) -> Contradiction:
    severity, rules = severity_of(one, said)
    fact = dictionary()[one.name]
    statements = []
    for number in one.documents:
        document, raw = joined[number], joined[number].said[one.name]
        (shown,) = stated(document.document, packs.currency, document.facts, [one.name])
        if isinstance(raw, Money) and raw.amount and raw.currency != packs.currency:
            amount = float(raw.amount)
            shown = shown.model_copy(update={"value": amount, "text": say(amount, raw.currency)})
        elif fact.type == "list_record":
            # How many there are is not enough to see what differs.
            shown = shown.model_copy(update={"text": "; ".join(_in_words(item) for item in raw.items) or "none"})
        statements.append(shown)
    return Contradiction(
        name=one.name,
        title=fact.title,
        severity=severity,
        statements=tuple(statements),
        rules=tuple(packs.rules[at].rule.id for at in rules),
    )


def _in_words(record: BaseModel) -> str:
    """An item of a list in a few words."""
    words = []
    for name, value in record:
        label = name.replace("_", " ")
        if isinstance(value, bool):
            words.append(label if value else f"not {label}")
        elif isinstance(value, Money):
            words.append(say(float(value.amount), value.currency) if value.amount else f"no {label}")
        elif isinstance(value, Decimal):
            words.append(f"{label} {say(float(value), None)}")
        elif value is not None:
            words.append(str(value).replace("_", " "))
    return ", ".join(words)
