"""`goodcommission scan` at the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from drills import OWN_PACK

from goodcommission.cli import main

HERE = Path(__file__).parent.parent
NOTICES = HERE / "examples" / "ocds"


def scan(*arguments: str | Path, input: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["scan", *map(str, arguments), "--pack", "market-diversity"], input=input)


def test_the_summary_is_printed_and_where_the_rest_is(tmp_path: Path) -> None:
    run = scan(NOTICES, "-o", tmp_path / "out")
    assert run.exit_code == 0, run.stderr
    assert run.stdout.startswith("13 notices audited")
    assert run.stderr.splitlines() == [
        "1 file passed over whose name is not that of JSON.",
        f"Written to {tmp_path / 'out'}: open summary.html first.",
    ]
    assert (tmp_path / "out" / "summary.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_what_was_rejected_is_said_by_its_kind_and_does_not_stop_the_scan(tmp_path: Path) -> None:
    data = (NOTICES / "contracts-finder-occupational-health-tender.json").read_bytes()
    line = json.dumps(json.loads(data)).encode() + b"\n"
    run = scan("-", "-o", tmp_path / "out", input=line + b"oops\n" + line)
    assert run.exit_code == 0
    assert "1 rejected: a release that was there before." in run.stderr
    assert "1 rejected: text that is not JSON" in run.stderr
    assert "errors.jsonl names each rejection" in run.stderr
    errors = (tmp_path / "out" / "errors.jsonl").read_bytes().splitlines()
    assert [json.loads(one)["file"] for one in errors] == ["<stdin>"] * 2


def test_a_scan_in_which_nothing_could_be_audited_is_bad_input(tmp_path: Path) -> None:
    run = scan("-", "-o", tmp_path / "out", input=b"oops\n")
    assert run.exit_code == 2
    assert run.stderr.splitlines()[-1] == "Nothing could be audited."
    assert (tmp_path / "out" / "errors.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.jsonl",), "missing.jsonl: there is no such file or folder"),
        (
            (NOTICES, "--where", "value.totl > 1.0"),
            '--where, column 6: there is no fact, parameter or let "value.totl"',
        ),
        ((NOTICES, "--force", "--resume"), "give one of them"),
        ((NOTICES, "--since", "yesterday"), "is no day"),
        ((NOTICES, "--regime", "roman"), "roman"),
    ],
)
def test_a_mistake_is_said_before_anything_is_written(
    arguments: tuple[str | Path, ...], words: str, tmp_path: Path
) -> None:
    run = scan(*arguments, "-o", tmp_path / "out")
    assert run.exit_code == 2
    assert words in run.stderr
    assert not list(tmp_path.iterdir())


def test_an_archive_without_json_is_not_taken_for_a_scan_that_went_well(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    run = scan(tmp_path / "x.zip", "-o", tmp_path / "out")
    assert (run.exit_code, run.stderr.splitlines()[-1]) == (2, "There was nothing to audit.")


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    run = scan(NOTICES, "-o", tmp_path / "out", "--where", "value.total > 100000.0", "--merge")
    assert run.exit_code == 0
    assert "left out because what --since, --cpv or --where asks for is not known" in run.stderr
    about = json.loads((tmp_path / "out" / "scan.json").read_bytes())
    assert about["options"]["where"] == "value.total > 100000.0"
    assert about["counts"]["left_out"] > about["counts"]["undecided"] > 0


def python(code: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_without_its_libraries_the_command_says_how_to_install_them(tmp_path: Path) -> None:
    code = "import sys; sys.modules['polars'] = None\nfrom goodcommission.cli import main\nmain()"
    run = subprocess.run(
        [sys.executable, "-c", code, "scan", str(NOTICES), "-o", str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr == (
        "the libraries for scans are not installed (polars). Install them: pip install 'goodcommission[scan]'.\n"
    )


def test_other_commands_do_not_wait_for_the_libraries_of_the_scan() -> None:
    run = python(
        "import sys\nfrom goodcommission.cli import main\n"
        "main(['rules', 'show', 'PP-03'], standalone_mode=False)\n"
        "assert not {'polars', 'orjson', 'pyarrow', 'zstandard'} & sys.modules.keys(), sorted(sys.modules)"
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals on Windows")
def test_a_terminal_is_told_how_far_it_is(tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "goodcommission", "scan", NOTICES, "-o", tmp_path / "out", "--pack", "market-diversity"],
        env={**os.environ, "PYTHONPATH": str(HERE), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=follower,
    )
    os.close(follower)
    shown = b""
    try:
        while data := os.read(leader, 65536):
            shown += data
    except OSError:  # as a terminal ends
        pass
    out, _ = run.communicate(timeout=60)
    os.close(leader)
    assert run.returncode == 0
    assert b"13 notices, " in shown and b"100%" in shown
    assert out.startswith(b"13 notices audited")


def test_only_what_is_bought_of_a_kind(tmp_path: Path) -> None:
    run = scan(NOTICES, "-o", tmp_path / "health", "--cpv", "85", "--cpv", "8041")
    assert run.exit_code == 0, run.stderr
    codes = pl.read_parquet(tmp_path / "health" / "notices")["cpv"].to_list()
    assert 0 < len(codes) < 13
    counts = json.loads((tmp_path / "health" / "scan.json").read_bytes())["counts"]
    assert counts["read"] == counts["audited"] + counts["left_out"] == 13
    wrong = scan(NOTICES, "-o", tmp_path / "no", "--cpv", "health")
    assert wrong.exit_code == 2
    assert '"health" is not what a CPV code begins with' in wrong.stderr


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_odd_names_of_folders_and_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    notice = NOTICES / "contracts-finder-occupational-health-tender.json"
    (tmp_path / "rules \udcff").mkdir()  # a name that is no UTF-8
    (tmp_path / "rules \udcff" / "own.yaml").write_text(OWN_PACK, "utf-8")
    for form in ("parquet", "csv", "jsonl"):
        for place in ("out [1]*", "out \udcff"):
            run = scan(notice, "-o", place, "--format", form, "--rules", "rules \udcff", "--force", "--jobs", "1")
            assert run.exit_code == 0, run.stderr
            compared = CliRunner().invoke(main, ["scan", "--compare", place, place])
            if place == "out [1]*":
                assert compared.exit_code == 0, compared.stderr
            else:
                assert compared.exit_code == 2 and "is no UTF-8" in compared.stderr
    run = scan(notice, "-o", "other", "--where", "value.total > 1.0 \udcff")
    assert run.exit_code == 2 and "half a character" in run.stderr
