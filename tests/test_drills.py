"""Commands while the machine fails: each leaves the old file or the new one, an honest status and one sentence.

All commands at all moments are drilled by `python tests/drills.py`, as docs/reliability.md records.
"""

from __future__ import annotations

import ast
import concurrent.futures
import datetime as dt
import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from goodcommission import PackError, audit, load_packs, replacing
from goodcommission.replacing import replace_file

if sys.platform != "linux":
    pytest.skip("the drills need fork, /proc and /dev/full", allow_module_level=True)

import drills as drill
from drills import CLOSED_PIPE, DAY, ROOT, Drills, commands, contents, copied, faults, wrong_words

WORDS = "ünï cödé 😀"


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drills]:
    drills = Drills(tmp_path_factory.mktemp("scratch"))
    yield drills
    drills.close()


@pytest.fixture(scope="module")
def furnished(drills: Drills, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drill.furnish(tmp_path_factory.mktemp("drills") / "furnished", drills)


# --- Replacing a file --------------------------------------------------------------------------------------------


@pytest.fixture(params=["without a name", "with a name"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "with a name":
        monkeypatch.setattr(replacing, "_unnamed", lambda folder: None)


@pytest.mark.usefixtures("either_way")
def test_replacing_keeps_permissions_and_links(tmp_path: Path) -> None:
    target, link = tmp_path / "real", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to("real")
    replace_file(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    nowhere = tmp_path / "nowhere"
    nowhere.symlink_to("made")
    replace_file(nowhere, b"made")
    assert (tmp_path / "made").read_bytes() == b"made" and nowhere.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link", "made", "nowhere", "real"]


@pytest.mark.usefixtures("either_way")
def test_replacing_with_odd_names(tmp_path: Path) -> None:
    for name in ("é" * 127, "a" * 255, "-o", "a\nb", "\udcff", " "):
        for data in (b"old", b"new"):
            replace_file(tmp_path / name, data)
            assert (tmp_path / name).read_bytes() == data
    assert len(os.listdir(tmp_path)) == 6


@pytest.mark.usefixtures("either_way")
def test_what_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name, reason in (
        ("loop", errno.ELOOP),
        ("none/file", errno.ENOENT),
        (".", errno.EISDIR),
        ("/dev/full", errno.ENOSPC),
    ):
        with pytest.raises(OSError, match=rf"Errno {reason}\]"):
            replace_file(tmp_path / name, b"new")
    with pytest.raises(ValueError, match=r"null (byte|character)"):
        replace_file(tmp_path / "a\0b", b"new")
    assert os.listdir(tmp_path) == ["loop"]


def test_a_pipe_is_written_to_by_whatever_name() -> None:
    """As ``--output /dev/stdout`` and ``--output >(command)`` name it."""
    reading, writing = os.pipe()
    replace_file(f"/dev/fd/{writing}", b"what is read")
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"what is read"


@pytest.mark.usefixtures("either_way")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"old")
    opens = os.open

    def refuses(path: Any, *args: Any) -> int:
        if os.fspath(path) == str(tmp_path / "file"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return opens(path, *args)

    with monkeypatch.context() as patched:  # to root nothing is forbidden
        patched.setattr(os, "open", refuses)
        with pytest.raises(PermissionError):
            replace_file(tmp_path / "file", b"new")
    assert contents(tmp_path) == {"file": b"old"}


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("failing", ["fsync", "write", "replace", "fchmod"])
def test_nothing_is_left_of_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def fails(*args: Any) -> Any:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, fails)
        with pytest.raises(OSError, match="broken"):
            replace_file(tmp_path / "file", b"new")
    assert contents(tmp_path) == {"file": b"old"}


def test_what_a_killed_process_left_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *names: None)  # as if it ended here
        replace_file(tmp_path / "file", b"lost")
    assert len(os.listdir(tmp_path)) == 2
    replace_file(tmp_path / "file", b"new")
    assert contents(tmp_path) == {"file": b"new"}


def test_many_write_the_same_file(tmp_path: Path) -> None:
    wrote = [bytes([number]) * 50_000 for number in range(6)]
    (tmp_path / "file").write_bytes(wrote[0])

    def again(data: bytes) -> None:
        for _ in range(15):
            replace_file(tmp_path / "file", data)
            assert (tmp_path / "file").read_bytes() in wrote

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(again, wrote))
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_system_that_gives_no_names_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: Any, **options: Any) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "link", refuses)
    for data in (b"old", b"new"):
        replace_file(tmp_path / "file", data)
        assert contents(tmp_path) == {"file": data}


WRITES_BY_ITSELF = {"replacing.py", "scan/writing.py"}


def test_all_that_is_written_is_written_in_one_step() -> None:
    """By `replace_file`, or by the folder of a scan, which has a journal; else a drill below would prove little."""
    found = []
    package = Path(replacing.__file__).parent  # as it is installed, which may be elsewhere
    for path in package.rglob("*.py"):
        text = path.read_text("utf-8")
        if not any(word in text for word in ("open(", "write_text", "write_bytes")):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            modes = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            writes = name in {"write_text", "write_bytes"} or (
                name == "open" and any(set(mode) & set("wax+") and set(mode) <= set("rwaxbt+") for mode in modes)
            )
            if writes:
                found.append(path.relative_to(package).as_posix())
    assert set(found) <= WRITES_BY_ITSELF and len(found) > 3


# --- Each command ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_stopped_and_refused_at_each_moment(drills: Drills, furnished: Path, there: bool) -> None:
    signals, errors = (signal.SIGKILL, signal.SIGTERM), (errno.EROFS,)
    one = commands()["convert"]
    wrong = drill.after_each_moment(drills, furnished, one, there=there, signals=signals, errors=errors)
    assert list(wrong) == []


FORMS_OF_ONE = {f"audit {form}" for form in ("html", "markdown", "sarif", "junit", "gitlab", "csv", "json")}


@pytest.mark.parametrize("name", [name for name in commands() if name not in FORMS_OF_ONE])
def test_a_disk_that_is_full(drills: Drills, furnished: Path, name: str) -> None:
    one = commands()[name]
    with copied(furnished, one, there=one.replaces) as place:
        before = contents(place)
        ended = drills.run(place, *one.args, error=errno.ENOSPC)
        assert wrong_words(ended, [2]) == [] and "No space left on device" in ended.said
        assert contents(place) == before


def test_a_file_that_may_grow_no_further(drills: Drills, furnished: Path) -> None:
    """The system's own refusal: the limit holds for standard error as well, so that nothing can be said."""
    one = commands()["report"]
    with copied(furnished, one) as place:
        before = contents(place)
        ended = drills.run(place, *one.args, limits={"RLIMIT_FSIZE": 1_000})
        assert wrong_words(ended, [2]) == [] and "File too large" in ended.said
        assert contents(place) == before


def test_a_scan_that_is_killed(drills: Drills, furnished: Path) -> None:
    """While it takes the place of an earlier one."""
    args = drill.SCANS["scan --force"]
    wrong = drill.after_each_moment_of_a_scan(drills, furnished, args, signals=(signal.SIGKILL,), only="place/out")
    assert list(wrong) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_scan_that_is_stopped(drills: Drills, furnished: Path, number: int) -> None:
    with copied(furnished) as place:
        drill.notices(place)
        usual = drills.run(place, *drill.SCANS["scan"], moments=True)
        at = next(
            at for at, one in enumerate(usual.moments, 1) if one.startswith("os.rename ") and one.endswith("/out")
        )
        shutil.rmtree(place / "out")
        ended = drills.run(place, *drill.SCANS["scan"], at=at, signal=number)
        assert ended.status == 128 + number
        assert ended.said.startswith("Interrupted.") and "--resume" in ended.said


# --- Standard streams --------------------------------------------------------------------------------------------


def shell(place: Path, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command as a shell starts it: the interpreter begins with these very streams and settings."""
    return subprocess.run(
        ["bash", "-c", command.replace("goodcommission", f"{sys.executable} -m goodcommission")],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_standard_output_is_closed(furnished: Path) -> None:
    ended = shell(furnished, "goodcommission report report.json >&-")
    assert (ended.returncode, ended.stderr) == (2, b"The report cannot be written: standard output is closed.\n")


def test_all_streams_are_closed(furnished: Path) -> None:
    with copied(furnished) as place:
        ended = shell(place, "goodcommission report report.json -o out.txt --format text <&- >&- 2>&-")
        assert ended.returncode == 0
        assert b"Befriending" in (place / "out.txt").read_bytes()


def test_standard_input_is_closed(furnished: Path) -> None:
    ended = shell(furnished, "goodcommission audit - <&-")
    assert ended.returncode == 2 and ended.stderr.count(b"\n") == 1 and b"the file is empty" in ended.stderr


def test_what_was_checked_is_what_is_used(furnished: Path) -> None:
    """A file is read once: from a pipe it can't be read again, and a file may be another by then."""
    with copied(furnished) as place:
        ended = shell(place, "cat begun | goodcommission check /dev/stdin -o out.yaml --answers answers.yaml")
        assert ended.returncode == 0, ended.stderr
        assert "response_pages: 12" in (place / "out.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    "args",
    [
        ("report", "report.json", "--format", "json"),
        ("report", "report.json", "--format", "text"),
        ("rules", "list"),
        ("schema", "report"),
    ],
    ids=" ".join,
)
def test_nobody_reads(drills: Drills, furnished: Path, args: tuple[str, ...]) -> None:
    ended = drills.run(furnished, *args, stdout=CLOSED_PIPE)
    assert (ended.status, ended.said) == (141, "")
    full = drills.run(furnished, *args, stdout="/dev/full")
    assert (full.status, full.said) == (2, "The report cannot be written: No space left on device.\n")


# --- Surroundings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": ""},
        {"LANG": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1", "HOME": "/nowhere"},
    ],
    ids=["C", "latin-1"],
)
def test_other_locales_and_no_home(furnished: Path, environment: dict[str, str]) -> None:
    with copied(furnished) as place:
        name = f"{WORDS}.yaml"
        os.rename(place / "tender.yaml", place / name)
        command = f"goodcommission audit '{name}' {' '.join(DAY)} --format json"
        usual, ended = shell(place, command), shell(place, command, **environment)
        assert (ended.returncode, usual.returncode) == (0, 0), ended.stderr
        assert hashlib.sha256(ended.stdout).digest() == hashlib.sha256(usual.stdout).digest()
        assert json.loads(ended.stdout)["document"]["file"] == name


def test_a_folder_that_is_gone(drills: Drills, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    ended = drills.run(tmp_path / "gone", "audit", "tender.yaml", gone=True)
    assert wrong_words(ended, [2]) == []


def test_thousands_of_files_are_open(drills: Drills, furnished: Path) -> None:
    with copied(furnished) as place:
        ended = drills.run(place, "audit", "tender.yaml", *DAY, "-o", "out.json", held=4096)
        assert ended.status == 0 and (place / "out.json").read_bytes() == (place / "report.json").read_bytes()


@pytest.mark.parametrize("room", [0, 2])
def test_hardly_any_file_may_be_opened(drills: Drills, furnished: Path, room: int) -> None:
    with copied(furnished) as place:
        before = contents(place)
        ended = drills.run(place, "audit", "tender.yaml", *DAY, "-o", "out.json", limits={"RLIMIT_NOFILE": 5 + room})
        assert wrong_words(ended, [0, 2]) == []
        assert faults(before, contents(place), {**before, "out.json": before["report.json"]}) == []


@pytest.mark.parametrize(
    "name", ["with space", "-dash", "new\nline", WORDS, "%s%n", "a'b\"c", "\udcff\udcfe", "x" * 250]
)
def test_names_of_files(drills: Drills, furnished: Path, name: str) -> None:
    with copied(furnished) as place:
        os.rename(place / "tender.yaml", place / f"{name}.yaml")
        ended = drills.run(place, "audit", *DAY, "-o", f"./{name}.csv", "--", f"{name}.yaml")
        assert (ended.status, ended.said) == (0, "")
        assert (place / f"{name}.csv").stat().st_size > 1_000


def test_a_name_is_said_in_one_line(drills: Drills, furnished: Path) -> None:
    missing = drills.run(furnished, "audit", "--", "new\nline \udcff\x1b[31m.json")
    assert wrong_words(missing, [2]) == [] and missing.said.count("\n") == 1 and "\x1b" not in missing.said


# --- Folders with traps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trap", ["dangling", "loop", "pipe", "device"])
def test_no_pack_is_passed_over_in_silence(tmp_path: Path, trap: str) -> None:
    (tmp_path / "own.yaml").write_text(drill.OWN_PACK, "utf-8")
    assert "own" in load_packs(rules=[tmp_path]).ids
    other = tmp_path / "other.yaml"
    if trap == "pipe":
        os.mkfifo(other)
    else:
        other.symlink_to({"dangling": "nothing", "loop": "other.yaml", "device": "/dev/zero"}[trap])
    with pytest.raises(PackError, match=r"other\.yaml"):
        load_packs(rules=[tmp_path])


def test_a_scan_of_a_folder_with_traps(drills: Drills, furnished: Path) -> None:
    with copied(furnished) as place:
        drill.notices(place, 1)
        os.mkfifo(place / "notices" / "pipe.json")
        (place / "notices" / "loop.json").symlink_to("loop.json")
        (place / "notices" / "nothing.json").symlink_to("nowhere.json")
        (place / "notices" / "zero.json").symlink_to("/dev/zero")
        (place / "notices" / "around").symlink_to("..")
        ended = drills.run(place, *drill.SCANS["scan"], seconds=60)
        assert ended.status == 0
        rejected = [json.loads(line) for line in (place / "out" / "errors.jsonl").read_text().splitlines()]
        assert sorted(Path(one["file"]).stem for one in rejected) == ["loop", "nothing", "pipe", "zero"]
        assert {one["kind"] for one in rejected} == {"unreadable"}


# --- Saved audits ------------------------------------------------------------------------------------------------

SAVING = """
import resource, sys, datetime as dt
from goodcommission import audit
from goodcommission.web.storage import Storage, StorageError
storage = Storage(sys.argv[1], 365)
reports = [audit({"kind": "tender", "id": f"T-{n}"}, engine="reference") for n in range(3)]
storage.save(reports)
print("saved", flush=True)
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    while True:
        storage.save(reports)
except StorageError as error:
    print(error)
"""


@pytest.mark.parametrize("how", ["killed", "full"])
def test_saved_audits_are_there_whole_or_not_at_all(tmp_path: Path, how: str) -> None:
    storage = pytest.importorskip("goodcommission.web.storage")
    url = f"sqlite:///{tmp_path}/audits.db"
    with subprocess.Popen(
        [sys.executable, "-c", SAVING, url, how],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "saved\n"
        if how == "killed":
            time.sleep(0.05)
            process.kill()
        else:
            assert process.stdout.read().strip() in ("its disk is full", "disk I/O error")
    # Opened with a clock that was set back by ten years: nothing is taken for old, and what is newer comes first.
    early = storage.Storage(url, 365, clock=lambda: dt.datetime(2016, 1, 1, tzinfo=dt.UTC))
    count = early.count()
    assert count >= 3 and count % 3 == 0
    assert sum(1 for _ in early.exported()) == count
    (again,) = early.save([audit({"kind": "tender", "id": "T-9"}, engine="reference")])
    assert early.listed(most=1) == [again]
    early.close()
