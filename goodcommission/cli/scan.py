"""``goodcommission scan``."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    OUR_FAULT,
    Day,
    complain,
    deliver,
    fail,
    pack_option,
    rules_option,
    show,
    status_of,
)
from goodcommission.cli.settings import lock_option
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.scan.writing import Progress, Written


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    default=Path("goodcommission-scan"),
    show_default=True,
    metavar="DIR",
    help="The folder to write.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "jsonl"]),
    default="parquet",
    show_default=True,
    help="The form of the tables.",
)
@click.option("--without-rules", is_flag=True, help="Leave out the table with a row for each notice and rule.")
@pack_option
@rules_option
@lock_option
@click.option("--no-lock", is_flag=True, help="Use packs whether they are locked or not.")
@click.option("--as-of", type=Day(), help="The day of all audits; by default each notice's own day.")
@click.option(
    "--tier",
    type=click.Choice(["small", "medium", "large"]),
    help="How much to ask; by default what the value of each contract says.",
)
@click.option("--regime", metavar="ID", help="The law that all are under; by default worked out for each.")
@click.option("--since", type=Day(), help="Only notices of this day or later.")
@click.option(
    "--cpv",
    "cpv",
    multiple=True,
    metavar="CODE",
    help="Only notices with a CPV code that begins so, such as 85 for health and social work; repeatable.",
)
@click.option(
    "--where",
    metavar="CONDITION",
    help="Only notices for which this holds, such as 'value.total > 100000.0'; written as in rules.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Read so many releases and no more.")
@click.option(
    "--merge", is_flag=True, help="Merge the releases of one process, within a file or a sorted set of files."
)
@click.option("--jobs", "-j", type=click.IntRange(1), help="Processes that audit; by default one for each core.")
@click.option("--resume", is_flag=True, help="Go on with a scan that was interrupted.")
@click.option("--force", is_flag=True, help="Replace an earlier scan in the folder.")
@click.option(
    "--compare",
    is_flag=True,
    help="Audit nothing: the two PATHs are folders of earlier scans, and what moved between them is said. With "
    "--output FILE it is written there, as JSON if the name ends in .json.",
)
@click.pass_context
def scan(
    context: click.Context,
    paths: tuple[str, ...],
    output: Path,
    form: Any,
    without_rules: bool,
    packs: tuple[str, ...],
    folders: tuple[str, ...],
    lock: str | None,
    no_lock: bool,
    as_of: dt.date | None,
    tier: Any,
    regime: str | None,
    since: dt.date | None,
    cpv: tuple[str, ...],
    where: str | None,
    limit: int | None,
    merge: bool,
    jobs: int | None,
    resume: bool,
    force: bool,
    compare: bool,
) -> None:
    """Audit published notices (OCDS) in any number: what they tell, and what they can't (needs the extra "scan").

    PATH is a file (JSON Lines; a release, a record or a package of them; also compressed as .gz, .zst or .zip), a
    folder, a pattern in quotes, or "-" for standard input.

    The folder holds two tables, one row a notice and one row a notice and rule; summary.html, to be read first;
    errors.jsonl, which names each entry that could not be audited; and scan.json, which says what was scanned.

    A scan that is interrupted is continued with --resume, and the result is the same to the byte.
    """
    if compare:
        _compare(context, paths, output)
        return
    try:
        from goodcommission.scan import Options, write_scan
        from goodcommission.scan.summary_text import text
        from goodcommission.scan.writing import half_of
    except ModuleNotFoundError as error:
        _without_libraries(error)
    if force and resume:
        fail("--force begins anew and --resume goes on: give one of them.")
    options = Options(
        packs or None, folders, as_of, tier, regime, since, where, limit, merge, cpv, _lock(lock, no_lock)
    )
    try:
        with _progress() as progress:
            written = write_scan(
                paths,
                output,
                options,
                form=form,
                with_rules=not without_rules,
                force=force,
                resume=resume,
                jobs=jobs,
                progress=progress,
            )
    except KeyboardInterrupt as error:
        kept = half_of(output)
        advice = f" What is done is kept in {kept}; the same command with --resume goes on." if kept.exists() else ""
        complain(f"Interrupted.{advice}")
        sys.exit(status_of(error))
    show(text(written.summary))
    _say_the_rest(written, output)
    sys.exit(_status(written))


def _lock(lock: str | None, no_lock: bool) -> str | None:
    """The lock file: the one that is named, or the one that holds for what is audited here."""
    from goodcommission.configuration import as_shown, find_configuration, read_configuration, without_configuration

    if lock is not None or no_lock:
        if lock is not None and no_lock:
            fail("--lock and --no-lock can't be used together.")
        return lock
    if file := find_configuration():
        setting = read_configuration(file).settings_for(None).get("lock")
        return setting and setting.value
    found = without_configuration().lock
    return None if found is None else as_shown(found)


def _without_libraries(error: ModuleNotFoundError) -> NoReturn:
    if (error.name or "").partition(".")[0] == "goodcommission":
        raise error
    advice = "Install them: pip install 'goodcommission[scan]'."
    fail(Fault(f"the libraries for scans are not installed ({error.name})", suggestion=advice))


def _compare(context: click.Context, paths: Sequence[str], output: Path) -> None:
    """What moved between two scans."""
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    others = [one for one in context.command.params if one.name in given - {"compare", "paths", "output"}]
    if others:
        fail(f"--compare audits nothing, so that {others[0].opts[0]} has no place beside it.")
    if len(paths) != 2:
        fail(f"--compare takes the folders of two scans, and {len(paths)} {'is' if len(paths) == 1 else 'are'} given.")
    try:
        from goodcommission.scan.comparing import compare
        from goodcommission.scan.comparing_text import text
    except ModuleNotFoundError as error:
        _without_libraries(error)
    found = compare(Path(paths[0]), Path(paths[1]))
    file = output if "output" in given else None
    as_json = file is not None and file.suffix.lower() == ".json"
    deliver(found.to_json() if as_json else text(found), file)


def _say_the_rest(written: Written, output: Path) -> None:
    """What the summary does not say: what was rejected and why, and where everything is."""
    from goodcommission.scan.inputs import KINDS
    from goodcommission.scan.writing import ERRORS

    counts = written.counts
    lines = [f"{number:,} rejected: {KINDS[kind]}" for kind, number in written.errors.items()]
    if counts.undecided:
        lines.append(f"{counts.undecided:,} left out because what --since, --cpv or --where asks for is not known")
    if written.passed_over:
        files = "file passed over whose name is" if written.passed_over == 1 else "files passed over whose names are"
        lines.append(f"{written.passed_over:,} {files} not that of JSON")
    for line in lines:
        complain(line + ".")
    rejections = f"; {ERRORS} names each rejection" if written.errors else ""
    complain(f"Written to {output}: open summary.html first{rejections}.")


def _status(written: Written) -> int:
    if "failed" in written.errors:
        complain("goodcommission failed on some notices: that is its fault, not yours. Please report it.")
        return OUR_FAULT
    if not written.counts.audited + written.counts.left_out:
        complain("Nothing could be audited." if written.counts.rejected else "There was nothing to audit.")
        return BAD_INPUT
    return FINE


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """A bar on a terminal, with the rate and the time that is left; nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    start = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def tell(done: int, total: int | None, read: int) -> None:
            rate = read / max(time.monotonic() - start, 1e-3)
            bar.update(task, completed=done, total=total, description=f"{read:,} notices, {rate:,.0f} a second")

        yield tell
