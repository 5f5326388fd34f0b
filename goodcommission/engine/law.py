"""Law apart from practice: the regime that a document is under, and what a law holds for it on a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from goodcommission.description.facts import date, dictionary
from goodcommission.engine.texts import say_date

STATED_REGIME: Final = "process.regime"
STATED_TERRITORY: Final = "commissioner.territory"
TERRITORIES: Final[Mapping[str, str]] = {
    "england": "England",
    "wales": "Wales",
    "scotland": "Scotland",
    "northern_ireland": "Northern Ireland",
    "united_kingdom": "the United Kingdom as a whole",
}
GOVERNED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "published": ("timeline.tender_published",),
    "awarded": ("timeline.award_decision",),
    "signed": ("timeline.contract_signed",),
    "ended": ("decommissioning.end_date",),
}
"""The facts by which the law dates a document, by what it asks about; the first that is stated counts."""
REMEMBERED: Final = 512

Basis = Literal["given", "stated", "worked out", "unknown"]


@dataclass(frozen=True, slots=True)
class Regime:
    """The law that a document is under."""

    id: str | None = None
    """None if it is not known."""
    basis: Basis = "unknown"
    because: str = "nothing that is stated settles it"
    decided_by: tuple[str, ...] = ()
    missing: tuple[str, ...] = (STATED_REGIME,)
    """Facts that would settle it, or could overturn what is worked out."""
    candidates: frozenset[str] | None = None
    """All that it may be; None: anything."""
    territory: str | None = None
    territory_by: tuple[str, ...] = ()
    """The fact that states it; none where it follows from the regime."""
    territories: frozenset[str] | None = None
    """All territories whose rules may be meant; None: any."""

    @property
    def provisional(self) -> bool:
        """Whether what is not stated could still make it another."""
        return self.id is not None and self.candidates != frozenset({self.id})


UNKNOWN_REGIME: Final = Regime()


@dataclass(frozen=True, slots=True)
class Span:
    """A value of a parameter, and where and when it holds."""

    value: Any
    start: int
    until: int | None
    """The last day, inclusive."""
    regimes: frozenset[str] | None
    territories: frozenset[str] | None

    def holds(self, regime: str | None, territory: str | None) -> bool:
        """Whether it is for this regime and territory; None is any that is not told apart."""
        return (self.regimes is None or regime in self.regimes) and (
            self.territories is None or territory in self.territories
        )

    def covers(self, day: int) -> bool:
        """Whether it holds on a day."""
        return self.start <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Law:
    """For whom and when a rule of law holds, and which of its numbers change with time."""

    regimes: frozenset[str] | None
    territories: frozenset[str] | None
    titles: Mapping[str, str]
    """What each regime is called in a sentence."""
    governed_by: tuple[str, ...]
    """The facts that date it, the first that is stated first; none if its numbers have one value for each regime."""
    start: int | None
    until: int | None
    verified_on: int | None
    review_by: int | None
    """The first day by which a part of it should have been verified again, and the last on which all of it was."""
    of_pack: bool
    """Whether its pack is one of law: it is then shown apart, and no part of the score."""
    dated: Mapping[str, tuple[Span, ...]]
    """By the full name of each parameter that it uses and that changes with time: its values."""
    memory: dict[Any, Standing] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a rule of law holds for a document, and with which numbers."""

    holds: bool | None
    """None: not known."""
    reason: str | None = None
    settled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    provisional: bool = False
    """It holds unless what is missing says otherwise."""
    outdated: bool = False
    """The law was not verified again when it should have been."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """The numbers by their full names, as far as they are known."""
    lacking: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    """For each number that is not known: the facts that would give it, and why it is not known."""
    spans: Mapping[str, Span] = field(default_factory=dict)
    """The numbers that are known, with where and when they hold."""


def stand(law: Law, regime: Regime, facts: Mapping[str, Any]) -> Standing:
    """Whether a rule of law holds for a document; pure, so answers are remembered."""
    day_by = next((name for name in law.governed_by if name in facts), None)
    day = facts[day_by] if day_by else None
    key = (regime, day_by, day, facts.get("as_of"))
    known = law.memory.get(key)
    if known is None:
        known = _stand(law, regime, day_by, day, facts.get("as_of"))
        if len(law.memory) >= REMEMBERED:
            law.memory.clear()
        law.memory[key] = known
    return known


def _stand(law: Law, regime: Regime, day_by: str | None, day: int | None, as_of: int | None) -> Standing:
    settled: tuple[str, ...] = ()
    open_: Standing | None = None
    missing: tuple[str, ...] = ()
    if law.regimes is not None and not (regime.candidates is not None and regime.candidates <= law.regimes):
        if regime.candidates is not None and not regime.candidates & law.regimes:
            return Standing(False, _elsewhere(law, regime), regime.decided_by)
        missing = regime.missing
        if regime.id is None or regime.id not in law.regimes:
            open_ = Standing(None, _which(law), missing=missing)
    if law.regimes is not None:
        settled = regime.decided_by
    if law.territories is not None:
        if regime.territories is not None and not regime.territories & law.territories:
            return Standing(False, _other_territory(law, regime), regime.territory_by or regime.decided_by)
        if regime.territories is None or not regime.territories <= law.territories:
            # The law that it is run under may tell the territory as well.
            asked = tuple(dict.fromkeys((STATED_TERRITORY, *regime.missing)))
            open_ = open_ or Standing(None, _where(law), missing=asked)
        settled += regime.territory_by or (() if law.regimes else regime.decided_by)
    if law.start is not None or law.until is not None:
        if day is None:
            depends = f"it depends on {_day_words(law)} whether it was in force"
            open_ = open_ or Standing(None, depends, missing=law.governed_by[:1])
        elif day < (day if law.start is None else law.start) or day > (day if law.until is None else law.until):
            return Standing(False, f"not in force on {say_date(date(day))}", (day_by,) if day_by else ())
    if law.review_by is not None and (as_of is None or as_of > law.review_by):
        return _outdated(law, as_of, missing if open_ is None else open_.missing)
    if open_ is not None:
        return open_
    values: dict[str, Any] = {}
    used: dict[str, Span] = {}
    lacking: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, spans in law.dated.items():
        found = _value(law, spans, regime, day)
        if isinstance(found, Span):
            values[name], used[name] = found.value, found
        else:
            lacking[name] = found
    if values and day_by:
        settled += (day_by,)
    return Standing(True, None, settled, missing, provisional=bool(missing), values=values, lacking=lacking, spans=used)


def _value(law: Law, spans: Sequence[Span], regime: Regime, day: int | None) -> Span | tuple[tuple[str, ...], str]:
    """The value that holds, or the facts that would give it and why it is not known."""
    regimes: Sequence[str | None] = _ones(regime.id, regime.candidates, law.regimes)
    territories: Sequence[str | None] = _ones(regime.territory, regime.territories, law.territories)
    found: list[Span] = []
    for one in regimes:
        for other in territories:
            fitting = [span for span in spans if span.holds(one, other)]
            if not fitting:
                told = any(span.regimes is not None for span in spans) and one is None
                name = STATED_REGIME if told else STATED_TERRITORY
                asked = (name,) if one is None or other is None else ()
                return asked, "no value is given for this regime and territory"
            if day is not None:
                fitting = [span for span in fitting if span.covers(day)]
                if not fitting:
                    return (), f"no value is given for {say_date(date(day))}"
            elif len({span.value for span in fitting}) > 1:
                return law.governed_by[:1], f"its value depends on {_day_words(law)}"
            found.append(max(fitting, key=lambda span: span.start))
    if len({span.value for span in found}) > 1:
        asked = (STATED_REGIME,) if len(regimes) > 1 else (STATED_TERRITORY,)
        return asked, "its value is not the same for all that it may stand under"
    return found[0]


def _ones(known: str | None, possible: frozenset[str] | None, asked: frozenset[str] | None) -> Sequence[str | None]:
    """Those that a value must be found for: the one that is known, or else all that may be meant."""
    if known is not None:
        return (known,)
    if possible is None:
        return tuple(sorted(asked)) if asked else (None,)
    return tuple(sorted(possible & asked if asked else possible)) or (None,)


def _outdated(law: Law, as_of: int | None, missing: tuple[str, ...]) -> Standing:
    """That the law has to be looked at again, or that it is not known whether it has."""
    seen = "" if law.verified_on is None else say_date(date(law.verified_on))
    if as_of is None:
        reason = f"law verified on {seen}: whether that still holds depends on the day of the audit"
        return Standing(None, reason, missing=("as_of", *missing), outdated=True)
    return Standing(None, f"law not re-verified since {seen}", missing=missing, outdated=True)


def _elsewhere(law: Law, regime: Regime) -> str:
    if regime.id is not None:
        return f"run under {law.titles.get(regime.id, regime.id)}"
    possible = sorted(law.titles.get(one, one) for one in regime.candidates or ())
    return f"run under another law ({' or '.join(possible)})"


def _which(law: Law) -> str:
    titles = sorted(law.titles.get(one, one) for one in law.regimes or ())
    return f"whether it is run under {' or '.join(titles)} is not known"


def _other_territory(law: Law, regime: Regime) -> str:
    asked = " or ".join(TERRITORIES[one] for one in TERRITORIES if one in (law.territories or ()))
    mine = TERRITORIES.get(regime.territory or "", "another part of the United Kingdom")
    return f"law of {asked}, and this body is one of {mine}"


def _where(law: Law) -> str:
    asked = " or ".join(TERRITORIES[one] for one in TERRITORIES if one in (law.territories or ()))
    return f"law of {asked}, and of which part of the United Kingdom this body is, is not stated"


def _day_words(law: Law) -> str:
    return dictionary()[law.governed_by[0]].title if law.governed_by else "the day"
