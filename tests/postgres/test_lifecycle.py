"""A server from its first start to its last user's end, for every kind of user and of binaries."""

import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.processes import (
    AS_ROOT,
    DEBIAN,
    JoinServer,
    alive,
    guard,
    home_of,
    kill,
    postmaster,
    query,
    wait_until,
    wait_until_stopped,
)

ROOT, ORDINARY = "root", "ordinary"
WHEEL: dict[str, object] = {}
DEBIANS: dict[str, object] = {"wheels": []}
needs_debian = pytest.mark.skipif(
    not DEBIAN.is_dir(), reason="NOT RUN: Debian's PostgreSQL 15 is not installed here"
)
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root changes its account")
KINDS = [
    pytest.param(ROOT, WHEEL, id="root-wheel", marks=needs_root),
    pytest.param(ROOT, DEBIANS, id="root-debian", marks=[needs_root, needs_debian, pytest.mark.chaos]),
    pytest.param(
        ORDINARY, WHEEL, id="ordinary-wheel", marks=[pytest.mark.chaos] if AS_ROOT and DEBIAN.is_dir() else []
    ),
    pytest.param(ORDINARY, DEBIANS, id="ordinary-debian", marks=needs_debian),
]
"""Every account and every kind of programs every day, all combinations with `make chaos`."""

ODD = {"LC_ALL": "sw_TZ.nowhere", "TZ": "Mars/Olympus", "PGPORT": "1"}
"""What a starter's environment may hold, and the server must not care about."""


@pytest.mark.parametrize(("account", "options"), KINDS)
def test_data_outlives_every_kill_and_every_start(
    account: str, options: dict[str, object], hold: JoinServer, fresh: Path, request: pytest.FixtureRequest
) -> None:
    if account == ORDINARY:
        options = {**options, **request.getfixturevalue("ordinary")}
    durable = "wheels" not in options  # both ways are tried
    first = hold(fresh, **options, fsync=durable, env=ODD)
    query(first.dsn, "CREATE TABLE people AS SELECT 'Asha' AS name")
    _runs_behind_closed_doors(first.dsn, fresh)
    _knows_nothing_of_the_starters_locale(first.dsn)

    kill(postmaster(fresh))
    assert query(first.dsn, "SELECT name FROM people") == [("Asha",)]
    kill(guard(fresh))
    query(first.dsn, "INSERT INTO people VALUES ('Juma')")
    first.kill()
    wait_until_stopped(fresh)

    second = hold(fresh, **options, fsync=durable)
    assert query(second.dsn, "SELECT name FROM people ORDER BY name") == [("Asha",), ("Juma",)]
    second.leave()
    wait_until_stopped(fresh)
    assert not (home_of(fresh) / "data" / "postmaster.pid").exists(), "it was not stopped in order"


def _runs_behind_closed_doors(dsn: str, state: Path) -> None:
    assert query(dsn, "SHOW listen_addresses") == [("",)]
    assert query(
        dsn, "SELECT current_user, rolsuper, current_database() FROM pg_roles WHERE rolname = current_user"
    ) == [("hrims", True, "hrims")]
    for name in ("data", "socket"):
        found = (home_of(state) / name).stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid != 0


def _knows_nothing_of_the_starters_locale(dsn: str) -> None:
    builtin = query(dsn, "SELECT current_setting('server_version_num')::int >= 170000")[0][0]
    assert query(dsn, "SHOW timezone") == [("UTC",)]
    assert query(dsn, "SHOW server_encoding") == [("UTF8",)]
    found = query(dsn, "SELECT datcollate, datlocprovider FROM pg_database WHERE datname = 'hrims'")
    assert found == [("C", "b" if builtin else "c")]
    if builtin:
        assert query(dsn, "SELECT lower('ÑANDÚ')") == [("ñandú",)]


def test_everybody_at_once_gets_one_server(hold: JoinServer, state: Path) -> None:
    starts = (home_of(state) / "postgres.log").read_text().count("starting PostgreSQL")
    holders = [hold() for _ in range(5)]
    assert len({query(h.dsn, "SELECT pg_postmaster_start_time()")[0] for h in holders}) == 1
    log = (home_of(state) / "postgres.log").read_text()
    assert log.count("starting PostgreSQL") == starts + 1


def test_it_runs_as_long_as_a_process_uses_it(hold: JoinServer, state: Path) -> None:
    starter = hold()
    assert starter.dsn
    other = hold()
    before = query(other.dsn, "SELECT pg_postmaster_start_time()")
    assert starter.dsn == other.dsn
    starter.kill()
    assert query(other.dsn, "SELECT pg_postmaster_start_time()") == before
    server, watching = postmaster(state), guard(state)
    other.kill()
    wait_until(lambda: not alive(server) and not alive(watching), "nothing is left")


def test_killing_all_at_once_leaves_nothing_running(hold: JoinServer, state: Path) -> None:
    holder = hold()
    query(holder.dsn, "CREATE TABLE kept_1 ()")
    server, watching = postmaster(state), guard(state)
    holder.kill()
    kill(watching)
    wait_until(lambda: not alive(server), "the server noticed that it is alone")
    assert query(hold().dsn, "SELECT * FROM kept_1") == []


def test_a_server_that_dies_is_started_again_at_the_same_address(hold: JoinServer, state: Path) -> None:
    holder, other = hold(), hold()
    query(holder.dsn, "CREATE TABLE kept ()")
    assert other.dsn == holder.dsn
    for victim in (postmaster, guard, postmaster):
        before = query(holder.dsn, "SELECT pg_postmaster_start_time()")
        kill(victim(state))
        wait_until(partial(_another_answers, holder.dsn, before), "another server answers")
        assert query(other.dsn, "SELECT * FROM kept") == []
    assert hold().dsn == holder.dsn


def _another_answers(dsn: str, before: list[tuple[Any, ...]]) -> bool:
    return query(dsn, "SELECT pg_postmaster_start_time()") != before


def test_a_killed_first_start_leaves_no_half_database(hold: JoinServer, fresh: Path) -> None:
    holder = hold(fresh)
    wait_until(lambda: list(home_of(fresh).glob("initdb-*/base")), "the database is being made")
    kill(guard(fresh))
    holder.kill()
    assert not (fresh / "postgres" / "data").exists(), "it was made already: the kill came late"
    assert query(hold(fresh).dsn, "SELECT 1") == [(1,)]
    assert not list(home_of(fresh).glob("initdb-*"))


def test_a_starter_killed_while_it_starts_leaves_nothing_running(hold: JoinServer, fresh: Path) -> None:
    holder = hold(fresh)
    wait_until((fresh / "postgres" / "status.json").exists, "the guard has begun")
    watching = guard(fresh)
    holder.kill()
    wait_until(lambda: not alive(watching), "the guard gave up")
    wait_until_stopped(fresh)


def test_a_removed_state_directory_stays_removed(hold: JoinServer, state: Path, folder: Path) -> None:
    holder = hold()
    server, watching = postmaster(state) if holder.dsn else 0, guard(state)
    state.rename(folder / "gone")
    wait_until(lambda: not alive(server) and not alive(watching), "server and guard ended")
    assert not state.exists()
    (folder / "gone").rename(state)
