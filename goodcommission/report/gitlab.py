"""The report as a GitLab code quality report: the findings that count, one object each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from goodcommission.report.findings import Entry, file_of, path, standing

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

_SEVERITIES: Final[Mapping[str, str]] = {"high": "critical", "medium": "major", "low": "minor"}


def render(reports: Sequence[AuditReport]) -> str:
    """A list of findings; each fingerprint occurs once, as GitLab shows only one of equal ones."""
    issues: list[dict[str, Any]] = []
    seen: set[str] = set()
    for report in reports:
        for one in standing(report):
            issue = _issue(report, one)
            key = one.fingerprint
            count = 1
            while key in seen:
                # Two documents with the same id, such as a copy of a file.
                count += 1
                key = hashlib.sha256(f"{one.fingerprint} {issue['location']['path']} {count}".encode()).hexdigest()[:32]
            seen.add(key)
            issues.append({**issue, "fingerprint": key})
    return json.dumps(issues, ensure_ascii=False, indent=2) + "\n"


def _issue(report: AuditReport, one: Entry) -> dict[str, Any]:
    place = one.places[0] if one.places else None
    return {
        "description": f"{one.id}: {one.message}" + (f" {one.remedy}" if one.remedy else ""),
        "check_name": one.id,
        "severity": _SEVERITIES[one.severity] if one.weighs else "info",
        "location": {
            "path": place.file if place else path(file_of(report)),
            "lines": {"begin": (place.line if place else None) or 1},
        },
    }
