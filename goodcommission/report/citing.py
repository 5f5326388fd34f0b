"""Citations, as a reader needs them."""

from __future__ import annotations

from goodcommission.packs.model import Citation, Work
from goodcommission.report.model import Cited


def cite(citation: Citation, work: Work) -> Cited:
    """A citation as a reader needs it."""
    lines = f"text line{'s' if set('-,') & set(citation.lines) else ''} {citation.lines}" if citation.lines else None
    section = citation.section and (
        f"section {citation.section}" if citation.section[0].isdigit() else citation.section
    )
    where = "; ".join(part for part in (citation.provision, section, lines) if part)
    note = f"({citation.note})" if citation.note else None
    return Cited(
        work=", ".join(str(part) for part in (work.author, work.title, work.publisher, work.year) if part),
        where=" ".join(part for part in (where, note) if part) or None,
        url=work.url,
    )
