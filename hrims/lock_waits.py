"""Retries of a migration that cannot get a lock.

Input: a lock that PostgreSQL refused. Output: a pause and a line with the session that holds the lock, or
DatabaseUnusable after the last attempt.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from hrims import db
from hrims.errors import DatabaseUnusable
from hrims.log import get_logger

RETRIED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
"""Errors after which a retry of the migration may succeed. Its transaction was rolled back."""

LOOKUPS = 4
"""Lookups of the blocking sessions per lock timeout. They are known only while the migration waits."""

MAX_NAMED = 3
"""Maximum number of blocking sessions that a line describes."""

log = get_logger(__name__)

Report = Callable[[str], None]
"""A function that shows a line to the operator."""


def ignore(line: str) -> None:
    """Ignore the line: the log has it already."""


@dataclass(frozen=True)
class LockLimits:
    """The limits, in seconds, of a migration's waits for locks."""

    timeout: float = 2.0
    """The lock timeout of one attempt. All other reads and writes of the table queue behind it meanwhile."""

    pause: float = 3.0
    """The pause between two attempts, in which that queue empties."""

    total: float = 300.0
    """The time after its first refusal during which one migration is retried."""


LIMITS = LockLimits()


class LockWait:
    """The retries of one `hrims migrate`. ``report`` gets a line for the operator on each retry."""

    def __init__(self, limits: LockLimits, report: Report) -> None:
        self._limits, self._report = limits, report
        self._name = ""
        self._deadline = 0.0
        self._blockers: list[db.Session] = []

    @contextlib.contextmanager
    def watch(self, dsn: str, pid: int) -> Iterator[None]:
        """Collect the sessions that block the session ``pid`` while the block runs.

        Use a second connection, but open none if the block ends quickly.
        """
        done = threading.Event()
        threading.Thread(
            target=self._find_blockers, args=(dsn, pid, done), name="blockers", daemon=True
        ).start()
        try:
            yield
        finally:
            # Do not join: the thread may still be connecting, and the caller holds locks until it commits.
            done.set()

    def _find_blockers(self, dsn: str, pid: int, done: threading.Event) -> None:
        pause = self._limits.timeout / LOOKUPS
        if done.wait(pause):
            return
        # The sessions only help the operator. The retries work without them.
        with contextlib.suppress(psycopg.Error), db.connect(dsn, as_owner=True) as conn:
            while True:
                self._blockers = db.find_blockers(conn, pid) or self._blockers
                if done.wait(pause):
                    return

    def pause(self, name: str) -> None:
        """Report that the migration ``name`` got no lock, and wait for its next attempt.

        Raises DatabaseUnusable if the time for retries is over.
        """
        now = time.monotonic()
        if name != self._name:
            self._name, self._deadline = name, now + self._limits.total
        if now >= self._deadline:
            raise DatabaseUnusable(self._failure_message())
        line = (
            f"{name} waits for a lock, held by {self._describe_blockers()}. Next attempt in "
            f"{_duration(self._limits.pause)}; giving up in {_duration(self._deadline - now)}."
        )
        log.warning("migration_waiting", migration=name, message=line)
        self._report(line)
        time.sleep(self._limits.pause)

    def _describe_blockers(self) -> str:
        described = [_describe(session) for session in self._blockers[:MAX_NAMED]]
        more = len(self._blockers) - len(described)
        return " and ".join(described or ["another session"]) + (f" and {more} more" if more else "")

    def _failure_message(self) -> str:
        pids = [session.pid for session in self._blockers if session.pid]
        hint = f", or run: SELECT pg_terminate_backend({pids[0]})" if pids else ""
        return (
            f"The migration {self._name} was undone: it waited {_duration(self._limits.total)} for a lock, "
            f"held by {self._describe_blockers()}. All earlier migrations are kept. End that transaction in "
            f"its program{hint}. Then run `hrims migrate` again."
        )


def _describe(session: db.Session) -> str:
    if not session.pid:
        return "a prepared transaction (see pg_prepared_xacts)"
    details = [session.program, f"user {session.user}" if session.user else None, session.state]
    if session.age is not None:
        details.append(f"transaction open for {_duration(session.age)}")
    return f"process {session.pid} ({', '.join(filter(None, details)) or 'unknown'})"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
