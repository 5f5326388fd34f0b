"""A pack of one's own: it changes and extends ours, and its rules keep their old ids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from goodcommission import audit, load_packs
from goodcommission.baselines import apply as apply_baseline
from goodcommission.baselines import create, update
from goodcommission.cli import main
from goodcommission.comparing import compare
from goodcommission.exceptions import PackError
from goodcommission.gating import Gate, check_gates
from goodcommission.packs.checking import check_packs
from goodcommission.packs.schema import pack_schema
from goodcommission.waivers import apply as apply_waivers
from goodcommission.waivers import read_waivers

GUIDE = (Path(__file__).parent.parent / "docs" / "own-pack.md").read_text("utf-8")
WRITTEN = re.search(r"```yaml north-council.yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
assert WRITTEN
PACK = WRITTEN[1]
SHORT = {
    "kind": "tender",
    "id": "T-1",
    "stage": "draft",
    "process": {"route": "open_tender"},
    "value": {"total": {"amount": 120000, "currency": "GBP"}},
    "term": {"months": 12},
    "requirements": {
        "minimum_annual_turnover": {"amount": 200000, "currency": "GBP"},
        "turnover_justification": "none",
        "turnover_applies_to": "contract",
    },
}


def written(folder: Path, text: str = PACK, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def faults(*paths: Path) -> list[str]:
    return [str(fault) for fault in check_packs(paths).faults]


def test_the_guides_pack_is_right_by_schema_and_by_its_cases(tmp_path: Path) -> None:
    jsonschema.Draft202012Validator(pack_schema()).validate(yaml.safe_load(PACK))
    assert faults(written(tmp_path)) == []


def test_it_switches_off_tightens_and_adds(tmp_path: Path) -> None:
    packs = load_packs(rules=[written(tmp_path)])
    report = audit(SHORT, packs)
    ours = audit(SHORT)
    assert report.result("NC-01").verdict == "fail"
    assert report.result("NC-01").finding == "The contract runs for 12 months; our policy asks for 24."
    with pytest.raises(KeyError):
        report.result("PP-05")
    assert (ours.result("PP-03").verdict, report.result("PP-03").verdict) == ("pass", "fail")
    told = {change.name: change for change in report.adjusted}
    assert told["PP-05"].after == "off"
    assert told["PP-05"].reason == "Our framework team checks certificates for all bidders."
    line = PACK.splitlines().index("  - rule: PP-05") + 1
    assert told["PP-05"].place == f"{tmp_path / 'own.yaml'}:{line}"
    assert (told["turnover_multiple"].before, told["turnover_multiple"].after) == ("2", "1.5")
    assert packs.digest != load_packs().digest


def test_a_change_does_not_reach_packs_that_are_not_used(tmp_path: Path) -> None:
    report = audit(SHORT, load_packs(["north-council"], rules=[written(tmp_path)]))
    assert [result.rule.id for result in report.results] == ["NC-01"]
    assert report.adjusted == ()


def test_a_configuration_comes_after_the_packs(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "goodcommission.toml").write_text(
        'rules = ["own.yaml"]\n[parameters.proportionate-procurement]\nturnover_multiple = 3.0\n', "utf-8"
    )
    (tmp_path / "t.json").write_text(json.dumps(SHORT), "utf-8")
    arguments = [
        "audit",
        str(tmp_path / "t.json"),
        "--config",
        str(tmp_path / "goodcommission.toml"),
        "--format",
        "json",
    ]
    result = CliRunner().invoke(main, arguments)
    verdicts = {one["rule"]["id"]: one["verdict"] for one in json.loads(result.stdout)["results"]}
    assert verdicts["PP-03"] == "pass"
    assert "PP-05" not in verdicts


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("extends: [proportionate-procurement]", "extends: [proportionate]", 6, 'there is no pack "proportionate"'),
        ("extends: [proportionate-procurement]", "extends: [north-council]", 6, "north-council extends itself"),
        ("    of: proportionate-procurement\n", "", 9, "a change of a `parameter` names its pack"),
        ("parameter: turnover_multiple", "parameter: turnover_multiples", 9, "Did you mean turnover_multiple?"),
        ("value: 1.5", "value: lots", 9, "turnover_multiple is a number"),
        ("- rule: PP-05", "- rule: PP-55", 13, 'there is no rule, group or combined finding "PP-55"'),
        ('severity: "off"', "severity: no", 14, "one of high, medium, low, off is expected"),
        ("    reason: Our framework team checks certificates for all bidders.\n", "", 13, '"reason" is missing'),
        ("  least_months: {", "  turnover_multiple: {", 6, "there is a parameter turnover_multiple in"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in PACK
    found = faults(written(tmp_path, PACK.replace(old, new)))
    assert any(message in one and f"own.yaml:{line}:" in one for one in found), found


def test_two_packs_cannot_change_the_same_number(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = written(
        tmp_path,
        "pack: other\nversion: 1.0.0\ntitle: Other\nchanges:\n"
        "  - {parameter: turnover_multiple, of: proportionate-procurement, value: 1.0, reason: Ours}\n",
        "second.yaml",
    )
    assert faults(second) == []
    (fault,) = faults(first, second)
    assert "second.yaml:5" in fault
    assert "changed already, by" in fault
    with pytest.raises(PackError, match="changed already"):
        load_packs(rules=[first, second])


def test_a_pack_extends_another_of_ones_own(tmp_path: Path) -> None:
    first = written(tmp_path)
    rule = yaml.safe_load(PACK)["rules"][0]
    second = {
        "pack": "district",
        "version": "1.0.0",
        "title": "A district",
        "extends": ["north-council"],
        "rules": [{**rule, "id": "ND-01", "severity": "low"}],
    }
    path = written(tmp_path, yaml.safe_dump(second, allow_unicode=True), "second.yaml")
    assert faults(first, path) == []
    report = audit(SHORT, load_packs(rules=[first, path]))
    assert report.result("ND-01").verdict == "fail"
    assert "Commissioning policy" in str(report.result("ND-01").rule.sources[0])


# --- Old ids ---------------------------------------------------------------------------------------------------------

RENAMED = PACK.replace("  - id: NC-01\n", "  - id: NC-02\n    aliases: [NC-01]\n")


@pytest.fixture
def reports(tmp_path: Path) -> Any:
    """The audit under the old id, and under the new one."""
    old = audit(SHORT, load_packs(rules=[written(tmp_path)]))
    new = audit(SHORT, load_packs(rules=[written(tmp_path, RENAMED, "renamed.yaml")]))
    return old, new


def test_a_report_knows_the_old_id(reports: Any) -> None:
    old, new = reports
    assert new.result("NC-01") == new.result("NC-02")
    assert new.result("NC-02").rule.aliases == ("NC-01",)
    assert old.result("NC-01").verdict == new.result("NC-01").verdict == "fail"


def test_a_waiver_of_the_old_id_holds(reports: Any, tmp_path: Path) -> None:
    import datetime as dt

    file = tmp_path / "waivers.yaml"
    file.write_text(
        "waivers:\n  - {rule: NC-01, document: T-1, pointer: /term/months, reason: A pilot, owner: Jo,"
        " granted: 2026-01-01, expires: 2026-06-01}\n",
        "utf-8",
    )
    report = apply_waivers(reports[1], read_waivers(file), dt.date(2026, 3, 1))
    assert report.result("NC-02").waived is not None
    assert report.waiver_findings == ()


def test_a_baseline_with_the_old_id_hides_the_finding(reports: Any) -> None:
    import datetime as dt

    old, new = reports
    baseline = create([old], dt.date(2026, 1, 1))
    assert apply_baseline(new, baseline).result("NC-02").known_before
    ratchet = update(baseline, [new])
    assert ratchet.mended == ()
    assert ratchet.fresh == ()
    assert {one.rule for one in ratchet.baseline.findings} >= {"NC-02"}
    assert {one.first_seen for one in ratchet.baseline.findings} == {"2026-01-01"}


def test_a_gate_on_the_old_id_holds(reports: Any) -> None:
    (result,) = check_gates(reports[1], [Gate("never_fail", ("NC-01",), "a test")])
    assert not result.passed


def test_a_comparison_sees_one_rule(reports: Any) -> None:
    comparison = compare(*reports)
    assert comparison.only_before == comparison.only_after == ()
    assert comparison.rules == ()


def test_a_configuration_and_a_combined_finding_may_use_the_old_id(tmp_path: Path) -> None:
    text = RENAMED + (
        "patterns:\n  - id: NX-01\n    title: Short and dear\n    concludes: risk.short\n    severity: low\n"
        "    all_of: [{rule: NC-01, verdict: fail}]\n    why: It is.\n    remedy: Mend it.\n    cases:\n"
        "      - {name: a, expect: concluded, verdicts: {NC-02: fail}}\n"
        "      - {name: b, expect: open}\n      - {name: c, expect: excluded, verdicts: {NC-02: pass}}\n"
    )
    path = written(tmp_path, text)
    assert faults(path) == []
    report = audit(SHORT, load_packs(rules=[path]))
    assert report.pattern("NX-01").outcome == "concluded"
    (tmp_path / "goodcommission.toml").write_text(
        'rules = ["own.yaml"]\n[severities]\nNC-01 = {severity = "low", reason = "Ours"}\n', "utf-8"
    )
    (tmp_path / "t.json").write_text(json.dumps(SHORT), "utf-8")
    arguments = [
        "audit",
        str(tmp_path / "t.json"),
        "--config",
        str(tmp_path / "goodcommission.toml"),
        "--format",
        "json",
    ]
    result = CliRunner().invoke(main, arguments)
    (found,) = [one for one in json.loads(result.stdout)["results"] if one["rule"]["id"] == "NC-02"]
    assert found["severity"] == "low"


def test_an_old_id_belongs_to_one_rule(tmp_path: Path) -> None:
    taken = faults(written(tmp_path, RENAMED.replace("[NC-01]", "[PP-03]")))
    assert any('the rule id "PP-03" is used already in proportionate-procurement' in one for one in taken)


def test_rules_show_finds_the_old_id(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["rules", "show", "nc-01", "--rules", str(written(tmp_path, RENAMED))])
    assert "NC-02 Contracts of some size run for two years" in result.stdout
    assert re.search(r"Formerly +NC-01", result.stdout)
