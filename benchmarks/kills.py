"""kill -9 at every step of a page and of a run, and 100 times at random: nobody lost, nobody there twice.

At last once with the settings as they come: how long it takes until the run goes on.
"""

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from benchmarks.stage import REGISTER
from hrims import postgres
from hrims.migrate import migrate
from hrims.register import table
from tests.conftest import clone, create
from tests.flow.conftest import World
from tests.kills.doomed import A_PAGE, A_RUN
from tests.kills.stage import (
    MOST_KILLS,
    QUICK,
    Aftermath,
    allowed_again,
    as_they_come,
    killed_at,
    killed_at_random,
)
from tests.simulated import Simulator

RANDOM_KILLS = 100

LIMIT = 45


def main() -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, _server(Path(folder)) as dsn:
        steps = []
        for step in (*A_PAGE, *A_RUN):
            with _world(dsn) as world:
                steps.append(killed_at(world, step, 4 if step in A_PAGE else 1))
        _print("a kill at each step", steps)
        by_chance = []
        for seed in itertools.count():
            with _world(dsn) as world:
                by_chance.append(killed_at_random(world, seed, MOST_KILLS))
            if sum(one.kills for one in by_chance) >= RANDOM_KILLS:
                break
        _print("kills at random", by_chance)
        with _world(dsn) as world:
            as_they_come(world)
            seconds = killed_at(world, "committed", 4).seconds[0]
        verdict = "holds" if seconds <= LIMIT else "DOES NOT HOLD"
        print(f"  with the settings as they come the run goes on after {seconds:.1f} s; {LIMIT} s: {verdict}")


def _print(what: str, after: Sequence[Aftermath]) -> None:
    kills = sum(one.kills for one in after)
    lost, twice = sum(one.lost for one in after), sum(one.twice for one in after)
    again = max(one.again / one.kills for one in after)
    whole = sum(one.run.outcome == "complete" for one in after)
    print(
        f"  {what}: {kills} kills, {len(after)} runs, {whole} complete, {lost} lost, {twice} twice; "
        f"at most {again:.1f} pages again for a kill ({allowed_again(1)} allowed)",
        flush=True,
    )


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    """A server with a template named ``stage``."""
    with postgres.join(folder / "state", fsync=False) as server:
        create(server.dsn, "stage")
        dsn = psycopg.conninfo.make_conninfo(server.dsn, dbname="stage")
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            table.seed(conn, REGISTER)
        yield server.dsn


@contextlib.contextmanager
def _world(server: str) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as folder,
        clone(server, "stage") as dsn,
        Simulator(sizes={"001": 240}, scale=0.02) as remote,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        world = World(dsn, conn, remote, Path(folder))
        world.settings |= QUICK
        try:
            yield world
        finally:
            world.close()


if __name__ == "__main__":
    main()
