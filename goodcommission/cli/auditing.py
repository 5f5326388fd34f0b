"""``goodcommission audit``."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
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
    commissioner_option,
    complain,
    deliver,
    files_argument,
    form_option,
    look,
    output_option,
    pack_option,
    read,
    rules_option,
)
from goodcommission.exceptions import EngineError

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

_ORDER = ("low", "medium", "high")


@click.command()
@files_argument
@pack_option
@rules_option
@form_option
@output_option
@commissioner_option
@click.option("--as-of", type=Day(), help="The day of the audit; today if it is not given.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "durable", "reference"]),
    default="auto",
    show_default=True,
    help="What combines the findings; auto takes durable-rules where it is installed.",
)
@click.option(
    "--tier",
    type=click.Choice(["small", "medium", "large"]),
    help="How much to ask; by default what the value of the contract says.",
)
@click.option("--strict", is_flag=True, help="Stop if the two engines differ.")
@click.option("--passes", is_flag=True, help="Show the rules that are met as well.")
@click.option("--all", "everything", is_flag=True, help="Show every rule, also those that do not apply.")
@click.option("--fail-under", type=Points(), help="Exit with 1 if a score is below this, or there is none.")
@click.option(
    "--fail-on",
    type=click.Choice(["high", "medium", "low", "never"]),
    default="never",
    show_default=True,
    help="Exit with 1 if there is a finding of this severity or above, combined findings included.",
)
def audit(
    files: tuple[str, ...],
    packs: tuple[str, ...],
    folders: tuple[str, ...],
    form: str,
    output: Path | None,
    commissioner: str | None,
    as_of: dt.date | None,
    engine: Any,
    tier: Any,
    strict: bool,
    passes: bool,
    everything: bool,
    fail_under: float | None,
    fail_on: str,
) -> None:
    """Audit tenders, contracts, decommissioning plans or OCDS notices ("-" is standard input).

    A file that cannot be read or is not valid gets no report, and all that is wrong with it is said; the others are
    audited all the same. With --output, nothing is written unless all of them can be audited.
    """
    from goodcommission.auditing import audit as audit_one
    from goodcommission.packs.loading import load_packs

    check_output(output, (*files, commissioner) if commissioner else files)
    documents, faults = read(files, commissioner)
    chosen = load_packs(packs or None, rules=folders) if documents else None
    day = as_of or dt.datetime.now().astimezone().date()
    reports: list[tuple[AuditReport, str]] = []
    for document in documents:
        report = audit_one(document, chosen, as_of=day, engine=engine, tier=tier)
        if strict and report.engine.differences:
            raise EngineError(*(f"the engines differ on {document.name}: {one}" for one in report.engine.differences))
        reports.append((report, document.source.name if document.source else document.name))
    if reports and not (faults and output):
        several = len(files) > 1 or len(reports) > 1
        if form == "json":
            deliver(_as_json([report for report, _ in reports], several), output, as_bytes=True)
        else:
            deliver(_as_text(reports, output is None, passes, everything), output)
    if faults:
        if output:
            complain(f"{output}: not written, because not all files could be audited.")
        sys.exit(BAD_INPUT)
    failed = [line for report, _ in reports for line in _gates(report, fail_under, fail_on)]
    for line in failed:
        complain(line)
    sys.exit(GATE_FAILED if failed else FINE)


def _as_json(reports: Sequence[AuditReport], several: bool) -> str:
    if not several:
        return reports[0].to_json()
    bodies = [report.to_json().rstrip("\n") for report in reports]
    return "[\n" + ",\n".join(bodies) + "\n]\n"


def _as_text(reports: Sequence[tuple[AuditReport, str]], on_screen: bool, passes: bool, everything: bool) -> str:
    from goodcommission.report.text import render, summary

    width, colour = look() if on_screen else (80, False)
    texts = [
        render(report, width=width, colour=colour, passes=passes, everything=everything, file=file)
        for report, file in reports
    ]
    if len(texts) > 1:
        texts.append(summary([report for report, _ in reports], width=width, colour=colour))
    return ("\n" + "═" * min(width, 100) + "\n\n").join(texts)


def _gates(report: AuditReport, fail_under: float | None, fail_on: str) -> Iterator[str]:
    """Why the gates that were asked for do not let this report through."""
    name, score = report.document.name, report.score.score
    if fail_under is not None:
        if score is None:
            yield f"{name}: there is no score, and at least {fail_under:g} is asked for (--fail-under)."
        elif score < fail_under:
            yield f"{name}: the score is {score:g}, and at least {fail_under:g} is asked for (--fail-under)."
    if fail_on != "never":
        worse = _ORDER[_ORDER.index(fail_on) :]
        ids = [r.rule.id for r in report.results if r.verdict == "fail" and r.rule.scored and r.severity in worse]
        ids += [p.id for p in report.patterns if p.outcome == "concluded" and p.severity in worse]
        if ids:
            above = fail_on if fail_on == "high" else f"{fail_on} or higher"
            findings = "1 finding" if len(ids) == 1 else f"{len(ids)} findings"
            yield f"{name}: {findings} of {above} severity: {', '.join(ids)} (--fail-on)."
