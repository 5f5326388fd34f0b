"""The report on a template as plain text, for somebody who reads UK English and not code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodcommission.engine.texts import say, say_date
from goodcommission.report.template_model import PlaceholderInfo, TemplateReport, TemplateRule
from goodcommission.report.terminal import neutral
from goodcommission.report.text import NARROWEST, WIDEST, Page
from goodcommission.report.wording import KINDS, capital, count, listed

_AT: Final = 13
_INDENT: Final = "  "
_SEVERITIES: Final = ("high", "medium", "low")
_COLOURS: Final = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_MOST_FACTS: Final = 4
_TYPES: Final = {
    "bool": "yes or no",
    "int": "a whole number",
    "double": "a number",
    "money": "an amount",
    "date": "a date",
    "enum": "a choice",
    "text": "a text",
    "list_enum": "a list",
    "list_text": "a list",
    "list_record": "a list",
    "evidence": "read by no rule",
}


def render(reports: Sequence[TemplateReport], *, width: int = 80, colour: bool = False) -> str:
    """Reports on templates as text.

    Args:
        reports: What `audit_template` gave.
        width: Columns; between 48 and 100 are used.
        colour: Whether to write ANSI colours.
    """
    texts = []
    for report in reports:
        page = Page(max(NARROWEST, min(width, WIDEST)), [])
        _headline(page, report)
        _never(page, [rule for rule in report.rules if rule.holds == "never"])
        _depending(page, [rule for rule in report.rules if rule.holds in ("depends", "depends_and_unstated")])
        _unsolved(page, [rule for rule in report.rules if rule.holds == "unsolved"])
        _always(page, [rule for rule in report.rules if rule.holds == "always"])
        _not_evidenced(page, [rule for rule in report.rules if rule.holds == "not_evidenced"])
        _placeholders(page, report.placeholders)
        texts.append(page.text(colour=colour))
    return ("\n" + "═" * min(width, WIDEST) + "\n\n").join(texts)


def _headline(page: Page, report: TemplateReport) -> None:
    template, counts = report.template, report.counts
    kind = KINDS.get(template.kind, template.kind)
    page.say(neutral(template.title or template.id or f"{kind} template", 300), style="bold")
    stage = f"stage: {template.stage}" if template.stage else "its stage is not stated"
    page.labelled("Template", f"{kind}, {stage}", at=_AT)
    page.labelled("File", neutral(template.name), at=_AT)
    if template.profile:
        page.labelled("Profile", f"{neutral(template.profile.name)} (the commissioner's)", at=_AT)
    page.labelled("Audited", f"as at {_date(report.as_of)}" if report.as_of else "on the day that it is dated", at=_AT)
    page.labelled("Left open", count(len(report.placeholders), "placeholder"), at=_AT)
    page.blank()
    rows = (
        (counts.never, "never met, whatever is filled in", "bold red"),
        (counts.depends + counts.depends_and_unstated, "met or not, by what is filled in", "bold"),
        (counts.unsolved, "not worked out", "bold"),
        (counts.always, "always met, whatever is filled in", "bold green"),
        (counts.not_evidenced, "not evidenced, whatever is filled in", ""),
        (counts.not_asked, "not asked of such a document", ""),
    )
    for number, said, style in rows:
        if number:
            page.labelled(f"{number:>4}", said, at=_AT - 3, styles=(style, ""))


def _date(day: str) -> str:
    import datetime as dt

    return say_date(dt.date.fromisoformat(day))


def _by_severity(rules: Sequence[TemplateRule]) -> list[TemplateRule]:
    return sorted(rules, key=lambda rule: _SEVERITIES.index(rule.severity))


def _title(page: Page, rule: TemplateRule, text: str) -> None:
    page.blank()
    styles = (_COLOURS[rule.severity], "bold")
    page.labelled(rule.rule.id, neutral(text), at=_AT, indent="", styles=styles)


def _answer(page: Page, label: str, rule: TemplateRule) -> None:
    """How it ends, a line for each combination of what else is filled in."""
    if not rule.solved:
        page.labelled(label, capital(f"{rule.text}."), at=_AT)
        if rule.reason and rule.holds != "never":
            page.labelled("", f"No range is given: {rule.reason}.", at=_AT)
    for index, solved in enumerate(rule.solved):
        page.labelled("" if index else label, capital(f"{solved.text}."), at=_AT)


def _overturned(page: Page, rule: TemplateRule) -> None:
    if rule.provisional:
        page.labelled("But", "this holds unless what is not stated says otherwise.", at=_AT)
    if rule.missing and (rule.provisional or rule.holds == "depends_and_unstated"):
        page.labelled("Waits for", _facts(rule.missing), at=_AT)


def _facts(names: Sequence[str]) -> str:
    shown = list(names[:_MOST_FACTS])
    return listed(shown) if len(names) <= _MOST_FACTS else f"{', '.join(shown)} and {len(names) - _MOST_FACTS} more"


def _never(page: Page, rules: Sequence[TemplateRule]) -> None:
    if not rules:
        return
    page.heading(f"Never met: {count(len(rules), 'rule')}")
    for rule in _by_severity(rules):
        _title(page, rule, rule.finding or rule.rule.title)
        if rule.placeholders:
            _answer(page, "When", rule)
        _overturned(page, rule)
        if not rule.rule.scored:
            page.labelled("Note", "It does not count in the score, and no gate fails for it.", at=_AT)
        page.labelled("Why", neutral(rule.rule.why), at=_AT)
        if rule.remedy:
            page.labelled("Remedy", neutral(rule.remedy), at=_AT)


def _depending(page: Page, rules: Sequence[TemplateRule]) -> None:
    if not rules:
        return
    page.heading(f"It depends: {count(len(rules), 'rule')}")
    for rule in _by_severity(rules):
        _title(page, rule, rule.rule.title)
        _answer(page, "Answer", rule)
        _overturned(page, rule)


def _unsolved(page: Page, rules: Sequence[TemplateRule]) -> None:
    if not rules:
        return
    page.heading(f"Not worked out: {count(len(rules), 'rule')}")
    for rule in _by_severity(rules):
        _title(page, rule, rule.rule.title)
        page.labelled("Answer", capital(f"{rule.text}: {rule.reason}."), at=_AT)


def _always(page: Page, rules: Sequence[TemplateRule]) -> None:
    if not rules:
        return
    page.heading(f"Always met: {count(len(rules), 'rule')}")
    for rule in rules:
        page.labelled(rule.rule.id, neutral(rule.rule.title), at=_AT)


def _not_evidenced(page: Page, rules: Sequence[TemplateRule]) -> None:
    if not rules:
        return
    page.heading(f"Not evidenced: {count(len(rules), 'rule')}")
    page.say("The template says too little for these, and no placeholder stands for what they ask.", _INDENT)
    for rule in rules:
        page.labelled(rule.rule.id, neutral(rule.rule.title), at=_AT)


def _placeholders(page: Page, placeholders: Sequence[PlaceholderInfo]) -> None:
    if not placeholders:
        return
    page.heading("Placeholders")
    for one in placeholders:
        page.blank()
        stands = "; ".join(
            f"{place.title} (line {place.line})" if place.line is not None else place.title for place in one.places
        )
        page.say(neutral(one.name, 100), _INDENT, "bold")
        page.say(f"{_TYPES[one.type]}: {neutral(stands)}", _INDENT * 2)
        limits = [
            f"{word} {_figure(one, end)}"
            for word, end in (("not below", one.lowest), ("not above", one.highest))
            if end is not None
        ]
        if limits:
            page.say(f"{capital(' and '.join(limits))}, by what else is stated.", _INDENT * 2)
        rules = f"It decides {listed(one.rules)}." if one.rules else "It decides no rule."
        page.say(rules, _INDENT * 2)


def _figure(one: PlaceholderInfo, end: object) -> str:
    if one.type == "date":
        return _date(str(end))
    return say(end, one.unit)
