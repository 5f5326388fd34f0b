"""Audits in processes of their own, so that they use every core: Python's threads share one."""

from __future__ import annotations

import ctypes
import gc
import mmap
import multiprocessing
import os
import signal
import sys
import threading
import zlib
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from goodcommission.exceptions import GoodCommissionError
from goodcommission.web.problems import ProblemError
from goodcommission.web.service import AuditOptions, Counted, Service

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_GZIP: Final = 31
"""A window of 15 bits, with gzip's head and foot."""
_PLACE: Final = 4_000_000
"""Bytes of one place for what is made; an audit of all packs takes 0.9 million as JSON."""
_PLACES: Final = 4
"""Of one process: the server empties them as fast as they are filled."""
_OBJECTS: Final = 20_000
"""Made before Python looks for cycles that nothing holds; an audit makes some thousands, and next to no cycle."""
_service: Service | None = None
_shelf: Shelf | None = None
_number: int = 0
"""Which of the processes this one is."""


class AuditProcessError(Exception):
    """Something unforeseen in a process: its kind and place, and nothing of a document."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One audit to be made."""

    body: bytes
    name: str
    options: AuditOptions
    form: str
    compressed: bool
    """Whether to compress what is made: done here, since it takes about as long as the audit."""


Made = tuple[bytes, tuple[Counted, ...]]
"""What was made, and what to count of it."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where on the shelf it lies."""

    place: int
    length: int


class Shelf:
    """Memory that the processes and the server share: a pipe would copy each report five times, in small pieces."""

    def __init__(self, processes: int) -> None:
        self._memory = mmap.mmap(-1, processes * _PLACES * _PLACE)
        self._taken = mmap.mmap(-1, processes * _PLACES)

    def put(self, process: int, made: bytes) -> bytes | Shelved:
        """Lay it on a place of this process; it stays as it is where there is no place for it."""
        for place in range(process * _PLACES, (process + 1) * _PLACES):
            if len(made) <= _PLACE and not self._taken[place]:
                self._taken[place] = 1
                self._memory[place * _PLACE : place * _PLACE + len(made)] = made
                return Shelved(place, len(made))
        return made

    def take(self, put: Shelved) -> bytes:
        """What was laid there, which frees its place."""
        made = self._memory[put.place * _PLACE : put.place * _PLACE + put.length]
        self._taken[put.place] = 0
        return made


def audited(service: Service, asked: Asked) -> Made:
    """The report of what was sent, and what to count of it."""
    made, counts = service.audited(asked.body, asked.name, asked.options, asked.form)
    if asked.compressed:
        packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        made = packer.compress(made) + packer.flush()
    return made, counts


def possible() -> bool:
    """Whether processes can be made by forking, safely: on Linux, while there is one thread only."""
    return sys.platform == "linux" and threading.active_count() == 1


def start(service: Service, amount: int) -> ProcessPoolExecutor:
    """Processes that share what the service has loaded; to be started before there is any thread."""
    global _service, _shelf  # A fork has them without their being sent.
    _service, _shelf = service, Shelf(amount)
    service.warm()
    # What is there now stays shared: collecting would touch, and so copy, all of it.
    gc.collect()
    gc.freeze()
    context = _context()
    started = context.Value("i", 0)
    pool = ProcessPoolExecutor(amount, mp_context=context, initializer=_started, initargs=(os.getpid(), started))
    pool.submit(int).result()
    gc.unfreeze()
    return pool


def _context() -> multiprocessing.context.ForkContext:
    """How processes are forked: they don't hear SIGTERM, so that the pool's way to end one has to be another.

    Where one of them has died, the pool of Python 3.12 and later tells the others to end, and waits for them with its
    lock held: they would not, and the server would stand still.
    """

    class Endable(multiprocessing.context.ForkProcess):
        def terminate(self) -> None:
            self.kill()

    class Context(multiprocessing.context.ForkContext):
        Process = Endable

    return Context()


def submit(pool: ProcessPoolExecutor, asked: Asked) -> Future[Made]:
    """Have one audit made by a process."""
    made: Future[Made] = Future()
    shelf = _shelf
    if shelf is None:
        raise AuditProcessError("there are no processes")

    def take(done: Future[tuple[bytes | Shelved, tuple[Counted, ...]]]) -> None:
        # Also if nobody waits for it any more: its place has to be freed.
        if done.cancelled():
            made.cancel()
        elif (error := done.exception()) is not None:
            made.set_exception(error)
        else:
            put, counts = done.result()
            made.set_result((put if isinstance(put, bytes) else shelf.take(put), counts))

    pool.submit(_work, asked).add_done_callback(take)
    return made


def _started(parent: int, started: Any) -> None:
    global _number  # noqa: PLW0603 (of this process)
    with started.get_lock():
        _number = started.value
        started.value += 1
    # Ctrl+C and a stopping service reach all processes; the server ends these when their work is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    gc.set_threshold(_OBJECTS)


def _work(asked: Asked) -> tuple[bytes | Shelved, tuple[Counted, ...]]:
    if _service is None or _shelf is None:
        raise AuditProcessError("the process has no packs")
    try:
        made, counts = audited(_service, asked)
        return _shelf.put(_number, made), counts
    except (GoodCommissionError, ProblemError):
        raise
    except Exception as error:
        # Not every error can be sent on, and its message may hold what was sent.
        raise AuditProcessError(f"{type(error).__name__} at {place_of(error)}") from None


def place_of(error: BaseException) -> str:
    """File and line at which an error was raised."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    return f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "unknown"
