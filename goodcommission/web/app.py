"""The web application: the API and the pages, behind limits, with safe headers and answers that say what is wrong."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from goodcommission.exceptions import Fault, GoodCommissionError
from goodcommission.version import VERSION
from goodcommission.web import api, browsing, forms, pages
from goodcommission.web.form_guard import FormCookie
from goodcommission.web.guard import Counted, Metrics, SafeHeaders
from goodcommission.web.limits import HostLimit, RateLimit, Scope, SizeLimit
from goodcommission.web.problems import ProblemError, problem, problem_body
from goodcommission.web.processes import AuditProcessError, place_of
from goodcommission.web.service import Service
from goodcommission.web.settings import WebSettings
from goodcommission.web.work import Workers

if TYPE_CHECKING:
    from goodcommission.web.storage import Storage

log: Final = logging.getLogger("goodcommission.web")
_AT_THE_ADDRESS: Final = {404: "There is nothing at this address.", 405: "This address does not take such a request."}
_DAY: Final = 24 * 60 * 60.0


def create_app(settings: WebSettings | None = None) -> FastAPI:
    """The application, ready for an ASGI server.

    Raises:
        GoodCommissionError: A setting is wrong, or a pack can't be loaded.
    """
    chosen = settings or WebSettings()
    metrics = Metrics()
    workers = Workers(chosen.at_once, chosen.waiting, chosen.seconds, metrics.refused.inc)
    storage = _storage(chosen)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if chosen.processes:
            workers.start(app.state.service)
        expiring = asyncio.create_task(_expire(storage)) if storage else None
        yield
        if expiring and storage:
            expiring.cancel()
            with suppress(asyncio.CancelledError):
                await expiring
        workers.close()
        if storage:
            storage.close()

    app = FastAPI(
        title="goodcommission",
        version=VERSION,
        summary="Audits commissioning practice against good-practice rules.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    metrics.held.set_function(lambda: workers.held)
    app.state.settings = chosen
    app.state.workers = workers
    app.state.metrics = metrics
    app.state.service = Service(chosen.rules, chosen.most_documents, chosen.lock)
    app.state.storage = storage
    app.include_router(api.router)
    if storage:
        from goodcommission.web import saved_api

        app.include_router(saved_api.router)
    if not chosen.api_only:
        app.include_router(pages.router)
        app.include_router(browsing.router)
        app.include_router(forms.router)
        if storage:
            from goodcommission.web import saved

            app.include_router(saved.router)
    _add_operations(app, metrics)
    _add_answers(app)
    # The last that is added meets a request first.
    app.add_middleware(SizeLimit, most_bytes=chosen.most_bytes, refuse=_refused)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(RateLimit, per_minute=chosen.per_minute, refuse=_refused)
    if storage:
        app.add_middleware(FormCookie, https=chosen.secure_cookies)
    if chosen.hosts:
        app.add_middleware(HostLimit, hosts=chosen.hosts, refuse=_refused)
    app.add_middleware(Counted, metrics=metrics)
    app.add_middleware(SafeHeaders, https=chosen.secure_cookies)
    return app


def _storage(settings: WebSettings) -> Storage | None:
    if settings.database is None:
        return None
    from goodcommission.web.storage import Storage

    return Storage(settings.database, settings.keep_days)


async def _expire(storage: Storage) -> None:
    """Once a day, delete what is older than it may be; at the start, opening the storage has done so."""
    from goodcommission.web.storage import StorageError

    while True:
        await asyncio.sleep(_DAY)
        try:
            await run_in_threadpool(storage.expire)
        except StorageError as error:
            log.warning("saved audits that are too old could not be deleted: %s", error)


def _add_operations(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/healthz", operation_id="health", summary="Whether the server works")
    async def health(request: Request) -> api.Health:
        """Say that the server works, and with which version and packs."""
        return api.Health(status="ok", version=VERSION, packs=request.app.state.service.packs.digest)

    @app.get(
        "/metrics",
        operation_id="metrics",
        summary="Figures for Prometheus",
        response_class=Response,
        responses={200: {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def figures() -> Response:
        """What was asked for, how long it took, and how many wait; nothing of any document."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _add_answers(app: FastAPI) -> None:
    @app.exception_handler(GoodCommissionError)
    async def wrong_document(request: Request, error: GoodCommissionError) -> Response:
        many = len(error.faults)
        detail = str(error.faults[0]) if many == 1 else f"{many} things are wrong with it."
        return _answer(request, 422, detail, error.faults)

    @app.exception_handler(ProblemError)
    async def refused(request: Request, error: ProblemError) -> Response:
        return _answer(request, error.status, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def wrong_parameter(request: Request, error: RequestValidationError) -> Response:
        faults = [Fault(_wrong_parameter(one)) for one in error.errors()]
        detail = str(faults[0]) if len(faults) == 1 else f"{len(faults)} parameters are wrong."
        return _answer(request, 422, detail, faults)

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> Response:
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:  # Said by the framework, to those who know it.
            detail = _AT_THE_ADDRESS.get(error.status_code, detail)
        return _answer(request, error.status_code, detail, headers=error.headers)

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        # The kind of the error and its place; its message may hold what was sent.
        if isinstance(error, AuditProcessError):
            log.error("%s", error)
        else:
            log.error("%s at %s", type(error).__name__, place_of(error))
        return _answer(request, 500, "It was noted in the server's log. Nothing of your document was kept.")


def _wrong_parameter(error: Mapping[str, Any]) -> str:
    """What is wrong with a parameter, as it is called in the address."""
    name = str(error["loc"][-1])
    if str(error["type"]).startswith("date"):
        return f"{name} is a day, such as 2026-11-20"
    return f"{name}: {error['msg']}"


def _refused(scope: Scope, status: int, detail: str, headers: Mapping[str, str]) -> Response:
    return _answer(Request(scope), status, detail, headers=headers)


def _answer(
    request: Request,
    status: int,
    detail: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem for a program, or a page for a person."""
    for_program = request.url.path.startswith("/v1/") or request.app.state.settings.api_only
    if for_program or "text/html" not in request.headers.get("accept", ""):
        return problem(status, detail, faults, headers)
    title = problem_body(status, detail)["title"]
    shown = pages.page(
        "problem.html.j2", request, status, title=title, detail=detail, faults=faults if len(faults) > 1 else ()
    )
    shown.headers.update(headers or {})
    return shown
