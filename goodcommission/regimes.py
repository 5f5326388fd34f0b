"""Under which law a document stands, and how that is known: worked out by the signs that definitions declare."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from goodcommission.engine.conditions import UNKNOWN
from goodcommission.engine.law import STATED_REGIME, STATED_TERRITORY, UNKNOWN_REGIME, Regime
from goodcommission.engine.verdicts import Setting, ask, compute_lets, speaker
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs.compiling import CompiledRegime, Packs


def regime_of(packs: Packs, setting: Setting, given: str | None = None) -> Regime:
    """The law that a document is under.

    What is given comes first, then what the document states, then the signs in their order: first those that settle it
    where they are there, then those that are worked out. Of these the first that is there decides, and one before it
    that is not known leaves what is decided open.

    Raises:
        PackError: There is no such regime.
    """
    territories = {sign.sign.id: frozenset(sign.sign.territories) for sign in reversed(packs.regimes)}
    if given is not None and given not in territories:
        near = difflib.get_close_matches(given, territories, n=1)
        there = f"There are: {', '.join(sorted(territories))}." if territories else "No pack that is used defines one."
        raise PackError(
            Fault(f'there is no regime "{given}"', suggestion=f"Did you mean {near[0]}?" if near else there)
        )
    facts = setting.facts.values
    found = _regime(packs, setting, given, facts.get(STATED_REGIME))
    territory = facts.get(STATED_TERRITORY)
    if territory is not None:
        return replace(found, territory=territory, territory_by=(STATED_TERRITORY,), territories=frozenset({territory}))
    if not found.candidates:
        return found
    of_candidates = [territories.get(one) for one in found.candidates]
    known = None if None in of_candidates else frozenset().union(*(one for one in of_candidates if one))
    return replace(found, territory=min(known) if known and len(known) == 1 else None, territories=known)


def _regime(packs: Packs, setting: Setting, given: str | None, stated: str | None) -> Regime:
    if given is not None:
        return Regime(given, "given", "it was given for this audit", (), (), frozenset({given}))
    if stated is not None:
        said = "the document says so"
        return Regime(stated, "stated", said, (STATED_REGIME,), (), frozenset({stated}))
    absent: list[str] = []
    for sign in packs.regimes:
        if sign.sign.if_stated is not None:
            value, settled, missing = ask(sign.gate, setting)
            absent.extend(missing)
            if value is True:
                return Regime(
                    sign.sign.id, "worked out", _because(sign, setting), settled, (), frozenset({sign.sign.id})
                )
    found = _worked_out([sign for sign in packs.regimes if sign.sign.when is not None], setting)
    if found.id is None or found.provisional:
        return replace(found, missing=tuple(dict.fromkeys((*found.missing, *absent))))
    return found


def _worked_out(signs: Sequence[CompiledRegime], setting: Setting) -> Regime:
    open_: dict[str, tuple[str, ...]] = {}
    for sign in signs:
        value, settled, missing = ask(sign.gate, setting)
        if value is UNKNOWN:
            open_[sign.sign.id] = (*open_.get(sign.sign.id, ()), *missing)
        elif value is True:
            others = {id: names for id, names in open_.items() if id != sign.sign.id}
            names = tuple(dict.fromkeys(name for some in others.values() for name in some))
            return Regime(
                sign.sign.id,
                "worked out",
                _because(sign, setting),
                settled,
                (STATED_REGIME, *names) if others else (),
                frozenset({sign.sign.id, *others}),
            )
    if not open_:
        return replace(UNKNOWN_REGIME, because="what is stated fits none of the laws that are known here")
    names = tuple(dict.fromkeys(name for some in open_.values() for name in some))
    return replace(UNKNOWN_REGIME, missing=(STATED_REGIME, *names))


def _because(sign: CompiledRegime, setting: Setting) -> str:
    return sign.because.fill(speaker(sign.gate, setting.facts, compute_lets(sign.gate, setting)))
