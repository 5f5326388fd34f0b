"""Checks the shape of a pack against its model, and says all that is wrong in plain English, with places."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints, ValidationError

from goodcommission.description.document import Source
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.description.positions import positions, to_pointer
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs import model
from goodcommission.packs.model import Pack

_MOST_ENTRIES: Final = 1_000
_PATTERNS: Final = {
    model.Name: "a name in small letters, digits and underscores, such as page_limit",
    model.PackId: "a name in small letters, digits and hyphens, such as my-pack",
    model.RuleId: "an id such as PP-03",
    model.ConclusionId: "a name such as risk.small_provider_exclusion or strength.good_ending",
    model.Version: "a version such as 1.0.0",
}
_BY_PATTERN: Final = {
    constraint.pattern: said
    for annotation, said in _PATTERNS.items()
    for constraint in get_args(annotation)[1:]
    if isinstance(constraint, StringConstraints)
} | {"^[A-Z]{3}$": "a currency such as GBP", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date such as 2026-03-31"}
_EXPECTED: Final = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "tuple_type": "a list",
    "dict_type": "a section of names and values",
    "date_type": "a date such as 2026-03-31",
    "model_type": "a section of names and values",
    "model_attributes_type": "a section of names and values",
}


def validate(raw: object, source: Source) -> Pack:
    """Make a pack of what was parsed.

    Raises:
        PackError: It does not have the shape of a pack; all faults, in the order of the file.
    """
    if long := _long_list(raw):
        line, column = positions(source).nearest(long) or (None, None)
        message = f"a section or a list of a pack has {_MOST_ENTRIES:,} entries at most"
        raise PackError(Fault(message, source.name, line, column, long, "Cut the pack into several."))
    try:
        return Pack.model_validate(raw)
    except ValidationError as error:
        faults: dict[tuple[str, str], Fault] = {}
        for item in error.errors(include_url=False)[:MOST_FAULTS]:
            fault = _fault(raw, source, item["type"], item["loc"], item["msg"], item.get("ctx") or {})
            faults.setdefault((fault.pointer or "", fault.message), fault)
        raise PackError(*sorted(faults.values(), key=lambda fault: (fault.line or 0, fault.column or 0))) from None


def _long_list(raw: object) -> str | None:
    """Where a list or a section is longer than it may be: one wrong entry makes a dozen errors, all kept."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), raw)]
    while pending:
        parts, node = pending.pop()
        if isinstance(node, dict | list) and len(node) > _MOST_ENTRIES:
            return to_pointer(parts)
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        pending.extend(((*parts, key), child) for key, child in children if isinstance(child, dict | list))
    return None


def _fault(
    raw: Any, source: Source, kind: str, location: Sequence[int | str], said: str, context: dict[str, Any]
) -> Fault:
    parts, value, annotation, holder = _follow(raw, location)
    message, suggestion, key = f"{said[:1].lower()}{said[1:]}", None, False
    if kind == "extra_forbidden":
        known = _fields(holder)
        message, suggestion, key = f'there is no field "{parts[-1]}" here', _nearest(str(parts[-1]), known), True
        suggestion = suggestion or f"Here can stand: {', '.join(known)}."
    elif kind == "missing":
        message = f'the field "{location[-1]}" is missing'
    elif location and location[-1] == "[key]":
        message, key = f'{_by_pattern(context)} is expected as a name here, not "{parts[-1]}"', True
    elif value is None:
        message = f"this is empty: {_expected(kind, annotation, context)} is expected"
    elif kind == "literal_error":
        allowed = _choices(annotation)
        message = f"one of {', '.join(allowed)} is expected, not {_show(value)}"
        suggestion = _nearest(str(value), allowed)
    elif _scalars(annotation) > 1 or kind in _EXPECTED:
        message = f"{_expected(kind, annotation, context)} is expected, not {_show(value)}"
        if kind == "string_type" and isinstance(value, bool | int | float) and _scalars(annotation) == 1:
            suggestion = "Put it in quotes."
    elif kind == "string_pattern_mismatch":
        expected = _by_pattern(context)
        message = f"{expected} is expected, not {_show(value)}"
    elif kind == "string_too_short":
        message = "this text is empty"
    elif kind == "too_short":
        message = f"this list is empty: {context.get('min_length', 1)} at least is needed"
    elif kind in ("greater_than", "greater_than_equal"):
        side = "above" if kind == "greater_than" else "not below"
        message = f"a number {side} {context.get('gt', context.get('ge'))} is expected, not {_show(value)}"
    pointer = to_pointer(parts)
    line, column = positions(source).nearest(pointer, key=key) or (None, None)
    return Fault(message, source.name, line, column, pointer, suggestion)


def _follow(raw: Any, location: Sequence[int | str]) -> tuple[list[int | str], Any, Any, Any]:
    """Where pydantic's location leads in what was written: the way, the value, its type, the section it stands in."""
    way: list[int | str] = []
    here, annotation, holder = raw, Pack, Pack
    for step in location:
        entry = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if not entry and not (isinstance(here, dict) and step in here):
            continue  # Pydantic's own words, such as the choice of a union that it tried.
        here = here[step]
        way.append(step)
        holder = _bare(annotation)
        annotation = _type_of(holder, step)
    return way, here, annotation, holder


def _bare(annotation: Any) -> Any:
    """A type without its checks and without "or None"."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            rest = [choice for choice in get_args(annotation) if choice is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def _type_of(holder: Any, step: int | str) -> Any:
    """The type of a part of a section or a list."""
    if isinstance(holder, type) and issubclass(holder, BaseModel):
        for name, field in holder.model_fields.items():
            if step in (name, field.alias):
                return field.annotation
        return None
    parts = get_args(holder)
    return (parts[0] if isinstance(step, int) else parts[-1]) if parts else None


def _fields(holder: Any) -> list[str]:
    if isinstance(holder, type) and issubclass(holder, BaseModel):
        return [field.alias or name for name, field in holder.model_fields.items()]
    return []


def _choices(annotation: Any) -> list[str]:
    bare = _bare(annotation)
    if get_origin(bare) is Literal:
        return [str(choice) for choice in get_args(bare)]
    return [choice for part in get_args(bare) for choice in _choices(part)]


def _scalars(annotation: Any) -> int:
    """How many kinds of value are allowed."""
    bare = _bare(annotation)
    return len(get_args(bare)) if get_origin(bare) in (Union, types.UnionType) and not _choices(bare) else 1


def _expected(kind: str, annotation: Any, context: dict[str, Any]) -> str:
    if _scalars(annotation) > 1:
        return "a number or a text"
    choices = [] if kind.startswith(("tuple", "dict", "model")) else _choices(annotation)
    return f"one of {', '.join(choices)}" if choices else _EXPECTED.get(kind) or _by_pattern(context)


def _by_pattern(context: dict[str, Any]) -> str:
    return _BY_PATTERN.get(str(context.get("pattern")), "a text with something in it")


def _nearest(written: str, allowed: Sequence[str]) -> str | None:
    near = difflib.get_close_matches(written, allowed, n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else None


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    shown = text if len(text) <= 40 else text[:39] + "…"
    return f'"{shown}"' if isinstance(value, str) else shown
