"""What of the sources the rules check: the table is complete by its own numbers, and all that it names is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from goodcommission.cli import main
from goodcommission.exceptions import PackError
from goodcommission.packs.coverage import Coverage, read_coverage
from goodcommission.packs.loading import load_packs

SOURCES = {
    # Lines of the text that the rules cite, and how many entries there are of each kind.
    "more-than-a-provider": (1533, {"headline": 14, "section": 22, "good-practice": 11, "needs-to-happen": 31}),
    "increasing-vcs-involvement-iom": (735, {"implication": 37}),
    "localising-justice": (449, {"requirement": 7, "proposal": 9, "example": 2}),
    "collaboration-or-competition": (974, {"recommendation": 6}),
    "step-change": (671, {"regional": 12, "national": 7, "lesson": 8, "expectation": 2, "demand": 2}),
}


@pytest.fixture(scope="module")
def table() -> Coverage:
    return read_coverage()


def test_each_source_has_all_its_entries(table: Coverage) -> None:
    assert table.sources.keys() == SOURCES.keys()
    for id, (lines, kinds) in SOURCES.items():
        source = table.sources[id]
        assert source.kinds == kinds
        for one in source.entries:
            ranges = [tuple(map(int, part.split("-"))) for part in one.lines.split(", ")]
            assert all(1 <= at[0] <= at[-1] <= lines for at in ranges), one.lines


def test_nothing_is_said_twice(table: Coverage) -> None:
    for source in table.sources.values():
        said = [(one.lines, one.says) for one in source.entries]
        assert len(said) == len(set(said))


def test_the_headlines_of_the_main_source_stand_in_both_places(table: Coverage) -> None:
    headlines = [one for one in table.sources["more-than-a-provider"].entries if one.kind == "headline"]
    assert [one.lines for one in headlines] == [f"{115 + at}, {1272 + at}" for at in range(14)]


def test_every_id_is_shipped_and_every_question_is_named(table: Coverage) -> None:
    packs = load_packs()
    assert table.rules() <= {rule.rule.id for rule in packs.rules}
    assert table.questions() == {question.id for loaded in packs.packs for question in loaded.pack.questions}


def test_what_a_question_is_named_for_is_what_it_cites(table: Coverage) -> None:
    cited = {
        (question.id, citation.source)
        for loaded in load_packs().packs
        for question in loaded.pack.questions
        for citation in question.sources
    }
    named = {(id, source) for source, of in table.sources.items() for one in of.entries for id in one.manual}
    assert named == cited


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["rules", "coverage", *arguments])


def test_the_command_prints_the_table(table: Coverage) -> None:
    text = " ".join(run().stdout.split())
    for source in table.sources.values():
        numbers = (len(source.entries), source.number("checked"), source.number("manual"), source.number("gap"))
        assert sum(numbers[1:]) == numbers[0]
        assert f"{numbers[0]} entries: {numbers[1]} checked" in text
        assert all(" ".join(one.says.split()) in text for one in source.entries)
        assert re.search(rf"{re.escape(source.title)} +" + " +".join(map(str, numbers)), run("--summary").stdout)
    data = json.loads(run("--format", "json").stdout)
    assert [(one["id"], one["entries"]) for one in data["sources"]] == [
        (id, len(source.entries)) for id, source in table.sources.items()
    ]
    markdown = run("--format", "markdown").stdout
    for source in table.sources.values():
        assert all(f"| {one.lines} | {one.kind} | {one.says} |" in markdown for one in source.entries)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("headline: 14", "headline: 15", "15 entries of the kind headline, and there are 14"),
        ('lines: "493"', 'lines: "page 3"', "should match pattern"),
        ("rules: [SC-05]}", "}", "`rules`, `manual` questions or both, or a `gap`"),
        ("rules: [SC-05]}", "rules: [SC-05], gap: none}", "`rules`, `manual` questions or both, or a `gap`"),
    ],
)
def test_a_table_that_is_not_complete_is_refused_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    from goodcommission.packs.loading import COVERAGE, shipped_folder

    text = (shipped_folder("rules") / COVERAGE).read_text("utf-8")
    assert old in text
    file = tmp_path / "coverage.yaml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PackError) as caught:
        read_coverage(file)
    assert said in str(caught.value)
    assert all(fault.line for fault in caught.value.faults)
