"""What takes thought in reading an OCDS notice: stage, route, sums, periods, deadlines, criteria. Nothing is guessed.

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
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from goodcommission.description.ocds.shapes import CONTRACTS_FINDER, Process, raw
from goodcommission.description.ocds.tree import (
    Said,
    agreed,
    amount,
    clean,
    code,
    count,
    date,
    different,
    distinct,
    flag,
    get,
    gross,
    identifier,
    listed,
    local_date,
    money,
    number,
    plain,
    pointer,
    reason,
    records,
    remembered,
    said,
    scalars,
    text,
    unlimited,
    words,
)

PUBLISHERS = {
    CONTRACTS_FINDER: "Contracts Finder",
    "ocds-h6vhtk": "Find a Tender",
    "ocds-r6ebe6": "Public Contracts Scotland",
    "ocds-kuma6s": "Sell2Wales",
}
_PREFIX = 11
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
_SMALL = {"sme": True, "micro": True, "small": True, "medium": True, "large": False}
_SIGNS_OF_AN_AWARD = ("value", "suppliers", "date", "status", "contractPeriod", "title", "documents")
_STANDING_DAYS = 365
_SUSPICIOUSLY_SMALL = 1000


@dataclass(frozen=True, slots=True)
class Procedure:
    """What a publisher's words for a procedure say."""

    direct: bool
    quotes: bool
    stages: bool
    call_off: bool
    framework: bool
    opened: bool
    threshold: bool | None
    """Whether it is above the threshold."""
    light_touch: bool


@remembered
def _procedure(words: str) -> Procedure:
    def speaks_of(pattern: str) -> bool:
        return re.search(pattern, words) is not None

    return Procedure(
        direct=speaks_of(r"direct award|single tender|without (?:prior publication|prior call|competition|a call)"),
        quotes="quotation" in words or "limited competition" in words,
        stages=speaks_of(
            r"restricted|competitive (?:flexible|procedure|dialogue)|negotiat|innovation partnership",
        ),
        call_off=speaks_of(r"call[ -]?off|mini[ -]?competition|further competition"),
        framework=speaks_of(r"\bframework\b"),
        opened=bool(
            re.fullmatch(
                r"(?:other - |below threshold - )?open(?: procedure| competition| tender)?(?: \([^)]*\))?", words
            )
        ),
        threshold="above threshold" in words if speaks_of(r"(?:above|below) threshold") else None,
        light_touch=speaks_of(r"light[ -]touch"),
    )


class Period:
    """Length, first and last day and latest end, as far as stated."""

    __slots__ = ("end", "latest", "months", "start")

    def __init__(self) -> None:
        self.months: Said | None = None
        self.start: Said | None = None
        self.end: Said | None = None
        self.latest: Said | None = None


class Term(Period):
    """The term of the whole, and the extension that its latest end tells of."""

    __slots__ = ("extension_months", "extension_option")

    def __init__(self) -> None:
        super().__init__()
        self.extension_option: Said | None = None
        self.extension_months: Said | None = None


class Criteria:
    """The award criteria of one lot."""

    __slots__ = ("complete", "rows")

    def __init__(self, rows: list[tuple[dict[str, Any], dict[str, Said | None]]], complete: bool) -> None:
        self.rows = rows
        """Each as the notice has it, and as the description has it."""
        self.complete = complete

    def key(self) -> tuple[Any, ...]:
        """The same for lots with the same criteria."""
        rows = [str(said.value) for _, row in self.rows for said in row.values() if said is not None]
        shape = [name for _, row in self.rows for name, said in row.items() if said is not None]
        return self.complete, shape, [one.casefold() for one in rows]


_UNASKED: Final = Said(None, "")
_NOBODY: Final[dict[str, Any]] = {}
_NO_BASIS: Final = ("", "")
"""These stand for parts that nobody has asked for."""


class Reading:
    """One process while it is read.

    Its lists and its stage, which are always asked for, are there from the beginning. Each other part is worked out
    when it is asked for, and once: so it needs no list of what it depends on, and who asks for a few facts pays for
    these alone. (No `functools.cached_property`: a class that has one can't be compiled.)
    """

    def __init__(self, process: Process, *, remarks: bool = True) -> None:
        self.process = process
        self.remarks = remarks
        self.notes = list(process.notes)
        self.root = process.tree
        self.ocid: str = raw(process.ocid)
        self.local_times = self.ocid.startswith(_LOCAL_TIMES)
        self.tender: Any = self.root.get("tender")
        self.fields: dict[str, Any] = self.tender if isinstance(self.tender, dict) else {}
        """What the tender section holds."""
        self.lots = records(self.fields.get("lots"))
        self.divisions: list[Any] = [*self.lots] or [self.tender]
        """What terms are stated for: each lot, or the whole where there are none."""
        self.awards = [one for one in records(self.root.get("awards")) if _is_award(one)]
        self.contracts = records(self.root.get("contracts"))
        self.documents = self._all_documents()
        """The documents of all sections."""
        self.types = distinct(
            [code(one) for document in self.documents if (one := document.get("noticeType")) is not None]
        )
        self.codes: set[str] = {one.value.upper() for one in self.types}
        """The notice types in capitals."""
        self.tags: set[str] = {tag for release in process.releases for tag in release.tags if tag != "compiled"}
        self.stage_place = self._stage_place()
        """Where the stage is said, as far as tags say it."""
        self.reached = self._reached()
        """The stage alone."""
        self.is_contract = self.reached in ("live", "ended")
        # Parts that are worked out when they are asked for
        self._shares: list[dict[str, Any]] | None = None
        self._parties: list[dict[str, Any]] | None = None
        self._related: list[dict[str, Any]] | None = None
        self._buyer: dict[str, Any] | None = _NOBODY
        self._parties_by: tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, Any]]] | None = None
        self._items: list[dict[str, Any]] | None = None
        self._cpv: list[Said] | None = None
        self._awarded: Said | None = _UNASKED
        self._total: Said | None = _UNASKED
        self._total_including_vat: Said | None = _UNASKED
        self._lots_count: Said | None = _UNASKED
        self._procedure_words: str | None = None
        self._procedure: Procedure | None = None
        self._route: Said | None = _UNASKED
        self._two_stages: bool | None = None
        self._dynamic: Said | None = _UNASKED
        self._basis: tuple[str, str] | None = _NO_BASIS
        self._published: Said | None = _UNASKED
        self._tender_published: Said | None = _UNASKED
        self._deadlines: tuple[Said | None, Said | None] | None = None
        self._award_date: Said | None = _UNASKED
        self._term: Term | None = None
        self._criteria: Said | None = _UNASKED

    def day(self, node: Any) -> Said | None:
        """The civil date; some publishers write local times and mark them as UTC."""
        return local_date(node) if self.local_times else date(node)

    def note(self, text: str) -> None:
        """A remark on the reading."""
        if self.remarks:
            self.notes.append(text)

    # The lists of the notice

    @property
    def shares(self) -> list[dict[str, Any]]:
        """The lots that were not called off."""
        if self._shares is None:
            self._shares = [lot for lot in self.lots if raw(lot.get("status")) not in ("cancelled", "withdrawn")]
        return self._shares

    @property
    def parties(self) -> list[dict[str, Any]]:
        if self._parties is None:
            self._parties = records(self.root.get("parties"))
        return self._parties

    @property
    def related(self) -> list[dict[str, Any]]:
        if self._related is None:
            self._related = records(self.root.get("relatedProcesses"))
        return self._related

    def _all_documents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for section in (self.root.get("planning"), self.fields, *self.awards, *self.contracts):
            if isinstance(section, dict):
                if "documents" in section:
                    found += records(section["documents"])
                if "implementation" in section:
                    found += records(get(section, "implementation", "documents"))
        return found

    # Identity and stage

    def _stage_place(self) -> str:
        for one in reversed(self.process.releases):
            if one.tags:
                return f"{one.pointer}/tag"
        return self.process.releases[-1].pointer

    def stage(self) -> Said | None:
        return Said(self.reached, self.stage_place) if self.reached else None

    def kind(self) -> Said:
        return Said("contract" if self.is_contract else "tender", self.stage_place)

    def _reached(self) -> str | None:
        tags, codes, contracts, tender = self.tags, self.codes, self.contracts, self.tender
        statuses = {status for one in contracts if isinstance(status := raw(one.get("status")), str)}
        if "contractTermination" in tags or "UK11" in codes or statuses == {"terminated"}:
            return "ended"
        signed = "active" in statuses or bool([one for one in contracts if self.day(one.get("dateSigned")) is not None])
        intended = statuses == {"pending"} or (bool(codes & {"UK5", "UK6"}) and not signed)
        if (
            codes & _LIVE_NOTICES
            or tags & {"contractAmendment", "implementation", "implementationUpdate"}
            or (contracts and signed)
            or (tags & {"contract", "contractUpdate"} and not intended)
        ):
            return "live"
        if self.awards or tags & {"award", "awardUpdate"}:
            pending = "UK5" in codes and all(raw(one.get("status")) == "pending" for one in self.awards)
            return "published" if pending else "awarded"
        if tags & {"tender", "tenderUpdate", "tenderAmendment", "tenderCancellation"} or codes & {"UK4", "UK12"}:
            return "published"
        if tags & {"planning", "planningUpdate"} or raw(get(tender, "status")) in ("planning", "planned"):
            return "draft"
        if tender is not None:
            return "published"
        return "draft" if self.root.get("planning") is not None else None

    def release(self) -> Said | None:
        return code(self.process.releases[-1].id)

    def published_on(self) -> Said | None:
        """The date of the newest release."""
        return self.day(self.process.releases[-1].date)

    def publisher(self) -> Said | None:
        name = PUBLISHERS.get(self.ocid[:_PREFIX])
        return said(self.process.ocid, name) if name else text(self.process.publisher)

    def notice_types(self) -> Said | None:
        return listed(self.types, False)

    def release_tags(self) -> Said | None:
        leaves = [leaf for release in self.process.releases for leaf in release.tag_leaves]
        return listed(distinct(map(code, leaves)), False)

    def earlier(self) -> Said | None:
        """The planning notices that are referred to."""
        return listed(
            distinct(
                code(related.get("identifier"))
                for related in self.related
                if not words(related.get("relationship")).isdisjoint(("planning", "prior"))
            ),
            False,
        )

    @property
    def buyer(self) -> dict[str, Any] | None:
        """The party that is the buyer: the one that is referred to, or the only one with that role."""
        if self._buyer is _NOBODY:
            self._buyer = self._work_out_buyer()
        return self._buyer

    def _work_out_buyer(self) -> dict[str, Any] | None:
        party = self.party(self.root.get("buyer"))
        if text(get(self.root, "buyer", "name")) is None and text(get(party, "name")) is None:
            buyers = [party for party in self.parties if "buyer" in words(party.get("roles"))]
            party = buyers[0] if len(buyers) == 1 else None
        return party

    def buyer_name(self) -> Said | None:
        return text(get(self.root, "buyer", "name")) or text(get(self.buyer, "name"))

    def buyer_types(self) -> Said | None:
        return listed(
            distinct(
                text(one.get("id")) or text(one.get("description"))
                for one in records(get(self.buyer, "details", "classifications"))
                if raw(one.get("scheme")) in ("UK_CA_TYPE", "TED_CA_TYPE")
            ),
            False,
        )

    def party(self, reference: Any) -> dict[str, Any] | None:
        """The party that is referred to, by its id or else by its name."""
        by_id, by_name = self.parties_by
        wanted = raw(identifier(reference))
        if wanted is not None and wanted in by_id:
            return by_id[wanted]
        wanted = raw(get(reference, "name"))
        return None if wanted is None else by_name.get(wanted)

    @property
    def parties_by(self) -> tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, Any]]]:
        """The parties by their ids and by their names; of several alike, the first."""
        if self._parties_by is None:
            self._parties_by = self._work_out_parties_by()
        return self._parties_by

    def _work_out_parties_by(self) -> tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, Any]]]:
        by_id: dict[Any, dict[str, Any]] = {}
        by_name: dict[Any, dict[str, Any]] = {}
        for party in self.parties:
            if identifier(party) is not None:
                by_id.setdefault(raw(party.get("id")), party)
            by_name.setdefault(raw(party.get("name")), party)
        return by_id, by_name

    # What is bought

    @property
    def items(self) -> list[dict[str, Any]]:
        if self._items is None:
            self._items = records(self.fields.get("items")) or [
                item for award in (*self.awards, *self.contracts) for item in records(award.get("items"))
            ]
        return self._items

    @property
    def cpv(self) -> list[Said]:
        if self._cpv is None:
            self._cpv = self._work_out_cpv()
        return self._cpv

    def _work_out_cpv(self) -> list[Said]:
        classes: list[Any] = []
        for source in (self.fields, *self.items):
            classes.append(source.get("classification"))
            if "additionalClassifications" in source:
                classes += records(source["additionalClassifications"])
        first: dict[str, Any] = {}  # the same codes are written for item after item
        for one in classes:
            if isinstance(one, dict) and raw(one.get("scheme")) == "CPV":
                own = one.get("id")
                written = raw(own)
                if isinstance(written, str) and written not in first:
                    first[written] = own
        return distinct(map(code, first.values()))

    def classification(self) -> Said | None:
        return listed(self.cpv, False)

    def health_care(self) -> Said | None:
        subject = get(self.fields.get("classification"), "id")
        if code(subject) is None or "85" in {one.value[:2] for one in self.cpv}:
            # Health and social services are division 85; which of those are health care, the codes do not tell.
            return None
        return said(subject, False)

    def places(self) -> Said | None:
        addresses = [address for item in self.items for address in records(item.get("deliveryAddresses"))]
        addresses += records(self.fields.get("deliveryAddresses"))
        return listed(distinct(text(one.get("region")) or text(one.get("countryName")) for one in addresses), False)

    # Value

    @property
    def awarded(self) -> Said | None:
        if self._awarded is _UNASKED:
            self._awarded = self.sum([award.get("value") for award in self.awards], self.root.get("awards"))
        return self._awarded

    @property
    def total(self) -> Said | None:
        if self._total is _UNASKED:
            self._total = self._work_out_total()
        return self._total

    def _work_out_total(self) -> Said | None:
        value = self.fields.get("value")
        size = get(value, "amount")
        found = None
        if self.is_contract:
            signed = [one.get("value") for one in self.contracts]
            found = self.sum(signed, self.root.get("contracts")) or self.awarded
        found = found or money(value)
        if found is None and size is None:
            found = self.sum([lot.get("value") for lot in self.shares], self.fields.get("lots"))
        return found or (self.awarded if raw(size) is None else None)

    @property
    def total_including_vat(self) -> Said | None:
        if self._total_including_vat is _UNASKED:
            self._total_including_vat = self._work_out_total_including_vat()
        return self._total_including_vat

    def _work_out_total_including_vat(self) -> Said | None:
        value = self.fields.get("value")
        if self.is_contract and len(self.contracts) == 1 and (found := gross(self.contracts[0].get("value"))):
            return found
        if found := gross(value):
            return found
        alone = get(value, "amount") is None and len(self.shares) == 1
        return gross(self.shares[0].get("value")) if alone else None

    def sum(self, values: list[Any], whole: Any) -> Said | None:
        """The sum, if each has a value and all have one currency; the value itself where there is only one."""
        if len(values) < 2:
            return money(values[0]) if values else None
        stated = [one for value in values if (one := money(value)) is not None]
        if len(stated) < len(values) or len({one.value["currency"].value for one in stated}) > 1:
            return None
        place = pointer(whole)
        size = sum((one.value["amount"].value for one in stated), Decimal(0))
        return Said({"amount": Said(size, place), "currency": Said(stated[0].value["currency"].value, place)}, place)

    def budget(self) -> Said | None:
        budget = get(self.root, "planning", "budget")
        parts = get(budget, "budgetBreakdown")
        return money(get(budget, "amount")) or self.sum([one.get("amount") for one in records(parts)], parts)

    def doubt_money(self) -> None:
        """Remarks on amounts that are not what they seem."""
        where = [("The notice's value", self.fields.get("value")), ("The lower end", self.fields.get("minValue"))]
        where += [(f"The value of lot {_label(lot)}", lot.get("value")) for lot in self.lots]
        where += [("The awarded value", award.get("value")) for award in self.awards]
        where += [("The contract's value", contract.get("value")) for contract in self.contracts]
        for name, value in where:
            written, found = raw(get(value, "amount")), money(value)
            if found is None:
                if isinstance(written, int | float | Decimal) and not isinstance(written, bool):
                    self.note(f"{name} of {_short(written)} was taken as not stated.")
                continue
            size, currency = found.value["amount"].value, found.value["currency"].value
            if size < _SUSPICIOUSLY_SMALL:
                self.note(f"{name} of {_short(size)} {currency} may be a rate for a unit or a day.")
            whole = gross(value)
            if whole is not None and whole.value["amount"].value > 2 * size:
                self.note(f"{name} including VAT is more than twice the one without; one of them may be wrong.")
            if currency != "GBP":
                self.note(f"{name} is in {currency}; a UK publisher may have picked the wrong currency from the list.")
        stated = {found.value["currency"].value for _, value in where if (found := money(value)) is not None}
        if len(stated) > 1:
            self.note(
                f"The notice gives amounts in different currencies ({', '.join(sorted(stated))}); none was converted."
            )
        total = money(self.fields.get("value"))
        parts = self.sum([lot.get("value") for lot in self.shares], self.fields.get("lots"))
        if total and parts and len(self.shares) > 1 and plain(total) != plain(parts):
            self.note("The values of the lots do not add up to the notice's value.")

    # Lots

    @property
    def lots_count(self) -> Said | None:
        """The number of lots. The single lot of a planning or award notice is a wrapper, or the lot that is awarded."""
        if self._lots_count is _UNASKED:
            self._lots_count = self._work_out_lots_count()
        return self._lots_count

    def _work_out_lots_count(self) -> Said | None:
        lots = self.lots
        if lots and (
            not self.tags.isdisjoint(("tender", "tenderUpdate", "tenderAmendment"))
            or "UK4" in self.codes
            or any(raw(one.get("documentType")) == "tenderNotice" for one in records(self.fields.get("documents")))
            or (not self.tags and self.reached == "published")
            or (self.reached == "draft" and len(lots) > 1)
        ):
            return Said(len(lots), pointer(self.fields.get("lots")))
        return None

    def _limit(self, name: str) -> Said | None:
        limit = get(self.tender, "lotDetails", name)
        if unlimited(limit) and len(self.lots) > 1 and self.lots_count:
            return said(limit, len(self.lots))  # no limit: all of them
        found = count(limit)
        return found if found is not None and found.value else None

    def most_lots_bid_for(self) -> Said | None:
        return self._limit("maximumLotsBidPerSupplier")

    def most_lots_won(self) -> Said | None:
        return self._limit("maximumLotsAwardedPerSupplier")

    def lots_listed(self) -> Said | None:
        if len(self.lots) < 2:
            return None
        items = [
            Said(
                {
                    "id": _label_said(identifier(lot)),
                    "title": text(lot.get("title")),
                    "value": money(lot.get("value")),
                    "months": self.period(lot.get("contractPeriod")).months,
                },
                pointer(lot),
            )
            for lot in self.lots
        ]
        return listed(items, self.lots_count is not None, pointer(self.fields.get("lots")))

    def smallest_lot(self) -> Said | None:
        if len(self.lots) < 2 or self.lots_count is None:
            return None
        stated = [one for lot in self.lots if (one := money(lot.get("value"))) is not None]
        if len(stated) < len(self.lots) or len({one.value["currency"].value for one in stated}) > 1:
            return None
        return min(stated, key=lambda one: one.value["amount"].value)

    # Procedure

    @property
    def procedure_words(self) -> str:
        if self._procedure_words is None:
            self._procedure_words = (clean(raw(self.fields.get("procurementMethodDetails"))) or "").casefold()
        return self._procedure_words

    @property
    def procedure(self) -> Procedure:
        if self._procedure is None:
            self._procedure = _procedure(self.procedure_words)
        return self._procedure

    @property
    def route(self) -> Said | None:
        """The route, where the procedure's code and the publisher's words for it leave no doubt."""
        if self._route is _UNASKED:
            self._route = self._work_out_route()
        return self._route

    def _work_out_route(self) -> Said | None:
        found = self._clear_route()
        if found is None and (self.procedure_words or self.fields.get("procurementMethod") is not None):
            self.note(
                "The procedure as published is unspecific or contradicts itself; the route to the provider is unknown."
            )
        return found

    def _clear_route(self) -> Said | None:
        method_node, words_node = self.fields.get("procurementMethod"), self.fields.get("procurementMethodDetails")
        method = raw(method_node)
        method = method if isinstance(method, str) else None
        says = self.procedure
        framework = (
            says.call_off
            or says.framework
            or any("framework" in words(related.get("relationship")) for related in self.related)
        )
        if framework and not (method == "open" and says.opened):
            called_off = says.call_off and not says.direct and method != "open"
            return said(words_node, "framework_calloff") if called_off else None
        if says.direct and not says.quotes:
            return said(words_node, "direct_award") if method in (None, "direct", "limited") else None
        if says.quotes:
            return None
        if says.stages:
            return said(words_node, "restricted_tender") if method in (None, "selective") else None
        if says.opened:
            return said(words_node, "open_tender") if method in (None, "open") and not self.two_stages else None
        if method == "open":
            return said(method_node, "open_tender") if not self.two_stages else None
        if method == "selective":
            return said(method_node, "restricted_tender")
        return said(method_node, "direct_award") if method == "direct" else None

    @property
    def two_stages(self) -> bool:
        """Whether bidders first ask to take part."""
        if self._two_stages is None:
            self._two_stages = (
                self.fields.get("expressionOfInterestDeadline") is not None
                or self.fields.get("secondStage") is not None
                or any(lot.get("secondStage") is not None for lot in self.lots)
            )
        return self._two_stages

    def framework(self) -> Said | None:
        techniques = self.fields.get("techniques")
        whole = flag(get(techniques, "hasFrameworkAgreement"))
        lots = (flag(get(lot, "techniques", "hasFrameworkAgreement")) for lot in self.lots)
        return (
            whole
            or next((one for one in lots if one is not None), None)
            or said(get(techniques, "frameworkAgreement"), True)
        )

    def framework_maximum(self) -> Said | None:
        most = get(self.tender, "techniques", "frameworkAgreement", "maximumParticipants")
        if unlimited(most):
            self.note("The framework takes any number of suppliers (a system's largest number was published).")
        return count(most)

    @property
    def dynamic(self) -> Said | None:
        if self._dynamic is _UNASKED:
            self._dynamic = self._work_out_dynamic()
        return self._dynamic

    def _work_out_dynamic(self) -> Said | None:
        techniques = self.fields.get("techniques")
        found = flag(get(techniques, "hasDynamicPurchasingSystem")) or said(
            get(techniques, "dynamicPurchasingSystem"), True
        )
        if not (found and found.value) and self.codes & {"UK13", "UK14", "UK15", "UK16"}:
            return found or Said(True, self.types[0].pointer)
        return found

    def is_retender(self) -> Said | None:
        for related in self.related:
            if words(related.get("relationship")) & {"renewalProcess", "replacementProcess"}:
                return said(related.get("relationship"), True)
        return None

    def above_threshold(self) -> Said | None:
        nodes = (self.fields, *self.lots, *self.awards, *self.contracts)
        sizes = [size for node in nodes if (size := flag(node.get("aboveThreshold"))) is not None]
        if sizes:
            found = agreed(sizes)
            if found is None:
                self.note("The stages of the notice disagree on whether the contract is above the threshold.")
            return found
        return said(self.fields.get("procurementMethodDetails"), self.procedure.threshold)

    def light_touch(self) -> Said | None:
        for node in (self.fields, *self.lots):
            if "specialRegime" in node:
                for regime in scalars(node["specialRegime"]):
                    if raw(regime) == "lightTouch":
                        return said(regime, True)
        return said(self.fields.get("procurementMethodDetails"), True) if self.procedure.light_touch else None

    @property
    def basis(self) -> tuple[str, str] | None:
        """Scheme and number of the legal basis."""
        if self._basis == _NO_BASIS:
            self._basis = self._work_out_basis()
        return self._basis

    def _work_out_basis(self) -> tuple[str, str] | None:
        basis = self.fields.get("legalBasis")
        scheme, own = clean(raw(get(basis, "scheme"))), clean(raw(get(basis, "id")))
        return (scheme, own) if scheme and own else None

    def legal_basis(self) -> Said | None:
        return said(self.fields.get("legalBasis"), " ".join(self.basis)) if self.basis else None

    def mechanism(self) -> Said | None:
        """Procurement law governs contracts for pecuniary interest; a grant is none."""
        return said(self.fields.get("legalBasis"), "contract") if self.basis in _PROCUREMENT_LAW else None

    def direct_award_reason(self) -> Said | None:
        rationale = reason(self.fields.get("procurementMethodRationale"))
        if rationale is not None:
            return rationale
        classes = records(self.fields.get("procurementMethodRationaleClassifications"))
        return reason(classes[0].get("description")) if classes else None

    def cancelled(self) -> Said | None:
        status = self.fields.get("status")
        if raw(status) in ("cancelled", "unsuccessful", "withdrawn"):
            return said(status, True)
        return Said(True, self.stage_place) if "tenderCancellation" in self.tags or "UK12" in self.codes else None

    def electronic_submission(self) -> Said | None:
        policy = get(self.fields.get("submissionTerms"), "electronicSubmissionPolicy")
        if policy is None:
            ways = self.fields.get("submissionMethod")
            named = words(ways)
            return said(ways, "electronicSubmission" in named) if named else None
        if raw(policy) == "notAllowed":
            self.note("Electronic submission is marked as not allowed, which publishers also pick for bids by e-mail.")
        return said(policy, True) if raw(policy) in ("allowed", "required") else None

    def document_kinds(self) -> Said | None:
        return listed(
            distinct(
                text(one.get("documentType"))
                for one in self.documents
                if one.get("url") is not None or one.get("noticeType") is not None
            ),
            False,
        )

    # Time

    @property
    def published(self) -> Said | None:
        """When the opportunity was published: by its notice, else the tender section, else a tender release."""
        if self._published is _UNASKED:
            self._published = self._work_out_published()
        return self._published

    def _work_out_published(self) -> Said | None:
        if self.reached == "draft" or (self.route and self.route.value == "framework_calloff"):
            return None  # the firms on the framework were invited directly, the notice came when it came
        stated = [
            day
            for document in records(self.fields.get("documents"))
            if raw(document.get("documentType")) == "tenderNotice"
            and (day := self.day(document.get("datePublished"))) is not None
        ]
        if stated:
            return min(stated, key=_by_value)
        section = self.day(self.fields.get("datePublished"))
        if section is not None:
            return section
        for release in self.process.releases:
            if "tender" in release.tags and (day := self.day(release.date)) is not None:
                return day
        return None

    @property
    def tender_published(self) -> Said | None:
        if self._tender_published is _UNASKED:
            self._tender_published = self._work_out_tender_published()
        return self._tender_published

    def _work_out_tender_published(self) -> Said | None:
        if self.reached != "draft":
            return self.published
        planned = self.day(get(self.fields.get("communication"), "futureNoticeDate"))
        if planned is not None:
            self.note("The date of publication is the one that the planning notice expects.")
        return planned

    @property
    def deadlines(self) -> tuple[Said | None, Said | None]:
        """The deadline for bids, and the one for asking to take part; of a single one it must be clear which it is."""
        if self._deadlines is None:
            self._deadlines = self._work_out_deadlines()
        return self._deadlines

    def _work_out_deadlines(self) -> tuple[Said | None, Said | None]:
        part = self.day(self.fields.get("expressionOfInterestDeadline"))
        deadline = self.day(get(self.fields.get("tenderPeriod"), "endDate"))
        if deadline is None:
            return None, part
        published = self.published
        two_stages = (self.route is not None and self.route.value == "restricted_tender") or self.two_stages
        decided = [day for award in self.awards if (day := self.day(award.get("date"))) is not None]
        if (self.dynamic is not None and self.dynamic.value is True) or (
            published and _days(published, deadline) > _STANDING_DAYS
        ):
            self.note(f"The opportunity stands open until {deadline.value}; no deadline for bids was taken from that.")
        elif published and deadline.value < published.value:
            self.note("The deadline lies before the day of publication; it was left out.")
        elif [day for day in decided if day.value < deadline.value]:
            self.note("The deadline for bids lies after the award; it was left out.")
        elif not two_stages or part is not None:
            return deadline, part
        elif "UK4" in self.codes:
            self.note("It is not clear which of the two stages the published deadline is for; it was left out.")
        else:
            self.note("The published deadline is the one for asking to take part; the one for bids is unknown.")
            return None, deadline
        return None, part

    def bid_deadline(self) -> Said | None:
        return self.deadlines[0]

    def participation_deadline(self) -> Said | None:
        return self.deadlines[1]

    @property
    def award_date(self) -> Said | None:
        if self._award_date is _UNASKED:
            self._award_date = agreed([self.day(award.get("date")) for award in self.awards])
        return self._award_date

    def award_decision(self) -> Said | None:
        return self.award_date if self.awards else self.day(get(self.fields.get("awardPeriod"), "endDate"))

    def award_notice(self) -> Said | None:
        published = [
            day
            for award in self.awards
            for document in records(award.get("documents"))
            if raw(document.get("documentType")) == "awardNotice"
            and raw(document.get("noticeType")) in (None, "UK6")
            and (day := self.day(document.get("datePublished"))) is not None
        ] or [day for award in self.awards if (day := self.day(award.get("datePublished"))) is not None]
        return min(published, key=_by_value) if published else None

    # Term

    def period(self, node: Any) -> Period:
        """Length, first and last day and latest end of a period, as far as stated."""
        found = Period()
        if not isinstance(node, dict):
            return found
        start, end = self.day(node.get("startDate")), self.day(node.get("endDate"))
        latest = self.day(node.get("maxExtentDate"))
        if start and end and end.value < start.value:
            self.note("A contract period ends before it starts; it was left out.")
            return found
        if start and end:
            months = said(node, _months(start.value, end.value))
        else:
            days = count(node.get("durationInDays"))
            whole = days is not None and days.value and days.value % 30 == 0
            months = said(node.get("durationInDays"), days.value // 30) if days and whole else None
        if months is not None and months.value >= 999:
            self.note(f"A term of {months.value} months was taken as not stated.")
            months = None
        found.months = months
        found.start = start
        if end and not (start and months is None):
            found.end = end
        if latest and (not end or latest.value >= end.value):
            found.latest = latest
        return found

    @property
    def term(self) -> Term:
        """The first of the sections that states a term; for a contract, the contracts and awards come first."""
        if self._term is None:
            self._term = self._work_out_term()
        return self._term

    def _work_out_term(self) -> Term:
        sources = [[self.fields.get("contractPeriod")], [lot.get("contractPeriod") for lot in self.lots]]
        later = [[one.get("period") for one in self.contracts], [one.get("contractPeriod") for one in self.awards]]
        sources = [*later, *sources] if self.is_contract else [*sources, *reversed(later)]
        found: Term | None = None
        seen: set[tuple[str, str]] = set()
        for nodes in sources:
            if not nodes or (found is not None and not self.remarks):
                continue
            first, *others = [self.period(node) for node in different(nodes)]
            months, start, end, latest = first.months, first.start, first.end, first.latest
            if others:
                months, start = (
                    agreed([months, *(x.months for x in others)]),
                    agreed([start, *(x.start for x in others)]),
                )
                end, latest = agreed([end, *(x.end for x in others)]), agreed([latest, *(x.latest for x in others)])
            if start and end:
                seen.add((start.value, end.value))
            if found is not None or not (months or start or end or latest):
                continue
            found = Term()
            found.months, found.start, found.end, found.latest = months, start, end, latest
            if end and latest and latest.value > end.value:
                found.extension_option = Said(True, latest.pointer)
                found.extension_months = Said(_months(_next_day(end.value), latest.value), latest.pointer)
        if len(seen) > 1:
            self.note("Tender, award and contract state different terms.")
        return found or Term()

    def extension_option(self) -> Said | None:
        return (
            self.term.extension_option
            or flag(self.fields.get("hasRenewal"))
            or agreed([flag(lot.get("hasRenewal")) for lot in self.lots])
        )

    # Demands on bidders

    def _condition(self, kind: str) -> Said | None:
        """What is demanded of one kind, in the publisher's words."""
        criteria = get(self.fields.get("selectionCriteria"), "criteria")
        own = [one for one in records(criteria) if raw(one.get("type")) == kind]
        texts = [said_ for one in own for name in ("description", "minimum") if (said_ := reason(one.get(name)))]
        if not texts:
            return None
        place = texts[0].pointer if len(texts) == 1 else pointer(criteria)
        return Said(" ".join(str(one.value) for one in texts), place)

    def financial_standing(self) -> Said | None:
        """The financial conditions, with a pointer to sums: which is a turnover test, a person has to say."""
        found = self._condition("economic")
        for word, field in (
            ("turnover", "requirements.minimum_annual_turnover"),
            ("insurance", "requirements.insurance"),
        ):
            match = re.search(rf"\b\S?.{{0,80}}\b{word}\b.{{0,120}}\b", found.value, re.IGNORECASE) if found else None
            if match and re.search(r"\d", match.group()):
                quote = match.group().strip()
                self.note(f'The financial conditions speak of {word}: "…{quote}…". If it is asked for, state {field}.')
        return found

    def technical_ability(self) -> Said | None:
        return self._condition("technical")

    def suitability(self) -> Said | None:
        return self._condition("suitability")

    def reserved_for(self) -> Said | None:
        return listed(
            distinct(
                said(one, _RESERVED[raw(one)])
                for node in (self.fields, *self.lots)
                if "otherRequirements" in node
                for one in scalars(get(node, "otherRequirements", "reservedParticipation"))
                if isinstance(raw(one), str) and raw(one) in _RESERVED
            ),
            False,
        )

    def bid_validity(self) -> Said | None:
        days = count(get(self.tender, "submissionTerms", "bidValidityPeriod", "durationInDays"))
        if days is not None and days.value > 730:
            self.note(f"Bids are said to bind for {days.value} days; months may have been meant.")
        return days

    # The market and the judging of bids

    def _figure(self, *measures: str) -> Said | None:
        """A figure on the bids: the first measure that is one of the whole."""
        figure: Said | None = None
        statistics = records(get(self.root, "bids", "statistics"))
        for measure in measures:
            own = [one for one in statistics if raw(one.get("measure")) == measure]
            lots = {_label(lot) for one in own if (lot := one.get("relatedLot")) is not None}
            if own and len(lots) < 2:  # Find a Tender repeats a lot's figures for each award
                found = agreed(count(one.get("value")) for one in own)
                if found is None:
                    self.note(f"The figures for {measure} disagree or are no counts; they were left out.")
                figure = figure or found
        return figure

    def bids_received(self) -> Said | None:
        return self._figure("bids")

    def bids_from_sme(self) -> Said | None:
        return self._figure("smeBids", "smeFinalStageBids")

    def bids_from_vcse(self) -> Said | None:
        return self._figure("vcseBids", "vcseFinalStageBids")

    @property
    def criteria(self) -> Said | None:
        if self._criteria is _UNASKED:
            self._criteria = self._work_out_criteria()
        return self._criteria

    def _work_out_criteria(self) -> Said | None:
        groups = [get(lot, "awardCriteria", "criteria") for lot in self.lots]
        if all(group is None for group in groups):
            groups = [get(self.fields.get("awardCriteria"), "criteria")]
        lists = [self._criteria_of(group) for group in different(groups)]
        first = lists[0]
        if not first.rows or any(one.key() != first.key() for one in lists[1:]):
            if any(one.rows for one in lists):
                self.note("The lots have different award criteria, or only some have any; see the notice.")
            return None
        items = [Said(row, pointer(node)) for node, row in first.rows]
        return listed(items, first.complete, pointer(groups[0]))

    def criteria_published(self) -> Said | None:
        found = self.criteria
        return Said(True, found.pointer) if found and isinstance(found.value, dict) else None

    def _scored(self, kind: str) -> Said | None:
        if self.criteria is None:
            return None
        value = self.criteria.value
        items = value["items"].value if isinstance(value, dict) else value
        found = (item for item in items if item.value["kind"] and item.value["kind"].value == kind)
        return next((Said(True, item.pointer) for item in found), None)

    def social_value_scored(self) -> Said | None:
        return self._scored("social_value")

    def supply_chain_scored(self) -> Said | None:
        return self._scored("supply_chain")

    def _criteria_of(self, group: Any) -> Criteria:
        """The criteria of one lot; with weights, and as a complete list, only if these add up to the whole."""
        criteria = records(group)
        weights = [_weight(one) for one in criteria]
        total = sum((weight.value for weight in weights if weight is not None), Decimal(0))
        whole = total if criteria and all(weights) and total in (100, 1000) else None
        if whole is None and any(weights):
            self.note(
                "The weights of the award criteria are not all given or do not add up to 100; they were left out."
            )
        if len(criteria) == 1 and not weights[0] and _is_price(criteria[0]):
            weights, whole = [said(criteria[0].get("type"), Decimal(1))], Decimal(1)
        rows = [
            (
                one,
                {
                    "name": reason(one.get("name")),
                    "kind": _criterion_kind(one),
                    "weight": Said(weight.value / whole, weight.pointer) if weight and whole else None,
                },
            )
            for one, weight in zip(criteria, weights, strict=True)
        ]
        return Criteria([row for row in rows if any(row[1].values())], whole is not None)

    # Awards and contracts

    def _each_supplier(self) -> Iterator[tuple[Said, Any, Any]]:
        """Each by its name, with what the award says of it and the party that it is."""
        seen: set[str] = set()
        for award in self.awards:
            for supplier in records(award.get("suppliers")):
                party = self.party(supplier)
                name = text(supplier.get("name")) or text(get(party, "name"))
                if name is not None and name.value.casefold() not in seen:
                    seen.add(name.value.casefold())
                    yield name, supplier, party

    def suppliers(self) -> Said | None:
        whole = self.awards[0].get("suppliers") if len(self.awards) == 1 else self.root.get("awards")
        found = [Said(_supplier(name, party), pointer(own)) for name, own, party in self._each_supplier()]
        return listed(found, False, pointer(whole))

    def prime_is_vcse(self) -> Said | None:
        found = list(islice(self._each_supplier(), 2))
        return flag(get(found[0][2], "details", "vcse")) if len(found) == 1 else None

    def subcontracting(self) -> Said | None:
        shares = agreed([flag(award.get("hasSubcontracting")) for award in self.awards])
        return None if shares is None else Said("in_use" if shares.value else "none", shares.pointer)

    def measures(self) -> Said | None:
        contracts = self.contracts
        measures = [
            Said({"name": name}, pointer(metric))
            for one in contracts
            for metric in records(one.get("agreedMetrics"))
            if (name := text(metric.get("title")) or text(metric.get("description"))) is not None
        ]
        whole = contracts[0].get("agreedMetrics") if len(contracts) == 1 else self.root.get("contracts")
        return listed(measures, False, pointer(whole)) if measures else None

    def ending_reasons(self) -> Said | None:
        return listed(
            distinct(
                reason(one.get("description")) or reason(one.get("id"))
                for contract in self.contracts
                for name in ("terminationRationaleClassifications", "terminationRationaleClassification")
                for one in records(contract.get(name))
            ),
            False,
        )

    def changes(self) -> Said | None:
        return listed(
            distinct(
                reason(change.get("rationale")) or reason(change.get("description"))
                for contract in self.contracts
                for name in ("proposedAmendments", "amendments")
                for change in records(contract.get(name))
            ),
            False,
        )


def _supplier(name: Said, party: Any) -> dict[str, Said | None]:
    details, own = get(party, "details"), get(party, "identifier")
    scale = get(details, "scale")
    scheme, number_ = clean(raw(get(own, "scheme"))), clean(raw(get(own, "id")))
    return {
        "name": name,
        "sme": said(scale, _SMALL.get(str(raw(scale)))),
        "vcse": flag(get(details, "vcse")),
        "identifier": Said(f"{scheme} {number_}", pointer(own)) if scheme and number_ else None,
        "public_service_mission": flag(get(details, "publicServiceMissionOrganization")),
        "sheltered_workshop": flag(get(details, "shelteredWorkshop")),
    }


def _weight(criterion: dict[str, Any]) -> Said | None:
    """A weight in percent or points: structured, else the number that publishers write as description."""
    numbers = records(criterion.get("numbers"))
    exact = [one for one in numbers if raw(one.get("weight")) in ("percentageExact", "decimalExact", "pointsExact")]
    if numbers:
        stated = amount(exact[0].get("number")) if len(numbers) == len(exact) == 1 else None
        if stated is None or stated.value < 0:
            return None
        factor = 100 if raw(exact[0].get("weight")) == "decimalExact" else 1
        return Said(stated.value * factor, stated.pointer)
    words_node = criterion.get("description")
    return said(words_node, _stated_weight(clean(raw(words_node)) or ""))


@remembered
def _stated_weight(words: str) -> Decimal | None:
    match = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?) ?%?", words, re.ASCII)
    return number(Decimal(match.group(1))) if match else None


def _is_award(award: dict[str, Any]) -> bool:
    """Whether an award is one: not called off, and not the bare skeleton that a notice of change carries."""
    if raw(award.get("status")) in ("cancelled", "unsuccessful"):
        return False
    for name in _SIGNS_OF_AN_AWARD:  # noqa: SIM110 - any() takes three times as long
        if award.get(name) is not None:
            return True
    return False


def _is_price(criterion: dict[str, Any]) -> bool:
    return raw(criterion.get("type")) in ("price", "cost")


def _criterion_kind(criterion: dict[str, Any]) -> Said | None:
    kind, name = criterion.get("type"), criterion.get("name")
    if _is_price(criterion):
        return said(kind, "price")
    named = _named_criterion((clean(raw(name)) or "").casefold())
    if named is not None:
        return said(name, named)
    return said(kind, "quality") if raw(kind) == "quality" else None


@remembered
def _named_criterion(name: str) -> str | None:
    return next((kind for kind, pattern in _NAMED_CRITERIA.items() if re.fullmatch(pattern, name)), None)


def _label(node: Any) -> str:
    own = identifier(node) if isinstance(node, dict) else node
    return clean(str(raw(own))) or "?"


def _label_said(node: Any) -> Said | None:
    return said(node, clean(str(raw(node)))) if node is not None else None


def _short(amount: Any) -> str:
    exact = number(amount)
    return (
        f"{exact:,f}"
        if exact is not None and exact.adjusted() < 12
        else f"{amount:.3g}"
        if exact is not None
        else "no usable size"
    )


def _by_value(one: Said) -> str:
    return str(one.value)


@lru_cache(maxsize=16384)
def _ordinal(day: str) -> int:
    return dt.date.fromisoformat(day).toordinal()


def _days(start: Said, end: Said) -> int:
    return _ordinal(end.value) - _ordinal(start.value)


def _next_day(day: str) -> str:
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()


@lru_cache(maxsize=16384)
def _months(start: str, end: str) -> int:
    """Calendar months from the first to the last day, to the nearest, and at least one."""
    first, last = dt.date.fromisoformat(start), dt.date.fromisoformat(end) + dt.timedelta(days=1)
    months = (last.year - first.year) * 12 + last.month - first.month
    days = last.day - first.day
    return max(1, months + (1 if days >= 15 else -1 if days < -15 else 0))
