"""A scan over a Spark DataFrame: the rows of the single machine, whatever the notices come as and whoever is lost."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from goodcommission import load_packs
from goodcommission.exceptions import PackError, ScanError
from goodcommission.packs.adjusting import ParameterChange
from goodcommission.scan import scan as scan_here

CHECKOUT = Path(__file__).parent.parent
OCDS = CHECKOUT / "tests" / "fixtures" / "ocds"
LINES = gzip.decompress((OCDS / "uk-notices.jsonl.gz").read_bytes()).splitlines()
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Java that starts sooner and computes more slowly."""
PAGE = CHECKOUT / "docs" / "scale.md"
(OWN,) = re.findall(
    r"```yaml north-council.yaml\n(.*?)```", (CHECKOUT / "docs" / "own-pack.md").read_text("utf-8"), re.DOTALL
)

if not os.environ.get("CI"):  # there it must be installed
    pytest.importorskip("pyspark")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("Java is not installed", allow_module_level=True)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

from goodcommission.scan import spark as lake  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")  # PySpark's own


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Two workers, each with an executor in a process of its own."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("SPARK_WORKER_DIR", str(folder / "work"))
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        )
        session = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.executor.memory", "1g")
            .config("spark.driver.memory", "1g")
            .config("spark.driver.extraJavaOptions", QUICK)
            .config("spark.executor.extraJavaOptions", QUICK)
            .config("spark.ui.enabled", "false")
            .config("spark.local.dir", str(folder / "local"))
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped notices in two files, with all that can be wrong with a line."""
    place = tmp_path_factory.mktemp("lake")
    first = json.loads(LINES[0])
    wrong = [
        b"{",
        b'{"ocid": "a", "ocid": "b", "id": "1", "tag": ["tender"]}',
        b'{"ocid": "ocds-b5fd17-x", "id": "1", "title": "\xff"}',
        b'{"kind": "tender"}',
        b"[1, []]",
        b"   ",
        b"",
        json.dumps({**first, "tender": 5}).encode(),  # a copy, though with other content
        json.dumps({**first, "id": "tenders"}).encode(),
        json.dumps({**first, "id": "tenders"}).encode(),  # a copy, letter by letter
        json.dumps({one: value for one, value in first.items() if one != "id"}).encode(),
        json.dumps({one: value for one, value in first.items() if one != "id"}).encode(),  # no copy: it has no id
        json.dumps({"releases": [first, {**first, "id": "packed"}, {"id": "1"}], "publisher": {"name": "P"}}).encode(),
    ]  # fmt: skip
    half = len(LINES) // 2
    (place / "a.jsonl").write_bytes(b"\n".join([*LINES[:half], *wrong]) + b"\n")
    (place / "b.jsonl").write_bytes(b"\n".join([*LINES[half:], LINES[3], LINES[-1]]))
    return place


@pytest.fixture(scope="module")
def texts(spark: SparkSession, folder: Path) -> DataFrame:
    """Each line with its place; in four parts, in no order."""
    rows = [
        (name, number, bytearray(line))
        for name in ("b.jsonl", "a.jsonl")
        for number, line in enumerate((folder / name).read_bytes().split(b"\n"), 1)
    ]
    frame = spark.createDataFrame(rows, "file string, line int, value binary")
    return frame.repartition(4, "line")


Rows = tuple[pl.DataFrame, pl.DataFrame, list[tuple[Any, ...]]]
PLACE = ["file", "line", "pointer", "release"]


def here(folder: Path, **options: Any) -> Rows:
    """The tables of the single machine; files by their names alone."""
    found = scan_here([folder], jobs=1, **options)
    notices, rules = found.to_polars()
    errors = [(Path(one.file).name, one.line, one.pointer, one.kind, one.reason) for one in found.errors]
    return comparable(notices.with_columns(pl.col("file").str.split("/").list.last()), rules, errors)


def there(done: lake.SparkScan) -> Rows:
    """The same tables from Spark."""
    done.audited.persist()
    tables = [pl.DataFrame(one.toArrow()) for one in (done.notices, done.rules, done.rejected)]
    done.audited.unpersist()
    return comparable(tables[0], tables[1], tables[2].rows())


def comparable(notices: pl.DataFrame, rules: pl.DataFrame, errors: list[tuple[Any, ...]], by: Any = None) -> Rows:
    """Rows in an order that does not depend on numbers; the rules with the places of their notices."""
    by = by or PLACE
    assert notices["notice"].n_unique() == notices.height
    rules = rules.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    rules = notices.select("notice", *by).join(rules, on="notice").drop("notice")
    errors = [(*one[:4], re.sub(r"\S*/(?=[ab]\.jsonl)", "", one[4])) for one in errors]
    return notices.drop("notice").sort(by), rules.sort(*by, "pack", "rule"), sorted(errors, key=repr)


def same(left: Rows, right: Rows) -> None:
    assert left[0].equals(right[0]) and left[0].height
    assert left[1].equals(right[1]) and left[1].height
    assert left[2] == right[2]


def test_rows_are_those_of_the_single_machine(texts: DataFrame, folder: Path) -> None:
    found = there(lake.scan(texts, file="file", line="line"))
    same(found, here(folder))
    assert {kind for *_, kind, _ in found[2]} == {"malformed", "encoding", "duplicate", "other_standard", "wrong_shape"}


def test_files_in_one_row_are_cut_as_files_are(spark: SparkSession, folder: Path) -> None:
    whole = spark.read.text(str(folder), wholetext=True).selectExpr("value", "_metadata.file_name AS name")
    done = lake.scan(whole, file="name")
    assert done.notices.schema == lake.NOTICES_SCHEMA
    assert done.rules.schema == lake.RULES_SCHEMA
    assert done.rejected.schema == lake.REJECTED_SCHEMA
    same(there(done), here(folder))


def test_a_lost_executor_is_survived(spark: SparkSession, texts: DataFrame, folder: Path, tmp_path: Path) -> None:
    done = lake.scan(texts.mapInArrow(dies_once(tmp_path / "dead"), texts.schema), file="file", line="line")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "10")
    try:
        found = there(done)
    finally:
        spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    executor = int((tmp_path / "dead").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(executor, 0)
    same(found, here(folder))


def dies_once(trace: Path) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Kills its executor, a Java process, when some of the rows have been passed on."""

    def through(batches: Iterator[Any]) -> Iterator[Any]:
        for number, batch in enumerate(batches):
            if number == 1 and not trace.exists():
                daemon = Path(f"/proc/{os.getppid()}/stat").read_text()
                executor = int(daemon.rpartition(")")[2].split()[1])
                assert "java" in Path(f"/proc/{executor}/cmdline").read_text()
                trace.write_text(str(executor))
                os.kill(executor, signal.SIGKILL)
            yield batch

    return through


def test_packs_travel_with_their_changes(texts: DataFrame, folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN, "utf-8")
    change = ParameterChange("common", "medium_tier_from", 75_000.0)
    packs = load_packs(rules=[own], adjustments=[change])
    own.unlink()
    options: dict[str, Any] = {"as_of": dt.date(2026, 1, 31), "tier": "large", "regime": "scotland_2015"}
    found = there(lake.scan(texts, packs, file="file", line="line", **options))
    same(found, here(folder, packs=packs, **options))
    assert "north-council" in found[1]["pack"]
    assert set(found[0]["tier"]) == {"large"}


def test_a_worker_with_other_packs_or_another_version_refuses_to_work() -> None:
    plan = lake._plan(load_packs(), None, None, None)
    assert lake._judge(plan).packs.digest == load_packs().digest
    for other in (replace(plan, version="0.0.1"), replace(plan, digest="sha256:0"), replace(plan, rules=1)):
        with pytest.raises(ScanError, match="this worker"):
            lake._judge(other)


def test_structured_releases_are_audited_as_their_texts(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "a.jsonl").write_bytes(b"\n".join(LINES))
    spark.read.json(str(tmp_path / "notices" / "a.jsonl")).write.parquet(str(tmp_path / "parquet"))
    done = lake.scan(spark.read.parquet(str(tmp_path / "parquet")))
    done.audited.persist()
    tables = [pl.DataFrame(one.toArrow()) for one in (done.notices, done.rules, done.rejected)]
    done.audited.unpersist()
    notices, rules = scan_here([tmp_path / "notices"], jobs=1).to_polars()
    place = pl.lit(None, pl.String).alias("file"), pl.lit(1, pl.Int32).alias("line")
    left = comparable(tables[0], tables[1], tables[2].rows(), ["ocid", "release"])
    same(left, comparable(notices.with_columns(place), rules, [], ["ocid", "release"]))


def test_what_becomes_of_a_row_is_said(spark: SparkSession) -> None:
    lines = [
        '{"ocid": "b", "tender": {"zeta": null, "count": 1, "of": [1, null], "none": [], "big": 12345678}, "id": 7}',
        '{"ocid": "a", "tender": {"count": 2.5, "empty": {}, "big": 1e7}, "id": "x", "buyer": {"name": "A"}}',
        '{"ocid": "c", "buyer": "B"}',
        '{"ocid": "d",',
    ]
    texts = spark.createDataFrame([(one,) for one in lines], "value string").coalesce(1)
    frame = spark.read.json(texts.rdd.map(lambda row: row[0]))
    told = [bytes(row.text).decode() for row in lake._texts(frame, "value", None, None).collect()]
    assert told == [
        '{"id":"7","ocid":"b","tender":{"big":1.2345678E7,"count":1.0,"none":[],"of":[1,null]}}',
        '{"buyer":"{\\"name\\":\\"A\\"}","id":"x","ocid":"a","tender":{"big":1.0E7,"count":2.5}}',
        '{"buyer":"B","ocid":"c"}',
        '{"ocid": "d",',
    ]
    variants = texts.selectExpr("try_parse_json(value) AS value")
    told = [row.text and bytes(row.text).decode() for row in lake._texts(variants, "value", None, None).collect()]
    assert [json.loads(one) for one in told[:3]] == [json.loads(one) for one in lines[:3]]
    assert told[3] is None


def test_numbers_do_not_depend_on_how_the_work_is_divided(texts: DataFrame) -> None:
    def numbers(frame: DataFrame, **options: Any) -> list[int]:
        return sorted(row.notice for row in lake.scan(frame, **options).notices.select("notice").collect())

    one = numbers(texts.coalesce(1))  # places are not told: what has no id and is there twice is two notices
    assert one == numbers(texts)
    assert len(set(one)) == len(one)
    placed = numbers(texts, file="file", line="line")
    assert len(placed) == len(one)
    assert set(placed) < set(numbers(texts, file="file", line="line", unique=True))


def test_what_cannot_be_scanned_is_said_before_anything_runs(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("{}", 5, None)], "text string, number int, empty string")
    with pytest.raises(ScanError, match=r'no column "value".*text, number'):
        lake.scan(frame)
    with pytest.raises(ScanError, match='no column "path"'):
        lake.scan(frame, column="text", file="path")
    with pytest.raises(ScanError, match='"number" holds int'):
        lake.scan(frame, column="number")
    with pytest.raises(PackError, match="no pack"):
        lake.scan(frame, ["no-such-pack"], column="text")
    (row,) = lake.scan(frame, column="empty").rejected.collect()
    assert (row.kind, row.reason) == ("malformed", "this row has no text: it is null")


def test_the_code_of_the_page_runs(spark: SparkSession, folder: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks).replace("s3a://lake/notices/", f"{folder}/").replace("s3a://lake", str(tmp_path))
    names: dict[str, Any] = {"spark": spark}
    exec(compile(code, str(PAGE), "exec"), names)
    notices, rules, errors = (
        pl.read_parquet(tmp_path / "audited" / one / "*.parquet") for one in ("notices", "rules", "rejected")
    )
    expected = here(folder)
    assert notices.height == expected[0].height
    assert rules.height == expected[1].height
    assert errors.height == len(expected[2])
