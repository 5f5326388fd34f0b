"""``goodcommission rules``, ``packs`` and ``schema``: what is asked, and in which form."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    as_json,
    complain,
    deliver,
    fail,
    fault_lines,
    form_option,
    look,
    pack_option,
    rules_option,
    show,
    show_bytes,
)
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.packs.compiling import LoadedPack


def _loaded(packs: Sequence[str], folders: Sequence[str]) -> tuple[LoadedPack, ...]:
    from goodcommission.packs.loading import load_packs

    return load_packs(packs or None, rules=folders).packs


@click.group()
def rules() -> None:
    """What the rules ask, and why."""


@rules.command("list")
@pack_option
@rules_option
@form_option
def rules_list(packs: tuple[str, ...], folders: tuple[str, ...], form: str) -> None:
    """List all rules and combined findings."""
    from goodcommission.report.rules import rules_data, rules_text

    loaded = _loaded(packs, folders)
    if form == "json":
        deliver(as_json(rules_data(loaded)), None, as_bytes=True)
    else:
        deliver(rules_text(loaded, *look()), None)


@rules.command("show")
@click.argument("id")
@rules_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="Text, Markdown as in docs/rules, or JSON.",
)
def rules_show(id: str, folders: tuple[str, ...], form: str) -> None:
    """Show one rule or combined finding in full, with examples."""
    from goodcommission.packs.loading import load_packs
    from goodcommission.report.rule_pages import page_data, page_markdown, page_text, rule_page
    from goodcommission.report.rules import find, ids, rule_data

    packs = load_packs(rules=folders)
    loaded = packs.packs
    found = find(loaded, id)
    if found is None:
        import difflib

        near = difflib.get_close_matches(id.upper(), ids(loaded), n=1)
        advice = f"Did you mean {near[0]}?" if near else "goodcommission rules list shows all."
        fail(Fault(f'there is no rule "{id}"', suggestion=advice))
    page = rule_page(packs, *found)
    if form == "json":
        deliver(as_json({**rule_data(*found), "page": page_data(page)}), None, as_bytes=True)
    elif form == "markdown":
        deliver(page_markdown(page), None, as_bytes=True)
    else:
        deliver(page_text(page, *look()), None)


@click.group()
def packs() -> None:
    """Rule packs."""


@packs.command("list")
@rules_option
@form_option
def packs_list(folders: tuple[str, ...], form: str) -> None:
    """List all packs."""
    from goodcommission.report.rules import packs_data, packs_text

    loaded = _loaded((), folders)
    if form == "json":
        deliver(as_json(packs_data(loaded)), None, as_bytes=True)
    else:
        deliver(packs_text(loaded, *look()), None)


@packs.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def packs_check(paths: tuple[str, ...]) -> None:
    """Look for faults in packs, and run the cases of their rules."""
    from goodcommission.packs.checking import check_packs
    from goodcommission.report.wording import count

    checked = check_packs(paths)
    for line in fault_lines(checked.faults):
        complain(line)
    held = [
        count(checked.packs, "file"),
        count(checked.rules, "rule"),
        count(checked.patterns, "combined finding"),
        count(checked.cases, "case"),
    ]
    show(f"{', '.join(held)}: {count(len(checked.faults), 'fault') if checked.faults else 'no faults'}\n")
    sys.exit(BAD_INPUT if checked.faults else FINE)


_SCHEMAS = {
    "description": "description.schema.json",
    "pack": "rule-pack.schema.json",
    "report": "report.schema.json",
}


@click.command()
@click.argument("name", type=click.Choice(list(_SCHEMAS)))
def schema(name: str) -> None:
    """Print the JSON Schema of descriptions, rule packs or reports."""
    from goodcommission.packs.loading import shipped_folder

    show_bytes((shipped_folder("schemas") / _SCHEMAS[name]).read_bytes())
