"""The text report: readable at any width, safe in any terminal, and the same as the files in golden/.

``GOODCOMMISSION_GOLDEN=1 pytest tests/test_report_text.py`` writes those files anew; read the difference before it is
committed.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from goodcommission import audit, load_packs
from goodcommission.description.reading import read_documents
from goodcommission.report.model import AuditReport
from goodcommission.report.terminal import degraded, neutral
from goodcommission.report.text import bar, render, summary, wrap

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden"
EXAMPLES = ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
DAY = dt.date(2026, 11, 20)


def example(name: str) -> AuditReport:
    document = read_documents(ROOT / "examples" / name)[0]
    report = audit(document, as_of=DAY, engine="reference")
    renamed = report.document.model_copy(update={"name": f"examples/{name}"})
    facts = tuple(fact.model_copy(update={"file": f"examples/{name}"}) for fact in report.facts)
    return report.model_copy(update={"document": renamed, "facts": facts})


def masked(text: str) -> str:
    """Without what changes with each release: the versions and the digest of the packs."""
    text = re.sub(r"goodcommission \d+\.\d+\.\d+", "goodcommission 0.0.0", text)
    return re.sub(r"sha256:[0-9a-f]{12}", "sha256:000000000000", text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_read_as_in_the_golden_files(name: str) -> None:
    text = masked(render(example(name)))
    golden = GOLDEN / f"{Path(name).stem}.txt"
    if os.environ.get("GOODCOMMISSION_GOLDEN"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("width", [48, 60, 80, 100])
def test_no_line_is_wider_than_the_page(name: str, width: int) -> None:
    for line in render(example(name), width=width, everything=True).splitlines():
        # What may be longer is a place or an address, which must stay whole to be of use.
        assert cell_len(line) <= width or "/" in line or "." in line.split()[0]
        assert line == line.rstrip()


def test_lines_stay_readable_in_a_wide_window() -> None:
    assert max(cell_len(line) for line in render(example("tender.json"), width=400).splitlines()) <= 100


@pytest.mark.parametrize("name", EXAMPLES)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    plain, coloured = render(example(name)), render(example(name), colour=True)
    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_each_finding_says_what_where_why_what_to_do_and_who_says_so() -> None:
    report = example("tender.json")
    text = render(report)
    findings = [result for result in report.results if result.verdict == "fail"]
    assert findings
    flat = " ".join(text.split())
    for result in findings:
        assert f"{result.rule.id} {result.finding}" in flat
        assert f"Why {result.rule.why}" in flat
        assert result.remedy
        assert f"Remedy {result.remedy}" in flat
    stated = {fact.name: fact for fact in report.facts}
    pages = stated["process.response_pages"]
    assert f"{pages.title}: 92 (examples/tender.json:{pages.line}:{pages.column})" in flat
    assert (ROOT / "examples" / "tender.json").read_text("utf-8").splitlines()[pages.line - 1][
        pages.column - 1 :
    ] == "92,"


def test_findings_come_by_severity() -> None:
    text = render(example("tender.json"))
    places = [text.index(f"{severity} severity:") for severity in ("High", "Medium", "Low")]
    assert places == sorted(places)


def test_members_of_a_group_say_that_their_points_are_shared() -> None:
    report = example("tender.json")
    text = " ".join(render(report).split())
    group = [r for r in report.results if r.rule.group == "size-of-process" and r.verdict == "fail"]
    assert len(group) > 1
    assert "they count as one fault" in text


def test_five_facts_are_asked_for_with_their_questions_and_names() -> None:
    report = example("tender.json")
    text = render(report)
    section = text[text.index("State these first") :].split("\n\n")[0]
    assert re.findall(r"^  (\d)\.", section, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    of_practice = [fact for fact in report.missing if fact.rules or not fact.law]
    for fact in of_practice[:5]:
        assert fact.name in section
    assert f"{len(of_practice) - 5} more facts" in section


def test_passes_are_counted_and_listed_only_on_request() -> None:
    report = example("contract.yaml")
    passes = [result for result in report.results if result.verdict == "pass"]
    assert f"{len(passes)} rules are met (--passes lists them)" in " ".join(render(report).split())
    listed = render(report, passes=True)
    assert f"Met: {len(passes)} rules" in listed
    assert all(f"  {result.rule.id} " in listed for result in passes)
    assert "By the document's own word" in listed


def test_everything_names_every_rule() -> None:
    report = example("decommissioning-plan.yaml")
    text = render(report, everything=True)
    assert all(re.search(rf"\b{result.rule.id}\b", text) for result in report.results)


def test_too_little_evidence_shows_a_range_and_no_score() -> None:
    text = render(audit({"kind": "tender", "title": "A title and no more"}))
    assert "too little is stated: anything from 0 to 100 of 100" in text
    assert "insufficient evidence" in text
    assert "Nothing that is stated departs from what the rules ask." in text
    assert "on no particular day" in text


def test_a_provisional_finding_says_what_could_overturn_it() -> None:
    report = example("tender.json")
    result = next(r for r in report.results if r.verdict == "fail")
    missing = report.missing[0]
    provisional = result.model_copy(update={"provisional": True, "missing": (missing.name,)})
    changed = report.model_copy(update={"results": (provisional,)})
    assert f"unless what is not stated says otherwise: {missing.title}." in " ".join(render(changed).split())


def test_a_conclusion_that_could_be_withdrawn_says_by_what() -> None:
    report = example("tender.json")
    one = next(pattern for pattern in report.patterns if pattern.outcome == "concluded")
    changed = one.model_copy(update={"would_be_withdrawn_by": ("PP-03: pass",)})
    text = render(report.model_copy(update={"patterns": (changed,)}))
    assert "Unless   met: Required turnover fits the contract (PP-03)" in text
    assert "that is not known" in " ".join(text.split())


HOSTILE = "\x1b[31mred\x1b[0m \u202egnp.exe\u2066 \u200bzero\u2028line\ttab \x00nul \x9bC1 [bold]markup[/bold] 👩‍👩‍👧"


def test_what_acts_on_a_terminal_is_shown_and_does_not_act() -> None:
    report = example("tender.json")
    document = report.document.model_copy(update={"title": HOSTILE, "name": f"{HOSTILE}.json", "notes": (HOSTILE,)})
    results = tuple(r.model_copy(update={"finding": HOSTILE, "remedy": HOSTILE}) for r in report.results)
    facts = tuple(fact.model_copy(update={"text": HOSTILE}) for fact in report.facts)
    text = render(report.model_copy(update={"document": document, "results": results, "facts": facts}))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    assert "[bold]markup[/bold]" in text
    assert "\\x1b[31mred" in text
    assert "\\u202egnp.exe" in text


def test_a_very_long_title_is_cut() -> None:
    report = example("tender.json")
    document = report.document.model_copy(update={"title": "Ж" * 20_000})
    text = render(report.model_copy(update={"document": document}))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert text.split("\n  Document")[0].endswith("…")


def test_several_audits_end_in_a_summary() -> None:
    text = summary([example(name) for name in EXAMPLES])
    assert [name for name in EXAMPLES if f"examples/{name}" in text] == list(EXAMPLES)


@given(st.text(), st.integers(1, 60))
def test_wrapping_loses_nothing_and_fits(text: str, width: int) -> None:
    flat = neutral(text)
    lines = wrap(flat, width)
    assert "".join(lines).replace(" ", "") == flat.replace(" ", "")
    assert all(cell_len(line) <= max(width, 2) or "/" in line for line in lines)


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8", "no such encoding"]))
def test_any_text_can_be_written_in_any_encoding(text: str, encoding: str) -> None:
    shown = degraded(neutral(text), encoding)
    shown.encode("ascii" if encoding == "no such encoding" else encoding)


def test_plain_characters_stand_for_what_an_encoding_lacks() -> None:
    assert degraded("█▒░ “£300,000” – …", "ascii") == '#=- "GBP 300,000" - ...'
    assert degraded("█ £", "latin-1") == "# £"


@given(st.floats(0, 100), st.floats(0, 100))
def test_bars_fill_their_cells(one: float, other: float) -> None:
    cells: Any = bar(min(one, other), max(one, other), 20)
    assert sum(len(text) for text, _ in cells) == 20


def test_every_source_is_a_work_and_a_place_in_it() -> None:
    works = {
        part.split("] ", 1)[1]
        for name in EXAMPLES
        for part in render(example(name)).split("\nSources\n")[1].split("\n\n")[0].split("  [")
        if "] " in part
    }
    named = {work.title for loaded in load_packs().packs for work in loaded.pack.sources.values()}
    assert works
    assert all(any(title in " ".join(work.split()) for title in named) for work in works)
    assert not any("text lines" in work for work in works)


@pytest.mark.parametrize(
    ("total", "said"),
    [
        (None, "not known, as its value is not stated: rules"),
        ({"amount": 300_000, "currency": "EUR"}, "its value is stated in EUR, and the limits are in GBP: rules"),
    ],
)
def test_why_the_size_is_not_known(total: Any, said: str) -> None:
    report = audit({"kind": "tender", "value": {"total": total}})
    assert said in " ".join(render(report).split())
