"""Locks of processes on files: which process starts, who uses the server, whether it still runs.

The kernel gives a lock back when the last process that has it open ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrims.postgres.files import opened


def share(path: Path) -> int:
    """Hold the lock together with others, until the descriptor that is returned is closed."""
    return _locked(path, fcntl.LOCK_SH)


def take(path: Path) -> int:
    """Hold the lock alone, until the descriptor that is returned is closed."""
    return _locked(path, fcntl.LOCK_EX)


def take_if_free(path: Path) -> int | None:
    """Hold the lock alone if nobody else has it; never waits."""
    try:
        return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def is_taken(path: Path) -> bool:
    """Whether some process holds the lock alone. Several may ask at once."""
    try:
        os.close(_locked(path, fcntl.LOCK_SH | fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    return False


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Waits for the lock, holds it alone for the block."""
    fd = take(path)
    try:
        yield
    finally:
        os.close(fd)


def _locked(path: Path, how: int) -> int:
    fd = opened(path, os.O_RDWR)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd
