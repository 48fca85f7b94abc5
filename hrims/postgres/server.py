"""A process' share in the server: joined here, watched over while it lives, given up at the end."""

import os
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from hrims.errors import DatabaseUnusable
from hrims.postgres import guard, locks
from hrims.postgres.cluster import OWNER
from hrims.postgres.place import PORT, Place, locate, start_lock
from hrims.postgres.plan import make_plan

START_SECONDS = 600.0
"""Longest wait for a server; crash recovery of much work takes minutes."""

LOOK = 0.5
"""Seconds between two looks at the guard."""

NO_SETTINGS: Mapping[str, str] = MappingProxyType({})


class Server:
    """A share in a running server. The server runs as long as somebody holds one."""

    dsn: str
    """libpq keyword/value DSN of the database `hrims`, over the socket."""
    socket_dir: Path

    def __init__(self, state_dir: Path, *, fsync: bool, settings: Mapping[str, str]) -> None:
        self._state_dir, self._fsync, self._settings = state_dir, fsync, settings
        self._share: int | None = None
        self._closed = threading.Event()
        try:
            self._place = self._enter()
            self.socket_dir = self._await_ready()
        except BaseException:
            self.close()
            raise
        self.dsn = _dsn(self.socket_dir, OWNER)
        threading.Thread(target=self._watch, name="postgres-watch", daemon=True).start()

    def _enter(self) -> Place:
        """Takes the share and sees to it that a guard lives, as one step."""
        lock = start_lock(self._state_dir)
        with locks.alone(lock):
            place = locate(self._state_dir)
            self._share = locks.share(place.users)
            self._spawn_guard(place, lock)
        return place

    def _spawn_guard(self, place: Place, lock: Path) -> None:
        if not locks.is_taken(place.guard):
            guard.spawn(make_plan(place, lock, fsync=self._fsync, settings=self._settings))

    def _revive(self) -> None:
        """Follows a guard that was killed by another."""
        lock = start_lock(self._state_dir)
        with locks.alone(lock):
            if not self._closed.is_set():
                self._spawn_guard(self._place, lock)

    def _await_ready(self) -> Path:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            alive, status = locks.is_taken(self._place.guard), guard.told(self._place)
            if status.get("state") == "failed":
                raise DatabaseUnusable(status["words"])
            if status.get("state") == "ready" and _has_database(Path(status["socket_dir"])):
                return Path(status["socket_dir"])
            if not alive:
                self._revive()
            time.sleep(0.02)
        raise DatabaseUnusable(
            f"The database was not ready after {START_SECONDS / 60:.0f} minutes. What was saved "
            f"is kept. Its log: {self._place.log}"
        )

    def _watch(self) -> None:
        """Guards are followed by others for as long as the share is held and its folder is there."""
        pause = LOOK
        while not self._closed.wait(pause) and self._place.home.is_dir():
            if locks.is_taken(self._place.guard):
                pause = LOOK
                continue
            try:
                self._revive()
            except (DatabaseUnusable, OSError):
                # Whoever connects is told; here only time can help.
                pause = min(pause * 2, 10.0)

    def close(self) -> None:
        """Gives up the share; safe to call twice. The server stops when nobody holds one."""
        self._closed.set()
        share, self._share = self._share, None
        if share is not None:
            os.close(share)

    def leave(self, patience: float) -> bool:
        """Gives up the share and waits, at most ``patience`` seconds, for the server's end.

        False when it still runs, because others use it or it takes longer.
        """
        self.close()
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if not any(map(locks.is_taken, (self._place.guard, self._place.running))):
                return True
            if self._is_used_by_others():
                return False
            time.sleep(0.05)
        return False

    def _is_used_by_others(self) -> bool:
        alone = locks.take_if_free(self._place.users)
        if alone is not None:
            os.close(alone)
            return False
        # The guard holds it alone while it stops the server, and then until it ends.
        return not locks.is_taken(self._place.users) and locks.is_taken(self._place.guard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def join(state_dir: Path, *, fsync: bool = True, settings: Mapping[str, str] = NO_SETTINGS) -> Server:
    """A share in the server of this state directory, started if none runs.

    ``settings`` and ``fsync`` count for the one who starts it; who joins later takes it as it is.
    Raises DatabaseUnusable in words that say what to do.
    """
    try:
        return Server(state_dir.absolute(), fsync=fsync, settings=settings)
    except OSError as error:
        raise DatabaseUnusable(
            f"The state directory {state_dir} cannot be used: {error.strerror or error} "
            f"({error.filename}). Does it belong to somebody else, or is the disk full? Nothing "
            "was started or changed. Give another one in HRIMS_STATE_DIR, or set DATABASE_URL."
        ) from error


def _dsn(folder: Path, database: str) -> str:
    return f"host={_quoted(str(folder))} port={PORT} user={OWNER} dbname={database}"


def _quoted(value: str) -> str:
    """As libpq reads it; plain paths stay plain."""
    if re.fullmatch(r"[\w/.+@:-]+", value, re.ASCII):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _has_database(folder: Path) -> bool:
    """Whether the server answers and has the product's database, which is made if missing."""
    import psycopg  # noqa: PLC0415 - the guard imports this package, and needs no driver

    dsn = _dsn(folder, "postgres")
    try:
        with psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection:
            known = connection.execute("SELECT FROM pg_database WHERE datname = %s", (OWNER,))
            if known.fetchone() is None:
                connection.execute(f"CREATE DATABASE {OWNER}")
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return True
    except psycopg.OperationalError:
        return False  # it died between its word and our call; the guard starts it again
    return True
