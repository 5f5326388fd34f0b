"""Rule pages: ``docs/rules/`` is current, says the same of every rule, and its examples do what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from goodcommission import audit, load_packs
from goodcommission.cli import main
from goodcommission.report.in_words import InWords
from goodcommission.report.rule_pages import rule_page, rule_pages
from goodcommission.report.rules import find

FOLDER = Path(__file__).parent.parent / "docs" / "rules"
PAGES = rule_pages(load_packs())
RULES = {rule.rule.id: rule for rule in load_packs().rules}
HEADINGS = ["What it asks", "Why", "Exclusions", "How it is decided", "Assumptions"]
HEADINGS += ["Example that fails", "Example that passes", "Remedy", "Sources"]


def test_the_pages_are_current() -> None:
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert sorted(written) == sorted(PAGES), "python -m goodcommission.report.rule_pages writes them anew"
    stale = [name for name, text in PAGES.items() if written[name] != text]
    assert not stale, "python -m goodcommission.report.rule_pages writes them anew"


@pytest.mark.parametrize("id", RULES)
def test_every_rule_has_the_same_headings_and_leaves_none_empty(id: str) -> None:
    parts = re.split(r"^## (.*)\n", PAGES[f"{id}.md"], flags=re.MULTILINE)
    assert parts[1::2] == HEADINGS
    assert all(text.strip() for text in parts[2::2])


@pytest.mark.parametrize("id", RULES)
def test_the_examples_are_whole_descriptions_that_do_what_the_page_says(id: str) -> None:
    text = PAGES[f"{id}.md"]
    for heading, verdict in (("Example that fails", "fail"), ("Example that passes", "pass")):
        section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
        example = re.search(r"```yaml\n(.*?)```", section, flags=re.DOTALL)
        if example is None:
            assert section.strip() == "None."
            continue
        result = audit(yaml.safe_load(example[1]), load_packs(), tier="large").result(id)
        if result.verdict == "unknown":
            continue  # Its case has a day or a tier of its own.
        assert result.verdict == verdict
        if verdict == "fail":
            assert f"Finding: {result.finding}" in section
            assert f"Remedy: {result.remedy}" in section


@pytest.mark.parametrize("id", RULES)
def test_conditions_are_said_without_code(id: str) -> None:
    rule = RULES[id]
    words = InWords(rule)
    said = [words.says(branch.condition.tree) for branch in rule.branches]
    said += words.clauses(rule.when.tree) if rule.when else []
    said += [words.says(rule.planned.tree)] if rule.planned else []
    for text in said:
        assert not re.search(r"&&|\|\||[=!<>]=|params\.|[a-z]_[a-z]|@|\bNone\b|Call\(", text), text


def show(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["rules", "show", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_rules_show_prints_the_page_in_three_forms() -> None:
    assert show("PP-03", "--format", "markdown") == PAGES["PP-03.md"]
    assert show("pp-03", "--format", "markdown") == PAGES["PP-03.md"]
    text = show("PP-03")
    for heading in HEADINGS:
        assert re.search(rf"^{heading}\n─+$", text, flags=re.MULTILINE), heading
    data = json.loads(show("PP-03", "--format", "json"))
    assert data["id"] == data["page"]["id"] == "PP-03"
    assert data["page"]["fails"]["finding"] in PAGES["PP-03.md"]
    assert yaml.safe_load(data["page"]["fails"]["description"])["kind"] == "tender"


def test_a_page_says_that_law_is_law_and_one_in_the_singular() -> None:
    law = CliRunner().invoke(main, ["rules", "show", "PA-09"]).output
    assert "law; it never enters the score" in law
    assert "recommendation" not in law.split("What it asks")[0]
    turnover = CliRunner().invoke(main, ["rules", "show", "PP-03"]).output
    assert "more than 1 lots" not in " ".join(turnover.split())


def test_a_combined_finding_has_a_page_as_well() -> None:
    assert show("X-01", "--format", "markdown") == PAGES["X-01.md"]
    assert "## Example that concludes it" in PAGES["X-01.md"]
    assert "PP-04 (" in show("X-01").replace("\n", " ")


def test_a_rule_of_ones_own_is_shown_with_its_own_cases(tmp_path: Path) -> None:
    pack = tmp_path / "own.yaml"
    pack.write_text(
        """
pack: own
version: 1.0.0
title: Our own
sources:
  policy: {title: Our policy}
rules:
  - id: NC-01
    title: The contract lasts a year at least
    asks: The contract lasts twelve months or more.
    phase: procurement
    applies_to: [tender]
    severity: low
    strength: good-practice
    kind: direct
    require: "term.months >= 12"
    finding: "It lasts {term.months} months."
    why: A shorter one is not worth the bid.
    remedy: Let it run longer.
    sources: [{source: policy}]
    cases:
      - {name: a short one, expect: fail, given: {term: {months: 6}}}
      - {name: a year, expect: pass, given: {term: {months: 12}}}
""",
        "utf-8",
    )
    text = show("NC-01", "--rules", str(tmp_path), "--format", "markdown")
    assert "**Met** if the length in months is at least 12 months." in text
    assert "Finding: It lasts 6 months." in text


@pytest.mark.parametrize("id", RULES)
def test_what_is_named_in_quotation_marks_is_explained(id: str) -> None:
    packs = load_packs()
    found = find(packs.packs, id)
    assert found is not None
    page = rule_page(packs, *found)
    meanings = dict(page.where)
    said = [*(line.words for line in page.decision), *meanings.values()]
    said += re.findall(r"\[(“[^”]*”)\]", " ".join([page.remedy or "", *(line.finding or "" for line in page.decision)]))
    assert set(re.findall("“([^”]*)”", " ".join(said))) <= set(meanings)
    texts = ". ".join(said)
    assert not re.search(r"\bit: (yes|no)\b|\b(days?|months?) (days?|months?)\b|-\d", texts), texts


def test_names_of_computed_values_are_said_in_words() -> None:
    page = PAGES["PP-03.md"]
    assert "the minimum annual turnover is more than “lot top”" in page
    assert "- “lot top”: 2 times the value of the smallest lot.\n" in page
    assert "- “years or more”: the larger of the length in months divided by 12 and 1.\n" in page
    assert "3 months after “clock start”" in PAGES["DN-01.md"]
    assert "what is measured is stated" in PAGES["SC-04.md"]
    assert "It tells of a risk where their verdicts come together." in PAGES["X-01.md"]
