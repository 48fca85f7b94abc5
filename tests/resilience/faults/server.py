"""A PostgreSQL server for one test.

Input: a state directory. Output: a server that the test can restart, kill, freeze, disconnect and fill up.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from hrims.postgres import join
from tests.postgres.processes import alive, frozen, postmaster, wait_until
from tests.support.users import migrate_with_cast

SETTINGS = {
    "max_connections": "60",
    # When a page was committed, not only when its transaction began, decides who saved what.
    "track_commit_timestamp": "on",
}

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

CUT_WORKERS = CUT + " AND application_name LIKE 'hrims worker%'"

LOOK = 0.02
"""Seconds between two polls."""


class Server:
    """A server, migrated, for as long as this process holds it; its guard starts it again when it ends."""

    def __init__(self, state: Path, **settings: str) -> None:
        self.state = state
        self.share = join(state, fsync=False, settings={**SETTINGS, **settings})
        self.dsn = make_conninfo(self.share.dsn, connect_timeout=5)
        migrate_with_cast(self.dsn)

    def restart(self) -> None:
        """Stop the server and all sessions in order, and wait until it has ended."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL; its backends notice it and end."""
        self._end(signal.SIGKILL)

    def _end(self, kill_signal: signal.Signals) -> None:
        server = postmaster(self.state)
        os.kill(server, kill_signal)
        wait_until(lambda: not alive(server), "the server has ended")

    def cut(self) -> None:
        """End the session of every other client."""
        with self.connect() as conn:
            conn.execute(CUT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freeze postmaster and backends during the block: connections stay open without a response."""
        with ExitStack() as still:
            server = postmaster(self.state)
            # First, so that it starts no other meanwhile.
            still.enter_context(frozen(server))
            for pid in _children(server):
                with suppress(ProcessLookupError):
                    still.enter_context(frozen(pid))
            yield

    def crowd_out(self, seconds: float) -> int:
        """Let other clients take and keep every connection, those of the workers too; return how many."""
        until_then = time.monotonic() + seconds
        with ExitStack() as crowd:
            first = crowd.enter_context(self.connect())
            count = 1
            while time.monotonic() < until_then:
                first.execute(CUT_WORKERS)
                with suppress(psycopg.OperationalError):  # every place is taken: that is what is wanted
                    while time.monotonic() < until_then:
                        crowd.enter_context(self.connect())
                        count += 1
                time.sleep(LOOK)
            return count

    @contextmanager
    def read_only(self, *, cut: bool) -> Iterator[None]:
        """Make the database read-only during the block.

        With ``cut``, new sessions are read-only and the old ones are ended; else all sessions are, and stay.
        """
        setting = "default_transaction_read_only"
        with self.connect() as conn:
            name = conn.info.dbname
            where = f'ALTER DATABASE "{name}"' if cut else "ALTER SYSTEM"
            self._say(conn, f"{where} SET {setting} = on", cut=cut)
            try:
                yield
            finally:
                self._say(conn, f"{where} RESET {setting}", cut=False)

    @staticmethod
    def _say(conn: psycopg.Connection, command: str, *, cut: bool) -> None:
        conn.execute("SET default_transaction_read_only = off")
        conn.execute(command.encode())
        conn.execute("SELECT pg_reload_conf()")
        if cut:
            conn.execute(CUT)

    def connect(self) -> psycopg.Connection:
        """Return a plain connection of the test's own."""
        return psycopg.connect(self.dsn, autocommit=True)

    def back(self) -> float:
        """Wait until a plain connection succeeds and return that moment."""
        wait_until(self._answers, "the database is back")
        return time.monotonic()

    def _answers(self) -> bool:
        try:
            with self.connect() as conn:
                conn.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            stat_fields = stat.read_text().rpartition(")")[2].split()
            if int(stat_fields[1]) == parent:
                found.append(int(stat.parent.name))
    return found
