"""The report as CSV (RFC 4180): one row a rule, combined finding or faulty waiver, for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.report.findings import Entry, entries
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import number

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

COLUMNS: Final = (
    "document",
    "document id",
    "kind of result",
    "pack",
    "id",
    "title",
    "result",
    "severity",
    "what was found",
    "remedy",
    "points",
    "claimed only",
    "evidence",
    "could be overturned",
    "excused",
    "counted",
    "file",
    "line",
    "column",
    "pointer",
    "not stated",
    "fingerprint",
)
_MARK: Final = "\ufeff"
"""Without it Excel takes UTF-8 for another encoding, and a pound sign for two characters."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What starts a formula in a spreadsheet."""
_RESULTS: Final[Mapping[str, str]] = {
    "finding": "not met",
    "met": "met",
    "strength": "strength",
    "open": "not evidenced",
    "later": "not yet due",
    "elsewhere": "does not apply",
}
_PATTERNS: Final[Mapping[str, str]] = {"finding": "holds", "strength": "holds", "open": "open", "met": "does not hold"}
_KINDS: Final[Mapping[str, str]] = {
    "rule": "rule",
    "combined": "combined finding",
    "contradiction": "contradiction",
    "waiver": "waiver",
    "law": "law",
}


def render(reports: Sequence[AuditReport]) -> str:
    """Reports as one table with a heading."""
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for report in reports:
        for one in entries(report):
            table.writerow([cell(value) for value in _row(report, one)])
    return _MARK + buffer.getvalue()


def cell(value: str) -> str:
    """A value that no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    shown = neutral(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _row(report: AuditReport, one: Entry) -> tuple[str, ...]:
    place = one.places[0] if one.places else None
    points = getattr(one.result, "points", None)
    shown = {
        "rule": _RESULTS,
        "combined": _PATTERNS,
        "contradiction": {"finding": "contradicted"},
        "waiver": {"finding": "at fault"},
    }[one.kind]
    return (
        report.document.name,
        report.document.id or "",
        _KINDS[one.sort],
        one.pack,
        one.id,
        one.title,
        shown[one.status],
        one.severity,
        one.message,
        one.remedy or "",
        "" if points is None else number(points),
        _yes(getattr(one.result, "claimed", False)),
        "; ".join(dict.fromkeys(place.evidence for place in one.places if place.evidence)),
        _yes(getattr(one.result, "provisional", False)),
        one.excused or "",
        _yes(one.scored and one.kind == "rule"),
        place.file if place else "",
        str(place.line) if place and place.line else "",
        str(place.column) if place and place.column else "",
        place.pointer if place else "",
        " ".join(getattr(one.result, "missing", ())),
        one.fingerprint,
    )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
