"""Packs that build on others: what they take from them, and what they change in them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from goodcommission.description.positions import positions
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs.adjusting import Adjustment, Bands, Change, ParameterChange, Place, SeverityChange, adjusted
from goodcommission.packs.compiling import LoadedPack, located
from goodcommission.packs.model import Pack, PackChange


def extended(available: Sequence[LoadedPack]) -> tuple[tuple[LoadedPack, ...], tuple[Change, ...]]:
    """The packs as those that change others have made them, each with what it takes from those it extends.

    Args:
        available: All packs and definitions that there are.

    Raises:
        PackError: A pack extends or changes what there is not, or what another pack changes already; all are named.
    """
    if not any(one.pack.changes or one.pack.extends for one in available):
        return tuple(available), ()
    _changed_twice(available)
    changes = tuple(_adjustment(one, index) for one in available for index in range(len(one.pack.changes)))
    packs, made = adjusted(available, changes)
    by_id = {one.pack.id: one for one in packs}
    faults: list[Fault] = []
    heirs: dict[str, Pack] = {}
    for one in packs:
        _inherit(one, by_id, heirs, (), faults)
    if faults:
        raise PackError(*dict.fromkeys(faults))
    return tuple(replace(one, pack=heirs[one.pack.id]) for one in packs), made


def _adjustment(loaded: LoadedPack, index: int) -> Adjustment:
    change = loaded.pack.changes[index]
    place = _place(loaded, index)
    if change.parameter is not None:
        value: float | int | str | Bands = tuple((band.below, band.is_) for band in change.bands or ())
        if change.value is not None:
            value = change.value
        return ParameterChange(change.of or "", change.parameter, value, change.unit, change.reason, place)
    return SeverityChange(change.rule or "", change.severity or "off", change.reason, place)


def _place(loaded: LoadedPack, index: int) -> Place:
    if loaded.source is None:
        return Place(loaded.pack.id)
    line, column = positions(loaded.source).nearest(f"/changes/{index}") or (None, None)
    return Place(loaded.source.name, line, column)


def _target(change: PackChange) -> tuple[str | None, str | None]:
    return (change.of, change.parameter) if change.parameter else (None, change.rule)


def _changed_twice(available: Sequence[LoadedPack]) -> None:
    first: dict[tuple[str | None, str | None], str] = {}
    faults = []
    for loaded in available:
        for index, change in enumerate(loaded.pack.changes):
            target = _target(change)
            if target in first:
                message = f"{target[1]} is changed already, by {first[target]}"
                faults.append(located(loaded, f"/changes/{index}", message, "One pack can change it."))
            first.setdefault(target, str(_place(loaded, index)))
    if faults:
        raise PackError(*faults)


def _inherit(
    loaded: LoadedPack,
    packs: Mapping[str, LoadedPack],
    heirs: dict[str, Pack],
    below: tuple[str, ...],
    faults: list[Fault],
) -> Pack:
    """The pack with the parameters, lets, sources and definitions of the packs that it extends."""
    pack = loaded.pack
    if pack.id in heirs:
        return heirs[pack.id]
    parameters, lets, sources, uses = dict(pack.parameters), dict(pack.let), dict(pack.sources), list(pack.uses)
    of: dict[str, str] = {}
    for index, name in enumerate(pack.extends):
        pointer = f"/extends/{index}"
        if name in (*below, pack.id):
            faults.append(located(loaded, pointer, f"{pack.id} extends itself: {' → '.join((*below, pack.id, name))}"))
            continue
        if name not in packs or packs[name].pack.definitions:
            near = difflib.get_close_matches(name, [id for id, one in packs.items() if one.pack.pack], n=1)
            advice = f"Did you mean {near[0]}?" if near else None
            faults.append(located(loaded, pointer, f'there is no pack "{name}" to extend', advice))
            continue
        other = _inherit(packs[name], packs, heirs, (*below, pack.id), faults)
        for kind, own, theirs in (("parameter", parameters, other.parameters), ("let", lets, other.let)):
            for item, value in theirs.items():
                if item in own and own[item] != value:
                    holder = of.get(item, pack.id)
                    message = f"there is a {kind} {item} in {name} and another in {holder}"
                    advice = "Give yours another name, or write it under `changes`." if holder == pack.id else None
                    faults.append(located(loaded, pointer, message, advice))
                of.setdefault(item, name)
        parameters = {**other.parameters, **parameters}
        lets = {**other.let, **lets}
        sources = {**other.sources, **sources}
        uses += [one for one in other.uses if one not in uses]
    heirs[pack.id] = (
        pack.model_copy(update={"parameters": parameters, "let": lets, "sources": sources, "uses": tuple(uses)})
        if pack.extends
        else pack
    )
    return heirs[pack.id]
