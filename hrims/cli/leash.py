"""Ties a process to the one that started it: when that one dies, however it dies, this one ends too."""

import os
import signal
import threading
import time

VARIABLE = "HRIMS_LEASH_FD"
"""Names the reading end of a pipe whose writing end only the starter holds."""

GRACE = 8.0
"""Seconds from being asked to end to ending."""

_held: list[int] = []
"""The leash of this process, which the processes that it forks share."""


def hold() -> None:
    """Watches the leash, if there is one, from a thread of its own."""
    number = os.environ.pop(VARIABLE, "")
    if number.isdigit():
        _held.append(int(number))
        hold_in_fork()


def hold_in_fork() -> None:
    """The same in a forked process: threads stay behind in a fork, open files do not."""
    for fd in _held:
        threading.Thread(target=_watch, args=(fd,), name="leash", daemon=True).start()


def _watch(fd: int) -> None:
    os.read(fd, 1)  # returns when the last writer is gone, which is when the starter is
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
