"""Writing a file so that it is there complete or as it was: what all commands write, they write with this."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress


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
        with open(target, "wb") as file:
            file.write(data)
        return
    if before is not None and not os.access(target, os.W_OK):  # a rename would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
    folder = os.path.dirname(target)
    # Not made from the name of the file, which may be as long as a name can be.
    beside = os.path.join(folder, f".goodcommission-{secrets.token_hex(6)}.part")
    try:
        _write(folder, beside, data, before)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    _settle(folder)


def _write(folder: str, beside: str, data: bytes, before: os.stat_result | None) -> None:
    """Write a new file that is on the disk when it gets its name."""
    unnamed = _unnamed(folder)
    descriptor = unnamed
    if descriptor is None:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(descriptor, "wb") as file:
        if before is not None and hasattr(os, "fchmod"):
            with suppress(OSError):  # who may not give a file away keeps it
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
        file.write(data)
        file.flush()
        os.fsync(descriptor)
        if unnamed is not None:
            # With a descriptor of a folder, Python has the link followed: without, it would be of the link in /proc.
            os.link(f"/proc/self/fd/{unnamed}", beside, src_dir_fd=unnamed, follow_symlinks=True)


def _unnamed(folder: str) -> int | None:
    """A new file without a name, where the system has such."""
    if not hasattr(os, "O_TMPFILE") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o666)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}:
            return None  # what is wrong with the folder itself is said when a file with a name is made
        raise


def _settle(folder: str) -> None:
    """Have the new name on the disk as well, where a folder can be asked to."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
