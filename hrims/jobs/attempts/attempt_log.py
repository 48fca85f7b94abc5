"""The log of an attempt. Input: log records made while it runs. Output: its last lines.

They are saved with the attempt, without the part of their context that it shows anyway. Lines that the log of
the process does not have are not saved either.
"""

import contextlib
import logging
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

from hrims.log import Event, masked

MAX_LINES = 200
MAX_LINE_LENGTH = 500


class AttemptLog:
    """The last lines that the current attempt logged."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=MAX_LINES)
        self.left_out = 0
        self.has_new = False

    def add(self, line: str) -> None:
        """Add a line. Drop the oldest if there are too many."""
        self.left_out += len(self.lines) == MAX_LINES
        self.lines.append(line.replace("\0", "\ufffd")[:MAX_LINE_LENGTH])
        self.has_new = True

    def read(self) -> tuple[list[str], int]:
        """Return the lines, and how many earlier ones were dropped."""
        self.has_new = False
        return list(self.lines), self.left_out


_current_log: ContextVar[AttemptLog | None] = ContextVar("attempt_log", default=None)


class _CaptureHandler(logging.Handler):
    """A handler that adds each record to the log of the attempt that made it, if one did."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _current_log.get()
        if lines is None:
            return
        message = record.msg.brief if isinstance(record.msg, Event) else record.getMessage()
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        lines.add(masked(f"{at} {record.levelname.lower()} {message}"))


_capture_handler = _CaptureHandler()


@contextlib.contextmanager
def capture() -> Iterator[AttemptLog]:
    """Collect what this task, and the tasks that it starts, log until the block ends."""
    root = logging.getLogger()
    if _capture_handler not in root.handlers:
        root.addHandler(_capture_handler)
    lines = AttemptLog()
    token = _current_log.set(lines)
    try:
        yield lines
    finally:
        _current_log.reset(token)
