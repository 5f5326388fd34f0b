"""How well packs are tested, as text and as plain values: each mistake that no case notices, with one that would."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from goodcommission.description.writing import one_line
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page
from goodcommission.report.wording import count, how_tested

if TYPE_CHECKING:
    from goodcommission.packs.grading import Equivalent, GradedPack, Survivor

_IN_A_PACK = "      - "
"""A case as it stands in a pack, to be pasted."""


def grades_text(graded: Iterable[GradedPack], width: int, colour: bool) -> str:
    """Each pack's grade, and what its cases leave open."""
    page = Page(width, [])
    for one in graded:
        page.heading(f"{neutral(one.title)} ({one.pack})")
        if one.grade is not None:
            page.say(how_tested(one.grade))
            if one.grade.equivalents:
                page.say(f"{count(one.grade.equivalents, 'more mistake')} changed no verdict that was tried.")
        elif not one.skipped:
            page.say("It has nothing that can be graded.")
        if one.skipped:
            page.say(f"Not graded, as their cases do not come out as they expect: {', '.join(one.skipped)}.")
        offered: set[str] = set()
        for survivor in one.survivors:
            _survivor(page, survivor, offered)
        for fault in one.warnings:
            page.blank()
            page.say(f"{fault.file}:{fault.line}: {fault.message}. {fault.suggestion or ''}".strip())
    return page.text(colour=colour)


def _survivor(page: Page, one: Survivor, offered: set[str]) -> None:
    page.blank()
    page.say(f"{one.file}:{one.line}: {one.rule}", style="bold")
    page.say(f"Misread: {one.said}", "  ")
    page.say(f"As it is: {one.as_it_is}. Misread: {one.misread}.", "  ")
    case = one_line(one.case)
    if case in offered:
        page.say(f"The case “{one.case['name']}”, offered above, notices it as well.", "  ")
    elif one.is_there:
        more = {name: value for name, value in one.case.items() if name not in ("name", "expect", "tier", "as_of")}
        page.say(f"The case “{one.case['name']}” would notice it with:", "  ")
        page.lines.append(((f"        {one_line(more)[1:-1]}", ""),))
    else:
        page.say("No case notices it. This one would:", "  ")
        page.lines.append(((_IN_A_PACK + case, ""),))
        if not one.mended:
            page.say("The rule needs a `mend` that makes this case pass.", "  ")
    offered.add(case)


def grades_data(graded: Sequence[GradedPack]) -> list[dict[str, Any]]:
    """Each pack's grade, and what its cases leave open, as plain values."""
    return [
        {
            "pack": one.pack,
            "grade": one.grade and one.grade.model_dump(mode="json"),
            "survivors": [
                {
                    **_mistake(survivor),
                    "as_it_is": survivor.as_it_is,
                    "misread": survivor.misread,
                    "case": survivor.case,
                    "case_is_there": survivor.is_there,
                    "mended": survivor.mended,
                }
                for survivor in one.survivors
            ],
            "equivalents": [_mistake(equivalent) for equivalent in one.equivalents],
            "skipped": list(one.skipped),
            "warnings": [
                {"file": fault.file, "line": fault.line, "message": fault.message, "suggestion": fault.suggestion}
                for fault in one.warnings
            ],
        }
        for one in graded
    ]


def _mistake(one: Survivor | Equivalent) -> dict[str, Any]:
    return {"rule": one.rule, "file": one.file, "line": one.line, "mistake": one.said}
