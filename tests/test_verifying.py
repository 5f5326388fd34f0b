"""A saved report is verified against its document by a second implementation, and any change is noticed."""

from __future__ import annotations

import ast
import datetime as dt
import json
import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from goodcommission import audit, load_packs, read_documents
from goodcommission import verifying as module
from goodcommission.cli import main
from goodcommission.packs.loading import pack_files, read_pack, shipped_folder
from goodcommission.verifying import verify

ROOT = Path(__file__).parents[1]
DAY = dt.date(2026, 11, 20)
EXAMPLES = sorted(
    path
    for folder in ("examples", "examples/ocds")
    for path in (ROOT / folder).iterdir()
    if path.suffix in (".json", ".yaml")
)


def saved(document: Path, folder: Path, **options: Any) -> Path:
    report = folder / "report.json"
    texts = [audit(one, as_of=DAY, **options).to_json() for one in read_documents(document)]
    report.write_text(texts[0] if len(texts) == 1 else "[\n" + ",\n".join(t[:-1] for t in texts) + "\n]\n", "utf-8")
    return report


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_verified(document: Path, tmp_path: Path) -> None:
    assert [one.differences for one in verify(saved(document, tmp_path), document)] == [()]


@pytest.mark.parametrize("pack", [path.stem for path in pack_files(shipped_folder("rules"))])
def test_each_case_of_each_rule_is_verified(pack: str, tmp_path: Path) -> None:
    """With its own pack; each tenth of them with all packs."""
    rules = read_pack(shipped_folder("rules") / f"{pack}.yaml").pack.rules
    cases = [(rule, case) for rule in rules for case in rule.cases]
    for number, (rule, case) in enumerate(cases):
        packs = load_packs([pack] if number % 10 else None)
        raw = {"kind": rule.applies_to[0], "stage": rule.due_from, **case.given}
        document = tmp_path / "document.json"
        document.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}), "utf-8")
        tier = None if case.tier == "from_value" else case.tier
        day = dt.date.fromisoformat(case.as_of) if case.as_of else DAY
        report = tmp_path / "report.json"
        report.write_text(audit(document, packs, as_of=day, tier=tier, engine="reference").to_json(), "utf-8")
        [found] = verify(report, document)
        assert found.differences == (), f"{rule.id}, {case.name}"
        assert found.verdicts == len(packs.rules)


@pytest.mark.parametrize("which", ["report", "document"])
def test_one_changed_byte_in_either_is_noticed(which: str, tmp_path: Path) -> None:
    document = tmp_path / "tender.json"
    document.write_bytes((ROOT / "examples" / "tender.json").read_bytes())
    report = saved(document, tmp_path)
    changed = report if which == "report" else document
    data = changed.read_bytes()
    places = random.Random(7).sample(range(len(data)), 150)
    for at in [0, len(data) - 1, *places]:
        changed.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        result = CliRunner().invoke(main, ["verify", str(report), str(document)])
        assert result.exit_code in (1, 2), (at, data[max(at - 20, 0) : at + 20])
        assert "the same." not in result.stdout
    changed.write_bytes(data)
    assert CliRunner().invoke(main, ["verify", str(report), str(document)]).exit_code == 0


def sealed(raw: dict[str, Any]) -> str:
    """A report whose digest fits, whatever was done to it."""
    body = json.dumps(raw, ensure_ascii=False, indent=2)
    return f'{body[:-2]},\n  "digest": "sha256:{sha256(body.encode()).hexdigest()}"\n}}\n'


def a_verdict(raw: dict[str, Any]) -> None:
    next(r for r in raw["results"] if r["verdict"] == "fail")["verdict"] = "pass"


def a_provisional(raw: dict[str, Any]) -> None:
    next(r for r in raw["results"] if r["verdict"] == "pass")["provisional"] = True


def a_severity(raw: dict[str, Any]) -> None:
    next(r for r in raw["results"] if r["verdict"] == "fail" and r["severity"] == "high")["severity"] = "low"


def a_score(raw: dict[str, Any]) -> None:
    raw["score"]["score"] += 1


def an_interval(raw: dict[str, Any]) -> None:
    raw["score"]["high"] += 0.2


def a_grade(raw: dict[str, Any]) -> None:
    raw["score"]["grade"] = "A"


def a_value(raw: dict[str, Any]) -> None:
    next(fact for fact in raw["facts"] if fact["name"] == "value.total")["value"] = 1.0


def a_parameter(raw: dict[str, Any]) -> None:
    next(p for p in raw["parameters"] if p["name"] == "page_bands")["bands"] = [[None, 1000.0]]


def a_condition(raw: dict[str, Any]) -> None:
    next(rule for rule in raw["logic"] if rule["rule"] == "PP-02")["branches"][0]["condition"] = (
        "true || kind == 'tender'"
    )


def missing_conditions(raw: dict[str, Any]) -> None:
    raw["logic"] = []


@pytest.mark.parametrize(
    "forge",
    [
        a_verdict,
        a_provisional,
        a_severity,
        a_score,
        an_interval,
        a_grade,
        a_value,
        a_parameter,
        a_condition,
        missing_conditions,
    ],
)
def test_a_forged_report_with_a_fitting_digest_is_noticed(
    forge: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    document = ROOT / "examples" / "tender.json"
    report = saved(document, tmp_path)
    raw = json.loads(report.read_text("utf-8"))
    raw.pop("digest")
    report.write_text(sealed(raw), "utf-8")
    assert verify(report, document)[0].differences == ()
    forge(raw)
    report.write_text(sealed(raw), "utf-8")
    assert verify(report, document)[0].differences != ()


def test_a_profile_is_part_of_what_is_verified(tmp_path: Path) -> None:
    profile = tmp_path / "council.yaml"
    profile.write_text("commissioner: {staff_time_for_users: true}\n", "utf-8")
    document = tmp_path / "tender.json"
    document.write_text('{"kind": "tender"}', "utf-8")
    report = tmp_path / "report.json"
    report.write_text(audit(document, commissioner=profile, as_of=DAY).to_json(), "utf-8")
    assert verify(report, document, commissioner=profile)[0].differences == ()
    assert "profile" in verify(report, document)[0].differences[0]


def test_several_reports_in_one_file_are_verified_each(tmp_path: Path) -> None:
    notices = [json.loads(path.read_text("utf-8")) for path in EXAMPLES if path.parent.name == "ocds"]
    document = tmp_path / "notices.json"
    document.write_text(json.dumps({"releases": [r for n in notices for r in n.get("releases", [n])]}), "utf-8")
    found = verify(saved(document, tmp_path), document)
    assert len(found) > 5
    assert all(one.differences == () and one.verdicts for one in found)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{}", "not as goodcommission wrote it"), (b"\xff\xfe", "not UTF-8"), (b"", "not as goodcommission wrote it")],
)
def test_what_is_no_report_is_said_to_be_none(content: bytes, says: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_bytes(content)
    result = CliRunner().invoke(main, ["verify", str(report), str(ROOT / "examples" / "tender.json")])
    assert result.exit_code in (1, 2)
    assert says in result.stderr
    missing = CliRunner().invoke(main, ["verify", str(tmp_path / "none.json"), str(ROOT / "examples" / "tender.json")])
    assert missing.exit_code == 2
    assert "none.json: the report cannot be read" in missing.stderr


def test_it_shares_nothing_with_the_engine_the_scoring_or_the_reports() -> None:
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    ours = {name for name in names if name.startswith("goodcommission")}
    assert ours
    assert all(name.startswith(("goodcommission.description", "goodcommission.exceptions")) for name in ours)
