"""Finds the line and column of a value in the text that it was read from."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from functools import lru_cache
from typing import Any

from goodcommission.description.document import Source

_SPACE = re.compile(r"[ \t\n\r]*")
_LINE_END = re.compile(r"\r\n|\n|\r")
_DECODER = json.JSONDecoder()


def locate(source: Source, pointer: str, *, key: bool = False) -> tuple[int, int] | None:
    """Line and column of a value, or of the key that names it.

    Args:
        source: The text; it has been parsed without fault.
        pointer: JSON pointer (RFC 6901); "" is the whole document.
        key: Whether the field's name is meant rather than its value.

    Returns:
        The line and the column in characters, both from 1; None if there is no such value.
    """
    return positions(source).locate(pointer, key=key)


@lru_cache(maxsize=2)
def positions(source: Source) -> Positions:
    """The index of a source. Two are kept, so that many large files don't pile up in memory."""
    return Positions(source)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at an offset; a line ends with LF, CR LF or CR."""
    line = text.count("\n", 0, offset)
    start = text.rfind("\n", 0, offset) + 1
    if "\r" in text:
        line += text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
        if text[offset - 1 : offset + 1] == "\r\n":
            line -= 1
        else:
            start = max(start, text.rfind("\r", 0, offset) + 1)
    return line + 1, offset - start + 1


def to_pointer(parts: tuple[str | int, ...] | list[str | int]) -> str:
    """A JSON pointer from its parts."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def from_pointer(pointer: str) -> tuple[str, ...] | None:
    """The parts of a JSON pointer; None if it is not one."""
    if pointer and not pointer.startswith("/"):
        return None
    parts = pointer.split("/")[1:]
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts) if "~" in pointer else tuple(parts)


class Positions:
    """The places of the values in one text, worked out as they are asked for.

    JSON is opened section by section: what lies between is skipped by the decoder of the standard library, which is
    much faster than an index of everything. YAML is indexed in one pass.
    """

    def __init__(self, source: Source) -> None:
        self._text = source.text
        self._json = source.format == "json"
        self._opened: dict[int, dict[str, tuple[int, int]]] = {}
        self._indexed: dict[tuple[str, ...], tuple[int, int]] | None = None
        start = _after_space(source.text, 0)
        self._whole: tuple[int, int] | None = (start, start) if start < len(source.text) else None
        self._lines: list[int] | None = None
        """Where lines begin."""

    def locate(self, pointer: str, *, key: bool = False) -> tuple[int, int] | None:
        """As the function of the same name."""
        parts = from_pointer(pointer)
        place = None if parts is None else self._find(parts)
        return None if place is None else self._line_and_column(place[0 if key else 1])

    def nearest(self, pointer: str, *, key: bool = False) -> tuple[int, int] | None:
        """The place of the value or, where it is not written, of the section that it belongs to."""
        parts = from_pointer(pointer) or ()
        place = self._find(parts)
        while place is None and parts:
            parts, key = parts[:-1], False
            place = self._find(parts)
        return None if place is None else self._line_and_column(place[0 if key else 1])

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        if self._lines is None:
            ends = _LINE_END.finditer(self._text) if "\r" in self._text else re.finditer("\n", self._text)
            self._lines = [0, *(end.end() for end in ends)]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def _find(self, parts: tuple[str, ...]) -> tuple[int, int] | None:
        if not self._json:
            if self._indexed is None:
                self._indexed = _index_yaml(self._text)
            return self._indexed.get(parts)
        place = self._whole
        for part in parts:
            if place is None:
                return None
            children = self._opened.get(place[1])
            if children is None:
                children = self._opened[place[1]] = _open_json(self._text, place[1])
            place = children.get(part)
        return place


def _after_space(text: str, offset: int) -> int:
    match = _SPACE.match(text, offset)
    return match.end() if match else offset


def _open_json(text: str, offset: int) -> dict[str, tuple[int, int]]:
    """The places of the children of the section that starts here: name or number → place of key and of value."""
    children: dict[str, tuple[int, int]] = {}
    opener = text[offset]
    if opener not in "{[":
        return children
    here = _after_space(text, offset + 1)
    try:
        while text[here] not in "}]":
            key, value, name = here, here, str(len(children))
            if opener == "{":
                name, end = _DECODER.raw_decode(text, here)
                value = _after_space(text, _after_space(text, end) + 1)
            children[name] = (key, value)
            _, end = _DECODER.raw_decode(text, value)
            here = _after_space(text, end)
            if text[here] == ",":
                here = _after_space(text, here + 1)
    except (ValueError, IndexError, RecursionError, TypeError):
        pass  # Not JSON from here on: what comes before still has its place.
    return children


def _index_yaml(text: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """The places of all values: parts of the pointer → place of key and of value."""
    import yaml

    index: dict[tuple[str, ...], tuple[int, int]] = {}
    # Of each open section: its parts, the number of items so far or None for a mapping, the key that awaits its value.
    stack: list[list[Any]] = []
    try:
        for event in yaml.parse(text, Loader=yaml_loader()):
            if isinstance(event, yaml.CollectionEndEvent):
                stack.pop()
                continue
            if not isinstance(event, yaml.NodeEvent):
                continue
            mark: Any = event.start_mark
            place = mark.index
            parts: tuple[str, ...] = ()
            key = place
            if stack:
                parent = stack[-1]
                if parent[1] is not None:
                    parts = (*parent[0], str(parent[1]))
                    parent[1] += 1
                elif parent[2] is None:
                    if not isinstance(event, yaml.ScalarEvent):
                        break
                    parent[2] = (event.value, place)
                    continue
                else:
                    name, key = parent[2]
                    parts = (*parent[0], name)
                    parent[2] = None
            index[parts] = (key, place)
            if isinstance(event, yaml.CollectionStartEvent):
                stack.append([parts, 0 if isinstance(event, yaml.SequenceStartEvent) else None, None])
    except yaml.YAMLError:
        pass
    return index


def yaml_loader() -> Any:
    """The one loader that all YAML is read with: libyaml's, or the slower one where libyaml is missing."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
