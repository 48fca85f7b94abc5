"""What an attempt did: log records made while it runs come in; its last lines, and where it stopped, go out.

Both are kept with the attempt. No line is kept that the log would not have, and of an error only its kind and
place, since the words of libraries repeat what they were given.
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

MOST_LINES = 200
LONGEST_LINE = 500
LONGEST_TRACEBACK = 20_000


class Diary:
    """The last lines of one attempt."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=MOST_LINES)
        self.left_out = 0
        self.unread = False

    def add(self, line: str) -> None:
        """Adds a line; the oldest goes when there are too many."""
        self.left_out += len(self.lines) == MOST_LINES
        self.lines.append(line.replace("\0", "\ufffd")[:LONGEST_LINE])
        self.unread = True

    def read(self) -> tuple[list[str], int]:
        """The lines, and how many came before them."""
        self.unread = False
        return list(self.lines), self.left_out


_open: ContextVar[Diary | None] = ContextVar("diary", default=None)


class _Writing(logging.Handler):
    """Writes each record into the diary of the attempt that made it, if one did."""

    def emit(self, record: logging.LogRecord) -> None:
        diary = _open.get()
        if diary is None:
            return
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        diary.add(masked(f"{at} {record.levelname.lower()} {record.getMessage()}"))


_writing = _Writing()


@contextlib.contextmanager
def kept() -> Iterator[Diary]:
    """Keeps what this task, and those that it starts, log until the block ends."""
    root = logging.getLogger()
    if _writing not in root.handlers:
        root.addHandler(_writing)
    diary = Diary()
    token = _open.set(diary)
    try:
        yield diary
    finally:
        _open.reset(token)


def told(error: BaseException) -> str:
    """Where an error was raised, and what kind it is; its own words only where they are ours."""
    parts = []
    seen = set[int]()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        frames = "".join(traceback.format_tb(one.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{_kind(one)}")
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    whole = masked("\n\nafter\n\n".join(reversed(parts))).replace("\0", "\ufffd")
    # The end says what failed; what is cut off is how it came there.
    return whole if len(whole) <= LONGEST_TRACEBACK else f"…{whole[-LONGEST_TRACEBACK + 1 :]}"


def _kind(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, HrimsSyncError):
        return f"{name}: {error}"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{name}: {error.sqlstate} {error.diag.constraint_name or ''}".rstrip()
    return name
