"""Mends: a rule's remedy as edits, worked out for one description and applied to it as it is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from goodcommission.description.facts import COMPLETE, Fact, date, dictionary, gather
from goodcommission.description.reading import read_description
from goodcommission.engine.conditions import PARAMS, UNKNOWN, Condition, View
from goodcommission.engine.texts import rounded
from goodcommission.engine.verdicts import CompiledEdit, CompiledRule, RuleVerdict, Setting, compute_lets, setting_for

_ABSENT: Final = object()

Kind = Literal["safe", "decision", "evidence"]
Operation = dict[str, Any]
"""One operation of a JSON Patch (RFC 6902)."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit, worked out: what is to be stated, and where."""

    reference: str
    """The fact or the part of one: ``requirements.insurance[1].needed_by``; ``….complete`` of a list."""
    value: Any
    """As it is written in a description."""
    kind: Kind
    added: bool = False
    """The value is one more item of the list that is named."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other changes."""
        return self.reference, repr(self.value)


class CannotMendError(Exception):
    """A value of a mend can't be worked out from what is stated."""


def plain(value: Any) -> Any:
    """A copy of what was read, with numbers as JSON has them; nothing in it is shared."""
    if isinstance(value, dict):
        return {name: plain(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def changes(verdict: RuleVerdict, setting: Setting, raw: Mapping[str, Any], profile: Any = None) -> list[Change]:
    """The edits that mend a failure, without those that change nothing.

    Values are worked out from the description as it was; which items of a list an edit is for, from the description
    with the edits before it.

    Args:
        verdict: A failure.
        setting: The facts it was judged by.
        raw: The description as it is written, of which these are the facts.
        profile: The commissioner's profile, with which the description is read again.

    Raises:
        CannotMendError: A value can't be worked out.
        DescriptionError: An edit makes the description invalid.
    """
    rule = verdict.rule
    setting = setting_for(rule, setting)
    data = {**setting.facts.values, **rule.constants}
    data.update({name: value for name, (value, _, _) in compute_lets(rule, setting).items() if value is not UNKNOWN})
    found: list[Change] = []
    edited = plain(raw)
    for edit in rule.branches[verdict.branch or 0].mend:
        data.update(_constants(edit, rule))
        records = _records(edit, edited, rule, profile)
        for change in _worked_out(edit, rule, data, records):
            if change not in found and apply(edited, change):
                found.append(change)
    return found


def apply(raw: dict[str, Any], change: Change) -> list[Operation]:
    """Make a change in a description as it is written, in place.

    Returns:
        The same as a JSON Patch; nothing if the description says so already.
    """
    head, bracket, rest = change.reference.partition("[")
    if change.added:
        return _append(raw, change.reference, change.value)
    if bracket:
        index, _, part = rest.partition("].")
        items = _at(raw, head)
        boxed = ["items"] if isinstance(items, dict) else []
        return _put(raw, [*head.split("."), *boxed, int(index), part], change.value)
    of_list = head.removesuffix(COMPLETE)
    if of_list == head or head in dictionary():
        return _put(raw, list(head.split(".")), change.value)
    items = _at(raw, of_list)
    if isinstance(items, dict):
        return _put(raw, [*of_list.split("."), "complete"], change.value)
    if not items:  # [] says so already; of what is not stated nothing can be complete.
        return []
    return _put(raw, list(of_list.split(".")), {"complete": change.value, "items": plain(items)})


def stated(raw: Mapping[str, Any], change: Change) -> tuple[str, Any]:
    """Where a change is made, as a JSON pointer, and what is written there, None if nothing is."""
    head, bracket, rest = change.reference.partition("[")
    of_list = head.removesuffix(COMPLETE)
    of_items = bracket or change.added or (of_list != head and head not in dictionary())
    pointer = "/" + (of_list if of_items else head).replace(".", "/")
    if not of_items:
        return pointer, _at(raw, head)
    written = _at(raw, of_list)
    boxed = isinstance(written, dict)
    if bracket:
        index, _, part = rest.partition("].")
        items = written["items"] if isinstance(written, dict) else written or []
        return f"{pointer}{'/items' if boxed else ''}/{index}/{part}", items[int(index)].get(part)
    if change.added:
        return f"{pointer}{'/items' if boxed else ''}/-", None
    return f"{pointer}{'/complete' if boxed else ''}", written.get("complete") if isinstance(written, dict) else None


# --- What is to be changed ---------------------------------------------------------------------------------------


def _worked_out(
    edit: CompiledEdit, rule: CompiledRule, data: Mapping[str, Any], records: Sequence[Any]
) -> Iterator[Change]:
    written = edit.edit
    value = written.value
    if edit.value is not None:
        computed = edit.value.value(View(data))
        if computed is UNKNOWN or (isinstance(computed, float) and not math.isfinite(computed)):
            raise CannotMendError(written.to)
        sides = {let.name: let.let.round for let in rule.lets}
        value = as_written(computed, _fact(edit), rule.currency, sides.get(written.to or "", "nearest"))
    if written.add:
        yield Change(edit.name, value, written.kind, added=True)
    elif edit.field is None:
        yield Change(edit.name, value, written.kind)
    else:
        for index, record in enumerate(records):
            if edit.where is None or edit.where.value(View({**data, edit.name: [record]})) is True:
                yield Change(f"{edit.name}[{index}].{edit.field}", value, written.kind)


def _fact(edit: CompiledEdit) -> Fact:
    fact = dictionary()[edit.name]
    return fact if edit.field is None else fact.fields[edit.field]


def _records(edit: CompiledEdit, raw: Mapping[str, Any], rule: CompiledRule, profile: Any) -> Sequence[Any]:
    """The items of the list that an edit is for, as conditions see them after the edits before."""
    if edit.field is None:
        return ()
    facts = gather(read_description(raw, commissioner=profile), rule.currency)
    records: Sequence[Any] = facts.values.get(edit.name, ())
    return records


def _constants(edit: CompiledEdit, rule: CompiledRule) -> dict[str, Any]:
    conditions: tuple[Condition | None, ...] = (edit.value, edit.where)
    names = {name for condition in conditions if condition for name in condition.names if name.startswith(PARAMS)}
    values = {name: rule.parameters[name.removeprefix(PARAMS)].value for name in names}
    return {name: value for name, value in values.items() if value is not None}


def as_written(value: Any, fact: Fact, currency: str, side: str) -> Any:
    """A value of the condition language as a description writes it."""
    if fact.type == "money":
        return {"amount": plain(rounded(float(value), 2, side)), "currency": currency}
    if fact.type == "date":
        return date(int(value)).isoformat()
    if fact.type == "int":
        return int(rounded(float(value), 0, side))
    if fact.type == "double":
        return plain(rounded(float(value), 6, side))
    return value


# --- How it is written -------------------------------------------------------------------------------------------


def _at(raw: Mapping[str, Any], name: str) -> Any:
    """What is written for a fact, or None."""
    here: Any = raw
    for step in name.split("."):
        here = here.get(step) if isinstance(here, dict) else None
    return here


def _append(raw: dict[str, Any], name: str, value: Any) -> list[Operation]:
    written = _at(raw, name)
    boxed = isinstance(written, dict)
    items = written.get("items") if isinstance(written, dict) else written
    if not isinstance(items, list):
        return _put(raw, list(name.split(".")), [value])
    if value in items:
        return []
    items.append(plain(value))
    return [{"op": "add", "path": f"/{name.replace('.', '/')}{'/items' if boxed else ''}/-", "value": plain(value)}]


def _put(raw: dict[str, Any], steps: list[str | int], value: Any) -> list[Operation]:
    here: Any = raw
    path = ""
    for depth, step in enumerate(steps):
        path += f"/{step}"
        if isinstance(step, int) and step >= len(here):
            raise CannotMendError(f"the item {path} is not there")
        old = here[step] if isinstance(step, int) else here.get(step, _ABSENT)
        if depth + 1 < len(steps) and isinstance(old, dict | list):
            here = old
            continue
        new = plain(value)
        for name in reversed(steps[depth + 1 :]):
            new = {name: new}
        if old == new and type(old) is type(new):
            return []
        here[step] = plain(new)
        if old is _ABSENT:
            return [{"op": "add", "path": path, "value": new}]
        return [{"op": "test", "path": path, "value": plain(old)}, {"op": "replace", "path": path, "value": new}]
    return []
