"""What an OCDS notice states, put into the words of a description. Nothing is guessed: what is not clear stays unknown.

Kind and stage. All UK notices on an opportunity or its award describe a tender, also award notices that come without
the tender stage, because what they state is how the contract was awarded: ``kind`` is then ``tender``. Once a contract
is signed (contract details, performance, change or termination notices, or contracts that are active or signed), the
same process is read as a ``contract``, and its value and term are those of the contract. The stage is that of the
furthest notice: planning is draft, tender published, award awarded, contract and implementation live, termination
ended. A compiled release has no telling tags; there the sections and their notice types decide.

Where lots carry what the description asks of the whole (criteria, term, extension), it is stated only if all lots
agree. A month is a calendar month (the nearest, and at least one); a duration in days is months times 30, as UK
publishers write it.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from goodcommission.description.ocds.node import Node, Said, agreed, clean, distinct, listed, number, plain
from goodcommission.description.ocds.shapes import CONTRACTS_FINDER, Process, Release

PUBLISHERS = {
    CONTRACTS_FINDER: "Contracts Finder",
    "ocds-h6vhtk": "Find a Tender",
    "ocds-r6ebe6": "Public Contracts Scotland",
    "ocds-kuma6s": "Sell2Wales",
}
_LOCAL_TIMES = ("ocds-r6ebe6", "ocds-kuma6s")
_PROCUREMENT_LAW = {("UKPGA", "2023/54"), ("CELEX", "32014L0024"), ("CELEX", "32014L0025"), ("CELEX", "32014L0023")}
_LIVE_NOTICES = {"UK7", "UK8", "UK9", "UK10"}
_RESERVED = {
    "shelteredWorkshop": "sheltered_workshop",
    "publicServiceMissionOrganization": "public_service_mission",
    "smeVcse": "sme_vcse",
}
_NAMED_CRITERIA = {
    "social_value": r"(?:social value|community benefits?|added social value)\b.*",
    "supply_chain": r"supply[ -]chain\b.*",
    "track_record": r"(?:bidder |relevant |previous |past |company )*(?:experience|track record)",
    "equality": r"equalit(?:y|ies)\b.*",
    "innovation": r"innovation",
}
_STANDING_DAYS = 365
_SUSPICIOUSLY_SMALL = 1000


def read_facts(process: Process) -> tuple[dict[str, Any], dict[str, str], tuple[str, ...]]:
    """The raw description of one process, the place of each of its values, and remarks on the reading."""
    facts = _Facts(process)
    facts.read()
    places: dict[str, str] = {}
    return _split(facts.said, "", places), places, tuple(dict.fromkeys(facts.notes))


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


class _Facts:
    """The description of one process while it is being filled in."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.ocid: str = process.ocid.value
        self.root = Node(process.tree, self.ocid.startswith(_LOCAL_TIMES))
        self.tender = self.root.get("tender")
        self.lots = self.tender.get("lots").records()
        self.awards = [one for one in self.root.get("awards").records() if _is_award(one)]
        self.contracts = self.root.get("contracts").records()
        self.parties = self.root.get("parties").records()
        self.notes = list(process.notes)
        self.tags = {tag for release in process.releases for tag in release.tags} - {"compiled"}
        self.documents = [
            document
            for section in ([self.root.get("planning"), self.tender, *self.awards, *self.contracts])
            for document in (*section.get("documents").records(), *section.get("implementation", "documents").records())
        ]
        self.types = distinct(document.get("noticeType").code() for document in self.documents)
        self.codes = {said.value.upper() for said in self.types}
        self.stage, self.stage_pointer = self._stage()
        self.kind = "contract" if self.stage in ("live", "ended") else "tender"
        self.said: dict[str, Any] = {}

    def put(self, path: str, said: Said | None) -> None:
        """State a fact, once: what was stated first has precedence."""
        if said is None:
            return
        *sections, name = path.split(".")
        part = self.said
        for section in sections:
            part = part.setdefault(section, {})
        part.setdefault(name, said)

    def known(self, path: str) -> Any:
        part: Any = self.said
        for name in path.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        return plain(part)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def read(self) -> None:
        self.put("kind", Said(self.kind, self.stage_pointer))
        if self.stage:
            self.put("stage", Said(self.stage, self.stage_pointer))
        self._identity()
        self._money()
        self._lots()
        self._process()
        self._timeline()
        self._term()
        self._requirements()
        self._market()
        self._criteria()
        self._awards()
        self._contract()

    # Identity and stage

    def _stage(self) -> tuple[str | None, str]:
        newest = self.process.releases[-1]
        place = next((f"{one.pointer}/tag" for one in reversed(self.process.releases) if one.tags), newest.pointer)
        tags = self.tags
        statuses = {one.get("status").raw for one in self.contracts if isinstance(one.get("status").raw, str)}
        if "contractTermination" in tags or "UK11" in self.codes or statuses == {"terminated"}:
            return "ended", place
        signed = "active" in statuses or any(one.get("dateSigned").date() for one in self.contracts)
        intended = statuses == {"pending"} or (bool(self.codes & {"UK5", "UK6"}) and not signed)
        if (
            self.codes & _LIVE_NOTICES
            or tags & {"contractAmendment", "implementation", "implementationUpdate"}
            or (self.contracts and signed)
            or (tags & {"contract", "contractUpdate"} and not intended)
        ):
            return "live", place
        if self.awards or tags & {"award", "awardUpdate"}:
            pending = all(one.get("status").raw == "pending" for one in self.awards)
            return ("published" if pending and "UK5" in self.codes else "awarded"), place
        if tags & {"tender", "tenderUpdate", "tenderAmendment", "tenderCancellation"} or self.codes & {"UK4", "UK12"}:
            return "published", place
        if tags & {"planning", "planningUpdate"} or self.tender.get("status").raw in ("planning", "planned"):
            return "draft", place
        if self.tender:
            return "published", place
        return ("draft" if self.root.get("planning") else None), place

    def _identity(self) -> None:
        ocid = Node(self.process.ocid).code()
        newest = self.process.releases[-1]
        publisher = next((name for prefix, name in PUBLISHERS.items() if self.ocid.startswith(prefix)), None)
        self.put("id", ocid)
        self.put("notice.ocid", ocid)
        self.put("notice.release", Node(newest.id).code())
        date = self._date_of(newest)
        self.put("as_at", date)
        self.put("notice.date", date)
        if publisher:
            self.put("notice.publisher", Said(publisher, self.process.ocid.pointer))
        elif self.process.publisher:
            self.put("notice.publisher", Node(self.process.publisher).text())
        self.put("notice.types", listed(self.types, False))
        tags = [Node(leaf).code() for release in self.process.releases for leaf in release.tag_leaves]
        self.put("notice.tags", listed(distinct(tags), False))
        earlier = [
            related.get("identifier").code()
            for related in self.root.get("relatedProcesses").records()
            if "planning" in _words(related.get("relationship")) or "prior" in _words(related.get("relationship"))
        ]
        self.put("notice.earlier", listed(distinct(earlier), False))
        self.put("title", self.tender.get("title").text() or self.root.get("title").text())
        self.put("summary", self.tender.get("description").text())
        buyer = self._party(self.root.get("buyer"))
        named = self.root.get("buyer", "name").text() or buyer.get("name").text()
        if named is None:
            buyers = [party for party in self.parties if "buyer" in _words(party.get("roles"))]
            buyer = buyers[0] if len(buyers) == 1 else Node(None)
            named = buyer.get("name").text()
        self.put("commissioner.name", named)
        kinds = [
            one.get("id").text() or one.get("description").text()
            for one in buyer.get("details", "classifications").records()
            if one.get("scheme").raw in ("UK_CA_TYPE", "TED_CA_TYPE")
        ]
        self.put("commissioner.types", listed(distinct(kinds), False))
        self._subject()

    def _subject(self) -> None:
        items = self.tender.get("items").records() or [
            item for award in (*self.awards, *self.contracts) for item in award.get("items").records()
        ]
        sources = [self.tender, *items]
        codes = [
            code.get("id").code()
            for source in sources
            for code in (source.get("classification"), *source.get("additionalClassifications").records())
            if code.get("scheme").raw == "CPV"
        ]
        self.put("service.classification", listed(distinct(codes), False))
        subject = self.tender.get("classification", "id")
        if subject.code() is not None and not any(one.value.startswith("85") for one in codes if one is not None):
            # Health and social services are division 85; which of those are health care, the codes do not tell.
            self.put("service.health_care", subject.said(False))
        addresses = [address for item in items for address in item.get("deliveryAddresses").records()]
        addresses += self.tender.get("deliveryAddresses").records()
        places = [address.get("region").text() or address.get("countryName").text() for address in addresses]
        self.put("service.places", listed(distinct(places), False))

    def _party(self, reference: Node) -> Node:
        """The party that is referred to, by its id or else by its name."""
        for name in ("id", "name"):
            wanted = reference.get(name).raw
            found = [party for party in self.parties if wanted is not None and party.get(name).raw == wanted]
            if found:
                return found[0]
        return Node(None)

    # Value and lots

    def _money(self) -> None:
        total = self.tender.get("value").money()
        shares = [one for one in self.lots if one.get("status").raw not in ("cancelled", "withdrawn")]
        if self.kind == "contract":
            self.put("value.total", self._sum([one.get("value") for one in self.contracts], self.root.get("contracts")))
            gross = [one.get("value") for one in self.contracts]
            self.put("value.total_including_vat", gross[0].gross() if len(gross) == 1 else None)
            self.put("value.total", self._sum([one.get("value") for one in self.awards], self.root.get("awards")))
        self.put("value.total", total)
        self.put("value.total_including_vat", self.tender.get("value").gross())
        if total is None and not self.tender.get("value", "amount"):
            self.put("value.total", self._sum([lot.get("value") for lot in shares], self.tender.get("lots")))
            if len(shares) == 1:
                self.put("value.total_including_vat", shares[0].get("value").gross())
        self.put("value.minimum", self.tender.get("minValue").money())
        awarded = self._sum([award.get("value") for award in self.awards], self.root.get("awards"))
        self.put("award.value", awarded)
        if self.tender.get("value", "amount").raw is None:
            self.put("value.total", awarded)
        self._budget()
        self._doubt_money(shares)

    def _sum(self, values: list[Node], whole: Node) -> Said | None:
        """The sum, if each has a value and all have one currency; the value itself where there is only one."""
        amounts = [value.money() for value in values]
        if len(amounts) == 1:
            return amounts[0]
        stated = [one.value for one in amounts if one is not None]
        if not stated or len(stated) < len(amounts) or len({one["currency"].value for one in stated}) > 1:
            return None
        place = whole.pointer
        amount = sum((one["amount"].value for one in stated), Decimal(0))
        return Said({"amount": Said(amount, place), "currency": Said(stated[0]["currency"].value, place)}, place)

    def _budget(self) -> None:
        budget = self.root.get("planning", "budget")
        self.put("value.budget", budget.get("amount").money())
        parts = budget.get("budgetBreakdown")
        self.put("value.budget", self._sum([part.get("amount") for part in parts.records()], parts))

    def _doubt_money(self, lots: list[Node]) -> None:
        """Remarks on amounts that are not what they seem."""
        where = [("The notice's value", self.tender.get("value")), ("The lower end", self.tender.get("minValue"))]
        where += [(f"The value of lot {_label(lot)}", lot.get("value")) for lot in self.lots]
        where += [("The awarded value", award.get("value")) for award in self.awards]
        where += [("The contract's value", contract.get("value")) for contract in self.contracts]
        for name, value in where:
            raw, money = value.get("amount").raw, value.money()
            if money is None:
                if isinstance(raw, int | float | Decimal) and not isinstance(raw, bool):
                    self.note(f"{name} of {_short(raw)} was taken as not stated.")
                continue
            amount, currency = money.value["amount"].value, money.value["currency"].value
            if amount < _SUSPICIOUSLY_SMALL:
                self.note(f"{name} of {_short(amount)} {currency} may be a rate for a unit or a day.")
            gross = value.gross()
            if gross is not None and gross.value["amount"].value > 2 * amount:
                self.note(f"{name} including VAT is more than twice the one without; one of them may be wrong.")
            if currency != "GBP":
                self.note(f"{name} is in {currency}; a UK publisher may have picked the wrong currency from the list.")
        stated = {money.value["currency"].value for _, value in where if (money := value.money()) is not None}
        if len(stated) > 1:
            self.note(
                f"The notice gives amounts in different currencies ({', '.join(sorted(stated))}); none was converted."
            )
        total, parts = (
            self.tender.get("value").money(),
            self._sum([lot.get("value") for lot in lots], self.tender.get("lots")),
        )
        if total and parts and len(lots) > 1 and plain(total) != plain(parts):
            self.note("The values of the lots do not add up to the notice's value.")

    def _lots(self) -> None:
        lots, whole = self.lots, self.tender.get("lots")
        details = self.tender.get("lotDetails")
        noticed = any(one.get("documentType").raw == "tenderNotice" for one in self.tender.get("documents").records())
        called = {"tender", "tenderUpdate", "tenderAmendment"} & self.tags or "UK4" in self.codes or noticed
        # The single lot of a planning or award notice is a wrapper, or merely the lot that is awarded.
        if lots and (
            called or (not self.tags and self.stage == "published") or (self.stage == "draft" and len(lots) > 1)
        ):
            self.put("lots.count", Said(len(lots), whole.pointer))
        self.put("lots.reasons_not_split", details.get("noLotsDivisionRationale").reason())
        for name, path in (
            ("maximumLotsBidPerSupplier", "lots.maximum_per_bidder"),
            ("maximumLotsAwardedPerSupplier", "lots.maximum_per_supplier"),
        ):
            limit = details.get(name)
            if limit.unlimited() and len(lots) > 1 and self.known("lots.count"):
                self.put(path, limit.said(len(lots)))  # no limit: all of them
            elif (count := limit.count()) is not None and count.value:
                self.put(path, count)
        if len(lots) < 2:
            return
        self.put(
            "lots.items",
            listed(
                [
                    Said(
                        {
                            "id": _label_said(lot.get("id")),
                            "title": lot.get("title").text(),
                            "value": lot.get("value").money(),
                            "months": self._period(lot.get("contractPeriod")).get("months"),
                        },
                        lot.pointer,
                    )
                    for lot in lots
                ],
                bool(self.known("lots.count")),
                whole.pointer,
            ),
        )
        values = [lot.get("value").money() for lot in lots]
        stated = [value for value in values if value is not None]
        if (
            self.known("lots.count")
            and len(stated) == len(lots)
            and len({one.value["currency"].value for one in stated}) == 1
        ):
            self.put("lots.smallest_value", min(stated, key=lambda one: one.value["amount"].value))

    # Procedure

    def _route(self) -> Said | None:
        """The route, where the procedure's code and the publisher's words for it leave no doubt."""
        code, words = self.tender.get("procurementMethod"), self.tender.get("procurementMethodDetails")
        method = code.raw if isinstance(code.raw, str) else None
        details = (clean(words.raw) or "").casefold()
        direct = bool(
            re.search(
                r"direct award|single tender|without (?:prior publication|prior call|competition|a call)", details
            )
        )
        quotes = "quotation" in details or "limited competition" in details
        stages = re.search(
            r"restricted|competitive (?:flexible|procedure|dialogue)|negotiat|innovation partnership", details
        )
        calls_off = re.search(r"call[ -]?off|mini[ -]?competition|further competition", details)
        framework = (
            calls_off
            or re.search(r"\bframework\b", details)
            or any(
                "framework" in _words(related.get("relationship"))
                for related in self.root.get("relatedProcesses").records()
            )
        )
        opened = re.fullmatch(
            r"(?:other - |below threshold - )?open(?: procedure| competition| tender)?(?: \([^)]*\))?", details
        )
        if framework and not (method == "open" and opened):
            return words.said("framework_calloff") if calls_off and not direct and method != "open" else None
        if direct and not quotes:
            return words.said("direct_award") if method in (None, "direct", "limited") else None
        if quotes:
            return None
        if stages:
            return words.said("restricted_tender") if method in (None, "selective") else None
        if opened:
            return words.said("open_tender") if method in (None, "open") and not self._two_stages() else None
        if method == "open":
            return code.said("open_tender") if not self._two_stages() else None
        if method == "selective":
            return code.said("restricted_tender")
        return code.said("direct_award") if method == "direct" else None

    def _two_stages(self) -> bool:
        return any(stage.get("secondStage") for stage in (self.tender, *self.lots)) or bool(
            self.tender.get("expressionOfInterestDeadline")
        )

    def _process(self) -> None:
        tender, techniques = self.tender, self.tender.get("techniques")
        details = tender.get("procurementMethodDetails")
        words = (clean(details.raw) or "").casefold()
        route = self._route()
        self.put("process.route", route)
        if route is None and (words or tender.get("procurementMethod")):
            self.note(
                "The procedure as published is unspecific or contradicts itself; the route to the provider is unknown."
            )
        self.put("process.route_details", details.reason())
        agreement = techniques.get("frameworkAgreement")
        flags = [techniques.get("hasFrameworkAgreement").flag(), *self._of_lots("techniques", "hasFrameworkAgreement")]
        self.put("process.framework", next((flag for flag in flags if flag is not None), None) or agreement.said(True))
        most = agreement.get("maximumParticipants")
        self.put("process.framework_maximum", most.count())
        if most.unlimited():
            self.note("The framework takes any number of suppliers (a system's largest number was published).")
        self.put("process.framework_period_reason", agreement.get("periodRationale").reason())
        dynamic = techniques.get("hasDynamicPurchasingSystem").flag()
        self.put("process.dynamic", dynamic or techniques.get("dynamicPurchasingSystem").said(True))
        if self.codes & {"UK13", "UK14", "UK15", "UK16"} and not self.known("process.dynamic"):
            self.put("process.dynamic", Said(True, next(one.pointer for one in self.types)))
        again = [
            related
            for related in self.root.get("relatedProcesses").records()
            if _words(related.get("relationship")) & {"renewalProcess", "replacementProcess"}
        ]
        self.put("process.is_retender", again[0].get("relationship").said(True) if again else None)
        sizes = [node.get("aboveThreshold").flag() for node in (tender, *self.lots, *self.awards, *self.contracts)]
        size = agreed(flag for flag in sizes if flag is not None)
        if size is None and any(sizes):
            self.note("The stages of the notice disagree on whether the contract is above the threshold.")
        if size is None and not any(sizes) and re.search(r"(?:above|below) threshold", words):
            size = details.said("above threshold" in words)
        self.put("process.above_threshold", size)
        regimes = [regime for node in (tender, *self.lots) for regime in node.get("specialRegime").scalars()]
        light = next((regime for regime in regimes if regime.raw == "lightTouch"), None)
        if light is not None:
            self.put("process.light_touch", light.said(True))
        elif re.search(r"light[ -]touch", words):
            self.put("process.light_touch", details.said(True))
        basis = tender.get("legalBasis")
        scheme, number_ = clean(basis.get("scheme").raw), clean(basis.get("id").raw)
        if scheme and number_:
            self.put("process.legal_basis", Said(f"{scheme} {number_}", basis.pointer))
            if (scheme, number_) in _PROCUREMENT_LAW:
                # Procurement law governs contracts for pecuniary interest; a grant is none.
                self.put("funding.mechanism", Said("contract", basis.pointer))
        procedure = tender.get("procedure")
        self.put("process.accelerated", procedure.get("isAccelerated").flag())
        self.put("process.accelerated_reason", procedure.get("acceleratedRationale").reason())
        for name, path in (("sme", "process.suitable_for_sme"), ("vcse", "process.suitable_for_vcse")):
            self.put(path, tender.get("suitability", name).flag() or agreed(self._of_lots("suitability", name)))
        rationale = tender.get("procurementMethodRationale").reason()
        classes = tender.get("procurementMethodRationaleClassifications").records()
        self.put(
            "process.direct_award_reason", rationale or next((c.get("description").reason() for c in classes), None)
        )
        if tender.get("status").raw in ("cancelled", "unsuccessful", "withdrawn"):
            self.put("process.cancelled", tender.get("status").said(True))
        elif "tenderCancellation" in self.tags or "UK12" in self.codes:
            self.put("process.cancelled", Said(True, self.stage_pointer))
        self.put("process.recurrent", tender.get("hasRecurrence").flag())
        self.put("process.recurrence_terms", tender.get("recurrence", "description").reason())
        seconds = [lot.get("secondStage") for lot in self.lots] if self.lots else [tender.get("secondStage")]
        self.put("process.shortlist_minimum", agreed(second.get("minimumCandidates").count() for second in seconds))
        self.put("process.shortlist_maximum", agreed(second.get("maximumCandidates").count() for second in seconds))
        fees = [kind.text() for fee in tender.get("participationFees").records() for kind in fee.get("type").scalars()]
        self.put("process.participation_fees", listed(distinct(fees), False))
        self._submission()
        self.put("process.review_details", tender.get("reviewDetails").reason())
        self.put("process.covered_by", listed(distinct(one.text() for one in tender.get("coveredBy").scalars()), False))
        self.put("process.risks", tender.get("riskDetails").reason())
        kinds = [one.get("documentType").text() for one in self.documents if one.get("url") or one.get("noticeType")]
        self.put("information.documents", listed(distinct(kinds), False))

    def _submission(self) -> None:
        tender = self.tender
        terms, ways = tender.get("submissionTerms"), tender.get("submissionMethod")
        policy = terms.get("electronicSubmissionPolicy")
        if policy.raw in ("allowed", "required"):
            self.put("process.electronic_submission", policy.said(True))
        elif policy.raw == "notAllowed":
            self.note("Electronic submission is marked as not allowed, which publishers also pick for bids by e-mail.")
        named = {way.raw for way in ways.scalars() if isinstance(way.raw, str)}
        if named and not policy:
            self.put("process.electronic_submission", ways.said("electronicSubmission" in named))
        languages = [language.text() for language in terms.get("languages").scalars()]
        self.put("process.submission_languages", listed(distinct(languages), False))
        self.put("process.special_tool", tender.get("communication", "atypicalToolUrl").reason())

    def _of_lots(self, *keys: str) -> list[Said | None]:
        return [lot.get(*keys).flag() for lot in self.lots]

    # Time

    def _date_of(self, release: Release) -> Said | None:
        return Node(release.date, self.root.local).date() if release.date is not None else None

    def _published(self) -> Said | None:
        """When the opportunity was published: by its notice, else the tender section, else a tender release."""
        dates = [
            document.get("datePublished").date()
            for document in self.tender.get("documents").records()
            if document.get("documentType").raw == "tenderNotice"
        ]
        stated = [date for date in dates if date is not None]
        if stated:
            return min(stated, key=lambda date: str(date.value))
        section = self.tender.get("datePublished").date()
        if section is not None:
            return section
        releases = [self._date_of(release) for release in self.process.releases if "tender" in release.tags]
        return next((date for date in releases if date is not None), None)

    def _timeline(self) -> None:
        tender, planning = self.tender, self.root.get("planning")
        notices = [
            (one.get("documentType").raw, one.get("datePublished").date())
            for one in planning.get("documents").records()
        ]
        for kind, path in (
            ("plannedProcurementNotice", "timeline.intention_notice"),
            ("marketEngagementNotice", "market.engagement_date"),
            ("marketEngagementNotice", "market.engagement_notice"),
        ):
            dates = [date for name, date in notices if name == kind and date is not None]
            self.put(path, min(dates, key=lambda date: str(date.value)) if dates else None)
        ends = [
            milestone.get("dueDate").date()
            for milestone in planning.get("milestones").records()
            if milestone.get("type").raw == "engagement"
        ]
        known = [end for end in ends if end is not None]
        self.put("market.engagement_until", max(known, key=lambda end: str(end.value)) if known else None)
        self.put("market.no_engagement_reason", planning.get("noEngagementNoticeRationale").reason())
        self.put("market.no_notice_reason", planning.get("noEngagementNoticeRationale").reason())
        published = self._published() if self.stage != "draft" else None
        if self.known("process.route") == "framework_calloff":
            published = None  # the firms on the framework were invited directly, the notice came when it came
        if self.stage == "draft":
            planned = tender.get("communication", "futureNoticeDate").date()
            self.put("timeline.tender_published", planned)
            if planned is not None:
                self.note("The date of publication is the one that the planning notice expects.")
        self.put("timeline.tender_published", published)
        self.put("timeline.clarification_deadline", tender.get("enquiryPeriod", "endDate").date())
        self.put("timeline.shortlist_invited", tender.get("secondStage", "invitationDate").date())
        self.put("timeline.participation_deadline", tender.get("expressionOfInterestDeadline").date())
        self._deadline(published)
        if not self.awards:
            self.put("timeline.award_decision", tender.get("awardPeriod", "endDate").date())

    def _deadline(self, published: Said | None) -> None:
        """The deadline for bids, unless it is the one for asking to take part, or none at all."""
        deadline = self.tender.get("tenderPeriod", "endDate").date()
        if deadline is None:
            return
        two_stages = self.known("process.route") == "restricted_tender" or self._two_stages()
        decided = [date for date in (award.get("date").date() for award in self.awards) if date is not None]
        if self.known("process.dynamic") is True or (published and _days(published, deadline) > _STANDING_DAYS):
            self.note(f"The opportunity stands open until {deadline.value}; no deadline for bids was taken from that.")
        elif published and _days(published, deadline) < 0:
            self.note("The deadline lies before the day of publication; it was left out.")
        elif decided and any(str(date.value) < str(deadline.value) for date in decided):
            self.note("The deadline for bids lies after the award; it was left out.")
        elif not two_stages or self.known("timeline.participation_deadline"):
            self.put("timeline.bid_deadline", deadline)
        elif "UK4" in self.codes:
            self.note("It is not clear which of the two stages the published deadline is for; it was left out.")
        else:
            self.put("timeline.participation_deadline", deadline)
            self.note("The published deadline is the one for asking to take part; the one for bids is unknown.")

    def _period(self, node: Node) -> dict[str, Said]:
        """Length, first and last day and latest end of a period, as far as stated."""
        start, end, latest = (node.get(name).date() for name in ("startDate", "endDate", "maxExtentDate"))
        found: dict[str, Said] = {}
        if start and end and str(end.value) < str(start.value):
            self.note("A contract period ends before it starts; it was left out.")
            return found
        days = node.get("durationInDays").count()
        if start and end:
            months: Said | None = node.said(_months(str(start.value), str(end.value)))
        else:
            months = (
                node.get("durationInDays").said(days.value // 30)
                if days and days.value and days.value % 30 == 0
                else None
            )
        if months is not None and months.value >= 999:
            self.note(f"A term of {months.value} months was taken as not stated.")
            months = None
        elif months is not None:
            found["months"] = months
        if start:
            found["start"] = start
        if end and not (start and months is None):
            found["end"] = end
        if latest and (not end or str(latest.value) >= str(end.value)):
            found["latest"] = latest
        return found

    def _term(self) -> None:
        sources = [[self.tender.get("contractPeriod")], [lot.get("contractPeriod") for lot in self.lots]]
        later = [[one.get("period") for one in self.contracts], [one.get("contractPeriod") for one in self.awards]]
        sources = [*later, *sources] if self.kind == "contract" else [*sources, *reversed(later)]
        seen: list[tuple[str, str]] = []
        for nodes in sources:
            periods = [self._period(node) for node in nodes]
            shared = {
                name: agreed(period.get(name) for period in periods) for name in ("months", "start", "end", "latest")
            }
            start, end = shared["start"], shared["end"]
            if start and end:
                seen.append((str(start.value), str(end.value)))
            if self.known("term") or not any(shared.values()):
                continue
            self.put("term.months", shared["months"])
            self.put("term.start", start)
            self.put("term.end", end)
            self.put("term.latest_end", shared["latest"])
            if end and shared["latest"] and str(shared["latest"].value) > str(end.value):
                extra = _months(_next_day(str(end.value)), str(shared["latest"].value))
                self.put("term.extension_option", Said(True, shared["latest"].pointer))
                self.put("term.extension_months", Said(extra, shared["latest"].pointer))
        if len(set(seen)) > 1:
            self.note("Tender, award and contract state different terms.")
        whole = self.tender.get("hasRenewal").flag()
        self.put("term.extension_option", whole or agreed(self._of_lots("hasRenewal")))
        self.put("term.extension_terms", agreed(lot.get("renewal", "description").reason() for lot in self.lots))
        self.put("term.options", self.tender.get("hasOptions").flag() or agreed(self._of_lots("hasOptions")))
        self.put("term.options_terms", agreed(lot.get("options", "description").reason() for lot in self.lots))

    # Demands on bidders and judging of bids

    def _requirements(self) -> None:
        tender = self.tender
        criteria = tender.get("selectionCriteria").get("criteria").records()
        for kind, path in (
            ("economic", "requirements.financial_standing"),
            ("technical", "requirements.technical_ability"),
            ("suitability", "requirements.suitability"),
        ):
            own = [one for one in criteria if one.get("type").raw == kind]
            texts = [text for one in own for name in ("description", "minimum") if (text := one.get(name).reason())]
            if not texts:
                continue
            place = texts[0].pointer if len(texts) == 1 else tender.get("selectionCriteria", "criteria").pointer
            whole = " ".join(str(text.value) for text in texts)
            self.put(path, Said(whole, place))
            if kind == "economic":
                self._candidates(whole)
        reserved = [
            Said(_RESERVED[code.raw], code.pointer)
            for node in (tender, *self.lots)
            for code in node.get("otherRequirements", "reservedParticipation").scalars()
            if isinstance(code.raw, str) and code.raw in _RESERVED
        ]
        self.put("requirements.reserved_for", listed(distinct(reserved), False))
        self.put(
            "requirements.staff_names",
            tender.get("otherRequirements", "requiresStaffNamesAndQualifications").flag(),
        )
        variants = [lot.get("submissionTerms", "variantPolicy") for lot in self.lots] or [
            tender.get("submissionTerms", "variantPolicy")
        ]
        self.put(
            "requirements.variants_allowed",
            agreed(
                one.said({"allowed": True, "required": True, "notAllowed": False}.get(str(one.raw))) for one in variants
            ),
        )
        days = tender.get("submissionTerms", "bidValidityPeriod", "durationInDays").count()
        if days is not None and days.value > 730:
            self.note(f"Bids are said to bind for {days.value} days; months may have been meant.")
        self.put("requirements.bid_validity_days", days)
        self.put("requirements.deposits", tender.get("submissionTerms", "depositsGuarantees").reason())
        terms = tender.get("contractTerms")
        self.put("requirements.legal_form", terms.get("tendererLegalForm").reason())
        self.put("contract_terms.performance_terms", terms.get("performanceTerms").reason())
        self.put("contract_terms.financial_terms", terms.get("financialTerms").reason())
        self.put("contract_terms.social_standards", terms.get("socialStandards").reason())
        self.put("contract_terms.rewards_and_penalties", terms.get("rewardsAndPenalties").reason())
        invoicing = terms.get("electronicInvoicingPolicy")
        self.put(
            "contract_terms.electronic_invoicing",
            invoicing.said({"allowed": True, "required": True, "notAllowed": False}.get(str(invoicing.raw))),
        )
        self.put("contract_terms.electronic_payment", terms.get("hasElectronicPayment").flag())
        self.put("subcontracting.terms", tender.get("subcontractingTerms", "description").reason())

    def _candidates(self, text: str) -> None:
        """Point to sums in the financial conditions: which of them is a turnover test, a person has to say."""
        for word, field in (
            ("turnover", "requirements.minimum_annual_turnover"),
            ("insurance", "requirements.insurance"),
        ):
            found = re.search(rf"\b\S?.{{0,80}}\b{word}\b.{{0,120}}\b", text, re.IGNORECASE)
            if found and re.search(r"\d", found.group()):
                quote = found.group().strip()
                self.note(f'The financial conditions speak of {word}: "…{quote}…". If it is asked for, state {field}.')

    def _market(self) -> None:
        statistics = self.root.get("bids", "statistics").records()
        for measures, path in (
            (("bids",), "market.bids_received"),
            (("smeBids", "smeFinalStageBids"), "market.bids_from_sme"),
            (("vcseBids", "vcseFinalStageBids"), "market.bids_from_vcse"),
        ):
            for measure in measures:
                own = [one for one in statistics if one.get("measure").raw == measure]
                lots = {_label(one.get("relatedLot")) for one in own if one.get("relatedLot")}
                if own and len(lots) < 2:  # Find a Tender repeats a lot's figures for each award
                    count = agreed(one.get("value").count() for one in own)
                    if count is None:
                        self.note(f"The figures for {measure} disagree or are no counts; they were left out.")
                    self.put(path, count)

    def _criteria(self) -> None:
        groups = [node.get("awardCriteria", "criteria") for node in self.lots]
        if not any(groups):
            groups = [self.tender.get("awardCriteria", "criteria")]
        lists = [self._criteria_of(group) for group in groups]
        first = lists[0]
        if first is None or any(str(plain(one)).casefold() != str(plain(first)).casefold() for one in lists):
            if any(lists):
                self.note("The lots have different award criteria, or only some have any; see the notice.")
            return
        self.put("award.criteria", first)
        complete = isinstance(first.value, dict)
        if complete:
            self.put("award.criteria_published", Said(True, first.pointer))
        items = first.value["items"].value if complete else first.value
        for item in items:
            kind = item.value["kind"]
            if kind and kind.value in ("social_value", "supply_chain"):
                self.put(f"award.{kind.value}_scored", Said(True, item.pointer))

    def _criteria_of(self, group: Node) -> Said | None:
        """The criteria of one lot; with weights, and as a complete list, only if these add up to the whole."""
        criteria = group.records()
        weights = [self._weight(one) for one in criteria]
        total = sum((weight.value for weight in weights if weight is not None), Decimal(0))
        whole = total if criteria and all(weights) and total in (100, 1000) else None
        if criteria and whole is None and any(weights):
            self.note(
                "The weights of the award criteria are not all given or do not add up to 100; they were left out."
            )
        if len(criteria) == 1 and not weights[0] and _is_price(criteria[0]):
            weights, whole = [criteria[0].get("type").said(Decimal(1))], Decimal(1)
        items = [
            Said(
                {
                    "name": one.get("name").reason(),
                    "kind": _criterion_kind(one),
                    "weight": Said(weight.value / whole, weight.pointer) if weight and whole else None,
                },
                one.pointer,
            )
            for one, weight in zip(criteria, weights, strict=True)
        ]
        return listed([item for item in items if any(item.value.values())], whole is not None, group.pointer)

    def _weight(self, criterion: Node) -> Said | None:
        """A weight in percent or points: structured, else the number that publishers write as description."""
        numbers = criterion.get("numbers").records()
        exact = [one for one in numbers if one.get("weight").raw in ("percentageExact", "decimalExact", "pointsExact")]
        if numbers:
            amount = exact[0].get("number").amount() if len(numbers) == len(exact) == 1 else None
            if amount is None or amount.value < 0:
                return None
            factor = 100 if exact[0].get("weight").raw == "decimalExact" else 1
            return Said(amount.value * factor, amount.pointer)
        words = criterion.get("description")
        match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?) ?%?", (clean(words.raw) or ""), re.ASCII)
        return words.said(number(Decimal(match.group(1)))) if match else None

    # Award and contract

    def _awards(self) -> None:
        date = agreed(award.get("date").date() for award in self.awards)
        self.put("award.date", date)
        self.put("timeline.award_decision", date)
        notices = [
            document.get("datePublished").date()
            for award in self.awards
            for document in award.get("documents").records()
            if document.get("documentType").raw == "awardNotice" and document.get("noticeType").raw in (None, "UK6")
        ]
        published = [one for one in notices if one is not None] or [
            one for award in self.awards if (one := award.get("datePublished").date()) is not None
        ]
        self.put("timeline.award_notice", min(published, key=lambda one: str(one.value)) if published else None)
        self.put(
            "timeline.standstill_end", agreed(one.get("standstillPeriod", "endDate").date() for one in self.awards)
        )
        self.put(
            "timeline.assessment_summaries",
            agreed(one.get("assessmentSummariesDateSent").date() for one in self.awards),
        )
        suppliers: dict[str, Said] = {}
        for award in self.awards:
            for supplier in award.get("suppliers").records():
                party = self._party(supplier)
                name = supplier.get("name").text() or party.get("name").text()
                if name is not None:
                    suppliers.setdefault(
                        str(name.value).casefold(), Said(self._supplier(name, party), supplier.pointer)
                    )
        found = list(suppliers.values())
        place = self.awards[0].get("suppliers").pointer if len(self.awards) == 1 else self.root.get("awards").pointer
        self.put("award.suppliers", listed(found, False, place))
        if len(found) == 1:
            self.put("subcontracting.prime_is_vcse", found[0].value["vcse"])
        shares = agreed(award.get("hasSubcontracting").flag() for award in self.awards)
        if shares is not None:
            self.put("subcontracting.position", Said("in_use" if shares.value else "none", shares.pointer))

    def _supplier(self, name: Said, party: Node) -> dict[str, Said | None]:
        details, identifier = party.get("details"), party.get("identifier")
        scale = details.get("scale")
        scheme, own = clean(identifier.get("scheme").raw), clean(identifier.get("id").raw)
        return {
            "name": name,
            "sme": scale.said(
                {"sme": True, "micro": True, "small": True, "medium": True, "large": False}.get(str(scale.raw))
            ),
            "vcse": details.get("vcse").flag(),
            "identifier": Said(f"{scheme} {own}", identifier.pointer) if scheme and own else None,
            "public_service_mission": details.get("publicServiceMissionOrganization").flag(),
            "sheltered_workshop": details.get("shelteredWorkshop").flag(),
        }

    def _contract(self) -> None:
        contracts = self.contracts
        self.put("timeline.contract_signed", agreed(one.get("dateSigned").date() for one in contracts))
        details = [
            date
            for one in self.documents
            if one.get("noticeType").raw == "UK7" and (date := one.get("datePublished").date()) is not None
        ]
        self.put("timeline.contract_notice", min(details, key=lambda date: str(date.value)) if details else None)
        measures = [
            Said({"name": name}, metric.pointer)
            for one in contracts
            for metric in one.get("agreedMetrics").records()
            if (name := metric.get("title").text() or metric.get("description").text()) is not None
        ]
        place = contracts[0].get("agreedMetrics").pointer if len(contracts) == 1 else self.root.get("contracts").pointer
        self.put("outcomes.measures", listed(measures, False, place))
        self.put(
            "outcomes.no_measures_reason", agreed(one.get("noAgreedMetricsRationale").reason() for one in contracts)
        )
        reasons = [
            reason.get("description").reason() or reason.get("id").reason()
            for one in contracts
            for name in ("terminationRationaleClassifications", "terminationRationaleClassification")
            for reason in one.get(name).records()
        ]
        self.put("termination.published_reasons", listed(distinct(reasons), False))
        changes = [
            change.get("rationale").reason() or change.get("description").reason()
            for one in contracts
            for name in ("proposedAmendments", "amendments")
            for change in one.get(name).records()
        ]
        self.put("contract_terms.changes", listed(distinct(changes), False))


def _is_award(award: Node) -> bool:
    """Whether an award is one: not called off, and not the bare skeleton that a notice of change carries."""
    if award.get("status").raw in ("cancelled", "unsuccessful"):
        return False
    return any(
        award.get(name) for name in ("value", "suppliers", "date", "status", "contractPeriod", "title", "documents")
    )


def _is_price(criterion: Node) -> bool:
    return criterion.get("type").raw in ("price", "cost")


def _criterion_kind(criterion: Node) -> Said | None:
    code, name = criterion.get("type"), criterion.get("name")
    if _is_price(criterion):
        return code.said("price")
    words = (clean(name.raw) or "").casefold()
    for kind, pattern in _NAMED_CRITERIA.items():
        if re.fullmatch(pattern, words):
            return name.said(kind)
    return code.said("quality") if code.raw == "quality" else None


def _words(node: Node) -> set[str]:
    return {one.raw for one in node.scalars() if isinstance(one.raw, str)}


def _label(node: Node) -> str:
    own = node.get("id") if isinstance(node.value, dict) else node
    return clean(str(own.raw)) or "?"


def _label_said(node: Node) -> Said | None:
    return node.said(clean(str(node.raw))) if node else None


def _short(amount: Any) -> str:
    exact = number(amount)
    return (
        f"{exact:,f}"
        if exact is not None and exact.adjusted() < 12
        else f"{amount:.3g}"
        if exact is not None
        else "no usable size"
    )


def _days(start: Said, end: Said) -> int:
    return (dt.date.fromisoformat(str(end.value)) - dt.date.fromisoformat(str(start.value))).days


def _next_day(day: str) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()


def _months(start: str, end: str) -> int:
    """Calendar months from the first to the last day, to the nearest, and at least one."""
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end) + dt.timedelta(days=1)
    months = (last.year - first.year) * 12 + last.month - first.month
    days = last.day - first.day
    return max(1, months + (1 if days >= 15 else -1 if days < -15 else 0))
