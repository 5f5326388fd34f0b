"""How every form of a summary words its figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size

from goodcommission.engine.texts import say, say_date
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import count, listed, number
from goodcommission.scan.naming import fact_title

if TYPE_CHECKING:
    from goodcommission.report.text import Page
    from goodcommission.scan.summary import Example, Heap, MissingFact, Publisher, Spread, Spreads, Verdicts

_LONGEST: Final = 80
TITLES: Final[Mapping[str, str]] = {
    "buyer": "By buyer",
    "month": "By month",
    "division": "By what is bought",
    "value": "By value",
}
HEAP_STATES: Final[Mapping[str, str]] = {
    "no heap": "No heap",
    "too few": "Too few values near it to say anything",
    "no values": "Not looked at, for want of values in the table",
}
"""What is said of thresholds at which nothing was found."""
FEWEST: Final = 30
"""Values near a threshold, below which nothing can be said about them."""
INNOCENT: Final = (
    "This may have innocent causes: budgets are set in round sums, price lists and grants have ceilings, and buyers "
    "plan within the rules. It shows which notices to read, and proves nothing."
)
SPREAD_WORDS: Final = (
    "Decided: of the rules of practice that are met, not met or not known, the share that is met or not met; the mean "
    "over the notices, and between which figures the middle half of them lies. Coverage weighs the rules by how much "
    "they matter. A score (the mean, and of how many notices) is given only where coverage is at least half."
)


def amount(many: int) -> str:
    """A count with its thousands apart: 12,345."""
    return f"{many:,}"


def percent(share: float | None) -> str:
    """A share, or a dash where there is nothing to take it of."""
    return "–" if share is None else f"{number(share)}%"


def share_of(part: int, whole: int) -> float | None:
    """A share in percent, to a tenth; none of nothing."""
    return None if whole == 0 else round(100 * part / whole, 1)


def least_of(part: int, whole: int) -> float | None:
    """A share in percent, cut off after a tenth: of what is said to be at least so much."""
    return None if whole == 0 else 1000 * part // whole / 10


def mean(spread: Spread, unit: str = "") -> str:
    """The mean, or a dash where there is none."""
    return "–" if spread.mean is None else f"{number(spread.mean)}{unit}"


def middle(spread: Spread, unit: str = "") -> str:
    """The figure of the notice in the middle."""
    return "–" if spread.median is None else f"{number(spread.median)}{unit}"


def half(spread: Spread, unit: str = "") -> str:
    """Between which figures the middle half of the notices lies."""
    if spread.lower_quartile is None or spread.upper_quartile is None:
        return "–"
    return f"{number(spread.lower_quartile)}–{number(spread.upper_quartile)}{unit}"


def place(example: Example) -> str:
    """Where a notice stands."""
    where = f"{neutral(example.file, _LONGEST)}:{example.line}"
    also = [neutral(one, _LONGEST) for one in (example.pointer, example.ocid) if one]
    return f"{where} ({', '.join(also)})" if also else where


def fact_words(one: MissingFact) -> str:
    """A fact and the field of OCDS that carries it."""
    return f"{one.title} ({one.field or 'no field of OCDS carries it'})"


def verdict_words(one: Verdicts) -> str:
    """What came of putting rules to notices, in a sentence."""
    if not one.put:
        return "No rule was put to any notice."
    decided = f"met {_times(one.met)}, not met {_times(one.not_met)} and not known {_times(one.unknown)}"
    elsewhere = f"it did not apply {_times(one.not_applicable)} and was not yet due {_times(one.not_yet_due)}"
    return f"Rules of practice were put to notices {_times(one.put)}: {decided}; {elsewhere}."


def _times(many: int) -> str:
    return "once" if many == 1 else f"{amount(many)} times"


def scored_words(one: Spreads) -> str:
    """How many notices have a score, in a sentence."""
    if not one.notices:
        return "There is no notice to score."
    if not one.score.notices:
        return "In no notice is at least half of what applies decided, so that none has a score."
    having = (
        f"In {amount(one.score.notices)} of {count_of(one.notices, 'notice')} at least half of what applies is decided"
    )
    return f"{having}; only these have a score, and the one in the middle has {middle(one.score)} of 100."


def count_of(many: int, one: str) -> str:
    """A count, thousands apart, with its noun."""
    return count(many, one).replace(str(many), amount(many), 1)


def heap_title(heap: Heap) -> str:
    """A threshold in words."""
    text = f"{say(heap.threshold, heap.currency)}, {fact_title(heap.fact)}"
    if heap.start or heap.until:
        days = [
            f"{word} {say_date(dt.date.fromisoformat(day))}"
            for word, day in (("from", heap.start), ("until", heap.until))
            if day
        ]
        text += f", {' '.join(days)}"
    return f"{text} ({', '.join(heap.rules)})"


def publisher_words(one: Publisher) -> list[str]:
    """What the data of a publisher can settle, and what would settle more, in sentences."""
    verdicts = one.verdicts
    if not verdicts.put:
        return ["No rule of practice was put to its notices."]
    decided = share_of(verdicts.met + verdicts.not_met, verdicts.put)
    elsewhere = share_of(verdicts.not_applicable + verdicts.not_yet_due, verdicts.put)
    unknown = share_of(verdicts.unknown, verdicts.put)
    met = f"{percent(decided)} are met or not met, {percent(elsewhere)} do not apply or are not yet due"
    said = [
        f"{count_of(one.notices, 'notice')}. This data can settle {percent(one.settled_share)} of the rules put to it.",
        f"{met}, and {percent(unknown)} are not known.",
    ]
    now = one.settled_share or 0.0
    gains = [gain for gain in one.publish if gain.share > now]
    said += [f"Publish {gain.field} ({gain.title}) and it is at least {percent(gain.share)}." for gain in gains]
    if one.with_all_fields is not None and one.with_all_fields > max([now, *(gain.share for gain in gains)]):
        said.append(
            f"With every missing fact that OCDS has a field for, it is at least {percent(one.with_all_fields)}."
        )
    carried = [fact_words(fact) for fact in one.waits_for if fact.field][:3]
    silent = [fact.title for fact in one.waits_for if not fact.field][:3]
    if carried:
        said.append(f"Most answers wait, among other facts, for {listed(carried)}.")
    if silent:
        said.append(f"No field of OCDS carries {listed(silent)}: these have to be asked of the buyer.")
    return said


def table_row(page: Page, name: str, cells: Iterable[str], wide: int = 40, width: int = 12) -> None:
    """One row of a table in text: a name, cut if it is too long, and cells to the right of it."""
    fitting = name if cell_len(name) <= wide else set_cell_size(name, wide - 1) + "…"
    line = set_cell_size(fitting, wide) + "".join(" " * (width - cell_len(cell)) + cell for cell in cells)
    page.lines.append(((line, ""),))
