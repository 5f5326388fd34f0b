"""The quick check: the most decisive question first, typed answers, leaving off and going on."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from goodcommission import audit, load_packs, read_description
from goodcommission.cli import main
from goodcommission.description.facts import dictionary
from goodcommission.description.model import Kind
from goodcommission.description.starting import asked, questions_for, quick_check
from goodcommission.packs.loading import shipped_folder
from goodcommission.quick_check import AnswerError, Progress, QuickCheck, read_answer

DAY = dt.date(2026, 11, 20)
EXAMPLES = shipped_folder("examples")
KINDS: tuple[Kind, ...] = get_args(Kind)
CATALOGUED = {
    "PP": 12, "SC": 13, "EI": 11, "DN": 12, "SU": 9, "MD": 10,
    "CO": 6, "GC": 7, "OI": 14, "VI": 11, "JC": 9, "TI": 10,
}  # fmt: skip
"""The rules of the catalogue by the prefix of their ids."""


def run(*arguments: Any, typed: str = "") -> Result:
    return CliRunner().invoke(main, [str(part) for part in arguments], input=typed)


def flat(raw: Any, prefix: str = "") -> dict[str, Any]:
    """A description's facts by name, as they are written."""
    found: dict[str, Any] = {}
    for name, value in raw.items():
        path = f"{prefix}{name}"
        if path in dictionary():
            found[path] = value
        elif isinstance(value, dict):
            found |= flat(value, f"{path}.")
    return found


def example(name: str) -> dict[str, Any]:
    document = read_description(EXAMPLES / name)
    plain: dict[str, Any] = document.description.model_dump(mode="json", exclude_none=True)
    plain.pop("evidence", None)
    return flat(plain)


def test_there_are_sixty_questions_and_every_fact_in_them_exists() -> None:
    assert len(quick_check()) == 60
    assert all(fact in dictionary() for question in quick_check() for fact in question.facts)


def test_it_decides_at_least_85_of_the_124_catalogued_rules() -> None:
    """Answered in full: all that a rule reads is among the facts of the sixty questions."""
    packs = load_packs()
    decided: set[str] = set()
    for kind in KINDS:
        facts = {"stage", "as_of", *(fact for _, facts in questions_for(kind, packs) for fact in facts)}
        decided |= {rule for rule, read in asked(packs, kind).rules.items() if read <= facts}
    ours = {f"{prefix}-{number:02}" for prefix, count in CATALOGUED.items() for number in range(1, count + 1)}
    assert len(ours) == 124
    assert len(decided & ours) >= 85, sorted(ours - decided)


@pytest.mark.parametrize("name", ["tender.json", "contract.yaml", "decommissioning-plan.yaml"])
def test_the_most_decisive_questions_come_first(name: str) -> None:
    """Answered with an example, the order that is asked decides no fewer rules than the order of the file."""
    known = example(name)
    kind = known["kind"]

    def decided(order: Any, most: int) -> int:
        session = QuickCheck(kind, as_of=DAY)
        for _ in range(most):
            left = order(session)
            if left is None:
                break
            for fact in left.facts:
                session.answer(fact.name, known.get(fact.name))
        return session.progress.decided

    def ours(session: QuickCheck) -> Any:
        return next(iter(session.remaining()), None)

    def as_written(session: QuickCheck) -> Any:
        return min(session.remaining(), key=lambda one: one.question.number, default=None)

    for most in (5, 10, 15, 20):
        assert decided(ours, most) >= decided(as_written, most), most


def _high(progress: Progress) -> float:
    return 100.0 if progress.high is None else progress.high


@pytest.mark.parametrize("name", ["tender.json", "contract.yaml", "decommissioning-plan.yaml"])
def test_the_interval_only_narrows_and_ends_where_an_audit_does(name: str) -> None:
    known = example(name)
    session = QuickCheck(known["kind"], as_of=DAY)
    while left := session.remaining():
        for fact in left[0].facts:
            before = session.progress
            session.answer(fact.name, known.get(fact.name))
            after = session.progress
            assert (after.low or 0.0) >= (before.low or 0.0) - 0.05, fact.name
            assert (100.0 if after.high is None else after.high) <= (
                100.0 if before.high is None else before.high
            ) + 0.05
    again = audit(read_description(session.answers), as_of=DAY)
    assert again.score == session.report.score
    whole = audit(read_description(EXAMPLES / name), as_of=DAY)
    assert session.progress.decided <= sum(one.verdict in ("pass", "fail") for one in whole.results)


def test_what_can_no_longer_matter_is_not_asked() -> None:
    session = QuickCheck("tender", as_of=DAY)
    titles = {one.question.title for one in session.remaining()}
    assert {"Subcontracting", "Payment to subcontractors"} & titles
    before = len(session.remaining())
    session.answer("subcontracting.position", "none")
    session.answer("value.total", {"amount": 20000, "currency": "GBP"})
    session.answer("process.route", "grant_direct")
    after = {fact.name for one in session.remaining() for fact in one.facts}
    assert len(session.remaining()) < before
    assert not any(name.startswith("subcontracting.") for name in after)
    assert "requirements.minimum_annual_turnover" not in after or "PP-03" in str(session.remaining())


def test_what_is_answered_with_dont_know_is_not_asked_again_and_what_is_left_out_is() -> None:
    session = QuickCheck("tender", as_of=DAY)
    first = session.remaining()[0].facts[0].name
    session.answer(first, None)
    assert all(first != fact.name for one in session.remaining() for fact in one.facts)
    second = session.remaining()[0].facts[0].name
    session.skip(second)
    assert all(second != fact.name for one in session.remaining() for fact in one.facts)
    resumed = QuickCheck("tender", answers=session.answers, as_of=DAY)
    names = [fact.name for one in resumed.remaining() for fact in one.facts]
    assert first not in names
    assert second in names


def test_an_answer_that_does_not_fit_changes_nothing() -> None:
    session = QuickCheck("tender", as_of=DAY)
    with pytest.raises(AnswerError, match="one of"):
        session.answer("process.route", "auction")
    assert session.answers == {"kind": "tender"}


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("value.total", "£300,000", {"amount": 300000, "currency": "GBP"}),
        ("value.total", "300k", {"amount": 300000, "currency": "GBP"}),
        ("value.total", "1.5m", {"amount": 1500000, "currency": "GBP"}),
        ("value.total", "66666.66", {"amount": 66666.66, "currency": "GBP"}),
        ("requirements.minimum_annual_turnover", "none", "none"),
        ("term.months", "36", 36),
        ("term.months", "1,200", 1200),
        ("term.extension_option", "Yes", True),
        ("term.extension_option", "n", False),
        ("term.extension_option", "?", None),
        ("term.extension_option", "Don't know", None),
        ("timeline.bid_deadline", "2026-03-31", "2026-03-31"),
        ("timeline.bid_deadline", "31/3/2026", "2026-03-31"),
        ("timeline.bid_deadline", "31st March 2026", "2026-03-31"),
        ("process.route", "Open tender", "open_tender"),
        ("process.route", "2", "restricted_tender"),
        ("process.route", "spot", "spot_purchase"),
        ("retender.reasons", "1, cost saving", ["need_changed", "cost_saving"]),
        ("retender.reasons", "none", []),
    ],
)
def test_what_a_typed_answer_means(name: str, typed: str, value: Any) -> None:
    assert read_answer(dictionary()[name], typed) == value


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("value.total", "a lot", "a number is expected"),
        ("value.total", "nan", "a number is expected"),
        ("term.months", "three years", "a whole number is expected"),
        ("term.extension_option", "maybe", "yes, no or"),
        ("timeline.bid_deadline", "31 February 2026", "a date, such as 2026-03-31 or 31 March 2026"),
        ("process.route", "9", "one of open tender"),
        ("process.route", "9" * 5000, "one of open tender"),
        ("term.months", "9" * 5000, "a whole number is expected"),
        ("value.total", "1e999999", "a number is expected"),
        ("value.total", "1e999999k", "a number is expected"),
    ],
)
def test_what_cannot_be_understood_is_said(name: str, typed: str, said: str) -> None:
    with pytest.raises(AnswerError, match=said):
        read_answer(dictionary()[name], typed)


@given(st.sampled_from(sorted(dictionary())), st.text(max_size=40))
def test_no_typed_text_is_more_than_misunderstood(name: str, typed: str) -> None:
    fact = dictionary()[name]
    try:
        value = read_answer(fact, typed)
    except AnswerError:
        return
    session = QuickCheck("tender", load_packs(["subcontracting"]))
    try:
        session.answer(name, value)
    except AnswerError:
        assert session.answers == {"kind": "tender"}


# --- At the terminal -------------------------------------------------------------------------------------------------


def test_a_conversation_writes_a_description_and_goes_on_later(tmp_path: Path) -> None:
    file = tmp_path / "mentoring.yaml"
    result = run("check", "tender", "-o", file, "--as-of", "2026-11-20", typed="£300,000\nstop\n")
    assert result.exit_code == 0, result.output
    assert "Total value (Basics)" in result.output
    assert f"To go on: goodcommission check {file}" in result.output.replace("\n", "")
    assert yaml.safe_load(file.read_text("utf-8")) == {
        "kind": "tender",
        "value": {"total": {"amount": 300000, "currency": "GBP"}},
    }
    again = run("check", file, "--as-of", "2026-11-20", typed="stop\n")
    assert "Total value" not in again.output
    assert audit(file).document.kind == "tender"


def test_a_wrong_answer_is_asked_again_why_is_told_and_back_goes_back(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    typed = "lots\nwhy\n200k\nback\n300k\nback\nback\n400k\nstop\n"
    result = run("check", "tender", "-o", file, typed=typed)
    assert result.exit_code == 0, result.output
    assert "A number is expected, not “lots”." in result.output
    assert "It helps to decide " in result.output
    assert "There is no question before this one to go back to." in result.output
    assert json.loads(file.read_text("utf-8"))["value"]["total"]["amount"] == 400000


def test_the_end_of_the_input_is_as_good_as_stop(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    result = run("check", "contract", "-o", file, typed="?\n")
    assert result.exit_code == 0, result.output
    assert file.exists()


def test_a_list_of_records_is_asked_item_by_item(tmp_path: Path) -> None:
    session = QuickCheck("tender", as_of=DAY)
    (insurance,) = [one for one in session.remaining() if one.question.title == "Insurance"]
    assert insurance.facts[0].name == "requirements.insurance"
    begun = tmp_path / "t.yaml"
    known = {"kind": "tender", "stage": "draft", "value": {"total": {"amount": 900000, "currency": "GBP"}}}
    begun.write_text(yaml.safe_dump(known), "utf-8")
    typed: list[str] = []
    session = QuickCheck("tender", answers=known, as_of=DAY)
    for one in session.remaining():
        if one.question.title == "Insurance":
            fields = {"kind": "public liability", "cover": "£5m", "needed_by": "bid"}
            typed += ["1", *(fields.get(name, "") for name in one.facts[0].fields), "yes"]
            break
        typed += [""] * len(one.facts)
    run("check", begun, "--as-of", "2026-11-20", typed="\n".join([*typed, "stop", ""]))
    written = yaml.safe_load(begun.read_text("utf-8"))["requirements"]["insurance"]
    item = {"kind": "public_liability", "cover": {"amount": 5000000, "currency": "GBP"}, "needed_by": "bid"}
    assert written == {"complete": True, "items": [item]}


def test_answers_from_a_file_ask_nothing(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(
        "answers:\n  value.total: £300,000\n  process.route: open tender\n  term.extension_option: no\n"
        "  term.months: 36\n  requirements.insurance: []\n  timeline.bid_deadline: 31 March 2026\n"
        "  subcontracting.position: don't know\n",
        "utf-8",
    )
    file = tmp_path / "t.yaml"
    result = run("check", "tender", "-o", file, "--answers", answers, "--as-of", "2026-11-20")
    assert result.exit_code == 0, result.output
    written = yaml.safe_load(file.read_text("utf-8"))
    assert written["value"]["total"] == {"amount": 300000, "currency": "GBP"}
    assert written["subcontracting"] == {"position": None}
    assert written["timeline"] == {"bid_deadline": "2026-03-31"}
    assert "rules decided" in result.output


def test_answers_that_are_wrong_are_all_named_with_their_lines(tmp_path: Path) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text("answers:\n  value.totals: 3\n  process.route: auction\n  term.months: -4\n", "utf-8")
    file = tmp_path / "t.yaml"
    result = run("check", "tender", "-o", file, "--answers", answers)
    assert result.exit_code == 2
    assert f"{answers}:2:" in result.stderr
    assert "Did you mean value.total?" in result.stderr
    assert f"{answers}:3:" in result.stderr
    assert f"{answers}:4:" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "auction"), "neither a kind of document"),
        (("check", "contract", "-o", "{here}/tender.yaml"), "describes another kind: tender"),
        (("check", "{here}/notice.json"), "goodcommission convert"),
        (("check", "tender", "-o", "{here}/new.yaml", "--answers", "{here}/tender.yaml"), "there are no answers"),
        (("check", "tender", "-o", "{here}"), "{here}"),
        (("check", "tender", "--pack", "uk-procurement-act-2023", "-o", "{here}/new.yaml"), "nothing enters the score"),
    ],
)
def test_bad_input_is_said_in_one_line(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    (tmp_path / "tender.yaml").write_text("kind: tender\n", "utf-8")
    notice = next((EXAMPLES / "ocds").glob("*.json"))
    (tmp_path / "notice.json").write_bytes(notice.read_bytes())
    result = run(*(part.format(here=tmp_path) for part in arguments), typed="stop\n")
    assert result.exit_code == 2, result.output
    assert said.format(here=tmp_path) in result.stderr
    assert "Traceback" not in result.output + result.stderr


def test_what_was_begun_with_shares_is_kept_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    file.write_text('{"kind": "tender", "subcontracting": {"minimum_vcs_share": 0.25}, "stage": "draft"}', "utf-8")
    result = run("check", file, typed="stop\n")
    assert result.exit_code == 0, result.output
    assert json.loads(file.read_text("utf-8"))["subcontracting"] == {"minimum_vcs_share": 0.25}
