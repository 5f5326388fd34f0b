"""The scan itself: chunks audited by one process or by several, their results in order, whoever was quicker."""

from __future__ import annotations

import datetime as dt
import errno
import gc
import os
import pickle
import re
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from multiprocessing.connection import Connection, wait
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

import polars as pl

from goodcommission.description.facts import Facts, date
from goodcommission.engine.conditions import UNKNOWN, Condition, ConditionError, View, Vocabulary
from goodcommission.engine.verdicts import Setting
from goodcommission.exceptions import Fault, GoodCommissionError, ScanError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.packs.model import Tier
from goodcommission.regimes import regime_of
from goodcommission.scan.inputs import Chunk, Rejection
from goodcommission.scan.judging import Judge, Stated
from goodcommission.scan.notices import MOST_NOTICES, Notice, identity, merged, processes
from goodcommission.scan.summary import partial

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

BATCH: Final = 4_000
"""Notices that are judged together."""
_AHEAD: Final = 3
"""Chunks for each worker that may be under way or wait for an earlier one."""
_TABLES: Final = {
    "POLARS_MAX_THREADS": "1",
    # Memory of one chunk's tables is there for the next, a second later, and need not be had and cleared anew.
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:3000,muzzy_decay_ms:3000",
}
"""What Polars reads from the environment of a process that audits."""
_DATE: Final = "notice.date"
_CODES: Final = "service.classification"
_CPV: Final = re.compile(r"[0-9]{2,8}")
_MOST_SECONDS: Final = 10.0
"""How long a process that has nothing more to say may take to end."""
_NO_MEMORY: Final = 137
"""How a process ends that has no memory left, as when the system stops it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of a scan; the same options on the same inputs give the same bytes."""

    packs: tuple[str, ...] | None = None
    """Ids of packs; all by default."""
    rules: tuple[str, ...] = ()
    """Files and folders with packs of the user's own."""
    as_of: dt.date | None = None
    tier: Tier | None = None
    regime: str | None = None
    since: dt.date | None = None
    where: str | None = None
    limit: int | None = None
    merge: bool = False
    cpv: tuple[str, ...] = ()
    """What a CPV code of the notice begins with, any of these."""
    lock: str | None = None
    """The lock file of packs; it changes no result, and scan.json has the digests of the packs."""

    def to_json(self) -> dict[str, Any]:
        """As scan.json has them."""
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "lock"}
        return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the releases that were read: ``read`` is the sum of all others but ``undecided``."""

    read: int = 0
    audited: int = 0
    rejected: int = 0
    left_out: int = 0
    """By ``since``, ``cpv`` and ``where``."""
    merged: int = 0
    """Into another release of their process."""
    undecided: int = 0
    """Of those left out: a fact that the selection asks for is not known."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


class Sink(Protocol):
    """Where the tables of a chunk go, in the process that made them."""

    def put(self, number: int, notices: pl.DataFrame, rules: pl.DataFrame) -> bytes:
        """Store them; what is returned is handed to the main process."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What a worker needs to know; it is sent to each."""

    options: Options
    sink: Sink
    packs: Packs | None
    """The packs, loaded; None for another process, which loads them itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a worker found in a chunk, before it audits it: the main process says which releases were there before."""

    number: int
    entries: int
    releases: tuple[tuple[int, bytes, str, int], ...]
    """For each release with an id: its place among the entries, what its copies share, and where it stands."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be audited of a chunk."""

    take: int
    """So many entries, the first ones."""
    copies: Mapping[int, tuple[str, int]]
    """Releases that were there before, by their places among the entries: where."""


@dataclass(frozen=True, slots=True)
class Done:
    """A chunk that is audited."""

    number: int
    counts: Counts
    kinds: Mapping[str, int]
    """Rejections by their kinds."""
    errors: bytes
    """Lines of errors.jsonl."""
    sums: bytes
    """For the summary."""
    tables: bytes
    """What the sink gave."""


def prepare(options: Options, loaded: Packs | None = None) -> Packs:
    """The packs that are asked for.

    Raises:
        PackError: There is no such pack, or no such law.
        ScanError: The selection is no condition over facts, or no part of a CPV code.
    """
    packs = loaded or load_packs(options.packs, rules=options.rules, lock=options.lock)
    for one in options.cpv:
        if not _CPV.fullmatch(one):
            advice = "The first two digits are the division, such as 85 for health and social work."
            raise ScanError(
                Fault(f'"{one}" is not what a CPV code begins with: two to eight digits', suggestion=advice)
            )
    if options.where is not None:
        compile_where(options.where)
    regime_of(packs, Setting(Facts({}, {}, frozenset()), "tender", None, (), None), options.regime)
    return packs


# --- Choosing ----------------------------------------------------------------------------------------------------


def compile_where(text: str) -> Condition:
    """A selection of notices by a condition over their facts, as rules have them.

    Raises:
        ScanError: It is no such condition; with the place, and the nearest name where one is not known.
    """
    try:
        return Vocabulary().compile(text)
    except ConditionError as error:
        line, column = error.offset or (None, None)
        place = "" if column is None else f", column {column}" if line == 1 else f", line {line}, column {column}"
        raise ScanError(Fault(f"--where{place}: {error.message}", suggestion=error.suggestion)) from None


class _Choice:
    """Which notices are audited."""

    def __init__(self, options: Options) -> None:
        self.where = None if options.where is None else compile_where(options.where)
        self.since = options.since
        self.cpv = options.cpv

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that it asks for."""
        where = self.where.names if self.where else ()
        return (*where, *((_DATE,) if self.since else ()), *((_CODES,) if self.cpv else ()))

    def of(self, values: Mapping[str, Any]) -> bool | None:
        """Whether a notice that states these facts is chosen; None if that can't be told."""
        chosen: bool | None = True
        if self.since is not None:
            day = values.get(_DATE)
            if day is None:
                chosen = None
            elif date(day) < self.since:
                return False
        if self.cpv:
            codes = values.get(_CODES)
            if codes is None:
                chosen = None
            elif not any(code.startswith(self.cpv) for code in codes):
                return False
        if self.where is not None:
            asked = {name: values[name] for name in self.where.names if name in values}
            fits = self.where.value(View(asked))
            if fits is False:
                return False
            if fits is UNKNOWN:
                chosen = None
        return chosen


# --- One chunk ---------------------------------------------------------------------------------------------------


class Auditor:
    """Audits chunks, one after the other."""

    def __init__(self, plan: Plan) -> None:
        options = plan.options
        self.sink = plan.sink
        self.packs = plan.packs or load_packs(options.packs, rules=options.rules, lock=options.lock)
        self.choice = _Choice(options)
        self.judge = Judge(
            self.packs, as_of=options.as_of, tier=options.tier, regime=options.regime, further=self.choice.names
        )
        self._read: list[tuple[Notice | Stated | Rejection, ...]] = []

    def read(self, chunk: Chunk) -> Found:
        """What is in a chunk. Of a notice that needs no merging only what it states is kept, which is far less."""
        self._read = []
        releases: list[tuple[int, bytes, str, int]] = []
        place = 0
        for one in processes(chunk):
            notices = () if isinstance(one, Rejection) else one
            for at, notice in enumerate(notices, place):
                if (shared := identity(notice)) is not None:
                    releases.append((at, shared, notice.file, notice.line))
            if isinstance(one, Rejection):
                self._read.append((one,))
            else:
                self._read.append(one if len(one) > 1 else (stated(self.judge, one[0]),))
            place += len(self._read[-1])
        return Found(chunk.number, place, tuple(releases))

    def audit(self, number: int, answer: Answer) -> Done:
        """Audit what was read last."""
        tally = _Tally()
        rows = list(self._chosen(answer, tally))
        self._read = []
        tables = [
            judged(self.judge, rows[at : at + BATCH], tally.rejections) for at in range(0, max(len(rows), 1), BATCH)
        ]
        notices = pl.concat([one for one, _ in tables])
        rules = pl.concat([one for _, one in tables])
        rejections = [one for _, one in sorted(tally.rejections, key=itemgetter(0))]
        counts = Counts(answer.take, notices.height, len(rejections), tally.left_out, tally.merged, tally.undecided)
        return Done(
            number,
            counts,
            Counter(one.kind for one in rejections),
            b"".join(one.to_json() for one in rejections),
            partial(notices, rules, self.packs).to_bytes(),
            self.sink.put(number, notices, rules),
        )

    def _chosen(self, answer: Answer, tally: _Tally) -> Iterator[Stated]:
        """What the notices state that are to be audited."""
        place = 0
        for releases in self._read:
            kept: list[tuple[int, Notice | Stated | Rejection]] = []
            for at, one in enumerate(releases[: answer.take - place], place):
                if at in answer.copies:
                    tally.rejections.append((at, _copy(one, *answer.copies[at])))
                else:
                    kept.append((at, one))
            place += len(releases)
            if kept:
                tally.merged += len(kept) - 1
                at, first = kept[0]
                notices = [one for _, one in kept if isinstance(one, Notice)]
                one = stated(self.judge, merged(notices)) if isinstance(first, Notice) else first
                if isinstance(one, Rejection):
                    tally.rejections.append((at, one))
                elif self._fits(one, tally):
                    yield one
            if place >= answer.take:
                return

    def _fits(self, stated: Stated, tally: _Tally) -> bool:
        fits = self.choice.of(stated.values)
        if not fits:
            tally.left_out += 1
            tally.undecided += fits is None
        return bool(fits)


@dataclass(slots=True)
class _Tally:
    """What became of a chunk's entries that are not audited."""

    rejections: list[tuple[int, Rejection]] = field(default_factory=list)
    """With their places among the entries."""
    left_out: int = 0
    merged: int = 0
    undecided: int = 0


def stated(judge: Judge, notice: Notice) -> Stated | Rejection:
    """What a notice states; or why it can't be audited."""
    try:
        return judge.read(notice)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        return _rejected(notice, error)


def judged(
    judge: Judge, rows: Sequence[Stated], rejections: list[tuple[int, Rejection]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The tables of some notices; what can't be audited is rejected, and the others are audited all the same.

    Args:
        judge: Who judges.
        rows: What the notices state.
        rejections: To which those are added that can't be audited, each with its place: its number in its chunk.
    """
    try:
        tables = judge.judge(rows)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        if not rows:
            raise
        if len(rows) > 1:  # One of them is too much for us; which one, halving finds.
            half = len(rows) // 2
            parts = (judged(judge, rows[:half], rejections), judged(judge, rows[half:], rejections))
            return pl.concat([one for one, _ in parts]), pl.concat([one for _, one in parts])
        rejections.append((rows[0].number % MOST_NOTICES, _rejected(rows[0], error)))
        return judged(judge, [], rejections)
    by_number = {row.number: row for row in rows}
    for one in tables.rejected:
        row = by_number[one.number]
        rejection = Rejection(row.file, row.line, row.pointer + one.pointer, "refused", one.reason)
        rejections.append((row.number % MOST_NOTICES, rejection))
    return tables.notices, tables.rules


def _rejected(notice: Notice | Stated, error: Exception) -> Rejection:
    """A notice that can't be audited, and why."""
    if isinstance(error, GoodCommissionError):
        fault = error.faults[0]
        pointer = notice.pointer + (fault.pointer or "")
        return Rejection(notice.file, notice.line, pointer, "refused", fault.message)
    reason = f"goodcommission failed on this notice, please report it: {type(error).__name__}: {error}"
    return Rejection(notice.file, notice.line, notice.pointer, "failed", reason)


def _copy(one: Notice | Stated | Rejection, file: str, line: int) -> Rejection:
    """A release that was there before, and where."""
    reason = f"a release with the same ocid and id was read before: {file}, line {line}"
    return Rejection(one.file, one.line, one.pointer, "duplicate", reason)


# --- Copies ------------------------------------------------------------------------------------------------------


_SETTINGS: Final = ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL", "cache_size = -65536")
"""One scan at a time, no loss if it is killed, and a fixed part of the memory (in KiB)."""


class Register:
    """Knows which releases were read before, on disk, and how many entries are still to be taken.

    Args:
        path: Where it is kept. Who has it open holds the folder that it is in: no other scan gets it.
        left: How many entries are still to be taken; None: all.

    Raises:
        ScanError: Another scan has it open.
    """

    def __init__(self, path: Path, left: int | None = None) -> None:
        self.left = left
        self._store = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            for setting in _SETTINGS:
                self._store.execute(f"PRAGMA {setting}")
            self._store.execute(
                "CREATE TABLE IF NOT EXISTS releases"
                " (shared BLOB PRIMARY KEY, chunk INTEGER, place INTEGER, file TEXT, line INTEGER) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            self._store.close()
            if "locked" in str(error):
                raise ScanError(Fault("another scan is writing here", str(path.parent.parent))) from None
            raise

    def begin_at(self, chunk: int) -> None:
        """Forget what is known of this chunk and of later ones."""
        self._store.execute("DELETE FROM releases WHERE chunk >= ?", (chunk,))

    def answer(self, found: Found) -> Answer | None:
        """What is to be audited of a chunk; None if nothing is, because all that may be taken were taken.

        Chunks are asked for in their order; a chunk may be asked for again.
        """
        if self.left == 0:
            return None
        take = found.entries if self.left is None else min(self.left, found.entries)
        if self.left is not None:
            self.left -= take
        taken = (one for one in found.releases if one[0] < take)
        rows = [(shared, found.number, place, file, line) for place, shared, file, line in taken]
        copies: dict[int, tuple[str, int]] = {}
        self._store.execute("BEGIN")
        added = self._store.executemany("INSERT OR IGNORE INTO releases VALUES (?, ?, ?, ?, ?)", rows).rowcount
        if added < len(rows):
            for shared, number, place, *_ in rows:
                known = self._store.execute("SELECT chunk, place, file, line FROM releases WHERE shared = ?", (shared,))
                chunk, first, file, line = known.fetchone()
                if (chunk, first) != (number, place):
                    copies[place] = (file, line)
        self._store.execute("COMMIT")
        return Answer(take, copies)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()


def out_of_space(error: sqlite3.OperationalError) -> OSError:
    """SQLite's own word for a disk that is full or can't be written to, as the system's."""
    return OSError(errno.ENOSPC if "full" in str(error) else errno.EIO, str(error))


# --- One process -------------------------------------------------------------------------------------------------


def run(chunks: Iterator[Chunk], plan: Plan, answer: Callable[[Found], Answer | None], jobs: int = 1) -> Iterator[Done]:
    """Audit chunks; what is done is given in the order of the chunks.

    Args:
        chunks: What is to be audited.
        plan: How.
        answer: Asked for each chunk, in their order; None ends the scan.
        jobs: How many processes audit; 1 is this one. A single chunk is audited here as well.

    Raises:
        ScanError: A process died twice on the same chunk, or none could be started.
        OSError: The disk is full, or can't be written to.
    """
    first, second = next(chunks, None), next(chunks, None)
    if first is None:
        return
    if jobs == 1 or second is None:
        auditor = Auditor(plan)
        for chunk in _again(first, second, chunks):
            said = answer(auditor.read(chunk))
            if said is None:
                return
            yield auditor.audit(chunk.number, said)
        return
    with _Workers(plan, jobs) as workers:
        yield from workers.run(_again(first, second, chunks), answer)


def _again(first: Chunk, second: Chunk | None, rest: Iterator[Chunk]) -> Iterator[Chunk]:
    yield first
    if second is not None:
        yield second
    yield from rest


# --- Several processes -------------------------------------------------------------------------------------------


def cores() -> int:
    """How many processes can work at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    line: Connection
    ready: bool = False
    chunk: Chunk | None = None
    waits: bool = False
    """Whether it has read its chunk and waits for the answer."""


class _Workers:
    """Processes that audit chunks. One that dies gives its chunk to another, once, while no other works."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        self.plan, self.jobs = plan, jobs
        self.workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
            worker.line.close()

    def run(self, chunks: Iterator[Chunk], answer: Callable[[Found], Answer | None]) -> Iterator[Done]:
        """Audit all chunks."""
        coming = next(chunks, None)
        tried: set[int] = set()
        alone: list[Chunk] = []  # whose workers died
        asking: dict[int, tuple[_Worker, Found]] = {}
        answers: dict[int, Answer] = {}
        done: dict[int, Done] = {}
        next_asked = next_done = coming.number if coming else 0
        last: int | None = None
        while True:
            while len(self.workers) < self.jobs:
                self._start()
            while next_done in done:
                answers.pop(next_done, None)
                yield done.pop(next_done)
                next_done += 1
            if last is not None:
                coming = None
            busy = [one for one in self.workers if one.chunk is not None]
            if coming is None and not alone and not any(self._wanted(one, last) for one in busy):
                return
            for worker in [one for one in self.workers if one.ready and one.chunk is None]:
                if alone and all(one.waits for one in busy):
                    self._send(worker, alone.pop(0))
                    break
                if alone or any(one.chunk and one.chunk.number in tried for one in busy):
                    break
                if coming is not None and coming.number < next_done + _AHEAD * self.jobs:
                    self._send(worker, coming)
                    coming = next(chunks, None)
            heard = wait([*(one.line for one in self.workers), *(one.process.sentinel for one in self.workers)])
            for worker in [one for one in self.workers if one.line in heard or one.process.sentinel in heard]:
                try:
                    said = worker.line.recv() if worker.line.poll() else None
                except (EOFError, OSError):
                    said = None
                if said is None:
                    if worker.process.is_alive() and worker.line not in heard:
                        continue
                    self._died(worker, tried, alone)
                    asking = {number: one for number, one in asking.items() if one[0] is not worker}
                elif isinstance(said, Exception):
                    raise said
                elif isinstance(said, Found):
                    worker.waits = True
                    asking[said.number] = (worker, said)
                elif isinstance(said, Done):
                    done[said.number] = said
                    worker.chunk = None
                else:
                    worker.ready = True
            for number in sorted(asking):
                if number not in answers:
                    if number != next_asked:
                        break
                    next_asked += 1
                    told = None if last is not None else answer(asking[number][1])
                    if told is None:
                        last = number if last is None else last
                        continue
                    answers[number] = told
                worker, _ = asking.pop(number)
                worker.waits = False
                self._tell(worker, answers[number])

    @staticmethod
    def _wanted(worker: _Worker, last: int | None) -> bool:
        """Whether what a worker does is still wanted."""
        return worker.chunk is not None and (last is None or worker.chunk.number < last)

    def _start(self) -> None:
        from multiprocessing import get_context

        context = get_context("spawn")
        mine, its = context.Pipe()
        process = context.Process(
            target=work, args=(its, replace(self.plan, packs=None)), daemon=True, name="goodcommission-scan"
        )
        with _quiet_start():
            try:
                process.start()
            except RuntimeError:
                raise _unguarded() from None
            its.close()
            self.workers.append(_Worker(process, mine))

    def _send(self, worker: _Worker, chunk: Chunk) -> None:
        worker.chunk, worker.waits = chunk, False
        self._tell(worker, chunk)

    @staticmethod
    def _tell(worker: _Worker, what: Chunk | Answer) -> None:
        texts: list[pickle.PickleBuffer] = []
        said = pickle.dumps(what, 5, buffer_callback=texts.append)
        with suppress(OSError):  # It has died; that is heard soon.
            worker.line.send((said, len(texts)))
            for one in texts:
                worker.line.send_bytes(one)

    def _died(self, worker: _Worker, tried: set[int], alone: list[Chunk]) -> None:
        worker.process.join(_MOST_SECONDS)  # it says no more, and must not keep us
        worker.process.kill()
        worker.process.join()
        worker.line.close()
        self.workers.remove(worker)
        if not worker.ready:
            raise _unguarded()
        chunk = worker.chunk
        if chunk is not None:
            if chunk.number in tried:
                code = worker.process.exitcode
                killed = code in {-signal.SIGKILL, _NO_MEMORY} if hasattr(signal, "SIGKILL") else code == _NO_MEMORY
                how = "was stopped, perhaps for want of memory" if killed else f"ended with status {code}"
                message = f"the process that audited chunk {chunk.number} ({chunk.place}) {how}, twice"
                raise ScanError(Fault(message, suggestion="With --jobs 1 it has all the memory."))
            tried.add(chunk.number)
            alone.append(chunk)
            alone.sort(key=lambda one: one.number)


def _unguarded() -> ScanError:
    return ScanError(
        Fault(
            "a process for the scan could not be started",
            suggestion='In a script, call it under `if __name__ == "__main__":`, or with jobs=1.',
        )
    )


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Start a process that leaves Ctrl+C to us, and has one thread and memory that stays for its tables.

    What stops us waits until the process is known: else it would begin, and find nobody.
    """
    before = {name: os.environ.get(name) for name in _TABLES}
    os.environ.update(_TABLES)
    masked = None
    if hasattr(signal, "pthread_sigmask"):
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if masked is not None:  # last: here is where we may be stopped
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)


def _told(line: Connection) -> Any:
    """What `_Workers._tell` says."""
    said, texts = line.recv()
    return pickle.loads(said, buffers=[line.recv_bytes() for _ in range(texts)])  # noqa: S301 - as `recv` does


def work(line: Connection, plan: Plan) -> None:
    """What a worker does, until nobody listens: read a chunk, ask, audit it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            auditor = Auditor(plan)
            # What is loaded stays, and what a notice leaves behind goes by itself: looking for cycles costs a tenth.
            gc.freeze()
            gc.set_threshold(100_000, 50, 50)
            line.send("ready")
            while True:
                found = auditor.read(_told(line))
                line.send(found)
                line.send(auditor.audit(found.number, _told(line)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except MemoryError:
            sys.exit(_NO_MEMORY)
        except (OSError, GoodCommissionError) as error:
            line.send(error)
        except Exception as error:
            line.send(RuntimeError(f"{type(error).__name__}: {error}"))
