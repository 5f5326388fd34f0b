"""Comparing two scans: what moved between two months, two buyers, or two versions of a rule pack."""

from __future__ import annotations

import datetime as dt
import glob
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl
from pydantic import Field, ValidationError

from goodcommission.description.document import printable_name
from goodcommission.exceptions import Fault, ScanError
from goodcommission.packs.model import Verdict
from goodcommission.scan.naming import fact_title
from goodcommission.scan.summary import Counts, Example, Part, Spread, Spreads, Summary, Verdicts
from goodcommission.scan.tables import NOTICES, RULES, as_published
from goodcommission.scoring import LEAST_COVERAGE

MOST_EXAMPLES: Final = 5
_ROWS: Final = 5_000_000
"""So many verdicts of each scan are in memory at once."""
_LOOKED_AT: Final = 500
"""Notices that are looked at to find the value that a verdict turns on."""
_AMONG: Final = 0.25
"""The largest share of the unchanged that may lie among the changed, where a figure is to explain the change."""
_MOST_DAYS: Final = 4
_NOT_ASKED: Final = "not asked"
_NUMBER: Final = r"(-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_DAY: Final = r'"([0-9]{4}-[0-9]{2}-[0-9]{2})"'

CAVEATS: Final = (
    "What moved is not why it moved: other notices, other ways to publish and other rules all move shares.",
    "A share that few notices decide moves by chance. The numbers stand beside the shares.",
)

Said = Verdict | Literal["not asked"]


class Side(Part):
    """One of the two scans."""

    name: str
    goodcommission: str
    packs_digest: str
    inputs: tuple[str, ...]
    counts: Counts


class Moved(Part):
    """A figure before and after; none where there is none."""

    before: float | None
    after: float | None

    @property
    def difference(self) -> float | None:
        """By how much it moved; none where it is missing on a side."""
        return None if self.before is None or self.after is None else round(self.after - self.before, 1)

    @property
    def moved(self) -> bool:
        """Whether it is not what it was."""
        return self.before != self.after


class ChangedNotice(Part):
    """A notice whose verdict changed, with its places in both scans."""

    before: Example
    after: Example
    value: float | str | None = Field(description="Of the fact that the verdict turns on, if there is one.")


class Transition(Part):
    """How many notices changed from one verdict to another."""

    before: Said
    after: Said
    notices: int
    turns_on: str | None = Field(
        description="The fact, or the two days with the time between them, whose values lie apart from those of "
        "notices whose verdict did not change; none if there is no such fact."
    )
    title: str | None
    nearest: tuple[ChangedNotice, ...] = Field(
        description="Those whose value of it lies closest to that of a notice whose verdict did not change; "
        "without such a fact, the first in the order of ocid and release."
    )


class RuleMoved(Part):
    """What became of a rule."""

    rule: str
    pack: str
    title: str
    law: bool
    before: Verdicts | None = Field(description="None if the first scan does not have the rule.")
    after: Verdicts | None
    met_share: Moved
    undecided_share: Moved
    changed: int = Field(description="Notices of both scans whose verdict changed.")
    transitions: tuple[Transition, ...] = Field(description="The most frequent first.")


class PackMoved(Part):
    """What became of a pack."""

    pack: str
    title: str
    law: bool
    before: Verdicts | None
    after: Verdicts | None
    met_share: Moved
    undecided_share: Moved


class SpreadsMoved(Part):
    """What became of a group of notices: the means."""

    by: Literal["all", "buyer", "month", "division", "value"]
    title: str
    notices_before: int
    notices_after: int
    score: Moved
    coverage: Moved
    decided: Moved


class ScoresMoved(Part):
    """What became of the scores of notices that both scans have, where coverage is at least half in both."""

    scored: int = Field(description="Notices with a score in both.")
    higher: int
    lower: int
    mean_difference: float | None
    gained: int = Field(description="Notices with a score only in the second scan.")
    lost: int = Field(description="Notices with a score only in the first scan.")


class ScanComparison(Part):
    """Two scans compared."""

    schema_version: Literal["1.0"] = "1.0"
    before: Side
    after: Side
    differences: tuple[str, ...] = Field(description="How the scans were not made alike, in sentences.")
    caveats: tuple[str, ...]
    matched: int = Field(description="Notices that both scans have, by ocid and release.")
    only_before: int
    only_after: int
    ambiguous: int = Field(description="Of these: without ocid, or with ids that the scans do not have equally often.")
    with_rules: bool = Field(description="Whether both scans have the table of rules: without it, no transitions.")
    packs: tuple[PackMoved, ...]
    rules: tuple[RuleMoved, ...]
    scores: ScoresMoved
    spreads: tuple[SpreadsMoved, ...]

    def to_json(self) -> str:
        """The comparison as JSON, the same bytes for the same two scans."""
        return self.model_dump_json(indent=2) + "\n"


def compare(run1: Path, run2: Path) -> ScanComparison:
    """Compare two scans by the folders that they were written to, in any form.

    Raises:
        ScanError: One of them is no folder of a complete scan.
    """
    with tempfile.TemporaryDirectory(prefix="goodcommission-") as place:
        try:
            return _compared(*(_Run.of(path, Path(place) / name) for path, name in ((run1, "before"), (run2, "after"))))
        except (pl.exceptions.PolarsError, OSError) as error:
            first = str(error).strip().partition("\n")[0]
            message = f"the tables of {run1} and {run2} can’t be read: {first}"
            raise ScanError(Fault(message, suggestion="Scan again, then compare.")) from None


def _compared(before: _Run, after: _Run) -> ScanComparison:
    pairs, ambiguous = _pairs(before, after)
    return ScanComparison(
        before=before.side,
        after=after.side,
        differences=tuple(_differences(before, after)),
        caveats=CAVEATS,
        matched=pairs.height,
        only_before=before.summary.counts.audited - pairs.height,
        only_after=after.summary.counts.audited - pairs.height,
        ambiguous=ambiguous,
        with_rules=before.rules is not None and after.rules is not None,
        packs=_packs(before.summary, after.summary),
        rules=_rules(before, after, pairs),
        scores=_scores(before, after, pairs),
        spreads=tuple(_spreads(before.summary, after.summary)),
    )


# --- Reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Run:
    """A scan as it was written."""

    side: Side
    about: Mapping[str, Any]
    summary: Summary
    notices: pl.LazyFrame
    rules: pl.LazyFrame | None

    @classmethod
    def of(cls, folder: Path, place: Path) -> _Run:
        """Read what is small, and see where the tables are.

        Args:
            folder: What a scan wrote.
            place: Where to keep tables that were not written for reading in parts.
        """
        try:
            about = json.loads((folder / "scan.json").read_text("utf-8"))
            summary = Summary.model_validate_json((folder / "summary.json").read_text("utf-8"))
            form, with_rules = about["options"]["format"], not about["options"]["without_rules"]
            inputs = tuple(str(one["name"]) for one in about["inputs"])
            version = str(about["goodcommission"])
        except FileNotFoundError as error:
            message = f"there is no complete scan in {folder}: {Path(error.filename or folder).name} is missing"
            raise ScanError(Fault(message, suggestion="Name the folder that `goodcommission scan` wrote.")) from None
        except OSError as error:
            raise ScanError(Fault(f"the scan in {folder} can’t be read: {error.strerror}")) from None
        except (ValueError, KeyError, TypeError, ValidationError):
            advice = "Scan again with this version, then compare."
            raise ScanError(Fault(f"what is in {folder} was not written by this version", suggestion=advice)) from None
        if str(folder) != printable_name(str(folder)):  # Polars opens by names that are text
            advice = "Give it another name."
            raise ScanError(Fault(f"the name of this folder is no UTF-8: {folder}", suggestion=advice))
        notices = _table(folder, "notices", form, NOTICES)
        rules = _table(folder, "rules", form, RULES) if with_rules else None
        if rules is not None and form != "parquet":
            place.mkdir()
            rules.sink_parquet(place / "rules.parquet")
            rules = pl.scan_parquet(place / "rules.parquet")
        return cls(
            Side(
                name=str(folder),
                goodcommission=version,
                packs_digest=summary.packs_digest,
                inputs=inputs,
                counts=summary.counts,
            ),
            about,
            summary,
            notices,
            rules,
        )


def _table(folder: Path, name: str, form: str, columns: Mapping[str, Any]) -> pl.LazyFrame:
    """A table of a scan, in whichever form; nothing is read yet."""
    path = folder / name if form == "parquet" else folder / f"{name}.{form}"
    if not path.exists():
        raise ScanError(Fault(f"there is no complete scan in {folder}: {path.name} is missing"))
    if form == "parquet":
        parts = sorted(path.glob("part-*.parquet"))
        return pl.scan_parquet(parts, glob=False) if parts else pl.LazyFrame(schema=dict(columns))
    if path.stat().st_size == 0:
        return pl.LazyFrame(schema=dict(columns))
    plain = {
        column: pl.String if isinstance(type_, pl.Enum) or type_ in (pl.Categorical, pl.Date) else type_
        for column, type_ in columns.items()
    }
    read = (
        as_published(pl.scan_csv(path, schema=plain, glob=False))
        if form == "csv"
        else pl.scan_ndjson(glob.escape(str(path)), schema=plain)
    )
    return read.with_columns(pl.col(column).cast(type_) for column, type_ in columns.items() if type_ != plain[column])


def _pairs(before: _Run, after: _Run) -> tuple[pl.DataFrame, int]:
    """The notices that both scans have, in the order of ocid and release; and how many can't be told apart.

    Where several notices of a scan have the same ids, they are matched in their order if both scans have as many.
    """
    key = ["ocid", "release", "many", "turn"]
    named = [
        run.notices.select("ocid", "release", pl.col("notice").alias(column))
        .filter(pl.col("ocid").is_not_null())
        .collect(engine="streaming")
        .sort(column)
        .with_columns(many=pl.len().over("ocid", "release"), turn=pl.int_range(pl.len()).over("ocid", "release"))
        for run, column in ((before, "before"), (after, "after"))
    ]
    pairs = named[0].join(named[1], on=key, nulls_equal=True).sort(key, nulls_last=True)
    with_other = [
        one.join(other, on=["ocid", "release"], how="semi", nulls_equal=True).height
        for one, other in (named, named[::-1])
    ]
    without_ocid = sum(run.summary.counts.audited - one.height for run, one in zip((before, after), named, strict=True))
    unclear = sum(with_other) - 2 * pairs.height + without_ocid
    return pairs.select("before", "after").with_row_index("pair"), unclear


# --- How they were made ------------------------------------------------------------------------------------------


def _differences(first: _Run, second: _Run) -> Iterator[str]:
    """How two scans were not made alike, in sentences."""
    before, after = first.about, second.about
    if before["goodcommission"] != after["goodcommission"]:
        yield f"Made with goodcommission {before['goodcommission']} and then {after['goodcommission']}."
    old, new = before["packs"], after["packs"]
    if old == new and first.summary.packs_digest != second.summary.packs_digest:
        yield "The rule packs are the same files; numbers or severities in them were changed by another pack."
    changed = [id for id in old if id in new and old[id] != new[id]]
    for ids, words in (
        (changed, "differ"),
        ([id for id in old if id not in new], "are only in the first scan"),
        ([id for id in new if id not in old], "are only in the second scan"),
    ):
        if ids:
            yield f"Rule packs that {words}: {', '.join(ids)}."
    for key in {**before["options"], **after["options"]}:
        was, now = before["options"].get(key), after["options"].get(key)
        if was != now and key not in ("format", "without_rules"):
            yield f"The option --{key.replace('_', '-')} was {_option(was)} and then {_option(now)}."
    files = [{one["sha256"] for one in about["inputs"]} for about in (before, after)]
    if files[0] != files[1]:
        shared = len(files[0] & files[1])
        yield f"The inputs differ: {len(files[0])} and then {len(files[1])}, of which {shared} are the same."


def _option(value: Any) -> str:
    if value is None or value == []:
        return "not given"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"“{', '.join(map(str, value)) if isinstance(value, list) else value}”"


# --- Shares ----------------------------------------------------------------------------------------------------------


def _plain(one: Verdicts | None) -> Verdicts | None:
    return None if one is None else Verdicts(**{name: getattr(one, name) for name in Verdicts.model_fields})


def _shares(before: Any, after: Any) -> dict[str, Any]:
    return {
        name: Moved(before=before and getattr(before, name), after=after and getattr(after, name))
        for name in ("met_share", "undecided_share")
    }


def _packs(before: Summary, after: Summary) -> tuple[PackMoved, ...]:
    old, new = ({one.pack: one for one in summary.packs} for summary in (before, after))
    moved = []
    for id in {**old, **new}:
        one = new.get(id) or old[id]
        known: dict[str, Any] = {"pack": id, "title": one.title, "law": one.law}
        was, now = old.get(id), new.get(id)
        moved.append(PackMoved(**known, before=_plain(was), after=_plain(now), **_shares(was, now)))
    return tuple(moved)


def _spreads(before: Summary, after: Summary) -> Iterator[SpreadsMoved]:
    """The means of all notices, and of the groups that both scans have."""
    yield _spread_moved("all", before.all, after.all)
    for old, new in zip(before.distributions, after.distributions, strict=True):
        now = {(one.name, one.title): one for one in new.groups if one.groups == 1}
        for group in old.groups:
            if (group.name, group.title) in now and group.groups == 1:
                yield _spread_moved(old.by, group, now[group.name, group.title])


def _spread_moved(by: Any, old: Spreads, new: Spreads) -> SpreadsMoved:
    def moved(was: Spread, now: Spread) -> Moved:
        return Moved(before=was.mean, after=now.mean)

    return SpreadsMoved(
        by=by,
        title=new.title,
        notices_before=old.notices,
        notices_after=new.notices,
        score=moved(old.score, new.score),
        coverage=moved(old.coverage, new.coverage),
        decided=moved(old.decided, new.decided),
    )


def _scores(before: _Run, after: _Run, pairs: pl.DataFrame) -> ScoresMoved:
    scored = pl.when(pl.col("coverage") >= LEAST_COVERAGE).then((pl.col("score") * 10).round().cast(pl.Int64))
    both = pairs.lazy()
    for run, column in ((before, "before"), (after, "after")):
        figures = run.notices.select(pl.col("notice").alias(column), scored.alias(f"score_{column}"))
        both = both.join(figures, on=column)
    moved = pl.col("score_after") - pl.col("score_before")
    was, now = pl.col("score_before").is_not_null(), pl.col("score_after").is_not_null()
    found = both.select(
        scored=(was & now).sum(),
        higher=(moved > 0).sum(),
        lower=(moved < 0).sum(),
        total=moved.sum(),
        gained=(~was & now).sum(),
        lost=(was & ~now).sum(),
    ).collect(engine="streaming")
    row = found.row(0, named=True)
    total = row.pop("total")
    return ScoresMoved(**row, mean_difference=round(total / row["scored"] / 10, 1) if row["scored"] else None)


# --- Verdicts --------------------------------------------------------------------------------------------------------


def _rules(before: _Run, after: _Run, pairs: pl.DataFrame) -> tuple[RuleMoved, ...]:
    old, new = (
        {rule.rule: (pack, rule) for pack in run.summary.packs for rule in pack.rules} for run in (before, after)
    )
    both = [id for id in old if id in new]
    transitions: dict[str, tuple[Transition, ...]] = {}
    tables = [run.rules for run in (before, after) if run.rules is not None]
    if len(tables) == 2 and pairs.height:
        size = max(1, _ROWS // pairs.height)
        for start in range(0, len(both), size):
            transitions.update(_Batch(before, after, tables, pairs, both[start : start + size]).transitions())
    moved = []
    for id in {**old, **new}:
        pack, one = new.get(id) or old[id]
        was, now = (rates[1] if rates else None for rates in (old.get(id), new.get(id)))
        found = transitions.get(id, ())
        moved.append(
            RuleMoved(
                rule=id,
                pack=pack.pack,
                title=one.title,
                law=pack.law,
                before=_plain(was),
                after=_plain(now),
                **_shares(was, now),
                changed=sum(one.notices for one in found),
                transitions=found,
            )
        )
    return tuple(moved)


class _Batch:
    """Some rules in both scans, of the notices that both have."""

    def __init__(
        self, before: _Run, after: _Run, tables: Sequence[pl.LazyFrame], pairs: pl.DataFrame, rules: Sequence[str]
    ) -> None:
        self.runs = {"before": before, "after": after}
        self.tables = dict(zip(self.runs, tables, strict=True))
        self.pairs = pairs
        sides = [self._of(column, rules, "verdict") for column in self.runs]
        both = sides[0].join(sides[1], on=["pair", "rule"], how="full", coalesce=True)
        self.both = both.collect(engine="streaming")

    def _of(self, column: str, rules: Sequence[str], wanted: str) -> pl.LazyFrame:
        """What a column of the table of rules has for these rules, by pair."""
        table = self.tables[column]
        return (
            table.select("notice", "rule", pl.col(wanted).alias(column))
            .filter(pl.col("rule").is_in(pl.Series(rules, dtype=pl.Categorical)))
            .join(self.pairs.lazy().select("pair", notice=column), on="notice")
            .drop("notice")
        )

    def transitions(self) -> dict[str, tuple[Transition, ...]]:
        """By rule: the changes of verdicts."""
        changes = (
            self.both.filter(pl.col("before").ne_missing(pl.col("after")))
            .group_by("rule", "before", "after")
            .len()
            .with_columns(pl.col("rule", "before", "after").cast(pl.String))
            .sort(["rule", "len", "before", "after"], descending=[False, True, False, False], nulls_last=True)
        )
        found: dict[str, list[Transition]] = {}
        for (id,), frame in changes.partition_by("rule", as_dict=True, maintain_order=True).items():
            values = self._values(str(id))
            for _, before, after, notices in frame.iter_rows():
                measure, pairs = _nearest(values, before, after)
                found.setdefault(str(id), []).append(
                    Transition(
                        before=before or _NOT_ASKED,
                        after=after or _NOT_ASKED,
                        notices=notices,
                        turns_on=measure.name if measure else None,
                        title=measure.title if measure else None,
                        nearest=tuple(self._placed(pairs)),
                    )
                )
        return {id: tuple(changed) for id, changed in found.items()}

    def _values(self, rule: str) -> pl.DataFrame:
        """Of one rule, by pair: both verdicts, and the values that decided, of the second scan if it has any."""
        verdicts = self.both.filter(pl.col("rule") == rule).drop("rule")
        for column in self.runs:
            values = self._of(column, [rule], "values").drop("rule").rename({column: f"{column}_values"})
            verdicts = verdicts.join(values.collect(engine="streaming"), on="pair", how="left")
        return verdicts.with_columns(values=pl.coalesce("after_values", "before_values")).drop(
            "after_values", "before_values"
        )

    def _placed(self, pairs: Iterable[tuple[int, float | str | None]]) -> Iterator[ChangedNotice]:
        """Notices with their places in both scans."""
        chosen = list(pairs)
        numbers = self.pairs.filter(pl.col("pair").is_in([pair for pair, _ in chosen]))
        places: dict[str, dict[int, Example]] = {}
        for column, run in self.runs.items():
            rows = (
                run.notices.select("notice", "file", "line", "pointer", "ocid")
                .filter(pl.col("notice").is_in(numbers.get_column(column).to_list()))
                .collect(engine="streaming")
            )
            of_pair = dict(numbers.select(column, "pair").iter_rows())
            places[column] = {
                of_pair[number]: Example(file=file, line=line, pointer=pointer or "", ocid=ocid)
                for number, file, line, pointer, ocid in rows.iter_rows()
            }
        for pair, value in chosen:
            yield ChangedNotice(before=places["before"][pair], after=places["after"][pair], value=value)


# --- Where a verdict turns ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Measure:
    """A figure out of the values that decided a rule: a number, a day, or the days between two."""

    name: str
    title: str
    value: pl.Expr
    is_day: bool = False

    def said(self, value: float) -> float | str:
        """A figure as it is shown."""
        return dt.date.fromordinal(int(value)).isoformat() if self.is_day else value


def _nearest(
    values: pl.DataFrame, before: str | None, after: str | None
) -> tuple[_Measure | None, list[tuple[int, float | str | None]]]:
    """The measure that a change of verdict turns on, and the pairs that are nearest to where it turns."""
    changed = values.filter(pl.col("before").eq_missing(before) & pl.col("after").eq_missing(after)).sort("pair")
    kept = values.filter((pl.col("before") == pl.col("after")) & pl.col("after").is_in(["pass", "fail"]))
    best: tuple[float, int, _Measure, pl.DataFrame, pl.DataFrame] | None = None
    for measure in _measures(changed.get_column("values").head(_LOOKED_AT).drop_nulls().to_list()):
        moved, stayed = (side.select("pair", value=measure.value).drop_nulls() for side in (changed, kept))
        if 2 * moved.height < changed.height or not stayed.height:
            continue
        # Notices that changed lie together: hardly any that did not change lies among them.
        low, high = moved.get_column("value").min(), moved.get_column("value").max()
        among = stayed.filter(pl.col("value").is_between(low, high)).height / stayed.height
        kinds = moved.get_column("value").n_unique()
        if among <= _AMONG and (best is None or (among, -kinds) < best[:2]):
            best = (among, -kinds, measure, moved, stayed)
    if best is None:
        return None, [(pair, None) for pair in changed.get_column("pair").head(MOST_EXAMPLES)]
    _, _, measure, moved, stayed = best
    around = stayed.select("value", kept="value").unique("value").sort("value")
    near = (
        moved.sort("value", "pair")
        .join_asof(around, on="value", strategy="nearest")
        .with_columns(distance=(pl.col("value") - pl.col("kept")).abs())
        .sort("distance", "pair")
        .head(MOST_EXAMPLES)
    )
    return measure, [(pair, measure.said(value)) for pair, value in near.select("pair", "value").iter_rows()]


def _measures(values: Sequence[str]) -> Iterator[_Measure]:
    """What can be put in an order among deciding values, by name."""
    numbers, days = set(), set()
    for text in values:
        for name, value in json.loads(text).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                numbers.add(name)
            elif isinstance(value, str) and _is_day(value):
                days.add(name)
    for name in sorted(numbers):
        yield _Measure(name, _title(name), pl.col("values").str.extract(_key(name) + _NUMBER).cast(pl.Float64))
    if len(days) <= _MOST_DAYS:
        for first, second in combinations(sorted(days), 2):
            title = f"the days between {_title(first)} and {_title(second)}"
            yield _Measure(f"{first} {second}", title, (_day(second) - _day(first)).abs())
    for name in sorted(days):
        yield _Measure(name, _title(name), _day(name), is_day=True)


def _title(reference: str) -> str:
    return fact_title(re.sub(r"\[\d+\]", "[]", reference))


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(dt.date.fromisoformat(text))
    except ValueError:
        return False


def _key(name: str) -> str:
    """What stands before the value of a fact in JSON; within a text, its first quotation mark would be escaped."""
    return f'[{{,]\\s*"{re.escape(name)}":\\s*'


def _day(name: str) -> pl.Expr:
    day = pl.col("values").str.extract(_key(name) + _DAY).str.to_date(strict=False)
    return (day.dt.epoch("d") + dt.date(1970, 1, 1).toordinal()).cast(pl.Float64)
