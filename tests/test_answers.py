"""Manual questions: asked in the report, answered with name and day, and then counted as rules of their pack are."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from goodcommission import audit, load_packs
from goodcommission.cli import main
from goodcommission.exceptions import AnswerError, PackError
from goodcommission.gating import Gate, check_gates
from goodcommission.packs.compiling import Packs
from goodcommission.report.formats import render
from goodcommission.report.model import AuditReport
from goodcommission.report.reading import read_reports
from goodcommission.verifying import verify

DAY = dt.date(2026, 11, 20)
PACK = """\
pack: own-questions
version: 1.0.0
title: Questions of our own
sources:
  own: {title: A study of ours, publisher: A council, year: 2026}
questions:
  - id: OQ-01
    title: People are told what is coming
    asks: Do providers hear honestly what will be bought and what will not?
    applies_to: [tender, contract]
    severity: high
    strength: recommendation
    good_for_months: 12
    finding: Providers are not told honestly what is coming.
    why: Unmet hopes cost trust.
    remedy: Tell them, in writing, twice a year.
    sources: [{source: own, note: page 3}]
  - id: OQ-02
    title: Front-line staff know why
    asks: Do staff who refer people know why the service is bought?
    applies_to: [tender]
    severity: low
    strength: experience
    finding: Staff who refer people do not know why the service is bought.
    why: They decide who comes.
    remedy: Brief them.
    sources: [{source: own}]
"""
TENDER = {"kind": "tender", "stage": "published", "id": "T-1", "title": "Advice service"}
TWICE = """\
answers:
  - {question: OQ-02, answer: yes, by: Jo, on: 2026-01-01}
  - {question: OQ-02, answer: no, by: Al, on: 2026-01-01}
"""
YES = {"question": "OQ-01", "answer": "yes", "by": "Jo Bloggs", "on": "2026-06-01"}


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    file = tmp_path / "own.yaml"
    file.write_text(PACK, "utf-8")
    return load_packs(["own-questions"], rules=[file])


def audited(packs: Packs, *answers: dict[str, Any], raw: Any = TENDER, **more: Any) -> AuditReport:
    return audit(raw, packs, as_of=DAY, answers={"answers": list(answers)}, **more)


def test_unanswered_questions_are_listed_and_change_nothing(packs: Packs) -> None:
    report = audit(TENDER, packs, as_of=DAY)
    assert [one.id for one in report.questions] == ["OQ-01", "OQ-02"]
    assert not report.results
    assert (report.score.low, report.score.high) == (None, None)
    text = " ".join(render("text", [report]).split())
    assert "For a person to answer: 2 questions" in text
    assert "Do providers hear honestly what will be bought and what will not?" in text
    for form in ("html", "markdown"):
        assert "For a person to answer: 2 questions" in render(form, [report])
    assert [one.id for one in audit({"kind": "contract"}, packs, as_of=DAY).questions] == ["OQ-01"]


def test_a_signed_answer_counts_with_the_signer_as_its_place(packs: Packs, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(
        "answers:\n  - question: OQ-01\n    answer: no\n    by: Jo Bloggs\n    on: 2026-06-01\n    note: It slipped.\n"
        "  - {question: OQ-02, answer: yes, by: A. N. Other, on: 2026-07-01}\n",
        "utf-8",
    )
    report = audit(TENDER, packs, as_of=DAY, answers=file)
    no, yes = report.result("OQ-01"), report.result("OQ-02")
    assert (no.verdict, no.finding, no.claimed) == ("fail", "Providers are not told honestly what is coming.", False)
    assert no.notes == ("Jo Bloggs adds: It slipped.",)
    assert (yes.verdict, yes.claimed) == ("pass", True)
    fact = next(one for one in report.facts if one.name == "answers.OQ-01")
    assert (fact.file, fact.line, fact.text) == (str(file), 2, "no, signed by Jo Bloggs on 1 June 2026")
    # A recommendation of high severity (5.0) against experience of low severity (0.7).
    assert report.score.score == round(100 * 0.7 / 5.7, 1)
    assert no.points == round(100 * 5 / 5.7, 1)
    text = " ".join(render("text", [report], width=100).split())
    assert f"no, signed by Jo Bloggs on 1 June 2026 ({file}:2:5)" in text
    assert "For a person to answer" not in text


def test_an_answer_with_evidence_is_no_mere_claim(packs: Packs) -> None:
    shown = {**YES, "evidence": {"document": "Minutes", "page": "2", "date": "2026-05-01"}}
    result = audited(packs, shown).result("OQ-01")
    assert (result.verdict, result.claimed, result.evidenced) == ("pass", False, True)
    assert audited(packs, shown, require_evidence=True).result("OQ-01").verdict == "pass"
    bare = audited(packs, YES, require_evidence=True).result("OQ-01")
    assert (bare.verdict, bare.reason) == ("unknown", "it is answered without evidence, and evidence is required")
    against = audited(packs, {**YES, "answer": "no"}, require_evidence=True).result("OQ-01")
    assert against.verdict == "fail"


def test_what_does_not_apply_is_not_counted(packs: Packs) -> None:
    report = audited(packs, {**YES, "answer": "not_applicable"})
    assert report.result("OQ-01").verdict == "not_applicable"
    assert report.score.low is None
    assert not [one for one in report.questions if one.id == "OQ-01" and one.answer is None]


@pytest.mark.parametrize(
    ("on", "verdict", "note"),
    [
        ("2025-11-20", "pass", None),
        ("2025-11-19", "pass", "the answer is older than 12 months: ask again"),
        ("2026-11-20", "pass", None),
        ("2026-11-21", None, "the answer of 21 November 2026 was signed after the day of the audit"),
    ],
)
def test_an_old_answer_shows_and_a_later_one_is_not_used(
    packs: Packs, on: str, verdict: str | None, note: str | None
) -> None:
    report = audited(packs, {**YES, "on": on})
    assert next(one.note for one in report.questions if one.id == "OQ-01") == note
    assert [one.verdict for one in report.results] == ([verdict] if verdict else [])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("answers:\n  - {question: OQ-01, answer: yes, on: 2026-01-01}", 2, 'the field "by" is missing'),
        ("answers:\n  - {question: OQ-01, answer: yes, by: '', on: 2026-01-01}", 2, "a text is expected here"),
        ("answers:\n  - {question: OQ-01, answer: yes, by: Jo}", 2, 'the field "on" is missing'),
        ("answers:\n  - {question: OQ-01, answer: yes, by: Jo, on: soon}", 2, "this is no day"),
        ("answers:\n  - {question: OQ-01, answer: true, by: Jo, on: 2026-01-01}", 2, "one of yes, no, not_applicable"),
        ("answers:\n\n  - {question: OQ-1, answer: yes, by: Jo, on: 2026-01-01}", 3, 'there is no question "OQ-1"'),
        ("answers:\n  - {question: OQ-01, anser: yes, by: Jo, on: 2026-01-01}", 2, 'there is no field "anser"'),
        ("- {question: OQ-01}", 1, "a list under `answers:`"),
        ("answers: none", 1, "a list of answers is expected here"),
        (
            TWICE,
            3,
            "OQ-02 is answered already for description, in answer 1",
        ),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(
    packs: Packs, tmp_path: Path, text: str, line: int, said: str
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(AnswerError) as caught:
        audit({"kind": "tender"}, packs, as_of=DAY, answers=file)
    assert any(one.file == str(file) and one.line == line and said in str(one) for one in caught.value.faults)


def test_an_answer_for_another_document_is_passed_over(packs: Packs) -> None:
    assert audited(packs, {**YES, "document": "T-2"}).questions[0].answer is None
    assert audited(packs, {**YES, "document": "T-*"}).questions[0].answer is not None


def test_the_second_implementation_repeats_answers(packs: Packs, tmp_path: Path) -> None:
    document, answers, report = (tmp_path / name for name in ("tender.json", "answers.json", "report.json"))
    document.write_text(json.dumps(TENDER), "utf-8")
    answers.write_text(json.dumps({"answers": [YES, {**YES, "question": "OQ-02", "answer": "no"}]}), "utf-8")
    made = audit(document, packs, as_of=DAY, answers=answers)
    report.write_text(made.to_json(), "utf-8")
    assert [one.differences for one in verify(report, document, answers=answers)] == [()]
    assert read_reports(report)[0].to_json() == made.to_json()
    answers.write_text(answers.read_text("utf-8") + "\n", "utf-8")
    assert verify(report, document, answers=answers)[0].differences == ("the answers are not those that were used",)
    turned = made.model_copy(
        update={"results": tuple(one.model_copy(update={"verdict": "pass"}) for one in made.results)}
    )
    report.write_text(turned.to_json(), "utf-8")
    assert "OQ-02, verdict: the report says 'pass', and it is 'fail'" in verify(report, document)[0].differences


def test_gates_and_waivers_know_questions(packs: Packs) -> None:
    must = Gate("must_pass", ("OQ-01",), "--must-pass")
    assert not check_gates(audit(TENDER, packs, as_of=DAY), [must])[0].passed
    assert check_gates(audit(TENDER, packs, as_of=DAY), [Gate("never_fail", ("OQ-01",), "x")])[0].passed
    assert check_gates(audited(packs, YES), [must])[0].passed
    assert not check_gates(audited(packs, {**YES, "answer": "no"}), [Gate("fail_on", "high", "x")])[0].passed


def test_the_order_of_answers_does_not_matter(packs: Packs) -> None:
    two = [YES, {**YES, "question": "OQ-02", "answer": "no", "by": "Al"}]
    first, second = audited(packs, *two), audited(packs, *reversed(two))
    assert first.results == second.results
    assert first.score == second.score


def test_a_question_is_unique_and_cites_a_source(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(PACK.replace("OQ-02", "PP-01").replace("[{source: own}]", "[{source: nobody}]"), "utf-8")
    with pytest.raises(PackError) as caught:
        load_packs(rules=[file])
    assert 'the source "nobody" is not described under `sources`' in str(caught.value)
    assert "PP-01" in str(caught.value)


def test_the_command_line(tmp_path: Path) -> None:
    pack, answers, tender = (tmp_path / name for name in ("own.yaml", "answers.yaml", "tender.json"))
    pack.write_text(PACK, "utf-8")
    tender.write_text(json.dumps(TENDER), "utf-8")
    answers.write_text(json.dumps({"answers": [YES]}), "utf-8")

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(main, [*arguments, "--rules", str(pack)])

    common = ("--pack", "own-questions", "--as-of", "2026-11-20", "--no-config", "--passes")
    result = run("audit", str(tender), "--answers", str(answers), *common)
    assert "yes, signed by Jo Bloggs on 1 June 2026" in " ".join(result.stdout.split())
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**TENDER, "id": "T-2"}), "utf-8")
    result = run("audit", str(tender), str(other), "--answers", str(answers), *common)
    assert result.exit_code == 2
    assert "this answer does not say for which it is" in result.stderr
    assert "Do providers hear honestly" in run("rules", "questions", "--pack", "own-questions").stdout
    assert "Tell them, in writing, twice a year." in run("rules", "show", "oq-01").stdout
    assert json.loads(run("rules", "show", "OQ-01", "--format", "json").stdout)["pack"] == "own-questions"
    refused = run("audit", str(tender), "--template", "--answers", str(answers))
    assert "--answers can't be used with --template" in refused.stderr
