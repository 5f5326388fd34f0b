"""What became of every catalogued rule: the table of decision 13 is complete, and each id in it is a rule we ship."""

from __future__ import annotations

import re
from pathlib import Path

from goodcommission import load_packs

TABLE = Path(__file__).parent.parent / "docs" / "decisions" / "0013-catalogued-rules.md"
FIRST = "PP 12 SC 13 EI 11 DN 12 SU 9 MD 10 CO 6 GC 7 OI 14 VI 11 JC 9 TI 10"
SECOND = "PP 16 SC 14 EI 13 DN 13 SU 9 MD 17 CO 15 GC 21 OI 17 VS 23 JC 15 TI 12 IR 12 AX 15"


def ids(counts: str, first: int) -> list[str]:
    words = counts.split()
    pairs = zip(words[::2], map(int, words[1::2]), strict=True)
    return [f"{prefix}-{number:02}" for prefix, count in pairs for number in range(first, first + count)]


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if re.match(r"\| [A-Z]{2}-\d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


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
