"""Rule packs as they are written: parameters, lets, rules, patterns, sources and cases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from goodcommission.description.model import Kind, Phase, Stage

Verdict = Literal["pass", "fail", "unknown", "not_applicable", "not_yet_due"]
Severity = Literal["high", "medium", "low"]
Strength = Literal["recommendation", "needs-to-happen", "good-practice", "experience"]
Tier = Literal["small", "medium", "large"]
Outcome = Literal["concluded", "open", "excluded"]
Basis = Literal["figure in text", "convention", "law", "guidance"]
Rounding = Literal["down", "up", "nearest"]
PackKind = Literal["practice", "law"]
Territory = Literal["england", "wales", "scotland", "northern_ireland", "united_kingdom"]

STAGES: tuple[str, ...] = get_args(Stage)
TIERS: tuple[str, ...] = get_args(Tier)
SEVERITIES: tuple[str, ...] = get_args(Severity)
EACH = "[*]"
"""What stands in the name of a fact, in an edit, for each item of its list."""


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class Part(BaseModel):
    """A closed, immutable part of a pack."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True, defer_build=True)


Text = Annotated[str, StringConstraints(min_length=1, pattern=r"\S", strip_whitespace=True)]
Condition = Annotated[str, StringConstraints(min_length=1, pattern=r"\S", strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
PackId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]*-[0-9]+[A-Za-z]?$")]
ConclusionId = Annotated[str, StringConstraints(pattern=r"^(risk|strength)\.[a-z][a-z0-9_]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
Real = Annotated[float, BeforeValidator(_float)]


def _day(value: Any) -> Any:
    """A day as it is written."""
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value) if len(value) == 10 else value
        except ValueError:
            raise PydanticCustomError("day", "there is no such day in the calendar") from None
    return value


Day = Annotated[dt.date, BeforeValidator(_day)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_tuple), Field(min_length=1)]
Territories = Annotated[tuple[Territory, ...], BeforeValidator(_tuple), Field(min_length=1)]


class Band(Part):
    """One step of a banded parameter: the value that holds below a limit; the last band has no limit."""

    below: Real | None = None
    is_: Real = Field(alias="is")


class DatedValue(Part):
    """A value that holds from one day to another, for some regimes and territories or for all."""

    value: Annotated[int | float | str, BeforeValidator(_float)]
    from_: Day = Field(alias="from")
    until: Day | None = None
    regimes: Names | None = None
    territories: Territories | None = None
    source: PackId
    provision: Text
    verified_on: Day
    review_by: Day
    note: Text | None = None

    @model_validator(mode="after")
    def _in_order(self) -> DatedValue:
        if self.until is not None and self.until < self.from_:
            raise PydanticCustomError("dated", "`until` lies before `from`")
        if self.review_by < self.verified_on:
            raise PydanticCustomError("dated", "`review_by` lies before `verified_on`")
        return self


class Parameter(Part):
    """A named number or text: nothing is hidden in a condition."""

    value: Annotated[int | float | str | None, BeforeValidator(_float)] = None
    bands: Annotated[tuple[Band, ...], BeforeValidator(_tuple)] | None = None
    values: Annotated[tuple[DatedValue, ...], BeforeValidator(_tuple), Field(min_length=1)] | None = None
    unit: Text | None = None
    basis: Basis
    why: Text

    @model_validator(mode="after")
    def _one_of(self) -> Parameter:
        if sum(part is not None for part in (self.value, self.bands, self.values)) != 1:
            raise PydanticCustomError("parameter", "a parameter has either a value, bands, or values by date")
        if len({type(one.value) for one in self.values or ()}) > 1:
            raise PydanticCustomError("parameter", "the values of a parameter are of one type")
        if self.unit == "date" and isinstance(self.value, str):
            try:
                dt.date.fromisoformat(self.value)
            except ValueError:
                raise PydanticCustomError("parameter", "there is no such day in the calendar") from None
        if self.bands is not None:
            limits = [band.below for band in self.bands]
            if not limits or limits[-1] is not None or None in limits[:-1] or limits[:-1] != sorted(set(limits[:-1])):  # type: ignore[type-var]
                raise PydanticCustomError("bands", "bands have rising limits, and the last has none")
        return self

    @property
    def latest(self) -> int | float | str | None:
        """The value; of those that change with time, the one that came last."""
        return max(self.values, key=lambda one: one.from_).value if self.values else self.value


class Let(Part):
    """A named, typed intermediate value; the only place for arithmetic."""

    is_: Condition = Field(alias="is")
    unit: Text | None = None
    round: Rounding = "nearest"


class Work(Part):
    """A source: a report, a law, guidance."""

    title: Text
    author: Text | None = None
    publisher: Text | None = None
    year: int | None = None
    kind: Literal["practice", "law", "guidance"] = "practice"
    url: Text | None = None


class Citation(Part):
    """Where in a source it says so."""

    source: PackId
    section: Text | None = None
    lines: Text | None = None
    provision: Text | None = None
    note: Text | None = None


class Edit(Part):
    """One change of the description that mends a failure."""

    set: Text | None = None
    add: Text | None = None
    where: Condition | None = None
    to: Condition | None = None
    value: Any = None
    kind: Literal["safe", "decision", "evidence"]

    @model_validator(mode="after")
    def _one_of(self) -> Edit:
        if (self.set is None) == (self.add is None):
            raise PydanticCustomError("edit", "an edit has either `set` (a fact) or `add` (to a list)")
        if (self.to is None) == (self.value is None):
            raise PydanticCustomError("edit", "an edit has either `to` (worked out) or `value` (as it is written)")
        return self


Edits = Annotated[tuple[Edit, ...], BeforeValidator(_tuple)]
Citations = Annotated[tuple[Citation, ...], BeforeValidator(_tuple)]


class Branch(Part):
    """One line of a decision: the verdict, and the condition under which it is given."""

    pass_: Condition | None = Field(default=None, alias="pass")
    fail: Condition | None = None
    severity: Severity | None = None
    finding: Text | None = None
    remedy: Text | None = None
    mend: Edits | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Branch:
        if (self.pass_ is None) == (self.fail is None):
            raise PydanticCustomError("branch", "a branch has either `pass` or `fail`")
        if self.fail is not None and self.finding is None:
            raise PydanticCustomError("branch", "a `fail` branch has a `finding`")
        if self.pass_ is not None and (self.finding or self.remedy or self.mend or self.severity):
            raise PydanticCustomError("branch", "a `pass` branch has no finding, remedy, mend or severity")
        return self


class Note(Part):
    """Advice that never changes a verdict."""

    when: Condition
    text: Text


class Case(Part):
    """An example that proves a rule: a description, and the verdict it must get."""

    name: Text
    given: dict[str, Any]
    expect: Verdict
    severity: Severity | None = None
    provisional: bool | None = None
    missing: Annotated[tuple[str, ...], BeforeValidator(_tuple)] | None = None
    finding: Text | None = None
    tier: Literal["from_value", "small", "medium", "large"] = "large"
    as_of: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None


class InForce(Part):
    """When a law is in force."""

    from_: Day | None = Field(default=None, alias="from")
    until: Day | None = None


class LawScope(Part):
    """For whom the rules of a law pack hold, unless a rule says otherwise, and when they were verified."""

    regimes: Names | None = None
    territories: Territories | None = None
    verified_on: Day
    review_by: Day

    @model_validator(mode="after")
    def _in_order(self) -> LawScope:
        if self.review_by < self.verified_on:
            raise PydanticCustomError("law", "`review_by` lies before `verified_on`")
        return self


class RegimeSign(Part):
    """Something by which it is known under which law a document stands."""

    id: Name
    title: Text
    territories: Territories
    if_stated: Condition | None = None
    when: Condition | None = None
    because: Text

    @model_validator(mode="after")
    def _one_of(self) -> RegimeSign:
        if (self.if_stated is None) == (self.when is None):
            raise PydanticCustomError("regime", "a regime has either `if_stated` or `when`")
        return self


class Rule(Part):
    """One principle, made checkable."""

    id: RuleId
    aliases: Annotated[tuple[RuleId, ...], BeforeValidator(_tuple)] = ()
    title: Text
    asks: Text
    phase: Phase | Literal["all"]
    applies_to: Annotated[tuple[Kind, ...], BeforeValidator(_tuple), Field(min_length=1)]
    due_from: Stage = "draft"
    tier: Tier = "medium"
    level: Literal["core", "ext"] = "core"
    severity: Severity
    strength: Strength
    kind: Literal["direct", "indicator"]
    group: PackId | None = None
    scored: bool = True
    same_fault_as: Annotated[tuple[RuleId, ...], BeforeValidator(_tuple)] = ()
    regimes: Names | None = None
    territories: Territories | None = None
    governed_by: Text | None = None
    in_force: InForce | None = None
    when: Condition | None = None
    planned: Condition | None = None
    let: dict[Name, Let] = Field(default_factory=dict)
    require: Condition | None = None
    finding: Text | None = None
    decide: Annotated[tuple[Branch, ...], BeforeValidator(_tuple)] | None = None
    notes: Annotated[tuple[Note, ...], BeforeValidator(_tuple)] = ()
    why: Text
    remedy: Text
    mend: Edits = ()
    sources: Annotated[Citations, Field(min_length=1)]
    cases: Annotated[tuple[Case, ...], BeforeValidator(_tuple)] = ()

    @model_validator(mode="after")
    def _one_of(self) -> Rule:
        if (self.require is None) == (self.decide is None):
            raise PydanticCustomError("rule", "a rule has either `require` or `decide`")
        if self.require is not None and self.finding is None:
            raise PydanticCustomError("rule", "a rule with `require` has a `finding`")
        if self.decide is not None and self.finding is not None:
            raise PydanticCustomError("rule", "a rule with `decide` has its findings on the branches")
        return self


class Question(Part):
    """A question that only a person can answer; a signed answer counts as a rule of its pack does."""

    id: RuleId
    title: Text
    """What is so if the answer is yes."""
    asks: Text
    phase: Phase | Literal["all"] = "all"
    applies_to: Annotated[tuple[Kind, ...], BeforeValidator(_tuple), Field(min_length=1)]
    severity: Severity
    strength: Strength
    good_for_months: Annotated[int, Field(ge=1, le=120)] = 24
    """After so many months an answer is shown as old."""
    finding: Text
    """What is found if the answer is no."""
    why: Text
    remedy: Text
    sources: Annotated[Citations, Field(min_length=1)]


class Group(Part):
    """Rules that show one fault: they share one weight."""

    title: Text
    severity: Severity
    strength: Strength


class Match(Part):
    """One thing that a pattern looks for: a rule's or a group's verdict, or the conclusion of another pattern."""

    rule: RuleId | None = None
    group: PackId | None = None
    conclusion: ConclusionId | None = None
    verdict: Literal["pass", "fail", "not_applicable"] | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Match:
        if sum(x is not None for x in (self.rule, self.group, self.conclusion)) != 1:
            raise PydanticCustomError("match", "name one of `rule`, `group` or `conclusion`")
        if (self.conclusion is None) != (self.verdict is not None):
            raise PydanticCustomError("match", "a rule or group has a `verdict`, a conclusion has none")
        return self


Matches = Annotated[tuple[Match, ...], BeforeValidator(_tuple)]


class AtLeast(Part):
    """So many of these."""

    count: Annotated[int, Field(ge=1)]
    of: Annotated[Matches, Field(min_length=1)]


class PatternCase(Part):
    """An example that proves a pattern: verdicts (unknown where none is given) and facts, and what comes of them."""

    name: Text
    verdicts: dict[str, Verdict] = Field(default_factory=dict)
    given: dict[str, Any] = Field(default_factory=dict, alias="facts")
    expect: Outcome
    severity: Literal["high", "medium", "low", "positive"] | None = None


class Pattern(Part):
    """Findings that mean more together than each alone."""

    id: RuleId
    aliases: Annotated[tuple[RuleId, ...], BeforeValidator(_tuple)] = ()
    title: Text
    concludes: ConclusionId
    severity: Literal["high", "medium", "low", "positive"]
    phase: Phase | Literal["all"] = "all"
    let: dict[Name, Let] = Field(default_factory=dict)
    when: Condition | None = None
    all_of: Matches = ()
    any_of: Matches = ()
    at_least: AtLeast | None = None
    unless: Matches = ()
    raised_by: Matches = ()
    lowered_by: Matches = ()
    why: Text
    remedy: Text | None = None
    sources: Citations = ()
    cases: Annotated[tuple[PatternCase, ...], BeforeValidator(_tuple)] = ()

    @model_validator(mode="after")
    def _something(self) -> Pattern:
        if not (self.all_of or self.any_of or self.at_least):
            raise PydanticCustomError("pattern", "a pattern has at least one of `all_of`, `any_of`, `at_least`")
        return self


class PackChange(Part):
    """What a pack changes in another: the value of a parameter, or the severity of a rule; ``off`` takes it out."""

    parameter: Name | None = None
    of: PackId | None = None
    value: Annotated[int | float | str | None, BeforeValidator(_float)] = None
    bands: Annotated[tuple[Band, ...], BeforeValidator(_tuple)] | None = None
    unit: Text | None = None
    rule: RuleId | PackId | None = None
    severity: Severity | Literal["off"] | None = None
    reason: Text

    @model_validator(mode="after")
    def _one_of(self) -> PackChange:
        numbers = (self.of, self.value if self.value is not None else self.bands)
        if (self.parameter is None) == (self.rule is None):
            raise PydanticCustomError("change", "a change is of a `parameter` or of a `rule`")
        if self.parameter is not None and (None in numbers or self.severity is not None):
            raise PydanticCustomError("change", "a change of a `parameter` names its pack (`of`) and a `value`")
        if self.rule is not None and (self.severity is None or any(part is not None for part in numbers)):
            raise PydanticCustomError("change", "a change of a `rule` gives its `severity`: high, medium, low or off")
        return self


class PackGrade(Part):
    """How well the cases of a pack test its rules: how many mistakes that were made in them on purpose they notice."""

    letter: Literal["A", "B", "C", "D", "E"] = Field(description="A from 95%, B from 85%, C from 70%, D from 50%.")
    percent: float = Field(description="Share of the mutants that the cases notice, rounded down.")
    cases: int
    mutants: int = Field(description="Mutants that some description tells from the rule as it stands.")
    killed: int = Field(description="Of these, the mutants that the cases notice.")
    equivalents: int = Field(description="Mutants that no description that was tried tells apart; they do not count.")


class Pack(Part):
    """A rule pack, or a file of definitions that packs use."""

    pack: PackId | None = None
    definitions: PackId | None = None
    kind: PackKind = "practice"
    law: LawScope | None = None
    version: Version
    title: Text
    about: Text | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "GBP"
    weight: Annotated[Real, Field(gt=0)] = 1.0
    uses: Annotated[tuple[PackId, ...], BeforeValidator(_tuple)] = ()
    extends: Annotated[tuple[PackId, ...], BeforeValidator(_tuple)] = ()
    changes: Annotated[tuple[PackChange, ...], BeforeValidator(_tuple)] = ()
    sources: dict[PackId, Work] = Field(default_factory=dict)
    parameters: dict[Name, Parameter] = Field(default_factory=dict)
    tiers: dict[Literal["medium", "large"], Condition] = Field(default_factory=dict)
    let: dict[Name, Let] = Field(default_factory=dict)
    groups: dict[PackId, Group] = Field(default_factory=dict)
    regimes: Annotated[tuple[RegimeSign, ...], BeforeValidator(_tuple)] = ()
    rules: Annotated[tuple[Rule, ...], BeforeValidator(_tuple)] = ()
    patterns: Annotated[tuple[Pattern, ...], BeforeValidator(_tuple)] = ()
    questions: Annotated[tuple[Question, ...], BeforeValidator(_tuple)] = ()

    @model_validator(mode="after")
    def _one_of(self) -> Pack:
        if (self.pack is None) == (self.definitions is None):
            raise PydanticCustomError("pack", "a file is either a `pack` or `definitions`")
        if (self.kind == "law") != (self.law is not None):
            raise PydanticCustomError(
                "law", "a pack of `kind: law`, and no other, says under `law` when it was verified"
            )
        if self.regimes and self.pack:
            raise PydanticCustomError("regimes", "regimes stand in a file of definitions")
        if self.definitions and (
            self.rules or self.patterns or self.questions or self.groups or self.extends or self.changes
        ):
            raise PydanticCustomError(
                "definitions",
                "a file of definitions holds no rules, groups, patterns, questions or changes, and extends no pack",
            )
        return self

    @property
    def id(self) -> str:
        """The pack's or the definitions' id."""
        return self.pack or self.definitions or ""
