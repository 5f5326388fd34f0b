"""Texts → notices: what a chunk of published JSON holds, each release apart, and why what is no notice is none."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

import orjson

from goodcommission.description.document import Source
from goodcommission.description.ocds.shapes import is_ocds, releases, step, survey
from goodcommission.description.parsing import MAXIMUM_DEPTH, parse, quoted
from goodcommission.exceptions import DescriptionError, Fault
from goodcommission.scan.inputs import BOM, Chunk, Lines, Process, Rejection, Text, are_lines

MOST_NOTICES: Final = 2**20
"""Notices of one chunk: a notice's number is the number of its chunk times this, plus its place in the chunk."""
_DIGITS: Final = bytes.maketrans(b"123456789E-", b"000000000e+")
_MANY_DIGITS: Final = b"0" * 19
_EXPONENTS: Final = (b"0e000", b"0e+000")
"""Numbers that may be too large or too small to compute with, each digit written as 0, and the same in texts."""
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))
_SPACES: Final = b" \t\r\n"
_CAREFUL_BYTES: Final = 2_000_000
"""The careful reader names the place of a fault, but takes seconds for texts larger than this."""


class Notice(NamedTuple):
    """One published notice that is to be audited: a release, or all releases of a process that are merged."""

    number: int
    """The same however many processes scan: the chunk's number times `MOST_NOTICES`, plus the place in the chunk."""
    file: str
    """As it was given; a member of an archive is written ``archive.zip/member.jsonl``."""
    line: int
    """1-based: where the notice's JSON text begins in the decompressed file."""
    pointer: str
    """JSON pointer of the release in that text."""
    raw: Any
    """The release; a record where its compiled release stands on others; of a merged process, a list of these."""
    text: bytes | None
    """The JSON text, where this release is all of it."""
    single: bool
    """Whether ``raw`` is one release, so that nothing needs merging to read it."""
    publisher: str | None = None
    """Who published it, where its package says so."""
    plain: bool = False
    """Whether ``raw`` is known to be plain (see `shapes.Survey`)."""

    @property
    def ocds(self) -> Any:
        """The OCDS that holds this process alone, as ``audit`` reads it."""
        if self.publisher is None:
            return self.raw
        # A package of one of each: `_find` takes the publisher from what is around the release.
        given = self.raw if isinstance(self.raw, list) else [self.raw]
        return [_packaged(one, self.publisher) for one in given]


def _packaged(raw: dict[str, Any], publisher: str) -> dict[str, Any]:
    name = "records" if "compiledRelease" in raw else "releases"
    return {"publisher": {"name": publisher}, name: [raw]}


def entries(text: Text, numbers: Iterator[int]) -> Iterable[Notice | Rejection]:
    """What one text holds: its releases, each with a number, and what is wrong in it."""
    try:
        raw, plain = _value(text.data)
    except DescriptionError as error:
        if text.whole and are_lines(lines := text.data.split(b"\n")):
            return _in_lines(text, lines, numbers)
        return (_malformed(text, error.faults),)
    if (
        type(raw) is dict
        and _UNUSUAL.isdisjoint(raw)
        and b"releaseID" not in text.data
        and (b"\\" not in text.data or b"\\u" not in text.data)
    ):
        ocid = raw.get("ocid")
        if type(ocid) is str and ocid.strip():  # a release by itself, as most are: there is nothing to look for
            return (Notice(next(numbers), text.file, text.line, "", raw, text.data, True, _publisher(raw), plain),)
    return _notices(raw, "", text, numbers)


def _in_lines(text: Text, lines: Sequence[bytes], numbers: Iterator[int]) -> Iterator[Notice | Rejection]:
    for number, line in enumerate(lines, text.line):
        if line.strip():
            yield from entries(Text(text.file, number, line), numbers)


_UNUSUAL: Final = frozenset({"kind", "records", "releases", "compiledRelease", "versionedRelease"})


def _publisher(raw: dict[str, Any]) -> str | None:
    body = raw.get("publisher")
    name = body.get("name") if isinstance(body, dict) else None
    return name if isinstance(name, str) else None


def _malformed(text: Text, faults: Sequence[Fault]) -> Rejection:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    line = text.line + (first.line - 1 if first.line else 0)
    place = f", in column {first.column}" if first.column else ""
    kind = "encoding" if first.suggestion == _ENCODING else "malformed"
    # What the reader of one document says of "the file" and its lines is true of this text, which may be one of many.
    message = first.message.removesuffix(".").replace("the file ends", "the text ends")
    message = _LINE.sub(lambda found: f"line {int(found[1]) + text.line - 1}", message)
    return Rejection(text.file, line, first.pointer, kind, f"{message}{place}{more}")


_LINE: Final = re.compile(r"\bline (\d+)\b")


_ENCODING: Final = "Save it as UTF-8."


def _value(data: bytes) -> tuple[Any, bool]:
    """The value of a JSON text, read quickly where nothing is unusual in it, else as carefully as `audit` reads.

    Returns:
        The value, and whether it is plain (see `shapes.Survey`).

    Raises:
        DescriptionError: It is not UTF-8, not JSON, or says something that has no single meaning.
    """
    data = data.removeprefix(BOM)
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _explain(data, error)
        # The careful reader finds nothing wrong with it.
        return json.loads(data), False
    found = survey(value) if type(value) is dict else None
    plain = found is not None and found.plain
    if found is None or not plain or found.extreme:
        certain = _says_no_more(data, value) and (plain or _is_shallow(data.translate(None, _NO_BRACKETS)))
    else:
        certain = _has_texts(data, found.texts) or _names_once(data, orjson.dumps(value))
        if certain and found.fractions:
            certain = _MANY_DIGITS not in data.translate(_DIGITS)
    if not certain:
        _explain(data, None)
    return value, plain


def _has_texts(data: bytes, count: int) -> bool:
    """Whether it is certain that there are just so many names and texts, as were read: then no name stands twice."""
    quotes = data.count(b'"')
    if b"\\" in data:
        if b"\\\\" in data or b"\\u0022" in data:
            return False
        quotes -= data.count(b'\\"')
    return quotes == 2 * count


def _names_once(data: bytes, written: bytes) -> bool:
    """Whether it is certain that no name stands twice, of which only one was read and written."""
    return data.count(b'"') == written.count(b'"') and not (b"\\" in data and b"\\u0022" in data)


def _says_no_more(data: bytes, value: Any) -> bool:
    """Whether it is certain that no name stands twice, and no number is too long, too large or too small."""
    written, digits = orjson.dumps(value), data.translate(_DIGITS)
    if _MANY_DIGITS in digits:
        return False
    if written.translate(None, _SPACES) == data.translate(None, _SPACES):
        return True
    return _names_once(data, written) and not any(exponent in digits for exponent in _EXPONENTS)


@lru_cache(maxsize=4096)
def _is_shallow(left: bytes) -> bool:
    """Whether brackets are not nested too deeply; the notices of one publisher often have the same."""
    for _ in range(MAXIMUM_DEPTH):
        if not left:
            return True
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return not left


def _explain(data: bytes, error: orjson.JSONDecodeError | None) -> None:
    """Raise what is wrong with a text, if anything is."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        byte = data[wrong.start]
        message = f"this is not UTF-8 text: the byte {byte:02X} stands for no character"
        before = data[: wrong.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        raise DescriptionError(Fault(message, None, line, column, None, _ENCODING)) from None
    if error is not None and len(data) > _CAREFUL_BYTES:
        raise DescriptionError(Fault(f"this is not JSON: {error.msg}", None, error.lineno, error.colno))
    try:
        parse(Source("text.json", text, "json", ""))
    except RecursionError:
        raise DescriptionError(f"there are more than {MAXIMUM_DEPTH} sections within each other") from None


def _notices(raw: Any, pointer: str, text: Text, numbers: Iterator[int]) -> Iterator[Notice | Rejection]:
    """The releases of a JSON value; lists of lists are looked into."""
    if isinstance(raw, list):
        if not raw:
            yield Rejection(text.file, text.line, pointer, "wrong_shape", "this list of notices is empty")
        for index, item in enumerate(raw):
            yield from _notices(item, step(pointer, index), text, numbers)
        return
    if not isinstance(raw, dict) or not is_ocds(raw):
        yield Rejection(text.file, text.line, pointer, "other_standard", _not_ocds(raw))
        return
    for found in releases(raw):
        if isinstance(found, Fault):
            advice = f". {found.suggestion}" if found.suggestion else ""
            place, message = pointer + (found.pointer or ""), found.message.removesuffix(".") + advice
            yield Rejection(text.file, text.line, place, "wrong_shape", message)
            continue
        release = found.raw if "ocid" in found.raw else {"ocid": found.ocid, **found.raw}
        record = None
        if found.linked:
            record = {"ocid": found.ocid, "compiledRelease": release, "releases": [one for one, _ in found.linked]}
        alone = found.raw is raw and not pointer
        publisher = found.publisher.value if found.publisher else None
        yield Notice(
            next(numbers),
            text.file,
            text.line,
            pointer + found.pointer,
            release if record is None else record,
            text.data if alone else None,
            record is None,
            publisher,
        )


def _not_ocds(raw: Any) -> str:
    if not isinstance(raw, dict):
        kind = {str: "a text", bool: "true or false", type(None): "null"}.get(type(raw), "a number")
        return f"an OCDS release, record or package is expected, and this is {kind}"
    if "kind" in raw:
        return "this is a description in goodcommission's own form, not an OCDS notice: goodcommission audit reads it"
    if "tag" in raw and "date" in raw:
        return "this OCDS release has no ocid"
    names = ", ".join(quoted(str(name), 30) for name in list(raw)[:3])
    return f"this is not OCDS: no ocid, releases or records{f', but {names}' if names else ''}"


def processes(chunk: Chunk) -> Iterator[tuple[Notice, ...] | Rejection]:
    """What is in a chunk, in its order: of each process its releases, which is one unless they are to be merged.

    The numbers of the notices leave a place for each rejection.
    """
    start = chunk.number * MOST_NOTICES
    numbers = count(start)
    for entry in _processes(chunk, numbers):
        last = entry if isinstance(entry, Rejection) else entry[-1]
        number = next(numbers) if isinstance(last, Rejection) else last.number
        if number - start >= MOST_NOTICES - 1:
            reason = f"there are more than {MOST_NOTICES:,} notices in one part of a file; the rest of it was not read"
            yield Rejection(last.file, last.line, last.pointer, "too_large", reason)
            return
        yield entry


def _processes(chunk: Chunk, numbers: Iterator[int]) -> Iterator[tuple[Notice, ...] | Rejection]:
    for item in chunk.items:
        if isinstance(item, Rejection):
            yield item
        elif isinstance(item, Process):
            yield tuple(_members(item, numbers))
        else:
            for text in item.texts() if isinstance(item, Lines) else (item,):
                for one in entries(text, numbers):
                    yield one if isinstance(one, Rejection) else (one,)


def _members(process: Process, numbers: Iterator[int]) -> Iterator[Notice]:
    for text, pointer, publisher in zip(process.releases, process.pointers, process.publishers, strict=True):
        raw = orjson.loads(text.data)
        single = "compiledRelease" not in raw
        own = text.data if not pointer else None
        yield Notice(next(numbers), text.file, text.line, pointer, raw, own, single, publisher)


def merged(notices: Sequence[Notice]) -> Notice:
    """The releases of one process as one notice, which stands where the first of them stands."""
    first = notices[0]
    if len(notices) == 1:
        return first
    return first._replace(raw=[one.raw for one in notices], text=None, single=False)


def identity(notice: Notice) -> bytes | None:
    """What two copies of one release share, as 16 bytes; None for a release without an id, which no copy can have."""
    raw = notice.raw.get("compiledRelease", notice.raw)
    id = raw.get("id")
    if not isinstance(id, str | int) or id == "":
        return None
    return hashlib.blake2b(orjson.dumps([raw.get("ocid"), id]), digest_size=16).digest()
