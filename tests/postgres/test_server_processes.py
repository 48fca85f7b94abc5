"""How the server behaves towards its users, its log, and processes that are not its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from hrims.postgres import cluster, join, locks
from hrims.postgres.guard import LOG_BYTES
from hrims.postgres.place import PORT, locate
from tests.postgres.processes import (
    JoinedProcess,
    JoinServer,
    alive,
    frozen,
    guard,
    home_of,
    kill,
    postmaster,
    query,
    wait_until,
    wait_until_stopped,
)


def test_the_starters_pipes_end_with_the_starter(hold: JoinServer) -> None:
    starter = hold()
    assert starter.dsn
    other = hold()
    assert starter.dsn == other.dsn
    assert starter.process.stdin
    starter.process.stdin.close()
    # Were the guard or the server to hold the pipe, `hrims sync | cat` would wait here for ever.
    assert starter.process.stdout
    assert starter.process.stdout.read() == b""
    assert query(other.dsn, "SELECT 1") == [(1,)]


def test_ctrl_c_reaches_neither_guard_nor_server(hold: JoinServer, state: Path) -> None:
    starter = hold()
    assert starter.dsn
    other = hold()
    before = query(other.dsn, "SELECT pg_postmaster_start_time()")
    assert starter.dsn
    assert os.getsid(guard(state)) != os.getsid(starter.process.pid)
    os.killpg(starter.process.pid, signal.SIGINT)
    starter.process.wait(60)
    os.kill(guard(state), signal.SIGTERM)  # a closed terminal, a machine that shuts down
    assert query(other.dsn, "SELECT pg_postmaster_start_time()") == before


def test_a_stale_pid_file_is_ignored(hold: JoinServer, state: Path) -> None:
    holder = hold()
    query(holder.dsn, "CREATE TABLE kept_2 ()")
    _cut_the_power(holder, state)
    place = locate(state)
    account = place.account.as_popen() if place.account else {}
    stranger = subprocess.Popen(["sleep", "600"], **account)
    try:
        # The process id of the dead server now belongs to another process of the same account:
        # PostgreSQL alone would refuse to start for as long as that one lives.
        for file in (place.data / "postmaster.pid", _socket_lock(state)):
            lines = file.read_text().splitlines()
            file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert query(hold().dsn, "SELECT * FROM kept_2") == []
        assert stranger.poll() is None, "a stranger was killed"
    finally:
        stranger.kill()
        stranger.wait()


def _cut_the_power(holder: JoinedProcess, state: Path) -> None:
    watching, server = guard(state), postmaster(state)
    with frozen(watching):
        kill(server)
        kill(watching)
    holder.kill()
    wait_until_stopped(state)
    assert _socket_lock(state).exists()


def _socket_lock(state: Path) -> Path:
    return home_of(state) / "socket" / f".s.PGSQL.{PORT}.lock"


def test_a_stop_that_hangs_is_tried_harder(hold: JoinServer, state: Path) -> None:
    holder = hold()
    # A server that waits for a process which does not answer: that is how a fast stop hangs.
    with _backend(holder.dsn) as stuck, frozen(stuck), frozen(guard(state)):
        server = postmaster(state)
        cluster.end(locate(state), seconds=0.5)
        wait_until(lambda: not alive(server) and not alive(stuck), "both are ended")
    assert query(holder.dsn, "SELECT 1") == [(1,)]


def test_what_a_dead_server_left_behind_is_ended_first(hold: JoinServer, state: Path) -> None:
    holder = hold()
    with _backend(holder.dsn) as orphan, frozen(orphan), frozen(guard(state)):
        server = postmaster(state)
        kill(server)
        wait_until(lambda: not alive(server), "the server is dead")
        assert locks.is_taken(locate(state).running), "the orphan is not known to live"
        cluster.end(locate(state), seconds=0.5)
        wait_until(lambda: not alive(orphan), "it is ended")
    assert query(holder.dsn, "SELECT 1") == [(1,)]


@contextmanager
def _backend(dsn: str) -> Iterator[int]:
    """Provide the server's process for one connection."""
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        yield connection.info.backend_pid
    finally:
        connection.close()


def test_the_log_keeps_no_rows_and_no_more_than_its_bounds(hold: JoinServer, state: Path) -> None:
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
    wait_until(lambda: log.stat().st_size < LOG_BYTES, "the log was rotated")
    query(dsn, "CHECKPOINT")
    wait_until(lambda: "checkpoint complete" in log.read_text(), "the server goes on logging")
    assert (home_of(state) / "postgres.log.1").stat().st_size >= LOG_BYTES


def test_settings_of_the_starter_count_but_never_open_a_port(hold: JoinServer) -> None:
    settings = {"max_connections": "37", "listen_addresses": "*", "work_mem": "5MB"}
    dsn = hold(settings=settings).dsn
    assert query(dsn, "SHOW max_connections") == [("37",)]
    assert query(dsn, "SHOW work_mem") == [("5MB",)]
    assert query(dsn, "SHOW listen_addresses") == [("",)]


def test_leaving_twice_is_leaving_once(state: Path) -> None:
    with join(state, fsync=False) as server:
        assert query(server.dsn, "SELECT 1") == [(1,)]
        server.close()
    server.close()
    wait_until_stopped(state)
