"""Sums of a scan's tables: whole numbers only, so that any division into chunks adds up to the same."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import polars as pl

from goodcommission.engine.conditions import PARAMS, Condition
from goodcommission.engine.tree import Call, Macro, Node, Variable, walk
from goodcommission.engine.verdicts import CompiledRule
from goodcommission.packs.compiling import Packs
from goodcommission.packs.model import TIERS, Parameter
from goodcommission.scan.naming import BOUNDS, DIVISIONS, stated_by_field
from goodcommission.scan.notices import MOST_NOTICES
from goodcommission.scoring import LEAST_COVERAGE

MOST_EXAMPLES: Final = 5
MEASURES: Final = ("score", "coverage", "decided")
"""What is spread over the notices, in tenths of a point or a percent."""
DIMENSIONS: Final = ("all", "buyer", "month", "division", "band")
SIDES: Final = ("far_below", "below", "at", "above", "far_above")
"""Where a value lies at a threshold: the bands end at 90, 95, 100, 105 and 110 % of it."""
_COLUMNS: Final = {"value.total": "value", "value.total_including_vat": "value_including_vat"}
"""Where the table of notices has a fact that thresholds are about."""
MOST_WAITING: Final = 200_000
"""Rows of sums that wait in memory to be added up."""
_LONGEST: Final = 300
"""Characters that are kept of a name: a hostile notice must not fill the memory."""
_COUNTS: Final = {"what": pl.String, "key": pl.String, "item": pl.String, "bucket": pl.Int32, "count": pl.Int64}
_EXAMPLES: Final = {
    "what": pl.String,
    "key": pl.String,
    "notice": pl.Int64,
    "file": pl.String,
    "line": pl.Int32,
    "pointer": pl.String,
    "ocid": pl.String,
    "value": pl.Float64,
}
_KEYS: Final = ("what", "key", "item", "bucket")


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """The sums of some notices; `merged` ones are the sums of all of them."""

    counts: pl.DataFrame
    """What is counted, of which group and item, with a figure in tenths where there is one; and how often."""
    examples: pl.DataFrame
    """The first notices of each rule that is not met, and of each heap of values."""

    def to_bytes(self) -> bytes:
        """The sums in a form that can be stored; the same sums give the same bytes."""
        parts = []
        for frame in (self.counts, self.examples):
            buffer = io.BytesIO()
            # In the older layout, which does not depend on how the frame came about.
            frame.rechunk().write_ipc(buffer, compression="zstd", compat_level=pl.CompatLevel.oldest())
            parts.append(buffer.getvalue())
        return len(parts[0]).to_bytes(8, "big") + b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Partial:
        """What `to_bytes` gave.

        Raises:
            ValueError: It is something else.
        """
        size = int.from_bytes(data[:8], "big")
        try:
            counts, examples = (pl.read_ipc(io.BytesIO(part)) for part in (data[8 : 8 + size], data[8 + size :]))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ValueError(f"these are no sums of a scan: {error}") from None
        if counts.schema != pl.Schema(_COUNTS) or examples.schema != pl.Schema(_EXAMPLES):
            raise ValueError("these are the sums of another version of goodcommission")
        return cls(counts, examples)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A sum of money that a condition compares the value with."""

    fact: str
    value: float
    start: dt.date | None
    until: dt.date | None
    regimes: tuple[str, ...]
    """Only notices under one of these; empty: all."""
    used_by: tuple[str, ...]
    """The parameters (pack and name) that have this value."""
    rules: tuple[str, ...]
    """The rules and tiers that it decides."""

    @property
    def id(self) -> str:
        """What tells it from the others."""
        return f"{self.fact} {self.value!r} {self.start or ''} {self.until or ''} {' '.join(self.regimes)}".rstrip()


# --- Thresholds and rules ------------------------------------------------------------------------------------------


def _trees(rule: CompiledRule) -> Iterator[Node]:
    """The trees of what decides a rule."""
    for condition in (rule.when, *(branch.condition for branch in rule.branches)):
        if condition is not None:
            yield condition.tree
    for let in rule.lets:
        yield let.value.tree


def _stands_for(node: Node, lets: dict[str, Condition]) -> Iterator[str]:
    """The facts and parameters whose value a node passes on unchanged."""
    match node:
        case Variable(name) if name in lets:
            yield from _stands_for(lets[name].tree, lets)
        case Variable(name):
            yield name
        case Call("_?_:_", (_, then, otherwise)):
            yield from _stands_for(then, lets)
            yield from _stands_for(otherwise, lets)


def _compared(rule: CompiledRule) -> Iterator[tuple[str, str]]:
    """The facts about value that a rule compares with a parameter, and the parameter."""
    lets = {let.name: let.value for let in rule.lets}
    for tree in _trees(rule):
        for node in walk(tree):
            match node:
                case Call("_<_" | "_<=_" | "_>_" | "_>=_", (left, right)):
                    sides = [set(_stands_for(side, lets)) for side in (left, right)]
                    for facts, numbers in (sides, sides[::-1]):
                        for fact in sorted(facts & _COLUMNS.keys()):
                            yield from (
                                (fact, name.removeprefix(PARAMS)) for name in numbers if name.startswith(PARAMS)
                            )


@lru_cache(maxsize=16)
def thresholds(packs: Packs) -> tuple[Threshold, ...]:
    """The sums of money in the packs that decide something by the value of a contract, the smallest first."""
    found: dict[tuple[str, float, dt.date | None, dt.date | None, tuple[str, ...]], tuple[set[str], set[str]]] = {}
    gates = [(gate, f"tier {tier}") for gate, tier in zip(packs.tiers, TIERS, strict=True) if gate is not None]
    for rule, used in (*((rule, rule.rule.id) for rule in packs.rules), *gates):
        for fact, name in _compared(rule):
            parameter = rule.parameters[name]
            if parameter.unit != packs.currency:
                continue
            owner = _owner(packs, rule.pack, name)
            for value, start, until, regimes in _spans(parameter):
                if isinstance(value, int | float) and value > 0:
                    key = (fact, float(value), start, until, tuple(regimes))
                    parameters, rules = found.setdefault(key, (set(), set()))
                    parameters.add(f"{owner} {name}")
                    rules.add(used)
    made = [Threshold(*key, tuple(sorted(used)), tuple(sorted(rules))) for key, (used, rules) in found.items()]
    return tuple(sorted(made, key=lambda one: (one.value, one.id)))


def _spans(parameter: Parameter) -> list[tuple[Any, dt.date | None, dt.date | None, tuple[str, ...]]]:
    """The values of a parameter, with the days and the regimes that they are for."""
    if parameter.values is None:
        return [(parameter.value, None, None, ())]
    spans: list[tuple[Any, dt.date | None, dt.date | None, tuple[str, ...]]] = []
    for one in sorted(parameter.values, key=lambda one: (one.regimes or (), one.from_)):
        regimes = one.regimes or ()
        value, start, until, of = spans[-1] if spans else (None, None, None, None)
        if value == one.value and of == regimes and until and until + dt.timedelta(days=1) == one.from_:
            spans[-1] = (value, start, one.until, regimes)  # Verified anew, and the same.
        else:
            spans.append((one.value, one.from_, one.until, regimes))
    return spans


def _owner(packs: Packs, pack: str, name: str) -> str:
    """The pack, or the definitions it uses, that a parameter stands in."""
    by_id = {loaded.pack.id: loaded.pack for loaded in packs.packs}
    written = by_id[pack]
    return next((id for id in (pack, *written.uses, *written.extends) if name in by_id[id].parameters), pack)


@lru_cache(maxsize=16)
def decided_by_facts(packs: Packs) -> frozenset[str]:
    """The rules of practice that are decided as soon as all facts they name as missing are stated.

    A choice (``a ? b : c``) or a list of records may ask for more once the first fact is known, and cases that are told
    apart (``decide``) may leave something between them: there, what is missing is not known in advance.
    """

    def plain(rule: CompiledRule | None) -> bool:
        return rule is None or not any(
            isinstance(node, Macro) or (isinstance(node, Call) and node.function == "_?_:_")
            for tree in _trees(rule)
            for node in walk(tree)
        )

    rules = (one for one in packs.practice.rules if one.require and one.law is None)
    return frozenset(one.rule.id for one in rules if plain(one) and plain(packs.tiers[one.tier]))


# --- Sums ----------------------------------------------------------------------------------------------------------


def partial(notices: pl.DataFrame, rules: pl.DataFrame, packs: Packs) -> Partial:
    """The sums of one chunk.

    Args:
        notices: One row a notice.
        rules: One row a notice and rule, of the same notices.
        packs: What they were judged by.
    """
    counts = [*_of_notices(notices), *_of_rules(notices, rules, packs)]
    at = [(one, _at(notices.lazy(), one)) for one in thresholds(packs) if _COLUMNS[one.fact] in notices.columns]
    for threshold, found in at:
        counts.append(_counted(found.group_by("side").len(), "threshold", key=pl.lit(threshold.id), item="side"))
    failed = (
        rules.lazy()
        .select("notice", "rule", "verdict")
        .filter(pl.col("verdict") == "fail")
        .group_by(pl.col("rule").cast(pl.String).alias("key"))
        .agg(pl.col("notice").bottom_k(MOST_EXAMPLES))
        .explode("notice")
        .with_columns(what=pl.lit("fail"), value=pl.lit(None, pl.Float64))
    )
    heaped = [
        found.filter(pl.col("side") == "below")
        .bottom_k(MOST_EXAMPLES, by="notice")
        .with_columns(what=pl.lit("heap"), key=pl.lit(threshold.id))
        for threshold, found in at
    ]
    named = ("what", "key", "notice", "value")
    examples = pl.concat([frame.select(named) for frame in (failed, *heaped)])
    return _made(counts, [examples.join(_places(notices).lazy(), on="notice").select(_cast(_EXAMPLES))])


def merged(partials: Iterable[Partial]) -> Partial:
    """The sums of all notices from those of the chunks, in any order and grouping."""
    counts: list[pl.LazyFrame] = []
    examples: list[pl.LazyFrame] = []
    whole, waiting = 0, 0
    for one in partials:
        counts.append(one.counts.lazy())
        examples.append(one.examples.lazy())
        waiting += one.counts.height
        if waiting > max(whole, MOST_WAITING):  # Added up as they come, so that only one set of sums is in memory.
            made = _made(counts, examples)
            counts, examples = [made.counts.lazy()], [made.examples.lazy()]
            whole, waiting = made.counts.height, 0
    return _made(counts, examples)


def _made(counts: list[pl.LazyFrame], examples: list[pl.LazyFrame]) -> Partial:
    return Partial(
        _collected(
            pl.concat([pl.LazyFrame(schema=_COUNTS), *counts])
            .group_by(_KEYS)
            .agg(pl.col("count").sum())
            .sort(_KEYS, nulls_last=True)
        ),
        _collected(
            pl.concat([pl.LazyFrame(schema=_EXAMPLES), *examples])
            .sort("what", "key", "notice")
            .group_by("what", "key", maintain_order=True)
            .head(MOST_EXAMPLES)
            .select(list(_EXAMPLES))
        ),
    )


def _collected(frame: pl.LazyFrame) -> pl.DataFrame:
    """What all its branches come to, at once: each by itself would cost as much again to set out."""
    return frame.collect(engine="in-memory")


def _cast(schema: dict[str, type[pl.DataType]]) -> list[pl.Expr]:
    return [pl.col(name).cast(type_) for name, type_ in schema.items()]


def _counted(
    frame: pl.LazyFrame,
    what: str,
    *,
    key: str | pl.Expr | None = None,
    item: str | pl.Expr | None = None,
    bucket: str | pl.Expr | None = None,
    count: str = "len",
) -> pl.LazyFrame:
    named = {"what": pl.lit(what), "key": key, "item": item, "bucket": bucket, "count": count}
    columns = {
        name: pl.lit(None) if one is None else pl.col(one) if isinstance(one, str) else one
        for name, one in named.items()
    }
    return frame.select(columns[name].cast(type_).alias(name) for name, type_ in _COUNTS.items())


def _places(notices: pl.DataFrame) -> pl.DataFrame:
    return notices.select("notice", "file", "line", "pointer", pl.col("ocid").cast(pl.String).str.slice(0, _LONGEST))


def _of_notices(notices: pl.DataFrame) -> Iterator[pl.LazyFrame]:
    """How the figures of the notices are spread, over all and within each group."""
    met, put = pl.col("passed").cast(pl.Int64) + pl.col("failed"), pl.col("unknown").cast(pl.Int64)
    asked = met + put
    value = pl.col("value")
    rows = notices.lazy().select(
        all=pl.lit(None, pl.String),
        buyer=pl.col("buyer").cast(pl.String).str.slice(0, _LONGEST),
        month=pl.col("date").dt.strftime("%Y-%m"),
        division=pl.col("cpv").cast(pl.String).str.slice(0, 2),
        band=pl.when(value.is_not_null()).then(
            pl.sum_horizontal([(value >= bound).cast(pl.Int32) for bound in BOUNDS]).cast(pl.String)
        ),
        # Where less is decided there is no grade, and a score would mislead.
        score=pl.when(pl.col("coverage") >= LEAST_COVERAGE).then((pl.col("score") * 10).round().cast(pl.Int32)),
        coverage=(pl.col("coverage") * 10).round().cast(pl.Int32),
        # In whole numbers, so that no machine rounds it otherwise.
        decided=pl.when(asked > 0).then((2000 * met + asked) // (2 * asked)).cast(pl.Int32),
        grade=pl.col("grade").cast(pl.String),
        kind=pl.col("kind").cast(pl.String),
        publisher=_publisher(),
    )
    rows = rows.with_columns(division=pl.when(pl.col("division").is_in(list(DIVISIONS))).then(pl.col("division")))
    rows = _collected(rows).lazy()
    for dimension in DIMENSIONS:
        for measure in MEASURES:
            spread = rows.group_by(dimension, measure).len()
            yield _counted(spread, dimension, key=dimension, item=pl.lit(measure), bucket=measure)
    for column in ("grade", "kind"):
        yield _counted(rows.group_by(column).len(), column, key=column)
    yield _counted(rows.group_by("publisher").len(), "publisher_notices", key="publisher")


def _publisher() -> pl.Expr:
    return pl.col("publisher").cast(pl.String).str.slice(0, _LONGEST)


def _of_rules(notices: pl.DataFrame, rules: pl.DataFrame, packs: Packs) -> Iterator[pl.LazyFrame]:
    """What the rules say, and what is missing where they can't say it; for publishers only the rules of practice."""
    publishers = notices.select(publisher=_publisher()).unique(maintain_order=True).with_row_index("of")
    rows = rules.select("notice", "rule", "verdict", "provisional", "missing")
    if publishers.height <= 1:
        rows = rows.with_columns(of=pl.lit(0, pl.UInt32))
    else:
        numbered = notices.select("notice", publisher=_publisher()).join(publishers, on="publisher", nulls_equal=True)
        rows = _with(rows, numbered.select("notice", "of"))
    # The one step that looks at each row of the rules: in small pieces at a time, which takes half the time.
    found = rows.lazy().group_by("of", "rule", "verdict", "provisional", "missing").len().collect(engine="streaming")
    grouped = found.with_columns(pl.col("rule", "verdict", "missing").cast(pl.String)).join(publishers, on="of").lazy()
    verdicts = grouped.group_by("rule", "verdict", "provisional").agg(pl.col("len").sum())
    yield _counted(verdicts, "verdict", key="rule", item="verdict", bucket="provisional")
    practice = pl.col("rule").is_in([one.rule.id for one in packs.practice.rules])
    put = grouped.filter(practice).group_by("publisher", "verdict").agg(pl.col("len").sum())
    yield _counted(put, "publisher", key="publisher", item="verdict")
    named = _collected(
        grouped.filter(pl.col("verdict") == "unknown")
        .select("publisher", "rule", "missing", "len")
        .with_row_index("row")
        .with_columns(fact=pl.col("missing").str.split(" "))
        .explode("fact")
        .with_columns(
            fact=pl.col("fact").str.replace_all(r"\[\d+\]", "[]").str.replace(r"\.given$", "").replace("", None)
        )
        .unique(["row", "fact"])
    )
    facts = named.get_column("fact").unique().drop_nulls().to_list()
    carried = pl.col("fact").is_in([fact for fact in facts if stated_by_field(fact)])
    waiting = named.with_columns(
        alone=pl.len().over("row") == 1,
        # Each fact that is missing would be stated by a field of OCDS, and the rule asks for nothing further.
        sure=carried.fill_null(False).all().over("row") & pl.col("rule").is_in(list(decided_by_facts(packs))),
    ).lazy()
    yield _counted(waiting.group_by("rule", "fact").agg(pl.col("len").sum()), "missing", key="rule", item="fact")
    practised = waiting.filter(practice)
    for what, which in (
        ("publisher_missing", pl.lit(True)),
        ("publisher_alone", pl.col("alone") & pl.col("sure")),
    ):
        lacking = practised.filter(which).group_by("publisher", "fact").agg(pl.col("len").sum())
        yield _counted(lacking, what, key="publisher", item="fact")
    carried_all = practised.filter("sure").unique("row").group_by("publisher").agg(pl.col("len").sum())
    yield _counted(carried_all, "publisher_carried", key="publisher")


def _with(rows: pl.DataFrame, numbered: pl.DataFrame) -> pl.DataFrame:
    """The rows with a number for each notice: looked up by place, as the notices of a chunk lie close together."""
    first, last = numbered["notice"].min(), numbered["notice"].max()
    if not isinstance(first, int) or not isinstance(last, int) or last - first >= MOST_NOTICES:
        return rows.join(numbered, on="notice")
    places = pl.zeros(last - first + 1, dtype=pl.UInt32, eager=True)
    places = places.scatter(numbered["notice"] - first, numbered["of"])
    return rows.with_columns(places[(rows["notice"] - first).cast(pl.UInt32)].alias("of"))


def _at(notices: pl.LazyFrame, threshold: Threshold) -> pl.LazyFrame:
    """The notices whose value a threshold is for, with the side on which it lies (null: not near)."""
    value = pl.col(_COLUMNS[threshold.fact])
    chosen = value.is_not_null()
    if threshold.start is not None:
        chosen &= pl.col("date") >= threshold.start
    if threshold.until is not None:
        chosen &= pl.col("date") <= threshold.until
    if threshold.regimes:
        chosen &= pl.col("regime").cast(pl.String).is_in(list(threshold.regimes))
    at = threshold.value
    side = (
        pl.when(value < 0.9 * at)
        .then(None)
        .when(value < 0.95 * at)
        .then(pl.lit("far_below"))
        .when(value < at)
        .then(pl.lit("below"))
        .when(value == at)
        .then(pl.lit("at"))
        .when(value <= 1.05 * at)
        .then(pl.lit("above"))
        .when(value <= 1.1 * at)
        .then(pl.lit("far_above"))
    )
    return notices.filter(chosen).select("notice", value=value, side=side)
