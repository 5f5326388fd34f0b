"""A description as it was written, in plain values: what it states of a fact, and the place to state it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def held(raw: Mapping[str, Any], name: str, absent: Any = None) -> Any:
    """What is written for a fact; None is "not known", and `absent` stands for nothing written."""
    here: Any = raw
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return absent
        here = here[part]
    return here


def place(raw: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    """The section of a fact, made where it is missing, and the fact's name in it."""
    *sections, last = name.split(".")
    here = raw
    for section in sections:
        if not isinstance(here.get(section), dict):
            here[section] = {}
        here = here[section]
    return here, last
