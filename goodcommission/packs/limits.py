"""How much a pack may hold: whoever wrote it, loading it must not take a machine's time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from goodcommission.description.document import Source
from goodcommission.description.positions import locate
from goodcommission.exceptions import Fault, PackError
from goodcommission.packs.model import Pack

MOST_BYTES: Final = 1_000_000
"""Of one file; the largest that is shipped has 120,000."""
MOST_OF_A_KIND: Final = 500
"""Rules, combined findings, questions, parameters, sources, groups and changes, each; the most shipped are 20."""
MOST_LETS: Final = 250
"""In one pack, those of its rules included; the most that are shipped are 34. Each takes a megabyte."""
_KINDS: Final = {
    "rules": "rules",
    "patterns": "combined findings",
    "questions": "questions",
    "parameters": "parameters",
    "sources": "sources",
    "groups": "groups",
    "changes": "changes",
    "regimes": "regimes",
    "uses": "files of definitions",
    "extends": "packs that it extends",
}
_ADVICE: Final = "Cut the pack into several."


def check_bytes(source: Source) -> None:
    """Refuse the text of a pack that is too long, before it is parsed.

    Raises:
        PackError: It is.
    """
    size = len(source.text.encode())
    if size > MOST_BYTES:
        message = f"a pack may have {MOST_BYTES // 1000:,} kB at most, and this has {size / 1000:,.0f} kB"
        raise PackError(Fault(message, source.name, suggestion=_ADVICE))


def check_counts(pack: Pack, source: Source) -> None:
    """Refuse a pack that holds more than it may.

    Raises:
        PackError: It does; all that is too much.
    """
    faults = []
    for pointer, what, found, most in _counted(pack):
        if found > most:
            line, column = locate(source, pointer) or (None, None)
            message = f"a pack may have {most:,} {what} at most, and this has {found:,}"
            faults.append(Fault(message, source.name, line, column, pointer or None, _ADVICE))
    if faults:
        raise PackError(*faults)


def _counted(pack: Pack) -> Iterator[tuple[str, str, int, int]]:
    for name, what in _KINDS.items():
        yield f"/{name}", what, len(getattr(pack, name)), MOST_OF_A_KIND
    lets = len(pack.let) + sum(len(rule.let) for rule in pack.rules)
    lets += sum(len(pattern.let) for pattern in pack.patterns)
    yield "/let" if pack.let else "", "lets", lets, MOST_LETS
