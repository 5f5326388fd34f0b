"""The fast reading of many notices: the facts of a release as conditions see them, without places and remarks.

It reads by the same table as `convert` (see `mapping`), from the release as it was parsed. Whatever is unusual it
leaves to the careful way: `Reader.read` then says nothing at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from goodcommission.description.facts import COMPLETE, GIVEN, Fact, days, dictionary
from goodcommission.description.ocds.derivations import Reading
from goodcommission.description.ocds.mapping import STATEMENTS, Read, beginnings
from goodcommission.description.ocds.shapes import untraced
from goodcommission.description.ocds.tree import Said
from goodcommission.description.types import NONE
from goodcommission.description.validation import AMOUNTS_IN_ORDER, COUNTS_IN_ORDER, DATES_IN_ORDER

__all__ = ["STATED", "Reader"]

Doubt = Callable[[Reading], bool]

_AS_IT_IS: Final = 0
_DAY: Final = 1
_MONEY: Final = 2
_TEXT_OR_NONE: Final = 3
_DAY_OR_NONE: Final = 4
_ITEMS: Final = 5
"""The forms in which conditions see facts."""


class Step:
    """How one fact is read, and the form in which conditions see it."""

    __slots__ = ("complete", "fields", "form", "given", "name", "read")

    def __init__(self, fact: Fact, read: Read) -> None:
        self.name = fact.name
        self.given = fact.name + GIVEN
        self.complete = fact.name + COMPLETE
        self.read = read
        self.fields: Mapping[str, Fact] = fact.fields
        if fact.type.startswith("list"):
            self.form = _ITEMS
        elif fact.type == "money":
            self.form = _MONEY
        elif fact.type == "date":
            self.form = _DAY_OR_NONE if fact.may_be_none else _DAY
        else:
            self.form = _TEXT_OR_NONE if fact.may_be_none else _AS_IT_IS

    def store(self, values: dict[str, Any], stated: Any) -> None:
        """Put what was said of the fact into the values."""
        form = self.form
        if form == _AS_IT_IS:
            values[self.name] = stated
        elif form == _DAY:
            values[self.name] = _day(stated)
        elif form == _MONEY:
            amount = _pounds(stated)
            if amount is not None:
                values[self.name] = amount
        elif form == _TEXT_OR_NONE:
            given = values[self.given] = stated != NONE
            if given:
                values[self.name] = stated
        elif form == _DAY_OR_NONE:
            values[self.given] = True
            values[self.name] = _day(stated)
        else:
            if isinstance(stated, dict):
                stated = stated["items"].value
                values[self.complete] = True
            values[self.name] = (
                [_record(item.value, self.fields) for item in stated]
                if self.fields
                else [item.value for item in stated]
            )


class Plan:
    """What to read of a notice."""

    __slots__ = ("doubts", "steps")

    def __init__(self, steps: list[Step], doubts: list[Doubt]) -> None:
        self.steps = steps
        self.doubts = doubts


_SECTIONS: Final = ("", "tender", "lots")
"""Where the sources of facts begin: the notice itself, its tender, its lots."""
_PLANS: Final = 4096
"""How many plans are remembered; publishers write the same few hundred sets of sections."""

_POUNDS: Final = "GBP"
_NOTHING: Final = frozenset[str]()
_ALWAYS: Final = frozenset({"kind", "stage"})


def _stated() -> frozenset[str]:
    names: set[str] = set(STATEMENTS)
    for name, statement in STATEMENTS.items():
        fact = dictionary()[name]
        if fact.may_be_none:
            names.add(name + GIVEN)
        if not statement.open_ended:
            names.add(name + COMPLETE)
    return frozenset(names)


STATED: Final = _stated()
"""All facts that a notice can ever state, with ``x.given`` and ``x.complete``."""


class Reader:
    """Reads some facts of any number of notices; safe to use from threads."""

    facts: ClassVar[frozenset[str]] = STATED
    """All that can be read."""

    def __init__(self, wanted: frozenset[str]) -> None:
        """Make a reader.

        Args:
            wanted: The facts to read; ``x.given`` and ``x.complete`` come with them, and so do the kind and the stage.
        """
        self._wanted = tuple(name for name in STATEMENTS if name in wanted or name in _ALWAYS)
        self._begins = {name: beginnings(STATEMENTS[name]) for name in self._wanted}
        everywhere = frozenset().union(*self._begins.values())
        self._of_notice, self._of_tender, self._of_lots = (
            frozenset(name for section, name in everywhere if section == one) for one in _SECTIONS
        )
        self._plans: dict[tuple[frozenset[str], ...], Plan] = {}

    def __reduce__(self) -> tuple[type[Reader], tuple[frozenset[str]]]:
        return Reader, (frozenset(self._wanted),)

    def _plan(self, reading: Reading) -> Plan:
        """What to read of this notice; remembered for the next one that has the same sections."""
        found = (
            self._of_notice.intersection(reading.root),
            self._of_tender.intersection(reading.fields),
            self._of_lots.intersection(set[str]().union(*reading.lots)) if reading.lots else _NOTHING,
        )
        plan = self._plans.get(found)
        if plan is None:
            there = {(section, name) for section, names in zip(_SECTIONS, found, strict=True) for name in names}
            names = [name for name, begins in self._begins.items() if not begins or not begins.isdisjoint(there)]
            steps = [Step(dictionary()[name], STATEMENTS[name].read) for name in names]
            plan = Plan(steps, _doubts(frozenset(names)))
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            self._plans[found] = plan
        return plan

    def read(self, release: Any, *, is_plain: bool = False) -> dict[str, Any] | None:
        """What one release states.

        Args:
            release: A release or a compiled release as parsed from JSON. It is not changed.
            is_plain: Whether `shapes.survey` has found it to be plain.

        Returns:
            The values of the facts, as `gather` has them for its description in pounds. None if the
            release is no plain one, or contradicts itself so that something of it would be left out: only the
            careful way, `read_documents`, can say what it states.
        """
        process = untraced(release, is_plain=is_plain) if isinstance(release, dict) else None
        if process is None:
            return None
        reading = Reading(process, remarks=False)
        plan = self._plan(reading)
        for doubt in plan.doubts:
            if doubt(reading):
                return None
        values: dict[str, Any] = {}
        for step in plan.steps:
            found = step.read(reading)
            if found is not None:
                step.store(values, found.value)
        return values


def _record(item: Mapping[str, Said | None], fields: Mapping[str, Fact]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, said in item.items():
        if said is not None:
            kind, value = fields[name].type, said.value
            scalar = _pounds(value) if kind == "money" else float(value) if kind == "double" else value
            if scalar is not None:
                record[name] = scalar
    return record


def _pounds(money: Mapping[str, Said]) -> float | None:
    return float(money["amount"].value) if money["currency"].value == _POUNDS else None


@lru_cache(maxsize=16384)
def _day(written: str) -> int:
    return days(dt.date.fromisoformat(written))


def _doubts(names: frozenset[str]) -> list[Doubt]:
    """What would make validation leave one of the facts out, because it contradicts another."""

    def values_of(first: str, second: str) -> Callable[[Reading], tuple[Any, Any] | None]:
        one, other = STATEMENTS[first].read, STATEMENTS[second].read

        def read(reading: Reading) -> tuple[Any, Any] | None:
            found = one(reading)
            against = other(reading) if found is not None else None
            return None if found is None or against is None else (found.value, against.value)

        return read

    def larger(first: str, second: str) -> Doubt:
        both = values_of(first, second)
        return lambda reading: (found := both(reading)) is not None and found[0] > found[1]

    def dearer(first: str, second: str) -> Doubt:
        both = values_of(first, second)
        return lambda reading: (found := both(reading)) is not None and _amount(found[0]) > _amount(found[1])

    return [
        *(larger(first, last) for first, last, _ in DATES_IN_ORDER if last in names),
        *(dearer(low, high) for low, high, _ in AMOUNTS_IN_ORDER if low in names),
        *(larger(part, whole) for part, whole in COUNTS_IN_ORDER if part in names),
    ]


def _amount(money: Mapping[str, Said]) -> Any:
    return money["amount"].value
