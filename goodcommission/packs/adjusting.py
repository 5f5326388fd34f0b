"""Other numbers and severities for packs as they stand: what a team changes without writing a pack of its own."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from goodcommission.engine.texts import say, say_date
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs.model import SEVERITIES, Band, DatedValue, Pack, Parameter, Pattern, Rule, Severity

if TYPE_CHECKING:
    from goodcommission.packs.compiling import LoadedPack

Bands = tuple[tuple[float | None, float], ...]
"""Steps of a banded parameter: the limit (None for the last) and the value below it."""


class Place(NamedTuple):
    """Where a change was asked for."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """Another value for a parameter of a pack or of definitions."""

    pack: str
    name: str
    value: float | int | str | Bands
    unit: str | None = None
    """Must be the parameter's own, where it is given: a check, not a conversion."""
    reason: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class SeverityChange:
    """Another severity for a rule, a group or a combined finding; ``off`` takes it out."""

    id: str
    severity: Severity | Literal["off"]
    reason: str
    place: Place | None = None


Adjustment = ParameterChange | SeverityChange


@dataclass(frozen=True, slots=True)
class Change:
    """What an adjustment did, as the report tells it."""

    kind: Literal["parameter", "severity"]
    pack: str
    name: str
    title: str
    before: str
    after: str
    basis: str | None
    """What a changed parameter rested on."""
    counted_with: str | None
    """The group that a changed rule belongs to, whose weight stays."""
    reason: str | None
    place: str | None


_RANK: Final[Mapping[str, int]] = {severity: -index for index, severity in enumerate(SEVERITIES)}


def adjusted(
    loaded: Sequence[LoadedPack], adjustments: Sequence[Adjustment]
) -> tuple[tuple[LoadedPack, ...], tuple[Change, ...]]:
    """The packs with these adjustments, and what they changed; a value that is the pack's own already changes nothing.

    Raises:
        PackError: There is no such pack, parameter or rule, or the value is of another type or unit; all are named.
    """
    packs = {one.pack.id: one.pack for one in loaded}
    faults: list[Fault] = []
    changes: list[Change] = []
    for adjustment in adjustments:
        try:
            if isinstance(adjustment, ParameterChange):
                changed = _change_parameter(packs, adjustment)
            else:
                changed = _change_severity(packs, adjustment)
        except _WrongError as wrong:
            file, line, column = adjustment.place or (None, None, None)
            faults.append(Fault(wrong.message, file, line, column, suggestion=wrong.suggestion))
        else:
            changes.extend(changed)
    if faults:
        raise PackError(*faults)
    return tuple(replace(one, pack=packs[one.pack.id]) for one in loaded), tuple(changes)


def concerns(adjustment: Adjustment, loaded: Iterable[LoadedPack]) -> bool:
    """Whether an adjustment is about one of these packs."""
    if isinstance(adjustment, ParameterChange):
        return any(one.pack.id == adjustment.pack for one in loaded)
    return any(
        adjustment.id in one.pack.groups
        or any(adjustment.id in (rule.id, *rule.aliases) for rule in one.pack.rules)
        or any(adjustment.id in (pattern.id, *pattern.aliases) for pattern in one.pack.patterns)
        for one in loaded
    )


class _WrongError(Exception):
    def __init__(self, message: str, suggestion: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion


def _nearest(name: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else None


# --- Parameters --------------------------------------------------------------------------------------------------


def _change_parameter(packs: dict[str, Pack], change: ParameterChange) -> tuple[Change, ...]:
    pack = packs.get(change.pack)
    if pack is None:
        raise _WrongError(f'there is no pack "{change.pack}"', _nearest(change.pack, packs))
    parameter = pack.parameters.get(change.name)
    if parameter is None:
        known = pack.parameters
        advice = _nearest(change.name, known) or (f"There are: {', '.join(known)}." if known else "It has none.")
        raise _WrongError(f'the pack {pack.id} has no parameter "{change.name}"', advice)
    unit = parameter.unit
    if change.unit is not None and change.unit != unit:
        raise _WrongError(
            f"{change.name} is in {unit or 'no unit'}, not in {change.unit}", "Give the value in its unit."
        )
    if parameter.values is not None:
        message = f"{change.name} is set by law, with a value for each date; it can't be set otherwise"
        raise _WrongError(message, "Name the law with --regime, or the day with --as-of.")
    if parameter.bands is not None:
        update: dict[str, Any] = {"bands": _bands(change)}
    else:
        update = {"value": _value(change, parameter)}
    place = f" ({change.place})" if change.place else ""
    why = change.reason or f"Set for this audit{place}; the pack has {said(parameter)}."
    new = parameter.model_copy(update={**update, "basis": "convention", "why": why})
    if (new.value, new.bands) == (parameter.value, parameter.bands):
        return ()
    packs[pack.id] = pack.model_copy(update={"parameters": {**pack.parameters, change.name: new}})
    return (
        Change(
            "parameter",
            pack.id,
            change.name,
            change.name.replace("_", " "),
            said(parameter),
            said(new),
            parameter.basis,
            None,
            change.reason,
            str(change.place) if change.place else None,
        ),
    )


def _value(change: ParameterChange, parameter: Parameter) -> float | int | str:
    """The new value, of the type of the pack's own."""
    value, own, name = change.value, parameter.value, change.name
    if isinstance(own, str):
        if not isinstance(value, str):
            raise _WrongError(f"{name} is a text, such as {own!r}")
        return value
    unit = f" ({parameter.unit})" if parameter.unit else ""
    if isinstance(value, str | bool | tuple):
        raise _WrongError(f"{name} is a number{unit}, such as {own:g}")
    if isinstance(own, int):
        if isinstance(value, float) and not value.is_integer():
            raise _WrongError(f"{name} is a whole number{unit}, such as {own}")
        value = int(value)
    _check_range(name, value, parameter.unit)
    return value if isinstance(own, int) else float(value)


def _check_range(name: str, value: float, unit: str | None) -> None:
    if not math.isfinite(value) or value < 0:
        raise _WrongError(f"{name} can't be {value:g}; a number from 0 on is expected")
    if unit == "share" and value > 1:
        raise _WrongError(
            f"{name} is a share, from 0 to 1, and can't be {value:g}", f"For {value:g}% write {value / 100:g}."
        )


def _bands(change: ParameterChange) -> tuple[Band, ...]:
    """The new steps; their limits rise, and the last has none."""
    if not isinstance(change.value, tuple):
        example = "[{below = 50000, is = 10}, {is = 20}]"
        raise _WrongError(f"{change.name} has steps, not one value", f"Write them as {example}.")
    limits = [below for below, _ in change.value]
    rising = [limit for limit in limits[:-1] if limit is not None]
    if not limits or limits[-1] is not None or len(rising) != len(limits) - 1 or rising != sorted(set(rising)):
        raise _WrongError(f"the limits of {change.name} must rise, and the last step has none (no `below`)")
    for figure in (*rising, *(is_ for _, is_ in change.value)):
        _check_range(change.name, figure, None)
    return tuple(
        Band.model_construct(below=None if below is None else float(below), is_=float(is_))
        for below, is_ in change.value
    )


def _dated(one: DatedValue, unit: str | None, named: bool) -> str:
    """A value by date, in words."""
    value = say(one.value, unit) + ("" if named else f" {unit}")
    until = f" to {say_date(one.until)}" if one.until else " on"
    whose = ", ".join(part.replace("_", " ") for part in (*(one.regimes or ()), *(one.territories or ())))
    return f"{value} from {say_date(one.from_)}{until}" + (f" ({whose})" if whose else "")


def said(parameter: Parameter) -> str:
    """The value of a parameter, in words."""
    unit = parameter.unit
    named = unit is None or unit.isupper() or unit in ("share", "percent", "date", "ratio", "year")
    if parameter.values is not None:
        return "; ".join(_dated(one, unit, named) for one in sorted(parameter.values, key=lambda one: one.from_))
    if parameter.bands is None:
        value = say(parameter.value, unit)
        return value if named else f"{value} {unit}"
    steps = [
        say(band.is_, unit) + (f" below {say(band.below)}" if band.below is not None else "")
        for band in parameter.bands
    ]
    steps[-1] += " beyond" if len(steps) > 1 else ""
    return ", ".join(steps) + (f" ({unit})" if unit else "")


# --- Severities --------------------------------------------------------------------------------------------------


def _change_severity(packs: dict[str, Pack], change: SeverityChange) -> tuple[Change, ...]:
    for pack in packs.values():
        for rule in pack.rules:
            if change.id in (rule.id, *rule.aliases):
                return _rule(packs, pack, rule, change)
        for pattern in pack.patterns:
            if change.id in (pattern.id, *pattern.aliases):
                return _pattern(packs, pack, pattern, change)
        if change.id in pack.groups:
            return _group(packs, pack, change)
    known = [id for pack in packs.values() for id in (*(r.id for r in pack.rules), *(p.id for p in pack.patterns))]
    known += [name for pack in packs.values() for name in pack.groups]
    near = _nearest(change.id, known) or _nearest(change.id.upper(), known)
    raise _WrongError(f'there is no rule, group or combined finding "{change.id}"', near)


def _severity_changed(
    pack: Pack, change: SeverityChange, title: str, before: str, group: str | None = None
) -> tuple[Change, ...]:
    if before == change.severity:
        return ()
    place = str(change.place) if change.place else None
    return (Change("severity", pack.id, change.id, title, before, change.severity, None, group, change.reason, place),)


def _rule(packs: dict[str, Pack], pack: Pack, rule: Rule, change: SeverityChange) -> tuple[Change, ...]:
    if change.severity == "off":
        rules = tuple(one for one in pack.rules if one is not rule)
    else:
        new = _with_severity(rule, change.severity)
        rules = tuple(new if one is rule else one for one in pack.rules)
    packs[pack.id] = pack.model_copy(update={"rules": rules})
    return _severity_changed(pack, change, rule.title, rule.severity, rule.group)


def _with_severity(rule: Rule, severity: Severity) -> Rule:
    """The rule with another severity; what a single finding of it counts is never above that."""
    decide = rule.decide
    if decide is not None:
        decide = tuple(
            branch.model_copy(update={"severity": severity})
            if branch.severity and _RANK[branch.severity] > _RANK[severity]
            else branch
            for branch in decide
        )
    return rule.model_copy(update={"severity": severity, "decide": decide})


def _pattern(packs: dict[str, Pack], pack: Pack, pattern: Pattern, change: SeverityChange) -> tuple[Change, ...]:
    if pattern.severity == "positive" and change.severity != "off":
        raise _WrongError(f"{pattern.id} is a strength, and has no severity to change", 'It can only be "off".')
    if change.severity == "off":
        patterns = tuple(one for one in pack.patterns if one is not pattern)
    else:
        new = pattern.model_copy(update={"severity": change.severity})
        patterns = tuple(new if one is pattern else one for one in pack.patterns)
    packs[pack.id] = pack.model_copy(update={"patterns": patterns})
    return _severity_changed(pack, change, pattern.title, pattern.severity)


def _group(packs: dict[str, Pack], pack: Pack, change: SeverityChange) -> tuple[Change, ...]:
    group = pack.groups[change.id]
    if change.severity == "off":
        members = ", ".join(rule.id for rule in pack.rules if rule.group == change.id)
        raise _WrongError(f"{change.id} is a group of rules; each is turned off by itself", f"They are: {members}.")
    new = group.model_copy(update={"severity": change.severity})
    packs[pack.id] = pack.model_copy(update={"groups": {**pack.groups, change.id: new}})
    return _severity_changed(pack, change, group.title, group.severity)
