"""The syntax tree of a condition, decoded from CEL's own checked expression: what explains a verdict.

CEL decides, the tree explains. Nothing here parses CEL's text: the tree is read from ``Expression.serialize()``,
a protobuf ``google.protobuf.Any`` of ``cel.expr.CheckedExpr`` (cel/expr/syntax.proto, checked.proto), of which only
the few fields that a condition can contain are decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class Variable:
    """A fact, a parameter or a let."""

    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """The item that a macro is looking at."""

    name: str


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a record."""

    record: Node
    field: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function; operators have CEL's own names: ``_&&_``, ``_<=_``, ``!_``, ``_?_:_``, ``@in``."""

    function: str
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list literal."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Macro:
    """``list.exists(item, body)``, ``all``, ``filter`` or ``map``."""

    kind: Literal["exists", "all", "filter", "map"]
    list: Node
    item: str
    body: Node


Node: TypeAlias = Const | Variable | Item | FieldOf | Call | ListOf | Macro


class UndecodedError(ValueError):
    """The expression contains something that conditions may not use."""


_Wire: TypeAlias = "dict[int, list[int | bytes]]"


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _wire(data: bytes) -> _Wire:
    """The fields of one protobuf message: number → raw values."""
    fields: _Wire = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 2:
            length, at = _varint(data, at)
            value, at = data[at : at + length], at + length
        else:
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        fields.setdefault(number, []).append(value)
    return fields


def _bytes(fields: _Wire, number: int) -> bytes | None:
    values = fields.get(number)
    return values[-1] if values and isinstance(values[-1], bytes) else None


def _text(fields: _Wire, number: int) -> str:
    return (_bytes(fields, number) or b"").decode("utf-8")


def _number(fields: _Wire, number: int) -> int:
    values = fields.get(number)
    return values[-1] if values and isinstance(values[-1], int) else 0


def _constant(data: bytes) -> Const:
    fields = _wire(data)
    if 2 in fields:
        return Const(bool(_number(fields, 2)))
    if 3 in fields:
        value = _number(fields, 3)
        return Const(value - 2**64 if value >= 2**63 else value)
    if 5 in fields:
        return Const(struct.unpack("<d", _bytes(fields, 5) or b"")[0])
    if 6 in fields:
        return Const(_text(fields, 6))
    raise UndecodedError("only yes/no, whole numbers, numbers and texts can be written in a condition")


class _Decoder:
    def __init__(self, references: dict[int, str]) -> None:
        self.references = references

    def node(self, data: bytes, items: frozenset[str]) -> Node:
        fields = _wire(data)
        reference = self.references.get(_number(fields, 2))
        if (part := _bytes(fields, 3)) is not None:
            return _constant(part)
        if (part := _bytes(fields, 4)) is not None:
            name = _text(_wire(part), 1)
            return Item(name) if name in items else Variable(reference or name)
        if (part := _bytes(fields, 5)) is not None:
            select = _wire(part)
            if _number(select, 3):
                raise UndecodedError("has() is not allowed: a condition can't ask whether a fact is there")
            if reference is not None:
                return Variable(reference)
            return FieldOf(self.node(_bytes(select, 1) or b"", items), _text(select, 2))
        if (part := _bytes(fields, 6)) is not None:
            call = _wire(part)
            target = _bytes(call, 1)
            args = [target] if target is not None else []
            args += [arg for arg in call.get(3, []) if isinstance(arg, bytes)]
            return Call(_text(call, 2), tuple(self.node(arg, items) for arg in args))
        if (part := _bytes(fields, 7)) is not None:
            elements = _wire(part).get(1, [])
            return ListOf(tuple(self.node(item, items) for item in elements if isinstance(item, bytes)))
        if (part := _bytes(fields, 9)) is not None:
            return self.macro(_wire(part), items)
        raise UndecodedError("messages and maps can't be written in a condition")

    def macro(self, fields: _Wire, items: frozenset[str]) -> Macro:
        item, accumulator = _text(fields, 1), _text(fields, 3)
        inner = items | {item, accumulator}
        over = self.node(_bytes(fields, 2) or b"", items)
        start = self.node(_bytes(fields, 4) or b"", items)
        step = self.node(_bytes(fields, 6) or b"", inner)
        accumulated = Item(accumulator)
        match start, step:
            case Const(False), Call("_||_", (first, body)) if first == accumulated:
                return Macro("exists", over, item, body)
            case Const(True), Call("_&&_", (first, body)) if first == accumulated:
                return Macro("all", over, item, body)
            case ListOf(()), Call("_?_:_", (body, Call("_+_", (first, ListOf((Item(kept),)))), second)) if (
                first == second == accumulated and kept == item
            ):
                return Macro("filter", over, item, body)
            case ListOf(()), Call("_+_", (first, ListOf((body,)))) if first == accumulated:
                return Macro("map", over, item, body)
        raise UndecodedError("only exists, all, filter and map can look through a list")


def decode(serialized: bytes) -> Node:
    """The tree of a compiled condition.

    Args:
        serialized: What ``Expression.serialize()`` of cel-expr-python gives.

    Raises:
        UndecodedError: The expression uses something that conditions may not use.
    """
    checked = _wire(_bytes(_wire(serialized), 2) or b"")
    references: dict[int, str] = {}
    for entry in checked.get(2, []):
        if isinstance(entry, bytes):
            pair = _wire(entry)
            name = _text(_wire(_bytes(pair, 2) or b""), 1)
            if name:
                references[_number(pair, 1)] = name
    return _Decoder(references).node(_bytes(checked, 4) or b"", frozenset())


def canonical(serialized: bytes) -> bytes:
    """The same expression, always in the same bytes: maps sorted, and without the positions in its text."""
    whole = _wire(serialized)
    checked = _wire(_bytes(whole, 2) or b"")
    maps = [_field(number, entry) for number in (2, 3) for entry in sorted(_entries(checked, number))]
    return _field(1, _bytes(whole, 1) or b"") + _field(2, b"".join((*maps, _field(4, _bytes(checked, 4) or b""))))


def _entries(fields: _Wire, number: int) -> list[bytes]:
    return [entry for entry in fields.get(number, []) if isinstance(entry, bytes)]


def _field(number: int, data: bytes) -> bytes:
    """A protobuf field of bytes: tag, length, data."""
    length, head = len(data), bytearray([number << 3 | 2])
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes below it."""
    yield node
    match node:
        case FieldOf(record, _):
            yield from walk(record)
        case Call(_, nodes) | ListOf(nodes):
            for child in nodes:
                yield from walk(child)
        case Macro(_, over, _, body):
            yield from walk(over)
            yield from walk(body)


def variables(node: Node) -> frozenset[str]:
    """The names of all facts, parameters and lets that a condition mentions."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Variable))
