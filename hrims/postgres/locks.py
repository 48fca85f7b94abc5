"""Locks of processes on files: which process starts, who uses the server, whether it still runs.

The kernel gives a lock back when the last process that has it open ends, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def opened(path: Path) -> int:
    """A descriptor of the lock file, which is made if missing and belongs to its folder's owner."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    give_to_owner_of(path.parent, fd)
    return fd


def give_to_owner_of(folder: Path, fd: int) -> None:
    """Root may work in a person's folder; what it makes there must stay that person's."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(fd, owner.st_uid, owner.st_gid)


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
    fd = opened(path)
    try:
        fcntl.flock(fd, how)
    except BaseException:
        os.close(fd)
        raise
    return fd
