"""Facts: what a description states, in the form in which conditions see it, and nothing that it does not state."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from goodcommission.description.facts import COMPLETE, GIVEN, Facts, date, days, dictionary, gather
from goodcommission.description.reading import read_description


def facts_of(currency: str = "GBP", **stated: Any) -> Facts:
    return gather(read_description({"kind": "tender", **stated}), currency)


def test_a_fact_has_a_name_a_type_and_a_title() -> None:
    for name, fact in dictionary().items():
        assert fact.name == name
        assert fact.title
        assert (fact.type in ("enum", "list_enum")) == bool(fact.values), name
        assert (fact.type == "list_record") == bool(fact.fields), name
        assert not fact.may_be_none or fact.type in ("date", "text", "money"), name
        assert not any(part in name.split(".") for part in ("given", "complete", "params"))


def test_days_and_dates() -> None:
    assert days(dt.date(1970, 1, 1)) == 0
    assert days(dt.date(1969, 12, 31)) == -1
    for day in (dt.date.min, dt.date(2013, 9, 3), dt.date.max):
        assert date(days(day)) == day


def test_scalars() -> None:
    values = facts_of(
        stage="published",
        value={"total": {"amount": 300000, "currency": "GBP"}},
        term={"months": 36, "start": "2013-09-03"},
        payment={"pbr_share": 0.25},
        process={"route": "open_tender", "is_retender": False},
    ).values
    assert values == {
        "kind": "tender",
        "stage": "published",
        "value.total": 300000.0,
        "term.months": 36,
        "term.start": days(dt.date(2013, 9, 3)),
        "payment.pbr_share": 0.25,
        "process.route": "open_tender",
        "process.is_retender": False,
    }
    assert type(values["value.total"]) is type(values["payment.pbr_share"]) is float


def test_what_is_absent_or_null_is_unknown() -> None:
    assert facts_of().values == {"kind": "tender"}
    nulls = facts_of(
        stage=None,
        value={"total": None},
        process={"route": None},
        requirements={"insurance": [{"kind": None, "cover": None}]},
        service=None,
    )
    assert nulls.values == {"kind": "tender", "requirements.insurance": [{}]}


def test_none_is_stated() -> None:
    facts = facts_of(
        kind="decommissioning_plan",
        decommissioning={"notice_date": "none"},
        equality={"screening_reason": "none"},
        requirements={"minimum_annual_turnover": "none"},
    )
    values = facts.values
    assert values["decommissioning.notice_date" + GIVEN] is False
    assert "decommissioning.notice_date" not in values
    assert values["equality.screening_reason" + GIVEN] is False
    assert "equality.screening_reason" not in values
    assert values["requirements.minimum_annual_turnover" + GIVEN] is False
    assert values["requirements.minimum_annual_turnover"] == 0.0


def test_what_may_be_none_and_is_not() -> None:
    values = facts_of(
        equality={"screening_reason": "too small"},
        requirements={"minimum_annual_turnover": {"amount": 5, "currency": "GBP"}},
    ).values
    assert values["equality.screening_reason"] == "too small"
    assert values["equality.screening_reason" + GIVEN] is True
    assert values["requirements.minimum_annual_turnover" + GIVEN] is True


@pytest.mark.parametrize(
    ("written", "items", "complete", "pointer"),
    [
        (["housing"], ["housing"], None, "/service/need_areas/0"),
        ([], [], True, None),
        ({"complete": True, "items": ["housing"]}, ["housing"], True, "/service/need_areas/items/0"),
        ({"complete": False, "items": ["housing"]}, ["housing"], None, "/service/need_areas/items/0"),
    ],
)
def test_a_list_speaks_for_all_only_if_it_says_so(
    written: Any, items: list[str], complete: bool | None, pointer: str | None
) -> None:
    facts = facts_of(service={"need_areas": written})
    assert facts.values["service.need_areas"] == items
    assert facts.values.get("service.need_areas" + COMPLETE) is complete
    if pointer:
        assert facts.pointer("service.need_areas[0]") == pointer


def test_records() -> None:
    facts = facts_of(
        requirements={
            "insurance": [
                {"kind": "public_liability", "cover": {"amount": 5, "currency": "GBP"}, "risk_reason": "none"},
                {"cover": {"amount": 5, "currency": "EUR"}, "risk_reason": "work at height"},
            ]
        },
        information={"provider_days": [{"date": "1970-01-02"}]},
    )
    assert facts.values["requirements.insurance"] == [
        {"kind": "public_liability", "cover": 5.0, "risk_reason": {"given": False}},
        {"risk_reason": {"given": True}},
    ]
    assert facts.values["information.provider_days"] == [{"date": 1}]
    assert facts.pointer("requirements.insurance[1].risk_reason") == "/requirements/insurance/1/risk_reason"


def test_another_currency_is_unknown_with_a_reason() -> None:
    facts = facts_of(value={"total": {"amount": 5, "currency": "EUR"}})
    assert "value.total" not in facts.values
    assert facts.reasons == {"value.total": "it is stated in EUR, and the limits are in GBP"}
    assert facts_of("EUR", value={"total": {"amount": 5, "currency": "EUR"}}).values["value.total"] == 5.0


def test_nothing_is_nothing_in_any_currency() -> None:
    facts = facts_of("EUR", requirements={"minimum_annual_turnover": "none"})
    assert facts.values["requirements.minimum_annual_turnover"] == 0.0


def test_pointers() -> None:
    facts = facts_of()
    assert facts.pointer("value.total") == "/value/total"
    assert facts.pointer("equality.screening_reason.given") == "/equality/screening_reason"
    assert facts.pointer("service.need_areas.complete") == "/service/need_areas"


# --- Evidence --------------------------------------------------------------------------------------------------------


def evidenced(*pointers: str, **stated: Any) -> frozenset[str]:
    evidence = [{"pointer": pointer, "document": "a document"} for pointer in pointers]
    return facts_of(**stated, evidence=evidence).evidenced


SIZE: dict[str, Any] = {"value": {"total": {"amount": 5, "currency": "GBP"}}, "term": {"months": 36}}


def test_evidence_stands_behind_a_fact_a_section_or_all() -> None:
    assert "value.total" in evidenced("/value/total", **SIZE)
    assert "value.total" in evidenced("/value", **SIZE)
    assert "value.total" in evidenced("/value/total/amount", **SIZE)
    assert not {"term.months", "kind"} & evidenced("/value", **SIZE)
    assert not facts_of(**SIZE).evidenced


def test_evidence_for_one_item_is_evidence() -> None:
    insurance = [{"kind": "public_liability"}, {"kind": "other"}]
    assert "requirements.insurance" in evidenced(
        "/requirements/insurance/0/kind", requirements={"insurance": insurance}
    )
    boxed = {"complete": True, "items": insurance}
    assert "requirements.insurance" in evidenced("/requirements/insurance/items/1", requirements={"insurance": boxed})
    assert "requirements.insurance.complete" in evidenced("/requirements/insurance", requirements={"insurance": boxed})


def test_evidence_that_there_is_none_is_evidence() -> None:
    backed = evidenced("/equality/screening_reason", equality={"screening_reason": "none"})
    assert {"equality.screening_reason", "equality.screening_reason.given"} <= backed


def test_a_name_is_not_a_piece_of_another() -> None:
    assert "value.total_including_vat" not in evidenced(
        "/value/total", value={**SIZE["value"], "total_including_vat": {"amount": 6, "currency": "GBP"}}
    )
