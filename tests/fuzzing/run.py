"""Looks for hostile input for as long as you like: ``python tests/fuzzing/run.py --door all --minutes 30``.

Each door gets its share of the minutes, half of it with atheris, which looks for input that reaches new code, and half
with mutations of the examples alone, which are faster where most of the work is done in C. Without atheris (it is not
among the dependencies: ``pip install atheris``) all of it goes to the mutations. What is found is written below
``--findings``, once for each place in the code, and a line for each door says how much was tried.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent)]

MOST_SECONDS = 2.0
MOST_BYTES = 1_500_000_000
"""Of address space above what the doors need before the first input."""


class Finder:
    """Tries inputs at one door, and keeps what breaks a promise."""

    def __init__(self, door: str, findings: Path) -> None:
        from fuzzing.doors import DOORS, warm

        warm([door])
        self.name, self.door = door, DOORS[door]
        self.folder = findings / door
        self.tried = 0
        self.places: set[str] = set()
        self.slowest = 0.0
        self.current = findings / f"{door}.current"
        findings.mkdir(parents=True, exist_ok=True)

    def __call__(self, data: bytes) -> None:
        """One input. It is on the disk while it is tried, for what ends this process or never comes back."""
        self.tried += 1
        self.current.write_bytes(data)
        begun = time.process_time()
        try:
            self.door(data)
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            self.keep(data, f"{type(error).__name__} {Path(at.filename).name}:{at.lineno}", traceback.format_exc())
        spent = time.process_time() - begun
        self.slowest = max(self.slowest, spent)
        if spent > MOST_SECONDS:
            self.keep(data, "slow", f"{spent:.1f} s for {len(data)} bytes")
        self.current.unlink()

    def keep(self, data: bytes, place: str, said: str) -> None:
        """Write an input down, the first for each place."""
        if place in self.places:
            return
        self.places.add(place)
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = hashlib.sha256(data).hexdigest()[:12]
        (self.folder / stem).write_bytes(data)
        (self.folder / f"{stem}.txt").write_text(f"{place}\n{said}\n", "utf-8", "backslashreplace")


def _told(finder: Finder, begun: float, result: Path) -> None:
    told = {"tried": finder.tried, "seconds": time.monotonic() - begun, "places": sorted(finder.places)}
    result.write_text(json.dumps({**told, "slowest": finder.slowest}))


def by_mutations(door: str, seconds: float, seed: int, findings: Path, result: Path) -> None:
    """Mutations of the examples, of what was found before, and of each other."""
    from fuzzing.draws import mutated, seeds

    finder, random, pool = Finder(door, findings), Random(seed), list(seeds(door))
    begun = time.monotonic()
    for one in pool:
        finder(one)
    while time.monotonic() - begun < seconds:
        data = mutated(door, random.choice(pool), random)
        finder(data)
        if random.random() < 0.02:
            pool[random.randrange(len(pool))] = data  # a mutation of a mutation, now and then
        if random.random() < 0.01:
            pool = list(seeds(door))
        if finder.tried % 50 == 0:
            _told(finder, begun, result)
    _told(finder, begun, result)


def by_coverage(door: str, seconds: float, seed: int, findings: Path, result: Path) -> None:
    """Atheris, whose own mutations are mixed with ours."""
    import atheris

    with atheris.instrument_imports(include=["goodcommission"]):
        from fuzzing.draws import mutated, seeds

        finder = Finder(door, findings)
    begun = time.monotonic()

    def one(data: bytes) -> None:
        finder(data)
        if finder.tried % 20 == 0:
            _told(finder, begun, result)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        random = Random(number)
        if random.random() < 0.5:
            return bytes(mutated(door, bytes(data) or random.choice(seeds(door)), random, most))
        return bytes(atheris.Mutate(data, most))

    corpus = Path(tempfile.mkdtemp())
    for index, seed_ in enumerate(seeds(door)):
        (corpus / str(index)).write_bytes(seed_)
    options = [
        f"-max_total_time={int(seconds)}",
        "-max_len=200000",
        f"-seed={seed}",
        "-rss_limit_mb=3000",
        "-timeout=60",
    ]
    atheris.Setup([sys.argv[0], *options, "-verbosity=0", str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> int:
    """Share the time between the doors, each in processes of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--door", action="append", help="A door, or all.")
    parser.add_argument("--minutes", type=float, default=30.0, help="For all doors together.")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--findings", type=Path, default=Path("fuzzing-findings"))
    parser.add_argument("--with", dest="way", choices=["mutations", "coverage"], help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES + 4_000_000_000, MOST_BYTES + 4_000_000_000))
        way = by_mutations if given.way == "mutations" else by_coverage
        way(given.door[0], given.minutes * 60, given.seed, given.findings, given.result)
        return 0
    from fuzzing.doors import DOORS

    doors = [door for door in given.door or ["all"] if door != "all"] or list(DOORS)
    ways = ["mutations", "coverage"] if importlib.util.find_spec("atheris") else ["mutations"]
    minutes = given.minutes / len(doors) / len(ways)
    found = 0
    print(f"seed {given.seed}, {given.minutes:g} minutes, {', '.join(ways)}", flush=True)
    for door in doors:
        for way in ways:
            found += _one(door, way, minutes, given)
    return int(found > 0)


def _one(door: str, way: str, minutes: float, given: Any) -> int:
    """One door in one way; how many places were found."""
    with tempfile.TemporaryDirectory() as place:
        result = Path(place) / "result.json"
        options = ["--minutes", str(minutes), "--seed", str(given.seed), "--findings", str(given.findings.resolve())]
        command = [sys.executable, __file__, "--door", door, "--with", way, "--result", str(result), *options]
        with (Path(place) / "log").open("wb") as log:
            running = subprocess.Popen(command, stdout=log, stderr=log, cwd=place, env={**os.environ, "TMPDIR": place})
            try:
                status = running.wait(minutes * 60 + 180)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()
                status = 0  # atheris is done, and the server's threads are not; or it hung, see below
        told = (
            json.loads(result.read_text())
            if result.exists()
            else {"tried": 0, "seconds": 1, "places": [], "slowest": 0}
        )
        places = told["places"]
        current = given.findings / f"{door}.current"
        if current.exists():
            (given.findings / door).mkdir(exist_ok=True)
            current.rename(given.findings / door / f"ended-{int(time.time())}")
            places.append("an input ended the process, or hung")
        if status != 0:
            last = (Path(place) / "log").read_text("utf-8", "replace").splitlines()[-15:]
            places.append(f"the process ended with {status}: {' | '.join(last)}")
    rate = told["tried"] / max(told["seconds"], 1)
    print(
        f"{door:<14} {way:<10} {told['seconds'] / 60:6.1f} min {told['tried']:>9,} executions {rate:8.1f}/s  "
        f"slowest {told['slowest']:.2f} s  {len(places)} findings {'; '.join(places)}",
        flush=True,
    )
    return len(places)


if __name__ == "__main__":
    sys.exit(main())
