"""The HTTP API, version 1: the document is the body of the request, how to audit it stands in the query."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from goodcommission.description.facts import dictionary, gather
from goodcommission.description.writing import write
from goodcommission.exceptions import DescriptionError
from goodcommission.improving import improve
from goodcommission.packs.model import Tier
from goodcommission.report.model import AuditReport
from goodcommission.report.rule_pages import page_data, page_markdown, rule_page
from goodcommission.report.rules import find, packs_data, rule_data, rules_data
from goodcommission.web.guard import need_key
from goodcommission.web.problems import FaultFound, Problem, ProblemError
from goodcommission.web.processes import Asked
from goodcommission.web.sent import safe_name
from goodcommission.web.service import MEDIA_TYPES, NAMES, AuditOptions, Counted, File, Service

_YAML: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A description (JSON or YAML), or an OCDS 1.1 release, record or package.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}
WITH_PROFILE: Final[dict[str, Any]] = {
    "requestBody": {
        **DOCUMENT["requestBody"],
        "description": f"{DOCUMENT['requestBody']['description']} Or a form of two files: the document, and the "
        "commissioner's profile, which fills what the document leaves open.",
        "content": {
            **DOCUMENT["requestBody"]["content"],
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "document": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "commissioner": {"type": "string", "contentMediaType": "application/octet-stream"},
                    },
                    "required": ["document"],
                },
            },
        },
    }
}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": said, "content": {"application/problem+json": {}}}
    for status, said in (
        (401, "An API key is needed."),
        (413, "The document is too large, or holds too many."),
        (415, "It is neither JSON nor YAML."),
        (422, "The document or a parameter is wrong; every fault has its place."),
        (429, "Too many requests; Retry-After says when to come back."),
        (503, "Too many audits are waiting, or it took too long."),
    )
}
Form = Literal["json", "html", "markdown", "sarif", "junit", "csv", "text"]


class Closed(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class ValidDocument(Closed):
    """One document that can be audited."""

    name: str
    kind: str
    origin: Literal["description", "ocds"]
    facts: int = Field(description="How many facts it states.")


class Validated(Closed):
    """Whether a document can be audited."""

    valid: bool
    documents: list[ValidDocument]
    faults: list[FaultFound]


class Health(Closed):
    """That the server works."""

    status: Literal["ok"]
    version: str
    packs: str = Field(description="Digest of all packs.")


def options(
    as_of: Annotated[
        dt.date | None, Query(description="The day of the audit; by default the day the request comes in.")
    ] = None,
    tier: Annotated[Tier | None, Query(description="How much to ask; by default what the value says.")] = None,
    pack: Annotated[list[str] | None, Query(description="Use only these packs; repeatable.")] = None,
    require_evidence: Annotated[bool, Query(description="Whether bare claims are unknown.")] = False,
) -> AuditOptions:
    """How to audit, from the query."""
    return AuditOptions(as_of or dt.datetime.now(dt.UTC).date(), tier, tuple(pack or ()), require_evidence)


Options = Annotated[AuditOptions, Depends(options)]


async def need_its_key(request: Request) -> None:
    """Ask for an API key, where the server has some."""
    need_key(request, request.app.state.settings.keys)


router = APIRouter(prefix="/v1", dependencies=[Depends(need_its_key)], responses=PROBLEMS)


def service(request: Request) -> Service:
    """The service of this server."""
    found: Service = request.app.state.service
    return found


async def sent(request: Request) -> tuple[bytes, str]:
    """The document that was sent, and what to call it."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in _YAML:
        name = NAMES["application/yaml"]
    elif media == "application/json" or media.endswith("+json"):
        name = NAMES["application/json"]
    elif media in ("", "application/octet-stream", "text/plain"):
        name = "document"
    else:
        raise ProblemError(415, "Send it as application/json or application/yaml.")
    return await request.body(), name


async def sent_with_profile(request: Request, options: AuditOptions) -> tuple[bytes, str, AuditOptions]:
    """The document that was sent, what to call it, and how to audit it: with a profile, if one came with it."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return (*await sent(request), options)
    try:
        async with request.form(max_files=2, max_fields=2) as form:
            files = {field: await _part(form.get(field), field) for field in ("document", "commissioner")}
    except HTTPException as error:
        raise ProblemError(422, f"The form can't be read: {error.detail}") from None
    document, profile = files["document"], files["commissioner"]
    if document is None:
        raise ProblemError(422, "The form has no part named document.")
    return *document, replace(options, commissioner=profile)


async def _part(value: UploadFile | str | None, name: str) -> File | None:
    """A part of a form: under the name of its file, or else of its field."""
    if value is None or isinstance(value, str):
        return None if value is None else File(value.encode("utf-8", "surrogatepass"), name)
    return File(await value.read(), safe_name(value.filename or name))


async def worked(request: Request, function: Callable[[], Any]) -> Any:
    """What a function gives that takes its time."""
    return await request.app.state.workers.run(function)


def count(request: Request, audits: Iterable[Counted]) -> None:
    """Count audits in the server's figures."""
    for labels in audits:
        request.app.state.metrics.audits.labels(*labels).inc()


@router.post(
    "/audit",
    operation_id="audit",
    summary="Audit a document",
    openapi_extra=WITH_PROFILE,
    response_class=Response,
    responses={
        200: {
            "description": "The report. An array of reports where the document holds several contracting processes.",
            "model": AuditReport | list[AuditReport],
            "content": {
                media.partition(";")[0]: {} if form == "json" else {"schema": {"type": "string"}}
                for form, media in MEDIA_TYPES.items()
            },
        }
    },
)
async def audit(
    request: Request,
    options: Options,
    format: Annotated[Form, Query(description="The form of the report.")] = "json",
) -> Response:
    """Audit a description or a published notice.

    The JSON is, byte for byte, what the library's ``AuditReport.to_json`` gives.
    """
    body, name, options = await sent_with_profile(request, options)
    # Compressed where it is made: the server would do nothing else meanwhile.
    compressed = "gzip" in request.headers.get("accept-encoding", "")
    asked = Asked(body, name, options, format, compressed)
    made, counts = await request.app.state.workers.audited(service(request), asked)
    count(request, counts)
    coding = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"} if compressed else {"Vary": "Accept-Encoding"}
    return Response(made, media_type=MEDIA_TYPES[format], headers=coding)


@router.post("/validate", operation_id="validate", summary="Check a document", openapi_extra=DOCUMENT)
async def validate(request: Request) -> Validated:
    """Say whether a document can be audited, and everything that is wrong with it."""
    body, name = await sent(request)

    def checked() -> Validated:
        try:
            documents = service(request).read(body, name)
        except DescriptionError as error:
            faults = [FaultFound.model_validate(fault, from_attributes=True) for fault in error.faults]
            return Validated(valid=False, documents=[], faults=faults)
        known = dictionary()
        found = []
        for one in documents:
            values = gather(one).values
            stated = sum(fact in values or f"{fact}.given" in values for fact in known)
            found.append(ValidDocument(name=one.name, kind=one.description.kind, origin=one.origin, facts=stated))
        return Validated(valid=True, documents=found, faults=[])

    result: Validated = await worked(request, checked)
    return result


@router.post(
    "/convert",
    operation_id="convert",
    summary="Make a description of a published notice",
    openapi_extra=DOCUMENT,
    response_class=Response,
    responses={
        200: {
            "description": "The description.",
            "content": {
                "application/yaml": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
async def convert(
    request: Request, format: Annotated[Literal["yaml", "json"], Query(description="Its form.")] = "yaml"
) -> Response:
    """Turn an OCDS notice with one contracting process into a description, to be completed by hand."""
    body, name = await sent(request)

    def converted() -> str:
        documents = service(request).read(body, name)
        if len(documents) > 1:
            raise ProblemError(422, f"There are {len(documents)} contracting processes in it: send them one by one.")
        return write(documents[0], format)

    return Response(await worked(request, converted), media_type=f"application/{format}")


@router.post(
    "/improve",
    operation_id="improve",
    summary="The cheapest edits that reach a score",
    openapi_extra=WITH_PROFILE,
    response_class=Response,
    responses={
        200: {
            "description": "The edits, and a JSON Patch.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
async def improved(
    request: Request,
    options: Options,
    target: Annotated[float, Query(ge=0, le=100, description="The score to reach.")] = 80.0,
) -> Response:
    """List the cheapest edits with which a document reaches a score."""
    body, name, options = await sent_with_profile(request, options)

    def found() -> str:
        documents = service(request).read(body, name, options)
        if len(documents) > 1:
            raise ProblemError(422, f"There are {len(documents)} contracting processes in it: send them one by one.")
        return improve(
            documents[0],
            service(request).chosen(options.packs),
            target=target,
            as_of=options.as_of,
            tier=options.tier,
            require_evidence=options.require_evidence,
        ).to_json()

    return Response(await worked(request, found), media_type="application/json")


@router.get("/packs", operation_id="packs", summary="All rule packs")
async def packs(request: Request) -> list[dict[str, Any]]:
    """The packs that this server audits with."""
    return packs_data(service(request).packs.packs)


@router.get("/rules", operation_id="rules", summary="All rules")
async def rules(request: Request) -> list[dict[str, Any]]:
    """All rules and combined findings, without their conditions."""
    return rules_data(service(request).packs.packs)


@router.get(
    "/rules/{id}",
    operation_id="rule",
    summary="One rule in full",
    response_class=Response,
    responses={
        200: {
            "description": "The rule, with its page.",
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "text/markdown": {"schema": {"type": "string"}},
            },
        },
        404: {"model": Problem, "description": "There is no such rule.", "content": {"application/problem+json": {}}},
    },
)
async def rule(
    request: Request, id: str, format: Annotated[Literal["json", "markdown"], Query(description="Its form.")] = "json"
) -> Response:
    """One rule or combined finding: what it asks, why, its exclusions, numbers, examples and sources."""
    used = service(request).packs
    found = find(used.packs, id)
    if found is None:
        raise ProblemError(404, f'There is no rule "{id[:40]}"; /v1/rules lists all.')
    page = await run_in_threadpool(rule_page, used, *found)
    if format == "markdown":
        return Response(page_markdown(page), media_type=MEDIA_TYPES["markdown"])
    held = {**rule_data(*found), "page": page_data(page)}
    return Response(json.dumps(held, ensure_ascii=False, indent=2) + "\n", media_type="application/json")
