"""Kills at random moments under constant writing: what was committed is there, once."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.postgres.processes import (
    JoinedProcess,
    guard,
    kill,
    postmaster,
    query,
    wait_until,
    wait_until_stopped,
)

ROUNDS = 12


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_nothing_committed_is_ever_lost(hold: Callable[..., JoinedProcess], fresh: Path) -> None:
    seed = int(os.environ.get("HRIMS_CHAOS_SEED", random.randrange(10**6)))
    print(f"HRIMS_CHAOS_SEED={seed}")  # noqa: T201 - repeats a failure
    dice = random.Random(seed)
    holder = hold(fresh, fsync=True)
    query(holder.dsn, "CREATE TABLE kept (n bigint PRIMARY KEY)")
    for _ in range(ROUNDS):
        written = _write_until_killed(holder, fresh, dice)
        if holder.process.poll() is not None:
            if dice.random() < 0.5:
                wait_until_stopped(fresh)
            holder = hold(fresh, fsync=True)
        found = {row[0] for row in query(holder.dsn, "SELECT n FROM kept")}
        assert written <= found, f"{len(written - found)} committed rows are gone"


def _write_until_killed(holder: JoinedProcess, state: Path, dice: random.Random) -> set[int]:
    written: set[int] = set()
    stop = threading.Event()
    writer = threading.Thread(target=_write, args=(holder.dsn, written, stop))
    writer.start()
    enough = dice.randrange(1, 200)
    wait_until(lambda: len(written) > enough, "enough is written")
    victims = dice.sample(["guard", "server", "holder"], dice.randrange(1, 4))
    for victim in victims:
        _kill(victim, holder, state)
    stop.set()
    writer.join()
    return written


def _kill(victim: str, holder: JoinedProcess, state: Path) -> None:
    try:
        if victim == "holder":
            holder.kill()
        else:
            kill(guard(state) if victim == "guard" else postmaster(state))
    except (ProcessLookupError, FileNotFoundError, AssertionError):
        return  # the one that was killed before took it along


def _write(dsn: str, written: set[int], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            with psycopg.connect(dsn, autocommit=True) as connection:
                while not stop.is_set():
                    row = connection.execute(
                        "INSERT INTO kept SELECT coalesce(max(n), 0) + 1 FROM kept RETURNING n"
                    ).fetchone()
                    assert row
                    written.add(row[0])
        except psycopg.OperationalError:
            continue
