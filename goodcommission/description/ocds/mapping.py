"""What an OCDS notice states, fact by fact: where each fact of a description comes from, and how it is read.

A source is a path in the notice. ``[]`` stands for the objects of a list, ``[name=code]`` for those of them that have
this code, ``[*]`` for the single values of a list. Paths begin at the top of the notice, or with one of its lists:
``lots``, ``awards`` (those that are awards), ``contracts``, ``documents`` (of all sections) and ``divisions`` (the
lots, or the whole tender where there are none).

- `first`: the first of the sources that says something. A source with ``[]`` says something only if all agree.
- `every`: each different value once, as a list that may have further items.
- `earliest`, `latest`: of all that are stated.
- `derived`: what takes thought, worked out by the part of `derivations.Reading` of that name. The sources are those
  that it can come from: where none of them stands in the notice, nothing is stated. (What else it needs, it asks for.)

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
    sources: tuple[str, ...]
    """Where it may come from; none: from the notice as such."""
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
        return Statement(readers[0], sources)

    def read(reading: Reading) -> Said | None:
        for reader in readers:
            found = reader(reading)
            if found is not None:
                return found
        return None

    return Statement(read, sources)


def every(how: How, source: str) -> Statement:
    """All different values of a list."""
    nodes = _many(source)
    return Statement(lambda reading: listed(distinct(map(how, nodes(reading))), False), (source,))


def earliest(source: str) -> Statement:
    """The earliest day that is stated."""
    return _extreme(source, min)


def latest(source: str) -> Statement:
    """The latest day that is stated."""
    return _extreme(source, max)


def derived(part: str, *sources: str, open_ended: bool = True) -> Statement:
    """What a part or method of `Reading` works out."""
    method = vars(Reading).get(part)
    return Statement(method if callable(method) else attrgetter(part), sources, open_ended)


def _extreme(source: str, choose: Callable[..., Said]) -> Statement:
    nodes = _many(source)

    def read(reading: Reading) -> Said | None:
        days = [day for day in map(reading.day, nodes(reading)) if day is not None]
        return choose(days, key=_by_value) if days else None

    return Statement(read, (source,))


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
            return lambda reading: reading.fields.get(name)
        return lambda reading: get(reading.fields, *rest)
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

_TERM = ("tender.contractPeriod", "lots[].contractPeriod", "awards", "contracts")
_CRITERIA = ("lots[].awardCriteria", "tender.awardCriteria")
_PLANNING_NOTICE = "planning.documents[documentType"

STATEMENTS: Final[Mapping[str, Statement]] = MappingProxyType(
    {
        "kind": derived("kind"),
        "stage": derived("stage"),
        # Identity
        "id": first(code, "ocid"),
        "notice.ocid": first(code, "ocid"),
        "notice.release": derived("release", "id"),
        "as_at": derived("published_on", "date"),
        "notice.date": derived("published_on", "date"),
        "notice.publisher": derived("publisher"),
        "notice.types": derived("notice_types", "documents"),
        "notice.tags": derived("release_tags", "tag"),
        "notice.earlier": derived("earlier", "relatedProcesses"),
        "title": first(text, "tender.title", "title"),
        "summary": first(text, "tender.description"),
        "commissioner.name": derived("buyer_name", "buyer", "parties"),
        "commissioner.types": derived("buyer_types", "buyer", "parties"),
        "service.classification": derived(
            "classification",
            "tender.classification",
            "tender.additionalClassifications",
            "tender.items",
            "awards",
            "contracts",
        ),
        "service.health_care": derived("health_care", "tender.classification"),
        "service.places": derived("places", "tender.items", "tender.deliveryAddresses", "awards", "contracts"),
        # Value
        "value.total": derived("total", "contracts", "awards", "tender.value", "lots[].value"),
        "value.total_including_vat": derived("total_including_vat", "contracts", "tender.value", "lots[].value"),
        "value.minimum": first(money, "tender.minValue"),
        "award.value": derived("awarded", "awards"),
        "value.budget": derived("budget", "planning.budget"),
        # Lots
        "lots.count": derived("lots_count", "tender.lots"),
        "lots.reasons_not_split": first(reason, "tender.lotDetails.noLotsDivisionRationale"),
        "lots.maximum_per_bidder": derived("most_lots_bid_for", "tender.lotDetails"),
        "lots.maximum_per_supplier": derived("most_lots_won", "tender.lotDetails"),
        "lots.items": derived("lots_listed", "tender.lots", open_ended=False),
        "lots.smallest_value": derived("smallest_lot", "lots[].value"),
        # Procedure
        "process.route": derived("route", "tender.procurementMethod", "tender.procurementMethodDetails"),
        "process.route_details": first(reason, "tender.procurementMethodDetails"),
        "process.framework": derived("framework", "tender.techniques", "lots[].techniques"),
        "process.framework_maximum": derived("framework_maximum", "tender.techniques"),
        "process.framework_period_reason": first(reason, "tender.techniques.frameworkAgreement.periodRationale"),
        "process.dynamic": derived("dynamic", "tender.techniques", "documents"),
        "process.is_retender": derived("is_retender", "relatedProcesses"),
        "process.above_threshold": derived(
            "above_threshold",
            "tender.aboveThreshold",
            "lots[].aboveThreshold",
            "awards",
            "contracts",
            "tender.procurementMethodDetails",
        ),
        "process.light_touch": derived(
            "light_touch", "tender.specialRegime", "lots[].specialRegime", "tender.procurementMethodDetails"
        ),
        "process.legal_basis": derived("legal_basis", "tender.legalBasis"),
        "funding.mechanism": derived("mechanism", "tender.legalBasis"),
        "process.accelerated": first(flag, "tender.procedure.isAccelerated"),
        "process.accelerated_reason": first(reason, "tender.procedure.acceleratedRationale"),
        "process.suitable_for_sme": first(flag, "tender.suitability.sme", "lots[].suitability.sme"),
        "process.suitable_for_vcse": first(flag, "tender.suitability.vcse", "lots[].suitability.vcse"),
        "process.direct_award_reason": derived(
            "direct_award_reason",
            "tender.procurementMethodRationale",
            "tender.procurementMethodRationaleClassifications",
        ),
        "process.cancelled": derived("cancelled", "tender.status", "tag", "documents"),
        "process.recurrent": first(flag, "tender.hasRecurrence"),
        "process.recurrence_terms": first(reason, "tender.recurrence.description"),
        "process.shortlist_minimum": first(count, "divisions[].secondStage.minimumCandidates"),
        "process.shortlist_maximum": first(count, "divisions[].secondStage.maximumCandidates"),
        "process.participation_fees": every(text, "tender.participationFees[].type[*]"),
        "process.electronic_submission": derived(
            "electronic_submission", "tender.submissionTerms", "tender.submissionMethod"
        ),
        "process.submission_languages": every(text, "tender.submissionTerms.languages[*]"),
        "process.special_tool": first(text, "tender.communication.atypicalToolUrl"),
        "process.review_details": first(reason, "tender.reviewDetails"),
        "process.covered_by": every(text, "tender.coveredBy[*]"),
        "process.risks": first(reason, "tender.riskDetails"),
        "information.documents": derived("document_kinds", "documents"),
        # Time
        "timeline.intention_notice": earliest(f"{_PLANNING_NOTICE}=plannedProcurementNotice].datePublished"),
        "market.engagement_date": earliest(f"{_PLANNING_NOTICE}=marketEngagementNotice].datePublished"),
        "market.engagement_notice": earliest(f"{_PLANNING_NOTICE}=marketEngagementNotice].datePublished"),
        "market.engagement_until": latest("planning.milestones[type=engagement].dueDate"),
        "market.no_engagement_reason": first(reason, "planning.noEngagementNoticeRationale"),
        "market.no_notice_reason": first(reason, "planning.noEngagementNoticeRationale"),
        "timeline.tender_published": derived(
            "tender_published", "tender.documents", "tender.datePublished", "date", "tender.communication"
        ),
        "timeline.clarification_deadline": first(date, "tender.enquiryPeriod.endDate"),
        "timeline.shortlist_invited": first(date, "tender.secondStage.invitationDate"),
        "timeline.participation_deadline": derived(
            "participation_deadline", "tender.expressionOfInterestDeadline", "tender.tenderPeriod"
        ),
        "timeline.bid_deadline": derived("bid_deadline", "tender.tenderPeriod"),
        "timeline.award_decision": derived("award_decision", "awards", "tender.awardPeriod"),
        # Term
        "term.months": derived("term.months", *_TERM),
        "term.start": derived("term.start", *_TERM),
        "term.end": derived("term.end", *_TERM),
        "term.latest_end": derived("term.latest", *_TERM),
        "term.extension_option": derived("extension_option", *_TERM, "tender.hasRenewal", "lots[].hasRenewal"),
        "term.extension_months": derived("term.extension_months", *_TERM),
        "term.extension_terms": first(reason, "lots[].renewal.description"),
        "term.options": first(flag, "tender.hasOptions", "lots[].hasOptions"),
        "term.options_terms": first(reason, "lots[].options.description"),
        # Demands on bidders
        "requirements.financial_standing": derived("financial_standing", "tender.selectionCriteria"),
        "requirements.technical_ability": derived("technical_ability", "tender.selectionCriteria"),
        "requirements.suitability": derived("suitability", "tender.selectionCriteria"),
        "requirements.reserved_for": derived("reserved_for", "tender.otherRequirements", "lots[].otherRequirements"),
        "requirements.staff_names": first(flag, "tender.otherRequirements.requiresStaffNamesAndQualifications"),
        "requirements.variants_allowed": first(permission, "divisions[].submissionTerms.variantPolicy"),
        "requirements.bid_validity_days": derived("bid_validity", "tender.submissionTerms"),
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
        "market.bids_received": derived("bids_received", "bids"),
        "market.bids_from_sme": derived("bids_from_sme", "bids"),
        "market.bids_from_vcse": derived("bids_from_vcse", "bids"),
        "award.criteria": derived("criteria", *_CRITERIA, open_ended=False),
        "award.criteria_published": derived("criteria_published", *_CRITERIA),
        "award.social_value_scored": derived("social_value_scored", *_CRITERIA),
        "award.supply_chain_scored": derived("supply_chain_scored", *_CRITERIA),
        # Award
        "award.date": derived("award_date", "awards"),
        "timeline.award_notice": derived("award_notice", "awards"),
        "timeline.standstill_end": first(date, "awards[].standstillPeriod.endDate"),
        "timeline.assessment_summaries": first(date, "awards[].assessmentSummariesDateSent"),
        "award.suppliers": derived("suppliers", "awards"),
        "subcontracting.prime_is_vcse": derived("prime_is_vcse", "awards"),
        "subcontracting.position": derived("subcontracting", "awards"),
        # Contract
        "timeline.contract_signed": first(date, "contracts[].dateSigned"),
        "timeline.contract_notice": earliest("documents[noticeType=UK7].datePublished"),
        "outcomes.measures": derived("measures", "contracts"),
        "outcomes.no_measures_reason": first(reason, "contracts[].noAgreedMetricsRationale"),
        "termination.published_reasons": derived("ending_reasons", "contracts"),
        "contract_terms.changes": derived("changes", "contracts"),
    }
)


def beginnings(statement: Statement) -> frozenset[tuple[str, str]]:
    """Where the sources of a statement begin: the section (the notice "", its tender, its lots) and the name there."""
    found: set[tuple[str, str]] = set()
    for source in statement.sources:
        start, _, rest = source.partition(".")
        name = start.partition("[")[0]
        below = rest.partition(".")[0].partition("[")[0]
        if name == "documents":
            found |= {("", "planning"), ("", "awards"), ("", "contracts")}
            found |= {("tender", "documents"), ("tender", "implementation")}
        elif name == "divisions":
            found |= {("tender", below), ("lots", below)}
        elif name in ("tender", "lots"):
            found.add((name, below))
        else:
            found.add(("", name))
    return frozenset(found)


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
