"""The report's own stories, as descriptions: our packs say of each what the report says, and nothing of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from goodcommission.auditing import audit
from goodcommission.report.model import AuditReport

HERE = Path(__file__).parent
VIGNETTES: list[dict[str, Any]] = yaml.safe_load((HERE / "fixtures" / "vignettes.yaml").read_text("utf-8"))
DECISION = (HERE.parent / "docs" / "decisions" / "0001-vignettes.md").read_text("utf-8")
DECIDED = ("pass", "fail")

each = pytest.mark.parametrize("vignette", VIGNETTES, ids=[one["id"] for one in VIGNETTES])


def audited(vignette: dict[str, Any]) -> AuditReport:
    return audit(vignette["description"], tier=vignette.get("tier"))


def outcomes(report: AuditReport) -> dict[str, str]:
    """Verdict of each rule and outcome of each pattern."""
    return {one.rule.id: one.verdict for one in report.results} | {one.id: one.outcome for one in report.patterns}


def severities(report: AuditReport) -> dict[str, str]:
    return {one.rule.id: one.severity for one in report.results} | {one.id: one.severity for one in report.patterns}


@each
def test_the_vignette_gets_its_verdicts(vignette: dict[str, Any]) -> None:
    report = audited(vignette)
    got, expected = outcomes(report), vignette.get("expect", {})
    assert {id: got[id] for id in expected} == expected
    assert {id: severities(report)[id] for id in vignette.get("severity", {})} == vignette.get("severity", {})
    provisional = [one.rule.id for one in report.results if one.provisional]
    assert provisional == vignette.get("provisional", [])
    assert report.engine.differences == ()


@each
def test_of_a_vignette_nothing_else_is_decided(vignette: dict[str, Any]) -> None:
    report, expected = audited(vignette), vignette.get("expect", {})
    assert [one.rule.id for one in report.results if one.verdict in DECIDED and one.rule.id not in expected] == []
    assert [one.id for one in report.patterns if one.outcome == "concluded" and one.id not in expected] == []


@each
def test_a_vignette_that_departs_from_the_catalogue_says_why(vignette: dict[str, Any]) -> None:
    listed, expected = vignette.get("listed", {}), vignette.get("expect", {})
    rows = [line for line in DECISION.splitlines() if line.startswith(f"| {vignette['id']} |")]
    for id in listed:
        if expected.get(id) != listed[id]:
            assert any(id in row.split("|")[2] for row in rows), f"{vignette['id']}: no row for {id}"


def test_all_vignettes_of_the_report_are_here() -> None:
    assert {one["id"][:4] for one in VIGNETTES} == {f"V-{number:02}" for number in range(1, 23)}


def test_a_vignette_without_a_value_is_audited_as_large() -> None:
    for vignette in VIGNETTES:
        if vignette["lines"] != "none":
            assert ("tier" in vignette) == ("value" not in vignette["description"]), vignette["id"]


@pytest.mark.parametrize("tier", [None, "small", "medium", "large"])
@pytest.mark.parametrize("kind", ["tender", "contract", "decommissioning_plan", "grant_programme"])
def test_the_empty_vignette_decides_nothing_in_any_tier(kind: str, tier: Any) -> None:
    report = audit({"kind": kind}, tier=tier)
    assert {one.verdict for one in report.results} <= {"unknown", "not_applicable"}
    assert (report.score.score, report.score.grade) == (None, "insufficient evidence")
    assert {one.outcome for one in report.patterns} <= {"open", "excluded"}
