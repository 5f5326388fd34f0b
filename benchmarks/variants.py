"""Many different descriptions, drawn from the shipped examples: facts left out, figures and answers changed.

Real use never audits the same description twice, so neither do the benchmarks: a cache must not flatter them.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from goodcommission.description.document import Document
from goodcommission.description.reading import parse, read_description, read_source
from goodcommission.exceptions import DescriptionError

EXAMPLES = Path(__file__).parent.parent / "examples"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LEFT_OUT = 0.15
_CHANGED = 0.5
_KEPT = frozenset({"kind", "stage", "amount", "currency", "complete", "items", "name", "group", "evidence"})


def examples() -> tuple[Mapping[str, Any], ...]:
    """The shipped descriptions, as plain values; a template is not one yet."""
    paths = sorted(path for path in EXAMPLES.iterdir() if path.suffix in {".json", ".yaml"})
    return tuple(parse(read_source(path)) for path in paths if "template" not in path.name)


def variants(count: int, seed: int) -> Iterator[tuple[dict[str, Any], Document]]:
    """So many valid descriptions, no two alike: each as plain values and as a document that has been read."""
    chance, origins = random.Random(seed), examples()
    seen: set[str] = set()
    while len(seen) < count:
        drawn = _drawn(chance.choice(origins), chance)
        try:
            document = read_description(drawn)
        except DescriptionError:
            continue
        if document.digest not in seen:
            seen.add(document.digest)
            yield drawn, document


def _drawn(value: Any, chance: random.Random) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _drawn(child, chance) if name not in {"kind", "stage", "evidence"} else child
            for name, child in value.items()
            if name in _KEPT or chance.random() >= _LEFT_OUT
        }
    if isinstance(value, list):
        return [_drawn(child, chance) for child in value]
    if chance.random() >= _CHANGED:
        return float(value) if isinstance(value, Decimal) else value
    if isinstance(value, bool):
        return chance.random() < 0.5
    if isinstance(value, int):
        return round(value * chance.uniform(0.2, 3.0))
    if isinstance(value, float | Decimal):
        return round(float(value) * chance.uniform(0.2, 1.0), 4)
    if isinstance(value, str) and _DATE.fullmatch(value):
        return (dt.date.fromisoformat(value) + dt.timedelta(days=chance.randint(-60, 60))).isoformat()
    return value
