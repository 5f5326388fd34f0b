"""The kinds of document, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, str]] = {
    "tender": "tender",
    "contract": "contract",
    "decommissioning_plan": "decommissioning plan",
    "grant_programme": "grant programme",
}
KINDS_OF_SEVERAL: Final[Mapping[str, str]] = {kind: f"{words}s" for kind, words in KINDS.items()}
