"""The tables of a scan from reports of `audit`: the second way to them, for tests of what is made of the tables."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from goodcommission import audit
from goodcommission.description.document import Document
from goodcommission.description.facts import date, gather
from goodcommission.description.reading import read_documents
from goodcommission.packs.compiling import Packs
from goodcommission.report.model import RuleResult
from goodcommission.scan.tables import NOTICES, RULES

ROOT = Path(__file__).parents[1]
EXAMPLES = ("tender.json", "contract.yaml", "decommissioning-plan.yaml", "grant-programme.yaml")


@cache
def releases() -> tuple[dict[str, Any], ...]:
    """The notices that are shipped with the tests."""
    with gzip.open(ROOT / "tests" / "fixtures" / "ocds" / "uk-notices.jsonl.gz", "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


@cache
def documents(every: int = 4) -> tuple[Document, ...]:
    """Some of these, and the examples, of which enough is known for a score."""
    examples = [read_documents(path)[0] for name in EXAMPLES if (path := ROOT / "examples" / name).exists()]
    return (*(document for raw in releases()[::every] for document in read_documents(raw)), *examples)


def asked(document: Document, packs: Packs, results: Iterable[RuleResult]) -> list[RuleResult]:
    """The results of the rules that are asked of the kind of document."""
    kind = document.description.kind
    return [one for one in results if kind in packs.rule(one.rule.id).rule.applies_to]


def rows(number: int, document: Document, packs: Packs) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of a notice, and those of its rules."""
    report = audit(document, packs, engine="reference")
    results = asked(document, packs, report.results)
    facts, score = gather(document, packs.currency).values, report.score
    stated = {fact.name: fact.value for fact in report.facts}

    def many(verdict: str, *, law: bool = False) -> int:
        return sum(one.verdict == verdict for one in results if one.rule.law is law)

    met, not_met, unknown = many("pass"), many("fail"), many("unknown")
    notice: dict[str, Any] = {
        "notice": number,
        "file": "notices.jsonl",
        "line": number + 1,
        "pointer": "",
        "ocid": facts.get("notice.ocid"),
        "release": facts.get("notice.release"),
        "date": date(facts["notice.date"]) if "notice.date" in facts else None,
        "as_of": None,
        "publisher": facts.get("notice.publisher"),
        "buyer": facts.get("commissioner.name"),
        "kind": document.description.kind,
        "stage": facts.get("stage"),
        "route": facts.get("process.route"),
        "cpv": next(iter(facts.get("service.classification", ())), None),
        "value": facts.get("value.total"),
        "tier": report.tier.name,
        "regime": report.regime.id,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "coverage": score.coverage,
        "grade": score.grade,
        "passed": met,
        "failed": not_met,
        "unknown": unknown,
        "not_applicable": many("not_applicable"),
        "not_yet_due": many("not_yet_due"),
        "provisional": sum(one.provisional for one in results if not one.rule.law),
        "law_failed": many("fail", law=True),
        "decided_share": None,
    }
    decided = ("pass", "fail")
    return notice, [
        {
            "notice": number,
            "rule": one.rule.id,
            "pack": one.rule.pack,
            "verdict": one.verdict,
            "provisional": one.provisional,
            "severity": one.severity,
            "decided_by": " ".join(one.decided_by),
            "values": json.dumps({name: stated[name] for name in one.decided_by}) if one.verdict in decided else None,
            "missing": " ".join(one.missing),
        }
        for one in results
    ]


def framed(notices: Sequence[dict[str, Any]], rules: Sequence[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows as the two tables."""
    return pl.DataFrame(notices, schema=dict(NOTICES)), pl.DataFrame(rules, schema=dict(RULES))


def tables(documents: Iterable[Document], packs: Packs, first: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two tables of documents, numbered from ``first`` on."""
    made = [rows(number, document, packs) for number, document in enumerate(documents, first)]
    return framed([notice for notice, _ in made], [rule for _, rules in made for rule in rules])


def notice(number: int, **columns: Any) -> dict[str, Any]:
    """The row of a notice of which only some columns are given."""
    blank = dict.fromkeys(NOTICES) | dict.fromkeys(("passed", "failed", "unknown"), 0)
    return {**blank, "notice": number, "file": "notices.jsonl", "line": number + 1, "pointer": "", **columns}
