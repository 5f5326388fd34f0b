"""Scores of many notices at once: what each verdict adds, summed in whole numbers as `scoring` sums it for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from goodcommission import scoring
from goodcommission.packs.compiling import Packs
from goodcommission.scan.columns import Coder
from goodcommission.scan.tables import VERDICTS
from goodcommission.scoring import Judged, State, Unit

_WORD: Final = 62
"""Bits of a whole number in which several sums are kept side by side."""
_PACK_SUMS: Final = 5
_MEMBERS: Final[tuple[tuple[State, bool], ...]] = (
    ("fail", False),
    ("fail", True),
    ("unknown", False),
    ("pass", False),
    ("pass", True),
)
"""The states of a member of a group that count, and whether each is provisional."""
_MEMBER_BITS: Final = _WORD // len(_MEMBERS)


@dataclass(frozen=True, slots=True)
class Share:
    """What one verdict adds to the sums of its pack (in tenths of weight) and of the audit."""

    pack: tuple[int, ...]
    whole: tuple[int, ...]
    group: int
    """Of a member of a group: one of its state, so that the sum of all members counts each state."""


class _Tally:
    """Several sums in few whole numbers, so that adding is done once for all of them."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self.places: list[tuple[int, int, int]] = []
        word = shift = 0
        for bound in bounds:
            bits = max(1, bound.bit_length())
            if shift + bits > _WORD:
                word, shift = word + 1, 0
            self.places.append((word, shift, (1 << bits) - 1))
            shift += bits
        self.words = word + 1

    def packed(self, values: Sequence[int]) -> tuple[int, ...]:
        words = [0] * self.words
        for (word, shift, _), value in zip(self.places, values, strict=True):
            words[word] |= value << shift
        return tuple(words)

    def unpacked(self, words: Sequence[pl.Series]) -> list[pl.Series]:
        frame = pl.DataFrame([column.alias(str(word)) for word, column in enumerate(words)])
        return frame.select(
            ((pl.col(str(word)) // (1 << shift)) % (mask + 1)).alias(str(place))
            for place, (word, shift, mask) in enumerate(self.places)
        ).get_columns()


@dataclass(frozen=True, slots=True)
class Sums:
    """The figures of each notice, as columns."""

    score: list[float | None]
    low: list[float | None]
    high: list[float | None]
    coverage: list[float]
    grade: list[str]
    counts: dict[str, pl.Series]


class Scores:
    """The score of an audit with some packs."""

    def __init__(self, packs: Packs) -> None:
        self.packs = packs
        most = len(packs.rules)
        tenths = dict.fromkeys(packs.weights, 0)
        for rule in packs.rules:
            if rule.pack in tenths:
                tenths[rule.pack] += scoring.tenths(rule.rule.severity, rule.rule.strength)
        for loaded in packs.packs:
            if loaded.pack.id in tenths:
                tenths[loaded.pack.id] += sum(
                    scoring.tenths(group.severity, group.strength) for group in loaded.pack.groups.values()
                )
        self.by_pack = {pack: _Tally([total] * _PACK_SUMS) for pack, total in tenths.items()}
        self.names = (*VERDICTS, "provisional", "law_failed", "capping", "met", "met_shown")
        self.whole = _Tally([most] * len(self.names))
        self.nothing = Share((), self.whole.packed([0] * len(self.names)), 0)
        self.groups: dict[str, tuple[Coder, list[tuple[int, ...]]]] = {name: (Coder(), []) for name in packs.groups}
        """For each group the states of its members that were seen, and what they add to the sums of its pack."""
        self._grades: dict[Any, str] = {}

    def share(self, judged: Judged) -> Share:
        """What one verdict adds."""
        law = judged.pack in self.packs.laws
        open_ = judged.provisional or judged.verdict == "unknown"
        state = scoring.state_of(judged.verdict)
        met = judged.scored and (judged.verdict == "pass" or judged.provisional)
        whole = [int(not law and judged.verdict == name) for name in VERDICTS]
        whole += [
            int(not law and judged.provisional),
            int(law and judged.verdict == "fail"),
            int(scoring.is_capping(judged)),
            int(met),
            int(met and not (judged.claimed or judged.verdict == "fail")),
        ]
        pack: tuple[int, ...] = ()
        if judged.scored and judged.group is None:
            unit = Unit(judged.rule, judged.pack, scoring.tenths(judged.severity, judged.strength), state, open_, ())
            pack = self._sums(unit)
        kind = (state, judged.provisional and state != "unknown")
        group = 1 << _MEMBER_BITS * _MEMBERS.index(kind) if kind in _MEMBERS else 0
        return Share(pack, self.whole.packed(whole), group)

    def _sums(self, unit: Unit) -> tuple[int, ...]:
        sums = scoring.Sums()
        sums.add(unit)
        values = (sums.applicable, sums.decided, sums.passed, sums.surely_passed, sums.possibly_passed)
        return self.by_pack[unit.pack].packed(values)

    def group(self, name: str, states: int) -> tuple[int, ...]:
        """What a group adds to the sums of its pack.

        Args:
            name: The group.
            states: The sum of what its members are.
        """
        least = (1 << _MEMBER_BITS) - 1
        counts = [states >> _MEMBER_BITS * place & least for place in range(len(_MEMBERS))]
        state, open_ = scoring.together([kind for kind, count in zip(_MEMBERS, counts, strict=True) if count])
        pack = next(loaded.pack.id for loaded in self.packs.packs if name in loaded.pack.groups)
        group = self.packs.groups[name]
        return self._sums(Unit(name, pack, scoring.tenths(group.severity, group.strength), state, open_, ()))

    def sums(self, shares: Mapping[str, list[pl.Series]], whole: list[pl.Series], height: int) -> Sums:
        """The scores.

        Args:
            shares: The words of each pack's sums.
            whole: The words of the sums of the audit.
            height: How many notices there are.
        """
        total = covered = passed = surely = possibly = pl.Series([0.0] * height, dtype=pl.Float64)
        for pack, words in shares.items():
            weight = self.packs.weights[pack]
            columns = [one.cast(pl.Float64) for one in self.by_pack[pack].unpacked(words)]
            applicable = columns[0]
            applies = applicable > 0
            divisor = applicable.zip_with(applies, pl.Series([1.0] * height, dtype=pl.Float64))
            total = total + applies.cast(pl.Float64) * weight
            covered = covered + columns[1] / divisor * weight
            passed = passed + columns[2] / divisor * weight
            surely = surely + columns[3] / divisor * weight
            possibly = possibly + columns[4] / divisor * weight
        frame = dict(zip(self.names, self.whole.unpacked(whole), strict=True))
        capped = [
            bool(capping or (met and not shown))
            for capping, met, shown in zip(
                frame["capping"].to_list(), frame["met"].to_list(), frame["met_shown"].to_list(), strict=True
            )
        ]
        score = _points(passed, covered)
        low, high = _points(surely, total), _points(possibly, total)
        coverage = [0.0 if one is None else one for one in _points(covered, total)]
        grade = [self._grade(*given) for given in zip(score, low, high, coverage, capped, strict=True)]
        return Sums(score, low, high, coverage, grade, frame)

    def _grade(self, score: float | None, low: float | None, high: float | None, coverage: float, capped: bool) -> str:
        key = (score is None, low, high, coverage < scoring.LEAST_COVERAGE, capped)
        known = self._grades.get(key)
        if known is None:
            known = self._grades[key] = scoring.overall_grade(score, low, high, coverage, capped)
        return known


def _points(part: pl.Series, whole: pl.Series) -> list[float | None]:
    """Percentages, rounded as the score is: in Python, where a tie is that of the decimal number."""
    known: dict[float, float] = {}
    found: list[float | None] = []
    for one, of in zip(part.to_list(), whole.to_list(), strict=True):
        if not of:
            found.append(None)
            continue
        value = 100 * one / of
        points = known.get(value)
        if points is None:
            points = known[value] = scoring.points(value)
        found.append(points)
    return found
