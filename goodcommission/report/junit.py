"""The report as JUnit XML: a suite for each document and pack, a test for each rule that is asked.

Not met is a failure; not evidenced, not yet due, waived and known before are skipped, with the reason. A rule that
does not apply is no test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.report.findings import CONTRADICTIONS, WAIVERS, Entry, entries
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import number

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(reports: Sequence[AuditReport]) -> str:
    """Reports as one ``testsuites`` element, as the schema of Jenkins' xUnit plugin has it."""
    suites: list[str] = []
    totals = [0, 0]
    for report in reports:
        found = [one for one in entries(report) if one.status != "elsewhere"]
        titles = {pack.id: pack.title for pack in report.packs} | {WAIVERS: "Waivers", CONTRADICTIONS: "Contradictions"}
        titles |= {one.id: f"Law (not legal advice): {one.title}" for one in report.laws}
        for pack in dict.fromkeys(one.pack for one in found):
            of_it = [one for one in found if one.pack == pack]
            failing = [one for one in of_it if _fails(one)]
            totals[0] += len(of_it)
            totals[1] += len(failing)
            suites += _suite(report, pack, titles.get(pack, pack.replace("-", " ")), of_it, len(failing))
    head = f'<testsuites name="goodcommission" tests="{totals[0]}" failures="{totals[1]}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(report: AuditReport, pack: str, title: str, of_it: Sequence[Entry], failures: int) -> Iterable[str]:
    name = f"{report.document.name}: {title}"
    skipped = sum(_skipped(one) is not None for one in of_it)
    yield (
        f'  <testsuite name="{_xml(name)}" package="{_xml(pack)}" tests="{len(of_it)}" failures="{failures}" '
        f'errors="0" skipped="{skipped}">'
    )
    yield "    <properties>"
    score = report.score
    for key, value in (
        ("document", report.document.name),
        ("digest", report.document.digest),
        ("as of", report.as_of or "unknown"),
        ("score of the document", "none" if score.score is None else number(score.score)),
        ("grade of the document", score.grade),
    ):
        yield f'      <property name="{key}" value="{_xml(value)}"/>'
    yield "    </properties>"
    for one in of_it:
        yield from _case(report, one)
    yield "  </testsuite>"


def _case(report: AuditReport, one: Entry) -> Iterable[str]:
    # CI servers cut a class name at its dots into packages.
    stem = re.sub(r"\W+", "_", re.split(r"[/\\]", report.document.name)[-1]).strip("_") or "document"
    test = f'    <testcase classname="{_xml(f"{stem}.{one.pack}")}" name="{_xml(f"{one.id}: {one.title}")}"'
    reason = _skipped(one)
    if _fails(one):
        yield f"{test}>"
        body = "\n".join([f"{one.message} ({one.severity} severity)", *one.details])
        yield f'      <failure type="{_xml(one.severity)}" message="{_xml(one.message)}">{_xml(body)}</failure>'
        yield "    </testcase>"
    elif reason is not None:
        yield f"{test}>"
        yield f'      <skipped message="{_xml(reason)}"/>'
        yield "    </testcase>"
    else:
        yield f"{test}/>"


def _fails(one: Entry) -> bool:
    return one.status == "finding" and one.excused is None and one.weighs


def _skipped(one: Entry) -> str | None:
    if one.status == "finding":
        if one.excused:
            return f"{one.message} {one.excused}"
        return None if one.weighs else f"{one.message} This is shown, and not counted in the score."
    return one.message if one.status in ("open", "later") else None


def _xml(text: str) -> str:
    """A text as XML may hold it: nothing in it is markup, and there is no character that XML forbids."""
    lines = "\n".join(neutral(line) for line in text.split("\n"))
    lines = _NOT_XML.sub("?", lines)
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        lines = lines.replace(character, f"&{name};")
    return lines
