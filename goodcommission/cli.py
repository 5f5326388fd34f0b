"""The command line: options in, the library called, a report or one clear message out."""

from __future__ import annotations

import sys

import click

from goodcommission.exceptions import GoodCommissionError


@click.group()
def main() -> None:
    """Audit commissioning practice against good-practice rules."""


@main.group()
def packs() -> None:
    """Rule packs."""


@packs.command("check")
@click.argument("paths", nargs=-1, required=True)
def packs_check(paths: tuple[str, ...]) -> None:
    """Lint packs and run their cases."""
    from goodcommission.packs.checking import check_packs

    try:
        checked = check_packs(paths)
    except GoodCommissionError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    for fault in checked.faults:
        click.echo(str(fault), err=True)
    click.echo(f"{checked.rules} rules, {checked.patterns} patterns, {checked.cases} cases; {len(checked.faults)} faults")
    sys.exit(2 if checked.faults else 0)


if __name__ == "__main__":
    main()
