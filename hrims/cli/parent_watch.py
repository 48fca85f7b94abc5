"""Ends this process when the process that started it dies, also after SIGKILL.

The parent holds the write end of a pipe, which the kernel closes when the parent ends.
"""

import os
import signal
import threading
import time

FD_VARIABLE = "HRIMS_PARENT_FD"
"""Environment variable with the file descriptor of the read end; only the parent has the write end."""

GRACE = 8.0
"""Seconds between SIGTERM and a forced exit."""

_read_fds: list[int] = []
"""Read ends of the pipe in this process; forked processes inherit them."""


def watch_parent() -> None:
    """Watch the pipe in a thread if the parent passed one."""
    number = os.environ.pop(FD_VARIABLE, "")
    if number.isdigit():
        _read_fds.append(int(number))
        watch_parent_in_fork()


def watch_parent_in_fork() -> None:
    """Watch the pipe in a forked process.

    A fork keeps open files but not threads, so each forked process needs a new thread.
    """
    for fd in _read_fds:
        threading.Thread(target=_watch, args=(fd,), name="parent watch", daemon=True).start()


def _watch(fd: int) -> None:
    os.read(fd, 1)  # returns when the last writer is closed, which is when the parent ends
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
