"""What the processes of pytest-xdist share: files below one folder, and the state directory of a server."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hrims.postgres import locks

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder is created there with a random name
MIN_FREE_BYTES = 4 * 2**30
"""Free memory below which the tests' databases are on disk."""


@contextmanager
def shared_by_processes(lock: Path) -> Iterator[Callable[[], bool]]:
    """Share a resource during the block.

    Yield a function that ends this process's share and returns whether it was the last one. The last one
    keeps the lock until the block ends, so that two that end at the same moment are not both the last.
    """
    share = locks.share(lock)
    held: list[int] = []

    def is_last() -> bool:
        os.close(share)
        exclusive = locks.take_if_free(lock)
        if exclusive is not None:
            held.append(exclusive)
        return exclusive is not None

    try:
        yield is_last
    finally:
        for exclusive in held:
            os.close(exclusive)


def state_directory(record: Path) -> Path:
    """Return the state directory that ``record`` names. The first process creates both."""
    with locks.exclusive(record.with_suffix(".lock")):
        if not record.exists():
            folder = Path(tempfile.mkdtemp(prefix="hrims-tests-", dir=memory_folder()))
            folder.chmod(0o711)
            record.write_text(str(folder))
    return Path(record.read_text())


def memory_folder() -> str | None:
    """Return the memory file system if it has room: each test clones a database of hundreds of files."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MIN_FREE_BYTES:
        return str(MEMORY)
    return None


def wait_until_stopped(state: Path) -> None:
    """Wait until the guard and the server of a state directory have ended."""
    for name in ("guard.lock", "running.lock"):
        os.close(locks.take(state / "postgres" / name))


def remove_when_stopped(state: Path) -> None:
    """Remove a state directory once its server has stopped. Two processes may both be the last."""
    with suppress(FileNotFoundError):
        wait_until_stopped(state)
    shutil.rmtree(state, ignore_errors=True)
