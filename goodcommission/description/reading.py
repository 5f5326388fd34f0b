"""Reads descriptions: from a file or standard input, from a dictionary, from OCDS notices, to be audited."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import json
import os
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from goodcommission.description.document import Document, Profile, Source
from goodcommission.description.model import Commissioner, Description
from goodcommission.description.parsing import MAXIMUM_DEPTH, parse
from goodcommission.description.positions import line_and_column, locate, positions
from goodcommission.description.validation import check, validate, validate_what_can_be
from goodcommission.exceptions import CaseFileError, DescriptionError, Fault

__all__ = [
    "MAXIMUM_BYTES",
    "is_case_file",
    "locate",
    "parse",
    "read_description",
    "read_documents",
    "read_source",
    "validate",
    "with_profile",
]

MAXIMUM_BYTES = 50_000_000
"""What a file may hold; many notices in one file are for the scanner."""

_DIGITS = 1000
"""Python refuses to write whole numbers of several thousand digits in decimal."""
_RELEASE_MARKS = frozenset({"tag", "date"})
_OCDS_MARKS = frozenset({"ocid", "releases", "records"})
_SAVE_AS_UTF8 = 'Save it as UTF-8 (in Notepad: Save as, encoding "UTF-8").'
_OTHER_FORMATS = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a Word, Excel or zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"\x1f\x8b", "a compressed file"),
)


def read_source(path: str | os.PathLike[str], *, stream: BinaryIO | None = None, name: str = "<stdin>") -> Source:
    """Read the text of a file.

    Args:
        path: The file; "-" is standard input.
        stream: What to read for "-", instead of the process's standard input.
        name: What to call that; its ending says whether it is JSON or YAML, else its text does.

    Returns:
        The text with its name, its format and the digest of its bytes.

    Raises:
        DescriptionError: There is no such file, it may not be read, it is too large, empty, or not UTF-8 text.
    """
    if os.fspath(path) == "-":
        data = (stream or sys.stdin.buffer).read(MAXIMUM_BYTES + 1)
    else:
        name = os.fspath(path)
        data = _read_file(name)
    if len(data) > MAXIMUM_BYTES:
        raise _too_large(name, None)
    text = _decode(data, name)
    return Source(name, text, _format(name, text), "sha256:" + hashlib.sha256(data).hexdigest())


def _read_file(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            about = os.fstat(file.fileno())
            if stat.S_ISREG(about.st_mode) and about.st_size > MAXIMUM_BYTES:
                raise _too_large(name, about.st_size)
            return file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DescriptionError(_not_readable(name, error)) from None


def _not_readable(name: str, error: OSError | ValueError) -> Fault:
    if isinstance(error, FileNotFoundError):
        return Fault("there is no such file", name, suggestion="Check the name and the folder.")
    if isinstance(error, IsADirectoryError) or os.path.isdir(name):
        return Fault("this is a folder, not a file", name, suggestion="Name a file in it.")
    if isinstance(error, PermissionError):
        return Fault("the file may not be read", name, suggestion="Ask its owner for permission to read it.")
    if isinstance(error, OSError) and error.errno != errno.EINVAL:
        return Fault(f"the file cannot be read: {error.strerror or error}", name, suggestion="Try a copy of it.")
    return Fault("this cannot be the name of a file", name, suggestion="Check the name.")


def _too_large(name: str, size: int | None) -> DescriptionError:
    most = MAXIMUM_BYTES // 1_000_000
    held = f"is {size / 1e6:,.0f} MB large" if size is not None else f"is larger than {most} MB"
    return DescriptionError(
        Fault(
            f"the file {held}, and a description may have {most} MB at most",
            name,
            suggestion="Cut it into files of one description or notice each.",
        )
    )


def _decode(data: bytes, name: str) -> str:
    # The mark that some editors write first says only that it is UTF-8: places are counted without it.
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise DescriptionError(
            Fault("the file is empty", name, suggestion="Check that it is the right file, and that it was saved.")
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or b"\x00" in data[:4]:
        raise DescriptionError(Fault("the file is UTF-16 or UTF-32, not UTF-8", name, suggestion=_SAVE_AS_UTF8))
    for start, what in _OTHER_FORMATS:
        if data.startswith(start):
            raise DescriptionError(
                Fault(f"this is {what}, not JSON or YAML", name, suggestion="Write the description as JSON or YAML.")
            )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = line_and_column(before + "?", len(before))
        raise DescriptionError(
            Fault(
                f"the file is not UTF-8 text: the byte {data[error.start]:02X} stands for no character",
                name,
                line,
                column,
                suggestion=_SAVE_AS_UTF8,
            )
        ) from None


def _format(name: str, text: str) -> Literal["json", "yaml"]:
    ending = os.path.splitext(name)[1].lower()
    if ending == ".json":
        return "json"
    if ending in (".yaml", ".yml"):
        return "yaml"
    first = re.search(r"\S", text)
    return "json" if first and first.group() in "{[" else "yaml"


def read_documents(
    given: str | os.PathLike[str] | Mapping[str, Any] | list[Any] | Description,
    *,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | Source | None = None,
    stream: BinaryIO | None = None,
    name: str = "<stdin>",
) -> tuple[Document, ...]:
    """Read everything that is to be audited in one input.

    Args:
        given: A file ("-" is standard input), the content of one as plain values, or a description. OCDS is
            recognised by itself; a package gives a document for each contracting process.
        commissioner: The commissioner's profile, a file, its text from `read_source`, or its content:
            ``{"commissioner": {…}}``. It fills what the descriptions say nothing of.
        stream: What to read for "-", instead of the process's standard input.
        name: What to call that, as for `read_source`.

    Returns:
        At least one document.

    Raises:
        DescriptionError: It cannot be read, or it is not valid; with all faults and their places.
    """
    if isinstance(given, Description):
        called = given.id or "description"
        check(given, called)
        documents: tuple[Document, ...] = (Document(given, called, _digest_of_description(given)),)
    elif isinstance(given, Mapping | list):
        documents = _documents(dict(given) if isinstance(given, Mapping) else given, None)
    else:
        source = read_source(given, stream=stream, name=name)
        documents = _documents(parse(source), source)
    return documents if commissioner is None else with_profile(documents, commissioner)


def with_profile(
    documents: Sequence[Document], commissioner: str | os.PathLike[str] | Mapping[str, Any] | Source
) -> tuple[Document, ...]:
    """Documents in which a commissioner's profile fills what they say nothing of.

    Raises:
        DescriptionError: The profile cannot be read, or it is not valid.
    """
    known, name, digest, profile = _read_profile(commissioner)
    return tuple(_filled(document, known, name, digest, profile) for document in documents)


def _read_profile(
    given: str | os.PathLike[str] | Mapping[str, Any] | Source,
) -> tuple[Description, str, str, Source | None]:
    source = given if isinstance(given, Source) else None if isinstance(given, Mapping) else read_source(given)
    raw: Any = dict(given) if isinstance(given, Mapping) else parse(source) if source else None
    name = source.name if source else "commissioner"
    if not isinstance(raw, dict) or set(raw) - {"evidence"} != {"commissioner"}:
        line, column = (1, 1) if source else (None, None)
        raise DescriptionError(
            Fault(
                "a commissioner's profile holds one section, `commissioner`, and may hold `evidence`",
                name,
                line,
                column,
                "",
                "Its fields are those of `commissioner` in a description.",
            )
        )
    description = validate({"kind": "tender", **raw}, source, name)
    digest = source.digest if source else _digest_of_description(description)
    return description, name, digest, source


def _filled(document: Document, given: Description, name: str, digest: str, source: Source | None) -> Document:
    stated, known = document.description.commissioner or Commissioner(), given.commissioner or Commissioner()
    taken = {field: value for field, value in known if value is not None and getattr(stated, field) is None}
    description = document.description.model_copy(update={"commissioner": stated.model_copy(update=taken)})
    facts = frozenset(f"commissioner.{field}" for field in taken)
    profile = Profile(name, digest, source, facts, tuple(given.evidence or ()))
    return replace(document, description=description, profile=profile)


def read_description(
    given: str | os.PathLike[str] | Mapping[str, Any] | list[Any] | Description,
    *,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | Source | None = None,
    stream: BinaryIO | None = None,
) -> Document:
    """Read an input that holds a single description; arguments and errors as for `read_documents`."""
    documents = read_documents(given, commissioner=commissioner, stream=stream)
    if len(documents) > 1:
        source = documents[0].source
        raise DescriptionError(
            Fault(
                f"one description is expected here, and there are {len(documents)}",
                source.name if source else None,
                suggestion="Put each into a file of its own.",
            )
        )
    return documents[0]


def is_case_file(raw: Any) -> bool:
    """Whether what was read lists documents that are audited together instead of describing one."""
    return isinstance(raw, dict) and "documents" in raw and raw.keys().isdisjoint({"kind", *_OCDS_MARKS})


def _documents(raw: Any, source: Source | None) -> tuple[Document, ...]:
    name = source.name if source else "description"
    if is_case_file(raw):
        advice = "Name it to goodcommission audit; here, name one of its documents."
        message = "this is a case file: it lists documents that are audited together"
        line, column = (1, 1) if source else (None, None)
        raise CaseFileError(Fault(message, name, line, column, "", advice))
    if isinstance(raw, list) or (isinstance(raw, dict) and not _OCDS_MARKS.isdisjoint(raw)):
        from goodcommission.description.ocds import is_ocds

        if is_ocds(raw):
            return _from_ocds(raw, source, name)
    if isinstance(raw, dict) and "kind" not in raw and raw.keys() >= _RELEASE_MARKS:
        line, column = (1, 1) if source else (None, None)
        advice = "Every OCDS release has one: ask the publisher, or add it."
        raise DescriptionError(Fault("this OCDS release has no `ocid`", name, line, column, "", advice))
    description = validate(raw, source, name)
    if source is not None:
        return (Document(description, name, source.digest, source),)
    return (Document(description, description.id or name, _digest_of_description(description)),)


def _from_ocds(raw: Any, source: Source | None, name: str) -> tuple[Document, ...]:
    from goodcommission.description.ocds import convert

    digest = source.digest if source else digest_of(raw)
    try:
        found = convert(raw)
    except DescriptionError as error:
        raise DescriptionError(*(_placed(fault, source, name) for fault in error.faults)) from None
    if not found:
        raise DescriptionError(
            Fault("there is no notice in this OCDS file", name, suggestion="It needs a release or a record.")
        )
    documents = []
    for number, one in enumerate(found, 1):
        description, left_out = validate_what_can_be(one.description, name)
        of_several = f"#{(description.notice and description.notice.ocid) or number}" if len(found) > 1 else ""
        documents.append(
            Document(description, name + of_several, digest, source, "ocds", one.places, (*one.notes, *left_out))
        )
    return tuple(documents)


def _placed(fault: Fault, source: Source | None, name: str) -> Fault:
    place = positions(source).nearest(fault.pointer) if source and fault.pointer is not None else None
    line, column = place or (fault.line, fault.column)
    return replace(fault, file=fault.file or name, line=fault.line or line, column=fault.column or column)


def _digest_of_description(description: Description) -> str:
    """SHA-256 of the description as JSON, in the order of the model: equal descriptions have equal digests."""
    text = description.model_dump_json(exclude_none=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical JSON of a plain value: sorted names, no spaces, equal numbers written equally."""
    text = json.dumps(_canonical(value, 0), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return "sha256:" + hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any, depth: int) -> Any:
    if depth > MAXIMUM_DEPTH:
        raise DescriptionError(f"there are more than {MAXIMUM_DEPTH} sections within each other")
    if isinstance(value, dict):
        return {str(name): _canonical(child, depth + 1) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(child, depth + 1) for child in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**_DIGITS else hex(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        number = value if isinstance(value, Decimal) else Decimal(float.__repr__(value))
        if not number.is_finite() or abs(number.adjusted()) >= _DIGITS:
            return str(number)
        if number == number.to_integral_value():
            return int(number)
        short = float(number)
        return short if Decimal(repr(short)) == number else str(number.normalize())
    return repr(type(value))
