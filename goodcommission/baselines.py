"""The baseline: findings that were there before. It hides them from the gates, and it only ever shrinks."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from goodcommission.description.document import Source, printable_name
from goodcommission.description.positions import locate, to_pointer
from goodcommission.exceptions import BaselineError, DescriptionError, Fault
from goodcommission.report.fingerprints import LENGTH, fingerprint
from goodcommission.report.model import AuditedDocument, AuditReport, BaselineUsed, PatternResult, RuleResult
from goodcommission.report.renaming import current_ids, under_current_ids

FORM: Final = 1
"""Raised when what a baseline holds changes its shape."""


def _is_day(text: str) -> str:
    try:
        if len(text) != 10:
            raise ValueError
        dt.date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("day", "this is no day; it is written as 2026-03-31") from None
    return text


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Known(_Closed):
    """A finding that was there before."""

    document: str
    """Its id or, where it has none, its file name without folders."""
    rule: Annotated[str, StringConstraints(max_length=100)]
    """The rule, or the pattern."""
    fingerprint: Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{LENGTH}}}$")]
    first_seen: Annotated[str, AfterValidator(_is_day)]
    """ISO 8601."""


class _File(_Closed):
    baseline: Literal[1]
    findings: list[Known]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Findings that were there before, by document and rule."""

    findings: tuple[Known, ...]
    name: str = "baseline"
    source: Source | None = None

    def to_json(self) -> str:
        """The file: one line a finding and always in the same order, so that a change of it is easy to review."""
        lines = ",\n".join(
            "    " + json.dumps(one.model_dump(), ensure_ascii=False) for one in sorted(self.findings, key=_place)
        )
        found = f"[\n{lines}\n  ]" if lines else "[]"
        return f'{{\n  "baseline": {FORM},\n  "findings": {found}\n}}\n'


@dataclass(frozen=True, slots=True)
class Ratchet:
    """What an update of a baseline comes to."""

    baseline: Baseline
    mended: tuple[Known, ...]
    """What was taken out."""
    fresh: tuple[tuple[str, str], ...]
    """Document and rule of the findings that are not in it, and that an update does not add."""


def _place(one: Known) -> tuple[str, str, int, str, str]:
    """Where a finding stands in the file: PP-9 before PP-10."""
    letters, _, rest = one.rule.partition("-")
    digits = re.match(r"\d+", rest)
    return one.document, letters, int(digits.group()) if digits else 0, one.rule, one.fingerprint


# --- The file ----------------------------------------------------------------------------------------------------


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: It can't be read or is not one; every fault with line and column.
    """
    from goodcommission.description.entries import MOST_FAULTS, read_entries
    from goodcommission.description.parsing import parse
    from goodcommission.description.reading import read_source

    try:
        source = read_source(path)
        raw = parse(source)
    except DescriptionError as error:
        raise BaselineError(*error.faults) from None
    advice = "A baseline is what `goodcommission baseline create` writes."
    if not isinstance(raw, dict) or "baseline" not in raw or "schema_version" in raw:
        raise BaselineError(Fault("this is no baseline", source.name, 1, 1, "", advice))
    findings, wrong = read_entries(_File, raw, "findings", Known)
    if wrong:
        raise BaselineError(*(_fault(source, one) for one in wrong))
    first: dict[str, int] = {}
    faults = []
    for index, one in enumerate(findings):
        if first.setdefault(one.fingerprint, index) != index:
            faults.append(_at(source, index, "fingerprint", "this finding is in the baseline twice", "Take one out."))
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise BaselineError(*faults)
    return Baseline(tuple(findings), printable_name(source.name), source)


def _at(source: Source | None, index: int, field: str, message: str, suggestion: str) -> Fault:
    pointer = f"/findings/{index}/{field}"
    line, column = (locate(source, pointer) if source else None) or (None, None)
    return Fault(message, source.name if source else None, line, column, pointer, suggestion)


def _fault(source: Source, error: Mapping[str, Any]) -> Fault:
    parts, kind = tuple(error["loc"]), error["type"]
    name = str(parts[-1]) if parts else ""
    message = {
        "extra_forbidden": f'there is no field "{name}" here',
        "missing": f'the field "{name}" is missing',
        "string_type": "a text is expected here",
        "string_pattern_mismatch": f"a fingerprint of {LENGTH} hexadecimal digits is expected here",
        "literal_error": f"a baseline of form {FORM} is expected; this one may come from a newer goodcommission",
        "list_type": "a list of findings is expected here",
        "model_type": "a finding is expected here: document, rule, fingerprint, first_seen",
    }.get(kind, error["msg"])
    pointer = to_pointer(parts[:-1] if kind == "missing" else parts)
    line, column = locate(source, pointer, key=kind == "extra_forbidden") or (None, None)
    return Fault(message, source.name, line, column, pointer)


# --- What it does ------------------------------------------------------------------------------------------------


def create(reports: Sequence[AuditReport], as_of: dt.date | None = None, before: Baseline | None = None) -> Baseline:
    """A baseline of all that is wrong now, but for what is waived: that has to come back when its waiver expires.

    Args:
        reports: What `audit` gave.
        as_of: The day on which they were first seen; by default the day of each audit.
        before: The baseline that it replaces: what is in it keeps its first day, and what it says of documents that
            are not among the reports is kept.

    Raises:
        BaselineError: There is no day; the baseline that it replaces does not fit the findings.
    """
    known: dict[str, Known] = {}
    findings: list[Known] = []
    if before is not None:
        before = _under_current_ids(before, reports)
        for report in reports:
            _check_fit(before, report)
        known = {one.fingerprint: one for one in before.findings}
        findings.extend(_not_audited(before, reports))
    for mark, (report, rule) in _present(reports).items():
        if mark in known:
            findings.append(known[mark])
            continue
        day = report.as_of if as_of is None else as_of.isoformat()
        if day is None:
            message = "on which day these findings were first seen is not known"
            raise BaselineError(Fault(message, report.document.name, suggestion="Say it: --as-of YYYY-MM-DD."))
        findings.append(Known(document=document_of(report.document), rule=rule, fingerprint=mark, first_seen=day))
    return Baseline(tuple(sorted(findings, key=_place)), before.name if before else "baseline")


def update(baseline: Baseline, reports: Sequence[AuditReport], *, prune: bool = False) -> Ratchet:
    """The baseline without what is mended; nothing is ever added to it.

    Args:
        baseline: What `read_baseline` gave.
        reports: What `audit` gave.
        prune: Whether to take out, too, what it says of documents and rules that are not among the reports; by
            default that is left as it is, since nothing is known of them.

    Raises:
        BaselineError: The baseline does not fit the findings.
    """
    baseline = _under_current_ids(baseline, reports)
    for report in reports:
        _check_fit(baseline, report)
    # What is waived is neither new nor mended.
    failing = {mark for report in reports for mark, _ in _failing(report)}
    stays = failing if prune else failing | {one.fingerprint for one in _not_audited(baseline, reports)}
    known = {one.fingerprint for one in baseline.findings}
    ordered = sorted(baseline.findings, key=_place)
    fresh = {
        (document_of(report.document), rule) for mark, (report, rule) in _present(reports).items() if mark not in known
    }
    return Ratchet(
        Baseline(tuple(one for one in ordered if one.fingerprint in stays), baseline.name),
        tuple(one for one in ordered if one.fingerprint not in stays),
        tuple(sorted(fresh)),
    )


def apply(report: AuditReport, baseline: Baseline) -> AuditReport:
    """The report with the findings marked that were there before.

    They keep their verdicts and count in the score, which says how good the document is and not how it has changed;
    only gates pass them over. What is waived, or was until its waiver expired, is not hidden by a baseline as well:
    apply the waivers first.

    Raises:
        BaselineError: A finding of the baseline is, by its fingerprint, one of another rule.
    """
    baseline = _under_current_ids(baseline, [report])
    _check_fit(baseline, report)
    known = {one.fingerprint for one in baseline.findings}
    back = {id for finding in report.waiver_findings for id in finding.concerns}
    present = dict(_failing(report))
    hidden = {
        _id(result)
        for mark, result in present.items()
        if mark in known and result.waived is None and _id(result) not in back
    }
    checked = _checked(report)
    mended = sum(
        one.document == document_of(report.document) and one.rule in checked and one.fingerprint not in present
        for one in baseline.findings
    )
    return report.model_copy(
        update={
            "results": tuple(r.model_copy(update={"known_before": r.rule.id in hidden}) for r in report.results),
            "patterns": tuple(one.model_copy(update={"known_before": one.id in hidden}) for one in report.patterns),
            "baseline": BaselineUsed(name=baseline.name, hidden=len(hidden), mended=mended),
        }
    )


def document_of(document: AuditedDocument) -> str:
    """What a baseline calls a document: its id or, where it has none, its file name without folders."""
    return document.id or re.split(r"[/\\]", document.name)[-1]


def _id(result: RuleResult | PatternResult) -> str:
    return result.rule.id if isinstance(result, RuleResult) else result.id


def _checked(report: AuditReport) -> set[str]:
    return {result.rule.id for result in report.results} | {one.id for one in report.patterns}


def _failing(report: AuditReport) -> Iterator[tuple[str, RuleResult | PatternResult]]:
    """Fingerprint and result of all that is wrong, combined findings included."""
    for result in report.results:
        if result.verdict == "fail":
            yield fingerprint(result, report.document), result
    for one in report.patterns:
        if one.outcome == "concluded" and one.severity != "positive":
            yield fingerprint(one, report.document), one


def _present(reports: Iterable[AuditReport]) -> dict[str, tuple[AuditReport, str]]:
    """What is wrong now and not waived: by fingerprint the report, and the rule or pattern."""
    return {
        mark: (report, _id(result)) for report in reports for mark, result in _failing(report) if result.waived is None
    }


def _not_audited(baseline: Baseline, reports: Sequence[AuditReport]) -> Iterator[Known]:
    """What a baseline says of documents and rules that are not among the reports."""
    checked: dict[str, set[str]] = {}
    for report in reports:
        checked.setdefault(document_of(report.document), set()).update(_checked(report))
    return (one for one in baseline.findings if one.rule not in checked.get(one.document, ()))


def _under_current_ids(baseline: Baseline, reports: Iterable[AuditReport]) -> Baseline:
    """The baseline with what it says of renamed rules under their new ids, whose fingerprints are others."""
    moved: dict[str, tuple[str, str]] = {}
    for report in reports:
        for old, new in current_ids(report).items():
            former = under_current_ids(report, {new: old})
            for (before, _), (now, result) in zip(_failing(former), _failing(report), strict=True):
                if _id(result) == new:
                    moved[before] = new, now
    if not moved:
        return baseline
    findings = []
    for one in baseline.findings:
        rule, mark = moved.get(one.fingerprint, (one.rule, one.fingerprint))
        findings.append(one.model_copy(update={"rule": rule, "fingerprint": mark}))
    return Baseline(tuple(findings), baseline.name, baseline.source)


def _check_fit(baseline: Baseline, report: AuditReport) -> None:
    """Refuse a baseline that was edited so that a fingerprint stands for what it is not."""
    name = document_of(report.document)
    known = {one.fingerprint: (index, one) for index, one in enumerate(baseline.findings)}
    faults = []
    for mark, result in _failing(report):
        if mark not in known:
            continue
        index, one = known[mark]
        for field, written, found in (("rule", one.rule, _id(result)), ("document", one.document, name)):
            if written != found:
                message = f'the fingerprint is of "{found}", and the baseline says "{written}"'
                advice = "A baseline is not edited by hand; create it anew."
                faults.append(_at(baseline.source, index, field, message, advice))
    if faults:
        raise BaselineError(*faults)
