"""The functions that conditions may call: against naive counts, and unknown where they have no value."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodcommission.description.facts import date, days
from goodcommission.engine.conditions import UNKNOWN, Type, View, Vocabulary
from goodcommission.engine.verdicts import CompiledLet, compute_let
from goodcommission.packs.functions import FUNCTIONS, NotComputableError, add_months, band, weekdays_between
from goodcommission.packs.model import Let

DATES = st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31))
BANDS = [[50_000.0, 10.0], [250_000.0, 20.0], [math.inf, 40.0]]
VOCABULARY = Vocabulary().extended({"params.bands": Type("bands")}, {"params.bands": BANDS})


def value_of(text: str, **facts: Any) -> Any:
    """What CEL and the tree say, which must be the same."""
    condition = VOCABULARY.compile(text, arithmetic=True, boolean=False)
    values = {name.replace("__", "."): value for name, value in facts.items()}
    told = condition.value(View({**values, "params.bands": BANDS}))
    explained = condition.explain(values, {})[0]
    assert told is explained or (told == explained and type(told) is type(explained)), (told, explained)
    return told


# --- Dates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-10-31", 1, "2026-11-30"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-05-31", 0, "2026-05-31"),
        ("2026-11-30", 3, "2027-02-28"),
    ],
)
def test_months_end_with_the_month(start: str, months: int, end: str) -> None:
    assert date(add_months(days(dt.date.fromisoformat(start)), months)).isoformat() == end


@given(DATES, st.integers(-600, 600))
def test_adding_months_lands_in_the_right_month(start: dt.date, months: int) -> None:
    end = date(add_months(days(start), months))
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end.day < start.day and (end + dt.timedelta(1)).day == 1)


@given(DATES, st.integers(-40, 400))
def test_weekdays_between_is_a_count(first: dt.date, length: int) -> None:
    between = [first + dt.timedelta(days=n) for n in range(1, length)]
    counted = sum(day.weekday() < 5 for day in between)
    assert weekdays_between(days(first), days(first) + length) == counted


def test_dates_in_conditions() -> None:
    start = days(dt.date(2026, 1, 31))
    assert value_of("add_months(term.start, 1)", term__start=start) == days(dt.date(2026, 2, 28))
    assert value_of("add_days(term.start, 28)", term__start=start) == days(dt.date(2026, 2, 28))
    assert value_of("days_between(term.start, term.end)", term__start=start, term__end=start + 90) == 90
    assert value_of("earliest(term.start, term.end)", term__start=5, term__end=4) == 4
    assert value_of("latest(term.start, term.end)", term__start=5, term__end=4) == 5


@pytest.mark.parametrize(
    "text",
    [
        "add_months(term.start, 12000000)",
        "add_months(term.start, 9223372036854775807)",
        "add_months(term.start, -9223372036854775808)",
        "add_days(term.start, 9223372036854775807)",
        "add_days(term.start, 100000000)",
        "weekdays_between(term.start, 9000000000)",
        "days_between(term.start - 9223372036854775807, 9223372036854775807)",
    ],
)
def test_a_day_outside_the_calendar_is_unknown(text: str) -> None:
    assert value_of(text, term__start=15_000) is UNKNOWN


# --- Numbers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "step"),
    [(0.0, 10.0), (49_999.99, 10.0), (50_000.0, 20.0), (249_999.99, 20.0), (250_000.0, 40.0), (1e300, 40.0)],
)
def test_a_limit_belongs_to_the_band_above_it(value: float, step: float) -> None:
    assert band(BANDS, value) == step
    assert value_of("band(params.bands, value.total)", value__total=value) == step


def test_what_is_in_no_band_has_no_value() -> None:
    with pytest.raises(NotComputableError):
        band(BANDS, math.nan)
    assert value_of("band(params.bands, value.total * 1e300)", value__total=1e300) is UNKNOWN


def test_largest_smallest_and_sum() -> None:
    covers = {"requirements.insurance": [{"cover": 2.0}, {"cover": 5.0}, {"cover": 3.0}]}
    for name, expected in (("largest", 5.0), ("smallest", 2.0), ("sum_of", 10.0)):
        assert value_of(f"{name}(requirements.insurance.map(i, i.cover))", **covers) == expected
    nothing: dict[str, Any] = {"requirements.insurance": []}
    assert value_of("largest(requirements.insurance.map(i, i.cover))", **nothing) is UNKNOWN
    assert value_of("smallest(requirements.insurance.map(i, i.cover))", **nothing) is UNKNOWN
    assert value_of("sum_of(requirements.insurance.map(i, i.cover))", **nothing) == 0.0
    partly = {"requirements.insurance": [{"cover": 2.0}, {}]}
    for name in ("largest", "smallest", "sum_of"):
        assert value_of(f"{name}(requirements.insurance.map(i, i.cover))", **partly) is UNKNOWN


def test_a_sum_does_not_depend_on_the_order() -> None:
    weights = [0.1, 0.2, 0.3, 1e16, -1e16, 0.4]
    records = [{"weight": weight} for weight in weights]
    text = "sum_of(award.criteria.map(c, c.weight))"
    assert value_of(text, **{"award.criteria": records}) == value_of(text, **{"award.criteria": records[::-1]}) == 1.0


def test_overflow_is_unknown() -> None:
    assert value_of("lots.count + lots.count", lots__count=2**62) is UNKNOWN
    assert value_of("lots.count * 4", lots__count=2**62) is UNKNOWN
    assert value_of("-lots.count - 2", lots__count=2**63 - 1) is UNKNOWN
    assert value_of("-(lots.count - 1)", lots__count=-(2**63) + 1) is UNKNOWN
    assert value_of("lots.count / -1", lots__count=-(2**63)) is UNKNOWN


@pytest.mark.parametrize(("a", "b", "quotient"), [(7, 2, 3), (-7, 2, -3), (7, -2, -3), (-7, -2, 3)])
def test_whole_numbers_are_divided_towards_zero(a: int, b: int, quotient: int) -> None:
    assert value_of("lots.count / term.months", lots__count=a, term__months=b) == quotient


def test_dividing_by_zero_is_unknown() -> None:
    assert value_of("lots.count / term.months", lots__count=1, term__months=0) is UNKNOWN
    condition = VOCABULARY.compile("value.total / value.budget", arithmetic=True, boolean=False)
    for divided in (1.0, 0.0):
        value, _, missing = condition.explain({"value.total": divided, "value.budget": 0.0}, {})
        assert value is UNKNOWN
        assert not missing


def test_max_and_min() -> None:
    assert value_of("max_of(value.total, 2.0)", value__total=1.0) == 2.0
    assert value_of("min_of(value.total, 2.0)", value__total=1.0) == 1.0
    assert value_of("max_of(lots.count, 2)", lots__count=1) == 2
    assert value_of("min_of(lots.count, 2)", lots__count=1) == 1


def test_covers() -> None:
    facts = {"service.need_areas": ["housing", "skills"], "service.spec_need_areas": ["skills"]}
    assert value_of("covers(service.need_areas, service.spec_need_areas)", **facts) is True
    assert value_of("covers(service.spec_need_areas, service.need_areas)", **facts) is False
    assert value_of("covers(service.need_areas, ['housing'])", **facts) is True
    assert value_of("covers(service.need_areas, service.need_areas)", **{"service.need_areas": []}) is True


def test_a_tenth_of_eight_tenths_is_not_more_than_eight_hundredths() -> None:
    """In doubles 0.08 < 0.8 * 0.1, which would be a wrong failure: lets are rounded before they are compared."""
    assert 0.08 < 0.8 * 0.1
    let = VOCABULARY.compile("payment.pbr_share * 0.1", arithmetic=True, boolean=False)
    compiled = CompiledLet("least", "T-01", Let.model_validate({"is": let.text}), let, ("payment.pbr_share",), {}, ())
    value, settled, missing = compute_let(compiled, {"payment.pbr_share": 0.8}, {})
    assert (value, settled, missing) == (0.08, ("payment.pbr_share",), ())


def test_each_form_is_called_by_its_types() -> None:
    for name, forms in FUNCTIONS.items():
        assert len({form.parameters for form in forms}) == len(forms), name
