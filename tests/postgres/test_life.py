"""A server from its first start to its last user's end, for every kind of user and of binaries."""

import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.postgres.stage import (
    AS_ROOT,
    DEBIAN,
    Holder,
    alive,
    guard,
    home_of,
    kill,
    postmaster,
    query,
    until,
    until_stopped,
)

Hold = Callable[..., Holder]
BINARIES: list[dict[str, Any]] = [{}, *([{"wheels": []}] if DEBIAN.is_dir() else [])]


@pytest.mark.parametrize("wish", BINARIES, ids=lambda wish: "debian" if wish else "wheel")
@pytest.mark.parametrize("who", ["root", "ordinary"] if AS_ROOT else ["ordinary"])
def test_data_outlives_every_kill_and_every_start(
    who: str, wish: dict[str, object], hold: Hold, fresh: Path, request: pytest.FixtureRequest
) -> None:
    if who == "ordinary":
        wish = {**wish, **request.getfixturevalue("ordinary")}
    first = hold(fresh, **wish, fsync=True)
    query(first.dsn, "CREATE TABLE people AS SELECT 'Asha' AS name")
    _runs_behind_closed_doors(first.dsn, fresh)

    kill(postmaster(fresh))
    assert query(first.dsn, "SELECT name FROM people") == [("Asha",)]
    kill(guard(fresh))
    query(first.dsn, "INSERT INTO people VALUES ('Juma')")
    first.kill()
    until_stopped(fresh)

    second = hold(fresh, **wish, fsync=True)
    assert query(second.dsn, "SELECT name FROM people ORDER BY name") == [("Asha",), ("Juma",)]
    second.leave()
    until_stopped(fresh)
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


def test_everybody_at_once_gets_one_server(hold: Hold, state: Path) -> None:
    starts = (home_of(state) / "postgres.log").read_text().count("starting PostgreSQL")
    holders = [hold() for _ in range(5)]
    assert len({query(h.dsn, "SELECT pg_postmaster_start_time()")[0] for h in holders}) == 1
    log = (home_of(state) / "postgres.log").read_text()
    assert log.count("starting PostgreSQL") == starts + 1


def test_it_runs_as_long_as_somebody_uses_it(hold: Hold, state: Path) -> None:
    starter, other = hold(), hold()
    before = query(other.dsn, "SELECT pg_postmaster_start_time()")
    assert starter.dsn == other.dsn
    starter.kill()
    assert query(other.dsn, "SELECT pg_postmaster_start_time()") == before
    server, watching = postmaster(state), guard(state)
    other.kill()
    until(lambda: not alive(server) and not alive(watching), "nothing is left")


def test_killing_all_at_once_leaves_nothing_running(hold: Hold, state: Path) -> None:
    holder = hold()
    query(holder.dsn, "CREATE TABLE kept_1 ()")
    server, watching = postmaster(state), guard(state)
    holder.kill()
    kill(watching)
    until(lambda: not alive(server), "the server noticed that it is alone")
    assert query(hold().dsn, "SELECT * FROM kept_1") == []


def test_a_server_that_dies_is_started_again_at_the_same_address(hold: Hold, state: Path) -> None:
    holder, other = hold(), hold()
    query(holder.dsn, "CREATE TABLE kept ()")
    assert other.dsn == holder.dsn
    for victim in (postmaster, guard, postmaster):
        before = query(holder.dsn, "SELECT pg_postmaster_start_time()")
        kill(victim(state))
        until(partial(_another_answers, holder.dsn, before), "another server answers")
        assert query(other.dsn, "SELECT * FROM kept") == []
    assert hold().dsn == holder.dsn


def _another_answers(dsn: str, before: list[tuple[Any, ...]]) -> bool:
    return query(dsn, "SELECT pg_postmaster_start_time()") != before


def test_a_killed_first_start_leaves_no_half_database(hold: Hold, fresh: Path) -> None:
    holder = hold(fresh)
    until(lambda: list(home_of(fresh).glob("initdb-*/base")), "the database is being made")
    kill(guard(fresh))
    holder.kill()
    assert not (fresh / "postgres" / "data").exists(), "it was made already: the kill came late"
    assert query(hold(fresh).dsn, "SELECT 1") == [(1,)]
    assert not list(home_of(fresh).glob("initdb-*"))


def test_a_starter_killed_while_it_starts_leaves_nothing_running(hold: Hold, fresh: Path) -> None:
    holder = hold(fresh)
    until((fresh / "postgres" / "status.json").exists, "the guard has begun")
    watching = guard(fresh)
    holder.kill()
    until(lambda: not alive(watching), "the guard gave up")
    until_stopped(fresh)


def test_a_removed_state_directory_stays_removed(hold: Hold, state: Path, folder: Path) -> None:
    holder = hold()
    server, watching = postmaster(state) if holder.dsn else 0, guard(state)
    state.rename(folder / "gone")
    until(lambda: not alive(server) and not alive(watching), "server and guard ended")
    assert not state.exists()
    (folder / "gone").rename(state)
