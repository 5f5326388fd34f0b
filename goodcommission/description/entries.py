"""Checks the entries of a file that holds a list of them; a file full of mistakes costs no more than a sound one."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from goodcommission.exceptions import DescriptionError, Fault

MOST_FAULTS: Final = 100
"""Named of one file; past them one more tells nothing new."""
_AT_ONCE: Final = 500
"""Entries that are checked together: of each that is wrong, pydantic keeps several errors of a kilobyte."""

_LONGEST_NAME: Final = 300
_MOST_SIGNS: Final = 20

Entry = TypeVar("Entry", bound=BaseModel)


class FirstFaults(list[Fault]):
    """Faults of a description up to the hundredth, which is raised with those before it."""

    def append(self, fault: Fault) -> None:
        """Add one.

        Raises:
            DescriptionError: There are enough.
        """
        super().append(fault)
        if len(self) == MOST_FAULTS:
            raise DescriptionError(*self)


def name_of_document(text: str) -> str:
    """The name of a document, or a pattern of names: short, as every pattern is made ready before it is compared."""
    if len(text) > _LONGEST_NAME or len(re.findall(r"[*?\[]", text)) > _MOST_SIGNS:
        message = "the name of a document has at most {longest} characters, and {most} of them may be * or ? or ["
        raise PydanticCustomError("document", message, {"longest": _LONGEST_NAME, "most": _MOST_SIGNS})
    return text


def read_entries(
    file: type[BaseModel], raw: dict[str, Any], name: str, entry: type[Entry]
) -> tuple[list[Entry], list[dict[str, Any]]]:
    """The entries of a file, or the first of pydantic's errors, with places as in the whole file.

    Args:
        file: The model of the whole file.
        raw: What it holds.
        name: The field with the list.
        entry: The model of an entry.
    """
    entries, found = raw.get(name), []
    parts = range(0, max(len(entries), 1), _AT_ONCE) if isinstance(entries, list) else ()
    for start in parts or (0,):
        part = {**raw, name: entries[start : start + _AT_ONCE]} if isinstance(entries, list) else raw
        try:
            found.extend(getattr(file.model_validate(part), name))
        except ValidationError as error:
            return [], [_moved(dict(one), name, start) for one in error.errors(include_url=False)[:MOST_FAULTS]]
    return found, []


def _moved(error: dict[str, Any], name: str, by: int) -> dict[str, Any]:
    place = error["loc"]
    if len(place) > 1 and place[0] == name and isinstance(place[1], int):
        error["loc"] = (name, place[1] + by, *place[2:])
    return error
