"""The summary of a scan: base rates, what the data can't tell and why, spreads, heaps at thresholds, publishers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from goodcommission.description.facts import COMPLETE
from goodcommission.packs.compiling import Packs
from goodcommission.packs.model import Severity
from goodcommission.report.wording import KINDS, count
from goodcommission.scan.naming import DIVISIONS, band_title, fact_title, field_of, stated_by_field
from goodcommission.scan.sums import MEASURES, SIDES, Partial, Threshold, merged, partial, thresholds
from goodcommission.scan.wording import FEWEST, INNOCENT, amount, least_of, share_of
from goodcommission.version import VERSION

__all__ = ["Counts", "Partial", "Summary", "merged", "partial", "summarise"]

_LARGEST: Final = 20
"""Buyers, and publishers, that are shown by name."""
_MONTHS: Final = 60
_NAMED: Final = 5
"""Facts that are named for each rule."""
_WAITED_FOR: Final = 20
_HEAPED: Final = 2
"""So many times as many values just below a threshold as in the bands on both sides make a heap."""
NOT_STATED: Final = "not stated"

CAVEATS: Final = tuple(
    " ".join(text.split())
    for text in (
        """A notice says little about practice. Most of what makes commissioning good or poor happens before and after
        it, and leaves no trace in published data. What a notice does not say counts as not known, never as a
        failure.""",
        """A scan is no league table. Buyers who publish more are asked more and can fail more; a buyer of whom little
        is known may be better or worse than it looks here. Compare like with like, and read the notices before you
        judge.""",
        """Shares of what is met count only what the data can decide. Where few notices decide a rule, its share says
        little; the number stands beside it.""",
        "What the law says is shown apart and is not legal advice.",
    )
)
"""What the data can't tell; said before any figure."""


class Part(BaseModel):
    """A closed, immutable part of a summary."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(Part):
    """What became of the releases that were read: all of them are audited, rejected, left out or merged."""

    read: int
    audited: int
    rejected: int = Field(description="Those in errors.jsonl, with file, line and reason.")
    left_out: int = Field(default=0, description="Those that --since, --cpv or --where left out.")
    merged: int = Field(default=0, description="Those that were merged into another release of their process.")


class Example(Part):
    """A notice that a figure leads back to."""

    file: str
    line: int
    pointer: str = Field(description="JSON pointer of the release within the JSON value that begins on the line.")
    ocid: str | None
    value: float | None = None


class MissingFact(Part):
    """A fact that answers wait for."""

    fact: str
    title: str
    field: str | None = Field(description="The OCDS field that carries it; none if no field of OCDS does.")
    answers: int = Field(description="Answers that are not known and wait for it, alone or among other facts.")


class Verdicts(Part):
    """How often a rule, or the rules of a pack, gave each answer."""

    met: int
    not_met: int
    unknown: int
    not_applicable: int
    not_yet_due: int
    provisional: int = Field(description="Of met and not met: those that a missing fact could overturn.")

    @property
    def put(self) -> int:
        """How often it was put to a notice."""
        return self.met + self.not_met + self.unknown + self.not_applicable + self.not_yet_due


class Rates(Verdicts):
    """These with their shares in percent; a share of nothing is none."""

    met_share: float | None = Field(description="Of what is met or not met: what is met.")
    undecided_share: float | None = Field(description="Of what is met, not met or not known: what is not known.")


class RuleRates(Rates):
    """The base rate of a rule, what it waits for, and notices that do not meet it."""

    rule: str
    title: str
    severity: Severity
    missing: tuple[MissingFact, ...] = Field(description="The facts that it waits for most often.")
    nothing_missing: int = Field(description="Answers that are not known although no fact is missing.")
    examples: tuple[Example, ...] = Field(description="The first notices, in the order of the scan, that fail it.")


class PackRates(Rates):
    """The base rates of the rules of a pack."""

    pack: str
    title: str
    law: bool
    rules: tuple[RuleRates, ...]


class Spread(Part):
    """How a figure is spread over notices, in points of 100 or in percent; none where no notice has it."""

    notices: int = Field(description="Notices that have the figure.")
    mean: float | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class Spreads(Part):
    """The spreads of a group of notices."""

    name: str = Field(description="As it is in the tables.")
    title: str
    groups: int = Field(description="How many groups are taken together: 1 but for the rest.")
    notices: int
    score: Spread = Field(description="Of the notices of which at least half of what applies is decided.")
    coverage: Spread
    decided: Spread = Field(description="Per notice: of the rules of practice that are met, not met or not known, %.")


class Distribution(Part):
    """The spreads over one way of grouping the notices."""

    by: Literal["buyer", "month", "division", "value"]
    groups: tuple[Spreads, ...]


class Heap(Part):
    """The values near a threshold: in bands of five hundredths of it, and exactly at it."""

    fact: Literal["value.total", "value.total_including_vat"]
    threshold: float
    currency: str
    start: str | None = Field(description="Only notices from this day on, ISO 8601.")
    until: str | None
    regimes: tuple[str, ...] = Field(description="Only notices under one of these laws; empty: all.")
    parameters: tuple[str, ...] = Field(description="The parameters of packs that have this value.")
    rules: tuple[str, ...] = Field(description="The rules and tiers that it decides.")
    values: int = Field(description="The notices that it is for and whose value is in the table.")
    far_below: int = Field(description="From 90% of the threshold to below 95%.")
    below: int = Field(description="From 95% to below the threshold.")
    at: int = Field(description="Exactly the threshold.")
    above: int = Field(description="Above the threshold, to 105%.")
    far_above: int = Field(description="Above 105%, to 110%.")
    ratio: float | None = Field(description="Below divided by above; none if nothing is above.")
    state: Literal["heaped", "no heap", "too few", "no values"] = Field(
        description="Heaped: of at least 30 values, twice as many just below as in each of the bands on both sides."
    )
    says: str
    examples: tuple[Example, ...] = Field(description="The first notices, in the order of the scan, just below it.")


class Gain(Part):
    """What stating one more fact would settle."""

    fact: str
    title: str
    field: str
    answers: int = Field(description="Answers for which this is all that is missing.")
    share: float = Field(description="Percent that would then be settled, at least.")


class Publisher(Part):
    """What the data of a publisher can settle, of the rules of practice."""

    name: str
    title: str
    publishers: int = Field(description="How many publishers are taken together: 1 but for the rest.")
    notices: int
    verdicts: Verdicts
    settled_share: float | None = Field(description="Percent of the rules put to its notices that are not unknown.")
    publish: tuple[Gain, ...] = Field(description="What would settle most by itself, first.")
    with_all_fields: float | None = Field(
        description="Percent settled, at least, if each missing fact that OCDS has a field for were stated."
    )
    waits_for: tuple[MissingFact, ...] = Field(description="The facts that most answers wait for.")


class Summary(Part):
    """What a scan found; a pure function of the notices, the packs and the options."""

    schema_version: Literal["1.0"] = "1.0"
    goodcommission: str
    packs_digest: str
    counts: Counts
    caveats: tuple[str, ...] = Field(description="What the data can't tell.")
    all: Spreads
    grades: Mapping[str, int]
    kinds: Mapping[str, int]
    practice: Rates = Field(description="All rules of practice together.")
    waits_for: tuple[MissingFact, ...] = Field(description="The facts that most answers of practice wait for.")
    packs: tuple[PackRates, ...]
    distributions: tuple[Distribution, ...]
    heaps: tuple[Heap, ...]
    publishers: tuple[Publisher, ...]

    def to_json(self) -> str:
        """The summary as JSON, the same bytes for the same scan."""
        return self.model_dump_json(indent=2) + "\n"


def summarise(whole: Partial, packs: Packs, counts: Counts) -> Summary:
    """The summary of a scan.

    Args:
        whole: The sums of all notices.
        packs: What they were judged by.
        counts: What became of the notices that were read.

    Raises:
        ValueError: The sums are of other packs, or of another number of notices.
    """
    sums = _Sums(whole)
    told = counts.audited + counts.rejected + counts.left_out + counts.merged
    if sums.total("kind") != counts.audited or counts.read != told:
        raise ValueError(f"the sums are of {sums.total('kind')} notices, and the scan counted {counts}")
    of_packs = _packs(sums, packs)
    practice = [one for one in of_packs if not one.law]
    waiting: dict[str, int] = {}
    for rule in packs.practice.rules:
        for fact, answers in sums.of("missing", rule.rule.id).items():
            if fact is not None:
                waiting[fact] = waiting.get(fact, 0) + answers
    return Summary(
        goodcommission=VERSION,
        packs_digest=packs.digest,
        counts=counts,
        caveats=CAVEATS,
        all=_spreads(sums, "all", [None], "all", "All notices"),
        grades={_name(grade): notices for grade, notices in sorted(_keys(sums, "grade").items(), key=_by_name)},
        kinds={KINDS.get(_name(kind), _name(kind)): notices for kind, notices in sums.largest("kind")},
        practice=Rates(**_rated(_added(practice))),
        waits_for=_missing(waiting, _WAITED_FOR),
        packs=of_packs,
        distributions=(
            Distribution(by="buyer", groups=_ranked(sums, "buyer", _LARGEST, "buyers")),
            Distribution(by="month", groups=_in_order(_ranked(sums, "month", _MONTHS, "months"))),
            Distribution(by="division", groups=_divisions(sums)),
            Distribution(by="value", groups=_bands(sums)),
        ),
        heaps=tuple(_heap(sums, one, packs) for one in thresholds(packs)),
        publishers=_publishers(sums),
    )


# --- Sums, looked up ---------------------------------------------------------------------------------------------


class _Sums:
    """The sums by what they count."""

    def __init__(self, whole: Partial) -> None:
        self.frames = {str(key[0]): frame for key, frame in whole.counts.partition_by("what", as_dict=True).items()}
        self._tables: dict[str, dict[str | None, dict[str | None, int]]] = {}
        self._examples: dict[tuple[str, str], list[Example]] = {}
        for row in whole.examples.iter_rows(named=True):
            self._examples.setdefault((row["what"], row["key"]), []).append(
                Example(**{name: row[name] for name in ("file", "line", "pointer", "ocid", "value")})
            )

    def table(self, what: str) -> Mapping[str | None, Mapping[str | None, int]]:
        """By key and item: how often."""
        if what not in self._tables:
            table = self._tables.setdefault(what, {})
            frame = self.frames.get(what)
            if frame is not None:
                for key, item, times in frame.group_by("key", "item").agg(pl.col("count").sum()).iter_rows():
                    table.setdefault(key, {})[item] = times
        return self._tables[what]

    def of(self, what: str, key: str | None) -> Mapping[str | None, int]:
        """By item: how often."""
        return self.table(what).get(key, {})

    def total(self, what: str) -> int:
        """How often altogether."""
        return sum(_keys(self, what).values())

    def largest(self, what: str) -> list[tuple[str | None, int]]:
        """The keys with how often, the most frequent first; what is not stated comes last."""
        return sorted(_keys(self, what).items(), key=lambda one: (one[0] is None, -one[1], one[0] or ""))

    def spread(self, what: str, keys: Sequence[str | None]) -> Mapping[str, list[tuple[int | None, int]]]:
        """By measure: the figures in tenths, rising (none last), with how often."""
        frame = self.frames.get(what)
        if frame is None:
            return {}
        chosen = pl.DataFrame({"key": list(keys)}, schema={"key": pl.String})
        rows = (
            frame.join(chosen, on="key", how="semi", nulls_equal=True)
            .group_by("item", "bucket")
            .agg(pl.col("count").sum())
            .sort("item", "bucket", nulls_last=True)
        )
        found: dict[str, list[tuple[int | None, int]]] = {}
        for item, bucket, times in rows.iter_rows():
            found.setdefault(item, []).append((bucket, times))
        return found

    def examples(self, what: str, key: str) -> tuple[Example, ...]:
        """The first notices of it."""
        return tuple(self._examples.get((what, key), ()))


def _keys(sums: _Sums, what: str) -> dict[str | None, int]:
    return {key: sum(items.values()) for key, items in sums.table(what).items()}


def _by_name(one: tuple[str | None, int]) -> tuple[bool, str]:
    return one[0] is None, one[0] or ""


def _name(key: str | None) -> str:
    return NOT_STATED if key is None else key


# --- Rules ---------------------------------------------------------------------------------------------------------

_FIELDS: Final[Mapping[str, str]] = {
    "met": "pass",
    "not_met": "fail",
    "unknown": "unknown",
    "not_applicable": "not_applicable",
    "not_yet_due": "not_yet_due",
}


def _verdicts(found: Mapping[str | None, int], provisional: int) -> Verdicts:
    return Verdicts(**{name: found.get(verdict, 0) for name, verdict in _FIELDS.items()}, provisional=provisional)


def _added(parts: Iterable[Verdicts]) -> Verdicts:
    together = list(parts)
    return Verdicts(**{name: sum(getattr(one, name) for one in together) for name in Verdicts.model_fields})


def _rated(one: Verdicts) -> dict[str, Any]:
    decided = one.met + one.not_met
    return {
        **{name: getattr(one, name) for name in Verdicts.model_fields},
        "met_share": share_of(one.met, decided),
        "undecided_share": share_of(one.unknown, decided + one.unknown),
    }


def _packs(sums: _Sums, packs: Packs) -> tuple[PackRates, ...]:
    rules: dict[str, list[RuleRates]] = {}
    provisional = _provisional(sums)
    unknown = set(sums.table("verdict")) - {one.rule.id for one in packs.rules}
    if unknown:
        raise ValueError(f"the sums have rules that the packs do not have: {', '.join(sorted(map(str, unknown)))}")
    for one in packs.rules:
        written = one.rule
        missing = sums.of("missing", written.id)
        verdicts = _verdicts(sums.of("verdict", written.id), provisional.get(written.id, 0))
        rules.setdefault(one.pack, []).append(
            RuleRates(
                **_rated(verdicts),
                rule=written.id,
                title=written.title,
                severity=written.severity,
                missing=_missing({fact: times for fact, times in missing.items() if fact is not None}, _NAMED),
                nothing_missing=missing.get(None, 0),
                examples=sums.examples("fail", written.id),
            )
        )
    return tuple(
        PackRates(
            **_rated(_added(rules[loaded.pack.id])),
            pack=loaded.pack.id,
            title=loaded.pack.title,
            law=loaded.pack.id in packs.laws,
            rules=tuple(rules[loaded.pack.id]),
        )
        for loaded in packs.packs
        if loaded.pack.id in rules
    )


def _provisional(sums: _Sums) -> dict[str, int]:
    frame = sums.frames.get("verdict")
    if frame is None:
        return {}
    chosen = frame.filter((pl.col("bucket") == 1) & pl.col("item").is_in(["pass", "fail"]))
    return dict(chosen.group_by("key").agg(pl.col("count").sum()).iter_rows())


def _missing(answers: Mapping[str, int], most: int) -> tuple[MissingFact, ...]:
    # Where a list is missing, that it is complete is missing too: it is said once.
    told = {
        n: many for n, many in answers.items() if answers.get(n.removesuffix(COMPLETE), 0) < many or COMPLETE not in n
    }
    first = sorted(told.items(), key=lambda one: (-one[1], one[0]))[:most]
    return tuple(MissingFact(fact=n, title=fact_title(n), field=field_of(n), answers=times) for n, times in first)


# --- Spreads ---------------------------------------------------------------------------------------------------------


def _spread(figures: Sequence[tuple[int | None, int]]) -> Spread:
    """The mean and the quartiles (each the figure of a notice) of figures in tenths with their numbers."""
    known = [(figure, times) for figure, times in figures if figure is not None]
    notices = sum(times for _, times in known)
    if not notices:
        return Spread(notices=0, mean=None, lower_quartile=None, median=None, upper_quartile=None)

    def quartile(which: int) -> float:
        passed = 0
        for figure, times in known:
            passed += times
            if 4 * passed >= which * notices:
                return figure / 10
        raise AssertionError("the last figure is at or above each quartile")

    return Spread(
        notices=notices,
        mean=round(sum(figure * times for figure, times in known) / notices / 10, 1),
        lower_quartile=quartile(1),
        median=quartile(2),
        upper_quartile=quartile(3),
    )


def _spreads(sums: _Sums, by: str, keys: Sequence[str | None], name: str, title: str) -> Spreads:
    found = sums.spread(by, keys)
    return Spreads(
        name=name,
        title=title,
        groups=len(keys),
        notices=sum(times for _, times in found.get(MEASURES[0], ())),
        **{measure: _spread(found.get(measure, ())) for measure in MEASURES},
    )


def _ranked(sums: _Sums, by: str, most: int, plural: str) -> tuple[Spreads, ...]:
    """The largest groups, the rest together, and those of which it is not stated."""
    table = sums.table(by)
    sizes = {key: items.get(MEASURES[0], 0) for key, items in table.items()}
    ranked = sorted((key for key in sizes if key is not None), key=lambda key: (-sizes[key], key))
    groups = [_spreads(sums, by, [key], key, key) for key in ranked[:most]]
    if ranked[most:]:
        rest = count(len(ranked[most:]), f"other {plural.removesuffix('s')}", f"other {plural}")
        groups.append(_spreads(sums, by, ranked[most:], "", rest))
    if None in sizes:
        groups.append(_spreads(sums, by, [None], "", NOT_STATED))
    return tuple(groups)


def _in_order(groups: Sequence[Spreads]) -> tuple[Spreads, ...]:
    return tuple(sorted(groups, key=lambda one: (one.name == "", one.groups == 1, one.name)))


def _divisions(sums: _Sums) -> tuple[Spreads, ...]:
    found = sums.table("division")
    named = {key: f"{key} {title}" for key, title in DIVISIONS.items() if key in found}
    groups = [_spreads(sums, "division", [key], key, title) for key, title in named.items()]
    if None in found:
        groups.append(_spreads(sums, "division", [None], "", "no CPV code stated, or one of no division"))
    return tuple(groups)


def _bands(sums: _Sums) -> tuple[Spreads, ...]:
    found = sums.table("band")
    bands = sorted(int(key) for key in found if key is not None)
    groups = [_spreads(sums, "band", [str(band)], str(band), band_title(band)) for band in bands]
    if None in found:
        groups.append(_spreads(sums, "band", [None], "", "no value in pounds stated"))
    return tuple(groups)


# --- Heaps -----------------------------------------------------------------------------------------------------------


def _heap(sums: _Sums, threshold: Threshold, packs: Packs) -> Heap:
    found = sums.of("threshold", threshold.id)
    sides = {side: found.get(side, 0) for side in SIDES}
    state: Literal["heaped", "no heap", "too few", "no values"]
    below, near = sides["below"], (sides["far_below"], sides["above"])
    enough = below + sides["above"] >= FEWEST
    heaped = enough and all(below >= _HEAPED * other for other in near)
    values = sum(found.values())
    told = f"{amount(below)} just below, {amount(sides['above'])} just above, {amount(sides['at'])} exactly at it"
    if not values:
        state, says = "no values", "No notice that it is for has such a value in the table: nothing can be said."
    elif not enough:
        state, says = "too few", f"Too few values lie near it to say anything: {told}."
    elif heaped:
        state, says = "heaped", f"{told}; {amount(sides['far_below'])} in the band before. {INNOCENT}"
    else:
        state, says = "no heap", f"{told}. That is no heap."
    return Heap(
        fact=threshold.fact,  # type: ignore[arg-type]
        threshold=threshold.value,
        currency=packs.currency,
        start=threshold.start.isoformat() if threshold.start else None,
        until=threshold.until.isoformat() if threshold.until else None,
        regimes=threshold.regimes,
        parameters=threshold.used_by,
        rules=threshold.rules,
        values=values,
        **sides,
        ratio=round(below / sides["above"], 2) if sides["above"] else None,
        state=state,
        says=says,
        examples=sums.examples("heap", threshold.id),
    )


# --- Publishers ------------------------------------------------------------------------------------------------------


def _publishers(sums: _Sums) -> tuple[Publisher, ...]:
    sizes = sums.largest("publisher_notices")
    named = [key for key, _ in sizes if key is not None]
    found = [_publisher(sums, [key], key) for key in named[:_LARGEST]]
    if named[_LARGEST:]:
        rest = named[_LARGEST:]
        found.append(_publisher(sums, rest, count(len(rest), "other publisher")))
    if any(key is None for key, _ in sizes):
        found.append(_publisher(sums, [None], f"publisher {NOT_STATED}"))
    return tuple(found)


def _publisher(sums: _Sums, keys: Sequence[str | None], title: str) -> Publisher:
    def together(what: str) -> dict[str | None, int]:
        items: dict[str | None, int] = {}
        for key in keys:
            for item, times in sums.of(what, key).items():
                items[item] = items.get(item, 0) + times
        return items

    verdicts = _verdicts(together("publisher"), 0)
    put, settled = verdicts.put, verdicts.put - verdicts.unknown
    alone = {fact: times for fact, times in together("publisher_alone").items() if fact is not None}
    gains = [
        Gain(fact=fact, title=fact_title(fact), field=field, answers=times, share=least_of(settled + times, put) or 0.0)
        for fact, times in sorted(alone.items(), key=lambda one: (-one[1], one[0]))
        if (field := field_of(fact)) is not None and stated_by_field(fact)
    ]
    named = {fact: times for fact, times in together("publisher_missing").items() if fact is not None}
    return Publisher(
        name="" if len(keys) > 1 else keys[0] or "",
        title=title,
        publishers=len(keys),
        notices=sum(together("publisher_notices").values()),
        verdicts=verdicts,
        settled_share=least_of(settled, put),
        publish=tuple(gains[:_NAMED]),
        with_all_fields=least_of(settled + sum(together("publisher_carried").values()), put),
        waits_for=_missing(named, _WAITED_FOR),
    )
