"""The rules on the web: packs, rules, combined findings, questions for a person, coverage, sources; with a search."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup, escape

from goodcommission.description.kinds import KINDS_OF_SEVERAL
from goodcommission.packs.compiling import LoadedPack, Packs
from goodcommission.packs.coverage import Became, Coverage, read_coverage
from goodcommission.packs.model import Citation, Pack, Pattern, Question, Rule
from goodcommission.report.citing import cite
from goodcommission.report.rule_pages import RulePage, rule_page
from goodcommission.report.rules import find
from goodcommission.report.wording import how_tested, listed
from goodcommission.web.api import service, worked
from goodcommission.web.pages import page
from goodcommission.web.problems import ProblemError

Part = Rule | Pattern | Question

_LONGEST: Final = 200
"""Characters of a search."""
_ID: Final = re.compile(r"\b[A-Z]{1,6}-[0-9]{2,4}\b")
_BECAME: Final[Mapping[str, str]] = {
    "checked": "Checked by a rule",
    "manual": "For a person to answer",
    "gap": "Not checked",
}
router: Final = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


class Listed(NamedTuple):
    """One entry of the list of rules."""

    id: str
    title: str
    tag: str
    severity: str
    note: str = ""
    """What it is, if it is no rule."""


class Group(NamedTuple):
    """A pack with those of its parts that were looked for."""

    pack: Pack
    parts: tuple[Listed, ...]


@router.get("/rules")
async def rules(
    request: Request, q: str = "", pack: str = "", severity: str = "", source: str = "", kind: str = ""
) -> Response:
    """All rules, combined findings and questions for a person, or those that fit."""
    used = service(request).packs
    words = q[:_LONGEST].lower().split()
    groups = []
    for held in _shown(used):
        fitting = tuple(
            _listed(part)
            for part in _parts(held)
            if severity in ("", part.severity)
            and (not source or any(one.source == source for one in part.sources))
            and (not kind or (isinstance(part, Rule | Question) and kind in part.applies_to))
            and _fits(used, part.id, words)
        )
        if fitting and pack in ("", held.id):
            groups.append(Group(held, fitting))
    works = {id: work.title for held in _shown(used) for id, work in _cited(held).items()}
    return page(
        "rules.html.j2",
        request,
        groups=groups,
        packs=_shown(used),
        works=sorted(works.items(), key=lambda item: item[1].lower()),
        kinds=KINDS_OF_SEVERAL,
        q=q[:_LONGEST],
        chosen={"pack": pack, "severity": severity, "source": source, "kind": kind},
        found=sum(len(group.parts) for group in groups),
    )


@router.get("/rules/{id}")
async def rule(request: Request, id: str) -> Response:
    """One rule, combined finding or question for a person in full."""
    used = service(request).packs
    found = find(used.packs, id)
    if found is None:
        return _question(request, used, id)
    pack, part = found
    if part.id != id:
        return RedirectResponse(f"/rules/{part.id}", 308)
    shown: RulePage = await worked(request, lambda: rule_page(used, pack, part))
    combined = [one.pattern for one in used.patterns if any(match.rule == part.id for match in _matches(one.pattern))]
    return page(
        "rule.html.j2",
        request,
        rule=shown,
        citations=_citations(pack, part.sources),
        combined=combined,
        linked=_linker(used, part.id),
    )


def _question(request: Request, used: Packs, id: str) -> Response:
    held = next(((pack, one) for pack in _shown(used) for one in pack.questions if one.id == id.upper()), None)
    if held is None:
        raise ProblemError(404, f"There is no rule “{id[:40]}”. Search for it among the rules.")
    pack, one = held
    if one.id != id:
        return RedirectResponse(f"/rules/{one.id}", 308)
    kinds = listed([KINDS_OF_SEVERAL[kind] for kind in one.applies_to])
    return page(
        "question.html.j2", request, question=one, pack=pack, kinds=kinds, citations=_citations(pack, one.sources)
    )


@router.get("/packs")
async def packs(request: Request) -> Response:
    """The packs: what each asks, of whom, on which sources, and how well it is tested."""
    held = [(loaded, _about(loaded)) for loaded in _loaded(service(request).packs)]
    return page("packs.html.j2", request, packs=held)


@router.get("/coverage")
async def coverage(request: Request, became: str = "") -> Response:
    """What each source recommends, which rules check it, what is for a person and what nothing checks."""
    if became not in ("", *get_args(Became)):
        raise ProblemError(422, "What became of it is checked, manual or gap.")
    used = service(request).packs
    table = _coverage()
    rows = []
    for id, source in table.sources.items():
        entries = [one for one in source.entries if became in ("", one.became)]
        rows.append({"id": id, "source": source, "entries": entries})
    numbers = {name: sum(source.number(name) for source in table.sources.values()) for name in get_args(Became)}
    known = _known(used)
    return page(
        "coverage.html.j2",
        request,
        rows=rows,
        numbers=numbers,
        all=sum(numbers.values()),
        became=became,
        labels=_BECAME,
        known=known,
    )


@router.get("/sources")
async def sources(request: Request) -> Response:
    """The works that the rules rest on, with what cites each."""
    works: dict[str, dict[str, Any]] = {}
    for held in _shown(service(request).packs):
        for part in _parts(held):
            for citation in part.sources:
                work = works.setdefault(citation.source, {"work": held.sources[citation.source], "rules": {}})
                work["rules"].setdefault(part.id, part.title)
    order = sorted(works.items(), key=lambda item: -len(item[1]["rules"]))
    return page("sources.html.j2", request, works=order, covered=frozenset(_coverage().sources))


# --- What is shown of a pack ---------------------------------------------------------------------------------------


def _loaded(packs: Packs) -> list[LoadedPack]:
    """The packs without the definitions; those of combined findings last, as they build on the others."""
    return sorted((one for one in packs.packs if one.pack.pack), key=lambda one: not one.pack.rules)


def _shown(packs: Packs) -> list[Pack]:
    return [one.pack for one in _loaded(packs)]


def _parts(pack: Pack) -> list[Part]:
    return [*pack.rules, *pack.patterns, *pack.questions]


def _listed(part: Part) -> Listed:
    tag = "Strength" if part.severity == "positive" else part.severity.capitalize()
    if isinstance(part, Question):
        return Listed(part.id, part.asks, tag, part.severity, "a person answers it")
    return Listed(part.id, part.title, tag, part.severity)


def _cited(pack: Pack) -> dict[str, Any]:
    """The works that the parts of a pack cite."""
    ids = dict.fromkeys(citation.source for part in _parts(pack) for citation in part.sources)
    return {id: pack.sources[id] for id in ids}


def _about(loaded: LoadedPack) -> dict[str, Any]:
    pack = loaded.pack
    asked: list[Rule | Question] = [*pack.rules, *pack.questions]
    kinds = {kind for part in asked for kind in part.applies_to}
    return {
        "kinds": listed([name for kind, name in KINDS_OF_SEVERAL.items() if kind in kinds]),
        "tested": how_tested(loaded.grade) if pack.rules else None,
        "works": _cited(pack),
    }


@lru_cache(maxsize=2048)
def _text(packs: Packs, id: str) -> str:
    """All that a search looks through, of one part: its words, and the works that it rests on."""
    pack, part = next((pack, part) for pack in _shown(packs) for part in _parts(pack) if part.id == id)
    works = [pack.sources[one.source] for one in part.sources]
    held = [part.id, part.title, pack.title, part.why, part.remedy or ""]
    held += [part.concludes] if isinstance(part, Pattern) else [part.asks]
    held += [] if isinstance(part, Question) else part.aliases
    held += [str(text) for work in works for text in (work.title, work.author, work.publisher, work.year) if text]
    return " ".join((*held, *(one.provision or "" for one in part.sources))).lower()


def _fits(packs: Packs, id: str, words: Sequence[str]) -> bool:
    held = _text(packs, id)
    return all(word in held for word in words)


def _citations(pack: Pack, citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [{"id": one.source, "cited": cite(one, pack.sources[one.source])} for one in citations]


def _matches(pattern: Pattern) -> Iterator[Any]:
    yield from (*pattern.all_of, *pattern.any_of, *pattern.unless, *pattern.raised_by, *pattern.lowered_by)
    if pattern.at_least:
        yield from pattern.at_least.of


@lru_cache(maxsize=8)
def _known(packs: Packs) -> frozenset[str]:
    return frozenset(part.id for pack in _shown(packs) for part in _parts(pack))


def _linker(packs: Packs, own: str) -> Any:
    """A function that makes links of the ids of other rules in a text."""
    known = _known(packs)

    def linked(text: str) -> Markup:
        parts: list[Markup] = []
        at = 0
        for found in _ID.finditer(text):
            if found.group() in known and found.group() != own:
                link = Markup('<a href="/rules/{0}">{0}</a>').format(found.group())
                parts += [escape(text[at : found.start()]), link]
                at = found.end()
        return Markup().join((*parts, escape(text[at:])))

    return linked


@lru_cache(maxsize=1)
def _coverage() -> Coverage:
    return read_coverage()
