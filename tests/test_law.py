"""Law apart from practice: the regime worked out, numbers by date, verdicts that never enter the score."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from goodcommission import audit, load_packs
from goodcommission.description.facts import days
from goodcommission.engine.law import Regime, stand
from goodcommission.exceptions import PackError
from goodcommission.gating import Gate, check_gates
from goodcommission.packs.compiling import Packs, compile_packs
from goodcommission.packs.loading import read_pack, shipped_folder, shipped_packs
from goodcommission.verifying import verify

FIXTURES = Path(__file__).parent / "fixtures" / "ocds"
DAY = dt.date(2026, 11, 21)
ACT = "procurement_act_2023"
SHORT: dict[str, Any] = {
    "kind": "tender",
    "stage": "published",
    "process": {
        "regime": ACT,
        "route": "open_tender",
        "above_threshold": True,
        "light_touch": False,
        "accelerated": False,
        "chosen_suppliers_only": False,
        "electronic_submission": True,
        "documents_with_notice": True,
    },
    "timeline": {"tender_published": "2026-03-01", "bid_deadline": "2026-03-20", "intention_notice": "none"},
}


@cache
def packs() -> Packs:
    return load_packs()


def without_regime(**process: Any) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(json.dumps(SHORT))
    del raw["process"]["regime"]
    raw["process"].update(process)
    return raw


# --- Apart from practice -----------------------------------------------------------------------------------------


def test_a_finding_of_law_is_shown_and_changes_no_figure() -> None:
    with_law = audit(SHORT, packs(), as_of=DAY)
    without = audit(SHORT, packs().practice, as_of=DAY)
    assert with_law.result("PA-05").verdict == "fail"
    assert "may not meet" in (with_law.result("PA-05").finding or "")
    assert (with_law.score, with_law.packs, with_law.groups) == (without.score, without.packs, without.groups)
    assert {law.id for law in with_law.laws} == set(packs().laws)
    act = next(law for law in with_law.laws if law.id == "uk-procurement-act-2023")
    assert act.may_not_meet == sum(r.verdict == "fail" and r.rule.pack == act.id for r in with_law.results) > 0
    (number,) = [one for one in with_law.result("PA-05").law if one.name == "tendering_days_all"]
    assert (number.value, number.start, number.provision) == (25, "2025-02-24", "section 54(4)")


def test_gates_see_the_law() -> None:
    (result,) = check_gates(audit(SHORT, packs(), as_of=DAY), [Gate("fail_on", "high", "here")])
    assert not result.passed
    assert "PA-05" in result.message


@pytest.mark.parametrize("form", ["text", "markdown", "html", "junit", "sarif"])
def test_every_format_shows_it_apart(form: str) -> None:
    from goodcommission.report.formats import render

    shown = render(form, [audit(SHORT, packs(), as_of=DAY)])
    assert "PA-05" in shown
    assert "not legal advice" in shown


# --- The regime --------------------------------------------------------------------------------------------------


def notices() -> list[dict[str, Any]]:
    with gzip.open(FIXTURES / "uk-notices.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_the_regime_of_each_real_notice_is_worked_out_and_told() -> None:
    files = [str(path) for path in FIXTURES.glob("find-a-tender-*.json")]
    reports = [audit(one, packs(), as_of=DAY) for one in [*notices(), *files]]
    assert len(reports) == 122
    found = Counter(report.regime.id for report in reports)
    assert found["scotland_2015"] == 30
    assert found["pcr_2015"] >= 30
    assert found[ACT] == 2
    for report in reports:
        assert report.regime.because
        assert (report.regime.id is None) == (report.regime.basis == "unknown")
        if report.regime.id is None:
            assert "process.regime" in report.regime.missing
        assert report.as_of == DAY.isoformat()


@pytest.mark.parametrize(
    ("published", "territory", "expected"),
    [
        ("2025-02-23", "england", "pcr_2015"),
        ("2025-02-24", "england", ACT),
        ("2025-02-25", "wales", ACT),
        ("2025-02-25", "scotland", "scotland_2015"),
        ("2015-02-25", "england", None),
        ("2015-02-26", "england", "pcr_2015"),
    ],
)
def test_the_regime_by_date_and_territory(published: str, territory: str, expected: str | None) -> None:
    raw = without_regime()
    raw.update(service={"health_care": False}, funding={"mechanism": "contract"}, commissioner={"territory": territory})
    raw["timeline"]["tender_published"] = published
    assert audit(raw, packs(), as_of=DAY).regime.id == expected


@pytest.mark.parametrize(
    ("published", "expected"), [("2023-12-31", "pcr_2015"), ("2024-01-01", "nhs_provider_selection")]
)
def test_health_care_in_england_has_its_own_law(published: str, expected: str) -> None:
    raw = without_regime()
    raw.update(service={"health_care": True}, funding={"mechanism": "contract"}, commissioner={"territory": "england"})
    raw["timeline"].update(tender_published=published)
    assert audit(raw, packs(), as_of=DAY).regime.id == expected


def test_the_date_alone_decides_nothing() -> None:
    report = audit(without_regime(), packs(), as_of=DAY)
    assert (report.regime.id, report.regime.basis) == (None, "unknown")
    assert {"process.regime", "commissioner.territory"} <= {*report.regime.missing}
    assert report.result("PA-05").verdict == "unknown"


def test_what_is_open_makes_it_provisional() -> None:
    raw = without_regime()
    raw.update(funding={"mechanism": "contract"}, commissioner={"territory": "england"})
    report = audit(raw, packs(), as_of=DAY)
    assert report.regime.provisional
    assert "service.health_care" in report.regime.missing
    assert (report.result("PA-05").verdict, report.result("PA-05").provisional) == ("fail", True)


def test_what_is_given_comes_before_what_is_stated() -> None:
    report = audit(SHORT, packs(), as_of=DAY, regime="pcr_2015")
    assert (report.regime.id, report.regime.basis) == ("pcr_2015", "given")
    assert report.result("PA-05").reason == "run under the Public Contracts Regulations 2015"
    with pytest.raises(PackError, match="there is no regime"):
        audit(SHORT, packs(), regime="pcr_2014")


# --- Numbers by date ---------------------------------------------------------------------------------------------


def spans() -> list[tuple[str, str, str | None, dt.date]]:
    """For each value by date: each end, the day before and the day after."""
    found = []
    for rule in packs().rules:
        if rule.law is None or not rule.law.governed_by:
            continue
        for name, values in rule.law.dated.items():
            for span in values:
                regime = min(span.regimes) if span.regimes else None
                for end in (span.start, span.until):
                    if end is not None:
                        days_ = (dt.date(1970, 1, 1) + dt.timedelta(end + by) for by in (-1, 0, 1))
                        found += [(rule.rule.id, name, regime, day) for day in days_]
    return found


def test_each_dated_value_holds_from_its_first_to_its_last_day() -> None:
    walked = spans()
    assert len(walked) > 60
    for id, name, regime, day in walked:
        law = packs().rule(id).law
        assert law is not None
        known = Regime(regime, "given", "", (), (), frozenset({regime or ACT}), "england", (), frozenset({"england"}))
        facts = {law.governed_by[0]: days(day), "as_of": days(DAY)}
        standing = stand(law, known, facts)
        fitting = [one for one in law.dated[name] if one.holds(regime, "england") and one.covers(days(day))]
        if standing.holds is False:
            continue
        assert len(fitting) <= 1, f"{id} {name} on {day}"
        if fitting:
            assert standing.values[name] == fitting[0].value
        else:
            assert name not in standing.values
            assert str(day.year) in standing.lacking[name][1]


@pytest.mark.parametrize(("as_of", "expected"), [("2027-05-31", "fail"), ("2027-06-01", "unknown")])
def test_law_that_was_not_verified_again_decides_nothing(as_of: str, expected: str) -> None:
    result = audit(SHORT, packs(), as_of=dt.date.fromisoformat(as_of)).result("PA-05")
    assert result.verdict == expected
    if expected == "unknown":
        assert result.reason == "law not re-verified since 20 November 2026"


PARAMETER = """pack: own-law
kind: law
version: 1.0.0
title: Own
law: {verified_on: "2026-01-01", review_by: "2027-01-01"}
sources:
  own: {title: Own, kind: law}
parameters:
  limit:
    basis: law
    why: Own.
    values:
      - value: 5
        from: "2020-01-01"
        until: "UNTIL"
        source: own
        provision: "1"
        verified_on: "2026-01-01"
        review_by: "REVIEW"
      - value: 6
        from: "2021-01-01"
        source: SOURCE
        provision: "1"
        verified_on: "2026-01-01"
        review_by: "2027-01-01"
"""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"UNTIL": "2021-01-01"}, "limit has two values on one day"),
        ({"UNTIL": "2020-12-30"}, "limit has no value on the days before this"),
        ({"SOURCE": "other"}, 'the source "other" is not described'),
        ({"REVIEW": "2025-01-01"}, "`review_by` lies before `verified_on`"),
    ],
)
def test_what_is_wrong_with_values_by_date_is_said(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    text = PARAMETER
    for word, value in {"UNTIL": "2020-12-31", "REVIEW": "2027-01-01", "SOURCE": "own", **changes}.items():
        text = text.replace(word, value)
    (tmp_path / "own.yaml").write_text(text, "utf-8")
    with pytest.raises(PackError, match=said):
        compile_packs([*shipped_packs(), read_pack(tmp_path / "own.yaml")])


# --- Verifying ---------------------------------------------------------------------------------------------------


def test_a_saved_report_repeats_the_law(tmp_path: Path) -> None:
    document, report = tmp_path / "tender.json", tmp_path / "report.json"
    for raw in (SHORT, without_regime()):
        document.write_text(json.dumps(raw), "utf-8")
        for regime in (None, "pcr_2015", ACT):
            report.write_bytes(audit(document, packs(), as_of=DAY, regime=regime).to_json().encode())
            (found,) = verify(report, document)
            assert found.differences == ()


def test_real_notices_verify(tmp_path: Path) -> None:
    document, report = tmp_path / "notice.json", tmp_path / "report.json"
    for raw in notices()[::12]:
        document.write_text(json.dumps(raw), "utf-8")
        report.write_bytes(audit(document, packs(), as_of=DAY).to_json().encode())
        (found,) = verify(report, document)
        assert found.differences == ()


def test_every_rule_of_law_is_decided_by_a_shipped_example() -> None:
    packs = load_packs()
    laws = {one.pack.id for one in packs.packs if one.pack.kind == "law"}
    decided: set[str] = set()
    for path in sorted((shipped_folder("examples") / "law").glob("*.yaml")):
        results = audit(path, packs, as_of=dt.date(2026, 11, 20), engine="reference").results
        decided |= {one.rule.id for one in results if one.verdict in ("pass", "fail")}
    assert {rule.rule.id for rule in packs.rules if rule.pack in laws} <= decided
