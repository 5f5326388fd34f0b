"""The report of one audit: a plain, immutable value of which every format is a view."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema

from goodcommission.packs.model import Outcome, PackGrade, Severity, Strength, Tier, Verdict
from goodcommission.report.json_text import report_bytes

Scalar = bool | int | float | str


class Part(BaseModel):
    """An immutable part of a report."""

    __slots__ = ("_text",)
    """Its JSON, where it has been written before (json_text.py): neither compared nor copied with it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Of a list that programs wrote, the first wrong entry is enough; to keep all of them could fill the memory."""
        schema = handler(source)
        _fail_fast(schema)
        return schema

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A part from values that are known to be right and complete (an audit makes hundreds).

        What ``model_construct`` does, without its loop over the fields: 0.5 µs instead of 3.
        """
        part = cls.__new__(cls)
        _set(part, "__dict__", values)
        _set(part, "__pydantic_fields_set__", _all_fields(cls))
        _set(part, "__pydantic_extra__", None)
        _set(part, "__pydantic_private__", None)
        return part


def _fail_fast(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("type") in ("tuple", "list"):
            schema["fail_fast"] = True
        for part in schema.values():
            _fail_fast(part)
    elif isinstance(schema, list):
        for part in schema:
            _fail_fast(part)


_set: Final = object.__setattr__
SCHEMA_VERSION: Final = "1.1"
"""The version of the format of saved reports: 1.1 added ``proof``."""
READ_VERSIONS: Final = ("1.0", SCHEMA_VERSION)
"""The versions that can be read back."""


@cache
def _all_fields(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def plain(name: str) -> str:
    """The name of a fact without the document that the report of a case may name with it."""
    return name.partition("@")[0]


class RegimeUsed(Part):
    """Under which law the document stands, and how that is known."""

    id: str | None = Field(description="None if it is not known.")
    title: str | None
    territory: str | None = Field(description="The part of the United Kingdom whose law binds the body, if known.")
    basis: Literal["given", "stated", "worked out", "unknown"]
    because: str = Field(description="How it is known, in one clause.")
    provisional: bool = Field(description="What is missing could still make it another.")
    decided_by: tuple[str, ...] = Field(description="Names in `facts`.")
    missing: tuple[str, ...] = Field(description="Names in `missing`.")


class AuditedLaw(Part):
    """A law pack that was used, and what came of its rules. It is no part of the score, and no legal advice."""

    id: str
    title: str
    version: str
    digest: str
    verified_on: str = Field(description="The day on which its law was last looked up, ISO 8601.")
    review_by: str = Field(description="The last day on which it may be relied on without being looked up again.")
    may_not_meet: int
    met: int
    not_settled: int
    not_yet_due: int
    does_not_apply: int


class LawUsed(Part):
    """A number of a law that was used for a verdict."""

    name: str
    value: Scalar
    unit: str | None
    start: str = Field(description="The first day on which it holds, ISO 8601.")
    until: str | None = Field(description="The last day, if it is known.")
    provision: str
    source: str
    verified_on: str
    review_by: str


class AuditedProfile(Part):
    """The commissioner's profile that was used."""

    name: str
    digest: str = Field(description="SHA-256 of the input, as sha256:….")


class AuditedDocument(Part):
    """What was audited."""

    name: str = Field(description="The file as it was named, or how the description came.")
    file: str | None = Field(description="The file, also where it holds several notices; None if there was none.")
    kind: str
    stage: str | None
    id: str | None
    title: str | None
    origin: Literal["description", "ocds"]
    digest: str = Field(description="SHA-256 of the input, as sha256:….")
    notes: tuple[str, ...] = Field(description="What to know about how it was read.")
    profile: AuditedProfile | None = Field(description="The commissioner's profile, where one was given.")


class AuditedPack(Part):
    """A pack that was used, and its score in points of 100."""

    id: str
    title: str
    version: str
    digest: str
    weight: float
    score: float | None
    low: float | None
    high: float | None
    coverage: float = Field(description="Share of the applicable weight that is decided, in percent.")
    grade: PackGrade | None = Field(description="How well its cases test its rules; null where that is not known.")


class Adjusted(Part):
    """A parameter or severity that was not as its pack has it, by the user's own configuration."""

    kind: Literal["parameter", "severity"]
    pack: str
    name: str = Field(description="The parameter; or the id of the rule, group or combined finding.")
    title: str
    before: str = Field(description="In words; severities as they are written in a pack.")
    after: str = Field(description='As `before`; "off" takes a rule or combined finding out of the audit.')
    basis: str | None = Field(description="What the parameter rested on: the source's figure, a law, a convention.")
    counted_with: str | None = Field(description="The group of the rule, whose weight stays as it was.")
    reason: str | None
    place: str | None = Field(description="File and line of the configuration.")


class AuditedGroup(Part):
    """Rules that show one fault: they share one weight."""

    id: str
    pack: str
    title: str
    severity: Severity
    strength: Strength


class TierUsed(Part):
    """The tier of the audit: how much is asked of a purchase of this size."""

    name: Tier | None = Field(description="None if the value is not known: larger tiers' rules are then unknown.")
    basis: Literal["value", "override", "unknown"]


class EngineUsed(Part):
    """Which engine combined the findings, and why."""

    name: Literal["reference", "durable"]
    digest: str = Field(description="SHA-256 of the code that judged and scored, as sha256:….")
    reason: str
    differences: tuple[str, ...] = Field(description="Where it disagreed with the reference, whose answer stands.")


class OverallScore(Part):
    """The score in points of 100."""

    score: float | None = Field(description="None where nothing is decided.")
    low: float | None = Field(description="If everything unknown turned out badly.")
    high: float | None = Field(description="If everything unknown turned out well.")
    coverage: float = Field(description="Share of what applies that is decided, in percent.")
    grade: str = Field(description='A to E, a range such as "C–A", or "insufficient evidence".')
    caps: tuple[str, ...] = Field(description="Why the grade can't be higher.")
    passes: int
    claimed: int = Field(description="Of the passes: those that rest only on statements without evidence.")
    evidenced: int = Field(
        default=0, description="Of the passes: those in which evidence stands behind each statement that decided."
    )

    @property
    def evidenced_share(self) -> float | None:
        """The share of the rules met that rest on evidenced facts, in percent; None where none is met.

        What is not met is left out on both sides: what a document says against itself needs no proof, and many
        failures must not make it look well evidenced.
        """
        return round(100 * self.evidenced / self.passes, 1) if self.passes else None


class EvidenceNamed(Part):
    """A document that shows a statement to be true."""

    document: str
    page: str | None
    url: str | None
    date: str | None = Field(description="ISO 8601.")


class FactStated(Part):
    """A fact that decided something: its value and its place."""

    name: str = Field(description="In a case, with @ and the document where several documents state the fact.")
    title: str
    value: Scalar | tuple[Scalar, ...] | None
    text: str = Field(description="The value as it is written in a sentence.")
    file: str = Field(description="The document, or the commissioner's profile.")
    pointer: str = Field(description="JSON pointer into the file.")
    line: int | None
    column: int | None
    evidenced: bool
    evidence: EvidenceNamed | None = Field(default=None, description="What stands behind it.")


class Contradiction(Part):
    """A fact of which the documents of a case say different things. It is not known which is right."""

    name: str = Field(description="The fact.")
    title: str
    severity: Severity = Field(
        description="High: documents get different verdicts of a rule by it; medium: a verdict rests on it; low: none."
    )
    statements: tuple[FactStated, ...] = Field(description="What each document says that states it, and where.")
    rules: tuple[str, ...] = Field(description="The rules whose verdicts rest on it.")


class FactMissing(Part):
    """A fact that would decide something."""

    name: str
    title: str
    question: str
    reason: str | None = Field(description="Why what is stated does not help.")
    narrows: float = Field(description="Points by which stating it would narrow the interval, at most.")
    rules: tuple[str, ...] = Field(description="The rules of practice that wait for it.")
    law: tuple[str, ...] = Field(default=(), description="The rules of law that wait for it.")


class Cited(Part):
    """A source: the work, and where in it."""

    work: str = Field(description="Author, title, publisher, year.")
    where: str | None = Field(description="The provision, section and lines, with what is said there.")
    url: str | None = Field(default=None, description="Where the work is published, as its pack says.")

    def __str__(self) -> str:
        return f"{self.work}: {self.where}" if self.where else self.work


class RuleInfo(Part):
    """A rule, as far as a reader of the report needs it."""

    id: str
    aliases: tuple[str, ...] = Field(default=(), description="Ids that it had before.")
    pack: str
    title: str
    asks: str
    phase: str
    level: Literal["core", "ext"]
    tier: Tier
    due_from: str
    severity: Severity
    strength: Strength
    kind: Literal["direct", "indicator", "manual"] = Field(description="manual: a person has answered it.")
    group: str | None
    scored: bool
    law: bool = Field(default=False, description="Of a law pack: shown apart, and never counted in the score.")
    same_fault_as: tuple[str, ...]
    why: str
    sources: tuple[Cited, ...]


class Waiver(Part):
    """A finding that somebody answers for until a day; it still shows, and does not count."""

    rule: str = Field(description="The rule, or the pattern, whose finding is waived.")
    document: str | None = Field(description="A glob of the document's id or file name; None is every document.")
    pointer: str | None = Field(description="JSON pointer: only what rests on this place is waived.")
    reason: str
    owner: str
    granted: str = Field(description="The first day on which it holds, ISO 8601.")
    expires: str = Field(description="The first day on which it no longer holds, ISO 8601.")
    note: str | None
    file: str = Field(description="The file of the waivers.")
    line: int | None


class WaiverFinding(Part):
    """What is wrong with a waiver."""

    kind: Literal["expired", "not_yet", "unused", "contradictory", "too_wide"]
    severity: Severity
    waiver: Waiver
    message: str
    file: str
    line: int | None
    concerns: tuple[str, ...] = Field(description="The rules and patterns of this report that count again.")


class BaselineUsed(Part):
    """The baseline that was used, and how much of it was found."""

    name: str
    hidden: int = Field(description="Findings that were there before.")
    mended: int = Field(description="Of this document: those that are there no more.")


class DocumentVerdict(Part):
    """What a rule says of one document of a case."""

    document: str = Field(description="Its name.")
    verdict: Verdict
    provisional: bool


class RuleResult(Part):
    """What one rule says."""

    rule: RuleInfo
    verdict: Verdict
    provisional: bool = Field(description="Decided on what is known; the missing facts could overturn it.")
    claimed: bool = Field(description="A pass that rests only on statements without evidence.")
    evidenced: bool = Field(
        default=False, description="Met or not met, and evidence stands behind each statement that decided."
    )
    severity: Severity = Field(description="Of this finding; never above the rule's.")
    finding: str | None
    remedy: str | None
    points: float | None = Field(description="Points that mending it would give (a group's, for its members).")
    notes: tuple[str, ...]
    reason: str | None = Field(description="Why it does not apply, is not due, or what would become of it.")
    decided_by: tuple[str, ...] = Field(description="Names in `facts`.")
    missing: tuple[str, ...] = Field(description="Names in `missing`.")
    waived: Waiver | None = Field(description="The waiver that holds: the finding shows and does not count.")
    known_before: bool = Field(description="In the baseline: no gate fails for it; it counts in the score.")
    document: str | None = Field(default=None, description="In a case: the document that settles it.")
    documents: tuple[DocumentVerdict, ...] = Field(
        default=(), description="In a case: what it says of each document that it is asked of."
    )
    law: tuple[LawUsed, ...] = Field(default=(), description="The numbers of the law that were used.")

    @property
    def stands(self) -> bool:
        """Whether this is a finding for a gate to judge: neither waived nor there before."""
        return self.verdict == "fail" and self.waived is None and not self.known_before


class PatternResult(Part):
    """What findings mean together."""

    id: str
    aliases: tuple[str, ...] = Field(default=(), description="Ids that it had before.")
    title: str
    pack: str
    concludes: str
    outcome: Outcome
    severity: Literal["high", "medium", "low", "positive"]
    why: str
    remedy: str | None
    because: tuple[str, ...] = Field(description="All that holds of what it looks for.")
    withdrawn_by: tuple[str, ...]
    would_be_withdrawn_by: tuple[str, ...]
    undecided: tuple[str, ...] = Field(description="What would settle an open one.")
    not_checked: tuple[str, ...] = Field(description="Members whose packs are not loaded.")
    missing: tuple[str, ...] = Field(description="Facts that would settle it; names in `missing`.")
    sources: tuple[Cited, ...]
    waived: Waiver | None = Field(description="The waiver that holds.")
    known_before: bool = Field(description="In the baseline: no gate fails for it.")

    @property
    def stands(self) -> bool:
        """Whether this is a finding for a gate to judge: neither waived nor there before, and no strength."""
        concluded = self.outcome == "concluded" and self.severity != "positive"
        return concluded and self.waived is None and not self.known_before


class AnswerGiven(Part):
    """A signed answer."""

    answer: Literal["yes", "no", "not_applicable"]
    by: str
    on: str = Field(description="ISO 8601.")
    note: str | None
    evidence: EvidenceNamed | None
    line: int | None = Field(description="In the file of answers.")


class QuestionAsked(Part):
    """A question that only a person can answer. Unanswered, it changes nothing; answered, it is among the results."""

    id: str
    pack: str
    title: str = Field(description="What is so if the answer is yes.")
    asks: str
    severity: Severity
    answer: AnswerGiven | None
    note: str | None = Field(description="Of the answer: it is old, or it is not used.")


class AnswersUsed(Part):
    """The file of answers that was used."""

    name: str
    digest: str = Field(description="SHA-256 of the input, as sha256:….")


class LetLogic(Part):
    """An intermediate value, as its pack writes it."""

    name: str
    expression: str = Field(description="In CEL; doubles are rounded to six decimals.")


class BranchLogic(Part):
    """One line of a decision."""

    verdict: Literal["pass", "fail"]
    condition: str
    severity: Severity


class RuleLogic(Part):
    """The conditions of a rule, so that anybody can repeat its verdict."""

    rule: str
    pack: str
    applies_to: tuple[str, ...]
    lets: tuple[LetLogic, ...] = Field(description="In the order in which they are computed.")
    when: str | None
    planned: str | None
    law: LawLogic | None = None
    require: bool = Field(description="Whether the first branch's condition decides both ways.")
    branches: tuple[BranchLogic, ...]


class TierLogic(Part):
    """The condition of a tier."""

    tier: Tier
    pack: str
    lets: tuple[LetLogic, ...]
    condition: str


class ValueSpan(Part):
    """A value by date."""

    value: Scalar
    start: str
    until: str | None
    regimes: tuple[str, ...] | None
    territories: tuple[str, ...] | None
    verified_on: str
    review_by: str


class LawLogic(Part):
    """For whom and when a rule of law holds."""

    regimes: tuple[str, ...] | None
    territories: tuple[str, ...] | None
    governed_by: tuple[str, ...] = Field(description="The facts that date it, the first that is stated first.")
    start: str | None
    until: str | None
    review_by: str | None
    dated: tuple[str, ...] = Field(description="The parameters that change with time.")


class ParameterUsed(Part):
    """A parameter that conditions use, with its value in this audit and what it rests on."""

    pack: str
    name: str
    value: Scalar | None
    bands: tuple[tuple[float | None, float], ...] | None = Field(description="Steps: below this limit, that value.")
    unit: str | None
    basis: str
    why: str
    spans: tuple[ValueSpan, ...] = Field(
        default=(), description="The values by date, of a number that changes with time."
    )


class RegimeLogic(Part):
    """A sign by which it is known under which law a document stands."""

    id: str
    title: str
    territories: tuple[str, ...]
    pack: str
    settles: bool = Field(description="Whether it settles it where it is there, and is passed over where it is not.")
    lets: tuple[LetLogic, ...]
    condition: str


class CaseUsed(Part):
    """The documents of a case, audited together."""

    id: str | None
    documents: tuple[AuditedDocument, ...]
    contradictions: tuple[Contradiction, ...] = Field(description="In the order of the commissioning cycle.")


class DocumentProof(Part):
    """All that conditions were asked with of one document, where it stands, and the law that it may be under."""

    document: str = Field(description="Its name.")
    facts: Annotated[
        dict[str, Any],
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        {"type": ["boolean", "number", "string"]},
                        {"type": "array", "items": {"type": "string"}},
                        {"type": "array", "items": {"type": "object"}},
                    ]
                },
            }
        ),
    ] = Field(
        description="By name, as conditions see them: dates in days since 1970-01-01, money in `currency`. "
        "With .given: whether it is more than none; with .complete: whether a list names all. What is not here is "
        "unknown."
    )
    places: dict[str, str] = Field(
        description="By fact: its JSON pointer; of what is from elsewhere (the commissioner's profile, another "
        "document of the case), the file, # and the pointer there."
    )
    evidenced: tuple[str, ...] = Field(description="The facts that evidence stands behind, at least in part.")
    regimes: tuple[str, ...] | None = Field(description="The laws that it may be under; null: any.")
    territories: tuple[str, ...] | None = Field(
        description="The parts of the United Kingdom whose law may bind the body; null: any."
    )

    def __hash__(self) -> int:
        return hash((self.document, tuple(self.places), self.evidenced))


class AuditReport(Part):
    """The audit of one description: a pure function of the description, the packs and the day.

    All texts are plain UK English. Money is in the packs' currency, coverage and shares in percent, scores in points
    of 100. References such as ``requirements.insurance[0].cover`` name facts of the description.
    """

    schema_version: Literal["1.0", "1.1"] = SCHEMA_VERSION
    goodcommission: str = Field(description="The version of goodcommission.")
    document: AuditedDocument = Field(description="What was audited; of a case (kind: case), the case as a whole.")
    case: CaseUsed | None = Field(default=None, description="Where several documents were audited together.")
    as_of: Annotated[str | None, Field(description="The day of the audit, ISO 8601.")]
    as_of_basis: Literal["given", "document", "unknown"]
    require_evidence: bool = Field(
        default=False, description="Whether rules that are met by bare claims, or not asked by them, are unknown."
    )
    tier: TierUsed
    engine: EngineUsed
    packs_digest: str
    packs: tuple[AuditedPack, ...]
    regime: RegimeUsed
    laws: tuple[AuditedLaw, ...] = Field(description="Law apart from practice: not in the score; not legal advice.")
    groups: tuple[AuditedGroup, ...]
    adjusted: tuple[Adjusted, ...] = Field(description="What was not as the packs have it.")
    score: OverallScore
    score_without_waivers: OverallScore | None = Field(description="Where waivers were given: what it is without them.")
    waiver_findings: tuple[WaiverFinding, ...]
    baseline: BaselineUsed | None
    answers: AnswersUsed | None = None
    questions: tuple[QuestionAsked, ...] = Field(default=(), description="What only a person can answer.")
    results: tuple[RuleResult, ...]
    patterns: tuple[PatternResult, ...]
    facts: tuple[FactStated, ...]
    missing: tuple[FactMissing, ...] = Field(description="What to state first comes first.")
    proof: tuple[DocumentProof, ...] = Field(
        default=(), description="Of each document, what its verdicts follow from. Reports of format 1.0 have none."
    )
    currency: str = Field(description="ISO 4217 code of the rules' limits.")
    logic: tuple[RuleLogic, ...] = Field(description="The conditions of all rules.")
    tiers: tuple[TierLogic, ...] = Field(description="The conditions of the tiers.")
    regimes: tuple[RegimeLogic, ...] = Field(description="The signs by which the law is known.")
    parameters: tuple[ParameterUsed, ...] = Field(description="The numbers that the conditions use.")
    digest: str | None = Field(default=None, exclude=True, repr=False)
    """Of a report that was read back: the SHA-256 of its text, without the line that holds it."""

    def result(self, rule: str) -> RuleResult:
        """The result of one rule, also under an id that it had before.

        Raises:
            KeyError: The rule was not part of this audit.
        """
        for result in self.results:
            if result.rule.id == rule or rule in result.rule.aliases:
                return result
        raise KeyError(rule)

    def pattern(self, id: str) -> PatternResult:
        """The result of one pattern, also under an id that it had before.

        Raises:
            KeyError: The pattern was not part of this audit.
        """
        for pattern in self.patterns:
            if pattern.id == id or id in pattern.aliases:
                return pattern
        raise KeyError(id)

    def to_json(self) -> str:
        """The report as JSON, the same bytes for the same audit; it follows ``schemas/report.schema.json``.

        Its last line is the digest of all before it, by which ``goodcommission verify`` notices any change.
        """
        return report_bytes(self).decode()
