"""Reads saved reports back: what ``goodcommission audit --format json`` wrote, one report or a list of them."""

from __future__ import annotations

import json
import os
from typing import Any

from pydantic import ValidationError

from goodcommission.description.document import Source
from goodcommission.description.parsing import parse
from goodcommission.description.positions import locate, to_pointer
from goodcommission.description.reading import read_source
from goodcommission.exceptions import DescriptionError, Fault, ReportError
from goodcommission.report.model import AuditReport
from goodcommission.version import VERSION

_ADVICE = "Save one with goodcommission audit --format json --output FILE."


def read_reports(path: str | os.PathLike[str]) -> tuple[AuditReport, ...]:
    """Read the reports of one file ("-" is standard input).

    Raises:
        ReportError: The file can't be read or does not hold reports; faults with line and column.
    """
    try:
        source = read_source(path)
        try:
            raw = json.loads(source.text)
        except (ValueError, RecursionError):
            # The reading of descriptions says what is wrong and where.
            raw = parse(source)
    except DescriptionError as error:
        raise ReportError(*error.faults) from None
    several = isinstance(raw, list)
    reports = []
    for index, one in enumerate(raw if several else [raw]):
        start: tuple[int | str, ...] = (index,) if several else ()
        if not isinstance(one, dict) or "schema_version" not in one:
            raise ReportError(_fault(source, "this is no saved report", start, _ADVICE))
        reports.append(_report(source, one, start))
    if not reports:
        raise ReportError(_fault(source, "there is no report in this file", (), _ADVICE))
    return tuple(reports)


def _report(source: Source, raw: dict[str, Any], start: tuple[int | str, ...]) -> AuditReport:
    try:
        return AuditReport.model_validate(raw)
    except ValidationError as error:
        made = raw.get("goodcommission")
        other = isinstance(made, str) and made != VERSION
        by = f"It was made by goodcommission {made}, and this is {VERSION}: audit again." if other else None
        faults = []
        for item in error.errors(include_url=False):
            parts = item["loc"][:-1] if item["type"] == "missing" else item["loc"]
            message = {
                "missing": f'the field "{item["loc"][-1]}" is missing',
                "extra_forbidden": f'there is no field "{item["loc"][-1]}" in a report',
            }.get(item["type"], item["msg"])
            faults.append(_fault(source, message, (*start, *parts), by))
        raise ReportError(*faults) from None


def _fault(source: Source, message: str, parts: tuple[int | str, ...], advice: str | None) -> Fault:
    pointer = to_pointer(parts)
    line, column = locate(source, pointer) or (None, None)
    return Fault(message, source.name, line, column, pointer, advice)
