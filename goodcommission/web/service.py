"""What the page and the API have done for them: reading what was sent, auditing it, writing it out."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from goodcommission.auditing import audit
from goodcommission.description.document import Document, Source
from goodcommission.description.reading import read_documents, read_source
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.report.formats import render
from goodcommission.report.model import AuditReport
from goodcommission.report.whole import render_bytes
from goodcommission.web.problems import ProblemError

NAMES: Final = {"application/json": "document.json", "application/yaml": "document.yaml"}
MEDIA_TYPES: Final = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "sarif": "application/sarif+json",
    "junit": "application/xml",
    "csv": "text/csv; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}
"""The formats that the API gives, and their media types."""


class File(NamedTuple):
    """What was sent, and what to call it; nothing is ever opened by this name."""

    body: bytes
    name: str


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How a document is to be audited."""

    as_of: dt.date | None = None
    tier: Any = None
    packs: tuple[str, ...] = ()
    require_evidence: bool = False
    commissioner: File | None = None
    """The commissioner's profile, which fills what the documents say nothing of."""

    def profile(self) -> Source | None:
        """The text of the commissioner's profile.

        Raises:
            DescriptionError: It is no text.
        """
        one = self.commissioner
        return None if one is None else read_source("-", stream=io.BytesIO(one.body), name=one.name)


Counted = tuple[str, str, str]
"""The kind, origin and grade of an audit: all that the figures of the server have of it."""


def counted(report: AuditReport) -> Counted:
    """What to count of an audit."""
    return report.document.kind, report.document.origin, report.score.grade


class Service:
    """The packs of one server, and what is done with them."""

    def __init__(self, rules: Sequence[str], most_documents: int, lock: str | None = None) -> None:
        self.rules = tuple(rules)
        self.lock = lock
        self.most_documents = most_documents
        self.packs = load_packs(rules=self.rules, lock=self.lock)

    def warm(self) -> None:
        """Load what the first audit would load."""
        for form in ("json", "html"):
            self.audited(b"kind: tender\n", "document.yaml", AuditOptions(), form)

    def chosen(self, packs: Sequence[str]) -> Packs:
        """The packs of these ids; all of them if none is named, or each."""
        every = {one.pack.id for one in self.packs.packs if one.pack.pack}
        if not packs or set(packs) == every:
            return self.packs
        return load_packs(packs, rules=self.rules, lock=self.lock)

    def read(self, body: bytes, name: str, options: AuditOptions | None = None) -> tuple[Document, ...]:
        """The documents in what was sent, filled from the commissioner's profile if there is one.

        Raises:
            DescriptionError: It can't be read or is not valid.
            ProblemError: There are too many.
        """
        profile = options.profile() if options else None
        documents = read_documents("-", stream=io.BytesIO(body), name=name, commissioner=profile)
        if len(documents) > self.most_documents:
            most = self.most_documents
            raise ProblemError(
                413, f"There are {len(documents)} contracting processes in it; {most} can be audited here."
            )
        return documents

    def audit(self, document: Document, options: AuditOptions) -> AuditReport:
        """The audit of one document."""
        return audit(
            document,
            self.chosen(options.packs),
            as_of=options.as_of,
            tier=options.tier,
            require_evidence=options.require_evidence,
        )

    def audited(self, body: bytes, name: str, options: AuditOptions, form: str) -> tuple[bytes, tuple[Counted, ...]]:
        """What was sent, audited and written out in one of the formats; and what to count of it."""
        documents = self.read(body, name, options)
        reports = [self.audit(document, options) for document in documents]
        sources = [document.source for document in documents if document.source]
        made = render_bytes(reports) if form == "json" else render(form, reports, sources=sources).encode()
        return made, tuple(counted(report) for report in reports)
