"""The table of what the rules check of the sources."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from goodcommission.packs.coverage import Coverage, CoveredSource, Entry
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page

_COLUMNS: Final = ("source", "entries", "checked", "person", "gap", "share")


def _share(source: CoveredSource) -> str:
    return f"{100 * source.number('checked') / len(source.entries):.0f}%"


def _numbers(source: CoveredSource) -> tuple[str, ...]:
    numbers = (len(source.entries), source.number("checked"), source.number("manual"), source.number("gap"))
    return (*map(str, numbers), _share(source))


def _all(coverage: Coverage) -> CoveredSource:
    entries = tuple(one for source in coverage.sources.values() for one in source.entries)
    return CoveredSource(title="all", counted="all", kinds={}, entries=entries)


def _became(one: Entry) -> str:
    if one.gap is not None:
        return f"gap: {one.gap}"
    parts = [f"checked by {', '.join(one.rules)}"] if one.rules else []
    return "; ".join([*parts, *([f"a person answers {', '.join(one.manual)}"] if one.manual else [])])


def summary_text(coverage: Coverage) -> str:
    """One line a source, and one for all."""
    rows = [_COLUMNS, *((source.title, *_numbers(source)) for source in coverage.sources.values())]
    rows.append(("all", *_numbers(_all(coverage))))
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    lines = ([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in rows)
    return "".join("  ".join(line) + "\n" for line in lines)


def coverage_text(coverage: Coverage, width: int, colour: bool) -> str:
    """The whole table as text."""
    page = Page(width, [])
    for id, source in coverage.sources.items():
        page.heading(f"{neutral(source.title)} ({id})")
        entries, checked, manual, gap, share = _numbers(source)
        page.say(f"{entries} entries: {checked} checked ({share}), {manual} for a person to answer, {gap} not checked.")
        page.say(neutral(source.counted), style="dim")
        for one in source.entries:
            page.blank()
            page.labelled(one.lines, neutral(one.says), at=14, indent="", styles=("bold", ""))
            page.labelled("", f"{one.kind}; {neutral(_became(one))}", at=14, styles=("", "dim"))
    return page.text(colour=colour) + "\n" + summary_text(coverage)


def coverage_markdown(coverage: Coverage) -> str:
    """The whole table as Markdown."""
    return "".join(f"{line}\n" for line in _markdown(coverage))


def _markdown(coverage: Coverage) -> Iterator[str]:
    yield f"| {' | '.join(_COLUMNS)} |"
    yield f"| {' | '.join(['---', *['---:'] * (len(_COLUMNS) - 1)])} |"
    for source in coverage.sources.values():
        yield f"| {' | '.join((source.title, *_numbers(source)))} |"
    yield f"| {' | '.join(('all', *_numbers(_all(coverage))))} |"
    for id, source in coverage.sources.items():
        yield ""
        yield f"## {source.title} (`{id}`)"
        yield ""
        yield source.counted
        yield ""
        yield "| lines | kind | what it says | what became of it |"
        yield "| --- | --- | --- | --- |"
        for one in source.entries:
            yield f"| {one.lines} | {one.kind} | {one.says} | {_became(one)} |"


def coverage_data(coverage: Coverage) -> dict[str, Any]:
    """The whole table as plain values."""
    return {
        "version": coverage.coverage,
        "sources": [
            {
                "id": id,
                "title": source.title,
                "counted": source.counted,
                "entries": len(source.entries),
                "checked": source.number("checked"),
                "manual": source.number("manual"),
                "gap": source.number("gap"),
                "table": [{**one.model_dump(mode="json"), "became": one.became} for one in source.entries],
            }
            for id, source in coverage.sources.items()
        ],
    }
