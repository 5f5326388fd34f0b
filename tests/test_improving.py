"""The smallest change: its edits hold, break nothing, leave what is not so unsaid, and are the cheapest."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml
from click.testing import CliRunner, Result
from drawn import with_edits

from goodcommission.auditing import audit
from goodcommission.cli import main
from goodcommission.description.reading import read_description
from goodcommission.engine.mending import Change, apply, plain
from goodcommission.improving import COSTS, Improvement, Step, improve
from goodcommission.packs.checking import check_packs
from goodcommission.packs.compiling import Packs, compile_packs
from goodcommission.packs.loading import load_packs, pack_files, read_pack, shipped_folder
from goodcommission.packs.model import Tier
from goodcommission.report.model import AuditReport

HERE = Path(__file__).parent
EXAMPLES = shipped_folder("examples")
TENDER = str(EXAMPLES / "tender.json")
CONTRACT = str(EXAMPLES / "contract.yaml")
PLAN = str(EXAMPLES / "decommissioning-plan.yaml")
NOTICE = str(EXAMPLES / "ocds" / "sell2wales-substance-use-alliance.json")
DAY = dt.date(2026, 11, 20)
ON = ("--as-of", DAY.isoformat(), "--no-config")
Story = tuple[str, dict[str, Any], Tier | None, dt.date]


@cache
def packs() -> Packs:
    """The shipped packs with their cases, which the built form leaves out."""
    return compile_packs([read_pack(path) for path in pack_files(shipped_folder("rules"))]).practice


def stories(pack: str) -> Iterator[Story]:
    """The failing cases of a pack's rules; for no pack, the examples and vignettes."""
    for compiled in packs().rules:
        rule = compiled.rule
        for case in rule.cases if compiled.pack == pack else ():
            if case.expect == "fail":
                raw = {"kind": rule.applies_to[0], "stage": rule.due_from, **case.given}
                day = dt.date.fromisoformat(case.as_of) if case.as_of else DAY
                tier = None if case.tier == "from_value" else case.tier
                yield f"{rule.id} “{case.name}”", {k: v for k, v in raw.items() if v is not None}, tier, day
    if not pack:
        for one in yaml.safe_load((HERE / "fixtures" / "vignettes.yaml").read_text("utf-8")):
            yield one["id"], one["description"], one.get("tier"), DAY
        for path in (TENDER, CONTRACT, PLAN):
            raw = read_description(path).description.model_dump(mode="json", exclude_none=True)
            for tier in (None, "large"):
                yield Path(path).name, raw, tier, DAY  # type: ignore[misc]


def verdicts(report: AuditReport) -> dict[str, str]:
    return {result.rule.id: result.verdict for result in report.results}


def run(*arguments: str, **options: Any) -> Result:
    result = CliRunner().invoke(main, arguments, **options)
    assert result.exit_code in (0, 1, 2), result.output
    return result


PACK_IDS = ["", *(pack for pack in packs().ids if any(rule.pack == pack for rule in packs().rules))]


# The property that matters


@pytest.mark.parametrize("pack", PACK_IDS, ids=[pack or "examples" for pack in PACK_IDS])
def test_the_patch_mends_its_rules_breaks_no_other_and_states_no_evidence(pack: str) -> None:
    patched_rules = 0
    for name, raw, tier, day in stories(pack):
        options: dict[str, Any] = {"tier": tier, "as_of": day, "engine": "reference"}
        found = improve(raw, packs(), target=100, tier=tier, as_of=day)
        written = json.loads(json.dumps(plain(raw)))
        after_text = jsonpatch.apply_patch(written, json.loads(found.patch_json()))
        before, after = audit(raw, packs(), **options), audit(after_text, packs(), **options)
        was, now = verdicts(before), verdicts(after)
        patched = [rule.rule for step in found.steps for rule in step.rules if rule.in_patch]
        patched_rules += len(patched)
        assert {rule: now[rule] for rule in patched} == dict.fromkeys(patched, "pass"), name
        assert [rule for rule in now if now[rule] == "fail" != was[rule]] == [], name
        assert (after.score.score or 0) >= (before.score.score or 0), name
        assert found.now.score == before.score.score, name
        assert (found.with_patch.score, found.with_patch.low) == (after.score.score, after.score.low), name
        edits = [(rule, edit) for step in found.steps for rule in step.rules for edit in rule.edits]
        assert all(edit.kind != "evidence" for rule, edit in edits if rule.in_patch), name
        touched = {operation["path"] for operation in found.patch}
        kept = {edit.pointer for rule, edit in edits if not rule.in_patch}
        decided = {edit.pointer for rule, edit in edits if rule.in_patch}
        assert not touched & (kept - decided), name
    assert patched_rules or pack == "service-user-involvement"


@pytest.mark.parametrize("pack", PACK_IDS, ids=[pack or "examples" for pack in PACK_IDS])
def test_every_failing_case_can_be_mended_and_every_figure_is_of_an_audit(pack: str) -> None:
    for name, raw, tier, day in stories(pack):
        found = improve(raw, packs(), target=100, tier=tier, as_of=day)
        failing = [result for result in audit(raw, packs(), tier=tier, as_of=day).results if result.verdict == "fail"]
        mended = {rule.rule for step in found.steps for rule in step.rules}
        left = {one.rule for one in found.not_offered}
        assert left == set(), (name, found.not_offered)
        after = audit(with_steps(plain(raw), found.steps), packs(), tier=tier, as_of=day) if found.steps else None
        mended |= {one.rule.id for one in after.results if one.verdict != "fail"} if after else set()
        for result in failing:
            raises = found.now.score is not None and any(step.points_alone for step in found.steps)
            assert result.rule.id in mended or not result.rule.scored or not raises, (name, result.rule.id)
        assert sum(step.cost for step in found.steps) == found.cost
        gained = (found.with_all.score or 0) - (found.now.score or 0)
        assert sum(step.points for step in found.steps) == pytest.approx(gained, abs=0.05 + 1e-9), name
        assert (found.with_all.score or 0) >= (found.with_patch.score or 0) >= (found.now.score or 0), name


def with_steps(raw: dict[str, Any], steps: tuple[Step, ...]) -> dict[str, Any]:
    """The description with all edits of some steps."""
    return with_edits(raw, (edit for step in steps for rule in step.rules for edit in rule.edits))


FEW = [
    "proportionate-procurement",
    "equality-impact",
    "subcontracting",
    "service-user-involvement",
    "decommissioning-notice",
]


@pytest.mark.parametrize("path", [TENDER, CONTRACT, PLAN], ids=lambda path: Path(path).stem)
def test_no_other_choice_among_the_steps_is_cheaper(path: str) -> None:
    """Every choice is audited: with the packs that leave each example few enough steps for that."""
    raw = plain(yaml.safe_load(Path(path).read_text("utf-8")))
    some_packs = load_packs(FEW)
    whole = improve(raw, some_packs, as_of=DAY, target=100)
    everything = whole.steps
    assert 3 <= len(everything) <= 10
    reaching: list[tuple[float, int]] = []
    for size in range(len(everything) + 1):
        for some in itertools.combinations(everything, size):
            report = audit(with_steps(raw, some), some_packs, as_of=DAY, engine="reference")
            reaching.append((report.score.score or 0.0, sum(step.cost for step in some)))
    for target in range(int(whole.now.score or 0) + 1, 100, 5):
        found = improve(raw, some_packs, as_of=DAY, target=target)
        costs = [cost for score, cost in reaching if score >= target]
        assert found.reached == bool(costs)
        if costs:
            assert found.cost == min(costs), target


# What is offered


def offered(found: Improvement) -> dict[str, tuple[str, Any]]:
    return {edit.name: (edit.kind, edit.value) for step in found.steps for rule in step.rules for edit in rule.edits}


INSURANCE = [
    {"kind": "employers_liability", "cover": {"amount": 5000000, "currency": "GBP"}, "needed_by": "bid"},
    {
        "kind": "public_liability",
        "cover": {"amount": 6000000, "currency": "GBP"},
        "needed_by": "bid",
        "risk_reason": "none",
    },
]


def test_the_items_of_a_list_are_mended_and_nothing_else_of_it_is_lost() -> None:
    raw = {"kind": "tender", "requirements": {"insurance": {"complete": True, "items": INSURANCE}}}
    found = improve(raw, as_of=DAY, tier="large", target=100)
    after = jsonpatch.apply_patch(raw, list(found.patch))
    first, second = after["requirements"]["insurance"]["items"]
    assert first == INSURANCE[0]
    assert second == {**INSURANCE[1], "needed_by": "award", "cover": {"amount": 5000000, "currency": "GBP"}}


def test_that_a_list_is_complete_is_for_its_author_to_say() -> None:
    found = improve({"kind": "tender", "requirements": {"insurance": INSURANCE}}, as_of=DAY, tier="large", target=100)
    kind, value = offered(found)["requirements.insurance.complete"]
    assert (kind, value["complete"], len(value["items"])) == ("evidence", True, 2)
    assert found.steps[0].kind == "evidence"
    assert found.patch == ()


def test_an_item_is_added_to_a_list_and_to_one_that_is_boxed() -> None:
    contract = {
        "kind": "contract", "stage": "live",
        "subcontracting": {"position": "in_use", "dialogue_channels": [], "continuity_clause": True,
                           "escalation_route": True, "written_agreement": True},
    }  # fmt: skip
    boxed = json.loads(json.dumps(contract))
    boxed["subcontracting"]["dialogue_channels"] = {"complete": True, "items": []}
    for raw, pointer in ((contract, "dialogue_channels/-"), (boxed, "dialogue_channels/items/-")):
        found = improve(raw, as_of=DAY, tier="large", target=100)
        assert found.patch == ({"op": "add", "path": f"/subcontracting/{pointer}", "value": "named_contact"},)


@pytest.mark.parametrize(
    ("raw", "path", "value"),
    [
        ({}, "/users", {"phases": {"delivery": {"involved": True}}}),
        ({"users": {"families_involved": True}}, "/users/phases", {"delivery": {"involved": True}}),
        ({"users": {"phases": {"delivery": {}}}}, "/users/phases/delivery/involved", True),
        ({"users": None}, "/users", {"phases": {"delivery": {"involved": True}}}),
        ({"users": {"phases": {"delivery": {"involved": None}}}}, "/users/phases/delivery/involved", True),
    ],
)
def test_missing_sections_are_added_with_what_stands_in_them(raw: dict[str, Any], path: str, value: Any) -> None:
    edited = json.loads(json.dumps(raw))
    operations = apply(edited, Change("users.phases.delivery.involved", True, "decision"))
    assert (operations[-1]["path"], operations[-1]["value"]) == (path, value)
    assert jsonpatch.apply_patch(raw, operations) == edited
    assert edited["users"]["phases"]["delivery"]["involved"] is True
    assert apply(edited, Change("users.phases.delivery.involved", True, "decision")) == []


def test_the_patch_refuses_a_file_that_has_changed_since() -> None:
    raw = json.loads(Path(TENDER).read_text("utf-8"))
    found = improve(TENDER, as_of=DAY)
    raw["process"]["response_pages"] = 93
    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch(raw, list(found.patch))


def test_a_day_that_is_over_can_be_stated_and_not_decided() -> None:
    raw = {
        "kind": "decommissioning_plan", "stage": "ending",
        "value": {"total": {"amount": 300000, "currency": "GBP"}},
        "decommissioning": {"ended_by": "commissioner", "urgent_reason": "none", "same_provider": False,
                            "replacement_service": True,
                            "handover_start": "2026-12-01", "handover_end": "2026-12-10", "end_date": "2026-12-10",
                            "replacement_start": "2026-12-11"},
    }  # fmt: skip
    kind, value = offered(improve(raw, as_of=DAY, tier="large", target=100))["decommissioning.handover_start"]
    assert (kind, value) == ("evidence", "2026-11-13")
    earlier = improve(raw, as_of=dt.date(2026, 10, 1), tier="large", target=100)
    assert offered(earlier)["decommissioning.handover_start"] == ("decision", "2026-11-13")


def test_what_stands_in_the_commissioners_profile_is_not_patched_into_the_tender() -> None:
    raw = {"kind": "tender", "users": {"in_contract_monitoring": False}}
    profile = {"commissioner": {"staff_time_for_users": False, "user_involvement_strategy": False}}
    found = improve(raw, as_of=DAY, tier="large", target=100, commissioner=profile)
    assert "commissioner.staff_time_for_users" in offered(found)
    assert not any("commissioner" in operation["path"] for operation in found.patch)
    alone = improve({**raw, **profile}, as_of=DAY, tier="large", target=100)
    assert any("commissioner" in operation["path"] for operation in alone.patch)


def test_other_costs_give_another_choice() -> None:
    target = (audit(TENDER, as_of=DAY).score.score or 0) + 10
    usual = improve(TENDER, as_of=DAY, target=target)
    other = improve(TENDER, as_of=DAY, target=target, costs={**COSTS, "decision": 9})
    decisions = [sum(step.kind == "decision" for step in found.steps) for found in (usual, other)]
    assert decisions[0] > decisions[1]
    assert any(step.kind == "evidence" for step in other.steps)


def test_a_target_beyond_reach_gives_the_best_there_is(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(UNMENDED, "utf-8")
    raw = {**json.loads(Path(TENDER).read_text("utf-8"))}
    found = improve(raw, load_packs(rules=[tmp_path]), as_of=DAY, target=100)
    assert not found.reached
    assert [(one.rule, one.finding) for one in found.not_offered] == [("OW-01", "F")]
    best = found.with_all.score
    assert best is not None
    assert 70 < best < 100
    assert improve(raw, load_packs(rules=[tmp_path]), as_of=DAY, target=best).reached


def test_nothing_is_asked_where_the_target_is_reached_or_nothing_is_decided() -> None:
    reached = improve(CONTRACT, as_of=DAY, target=50)
    assert (reached.reached, reached.steps, reached.patch, reached.cost) == (True, (), (), 0)
    empty = improve({"kind": "tender"}, as_of=DAY)
    assert (empty.reached, empty.steps, empty.now.score) == (False, (), None)
    assert len(empty.state_first) == 3


def test_the_same_input_gives_the_same_bytes() -> None:
    assert improve(TENDER, as_of=DAY).to_json() == improve(TENDER, as_of=DAY, packs=load_packs()).to_json()


# What packs may write


PACK = """
pack: own
version: 1.0.0
title: Own
sources: {{s: {{title: A source}}}}
rules:
  - id: OW-01
    title: T
    asks: A
    phase: procurement
    applies_to: [tender]
    severity: low
    strength: experience
    kind: indicator
    require: "requirements.insurance.all(i, i.needed_by == 'award')"
    finding: F
    why: W
    remedy: R
    mend: [{edit}]
    sources: [{{source: s, section: "1"}}]
"""


UNMENDED = (
    PACK.format(edit="")
    .replace("mend: []", "")
    .replace("requirements.insurance.all(i, i.needed_by == 'award')", "lots.count > 1")
)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ("{set: requirements.insurance, value: [{kind: other}], kind: decision}", "would lose what is stated"),
        ("{set: 'requirements.insurance[*].needed_on', value: award, kind: decision}", 'have no field "needed_on"'),
        ("{set: 'value.total[*].amount', value: 1, kind: decision}", "items of a list of records"),
        ("{set: requirements.insurances.complete, value: true, kind: evidence}", "there is no fact"),
        ("{add: process.route, value: open_tender, kind: decision}", "process.route is no list"),
        ("{set: process.route, where: 'i.cover > 1.0', value: open_tender, kind: decision}", "chooses among the items"),
        ("{set: 'requirements.insurance[*].needed_by', where: 'i.kid > 1', value: award, kind: decision}", "kid"),
        ("{value: award, kind: decision}", "either `set`"),
        ("{set: process.route, add: process.route, value: award, kind: decision}", "either `set`"),
    ],
)  # fmt: skip
def test_an_edit_that_can_not_be_made_is_a_fault_of_the_pack(edit: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(PACK.format(edit=edit), "utf-8")
    faults = [fault for fault in check_packs([file]).faults if message in fault.message]
    assert faults, [str(fault) for fault in check_packs([file]).faults]
    assert all(fault.line for fault in faults)


# On the command line


def test_the_patch_is_written_and_applies_to_a_yaml_file_as_well(tmp_path: Path) -> None:
    for path in (TENDER, CONTRACT):
        patch = tmp_path / "patch.json"
        result = run("improve", path, "--target", "90", "--patch", str(patch), *ON)
        assert result.exit_code == 0
        raw = yaml.safe_load(Path(path).read_text("utf-8"))
        after = audit(jsonpatch.apply_patch(raw, json.loads(patch.read_text("utf-8"))), as_of=DAY)
        found = improve(path, as_of=DAY, target=90)
        assert after.score.score == found.with_patch.score
        assert f"{after.score.score:.0f} with the patch" in result.stdout


def test_text_is_within_80_columns_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)  # the name of a file is not cut
    text = run("improve", "tender.json", *ON).stdout
    assert max(len(line) for line in text.splitlines()) <= 80
    assert re.search(r"\b\d+ edits reach 80; no cheaper set does\.", text)
    assert "92 → 40" in text
    assert "Do or show first" in text
    assert "\x1b" not in text


def test_it_says_that_a_target_is_reached_or_out_of_reach(tmp_path: Path) -> None:
    assert "The target is reached already" in run("improve", CONTRACT, "--target", "50", *ON).stdout
    assert "too little is stated to say more" in run("improve", NOTICE, *ON).stdout
    assert "Too little is stated for a score" in run("improve", "-", *ON, input='{"kind": "tender"}').stdout
    (tmp_path / "own.yaml").write_text(UNMENDED, "utf-8")
    text = run("improve", TENDER, "--target", "100", "--rules", str(tmp_path), *ON).stdout
    assert "Edits do not reach 100. The best that they give is" in text
    assert "Left as they are: 1 finding" in text


def test_check_fails_where_edits_can_not_reach_the_target() -> None:
    empty = {"input": '{"kind": "tender"}'}
    assert run("improve", "-", *ON, **empty).exit_code == 0
    assert run("improve", "-", "--check", *ON, **empty).exit_code == 1
    assert run("improve", TENDER, "--target", "80", "--check", *ON).exit_code == 0


def test_one_description_is_an_object_and_several_are_an_array() -> None:
    one = json.loads(run("improve", TENDER, "--format", "json", *ON).stdout)
    several = json.loads(run("improve", TENDER, CONTRACT, "--format", "json", *ON).stdout)
    assert one == several[0]
    assert Improvement.model_validate(one) == improve(TENDER, as_of=DAY)
    assert run("improve", TENDER, CONTRACT, *ON).stdout.count("Target ") == 2


def test_a_notice_has_no_patch_of_its_own(tmp_path: Path) -> None:
    assert run("improve", NOTICE, *ON).exit_code == 0
    result = run("improve", NOTICE, "--patch", str(tmp_path / "patch.json"), *ON)
    assert result.exit_code == 2
    assert "goodcommission convert" in result.stderr
    assert not (tmp_path / "patch.json").exists()


def test_a_patch_is_for_one_file_and_never_over_what_is_read(tmp_path: Path) -> None:
    both = run("improve", TENDER, CONTRACT, "--patch", str(tmp_path / "patch.json"), *ON)
    assert (both.exit_code, "one description" in both.stderr) == (2, True)
    copy = tmp_path / "tender.json"
    copy.write_bytes(Path(TENDER).read_bytes())
    assert run("improve", str(copy), "--patch", str(copy), *ON).exit_code == 2
    assert copy.read_bytes() == Path(TENDER).read_bytes()


def test_a_file_with_a_fault_leaves_nothing_written(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"kind": "tendr"}', "utf-8")
    result = run("improve", TENDER, str(broken), "--output", str(tmp_path / "out.txt"), *ON)
    assert result.exit_code == 2
    assert "not written" in result.stderr
    assert not (tmp_path / "out.txt").exists()
