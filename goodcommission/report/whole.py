"""The report as JSON: an object for one audit, an array for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goodcommission.report.json_text import report_bytes

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport


def render(reports: Sequence[AuditReport], *, several: bool | None = None) -> str:
    """Reports as JSON, as a text."""
    return render_bytes(reports, several=several).decode()


def render_bytes(reports: Sequence[AuditReport], *, several: bool | None = None) -> bytes:
    """Reports as JSON, the same bytes for the same audits; each follows ``schemas/report.schema.json``.

    Args:
        reports: What ``audit`` gave.
        several: Whether it is an array; by default if there is more than one.
    """
    if not (len(reports) > 1 if several is None else several):
        return report_bytes(reports[0])
    bodies = [report_bytes(report).rstrip(b"\n") for report in reports]
    return b"[\n" + b",\n".join(bodies) + b"\n]\n"
