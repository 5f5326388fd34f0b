"""What all commands share: writing, faults, reading, options, and how a command ends."""

from __future__ import annotations

import datetime as dt
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from goodcommission.exceptions import Fault, GoodCommissionError

if TYPE_CHECKING:
    from goodcommission.description.document import Document

FINE = 0
GATE_FAILED = 1
BAD_INPUT = 2
OUR_FAULT = 3
INTERRUPTED = 130
BROKEN_PIPE = 141

_NARROWEST, _WIDEST = 20, 1_000
"""Columns: what a terminal is taken to have at least, and at most."""
MOST_FAULTS = 20
"""Lines shown for one file; the rest are counted."""


# --- What is written, and where ----------------------------------------------------------------------------------


def encoding_of(stream: Any) -> str:
    """The encoding of a stream; plain ASCII where the user has set LC_ALL to C, which Python overrides."""
    if os.environ.get("LC_ALL") in ("C", "POSIX") and not os.environ.get("PYTHONIOENCODING"):
        return "ascii"
    return getattr(stream, "encoding", None) or "utf-8"


def show(text: str) -> None:
    """Write text to standard output, in the characters that it has."""
    from goodcommission.report.terminal import degraded

    encoding = encoding_of(sys.stdout)
    show_bytes(degraded(text, encoding).encode(encoding, "replace"))


class OutputError(Exception):
    """Standard output can't be written to; the cause is the system's word for it."""


def show_bytes(data: bytes) -> None:
    """Write bytes to standard output: JSON is the same bytes on every machine.

    Raises:
        BrokenPipeError: Nobody reads it any more.
        OutputError: It is closed, or its disk is full.
    """
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, "standard output is closed")
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError from error


def complain(text: str) -> None:
    """Write a message to standard error, with nothing in it that acts on the terminal."""
    from goodcommission.report.terminal import degraded, neutral

    if sys.stderr is not None:
        with suppress(OSError):
            click.echo(degraded(neutral(text), encoding_of(sys.stderr)), err=True)


def fail(fault: str | Fault) -> NoReturn:
    """End the command with one message and the status of bad input."""
    raise GoodCommissionError(fault)


def deliver(text: str, output: Path | None, *, as_bytes: bool = False) -> None:
    """Write to standard output, or to a file that is there complete or not at all."""
    if output is None:
        if as_bytes:
            # Half a character, which a name can hold whose bytes are no UTF-8: in JSON this is how it is written.
            show_bytes(text.encode("utf-8", "backslashreplace"))
        else:
            show(text)
        return
    from goodcommission.replacing import replace_file

    try:
        replace_file(output, text.encode("utf-8", "backslashreplace"))
    except IsADirectoryError:
        fail(Fault("this is a folder, not a file", str(output), suggestion="Name a file in it."))
    except BrokenPipeError:  # a pipe that nobody reads any more, as standard output may be
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fail(Fault(f"this file cannot be written: {reason}", str(output), suggestion="Nothing was written."))


def look() -> tuple[int, bool]:
    """Width and colour for text on standard output: 80 columns and none where it is not a terminal."""
    import shutil

    columns = os.environ.get("COLUMNS", "").lstrip("0")
    terminal = sys.stdout is not None and sys.stdout.isatty()
    if columns.isdecimal():
        width = int(columns[: len(str(_WIDEST)) + 1])
    else:
        width = shutil.get_terminal_size((80, 24)).columns if terminal else 80
    width = min(max(width, _NARROWEST), _WIDEST)
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


def fault_lines(faults: Iterable[Fault]) -> Iterator[str]:
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
    for line in fault_lines(error.faults):
        complain(line)


class Commands(click.Group):
    """A group of commands that ends each of them with a message and a status, never with a traceback.

    Args:
        lazy: Name of each command → the module that holds it, imported when it is asked for.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in self.lazy:
            return None
        command: click.Command = getattr(import_module(self.lazy[cmd_name]), cmd_name)
        return command

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; of the whole program, --help and --version are answered here."""
        # A command makes many objects and hardly any garbage; looking for it at the usual pace is 6% of a start.
        gc.set_threshold(100_000, *gc.get_threshold()[1:])
        _fill_standard_streams()
        _hear_of_the_end()
        with _with_a_sentence():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        with _with_a_sentence():
            return super().invoke(ctx)


@contextmanager
def _with_a_sentence() -> Iterator[None]:
    """Whatever goes wrong ends the command with a sentence and a status."""
    try:
        yield
    except GoodCommissionError as error:
        _report_faults(error)
        raise click.exceptions.Exit(BAD_INPUT) from None
    except KeyboardInterrupt as error:
        complain("Interrupted." if not isinstance(error, Stopped) else "Stopped by the system or another program.")
        raise click.exceptions.Exit(status_of(error)) from None
    except BrokenPipeError:
        _forget_output()
        raise click.exceptions.Exit(BROKEN_PIPE) from None
    except OutputError as error:
        _forget_output()
        complain(f"The report cannot be written: {getattr(error.__cause__, 'strerror', None) or error.__cause__}.")
        raise click.exceptions.Exit(BAD_INPUT) from None
    except OSError as error:
        if error.filename is None:
            _forget_output()
        what = error.filename if isinstance(error.filename, str) else "the system"
        complain(f"{what}: {error.strerror or error}.")
        raise click.exceptions.Exit(BAD_INPUT) from None
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
        complain(f"{kind}. (GOODCOMMISSION_DEBUG=1 shows where.)")
        raise click.exceptions.Exit(OUR_FAULT) from None


def _forget_output() -> None:
    """Nobody reads standard output any more: what is left in it must not be tried again on leaving."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


class Stopped(KeyboardInterrupt):
    """The process was asked to end: by ``kill``, by a shutdown, or because its terminal is gone."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def status_of(error: KeyboardInterrupt) -> int:
    """The status with which a command ends that was interrupted: as a shell shows the signal."""
    return 128 + error.number if isinstance(error, Stopped) else INTERRUPTED


def _hear_of_the_end() -> None:
    """Have a command that is told to end say so and clean up, as it does where Ctrl+C is pressed."""

    def stop(number: int, _: object) -> NoReturn:
        raise Stopped(number)

    if threading.current_thread() is not threading.main_thread():
        return
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Ignored by whoever started it (nohup) means ignored.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, stop)


def leave_the_end_to_the_system() -> None:
    """Undo this for a command that hears of its end in a way of its own."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def _fill_standard_streams() -> None:
    """Have the place of a standard stream that is closed taken by nothing: the next file that is opened would take it.

    Standard input is then empty. Standard output stays closed to us: a report that goes nowhere is an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 (as long as the process)


# --- Options -----------------------------------------------------------------------------------------------------


class Day(click.ParamType[dt.date]):
    """A day, written as in ISO 8601."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The day."""
        if isinstance(value, dt.date):
            return value
        try:
            if len(value) != 10:
                raise ValueError
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day; it is written as year-month-day, such as 2026-03-31", param, ctx)


class Points(click.ParamType[float]):
    """A score: a number from 0 to 100."""

    name = "points"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        try:
            points = float(value)
        except ValueError:
            points = -1.0
        if not 0 <= points <= 100:
            self.fail(f"{value!r} is no score; a number from 0 to 100 is expected", param, ctx)
        return points


Command = Callable[..., Any]

files_argument = click.argument("files", nargs=-1, required=True, metavar="FILE...")
form_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Text, or JSON."
)
output_option = click.option("--output", "-o", type=click.Path(path_type=Path), help="Write to this file instead.")
rules_option = click.option(
    "--rules", "folders", multiple=True, metavar="DIR", help="Use the packs in this folder or file as well; repeatable."
)
commissioner_option = click.option(
    "--commissioner", metavar="FILE", help="The commissioner's profile; it fills what the descriptions do not say."
)
pack_option = click.option("--pack", "packs", multiple=True, metavar="ID", help="Use only this pack; repeatable.")
tier_option = click.option(
    "--tier",
    type=click.Choice(["small", "medium", "large"]),
    help="How much to ask; by default what the value of the contract says.",
)


# --- Reading ----------------------------------------------------------------------------------------------------


def read(
    files: Sequence[str],
    commissioner: str | None = None,
    said: dict[str, None] | None = None,
    *,
    cases: bool = False,
) -> tuple[list[Document], bool]:
    """All documents in all files, in their order, and whether something is wrong; what is wrong is said, once.

    ``said`` is what was said before; it is added to. With ``cases``, a case file is not said to be wrong here: the
    error is raised, for who can read it.
    """
    from goodcommission.description.reading import read_documents
    from goodcommission.exceptions import CaseFileError

    documents: list[Document] = []
    said = {} if said is None else said
    if [*files, commissioner].count("-") > 1:
        fail("standard input (-) can be named only once.")
    for file in files:
        try:
            documents.extend(printable(document) for document in read_documents(file, commissioner=commissioner))
        except GoodCommissionError as error:
            if cases and isinstance(error, CaseFileError) and file != "-":
                raise
            say_once(error, said)
    return documents, bool(said)


def say_once(error: GoodCommissionError, said: dict[str, None]) -> None:
    """Say what is wrong, but for what was said before."""
    for line in fault_lines(error.faults):
        if line not in said:
            said[line] = None
            complain(line)


def printable(document: Document) -> Document:
    """A document whose name can be written down, whatever bytes its file is named with."""
    from goodcommission.description.document import printable_name

    profile = document.profile and replace(document.profile, name=printable_name(document.profile.name))
    source = document.source and replace(document.source, name=printable_name(document.source.name))
    return replace(document, name=printable_name(document.name), source=source, profile=profile)


def check_output(output: Path | None, files: Sequence[str]) -> None:
    """Refuse an output that would overwrite an input."""
    if output is not None and output.exists():
        for file in files:
            if file != "-" and os.path.exists(file) and os.path.samefile(file, output):
                fail(Fault("the output would overwrite what is read", str(output), suggestion="Name another file."))


def as_json(value: Any) -> str:
    """JSON as the commands print it."""
    import json

    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
