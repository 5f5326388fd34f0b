"""``goodcommission rules``, ``packs`` and ``schema``: what is asked, and in which form."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    GATE_FAILED,
    Points,
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
from goodcommission.cli.settings import config_option, configurations, no_config_option
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.packs.checking import Checked
    from goodcommission.packs.compiling import LoadedPack
    from goodcommission.packs.grading import GradedPack
    from goodcommission.packs.model import Pack, Question


def _loaded(packs: Sequence[str], folders: Sequence[str]) -> tuple[LoadedPack, ...]:
    from goodcommission.packs.loading import load_packs

    return load_packs(packs or None, rules=folders).packs


def _question(loaded: Sequence[LoadedPack], id: str) -> tuple[Pack, Question] | None:
    """The question with this id, and its pack."""
    return next(((one.pack, q) for one in loaded for q in one.pack.questions if q.id == id.upper()), None)


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
    if found is None and (asked := _question(loaded, id)) is not None:
        from goodcommission.report.questions import question_data, question_text

        if form == "json":
            deliver(as_json(question_data(*asked)), None, as_bytes=True)
        else:
            deliver(question_text(*asked, *look()), None)
        return
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


@rules.command("coverage")
@click.option("--summary", is_flag=True, help="Only the numbers, source by source.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def rules_coverage(summary: bool, form: str) -> None:
    """Print what the sources recommend, and which rules check it."""
    from goodcommission.packs.coverage import read_coverage
    from goodcommission.report import coverage as tables

    table = read_coverage()
    if form == "json":
        deliver(as_json(tables.coverage_data(table)), None, as_bytes=True)
    elif form == "markdown":
        deliver(tables.coverage_markdown(table), None, as_bytes=True)
    else:
        deliver(tables.summary_text(table) if summary else tables.coverage_text(table, *look()), None)


@rules.command("questions")
@pack_option
@rules_option
@form_option
def rules_questions(packs: tuple[str, ...], folders: tuple[str, ...], form: str) -> None:
    """List the questions that only a person can answer (audit --answers FILE)."""
    from goodcommission.report.questions import questions_data, questions_text

    found = [one.pack for one in _loaded(packs, folders)]
    if form == "json":
        deliver(as_json(questions_data(found)), None, as_bytes=True)
    else:
        deliver(questions_text(found, *look()), None)


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
@click.option("--grade", is_flag=True, help="Also make mistakes in the rules on purpose: do the cases notice?")
@click.option("--rule", "ids", multiple=True, metavar="ID", help="Grade only this rule; repeatable.")
@click.option("--min-grade", type=Points(), metavar="PERCENT", help="Fail if a pack's cases notice less than this.")
@click.option("--save", is_flag=True, help="Keep each grade beside its pack, for the reports that use it.")
@form_option
def packs_check(
    paths: tuple[str, ...], grade: bool, ids: tuple[str, ...], min_grade: float | None, save: bool, form: str
) -> None:
    """Look for faults in packs, and run the cases of their rules."""
    from goodcommission.packs.checking import check_packs
    from goodcommission.report.wording import count

    grade = grade or bool(ids) or min_grade is not None or save
    if save and ids:
        fail("--save keeps the grade of whole packs, and --rule grades some rules only: leave one of them out.")
    checked = check_packs(paths)
    for line in fault_lines(checked.faults):
        complain(line)
    graded = _graded(checked, ids) if grade else ()
    if form == "json":
        from goodcommission.report.grades import grades_data

        faults = [
            {"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in checked.faults
        ]
        data = {"faults": faults, "rules": checked.rules, "patterns": checked.patterns, "cases": checked.cases}
        deliver(as_json({**data, "graded": grades_data(graded)} if grade else data), None, as_bytes=True)
    else:
        held = [
            count(checked.packs, "file"),
            count(checked.rules, "rule"),
            count(checked.patterns, "combined finding"),
            count(checked.cases, "case"),
        ]
        show(f"{', '.join(held)}: {count(len(checked.faults), 'fault') if checked.faults else 'no faults'}\n")
        if graded:
            from goodcommission.report.grades import grades_text

            show("\n" + grades_text(graded, *look()))
    if save:
        _save(checked, graded)
    if checked.faults:
        sys.exit(BAD_INPUT)
    sys.exit(GATE_FAILED if min_grade is not None and not _reach(graded, min_grade) else FINE)


def _graded(checked: Checked, ids: Sequence[str]) -> tuple[GradedPack, ...]:
    from goodcommission.packs.grading import grade_pack

    packs = checked.compiled
    if packs is None:
        return ()
    targets = [target for target in checked.targets if target.pack.rules]
    used = {name for target in targets for name in target.pack.uses} if not ids else set()
    targets += [target for target in checked.targets if target.pack.definitions in used and target.pack.let]
    wanted = {packs.rule(id).rule.id for id in ids}
    held = {rule.id for target in targets for rule in target.pack.rules}
    for id in sorted(wanted - held):
        fail(Fault(f"{id} is in none of the packs to be checked", suggestion="Name the file that holds it."))
    return tuple(
        grade_pack(target, packs, sorted(wanted))
        for target in targets
        if not wanted or any(rule.id in wanted for rule in target.pack.rules)
    )


def _reach(graded: Sequence[GradedPack], least: float) -> bool:
    """Whether all grades are high enough; a pack that could not be graded is not."""
    low = [one for one in graded if one.grade is None or one.grade.percent < least]
    for one in low:
        reached = f"{one.grade.percent:g}%" if one.grade else "no grade"
        complain(f"{one.pack}: {reached}, and {least:g}% is asked for.")
    return not low


def _save(checked: Checked, graded: Sequence[GradedPack]) -> None:
    from goodcommission.packs.grading import grade_key, save_grade

    targets = {target.pack.id: target for target in checked.targets}
    available = checked.compiled.packs if checked.compiled else ()
    for one in graded:
        target = targets[one.pack]
        if target.source is not None and one.grade is not None and target.pack.rules:
            save_grade(Path(target.source.name), one.grade, grade_key(target, available))


@packs.command("lock")
@rules_option
@click.option("--check", is_flag=True, help="Write nothing, and exit with 1 if the lock file would change.")
@click.option("--lock", "file", metavar="FILE", help="The lock file; by default goodcommission.lock, see above.")
@config_option
@no_config_option
def packs_lock(folders: tuple[str, ...], check: bool, file: str | None, config: Path | None, no_config: bool) -> None:
    """Write the lock file: the digest of each pack that may be used, so that no other is.

    It stands beside the configuration, or in the current folder where there is none, and holds the shipped packs, those
    that the configuration names under rules, overrides included, and those that are named with --rules. From then on
    audit, scan, gate and all that uses packs refuse any that is not in it as it is.
    """
    from goodcommission.configuration import as_shown
    from goodcommission.packs.locking import NAME, differences, lock_of, read_lock
    from goodcommission.report.terminal import neutral
    from goodcommission.report.wording import count

    configuration = configurations(config, no_config)(None)
    settings = configuration.settings_for(None)
    if file is None and "lock" in settings:
        file = settings["lock"].value
    if file is None:
        file = NAME if configuration.file is None else as_shown(configuration.file.parent / NAME)
    named = [one["rules"].value for one in (settings, *(o.settings for o in configuration.overrides)) if "rules" in one]
    places = dict.fromkeys((*(place for places in named for place in places), *folders))
    new = lock_of(tuple(places), file)
    there = os.path.lexists(file)
    old = read_lock(file) if there else None
    lines = differences(old, new)
    for line in lines:
        show(f"{neutral(line)}\n")
    if check:
        if lines or old is None:
            complain(f"{file}: {'this is not what is there' if there else 'there is no lock file'}. {new.advice()}")
            sys.exit(GATE_FAILED)
    elif lines or not there:
        deliver(new.to_json(), Path(file), as_bytes=True)
    show(f"{neutral(str(file))}: {count(len(new.packs), 'pack')}, {'as before' if not lines else 'locked'}\n")


_SCHEMAS = {
    "case": "case.schema.json",
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
