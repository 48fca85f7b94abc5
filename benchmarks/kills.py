"""kill -9 at every step of a page and of a run, and 100 times at random: no person lost or saved twice.

Finally, one kill with the default settings measures the time until the run continues.
"""

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from hrims import postgres
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.resilience.crash.crash_child import A_PAGE, A_RUN
from tests.resilience.crash.crash_runner import (
    MOST_KILLS,
    QUICK,
    Aftermath,
    allowed_again,
    as_they_come,
    killed_at,
    killed_at_random,
)
from tests.support.databases import clone, create
from tests.support.harness import World
from tests.support.simulated import Simulator
from tests.support.users import migrate_with_cast

RANDOM_KILLS = 100

LIMIT = 45


def main() -> None:
    """Print the figures."""
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
            if sum(kill_run.kills for kill_run in by_chance) >= RANDOM_KILLS:
                break
        _print("kills at random", by_chance)
        with _world(dsn) as world:
            as_they_come(world)
            seconds = killed_at(world, "committed", 4).seconds[0]
        verdict = "holds" if seconds <= LIMIT else "DOES NOT HOLD"
        print(f"  with the settings as they come the run goes on after {seconds:.1f} s; {LIMIT} s: {verdict}")


def _print(what: str, after: Sequence[Aftermath]) -> None:
    kills = sum(person.kills for person in after)
    lost, twice = sum(person.lost for person in after), sum(person.twice for person in after)
    again = max(person.again / person.kills for person in after)
    whole = sum(person.run.outcome == "complete" for person in after)
    print(
        f"  {what}: {kills} kills, {len(after)} runs, {whole} complete, {lost} lost, {twice} twice; "
        f"at most {again:.1f} pages again for a kill ({allowed_again(1)} allowed)",
        flush=True,
    )


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Provide a server with a template database named ``template``."""
    with postgres.join(folder / "state", fsync=False) as server:
        create(server.dsn, "template")
        dsn = psycopg.conninfo.make_conninfo(server.dsn, dbname="template")
        migrate_with_cast(dsn)
        with psycopg.connect(dsn, autocommit=True) as conn:
            importer.seed(conn, DEMO_REGISTER)
        yield server.dsn


@contextlib.contextmanager
def _world(server: str) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as folder,
        clone(server, "template") as dsn,
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
