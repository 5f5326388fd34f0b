"""Sentences with values in them: ``{name}`` of a fact, parameter or let, written as UK English writes its unit."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from goodcommission.description.facts import date

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")
_SEVERAL: Final = re.compile(r"\A( (?:working )?(?:day|weekday|week|month|page|word))s\b('?)")
"""A unit in the plural, with its apostrophe if it has one."""
_SYMBOLS: Final[Mapping[str, str]] = {"GBP": "£", "EUR": "€", "USD": "$"}
_ROUNDING: Final[Mapping[str, str]] = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "nearest": ROUND_HALF_UP}
_PRECISE: Final = Context(prec=400)
"""Enough digits for every double: the usual 28 are an error for amounts beyond 10²⁵."""
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _one(unit: re.Match[str]) -> str:
    return f"{unit[1]}'s" if unit[2] else unit[1]


class TextError(ValueError):
    """A text holds a placeholder that is not a name, or a brace that belongs to none."""


def say_date(value: dt.date) -> str:
    """A date in words: 3 September 2013."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def rounded(value: float | Decimal, digits: int, side: str) -> Decimal:
    """A number cut to so many decimals on the side that keeps a remedy true."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    cut = exact.quantize(Decimal(1).scaleb(-digits), rounding=_ROUNDING[side], context=_PRECISE)
    return cut or abs(cut)


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: float, side: str) -> str:
    # In decimals: as a double, 0.29 * 100 is below 29.
    return _plain(rounded(Decimal(repr(value)).scaleb(2, _PRECISE), 2, side)) + "%"


def say_money(value: float, currency: str, side: str = "nearest") -> str:
    """An amount: £300,000, or £66,666.66 where pence matter."""
    amount = rounded(value, 2, side)
    whole = amount == amount.to_integral_value(context=_PRECISE)
    text, minus = f"{abs(amount):,.{0 if whole else 2}f}", "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{minus}{symbol}{text}" if symbol else f"{minus}{text} {currency}"


def say(value: Any, unit: str | None = None, side: str = "nearest") -> str:
    """A value as it is written in a sentence.

    Args:
        value: As conditions see it: bool, int, float, str or a list of str.
        unit: ``GBP`` (or another currency), ``date``, ``share`` or ``percent`` (a ratio, written as a percentage);
            other units leave the number as it is.
        side: ``down``, ``up`` or ``nearest``: the side to which a number is rounded.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(say(item, "enum") for item in value) or "none"
    if isinstance(value, str) and unit == "date":
        return say_date(dt.date.fromisoformat(value))
    if isinstance(value, str):
        return value.replace("_", " ") if unit == "enum" else value
    if unit == "date":
        try:
            return say_date(date(int(value)))
        except (ValueError, OverflowError):
            return "a day outside the calendar"
    if unit is not None and re.fullmatch("[A-Z]{3}", unit):
        return say_money(float(value), unit, side)
    if unit in ("share", "percent"):
        return _percent(float(value), side)
    if isinstance(value, float):
        return _plain(rounded(value, 2, side)) if math.isfinite(value) else str(value)
    return f"{value:,}"


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence with placeholders, ready to be filled."""

    pieces: tuple[str, ...]
    """Plain text at even places, names at odd ones."""

    @property
    def names(self) -> frozenset[str]:
        """The names that it needs."""
        return frozenset(self.pieces[1::2])

    def fill(self, value_of: Callable[[str], str]) -> str:
        """The sentence, with each name replaced by what ``value_of`` says."""
        if len(self.pieces) == 1:
            return self.pieces[0]
        said: list[str] = []
        for at, piece in enumerate(self.pieces):
            if at % 2:
                said.append(value_of(piece))
            else:
                said.append(_SEVERAL.sub(_one, piece) if said and said[-1] == "1" else piece)
        return "".join(said)


def parse(text: str) -> Text:
    """A text from a pack.

    Raises:
        TextError: A brace is left over or a placeholder is not a name.
    """
    pieces = _PLACEHOLDER.split(" ".join(text.split()))
    for plain in pieces[::2]:
        if "{" in plain or "}" in plain:
            raise TextError("a brace stands alone; placeholders are written {name}")
    for name in pieces[1::2]:
        if not _NAME.match(name):
            raise TextError(f'"{{{name}}}" is not the name of a fact, parameter or let')
    return Text(tuple(pieces))
