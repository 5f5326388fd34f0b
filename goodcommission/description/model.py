"""The description of one procurement, along the commissioning cycle: what an audit reads.

Names are those of OCDS where OCDS has the thing and those of the reports where it has not. Every field that
bears on a rule is optional: left out or ``null`` it is unknown; ``false``, ``0``, ``[]`` and the word ``none``
are statements.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from goodcommission.description.types import (
    Amount,
    Count,
    Date,
    DateOrNone,
    Entries,
    Listed,
    Money,
    MoneyOrNone,
    Part,
    Ratio,
    Text,
    TextOrNone,
)

Kind = Literal["tender", "contract", "decommissioning_plan", "grant_programme"]
Stage = Literal["draft", "published", "awarded", "live", "ending", "ended"]
Phase = Literal[
    "needs_assessment", "service_design", "market_development", "procurement", "delivery", "review_decommissioning"
]
NeedArea = Literal[
    "housing",
    "employment",
    "skills",
    "substance_misuse",
    "mental_health",
    "physical_health",
    "family",
    "finance",
    "criminal_justice",
    "safety",
    "life_skills",
    "other",
]


def say(title: str, help: str = "", unit: str | None = None) -> Any:
    """An optional field: its name in plain English, the question that it answers, its unit."""
    extra: dict[str, Any] | None = {"x-unit": unit} if unit else None
    return Field(default=None, title=title, description=help or None, json_schema_extra=extra)


class SectorRoute(Part):
    """The standing route by which voluntary organisations reach the body, whatever it is buying at the time."""

    exists: bool | None = say(
        "whether voluntary organisations have a standing route to the body",
        "Is there a standing way (a named officer, a forum, an inbox) for voluntary organisations to reach the body?",
    )
    emerging_needs: bool | None = say(
        "whether emerging needs can be reported through it", "Is it there for reporting emerging needs?"
    )
    ideas: bool | None = say("whether ideas can be put forward through it", "Is it there for putting forward ideas?")
    improvements: bool | None = say(
        "whether improvements can be argued for through it", "Is it there for arguing that a service be improved?"
    )
    open_to_non_providers: bool | None = say(
        "whether organisations that provide nothing may use it",
        "May organisations use it that neither provide services nor mean to?",
    )


class Commissioner(Part):
    """The body that commissions, and how it works whatever it buys: answered once, used in each audit."""

    name: Text | None = say("the commissioning body")
    level: Literal["national", "regional", "local", "neighbourhood"] | None = say("the level at which it commissions")
    territory: Literal["england", "wales", "scotland", "northern_ireland", "united_kingdom"] | None = say(
        "the part of the United Kingdom whose law binds the body",
        "Of which part of the United Kingdom is it a public body? (a UK department: united_kingdom)",
    )
    central_government: bool | None = say(
        "whether it is a central government authority", "Is it a central government authority (a department, the NHS)?"
    )
    school: bool | None = say("whether it is a school", "Is the body a school?")
    best_value_authority: bool | None = say(
        "whether it is a best value authority", "Is it an English best value authority, such as a council?"
    )
    types: Listed[Text] | None = say("the kind of authority as published", "The publisher's codes for it.")
    scaled_procedures: bool | None = say(
        "whether procedures are scaled to contract size",
        "Does the body have different procedures for small and large contracts?",
    )
    joint_team: bool | None = say(
        "whether commissioning and procurement staff work as one team",
        "Do commissioners and procurement officers work as one team? (Answer true if they are the same people.)",
    )
    procurement_involved_from: Phase | None = say(
        "the phase from which procurement staff take part", "From which phase on do procurement officers take part?"
    )
    user_involvement_strategy: bool | None = say(
        "whether there is a strategy for involving service users",
        "Does the body have a strategy for visiting services and listening to the people who use them?",
    )
    staff_time_for_users: bool | None = say(
        "whether staff time is set aside for meeting service users",
        "Is staff time set aside for meeting the people who use services?",
    )
    capacity_grants: bool | None = say(
        "whether grants build organisations' capacity",
        "Does the body give grants that help organisations to become able to provide services later?",
    )
    need_research_grants: bool | None = say(
        "whether grants look into unmet need",
        "Does the body give grants to find out about needs that no service meets yet?",
    )
    sector_route: SectorRoute | None = say("the voluntary sector's standing route to the body")
    joint_meetings_per_year: Amount | None = say(
        "the meetings a year with other commissioners",
        "How often a year do its commissioners meet those of other departments and agencies to compare plans?",
        "per year",
    )


class Value(Part):
    """What the contract or grant is worth over its whole life, without extensions."""

    total: Money | None = say(
        "the total value", "What is the whole contract or grant worth, before VAT and without extensions?"
    )
    total_including_vat: Money | None = say(
        "the total value including VAT", "The same with VAT, where it is published."
    )
    minimum: Money | None = say("the lower end of the value range", "The lower end, where a range is published.")
    budget: Money | None = say("the published budget", "The budget set aside, where it is published.")


class Term(Part):
    """How long it runs."""

    months: Count | None = say("the length in months", "How many months does the first term last?", "months")
    start: Date | None = say("the first day of the service", "On which day does the service start?")
    end: Date | None = say("the last day of the first term", "On which day does the first term end?")
    extension_option: bool | None = say("whether it can be extended", "Can the contract be extended?")
    extension_months: Count | None = say("the longest extension", "By how many months in all?", "months")
    extension_terms: Text | None = say("the extensions as published", "The extensions in the publisher's words.")
    latest_end: Date | None = say("the last day with all extensions", "When does it end if all extensions are used?")
    options: bool | None = say("whether there are options", "Are there options to buy more, besides extensions?")
    options_terms: Text | None = say("the options as published", "The options in the publisher's words.")
    extension_review_based: bool | None = say(
        "whether extension depends on a review", "Does an extension depend on a satisfactory review?"
    )
    no_extension_reason: TextOrNone | None = say(
        "the reason for having no extension option", "Why can it not be extended? (none = no reason recorded)"
    )
    short_term_reason: TextOrNone | None = say(
        "the reason for a short term", "Why is a short term right? (none = no reason recorded)"
    )


class Exclusion(Part):
    """People who may not use the service."""

    group: Text | None = say("the excluded group", "Who is excluded?")
    blanket: bool | None = say("whether the exclusion has no exceptions", "Is everybody in that group excluded?")
    individual_assessment: bool | None = say("whether each person is assessed", "Is each person looked at first?")
    basis: Literal["purpose", "law", "safeguarding", "none"] | None = say(
        "the basis of the exclusion",
        "Does it follow from what the service is for (a women's centre), the law, safeguarding, or none of these?",
    )


class Service(Part):
    """The service and the people who use it."""

    health_care: bool | None = say(
        "whether it is health care for patients",
        "Is it health care for patients, or mainly that? (Social care and equipment are not.)",
    )
    offender_service: bool | None = say(
        "whether it serves offenders or their families", "Does it serve offenders, ex-offenders or their families?"
    )
    specialist: bool | None = say(
        "whether it is itself a specialist service for one group",
        "Is the service itself made for one equality or marginalised group (a refuge, a women's centre)?",
    )
    open_at_weekends: bool | None = say("whether it runs at weekends", "Does the service run on Saturdays or Sundays?")
    need_areas: Listed[NeedArea] | None = say("the needs found", "Which needs did the needs assessment find?")
    spec_need_areas: Listed[NeedArea] | None = say(
        "the needs paid for", "On which needs may the provider work, and is paid for it?"
    )
    connected_needs_allowed: bool | None = say(
        "whether connected needs may be met as well",
        "May the provider also work on connected needs that are not named, and spend money on them?",
    )
    multiple_complex_needs: bool | None = say(
        "whether users have multiple and complex needs", "Do its users face several severe problems at once?"
    )
    families_relevant: bool | None = say(
        "whether families are affected", "Are families beneficiaries, or clearly affected?"
    )
    user_group_in_local_data: bool | None = say(
        "whether local data cover the users", "Do official local data cover this group?"
    )
    untested: bool | None = say(
        "whether the approach is untested", "Is this a new approach without established evidence?"
    )
    pilot: bool | None = say(
        "whether it is a pilot", "Is it a pilot: paid for a time only, to see whether the service works?"
    )
    pilot_criteria_set: bool | None = say(
        "whether it is said what the pilot must show", "Is it written down what the pilot must show to be continued?"
    )
    pilot_decision_date: DateOrNone | None = say(
        "the date of the decision on the pilot",
        "By which day is it decided whether it goes on? (none = no day is set)",
    )
    hard_to_measure: bool | None = say(
        "whether the outcome is hard to measure", "Is the desired outcome hard to define or measure in a contract?"
    )
    support_capped: bool | None = say(
        "whether support for one person is capped", "Is there a longest time for which one person's support is funded?"
    )
    intervention_max_weeks: Amount | None = say(
        "the longest support for one person", "If there is: how many weeks?", "weeks"
    )
    continuation_route: bool | None = say(
        "whether support can continue", "Is there funded support to go on to when the cap is reached?"
    )
    exclusions: Listed[Exclusion] | None = say("who may not use the service", "Who may not use the service?")
    risk_sharing: bool | None = say(
        "whether the risk with high-risk clients is shared",
        "Does the contract say how risk with high-risk clients is shared?",
    )
    risk_duties_agreed: bool | None = say(
        "whether it is agreed who handles which risk",
        "Is it written down who assesses and who manages the risk that users may pose (provider, probation, police)?",
    )
    risk_competence_checked: bool | None = say(
        "whether the provider's ability to handle risk was checked",
        "Was it checked that the provider is able to do its part of that?",
    )
    risk_support_offered: bool | None = say(
        "whether the provider gets help with risk",
        "Does the provider get help with it from a public body (supervision, advice, joint training)?",
    )
    related_services_mapped: bool | None = say(
        "whether related services are mapped", "Have the other services around these people been mapped?"
    )
    crosses_release: bool | None = say(
        "whether it works across release", "Does it work with people before and after release?"
    )
    release_handover_planned: bool | None = say(
        "whether release is planned for", "Is continuity across release planned?"
    )
    classification: Listed[Text] | None = say("the CPV codes", "Common Procurement Vocabulary codes, as published.")
    places: Listed[Text] | None = say("the places of delivery", "Where is the service delivered?")


class Certificate(Part):
    """An outside assessment or certificate that bidders must have."""

    name: Text | None = say("the certificate")
    external_paid: bool | None = say("whether bidders pay an outside body for it")
    statutory: bool | None = say("whether the law requires it")
    needed_by: Literal["bid", "award"] | None = say("when it must be held")
    equivalent_accepted: bool | None = say("whether an equivalent or a self-assessment is accepted")


class LegalConstraint(Part):
    """A rule of law that is said to forbid a lighter or more open approach."""

    claim: Text | None = say("what the law is said to forbid")
    provision: TextOrNone | None = say("the provision relied on", "none = no provision is cited")
    flexibility_reviewed: bool | None = say("whether the room it leaves was looked at")


class Weighed(Part):
    """Whose costs and benefits of competing were weighed, one by one."""

    authority: bool | None = say("whether the authority's own cost was weighed")
    incumbent: bool | None = say("whether the cost to the current provider was weighed")
    successful_bidder: bool | None = say("whether the cost to the winner was weighed")
    unsuccessful_bidders: bool | None = say("whether the cost to losing bidders was weighed")
    service_users: bool | None = say("whether the effect on service users was weighed")


class Process(Part):
    """How the provider is chosen."""

    route: (
        Literal[
            "open_tender",
            "restricted_tender",
            "framework_calloff",
            "direct_award",
            "grant_competition",
            "grant_direct",
            "spot_purchase",
        ]
        | None
    ) = say("the route to the provider", "How is the provider chosen?")
    route_details: Text | None = say("the procedure as published", "The procedure in the publisher's words.")
    framework: bool | None = say("whether it sets up a framework", "Does it set up a framework agreement?")
    framework_maximum: Count | None = say("the most suppliers on the framework", unit="suppliers")
    framework_period_reason: TextOrNone | None = say(
        "the published reason for the framework's length", "Why is it as long as it is? (none = no reason published)"
    )
    dynamic: bool | None = say(
        "whether it is a dynamic market or purchasing system", "Can suppliers join throughout its life?"
    )
    is_retender: bool | None = say(
        "whether a running service is re-tendered", "Does it replace or repeat a running service?"
    )
    above_threshold: bool | None = say("whether it is above the threshold", "Is it above the procurement threshold?")
    light_touch: bool | None = say("whether it is a light-touch contract", "Is it a light-touch contract?")
    regime: (
        Literal[
            "procurement_act_2023",
            "pcr_2015",
            "scotland_2015",
            "nhs_provider_selection",
            "utilities_2016",
            "concessions_2016",
            "no_procurement_law",
        ]
        | None
    ) = say(
        "the procurement law that it is run under",
        "Under which law is it run? (A contract begun before 24 February 2025 stays under the 2015 Regulations.)",
    )
    utility: bool | None = say("whether it is bought as a utility", "Is it bought by a utility, for that activity?")
    concession: bool | None = say("whether it is a concession", "Is it a concession: is the supplier paid by users?")
    works: bool | None = say("whether it is works", "Is it building or engineering works?")
    defence: bool | None = say("whether it is for defence or security", "Is it a defence and security contract?")
    open_framework: bool | None = say(
        "whether it is an open framework", "Is it a framework that is reopened to new suppliers?"
    )
    documents_with_notice: bool | None = say(
        "whether all documents come with the tender notice", "Can bidders have all documents from the first day on?"
    )
    chosen_suppliers_only: bool | None = say(
        "whether only suppliers chosen beforehand may bid", "May only suppliers bid that were chosen beforehand?"
    )
    suitability_stage: bool | None = say(
        "whether a stage before bidding decides who may bid",
        "Is there a separate stage, before bids are asked for, that decides who may bid?",
    )
    selection_route: (
        Literal["direct_award_a", "direct_award_b", "direct_award_c", "most_suitable_provider", "competitive"] | None
    ) = say("the process of the Provider Selection Regime", "Which process of the Provider Selection Regime is used?")
    legal_basis: Text | None = say("the legal basis as published", "Scheme and number of the law it is run under.")
    accelerated: bool | None = say(
        "whether the procedure is accelerated", "Is the time to respond shortened for urgency?"
    )
    accelerated_reason: TextOrNone | None = say("the reason for accelerating", "Why is it accelerated?")
    direct_award_reason: TextOrNone | None = say(
        "the reason for awarding without competition", "Why is there no competition? (none = no reason recorded)"
    )
    cancelled: bool | None = say("whether the procedure was called off", "Was the procedure ended without an award?")
    recurrent: bool | None = say("whether it will be bought again", "Will the service be bought again when this ends?")
    recurrence_terms: Text | None = say("when it will be bought again, as published")
    shortlist_minimum: Count | None = say("the fewest bidders on the shortlist", unit="bidders")
    shortlist_maximum: Count | None = say("the most bidders on the shortlist", unit="bidders")
    participation_fees: Listed[Text] | None = say("the charges for taking part", "What must be paid for? ([] = none)")
    electronic_submission: bool | None = say("whether bids can be sent electronically")
    submission_languages: Listed[Text] | None = say("the languages of bids", "Codes of the languages bids may be in.")
    special_tool: Text | None = say("the special tool needed to bid", "Web address of a tool that few have.")
    review_details: Text | None = say("how to challenge the procedure, as published")
    covered_by: Listed[Text] | None = say("the agreements that cover it", "Trade agreements, by their codes (GPA).")
    risks: Text | None = say("the known risks as published")
    suitable_for_sme: bool | None = say("whether it is marked as suitable for small firms")
    suitable_for_vcse: bool | None = say("whether it is marked as suitable for voluntary organisations")
    response_pages: Count | None = say(
        "the length of the papers to be answered",
        "How many pages of questions and instructions must a bidder work through (without annexed law and data)?",
        "pages",
    )
    response_words: Count | None = say(
        "the sum of the word limits", "Where bids go through a portal: what do the word limits add up to?", "words"
    )
    same_as_large_contracts: bool | None = say(
        "whether it is the process of large contracts",
        "Is the process the one that is used for multi-million contracts?",
    )
    general_policies: Count | None = say(
        "the number of general policies to submit",
        "How many general business policies must a bidder submit (without safeguarding and service-specific ones)?",
        "policies",
    )
    certificates_required: Listed[Certificate] | None = say(
        "the certificates required", "Which outside assessments or certificates must bidders have?"
    )
    options_appraised: bool | None = say(
        "whether the options were weighed before tendering", "Were the options weighed before choosing to compete?"
    )
    weighed: Weighed | None = say("whose costs and benefits were weighed")
    lawful_alternative: bool | None = say(
        "whether there was a lawful alternative to competing", "Was there a lawful alternative to a competition?"
    )
    legal_constraints: Listed[LegalConstraint] | None = say(
        "the legal constraints relied on", "Which rules of law are relied on to justify the process?"
    )


class Retender(Part):
    """Why a running service is competed again."""

    review_outcome: Literal["excellent", "good", "adequate", "poor", "not_reviewed"] | None = say(
        "the result of the review of the running service", "What did the review of the running service find?"
    )
    reasons: (
        Listed[
            Literal[
                "need_changed",
                "cost_saving",
                "performance",
                "legal_requirement",
                "innovation",
                "provider_exit",
                "term_exhausted",
                "transparency_only",
                "policy_default",
            ]
        ]
        | None
    ) = say("the reasons for re-tendering", "Why is it competed again?")


class Insurance(Part):
    """One kind of insurance that is demanded."""

    kind: Literal["public_liability", "professional_indemnity", "employers_liability", "other"] | None = say(
        "the kind of insurance"
    )
    cover: Money | None = say("the cover demanded")
    needed_by: Literal["bid", "award"] | None = say("when the cover must be held")
    risk_reason: TextOrNone | None = say("the risk that explains the cover", "none = no reason recorded")


class Requirements(Part):
    """What bidders must have or show."""

    minimum_annual_turnover: MoneyOrNone | None = say(
        "the minimum annual turnover", "What yearly turnover must a bidder show? (none = no such test)", "per year"
    )
    turnover_applies_to: Literal["contract", "lot"] | None = say(
        "whether the turnover test is for the contract or for each lot",
        "With several lots: is that figure for the whole contract, or for each single lot?",
    )
    turnover_justification: TextOrNone | None = say(
        "the recorded reason for the turnover test", "Which special risk explains it? (none = no reason recorded)"
    )
    insurance: Listed[Insurance] | None = say("the insurance demanded", "Which insurance is demanded? ([] = none)")
    collaboration: Literal["none", "encouraged", "required"] | None = say(
        "whether bids in partnership are asked for", "Are bids in partnership asked for?"
    )
    evidence_bar: Literal["none", "theory_of_change", "promising", "proven_only"] | None = say(
        "the evidence a method must have", "What evidence must a proposed method have?"
    )
    evidence_bar_reason: TextOrNone | None = say(
        "the reason for asking for proven methods only",
        "If only proven methods are taken: which law, standard or risk asks for it? (none = no reason recorded)",
    )
    legacy_asked: bool | None = say(
        "whether bidders say what will remain",
        "Must bidders or applicants say what will remain when the money ends?",
    )
    financial_standing: Text | None = say("the financial conditions as published")
    technical_ability: Text | None = say("the technical conditions as published")
    suitability: Text | None = say("the conditions of registration as published")
    audited_accounts_of_all: bool | None = say(
        "whether audited accounts are asked of everybody",
        "Must bidders show audited accounts, even those that the law does not oblige to have an audit?",
    )
    award_by_particular_authority: bool | None = say(
        "whether an earlier contract from a particular authority is asked for",
        "Must a bidder have had a contract from one particular authority?",
    )
    staff_names: bool | None = say("whether staff must be named", "Must bidders name their staff?")
    variants_allowed: bool | None = say("whether variants are allowed", "May bidders offer a different solution?")
    bid_validity_days: Count | None = say(
        "how long a bid binds", "For how many days does a bid bind its bidder?", "days"
    )
    deposits: Text | None = say("the deposits and guarantees as published")
    legal_form: Text | None = say("the legal form asked of groups, as published")
    past_work_considered: bool | None = say(
        "whether bidders' past work is considered",
        "Is past work, or what users and partners say of it, considered (at selection, by references, in the award)?",
    )
    joint_bids_accepted: bool | None = say(
        "whether joint bids are accepted",
        "Do the papers accept bids by several organisations together (a consortium, a lead with partners)?",
    )
    partners_count_together: bool | None = say(
        "whether partners count together",
        "If several bid together: do the experience and finances of all count towards what is asked?",
    )
    joint_legal_form_required: bool | None = say(
        "whether partners need a legal form of their own",
        "Must those who bid together form a company or another legal body before they bid?",
    )
    joint_legal_form_reason: TextOrNone | None = say(
        "the reason for asking for a legal form", "If they must: why? (none = no reason recorded)"
    )
    reserved_for: Listed[Literal["sheltered_workshop", "public_service_mission", "sme_vcse"]] | None = say(
        "the organisations it is reserved for", "Is taking part reserved for some organisations? ([] = not reserved)"
    )


class Timeline(Part):
    """The dates from the first decision to the start."""

    model_decision: Date | None = say(
        "the date of the decision on the kind of service", "When was the main decision on the kind of service taken?"
    )
    specification_final: Date | None = say("the date the specification was fixed", "When was the specification fixed?")
    intention_notice: DateOrNone | None = say(
        "the date of the notice of intention", "When was the market told that a tender is coming? (none = it was not)"
    )
    tender_published: Date | None = say("the date of publication", "When is the tender published?")
    clarification_deadline: Date | None = say("the last day for questions", "Until when can bidders ask questions?")
    participation_deadline: Date | None = say(
        "the deadline for asking to take part", "In two stages: until when can bidders ask to take part?"
    )
    shortlist_invited: Date | None = say("the day the shortlist is invited", "When are the shortlisted invited to bid?")
    bid_deadline: Date | None = say("the deadline for bids", "When are bids due?")
    award_decision: Date | None = say("the date of the award decision", "When is the award decided?")
    contract_signed: Date | None = say("the date of signature", "When is the contract signed?")
    award_notice: Date | None = say("the date of the award notice", "When was the award published?")
    assessment_summaries: Date | None = say("the date of the assessment summaries", "When did bidders get them?")
    standstill_end: Date | None = say("the last day of the standstill")
    contract_notice: DateOrNone | None = say(
        "the date of the contract details notice", "When was it published? (none = not yet)"
    )
    award_intention: Date | None = say(
        "the date of the notice of the intended award", "Under the Provider Selection Regime: when was it published?"
    )
    bank_holidays_in_standstill: Count | None = say(
        "the bank holidays between award notice and signature",
        "How many bank holidays lie in between? (0 = none)",
        "days",
    )
    termination_notice: DateOrNone | None = say(
        "the date of the contract termination notice", "When was it published? (none = not yet)"
    )


class Lot(Part):
    """One lot."""

    id: Text | None = say("the lot's number")
    title: Text | None = say("the lot's title")
    value: Money | None = say("the lot's value")
    months: Count | None = say("the lot's length in months", unit="months")


class Lots(Part):
    """Division of the contract."""

    count: Count | None = say("the number of lots", "How many lots are there? (1 = not divided)", "lots")
    considered: bool | None = say("whether dividing was considered", "Was dividing into lots considered?")
    reasons_not_split: TextOrNone | None = say(
        "the reason for not dividing", "Why is it not divided? (none = no reason recorded)"
    )
    smallest_value: Money | None = say("the value of the smallest lot", "What is the smallest lot worth?")
    maximum_per_bidder: Count | None = say("the most lots one bidder may bid for", unit="lots")
    maximum_per_supplier: Count | None = say("the most lots one bidder may win", unit="lots")
    items: Listed[Lot] | None = say("the lots")


class ImpactOfMerging(Part):
    """What the assessment of merging looked at."""

    market_diversity: bool | None = say("whether market diversity was looked at")
    user_choice: bool | None = say("whether users' choice was looked at")
    specialist_provision: bool | None = say("whether specialist provision was looked at")
    sustainability: bool | None = say("whether sustainability was looked at")


class Aggregation(Part):
    """Merging of existing contracts."""

    contracts_merged: Count | None = say("the number of contracts merged", "How many contracts are merged into one?")
    impact_assessment: bool | None = say("whether the effect of merging was assessed", "Was the effect assessed?")
    impact_covers: ImpactOfMerging | None = say("what the assessment of merging looked at")
    providers_before: Count | None = say("the number of providers before", "How many main providers before?")
    providers_after: Count | None = say("the number of providers after", "How many main providers after?")


class Market(Part):
    """The market and how it was engaged."""

    engagement_date: DateOrNone | None = say(
        "the date of the first market engagement", "When was the market first engaged? (none = it was not)"
    )
    engagement_until: Date | None = say("the last day of market engagement")
    no_engagement_reason: TextOrNone | None = say(
        "the reason for not engaging the market", "Why was the market not engaged? (none = no reason recorded)"
    )
    engagement_notice: DateOrNone | None = say(
        "the date of the market engagement notice", "When was it published? (none = it was not)"
    )
    no_notice_reason: TextOrNone | None = say(
        "the reason for engaging the market without a notice", "Why was none published? (none = no reason given)"
    )
    bid_support: Listed[Literal["training", "questionnaire_clinic", "helpdesk", "toolkit", "mentoring"]] | None = say(
        "the help given to small bidders", "Which help is given to small bidders? ([] = none)"
    )
    bids_received: Count | None = say("the number of bids", "How many bids came in?", "bids")
    bids_from_sme: Count | None = say("the number of bids from small firms", unit="bids")
    bids_from_vcse: Count | None = say("the number of bids from voluntary organisations", unit="bids")


class Criterion(Part):
    """One award criterion."""

    name: Text | None = say("the criterion")
    kind: (
        Literal[
            "price",
            "quality",
            "social_value",
            "track_record",
            "local_reputation",
            "supply_chain",
            "equality",
            "innovation",
            "other",
        ]
        | None
    ) = say("the kind of criterion")
    weight: Ratio | None = say("the weight", "Its share of the whole, between 0 and 1.")


class Supplier(Part):
    """An organisation that was awarded the contract or a part of it."""

    name: Text | None = say("the supplier")
    sme: bool | None = say("whether the supplier is a small or medium-sized firm")
    vcse: bool | None = say("whether the supplier is a voluntary organisation")
    identifier: Text | None = say("its number in a public register", "Register and number, such as GB-COH 01234567.")
    public_service_mission: bool | None = say("whether it is a public service mission organisation")
    sheltered_workshop: bool | None = say("whether it is a sheltered workshop")


class Award(Part):
    """How bids are judged, and the award."""

    criteria: Listed[Criterion] | None = say("the award criteria", "What are the award criteria and weights?")
    key_criteria: (
        Listed[Literal["quality_and_innovation", "value", "integration", "access_and_choice", "social_value"]] | None
    ) = say("the key criteria that were applied", "Which of the five key criteria of the regime were applied?")
    criteria_published: bool | None = say("whether criteria and weights are published")
    method_published: bool | None = say("whether the scoring method is published")
    supply_chain_scored: bool | None = say(
        "whether the supply chain is scored",
        "Is the quality of the supply chain scored, by a criterion of its own or within another?",
    )
    social_value_scored: bool | None = say(
        "whether social value is scored", "Is social value scored, by a criterion of its own or within another?"
    )
    loss_leading_check: bool | None = say(
        "whether very low bids are queried", "Is a bid that looks too low to last questioned before the award?"
    )
    joint_work_scored: bool | None = say(
        "whether work with other services is scored",
        "Does it count in the choice how applicants will work with the other services around the same people?",
    )
    date: Date | None = say("the date of the award")
    value: Money | None = say("the value awarded")
    suppliers: Listed[Supplier] | None = say("the suppliers")


class SupplyChainMeasure(Part):
    """A measure of the supply chain in contract management."""

    name: Text | None = say("the measure's name")
    measure: TextOrNone | None = say("what is measured", "none = named but not measured")


class Subcontracting(Part):
    """The supply chain."""

    position: Literal["none", "allowed", "wanted", "in_use"] | None = say(
        "whether subcontracting is wanted or in use",
        "Subcontracting: none, allowed, wanted by the commissioner, or already in use?",
    )
    expectation_stated: bool | None = say(
        "whether the papers say that subcontracting to voluntary organisations is expected",
        "Do the documents say that voluntary-sector subcontracting is expected?",
    )
    not_expected_reason: TextOrNone | None = say(
        "the reason for not expecting subcontracting", "If not: why? (none = no reason recorded)"
    )
    prime_is_vcse: bool | None = say(
        "whether the main provider is a voluntary organisation or consortium",
        "Is the main provider itself a voluntary organisation or a consortium of them?",
    )
    minimum_vcs_share: Ratio | None = say(
        "the minimum share for voluntary organisations",
        "Which share of the value must go to voluntary organisations? (0 = none set)",
    )
    named_partners: bool | None = say(
        "whether partners must be named", "Must bidders name their voluntary-sector partners?"
    )
    selection_measure_published: bool | None = say(
        "whether bidders know how the supply chain is scored", "Are bidders told how supply-chain quality is scored?"
    )
    measures: Listed[SupplyChainMeasure] | None = say(
        "the measures of the supply chain", "Which measures of the supply chain are in contract management? ([] = none)"
    )
    exclusivity: Literal["prohibited", "silent", "required"] | None = say(
        "the commissioner's position on exclusivity",
        "May bidders bind subcontractors to themselves alone: prohibited, silent, or required?",
    )
    exclusivity_clause: bool | None = say(
        "whether subcontracts bind to one prime", "Do the subcontracts bind subcontractors to this main provider alone?"
    )
    dialogue_channels: Listed[Literal["provider_forum", "direct_meetings", "survey", "named_contact"]] | None = say(
        "the channels between commissioner and subcontractors",
        "Through which channels does the commissioner hear subcontractors directly? ([] = none)",
    )
    dialogue_planned_for: DateOrNone | None = say(
        "the date from which subcontractors will be heard", "If planned: from when? (none = not planned)"
    )
    dialogue_meetings_per_year: Amount | None = say("the meetings a year with subcontractors", unit="per year")
    local_provider_map_shared: bool | None = say(
        "whether a map of local providers is shared", "Is a map of local providers given to bidders?"
    )
    agreement_pages: Count | None = say(
        "the length of the agreement offered to subcontractors",
        "How long is the agreement offered to subcontractors?",
        "pages",
    )
    agreement_annual_value: Money | None = say(
        "the yearly value of that agreement", "What is a typical subcontract worth a year?", "per year"
    )
    model_short_form: bool | None = say(
        "whether a short model subcontract is used", "Is a short model subcontract used, or required?"
    )
    continuity_clause: bool | None = say(
        "whether subcontracts survive a change of prime", "Do subcontracts continue if the main provider changes?"
    )
    written_agreement: bool | None = say(
        "whether subcontracts are in writing", "Are subcontracts in writing before work starts?"
    )
    escalation_route: bool | None = say(
        "whether subcontractors can turn to the commissioner",
        "Can a subcontractor bring a dispute to the commissioner?",
    )
    prime_changed: bool | None = say(
        "whether the main provider has changed", "Has another main provider taken over since the contract began?"
    )
    value_before_change: Money | None = say(
        "the subcontract's value under the old prime", "After a change of prime: its yearly value before", "per year"
    )
    value_after_change: Money | None = say(
        "the subcontract's value under the new prime", "After a change of prime: its yearly value since", "per year"
    )
    change_agreed: bool | None = say(
        "whether the cut was agreed", "Was the change of value agreed with the subcontractor, with a change of scope?"
    )
    payment_days: Count | None = say(
        "the payment term of subcontractors", "Within how many days of a valid invoice are subcontractors paid?", "days"
    )
    pbr_share_passed_down: Ratio | None = say("the share of subcontract payment at risk")
    promised_vcs_share: Ratio | None = say(
        "the share promised to voluntary organisations", "Which share did the bid promise to voluntary organisations?"
    )
    actual_vcs_share: Ratio | None = say(
        "the share paid to voluntary organisations", "Which share has gone to voluntary organisations so far?"
    )
    subcontractors_at_start: Count | None = say(
        "the number of subcontractors at the start of the year", unit="organisations"
    )
    subcontractors_exited: Count | None = say("the number that left within the year", unit="organisations")
    exits_reviewed: bool | None = say(
        "whether leavers' reasons were examined", "Were the reasons of those who left examined, and learnt from?"
    )
    terms: Text | None = say("the terms on subcontracting as published")


class Assessed(Part):
    """Equality in one phase."""

    assessed: bool | None = say("whether equality was assessed")
    planned_for: Date | None = say("when it will be assessed")


class AssessedPhases(Part):
    """Equality, phase by phase."""

    needs_assessment: Assessed | None = say("equality in needs assessment")
    service_design: Assessed | None = say("equality in service design")
    market_development: Assessed | None = say("equality in market development")
    procurement: Assessed | None = say("equality in procurement")
    delivery: Assessed | None = say("equality in delivery")
    review_decommissioning: Assessed | None = say("equality in review and decommissioning")


class TookPart(Part):
    """Who took part in the equality impact assessment, one by one."""

    service_users: bool | None = say("whether service users took part in the equality assessment")
    vcs: bool | None = say("whether voluntary organisations took part in the equality assessment")
    equality_led_vcs: bool | None = say("whether equality-led organisations took part in the equality assessment")
    staff: bool | None = say("whether staff took part in the equality assessment")
    experts: bool | None = say("whether experts took part in the equality assessment")


class EqualityGroup(Part):
    """A group of people with a protected characteristic, and what the specification holds for it."""

    group: Text | None = say("the group")
    population_share: Ratio | None = say("its share of the population")
    caseload_share: Ratio | None = say("its share of the caseload")
    own_service: bool | None = say("whether the service is made for this group")
    target: bool | None = say("whether there is a target for it")
    money_or_lot: bool | None = say("whether money or a lot is set aside for it")
    named_partner: bool | None = say("whether a specialist partner is named for it")


class SpecialistRoute(Part):
    """A group that a mainstream service would not suit, and the route that is provided for it."""

    group: Text | None = say("the group")
    route: Literal["lot", "subcontract", "grant", "separate_contract", "this_service", "none"] | None = say(
        "the route provided for it"
    )


class AssessedCharacteristics(Part):
    """Which protected characteristics the equality impact assessment looked at, one by one."""

    age: bool | None = say("whether age was assessed")
    disability: bool | None = say("whether disability was assessed")
    gender_reassignment: bool | None = say("whether gender reassignment was assessed")
    pregnancy_maternity: bool | None = say("whether pregnancy and maternity were assessed")
    race: bool | None = say("whether race was assessed")
    religion_belief: bool | None = say("whether religion and belief were assessed")
    sex: bool | None = say("whether sex was assessed")
    sexual_orientation: bool | None = say("whether sexual orientation was assessed")


class Equality(Part):
    """Equality: assessment, requirements, monitoring."""

    assessment: Literal["full", "screened_out", "none"] | None = say(
        "the equality impact assessment", "Is there an equality impact assessment: full, screened out, or none?"
    )
    screening_reason: TextOrNone | None = say(
        "the reason for screening out", "If it was screened out: why? (none = no reason recorded)"
    )
    first_assessed_on: Date | None = say(
        "the date of the first equality assessment", "When was equality first assessed (or screened)?"
    )
    took_part: TookPart | None = say("who took part in the equality assessment")
    characteristics: AssessedCharacteristics | None = say("what the equality assessment looked at")
    phases: AssessedPhases | None = say("equality in each phase")
    groups: Listed[EqualityGroup] | None = say(
        "the equality groups in the local profile", "Which groups are a substantial part of the population or caseload?"
    )
    specialist_routes: Listed[SpecialistRoute] | None = say(
        "the specialist routes",
        "Which groups would a mainstream service not suit, and what is provided for each? ([] = no such group)",
    )
    tested_in_selection: bool | None = say(
        "whether equality is tested in selection", "Must bidders pass an equality test to be selected?"
    )
    bidder_evidence: Literal["none", "policies_only", "delivery_plan", "delivery_evidence"] | None = say(
        "what bidders must show on equality",
        "What must bidders show: nothing, policies only, a credible plan, or evidence of delivery?",
    )
    bidder_support: Listed[Literal["toolkit", "workshop", "clinic", "specialist_advice", "resubmission"]] | None = say(
        "the help to reach the equality standard", "Which help is offered before the deadline, to all? ([] = none)"
    )
    selection_failures: Count | None = say("the bidders that failed the equality test", unit="bidders")
    marginalised_users_met: bool | None = say(
        "whether marginalised users were met during the tender",
        "Were marginalised service users met or visited while the tender was run?",
    )
    meeting_planned_for: Date | None = say(
        "the day planned for meeting marginalised users", "If it is planned: for which day?"
    )
    alternative_user_session: bool | None = say(
        "whether local organisations brought such users together",
        "Did local organisations bring them together instead?",
    )
    process_checked: bool | None = say(
        "whether the process was checked for disadvantage",
        "Was the process checked for features that disadvantage equality-led organisations?",
    )
    process_changes: TextOrNone | None = say(
        "what the check changed", "What was changed after that check? (none = nothing needed changing)"
    )
    monitored_in_contract: bool | None = say(
        "whether equality is monitored", "Are access and outcomes monitored by group?"
    )
    concerns_log: bool | None = say("whether equality concerns are logged", "Is a log of equality concerns kept?")
    on_review_agenda: bool | None = say(
        "whether equality is on each review's agenda", "Is equality on the agenda of each contract review?"
    )


class InvolvedPhase(Part):
    """Service users in one phase."""

    involved: bool | None = say("whether service users were involved")
    first_date: Date | None = say("when they were first involved")
    planned_for: Date | None = say("when they will be involved")


class InvolvedPhases(Part):
    """Service users, phase by phase."""

    needs_assessment: InvolvedPhase | None = say("service users in needs assessment")
    service_design: InvolvedPhase | None = say("service users in service design")
    market_development: InvolvedPhase | None = say("service users in market development")
    procurement: InvolvedPhase | None = say("service users in procurement")
    delivery: InvolvedPhase | None = say("service users in delivery")
    review_decommissioning: InvolvedPhase | None = say("service users in review and decommissioning")


class Methods(Part):
    """How service users take part, method by method."""

    staff_training: bool | None = say("whether service users train staff")
    visit_or_shadowing: bool | None = say("whether staff visit or shadow services")
    forum_or_user_led: bool | None = say("whether a users' forum or user-led body takes part")
    spec_codesign: bool | None = say("whether service users help design the specification")
    assessment_panel: bool | None = say("whether service users sit on the assessment panel")
    survey: bool | None = say("whether service users are surveyed")


class Users(Part):
    """The people who use the service, and how they are heard."""

    phases: InvolvedPhases | None = say("service users in each phase")
    methods: Methods | None = say("how service users take part")
    met_by_commissioners: bool | None = say(
        "whether commissioners met service users",
        "Have those who commission met service users face to face in the last twelve months?",
    )
    met_by_procurement_staff: bool | None = say(
        "whether procurement staff met service users", "Have those who procure met them in the last twelve months?"
    )
    met_by_specification_authors: bool | None = say(
        "whether the authors of the specification met service users",
        "Did those who wrote the specification have contact with users or services before it was fixed?",
    )
    in_contract_monitoring: bool | None = say(
        "whether service users take part in monitoring", "Is a review by service users part of contract monitoring?"
    )
    monitoring_events_per_year: Amount | None = say(
        "the user reviews a year", "How often a year do service users review the service?", "per year"
    )
    action_plan_date: DateOrNone | None = say(
        "the date of the action plan", "When was what they said turned into an action plan? (none = it was not)"
    )
    feedback_date: DateOrNone | None = say(
        "the date users heard what changed", "When were service users told what changed? (none = they were not)"
    )
    families_involved: bool | None = say("whether families were involved", "Did families take part?")
    involvement_budget: MoneyOrNone | None = say(
        "the yearly budget for user involvement",
        "How much is set aside a year for users' part: training, travel, payment? (none = nothing)",
        "per year",
    )


class ImpactOfCompeting(Part):
    """What the assessment of competing looked at."""

    relationships: bool | None = say("whether providers' relationships were looked at")
    referral_pathways: bool | None = say("whether referrals between providers were looked at")
    practice_sharing: bool | None = say("whether the sharing of good practice was looked at")


class Collaboration(Part):
    """Work between providers."""

    existing_providers: Count | None = say(
        "the number of providers now", "How many organisations work with these people in the area now?", "organisations"
    )
    competition_impact_assessed: bool | None = say(
        "whether the effect of competing was assessed",
        "Before choosing to compete: was it assessed what a competition does to the work between local providers?",
    )
    impact_covers: ImpactOfCompeting | None = say("what the assessment of competing looked at")
    capacity_grant: MoneyOrNone | None = say(
        "the grants to build partnerships", "How much is granted to build partnerships? (none = nothing)"
    )
    technical_support: Listed[Literal["governance", "finance", "structures", "legal", "facilitation"]] | None = say(
        "the technical help offered", "Which expert help do partnerships get in forming? ([] = none)"
    )
    partnership_costs_fundable: bool | None = say(
        "whether the cost of running a partnership can be paid for",
        "May the price or budget include what it costs to run the partnership (leading it, agreements, training)?",
    )
    coproduction_considered: bool | None = say(
        "whether co-production was considered",
        "Was it considered to design the service together with local organisations, before or instead of competing?",
    )
    provider_meetings_per_year: Amount | None = say(
        "the provider meetings a year",
        "How often a year does the commissioner bring the providers of the area or setting together?",
        "per year",
    )
    senior_attendance: bool | None = say(
        "whether a senior commissioner attends", "Does somebody senior (a director, a governor) come to these meetings?"
    )
    referral_protocol: bool | None = say(
        "whether referral routes are in the contract",
        "Does the contract, or its draft, say how people are referred between this service and others around them?",
    )
    practice_sharing_duty: bool | None = say(
        "whether sharing practice is in the contract",
        "Does the contract, or its draft, ask the provider to share what works with other providers?",
    )


class Funding(Part):
    """The form of funding."""

    mechanism: Literal["grant", "contract", "service_level_agreement", "spot_purchase", "mixed"] | None = say(
        "the form of funding", "Is it a grant, a contract, a service level agreement, a spot purchase?"
    )
    mechanism_stated: bool | None = say(
        "whether the papers say which form it is", "Do the papers say whether it is a grant or a contract?"
    )
    mechanism_reason: TextOrNone | None = say(
        "the reason for this form", "Why does this form suit the service? (none = no reason recorded)"
    )
    options_considered: Listed[Literal["grant", "contract", "spot_purchase", "extension", "in_house"]] | None = say(
        "the forms compared", "Which forms were compared before this one was chosen? ([] = none)"
    )
    overheads_payable: bool | None = say(
        "whether overheads may be charged",
        "May the price, or the grant, hold a fair share of the organisation's overheads?",
    )
    full_cost_shown: bool | None = say(
        "whether the full cost is shown",
        "Do bidders or the provider show what the service costs in full, and which part of it other money (grants, "
        "reserves) pays?",
    )
    replaces_grants: bool | None = say(
        "whether a contract replaces grants", "Is this a contract for what grants have paid for until now?"
    )
    effect_on_grantees_assessed: bool | None = say(
        "whether the effect on those who lose grants was assessed",
        "If so: was it looked at first what this does to the small organisations that had the grants?",
    )
    transition_support_considered: bool | None = say(
        "whether support for losers was considered",
        "Was it considered whether good organisations that lose out can be given a grant or other support?",
    )


class Panel(Part):
    """Who sits on the panel that assesses applications for grants, one by one."""

    funder: bool | None = say("whether the funder is on the panel")
    voluntary_sector: bool | None = say("whether voluntary organisations are on the panel")
    other_public_bodies: bool | None = say("whether other public bodies are on the panel")
    service_users: bool | None = say("whether people who use the services are on the panel")


class Programme(Part):
    """A funder's programme that gives grants to several organisations."""

    largest_grant: Money | None = say(
        "the largest grant", "What is the largest grant that one organisation can apply for?"
    )
    small_grants_strand: bool | None = say(
        "whether a part is set aside for small grants", "Is a part of the money set aside for small grants?"
    )
    small_grant_limit: Money | None = say(
        "the most that a small grant can be", "If so: what is the most that such a grant can be?"
    )
    intermediary: bool | None = say(
        "whether another body distributes the grants",
        "Does another body (an umbrella or support body, a community foundation) choose or pay the grantees for you?",
    )
    intermediary_assessed: bool | None = say(
        "whether that body's fitness was assessed",
        "If so: was it looked at whether that body has the staff, the standing and the local links for it?",
    )
    intermediary_paid: bool | None = say(
        "whether that body's work is paid for", "Is that body's own work on the programme paid for?"
    )
    intermediary_payment_defined: bool | None = say(
        "whether it is written down what that body is paid",
        "Is it written down what it gets as a fee, for overheads and for expenses?",
    )
    intermediary_duties_agreed: bool | None = say(
        "whether that body's duties of control are agreed",
        "Is it agreed in writing how that body checks spending and value for money?",
    )
    intermediary_aims_agreed: bool | None = say(
        "whether it is agreed how the grants serve the funder's aims",
        "Is it agreed in writing how the grants are to serve your own aims?",
    )
    intermediary_reports_agreed: bool | None = say(
        "whether that body's reports are agreed",
        "Is it agreed in writing what that body reports to you, and when?",
    )
    panel: Panel | None = say("who assesses applications")
    reasons_recorded: bool | None = say(
        "whether the reasons for each award are recorded",
        "Are the reasons recorded for which each application was accepted or refused?",
    )
    newcomers_sought: bool | None = say(
        "whether newcomers are sought", "Is it an aim to bring in organisations that are new to this work?"
    )
    experience_required: bool | None = say(
        "whether applicants must have experience",
        "Must applicants have worked with the programme's target group before?",
    )
    experience_checked: bool | None = say(
        "whether that experience is checked", "If so: is it checked, by examples or a referee?"
    )
    start_support: bool | None = say(
        "whether grantees get help to begin",
        "Are grantees helped to begin (whom to turn to, how people are referred to them)?",
    )
    wider_than_aim: bool | None = say(
        "whether grants may serve others than the target group",
        "May grants be spent on other people than those the programme was set up for?",
    )
    widening_agreed: bool | None = say(
        "whether that widening was agreed", "If so: was that decided by the funder and written down?"
    )
    short_by_nature: bool | None = say(
        "whether the work is short by nature",
        "Are the grants only for work that is short by nature (an event, a course, a piece of equipment)?",
    )
    delivery_months: Count | None = say(
        "the months that grantees have",
        "How many months lie between the award of a grant and the last day on which it can be spent?",
        "months",
    )
    carry_over: bool | None = say(
        "whether money may be spent later",
        "May a grantee whose work begins late spend the money after that day?",
    )
    changes_rule_written: bool | None = say(
        "whether there is a written rule for changes",
        "Is it written down how a grantee can change what it does with its grant?",
    )
    changes_same_for_all: bool | None = say(
        "whether that rule is the same for all grantees", "Is that rule applied to all grantees alike?"
    )


class Measure(Part):
    """One performance measure."""

    name: Text | None = say("the measure")
    topic: Text | None = say("what it is about")
    level: Literal["input", "output", "intermediate_outcome", "final_outcome"] | None = say("its level")
    data: Literal["quantitative", "qualitative"] | None = say("its data")
    first_measurable_month: Count | None = say("the month it can first be measured", unit="months")
    called_outcome: bool | None = say("whether the papers call it an outcome")


class Evaluation(Part):
    """An evaluation that providers or grantees must take part in."""

    required: bool | None = say(
        "whether an evaluation must be taken part in",
        "Must providers or grantees take part in an evaluation, besides their ordinary reports?",
    )
    fits_term: bool | None = say(
        "whether the evaluation fits the time",
        "If so: is what it sets out to find visible within the time that is funded?",
    )
    duplicates_other_work: bool | None = say(
        "whether the evaluation repeats other work",
        "If so: does it ask for what monitoring, or somebody else's learning events, ask for as well?",
    )


class Outcomes(Part):
    """What is measured."""

    measures: Listed[Measure] | None = say(
        "the performance measures", "What is measured, at which level, and from which month on? ([] = nothing)"
    )
    number_of_measures: Count | None = say(
        "the number of measures to report on",
        "On how many measures must one provider or grantee report?",
        "measures",
    )
    no_measures_reason: TextOrNone | None = say(
        "the reason for having no measures", "If nothing is measured: why? (none = no reason recorded)"
    )
    delivery_flexibility: bool | None = say(
        "whether the provider may choose the method",
        "May the provider choose how to reach the outcomes (apart from what safety or the law demands)?",
    )
    variation_process: bool | None = say(
        "whether there is a light way to vary the service",
        "Is there a short agreed way to change the service when needs change, besides the general clause on changes?",
    )
    yearly_review: bool | None = say(
        "whether the service is looked at anew each year",
        "Do commissioner and provider look at least once a year at whether the service should change?",
    )
    innovation_invited: bool | None = say(
        "whether new approaches are invited", "Do the papers invite approaches that are new?"
    )
    agreed_before_start: bool | None = say(
        "whether the measures are agreed before the start", "Are the measures agreed before the work starts?"
    )
    collection_agreed: bool | None = say(
        "whether it is settled how the data are collected",
        "Is it settled by then who records what, and with which tool?",
    )
    collection_support: bool | None = say(
        "whether there is help with collecting data", "Is there training or help with collecting the data?"
    )
    evaluation: Evaluation | None = say("the evaluation")


class Payment(Part):
    """How the provider is paid."""

    days: Count | None = say(
        "the payment term", "Within how many days of a valid invoice is the provider paid?", "days"
    )
    pbr: bool | None = say("whether payment depends on results", "Does any payment depend on results?")
    pbr_share: Ratio | None = say(
        "the share of payment at risk", "Which share of the yearly payment depends on results?"
    )
    referrals_controlled_by: Literal["provider", "commissioner", "third_party"] | None = say(
        "who controls referrals", "Who decides how many people come to the service?"
    )
    volume_guarantee: bool | None = say(
        "whether a minimum volume is guaranteed",
        "Is a smallest number of referrals guaranteed, or a fee paid whatever their number?",
    )
    withdrawal_possible: bool | None = say(
        "whether others can take clients out of the service",
        "Can somebody else take clients out of the service before the result is reached?",
    )
    withdrawal_protection: bool | None = say(
        "whether pay is protected when clients are moved elsewhere",
        "If so: is the provider paid for what it has done for them?",
    )
    hard_to_help_safeguard: bool | None = say(
        "whether people who are harder to help are safeguarded",
        "Does something keep providers from passing over people who are harder to help (pay by group, a minimum "
        "service, no rejection)?",
    )
    workforce_effect_considered: bool | None = say(
        "whether the effect on staff was considered",
        "Was it looked at what payment by results does to the security and continuity of staff?",
    )
    max_wait_days: Count | None = say(
        "the longest wait for payment",
        "How many days can lie between work and its payment? (Quarterly in arrears: about 92, plus the days to pay)",
        "days",
    )
    advance_available: bool | None = say(
        "whether an advance is offered", "Is an advance offered, or part of the money paid ahead?"
    )


class Provider(Part):
    """The provider."""

    annual_income: Money | None = say(
        "the provider's yearly income", "What is the provider's yearly income?", "per year"
    )


class PerformanceTrigger(Part):
    """A missed target that allows the contract to be ended."""

    measure: Text | None = say("the measure")
    target: Text | None = say("the target")
    within_provider_control: bool | None = say("whether it is within the provider's control")


class Termination(Part):
    """How the contract can end."""

    notice_days: Count | None = say("the ordinary notice", "How many days' notice does the contract give?", "days")
    exit_plan_required: bool | None = say("whether an exit plan is required", "Does the contract require an exit plan?")
    performance_triggers: Listed[PerformanceTrigger] | None = say("the missed targets that allow ending")
    performance_notice_days: Count | None = say("the notice on missed targets", unit="days")
    improvement_period_days: Count | None = say("the time to improve", unit="days")
    published_reasons: Listed[Text] | None = say("the reasons for ending as published")


class ContractTerms(Part):
    """Other terms of the contract."""

    restricts_advocacy: bool | None = say(
        "whether a term limits comment or advocacy",
        "Does a term limit what the provider may say about services or argue for? (Confidentiality of users' data and "
        "limits on what the money itself may be spent on don't count.)",
    )
    concerns_protected: bool | None = say(
        "whether raising concerns is protected",
        "Does a term say that raising concerns in good faith won't count against the provider?",
    )
    reports_per_year: Amount | None = say(
        "the number of reports a year", "How many monitoring reports a year must the provider send?", "per year"
    )
    performance_terms: Text | None = say("the performance terms as published")
    financial_terms: Text | None = say("the financial terms as published")
    social_standards: Text | None = say("the social standards as published")
    rewards_and_penalties: Text | None = say("the rewards and penalties as published")
    electronic_invoicing: bool | None = say("whether electronic invoices are accepted")
    electronic_payment: bool | None = say("whether payment is electronic")
    changes: Listed[Text] | None = say("the changes to the contract as published")


class Reintegration(Part):
    """What the service's social value holds for ex-offenders, one by one."""

    jobs: bool | None = say("whether ex-offenders are employed")
    volunteering: bool | None = say("whether ex-offenders can volunteer")
    stigma: bool | None = say("whether stigma is tackled")


class SocialValue(Part):
    """Social value."""

    considered_pre_procurement: bool | None = say(
        "whether social value was considered before procurement",
        "Was it considered, before procurement began, what the service can do for the area beyond its purpose?",
    )
    consultation_considered: bool | None = say(
        "whether consulting on it was considered", "Was it considered whether to consult on that?"
    )
    monitored: bool | None = say(
        "whether social value is monitored", "Does the contract, or its draft, say how social value is monitored?"
    )
    reintegration: Reintegration | None = say("what social value holds for ex-offenders")
    community_benefits_stated: bool | None = say(
        "whether the notice sums up the community benefits", "Does the contract notice sum up the community benefits?"
    )
    no_community_benefits_reason: TextOrNone | None = say(
        "the reason for asking no community benefits", "If it asks none: why? (none = no reason given)"
    )


class SectorInvolvement(Part):
    """Voluntary organisations in one phase."""

    involved: bool | None = say("whether voluntary organisations were involved")
    first_date: Date | None = say("when they were first involved")
    planned_for: Date | None = say("when they will be involved")
    small_organisations: bool | None = say("whether small organisations took part")
    non_providers: bool | None = say("whether organisations that would not bid took part")


class SectorPhases(Part):
    """Voluntary organisations, phase by phase."""

    needs_assessment: SectorInvolvement | None = say("voluntary organisations in needs assessment")
    service_design: SectorInvolvement | None = say("voluntary organisations in service design")
    market_development: SectorInvolvement | None = say("voluntary organisations in market development")
    procurement: SectorInvolvement | None = say("voluntary organisations in procurement")
    delivery: SectorInvolvement | None = say("voluntary organisations in delivery")
    review_decommissioning: SectorInvolvement | None = say("voluntary organisations in review and decommissioning")


class VoluntarySector(Part):
    """The voluntary and community sector, and how it is heard."""

    phases: SectorPhases | None = say("voluntary organisations in each phase")
    kept_out_as_bidders: bool | None = say(
        "whether possible bidders were kept out of the design",
        "Were organisations kept out of needs assessment or design because they might bid?",
    )
    conflict_safeguards: bool | None = say(
        "whether conflicts of interest are handled in the open",
        "Are conflicts of interest handled in the open (contributions recorded, the same information for all)?",
    )
    in_strategic_needs_assessment: bool | None = say(
        "whether voluntary organisations contributed to the strategic needs assessment",
        "Did voluntary organisations contribute to the area's strategic needs assessment (health, community safety, "
        "police and crime plan)?",
    )
    response_published: bool | None = say(
        "whether the answer to the consultation is published",
        "Can those who were consulted read what was changed, what was not, and why?",
    )
    draft_consulted: bool | None = say(
        "whether the draft papers were consulted on",
        "Could voluntary organisations comment on a draft of the specification or contract?",
    )
    draft_response_published: bool | None = say(
        "whether the answer on the draft is published", "Is there a published answer to those comments?"
    )
    issue_contact_named: bool | None = say(
        "whether a contact for problems is named",
        "Do voluntary organisations know whom at the commissioner to tell when the service goes wrong?",
    )
    issue_contact_covers_subcontracts: bool | None = say(
        "whether that contact also covers subcontracted work",
        "May they also bring to that contact what goes wrong in work that the provider has passed on?",
    )


class Design(Part):
    """Needs assessment and design of the service."""

    needs_assessment_done: bool | None = say("whether a needs assessment was done", "Has a needs assessment been done?")
    resources_allocated: bool | None = say(
        "whether needs assessment and design have staff and money",
        "Were staff and money set aside for needs assessment and design?",
    )
    model_left_to_bidders: bool | None = say(
        "whether bidders must design the model", "Must bidders design how the service works?"
    )
    model_left_reason: Literal["deliberate_innovation", "capacity_shortage", "other", "none"] | None = say(
        "why the model is left to bidders",
        "If they must: to leave room for new ideas, for want of time or staff, for another recorded reason, or none?",
    )


class Joint(Part):
    """Work with other commissioners."""

    approach: (
        Literal["none", "rejected_with_reasons", "aligned_outcomes", "pooled_budget", "joint_commissioning"] | None
    ) = say(
        "how other commissioners take part",
        "How do other commissioners of services for the same people take part? (none = not asked)",
    )
    needs_assessment_shared: bool | None = say(
        "whether the needs assessment is shared",
        "Was the needs assessment done with, or drawn from, those of other departments and agencies?",
    )
    budget_holder_agreed: bool | None = say(
        "whether it is agreed who pays", "Is it agreed whose budget pays for which part of the service?"
    )
    common_provider: bool | None = say(
        "whether other agencies have contracts with the provider",
        "Do other public bodies have contracts with this provider for services to the same people?",
    )
    joint_contract_management: bool | None = say(
        "whether contracts with the provider are managed together",
        "Do they and you coordinate monitoring and reviews of that provider?",
    )


class Governance(Part):
    """The group that steers a grant programme."""

    vcs_seats: Count | None = say(
        "the voluntary sector's seats on the steering group",
        "How many seats do voluntary organisations have on the group that steers the programme?",
        "seats",
    )
    vcs_seats_paid: bool | None = say(
        "whether the sector's part in steering is paid", "Are their time and costs for it paid?"
    )
    written_terms: bool | None = say("whether the steering group has written terms", "Has the group written terms?")
    members_can_decide: bool | None = say(
        "whether members of the steering group may decide", "May its members decide for the bodies that sent them?"
    )
    senior_sponsor: bool | None = say(
        "whether somebody senior stands behind the steering group", "Does somebody senior stand behind the group?"
    )


class Referrals(Part):
    """How people come to the service."""

    by_other_staff: bool | None = say(
        "whether people are referred by staff of other bodies",
        "Does the service depend on staff of public bodies (prison, probation, police) sending people to it?",
    )
    route_agreed: bool | None = say(
        "whether the referral route is agreed", "Is it agreed with them who refers whom, how and from when?"
    )
    target_group_clear: bool | None = say(
        "whether it is clear who the service is for",
        "Can those who refer, and the provider, tell which people the service is for?",
    )
    staff_briefed: bool | None = say(
        "whether front-line staff were briefed", "Were the front-line staff who refer told about the service?"
    )


class InformationSharing(Part):
    """The sharing of information about service users between public bodies and the provider."""

    needed: bool | None = say(
        "whether information about users is shared",
        "Must the provider and public bodies share information about individual users?",
    )
    agreed_on: DateOrNone | None = say(
        "the day the sharing of information was agreed",
        "When was an information-sharing agreement signed, or a contract with a data clause? (none = neither was)",
    )
    provider_bound: bool | None = say(
        "whether the provider is party to the agreement",
        "Is the provider a party to that agreement, or bound by a data clause in its contract?",
    )
    covers_service: bool | None = say(
        "whether the agreement covers this service", "Does it cover what this service shares, in both directions?"
    )
    consequences_stated: bool | None = say(
        "whether it is clear what shared information may lead to",
        "Does it say when information from the provider may lead to recall, breach or evidence in court, and are "
        "users told?",
    )


class ProviderDay(Part):
    """An event for possible bidders."""

    date: Date | None = say("the date of the provider day", "When was it, or will it be?")
    open_to_all: bool | None = say("whether it was open to all", "Could every voluntary organisation come?")


class Feedback(Part):
    """Who may have feedback on a bid, one by one."""

    successful_bidder: bool | None = say("whether the winner gets feedback")
    unsuccessful_bidders: bool | None = say("whether losing bidders get feedback")
    subcontractors: bool | None = say("whether named subcontractors get feedback")
    lead_must_pass_on: bool | None = say("whether the lead bidder must pass feedback on")


class DatesTold(Part):
    """The dates that bidders are told, one by one."""

    questions: bool | None = say("whether bidders know the last day for questions")
    bids: bool | None = say("whether bidders know when bids are due")
    award: bool | None = say("whether bidders know when the award is decided")
    start: bool | None = say("whether bidders know when the service starts")


class Information(Part):
    """What the market is told."""

    provider_days: Listed[ProviderDay] | None = say("the provider days", "Which provider days were held? ([] = none)")
    contact_list_shared_on: DateOrNone | None = say(
        "the day the list of interested organisations was shared",
        "When was the list of interested organisations shared with them all? (none = it was not)",
    )
    contact_named: bool | None = say("whether a contact is named", "Is there a contact for bidders' questions?")
    questions_answered: bool | None = say(
        "whether bidders' questions are answered", "Are questions answered, and the answers given to all bidders?"
    )
    dates_told: DatesTold | None = say("the dates that bidders are told")
    service_figures_shared: bool | None = say(
        "whether all bidders get the figures of the running service",
        "Do all bidders get what the current provider knows: how many people use it, for how long, at what cost?",
    )
    told_sector_networks: bool | None = say(
        "whether networks of voluntary organisations were told",
        "Was it made known through a network or support body of voluntary organisations, besides the portal?",
    )
    plain_language_checked: bool | None = say(
        "whether the papers were checked for plain language",
        "Has somebody from outside the team read the papers for plain words and explained terms?",
    )
    feedback_to: Feedback | None = say("who may have feedback")
    feedback_by_criterion: bool | None = say(
        "whether feedback is given by criterion", "Does feedback give scores and reasons for each criterion?"
    )
    reasons_published: bool | None = say(
        "whether reasons for decisions are published",
        "Are the reasons for its decisions (on the route, on the award) open to all who might provide the service?",
    )
    staff_information_given: bool | None = say(
        "whether bidders get the staff information",
        "Do bidders get the staff information (without names) that a transfer turns on?",
    )
    documents: Listed[Text] | None = say("the kinds of papers published", "Documents with the notice, by kind.")


class Told(Part):
    """Whether one audience was told clearly about the re-tendering or the ending."""

    told: bool | None = say("whether they were told")
    planned_for: Date | None = say("when they will be told")
    not_appropriate_reason: TextOrNone | None = say(
        "why telling them is not appropriate", "For example: a refuge at a secret address (none = no reason recorded)"
    )


class Informed(Part):
    """Who is told about the re-tendering or the ending, audience by audience."""

    providers: Told | None = say("what providers were told")
    service_users: Told | None = say("what service users were told")
    communities: Told | None = say("what communities were told")
    referrers: Told | None = say("what those who refer people to the service were told")
    bidders: Told | None = say("what bidders were told")


class ExitPlanCovers(Part):
    """What the plan for the ending covers, point by point."""

    owner: bool | None = say("whether the exit plan names who answers for each step")
    what_continues: bool | None = say("whether the exit plan says what goes on, and with whom")
    monitoring: bool | None = say("whether the exit plan says who goes on monitoring")
    learning: bool | None = say("whether the exit plan says how what was learnt is passed on")
    communication: bool | None = say("whether the exit plan says who is told what")


class NoticeChannels(Part):
    """How the provider was told, channel by channel."""

    letter: bool | None = say("whether it was told by letter")
    email: bool | None = say("whether it was told by e-mail")
    phone: bool | None = say("whether it was told by telephone")
    video_call: bool | None = say("whether it was told by video call")
    meeting: bool | None = say("whether it was told at a meeting")


class ImpactAssessed(Part):
    """Whose lot was looked at before ending the service, one by one."""

    service_users: bool | None = say("whether the effect on service users was assessed")
    provider: bool | None = say("whether the effect on the provider was assessed")
    staff: bool | None = say("whether the effect on staff was assessed")
    equality_groups: bool | None = say("whether the effect on equality groups was assessed")
    referral_pathways: bool | None = say("whether the effect on referral pathways was assessed")
    other_agencies: bool | None = say("whether the effect on other public bodies was assessed")
    market: bool | None = say("whether the effect on the market was assessed")


class Decommissioning(Part):
    """The ending of a service."""

    ended_by: Literal["commissioner", "provider", "expiry", "insolvency"] | None = say(
        "who or what ends the service",
        "Who ends the service: the commissioner, the provider, the contract's own end, insolvency?",
    )
    consulted: bool | None = say(
        "whether those concerned were consulted before the decision",
        "Were taxpayers, the people who use it and others concerned consulted before it was decided?",
    )
    urgent_reason: Literal["safeguarding", "fraud", "setting_closed", "law", "none"] | None = say(
        "the urgent reason",
        "Is there an urgent reason (safeguarding, fraud, the setting closes, a change of law), or none?",
    )
    same_provider: bool | None = say(
        "whether the same provider carries on", "Does the same provider carry on under the next contract?"
    )
    decision_date: Date | None = say(
        "the date of the decision to end it", "When was it decided to end (or not renew) it?"
    )
    notice_date: DateOrNone | None = say(
        "the date of the written notice", "When was the provider told in writing? (none = it was not)"
    )
    end_date: Date | None = say("the last day of the service", "What is the last day of the service?")
    contract_end_date: Date | None = say("the last day of the contract", "When would the contract have ended?")
    early_end_reason: (
        Literal[
            "agreed",
            "need_ended",
            "funding_ended",
            "poor_performance",
            "safeguarding",
            "law",
            "provider_request",
            "other",
            "none",
        ]
        | None
    ) = say("the reason for ending early", "If it ends before the contract does: why? (none = no reason recorded)")
    notice_channels: NoticeChannels | None = say("how the provider was told")
    exit_plan_date: DateOrNone | None = say(
        "the date of the exit plan", "When was the plan for the ending agreed? (none = there is none)"
    )
    exit_plan_covers: ExitPlanCovers | None = say("what the exit plan covers")
    informed: Informed | None = say("who is told")
    current_users: Count | None = say("the number of current users", "How many people use it now?", "people")
    support_runs_past_end: bool | None = say(
        "whether anybody's support would run past the end",
        "Would anybody's support run past the last day? (false for drop-in and short courses)",
    )
    user_transition_plan: bool | None = say(
        "whether there is a plan for current users", "Is there a plan for each current user?"
    )
    users_informed_date: DateOrNone | None = say(
        "the date users were told", "When were the users told? (none = they were not)"
    )
    replacement_service: bool | None = say("whether another service takes over", "Does another service take over?")
    onward_route: bool | None = say(
        "whether users have somewhere to go",
        "Where nothing takes over: is a service named, and asked, to which its users can go?",
    )
    replacement_start: Date | None = say("the first day of the next service", "When does the next service start?")
    handover_start: DateOrNone | None = say("the start of the handover", "First day of handover (none = no handover)")
    handover_end: DateOrNone | None = say("the end of the handover", "Last day of handover (none = no handover)")
    staff_affected: Count | None = say("the number of staff affected", "How many people's jobs are affected?", "people")
    staff_information_shared: bool | None = say(
        "whether staff information was asked for and shared",
        "Was the staff information needed for a transfer asked for, and shared with the next provider?",
    )
    tupe_assessed: bool | None = say(
        "whether staff transfer (TUPE) was looked at", "Has the question of staff transfer (TUPE) been looked at?"
    )
    tupe_applies: bool | None = say("whether TUPE applies", "Do the TUPE rules apply?")
    staff_transfer_plan: bool | None = say(
        "whether there is a staff transfer plan", "Is there a plan for the transfer?"
    )
    reasons: (
        Listed[
            Literal[
                "need_met",
                "need_changed",
                "not_meeting_need",
                "cost_saving",
                "funding_ended",
                "provider_left",
                "safeguarding",
                "law",
                "policy_default",
            ]
        ]
        | None
    ) = say("the reasons for ending", "Why does it end? ([] = no reason recorded)")
    review_evidence: bool | None = say("whether a review supports the reason", "Does a review support that reason?")
    reasons_shared: bool | None = say(
        "whether the provider was given the reasons", "Was the provider given the grounds for the decision?"
    )
    decision_process_published: bool | None = say(
        "whether it is open how the decision was reached", "Is it published how the decision was reached?"
    )
    query_route: bool | None = say(
        "whether the decision can be questioned", "Is it said whom the provider can question about it?"
    )
    query_deadline: Date | None = say("the last day for questioning it", "By when?")
    impact_assessed: ImpactAssessed | None = say("whose lot was assessed")
    specialist_service: bool | None = say(
        "whether it serves an equality or marginalised group", "Does it serve an equality or marginalised group?"
    )


class Notice(Part):
    """The published notice, where the description comes from one."""

    ocid: Text | None = say("the open contracting id")
    release: Text | None = say("the notice's number")
    date: Date | None = say("the date of the notice")
    publisher: Text | None = say("the publisher")
    types: Listed[Text] | None = say("the notice types")
    tags: Listed[Text] | None = say("the release tags")
    earlier: Listed[Text] | None = say("the earlier notices it refers to")


class Evidence(Part):
    """A document that shows a statement of the description to be true."""

    pointer: Text = Field(title="the statement", description="JSON pointer of the field or section that is evidenced.")
    document: Text = Field(title="the document", description="Name of the document that shows it.")
    page: Text | None = say("the page")
    url: Text | None = say("the web address")
    date: Date | None = say("the date of the document")


class Description(Part):
    """One tender, contract, decommissioning plan or grant programme."""

    kind: Kind = Field(title="the kind of document", description="What is described?")
    stage: Stage | None = say("the stage it has reached", "How far has it come?")
    id: Text | None = say("the identifier")
    case: Text | None = say("the case", "Documents with the same case describe one service.")
    title: Text | None = say("the title")
    summary: Text | None = say("the short description")
    as_at: Date | None = say("the day the statements were true", "On which day were these statements true?")
    commissioner: Commissioner | None = say("the commissioning body")
    service: Service | None = say("the service and its users")
    design: Design | None = say("needs assessment and design")
    users: Users | None = say("involvement of service users")
    vcs: VoluntarySector | None = say("involvement of voluntary organisations")
    joint: Joint | None = say("work with other commissioners")
    governance: Governance | None = say("the steering group of a grant programme")
    referrals: Referrals | None = say("referrals to the service")
    data_sharing: InformationSharing | None = say("information about service users that is shared")
    equality: Equality | None = say("equality")
    social_value: SocialValue | None = say("social value")
    market: Market | None = say("the market")
    aggregation: Aggregation | None = say("merging of contracts")
    collaboration: Collaboration | None = say("work between providers")
    funding: Funding | None = say("the form of funding")
    programme: Programme | None = say("the grant programme")
    value: Value | None = say("the value")
    term: Term | None = say("the term")
    lots: Lots | None = say("the lots")
    process: Process | None = say("the procurement process")
    retender: Retender | None = say("the re-tendering")
    requirements: Requirements | None = say("the demands on bidders")
    timeline: Timeline | None = say("the dates")
    information: Information | None = say("information to the market")
    award: Award | None = say("the award")
    subcontracting: Subcontracting | None = say("the supply chain")
    outcomes: Outcomes | None = say("the measures")
    payment: Payment | None = say("payment")
    provider: Provider | None = say("the provider")
    termination: Termination | None = say("termination")
    contract_terms: ContractTerms | None = say("other terms")
    decommissioning: Decommissioning | None = say("the ending of the service")
    notice: Notice | None = say("the published notice")
    evidence: Entries[Evidence] | None = say("the evidence", "Documents that show statements to be true.")
