"""The value types that a description is made of: money, dates, texts that may be "none", lists that may be complete."""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

NONE = "none"
"""The word that states an absence ("no reason was recorded"); leaving a field out says that nothing is known."""

LARGEST_INTEGER = 2**63 - 1
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")



class Part(BaseModel):
    """A closed, immutable section of a description: a misspelt field is an error, never "not evidenced"."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number_type", "a number is expected, such as 0.25 or 300000")
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("number_finite", "a finite number is expected")
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite() or (number and not -308 <= number.adjusted() <= 307):
        raise PydanticCustomError("number_range", "the number is too large or too small to be computed with")
    return number


def _integer(value: Any) -> Any:
    """Whole numbers only; ``36.0`` is the same statement as ``36``."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("integer_type", "a whole number is expected, such as 36")
    if isinstance(value, float | Decimal):
        if not math.isfinite(value) or value != value.__floor__():
            raise PydanticCustomError("integer_whole", "a whole number is expected, such as 36")
        value = int(value)
    if abs(value) > LARGEST_INTEGER:
        raise PydanticCustomError("integer_range", "the whole number is too large (beyond 64 bits)")
    return value


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if isinstance(value, str) and _DATE.match(value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date_value", "there is no such day in the calendar") from None
    raise PydanticCustomError("date_type", "a date is expected, written as year-month-day, such as 2026-03-31")


def _date_or_none(value: Any) -> dt.date | str:
    if value == NONE:
        return NONE
    try:
        return _date(value)
    except PydanticCustomError as error:
        if error.type == "date_value":
            raise
        raise PydanticCustomError(
            "date_type",
            "a date such as 2026-03-31 is expected, or the word none if there was none",
        ) from None


def _serialize_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() and abs(value) <= LARGEST_INTEGER else float(value)


Number = Annotated[
    Decimal,
    PlainValidator(_number),
    PlainSerializer(_serialize_number, return_type=float | int, when_used="json"),
    WithJsonSchema({"type": "number"}),
]


def _bounded(low: Decimal | None, high: Decimal | None, message: str) -> Any:
    def check(value: Any) -> Decimal:
        number = _number(value)
        if (low is not None and number < low) or (high is not None and number > high):
            raise PydanticCustomError("number_bounds", message)  # type: ignore[arg-type]
        return number

    return PlainValidator(check)


Ratio = Annotated[
    Decimal,
    _bounded(Decimal(0), Decimal(1), "a share between 0 and 1 is expected (25 % is 0.25)"),
    PlainSerializer(_serialize_number, return_type=float | int, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Amount = Annotated[
    Decimal,
    _bounded(Decimal(0), None, "a number of 0 or more is expected"),
    PlainSerializer(_serialize_number, return_type=float | int, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
Count = Annotated[int, BeforeValidator(_integer), Field(ge=0)]
Date = Annotated[
    dt.date,
    PlainValidator(_date),
    PlainSerializer(lambda value: value.isoformat(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}),
]
DateOrNone = Annotated[
    dt.date | str,
    PlainValidator(_date_or_none),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "anyOf": [{"const": NONE}, {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}]}),
]
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]
TextOrNone = Annotated[str, StringConstraints(min_length=1, pattern=r"\S"), "may be none"]


class Money(Part):
    """An amount of money with its currency, as in OCDS."""

    amount: Amount = Field(title="amount", description="0 or more, before VAT unless the field says otherwise.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        title="currency", description="ISO 4217 code, such as GBP."
    )

    @model_validator(mode="before")
    @classmethod
    def _explain(cls, value: Any) -> Any:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            raise PydanticCustomError(
                "money_type",
                "money is written with its currency: {open}amount: {amount}, currency: GBP{close}",
                {"amount": str(value), "open": "{", "close": "}"},
            )
        return value


def _money_or_none(value: Any) -> Any:
    return {"amount": 0, "currency": "XXX"} if value == NONE else value


class NoMoney:
    """Marks a money field in which the word ``none`` states that nothing is asked or paid."""


NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": the currency of a stated ``none``, which is 0 in any."""

MoneyOrNone = Annotated[
    Money,
    BeforeValidator(_money_or_none),
    NoMoney(),
]

Item = TypeVar("Item")


class Listed(Part, Generic[Item]):
    """A list, and whether its author says that it is complete.

    Written as a plain list, it states its items and leaves open whether there are more; ``[]`` states
    that there are none. Written as ``{complete: true, items: [...]}`` it speaks for all of them.
    """

    items: tuple[Item, ...] = Field(title="items", description="The items that are known.")
    complete: bool | None = Field(
        default=None, title="complete", description="True if the list names all of them."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_plain_list(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"items": tuple(value), "complete": True if not value else None}
        if isinstance(value, dict):
            if isinstance(value.get("items"), list):
                value = {**value, "items": tuple(value["items"])}
            if value.get("items") == () and value.get("complete") is None:
                value = {**value, "complete": True}
            return value
        raise PydanticCustomError("list_type", "a list is expected: [first, second], or [] for none")
