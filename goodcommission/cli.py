"""The command line: options in, the library called, a report or one clear message out.

Each command imports what it needs when it runs, so that a start costs no more than it must.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from goodcommission.exceptions import EngineError, Fault, GoodCommissionError
from goodcommission.version import VERSION

if TYPE_CHECKING:
    from goodcommission.description.document import Document
    from goodcommission.description.model import Kind
    from goodcommission.packs.compiling import LoadedPack
    from goodcommission.report.model import AuditReport

FINE = 0
GATE_FAILED = 1
BAD_INPUT = 2
OUR_FAULT = 3
INTERRUPTED = 130
BROKEN_PIPE = 141

MOST_FAULTS = 20
"""Lines shown for one file; the rest are counted."""
_ORDER = ("low", "medium", "high")


# --- What is written, and where ----------------------------------------------------------------------------------


def _encoding(stream: Any) -> str:
    """The encoding of a stream; plain ASCII where the user has set LC_ALL to C, which Python overrides."""
    if os.environ.get("LC_ALL") in ("C", "POSIX") and not os.environ.get("PYTHONIOENCODING"):
        return "ascii"
    return getattr(stream, "encoding", None) or "utf-8"


def _print(text: str) -> None:
    """Write text to standard output, in the characters that it has."""
    from goodcommission.report.terminal import degraded

    if sys.stdout is not None:
        encoding = _encoding(sys.stdout)
        _print_bytes(degraded(text, encoding).encode(encoding, "replace"))


def _print_bytes(data: bytes) -> None:
    """Write bytes to standard output: JSON is the same bytes on every machine."""
    if sys.stdout is not None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _complain(text: str) -> None:
    """Write a message to standard error, with nothing in it that acts on the terminal."""
    from goodcommission.report.terminal import degraded, neutral

    if sys.stderr is not None:
        with suppress(OSError):
            click.echo(degraded(neutral(text), _encoding(sys.stderr)), err=True)


def _fail(fault: str | Fault) -> NoReturn:
    raise GoodCommissionError(fault)


def _deliver(text: str, output: Path | None, *, as_bytes: bool = False) -> None:
    """Write to standard output, or to a file that is there complete or not at all."""
    if output is None:
        if as_bytes:
            _print_bytes(text.encode("utf-8"))
        else:
            _print(text)
        return
    data = text.encode("utf-8", "backslashreplace")
    target = Path(os.path.realpath(output))
    try:
        if target.exists() and not target.is_file():
            if target.is_dir():
                _fail(Fault("this is a folder, not a file", str(output), suggestion="Name a file in it."))
            target.write_bytes(data)
            return
        beside = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
        try:
            beside.write_bytes(data)
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        _fail(Fault(f"this file cannot be written: {reason}", str(output), suggestion="Nothing was written."))


def _look() -> tuple[int, bool]:
    """Width and colour for text on standard output: 80 columns and none where it is not a terminal."""
    import shutil

    columns = os.environ.get("COLUMNS", "")
    terminal = sys.stdout is not None and sys.stdout.isatty()
    if columns.isdecimal() and int(columns) > 0:
        width = int(columns)
    else:
        width = shutil.get_terminal_size((80, 24)).columns if terminal else 80
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return width, colour


# --- Faults ------------------------------------------------------------------------------------------------------


def _fault_line(fault: Fault, like: Sequence[Fault]) -> str:
    place = ":".join(str(part) for part in (fault.file, fault.line, fault.column) if part is not None)
    pointer = f" (at {fault.pointer})" if fault.pointer else ""
    message = fault.message.removesuffix(".")
    line = f"{place}: " if place else ""
    line += f"{message}{pointer}{'' if message.endswith(('!', '?')) and not pointer else '.'}"
    if fault.suggestion:
        line += f" {fault.suggestion}"
    if like:
        lines = ", ".join(str(other.line) for other in like[:5] if other.line is not None)
        where = f", in line {lines}" if len(like) == 1 else f", in lines {lines}" if lines else ""
        times = "once" if len(like) == 1 else f"{len(like)} times"
        line += f" (The same {times} more{where}{' and on' if len(like) > 5 else ''}.)"
    return line


def _fault_lines(faults: Iterable[Fault]) -> Iterator[str]:
    """One line for each fault; equal ones are grouped, and of a file with many the first are shown."""
    files: dict[str | None, dict[tuple[str, str | None], list[Fault]]] = {}
    for fault in faults:
        files.setdefault(fault.file, {}).setdefault((fault.message, fault.suggestion), []).append(fault)
    for file, groups in files.items():
        for first, *like in list(groups.values())[:MOST_FAULTS]:
            yield _fault_line(first, like)
        if len(groups) > MOST_FAULTS:
            rest = sum(len(group) for group in list(groups.values())[MOST_FAULTS:])
            yield f"{file or 'Here'}: {rest} more {'fault' if rest == 1 else 'faults'}."


def _report_faults(error: GoodCommissionError) -> None:
    for line in _fault_lines(error.faults):
        _complain(line)


class Commands(click.Group):
    """A group of commands that ends each of them with a message and a status, never with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except GoodCommissionError as error:
            _report_faults(error)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt:
            _complain("Interrupted.")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _forget_output()
            ctx.exit(BROKEN_PIPE)
        except OSError as error:
            _forget_output()
            _complain(f"The report cannot be written: {error.strerror or error}.")
            ctx.exit(BAD_INPUT)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if os.environ.get("GOODCOMMISSION_DEBUG"):
                raise
            kind = (
                "There is too much in it for this machine's memory"
                if isinstance(error, MemoryError)
                else (f"This is a fault of goodcommission, not of yours: {type(error).__name__}: {error}")
            )
            _complain(f"{kind}. (GOODCOMMISSION_DEBUG=1 shows where.)")
            ctx.exit(OUR_FAULT)


def _forget_output() -> None:
    """Nobody reads standard output any more: what is left in it must not be tried again on leaving."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


# --- Options -----------------------------------------------------------------------------------------------------


class _Day(click.ParamType[dt.date]):
    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            if len(value) != 10:
                raise ValueError
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; it is written as year-month-day, such as 2026-03-31", param, ctx)


class _Points(click.ParamType[float]):
    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            points = float(value)
        except ValueError:
            points = -1.0
        if not 0 <= points <= 100:
            self.fail(f"{value!r} is no score; a number from 0 to 100 is expected", param, ctx)
        return points


Command = Callable[..., Any]

_files = click.argument("files", nargs=-1, required=True, metavar="FILE...")
_form = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Text, or JSON."
)
_output = click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead.")
_rules_from = click.option(
    "--rules", "folders", multiple=True, metavar="DIR", help="Use the packs in this folder or file as well; repeatable."
)
_commissioner = click.option(
    "--commissioner", metavar="FILE", help="The commissioner's profile; it fills what the descriptions do not say."
)
_pack = click.option("--pack", "packs", multiple=True, metavar="ID", help="Use only this pack; repeatable.")


@click.group(
    "goodcommission", cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(VERSION, prog_name="goodcommission", message="%(prog)s %(version)s")
def main() -> None:
    r"""Audit commissioning practice against good-practice rules.

    \b
    goodcommission audit tender.yaml    what departs from good practice, and what to do
    goodcommission rules show PP-03     what a rule asks, why, and who says so

    Exit status: 0 fine, 1 a gate that you set has failed, 2 bad input, usage or rule pack.
    """


# --- audit -------------------------------------------------------------------------------------------------------


@main.command()
@_files
@_pack
@_rules_from
@_form
@_output
@_commissioner
@click.option("--as-of", type=_Day(), help="The day of the audit; today if it is not given.")
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
@click.option("--fail-under", type=_Points(), help="Exit with 1 if a score is below this, or there is none.")
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

    _check_output(output, (*files, commissioner) if commissioner else files)
    documents, faults = _read(files, commissioner)
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
            _deliver(_as_json([report for report, _ in reports], several), output, as_bytes=True)
        else:
            _deliver(_as_text(reports, output is None, passes, everything), output)
    if faults:
        if output:
            _complain(f"{output}: not written, because not all files could be audited.")
        sys.exit(BAD_INPUT)
    failed = [line for report, _ in reports for line in _gates(report, fail_under, fail_on)]
    for line in failed:
        _complain(line)
    sys.exit(GATE_FAILED if failed else FINE)


def _read(files: Sequence[str], commissioner: str | None = None) -> tuple[list[Document], bool]:
    """All documents in all files, in their order, and whether something is wrong; what is wrong is said, once."""
    from goodcommission.description.reading import read_documents

    documents: list[Document] = []
    said: dict[str, None] = {}
    if [*files, commissioner].count("-") > 1:
        _fail("standard input (-) can be named only once.")
    for file in files:
        try:
            documents.extend(_printable(document) for document in read_documents(file, commissioner=commissioner))
        except GoodCommissionError as error:
            for line in _fault_lines(error.faults):
                if line not in said:
                    said[line] = None
                    _complain(line)
    return documents, bool(said)


def _printable(document: Document) -> Document:
    """A document whose name can be written down, whatever bytes its file is named with."""
    profile = document.profile and replace(document.profile, name=_writable(document.profile.name))
    return replace(document, name=_writable(document.name), profile=profile)


def _writable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _check_output(output: Path | None, files: Sequence[str]) -> None:
    if output is not None and output.exists():
        for file in files:
            if file != "-" and os.path.exists(file) and os.path.samefile(file, output):
                _fail(Fault("the output would overwrite what is read", str(output), suggestion="Name another file."))


def _as_json(reports: Sequence[AuditReport], several: bool) -> str:
    if not several:
        return reports[0].to_json()
    bodies = [report.to_json().rstrip("\n") for report in reports]
    return "[\n" + ",\n".join(bodies) + "\n]\n"


def _as_text(reports: Sequence[tuple[AuditReport, str]], on_screen: bool, passes: bool, everything: bool) -> str:
    from goodcommission.report.text import render, summary

    width, colour = _look() if on_screen else (80, False)
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


# --- validate, convert -------------------------------------------------------------------------------------------


@main.command()
@_files
@_commissioner
def validate(files: tuple[str, ...], commissioner: str | None) -> None:
    """Check that descriptions or OCDS notices can be read and are valid."""
    from goodcommission.engine.facts import dictionary, gather

    documents, faults = _read(files, commissioner)
    known = dictionary()
    lines = []
    for document in documents:
        values = gather(document).values
        stated = sum(name in values or f"{name}.given" in values for name in known)
        kind = document.description.kind.replace("_", " ")
        notice = "" if document.origin == "description" else ", read from an OCDS notice"
        lines.append(f"{document.name}: valid ({kind}, {stated} facts stated{notice})\n")
    if lines:
        _print("".join(lines))
    sys.exit(BAD_INPUT if faults else FINE)


@main.command()
@click.argument("file")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), help="By default by the output's name, or YAML.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Write to this file, or to a folder: a file a process."
)
def convert(file: str, form: str | None, output: Path | None) -> None:
    """Turn an OCDS notice into a description, to be completed with what the notice does not say."""
    from goodcommission.description.writing import write

    _check_output(output, (file,))
    documents, faults = _read((file,))
    if faults:
        sys.exit(BAD_INPUT)
    if form is None:
        form = "json" if output is not None and output.suffix.lower() == ".json" else "yaml"
    if output is not None and output.is_dir():
        for document in documents:
            _deliver(write(document, form), output / f"{_file_name(document)}.{form}")  # type: ignore[arg-type]
        return
    if len(documents) > 1:
        advice = "Name a folder with --output; each gets a file of its own there."
        _fail(Fault(f"there are {len(documents)} contracting processes in this file", file, suggestion=advice))
    _deliver(write(documents[0], form), output, as_bytes=True)  # type: ignore[arg-type]


def _file_name(document: Document) -> str:
    """A file name made of the process's identifier, with nothing in it that leads elsewhere."""
    import re

    notice = document.description.notice
    name = (notice and notice.ocid) or document.description.id or Path(document.name).stem
    return re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:100] or "description"


# --- rules, packs, schema ----------------------------------------------------------------------------------------


def _loaded(packs: Sequence[str], folders: Sequence[str]) -> tuple[LoadedPack, ...]:
    from goodcommission.packs.loading import load_packs

    return load_packs(packs or None, rules=folders).packs


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


@main.group(cls=click.Group)
def rules() -> None:
    """What the rules ask, and why."""


@rules.command("list")
@_pack
@_rules_from
@_form
def rules_list(packs: tuple[str, ...], folders: tuple[str, ...], form: str) -> None:
    """List all rules and combined findings."""
    from goodcommission.report.rules import rules_data, rules_text

    loaded = _loaded(packs, folders)
    if form == "json":
        _deliver(_json(rules_data(loaded)), None, as_bytes=True)
    else:
        _deliver(rules_text(loaded, *_look()), None)


@rules.command("show")
@click.argument("id")
@_rules_from
@_form
def rules_show(id: str, folders: tuple[str, ...], form: str) -> None:
    """Show one rule or combined finding in full."""
    from goodcommission.report.rules import find, ids, rule_data, rule_text

    loaded = _loaded((), folders)
    found = find(loaded, id)
    if found is None:
        import difflib

        near = difflib.get_close_matches(id.upper(), ids(loaded), n=1)
        advice = f"Did you mean {near[0]}?" if near else "goodcommission rules list shows all."
        _fail(Fault(f'there is no rule "{id}"', suggestion=advice))
    if form == "json":
        _deliver(_json(rule_data(*found)), None, as_bytes=True)
    else:
        _deliver(rule_text(loaded, *found, *_look()), None)


@main.group(cls=click.Group)
def packs() -> None:
    """Rule packs."""


@packs.command("list")
@_rules_from
@_form
def packs_list(folders: tuple[str, ...], form: str) -> None:
    """List all packs."""
    from goodcommission.report.rules import packs_data, packs_text

    loaded = _loaded((), folders)
    if form == "json":
        _deliver(_json(packs_data(loaded)), None, as_bytes=True)
    else:
        _deliver(packs_text(loaded, *_look()), None)


@packs.command("check")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
def packs_check(paths: tuple[str, ...]) -> None:
    """Look for faults in packs, and run the cases of their rules."""
    from goodcommission.packs.checking import check_packs
    from goodcommission.report.text import count

    checked = check_packs(paths)
    for line in _fault_lines(checked.faults):
        _complain(line)
    held = [
        count(checked.packs, "file"),
        count(checked.rules, "rule"),
        count(checked.patterns, "combined finding"),
        count(checked.cases, "case"),
    ]
    _print(f"{', '.join(held)}: {count(len(checked.faults), 'fault') if checked.faults else 'no faults'}\n")
    sys.exit(BAD_INPUT if checked.faults else FINE)


_SCHEMAS = {
    "description": "description.schema.json",
    "pack": "rule-pack.schema.json",
    "report": "report.schema.json",
}


@main.command()
@click.argument("name", type=click.Choice(list(_SCHEMAS)))
def schema(name: str) -> None:
    """Print the JSON Schema of descriptions, rule packs or reports."""
    from goodcommission.packs.loading import shipped_folder

    _print_bytes((shipped_folder("schemas") / _SCHEMAS[name]).read_bytes())


# --- new ---------------------------------------------------------------------------------------------------------


class _Kind(click.Choice[str]):
    """A kind of document, written with a dash or an underscore."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(str(value).replace("-", "_"), param, ctx)


@main.command()
@click.argument("kind", type=_Kind(["tender", "contract", "decommissioning_plan"]))
@click.option("--quick", is_flag=True, help="Ask only the questions of the quick check, with help for each.")
@click.option("--format", "form", type=click.Choice(["yaml"]), default="yaml", show_default=True, help="YAML.")
@_output
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def new(kind: Kind, quick: bool, form: str, output: Path | None, force: bool) -> None:
    """Print a description to fill in, with its questions and what may be answered as comments."""
    from goodcommission.description.starting import starting_file

    if output is not None and output.is_file() and not force:
        advice = "Name another file, or add --force to lose what is in it."
        _fail(Fault("this file is there already", str(output), suggestion=advice))
    _deliver(starting_file(kind, quick=quick), output, as_bytes=True)


if __name__ == "__main__":
    main()
