"""The documents of a case together: one verdict a rule, and the names of facts in their report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from goodcommission.description.joining import Contradicted, Joined, base
from goodcommission.engine.verdicts import RuleVerdict
from goodcommission.packs.model import Severity, Verdict

_WORST_FIRST: Final = ("fail", "unknown", "pass", "not_yet_due", "not_applicable")
_SEVERITIES: Final = ("high", "medium", "low")


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
    further: Sequence[Iterable[str]],
) -> tuple[list[CaseVerdict | None], dict[str, tuple[bool | None, tuple[str, ...]]], Names]:
    """One verdict for each rule and pattern's condition of a case.

    Args:
        joined: The documents.
        said: For each document: what each rule says of it, None where it is not asked of its kind.
        gates: For each document: whether the condition of each pattern holds, and what is missing.
        further: For each document: what else is spoken of.

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
    for number, references in enumerate(further):
        names.note(number, references)
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
