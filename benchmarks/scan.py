"""Notices a second of a scan, beside what only parses them, only counts their fields, or lints them with 20 rules.

    python benchmarks/scan.py                     # the rates and their ratios, on 120,000 notices
    python benchmarks/scan.py --memory            # the largest memory of scans of 12,000, 120,000 and 1,200,000
    python benchmarks/scan.py --profile           # where the time of one process goes

The notices are the 120 real ones of tests/fixtures/ocds again and again, each with an ocid and an id of its own, and
with ``--vary`` with amounts and dates of its own as well. The commands take turns in one run; a figure is the median.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import gzip
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cold_start import HERE, SPECTRAL, spectral

NOTICES = HERE.parent / "tests" / "fixtures" / "ocds" / "uk-notices.jsonl.gz"
LINTED = 60
_AMOUNT = re.compile(rb'("amount": ?)(\d+(?:\.\d+)?)')
_DAY = re.compile(rb'"(20\d\d-\d\d-\d\d)(?=[T"])')


def write_notices(path: Path, count: int, *, vary: bool = False, seed: int = 1) -> None:
    """So many notices, one a line."""
    with gzip.open(NOTICES) as file:
        lines = [line.rstrip(b"\n") for line in file]
    own = [re.search(rb'"ocid": ?"([^"]+)"', line)[1] for line in lines]  # type: ignore[index]
    chance = random.Random(seed)
    with path.open("wb") as file:
        for number in range(count):
            line, ocid = lines[number % len(lines)], own[number % len(lines)]
            line = line.replace(ocid, ocid + b"-%d" % number)
            if vary:
                factor, shift = chance.uniform(0.3, 3), dt.timedelta(days=chance.randrange(-300, 300))
                line = _AMOUNT.sub(lambda found, by=factor: found[1] + b"%.2f" % (float(found[2]) * by), line)
                line = _DAY.sub(lambda found, by=shift: b'"' + _moved(found[1], by), line)
            file.write(line + b"\n")


def _moved(day: bytes, by: dt.timedelta) -> bytes:
    with contextlib.suppress(ValueError):
        return (dt.date.fromisoformat(day.decode()) + by).isoformat().encode()
    return day


def parsing(path: Path) -> str:
    """The floor: nothing but parsing, on one core."""
    return f"import orjson\nfor line in open({str(path)!r}, 'rb'): orjson.loads(line)"


def counting(path: Path) -> str:
    """What OCP's Cardinal does: the coverage of each field."""
    return f"import ocdscardinal\nocdscardinal.coverage({str(path)!r})"


def scanning(path: Path, out: Path, *more: str) -> list[str]:
    """A scan as its users run it."""
    return [sys.executable, "-m", "goodcommission", "scan", str(path), "--output", str(out), "--force", *more]


def seconds(command: Sequence[str]) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def linting(folder: Path) -> float | None:
    """Notices a second that Spectral lints with 20 trivial rules; None where there is no npm."""
    if spectral() is None:
        return None
    files = []
    with gzip.open(NOTICES) as lines:
        for number, line in zip(range(LINTED), lines, strict=False):
            files.append(folder / f"{number}.json")
            files[-1].write_bytes(line)
    program = SPECTRAL / "node_modules" / ".bin" / "spectral"
    command = [
        str(program),
        "lint",
        "--quiet",
        "--fail-severity",
        "error",
        "--ruleset",
        str(HERE / "spectral-ruleset.yaml"),
    ]
    start = time.perf_counter()
    subprocess.run([*command, *map(str, files)], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return LINTED / (time.perf_counter() - start)


def rates(count: int, runs: int, vary: bool) -> None:
    """Print the rates and their ratios."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        path = folder / "notices.jsonl"
        write_notices(path, count, vary=vary)
        python = [sys.executable, "-c"]
        commands: dict[str, Callable[[], Sequence[str]]] = {
            "parsed by orjson, one core": lambda: [*python, parsing(path)],
            "fields counted by ocdscardinal.coverage": lambda: [*python, counting(path)],
            "scanned": lambda: scanning(path, folder / "scan"),
            "scanned, without the table of rules": lambda: scanning(path, folder / "scan", "--without-rules"),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                taken[name].append(seconds(command()))
        found = {name: count / statistics.median(some) for name, some in taken.items()}
        if (linted := linting(folder)) is not None:
            found["linted by Spectral, 20 trivial rules"] = linted
        scanned = found["scanned"]
        print(
            f"{count:,} notices of {path.stat().st_size / count:,.0f} bytes, {os.cpu_count()} cores, median of {runs}"
        )
        print(f"{'':44}{'notices/s':>12}{'scan ÷ this':>14}")
        for name, rate in found.items():
            print(f"{name:44}{rate:12,.0f}{scanned / rate:14.2f}")


# --- Memory ------------------------------------------------------------------------------------------------------


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _memory(pid: int) -> int:
    """Kilobytes of a process and those that it started, what they share counted once (Pss)."""
    total = 0
    for one in _tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


def memory(counts: Sequence[int]) -> None:
    """Print the largest memory of scans of different sizes."""
    print(f"{'notices':>12}{'seconds':>10}{'notices/s':>12}{'largest memory':>18}")
    with tempfile.TemporaryDirectory() as work:
        for count in counts:
            path = Path(work) / "notices.jsonl"
            write_notices(path, count)
            start, most = time.perf_counter(), 0
            process = subprocess.Popen(scanning(path, Path(work) / "scan"), stdout=subprocess.DEVNULL)
            while process.poll() is None:
                most = max(most, _memory(process.pid))
                time.sleep(0.2)
            taken = time.perf_counter() - start
            if process.returncode:
                sys.exit("the scan failed")
            print(f"{count:12,}{taken:10.1f}{count / taken:12,.0f}{most / 1024:15,.0f} MB")
            shutil.rmtree(Path(work) / "scan")


# --- Where the time goes -----------------------------------------------------------------------------------------


def profile(count: int, vary: bool) -> None:
    """Print what each step of one process costs."""
    import orjson

    from goodcommission.packs.loading import load_packs
    from goodcommission.scan.inputs import Chunk, Rejection, Text
    from goodcommission.scan.judging import Judge
    from goodcommission.scan.notices import processes
    from goodcommission.scan.summary import partial

    packs = load_packs()
    judge = Judge(packs)
    spent: Counter[str] = Counter()

    @contextlib.contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        spent[name] += time.process_time() - start

    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "notices.jsonl"
        write_notices(path, count, vary=vary)
        lines = path.read_bytes().splitlines()
        chunk = Chunk(0, tuple(Text("notices.jsonl", number + 1, line) for number, line in enumerate(lines)))
        for _ in range(2):  # the first time fills what is remembered
            spent.clear()
            with timed("parse (orjson)"):
                for line in lines:
                    orjson.loads(line)
            with timed("and check each text"):
                for _entry in processes(chunk):
                    pass
            with timed("and read the facts (mapping)"):
                rows = [judge.read(one[0]) for one in processes(chunk) if not isinstance(one, Rejection)]
            with timed("judge (columns, classes, score, tables)"):
                tables = judge.judge(rows)
            with timed("sum up"):
                partial(tables.notices, tables.rules, packs).to_bytes()
            with timed("write Parquet"):
                tables.notices.write_parquet(Path(work) / "notices.parquet")
                tables.rules.write_parquet(Path(work) / "rules.parquet")
    for more, less in (("read the facts (mapping)", "and check each text"), ("check each text", "parse (orjson)")):
        spent[f"and {more}"] -= spent[less]
    total = sum(spent.values())
    print(f"{count:,} notices in one process, microseconds of a core for each")
    for name, value in spent.items():
        print(f"  {name:44}{value / count * 1e6:8.1f}{value / total:8.0%}")
    print(f"  {'in all':44}{total / count * 1e6:8.1f}")


def main() -> None:
    """Read the options and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=120_000, help="notices")
    parser.add_argument("--runs", type=int, default=3, help="runs of each command")
    parser.add_argument("--vary", action="store_true", help="give each notice amounts and dates of its own")
    parser.add_argument("--memory", action="store_true", help="measure memory instead")
    parser.add_argument("--counts", type=int, nargs="+", default=[12_000, 120_000, 1_200_000], help="with --memory")
    parser.add_argument("--profile", action="store_true", help="show where the time goes instead")
    given = parser.parse_args()
    if given.memory:
        memory(given.counts)
    elif given.profile:
        profile(min(given.count, 10_000), given.vary)
    else:
        rates(given.count, given.runs, given.vary)


if __name__ == "__main__":
    main()
