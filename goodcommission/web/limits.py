"""Limits that hold before anything is read: host, size, rate and load. Pure ASGI, so that they cost next to nothing."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from goodcommission.web.problems import problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Refuse = Callable[[Scope, int, str, Mapping[str, str]], App]
"""Makes the answer to a request that is refused, from its status, what to say, and headers."""


def as_problem(scope: Scope, status: int, detail: str, headers: Mapping[str, str]) -> App:
    """A refusal for a program."""
    return problem(status, detail, headers=headers)


_CLIENTS: Final = 10_000
"""How many clients are remembered for their rate; then the longest silent is forgotten."""
_MINUTE: Final = 60.0
_PORT: Final = re.compile(r":\d*$")


class _TooLargeError(Exception):
    """More bytes came than may come."""


class HostLimit:
    """Answers 400 to a request for another host name than those that are answered: another site's, led here."""

    def __init__(self, app: App, hosts: Iterable[str], refuse: Refuse = as_problem) -> None:
        self.app = app
        self.refuse = refuse
        # A health check asks from the same machine.
        self.hosts = {"127.0.0.1", "[::1]", "localhost", *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            asked = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1").lower()
            if _PORT.sub("", asked) not in self.hosts:
                await self.refuse(scope, 400, "This server does not go by that name.", {})(scope, receive, send)
                return
        await self.app(scope, receive, send)


class SizeLimit:
    """Answers 413 to a request that is too large, as soon as that is known."""

    def __init__(self, app: App, most_bytes: int, refuse: Refuse = as_problem) -> None:
        self.app = app
        self.refuse = refuse
        self.most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        said = f"A request may have {self.most:,} bytes at most."
        if length.isdigit() and int(length) > self.most:
            await self.refuse(scope, 413, said, {})(scope, receive, send)
            return
        held, begun = 0, False

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            if message["type"] == "http.request":
                held += len(message.get("body", b""))
                if held > self.most:
                    raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _TooLargeError:
            if not begun:
                await self.refuse(scope, 413, said, {})(scope, receive, send)


class RateLimit:
    """Answers 429 to a client with more requests in a minute than are allowed: a bucket that fills evenly."""

    def __init__(
        self,
        app: App,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        refuse: Refuse = as_problem,
    ) -> None:
        self.app = app
        self.refuse = refuse
        self.per_minute = per_minute
        self.clock = clock
        self.buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allowed(self, client: str) -> float:
        """0 if the client may ask, else the seconds until it may."""
        now = self.clock()
        left, at = self.buckets.pop(client, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * self.per_minute / _MINUTE)
        may = left >= 1.0
        self.buckets[client] = (left - 1.0 if may else left, now)
        if len(self.buckets) > _CLIENTS:
            self.buckets.popitem(last=False)
        return 0.0 if may else (1.0 - left) * _MINUTE / self.per_minute

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and self.per_minute and scope["path"] != "/healthz":
            client = scope.get("client")
            wait = self.allowed(client[0] if client else "")
            if wait:
                seconds = str(int(wait) + 1)
                detail = f"At most {self.per_minute} requests a minute; ask again in {seconds} s."
                await self.refuse(scope, 429, detail, {"Retry-After": seconds})(scope, receive, send)
                return
        await self.app(scope, receive, send)
