"""Audits many different descriptions from several threads: does the process grow, hang or crash?

    python benchmarks/memory_soak.py

Exits with 1 if an audit fails or the engines differ; a hang ends with the stacks of all threads.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import faulthandler
import itertools
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from variants import variants

from goodcommission import audit, load_packs


def resident() -> float:
    """Memory in use, in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def main() -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audits", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--engine", choices=("auto", "durable", "reference"), default="auto")
    parser.add_argument("--hang-after", type=float, default=900, help="seconds until a hang is taken for one")
    chosen = parser.parse_args()
    faulthandler.dump_traceback_later(chosen.hang_after, exit=True)
    packs = load_packs()
    steps = 10
    engines: set[str] = set()
    faults: list[str] = []

    def one(plain: Any) -> None:
        try:
            report = audit(plain, packs, engine=chosen.engine)
        except Exception as error:  # whatever goes wrong is what is looked for
            faults.append(repr(error))
            return
        engines.add(report.engine.name)
        faults.extend(report.engine.differences)

    drawn: Iterable[Any] = (plain for plain, _ in variants(chosen.audits, seed=7))
    print(f"{'audits':>8}{'MB':>8}")
    began, sizes = time.monotonic(), []
    with concurrent.futures.ThreadPoolExecutor(chosen.threads) as pool:
        for step in range(1, steps + 1):
            list(pool.map(one, itertools.islice(drawn, chosen.audits // steps)))
            sizes.append(resident())
            print(f"{step * (chosen.audits // steps):>8}{sizes[-1]:>8.1f}", flush=True)
    rate = chosen.audits / (time.monotonic() - began)
    print(
        f"{chosen.threads} threads, engine {'/'.join(sorted(engines))}: {rate:,.0f} audits a second with drawing them"
    )
    print(f"from the second tenth to the last: {sizes[-1] - sizes[1]:+.1f} MB; {len(faults)} faults")
    for fault in faults[:10]:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
