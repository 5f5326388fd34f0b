"""Runs commands while the machine fails: a disk that is full, a signal at any moment, streams that are closed.

    python tests/drills.py            all commands, all moments; minutes

A process that has imported goodcommission forks for each drill, and the fork runs the very ``main()`` of the command
line, with standard streams, limits and a folder of its own: what takes most of a start is paid once.
tests/test_drills.py uses the same.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parent.parent
CLOSED_PIPE = "closed pipe"
"""A pipe that nobody reads any more, in the place of a file."""
DAY = ("--as-of", "2026-06-01")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {"os.rename": 1, "os.link": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0, "os.truncate": 0}
"""Events of Python's audit hooks that change a folder, and which of their arguments is the name."""


# --- The process that forks --------------------------------------------------------------------------------------


def _moments(folder: str, act: Callable[[int, str, str], None]) -> None:
    """Call something before each change of this folder, with the number of the change."""
    count = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if event == "open":
            path, changes = args[0], bool(args[2] & _WRITING)
        elif event in _CHANGES:
            path, changes = args[_CHANGES[event]], True
        else:
            return
        if changes and isinstance(path, str | bytes | os.PathLike):
            name = os.path.abspath(os.fsdecode(path))
            if name == folder or name.startswith(folder + os.sep):
                count += 1
                act(count, event, name)

    sys.addaudithook(hook)


def _drill(asked: Mapping[str, Any]) -> None:
    """In the fork: set up what fails, and run the command."""
    import faulthandler
    import resource

    # As at a terminal: what a shell starts in the background ignores Ctrl+C, and so do its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for number, file in enumerate(asked["streams"]):
        if file == CLOSED_PIPE:
            reading, writing = os.pipe()
            os.close(reading)
            os.dup2(writing, number)
            os.close(writing)
            continue
        descriptor = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    # If it hangs, it says where.
    faulthandler.dump_traceback_later(max(asked["seconds"] - 5, 1), file=os.dup(2))
    os.chdir(asked["folder"])
    if asked["gone"]:
        os.rmdir(asked["folder"])
    os.environ.update(asked["environment"])
    if asked["held"]:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, asked["held"] + 256), most))
        for _ in range(min(most, asked["held"] + 256) - 256):
            os.open(os.devnull, os.O_RDONLY)
    for name, most in asked["limits"].items():
        number = getattr(resource, name)
        resource.setrlimit(number, (most, resource.getrlimit(number)[1]))
    folder, at = os.path.realpath(asked["folder"]), asked["at"]

    def act(number: int, event: str, name: str) -> None:
        if asked["moments"]:
            with open(asked["moments"], "a", encoding="utf-8") as file:  # outside the folder: not seen by the hook
                file.write(f"{event} {name}\n")
        if at in (0, number):
            if asked["signal"]:
                os.kill(os.getpid(), asked["signal"])
            if asked["error"]:
                raise OSError(asked["error"], os.strerror(asked["error"]), name)

    if asked["moments"] or asked["signal"] or asked["error"]:
        _moments(folder, act)
    from goodcommission.cli import main

    main(asked["args"], prog_name="goodcommission")


def _serve() -> None:
    """Read what is asked for, a line each, and answer with the status; a fork does it."""
    from goodcommission import audit, cli, load_packs

    for name in cli.COMMANDS:
        cli.main.get_command(None, name)  # type: ignore[arg-type]
    audit({"kind": "tender", "process": {"same_as_large_contracts": True}}, load_packs())
    gc.freeze()  # so that a fork does not copy everything to look for garbage
    # Polars starts threads when it is imported; a fork of these could wait for ever. So each scan imports it itself.
    assert len(os.listdir("/proc/self/task")) == 1
    lines, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    print("ready", file=answers, flush=True)
    for line in lines:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            lines.close()
            answers.close()
            _drill(asked)
            return
        deadline = time.monotonic() + asked["seconds"]
        hung = False
        while not (done := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                hung = True
                os.kill(child, signal.SIGKILL)
            time.sleep(0.002)
        status = os.waitstatus_to_exitcode(done[1])
        print(json.dumps({"status": None if hung else status}), file=answers, flush=True)


# --- Asking it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int | None
    """None: it hung."""
    out: bytes
    said: str
    moments: tuple[str, ...] = ()


class Drills:
    """Asks for drills, one after the other."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        scratch.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
        environment.pop("GOODCOMMISSION_DEBUG", None)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__)), "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self.number = 0
        assert self._answer() == "ready\n"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def run(
        self,
        folder: Path,
        *args: str,
        at: int = 0,
        signal: int = 0,
        error: int = 0,
        moments: bool = False,
        limits: Mapping[str, int] | None = None,
        environment: Mapping[str, str] | None = None,
        stdin: bytes | str = b"",
        stdout: str | None = None,
        gone: bool = False,
        held: int = 0,
        seconds: float = 120,
    ) -> Ended:
        """Run a command in a folder; at a change of it (0: at each) a signal comes, or an error of the system.

        The folder may be gone by then; so many files may be open already; limits are those of ``resource``.
        """
        self.number += 1
        names = [self.scratch / f"{self.number}.{what}" for what in ("in", "out", "said", "moments")]
        if isinstance(stdin, bytes):
            names[0].write_bytes(stdin)
        asked = {
            "folder": str(folder),
            "args": args,
            "at": at,
            "signal": int(signal),
            "error": error,
            "moments": str(names[3]) if moments else "",
            "limits": dict(limits or {}),
            "environment": dict(environment or {}),
            "streams": [stdin if isinstance(stdin, str) else str(names[0]), stdout or str(names[1]), str(names[2])],
            "gone": gone,
            "held": held,
            "seconds": seconds,
        }
        assert self._process.stdin is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        status = json.loads(self._answer())["status"]
        held = [name.read_bytes() if name.exists() else b"" for name in names]
        for name in names:
            name.unlink(missing_ok=True)
        return Ended(status, held[1], held[2].decode("utf-8", "replace"), tuple(held[3].decode().splitlines()))

    def close(self) -> None:
        self._process.communicate(timeout=60)


# --- The commands that write -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writes:
    """A command that writes, and what."""

    args: tuple[str, ...]
    files: tuple[str, ...]
    """What it writes."""
    replaces: bool = True
    """Whether it writes over what is there; else it refuses."""
    old: Mapping[str, str] = field(default_factory=dict)
    """What a file is a copy of that is there before; by default it holds a few words."""
    needs_old: bool = False
    """Whether it only writes over what is there."""


def commands() -> dict[str, Writes]:
    """All commands that write files, by a name."""
    made = {
        form: Writes(("audit", "tender.yaml", *DAY, "--output", f"out.{form}", "--format", form), (f"out.{form}",))
        for form in ("text", "json", "html", "markdown", "sarif", "junit", "gitlab", "csv")
    }
    return {
        "audit --template": Writes(("audit", "--template", "template.yaml", "-o", "out.txt"), ("out.txt",)),
        "audit --update-baseline": Writes(
            ("audit", "mended.yaml", *DAY, "--baseline", "base.json", "--update-baseline", "--fail-on", "never"),
            ("base.json",),
            old={"base.json": "baseline.json"},
            needs_old=True,
        ),
        "baseline create": Writes(("baseline", "create", "report.json", "-o", "out.json"), ("out.json",), False),
        "baseline update": Writes(
            ("baseline", "update", "base.json", "mended.json"),
            ("base.json",),
            old={"base.json": "baseline.json"},
            needs_old=True,
        ),
        "baseline show": Writes(("baseline", "show", "baseline.json", "-o", "out.txt"), ("out.txt",)),
        "check": Writes(
            ("check", "tender", "-o", "out.yaml", "--answers", "answers.yaml"), ("out.yaml",), old={"out.yaml": "begun"}
        ),
        "convert": Writes(("convert", "notice.json", "-o", "out.yaml"), ("out.yaml",)),
        "diff": Writes(("diff", "tender.yaml", "mended.yaml", *DAY, "-o", "out.txt"), ("out.txt",)),
        "gate": Writes(
            ("gate", "report.json", "--fail-under", "0", "-o", "out.json", "--format", "json"), ("out.json",)
        ),
        "improve": Writes(
            ("improve", "tender.yaml", *DAY, "-o", "out.txt", "--patch", "patch.json"), ("patch.json", "out.txt")
        ),
        "new": Writes(("new", "tender", "-o", "out.yaml", "--force"), ("out.yaml",)),
        "report": Writes(("report", "report.json", "-o", "out.html"), ("out.html",)),
        "packs check --save": Writes(("packs", "check", "own.yaml", "--grade", "--save"), ("own.grade.json",)),
        "packs lock": Writes(
            ("packs", "lock", "--rules", "own.yaml", "--lock", "out.lock"),
            ("out.lock",),
            old={"out.lock": "before.lock"},
        ),
        "scan --compare": Writes(("scan", "--compare", "one", "one", "--output", "out.json"), ("out.json",)),
        **{f"audit {form}": one for form, one in made.items()},
    }


OWN_PACK = """\
pack: own
version: 1.0.0
title: Our own
about: One rule of our own.
sources:
  ours: {title: Ours, year: 2026, kind: guidance}
rules:
  - id: OWN-1
    title: Bids of thirty pages at most
    asks: A bid has thirty pages at most.
    phase: procurement
    applies_to: [tender]
    due_from: draft
    tier: small
    level: core
    severity: low
    strength: good-practice
    kind: direct
    require: "process.response_pages <= 30"
    finding: "{process.response_pages} pages are asked for."
    why: Long bids cost small bidders most.
    remedy: Ask for thirty pages at most.
    mend:
      - {set: process.response_pages, value: 30, kind: decision}
    sources:
      - {source: ours, section: all}
    cases:
      - {name: as many as there may be, expect: pass, given: {process: {response_pages: 30}}}
      - {name: one more, expect: fail, given: {process: {response_pages: 31}}}
      - {name: not said, expect: unknown, missing: [process.response_pages], given: {}}
"""


def furnish(place: Path, drills: Drills) -> Path:
    """A folder with what the commands read."""
    place.mkdir()
    shutil.copy(ROOT / "examples" / "small-tender.yaml", place / "tender.yaml")
    text = (place / "tender.yaml").read_text("utf-8")
    (place / "mended.yaml").write_text(
        text.replace("effect_on_grantees_assessed: false", "effect_on_grantees_assessed: true")
    )
    shutil.copy(next((ROOT / "examples" / "templates").glob("*.yaml")), place / "template.yaml")
    shutil.copy(min((ROOT / "examples" / "ocds").glob("*.json")), place / "notice.json")
    (place / "answers.yaml").write_text("answers:\n  process.response_pages: 12\n", "utf-8")
    (place / "begun").write_text("kind: tender\nstage: draft\n", "utf-8")
    (place / "own.yaml").write_text(OWN_PACK, "utf-8")
    for args in (
        ("audit", "tender.yaml", *DAY, "-o", "report.json", "--format", "json"),
        ("audit", "mended.yaml", *DAY, "-o", "mended.json", "--format", "json"),
        ("baseline", "create", "report.json", "-o", "baseline.json"),
        ("packs", "lock", "--lock", "before.lock"),
        ("scan", "notice.json", "-o", "one", "--jobs", "1"),
    ):
        ended = drills.run(place, *args)
        assert ended.status in (0, 1), ended
    return place


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@contextlib.contextmanager
def copied(folder: Path, one: Writes | None = None, *, there: bool = True) -> Iterator[Path]:
    """A copy of a folder, in which what a command is to write is there already, or not; deleted at the end."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as new:
        place = Path(new) / "place"
        shutil.copytree(folder, place, symlinks=True)
        if one is not None:
            for file in one.files if there or one.needs_old else ():
                if source := one.old.get(file):
                    shutil.copy(place / source, place / file)
                else:
                    (place / file).write_text("What was there before.\n", "utf-8")
        yield place


def faults(before: Mapping[str, bytes], after: Mapping[str, bytes], whole: Mapping[str, bytes]) -> list[str]:
    """What is neither as it was nor as it should become, and what was left behind."""
    return [
        f"{name}: {'left behind' if name not in before and name not in whole else 'neither old nor new'}"
        for name in sorted({*before, *after, *whole})
        if after.get(name) not in (before.get(name), whole.get(name))
    ]


def wrong_words(ended: Ended, statuses: Sequence[int]) -> list[str]:
    """What is wrong with how a command ended: its status, and that it says what went wrong in one sentence."""
    found = []
    if ended.status not in statuses:
        found.append(f"status {ended.status}")
    if "Traceback" in ended.said or "fault of goodcommission" in ended.said or "Exception ignored" in ended.said:
        found.append("no sentence of ours")
    if ended.status not in (0, -signal.SIGKILL) and not 1 <= len(ended.said.strip().splitlines()) <= 2:
        found.append(f"{len(ended.said.strip().splitlines())} lines")
    return [f"{one}: {ended.said.strip()[:300]!r}" for one in found]


# --- All drills --------------------------------------------------------------------------------------------------


def after_each_moment(
    drills: Drills,
    folder: Path,
    one: Writes,
    *,
    there: bool,
    signals: Sequence[int] = (),
    errors: Sequence[int] = (),
    most: int = 1_000,
) -> Iterator[str]:
    """What is wrong after a command was killed, stopped or refused at each of its changes."""
    with copied(folder, one, there=there) as place:
        before = contents(place)
        usual = drills.run(place, *one.args, moments=True)
        whole = contents(place)
    if usual.status not in (0, 1) or not usual.moments or whole == before:
        yield f"it does not write: {usual}"
        return
    for at, moment in list(enumerate(usual.moments, 1))[:most]:
        for number in (*signals, *(-error for error in errors)):
            with copied(folder, one, there=there) as place:
                hit = drills.run(place, *one.args, at=at, signal=max(number, 0), error=max(-number, 0))
                after = contents(place)
                # Killed between getting a name and taking the place: the one moment at which something is left.
                left = {name: data for name, data in after.items() if name not in before and name.endswith(".part")}
                if moment.startswith("os.rename ") and number == signal.SIGKILL and len(left) == 1:
                    after = {name: data for name, data in after.items() if name not in left}
                wrong = faults(before, after, whole)
                expected = (-signal.SIGKILL,) if number == signal.SIGKILL else (128 + number,) if number > 0 else (2,)
                wrong += wrong_words(hit, expected)
                if number == signal.SIGKILL:  # nothing is in the way of the next run
                    again = drills.run(place, *one.args)
                    if contents(place) != whole and one.replaces:
                        wrong.append(f"the next run does not do it: {again.said[:200]}")
                name = signal.Signals(number).name if number > 0 else errno.errorcode[-number]
                yield from (f"{name} at {moment}: {said}" for said in wrong)


SCANS = {
    "scan": ("scan", "notices", "--output", "out", "--jobs", "1"),
    "scan csv": ("scan", "notices", "--output", "out", "--jobs", "1", "--format", "csv"),
    "scan --force": ("scan", "notices", "--output", "out", "--jobs", "1", "--force"),
    "scan --merge": ("scan", "notices", "--output", "out", "--jobs", "1", "--merge", "--format", "jsonl"),
}


def notices(place: Path, count: int = 2) -> None:
    """A folder of published notices."""
    (place / "notices").mkdir()
    files = sorted((ROOT / "examples" / "ocds").glob("*.json"))[:count]
    for file in files:
        shutil.copy(file, place / "notices" / file.name)


def after_each_moment_of_a_scan(
    drills: Drills,
    folder: Path,
    args: Sequence[str],
    *,
    signals: Sequence[int] = (),
    errors: Sequence[int] = (),
    only: str = "",
) -> Iterator[str]:
    """A scan may be interrupted anywhere: its place holds the old, the new or nothing, and it can be finished."""

    def furnished(place: Path) -> dict[str, bytes]:
        notices(place)
        if "--force" in args:
            shutil.copytree(place / "one", place / "out")
        return contents(place)

    with copied(folder) as place:
        before = furnished(place)
        usual = drills.run(place, *args, moments=True)
        whole = contents(place)
    if usual.status != 0 or whole == before:
        yield f"it does not write: {usual}"
        return
    for at, moment in [one for one in enumerate(usual.moments, 1) if one[1].endswith(only)]:
        for number in (*signals, *(-error for error in errors)):
            with copied(folder) as place:
                furnished(place)
                hit = drills.run(place, *args, at=at, signal=max(number, 0), error=max(-number, 0))
                after = contents(place)
                held = {
                    name: data for name, data in after.items() if not name.startswith(("out.partial/", "out/.work"))
                }
                new = {name for name in whole if name.startswith("out/")}
                old = {name for name in before if name.startswith("out/")}
                there = {name for name in held if name.startswith("out/")}
                if "--force" in args and not there:  # the moment between the two
                    kept = {
                        name.replace(".out.replaced/", "out/"): held.pop(name)
                        for name in list(held)
                        if name.startswith(".out.replaced/")
                    }
                    there, held = set(kept), {**held, **kept}
                held = {name: data for name, data in held.items() if not name.startswith(".out.replaced/")}
                wrong = [] if there in (new, old, set()) else [f"neither old nor new: {sorted(there)}"]
                wrong += faults(before, held, whole) if there else []
                expected = (-signal.SIGKILL,) if number == signal.SIGKILL else (128 + number,) if number > 0 else (2, 0)
                wrong += wrong_words(hit, expected)
                resumed = [one for one in args if one != "--force"] + ["--resume"]
                again = drills.run(place, *(resumed if (place / "out.partial").exists() else args))
                if contents(place) != whole:
                    odd = sorted(set(contents(place)) ^ set(whole))
                    if contents(place) != before or there != new:
                        wrong.append(f"it can't be finished: {again.said[:200]} {odd[:5]}")
                name = signal.Signals(number).name if number > 0 else errno.errorcode[-number]
                yield from (f"{name} at {moment}: {said}" for said in wrong)


def _each_moment(drills: Drills, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """All commands, killed, stopped and refused at each change of their folder.

    The forms of an audit are written by one function: a report as text and one as bytes stand for all.
    """
    forms = {f"audit {form}" for form in ("html", "markdown", "sarif", "junit", "gitlab", "csv")}
    for name, one in commands().items():
        if name in forms:
            continue
        for there in (False, True):
            if (one.replaces or not there) and (there or not one.needs_old):
                given = {"signals": (signal.SIGKILL, signal.SIGTERM, signal.SIGINT), "errors": (errno.ENOSPC,)}
                yield (
                    f"{name}, {'replaced' if there else 'new'}",
                    list(after_each_moment(drills, folder, one, there=there, **given)),  # type: ignore[arg-type]
                )


def _each_moment_of_scans(drills: Drills, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """All forms of a scan, killed, stopped and refused at each change of their folder."""
    for name, args in SCANS.items():
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            said = list(after_each_moment_of_a_scan(drills, folder, args, signals=(number,)))
            yield f"{name}, {number.name}", said
        yield f"{name}, full disk", list(after_each_moment_of_a_scan(drills, folder, args, errors=(errno.ENOSPC,)))


CHUNKED = """
import sys
from goodcommission.scan import inputs
inputs.CHUNK_TEXTS = 2
from goodcommission.cli import main
main(prog_name="goodcommission")
"""
"""The command line, whose scans are in chunks of two texts."""


def _workers(drills: Drills, folder: Path, rounds: int = 60) -> Iterator[tuple[str, list[str]]]:
    """A scan by several processes: it is killed or stopped at any time, or one of them, or all; none hangs or stays."""
    random = Random(rounds)
    with copied(folder) as place:
        lines = []
        for number in range(24):
            one = json.loads((place / "notice.json").read_bytes())
            one = one.get("releases", [one])[0]
            lines.append(json.dumps({**one, "ocid": f"{one['ocid']}-{number}", "id": str(number)}))
        (place / "many.jsonl").write_text("\n".join(lines), "utf-8")
        command = [sys.executable, "-W", "ignore", "-c", CHUNKED, "scan", "many.jsonl", "--pack", "market-diversity"]

        def started(*more: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [*command, "--jobs", "2", *more],
                cwd=place,
                env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

        def ended(process: subprocess.Popen[bytes]) -> Ended:
            try:
                said = process.communicate(timeout=240)[1].decode("utf-8", "replace")
                return Ended(process.returncode, b"", said)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return Ended(None, b"", "it hung")

        began = time.monotonic()
        usual = ended(started("-o", "whole"))
        lasts = time.monotonic() - began
        whole = contents(place / "whole")
        if usual.status != 0:
            yield "workers", [str(usual)]
            return
        for turn in range(rounds):
            number = random.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
            whom = random.choice(("it", "one", "one", "all"))
            process = started("-o", "out")
            time.sleep(random.random() * lasts)
            if whom != "it" and process.poll() is None:
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                for child in children if whom == "all" else random.sample(children, min(1, len(children))):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(child), signal.SIGKILL)
            else:
                process.send_signal(number)
            first = ended(process)
            wrong = []
            allowed = (0, 2) if whom != "it" else (0, -number) if number == signal.SIGKILL else (0, 128 + number)
            early = whom == "it" and first.status == -number  # before the command has said what it does with it
            if not early and (first.status not in allowed or "Traceback" in first.said):
                wrong.append(str(first))
            left = _still_there(process.pid, 20)
            if left:
                wrong.append(f"{left} processes stay")
            if first.status != 0:
                again = started("-o", "out", *(["--resume"] if (place / "out.partial").exists() else []))
                if (last := ended(again)).status != 0:
                    wrong.append(f"it can't be finished: {last}")
            if contents(place / "out") != whole:
                wrong.append("other bytes")
            shutil.rmtree(place / "out", ignore_errors=True)
            shutil.rmtree(place / "out.partial", ignore_errors=True)
            yield f"round {turn}, {number.name if whom == 'it' else 'SIGKILL'} to {whom}: {first.status}", wrong


def _still_there(session: int, seconds: float) -> list[int]:
    """The processes of a session that have not ended after a while."""
    deadline = time.monotonic() + seconds
    while True:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, _, own = path.read_text().rpartition(")")[2].split()[:4]
                if int(own) == session and state != "Z":
                    found.append(int(path.parent.name))
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _file_systems(drills: Drills, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A disk that is really full, and a folder that is really read-only, in a mount namespace of their own."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode != 0:
        yield "file systems", ["not drilled: this machine lets nobody mount"]
        return
    python = f"{sys.executable} -m goodcommission"
    full = (
        "mount -t tmpfs -o size={kilobytes}k tmpfs place && cp -r from/. place && dd if=/dev/zero of=place/fill bs=1k"
    )
    read_only = "mount --bind place place && mount -o remount,ro,bind place"
    after = "status=$?; rm -f fill; tar -cf ../after.tar .; exit $status"
    for name, mount, words in (("full", full, "No space left"), ("read-only", read_only, "Read-only file system")):
        for command in ("audit html", "convert", "report", "packs lock", "scan --compare", "new"):
            one = commands()[command]
            with copied(folder, one, there=True) as place:
                before = contents(place)
                shutil.copytree(place, place.parent / "from")
                (place.parent / "after").mkdir()
                # What the command reads must fit; what it writes must not.
                mounted = mount.format(kilobytes=sum(map(len, before.values())) // 1024 + 200)
                script = f"{{ {mounted}; }} 2>/dev/null; cd place && {python} {' '.join(one.args)}; {after}"
                ended = subprocess.run(
                    ["unshare", "-rm", "bash", "-c", script],
                    cwd=place.parent,
                    check=False,
                    capture_output=True,
                    env={**os.environ, "PYTHONPATH": str(ROOT)},
                )
                subprocess.run(["tar", "-xf", "after.tar", "-C", "after"], cwd=place.parent, check=True)
                wrong = faults(before, contents(place.parent / "after"), before)
                wrong += wrong_words(Ended(ended.returncode, ended.stdout, ended.stderr.decode()), [2])
                if words not in ended.stderr.decode():
                    wrong.append(f"it does not say why: {ended.stderr.decode()[:200]}")
                yield f"{name}: {command}", wrong


def _streams(drills: Drills, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Streams that are closed from the start, a pipe that nobody reads, other locales and homes."""
    printing = (
        "audit tender.yaml",
        "audit tender.yaml --format json",
        "audit tender.yaml --format html",
        "rules list",
        "new tender",
        "convert notice.json",
        "improve tender.yaml",
        "diff tender.yaml mended.yaml",
        "validate tender.yaml",
        "config show",
        "schema pack",
        "packs list",
        "--help",
        "--version",
    )

    def started(command: str, **environment: str) -> Ended:
        script = command.replace("goodcommission", f"{sys.executable} -m goodcommission")
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            check=False,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))

    for command in printing:
        usual = started(f"goodcommission {command}")
        for how, statuses in (("<&-", [usual.status]), (">&-", [2]), ("2>&-", [usual.status]), ("<&- >&- 2>&-", [2])):
            ended = started(f"goodcommission {command} {how}")
            # To print these is click's own, which says nothing of it.
            allowed = [0, *statuses] if command in {"--help", "--version"} else statuses
            wrong = [] if ended.status in allowed else [f"status {ended.status}"]
            yield f"{command} {how}", wrong + [one for one in wrong_words(ended, [ended.status]) if "lines" not in one]
        ended = drills.run(folder, *command.split(), stdout=CLOSED_PIPE)
        yield f"{command} | head", [] if ended.status in (0, 141) and not ended.said else [str(ended)]
        for environment in (
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"LANG": "de_DE.ISO-8859-1", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
            {"PYTHONIOENCODING": "ascii", "HOME": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"},
        ):
            ended = started(f"unset HOME; goodcommission {command}", **environment)
            yield f"{command}, {environment}", wrong_words(ended, [usual.status]) if ended.said != usual.said else []


def _many(drills: Drills, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Thousands of documents where 64 files may be open, and where 4,096 are open already."""
    with copied(folder) as place:
        (place / "many").mkdir()
        for number in range(4_500):
            shutil.copy(place / "notice.json", place / "many" / f"{number}.json")
            (place / "many" / f"{number}.yaml").write_text("kind: tender\nprocess: {response_pages: 40}\n", "utf-8")
        for name, given in (("64", {"limits": {"RLIMIT_NOFILE": 64}}), ("4,096 open", {"held": 4096})):
            ended = drills.run(place, "scan", "many", "-o", f"out {name}", "--jobs", "1", seconds=900, **given)  # type: ignore[arg-type]
            about = json.loads((place / f"out {name}" / "scan.json").read_text()) if ended.status == 0 else {}
            whole = about.get("counts", {}).get("read") == 4_500
            yield f"scan of 4,500 files, {name}", [] if whole else [str(ended)[:500]]
            files = [f"many/{number}.yaml" for number in range(4_500)]
            ended = drills.run(
                place,
                "audit",
                "--pack",
                "proportionate-procurement",
                "--format",
                "csv",
                "-o",
                "out.csv",
                *files,
                seconds=900,
                **given,  # type: ignore[arg-type]
            )
            yield f"audit of 4,500 files, {name}", wrong_words(ended, [0])


def _tell(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")
    sys.stdout.flush()


GROUPS = {
    "moments": _each_moment,
    "scans": _each_moment_of_scans,
    "workers": _workers,
    "file-systems": _file_systems,
    "streams": _streams,
    "many": _many,
}


def main(groups: Sequence[str]) -> int:
    """Drill, print what is wrong and how much was drilled; 1 if anything is wrong."""
    with tempfile.TemporaryDirectory() as temporary:
        drills = Drills(Path(temporary) / "scratch")
        folder = furnish(Path(temporary) / "furnished", drills)
        count = wrong = 0
        for group in groups or GROUPS:
            began = time.monotonic()
            for name, said in GROUPS[group](drills, folder):
                count += 1
                wrong += bool(said)
                _tell(f"{group}: {name}: {'well' if not said else ''}", *said)
            _tell(f"{group}: {time.monotonic() - began:.0f} s, {drills.number} processes so far")
        drills.close()
    _tell(f"{count} drills, {wrong} with faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    if "--serve" in sys.argv:
        _serve()
    else:
        sys.exit(main(sys.argv[1:]))
