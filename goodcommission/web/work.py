"""Audits in threads or processes of their own: a few at once, a bounded queue, a clear answer when there is no room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

from goodcommission.web import processes
from goodcommission.web.problems import ProblemError
from goodcommission.web.processes import Asked, Made
from goodcommission.web.service import Service

T = TypeVar("T")
log: Final = logging.getLogger("goodcommission.web")


class Workers:
    """A few that audit, and a queue that is never long."""

    def __init__(self, at_once: int, waiting: int, seconds: float, on_refused: Callable[[], None]) -> None:
        self.at_once = at_once
        self.most = at_once + waiting
        self.seconds = seconds
        self.held = 0
        """Requests that are worked on or wait."""
        self.on_refused = on_refused
        self.pool = ThreadPoolExecutor(at_once, thread_name_prefix="audit")
        self.others: ProcessPoolExecutor | None = None
        """Processes for plain audits, where there are some."""

    def start(self, service: Service) -> None:
        """Start the processes, if that is possible here; else all is done in threads."""
        if self.at_once > 1 and processes.possible():
            self.others = processes.start(service, self.at_once)

    async def run(self, function: Callable[[], T]) -> T:
        """What the function gives, from a thread.

        Raises:
            ProblemError: 503 if the queue is full or it took too long.
        """
        self._need_room()
        return await self._waited(asyncio.get_running_loop().run_in_executor(self.pool, function))

    async def audited(self, service: Service, asked: Asked) -> Made:
        """The report of what was sent, from a process where there are some.

        Raises:
            ProblemError: 503 if the queue is full, it took too long, or its process ended.
        """
        if self.others is None:
            return await self.run(lambda: processes.audited(service, asked))
        self._need_room()
        try:
            return await self._waited(asyncio.wrap_future(processes.submit(self.others, asked)))
        except BrokenProcessPool:
            if self.others is not None:
                self.others = None
                log.error("an audit's process ended: until the server is started again, audits share one core")
            raise ProblemError(503, "The audit was cut short; send it again.", headers={"Retry-After": "1"}) from None

    def _need_room(self) -> None:
        if self.held >= self.most:
            self.on_refused()
            raise ProblemError(503, "Too many audits are waiting; ask again in a moment.", headers={"Retry-After": "1"})

    async def _waited(self, future: asyncio.Future[T]) -> T:
        self.held += 1
        future.add_done_callback(self._done)
        try:
            # Shielded: what is begun can't be stopped, and it holds its place until it is done.
            return await asyncio.wait_for(asyncio.shield(future), self.seconds)
        except TimeoutError:
            self.on_refused()
            detail = f"The audit took longer than {self.seconds:g} s and was given up."
            raise ProblemError(503, detail, headers={"Retry-After": "5"}) from None

    def _done(self, future: asyncio.Future[T]) -> None:
        self.held -= 1
        if not future.cancelled():
            future.exception()  # Taken note of, or asyncio would complain about one that came too late.

    def close(self) -> None:
        """Let what is begun finish."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        if self.others is not None:
            self.others.shutdown(wait=True, cancel_futures=True)
