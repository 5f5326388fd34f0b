"""The summary of a scan as plain text, for somebody who reads UK English and not code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.report.terminal import neutral
from goodcommission.report.text import WIDEST, Page
from goodcommission.report.wording import capital, count, listed
from goodcommission.scan.wording import (
    HEAP_STATES,
    SPREAD_WORDS,
    TITLES,
    amount,
    count_of,
    fact_words,
    half,
    heap_title,
    mean,
    percent,
    place,
    publisher_words,
    scored_words,
    table_row,
    verdict_words,
)

if TYPE_CHECKING:
    from goodcommission.scan.summary import Example, PackRates, Publisher, RuleRates, Spreads, Summary

_RULES: Final = 15
_WAITED: Final = 10


def text(summary: Summary) -> str:
    """A summary as text, 100 columns wide."""
    page = Page(WIDEST, [])
    _headline(page, summary)
    _decided(page, summary)
    _packs(page, [one for one in summary.packs if not one.law], "Rules of practice, by pack")
    _failures(page, [rule for pack in summary.packs if not pack.law for rule in pack.rules], "Most often not met")
    law = [one for one in summary.packs if one.law]
    if law:
        _packs(page, law, "Law, apart from practice")
        _failures(page, [rule for pack in law for rule in pack.rules], "What may most often not meet the law")
    page.heading("How the notices compare")
    page.say(SPREAD_WORDS)
    for distribution in summary.distributions:
        if distribution.groups:
            _spreads(page, distribution.groups, TITLES[distribution.by])
    _heaps(page, summary)
    _publishers(page, summary.publishers)
    page.blank()
    page.say("All rules, with the notices that do not meet them, are in summary.html and summary.json.")
    return page.text(colour=False)


def _headline(page: Page, summary: Summary) -> None:
    counts = summary.counts
    page.say(f"{count_of(counts.audited, 'notice')} audited: what they say, and what they can’t", style="bold")
    said = [f"{amount(counts.read)} read", f"{amount(counts.audited)} audited"]
    said.append(f"{amount(counts.rejected)} rejected" + (" (errors.jsonl says why)" if counts.rejected else ""))
    if counts.left_out:
        said.append(f"{amount(counts.left_out)} left out as asked")
    if counts.merged:
        said.append(f"{amount(counts.merged)} merged into another release of their process")
    page.say(f"{capital(listed(said))}.")
    page.heading("What this can’t tell")
    for caveat in summary.caveats:
        page.labelled("-", caveat, at=2, indent="")


def _decided(page: Page, summary: Summary) -> None:
    page.heading("What could be decided")
    page.say(verdict_words(summary.practice))
    page.say(scored_words(summary.all))
    kinds = [f"{neutral(name, 40)} {amount(many)}" for name, many in summary.kinds.items()]
    if kinds:
        page.say(f"Kinds of notice: {'; '.join(kinds)}.")
    if summary.waits_for:
        page.heading("What most answers wait for")
        for one in summary.waits_for[:_WAITED]:
            page.labelled(amount(one.answers), fact_words(one), at=12)


def _packs(page: Page, packs: Sequence[PackRates], title: str) -> None:
    page.heading(title)
    table_row(page, "", ("met", "not met", "of decided", "not known", "other"))
    for pack in packs:
        other = pack.not_applicable + pack.not_yet_due
        cells = (amount(pack.met), amount(pack.not_met), percent(pack.met_share), amount(pack.unknown), amount(other))
        table_row(page, pack.title, cells)
    page.say(
        "“Of decided” is the share that is met of what is met or not met; “other” does not apply or is not yet due.",
        style="dim",
    )


def _failures(page: Page, rules: Sequence[RuleRates], title: str) -> None:
    page.heading(title)
    failed = sorted((one for one in rules if one.not_met), key=lambda one: (-one.not_met, one.rule))
    if not failed:
        page.say("No notice fails any of these rules on what it states.")
    for one in failed[:_RULES]:
        decided = one.met + one.not_met
        rate = f"{amount(one.not_met)} of {amount(decided)} decided ({percent(100 * one.not_met / decided)} not met)"
        page.labelled(one.rule, f"{one.title}: {rate}.{_example(one.examples)}", at=10)
    if len(failed) > _RULES:
        page.say(f"{count(len(failed) - _RULES, 'more rule')} not met by at least one notice: see summary.html.")


def _example(examples: Sequence[Example]) -> str:
    return f" For example {place(examples[0])}." if examples else ""


def _spreads(page: Page, groups: Sequence[Spreads], title: str) -> None:
    page.heading(title)
    table_row(page, "", ("notices", "decided", "middle half", "coverage", "score"))
    for one in groups:
        score = f"{mean(one.score)} ({amount(one.score.notices)})" if one.score.notices else "–"
        cells = (mean(one.decided, "%"), half(one.decided, "%"), mean(one.coverage, "%"), score)
        table_row(page, neutral(one.title), (amount(one.notices), *cells))


def _heaps(page: Page, summary: Summary) -> None:
    if not summary.heaps:
        return
    page.heading("Values just under a threshold")
    heaped = [one for one in summary.heaps if one.state == "heaped"]
    for one in heaped:
        page.say(f"{capital(heap_title(one))}: {one.says}{_example(one.examples)}")
    if not heaped:
        page.say("No heap of values just under a threshold was found.")
    for state, words in HEAP_STATES.items():
        others = [heap_title(one) for one in summary.heaps if one.state == state]
        if others:
            page.say(f"{words}: {'; '.join(others)}.")


def _publishers(page: Page, publishers: Sequence[Publisher]) -> None:
    if not publishers:
        return
    page.heading("What publishers could add")
    for one in publishers:
        page.say(neutral(one.title, 200), style="bold")
        for sentence in publisher_words(one):
            page.say(sentence, indent="  ")
