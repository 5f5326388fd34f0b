"""Hostile input: whatever comes in by a door, there is a result or an error of goodcommission's, in bounded time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from fuzzing.doors import DOORS
from fuzzing.draws import CORPUS, mutated, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
DRAWS = {"pack": 4, "condition": 4, "scan": 5, "report": 3, "verify": 4, "notices": 15, "api": 15, "template": 20}
"""Of the doors behind which most is done; of the others forty."""


@pytest.mark.parametrize("door", DOORS)
def test_no_input_gets_more_than_an_answer(door: str) -> None:
    @settings(max_examples=DRAWS.get(door, 40))
    @given(st.randoms(use_true_random=False), st.integers(0, 10_000))
    def draw(random: Random, number: int) -> None:
        given = seeds(door)
        DOORS[door](mutated(door, given[number % len(given)], random))

    draw()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_once_stays_mended(path: Path) -> None:
    DOORS[path.parent.name](path.read_bytes())


def test_all_that_was_kept_belongs_to_a_door() -> None:
    assert KEPT
    assert {path.parent.name for path in KEPT} <= DOORS.keys()


def test_a_megabyte_of_harm_costs_two_seconds_and_500_mb_at_most() -> None:
    """What once cost more, each in a process of its own; all others are measured by megabytes.py."""
    script = Path(__file__).with_name("megabytes.py")
    done = subprocess.run([sys.executable, script, "--found"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
