"""The closed list of functions that conditions may call, besides CEL's own ``size`` and ``double``."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel

from goodcommission.description.facts import date, days

ValueType = str
"""``bool``, ``int``, ``double``, ``string``, ``list(double)``, ``list(string)``, ``bands``."""


@dataclass(frozen=True, slots=True)
class Overload:
    """One form of a function: what it takes, what it gives, and how it is computed."""

    parameters: tuple[ValueType, ...]
    returns: ValueType
    compute: Callable[..., Any]


class NotComputableError(ValueError):
    """The function has no value here (the largest of an empty list): the result is unknown."""


def _largest(values: Sequence[Any]) -> Any:
    if not values:
        raise NotComputableError("the list is empty")
    return max(values)


def _smallest(values: Sequence[Any]) -> Any:
    if not values:
        raise NotComputableError("the list is empty")
    return min(values)


def _day(value: int) -> Any:
    try:
        return date(value)
    except (ValueError, OverflowError):
        raise NotComputableError("the day is outside the calendar") from None


def add_months(day: int, months: int) -> int:
    """The same day so many calendar months later, or the last day of that month if it has no such day."""
    start = _day(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise NotComputableError("the day is outside the calendar")
    last = calendar.monthrange(year, month + 1)[1]
    return days(start.replace(year=year, month=month + 1, day=min(start.day, last)))


def weekdays_between(first: int, last: int) -> int:
    """Mondays to Fridays after the first day and before the last."""
    _day(first), _day(last)
    between = last - first - 1
    if between <= 0:
        return 0
    weeks, rest = divmod(between, 7)
    weekday = (first + 1 + 3) % 7  # 1970-01-01 was a Thursday
    return weeks * 5 + sum((weekday + offset) % 7 < 5 for offset in range(rest))


def band(bands: Sequence[Sequence[float]], value: float) -> float:
    """The step of a banded parameter in which a value lies; a limit belongs to the step above it."""
    for below, step in bands:
        if value < below:
            return step
    raise NotComputableError("the value lies in no band")


FUNCTIONS: dict[str, tuple[Overload, ...]] = {
    "max_of": (
        Overload(("double", "double"), "double", max),
        Overload(("int", "int"), "int", max),
    ),
    "min_of": (
        Overload(("double", "double"), "double", min),
        Overload(("int", "int"), "int", min),
    ),
    "largest": (Overload(("list(double)",), "double", _largest),),
    "smallest": (Overload(("list(double)",), "double", _smallest),),
    "sum_of": (Overload(("list(double)",), "double", math.fsum),),
    "earliest": (Overload(("int", "int"), "int", min),),
    "latest": (Overload(("int", "int"), "int", max),),
    "add_months": (Overload(("int", "int"), "int", add_months),),
    "add_days": (Overload(("int", "int"), "int", lambda day, count: days(_day(day + count))),),
    "weekdays_between": (Overload(("int", "int"), "int", weekdays_between),),
    "days_between": (Overload(("int", "int"), "int", lambda first, last: last - first),),
    "band": (Overload(("bands", "double"), "double", band),),
    "covers": (Overload(("list(string)", "list(string)"), "bool", lambda all_of, wanted: set(wanted) <= set(all_of)),),
}


@cache
def cel_type(name: ValueType) -> cel.Type:
    """A type of the condition language as CEL has it."""
    match name:
        case "bool":
            return cel.Type.BOOL
        case "int":
            return cel.Type.INT
        case "double":
            return cel.Type.DOUBLE
        case "string":
            return cel.Type.STRING
        case "list(string)":
            return cel.Type.List(cel.Type.STRING)
        case "list(double)":
            return cel.Type.List(cel.Type.DOUBLE)
        case "list(int)":
            return cel.Type.List(cel.Type.INT)
        case "list(bool)":
            return cel.Type.List(cel.Type.BOOL)
        case "list(record)":
            return cel.Type.List(cel.Type.Map(cel.Type.STRING, cel.Type.DYN))
        case "bands":
            return cel.Type.List(cel.Type.List(cel.Type.DOUBLE))
    raise ValueError(name)


@cache
def cel_functions() -> list[cel.FunctionDecl]:
    """The functions as CEL is told of them."""
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}({','.join(form.parameters)})",
                    return_type=cel_type(form.returns),
                    parameters=[cel_type(parameter) for parameter in form.parameters],
                    impl=form.compute,
                )
                for form in forms
            ],
        )
        for name, forms in FUNCTIONS.items()
    ]
