"""Outages of the database in the log: why it is away, at most once in ten seconds, and when it is back.

Input: failed and successful uses of the database in this process. Output: events. They hold no data: of a
failed connection the message of libpq, without secrets; of a failed statement a sentence of a table.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import psycopg

from hrims.log import get_logger, masked

QUIET_SECONDS: Final = 10.0
"""Minimum seconds between two events of one kind."""

CONNECTING: Final = (
    ("wrong_password", "password authentication failed"),
    ("no_password", "no password supplied"),
    ("not_admitted", r"pg_hba\.conf"),
    ("unknown_user", 'role ".*" does not exist'),
    ("unknown_database", 'database ".*" does not exist'),
    ("unknown_host", "translate host name|resolve host|Name or service not known|name resolution"),
    ("too_many_connections", "too many (connections|clients)|connection slots"),
    ("starting", "starting up|not yet accepting|recovery"),
    ("stopping", "shutting down"),
    ("read_only", "read-only|not read-write|hot standby"),
    ("connection_refused", "Connection refused|No such file or directory"),
    ("session_ended", "terminating connection"),
    (
        "connection_lost",
        "closed the connection|reset by peer|EOF detected|Broken pipe|could not (receive|send)",
    ),
    ("timeout", "timeout|timed out"),
    ("unreachable", "No route to host|unreachable"),
    ("tls", "SSL|certificate"),
)
"""Reasons of a failed connection, by regular expression over the message of libpq. The first applies."""

NO_CONNECTION: Final = ("connection failed", "connection is bad", "connection timeout", "failed to resolve")
"""Beginnings of psycopg's messages about a connection that could not be opened."""

STATEMENTS: Final = {
    "25006": ("read_only", "The database is read-only."),
    "53100": ("disk_full", "The disk of the database is full."),
    "53200": ("out_of_memory", "The server of the database has no memory left."),
    "53300": ("too_many_connections", "The server has no connection left to give."),
    "57P01": ("session_ended", "The server stops, or an administrator ended the session."),
    "57P02": ("crashed", "The server restarts, because one of its processes crashed."),
    "57P03": ("starting", "The server starts or stops."),
    "53": ("no_resources", "The server of the database has no resources left."),
    "55": ("not_ready", "The server cannot do this in its present state."),
    "58": ("files", "The server cannot read or write its files. Look at its disk and its log."),
    "XX": ("internal_error", "The server reports an internal error. Look at its log: data may be damaged."),
}
"""Reasons of a failed statement by SQLSTATE, or by its class. Others mean that the connection was lost."""

CONNECTED: Final = frozenset({"25", "53", "55", "58", "XX"})
"""Classes of SQLSTATE after which the server accepts connections all the same."""

LOST_REASON: Final = ("connection_lost", "The connection to the server was lost.")

HOST: Final = re.compile("""(host name |host )(["'])[^"']*@[^"']*\\2""")
"""A host with an @ is a part of a password that was not written as %40."""

log = get_logger(__name__)


class Failure(NamedTuple):
    """A failed use of the database. ``is_connected``: the server accepts connections all the same."""

    reason: str
    error: str
    message: str
    is_connected: bool


class Throttle:
    """Allows an event once in QUIET_SECONDS, and counts those that it does not allow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last, self._left_out = clock, float("-inf"), 0

    def next(self) -> int | None:
        """Return how many events were left out since the last one; None if this one is left out as well."""
        now = self._clock()
        if now - self._last < QUIET_SECONDS:
            self._left_out += 1
            return None
        left_out, self._left_out, self._last = self._left_out, 0, now
        return left_out


class Outages:
    """The outage of the database as this process sees it, if there is one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._away, self._unusable = Throttle(clock), Throttle(clock)
        self._failure: Failure | None = None
        self._since, self._is_told = 0.0, False

    def note_failure(self, error: psycopg.Error) -> None:
        """Note an error that an outage caused."""
        self._note(failed_connection(error) if is_of_connecting(error) else failed_statement(error))

    @property
    def is_away(self) -> bool:
        """Whether the database is away."""
        return self._failure is not None

    def _note(self, failure: Failure) -> None:
        with self._lock:
            if self._failure is None:
                self._since, self._is_told = self._clock(), False
            self._failure = failure
            left_out, seconds = self._away.next(), self._clock() - self._since
            self._is_told = self._is_told or left_out is not None
        if left_out is not None:
            log.warning(
                "database_away",
                reason=failure.reason,
                error=failure.error,
                message=failure.message,
                seconds=round(seconds, 1),
                left_out=left_out,
            )

    def note_unusable(self, message: str) -> None:
        """Note that the database is not as it must be, with what to do."""
        with self._lock:
            left_out = self._unusable.next()
        if left_out is not None:
            log.warning("database_unusable", message=message)

    def note_connection(self) -> None:
        """Note a new connection. It ends an outage, unless connections could be opened during it as well."""
        failure = self._failure
        if failure and not failure.is_connected:
            self._end()

    def note_writable(self) -> None:
        """Note a session that can write. It ends an outage whose reason is that none could."""
        failure = self._failure
        if failure and failure.reason == "read_only":
            self._end()

    def note_success(self) -> None:
        """Note that work succeeded which an outage had made fail, or that something was written."""
        if self._failure:
            self._end()

    def _end(self) -> None:
        with self._lock:
            is_told = self._failure is not None and self._is_told
            self._failure = None
            seconds = self._clock() - self._since
        if is_told:
            log.warning("database_back", seconds=round(seconds, 1))


def is_of_connecting(error: psycopg.Error) -> bool:
    """Return whether no connection could be opened. Its message then comes from libpq and repeats no data."""
    return error.sqlstate is None and str(error).startswith(NO_CONNECTION)


def failed_connection(error: psycopg.Error) -> Failure:
    """Return why a connection could not be opened."""
    message = first_line(error)
    found = (reason for reason, pattern in CONNECTING if re.search(pattern, message))
    return Failure(next(found, "other"), type(error).__name__, message, is_connected=False)


def failed_statement(error: psycopg.Error) -> Failure:
    """Return why a statement failed."""
    state = error.sqlstate or ""
    reason, sentence = STATEMENTS.get(state) or STATEMENTS.get(state[:2]) or LOST_REASON
    is_connected = state[:2] in CONNECTED
    return Failure(reason, f"{type(error).__name__} {state}".rstrip(), sentence, is_connected)


def first_line(error: psycopg.Error) -> str:
    """Return the first line of the message of a failed connection, which is its cause, without secrets.

    With several hosts, it is the cause for the last host.
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    message = lines[0].removeprefix("connection failed: ").removeprefix("connection is bad: ")
    hosts = sum(line.startswith("- host: ") for line in lines)
    message = HOST.sub(r"\1\2***\2", message)
    return masked(f"{message} (the last of {hosts} hosts)" if hosts else message)


outages: Final = Outages()
"""The outage that this process sees. All its threads and connections share it."""
