"""How the server behaves towards its users, its log, and processes that are not its own."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from hrims.postgres import cluster, join, locks
from hrims.postgres.guard import LOG_BYTES
from hrims.postgres.place import PORT, locate
from tests.postgres.stage import (
    DEBIAN,
    Holder,
    alive,
    frozen,
    guard,
    home_of,
    kill,
    postmaster,
    query,
    until,
    until_stopped,
)

Hold = Callable[..., Holder]


def test_the_starters_pipes_end_with_the_starter(hold: Hold) -> None:
    starter, other = hold(), hold()
    assert starter.dsn == other.dsn
    assert starter.process.stdin
    starter.process.stdin.close()
    # Were the guard or the server to hold the pipe, `hrims sync | cat` would wait here for ever.
    assert starter.process.stdout
    assert starter.process.stdout.read() == ""
    assert query(other.dsn, "SELECT 1") == [(1,)]


def test_ctrl_c_reaches_neither_guard_nor_server(hold: Hold, state: Path) -> None:
    starter, other = hold(), hold()
    before = query(other.dsn, "SELECT pg_postmaster_start_time()")
    assert starter.dsn
    assert os.getsid(guard(state)) != os.getsid(starter.process.pid)
    os.killpg(starter.process.pid, signal.SIGINT)
    starter.process.wait(60)
    os.kill(guard(state), signal.SIGTERM)  # a closed terminal, a machine that shuts down
    assert query(other.dsn, "SELECT pg_postmaster_start_time()") == before


def test_a_stale_pid_file_harms_nobody(hold: Hold, state: Path) -> None:
    holder = hold()
    query(holder.dsn, "CREATE TABLE kept_2 ()")
    _cut_the_power(holder, state)
    place = locate(state)
    who = place.account.as_popen() if place.account else {}
    stranger = subprocess.Popen(["sleep", "600"], **who)
    try:
        # The number of the dead server belongs to somebody else by now, of the same account:
        # PostgreSQL alone would refuse to start for as long as that one lives.
        for file in (place.data / "postmaster.pid", _socket_lock(state)):
            lines = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert query(hold().dsn, "SELECT * FROM kept_2") == []
        assert stranger.poll() is None, "a stranger was killed"
    finally:
        stranger.kill()
        stranger.wait()


def _cut_the_power(holder: Holder, state: Path) -> None:
    watching, server = guard(state), postmaster(state)
    with frozen(watching):
        kill(server)
        kill(watching)
    holder.kill()
    until_stopped(state)
    assert _socket_lock(state).exists()


def _socket_lock(state: Path) -> Path:
    return home_of(state) / "socket" / f".s.PGSQL.{PORT}.lock"


def test_a_stop_that_hangs_is_tried_harder(hold: Hold, state: Path) -> None:
    holder = hold()
    # A server that waits for a process which does not answer: that is how a fast stop hangs.
    with _backend(holder.dsn) as stuck, frozen(stuck), frozen(guard(state)):
        server = postmaster(state)
        cluster.end(locate(state), patience=0.5)
        assert not alive(server)
        assert not alive(stuck)
    assert query(holder.dsn, "SELECT 1") == [(1,)]


def test_what_a_dead_server_left_behind_is_ended_first(hold: Hold, state: Path) -> None:
    holder = hold()
    with _backend(holder.dsn) as orphan, frozen(orphan), frozen(guard(state)):
        server = postmaster(state)
        kill(server)
        until(lambda: not alive(server), "the server is dead")
        assert locks.is_taken(locate(state).running), "the orphan is not known to live"
        cluster.end(locate(state), patience=0.5)
        assert not alive(orphan)
    assert query(holder.dsn, "SELECT 1") == [(1,)]


@contextmanager
def _backend(dsn: str) -> Iterator[int]:
    """The server's process for one connection."""
    connection = psycopg.connect(dsn, autocommit=True)
    yield connection.info.backend_pid
    connection.close()


def test_nobodys_locale_nor_settings_reach_the_server(hold: Hold, fresh: Path) -> None:
    odd = {"LC_ALL": "sw_TZ.nowhere", "TZ": "Mars/Olympus", "PGOPTIONS": "", "PGPORT": "1"}
    dsn = hold(fresh, env=odd).dsn
    assert query(dsn, "SHOW timezone") == [("UTC",)]
    assert query(dsn, "SHOW server_encoding") == [("UTF8",)]
    found = query(dsn, "SELECT datcollate, datlocprovider FROM pg_database WHERE datname = 'hrims'")
    assert found == [("C", "b")]
    assert query(dsn, "SELECT lower('ÑANDÚ')") == [("ñandú",)]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's PostgreSQL 15 is not installed here")
def test_an_older_server_is_plain_c(hold: Hold, fresh: Path) -> None:
    dsn = hold(fresh, wheels=[]).dsn
    assert query(dsn, "SELECT current_setting('server_version_num')::int / 10000")[0][0] >= 15
    assert query(dsn, "SHOW lc_collate") == [("C",)]


def test_the_log_keeps_no_rows_and_no_more_than_its_bounds(hold: Hold, state: Path) -> None:
    dsn, log = hold().dsn, home_of(state) / "postgres.log"
    query(dsn, "CREATE TABLE people (name text PRIMARY KEY)")
    query(dsn, "INSERT INTO people VALUES ('Asha Makame')")
    with pytest.raises(psycopg.errors.UniqueViolation), psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO people VALUES ('Asha Makame')")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation), psycopg.connect(dsn) as connection:
        connection.execute("SELECT 'Asha Makame'::int")
    assert "Asha" not in log.read_text()
    with log.open("a") as file:
        file.write("x" * LOG_BYTES)
    until(lambda: log.stat().st_size < LOG_BYTES, "the log was begun anew")
    query(dsn, "CHECKPOINT")
    until(lambda: "checkpoint complete" in log.read_text(), "the server goes on logging")
    assert (home_of(state) / "postgres.log.1").stat().st_size >= LOG_BYTES


def test_settings_of_the_starter_count_but_never_open_a_port(hold: Hold) -> None:
    wish = {"max_connections": "37", "listen_addresses": "*", "work_mem": "5MB"}
    dsn = hold(settings=wish).dsn
    assert query(dsn, "SHOW max_connections") == [("37",)]
    assert query(dsn, "SHOW work_mem") == [("5MB",)]
    assert query(dsn, "SHOW listen_addresses") == [("",)]


def test_leaving_twice_is_leaving_once(state: Path) -> None:
    with join(state, fsync=False) as server:
        assert query(server.dsn, "SELECT 1") == [(1,)]
        server.close()
    server.close()
    until_stopped(state)
