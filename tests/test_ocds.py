"""OCDS reading: what real notices state and where, every shape, every known oddity, and any mutation."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import socket
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odd_notices import ODD, mutate

from goodcommission.description.model import Description
from goodcommission.description.ocds import Converted, convert, is_ocds
from goodcommission.exceptions import DescriptionError

HERE = Path(__file__).parent
FIXTURES = HERE / "fixtures" / "ocds"
EXAMPLES = HERE.parent / "examples" / "ocds"
PUBLISHERS = ("Contracts Finder", "Public Contracts Scotland", "Sell2Wales", "Find a Tender")


def _load(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def _notices() -> list[Any]:
    lines = gzip.decompress((FIXTURES / "uk-notices.jsonl.gz").read_bytes()).decode().splitlines()
    packages = sorted(FIXTURES.glob("find-a-tender-*.json"))
    return [_load(line) for line in lines] + [_load(path.read_text(encoding="utf-8")) for path in packages]


NOTICES = _notices()


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("OCDS reading went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def values(description: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf with its pointer."""
    if isinstance(description, dict):
        for key, value in description.items():
            yield from values(value, f"{pointer}/{key}")
    elif isinstance(description, list):
        for index, value in enumerate(description):
            yield from values(value, f"{pointer}/{index}")
    else:
        yield pointer, description


def items(description: Any, pointer: str = "") -> Iterator[str]:
    if isinstance(description, dict):
        for key, value in description.items():
            yield from items(value, f"{pointer}/{key}")
    elif isinstance(description, list):
        for index, value in enumerate(description):
            yield f"{pointer}/{index}"
            yield from items(value, f"{pointer}/{index}")


def check(raw: Any) -> tuple[Converted, ...]:
    """Convert, and hold what holds for every input: it validates, and each value has a place that exists."""
    found = convert(raw)
    for one in found:
        Description.model_validate(one.description)
        for pointer, _ in values(one.description):
            assert pointer in one.places
        for pointer in items(one.description):
            assert pointer in one.places
        for pointer, origin in one.places.items():
            at(one.description, pointer)
            at(raw, origin)
    return found


def only(raw: Any) -> Converted:
    (one,) = check(raw)
    return one


def fact(one: Converted, path: str) -> Any:
    value: Any = one.description
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def origin(one: Converted, path: str) -> str:
    return one.places["/" + path.replace(".", "/")]


def release(**sections: Any) -> dict[str, Any]:
    plain = {"ocid": "ocds-h6vhtk-000001", "id": "1", "date": "2026-03-02T10:00:00Z", "tag": ["tender"]}
    return {**plain, "tender": {"id": "t"}, **sections}


def tender(**fields: Any) -> Converted:
    return only(release(tender=fields))


def gbp(amount: Any) -> dict[str, Any]:
    return {"amount": amount, "currency": "GBP"}


# The real notices


def _short(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value if not isinstance(value, str) or len(value) <= 80 else f"{value[:60]}… ({len(value)} characters)"


def _golden() -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = {name: [] for name in PUBLISHERS}
    for raw in NOTICES:
        one = only(raw)
        facts = {pointer: [_short(value), one.places[pointer]] for pointer, value in values(one.description)}
        table[fact(one, "notice.publisher")].append({"facts": facts, "notes": list(one.notes)})
    return table


def _golden_file(publisher: str) -> Path:
    return FIXTURES / "golden" / f"{publisher.lower().replace(' ', '-')}.json"


def test_every_fact_of_the_real_notices_is_as_recorded() -> None:
    table = _golden()
    for publisher, notices in table.items():
        file = _golden_file(publisher)
        if os.environ.get("GOODCOMMISSION_GOLDEN") == "write":
            lines = []
            for notice in notices:
                rows = [f"    {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in notice["facts"].items()]
                notes = json.dumps(notice["notes"], ensure_ascii=False)
                lines.append('  {"facts": {\n' + ",\n".join(rows) + '\n   },\n   "notes": ' + notes + "}")
            file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
        assert json.loads(file.read_text(encoding="utf-8")) == notices


def test_what_is_copied_equals_its_origin() -> None:
    copied = (
        "title",
        "commissioner.name",
        "notice.ocid",
        "value.total.amount",
        "process.recurrent",
        "award.value.amount",
    )
    seen: Counter[str] = Counter()
    for raw in NOTICES:
        one = only(raw)
        for path in copied:
            value = fact(one, path)
            where = at(raw, origin(one, path)) if value is not None else None
            if value is not None and not isinstance(where, list):
                seen[path] += 1
                assert value == (" ".join(where.split()) if isinstance(where, str) else where), path
    assert seen["title"] == seen["commissioner.name"] == 122
    assert all(seen[path] for path in copied)


EXPECTED = {
    # fact: Contracts Finder (60), Public Contracts Scotland (30), Sell2Wales (30), Find a Tender (2)
    "title": (60, 30, 30, 2),
    "summary": (60, 30, 30, 2),
    "commissioner.name": (60, 30, 30, 2),
    "commissioner.types": (0, 30, 30, 2),
    "stage": (60, 30, 30, 2),
    "service.classification": (60, 30, 30, 2),
    "service.places": (57, 30, 30, 2),
    "value.total": (54, 20, 17, 2),
    "value.total_including_vat": (0, 0, 0, 2),
    "value.minimum": (7, 0, 0, 0),
    "value.budget": (2, 0, 0, 0),
    "term.months": (58, 29, 29, 2),
    "term.extension_option": (0, 29, 30, 0),
    "term.extension_terms": (0, 20, 17, 0),
    "lots.count": (0, 30, 30, 1),
    "lots.items": (0, 7, 11, 0),
    "process.route": (42, 30, 30, 1),
    "process.framework": (0, 8, 10, 0),
    "process.legal_basis": (0, 30, 30, 2),
    "process.suitable_for_vcse": (44, 0, 0, 0),
    "timeline.tender_published": (16, 30, 30, 2),
    "timeline.bid_deadline": (49, 22, 26, 1),
    "timeline.participation_deadline": (7, 8, 3, 0),
    "timeline.award_decision": (44, 0, 0, 0),
    "timeline.intention_notice": (2, 0, 0, 1),
    "market.engagement_date": (2, 0, 0, 0),
    "requirements.financial_standing": (0, 18, 0, 0),
    "requirements.technical_ability": (0, 15, 1, 0),
    "contract_terms.performance_terms": (0, 11, 9, 0),
    "award.criteria": (0, 21, 13, 1),
    "award.criteria_published": (0, 16, 11, 1),
    "award.suppliers": (44, 0, 0, 0),
    "award.value": (43, 0, 0, 0),
    "subcontracting.prime_is_vcse": (29, 0, 0, 0),
    "notice.types": (0, 0, 0, 2),
}


def test_counts_per_fact_and_publisher() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    for raw in NOTICES:
        one = only(raw)
        for path in EXPECTED:
            counted[path, fact(one, "notice.publisher")] += fact(one, path) is not None
    assert {path: tuple(counted[path, name] for name in PUBLISHERS) for path in EXPECTED} == EXPECTED


def test_no_notice_is_reduced_to_a_handful_of_facts() -> None:
    sizes = [len(list(values(only(raw).description))) for raw in NOTICES]
    assert min(sizes) >= 18 and sum(sizes) / len(sizes) > 40


def test_stages_of_the_real_notices() -> None:
    stages = Counter((fact(one, "kind"), fact(one, "stage")) for raw in NOTICES for one in (only(raw),))
    assert stages == {("tender", "published"): 73, ("tender", "awarded"): 44, ("tender", "draft"): 5}


def test_the_examples_convert_and_hold_no_personal_data() -> None:
    files = sorted(EXAMPLES.glob("*.json"))
    assert len(files) >= 12
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "contactPoint" not in text and not re.search(r"\S@\S", text)
        assert is_ocds(_load(text))
        only(_load(text))


def test_the_fixtures_hold_no_contact_points() -> None:
    for raw in NOTICES:
        text = json.dumps(raw, default=str)
        assert "contactPoint" not in text and not re.search(r"\S@\S", text)
        assert "description" not in raw.get("tender", {}).get("bidOpening", {})


# Shapes


def test_detection() -> None:
    one = release()
    assert is_ocds(one) and is_ocds([one]) and is_ocds({"releases": [one]}) and is_ocds({"records": []})
    assert is_ocds({"ocid": "ocds-x", "compiledRelease": one}) and is_ocds({"tag": ["tender"], "tender": {}})
    for other in ({}, [], None, 3, "ocid", {"title": "x"}, {"kind": "tender", "ocid": "x"}, [{"kind": "tender"}], [1]):
        assert not is_ocds(other)
    assert not is_ocds({"kind": "tender", "releases": [one]})


def test_each_shape_reads_the_same_and_points_into_itself() -> None:
    one = release(tender={"title": "Advice"})
    shapes: dict[str, Any] = {
        "/tender/title": one,
        "/0/tender/title": [one],
        "/releases/0/tender/title": {"uri": "x", "releases": [one]},
        "/records/0/releases/0/tender/title": {"records": [{"ocid": one["ocid"], "releases": [one]}]},
        "/releases/0/tender/title ": {"ocid": one["ocid"], "releases": [one]},
        "/compiledRelease/tender/title": {"ocid": one["ocid"], "compiledRelease": {**one, "tag": ["compiled"]}},
        "/1/releases/0/tender/title": [release(ocid="ocds-other"), {"releases": [one]}],
    }
    for pointer, raw in shapes.items():
        found = check(raw)[-1]
        assert fact(found, "title") == "Advice" and fact(found, "stage") == "published"
        assert origin(found, "title") == pointer.strip()


def test_processes_come_in_order_of_first_appearance() -> None:
    raw = {"releases": [release(ocid="ocds-b"), release(ocid="ocds-a"), release(ocid="ocds-b", date="2026-04-01")]}
    assert [fact(one, "id") for one in check(raw)] == ["ocds-b", "ocds-a"]


def test_a_compiled_release_is_preferred_and_its_record_tells_the_stage() -> None:
    link = {"url": "https://example.org/1.json", "date": "2026-01-05T09:00:00Z", "tag": ["tender"]}
    compiled = release(
        tag=["compiled"], date="2026-03-01T00:00:00Z", tender={"tenderPeriod": {"endDate": "2026-02-02"}}
    )
    one = only({"records": [{"ocid": compiled["ocid"], "releases": [link], "compiledRelease": compiled}]})
    assert fact(one, "timeline.tender_published") == "2026-01-05"
    assert origin(one, "timeline.tender_published") == "/records/0/releases/0/date"


def test_a_linked_release_is_not_fetched_but_mentioned() -> None:
    link = {"url": "https://example.org/1.json", "date": "2026-01-05T09:00:00Z", "tag": ["planning"]}
    one = only({"ocid": "ocds-h6vhtk-000001", "releases": [link, release()]})
    assert any("could not be read offline" in note for note in one.notes)


def test_releases_of_one_process_are_merged_and_each_value_points_to_the_newest_that_states_it() -> None:
    lots = [{"id": "1", "title": "North", "value": gbp(50000)}, {"id": "2", "title": "South", "value": gbp(70000)}]
    newest = release(
        id="3",
        date="2026-03-29T01:30:00+01:00",
        tag=["tenderUpdate"],
        tender={"title": "New", "lots": [{"id": "2", "value": gbp(80000)}]},
    )
    first = release(
        tag=["planning"],
        date="2026-01-01T00:00:00Z",
        planning={"documents": [{"id": "1", "documentType": "marketEngagementNotice", "datePublished": "2026-01-01"}]},
        tender={"title": "Old"},
    )
    second = release(id="2", date="2026-03-29T00:20:00Z", tender={"title": "Older", "lots": lots, "value": gbp(150000)})
    one = only({"releases": [newest, first, second]})
    assert fact(one, "title") == "New" and origin(one, "title") == "/releases/0/tender/title"
    assert origin(one, "value.total.amount") == "/releases/2/tender/value/amount"
    assert one.places["/lots/items/items/0/title"] == "/releases/2/tender/lots/0/title"
    assert one.places["/lots/items/items/1/value/amount"] == "/releases/0/tender/lots/0/value/amount"
    assert fact(one, "lots.smallest_value.amount") == 50000
    assert fact(one, "market.engagement_date") == "2026-01-01"
    assert origin(one, "market.engagement_date") == "/releases/1/planning/documents/0/datePublished"
    assert fact(one, "notice.release") == "3" and fact(one, "stage") == "published"
    assert fact(one, "timeline.tender_published") == "2026-03-29"
    assert fact(one, "notice.tags") == ["planning", "tender", "tenderUpdate"]


def test_lists_of_criteria_are_replaced_as_a_whole() -> None:
    def with_criteria(date: str, tag: str, *weights: int) -> dict[str, Any]:
        criteria = [
            {"type": kind, "name": kind, "numbers": [{"number": weight, "weight": "percentageExact"}]}
            for kind, weight in zip(("quality", "price"), weights, strict=True)
        ]
        return release(date=date, tag=[tag], tender={"lots": [{"id": "1", "awardCriteria": {"criteria": criteria}}]})

    one = only([with_criteria("2026-01-01", "tender", 60, 40), with_criteria("2026-02-01", "tenderUpdate", 70, 30)])
    assert [item["weight"] for item in fact(one, "award.criteria.items")] == [Decimal("0.7"), Decimal("0.3")]
    assert one.places["/award/criteria/items/0/weight"].startswith("/1/tender/lots/0/awardCriteria/criteria/0")


def test_releases_without_date_or_id_merge() -> None:
    bare = {"ocid": "ocds-r6ebe6-1", "tag": ["tender"], "tender": {"title": "Undated"}}
    one = only([release(ocid="ocds-r6ebe6-1", tender={"title": "Dated"}), bare])
    assert fact(one, "title") == "Dated"
    assert any("without a date" in note for note in one.notes)


def _award(name: str, amount: int, **fields: Any) -> dict[str, Any]:
    return {"id": "1", "suppliers": [{"id": "org-1", "name": name}], "value": gbp(amount), **fields}


def test_award_and_party_ids_that_start_anew_are_kept_apart() -> None:
    def notice(date: str, name: str, amount: int, vcse: bool, tag: str = "award") -> dict[str, Any]:
        party = {"id": "org-1", "name": name, "roles": ["supplier"], "details": {"vcse": vcse}}
        return release(date=date, tag=[tag], parties=[party], awards=[_award(name, amount)])

    one = only([notice("2026-01-01", "Aster", 10000, True), notice("2026-02-01", "Birch", 20000, False)])
    assert {(item["name"], item["vcse"]) for item in fact(one, "award.suppliers")} == {
        ("Aster", True),
        ("Birch", False),
    }
    assert fact(one, "award.value.amount") == 30000
    assert any("kept apart" in note for note in one.notes)
    repeated = only([notice("2026-01-01", "Aster", 10000, True), notice("2026-02-01", "Aster", 12000, True)])
    assert fact(repeated, "award.value.amount") == 12000
    corrected = [notice("2026-01-01", "Aster", 10000, True), notice("2026-02-01", "Birch", 9000, True, "awardUpdate")]
    assert fact(only(corrected), "award.value.amount") == 9000


def test_lots_that_are_numbered_anew_replace_those_of_the_earlier_notice() -> None:
    early = release(tag=["planning"], date="2026-01-01", tender={"lots": [{"id": "1"}]})
    late = release(date="2026-02-01", tender={"lots": [{"id": "LOT-0001"}]})
    assert fact(only([early, late]), "lots.count") == 1


def test_releases_that_contradict_each_other_in_form() -> None:
    raw = [
        release(date="2026-01-01", tender={"value": "much"}),
        release(date="2026-02-01", tender={"value": gbp(5000)}),
    ]
    one = only(raw)
    assert fact(one, "value.total.amount") == 5000
    assert any("contradict each other in form" in note for note in one.notes)


@pytest.mark.parametrize(
    ("raw", "pointer", "words"),
    [
        ({"releases": []}, "/releases", "is empty"),
        ({"releases": 5}, "/releases", "not a list"),
        ({"releases": [5]}, "/releases/0", "object is expected"),
        ({"releases": [{"tag": ["tender"]}]}, "/releases/0", "no ocid"),
        ({"ocid": None, "tag": ["tender"]}, "/ocid", "no ocid"),
        ({"tag": ["tender"], "tender": {}}, "", "no ocid"),
        ({"records": []}, "/records", "is empty"),
        ({"records": [{"ocid": "ocds-x"}]}, "/records/0", "holds no release"),
        ({"records": [{"ocid": "ocds-x", "versionedRelease": {}}]}, "/records/0", "history"),
        ({"ocid": "ocds-x", "releases": [{"url": "https://example.org"}]}, "", "only linked"),
        ([], "", "empty"),
        ([release(), 3], "/1", "is expected here"),
        (3, "", "is expected here"),
        (
            {
                "ocid": "ocds-x",
                "tender": {"title": [{"releaseID": "1", "releaseDate": "2", "releaseTag": [], "value": "x"}]},
            },
            "",
            "versioned release",
        ),
    ],
)
def test_what_is_not_ocds_inside_an_ocds_shape(raw: Any, pointer: str, words: str) -> None:
    with pytest.raises(DescriptionError) as raised:
        convert(raw)
    assert raised.value.faults[0].pointer == pointer
    assert words in raised.value.faults[0].message


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(DescriptionError) as raised:
        convert({"releases": [{}, release(), 1]})
    assert [fault.pointer for fault in raised.value.faults] == ["/releases/0", "/releases/2"]


# The publishers' oddities


@pytest.mark.parametrize(
    "amount", [0, 1, Decimal("0.01"), -5, 2147483647, Decimal("7.9e28"), float("inf"), Decimal("1e9999")]
)
def test_amounts_that_stand_for_not_stated(amount: Any) -> None:
    one = tender(value=gbp(amount))
    assert fact(one, "value") is None
    assert any("taken as not stated" in note for note in one.notes)


def test_small_amounts_and_foreign_currencies_are_kept_with_a_remark() -> None:
    one = tender(value=gbp(140), lots=[{"id": "1", "value": {"amount": 140, "currency": "AED"}}])
    assert fact(one, "value.total.amount") == 140
    assert any("rate for a unit" in note for note in one.notes)
    assert any("AED" in note for note in one.notes) and any("different currencies" in note for note in one.notes)


def test_vat_is_kept_apart() -> None:
    one = tender(value={"amount": 100000, "amountGross": 120000, "currency": "GBP"})
    assert fact(one, "value.total.amount") == 100000 and fact(one, "value.total_including_vat.amount") == 120000
    assert origin(one, "value.total_including_vat.amount") == "/tender/value/amountGross"
    assert fact(tender(value={"amountGross": 120000, "currency": "GBP"}), "value.total") is None
    odd = tender(value={"amount": 100000, "amountGross": 1200000, "currency": "GBP"})
    assert any("more than twice" in note for note in odd.notes)


def test_a_single_lot_is_no_division_and_only_stated_by_tender_notices() -> None:
    assert fact(tender(lots=[{"id": "1"}]), "lots") == {"count": 1}
    assert fact(only(release(tag=["award"], tender={"lots": [{"id": "1"}, {"id": "2"}]})), "lots.count") is None
    assert fact(only(release(tag=["planning"], tender={"lots": [{"id": "1"}]})), "lots") is None
    assert fact(only(release(tag=["planning"], tender={"lots": [{"id": "1"}, {"id": "2"}]})), "lots.count") == 2


def test_lot_values_are_summed_only_if_all_are_there_in_one_currency() -> None:
    def lots(*money: Any) -> list[Any]:
        return [{"id": str(index), "value": value} for index, value in enumerate(money)]

    one = tender(lots=lots(gbp(3000), gbp(2000)))
    assert fact(one, "value.total.amount") == 5000 and origin(one, "value.total.amount") == "/tender/lots"
    assert fact(one, "lots.smallest_value.amount") == 2000
    assert origin(one, "lots.smallest_value.amount") == "/tender/lots/1/value/amount"
    for bad in (lots(gbp(3000), None), lots(gbp(3000), {"amount": 3000, "currency": "EUR"}), lots(gbp(3000), gbp(0))):
        assert fact(tender(lots=bad), "value") is None and fact(tender(lots=bad), "lots.smallest_value") is None
    odd = tender(value=gbp(9000), lots=lots(gbp(3000), gbp(2000)))
    assert any("do not add up" in note for note in odd.notes)


def test_no_limit_on_lots_is_all_lots() -> None:
    for limit in (2147483647, Decimal("7.922816251426434e28"), float("inf"), Decimal("1e9999")):
        one = tender(lots=[{"id": "1"}, {"id": "2"}], lotDetails={"maximumLotsBidPerSupplier": limit})
        assert fact(one, "lots.maximum_per_bidder") == 2
    assert fact(tender(lotDetails={"maximumLotsAwardedPerSupplier": 3}), "lots.maximum_per_supplier") == 3


def test_frameworks() -> None:
    def agreement(most: Any) -> Converted:
        techniques = {
            "hasFrameworkAgreement": True,
            "frameworkAgreement": {"maximumParticipants": most, "periodRationale": "N/A"},
        }
        return tender(techniques=techniques)

    assert fact(agreement(Decimal("6.0")), "process.framework_maximum") == 6
    unlimited = agreement(Decimal("7.922816251426434e28"))
    assert fact(unlimited, "process.framework") is True and fact(unlimited, "process.framework_maximum") is None
    assert any("any number" in note for note in unlimited.notes)
    assert fact(unlimited, "process.framework_period_reason") is None


def test_dates_are_uk_civil_dates() -> None:
    one = tender(tenderPeriod={"endDate": "2026-06-30T23:30:00Z"}, enquiryPeriod={"endDate": "2026-06-20"})
    assert fact(one, "timeline.bid_deadline") == "2026-07-01"
    assert fact(one, "timeline.clarification_deadline") == "2026-06-20"
    scotland = only(release(ocid="ocds-r6ebe6-1", tender={"tenderPeriod": {"endDate": "2026-06-30T23:30:00Z"}}))
    assert fact(scotland, "timeline.bid_deadline") == "2026-06-30"
    for wrong in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", "2026-02-30", 5, None, []):
        assert fact(tender(enquiryPeriod={"endDate": wrong}), "timeline.clarification_deadline") is None


@pytest.mark.parametrize(
    ("period", "months"),
    [
        ({"durationInDays": 1440}, 48),
        ({"durationInDays": 2520}, 84),
        ({"durationInDays": 29970}, None),
        ({"durationInDays": 100}, None),
        ({"durationInDays": 0}, None),
        ({"startDate": "2024-11-01", "endDate": "2027-09-30"}, 35),
        ({"startDate": "2026-05-14T00:00:00+01:00", "endDate": "2026-12-31T23:59:59Z"}, 8),
        ({"startDate": "2025-04-01", "endDate": "2028-04-01"}, 36),
        ({"startDate": "2025-03-10", "endDate": "2025-03-10"}, 1),
        ({"startDate": "2025-03-10", "endDate": "2024-03-10"}, None),
    ],
)
def test_length_of_the_term(period: dict[str, Any], months: int | None) -> None:
    assert fact(tender(contractPeriod=period), "term.months") == months
    assert fact(tender(lots=[{"id": "1", "contractPeriod": period}]), "term.months") == months


def test_the_term_of_lots_counts_only_if_they_agree() -> None:
    lots = [
        {"id": "1", "contractPeriod": {"durationInDays": 360}},
        {"id": "2", "contractPeriod": {"durationInDays": 720}},
    ]
    one = tender(lots=lots)
    assert fact(one, "term") is None
    assert [item["months"] for item in fact(one, "lots.items.items")] == [12, 24]


def test_extensions() -> None:
    period = {"startDate": "2026-04-01", "endDate": "2029-03-31", "maxExtentDate": "2031-03-31"}
    one = tender(contractPeriod=period)
    assert fact(one, "term.extension_option") is True and fact(one, "term.extension_months") == 24
    assert origin(one, "term.extension_months") == "/tender/contractPeriod/maxExtentDate"
    lots = [{"id": "1", "hasRenewal": True, "renewal": {"description": "2 x 12 months"}}]
    told = tender(lots=lots)
    assert fact(told, "term.extension_terms") == "2 x 12 months" and fact(told, "term.extension_months") is None
    assert fact(tender(lots=[{"id": "1", "hasRenewal": False}]), "term.extension_option") is False
    assert fact(tender(lots=[{"id": "1", "hasRenewal": True}, {"id": "2"}]), "term") is None


def _criteria(*rows: tuple[str, str | None, str | None]) -> dict[str, Any]:
    fields = [{"type": kind, "name": name, "description": text} for kind, name, text in rows]
    return {"criteria": [{key: value for key, value in row.items() if value is not None} for row in fields]}


@pytest.mark.parametrize(
    ("texts", "weights"),
    [
        (("60", "40"), ("0.6", "0.4")),
        (("60%", "40 %"), ("0.6", "0.4")),
        (("600", "400"), ("0.6", "0.4")),
        (("62.5", "37.5"), ("0.625", "0.375")),
        (("60", "37"), (None, None)),
        (("15-40%", "60"), (None, None)),
        (("see documents", "100"), (None, None)),
        ((None, "100"), (None, None)),
    ],
)
def test_weights_written_as_descriptions(texts: tuple[str | None, str], weights: tuple[str | None, ...]) -> None:
    one = tender(
        lots=[{"id": "1", "awardCriteria": _criteria(("quality", "Method", texts[0]), ("cost", "Price", texts[1]))}]
    )
    found = fact(one, "award.criteria")
    rows = found["items"] if isinstance(found, dict) else found
    assert [row["kind"] for row in rows] == ["quality", "price"]
    assert [row.get("weight") for row in rows] == [None if weight is None else Decimal(weight) for weight in weights]
    assert (fact(one, "award.criteria_published") is True) == (weights[0] is not None) == isinstance(found, dict)


def test_structured_weights_and_named_criteria() -> None:
    def numbers(value: Any, code: str = "percentageExact") -> list[Any]:
        return [{"number": value, "weight": code}]

    rows = [
        {"type": "quality", "name": "Social Value", "numbers": numbers(20)},
        {"type": "quality", "name": "Experience", "numbers": numbers(30)},
        {"type": "price", "name": "Commercial", "numbers": numbers(50)},
    ]
    one = tender(lots=[{"id": "1", "awardCriteria": {"criteria": rows}}])
    kinds = [row["kind"] for row in fact(one, "award.criteria.items")]
    assert kinds == ["social_value", "track_record", "price"] and fact(one, "award.social_value_scored") is True
    rows[0]["numbers"] = numbers(20, "percentageRangeMiddle")
    assert "weight" not in fact(tender(lots=[{"id": "1", "awardCriteria": {"criteria": rows}}]), "award.criteria")[0]


def test_price_only_is_a_single_criterion_of_price() -> None:
    one = tender(lots=[{"id": "1", "awardCriteria": _criteria(("price", None, None))}])
    assert fact(one, "award.criteria") == {"items": [{"kind": "price", "weight": Decimal(1)}], "complete": True}
    assert fact(tender(lots=[{"id": "1", "awardCriteria": _criteria(("quality", "Q", None))}]), "award.criteria") == [
        {"name": "Q", "kind": "quality"}
    ]


def test_criteria_of_several_lots_must_agree() -> None:
    first, second = (_criteria(("quality", "Q", a), ("price", None, b)) for a, b in (("60", "40"), ("50", "50")))
    same = tender(lots=[{"id": "1", "awardCriteria": first}, {"id": "2", "awardCriteria": first}])
    assert fact(same, "award.criteria.complete") is True
    for other in (second, {}):
        one = tender(lots=[{"id": "1", "awardCriteria": first}, {"id": "2", "awardCriteria": other}])
        assert fact(one, "award") is None
        assert any("different award criteria" in note for note in one.notes)


@pytest.mark.parametrize(
    ("method", "details", "route"),
    [
        ("open", "Open procedure", "open_tender"),
        ("open", None, "open_tender"),
        ("open", "Below threshold - open competition", "open_tender"),
        (None, "Other - Open", "open_tender"),
        ("selective", "Restricted procedure", "restricted_tender"),
        ("selective", None, "restricted_tender"),
        ("selective", "Competitive flexible procedure", "restricted_tender"),
        ("selective", "Call-off from a framework agreement", "framework_calloff"),
        ("direct", "Single tender action (below threshold)", "direct_award"),
        ("direct", None, "direct_award"),
        ("limited", "Direct award", "direct_award"),
        ("limited", "Below threshold - without competition", "direct_award"),
        (None, "Other - Direct Award", "direct_award"),
        ("limited", None, None),
        ("limited", "Competitive quotation (below threshold)", None),
        ("limited", "Below threshold - limited competition", None),
        (None, "Other - Direct Award from a Framework Contract", None),
        ("open", "Direct award", None),
        ("selective", "Open procedure", None),
        ("open", "Call-off from a framework agreement", None),
        (None, "Not specified", None),
        (None, "Other - ", None),
        (None, "", None),
    ],
)
def test_route(method: str | None, details: str | None, route: str | None) -> None:
    one = tender(procurementMethod=method, procurementMethodDetails=details)
    assert fact(one, "process.route") == route
    if route is None and (method or details):
        assert any("route to the provider is unknown" in note for note in one.notes)


def test_an_open_procedure_with_a_shortlist_contradicts_itself() -> None:
    one = tender(procurementMethod="open", lots=[{"id": "1", "secondStage": {"maximumCandidates": 4}}])
    assert fact(one, "process.route") is None and fact(one, "process.shortlist_maximum") == 4


def test_thresholds() -> None:
    assert fact(tender(procurementMethodDetails="Open procedure (below threshold)"), "process.above_threshold") is False
    one = only(release(tender={"aboveThreshold": True}, contracts=[{"id": "1", "aboveThreshold": False}]))
    assert fact(one, "process.above_threshold") is None and any("disagree" in note for note in one.notes)


def test_where_the_day_of_publication_comes_from() -> None:
    notice = {"documentType": "tenderNotice", "datePublished": "2026-01-03"}
    assert fact(tender(documents=[notice], datePublished="2026-01-02"), "timeline.tender_published") == "2026-01-03"
    assert fact(tender(datePublished="2026-01-02"), "timeline.tender_published") == "2026-01-02"
    assert fact(tender(), "timeline.tender_published") == "2026-03-02"
    for tag in ("award", "tenderAmendment", "compiled"):
        assert fact(only(release(tag=[tag])), "timeline.tender_published") is None


def test_a_planning_notice_states_when_the_tender_is_expected() -> None:
    one = only(release(tag=["planning"], tender={"communication": {"futureNoticeDate": "2026-06-29T23:59:59+01:00"}}))
    assert fact(one, "stage") == "draft" and fact(one, "timeline.tender_published") == "2026-06-29"
    assert any("expects" in note for note in one.notes)


def test_call_offs_state_no_day_of_publication() -> None:
    one = tender(procurementMethod="selective", procurementMethodDetails="Call-off from a framework agreement")
    assert fact(one, "timeline.tender_published") is None


def test_deadlines_that_are_none_for_bids() -> None:
    standing = tender(tenderPeriod={"endDate": "2029-02-19"})
    assert fact(standing, "timeline.bid_deadline") is None and any("stands open" in note for note in standing.notes)
    dynamic = tender(tenderPeriod={"endDate": "2026-04-19"}, techniques={"hasDynamicPurchasingSystem": True})
    assert fact(dynamic, "timeline.bid_deadline") is None and fact(dynamic, "process.dynamic") is True
    early = tender(tenderPeriod={"endDate": "2026-01-01"})
    assert fact(early, "timeline.bid_deadline") is None and any(
        "before the day of publication" in n for n in early.notes
    )
    late = only(
        release(tender={"tenderPeriod": {"endDate": "2026-04-01"}}, awards=[_award("A", 5000, date="2026-03-20")])
    )
    assert fact(late, "timeline.bid_deadline") is None and any("after the award" in note for note in late.notes)
    staged = tender(procurementMethod="selective", tenderPeriod={"endDate": "2026-04-01"})
    assert fact(staged, "timeline.participation_deadline") == "2026-04-01"
    both = tender(
        procurementMethod="selective", expressionOfInterestDeadline="2026-04-01", tenderPeriod={"endDate": "2026-05-01"}
    )
    assert fact(both, "timeline.participation_deadline") == "2026-04-01"
    assert fact(both, "timeline.bid_deadline") == "2026-05-01"


def test_untouched_suitability_boxes_of_contracts_finder_say_nothing() -> None:
    def found(tag: str, sme: bool, vcse: bool) -> Any:
        boxes = {"suitability": {"sme": sme, "vcse": vcse}}
        return fact(only(release(ocid="ocds-b5fd17-1", tag=[tag], tender=boxes)), "process.suitable_for_vcse")

    assert found("award", False, False) is None
    assert found("tender", False, False) is False
    assert found("award", True, False) is False
    assert found("award", True, True) is True
    merged = [
        release(ocid="ocds-b5fd17-1", tender={"suitability": {"sme": True, "vcse": True}}),
        release(
            ocid="ocds-b5fd17-1",
            tag=["award"],
            date="2026-05-01",
            tender={"suitability": {"sme": False, "vcse": False}},
        ),
    ]
    assert fact(only(merged), "process.suitable_for_vcse") is True


def test_absent_is_not_false() -> None:
    one = tender(suitability={"sme": True})
    assert fact(one, "process.suitable_for_sme") is True and "suitable_for_vcse" not in fact(one, "process")
    lots = [{"id": "1", "suitability": {"vcse": True}}, {"id": "2"}]
    assert fact(tender(lots=lots), "process.suitable_for_vcse") is None
    assert fact(tender(specialRegime=["utilities"]), "process") is None
    assert fact(tender(specialRegime=["lightTouch"]), "process.light_touch") is True


def test_legal_basis() -> None:
    one = tender(legalBasis={"scheme": "UKPGA", "id": "2023/54"})
    assert fact(one, "process.legal_basis") == "UKPGA 2023/54" and fact(one, "funding.mechanism") == "contract"
    assert fact(tender(legalBasis={"scheme": "UKPGA", "id": "1998/42"}), "funding") is None


def test_requirements_are_quoted_and_never_made_into_figures() -> None:
    text = "Bidders need a minimum general yearly turnover of 500,000 GBP for the last 3 years."
    rows = [{"type": "economic", "description": text}, {"type": "technical", "minimum": "Three contracts"}]
    one = tender(
        selectionCriteria={"criteria": rows}, otherRequirements={"reservedParticipation": ["smeVcse", "other"]}
    )
    assert fact(one, "requirements.financial_standing") == text
    assert fact(one, "requirements.technical_ability") == "Three contracts"
    assert fact(one, "requirements.minimum_annual_turnover") is None
    assert fact(one, "requirements.reserved_for") == ["sme_vcse"]
    assert any("500,000 GBP" in note and "minimum_annual_turnover" in note for note in one.notes)


def test_personal_data_is_never_copied() -> None:
    contact = {"name": "Jane Roe", "email": "jane@example.org"}
    one = only(
        release(
            parties=[{"id": "1", "name": "Council", "roles": ["buyer"], "contactPoint": contact}],
            tender={
                "description": "Ask jane.roe@example.org or 0115 496 0000; see notice 032703-2026.",
                "bidOpening": {"description": "Jane Roe opens the box"},
            },
        )
    )
    assert fact(one, "summary") == (
        "Ask [e-mail address removed] or [telephone number removed]; see notice 032703-2026."
    )
    assert "Roe" not in json.dumps(one.description) + "".join(one.notes)


def test_awards() -> None:
    parties = [
        {
            "id": "1",
            "name": "Aster",
            "details": {"scale": "large", "vcse": True},
            "identifier": {"scheme": "GB-CHC", "id": "7"},
        },
    ]
    award = {
        "id": "1",
        "status": "active",
        "date": "2026-05-01",
        "value": gbp(0),
        "suppliers": [{"id": "1", "name": "Aster"}, {"id": "1", "name": "Aster"}, {"id": "2", "name": None}],
        "standstillPeriod": {"endDate": "2026-05-12"},
        "documents": [{"documentType": "awardNotice", "noticeType": "UK6", "datePublished": "2026-05-02"}],
        "assessmentSummariesDateSent": "2026-05-01T09:00:00+01:00",
    }
    skeleton = {"id": "2", "amendments": [{"id": "1"}]}
    one = only(
        release(
            tag=["award", "contract"], parties=parties, awards=[award, skeleton, {"id": "3", "status": "cancelled"}]
        )
    )
    supplier = {"name": "Aster", "sme": False, "vcse": True, "identifier": "GB-CHC 7"}
    assert fact(one, "award.suppliers") == [supplier] and fact(one, "subcontracting.prime_is_vcse") is True
    assert fact(one, "award.value") is None and fact(one, "stage") == "awarded" and fact(one, "kind") == "tender"
    assert fact(one, "timeline.standstill_end") == "2026-05-12" and fact(one, "timeline.award_notice") == "2026-05-02"
    assert fact(one, "timeline.assessment_summaries") == "2026-05-01" and fact(one, "notice.types") == ["UK6"]


def test_statistics_of_bids() -> None:
    rows = [
        {"measure": "bids", "value": 7, "relatedLot": "1"},
        {"measure": "bids", "value": 7, "relatedLot": "1"},
        {"measure": "vcseFinalStageBids", "value": 2},
        {"measure": "smeFinalStageBids", "value": 3, "relatedLot": "1"},
        {"measure": "smeFinalStageBids", "value": 4, "relatedLot": "1"},
        {"measure": "lowestValidBidValue", "value": 900000},
    ]
    one = only(release(tag=["award"], bids={"statistics": rows}))
    assert fact(one, "market") == {"bids_received": 7, "bids_from_vcse": 2}
    assert any("smeFinalStageBids" in note for note in one.notes)
    rows[1]["relatedLot"] = "2"
    assert fact(only(release(bids={"statistics": rows})), "market.bids_received") is None


def _signed(notice: str | None = "UK7", **fields: Any) -> dict[str, Any]:
    documents = [{"noticeType": notice, "documentType": "contractNotice", "datePublished": "2026-06-20"}]
    return {"id": "1", "awardID": "1", "documents": documents if notice else [], **fields}


def test_contracts() -> None:
    contract = _signed(
        status="active",
        dateSigned="2026-06-01",
        value=gbp(80000),
        period={"startDate": "2026-07-01", "endDate": "2028-06-30", "maxExtentDate": "2029-06-30"},
        agreedMetrics=[{"id": "1", "title": "People in work after a year"}],
        amendments=[{"id": "1", "rationale": "More referrals"}],
    )
    one = only(
        release(
            tag=["award", "contract"], awards=[_award("A", 75000)], tender={"value": gbp(90000)}, contracts=[contract]
        )
    )
    assert (fact(one, "kind"), fact(one, "stage")) == ("contract", "live")
    assert fact(one, "value.total.amount") == 80000 and fact(one, "award.value.amount") == 75000
    assert fact(one, "term.months") == 24 and fact(one, "term.extension_months") == 12
    assert fact(one, "outcomes.measures") == [{"name": "People in work after a year"}]
    assert (
        fact(one, "timeline.contract_signed") == "2026-06-01" and fact(one, "timeline.contract_notice") == "2026-06-20"
    )
    assert fact(one, "contract_terms.changes") == ["More referrals"]
    reason = {"id": "x", "description": "Terminated by agreement"}
    for name, value in (
        ("terminationRationaleClassifications", [reason]),
        ("terminationRationaleClassification", reason),
    ):
        ended = only(
            release(tag=["contractTermination"], contracts=[_signed("UK11", status="terminated", **{name: value})])
        )
        assert (fact(ended, "kind"), fact(ended, "stage")) == ("contract", "ended")
        assert fact(ended, "termination.published_reasons") == ["Terminated by agreement"]


@pytest.mark.parametrize(
    ("sections", "stage"),
    [
        ({"tag": ["planning"]}, "draft"),
        ({"tag": ["tender"]}, "published"),
        ({"tag": ["tenderCancellation"]}, "published"),
        ({"tag": ["award"]}, "awarded"),
        ({"tag": ["contract"]}, "live"),
        ({"tag": ["implementation"]}, "live"),
        ({"tag": ["contractAmendment"]}, "live"),
        ({"tag": ["contractTermination"]}, "ended"),
        ({"tag": ["compiled"], "tender": {"status": "planned"}}, "draft"),
        ({"tag": ["compiled"], "tender": {"status": "complete"}, "awards": [_award("A", 5000)]}, "awarded"),
        ({"tag": ["compiled"], "contracts": [{"id": "1", "status": "active"}]}, "live"),
        ({"tag": ["award", "contract"], "awards": [_award("A", 5)], "contracts": [_signed("UK6")]}, "awarded"),
        (
            {"tag": ["award", "contract"], "awards": [_award("A", 5, status="pending")], "contracts": [_signed("UK5")]},
            "published",
        ),
        ({"tag": "award"}, "awarded"),
        ({"tag": [], "tender": None, "planning": {"rationale": "x"}}, "draft"),
        ({"tag": [], "tender": None}, None),
    ],
)
def test_stage(sections: dict[str, Any], stage: str | None) -> None:
    assert fact(only(release(**sections)), "stage") == stage


def test_addresses_may_be_an_object_instead_of_a_list() -> None:
    item = {"id": "1", "deliveryAddresses": {"1": {"region": "UKC2"}, "2": {"region": "UKC1"}}}
    assert fact(tender(items=[item]), "service.places") == ["UKC2", "UKC1"]
    assert fact(tender(items=[{"deliveryAddresses": {"region": "UKC2"}}]), "service.places") == ["UKC2"]


def test_rarer_fields_of_find_a_tender() -> None:
    one = only(
        release(
            planning={
                "noEngagementNoticeRationale": "The market is known.",
                "milestones": [{"id": "1", "type": "engagement", "dueDate": "2026-02-01"}],
            },
            tender={
                "lotDetails": {"noLotsDivisionRationale": "One caseload"},
                "riskDetails": "Numbers may rise",
                "procurementMethodRationale": "Urgent",
                "status": "cancelled",
                "contractTerms": {"financialTerms": "Paid in 30 days"},
            },
        )
    )
    assert fact(one, "market.no_engagement_reason") == "The market is known."
    assert fact(one, "market.engagement_until") == "2026-02-01"
    assert fact(one, "lots.reasons_not_split") == "One caseload" and fact(one, "process.risks") == "Numbers may rise"
    assert fact(one, "process.direct_award_reason") == "Urgent" and fact(one, "process.cancelled") is True
    assert fact(one, "contract_terms.financial_terms") == "Paid in 30 days"


# Whatever comes


@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 10**9), st.lists(st.integers(0, len(NOTICES) - 1), min_size=1, max_size=3), st.integers(0, 3))
def test_any_mutation_of_real_notices_is_read_or_refused_politely(seed: int, picks: list[int], shape: int) -> None:
    random_ = random.Random(seed)
    releases = [NOTICES[pick]["releases"][0] if "releases" in NOTICES[pick] else NOTICES[pick] for pick in picks]
    if shape:  # several releases of one process, so that they are merged
        releases = [{**one, "ocid": releases[0]["ocid"]} for one in releases]
    raw: Any = [releases, {"releases": releases}, {"ocid": releases[0]["ocid"], "releases": releases}][shape % 3]
    mutant = mutate(raw, random_)
    is_ocds(mutant)
    try:
        check(mutant)
    except DescriptionError as error:
        assert error.faults
        for fault in error.faults:
            at(mutant, fault.pointer or "")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.sampled_from(ODD),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ocid", "tag", "releases", "records", "compiledRelease", "tender", "id"]), inner
            )
        ),
        max_leaves=8,
    )
)
def test_any_json_is_read_or_refused_politely(raw: Any) -> None:
    is_ocds(raw)
    try:
        check(raw)
    except DescriptionError as error:
        assert error.faults


def test_very_deep_nesting_is_no_danger() -> None:
    deep: Any = {"value": 1}
    for _ in range(300):
        deep = {"tender": deep, "list": [deep]} if _ < 8 else {"tender": deep}
    only(release(tender=deep))
