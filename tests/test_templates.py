"""Templates: what can be left open, what rules say whatever is filled in, and that each range given is exact."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodcommission import DescriptionError, audit, load_packs
from goodcommission.cli import template as cli
from goodcommission.description.facts import dictionary
from goodcommission.description.templates import Template, read_template
from goodcommission.engine.templates import OUTCOMES, Question, Solution, Span, scale, solve
from goodcommission.engine.templates import said as as_written
from goodcommission.engine.verdicts import CompiledRule, RuleVerdict
from goodcommission.packs.checking import run_case
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import pack_files, read_pack, shipped_folder
from goodcommission.packs.model import Case
from goodcommission.report.template_model import TemplateReport
from goodcommission.report.template_text import render
from goodcommission.templating import ask, audit_template

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "templates" / "tender.yaml"
DAY = dt.date(2026, 11, 20)


@cache
def packs() -> Packs:
    return load_packs().practice


@cache
def example() -> TemplateReport:
    return audit_template(EXAMPLE, packs(), as_of=DAY)


def tender(**sections: Any) -> dict[str, Any]:
    return {"kind": "tender", "stage": "published", **sections}


def faults(raw: Mapping[str, Any]) -> list[str]:
    with pytest.raises(DescriptionError) as raised:
        read_template(raw)
    return [fault.message for fault in raised.value.faults]


# --- Reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["{{ contract_value }}", "{{contract_value}}", "${contract_value}", "<<contract_value>>"]
)
def test_a_value_that_is_a_whole_placeholder_is_unknown_with_a_name(written: str) -> None:
    template = read_template(tender(value={"total": {"amount": written, "currency": "GBP"}}))
    assert template.document.description.value is None or template.document.description.value.total is None
    placeholder = template.placeholders["contract_value"]
    assert (placeholder.type, [place.reference for place in placeholder.places]) == ("money", ["value.total"])


def test_a_placeholder_within_longer_text_is_text() -> None:
    template = read_template(tender(title="Mentoring in {{ town }}", summary="{{ a }} and {{ b }}"))
    assert template.placeholders == {}
    assert template.document.description.title == "Mentoring in {{ town }}"


def test_the_syntax_can_be_chosen() -> None:
    raw = tender(title="[[title]]", summary="{{ summary }}")
    template = read_template(raw, syntax=["[[name]]"])
    assert list(template.placeholders) == ["title"]
    assert template.document.description.summary == "{{ summary }}"
    with pytest.raises(DescriptionError, match="does not say how placeholders are written"):
        read_template(raw, syntax=["[[]]"])


def test_every_type_of_fact_can_be_left_open() -> None:
    insurance = [{"kind": "{{ insured }}", "cover": "{{ cover }}", "risk_reason": "{{ risk }}"}]
    template = read_template(
        tender(
            value={"total": "{{ value }}"},
            term={"months": "{{ months }}", "start": "{{ start }}", "extension_option": "{{ extended }}"},
            service={"need_areas": "{{ needs }}", "places": ["Wexmoor", "{{ town }}"]},
            payment={"pbr_share": "{{ share }}"},
            requirements={
                "insurance": {"complete": True, "items": insurance},
                "turnover_justification": "{{ reason }}",
            },
            process={"route": "{{ route }}"},
        )
    )
    assert {name: one.type for name, one in template.placeholders.items()} == {
        "value": "money",
        "months": "int",
        "start": "date",
        "extended": "bool",
        "needs": "list_enum",
        "town": "text",
        "share": "double",
        "insured": "enum",
        "cover": "money",
        "risk": "text",
        "reason": "text",
        "route": "enum",
    }
    assert template.placeholders["cover"].places[0].reference == "requirements.insurance[0].cover"


def test_evidence_may_be_for_a_field_that_is_open_and_name_an_open_document() -> None:
    evidence = [{"pointer": "/value/total", "document": "{{ file }}", "date": "{{ day }}"}]
    template = read_template(tender(value={"total": "{{ value }}"}, evidence=evidence))
    assert template.placeholders["file"].type is None
    assert template.placeholders["day"].type is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"kind": "{{ kind }}"}, "the kind of document can't be a placeholder"),
        (tender(**{"{{ section }}": 1}), 'the placeholder "{{ section }}" stands for the name of a field'),
        (tender(requirements="{{ demands }}"), 'the placeholder "demands" stands for a whole section'),
        (tender(value={"total": {"amount": 1, "currency": "{{ c }}"}}), "a currency can't be a placeholder"),
        (tender(requirements={"insurance": ["{{ one }}"]}), 'the placeholder "one" stands for a whole entry'),
        (tender(evidence="{{ all }}"), "the evidence can't be a placeholder"),
        (tender(title="{{ 1st }}"), '"{{ 1st }}" is written as a placeholder, but has no name that can be used'),
        (tender(ocid="x", title="{{ title }}"), "an OCDS notice can't be a template"),
        (
            tender(value={"total": "{{ x }}"}, term={"months": "{{ x }}"}),
            'the placeholder "x" stands for an amount of money (value.total) and for a whole number (term.months)',
        ),
        (
            tender(process={"route": "{{ x }}"}, commissioner={"level": "{{ x }}"}),
            'the placeholder "x" stands for process.route and for commissioner.level, which have no value in common',
        ),
        (
            tender(service={"need_areas": {"complete": "{{ x }}", "items": ["housing"]}}),
            'whether a list is complete can\'t be the placeholder "x"',
        ),
    ],
)
def test_a_placeholder_where_none_can_stand_is_refused(raw: Mapping[str, Any], message: str) -> None:
    assert message in faults(raw)


def test_faults_have_their_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        'kind: tender\nvalue:\n  total: "{{ x }}"\nterm:\n  months: "{{ x }}"\n  monthz: "{{ y }}"\n', "utf-8"
    )
    with pytest.raises(DescriptionError) as raised:
        read_template(file)
    assert [(fault.line, fault.column, fault.pointer) for fault in raised.value.faults] == [
        (5, 11, "/term/months"),
        (6, 3, "/term/monthz"),
    ]


def test_a_placeholder_without_quotes_is_explained(tmp_path: Path) -> None:
    for name, text in (
        ("t.yaml", "kind: tender\ntitle: {{ title }}\n"),
        ("t.json", '{"kind": "tender", "title": {{ t }}}'),
    ):
        file = tmp_path / name
        file.write_text(text, "utf-8")
        with pytest.raises(DescriptionError, match="Put a placeholder in quotes"):
            read_template(file)


def test_what_is_wrong_besides_placeholders_is_said_as_well() -> None:
    raw = tender(
        service={"need_areas": ["{{ need }}", "houses"]}, value={"total": {"amount": "{{ v }}", "currency": "LSD"}}
    )
    found = faults(raw)
    assert len(found) == 2
    assert any("houses" in message for message in found)


def test_filling_in_gives_the_description() -> None:
    template = read_template(EXAMPLE)
    filled = template.fill({"contract_value": 300_000, "bid_deadline": dt.date(2027, 3, 1), "turnover_reason": "none"})
    assert filled["value"]["total"] == {"amount": 300_000, "currency": "GBP"}
    assert filled["timeline"]["bid_deadline"] == "2027-03-01"
    assert filled["title"] is None
    assert audit(filled, packs(), as_of=DAY).document.kind == "tender"


# --- Always, never, depends --------------------------------------------------------------------------------------


def holds(raw: Mapping[str, Any], rule: str, **options: Any) -> tuple[str, tuple[str, ...], str]:
    result = audit_template(raw, packs(), as_of=DAY, **options).rule(rule)
    return result.holds, result.placeholders, result.text


def test_a_rule_that_no_placeholder_touches_holds_always_or_never() -> None:
    raw = tender(title="{{ title }}", value={"total": {"amount": 300000, "currency": "GBP"}}, term={"months": 12})
    assert holds({**raw, "process": {"route": "open_tender", "same_as_large_contracts": False}}, "PP-02")[0] == "always"
    assert holds({**raw, "process": {"route": "open_tender", "same_as_large_contracts": True}}, "PP-02")[0] == "never"


def test_a_rule_that_waits_for_other_facts_is_not_evidenced_whatever_is_filled_in() -> None:
    result = example().rule("SU-03")
    assert (result.holds, result.solved[0].text) == (
        "not_evidenced",
        "not evidenced if contract_value ≥ £50,000; otherwise not asked",
    )
    assert result.missing


def test_one_figure_has_its_exact_range_across_tiers() -> None:
    raw = tender(
        value={"total": "{{ contract_value }}"},
        process={"route": "open_tender", "response_pages": 30},
    )
    assert holds(raw, "PP-01") == (
        "depends",
        ("contract_value",),
        "met if contract_value ≥ £250,000; otherwise not met",
    )


def test_a_range_depends_on_what_else_is_filled_in() -> None:
    result = example().rule("PP-03")
    assert result.placeholders == ("contract_value", "turnover_reason")
    assert [solved.text for solved in result.solved] == [
        "where turnover_reason is none: met if contract_value ≥ £750,000; otherwise not met",
        "where turnover_reason is any text: met if contract_value ≥ £250,000; otherwise not met",
    ]
    low = result.solved[0].endings[0].ranges[0]
    assert (low.low, low.low_included, low.high) == (750_000, True, None)


def test_a_figure_of_a_few_steps_is_told_apart_beside_another() -> None:
    texts = [solved.text for solved in example().rule("PP-01").solved]
    assert texts[0] == "where contract_value < £50,000: met if pages_to_answer ≤ 10; otherwise not met"
    assert texts[-1] == "where contract_value ≥ £5,000,000: met if pages_to_answer ≤ 150; otherwise not met"


def test_two_figures_that_decide_together_say_so() -> None:
    raw = tender(
        value={"total": "{{ value }}"},
        term={"months": "{{ months }}"},
        process={"route": "open_tender"},
        lots={"count": 1},
        requirements={
            "minimum_annual_turnover": {"amount": 500000, "currency": "GBP"},
            "turnover_justification": "none",
        },
    )
    result = audit_template(raw, packs(), as_of=DAY).rule("PP-03")
    assert (result.holds, result.placeholders, result.solved) == ("depends", ("value", "months"), ())
    assert result.reason == "value and months decide together"


def test_dates_are_given_as_dates_and_within_what_is_stated() -> None:
    report = example()
    assert next(one for one in report.placeholders if one.name == "bid_deadline").lowest == "2027-01-11"
    assert report.rule("SU-02").holds == "depends"
    assert report.rule("SU-02").solved[-1].endings[0].text == "users_first_heard is on 17 September 2026 or earlier"
    assert report.rule("SU-02").solved[-1].endings[0].ranges[0].high == "2026-09-17"


def test_one_name_in_two_places_is_one_value() -> None:
    raw = tender(
        value={"total": "{{ value }}"},
        process={"route": "open_tender"},
        lots={"count": 1},
        term={"months": 12},
        requirements={"minimum_annual_turnover": "{{ value }}", "turnover_justification": "none"},
    )
    assert holds(raw, "PP-03")[0] == "always"


def test_an_amount_in_another_currency_stays_unknown() -> None:
    raw = tender(value={"total": {"amount": "{{ value }}", "currency": "EUR"}}, process={"route": "open_tender"})
    assert holds(raw, "PP-01")[0] == "not_evidenced"


def test_none_is_a_value_of_its_own() -> None:
    raw = tender(
        value={"total": {"amount": 300000, "currency": "GBP"}},
        term={"months": 36},
        process={"route": "open_tender"},
        lots={"count": 1},
        requirements={"minimum_annual_turnover": "{{ turnover }}", "turnover_justification": "none"},
    )
    assert holds(raw, "PP-03")[2] == "met if turnover ≤ £200,000 or turnover is none; otherwise not met"


def test_the_tier_can_be_given() -> None:
    assert audit_template(EXAMPLE, packs(), as_of=DAY, tier="medium").rule("SU-01").solved == ()


def test_a_list_that_is_open_is_not_solved_but_classed() -> None:
    raw = tender(
        value={"total": {"amount": 300000, "currency": "GBP"}},
        process={"route": "open_tender", "is_retender": True},
        retender={"review_outcome": "good", "reasons": "{{ reasons }}"},
    )
    result = audit_template(raw, packs(), as_of=DAY).rule("PP-09")
    assert result.holds in ("depends", "depends_and_unstated")
    assert result.reason == "what reasons may list can't be tried out in full"


def test_the_day_of_the_audit_can_be_a_placeholder() -> None:
    raw = {
        "kind": "contract",
        "stage": "live",
        "timeline": {"contract_signed": "{{ signed }}"},
        "users": {"phases": {"needs_assessment": {"involved": True, "first_date": "2026-05-01"}}},
        "value": {"total": {"amount": 300000, "currency": "GBP"}},
    }
    report = audit_template(raw, packs())
    for rule in report.rules:
        for day in ("2001-01-01", "2026-05-01", "2026-05-02", "2100-01-01"):
            filled = audit(read_template(raw).fill({"signed": day}), packs())
            assert OUTCOMES[filled.result(rule.rule.id).verdict] in rule.outcomes


# --- Exactness ---------------------------------------------------------------------------------------------------


def facts_of(stated: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a case states something that a placeholder can stand for."""
    for name, value in stated.items():
        path = (*prefix, name)
        fact = dictionary().get(".".join(path))
        if fact is None and isinstance(value, dict):
            yield from facts_of(value, path)
        elif fact is not None and fact.name != "kind" and value is not None:
            yield path


def opened(stated: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """A case with placeholders p1, p2, … in some places."""
    raw = copy.deepcopy(dict(stated))
    for number, path in enumerate(paths, 1):
        here = raw
        for part in path[:-1]:
            here = here[part]
        here[path[-1]] = f"{{{{ p{number} }}}}"
    return raw


@cache
def all_cases() -> tuple[tuple[CompiledRule, Case], ...]:
    """Every case of every shipped rule."""
    files = pack_files(shipped_folder("rules"))
    cases = {rule.id: rule.cases for file in files for rule in read_pack(file).pack.rules}  # The built form has none.
    return tuple(
        (rule, case)
        for rule in packs().rules
        for case in cases[rule.rule.id]
        if case.given.get("kind", rule.rule.applies_to[0]) in rule.rule.applies_to
    )


def read_by(rule: CompiledRule, path: tuple[str, ...]) -> bool:
    names = {".".join(path) + suffix for suffix in ("", ".given", ".complete")}
    gates = {name for gate in packs().tiers if gate for name in gate.reads}
    return not names.isdisjoint({*rule.reads, *gates}) or path == ("stage",)


def opened_cases() -> Iterator[tuple[CompiledRule, Case, tuple[str, ...]]]:
    """Every case of every shipped rule, with each figure and date in it that the rule reads."""
    for rule, case in all_cases():
        for path in facts_of(case.given):
            if dictionary()[".".join(path)].type in ("money", "int", "double", "date") and read_by(rule, path):
                yield rule, case, path


def question_of(rule: CompiledRule, case: Case, raw: Mapping[str, Any]) -> tuple[Template, Question]:
    described = {"kind": rule.rule.applies_to[0], "stage": rule.rule.due_from, **raw}
    template = read_template({name: value for name, value in described.items() if value is not None})
    day = dt.date.fromisoformat(case.as_of) if case.as_of else None
    question = ask(template, packs(), as_of=day, tier=None if case.tier == "from_value" else case.tier)
    if day is None:  # A case without a day has none, whatever it states.
        values = {name: value for name, value in question.facts.values.items() if name != "as_of"}
        question = replace(question, governing=(), facts=replace(question.facts, values=values))
    return template, question


def verdict_of(rule: CompiledRule, case: Case, filled: Mapping[str, Any]) -> RuleVerdict:
    """The rule's verdict; a stage that a template does not state is not that of cases that say nothing of theirs."""
    return run_case(rule, packs(), case, {"stage": None, **filled})


def points(template: Template, name: str, values: Any, draw: random.Random) -> list[Any]:
    """Values of a placeholder: all that are listed, the ends of each range and one between them."""
    placeholder, found = template.placeholders[name], []
    for one in values:
        if isinstance(one, Span):
            steps = {one.low, one.high, draw.randint(one.low, one.high)}
            found += [as_written(placeholder, step) for step in sorted(steps)]
        else:
            found.append(one)
    return found


def check_rows(
    rule: CompiledRule, case: Case, template: Template, question: Question, solution: Solution, draw: random.Random
) -> int:
    """Compare each range with the audit of what is filled in: both sides of each limit, and points in between."""
    checked = 0
    for row in solution.rows:
        told = dict(row.given)
        others = {
            name: points(template, name, told.get(name, _some(template, question, name)), draw)
            for name in template.placeholders
            if name != row.placeholder
        }
        for piece in row.pieces:
            of_piece = (*piece.values, *([piece.span] if piece.span else []))
            for value in points(template, row.placeholder, of_piece, draw):
                filled = {name: draw.choice(values) for name, values in others.items()}
                filled[row.placeholder] = value
                try:
                    verdict = verdict_of(rule, case, template.fill(filled))
                except DescriptionError:
                    assert others
                    continue  # Two placeholders that contradict each other.
                where = (rule.rule.id, case.name, filled, solution.rows)
                assert (OUTCOMES[verdict.verdict], verdict.provisional) == (piece.outcome, piece.provisional), where
                checked += 1
        spans = [piece.span for piece in row.pieces if piece.span is not None]
        assert all(one.high + 1 == other.low for one, other in itertools.pairwise(spans))
    return checked


def _some(template: Template, question: Question, name: str) -> tuple[Any, ...]:
    """Some values of a placeholder on which a rule does not depend, or of which all values end alike."""
    placeholder = template.placeholders[name]
    of = scale(placeholder)
    none = ("none",) if placeholder.may_be_none else ()
    if of is not None:
        return (Span(*question.limits[name]), *none)
    if (placeholder.type or "").startswith("list"):
        return ([], *([one] for one in placeholder.values))
    texts = () if placeholder.type != "text" else ("any text",)
    return (True, False) if placeholder.type == "bool" else (*placeholder.values, *none, *texts)


def test_each_figure_of_each_case_of_each_shipped_rule_has_exact_ranges() -> None:
    draw = random.Random(4)
    checked = 0
    solved = set()
    for rule, case, path in opened_cases():
        template, question = question_of(rule, case, opened(case.given, [path]))
        solution = solve(rule, question)
        assert solution.holds != "unsolved"
        assert solution.rows or not solution.placeholders
        if solution.rows:
            solved.add(rule.rule.id)
            checked += check_rows(rule, case, template, question, solution, draw)
        else:
            for value in points(template, "p1", [Span(*question.limits["p1"])], draw):
                verdict = verdict_of(rule, case, template.fill({"p1": value}))
                assert {OUTCOMES[verdict.verdict]} == solution.outcomes
    assert len(solved) > 20
    assert checked > 1000


@given(st.data())
def test_what_is_said_of_several_placeholders_is_true_of_each_description(data: st.DataObject) -> None:
    rule, case = all_cases()[data.draw(st.integers(0, len(all_cases()) - 1))]
    stated = [path for path in facts_of(case.given) if read_by(rule, path)]
    if not stated:
        return
    paths = data.draw(st.lists(st.sampled_from(stated), min_size=1, max_size=4, unique=True))
    check_solution(rule, case, paths, random.Random(data.draw(st.integers(0, 2**32))))


def test_what_is_said_is_true_where_the_stage_is_not_stated() -> None:
    rule, case = next(
        (rule, case)
        for rule, case in all_cases()
        if (rule.rule.id, case.name) == ("DN-07", "all three were told, stage not stated")
    )
    check_solution(rule, case, [("decommissioning", "informed", "providers", "told")], random.Random(0))


def check_solution(rule: CompiledRule, case: Case, paths: Sequence[tuple[str, ...]], draw: random.Random) -> None:
    """Open some places of a case, and compare what is said of them with audits of what they are filled with."""
    template, question = question_of(rule, case, opened(case.given, paths))
    solution = solve(rule, question)
    if solution.rows:
        check_rows(rule, case, template, question, solution, draw)
    seen = set()
    for _ in range(30):
        filled = {
            name: draw.choice(
                points(template, name, (*_some(template, question, name), *_near(case, paths[int(name[1:]) - 1])), draw)
            )
            for name, one in template.placeholders.items()
            if not (one.type or "").startswith("list")
        }
        try:
            verdict = verdict_of(rule, case, template.fill(filled))
        except DescriptionError:
            continue  # Two placeholders that contradict each other.
        seen.add(OUTCOMES[verdict.verdict])
    lists = any((one.type or "").startswith("list") for one in template.placeholders.values())
    if not lists and solution.holds != "unsolved":
        assert seen <= solution.outcomes


def _near(case: Case, path: tuple[str, ...]) -> tuple[Any, ...]:
    """What the case states there, in the form in which it is filled in."""
    value: Any = case.given
    for part in path:
        value = value[part]
    if isinstance(value, dict):
        value = value.get("amount")
    return () if value is None or isinstance(value, list) else (value,)


# --- The report --------------------------------------------------------------------------------------------------


def test_the_report_is_read_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE.parent)  # the name of a file is not cut
    text = render([audit_template(EXAMPLE.name, packs(), as_of=DAY)])
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "Never met: 3 rules" in text
    assert "Where turnover_reason is none: met if contract_value ≥" in text
    assert "Not below 11 January 2027, by what else is stated." in text


def test_what_a_template_says_cannot_act_on_the_terminal() -> None:
    raw = tender(title="\u202eevil", id="x\u200b", summary="{{ a }}")
    assert "\u202e" not in render([audit_template(raw, packs(), as_of=DAY)])


def test_the_report_is_json_that_can_be_read_back() -> None:
    report = example()
    assert report.to_json() == audit_template(EXAMPLE, packs(), as_of=DAY).to_json()
    assert TemplateReport.model_validate_json(report.to_json()) == report
    assert sum(json.loads(report.to_json())["counts"].values()) == len(packs().rules)


def test_the_command_fails_where_a_rule_is_never_met(capsys: pytest.CaptureFixture[str]) -> None:
    def status(fail_on: cli.Gate, file: str = str(EXAMPLE)) -> int:
        used = cli.TemplateSettings(packs(), fail_on=fail_on)
        return cli.run_template([file], lambda _: used, as_of=DAY)

    assert status("low") == 1
    assert "are never met, whatever is filled in: PP-02" in capsys.readouterr().err
    assert status("never") == 0
    assert status("high", "there-is-none.yaml") == 2
    assert "there is no such file" in capsys.readouterr().err


def test_several_templates_are_one_list_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = cli.TemplateSettings(packs(), fail_on="never")
    target = tmp_path / "out.json"
    assert cli.run_template([str(EXAMPLE)] * 2, lambda _: used, as_of=DAY, form="json", output=target) == 0
    assert len(json.loads(target.read_text("utf-8"))) == 2
    assert capsys.readouterr().out == ""
