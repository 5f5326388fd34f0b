"""The report on a template: what each rule says of it whatever is filled in; a plain, immutable value."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from goodcommission.packs.model import Severity, Tier
from goodcommission.report.model import AuditedProfile, Part, RuleInfo, Scalar

Holds = Literal["always", "never", "depends", "depends_and_unstated", "not_evidenced", "not_asked", "unsolved"]
Outcome = Literal["met", "not_met", "not_asked", "not_evidenced"]


class TemplateDocument(Part):
    """The template."""

    name: str = Field(description="The file as it was named, or how the template came.")
    kind: str
    stage: str | None
    id: str | None
    title: str | None
    digest: str = Field(description="SHA-256 of the input, as sha256:….")
    profile: AuditedProfile | None = Field(description="The commissioner's profile, where one was given.")


class PlaceholderPlace(Part):
    """Where a placeholder stands."""

    fact: str | None = Field(description="None in the evidence, which no rule reads.")
    title: str
    pointer: str
    line: int | None
    column: int | None


class PlaceholderInfo(Part):
    """A value that is left open."""

    name: str
    type: str = Field(
        description="bool, int, double, money, date, enum, text, list_…; evidence where no rule reads it."
    )
    unit: str | None
    places: tuple[PlaceholderPlace, ...]
    lowest: Scalar | None = Field(description="The lowest figure that the rest of the template allows, if it sets one.")
    highest: Scalar | None = Field(
        description="The highest figure that the rest of the template allows, if it sets one."
    )
    rules: tuple[str, ...] = Field(description="The rules that are met for some of its values only.")


class Range(Part):
    """Figures or dates between two ends; an end that is None is open."""

    low: Scalar | None
    low_included: bool
    high: Scalar | None
    high_included: bool
    text: str = Field(description="As a sentence says it, with the placeholder's name: contract_value ≥ £450,000.")


class Ending(Part):
    """For which values of one placeholder a rule ends in one way."""

    outcome: Outcome
    provisional: bool = Field(description="What is not stated could overturn it.")
    ranges: tuple[Range, ...] = Field(description="Of figures and dates.")
    values: tuple[Scalar, ...] = Field(description="Of all else, and none where a figure may be stated as none.")
    text: str


class GivenValue(Part):
    """What another placeholder is taken to be."""

    placeholder: str
    ranges: tuple[Range, ...] = Field(description="Of figures and dates.")
    values: tuple[Scalar, ...] = Field(description="Of all else.")
    text: str


class Solved(Part):
    """How a rule ends for each value of one placeholder, given the values of others."""

    given: tuple[GivenValue, ...]
    placeholder: str
    endings: tuple[Ending, ...]
    text: str


class TemplateRule(Part):
    """What one rule says of the template, over everything that may be filled in."""

    rule: RuleInfo
    severity: Severity = Field(description="Of the most severe finding there can be, or of the rule.")
    holds: Holds
    placeholders: tuple[str, ...] = Field(description="Those on which it depends, if only whether it is asked.")
    outcomes: tuple[Outcome, ...] = Field(description="How it can end.")
    provisional: bool = Field(description="What is not stated could overturn it.")
    solved: tuple[Solved, ...] = Field(description="The values for which it is met, where they could be worked out.")
    text: str = Field(description="The answer in a sentence.")
    reason: str | None = Field(description="Why the values are not given.")
    missing: tuple[str, ...] = Field(description="Facts besides placeholders that would decide it.")
    finding: str | None = Field(description="Where it is never met: what is found.")
    remedy: str | None


class TemplateCounts(Part):
    """How many rules hold, never hold, depend."""

    always: int
    never: int
    depends: int
    depends_and_unstated: int
    not_evidenced: int
    not_asked: int
    unsolved: int


class TemplateReport(Part):
    """What rules say of a template: a pure function of the template, the packs and the day.

    A rule *always* holds if it is met whatever is filled in, and *never* if it is not met whatever is filled in; what
    is filled in so that the rule is not asked counts for neither. Amounts are in whole pence and up to £1,000 billion,
    shares in hundredths of a percent, other numbers in hundredths, dates from 2000 to 2199. What the template neither
    states nor leaves to a placeholder is unknown. What is filled in must fit what is stated: a deadline does not lie
    before the publication.
    """

    schema_version: Literal["1.0"] = "1.0"
    goodcommission: str = Field(description="The version of goodcommission.")
    template: TemplateDocument
    as_of: str | None = Field(description="The day of the audit, ISO 8601; None: the document's own.")
    tier: Tier | None = Field(description="The tier that was asked for; None: by the value of the contract.")
    packs_digest: str
    placeholders: tuple[PlaceholderInfo, ...]
    counts: TemplateCounts
    rules: tuple[TemplateRule, ...]

    def rule(self, id: str) -> TemplateRule:
        """The result of one rule.

        Raises:
            KeyError: The rule is not in the packs.
        """
        for rule in self.rules:
            if rule.rule.id == id:
                return rule
        raise KeyError(id)

    def to_json(self) -> str:
        """The report as JSON, the same bytes for the same template."""
        return self.model_dump_json(indent=2) + "\n"
