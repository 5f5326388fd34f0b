"""The documents of a case together: the facts that each takes from the others, and what contradicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import BaseModel

from goodcommission.description.case import CHANGING, NAMING, OF_ITS_TIME, Case, is_among
from goodcommission.description.document import Document
from goodcommission.description.evidence import Backing, Path
from goodcommission.description.facts import COMPLETE, GIVEN, Facts, dictionary, gather, pointed, statements
from goodcommission.description.model import Evidence
from goodcommission.description.types import NONE, Listed, Money

_SUFFIXES: Final = ("", GIVEN, COMPLETE)


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


def knowledge(joined: Sequence[Joined]) -> Iterator[dict[str, Any]]:
    """For each document all facts that are known of it, and where each stands: of others with their file and "#"."""
    for mine in joined:
        places = {}
        for name, at in sorted(mine.sources.items()):
            # Its kind is its own, also where others are of the same.
            giver = mine if name == "kind" else joined[at]
            places[name] = _pointed(giver.document, giver.facts, name, mine.document)
        yield _known(mine.document, mine.facts, places)


def known(document: Document, facts: Facts) -> dict[str, Any]:
    """The same of a document by itself."""
    names = sorted({base(name) for name in (*facts.values, *facts.reasons)} - {"as_of"})
    return _known(document, facts, {name: _pointed(document, facts, name, document) for name in names})


def _pointed(giver: Document, facts: Facts, name: str, taker: Document) -> str:
    file, pointer, _ = pointed(giver, facts, name)
    return pointer if file == taker.name else f"{file}#{pointer}"


def _known(document: Document, facts: Facts, places: dict[str, str]) -> dict[str, Any]:
    return {
        "document": document.name,
        "facts": {name: facts.values[name] for name in sorted(facts.values) if name != "as_of"},
        "places": places,
        "evidenced": [name for name in places if name in facts.evidenced],
    }


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
