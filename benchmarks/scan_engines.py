"""DuckDB and Polars for the columns of a scan, on the same notices and the same comparisons.

    pip install duckdb && python benchmarks/scan_engines.py

Reading: DuckDB loads the JSON with the types that it finds, and that is all; a scan parses with orjson, checks the text
and reads the facts. Answering: each comparison of a fact with a number, a date or a text in the shipped rules, and for
rules that compare the same the key that the comparisons make, as one statement of DuckDB over an Arrow table and as
columns of Polars.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"

import duckdb
import polars as pl
from scan import write_notices

from goodcommission.packs.loading import load_packs
from goodcommission.scan.columns import Batch, Key, Part
from goodcommission.scan.inputs import Chunk, Rejection, Text
from goodcommission.scan.judging import Judge
from goodcommission.scan.notices import processes

SIGNS = {"_==_": "=", "_!=_": "<>", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}


def microseconds(run: Callable[[], Any], count: int, runs: int) -> float:
    """The median of what a run costs for each notice, in seconds of a core."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return statistics.median(taken) / count * 1e6


def comparisons(judge: Judge, batch: Batch) -> dict[int, Part]:
    """The comparisons of one fact that some notice states with what is written out."""
    return {
        number: part
        for number, part in enumerate(judge.columns.parts)
        if part.op in SIGNS
        and part.args[0].op == "fact"
        and part.args[1].op == "const"
        and batch.fact(part.args[0].value) is not None
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=8_000, help="notices")
    parser.add_argument("--runs", type=int, default=3, help="runs of each")
    given = parser.parse_args()
    count, runs = given.count, given.runs
    database = duckdb.connect(config={"threads": 1})
    judge = Judge(load_packs())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "notices.jsonl"
        write_notices(path, count, vary=True)
        load = f"CREATE OR REPLACE TABLE notices AS SELECT * FROM read_json_auto('{path}')"

        def read() -> list[Any]:
            lines = path.read_bytes().splitlines()
            chunk = Chunk(0, tuple(Text("notices.jsonl", number, line) for number, line in enumerate(lines, 1)))
            return [judge.read(one[0]) for one in processes(chunk) if not isinstance(one, Rejection)]

        print(f"{count:,} notices, one thread, microseconds of a core for each, median of {runs}")
        print(
            f"  {'read: DuckDB, the types it finds':52}{microseconds(lambda: database.execute(load), count, runs):8.1f}"
        )
        print(f"  {'read: orjson, checks and the mapping':52}{microseconds(read, count, runs):8.1f}")
        rows = read()
    batch = Batch(judge.columns, [row.values for row in rows])
    asked = comparisons(judge, batch)
    facts = pl.DataFrame({name: batch.fact(name) for name in sorted({part.args[0].value for part in asked.values()})})
    places = [[number for number in one.key.atoms if number in asked] for one in judge.asked]
    places = [some for some in places if some]
    arrow = facts.to_arrow()
    database.register("facts", arrow)
    answers = []
    for number, part in asked.items():
        fact, sign, value = part.args[0].value, SIGNS[part.op], _sql(part.args[1].value)
        answers.append(f'CASE WHEN "{fact}" {sign} {value} THEN 1 WHEN "{fact}" IS NULL THEN 0 ELSE 2 END AS a{number}')
    keys = [
        "+".join(f"a{number}::BIGINT*{3**at}" for at, number in enumerate(some)) + f" AS k{index}"
        for index, some in enumerate(places)
    ]
    statement = f"SELECT {', '.join(keys)} FROM (SELECT {', '.join(answers)} FROM facts)"

    def by_polars() -> None:
        fresh = Batch(judge.columns, [])
        fresh.height, fresh.values = batch.height, batch.values
        fresh._facts.update({name: facts[name] for name in facts.columns})
        fresh.prepare([Key(tuple(some), (), ()) for some in places])
        for some in places:
            total: Any = 0
            for at, number in enumerate(some):
                total = total + fresh._digits[number].cast(pl.Int64) * 3**at

    print(f"  {len(asked)} comparisons, {len(places)} keys")
    print(
        f"  {'answer: DuckDB':52}{microseconds(lambda: database.execute(statement).to_arrow_table(), count, runs):8.1f}"
    )
    print(f"  {'answer: Polars':52}{microseconds(by_polars, count, runs):8.1f}")


def _sql(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


if __name__ == "__main__":
    main()
