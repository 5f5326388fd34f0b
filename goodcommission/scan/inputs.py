"""Inputs in any number and wrapping → texts → chunks, with nothing lost on the way.

The reading process opens inputs and cuts them into texts: lines that stand next to each other, or all of a file that is
one JSON value. What cannot be read becomes a `Rejection` at its place among them.
"""

from __future__ import annotations

import glob
import hashlib
import io
import lzma
import os
import pickle
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol

import orjson
import zstandard

from goodcommission.description.document import printable_name
from goodcommission.description.ocds.shapes import is_ocds
from goodcommission.description.reading import MAXIMUM_BYTES
from goodcommission.exceptions import Fault, ScanError

MOST_BYTES: Final = MAXIMUM_BYTES
"""What one JSON text may hold (a line, or a file that is one value): as much as `audit` reads of one file."""
CHUNK_TEXTS: Final = 4_000
CHUNK_BYTES: Final = 32_000_000
"""A chunk is full when it has so many texts or lines, or so many bytes, whichever is first. Judging one costs a tenth
of a second however small it is."""

KINDS: Final = {
    "unreadable": "a file, or a member of an archive, that cannot be read",
    "truncated": "a compressed file that ends too early or is damaged",
    "changed": "a file that changed while it was read",
    "encoding": "text that is not UTF-8",
    "too_large": "a JSON text that is too large",
    "malformed": "text that is not JSON, or says two things at once",
    "other_standard": "JSON that is not OCDS",
    "wrong_shape": "JSON that has the shape of OCDS but is not",
    "duplicate": "a release that was there before",
    "refused": "a notice that cannot be audited",
    "failed": "a notice on which goodcommission failed; please report it",
}
"""Why an entry is rejected: the kinds in errors.jsonl, and what they are."""

_BLOCK: Final = 1 << 20
BOM: Final = b"\xef\xbb\xbf"
_FIRST_LINES: Final = 64
"""Where the first line is no JSON value and the whole is none, so many lines tell whether these are JSON Lines."""
_ENDINGS: Final = (".json", ".jsonl", ".ndjson", ".gz", ".zst", ".zip")


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was read and can't be audited: one entry, and why."""

    file: str
    line: int | None
    pointer: str | None
    kind: str
    """One of `KINDS`."""
    reason: str

    def to_json(self) -> bytes:
        """The line of errors.jsonl."""
        return orjson.dumps(
            {
                "file": self.file,
                "line": self.line,
                "pointer": self.pointer,
                "kind": self.kind,
                "reason": self.reason.encode("utf-8", "backslashreplace").decode("utf-8"),
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


class Text(NamedTuple):
    """One JSON text as it stands in an input."""

    file: str
    line: int
    data: bytes
    whole: bool = False
    """Whether this is all of a file, whose first line is no JSON value by itself."""


class Lines(NamedTuple):
    """Lines that stand next to each other in an input, each a JSON text or blank; the last has no line end."""

    file: str
    line: int
    """Of the first."""
    lines: int
    """How many."""
    data: bytes

    def __reduce_ex__(self, protocol: Any) -> tuple[type[Lines], tuple[Any, ...]]:
        """To another process they may go as they are, without a copy."""
        data = pickle.PickleBuffer(self.data) if protocol >= 5 else self.data
        return Lines, (self.file, self.line, self.lines, data)

    def texts(self) -> Iterator[Text]:
        """Each by itself."""
        for number, line in enumerate(self.data.split(b"\n"), self.line):
            if line and not line.isspace():
                yield Text(self.file, number, line)

    def cut(self, lines: int, size: int) -> tuple[Lines, Lines | None]:
        """The first lines, so many at most and, but for the first of them, of so many bytes; and the others."""
        file, line, count, data = self
        if count <= lines and len(data) <= size:
            return self, None
        end = -1
        taken = 0
        while taken < lines and end < size:
            end = data.find(b"\n", end + 1)
            if end < 0:
                return self, None
            taken += 1
        return Lines(file, line, taken, data[:end]), Lines(file, line + taken, count - taken, data[end + 1 :])


# --- Inputs ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Input:
    """One file that is scanned, and what was found out about it."""

    name: str
    path: str | None = None
    """None for standard input."""
    size: int | None = None
    """In bytes, as it is stored; None where it is a stream."""
    sha256: str | None = None
    """Of the bytes that were read; None until all are, or where only a part was."""
    passed_over: int = 0
    """Members of an archive that hold no notices by their names."""
    named: bool = True
    """Whether somebody named it; else it was found in a folder."""


def find_inputs(paths: Sequence[str | os.PathLike[str]], leave_out: Iterable[Path] = ()) -> tuple[list[Input], int]:
    """The files that are meant, in the order given, those of a folder sorted; and how many files were passed over.

    Args:
        paths: Files, folders (with all folders in them), patterns such as ``2024-*/*.jsonl.gz``, or "-".
        leave_out: Folders that are not looked into: the scan's own output.

    Raises:
        ScanError: There is no such file or folder, or nothing in it that could hold notices.
    """
    own = {os.path.realpath(path) for path in leave_out}
    found: dict[str, Input] = {}
    passed_over = 0
    for given in paths:
        path = os.fspath(given)
        if path == "-":
            if "-" in found:
                raise ScanError("standard input (-) can be named only once.")
            found["-"] = Input("<stdin>")
            continue
        matches = [path] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))
        if not matches:
            kind = "file that this pattern fits" if glob.has_magic(path) else "such file or folder"
            raise ScanError(Fault(f"there is no {kind}", printable_name(path), suggestion="Check the name."))
        before = len(found)
        for match in matches:
            if not os.path.isdir(match):
                found.setdefault(os.path.realpath(match), Input(printable_name(match), match, _size(match)))
                continue
            for file in _files_in(match, own):
                if file.lower().endswith(_ENDINGS):
                    one = Input(printable_name(file), file, _size(file), named=False)
                    found.setdefault(os.path.realpath(file), one)
                else:
                    passed_over += 1
        if len(found) == before and all(map(os.path.isdir, matches)):
            raise ScanError(
                Fault(
                    "there is nothing to scan in this folder",
                    printable_name(path),
                    suggestion=f"Files are looked for that end in {', '.join(_ENDINGS)}.",
                )
            )
    return list(found.values()), passed_over


def _files_in(folder: str, own: set[str]) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if os.path.realpath(os.path.join(place, name)) not in own)
        yield from (os.path.join(place, name) for name in sorted(files))


def _may_never_end(path: str) -> bool:
    """Whether this is a pipe or a device: to read it may take for ever."""
    with suppress(OSError):
        return not stat.S_ISREG(os.stat(path).st_mode)
    return False


def _size(path: str) -> int | None:
    try:
        about = os.stat(path)
    except OSError:
        return None
    return about.st_size if stat.S_ISREG(about.st_mode) else None


class _ReadError(Exception):
    """An input can't be read, or not to its end."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class _Stored:
    """The bytes of an input as they are stored: counted, digested, and none beyond the size that it had at first."""

    def __init__(self, file: IO[bytes], reader: Reader) -> None:
        self._file, self._reader = file, reader
        self.start = os.fstat(file.fileno()) if _is_regular(file) else None
        self.size = self.start.st_size if self.start else None
        self._digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = _BLOCK, /) -> bytes:
        """So many bytes, fewer only at the end: so the blocks are the same whenever an input is read again."""
        left = size if self.size is None else min(size, self.size - self.count)
        data = self._file.read(left) if left > 0 else b""
        while data and len(data) < left and (more := self._file.read(left - len(data))):
            data += more
        self._digest.update(data)
        self.count += len(data)
        self._reader.done += len(data)
        return data

    def finish(self) -> str:
        """Read what nobody asked for; the digest of it all."""
        while self.read():
            pass
        return self.digest

    @property
    def digest(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()

    def changed(self, path: str | None) -> str | None:
        """How the file changed since it was opened, if it did."""
        if self.start is None or path is None:
            return None
        now = os.fstat(self._file.fileno())
        if now.st_size != self.start.st_size:
            grown = "grew" if now.st_size > self.start.st_size else "shrank"
            return (
                f"the file {grown} while it was read, from {self.start.st_size:,} to {now.st_size:,} bytes; "
                f"the first {self.count:,} were read"
            )
        try:
            there = os.stat(path)
        except OSError:
            return "the file was deleted while it was read; it was read as it was before"
        if (there.st_dev, there.st_ino) != (self.start.st_dev, self.start.st_ino):
            return "the file was replaced while it was read; it was read as it was before"
        if now.st_mtime_ns != self.start.st_mtime_ns:
            return "the file was written to while it was read; parts may be old and others new"
        return None


def _is_regular(file: IO[bytes]) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError, io.UnsupportedOperation):
        return False


class Reader:
    """Reads inputs one after the other into texts, in constant memory.

    Args:
        inputs: What `find_inputs` gave; their sizes and digests are filled in as they are read.
        stream: What to read for "-", instead of the process's standard input.
    """

    def __init__(self, inputs: Sequence[Input], stream: IO[bytes] | None = None) -> None:
        self.inputs = inputs
        self._stream = stream
        self.done = 0
        """Bytes that have been read, as they are stored."""
        self.finished = 0
        """How many inputs have been read to their end."""
        self._known = hashlib.blake2b(digest_size=16)
        self._stored: _Stored | None = None

    @property
    def total(self) -> int | None:
        """All bytes that there are to read, where that is known."""
        sizes = [one.size for one in self.inputs]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def mark(self) -> str:
        """A digest of all that was read so far, to know it again."""
        found = self._known.copy()
        if self._stored is not None:
            found.update(self._stored.digest.encode())
        return found.hexdigest()

    def texts(self) -> Iterator[Text | Lines | Rejection]:
        """All texts in their order; in the place of what can't be read, why."""
        for one in self.inputs:
            self._known.update(b"\n%s\n" % one.name.encode())
            for text in self._input(one):
                if isinstance(text, Rejection):
                    self._known.update(text.to_json())
                yield text
            if self._stored is not None:
                self._known.update(self._stored.digest.encode())
                self._stored = None
            self.finished += 1

    def _input(self, one: Input) -> Iterator[Text | Lines | Rejection]:
        name = one.name
        try:
            if one.path is None:
                yield from self._file(one, name, self._stream or sys.stdin.buffer)
                return
            if not one.named and _may_never_end(one.path):
                yield Rejection(name, None, None, "unreadable", "this is no file but a pipe or a device")
                return
            with open(one.path, "rb") as file:
                yield from self._file(one, name, file)
        except OSError as error:
            yield Rejection(name, None, None, "unreadable", f"the file can't be read: {error.strerror or error}")

    def _file(self, one: Input, name: str, file: IO[bytes]) -> Iterator[Text | Lines | Rejection]:
        stored = self._stored = _Stored(file, self)
        first = stored.read(4)
        if first in {b"PK\x03\x04", b"PK\x05\x06"}:
            yield from self._archive(one, name, file, stored)
        else:
            yield from _texts(name, _decompressed(_Pushed(first, stored)))
            one.sha256 = stored.finish()
        one.size = stored.count if stored.size is None else stored.size
        if changed := stored.changed(one.path):
            yield Rejection(name, None, None, "changed", changed)

    def _archive(self, one: Input, name: str, file: IO[bytes], stored: _Stored) -> Iterator[Text | Lines | Rejection]:
        if stored.start is None:
            yield Rejection(name, None, None, "unreadable", "a zip can't be read from a stream; save it as a file")
            return
        before = self.done - stored.count
        try:
            with zipfile.ZipFile(file) as archive:
                for member in sorted(archive.infolist(), key=lambda info: info.filename):
                    if not member.is_dir():
                        yield from self._member(one, archive, member)
                    self.done += member.compress_size
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            yield Rejection(name, None, None, "truncated", f"this zip is damaged: {error}")
        file.seek(stored.count)
        one.sha256 = stored.finish()
        self.done = before + (stored.size or 0)

    def _member(
        self, one: Input, archive: zipfile.ZipFile, member: zipfile.ZipInfo
    ) -> Iterator[Text | Lines | Rejection]:
        name = f"{one.name}/{printable_name(member.filename)}"
        if member.flag_bits & 1:
            yield Rejection(name, None, None, "unreadable", "this member of the zip is encrypted; unpack it first")
        elif not name.lower().endswith(_ENDINGS) or "__MACOSX/" in name:
            one.passed_over += 1
        else:
            try:
                with archive.open(member) as file:
                    yield from _texts(name, self._noted(_decompressed(file)))
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
                yield Rejection(name, None, None, "unreadable", f"this member of the zip can't be read: {error}")

    def _noted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Blocks of a member, which is not read in the order in which the archive is stored."""
        for block in blocks:
            self._known.update(block)
            yield block


class _Pushed:
    """A file with its first bytes put back."""

    def __init__(self, first: bytes, file: _Readable) -> None:
        self._first, self._file = first, file

    def read(self, size: int = _BLOCK, /) -> bytes:
        first, self._first = self._first[:size], self._first[size:]
        return first + self._file.read(size - len(first)) if len(first) < size else first


# --- Decompressing -----------------------------------------------------------------------------------------------

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_OTHERS: Final = (
    (b"PK\x03\x04", "a zip within another archive"),
    (_GZIP, "compressed twice"),
    (_ZSTD, "compressed twice"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
)


def _decompressed(file: _Readable) -> Iterator[bytes]:
    """The content in blocks, decompressed if its first bytes say that it is compressed.

    Raises:
        _ReadError: It is damaged or ends too early; what could be read before was given.
    """
    first = b""
    while len(first) < 4 and (more := file.read(4 - len(first))):
        first += more
    rest = _Pushed(first, file)
    if first.startswith(_GZIP):
        yield from _gunzipped(rest)
    elif first.startswith(_ZSTD):
        yield from _unzstandard(rest)
    else:
        try:
            while block := rest.read(_BLOCK):
                yield block
        except (zlib.error, EOFError, lzma.LZMAError) as error:
            raise _ReadError("truncated", f"the compressed data are damaged or end too early: {error}") from None


def _gunzipped(file: _Readable) -> Iterator[bytes]:
    """All members of a gzip file; Python's own reader would keep back what came before a fault."""
    unpack = zlib.decompressobj(31)
    data = b""
    while True:
        if not data and not (data := file.read(1 << 16)):
            break
        if unpack.eof:
            if not (data := data.lstrip(b"\0")):
                continue
            unpack = zlib.decompressobj(31)
        before = unpack.copy()
        try:
            block = unpack.decompress(data, _BLOCK)
        except zlib.error as error:
            yield _before_the_fault(before, data)
            raise _ReadError("truncated", f"the gzip data are damaged: {error}") from None
        if block:
            yield block
        data = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    while not unpack.eof and (block := unpack.decompress(b"", _BLOCK)):
        yield block
    if not unpack.eof:
        raise _ReadError("truncated", "the gzip file ends too early; what came before was read")


def _before_the_fault(unpack: Any, data: bytes) -> bytes:
    """What can be decompressed of data in which there is a fault."""
    found = []
    with suppress(zlib.error):
        for at in range(len(data)):
            found.append(unpack.decompress(data[at : at + 1], _BLOCK))
            if unpack.unconsumed_tail:
                break
    return b"".join(found)


def _unzstandard(file: _Readable) -> Iterator[bytes]:
    """All frames of a Zstandard file; fed in bits so small that not even a bomb's gives much at once."""
    decompressor = zstandard.ZstdDecompressor()
    unpack = decompressor.decompressobj()
    blocks: list[bytes] = []
    size = 0
    data = b""
    try:
        while data or (data := file.read(128)):
            if unpack.eof:
                unpack = decompressor.decompressobj()
            block = unpack.decompress(data)
            data = unpack.unused_data if unpack.eof else b""
            blocks.append(block)
            size += len(block)
            if size >= _BLOCK:
                yield b"".join(blocks)
                blocks, size = [], 0
    except zstandard.ZstdError as error:
        if blocks:
            yield b"".join(blocks)
        raise _ReadError("truncated", f"the Zstandard data are damaged: {error}") from None
    if blocks:
        yield b"".join(blocks)
    if not unpack.eof:
        raise _ReadError("truncated", "the Zstandard file ends too early; what came before was read")


# --- Texts -------------------------------------------------------------------------------------------------------


def _texts(name: str, blocks: Iterator[bytes]) -> Iterator[Text | Lines | Rejection]:
    """The JSON texts of a file: its lines, if the first that is not blank is a JSON value; else the whole."""
    try:
        first = next(blocks, b"")
        if unfit := _unfit(first):
            yield Rejection(name, None, None, *unfit)
            return
        lines = _Runs(_started(first.removeprefix(BOM), blocks))
        yield from _cut(name, lines)
        if lines.fault:
            yield Rejection(name, lines.number, None, lines.fault.kind, lines.fault.reason)
    except _ReadError as error:  # in the first block
        yield Rejection(name, None, None, error.kind, error.reason)


def _started(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from blocks


def _unfit(first: bytes) -> tuple[str, str] | None:
    """Why a file that begins like this is no text, as kind and reason."""
    if first.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return "encoding", "the file is UTF-16 or UTF-32, not UTF-8; save it as UTF-8"
    for start, what in _OTHERS:
        if first.startswith(start):
            return "unreadable", f"this is {what}, not JSON"
    head = first[:1024]
    if b"\0" in head[:4] and head[:4].strip(b"\0")[:1] in (b"{", b"["):
        return "encoding", "the file is UTF-16 or UTF-32, not UTF-8; save it as UTF-8"
    if first[257:262] == b"ustar":
        return "unreadable", "this is a tar archive; unpack it first"
    if b"\0" in head and head.lstrip()[:1] not in (b"{", b"["):
        return "unreadable", "this is a binary file, not JSON"
    return None


class _Runs:
    """The lines of a text in runs: the number of the first, how many, and the lines; None for a line that is too long.

    A fault ends them and is kept.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.fault: _ReadError | None = None
        self.number = 0
        """Of the last line that was given, or of the one in which the fault is."""

    def __iter__(self) -> Iterator[tuple[int, int, bytes | None]]:
        held: list[bytes] = []
        size = 0
        try:
            for block in self._blocks:
                end = block.rfind(b"\n")
                if end < 0:
                    size += len(block)
                    held = [*held, block] if size <= MOST_BYTES else []
                    continue
                first = block.index(b"\n")
                if size + first > MOST_BYTES:
                    yield self._run(None)
                    if first < end:
                        yield self._run(block[first + 1 : end])
                else:
                    yield self._run(b"".join([*held, block[:end]]))
                held = [block[end + 1 :]]
                size = len(held[0])
        except _ReadError as error:
            self.number += 1
            self.fault = error
            return
        if size:
            yield self._run(b"".join(held) if size <= MOST_BYTES else None)

    def _run(self, data: bytes | None) -> tuple[int, int, bytes | None]:
        first = self.number + 1
        count = 1 if data is None else data.count(b"\n") + 1
        self.number += count
        return first, count, data


def _cut(name: str, lines: _Runs) -> Iterator[Text | Lines | Rejection]:
    runs = iter(lines)
    begin, count, run = next((one for one in runs if one[2] is None or one[2].strip()), (0, 0, b""))
    if not begin:
        if lines.fault is None:
            yield Rejection(name, None, None, "malformed", "the file is empty")
        return
    head = [(begin, count, run)]
    if run is not None:
        start = run.rfind(b"\n", 0, len(run) - len(run.lstrip())) + 1
        blank = run.count(b"\n", 0, start)
        begin, count, run = begin + blank, count - blank, run[start:]
        head = [(begin, count, run)]
        if not _is_json(run.split(b"\n", 1)[0]):
            size = len(run)
            while run is not None and size <= MOST_BYTES and (more := next(runs, None)):
                head.append(more)
                run = more[2]
                size += 1 + len(run or b"")
            if run is not None and size <= MOST_BYTES:
                if lines.fault is None:
                    yield Text(name, begin, b"\n".join(data or b"" for *_, data in head), whole=True)
                return
            if not are_lines(line for *_, data in head if data for line in data.split(b"\n") if line):
                if lines.fault is None:
                    yield Rejection(name, begin, None, "too_large", _too_large())
                for _ in runs:  # to the end, for the digest and the place of a fault
                    pass
                return
    for number, count, data in chain(head, runs):
        if data is None:
            yield Rejection(name, number, None, "too_large", _too_large())
        else:
            yield Lines(name, number, count, data)


def texts_in(name: str, line: int, data: bytes) -> Iterator[Text | Lines | Rejection]:
    """The texts in a part of a file that begins in this line, cut as the file itself would be."""
    lines = _Runs(iter((data,)))
    lines.number = line - 1
    yield from _cut(name, lines)


def one_text(name: str, number: int, line: bytes | None) -> Iterator[Text | Rejection]:
    """A line as a text; none if it is blank, and a rejection where it is None, which is too long."""
    if line is None:
        yield Rejection(name, number, None, "too_large", _too_large())
    elif line and not line.isspace():
        yield Text(name, number, line)


def _too_large() -> str:
    return (
        f"one JSON text is larger than {MOST_BYTES // 1_000_000} MB and is not read; "
        "ask for JSON Lines, with one release on each line"
    )


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def are_lines(lines: Iterable[bytes]) -> bool:
    """Whether this is JSON Lines although its first line is no JSON: another of the first lines is a notice."""
    for line in islice(lines, 1, _FIRST_LINES):
        if line.lstrip()[:1] == b"{":
            try:
                if is_ocds(orjson.loads(line)):
                    return True
            except orjson.JSONDecodeError:
                pass
    return False


# --- Chunks ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process:
    """The releases of one process that are to be merged, in the order in which they were read."""

    releases: tuple[Text, ...]
    """Each a JSON text with one release or record."""
    pointers: tuple[str, ...]
    publishers: tuple[str | None, ...]


Item = Text | Lines | Rejection | Process


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one worker takes at a time: the same texts however many workers there are."""

    number: int
    items: tuple[Item, ...]

    @property
    def place(self) -> str:
        """Where its texts stand, in words."""
        if not self.items:
            return "nothing"
        first, last = _place(self.items[0]), _place(self.items[-1], last=True)
        return first if first == last else f"{first} to {last}"


def _place(item: Item, *, last: bool = False) -> str:
    text = item.releases[0] if isinstance(item, Process) else item
    line = text.line
    if last and isinstance(text, Lines):
        line = text.line + text.lines - 1
    return f"{text.file}, line {line}" if line else text.file


def chunks(items: Iterable[Item]) -> Iterator[Chunk]:
    """Items in chunks of a fixed size, one at least."""
    held: list[Item] = []
    size = number = texts = 0
    for item in items:
        rest: Item | None = item
        while rest is not None:
            part, rest = rest.cut(CHUNK_TEXTS - texts, CHUNK_BYTES - size) if isinstance(rest, Lines) else (rest, None)
            held.append(part)
            if isinstance(part, Lines):
                texts += part.lines
                size += len(part.data)
            else:
                members = part.releases if isinstance(part, Process) else (part,)
                texts += len(members)
                size += sum(len(one.data) for one in members if isinstance(one, Text))
            if texts >= CHUNK_TEXTS or size >= CHUNK_BYTES:
                yield Chunk(number, tuple(held))
                held, size, texts, number = [], 0, 0, number + 1
    if held or not number:
        yield Chunk(number, tuple(held))
