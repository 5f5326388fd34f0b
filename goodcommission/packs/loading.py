"""Loading rule packs: the shipped ones, or files and folders of the user's own."""

from __future__ import annotations

import difflib
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from goodcommission.description.facts import dictionary
from goodcommission.exceptions import DescriptionError, Fault, PackError
from goodcommission.packs.adjusting import Adjustment, adjusted, concerns
from goodcommission.packs.compiling import LoadedPack, Packs, build_conditions, compile_packs
from goodcommission.packs.extending import extended
from goodcommission.packs.functions import FUNCTIONS
from goodcommission.packs.locking import Lock, read_lock
from goodcommission.packs.model import Pack, PackGrade
from goodcommission.replacing import replace_file

MOST_FILES: Final = 100
"""Packs in one folder: other limits hold for each of them."""
BUILT: Final = Path(__file__).with_name("shipped.json")
"""The shipped packs as JSON with their digests, so that a start does not parse thousands of lines of YAML."""

KEPT_GRADE: Final = ".grade.json"
"""How the file ends in which the grade of a pack is kept, beside the pack."""
COVERAGE: Final = "coverage.yaml"
"""Lies beside the packs and is none: what of the sources the rules check."""
KEPT: Final = 8
"""How many choices of packs are kept compiled; each takes up to 10 MB."""
_BUILT_FORM: Final = 3
"""Raised when what the built form holds changes its shape."""


def shipped_folder(name: str) -> Path:
    """A folder that is at the top of a checkout and travels inside the wheel: ``rules``, ``schemas``, ``examples``."""
    package = Path(str(files("goodcommission")))
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def _plain(value: Any) -> Any:
    """What was parsed without Decimals: conditions compute with doubles, and the digits of a pack are few."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return float(value)


def read_pack(path: str | os.PathLike[str], *, lock: Lock | None = None) -> LoadedPack:
    """Read one pack or definitions file, with its cases.

    Args:
        path: The file.
        lock: Of a pack that isn't locked, nothing is read but its digest.

    Raises:
        PackError: It can't be read, is not locked, or does not have the shape of a pack; every fault with line and
            column.
    """
    from goodcommission.description.reading import parse, read_source
    from goodcommission.packs.limits import check_bytes, check_counts
    from goodcommission.packs.validation import validate

    try:
        source = read_source(path)
        if lock is not None and (fault := lock.fault(source.digest, path=path)):
            raise PackError(fault)
        check_bytes(source)
        raw = _plain(parse(source))
    except DescriptionError as error:
        raise PackError(*error.faults) from None
    if not isinstance(raw, dict):
        held = "is empty" if raw is None else "is a list" if isinstance(raw, list) else "is a single value"
        message = f"a pack is a section of names and values, and this {held}"
        raise PackError(Fault(message, source.name, 1, 1, "", "Start it with the field pack: and the pack's id."))
    pack = validate(raw, source)
    check_counts(pack, source)
    return LoadedPack(pack, source.digest, source)


def pack_files(path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The pack files of a folder (``*.yaml`` and ``*.yml``, sorted), or the one file.

    Raises:
        PackError: There is no such folder or file, or no pack in it, or a link in it leads out of it.
    """
    place = Path(path)
    try:
        return _found(place)
    except OSError as error:
        message = f"this can't be looked into: {error.strerror or error}"
        raise PackError(Fault(message, os.fspath(error.filename or path))) from None


def _found(place: Path) -> tuple[Path, ...]:
    if place.is_dir():
        named = sorted(item for item in place.iterdir() if item.suffix in (".yaml", ".yml") and item.name != COVERAGE)
        found = tuple(item for item in named if not item.is_dir())
        for item in found:
            if not item.is_file():  # a rule that is passed over in silence is the worst of faults
                raise PackError(_no_file(item))
        if not found:
            raise PackError(Fault("there is no pack (*.yaml) in this folder", str(place)))
        if len(found) > MOST_FILES:
            message = f"there are {len(found):,} packs in this folder, and {MOST_FILES} are loaded at most"
            raise PackError(Fault(message, str(place), suggestion="Name the files that are to be used."))
        inside = place.resolve()
        for item in found:
            # A folder that somebody sent must not have other files of this machine read, and quoted in messages.
            if item.is_symlink() and not item.resolve().is_relative_to(inside):
                advice = "Put the file itself there, or name it by its own path."
                raise PackError(Fault("this link leads out of the folder of packs", str(item), suggestion=advice))
        return found
    if not place.exists():
        raise PackError(Fault("there is no such file or folder", str(place)))
    return (place,)


def _no_file(item: Path) -> Fault:
    if not item.is_symlink():
        return Fault("this is no file but a pipe or a device", str(item), suggestion="Take it out of the folder.")
    return Fault("this link leads to no file", str(item), suggestion="Mend it, or take it out of the folder.")


def _digests() -> dict[str, str]:
    """What the built form is made of: the packs' bytes, and the facts and functions that their conditions may name."""
    digests = {path.name: sha256(path.read_bytes()).hexdigest() for path in pack_files(shipped_folder("rules"))}
    facts = "\n".join(f"{fact.name} {fact.type} {fact.values}" for fact in dictionary().values())
    functions = "\n".join(
        f"{name} {form.parameters} {form.returns}" for name, forms in FUNCTIONS.items() for form in forms
    )
    return {**digests, "language": sha256(f"{_BUILT_FORM}\n{facts}\n{functions}".encode()).hexdigest()}


def build() -> dict[str, Any]:
    """The shipped packs in their built form: without cases, their conditions compiled and checked, and graded.

    A pack that is as it was keeps its grade from the built form that is there: to work it out takes seconds.
    """
    from goodcommission.packs.grading import grade_key, grade_pack

    known = {one["graded"]: one["grade"] for one in _built().get("packs", ()) if "graded" in one}
    loaded = [read_pack(path) for path in pack_files(shipped_folder("rules"))]
    conditions = build_conditions(loaded)
    packs, compiled = [], None
    for one in loaded:
        built = pack_to_json(replace(one, built=conditions.get(one.pack.id, {})))
        if one.pack.rules:
            built["graded"] = key = grade_key(one, loaded)
            if key not in known:
                compiled = compiled or _together(loaded)
                grade = grade_pack(one, compiled).grade
                known[key] = grade and grade.model_dump(mode="json")
            built["grade"] = known[key]
        packs.append(built)
    return {"digests": _digests(), "packs": packs}


def pack_to_json(one: LoadedPack) -> dict[str, Any]:
    """A pack as JSON can hold it: without its cases, its text and its grade."""
    dumped = one.pack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for part in [*dumped.get("rules", ()), *dumped.get("patterns", ())]:
        part.pop("cases", None)
    return {"digest": one.digest, "pack": dumped, "conditions": one.built}


def pack_from_json(raw: Mapping[str, Any]) -> LoadedPack:
    """The pack that `pack_to_json` wrote."""
    return LoadedPack(Pack.model_validate(raw["pack"]), raw["digest"], None, raw["conditions"])


def _together(loaded: Sequence[LoadedPack]) -> Packs:
    available, made = extended(loaded)
    return compile_packs(available, (), made)


@cache
def shipped_packs() -> tuple[LoadedPack, ...]:
    """The shipped packs, from their built form where it was made of the very files beside it."""
    built = _built()
    if built.get("digests") == _digests():
        return tuple(replace(pack_from_json(one), grade=_grade(one)) for one in built["packs"])
    return tuple(read_pack(path) for path in pack_files(shipped_folder("rules")))


def _built() -> dict[str, Any]:
    """The built form as it is; empty if there is none that can be read."""
    try:
        built = json.loads(BUILT.read_bytes())
    except (OSError, ValueError):
        return {}
    return built if isinstance(built, dict) else {}


def _grade(built: Mapping[str, Any]) -> PackGrade | None:
    grade = built.get("grade")
    return grade and PackGrade.model_validate(grade)


def write_built_form() -> None:
    """Make the built form anew; to be run after a change of the shipped packs or of the facts.

    ``python -m goodcommission.packs.loading`` does it.
    """
    text = json.dumps(build(), ensure_ascii=False, separators=(",", ":")) + "\n"
    replace_file(BUILT, text.encode())


def _select(available: Iterable[LoadedPack], wanted: Sequence[str] | None) -> tuple[LoadedPack, ...]:
    """The packs with these ids, and the definitions; all if none are named."""
    packs = tuple(available)
    if wanted is None:
        return packs
    ids = {loaded.pack.id for loaded in packs if loaded.pack.pack}
    for name in wanted:
        if name not in ids:
            near = difflib.get_close_matches(name, ids, n=1)
            raise PackError(
                Fault(
                    f'there is no pack "{name}"; there are {", ".join(sorted(ids))}',
                    suggestion=f"Did you mean {near[0]}?" if near else None,
                )
            )
    return tuple(loaded for loaded in packs if loaded.pack.definitions or loaded.pack.id in wanted)


@lru_cache(maxsize=KEPT)
def _compiled(
    wanted: tuple[str, ...] | None,
    folders: tuple[str, ...],
    stamp: tuple[object, ...],
    adjustments: tuple[Adjustment, ...],
    lock: Lock | None,
) -> Packs:
    own = _read_own(folders, lock)
    together = (*shipped_packs(), *own.values())
    graded = [replace(one, grade=_kept_grade(path, one, together)) for path, one in own.items()]
    available, made = extended([*shipped_packs(), *graded])
    chosen = _select(available, wanted)
    ids = {one.pack.id for one in chosen}
    if adjustments:
        adjusted(available, adjustments)  # What is said of packs that are not used must be right as well.
        adjustments = tuple(one for one in adjustments if concerns(one, chosen))
    return compile_packs(chosen, adjustments, [change for change in made if change.pack in ids])


def _read_own(folders: Sequence[str], lock: Lock | None) -> dict[Path, LoadedPack]:
    """The user's own packs. With a lock, those that are not in it are all named, the shipped ones as well."""
    own: dict[Path, LoadedPack] = {}
    if lock is None:
        return {path: read_pack(path) for folder in folders for path in pack_files(folder)}
    faults = [lock.fault(one.digest, id=one.pack.id) for one in shipped_packs()]
    for path in (path for folder in folders for path in pack_files(folder)):
        try:
            own[path] = read_pack(path, lock=lock)
        except PackError as error:
            faults.extend(error.faults)
            continue
        faults.append(lock.fault(own[path].digest, id=own[path].pack.id, path=path))
    if found := [fault for fault in faults if fault]:
        raise PackError(*found)
    return own


_LOADING: Final = threading.Lock()
"""Packs are compiled once, however many threads ask for them first."""


def load_packs(
    packs: Sequence[str] | None = None,
    *,
    rules: Sequence[str | os.PathLike[str]] = (),
    adjustments: Sequence[Adjustment] = (),
    lock: str | os.PathLike[str] | None = None,
) -> Packs:
    """Load and compile rule packs; the result is cached, immutable and safe to use from threads.

    Args:
        packs: Ids of the packs to use; all of them by default.
        rules: Files or folders with packs of your own, used beside the shipped ones.
        adjustments: Parameters and severities that are to be others than the packs'; the report names them.
        lock: A lock file (``goodcommission packs lock``): a pack that isn't in it as it is, is refused.

    Raises:
        PackError: A pack can't be read, does not compile, is not there, or is not locked.
    """
    locked = None if lock is None else read_lock(lock)
    folders = tuple(os.fspath(path) for path in rules)
    stamp = tuple(_stamp(path) for folder in folders for path in pack_files(folder))
    with _LOADING:
        chosen = None if packs is None else tuple(sorted(set(packs)))
        return _compiled(chosen, folders, stamp, tuple(adjustments), locked)


def _kept_grade(path: Path, own: LoadedPack, available: Sequence[LoadedPack]) -> PackGrade | None:
    """The grade that `packs check --grade --save` has left beside a pack."""
    if not path.with_name(path.stem + KEPT_GRADE).exists():
        return None
    from goodcommission.packs.grading import kept_grade

    return kept_grade(path, own, available)


def _stamp(path: Path) -> tuple[object, ...]:
    """What changes when a file, or the grade beside it, is edited or replaced.

    The time of the last edit can be set, and comes again where a clock is set back; that of the last change of the file
    as such (``ctime``) can't be set, and a file that takes its place is another.
    """

    def state(path: Path) -> tuple[int, ...]:
        about = path.stat()
        return about.st_mtime_ns, about.st_ctime_ns, about.st_ino, about.st_size

    try:
        own = state(path)
    except OSError as error:  # taken away since it was found
        raise PackError(Fault(f"this file can't be read: {error.strerror or error}", str(path))) from None
    graded = None
    with suppress(FileNotFoundError):
        graded = state(path.with_name(path.stem + KEPT_GRADE))
    return str(path), own, graded


if __name__ == "__main__":
    write_built_form()
