"""The verdict tables once more, from docs/pack-format.md alone: three-valued logic over trees, in plain Python.

Neither CEL nor anything of the engine, the verifier or the reading of facts is used: facts are taken from the
description by its types, conditions are parsed here. `test_verdict_tables.py` compares all three. None is unknown.
"""

from __future__ import annotations

import calendar
import datetime as dt
import json
import math
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import BaseModel

from goodcommission.description.document import Document
from goodcommission.description.types import Listed, Money
from goodcommission.report.model import AuditReport

Node = tuple[Any, ...]
Values = Mapping[str, Any]
Said = tuple[str, bool, str]
"""A verdict, whether it is provisional, the severity."""

# --- Facts -----------------------------------------------------------------------------------------------------------


@cache
def _hint(model: type[BaseModel], field: str) -> str:
    return str(typing.get_type_hints(model, include_extras=True)[field])


def _seen(value: Any, currency: str) -> Any:
    if isinstance(value, Money):
        nothing = value.currency == "XXX" and value.amount == 0
        return float(value.amount) if nothing or value.currency == currency else None
    if isinstance(value, Decimal):
        return float(value)
    return (value - dt.date(1970, 1, 1)).days if isinstance(value, dt.date) else value


def _record(item: BaseModel, currency: str) -> dict[str, Any]:
    record = {}
    for field, value in item:
        if isinstance(value, str) and "may be none" in _hint(type(item), field):
            record[field] = {"given": value != "none"}
        elif value is not None and _seen(value, currency) is not None:
            record[field] = _seen(value, currency)
    return record


def facts_of(part: BaseModel, currency: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What a description states. Each value is also told to be given: conditions ask that only of some."""
    for field, value in part:
        name = prefix + field
        if value is None or name == "evidence":
            continue
        if isinstance(value, Listed):
            yield name, [_record(one, currency) if isinstance(one, BaseModel) else one for one in value.items]
            if value.complete:
                yield f"{name}.complete", True
        elif isinstance(value, Money):
            if _seen(value, currency) is not None:
                yield name, _seen(value, currency)
                yield f"{name}.given", value.currency != "XXX"
        elif isinstance(value, BaseModel):
            yield from facts_of(value, currency, f"{name}.")
        elif value == "none" and "Literal" not in _hint(type(part), field):
            yield f"{name}.given", False
        else:
            yield name, _seen(value, currency)
            yield f"{name}.given", True


# --- The tree of a condition -----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(\d+\.\d+|\d+)|('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|([A-Za-z_]\w*)|(&&|\|\||[<>=!]=|[-+*/<>!?:.,()\[\]]))"
)
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/"))
_MACROS = ("exists", "all", "filter", "map")


@cache
def parsed(text: str) -> Node:
    """The tree of a condition."""
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, text[at:]
        tokens.append(match)
        at = match.end()
    parser = _Parser([(match.lastindex or 0, match[match.lastindex or 0]) for match in tokens])
    tree = parser.choice()
    assert parser.at == len(tokens), text
    return tree


class _Parser:
    def __init__(self, tokens: list[tuple[int, str]]) -> None:
        self.tokens, self.at = tokens, 0

    def next(self, *wanted: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at][0] != 2 and self.tokens[self.at][1] in wanted:
            self.at += 1
            return True
        return False

    def must(self, wanted: str) -> None:
        assert self.next(wanted), (wanted, self.tokens[self.at :])

    def choice(self) -> Node:
        asked = self.level(0)
        if not self.next("?"):
            return asked
        yes = self.choice()
        self.must(":")
        return ("?", asked, yes, self.choice())

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self.sign()
        left = self.level(depth + 1)
        while self.next(*_LEVELS[depth]):
            sign = self.tokens[self.at - 1][1]
            left = (sign, left, self.level(depth + 1))
        return left

    def sign(self) -> Node:
        if self.next("!"):
            return ("!", self.sign())
        return ("-", ("value", 0), self.sign()) if self.next("-") else self.steps()

    def listed(self, end: str) -> list[Node]:
        found = []
        while not self.next(end):
            found.append(self.choice())
            self.next(",")
        return found

    def steps(self) -> Node:
        node = self.one()
        while self.next("."):
            _, name = self.tokens[self.at]
            self.at += 1
            if name in _MACROS and self.next("("):
                _, item = self.tokens[self.at]
                self.at += 1
                self.must(",")
                node = (name, node, item, self.choice())
                self.must(")")
            else:
                node = ("name", f"{node[1]}.{name}") if node[0] == "name" else (".", node, name)
        return node

    def one(self) -> Node:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == 1:
            return ("value", float(text) if "." in text else int(text))
        if kind == 2:
            return ("value", text[1:-1].replace("\\'", "'"))
        if text == "(":
            inner = self.choice()
            self.must(")")
            return inner
        if text == "[":
            return ("list", *self.listed("]"))
        if text in ("true", "false"):
            return ("value", text == "true")
        assert kind == 3, text
        return ("call", text, *self.listed(")")) if self.next("(") else ("name", text)


# --- Its value -------------------------------------------------------------------------------------------------------


def both(left: Any, right: Callable[[], Any]) -> Any:
    """Kleene's and."""
    if left is False:
        return False
    other = right()
    return False if other is False else None if left is None or other is None else True


def contrary(value: Any) -> Any:
    """Kleene's not."""
    return None if value is None else not value


def either(left: Any, right: Callable[[], Any]) -> Any:
    """Kleene's or."""
    return contrary(both(contrary(left), lambda: contrary(right())))


def _day(value: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=value)


def _later(value: int, months: int) -> int:
    day = _day(value)
    for _ in range(abs(months)):
        step = (1 if day.month < 12 else -11) if months > 0 else (-1 if day.month > 1 else 11)
        year = day.year + (months > 0 and day.month == 12) - (months < 0 and day.month == 1)
        day = day.replace(year=year, month=day.month + step, day=1)
    last = calendar.monthrange(day.year, day.month)[1]
    return (day.replace(day=min(_day(value).day, last)) - dt.date(1970, 1, 1)).days


def _weekdays(first: int, last: int) -> int:
    return sum(_day(day).isoweekday() < 6 for day in range(first + 1, last))


def _step(bands: Any, value: float) -> Any:
    return next((step for below, step in bands if below is None or value < below), None)


_CALLS: Mapping[str, Callable[..., Any]] = {
    "size": len,
    "double": float,
    "max_of": max,
    "min_of": min,
    "latest": max,
    "earliest": min,
    "largest": lambda values: max(values) if values else None,
    "smallest": lambda values: min(values) if values else None,
    "sum_of": math.fsum,
    "add_months": _later,
    "add_days": lambda day, count: day + count,
    "weekdays_between": _weekdays,
    "days_between": lambda first, last: last - first,
    "band": _step,
    "covers": lambda all_of, wanted: all(one in all_of for one in wanted),
}
_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else None,
}


def value_of(node: Node, values: Values, items: Values) -> Any:
    """The value of a part of a condition.

    Args:
        node: The part.
        values: What is known, by name.
        items: The items of the lists that are gone through, by the name that they have there.
    """
    kind = node[0]
    if kind == "value":
        return node[1]
    if kind == "list":
        known = [value_of(one, values, items) for one in node[1:]]
        return None if None in known else known
    if kind == "name":
        first, *rest = node[1].split(".")
        if first not in items:
            return values.get(node[1])
        found = items[first]
        for step in rest:
            found = found.get(step) if isinstance(found, dict) else None
        return found
    if kind == "!":
        return contrary(value_of(node[1], values, items))
    if kind == "&&":
        return both(value_of(node[1], values, items), lambda: value_of(node[2], values, items))
    if kind == "||":
        return either(value_of(node[1], values, items), lambda: value_of(node[2], values, items))
    if kind == "?":
        asked = value_of(node[1], values, items)
        return None if asked is None else value_of(node[2 if asked else 3], values, items)
    if kind in _MACROS:
        return _of_items(node, values, items)
    operands = [value_of(one, values, items) for one in (node[2:] if kind == "call" else node[1:])]
    if None in operands:
        return None
    return (_CALLS[node[1]] if kind == "call" else _SIGNS[kind])(*operands)


def _of_items(node: Node, values: Values, items: Values) -> Any:
    kind, of, name, condition = node
    listed = value_of(of, values, items)
    if listed is None:
        return None
    said = [value_of(condition, values, {**items, name: one}) for one in listed]
    if kind == "exists":
        return True if True in said else None if None in said else False
    if kind == "all":
        return False if False in said else None if None in said else True
    if None in said:
        return None
    return said if kind == "map" else [one for one, kept in zip(listed, said, strict=True) if kept]


# --- The tables ------------------------------------------------------------------------------------------------------

STAGES = ("draft", "published", "awarded", "live", "ending", "ended")
TIERS = ("small", "medium", "large")

ASKED = {
    # Whether it is asked, whether it is due, whether it is planned → what becomes of what the branches say.
    (True, True, True): "as decided",
    (True, True, False): "as decided",
    (True, None, True): "pass or unknown",
    (True, None, False): "unknown",
    (True, False, True): "pass",
    (True, False, False): "not_yet_due",
    (None, True, True): "unknown",
    (None, True, False): "unknown",
    (None, None, True): "unknown",
    (None, None, False): "unknown",
    (None, False, True): "unknown",
    (None, False, False): "not_yet_due",
}
OF_LAW = {
    # Whether a rule of law holds here, what it says → what is said of it.
    (None, "pass"): "unknown",
    (None, "fail"): "unknown",
}


class Tables:
    """What rules say of one document, by the conditions that stand in a report."""

    def __init__(self, raw: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        self.raw, self.facts = raw, dict(facts)
        if raw["as_of"] is not None:
            self.facts["as_of"] = (dt.date.fromisoformat(raw["as_of"]) - dt.date(1970, 1, 1)).days
        self.numbers: dict[tuple[str, str], Any] = {}
        for one in raw["parameters"]:
            if not one["spans"]:
                value = one["bands"] or one["value"]
                if one["unit"] == "date" and isinstance(value, str):
                    value = (dt.date.fromisoformat(value) - dt.date(1970, 1, 1)).days
                self.numbers[one["pack"], f"params.{one['name']}"] = value
        self.laws = self._laws()
        self.places = self._places()

    def known(self, logic: Mapping[str, Any], numbers: Mapping[str, Any]) -> dict[str, Any]:
        """All that the conditions of a rule may name: facts, numbers, and then each let in its turn."""
        of_pack = {name: value for (pack, name), value in self.numbers.items() if pack == logic["pack"]}
        values = {**self.facts, **of_pack, **numbers}
        for let in logic["lets"]:
            value = value_of(parsed(let["expression"]), values, {})
            if isinstance(value, float):
                value = round(value, 6) if math.isfinite(value) else None
            values[let["name"]] = value
        return values

    def verdict(self, logic: Mapping[str, Any], info: Mapping[str, Any]) -> Said:
        """What a rule says."""
        severity = info["severity"]
        if self.facts["kind"] not in logic["applies_to"]:
            return "not_applicable", False, severity
        holds, open_, numbers = self.law(logic)
        if holds is False:
            return "not_applicable", False, severity
        if holds == "outdated":
            return "unknown", False, severity
        values = self.known(logic, numbers)
        size = self.size(info["tier"])
        when = True if logic["when"] is None else value_of(parsed(logic["when"]), values, {})
        asked = both(size, lambda: when)
        if asked is False:
            return "not_applicable", False, severity
        decided = self.decided(logic, values, severity)
        stage = self.facts.get("stage")
        reached = None if stage is None else STAGES.index(stage) >= STAGES.index(info["due_from"])
        due = True if info["due_from"] == "draft" else reached
        planned = logic["planned"] is not None and value_of(parsed(logic["planned"]), values, {}) is True
        row = ASKED[asked, due, planned]
        if row == "as decided":
            said = decided
        elif row == "pass or unknown":
            said = decided if decided[0] == "pass" else ("unknown", False, severity)
        else:
            said = (row, False, severity)
        verdict = OF_LAW.get((holds, said[0]), said[0])
        if verdict != said[0]:
            return verdict, False, severity
        return verdict, said[1] or (open_ and verdict in ("pass", "fail")), said[2]

    def decided(self, logic: Mapping[str, Any], values: Values, severity: str) -> Said:
        """What the branches say, without regard to whether it is asked."""
        said = [(one, value_of(parsed(one["condition"]), values, {})) for one in logic["branches"]]
        if logic["require"]:
            return {True: "pass", False: "fail", None: "unknown"}[said[0][1]], False, severity
        first = next((at for at, (_, value) in enumerate(said) if value is True), None)
        if first is None:
            return "unknown", False, severity
        branch = said[first][0]
        overturning = any(v is None and one["verdict"] != branch["verdict"] for one, v in said[:first])
        return branch["verdict"], overturning, branch["severity"] if branch["verdict"] == "fail" else severity

    def size(self, tier: str) -> Any:
        """Whether the contract is at least of a size."""
        used = self.raw["tier"]
        if used["basis"] == "override":
            return TIERS.index(tier) <= TIERS.index(used["name"])
        gates = [one for one in self.raw["tiers"] if one["tier"] == tier]
        return value_of(parsed(gates[0]["condition"]), self.known(gates[0], {}), {}) if gates else True

    # -- law --

    def _laws(self) -> tuple[str | None, set[str] | None]:
        """The law that the document is under, and all that it may be; None: any."""
        told = self.raw["regime"]
        stated = told["id"] if told["basis"] == "given" else self.facts.get("process.regime")
        if stated is not None:
            return stated, {stated}
        signs = [(sign, value_of(parsed(sign["condition"]), self.known(sign, {}), {})) for sign in self.raw["regimes"]]
        for sign, value in signs:
            if sign["settles"] and value is True:
                return sign["id"], {sign["id"]}
        before: set[str] = set()
        for sign, value in signs:
            if not sign["settles"] and value is True:
                return sign["id"], before | {sign["id"]}
            if not sign["settles"] and value is None:
                before.add(sign["id"])
        return None, None

    def _places(self) -> set[str] | None:
        stated = self.facts.get("commissioner.territory")
        if stated is not None:
            return {stated}
        if self.laws[1] is None:
            return None
        found: set[str] = set()
        for law in self.laws[1]:
            signs = [sign for sign in self.raw["regimes"] if sign["id"] == law]
            if not signs:
                return None
            found |= set(signs[0]["territories"])
        return found

    def law(self, logic: Mapping[str, Any]) -> tuple[Any, bool, dict[str, Any]]:
        """Whether it holds, whether that is open, and its numbers on the day."""
        law = logic["law"]
        if law is None:
            return True, False, {}
        day = next((self.facts[name] for name in law["governed_by"] if name in self.facts), None)
        shown = None if day is None else _day(day).isoformat()

        def on_the_day(span: Mapping[str, Any]) -> Any:
            if not span["start"] and not span["until"]:
                return True
            return None if shown is None else (span["start"] or "") <= shown <= (span["until"] or "9")

        of_law, in_place, in_force = (
            _meant(self.laws[1], law["regimes"]),
            _meant(self.places, law["territories"]),
            on_the_day(law),
        )
        if False in (of_law, in_place, in_force):
            return False, False, {}
        if law["review_by"] and not (self.raw["as_of"] and self.raw["as_of"] <= law["review_by"]):
            return "outdated", False, {}
        open_ = of_law is None and self.laws[0] is not None and self.laws[0] in law["regimes"]
        if in_place is None or in_force is None or (of_law is None and not open_):
            return None, False, {}
        numbers = {}
        for name in law["dated"]:
            (spans,) = (
                one["spans"] for one in self.raw["parameters"] if (one["pack"], one["name"]) == (logic["pack"], name)
            )
            worlds = [
                {
                    s["value"]
                    for s in spans
                    if on_the_day(s) is not False and _for(one, s["regimes"]) and _for(place, s["territories"])
                }
                for one in ([self.laws[0]] if self.laws[0] else law["regimes"] or [None])
                for place in (sorted(self.places) if self.places else law["territories"] or [None])
                if law["territories"] is None or place is None or place in law["territories"]
            ]
            if all(len(world) == 1 for world in worlds) and len(set.union(*worlds)) == 1:
                numbers[f"params.{name}"] = next(iter(worlds[0]))
        return True, open_, numbers


def _meant(may_be: set[str] | None, asked: list[str] | None) -> Any:
    if asked is None:
        return True
    if may_be is None:
        return None
    inside = {one in asked for one in may_be}
    return inside.pop() if len(inside) == 1 else None


def _for(one: str | None, some: list[str] | None) -> bool:
    return some is None or one in some


def of_a_case(said: list[Said], severity: str) -> Said:
    """One verdict from those of the documents that a rule is asked of."""
    for verdict in ("fail", "unknown", "pass", "not_yet_due"):
        those = [one for one in said if one[0] == verdict]
        if those and verdict == "fail":
            sure = [one for one in those if not one[1]] or those
            return verdict, sure[0][1], next(s for s in ("high", "medium", "low") if s in {one[2] for one in sure})
        if those:
            return verdict, any(one[1] for one in those), severity
    return "not_applicable", False, severity


# --- Against what the engine says ------------------------------------------------------------------------------------


def check_tables(report: AuditReport, document: Document | None) -> None:
    """That the tables say of each rule what a report says, and the document what its proof says; None: of a case."""
    raw: dict[str, Any] = json.loads(report.to_json())
    if document is not None:
        facts = dict(facts_of(document.description, raw["currency"]))
        known = raw["proof"][0]["facts"]
        assert known.items() <= facts.items()
        # That something is given at all is told of every fact here, and in the proof only where "none" may be stated.
        assert all(name.endswith(".given") for name in facts.keys() - known.keys())
    tables = [Tables(raw, one["facts"]) for one in raw["proof"]]
    logic = {one["rule"]: one for one in raw["logic"]}
    for one in raw["results"]:
        info = one["rule"]
        found = of_a_case([table.verdict(logic[info["id"]], info) for table in tables], info["severity"])
        assert found == (one["verdict"], one["provisional"], one["severity"]), (info["id"], raw["document"]["name"])
