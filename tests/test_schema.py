"""The published schema is the model's, and the two accept and refuse the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodcommission.description import validation
from goodcommission.description.reading import validate
from goodcommission.description.schema import description_schema, schema_text
from goodcommission.exceptions import DescriptionError

PUBLISHED = Path(__file__).parents[1] / "schemas" / "description.schema.json"
SCHEMA = description_schema()
CHECKER = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())

# What people write by mistake, and what only looks like a mistake.
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    36.0,
    25,
    1e300,
    2**63,
    5e-324,
    "",
    "  ",
    "\u00a0",
    "\x1c",
    "a\x00",
    "none",
    "None",
    "yes",
    "GBP",
    "gbp",
    "2026-03-31",
    "2026-02-30",
    "2026-03-31\n",
    "31/03/2026",
    "tender",
    [],
    [None],
    ["none"],
    [1],
    [{}],
    {},
    {"items": []},
    {"items": None, "complete": True},
    {"items": [None]},
    {"complete": True},
    {"items": [], "complete": "yes"},
    {"amount": 5, "currency": "GBP"},
    {"amount": None, "currency": "GBP"},
    {"amount": None, "currency": "gbp"},
    {"amount": 5, "currency": None},
    {"amount": -5, "currency": None},
    {"amount": 5},
    {"currency": "GBP"},
    {"amount": "5", "currency": "GBP"},
    {"amount": 5, "currency": "GBP", "unit": "year"},
]


def both(raw: Any) -> tuple[bool, bool]:
    """Whether the schema and whether the model accept a value."""
    try:
        validate(raw, None, "test")
    except DescriptionError:
        return CHECKER.is_valid(raw), False
    return CHECKER.is_valid(raw), True


@pytest.fixture(autouse=True)
def _only_single_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema cannot compare two dates: those checks have tests of their own."""
    monkeypatch.setattr(validation, "_contradictions", lambda description: ())
    monkeypatch.setattr(validation, "_loose_evidence", lambda raw: ())


def test_published_schema_is_current() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m goodcommission.description.schema > schemas/description.schema.json"
    )


def test_schema_is_a_schema_with_a_name() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:goodcommission:schema:description:1"
    assert SCHEMA["title"]
    assert SCHEMA["description"]
    assert "Listed" not in json.dumps(SCHEMA)


def test_every_field_says_what_it_is() -> None:
    for name, section in [("", SCHEMA), *SCHEMA["$defs"].items()]:
        for field, schema in section.get("properties", {}).items():
            assert schema.get("title"), f"{name}.{field}"


# One field of each type, in a section and in an entry of a list.
PLACES = [
    ("stage",),
    ("title",),
    ("as_at",),
    ("value",),
    ("value", "total"),
    ("value", "total", "amount"),
    ("value", "total", "currency"),
    ("term", "months"),
    ("term", "extension_option"),
    ("requirements", "minimum_annual_turnover"),
    ("requirements", "turnover_justification"),
    ("requirements", "insurance"),
    ("requirements", "insurance", 0),
    ("requirements", "insurance", 0, "cover"),
    ("requirements", "reserved_for"),
    ("service", "places"),
    ("service", "intervention_max_weeks"),
    ("market", "engagement_date"),
    ("subcontracting", "minimum_vcs_share"),
    ("award", "criteria"),
    ("award", "criteria", 0, "weight"),
    ("evidence",),
    ("evidence", 0),
    ("no_such_field",),
    ("term", "no_such_field"),
]


def put(place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    for part in reversed(place):
        value = [value] if isinstance(part, int) else {part: value}
        if isinstance(part, str) and part in ("amount", "currency"):
            value = {"amount": 5, "currency": "GBP"} | value
    return {"kind": "tender", **value}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "/".join(map(str, place)))
def test_schema_and_model_agree_on_odd_values(place: tuple[str | int, ...]) -> None:
    for value in ODD:
        schema, model = both(put(place, value))
        assert schema == model, (place, value)


@pytest.mark.parametrize("raw", [*ODD, {"kind": None}, {"kind": "contract"}, {"kind": "Tender"}], ids=repr)
def test_schema_and_model_agree_on_whole_documents(raw: Any) -> None:
    schema, model = both(raw)
    assert schema == model


def values(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that a part of the schema accepts, with now and then one that is odd."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    right: st.SearchStrategy[Any]
    if "anyOf" in schema and schema.get("type") != "string":
        right = st.one_of(st.deferred(lambda choice=choice: values(choice, depth)) for choice in schema["anyOf"])
    elif "const" in schema:
        right = st.just(schema["const"])
    elif "enum" in schema:
        right = st.sampled_from(schema["enum"])
    elif schema["type"] == "object":
        properties = schema["properties"]
        names = st.lists(st.sampled_from([*properties, "kind", "unknwon"]), max_size=4 if depth else 8, unique=True)
        right = names.flatmap(
            lambda names: st.fixed_dictionaries(
                {
                    name: values(properties[name], depth + 1) if name in properties else st.none()
                    for name in {*names, *schema.get("required", ())} - {"unknwon"}
                }
            )
        )
    elif schema["type"] == "array":
        right = st.lists(st.deferred(lambda: values(schema["items"], depth + 1)), max_size=3)
    elif schema["type"] == "boolean":
        right = st.booleans()
    elif schema["type"] == "null":
        right = st.none()
    elif schema["type"] in ("integer", "number"):
        most = schema.get("maximum", 10**9)
        right = st.integers(0, most) | (st.floats(0, most) if schema["type"] == "number" else st.nothing())
    else:
        right = st.dates().map(str) | st.text(max_size=12) | st.just("none")
    return st.integers(0, 24).flatmap(lambda die: st.sampled_from(ODD) if die == 0 and depth else right)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values(SCHEMA))
def test_schema_and_model_agree(raw: Any) -> None:
    schema, model = both(raw)
    assert schema == model
