"""The pages: check a file, see its report. Rendered here, and usable without JavaScript."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

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
from goodcommission.web.service import MEDIA_TYPES, AuditOptions, counted

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
    return page("home.html.j2", request, **_home())


class Sent(NamedTuple):
    """What a form brought to be audited, and how."""

    files: tuple[tuple[bytes, str], ...]
    """Content and name, one or more."""
    options: AuditOptions
    together: bool
    """As one case: one report, one score."""


@router.post("/check")
async def check(request: Request) -> Response:
    """Audit what was uploaded or pasted, and show the report; or what is wrong with it, at its line."""
    async with request.form() as form:
        uploads = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        files = [(body, safe_name(one.filename)) for one in uploads if (body := await one.read())]
        sent = _sent(form, files)
    if not sent.files:
        fault = Fault("nothing was sent", suggestion="Choose a file, or paste its text.")
        return page("home.html.j2", request, 422, **_home(problem=_told([fault]), chosen=form))
    try:
        return HTMLResponse(await worked(request, lambda: _report(request, sent)))
    except DescriptionError as error:
        body, name = sent.files[0]
        text = body.decode("utf-8", "replace") if len(sent.files) == 1 else ""
        shown = _home(
            problem=_told(error.faults),
            sources=_sources(sent.files, error.faults),
            text=text[:200_000],
            name=name if text else "",
            chosen=form,
        )
        return page("home.html.j2", request, 422, **shown)


@router.post("/download/{form}")
async def download(request: Request, form: str) -> Response:
    """The report of one or more texts as a file."""
    if form not in DOWNLOADS:
        raise ProblemError(404, "There is no such report.")
    async with request.form() as given:
        sent = _sent(given)
    if not sent.files:
        raise ProblemError(422, "There is no text to audit. Go back, and check the file again.")

    def made() -> str:
        documents, reports = _audited(request, sent)
        return render(form, reports, sources=[one.source for one in documents if one.source])

    disposition = f'attachment; filename="{DOWNLOADS[form][0]}"'
    headers = {"Content-Disposition": disposition}
    return Response(await worked(request, made), media_type=MEDIA_TYPES[form], headers=headers)


def _home(
    problem: Sequence[Mapping[str, Any]] = (),
    sources: Sequence[Mapping[str, Any]] = (),
    text: str = "",
    name: str = "",
    chosen: FormData | None = None,
) -> dict[str, Any]:
    """What the first page is made of; with what was chosen on it before."""
    fields = ("tier", "as_of", "evidence", "together")
    held = {field: str(chosen.get(field) or "") if chosen else "" for field in fields}
    return {"problem": problem, "sources": sources, "text": text, "name": name, "chosen": held}


def _sent(form: FormData, files: Sequence[tuple[bytes, str]] = ()) -> Sent:
    """What a form brings: files if there are some, else texts.

    Raises:
        ProblemError: A field has a value that no page offers.
    """
    texts = [str(one).replace("\r\n", "\n") for one in form.getlist("text")]
    names = [str(one) for one in form.getlist("name")]
    if not files:
        named = zip(texts, [*names, *[""] * len(texts)], strict=False)
        files = [
            (text.encode("utf-8", "surrogatepass"), safe_name(name or "pasted text"))
            for text, name in named
            if text.strip()
        ]
    tier, day = str(form.get("tier") or ""), str(form.get("as_of") or "")
    if tier not in ("", "small", "medium", "large"):
        raise ProblemError(422, "The size is small, medium or large.")
    try:
        as_of = dt.date.fromisoformat(day) if day else dt.datetime.now(dt.UTC).date()
    except ValueError:
        raise ProblemError(422, "The day of the audit is a date, such as 2026-11-20.") from None
    options = AuditOptions(as_of, tier or None, require_evidence=bool(form.get("evidence")))
    return Sent(tuple(files), options, bool(form.get("together")) and len(files) > 1)


def _audited(request: Request, sent: Sent) -> tuple[tuple[Document, ...], list[AuditReport]]:
    """What was sent, read and audited: each document alone, or all as one case."""
    used = service(request)
    documents: list[Document] = []
    faults: list[Fault] = []
    for body, name in sent.files:
        try:
            documents += used.read(body, name)
        except DescriptionError as error:
            faults += error.faults
    if faults:
        raise DescriptionError(*faults)
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
    documents, reports = _audited(request, sent)
    texts = [(name, body.decode("utf-8", "replace")) for body, name in sent.files]
    return _framed(request, documents, reports, sent.options, texts, together=sent.together)


def framed(
    request: Request,
    documents: Sequence[Document],
    options: AuditOptions,
    text: str,
    before: Markup | None = None,
    trial: FormData | None = None,
) -> str:
    """The report of documents in a page, with what can be done with it.

    Args:
        request: What the page answers.
        documents: What is audited.
        options: How.
        text: The documents as they were sent; downloads and trials are made of it.
        before: Markup between the tools and the report.
        trial: Other values to be tried, as they were entered.
    """
    reports = [service(request).audit(document, options) for document in documents]
    return _framed(request, documents, reports, options, [(documents[0].name, text)], before, trial)


def _framed(
    request: Request,
    documents: Sequence[Document],
    reports: Sequence[AuditReport],
    options: AuditOptions,
    texts: Sequence[tuple[str, str]],
    before: Markup | None = None,
    trial: FormData | None = None,
    *,
    together: bool = False,
) -> str:
    tally(request, map(counted, reports))
    top = environment().get_template("top.html.j2").render(path="/check", **_shared(request))
    tools = (
        environment()
        .get_template("tools.html.j2")
        .render(
            texts=texts,
            tier=options.tier or "",
            as_of=options.as_of.isoformat() if options.as_of else "",
            evidence=options.require_evidence,
            together=together,
            downloads=DOWNLOADS,
            single=len(documents) == 1,
            **_shared(request),
        )
    )
    if len(documents) == 1:
        tools += _what_if(request, documents[0], reports[0], options, texts[0][1], trial)
    frame = frame_of(top, tools, before)
    return html.render(reports, quotes_of(texts_of(documents)), frame)


def frame_of(top: str, tools: str, before: Markup | None = None) -> html.Frame:
    """What stands around a report in a page, from what our own templates made."""
    return html.Frame(
        Markup(top),  # noqa: S704 (our own template, which escapes)
        Markup(tools) + (before or Markup()),  # noqa: S704
        (address("report.css"), address("web.css")),
        (address("report.js"), address("web.js"), address("form.js")),
    )


def shown_report(request: Request, report: AuditReport, template: str, **values: Any) -> str:
    """A report that was made before in a page; the text that it was made from is not at hand."""
    shared = _shared(request)
    top = environment().get_template("top.html.j2").render(path=request.url.path, **shared)
    tools = environment().get_template(template).render(downloads=DOWNLOADS, **values, **shared)
    return html.render([report], None, frame_of(top, tools))


def _what_if(
    request: Request,
    document: Document,
    report: AuditReport,
    options: AuditOptions,
    text: str,
    trial: FormData | None,
) -> str:
    """The values to be tried beside a report, and what comes of them; nothing where no value decides anything."""
    fields = what_if.fields(document, report, trial)
    if not fields:
        return ""
    template = environment().get_template("what_if.html.j2")
    return template.render(
        fields=fields,
        outcome=what_if.tried(service(request), document, report, options, trial) if trial is not None else None,
        text=text,
        name=document.name,
        tier=options.tier or "",
        as_of=options.as_of.isoformat() if options.as_of else "",
        evidence=options.require_evidence,
    )


@router.post("/what-if")
async def try_values(request: Request) -> Response:
    """The report with other values tried beside it."""
    form = await request.form()

    def made() -> str:
        documents, options, text = _sent_again(request, form)
        return framed(request, documents, options, text, trial=None if form.get("as_it_is") else form)

    return HTMLResponse(await worked(request, made))


@router.post("/what-if/outcome")
async def try_values_alone(request: Request) -> Response:
    """What other values make of the score and the verdicts, as a part of the page."""
    form = await request.form()

    def made() -> str:
        documents, options, _ = _sent_again(request, form)
        used = service(request)
        outcome = what_if.tried(used, documents[0], used.audit(documents[0], options), options, form)
        return environment().get_template("outcome.html.j2").render(outcome=outcome)

    return HTMLResponse(await worked(request, made))


def _sent_again(request: Request, form: FormData) -> tuple[Sequence[Document], AuditOptions, str]:
    """The one document that a page brings back, and how it was audited.

    Raises:
        ProblemError: It was changed on its way.
    """
    text, name, tier, day = (str(form.get(one) or "") for one in ("text", "name", "tier", "as_of"))
    text = text.replace("\r\n", "\n")
    try:
        as_of = dt.date.fromisoformat(day) if day else dt.datetime.now(dt.UTC).date()
        documents = service(request).read(text.encode("utf-8", "surrogatepass"), safe_name(name))
    except (DescriptionError, ValueError) as error:
        raise ProblemError(422, f"The document can't be read again: {error}") from None
    if len(documents) != 1 or tier not in ("", "small", "medium", "large"):
        raise ProblemError(422, "Values can be tried for one document, of a small, medium or large contract.")
    return documents, AuditOptions(as_of, tier or None, require_evidence=bool(form.get("evidence"))), text


def safe_name(name: str | None) -> str:
    """The name of what was sent, as the report may show it: no folders, nothing that acts, and not long."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return neutral(last).strip()[:80] or "document"


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


def _sources(files: Sequence[tuple[bytes, str]], faults: Sequence[Fault]) -> list[dict[str, Any]]:
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
