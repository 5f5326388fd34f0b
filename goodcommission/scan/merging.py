"""Releases of one process brought together: all of a file, and of files that follow each other, in constant memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import count, groupby
from pathlib import Path
from typing import Any, Final, Self

import orjson

from goodcommission.scan.inputs import MOST_BYTES, Item, Lines, Process, Reader, Rejection, Text
from goodcommission.scan.notices import Notice, entries

_TABLES: Final = """
BEGIN;
CREATE TABLE processes (ocid TEXT PRIMARY KEY, first INTEGER, size INTEGER) WITHOUT ROWID;
CREATE TABLE releases (
    first INTEGER, number INTEGER, line INTEGER, pointer TEXT, publisher TEXT, start INTEGER, size INTEGER,
    PRIMARY KEY (first, number)
) WITHOUT ROWID;
"""
_IN_MEMORY: Final = 16_000_000
"""Bytes of texts that are kept in memory; more are written to the disk."""


def merging(reader: Reader, folder: Path) -> Iterator[Item]:
    """What the inputs hold, with the releases of each process together, in the order in which the processes appear.

    A large file is written to the disk once more, decompressed, while its releases are sorted.

    Args:
        reader: The inputs.
        folder: Where there is room for the largest of them.
    """
    held: tuple[str, Process] | None = None
    for item in _by_file(reader.texts(), folder):
        if isinstance(item, Rejection):
            yield item
        elif held is not None and held[0] == item[0]:
            held = (held[0], _joined(held[1], item[1]))
        else:
            if held is not None:
                yield from _fit(held[1])
            held = item
    if held is not None:
        yield from _fit(held[1])


def _joined(process: Process, more: Process) -> Process:
    return Process(
        process.releases + more.releases, process.pointers + more.pointers, process.publishers + more.publishers
    )


def _fit(process: Process) -> Iterator[Item]:
    """The process; or its releases as rejections, if it is too large to be merged."""
    if sum(len(one.data) for one in process.releases) <= MOST_BYTES:
        yield process
        return
    for text, pointer in zip(process.releases, process.pointers, strict=True):
        yield _rejected(text.file, text.line, pointer)


def _rejected(file: str, line: int, pointer: str) -> Rejection:
    reason = f"the releases of this process are larger than {MOST_BYTES // 1_000_000} MB together, and are not merged"
    return Rejection(file, line, pointer, "too_large", reason)


def _by_file(texts: Iterable[Text | Lines | Rejection], folder: Path) -> Iterator[Rejection | tuple[str, Process]]:
    for file, items in groupby(texts, key=lambda item: item.file):
        with (
            tempfile.TemporaryDirectory(dir=folder, prefix="merging-") as place,
            _Sorted(file, Path(place)) as releases,
        ):
            yield from releases.take(items)
            yield from releases.processes()


class _Sorted:
    """The releases of one file on the disk, with an index of their processes."""

    def __init__(self, file: str, folder: Path) -> None:
        self._file = file
        self._texts = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(folder))  # noqa: SIM115
        self._index = sqlite3.connect("", isolation_level=None)  # goes to the disk by itself when it grows
        self._index.executescript(_TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._index.close()
        self._texts.close()

    def take(self, texts: Iterable[Text | Lines | Rejection]) -> Iterator[Rejection]:
        """Take in all releases; what is wrong is given at once."""
        numbers = count()
        for text in texts:
            if isinstance(text, Rejection):
                yield text
                continue
            for each in text.texts() if isinstance(text, Lines) else (text,):
                for one in entries(each, numbers):
                    if isinstance(one, Rejection):
                        yield one
                    else:
                        self._add(one)

    def _add(self, notice: Notice) -> None:
        data = orjson.dumps(notice.raw) if notice.text is None else notice.text
        start = self._texts.tell()
        self._texts.write(data)
        row = (notice.raw["ocid"], notice.number, len(data))
        self._index.execute(
            "INSERT INTO processes VALUES (?, ?, ?) ON CONFLICT (ocid) DO UPDATE SET size = size + excluded.size", row
        )
        self._index.execute(
            "INSERT INTO releases SELECT first, ?, ?, ?, ?, ?, ? FROM processes WHERE ocid = ?",
            (notice.number, notice.line, notice.pointer, notice.publisher, start, len(data), row[0]),
        )

    def processes(self) -> Iterator[Rejection | tuple[str, Process]]:
        """The processes, in the order of their first releases."""
        self._texts.flush()
        for ocid, first, size in self._index.execute("SELECT ocid, first, size FROM processes ORDER BY first"):
            rows = self._index.execute(
                "SELECT line, pointer, publisher, start, size FROM releases WHERE first = ? ORDER BY number", (first,)
            )
            if size > MOST_BYTES:
                for line, pointer, *_ in rows:
                    yield _rejected(self._file, line, pointer)
            else:
                yield ocid, self._process(rows.fetchall())

    def _process(self, rows: list[Any]) -> Process:
        texts = []
        for line, _, _, start, size in rows:
            self._texts.seek(start)
            texts.append(Text(self._file, line, self._texts.read(size)))
        return Process(tuple(texts), tuple(row[1] for row in rows), tuple(row[2] for row in rows))
