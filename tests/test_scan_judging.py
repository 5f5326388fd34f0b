"""Many notices at once: each verdict, score and interval is the one that `audit` gives."""

from __future__ import annotations

import copy
import datetime as dt
import functools
import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import audit
from goodcommission.auditing import tier_reached
from goodcommission.description.facts import COMPLETE, GIVEN, dictionary
from goodcommission.engine.verdicts import judge
from goodcommission.exceptions import EngineError, PackError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.regimes import regime_of
from goodcommission.scan import columns, judging
from goodcommission.scan.judging import Judge
from goodcommission.scan.notices import Notice
from goodcommission.scan.tables import NOTICES, RULES, Tables

ALL_FACTS = [name + suffix for name in dictionary() for suffix in ("", GIVEN, COMPLETE)]
OCDS = Path(__file__).parent / "fixtures" / "ocds"
with gzip.open(OCDS / "uk-notices.jsonl.gz", "rt", encoding="utf-8") as lines:
    RELEASES: list[dict[str, Any]] = [json.loads(line) for line in lines]
RELEASES += [one for path in sorted(OCDS.glob("*.json")) for one in json.loads(path.read_text("utf-8"))["releases"]]
PACKS = load_packs()
TURNED: dict[str, tuple[Any, ...]] = {
    "procurementMethod": ("open", "limited", "selective", "direct"),
    "currency": ("GBP", "EUR"),
    "status": ("active", "complete", "pending", "cancelled"),
    "noticeType": ("UK1", "UK4", "UK5", "UK6", "UK7"),
    "tag": (["planning"], ["tender"], ["award"], ["contract"], ["tender", "award"]),
}


def as_notices(raws: Sequence[Any], *, single: bool = True) -> list[Notice]:
    return [Notice(index, "notices.jsonl", index + 1, "", raw, None, single) for index, raw in enumerate(raws)]


@functools.cache
def shared_judge() -> Judge:
    """One for many batches, so that what it remembers of one is used in the next."""
    return Judge(PACKS)


def agree(tables: Tables, notices: Sequence[Notice], packs: Packs, **options: Any) -> None:
    """That the tables hold what `audit` says of each notice."""
    said: dict[int, dict[str, dict[str, Any]]] = {}
    for row in tables.rules.iter_rows(named=True):
        said.setdefault(row["notice"], {})[row["rule"]] = row
    assert not tables.rejected
    assert tables.notices.schema == pl.Schema(dict(NOTICES))
    assert tables.rules.schema == pl.Schema(dict(RULES))
    for notice, row in zip(notices, tables.notices.iter_rows(named=True), strict=True):
        report = audit(notice.raw, packs, engine="reference", **options)
        score = report.score
        assert row["notice"] == notice.number
        assert (row["score"], row["low"], row["high"]) == (score.score, score.low, score.high)
        assert (row["coverage"], row["grade"]) == (score.coverage, score.grade)
        assert (row["tier"], row["regime"]) == (report.tier.name, report.regime.id)
        assert (row["as_of"] and row["as_of"].isoformat()) == report.as_of
        asked = [
            one
            for one in report.results
            if not (one.reason or "").startswith("asked of ") or one.decided_by != ("kind",)
        ]
        verdicts = said.get(notice.number, {})
        assert verdicts.keys() == {one.rule.id for one in asked}
        values = {fact.name: fact.value for fact in report.facts}
        for result in asked:
            found = verdicts[result.rule.id]
            assert (found["verdict"], found["provisional"]) == (result.verdict, result.provisional), result.rule.id
            assert (found["severity"], found["pack"]) == (result.severity, result.rule.pack)
            assert tuple(found["decided_by"].split()) == result.decided_by
            assert tuple(found["missing"].split()) == result.missing
            if result.verdict in ("pass", "fail"):
                stated = {name: _plain(values[name]) for name in result.decided_by}
                assert json.loads(found["values"]) == stated
            else:
                assert found["values"] is None
        practice = [one.verdict for one in asked if not one.rule.law]
        for name, column in (
            ("pass", "passed"),
            ("fail", "failed"),
            *((n, n) for n in ("unknown", "not_applicable", "not_yet_due")),
        ):
            assert row[column] == practice.count(name)
        assert row["provisional"] == sum(one.provisional for one in asked if not one.rule.law)
        assert row["law_failed"] == sum(one.verdict == "fail" for one in asked if one.rule.law)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_each_shipped_notice_is_judged_as_by_audit() -> None:
    notices = as_notices(RELEASES)
    agree(shared_judge().tables(notices), notices, PACKS)


@pytest.mark.parametrize(
    "options",
    [{"as_of": dt.date(2026, 1, 31)}, {"tier": "large"}, {"tier": "small"}, {"regime": "pcr_2015"}],
    ids=["a day", "the largest", "the smallest", "a law"],
)
def test_what_is_given_for_all_is_given_to_each(options: dict[str, Any]) -> None:
    notices = as_notices(RELEASES[::6])
    agree(Judge(PACKS, **options).tables(notices), notices, PACKS, **options)


def test_some_packs_are_judged_alone() -> None:
    packs = load_packs(["proportionate-procurement", "uk-procurement-act-2023"])
    notices = as_notices(RELEASES[::4])
    agree(Judge(packs).tables(notices), notices, packs)


def _turned(value: Any, draw: st.DrawFn) -> Any:
    """A notice in which some values are others and some are missing."""
    if isinstance(value, dict):
        kept = {}
        for name, member in value.items():
            if name not in ("ocid", "id") and draw(st.integers(0, 40)) == 0:
                continue
            kept[name] = (
                draw(st.sampled_from(TURNED[name]))
                if name in TURNED and draw(st.integers(0, 3)) == 0
                else _turned(member, draw)
            )
        return kept
    if isinstance(value, list):
        return [_turned(one, draw) for one in value]
    if isinstance(value, str) and value[:2] == "20" and len(value) > 9 and value[4] == "-" and draw(st.booleans()):
        day = dt.date.fromisoformat(value[:10]) + dt.timedelta(days=draw(st.integers(-800, 800)))
        return day.isoformat() + value[10:]
    if isinstance(value, int | float) and not isinstance(value, bool) and draw(st.booleans()):
        return draw(
            st.sampled_from((value * 2, value / 3, 24_999, 25_000, 30_000.01, 214_904, 663_540, 5_372_609, 0, -1))
        )
    return value


@st.composite
def releases(draw: st.DrawFn) -> dict[str, Any]:
    release = _turned(copy.deepcopy(draw(st.sampled_from(RELEASES))), draw)
    assert isinstance(release, dict)
    return release


@settings(max_examples=25, deadline=None)
@given(st.lists(releases(), min_size=1, max_size=5))
def test_generated_notices_are_judged_as_by_audit(raws: list[dict[str, Any]]) -> None:
    notices = as_notices(raws)
    agree(shared_judge().tables(notices), notices, PACKS)


@functools.cache
def judge_of_all_facts(as_of: dt.date | None) -> Judge:
    return Judge(PACKS, as_of=as_of, stated=ALL_FACTS)


@pytest.mark.parametrize("as_of", [None, dt.date(2026, 1, 15)], ids=["its own day", "one day"])
@pytest.mark.parametrize("pack", [loaded.pack.id for loaded in PACKS.packs if loaded.pack.rules])
def test_each_case_of_each_rule_is_judged_as_by_the_engine(pack: str, as_of: dt.date | None) -> None:
    """Notices state little; the cases of the rules state all that conditions ask for."""
    judge_ = judge_of_all_facts(as_of)
    rules = [rule for rule in PACKS.rules if rule.pack == pack]
    cases = [{"kind": rule.rule.applies_to[0], **case.given} for rule in rules for case in rule.rule.cases]
    notices = as_notices(cases, single=False)
    tables = judge_.tables(notices)
    rows = {(row["notice"], row["rule"]): row for row in tables.rules.iter_rows(named=True)}
    assert not tables.rejected
    for notice in notices:
        setting = judge_.setting(judge_.read(notice).values)
        setting.tiers = tier_reached(PACKS, setting, None)
        setting.regime = regime_of(PACKS, setting)
        for rule in rules:
            row = rows.get((notice.number, rule.rule.id))
            if setting.kind not in rule.rule.applies_to:
                assert row is None
                continue
            assert row is not None
            verdict = judge(rule, setting)
            assert (row["verdict"], row["provisional"], row["severity"]) == (
                verdict.verdict,
                verdict.provisional,
                verdict.severity,
            )
            assert row["decided_by"] == " ".join(verdict.settled)
            assert row["missing"] == " ".join(verdict.missing)


def test_what_is_forgotten_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MOST_INTERNED", 20)
    monkeypatch.setattr(judging, "MOST_CLASSES", 3)
    judge_ = Judge(PACKS)
    for start in range(0, 60, 15):
        notices = as_notices(RELEASES[start : start + 15])
        agree(judge_.tables(notices), notices, PACKS)


def test_the_order_and_the_batches_change_nothing() -> None:
    notices = as_notices(RELEASES)
    whole = shared_judge().tables(notices)
    judge_ = Judge(PACKS)
    parts = [judge_.tables(notices[start : start + 7]) for start in range(0, len(notices), 7)][::-1]
    sorted_ = pl.concat([part.rules for part in parts]).sort("notice", "rule")
    assert sorted_.with_columns(pl.col(pl.Categorical).cast(pl.String)).equals(
        whole.rules.sort("notice", "rule").with_columns(pl.col(pl.Categorical).cast(pl.String))
    )
    assert pl.concat([part.notices for part in parts]).sort("notice").equals(whole.notices)


def test_what_audit_refuses_is_rejected_and_the_rest_audited() -> None:
    wrong = [{"ocid": 1, "date": "2025-01-01", "tag": ["tender"]}, {"ocid": "ocds-x", "tag": ["tender"], "tender": {}}]
    notices = as_notices([RELEASES[0], *wrong, RELEASES[1]])
    tables = shared_judge().tables(notices)
    assert [one.number for one in tables.rejected] == [1]
    assert "no ocid" in tables.rejected[0].reason
    assert tables.notices["notice"].to_list() == [0, 2, 3]


def test_a_notice_on_which_a_rule_fails_is_rejected_with_all_that_are_like_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = judging.judge

    def failing(rule: Any, setting: Any) -> Any:
        if rule.rule.id == "TI-10" and "timeline.bid_deadline" in setting.facts.values:
            raise EngineError("it takes too many steps")
        return real(rule, setting)

    monkeypatch.setattr(judging, "judge", failing)
    judge_, notices = Judge(PACKS), as_notices(RELEASES)
    first, again = judge_.tables(notices), judge_.tables(notices)
    assert first.rejected == again.rejected
    assert {one.reason for one in first.rejected} == {"it takes too many steps"}
    rejected = {one.number for one in first.rejected}
    asked = first.rules.filter(pl.col("rule") == "TI-10")["notice"].to_list()
    assert set(asked) == set(first.notices["notice"]) == {one.number for one in notices} - rejected
    assert rejected == {one.number for one in notices if "timeline.bid_deadline" in judge_.read(one).values}


def test_an_error_in_a_batch_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    judge_, notices, judged = Judge(PACKS), as_notices(RELEASES[:30]), 0
    judge_.tables(notices[:3])
    real = judging.judge

    def failing(rule: Any, setting: Any) -> Any:
        nonlocal judged
        judged += 1
        if judged == 150:
            raise RuntimeError("in the middle of the new classes of a rule")
        return real(rule, setting)

    monkeypatch.setattr(judging, "judge", failing)
    with pytest.raises(RuntimeError):
        judge_.tables(notices)
    agree(judge_.tables(notices), notices, PACKS)


def test_no_notice_gives_empty_tables() -> None:
    tables = shared_judge().tables([])
    assert (tables.notices.height, tables.rules.height) == (0, 0)
    assert tables.rules.schema == pl.Schema(dict(RULES))


def test_there_must_be_such_a_regime() -> None:
    with pytest.raises(PackError, match="there is no regime"):
        Judge(PACKS, regime="pcr_2105")


@given(
    st.lists(
        st.floats(allow_nan=False) | st.floats(-1000, 1000) | st.integers(-(10**7), 10**7).map(lambda n: n / 2e6),
        max_size=20,
    )
)
def test_numbers_are_rounded_as_the_engine_rounds_them(numbers: list[float]) -> None:
    expected = [round(one, 6) if math.isfinite(one) else None for one in numbers]
    assert columns.rounded(pl.Series(numbers, dtype=pl.Float64)).to_list() == expected
