"""What the operator of the page and the API can set."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Final

from goodcommission.exceptions import Fault, GoodCommissionError

KEY_LENGTH: Final = 32
"""Bytes of a new key: too many to guess, so that a plain SHA-256 of it is safe to keep."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How one server behaves; the defaults are safe for a small office network."""

    most_bytes: int = 1_000_000
    """Of one request; more is answered with 413."""
    most_documents: int = 20
    """In one request: a package of notices with more is answered with 413."""
    seconds: float = 10.0
    """That one audit may take; more is answered with 503."""
    at_once: int = 2
    """Audits that are worked on at the same time: as many as there are cores."""
    processes: bool = False
    """Whether each of them has a process of its own, where that is possible (Linux); else they share one core."""
    waiting: int = 64
    """Requests that may wait for their turn; one more is answered with 503 at once."""
    per_minute: int = 0
    """Requests of one client in a minute; one more is answered with 429. 0 sets no limit."""
    keys: tuple[str, ...] = ()
    """SHA-256 of the API keys, in hexadecimal; with none the API is open."""
    api_only: bool = False
    """Whether there are no pages, so that nothing but the API, its figures and its health is to be reached."""
    database: str | None = None
    """SQLAlchemy URL; None keeps nothing."""
    keep_days: int = 365
    """After so many days a saved audit is deleted."""
    rules: tuple[str, ...] = ()
    """Files and folders with packs of one's own."""
    lock: str | None = None
    """A lock file of packs; one that isn't in it as it is, is refused."""
    hosts: tuple[str, ...] = ()
    """Host names that are answered; none sets no limit."""
    secure_cookies: bool = False
    """Whether cookies are for HTTPS only: to be set behind a proxy that speaks HTTPS."""

    def __post_init__(self) -> None:
        for name in ("most_bytes", "most_documents", "at_once", "keep_days"):
            if getattr(self, name) < 1:
                raise GoodCommissionError(Fault(f"{name} is a number from 1 on, not {getattr(self, name)}"))
        if self.waiting < 0 or self.per_minute < 0 or self.seconds <= 0:
            raise GoodCommissionError(Fault("waiting and per_minute can't be negative, and seconds is above 0"))
        for key in self.keys:
            if not re.fullmatch("[0-9a-f]{64}", key):
                advice = "goodcommission serve --new-key prints a key and its digest."
                raise GoodCommissionError(
                    Fault("an API key is given as its SHA-256, 64 hexadecimal digits", suggestion=advice)
                )


def new_key() -> tuple[str, str]:
    """A new API key, and its digest, which is what the server is given."""
    key = secrets.token_urlsafe(KEY_LENGTH)
    return key, digest_of_key(key)


def digest_of_key(key: str) -> str:
    """SHA-256 of an API key, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()
