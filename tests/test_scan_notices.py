"""Reading of many notices: every form and wrapping, everything that can be wrong, and nothing lost."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import json
import os
import random
import time
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission.description.reading import read_documents
from goodcommission.exceptions import DescriptionError, ScanError
from goodcommission.scan import inputs as reading
from goodcommission.scan import notices
from goodcommission.scan.inputs import Chunk, Reader, Rejection, chunks, find_inputs
from goodcommission.scan.merging import merging
from goodcommission.scan.notices import Notice, processes

RELEASE: dict[str, Any] = {
    "ocid": "ocds-b5fd17-1",
    "id": "r-1",
    "date": "2025-01-23T17:45:04Z",
    "tag": ["tender"],
    "tender": {"id": "t", "title": "Advice for carers", "value": {"amount": 120000.5, "currency": "GBP"}},
}


def release(number: int, **more: Any) -> dict[str, Any]:
    return {**RELEASE, "ocid": f"ocds-b5fd17-{number}", "id": f"r-{number}", **more}


def lines(values: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def read(*paths: Path | str, stream: io.BytesIO | None = None) -> list[Notice | Rejection]:
    """All entries of the inputs, in their order."""
    return entries_of(Reader(find_inputs(paths)[0], stream))


def entries_of(reader: Reader) -> list[Notice | Rejection]:
    return [entry for chunk in chunks(reader.texts()) for entry in flat(chunk)]


def flat(chunk: Chunk) -> Iterator[Notice | Rejection]:
    for entry in processes(chunk):
        if isinstance(entry, Rejection):
            yield entry
        else:
            yield from entry


def of(data: bytes) -> list[Notice | Rejection]:
    return read("-", stream=io.BytesIO(data))


def ocids(found: Sequence[Notice | Rejection]) -> list[str]:
    """The processes of the notices, with the kinds of the rejections in their places."""
    return [one.kind if isinstance(one, Rejection) else one.raw["ocid"].removeprefix("ocds-b5fd17-") for one in found]


def only(found: Sequence[Notice | Rejection]) -> Rejection:
    (one,) = found
    assert isinstance(one, Rejection)
    return one


def at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step.replace("~1", "/").replace("~0", "~")]
    return value


# --- Forms -------------------------------------------------------------------------------------------------------

PACKAGE = {"uri": "https://example.org", "publisher": {"name": "P"}, "releases": [release(1), release(2)]}
RECORDS = {
    "publisher": {"name": "P"},
    "records": [
        {"ocid": "ocds-b5fd17-1", "compiledRelease": release(1, tag=["compiled"]), "releases": [release(1)]},
        {"ocid": "ocds-b5fd17-2", "releases": [release(2), release(2, id="r-2b")]},
        {"ocid": "ocds-b5fd17-3", "releases": [{key: value for key, value in release(3).items() if key != "ocid"}]},
    ],
}
FORMS = {
    "a release": (release(1), ["1"]),
    "a release package": (PACKAGE, ["1", "2"]),
    "a record": (RECORDS["records"][1], ["2", "2"]),
    "a record package": (RECORDS, ["1", "2", "2", "3"]),
    "an array of releases": ([release(1), release(2)], ["1", "2"]),
    "an array of packages": ([PACKAGE, {"releases": [release(3)]}], ["1", "2", "3"]),
    "nested arrays of packages": ([[PACKAGE], [[{"releases": [release(3)]}], release(4)]], ["1", "2", "3", "4"]),
}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_ocds_is_read_whether_on_one_line_or_many(form: str, indent: int | None) -> None:
    value, expected = FORMS[form]
    found = of(b"\n\n" + json.dumps(value, indent=indent).encode())
    assert ocids(found) == expected
    for notice in found:
        assert isinstance(notice, Notice) and notice.line == 3
        part = at(value, notice.pointer)
        if notice.single:
            assert notice.raw == {"ocid": notice.raw["ocid"], **part}
        else:
            assert notice.raw["compiledRelease"] == part


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_of_each_notice_is_what_an_audit_reads(form: str) -> None:
    value, _ = FORMS[form]
    merged: dict[str, list[Any]] = {}
    for notice in of(json.dumps(value).encode()):
        assert isinstance(notice, Notice)
        raw = notice.raw.get("compiledRelease", notice.raw)
        merged.setdefault(raw["ocid"], []).append(notice)
    if all(isinstance(one, dict) for one in value) or isinstance(value, dict):
        audited = {one.description.notice.ocid: one.description for one in read_documents(value)}  # type: ignore[union-attr]
        assert audited.keys() == merged.keys()
        for ocid, found in merged.items():
            if len(found) == 1:
                assert read_documents(found[0].ocds)[0].description == audited[ocid]


def test_lines_may_end_in_any_way_be_blank_and_begin_with_a_byte_order_mark() -> None:
    data = b"\xef\xbb\xbf" + lines([release(1)]) + b"\r\n  \n" + lines([release(2), PACKAGE])[:-1]
    found = of(data.replace(b"\n", b"\r\n"))
    assert ocids(found) == ["1", "2", "1", "2"]
    assert [(one.line, one.pointer) for one in found] == [(1, ""), (4, ""), (5, "/releases/0"), (5, "/releases/1")]


def test_numbers_of_notices_leave_a_place_for_rejections_and_begin_anew_with_each_chunk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "CHUNK_TEXTS", 2)
    data = lines([release(1)]) + b"{\n" + lines([release(2), release(3)])
    assert [getattr(one, "number", None) for one in of(data)] == [0, None, 2**20, 2**20 + 1]


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 20])
def test_lines_are_the_same_whatever_blocks_they_are_read_in(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    data = lines([release(1), [], release(2)]) + b"\n\xff\n" + lines([release(3)])[:-1]
    for packed in (data, gzip.compress(data)):
        assert ocids(of(packed)) == ["1", "wrong_shape", "2", "encoding", "3"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([b"1", b"", b"  ", b"22", b"4444", b"[]", b"\xff"]), max_size=12),
    st.integers(1, 5),
    st.integers(1, 12),
    st.integers(1, 9),
)
def test_chunks_have_all_lines_once_and_no_more_than_they_may(
    drawn: list[bytes], most: int, size: int, block: int
) -> None:
    data = b"\n".join([b"{}", *drawn])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "CHUNK_TEXTS", most)
        patch.setattr(reading, "CHUNK_BYTES", size)
        patch.setattr(reading, "_BLOCK", block)
        found = list(chunks(Reader(find_inputs(["-"])[0], io.BytesIO(data)).texts()))
    read = [[text for item in chunk.items for text in item.texts()] for chunk in found]  # type: ignore[union-attr]
    assert [one.number for one in found] == list(range(len(found)))
    assert [(one.line, one.data) for some in read for one in some] == [
        (number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()
    ]
    for chunk in found:
        lengths = [len(line) for item in chunk.items for line in item.data.split(b"\n")]  # type: ignore[union-attr]
        assert len(lengths) <= most
        assert sum(lengths[:-1]) < size


def test_a_text_after_a_megabyte_of_blank_lines_is_read_soon() -> None:
    started = time.process_time()
    assert ocids(of(b"\n" * 1_000_000 + lines([release(1)]))) == ["1"]
    assert time.process_time() - started < 2


# --- Wrappings ---------------------------------------------------------------------------------------------------


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_compressed_inputs_hold_what_they_held_before(tmp_path: Path) -> None:
    first, second = lines([release(1)]), lines([release(2), {"no": "notice"}])
    plain = ocids(of(first + second))
    assert plain == ["1", "2", "other_standard"]
    for packed in (
        gzip.compress(first + second),
        gzip.compress(first) + gzip.compress(second) + b"\0" * 512,
        zstandard.compress(first + second),
        zstandard.compress(first) + zstandard.compress(second),
    ):
        assert ocids(of(packed)) == plain
    (tmp_path / "a.zip").write_bytes(zipped({"b.jsonl.gz": gzip.compress(second), "a.json": first, "c/LICENSE": b"x"}))
    inputs, _ = find_inputs([tmp_path / "a.zip"])
    found = entries_of(Reader(inputs))
    assert ocids(found) == plain
    assert [Path(one.file).relative_to(tmp_path).as_posix() for one in found] == [
        "a.zip/a.json",
        *["a.zip/b.jsonl.gz"] * 2,
    ]
    assert inputs[0].passed_over == 1


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstandard"])
def test_of_a_compressed_file_that_is_cut_off_all_that_is_there_is_read(pack: Any) -> None:
    noise = random.Random(1)
    data = lines([release(n, description=f"{noise.random()}") for n in range(2000)])
    packed = pack(data)
    found = of(packed[: len(packed) // 2])
    assert isinstance(found[-1], Rejection) and found[-1].kind == "truncated"
    assert len(found) > 500
    assert ocids(found[:-1]) == [str(n) for n in range(len(found) - 1)]
    assert found[-1].line == len(found)


def test_damaged_data_are_told_from_sound_ones() -> None:
    data = lines([release(1)])
    packed = bytearray(gzip.compress(data))
    packed[-6] ^= 1  # the checksum
    assert ocids(of(bytes(packed))) == ["1", "truncated"]
    assert ocids(of(zstandard.compress(data)[:-3] + b"xyz"))[-1] == "truncated"


def test_a_member_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    data = bytearray(
        zipped({"a.json": lines([release(1)]), "b.json": lines([release(2)]), "c.zip": zipped({"x.json": b"{}"})})
    )
    where = data.index(b"PK\x01\x02")
    data[where + 8] |= 1  # a.json is encrypted
    data[data.index(b"b.json") + 10] ^= 0xFF  # b.json is damaged
    (tmp_path / "x.zip").write_bytes(data)
    found = read(tmp_path / "x.zip")
    assert [(Path(one.file).name, one.kind) for one in found if isinstance(one, Rejection)] == [
        ("a.json", "unreadable"),
        ("b.json", "unreadable"),
        ("c.zip", "unreadable"),
    ]
    assert "encrypted" in found[0].reason
    (tmp_path / "cut.zip").write_bytes(zipped({"a.json": b"{}"})[:-10])
    assert only(read(tmp_path / "cut.zip")).kind == "truncated"
    assert "save it as a file" in only(of(zipped({"a.json": b"{}"}))).reason


def test_a_bomb_is_read_in_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 100_000)
    size = 60_000_000
    for packed in (gzip.compress(b" " * size), zstandard.compress(b"[" * size), gzip.compress(b"[" * size)):
        tracemalloc.start()
        try:
            found = only(of(packed))
            assert tracemalloc.get_traced_memory()[1] < 40_000_000
        finally:
            tracemalloc.stop()
        assert found.kind in {"too_large", "malformed"}


# --- What can be wrong -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", "malformed", "empty"),
        (b" \n\n ", "malformed", "empty"),
        (b"%PDF-1.7\n\xff\xfe\n", "unreadable", "a PDF"),
        (b"PAR1\x15\x04", "unreadable", "a Parquet file"),
        (bytes(range(256)) * 20, "unreadable", "binary"),
        (bz2.compress(b"{}"), "unreadable", "bzip2"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "unreadable", "compressed twice"),
        (b"a.json".ljust(257, b"\0") + b"ustar" + b"\0" * 300, "unreadable", "tar"),
        (json.dumps(RELEASE).encode("utf-16"), "encoding", "UTF-16"),
        (json.dumps(RELEASE).encode("utf-16-le"), "encoding", "UTF-16"),
        ('{"ocid": "é"}'.encode("latin-1"), "encoding", "the byte E9"),
        (b'{"kind": "tender"}', "other_standard", "goodcommission's own form"),
        (b'{"type": "FeatureCollection", "features": []}', "other_standard", '"type", "features"'),
        (b'{"tag": ["tender"], "date": "2025-01-01", "tender": {}}', "wrong_shape", "no ocid"),
        (b"{}", "other_standard", "not OCDS"),
        (b"[]", "wrong_shape", "empty"),
        (b"7", "other_standard", "a number"),
        (b"null", "other_standard", "null"),
        (b'{"releases": []}', "wrong_shape", "empty"),
        (b'{"releases": {}}', "wrong_shape", "not a list"),
        (b'{"ocid": 5}', "wrong_shape", "no ocid"),
        (b'{"records": [{"ocid": "x", "releases": [{"url": "https://x"}]}]}', "wrong_shape", "only linked"),
        (
            b'{"ocid": "x", "t": {"title": [{"releaseID": "1", "releaseDate": "2", "releaseTag": [], "value": 1}]}}',
            "wrong_shape",
            "versioned",
        ),
    ],
)
def test_what_is_no_notice_is_rejected_with_the_reason(data: bytes, kind: str, words: str) -> None:
    found = only(of(data))
    assert (found.kind, found.kind in reading.KINDS) == (kind, True)
    assert words in found.reason
    assert json.loads(found.to_json()) == {
        "file": "<stdin>",
        "line": found.line,
        "pointer": found.pointer,
        "kind": kind,
        "reason": found.reason,
    }


STRICT = [
    b'{"ocid": "x", "ocid": "y"}',
    b'{"ocid": "x", "a": {"b": 1, "\\u0062": 2}}',
    b'{"ocid": "x", "a": "\\u0022\\u0022", "b": 1, "b": 2}',
    b'{"ocid": "x", "value": 123456789012345678901234567890}',
    b'{"ocid": "x", "value": 1e999}',
    b'{"ocid": "x", "value": 1E-400}',
    b'{"ocid": "x", "value": NaN}',
    b'{"ocid": "x", "value": "\\ud800"}',
    b'{"ocid": "x", "a": ' + b"[" * 64 + b"]" * 64 + b"}",
    b'{"ocid": "x",}',
    b"{'ocid': 'x'}",
    b'{"ocid": "x"} {"ocid": "y"}',
    b'{"ocid": "x',
]


@pytest.mark.parametrize("data", STRICT)
def test_what_an_audit_refuses_for_its_form_a_scan_rejects_with_the_same_words(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(data)
    with pytest.raises(DescriptionError) as refused:
        read_documents(tmp_path / "x.json")
    found = of(lines([release(1)]) + data + b"\n" + lines([release(2)]))
    assert ocids(found) == ["1", "malformed", "2"]
    rejection = only(found[1:2])
    assert rejection.line == 2
    said = refused.value.faults[0].message
    assert said.split(":")[0].split("(")[0] in rejection.reason
    assert refused.value.faults[0].pointer == rejection.pointer


@pytest.mark.parametrize(
    "text",
    [
        '{"ocid": "x", "a": "\\"", "b": "{[", "c": "]]]]"}',
        '{"ocid": "x", "id": "1234567890123456789012345", "n": 9223372036854775807, "e": 1e-100}',
        '{"ocid": "x", "a": "\\u0022", "\\u00e9": "é"}',
        '{"ocid": "x", "a": ' + "[" * 63 + "]" * 63 + "}",
    ],
)
def test_what_only_looks_odd_is_read(text: str) -> None:
    (found,) = of(text.encode())
    assert isinstance(found, Notice)
    assert found.raw == json.loads(text)


def test_a_broken_first_line_costs_that_line_only_and_a_broken_package_is_one_entry() -> None:
    assert ocids(of(b'{"ocid": \n' + lines([release(1), release(2)]))) == ["malformed", "1", "2"]
    pretty = json.dumps(PACKAGE, indent=2).encode()
    rejection = only(of(pretty[:-20]))
    assert (rejection.kind, rejection.line) == ("malformed", 1 + pretty[:-20].count(b"\n"))


def test_places_in_a_reason_are_those_of_the_file() -> None:
    found = of(lines([release(1)]) + b'{"ocid": "x", "tender": {\n' + lines([release(2)]))
    assert "the text ends too early: the { of line 2, column 25 is not closed" in found[1].reason  # type: ignore[union-attr]


def test_one_bad_member_of_a_package_costs_that_member_only() -> None:
    found = of(json.dumps({"releases": [release(1), {"id": "no ocid"}, "text", release(2)]}).encode())
    assert ocids(found) == ["1", "wrong_shape", "wrong_shape", "2"]
    assert [one.pointer for one in found] == [f"/releases/{n}" for n in range(4)]


def test_a_line_of_50_mb_is_passed_over_and_the_scan_goes_on(tmp_path: Path) -> None:
    with (tmp_path / "x.jsonl").open("wb") as file:
        file.write(lines([release(1)]) + b'{"ocid": "ocds-b5fd17-2", "description": "')
        for _ in range(51):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + lines([release(3)]))
    found = read(tmp_path / "x.jsonl")
    assert ocids(found) == ["1", "too_large", "3"]
    assert (found[1].line, found[2].line) == (2, 3)


def test_lines_that_begin_with_one_that_is_too_long_are_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 10_000)
    long = b'{"ocid": "' + b"x" * 20_000
    assert ocids(of(long + b"\n" + lines([release(1)]))) == ["too_large", "1"]
    assert ocids(of(b'{"ocid"\n' + lines([release(n) for n in range(100)]))) == ["malformed", *map(str, range(100))]
    many = json.dumps([release(n) for n in range(100)], indent=1).encode()
    assert ocids(of(many)) == ["too_large"]


def test_a_line_in_another_encoding_is_rejected_and_the_others_are_read() -> None:
    data = lines([release(1)]) + '{"ocid": "x", "title": "Caffè"}\n'.encode("cp1252") + lines([release(2)])
    assert ocids(of(data)) == ["1", "encoding", "2"]


def test_more_notices_than_a_chunk_can_number_are_said_to_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "MOST_NOTICES", 4)
    found = of(json.dumps([release(n) for n in range(9)]).encode())
    assert ocids(found) == ["0", "1", "2", "too_large"]
    assert "4 notices" in found[-1].reason  # type: ignore[union-attr]


# --- Files that change -------------------------------------------------------------------------------------------


def changed(path: Path, change: Any) -> list[Notice | Rejection]:
    """What is read of a file that is changed after its first line was."""
    reader = Reader(find_inputs([path])[0])
    texts = reader.texts()
    first = next(texts)
    change()
    return [entry for chunk in chunks(itertools.chain([first], texts)) for entry in flat(chunk)]


def test_of_a_file_that_grows_only_what_was_there_is_read_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines([release(1), release(2)]))

    def grow() -> None:
        with path.open("ab") as file:
            file.write(lines([release(3)]))

    found = changed(path, grow)
    assert ocids(found) == ["1", "2", "changed"]
    assert "grew while it was read" in found[-1].reason  # type: ignore[union-attr]


@pytest.mark.skipif(os.name == "nt", reason="an open file can't be replaced on Windows")
def test_a_file_that_is_replaced_deleted_or_rewritten_is_read_as_it_was_and_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"

    def replaced() -> None:
        (tmp_path / "y").write_bytes(lines([release(7)]))
        os.replace(tmp_path / "y", path)

    for change, word in ((replaced, "replaced"), (path.unlink, "deleted"), (lambda: os.utime(path, (1, 1)), "written")):
        path.write_bytes(lines([release(1), release(2)]))
        found = changed(path, change)
        assert ocids(found) == ["1", "2", "changed"]
        assert word in found[-1].reason  # type: ignore[union-attr]
    path.write_bytes(lines([release(n) for n in range(5000)]))
    found = changed(path, lambda: os.truncate(path, 10))
    assert found[-1].kind == "changed"  # type: ignore[union-attr]
    assert "shrank" in found[-1].reason  # type: ignore[union-attr]


# --- Inputs ------------------------------------------------------------------------------------------------------


def test_folders_are_read_in_order_without_our_own_output_and_a_file_is_read_once(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "b/1.json", "a/x.json.gz", "out/errors.jsonl", "b/notes.txt", "c.ndjson"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    inputs, passed_over = find_inputs([tmp_path, tmp_path / "c.ndjson"], leave_out=[tmp_path / "out"])
    assert [Path(one.name).relative_to(tmp_path).as_posix() for one in inputs] == [
        "c.ndjson",
        "a/x.json.gz",
        "b/1.json",
        "b/2.jsonl",
    ]
    assert passed_over == 1
    inputs, _ = find_inputs([str(tmp_path / "*" / "*.json*")])
    assert [Path(one.name).name for one in inputs] == ["x.json.gz", "1.json", "2.jsonl", "errors.jsonl"]


@pytest.mark.parametrize("name", ["missing.jsonl", "*.jsonl", "empty"])
def test_what_is_not_there_is_said_before_the_scan_begins(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScanError, match=r"there is no"):
        find_inputs([tmp_path / name])


def test_standard_input_is_read_once() -> None:
    with pytest.raises(ScanError, match="only once"):
        find_inputs(["-", "-"])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything may be read")
def test_a_file_that_may_not_be_read_is_an_entry(tmp_path: Path) -> None:
    (tmp_path / "x.json").touch(mode=0)
    assert only(read(tmp_path / "x.json")).kind == "unreadable"


def test_a_file_that_is_gone_when_its_turn_comes_is_an_entry(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(lines([release(1)]))
    inputs, _ = find_inputs([tmp_path / "x.json"])
    (tmp_path / "x.json").unlink()
    assert only(entries_of(Reader(inputs))).kind == "unreadable"


def test_size_and_digest_are_those_of_the_file_as_it_is_stored(tmp_path: Path) -> None:
    import hashlib

    for name, data in (
        ("a.jsonl", lines([release(1)])),
        ("b.gz", gzip.compress(lines([release(1)]))[:-4]),
        ("c.zip", zipped({"x.json": lines([release(2)])})),
        ("d.json", b"%PDF" + b"x" * 3_000_000),
    ):
        (tmp_path / name).write_bytes(data)
        inputs, _ = find_inputs([tmp_path / name])
        reader = Reader(inputs)
        entries_of(reader)
        assert (inputs[0].size, inputs[0].sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert reader.done == reader.total == len(data)


# --- Nothing lost ------------------------------------------------------------------------------------------------

GOOD = st.integers(0, 30).map(release)
BAD = st.sampled_from([*STRICT, b"\xff\xfe", b"oops", b'"text"', b"[]", b"{}", b'{"kind": "tender"}'])
PACKAGES = st.lists(GOOD, min_size=1, max_size=4).map(lambda some: {"releases": some})


@given(st.lists(st.one_of(GOOD, BAD, PACKAGES), max_size=20))
def test_all_that_is_in_a_file_is_read_in_its_order(values: list[Any]) -> None:
    data = b'{"ocid": "ocds-b5fd17-first"}\n'
    expected: list[Any] = ["first"]
    for value in values:
        if isinstance(value, bytes):
            data += value + b"\n"
            expected.append(None)
        else:
            data += lines([value])
            expected += [one["ocid"].removeprefix("ocds-b5fd17-") for one in value.get("releases", [value])]
    found = of(data)
    told = ocids(found)
    assert len(told) == len(expected)
    assert all(one is None or one == told[n] for n, one in enumerate(expected))
    assert [one for one in found if isinstance(one, Rejection)] == [
        one for n, one in enumerate(found) if expected[n] is None
    ]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=25))
def test_merging_brings_the_releases_of_a_process_together_and_loses_none(
    tmp_path_factory: pytest.TempPathFactory, some: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("merging")
    for file in range(3):
        mine = [release(ocid, id=f"{n}") for n, (ocid, where) in enumerate(some) if where == file]
        (folder / f"{file}.jsonl").write_bytes(lines([*mine[:3], {"releases": mine[3:]}, "no notice"]))
    reader = Reader(find_inputs([folder])[0])
    groups = [one for chunk in chunks(merging(reader, folder)) for one in processes(chunk)]
    rejected = [one for one in groups if isinstance(one, Rejection)]
    merged = [one for one in groups if not isinstance(one, Rejection)]
    together = [notice.raw["id"] for group in merged for notice in group]
    assert sorted(together) == sorted(str(n) for n in range(len(some)))
    assert len([one for one in rejected if one.kind == "other_standard"]) == 3
    for group in merged:
        assert len({notice.raw["ocid"] for notice in group}) == 1
        for notice in group:
            text = Path(notice.file).read_bytes().split(b"\n")[notice.line - 1]
            assert at(json.loads(text), notice.pointer) == notice.raw
    for file in range(3):
        within = [{notice.raw["ocid"] for notice in group if notice.file.endswith(f"{file}.jsonl")} for group in merged]
        seen = [ocid for ocids_ in within for ocid in ocids_]
        assert len(seen) == len(set(seen))


def test_a_process_that_is_too_large_to_merge_is_rejected_release_by_release(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from goodcommission.scan import merging as merging_

    monkeypatch.setattr(merging_, "MOST_BYTES", 1_000)
    (tmp_path / "x.jsonl").write_bytes(lines([release(1), *(release(2, id=str(n)) for n in range(9)), release(3)]))
    reader = Reader(find_inputs([tmp_path / "x.jsonl"])[0])
    found = [one for chunk in chunks(merging(reader, tmp_path)) for one in flat(chunk)]
    assert sorted(ocids(found)) == ["1", "3", *["too_large"] * 9]
