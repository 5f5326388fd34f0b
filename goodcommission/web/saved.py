"""The pages of saved audits: the list, the history of a document, deleting and taking everything along."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse

from goodcommission.engine.texts import say_date
from goodcommission.exceptions import ReportError
from goodcommission.report.formats import render
from goodcommission.report.model import AuditReport
from goodcommission.report.reading import read_reports
from goodcommission.report.wording import KINDS, NO_GRADE, grade_words, whole
from goodcommission.web.api import worked
from goodcommission.web.form_guard import need_form
from goodcommission.web.pages import DOWNLOADS, audited, page, shown_report
from goodcommission.web.problems import ProblemError
from goodcommission.web.saved_api import existing, storage, stored
from goodcommission.web.sent import sent_in
from goodcommission.web.service import MEDIA_TYPES
from goodcommission.web.storage import SavedAudit

_PAGE: Final = 50
"""Audits on one page of the list."""
_HISTORY: Final = 200
"""Audits of one document that are shown; the export has all."""
_WIDE: Final = 640.0
_HIGH: Final = 200.0
router: Final = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Token = Annotated[str, Form()]
Number = Annotated[int, Path(ge=1)]


@router.get("/saved")
async def saved(request: Request, number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1) -> Response:
    """The saved audits, the newest first."""
    held = storage(request)
    found = await stored(lambda: held.listed(most=_PAGE, skip=(number - 1) * _PAGE))
    total = await stored(held.count)
    pages = max(1, -(-total // _PAGE))
    return page(
        "saved.html.j2",
        request,
        rows=[_shown(one) for one in found],
        total=total,
        number=number,
        pages=pages,
        keep_days=held.keep_days,
    )


@router.post("/saved")
async def save(request: Request) -> Response:
    """Save the audit of texts: audited once more, so that what is kept is ours and not what a form says."""
    async with request.form() as form:
        need_form(request, str(form.get("token") or ""))
        sent = sent_in(form)
    if not sent.files:
        raise ProblemError(422, "There is no text to audit. Go back, and check the file again.")
    _, reports = await worked(request, lambda: audited(request, sent))
    kept = await stored(lambda: storage(request).save(reports))
    documents = {one.document for one in kept}
    return RedirectResponse(f"/saved/{documents.pop()}" if len(documents) == 1 else "/saved", 303)


@router.get("/saved/export")
async def export(request: Request) -> Response:
    """All that is saved, as JSON Lines."""
    await stored(storage(request).count)  # So that a database that can't be read is said before the file begins.
    return StreamingResponse(
        storage(request).exported(),
        media_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="saved-audits.jsonl"'},
    )


@router.get("/saved/{document}")
async def history(request: Request, document: str) -> Response:
    """How the score of one document went."""
    found = await stored(lambda: storage(request).listed(most=_HISTORY, document=document))
    if not found:
        raise ProblemError(404, "There is no saved audit of this document; they may have been deleted.")
    total = await stored(lambda: storage(request).count(document))
    rows = [_shown(one) for one in found]
    for row, before in zip(rows, found[1:], strict=False):
        row["asked_else"] = row["asked"] != before.asked
        row["same_text"] = row["digest"] == before.digest
    return page(
        "history.html.j2",
        request,
        rows=rows,
        total=total,
        document=document,
        title=found[0].title or found[0].name,
        kind=KINDS.get(found[0].kind, found[0].kind),
        chart=_chart(found[::-1]),
    )


@router.get("/saved/{id}/report")
async def report(request: Request, id: Number) -> Response:
    """A saved report in a page."""
    one, text = await existing(request, id)
    shown = _shown(one)
    return HTMLResponse(
        await worked(request, lambda: shown_report(request, _read(text), "saved_tools.html.j2", one=shown))
    )


@router.get("/saved/{id}/download/{form}")
async def download(request: Request, id: Number, form: str) -> Response:
    """A saved report as a file."""
    if form not in DOWNLOADS:
        raise ProblemError(404, "There is no such report.")
    _, text = await existing(request, id)
    made = text if form == "json" else await worked(request, lambda: render(form, [_read(text)]))
    disposition = f'attachment; filename="{DOWNLOADS[form][0]}"'
    return Response(made, media_type=MEDIA_TYPES[form], headers={"Content-Disposition": disposition})


@router.post("/saved/{id}/delete")
async def delete(request: Request, id: Number, token: Token = "") -> Response:
    """Delete one saved audit."""
    need_form(request, token)
    one, _ = await existing(request, id)
    await stored(lambda: storage(request).delete(id))
    left = await stored(lambda: storage(request).count(one.document))
    return RedirectResponse(f"/saved/{one.document}" if left else "/saved", 303)


@router.post("/saved/{document}/delete-all")
async def delete_all(request: Request, document: str, token: Token = "") -> Response:
    """Delete all saved audits of a document."""
    need_form(request, token)
    if not await stored(lambda: storage(request).delete_document(document)):
        raise ProblemError(404, "There is no saved audit of this document; they may have been deleted.")
    return RedirectResponse("/saved", 303)


def _read(text: str) -> AuditReport:
    try:
        return read_reports("-", stream=io.BytesIO(text.encode("utf-8")))[0]
    except ReportError as error:
        # It was saved by another version: the file is there all the same.
        raise ProblemError(422, f"{error.faults[0]}. Its JSON can still be downloaded.") from None


def _shown(one: SavedAudit) -> dict[str, Any]:
    graded = one.score is not None and one.grade != NO_GRADE
    saved = dt.datetime.fromisoformat(one.saved)
    return {
        "id": one.id,
        "document": one.document,
        "name": one.name,
        "title": one.title or one.name,
        "kind": KINDS.get(one.kind, one.kind),
        "when": one.saved,
        "when_words": f"{say_date(saved.date())}, {saved:%H:%M} UTC",
        "day": say_date(dt.date.fromisoformat(one.day)) if one.day else "not stated",
        "score": whole(one.score) if graded and one.score is not None else "none yet",
        "reach": f"{whole(one.low)} to {whole(one.high)}" if one.low is not None and one.high is not None else "",
        "grade": grade_words(one.grade),
        "asked": one.asked,
        "digest": one.digest,
        "asked_else": False,
        "same_text": False,
    }


def _chart(found: Sequence[SavedAudit]) -> dict[str, Any] | None:
    """The line of the scores, the oldest first, with the band in which each could lie; None if there is no line."""
    held = [one for one in found if one.low is not None and one.high is not None]
    if len(held) < 2:
        return None

    def at(index: int, value: float) -> str:
        left, right = 34.0, _WIDE - 10
        return f"{left + (right - left) * index / (len(held) - 1):.1f},{8 + (_HIGH - 16) * (1 - value / 100):.1f}"

    scores = [(index, one.score) for index, one in enumerate(held) if one.score is not None and one.grade != NO_GRADE]
    top = [at(index, one.high or 0.0) for index, one in enumerate(held)]
    bottom = [at(index, one.low or 0.0) for index, one in enumerate(held)]
    # Where what was asked changed, the scores do not compare, and no line joins them.
    lines: list[list[str]] = []
    for place, (index, score) in enumerate(scores):
        joined = place > 0 and held[scores[place - 1][0]].asked == held[index].asked
        if not joined:
            lines.append([])
        lines[-1].append(at(index, score))
    return {
        "wide": f"{_WIDE:g}",
        "high": f"{_HIGH:g}",
        "band": " ".join([*top, *reversed(bottom)]),
        "lines": [" ".join(line) for line in lines],
        "points": [at(index, score).split(",") for index, score in scores],
        "steps": [(value, at(0, value).split(",")[1]) for value in (0, 50, 100)],
        "first": whole(scores[0][1]) if scores else None,
        "last": whole(scores[-1][1]) if scores else None,
        "broken": len(lines) > 1,
        "amount": len(held),
    }
