"""Reads saved reports back: what ``goodcommission audit --format json`` wrote, one report or a list of them."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, BinaryIO, Final

from pydantic import ValidationError

from goodcommission.description.document import Source
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.description.parsing import parse
from goodcommission.description.positions import locate, to_pointer
from goodcommission.description.reading import read_source
from goodcommission.exceptions import DescriptionError, Fault, ReportError
from goodcommission.report.model import READ_VERSIONS, AuditReport
from goodcommission.report.schema import report_schema
from goodcommission.version import VERSION

_LONGEST: Final = 300
"""Characters of a message."""
_ADVICE: Final = "Save one with goodcommission audit --format json --output FILE."


def read_reports(path: str | os.PathLike[str], *, stream: BinaryIO | None = None) -> tuple[AuditReport, ...]:
    """Read the reports of one file ("-" is standard input).

    Args:
        path: The file.
        stream: What to read for "-", instead of the process's standard input.

    Raises:
        ReportError: The file can't be read or does not hold reports; faults with line and column.
    """
    try:
        source = replace(read_source(path, stream=stream), format="json")
        # The reading of descriptions says what is wrong and where; its numbers are not those of a report.
        parse(source)
    except DescriptionError as error:
        raise ReportError(*error.faults) from None
    raw = json.loads(source.text)
    several = isinstance(raw, list)
    reports = []
    for index, one in enumerate(raw if several else [raw]):
        start: tuple[int | str, ...] = (index,) if several else ()
        if not isinstance(one, dict) or "schema_version" not in one:
            raise ReportError(_fault(source, "this is no saved report", start, _ADVICE))
        if one["schema_version"] not in READ_VERSIONS:
            form = json.dumps(one["schema_version"], ensure_ascii=False)[:40]
            read = " and ".join(READ_VERSIONS)
            message = f"this report has version {form} of the format, and this goodcommission reads {read}"
            raise ReportError(_fault(source, message, (*start, "schema_version"), "Audit again to get one."))
        reports.append(_report(source, one, start))
    if not reports:
        raise ReportError(_fault(source, "there is no report in this file", (), _ADVICE))
    return tuple(reports)


def _report(source: Source, raw: dict[str, Any], start: tuple[int | str, ...]) -> AuditReport:
    # Strictly, as JSON: what is right needs no more than that, which is quick.
    with suppress(ValidationError):
        return AuditReport.model_validate_json(json.dumps(raw), strict=True)
    try:
        report = AuditReport.model_validate(raw)
    except ValidationError as error:
        made = raw.get("goodcommission")
        other = isinstance(made, str) and made != VERSION
        by = f"It was made by goodcommission {made}, and this is {VERSION}: audit again." if other else None
        found = error.errors(include_url=False)[:MOST_FAULTS]
        if by is None and any(item["type"] == "missing" for item in found):
            by = "It was made before this version of the format was settled, or cut since: audit again."
        faults = []
        for item in found:
            parts = item["loc"][:-1] if item["type"] == "missing" else item["loc"]
            message = {
                "missing": f'the field "{item["loc"][-1]}" is missing',
                "extra_forbidden": f'there is no field "{item["loc"][-1]}" in a report',
            }.get(item["type"], item["msg"])
            faults.append(_fault(source, message, (*start, *parts), by))
        raise ReportError(*faults) from None
    # The model takes "5" for 5; what programs are promised is the published schema.
    wrong = [
        _fault(source, _short(error.message), (*start, *error.absolute_path), None)
        for error in islice(_published().iter_errors(raw), MOST_FAULTS)
    ]
    if wrong:
        raise ReportError(*wrong)
    return report


def _short(message: str) -> str:
    """A message that may quote all of the report."""
    return message if len(message) <= _LONGEST else f"{message[: _LONGEST // 2]} … {message[-_LONGEST // 2 :]}"


@cache
def _published() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(report_schema())


def _fault(source: Source, message: str, parts: tuple[int | str, ...], advice: str | None) -> Fault:
    pointer = to_pointer(parts)
    line, column = locate(source, pointer) or (None, None)
    return Fault(message, source.name, line, column, pointer, advice)
