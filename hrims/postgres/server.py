"""A process's share in the server: joined here, watched while the process lives, released at the end."""

import os
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from hrims.errors import DatabaseUnusable
from hrims.postgres import guard, locks
from hrims.postgres.cluster import OWNER
from hrims.postgres.place import PORT, Place, locate, start_lock
from hrims.postgres.plan import make_plan

START_SECONDS = 600.0
"""Maximum wait for a server; crash recovery after a lot of writes takes minutes."""

CHECK_SECONDS = 0.5
"""Seconds between two checks of the guard."""

LOGINS = (f"{OWNER}_app", f"{OWNER}_report")
"""The roles of the database, as hrims.db_roles.names calls them. Only here can both sign in."""

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Server:
    """A share in a running server.

    The server runs while at least one process has a share.
    """

    dsn: str
    """libpq keyword/value DSN of the database `hrims`, over the socket, as its owner."""
    application_dsn: str
    """The same as the role of web processes and workers."""
    reporting_dsn: str
    """The same as the role of analysts."""
    socket_dir: Path
    log: Path
    """The file that the server writes its log to."""

    def __init__(self, state_dir: Path, *, fsync: bool, settings: Mapping[str, str]) -> None:
        self._state_dir, self._fsync, self._settings = state_dir, fsync, settings
        self._share: int | None = None
        self._closed = threading.Event()
        try:
            self._place = self._join()
            self.socket_dir = self._await_ready()
        except BaseException:
            self.close()
            raise
        self.log = self._place.log
        self.dsn, self.application_dsn, self.reporting_dsn = (
            _dsn(self.socket_dir, OWNER, role) for role in (OWNER, *LOGINS)
        )
        threading.Thread(target=self._watch, name="postgres-watch", daemon=True).start()

    def _join(self) -> Place:
        """Take the share and ensure that a guard is alive, in one step."""
        lock = start_lock(self._state_dir)
        with locks.exclusive(lock):
            place = locate(self._state_dir)
            self._share = locks.share(place.users)
            self._spawn_guard(place, lock)
        return place

    def _spawn_guard(self, place: Place, lock: Path) -> None:
        if not locks.is_taken(place.guard):
            guard.spawn(make_plan(place, lock, fsync=self._fsync, settings=self._settings))

    def _restart_guard(self) -> None:
        """Start a new guard in place of one that was killed."""
        lock = start_lock(self._state_dir)
        with locks.exclusive(lock):
            if not self._closed.is_set():
                self._spawn_guard(self._place, lock)

    def _await_ready(self) -> Path:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            alive, status = locks.is_taken(self._place.guard), guard.read_status(self._place)
            if status.get("state") == "failed":
                raise DatabaseUnusable(status["message"])
            if status.get("state") == "ready" and _has_database(Path(status["socket_dir"])):
                return Path(status["socket_dir"])
            if not alive:
                self._restart_guard()
            time.sleep(0.02)
        raise DatabaseUnusable(
            f"The database was not ready after {START_SECONDS / 60:.0f} minutes. What was saved "
            f"is kept. Its log: {self._place.log}"
        )

    def _watch(self) -> None:
        """Replace a dead guard while the share is held and the server's folder exists."""
        pause = CHECK_SECONDS
        while not self._closed.wait(pause) and self._place.home.is_dir():
            if locks.is_taken(self._place.guard):
                pause = CHECK_SECONDS
                continue
            try:
                self._restart_guard()
            except (DatabaseUnusable, OSError):
                # Clients get the error when they connect. This thread can only retry later.
                pause = min(pause * 2, 10.0)

    def close(self) -> None:
        """Release the share; safe to call twice.

        The server stops when no process has a share.
        """
        self._closed.set()
        share, self._share = self._share, None
        if share is not None:
            os.close(share)

    def leave(self, timeout: float) -> bool:
        """Release the share and wait at most ``timeout`` seconds for the server to end.

        Return False if it still runs, because others use it or it takes longer.
        """
        self.close()
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if not any(map(locks.is_taken, (self._place.guard, self._place.running))):
                return True
            if self._is_used_by_others():
                return False
            time.sleep(0.05)
        return False

    def _is_used_by_others(self) -> bool:
        lock = locks.take_if_free(self._place.users)
        if lock is not None:
            os.close(lock)
            return False
        # The guard has an exclusive lock on it while it stops the server, and then until the guard ends.
        return not locks.is_taken(self._place.users) and locks.is_taken(self._place.guard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def join(state_dir: Path, *, fsync: bool = True, settings: Mapping[str, str] = NO_SETTINGS) -> Server:
    """Return a share in the server of this state directory, which is started if it is not running.

    ``settings`` and ``fsync`` apply only if this call starts the server; later processes use it as it is.
    Raises DatabaseUnusable with a message that says what to do.
    """
    try:
        return Server(state_dir.absolute(), fsync=fsync, settings=settings)
    except OSError as error:
        raise DatabaseUnusable(
            f"The state directory {state_dir} cannot be used: {error.strerror or error} "
            f"({error.filename}). Does it belong to another user, or is the disk full? Nothing "
            "was started or changed. Give another one in HRIMS_STATE_DIR, or set DATABASE_URL."
        ) from error


def _dsn(folder: Path, database: str, role: str = OWNER) -> str:
    return f"host={_quoted(str(folder))} port={PORT} user={role} dbname={database}"


def _create_logins(connection: Any) -> None:
    for role in LOGINS:
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
        if found.fetchone() is None:
            connection.execute(f"CREATE ROLE {role} LOGIN")


def _quoted(value: str) -> str:
    """Return the value quoted for libpq; plain paths stay unquoted."""
    if re.fullmatch(r"[\w/.+@:-]+", value, re.ASCII):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _has_database(folder: Path) -> bool:
    """Return whether the server responds. Create the product's database and roles if they are missing."""
    import psycopg  # noqa: PLC0415 - the guard imports this package, and needs no driver

    dsn = _dsn(folder, "postgres")
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (OWNER,))
            if found.fetchone() is None:
                connection.execute(f"CREATE DATABASE {OWNER}")
            _create_logins(connection)
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return False  # another process creates them at this moment
    except psycopg.OperationalError as error:
        # Other clients have all connections: it is there, and each user of the share says so and retries.
        # Otherwise it died between its status and our connection, and the guard restarts it.
        return "too many clients" in str(error)
    return True
