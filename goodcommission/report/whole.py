"""The report as JSON: an object for one audit, an array for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport


def render(reports: Sequence[AuditReport], *, several: bool | None = None) -> str:
    """Reports as JSON, the same bytes for the same audits; each follows ``schemas/report.schema.json``.

    Args:
        reports: What ``audit`` gave.
        several: Whether it is an array; by default if there is more than one.
    """
    if not (len(reports) > 1 if several is None else several):
        return reports[0].to_json()
    bodies = [report.to_json().rstrip("\n") for report in reports]
    return "[\n" + ",\n".join(bodies) + "\n]\n"
