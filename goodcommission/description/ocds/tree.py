"""Careful reading of an OCDS tree: each look-up gives a usable value with its place, or nothing; nothing ever raises.

A node is what JSON has: an object, a list, a single value, or None where nothing stands. In a traced tree the single
values are leaves that know their place. In a plain one they are themselves, and whatever is said stands "somewhere".
All functions take either, so that both are read by the same rules.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from goodcommission.description.ocds.shapes import Leaf, is_id, raw
from goodcommission.description.types import CURRENCIES

Value = TypeVar("Value")

UK = ZoneInfo("Europe/London")
UNLIMITED = 2**31 - 1
"""From here on a count is a system's largest number and means "no limit" (2147483647, 7.9e28, 1e9999)."""
# From where a run begins and without a second try, or a long text would be looked through for each of its characters.
_EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]++@[\w-]++(?:\.[\w-]++)++")
_PHONE = re.compile(r"(?<![\w/.-])(?:\+ ?44|0[1-9])[\d ()-]{7,16}\d(?![\w/])")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]+")
_USUAL_CURRENCIES = ("GBP", "EUR", "USD")
_PLAIN = frozenset({str, int, float, bool})
_SHORT: Final = 120
"""Texts up to this length come again and again, and are remembered; longer ones would fill the memory."""
_SOMEWHERE = "/"
"""The place of what is read from a plain tree."""
_EMPTY = {"", "-", ".", "n/a", "na", "n.a.", "none", "not applicable", "not specified", "tbc", "null"}


class Said:
    """A value for the description and where the notice says it; the value may be made of further ones."""

    # No dataclass, here and for what else is made for each notice: the __init__ of one is not compiled, which takes
    # ten times as long.
    __slots__ = ("pointer", "value")

    def __init__(self, value: Any, pointer: str) -> None:
        self.value = value
        self.pointer = pointer


def clean(value: object) -> str | None:
    """A text on one line, without e-mail addresses and telephone numbers; None if nothing is left."""
    if not isinstance(value, str):
        return None
    return _cleaned_once(value) if len(value) <= _SHORT else _cleaned(value)


def _on_one_line(value: str) -> str:
    return value if value.isprintable() and "  " not in value else _UNSEEN.sub(" ", value)


def _cleaned(value: str) -> str | None:
    text = _on_one_line(value)
    if "@" in text:
        text = _EMAIL.sub("[e-mail address removed]", text)
    if "0" in text or "+" in text:
        text = _PHONE.sub(_without_phone, text)
    return text.strip() or None


_cleaned_once = lru_cache(maxsize=4096)(_cleaned)


def remembered(work: Callable[[str], Value]) -> Callable[[str], Value]:
    """A function of a text that remembers its answers for short ones."""
    once = lru_cache(maxsize=4096)(work)
    return lambda written: once(written) if len(written) <= _SHORT else work(written)


def _without_phone(match: re.Match[str]) -> str:
    digits = sum(map(str.isdigit, match.group()))
    notice = re.fullmatch(r"\d{6}-\d{4}", match.group())  # the number of a notice on Find a Tender
    return match.group() if notice or digits not in (10, 11, 12) else "[telephone number removed]"


def number(value: object) -> Decimal | None:
    """A finite number within what can be computed with."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if type(value) is int and -(10**12) < value < 10**12:
        return Decimal(value)
    if type(value) is float and 1e-6 < value < 1e15:
        return Decimal(repr(value))
    try:
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return exact if exact.is_finite() and (not exact or -12 <= exact.adjusted() < 30) else None


def get(node: Any, *keys: str) -> Any:
    """What stands below these names; None where one of them is not there."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def records(node: Any) -> list[dict[str, Any]]:
    """The objects of a list. Find a Tender once wrote lists as objects, ``{"1": {...}, "2": {...}}``."""
    if isinstance(node, list):
        return [item for item in node if isinstance(item, dict)]
    if not isinstance(node, dict):
        return []
    members = list(node.values())
    return members if members and all(isinstance(member, dict) for member in members) else [node]


def scalars(node: Any) -> list[Any]:
    """The single values of a list, or the single value itself."""
    items = node if isinstance(node, list) else (node,)
    return [item for item in items if item is not None and not isinstance(item, (dict, list))]


def different(nodes: list[Any]) -> list[Any]:
    """One of each that look alike, for what all have to agree on. Traced ones all differ, if only in their place."""
    return nodes if len(nodes) < 2 else list({repr(node): node for node in nodes}.values())


def identifier(node: Any) -> Any:
    """What stands as the id of an object, if it can be one."""
    own = get(node, "id")
    return own if is_id(raw(own)) else None


def pointer(node: Any) -> str:
    """Where it stands; for an object or a list, in the newest release that says anything of it. Empty: nowhere."""
    if type(node) is Leaf:
        return node.pointer
    if node is not None and not isinstance(node, (dict, list)):
        return _SOMEWHERE
    if isinstance(node, dict):
        for key, member in node.items():
            if type(member) in _PLAIN and key != "id":
                return _SOMEWHERE
    newest: tuple[Leaf, int] | None = None
    for leaf, depth in _leaves(node, 0):
        if not isinstance(leaf, Leaf):
            return _SOMEWHERE
        if newest is None or leaf.rank > newest[0].rank:
            newest = leaf, depth
    if newest is None:
        return ""
    leaf, depth = newest
    return "/".join(leaf.pointer.split("/")[: -depth or None])


def said(node: Any, value: Any) -> Said | None:
    """A value that rests on what is stated here; nothing if nothing is."""
    if value is None or node is None:
        return None
    place = pointer(node)
    return Said(value, place) if place else None


# These are asked a hundred times of each notice: what they could call is written out.


def text(node: Any) -> Said | None:
    """A text, without what acts or identifies a person."""
    written = clean(node.value if type(node) is Leaf else node)
    return Said(written, node.pointer if type(node) is Leaf else _SOMEWHERE) if written else None


def code(node: Any) -> Said | None:
    """An identifier or code."""
    value = node.value if type(node) is Leaf else node
    if not isinstance(value, str):
        return None
    written = value if value.isalnum() else _on_one_line(value).strip()
    return Said(written, node.pointer if type(node) is Leaf else _SOMEWHERE) if written else None


def reason(node: Any) -> Said | None:
    """A text that gives a reason; a placeholder ("N/A") gives none, and does not say that there is none."""
    written = clean(node.value if type(node) is Leaf else node)
    if written is None or written.casefold() in _EMPTY:
        return None
    return Said(written, node.pointer if type(node) is Leaf else _SOMEWHERE)


def flag(node: Any) -> Said | None:
    """A yes or no."""
    value = node.value if type(node) is Leaf else node
    if value is not True and value is not False:
        return None
    return Said(value, node.pointer if type(node) is Leaf else _SOMEWHERE)


def date(node: Any) -> Said | None:
    """The civil date in the United Kingdom."""
    value = node.value if type(node) is Leaf else node
    if not isinstance(value, str):
        return None
    day = (_civil_once if len(value) <= _SHORT else _civil)(value, False)
    return Said(day, node.pointer if type(node) is Leaf else _SOMEWHERE) if day else None


def local_date(node: Any) -> Said | None:
    """The same for publishers who write local times and mark them as UTC."""
    value = node.value if type(node) is Leaf else node
    if not isinstance(value, str):
        return None
    day = (_civil_once if len(value) <= _SHORT else _civil)(value, True)
    return Said(day, node.pointer if type(node) is Leaf else _SOMEWHERE) if day else None


def amount(node: Any) -> Said | None:
    """A finite number."""
    return said(node, number(raw(node)))


def count(node: Any) -> Said | None:
    """A whole number; unlimited ones are none."""
    value = raw(node)
    if type(value) is int:
        return said(node, value) if 0 <= value < UNLIMITED else None
    exact = number(value)
    if exact is None or exact < 0 or exact >= UNLIMITED or exact != exact.to_integral_value():
        return None
    return said(node, int(exact))


def unlimited(node: Any) -> bool:
    """Whether a system's largest number stands here."""
    value = raw(node)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    if not isinstance(value, int) and (value.is_nan() if isinstance(value, Decimal) else math.isnan(value)):
        return False
    return bool(value >= UNLIMITED)


def money(node: Any) -> Said | None:
    """An amount of money without VAT."""
    return _money(node, "amount")


def gross(node: Any) -> Said | None:
    """An amount of money with VAT."""
    return _money(node, "amountGross")


def _money(node: Any, name: str) -> Said | None:
    """An amount with its currency; up to 1 it stands for "not stated", and so do the largest numbers."""
    if not isinstance(node, dict):
        return None
    size = node.get(name)
    if size is None:
        return None
    value = raw(size)
    if type(value) is int or type(value) is float:
        if not 1 < value < 10**15 or value == UNLIMITED:
            return None
        exact = number(value)
    else:
        exact = number(value)
        if exact is None or not 1 < exact < 10**15 or exact == UNLIMITED:
            return None
    currency = node.get("currency")
    letters = raw(currency)
    if letters not in _USUAL_CURRENCIES:
        letters = letters.strip().upper() if isinstance(letters, str) else None
        if letters not in CURRENCIES:
            return None
    return Said({"amount": Said(exact, pointer(size)), "currency": Said(letters, pointer(currency))}, pointer(node))


def _civil(written: str, local: bool) -> str | None:
    written = written.strip()
    try:
        moment = dt.datetime.fromisoformat(written)
        zulu = local and written.endswith("Z")
        day = (moment if moment.tzinfo is None or zulu else moment.astimezone(UK)).date()
    except (ValueError, OverflowError):
        return None
    return day.isoformat() if 1990 <= day.year < 2200 else None


_civil_once = lru_cache(maxsize=16384)(_civil)


def words(node: Any) -> set[str]:
    """The texts of a list of codes, or the single one."""
    return {value for one in scalars(node) if isinstance(value := raw(one), str)}


def _leaves(node: Any, depth: int) -> Iterator[tuple[Any, int]]:
    if isinstance(node, dict):
        for key, member in node.items():
            if key != "id" or isinstance(member, Leaf) or is_id(member):
                yield from _leaves(member, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from _leaves(item, depth + 1)
    elif node is not None:
        yield node, depth


def agreed(statements: Iterable[Said | None]) -> Said | None:
    """What all of them say, or nothing if one is silent or says something else; of single values."""
    first: Said | None = None
    for statement in statements:
        if statement is None:
            return None
        if first is None:
            first = statement
        elif statement.value != first.value:
            return None
    return first


def plain(said: Any) -> Any:
    """The value alone."""
    if isinstance(said, Said):
        return plain(said.value)
    if isinstance(said, dict):
        return {key: plain(value) for key, value in said.items()}
    if isinstance(said, list):
        return [plain(item) for item in said]
    return said


def distinct(statements: Iterable[Said | None]) -> list[Said]:
    """Each different statement once, in order."""
    kept: dict[Any, Said] = {}
    for statement in statements:
        if statement is not None:
            kept.setdefault(statement.value, statement)
    return list(kept.values())


def listed(items: list[Said], complete: bool, pointer: str | None = None) -> Said | None:
    """A list for the description, open or complete; nothing if it has no items."""
    if not items:
        return None
    place = pointer or items[0].pointer.rsplit("/", 1)[0]
    if not complete:
        return Said(items, place)
    return Said({"items": Said(items, place), "complete": Said(True, place)}, place)
