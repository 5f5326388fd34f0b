"""Audits in threads of their own: a few at once, a bounded queue, and a clear answer when there is no room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from goodcommission.web.problems import ProblemError

T = TypeVar("T")


class Workers:
    """A few threads that audit, and a queue that is never long."""

    def __init__(self, at_once: int, waiting: int, seconds: float) -> None:
        self.at_once = at_once
        self.most = at_once + waiting
        self.seconds = seconds
        self.held = 0
        """Requests that are worked on or wait."""
        self.refused = 0
        self.pool = ThreadPoolExecutor(at_once, thread_name_prefix="audit")

    async def run(self, function: Callable[[], T]) -> T:
        """What the function gives.

        Raises:
            ProblemError: 503 if the queue is full or it took too long.
        """
        if self.held >= self.most:
            self.refused += 1
            raise ProblemError(503, "Too many audits are waiting; ask again in a moment.", headers={"Retry-After": "1"})
        future = asyncio.get_running_loop().run_in_executor(self.pool, function)
        self.held += 1
        future.add_done_callback(self._done)
        try:
            # Shielded: a thread can't be stopped, and it holds its place until it is done.
            return await asyncio.wait_for(asyncio.shield(future), self.seconds)
        except TimeoutError:
            self.refused += 1
            detail = f"The audit took longer than {self.seconds:g} s and was given up."
            raise ProblemError(503, detail, headers={"Retry-After": "5"}) from None

    def _done(self, future: asyncio.Future[T]) -> None:
        self.held -= 1
        if not future.cancelled():
            future.exception()  # Taken note of, or asyncio would complain about one that came too late.

    def close(self) -> None:
        """Let what is begun finish."""
        self.pool.shutdown(wait=True, cancel_futures=True)
