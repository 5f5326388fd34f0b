"""The fields of a form: how a fact is asked for on a page, and what was entered means."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.datastructures import FormData

from goodcommission.description.facts import Fact
from goodcommission.description.model import Description
from goodcommission.description.starting import asked_as
from goodcommission.engine.texts import say_date
from goodcommission.exceptions import Fault
from goodcommission.quick_check import AnswerError, read_answer
from goodcommission.report.wording import capital

LEFT: Final = object()
"""What stands for an answer that is left for now."""
MOST_ROWS: Final = 20
"""Of a list of records; a longer list is for a file."""
_LONGEST: Final = 10_000
"""Characters of one entry."""
_LISTS: Final = frozenset({"list_enum", "list_text", "list_record"})
_NONE: Final = re.compile(r"\s*\((?:none|\[\]) = ([^)]*)\)")
_POUNDS: Final = "GBP"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in the field of one fact, as a person entered it."""

    text: str = ""
    chosen: tuple[str, ...] = ()
    """Of a list of choices: those that are ticked."""
    unknown: bool = False
    none: bool = False
    all: str = ""
    """Of a list: whether it names all, ``yes`` or ``no``; empty if that is left open."""
    rows: tuple[Mapping[str, str], ...] = ()
    """Of a list of records: the cells of each, by field."""


@dataclass(frozen=True, slots=True)
class Field:
    """One fact as it is asked for on a page."""

    fact: Fact
    entry: Entry
    currency: str = _POUNDS
    error: str | None = None
    rows: int = 2
    """Of a list of records: how many are shown."""
    about: str = ""
    """The section that it belongs to, where fields of several stand together."""

    @property
    def name(self) -> str:
        """The fact."""
        return self.fact.name

    @property
    def id(self) -> str:
        """Its place on the page."""
        return "f-" + self.fact.name.replace(".", "-")

    @property
    def question(self) -> str:
        """The question, without what is only for files."""
        return _NONE.sub("", asked_as(self.fact))

    @property
    def hint(self) -> str:
        """How to write the answer."""
        return hint(self.fact)

    @property
    def none_label(self) -> str | None:
        """What ticking "none" says; None where it can't be said."""
        if not self.fact.may_be_none and self.fact.type not in _LISTS:
            return None
        said = _NONE.search(self.fact.help)
        words = said.group(1) if said else "none"
        return "There is none" if words in ("none", "there is none", "nothing") else capital(words)

    @property
    def prefix(self) -> str:
        """What stands before the entry."""
        return {"GBP": "£"}.get(self.currency, self.currency) if self.fact.type == "money" else ""

    @property
    def suffix(self) -> str:
        """What stands behind the entry."""
        if self.fact.unit == "share":
            return "%"
        return {"per year": "a year"}.get(self.fact.unit or "", self.fact.unit or "")

    @property
    def shown(self) -> list[Mapping[str, str]]:
        """The records, with empty ones behind them."""
        held = list(self.entry.rows)
        return [*held, *({} for _ in range(max(min(self.rows, MOST_ROWS) - len(held), 0)))]


def hint(fact: Fact) -> str:
    """How to write the answer."""
    match fact.type:
        case "money":
            return "For example 300,000 or 300k."
        case "date":
            return "For example 31/3/2026 or 31 March 2026."
        case "int":
            return "A whole number."
        case "double":
            return "For example 25." if fact.unit == "share" else "A number."
        case "list_text":
            return "One on each line."
        case "list_enum":
            return "Choose all that apply."
        case "list_record":
            return "Fill in what you know; leave rows empty that you don’t need."
    return ""


def section(fact: Fact) -> str:
    """The section of a description that a fact belongs to, in words."""
    name, dot, _ = fact.name.partition(".")
    about = Description.model_fields.get(name) if dot else None
    return capital(about.title or name) if about else ""


def label(value: str) -> str:
    """A choice in words."""
    return capital(value.replace("_", " "))


# --- From what is stated to what is shown --------------------------------------------------------------------------


def entry_of(fact: Fact, value: Any) -> Entry:
    """What stands in the field of a fact: what is stated of it, or nothing if that is `LEFT`."""
    if value is LEFT:
        return Entry()
    if value is None:
        return Entry(unknown=True)
    if fact.type in _LISTS:
        boxed = isinstance(value, Mapping)
        items = value.get("items", []) if boxed else value
        complete = {True: "yes", False: "no"}.get(value.get("complete"), "") if boxed else ""
        if not isinstance(items, list) or not items:
            return Entry(none=True)
        if fact.type == "list_enum":
            return Entry(chosen=tuple(str(item) for item in items), all=complete)
        if fact.type == "list_text":
            return Entry(text="\n".join(str(item) for item in items), all=complete)
        rows = tuple({name: _text(fact.fields[name], cell) for name, cell in item.items()} for item in items)
        return Entry(rows=rows, all=complete)
    if value == "none" and fact.may_be_none:
        return Entry(none=True)
    return Entry(text=_text(fact, value))


def currency_of(value: Any) -> str:
    """The currency of an amount that is stated; pounds where none is."""
    return str(value["currency"]) if isinstance(value, Mapping) and value.get("currency") else _POUNDS


def _text(fact: Fact, value: Any) -> str:
    if value is None:
        return ""
    if fact.type == "bool":
        return "yes" if value else "no"
    if fact.type == "money" and isinstance(value, Mapping):
        return f"{_decimal(value['amount']):,f}"
    if fact.type == "double":
        number = _decimal(value)
        return f"{(number * 100 if fact.unit == 'share' else number).normalize():f}"
    if fact.type == "date" and isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return say_date(dt.date.fromisoformat(value))
    return str(value)


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


# --- From what was entered to what is stated -----------------------------------------------------------------------


def entry_in(form: FormData, fact: Fact) -> Entry:
    """What was entered for a fact."""
    marks = _texts(form, f"mark:{fact.name}")
    complete = _one(form, f"all:{fact.name}")
    rows: list[Mapping[str, str]] = []
    if fact.type == "list_record":
        for number in range(MOST_ROWS):
            cells = {part: _one(form, f"cell:{fact.name}:{number}:{part}").strip() for part in fact.fields}
            if any(cells.values()):
                rows.append(cells)
    chosen = tuple(_texts(form, f"value:{fact.name}"))
    text = _one(form, f"value:{fact.name}").replace("\r\n", "\n").strip()
    return Entry(
        text="" if fact.type in ("list_enum", "list_record") or text == "?" else text,
        chosen=chosen if fact.type == "list_enum" else (),
        unknown="unknown" in marks or text == "?",
        none="none" in marks,
        all=complete if complete in ("yes", "no") else "",
        rows=tuple(rows),
    )


def _texts(form: FormData, name: str) -> list[str]:
    return [one[:_LONGEST] for one in form.getlist(name) if isinstance(one, str)]


def _one(form: FormData, name: str) -> str:
    return next(iter(_texts(form, name)), "")


def meaning(fact: Fact, entry: Entry, currency: str = _POUNDS) -> Any:
    """What was entered, as a description holds it; None is "don't know", `LEFT` is no answer at all.

    Raises:
        AnswerError: It can't be understood, or says two things at once.
    """
    said = bool(entry.text or entry.chosen or entry.rows)
    if said + entry.unknown + entry.none > 1:
        raise AnswerError(Fault("give an answer or tick one of the boxes, not both"))
    if entry.unknown:
        return None
    if entry.none:
        if fact.type in _LISTS:
            return []
        if not fact.may_be_none:
            raise AnswerError(Fault("none can't be said of this"))
        return "none"
    if not said:
        return LEFT
    match fact.type:
        case "list_enum":
            return _boxed([_chosen(fact, one) for one in entry.chosen], entry)
        case "list_text":
            return _boxed([line.strip() for line in entry.text.split("\n") if line.strip()], entry)
        case "list_record":
            return _boxed([_record(fact, row, number) for number, row in enumerate(entry.rows, 1)], entry)
    return _single(fact, entry.text, currency)


def _boxed(items: list[Any], entry: Entry) -> Any:
    return {"complete": entry.all == "yes", "items": items} if entry.all else items


def _chosen(fact: Fact, said: str) -> str:
    if said not in fact.values:
        raise AnswerError(Fault(f"one of {', '.join(label(one) for one in fact.values)} is expected"))
    return said


def _single(fact: Fact, text: str, currency: str) -> Any:
    if fact.type == "enum":
        return _chosen(fact, text)
    if fact.type == "text":
        # As it was written: a text may well be "unknown" or a question mark.
        return text
    if fact.unit == "share" and not text.endswith("%"):
        if re.fullmatch(r"0?\.\d*[1-9]\d*", text):
            raise AnswerError(Fault(f"a share in percent is expected, such as 25; write {text}% if you mean that"))
        text += "%"
    return read_answer(fact, text, currency)


def _record(fact: Fact, row: Mapping[str, str], number: int) -> dict[str, Any]:
    item: dict[str, Any] = {}
    for name, text in row.items():
        if not text:
            continue
        part = fact.fields[name]
        try:
            value = "none" if part.may_be_none and text.lower() == "none" else _single(part, text, _POUNDS)
        except AnswerError as error:
            message = error.faults[0].message
            raise AnswerError(Fault(f"number {number}, {part.title}: {message}")) from None
        if value is not None:
            item[name] = value
    return item


def said(errors: Iterable[Fault]) -> str:
    """What is wrong with an entry, as it stands beside it."""
    found = dict.fromkeys(
        capital(fault.message.removesuffix(".")) + "." + (f" {fault.suggestion}" if fault.suggestion else "")
        for fault in errors
    )
    return " ".join(found)
