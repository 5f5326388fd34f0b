"""Verdicts: one rule applied to the facts of one description, in three-valued logic."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from goodcommission.description.facts import GIVEN, Facts, dictionary
from goodcommission.engine.conditions import UNKNOWN, Condition, Explained, View
from goodcommission.engine.law import UNKNOWN_REGIME, Law, Regime, Standing, stand
from goodcommission.engine.texts import Text, say
from goodcommission.packs.model import TIERS, Branch, Edit, Let, Note, Parameter, Rule, Severity, Verdict

_NO_LETS: Final[Mapping[str, Explained]] = {}
REMEMBERED: Final = 512
"""How many answers of one rule are remembered; then they are forgotten together."""
_PARAMS: Final = "params."
LET_DIGITS: Final = 6
"""0.08 < 0.8 * 0.1 is true in doubles; six decimals are far below a penny and far above the error."""
_MANY: Final = 100


@dataclass(frozen=True, slots=True)
class CompiledLet:
    """A let, ready to be computed."""

    name: str
    owner: str
    """The pack or definitions (shared by all its rules), or the rule."""
    let: Let
    value: Condition
    facts: tuple[str, ...]
    constants: Mapping[str, Any]
    lets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledBranch:
    """One line of a decision."""

    verdict: Literal["pass", "fail"]
    condition: Condition
    branch: Branch | None
    severity: Severity
    finding: Text | None
    remedy: Text | None
    mend: tuple[CompiledEdit, ...]


@dataclass(frozen=True, slots=True)
class CompiledEdit:
    """One edit of a mend."""

    edit: Edit
    name: str
    """The fact: for an edit of items or one more of them, the list."""
    field: str | None
    """For an edit of items: the field of each."""
    value: Condition | None
    where: Condition | None
    """Whether the list has an item that the edit is for; asked of one item at a time."""

    @property
    def names(self) -> frozenset[str]:
        """The facts, parameters and lets that it needs."""
        return frozenset(name for condition in (self.value, self.where) if condition for name in condition.names)


@dataclass(frozen=True, slots=True)
class CompiledNote:
    """A piece of advice."""

    note: Note
    condition: Condition
    text: Text


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule, ready to be applied."""

    rule: Rule
    pack: str
    currency: str
    when: Condition | None
    planned: Condition | None
    branches: tuple[CompiledBranch, ...]
    """A ``require`` is two branches with one condition: see ``require``."""
    require: bool
    notes: tuple[CompiledNote, ...]
    lets: tuple[CompiledLet, ...]
    """In the order in which they are computed; only those that the rule needs."""
    facts: tuple[str, ...]
    """The facts that its conditions mention directly."""
    constants: Mapping[str, Any]
    parameters: Mapping[str, Parameter]
    tier: int
    due: int
    reads: tuple[str, ...]
    """All facts that its conditions and lets read: with them, the tier and the stage, its verdict is settled."""
    units: Mapping[str, tuple[str | None, str]]
    """Unit and side of rounding of each let."""
    law: Law | None = None
    """For a rule of law, or one whose numbers change with time: for whom and when it holds."""
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """Verdicts by what was read: most descriptions say the same of most rules."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleVerdict:
    """What a rule says of a description."""

    rule: CompiledRule
    verdict: Verdict
    severity: Severity
    provisional: bool = False
    claimed: bool = False
    """A pass that rests only on statements without evidence."""
    evidenced: bool = False
    """Whether evidence stands behind each statement that decided it."""
    settled: tuple[str, ...] = ()
    """References of the facts that decided it, such as ``requirements.insurance[0].cover``."""
    missing: tuple[str, ...] = ()
    """References of the facts that would decide it, or could overturn a provisional verdict."""
    finding: str | None = None
    remedy: str | None = None
    notes: tuple[str, ...] = ()
    reason: str | None = None
    """Why a rule does not apply or is not due yet, or what would become of it, in one sentence."""
    branch: int | None = None
    standing: Standing | None = None
    """Of a rule of law that holds here: with which numbers."""
    kept: list[Any] = field(default_factory=list, repr=False)
    """What others make of this verdict, for as long as it is remembered: the report's form of it."""


@dataclass(slots=True)
class Setting:
    """What all rules of one audit share."""

    facts: Facts
    kind: str
    stage: int | None
    """The index of the stage reached; None if it is not stated."""
    tiers: tuple[Explained, ...]
    """For each tier: whether the description is at least of it."""
    as_of: int | None
    lets: dict[tuple[str, str], Explained] = field(default_factory=dict)
    """Lets of packs and definitions that have been computed already."""
    regime: Regime = UNKNOWN_REGIME
    """The law that the document is under."""
    stated: Mapping[str, Any] | None = None
    """All that the document states, where `facts` are only what is evidenced: a law is dated by its word."""
    by_law: dict[tuple[tuple[str, Any], ...], Setting] = field(default_factory=dict)
    """This setting with the numbers of a law, by these."""

    def under(self, standing: Standing) -> Setting:
        """The same with the numbers that a law has for this document."""
        if not standing.values:
            return self
        key = tuple(standing.values.items())
        known = self.by_law.get(key)
        if known is None:
            facts = replace(self.facts, values={**self.facts.values, **standing.values})
            known = self.by_law[key] = replace(self, facts=facts, lets={}, by_law={})
        return known


def compute_let(
    let: CompiledLet,
    values: Mapping[str, Any],
    lets: Mapping[str, Explained],
    evidence: Callable[[str], object] | None = None,
) -> Explained:
    """The value of one let, rounded, with the facts that it rests on or that are missing."""
    value, settled, missing = let.value.explain(values, lets, evidence)
    if isinstance(value, float):
        value = round(value, LET_DIGITS) if math.isfinite(value) else UNKNOWN
    return (UNKNOWN, (), _once(missing)) if value is UNKNOWN else (value, _once(settled), ())


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Each of many names once: lets that rest on lets would name them again and again."""
    return names if len(names) < _MANY else tuple(dict.fromkeys(names))


def compute_lets(rule: CompiledRule, setting: Setting) -> Mapping[str, Explained]:
    """The lets that a rule needs, in order; those of packs and definitions are computed once an audit.

    A let is computed by its tree, which gives the facts it rests on as well; that CEL computes the same is tested.
    """
    if not rule.lets:
        return _NO_LETS
    lets: dict[str, Explained] = {}
    values, evidence = setting.facts.values, evidence_of(setting.facts)
    for let in rule.lets:
        key = (let.owner, let.name)
        known = setting.lets.get(key)
        if known is None:
            known = setting.lets[key] = compute_let(let, values, lets, evidence)
        lets[let.name] = known
    return lets


def view_of(rule: CompiledRule, setting: Setting, lets: Mapping[str, Explained]) -> View:
    """CEL's view of what a rule's conditions may name: its facts, its parameters, its lets."""
    values = setting.facts.values
    data = {name: values[name] for name in rule.facts if name in values}
    data.update(rule.constants)
    for name, (value, _, _) in lets.items():
        if value is not UNKNOWN:
            data[name] = value
    return View(data)


def speaker(rule: CompiledRule, facts: Facts, lets: Mapping[str, Explained]) -> Any:
    """The function that writes a named value in a sentence."""
    entries, units = dictionary(), rule.units

    def value_of(name: str) -> str:
        if name in units:
            unit, side = units[name]
            return "not known" if lets[name][0] is UNKNOWN else say(lets[name][0], unit, side)
        if name.startswith("params."):
            parameter = rule.parameters[name.removeprefix("params.")]
            value = facts.values.get(name, parameter.value)
            return "not known" if value is None else say(value, parameter.unit)
        value = facts.values.get(name, UNKNOWN)
        fact = entries[name]
        if value is UNKNOWN:
            return "none" if facts.values.get(name + GIVEN) is False else "not known"
        if facts.values.get(name + GIVEN) is False and fact.type == "money":
            return "nothing"
        unit = {"money": rule.currency, "date": "date", "enum": "enum"}.get(fact.type, fact.unit)
        return say(value, unit)

    return value_of


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names)) if len(names) > 1 else names


@dataclass(slots=True)
class _Decision:
    verdict: Literal["pass", "fail", "unknown"]
    provisional: bool = False
    settled: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    branch: int | None = None


def evidence_of(facts: Facts) -> Callable[[str], object] | None:
    """What stands behind a fact; None where there is no evidence for any."""
    return facts.evidence_for if facts.evidenced else None


def _decide(rule: CompiledRule, view: View, facts: Facts, lets: Mapping[str, Explained]) -> _Decision:
    values, evidence = facts.values, evidence_of(facts)
    if rule.require:
        condition = rule.branches[0].condition
        value = condition.value(view)
        _, settled, missing = condition.explain(values, lets, evidence)
        if value is UNKNOWN:
            return _Decision("unknown", missing=missing)
        return _Decision("pass" if value else "fail", settled=settled, branch=None if value else 1)
    undecided: list[CompiledBranch] = []
    for index, branch in enumerate(rule.branches):
        value = branch.condition.value(view)
        if value is True:
            settled = branch.condition.explain(values, lets, evidence)[1]
            overturning = [other for other in undecided if other.verdict != branch.verdict]
            missing = tuple(n for other in overturning for n in other.condition.explain(values, lets)[2])
            return _Decision(branch.verdict, bool(overturning), settled, missing, index)
        if value is UNKNOWN:
            undecided.append(branch)
    return _Decision(
        "unknown", missing=tuple(name for branch in undecided for name in branch.condition.explain(values, lets)[2])
    )


def what_is_read(rule: CompiledRule, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The values of all facts that a rule reads, or None if one is a list of records, which can't be compared fast."""
    read = tuple(map(values.get, rule.reads))
    if list in map(type, read):
        if any(type(value) is list and value and type(value[0]) is dict for value in read):
            return None
        return tuple(tuple(value) if type(value) is list else value for value in read)
    return read


def remember(rule: CompiledRule, key: tuple[Any, ...], answer: Any) -> None:
    """Keep an answer of a rule; the memory is bounded."""
    if len(rule.memory) >= REMEMBERED:
        rule.memory.clear()
    rule.memory[key] = answer


def ask(gate: CompiledRule, setting: Setting) -> Explained:
    """The value of a condition by itself, with the facts that settled it or are missing; remembered as verdicts are."""
    key = what_is_read(gate, setting.facts.values)
    known: Explained | None = gate.memory.get(key) if key is not None else None
    if known is None:
        lets = compute_lets(gate, setting)
        condition = gate.branches[0].condition
        value = condition.value(view_of(gate, setting, lets))
        known = (value, *condition.explain(setting.facts.values, lets)[1:])
        if key is not None:
            remember(gate, key, known)
    return known


def judge(rule: CompiledRule, setting: Setting, proof: Setting | None = None) -> RuleVerdict:
    """Apply a rule to the facts of a description whose kind it applies to; pure, so answers are remembered.

    Args:
        rule: The rule.
        setting: What decides whether it is asked.
        proof: What decides whether it is met, where that is not the same.
    """
    if rule.law is not None:
        return _judge_by_law(rule, rule.law, setting, proof)
    return _judge_or_remember(rule, setting, proof)


def _standing(law: Law, setting: Setting) -> Standing:
    """Whether a law holds for a document, and with which numbers."""
    return stand(law, setting.regime, setting.facts.values if setting.stated is None else setting.stated)


def setting_for(rule: CompiledRule, setting: Setting) -> Setting:
    """The setting with the numbers that a rule has there."""
    return setting if rule.law is None else setting.under(_standing(rule.law, setting))


def _judge_by_law(rule: CompiledRule, law: Law, setting: Setting, proof: Setting | None) -> RuleVerdict:
    """Apply a rule of law: first whether it holds for this document at all, then what it says."""
    standing = _standing(law, setting)
    severity = rule.rule.severity
    if standing.holds is False:
        return RuleVerdict(rule, "not_applicable", severity, settled=standing.settled, reason=standing.reason)
    if standing.outdated:
        return RuleVerdict(rule, "unknown", severity, missing=standing.missing, reason=standing.reason)
    said = _judge_or_remember(rule, setting.under(standing), proof and proof.under(standing))
    missing, reason = _without_numbers(said.missing, standing)
    if standing.holds is None and said.verdict in ("pass", "fail", "unknown"):
        names = _unique(standing.missing + missing)
        return RuleVerdict(rule, "unknown", severity, missing=names, reason=standing.reason)
    decided = said.verdict in ("pass", "fail")
    provisional = said.provisional or (decided and standing.provisional)
    settled = tuple(name for name in said.settled if not name.startswith(_PARAMS))
    if decided:
        settled = _unique((*settled, *standing.settled))
    return replace(
        said,
        provisional=provisional,
        claimed=said.verdict == "pass" and not _backed(setting.facts, settled),
        evidenced=decided and all_shown(setting.facts, settled),
        settled=settled,
        missing=_unique(missing + (standing.missing if decided else ())),
        reason=said.reason or (None if decided else reason),
        standing=standing,
        kept=[],
    )


def _without_numbers(missing: tuple[str, ...], standing: Standing) -> tuple[tuple[str, ...], str | None]:
    """What is missing, with the facts that would give a number instead of the number; and why it is not known."""
    names: list[str] = []
    reason = None
    for name in missing:
        if name.startswith(_PARAMS):
            asked, why = standing.lacking.get(name, ((), None))
            names.extend(asked)
            reason = reason or why
        else:
            names.append(name)
    return _unique(tuple(names)), reason


def _judge_or_remember(rule: CompiledRule, setting: Setting, proof: Setting | None) -> RuleVerdict:
    read = what_is_read(rule, setting.facts.values)
    proved = () if proof is None else what_is_read(rule, proof.facts.values)
    if read is None or proved is None:
        return _judge(rule, setting, proof or setting)
    evidenced = setting.facts.evidenced
    backed = evidenced and (evidenced.intersection(rule.reads), setting.facts.backing.items)
    key = (read, setting.stage, setting.tiers[rule.tier], backed, proved)
    known: RuleVerdict | None = rule.memory.get(key)
    if known is None:
        known = _judge(rule, setting, proof or setting)
        remember(rule, key, known)
    return known


def judge_on_evidence(rule: CompiledRule, setting: Setting, asked: Setting, proof: Setting) -> RuleVerdict:
    """Apply a rule where bare claims count as unknown.

    What the document says against itself needs no proof: a failure stands, and asking for evidence only ever turns a
    rule that is met or does not apply into an unknown one.

    Args:
        rule: The rule.
        setting: All that is stated.
        asked: What is evidenced, and the basics that decide which rules are asked.
        proof: What is evidenced.
    """
    claimed = judge(rule, setting)
    if claimed.verdict == "fail":
        return claimed
    shown = judge(rule, asked, proof)
    if shown.verdict == "fail" or (shown.verdict == "not_yet_due" and claimed.verdict == "pass"):
        bare = tuple(name for name in claimed.settled if not setting.facts.shown(name))
        shown = RuleVerdict(rule, "unknown", rule.rule.severity, missing=bare)
    if shown.verdict != "unknown" or claimed.verdict == "unknown":
        return shown
    would = "it is met" if claimed.verdict == "pass" else "it is not asked"
    return replace(shown, reason=f"{would} by the document's own word, and evidence is required", kept=[])


def _judge(rule: CompiledRule, setting: Setting, proof: Setting) -> RuleVerdict:
    severity = rule.rule.severity
    facts = setting.facts
    size: Explained = setting.tiers[rule.tier]
    if size[0] is False:
        small = f"asked only of {TIERS[rule.tier]} contracts and above"
        return RuleVerdict(rule, "not_applicable", severity, settled=_unique(size[1]), reason=small)
    lets = compute_lets(rule, setting)
    view = view_of(rule, setting, lets)
    asked: Explained = (True, (), ())
    if rule.when is not None:
        applies = rule.when.value(view)
        if applies is not True:
            asked = (applies, *rule.when.explain(facts.values, lets)[1:])
        if applies is False:
            absent = "what it is about does not arise here"
            return RuleVerdict(rule, "not_applicable", severity, settled=_unique(asked[1]), reason=absent)
    if proof is not setting:
        facts, lets = proof.facts, compute_lets(rule, proof)
        view = view_of(rule, proof, lets)
    decision = _decide(rule, view, facts, lets)
    due = rule.due == 0 or (None if setting.stage is None else setting.stage >= rule.due)
    planned = rule.planned.value(view) if due is not True and rule.planned is not None else False
    gates_open = size[0] is True and asked[0] is True
    if due is False and planned is not True:
        return RuleVerdict(
            rule, "not_yet_due", severity, settled=("stage",), reason=f"asked from the stage “{rule.rule.due_from}” on"
        )
    if due is False and gates_open and rule.planned is not None:
        settled = rule.planned.explain(facts.values, lets, evidence_of(facts))[1]
        dated = any(dictionary()[name].type == "date" for name in settled if name in dictionary())
        reason = "planned, with a date" if dated else "in place before it is due"
        return _passed(rule, setting, _Decision("pass", settled=settled), lets, view, reason)
    if due is False:  # Whether it is asked is open; the plan would meet it.
        decision = _Decision("pass")
    if not gates_open or (due is None and not (decision.verdict == "pass" and planned is True)):
        gates = size[2] + asked[2] + (("stage",) if due is None else ())
        would = {
            "pass": "if it is asked, it is met on what is stated",
            "fail": "if it is asked, it is not met on what is stated",
            "unknown": None,
        }[decision.verdict]
        return RuleVerdict(rule, "unknown", severity, missing=_unique(gates + decision.missing), reason=would)
    if decision.verdict == "pass":
        return _passed(rule, setting, decision, lets, view, None)
    if decision.verdict == "unknown":
        fits = None if decision.missing else "what is stated fits none of the cases that the rule can decide"
        return RuleVerdict(rule, "unknown", severity, missing=_unique(decision.missing), reason=fits)
    branch = rule.branches[decision.branch or 0]
    value_of = speaker(rule, setting.facts, lets)
    return RuleVerdict(
        rule,
        "fail",
        branch.severity,
        provisional=decision.provisional,
        settled=_unique(decision.settled),
        missing=_unique(decision.missing),
        finding=branch.finding.fill(value_of) if branch.finding else None,
        remedy=branch.remedy.fill(value_of) if branch.remedy else None,
        evidenced=all_shown(setting.facts, decision.settled),
        notes=_advice(rule, setting, lets, view),
        branch=decision.branch,
    )


def _backed(facts: Facts, settled: tuple[str, ...]) -> bool:
    """Whether evidence stands behind anything that settled something."""
    return bool(facts.evidenced) and any(map(facts.evidence_for, settled))


def all_shown(facts: Facts, settled: tuple[str, ...]) -> bool:
    """Whether evidence stands behind all that settled something."""
    return _backed(facts, settled) and all(map(facts.shown, settled))


def _advice(rule: CompiledRule, setting: Setting, lets: Mapping[str, Explained], view: View) -> tuple[str, ...]:
    return tuple(
        note.text.fill(speaker(rule, setting.facts, lets)) for note in rule.notes if note.condition.value(view) is True
    )


def _passed(
    rule: CompiledRule,
    setting: Setting,
    decision: _Decision,
    lets: Mapping[str, Explained],
    view: View,
    reason: str | None,
) -> RuleVerdict:
    settled = _unique(decision.settled)
    facts = setting.facts
    return RuleVerdict(
        rule,
        "pass",
        rule.rule.severity,
        provisional=decision.provisional,
        claimed=not _backed(facts, settled),
        evidenced=all_shown(facts, settled),
        settled=settled,
        missing=_unique(decision.missing),
        notes=_advice(rule, setting, lets, view),
        reason=reason,
        branch=decision.branch,
    )
