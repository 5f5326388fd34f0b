"""Drawn descriptions: everything stated at random, a part of what is stated, one statement less."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterable, Iterator
from typing import Any

from goodcommission.description.facts import Fact, dictionary
from goodcommission.description.reading import read_description
from goodcommission.exceptions import DescriptionError


def is_money(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"amount", "currency"}


def is_boxed(value: Any) -> bool:
    """Whether it is a list that says whether it is complete (lots have a field of the same name)."""
    return isinstance(value, dict) and set(value) <= {"items", "complete"} and isinstance(value.get("items"), list)


def smaller(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The description with one statement less: each leaf, list, section, and item of a list that may be longer."""
    if isinstance(value, dict) and not is_money(value):
        for name, child in value.items():
            here = (*path, name)
            if here in {("kind",), ("evidence",)}:
                continue
            of_list = is_boxed(value) and name == "items"
            if not of_list:
                yield "/".join(here), {key: other for key, other in value.items() if key != name}
            # A list that is said to be complete loses no item: that would be another statement.
            children = inner(child, here) if of_list and value.get("complete") is True else smaller(child, here)
            for place, less in children:
                yield place, {**value, name: less}
    elif isinstance(value, list):
        if len(value) > 1:  # One less of a plain list; the last one would leave [], and that is a statement.
            for index in range(len(value)):
                yield "/".join((*path, str(index))), [*value[:index], *value[index + 1 :]]
        yield from inner(value, path)


def inner(items: list[Any], path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The list with one statement less inside one of its items."""
    for index, item in enumerate(items):
        for place, less in smaller(item, (*path, str(index))):
            yield place, [*items[:index], less, *items[index + 1 :]]


def thinned(value: Any, chance: random.Random, share: float, top: bool = True) -> Any:
    """The description with a random part of its statements."""
    if isinstance(value, dict) and not is_money(value):
        if is_boxed(value):
            items = [thinned(item, chance, share, top=False) for item in value["items"]]
            return {"items": items} if chance.random() < share else {**value, "items": items}
        return {
            name: thinned(child, chance, share, top=False)
            for name, child in value.items()
            if (top and name == "kind") or chance.random() >= share
        }
    if isinstance(value, list):
        kept = [item for item in value if chance.random() >= share] or value[:1]
        return [thinned(item, chance, share, top=False) for item in kept]
    return value


NUMBERS = {
    "months": (1, 6, 12, 24, 36, 60),
    "days": (0, 14, 27, 28, 30, 31, 90, 200),
    "lots": (1, 2, 5),
}
AMOUNTS = (0, 1000, 49999.99, 50000, 250000, 499999, 500000, 663540, 1000000, 6000000, 18000000)


def stated(fact: Fact, chance: random.Random) -> Any:
    """Some statement of a fact."""
    if fact.may_be_none and chance.random() < 0.25:
        return "none"
    match fact.type:
        case "bool":
            return chance.random() < 0.5
        case "int":
            return chance.choice(NUMBERS.get(fact.unit or "", (0, 1, 2, 3, 4, 10, 100)))
        case "double":
            return chance.choice((0, 0.1, 0.15, 0.25, 0.3, 1) if fact.unit == "share" else (0, 0.5, 1, 2, 4))
        case "money":
            return {"amount": chance.choice(AMOUNTS), "currency": "GBP"}
        case "date":
            return (dt.date(2026, 1, 1) + dt.timedelta(days=chance.randrange(150))).isoformat()
        case "enum":
            return chance.choice(fact.values)
        case "text":
            return "some words"
    items: list[Any]
    if fact.type == "list_record":
        items = [
            {name: stated(part, chance) for name, part in fact.fields.items() if chance.random() < 0.9}
            for _ in range(chance.randrange(4))
        ]
    elif fact.type == "list_enum":
        items = chance.sample(fact.values, chance.randrange(len(fact.values) + 1))
    else:
        items = ["some words"] * chance.randrange(3)
    return {"complete": True, "items": items} if chance.random() < 0.6 else items


def full(seed: int) -> dict[str, Any]:
    """A description that states everything, at random."""
    chance = random.Random(seed)
    raw: dict[str, Any] = {}
    for fact in dictionary().values():
        *sections, name = fact.name.split(".")
        here = raw
        for section in sections:
            here = here.setdefault(section, {})
        here[name] = stated(fact, chance)
    return consistent(raw)


def consistent(raw: dict[str, Any]) -> dict[str, Any]:
    """The description without what contradicts the rest of it (an end before the start)."""
    try:
        read_description(raw)
    except DescriptionError as error:
        for fault in error.faults:
            *sections, name = (fault.pointer or "").strip("/").split("/")
            here: Any = raw
            for section in sections:
                here = here[int(section)] if isinstance(here, list) else here[section]
            del here[name]
    return raw


def with_edits(raw: dict[str, Any], edits: Iterable[Any]) -> dict[str, Any]:
    """The description with edits of `improve`, put where they say they belong."""
    edited: dict[str, Any] = json.loads(json.dumps(raw))
    for edit in edits:
        *way, last = edit.pointer.split("/")[1:]
        here: Any = edited
        for part in way:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        if isinstance(here, list):
            here.append(edit.value)
        else:
            here[last] = edit.value
    return edited
