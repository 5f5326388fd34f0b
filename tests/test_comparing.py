"""Comparisons: each kind of change is named as what it is, nothing is said of what did not change, and files match."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import ValidationError

from goodcommission import audit
from goodcommission.cli import main
from goodcommission.comparing import Comparison, Comparisons, compare, pairs
from goodcommission.description.reading import read_description
from goodcommission.report.comparison import render
from goodcommission.report.model import AuditReport
from goodcommission.report.reading import read_reports

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)
ON = ("--as-of", DAY.isoformat(), "--no-config")
TENDER: dict[str, Any] = json.loads((EXAMPLES / "tender.json").read_text("utf-8"))
DOCUMENTS = [
    "tender.json",
    "contract.yaml",
    "decommissioning-plan.yaml",
    "ocds/sell2wales-substance-use-alliance.json",
]


def run(*arguments: str | Path, **options: Any) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)], **options)


def changed(edit: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The tender of the examples with an edit."""
    raw: dict[str, Any] = json.loads(json.dumps(TENDER))
    edit(raw)
    return raw


def of(raw: Any, **options: Any) -> AuditReport:
    return audit(raw, as_of=DAY, **options)


def shorter(raw: dict[str, Any]) -> None:
    raw["process"]["response_pages"] = 34


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def with_result(report: AuditReport, rule: str, **update: Any) -> AuditReport:
    results = tuple(r.model_copy(update=update) if r.rule.id == rule else r for r in report.results)
    return report.model_copy(update={"results": results})


def with_pattern(report: AuditReport, id: str, **update: Any) -> AuditReport:
    patterns = tuple(one.model_copy(update=update) if one.id == id else one for one in report.patterns)
    return report.model_copy(update={"patterns": patterns})


def only_change(comparison: Comparison) -> Any:
    (change,) = (*comparison.rules, *comparison.patterns)
    return change


# Nothing changed


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_same_document_twice_shows_no_change(name: str) -> None:
    report = of(EXAMPLES / name)
    comparison = compare(report, AuditReport.model_validate_json(report.to_json()))
    assert comparison.same
    assert (comparison.rules, comparison.patterns, comparison.facts, comparison.unlike) == ((), (), (), ())
    assert (comparison.better, comparison.worse, comparison.only_before, comparison.only_after) == (0, 0, (), ())
    assert comparison.common_score is None
    assert comparison.score.before == comparison.score.after
    assert "Nothing changed: it is the same document, audited in the same way." in render(comparison)


def test_the_order_of_a_list_is_no_change() -> None:
    reordered = changed(lambda raw: raw["requirements"]["insurance"]["items"].reverse())
    assert compare(of(TENDER), of(reordered)).same


def test_what_no_rule_rests_on_is_no_change_but_not_the_same_document() -> None:
    comparison = compare(of(TENDER), of(changed(lambda raw: raw.update(summary="Another summary."))))
    assert comparison.same
    assert "Nothing changed in what the rules say" in render(comparison)


# What changed


@pytest.mark.parametrize(
    ("was", "now", "kind", "direction"),
    [
        ("fail", "pass", "verdict", "better"),
        ("unknown", "pass", "verdict", "better"),
        ("pass", "fail", "verdict", "worse"),
        ("unknown", "fail", "verdict", "worse"),
        ("pass", "unknown", "newly_unknown", "neither"),
        ("fail", "unknown", "newly_unknown", "neither"),
        ("not_applicable", "pass", "newly_asked", "neither"),
        ("not_applicable", "unknown", "newly_asked", "neither"),
        ("not_applicable", "fail", "newly_asked", "worse"),
        ("not_yet_due", "fail", "newly_asked", "worse"),
        ("not_applicable", "not_yet_due", "newly_asked", "neither"),
        ("fail", "not_applicable", "no_longer_asked", "neither"),
        ("pass", "not_yet_due", "no_longer_asked", "neither"),
    ],
)
def test_each_change_of_a_verdict_is_named(was: str, now: str, kind: str, direction: str) -> None:
    report = of(TENDER)
    change = only_change(compare(with_result(report, "PP-01", verdict=was), with_result(report, "PP-01", verdict=now)))
    assert (change.rule.id, change.kind, change.direction) == ("PP-01", kind, direction)
    assert (change.before.verdict, change.after.verdict) == (was, now)


@pytest.mark.parametrize(
    ("before", "after", "kind", "direction"),
    [
        ({"severity": "low"}, {"severity": "high"}, "finding", "worse"),
        ({"severity": "high"}, {"severity": "medium"}, "finding", "better"),
        ({"finding": "92 pages."}, {"finding": "80 pages."}, "finding", "neither"),
        ({"provisional": False}, {"provisional": True}, "certainty", "neither"),
        ({"verdict": "pass", "claimed": True}, {"verdict": "pass", "claimed": False}, "certainty", "neither"),
    ],
)
def test_a_finding_that_is_still_there_says_something_else(
    before: dict[str, Any], after: dict[str, Any], kind: str, direction: str
) -> None:
    report = of(TENDER)
    change = only_change(compare(with_result(report, "PP-01", **before), with_result(report, "PP-01", **after)))
    assert (change.kind, change.direction) == (kind, direction)


@pytest.mark.parametrize(
    ("severity", "was", "now", "kind", "direction"),
    [
        ("high", "excluded", "concluded", "concluded", "worse"),
        ("high", "open", "concluded", "concluded", "worse"),
        ("high", "concluded", "excluded", "gone", "better"),
        ("high", "concluded", "open", "open", "neither"),
        ("positive", "open", "concluded", "concluded", "better"),
        ("positive", "concluded", "excluded", "gone", "worse"),
    ],
)
def test_combined_findings_come_and_go(severity: str, was: str, now: str, kind: str, direction: str) -> None:
    report = of(TENDER)
    id = report.patterns[0].id
    before, after = (with_pattern(report, id, outcome=outcome, severity=severity) for outcome in (was, now))
    change = only_change(compare(before, after))
    assert (change.id, change.kind, change.direction) == (id, kind, direction)


def test_an_open_combined_finding_that_is_excluded_is_no_change() -> None:
    report = of(TENDER)
    id = report.patterns[0].id
    assert compare(with_pattern(report, id, outcome="open"), with_pattern(report, id, outcome="excluded")).same


def test_a_value_that_moved_is_shown_with_both_places(tmp_path: Path) -> None:
    old = written(tmp_path, "old.json", json.dumps(TENDER, indent=2))
    new = written(tmp_path, "new.json", json.dumps(changed(shorter), indent=4))
    comparison = compare(of(old), of(new))
    (fact,) = comparison.facts
    assert fact.before is not None
    assert fact.after is not None
    assert (fact.name, fact.before.value, fact.after.value) == ("process.response_pages", 92, 34)
    assert (fact.before.file, fact.after.file) == (str(old), str(new))
    for placed, text in ((fact.before, "92"), (fact.after, "34")):
        assert placed.line is not None
        line = Path(placed.file).read_text("utf-8").splitlines()[placed.line - 1]
        assert f'"response_pages": {text}' in line
    change = next(one for one in comparison.rules if one.rule.id == "PP-01")
    assert (change.direction, change.after.verdict) == ("better", "pass")
    # Its group is not met as a whole, so that the score stays; what got better is said all the same.
    assert (comparison.better, comparison.worse, comparison.score.difference) == (1, 0, 0)


def test_a_fact_that_is_no_longer_stated_is_said_to_be_so() -> None:
    comparison = compare(of(TENDER), of(changed(lambda raw: raw["process"].pop("response_pages"))))
    (fact,) = (fact for fact in comparison.facts if fact.name == "process.response_pages")
    assert fact.before is not None
    assert fact.after is None
    change = next(one for one in comparison.rules if one.rule.id == "PP-01")
    assert (change.kind, change.direction) == ("newly_unknown", "neither")
    assert comparison.worse == 0


def test_with_the_documents_a_value_is_compared_that_only_one_audit_rests_on() -> None:
    raised = changed(lambda raw: raw["requirements"]["minimum_annual_turnover"].update(amount=100000))
    old, new = read_description(TENDER), read_description(raised)
    name = "requirements.minimum_annual_turnover"
    assert name not in [fact.name for fact in of(old).facts]
    (fact,) = compare(of(old), of(new), documents=(old, new)).facts
    assert (fact.name, fact.before and fact.before.text, fact.after and fact.after.text) == (
        name,
        "£250,000",
        "£100,000",
    )
    assert compare(of(old), of(new)).facts == ()
    (turned,) = compare(of(new), of(old), documents=(new, old)).facts
    assert (turned.before, turned.after) == (fact.after, fact.before)
    for one in (old, new):
        assert compare(of(one), of(one), documents=(one, one)).same


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("other", DOCUMENTS)
def test_any_two_documents_can_be_compared(name: str, other: str) -> None:
    documents = read_description(EXAMPLES / name), read_description(EXAMPLES / other)
    comparison = compare(of(documents[0]), of(documents[1]), documents=documents)
    back = compare(of(documents[1]), of(documents[0]), documents=documents[::-1])
    assert comparison.same == (name == other)
    assert {fact.name for fact in comparison.facts} == {fact.name for fact in back.facts}
    assert len(comparison.rules) == len(back.rules)
    assert render(comparison)


# Not made alike


def test_other_packs_are_compared_on_what_both_have() -> None:
    alone, whole = of(TENDER, packs=["proportionate-procurement"]), of(changed(shorter))
    comparison = compare(alone, whole)
    assert comparison.compared == len(alone.results)
    assert comparison.only_before == ()
    assert {one.pack for one in comparison.only_after} >= {"equality-impact", "subcontracting"}
    assert {one.what for one in comparison.unlike} == {"packs"}
    assert {change.rule.pack for change in comparison.rules} == {"proportionate-procurement"}
    assert comparison.common_score is not None
    same_packs = of(changed(shorter), packs=["proportionate-procurement"])
    assert comparison.common_score.after.score == same_packs.score.score
    text = render(comparison)
    assert "Not made alike" in text
    assert "only in the new audit, of equality-impact: EI-01, EI-02" in text


def test_another_version_of_a_pack_is_named_and_the_rules_that_it_changed() -> None:
    report = of(TENDER)
    packs = tuple(
        pack.model_copy(update={"version": "2.0.0", "digest": "sha256:0"})
        if pack.id == "proportionate-procurement"
        else pack
        for pack in report.packs
    )
    logic = tuple(one.model_copy(update={"when": "true"}) if one.rule == "PP-01" else one for one in report.logic)
    other = with_result(report, "PP-01", verdict="pass").model_copy(
        update={"packs": packs, "packs_digest": "sha256:1", "logic": logic}
    )
    comparison = compare(report, other)
    (unlike,) = comparison.unlike
    assert (unlike.what, unlike.after) == ("packs", "2.0.0")
    assert only_change(comparison).rule_changed
    assert "rules that were changed themselves, and say something else: PP-01." in render(comparison)


def test_a_limit_that_was_configured_otherwise_is_named(tmp_path: Path) -> None:
    written(tmp_path, "goodcommission.toml", "[parameters.proportionate-procurement]\nturnover_multiple = 3.0\n")
    tender, saved = written(tmp_path, "tender.json", TENDER), tmp_path / "audit.json"
    saved.write_text(of(tender).to_json(), "utf-8")
    result = run(saved, tender, "--format", "json")
    (comparison,) = Comparisons.model_validate_json(result.stdout).comparisons
    (unlike,) = comparison.unlike
    assert unlike.what == "parameter"
    assert unlike.message == "the limit turnover_multiple (proportionate-procurement): 2 and 3"


def test_another_day_tier_kind_and_document_are_named() -> None:
    before = audit(TENDER, as_of=dt.date(2026, 11, 1), tier="small")
    after = of(EXAMPLES / "contract.yaml")
    comparison = compare(before, after)
    assert [one.what for one in comparison.unlike] == ["document", "kind", "day", "tier"]
    assert "the day of the audit: 1 November 2026 and 20 November 2026." in render(comparison)


def test_waivers_are_named_and_the_scores_compared_without_them(tmp_path: Path) -> None:
    waivers = {
        "waivers": [
            {
                "rule": "PP-11",
                "document": "*",
                "reason": "The long papers are needed this once, and were agreed.",
                "owner": "A. Head",
                "granted": "2026-11-01",
                "expires": "2027-01-31",
            }
        ]
    }
    file, saved = written(tmp_path, "waivers.json", waivers), tmp_path / "audit.json"
    made = CliRunner().invoke(
        main,
        ["audit", str(EXAMPLES / "tender.json"), *ON, "--waivers", str(file), "--format", "json", "-o", str(saved)],
    )
    assert made.exit_code == 0, made.output
    comparison = compare(read_reports(saved)[0], of(EXAMPLES / "tender.json"))
    assert [one.what for one in comparison.unlike] == ["waivers"]
    assert only_change(comparison).kind == "waiver"
    assert comparison.common_score is not None
    assert comparison.common_score.difference == 0
    assert comparison.score.difference != 0


def test_a_combined_finding_that_one_audit_could_not_check_in_full_is_left_out() -> None:
    report = of(TENDER)
    id = report.patterns[0].id
    partly = with_pattern(report, id, outcome="open", not_checked=("EI-01: fail",))
    comparison = compare(partly, with_pattern(report, id, outcome="concluded"))
    assert comparison.patterns == ()
    assert id in comparison.unlike[0].message


# Matching


def test_documents_are_matched_by_id_then_by_name() -> None:
    before = [("A", "a.json"), (None, "old/b.json"), ("C", "c.json"), (None, "f.json#ocds-1")]
    after = [(None, "new/b.json"), ("A", "renamed.json"), ("D", "d.json"), (None, "g.json#ocds-1")]
    matched, left, new = pairs(before, after, lambda one: one)
    assert matched == [(before[1], after[0]), (before[0], after[1]), (before[3], after[3])]
    assert (left, new) == ([("C", "c.json")], [("D", "d.json")])


def test_documents_with_one_id_are_told_apart_by_their_names() -> None:
    two = [("A", "one.json"), ("A", "two.json")]
    assert pairs(two, two[::-1], lambda one: one)[0] == [(two[1], two[1]), (two[0], two[0])]


def test_one_document_on_each_side_is_compared_whatever_it_is_called() -> None:
    assert pairs([("A", "a.json")], [("B", "b.json")], lambda one: one)[0] == [(("A", "a.json"), ("B", "b.json"))]


def test_several_reports_are_compared_one_by_one(tmp_path: Path) -> None:
    tender, contract, plan = (of(EXAMPLES / name) for name in DOCUMENTS[:3])
    better = of(changed(shorter))
    old = written(tmp_path, "old.json", f"[{tender.to_json()}, {contract.to_json()}]")
    new = written(tmp_path, "new.json", f"[{plan.to_json()}, {better.to_json()}]")
    result = run(old, new, "--format", "json")
    assert result.exit_code == 0, result.output
    found = Comparisons.model_validate_json(result.stdout)
    assert [one.after.id for one in found.comparisons] == ["WXC-2026-117"]
    assert found.only_before == (contract.document.name,)
    assert found.only_after == (plan.document.name,)
    text = run(old, new).stdout
    assert "1 document compared" in text
    assert f"Only in the first file, and compared with nothing:\n  - {contract.document.name}"[:50] in text


# The command


def test_documents_are_audited_on_one_day_and_with_the_same_packs(tmp_path: Path) -> None:
    old, new = written(tmp_path, "old.json", TENDER), written(tmp_path, "new.json", changed(shorter))
    result = run(old, new, *ON, "--pack", "proportionate-procurement", "--format", "json")
    (comparison,) = Comparisons.model_validate_json(result.stdout).comparisons
    assert (comparison.before.as_of, comparison.after.as_of) == ("2026-11-20", "2026-11-20")
    assert comparison.before.packs_digest == comparison.after.packs_digest
    assert comparison.unlike == comparison.notes == ()
    assert run(old, new, *ON, "--pack", "proportionate-procurement", "--format", "json").stdout == result.stdout


@pytest.mark.parametrize("turned", [False, True])
def test_a_document_is_audited_as_of_the_day_of_the_saved_report(tmp_path: Path, turned: bool) -> None:
    saved = written(tmp_path, "audit.json", audit(TENDER, as_of=dt.date(2026, 11, 1), tier="large").to_json())
    tender = written(tmp_path, "tender.json", TENDER)
    result = run(*((tender, saved) if turned else (saved, tender)), "--no-config")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "tender.json was audited as of 1 November 2026, the day of the saved report." in said
    assert "was audited in the tier of the saved report, large." in said
    assert "Nothing changed" in said
    assert "Not made alike" not in said


def test_a_day_that_is_given_stands_before_the_report_s(tmp_path: Path) -> None:
    saved = written(tmp_path, "audit.json", audit(TENDER, as_of=dt.date(2026, 11, 1)).to_json())
    result = run(saved, written(tmp_path, "tender.json", TENDER), *ON, "--format", "json")
    (comparison,) = Comparisons.model_validate_json(result.stdout).comparisons
    assert (comparison.before.as_of, comparison.after.as_of) == ("2026-11-01", "2026-11-20")
    assert [one.what for one in comparison.unlike] == ["day"]
    assert comparison.notes == ()


def test_fail_on_worse(tmp_path: Path) -> None:
    old, new = written(tmp_path, "old.json", changed(shorter)), written(tmp_path, "new.json", TENDER)
    worse = run(old, new, *ON, "--fail-on-worse")
    assert worse.exit_code == 1
    assert "for the worse." in worse.stderr
    assert run(old, new, *ON).exit_code == 0
    assert run(new, old, *ON, "--fail-on-worse").exit_code == 0
    assert run(new, new, *ON, "--fail-on-worse").exit_code == 0


def test_either_may_come_from_standard_input(tmp_path: Path) -> None:
    tender, report = written(tmp_path, "tender.json", TENDER), of(TENDER).to_json()
    for given in (report, json.dumps(TENDER)):
        result = run("-", tender, *ON, input=given)
        assert result.exit_code == 0, result.output
        assert "Nothing changed" in result.stdout
    assert run("-", "-", input=report).exit_code == 2


def test_the_output_may_be_a_file_but_not_one_that_is_read(tmp_path: Path) -> None:
    tender = written(tmp_path, "tender.json", TENDER)
    assert run(tender, tender, *ON, "-o", tmp_path / "diff.txt").exit_code == 0
    assert "Nothing changed" in (tmp_path / "diff.txt").read_text("utf-8")
    refused = run(tender, tender, *ON, "-o", tender)
    assert refused.exit_code == 2
    assert json.loads(tender.read_text("utf-8")) == TENDER


def test_bad_input_is_said_of_both_files(tmp_path: Path) -> None:
    cut = written(tmp_path, "cut.json", of(TENDER).to_json()[:3000])
    typo = written(tmp_path, "typo.json", {"kind": "tender", "titel": "Befriending"})
    result = run(cut, typo, *ON)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "cut.json:" in result.stderr
    assert "typo.json:1:20" in result.stderr
    missing = run(tmp_path / "nowhere.json", cut)
    assert missing.exit_code == 2
    assert "there is no such file" in missing.stderr


def test_files_with_nothing_in_common_are_an_error(tmp_path: Path) -> None:
    tender, contract, plan = (of(EXAMPLES / name).to_json() for name in DOCUMENTS[:3])
    result = run(written(tmp_path, "old.json", f"[{tender}, {contract}]"), written(tmp_path, "new.json", plan))
    assert result.exit_code == 2
    assert "have no document in common" in result.stderr


def test_what_a_document_says_does_not_act_on_the_terminal() -> None:
    report = of(TENDER)
    hostile = report.model_copy(
        update={"document": report.document.model_copy(update={"title": "\x1b[31mred\u202e" * 999, "id": "x\x1b]0;y"})}
    )
    for width in (48, 80, 300):
        text = render(compare(report, hostile), width=width)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert max(map(len, text.splitlines())) <= min(width, 100)


def test_a_comparison_is_a_frozen_value_and_its_json_reads_back() -> None:
    comparison = compare(of(TENDER), of(changed(shorter)))
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison
    with pytest.raises(ValidationError):
        comparison.better = 0  # type: ignore[misc]
