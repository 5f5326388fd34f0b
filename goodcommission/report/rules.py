"""Rules, patterns and packs as text: what is asked, why, with which numbers, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from goodcommission.packs.compiling import LoadedPack
from goodcommission.packs.model import Pack, Pattern, Rule
from goodcommission.report.citing import cite
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page
from goodcommission.report.wording import count, how_tested, listed


def _packs(loaded: Iterable[LoadedPack]) -> list[Pack]:
    """The packs without the definitions; those of combined findings last, as they build on the others."""
    return sorted((one.pack for one in loaded if one.pack.pack), key=lambda pack: not pack.rules)


def _parts(pack: Pack) -> list[Rule | Pattern]:
    return [*pack.rules, *pack.patterns]


def packs_text(loaded: Iterable[LoadedPack], width: int, colour: bool) -> str:
    """All packs, one paragraph each."""
    page = Page(width, [])
    loaded = tuple(loaded)
    grades = {one.pack.id: one.grade for one in loaded}
    for pack in _packs(loaded):
        page.blank()
        page.say(f"{pack.id} {pack.version}", style="bold")
        held = [count(len(pack.rules), "rule")] if pack.rules else []
        held += [count(len(pack.patterns), "combined finding")] if pack.patterns else []
        law = "; law, which is told apart and never enters the score" if pack.kind == "law" else ""
        page.say(f"{neutral(pack.title)}: {listed(held)}{law}", "  ")
        if pack.rules:
            page.say(how_tested(grades[pack.id]), "  ")
        if pack.about:
            page.say(neutral(pack.about), "  ")
    return page.text(colour=colour)


def packs_data(loaded: Iterable[LoadedPack]) -> list[dict[str, Any]]:
    """All packs as plain values."""
    return [
        {
            "id": one.pack.id,
            "version": one.pack.version,
            "title": one.pack.title,
            "about": one.pack.about,
            "law": one.pack.kind == "law",
            "digest": one.digest,
            "rules": len(one.pack.rules),
            "patterns": len(one.pack.patterns),
            "grade": one.grade and one.grade.model_dump(mode="json"),
        }
        for one in loaded
        if one.pack.pack
    ]


def rules_text(loaded: Iterable[LoadedPack], width: int, colour: bool) -> str:
    """All rules and combined findings by pack, one line each."""
    page = Page(width, [])
    for pack in _packs(loaded):
        page.heading(f"{neutral(pack.title)} ({pack.id}{'; law' if pack.kind == 'law' else ''})")
        for rule in pack.rules:
            page.labelled(rule.id, f"{rule.severity:<8}{neutral(rule.title)}", at=10, styles=("bold", ""))
        for pattern in pack.patterns:
            page.labelled(pattern.id, f"{pattern.severity:<10}{neutral(pattern.title)}", at=10, styles=("bold", ""))
    return page.text(colour=colour)


def rules_data(loaded: Iterable[LoadedPack]) -> list[dict[str, Any]]:
    """All rules and combined findings as plain values, without their conditions."""
    keys = (
        "id",
        "title",
        "asks",
        "phase",
        "applies_to",
        "due_from",
        "tier",
        "level",
        "severity",
        "strength",
        "kind",
        "group",
        "scored",
        "concludes",
        "why",
        "remedy",
    )
    found = []
    for pack in _packs(loaded):
        for part in _parts(pack):
            plain = part.model_dump(mode="json", by_alias=True)
            found.append(
                {"pack": pack.id, "law": pack.kind == "law", **{key: plain[key] for key in keys if key in plain}}
            )
    return found


def find(loaded: Sequence[LoadedPack], id: str) -> tuple[Pack, Rule | Pattern] | None:
    """The rule or pattern with this id, or that had it before, and its pack."""
    for pack in _packs(loaded):
        for part in _parts(pack):
            if id.upper() in (part.id, *part.aliases):
                return pack, part
    return None


def ids(loaded: Iterable[LoadedPack]) -> list[str]:
    """The ids of all rules and patterns."""
    return [part.id for pack in _packs(loaded) for part in _parts(pack)]


def rule_data(pack: Pack, part: Rule | Pattern) -> dict[str, Any]:
    """One rule or pattern as it is written, without its cases, with the citations in words."""
    plain: dict[str, Any] = part.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"cases"})
    citations = [str(cite(citation, pack.sources[citation.source])) for citation in part.sources]
    return {"pack": pack.id, **plain, "citations": citations}
