"""The whole product over a database that the test has set up: commands, web, workers, and who is saved."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from hrims.config import PROJECT
from hrims.simulator.options import DEMO_REGISTER
from tests.distributed.machine import Machine
from tests.flow.conftest import World
from tests.machine.house import BY_ZOMBIES, SAVED
from tests.processes.product import run, until
from tests.scenarios.theatre import VOTES
from tests.served import Served
from tests.simulated import Simulator

SIZE, PAGE_SIZE = 240, 25
"""People of each institution, ten pages of them."""

PATIENCE = 150.0


class House:
    """A world whose database may be elsewhere tomorrow: ``url`` is what the product knows of it."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.remote = world, world.simulator
        world.settings["DATABASE_URL"] = url
        world.patience = PATIENCE
        self.open = contextlib.ExitStack()

    def command(self, *words: str, stdin: str = "") -> str:
        """Runs a command of the product to its end; returns what it printed."""
        done = run(*words, env=self.world.env(), stdin=stdin)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def settle(self) -> None:
        """Schema, register, token and web, as an operator would."""
        self.command("migrate")
        self.command("institutions", "import", str(DEMO_REGISTER))
        token = self.command("token", "add", "payroll")
        self.web = self.open.enter_context(Served(self.world.folder, self.world.settings))
        self.machine = Machine(self.web.url, token)
        self.open.callback(self.machine.close)

    def moved(self, dsn: str) -> None:
        """The database is elsewhere now, for who looks at it from outside."""
        self.world.conn.close()
        self.world.dsn, self.world.conn = dsn, psycopg.connect(dsn, autocommit=True)

    def pages(self) -> set[tuple[int, ...]]:
        """Every page that is saved: run, reading, size, number and attempt."""
        return set(self.world.rows(PAGES))

    def until(self, reached: Callable[[], bool]) -> None:
        """Waits for what nobody is told of."""
        until(reached, self.told)

    def told(self) -> str:
        """How things stand."""
        try:
            standing = self.world.standing()
        except psycopg.Error as reason:
            standing = f"the database does not answer: {reason}"
        web = self.web.log.read_text()[-3000:]
        return f"{standing}\n{self.remote.counters()['in_flight']} in flight\n{self.world.logs()}\n{web}"

    def until_all_ended(self, runs: list[int], vote: str = "") -> None:
        """Until all of them have ended, complete, and nobody is lost or there twice."""
        for run_id in runs:
            ended = self.world.until_ended(run_id)
            assert ended.outcome in {"complete", "complete_after_repair"}, f"{ended}\n{self.told()}"

    def nobody_lost_or_twice(self, *votes: str) -> None:
        """Who is listed is saved, once, and nobody else; and nothing was saved by who had lost its run."""
        for vote in votes:
            listed = Counter(one["zan_id"] for one in self.remote.people(vote=vote) if one["zan_id"])
            saved = Counter(zan_id for (zan_id,) in self.world.rows(SAVED.format(vote)))
            assert saved == listed, f"{vote}: {saved - listed} too many, {listed - saved} too few"
        for (run_id,) in self.world.rows("SELECT id FROM runs"):
            assert self.world.rows(BY_ZOMBIES.format(run_id)) == [(0,)]

    def close(self) -> None:
        """Ends web and workers."""
        self.world.close()
        self.open.close()
        self.world.conn.close()


PAGES = "SELECT run_id, reading, page_size, page_number, attempt FROM run_pages"


@contextlib.contextmanager
def house(dsn: str, url: str, folder: Path, *, host: str = "127.0.0.1", **settings: str) -> Iterator[House]:
    """A house over this database, which the product reaches by ``url``; everything of it ends at the end."""
    sizes = dict.fromkeys(VOTES, SIZE)
    with Simulator(sizes=sizes, scale=0.02, latency_ms=40, jitter_ms=20, host=host) as remote:
        made = House(World(dsn, psycopg.connect(dsn, autocommit=True), remote, folder), url)
        made.world.settings |= settings
        try:
            made.settle()
            yield made
        finally:
            made.close()


__all__ = ["PAGE_SIZE", "PROJECT", "SIZE", "VOTES", "House", "house"]
