"""The log of an attempt. Input: log records made while it runs. Output: its last lines, and a traceback.

Both are saved with the attempt. Lines that the process log does not have are not saved either. Of errors of
libraries only type and location are saved, because their messages repeat data.
"""

import contextlib
import logging
import traceback
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime

import psycopg

from hrims.errors import HrimsSyncError
from hrims.log import masked

MAX_LINES = 200
MAX_LINE_LENGTH = 500
MAX_TRACEBACK_LENGTH = 20_000


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
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        lines.add(masked(f"{at} {record.levelname.lower()} {record.getMessage()}"))


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


def format_traceback(error: BaseException) -> str:
    """Return the traceback and type of an error, with the message only if the error is one of ours."""
    sections = []
    seen = set[int]()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        sections.append(f"Traceback (most recent call last):\n{frames}{_describe(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    text = masked("\n\nafter\n\n".join(reversed(sections))).replace("\0", "\ufffd")
    # Cut off the start: the end names the error.
    return text if len(text) <= MAX_TRACEBACK_LENGTH else f"…{text[-MAX_TRACEBACK_LENGTH + 1 :]}"


def _describe(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, HrimsSyncError):
        return f"{name}: {error}"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{name}: {error.sqlstate} {error.diag.constraint_name or ''}".rstrip()
    return name
