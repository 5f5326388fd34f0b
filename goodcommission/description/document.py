"""A description together with where it came from, so that every value leads back to its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from goodcommission.description.model import Description, Evidence


def printable_name(name: str) -> str:
    """A file's name as text that can be written down, whatever bytes it has and whatever the locale is."""
    try:
        # As the bytes of the name say in UTF-8, which files are named in.
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # not of this machine: a member of an archive
        return name.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Source:
    """The text that a description or a pack was read from."""

    name: str
    """As the user gave it; "<stdin>" for standard input."""
    text: str
    format: Literal["json", "yaml"]
    digest: str
    """SHA-256 of the bytes, as "sha256:…"."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is true of the commissioning body whatever it buys: answered once, used in each audit."""

    name: str
    digest: str
    source: Source | None
    facts: frozenset[str]
    """The facts (``commissioner.…``) that come from it: those that the description itself leaves open."""
    evidence: tuple[Evidence, ...] = ()
    """What the profile names as evidence for them."""


@dataclass(frozen=True, slots=True)
class Document:
    """One description that is ready to be audited."""

    description: Description
    name: str
    digest: str
    """SHA-256 of the source's bytes, or of the canonical JSON of a description that has no text; as "sha256:…"."""
    source: Source | None = None
    origin: Literal["description", "ocds"] = "description"
    places: Mapping[str, str] = field(default_factory=dict)
    """For OCDS: JSON pointer in the description → JSON pointer in the OCDS file."""
    notes: tuple[str, ...] = ()
    """What the reader of the audit should know about the reading (a value that was taken as not stated, …)."""
    profile: Profile | None = None
    """The commissioner's profile that fills what the description leaves open."""
