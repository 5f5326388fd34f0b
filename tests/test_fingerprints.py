"""A finding keeps its name while it is the same finding, however the document is written down."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from goodcommission import audit
from goodcommission.report.fingerprints import fingerprint
from goodcommission.report.model import AuditReport, Waiver, WaiverFinding

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)


def tender() -> dict[str, Any]:
    value: dict[str, Any] = json.loads((EXAMPLES / "tender.json").read_text("utf-8"))
    return value


def audited(folder: Path, value: dict[str, Any], name: str = "tender.json", **layout: Any) -> AuditReport:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, **layout) if name.endswith(".json") else yaml.safe_dump(value, sort_keys=True)
    file.write_text(text, "utf-8")
    return audit(file, as_of=DAY, engine="reference")


def names(report: AuditReport) -> dict[str, str]:
    """The fingerprint of each finding by its id."""
    found = {r.rule.id: fingerprint(r, report.document) for r in report.results if r.verdict == "fail"}
    return found | {p.id: fingerprint(p, report.document) for p in report.patterns if p.outcome == "concluded"}


def backwards(value: Any) -> Any:
    """The same with the fields in the opposite order."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def test_they_are_32_hexadecimal_digits_and_differ(tmp_path: Path) -> None:
    found = names(audited(tmp_path, tender()))
    assert len(found) > 10
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found.values())


def test_layout_order_format_and_folder_change_nothing(tmp_path: Path) -> None:
    first = names(audited(tmp_path, tender()))
    assert names(audited(tmp_path / "long", tender(), indent=7)) == first
    assert names(audited(tmp_path / "backwards", backwards(tender()))) == first
    assert names(audited(tmp_path, tender(), "as.yaml")) == first


def test_without_an_id_the_name_of_the_file_counts_and_not_its_folder(tmp_path: Path) -> None:
    value = {name: part for name, part in tender().items() if name != "id"}
    first = names(audited(tmp_path, value))
    assert names(audited(tmp_path / "elsewhere", value)) == first
    assert names(audited(tmp_path, value, "other.json")) != first
    windows = audited(tmp_path, value).document.model_copy(update={"name": "C:\\tenders\\tender.json"})
    unix = windows.model_copy(update={"name": "/tenders/tender.json"})
    result = audited(tmp_path, value).result("PP-01")
    assert fingerprint(result, windows) == fingerprint(result, unix)


def test_another_value_is_the_same_finding_and_another_document_is_not(tmp_path: Path) -> None:
    value = tender()
    first = names(audited(tmp_path, value))
    value["process"]["response_pages"] += 30
    assert names(audited(tmp_path, value))["PP-01"] == first["PP-01"]
    value["id"] = "another"
    assert not set(names(audited(tmp_path, value)).values()) & set(first.values())


def test_the_order_of_a_list_changes_nothing(tmp_path: Path) -> None:
    value = tender()
    first = names(audited(tmp_path, value))
    value["requirements"]["insurance"]["items"].reverse()
    assert names(audited(tmp_path, value))["PP-04"] == first["PP-04"]


@pytest.mark.parametrize("change", [{"kind": "expired"}, {"rule": "PP-02"}, {"pointer": "/process"}])
def test_what_is_wrong_with_a_waiver_has_a_name_too(tmp_path: Path, change: dict[str, str]) -> None:
    document = audited(tmp_path, tender()).document
    waiver = Waiver(
        rule="PP-01",
        document=None,
        pointer=None,
        reason="r",
        owner="o",
        granted="2026-01-01",
        expires="2026-12-31",
        note=None,
        file="waivers.yaml",
        line=1,
    )
    finding = WaiverFinding(
        kind="unused", severity="low", waiver=waiver, message="m", file="waivers.yaml", line=1, concerns=()
    )
    if "kind" in change:
        other = finding.model_copy(update=change)
    else:
        other = finding.model_copy(update={"waiver": waiver.model_copy(update=change)})
    moved = finding.model_copy(update={"line": 7, "message": "n"})
    assert fingerprint(finding, document) == fingerprint(moved, document)
    assert fingerprint(finding, document) != fingerprint(other, document)
