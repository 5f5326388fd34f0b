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
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

NONE = "none"
"""The word that states an absence ("no reason was recorded"); leaving a field out says that nothing is known."""

LARGEST_INTEGER = 2**63 - 1

NO_CURRENCY = "XXX"
"""ISO 4217's code for "no currency": the currency of a stated ``none``, which is 0 in any."""

# ISO 4217, list one (November 2026); in the last line those withdrawn of late, for documents from before.
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD "
    "XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG "
    "ANG BGN CUC HRK SLL ZWL"
)
CURRENCIES = frozenset(_CODES.split())

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
# At least one visible character, no control characters. Spelt so that all regex dialects agree on it.
_VISIBLE = rf"^[^{_CONTROL}]*[^\s{_CONTROL}\uFEFF][^{_CONTROL}]*$"


class Part(BaseModel):
    """A closed, immutable section of a description: a misspelt field is an error, never "not evidenced"."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("number_type", "a number is expected, such as 0.25 or 300000")
    # float.__repr__ because a subclass (numpy's) prints itself differently.
    number = Decimal(float.__repr__(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise PydanticCustomError("number_finite", "a finite number is expected")
    if number and not (0.0 < abs(float(number)) < math.inf):
        raise PydanticCustomError("number_range", "the number is too large or too small to be computed with")
    return number


def _count(value: Any) -> int:
    """Whole numbers only; ``36.0`` is the same statement as ``36``."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("count_type", "a whole number is expected, such as 36")
    number: int | Decimal = value if isinstance(value, int) else _number(value)
    # Before it is made an int: 1E+999999999 would fill the memory.
    if not -LARGEST_INTEGER <= number <= LARGEST_INTEGER:
        raise PydanticCustomError("count_range", "the whole number is too large (beyond 64 bits)")
    if number != int(number):
        raise PydanticCustomError("count_type", "a whole number is expected, such as 36")
    if number < 0:
        raise PydanticCustomError("count_bounds", "a whole number of 0 or more is expected, such as 36")
    return int(number)


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
    if isinstance(value, str) and value == NONE:
        return NONE
    try:
        return _date(value)
    except PydanticCustomError as error:
        if error.type == "date_value":
            raise
        raise PydanticCustomError(
            "date_type", "a date is expected, such as 2026-03-31, or the word none if there was none"
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
        try:
            number = _number(value)
        except PydanticCustomError as error:
            if error.type == "number_type" and high is not None:
                raise PydanticCustomError("number_bounds", message) from None
            raise
        if (low is not None and number < low) or (high is not None and number > high):
            raise PydanticCustomError("number_bounds", message)
        return number

    return PlainValidator(check)


Ratio = Annotated[
    Decimal,
    _bounded(Decimal(0), Decimal(1), "a share is written between 0 and 1: 0.25 for 25 %"),
    PlainSerializer(_serialize_number, return_type=float | int, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1}),
]
Amount = Annotated[
    Decimal,
    _bounded(Decimal(0), None, "a number of 0 or more is expected"),
    PlainSerializer(_serialize_number, return_type=float | int, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
Count = Annotated[
    int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER})
]
Date = Annotated[
    dt.date,
    PlainValidator(_date),
    PlainSerializer(lambda value: value.isoformat(), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date", "pattern": _DATE_PATTERN}),
]
DateOrNone = Annotated[
    dt.date | str,
    PlainValidator(_date_or_none),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "anyOf": [{"const": NONE}, {"format": "date", "pattern": _DATE_PATTERN}]}),
]
Text = Annotated[str, StringConstraints(min_length=1, pattern=_VISIBLE)]
TextOrNone = Annotated[str, StringConstraints(min_length=1, pattern=_VISIBLE), "may be none"]


def _currency(value: Any) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("currency_type", "a currency code is expected, such as GBP")
    if value not in CURRENCIES:
        raise PydanticCustomError(
            "currency_value", "a currency is written with its three-letter ISO 4217 code, such as GBP"
        )
    return value


def _as_amount(value: Any) -> str:
    """The number that was probably meant, for a message."""
    try:
        number = _number(value)
    except PydanticCustomError:
        return "300000"
    return f"{number:f}" if 0 <= number < 10**15 and len(f"{number:f}") <= 20 else "300000"


class Money(Part):
    """An amount of money with its currency, as in OCDS."""

    amount: Amount = Field(title="amount", description="0 or more, before VAT unless the field says otherwise.")
    currency: Annotated[
        str, PlainValidator(_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
    ] = Field(title="currency", description="ISO 4217 code, such as GBP.")

    @model_validator(mode="before")
    @classmethod
    def _explain(cls, value: Any) -> Any:
        if not isinstance(value, dict | Money):
            raise PydanticCustomError(
                "money_type",
                "money is written with its currency: {open}amount: {amount}, currency: GBP{close}",
                {"amount": _as_amount(value), "open": "{", "close": "}"},
            )
        return value


def _money_or_none(value: Any) -> Any:
    return {"amount": 0, "currency": NO_CURRENCY} if isinstance(value, str) and value == NONE else value


class NoMoney:
    """Marks a money field in which the word ``none`` states that nothing is asked or paid."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(core_schema), {"const": NONE}]}


MoneyOrNone = Annotated[Money, BeforeValidator(_money_or_none), NoMoney()]

Item = TypeVar("Item")


class Listed(Part, Generic[Item]):
    """A list, and whether its author says that it is complete.

    Written as a plain list, it states its items and leaves open whether there are more; ``[]`` states
    that there are none. Written as ``{complete: true, items: [...]}`` it speaks for all of them. ``complete`` is
    ``None`` only for a plain list that leaves it open.
    """

    items: tuple[Item, ...] = Field(title="items", description="The items that are known.")
    complete: bool | None = Field(default=None, title="complete", description="True if the list names all of them.")

    @model_validator(mode="before")
    @classmethod
    def _accept_plain_list(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {"items": tuple(value), "complete": True if not value else None}
        if isinstance(value, Listed):
            return value
        if isinstance(value, dict) and "items" in value:
            if isinstance(value["items"], list):
                value = {**value, "items": tuple(value["items"])}
            if value.get("complete") is None:
                value = {**value, "complete": value["items"] == ()}
            return value
        raise PydanticCustomError("list_type", "a list is expected: [first, second], or [] for none")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Either form: the plain list or the object that says whether it is complete."""
        reference = handler(core_schema)
        stored = handler.resolve_ref_schema(reference)
        spelt_out = dict(stored)
        stored.clear()
        stored["anyOf"] = [spelt_out["properties"]["items"], spelt_out]
        return reference


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Entries = Annotated[tuple[Item, ...], BeforeValidator(_as_tuple)]
"""A plain list of records that bears on no rule by its length."""
