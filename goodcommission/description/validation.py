"""Checks a plain value against the model of a description, and says all that is wrong in plain English, with places."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from goodcommission.description.document import Source
from goodcommission.description.model import Description, Kind
from goodcommission.description.parsing import MAXIMUM_DEPTH, MAXIMUM_VALUES, quoted
from goodcommission.description.positions import from_pointer, positions, to_pointer
from goodcommission.description.types import CURRENCIES, Listed, Money
from goodcommission.exceptions import DescriptionError, Fault

Parts = tuple[str | int, ...]

_MISSING: Any = object()
_ROUNDS = 12
_MOST = 100
"""Faults shown at once: looking for the name that was meant takes a moment for each."""
_LOOKED_FOR = 5
"""Pointers for which the one that was meant is looked for among all of a description, which takes longer."""
_ROUNDING = Decimal("0.01")
"""By how much weights may exceed the whole: thirds are written 0.334."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """A fault before its place in the text is known."""

    message: str
    parts: Parts
    suggestion: str | None = None
    key: bool = False
    """Whether the name of the field is at fault, rather than its value."""
    remove: Parts | None = None
    """What must go for the rest to be valid; None is the value itself."""


def validate(raw: object, source: Source | None, name: str) -> Description:
    """Make a description of a plain value.

    ``null`` means unknown wherever a value may stand.

    Args:
        raw: What `parse` gave, or a dictionary of the user's.
        source: The text it was parsed from, if there is one.
        name: What the input is called in messages.

    Raises:
        DescriptionError: With all faults, in the order of the document.
    """
    description, problems = _examine(raw)
    if description is None or problems:
        raise DescriptionError(*_faults(problems, raw, source, name))
    return description


def validate_what_can_be(raw: dict[str, Any], name: str) -> tuple[Description, tuple[str, ...]]:
    """Make a description of a converted notice: what is not valid in it is left out, with a note on each.

    A published notice cannot be corrected by its reader; one impossible date must not hide all the rest.

    Raises:
        DescriptionError: Nothing valid remains.
    """
    notes: list[str] = []
    data: Any = raw
    for _ in range(_ROUNDS):
        description, problems = _examine(data)
        if description is not None and not problems:
            return description, tuple(notes)
        if not isinstance(data, dict):
            break
        data = _copy(data)
        notes.extend(f"{to_pointer(p.parts)} is taken as not stated: {p.message}" for p in _in_order(problems, data))
        _take_out(data, problems)
    raise DescriptionError(*_faults(problems, raw, None, name))


def check(description: Description, name: str) -> None:
    """Check what no single field can: dates in order, shares within the whole, evidence for something.

    Raises:
        DescriptionError: With all faults.
    """
    problems = list(_contradictions(description))
    if description.evidence:
        raw = description.model_dump(mode="json", exclude_none=True)
        problems.extend(islice(_loose_evidence(raw), _MOST))
    if problems:
        raise DescriptionError(*_faults(problems, {}, None, name))


def _examine(raw: object) -> tuple[Description | None, list[_Problem]]:
    """The description of what is valid, and what is wrong with the rest."""
    if not isinstance(raw, dict):
        held = "is empty" if raw is None else f"holds {_show(raw)}"
        return None, [
            _Problem(
                f"a description is a set of fields, and this {held}",
                (),
                "Start it with the field kind: tender, contract, decommissioning_plan or grant_programme.",
            )
        ]
    if too_many(raw):
        most = f"there are more than {MAXIMUM_VALUES:,} values in this description"
        return None, [_Problem(most, (), "Leave out what is not about one process.")]
    problems: list[_Problem] = []
    try:
        description = Description.model_validate(raw)
    except ValidationError as error:
        partial = _without_faults(raw, error, problems)
        if partial is None:
            return None, problems
        description = partial
    problems.extend(_contradictions(description))
    if description.evidence or problems:
        problems.extend(islice(_loose_evidence(raw), _MOST))
    return description, problems


def too_many(raw: Any) -> bool:
    """Whether there are more values than a description has; each that is wrong would take its time."""
    seen, level = 0, [raw]
    for _ in range(MAXIMUM_DEPTH):
        level = [
            child
            for section in level
            for child in (section.values() if isinstance(section, dict) else section)
            if isinstance(child, dict | list | tuple) or not (seen := seen + 1)
        ]
        seen += len(level)
        if not level or seen > MAXIMUM_VALUES:
            break
    return seen > MAXIMUM_VALUES


class _TooDeepError(Exception):
    """The value is nested too deeply, or holds itself."""


def _copy(value: Any, depth: int = 0) -> Any:
    if depth > MAXIMUM_DEPTH:
        raise _TooDeepError
    if isinstance(value, dict):
        return {name: _copy(child, depth + 1) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item, depth + 1) for item in value]
    return value


def _without_faults(raw: dict[str, Any], error: ValidationError, problems: list[_Problem]) -> Description | None:
    """Take out what is wrong, so that the rest can be checked as well; the problems are added to the list."""
    try:
        data = _copy(raw)
    except _TooDeepError:
        problems.append(_Problem(f"there are more than {MAXIMUM_DEPTH} sections within each other", ()))
        return None
    problems.extend(islice(_names_that_are_no_text(data, ()), _MOST))
    if problems:
        return None
    for _ in range(_ROUNDS):
        errors = error.errors(include_url=False)
        found = [_problem(raw, one["type"], one["loc"], one["msg"], one["input"]) for one in errors[:_MOST]]
        if len(errors) > _MOST:
            problems.extend(problem for problem in found if problem.message)
            problems.append(_Problem(f"there are {len(errors)} faults; {_MOST} of them are shown", ()))
            return None
        if not problems:
            # Pydantic finds all at once: what comes up later only follows from what was taken out.
            problems.extend(problem for problem in found if problem.message)
        _take_out(data, found)
        try:
            return Description.model_validate(data)
        except ValidationError as again:
            error = again
    if not problems:
        problems.append(_Problem("this is not a valid description", ()))
    return None


def _names_that_are_no_text(value: Any, parts: Parts) -> Iterator[_Problem]:
    if isinstance(value, dict):
        for name, child in value.items():
            if not isinstance(name, str) or _LONE.search(name):
                yield _Problem(f"the name of a field must be text, not {_show(name)}", parts)
            else:
                yield from _names_that_are_no_text(child, (*parts, name))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _names_that_are_no_text(child, (*parts, number))


def _take_out(data: dict[str, Any], problems: list[_Problem]) -> None:
    """Remove what is wrong; a list with a wrong entry goes as a whole, so that the others keep their numbers."""
    for problem in problems:
        parts = problem.parts if problem.remove is None else problem.remove
        if parts in ((), ("kind",)):
            data["kind"] = get_args(Kind)[0]
            continue
        while isinstance(parts[-1], int):
            parts = parts[:-1]
        holder: Any = data
        for part in parts[:-1]:
            holder = _child(holder, part)
        if isinstance(holder, dict):
            holder.pop(parts[-1], None)


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(part, _MISSING)
    if isinstance(node, list | tuple) and isinstance(part, int) and 0 <= part < len(node):
        return node[part]
    return _MISSING


def _in_order(problems: list[_Problem], raw: Any) -> list[_Problem]:
    """The problems in the order of the document, each once."""

    def order(problem: _Problem) -> list[int]:
        node, numbers = raw, []
        for part in problem.parts:
            if isinstance(node, dict) and part in node:
                numbers.append(list(node).index(part))
            elif isinstance(part, int):
                numbers.append(part)
            else:
                break
            node = _child(node, part)
        return numbers

    return sorted(dict.fromkeys(problems), key=order)


def _faults(problems: list[_Problem], raw: Any, source: Source | None, name: str) -> list[Fault]:
    faults = []
    for problem in _in_order(problems, raw):
        pointer = to_pointer(problem.parts)
        place = positions(source).nearest(pointer, key=problem.key) if source else None
        line, column = place or (None, None)
        faults.append(Fault(problem.message, name, line, column, pointer, problem.suggestion))
    return faults


# ── What is wrong with one value ─────────────────────────────────────────────────────────────────────────────────────

_LONE = re.compile("[\ud800-\udfff]")
_UNKNOWN_WORDS = frozenset({"unknown", "not known", "n/a", "na", "n.a.", "tbc", "tbd", "tba", "?", "-", "–", "null"})
_NOT_KNOWN = "If it is not known, leave the field out or write null."
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\$\{.*\}|<<.*>>")
_TRUE = frozenset({"true", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "no", "n", "off", "0", "none"})


def _bare(annotation: Any) -> Any:
    """The type of a field without "or None" and without its checks."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            annotation = next(choice for choice in get_args(annotation) if choice is not type(None))
        else:
            return annotation


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _follow(raw: Any, loc: tuple[str | int, ...]) -> tuple[Parts, Any, Any, list[Any]]:
    """Follow the place that pydantic names: the parts of the real pointer, the value, its type, the types on the way.

    A list that is written plainly has "items" in pydantic's place, and not in the document.
    """
    parts: list[str | int] = []
    node: Any = raw
    kind: Any = Description
    passed: list[Any] = []
    for part in loc:
        passed.append(kind)
        listed = _is_model(kind) and issubclass(kind, Listed)
        if not (listed and part == "items" and not isinstance(node, dict)):
            parts.append(part)
            node = _child(node, part)
        if _is_model(kind):
            field = kind.model_fields.get(str(part))
            kind = _bare(field.annotation) if field else None
        else:
            kind = _bare(get_args(kind)[0]) if get_args(kind) else None
    return tuple(parts), node, kind, passed


def _names(parts: Parts) -> str:
    """The path of a section in words: names without numbers and without the "items" of a list."""
    names = [part for part in parts if isinstance(part, str)]
    shown = [part for n, part in enumerate(parts) if isinstance(part, str) and not _is_item_level(parts, n)]
    return ".".join(shown or names)


def _is_item_level(parts: Parts, n: int) -> bool:
    return parts[n] == "items" and n + 1 < len(parts) and isinstance(parts[n + 1], int) and parts[:n] != ("lots",)


def _section_name(parts: Parts) -> str:
    if not parts:
        return "a description"
    return ("an entry of " if isinstance(parts[-1], int) else "") + _names(parts)


def _problem(raw: dict[str, Any], kind: str, loc: tuple[str | int, ...], message: str, found: Any) -> _Problem:
    parts, value, annotation, passed = _follow(raw, loc)
    if kind == "extra_forbidden":
        return _unknown_field(parts, passed[-1])
    section = passed[-1]
    if kind == "missing" or (value is None and parts and not isinstance(parts[-1], int)):
        return _missing_field(parts, section, value)
    value = found if value is _MISSING else value
    if value is None and parts and isinstance(parts[-1], int):
        return _Problem(
            f"entry {parts[-1] + 1} of the list is null", parts, "Leave the entry out, or say what is known of it."
        )
    text, suggestion = _explained(kind, message, value, annotation)
    if isinstance(value, str) and value.strip().lower() in _UNKNOWN_WORDS:
        suggestion = _NOT_KNOWN
    elif isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()):
        suggestion = "This is a placeholder: audit a template with --template."
    return _Problem(text, parts, suggestion)


def _explained(kind: str, message: str, value: Any, annotation: Any) -> tuple[str, str | None]:
    """What was expected, what was found, and what to write."""
    if kind == "literal_error":
        allowed = [str(choice) for choice in get_args(annotation)]
        text = f"one of {', '.join(allowed)} is expected, not {_show(value)}"
        return text, _nearest(str(value), allowed) if isinstance(value, str) else _instead_of_a_list(value)
    if kind == "bool_type":
        return f"true or false is expected, not {_show(value)}", _as_boolean(value)
    if kind in ("string_type", "string_too_short", "string_pattern_mismatch", "string_unicode"):
        return _explained_text(value)
    if kind in ("list_type", "tuple_type"):
        expected = message if kind == "list_type" and "[]" in message else "a list is expected: [first, second]"
        return f"{expected}; not {_show(value)}", _as_list(value, annotation)
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        names = list(annotation.model_fields)[:3] if _is_model(annotation) else []
        example = f", such as {', '.join(names)}," if names else ""
        return f"a section with fields of its own{example} is expected, not {_show(value)}", None
    if kind in ("number_type", "number_bounds", "count_type", "count_bounds"):
        share = "0.25 for 25 %" in message
        return f"{message}; not {_show(value)}", _as_number(value, share)
    if kind in ("date_type", "date_value"):
        return f"{message}; not {_show(value)}", _as_date(value)
    if kind == "money_type":
        return f"{message}; not {_show(value)}", _as_money(value)
    if kind in ("currency_type", "currency_value"):
        return f"{message}; not {_show(value)}", _as_currency(value)
    return f"{message}; not {_show(value)}", None


def _show(value: Any) -> str:
    """A value for a message: short, and harmless to a terminal."""
    if isinstance(value, str):
        return f"the text {quoted(value, 40)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value) if -(10**20) < value < 10**20 else "a very large number"
    if isinstance(value, float | Decimal):
        return str(value)[:25]
    if isinstance(value, dict):
        names = [name for name in value if isinstance(name, str)][:3]
        return "a section with " + ", ".join(quoted(name, 40) for name in names) if names else "an empty section"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, dt.datetime):
        return f"the time {value}"
    return f"a value of the type {type(value).__name__[:40]}"


def _nearest(written: str, allowed: list[str]) -> str | None:
    plain = re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", written.strip())).lower()
    near = [plain] if plain in allowed else difflib.get_close_matches(plain, allowed, 1, 0.6)
    near = near or [choice for choice in allowed if plain and choice.startswith(plain)]
    return f'Did you mean "{near[0]}"?' if near else None


def _instead_of_a_list(value: Any) -> str | None:
    return "Only one value can stand here: take it out of its list." if isinstance(value, list) else None


def _as_boolean(value: Any) -> str | None:
    word = value.strip().lower() if isinstance(value, str) else ""
    if isinstance(value, int) and value in (0, 1):
        word = str(value)
    unquoted = ", without quotes" if isinstance(value, str) else ""
    if word in _TRUE:
        return f"Write true{unquoted}."
    return f"Write false{unquoted}." if word in _FALSE else None


def _explained_text(value: Any) -> tuple[str, str | None]:
    if not isinstance(value, str):
        quoted = isinstance(value, int | Decimal | float) and not isinstance(value, bool)
        return (
            f"a text is expected, not {_show(value)}",
            f'Put it in quotes: "{_show(value)}".' if quoted else _instead_of_a_list(value),
        )
    if _LONE.search(value):
        return "the text holds half a character (a lone surrogate)", "Write the whole character."
    control = re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", value)
    if control:
        return f"the text holds a control character (U+{ord(control.group()):04X})", "Take it out."
    return "a text is expected, and it is empty", _NOT_KNOWN


def _as_list(value: Any, annotation: Any) -> str | None:
    if isinstance(value, dict) and "complete" not in value:
        return "Put the entry in square brackets; in YAML, start it with a dash."
    if isinstance(value, str) and value not in ("none", "") and len(value) < 40 and value.isprintable():
        return f'Write ["{value}"].'
    return "Write [] if there are none." if value in ("none", "") or value is False or value == 0 else None


def _plain_number(value: Any) -> Decimal | None:
    """The number that a text or a number holds, without signs of money and of thousands."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or len(str(value)[:50]) >= 50:
        return None
    written = re.sub(r"(?i)gbp|[£€$%\s,_]", "", str(value))
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < 10**15 and number.as_tuple().exponent > -10 else None  # type: ignore[operator]


def _as_number(value: Any, share: bool) -> str | None:
    number = _plain_number(value)
    if number is None:
        return None
    percent = isinstance(value, str) and "%" in value
    if share and (percent or 1 < number <= 100):
        number /= 100
    elif percent:
        return None
    if (share and not 0 <= number <= 1) or number < 0:
        return None
    return f"Write {number.normalize():f}." if isinstance(value, str) or share else None


_DATE_FORMS = (
    re.compile(r"(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>\d{4})\Z"),
    re.compile(r"(?P<y>\d{4})[./-](?P<m>\d{1,2})[./-](?P<d>\d{1,2})(?:[t ].*)?\Z"),
    re.compile(r"(?:[a-z]+,?\s+)?(?P<d>\d{1,2})(?:st|nd|rd|th)?\s+(?P<n>[a-z]{3,9}),?\s+(?P<y>\d{4})\Z"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _as_date(value: Any) -> str | None:
    if isinstance(value, dt.datetime):
        return f"Write {value.date().isoformat()}."
    if not isinstance(value, str) or len(value) > 60:
        return None
    for form in _DATE_FORMS:
        match = form.match(value.strip().lower())
        if match:
            found = match.groupdict()
            month = found.get("m") or str(_MONTHS.index(found["n"][:3]) + 1 if found["n"][:3] in _MONTHS else 0)
            try:
                return f"Write {dt.date(int(found['y']), int(month), int(found['d'])).isoformat()}."
            except ValueError:
                return None
    return _NOT_KNOWN if value in ("none", "") else None


def _as_money(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    number = _plain_number(value)
    currency = "EUR" if "€" in value else "USD" if "$" in value else "GBP"
    if number is None or number < 0 or "%" in value:
        return None
    return f"Write {{amount: {number.normalize():f}, currency: {currency}}}."


def _as_currency(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    signs = {"£": "GBP", "€": "EUR", "$": "USD", "pound": "GBP", "pounds": "GBP", "sterling": "GBP", "euro": "EUR"}
    code = signs.get(value.strip().lower(), value.strip().upper())
    near = [code] if code in CURRENCIES else difflib.get_close_matches(code, sorted(CURRENCIES), 1, 0.6)
    return f'Did you mean "{near[0]}"?' if near else None


def _missing_field(parts: Parts, section: Any, value: Any) -> _Problem:
    *before, name = parts
    parent = tuple(before)
    is_money = section is Money
    if value is None and (is_money or (_is_model(section) and issubclass(section, Listed))):
        # Half filled in: the whole is unknown. No message, but it must go.
        return _Problem("", parts, remove=parent)
    if parts == ("kind",):
        return _Problem(
            "the field kind is missing: it says what is described",
            parts,
            f"Write kind: {get_args(Kind)[0]}, or one of {', '.join(get_args(Kind)[1:])}.",
            remove=parts,
        )
    if is_money:
        what = "currency: GBP" if name == "currency" else "amount: 300000"
        return _Problem(f"the {name} is missing in {_section_name(parent)}", parts, f"Write {what}.", remove=parent)
    return _Problem(
        f"the field {name} is missing in {_section_name(parent)}",
        parts,
        "Add it: without it the entry says nothing.",
        remove=parent,
    )


def _unknown_field(parts: Parts, section: Any) -> _Problem:
    *before, last = parts
    name = str(last)
    where = _section_name(tuple(before))
    return _Problem(f"there is no field {quoted(name)} in {where}", parts, _field_meant(name, section), key=True)


def _field_meant(name: str, section: Any) -> str | None:
    own = [field for field in section.model_fields if _is_model(section)] if section is not None else []
    plain = re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name[:80].strip())).lower()
    near = [plain] if plain in own else difflib.get_close_matches(plain, own, 1, 0.85)
    if near:
        return f'Did you mean "{near[0]}"?'
    index = _field_index()
    if plain in index:
        homes = index[plain]
        if len(homes) <= 3:
            return "It belongs " + " or ".join(f'in "{home}"' if home else "at the top" for home in homes) + "."
    if "." in plain:
        section_path, _, field = plain.rpartition(".")
        if section_path in index.get(field, ()):
            return f'Write it as a section: "{section_path}" with "{field}" in it.'
    near = difflib.get_close_matches(plain, own, 1, 0.6)
    if near:
        return f'Did you mean "{near[0]}"?'
    elsewhere = difflib.get_close_matches(plain, [field for field, homes in index.items() if len(homes) == 1], 1, 0.8)
    if elsewhere:
        home = index[elsewhere[0]][0]
        return f'Did you mean "{elsewhere[0]}"? It belongs in "{home}".' if home else f'Did you mean "{elsewhere[0]}"?'
    return "The fields are listed by: goodcommission schema description"


@lru_cache(maxsize=1)
def _field_index() -> dict[str, list[str]]:
    """Each field's name → the sections that have such a field."""
    index: dict[str, list[str]] = {}
    pending: list[tuple[str, Any]] = [("", Description)]
    while pending:
        path, model = pending.pop(0)
        for name, field in model.model_fields.items():
            index.setdefault(name, []).append(path)
            kind = _bare(field.annotation)
            if _is_model(kind) and issubclass(kind, Listed):
                kind = _bare(kind.model_fields["items"].annotation)
            if get_origin(kind) is tuple:
                kind = _bare(get_args(kind)[0])
            if _is_model(kind) and kind is not Money:
                pending.append((f"{path}.{name}" if path else name, kind))
    return index


# ── What contradicts itself ──────────────────────────────────────────────────────────────────────────────────────────
# Only what cannot be true of any procurement. What is merely bad practice is for the rules to find.


DATES_IN_ORDER = (
    ("term.start", "term.end", "the term ends {0}, before it starts ({1})"),
    (
        "timeline.tender_published",
        "timeline.bid_deadline",
        "bids are due {0}, before the tender is published ({1})",
    ),
    (
        "timeline.tender_published",
        "timeline.clarification_deadline",
        "the last day for questions ({0}) is before the tender is published ({1})",
    ),
    (
        "decommissioning.handover_start",
        "decommissioning.handover_end",
        "the handover ends {0}, before it starts ({1})",
    ),
)
"""The earlier day, the later one, and what is said if they are the other way round; the later one is then wrong."""
AMOUNTS_IN_ORDER = (
    ("value.minimum", "value.total", "the minimum value is above the total value"),
    ("value.total", "value.total_including_vat", "the value without VAT is above that with VAT"),
)
"""The lower amount, the higher one, and what is said if they are the other way round; the lower one is then wrong."""
COUNTS_IN_ORDER = (
    ("market.bids_from_sme", "market.bids_received"),
    ("market.bids_from_vcse", "market.bids_received"),
)
"""A part and its whole; if it is the larger, the part is wrong."""


def _contradictions(description: Description) -> Iterator[_Problem]:
    for first, last, message in DATES_IN_ORDER:
        yield from _before(_of(description, last), tuple(last.split(".")), _of(description, first), message)
    for low, high, message in AMOUNTS_IN_ORDER:
        yield from _above(_of(description, low), _of(description, high), tuple(low.split(".")), message)
    for name, of_all in COUNTS_IN_ORDER:
        part, whole = _of(description, name), _of(description, of_all)
        if part is not None and whole is not None and part > whole:
            yield _Problem(f"{part} bids of this kind are more than all {whole} bids", tuple(name.split(".")))
    lots = description.lots
    if (
        lots is not None
        and lots.items is not None
        and lots.count is not None
        and len(lots.items.items) > max(lots.count, 1)
    ):
        yield _Problem(
            f"{len(lots.items.items)} lots are listed, more than the count of {lots.count}", ("lots", "count")
        )
    award = description.award
    if award is not None and award.criteria is not None and award.criteria.complete:
        whole = sum((one.weight for one in award.criteria.items if one.weight is not None), Decimal(0))
        if whole > 1 + _ROUNDING:
            yield _Problem(
                f"the weights of the award criteria add up to {whole.normalize():f}, more than the whole (1)",
                ("award", "criteria"),
                "Give each criterion's share of the whole; leave the parts of a criterion out.",
            )


def _of(description: Description, fact: str) -> Any:
    """What is stated under the name of a fact; None if nothing is."""
    section, _, name = fact.partition(".")
    return getattr(getattr(description, section), name, None)


def _before(end: Any, parts: Parts, start: Any, message: str) -> Iterator[_Problem]:
    if isinstance(end, dt.date) and isinstance(start, dt.date) and end < start:
        yield _Problem(message.format(end.isoformat(), start.isoformat()), parts, "Correct one of the two dates.")


def _above(low: Money | None, high: Money | None, parts: Parts, message: str) -> Iterator[_Problem]:
    if low is not None and high is not None and low.currency == high.currency and low.amount > high.amount:
        yield _Problem(f"{message} ({low.amount:f} and {high.amount:f})", parts, "Correct one of the two amounts.")


def _loose_evidence(raw: dict[str, Any]) -> Iterator[_Problem]:
    """Evidence for something that the description does not state."""
    entries, found = raw.get("evidence"), 0
    for number, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        pointer = entry.get("pointer") if isinstance(entry, dict) else None
        if isinstance(pointer, str) and pointer.strip() and not _points_at_something(raw, pointer):
            found += 1
            yield _Problem(
                f"the evidence is for {quoted(pointer)}, and there is no such field in this description",
                ("evidence", number, "pointer"),
                _pointer_meant(raw, pointer) if found <= _LOOKED_FOR else None,
                remove=("evidence", number),
            )


def _points_at_something(raw: Any, pointer: str) -> bool:
    """Whether a pointer leads somewhere, in either way of writing a list; a field that is null counts."""
    parts = from_pointer(pointer)
    if parts is None:
        return False
    node = raw
    for part in parts:
        if isinstance(node, list | tuple):
            if part == "items":
                continue
            if not re.fullmatch(r"0|[1-9][0-9]{0,8}", part):
                return False
            node = _child(node, int(part))
        elif (
            isinstance(node, dict)
            and part not in node
            and isinstance(node.get("items"), list | tuple)
            and part.isdigit()
        ):
            node = _child(node["items"], int(part)) if part.isascii() and len(part) < 9 else _MISSING
        else:
            node = _child(node, part)
        if node is _MISSING:
            return False
    return True


def _pointer_meant(raw: Any, pointer: str) -> str | None:
    if not pointer.startswith("/"):
        slashed = "/" + pointer.lstrip("#").strip("/").replace(".", "/")
        if _points_at_something(raw, slashed):
            return f'Write "{slashed[:100]}".'
    known: list[str] = []
    pending: list[tuple[Parts, Any]] = [((), raw)]
    while pending and len(known) < 500:
        parts, node = pending.pop()
        if parts and parts[0] != "evidence" and node is not None:
            known.append(to_pointer(parts))
        if isinstance(node, dict):
            pending.extend(((*parts, name), child) for name, child in node.items() if isinstance(name, str))
        elif isinstance(node, list | tuple):
            pending.extend(((*parts, n), child) for n, child in enumerate(node))
    near = difflib.get_close_matches(pointer[:200], sorted(known), 1, 0.75)
    return f'Did you mean "{near[0]}"?' if near else 'It is written as the path of a field: "/requirements/insurance".'
