"""What became of every catalogued rule and pattern: the tables are complete, and each id in them is one we ship."""

from __future__ import annotations

import re
from pathlib import Path

from goodcommission import load_packs
from goodcommission.packs.model import Match, Pattern

DECISIONS = Path(__file__).parent.parent / "docs" / "decisions"
TABLE = DECISIONS / "0013-catalogued-rules.md"
PATTERNS = DECISIONS / "0014-combined-findings.md"
FIRST = "PP 12 SC 13 EI 11 DN 12 SU 9 MD 10 CO 6 GC 7 OI 14 VI 11 JC 9 TI 10"
FIRST_PATTERNS = "X 27 P 4"
SECOND_PATTERNS = "D 7 S 6 C 21 M 5 X 3"
SECOND = "PP 16 SC 14 EI 13 DN 13 SU 9 MD 17 CO 15 GC 21 OI 17 VS 23 JC 15 TI 12 IR 12 AX 15"


def ids(counts: str, first: int) -> list[str]:
    words = counts.split()
    pairs = zip(words[::2], map(int, words[1::2]), strict=True)
    return [f"{prefix}-{number:02}" for prefix, count in pairs for number in range(first, first + count)]


def rows(table: Path = TABLE) -> list[list[str]]:
    lines = [line for line in table.read_text("utf-8").splitlines() if re.match(r"\| [A-Z]{1,2}-\d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def matches(pattern: Pattern) -> list[Match]:
    found = [*pattern.all_of, *pattern.any_of, *pattern.unless, *pattern.raised_by, *pattern.lowered_by]
    return [*found, *(pattern.at_least.of if pattern.at_least else ())]


def test_every_catalogued_rule_has_one_row() -> None:
    assert sorted(row[0] for row in rows()) == sorted(ids(FIRST, 1) + ids(SECOND, 101))


def test_each_row_says_what_became_of_the_rule_and_why() -> None:
    shipped = {rule.rule.id for rule in load_packs().rules}
    for was, _, became, ours, why in rows():
        assert became in {"shipped", "merged", "left out"}, was
        named = re.findall(r"[A-Z]{2}-\d+", ours)
        assert bool(named) == (became != "left out"), was
        assert set(named) <= shipped, (was, ours)
        assert why or (became == "shipped" and named == [was]), f"{was}: why?"


def test_every_catalogued_pattern_has_one_row() -> None:
    expected = [*ids(FIRST_PATTERNS, 1), *ids(SECOND_PATTERNS, 1)]
    assert sorted(row[0] for row in rows(PATTERNS)) == sorted(expected)


def test_each_row_says_what_became_of_the_pattern_and_why() -> None:
    packs = load_packs()
    shipped = {rule.rule.id for rule in packs.rules} | {one.pattern.id for one in packs.patterns}
    for was, _, became, ours, why in rows(PATTERNS):
        assert became in {"shipped", "merged", "left out"}, was
        named = re.findall(r"[A-Z]{1,2}-\d+", ours)
        assert bool(named) == (became != "left out"), was
        assert set(named) <= shipped, (was, ours)
        assert why or (became == "shipped" and bool(named)), f"{was}: why?"


def test_every_rule_that_a_shipped_pattern_looks_for_is_shipped() -> None:
    packs = load_packs()
    shipped = {rule.rule.id for rule in packs.rules}
    for one in packs.patterns:
        looked = {match.rule for match in matches(one.pattern) if match.rule}
        assert looked <= shipped, (one.pattern.id, looked - shipped)


def test_every_conclusion_that_a_shipped_pattern_looks_for_is_reached_by_one() -> None:
    patterns = [one.pattern for one in load_packs().patterns]
    reached = {pattern.concludes for pattern in patterns}
    looked = {match.conclusion for pattern in patterns for match in matches(pattern) if match.conclusion}
    assert looked
    assert looked <= reached
