"""Scans as a whole: nothing lost, the same bytes however they are run, and whatever stops them."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission.auditing import audit
from goodcommission.exceptions import PackError, ScanError
from goodcommission.packs.loading import load_packs
from goodcommission.scan import Options, ScannedNotice, Written, inputs, running, scan, write_scan, writing

HERE = Path(__file__).parent.parent
PACKS = ("market-diversity",)
OPTIONS = Options(packs=PACKS)


def published() -> list[dict[str, Any]]:
    """The releases among the examples."""
    found = []
    for path in sorted((HERE / "examples" / "ocds").glob("*.json")):
        value = json.loads(path.read_bytes())
        found += value.get("releases", [value])
    return found


RELEASES = published()


def numbered(number: int) -> dict[str, Any]:
    one = RELEASES[number % len(RELEASES)]
    return {**one, "ocid": f"{one['ocid']}-{number}", "id": f"{number}"}


def lines(values: Sequence[Any]) -> bytes:
    return b"".join(value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n" for value in values)


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Inputs that make six chunks, with a copy and a broken line among them."""
    monkeypatch.setattr(inputs, "CHUNK_TEXTS", 5)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(lines([*map(numbered, range(12)), b"{\n", numbered(3)]))
    (folder / "b.json").write_bytes(json.dumps({"releases": [numbered(20), numbered(1)]}, indent=1).encode())
    (folder / "c.jsonl").write_bytes(lines([b'{"kind": "tender"}\n', *map(numbered, range(30, 42))]))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def written(several: Path, name: str = "out", options: Options = OPTIONS, **more: Any) -> Written:
    return write_scan([several], several.parent / name, options, **{"jobs": 1, **more})


# --- What is written ---------------------------------------------------------------------------------------------


def test_a_scan_leaves_its_tables_its_summary_its_errors_and_what_was_scanned(several: Path) -> None:
    done = written(several)
    files = tree(done.place)
    parts = [f"{table}/part-{n:05d}.parquet" for table in ("notices", "rules") for n in range(6)]
    assert sorted(files) == sorted([*parts, "errors.jsonl", "scan.json", "summary.html", "summary.json"])
    assert asdict(done.counts) == {
        "read": 29,
        "audited": 25,
        "rejected": 4,
        "left_out": 0,
        "merged": 0,
        "undecided": 0,
    }
    errors = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert [(Path(one["file"]).name, one["line"], one["pointer"], one["kind"]) for one in errors] == [
        ("a.jsonl", 13, "", "malformed"),
        ("a.jsonl", 14, "", "duplicate"),
        ("b.json", 1, "/releases/1", "duplicate"),
        ("c.jsonl", 1, "", "other_standard"),
    ]
    assert errors[1]["reason"].endswith("a.jsonl, line 4")
    about = json.loads(files["scan.json"])
    assert about["counts"] == asdict(done.counts)
    assert about["errors"] == done.errors == {"duplicate": 2, "malformed": 1, "other_standard": 1}
    assert [(Path(one["name"]).name, one["size"]) for one in about["inputs"]] == [
        (name, (several / name).stat().st_size) for name in ("a.jsonl", "b.json", "c.jsonl")
    ]
    assert about["options"]["packs"] == list(PACKS)
    assert json.loads(files["summary.json"])["counts"]["audited"] == 25


def test_each_row_leads_back_to_its_notice(several: Path) -> None:
    place = written(several).place
    table = pl.read_parquet(place / "notices" / "*.parquet")
    rules = pl.read_parquet(place / "rules" / "*.parquet")
    for row in table.iter_rows(named=True):
        text = Path(row["file"]).read_bytes()
        value = json.loads(text if row["pointer"] else text.split(b"\n")[row["line"] - 1])
        for step in row["pointer"].split("/")[1:]:
            value = value[int(step)] if isinstance(value, list) else value[step]
        assert (value["ocid"], value["id"]) == (row["ocid"], row["release"])
    assert set(rules["notice"]) == set(table["notice"])
    assert table["notice"].is_unique().all()


def test_all_forms_of_the_tables_hold_the_same(several: Path) -> None:
    parquet = written(several).place
    jsonl = written(several, "jsonl", form="jsonl").place
    csv = written(several, "csv", form="csv", with_rules=False).place
    for name in ("notices", "rules"):
        expected = pl.read_parquet(parquet / name / "*.parquet")
        found = pl.read_ndjson(jsonl / f"{name}.jsonl", infer_schema_length=None)
        assert found.columns == expected.columns
        assert found["notice"].to_list() == expected["notice"].to_list()
    assert not (csv / "rules.csv").exists()
    found = pl.read_csv(csv / "notices.csv")
    assert found["ocid"].to_list() == pl.read_parquet(parquet / "notices" / "*.parquet")["ocid"].to_list()
    assert found.columns == pl.read_ndjson(jsonl / "notices.jsonl").columns


def test_a_scan_in_which_nothing_could_be_read_has_tables_too(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"oops\n")
    done = write_scan([tmp_path / "x.jsonl"], tmp_path / "out", OPTIONS, jobs=1)
    assert (done.counts.read, done.counts.rejected) == (1, 1)
    assert pl.read_parquet(tmp_path / "out" / "notices" / "*.parquet").height == 0


# --- Options -----------------------------------------------------------------------------------------------------


def scanned(data: bytes, **options: Any) -> tuple[list[ScannedNotice], Any]:
    found = scan(["-"], PACKS, jobs=1, stream=io.BytesIO(data), **options)
    return list(found), found


def test_a_selection_leaves_out_what_does_not_fit_and_what_can_not_be_told() -> None:
    data = lines([*map(numbered, range(len(RELEASES)))])
    everything, _ = scanned(data)
    values = [one.value for one in everything]
    found, about = scanned(data, where="value.total >= 200000.0")
    assert [one.value for one in found] == [value for value in values if value is not None and value >= 200000]
    assert about.counts.left_out == len(RELEASES) - len(found)
    assert about.counts.undecided == values.count(None) > 0
    day = dt.date(2025, 2, 1)
    found, _ = scanned(data, since=day)
    assert {one.date for one in found} == {one.date for one in everything if one.date and one.date >= day}
    buyer = everything[0].buyer
    found, _ = scanned(data, where=f'commissioner.name == "{buyer}" && value.total > 0.0', since=dt.date(2000, 1, 1))
    assert {one.buyer for one in found} <= {buyer}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("value.totl > 1.0", 'column 6: there is no fact, parameter or let "value.totl". Did you mean "value.total"?'),
        ("value.total > 1", "can't be used with double and int"),
        ("value.total + 1.0 > 2.0", "--where"),
        ("true", "asks nothing"),
        ("value.total", "must be true or false"),
        ("value.total >", "--where"),
    ],
)
def test_a_mistake_in_a_selection_is_said_with_its_place(where: str, words: str) -> None:
    with pytest.raises(ScanError) as error:
        scan(["-"], PACKS, where=where)
    assert words in str(error.value)


def test_packs_and_laws_that_there_are_not_are_said_before_the_scan_begins(tmp_path: Path) -> None:
    with pytest.raises(PackError):
        scan(["-"], ["no-such"])
    with pytest.raises(PackError):
        scan(["-"], PACKS, regime="no-such")
    with pytest.raises(ScanError):
        scan(["-"], PACKS, jobs=0)
    with pytest.raises(ScanError):
        scan(["-"], load_packs(PACKS), jobs=2)
    with pytest.raises(ScanError, match="no such file"):
        write_scan([tmp_path / "missing"], tmp_path / "out", OPTIONS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("limit", "whole"), [(1, 0), (10, 0), (13, 1), (29, 3)])
def test_a_limit_takes_the_first_entries(several: Path, limit: int, whole: int) -> None:
    done = written(several, options=Options(packs=PACKS, limit=limit))
    assert done.counts.read == limit
    rows = pl.read_parquet(done.place / "notices" / "*.parquet")
    assert rows["ocid"].to_list() == [numbered(n)["ocid"] for n in [*range(12), 20, *range(30, 42)][: rows.height]]
    read = [one["sha256"] is not None for one in json.loads((done.place / "scan.json").read_bytes())["inputs"]]
    assert read == [number < whole for number in range(3)]


# --- Nothing lost ------------------------------------------------------------------------------------------------

GOOD = st.integers(0, 12).map(numbered)
BAD = st.sampled_from([b"{\n", b"\xff\n", b"[]\n", b'{"kind": "tender"}\n', b'{"ocid": "x", "ocid": "y"}\n', b"7\n"])
PACKAGES = st.lists(GOOD, min_size=1, max_size=3).map(lambda some: {"releases": some})


@settings(max_examples=12)
@given(
    values=st.lists(st.one_of(GOOD, GOOD, BAD, PACKAGES), max_size=14),
    size=st.integers(1, 6),
    options=st.fixed_dictionaries(
        {},
        optional={
            "limit": st.integers(1, 12),
            "merge": st.just(True),
            "since": st.just(dt.date(2025, 2, 1)),
            "where": st.just("value.total > 150000.0"),
        },
    ),
)
def test_what_is_read_is_audited_rejected_left_out_or_merged(
    values: list[Any], size: int, options: dict[str, Any]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "CHUNK_TEXTS", size)
        found, about = scanned(lines([{"ocid": "ocds-first", "id": "1"}, *values]), **options)
    entries = 1 + sum(len(one.get("releases", [one])) if isinstance(one, dict) else 1 for one in values)
    counts = about.counts
    assert counts.read == min(entries, options.get("limit", entries))
    assert counts.read == counts.audited + counts.rejected + counts.left_out + counts.merged
    assert counts.audited == len(found)
    assert counts.rejected == len(about.errors)
    assert counts.undecided <= counts.left_out
    assert not [one for one in about.errors if one.kind == "failed"]
    if not options:
        ids = [(one.ocid, one.release) for one in found]
        given_ = [one for value in values if isinstance(value, dict) for one in value.get("releases", [value])]
        assert ids == list(dict.fromkeys([("ocds-first", "1"), *((one["ocid"], one["id"]) for one in given_)]))


def test_releases_of_a_process_are_merged_as_an_audit_merges_them(tmp_path: Path) -> None:
    first, second, other = numbered(0), {**numbered(0), "id": "later", "date": "2026-01-01T00:00:00Z"}, numbered(1)
    second["tender"] = {**second.get("tender", {}), "status": "cancelled"}
    (tmp_path / "1.jsonl").write_bytes(lines([second, other, first]))
    (tmp_path / "2.jsonl").write_bytes(lines([{**other, "id": "next"}, numbered(2)]))
    found = scan([tmp_path], PACKS, jobs=1, merge=True)
    merged = {one.ocid: one for one in found}
    assert [one.ocid for one in merged.values()] == [first["ocid"], other["ocid"], numbered(2)["ocid"]]
    assert (found.counts.read, found.counts.audited, found.counts.merged) == (5, 3, 2)
    assert found.summary().counts.merged == 2
    for ocid, releases in ((first["ocid"], [second, first]), (other["ocid"], [other, {**other, "id": "next"}])):
        report = audit(releases, PACKS)  # type: ignore[arg-type]
        verdicts = {one.rule.id: one.verdict for one in report.results}
        assert {one.rule: one.verdict for one in merged[ocid].rules}.items() <= verdicts.items()
        assert merged[ocid].stage == report.document.stage


def test_a_notice_on_which_we_fail_costs_that_notice_only(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = running.Judge.judge

    def failing(self: Any, rows: Any) -> Any:
        if any(row.values.get("notice.release") == "2" for row in rows):
            raise ZeroDivisionError("a fault")
        return judge(self, rows)

    monkeypatch.setattr(running.Judge, "judge", failing)
    found, about = scanned(lines([*map(numbered, range(5))]))
    assert [one.release for one in found] == ["0", "1", "3", "4"]
    assert [(one.line, one.kind) for one in about.errors] == [(3, "failed")]
    assert "please report it" in about.errors[0].reason


# --- Python ------------------------------------------------------------------------------------------------------


def test_results_are_typed_and_are_those_of_the_tables(several: Path) -> None:
    found = scan([several], PACKS, jobs=1)
    typed = list(found)
    table, rules = scan([several], PACKS, jobs=1).to_polars()
    arrow = scan([several], PACKS, jobs=1).to_arrow()
    assert (
        (arrow[0].num_rows, arrow[1].num_rows) == (table.height, rules.height) == (25, sum(len(o.rules) for o in typed))
    )
    assert [one.ocid for one in typed] == table["ocid"].to_list()
    place = written(several).place
    assert pl.read_parquet(place / "notices" / "*.parquet").equals(table)
    for one in typed:
        mine = rules.filter(pl.col("notice") == one.notice)
        assert [rule.rule for rule in one.rules] == mine["rule"].cast(pl.String).to_list()
        for rule in one.rules:
            assert (rule.values is not None) == (rule.verdict in ("pass", "fail"))
    assert found.counts.rejected == len(found.errors) == 4
    assert found.summary().counts.audited == 25
    with pytest.raises(AttributeError):
        typed[0].score = 1.0  # type: ignore[misc]


SCRIPT = """
import sys
from goodcommission.scan import inputs, scan
inputs.CHUNK_TEXTS = 5
print(len(list(scan([sys.argv[1]], ["market-diversity"], jobs=int(sys.argv[2])))))
"""


def test_a_script_without_a_guard_may_scan_in_its_own_process_and_is_told_so(several: Path, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    for jobs, status in (("1", 0), ("2", 1)):
        run = subprocess.run(
            [sys.executable, tmp_path / "script.py", several, jobs],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == status, run.stderr
    assert 'under `if __name__ == "__main__":`, or with jobs=1' in run.stderr


# --- However it is run -------------------------------------------------------------------------------------------


def test_one_process_and_several_write_the_same_bytes(several: Path) -> None:
    alone = tree(written(several).place)
    assert tree(written(several, "two", jobs=2).place) == alone
    limited = Options(packs=PACKS, limit=13)
    assert tree(written(several, "l2", limited, jobs=2).place) == tree(written(several, "l1", limited).place)


@pytest.mark.parametrize(("form", "stops"), [("parquet", (1, 6)), ("csv", (2, 5)), ("jsonl", (3, 4))])
def test_a_scan_that_is_stopped_after_any_chunk_goes_on_and_ends_with_the_same_bytes(
    several: Path, form: Any, stops: tuple[int, ...]
) -> None:
    whole = tree(written(several, form=form).place)
    for stop in stops:
        told: list[int] = []

        def interrupt(*_: object, told: list[int] = told, stop: int = stop) -> None:
            told.append(1)
            if len(told) == stop:
                raise KeyboardInterrupt

        name = f"out-{stop}"
        with pytest.raises(KeyboardInterrupt):
            written(several, name, form=form, progress=interrupt)
        assert not (several.parent / name).exists()
        left: list[int] = []
        done = written(several, name, form=form, resume=True, progress=lambda *_, left=left: left.append(1))
        assert tree(done.place) == whole
        assert len(left) == 6 - stop


def test_what_is_half_written_when_it_stops_is_written_anew(several: Path) -> None:
    whole = tree(written(several, form="csv").place)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(several, "half", form="csv", progress=interrupt)
    half = several.parent / "half.partial"
    for name in ("errors.jsonl", "notices.csv", ".work/sums", ".work/journal.jsonl"):
        with (half / name).open("ab") as file:
            file.write(b"half a li")
    with pytest.raises(KeyboardInterrupt):
        written(several, "half", form="csv", resume=True, progress=interrupt)
    assert tree(written(several, "half", form="csv", resume=True).place) == whole


def test_damage_to_what_a_scan_keeps_for_itself_is_said(several: Path) -> None:
    interrupted(several)
    half = several.parent / "out.partial"
    for name, data in (
        (".work/releases.sqlite", b"no database" * 1000),
        (".work/journal.jsonl", b"{}\n{\n"),
        (".work/sums", b"short"),
        ("notices/part-00000.parquet", None),
    ):
        before = (half / name).read_bytes()
        if data is None:
            (half / name).unlink()
        else:
            (half / name).write_bytes(data)
        with pytest.raises(ScanError, match=r"is damaged: .*Begin anew with --force"):
            written(several, resume=True)
        (half / name).write_bytes(before)
    assert written(several, force=True).counts.audited == 25


def interrupted(several: Path, **more: Any) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(several, progress=interrupt, **more)


def test_only_the_same_scan_is_resumed_and_what_differs_is_said(several: Path) -> None:
    interrupted(several)
    for options, words in (
        (Options(packs=PACKS, since=dt.date(2020, 1, 1)), "since was None and is '2020-01-01'"),
        (Options(packs=("collaboration",)), "rule packs are not what they were"),
    ):
        with pytest.raises(ScanError) as error:
            written(several, options=options, resume=True)
        assert words in str(error.value)
    with pytest.raises(ScanError, match="format was 'parquet'"):
        written(several, resume=True, form="csv")
    before = (several / "a.jsonl").read_bytes()
    (several / "a.jsonl").write_bytes(before + b"\n")
    with pytest.raises(ScanError, match=r"inputs are not what they were: .*a\.jsonl"):
        written(several, resume=True)
    (several / "a.jsonl").write_bytes(before.replace(b'"id": "0"', b'"id": "9"'))
    with pytest.raises(ScanError, match=r"input is not what it was .*a\.jsonl, line 1"):
        written(several, resume=True)
    (several / "a.jsonl").write_bytes(before)
    with pytest.raises(ScanError, match="--resume"):
        written(several)
    assert written(several, resume=True).counts.audited == 25


def test_what_is_there_is_replaced_only_if_it_is_an_earlier_scan_and_that_is_asked_for(several: Path) -> None:
    first = tree(written(several).place)
    with pytest.raises(ScanError, match="--force"):
        written(several)
    with pytest.raises(ScanError, match="nothing to resume"):
        written(several, resume=True)
    (several / "c.jsonl").unlink()
    assert tree(written(several, force=True).place) != first
    mine = several.parent / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    for force in (True, False):
        with pytest.raises(ScanError):
            written(several, "mine", force=force)
    assert tree(mine) == {"letter.txt": b"dear"}
    interrupted(several, name="again")
    assert written(several, "again", force=True).counts.read == 16
    interrupted(several, name="again", force=True)
    assert tree(several.parent / "again")  # what was there before is there until the new one is complete
    assert written(several, "again", resume=True).counts.read == 16


def test_two_scans_do_not_write_into_one_folder(several: Path) -> None:
    def second(*_: object) -> None:
        with pytest.raises(ScanError, match="another scan is writing here"):
            written(several, resume=True)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        written(several, progress=second)
    assert written(several, resume=True).counts.audited == 25


def test_what_goes_on_is_left_alone_from_its_first_moment(tmp_path: Path) -> None:
    """A second scan must neither delete nor cut off what the first is writing."""
    refused: list[str] = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            for flags in ({}, {"resume": True}, {"force": True}):
                with pytest.raises(ScanError, match="another scan is writing here"):
                    write_scan(["-"], tmp_path / "out", OPTIONS, jobs=1, stream=io.BytesIO(b"{"), **flags)
                refused.append(*flags or ["neither"])
            return super().read(size)

    data = lines([numbered(0)])
    done = write_scan(["-"], tmp_path / "out", OPTIONS, jobs=1, stream=Slow(data))
    assert {"neither", "resume", "force"} == set(refused)
    alone = write_scan(["-"], tmp_path / "alone", OPTIONS, jobs=1, stream=io.BytesIO(data))
    assert tree(done.place) == tree(alone.place)


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_what_an_earlier_run_left_or_still_writes_is_not_taken_in(several: Path, form: Any) -> None:
    """A process whose main process was killed ends its chunk; by then the next run may have begun."""
    whole = tree(written(several, "whole", form=form).place)
    late = writing.Files(several.parent / "out.partial", form)
    table, rules = scan(["-"], PACKS, jobs=1, stream=io.BytesIO(lines([numbered(99)]))).to_polars()
    interrupted(several, form=form)
    late.put(2, table, rules)
    (late.folder / ".work" / "merging-left").mkdir()

    def again(*_: object) -> None:
        for number in (0, 3, 17):
            late.put(number, table, rules)

    assert tree(written(several, form=form, resume=True, progress=again).place) == whole


# --- What stops it -----------------------------------------------------------------------------------------------

COMMAND = """
import sys
from goodcommission.scan import inputs
inputs.CHUNK_TEXTS = int(sys.argv.pop(1))
from goodcommission.cli import main
main(prog_name="goodcommission")
"""


def command(several: Path, *more: str, texts: int = 1, limit: str = "") -> subprocess.Popen[str]:
    arguments = [str(texts), "scan", str(several), "-o", str(several.parent / "run"), "--pack", *PACKS, *more]
    return subprocess.Popen(
        [sys.executable, "-c", limit + COMMAND, *arguments],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals on Windows")
def test_ctrl_c_stops_a_scan_which_then_goes_on(several: Path) -> None:
    run = command(several, "--jobs", "2", texts=2)
    journal = several.parent / "run.partial" / ".work" / "journal.jsonl"
    for _ in range(3000):
        if journal.exists() and journal.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, ""), err
    assert "--resume goes on" in err and "Traceback" not in err
    resumed = command(several, "--jobs", "1", "--resume", texts=2)
    _, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "CHUNK_TEXTS", 2)
        assert tree(several.parent / "run") == tree(written(several).place)


@pytest.mark.skipif(os.name == "nt", reason="the size of files can't be limited on Windows")
def test_a_full_disk_ends_a_scan_with_one_sentence_and_it_can_be_resumed(several: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
    run = command(several, "--jobs", "1", "--format", "jsonl", texts=5, limit=limit)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 2
    assert "there is no space left to write to. Make room, and go on with --resume." in err
    assert len(err.splitlines()) == 1
    resumed = command(several, "--jobs", "1", "--format", "jsonl", "--resume", texts=5)
    _, err = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, err
    assert tree(several.parent / "run") == tree(written(several, form="jsonl").place)


def killing(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Kill each process that is sent the third chunk, so many times."""
    send = running._Workers._send
    left = [times]

    def deadly(self: Any, worker: Any, chunk: Any) -> None:
        send(self, worker, chunk)
        if chunk.number == 2 and left[0]:
            left[0] -= 1
            worker.process.kill()

    monkeypatch.setattr(running._Workers, "_send", deadly)


def test_a_process_that_is_killed_costs_nothing(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tree(written(several).place)
    killing(monkeypatch, 1)
    assert tree(written(several, "killed", jobs=2).place) == whole


def test_a_chunk_on_which_two_processes_die_is_named_and_the_scan_can_be_resumed(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tree(written(several).place)
    with monkeypatch.context() as patch:
        killing(patch, 2)
        with pytest.raises(ScanError, match=r"chunk 2 \(.*a\.jsonl, line 11 to .*b\.json, line 1\).* twice"):
            written(several, "killed", jobs=2)
    assert tree(written(several, "killed", resume=True).place) == whole


def test_a_fault_of_ours_in_another_process_is_not_taken_for_the_end_of_the_scan(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (several.parent / "own.yaml").write_text("not: a pack")
    with pytest.raises(PackError):
        written(several, options=Options(rules=(str(several.parent / "own.yaml"),)), jobs=2)
    assert not (several.parent / "out.partial").exists()
