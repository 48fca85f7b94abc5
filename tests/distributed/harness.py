"""The whole product over a database that the test has set up: commands, web, workers, and who is saved."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from hrims.installation import DEMO_REGISTER
from tests import PROJECT
from tests.distributed.api_client import ApiClient
from tests.e2e.processes.product import run, wait_until
from tests.resilience.scenarios.runner import VOTES
from tests.support.harness import World
from tests.support.served import Served
from tests.support.simulated import Simulator
from tests.support.users import PASSWORD

SIZE, PAGE_SIZE = 240, 25
"""People of each institution, ten pages of them."""

TIMEOUT = 150.0


class Harness:
    """A world whose database may be elsewhere tomorrow: ``url`` is what the product knows of it."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.remote = world, world.simulator
        world.settings["DATABASE_URL"] = url
        world.timeout = TIMEOUT
        self.open = contextlib.ExitStack()

    def command(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of the product and return its output."""
        done = run(*arguments, env=self.world.env(), stdin=stdin)
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def set_up(self) -> None:
        """Set up schema, register, user, token and web process, as an operator would."""
        self.command("migrate")
        self.command("institutions", "import", str(DEMO_REGISTER))
        add = ("user", "add", "binti", "--role", "administrator", "--password-stdin")
        self.command(*add, stdin=PASSWORD)
        token = self.command("token", "add", "payroll")
        self.web = self.open.enter_context(Served(self.world.folder, self.world.settings))
        self.machine = ApiClient(self.web.url, token)
        self.open.callback(self.machine.close)

    def moved(self, dsn: str) -> None:
        """Let the test connect to the database at its new address."""
        self.world.conn.close()
        self.world.dsn, self.world.conn = dsn, psycopg.connect(dsn, autocommit=True)

    def pages(self) -> set[tuple[int, ...]]:
        """Return every page that is saved: run, reading, size, number and attempt."""
        return set(self.world.rows(PAGES))

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Poll until the condition holds."""
        wait_until(reached, self.describe_state)

    def describe_state(self) -> str:
        """Return the state of queue, workers and logs, for the message of a failed wait."""
        try:
            state = self.world.describe_state()
        except psycopg.Error as reason:
            state = f"the database does not respond: {reason}"
        web = self.web.log.read_text()[-3000:]
        return f"{state}\n{self.remote.counters()['in_flight']} in flight\n{self.world.logs()}\n{web}"

    def wait_for_ends(self, runs: list[int], vote: str = "") -> None:
        """Wait until all these runs are complete."""
        for run_id in runs:
            ended = self.world.wait_for_end(run_id)
            assert ended.outcome in {"complete", "complete_after_repair"}, f"{ended}\n{self.describe_state()}"

    def assert_saved_once(self, *votes: str) -> None:
        """Assert that exactly the listed employees are saved, once, and none by a stale attempt."""
        for vote in votes:
            listed = Counter(person["zan_id"] for person in self.remote.people(vote=vote) if person["zan_id"])
            saved = Counter(self.world.saved_zan_ids(vote))
            assert saved == listed, f"{vote}: {saved - listed} too many, {listed - saved} too few"
        assert self.world.runs_with_stale_pages() == []

    def close(self) -> None:
        """End web and workers."""
        self.world.close()
        self.open.close()
        self.world.conn.close()


PAGES = "SELECT run_id, reading, page_size, page_number, attempt FROM run_pages"


@contextlib.contextmanager
def harness(
    dsn: str, url: str, folder: Path, *, host: str = "127.0.0.1", **settings: str
) -> Iterator[Harness]:
    """Provide a harness over this database, which the product reaches by ``url``."""
    sizes = dict.fromkeys(VOTES, SIZE)
    with Simulator(sizes=sizes, scale=0.02, latency_ms=40, jitter_ms=20, host=host) as remote:
        made = Harness(World(dsn, psycopg.connect(dsn, autocommit=True), remote, folder), url)
        made.world.settings |= settings
        try:
            made.set_up()
            yield made
        finally:
            made.close()


__all__ = ["PAGE_SIZE", "PROJECT", "SIZE", "VOTES", "Harness", "harness"]
