"""The report as SARIF 2.1.0: one run, in which each audited file is an artifact.

One run, because GitHub refuses several runs of one tool in one upload. It also takes every result for a problem,
whatever its ``kind`` is; hence ``render_findings``, which holds nothing but the findings that count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from goodcommission.report.findings import CONTRADICTIONS, WAIVERS, Entry, Place, entries, file_of, path, standing
from goodcommission.report.terminal import neutral

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final[Mapping[str, str]] = {"high": "error", "medium": "warning", "low": "note"}
_PROBLEMS: Final[Mapping[str, str]] = {"high": "error", "medium": "warning", "low": "recommendation"}
_FINGERPRINT: Final = "goodcommission/v1"
_ROOT: Final = "%SRCROOT%"
"""The name that stands for the folder in which the repository is checked out."""


def render(reports: Sequence[AuditReport]) -> str:
    """Every result: what is met, not met, open and does not apply."""
    return _log(reports, [(report, one) for report in reports for one in entries(report)])


def render_findings(reports: Sequence[AuditReport]) -> str:
    """Only the findings that count: neither waived nor in the baseline."""
    return _log(reports, [(report, one) for report in reports for one in standing(report)])


def kind_of(one: Entry) -> str:
    """SARIF's kind of a result.

    A pass that rests on the document's word alone, or that what is not stated could overturn, is for a person to look
    at (``review``). A provisional finding stays a finding, as it does in the score.
    """
    if one.status == "met" and (getattr(one.result, "claimed", False) or getattr(one.result, "provisional", False)):
        return "review"
    kinds = {"finding": "fail", "met": "pass", "strength": "informational", "open": "open"}
    return kinds.get(one.status, "notApplicable")


def _log(reports: Sequence[AuditReport], results: Sequence[tuple[AuditReport, Entry]]) -> str:
    artifacts = _Artifacts()
    for report in reports:
        for document in report.case.documents if report.case else (report.document,):
            file = document.file or document.name
            artifacts.add(file, document.digest if document.file else None, ["analysisTarget"])
            if document.profile:
                artifacts.add(document.profile.name, document.profile.digest, [])
    rules: dict[str, dict[str, Any]] = {}
    written = []
    for report, one in results:
        rules.setdefault(one.id, _rule(one))
        written.append(_result(report, one, list(rules).index(one.id), artifacts))
    driver = {
        "name": "goodcommission",
        "version": reports[0].goodcommission,
        "semanticVersion": reports[0].goodcommission,
        "shortDescription": {"text": "Audits commissioning practice against good-practice rules."},
        "rules": list(rules.values()),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    note for report in reports for note in _notifications(report, artifacts)
                ],
            }
        ],
        "artifacts": artifacts.written,
        "results": written,
        "properties": {"audits": [_audit(report, artifacts) for report in reports]},
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


class _Artifacts:
    """The files that are spoken of, each once."""

    def __init__(self) -> None:
        self.written: list[dict[str, Any]] = []
        self._index: dict[str, int] = {}

    def add(self, file: str, digest: str | None, roles: list[str]) -> None:
        at = self.locate(file)["index"]
        one = self.written[at]
        if digest:
            one["hashes"] = {"sha-256": digest.removeprefix("sha256:")}
        if roles:
            one["roles"] = roles

    def locate(self, file: str) -> dict[str, Any]:
        file = path(file)
        if file not in self._index:
            self._index[file] = len(self.written)
            self.written.append({"location": _location(file)})
        return {**_location(file), "index": self._index[file]}


def _location(file: str) -> dict[str, Any]:
    if file.startswith("/"):
        return {"uri": "file://" + quote(file.encode("utf-8", "surrogateescape"))}
    if len(file) > 2 and file[1:3] == ":/":
        return {"uri": "file:///" + quote(file, safe="/:")}
    # A colon before the first slash would read as the name of a protocol.
    return {"uri": quote(file.encode("utf-8", "surrogateescape")), "uriBaseId": _ROOT}


def _rule(one: Entry) -> dict[str, Any]:
    """What SARIF calls a reporting descriptor: the rule, the same for every document."""
    if one.kind == "waiver":
        return {
            "id": one.id,
            "shortDescription": {"text": one.title},
            "fullDescription": {"text": one.title},
            "help": {"text": "A waiver has an owner, a reason and an end, and is no wider than it needs to be."},
            "defaultConfiguration": {"level": LEVELS[one.severity]},
            "properties": {"tags": [WAIVERS], "problem.severity": _PROBLEMS[one.severity]},
        }
    if one.kind == "contradiction":
        return {
            "id": one.id,
            "shortDescription": {"text": one.title},
            "fullDescription": {"text": one.title},
            "help": {"text": "Documents of one case say different things; it is not known which is right."},
            "defaultConfiguration": {"level": LEVELS[one.severity]},
            "properties": {"tags": [CONTRADICTIONS], "problem.severity": _PROBLEMS[one.severity]},
        }
    if one.kind == "combined":
        said: Any = one.result
        asks, severity = said.title, said.severity
        tags = [said.pack, "combined finding"]
    else:
        said = getattr(one.result, "rule", None)
        asks, severity = said.asks, said.severity
        tags = [said.pack, said.phase, *(("law", "not legal advice") if said.law else (said.strength,))]
    paragraphs = [neutral(said.why), *([f"Remedy: {neutral(said.remedy)}"] if getattr(said, "remedy", None) else [])]
    sources = [neutral(str(source)) for source in said.sources]
    text = "\n\n".join([*paragraphs, *(f"Source: {source}" for source in sources)])
    markdown = "\n\n".join(
        [
            *map(_escaped, paragraphs),
            *(["Sources:\n\n" + "\n".join(f"- {_escaped(s)}" for s in sources)] if sources else []),
        ]
    )
    level = LEVELS.get(severity, "none")
    properties: dict[str, Any] = {"tags": tags}
    if severity in _PROBLEMS:
        properties["problem.severity"] = _PROBLEMS[severity]
    return {
        "id": said.id,
        "shortDescription": {"text": neutral(said.title)},
        "fullDescription": {"text": neutral(asks)},
        "help": {"text": text, "markdown": markdown},
        "defaultConfiguration": {"level": level},
        "properties": properties,
    }


def _unlinked(text: str) -> str:
    """A message in which "[…](…)" from the document makes no link."""
    return text.replace("](", "\\](")


def _escaped(text: str) -> str:
    from goodcommission.report.markdown import escaped

    return escaped(text)


def _result(report: AuditReport, one: Entry, rule_index: int, artifacts: _Artifacts) -> dict[str, Any]:
    kind = kind_of(one)
    level = "none"
    if kind == "fail":
        level = LEVELS[one.severity] if one.weighs else "note"
    places = [_physical(place, artifacts) for place in one.places]
    whole = {"physicalLocation": {"artifactLocation": artifacts.locate(file_of(report))}}
    if kind == "fail":
        # GitHub refuses a result without a line.
        whole["physicalLocation"]["region"] = {"startLine": 1}
    result: dict[str, Any] = {
        "ruleId": one.id,
        "ruleIndex": rule_index,
        "kind": kind,
        "level": level,
        "message": {"text": _unlinked(one.message + (f" {one.remedy}" if one.remedy and kind == "fail" else ""))},
        "locations": places[:1] or [whole],
        "partialFingerprints": {
            _FINGERPRINT: one.fingerprint,
            # The only one that GitHub reads; with the hash of a line, each change of the value would be a new alert.
            "primaryLocationLineHash": f"{one.fingerprint}:1",
        },
    }
    if places[1:]:
        result["relatedLocations"] = [{"id": number, **place} for number, place in enumerate(places[1:], 1)]
    if one.excused and getattr(one.result, "waived", None):
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one.excused}]
    if report.baseline and one.status == "finding" and one.kind in ("rule", "combined"):
        result["baselineState"] = "unchanged" if getattr(one.result, "known_before", False) else "new"
    result["properties"] = _properties(report, one)
    return result


def _properties(report: AuditReport, one: Entry) -> dict[str, Any]:
    said = one.result
    kept: dict[str, Any] = {"document": report.document.name, "pack": one.pack, "severity": one.severity}
    for name in ("verdict", "outcome", "provisional", "claimed", "points", "missing"):
        value = getattr(said, name, None)
        if value:
            kept[name] = list(value) if isinstance(value, tuple) else value
    return kept


def _physical(place: Place, artifacts: _Artifacts) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": artifacts.locate(place.file)}
    if place.line is not None:
        physical["region"] = {"startLine": place.line, **({"startColumn": place.column} if place.column else {})}
    else:
        physical["region"] = {"startLine": 1}
    location: dict[str, Any] = {"physicalLocation": physical, "message": {"text": _unlinked(place.said)}}
    if place.fact:
        location["logicalLocations"] = [{"fullyQualifiedName": place.fact, "kind": "member"}]
        location["properties"] = {"pointer": place.pointer}
    return location


def _notifications(report: AuditReport, artifacts: _Artifacts) -> Iterable[dict[str, Any]]:
    where = [{"physicalLocation": {"artifactLocation": artifacts.locate(file_of(report))}}]
    for note in dict.fromkeys(report.document.notes):
        yield {"level": "note", "message": {"text": _unlinked(neutral(note))}, "locations": where}
    for difference in report.engine.differences:
        said = f"The engines disagree, and the reference's answer stands: {neutral(difference)}"
        yield {"level": "warning", "message": {"text": _unlinked(said)}, "locations": where}


def _audit(report: AuditReport, artifacts: _Artifacts) -> dict[str, Any]:
    score = report.score
    return {
        "document": report.document.name,
        "artifact": artifacts.locate(file_of(report))["index"],
        "asOf": report.as_of,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "coverage": score.coverage,
        "grade": score.grade,
        "regime": report.regime.id,
        "regimeBasis": report.regime.basis,
        "packsDigest": report.packs_digest,
        "engine": report.engine.name,
    }
