"""The report as Markdown: a comment on a pull request, short at first sight, with what is behind it folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.report.findings import Entry, entries, headline, standing
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import (
    FIRST_TO_STATE,
    HOW_TESTED,
    NOT_ADVICE,
    View,
    capital,
    count,
    law_counts,
    listed,
    question,
    regime_words,
    score_words,
    tested_words,
    unanswered,
    what_for,
)

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

MOST: Final = 60_000
"""Characters; GitHub refuses a comment of more than 65,536."""
_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>|~$&#]")
_CALLING: Final = re.compile(r"(?:[!%]|&#(?:35|36|38|126);)(?=\w)")
"""What, before a word, refers to something on GitHub or GitLab: # ! ~ $ % &."""
_LINKING: Final = re.compile(r"(?i)(:)(?=//)|(www)(?=\.)|(mailto|xmpp|tel)(?=:)")
_SPLIT: Final = "<!-- -->"
"""Shows nothing, and keeps what it parts from being taken together."""
_MARKS: Final = {"high": "🔴 high", "medium": "🟠 medium", "low": "🟡 low"}


def escaped(text: str) -> str:
    """A text that shows as it is: no markup, no link, nobody called, nothing referred to."""
    shown = _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", neutral(text).replace("@", "\x00"))
    shown = _LINKING.sub(lambda match: match.group() + _SPLIT, shown)
    shown = shown.replace("\x00", f"@{_SPLIT}")
    return _CALLING.sub(lambda match: match.group() + _SPLIT, shown)


def render(reports: Sequence[AuditReport]) -> str:
    """Reports as one comment; if it were too long, the details are left out, then the tables."""
    text = ""
    for depth in (2, 1, 0):
        text = ""
        for line in _page(reports, depth):
            text += f"{line}\n"
            if len(text) > MOST:
                break
        else:
            return text
    return text[:MOST].rpartition("\n")[0] + "\n"


def _page(reports: Sequence[AuditReport], depth: int) -> Iterator[str]:
    if len(reports) > 1:
        found = sum(one.stands for report in reports for one in report.results)
        found += sum(one.stands for report in reports for one in report.patterns)
        found += sum(len(report.waiver_findings) for report in reports)
        yield f"## goodcommission: {count(len(reports), 'document')}, {count(found, 'finding')}"
        yield ""
    if depth == 0:
        yield from (f"- {escaped(headline(report))}" for report in reports)
        yield ""
    else:
        for report in reports:
            yield from _document(report, "###" if len(reports) > 1 else "##", details=depth == 2)
    if depth < 2:
        yield "_There is no room for more in a comment; the whole report is in the other formats._"
        yield ""
    yield "<sub>The rules describe good practice; this is not legal advice. " + _made_by(reports) + "</sub>"


def _made_by(reports: Sequence[AuditReport]) -> str:
    packs = {pack.id: pack for report in reports for pack in report.packs}
    graded = "; ".join(f"{escaped(pack.title)} {tested_words(pack.grade)}" for pack in packs.values())
    tested = f" {HOW_TESTED}: {graded}." if graded else ""
    made = f"goodcommission {escaped(reports[0].goodcommission)}, packs {escaped(reports[0].packs_digest[:19])}."
    return made + tested


def _document(report: AuditReport, mark: str, *, details: bool) -> Iterator[str]:
    document = report.document
    yield f"{mark} {escaped(document.title or document.id or document.name)}"
    yield ""
    findings = [one for one in standing(report) if not one.law]
    yield f"**{escaped(capital(headline(report).removeprefix(f'{neutral(document.name)}: ')))}**"
    yield ""
    if report.case:
        yield f"Documents {listed([_code(one.name) for one in report.case.documents])}, {_judged(report)}."
    else:
        yield f"File {_code(document.name)}, {_judged(report)}."
    yield from (f"{escaped(cap)}" for cap in report.score.caps)
    if report.score_without_waivers is not None:
        yield f"Without the waivers: {escaped(score_words(report.score_without_waivers))}."
    yield ""
    if findings:
        yield "| severity | rule | finding | place |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(one) for one in findings)
        yield ""
    of_law = [one for one in standing(report) if one.law]
    yield from _law(report, of_law)
    if not details:
        return
    findings += of_law
    if findings:
        yield from _folded("Why, and what to do", (line for one in findings for line in _finding(one)))
    excused = [one for one in entries(report) if one.excused]
    if excused:
        lines = (f"- **{escaped(one.id)}** {escaped(one.message)} {escaped(one.excused or '')}" for one in excused)
        yield from _folded(f"{count(len(excused), 'finding')} waived or known before", lines)
    if report.missing:
        yield from _folded("State these first", _missing(report))
    if left := unanswered(report):
        asked = (f"- **{escaped(one.id)}** {escaped(one.asks)}" for one in left)
        yield from _folded(f"For a person to answer: {count(len(left), 'question')}", asked)


def _law(report: AuditReport, findings: Sequence[Entry]) -> Iterator[str]:
    """Law, apart from practice."""
    if not report.laws:
        return
    yield f"**Law, apart from practice.** {escaped(NOT_ADVICE)} Run under: {escaped(regime_words(report))}."
    yield ""
    for one in report.laws:
        if one.may_not_meet or one.met or one.not_settled or one.not_yet_due:
            yield f"- {escaped(one.title)}: {law_counts(one)}"
    yield ""
    if findings:
        yield "| severity | rule | what may not be met | place |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(one) for one in findings)
        yield ""


def _judged(report: AuditReport) -> str:
    practice = [result for result in report.results if not result.rule.law]
    met = sum(result.verdict == "pass" for result in practice)
    unknown = sum(result.verdict == "unknown" for result in practice)
    day = f" as at {escaped(report.as_of)}" if report.as_of else ""
    evidenced = f" ({report.score.evidenced} on evidence)" if met else ""
    required = "; evidence was required" if report.require_evidence else ""
    return f"audited{day}: {count(met, 'rule')} met{evidenced}, {unknown} not evidenced{required}"


def _row(one: Entry) -> str:
    place = one.places[0] if one.places else None
    where = _code(":".join(str(part) for part in (place.file, place.line, place.column) if part)) if place else ""
    mark = _MARKS[one.severity] if one.weighs else "not counted"
    return f"| {mark} | {escaped(one.id)} | {escaped(one.message)} | {where} |"


def _finding(one: Entry) -> Iterator[str]:
    yield f"**{escaped(one.id)}: {escaped(one.title)}**"
    yield ""
    for line in one.details:
        label, _, text = line.partition(": ")
        yield f"- {label}: {escaped(text)}"
    yield ""


def _missing(report: AuditReport) -> Iterator[str]:
    view = View(report, report.document.name)
    for number, fact in enumerate(view.asked[:FIRST_TO_STATE], 1):
        yield f"{number}. {escaped(question(view, fact))}<br>{_code(fact.name)}{escaped(what_for(fact))}"
    if len(view.asked) > FIRST_TO_STATE:
        yield ""
        yield f"{count(len(view.asked) - FIRST_TO_STATE, 'more fact')} would help."


def _folded(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"
    yield ""


def _code(text: str) -> str:
    """A name in the type of code, with whatever characters it has."""
    return f"<code>{escaped(text)}</code>"
