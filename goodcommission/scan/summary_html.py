"""The summary of a scan as one HTML file: it loads nothing, has no script, and shows hostile text as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from goodcommission.report.html import environment, hash_of, markup, part
from goodcommission.report.wording import NOT_ADVICE
from goodcommission.scan import wording

if TYPE_CHECKING:
    import jinja2

    from goodcommission.scan.summary import Summary

_COLUMNS: Final[Mapping[str, str]] = {
    "buyer": "Buyer",
    "month": "Month",
    "division": "CPV division",
    "value": "Value",
}


def html(summary: Summary) -> str:
    """A summary as one HTML file, the same bytes for the same summary."""
    style = part("report.css") + _part("summary.css")
    return (
        _environment()
        .get_template("summary.html.j2")
        .render(
            summary=summary,
            style=markup(style),
            policy=f"default-src 'none'; style-src '{hash_of(style)}'; base-uri 'none'; form-action 'none'",
            practice=[one for one in summary.packs if not one.law],
            laws=[one for one in summary.packs if one.law],
            titles=wording.TITLES,
            columns=_COLUMNS,
        )
    )


@cache
def _part(name: str) -> str:
    return resources.files("goodcommission.scan").joinpath("templates", name).read_text("utf-8")


def _percentage(value: float) -> str:
    """A length in a chart."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


@cache
def _environment() -> jinja2.Environment:
    """That of the report with what a summary needs."""
    import jinja2

    made = environment().overlay(loader=jinja2.FunctionLoader(_part))
    made.filters = {
        **made.filters,
        "amount": wording.amount,
        "share": wording.percent,
        "percentage": _percentage,
        "place": wording.place,
        "notices": lambda many: wording.count_of(many, "notice"),
    }
    made.globals = {
        **made.globals,
        "mean": wording.mean,
        "half": wording.half,
        "heap_title": wording.heap_title,
        "verdict_words": wording.verdict_words,
        "scored_words": wording.scored_words,
        "publisher_words": wording.publisher_words,
        "spread_words": wording.SPREAD_WORDS,
        "fewest": wording.FEWEST,
        "not_advice": NOT_ADVICE,
    }
    return made
