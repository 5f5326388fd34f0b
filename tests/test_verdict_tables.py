"""Engine, verifier and the tables of `verdict_tables.py` say the same; on the rules' cases: `test_verifying.py`."""

from __future__ import annotations

import datetime as dt
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verdict_tables import check_tables, parsed, value_of

from goodcommission import audit, audit_case, load_packs, read_documents
from goodcommission.description.document import Document
from goodcommission.exceptions import DescriptionError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import pack_files, read_pack, shipped_folder
from goodcommission.report.model import AuditReport
from goodcommission.verifying import verify

ROOT = Path(__file__).parents[1]
DAY = dt.date(2026, 11, 20)
TIMES = int(os.environ.get("TABLES_TIMES", "1"))
"""How many times as many descriptions and packs are drawn."""
EXAMPLES = sorted(
    path
    for folder in ("examples", "examples/ocds", "examples/law")
    for path in (ROOT / folder).iterdir()
    if path.suffix in (".json", ".yaml")
)


@cache
def whole() -> Packs:
    return load_packs()


def check_all(report: AuditReport, documents: list[Document], folder: Path) -> None:
    check_tables(report, documents[0] if len(documents) == 1 else None)
    saved = folder / "report.json"
    saved.write_text(report.to_json(), "utf-8")
    sources = [one.source.name for one in documents if one.source]
    assert verify(saved, sources[0] if len(sources) == 1 else sources)[0].differences == ()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_all_three_agree_on_each_example(path: Path, tmp_path: Path) -> None:
    """The verifier's part of the other examples is in `test_verifying.py`."""
    for document in read_documents(path):
        report = audit(document, whole(), as_of=DAY, engine="reference")
        if path.parent.name == "law" and path.stem.endswith("-1"):
            check_all(report, [document], tmp_path)
        else:
            check_tables(report, document)


def test_all_three_agree_on_a_case(tmp_path: Path) -> None:
    files = sorted((ROOT / "examples" / "case").glob("*r*.yaml"))
    documents = [one for path in files for one in read_documents(path) if path.stem != "case"]
    check_all(audit_case(documents, whole(), as_of=DAY, engine="reference"), documents, tmp_path)


def test_the_tables_agree_on_the_notices_of_the_fixtures() -> None:
    for path in sorted((ROOT / "tests" / "fixtures" / "ocds").glob("*.json")):
        for document in read_documents(path):
            check_tables(audit(document, whole(), as_of=DAY, engine="reference"), document)


# --- What is drawn ---------------------------------------------------------------------------------------------------


@cache
def told() -> tuple[dict[str, Any], ...]:
    """What the cases of all rules state."""
    rules = [rule for path in pack_files(shipped_folder("rules")) for rule in read_pack(path).pack.rules]
    return tuple({"kind": rule.applies_to[0], **case.given} for rule in rules for case in rule.cases)


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return {name: merged(one.get(name), other[name]) if name in other else one[name] for name in {**one, **other}}


def read(raw: dict[str, Any]) -> list[Document]:
    """A description of what several cases state; none where that can't be."""
    try:
        return list(read_documents(raw))
    except DescriptionError:
        return []


@settings(max_examples=8 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
    st.sampled_from([None, "draft", "published", "awarded", "live", "ending", "ended"]),
    st.sampled_from([None, "small", "medium", "large"]),
)
def test_the_tables_agree_on_drawn_descriptions(those: list[int], stage: Any, tier: Any) -> None:
    """Of which each states what several cases of rules state together."""
    raw: dict[str, Any] = {}
    for at in those:
        raw = merged(raw, told()[at % len(told())])
    raw = {**raw, "stage": stage}
    for document in read({name: value for name, value in raw.items() if value is not None}):
        check_tables(audit(document, whole(), as_of=DAY, tier=tier, engine="reference"), document)


ATOMS = (
    "competitive",
    "process.light_touch",
    "commissioner.staff_time_for_users",
    "requirements.turnover_justification.given",
    "value.total > params.limit",
    "value.total <= 250000.0",
    "term.months >= 12",
    "monthly < 5000.0",
    "later > timeline.bid_deadline",
    "process.route == 'open_tender'",
    "process.route in ['open_tender', 'direct_award']",
    "requirements.insurance.complete",
    "requirements.insurance.exists(i, i.cover > 1000000.0)",
    "requirements.insurance.all(i, i.kind == 'public_liability' || i.risk_reason.given)",
    "covered > 0.0",
)
conditions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} && {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} || {two[1]})"),
        st.tuples(inner, inner, inner).map(lambda three: f"({three[0]} ? {three[1]} : {three[2]})"),
        inner.map(lambda one: f"!({one})"),
    ),
    max_leaves=4,
)
branches = st.lists(st.tuples(st.sampled_from(["pass", "fail"]), conditions), min_size=1, max_size=4)
drawn_rules = st.fixed_dictionaries(
    {
        "when": st.none() | conditions,
        "planned": st.none() | conditions,
        "due_from": st.sampled_from(["draft", "published", "live"]),
        "require": st.none() | conditions,
        "decide": branches,
        "severity": st.sampled_from(["high", "medium", "low"]),
        "strength": st.sampled_from(["recommendation", "good-practice", "experience"]),
        "group": st.sampled_from([None, None, "fault"]),
    }
)
pounds = st.sampled_from([0, 1000, 60000, 250000, 900000]).map(lambda amount: {"amount": amount, "currency": "GBP"})
insurance = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["public_liability", "employers_liability"]),
        "cover": st.sampled_from([1000000, 5000000]).map(lambda amount: {"amount": amount, "currency": "GBP"}),
        "risk_reason": st.sampled_from(["none", "a lift"]),
    },
)
drawn_documents = st.fixed_dictionaries(
    {"kind": st.just("tender")},
    optional={
        "stage": st.sampled_from(["draft", "published", "awarded", "live"]),
        "commissioner": st.fixed_dictionaries({}, optional={"staff_time_for_users": st.booleans()}),
        "value": st.fixed_dictionaries({}, optional={"total": pounds}),
        "term": st.fixed_dictionaries({}, optional={"months": st.sampled_from([0, 6, 12, 60])}),
        "process": st.fixed_dictionaries(
            {},
            optional={
                "light_touch": st.booleans(),
                "route": st.sampled_from(["open_tender", "direct_award", "restricted_tender"]),
            },
        ),
        "timeline": st.fixed_dictionaries(
            {}, optional={"tender_published": st.just("2026-01-31"), "bid_deadline": st.just("2026-03-01")}
        ),
        "requirements": st.fixed_dictionaries(
            {},
            optional={
                "turnover_justification": st.sampled_from(["none", "a reason"]),
                "insurance": st.lists(insurance, max_size=3)
                | st.lists(insurance, max_size=3).map(lambda items: {"complete": True, "items": items}),
            },
        ),
    },
)


def with_evidence(drawn: tuple[dict[str, Any], set[str]]) -> dict[str, Any]:
    """For those of some places that are stated."""
    raw, pointers = drawn
    found = {f"/{name}/{field}" for name, part in raw.items() if isinstance(part, dict) for field in part}
    return {**raw, "evidence": [{"pointer": one, "document": "minutes.pdf"} for one in sorted(pointers & found)]}


PLACES = ("/value/total", "/process/route", "/requirements/insurance", "/term/months", "/process/light_touch")


def pack_of(rules: list[dict[str, Any]]) -> dict[str, Any]:
    written = []
    for number, rule in enumerate(rules):
        finding = {"finding": "It is not so.", "remedy": "Make it so."}
        one = {
            "id": f"DR-{number:02}",
            "title": "It is so",
            "asks": "It is so.",
            "phase": "procurement",
            "applies_to": ["tender"],
            "tier": "small",
            "kind": "direct",
            "why": "It is good.",
            "remedy": "Make it so.",
            "sources": [{"source": "handbook"}],
            "cases": [],
            **{name: rule[name] for name in ("due_from", "severity", "strength")},
            **{name: rule[name] for name in ("when", "planned", "group") if rule[name] is not None},
        }
        if rule["require"] is not None:
            one |= {"require": rule["require"], "finding": "It is not so."}
        else:
            one["decide"] = [{v: c, **(finding if v == "fail" else {})} for v, c in rule["decide"]]
        written.append(one)
    return {
        "pack": "drawn",
        "version": "1.0.0",
        "title": "Drawn",
        "currency": "GBP",
        "uses": ["common"],
        "sources": {"handbook": {"title": "Our handbook"}},
        "groups": {"fault": {"title": "One fault", "severity": "medium", "strength": "good-practice"}},
        "parameters": {"limit": {"value": 100000.0, "unit": "GBP", "basis": "convention", "why": "It is what we do."}},
        "let": {
            "monthly": {"is": "value.total / double(term.months)", "unit": "GBP"},
            "covered": {"is": "double(size(requirements.insurance.filter(i, i.cover >= 5000000.0)))", "unit": "count"},
            "later": {"is": "add_months(timeline.tender_published, 1)", "unit": "date"},
        },
        "rules": written,
    }


@settings(max_examples=8 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(drawn_rules, min_size=6, max_size=12),
    st.lists(st.tuples(drawn_documents, st.sets(st.sampled_from(PLACES))).map(with_evidence), min_size=4, max_size=4),
)
def test_all_three_agree_on_drawn_packs(
    tmp_path_factory: pytest.TempPathFactory, rules: list[Any], raws: list[Any]
) -> None:
    """And, where evidence is required, engine and verifier: the tables say nothing of evidence."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "drawn.yaml").write_text(yaml.safe_dump(pack_of(rules)), "utf-8")
    packs = load_packs(["drawn"], rules=[folder / "drawn.yaml"])
    for number, raw in enumerate(raws):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(raw), "utf-8")
        (document,) = read_documents(path)
        check_all(audit(document, packs, as_of=DAY, engine="reference"), [document], folder)
        strict = audit(document, packs, as_of=DAY, engine="reference", require_evidence=True)
        (folder / "strict.json").write_text(strict.to_json(), "utf-8")
        assert verify(folder / "strict.json", path)[0].differences == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a && b", None),
        ("n && a", False),
        ("n || a", None),
        ("y || a", True),
        ("!a", None),
        ("a == 'x'", None),
        ("a ? y : y", None),
        ("y ? n : a", False),
        ("l.exists(i, i.f)", True),
        ("l.all(i, i.f)", None),
        ("l.exists(i, !i.f)", None),
        ("size(l.filter(i, i.f))", None),
        ("2.0 + 3.0 * 4.0 - 6.0 / 2.0", 11.0),
        ("1.0 / 0.0", None),
        ("!(1 < 2 && 'b' in ['a', 'b'])", False),
        ("add_months(30, 1)", 58),
        ("weekdays_between(1, 10)", 5),
    ],
)
def test_the_tables_own_logic(text: str, value: Any) -> None:
    assert value_of(parsed(text), {"y": True, "n": False, "l": [{"f": True}, {}]}, {}) == value
