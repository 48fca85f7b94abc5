"""Printed lines. Input: text that a program prints to standard error. Output: an event for each line."""

import io
import sys
import threading

from hrims.log.events import get_logger

log = get_logger(__name__)


class _LineLogger(io.TextIOBase):
    """A stream that logs each line that is written to it."""

    def __init__(self) -> None:
        self._local = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        # A handler that fails prints a traceback, which must not be logged by that handler. Other threads may
        # print meanwhile.
        if not getattr(self._local, "is_logging", False):
            self._local.is_logging = True
            try:
                self._log(text)
            finally:
                self._local.is_logging = False
        return len(text)

    def _log(self, text: str) -> None:
        *lines, self._local.rest = (getattr(self._local, "rest", "") + text).split("\n")
        for line in filter(None, map(str.strip, lines)):
            log.error("line_printed", message=line)


def log_printed_lines() -> None:
    """Log what this process prints to standard error from now on. Call it after ``configure``."""
    if not isinstance(sys.stderr, _LineLogger):
        sys.stderr = _LineLogger()
