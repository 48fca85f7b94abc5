"""Locks of processes on files: who starts the server, who uses it, and whether it still runs.

The kernel releases a lock when the last process that has it open ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrims.postgres.files import open_file


def share(path: Path) -> int:
    """Take a shared lock, which lasts until the returned descriptor is closed."""
    return _open_locked(path, fcntl.LOCK_SH)


def take(path: Path) -> int:
    """Take an exclusive lock, which lasts until the returned descriptor is closed."""
    return _open_locked(path, fcntl.LOCK_EX)


def take_if_free(path: Path) -> int | None:
    """Take an exclusive lock if no other process has the lock; never wait."""
    try:
        return _open_locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def is_taken(path: Path) -> bool:
    """Return whether a process has an exclusive lock.

    Several processes may check at the same time.
    """
    try:
        os.close(_open_locked(path, fcntl.LOCK_SH | fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    return False


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for an exclusive lock and keep it during the block."""
    fd = take(path)
    try:
        yield
    finally:
        os.close(fd)


def _open_locked(path: Path, operation: int) -> int:
    fd = open_file(path, os.O_RDWR)
    try:
        fcntl.flock(fd, operation)
    except BaseException:
        os.close(fd)
        raise
    return fd
