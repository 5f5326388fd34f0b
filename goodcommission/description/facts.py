"""The dictionary of facts: what a description may state, under which name, and what one does state."""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from goodcommission.description.model import Description
from goodcommission.description.types import DateOrNone, Listed, Money, NoMoney, Ratio, Text, TextOrNone

FactType = Literal["bool", "int", "double", "money", "date", "enum", "text", "list_enum", "list_text", "list_record"]

EPOCH: Final = dt.date(1970, 1, 1).toordinal()
GIVEN: Final = ".given"
COMPLETE: Final = ".complete"


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of the dictionary: what may be stated, under which name, and how it is said in English."""

    name: str
    """The path in the description, such as ``requirements.minimum_annual_turnover``."""
    type: FactType
    title: str
    help: str = ""
    unit: str | None = None
    values: tuple[str, ...] = ()
    """For enumerations: the allowed values."""
    may_be_none: bool = False
    """True where the word ``none`` may be stated; the fact ``name.given`` then exists."""
    fields: Mapping[str, Fact] = field(default_factory=dict)
    """For lists of records: the fields of a record."""

    @property
    def pointer(self) -> str:
        """JSON pointer of the fact in a description."""
        return "/" + self.name.replace(".", "/")


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return annotation


def _is_model(annotation: Any, base: type[BaseModel]) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, base)


def _entries(model: type[BaseModel], prefix: str) -> Iterator[Fact]:
    hints = typing.get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        annotation = _without_none(hints[name])
        path = f"{prefix}{name}"
        if path == "evidence":
            continue
        title, help, extra = info.title or path, info.description or "", info.json_schema_extra
        unit = extra.get("x-unit") if isinstance(extra, dict) else None
        known: dict[str, Any] = {"name": path, "title": title, "help": help}
        known["unit"] = unit if isinstance(unit, str) else None
        plain = get_args(annotation)[0] if get_origin(annotation) is typing.Annotated else annotation
        if plain is bool:
            yield Fact(type="bool", **known)
        elif plain is int:
            yield Fact(type="int", **known)
        elif plain is Decimal:
            yield Fact(type="double", **(known | {"unit": "share"} if annotation == Ratio else known))
        elif plain is Money:
            none = any(isinstance(extra, NoMoney) for extra in get_args(annotation)[1:])
            yield Fact(type="money", may_be_none=none, **known)
        elif plain is dt.date or annotation == DateOrNone:
            yield Fact(type="date", may_be_none=plain is not dt.date, **known)
        elif annotation in (Text, TextOrNone):
            yield Fact(type="text", may_be_none=annotation == TextOrNone, **known)
        elif get_origin(plain) is Literal:
            yield Fact(type="enum", values=get_args(plain), **known)
        elif _is_model(plain, Listed):
            item = typing.cast(Any, plain).__pydantic_generic_metadata__["args"][0]
            if get_origin(item) is Literal:
                yield Fact(type="list_enum", values=get_args(item), **known)
            elif _is_model(item, BaseModel):
                yield Fact(type="list_record", fields={fact.name: fact for fact in _entries(item, "")}, **known)
            else:
                yield Fact(type="list_text", **known)
        elif _is_model(plain, BaseModel):
            yield from _entries(plain, f"{path}.")
        else:  # pragma: no cover - a new kind of field must be given a fact type here
            raise TypeError(f"{path} has no fact type: {annotation!r}")


@cache
def dictionary() -> Mapping[str, Fact]:
    """All facts that a description can state, by name, in the order of the commissioning cycle."""
    return types.MappingProxyType({fact.name: fact for fact in _entries(Description, "")})


def days(value: dt.date) -> int:
    """A date as days since 1970-01-01, the form in which conditions see it."""
    return value.toordinal() - EPOCH


def date(value: int) -> dt.date:
    """The date of a number of days since 1970-01-01."""
    return dt.date.fromordinal(value + EPOCH)


def statements(description: Description) -> dict[str, Any]:
    """What a description states, by the names of the facts, as it is stated there."""
    entries = dictionary()
    found: dict[str, Any] = {}

    def walk(part: BaseModel, prefix: str) -> None:
        for name, value in part:
            path = prefix + name
            if value is None:
                continue
            if path in entries:
                found[path] = value
            elif isinstance(value, BaseModel):
                walk(value, path + ".")

    walk(description, "")
    return found
