"""Audits in processes of their own, so that they use every core: Python's threads share one."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
import zlib
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from goodcommission.exceptions import GoodCommissionError
from goodcommission.web.problems import ProblemError
from goodcommission.web.service import AuditOptions, Counted, Service

_DIE_WITH_PARENT: Final = 1
"""PR_SET_PDEATHSIG of prctl(2)."""
_GZIP: Final = 31
"""A window of 15 bits, with gzip's head and foot."""
_service: Service | None = None


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


def audited(service: Service, asked: Asked) -> Made:
    """The report of what was sent, and what to count of it."""
    text, counts = service.audited(asked.body, asked.name, asked.options, asked.form)
    made = text.encode("utf-8")
    if asked.compressed:
        packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        made = packer.compress(made) + packer.flush()
    return made, counts


def possible() -> bool:
    """Whether processes can be made by forking, safely: on Linux, while there is one thread only."""
    return sys.platform == "linux" and threading.active_count() == 1


def start(service: Service, amount: int) -> ProcessPoolExecutor:
    """Processes that share what the service has loaded; to be started before there is any thread."""
    global _service  # noqa: PLW0603 (a fork has it without sending it)
    _service = service
    service.warm()
    # What is there now stays shared: collecting would touch, and so copy, all of it.
    gc.collect()
    gc.freeze()
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(amount, mp_context=context, initializer=_started, initargs=(os.getpid(),))
    pool.submit(int).result()
    gc.unfreeze()
    return pool


def submit(pool: ProcessPoolExecutor, asked: Asked) -> Future[Made]:
    """Have one audit made by a process."""
    return pool.submit(_work, asked)


def _started(parent: int) -> None:
    # Ctrl+C and a stopping service reach all processes; the server ends these when their work is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _work(asked: Asked) -> Made:
    if _service is None:
        raise AuditProcessError("the process has no packs")
    try:
        return audited(_service, asked)
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
