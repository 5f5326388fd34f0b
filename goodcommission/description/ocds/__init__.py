"""Reading of OCDS 1.1: published notices become descriptions in which every value knows its place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from goodcommission.description.ocds.shapes import is_ocds

__all__ = ["Converted", "convert", "is_ocds"]


@dataclass(frozen=True, slots=True)
class Converted:
    """One contracting process as a description."""

    description: dict[str, Any]
    """In the raw form of our own format; it validates as a Description."""
    places: dict[str, str]
    """JSON pointer in the description, of each value and list item, to the pointer in the OCDS file."""
    notes: tuple[str, ...]
    """Remarks on the reading, in plain English: what was taken as not stated, what contradicts itself."""


def convert(raw: object) -> tuple[Converted, ...]:
    """Read the processes of an OCDS file.

    Args:
        raw: The parsed JSON: a release, a record, a package of them, or an array of these.

    Returns:
        One description for each process (ocid), in the order of first appearance.

    Raises:
        DescriptionError: Something in the file has the shape of OCDS but is not.
    """
    from goodcommission.description.ocds.derivations import Reading
    from goodcommission.description.ocds.mapping import describe
    from goodcommission.description.ocds.shapes import processes

    return tuple(Converted(*describe(Reading(process))) for process in processes(raw))
