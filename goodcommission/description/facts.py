"""Facts: the dictionary of what a description may state, and what one states, as conditions see it."""

from __future__ import annotations

import datetime as dt
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

from goodcommission.description.document import Document, Source
from goodcommission.description.evidence import BASICS, SHOWN_BY_ITSELF, WITHOUT_EVIDENCE, Backing, backing_of
from goodcommission.description.model import Description, Evidence
from goodcommission.description.positions import locate
from goodcommission.description.types import (
    NO_CURRENCY,
    NONE,
    DateOrNone,
    Listed,
    Money,
    NoMoney,
    Ratio,
    Text,
    TextOrNone,
)

FactType = Literal["bool", "int", "double", "money", "date", "enum", "text", "list_enum", "list_text", "list_record"]

EPOCH: Final = dt.date(1970, 1, 1).toordinal()
GIVEN: Final = ".given"
COMPLETE: Final = ".complete"
_NO_BACKING = Backing()
_AS_THEY_ARE: Final = frozenset({str, bool, int})


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


@lru_cache(maxsize=4096)
def _pointer(name: str) -> str:
    """JSON pointer of a whole fact, also by the names of what it gives besides."""
    return "/" + name.removesuffix(GIVEN).removesuffix(COMPLETE).replace(".", "/")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one description states, as conditions see it."""

    values: Mapping[str, Any]
    """Name → bool, int, float, str, list of str, or list of dict; ``x.given`` and ``x.complete`` included."""
    reasons: Mapping[str, str]
    """Facts that are stated but cannot be used, and why (an amount in another currency)."""
    evidenced: frozenset[str]
    """Names of the facts that evidence stands behind, at least in part."""
    boxed: frozenset[str] = frozenset()
    """Names of the lists that are written as ``{complete: …, items: […]}``."""
    backing: Backing = _NO_BACKING
    """The evidence itself."""

    def pointer(self, reference: str) -> str:
        """JSON pointer in the description of a fact or a part of one (``requirements.insurance[0].cover``)."""
        name, bracket, rest = reference.partition("[")
        pointer = _pointer(name)
        if not bracket:
            return pointer
        index, _, part = rest.partition("]")
        items = "/items" if name in self.boxed else ""
        return f"{pointer}{items}/{index}{part.replace('.', '/')}"

    def evidence_for(self, reference: str) -> Evidence | None:
        """The evidence for a fact or a part of one; that a list is complete, only evidence for all of it shows."""
        name = reference.removesuffix(GIVEN).removesuffix(COMPLETE)
        if name.partition("[")[0] not in self.evidenced:
            return None
        return self.backing.evidence_for(name, within=not reference.endswith(COMPLETE))

    def shown(self, reference: str) -> bool:
        """Whether evidence stands behind all of a fact: of a list, behind each item."""
        if reference in SHOWN_BY_ITSELF:
            return True
        if self.evidence_for(reference) is None:
            return False
        value = self.values.get(reference)
        return (
            not isinstance(value, list)
            or self.backing.evidence_for(reference, within=False) is not None
            or all(self.evidence_for(f"{reference}[{index}]") for index in range(len(value)))
        )

    def only_shown(self, *, with_basics: bool) -> Facts:
        """The facts without those that are only claimed; of an item of a list, without its fields that are.

        Args:
            with_basics: Whether the document's own word will do for what is bought, by which route and of what size.
        """
        values: dict[str, Any] = {}
        reasons = dict(self.reasons)
        for name, value in self.values.items():
            base = name.removesuffix(GIVEN).removesuffix(COMPLETE)
            if (with_basics and base in BASICS) or self.shown(name):
                values[name] = value
            else:
                reasons[name] = WITHOUT_EVIDENCE
            if name in values and type(value) is list and value and type(value[0]) is dict:
                values[name] = [
                    {field: one for field, one in item.items() if self.evidence_for(f"{name}[{index}].{field}")}
                    for index, item in enumerate(value)
                ]
                left_out = (f"{name}[{n}].{f}" for n, item in enumerate(value) for f in item.keys() - values[name][n])
                reasons.update(dict.fromkeys(left_out, WITHOUT_EVIDENCE))
        return replace(self, values=values, reasons=reasons)


def _scalar(value: Any, currency: str) -> Any:
    """A stated value in the form conditions see, or None if it is money in another currency."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return days(value)
    if isinstance(value, Money):  # last: to ask this of a model is slow
        stated_none = value.currency == NO_CURRENCY and not value.amount
        return float(value.amount) if value.currency == currency or stated_none else None
    return value


def _elsewhere(value: Any, currency: str) -> str:
    return f"it is stated in {value.currency}, and the limits are in {currency}"


def _record(
    item: BaseModel, reference: str, fields: Mapping[str, Fact], currency: str, reasons: dict[str, str]
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, value in item.__dict__.items():
        if value is None:
            continue
        if fields[name].type == "text" and fields[name].may_be_none:
            record[name] = {"given": value != NONE}
        elif (scalar := _scalar(value, currency)) is not None:
            record[name] = scalar
        else:
            reasons[f"{reference}.{name}"] = _elsewhere(value, currency)
    return record


class _Kind(Enum):
    """How the value of a field becomes facts."""

    SECTION = 1
    RECORDS = 2
    VALUES = 3
    NONE_OR_VALUE = 4
    MONEY = 5
    NUMBER = 6
    DATE = 7
    AS_IT_IS = 8


@cache
def _plan(part: type[BaseModel], prefix: str) -> Mapping[str, tuple[_Kind, str, Fact | None]]:
    """For each field of a section: how it becomes facts, and under which name."""
    plan: dict[str, tuple[_Kind, str, Fact | None]] = {}
    for name in part.model_fields:
        fact = dictionary().get(prefix + name)
        if fact is None:
            kind = _Kind.SECTION
        elif fact.type.startswith("list"):
            kind = _Kind.RECORDS if fact.type == "list_record" else _Kind.VALUES
        elif fact.type == "money":
            kind = _Kind.MONEY
        elif fact.may_be_none:
            kind = _Kind.NONE_OR_VALUE
        else:
            kind = {"double": _Kind.NUMBER, "date": _Kind.DATE}.get(fact.type, _Kind.AS_IT_IS)
        plan[name] = (kind, prefix + name, fact)
    return plan


def _gather(
    part: BaseModel, prefix: str, currency: str, values: dict[str, Any], reasons: dict[str, str], boxed: set[str]
) -> None:
    plan, stated = _plan(type(part), prefix), part.__dict__
    for name in part.__pydantic_fields_set__:
        value = stated[name]
        if value is None:
            continue
        kind, path, fact = plan[name]
        if kind is _Kind.AS_IT_IS:
            values[path] = value
        elif kind is _Kind.DATE:
            values[path] = days(value)
        elif kind is _Kind.NUMBER:
            values[path] = float(value)
        elif kind is _Kind.SECTION:
            if isinstance(value, BaseModel):
                _gather(value, path + ".", currency, values, reasons, boxed)
        elif kind is _Kind.MONEY:
            scalar = _scalar(value, currency)
            if scalar is None:
                reasons[path] = _elsewhere(value, currency)
                continue
            values[path] = scalar
            if fact is not None and fact.may_be_none:
                values[path + GIVEN] = value.currency != NO_CURRENCY
        elif kind is _Kind.NONE_OR_VALUE:
            given = value != NONE
            values[path + GIVEN] = given
            if given:
                values[path] = _scalar(value, currency)
        else:
            if kind is _Kind.RECORDS and fact is not None:
                values[path] = [
                    _record(item, f"{path}[{index}]", fact.fields, currency, reasons)
                    for index, item in enumerate(value.items)
                ]
            else:
                values[path] = list(value.items)
            if value.complete:
                values[path + COMPLETE] = True
            if value.complete is not None and value.items:
                boxed.add(path)


def _evidenced(values: Mapping[str, Any], backing: Backing) -> frozenset[str]:
    """The names behind which evidence stands: it is given for them, for a section they are in, or for a part."""
    names = {name.removesuffix(GIVEN).removesuffix(COMPLETE) for name in values}
    if any(not steps for steps, _ in backing.entries):  # A published notice stands behind all that it says.
        shown = {name for name in names & backing.profile if backing.evidence_for(name)}
        backed = (names - backing.profile) | shown
    else:
        backed = {name for name in names if backing.evidence_for(name)}
    return frozenset(name + suffix for name in backed for suffix in ("", GIVEN, COMPLETE))


def gather(document: Document, currency: str = "GBP") -> Facts:
    """The facts that a document states.

    Args:
        document: What was read.
        currency: ISO 4217 code of the rules' limits; amounts in another currency stay unknown.
    """
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    boxed: set[str] = set()
    _gather(document.description, "", currency, values, reasons, boxed)
    backing = backing_of(document, values)
    if backing is None:
        return Facts(values, reasons, frozenset(), frozenset(boxed))
    return Facts(values, reasons, _evidenced(values, backing), frozenset(boxed), backing)


def place_of(document: Document, facts: Facts, reference: str) -> tuple[str, str, int | None, int | None]:
    """File, JSON pointer, line and column of a fact."""
    name, pointer, source = pointed(document, facts, reference)
    place = locate(source, pointer) if source else None
    return (name, pointer, *(place or (None, None)))


def pointed(document: Document, facts: Facts, reference: str) -> tuple[str, str, Source | None]:
    """File and JSON pointer of a fact, and the text of the file where there is one."""
    pointer, profile = facts.pointer(reference), document.profile
    if profile and reference in profile.facts:
        return profile.name, pointer, profile.source
    if document.origin == "ocds":
        pointer = _ocds_place(document.places, pointer)
    return document.name, pointer, document.source


def _ocds_place(places: Mapping[str, str], pointer: str) -> str:
    if pointer in places:
        return places[pointer]
    below = next((places[p] for p in places if p.startswith(pointer + "/")), None)
    return below if below is not None else ""


def part_of(facts: Facts, reference: str) -> tuple[Any, str, str | None, str]:
    """Value, title, unit and type of a fact or of a part of one."""
    entries = dictionary()
    if reference == "as_of":
        return facts.values["as_of"], "the day of the audit", None, "date"
    name, bracket, rest = reference.partition("[")
    complete = name.endswith(COMPLETE)
    fact = entries[name.removesuffix(COMPLETE)]
    if complete:
        return facts.values[name], f"whether {fact.title} are all named", None, "bool"
    if not bracket:
        value = facts.values.get(name, NONE if facts.values.get(name + GIVEN) is False else None)
        return value, fact.title, fact.unit, fact.type
    index, _, field = rest.partition("].")
    item = facts.values[name][int(index.removesuffix("]"))]
    if not field:
        return None, fact.title, None, "record"
    part = fact.fields[field]
    value = item.get(field)
    if isinstance(value, dict):
        return ("stated" if value["given"] else NONE), part.title, None, "text"
    return value, part.title, part.unit, part.type


def shown(value: Any, type_: str) -> Any:
    """A value as a report has it: dates as texts; of a list of records, how many there are."""
    if isinstance(value, list):
        return len(value) if value and isinstance(value[0], dict) else tuple(value)
    if type_ == "date" and isinstance(value, int):
        return date(value).isoformat()
    return value
