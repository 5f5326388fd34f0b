"""Writing a file so that it is there complete or as it was: what all commands write, they write with this."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from typing import Final

_TRIES: Final = 100
"""How often two processes may get in each other's way that write the same file at the same time."""


def replace_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, or replace the one that is there, in one step.

    A link stays, and what it leads to is replaced; a file that is replaced keeps its permissions. On Linux the new file
    has no name until it is complete, so that whatever stops the process leaves nothing behind. A device or a pipe is
    written to as it is.

    Raises:
        OSError: It can't be written; the file is as it was.
        ValueError: This can't be the name of a file.
    """
    try:
        before = os.stat(path)
    except FileNotFoundError:  # also what a link leads to
        before = None
    target = os.path.realpath(path)
    if before is not None and not stat.S_ISREG(before.st_mode):
        if stat.S_ISDIR(before.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        with open(path, "wb") as file:  # the name as it was given: what /dev/stdout leads to may have none
            file.write(data)
        return
    if before is not None:  # whether it may be written, which a rename would not ask
        os.close(os.open(target, os.O_WRONLY))
    folder = os.path.dirname(target)
    for _ in range(_TRIES):
        unnamed = _unnamed(folder)
        try:
            if unnamed is None:
                raise _UnnameableError
            if _without_a_name(target, folder, data, before, unnamed):
                break
        except _UnnameableError:
            _with_a_name(target, folder, data, before)
            break
    else:
        raise OSError(errno.EBUSY, "another program writes it again and again", os.fspath(path))
    _settle(folder)


def _unnamed(folder: str) -> int | None:
    """A new file without a name, where the system has such."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o666)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}:
            return None
        raise


def _without_a_name(target: str, folder: str, data: bytes, before: os.stat_result | None, unnamed: int) -> bool:
    """Write a file that has no name, and give it that of the target; False if another process got in the way.

    Only a new name can be given at once. To replace a file, it first gets another name beside it, for a moment; a
    process that is killed in this moment leaves it there, and the next that writes the target takes it away.
    """
    # Not made from the name itself, which may be as long as a name can be.
    digest = hashlib.sha256(os.fsencode(os.path.basename(target))).hexdigest()[:12]
    beside = os.path.join(folder, f".goodcommission-{digest}.part")
    with open(unnamed, "wb") as file:
        _fill(unnamed, data, before)
        if before is None:
            with suppress(FileExistsError):
                _name(file.fileno(), target)
                return True
        with suppress(FileNotFoundError):
            os.unlink(beside)
        try:
            _name(file.fileno(), beside)
            os.replace(beside, target)
        except (FileExistsError, FileNotFoundError):
            return False  # one writes the same file at the same time, and took this for what was left behind
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
    return True


def _with_a_name(target: str, folder: str, data: bytes, before: os.stat_result | None) -> None:
    """Write a file beside the target, and give it its name."""
    beside = os.path.join(folder, f".goodcommission-{secrets.token_hex(6)}.part")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _fill(descriptor, data, before)
        finally:
            os.close(descriptor)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def _fill(descriptor: int, data: bytes, before: os.stat_result | None) -> None:
    """Write all, and have it on the disk."""
    if before is not None and hasattr(os, "fchown"):
        with suppress(OSError):  # who may not give a file away keeps it
            os.fchown(descriptor, before.st_uid, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


class _UnnameableError(Exception):
    """Here a file can't be made without a name and get one later."""


def _name(descriptor: int, path: str) -> None:
    """Give a name to a file that has none.

    Raises:
        FileExistsError: Another file has it.
        _UnnameableError: The file system does not do it.
    """
    try:
        # Only with a descriptor of a folder does Python have the link in /proc followed.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
    except OSError as error:
        if error.errno in {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
            raise _UnnameableError from None
        raise


def _settle(folder: str) -> None:
    """Have the new name on the disk as well, where a folder can be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
