"""Headers that every answer carries, API keys, and a count of what was asked for."""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from goodcommission.web.limits import App, Message, Receive, Scope, Send
from goodcommission.web.problems import ProblemError
from goodcommission.web.settings import digest_of_key

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy of every page that sets none of its own."""
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SafeHeaders:
    """Adds the headers that keep a page to itself, where the answer does not set its own."""

    def __init__(self, app: App, https: bool) -> None:
        self.app = app
        self.headers = {**_HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def need_key(request: Request, keys: Sequence[str]) -> None:
    """Let a request pass that brings one of the keys, or any if there are none.

    Raises:
        ProblemError: 401 if it brings none of them.
    """
    if not keys:
        return
    bearer = request.headers.get("authorization", "")
    given = bearer[7:] if bearer[:7].lower() == "bearer " else request.headers.get("x-api-key", "")
    digest = digest_of_key(given.strip())
    matching = [hmac.compare_digest(digest, key) for key in keys]
    if True not in matching:
        detail = "Send a key that the operator gave you: Authorization: Bearer …"
        raise ProblemError(401, detail, headers={"WWW-Authenticate": "Bearer"})


class Metrics:
    """What is counted, for Prometheus; nothing of a document is in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "goodcommission_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "goodcommission_request_seconds",
            "Seconds until a request was answered.",
            ("route",),
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.audits = Counter(
            "goodcommission_audits", "Audits made.", ("kind", "origin", "grade"), registry=self.registry
        )
        self.held = Gauge("goodcommission_audits_held", "Audits that are made or wait.", registry=self.registry)
        self.refused = Counter(
            "goodcommission_audits_refused", "Audits refused or given up: no room, or no time.", registry=self.registry
        )


class Counted:
    """Counts requests by the route that answered them."""

    def __init__(self, app: App, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", None) or "other"
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
