"""Notices a second of a scan by Spark on this machine, with one worker and with two, beside the scan without Spark.

    python benchmarks/scan_spark.py               # 24,000 notices, each with amounts and dates of its own

Workers are processes of Spark's own (local-cluster), each with one core. A machine that does other work at the same
time makes the rates too low; the core-seconds that the processes used, from which costs are worked out, much less so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from scan import _tree, scanning, write_notices

CONTENTS = ("audited", "audited, no copies looked for", "both tables written")
_TICKS = os.sysconf("SC_CLK_TCK")


def used() -> float:
    """Core-seconds of this process and all that it started."""
    total = 0
    for one in _tree(os.getpid()):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and core-seconds."""
    start, before = time.perf_counter(), used()
    work()
    return time.perf_counter() - start, used() - before


def by_spark(path: Path, folder: Path, workers: int, runs: int) -> dict[str, list[tuple[float, float]]]:
    from pyspark.sql import SparkSession

    from goodcommission.scan.spark import scan

    spark = (
        SparkSession.builder.master(f"local-cluster[{workers},1,2048]")
        .config("spark.executor.memory", "2g")
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.local.dir", str(folder))
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.files.maxPartitionBytes", str(path.stat().st_size // 8 + 1))
        .getOrCreate()
    )
    try:
        texts = spark.read.text(str(path), lineSep="\n")

        def audited(unique: bool) -> None:
            scan(texts, unique=unique).audited.write.format("noop").mode("overwrite").save()

        def written() -> None:
            done = scan(texts)
            done.audited.persist()
            done.notices.write.mode("overwrite").parquet(str(folder / "notices"))
            done.rules.write.mode("overwrite").parquet(str(folder / "rules"))
            done.audited.unpersist(blocking=True)

        works = dict(zip(CONTENTS, (lambda: audited(False), lambda: audited(True), written), strict=True))
        audited(True)  # so that the workers have started, have read the packs and know the commonest notices
        return {name: [measured(work) for _ in range(runs)] for name, work in works.items()}
    finally:
        spark.stop()


def by_itself(path: Path, folder: Path, jobs: int, runs: int) -> list[tuple[float, float]]:
    command = scanning(path, folder / "scan", "--jobs", str(jobs))
    return [measured(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)) for _ in range(runs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notices", type=int, default=24_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        os.environ["SPARK_WORKER_DIR"] = str(folder / "workers")
        path = folder / "notices.jsonl"
        write_notices(path, given.notices, vary=True)
        size = path.stat().st_size / given.notices
        load = os.getloadavg()[0]
        print(f"{given.notices:,} notices of {size:,.0f} bytes, {os.cpu_count()} cores, median of {given.runs}")
        print(f"{'':48}{'notices/s':>10}{'core-ms a notice':>20}")
        for count in (1, 2):
            rows = {f"scan, {count} process{'es' * (count > 1)}": by_itself(path, folder, count, given.runs)}
            for name, taken in by_spark(path, folder, count, given.runs).items():
                rows[f"Spark, {count} worker{'s' * (count > 1)}: {name}"] = taken
            for name, taken in rows.items():
                rate = given.notices / statistics.median(one for one, _ in taken)
                cost = 1000 * statistics.median(one for _, one in taken) / given.notices
                print(f"{name:48}{rate:10,.0f}{cost:20.2f}", flush=True)
        print(f"Work that waited for a core, on average of a minute: {load:.1f} before, {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
