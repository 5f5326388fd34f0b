"""Odd OCDS for the tests: real notices with something strange, or something telling, put into a few places."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2147483647, 10**400, 10**30, float("inf"), float("-inf"), float("nan"), 1e300,
    Decimal("1e9999"), Decimal("NaN"), Decimal("sNaN"), Decimal("-0"), "", " ", "none", "x", "\x00", "\ud800", "\ufeff",
    "2026-13-45", "2026-03-29T01:30:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "~/~1",
    [], {}, [None], [[]], [{}], [1, {"id": "1"}], {"id": None}, {"id": {}}, {"id": 10**400}, {"1": {"region": "UKC"}},
    {"amount": "5", "currency": 5}, {"amount": 5000, "currency": "ZZZ"}, {"id": "1", "id~": [{}]},
]  # fmt: skip

_DAYS = [
    "2025-01-10", "2025-02-24T23:30:00Z", "2025-06-30T23:30:00Z", "2025-07-01T00:00:00+01:00", "2026-03-31",
    "2027-03-31", "2029-03-31T23:59:59+01:00", "1989-12-31", "soon", " 2026-05-01 ", "20260501", "2026-W10-1",
]  # fmt: skip
_AMOUNTS = [0, 1, 1.0, 2, 999.99, 1234.5, 50000, 90000.1, 214904, 5372609, 10**15, 2147483647, 2147483647.0, 7.9e28, -5]
_MONEY = [
    *({"amount": amount, "currency": "GBP"} for amount in _AMOUNTS),
    {"amount": 70000, "currency": " gbp "}, {"amount": 70000, "currency": "EUR"}, {"amount": 70000, "currency": "XXX"},
    {"amount": 100000.5, "amountGross": 120000.6, "currency": "GBP"}, {"amountGross": 90000, "currency": "GBP"},
    {"amount": 100000, "amountGross": 90000, "currency": "GBP"}, {"currency": "GBP"}, {"amount": None}, {},
]  # fmt: skip
_PERIODS = [
    {"startDate": start, "endDate": end, **more}
    for start, end in ((_DAYS[0], _DAYS[4]), (_DAYS[4], _DAYS[5]), (_DAYS[5], _DAYS[4]), ("2025-04-01", None))
    for more in ({}, {"maxExtentDate": "2031-03-31"}, {"durationInDays": 720})
] + [{"durationInDays": days} for days in (0, 30, 360, 720.0, 100, 30000)]
_FLAGS = [True, False, None, "true"]
_TEXTS = ["N/A", "none", "One caseload", "Ask a.b@example.org", "  ", "Call 0115 496 0000\nnow", "Ü" * 130]
_CRITERIA = [
    {"criteria": [{"type": a, "name": name, "description": first}, {"type": "price", "description": second}]}
    for a, name in (("quality", "Method"), (None, "Social value"), ("quality", "supply chain"))
    for first, second in (("60", "40"), ("60%", "40 %"), ("60", "37"), (None, "100"))
] + [{"criteria": [{"type": "price"}]}, {"criteria": [{"numbers": [{"number": 1, "weight": "decimalExact"}]}]}]
_LOT = {"id": "1", "value": _MONEY[6], "contractPeriod": _PERIODS[0], "hasRenewal": True, "awardCriteria": _CRITERIA[0]}
_LOTS = [
    [], [_LOT], [_LOT, {**_LOT, "id": "2"}], [_LOT, {**_LOT, "id": 2, "value": _MONEY[7], "hasRenewal": False}],
    [_LOT, {"id": "2", "status": "cancelled"}], [{"id": "1", "secondStage": {"maximumCandidates": 4}}], [{}, {}],
    [{"id": "1", "title": "North", "awardCriteria": _CRITERIA[4]}, {"id": "2", "awardCriteria": _CRITERIA[4]}],
]  # fmt: skip
_PARTY = {"id": "1", "name": "Aster", "roles": ["buyer", "supplier"], "details": {"scale": "small", "vcse": True}}
_DOCUMENTS = [
    [{"noticeType": notice, "documentType": kind, "datePublished": day, "url": "x"}]
    for notice in ("UK4", "UK5", "UK6", "uk7", "UK7", "UK11", "UK12", "UK13", None)
    for kind, day in (("tenderNotice", _DAYS[0]), ("awardNotice", _DAYS[2]), ("marketEngagementNotice", _DAYS[4]))
]
_AWARD = {"id": "1", "status": "active", "date": "2025-05-01", "value": _MONEY[6], "suppliers": [{"id": "1"}]}
_AWARDS = [
    [], [_AWARD], [_AWARD, {**_AWARD, "id": "2", "value": _MONEY[5]}], [{**_AWARD, "status": "pending"}],
    [{**_AWARD, "documents": one, "hasSubcontracting": True} for one in _DOCUMENTS[:6]], [{"id": "1"}],
    [{**_AWARD, "status": "cancelled"}], [{**_AWARD, "contractPeriod": _PERIODS[1], "value": _MONEY[0]}],
    [{**_AWARD, "suppliers": [{"name": "Aster"}, {"name": "ASTER"}], "aboveThreshold": True}],
]  # fmt: skip
_CONTRACTS = [
    [], [{"id": "1", "status": "active", "value": _MONEY[7], "period": _PERIODS[1]}],
    [{"id": "1", "status": "pending"}], [{"id": "2", "noAgreedMetricsRationale": "x"}],
    [{"id": "1", "dateSigned": _DAYS[3], "documents": _DOCUMENTS[12], "agreedMetrics": [{"title": "People in work"}]}],
    [{"id": "1", "status": "terminated", "terminationRationaleClassification": {"description": "Agreed"}}],
    [{"id": "1", "value": _MONEY[18], "amendments": [{"rationale": "More"}]}, {"id": "2", "value": _MONEY[5]}],
    [{"implementation": {"documents": _DOCUMENTS[9]}, "aboveThreshold": False, "value": _MONEY[5]}],
]  # fmt: skip
_CPV = [{"scheme": "CPV", "id": code} for code in ("85000000", "85311000", "55524000", " ", 85)] + [{"scheme": "X"}]
_TAGS = [
    ["planning"], ["tender"], ["tenderUpdate"], ["tenderCancellation"], ["award"], ["award", "contract"], ["contract"],
    ["implementation"], ["contractTermination"], ["compiled"], [], "award", [1, "tender"], None,
]  # fmt: skip
_WORDS = [
    "Open procedure", "Restricted procedure", "Call-off from a framework agreement", "Direct award", "Other - Open",
    "Competitive quotation (below threshold)", "Framework", "Light touch, above threshold", "", "Not specified",
]  # fmt: skip

TELLING: list[tuple[str, list[Any]]] = [
    ("ocid", ["ocds-b5fd17-1", "ocds-h6vhtk-1", "ocds-r6ebe6-1", "ocds-kuma6s-1", "ocds-213czf-1", " ", "\x00"]),
    ("id", ["1", 1, " 2 ", 2**63, 1.5]),
    ("tag", _TAGS),
    ("date", _DAYS),
    ("publisher", [{"name": "Council"}, {"name": 3}, "Council"]),
    ("buyer", [{"id": "1"}, {"id": "1", "name": "B"}, {"name": "Aster"}, {}, {"id": 1.5}]),
    ("parties", [[_PARTY], [_PARTY, _PARTY], [{**_PARTY, "id": 1.5}], {"1": _PARTY}]),
    ("relatedProcesses", [[{"relationship": [one], "identifier": "x"}] for one in ("framework", "planning", "prior")]),
    ("relatedProcesses", [[{"relationship": "renewalProcess"}]]),
    ("planning.documents", [*_DOCUMENTS, [{"documentType": "plannedProcurementNotice", "datePublished": _DAYS[0]}]]),
    ("planning.noEngagementNoticeRationale", _TEXTS),
    ("planning.budget", [{"amount": one} for one in _MONEY[:8]] + [{"budgetBreakdown": [{"amount": _MONEY[5]}] * 2}]),
    ("tender.title", _TEXTS),
    ("tender.status", ["planned", "planning", "active", "cancelled", "complete"]),
    ("tender.value", _MONEY),
    ("tender.minValue", _MONEY),
    ("tender.documents", _DOCUMENTS),
    ("tender.datePublished", _DAYS),
    ("tender.classification", _CPV),
    (
        "tender.items",
        [[{"additionalClassifications": [one], "deliveryAddresses": [{"region": "UKC"}]}] for one in _CPV],
    ),
    ("tender.procurementMethod", ["open", "selective", "limited", "direct", None, 5]),
    ("tender.procurementMethodDetails", _WORDS),
    ("tender.tenderPeriod", [{"endDate": day} for day in _DAYS]),
    ("tender.enquiryPeriod", [{"endDate": day} for day in _DAYS]),
    ("tender.awardPeriod", [{"endDate": day} for day in _DAYS]),
    ("tender.communication", [{"futureNoticeDate": day, "atypicalToolUrl": "x"} for day in _DAYS]),
    ("tender.expressionOfInterestDeadline", _DAYS),
    ("tender.secondStage", [{}, {"invitationDate": "2025-03-01", "minimumCandidates": 3}]),
    ("tender.contractPeriod", _PERIODS),
    ("tender.hasRenewal", _FLAGS),
    ("tender.lots", _LOTS),
    ("tender.lotDetails", [{"maximumLotsBidPerSupplier": one, "noLotsDivisionRationale": "Small"} for one in _AMOUNTS]),
    ("tender.awardCriteria", _CRITERIA),
    ("tender.techniques", [{"hasFrameworkAgreement": one} for one in _FLAGS]),
    ("tender.techniques", [{"hasDynamicPurchasingSystem": one} for one in _FLAGS]),
    ("tender.techniques", [{"frameworkAgreement": one} for one in ({}, {"id": 1.5}, {"maximumParticipants": 1e30})]),
    ("tender.techniques", [{"dynamicPurchasingSystem": one} for one in ({"type": "open"}, {"x": [None]}, [], "x")]),
    ("tender.specialRegime", [["lightTouch"], "lightTouch", ["utilities"]]),
    ("tender.aboveThreshold", _FLAGS),
    ("tender.legalBasis", [{"scheme": "UKPGA", "id": one} for one in ("2023/54", "1998/42", 5, "")]),
    ("tender.procedure", [{"isAccelerated": one, "acceleratedRationale": two} for one in _FLAGS for two in _TEXTS[:3]]),
    ("tender.suitability", [{"sme": one, "vcse": two} for one in _FLAGS for two in _FLAGS]),
    ("tender.submissionTerms", [{"electronicSubmissionPolicy": x} for x in ("allowed", "required", "notAllowed")]),
    ("tender.submissionTerms", [{"variantPolicy": "allowed", "languages": ["en", "cy"]}]),
    ("tender.submissionMethod", [["electronicSubmission"], ["inPerson"], []]),
    ("tender.otherRequirements", [{"reservedParticipation": [one]} for one in ("smeVcse", "shelteredWorkshop", 5)]),
    ("tender.selectionCriteria", [{"criteria": [{"type": "economic", "description": "A turnover of 5"}]}]),
    ("tender.procurementMethodRationale", _TEXTS),
    ("tender.coveredBy", [["GPA", "GPA", 5], "GPA", [[]]]),
    (
        "bids.statistics",
        [[{"measure": one, "value": 3}, {"measure": "bids", "value": 2}] for one in ("bids", "smeBids")],
    ),
    ("bids.statistics", [[{"measure": "bids", "value": 5, "relatedLot": one}] for one in ("1", 2, {"id": 1.5})]),
    ("awards", _AWARDS),
    ("contracts", _CONTRACTS),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value within a value."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def mutate(raw: Any, random_: random.Random) -> Any:
    """Put something odd in a few places; remove, double and swap members."""
    raw = copy.deepcopy(raw)
    for _ in range(random_.randint(1, 6)):
        found = [path for path in places(raw) if path]
        if not found:
            return raw
        *above, last = random_.choice(found)
        parent = raw
        for key in above:
            parent = parent[key]
        action = random_.randrange(5)
        if action == 0:
            del parent[last]
        elif action == 1 and isinstance(parent, list):
            parent.append(copy.deepcopy(random_.choice(parent)))
        elif action == 2:
            parent[last] = copy.deepcopy(
                parent[random_.choice(list(parent))] if isinstance(parent, dict) else [parent[last]]
            )
        else:
            parent[last] = copy.deepcopy(random_.choice(ODD))
    return raw


def tell(release: dict[str, Any], random_: random.Random) -> dict[str, Any]:
    """State something that bears on facts in a few places, as publishers do and as they should not."""
    release = copy.deepcopy(release)
    for _ in range(random_.randint(1, 12)):
        path, choices = random_.choice(TELLING)
        *above, last = path.split(".")
        parent = release
        for key in above:
            if not isinstance(parent.get(key), dict):
                parent[key] = {}
            parent = parent[key]
        parent[last] = copy.deepcopy(random_.choice(choices))
    return release
