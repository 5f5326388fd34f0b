"""Evidence: which document stands behind which statement, and which statements need none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from goodcommission.description.document import Document
from goodcommission.description.model import Description, Evidence
from goodcommission.description.positions import from_pointer

WITHOUT_EVIDENCE: Final = "stated, without evidence"
"""Why a statement does not help where evidence is required."""
SHOWN_BY_ITSELF: Final = frozenset({"kind", "stage", "as_of"})
"""What the document that is audited shows by being there, and the day of the audit."""
BASICS: Final = frozenset(
    {"value.total", "value.total_including_vat", "term.months", "process.route", "funding.mechanism", "lots.count"}
)
"""What is bought, by which route and of what size. The document's own word for these decides which rules are asked;
that a rule is met rests on them only where they have evidence as well."""

Path = tuple[str, ...]
Entries = tuple[tuple[Path, Evidence], ...]
_SIGNS: Final = re.compile(r"[.\[\]]+")


def notice_evidence(description: Description) -> Evidence:
    """What stands behind the facts of a published notice: the notice."""
    notice = description.notice
    named = " ".join(part for part in (notice and notice.publisher, notice and notice.release) if part)
    return Evidence(
        pointer="/",
        document=f"Notice {named}" if named else "The published notice",
        date=notice.date if notice else None,
    )


@lru_cache(maxsize=8192)
def path_of(reference: str) -> Path:
    """The steps to a fact or a part of one, such as ``requirements.insurance[0].cover``."""
    return tuple(step for step in _SIGNS.split(reference) if step)


def _entries(evidence: Iterable[Evidence], values: Mapping[str, Any]) -> Entries:
    return tuple((_steps(one.pointer, values), one) for one in evidence)


def _steps(pointer: str, values: Mapping[str, Any]) -> Path:
    """The steps of a pointer; "items" of a list is none, as a list may be written with or without it."""
    steps: list[str] = []
    for step in from_pointer(pointer) or ():
        if step != "items" or not isinstance(values.get(".".join(steps)), list):
            steps.append(step)
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Backing:
    """The evidence of one document and of the commissioner's profile, by what it is for."""

    entries: Entries = ()
    of_profile: Entries = ()
    profile: frozenset[str] = frozenset()
    """The facts that come from the profile: only the profile's evidence is for them."""
    items: frozenset[Path] = frozenset()
    """The single items of lists that have evidence of their own."""

    def evidence_for(self, reference: str, *, within: bool = True) -> Evidence | None:
        """The evidence for a fact or a part of one: the nearest that covers it, or else the first for a part of it.

        Args:
            reference: Such as ``requirements.insurance[0].cover``.
            within: Whether evidence for a part of it will do.
        """
        path = path_of(reference)
        entries = self.of_profile if reference in self.profile else self.entries
        covering = [entry for entry in entries if path[: len(entry[0])] == entry[0]]
        if covering:
            return max(covering, key=lambda entry: len(entry[0]))[1]
        return next((one for steps, one in entries if within and steps[: len(path)] == path), None)


def backing_of(document: Document, values: Mapping[str, Any]) -> Backing | None:
    """The evidence that a document names; None if it names none. A published notice is evidence itself."""
    profile, evidence = document.profile, document.description.evidence
    of_profile = _entries(profile.evidence, values) if profile else ()
    entries = _entries(evidence, values) if evidence else ()
    if document.origin == "ocds":
        entries = (((), notice_evidence(document.description)),)
    if not entries and not of_profile:
        return None
    items = frozenset(steps for steps, _ in entries if any(step.isdigit() for step in steps))
    return Backing(entries, of_profile, profile.facts if profile else frozenset(), items)
