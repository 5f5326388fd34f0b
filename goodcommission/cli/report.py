"""``goodcommission report``: a saved report in another format, without auditing again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goodcommission.cli.frame import check_output, deliver, files_argument, look, output_option
from goodcommission.exceptions import DescriptionError
from goodcommission.report.formats import FORMATS, for_terminal, format_for, render

if TYPE_CHECKING:
    from goodcommission.description.document import Source
    from goodcommission.report.model import AuditReport


@click.command()
@files_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="By default what the output's name says, such as .html; else text.",
)
@output_option
@click.option("--passes", is_flag=True, help="In text: show the rules that are met as well.")
@click.option("--all", "everything", is_flag=True, help="In text: show every rule.")
def report(files: tuple[str, ...], form: str | None, output: Path | None, passes: bool, everything: bool) -> None:
    """Show saved reports in another format, without auditing again.

    A saved report is what `goodcommission audit --format json` wrote: of one document, or of several.
    """
    from goodcommission.report.reading import read_reports

    check_output(output, files)
    form = form or format_for(output) or "text"
    reports = [one for file in files for one in read_reports(file)]
    width, colour = look() if output is None else (80, False)
    sources = _texts(reports) if form == "html" else ()
    text = render(form, reports, width=width, colour=colour, passes=passes, everything=everything, sources=sources)
    deliver(text, output, as_bytes=not for_terminal(form))


def _texts(reports: Sequence[AuditReport]) -> Iterator[Source]:
    """The texts that were audited, of those files that are still there; one that has changed since is not quoted."""
    from goodcommission.description.reading import read_source

    documents = [of for one in reports for of in (one.case.documents if one.case else (one.document,))]
    names = [one.file for one in documents]
    names += [one.profile.name for one in documents if one.profile]
    for name in dict.fromkeys(names):
        if name is not None and os.path.isfile(name):
            with suppress(DescriptionError):
                yield read_source(name)
