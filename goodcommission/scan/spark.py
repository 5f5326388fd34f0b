r"""The scan past one machine: the same tables from a Spark DataFrame of published notices.

>>> from goodcommission.scan.spark import scan
>>> texts = spark.read.text("s3://lake/notices/", lineSep="\n").withColumn("file", F.input_file_name())
>>> done = scan(texts, file="file")
>>> done.audited.persist()  # both tables come from it: without this, each computes it again
>>> done.notices.write.parquet("s3://lake/audited/notices")
>>> done.rules.write.parquet("s3://lake/audited/rules")
>>> done.rejected.show()

Needs the extra ``spark`` where Spark's driver runs and on each of its workers: ``pip install 'goodcommission[spark]'``,
the same version of goodcommission everywhere. The rule packs need not be there: they travel with the job.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructField,
    StructType,
    VariantType,
)

from goodcommission.exceptions import Fault, ScanError
from goodcommission.packs.adjusting import Change
from goodcommission.packs.compiling import Packs, compile_packs
from goodcommission.packs.loading import pack_from_json, pack_to_json
from goodcommission.packs.model import Tier
from goodcommission.scan.inputs import MOST_BYTES, Chunk, Item, Rejection, one_text, texts_in
from goodcommission.scan.judging import Judge, Stated
from goodcommission.scan.notices import identity, processes
from goodcommission.scan.running import Options, judged, prepare, stated
from goodcommission.scan.tables import NOTICES, RULES
from goodcommission.version import VERSION

if TYPE_CHECKING:
    from pyspark.sql import Column

_TYPES: Final[Mapping[Any, DataType]] = {
    pl.Int64: LongType(),
    pl.Int32: IntegerType(),
    pl.Int16: ShortType(),
    pl.Float64: DoubleType(),
    pl.Boolean: BooleanType(),
    pl.Date: DateType(),
}


def _schema(columns: Mapping[str, Any]) -> StructType:
    """Columns of the scan's tables in Spark's types; names of which there are few are plain texts here."""
    return StructType([StructField(name, _TYPES.get(kind, StringType())) for name, kind in columns.items()])


NOTICES_SCHEMA: Final = _schema(NOTICES)
"""The table of notices, one row each; the columns are those of ``goodcommission.scan``."""
RULES_SCHEMA: Final = _schema(RULES)
"""The table of rules: one row a notice and rule that is asked of its kind of document."""
REJECTED_SCHEMA: Final = _schema(
    {"file": pl.String, "line": pl.Int32, "pointer": pl.String, "kind": pl.String, "reason": pl.String}
)
"""What was read and can't be audited, as the lines of errors.jsonl have it."""

_SAID: Final = _schema({name: kind for name, kind in RULES.items() if name != "notice"})
_WORKED: Final = StructType(
    [
        StructField("key", BinaryType()),  # what copies of one release share; of others, what none shares
        StructField("known", BooleanType()),  # whether it has an id, so that there can be copies
        StructField("number", LongType()),
        StructField("file", StringType()),
        StructField("line", IntegerType()),
        StructField("pointer", StringType()),
        StructField("turn", IntegerType()),  # among what stands in its row
        StructField("notice", NOTICES_SCHEMA),
        StructField("rules", ArrayType(_SAID)),
        StructField("rejected", REJECTED_SCHEMA),
    ]
)
"""What the workers give: one row for each notice or rejection."""
_CORRUPT: Final = "_corrupt_record"
"""Where Spark puts the text of a line that is not JSON."""
_BATCH: Final = 2_000
"""Notices that are judged together: with their rules, some 50 MB."""
_OF_OCDS: Final = ("ocid", "releases", "records", "compiledRelease")
_JSON: Final = {"ignoreNullFields": "true", "timeZone": "UTC"}


@dataclass(frozen=True, slots=True)
class SparkScan:
    """A scan of the notices in a DataFrame. As all of Spark's, it is worked out when something is done with it."""

    audited: DataFrame
    """One row a notice (``notice``, ``rules``) or rejection (``rejected``), each of them nested, the others null. All
    three tables are taken from it: persist it, or write it and read it back, to have it computed once."""

    @property
    def notices(self) -> DataFrame:
        """One row a notice: `NOTICES_SCHEMA`."""
        return self.audited.where("notice IS NOT NULL").select("notice.*")

    @property
    def rules(self) -> DataFrame:
        """One row a notice and rule: `RULES_SCHEMA`."""
        each = self.audited.where("notice IS NOT NULL").select("notice.notice", F.explode("rules").alias("said"))
        return each.select("notice", "said.*")

    @property
    def rejected(self) -> DataFrame:
        """One row for each entry that can't be audited: `REJECTED_SCHEMA`."""
        return self.audited.where("rejected IS NOT NULL").select("rejected.*")


def scan(
    notices: DataFrame,
    packs: Packs | Sequence[str] | None = None,
    *,
    column: str = "value",
    file: str | None = None,
    line: str | None = None,
    as_of: dt.date | None = None,
    tier: Tier | None = None,
    regime: str | None = None,
    unique: bool = False,
) -> SparkScan:
    """Scan the published notices (OCDS) in a DataFrame: each is audited as ``goodcommission.audit`` audits it.

    Args:
        notices: One JSON text in each row (``spark.read.text``), which is the exact way: a release, record or package,
            or with ``wholetext`` a file of them. Or the releases themselves with their fields as columns
            (``spark.read.json``, ``spark.read.parquet``), which are turned to JSON: docs/scale.md says what can change.
        packs: What ``load_packs`` gave, packs of your own among them, or ids of shipped packs; all of these by default.
        column: Where the JSON is: text, or structured. If there is no such column, a row is a release.
        file: The column that says where a row comes from, if there is one; shown in the tables.
        line: The column with the line at which the row's text begins in its file. Without it, lines count from the
            beginning of the row.
        as_of: The day of all audits; by default each notice's own governing day.
        tier: How much to ask; by default what the value says.
        regime: The law that all stand under; by default worked out for each.
        unique: Whether it is known that no release is there twice. It saves the one shuffle, in which copies are found:
            of those with the same ocid and id the first is audited, by file, line and place in the text.

    Returns:
        The scan, which has not begun. A notice's number is made of its text and place: it is the same however the work
        is divided, but not the one that ``goodcommission.scan.scan`` counts.

    Raises:
        ScanError: There is no such column, or nothing in the DataFrame could be a notice.
        PackError: There is no such pack or law.
    """
    loaded = packs if isinstance(packs, Packs) else None
    ids = None if packs is None or isinstance(packs, Packs) else tuple(packs)
    plan = _plan(prepare(Options(ids, as_of=as_of, tier=tier, regime=regime), loaded), as_of, tier, regime)
    worked = _texts(notices, column, file, line).mapInArrow(_work(plan), _WORKED)
    return SparkScan(worked.select("notice", "rules", "rejected") if unique else _once(worked))


# --- What goes in ------------------------------------------------------------------------------------------------


def _texts(notices: DataFrame, column: str, file: str | None, line: str | None) -> DataFrame:
    """The texts with their places."""
    for name in (file, line):
        if name is not None and name not in notices.columns:
            there = ", ".join(notices.columns)
            raise ScanError(Fault(f'there is no column "{name}" in this DataFrame; there are {there}'))
    return notices.select(
        (F.lit(None) if file is None else _column(file)).cast("string").alias("file"),
        (F.lit(None) if line is None else _column(line)).cast("int").alias("line"),
        _json(notices, column, file, line).alias("text"),
    )


def _column(name: str) -> Column:
    return F.col("`" + name.replace("`", "``") + "`")


def _json(notices: DataFrame, column: str, file: str | None, line: str | None) -> Column:
    """The JSON of a row, as bytes: a text that is not UTF-8 is a rejection, and must get that far."""
    kinds = {one.name: one.dataType for one in notices.schema.fields}
    kind = kinds.get(column)
    if isinstance(kind, StringType | BinaryType):
        return _column(column).cast("binary")
    if isinstance(kind, StructType | MapType | ArrayType | VariantType):
        return F.to_json(_column(column), _JSON).cast("binary")
    if kind is not None:
        message = f'the column "{column}" holds {kind.simpleString()}, and JSON is expected'
        raise ScanError(Fault(message, suggestion="Give a column of texts, or of structured releases."))
    if not any(name in kinds for name in (*_OF_OCDS, _CORRUPT)):
        message = f'there is no column "{column}", and the others are not those of a release: {", ".join(kinds)}'
        raise ScanError(Fault(message, suggestion="Name the column that holds the JSON: column=…"))
    whole = F.to_json(F.struct(*(_column(name) for name in kinds if name not in (file, line, _CORRUPT))), _JSON)
    return (F.coalesce(_column(_CORRUPT), whole) if _CORRUPT in kinds else whole).cast("binary")


# --- What the workers do -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    """What travels to the workers: the packs by value, as compiled ones can't."""

    version: str
    digest: str
    packs: bytes
    changes: tuple[Change, ...]
    rules: int
    as_of: dt.date | None
    tier: Tier | None
    regime: str | None


def _plan(packs: Packs, as_of: dt.date | None, tier: Tier | None, regime: str | None) -> _Plan:
    written = json.dumps([pack_to_json(one) for one in packs.packs], ensure_ascii=False).encode()
    return _Plan(VERSION, packs.digest, zlib.compress(written), packs.changes, len(packs.rules), as_of, tier, regime)


@lru_cache(maxsize=2)
def _judge(plan: _Plan) -> Judge:
    """The judge of a worker's process: made once, and used for all that it is given.

    Raises:
        ScanError: This is not the goodcommission of the driver, or these are not its packs.
    """
    if plan.version != VERSION:
        message = f"the driver has goodcommission {plan.version}, and this worker has {VERSION}"
        raise ScanError(Fault(message, suggestion="Install the same version everywhere."))
    loaded = [pack_from_json(one) for one in json.loads(zlib.decompress(plan.packs))]
    packs = compile_packs(loaded, (), plan.changes)
    if packs.digest != plan.digest or len(packs.rules) != plan.rules:
        message = f"the packs on this worker ({packs.digest}) are not those of the driver ({plan.digest})"
        raise ScanError(Fault(message, suggestion="Install the same goodcommission everywhere."))
    return Judge(packs, as_of=plan.as_of, tier=plan.tier, regime=plan.regime)


def _work(plan: _Plan) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function that is sent to the workers."""

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        judge = _judge(plan)
        entries: list[_Entry] = []
        for batch in batches:
            for file, line, text in zip(*(batch.column(at) for at in range(3)), strict=True):
                for entry in _entries(judge, file.as_py() or "", line.as_py() or 1, text.as_py()):
                    entries.append(entry)
                    if len(entries) == _BATCH:
                        yield from _rows(judge, entries)
                        entries = []
        if entries:
            yield from _rows(judge, entries)

    return work


class _Entry(NamedTuple):
    """A notice, as what it states, or a rejection."""

    key: bytes
    known: bool
    number: int
    file: str
    line: int | None
    pointer: str | None
    turn: int
    said: Stated | Rejection


def _entries(judge: Judge, file: str, line: int, text: bytes | None) -> Iterator[_Entry]:
    """What stands in one row."""
    items: Iterable[Item]
    if text is None:
        items = (Rejection(file, line, None, "malformed", "this row has no text: it is null"),)
    elif b"\n" in text.strip():  # a file in one row
        items = texts_in(file, line, text)
    else:
        items = one_text(file, line, text if len(text) <= MOST_BYTES else None)
    place = hashlib.blake2b(b"%s\0%d\0%s" % (file.encode(), line, text or b""), digest_size=16)
    for turn, one in enumerate(processes(Chunk(0, tuple(items)))):
        digest = place.copy()
        digest.update(b"\0%d" % turn)
        own = digest.digest()
        number = int.from_bytes(own[:8], "big") >> 2  # so that it can be added to
        if isinstance(one, Rejection):
            yield _Entry(own, False, number, file, one.line, one.pointer, turn, one)
            continue
        shared = identity(one[0])
        said = stated(judge, one[0])
        yield _Entry(shared or own, shared is not None, number, file, one[0].line, one[0].pointer, turn, said)


def _rows(judge: Judge, entries: Sequence[_Entry]) -> Iterator[pa.RecordBatch]:
    """The rows of some entries: of those that are audited, then of those that are not."""
    rejections = [(place, one.said) for place, one in enumerate(entries) if isinstance(one.said, Rejection)]
    rows = [one.said.numbered(place) for place, one in enumerate(entries) if isinstance(one.said, Stated)]
    notices, rules = judged(judge, rows, rejections)
    if notices.height:
        places = notices["notice"].to_list()
        numbers = pl.Series("notice", [entries[place].number for place in places], dtype=pl.Int64)
        notices = notices.with_columns(numbers, pl.col("file").replace("", None))
        yield _batch(
            [entries[place] for place in places],
            {"notice": _structs(notices, NOTICES_SCHEMA), "rules": _lists(rules, places)},
        )
    if rejections:
        said = [one for _, one in rejections]
        table = pl.DataFrame(
            {
                "file": [one.file or None for one in said],
                "line": [one.line for one in said],
                "pointer": [one.pointer for one in said],
                "kind": [one.kind for one in said],
                "reason": [one.reason.encode("utf-8", "backslashreplace").decode("utf-8") for one in said],
            },
            schema={"file": pl.String, "line": pl.Int32, "pointer": pl.String, "kind": pl.String, "reason": pl.String},
        )
        yield _batch([entries[place] for place, _ in rejections], {"rejected": _structs(table, REJECTED_SCHEMA)})


def _structs(table: pl.DataFrame, schema: StructType) -> pa.StructArray:
    """The rows of a table, of one row at least, as one column."""
    (batch,) = table.to_arrow().cast(to_arrow_schema(schema)).combine_chunks().to_batches()
    return batch.to_struct_array()


def _lists(rules: pl.DataFrame, places: Sequence[int]) -> pa.ListArray:
    """For each notice what the rules say of it."""
    plain = rules.sort("notice", maintain_order=True).with_columns(
        pl.col(name).cast(pl.String) for name, kind in RULES.items() if kind not in _TYPES
    )
    kind = to_arrow_schema(_WORKED).field("rules").type
    counts = dict(plain.group_by("notice").len().iter_rows())
    offsets = [0]
    for place in places:
        offsets.append(offsets[-1] + counts.get(place, 0))
    if not plain.height:
        return pa.array([[] for _ in places], type=kind)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), _structs(plain.drop("notice"), _SAID)).cast(kind)


def _batch(entries: Sequence[_Entry], columns: Mapping[str, pa.Array]) -> pa.RecordBatch:
    schema = to_arrow_schema(_WORKED)
    places = {
        "key": [one.key for one in entries],
        "known": [one.known for one in entries],
        "number": [one.number for one in entries],
        "file": [one.file or None for one in entries],
        "line": [one.line for one in entries],
        "pointer": [one.pointer for one in entries],
        "turn": [one.turn for one in entries],
    }
    return pa.RecordBatch.from_arrays(
        [
            pa.array(places[one.name], one.type)
            if one.name in places
            else columns.get(one.name, pa.nulls(len(entries), one.type))
            for one in schema
        ],
        schema=schema,
    )


# --- Copies ------------------------------------------------------------------------------------------------------


def _once(worked: DataFrame) -> DataFrame:
    """Of the copies of a release only the first, in an order that does not depend on how the work was divided."""
    order = Window.partitionBy("key").orderBy("file", "line", "turn", "number")
    seen = worked.select(
        "*",
        F.row_number().over(order).alias("copy"),
        F.first("file").over(order).alias("first_file"),
        F.first("line").over(order).alias("first_line"),
    )
    is_copy = F.col("known") & (F.col("copy") > 1)
    there = F.concat(F.lit(": "), "first_file", F.lit(", line "), F.col("first_line").cast("string"))
    reason = F.concat(F.lit("a release with the same ocid and id was read before"), F.coalesce(there, F.lit("")))
    copied = F.struct("file", "line", "pointer", F.lit("duplicate").alias("kind"), reason.alias("reason"))
    # The same text in the same place, or in none, of a release without an id: each is a notice, and needs a number.
    number = F.when(F.col("known"), F.col("number")).otherwise(F.col("number") + F.col("copy") - 1)
    return seen.select(
        F.when(~is_copy, F.col("notice").withField("notice", number)).alias("notice"),
        F.when(~is_copy, F.col("rules")).alias("rules"),
        F.when(is_copy, copied).otherwise(F.col("rejected")).alias("rejected"),
    )
