"""The documents of a case together: the facts that each takes from the others, what contradicts, one verdict a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel

from goodcommission.description.case import CHANGING, NAMING, OF_ITS_TIME, Case, is_among
from goodcommission.description.document import Document
from goodcommission.description.model import Evidence
from goodcommission.description.types import NONE, Listed, Money
from goodcommission.engine.evidence import Backing, Path
from goodcommission.engine.facts import COMPLETE, GIVEN, Facts, dictionary, gather, statements
from goodcommission.engine.verdicts import RuleVerdict
from goodcommission.packs.model import Severity, Verdict

_SUFFIXES: Final = ("", GIVEN, COMPLETE)
_WORST_FIRST: Final = ("fail", "unknown", "pass", "not_yet_due", "not_applicable")
_SEVERITIES: Final = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Joined:
    """One document of a case, with what it takes from the others."""

    document: Document
    facts: Facts
    said: Mapping[str, Any]
    """What it states itself, by the name of the fact."""
    sources: Mapping[str, int]
    """By the name of each fact that it knows: the number of the document that states it."""


def base(reference: str) -> str:
    """The fact that a reference belongs to: ``requirements.insurance`` of ``requirements.insurance[0].cover``."""
    return reference.partition("[")[0].removesuffix(GIVEN).removesuffix(COMPLETE)


# --- What each takes from the others ----------------------------------------------------------------------------


def join(case: Case, currency: str) -> tuple[Joined, ...]:
    """Each document with its own facts, and with those of the others that it says nothing of."""
    documents = case.documents
    own = [gather(document, currency) for document in documents]
    said = [
        {name: value for name, value in statements(one.description).items() if not _of_profile(one, name)}
        for one in documents
    ]
    speakers: dict[str, list[int]] = {}
    for number, statements_ in enumerate(said):
        for name in statements_:
            speakers.setdefault(name, []).append(number)
    return tuple(_joined(documents, own, said, speakers, number) for number in range(len(documents)))


def _of_profile(document: Document, name: str) -> bool:
    return document.profile is not None and name in document.profile.facts


def _first(documents: Sequence[Document], number: int, name: str) -> int:
    """The document that a fact of one counts as stated in: the first where it is of the profile or the kind."""
    if name == "kind":
        kinds = [one.description.kind for one in documents]
        return kinds.index(kinds[number])
    profile = documents[number].profile
    if profile is None or name not in profile.facts:
        return number
    for at, one in enumerate(documents[:number]):
        if one.profile is not None and name in one.profile.facts and one.profile.digest == profile.digest:
            return at
    return number


def _joined(
    documents: Sequence[Document],
    own: Sequence[Facts],
    said: Sequence[Mapping[str, Any]],
    speakers: Mapping[str, Sequence[int]],
    number: int,
) -> Joined:
    mine, document = own[number], documents[number]
    values, reasons = dict(mine.values), dict(mine.reasons)
    sources = {base(name): _first(documents, number, base(name)) for name in (*mine.values, *mine.reasons)}
    backings: dict[str, tuple[Backing, ...]] = dict.fromkeys(sources, (mine.backing,))
    for name, those in speakers.items():
        if name == "kind":
            continue
        source = number
        if number not in those:
            others = [at for at in those if _may_be_taken(name, documents[at], document)]
            if not others:
                continue
            # Before what stands in the commissioner's profile comes what a document of the case says.
            for suffix in _SUFFIXES:
                values.pop(name + suffix, None)
            chosen = _agreed(name, {at: said[at][name] for at in others}, own)
            if chosen is None:
                sources.pop(name, None)
                backings.pop(name, None)
                names = " and ".join(documents[at].name for at in others)
                reasons[name] = f"the other documents of the case say different things of it ({names})"
                continue
            source = chosen
            values.update({n: own[source].values[n] for n in _suffixed(name) if n in own[source].values})
            reasons.update({n: why for n, why in own[source].reasons.items() if base(n) == name})
        sources[name] = source
        alike = [at for at in those if at != source and _plain(said[at][name]) == _plain(said[source][name])]
        backings[name] = tuple(own[at].backing for at in (source, *alike))
    backing = JoinedBacking(items=_items(backings), by_name=backings)
    evidenced = frozenset(n for name in backings if backing.evidence_for(name) for n in _suffixed(name))
    facts = replace(mine, values=values, reasons=reasons, evidenced=evidenced, backing=backing)
    return Joined(document, facts, said[number], sources)


@dataclass(frozen=True, slots=True)
class JoinedBacking(Backing):
    """The evidence of a case for what one of its documents knows: of all that state a fact in the same way."""

    by_name: Mapping[str, tuple[Backing, ...]] = field(default_factory=dict)
    """By fact: the evidence of the document that states it, then that of the others."""

    def evidence_for(self, reference: str, *, within: bool = True) -> Evidence | None:
        """As in each document, the first that has it."""
        backings = self.by_name.get(reference.partition("[")[0], ())
        return next((found for one in backings if (found := one.evidence_for(reference, within=within))), None)


def _items(backings: Mapping[str, tuple[Backing, ...]]) -> frozenset[Path]:
    """As in each document, of what is known from it."""
    of_each = {id(one): one.items for those in backings.values() for one in those}
    return frozenset(
        steps
        for name, those in backings.items()
        for one in those
        for steps in of_each[id(one)]
        if steps[: name.count(".") + 1] == tuple(name.split("."))
    )


def _suffixed(name: str) -> tuple[str, ...]:
    return tuple(name + suffix for suffix in _SUFFIXES)


def _may_be_taken(name: str, giver: Document, taker: Document) -> bool:
    if name in NAMING:
        return False
    return giver.description.kind == taker.description.kind or not is_among(name, OF_ITS_TIME)


def _agreed(name: str, values: Mapping[int, Any], own: Sequence[Facts]) -> int | None:
    """The document whose statement stands for all of some, or None if they say different things."""
    # A list that names everything stands for one that names some of it; evidence before the word alone.
    order = sorted(values, key=lambda at: (not getattr(values[at], "complete", True), name not in own[at].evidenced))
    first = order[0]
    if any(contradict(name, values[first], values[at]) for at in order):
        return None
    if isinstance(values[first], Listed) and not values[first].complete:
        return first if all(same(name, values[first], values[at]) for at in order) else None
    return first


# --- Whether two statements are the same, or contradict each other ----------------------------------------------


def same(name: str, one: Any, other: Any) -> bool:
    """Whether two documents say the same of a fact."""
    if isinstance(one, Listed) and isinstance(other, Listed):
        alike = Counter(map(_plain, one.items)) == Counter(map(_plain, other.items))
        return bool(one.complete == other.complete and alike)
    return bool(_plain(one) == _plain(other))


def contradict(name: str, one: Any, other: Any) -> bool:
    """Whether two statements of a fact can't both be right.

    Free texts contradict only where one of them is ``none``: two may say the same in other words.
    """
    fact = dictionary()[name]
    if isinstance(one, Listed) and isinstance(other, Listed):
        return _lists_contradict(fact.type, one, other)
    return _values_contradict(fact.type, one, other)


def _values_contradict(type_: str, one: Any, other: Any) -> bool:
    if type_ == "text":
        return bool((one == NONE) != (other == NONE))
    return bool(_plain(one) != _plain(other))


def _lists_contradict(type_: str, one: Listed[Any], other: Listed[Any]) -> bool:
    if one.complete and other.complete and len(one.items) != len(other.items):
        return True
    if type_ == "list_text":
        return False
    return (bool(other.complete) and not _within(type_, one.items, other.items)) or (
        bool(one.complete) and not _within(type_, other.items, one.items)
    )


def _within(type_: str, some: Sequence[Any], all_: Sequence[Any]) -> bool:
    """Whether each item may be one of a complete list."""
    if type_ == "list_enum":
        return set(some) <= set(all_)
    return all(any(_may_be_one(item, other) for other in all_) for item in some)


def _may_be_one(one: BaseModel, other: BaseModel) -> bool:
    """Whether two records may be of the same thing: nothing that both state differs."""
    for name, value in one:
        told = getattr(other, name)
        type_ = "text" if isinstance(value, str) and isinstance(told, str) and _free(one, name) else ""
        if value is not None and told is not None and _values_contradict(type_, value, told):
            return False
    return True


def _free(record: BaseModel, name: str) -> bool:
    """Whether a field of a record is a free text, and not one of a few words."""
    return "Literal" not in str(type(record).model_fields[name].annotation)


def _plain(value: Any) -> Any:
    """A value in a form that compares: nothing is nothing in any currency."""
    if isinstance(value, Money):
        return (value.amount, value.currency if value.amount else "")
    if isinstance(value, BaseModel):
        return tuple((name, _plain(part)) for name, part in value if part is not None)
    return value


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A fact of which documents say different things."""

    name: str
    documents: tuple[int, ...]
    """All that state it, by their numbers."""


def contradictions(joined: Sequence[Joined]) -> Iterator[Contradicted]:
    """The facts that documents of a case state so that they can't all be right, in the order of the cycle."""
    for name in dictionary():
        if is_among(name, NAMING) or is_among(name, OF_ITS_TIME) or is_among(name, CHANGING):
            continue
        those = [number for number, one in enumerate(joined) if name in one.said]
        said = [joined[number].said[name] for number in those]
        if any(contradict(name, one, other) for at, one in enumerate(said) for other in said[at + 1 :]):
            yield Contradicted(name, tuple(those))


# --- One verdict a rule -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """What a rule says of a case: the verdict of the document that settles it, and what it says of each."""

    number: int
    """Of the document that settles it."""
    verdict: RuleVerdict
    said: tuple[tuple[int, RuleVerdict], ...]


def together(joined: Sequence[Joined], said: Sequence[tuple[int, RuleVerdict]]) -> tuple[int, Verdict, bool]:
    """The document that settles a rule, the verdict, and whether it is provisional.

    It is not met if one document does not meet it; else unknown if it is of one; else met if it is by one.
    """
    worst = min((one.verdict for _, one in said), key=_WORST_FIRST.index)
    those = [(number, one) for number, one in said if one.verdict == worst]
    open_ = [one.provisional for _, one in those]

    def weight(item: tuple[int, RuleVerdict]) -> tuple[Any, ...]:
        # Of those that are not met, the surest and gravest; of those that are met, the least sure. Then the document
        # that itself states most of what decides.
        number, one = item
        taken = sum(joined[number].sources.get(base(name), number) != number for name in one.settled)
        if worst == "fail":
            return (one.provisional, _SEVERITIES.index(one.severity), taken, number)
        return (not one.provisional, not one.claimed, one.evidenced, taken, number)

    return min(those, key=weight)[0], worst, all(open_) if worst == "fail" else any(open_)


class Names:
    """The names of facts in the report of a case: with the document where several state a fact, and without else."""

    def __init__(self, joined: Sequence[Joined]) -> None:
        self._joined = joined
        self._speakers: dict[str, set[int | None]] = {}
        self.known: dict[str, tuple[int, str]] = {}
        """By name: the document that states it, and how it is called there."""
        kinds = [one.document.description.kind for one in joined]
        self._firsts = [number for number, kind in enumerate(kinds) if kind not in kinds[:number]]
        for number in self._firsts:
            self.note(number, ["kind"])

    def kinds(self) -> tuple[str, ...]:
        """The kinds of the documents, each once: why a rule may be asked of none."""
        return tuple(self.name(number, "kind") for number in self._firsts)

    def speaker(self, number: int, reference: str) -> int | None:
        """The document that states what is known to a document."""
        return self._joined[number].sources.get(base(reference))

    def note(self, number: int, references: Iterable[str]) -> None:
        """Remember that these are spoken of; to be done for all before the first name is asked for."""
        for reference in references:
            self._speakers.setdefault(base(reference), set()).add(self.speaker(number, reference))

    def name(self, number: int, reference: str) -> str:
        """The name of a fact that a document knows or lacks."""
        speaker = self.speaker(number, reference)
        if len(self._speakers[base(reference)]) == 1:
            name = reference
        else:
            name = f"{reference}@{self._joined[number if speaker is None else speaker].document.name}"
        self.known.setdefault(name, (number if speaker is None else speaker, reference))
        return name


def combine(
    joined: Sequence[Joined],
    said: Sequence[Sequence[RuleVerdict | None]],
    gates: Sequence[Mapping[str, tuple[bool | None, tuple[str, ...]]]],
) -> tuple[list[CaseVerdict | None], dict[str, tuple[bool | None, tuple[str, ...]]], Names]:
    """One verdict for each rule and pattern's condition of a case.

    Args:
        joined: The documents.
        said: For each document: what each rule says of it, None where it is not asked of its kind.
        gates: For each document: whether the condition of each pattern holds, and what is missing.

    Returns:
        For each rule its verdict (None where it is asked of none); for each condition whether it holds of any
        document; and the names of all facts.
    """
    names = Names(joined)
    chosen: list[tuple[int, Verdict, bool, list[tuple[int, RuleVerdict]]] | None] = []
    for of_rule in zip(*said, strict=True):
        asked = [(number, one) for number, one in enumerate(of_rule) if one is not None]
        if not asked:
            chosen.append(None)
            continue
        number, verdict, open_ = together(joined, asked)
        chosen.append((number, verdict, open_, asked))
        names.note(number, dict(asked)[number].settled)
        for at, waits in _waiting(asked, verdict, open_):
            names.note(at, waits.missing)
    for number, gate in enumerate(gates):
        for _, missing in gate.values():
            names.note(number, missing)
    verdicts: list[CaseVerdict | None] = []
    for choice in chosen:
        if choice is None:
            verdicts.append(None)
            continue
        number, verdict, open_, asked = choice
        settling = dict(asked)[number]
        lacking = [names.name(at, name) for at, other in _waiting(asked, verdict, open_) for name in other.missing]
        whole = replace(
            settling,
            provisional=open_,
            settled=tuple(names.name(number, name) for name in settling.settled),
            missing=tuple(dict.fromkeys(lacking)),
            kept=[],
        )
        verdicts.append(CaseVerdict(number, whole, tuple(asked)))
    return verdicts, {id: _any(names, gates, id) for id in gates[0]}, names


def _waiting(
    asked: Sequence[tuple[int, RuleVerdict]], verdict: Verdict, open_: bool
) -> Iterator[tuple[int, RuleVerdict]]:
    """The verdicts whose missing facts could change that of the case."""
    if verdict != "fail" or open_:
        yield from ((number, one) for number, one in asked if one.missing)


def _any(
    names: Names, gates: Sequence[Mapping[str, tuple[bool | None, tuple[str, ...]]]], id: str
) -> tuple[bool | None, tuple[str, ...]]:
    values = [gate[id][0] for gate in gates]
    value = True if True in values else None if None in values else False
    missing = (
        names.name(number, name)
        for number, gate in enumerate(gates)
        if value is None and gate[id][0] is None
        for name in gate[id][1]
    )
    return value, tuple(dict.fromkeys(missing))


def severity_of(contradicted: Contradicted, said: Sequence[Sequence[RuleVerdict | None]]) -> tuple[Severity, list[int]]:
    """How grave a contradiction is, and the rules that rest on the fact, by their numbers.

    High: the documents get different verdicts of a rule by it. Medium: a verdict rests on it. Low: none does here.
    """
    resting: list[int] = []
    differing = False
    for at, of_rule in enumerate(zip(*said, strict=True)):
        those = [one for number in contradicted.documents if (one := of_rule[number]) is not None]
        by_it = [one for one in those if any(base(name) == contradicted.name for name in one.settled)]
        if by_it:
            resting.append(at)
            differing = differing or len({one.verdict for one in those}) > 1
    return "high" if differing else "medium" if resting else "low", resting
