"""What an OCDS notice states, fact by fact: where each fact of a description comes from, and how it is read.

A source is a path in the notice. ``[]`` stands for the objects of a list, ``[name=code]`` for those of them that have
this code, ``[*]`` for the single values of a list. Paths begin at the top of the notice, or with one of its lists:
``lots``, ``awards`` (those that are awards), ``contracts``, ``documents`` (of all sections) and ``divisions`` (the
lots, or the whole tender where there are none).

- `first`: the first of the sources that says something. A source with ``[]`` says something only if all agree.
- `every`: each different value once, as a list that may have further items.
- `earliest`, `latest`: of all that are stated.
- `derived`: what takes thought, worked out by the part of `derivations.Reading` of that name.

This table is the only one: descriptions with places, and the fast reading of many notices, are both made from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from goodcommission.description.ocds.derivations import Reading
from goodcommission.description.ocds.shapes import raw
from goodcommission.description.ocds.tree import (
    Said,
    agreed,
    code,
    count,
    distinct,
    flag,
    get,
    listed,
    money,
    reason,
    records,
    said,
    scalars,
    text,
)

Read = Callable[[Reading], Said | None]
How = Callable[[Any], Said | None]
"""How one value is read: as a text, a code, a reason, a flag, a count, an amount of money."""
Find = Callable[[Reading], Any]

_LISTS: Final = frozenset({"lots", "awards", "contracts", "documents", "divisions"})
_STEP = re.compile(r"(?P<name>\w+)(?P<many>\[(?P<filter>[^\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Statement:
    """How one fact is read."""

    read: Read
    open_ended: bool = True
    """False where its list may be known to be complete."""


def permission(node: Any) -> Said | None:
    """A policy's code: whether something is allowed."""
    allowed = {"allowed": True, "required": True, "notAllowed": False}.get(str(raw(node)))
    return said(node, allowed)


def first(how: How | str, *sources: str) -> Statement:
    """The first source that says something; of a list, all have to agree."""
    readers = [_agreed(how, source) if "[" in source else _single(how, source) for source in sources]
    if len(readers) == 1:
        return Statement(readers[0])

    def read(reading: Reading) -> Said | None:
        for reader in readers:
            found = reader(reading)
            if found is not None:
                return found
        return None

    return Statement(read)


def every(how: How, source: str) -> Statement:
    """All different values of a list."""
    nodes = _many(source)
    return Statement(lambda reading: listed(distinct(map(how, nodes(reading))), False))


def earliest(source: str) -> Statement:
    """The earliest day that is stated."""
    return _extreme(source, min)


def latest(source: str) -> Statement:
    """The latest day that is stated."""
    return _extreme(source, max)


def derived(part: str, *, open_ended: bool = True) -> Statement:
    """What a part of `Reading` works out."""
    return Statement(attrgetter(part), open_ended)


def _extreme(source: str, choose: Callable[..., Said]) -> Statement:
    nodes = _many(source)

    def read(reading: Reading) -> Said | None:
        days = [day for day in map(reading.day, nodes(reading)) if day is not None]
        return choose(days, key=_by_value) if days else None

    return Statement(read)


def _by_value(one: Said) -> str:
    return str(one.value)


def _single(how: How | str, source: str) -> Read:
    find = _one(source.split("."))
    if isinstance(how, str):
        return lambda reading: reading.day(node) if (node := find(reading)) is not None else None
    read: How = how
    return lambda reading: read(node) if (node := find(reading)) is not None else None


def _agreed(how: How | str, source: str) -> Read:
    nodes = _many(source)
    if isinstance(how, str):
        return lambda reading: agreed(map(reading.day, nodes(reading)))
    read: How = how
    return lambda reading: agreed(map(read, nodes(reading)))


def _one(names: Sequence[str]) -> Find:
    """Finds what stands at a path that passes through no list."""
    start, *rest = names
    if start == "tender":
        if len(rest) == 1:
            (name,) = rest

            def in_tender(reading: Reading) -> Any:
                tender = reading.tender
                return tender.get(name) if isinstance(tender, dict) else None

            return in_tender
        return lambda reading: get(reading.tender, *rest)
    if start == "ocid":
        return lambda reading: reading.process.ocid
    return lambda reading: get(reading.root, *names)


def _many(source: str) -> Callable[[Reading], Iterable[Any]]:
    """Finds all nodes of a path that passes through lists."""
    steps = [match.groupdict() for match in map(_STEP.fullmatch, source.split(".")) if match]
    begin: list[str] = []
    while steps and steps[0]["many"] is None:
        begin.append(steps.pop(0)["name"])
    head, *tail = steps
    chosen = head["filter"]
    path = [*begin, head["name"]]
    if chosen == "*":
        find = _one(path)
        return lambda reading: scalars(find(reading))
    holders = _chosen(_objects(path), chosen) if chosen else _objects(path)
    names = [step["name"] for step in tail]
    if tail and tail[-1]["many"] == "[*]":
        return lambda reading: [one for holder in holders(reading) for one in scalars(get(holder, *names))]
    return lambda reading: [get(holder, *names) for holder in holders(reading)]


def _objects(path: Sequence[str]) -> Find:
    if len(path) == 1 and path[0] in _LISTS:
        return attrgetter(path[0])
    find = _one(path)
    return lambda reading: records(node) if (node := find(reading)) is not None else ()


def _chosen(objects: Find, condition: str) -> Find:
    name, _, wanted = condition.partition("=")
    return lambda reading: [one for one in objects(reading) if raw(one.get(name)) == wanted]


date = "day"
"""A day is read by `Reading.day`, which knows how the publisher writes times."""

_PLANNING_NOTICE = "planning.documents[documentType"

STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType(
    {
        "kind": derived("kind"),
        "stage": derived("stage"),
        # Identity
        "id": first(code, "ocid"),
        "notice.ocid": first(code, "ocid"),
        "notice.release": derived("release"),
        "as_at": derived("published_on"),
        "notice.date": derived("published_on"),
        "notice.publisher": derived("publisher"),
        "notice.types": derived("notice_types"),
        "notice.tags": derived("release_tags"),
        "notice.earlier": derived("earlier"),
        "title": first(text, "tender.title", "title"),
        "summary": first(text, "tender.description"),
        "commissioner.name": derived("buyer_name"),
        "commissioner.types": derived("buyer_types"),
        "service.classification": derived("classification"),
        "service.health_care": derived("health_care"),
        "service.places": derived("places"),
        # Value
        "value.total": derived("total"),
        "value.total_including_vat": derived("total_including_vat"),
        "value.minimum": first(money, "tender.minValue"),
        "award.value": derived("awarded"),
        "value.budget": derived("budget"),
        # Lots
        "lots.count": derived("lots_count"),
        "lots.reasons_not_split": first(reason, "tender.lotDetails.noLotsDivisionRationale"),
        "lots.maximum_per_bidder": derived("most_lots_bid_for"),
        "lots.maximum_per_supplier": derived("most_lots_won"),
        "lots.items": derived("lots_listed", open_ended=False),
        "lots.smallest_value": derived("smallest_lot"),
        # Procedure
        "process.route": derived("route"),
        "process.route_details": first(reason, "tender.procurementMethodDetails"),
        "process.framework": derived("framework"),
        "process.framework_maximum": derived("framework_maximum"),
        "process.framework_period_reason": first(reason, "tender.techniques.frameworkAgreement.periodRationale"),
        "process.dynamic": derived("dynamic"),
        "process.is_retender": derived("is_retender"),
        "process.above_threshold": derived("above_threshold"),
        "process.light_touch": derived("light_touch"),
        "process.legal_basis": derived("legal_basis"),
        "funding.mechanism": derived("mechanism"),
        "process.accelerated": first(flag, "tender.procedure.isAccelerated"),
        "process.accelerated_reason": first(reason, "tender.procedure.acceleratedRationale"),
        "process.suitable_for_sme": first(flag, "tender.suitability.sme", "lots[].suitability.sme"),
        "process.suitable_for_vcse": first(flag, "tender.suitability.vcse", "lots[].suitability.vcse"),
        "process.direct_award_reason": derived("direct_award_reason"),
        "process.cancelled": derived("cancelled"),
        "process.recurrent": first(flag, "tender.hasRecurrence"),
        "process.recurrence_terms": first(reason, "tender.recurrence.description"),
        "process.shortlist_minimum": first(count, "divisions[].secondStage.minimumCandidates"),
        "process.shortlist_maximum": first(count, "divisions[].secondStage.maximumCandidates"),
        "process.participation_fees": every(text, "tender.participationFees[].type[*]"),
        "process.electronic_submission": derived("electronic_submission"),
        "process.submission_languages": every(text, "tender.submissionTerms.languages[*]"),
        "process.special_tool": first(text, "tender.communication.atypicalToolUrl"),
        "process.review_details": first(reason, "tender.reviewDetails"),
        "process.covered_by": every(text, "tender.coveredBy[*]"),
        "process.risks": first(reason, "tender.riskDetails"),
        "information.documents": derived("document_kinds"),
        # Time
        "timeline.intention_notice": earliest(f"{_PLANNING_NOTICE}=plannedProcurementNotice].datePublished"),
        "market.engagement_date": earliest(f"{_PLANNING_NOTICE}=marketEngagementNotice].datePublished"),
        "market.engagement_notice": earliest(f"{_PLANNING_NOTICE}=marketEngagementNotice].datePublished"),
        "market.engagement_until": latest("planning.milestones[type=engagement].dueDate"),
        "market.no_engagement_reason": first(reason, "planning.noEngagementNoticeRationale"),
        "market.no_notice_reason": first(reason, "planning.noEngagementNoticeRationale"),
        "timeline.tender_published": derived("tender_published"),
        "timeline.clarification_deadline": first(date, "tender.enquiryPeriod.endDate"),
        "timeline.shortlist_invited": first(date, "tender.secondStage.invitationDate"),
        "timeline.participation_deadline": derived("participation_deadline"),
        "timeline.bid_deadline": derived("bid_deadline"),
        "timeline.award_decision": derived("award_decision"),
        # Term
        "term.months": derived("term.months"),
        "term.start": derived("term.start"),
        "term.end": derived("term.end"),
        "term.latest_end": derived("term.latest"),
        "term.extension_option": derived("extension_option"),
        "term.extension_months": derived("term.extension_months"),
        "term.extension_terms": first(reason, "lots[].renewal.description"),
        "term.options": first(flag, "tender.hasOptions", "lots[].hasOptions"),
        "term.options_terms": first(reason, "lots[].options.description"),
        # Demands on bidders
        "requirements.financial_standing": derived("financial_standing"),
        "requirements.technical_ability": derived("technical_ability"),
        "requirements.suitability": derived("suitability"),
        "requirements.reserved_for": derived("reserved_for"),
        "requirements.staff_names": first(flag, "tender.otherRequirements.requiresStaffNamesAndQualifications"),
        "requirements.variants_allowed": first(permission, "divisions[].submissionTerms.variantPolicy"),
        "requirements.bid_validity_days": derived("bid_validity"),
        "requirements.deposits": first(reason, "tender.submissionTerms.depositsGuarantees"),
        "requirements.legal_form": first(reason, "tender.contractTerms.tendererLegalForm"),
        "contract_terms.performance_terms": first(reason, "tender.contractTerms.performanceTerms"),
        "contract_terms.financial_terms": first(reason, "tender.contractTerms.financialTerms"),
        "contract_terms.social_standards": first(reason, "tender.contractTerms.socialStandards"),
        "contract_terms.rewards_and_penalties": first(reason, "tender.contractTerms.rewardsAndPenalties"),
        "contract_terms.electronic_invoicing": first(permission, "tender.contractTerms.electronicInvoicingPolicy"),
        "contract_terms.electronic_payment": first(flag, "tender.contractTerms.hasElectronicPayment"),
        "subcontracting.terms": first(reason, "tender.subcontractingTerms.description"),
        # Bids and their judging
        "market.bids_received": derived("bids_received"),
        "market.bids_from_sme": derived("bids_from_sme"),
        "market.bids_from_vcse": derived("bids_from_vcse"),
        "award.criteria": derived("criteria", open_ended=False),
        "award.criteria_published": derived("criteria_published"),
        "award.social_value_scored": derived("social_value_scored"),
        "award.supply_chain_scored": derived("supply_chain_scored"),
        # Award
        "award.date": derived("award_date"),
        "timeline.award_notice": derived("award_notice"),
        "timeline.standstill_end": first(date, "awards[].standstillPeriod.endDate"),
        "timeline.assessment_summaries": first(date, "awards[].assessmentSummariesDateSent"),
        "award.suppliers": derived("suppliers"),
        "subcontracting.prime_is_vcse": derived("prime_is_vcse"),
        "subcontracting.position": derived("subcontracting"),
        # Contract
        "timeline.contract_signed": first(date, "contracts[].dateSigned"),
        "timeline.contract_notice": earliest("documents[noticeType=UK7].datePublished"),
        "outcomes.measures": derived("measures"),
        "outcomes.no_measures_reason": first(reason, "contracts[].noAgreedMetricsRationale"),
        "termination.published_reasons": derived("ending_reasons"),
        "contract_terms.changes": derived("changes"),
    }
)


def describe(reading: Reading) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
    """The raw description of one process, the place of each of its values, and remarks on the reading."""
    reading.doubt_money()
    description: dict[str, Any] = {}
    for fact, statement in STATEMENTS.items():
        found = statement.read(reading)
        if found is not None:
            *sections, name = fact.split(".")
            part = description
            for section in sections:
                part = part.setdefault(section, {})
            part[name] = found
    places: dict[str, str] = {}
    return _split(description, "", places), places, tuple(dict.fromkeys(reading.notes))


def _split(value: Any, pointer: str, places: dict[str, str]) -> Any:
    """Part the values from their places."""
    if isinstance(value, Said):
        places[pointer] = value.pointer
        value = value.value
    if isinstance(value, dict):
        return {key: _split(member, f"{pointer}/{key}", places) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_split(item, f"{pointer}/{index}", places) for index, item in enumerate(value)]
    return value
