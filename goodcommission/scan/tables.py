"""The two tables of a scan: their columns, and what is said of a batch of notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

VERDICTS: Final = ("pass", "fail", "unknown", "not_applicable", "not_yet_due")
SEVERITIES: Final = ("low", "medium", "high")

NOTICES: Final[Mapping[str, Any]] = {
    "notice": pl.Int64,
    "file": pl.String,
    "line": pl.Int32,
    "pointer": pl.String,
    "ocid": pl.String,
    "release": pl.String,
    "date": pl.Date,
    "as_of": pl.Date,
    "publisher": pl.String,
    "buyer": pl.String,
    "kind": pl.String,
    "stage": pl.String,
    "route": pl.String,
    "cpv": pl.String,
    "value": pl.Float64,
    "value_including_vat": pl.Float64,
    "tier": pl.String,
    "regime": pl.String,
    "score": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "coverage": pl.Float64,
    "grade": pl.String,
    "passed": pl.Int16,
    "failed": pl.Int16,
    "unknown": pl.Int16,
    "not_applicable": pl.Int16,
    "not_yet_due": pl.Int16,
    "provisional": pl.Int16,
    "law_failed": pl.Int16,
    "decided_share": pl.Float64,
}
"""One row a notice; figures of the score in points of 100, counts are of the rules of practice (but ``law_failed``)."""

RULES: Final[Mapping[str, Any]] = {
    "notice": pl.Int64,
    "rule": pl.Categorical(),
    "pack": pl.Categorical(),
    "verdict": pl.Enum(VERDICTS),
    "provisional": pl.Boolean,
    "severity": pl.Enum(SEVERITIES),
    "decided_by": pl.Categorical(),
    "values": pl.String,
    "missing": pl.Categorical(),
}
"""One row a notice and rule that is asked of its kind of document. ``decided_by`` and ``missing`` are references of
facts with a space between them (as lists, writing and grouping them takes ten times as long); empty if there are none.
``values`` is a JSON object, reference → value, of the facts that decided a rule that is met or not met, else null."""

_FORMULA: Final = "[=+\\-@\t\r\n＝＋－＠]"
"""What starts a formula in a spreadsheet, as OWASP lists it."""


def defused(table: pl.DataFrame) -> pl.DataFrame:
    """The table for spreadsheets: before a text that they would take for a formula stands an apostrophe.

    One more stands before a text that begins so already, so that `as_published` takes away what was not there.
    """
    text = pl.col(pl.String)
    return table.with_columns(pl.when(text.str.contains(f"^'*{_FORMULA}")).then("'" + text).otherwise(text).name.keep())


def as_published(table: pl.LazyFrame) -> pl.LazyFrame:
    """The table without the apostrophes of `defused`."""
    return table.with_columns(pl.col(pl.String).str.replace(f"^'('*{_FORMULA})", "$1"))


@dataclass(frozen=True, slots=True)
class Rejected:
    """A notice that can't be audited."""

    number: int
    """The notice's number."""
    pointer: str
    """Of what is wrong, within the notice."""
    reason: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What is said of some notices, in their order; the table of rules goes rule by rule."""

    notices: pl.DataFrame
    rules: pl.DataFrame
    rejected: tuple[Rejected, ...] = ()
