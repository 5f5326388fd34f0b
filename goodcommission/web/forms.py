"""The questions: a form in which every page is one topic, and the score's interval narrows with each answer.

The server keeps nothing. What is answered so far travels with the page, as the text of a description, and is read and
checked each time as anything is that comes from outside.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from goodcommission.description.facts import COMPLETE, Fact, dictionary
from goodcommission.description.model import Kind
from goodcommission.description.raw import held as stated
from goodcommission.description.reading import read_documents
from goodcommission.description.starting import Question, quick_check
from goodcommission.description.writing import as_written, written
from goodcommission.exceptions import DescriptionError, Fault
from goodcommission.packs.asking import asked
from goodcommission.packs.compiling import Packs
from goodcommission.quick_check import BASICS, AnswerError, Asked, QuickCheck
from goodcommission.report.model import AuditReport
from goodcommission.report.wording import NO_GRADE, capital, grade_words, score_words
from goodcommission.web import pages
from goodcommission.web.api import service, worked
from goodcommission.web.fields import (
    LEFT,
    MOST_ROWS,
    Field,
    currency_of,
    entry_in,
    entry_of,
    meaning,
    said,
    section,
)
from goodcommission.web.problems import ProblemError
from goodcommission.web.sent import Sent
from goodcommission.web.service import AuditOptions, File

KINDS: Final[Mapping[str, str]] = {
    "tender": "A tender",
    "contract": "A contract",
    "grant_programme": "A grant programme",
    "decommissioning_plan": "A plan to end a service",
}
_FACTS_A_PAGE: Final = 8
"""Of the questions after the quick check."""
_MOST_STEPS: Final = 300
_TRIALS: Final = 4
"""Facts that are tried at each step to settle a grade."""
_WIDEST: Final = 30.0
"""Points of the interval above which a few answers hardly settle a grade, and trying would only take time."""
_NUMBERS: Final[Mapping[int, str]] = {1: "One more answer", 2: "Two more answers", 3: "Three more answers"} | {
    4: "Four more answers",
    5: "Five more answers",
}
router: Final = APIRouter(prefix="/questions", include_in_schema=False, default_response_class=HTMLResponse)


# --- Where a person stands -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Walk:
    """One person's way through the questions: what travels with the page."""

    check: QuickCheck
    passed: list[str] = field(default_factory=list)
    """Facts that were passed over for now."""
    trail: list[str] = field(default_factory=list)
    """The pages that were gone through, to go back."""

    @property
    def text(self) -> str:
        """The description so far."""
        return json.dumps(self.check.answers, ensure_ascii=False)

    def skip(self, name: str) -> None:
        """Pass a fact over."""
        self.check.skip(name)
        if name not in self.passed:
            self.passed.append(name)

    def remaining(self) -> tuple[Asked, ...]:
        """The pages that can still settle something: those of the quick check, then what other rules wait for."""
        return (*self.check.remaining(), *_further(self.check))

    def page(self, key: str) -> Asked | None:
        """A page that was gone through already, with what it asked and what it would ask now."""
        now = next((one for one in self.remaining() if _key(one.question) == key), None)
        known = next((one for one in _questions(self.check.kind, self.check.packs) if _key(one) == key), None)
        if known is None:
            return now
        still = {fact.name for fact in now.facts} if now else set()
        facts = tuple(dictionary()[name] for name in known.facts if name in still or self.check.settled(name))
        return Asked(known, facts, now.decides if now else ()) if facts else None


def _key(question: Question) -> str:
    return str(question.number) if question.heading != _FURTHER else question.facts[0]


_FURTHER: Final = "More questions"


def _base(name: str) -> str:
    return name.partition("[")[0].removesuffix(COMPLETE)


@lru_cache(maxsize=64)
def _questions(kind: Kind, packs: Packs) -> tuple[Question, ...]:
    """All pages that there can be: the quick check's, then the sections of the description along the cycle."""
    deciding = asked(packs, kind).deciding
    first = (BASICS, *quick_check())
    known = {name for one in first for name in one.facts}
    sections: dict[str, list[str]] = {}
    for name, fact in dictionary().items():
        if name in deciding and name not in known and name != "kind":
            sections.setdefault(section(fact) or capital(fact.title), []).append(name)
    found = list(first)
    for title, names in sections.items():
        for start in range(0, len(names), _FACTS_A_PAGE):
            facts = tuple(names[start : start + _FACTS_A_PAGE])
            text = "A few rules ask for this as well. Leave out what you do not know."
            found.append(Question(len(found), _FURTHER, title, text, facts))
    return tuple(found)


def _further(check: QuickCheck) -> Iterable[Asked]:
    waiting: dict[str, list[str]] = {}
    for missing in check.report.missing:
        waiting.setdefault(_base(missing.name), []).extend(missing.rules)
    for question in _questions(check.kind, check.packs):
        if question.heading == _FURTHER:
            left = tuple(name for name in question.facts if name in waiting and not check.settled(name))
            if left:
                decides = tuple(dict.fromkeys(rule for name in left for rule in waiting[name]))
                yield Asked(question, tuple(dictionary()[name] for name in left), decides)


def _walk(request: Request, form: FormData) -> Walk:
    """Where the person stands, from what came with the page.

    Raises:
        ProblemError: It was changed on its way, and is no description any more.
    """
    text = _text(form, "so_far")
    try:
        check = opened(service(request).packs, text.encode("utf-8", "surrogatepass"), "answers.json")
    except DescriptionError as error:
        raise ProblemError(422, f"What was answered so far can't be read: {error.faults[0]}") from None
    walk = Walk(check)
    for name in _text(form, "passed").split():
        if name not in dictionary():
            raise ProblemError(422, f"There is no question “{name[:40]}”.")
        walk.skip(name)
    known = {_key(one) for one in _questions(check.kind, check.packs)}
    walk.trail = [key for key in _text(form, "trail").split() if key in known][-_MOST_STEPS:]
    return walk


def opened(packs: Packs, body: bytes, name: str) -> QuickCheck:
    """The quick check of a description, or of a notice as `convert` writes it.

    Raises:
        DescriptionError: It can't be read or is not valid.
    """
    documents = read_documents("-", stream=io.BytesIO(body), name=name)
    if len(documents) > 1:
        raise DescriptionError(Fault(f"{len(documents)} notices are in it, and the questions go with one"))
    (document,) = documents
    return QuickCheck(document.description.kind, packs, answers=as_written(document), as_of=_today())


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


# --- What an entry changes -----------------------------------------------------------------------------------------


def take(walk: Walk, form: FormData, facts: Sequence[Fact], *, blanks: bool) -> dict[str, str]:
    """State what was entered for some facts.

    Args:
        walk: Where it is stated.
        form: What was entered.
        facts: What was asked.
        blanks: Whether a fact without an entry is passed over; else it stays as it was asked.

    Returns:
        Fact → what is wrong with its entry; nothing is stated of those.
    """
    check = walk.check
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for fact in facts:
        try:
            value = meaning(fact, entry_in(form, fact), currency_of(stated(check.answers, fact.name, LEFT)))
        except AnswerError as error:
            errors[fact.name] = said(error.faults)
            continue
        if value is not LEFT:
            values[fact.name] = value
        elif blanks:
            if check.settled(fact.name):
                check.take_back(fact.name)
            walk.skip(fact.name)
    waiting = list(values)
    while waiting:
        # One answer may fit only after another: two dates that are both moved, say.
        refused = {name: told for name in waiting if (told := _state(check, name, values[name]))}
        if len(refused) == len(waiting):
            return errors | refused
        waiting = list(refused)
    return errors


def _state(check: QuickCheck, name: str, value: Any) -> str | None:
    try:
        check.answer(name, value)
    except AnswerError as error:
        return said(error.faults)
    return None


# --- How far it has come -------------------------------------------------------------------------------------------


def standing(walk: Walk) -> dict[str, Any]:
    """How far the answers have settled the audit, in figures and in words."""
    now = walk.check.progress
    left = len(walk.remaining())
    graded = now.grade != NO_GRADE
    return {
        "low": now.low,
        "high": now.high,
        "score": now.score,
        "grade": now.grade,
        "decided": now.decided,
        "rules": now.rules,
        "left": left,
        "words": capital(score_words(walk.check.report.score)) + ".",
        "grade_words": f"Grade {grade_words(now.grade)}" if graded else "No grade yet",
        "could": _could(walk, left),
    }


def _could(walk: Walk, left: int) -> str:
    now = walk.check.progress
    if not left:
        return "No answer that is left could change the score."
    if now.grade in tuple("ABCDE"):
        return "The grade is settled. More answers could still move the score."
    few = could_settle(walk.check)
    return f"{_NUMBERS[few]} could settle the grade." if few else "More answers are needed to settle the grade."


def could_settle(check: QuickCheck) -> int | None:
    """In how few answers a grade could be settled: the few that were found by trying, five at most.

    Each step tries answers to the facts that narrow most, and keeps the one that leaves the least open. So the number
    is one that some answers do reach, and not always the smallest.
    """
    report = check.report
    answers: Mapping[str, Any] = check.answers
    tried = QuickCheck(check.kind, check.packs, answers=answers, as_of=_today())
    for steps in range(1, len(_NUMBERS) + 1):
        if report.score.grade == NO_GRADE or _open(report) > _WIDEST:
            return None
        best: tuple[float, AuditReport, Mapping[str, Any]] | None = None
        names = [one.name for one in report.missing if one.narrows and one.name in dictionary()]
        for name in [name for name in names if not check.settled(name) and not tried.settled(name)][:_TRIALS]:
            for value in _trial_values(dictionary()[name]):
                try:
                    tried.answer(name, value)
                except AnswerError:
                    continue
                found = (_open(tried.report), tried.report, tried.answers)
                if tried.report.score.grade in tuple("ABCDE"):
                    return steps
                if best is None or found[0] < best[0]:
                    best = found
                tried.answers, tried.report = dict(answers), report
        if best is None:
            return None
        _, report, answers = best
        tried.answers, tried.report = dict(answers), report
    return None


def _open(report: AuditReport) -> float:
    return (report.score.high or 0.0) - (report.score.low or 0.0)


def _trial_values(fact: Fact) -> tuple[Any, ...]:
    match fact.type:
        case "bool":
            return True, False
        case "enum":
            return fact.values[:3]
        case "int":
            return 1, 90
        case "list_enum" | "list_text" | "list_record":
            return ([],)
    return ("none",) if fact.may_be_none else ()


# --- The pages -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a fact is asked for: the rules that it helps to decide."""

    title: str
    rules: tuple[tuple[str, str], ...]


def _reasons(walk: Walk, facts: Sequence[Fact]) -> list[Reason]:
    packs = walk.check.packs
    titles = {one.rule.id: one.rule.title for one in packs.rules} | {
        one.pattern.id: one.pattern.title for one in packs.patterns
    }
    deciding = asked(packs, walk.check.kind).deciding
    return [
        Reason(capital(fact.title), tuple((id, titles[id]) for id in deciding[fact.name] if id in titles))
        for fact in facts
        if fact.name in deciding
    ]


def _shown(
    request: Request,
    walk: Walk,
    page: Asked | None,
    *,
    form: FormData | None = None,
    errors: Mapping[str, str] | None = None,
    more: str = "",
) -> Response:
    """A page of questions; after the last one, what can be done now."""
    facts = page.facts if page else ()
    fields = [_field(walk, fact, form, errors or {}, more) for fact in facts]
    if len({section(fact) for fact in facts}) > 1:
        fields = [replace(one, about=section(one.fact)) for one in fields]
    return pages.page(
        "questions.html.j2",
        request,
        422 if errors else 200,
        walk=walk,
        page=page,
        key=_key(page.question) if page else "",
        fields=fields,
        reasons=_reasons(walk, page.facts) if page else [],
        wrong=[one for one in fields if one.error],
        now=standing(walk),
        focus=errors or more,
        kind=KINDS[walk.check.kind],
        title=stated(walk.check.answers, "title", LEFT),
    )


def _field(walk: Walk, fact: Fact, form: FormData | None, errors: Mapping[str, str], more: str) -> Field:
    held = stated(walk.check.answers, fact.name, LEFT)
    entry = entry_of(fact, held)
    if form is not None and (fact.name in errors or more):
        entry = entry_in(form, fact)
    rows = max(len(entry.rows) + (1 if entry.rows else 2), 2)
    if form is not None:
        rows = max(rows, _rows(form, fact.name) + (3 if more == fact.name else 0))
    return Field(fact, entry, currency_of(held), errors.get(fact.name), min(rows, MOST_ROWS))


def _rows(form: FormData, name: str) -> int:
    start = f"cell:{name}:"
    numbers = [key.removeprefix(start).partition(":")[0] for key in form if key.startswith(start)]
    return max((int(number) + 1 for number in numbers if number.isdecimal() and len(number) < 4), default=0)


def _asked(form: FormData) -> list[Fact]:
    """The facts of the page that was sent."""
    names = _text(form, "shown").split()
    unknown = [name for name in names if name not in dictionary()]
    if unknown or len(names) > 100:
        raise ProblemError(422, f"There is no question “{unknown[0][:40]}”." if unknown else "That is no page.")
    return [dictionary()[name] for name in names]


@router.get("")
async def start(request: Request) -> Response:
    """Where the questions begin."""
    return pages.page("questions_start.html.j2", request, kinds=KINDS, problem=None)


@router.get("/{rest}")
async def again(rest: str) -> Response:
    """A page of the form that is asked for without its form."""
    return RedirectResponse("/questions", 303)


@router.post("")
async def begin(request: Request, kind: Annotated[str, Form()] = "", title: Annotated[str, Form()] = "") -> Response:
    """The first question for a kind of document."""
    if kind not in get_args(Kind):
        fault = "Choose what you want to describe." if not kind else "There is no such kind of document."
        return pages.page("questions_start.html.j2", request, 422, kinds=KINDS, problem=fault)
    answers = {"kind": kind} | ({"title": title.strip()} if title.strip() else {})

    def first() -> Response:
        body = json.dumps(answers).encode("utf-8", "surrogatepass")
        walk = Walk(opened(service(request).packs, body, "answers.json"))
        return _shown(request, walk, next(iter(walk.remaining()), None))

    return await _answered(request, first)


@router.post("/open")
async def go_on(
    request: Request,
    text: Annotated[str, Form()] = "",
    file: UploadFile | None = None,
    name: Annotated[str, Form()] = "",
) -> Response:
    """Go on with what was saved."""
    body = await file.read() if file is not None else b""
    called = (file.filename if file is not None and body else name) or "answers"
    body = body or text.replace("\r\n", "\n").encode("utf-8", "surrogatepass")

    def opened_page() -> Response:
        walk = Walk(opened(service(request).packs, body, called))
        return _shown(request, walk, next(iter(walk.remaining()), None))

    return await _answered(request, opened_page)


async def _answered(request: Request, made: Any) -> Response:
    try:
        found: Response = await worked(request, made)
    except DescriptionError as error:
        told = said(error.faults[:3])
        return pages.page("questions_start.html.j2", request, 422, kinds=KINDS, problem=told)
    return found


@router.post("/ask")
async def ask(request: Request) -> Response:
    """Take the answers of a page and show the next one; or the same one, with what is wrong."""
    form = await request.form()

    def made() -> Response:
        walk, facts, do = _walk(request, form), _asked(form), _text(form, "do")
        key = _text(form, "page")
        if do == "back":
            take(walk, form, facts, blanks=False)
            while walk.trail:
                page = walk.page(walk.trail.pop())
                if page is not None:
                    return _shown(request, walk, page)
            return _shown(request, walk, next(iter(walk.remaining()), None))
        if do.startswith("rows:"):
            return _shown(request, walk, _same(walk, key, facts), form=form, more=do.removeprefix("rows:"))
        if do == "skip":
            for fact in facts:
                walk.skip(fact.name)
        elif wrong := take(walk, form, facts, blanks=True):
            return _shown(request, walk, _same(walk, key, facts), form=form, errors=wrong)
        if facts and key in {_key(one) for one in _questions(walk.check.kind, walk.check.packs)}:
            walk.trail.append(key)
        return _shown(request, walk, next(iter(walk.remaining()), None))

    shown: Response = await worked(request, made)
    return shown


def _same(walk: Walk, key: str, facts: Sequence[Fact]) -> Asked:
    """The page that was sent, with the facts that it asked for."""
    known = next((one for one in _questions(walk.check.kind, walk.check.packs) if _key(one) == key), None)
    if known is None or not facts:
        raise ProblemError(422, "There is no such page of questions.")
    return Asked(known, tuple(facts), ())


@router.post("/progress")
async def progress(request: Request) -> Response:
    """How far the answers come with what is entered at this moment; wrong entries are left out."""
    form = await request.form()

    def made() -> dict[str, Any]:
        walk = _walk(request, form)
        take(walk, form, _asked(form), blanks=False)
        return standing(walk)

    return JSONResponse(await worked(request, made))


@router.post("/download/{kind}")
async def download(request: Request, kind: str) -> Response:
    """The description so far, as a file to keep and go on with."""
    if kind not in ("json", "yaml"):
        raise ProblemError(404, "There is no such format.")
    form = await request.form()

    def made() -> Response:
        walk = _walk(request, form)
        shown = _finished(request, walk, form)
        if shown is not None:
            return shown
        head = ("Answered at goodcommission. null means that the answer is not known.",)
        text = written(walk.check.answers, "json" if kind == "json" else "yaml", head)
        media = "application/json" if kind == "json" else "application/yaml"
        file = f"{walk.check.kind.replace('_', '-')}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(text, media_type=media, headers=headers)

    answer: Response = await worked(request, made)
    return answer


@router.post("/report")
async def report(request: Request) -> Response:
    """The report of what is answered so far."""
    form = await request.form()

    def made() -> Response:
        walk = _walk(request, form)
        shown = _finished(request, walk, form)
        if shown is not None:
            return shown
        text = written(walk.check.answers, "json")
        name = f"{walk.check.kind.replace('_', '-')}.json"
        file = File(text.encode("utf-8", "surrogatepass"), name)
        sent = Sent((file,), AuditOptions(_today()), together=False)
        return HTMLResponse(pages.framed(request, *pages.audited(request, sent), sent))

    answer: Response = await worked(request, made)
    return answer


def _finished(request: Request, walk: Walk, form: FormData) -> Response | None:
    """Take what is entered on the page; the page again if some of it is wrong."""
    facts = _asked(form)
    errors = take(walk, form, facts, blanks=False)
    return _shown(request, walk, _same(walk, _text(form, "page"), facts), form=form, errors=errors) if errors else None
