"""Errors as problem details (RFC 9457), with the messages, places and pointers that the command line gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from goodcommission.exceptions import Fault

MEDIA_TYPE: Final = "application/problem+json"
_TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad-request", "The request can't be understood"),
    401: ("key-needed", "An API key is needed"),
    403: ("forbidden", "This is not allowed"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "This can't be done here"),
    406: ("not-acceptable", "There is no such format"),
    413: ("too-large", "The document is too large"),
    415: ("unsupported-media-type", "This is neither JSON nor YAML"),
    422: ("invalid-document", "The document can't be audited"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "This is a fault of goodcommission, not of yours"),
    503: ("busy", "The server can't do this now"),
}


class FaultFound(BaseModel):
    """One thing that is wrong with what was sent."""

    model_config = ConfigDict(extra="forbid")

    message: str
    file: str | None = None
    line: int | None = Field(default=None, description="From 1 on.")
    column: int | None = Field(default=None, description="From 1 on, in characters.")
    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) of the value.")
    suggestion: str | None = Field(default=None, description="The nearest known name, or what to do.")


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    faults: list[FaultFound] = Field(default_factory=list)


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    def __reduce__(self) -> tuple[Any, ...]:
        # It may come from another process.
        return partial(ProblemError, self.status, self.detail, headers=self.headers), ()


def problem_body(status: int, detail: str, faults: Sequence[Fault] = ()) -> dict[str, Any]:
    """Problem details as plain values."""
    slug, title = _TITLES.get(status, _TITLES[500 if status >= 500 else 400])
    return {
        "type": f"urn:goodcommission:problem:{slug}",
        "title": title,
        "status": status,
        "detail": detail,
        "faults": [asdict(fault) for fault in faults],
    }


def problem(
    status: int, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A response with problem details."""
    return JSONResponse(problem_body(status, detail, faults), status, dict(headers or {}), MEDIA_TYPE)
