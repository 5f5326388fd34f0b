"""Waivers: findings that somebody answers for until a day. They still show, they do not count, and they come back."""

from __future__ import annotations

import datetime as dt
import difflib
import fnmatch
import itertools
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from goodcommission.description.document import Source
from goodcommission.description.entries import MOST_FAULTS, name_of_document, read_entries
from goodcommission.description.parsing import quoted
from goodcommission.description.positions import from_pointer, locate, to_pointer
from goodcommission.exceptions import DescriptionError, Fault, WaiverError
from goodcommission.packs.model import Severity
from goodcommission.report.model import (
    AuditedDocument,
    AuditReport,
    FactStated,
    PatternResult,
    RuleResult,
    Waiver,
    WaiverFinding,
    plain,
)
from goodcommission.report.renaming import current_ids
from goodcommission.report.rescoring import rescore

MOST_DAYS: Final = 365
"""How long a waiver may last unless another number is configured."""
_SEVERITY: Final[dict[str, Severity]] = {
    "expired": "medium",
    "contradictory": "medium",
    "too_wide": "low",
    "unused": "low",
    "not_yet": "low",
}
_GENERAL: Final = ("kind", "stage", "as_of")
"""Facts that say which rule is asked when, and nothing of what is wrong."""
_VERDICTS: Final = {
    "unknown": "cannot be judged",
    "not_applicable": "does not apply",
    "not_yet_due": "is not yet due",
}


# --- The file ----------------------------------------------------------------------------------------------------


def _is_day(text: str) -> str:
    try:
        if len(text) != 10:
            raise ValueError
        dt.date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError(
            "day", "this is no day; it is written as year-month-day, such as 2027-03-31"
        ) from None
    return text


def _is_pointer(text: str) -> str:
    if not from_pointer(text):
        raise PydanticCustomError(
            "pointer", "this is no JSON pointer to a place; it is written like /requirements/insurance/0"
        )
    return text


_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Day = Annotated[str, AfterValidator(_is_day)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Written(_Closed):
    """One waiver as it is written."""

    rule: _Text
    document: Annotated[_Text, AfterValidator(name_of_document)] | None = None
    pointer: Annotated[str, AfterValidator(_is_pointer)] | None = None
    reason: _Text
    owner: _Text
    granted: _Day
    expires: _Day
    note: _Text | None = None


class _File(_Closed):
    waivers: list[_Written]


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of one file, in its order."""

    items: tuple[Waiver, ...]
    source: Source | None = None


def read_waivers(path: str | os.PathLike[str], *, most_days: int = MOST_DAYS) -> Waivers:
    """Read a file of waivers (YAML or JSON).

    Args:
        path: The file.
        most_days: The longest that a waiver may last, from the day it is granted to the day it expires.

    Raises:
        WaiverError: It can't be read or is not valid; every fault with line and column.
    """
    from goodcommission.description.parsing import parse
    from goodcommission.description.reading import read_source

    try:
        source = read_source(path)
        raw = parse(source)
    except DescriptionError as error:
        raise WaiverError(*error.faults) from None
    if not isinstance(raw, dict):
        raise WaiverError(Fault("a file of waivers is a mapping with a list under `waivers:`", source.name, 1, 1, ""))
    written, wrong = read_entries(_File, raw, "waivers", _Written)
    if wrong:
        raise WaiverError(*(_fault(source, one) for one in wrong))
    beyond = (fault for index, one in enumerate(written) for fault in _beyond_fields(source, index, one, most_days))
    faults = list(islice(beyond, MOST_FAULTS))
    if faults:
        raise WaiverError(*faults)
    return Waivers(
        tuple(
            Waiver(**one.model_dump(), file=source.name, line=(locate(source, f"/waivers/{index}") or (None,))[0])
            for index, one in enumerate(written)
        ),
        source,
    )


def _fault(source: Source, error: dict[str, Any]) -> Fault:
    parts = list(error["loc"])
    name, kind = str(parts[-1]) if parts else "", error["type"]
    known = list(_File.model_fields if len(parts) < 2 else _Written.model_fields)
    suggestion = None
    if kind == "extra_forbidden":
        message = f'there is no field "{name}" here'
        near = difflib.get_close_matches(name, known, n=1)
        suggestion = f"Did you mean {near[0]}?" if near else f"There are {', '.join(known)}."
    elif kind == "missing":
        message, parts = f'the field "{name}" is missing', parts[:-1]
    elif kind in ("string_type", "string_too_short"):
        message = "a text is expected here"
    elif kind == "list_type":
        message = "a list of waivers is expected here"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        message = "a waiver is a set of fields: rule, document or pointer, reason, owner, granted, expires"
    else:
        message = error["msg"]
    pointer = to_pointer(tuple(parts))
    line, column = locate(source, pointer, key=kind == "extra_forbidden") or (None, None)
    return Fault(message, source.name, line, column, pointer, suggestion)


def _beyond_fields(source: Source, index: int, one: _Written, most_days: int) -> Iterator[Fault]:
    """What no single field shows: that it says where, and how long it lasts."""

    def fault(message: str, field: str, suggestion: str) -> Fault:
        pointer = f"/waivers/{index}{field}"
        line, column = locate(source, pointer) or (None, None)
        return Fault(message, source.name, line, column, pointer, suggestion)

    if one.document is None and one.pointer is None:
        yield fault(
            "this waiver does not say where it holds",
            "",
            'Add document: (an id or a file name; "*" is every document), pointer:, or both.',
        )
    granted = dt.date.fromisoformat(one.granted)
    lasts = (dt.date.fromisoformat(one.expires) - granted).days
    if lasts > most_days:
        latest = f"Let it expire on {granted + dt.timedelta(most_days)} or before."
        yield fault(f"this waiver lasts {lasts} days, and at most {most_days} are allowed", "/expires", latest)


# --- Applying ----------------------------------------------------------------------------------------------------


def apply(report: AuditReport, waivers: Waivers, as_of: dt.date | None, *, never: Collection[str] = ()) -> AuditReport:
    """The report of one document with the waivers that hold; as `apply_all`."""
    return apply_all((report,), waivers, as_of, never=never)[0]


def apply_all(
    reports: Sequence[AuditReport], waivers: Waivers, as_of: dt.date | None, *, never: Collection[str] = ()
) -> tuple[AuditReport, ...]:
    """The reports of one run with the waivers that hold, and what is wrong with each waiver.

    A waiver holds from the day it is granted until the day before it expires. What it waives keeps its verdict, bears
    the waiver, and is taken out of the score; the score without any waivers stands beside it. Waivers that a report
    bore before are replaced.

    Args:
        reports: All reports of the run: whether a waiver is unused or too wide shows only over all of them.
        waivers: What `read_waivers` gave.
        as_of: The day on which they are judged.
        never: Rules and patterns that may never fail: a waiver of one is an error.

    Returns:
        The reports in their order. What is wrong with a waiver stands in the report that it concerns; what concerns
        none of them stands in the first.

    Raises:
        WaiverError: The day is not known; a waiver names a rule that there is not, or one that may never fail.
    """
    if as_of is None:
        raise WaiverError(
            Fault("on which day the waivers are judged is not known", suggestion="Say it: --as-of YYYY-MM-DD.")
        )
    renamed = {old: new for report in reports for old, new in current_ids(report).items()}
    waivers = replace(
        waivers,
        items=tuple(one.model_copy(update={"rule": renamed.get(one.rule, one.rule)}) for one in waivers.items),
    )
    _check_names(reports, waivers, {renamed.get(id, id) for id in never})
    run = _Run(reports, as_of.isoformat())
    for waiver in waivers.items:
        run.judge(waiver)
    return tuple(
        _with_waivers(report, taken, findings)
        for report, taken, findings in zip(reports, run.taken, run.findings, strict=True)
    )


def _check_names(reports: Sequence[AuditReport], waivers: Waivers, never: Collection[str]) -> None:
    rules = {result.rule.id for report in reports for result in report.results}
    patterns = {one.id for report in reports for one in report.patterns}
    others: set[str] | None = None
    faults = []
    for index, waiver in enumerate(waivers.items):
        message, suggestion, field = None, None, "rule"
        if waiver.rule in never:
            message = f"{waiver.rule} may never fail here, so it can't be waived"
            suggestion = "Take the waiver out, or the rule from the gate."
        elif waiver.rule in patterns and waiver.pointer is not None:
            message = f"{waiver.rule} is a combined finding, which rests on no one place"
            suggestion, field = "Take the pointer out, and name the document.", "pointer"
        elif waiver.rule not in rules | patterns:
            others = _shipped_ids() if others is None else others
            if waiver.rule not in others:
                message = f"there is no rule {quoted(waiver.rule)}"
                near = difflib.get_close_matches(waiver.rule[:80].upper(), sorted(rules | patterns | others), n=1)
                suggestion = f"Did you mean {near[0]}?" if near else None
        if message:
            pointer = f"/waivers/{index}/{field}"
            place = locate(waivers.source, pointer) if waivers.source else None
            line, column = place or (waiver.line, None)
            faults.append(Fault(message, waiver.file, line, column, pointer, suggestion))
        if len(faults) == MOST_FAULTS:
            break
    if faults:
        raise WaiverError(*faults)


def _shipped_ids() -> set[str]:
    """Rules and patterns of packs that this audit may have left out: a waiver of them is no mistake."""
    from goodcommission.packs.loading import shipped_packs

    packs = [loaded.pack for loaded in shipped_packs()]
    ids = {rule.id for pack in packs for rule in pack.rules} | {one.id for pack in packs for one in pack.patterns}
    return ids | {one.id for pack in packs for one in pack.questions}


class _Run:
    """The waivers of a run, judged one after the other."""

    def __init__(self, reports: Sequence[AuditReport], day: str) -> None:
        self.reports = reports
        self.day = day
        self.taken: list[dict[str, Waiver]] = [{} for _ in reports]
        self.findings: list[list[WaiverFinding]] = [[] for _ in reports]

    def judge(self, waiver: Waiver) -> None:
        """Note what it waives, and what is wrong with it."""
        results = {
            index: result
            for index, report in enumerate(self.reports)
            if (result := _result(report, waiver.rule)) is not None and _is_for(waiver, report, result)
        }
        if not results and any(_result(report, waiver.rule) is None for report in self.reports):
            return  # The pack was not used: nothing can be said.
        hits = {i: r for i, r in results.items() if _fails(r) and _rests_on(self.reports[i], r, waiver.pointer)}
        home = min(hits or results, default=0)
        rule, day = waiver.rule, say_day(waiver.expires)
        if waiver.expires <= waiver.granted:
            granted = say_day(waiver.granted)
            self._note(
                home, "contradictory", waiver, f"It expires on {day} and is granted on {granted}: it never holds."
            )
        elif self.day >= waiver.expires:
            for index in hits:
                counts = f"It expired on {day}, and {rule} counts again: mend it, or have the waiver renewed."
                self._note(index, "expired", waiver, counts, (rule,))
            if not hits:
                self._note(home, "expired", waiver, f"It expired on {day} and is not needed: take it out.", low=True)
        elif self.day < waiver.granted:
            since = say_day(waiver.granted)
            self._note(home, "not_yet", waiver, f"It is granted on {since} only; until then {rule} counts.")
        elif not hits:
            self._without_use(waiver, results, home)
        else:
            self._take(waiver, hits, results)

    def _note(
        self, index: int, kind: Any, waiver: Waiver, message: str, concerns: tuple[str, ...] = (), *, low: bool = False
    ) -> None:
        severity: Severity = "low" if low else _SEVERITY[kind]
        self.findings[index].append(
            WaiverFinding(
                kind=kind,
                severity=severity,
                waiver=waiver,
                message=message,
                file=waiver.file,
                line=waiver.line,
                concerns=concerns,
            )
        )

    def _without_use(self, waiver: Waiver, results: dict[int, RuleResult | PatternResult], home: int) -> None:
        rule = waiver.rule
        if not results:
            document = f"No document that was audited is called “{waiver.document}”"
            self._note(home, "unused", waiver, f"{document}: take it out, if that holds of all that you audit.")
            return
        where = self.reports[home].document.name if len(results) == 1 else f"{len(results)} documents"
        failing = [(index, result) for index, result in results.items() if _fails(result)]
        if failing:
            index, result = failing[0]
            places = [fact.pointer for fact in _deciding(self.reports[index], result)]
            document = self.reports[index].document.name
            rests = f"it rests on {' and '.join(places)}" if places else "it rests on no one place"
            self._note(
                index, "unused", waiver, f"{rule} fails in {document}, but not at {waiver.pointer} alone: {rests}."
            )
        elif any(isinstance(result, RuleResult) and result.verdict == "pass" for result in results.values()):
            self._note(
                home, "contradictory", waiver, f"{rule} is met in {where}: there is nothing to waive. Take it out."
            )
        else:
            said = {_what_it_is(result) for result in results.values()}
            self._note(home, "unused", waiver, f"{rule} {' or '.join(sorted(said))} in {where}: take it out.")

    def _take(
        self,
        waiver: Waiver,
        hits: dict[int, RuleResult | PatternResult],
        results: dict[int, RuleResult | PatternResult],
    ) -> None:
        rule, fresh = waiver.rule, False
        for index in hits:
            first = self.taken[index].setdefault(rule, waiver)
            fresh = fresh or first is waiver
            if first is not waiver:
                other = f"the one in line {first.line}" if first.line is not None else "one before it"
                in_document = f"in {self.reports[index].document.name}"
                self._note(
                    index, "contradictory", waiver, f"It waives {rule} {in_document}, as does {other}: keep one."
                )
        if not fresh:
            return
        only = min(hits)
        wild = waiver.document is None or bool(re.search(r"[*?\[]", waiver.document))
        if wild and len(hits) == 1 and len(results) > 1:
            name = self.reports[only].document.name
            self._note(
                only,
                "too_wide",
                waiver,
                f"It holds for {len(results)} documents, and {rule} fails only in {name}: name it.",
            )
        if waiver.pointer is None:
            places = {_one_place(self.reports[index], result) for index, result in hits.items()}
            place = places.pop()
            if place and not places:
                self._note(
                    only,
                    "too_wide",
                    waiver,
                    f"It would hide any other cause of {rule} in the document. "
                    f"The finding rests on one place: add pointer: {place}",
                )


def say_day(day: str) -> str:
    """A day as it is written in a sentence."""
    from goodcommission.engine.texts import say_date

    return say_date(dt.date.fromisoformat(day))


def _is_for(waiver: Waiver, report: AuditReport, result: RuleResult | PatternResult) -> bool:
    """Whether a waiver is for this result; in a case, for the case or for all documents that show the finding."""
    if report.case is None or _names(waiver, report.document):
        return _names(waiver, report.document)
    showing = {one.document for one in getattr(result, "documents", ()) if one.verdict == result.verdict}  # type: ignore[union-attr]
    documents = [one for one in report.case.documents if not showing or one.name in showing]
    return all(_names(waiver, one) for one in documents)


def _names(waiver: Waiver, document: AuditedDocument) -> bool:
    """Whether a waiver is for this document: by its id, its name, or its file name without folders."""
    if waiver.document is None:
        return True
    name = document.name.replace("\\", "/")
    names = {name, name.rpartition("/")[2], *([document.id] if document.id else [])}
    return any(fnmatch.fnmatchcase(one, waiver.document) for one in names)


def _result(report: AuditReport, id: str) -> RuleResult | PatternResult | None:
    for result in report.results:
        if result.rule.id == id:
            return result
    return next((one for one in report.patterns if one.id == id), None)


def _fails(result: RuleResult | PatternResult) -> bool:
    if isinstance(result, RuleResult):
        return result.verdict == "fail"
    return result.outcome == "concluded" and result.severity != "positive"


def _what_it_is(result: RuleResult | PatternResult) -> str:
    """What is said of a result that does not fail and is not met, of which there is nothing to waive."""
    if isinstance(result, RuleResult):
        return _VERDICTS[result.verdict]
    return "is a strength" if result.outcome == "concluded" else "is not concluded"


def _deciding(report: AuditReport, result: RuleResult | PatternResult) -> list[FactStated]:
    """The facts that a finding rests on, without those that say only that the rule is asked."""
    if isinstance(result, PatternResult):
        return []
    facts = [fact for fact in report.facts if fact.name in result.decided_by]
    return [fact for fact in facts if plain(fact.name) not in _GENERAL] or facts


def _item(fact: FactStated) -> str:
    """What a fact belongs to: the item of a list, or only itself."""
    return fact.name.partition("]")[0]


def _rests_on(report: AuditReport, result: RuleResult | PatternResult, pointer: str | None) -> bool:
    """Whether a finding rests on a place, and on no other item of a list that the place is in."""
    if pointer is None:
        return True
    facts = _deciding(report, result)
    covered = [fact for fact in facts if fact.pointer == pointer or fact.pointer.startswith(f"{pointer}/")]
    lists = {fact.name.partition("[")[0] for fact in covered if "[" in fact.name}
    items = {_item(fact) for fact in covered}
    return bool(covered) and all(
        _item(fact) in items for fact in facts if "[" in fact.name and fact.name.partition("[")[0] in lists
    )


def _one_place(report: AuditReport, result: RuleResult | PatternResult) -> str | None:
    """The pointer of the one fact or item that a finding rests on, if it is one."""
    facts = _deciding(report, result)
    if len({_item(fact) for fact in facts}) != 1:
        return None
    parts = [from_pointer(fact.pointer) or () for fact in facts]
    shared = itertools.takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False))
    return to_pointer([level[0] for level in shared]) or None


def _with_waivers(report: AuditReport, taken: dict[str, Waiver], findings: list[WaiverFinding]) -> AuditReport:
    without = rescore(report, {})
    waived_rules = [result.rule.id for result in report.results if result.rule.id in taken]
    with_ = rescore(report, dict.fromkeys(waived_rules)) if waived_rules else without
    results = tuple(
        result.model_copy(update={"waived": taken.get(result.rule.id), "points": with_.mends.get(result.rule.id)})
        for result in report.results
    )
    missing = [fact.model_copy(update={"narrows": with_.narrowing.get(fact.name, 0.0)}) for fact in report.missing]
    return report.model_copy(
        update={
            "score": with_.score,
            "packs": with_.packs,
            "score_without_waivers": without.score,
            "waiver_findings": tuple(findings),
            "results": results,
            "patterns": tuple(one.model_copy(update={"waived": taken.get(one.id)}) for one in report.patterns),
            "missing": tuple(sorted(missing, key=lambda fact: (-fact.narrows, fact.name))),
        }
    )
