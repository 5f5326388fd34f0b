"""``goodcommission validate``, ``convert`` and ``new``: descriptions themselves, before any audit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    check_output,
    commissioner_option,
    deliver,
    fail,
    files_argument,
    output_option,
    read,
    show,
)
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.description.document import Document
    from goodcommission.description.model import Kind


@click.command()
@files_argument
@commissioner_option
def validate(files: tuple[str, ...], commissioner: str | None) -> None:
    """Check that descriptions or OCDS notices can be read and are valid."""
    from goodcommission.description.facts import dictionary, gather

    documents, faults = read(files, commissioner)
    known = dictionary()
    lines = []
    for document in documents:
        values = gather(document).values
        stated = sum(name in values or f"{name}.given" in values for name in known)
        kind = document.description.kind.replace("_", " ")
        notice = "" if document.origin == "description" else ", read from an OCDS notice"
        lines.append(f"{document.name}: valid ({kind}, {stated} facts stated{notice})\n")
    if lines:
        show("".join(lines))
    sys.exit(BAD_INPUT if faults else FINE)


@click.command()
@click.argument("file")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), help="By default by the output's name, or YAML.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write to this file, or to a folder: a file a process."
)
def convert(file: str, form: str | None, output: Path | None) -> None:
    """Turn an OCDS notice into a description, to be completed with what the notice does not say."""
    from goodcommission.description.writing import write

    check_output(output, (file,))
    documents, faults = read((file,))
    if faults:
        sys.exit(BAD_INPUT)
    if form is None:
        form = "json" if output is not None and output.suffix.lower() == ".json" else "yaml"
    if output is not None and output.is_dir():
        targets = [output / f"{name}.{form}" for name in _file_names(documents)]
        for target in targets:
            check_output(target, (file,))
        for document, target in zip(documents, targets, strict=True):
            deliver(write(document, form), target)  # type: ignore[arg-type]
        return
    if len(documents) > 1:
        advice = "Name a folder with --output; each gets a file of its own there."
        fail(Fault(f"there are {len(documents)} contracting processes in this file", file, suggestion=advice))
    deliver(write(documents[0], form), output, as_bytes=True)  # type: ignore[arg-type]


def _file_names(documents: Sequence[Document]) -> list[str]:
    """A name for each: none is that of another, on a disk that makes no difference between a and A either."""
    names: dict[str, str] = {}
    for document in documents:
        name = first = _file_name(document)
        number = 1
        while name.lower() in names:
            number += 1
            name = f"{first}-{number}"
        names[name.lower()] = name
    return list(names.values())


def _file_name(document: Document) -> str:
    """A file name made of the process's identifier, with nothing in it that leads elsewhere."""
    import re

    notice = document.description.notice
    name = (notice and notice.ocid) or document.description.id or Path(document.name).stem
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:100] or "description"


class _Kind(click.Choice[str]):
    """A kind of document, written with a dash or an underscore."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(str(value).replace("-", "_"), param, ctx)


@click.command()
@click.argument("kind", type=_Kind(["tender", "contract", "decommissioning_plan", "grant_programme"]))
@click.option("--quick", is_flag=True, help="Ask only the questions of the quick check, with help for each.")
@output_option
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def new(kind: Kind, quick: bool, output: Path | None, force: bool) -> None:
    """Print a description to fill in, with its questions and what may be answered as comments."""
    from goodcommission.description.starting import starting_file

    if output is not None and output.is_file() and not force:
        advice = "Name another file, or add --force to lose what is in it."
        fail(Fault("this file is there already", str(output), suggestion=advice))
    deliver(starting_file(kind, quick=quick), output, as_bytes=True)
