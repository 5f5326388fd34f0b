"""Starting files: valid as printed and when filled in, nothing asked for nothing, and what the quick check decides."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from goodcommission import audit
from goodcommission.cli import main
from goodcommission.description.document import Source
from goodcommission.description.facts import dictionary
from goodcommission.description.model import Kind
from goodcommission.description.parsing import parse
from goodcommission.description.reading import read_description, validate
from goodcommission.description.starting import WIDTH, Question, questions_for, quick_check, starting_file
from goodcommission.packs.asking import asked
from goodcommission.packs.loading import load_packs, pack_files, shipped_folder

GOLDEN = Path(__file__).parent / "fixtures" / "starting"
KINDS: tuple[Kind, ...] = get_args(Kind)
FORMS = [pytest.param(kind, quick, id=f"{kind}{'-quick' * quick}") for kind in KINDS for quick in (False, True)]
HEADINGS = {
    "Basics": 7,
    "Size and market": 5,
    "Dates": 7,
    "Asked of bidders": 6,
    "Told and helped": 3,
    "Supply chain": 6,
    "Users and sector": 6,
    "Equality": 3,
    "Outcomes, pay, terms": 8,
    "Ending": 9,
}
ANSWER_LINE = re.compile(r"^(?P<key> *[a-z_]+:) null(?:  # (?P<hint>.*))?$")
EXAMPLE_LINE = re.compile(r"^(?P<indent> *)# (?P<line> {2,}\S.*)$")


def values(text: str) -> Any:
    return parse(Source("new.yaml", text, "yaml", "sha256:0"))


def leaves(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict) or "amount" in value or "items" in value:
        return {prefix: value}
    return {path: leaf for name, inner in value.items() for path, leaf in leaves(inner, f"{prefix}.{name}").items()}


def facts_of(text: str) -> set[str]:
    return {path.lstrip(".") for path in leaves(values(text))} - {"kind", "evidence"}


def with_examples(text: str) -> str:
    """The text after what its head says of lists: the word null deleted, "# " taken away before the lines below."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if example := EXAMPLE_LINE.match(line):
            lines[index] = example["indent"] + example["line"]
            if answer := ANSWER_LINE.match(lines[index - 1]):
                lines[index - 1] = f"{answer['key']}  # {answer['hint']}"
    return "\n".join(lines)


def _sample(hint: str, *, none: bool) -> str:
    if none and hint.endswith(", or none"):
        return "none"
    for start, value in {
        "{": "{amount: 300000, currency: GBP}",
        "true or false": "true",
        "a whole number": "36",
        "a share": "0.25",
        "a number": "2",
        "a date": "2026-03-31",
        "text": '"none other"',
        "a list": "[]",
    }.items():
        if hint.startswith(start):
            return value
    return re.split(r",| or ", hint)[0]


def with_answers(text: str, *, none: bool) -> str:
    """The text with every answer given as its comment says."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if answer := ANSWER_LINE.match(line):
            hint = answer["hint"]
            if hint is None:
                above = " ".join(part.strip(" #") for part in lines[index - 3 : index])
                hint = above.rpartition("One of: ")[2]
            lines[index] = f"{answer['key']} {_sample(hint, none=none)}"
    return "\n".join(lines)


# --- Both forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_the_file_is_the_golden_one(kind: Kind, quick: bool) -> None:
    file = GOLDEN / f"{kind}{'-quick' * quick}.yaml"
    text = starting_file(kind, quick=quick)
    if os.environ.get("GOODCOMMISSION_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_as_printed_it_is_valid_and_settles_nothing(kind: Kind, quick: bool, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(starting_file(kind, quick=quick), "utf-8")
    description = read_description(file).description
    assert description.kind == kind
    assert leaves(description.model_dump(exclude_none=True))[".kind"] == kind
    report = audit(file)
    assert {result.verdict for result in report.results} <= {"unknown", "not_applicable"}
    assert all(
        kind not in load_packs().rule(r.rule.id).rule.applies_to for r in report.results if r.verdict != "unknown"
    )
    assert report.score.score is None


@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_it_is_narrow_and_tidy(kind: Kind, quick: bool) -> None:
    text = starting_file(kind, quick=quick)
    lines = text.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not any(line != line.rstrip() or "\t" in line for line in lines)
    assert not any(a == b == "" for a, b in itertools.pairwise(lines))


@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_its_examples_are_valid_when_the_comments_are_taken_away(kind: Kind, quick: bool) -> None:
    filled = values(with_examples(starting_file(kind, quick=quick)))
    description = validate(filled, None, "new.yaml")
    lists = [path for path in facts_of(starting_file(kind, quick=quick)) if dictionary()[path].type.startswith("list")]
    assert lists
    for path in lists:
        listed: Any = description
        for name in path.split("."):
            listed = getattr(listed, name)
        assert listed.complete is True
        assert listed.items
        if dictionary()[path].type == "list_record":
            assert not [name for name, value in listed.items[0] if value is None]
    assert description.evidence


@pytest.mark.parametrize("none", [False, True], ids=["a value", "none"])
@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_each_answer_can_be_written_as_its_comment_says(kind: Kind, quick: bool, none: bool) -> None:
    text = starting_file(kind, quick=quick)
    filled = values(with_answers(text, none=none))
    validate(filled, None, "new.yaml")
    stated = {path.lstrip("."): value for path, value in leaves(filled).items()}
    assert None not in stated.values()
    if none:
        assert {path for path in facts_of(text) if dictionary()[path].may_be_none} <= {
            path for path, value in stated.items() if value == "none"
        }


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_form_asks_for_all_that_decides_and_for_nothing_else(kind: Kind) -> None:
    read = asked(load_packs(), kind)
    named = {"stage", "id", "title", "commissioner.name"}
    assert facts_of(starting_file(kind)) == named | set(read.deciding) | set(read.advising)


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_form_follows_the_model(kind: Kind) -> None:
    order = list(dictionary())
    facts = [path.lstrip(".") for path in leaves(values(starting_file(kind)))]
    nested = [fact for fact in facts if "." in fact]
    assert nested == sorted(nested, key=order.index)


# --- What is asked ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_asked_of_a_kind_is_what_its_rules_read(kind: Kind) -> None:
    packs = load_packs().practice
    for rule in packs.rules:
        read = asked(packs, kind).rules.get(rule.rule.id, frozenset())
        tier = packs.tiers[rule.tier]
        reads = {
            name.removesuffix(".given").removesuffix(".complete")
            for name in (*rule.reads, *(tier.reads if tier else ()))
        }
        assert read <= reads
        assert bool(read) is (kind in rule.rule.applies_to)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_asked_of_a_kind_is_never_missing(kind: Kind) -> None:
    """Cutting away what other kinds are asked is right: whatever is said, no rule then waits for it."""
    packs = load_packs().practice
    read = asked(packs, kind)
    for rule in packs.rules:
        for case in rule.rule.cases:
            raw = {"stage": rule.rule.due_from, **case.given, "kind": kind}
            report = audit({name: value for name, value in raw.items() if value is not None}, packs, tier="large")
            for result in report.results:
                missing = {re.split(r"\[|\.complete$", name)[0] for name in result.missing} - {"stage", "as_of"}
                assert missing <= read.rules.get(result.rule.id, frozenset()), result.rule.id


# --- The quick check -------------------------------------------------------------------------------------------------


def test_the_quick_check_has_the_sixty_questions_under_their_headings() -> None:
    assert Counter(question.heading for question in quick_check()) == HEADINGS
    assert list(dict.fromkeys(question.heading for question in quick_check())) == list(HEADINGS)
    assert [question.number for question in quick_check()] == list(range(1, 61))


def test_each_question_asks_for_facts_of_the_model_and_no_two_for_the_same() -> None:
    facts = [fact for question in quick_check() for fact in question.facts]
    assert not set(facts) - set(dictionary())
    assert [fact for fact, count in Counter(facts).items() if count > 1] == []
    assert all(question.facts and question.help.endswith(".") for question in quick_check())


def test_the_quick_check_is_not_taken_for_a_pack() -> None:
    assert "questions.yaml" not in {path.name for path in pack_files(shipped_folder("rules"))}


@pytest.mark.parametrize("kind", KINDS)
def test_no_question_is_asked_for_nothing(kind: Kind) -> None:
    packs = load_packs().practice
    read = asked(packs, kind)
    questions = questions_for(kind, packs)
    for _, facts in questions:
        assert facts
        assert all(read.deciding[fact] for fact in facts)
    left_out = set(quick_check()) - {question for question, _ in questions}
    assert not [question for question in left_out if set(question.facts) & set(read.deciding)]
    assert facts_of(starting_file(kind, quick=True)) == {
        "stage",
        "title",
        *(fact for _, facts in questions for fact in facts),
    }


def _numbers(text: str, pattern: str) -> list[int]:
    return [int(number) for number in re.findall(pattern, text, re.MULTILINE)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_of_the_quick_form_gives_the_order_of_the_review(kind: Kind) -> None:
    head = " ".join(line.lstrip("# ") for line in starting_file(kind, quick=True).partition("\nkind:")[0].splitlines())
    contents = head.partition("this is their order: ")[2].partition(" Write each answer")[0]
    expected: list[Question] = [question for question, _ in questions_for(kind, load_packs())]
    for heading in HEADINGS:
        titles = [f"{question.number} {question.title}" for question in expected if question.heading == heading]
        assert (f"{heading}: {', '.join(titles)}." in contents) is bool(titles)
    assert [int(n) for n in re.findall(r"(?:: |, )(\d+) ", ": " + contents)] == [q.number for q in expected]


@pytest.mark.parametrize(("kind", "turns"), [("tender", 11), ("contract", 6), ("decommissioning_plan", 2)])
def test_the_questions_go_back_as_seldom_as_yaml_allows(kind: Kind, turns: int) -> None:
    """How often the next heading has a lower number; within a section the order is always kept."""
    text = starting_file(kind, quick=True)
    numbers = _numbers(text, r"^ *# (\d+)\. .*\(")
    assert sum(after < before for before, after in itertools.pairwise(numbers)) == turns
    for section in re.split(r"^(?=[a-z_]+:$)", text, flags=re.MULTILINE)[1:]:
        inside = _numbers(section, r"^ +# (\d+)\. .*\(")
        assert inside == sorted(inside)
    first = _numbers(text, r"^ *# (\d+)\. (?!.*continued)[^\n]*\(")
    assert sorted(first) == [question.number for question, _ in questions_for(kind, load_packs())]


# --- What the quick check decides ------------------------------------------------------------------------------------

GIVEN: dict[str, Any] = {
    "value.total": {"amount": 2400000, "currency": "GBP"},
    "term.months": 36,
    "term.extension_option": True,
    "term.no_extension_reason": "none",
    "process.route": "open_tender",
    "funding.mechanism": "contract",
    "funding.mechanism_reason": "none",
    "payment.max_wait_days": 30,
    "payment.pbr_share": 0.1,
    "payment.referrals_controlled_by": "commissioner",
    "outcomes.no_measures_reason": "none",
    "outcomes.measures": {
        "complete": True,
        "items": [
            {"level": "final_outcome", "data": "quantitative", "first_measurable_month": 24, "called_outcome": True},
            {"level": "output", "data": "qualitative", "first_measurable_month": 1, "called_outcome": False},
        ],
    },
    "termination.performance_triggers": {"complete": True, "items": [{"within_provider_control": True}]},
    "termination.performance_notice_days": 30,
    "termination.improvement_period_days": 60,
    "funding.options_considered": {"complete": True, "items": ["grant", "contract"]},
    "lots.count": 2,
    "lots.smallest_value": {"amount": 400000, "currency": "GBP"},
    "lots.reasons_not_split": "none",
    "aggregation.contracts_merged": 2,
    "aggregation.providers_before": 4,
    "aggregation.providers_after": 2,
    "market.engagement_date": "2026-06-11",
    "market.no_engagement_reason": "none",
    "market.bid_support": {"complete": True, "items": ["helpdesk"]},
    "collaboration.existing_providers": 5,
    "collaboration.capacity_grant": "none",
    "collaboration.technical_support": {"complete": True, "items": ["governance"]},
    "requirements.collaboration": "encouraged",
    "timeline.intention_notice": "2026-09-01",
    "timeline.tender_published": "2026-11-09",
    "process.is_retender": True,
    "retender.review_outcome": "good",
    "retender.reasons": {"complete": True, "items": ["need_changed"]},
    "timeline.model_decision": "2026-05-06",
    "timeline.specification_final": "2026-09-18",
    "timeline.bid_deadline": "2026-12-14",
    "requirements.minimum_annual_turnover": {"amount": 1000000, "currency": "GBP"},
    "requirements.turnover_applies_to": "contract",
    "requirements.turnover_justification": "none",
    "requirements.insurance": {
        "complete": True,
        "items": [
            {
                "kind": "public_liability",
                "cover": {"amount": 5000000, "currency": "GBP"},
                "needed_by": "award",
                "risk_reason": "none",
            }
        ],
    },
    "process.response_pages": 60,
    "process.response_words": 9000,
    "award.criteria": {
        "complete": True,
        "items": [
            {"name": "Quality", "kind": "quality", "weight": 0.7},
            {"name": "Price", "kind": "price", "weight": 0.3},
        ],
    },
    "information.contact_list_shared_on": "2026-10-02",
    "equality.bidder_support": {"complete": True, "items": ["toolkit", "clinic"]},
    "subcontracting.position": "wanted",
    "subcontracting.minimum_vcs_share": 0.2,
    "subcontracting.not_expected_reason": "none",
    "subcontracting.exclusivity": "prohibited",
    "subcontracting.measures": {"complete": True, "items": [{"name": "Share", "measure": "share paid each quarter"}]},
    "subcontracting.dialogue_channels": {"complete": True, "items": ["named_contact"]},
    "subcontracting.dialogue_planned_for": "2027-06-01",
    "subcontracting.payment_days": 30,
    "users.phases.needs_assessment.first_date": "2026-02-17",
    "users.phases.service_design.first_date": "2026-04-21",
    "users.phases.review_decommissioning.first_date": "2026-03-02",
    "users.phases.procurement.planned_for": "2026-12-01",
    "users.phases.delivery.planned_for": "2027-06-01",
    "users.phases.review_decommissioning.planned_for": "2026-03-02",
    "equality.meeting_planned_for": "2026-12-01",
    "equality.phases.procurement.planned_for": "2026-12-01",
    "equality.phases.delivery.planned_for": "2027-06-01",
    "equality.phases.review_decommissioning.planned_for": "2026-03-02",
    "users.monitoring_events_per_year": 2,
    "equality.assessment": "full",
    "equality.screening_reason": "none",
    "equality.first_assessed_on": "2026-03-10",
    "equality.specialist_routes": {"complete": True, "items": [{"group": "women leaving prison", "route": "lot"}]},
    "service.need_areas": {"complete": True, "items": ["housing", "employment"]},
    "service.spec_need_areas": {"complete": True, "items": ["housing"]},
    "service.exclusions": [],
    "joint.approach": "aligned_outcomes",
    "design.model_left_reason": "deliberate_innovation",
    "information.provider_days": {"complete": True, "items": [{"date": "2026-06-11", "open_to_all": True}]},
    "vcs.phases.needs_assessment.first_date": "2026-02-17",
    "vcs.phases.service_design.first_date": "2026-04-21",
    "vcs.phases.delivery.planned_for": "2027-06-01",
    "vcs.phases.review_decommissioning.planned_for": "2026-03-02",
    "termination.notice_days": 90,
    "decommissioning.ended_by": "commissioner",
    "decommissioning.urgent_reason": "none",
    "decommissioning.same_provider": False,
    "decommissioning.decision_date": "2026-09-01",
    "decommissioning.notice_date": "2026-09-03",
    "decommissioning.end_date": "2027-01-31",
    "decommissioning.contract_end_date": "2027-03-31",
    "decommissioning.early_end_reason": "funding_ended",
    "decommissioning.informed.providers.planned_for": "2026-12-01",
    "decommissioning.informed.service_users.planned_for": "2026-12-01",
    "decommissioning.informed.communities.planned_for": "2026-12-01",
    "decommissioning.informed.bidders.planned_for": "2026-12-01",
    "decommissioning.informed.service_users.not_appropriate_reason": "none",
    "decommissioning.informed.communities.not_appropriate_reason": "none",
    "decommissioning.current_users": 40,
    "decommissioning.users_informed_date": "2026-10-01",
    "decommissioning.replacement_start": "2027-02-01",
    "decommissioning.handover_start": "2027-01-04",
    "decommissioning.handover_end": "2027-01-31",
    "decommissioning.staff_affected": 6,
    "decommissioning.reasons": {"complete": True, "items": ["funding_ended"]},
    "decommissioning.query_deadline": "2026-10-15",
}
"""What is answered where the answer is no yes or no; yes and no are answered with yes."""
DECIDED = GOLDEN / "decided.json"
STAGES: dict[Kind, str] = {
    "tender": "awarded",
    "contract": "live",
    "decommissioning_plan": "ending",
    "grant_programme": "live",
}


def all_answered(kind: Kind, *, yes: bool = True) -> dict[str, Any]:
    answered: dict[str, Any] = {"kind": kind, "stage": STAGES[kind]}
    for _, facts in questions_for(kind, load_packs()):
        for fact in facts:
            here = answered
            *sections, name = fact.split(".")
            for section in sections:
                here = here.setdefault(section, {})
            here[name] = GIVEN.get(fact, yes) if dictionary()[fact].type == "bool" else GIVEN[fact]
    if kind == "contract":
        answered["subcontracting"]["position"] = "in_use"
    return answered


@pytest.mark.parametrize("kind", ["tender", "contract", "decommissioning_plan"])
def test_what_the_quick_check_decides(kind: Kind) -> None:
    """Of the rules for this kind: those decided by one set of full answers, and those decided by any."""
    packs = load_packs().practice
    read = asked(packs, kind)
    form = questions_for(kind, packs)
    given = {fact for _, found in form for fact in found} | {"stage"}
    report = audit(all_answered(kind))
    open_ = [result.rule.id for result in report.results if result.verdict == "unknown"]
    settled = [id for id, needed in read.rules.items() if needed <= given]
    all_no = {result.rule.id for result in audit(all_answered(kind, yes=False)).results if result.verdict == "unknown"}
    assert not set(settled) & {*open_, *all_no}, "what rests on the answers alone is decided by them"
    counted = {
        "questions": len(form),
        "facts": len(given) - 1,
        "rules for the kind": len(read.rules),
        "decided by one set of answers": len(read.rules) - len(open_),
        "decided by any answers": len(settled),
    }
    golden = json.loads(DECIDED.read_text("utf-8"))
    if os.environ.get("GOODCOMMISSION_GOLDEN") == "write":
        DECIDED.write_text(json.dumps({**golden, kind: counted}, indent=2) + "\n", "utf-8")
    else:
        assert counted == golden[kind]


# --- The command -----------------------------------------------------------------------------------------------------


def _run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["new", *arguments])


@pytest.mark.parametrize(("kind", "quick"), FORMS)
def test_the_command_prints_the_file(kind: Kind, quick: bool) -> None:
    result = _run(kind.replace("_", "-"), *(["--quick"] if quick else []))
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes.decode("utf-8") == starting_file(kind, quick=quick)


def test_the_command_writes_a_file_but_never_over_another(tmp_path: Path) -> None:
    file = tmp_path / "tender.yaml"
    assert _run("tender", "--quick", "--output", str(file)).exit_code == 0
    assert file.read_text("utf-8") == starting_file("tender", quick=True)
    file.write_text("my answers", "utf-8")
    refused = _run("tender", "--output", str(file))
    assert refused.exit_code == 2
    assert "this file is there already" in refused.output
    assert "--force" in refused.output
    assert file.read_text("utf-8") == "my answers"
    assert _run("tender", "--output", str(file), "--force").exit_code == 0
    assert file.read_text("utf-8") == starting_file("tender")


def test_an_unknown_kind_is_refused_with_the_kinds_there_are() -> None:
    result = _run("grant")
    assert result.exit_code == 2
    assert "decommissioning_plan" in result.output
