"""Sentences with values in them, written as UK English writes them."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodcommission.description.facts import days
from goodcommission.engine.texts import TextError, parse, rounded, say, say_money

SAID: list[tuple[Any, str | None, str, str]] = [
    (300_000.0, "GBP", "nearest", "£300,000"),
    (66_666.666667, "GBP", "down", "£66,666.66"),
    (66_666.666667, "GBP", "up", "£66,666.67"),
    (66_666.666667, "GBP", "nearest", "£66,666.67"),
    (0.005, "GBP", "nearest", "£0.01"),
    (0.0, "GBP", "nearest", "£0"),
    (-1_200.5, "GBP", "nearest", "-£1,200.50"),
    (-0.001, "GBP", "nearest", "£0"),
    (1_000.0, "EUR", "nearest", "€1,000"),
    (1_000.0, "SEK", "nearest", "1,000 SEK"),
    (1e30, "GBP", "nearest", "£1,000,000,000,000,000,000,000,000,000,000"),
    (0.25, "share", "nearest", "25%"),
    (0.29, "share", "down", "29%"),
    (0.57, "percent", "down", "57%"),
    (0.07, "share", "up", "7%"),
    (1 / 3, "share", "nearest", "33.33%"),
    (1 / 3, "share", "up", "33.34%"),
    (1.0, "share", "nearest", "100%"),
    (days(dt.date(2013, 9, 3)), "date", "nearest", "3 September 2013"),
    (days(dt.date(2024, 2, 29)), "date", "nearest", "29 February 2024"),
    (10**9, "date", "nearest", "a day outside the calendar"),
    (90, "pages", "nearest", "90"),
    (12_000, "words", "nearest", "12,000"),
    (40.0, "pages", "down", "40"),
    (2.5, "ratio", "nearest", "2.5"),
    (2.125, None, "nearest", "2.13"),
    (-0.0, None, "nearest", "0"),
    (True, None, "nearest", "yes"),
    (False, None, "nearest", "no"),
    ("open_tender", "enum", "nearest", "open tender"),
    ("open_tender", None, "nearest", "open_tender"),
    (["mental_health", "housing"], None, "nearest", "mental health, housing"),
    ([], None, "nearest", "none"),
]


@pytest.mark.parametrize(("value", "unit", "side", "text"), SAID)
def test_values_are_said(value: Any, unit: str | None, side: str, text: str) -> None:
    assert say(value, unit, side) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(("down", "up", "nearest")))
def test_rounding_keeps_its_side(value: float, side: str) -> None:
    cut, exact = rounded(value, 2, side), Decimal(repr(value))
    assert abs(cut - exact) <= Decimal("0.01")
    assert {"down": cut <= exact, "up": cut >= exact, "nearest": abs(cut - exact) <= Decimal("0.005")}[side]
    assert say_money(value, "GBP", side)


def test_what_is_not_finite_is_still_said() -> None:
    assert say(math.inf) == "inf"


def test_a_text_is_filled() -> None:
    text = parse("Between {timeline.tender_published} and\n   {closing}: {notice} days.")
    assert text.names == {"timeline.tender_published", "closing", "notice"}
    assert text.fill(lambda name: f"<{name}>") == "Between <timeline.tender_published> and <closing>: <notice> days."
    assert parse("Nothing to fill.").fill(str.upper) == "Nothing to fill."
    assert parse("{params.x}").fill(str.upper) == "PARAMS.X"


@pytest.mark.parametrize(
    ("text", "one", "two"),
    [
        ("at {n} days' notice", "at 1 day's notice", "at 2 days' notice"),
        ("lasts {n} months at most", "lasts 1 month at most", "lasts 2 months at most"),
        ("signed {n} working days after", "signed 1 working day after", "signed 2 working days after"),
        ("a share of {n}, days later", "a share of 1, days later", "a share of 2, days later"),
    ],
)
def test_a_unit_after_one_is_in_the_singular(text: str, one: str, two: str) -> None:
    assert parse(text).fill(lambda _: "1") == one
    assert parse(text).fill(lambda _: "2") == two
    assert parse(text).fill(lambda _: "21") == text.replace("{n}", "21")


@pytest.mark.parametrize("text", ["a {", "} b", "{{x}}", "{x", "x}", "{ x }", "{X}", "{}", "{x.}", "{x + 1}", "{1x}"])
def test_what_is_no_text_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        parse(text)
