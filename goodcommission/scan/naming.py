"""What a summary calls things: divisions of the CPV, bands of value, facts and the OCDS fields that carry them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from goodcommission.description.facts import COMPLETE, GIVEN, dictionary
from goodcommission.description.ocds.mapping import STATEMENTS
from goodcommission.report.wording import REPEATED, section

# The 45 divisions of the Common Procurement Vocabulary with their official titles, as in the annex to Commission
# Regulation (EC) No 213/2008 of 28 November 2007 (Official Journal L 74, 15.3.2008), which the UK still uses.
DIVISIONS: Final[Mapping[str, str]] = {
    "03": "Agricultural, farming, fishing, forestry and related products",
    "09": "Petroleum products, fuel, electricity and other sources of energy",
    "14": "Mining, basic metals and related products",
    "15": "Food, beverages, tobacco and related products",
    "16": "Agricultural machinery",
    "18": "Clothing, footwear, luggage articles and accessories",
    "19": "Leather and textile fabrics, plastic and rubber materials",
    "22": "Printed matter and related products",
    "24": "Chemical products",
    "30": "Office and computing machinery, equipment and supplies except furniture and software packages",
    "31": "Electrical machinery, apparatus, equipment and consumables; lighting",
    "32": "Radio, television, communication, telecommunication and related equipment",
    "33": "Medical equipments, pharmaceuticals and personal care products",
    "34": "Transport equipment and auxiliary products to transportation",
    "35": "Security, fire-fighting, police and defence equipment",
    "37": "Musical instruments, sport goods, games, toys, handicraft, art materials and accessories",
    "38": "Laboratory, optical and precision equipments (excl. glasses)",
    "39": "Furniture (incl. office furniture), furnishings, domestic appliances (excl. lighting) and cleaning products",
    "41": "Collected and purified water",
    "42": "Industrial machinery",
    "43": "Machinery for mining, quarrying, construction equipment",
    "44": "Construction structures and materials; auxiliary products to construction (except electric apparatus)",
    "45": "Construction work",
    "48": "Software package and information systems",
    "50": "Repair and maintenance services",
    "51": "Installation services (except software)",
    "55": "Hotel, restaurant and retail trade services",
    "60": "Transport services (excl. Waste transport)",
    "63": "Supporting and auxiliary transport services; travel agencies services",
    "64": "Postal and telecommunications services",
    "65": "Public utilities",
    "66": "Financial and insurance services",
    "70": "Real estate services",
    "71": "Architectural, construction, engineering and inspection services",
    "72": "IT services: consulting, software development, Internet and support",
    "73": "Research and development services and related consultancy services",
    "75": "Administration, defence and social security services",
    "76": "Services related to the oil and gas industry",
    "77": "Agricultural, forestry, horticultural, aquacultural and apicultural services",
    "79": "Business services: law, marketing, consulting, recruitment, printing and security",
    "80": "Education and training services",
    "85": "Health and social work services",
    "90": "Sewage, refuse, cleaning and environmental services",
    "92": "Recreational, cultural and sporting services",
    "98": "Other community, social and personal services",
}

BOUNDS: Final = (10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000, 25_000_000)
"""Where one band of value ends and the next begins."""

_TENDER: Final[Mapping[str, str]] = {
    "summary": "description",
    "title": "title",
    "value.total": "value",
    "value.total_including_vat": "value.amountGross",
    "value.minimum": "minValue",
    "lots.count": "lots",
    "lots.items": "lots",
    "lots.smallest_value": "lots.value",
    "lots.reasons_not_split": "lotDetails.noLotsDivisionRationale",
    "lots.maximum_per_bidder": "lotDetails.maximumLotsBidPerSupplier",
    "lots.maximum_per_supplier": "lotDetails.maximumLotsAwardedPerSupplier",
    "process.route": "procurementMethod",
    "process.route_details": "procurementMethodDetails",
    "process.framework": "techniques.hasFrameworkAgreement",
    "process.framework_maximum": "techniques.frameworkAgreement.maximumParticipants",
    "process.framework_period_reason": "techniques.frameworkAgreement.periodRationale",
    "process.dynamic": "techniques.hasDynamicPurchasingSystem",
    "process.above_threshold": "aboveThreshold",
    "process.light_touch": "specialRegime",
    "process.legal_basis": "legalBasis",
    "process.accelerated": "procedure.isAccelerated",
    "process.accelerated_reason": "procedure.acceleratedRationale",
    "process.suitable_for_sme": "suitability.sme",
    "process.suitable_for_vcse": "suitability.vcse",
    "process.direct_award_reason": "procurementMethodRationale",
    "process.cancelled": "status",
    "process.recurrent": "hasRecurrence",
    "process.recurrence_terms": "recurrence.description",
    "process.shortlist_minimum": "secondStage.minimumCandidates",
    "process.shortlist_maximum": "secondStage.maximumCandidates",
    "process.participation_fees": "participationFees.type",
    "process.electronic_submission": "submissionTerms.electronicSubmissionPolicy",
    "process.submission_languages": "submissionTerms.languages",
    "process.special_tool": "communication.atypicalToolUrl",
    "process.review_details": "reviewDetails",
    "process.covered_by": "coveredBy",
    "process.risks": "riskDetails",
    "information.documents": "documents.documentType",
    "service.classification": "classification",
    "service.places": "items.deliveryAddresses",
    "timeline.tender_published": "datePublished",
    "timeline.clarification_deadline": "enquiryPeriod.endDate",
    "timeline.shortlist_invited": "secondStage.invitationDate",
    "timeline.participation_deadline": "expressionOfInterestDeadline",
    "timeline.bid_deadline": "tenderPeriod.endDate",
    "timeline.award_decision": "awardPeriod.endDate",
    "term.months": "contractPeriod.durationInDays",
    "term.start": "contractPeriod.startDate",
    "term.end": "contractPeriod.endDate",
    "term.latest_end": "contractPeriod.maxExtentDate",
    "term.extension_option": "hasRenewal",
    "term.extension_months": "contractPeriod.maxExtentDate",
    "term.extension_terms": "lots.renewal.description",
    "term.options": "hasOptions",
    "term.options_terms": "lots.options.description",
    "requirements.financial_standing": "selectionCriteria.criteria",
    "requirements.technical_ability": "selectionCriteria.criteria",
    "requirements.suitability": "selectionCriteria.criteria",
    "requirements.reserved_for": "otherRequirements.reservedParticipation",
    "requirements.staff_names": "otherRequirements.requiresStaffNamesAndQualifications",
    "requirements.variants_allowed": "submissionTerms.variantPolicy",
    "requirements.bid_validity_days": "submissionTerms.bidValidityPeriod.durationInDays",
    "requirements.deposits": "submissionTerms.depositsGuarantees",
    "requirements.legal_form": "contractTerms.tendererLegalForm",
    "contract_terms.performance_terms": "contractTerms.performanceTerms",
    "contract_terms.financial_terms": "contractTerms.financialTerms",
    "contract_terms.social_standards": "contractTerms.socialStandards",
    "contract_terms.rewards_and_penalties": "contractTerms.rewardsAndPenalties",
    "contract_terms.electronic_invoicing": "contractTerms.electronicInvoicingPolicy",
    "contract_terms.electronic_payment": "contractTerms.hasElectronicPayment",
    "subcontracting.terms": "subcontractingTerms.description",
    "award.criteria": "awardCriteria.criteria",
    "award.criteria_published": "awardCriteria.criteria",
}
_ELSEWHERE: Final[Mapping[str, str]] = {
    "as_at": "date",
    "stage": "tag",
    "notice.date": "date",
    "notice.publisher": "publisher.name",
    "notice.types": "tender.documents.noticeType",
    "commissioner.name": "buyer.name",
    "commissioner.types": "parties.details.classifications",
    "value.budget": "planning.budget.amount",
    "process.is_retender": "relatedProcesses.relationship",
    "funding.mechanism": "tender.legalBasis",
    "market.engagement_date": "planning.documents.datePublished",
    "market.engagement_notice": "planning.documents.datePublished",
    "market.engagement_until": "planning.milestones.dueDate",
    "market.no_engagement_reason": "planning.noEngagementNoticeRationale",
    "market.no_notice_reason": "planning.noEngagementNoticeRationale",
    "market.bids_received": "bids.statistics",
    "market.bids_from_sme": "bids.statistics",
    "market.bids_from_vcse": "bids.statistics",
    "timeline.intention_notice": "planning.documents.datePublished",
    "timeline.award_notice": "awards.documents.datePublished",
    "timeline.standstill_end": "awards.standstillPeriod.endDate",
    "timeline.assessment_summaries": "awards.assessmentSummariesDateSent",
    "timeline.contract_signed": "contracts.dateSigned",
    "timeline.contract_notice": "contracts.documents.datePublished",
    "award.value": "awards.value",
    "award.date": "awards.date",
    "award.suppliers": "awards.suppliers",
    "subcontracting.prime_is_vcse": "parties.details.vcse",
    "subcontracting.position": "awards.hasSubcontracting",
    "outcomes.measures": "contracts.agreedMetrics",
    "outcomes.no_measures_reason": "contracts.noAgreedMetricsRationale",
    "termination.published_reasons": "contracts.terminationRationaleClassifications",
    "contract_terms.changes": "contracts.amendments",
}
FIELDS: Final[Mapping[str, str]] = {fact: f"tender.{path}" for fact, path in _TENDER.items()} | dict(_ELSEWHERE)
"""The field of OCDS (with the extensions that UK publishers use) in which a notice states a fact."""
_ONE_WAY: Final = frozenset(
    {
        "award.criteria_published",
        "funding.mechanism",
        "process.cancelled",
        "process.is_retender",
        "process.light_touch",
        "subcontracting.position",
    }
)
"""Facts of which a notice can state only some values: that a field is filled in need not settle them."""


def band_title(band: int) -> str:
    """A band of value in words."""
    if band == 0:
        return f"below £{BOUNDS[0]:,}"
    if band == len(BOUNDS):
        return f"£{BOUNDS[-1]:,} or more"
    return f"£{BOUNDS[band - 1]:,} to below £{BOUNDS[band]:,}"


@cache
def fact_title(name: str) -> str:
    """What a missing fact is called; ``name`` may be that of a field of a list's items (``lots.items[].value``)."""
    if name == "as_of":
        return "the day of the audit"
    base, bracket, field = name.partition("[].")
    whole = base.removesuffix("[]")
    fact = dictionary().get(whole.removesuffix(COMPLETE).removesuffix(GIVEN))
    if fact is None:
        return name
    if whole.endswith(COMPLETE):
        return f"whether all is named under “{fact.title}”"
    if bracket and field in fact.fields:
        return f"{fact.fields[field].title} ({fact.title})"
    # The titles of what is asked again and again (of each phase, of each audience) are the same: see `wording.View`.
    return f"{fact.title} ({section(whole)})" if whole.count(".") >= REPEATED else fact.title


@cache
def field_of(name: str) -> str | None:
    """The OCDS field that carries a fact; None if none does."""
    base = re.sub(r"\[\].*", "", name)
    whole = base.removesuffix(COMPLETE)
    if whole != base and (whole not in STATEMENTS or STATEMENTS[whole].open_ended):
        return None  # that a list has no further items, no notice says
    return FIELDS.get(whole)


@cache
def stated_by_field(name: str) -> bool:
    """Whether an OCDS field that is filled in surely states a fact: a single value, of any kind."""
    fact = dictionary().get(name)
    return fact is not None and not fact.type.startswith("list") and name in FIELDS and name not in _ONE_WAY
