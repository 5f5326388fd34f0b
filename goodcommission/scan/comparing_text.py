"""The comparison of two scans as plain text: how they were made first, then what moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from goodcommission.report.terminal import neutral
from goodcommission.report.text import WIDEST, Page
from goodcommission.report.wording import number
from goodcommission.scan.wording import amount, count_of, place, table_row

if TYPE_CHECKING:
    from goodcommission.scan.comparing import Moved, RuleMoved, ScanComparison, Transition

_RULES: Final = 25
_FEW: Final = 30
"""Notices that decide a rule in a scan, below which its share moves by chance."""
SAID: Final[Mapping[str, str]] = {
    "pass": "met",
    "fail": "not met",
    "unknown": "not known",
    "not_applicable": "does not apply",
    "not_yet_due": "not yet due",
    "not asked": "not asked",
}


def text(comparison: ScanComparison) -> str:
    """A comparison as text, 100 columns wide."""
    page = Page(WIDEST, [])
    _headline(page, comparison)
    _changed(page, comparison)
    _packs(page, comparison)
    _shares(page, comparison)
    _scores(page, comparison)
    _spreads(page, comparison)
    return page.text(colour=False)


def _headline(page: Page, comparison: ScanComparison) -> None:
    before, after = comparison.before, comparison.after
    page.say("Two scans compared: what moved, and what did not", style="bold")
    for label, side in (("First", before), ("Second", after)):
        counts = f"{count_of(side.counts.audited, 'notice')} audited"
        if side.counts.rejected:
            counts += f", {amount(side.counts.rejected)} rejected"
        page.labelled(label, f"{neutral(side.name, 300)}: {counts}", at=9, indent="")
    page.heading("How they were made")
    if not comparison.differences:
        page.say("Both were made alike: the same inputs, rule packs, options and version.")
    for sentence in comparison.differences:
        page.labelled("-", neutral(sentence, 600), at=2, indent="")
    for caveat in comparison.caveats:
        page.labelled("-", caveat, at=2, indent="")


def _changed(page: Page, comparison: ScanComparison) -> None:
    page.heading("Notices that both scans have")
    only = f"{amount(comparison.only_before)} only in the first, {amount(comparison.only_after)} only in the second"
    page.say(f"{count_of(comparison.matched, 'notice')} in both, by ocid and release; {only}.")
    if comparison.ambiguous:
        page.say(
            f"Of the others, {amount(comparison.ambiguous)} can’t be matched: their ids are missing or not unique."
        )
    if not comparison.matched:
        page.say("Nothing can be compared notice by notice; below are the shares of each scan.")
        return
    if not comparison.with_rules:
        page.say("One of the scans was made without its table of rules: verdicts can’t be compared notice by notice.")
        return
    changed = sorted((one for one in comparison.rules if one.changed), key=lambda one: (-one.changed, one.rule))
    if not changed:
        page.say("No verdict of a rule changed on any of them.")
    for one in changed[:_RULES]:
        page.blank()
        page.labelled(one.rule, f"{one.title}: {count_of(one.changed, 'notice')} changed", at=8, styles=("bold", ""))
        for transition in one.transitions:
            _transition(page, transition)
    if len(changed) > _RULES:
        page.say(f"{count_of(len(changed) - _RULES, 'more rule')} changed on some notice: see the JSON.")


def _transition(page: Page, one: Transition) -> None:
    said = f"From {SAID[one.before]} to {SAID[one.after]}: {count_of(one.notices, 'notice')}."
    if one.title:
        said += f" What tells them apart is {one.title}; the nearest to those that did not change are:"
    else:
        said += " The first of them are:"
    page.say(said, indent=" " * 8)
    for notice in one.nearest:
        value = "" if notice.value is None else f" ({_value(notice.value)})"
        page.labelled("-", f"{place(notice.after)}{value}", at=10, indent=" " * 8)


def _value(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,.2f}".removesuffix(".00")


def _moved(moved: Moved, unit: str = "%") -> str:
    """A figure before and after, with the difference."""
    if moved.before is None and moved.after is None:
        return "–"
    sides = [("–" if one is None else f"{number(one)}{unit}") for one in (moved.before, moved.after)]
    difference = moved.difference
    if difference is None:
        return " → ".join(sides)
    return f"{' → '.join(sides)} ({difference:+.1f})" if difference else sides[1]


def _packs(page: Page, comparison: ScanComparison) -> None:
    page.heading("Shares by pack")
    moved = [one for one in comparison.packs if any(share.moved for share in (one.met_share, one.undecided_share))]
    if moved:
        table_row(page, "", ("met of what is decided", "not known"), 40, 28)
    for one in moved:
        title = f"{one.title} (law)" if one.law else one.title
        table_row(page, title, (_moved(one.met_share), _moved(one.undecided_share)), 40, 28)
    if still := len(comparison.packs) - len(moved):
        page.say(f"{count_of(still, 'other pack') if moved else count_of(still, 'pack')} did not move.")


def _shares(page: Page, comparison: ScanComparison) -> None:
    page.heading("Rules whose share of what is met moved")
    moved = [(abs(one.met_share.difference), one) for one in comparison.rules if one.met_share.difference]
    sure = sorted(
        ((by, one) for by, one in moved if _decided(one) >= _FEW), key=lambda found: (-found[0], found[1].rule)
    )
    if not sure:
        page.say(f"None that at least {_FEW} notices decide in both scans.")
    for _, one in sure[:_RULES]:
        page.labelled(one.rule, f"{one.title}: {_moved(one.met_share)} of {_counts(one)} decided", at=8)
    few = len(moved) - len(sure)
    if few:
        page.say(f"{count_of(few, 'more rule')} moved, and fewer than {_FEW} notices decide it in one of the scans.")


def _decided(one: RuleMoved) -> int:
    return min((side.met + side.not_met if side else 0) for side in (one.before, one.after))


def _counts(one: RuleMoved) -> str:
    sides = [side.met + side.not_met for side in (one.before, one.after) if side]
    return " → ".join(map(amount, sides))


def _scores(page: Page, comparison: ScanComparison) -> None:
    scores = comparison.scores
    page.heading("Scores of the notices that both have")
    if not (scores.scored or scores.gained or scores.lost):
        page.say("None of them has a score: too little of what applies is decided.")
        return
    said = f"{count_of(scores.scored, 'notice')} with a score in both: {amount(scores.higher)} higher, "
    said += f"{amount(scores.lower)} lower, {amount(scores.scored - scores.higher - scores.lower)} the same"
    if scores.mean_difference is not None:
        said += f"; on average {scores.mean_difference:+.1f} points"
    page.say(f"{said}.")
    page.say(f"{amount(scores.gained)} have a score only in the second scan, {amount(scores.lost)} only in the first.")


def _spreads(page: Page, comparison: ScanComparison) -> None:
    page.heading("Means of all notices, and by value")
    table_row(page, "", ("notices", "decided", "score"), 31, 23)
    for one in comparison.spreads:
        if one.by == "all" or (one.by == "value" and (one.decided.moved or one.score.moved)):
            notices = f"{amount(one.notices_before)} → {amount(one.notices_after)}"
            table_row(page, neutral(one.title), (notices, _moved(one.decided), _moved(one.score, "")), 31, 23)
    page.say("The JSON has the same for each value, buyer, month and CPV division that both scans have.", style="dim")
