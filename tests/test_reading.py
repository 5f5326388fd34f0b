"""Reading descriptions: what is accepted, and what each kind of bad input is answered with."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import math
import os
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission.description.document import Source
from goodcommission.description.model import Description
from goodcommission.description.reading import (
    MAXIMUM_BYTES,
    locate,
    parse,
    read_description,
    read_documents,
    read_source,
    validate,
)
from goodcommission.exceptions import DescriptionError, Fault


def source(text: str, form: str = "json") -> Source:
    return Source(f"test.{form}", text, "json" if form == "json" else "yaml", "sha256:0")


def faults_of(call: Any, *arguments: Any, **named: Any) -> tuple[Fault, ...]:
    with pytest.raises(DescriptionError) as caught:
        call(*arguments, **named)
    assert caught.value.faults
    return caught.value.faults


def only_fault(call: Any, *arguments: Any, **named: Any) -> Fault:
    (fault,) = faults_of(call, *arguments, **named)
    return fault


def invalid(fields: dict[str, Any]) -> tuple[Fault, ...]:
    return faults_of(validate, {"kind": "tender", **fields}, None, "test")


def valid(fields: dict[str, Any]) -> Description:
    return validate({"kind": "tender", **fields}, None, "test")


# ── Files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_read_with_its_name_and_digest(tmp_path: Path) -> None:
    file = tmp_path / "tender.json"
    file.write_bytes(b'{"kind": "tender"}')
    read = read_source(file)
    assert (read.name, read.text, read.format) == (str(file), '{"kind": "tender"}', "json")
    assert read.digest == "sha256:" + hashlib.sha256(b'{"kind": "tender"}').hexdigest()
    assert read_source(str(file)) == read


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("a.json", "kind: tender", "json"),
        ("a.JSON", "{}", "json"),
        ("a.yaml", "{}", "yaml"),
        ("a.yml", "[]", "yaml"),
        ("a.txt", "\n {}", "json"),
        ("a", "[]", "json"),
        ("a", "kind: tender", "yaml"),
        ("a.jsonl", "{}", "json"),
    ],
)
def test_the_format_follows_the_ending_and_then_the_first_character(
    tmp_path: Path, name: str, text: str, form: str
) -> None:
    (tmp_path / name).write_text(text)
    assert read_source(tmp_path / name).format == form


def test_standard_input_is_read_from_the_stream_given() -> None:
    read = read_source("-", stream=io.BytesIO(b"kind: tender"))
    assert (read.name, read.format) == ("<stdin>", "yaml")


def test_standard_input_is_the_process_s_own_without_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    assert read_source("-").text == "{}"


def test_a_200_mb_file_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as handle:
        handle.truncate(200_000_000)
    start = time.perf_counter()
    fault = only_fault(read_source, file)
    assert time.perf_counter() - start < 0.1
    assert fault.message == "the file is 200 MB large, and a description may have 50 MB at most"
    assert fault.suggestion


def test_standard_input_is_not_read_beyond_the_limit() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size == MAXIMUM_BYTES + 1
            return b" " * size

    assert "larger than 50 MB" in only_fault(read_source, "-", stream=Endless()).message


def test_a_folder_a_missing_file_and_an_impossible_name(tmp_path: Path) -> None:
    assert only_fault(read_source, tmp_path).message == "this is a folder, not a file"
    assert only_fault(read_source, tmp_path / "no.json").message == "there is no such file"
    assert only_fault(read_source, "a\0b").message == "this cannot be the name of a file"
    assert only_fault(read_source, "x" * 5000).message.startswith("the file cannot be read")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    fault = only_fault(read_source, tmp_path / "a.json")
    assert fault.message == "the file may not be read"
    assert "permission" in (fault.suggestion or "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_read(tmp_path: Path) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"kind": "tender"}',))
    writer.start()
    assert read_description(pipe).description.kind == "tender"
    writer.join()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (b"\xef\xbb\xbf\n", "the file is empty"),
        ('{"kind": "tender"}'.encode("utf-16"), "the file is UTF-16 or UTF-32"),
        ('{"kind": "tender"}'.encode("utf-16-le"), "the file is UTF-16 or UTF-32"),
        ('{"kind": "tender"}'.encode("utf-16-be"), "the file is UTF-16 or UTF-32"),
        ('{"kind": "tender"}'.encode("utf-32"), "the file is UTF-16 or UTF-32"),
        (b"%PDF-1.7 \xff", "this is a PDF"),
        (b"PK\x03\x04\x14\x00", "this is a Word, Excel or zip file"),
    ],
)
def test_what_is_no_utf8_text_is_said(data: bytes, message: str) -> None:
    fault = only_fault(read_source, "-", stream=io.BytesIO(data))
    assert fault.message.startswith(message)
    assert fault.suggestion
    assert fault.file == "<stdin>"


@pytest.mark.parametrize("text", ['{"kind": "tender", "stage": "soon"}', "kind: tender\nstage: soon\n"])
def test_a_mark_at_the_start_is_passed_over_and_moves_no_place(text: str) -> None:
    faults = [
        only_fault(read_description, "-", stream=io.BytesIO(mark + text.encode())) for mark in (b"", b"\xef\xbb\xbf")
    ]
    assert faults[0] == faults[1]


def test_the_bad_byte_has_its_line_and_column() -> None:
    fault = only_fault(read_source, "-", stream=io.BytesIO('é: "€'.encode() + b'"\ntitle: caf\xe9\n'))
    assert (fault.line, fault.column) == (2, 11)
    assert "the byte E9" in fault.message


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_json_values() -> None:
    value = parse(source('{"a": [1, -0.5, 1e3, true, false, null, "é\\ud83d\\ude00"], "b": {}}'))
    assert value == {"a": [1, Decimal("-0.5"), Decimal("1E+3"), True, False, None, "é😀"], "b": {}}
    assert type(value["a"][0]) is int
    assert type(value["a"][1]) is Decimal
    assert parse(source("0.1")) == Decimal("0.1")


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "suggestion"),
    [
        ('{"a": 1,\n}', 1, 8, "comma after the last entry", "Take this comma out"),
        ("[1, 2, ]", 1, 6, "comma after the last entry", "Take this comma out"),
        ('{"a": 1,, "b": 2}', 1, 9, "the name of a field", "Take out one comma"),
        ("[1,, 2]", 1, 4, "there is a comma", "Take out one comma"),
        ("{'a': 1}", 1, 2, "the name of a field, in double quotes", "double quotes"),
        ("{\"a\": 'x'}", 1, 7, "a value is expected", "double quotes"),
        ('{"a": “x”}', 1, 7, "a value is expected", "straight double quotes"),
        ('{a: "x"}', 1, 2, "the name of a field", 'Write "a".'),
        ('{"a": 1 // why\n}', 1, 9, "a comma or } is expected", "no comments"),
        ('{\n# why\n"a": 1}', 2, 1, "the name of a field", "no comments"),
        ("/* why */ {}", 1, 1, "a value is expected", "no comments"),
        ('{"a": True}', 1, 7, '"True"', "Write true."),
        ('{"a": None}', 1, 7, '"None"', "Write null."),
        ('{"a": FALSE}', 1, 7, '"FALSE"', None),
        ('{"a": yes}', 1, 7, '"yes"', "Text stands in double quotes"),
        ('{"a" 1}', 1, 6, "a colon is expected", None),
        ('{"a": 1\n "b": 2}', 2, 2, "a comma or } is expected", "A comma is missing"),
        ('{"a": }', 1, 7, "a value is expected after the colon", "null"),
        ('{"a": [1}', 1, 9, "a comma or ] is expected", "The [ of line 1 is closed with ]."),
        ('{"a":\n{"b": 1', 2, 8, "ends too early: the { of line 2, column 1", "missing }"),
        ('{"a": "x', 1, 7, "not closed", "closing double quote"),
        ('{"a": "x\ny"}', 1, 9, "the line ends inside a text", "\\n"),
        ('{"a": "x\ty"}', 1, 9, "control character (U+0009)", "\\t"),
        ('{"a": "x\x00y"}', 1, 9, "control character (U+0000)", "Take it out"),
        ('{"a": "C:\\docs"}', 1, 10, "backslash", "two backslashes"),
        ('{"a": "\\u12"}', 1, 8, "backslash", "two backslashes"),
        ('{"a": 007}', 1, 7, '"007" is not a number', "no leading zero"),
        ('{"a": .5}', 1, 7, '".5" is not a number', "both sides"),
        ('{"a": +5}', 1, 7, '"+5" is not a number', "no plus sign"),
        ('{"a": -}', 1, 7, '"-" is not a number', None),
        ('{"a": 300,000}', 1, 11, "the name of a field", "300000"),
        ('{"a": 1} x', 1, 10, 'the document is complete, but there is "x" after it', None),
        ('{"a": 1}}', 1, 9, "the document is complete", "one closing bracket too many"),
        ('{"a": 1}\n{"a": 2}', 2, 1, "the document is complete", "a file of its own"),
        ("<html></html>", 1, 1, "a value is expected", "HTML"),
        ("kind: tender", 1, 1, "a value is expected", None),
        ('{"a": 1\u00a0}', 1, 8, "a comma or }", "invisible"),
        ('{"é😀": 1, "b": tru}', 1, 16, '"tru"', None),
        ('{\r\n"a": 1,\r\n"b": x}', 3, 6, '"x"', None),
        ('{\r"a": 1,\r"b": x}', 3, 6, '"x"', None),
    ],
)
def test_what_is_not_json_is_explained(text: str, line: int, column: int, message: str, suggestion: str | None) -> None:
    fault = only_fault(parse, source(text))
    assert (fault.line, fault.column) == (line, column), fault
    assert fault.message.startswith("this is not JSON: ")
    assert message in fault.message
    assert suggestion is None or suggestion in (fault.suggestion or "")


def test_json_faults_of_meaning_are_all_given() -> None:
    text = (
        '{"a": 1,\n"a": 2,\n"b": {"c": NaN, "c": 1},\n"d": [-Infinity, Infinity],\n"e": 1e400,\n'
        '"f": 1e-400,\n"g": 9223372036854775808,\n"h": "x\\ud800",\n"i": 1, "\\udfff": 0}'
    )
    found = [(fault.line, fault.column, fault.pointer) for fault in faults_of(parse, source(text))]
    assert found == [
        (2, 1, "/a"),
        (3, 12, "/b/c"),
        (3, 17, "/b/c"),
        (4, 7, "/d/0"),
        (4, 18, "/d/1"),
        (5, 6, "/e"),
        (6, 6, "/f"),
        (7, 6, "/g"),
        (8, 6, "/h"),
        (9, 9, ""),
    ]


def test_a_field_given_twice_names_the_line_of_the_first() -> None:
    fault = only_fault(parse, source('{"a": 1,\n\n"b": 1,\n "a": 2}'))
    assert (fault.message, fault.line, fault.column) == ('the field "a" is given twice (first on line 1)', 4, 2)


@pytest.mark.parametrize("number", ["9223372036854775807", "-9223372036854775808", "1.7e308", "5e-324", "0e-999", "-0"])
def test_numbers_at_the_limits_are_read(number: str) -> None:
    assert float(parse(source(number))) == float(number)


@pytest.mark.parametrize("number", ["1" * 5000, "-" + "9" * 19, "1e309", "1" * 400 + ".0", "1e999999999999"])
def test_numbers_beyond_the_limits_are_refused(number: str) -> None:
    assert "too large" in only_fault(parse, source(number)).message


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize("opener", ["[", '{"a":', '[{"a":'])
def test_ten_thousand_levels_are_refused_at_once(opener: str, form: str) -> None:
    start = time.perf_counter()
    fault = only_fault(parse, source(opener * 10_000, form))
    assert time.perf_counter() - start < 2
    assert fault.message == "there are more than 64 sections within each other"
    assert fault.line == 1


def test_sixty_four_levels_are_read() -> None:
    for form in ("json", "yaml"):
        assert parse(source("[" * 64 + "]" * 64, form))
        assert "more than 64" in only_fault(parse, source("[" * 65 + "]" * 65, form)).message


def test_thousands_of_faults_are_not_all_told() -> None:
    assert len(faults_of(parse, source("[" + "NaN," * 5000 + "NaN]"))) == 100


def test_json_is_never_read_as_yaml() -> None:
    assert "not JSON" in only_fault(parse, source("{a: b}")).message
    fault = only_fault(parse, read_source("-", stream=io.BytesIO(b"{a: b}")))
    assert "double quotes" in fault.message
    assert "YAML belongs" in (only_fault(parse, read_source("-", stream=io.BytesIO(b'{"a" b}'))).suggestion or "")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(JSON_VALUES, st.sampled_from([None, 2]), st.booleans())
def test_all_json_is_read_and_each_value_is_found(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    read = source(text)
    assert parse(read) == json.loads(text, parse_float=Decimal)
    lines = text.split("\n")
    decoder = json.JSONDecoder()
    pending = [("", value)]
    while pending:
        pointer, node = pending.pop()
        place = locate(read, pointer)
        assert place is not None
        offset = sum(len(line) + 1 for line in lines[: place[0] - 1]) + place[1] - 1
        assert decoder.raw_decode(text, offset)[0] == node
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        pending += [(f"{pointer}/{str(k).replace('~', '~0').replace('/', '~1')}", child) for k, child in children]


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("{}[]:,\"\\ \n0123.e-+truefalsnuNI'#/ab😀\t"), max_size=30))
def test_strict_reading_agrees_with_the_standard_library(text: str) -> None:
    try:
        expected = json.loads(text, parse_float=Decimal)
    except ValueError:
        assert faults_of(parse, source(text))[0].line is not None
        return
    try:
        found = parse(source(text))
    except DescriptionError as error:
        found = error
    if isinstance(found, DescriptionError):
        assert any(word in str(found) for word in ("twice", "Infinity", "NaN", "too "))
    else:
        assert found == expected


# ── YAML ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_yaml_has_the_core_types_of_yaml_1_2() -> None:
    text = """
text: [no, yes, on, off, y, 1:30, 010, 2026-03-31, 1_000, "1", 'true', !!str 5, 0b1, 1e, +, -, ., 03000000-1]
nothing: [null, Null, NULL, ~, ]
empty:
truth: [true, True, TRUE, false, False, FALSE]
whole: [0, -3, +3, 0o17, 0x1F]
other: [.5, 5., -0.25, 1e3, 1.5E-3]
block: |
  a
  b
folded: >-
  a
  b
"""
    value = parse(source(text, "yaml"))
    assert value["text"] == [
        *("no", "yes", "on", "off", "y", "1:30", "010", "2026-03-31", "1_000", "1", "true", "5"),
        *("0b1", "1e", "+", "-", ".", "03000000-1"),
    ]
    assert value["nothing"] == [None] * 4
    assert value["empty"] is None
    assert value["truth"] == [True] * 3 + [False] * 3
    assert value["whole"] == [0, -3, 3, 15, 31]
    assert all(type(number) is int for number in value["whole"])
    assert value["other"] == [Decimal("0.5"), Decimal(5), Decimal("-0.25"), Decimal(1000), Decimal("0.0015")]
    assert value["block"] == "a\nb\n"
    assert value["folded"] == "a b"


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "suggestion"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, 'the field "a" is given twice (first on line 1)', "Keep one"),
        ("a: {b: 1, 'b': 2}", 1, 11, 'the field "b" is given twice', "Keep one"),
        ("a: &x 1", 1, 4, '"&x" refers to another place', "quotes"),
        ("a: [1,\n  *x]", 2, 3, '"*x" refers to another place', "quotes"),
        ("<<: {a: 1}", 1, 1, "merging with <<", "Write the fields out"),
        ("a: !!python/object/apply:os.system [x]", 1, 4, 'the tag "!!python/object/apply:os.system"', "Take it out"),
        ("a: !!binary aGk=", 1, 4, 'the tag "!!binary"', "Take it out"),
        ("a: !!timestamp 2026-01-01", 1, 4, 'the tag "!!timestamp"', "Take it out"),
        ("a: !own x", 1, 4, 'the tag "!own"', "quotes"),
        ("a: !!int x", 1, 4, 'the tag "!!int"', "Take it out"),
        ("a: !!set {x}", 1, 4, 'the tag "!!set"', "Take it out"),
        ("a: 1\n---\nb: 1", 2, 1, "several documents", "a file of its own"),
        ("5: x", 1, 1, 'the name of a field must be text, not "5"', "quotes"),
        ("true: x", 1, 1, "the name of a field must be text", "quotes"),
        ("? [a]\n: b", 1, 3, "a section cannot be the name", None),
        ("a: {{ x }}", 1, 5, "a section cannot be the name", 'Put a placeholder in quotes: "{{ name }}".'),
        ("a: .nan", 1, 4, ".nan is not a number", "null"),
        ("a: -.inf", 1, 4, "-.inf is not a number", "null"),
        ("a: 1e400", 1, 4, "too large", None),
        ("a: 99999999999999999999", 1, 4, "too large", None),
        ("a: 0xFFFFFFFFFFFFFFFFFF", 1, 4, "too large", None),
        ('a: "\\ud800"', 1, 7, "this is not YAML", None),
        ("a: x\x01", 1, 5, "may not stand in YAML (U+0001)", "Take it out"),
        ("a: b: c", 1, 5, "a second colon", "in quotes"),
        ("a: 1\n b: 2", 2, 3, "a second colon", "indentation"),
        ("a:\n\tb: 1", 2, 1, "a tab", "Indent with spaces"),
        ("a: @x", 1, 4, 'a text may not start with "@"', "in quotes"),
        ("a: 'x", 1, 4, "quotation mark is not closed", "closing quotation mark"),
        ("a: [1\nb: 2", 2, 2, "a comma or ] is expected", "Close the list"),
        ("a: {b: 1", 1, 9, "a comma or } is expected", "Close the section"),
        ("- a\nb: 1", 2, 1, "does not fit the list", "dash"),
        ('a: "x" y', 1, 8, "does not fit", "must end with it"),
        ("# nothing", 1, 1, "nothing but comments", "Check that it is the right file"),
        ("é😀: 1\né😀: 2", 2, 1, 'the field "é😀" is given twice', None),
    ],
)
def test_what_yaml_may_not_say_is_explained(
    text: str, line: int, column: int, message: str, suggestion: str | None
) -> None:
    fault = faults_of(parse, source(text, "yaml"))[0]
    assert (fault.line, fault.column) == (line, column), fault
    assert message in fault.message
    assert suggestion is None or suggestion in (fault.suggestion or "")


def test_yaml_aliases_cannot_explode() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20)
    )
    start = time.perf_counter()
    assert len(faults_of(parse, source(bomb, "yaml"))) > 20
    assert time.perf_counter() - start < 1


def test_yaml_is_the_same_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    text = "a: [no, 010, 1.5, ~]\nb: {c: 'x'}\n"
    with_libyaml = parse(source(text, "yaml"))
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse(source(text, "yaml")) == with_libyaml
    assert locate(Source("fallback.yaml", text, "yaml", ""), "/b/c") == (2, 8)
    assert "twice" in only_fault(parse, source("a: 1\na: 2", "yaml")).message
    assert "second colon" in only_fault(parse, source("a: b: c", "yaml")).message
    assert "half a character" in only_fault(parse, source('a: "\\ud800"', "yaml")).message


# ── Positions ────────────────────────────────────────────────────────────────────────────────────────────────────────

JSON_TEXT = '{\n "a~/é": [1, {"b": "x"}],\r\n "😀": {"k": null}, "z": -0.5\r}'
YAML_TEXT = 'a~/é:\n  - 1\n  - b: x\n"😀": {k: null}\nz: -0.5\n'


@pytest.mark.parametrize(
    ("text", "form", "pointer", "value", "key"),
    [
        (JSON_TEXT, "json", "", (1, 1), (1, 1)),
        (JSON_TEXT, "json", "/a~0~1é", (2, 10), (2, 2)),
        (JSON_TEXT, "json", "/a~0~1é/0", (2, 11), (2, 11)),
        (JSON_TEXT, "json", "/a~0~1é/1/b", (2, 20), (2, 15)),
        (JSON_TEXT, "json", "/😀/k", (3, 13), (3, 8)),
        (JSON_TEXT, "json", "/z", (3, 25), (3, 20)),
        (YAML_TEXT, "yaml", "", (1, 1), (1, 1)),
        (YAML_TEXT, "yaml", "/a~0~1é", (2, 3), (1, 1)),
        (YAML_TEXT, "yaml", "/a~0~1é/1/b", (3, 8), (3, 5)),
        (YAML_TEXT, "yaml", "/😀/k", (4, 10), (4, 7)),
        (YAML_TEXT, "yaml", "/z", (5, 4), (5, 1)),
    ],
)
def test_values_and_keys_are_located(
    text: str, form: str, pointer: str, value: tuple[int, int], key: tuple[int, int]
) -> None:
    assert locate(source(text, form), pointer) == value
    assert locate(source(text, form), pointer, key=True) == key


@pytest.mark.parametrize("pointer", ["/q", "q", "/a~0~1é/7", "/a~0~1é/x", "/z/0", "/a~0~1é/1/b/c"])
@pytest.mark.parametrize(("text", "form"), [(JSON_TEXT, "json"), (YAML_TEXT, "yaml")])
def test_what_is_not_there_has_no_place(text: str, form: str, pointer: str) -> None:
    assert locate(source(text, form), pointer) is None


def test_places_in_a_large_file_are_found_quickly() -> None:
    text = json.dumps({"list": [{"name": "x" * 50, "number": n} for n in range(50_000)], "last": 1})
    read = source(text)
    start = time.perf_counter()
    assert locate(read, "/last") == (1, text.index('"last"') + 9)
    for n in range(0, 50_000, 500):
        assert locate(read, f"/list/{n}/number") is not None
    assert time.perf_counter() - start < 5


# ── The model ────────────────────────────────────────────────────────────────────────────────────────────────────────

FAULTY = """\
kind: tender
stage: Published
requirements:
  minimum_turnover: {amount: 1, currency: GBP}
  insurance:
    - {kind: other, cover: {amount: "5,000", currency: gbp}}
    - null
term: {start: 31/03/2026, months: 3.5}
turnover_applies_to: lot
timeline: {tender_published: 2026-02-01, bid_deadline: 2026-01-01}
evidence:
  - {pointer: /requirements/insurance/7, document: x}
"""


def test_all_faults_come_at_once_with_their_places() -> None:
    read = source(FAULTY, "yaml")
    found = [
        (fault.line, fault.column, fault.pointer, fault.suggestion)
        for fault in faults_of(validate, parse(read), read, read.name)
    ]
    assert found == [
        (2, 8, "/stage", 'Did you mean "published"?'),
        (4, 3, "/requirements/minimum_turnover", 'Did you mean "minimum_annual_turnover"?'),
        (6, 37, "/requirements/insurance/0/cover/amount", "Write 5000."),
        (6, 56, "/requirements/insurance/0/cover/currency", 'Did you mean "GBP"?'),
        (7, 7, "/requirements/insurance/1", "Leave the entry out, or say what is known of it."),
        (8, 15, "/term/start", "Write 2026-03-31."),
        (8, 35, "/term/months", None),
        (9, 1, "/turnover_applies_to", 'It belongs in "requirements".'),
        (10, 56, "/timeline/bid_deadline", "Correct one of the two dates."),
        (12, 15, "/evidence/0/pointer", 'Did you mean "/requirements/insurance/0"?'),
    ]


@pytest.mark.parametrize(
    ("fields", "message", "suggestion"),
    [
        (
            {"requirements": {"minimum_turnover": 5}},
            'there is no field "minimum_turnover" in requirements',
            'Did you mean "minimum_annual_turnover"?',
        ),
        ({"titel": "x"}, 'there is no field "titel" in a description', 'Did you mean "title"?'),
        (
            {"minimum_annual_turnover": 5},
            'there is no field "minimum_annual_turnover" in a description',
            'It belongs in "requirements".',
        ),
        ({"value": {"months": 5}}, 'there is no field "months" in value', 'It belongs in "term" or in "lots.items".'),
        (
            {"requirements": {"minimumAnnualTurnover": 5}},
            'there is no field "minimumAnnualTurnover" in requirements',
            'Did you mean "minimum_annual_turnover"?',
        ),
        (
            {"requirements.collaboration": "none"},
            'there is no field "requirements.collaboration" in a description',
            'Write it as a section: "requirements" with "collaboration" in it.',
        ),
        (
            {"requirements": {"insurance": [{"covr": 5}]}},
            'there is no field "covr" in an entry of requirements.insurance',
            'Did you mean "cover"?',
        ),
        ({"zzz": None}, 'there is no field "zzz" in a description', "goodcommission schema description"),
        ({"stage": "drafty"}, "one of draft, published, awarded, live, ending, ended is expected", '"draft"?'),
        ({"process": {"route": "Open Tender"}}, "one of open_tender", 'Did you mean "open_tender"?'),
        ({"stage": True}, "is expected, not true", None),
        (
            {"process": {"framework": "yes"}},
            'true or false is expected, not the text "yes"',
            "Write true, without quotes.",
        ),
        ({"process": {"framework": "No"}}, "true or false is expected", "Write false, without quotes."),
        ({"process": {"framework": 0}}, "true or false is expected, not 0", "Write false."),
        ({"process": {"framework": 10**5000}}, "true or false is expected, not a very large number", None),
        ({"process": {"framework": "tbc"}}, "true or false is expected", "leave the field out or write null"),
        ({"title": 5}, "a text is expected, not 5", 'Put it in quotes: "5".'),
        ({"title": ""}, "a text is expected, and it is empty", "leave the field out"),
        ({"title": " \n"}, "a text is expected, and it is empty", "leave the field out"),
        ({"title": "a\x1b[31m"}, "the text holds a control character (U+001B)", "Take it out."),
        ({"title": "a\ud800"}, "the text holds half a character", "whole character"),
        ({"title": ["x"]}, "a text is expected, not a list of 1", "take it out of its list"),
        ({"value": {"total": 300000}}, "{amount: 300000, currency: GBP}", None),
        (
            {"value": {"total": "£300,000"}},
            'money is written with its currency: {amount: 300000, currency: GBP}; not the text "£300,000"',
            "Write {amount: 300000, currency: GBP}.",
        ),
        ({"value": {"total": {"amount": 5}}}, "the currency is missing in value.total", "Write currency: GBP."),
        ({"value": {"total": {"currency": "GBP"}}}, "the amount is missing in value.total", "Write amount: 300000."),
        ({"value": {"total": {"amount": -5, "currency": "GBP"}}}, "a number of 0 or more is expected; not -5", None),
        ({"value": {"total": {"amount": "5k", "currency": "GBP"}}}, "a number is expected", None),
        ({"value": {"total": {"amount": math.nan, "currency": "GBP"}}}, "a finite number is expected", None),
        ({"value": {"total": {"amount": 10**5000, "currency": "GBP"}}}, "too large", None),
        ({"value": {"total": {"amount": 5, "currency": "gbp"}}}, "ISO 4217", 'Did you mean "GBP"?'),
        ({"value": {"total": {"amount": 5, "currency": "£"}}}, "ISO 4217", 'Did you mean "GBP"?'),
        ({"value": {"total": {"amount": 5, "currency": "GPB"}}}, "ISO 4217", "Did you mean"),
        ({"value": {"total": {"amount": 5, "currency": 5}}}, "a currency code is expected", None),
        ({"value": 5}, "a section with fields of its own, such as total", None),
        ({"term": {"months": 3.5}}, "a whole number is expected, such as 36; not 3.5", None),
        ({"term": {"months": -1}}, "a whole number of 0 or more is expected", None),
        ({"term": {"months": "36"}}, "a whole number is expected", "Write 36."),
        ({"term": {"months": True}}, "a whole number is expected, such as 36; not true", None),
        ({"term": {"months": 2**63}}, "too large", None),
        ({"term": {"months": Decimal("1E+999999999")}}, "too large", None),
        ({"term": {"start": "2026-02-30"}}, "there is no such day", None),
        ({"term": {"start": "31/03/2026"}}, "a date is expected", "Write 2026-03-31."),
        ({"term": {"start": "3.4.2026"}}, "a date is expected", "Write 2026-04-03."),
        ({"term": {"start": "31st March 2026"}}, "a date is expected", "Write 2026-03-31."),
        ({"term": {"start": "2026-03-31T00:00:00Z"}}, "a date is expected", "Write 2026-03-31."),
        ({"term": {"start": "none"}}, "a date is expected", "leave the field out"),
        ({"term": {"start": 2026}}, "a date is expected", None),
        ({"market": {"engagement_date": "soon"}}, "or the word none if there was none", None),
        (
            {"subcontracting": {"minimum_vcs_share": 25}},
            "a share is written between 0 and 1: 0.25 for 25 %",
            "Write 0.25.",
        ),
        ({"subcontracting": {"minimum_vcs_share": "25%"}}, "a share is written between 0 and 1", "Write 0.25."),
        ({"subcontracting": {"minimum_vcs_share": -1}}, "a share is written between 0 and 1", None),
        ({"service": {"need_areas": "housing"}}, "a list is expected", 'Write ["housing"].'),
        ({"service": {"need_areas": "none"}}, "a list is expected", "Write [] if there are none."),
        ({"service": {"need_areas": ["houses"]}}, "one of housing", 'Did you mean "housing"?'),
        ({"requirements": {"insurance": {"kind": "other"}}}, "a list is expected", "start it with a dash"),
        ({"requirements": {"insurance": ["x"]}}, "a section with fields of its own, such as kind", None),
        ({"service": {"places": ["a", None]}}, "entry 2 of the list is null", "Leave the entry out"),
        ({"evidence": {"pointer": "/kind", "document": "x"}}, "a list is expected", "dash"),
        ({"evidence": [{"pointer": "/kind"}]}, "the field document is missing in an entry of evidence", None),
        ({"evidence": [{"pointer": None, "document": "x"}]}, "the field pointer is missing", None),
        ({3: "x"}, "the name of a field must be text, not 3", None),
        ({"value": {"a\ud800": 1}}, "the name of a field must be text", None),
        ({"title": object()}, "a text is expected, not a value of the type object", None),
    ],
)
def test_each_fault_is_explained(fields: dict[Any, Any], message: str, suggestion: str | None) -> None:
    (fault,) = invalid(fields)
    assert message in fault.message
    assert suggestion is None or suggestion in (fault.suggestion or "")
    assert str(fault).encode("utf-8")
    assert all(char.isprintable() for char in fault.message)


@pytest.mark.parametrize("raw", [{}, {"kind": None}, {"title": "x"}])
def test_the_kind_is_asked_for(raw: dict[str, Any]) -> None:
    fault = only_fault(validate, raw, None, "test")
    assert "the field kind is missing" in fault.message
    assert fault.suggestion == "Write kind: tender, or one of contract, decommissioning_plan, grant_programme."


@pytest.mark.parametrize("raw", [None, [], "kind", 5, True, [{"kind": "tender"}]])
def test_only_a_set_of_fields_is_a_description(raw: Any) -> None:
    assert only_fault(validate, raw, None, "test").message.startswith("a description is a set of fields")


def test_a_long_and_a_hostile_value_are_shortened() -> None:
    (fault,) = invalid({"stage": "x" * 10_000 + "\x1b]"})
    assert len(fault.message) < 200
    (fault,) = invalid({"stage": "\x1b[31m\u202e"})
    assert "\\u001b[31m\\u202e" in fault.message


def test_a_dictionary_that_holds_itself_is_refused() -> None:
    for name in ("value", "zzz"):
        raw: dict[str, Any] = {"kind": "tender"}
        raw[name] = raw
        assert only_fault(validate, raw, None, "test").message.startswith("there are more than 64 sections")


def test_very_many_faults_are_told_in_time() -> None:
    start = time.perf_counter()
    faults = invalid({f"unknown{n}": n for n in range(20_000)})
    assert time.perf_counter() - start < 5
    assert len(faults) == 101
    assert faults[0].message == "there are 20000 faults; 100 of them are shown"


def test_null_is_unknown_wherever_a_value_may_stand() -> None:
    for field in Description.model_fields:
        if field != "kind":
            assert valid({field: None}) == valid({})
    assert valid({"value": {"total": None}}).value == valid({"value": {}}).value
    for money in (
        {"amount": None, "currency": "GBP"},
        {"amount": 5, "currency": None},
        {"amount": None, "currency": None},
    ):
        description = valid({"value": {"total": money}, "requirements": {"minimum_annual_turnover": money}})
        assert description.value is not None
        assert description.value.total is None
        assert description.requirements is not None
        assert description.requirements.minimum_annual_turnover is None
    description = valid({"requirements": {"insurance": [{"kind": None, "cover": {"amount": None, "currency": None}}]}})
    assert description.requirements is not None
    assert description.requirements.insurance is not None
    assert description.requirements.insurance.items[0].cover is None
    description = valid(
        {"service": {"places": {"items": None, "complete": True}, "need_areas": {"items": [], "complete": None}}}
    )
    assert description.service is not None
    assert description.service.places is None
    assert description.service.need_areas is not None
    assert description.service.need_areas.complete is True


def test_statements_of_absence_are_kept_apart_from_unknown() -> None:
    description = valid(
        {
            "requirements": {"minimum_annual_turnover": "none", "insurance": [], "turnover_justification": "none"},
            "market": {"engagement_date": "none", "bids_received": 0},
            "process": {"framework": False},
        }
    )
    assert description.requirements is not None
    assert description.requirements.insurance is not None
    assert description.requirements.insurance.complete is True
    assert description.requirements.minimum_annual_turnover is not None
    assert description.requirements.minimum_annual_turnover.amount == 0
    assert description.market is not None
    assert description.market.engagement_date == "none"


def test_equal_numbers_are_equal_statements() -> None:
    assert (
        valid({"term": {"months": 36.0}}) == valid({"term": {"months": Decimal(36)}}) == valid({"term": {"months": 36}})
    )


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        (
            {"term": {"start": "2027-01-01", "end": "2026-12-31"}},
            "/term/end",
            "the term ends 2026-12-31, before it starts (2027-01-01)",
        ),
        (
            {"decommissioning": {"handover_start": "2026-02-01", "handover_end": "2026-01-01"}},
            "/decommissioning/handover_end",
            "the handover ends",
        ),
        (
            {"timeline": {"tender_published": "2026-02-01", "bid_deadline": "2026-01-01"}},
            "/timeline/bid_deadline",
            "bids are due 2026-01-01, before the tender is published (2026-02-01)",
        ),
        (
            {"timeline": {"tender_published": "2026-02-01", "clarification_deadline": "2026-01-01"}},
            "/timeline/clarification_deadline",
            "the last day for questions",
        ),
        (
            {
                "value": {
                    "minimum": {"amount": 5, "currency": "GBP"},
                    "total": {"amount": 4, "currency": "GBP"},
                }
            },
            "/value/minimum",
            "the minimum value is above the total value (5 and 4)",
        ),
        (
            {
                "value": {
                    "total": {"amount": 5, "currency": "GBP"},
                    "total_including_vat": {"amount": 4, "currency": "GBP"},
                }
            },
            "/value/total",
            "without VAT is above",
        ),
        ({"market": {"bids_received": 3, "bids_from_vcse": 4}}, "/market/bids_from_vcse", "more than all 3 bids"),
        ({"lots": {"count": 2, "items": [{}, {}, {}]}}, "/lots/count", "3 lots are listed, more than the count of 2"),
        (
            {"award": {"criteria": {"complete": True, "items": [{"weight": 0.7}, {"weight": 0.6}]}}},
            "/award/criteria",
            "add up to 1.3, more than the whole",
        ),
        (
            {"evidence": [{"pointer": "/value/total", "document": "x"}]},
            "/evidence/0/pointer",
            'the evidence is for "/value/total", and there is no such field',
        ),
    ],
)
def test_what_cannot_be_true_is_a_fault(fields: dict[str, Any], pointer: str, message: str) -> None:
    (fault,) = invalid(fields)
    assert fault.pointer == pointer
    assert message in fault.message


@pytest.mark.parametrize(
    "fields",
    [
        {"term": {"start": "2027-01-01", "end": "2027-01-01"}},
        {"decommissioning": {"handover_start": "none", "handover_end": "2026-01-01"}},
        {"decommissioning": {"notice_date": "2026-05-01", "end_date": "2026-04-01"}},
        {"timeline": {"award_decision": "2026-05-01", "contract_signed": "2026-04-01"}},
        {"value": {"minimum": {"amount": 5, "currency": "EUR"}, "total": {"amount": 4, "currency": "GBP"}}},
        {"lots": {"count": 1, "items": []}},
        {"award": {"criteria": [{"weight": 0.7}, {"weight": 0.6}]}},
        {"award": {"criteria": {"complete": True, "items": [{"weight": 0.334}, {"weight": 0.334}, {"weight": 0.334}]}}},
        {"payment": {"pbr_share": 1}, "decommissioning": {"current_users": 3}},
    ],
)
def test_what_is_only_unusual_is_no_fault(fields: dict[str, Any]) -> None:
    assert valid(fields)


def test_evidence_may_point_at_anything_that_is_stated() -> None:
    for insurance in ([{"kind": "other"}], {"items": [{"kind": "other"}], "complete": True}):
        for pointer in (
            "/requirements",
            "/requirements/insurance",
            "/requirements/insurance/0",
            "/requirements/insurance/0/kind",
            "/requirements/insurance/items/0",
            "/title",
        ):
            assert valid(
                {
                    "title": None,
                    "requirements": {"insurance": insurance},
                    "evidence": [{"pointer": pointer, "document": "x"}],
                }
            )
    (fault,) = invalid({"title": "x", "evidence": [{"pointer": "title", "document": "x"}]})
    assert fault.suggestion == 'Write "/title".'


# ── Documents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_a_dictionary_and_a_description_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "tender.yaml"
    file.write_text("kind: tender\nid: T-1\nterm: {months: 36}\n")
    of_file = read_description(file)
    of_dict = read_description({"kind": "tender", "id": "T-1", "term": {"months": 36.0}})
    of_description = read_description(of_file.description)
    assert of_file.description == of_dict.description == of_description.description
    assert (of_file.name, of_dict.name, of_description.name) == (str(file), "T-1", "T-1")
    assert of_dict.digest == of_description.digest
    assert of_file.source is not None
    assert of_file.digest == of_file.source.digest
    assert (of_file.origin, of_dict.source) == ("description", None)


def test_equal_descriptions_have_equal_digests() -> None:
    def digest(fields: dict[str, Any]) -> str:
        return read_description({"kind": "tender", **fields}).digest

    def money(amount: Any) -> dict[str, Any]:
        return {"value": {"total": {"currency": "GBP", "amount": amount}}}

    assert (
        digest(money(1)) == digest(money(1.0)) == digest(money(Decimal("1.00"))) == digest({**money(1), "title": None})
    )
    assert digest(money(Decimal("0.10"))) == digest(money(0.1))
    assert digest({"service": {"places": []}}) == digest({"service": {"places": {"items": [], "complete": True}}})
    assert digest({"title": "a", "id": "b"}) == digest({"id": "b", "title": "a"})
    assert digest(money(1)) != digest(money(2))
    assert digest(money(Decimal("1.00000000000000000001"))) != digest(money(1))
    assert digest({}).startswith("sha256:")


def test_the_dictionary_is_left_alone() -> None:
    raw = {"kind": "tender", "title": None, "service": {"places": ["a"]}}
    read_description(raw)
    assert raw == {"kind": "tender", "title": None, "service": {"places": ["a"]}}


def test_a_file_with_faults_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "tender.json"
    file.write_text('{"kind": "tender",\n  "stage": "x"}')
    fault = only_fault(read_documents, file)
    assert (fault.file, fault.line, fault.column) == (str(file), 2, 12)
    file.write_text("[1, 2]")
    fault = only_fault(read_documents, file)
    assert (fault.line, fault.column) == (1, 1)
    assert "a description is a set of fields" in fault.message


def release(number: int, **tender: Any) -> dict[str, Any]:
    return {
        "ocid": f"ocds-abc123-{number}",
        "id": str(number),
        "date": "2026-01-05T10:00:00Z",
        "tag": ["tender"],
        "initiationType": "tender",
        "tender": {"id": "t", "title": "Support for families", **tender},
    }


def test_ocds_is_recognised_and_keeps_its_places() -> None:
    text = json.dumps(release(1), indent=1)
    document = read_description("-", stream=io.BytesIO(text.encode()))
    assert document.origin == "ocds"
    assert document.description.title == "Support for families"
    assert document.source is not None
    assert locate(document.source, document.places["/title"]) is not None
    assert read_description(release(1)).description == document.description
    assert read_description(release(1)).digest == read_description(json.loads(text)).digest


def test_a_package_gives_a_document_for_each_process() -> None:
    package = {"uri": "x", "publishedDate": "2026-01-05T10:00:00Z", "releases": [release(1), release(2)]}
    documents = read_documents(package)
    assert [document.name for document in documents] == ["description#ocds-abc123-1", "description#ocds-abc123-2"]
    fault = only_fault(read_description, package)
    assert fault.message == "one description is expected here, and there are 2"


def test_what_a_notice_says_wrongly_is_left_out_with_a_note() -> None:
    document = read_description(
        release(
            1,
            value={"amount": 5000, "currency": "GBP"},
            contractPeriod={"startDate": "2027-01-01T00:00:00Z", "endDate": "2026-01-01T00:00:00Z"},
        )
    )
    description = document.description
    assert description.value is not None
    assert description.term is None or description.term.start is None or description.term.end is None
    assert document.notes


def test_a_number_too_large_to_be_written_is_no_danger_in_a_notice() -> None:
    digests = set()
    for size in (10**5000, Decimal("1e9999"), Decimal("-1e999999999"), Decimal("1e-999999999")):
        document = read_description(release(1, title="Advice", value={"amount": size, "currency": "GBP"}))
        assert document.description.title == "Advice" and document.description.value is None
        digests.add(document.digest)
    assert len(digests) == 4


def test_a_description_of_contradictions_is_refused_as_well() -> None:
    description = Description.model_validate({"kind": "tender", "term": {"start": "2027-01-01", "end": "2026-01-01"}})
    assert only_fault(read_documents, description).pointer == "/term/end"


@settings(max_examples=60, deadline=None)
@given(JSON_VALUES)
def test_any_value_is_answered(value: Any) -> None:
    for given_value in (value, {"kind": "tender", "value": value}, {"releases": value}, {"ocid": value}):
        if isinstance(given_value, dict | list):
            with contextlib.suppress(DescriptionError):
                assert read_documents(given_value)
