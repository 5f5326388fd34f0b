"""Conditions: what CEL decides, the tree explains; and what may not be written in a condition at all."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from goodcommission.description.facts import COMPLETE, GIVEN, Fact, dictionary
from goodcommission.engine import conditions
from goodcommission.engine.conditions import (
    UNKNOWN,
    Condition,
    ConditionError,
    Explained,
    Type,
    View,
    Vocabulary,
    known_when,
    strictly_known,
)
from goodcommission.engine.tree import Call, Const, FieldOf, Item, Macro, UndecodedError, Variable, decode, walk
from goodcommission.engine.verdicts import CompiledLet
from goodcommission.exceptions import EngineError
from goodcommission.packs.loading import load_packs

Values = dict[str, Any]

# --- The vocabulary of the drawn expressions: a few real facts of each type -----------------------------------------

BOOLS = ("service.specialist", "process.is_retender", "decommissioning.same_provider")
INTS = ("term.months", "lots.count", "process.response_pages")
DATES = ("timeline.tender_published", "timeline.bid_deadline")
DATE_OR_NONE = next(f.name for f in dictionary().values() if f.type == "date" and f.may_be_none)
DOUBLES = ("value.total", "requirements.minimum_annual_turnover", "payment.pbr_share")
ENUMS = ("process.route", "kind", "stage")
TEXT_OR_NONE = "equality.screening_reason"
ENUM_LISTS = ("service.need_areas", "retender.reasons")
RECORDS = {
    "requirements.insurance": ("cover", "kind", "risk_reason"),
    "award.criteria": ("weight", "kind", None),
}
CONSTANTS: Mapping[str, Any] = {
    "params.multiple": 2.0,
    "params.limit": 250_000.0,
    "params.days": 30,
    "params.bands": [[50_000.0, 10.0], [250_000.0, 20.0], [math.inf, 40.0]],
}
LETS: Mapping[str, str] = {
    "annual": "value.total * 12.0 / max_of(double(term.months), 12.0)",
    "top_cover": "largest(requirements.insurance.map(i, i.cover))",
    "notice": "timeline.bid_deadline - timeline.tender_published",
    "heavy": "annual > params.limit || top_cover > params.limit",
    "chosen": "service.specialist ? process.route : 'direct_award'",
    "weights": "award.criteria.filter(c, c.weight > 0.0).map(c, c.weight)",
}


def _vocabulary() -> tuple[Vocabulary, dict[str, Condition]]:
    kinds = {float: "double", int: "int", list: "bands"}
    types = {name: Type(kinds[type(value)]) for name, value in CONSTANTS.items()}
    vocabulary = Vocabulary().extended(types, CONSTANTS)
    lets = {}
    for name, text in LETS.items():
        lets[name] = vocabulary.compile(text, arithmetic=True, boolean=False)
        vocabulary = vocabulary.extended({name: lets[name].type})
    return vocabulary, lets


VOCABULARY, COMPILED_LETS = _vocabulary()


def work_out(values: Values) -> dict[str, Explained]:
    """The lets of the drawn expressions, computed and rounded as those of a rule."""
    known: dict[str, Explained] = {}
    for name, let in COMPILED_LETS.items():
        value, settled, missing = let.explain(values, known)
        if isinstance(value, float):
            value = round(value, 6) if math.isfinite(value) else UNKNOWN
        known[name] = (UNKNOWN, (), missing) if value is UNKNOWN else (value, settled, ())
    return known


def view_of(values: Values, lets: Mapping[str, Explained]) -> View:
    data = {**values, **CONSTANTS}
    return View(data | {name: value for name, (value, _, _) in lets.items() if value is not UNKNOWN})


# --- Drawing expressions ---------------------------------------------------------------------------------------------

one_of = st.sampled_from


def literal(fact: str | Fact) -> st.SearchStrategy[str]:
    entry = dictionary()[fact] if isinstance(fact, str) else fact
    return one_of([f"'{value}'" for value in entry.values])


class Draw:
    """Draws expressions of each type; ``arithmetic`` as in a let, ``items`` the macros around it."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], arithmetic: bool) -> None:
        self.draw, self.arithmetic = draw, arithmetic

    def pick(self, *choices: Callable[[], str]) -> str:
        return self.draw(one_of(choices))()

    def bool(self, depth: int, items: tuple[tuple[str, str], ...] = ()) -> str:
        leaves: list[Callable[[], str]] = [
            lambda: self.draw(one_of(BOOLS)),
            lambda: self.draw(one_of((DATE_OR_NONE, TEXT_OR_NONE, "requirements.minimum_annual_turnover"))) + GIVEN,
            lambda: self.draw(one_of((*ENUM_LISTS, *RECORDS))) + COMPLETE,
            lambda: "heavy",
            lambda: self.of_enum(items),
            lambda: f"{self.draw(literal('service.need_areas'))} in service.need_areas",
            lambda: f"covers(service.need_areas, [{self.draw(literal('service.need_areas'))}])",
        ]
        if items:
            leaves += [lambda: self.of_item(items)] * 6
        if depth == 0:
            return self.pick(*leaves)
        down = depth - 1
        return self.pick(
            *leaves[:2],
            lambda: f"({self.bool(down, items)} && {self.bool(down, items)})",
            lambda: f"({self.bool(down, items)} || {self.bool(down, items)})",
            lambda: f"!({self.bool(down, items)})",
            lambda: f"({self.bool(down, items)} ? {self.bool(down, items)} : {self.bool(down, items)})",
            lambda: f"{self.double(0, items)} {self.comparison()} {self.double(0, items)}",
            lambda: f"{self.int(down, items)} {self.comparison()} {self.int(down, items)}",
            lambda: self.macro(down, items) if len(items) < 2 else self.of_item(items),
            lambda: self.macro(down, items) if len(items) < 2 else self.of_item(items),
        )

    def comparison(self) -> str:
        return self.draw(one_of(("==", "!=", "<", "<=", ">", ">=")))

    def of_enum(self, items: tuple[tuple[str, str], ...]) -> str:
        name = self.draw(one_of(ENUMS))
        return self.pick(
            lambda: f"{name} {self.draw(one_of(('==', '!=')))} {self.draw(literal(name))}",
            lambda: f"{name} in [{self.draw(literal(name))}, {self.draw(literal(name))}]",
            lambda: f"chosen == {self.draw(literal('process.route'))}",
            lambda: f"(service.specialist ? {name} : {self.draw(literal(name))}) == {self.draw(literal(name))}",
        )

    def of_item(self, items: tuple[tuple[str, str], ...]) -> str:
        item, over = self.draw(one_of(items))
        if over not in RECORDS:
            return f"{item} == {self.draw(literal(over))}"
        number, kind, reason = RECORDS[over]
        choices: list[Callable[[], str]] = [
            lambda: f"{item}.{number} {self.comparison()} {self.double(0, ())}",
            lambda: f"{item}.{kind} == {self.draw(literal(dictionary()[over].fields[kind or '']))}",
        ]
        if reason:
            choices.append(lambda: f"{item}.{reason}{GIVEN}")
        return self.pick(*choices)

    def macro(self, depth: int, items: tuple[tuple[str, str], ...]) -> str:
        over = self.draw(one_of((*RECORDS, *RECORDS, *ENUM_LISTS)))
        item = "ij"[len(items)]
        kind = self.draw(one_of(("exists", "all")))
        source = over
        if self.arithmetic and not items and self.draw(st.booleans()):
            source = f"{over}.filter({item}, {self.bool(0, ((item, over),))})"
        return f"{source}.{kind}({item}, {self.bool(min(depth, 1), (*items, (item, over)))})"

    def int(self, depth: int, items: tuple[tuple[str, str], ...] = ()) -> str:
        leaves: list[Callable[[], str]] = [
            lambda: self.draw(one_of((*INTS, *DATES, DATE_OR_NONE, "params.days", "notice"))),
            lambda: str(self.draw(one_of((0, 1, 12, 15_000, 2**62, -3)))),
            lambda: f"size({self.draw(one_of((*ENUM_LISTS, *RECORDS)))})",
        ]
        if depth == 0:
            return self.pick(*leaves)
        down = depth - 1
        choices = [
            *leaves,
            lambda: f"add_months({self.int(down, items)}, {self.int(0, items)})",
            lambda: f"add_days({self.int(down, items)}, {self.int(0, items)})",
            lambda: f"weekdays_between({self.int(down, items)}, {self.int(down, items)})",
            lambda: f"days_between({self.int(down, items)}, {self.int(down, items)})",
            lambda: f"earliest({self.int(down, items)}, {self.int(down, items)})",
            lambda: f"({self.bool(0, items)} ? {self.int(down, items)} : {self.int(down, items)})",
        ]
        if self.arithmetic:
            choices += [
                lambda: f"({self.int(down, items)} {self.draw(one_of('+-*/'))} {self.int(down, items)})",
                lambda: f"(-{self.int(0, items)})",
            ]
        return self.pick(*choices)

    def double(self, depth: int, items: tuple[tuple[str, str], ...] = ()) -> str:
        leaves: list[Callable[[], str]] = [
            lambda: self.draw(one_of((*DOUBLES, "params.limit", "annual", "top_cover"))),
            lambda: str(self.draw(one_of((0.0, 0.25, 50_000.0, 1e300)))),
        ]
        if depth == 0:
            return self.pick(*leaves)
        down = depth - 1
        return self.pick(
            *leaves,
            lambda: f"double({self.int(down, items)})",
            lambda: f"band(params.bands, {self.double(down, items)})",
            lambda: f"max_of({self.double(down, items)}, {self.double(down, items)})",
            lambda: f"min_of({self.double(down, items)}, {self.double(down, items)})",
            lambda: f"({self.double(down, items)} {self.draw(one_of('+-*/'))} {self.double(down, items)})",
            lambda: f"{self.draw(one_of(('largest', 'smallest', 'sum_of')))}({self.doubles()})",
            lambda: f"({self.bool(0, items)} ? {self.double(down, items)} : {self.double(down, items)})",
        )

    def doubles(self) -> str:
        over = self.draw(one_of(tuple(RECORDS)))
        number, inner = RECORDS[over][0], self.bool(0, (("i", over),))
        return self.pick(
            lambda: f"{over}.map(i, i.{number})",
            lambda: f"{over}.filter(i, {inner}).map(i, i.{number})",
            lambda: f"{over}.map(i, {inner} ? i.{number} : {self.double(0)})",
            lambda: f"[{self.double(0)}, {self.double(0)}]",
            lambda: "weights",
        )


@st.composite
def expressions(draw: Callable[[st.SearchStrategy[Any]], Any], *, let: bool | None = None) -> Condition:
    """A compiled condition or the expression of a let."""
    arithmetic = draw(st.booleans()) if let is None else let
    source = Draw(draw, arithmetic)
    kind = draw(one_of(("bool", "bool", "int", "double", "doubles"))) if arithmetic else "bool"
    depth = draw(st.integers(1, 3))
    makers = {"bool": source.bool, "int": source.int, "double": source.double}
    text = makers[kind](depth) if kind in makers else source.doubles()
    try:
        return VOCABULARY.compile(text, arithmetic=arithmetic, boolean=not arithmetic)
    except ConditionError as error:
        # What asks nothing, and a date compared with what is written out on the other side, is refused: draw again.
        assert "asks nothing" in error.message or "settled by" in error.message, (text, error.message)
        assume(False)
        raise


def numbers_of(fact: Fact) -> st.SearchStrategy[Any]:
    if fact.type == "int":
        return one_of((0, 1, 12, 36, 90, 2**62))
    if fact.type == "date":
        return one_of((0, 15_000, 15_001, 15_030, 16_130, 20_000))
    return one_of((0.0, 0.25, 49_999.99, 50_000.0, 250_000.0, 6_000_000.0, 1e300))


def records_of(fact: Fact) -> st.SearchStrategy[list[dict[str, Any]]]:
    number, kind, reason = RECORDS[fact.name]
    fields: dict[str, st.SearchStrategy[Any]] = {
        number or "": one_of((0.0, 0.25, 1_000_000.0, 5_000_000.0)),
        kind or "": one_of(fact.fields[kind or ""].values),
    }
    if reason:
        fields[reason] = st.fixed_dictionaries({"given": st.booleans()})
    return st.lists(st.fixed_dictionaries({}, optional=fields), max_size=3)


@st.composite
def stated(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Values:
    """Values of the facts above, some of them unknown."""
    values: Values = {}
    every = draw(one_of((2, 3, 10)))
    for name in (*BOOLS, *INTS, *DATES, DATE_OR_NONE, *DOUBLES, *ENUMS, TEXT_OR_NONE, *ENUM_LISTS, *RECORDS):
        if draw(st.integers(1, every)) == 1:
            continue
        state(values, name, draw(values_of(dictionary()[name])), draw(st.booleans()))
    return values


def values_of(fact: Fact) -> st.SearchStrategy[Any]:
    if fact.type == "bool":
        return st.booleans()
    if fact.type == "enum":
        return one_of(fact.values)
    if fact.type == "text":
        return one_of(("because", ""))
    if fact.type == "list_enum":
        return st.lists(one_of(fact.values), max_size=3, unique=True)
    if fact.type == "list_record":
        return records_of(fact)
    return numbers_of(fact)


def state(values: Values, name: str, value: Any, flag: bool) -> None:
    """Bind a fact as the facts layer does, with ``.given`` or ``.complete``."""
    fact = dictionary()[name]
    if fact.may_be_none and fact.type != "money":
        values[name + GIVEN] = flag
        if not flag:
            return
    elif fact.may_be_none:
        values[name + GIVEN] = True
    if fact.type.startswith("list") and (flag or not value):
        values[name + COMPLETE] = True
    values[name] = value


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and bool(left == right)


def agree(condition: Condition, told: Any, explained: Any) -> bool:
    """Whether CEL and the tree say the same; dividing doubles by zero is no error to CEL, and unknown in a let."""
    divides = any(isinstance(part, Call) and part.function == "_/_" for part in walk(condition.tree))
    return same(told, explained) or (explained is UNKNOWN and divides)


# --- CEL decides, the tree explains ----------------------------------------------------------------------------------


@settings(max_examples=400)
@given(expressions(), stated())
def test_cel_and_the_tree_agree(condition: Condition, values: Values) -> None:
    lets = work_out(values)
    told = condition.value(view_of(values, lets))
    explained, _, missing = condition.explain(values, lets)
    assert agree(condition, told, explained), (condition.text, told, explained)
    assert explained is UNKNOWN or not missing


@settings(max_examples=300)
@given(expressions(), stated())
def test_what_settled_a_value_gives_it_alone(condition: Condition, values: Values) -> None:
    value, settled, _ = condition.explain(values, work_out(values))
    assume(value is not UNKNOWN)
    alone = only(values, settled)
    assert same(condition.explain(alone, work_out(alone))[0], value), (condition.text, settled)


def only(values: Values, references: tuple[str, ...]) -> Values:
    """Just the facts that these references name; of a list's items the fields they name."""
    kept: Values = {}
    for reference in references:
        name, bracket, rest = reference.partition("[")
        if not bracket:
            if name not in RECORDS and name in values:
                kept[name] = values[name]
            if name + GIVEN in values:
                kept[name + GIVEN] = values[name + GIVEN]
        if name in RECORDS and name in values:
            items = kept.setdefault(name, [{} for _ in values[name]])
            if bracket:
                index, _, field = rest.partition("].")
                items[int(index)][field] = values[name][int(index)][field]
    return kept


@settings(max_examples=300)
@given(expressions(), stated(), st.randoms(use_true_random=False))
def test_stating_what_is_missing_ends_in_a_decision(condition: Condition, values: Values, rng: random.Random) -> None:
    values = {name: [dict(item) for item in value] if name in RECORDS else value for name, value in values.items()}
    for _ in range(40):
        value, _, missing = condition.explain(values, work_out(values))
        if value is not UNKNOWN:
            return
        if not missing:
            break
        for reference in dict.fromkeys(missing):
            bind(values, reference, rng)
    else:
        pytest.fail(f"{condition.text} still waits for {missing}")
    lets = [COMPILED_LETS[name].tree for name in COMPILED_LETS]
    parts = [part for tree in (condition.tree, *lets) for part in walk(tree)]
    assert any(isinstance(part, Call) and part.function in NOT_ALWAYS_COMPUTABLE for part in parts), condition.text


NOT_ALWAYS_COMPUTABLE = {"_/_", "_+_", "_-_", "_*_", "-_", "largest", "smallest", "add_months", "add_days"} | {
    "weekdays_between",
    "days_between",
}


def bind(values: Values, reference: str, rng: random.Random) -> None:
    """State what a reference names as missing; it must not have been stated."""
    name, bracket, rest = reference.partition("[")
    if bracket:
        index, _, field = rest.partition("].")
        item = values[name][int(index)]
        assert field not in item, reference
        item[field] = record_field(dictionary()[name].fields[field], rng)
        return
    if name.endswith(COMPLETE):
        assert name not in values, reference
        values[name] = True
        return
    fact = dictionary()[name]
    assert name not in values or (fact.may_be_none and name + GIVEN not in values), reference
    values[name] = some_value(fact, rng)
    if fact.may_be_none:
        values[name + GIVEN] = True


def record_field(fact: Fact, rng: random.Random) -> Any:
    if fact.type == "text" and fact.may_be_none:
        return {"given": rng.random() < 0.5}
    return some_value(fact, rng)


def some_value(fact: Fact, rng: random.Random, near: tuple[float, ...] = ()) -> Any:
    match fact.type:
        case "bool":
            return rng.random() < 0.5
        case "enum":
            return rng.choice(fact.values)
        case "text":
            return rng.choice(("because", "no"))
        case "list_enum":
            return rng.sample(fact.values, rng.randint(0, min(3, len(fact.values))))
        case "list_text":
            return ["a", "b"][: rng.randint(0, 2)]
        case "list_record":
            fields = fact.fields.values()
            return [
                {field.name: record_field(field, rng) for field in fields if rng.random() < 0.8}
                for _ in range(rng.randint(0, 3))
            ]
        case "int":
            return rng.choice((0, 1, 2, 12, 36, 90, *map(int, near)))
        case "date":
            return rng.choice((14_000, 15_000, 15_090, 15_091, 15_500, 20_000))
    return float(rng.choice((0.0, 0.25, 1.0, 300_000.0, 6_000_000.0, *near)))


@settings(max_examples=300)
@given(expressions(), stated())
def test_names_that_must_be_known_are_known(condition: Condition, values: Values) -> None:
    lets = work_out(values)
    value = condition.explain(values, lets)[0]
    assume(value is not UNKNOWN)
    bound = {**values, **CONSTANTS, **{name: known[0] for name, known in lets.items() if known[0] is not UNKNOWN}}
    needed = known_when(condition.tree, value) if isinstance(value, bool) else strictly_known(condition)
    for entry in needed | strictly_known(condition):
        name, _, truth = entry.partition("=")
        assert name in bound, (condition.text, entry)
        assert not truth or bound[name] is (truth == "True"), (condition.text, entry)


@settings(max_examples=200)
@given(expressions(), stated(), st.randoms(use_true_random=False))
def test_taking_a_fact_away_gives_the_same_or_unknown(condition: Condition, values: Values, rng: random.Random) -> None:
    assume(values)
    before = condition.explain(values, work_out(values))[0]
    gone = rng.choice(sorted(values))
    fewer = {name: value for name, value in values.items() if name != gone}
    after = condition.explain(fewer, work_out(fewer))[0]
    assert after is UNKNOWN or same(after, before), (condition.text, gone)


# --- The conditions of the shipped packs -----------------------------------------------------------------------------


def _shipped() -> Iterator[tuple[str, tuple[CompiledLet, ...], tuple[Condition, ...], Mapping[str, Any]]]:
    packs = load_packs()
    gates = [tier for tier in packs.tiers if tier] + [one.gate for one in packs.patterns if one.gate]
    for number, rule in enumerate([*packs.rules, *gates]):
        parts = [rule.when, rule.planned, *(branch.condition for branch in rule.branches)]
        parts += [note.condition for note in rule.notes]
        found = tuple(part for part in parts if part is not None)
        yield f"{rule.rule.id}-{number}", rule.lets, found, rule.constants


SHIPPED = list(_shipped())


@pytest.mark.parametrize(("lets", "found", "constants"), [s[1:] for s in SHIPPED], ids=[s[0] for s in SHIPPED])
def test_cel_and_the_tree_agree_on_shipped_conditions(
    lets: tuple[CompiledLet, ...], found: tuple[Condition, ...], constants: Mapping[str, Any]
) -> None:
    rng = random.Random(17)
    names = {name for part in (*found, *(let.value for let in lets)) for name in part.asked}
    facts = sorted({name.removesuffix(GIVEN).removesuffix(COMPLETE) for name in names} & set(dictionary()))
    numbers = {part.value for c in found for part in walk(c.tree) if isinstance(part, Const)}
    values_of_parameters = (*constants.values(), *(value for let in lets for value in let.constants.values()))
    numbers |= {value for value in values_of_parameters if not isinstance(value, list)}
    near = tuple(float(n) for n in numbers if isinstance(n, int | float) and math.isfinite(n))
    near += tuple(n + step for n in near for step in (-1.0, 1.0))
    for _ in range(25):
        values: Values = {}
        for name in facts:
            if rng.random() < 0.75:
                state(values, name, some_value(dictionary()[name], rng, near), rng.random() < 0.6)
        known: dict[str, Explained] = {}
        for let in lets:
            data = {**values, **let.constants}
            data |= {name: value for name, (value, _, _) in known.items() if value is not UNKNOWN}
            value, settled, missing = let.value.explain(values, known)
            assert agree(let.value, let.value.value(View(data)), value), let.value.text
            value = round(value, 6) if isinstance(value, float) else value
            known[let.name] = (value, settled, missing)
        data = {**values, **constants} | {n: value for n, (value, _, _) in known.items() if value is not UNKNOWN}
        for condition in found:
            value, _, missing = condition.explain(values, known)
            assert same(condition.value(View(data)), value), condition.text
            computed = all(let[0] is not UNKNOWN or let[2] for let in known.values())
            assert value is not UNKNOWN or missing or not computed, condition.text


# --- What may not be written -----------------------------------------------------------------------------------------

REFUSED = [
    ("value.totl > 0.0", 'there is no fact, parameter or let "value.totl"', 'Did you mean "value.total"?'),
    ("params.multipel > 0.0", 'no fact, parameter or let "params.multipel"', 'Did you mean "params.multiple"?'),
    ("zzz", 'no fact, parameter or let "zzz"', "`goodcommission schema description` lists all facts."),
    ("process.route == 'open_tendr'", '"open_tendr" is not a value of this fact', 'Did you mean "open_tender"?'),
    ("'open_tendr' == process.route", '"open_tendr" is not a value of this fact', 'Did you mean "open_tender"?'),
    ("process.route in ['open_tender', 'xyz']", '"xyz" is not a value', "It can be: "),
    ("process.route == (service.specialist ? 'open_tender' : 'xyz')", '"xyz" is not a value', "It can be: "),
    ("['xyz'].exists(x, x == process.route)", '"xyz" is not a value', "It can be: "),
    ("'housng' in service.need_areas", '"housng" is not a value', 'Did you mean "housing"?'),
    ("service.need_areas.exists(n, n == 'housng')", '"housng" is not a value', 'Did you mean "housing"?'),
    ("covers(service.need_areas, ['housng'])", '"housng" is not a value', 'Did you mean "housing"?'),
    ("chosen == 'open_tendr'", '"open_tendr" is not a value', 'Did you mean "open_tender"?'),
    ("kind == stage", "no value in common", None),
    ("requirements.insurance.exists(i, i.covr > 1.0)", 'no field "covr"', 'Did you mean "cover"?'),
    ("requirements.insurance.exists(i, i.zzzzz > 1.0)", 'no field "zzzzz"', "They have: kind, cover"),
    ("requirements.insurance.exists(i, i.kind == 'publc_liability')", "is not a value", 'mean "public_liability"?'),
    ("requirements.insurance.exists(i, i.cover > 1)", "double is compared with one of type int", "Write 50000.0"),
    ("requirements.insurance.exists(i, i.cover)", "must be true or false", None),
    ("requirements.insurance.exists(i, i.cover && service.specialist)", "join conditions that are true or false", None),
    ("requirements.insurance.exists(i, i.cover ? service.specialist : true)", "before ? must be true or false", None),
    ("requirements.insurance.exists(i, service.specialist ? i.cover : i.kind)", "of one type", None),
    ("requirements.insurance.exists(i, i > 1.0)", "can't be used with map(string, dyn) and double", None),
    ("requirements.insurance.exists(i, i.risk_reason == 'x')", "type given", None),
    ("requirements.insurance.exists(i, i.cover.amount > 1.0)", "asked of something that has no fields", None),
    ("requirements.insurance.exists(i, i.cover.exists(j, j > 1.0))", "looks through a list, not a double", None),
    ("requirements.insurance.exists(value, value.cover > 1.0)", '"value" is a fact or a let', None),
    ("requirements.insurance.exists(stage, stage.cover > 1.0)", '"stage" is a fact or a let', None),
    ("service.need_areas.exists(annual, annual == 'housing')", '"annual" is a fact or a let', None),
    ("value.total > 50000", "> can't be used with double and int", "Write 50000.0"),
    ("term.months > 12.0", "> can't be used with int and double", "convert a whole number with double(…)"),
    ("service.specialist > true", "values of type bool have no order", None),
    ("process.route < 'open_tender'", "values of type string have no order", None),
    ("service.need_areas == service.need_areas", "type list(string) is compared", None),
    ("has(value.total)", "has() is not allowed", None),
    ("requirements.insurance.exists(i, has (i.cover))", "has() is not allowed", None),
    ("title + 'x' == 'yx'", "only numbers and dates", None),
    ("service.need_areas + ['housing'] == []", "only numbers and dates", None),
    ("title.matches('(a+)+$')", "matches() is not allowed", None),
    ("title.startsWith('x')", "startsWith() is not allowed", None),
    ("title.contains('x')", "contains() is not allowed", None),
    ("size(title) > 3", "size() can't be used with string", None),
    ("timestamp('2020-01-01T00:00:00Z') > timestamp('2021-01-01T00:00:00Z')", "timestamp() is not allowed", None),
    ("duration('1h') == duration('1h')", "duration() is not allowed", None),
    ("type(lots.count) == int", "type() is not allowed", None),
    ("int == int", 'no fact, parameter or let "int"', None),
    ("dyn(lots.count) == 1", "dyn() is not allowed", None),
    ("string(lots.count) == '1'", "string() is not allowed", None),
    ("double(title) > 1.0", "double() can't be used with string", None),
    ("service.need_areas[0] == 'housing'", "x[…] is not allowed", None),
    ("lots.count % 2 == 0", "% is not allowed", None),
    ("lots.count + 1 > 2", "arithmetic is allowed only in a let", None),
    ("-lots.count < 0", "arithmetic is allowed only in a let", None),
    ("service.need_areas.exists_one(n, n == 'housing')", "only exists, all, filter and map", None),
    ("size(service.need_areas.filter(n, n == 'housing')) > 0", "filter is allowed only in a let", None),
    ("size(service.need_areas.map(n, n)) > 0", "map is allowed only in a let", None),
    ("{'a': lots.count} == {'a': 1}", "messages and maps", None),
    ("lots.count == 1u", "can't be used with int and uint", None),
    ("title == b'a'", "can't be used with string and bytes", None),
    ("null == null", "only yes/no, whole numbers, numbers and texts", None),
    ("google.protobuf.NullValue.NULL_VALUE == 0 || service.specialist", "there is no fact", None),
    ("lots.count", "must be true or false; this is of type int", None),
    ("value.total", "must be true or false; this is of type double", None),
    ("title", "must be true or false; this is of type string", None),
    ("value.total > 1e999", "too large to be computed with", None),
    ("lots.count > 99999999999999999999", "invalid int literal", None),
    ("lots.count >", "can't be read", None),
    ("lots.count > 1 &&", "can't be read", None),
    ("title == 'x", "can't be read", None),
    ("", "can't be read", None),
    ("true", "asks nothing", None),
    ("1 < 2", "asks nothing", None),
    ("service.specialist || true", "settled by what it says itself", None),
    ("[1, 2.0].exists(x, x == lots.count)", "one type", None),
    ("[].exists(x, service.specialist)", "one at least", None),
    ("service.specialist ? kind == 'tender' : 1", "? : can't be used with bool, bool and int", None),
    ("(" * 200 + "service.specialist" + ")" * 200, "can't be read", None),
    ("service.specialist" + " || service.specialist" * 300, "longer than 4000 characters", None),
    (
        "service.need_areas.exists(a, service.need_areas.exists(b, service.need_areas.exists(c, a == c)))",
        "nested 2 deep at most",
        None,
    ),
]


@pytest.mark.parametrize(("text", "message", "suggestion"), REFUSED, ids=[text[:60] for text, _, _ in REFUSED])
def test_refused(text: str, message: str, suggestion: str | None) -> None:
    with pytest.raises(ConditionError) as caught:
        VOCABULARY.compile(text)
    error = caught.value
    assert any(part in error.message for part in message.split("|")), error.message
    assert (suggestion or "") in (error.suggestion or ""), error.suggestion
    assert "INVALID_ARGUMENT" not in error.message and "\n" not in error.message


REFUSED_IN_LETS = [
    ("lots.count + value.total", "+ can't be used with int and double"),
    ("sum_of(award.criteria.map(c, c.weight + 1))", "sum_of() can't be used with list(int)"),
    ("award.criteria.map(c, c.weight + 1)", "+ can't be used with double and int"),
    ("award.criteria.map(c, award.criteria.map(d, d.weight))", "not of type list(double)"),
    ("award.criteria.map(c, award.criteria)", "not of type list(record)"),
    ("award.criteria.map(c, c)", "not of type record"),
    ("requirements.insurance.map(i, i.risk_reason)", "not of type given"),
    ("award.criteria", "no value that can be used (type list(record))"),
    ("award.criteria.filter(c, c.weight > 0.0)", "no value that can be used (type list(record))"),
    ("params.bands", "no value that can be used (type bands)"),
    ("band(params.limit, value.total)", "band() can't be used with double and double"),
    ("largest(lots.count)", "largest() can't be used with int"),
    ("covers(service.need_areas, [1])", "can't be used with"),
    ("max_of(lots.count, 2.0)", "can't be used with int and double"),
    ("value.total * 0.8 > params.limit", "compared before it is rounded"),
    ("service.specialist && params.limit < max_of(value.total / 3.0, 0.0)", "compared before it is rounded"),
    ("sum_of(award.criteria.map(c, c.weight)) == 1.0", "compared before it is rounded"),
    ("award.criteria.exists(c, c.weight * 2.0 > 1.0)", "compared before it is rounded"),
    ("3.0", "asks nothing"),
    ("params.limit * 0.0", None),
]


@pytest.mark.parametrize(("text", "message"), REFUSED_IN_LETS, ids=[text for text, _ in REFUSED_IN_LETS])
def test_refused_in_lets(text: str, message: str | None) -> None:
    if message is None:
        assert VOCABULARY.compile(text, arithmetic=True, boolean=False).blank == 0.0
        return
    with pytest.raises(ConditionError) as caught:
        VOCABULARY.compile(text, arithmetic=True, boolean=False)
    assert any(part in caught.value.message for part in message.split("|")), caught.value.message


def test_the_place_in_the_condition_is_named() -> None:
    with pytest.raises(ConditionError) as caught:
        VOCABULARY.compile("service.specialist &&\n  value.totl > 0.0")
    assert caught.value.offset == (2, 8)
    assert caught.value.unknown == "value.totl"


def test_a_text_may_speak_of_has() -> None:
    condition = VOCABULARY.compile("title == 'what it has (and more)'")
    assert condition.explain({"title": "what it has (and more)"}, {})[0] is True


# --- Bombs -----------------------------------------------------------------------------------------------------------


def test_a_condition_that_would_take_too_many_steps_is_an_engine_error() -> None:
    text = "award.criteria.all(a, award.criteria.all(b, a.weight <= b.weight || a.weight > b.weight))"
    condition = VOCABULARY.compile(text)
    many = {"award.criteria": [{"weight": 1.0}] * 101}
    with pytest.raises(EngineError, match="too many steps"):
        condition.value(View(many))
    with pytest.raises(EngineError, match="too many steps"):
        condition.explain(many, {})
    fewer = {"award.criteria": [{"weight": 1.0}] * 90}
    assert condition.value(View(fewer)) is condition.explain(fewer, {})[0] is True


def test_a_bomb_of_literals_is_refused_when_it_is_compiled() -> None:
    numbers = "[" + ",".join("1" * 600) + "]"
    text = f"size({numbers}.filter(a, {numbers}.exists(b, a < b))) > lots.count"
    with pytest.raises(ConditionError, match=r"more than 10,000 steps|asks nothing"):
        VOCABULARY.compile(text, arithmetic=True)


def test_a_let_can_not_fill_the_memory() -> None:
    """The 1.3 KB of ``map`` that asked CEL for 33 GB: lists of lists are no values, and loops are counted."""
    numbers = "[" + ",".join("1" * 300) + "]"
    text = f"{numbers}.map(a, {numbers}.map(b, {numbers}))"
    with pytest.raises(ConditionError, match="map makes a list of"):
        VOCABULARY.compile(text, arithmetic=True, boolean=False)
    text = f"{numbers}.map(a, size({numbers}.map(b, lots.count)))"
    with pytest.raises(ConditionError, match="more than 10,000 steps"):
        # Nothing is known when it is compiled, and it is too much even so.
        VOCABULARY.compile(text, arithmetic=True, boolean=False)


def test_text_that_cel_can_not_hold_is_an_engine_error() -> None:
    condition = VOCABULARY.compile("title == 'x'")
    with pytest.raises(EngineError, match="can't be evaluated"):
        condition.value(View({"title": "\ud800"}))


# --- Decoding --------------------------------------------------------------------------------------------------------


def test_the_tree_is_what_was_written() -> None:
    tree = VOCABULARY.compile("requirements.insurance.exists(i, i.cover >= 1.5 && i.risk_reason.given)").tree
    item = Item("i")
    cover = Call("_>=_", (FieldOf(item, "cover"), Const(1.5)))
    reason = FieldOf(FieldOf(item, "risk_reason"), "given")
    assert tree == Macro("exists", Variable("requirements.insurance"), "i", Call("_&&_", (cover, reason)))


@pytest.mark.parametrize(
    ("text", "value"), [("-7", -7), ("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))]
)
def test_whole_numbers_are_decoded(text: str, value: int) -> None:
    tree = VOCABULARY.compile(f"lots.count == {text}").tree
    assert isinstance(tree, Call)
    assert tree.args[1] == Const(value)


def test_what_is_no_condition_is_not_decoded() -> None:
    with pytest.raises(UndecodedError):
        decode(b"")


def test_a_restored_condition_is_the_compiled_one() -> None:
    condition = VOCABULARY.compile("service.specialist ? process.route : 'direct_award'", boolean=False)
    restored = VOCABULARY.restore(condition.text, conditions.built(condition))
    assert (restored.tree, restored.names, restored.type.name) == (condition.tree, condition.names, condition.type.name)
    assert restored.type.values == condition.type.values
    values = {"service.specialist": True, "process.route": "open_tender"}
    assert restored.value(View(values)) == condition.value(View(values)) == "open_tender"


def test_facts_have_types_that_conditions_know() -> None:
    for name, type_ in Vocabulary().types.items():
        base = name.removesuffix(GIVEN).removesuffix(COMPLETE)
        assert base == "as_of" or base in dictionary()
        assert dataclasses.is_dataclass(type_)
