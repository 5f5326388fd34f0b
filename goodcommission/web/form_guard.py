"""Forms that change what is kept: only those that this server gave to this browser are taken."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request, cookie_parser

from goodcommission.web.limits import App, Message, Receive, Scope, Send
from goodcommission.web.problems import ProblemError

_HELD: Final = "goodcommission.form"
_LENGTH: Final = 32


class FormCookie:
    """Gives a browser the random value that its forms are signed with, when it first gets one.

    The cookie says nothing of who somebody is, and no script can read it.
    """

    def __init__(self, app: App, https: bool) -> None:
        self.app = app
        # __Host-: no other host of the domain can set it.
        self.name = "__Host-form" if https else "form"
        self.attributes = f"; Path=/; HttpOnly; SameSite=Strict{'; Secure' if https else ''}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        header = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
        value = cookie_parser(header.decode("latin-1")).get(self.name, "")
        held = scope[_HELD] = {"value": value if len(value) == 2 * _LENGTH else "", "new": False}

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and held["new"]:
                MutableHeaders(scope=message).append("set-cookie", f"{self.name}={held['value']}{self.attributes}")
            await send(message)

        await self.app(scope, receive, with_cookie)


def form_token(request: Request) -> str:
    """What a form of this browser carries; another each time, so that compressing a page can't give it away."""
    held = request.scope[_HELD]
    if not held["value"]:
        held.update(value=secrets.token_hex(_LENGTH), new=True)
    salt = secrets.token_hex(8)
    return f"{salt}.{_signed(held['value'], salt).decode()}"


def need_form(request: Request, token: str) -> None:
    """Let a form pass that this server gave to this browser.

    Raises:
        ProblemError: 403 if it is another's.
    """
    need_same_site(request)
    salt, _, signature = token.partition(".")
    value = request.scope[_HELD]["value"]
    if (
        not value
        or request.scope[_HELD]["new"]
        or not hmac.compare_digest(_signed(value, salt), signature.encode("utf-8", "replace"))
    ):
        detail = "This form is out of date, or cookies are off. Open its page again and send it from there."
        raise ProblemError(403, detail)


def need_same_site(request: Request) -> None:
    """Refuse what another site's page sends, where the browser says so.

    Raises:
        ProblemError: 403 if it does.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ProblemError(403, "This was sent by a page of another site.")


def _signed(value: str, salt: str) -> bytes:
    return hmac.new(value.encode(), salt.encode("utf-8", "replace"), hashlib.sha256).hexdigest().encode()
