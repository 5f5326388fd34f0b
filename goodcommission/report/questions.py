"""The questions that only a person can answer, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goodcommission.packs.model import Pack, Question
from goodcommission.report.citing import cite
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page
from goodcommission.report.wording import count


def questions_text(packs: Sequence[Pack], width: int, colour: bool) -> str:
    """The questions that only a person can answer."""
    page = Page(width, [])
    for pack in packs:
        if pack.questions:
            page.heading(f"{neutral(pack.title)} ({pack.id})")
        for one in pack.questions:
            page.labelled(one.id, f"{one.severity:<8}{neutral(one.asks)}", at=10, styles=("bold", ""))
    return page.text(colour=colour)


def questions_data(packs: Sequence[Pack]) -> list[dict[str, Any]]:
    """The questions as plain values."""
    return [question_data(pack, one) for pack in packs for one in pack.questions]


def question_data(pack: Pack, one: Question) -> dict[str, Any]:
    """One question as it is written, with the citations in words."""
    citations = [str(cite(citation, pack.sources[citation.source])) for citation in one.sources]
    return {"pack": pack.id, **one.model_dump(mode="json"), "citations": citations}


def question_text(pack: Pack, one: Question, width: int, colour: bool) -> str:
    """One question in full."""
    page = Page(width, [])
    page.say(f"{one.id}  {neutral(one.title)}", style="bold")
    page.say(f"Pack {pack.id}; {one.severity} severity; a person answers it.", style="dim")
    kinds = ", ".join(kind.replace("_", " ") for kind in one.applies_to)
    months = count(one.good_for_months, "month")
    for label, text in (
        ("Asks", one.asks),
        ("Asked of", kinds),
        ("Yes", f"{one.title}."),
        ("No", one.finding),
        ("Why", one.why),
        ("Remedy", one.remedy),
        (
            "Answer",
            f"Signed with name and day, in a file (--answers FILE). It is shown as old after {months}.",
        ),
        *(("Source", str(cite(citation, pack.sources[citation.source]))) for citation in one.sources),
    ):
        page.labelled(label, neutral(text), at=11)
    return page.text(colour=colour)
