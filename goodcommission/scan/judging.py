"""Verdicts on many notices at once: the engine judges one notice of each class that a rule can't tell apart."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson
import polars as pl

from goodcommission.auditing import GOVERNING, counted
from goodcommission.description.evidence import Backing
from goodcommission.description.facts import COMPLETE, EPOCH, GIVEN, Facts, date, days, dictionary, gather
from goodcommission.description.model import Evidence
from goodcommission.description.ocds.reading import STATED, Reader
from goodcommission.description.reading import read_description
from goodcommission.description.types import NONE
from goodcommission.engine.conditions import AS_OF, UNKNOWN, Explained
from goodcommission.engine.law import STATED_REGIME, STATED_TERRITORY, UNKNOWN_REGIME, Law, Regime, stand
from goodcommission.engine.verdicts import CompiledRule, RuleVerdict, Setting, ask, judge
from goodcommission.exceptions import DescriptionError, EngineError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.model import STAGES, TIERS, Tier
from goodcommission.regimes import regime_of
from goodcommission.scan.columns import DTYPES, Batch, Coder, Columns, Key, Telling, dated_type, room
from goodcommission.scan.notices import Notice
from goodcommission.scan.scores import Scores, Share, Sums
from goodcommission.scan.tables import NOTICES, RULES, Rejected, Tables

KINDS: Final = tuple(GOVERNING)
LISTED: Final = (
    "notice.ocid",
    "notice.release",
    "notice.date",
    "notice.publisher",
    "commissioner.name",
    "service.classification",
    "process.route",
    "value.total",
    "value.total_including_vat",
)
"""The facts that the table of notices shows, beside kind and stage."""
_ALWAYS: Final = ("kind", "stage", AS_OF, "as_at")
_MOST_CODES: Final = 1 << 12
"""How many answers to what a size asks for can be told apart."""
_TURNED: Final = 3
"""Whether the last day of review of a law is over: not known, no, yes."""
MOST_CLASSES: Final = 20_000
"""How many classes of the same rules are remembered; then they are forgotten together."""
_GOVERNING: Final = {kind: (*names, "as_at") for kind, names in GOVERNING.items()}
_KINDS: Final = {kind: index for index, kind in enumerate(KINDS)}
_STAGES: Final[Mapping[str | None, int]] = {None: 0, **{stage: index + 1 for index, stage in enumerate(STAGES)}}
_FIRST_DAY: Final = 1 - EPOCH
_THE_NOTICE: Final = Backing((((), Evidence(pointer="/", document="The published notice")),))


@dataclass(slots=True)
class _Class:
    """Notices that a rule can't tell apart, and what it says of them; None if it is not asked of them."""

    said: RuleVerdict | None
    share: Share
    settled: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(slots=True)
class _Law:
    """Rules that are law for the same documents at the same time."""

    number: int
    law: Law
    turns: pl.Series
    """The days on which something else holds than the day before."""
    classes: Coder = field(default_factory=Coder)
    values: list[Mapping[str, Any]] = field(default_factory=list)
    """By the number of the class: its parameters."""


@dataclass(slots=True)
class _Gate:
    """What a size asks for."""

    rule: CompiledRule
    key: Key


@dataclass(slots=True)
class _Rule:
    rule: CompiledRule
    asked: int = 0
    """The place of the rules that are asked with it."""
    records: list[_Class] = field(default_factory=list)
    """By the number of the class."""


@dataclass(slots=True)
class _Asked:
    """Rules that tell notices apart by the same answers, so that the classes of notices are theirs together."""

    place: int
    key: Key
    law: _Law | None
    due: bool
    """Whether they ask what stage the notice is at."""
    rules: list[_Rule] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    """Classes of notices on which a condition can't be evaluated, with the reason."""
    whole: list[tuple[int, ...]] = field(default_factory=list)
    """By the number of the class: what its verdicts add to the sums of the audit."""
    packs: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    """And to those of each pack."""
    groups: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """And, by pack and group, what the members of a group are."""
    tables: tuple[list[pl.Series], dict[str, list[pl.Series]], dict[tuple[str, str], pl.Series]] | None = None
    """All three as columns, until there are further classes."""

    def clear(self) -> None:
        """Forget all classes."""
        self.key.clear()
        self.forget()

    def forget(self) -> None:
        """Forget what was said of the classes."""
        self.failures.clear()
        self.whole.clear()
        self.packs.clear()
        self.groups.clear()
        self.tables = None
        for one in self.rules:
            one.records.clear()


class Stated:
    """What one notice states, and where it is; the notice itself need not be kept."""

    __slots__ = ("file", "line", "number", "pointer", "values")

    def __init__(self, number: int, file: str, line: int, pointer: str, values: Mapping[str, Any]) -> None:
        self.number = number
        self.file = file
        self.line = line
        self.pointer = pointer
        self.values = values
        """By the names of the facts, with the day on which it is audited (``as_of``)."""

    def numbered(self, number: int) -> Stated:
        """The same with another number."""
        return Stated(number, self.file, self.line, self.pointer, self.values)


class Judge:
    """Audits notices, many at a time, as ``goodcommission.audit`` audits each.

    Args:
        packs: The rule packs.
        as_of: The day of the audit; by default each notice's own governing day.
        tier: How much to ask; by default what the value says.
        regime: The law that all stand under; by default worked out.
        further: Facts that are wanted beside those of the rules, for a selection.
        stated: The facts that a notice can state at all; those of all others are taken as unknown.

    Raises:
        PackError: There is no such regime.
    """

    def __init__(
        self,
        packs: Packs,
        *,
        as_of: dt.date | None = None,
        tier: Tier | None = None,
        regime: str | None = None,
        further: Collection[str] = (),
        stated: Collection[str] = STATED,
    ) -> None:
        self.packs, self.regime = packs, regime
        self._begun = False
        self.as_of = None if as_of is None else days(as_of)
        self.columns = Columns({*stated, AS_OF})
        self.tier = tier
        self.gates = [None if tier is not None or gate is None else self._of_gate(gate) for gate in packs.tiers]
        self.tiers: list[tuple[Explained, ...]] = []
        self._tier_of: list[int] = []
        self._sizes = Coder()
        signs = Telling()
        for sign in packs.regimes:
            _join(signs, self._telling(sign.gate))
        self._signs = self.columns.key(signs, {STATED_REGIME, STATED_TERRITORY}.intersection(stated))
        self.regimes: list[Regime] = []
        self._regime_of: list[int] = []
        self._room = (0, 0)
        """For how many sizes and regimes there is room in what is remembered of laws and rules."""
        self.laws: dict[Any, _Law] = {}
        self.rules = [_Rule(rule) for rule in packs.rules]
        self.asked = self._asked()
        self.scores = Scores(packs)
        regime_of(packs, Setting(Facts({}, {}, frozenset()), "tender", None, (), None), regime)  # there is such a one
        wanted = {*LISTED, *_ALWAYS, *further, *(name for names in GOVERNING.values() for name in names)}
        for part in self.columns.parts:
            wanted |= part.facts
        for key in (self._signs, *(gate.key for gate in self.gates if gate), *(one.key for one in self.asked)):
            wanted.update(key.known, key.raws)
        for law in self.laws.values():
            wanted.update(law.law.governed_by)
        self.wanted = frozenset(_base(name) for name in wanted)
        self.reader = Reader(self.wanted)

    # -- compiling --

    def _telling(self, rule: CompiledRule, law: int | None = None) -> Telling:
        conditions = [one for one in (rule.when, rule.planned, *(b.condition for b in rule.branches)) if one]
        return self.columns.telling(rule, conditions, law)

    def _of_gate(self, gate: CompiledRule) -> _Gate:
        return _Gate(gate, self.columns.key(self._telling(gate)))

    def _asked(self) -> list[_Asked]:
        found: dict[Any, _Asked] = {}
        for one in self.rules:
            rule = one.rule
            law = None if rule.law is None else self._of_law(rule.law)
            number = None if law is None else law.number
            key, due = self.columns.key(self._telling(rule, number)), bool(rule.due)
            same = (key.atoms, key.known, key.raws, number, due)
            asked = found.setdefault(same, _Asked(len(found), key, law, due))
            asked.rules.append(one)
            one.asked = asked.place
        return list(found.values())

    def _of_law(self, law: Law) -> _Law:
        dated = tuple((name, spans) for name, spans in law.dated.items())
        same = (law.regimes, law.territories, law.governed_by, law.start, law.until, law.review_by, law.of_pack, dated)
        known = self.laws.get(same)
        if known is None:
            spans = [span for _, some in dated for span in some]
            turns = {day for day in (law.start, *(span.start for span in spans)) if day is not None}
            turns |= {day + 1 for day in (law.until, *(span.until for span in spans)) if day is not None}
            known = self.laws[same] = _Law(len(self.laws), law, pl.Series(sorted(turns), dtype=pl.Int64))
        return known

    # -- judging --

    def tables(self, batch: Iterable[Notice]) -> Tables:
        """Audit some notices.

        Args:
            batch: Some thousand: each batch costs a tenth of a second, however small it is.

        Returns:
            The tables, in the order of the notices; what can't be audited is named beside them.
        """
        rows: list[Stated] = []
        rejected: list[Rejected] = []
        for notice in batch:
            try:
                rows.append(self.read(notice))
            except DescriptionError as error:
                fault = error.faults[0]
                rejected.append(Rejected(notice.number, fault.pointer or "", fault.message))
        tables = self.judge(rows)
        return replace(tables, rejected=tuple(sorted((*rejected, *tables.rejected), key=lambda one: one.number)))

    def judge(self, rows: Sequence[Stated]) -> Tables:
        """Audit some notices by what they state."""
        self._forget(all_=self._begun)  # a batch that ended in an error has numbered classes that nobody judged
        self._begun = True
        rejected: list[Rejected] = []
        judged = _Judged(self, rows)
        while judged.failed:  # a condition that takes too many steps on a notice: without it, all over again
            reasons = judged.failed
            rejected += [Rejected(rows[index].number, "", reason) for index, reason in reasons.items()]
            rows = [row for index, row in enumerate(rows) if index not in reasons]
            judged = _Judged(self, rows)
        self._begun = False
        return Tables(judged.notices(), judged.verdicts(), tuple(rejected))

    def read(self, notice: Notice) -> Stated:
        """What a notice states.

        Raises:
            DescriptionError: It can't be audited.
        """
        values: dict[str, Any] | None = None
        if notice.single and notice.publisher is None:
            values = self.reader.read(notice.raw, is_plain=notice.plain)
        if values is None:
            stated = gather(read_description(notice.ocds), self.packs.currency).values
            values = {name: value for name, value in stated.items() if _base(name) in self.wanted}
        if self.as_of is not None:
            values[AS_OF] = self.as_of
        else:
            for name in _GOVERNING[values["kind"]]:
                if name in values:
                    values[AS_OF] = values[name]
                    break
        return Stated(notice.number, notice.file, notice.line, notice.pointer, values)

    def setting(self, values: Mapping[str, Any]) -> Setting:
        """What rules are applied to: the facts of one notice."""
        names = {_base(name) for name in values if name != AS_OF}
        evidenced = frozenset(name + suffix for name in names for suffix in ("", GIVEN, COMPLETE))
        stage = values.get("stage")
        return Setting(
            Facts(values, {}, evidenced, frozenset(), _THE_NOTICE),
            values["kind"],
            None if stage is None else STAGES.index(stage),
            (),
            values.get(AS_OF),
        )

    def _forget(self, *, all_: bool) -> None:
        """Keep memory bounded: what is forgotten is judged again."""
        forgotten = self.columns.forget() or all_
        if forgotten:
            for gate in self.gates:
                if gate is not None:
                    gate.key.clear()
            self._sizes.clear()
            self._tier_of.clear()
            self._signs.clear()
            self._regime_of.clear()
            self._forget_laws()
        for one in self.asked:
            if len(one.whole) > MOST_CLASSES:
                one.clear()

    def _forget_laws(self) -> None:
        """What is remembered of laws and rules."""
        for law in self.laws.values():
            law.classes.clear()
            law.values.clear()
        for one in self.asked:
            one.clear()

    def make_room(self) -> None:
        """If there are more sizes or regimes than before, forget all that was numbered by fewer."""
        needed = room(len(self.tiers)), room(len(self.regimes))
        if needed != self._room:
            self._room = needed
            self._forget_laws()

    @property
    def room(self) -> tuple[int, int]:
        """Bounds on the numbers of sizes and of regimes."""
        return self._room


def _join(into: Telling, other: Telling) -> None:
    into.atoms.update(other.atoms)
    into.known |= other.known
    into.raws |= other.raws


def _base(name: str) -> str:
    return name.removesuffix(GIVEN).removesuffix(COMPLETE)


class _Judged:
    """One batch while it is judged."""

    def __init__(self, judge_: Judge, rows: Sequence[Stated]) -> None:
        self.judge, self.rows = judge_, rows
        self.batch = Batch(judge_.columns, [row.values for row in rows])
        self.failed: dict[int, str] = {}
        """Notices on which a condition can't be evaluated, with the reason."""
        self._settings: dict[int, Setting] = {}
        self._places: dict[tuple[str, ...], pl.Series] = {}
        self.kinds = pl.Series([_KINDS[row.values["kind"]] for row in rows], dtype=pl.UInt32)
        self.stages = pl.Series([_STAGES[row.values.get("stage")] for row in rows], dtype=pl.UInt32)
        self.batch.prepare([judge_._signs, *(gate.key for gate in judge_.gates if gate is not None)])
        self.tiers = self._tiers()
        self.regimes = self._regimes()
        judge_.make_room()
        self._late: dict[int | None, pl.Series | None] = {}
        self.laws = {law.number: self._standings(law) for law in judge_.laws.values()}
        self.batch.prepare([one.key for one in judge_.asked])
        self.codes = [self._classes(one) for one in judge_.asked]

    def _setting(self, index: int) -> Setting:
        setting = self._settings.get(index)
        if setting is None:
            setting = self._settings[index] = self.judge.setting(self.rows[index].values)
        return setting

    def _tiers(self) -> pl.Series:
        """The size of each notice, as a number."""
        judge_ = self.judge
        if judge_.tier is not None:
            reached = TIERS.index(judge_.tier)
            judge_.tiers = [tuple((index <= reached, (), ()) for index in range(len(TIERS)))]
            return pl.zeros(len(self.rows), dtype=pl.UInt32, eager=True)
        total = pl.zeros(len(self.rows), dtype=pl.Int64, eager=True)
        for gate in judge_.gates:
            if gate is not None:
                classes, _, renewed = self.batch.classes(gate.key)
                if renewed:
                    judge_._sizes.clear()
                    judge_._tier_of.clear()
                total = total * _MOST_CODES + classes.cast(pl.Int64)
        codes, new = judge_._sizes.codes(total)
        for index in new:
            setting = self._setting(index)
            answer: tuple[Explained, ...] = tuple(
                (True, (), ()) if gate is None else ask(gate.rule, setting) for gate in judge_.gates
            )
            judge_._tier_of.append(_number(judge_.tiers, answer))
        return _table(judge_._tier_of, pl.UInt32)[codes]

    def _regimes(self) -> pl.Series:
        """The law that each notice is under, as a number."""
        judge_ = self.judge
        codes, new, renewed = self.batch.classes(judge_._signs)
        if renewed:
            judge_._regime_of.clear()
        for index in new:
            found = regime_of(judge_.packs, self._setting(index), judge_.regime)
            found = replace(found, because=UNKNOWN_REGIME.because)  # tells the values that led to it
            judge_._regime_of.append(_number(judge_.regimes, found))
        return _table(judge_._regime_of, pl.UInt32)[codes]

    def _standings(self, one: _Law) -> pl.Series:
        """How a law stands to each notice, as a number; and its numbers, for the columns."""
        law = one.law
        key, bound = self.regimes, self.judge.room[1]
        seen: pl.Series | None = None
        turns = len(one.turns) + 2
        for name in law.governed_by:  # the first that is stated
            key, bound = key * turns, bound * turns
            fact = self.batch.fact(name)
            if fact is not None:
                since = pl.Series(one.turns.search_sorted(fact.fill_null(0), side="right")).cast(pl.UInt32) + 1
                fresh = fact.is_not_null()
                if seen is not None:
                    fresh = fresh & ~seen
                key = key + since * fresh.cast(pl.UInt32)
                seen = fresh if seen is None else seen | fresh
        key, bound = key * _TURNED, bound * _TURNED
        late = self._is_late(law.review_by)
        if late is not None:
            key = key + late
        codes, new = one.classes.codes(key, bound)
        for index in new:
            regime = self.judge.regimes[self.regimes[index]]
            one.values.append(stand(law, regime, self.rows[index].values).values)
        for name, spans in law.dated.items():
            values = [standing.get(name) for standing in one.values]
            self.batch.dated[one.number, name] = pl.Series(values, dtype=DTYPES[dated_type(spans)])[codes]
        return codes

    def _is_late(self, review_by: int | None) -> pl.Series | None:
        """Whether the day of the audit is after that of a review: 0 if it is not known, 1 no, 2 yes."""
        if review_by not in self._late:
            today = self.batch.fact(AS_OF)
            if today is None:
                self._late[review_by] = None
            else:
                late = today > review_by if review_by is not None else today < _FIRST_DAY
                self._late[review_by] = (late.cast(pl.UInt32) + 1).fill_null(0)
        return self._late[review_by]

    def _classes(self, asked: _Asked) -> pl.Series:
        """The class of each notice, as a number."""
        further: list[tuple[pl.Series | None, int]] = [(self.kinds, len(KINDS)), (self.tiers, self.judge.room[0])]
        if asked.due:
            further.append((self.stages, len(STAGES) + 1))
        if asked.law is not None:
            further.append((self.laws[asked.law.number], room(len(asked.law.values))))
        codes, new, renewed = self.batch.classes(asked.key, further)
        if renewed:
            asked.forget()
        for index in new:
            self._judge(asked, index)
        if asked.failures:
            for index in codes.is_in(list(asked.failures)).arg_true().to_list():
                self.failed.setdefault(index, asked.failures[codes[index]])
        return codes

    def _judge(self, asked: _Asked, index: int) -> None:
        """Add the class of a notice that is the first of it."""
        asked.tables = None
        number, scores = len(asked.whole), self.judge.scores
        whole = scores.nothing.whole
        packs: dict[str, tuple[int, ...]] = {}
        groups: dict[tuple[str, str], int] = {}
        for one in asked.rules:
            try:
                record = self._record(one, index)
            except EngineError as error:
                asked.failures[number] = str(error)
                record = _Class(None, scores.nothing, (), ())
            one.records.append(record)
            whole = _added(whole, record.share.whole)
            written, pack = one.rule.rule, one.rule.pack
            if pack in scores.by_pack and written.scored:
                if written.group is not None:
                    key = (pack, written.group)
                    groups[key] = groups.get(key, 0) + record.share.group
                else:
                    nothing = (0,) * scores.by_pack[pack].words
                    packs[pack] = _added(packs.get(pack, nothing), record.share.pack or nothing)
        asked.whole.append(whole)
        for pack, words in packs.items():
            asked.packs.setdefault(pack, []).append(words)
        for key, states in groups.items():
            asked.groups.setdefault(key, []).append(states)

    def _record(self, one: _Rule, index: int) -> _Class:
        rule = one.rule
        if self.rows[index].values["kind"] not in rule.rule.applies_to:
            return _Class(None, self.judge.scores.nothing, (), ())
        setting = self._setting(index)
        setting.tiers = self.judge.tiers[self.tiers[index]]
        setting.regime = self.judge.regimes[self.regimes[index]]
        said = judge(rule, setting)
        return _Class(said, self.judge.scores.share(counted(said)), said.settled, said.missing)

    # -- the tables --

    def notices(self) -> pl.DataFrame:
        """One row a notice."""
        rows = self.rows
        sums = self._sums()
        counts = sums.counts
        decided = (counts["pass"] + counts["fail"]).cast(pl.Float64)
        asked = decided + counts["unknown"].cast(pl.Float64)
        share = pl.select(pl.when(pl.lit(asked) > 0).then((100 * pl.lit(decided) / pl.lit(asked)).round(1))).to_series()
        columns: dict[str, Any] = {
            "notice": [row.number for row in rows],
            "file": [row.file for row in rows],
            "line": [row.line for row in rows],
            "pointer": [row.pointer for row in rows],
            "ocid": self._stated("notice.ocid"),
            "release": self._stated("notice.release"),
            "date": self._day("notice.date"),
            "as_of": self._day(AS_OF),
            "publisher": self._stated("notice.publisher"),
            "buyer": self._stated("commissioner.name"),
            "kind": self._stated("kind"),
            "stage": self._stated("stage"),
            "route": self._stated("process.route"),
            "cpv": [codes[0] if codes else None for codes in self._stated("service.classification")],
            "value": self._stated("value.total"),
            "value_including_vat": self._stated("value.total_including_vat"),
            "tier": _named([_tier_name(tiers) for tiers in self.judge.tiers], self.tiers),
            "regime": _named([one.id for one in self.judge.regimes], self.regimes),
            "score": sums.score,
            "low": sums.low,
            "high": sums.high,
            "coverage": sums.coverage,
            "grade": sums.grade,
            "passed": counts["pass"],
            "failed": counts["fail"],
            "unknown": counts["unknown"],
            "not_applicable": counts["not_applicable"],
            "not_yet_due": counts["not_yet_due"],
            "provisional": counts["provisional"],
            "law_failed": counts["law_failed"],
            "decided_share": share,
        }
        return pl.DataFrame(
            [
                column.alias(name).cast(NOTICES[name])
                if isinstance(column, pl.Series)
                else pl.Series(name, column, dtype=NOTICES[name])
                for name, column in columns.items()
            ]
        )

    def _stated(self, name: str) -> list[Any]:
        values = self.batch.values.get(name)
        return [None] * len(self.rows) if values is None else values

    def _day(self, name: str) -> pl.Series:
        return pl.Series(self._stated(name), dtype=pl.Int32).cast(pl.Date)

    def _sums(self) -> Sums:
        scores, zero = self.judge.scores, pl.zeros(len(self.rows), dtype=pl.Int64, eager=True)
        whole = [zero] * scores.whole.words
        packs = {pack: [zero] * tally.words for pack, tally in scores.by_pack.items()}
        groups: dict[tuple[str, str], pl.Series] = {}
        for asked, codes in zip(self.judge.asked, self.codes, strict=True):
            if asked.tables is None:
                shares = {pack: _words(words, scores.by_pack[pack].words) for pack, words in asked.packs.items()}
                members = {key: _table(states) for key, states in asked.groups.items()}
                asked.tables = _words(asked.whole, scores.whole.words), shares, members
            of_whole, of_packs, of_groups = asked.tables
            whole = _with(whole, of_whole, codes)
            for pack, tables in of_packs.items():
                packs[pack] = _with(packs[pack], tables, codes)
            for key, table in of_groups.items():
                states = table[codes]
                groups[key] = groups[key] + states if key in groups else states
        for (pack, name), states in groups.items():
            coder, found = scores.groups[name]
            codes, new = coder.codes(states)
            found.extend([scores.group(name, states[index]) for index in new])
            packs[pack] = _with(packs[pack], _words(found, scores.by_pack[pack].words), codes)
        return scores.sums(packs, whole, len(self.rows))

    def verdicts(self) -> pl.DataFrame:
        """One row a notice and rule that is asked of its kind, rule by rule."""
        height = len(self.rows)
        if not height:
            return pl.DataFrame(schema=dict(RULES))
        numbers = pl.Series("notice", [row.number for row in self.rows], dtype=pl.Int64)
        places = pl.int_range(height, dtype=pl.UInt32, eager=True)
        frame = pl.DataFrame([codes.alias(str(place)) for place, codes in enumerate(self.codes)])
        there = frame.select(pl.all().unique().implode()).row(0)
        spoken = _Spoken(self.batch)
        known: list[tuple[_Rule, _Class]] = []
        starts: list[int | None] = []
        at: list[pl.Series] = []
        of: list[pl.Series] = []
        for one in self.judge.rules:
            of_kind = self._of_kinds(one.rule.rule.applies_to)
            codes = self.codes[one.asked]
            at.append((codes if of_kind is None else codes[of_kind]) + len(known))
            of.append(places if of_kind is None else of_kind)
            known.extend([(one, record) for record in one.records])
            starts += spoken.starts(one.records, there[one.asked])
        said = [record.said for _, record in known]
        classes = pl.DataFrame(
            {
                "rule": [one.rule.rule.id for one, _ in known],
                "pack": [one.rule.pack for one, _ in known],
                "verdict": [verdict and verdict.verdict for verdict in said],
                "provisional": [verdict and verdict.provisional for verdict in said],
                "severity": [verdict and verdict.severity for verdict in said],
                "decided_by": [" ".join(record.settled) for _, record in known],
                "missing": [" ".join(record.missing) for _, record in known],
                "values": starts,
            },
            schema={name: RULES[name] for name in RULES if name not in ("notice", "values")} | {"values": pl.UInt32},
        )
        rows = classes[pl.concat(at)] if at else classes.clear()
        row = pl.concat(of) if of else places.clear()
        texts = spoken.texts()[(rows["values"] + row).fill_null(0)]
        return rows.with_columns(numbers[row], texts.alias("values")).select(*RULES)

    def _of_kinds(self, kinds: Sequence[str]) -> pl.Series | None:
        """The places of the notices that are of these kinds; None if all are."""
        if set(kinds).issuperset(KINDS):
            return None
        found = self._places.get(tuple(kinds))
        if found is None:
            found = self.kinds.is_in([_KINDS[kind] for kind in kinds if kind in _KINDS]).arg_true()
            self._places[tuple(kinds)] = found
        return found


def _number(known: list[Any], one: Any) -> int:
    """Its place in a list, in which it is put if it is not there."""
    if one not in known:
        known.append(one)
    return known.index(one)


def _table(values: Sequence[int], dtype: Any = pl.Int64) -> pl.Series:
    return pl.Series(values, dtype=dtype)


def _words(shares: Sequence[tuple[int, ...]], count: int) -> list[pl.Series]:
    """A column for each word of what classes add to sums."""
    return [_table([share[word] for share in shares]) for word in range(count)]


def _with(totals: list[pl.Series], tables: list[pl.Series], codes: pl.Series) -> list[pl.Series]:
    """The words of sums, and what the class of each notice adds to them."""
    return [total + table[codes] for total, table in zip(totals, tables, strict=True)]


def _added(words: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(words, more, strict=True))


def _named(names: Sequence[str | None], codes: pl.Series) -> pl.Series:
    return pl.Series(names, dtype=pl.String)[codes]


def _tier_name(tiers: tuple[Explained, ...]) -> str | None:
    if any(value is UNKNOWN for value, _, _ in tiers):
        return None
    return TIERS[max(index for index, (value, _, _) in enumerate(tiers) if value is True)]


class _Spoken:
    """The values that decided, as JSON: each set of facts of each notice written once."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._written: list[pl.Series] = [pl.Series([None], dtype=pl.String)]
        self._starts: dict[tuple[str, ...], int] = {}
        self._height = 1
        self._columns: dict[str, pl.Series] = {}

    def starts(self, records: Sequence[_Class], there: Collection[int]) -> list[int | None]:
        """For each class the place in `texts` of what decided a rule, for the first notice; None: it is not decided.

        Args:
            records: The classes.
            there: Those that any notice is in.
        """
        starts: list[int | None] = [None] * len(records)
        for number in there:
            said = records[number].said
            if said is not None and said.verdict in ("pass", "fail"):
                starts[number] = self._start(records[number].settled)
        return starts

    def texts(self) -> pl.Series:
        """All that was written; the first is nothing."""
        return pl.concat(self._written)

    def _start(self, settled: tuple[str, ...]) -> int:
        start = self._starts.get(settled)
        if start is None:
            start = self._starts[settled] = self._height
            parts: list[pl.Expr] = []
            for reference in settled:
                name = orjson.dumps(reference).decode()
                parts += [pl.lit(f"{',' if parts else '{'}{name}:"), pl.lit(self._column(reference))]
            written = pl.concat_str([*parts, pl.lit("}")]) if parts else pl.repeat("{}", self.batch.height)
            column = pl.select(written).to_series()
            self._written.append(column)
            self._height += len(column)
        return start

    def _column(self, reference: str) -> pl.Series:
        """The value of a fact, or of a part of one, in each notice, as JSON."""
        known = self._columns.get(reference)
        if known is None:
            known = self._quick(reference)
            if known is None:
                known = pl.Series(self._slow(reference), dtype=pl.String)
            self._columns[reference] = known
        return known

    def _slow(self, reference: str) -> list[str]:
        name = reference.partition("[")[0]
        values, given = self.batch.values.get(name), self.batch.values.get(name + GIVEN)
        written = ["null"] * self.batch.height
        if values is None and given is None:
            return written
        for index, row in enumerate(self.batch.rows):
            if name in row or given is not None:
                written[index] = orjson.dumps(_value(row, reference)).decode()
        return written

    def _quick(self, reference: str) -> pl.Series | None:
        """The same by Polars, for what it writes as JSON does."""
        fact = dictionary().get(reference)
        if reference != AS_OF and (fact is None or fact.may_be_none or fact.type not in _QUICK):
            return None
        column = self.batch.fact(reference)
        if column is None:
            return pl.repeat("null", self.batch.height, dtype=pl.String, eager=True)
        kind = "date" if fact is None else fact.type
        if kind == "date":
            column = column.cast(pl.Int32).cast(pl.Date)
        text = pl.lit(column.cast(pl.String))
        return pl.select(
            (pl.lit('"') + text + pl.lit('"') if kind in ("date", "enum") else text).fill_null("null")
        ).to_series()


_QUICK: Final = frozenset({"bool", "int", "date", "enum", "money", "double"})


def _value(values: Mapping[str, Any], reference: str) -> Any:
    """The value of a fact or of a part of one, as a report gives it."""
    name, bracket, rest = reference.partition("[")
    if not bracket:
        value = values.get(name, NONE if values.get(name + GIVEN) is False else None)
        if isinstance(value, list):
            return len(value) if value and isinstance(value[0], dict) else value
        return date(value).isoformat() if value is not None and _is_day(name) else value
    place, _, field_ = rest.partition("].")
    items, at = values.get(name, ()), int(place.removesuffix("]"))
    if not field_ or at >= len(items):
        return None
    item = items[at]
    value = item.get(field_)
    if isinstance(value, dict):
        return "stated" if value["given"] else NONE
    is_day = dictionary()[name].fields[field_].type == "date"
    return date(value).isoformat() if is_day and isinstance(value, int) else value


def _is_day(name: str) -> bool:
    return name == AS_OF or (name in dictionary() and dictionary()[name].type == "date")
