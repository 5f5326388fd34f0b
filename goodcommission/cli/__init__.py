"""The command line: options in, the library called, a report or one clear message out.

Each command lives in a module of its own, imported when it is asked for, so that a start costs no more than it must.
"""

from __future__ import annotations

import click

from goodcommission.cli.frame import Commands
from goodcommission.version import VERSION

COMMANDS = {
    "audit": "goodcommission.cli.auditing",
    "baseline": "goodcommission.cli.baseline",
    "check": "goodcommission.cli.check",
    "config": "goodcommission.cli.configuring",
    "convert": "goodcommission.cli.documents",
    "diff": "goodcommission.cli.diff",
    "gate": "goodcommission.cli.gate",
    "improve": "goodcommission.cli.improve",
    "new": "goodcommission.cli.documents",
    "packs": "goodcommission.cli.rules",
    "report": "goodcommission.cli.report",
    "rules": "goodcommission.cli.rules",
    "scan": "goodcommission.cli.scan",
    "schema": "goodcommission.cli.rules",
    "serve": "goodcommission.cli.serve",
    "validate": "goodcommission.cli.documents",
    "verify": "goodcommission.cli.verify",
}
"""Where each command lives; the command is the attribute of the same name."""


@click.group(
    "goodcommission",
    cls=Commands,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, prog_name="goodcommission", message="%(prog)s %(version)s")
def main() -> None:
    """Audit commissioning practice against good-practice rules.

    \b
    goodcommission audit tender.yaml    what departs from good practice, and what to do
    goodcommission check tender         the questions that decide most, asked at the terminal
    goodcommission rules show PP-03     what a rule asks, why, and who says so

    Exit status: 0 fine, 1 a gate that you set has failed, 2 bad input, usage or rule pack.
    """  # noqa: D301 (click reads the backspace)
