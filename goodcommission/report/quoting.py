"""Quotes the line of a document on which a fact is stated, with the value marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from goodcommission.description.positions import yaml_loader

if TYPE_CHECKING:
    from goodcommission.description.document import Document, Source
    from goodcommission.report.model import AuditedDocument, AuditReport, FactStated

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_BEFORE: Final = 60
_MARKED: Final = 160
_AFTER: Final = 40
"""Characters of a line that are shown before, of and after the value: some files are one line of a megabyte."""
_CUT: Final = "…"


class Quote(NamedTuple):
    """A line of a document, in three parts."""

    line: int
    before: str
    marked: str
    after: str


Quotes = Callable[["AuditReport", "FactStated"], Quote | None]
"""Gives the quote of a fact; None where the text is not at hand."""


def texts_of(documents: Sequence[Document]) -> list[Source]:
    """The texts of documents and of their commissioners' profiles."""
    found = [document.source for document in documents]
    found += [document.profile.source for document in documents if document.profile]
    return [source for source in found if source]


def quotes_of(sources: Iterable[Source]) -> Quotes:
    """Quotes from texts.

    A text is quoted only for a report that was made of these very bytes: what changed since is not put in its mouth.
    """
    texts = {source.digest: source for source in sources}

    def quote_of(report: AuditReport, fact: FactStated) -> Quote | None:
        if fact.line is None or fact.column is None:
            return None
        if fact.name.startswith("answers."):
            source = texts.get(report.answers.digest) if report.answers else None
            return None if source is None else quote(source, fact.line, fact.column)
        profile = report.document.profile
        of_profile = profile is not None and fact.file == profile.name not in {one.name for one in _documents(report)}
        digest = next((one.digest for one in _documents(report) if one.name == fact.file), report.document.digest)
        source = texts.get(profile.digest if profile and of_profile else digest)
        return None if source is None else quote(source, fact.line, fact.column)

    return quote_of


def _documents(report: AuditReport) -> Sequence[AuditedDocument]:
    return report.case.documents if report.case else (report.document,)


def quote(source: Source, line: int, column: int) -> Quote | None:
    """The line of a text with the value that starts at this place; None if there is no such place."""
    starts = _lines(source)
    if not (1 <= line <= len(starts) and column >= 1):
        return None
    text = source.text
    start = starts[line - 1]
    at = start + column - 1
    broken = _BREAK.search(text, start)
    line_end = broken.start() if broken else len(text)
    if at >= line_end:
        return None
    end = _end(source, at, line_end)
    before = text[start:at].lstrip()
    marked = text[at : min(end, line_end)].rstrip()
    after = text[end:line_end].rstrip() if end < line_end else ""
    if len(before) > _BEFORE:
        before = _CUT + before[-_BEFORE:]
    if len(marked) > _MARKED or end > line_end:
        marked = marked[:_MARKED] + _CUT
    if len(after) > _AFTER:
        after = after[:_AFTER] + _CUT
    return Quote(line, before, marked, after)


@lru_cache(maxsize=2)
def _lines(source: Source) -> tuple[int, ...]:
    """Where each line starts."""
    return (0, *(match.end() for match in _BREAK.finditer(source.text)))


def _end(source: Source, at: int, line_end: int) -> int:
    """Where the value ends that starts at an offset; the end of the line if that can't be told."""
    if source.format == "yaml":
        return _yaml_ends(source).get(at, line_end)
    try:
        return json.JSONDecoder().raw_decode(source.text, at)[1]
    except (ValueError, RecursionError):
        return line_end


@lru_cache(maxsize=2)
def _yaml_ends(source: Source) -> Mapping[int, int]:
    """Where each value of a YAML text ends, by where it starts."""
    import yaml

    ends: dict[int, int] = {}
    try:
        for event in yaml.parse(source.text, Loader=yaml_loader()):
            if isinstance(event, yaml.ScalarEvent):
                start, end = (cast("Any", mark).index for mark in (event.start_mark, event.end_mark))
                ends.setdefault(start, end)
    except yaml.YAMLError:
        pass
    return ends
