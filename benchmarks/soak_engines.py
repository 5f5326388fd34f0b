"""Audits random pattern sets on both engines from several threads, and reports differences, memory and speed.

    python benchmarks/soak_engines.py --seconds 120 --threads 8

Exits with 1 if the engines ever differ.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import random
import sys
import time
from collections import Counter
from typing import Any

from goodcommission.engine import durable
from goodcommission.engine.patterns import PatternSet, compile_patterns, evaluate
from goodcommission.packs.model import Pattern

RULES = tuple(f"R-{number}" for number in range(1, 81))
GROUPS: dict[str, str | None] = {id: f"g{index % 10}" if index < 40 else None for index, id in enumerate(RULES[:-2])}
VERDICTS = ("fail",) * 6 + ("pass",) * 5 + ("unknown",) * 3 + ("not_applicable", "not_yet_due")


def drawn(size: int, chance: random.Random) -> PatternSet:
    """A pattern set with chains, negation on verdicts and conclusions, and all clauses."""
    patterns: list[Pattern] = []

    def literal() -> dict[str, Any]:
        kind = chance.random()
        if patterns and kind < 0.3:
            return {"conclusion": chance.choice(patterns[-6:]).concludes}
        if kind < 0.45:
            return {"group": f"g{chance.randrange(11)}", "verdict": chance.choice(("fail", "pass"))}
        return {"rule": chance.choice(RULES), "verdict": chance.choice(("fail", "fail", "pass", "not_applicable"))}

    def literals(least: int, most: int) -> list[dict[str, Any]]:
        return [literal() for _ in range(chance.randint(least, most))]

    for number in range(size):
        clauses: dict[str, Any] = {}
        if number % 7 and chance.random() < 0.5:
            clauses["all_of"] = [{"conclusion": patterns[-1].concludes}]
        elif chance.random() < 0.4:
            clauses["all_of"] = literals(1, 2)
        if not clauses or chance.random() < 0.3:
            clauses["any_of"] = literals(2, 5)
        if chance.random() < 0.3:
            clauses["at_least"] = {"count": chance.randint(1, 3), "of": literals(5, 10)}
        if chance.random() < 0.4:
            clauses["unless"] = literals(1, 2)
        if chance.random() < 0.3:
            clauses["when"] = "true"
        about = {"id": f"X-{number * 31 % 97}", "title": "Drawn", "severity": "medium", "why": "For the soak."}
        patterns.append(Pattern.model_validate({**about, "concludes": f"risk.c{number}", **clauses}))
    return compile_patterns(chance.sample(patterns, size), GROUPS)


def resident() -> float:
    """Memory in use, in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def main() -> int:
    """Run the soak."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--threads", type=int, default=8)
    options.add_argument("--sets", type=int, default=12, help="different pattern sets")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    sets = [drawn(chance.choice((10, 20, 31, 82)), chance) for _ in range(chosen.sets)]
    durable.RULESETS = 10_000  # type: ignore[misc]
    end = time.monotonic() + chosen.seconds

    def audits(seed: int) -> tuple[Counter[str], float, float, float]:
        mine, engine = random.Random(seed), durable.DurableEngine()
        counts: Counter[str] = Counter()
        reference_time = durable_time = longest = 0.0
        while time.monotonic() < end:
            patterns = mine.choice(sets)
            verdicts: Any = {id: (mine.choice(VERDICTS), mine.random() < 0.1) for id in GROUPS}
            gates = {one.id: mine.choice((True, True, False, None)) for one in patterns.order if one.when is not None}
            began = time.thread_time()
            expected = {one.id for one in evaluate(patterns, verdicts, gates) if one.outcome == "concluded"}
            between = time.thread_time()
            counts["different"] += engine.evaluate(patterns, verdicts, gates) != expected
            durable_time += time.thread_time() - between
            reference_time += between - began
            longest = max(longest, between - began)
            counts["audits"] += 1
            counts["patterns"] += len(patterns.order)
            counts["concluded"] += len(expected)
        return counts, reference_time, durable_time, longest

    for patterns in sets:
        durable.DurableEngine().evaluate(patterns, {}, {})
    before = resident()
    with concurrent.futures.ThreadPoolExecutor(chosen.threads) as pool:
        results = list(pool.map(audits, range(chosen.threads)))
    total: Counter[str] = Counter()
    for counts, *_ in results:
        total.update(counts)
    number = total["audits"]
    print(f"{number} audits, {total['patterns'] / number:.0f} patterns each, {chosen.threads} threads")
    print(f"{total['concluded'] / total['patterns']:.0%} concluded, {total['different']} different")
    reference, slowest = sum(one[1] for one in results) / number, max(one[3] for one in results)
    print(f"reference {reference * 1e3:.2f} ms an audit, {slowest * 1e3:.0f} ms at most (CPU)")
    print(f"durable-rules {sum(one[2] for one in results) / number * 1e3:.2f} ms an audit (CPU)")
    print(f"resident {before:.0f} MB before, {resident():.0f} MB after")
    return 1 if total["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
