"""Every real notice is audited, and nothing is held for or against it that it does not state."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from goodcommission import audit, load_packs, read_documents
from goodcommission.description.model import Kind, Stage
from goodcommission.packs.loading import shipped_folder

DAY = dt.date(2026, 11, 20)

FIXTURES = Path(__file__).parent / "fixtures" / "ocds"
PACKAGES = [json.loads(path.read_text("utf-8")) for path in sorted(FIXTURES.glob("*.json"))]
with gzip.open(FIXTURES / "uk-notices.jsonl.gz", "rt", encoding="utf-8") as lines:
    NOTICES: list[Any] = [json.loads(line) for line in lines] + PACKAGES


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def test_there_are_all_of_them() -> None:
    assert len(NOTICES) == 122


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_each_notice_is_audited_and_no_rule_fails_on_what_it_does_not_state(engine: Any) -> None:
    packs, verdicts = load_packs(), Counter[str]()
    for notice in NOTICES:
        for document in read_documents(notice):
            report = audit(document, packs, as_of=DAY, engine=engine)
            assert report.engine.differences == ()
            stated = {fact.name: fact for fact in report.facts}
            for result in report.results:
                verdicts[result.verdict] += 1
                if result.verdict in ("fail", "pass"):
                    assert result.decided_by, result.rule.id
                for name in result.decided_by:
                    assert name in stated, f"{result.rule.id}: {name}"
                    if name not in ("kind", "stage", "as_of"):
                        assert stated[name].pointer, f"{result.rule.id}: {name} has no place in the notice"
                        at(notice, stated[name].pointer)
    assert verdicts["pass"] > 0
    assert verdicts["unknown"] > verdicts["fail"] + verdicts["pass"]


def test_each_rule_of_practice_is_decided_by_an_example() -> None:
    """A rule that no example can decide is one that nobody has seen speak; law has its own tests."""
    packs = load_packs()
    folder = shipped_folder("examples")
    decided: set[str] = set()
    for path in (
        *folder.glob("*.json"),
        *folder.glob("*.yaml"),
        *folder.glob("case/*.yaml"),
        *folder.glob("ocds/*.json"),
    ):
        if path.name == "case.yaml":
            continue
        for document in read_documents(path):
            report = audit(document, packs, as_of=DAY, engine="reference")
            decided |= {result.rule.id for result in report.results if result.verdict in ("pass", "fail")}
    practice = {one.rule.id for one in packs.practice.rules}
    assert len(practice) >= 160
    assert sorted(practice - decided) == []


@pytest.mark.parametrize("kind", get_args(Kind))
def test_nothing_fails_where_nothing_is_stated(kind: Kind) -> None:
    """Neither practice nor law holds silence against a document, whatever its stage and the law that governs it."""
    packs = load_packs()
    for stage in get_args(Stage):
        for regime in (None, *packs.regime_titles):
            report = audit({"kind": kind, "stage": stage}, packs, as_of=DAY, engine="reference", regime=regime)
            assert len(report.results) == len(packs.rules)
            assert [one.rule.id for one in report.results if one.verdict == "fail"] == [], (stage, regime)
