"""From packs as they are written to rules that can be applied: every condition compiled, every name checked."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from goodcommission.description.document import Source
from goodcommission.description.entries import MOST_FAULTS
from goodcommission.description.facts import COMPLETE, GIVEN, days, dictionary
from goodcommission.engine.conditions import (
    PARAMS,
    Condition,
    ConditionError,
    Type,
    Vocabulary,
    built,
    known_when,
    strictly_known,
)
from goodcommission.engine.law import GOVERNED_BY, Law, Span
from goodcommission.engine.patterns import PatternSet, compile_patterns
from goodcommission.engine.texts import Text, TextError, parse
from goodcommission.engine.tree import Call, Const, FieldOf, Node, Variable, walk
from goodcommission.engine.verdicts import CompiledBranch, CompiledEdit, CompiledLet, CompiledNote, CompiledRule
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs.adjusting import Adjustment, Change, adjusted
from goodcommission.packs.model import (
    EACH,
    STAGES,
    TIERS,
    Branch,
    DatedValue,
    Edit,
    Group,
    LawScope,
    Let,
    Match,
    Pack,
    PackGrade,
    Parameter,
    Pattern,
    RegimeSign,
    Rule,
)

BANDS_END: Final = float("inf")
MOST_PARTS: Final = 5_000
"""Of an expression in which each let is written out."""


@dataclass(frozen=True, slots=True)
class LoadedPack:
    """A pack and the text it was read from."""

    pack: Pack
    digest: str
    source: Source | None = None
    built: Mapping[str, Any] | None = None
    """For a shipped pack in its built form: its conditions, compiled and checked when the form was made."""
    grade: PackGrade | None = None
    """How well its cases test its rules; None where that is not known."""


@dataclass(frozen=True, slots=True)
class CompiledPattern:
    """The condition (``when``) of a pattern, with the lets that it needs."""

    pattern: Pattern
    pack: str
    gate: CompiledRule | None
    """The pattern's ``when`` in the form of a rule's condition, so that one evaluator serves both."""


@dataclass(frozen=True, slots=True)
class CompiledRegime:
    """A sign by which it is known under which law a document stands."""

    sign: RegimeSign
    pack: str
    gate: CompiledRule
    because: Text


@dataclass(frozen=True, eq=False)
class Packs:
    """Rule packs, compiled: made once, used for any number of audits, from any number of threads."""

    packs: tuple[LoadedPack, ...]
    rules: tuple[CompiledRule, ...]
    tiers: tuple[CompiledRule | None, ...]
    """For each tier, the condition that a description is at least of it; None for the smallest."""
    groups: Mapping[str, Group]
    patterns: tuple[CompiledPattern, ...]
    pattern_set: PatternSet = field(repr=False)
    currency: str = "GBP"
    changes: tuple[Change, ...] = ()
    """What is not as the packs have it: other parameters and severities."""
    regimes: tuple[CompiledRegime, ...] = ()
    """The signs by which it is known under which law a document stands, in their order."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the packs (without definitions)."""
        return tuple(loaded.pack.id for loaded in self.packs if loaded.pack.pack)

    @cached_property
    def weights(self) -> Mapping[str, float]:
        """The weight of each pack in the overall score; law packs have none in it."""
        return {
            loaded.pack.id: loaded.pack.weight
            for loaded in self.packs
            if (loaded.pack.rules or loaded.pack.questions) and loaded.pack.kind == "practice"
        }

    @cached_property
    def laws(self) -> Mapping[str, LoadedPack]:
        """The packs of law, by id."""
        return {loaded.pack.id: loaded for loaded in self.packs if loaded.pack.kind == "law"}

    @cached_property
    def practice(self) -> Packs:
        """The packs without those of law."""
        if not self.laws:
            return self
        packs = tuple(loaded for loaded in self.packs if loaded.pack.kind == "practice")
        rules = tuple(rule for rule in self.rules if rule.pack not in self.laws)
        groups = {name: one for name, one in self.groups.items() if any(name in p.pack.groups for p in packs)}
        return replace(self, packs=packs, rules=rules, groups=groups)

    @property
    def regime_titles(self) -> Mapping[str, str]:
        """What each regime is called in a sentence."""
        return {one.sign.id: one.sign.title for one in reversed(self.regimes)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the digests of all packs and what was changed in them, as "sha256:…"."""
        digests = "\n".join(f"{loaded.pack.id} {loaded.digest}" for loaded in self.packs)
        digests += "".join(f"\n{one.pack} {one.kind} {one.name} {one.after}" for one in self.changes)
        return "sha256:" + sha256(digests.encode()).hexdigest()

    def rule(self, id: str) -> CompiledRule:
        """The rule with this id, or that had it before.

        Raises:
            PackError: There is none; the message names the nearest.
        """
        for rule in self.rules:
            if id == rule.rule.id or id in rule.rule.aliases:
                return rule
        near = difflib.get_close_matches(id.upper(), [rule.rule.id for rule in self.rules], n=1)
        raise PackError(Fault(f'there is no rule "{id}"', suggestion=f"Did you mean {near[0]}?" if near else None))


@dataclass(slots=True)
class _Scope:
    """What the expressions of a pack or a rule may name."""

    owner: str
    vocabulary: Vocabulary
    parameters: Mapping[str, Parameter]
    lets: dict[str, CompiledLet]
    broken: set[str]
    """Lets that do not compile: what uses them is not at fault."""

    def inner(self, owner: str) -> _Scope:
        """The scope of a rule or pattern, which may add lets of its own."""
        return _Scope(owner, self.vocabulary, self.parameters, dict(self.lets), set(self.broken))


def _type_of(value: Any) -> Type:
    return Type({int: "int", float: "double", str: "string"}[type(value)])


def _constant(parameter: Parameter) -> tuple[Type, Any]:
    if parameter.bands is not None:
        steps = [[BANDS_END if band.below is None else band.below, band.is_] for band in parameter.bands]
        return Type("bands"), steps
    value = parameter.value
    if parameter.unit == "date" and isinstance(value, str):
        value = days(dt.date.fromisoformat(value))
    return _type_of(value), value


MOST_OF_CONDITIONS: Final = 60_000
"""Characters of all conditions of a pack; the largest that is shipped has 5,000. To compile a thousand takes 12 ms."""


class _Compiler:
    def __init__(self, loaded: Sequence[LoadedPack]) -> None:
        self.loaded = loaded
        self.faults: list[tuple[LoadedPack, str, str, str | None]] = []
        self.definitions = {item.pack.id: item for item in loaded if item.pack.definitions}
        self.shared: dict[tuple[str, ...], _Scope] = {}
        self.built: dict[str, dict[str, Any]] = {}
        """By pack: what it takes to restore each condition."""
        self.sizes: dict[tuple[str, str], int] = {}
        """How large lets are written out, by owner and name."""
        self.compiled: dict[str, int] = {}
        """By pack: the characters of its conditions that were compiled."""

    def fault(self, loaded: LoadedPack, pointer: str, message: str, suggestion: str | None = None) -> None:
        self.faults.append((loaded, pointer, message, suggestion))
        if len(self.faults) == MOST_FAULTS:
            self.raise_faults()

    # -- scopes --

    def scope(self, loaded: LoadedPack) -> _Scope:
        uses = loaded.pack.uses
        if uses not in self.shared:
            scope = _Scope("", Vocabulary(), {}, {}, set())
            for name in uses:
                if name in self.definitions:
                    self.extend(scope, self.definitions[name])
                else:
                    near = difflib.get_close_matches(name, self.definitions, n=1)
                    advice = f"Did you mean {near[0]}?" if near else None
                    self.fault(loaded, "/uses", f'there are no definitions "{name}"', advice)
            self.shared[uses] = scope
        scope = self.shared[uses].inner(loaded.pack.id)
        self.extend(scope, loaded)
        return scope

    def extend(self, scope: _Scope, loaded: LoadedPack) -> None:
        pack = loaded.pack
        scope.owner = pack.id
        types, constants = {}, {}
        for name, parameter in pack.parameters.items():
            if name in scope.parameters:
                where = f"there is a parameter {name} already, in the definitions that this pack uses"
                self.fault(loaded, f"/parameters/{name}", where, "Give this one another name.")
            if parameter.values is None:
                types[PARAMS + name], constants[PARAMS + name] = _constant(parameter)
            else:  # It changes with time: known only for a document, as facts are.
                types[PARAMS + name] = _type_of(parameter.values[0].value)
                self.spans(loaded, name, parameter)
        scope.vocabulary = scope.vocabulary.extended(types, constants)
        scope.parameters = {**scope.parameters, **pack.parameters}
        self.lets(scope, loaded, pack.let, "/let", pack.id)

    def lets(self, scope: _Scope, loaded: LoadedPack, lets: Mapping[str, Let], pointer: str, owner: str) -> None:
        for name, let in lets.items():
            if name in _taken():
                self.fault(loaded, f"{pointer}/{name}", f'"{name}" is the name of a fact; choose another for this let')
                continue
            if name in scope.lets:
                self.fault(loaded, f"{pointer}/{name}", f'there is a let "{name}" already, in {scope.lets[name].owner}')
                continue
            value = self.expression(scope, loaded, let.is_, f"{pointer}/{name}/is", arithmetic=True, boolean=False)
            if value is None:
                scope.broken.add(name)
                continue
            scope.lets[name] = self.let(scope, name, owner, let, value)
            scope.vocabulary = scope.vocabulary.extended({name: value.type})

    def let(self, scope: _Scope, name: str, owner: str, let: Let, value: Condition) -> CompiledLet:
        facts, constants, lets = self.split(scope, value.names)
        return CompiledLet(name, owner, let, value, facts, constants, lets)

    @staticmethod
    def split(scope: _Scope, names: Sequence[str]) -> tuple[tuple[str, ...], Mapping[str, Any], tuple[str, ...]]:
        constants = {name: scope.vocabulary.constants[name] for name in names if name in scope.vocabulary.constants}
        lets = tuple(name for name in names if name in scope.lets)
        return tuple(name for name in names if name not in constants and name not in lets), constants, lets

    def expression(
        self,
        scope: _Scope,
        loaded: LoadedPack,
        text: str,
        pointer: str,
        *,
        arithmetic: bool = False,
        boolean: bool = True,
    ) -> Condition | None:
        key = f"{scope.owner}\n{text}"
        if loaded.built is not None and key in loaded.built:
            return scope.vocabulary.restore(text, loaded.built[key])
        self.compiled[loaded.pack.id] = self.compiled.get(loaded.pack.id, 0) + len(text)
        if self.compiled[loaded.pack.id] > MOST_OF_CONDITIONS:
            message = f"the conditions of this pack have more than {MOST_OF_CONDITIONS:,} characters together"
            self.fault(loaded, pointer, message, "Cut the pack into several.")
            self.raise_faults()
        try:
            condition = scope.vocabulary.compile(text, arithmetic=arithmetic, boolean=boolean)
        except ConditionError as error:
            if error.unknown not in scope.broken:
                place = "" if error.offset is None or error.unknown else _within(text, *error.offset)
                self.fault(loaded, pointer, error.message + place, error.suggestion)
            return None
        if self.size(scope, condition.tree) > MOST_PARTS:
            message = f"written out with all lets that it rests on, this has more than {MOST_PARTS:,} parts"
            self.fault(loaded, pointer, message, "Let it rest on fewer lets, or on each of them once.")
            return None
        self.built.setdefault(loaded.pack.id, {})[key] = built(condition)
        return condition

    def size(self, scope: _Scope, tree: Node) -> int:
        """The parts of an expression in which each let is written out: what explains it may grow as that does."""
        size = 0
        for node in walk(tree):
            let = scope.lets.get(node.name) if isinstance(node, Variable) else None
            if let is None:
                size += 1
                continue
            key = (let.owner, let.name)
            if key not in self.sizes:
                self.sizes[key] = self.size(scope, let.value.tree)
            size += self.sizes[key]
        return size

    # -- rules --

    def rule(self, loaded: LoadedPack, scope: _Scope, rule: Rule, pointer: str) -> CompiledRule | None:
        before = len(self.faults)
        inner = scope.inner(rule.id)
        self.lets(inner, loaded, rule.let, f"{pointer}/let", rule.id)
        when = self.optional(inner, loaded, rule.when, f"{pointer}/when")
        planned = self.optional(inner, loaded, rule.planned, f"{pointer}/planned")
        known = self.known(loaded, inner, when, True) if when else frozenset()
        edits = self.edits(inner, loaded, rule.mend, f"{pointer}/mend")
        remedy = self.text(rule.remedy, loaded, f"{pointer}/remedy", inner)
        branches: list[CompiledBranch] = []
        if rule.require is not None:
            condition = self.expression(inner, loaded, rule.require, f"{pointer}/require")
            if condition is not None and rule.finding is not None:
                finding = self.text(rule.finding, loaded, f"{pointer}/finding", inner)
                failing = known | self.known(loaded, inner, condition, False)
                self.names_known(loaded, finding, failing, f"{pointer}/finding", inner)
                self.names_known(loaded, remedy, failing, f"{pointer}/remedy", inner)
                branches = [
                    CompiledBranch("pass", condition, None, rule.severity, None, None, ()),
                    CompiledBranch("fail", condition, None, rule.severity, finding, remedy, edits),
                ]
        for index, branch in enumerate(rule.decide or ()):
            compiled = self.branch(loaded, inner, rule, branch, f"{pointer}/decide/{index}", known, remedy, edits)
            if compiled is not None:
                branches.append(compiled)
        notes = self.notes(loaded, inner, rule, f"{pointer}/notes", known)
        if len(self.faults) > before:
            return None
        conditions = [c for c in (when, planned, *(b.condition for b in branches), *(n.condition for n in notes)) if c]
        facts, constants, lets = self.split(inner, sorted({name for c in conditions for name in c.names}))
        spoken_of = {name for text in self.texts(branches, notes) for name in text.names}
        mended = {name for b in branches for e in b.mend for name in e.names}
        needed = self.needed(inner, {*lets, *(name for name in (*spoken_of, *mended) if name in inner.lets)})
        named = {*facts, *spoken_of, *mended, *(name for let in needed for name in let.facts)}
        law = self.law(loaded, inner, rule, pointer, named)
        if len(self.faults) > before:
            return None
        return CompiledRule(
            rule=rule,
            pack=loaded.pack.id,
            currency=loaded.pack.currency,
            when=when,
            planned=planned,
            branches=tuple(branches),
            require=rule.require is not None,
            notes=notes,
            lets=needed,
            reads=tuple(sorted({*_reads(facts, needed, self.texts(branches, notes)), *(law.dated if law else ())})),
            units=_units(needed),
            facts=facts,
            constants=constants,
            parameters=inner.parameters,
            tier=TIERS.index(rule.tier),
            due=STAGES.index(rule.due_from),
            law=law,
        )

    @staticmethod
    def texts(branches: Sequence[CompiledBranch], notes: Sequence[CompiledNote]) -> Iterator[Text]:
        for branch in branches:
            yield from (text for text in (branch.finding, branch.remedy) if text)
        for note in notes:
            yield note.text

    @staticmethod
    def needed(scope: _Scope, names: set[str]) -> tuple[CompiledLet, ...]:
        """The lets of these names and all that they rest on, in the order in which they were defined."""
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(scope.lets[name].lets)
        return tuple(let for name, let in scope.lets.items() if name in wanted)

    def optional(self, scope: _Scope, loaded: LoadedPack, text: str | None, pointer: str) -> Condition | None:
        return None if text is None else self.expression(scope, loaded, text, pointer)

    def branch(
        self,
        loaded: LoadedPack,
        scope: _Scope,
        rule: Rule,
        branch: Branch,
        pointer: str,
        known: frozenset[str],
        remedy: Text | None,
        edits: tuple[CompiledEdit, ...],
    ) -> CompiledBranch | None:
        if branch.pass_ is not None:
            condition = self.expression(scope, loaded, branch.pass_, f"{pointer}/pass")
            return CompiledBranch("pass", condition, branch, rule.severity, None, None, ()) if condition else None
        condition = self.expression(scope, loaded, branch.fail or "", f"{pointer}/fail")
        if condition is None:
            return None
        finding = self.text(branch.finding or "", loaded, f"{pointer}/finding", scope)
        own = self.text(branch.remedy, loaded, f"{pointer}/remedy", scope) if branch.remedy else None
        reached = known | self.known(loaded, scope, condition, True)
        self.names_known(loaded, finding, reached, f"{pointer}/finding", scope)
        self.names_known(loaded, own or remedy, reached, f"{pointer}/{'remedy' if own else 'fail'}", scope)
        mend = self.edits(scope, loaded, branch.mend, f"{pointer}/mend") if branch.mend else edits
        return CompiledBranch("fail", condition, branch, branch.severity or rule.severity, finding, own or remedy, mend)

    def notes(
        self, loaded: LoadedPack, scope: _Scope, rule: Rule, pointer: str, known: frozenset[str]
    ) -> tuple[CompiledNote, ...]:
        compiled = []
        for index, note in enumerate(rule.notes):
            condition = self.expression(scope, loaded, note.when, f"{pointer}/{index}/when")
            text = self.text(note.text, loaded, f"{pointer}/{index}/text", scope)
            if condition is not None and text is not None:
                reached = self.known(loaded, scope, condition, True)
                self.names_known(loaded, text, reached | known, f"{pointer}/{index}/text", scope)
                compiled.append(CompiledNote(note, condition, text))
        return tuple(compiled)

    def edits(self, scope: _Scope, loaded: LoadedPack, edits: Sequence[Edit], pointer: str) -> tuple[CompiledEdit, ...]:
        compiled = []
        for index, edit in enumerate(edits):
            target = self.target(loaded, edit, f"{pointer}/{index}")
            if target is None:
                continue
            name, field = target
            fact = dictionary().get(name)
            value = where = None
            if edit.where is not None:
                # CEL checks it as what it is asked of: an item of this list.
                asked = f"{name}.exists(i, {edit.where})"
                where = self.expression(scope, loaded, asked, f"{pointer}/{index}/where")
            if edit.to is not None:
                place = f"{pointer}/{index}/to"
                value = self.expression(scope, loaded, edit.to, place, arithmetic=True, boolean=False)
                written = fact and (fact.fields[field] if field else fact)
                allowed = _WRITTEN.get(written.type, ()) if written else ()
                if value is not None and value.type.name not in allowed:
                    self.fault(
                        loaded,
                        place,
                        f"a value of type {value.type.name} can't be written to {edit.set or edit.add}",
                        f"It takes {' or '.join(allowed)}." if allowed else "Write it under `value`.",
                    )
            compiled.append(CompiledEdit(edit, name, field, value, where))
        return tuple(compiled)

    def target(self, loaded: LoadedPack, edit: Edit, pointer: str) -> tuple[str, str | None] | None:
        """The fact that an edit is for, and the field if it is for the items of a list."""
        written, key = (edit.set, "set") if edit.set is not None else (edit.add or "", "add")
        name, each, field = written.partition(EACH + ".")
        fact = dictionary().get(name)
        of_list = dictionary().get(name.removesuffix(COMPLETE))
        message = advice = None
        if fact is None and name.endswith(COMPLETE) and of_list and of_list.type in _LISTS and not each:
            pass
        elif fact is None:
            near = difflib.get_close_matches(name, dictionary(), n=1)
            message, advice = f'there is no fact "{written}"', f'Did you mean "{near[0]}"?' if near else None
        elif each and (fact.type != "list_record" or key == "add"):
            message = f"{EACH} stands for the items of a list of records, in `set`"
        elif each and field not in fact.fields:
            near = difflib.get_close_matches(field, fact.fields, n=1)
            message = f'the items of {name} have no field "{field}"'
            advice = f'Did you mean "{near[0]}"?' if near else f"They have: {', '.join(fact.fields)}."
        elif key == "add" and fact.type not in _LISTS:
            message, advice = f"{name} is no list", "Use `set`."
        elif key == "set" and not each and fact.type in _LISTS and edit.value != []:
            message = f"{name} is a list: setting it would lose what is stated"
            advice = f"Set a field of its items ({name}{EACH}.…), or `add` one."
        if message is None and edit.where is not None and not each:
            message = f"`where` chooses among the items of a list: it needs a `set` with {EACH}"
        if message is not None:
            self.fault(loaded, f"{pointer}/{key}", message, advice)
            return None
        return name, field or None

    # -- texts --

    def text(self, text: str, loaded: LoadedPack, pointer: str, scope: _Scope) -> Text | None:
        try:
            parsed = parse(text)
        except TextError as error:
            self.fault(loaded, pointer, str(error))
            return None
        for name in sorted(parsed.names):
            if name in scope.lets or (name in dictionary() and dictionary()[name].type != "list_record"):
                continue
            parameter = scope.parameters.get(name.removeprefix(PARAMS)) if name.startswith(PARAMS) else None
            if parameter is not None and parameter.bands is None:
                continue
            if name in scope.broken:
                return None
            if parameter is not None or name in dictionary():
                message = f'the text names "{{{name}}}", which is no single value'
                self.fault(loaded, pointer, message, "Name a let that is worked out from it.")
                return None
            near = difflib.get_close_matches(name, [*scope.lets, *scope.vocabulary.types], n=1)
            self.fault(
                loaded,
                pointer,
                f'the text names "{{{name}}}", which is no fact, parameter or let',
                f'Did you mean "{near[0]}"?' if near else None,
            )
            return None
        return parsed

    def known(self, loaded: LoadedPack, scope: _Scope, condition: Condition, truth: bool) -> frozenset[str]:
        """The names that must be known if a condition has this truth, and all that must be known for them to be."""
        if loaded.built is not None:
            return frozenset()
        known = set(known_when(condition.tree, truth))
        waiting = list(known)
        while waiting:
            name, _, value = waiting.pop().partition("=")
            let = scope.lets.get(name)
            if let is None:
                continue
            found = known_when(let.value.tree, value == "True") if value else strictly_known(let.value)
            waiting.extend(found - known)
            known |= found
        return frozenset(known)

    def names_known(
        self, loaded: LoadedPack, text: Text | None, known: frozenset[str], pointer: str, scope: _Scope
    ) -> None:
        if loaded.built is not None:
            return
        for name in sorted(text.names if text else ()):
            if not self.certain(scope, name, known):
                self.fault(loaded, pointer, f'the text names "{{{name}}}", which may be unknown when it is printed')

    def certain(self, scope: _Scope, name: str, known: frozenset[str]) -> bool:
        """Whether a name has a value whenever these are known: it is one of them, or a let that follows from them."""
        if name.startswith(PARAMS):
            return name in known or name in scope.vocabulary.constants
        if name in known or name + GIVEN in known:
            return True
        let = scope.lets.get(name)
        if let is None or not all(self.certain(scope, part, known) for part in let.value.names):
            return False
        # A field of a record may be unknown though the list is known, and not everything can be computed.
        return all(self.computable(scope, part) for part in walk(let.value.tree))

    def computable(self, scope: _Scope, node: Node) -> bool:
        """Whether a step of a let has a value for all values of its parts, but for days after the year 9999."""
        match node:
            case FieldOf() | Call("largest" | "smallest", _):
                return False
            case Call("_/_", (_, divisor)):
                return self.never_zero(scope, divisor)
        return True

    def never_zero(self, scope: _Scope, node: Node) -> bool:
        """Whether a number is certainly above 0: a constant, or at least a constant."""
        match node:
            case Const(int() | float() as number):
                return number > 0
            case Variable(name) if name in scope.lets:
                return self.never_zero(scope, scope.lets[name].value.tree)
            case Variable(name):
                constant = scope.vocabulary.constants.get(name, 0)
                return isinstance(constant, int | float) and constant > 0
            case Call("max_of", parts):
                return any(self.never_zero(scope, part) for part in parts)
        return False

    # -- packs --

    def compile(self) -> Packs:
        currency = self.one_currency()
        self.unique()
        rules: list[CompiledRule] = []
        groups: dict[str, Group] = {}
        patterns: list[CompiledPattern] = []
        regimes = self.regimes()
        tiers: dict[str, CompiledRule] = {}
        renamed = {old: rule.id for one in self.loaded for rule in one.pack.rules for old in rule.aliases}
        for loaded in self.loaded:
            scope = self.scope(loaded)
            for tier, text in loaded.pack.tiers.items():
                if tier in tiers:
                    self.fault(loaded, f"/tiers/{tier}", f'the tier "{tier}" is defined already, in {tiers[tier].pack}')
                gate = self.gate(loaded, scope, text, f"/tiers/{tier}", {}, f"tier-{tier}")
                if gate is not None:
                    tiers[tier] = gate
            groups.update(loaded.pack.groups)
            for index, rule in enumerate(loaded.pack.rules):
                pointer = f"/rules/{index}"
                self.references(loaded, rule, pointer)
                compiled = self.rule(loaded, scope, rule, pointer)
                if compiled is not None:
                    rules.append(compiled)
            for index, pattern in enumerate(loaded.pack.patterns):
                pointer = f"/patterns/{index}"
                self.cited(loaded, pattern.sources, pointer)
                gate = (
                    self.gate(loaded, scope, pattern.when, f"{pointer}/when", pattern.let, pattern.id)
                    if pattern.when
                    else None
                )
                patterns.append(CompiledPattern(_under_current_ids(pattern, renamed), loaded.pack.id, gate))
            for index, question in enumerate(loaded.pack.questions):
                self.cited(loaded, question.sources, f"/questions/{index}")
        self.practice_only(patterns, rules)
        self.raise_faults()
        rule_groups = {rule.rule.id: rule.rule.group for rule in rules}
        pattern_set = self.pattern_set([compiled.pattern for compiled in patterns], rule_groups)
        by_id = {compiled.pattern.id: compiled for compiled in patterns}
        return Packs(
            packs=tuple(self.loaded),
            rules=tuple(rules),
            tiers=(None, *(tiers.get(tier) for tier in TIERS[1:])),
            groups=groups,
            patterns=tuple(by_id[id] for id in sorted(by_id)),
            pattern_set=pattern_set,
            currency=currency,
            regimes=regimes,
        )

    # -- law --

    def regimes(self) -> tuple[CompiledRegime, ...]:
        """The signs by which the law is known that a document is under."""
        found = []
        for loaded in self.loaded:
            scope = self.scope(loaded) if loaded.pack.regimes else None
            for index, sign in enumerate(loaded.pack.regimes):
                assert scope is not None  # noqa: S101 (there is one where there are regimes)
                key = "when" if sign.when else "if_stated"
                pointer = f"/regimes/{index}"
                gate = self.gate(loaded, scope, sign.when or sign.if_stated or "", f"{pointer}/{key}", {}, sign.id)
                because = self.text(sign.because, loaded, f"{pointer}/because", scope)
                if gate is not None and because is not None:
                    known = self.known(loaded, scope, gate.branches[0].condition, True)
                    self.names_known(loaded, because, known, f"{pointer}/because", scope)
                    found.append(CompiledRegime(sign, loaded.pack.id, gate, because))
        return tuple(found)

    def law(self, loaded: LoadedPack, scope: _Scope, rule: Rule, pointer: str, names: set[str]) -> Law | None:
        """For whom and when a rule holds; None for a rule of practice whose numbers never change."""
        dated = {
            name: _spans(parameter)
            for name in sorted(names)
            if name.startswith(PARAMS) and (parameter := scope.parameters[name.removeprefix(PARAMS)]).values is not None
        }
        pack = loaded.pack.law
        own = (rule.regimes, rule.territories, rule.governed_by, rule.in_force)
        if pack is None and not dated and own == (None, None, None, None):
            return None
        looked_up: list[LawScope | DatedValue] = [pack] if pack else []
        looked_up += [one for name in dated for one in scope.parameters[name.removeprefix(PARAMS)].values or ()]
        titles = {sign.id: sign.title for one in reversed(self.loaded) for sign in reversed(one.pack.regimes)}
        regimes = rule.regimes or (pack.regimes if pack else None)
        territories = rule.territories or (pack.territories if pack else None)
        for one in regimes or ():
            if one not in titles:
                near = difflib.get_close_matches(one, titles, n=1)
                place = f"{pointer}/regimes" if rule.regimes else "/law/regimes"
                self.fault(loaded, place, f'there is no regime "{one}"', f"Did you mean {near[0]}?" if near else None)
        return Law(
            regimes=None if regimes is None else frozenset(regimes),
            territories=None if territories is None else frozenset(territories),
            titles=titles,
            governed_by=self.governing(loaded, rule, pointer, dated, regimes, territories),
            start=days(rule.in_force.from_) if rule.in_force and rule.in_force.from_ else None,
            until=days(rule.in_force.until) if rule.in_force and rule.in_force.until else None,
            verified_on=min((days(one.verified_on) for one in looked_up), default=None),
            review_by=min((days(one.review_by) for one in looked_up), default=None),
            of_pack=pack is not None,
            dated=dated,
        )

    def governing(
        self,
        loaded: LoadedPack,
        rule: Rule,
        pointer: str,
        dated: Mapping[str, tuple[Span, ...]],
        regimes: Sequence[str] | None,
        territories: Sequence[str] | None,
    ) -> tuple[str, ...]:
        """The facts that date a rule of law."""
        name = rule.governed_by
        if name is None:
            if rule.in_force is not None:
                self.fault(
                    loaded, f"{pointer}/in_force", "`governed_by` must say which date decides whether it is in force"
                )
            for parameter, spans in dated.items():
                for one in regimes or (None,):
                    for other in territories or (None,):
                        if len([span for span in spans if span.holds(one, other)]) > 1:
                            message = f"{parameter} has several values: `governed_by` must say which date decides"
                            self.fault(loaded, f"{pointer}/id", message)
                            return ()
            return ()
        if name in GOVERNED_BY:
            return GOVERNED_BY[name]
        fact = dictionary().get(name)
        if fact is None or fact.type != "date":
            near = difflib.get_close_matches(name, [*GOVERNED_BY, *dictionary()], n=1)
            allowed = f"Write {', '.join(GOVERNED_BY)}, or the name of a date."
            advice = f"Did you mean {near[0]}?" if near else allowed
            self.fault(loaded, f"{pointer}/governed_by", f'"{name}" is no date that a document states', advice)
            return ()
        return (name,)

    def spans(self, loaded: LoadedPack, name: str, parameter: Parameter) -> None:
        """What is wrong with the values by date: days with two values, days between two with none."""
        spans = _spans(parameter)
        values = parameter.values or ()
        for index, value in enumerate(values):
            if value.source not in loaded.pack.sources:
                place = f"/parameters/{name}/values/{index}/source"
                self.fault(loaded, place, f'the source "{value.source}" is not described under `sources`')
        regimes: list[str | None] = [*sorted({one for span in spans for one in span.regimes or ()})] or [None]
        territories: list[str | None] = [*sorted({one for span in spans for one in span.territories or ()})] or [None]
        for regime in regimes:
            for territory in territories:
                mine = [(at, span) for at, span in enumerate(spans) if span.holds(regime, territory)]
                mine.sort(key=lambda one: one[1].start)
                whose = " and ".join(part for part in (regime, territory) if part)
                of = f" for {whose}" if whose else ""
                for (_, before), (at, after) in pairwise(mine):
                    place = f"/parameters/{name}/values/{at}/from"
                    if before.until is None or before.until >= after.start:
                        self.fault(
                            loaded, place, f"{name} has two values on one day{of}", "End the earlier one before."
                        )
                    elif before.until + 1 < after.start:
                        self.fault(loaded, place, f"{name} has no value on the days before this{of}", "Close the gap.")

    def practice_only(self, patterns: Sequence[CompiledPattern], rules: Sequence[CompiledRule]) -> None:
        """Combined findings are about practice: a breach of law is not weighed against anything."""
        laws = {loaded.pack.id for loaded in self.loaded if loaded.pack.kind == "law"}
        ids = {rule.rule.id for rule in rules if rule.pack in laws}
        groups = {rule.rule.group for rule in rules if rule.pack in laws}
        for loaded in self.loaded:
            for index, pattern in enumerate(loaded.pack.patterns):
                least = pattern.at_least.of if pattern.at_least else ()
                clauses = (pattern.all_of, pattern.any_of, least, pattern.unless, pattern.raised_by, pattern.lowered_by)
                for match in (match for clause in clauses for match in clause):
                    if match.rule in ids or (match.group and match.group in groups):
                        named = match.rule or match.group
                        message = f"{pattern.id} uses {named}, which is law: combined findings are about practice"
                        self.fault(loaded, f"/patterns/{index}/id", message)

    def one_currency(self) -> str:
        """The currency of all limits; definitions in another that no pack uses are left aside."""
        used = {name for loaded in self.loaded if loaded.pack.pack for name in loaded.pack.uses}
        needed = [loaded for loaded in self.loaded if loaded.pack.pack or loaded.pack.id in used] or self.loaded
        currency = needed[0].pack.currency if needed else "GBP"
        for loaded in needed:
            if loaded.pack.currency != currency:
                self.fault(
                    loaded,
                    "/currency",
                    f"its limits are in {loaded.pack.currency}, and those of {needed[0].pack.id} are in {currency}: "
                    "they can't be used together",
                    "Name the packs to use (`--pack`).",
                )
        self.loaded = [loaded for loaded in self.loaded if loaded in needed or loaded.pack.currency == currency]
        return currency

    def pattern_set(self, patterns: Sequence[Pattern], rule_groups: Mapping[str, str | None]) -> PatternSet:
        try:
            return compile_patterns(patterns, rule_groups)
        except PackError as error:
            for fault in error.faults:
                # The fault names patterns; it is placed at the first.
                named = re.findall(r"\b[A-Z][A-Z0-9]*-[0-9]+[A-Za-z]?\b", fault.message)
                for loaded in self.loaded:
                    for index, pattern in enumerate(loaded.pack.patterns):
                        if pattern.id in named[:1]:
                            self.fault(loaded, f"/patterns/{index}/id", fault.message, fault.suggestion)
            self.raise_faults()
            raise

    def gate(
        self, loaded: LoadedPack, scope: _Scope, text: str, pointer: str, lets: Mapping[str, Let], owner: str
    ) -> CompiledRule | None:
        """A condition by itself, with its lets, in the form of a rule that requires it."""
        inner = scope.inner(owner)
        self.lets(inner, loaded, lets, pointer.rpartition("/")[0] + "/let", owner)
        condition = self.expression(inner, loaded, text, pointer)
        if condition is None:
            return None
        facts, constants, names = self.split(inner, condition.names)
        branch = CompiledBranch("pass", condition, None, "low", None, None, ())
        needed = self.needed(inner, set(names))
        return CompiledRule(
            rule=_GATE,
            pack=loaded.pack.id,
            currency=loaded.pack.currency,
            when=None,
            planned=None,
            branches=(branch,),
            require=True,
            notes=(),
            lets=needed,
            reads=_reads(facts, needed, ()),
            units=_units(needed),
            facts=facts,
            constants=constants,
            parameters=inner.parameters,
            tier=0,
            due=0,
        )

    def references(self, loaded: LoadedPack, rule: Rule, pointer: str) -> None:
        if rule.group is not None and rule.group not in loaded.pack.groups:
            self.fault(loaded, f"{pointer}/group", f'the group "{rule.group}" is not declared under `groups`')
        self.cited(loaded, rule.sources, pointer)

    def cited(self, loaded: LoadedPack, citations: Sequence[Any], pointer: str) -> None:
        for index, citation in enumerate(citations):
            if citation.source not in loaded.pack.sources:
                self.fault(
                    loaded,
                    f"{pointer}/sources/{index}/source",
                    f'the source "{citation.source}" is not described under `sources`',
                )

    def unique(self) -> None:
        """Ids are unique over all packs that are loaded together."""
        seen: dict[tuple[str, str], str] = {}
        for loaded in self.loaded:
            pack = loaded.pack
            ids = [("pack", pack.id, "/pack" if pack.pack else "/definitions")]
            ids += [("group", name, f"/groups/{name}") for name in pack.groups]
            parts: list[tuple[str, int, Rule | Pattern]] = [("rule", *one) for one in enumerate(pack.rules)]
            parts += [("pattern", *one) for one in enumerate(pack.patterns)]
            for kind, index, part in parts:
                ids.append((kind, part.id, f"/{kind}s/{index}/id"))
                ids += [(kind, old, f"/{kind}s/{index}/aliases/{at}") for at, old in enumerate(part.aliases)]
            ids += [("question", one.id, f"/questions/{index}/id") for index, one in enumerate(pack.questions)]
            for kind, id, pointer in ids:
                # A pattern or a question is cited as a rule is: they share one set of ids.
                key = ("rule" if kind in ("pattern", "question") else kind, id)
                if key in seen:
                    where = "in this pack" if seen[key] == pack.id and kind != "pack" else f"in {seen[key]}"
                    where = "by another pack" if kind == "pack" else where
                    self.fault(loaded, pointer, f'the {kind} id "{id}" is used already {where}')
                seen.setdefault(key, pack.id)

    def raise_faults(self) -> None:
        if self.faults:
            raise PackError(*dict.fromkeys(located(*fault) for fault in self.faults))


@cache
def _taken() -> frozenset[str]:
    """The names that facts and their sections have."""
    return frozenset({"as_of", "params", *(name.partition(".")[0] for name in dictionary()), *dictionary()})


def _within(text: str, line: int, column: int) -> str:
    """The place in a condition, where it is needed to find the fault."""
    return f" (line {line}, column {column} of it)" if "\n" in text else f" (at character {column})"


_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "bool": ("bool",),
    "int": ("int", "double"),
    "double": ("double", "int"),
    "money": ("double", "int"),
    "date": ("int",),
    "enum": ("string",),
    "text": ("string",),
}
"""The types of a value that a mend may write to a fact of each type."""
_LISTS: Final = ("list_enum", "list_text", "list_record")


def _reads(facts: Sequence[str], lets: Sequence[CompiledLet], texts: Iterable[Text]) -> tuple[str, ...]:
    read = {*facts, *(name for let in lets for name in let.facts)}
    spoken = {name for text in texts for name in text.names if name in dictionary()}
    with_none = {name + GIVEN for name in spoken if dictionary()[name].may_be_none}
    return tuple(sorted(read | spoken | with_none))


def _units(lets: Sequence[CompiledLet]) -> Mapping[str, tuple[str | None, str]]:
    return {let.name: (let.let.unit, let.let.round) for let in lets}


def _spans(parameter: Parameter) -> tuple[Span, ...]:
    return tuple(
        Span(
            one.value,
            days(one.from_),
            None if one.until is None else days(one.until),
            None if one.regimes is None else frozenset(one.regimes),
            None if one.territories is None else frozenset(one.territories),
        )
        for one in parameter.values or ()
    )


_GATE: Final = Rule.model_construct(id="GATE-0", severity="low", due_from="draft", tier="small")


def _under_current_ids(pattern: Pattern, renamed: Mapping[str, str]) -> Pattern:
    """A pattern that names rules by ids that they had before, by those that they have."""

    def current(matches: Sequence[Match]) -> tuple[Match, ...]:
        return tuple(
            match.model_copy(update={"rule": renamed[match.rule]}) if match.rule and match.rule in renamed else match
            for match in matches
        )

    if not renamed:
        return pattern
    clauses = ("all_of", "any_of", "unless", "raised_by", "lowered_by")
    update: dict[str, Any] = {name: current(getattr(pattern, name)) for name in clauses}
    if pattern.at_least:
        update["at_least"] = pattern.at_least.model_copy(update={"of": current(pattern.at_least.of)})
    return pattern.model_copy(update=update)


def located(loaded: LoadedPack, pointer: str, message: str, suggestion: str | None = None) -> Fault:
    """A fault of a pack, with its place in the file."""
    from goodcommission.description.positions import positions

    source = loaded.source
    line, column = (positions(source).nearest(pointer) if source else None) or (None, None)
    return Fault(message, source.name if source else loaded.pack.id, line, column, pointer, suggestion)


def compile_packs(
    loaded: Sequence[LoadedPack], adjustments: Sequence[Adjustment] = (), made: Sequence[Change] = ()
) -> Packs:
    """Compile packs that are used together.

    Args:
        loaded: The packs, with the definitions that they use.
        adjustments: Parameters and severities that are to be others than the packs'.
        made: What packs have changed in each other already.

    Raises:
        PackError: With every fault that was found, each with file, line and column.
    """
    if not adjustments:
        return replace(_Compiler(loaded).compile(), changes=tuple(made))
    others, changes = adjusted(loaded, adjustments)
    try:
        packs = _Compiler(others).compile()
    except PackError:
        _Compiler(loaded).compile()  # A fault of the packs themselves is told with its place in them.
        raise
    return replace(packs, changes=(*made, *changes))


def build_conditions(loaded: Sequence[LoadedPack]) -> Mapping[str, Mapping[str, Any]]:
    """By pack id: what it takes to restore its conditions, as JSON can hold it."""
    compiler = _Compiler(loaded)
    compiler.compile()
    return compiler.built
