"""The summary of a scan: the same however it is divided, each figure as a second count has it, hostile text as text.

``GOODCOMMISSION_GOLDEN=1 pytest tests/test_scan_summary.py`` writes the golden files anew; read the difference before
it is committed. How the page looks in a browser is tested in browser/.
"""

from __future__ import annotations

import datetime as dt
import html as markup
import json
import os
import re
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from scan_tables import asked, documents, framed, notice, releases, tables

from goodcommission import audit, load_packs
from goodcommission.description.facts import Fact, dictionary
from goodcommission.description.ocds.mapping import STATEMENTS
from goodcommission.description.reading import read_documents
from goodcommission.packs.adjusting import ParameterChange
from goodcommission.packs.compiling import Packs
from goodcommission.scan.judging import Judge
from goodcommission.scan.naming import DIVISIONS, FIELDS, fact_title, field_of, stated_by_field
from goodcommission.scan.notices import Notice
from goodcommission.scan.summary import Counts, Heap, Summary, Verdicts, summarise
from goodcommission.scan.summary_html import html
from goodcommission.scan.summary_text import text
from goodcommission.scan.sums import Partial, decided_by_facts, merged, partial, thresholds
from goodcommission.scan.wording import verdict_words

GOLDEN = Path(__file__).parent / "golden"
FEW = ("market-diversity", "transparency-and-information", "uk-procurement-act-2023")
HOSTILE = "<script>window.pwned=1</script>\"'><img src=x onerror='window.pwned=1'> \u202egnp.exe </title>{{ 7*7 }}"


@cache
def packs() -> Packs:
    return load_packs()


@cache
def few() -> Packs:
    return load_packs(FEW)


@cache
def both(chosen: Packs) -> tuple[pl.DataFrame, pl.DataFrame]:
    return tables(documents(), chosen)


def summed(notices: pl.DataFrame, rules: pl.DataFrame, chosen: Packs, **counts: int) -> Summary:
    many = notices.height
    return summarise(
        partial(notices, rules, chosen), chosen, Counts(**{"read": many, "audited": many, "rejected": 0, **counts})
    )


@cache
def whole() -> Summary:
    return summed(*both(packs()), packs())


def of_values(*values: float | None, **columns: Any) -> Summary:
    return summed(*framed([notice(n, value=value, **columns) for n, value in enumerate(values)], []), packs())


def heap(summary: Summary, threshold: float, fact: str = "value.total") -> Heap:
    (found,) = [one for one in summary.heaps if (one.threshold, one.fact) == (threshold, fact)]
    return found


# --- Sums -----------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(data=st.data())
def test_any_division_into_chunks_gives_the_same_summary(data: st.DataObject) -> None:
    notices, rules = both(few())
    chunk = data.draw(st.lists(st.integers(0, 4), min_size=notices.height, max_size=notices.height))
    parts = []
    for number in set(chunk):
        chosen = notices.filter(pl.Series(chunk) == number)
        parts.append(partial(chosen, rules.join(chosen, on="notice", how="semi"), few()))
    parts = data.draw(st.permutations(parts))
    cut = data.draw(st.integers(0, len(parts)))
    stored = [Partial.from_bytes(one.to_bytes()) for one in parts[:cut]]
    together = merged([merged(stored), merged(parts[cut:])])
    assert together.to_bytes() == merged([partial(notices, rules, few())]).to_bytes()


def test_sums_are_added_up_as_they_come_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    notices, rules = both(few())
    parts = [partial(one, rules.join(one, on="notice", how="semi"), few()) for one in notices.iter_slices(9)]
    at_once = merged(parts).to_bytes()
    monkeypatch.setattr("goodcommission.scan.sums.MOST_WAITING", 100)
    assert merged(parts).to_bytes() == at_once


@pytest.mark.parametrize("data", [b"", b"nonsense", (9).to_bytes(8, "big") + b"nonsense"])
def test_what_are_no_sums_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="no sums of a scan"):
        Partial.from_bytes(data)


def test_sums_of_another_scan_or_of_other_packs_are_refused() -> None:
    sums = partial(*both(few()), few())
    many = both(few())[0].height
    with pytest.raises(ValueError, match=f"the sums are of {many} notices"):
        summarise(sums, few(), Counts(read=many + 1, audited=many + 1, rejected=0))
    with pytest.raises(ValueError, match="rules that the packs do not have: MD-01"):
        summarise(sums, load_packs(["subcontracting"]), Counts(read=many, audited=many, rejected=0))


def test_the_tables_of_a_scan_and_of_single_audits_have_the_same_sums() -> None:
    raws = releases()[::6]
    judged = Judge(packs()).tables(
        [Notice(n, "notices.jsonl", n + 1, "", raw, None, True) for n, raw in enumerate(raws)]
    )
    audited = tables((document for raw in raws for document in read_documents(raw)), packs())
    assert partial(judged.notices, judged.rules, packs()).to_bytes() == partial(*audited, packs()).to_bytes()


# --- Figures --------------------------------------------------------------------------------------------------------


def test_each_rule_is_counted_as_the_reports_have_it() -> None:
    chosen = packs()
    verdicts: Counter[tuple[str, str]] = Counter()
    waiting: Counter[tuple[str, str]] = Counter()
    provisional: Counter[str] = Counter()
    failing: dict[str, list[int]] = {}
    for number, document in enumerate(documents()):
        for one in asked(document, chosen, audit(document, chosen, engine="reference").results):
            verdicts[one.rule.id, one.verdict] += 1
            provisional[one.rule.id] += one.provisional
            if one.verdict == "unknown":
                waiting.update((one.rule.id, name) for name in {re.sub(r"\[\d+]", "[]", name) for name in one.missing})
            if one.verdict == "fail":
                failing.setdefault(one.rule.id, []).append(number + 1)
    found = {rule.rule: rule for pack in whole().packs for rule in pack.rules}
    assert found.keys() == {rule.rule.id for rule in chosen.rules}
    for id, rule in found.items():
        counted = (rule.met, rule.not_met, rule.unknown, rule.not_applicable, rule.not_yet_due)
        names = ("pass", "fail", "unknown", "not_applicable", "not_yet_due")
        assert counted == tuple(verdicts[id, name] for name in names), id
        assert rule.provisional == provisional[id]
        assert [one.line for one in rule.examples] == failing.get(id, [])[:5]
        assert all(one.answers == waiting[id, one.fact] for one in rule.missing)
        most = max((times for (of, _), times in waiting.items() if of == id), default=None)
        assert (rule.missing[0].answers if rule.missing else None) == most
        if rule.met + rule.not_met:
            assert rule.met_share == pytest.approx(100 * rule.met / (rule.met + rule.not_met), abs=0.05)
    assert whole().practice.put == sum(pack.put for pack in whole().packs if not pack.law)


def test_spreads_are_those_of_the_notices() -> None:
    notices, _ = both(packs())
    scored = sorted(notices.filter(pl.col("coverage") >= 50).get_column("score").to_list())
    all_ = whole().all
    assert all_.notices == notices.height
    assert all_.score.notices == len(scored) >= 2
    assert all_.score.mean == pytest.approx(mean(scored), abs=0.051)
    assert all_.score.lower_quartile in scored
    shares = [
        100 * (row["passed"] + row["failed"]) / put
        for row in notices.iter_rows(named=True)
        if (put := row["passed"] + row["failed"] + row["unknown"])
    ]
    assert all_.decided.notices == len(shares)
    assert all_.decided.mean == pytest.approx(mean(shares), abs=0.051)
    assert all_.decided.median == pytest.approx(sorted(shares)[(len(shares) - 1) // 2], abs=0.051)
    for distribution in whole().distributions:
        assert sum(one.notices for one in distribution.groups) == notices.height, distribution.by


def test_buyers_beyond_the_largest_are_taken_together() -> None:
    rows = [notice(n, buyer=f"Buyer {n % 30:02}" if n < 62 else None, coverage=10.0) for n in range(70)]
    (buyers,) = [one for one in summed(*framed(rows, []), packs()).distributions if one.by == "buyer"]
    assert [one.title for one in buyers.groups[:3]] == ["Buyer 00", "Buyer 01", "Buyer 02"]
    assert [(one.title, one.groups, one.notices) for one in buyers.groups[-2:]] == [
        ("10 other buyers", 10, 20),
        ("not stated", 1, 8),
    ]
    assert buyers.groups[0].notices == 3


def test_months_divisions_and_bands_are_named_in_their_order() -> None:
    days = (dt.date(2025, 3, 1), dt.date(2024, 12, 31), None)
    rows = [
        notice(0, date=days[0], cpv="85300000", value=9_999.99),
        notice(1, date=days[1], cpv="03000000", value=10_000.0),
        notice(2, date=days[2], cpv="99000000", value=None),
        notice(3, date=days[0], cpv="85000000", value=30e6),
    ]
    _, *rest = summed(*framed(rows, []), packs()).distributions
    named = [[(one.title, one.notices) for one in distribution.groups] for distribution in rest]
    assert named == [
        [("2024-12", 1), ("2025-03", 2), ("not stated", 1)],
        [
            (f"03 {DIVISIONS['03']}", 1),
            ("85 Health and social work services", 2),
            ("no CPV code stated, or one of no division", 1),
        ],
        [
            ("below £10,000", 1),
            ("£10,000 to below £25,000", 1),
            ("£25,000,000 or more", 1),
            ("no value in pounds stated", 1),
        ],
    ]


def test_the_divisions_are_the_45_of_the_vocabulary() -> None:
    assert len(DIVISIONS) == 45
    assert list(DIVISIONS) == sorted(DIVISIONS)


# --- Heaps ----------------------------------------------------------------------------------------------------------


def test_thresholds_are_the_sums_that_the_value_is_compared_with() -> None:
    found = {(one.fact, one.value): one for one in thresholds(packs())}
    assert "tier medium" in found["value.total", 50_000].rules
    assert "tier large" in found["value.total", 663_540].rules
    assert found["value.total", 4_000_000].regimes == ("scotland_2015",)
    other = found["value.total_including_vat", 207_720]
    assert (other.start, other.until) == (dt.date(2026, 1, 1), None)
    assert other.used_by == ("uk-procurement-act-2023 threshold_other",)
    # The usual cover of an insurance is no threshold of the value.
    assert not {one.value for one in found.values()} & {2_000_000.0, 15_600.0, 10_000.0}


def test_a_threshold_that_is_changed_is_looked_at_where_it_is_now() -> None:
    change = ParameterChange("common", "medium_tier_from", 60_000.0, "GBP", "Agreed.")
    found = {one.value: one for one in thresholds(load_packs(adjustments=[change]))}
    assert "tier medium" in found[60_000.0].rules
    assert "tier medium" not in found[50_000.0].rules


def test_values_just_under_a_threshold_are_a_heap_only_if_they_stand_out() -> None:
    near = [46_000.0] * 9 + [51_000.0] * 10 + [50_000.0] * 40 + [53_000.0] * 3
    found = heap(of_values(*[49_999.0] * 20, *near), 50_000)
    assert (found.far_below, found.below, found.at, found.above, found.far_above) == (9, 20, 40, 10, 3)
    assert found.state == "heaped"
    assert found.ratio == 2.0
    assert [(one.line, one.value) for one in found.examples] == [(n, 49_999.0) for n in range(1, 6)]
    assert "innocent" in found.says and "proves nothing" in found.says
    assert heap(of_values(*[49_999.0] * 19, *near), 50_000).state == "too few"
    assert heap(of_values(*[49_999.0] * 21, *near, 52_000.0), 50_000).state == "no heap"
    # A crowd that begins well below is none that ends at the threshold.
    assert heap(of_values(*[49_999.0] * 40, *near, *[46_000.0] * 12), 50_000).state == "no heap"


def test_a_threshold_of_the_law_is_for_its_days_and_regime_only() -> None:
    values = [3_900_000.0] * 3
    days = {"date": dt.date(2025, 1, 1), "regime": "scotland_2015"}
    assert heap(of_values(*values, **days), 4_000_000).below == 3
    assert heap(of_values(*values, date=days["date"], regime="pcr_2015"), 4_000_000).state == "no values"
    assert heap(of_values(*values, date=dt.date(2016, 4, 17), regime="scotland_2015"), 4_000_000).values == 0
    assert heap(of_values(*values, regime="scotland_2015"), 4_000_000).values == 0  # its day is not stated


def test_a_threshold_on_the_value_with_vat_is_never_held_against_the_one_without() -> None:
    day = {"date": dt.date(2026, 2, 1), "regime": "procurement_act_2023"}
    assert heap(of_values(*[207_000.0] * 50, **day), 207_720, "value.total_including_vat").state == "no values"
    frame, rules = framed([notice(n, **day) for n in range(50)], [])
    frame = frame.with_columns(value_including_vat=pl.lit(207_000.0))
    assert heap(summed(frame, rules, packs()), 207_720, "value.total_including_vat").state == "heaped"


# --- Publishers -----------------------------------------------------------------------------------------------------


def some(fact: Fact) -> list[Any]:
    """Values of a fact, at different ends."""
    return {
        "bool": [True, False],
        "int": [0, 1000],
        "double": [0.0, 1.0],
        "money": [{"amount": 1, "currency": "GBP"}, {"amount": 90_000_000, "currency": "GBP"}],
        "date": ["2015-01-05", "2026-11-20"],
        "text": ["It says so."],
        "enum": [*fact.values],
    }[fact.type]


def test_what_stating_one_fact_would_settle_it_does_settle() -> None:
    """The bound is proved by stating the fact and auditing again."""
    chosen, tried = packs(), 0
    for document in documents()[::6]:
        raw = document.description.model_dump(mode="json", exclude_unset=True)
        before = {one.rule.id: one for one in audit(raw, chosen, engine="reference").results}
        alone: dict[str, list[str]] = {}
        for id, one in before.items():
            if one.verdict == "unknown" and id in decided_by_facts(chosen) and len(set(one.missing)) == 1:
                alone.setdefault(one.missing[0], []).append(id)
        for name, rules in alone.items():
            fact = dictionary().get(name)
            if fact is None or fact.type.startswith("list"):
                continue
            for value in some(fact):
                changed = json.loads(json.dumps(raw))
                part = changed
                *sections, last = name.split(".")
                for section in sections:
                    part = part.setdefault(section, {})
                part[last] = value
                after = {one.rule.id: one.verdict for one in audit(changed, chosen, engine="reference").results}
                tried += 1
                assert not [id for id in rules if after[id] == "unknown"], (name, value)
    assert tried > 50


def test_what_publishers_could_add_is_counted_from_the_answers() -> None:
    chosen = packs()
    rules = decided_by_facts(chosen)
    put: Counter[str] = Counter()
    settled: Counter[str] = Counter()
    alone: Counter[tuple[str, str]] = Counter()
    carried: Counter[str] = Counter()
    for document, row in zip(documents(), both(chosen)[0].iter_rows(named=True), strict=True):
        publisher = row["publisher"] or ""
        for one in asked(document, chosen, audit(document, chosen, engine="reference").results):
            if one.rule.law:
                continue
            put[publisher] += 1
            settled[publisher] += one.verdict != "unknown"
            names = {re.sub(r"\[\d+]", "[]", name) for name in one.missing}
            if one.verdict == "unknown" and one.rule.id in rules and names and all(map(stated_by_field, names)):
                carried[publisher] += 1
                if len(names) == 1:
                    alone[publisher, *names] += 1
    assert sum(alone.values()) > 5
    assert {one.name for one in whole().publishers} == put.keys()
    for one in whole().publishers:
        assert one.verdicts.put == put[one.name]
        assert one.settled_share == pytest.approx(100 * settled[one.name] / put[one.name], abs=0.1)
        gained = {gain.fact: gain.answers for gain in one.publish}
        assert gained.items() <= {fact: times for (of, fact), times in alone.items() if of == one.name}.items()
        assert len(gained) == min(5, len([of for of, _ in alone if of == one.name]))
        for gain in one.publish:
            assert gain.share <= 100 * (settled[one.name] + gain.answers) / put[one.name]  # never rounded up
        assert one.with_all_fields is not None
        assert one.with_all_fields <= 100 * (settled[one.name] + carried[one.name]) / put[one.name]


def test_each_fact_that_notices_can_state_has_a_field_and_no_other() -> None:
    # What a notice always says, or what only the wording of its subject says.
    of_itself = {"kind", "id", "notice.ocid", "notice.release", "notice.tags", "notice.earlier", "service.health_care"}
    scored = {"award.social_value_scored", "award.supply_chain_scored"}
    assert FIELDS.keys() == STATEMENTS.keys() - of_itself - scored
    assert field_of("lots.items[].value") == "tender.lots"
    assert field_of("award.criteria.complete") == "tender.awardCriteria.criteria"
    assert field_of("outcomes.measures.complete") is None
    assert field_of("service.multiple_complex_needs") is None
    assert fact_title("users.phases.service_design.involved") != fact_title("users.phases.delivery.involved")
    assert fact_title("requirements.insurance.complete").startswith("whether all is named under")


# --- Forms ----------------------------------------------------------------------------------------------------------


def seen(page: str) -> str:
    """What is read of a page, one line a block."""
    page = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    page = re.sub(r"</(p|li|dt|dd|h[1-6]|tr|caption|summary|title)>", "\n", page)
    page = markup.unescape(re.sub(r"<[^>]*>", " ", page))
    return "".join(f"{line}\n" for line in (" ".join(line.split()) for line in page.splitlines()) if line)


@pytest.mark.parametrize("form", ["txt", "html.txt"])
def test_a_small_scan_reads_as_in_the_golden_files(form: str) -> None:
    notices, rules = tables(documents()[-14:], few())
    summary = summed(notices, rules, few(), read=notices.height + 2, rejected=2)
    said = text(summary) if form == "txt" else seen(html(summary))
    said = re.sub(r"goodcommission \d+\.\d+\.\d+", "goodcommission 0.0.0", said)
    said = re.sub(r"sha256:[0-9a-f]{64}", "sha256:0", said)
    golden = GOLDEN / f"scan-summary.{form}"
    if os.environ.get("GOODCOMMISSION_GOLDEN"):
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")


@cache
def hostile() -> Summary:
    names = dict.fromkeys(("file", "pointer", "ocid", "publisher", "buyer", "kind", "grade"), HOSTILE)
    notices, rules = both(few())
    notices = notices.with_columns(value=pl.lit(49_999.0), **{name: pl.lit(one) for name, one in names.items()})
    return summed(notices, rules, few())


def test_hostile_names_are_text_in_every_form() -> None:
    page = html(hostile())
    assert "pwned" in page
    assert "<script" not in page and "<img" not in page and "\u202e" not in page
    assert page.count("<title>") == page.count("</title>") == 1
    assert "{{ 7*7 }}" in page
    assert "\u202e" not in text(hostile())
    assert json.loads(hostile().to_json())["publishers"][0]["name"] == HOSTILE


def test_a_name_without_end_does_not_fill_the_memory() -> None:
    sums = partial(*framed([notice(0, buyer="x" * 10_000_000, publisher="y" * 10_000_000)], []), packs())
    assert len(sums.to_bytes()) < 20_000


@pytest.mark.parametrize("rejected", [0, 3])
def test_of_no_notice_at_all_it_says_so(rejected: int) -> None:
    summary = summarise(merged([]), packs(), Counts(read=rejected, audited=0, rejected=rejected))
    assert summary == summed(*framed([], []), packs(), read=rejected, rejected=rejected)
    assert "No rule was put to any notice." in text(summary)
    assert "No rule was put to any notice." in seen(html(summary))
    assert ("errors.jsonl" in text(summary).partition("What this")[0]) is bool(rejected)
    assert {rule.rule for pack in summary.packs for rule in pack.rules} == {rule.rule.id for rule in packs().rules}


def test_what_it_cannot_tell_is_said_before_any_figure() -> None:
    for said in (text(whole()), seen(html(whole()).partition("<main")[2])):
        places = [said.index(words) for words in ("says little about practice", "league table", "be decided\n")]
        assert places == sorted(places)


def test_json_reads_back_and_text_keeps_its_width() -> None:
    assert Summary.model_validate_json(whole().to_json()) == whole()
    assert max(cell_len(line) for line in text(whole()).splitlines()) <= 100


def test_the_page_loads_nothing_and_stays_small() -> None:
    page = html(whole())
    assert len(page.encode()) < 300_000
    assert not re.findall(r"""<(?:script|link|img|iframe)\b|\b(?:src|srcset)=|url\((?!#)|@import""", page)
    assert page == html(whole())


def test_what_came_once_is_said_to_have() -> None:
    said = verdict_words(Verdicts(met=1, not_met=0, unknown=1_200, not_applicable=1, not_yet_due=0, provisional=0))
    assert said == (
        "Rules of practice were put to notices 1,202 times: met once, not met 0 times and not known 1,200 times; "
        "it did not apply once and was not yet due 0 times."
    )
