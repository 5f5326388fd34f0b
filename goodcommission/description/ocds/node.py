"""Careful reading of a traced OCDS tree: each look-up gives a usable value with its place, or nothing."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from goodcommission.description.ocds.shapes import Leaf
from goodcommission.description.types import CURRENCIES

UK = ZoneInfo("Europe/London")
UNLIMITED = Decimal(2**31 - 1)
"""From here on a count is a system's largest number and means "no limit" (2147483647, 7.9e28, 1e9999)."""
_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w/.-])(?:\+ ?44|0[1-9])[\d ()-]{7,16}\d(?![\w/])")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]+")
_EMPTY = {"", "-", ".", "n/a", "na", "n.a.", "none", "not applicable", "not specified", "tbc", "null"}


@dataclass(frozen=True, slots=True)
class Said:
    """A value for the description and where the notice says it; the value may be made of further ones."""

    value: Any
    pointer: str


def clean(value: object) -> str | None:
    """A text on one line, without e-mail addresses and telephone numbers; None if nothing is left."""
    if not isinstance(value, str):
        return None
    text = _EMAIL.sub("[e-mail address removed]", _UNSEEN.sub(" ", value))
    text = _PHONE.sub(_without_phone, text).strip()
    return text or None


def _without_phone(match: re.Match[str]) -> str:
    digits = sum(map(str.isdigit, match.group()))
    notice = re.fullmatch(r"\d{6}-\d{4}", match.group())  # the number of a notice on Find a Tender
    return match.group() if notice or digits not in (10, 11, 12) else "[telephone number removed]"


def number(value: object) -> Decimal | None:
    """A finite number within what can be computed with."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return exact if exact.is_finite() and (not exact or -12 <= exact.adjusted() < 30) else None


class Node:
    """A place in the tree, which may be empty: whatever is asked of it, it never raises."""

    __slots__ = ("local", "value")

    def __init__(self, value: Any, local: bool = False) -> None:
        self.value = value
        self.local = local
        """Whether times are local ones marked as UTC, as Public Contracts Scotland and Sell2Wales write them."""

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, *keys: str) -> Node:
        """What stands below these names; nothing where one of them is not there."""
        value = self.value
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return Node(value, self.local)

    def records(self) -> list[Node]:
        """The objects of a list. Find a Tender once wrote lists as objects, ``{"1": {...}, "2": {...}}``."""
        value = self.value
        if isinstance(value, dict):
            members = list(value.values())
            value = members if members and all(isinstance(member, dict) for member in members) else [value]
        return [Node(item, self.local) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def scalars(self) -> list[Node]:
        """The single values of a list, or the single value itself."""
        value = self.value if isinstance(self.value, list) else [self.value]
        return [Node(item, self.local) for item in value if isinstance(item, Leaf)]

    @property
    def raw(self) -> Any:
        """The value itself, if it is a single one."""
        return self.value.value if isinstance(self.value, Leaf) else None

    @property
    def rank(self) -> int:
        """How late the newest release is that says something here."""
        return max((leaf.rank for leaf, _ in _leaves(self.value, 0)), default=0)

    @property
    def pointer(self) -> str:
        """Where it stands; for an object or a list, in the newest release that says anything of it."""
        newest = max(_leaves(self.value, 0), key=lambda found: found[0].rank, default=None)
        if newest is None:
            return ""
        leaf, depth = newest
        return "/".join(leaf.pointer.split("/")[: -depth or None])

    def said(self, value: Any) -> Said | None:
        """A value that rests on what is stated here; nothing if nothing is."""
        return None if value is None or not (pointer := self.pointer) else Said(value, pointer)

    def text(self) -> Said | None:
        """A text, without what acts or identifies a person."""
        return self.said(clean(self.raw))

    def code(self) -> Said | None:
        """An identifier or code."""
        raw = self.raw
        return self.said((_UNSEEN.sub(" ", raw).strip() or None) if isinstance(raw, str) else None)

    def reason(self) -> Said | None:
        """A text that gives a reason; a placeholder ("N/A") gives none, and does not say that there is none."""
        text = clean(self.raw)
        return self.said(None if text is None or text.casefold() in _EMPTY else text)

    def flag(self) -> Said | None:
        """A yes or no."""
        return self.said(self.raw if isinstance(self.raw, bool) else None)

    def amount(self) -> Said | None:
        """A finite number."""
        return self.said(number(self.raw))

    def count(self) -> Said | None:
        """A whole number; unlimited ones are none."""
        exact = number(self.raw)
        if exact is None or exact < 0 or exact >= UNLIMITED or exact != exact.to_integral_value():
            return None
        return self.said(int(exact))

    def unlimited(self) -> bool:
        """Whether a system's largest number stands here."""
        raw = self.raw
        if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
            return False
        if not isinstance(raw, int) and (raw.is_nan() if isinstance(raw, Decimal) else math.isnan(raw)):
            return False
        return bool(raw >= UNLIMITED)

    def money(self) -> Said | None:
        """An amount of money without VAT."""
        return self._money("amount")

    def gross(self) -> Said | None:
        """An amount of money with VAT."""
        return self._money("amountGross")

    def _money(self, name: str) -> Said | None:
        """An amount with its currency; up to 1 it stands for "not stated", and so do the largest numbers."""
        amount, currency = self.get(name).amount(), self.get("currency")
        if amount is None or not 1 < amount.value < 10**15 or amount.value == UNLIMITED:
            return None
        code = currency.raw.strip().upper() if isinstance(currency.raw, str) else None
        if code not in CURRENCIES:
            return None
        return Said({"amount": amount, "currency": Said(code, currency.pointer)}, self.pointer)

    def date(self) -> Said | None:
        """The civil date in the United Kingdom."""
        raw = self.raw
        if not isinstance(raw, str):
            return None
        try:
            moment = dt.datetime.fromisoformat(raw.strip())
            zulu = self.local and raw.strip().endswith("Z")
            day = (moment if moment.tzinfo is None or zulu else moment.astimezone(UK)).date()
        except (ValueError, OverflowError):
            return None
        return self.said(day.isoformat() if 1990 <= day.year < 2200 else None)


def _leaves(value: Any, depth: int) -> Iterator[tuple[Leaf, int]]:
    if isinstance(value, Leaf):
        yield value, depth
    elif isinstance(value, dict):
        for member in value.values():
            yield from _leaves(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, depth + 1)


def agreed(statements: Iterable[Said | None]) -> Said | None:
    """What all of them say, or nothing if one is silent or says something else."""
    first: Said | None = None
    for statement in statements:
        if statement is None or (first is not None and plain(statement) != plain(first)):
            return None
        first = first or statement
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
