"""The lock file: the digest of each pack that may be used, so that no other is loaded without somebody's saying so."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from goodcommission.exceptions import DescriptionError, Fault, PackError

if TYPE_CHECKING:
    from goodcommission.packs.compiling import LoadedPack

NAME: Final = "goodcommission.lock"
"""The lock file stands beside the configuration, under this name."""
SHIPPED: Final = "shipped"
"""Where a pack comes from that goodcommission brings along; others are named by their path from the lock file."""
_FORM: Final = 1
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_FIELDS: Final = ("id", "version", "digest", "from")


class LockedPack(NamedTuple):
    """One pack that may be used."""

    id: str
    version: str
    digest: str
    """SHA-256 of the file's bytes, as sha256:…; reports name the same."""
    origin: str
    """``shipped``, or the path of the file from the lock file, with / between its parts."""

    def __str__(self) -> str:
        return f"{self.id} {self.version}"


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file."""

    file: str
    packs: tuple[LockedPack, ...]
    _digests: Mapping[str, LockedPack] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digests", {one.digest: one for one in self.packs})

    def fault(self, digest: str, *, id: str | None = None, path: str | os.PathLike[str] | None = None) -> Fault | None:
        """What is the matter with a pack of this digest; None if it is locked.

        Args:
            digest: Of the file's bytes.
            id: The pack's id; None where it has not been read, as nothing of a pack is read that isn't locked.
            path: Its file; None for a shipped pack.
        """
        known = self._digests.get(digest)
        if known is not None and id in (None, known.id):
            return None
        origin = SHIPPED if path is None else _origin(path, self.file)
        named = [one for one in self.packs if one.origin == origin and id in (None, one.id)]
        if not named and id is not None:
            named = [one for one in self.packs if one.id == id]
        what = f'the pack "{id}"' if path is None else "this pack"
        place = None if path is None else os.fspath(path)
        if not named:
            return Fault(f"{what} is not in {self.file}; its digest is {digest}", place, suggestion=self.advice(place))
        said = f"{what} is not the one that {self.file} names: {named[0].digest} is expected"
        said += f" ({named[0]})" if id is None else f" (version {named[0].version})"
        return Fault(f"{said}, and {digest} was found", place, suggestion=self.advice())

    def advice(self, further: str | None = None) -> str:
        """The command that accepts what was found; ``further`` is a file that may be in no configuration."""
        rules = f" --rules {further}" if further else ""
        where = (
            "" if os.path.dirname(self.file) in ("", ".") and Path(self.file).name == NAME else f" --lock {self.file}"
        )
        return f"Look at what has changed; then goodcommission packs lock{rules}{where} accepts it."

    def to_json(self) -> str:
        """The text of the file: the same packs give the same bytes."""
        packs = [dict(zip(_FIELDS, one, strict=True)) for one in sorted(self.packs, key=_order)]
        return json.dumps({"goodcommission_lock": _FORM, "packs": packs}, ensure_ascii=False, indent=2) + "\n"


def _order(one: LockedPack) -> tuple[bool, str, str]:
    return one.origin == SHIPPED, one.id, one.origin


def _origin(path: str | os.PathLike[str], lock: str | os.PathLike[str]) -> str:
    """How a lock file names a file: its path from there, with links as they are written."""
    whole = Path(os.path.abspath(path))
    try:
        return Path(os.path.relpath(whole, Path(os.path.abspath(lock)).parent)).as_posix()
    except ValueError:  # Another drive.
        return whole.as_posix()


def read_lock(path: str | os.PathLike[str]) -> Lock:
    """Read a lock file.

    Raises:
        PackError: It can't be read, or is none; with the line.
    """
    from goodcommission.description.positions import locate
    from goodcommission.description.reading import parse, read_source

    try:
        source = read_source(path)
        raw: Any = parse(source)
    except DescriptionError as error:
        raise PackError(*error.faults) from None

    def wrong(message: str, pointer: str = "") -> PackError:
        line, column = locate(source, pointer) or (None, None)
        advice = "Name another file; or delete it, and goodcommission packs lock writes it anew."
        return PackError(Fault(message, source.name, line, column, pointer or None, advice))

    if not isinstance(raw, dict) or set(raw) != {"goodcommission_lock", "packs"}:
        raise wrong("this is no lock file of packs")
    if raw["goodcommission_lock"] != _FORM:
        raise wrong(f"this lock file has another form than {_FORM}, which is the one that is known")
    packs: list[LockedPack] = []
    for index, one in enumerate(raw["packs"] if isinstance(raw["packs"], list) else [None]):
        pointer = f"/packs/{index}"
        if not isinstance(one, dict) or set(one) != set(_FIELDS) or not all(isinstance(v, str) for v in one.values()):
            raise wrong(f"a locked pack has the texts {', '.join(_FIELDS)}, and nothing else", pointer)
        if not _DIGEST.fullmatch(one["digest"]):
            raise wrong("a digest is sha256: and 64 hexadecimal digits", f"{pointer}/digest")
        packs.append(LockedPack(*(one[name] for name in _FIELDS)))
    if len({one.digest for one in packs}) < len(packs):
        raise wrong("a digest stands there twice", "/packs")
    return Lock(os.fspath(path), tuple(packs))


def find_lock(folder: str | os.PathLike[str]) -> Path | None:
    """The lock file of a folder, if it has one. A link that leads nowhere is one that can't be read."""
    file = Path(folder) / NAME
    return file if os.path.lexists(file) else None


def lock_of(rules: Sequence[str | os.PathLike[str]], file: str | os.PathLike[str]) -> Lock:
    """The lock of all packs that are shipped, and of those in some files and folders.

    Raises:
        PackError: One of them can't be read, or does not compile with the others.
    """
    from goodcommission.packs.loading import load_packs, pack_files, read_pack, shipped_packs

    own = {Path(os.path.abspath(path)): None for place in rules for path in pack_files(place)}
    load_packs(rules=tuple(dict.fromkeys(os.fspath(place) for place in rules)))
    found = {one.digest: locked(one, SHIPPED) for one in shipped_packs()}
    for path in own:
        one = read_pack(path)
        found.setdefault(one.digest, locked(one, _origin(path, file)))
    return Lock(os.fspath(file), tuple(sorted(found.values(), key=_order)))


def locked(one: LoadedPack, origin: str) -> LockedPack:
    """A pack as a lock file names it."""
    return LockedPack(one.pack.id, one.pack.version, one.digest, origin)


def differences(before: Lock | None, after: Lock) -> tuple[str, ...]:
    """What changes from one lock to another, a line for each pack."""
    old = {(one.id, one.origin): one for one in before.packs} if before else {}
    new = {(one.id, one.origin): one for one in after.packs}
    lines = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1] == SHIPPED, *key)):
        was, now = old.get(key), new.get(key)
        where = f" ({key[1]})"
        if was is None and now is not None:
            lines.append(f"new: {now}{where}: {now.digest}")
        elif was is not None and now is None:
            lines.append(f"gone: {was}{where}: {was.digest}")
        elif was is not None and now is not None and was != now:
            version = f"{was} to {now.version}" if was.version != now.version else f"{was}, the version is the same"
            lines.append(f"changed: {version}{where}: {was.digest} to {now.digest}")
    return tuple(lines)


def unlocked(lock: Lock, packs: Iterable[tuple[str, str]], report: str) -> tuple[Fault, ...]:
    """What is the matter with the packs of a saved report: their ids and digests."""
    faults = (lock.fault(digest, id=id) for id, digest in packs)
    return tuple(Fault(f"{fault.message}", report, suggestion=fault.suggestion) for fault in faults if fault)
