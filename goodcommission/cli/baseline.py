"""``goodcommission baseline``: findings that were there before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goodcommission.cli.frame import (
    Day,
    as_json,
    check_output,
    complain,
    deliver,
    fail,
    form_option,
    output_option,
    show,
)
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

_reports_argument = click.argument("reports", nargs=-1, required=True, metavar="AUDIT.json...")
_baseline_argument = click.argument("file", metavar="BASELINE")


@click.group()
def baseline() -> None:
    """Hide from the gates what was wrong before, so that what is new stands out.

    \b
    goodcommission audit tender.json --format json --output audit.json
    goodcommission baseline create audit.json --output baseline.json
    goodcommission baseline update baseline.json audit.json
    """  # noqa: D301 (click reads the backspace)


@baseline.command()
@_reports_argument
@output_option
@click.option("--as-of", type=Day(), help="The day on which they were first seen; by default the day of each audit.")
@click.option("--add", is_flag=True, help="Add to the baseline that is there; nothing is added to it otherwise.")
def create(reports: tuple[str, ...], output: Path | None, as_of: dt.date | None, add: bool) -> None:
    """Write a baseline of all that is wrong in saved audits, but for what is waived."""
    from goodcommission.baselines import create as create_one
    from goodcommission.baselines import read_baseline

    check_output(output, reports)
    there = output is not None and output.exists()
    if add and not there:
        fail(Fault("there is no baseline to add to", str(output) if output else None, suggestion="Leave out --add."))
    if there and not add:
        advice = "Take out what is mended with goodcommission baseline update, or add what is new with --add."
        fail(Fault("this file is there already", str(output), suggestion=advice))
    made = create_one(_read(reports), as_of, read_baseline(str(output)) if add else None)
    deliver(made.to_json(), output, as_bytes=True)
    if output is not None:
        show(f"{output}: {_findings(len(made.findings))}.\n")


@baseline.command()
@_baseline_argument
@_reports_argument
@click.option("--prune", is_flag=True, help="Take out, too, what is said of documents and rules not in these audits.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file; by default BASELINE itself.")
def update(file: str, reports: tuple[str, ...], prune: bool, output: Path | None) -> None:
    """Take out of a baseline what is mended; nothing is ever added."""
    from goodcommission.baselines import read_baseline
    from goodcommission.baselines import update as update_one
    from goodcommission.report.terminal import neutral

    target = output or Path(file)
    check_output(target, reports)
    ratchet = update_one(read_baseline(file), _read(reports), prune=prune)
    deliver(ratchet.baseline.to_json(), target, as_bytes=True)
    out = "none is mended" if not ratchet.mended else f"{_findings(len(ratchet.mended))} taken out"
    show(f"{target}: {out}, {len(ratchet.baseline.findings)} left.\n")
    for one in ratchet.mended:
        show(f"  {one.rule} in {neutral(one.document)}, first seen on {one.first_seen}\n")
    if ratchet.fresh:
        rules = ", ".join(f"{rule} in {document}" for document, rule in ratchet.fresh)
        complain(f"Not in the baseline, and not added: {rules}.")


@baseline.command(name="show")
@_baseline_argument
@click.argument("reports", nargs=-1, metavar="[AUDIT.json...]")
@form_option
@output_option
def show_(file: str, reports: tuple[str, ...], form: str, output: Path | None) -> None:
    """List what a baseline holds; with saved audits, also what has become of it."""
    from goodcommission.baselines import read_baseline
    from goodcommission.baselines import update as update_one
    from goodcommission.report.terminal import neutral

    check_output(output, (file, *reports))
    held = read_baseline(file)
    ratchet = update_one(held, _read(reports)) if reports else None
    mended = {one.fingerprint for one in ratchet.mended} if ratchet else set()
    if form == "json":
        data = [
            {**one.model_dump(), **({"mended": one.fingerprint in mended} if ratchet else {})} for one in held.findings
        ]
        deliver(as_json(data), output, as_bytes=True)
        return
    lines, document = [f"{file}: {_findings(len(held.findings))}"], None
    for one in held.findings:
        if one.document != document:
            document = one.document
            lines += ["", neutral(document)]
        mark = ", and mended" if one.fingerprint in mended else ""
        lines.append(f"  {one.rule:<8} first seen on {one.first_seen}{mark}")
    if ratchet and ratchet.fresh:
        lines += ["", "Not in it:", *(f"  {rule:<8} in {neutral(document)}" for document, rule in ratchet.fresh)]
    deliver("\n".join(lines) + "\n", output)


def _findings(amount: int) -> str:
    return "1 finding" if amount == 1 else f"{amount} findings"


def _read(files: Sequence[str]) -> list[AuditReport]:
    """All saved reports; what is wrong in any file is said at once."""
    from goodcommission.exceptions import GoodCommissionError, ReportError
    from goodcommission.report.reading import read_reports

    reports: list[AuditReport] = []
    faults: list[Fault] = []
    for file in files:
        try:
            reports.extend(read_reports(file))
        except ReportError as error:
            faults.extend(error.faults)
    if faults:
        raise GoodCommissionError(*faults)
    return reports
