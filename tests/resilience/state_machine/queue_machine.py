"""State machine of the queue: Hypothesis enqueues, cancels, retries, pauses, schedules, kills and freezes.

In any order of these, no run is stuck, executed twice at once, or attempted too often.
"""

import contextlib
from collections.abc import Callable

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule
from procrastinate.exceptions import ConnectorException

from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import control
from hrims.jobs.rate_limit import actions
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.rescuer.task import MAX_RESCUES
from hrims.schedules import actions as schedules
from hrims.schedules.request import ScheduleRequest
from tests.resilience.state_machine.harness import PAGE_SIZE
from tests.resilience.state_machine.worker_rules import WorkerRules
from tests.support.databases import execute_as_owner
from tests.support.users import ASHA, BINTI

ATTEMPTS = 2
"""The maximum number of attempts of a run."""

institutions = st.integers(0, 2)


def _delete_runs(conn: Connection) -> None:
    """Delete all runs.

    Workers of the previous example lock the tables in another order, so repeat after a deadlock.
    """
    while True:
        try:
            execute_as_owner(conn, "TRUNCATE runs, batches, schedules, run_starts CASCADE")
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            continue
        return


class QueueMachine(WorkerRules):
    """Three institutions."""

    max_losses = 4

    def __init__(self) -> None:
        super().__init__()
        world = self.harness.world
        self.harness.remote.reset()
        # The lock timeout of the web process.
        world.conn.execute("SET lock_timeout = '2s'")
        _delete_runs(world.conn)
        world.conn.execute("DELETE FROM procrastinate_jobs WHERE queue_name = 'sync'")
        self.votes = ("001", "002", "003")
        self.ids = [
            id_
            for (id_,) in world.rows(
                f"SELECT id FROM institutions WHERE vote_code IN {self.votes} ORDER BY id"
            )
        ]
        self.paused = False
        self.schedule: int | None = None

    def runs(self, *states: str) -> list[int]:
        """Return the ids of runs in these states."""
        rows = self.harness.world.conn.execute(
            "SELECT id FROM runs WHERE state = ANY(%s) ORDER BY id", ([*states],)
        )
        return [run_id for (run_id,) in rows]

    @rule(which=institutions)
    def enqueue(self, which: int) -> None:
        """Enqueue a run."""
        self._ignore_conflict(lambda: self.harness.world.enqueue(self.votes[which], page_size=PAGE_SIZE))

    @rule()
    def enqueue_batch(self) -> None:
        """Enqueue a batch of all three institutions."""
        conn = self.harness.world.conn
        self._ignore_conflict(
            lambda: batches.enqueue_batch(conn, ASHA, "selection", institutions=self.ids, page_size=PAGE_SIZE)
        )

    @rule()
    def make_due(self) -> None:
        """Make a schedule due."""
        conn = self.harness.world.conn
        if self.schedule is None:
            request = ScheduleRequest(
                name="Nightly", cron="0 1 * * *", institutions=self.ids, page_size=PAGE_SIZE
            )
            self.schedule = schedules.add(conn, BINTI, request)
        conn.execute("UPDATE schedules SET next_at = now() WHERE next_at > now() + interval '1 minute'")

    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        """Cancel a run in any state."""
        if runs := self.runs("waiting", "delayed", "active"):
            self._ignore_conflict(
                lambda: control.cancel(self.harness.world.conn, ASHA, runs[which % len(runs)])
            )

    @rule(which=st.integers(0, 5), is_new_run=st.booleans())
    def retry(self, which: int, is_new_run: bool) -> None:
        """Retry a failed or cancelled run."""
        action = control.repeat_run if is_new_run else control.retry
        if runs := self.runs("failed", "cancelled"):
            self._ignore_conflict(lambda: action(self.harness.world.conn, ASHA, runs[which % len(runs)]))

    @rule(which=st.integers(0, 5), priority=st.sampled_from([*PRIORITIES]))
    def set_priority(self, which: int, priority: str) -> None:
        """Change the priority of a run."""
        if runs := self.runs("waiting", "delayed"):
            run = runs[which % len(runs)]
            self._ignore_conflict(lambda: actions.set_priority(self.harness.world.conn, ASHA, run, priority))

    @rule()
    def pause_or_resume(self) -> None:
        """Pause or resume the queue."""
        if self.paused:
            actions.resume(self.harness.world.conn, BINTI)
        else:
            actions.pause(self.harness.world.conn, BINTI, "a test")
        self.paused = not self.paused

    @rule(which=institutions, times=st.integers(1, 4))
    def break_listing(self, which: int, times: int) -> None:
        """Let HRIMS answer a few times that an institution is unknown."""
        self.harness.remote.fail("data_null", vote=self.votes[which], times=times * 5)

    @rule(requests=st.integers(1, 6))
    def proceed(self, requests: int) -> None:
        """Wait for some requests if a run is under way."""
        if (runs := self.runs("active")) and self.harness.alive:
            self.harness.proceed(runs[0], requests)

    def _ignore_conflict(self, action: Callable[[], object]) -> None:
        """Perform a user's action. It may fail if the run has changed or a frozen worker locks it."""
        with contextlib.suppress(Conflict, psycopg.errors.LockNotAvailable, ConnectorException):
            action()

    @invariant()
    def no_run_is_executed_twice_at_once(self) -> None:
        """Assert that a run has one open attempt at a time and that a stale attempt saves nothing."""
        rows = self.harness.world.rows
        assert (
            rows("SELECT run_id FROM run_attempts WHERE ended_at IS NULL GROUP BY 1 HAVING count(*) > 1")
            == []
        )
        assert self.harness.world.runs_with_stale_pages() == []

    @invariant()
    def no_run_exceeds_its_attempts(self) -> None:
        """Assert that no run has more attempts or rescues than allowed."""
        rows = self.harness.world.rows
        assert rows(f"SELECT id FROM runs WHERE failures > {ATTEMPTS} OR rescues > {MAX_RESCUES}") == []

    def teardown(self) -> None:
        """Assert that every run ends and that complete runs have all employees."""
        self.resume_all()
        if self.paused:
            actions.resume(self.harness.world.conn, BINTI)
        self.ensure_worker()
        self.harness.remote.reset()
        for run_id in self.runs("waiting", "delayed", "active"):
            self.harness.world.wait_for_end(run_id)
        self.no_run_is_executed_twice_at_once()
        for vote in self.votes:
            [done] = self.harness.world.rows(DONE.format(vote)) or [None]
            if done:
                assert done == (len(self.harness.listed(vote)), len(self.harness.world.saved_zan_ids(vote)))


DONE = """
SELECT DISTINCT r.people, r.people FROM runs r JOIN institutions i ON i.id = r.institution_id
WHERE i.vote_code = '{}' AND r.outcome LIKE 'complete%'
"""
