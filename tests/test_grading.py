"""``packs check --grade``: what the cases of a pack do not notice is found, and the cases offered notice it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from goodcommission.auditing import audit
from goodcommission.cli import main
from goodcommission.description.writing import one_line
from goodcommission.engine.conditions import Vocabulary
from goodcommission.packs.checking import check_packs
from goodcommission.packs.grading import GradedPack, grade_key, grade_of, grade_pack
from goodcommission.packs.loading import BUILT, load_packs, pack_files, read_pack, shipped_folder, shipped_packs
from goodcommission.packs.mutating import parameter_mutants, trees, written
from goodcommission.report.markdown import render as markdown
from goodcommission.report.text import render

LEAST = 95
"""Percent of the mistakes made in a shipped pack that its cases must notice."""
RULE = """
  - id: {id}
    title: The term is not too long
    asks: It ends within three years.
    phase: procurement
    applies_to: [tender]
    tier: small
    severity: low
    strength: good-practice
    kind: direct
    {body}
    why: Needs change.
    remedy: "Let it end sooner."
    sources: [{{source: handbook}}]
    cases:
{cases}
"""
HEAD = """
pack: own-rules
version: 1.0.0
title: Rules of our own
sources:
  handbook: {title: Our handbook}
parameters:
  longest: {value: 36, unit: months, basis: convention, why: It is what we do.}
rules:
"""
SHORT = """\
when: "process.route == 'open_tender'"
    require: "term.months <= params.longest"
    finding: "It runs for {term.months} months."
    mend: [{set: term.months, to: params.longest, kind: decision}]"""
WEAK = """\
      - {name: far longer, expect: fail, given: {process: {route: open_tender}, term: {months: 60}}}
      - {name: a year, expect: pass, given: {process: {route: open_tender}, term: {months: 12}}}
      - {name: not stated, expect: unknown, given: {process: {route: open_tender}}}
      - {name: awarded directly, expect: not_applicable, given: {process: {route: direct_award}, term: {months: 60}}}"""


def pack(*rules: str) -> str:
    return HEAD + "".join(rules)


def rule(id: str = "OWN-1", body: str = SHORT, cases: str = WEAK) -> str:
    return RULE.format(id=id, body=body, cases=cases)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(pack(rule()), "utf-8")
    return path


def graded(path: Path, *only: str) -> GradedPack:
    checked = check_packs([path])
    assert checked.compiled is not None, checked.faults
    return grade_pack(checked.targets[0], checked.compiled, only)


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in args])


# --- Mutants -------------------------------------------------------------------------------------------------------


def misread(text: str, *, arithmetic: bool = False) -> set[str]:
    condition = Vocabulary().compile(text, arithmetic=arithmetic, boolean=not arithmetic)
    found = [written(tree) for tree, _ in trees(condition.tree, {}, asked=not arithmetic)]
    assert written(condition.tree) not in found
    return set(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("term.months >= 12", {"term.months > 12", "term.months < 12", "term.months >= 11", "term.months >= 13"}),
        (
            "value.total == 0.0",
            {f"value.total {sign} 0.0" for sign in ("!=", "<=", ">=")}
            | {"value.total == -0.01", "value.total == 0.01"},
        ),
        ("!process.framework", {"process.framework"}),
        (
            "process.framework && process.is_retender",
            {
                "process.framework",
                "process.is_retender",
                "process.framework || process.is_retender",
                "!process.framework && process.is_retender",
                "process.framework && !process.is_retender",
            },
        ),
    ],
)
def test_a_condition_is_misread_in_these_ways(text: str, expected: set[str]) -> None:
    assert misread(text) == expected


def test_a_value_of_a_list_is_left_out_or_replaced() -> None:
    found = misread("process.route in ['open_tender', 'direct_award']")
    assert "process.route in ['open_tender']" in found
    assert "process.route in ['direct_award']" in found
    assert "!(process.route in ['open_tender', 'direct_award'])" in found
    assert len(found) == 5


def test_functions_are_mistaken_for_each_other() -> None:
    found = misread("weekdays_between(timeline.tender_published, timeline.bid_deadline)", arithmetic=True)
    assert found == {"days_between(timeline.tender_published, timeline.bid_deadline)"}


@pytest.mark.parametrize(
    "text",
    [
        "a.months > 1 && (b || c)",
        "process.route in ['open_tender'] && !(term.months > 3 || process.framework)",
        "requirements.insurance.exists(i, i.kind == 'other' && i.cover > 5.0)",
    ],
)
def test_conditions_are_written_as_they_are_read(text: str) -> None:
    text = (
        text.replace("a.months", "term.months")
        .replace("b ||", "process.framework ||")
        .replace(" c)", " kind == 'tender')")
    )
    condition = Vocabulary().compile(text)
    assert Vocabulary().compile(written(condition.tree)).tree == condition.tree


# --- Grades --------------------------------------------------------------------------------------------------------


def test_what_no_case_notices_is_named_with_its_place(own: Path) -> None:
    found = graded(own)
    assert found.grade is not None
    assert found.grade.letter != "A"
    said = {survivor.said: survivor for survivor in found.survivors}
    loosened = said["`<=` read as `<` in `term.months <= params.longest`"]
    assert (loosened.as_it_is, loosened.misread) == ("pass", "fail, low")
    assert loosened.case["given"] == {"process": {"route": "open_tender"}, "term": {"months": 36}}
    assert own.read_text("utf-8").splitlines()[(loosened.line or 0) - 1].strip().startswith("require:")
    assert "the parameter longest: 36 read as 37" in said


def test_each_case_that_is_offered_notices_what_it_is_for(own: Path) -> None:
    raw = yaml.safe_load(own.read_text("utf-8"))
    survivors = graded(own).survivors
    offered = {one_line(survivor.case): survivor.case for survivor in survivors}
    assert not any(survivor.is_there for survivor in survivors)
    assert len(offered) < len(survivors), "one case is offered for several mistakes where it notices them"
    raw["rules"][0]["cases"] += offered.values()
    own.write_text(json.dumps(raw), "utf-8")
    assert check_packs([own]).faults == ()
    found = graded(own)
    assert found.survivors == ()
    assert found.grade is not None
    assert (found.grade.percent, found.grade.letter) == (100.0, "A")


def test_what_law_says_of_dates_and_regimes_is_misread_too(tmp_path: Path) -> None:
    """One rule of law by itself, and its dated numbers: what no case notices, the cases offered do."""
    law = next(
        one.pack.id for one in shipped_packs() if one.pack.law and any(p.values for p in one.pack.parameters.values())
    )
    raw = yaml.safe_load((shipped_folder("rules") / f"{law}.yaml").read_text("utf-8"))
    raw["rules"] = [rule for rule in raw["rules"] if "params." in json.dumps(rule, default=str)][:1]
    named = json.dumps(raw["rules"], default=str)
    raw["parameters"] = {name: value for name, value in raw["parameters"].items() if f"params.{name}" in named}
    path = tmp_path / f"{law}.yaml"

    def grade() -> GradedPack:
        path.write_text(json.dumps(raw, default=str), "utf-8")
        return graded(path)

    offered: dict[str, Any] = {}
    found = grade()
    assert found.grade is not None
    for survivor in found.survivors:
        offered[one_line(survivor.case)] = survivor
    for survivor in offered.values():
        if survivor.is_there:
            case = next(one for one in raw["rules"][0]["cases"] if one["name"] == survivor.case["name"])
            case.update(survivor.case)
        else:
            raw["rules"][0]["cases"].append(survivor.case)
    after = grade()
    assert after.survivors == ()
    # The day on which the law changed, and the number, were among what was misread.
    name, parameter = next((n, p) for n, p in read_pack(path).pack.parameters.items() if p.values)
    said = " ".join(mutant.said for mutant in parameter_mutants(name, parameter))
    assert "a day earlier than from" in said
    assert "read as" in said
    assert after.grade is not None
    assert after.grade.mutants >= len(list(parameter_mutants(name, parameter))) // 2


def test_a_mistake_that_changes_nothing_does_not_count(tmp_path: Path) -> None:
    body = SHORT.replace("term.months <= params.longest", "term.months <= params.longest && term.months >= 0")
    path = tmp_path / "own.yaml"
    path.write_text(pack(rule(body=body)), "utf-8")
    found = graded(path)
    assert "0 read as -1" in {one.said for one in found.equivalents}
    assert found.grade is not None
    assert found.grade.equivalents == len(found.equivalents)
    assert found.grade.mutants == found.grade.killed + len(found.survivors)


def test_grading_is_the_same_each_time(own: Path) -> None:
    assert graded(own) == graded(own)


def test_a_case_that_is_there_is_asked_to_expect_more(tmp_path: Path) -> None:
    body = """\
decide:
      - fail: "term.months > 60"
        finding: Much too long.
      - fail: "term.months > params.longest"
        severity: low
        finding: Too long.
      - pass: "term.months <= params.longest"
    mend: [{set: term.months, to: params.longest, kind: decision}]"""
    cases = """\
      - {name: six years, expect: fail, given: {term: {months: 72}}}
      - {name: five years, expect: fail, given: {term: {months: 60}}}
      - {name: a year, expect: pass, given: {term: {months: 12}}}
      - {name: not stated, expect: unknown, given: {}}"""
    path = tmp_path / "own.yaml"
    path.write_text(
        pack(rule(body=body, cases=cases).replace("severity: low\n    strength", "severity: medium\n    strength"))
    )
    found = graded(path)
    severity = next(one for one in found.survivors if one.said == "the severity low left out")
    assert severity.is_there
    assert severity.case == {"name": "five years", "expect": "fail", "severity": "low"}


def test_a_branch_that_nothing_reaches_and_rules_that_can_never_both_be_met(tmp_path: Path) -> None:
    unreached = """\
decide:
      - fail: "term.months > params.longest"
        finding: Too long.
      - fail: "term.months > 48"
        finding: Never said.
      - pass: "term.months <= params.longest"
    mend: [{set: term.months, to: params.longest, kind: decision}]"""
    against = """\
require: "term.months >= 48"
    finding: Too short.
    mend: [{set: term.months, value: 48, kind: decision}]"""
    cases = """\
      - {name: long, expect: LONG, given: {term: {months: 60}}}
      - {name: short, expect: SHORT, given: {term: {months: 12}}}
      - {name: not stated, expect: unknown, given: {}}"""
    first = rule("OWN-1", unreached, cases.replace("LONG", "fail").replace("SHORT", "pass"))
    second = rule("OWN-2", against, cases.replace("LONG", "pass").replace("SHORT", "fail"))
    path = tmp_path / "own.yaml"
    path.write_text(pack(first, second), "utf-8")
    messages = [warning.message for warning in graded(path).warnings]
    assert messages == [
        "nothing that was tried reaches this branch of OWN-1",
        "no description that was tried meets both OWN-1 and OWN-2, though both can be asked of one",
    ]


def test_a_rule_whose_cases_are_wrong_is_not_graded(own: Path) -> None:
    own.write_text(own.read_text("utf-8").replace("months: 12", "months: 37"), "utf-8")
    found = graded(own)
    assert found.skipped == ("OWN-1",)
    assert found.grade is None


@pytest.mark.parametrize(
    ("killed", "survivors", "percent", "letter"),
    [(95, 5, 95.0, "A"), (949, 51, 94.9, "B"), (9499, 501, 94.9, "B"), (0, 3, 0.0, "E"), (7, 0, 100.0, "A")],
)
def test_percentages_are_rounded_down(killed: int, survivors: int, percent: float, letter: str) -> None:
    grade = grade_of(killed, survivors, 0, 1)
    assert grade is not None
    assert (grade.percent, grade.letter) == (percent, letter)


def test_a_pack_without_mutants_has_no_grade() -> None:
    assert grade_of(0, 0, 4, 0) is None


# --- The command ---------------------------------------------------------------------------------------------------


def test_the_command_prints_cases_to_paste_and_fails_below_the_grade_asked_for(own: Path) -> None:
    result = run("packs", "check", own, "--min-grade", "95")
    assert result.exit_code == 1
    assert "and 95% is asked for." in result.output
    line = next(line for line in result.output.splitlines() if line.startswith("      - {name:"))
    case = yaml.safe_load(line)[0]
    assert {"name", "expect", "given"} <= case.keys()
    assert run("packs", "check", own, "--min-grade", "10").exit_code == 0


def test_one_rule_is_graded_by_itself(own: Path) -> None:
    data = json.loads(run("packs", "check", own, "--rule", "OWN-1", "--format", "json").output)
    assert data["faults"] == []
    assert (
        data["graded"][0]["grade"]["mutants"]
        < json.loads(run("packs", "check", own, "--grade", "--format", "json").output)["graded"][0]["grade"]["mutants"]
    )
    assert all("the parameter" not in one["mistake"] for one in data["graded"][0]["survivors"])
    other = run("packs", "check", own, "--rule", "PP-03")
    assert other.exit_code == 2
    assert "PP-03 is in none of the packs to be checked" in other.output
    assert run("packs", "check", own, "--rule", "OWN-1", "--save").exit_code == 2


def test_a_saved_grade_is_in_the_reports_until_the_pack_changes(own: Path) -> None:
    def grade() -> Any:
        used = load_packs(["own-rules"], rules=[own.parent])
        report = audit({"kind": "tender"}, used)
        assert "Rules of our own" in render(report)
        return report.packs[0].grade, render(report), markdown([report])

    assert grade()[0] is None
    assert "Rules of our own not graded" in " ".join(grade()[1].split())
    assert run("packs", "check", own, "--save").exit_code == 0
    kept, text, short = grade()
    assert kept == graded(own).grade
    for page in (text, short):
        assert f"Rules of our own {kept.letter} ({int(kept.percent)}%)" in " ".join(page.split())
    listing = " ".join(run("packs", "list", "--rules", own.parent).output.split())
    assert f"Tested {kept.letter}: its 4 cases notice {kept.killed} of {kept.mutants} mistakes" in listing
    own.write_text(own.read_text("utf-8") + "# changed\n", "utf-8")
    assert grade()[0] is None


@pytest.mark.parametrize("held", ["", "[]", '{"key": 1}', '{"key": "KEY", "grade": {"letter": "Z"}}'])
def test_a_damaged_grade_is_no_grade(own: Path, held: str) -> None:
    key = grade_key(read_pack(own), [*shipped_packs(), read_pack(own)])
    own.with_name("own.grade.json").write_text(held.replace("KEY", key), "utf-8")
    assert load_packs(["own-rules"], rules=[own.parent]).packs[-1].grade is None


def test_a_grade_depends_on_the_definitions_that_the_pack_uses(own: Path) -> None:
    own.write_text(own.read_text("utf-8").replace("rules:\n", "uses: [common]\nrules:\n", 1), "utf-8")
    target, shipped = read_pack(own), shipped_packs()
    changed = [replace(one, digest="sha256:0") if one.pack.id == "common" else one for one in shipped]
    other = [replace(one, digest="sha256:0") if one.pack.id != "common" else one for one in shipped]
    assert grade_key(target, shipped) != grade_key(target, changed)
    assert grade_key(target, shipped) == grade_key(target, other)


# --- The shipped packs ---------------------------------------------------------------------------------------------


def test_the_grades_of_the_shipped_packs_are_of_the_packs_as_they_are() -> None:
    built = {one["pack"].get("pack"): one for one in json.loads(BUILT.read_text("utf-8"))["packs"]}
    loaded = [read_pack(path) for path in pack_files(shipped_folder("rules"))]
    for one in loaded:
        if one.pack.rules:
            assert built[one.pack.id]["graded"] == grade_key(one, loaded), one.pack.id
            assert built[one.pack.id]["grade"]["percent"] >= LEAST, one.pack.id


def test_the_stored_grade_of_a_rule_pack_is_what_grading_gives(tmp_path: Path) -> None:
    """One pack here; ``.ci/run`` grades them all."""
    smallest = min((one for one in shipped_packs() if one.grade), key=lambda one: one.grade.mutants if one.grade else 0)
    path = shipped_folder("rules") / f"{smallest.pack.id}.yaml"
    copied = Path(shutil.copy(path, tmp_path))
    assert graded(copied).grade == smallest.grade


def test_definitions_are_graded_by_the_rules_that_rest_on_them(own: Path) -> None:
    definitions = 'definitions: ours\nversion: 1.0.0\ntitle: Ours\nlet:\n  lasting: {is: "term.months > 36"}\n'
    (own.parent / "ours.yaml").write_text(definitions, "utf-8")
    head, _, rest = own.read_text("utf-8").partition("parameters:")
    rest = rest.partition("rules:")[2].replace("term.months <= params.longest", "!lasting")
    rest = rest.replace("to: params.longest", "value: 36")
    own.write_text(f"{head}uses: [ours]\nrules:{rest}", "utf-8")
    data = json.loads(run("packs", "check", own.parent, "--grade", "--format", "json").output)
    by_pack = {one["pack"]: one for one in data["graded"]}
    assert "`>` read as `>=` in `term.months > 36`, in the let lasting" in {
        one["mistake"] for one in by_pack["ours"]["survivors"]
    }
    assert {one["rule"] for one in by_pack["ours"]["survivors"]} == {"OWN-1"}
    assert all("in the let lasting" not in one["mistake"] for one in by_pack["own-rules"]["survivors"])
