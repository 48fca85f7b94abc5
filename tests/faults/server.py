"""A PostgreSQL that nobody else uses: a state directory comes in; a server that can be restarted, killed,
frozen, cut off and filled up goes out.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from hrims.migrate import migrate
from hrims.postgres import join
from tests.postgres.stage import alive, frozen, postmaster, until

SETTINGS = {
    "max_connections": "60",
    # When a page was committed, not only when its transaction began, decides who saved what.
    "track_commit_timestamp": "on",
}

CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"

CUT_WORKERS = CUT + " AND application_name LIKE 'hrims worker%'"

LOOK = 0.02
"""Seconds between two looks at what nobody is told of."""


class Server:
    """A server, migrated, for as long as this process holds it; its guard starts it again when it ends."""

    def __init__(self, state: Path, **settings: str) -> None:
        self.state = state
        self.share = join(state, fsync=False, settings={**SETTINGS, **settings})
        self.dsn = make_conninfo(self.share.dsn, connect_timeout=5)
        migrate(self.dsn)

    def restart(self) -> None:
        """Ends it in order, and every session with it; returns when it has ended."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """kill -9 of the postmaster; its backends notice by themselves."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        server = postmaster(self.state)
        os.kill(server, how)
        until(lambda: not alive(server), "the server has ended")

    def cut(self) -> None:
        """Ends the session of every other client."""
        with self.connect() as conn:
            conn.execute(CUT)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Postmaster and backends stand still for the block: connections stay, and nobody answers."""
        with ExitStack() as still:
            server = postmaster(self.state)
            # First, so that it starts no other meanwhile.
            still.enter_context(frozen(server))
            for pid in _children(server):
                with suppress(ProcessLookupError):
                    still.enter_context(frozen(pid))
            yield

    def crowd_out(self, seconds: float) -> int:
        """Other clients take every place, those of the workers too, and keep them; returns how many."""
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
        """The database is read-only for the block: for new sessions, and ``cut`` ends the old ones; or for
        all sessions, which stay.
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
        """A plain connection of the test's own."""
        return psycopg.connect(self.dsn, autocommit=True)

    def back(self) -> float:
        """Waits until a plain connection succeeds; returns the moment at which it did."""
        until(self._answers, "the database is back")
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
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[1]) == parent:
                found.append(int(stat.parent.name))
    return found
