"""Saved audits over the API; these operations are there only where the operator named a database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from goodcommission.web.api import DOCUMENT, PROBLEMS, Closed, Options, need_its_key, sent, service, worked
from goodcommission.web.form_guard import need_same_site
from goodcommission.web.problems import Problem, ProblemError
from goodcommission.web.sent import safe_name
from goodcommission.web.storage import SavedAudit, Storage, StorageError

T = TypeVar("T")
router = APIRouter(
    prefix="/v1/audits",
    dependencies=[Depends(need_its_key)],
    responses={
        **PROBLEMS,
        403: {
            "model": Problem,
            "description": "A page of another site sent it.",
            "content": {"application/problem+json": {}},
        },
    },
)
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {
        "model": Problem,
        "description": "There is no such audit.",
        "content": {"application/problem+json": {}},
    }
}
Number = Annotated[int, Path(ge=1, description="The id of a saved audit.")]


class Saved(Closed):
    """An audit that was saved."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    id: int
    saved: str = Field(description="When, in UTC, ISO 8601.")
    document: str = Field(description="The key of the document's history: the same for each of its audits.")
    name: str = Field(description="The document's id; without one its file name.")
    title: str | None
    kind: str
    digest: str = Field(description="SHA-256 of the document, as sha256:….")
    day: str | None = Field(description="The day of the audit.")
    score: float | None
    low: float | None
    high: float | None
    grade: str
    asked: str = Field(description="Digest of the rules, the tier and the evidence asked for: alike, scores compare.")


class SavedList(Closed):
    """Saved audits, the newest first."""

    audits: list[Saved]
    before: int | None = Field(description="Ask with this for the next ones; null where there are no more.")


def storage(request: Request) -> Storage:
    """The storage of this server."""
    found: Storage = request.app.state.storage
    return found


async def stored(function: Callable[[], T]) -> T:
    """What the storage gives.

    Raises:
        ProblemError: 503 if the database can't do it now.
    """
    try:
        return await run_in_threadpool(function)
    except StorageError as error:
        raise unreachable(error) from None


def unreachable(error: StorageError) -> ProblemError:
    """What to answer if the database can't do it now."""
    return ProblemError(503, f"The database of saved audits can't be used: {error}.", headers={"Retry-After": "5"})


@router.post(
    "",
    operation_id="save",
    summary="Audit a document and save the audit",
    status_code=201,
    openapi_extra=DOCUMENT,
)
async def save(
    request: Request,
    options: Options,
    name: Annotated[
        str, Query(max_length=80, description="What to call a document that has no id: its history is found by it.")
    ] = "",
) -> list[Saved]:
    """Audit a description or a published notice, and save the report; the document itself is not kept."""
    need_same_site(request)
    body, plain = await sent(request)
    if plain == "document":
        # A page of another site could send such a type without asking.
        raise ProblemError(415, "Send it as application/json or application/yaml.")
    found = service(request)
    named = _with_suffix(name, plain)
    reports = await worked(request, lambda: [found.audit(one, options) for one in found.read(body, named)])
    saved = await stored(lambda: storage(request).save(reports))
    return [Saved.model_validate(one) for one in saved]


@router.get("", operation_id="saved", summary="Saved audits")
async def saved(
    request: Request,
    document: Annotated[str | None, Query(max_length=64, description="Only the history of this document.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Only those with a lower id.")] = None,
    most: Annotated[int, Query(ge=1, le=500, description="How many.")] = 100,
) -> SavedList:
    """The audits that were saved, the newest first."""
    found = await stored(lambda: storage(request).listed(most=most + 1, document=document, before=before))
    shown = [Saved.model_validate(one) for one in found[:most]]
    return SavedList(audits=shown, before=shown[-1].id if len(found) > most else None)


@router.get(
    "/{id}",
    operation_id="saved_report",
    summary="The report of a saved audit",
    response_class=Response,
    responses={
        200: {"description": "The report.", "content": {"application/json": {"schema": {"type": "object"}}}},
        **_NOT_FOUND,
    },
)
async def saved_report(request: Request, id: Number) -> Response:
    """The report, byte for byte as it was saved: ``goodcommission verify`` can repeat it."""
    _, text = await existing(request, id)
    return Response(text, media_type="application/json")


@router.delete(
    "/{id}",
    operation_id="delete_saved",
    summary="Delete a saved audit",
    status_code=204,
    response_class=Response,
    responses=_NOT_FOUND,
)
async def delete_saved(request: Request, id: Number) -> Response:
    """Delete one saved audit for good."""
    need_same_site(request)
    if not await stored(lambda: storage(request).delete(id)):
        raise missing(id)
    return Response(status_code=204)


async def existing(request: Request, id: int) -> tuple[SavedAudit, str]:
    """A saved audit and its report.

    Raises:
        ProblemError: 404 if there is none.
    """
    found = await stored(lambda: storage(request).one(id))
    if found is None:
        raise missing(id)
    return found


def missing(id: int) -> ProblemError:
    """What to answer if there is no audit of this id."""
    return ProblemError(404, f"There is no saved audit {str(id)[:20]}; it may have been deleted.")


def _with_suffix(name: str, plain: str) -> str:
    """The name that was given, with the ending by which its form is known."""
    if not name:
        return plain
    suffix = ".yaml" if plain.endswith(".yaml") else ".json"
    return safe_name(name).removesuffix(suffix) + suffix
