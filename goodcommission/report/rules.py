"""Rules, patterns and packs as text: what is asked, why, with which numbers, and who says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from goodcommission.auditing import cite
from goodcommission.packs.compiling import LoadedPack
from goodcommission.packs.model import Let, Match, Pack, Parameter, Pattern, Rule
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page
from goodcommission.report.wording import count, listed

_AT: Final = 14
_KINDS: Final = {"tender": "tenders", "contract": "contracts", "decommissioning_plan": "decommissioning plans"}
_SIZES: Final = {"small": "of any size", "medium": "of medium size and above", "large": "that are large"}
_PARAMETER: Final = re.compile(r"params\.([a-z][a-z0-9_]*)")
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


def _packs(loaded: Iterable[LoadedPack]) -> list[Pack]:
    """The packs without the definitions; those of combined findings last, as they build on the others."""
    return sorted((one.pack for one in loaded if one.pack.pack), key=lambda pack: not pack.rules)


def _parts(pack: Pack) -> list[Rule | Pattern]:
    return [*pack.rules, *pack.patterns]


def packs_text(loaded: Iterable[LoadedPack], width: int, colour: bool) -> str:
    """All packs, one paragraph each."""
    page = Page(width, [])
    for pack in _packs(loaded):
        page.blank()
        page.say(f"{pack.id} {pack.version}", style="bold")
        held = [count(len(pack.rules), "rule")] if pack.rules else []
        held += [count(len(pack.patterns), "combined finding")] if pack.patterns else []
        page.say(f"{neutral(pack.title)}: {listed(held)}", "  ")
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
            "digest": one.digest,
            "rules": len(one.pack.rules),
            "patterns": len(one.pack.patterns),
        }
        for one in loaded
        if one.pack.pack
    ]


def rules_text(loaded: Iterable[LoadedPack], width: int, colour: bool) -> str:
    """All rules and combined findings by pack, one line each."""
    page = Page(width, [])
    for pack in _packs(loaded):
        page.heading(f"{neutral(pack.title)} ({pack.id})")
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
            found.append({"pack": pack.id, **{key: plain[key] for key in keys if key in plain}})
    return found


def find(loaded: Sequence[LoadedPack], id: str) -> tuple[Pack, Rule | Pattern] | None:
    """The rule or pattern with this id, and its pack."""
    for pack in _packs(loaded):
        for part in _parts(pack):
            if part.id == id.upper():
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


def rule_text(loaded: Sequence[LoadedPack], pack: Pack, part: Rule | Pattern, width: int, colour: bool) -> str:
    """One rule or pattern in full."""
    page = Page(width, [])
    page.say(f"{part.id} {neutral(part.title)}", style="bold")
    page.labelled("Pack", f"{neutral(pack.title)} ({pack.id} {pack.version})", at=_AT)
    if isinstance(part, Rule):
        _rule(page, part)
    else:
        page.labelled("Severity", part.severity, at=_AT)
        page.labelled("Concludes", part.concludes, at=_AT)
    page.heading("Why")
    page.say(neutral(part.why), "  ")
    if part.remedy:
        page.heading("What to do")
        page.say(neutral(part.remedy), "  ")
    page.heading("How it is decided")
    lets = {**{name: let for other in loaded for name, let in other.pack.let.items()}, **pack.let, **part.let}
    written = _decision(page, part)
    used = _lets(written, lets)
    if used:
        page.blank()
        page.say("where", "  ", "dim")
        for name, let in used.items():
            page.say(f"{name} = {' '.join(let.is_.split())}", "    ")
    _numbers(page, loaded, pack, [*written, part.remedy or "", *(let.is_ for let in used.values())])
    page.heading("Sources")
    for citation in part.sources:
        page.labelled("-", neutral(str(cite(citation, pack.sources[citation.source]))), at=4)
    return page.text(colour=colour)


def _rule(page: Page, rule: Rule) -> None:
    page.labelled("Asks", neutral(rule.asks), at=_AT)
    kinds = listed([_KINDS[kind] for kind in rule.applies_to])
    page.labelled("Asked of", f"{kinds} {_SIZES[rule.tier]}, from the stage “{rule.due_from}” on", at=_AT)
    page.labelled("Severity", rule.severity, at=_AT)
    page.labelled("Standing", rule.strength.replace("-", " "), at=_AT)
    measured = "the text states the thing tested" if rule.kind == "direct" else "our measure of it"
    page.labelled("Kind", f"{rule.kind}: {measured}", at=_AT)
    if rule.group:
        page.labelled("Group", f"{rule.group}: counted once with the other rules of the group", at=_AT)
    if rule.same_fault_as:
        page.labelled("Same fault", listed(rule.same_fault_as), at=_AT)
    if not rule.scored:
        page.labelled("Score", "shown, not counted", at=_AT)


def _decision(page: Page, part: Rule | Pattern) -> list[str]:
    """Write what decides, and give the conditions and texts that were written."""
    written: list[str] = []

    def line(label: str, text: str, *, note: str | None = None) -> None:
        page.labelled(label, " ".join(text.split()), at=_AT)
        written.append(text)
        if note:
            page.labelled("", f"“{neutral(note)}”", at=_AT, styles=("", "dim"))
            written.append(note)

    if part.when:
        line("Applies if", part.when)
    if isinstance(part, Rule):
        if part.planned:
            line("Planned if", part.planned)
        if part.require:
            line("Met if", part.require)
            line("Else", "not met", note=part.finding)
        for branch in part.decide or ():
            if branch.pass_ is not None:
                line("Met if", branch.pass_)
            else:
                line("Not met if", branch.fail or "", note=branch.finding)
        written.extend(note.when + note.text for note in part.notes)
        return written

    def matches(label: str, of: Sequence[Match], lead: str = "") -> None:
        if of:
            page.labelled(label, lead + ", ".join(_match(match) for match in of), at=_AT)

    matches("All of", part.all_of)
    matches("Any of", part.any_of)
    if part.at_least:
        matches("At least", part.at_least.of, f"{part.at_least.count} of: ")
    matches("Unless", part.unless)
    matches("Raised by", part.raised_by)
    matches("Lowered by", part.lowered_by)
    return written


def _match(match: Match) -> str:
    if match.verdict is None:
        return match.conclusion or ""
    verdict = {"pass": "met", "fail": "not met", "not_applicable": "does not apply"}[match.verdict]
    return f"{match.rule or f'group {match.group}'} {verdict}"


def _lets(written: Sequence[str], lets: dict[str, Let]) -> dict[str, Let]:
    """The lets that these texts use, and those that they use in turn."""
    used: dict[str, Let] = {}
    queue = list(written)
    while queue:
        for name in _WORD.findall(queue.pop()):
            if name in lets and name not in used:
                used[name] = lets[name]
                queue.append(lets[name].is_)
    return {name: let for name, let in lets.items() if name in used}


def _numbers(page: Page, loaded: Sequence[LoadedPack], pack: Pack, written: Sequence[str]) -> None:
    known: dict[str, Parameter] = {}
    for other in loaded:
        if other.pack.id in pack.uses:
            known |= other.pack.parameters
    known |= pack.parameters
    names = [name for name in known if any(name in _PARAMETER.findall(text) for text in written)]
    if names:
        page.heading("Its numbers")
    for name in names:
        parameter = known[name]
        page.say(f"{name} = {_value(parameter)} ({parameter.basis})", "  ")
        page.say(neutral(parameter.why), "    ", "dim")


def _value(parameter: Parameter) -> str:
    unit = f" {parameter.unit}" if parameter.unit else ""
    if parameter.bands:
        steps = [
            f"{band.is_:,g} below {band.below:,.0f}" if band.below is not None else f"{band.is_:,g} from there on"
            for band in parameter.bands
        ]
        return ", ".join(steps) + (f" (in {parameter.unit})" if parameter.unit else "")
    value = parameter.value
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:,.10g}" if isinstance(value, float) else str(value)
    ) + unit
