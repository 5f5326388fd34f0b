"""``goodcommission verify``: is a saved report what its document gives?"""

from __future__ import annotations

import sys

import click

from goodcommission.cli.frame import FINE, GATE_FAILED, commissioner_option, complain, fail, show
from goodcommission.exceptions import Fault


@click.command()
@click.argument("report")
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...")
@commissioner_option
@click.option("--answers", metavar="FILE", help="The signed answers, to see that they are those that were used.")
def verify(report: str, documents: tuple[str, ...], commissioner: str | None, answers: str | None) -> None:
    """Recompute the verdicts and the score of a saved report (audit --format json) from its document.

    Of a case, name its case file, or all of its documents.

    A report of format 1.0 carries no proof of its facts: its verdicts and score are recomputed all the same.

    Exit status: 0 the same, 1 not the same, 2 bad input.
    """
    from goodcommission.verifying import verify as recompute

    try:
        found = recompute(report, documents, commissioner=commissioner, answers=answers)
    except UnicodeDecodeError:
        fail(Fault("the report is not UTF-8 text", report, suggestion="Save one with audit --format json --output."))
    except OSError as error:
        fail(Fault(f"the report cannot be read: {error.strerror or error}", report))
    for one in found:
        if one.differences:
            concerns = report if one.document == report else f"{report}: {one.document}"
            for difference in one.differences:
                complain(f"{concerns}: {difference}.")
        else:
            early = f" It has format {one.format}, which carries no proof of its facts." if one.format == "1.0" else ""
            done = f"{one.verdicts} verdicts and the score of {one.document} were recomputed."
            show(f"{report}: the same. {done}{early}\n")
    sys.exit(GATE_FAILED if any(one.differences for one in found) else FINE)
