"""The formats of a report by name: views of the same result, each made by a module that is loaded when it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from goodcommission.description.document import Source
    from goodcommission.report.model import AuditReport


@dataclass(frozen=True, slots=True)
class Format:
    """One format, and the module whose ``render(reports)`` makes it."""

    name: str
    what: str
    """What it is for, as the help and the documentation say it."""
    module: str
    suffixes: tuple[str, ...] = ()
    """How the names of such files end; the longest that fits decides."""
    function: str = "render"


_ALL: Final = (
    Format("text", "to be read on a screen", "text", (".txt",), "render_all"),
    Format("json", "the whole report, for programs and for `goodcommission report`", "whole", (".json",)),
    Format("html", "a page to be read, printed and passed on", "html", (".html", ".htm")),
    Format("markdown", "a comment on a pull request or merge request", "markdown", (".md", ".markdown")),
    Format("sarif", "every result as SARIF 2.1.0, for viewers and archives", "sarif", (".sarif", ".sarif.json")),
    Format("sarif-findings", "only findings, as GitHub code scanning needs it", "sarif", (), "render_findings"),
    Format("junit", "one test a rule, for CI servers", "junit", (".xml",)),
    Format("github", "annotations in a GitHub workflow", "github"),
    Format("gitlab", "a GitLab code quality report", "gitlab"),
    Format("csv", "one row a rule, for spreadsheets", "table", (".csv",)),
)
FORMATS: Final[Mapping[str, Format]] = {one.name: one for one in _ALL}


def format_for(output: PurePath | None) -> str | None:
    """The format that the name of a file asks for; None if it tells nothing."""
    name = output.name.lower() if output else ""
    fitting = [(len(end), one.name) for one in _ALL for end in one.suffixes if name.endswith(end)]
    return max(fitting)[1] if fitting else None


def for_terminal(form: str) -> bool:
    """Whether a format is shown in the characters that a terminal has; all others are the same bytes everywhere."""
    return form == "text"


def render(
    form: str,
    reports: Sequence[AuditReport],
    *,
    width: int = 80,
    colour: bool = False,
    passes: bool = False,
    everything: bool = False,
    several: bool | None = None,
    sources: Iterable[Source] = (),
) -> str:
    """Reports in one of the formats.

    Args:
        form: A name in ``FORMATS``.
        reports: At least one.
        width: Columns of the text.
        colour: Whether the text has colours.
        passes: Whether the text lists the rules that are met.
        everything: Whether the text lists all rules.
        several: Whether JSON is an array; by default if there is more than one report.
        sources: The texts of what was audited, if they are at hand: HTML quotes the lines on which facts are stated.

    Raises:
        KeyError: There is no such format.
    """
    chosen = FORMATS[form]
    make = getattr(import_module(f"goodcommission.report.{chosen.module}"), chosen.function)
    if form == "text":
        return make(reports, width=width, colour=colour, passes=passes, everything=everything)  # type: ignore[no-any-return]
    if form == "json":
        return make(reports, several=several)  # type: ignore[no-any-return]
    if form == "html":
        from goodcommission.report.quoting import quotes_of

        return make(reports, quotes_of(sources))  # type: ignore[no-any-return]
    return make(reports)  # type: ignore[no-any-return]
