"""Turns the text of a file into plain values, strictly: what could be read in two ways is a fault with its place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from goodcommission.description.document import Source
from goodcommission.description.positions import line_and_column, to_pointer, yaml_loader
from goodcommission.description.types import LARGEST_INTEGER
from goodcommission.exceptions import DescriptionError, Fault

MAXIMUM_DEPTH = 64
"""Sections within sections; a description needs eight."""
MAXIMUM_VALUES = 50_000
"""In one YAML file, and in one description; the longest that were seen have some hundred. Each takes its time."""

_MAXIMUM_EVENTS = 2 * MAXIMUM_VALUES
"""libyaml's: a value has one, a section one where it begins and one where it ends."""
_LONGEST_NAME = 1000
"""Characters of the name of a field: it is part of the place of all that is in it."""
_LONG_NAME = f"the name of a field has more than {_LONGEST_NAME:,} characters"
_MAXIMUM_FAULTS = 100
_TOO_DEEP = f"there are more than {MAXIMUM_DEPTH} sections within each other"
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_LEAVE_OUT = "Leave the field out, or write null, if it is not known."


def parse(source: Source) -> Any:
    """The value that a text holds.

    Args:
        source: The text, as `read_source` gives it.

    Returns:
        Dictionaries with text as keys, lists, texts, true and false, None, whole numbers as int and all others as
        Decimal.

    Raises:
        DescriptionError: The text is not JSON or YAML, or says something that has no single meaning.
    """
    return _parse_json(source) if source.format == "json" else _parse_yaml(source)


class _Faults:
    """Collects faults with their place in one text."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._faults: list[Fault] = []

    def add(self, message: str, offset: int, parts: list[str | int], suggestion: str | None = None) -> None:
        """Note a fault.

        Raises:
            DescriptionError: It is the hundredth: one more would tell nothing new, and each takes its time.
        """
        line, column = line_and_column(self._source.text, offset)
        self._faults.append(Fault(message, self._source.name, line, column, to_pointer(parts), suggestion))
        if len(self._faults) == _MAXIMUM_FAULTS:
            raise DescriptionError(*self._faults)

    def stop(
        self, message: str, offset: int, parts: list[str | int], suggestion: str | None = None
    ) -> DescriptionError:
        """The error to raise where reading cannot go on."""
        self.add(message, offset, parts, suggestion)
        return DescriptionError(*self._faults)

    def raise_any(self) -> None:
        """Raise what was found, if anything was."""
        if self._faults:
            raise DescriptionError(*self._faults)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Irregular(Exception):
    """The quick reading met something that the careful one must find and place."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs) or max(map(len, value), default=0) > _LONGEST_NAME:
        raise _Irregular
    return value


def _whole(text: str) -> int:
    if len(text) > 18 and _number_fault(text):
        raise _Irregular
    return int(text)


def _decimal(text: str) -> Decimal:
    if _number_fault(text):
        raise _Irregular
    return Decimal(text)


def _constant(text: str) -> Any:
    raise _Irregular


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=_constant)
_HALF_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


def _parse_json(source: Source) -> Any:
    """The quick way by the standard decoder; the slow way only to say what is wrong and where."""
    try:
        value = _DECODER.decode(source.text)
    except (_Irregular, ValueError, RecursionError):
        pass
    else:
        if not _too_deep(value) and not _HALF_ESCAPE.search(source.text):
            return value
    scan = _JsonScan(source)
    scan.run()
    return value


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAXIMUM_DEPTH):
        level = [
            child
            for section in level
            for child in (section.values() if isinstance(section, dict) else section)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _number_fault(text: str) -> str | None:
    """What is wrong with a number that is well written."""
    if text.lstrip("-").isdigit():
        if len(text) > 20 or not -LARGEST_INTEGER - 1 <= int(text) <= LARGEST_INTEGER:
            return "the whole number is too large (beyond 64 bits)"
        return None
    size = abs(float(text))
    if size == float("inf"):
        return "the number is too large to be computed with"
    if size == 0.0 and re.match(r"-?[+0.]*[1-9]", text):
        return "the number is too small to be computed with"
    return None


_CLOSER = {"{": "}", "[": "]"}


@dataclass(slots=True)
class _Open:
    """A JSON section that is being read."""

    opener: str
    offset: int
    part: str | int | None
    """The pointer's part of the entry being read; None before the first name."""
    keys: dict[str, int] = field(default_factory=dict)


class _JsonScan:
    """Reads JSON once more, carefully: all faults of meaning, then the first fault of form."""

    _SPACE = re.compile(r"[ \t\n\r]*")
    _NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
    _NUMBER_LIKE = re.compile(r"[-+.0-9][\w.,+-]{0,30}")
    _GOES_ON = re.compile(r"[\w.+-]")
    _WORD = re.compile(r"-?[^\W\d]\w*")
    _DECODER = json.JSONDecoder()

    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._faults = _Faults(source)
        self._stack: list[_Open] = []

    def run(self) -> None:
        """Raise a DescriptionError with what is wrong, if anything is."""
        text, stack = self._text, self._stack
        here = 0
        comma = 0
        expected = "value"
        while True:
            match = self._SPACE.match(text, here)
            here = match.end() if match else here
            if here == len(text):
                if expected == "end":
                    break
                raise self._cut_short(here)
            char = text[here]
            if expected == "end":
                raise self._left_over(here)
            if expected == "colon":
                if char != ":":
                    raise self._stop("a colon is expected between the name of a field and its value", here)
                here, expected = here + 1, "value"
            elif expected == "comma":
                frame = stack[-1]
                if char == ",":
                    comma = here
                    frame.part = frame.part + 1 if isinstance(frame.part, int) else None
                    expected = "name" if frame.opener == "{" else "value"
                elif char == _CLOSER[frame.opener]:
                    stack.pop()
                    expected = "comma" if stack else "end"
                else:
                    raise self._no_comma(here, frame)
                here += 1
            elif stack and char == _CLOSER[stack[-1].opener]:
                if expected == "value" and char == "}":
                    raise self._stop("a value is expected after the colon", here, _LEAVE_OUT)
                if expected in ("name", "value"):
                    raise self._stop(
                        "there is a comma after the last entry", comma, "Take this comma out: JSON allows none there."
                    )
                stack.pop()
                here, expected = here + 1, "comma" if stack else "end"
            elif expected in ("name", "first name"):
                if char != '"':
                    raise self._no_name(here)
                name, end = self._string(here)
                frame = stack[-1]
                if len(name) > _LONGEST_NAME:
                    raise self._faults.stop(_LONG_NAME, here, self._parts())
                if name in frame.keys:
                    first, _ = line_and_column(text, frame.keys[name])
                    frame.part = name
                    self._faults.add(
                        f"the field {quoted(name)} is given twice (first on line {first})",
                        here,
                        self._parts(),
                        "Keep one of the two.",
                    )
                frame.keys.setdefault(name, here)
                frame.part = name
                here, expected = end, "colon"
            elif char in "{[":
                if len(stack) == MAXIMUM_DEPTH:
                    raise self._faults.stop(_TOO_DEEP, here, [])
                stack.append(_Open(char, here, 0 if char == "[" else None))
                here, expected = here + 1, "first name" if char == "{" else "first value"
            else:
                here = self._scalar(here)
                expected = "comma" if stack else "end"
        self._faults.raise_any()

    def _parts(self) -> list[str | int]:
        return [frame.part for frame in self._stack if frame.part is not None]

    def _stop(self, message: str, offset: int, suggestion: str | None = None) -> DescriptionError:
        if suggestion is None and not self._source.name.lower().endswith(".json"):
            suggestion = "It is read as JSON because it starts with a bracket; YAML belongs in a file named .yaml."
        return self._faults.stop(f"this is not JSON: {message}", offset, self._parts(), suggestion)

    def _found(self, offset: int) -> str:
        word = self._WORD.match(self._text, offset)
        return quoted(word.group()[:30] if word else self._text[offset])

    def _scalar(self, here: int) -> int:
        text = self._text
        char = text[here]
        if char == '"':
            return self._string(here)[1]
        if char in "-+.0123456789" and not text.startswith("-I", here):
            number = self._NUMBER.match(text, here)
            if number is None or self._GOES_ON.match(text, number.end()):
                written = self._NUMBER_LIKE.match(text, here)
                whole = written.group().rstrip(",") if written else char
                raise self._stop(
                    f"{quoted(whole[:30])} is not a number",
                    here,
                    "Numbers are written as 36, -2 or 0.25: no plus sign, no leading zero, digits on both sides of the "
                    "point, no thousands separators; anything else is text and stands in double quotes.",
                )
            fault = _number_fault(number.group())
            if fault:
                self._faults.add(fault, here, self._parts())
            return number.end()
        word = self._WORD.match(text, here)
        if word:
            return self._word(word.group(), here)
        if char == ",":
            raise self._stop("a value is expected, but there is a comma", here, "Take out one comma.")
        raise self._stop(f"a value is expected, but there is {self._found(here)}", here, _slip(text, here))

    def _word(self, word: str, here: int) -> int:
        if word in ("NaN", "Infinity", "-Infinity"):
            self._faults.add(f"{word} is not a number that can be computed with", here, self._parts(), _LEAVE_OUT)
        elif word not in ("true", "false", "null"):
            meant = {"true": "true", "false": "false", "none": "null", "null": "null", "nan": "null"}.get(word.lower())
            raise self._stop(
                f"a value is expected, but there is {quoted(word[:30])}",
                here,
                f"Write {meant}." if meant else "Text stands in double quotes.",
            )
        return here + len(word)

    def _string(self, here: int) -> tuple[str, int]:
        try:
            value, end = self._DECODER.raw_decode(self._text, here)
        except json.JSONDecodeError as error:
            at = min(error.pos, len(self._text) - 1)
            if error.msg.startswith("Invalid control"):
                char = self._text[at]
                if char in "\r\n":
                    raise self._stop(
                        "the line ends inside a text",
                        at,
                        "Close the text with a double quote, or write \\n for a new line.",
                    ) from None
                advice = "Write \\t for a tab." if char == "\t" else "Take it out."
                raise self._stop(f"there is a control character (U+{ord(char):04X}) in a text", at, advice) from None
            if error.msg.startswith("Unterminated"):
                raise self._stop(
                    "the text that starts here is not closed", here, "Add the closing double quote."
                ) from None
            slash = max(self._text.rfind("\\", here, at + 1), here)
            raise self._stop(
                "there is a backslash that means nothing", slash, "Write two backslashes (\\\\) where one is meant."
            ) from None
        if _HALF_CHARACTER.search(value):
            self._faults.add(
                "the text holds half a character (a lone surrogate)",
                here,
                self._parts(),
                "Write the character itself, or both halves of its escape.",
            )
        return value, end

    def _cut_short(self, here: int) -> DescriptionError:
        if not self._stack:
            return self._stop("the file is empty", here)
        frame = self._stack[-1]
        line, column = line_and_column(self._text, frame.offset)
        return self._stop(
            f"the file ends too early: the {frame.opener} of line {line}, column {column} is not closed",
            here,
            f"Add the missing {_CLOSER[frame.opener]}, or ask for the whole file.",
        )

    def _left_over(self, here: int) -> DescriptionError:
        char = self._text[here]
        advice = _slip(self._text, here)
        if char in "{[":
            advice = "Several documents are in this file: put each into a file of its own."
        elif char in "}]":
            advice = "There is one closing bracket too many."
        return self._stop(f"the document is complete, but there is {self._found(here)} after it", here, advice)

    def _no_comma(self, here: int, frame: _Open) -> DescriptionError:
        char, close = self._text[here], _CLOSER[frame.opener]
        line, _ = line_and_column(self._text, frame.offset)
        advice = _slip(self._text, here)
        if char == '"' or char.isalnum() or char in "{[":
            advice = "A comma is missing after the entry before."
        elif char in "}]:":
            advice = None if char == ":" else f"The {frame.opener} of line {line} is closed with {close}."
        return self._stop(f"a comma or {close} is expected, but there is {self._found(here)}", here, advice)

    def _no_name(self, here: int) -> DescriptionError:
        word = self._WORD.match(self._text, here)
        char = self._text[here]
        advice = f'Write "{word.group()[:60]}".' if word else _slip(self._text, here)
        if char.isdigit() and re.match(r"\d,", self._text[max(here - 2, 0) : here]):
            advice = "Large numbers are written without thousands separators: 300000."
        elif char == ",":
            advice = "Take out one comma."
        return self._stop(
            f"the name of a field, in double quotes, is expected, but there is {self._found(here)}", here, advice
        )


def _slip(text: str, offset: int) -> str | None:
    """Advice on common slips, by the character that should not be there."""
    char = text[offset]
    if char == "'":
        return "Text stands in double quotes: \"…\", not '…'."
    if char in "“”„‘’«»":
        return 'Use straight double quotes ("), not typographic ones.'
    if char == "#" or text.startswith(("//", "/*"), offset):
        return "JSON has no comments: take it out, or write the file in YAML."
    if char == "<":
        return "This looks like XML or HTML: save it as JSON or YAML."
    if char in "\u00a0\ufeff\u200b":
        return "It is invisible, and no space: delete it."
    return None


def quoted(text: str, most: int = 60) -> str:
    """A piece of the input for a message: short, and with what could disturb a terminal made visible."""
    shown = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:most])
    return f'"{shown}{"…" if len(text) > most else ""}"'


# ── YAML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_YAML_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
# libyaml compares each with all before it.
_YAML_DIRECTIVE = re.compile(r"^%TAG", re.MULTILINE)
_CORE = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CORE_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# A leading zero makes it text: 010 is a number to some readers, eight to others, and a code to most people.
_YAML_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_YAML_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_YAML_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_YAML_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_YAML_TAG = "tag:yaml.org,2002:"


class _BadScalar(Exception):
    """A plain YAML scalar that is a number which cannot be used."""


def _core(text: str) -> Any:
    """What a plain scalar means by the core schema of YAML 1.2."""
    if text[:1] in "-+.0123456789" and text:
        if _YAML_INTEGER.match(text):
            if len(text) > 18 and (fault := _number_fault(text.lstrip("+"))):
                raise _BadScalar(fault)
            return int(text)
        if _YAML_DECIMAL.match(text):
            if fault := _number_fault(text.lstrip("+")):
                raise _BadScalar(fault)
            return Decimal(text)
        if _YAML_BASED.match(text):
            if len(text) > 24 or int(text, 0) > LARGEST_INTEGER:
                raise _BadScalar("the whole number is too large (beyond 64 bits)")
            return int(text, 0)
        if _YAML_NO_NUMBER.match(text):
            raise _BadScalar(f"{text} is not a number that can be computed with")
        return text
    if text in _CORE:
        return None
    return _CORE_BOOLEANS.get(text, text)


@dataclass(slots=True)
class _Section:
    """A YAML section that is being read."""

    value: Any
    keys: dict[str, int] | None
    """For a mapping: where each key was first written."""
    part: str | int = 0
    awaits_value: bool = False


class _Places:
    """Where we are in a YAML document, for messages."""

    def __init__(self) -> None:
        self.stack: list[_Section] = []

    def parts(self) -> list[str | int]:
        """The pointer's parts of the value being read."""
        return [section.part for section in self.stack if section.keys is None or section.awaits_value]


def _parse_yaml(source: Source) -> Any:
    """Builds the value from libyaml's events: nothing recurses, nothing is expanded, each event has its place."""
    import yaml

    text = source.text
    faults = _Faults(source)
    if len(list(islice(_YAML_DIRECTIVE.finditer(text), _MAXIMUM_FAULTS))) == _MAXIMUM_FAULTS:
        raise faults.stop("there are too many lines that start with %TAG", 0, [], "Take them out: tags are not used.")
    for match in islice(_YAML_CONTROL.finditer(text), 1):
        raise faults.stop(
            f"there is a character that may not stand in YAML (U+{ord(match.group()):04X})",
            match.start(),
            [],
            "Take it out.",
        )
    places = _Places()
    documents: list[Any] = []
    try:
        for number, event in enumerate(yaml.parse(text, Loader=yaml_loader())):
            if number == _MAXIMUM_EVENTS:
                message = f"there are more than {MAXIMUM_VALUES:,} names and values in this file"
                raise faults.stop(
                    message, cast(Any, event).start_mark.index, [], "Cut it into several, or write it as JSON."
                )
            _take(event, text, documents, places, faults)
    except yaml.YAMLError as error:
        raise _yaml_fault(error, text, faults, places.parts()) from None
    faults.raise_any()
    if not documents:
        raise faults.stop(
            "the file holds nothing but comments", 0, [], "Check that it is the right file, and that it was saved."
        )
    return documents[0]


def _take(event: Any, text: str, documents: list[Any], places: _Places, faults: _Faults) -> None:
    """Take one event into the value that is being built."""
    import yaml

    stack = places.stack
    if isinstance(event, yaml.CollectionEndEvent):
        stack.pop()
        _settled(stack)
        return
    here = event.start_mark.index
    if isinstance(event, yaml.DocumentStartEvent):
        if documents:
            raise faults.stop(
                "the file holds several documents, parted by ---", here, [], "Put each into a file of its own."
            )
        return
    if not isinstance(event, yaml.NodeEvent):
        return
    _refuse_references(event, text, here, places, faults)
    section = stack[-1] if stack else None
    if section is not None and section.keys is not None and not section.awaits_value:
        _take_key(event, text, here, section, places, faults)
        return
    if isinstance(event, yaml.ScalarEvent):
        value = _scalar(event, here, places, faults)
    elif isinstance(event, yaml.CollectionStartEvent):
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _YAML_TAG + ("map" if mapping else "seq")):
            faults.add(*_tag_fault(event.tag, here, places))
        if len(stack) == MAXIMUM_DEPTH:
            raise faults.stop(_TOO_DEEP, here, [])
        value = {} if mapping else []
    else:
        value = None
    if section is None:
        documents.append(value)
    elif section.keys is None:
        section.value.append(value)
    else:
        section.value.setdefault(section.part, value)
    if isinstance(event, yaml.CollectionStartEvent):
        stack.append(_Section(value, {} if isinstance(value, dict) else None, "" if isinstance(value, dict) else 0))
    else:
        _settled(stack)


def _settled(stack: list[_Section]) -> None:
    """A value is complete: its section moves on."""
    if stack:
        section = stack[-1]
        if section.keys is None:
            section.part = int(section.part) + 1
        else:
            section.awaits_value = False


def _refuse_references(event: Any, text: str, here: int, places: _Places, faults: _Faults) -> None:
    if event.anchor is None:
        return
    sign = "*" if text[here : here + 1] == "*" else "&"
    faults.add(
        f"{quoted(sign + event.anchor)} refers to another place in the file, which is not supported",
        here,
        places.parts(),
        f"Write the value out; if a text starts with {sign}, put it in quotes.",
    )


def _take_key(event: Any, text: str, here: int, section: _Section, places: _Places, faults: _Faults) -> None:
    import yaml

    if isinstance(event, yaml.CollectionStartEvent):
        advice = "The name of a field is plain text."
        if "{{" in text[max(here - 1, 0) : here + 2]:
            advice = 'Put a placeholder in quotes: "{{ name }}".'
        raise faults.stop("a section cannot be the name of a field", here, places.parts(), advice)
    name = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
    if len(name) > _LONGEST_NAME:
        raise faults.stop(_LONG_NAME, here, places.parts())
    section.part, section.awaits_value = name, True
    if not isinstance(event, yaml.ScalarEvent):
        return
    if event.implicit[0] and event.tag is None:
        if name == "<<":
            faults.add("merging with << is not supported", here, places.parts(), "Write the fields out.")
        elif not isinstance(_key(name), str):
            faults.add(
                f"the name of a field must be text, not {quoted(name)}",
                here,
                places.parts(),
                f'Write "{name[:30]}" in quotes.',
            )
    elif event.tag not in (None, "!", _YAML_TAG + "str"):
        faults.add(*_tag_fault(event.tag, here, places))
    keys = section.keys if section.keys is not None else {}
    if name in keys:
        first, _ = line_and_column(text, keys[name])
        faults.add(
            f"the field {quoted(name)} is given twice (first on line {first})",
            here,
            places.parts(),
            "Keep one of the two.",
        )
    keys.setdefault(name, here)


def _key(text: str) -> Any:
    try:
        return _core(text)
    except _BadScalar:
        return None


def _scalar(event: Any, here: int, places: _Places, faults: _Faults) -> Any:
    if _HALF_CHARACTER.search(event.value):
        faults.add("the text holds half a character (a lone surrogate)", here, places.parts())
        return ""
    if event.tag is None and not event.implicit[0]:
        return event.value
    if event.tag in ("!", _YAML_TAG + "str"):
        return event.value
    try:
        value = _core(event.value)
    except _BadScalar as error:
        faults.add(str(error), here, places.parts(), _LEAVE_OUT if event.value.lstrip("-+")[:1] == "." else None)
        return None
    kinds: dict[str, Any] = {"null": type(None), "bool": bool, "int": int, "float": int | Decimal}
    if event.tag is not None:
        expected = kinds.get(event.tag.removeprefix(_YAML_TAG))
        if expected is None or not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            faults.add(*_tag_fault(event.tag, here, places))
    return value


def _tag_fault(tag: str, here: int, places: _Places) -> tuple[str, int, list[str | int], str]:
    shown = "!!" + tag.removeprefix(_YAML_TAG) if tag.startswith(_YAML_TAG) else tag
    return (
        f"the tag {quoted(shown)} is not supported here",
        here,
        places.parts(),
        "Take it out; if a text starts with !, put it in quotes.",
    )


_YAML_PLAIN = {
    "mapping values are not allowed in this context": (
        "a second colon stands where none can",
        'Put text that holds ": " in quotes, or check the indentation of this line.',
    ),
    "mapping values are not allowed here": (
        "a second colon stands where none can",
        'Put text that holds ": " in quotes, or check the indentation of this line.',
    ),
    "could not find expected ':'": ("a colon is expected after the name of a field", "Write name: value."),
    "did not find expected key": (
        "this line does not fit the lines around it",
        "Fields of one section start in the same column; text that starts with a quote must end with it.",
    ),
    "did not find expected '-' indicator": (
        "this line does not fit the list before it",
        "Entries of one list start with a dash in the same column.",
    ),
    "did not find expected ',' or ']'": ("a comma or ] is expected", "Close the list with ]."),
    "did not find expected ',' or '}'": ("a comma or } is expected", "Close the section with }."),
    "found unexpected end of stream": ("the quotation mark is not closed", "Add the closing quotation mark."),
    "did not find expected <document start>": (
        "the document is complete, but there is more after it",
        "Each line is written as name: value.",
    ),
}


def _yaml_fault(error: Any, text: str, faults: _Faults, parts: list[str | int]) -> DescriptionError:
    """A syntax error of libyaml's, in plain English."""
    problem = str(getattr(error, "problem", None) or error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    here = min(mark.index, len(text)) if mark is not None else 0
    message, advice = _YAML_PLAIN.get(problem, (problem, None))
    if problem == "found unexpected end of stream" and getattr(error, "context_mark", None):
        here = error.context_mark.index
    elif "cannot start any token" in problem:
        char = text[here : here + 1]
        if char == "\t":
            message, advice = "there is a tab before the text", "Indent with spaces."
        else:
            message, advice = f"a text may not start with {quoted(char)}", "Put the text in quotes."
    return faults.stop(f"this is not YAML: {message}", here, parts, advice)
