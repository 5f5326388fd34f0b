"""The pages: check a file, see its report. Rendered here, and usable without JavaScript."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from starlette.datastructures import FormData, UploadFile

from goodcommission.casework import audit_case
from goodcommission.description.document import Document
from goodcommission.exceptions import DescriptionError, Fault
from goodcommission.report import html
from goodcommission.report.formats import render
from goodcommission.report.model import AuditReport
from goodcommission.report.quoting import quotes_of, texts_of
from goodcommission.report.terminal import neutral, visible
from goodcommission.report.wording import capital, count
from goodcommission.web import what_if
from goodcommission.web.api import count as tally
from goodcommission.web.api import service, worked
from goodcommission.web.fields import MOST_ROWS, label
from goodcommission.web.form_guard import form_token
from goodcommission.web.problems import ProblemError
from goodcommission.web.sent import Sent, carried, safe_name, sent_in
from goodcommission.web.service import MEDIA_TYPES, AuditOptions, File, counted

_STATIC: Final[Mapping[str, str]] = {
    "web.css": "text/css; charset=utf-8",
    "web.js": "text/javascript; charset=utf-8",
    "form.js": "text/javascript; charset=utf-8",
    "report.css": "text/css; charset=utf-8",
    "report.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_AROUND: Final = 3
"""Lines that are shown before and after one with a fault."""
_LONGEST: Final = 300
DOWNLOADS: Final[Mapping[str, tuple[str, str]]] = {
    "html": ("report.html", "HTML, one file to pass on"),
    "json": ("report.json", "JSON, the whole report"),
    "csv": ("report.csv", "CSV, a row for each rule"),
    "markdown": ("report.md", "Markdown"),
    "sarif": ("report.sarif", "SARIF, for code scanning"),
}
"""The forms in which a report can be downloaded: the name of the file, and what it is."""
router: Final = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


# --- Static parts and templates ------------------------------------------------------------------------------------


@cache
def static(name: str) -> bytes:
    """A style sheet, script or picture of the pages."""
    if name.startswith("report."):
        return html.part(name).encode()
    return resources.files("goodcommission.web").joinpath("static", name).read_bytes()


@cache
def address(name: str) -> str:
    """Where a static part is; the address changes with its content, so that it can be kept for ever."""
    return f"/static/{name}?v={hashlib.sha256(static(name)).hexdigest()[:12]}"


@cache
def environment() -> jinja2.Environment:
    """The templates of the pages; whatever is put into them is escaped."""

    def load(name: str) -> str:
        return resources.files("goodcommission.web").joinpath("templates", name).read_text("utf-8")

    found = jinja2.Environment(
        loader=jinja2.FunctionLoader(load),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(capital=capital, neutral=neutral, visible=visible)
    found.globals.update(address=address, count=count, label=label, most_rows=MOST_ROWS)
    return found


def page(template: str, request: Request, status: int = 200, **values: Any) -> HTMLResponse:
    """One page."""
    text = environment().get_template(template).render(path=request.url.path, **_shared(request), **values)
    return HTMLResponse(text, status)


def _shared(request: Request) -> dict[str, Any]:
    storage = request.app.state.storage is not None
    first = request.url.path.split("/")[1]
    section = "/rules" if first in ("rules", "packs", "coverage", "sources") else f"/{first}"
    return {"storage": storage, "token": form_token(request) if storage else "", "section": section}


@router.get("/static/{name}")
async def static_part(name: str) -> Response:
    """A style sheet, script or picture."""
    if name not in _STATIC:
        raise ProblemError(404, "There is no such file.")
    return Response(
        static(name), media_type=_STATIC[name], headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )


@router.get("/favicon.ico")
async def icon() -> Response:
    """The picture that browsers ask for where a page names none."""
    return RedirectResponse(address("icon.svg"), 308)


# --- Check a file --------------------------------------------------------------------------------------------------


@router.get("/")
async def home(request: Request) -> Response:
    """Where to begin."""
    return page("home.html.j2", request, **_home(request, Sent((), AuditOptions(), together=False)))


@router.post("/check")
async def check(request: Request) -> Response:
    """Audit what was uploaded or pasted, and show the report; or what is wrong with it, at its line."""
    async with request.form() as form:
        files = await _uploaded(form, "file")
        profiles = await _uploaded(form, "profile")
        sent = sent_in(form, files, profiles[0] if profiles else None)
    if not sent.files:
        fault = Fault("nothing was sent", suggestion="Choose a file, or paste its text.")
        return page("home.html.j2", request, 422, **_home(request, sent, problem=_told([fault])))
    if form.get("packs") and not sent.options.packs:
        fault = Fault("no rules are chosen", suggestion="Tick the packs that you want, under “More options”.")
        return page("home.html.j2", request, 422, **_home(request, sent, problem=_told([fault]), opened=True))
    try:
        return HTMLResponse(await worked(request, lambda: _report(request, sent)))
    except DescriptionError as error:
        read = (*sent.files, sent.options.commissioner) if sent.options.commissioner else sent.files
        shown = _home(request, sent, problem=_told(error.faults), sources=_sources(read, error.faults))
        return page("home.html.j2", request, 422, **shown)


async def _uploaded(form: FormData, field: str) -> list[File]:
    """The files that were chosen in a field; a browser sends an empty one without a name where none was."""
    uploads = [one for one in form.getlist(field) if isinstance(one, UploadFile)]
    read = [(await one.read(), one.filename) for one in uploads]
    return [File(body, safe_name(name)) for body, name in read if body or name]


@router.post("/download/{form}")
async def download(request: Request, form: str) -> Response:
    """The report of one or more texts as a file."""
    if form not in DOWNLOADS:
        raise ProblemError(404, "There is no such report.")
    async with request.form() as given:
        sent = sent_in(given)
    if not sent.files:
        raise ProblemError(422, "There is no text to audit. Go back, and check the file again.")

    def made() -> str:
        documents, reports = audited(request, sent)
        return render(form, reports, sources=[one.source for one in documents if one.source])

    disposition = f'attachment; filename="{DOWNLOADS[form][0]}"'
    headers = {"Content-Disposition": disposition}
    return Response(await worked(request, made), media_type=MEDIA_TYPES[form], headers=headers)


def _home(
    request: Request,
    sent: Sent,
    problem: Sequence[Mapping[str, Any]] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    *,
    opened: bool = False,
) -> dict[str, Any]:
    """What the first page is made of; with what was chosen on it before, and the options open or shut."""
    held = [one.pack for one in service(request).packs.packs if one.pack.pack]
    text = carried(sent.files[0]) if len(sent.files) == 1 else None
    options, today = sent.options, dt.datetime.now(dt.UTC).date()
    day = options.as_of if options.as_of != today else None
    return {
        "problem": problem,
        "sources": sources,
        "several": len(sent.files) + (options.commissioner is not None) > 1,
        "text": text.text[:200_000] if text else "",
        "name": text.name if text and text.text else "",
        "sent": sent,
        "day": day.isoformat() if day else "",
        "profile": carried(options.commissioner) if options.commissioner else None,
        "packs": [("Practice", [one for one in held if not one.law]), ("Law", [one for one in held if one.law])],
        "opened": opened or options not in (AuditOptions(), AuditOptions(today)) or sent.together,
    }


def audited(request: Request, sent: Sent) -> tuple[tuple[Document, ...], list[AuditReport]]:
    """What was sent, read and audited: each document alone, or all as one case."""
    used = service(request)
    documents: list[Document] = []
    faults: list[Fault] = []
    for body, name in sent.files:
        try:
            documents += used.read(body, name, sent.options)
        except DescriptionError as error:
            faults += error.faults
    if faults:
        raise DescriptionError(*dict.fromkeys(faults))  # those of the profile came with each document
    if len(documents) > used.most_documents:
        raise ProblemError(413, f"There are {len(documents)} documents; {used.most_documents} can be audited at once.")
    options = sent.options
    if not sent.together:
        return tuple(documents), [used.audit(one, options) for one in documents]
    report = audit_case(
        documents,
        used.chosen(options.packs),
        as_of=options.as_of,
        tier=options.tier,
        require_evidence=options.require_evidence,
    )
    return tuple(documents), [report]


def _report(request: Request, sent: Sent) -> str:
    documents, reports = audited(request, sent)
    return framed(request, documents, reports, sent)


def framed(
    request: Request,
    documents: Sequence[Document],
    reports: Sequence[AuditReport],
    sent: Sent,
    trial: FormData | None = None,
) -> str:
    """The report of documents in a page, with what can be done with it.

    Args:
        request: What the page answers.
        documents: What is audited.
        reports: What came of it.
        sent: As what it was sent; downloads and trials are made of it.
        trial: Other values to be tried, as they were entered.
    """
    tally(request, map(counted, reports))
    shared = _shared(request)
    top = environment().get_template("top.html.j2").render(path="/check", **shared)
    profile = sent.options.commissioner
    again = {
        "texts": [carried(one) for one in sent.files],
        "options": sent.options,
        "profile": carried(profile) if profile else None,
        "together": sent.together,
    }
    single = len(documents) == 1
    tools = environment().get_template("tools.html.j2")
    parts = [tools.render(downloads=DOWNLOADS, single=single, reports=len(reports), **again, **shared)]
    fields = what_if.fields(documents[0], reports[0], trial) if single else ()
    if fields:  # There are none where no value decides anything.
        outcome = None
        if trial is not None:
            outcome = what_if.tried(service(request), documents[0], reports[0], sent.options, trial)
        parts.append(environment().get_template("what_if.html.j2").render(fields=fields, outcome=outcome, **again))
    return html.render(reports, quotes_of(texts_of(documents)), frame_of(top, "".join(parts)))


def frame_of(top: str, tools: str) -> html.Frame:
    """What stands around a report in a page, from what our own templates made."""
    return html.Frame(
        Markup(top),  # noqa: S704 (our own template, which escapes)
        Markup(tools),  # noqa: S704
        (address("report.css"), address("web.css")),
        (address("report.js"), address("web.js"), address("form.js")),
    )


def shown_report(request: Request, report: AuditReport, template: str, **values: Any) -> str:
    """A report that was made before in a page; the text that it was made from is not at hand."""
    shared = _shared(request)
    top = environment().get_template("top.html.j2").render(path=request.url.path, **shared)
    tools = environment().get_template(template).render(downloads=DOWNLOADS, **values, **shared)
    return html.render([report], None, frame_of(top, tools))


@router.post("/what-if")
async def try_values(request: Request) -> Response:
    """The report with other values tried beside it."""
    form = await request.form()

    def made() -> str:
        sent, documents = _sent_again(request, form)
        reports = [service(request).audit(documents[0], sent.options)]
        return framed(request, documents, reports, sent, None if form.get("as_it_is") else form)

    return HTMLResponse(await worked(request, made))


@router.post("/what-if/outcome")
async def try_values_alone(request: Request) -> Response:
    """What other values make of the score and the verdicts, as a part of the page."""
    form = await request.form()

    def made() -> str:
        sent, documents = _sent_again(request, form)
        used = service(request)
        report = used.audit(documents[0], sent.options)
        outcome = what_if.tried(used, documents[0], report, sent.options, form)
        return environment().get_template("outcome.html.j2").render(outcome=outcome)

    return HTMLResponse(await worked(request, made))


def _sent_again(request: Request, form: FormData) -> tuple[Sent, Sequence[Document]]:
    """The one document that a page brings back, and how it was audited.

    Raises:
        ProblemError: It was changed on its way.
    """
    sent = sent_in(form)
    try:
        documents = [one for file in sent.files for one in service(request).read(*file, sent.options)]
    except DescriptionError as error:
        raise ProblemError(422, f"The document can't be read again: {error}") from None
    if len(documents) != 1:
        raise ProblemError(422, "Values can be tried for one document.")
    return sent, documents


def _told(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    return [
        {
            "message": capital(fault.message.removesuffix(".")),
            "file": fault.file,
            "line": fault.line,
            "column": fault.column,
            "pointer": fault.pointer,
            "suggestion": fault.suggestion,
        }
        for fault in faults
    ]


def _sources(files: Sequence[File], faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The files with faults, each with the lines around them."""
    found = []
    for body, name in files:
        own = [fault for fault in faults if fault.file == name]
        if lines := _lines(body.decode("utf-8", "replace"), own):
            found.append({"name": name, "lines": lines})
    return found


def _lines(text: str, faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """The lines around those with faults, with their numbers."""
    wrong = {fault.line: fault.message for fault in reversed(faults) if fault.line}
    lines = text.replace("\r\n", "\n").split("\n")
    wanted = {n for line in wrong for n in range(line - _AROUND, line + _AROUND + 1) if 1 <= n <= len(lines)}
    shown: list[dict[str, Any]] = []
    last = 0
    for number in sorted(wanted)[:400]:
        line = lines[number - 1]
        cut = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
        shown.append({"number": number, "text": cut, "message": wrong.get(number), "gap": last and number != last + 1})
        last = number
    return shown
