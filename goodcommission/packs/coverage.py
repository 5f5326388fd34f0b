"""What of the sources the rules check: each recommendation and each piece of good practice, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from goodcommission.description.positions import positions, to_pointer
from goodcommission.exceptions import DescriptionError, Fault, PackError
from goodcommission.packs.loading import COVERAGE, shipped_folder
from goodcommission.packs.model import PackId, RuleId, Version

Became = Literal["checked", "manual", "gap"]
_Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Lines = Annotated[str, StringConstraints(pattern=r"^[0-9]+(-[0-9]+)?(, [0-9]+(-[0-9]+)?)*$")]


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Entry(_Part):
    """One recommendation or piece of good practice, in words of ours, and what became of it."""

    lines: _Lines
    """Where the source says it; a repetition has its lines in the same entry."""
    kind: PackId
    says: _Text
    rules: Annotated[tuple[RuleId, ...], BeforeValidator(_tuple)] = ()
    manual: Annotated[tuple[RuleId, ...], BeforeValidator(_tuple)] = ()
    gap: _Text | None = None
    """Why nothing of ours asks it."""

    @model_validator(mode="after")
    def _one_of(self) -> Entry:
        if bool(self.rules or self.manual) == (self.gap is not None):
            raise PydanticCustomError("entry", "an entry names `rules`, `manual` questions or both, or a `gap`")
        return self

    @property
    def became(self) -> Became:
        """Checked by a rule; if not, asked of a person; if not, a gap."""
        return "checked" if self.rules else "manual" if self.manual else "gap"


class CoveredSource(_Part):
    """A source with all that it recommends."""

    title: _Text
    counted: _Text
    """What was counted as an entry, and how the entries were found."""
    kinds: dict[PackId, Annotated[int, Field(ge=1)]]
    """How many entries there are of each kind."""
    entries: Annotated[tuple[Entry, ...], BeforeValidator(_tuple)]

    def number(self, became: Became) -> int:
        """How many entries became this."""
        return sum(one.became == became for one in self.entries)


class Coverage(_Part):
    """All sources."""

    coverage: Version
    sources: dict[PackId, CoveredSource]

    def questions(self) -> frozenset[str]:
        """The ids of all manual questions that are named."""
        return frozenset(id for source in self.sources.values() for one in source.entries for id in one.manual)

    def rules(self) -> frozenset[str]:
        """The ids of all rules that are named."""
        return frozenset(id for source in self.sources.values() for one in source.entries for id in one.rules)


_COUNT: Final = "the file says that there are {said} entries of the kind {kind}, and there are {are}"


def read_coverage(path: Path | None = None) -> Coverage:
    """Read the table of what the rules check; the shipped one by default.

    Raises:
        PackError: It can't be read, or is not complete by its own numbers; every fault with line and column.
    """
    from goodcommission.description.reading import parse, read_source

    try:
        source = read_source(path or shipped_folder("rules") / COVERAGE)
        raw = parse(source)
        found = Coverage.model_validate(raw)
    except DescriptionError as error:
        raise PackError(*error.faults) from None
    except ValidationError as error:
        faults = []
        for one in error.errors(include_url=False):
            pointer = to_pointer(one["loc"])
            line, column = positions(source).nearest(pointer) or (None, None)
            faults.append(Fault(f"{one['msg'][:1].lower()}{one['msg'][1:]}", source.name, line, column, pointer))
        raise PackError(*faults) from None
    faults = []
    for id, of in found.sources.items():
        are = {kind: sum(one.kind == kind for one in of.entries) for kind in {one.kind for one in of.entries}}
        for kind in sorted(are.keys() | of.kinds.keys()):
            said = of.kinds.get(kind, 0)
            if said != are.get(kind, 0):
                pointer = f"/sources/{id}/kinds"
                line, column = positions(source).nearest(pointer) or (None, None)
                message = _COUNT.format(said=said, kind=kind, are=are.get(kind, 0))
                faults.append(Fault(message, source.name, line, column, pointer))
    if faults:
        raise PackError(*faults)
    return found
