"""``goodcommission improve``."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    GATE_FAILED,
    Day,
    Points,
    check_output,
    complain,
    deliver,
    fail,
    files_argument,
    form_option,
    look,
    output_option,
    read,
)
from goodcommission.cli.settings import (
    audit_given,
    audit_options,
    configurations,
    packs_of,
    path_of,
    settled,
)
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.improving import Improvement


@click.command()
@files_argument
@click.option("--target", type=Points(), default=80.0, show_default=True, help="The score to reach.")
@click.option("--patch", type=click.Path(path_type=Path), help="Write the patch (JSON Patch, RFC 6902) to this file.")
@click.option("--check", is_flag=True, help="Exit with 1 if the target can't be reached by edits.")
@form_option
@output_option
@click.option("--as-of", type=Day(), help="The day of the audit; today if it is not given.")
@audit_options
def improve(
    files: tuple[str, ...],
    target: float,
    patch: Path | None,
    check: bool,
    form: str,
    output: Path | None,
    as_of: dt.date | None,
    config: Path | None,
    no_config: bool,
    **how: Any,
) -> None:
    """List the cheapest edits with which a description reaches a score ("-" is standard input).

    Edits are safe (format), decisions (somebody must choose), or wait for evidence (do it, then state it). The patch
    holds the safe ones and the decisions. An edit costs 0, 1 or 3 in this order.
    """
    from goodcommission.improving import improve as improve_one

    given = audit_given(how, as_of)
    for written in (output, patch):
        check_output(written, (*files, *filter(None, [how["commissioner"]])))
    if patch is not None and output is not None and patch.resolve() == output.resolve():
        fail(Fault("--patch and --output name the same file", str(patch)))
    configuration_for = configurations(config, no_config)
    today = dt.datetime.now().astimezone().date()
    said: dict[str, None] = {}
    found: list[Improvement] = []
    for file in files:
        settings = settled(configuration_for(path_of(file)), path_of(file), given)
        chosen = packs_of(settings)
        found += [
            improve_one(
                document,
                chosen,
                target=target,
                as_of=settings["as_of"].value or today,
                tier=settings["tier"].value,
                require_evidence=settings["require_evidence"].value,
            )
            for document in read((file,), settings["commissioner"].value, said)[0]
        ]
    if found and not (said and (output or patch)):
        if patch is not None:
            deliver(_patch(found), patch, as_bytes=True)
        several = len(files) > 1 or len(found) > 1
        deliver(_shown(found, form, several, output is None), output, as_bytes=form == "json")
    if said:
        for unwritten in (output, patch):
            if unwritten:
                complain(f"{unwritten}: not written, because not all files could be read.")
        sys.exit(BAD_INPUT)
    sys.exit(GATE_FAILED if check and not all(one.reached for one in found) else FINE)


def _patch(found: list[Improvement]) -> str:
    first, *others = found
    if others:
        fail(Fault("a patch is for one description", suggestion="Name one file with --patch."))
    if first.patch_is_for == "converted":
        advice = "Make a description of it first: goodcommission convert."
        fail(Fault("a published notice can't be patched", first.name, suggestion=advice))
    return first.patch_json()


def _shown(found: list[Improvement], form: str, several: bool, on_screen: bool) -> str:
    if form == "json":
        if not several:
            return found[0].to_json()
        return "[\n" + ",\n".join(one.to_json().rstrip("\n") for one in found) + "\n]\n"
    from goodcommission.report.improvement import render

    width, colour = look() if on_screen else (80, False)
    between = "\n" + "═" * min(width, 100) + "\n\n"
    return between.join(render(one, width=width, colour=colour) for one in found)
