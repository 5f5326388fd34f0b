"""Answers: what people have answered, with name and date, to the questions that no document can answer."""

from __future__ import annotations

import calendar
import datetime as dt
import difflib
import fnmatch
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from goodcommission import scoring
from goodcommission.description.document import Document, Source
from goodcommission.description.entries import name_of_document, read_entries
from goodcommission.description.parsing import quoted
from goodcommission.description.positions import locate, to_pointer
from goodcommission.engine.texts import say_date
from goodcommission.exceptions import AnswerError, DescriptionError, Fault
from goodcommission.packs.model import Question, Verdict
from goodcommission.report.citing import cite
from goodcommission.report.model import (
    AnswerGiven,
    AnswersUsed,
    AuditReport,
    EvidenceNamed,
    FactStated,
    QuestionAsked,
    RuleInfo,
    RuleResult,
)

if TYPE_CHECKING:
    from goodcommission.packs.compiling import Packs

AnswerWord = Literal["yes", "no", "not_applicable"]
SIGN: Final = (
    "Whoever answers signs with a name (by:) and a day (on:); an answer that nobody stands behind counts nothing."
)


def _is_day(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "this is no day; write year-month-day, such as 2026-03-31") from None
    return text


_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Day = Annotated[str, AfterValidator(_is_day)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AnswerEvidence(_Closed):
    """The document that shows an answer to be true."""

    document: _Text
    page: _Text | None = None
    url: _Text | None = None
    date: _Day | None = None


class Answer(_Closed):
    """One signed answer, as it is written."""

    question: _Text
    answer: AnswerWord
    by: _Text
    on: _Day
    document: Annotated[_Text, AfterValidator(name_of_document)] | None = None
    note: _Text | None = None
    evidence: AnswerEvidence | None = None

    def is_for(self, document: Document) -> bool:
        """Whether it is for this document: by its id, its case, its name, or its file name without folders."""
        if self.document is None:
            return True
        name = document.name.replace("\\", "/")
        names = {name, name.rpartition("/")[2], document.description.id or name, document.description.case or name}
        return any(fnmatch.fnmatchcase(one, self.document) for one in names)


class _File(_Closed):
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of one file, in its order."""

    items: tuple[Answer, ...]
    name: str
    digest: str
    source: Source | None = None

    def place(self, index: int) -> tuple[int | None, int | None]:
        """Line and column of an answer."""
        return (locate(self.source, f"/answers/{index}") if self.source else None) or (None, None)


def read_answers(given: str | os.PathLike[str] | Mapping[str, Any]) -> Answers:
    """Read a file of answers (YAML or JSON), or the same as a dict.

    Raises:
        AnswerError: It can't be read or is not valid: every fault with line and column.
    """
    from goodcommission.description.parsing import parse
    from goodcommission.description.reading import digest_of, read_source

    source = None
    try:
        if not isinstance(given, Mapping):
            source = read_source(given)
        raw: Any = dict(given) if isinstance(given, Mapping) else parse(source) if source else None
    except DescriptionError as error:
        raise AnswerError(*error.faults) from None
    name = source.name if source else "answers"
    if not isinstance(raw, dict):
        raise AnswerError(Fault("a file of answers is a mapping with a list under `answers:`", name, 1, 1, ""))
    items, wrong = read_entries(_File, raw, "answers", Answer)
    if wrong:
        raise AnswerError(*(_fault(source, name, one) for one in wrong))
    return Answers(tuple(items), name, source.digest if source else digest_of(raw), source)


def _fault(source: Source | None, name: str, error: dict[str, Any]) -> Fault:
    parts, kind = tuple(error["loc"]), error["type"]
    field, suggestion = str(parts[-1]) if parts else "", None
    model = _File if len(parts) < 2 else AnswerEvidence if "evidence" in parts[:-1] else Answer
    if kind == "extra_forbidden":
        message = f'there is no field "{field}" here'
        near = difflib.get_close_matches(field, model.model_fields, n=1)
        suggestion = f"Did you mean {near[0]}?" if near else f"There are {', '.join(model.model_fields)}."
    elif kind == "missing":
        message, parts = f'the field "{field}" is missing', parts[:-1]
        suggestion = SIGN if field in ("by", "on") else None
    elif kind == "literal_error":
        message = "one of yes, no, not_applicable is expected"
    elif kind in ("string_type", "string_too_short"):
        message = "a text is expected here"
        suggestion = SIGN if field in ("by", "on") else None
    elif kind == "list_type":
        message = "a list of answers is expected here"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        message = f"a set of fields is expected here: {', '.join(model.model_fields)}"
    else:
        message = error["msg"]
    return _at(source, name, to_pointer(parts), message, suggestion, key=kind == "extra_forbidden")


def _at(
    source: Source | None, name: str, pointer: str, message: str, suggestion: str | None, *, key: bool = False
) -> Fault:
    line, column = (locate(source, pointer, key=key) if source else None) or (None, None)
    return Fault(message, name, line, column, pointer, suggestion)


# --- What is answered of a document ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is asked of a document, and its answer where there is one."""

    question: Question
    pack: str
    answer: Answer | None = None
    index: int | None = None
    """Of the answer, in its file."""
    note: str | None = None
    """What to know of the answer: it is old, or it is not used."""

    @property
    def reference(self) -> str:
        """The name of the answer among the facts of a report."""
        return f"answers.{self.question.id}"


def asked_of(packs: Packs, document: Document, answers: Answers | None, day: dt.date | None) -> tuple[Asked, ...]:
    """The questions of these packs that are asked of a document, with the answers that are for it.

    Raises:
        AnswerError: An answer is to a question that there is not, or a question is answered twice.
    """
    questions = [(one.pack.id, question) for one in packs.packs for question in one.pack.questions]
    given = dict(_given(answers, {question.id for _, question in questions}, document)) if answers else {}
    kind = document.description.kind
    return tuple(
        _asked(question, pack, given.get(question.id), day)
        for pack, question in questions
        if kind in question.applies_to
    )


def _given(answers: Answers, known: set[str], document: Document) -> Iterator[tuple[str, tuple[int, Answer]]]:
    others: set[str] | None = None
    seen: dict[str, int] = {}
    faults = []
    for index, one in enumerate(answers.items):
        pointer = f"/answers/{index}/question"
        if one.question not in known:
            others = _shipped_questions() if others is None else others
            if one.question not in others:
                near = difflib.get_close_matches(one.question[:80].upper(), sorted(known | others), n=1)
                advice = f"Did you mean {near[0]}?" if near else "goodcommission rules questions lists them."
                message = f"there is no question {quoted(one.question)}"
                faults.append(_at(answers.source, answers.name, pointer, message, advice))
        elif one.is_for(document):
            if one.question in seen:
                message = f"{one.question} is answered already for {document.name}, in answer {seen[one.question] + 1}"
                faults.append(_at(answers.source, answers.name, pointer, message, "Keep the answer that holds."))
            seen.setdefault(one.question, index)
    if faults:
        raise AnswerError(*faults)
    return ((id, (index, answers.items[index])) for id, index in seen.items())


def _shipped_questions() -> set[str]:
    """Questions of packs that this audit may have left out: an answer to one is no mistake."""
    from goodcommission.packs.loading import shipped_packs

    return {question.id for loaded in shipped_packs() for question in loaded.pack.questions}


def _asked(question: Question, pack: str, given: tuple[int, Answer] | None, day: dt.date | None) -> Asked:
    if given is None:
        return Asked(question, pack)
    index, answer = given
    signed = dt.date.fromisoformat(answer.on)
    if day is not None and signed > day:
        return Asked(question, pack, note=f"the answer of {say_date(signed)} was signed after the day of the audit")
    if day is not None and _months_later(signed, question.good_for_months) < day:
        note = f"the answer is older than {question.good_for_months} months: ask again"
        return Asked(question, pack, answer, index, note)
    return Asked(question, pack, answer, index)


def _months_later(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def without_document(answers: Answers) -> Sequence[Fault]:
    """The answers that do not say for which document they are: among several, they may be for the wrong one."""
    return [
        _at(
            answers.source,
            answers.name,
            f"/answers/{index}",
            "several documents are audited, and this answer does not say for which it is",
            'Add document: (an id or a file name; "*" is every document).',
        )
        for index, one in enumerate(answers.items)
        if one.document is None
    ]


# --- What answers say --------------------------------------------------------------------------------------------


class Manual:
    """What people have answered, as the score and the report have it."""

    def __init__(self, answers: Answers | None, asked: Sequence[Asked], packs: Packs, *, strict: bool) -> None:
        self._answers = answers
        self._asked = asked
        self._works = {loaded.pack.id: loaded.pack.sources for loaded in packs.packs}
        self._results = [self._result(one, one.answer, strict) for one in asked if one.answer]

    @property
    def judged(self) -> list[scoring.Judged]:
        """The answers, as the score counts them."""
        return [
            scoring.Judged(
                one.rule.id,
                one.rule.pack,
                None,
                one.severity,
                one.rule.strength,
                one.verdict,
                claimed=one.claimed,
                found=one.severity,
            )
            for one in self._results
        ]

    def added_to(self, report: AuditReport, score: scoring.Score) -> AuditReport:
        """The report with the questions, and the results of the answers."""
        if not self._asked:
            return report
        results = [one.model_copy(update={"points": score.mends.get(one.rule.id)}) for one in self._results]
        passes = [one for one in results if one.verdict == "pass"]
        counts = report.score.model_copy(
            update={
                "passes": report.score.passes + len(passes),
                "claimed": report.score.claimed + sum(one.claimed for one in passes),
                "evidenced": report.score.evidenced + sum(one.evidenced for one in passes),
            }
        )
        used = None
        if self._answers is not None:
            used = AnswersUsed(name=self._answers.name, digest=self._answers.digest)
        return report.model_copy(
            update={
                "answers": used,
                "questions": tuple(self._question(one) for one in self._asked),
                "results": (*report.results, *results),
                "facts": (*report.facts, *(self._fact(one, one.answer) for one in self._asked if one.answer)),
                "score": counts,
            }
        )

    def _question(self, one: Asked) -> QuestionAsked:
        question, answer = one.question, one.answer
        given = None
        if answer is not None:
            given = AnswerGiven(
                answer=answer.answer,
                by=answer.by,
                on=answer.on,
                note=answer.note,
                evidence=_evidence_of(answer),
                line=self._place(one)[0],
            )
        return QuestionAsked(
            id=question.id,
            pack=one.pack,
            title=question.title,
            asks=question.asks,
            severity=question.severity,
            answer=given,
            note=one.note,
        )

    def _place(self, one: Asked) -> tuple[int | None, int | None]:
        return self._answers.place(one.index) if self._answers and one.index is not None else (None, None)

    def _result(self, one: Asked, answer: Answer, strict: bool) -> RuleResult:
        question, backed = one.question, answer.evidence is not None
        verdict: Verdict = {"yes": "pass", "no": "fail", "not_applicable": "not_applicable"}[answer.answer]  # type: ignore[assignment]
        reason = "it is answered as not applicable" if verdict == "not_applicable" else None
        if strict and not backed and verdict != "fail":
            verdict, reason = "unknown", "it is answered without evidence, and evidence is required"
        notes = [f"{answer.by} adds: {answer.note}"] if answer.note else []
        return RuleResult(
            rule=RuleInfo(
                id=question.id,
                pack=one.pack,
                title=question.title,
                asks=question.asks,
                phase=question.phase,
                level="core",
                tier="small",
                due_from="draft",
                severity=question.severity,
                strength=question.strength,
                kind="manual",
                group=None,
                scored=True,
                same_fault_as=(),
                why=question.why,
                sources=tuple(cite(citation, self._works[one.pack][citation.source]) for citation in question.sources),
            ),
            verdict=verdict,
            provisional=False,
            claimed=verdict == "pass" and not backed,
            evidenced=verdict in ("pass", "fail") and backed,
            severity=question.severity,
            finding=question.finding if verdict == "fail" else None,
            remedy=question.remedy if verdict == "fail" else None,
            points=None,
            notes=(*notes, *([f"{one.note[:1].upper()}{one.note[1:]}."] if one.note else [])),
            reason=reason,
            decided_by=(one.reference,),
            missing=(),
            waived=None,
            known_before=False,
        )

    def _fact(self, one: Asked, answer: Answer) -> FactStated:
        line, column = self._place(one)
        word = answer.answer.replace("_", " ")
        return FactStated(
            name=one.reference,
            title=f"the answer to {one.question.id}",
            value=answer.answer,
            text=f"{word}, signed by {answer.by} on {say_date(dt.date.fromisoformat(answer.on))}",
            file=self._answers.name if self._answers else "answers",
            pointer=f"/answers/{one.index}",
            line=line,
            column=column,
            evidenced=answer.evidence is not None,
            evidence=_evidence_of(answer),
        )


def _evidence_of(answer: Answer) -> EvidenceNamed | None:
    return EvidenceNamed(**answer.evidence.model_dump()) if answer.evidence else None
