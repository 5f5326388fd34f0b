"""Audits a second in one process on one core, with all packs, on descriptions that all differ.

    python benchmarks/throughput.py

Each figure is the median of several fresh processes, taken in turns, by the seconds of a core that they used. A
description is audited once in a process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from variants import EXAMPLES, variants

WARM_UP = 200
MEASURES = (
    "validation alone",
    "reference, the tender again",
    "reference, from a document",
    "reference, from a dict",
    "durable, from a document",
    "durable, from a dict",
)


def measure(what: str, count: int, seed: int) -> float:
    """How many a second, in this process."""
    from goodcommission import audit, load_packs, read_description
    from goodcommission.description.model import Description

    packs = load_packs()
    engine, _, form = what.partition(", ")
    form = form.removeprefix("from a ")
    run: Callable[[Any, Any], object]
    if what == "validation alone":

        def run(plain: Any, document: Any) -> object:
            return Description.model_validate(plain)

    elif form == "dict":

        def run(plain: Any, document: Any) -> object:
            return audit(plain, packs, engine=engine)  # type: ignore[arg-type]

    else:

        def run(plain: Any, document: Any) -> object:
            return audit(document, packs, engine=engine)  # type: ignore[arg-type]

    if form == "the tender again":
        tender = read_description(EXAMPLES / "tender.json")
        drawn: list[tuple[Any, Any]] = [({}, tender)] * (WARM_UP + count)
    else:
        drawn = list(variants(WARM_UP + count, seed))
    for plain, document in drawn[:WARM_UP]:
        run(plain, document)
    began = time.process_time()
    for plain, document in drawn[WARM_UP:]:
        run(plain, document)
    return count / (time.process_time() - began)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="descriptions in each process")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=MEASURES, help="measure this alone, in this process")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if chosen.one:
        print(json.dumps(measure(chosen.one, chosen.count, chosen.seed)))
        return 0
    from goodcommission.engine.durable import available

    installed, reason = available()
    measures = [what for what in MEASURES if installed or not what.startswith("durable")]
    if not installed:
        print(f"Without durable-rules: {reason}")
    figures: dict[str, list[float]] = {what: [] for what in measures}
    for number in range(chosen.rounds):
        for what in measures:
            options = ["--one", what, "--count", str(chosen.count), "--seed", str(chosen.seed + number)]
            run = subprocess.run([sys.executable, __file__, *options], check=True, capture_output=True, text=True)
            figures[what].append(json.loads(run.stdout))
    alone = statistics.median(figures["validation alone"])
    print(f"{'':28}{'a second':>10}{'ms each':>10}{'ratio':>8}   slowest and fastest round")
    for what, rates in figures.items():
        rate = statistics.median(rates)
        spread = f"{min(rates):,.0f} to {max(rates):,.0f}"
        print(f"{what:28}{rate:>10,.0f}{1000 / rate:>10.2f}{alone / rate:>8.1f}   {spread}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
