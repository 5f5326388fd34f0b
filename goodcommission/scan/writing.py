"""The folder that a scan writes: made beside its place, journalled chunk by chunk, moved when it is complete."""

from __future__ import annotations

import errno
import io
import json
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final, Literal, NoReturn, get_args

import polars as pl

from goodcommission.exceptions import Fault, ScanError
from goodcommission.packs.compiling import Packs
from goodcommission.scan.inputs import Chunk, Input, Reader, chunks, find_inputs
from goodcommission.scan.merging import merging
from goodcommission.scan.results import summary_counts
from goodcommission.scan.running import Counts, Done, Options, Plan, Register, cores, out_of_space, prepare, run
from goodcommission.scan.summary import Partial, Summary, merged, summarise
from goodcommission.scan.summary_html import html
from goodcommission.scan.tables import defused
from goodcommission.version import VERSION

Format = Literal["parquet", "csv", "jsonl"]
FORMATS: Final[tuple[str, ...]] = get_args(Format)
TABLES: Final = ("notices", "rules")
ABOUT: Final = "scan.json"
ERRORS: Final = "errors.jsonl"
_WORK: Final = ".work"
_JOURNAL: Final = "journal.jsonl"
_SUMS: Final = "sums"
_REGISTER: Final = "releases.sqlite"
_ROWS: Final = 250_000
"""Rows of a row group of Parquet: fixed, so that the bytes don't depend on how a table came about."""


@dataclass(frozen=True, slots=True)
class Files:
    """Writes the tables of a chunk beside the scan, in whichever process audits it; the main process takes them in."""

    folder: Path
    form: Format
    with_rules: bool = True
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    """Which run of the scan this is. A process whose main process was killed may write a piece when the next run has
    begun: nobody takes it."""

    def put(self, number: int, notices: pl.DataFrame, rules: pl.DataFrame) -> bytes:
        """Write the tables."""
        for name, table in zip(TABLES, (notices, rules), strict=True):
            if name in self.names:
                with self.piece(name, number).open("wb") as file:
                    file.write(_written(table, self.form))
                    file.flush()
                    os.fsync(file.fileno())
        return b""

    def piece(self, name: str, number: int) -> Path:
        """Where a chunk's part of a table is written, before it is taken in."""
        return self.folder / _WORK / f"{name}-{number:05d}-{self.run}"

    def part(self, name: str, number: int) -> Path:
        """Where a chunk's part of a table stands that is a folder of parts."""
        return self.folder / name / f"part-{number:05d}.parquet"

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that are written."""
        return TABLES if self.with_rules else TABLES[:1]


def _written(table: pl.DataFrame, form: Format) -> bytes:
    buffer = io.BytesIO()
    if form == "parquet":
        table.rechunk().write_parquet(buffer, compression="zstd", row_group_size=_ROWS)
    elif form == "csv":
        defused(table).write_csv(buffer, include_header=False)
    else:
        table.write_ndjson(buffer)
    return buffer.getvalue()


class Folder:
    """The folder of one scan while it is made.

    Args:
        place: Where it is to be when it is complete.
        form: The form of the tables.
        with_rules: Whether the table of rules is written.
        force: Whether an earlier scan in its place, complete or not, may be replaced.
        resume: Whether to go on with a scan that was interrupted.
        asked: What is scanned and how, which must be the same when it is resumed.

    Raises:
        ScanError: There is something in its place, or what is to be resumed is another scan.
    """

    def __init__(
        self, place: Path, form: Format, *, with_rules: bool, force: bool, resume: bool, asked: Mapping[str, Any]
    ) -> None:
        self.place = place
        self.half = half_of(place)
        self.replaced = place.with_name(f".{place.name}.replaced")
        self.files = Files(self.half, form, with_rules)
        self.work = self.half / _WORK
        self.done: list[dict[str, Any]] = []
        """What the journal says of the chunks that are done."""
        self._appended: dict[str, IO[bytes]] = {}
        self._journal: IO[bytes] | None = None
        self._register: Register | None = None
        try:
            self._check(force=force, resume=resume)
            self._open(asked, resume=resume)
        except BaseException:
            self.close()
            raise

    def _open(self, asked: Mapping[str, Any], *, resume: bool) -> None:
        if not (resume and self._read_journal(asked)):
            self._begin(asked)
        form = self.files.form
        appended = [self.half / ERRORS, self.work / _SUMS]
        if form != "parquet":
            appended += [self.half / f"{name}.{form}" for name in self.files.names]
        for path in appended:
            self._appended[path.relative_to(self.half).as_posix()] = path.open("r+b")
        sizes = self.done[-1]["sizes"] if self.done else {}
        for name, file in self._appended.items():
            size = sizes.get(name, self._heads.get(name, 0))
            if file.seek(0, io.SEEK_END) < size:
                raise _damaged(f"{name} is shorter than it was", self.half)
            file.truncate(size)
            file.seek(0, io.SEEK_END)
        self._journal = (self.work / _JOURNAL).open("ab")

    def _check(self, *, force: bool, resume: bool) -> None:
        shown = str(self.place)
        if os.path.lexists(self.place):
            ours = self.place.is_dir() and ((self.place / ABOUT).is_file() or not any(self.place.iterdir()))
            if force and not ours:
                raise ScanError(Fault("this is no earlier scan, and is not replaced", shown))
            if (self.place / ABOUT).is_file() and not self.half.exists():
                self._tidy()  # it was stopped when it was complete
            if resume and not self.half.exists():
                raise ScanError(Fault("this scan is complete: there is nothing to resume", shown))
            resumes = resume and ours  # what was begun with --force goes on without it
            if not (force or resumes) and not (ours and not any(self.place.iterdir())):
                advice = "Name another folder with --output, or replace it with --force."
                raise ScanError(Fault("there is something here already", shown, suggestion=advice))
        if self.half.exists() and not resume:
            if not any(self.half.iterdir()):  # stopped before it had begun
                self.half.rmdir()
                return
            if not self.work.is_dir():
                raise ScanError(Fault("this is no interrupted scan, and is in the way", str(self.half)))
            with suppress(sqlite3.Error):  # what is damaged is none of another scan that goes on
                self._hold()
            if not force:
                advice = "Go on with it by --resume, or begin anew with --force."
                raise ScanError(Fault("there is an interrupted scan here", str(self.half), suggestion=advice))
            self._delete()

    def _hold(self) -> None:
        """Have the folder to ourselves; before it, nothing in it may be touched.

        Raises:
            ScanError: Another scan is writing here.
        """
        self._register = Register(self.work / _REGISTER)

    @property
    def register(self) -> Register:
        """Which releases were read before; who has it has the folder."""
        if self._register is None:
            raise ValueError("the folder is closed")
        return self._register

    def _delete(self) -> None:
        """Take away what an interrupted scan left."""
        if self._register is not None:
            self._register.close()
            self._register = None
        shutil.rmtree(self.half)

    @property
    def _heads(self) -> Mapping[str, int]:
        """The bytes that a file has before the first chunk."""
        return {} if self.files.form != "csv" else {f"{name}.csv": len(_head(name)) for name in self.files.names}

    def _begin(self, asked: Mapping[str, Any]) -> None:
        self.work.mkdir(parents=True)
        self._hold()
        (self.half / ERRORS).touch()
        (self.work / _SUMS).touch()
        for name in self.files.names:
            if self.files.form == "parquet":
                (self.half / name).mkdir()
            else:
                head = _head(name) if self.files.form == "csv" else b""
                (self.half / f"{name}.{self.files.form}").write_bytes(head)
        with (self.work / _JOURNAL).open("wb") as file:  # last: a folder with a journal has all the rest
            _append(file, _line(asked))

    def _read_journal(self, asked: Mapping[str, Any]) -> bool:
        """Read what is done of an interrupted scan; False if it had not begun."""
        lines: list[bytes] = []
        if self.work.is_dir():
            self._hold()
        with suppress(FileNotFoundError), (self.work / _JOURNAL).open("r+b") as file:
            *lines, half = file.read().split(b"\n")
            file.truncate(file.tell() - len(half))
        if not lines:
            if self.half.exists():
                self._delete()
            return False
        try:
            before, *self.done = [json.loads(line) for line in lines]
        except ValueError as error:
            raise _damaged(f"{_JOURNAL}: {error}", self.half) from None
        if before != (now := json.loads(_line(asked))):
            raise ScanError(
                *(
                    Fault(
                        f"this can't be resumed, because {_difference(name, before.get(name), now.get(name))}",
                        str(self.half),
                    )
                    for name in now
                    if before.get(name) != now.get(name)
                )
            )
        if self.files.form == "parquet":
            for part in (self.files.part(name, one["chunk"]) for one in self.done for name in self.files.names):
                if not part.is_file():
                    raise _damaged(f"{part.relative_to(self.half).as_posix()} is missing", self.half)
        for path in self.work.iterdir():  # what was not taken in
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in {_JOURNAL, _SUMS} and not path.name.startswith(_REGISTER):
                path.unlink()
        return True

    # -- chunk by chunk --

    def check(self, chunk: Chunk, mark: str) -> None:
        """Make sure that a chunk which is done is what it was.

        Args:
            chunk: The chunk.
            mark: Of all that was read when it was full.

        Raises:
            ScanError: It is not: the inputs have changed.
        """
        if self.done[chunk.number]["read"] != mark:
            advice = "Begin anew with --force."
            message = f"this can't be resumed, because the input is not what it was ({chunk.place})"
            raise ScanError(Fault(message, str(self.half), suggestion=advice))

    def add(self, done: Done, mark: str, finished: int) -> None:
        """Keep what is done: from here on, an interruption loses nothing of it.

        Args:
            done: The chunk that is audited.
            mark: Of all that was read when the chunk was full.
            finished: How many inputs had been read to their end.
        """
        self._appended[ERRORS].write(done.errors)
        self._appended[f"{_WORK}/{_SUMS}"].write(len(done.sums).to_bytes(8, "big") + done.sums)
        pieces = []
        for name in self.files.names:
            piece = self.files.piece(name, done.number)
            if self.files.form == "parquet":
                os.replace(piece, self.files.part(name, done.number))
                continue
            with piece.open("rb") as file:
                shutil.copyfileobj(file, self._appended[f"{name}.{self.files.form}"])
            pieces.append(piece)
        for appended in self._appended.values():
            appended.flush()
            os.fsync(appended.fileno())
        known = {
            "chunk": done.number,
            "read": mark,
            "finished": finished,
            "counts": asdict(done.counts),
            "kinds": dict(done.kinds),
            "sizes": {name: file.tell() for name, file in self._appended.items()},
        }
        _append(self._journal, _line(known))
        self.done.append(known)
        for piece in pieces:
            piece.unlink()

    @property
    def counts(self) -> Counts:
        """What became of what was read, so far."""
        return sum((Counts(**one["counts"]) for one in self.done), Counts())

    @property
    def kinds(self) -> dict[str, int]:
        """Rejections by their kinds, so far."""
        kinds: dict[str, int] = {}
        for one in self.done:
            for kind, times in one["kinds"].items():
                kinds[kind] = kinds.get(kind, 0) + times
        return dict(sorted(kinds.items()))

    def sums(self) -> Iterator[Partial]:
        """The sums of all chunks, in their order."""
        with (self.work / _SUMS).open("rb") as file:
            while size := file.read(8):
                yield Partial.from_bytes(file.read(int.from_bytes(size, "big")))

    # -- the end --

    def close(self) -> None:
        """Let go of the files, and of the folder."""
        for file in (*self._appended.values(), self._journal, self._register):
            if file is not None:
                with suppress(OSError, sqlite3.Error):
                    file.close()

    def finish(self, texts: Mapping[str, str]) -> None:
        """Write the last files and move the folder to its place."""
        for name, text in texts.items():
            with (self.half / name).open("wb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
        self.close()
        if self.place.exists():
            # Moved aside, not deleted: what stops the process leaves the old scan or the new one, and no half.
            if self.replaced.exists():
                shutil.rmtree(self.replaced)
            os.replace(self.place, self.replaced)
        os.replace(self.half, self.place)
        self._tidy()

    def _tidy(self) -> None:
        """Take away what only the making of the scan needed."""
        for folder in (self.place / _WORK, self.replaced):
            if folder.exists():
                shutil.rmtree(folder)


def half_of(place: Path) -> Path:
    """Where a scan is while it is not complete."""
    return place.with_name(place.name + ".partial")


def asked_of(
    inputs: Sequence[Input], options: Options, packs: Packs, form: Format, *, with_rules: bool
) -> dict[str, Any]:
    """What is scanned and how."""
    return {
        "goodcommission": VERSION,
        "inputs": [[one.name, one.size] for one in inputs],
        "packs": {one.pack.id: one.digest for one in packs.packs},
        "options": {**options.to_json(), "format": form, "without_rules": not with_rules},
    }


def about(
    inputs: Sequence[Input], passed_over: int, asked: Mapping[str, Any], counts: Counts, kinds: Mapping[str, int]
) -> str:
    """scan.json: what was scanned, how, and what became of it."""
    value = {
        "schema_version": "1.0",
        "goodcommission": asked["goodcommission"],
        "inputs": [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in inputs],
        "passed_over": passed_over + sum(one.passed_over for one in inputs),
        "packs": asked["packs"],
        "options": asked["options"],
        "counts": asdict(counts),
        "errors": dict(kinds),
    }
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _head(name: str) -> bytes:
    from goodcommission.scan.tables import NOTICES, RULES

    return (",".join(NOTICES if name == "notices" else RULES) + "\n").encode()


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace") + b"\n"


def _append(file: Any, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def _difference(name: str, before: Any, now: Any) -> str:
    """What is not as it was, in words."""
    if name == "goodcommission":
        return f"it was begun with goodcommission {before}, and this is {now}"
    if name == "packs":
        changed = sorted(id for id in {*before, *now} if before.get(id) != now.get(id))
        return f"rule packs are not what they were: {', '.join(changed)}"
    if name == "options":
        changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        return "options differ: " + ", ".join(
            f"{key} was {before.get(key)!r} and is {now.get(key)!r}" for key in changed
        )
    was, are = dict(before), dict(now)
    changed = sorted(key for key in {*was, *are} if was.get(key, -1) != are.get(key, -1)) or ["their order"]
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f"the inputs are not what they were: {', '.join(changed[:3])}{more}"


# --- The whole ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A scan that is complete and in its place."""

    place: Path
    summary: Summary
    counts: Counts
    errors: Mapping[str, int]
    """How many entries were rejected, by the kind of what is wrong."""
    passed_over: int
    """Files and members of archives that by their names hold no notices."""


Progress = Callable[[int, int | None, int], None]
"""Told after each chunk: bytes read as they are stored, all bytes if that is known, and releases read by this run."""


def write_scan(
    paths: Sequence[str | os.PathLike[str]],
    place: str | os.PathLike[str],
    options: Options,
    *,
    form: Format = "parquet",
    with_rules: bool = True,
    force: bool = False,
    resume: bool = False,
    jobs: int | None = None,
    stream: IO[bytes] | None = None,
    progress: Progress | None = None,
) -> Written:
    """Scan published notices and write what is found into a folder.

    Args:
        paths: Files, folders, patterns, or "-" for standard input.
        place: The folder; it is made beside its place as ``….partial``, and moved when it is complete.
        options: What is asked of the scan.
        form: The form of the tables: Parquet in parts, or each table one file of CSV or JSON Lines.
        with_rules: Whether the table with one row a notice and rule is written.
        force: Whether an earlier scan in this place may be replaced.
        resume: Whether to go on with a scan that was interrupted.
        jobs: How many processes audit; by default one for each core.
        stream: What to read for "-".
        progress: Called after each chunk.

    Raises:
        ScanError: It can't begin, go on or be resumed. What was done is kept and can be resumed.
        PackError: There is no such pack or law.
    """
    target = Path(os.path.abspath(place))
    packs = prepare(options)
    inputs, passed_over = find_inputs(paths, (target, half_of(target)))
    asked = asked_of(inputs, options, packs, form, with_rules=with_rules)
    given = [replace(one) for one in inputs]
    folder: Folder | None = None
    try:
        folder = Folder(target, form, with_rules=with_rules, force=force, resume=resume, asked=asked)
        reader = Reader(inputs, stream)
        finished = _audit(folder, reader, options, packs, jobs or cores(), progress)
        counts, kinds = folder.counts, folder.kinds
        summary = summarise(merged(folder.sums()), packs, summary_counts(counts))
        read = [*inputs[:finished], *given[finished:]]
        texts = {
            "summary.html": html(summary),
            "summary.json": summary.to_json(),
            ABOUT: about(read, passed_over, asked, counts, kinds),  # last: by it a scan that is complete is known
        }
        folder.finish(texts)
    except sqlite3.OperationalError as error:
        _stopped(out_of_space(error), half_of(target))
    except sqlite3.DatabaseError as error:
        raise _damaged(str(error), half_of(target)) from None
    except OSError as error:
        _stopped(error, half_of(target))
    finally:
        if folder is not None:
            folder.close()
            if not folder.done:  # there is nothing to resume
                shutil.rmtree(folder.half, ignore_errors=True)
    passed_over += sum(one.passed_over for one in read)
    return Written(target, summary, counts, kinds, passed_over)


def _damaged(what: str, half: Path) -> ScanError:
    message = f"what the scan keeps for itself is damaged: {what}"
    return ScanError(Fault(message, str(half), suggestion="Begin anew with --force."))


def _stopped(error: OSError, half: Path) -> NoReturn:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    what = "there is no space left to write to" if full else f"the scan can't be written: {error.strerror or error}"
    advice = "Make room, and go on with --resume." if full else "What is done is kept; go on with --resume."
    raise ScanError(Fault(what, str(half), suggestion=advice)) from None


def _audit(folder: Folder, reader: Reader, options: Options, packs: Packs, jobs: int, progress: Progress | None) -> int:
    """Audit what is not done yet; how many inputs were read to their end."""
    before = len(folder.done)
    marks: dict[int, tuple[str, int, int]] = {}

    def coming() -> Iterator[Chunk]:
        items = merging(reader, folder.work) if options.merge else reader.texts()
        number = -1
        for chunk in chunks(items):
            number = chunk.number
            if number < before:
                folder.check(chunk, reader.mark)
            else:
                marks[number] = (reader.mark, reader.done, reader.finished)
                yield chunk
        if number + 1 < before:
            raise ScanError(Fault("this can't be resumed, because the input is shorter than it was", str(folder.half)))

    left = None if options.limit is None else options.limit - folder.counts.read
    register = folder.register
    register.left = left
    register.begin_at(before)
    count = 0
    for done in run(coming(), Plan(options, folder.files, packs), register.answer, jobs):
        mark, read, finished = marks.pop(done.number)
        folder.add(done, mark, finished)
        count += done.counts.read
        if progress is not None:
            progress(read, reader.total, count)
    return folder.done[-1]["finished"] if register.left == 0 else len(reader.inputs)
