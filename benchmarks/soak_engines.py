"""Are the two engines one? Audits from several threads in one process: mismatches, crashes, memory and speed.

    python benchmarks/soak_engines.py --audits 1000000 --threads 8
    python benchmarks/soak_engines.py --seconds 120 --threads 8

With ``--audits``, so many whole audits on each engine, through the public ``audit()``: a drawn description of up to a
dozen facts, one shipped pack of rules and one of the packs of patterns drawn for the soak. With ``--seconds``, the
engines alone, on larger sets of patterns and drawn verdicts. Exits with 1 if the engines ever differ or an audit fails.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import datetime as dt
import faulthandler
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from variants import examples

from goodcommission import Packs, audit, load_packs
from goodcommission.description.facts import dictionary
from goodcommission.engine import durable
from goodcommission.engine.patterns import PatternSet, compile_patterns, evaluate
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.model import Pattern

RULES = tuple(f"R-{number}" for number in range(1, 81))
GROUPS: dict[str, str | None] = {id: f"g{index % 10}" if index < 40 else None for index, id in enumerate(RULES[:-2])}
_GROUP_IDS = tuple(f"g{number}" for number in range(11))
VERDICTS = ("fail",) * 6 + ("pass",) * 5 + ("unknown",) * 3 + ("not_applicable", "not_yet_due")


def drawn(
    size: int, chance: random.Random, rules: Sequence[str] = RULES, groups: Sequence[str] = _GROUP_IDS, id: str = "X"
) -> list[dict[str, Any]]:
    """Patterns with chains, negation on verdicts and conclusions, and all clauses."""
    patterns: list[dict[str, Any]] = []

    def literal() -> dict[str, Any]:
        kind = chance.random()
        if patterns and kind < 0.3:
            return {"conclusion": chance.choice(patterns[-6:])["concludes"]}
        if kind < 0.45 and groups:
            return {"group": chance.choice(groups), "verdict": chance.choice(("fail", "pass"))}
        return {"rule": chance.choice(rules), "verdict": chance.choice(("fail", "fail", "pass", "not_applicable"))}

    def literals(least: int, most: int) -> list[dict[str, Any]]:
        return [literal() for _ in range(chance.randint(least, most))]

    for number in range(size):
        clauses: dict[str, Any] = {}
        if number % 7 and chance.random() < 0.5:
            clauses["all_of"] = [{"conclusion": patterns[-1]["concludes"]}]
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
        about = {"id": f"{id}-{number * 31 % 97}", "title": "Drawn", "severity": "medium", "why": "For the soak."}
        patterns.append({**about, "concludes": f"risk.c{number}", **clauses})
    return chance.sample(patterns, size)


def compiled(size: int, chance: random.Random) -> PatternSet:
    """Drawn patterns, ready for the engines."""
    return compile_patterns([Pattern.model_validate(one) for one in drawn(size, chance)], GROUPS)


def resident() -> float:
    """Memory in use, in MB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


# --- Whole audits ------------------------------------------------------------------------------------------------


def choices(count: int, chance: random.Random) -> list[Packs]:
    """So many choices of packs: a shipped pack of rules each, and a pack of patterns drawn over them."""
    rules = {
        one.pack.id: ([rule.id for rule in one.pack.rules], sorted(one.pack.groups))
        for one in load_packs().packs
        if 10 <= len(one.pack.rules) <= 16 and not one.pack.law
    }
    with tempfile.TemporaryDirectory() as folder:
        chosen = []
        for number, home in zip(range(count), _again(sorted(rules)), strict=False):
            ids, groups = rules[home]
            pack = {
                "pack": f"soak-{number}",
                "version": "1.0.0",
                "title": "Drawn",
                "about": "For the soak.",
                "sources": {"none": {"title": "None", "year": 2026, "kind": "guidance"}},
                "patterns": [
                    {key: value for key, value in one.items() if key != "when"}
                    | ({"when": "process.route == 'open_tender'"} if "when" in one else {})
                    | {"sources": [{"source": "none", "section": "none"}], "cases": []}
                    for one in drawn(chance.randint(4, 9), chance, [*ids, "R-80"], groups, "Y")
                ],
            }
            place = Path(folder, f"soak-{number}.yaml")
            place.write_text(json.dumps(pack), "utf-8")
            chosen.append(load_packs([home, f"soak-{number}"], rules=[place]))
        return chosen


def _again(items: Sequence[Any]) -> Iterator[Any]:
    while True:
        yield from items


class Descriptions:
    """Small descriptions: some facts of a shipped example, and some that the rules ask for, drawn anew."""

    def __init__(self, packs: Sequence[Packs]) -> None:
        plains = [one for one in examples() if one["kind"] != "case"]
        self._stated = [(one["kind"], list(_stated(one))) for one in plains]
        self._asked = {
            one: sorted({name for rule in one.rules for name in rule.reads if name in dictionary()} - _BASICS)
            for one in packs
        }

    def draw(self, packs: Packs, chance: random.Random) -> dict[str, Any]:
        """One description; now and then it is not valid."""
        kind, facts = chance.choice(self._stated)
        plain: dict[str, Any] = {"kind": kind, "stage": chance.choice(("draft", "published", "awarded", "live"))}
        for name, value in chance.sample(facts, chance.randint(1, 4)):
            _put(plain, name, value)
        asked = self._asked[packs]
        for name in (*_ALWAYS, *chance.sample(asked, chance.randint(len(asked) // 3, len(asked)))):
            value = _value(name, chance)
            if value is not None:
                _put(plain, name, value)
        return plain


_BASICS = frozenset({"kind", "stage"})
_ALWAYS = ("value.total", "process.route")


def _stated(example: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in dictionary():
        value: Any = example
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and name not in _BASICS:
            yield name, float(value) if isinstance(value, Decimal) else value


def _put(plain: dict[str, Any], name: str, value: Any) -> None:
    *sections, last = name.split(".")
    for section in sections:
        plain = plain.setdefault(section, {})
    plain[last] = value


def _value(name: str, chance: random.Random) -> Any:
    fact = dictionary()[name]
    match fact.type:
        case "bool":
            return chance.random() < 0.5
        case "int":
            return chance.randint(0, 200)
        case "double":
            return chance.randint(0, 100) / 100
        case "money":
            return {"amount": chance.choice((0, 9_000, 60_000, 800_000, 9_000_000)), "currency": "GBP"}
        case "date":
            return (dt.date(2025, 1, 1) + dt.timedelta(days=chance.randrange(900))).isoformat()
        case "enum":
            return chance.choice(fact.values)
        case "list_enum":
            return chance.sample(fact.values, chance.randint(0, 2))
        case "text":
            return chance.choice(("Said in a few words.", "none" if fact.may_be_none else "Said."))
        case _:
            return None


# --- The run -----------------------------------------------------------------------------------------------------


def whole_audits(count: int, threads: int, seed: int, seconds: float) -> int:
    """So many audits on each engine; 1 if they ever differ or one fails."""
    packs = choices(8, random.Random(seed))
    descriptions = Descriptions(packs)
    faults: list[str] = []
    end = time.monotonic() + seconds

    def batch(number: int) -> Counter[str]:
        chance, counts = random.Random(f"{seed} {number}"), Counter[str]()
        while counts["audits"] < min(_BATCH, count) and time.monotonic() < end:
            chosen = chance.choice(packs)
            plain = descriptions.draw(chosen, chance)
            try:
                first = audit(plain, chosen, engine="durable")
                second = audit(plain, chosen, engine="reference")
            except DescriptionError:
                counts["not valid"] += 1
                continue
            except Exception as error:  # whatever goes wrong is what is looked for
                faults.append(f"{error!r}: {json.dumps(plain)}")
                continue
            finally:
                counts["drawn"] += 1
            counts["audits"] += 1
            counts.update(result.verdict for result in second.results)
            counts.update(pattern.outcome for pattern in second.patterns)
            # Where durable-rules concludes something else, its report says so; all the rest is compared here.
            same = all(getattr(first, part) == getattr(second, part) for part in ("score", "results", "patterns"))
            if (first.engine.name, second.engine.name, first.engine.differences, same) != _AS_ONE:
                counts["mismatches"] += 1
                faults.append(f"{first.engine}, {second.engine}: {json.dumps(plain)}")
        return counts

    batches = max(count // _BATCH, 1)
    total: Counter[str] = Counter()
    print(f"{'audits on each':>14}{'MB':>8}{'minutes':>9}{'mismatches':>12}", flush=True)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for step in range(10):
            for counts in pool.map(batch, range(batches * step // 10, batches * (step + 1) // 10)):
                total.update(counts)
            minutes = (time.monotonic() - began) / 60
            print(f"{total['audits']:>14,}{resident():>8.1f}{minutes:>9.1f}{total['mismatches']:>12}", flush=True)
    verdicts = ", ".join(f"{total[one]:,} {one.replace('_', ' ')}" for one in ("fail", "pass", "unknown"))
    outcomes = ", ".join(f"{total[one]:,} {one}" for one in ("concluded", "open", "excluded"))
    cpu = time.process_time() / max(total["audits"], 1) / 2 * 1e3
    print(f"{threads} threads, {cpu:.2f} ms of CPU an audit; {total['not valid']:,} drawn descriptions were not valid")
    print(f"verdicts: {verdicts}; patterns: {outcomes}; rulesets: {len(durable._process()._built)}")
    print(f"{total['mismatches']} mismatches, {len(faults) - total['mismatches']} failures")
    for fault in faults[:10]:
        print(fault)
    return 1 if faults or total["audits"] < batches * min(_BATCH, count) else 0


_BATCH = 500
_AS_ONE = ("durable", "reference", (), True)


def main() -> int:
    """Run the soak."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--audits", type=int, help="whole audits, so many on each engine")
    options.add_argument("--seconds", type=float, default=120, help="at most, where --audits is given")
    options.add_argument("--threads", type=int, default=8)
    options.add_argument("--sets", type=int, default=12, help="different pattern sets, of the engines alone")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    faulthandler.enable()
    if chosen.audits is not None:
        return whole_audits(chosen.audits, chosen.threads, chosen.seed, chosen.seconds)
    return engines_alone(chosen)


def engines_alone(chosen: argparse.Namespace) -> int:
    """The engines without the audit around them."""
    chance = random.Random(chosen.seed)
    sets = [compiled(chance.choice((10, 20, 31, 82)), chance) for _ in range(chosen.sets)]
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
