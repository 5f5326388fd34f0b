"""Reads templates: descriptions in which a value may be a placeholder, unknown but with a name."""

from __future__ import annotations

import copy
import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, BinaryIO, Final

from goodcommission.description.document import Document, Source
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.description.facts import Fact, FactType, dictionary
from goodcommission.description.parsing import parse, quoted
from goodcommission.description.positions import positions, to_pointer
from goodcommission.description.reading import digest_of, read_source
from goodcommission.description.types import CURRENCIES, NONE
from goodcommission.description.validation import too_many, validate
from goodcommission.exceptions import DescriptionError, Fault

SYNTAX: Final = ("{{ name }}", "${name}", "<<name>>")
"""How placeholders are written; the word "name" stands for theirs."""

_NAME: Final = r"[^\W\d][\w.-]*(?: [\w.-]+)*"
_LONGEST: Final = 100
_FREE: Final = frozenset({"document", "page", "url"})
"""Texts of an evidence entry: a placeholder may stay there, because no rule reads them."""
_OCDS: Final = frozenset({"ocid", "releases", "records"})
_TYPES: Final[Mapping[str, str]] = {
    "bool": "yes or no",
    "int": "a whole number",
    "double": "a number",
    "money": "an amount of money",
    "date": "a date",
    "enum": "one of several values",
    "text": "a text",
    "list_enum": "a list",
    "list_text": "a list",
    "list_record": "a list",
}

_ENTRIES: Final = frozenset({"enum", "text"})
"""What an entry of a plain list can be."""

Parts = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a placeholder stands."""

    pointer: str
    line: int | None
    column: int | None
    fact: str | None
    """The name of the fact, or of the list that it is in; None in evidence."""
    entry: int | None = None
    """In a list: which entry."""
    field: str | None = None
    """In a list of records: the field of the entry."""
    currency: str | None = None
    """The currency written beside an amount; None where the placeholder is the whole money."""

    @property
    def reference(self) -> str:
        """The fact as reports name it: ``requirements.insurance[0].cover``."""
        name = self.fact or self.pointer
        if self.entry is not None:
            name += f"[{self.entry}]"
        return f"{name}.{self.field}" if self.field else name


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that is still open, wherever it stands."""

    name: str
    type: FactType | None
    """None where it stands only in evidence, which no rule reads."""
    unit: str | None
    values: tuple[str, ...]
    """For an enumeration: what may be filled in."""
    may_be_none: bool
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A description with placeholders."""

    document: Document
    """Each placeholder is null in it, which means unknown."""
    placeholders: Mapping[str, Placeholder]
    """By name, in the order of the document."""
    raw: Mapping[str, Any]
    """As it was written."""
    at: Mapping[Parts, str] = field(repr=False)
    """Where each placeholder stands → its name."""
    lists: Mapping[str, tuple[tuple[Any, ...], bool]] = field(repr=False)
    """Lists with placeholders among their entries: the entries (None for each placeholder), and if they are all."""

    def fill(self, values: Mapping[str, Any], currency: str = "GBP") -> dict[str, Any]:
        """The description with some placeholders filled in; the others are null.

        Args:
            values: By name: a number or Decimal for money and numbers, a date, a text, a yes/no, a list.
            currency: Of the amounts that stand for the whole money.
        """
        return _filled(self.raw, self.at, self.placeholders, values, currency)


def _filled(
    raw: Mapping[str, Any],
    at: Mapping[Parts, str],
    placeholders: Mapping[str, Placeholder],
    values: Mapping[str, Any],
    currency: str = "GBP",
) -> dict[str, Any]:
    filled = copy.deepcopy(dict(raw))
    lists = set()
    for parts, name in at.items():
        value = values.get(name)
        if isinstance(value, dt.date):
            value = value.isoformat()
        if placeholders[name].type == "money" and value not in (None, NONE) and parts[-1] != "amount":
            value = {"amount": value, "currency": currency}
        if value is None and isinstance(parts[-1], int):
            lists.add(_list_of(parts))
        _put(filled, parts, value)
    for parts in lists:
        _put(filled, parts, None)
    return filled


def _list_of(parts: Parts) -> Parts:
    """The field that an entry of a plain list or of ``{complete: …, items: […]}`` belongs to."""
    return parts[:-2] if parts[-2] == "items" else parts[:-1]


def _put(raw: Any, parts: Parts, value: Any) -> None:
    for part in parts[:-1]:
        raw = raw[part]
    raw[parts[-1]] = value


def read_template(
    given: str | os.PathLike[str] | Mapping[str, Any],
    *,
    syntax: Sequence[str] = SYNTAX,
    stream: BinaryIO | None = None,
) -> Template:
    """Read a description in which values may be placeholders.

    Args:
        given: A file ("-" is standard input), or its content as plain values.
        syntax: How placeholders are written, with the word "name" for theirs: ``{{ name }}``.
        stream: What to read for "-", instead of the process's standard input.

    Raises:
        DescriptionError: It can't be read, is not valid, or has a placeholder where none can stand; with all faults.
    """
    recognised = _Syntax(syntax)
    source = None if isinstance(given, Mapping) else read_source(given, stream=stream)
    raw: Any = _parsed(source, recognised) if source else copy.deepcopy(given)
    name = source.name if source else "template"
    if not isinstance(raw, dict):
        validate(raw, source, name)
    if not _OCDS.isdisjoint(raw):
        raise DescriptionError(
            Fault("an OCDS notice can't be a template", name, suggestion="Write a description with placeholders.")
        )
    if too_many(raw):
        validate(raw, source, name)
    reader = _Reader(source, name, recognised)
    reader.section(raw, ())
    placeholders = reader.placeholders()
    samples = {name: (one.values or ("any text",))[0] for name, one in placeholders.items() if one.type in _ENTRIES}
    faults = list(reader.faults)
    try:
        if reader.lists:  # So that the other entries are checked as well.
            validate(_filled(raw, reader.at, placeholders, samples), source, name)
        description = validate(_filled(raw, reader.at, placeholders, {}), source, name)
    except DescriptionError as error:
        refused = [fault.pointer or "" for fault in faults]
        faults += [fault for fault in error.faults if not _within(fault.pointer or "", refused)]
    if faults:
        raise DescriptionError(*sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    document = (
        Document(description, name, source.digest, source)
        if source
        else Document(description, description.id or name, digest_of(raw))
    )
    return Template(document, placeholders, raw, reader.at, reader.lists)


@cache
def _sections() -> frozenset[str]:
    """The names of all sections that hold facts."""
    parts = [name.split(".") for name in dictionary()]
    return frozenset(".".join(of[:size]) for of in parts for size in range(1, len(of)))


def _within(pointer: str, others: Sequence[str]) -> bool:
    """Whether a pointer leads to one of some places, or into it."""
    return any(f"{pointer}/".startswith(f"{other}/") for other in others)


class _Syntax:
    """Recognises placeholders."""

    def __init__(self, forms: Sequence[str]) -> None:
        self.forms = tuple(forms)
        pairs = []
        for form in self.forms:
            before, found, after = form.partition("name")
            before, after = before.strip(), after.strip()
            if not (found and before and after):
                raise DescriptionError(
                    Fault(
                        f"{quoted(form)} does not say how placeholders are written",
                        suggestion='Write the word name between their signs: "{{ name }}".',
                    )
                )
            pairs.append((before, after))
        self.pairs = tuple(pairs)
        self._whole = tuple(
            re.compile(rf"\s*{re.escape(before)}\s*({_NAME})\s*{re.escape(after)}\s*\Z") for before, after in pairs
        )

    def name(self, text: str) -> str | None:
        """The name of the placeholder that this text is."""
        if len(text) <= _LONGEST:
            for form in self._whole:
                if match := form.match(text):
                    return match[1]
        return None

    def resembles(self, text: str) -> bool:
        """Whether it is written as one placeholder, but has no name that could be used."""
        bare = text.strip()
        return any(
            bare.startswith(before)
            and bare.endswith(after)
            and len(bare) >= len(before) + len(after)
            and before not in bare[len(before) :]
            and after not in bare[: -len(after)]
            for before, after in self.pairs
        )


def _parsed(source: Source, syntax: _Syntax) -> Any:
    try:
        return parse(source)
    except DescriptionError as error:
        raise DescriptionError(*(_quoting(fault, source, syntax) for fault in error.faults)) from None


def _quoting(fault: Fault, source: Source, syntax: _Syntax) -> Fault:
    """Advice where a placeholder without quotes made the text unreadable."""
    if fault.line is None or fault.column is None:
        return fault
    line = (source.text.splitlines() or [""])[min(fault.line, source.text.count("\n") + 1) - 1]
    for before, _ in syntax.pairs:
        at = line.find(before, max(fault.column - 1 - len(before), 0))
        if 0 <= at <= fault.column and line[max(at - 1, 0) : at] not in ('"', "'"):
            return replace(fault, suggestion=f'Put a placeholder in quotes: "{syntax.forms[0]}".')
    return fault


class _Reader:
    """Finds the placeholders of a template and the facts that they stand for."""

    def __init__(self, source: Source | None, name: str, syntax: _Syntax) -> None:
        self.source, self.name, self.syntax = source, name, syntax
        self.faults: list[Fault] = []
        self.at: dict[Parts, str] = {}
        self.lists: dict[str, tuple[tuple[Any, ...], bool]] = {}
        self.found: dict[str, list[tuple[Place, Fact | None]]] = {}

    # -- walking --

    def section(self, raw: Any, parts: Parts) -> None:
        """A section of the description, or all of it."""
        for key, value, name in self.entries(raw, parts):
            here = (*parts, key)
            path = ".".join(str(part) for part in here)
            fact = dictionary().get(path)
            if here == ("evidence",):
                self.evidence(value, here, name)
            elif fact is not None:
                self.fact(fact, value, here, name)
            elif name is not None:
                if path in _sections():
                    message = f"the placeholder {quoted(name)} stands for a whole section"
                    self.refuse(message, here, "Let it stand for one field.")
                else:
                    self.at[here] = name  # The field is not known: validation says so.
                    self.found.setdefault(name, [])
            elif isinstance(value, dict):
                self.section(value, here)

    def entries(self, raw: Any, parts: Parts) -> Iterator[tuple[Any, Any, str | None]]:
        """The fields of a section or the entries of a list, each with the placeholder that it is."""
        items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
        for key, value in items:
            if isinstance(key, str) and self.syntax.name(key) is not None:
                self.refuse(
                    f"the placeholder {quoted(key)} stands for the name of a field",
                    (*parts, key),
                    "Only values can be left open.",
                    key=True,
                )
                continue
            name = self.syntax.name(value) if isinstance(value, str) else None
            if name is None and isinstance(value, str) and self.syntax.resembles(value):
                self.refuse(
                    f"{quoted(value)} is written as a placeholder, but has no name that can be used",
                    (*parts, key),
                    "A name is made of letters, digits, spaces and the signs _ - . and starts with a letter.",
                )
                continue
            yield key, value, name

    def fact(self, fact: Fact, value: Any, here: Parts, name: str | None) -> None:
        """The value of one fact."""
        if name is not None:
            if fact.name == "kind":
                self.refuse("the kind of document can't be a placeholder", here, "Write one template for each kind.")
            else:
                self.note(name, here, fact, fact.name)
        elif fact.type == "money":
            self.money(value, here, lambda place: (fact, fact.name, None, None))
        elif fact.type.startswith("list"):
            self.listed(fact, value, here)

    def money(
        self, value: Any, here: Parts, about: Callable[[Parts], tuple[Fact, str, int | None, str | None]]
    ) -> None:
        """An amount with its currency, of which the amount may be open."""
        if not isinstance(value, dict):
            return
        for key, _, name in self.entries(value, here):
            if name is None:
                continue
            inner = (*here, key)
            if key == "currency":
                self.refuse("a currency can't be a placeholder", inner, "Write its code, such as GBP.")
            elif key == "amount":
                fact, list_or_name, entry, field = about(inner)
                currency = value.get("currency")
                known = currency if isinstance(currency, str) and currency in CURRENCIES else ""
                self.note(name, inner, replace(fact, may_be_none=False), list_or_name, entry, field, known)
            else:
                self.at[inner] = name
                self.found.setdefault(name, [])

    def listed(self, fact: Fact, value: Any, here: Parts) -> None:
        """A list, written plainly or as an object that says whether it is complete."""
        complete = False
        if isinstance(value, dict):
            for key, inner, name in self.entries(value, here):
                if key == "items" and name is not None:
                    self.note(name, (*here, key), fact, fact.name)
                elif name is not None:
                    message = f"whether a list is complete can't be the placeholder {quoted(name)}"
                    self.refuse(message, (*here, key), "Write true or false.")
                elif key == "complete":
                    complete = inner is True
            value, here = value.get("items"), (*here, "items")
        if not isinstance(value, list):
            return
        open_entries = False
        for number, entry, name in self.entries(value, here):
            if name is None:
                if fact.type == "list_record" and isinstance(entry, dict):
                    self.record(fact, entry, (*here, number), number)
            elif fact.type == "list_record":
                self.refuse(
                    f"the placeholder {quoted(name)} stands for a whole entry",
                    (*here, number),
                    "Let it stand for one field of the entry, or for the whole list.",
                )
            else:
                kind: FactType = "enum" if fact.type == "list_enum" else "text"
                self.note(name, (*here, number), replace(fact, type=kind, may_be_none=False), fact.name, number)
                open_entries = True
        if open_entries:
            items = tuple(None if (*here, n) in self.at else item for n, item in enumerate(value))
            self.lists[fact.name] = (items, complete)

    def record(self, fact: Fact, entry: dict[str, Any], here: Parts, number: int) -> None:
        """An entry of a list of records."""
        for key, value, name in self.entries(entry, here):
            inner = fact.fields.get(key)
            if inner is None:
                if name is not None:
                    self.at[*here, key] = name
                    self.found.setdefault(name, [])
            elif name is not None:
                self.note(name, (*here, key), inner, fact.name, number, key)
            elif inner.type == "money":
                about = (inner, fact.name, number, key)
                self.money(value, (*here, key), lambda place, about=about: about)  # type: ignore[misc]

    def evidence(self, value: Any, here: Parts, name: str | None) -> None:
        """Evidence: what it is for must be written, the rest may be open."""
        if name is not None:
            self.refuse("the evidence can't be a placeholder", here, "Let one stand for a document or a date in it.")
            return
        for number, entry, whole in self.entries(value, here):
            if whole is not None:
                self.refuse("an entry of the evidence can't be a placeholder", (*here, number), "Write its fields.")
            for key, _, inner in self.entries(entry, (*here, number)):
                place = (*here, number, key)
                if inner is None:
                    continue
                if key == "pointer":
                    self.refuse("what evidence is for can't be a placeholder", place, "Write the path of a field.")
                    continue
                self.found.setdefault(inner, []).append((self.place(place, None), None))
                if key not in _FREE:
                    self.at[place] = inner

    # -- noting --

    def place(
        self,
        parts: Parts,
        fact: str | None,
        entry: int | None = None,
        field: str | None = None,
        currency: str | None = None,
    ) -> Place:
        pointer = to_pointer(parts)
        line, column = (self.source and positions(self.source).locate(pointer)) or (None, None)
        return Place(pointer, line, column, fact, entry, field, currency)

    def note(
        self,
        name: str,
        parts: Parts,
        about: Fact,
        fact: str,
        entry: int | None = None,
        field: str | None = None,
        currency: str | None = None,
    ) -> None:
        """A placeholder that stands for a fact."""
        self.at[parts] = name
        self.found.setdefault(name, []).append((self.place(parts, fact, entry, field, currency), about))

    def refuse(self, message: str, parts: Parts, suggestion: str, *, key: bool = False) -> None:
        """A placeholder where none can stand."""
        pointer = to_pointer(parts)
        line, column = (self.source and positions(self.source).nearest(pointer, key=key)) or (None, None)
        self.faults.append(Fault(message, self.name, line, column, pointer, suggestion))
        if len(self.faults) == MOST_FAULTS:
            raise DescriptionError(*self.faults)

    def placeholders(self) -> dict[str, Placeholder]:
        """All placeholders; each must stand for one type of value."""
        result = {}
        for name, found in self.found.items():
            facts = [(place, fact) for place, fact in found if fact is not None]
            first_place, first = facts[0] if facts else (None, None)
            values = first.values if first else ()
            for place, fact in facts[1:]:
                values = tuple(value for value in values if value in fact.values)
                if first is None or first_place is None:
                    continue
                if fact.type != first.type or (first.values and not values):
                    said = f"{_TYPES[first.type]} ({first_place.reference})"
                    other = f"{_TYPES[fact.type]} ({place.reference})"
                    if fact.type == first.type:
                        said, other = first_place.reference, f"{place.reference}, which have no value in common"
                    self.faults.append(
                        Fault(
                            f"the placeholder {quoted(name)} stands for {said} and for {other}",
                            self.name,
                            place.line,
                            place.column,
                            place.pointer,
                            "Give the two different names.",
                        )
                    )
            result[name] = Placeholder(
                name,
                first.type if first else None,
                _unit([fact for _, fact in facts]),
                values,
                bool(facts) and all(fact.may_be_none for _, fact in facts),
                tuple(place for place, _ in found),
            )
        return result


def _unit(facts: Sequence[Fact]) -> str | None:
    """The unit; a share among other numbers limits all of them to 0 to 1."""
    units = [fact.unit for fact in facts if fact.unit]
    return "share" if "share" in units else units[0] if units else None
