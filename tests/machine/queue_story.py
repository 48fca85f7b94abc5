"""Stories of the queue that nobody thought of: Hypothesis asks, cancels, tries again, pauses, schedules,
kills, freezes and wakes in any order. No run gets stuck, none is carried out twice at once, and none has more
attempts than it may.
"""

import contextlib
from collections.abc import Callable

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from procrastinate.exceptions import ConnectorException

from hrims.batches import ask as batches
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import control
from hrims.jobs.rescue.watch import MOST_RESCUES
from hrims.jobs.starts import decide
from hrims.jobs.starts.priorities import PRIORITIES
from hrims.schedules import decide as schedules
from tests.database.runs import ASHA
from tests.machine.house import PAGE_SIZE, House

ATTEMPTS = 2
"""Of a run before it has failed."""

institutions = st.integers(0, 2)


def _delete_runs(conn: Connection) -> None:
    """Delete all runs. The workers of the story before still look at the tables, in another order: whoever
    the database picks to end their deadlock begins again.
    """
    while True:
        try:
            conn.execute("TRUNCATE runs, batches, schedules, run_starts CASCADE")
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            continue
        return


class QueueStory(RuleBasedStateMachine):
    """Three institutions; ``house`` is set by whoever runs it."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        world = self.house.world
        self.house.remote.reset()
        # As the pool of the web process has it.
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
        self.losses = 0

    def runs(self, *states: str) -> list[int]:
        """Runs in these states."""
        rows = self.house.world.conn.execute(
            "SELECT id FROM runs WHERE state = ANY(%s) ORDER BY id", ([*states],)
        )
        return [run_id for (run_id,) in rows]

    @rule(which=institutions)
    def ask(self, which: int) -> None:
        """Somebody presses the button."""
        self._may_be_late(lambda: self.house.world.ask(self.votes[which], page_size=PAGE_SIZE))

    @rule()
    def ask_for_all(self) -> None:
        """Somebody asks for all three."""
        conn = self.house.world.conn
        self._may_be_late(
            lambda: batches.ask(conn, ASHA, "selection", institutions=self.ids, page_size=PAGE_SIZE)
        )

    @rule()
    def make_due(self) -> None:
        """A schedule comes to its time."""
        conn = self.house.world.conn
        if self.schedule is None:
            wish = {"name": "Nightly", "cron": "0 1 * * *", "institutions": self.ids, "pageSize": PAGE_SIZE}
            self.schedule = schedules.add(conn, ASHA, wish)
        conn.execute("UPDATE schedules SET next_at = now() WHERE next_at > now() + interval '1 minute'")

    @rule(which=st.integers(0, 5))
    def cancel(self, which: int) -> None:
        """Somebody cancels a run, wherever it is."""
        if runs := self.runs("waiting", "delayed", "active"):
            self._may_be_late(lambda: control.cancel(self.house.world.conn, ASHA, runs[which % len(runs)]))

    @rule(which=st.integers(0, 5), afresh=st.booleans())
    def try_again(self, which: int, afresh: bool) -> None:
        """Somebody tries again what failed or was cancelled."""
        deed = control.start_afresh if afresh else control.retry
        if runs := self.runs("failed", "cancelled"):
            self._may_be_late(lambda: deed(self.house.world.conn, ASHA, runs[which % len(runs)]))

    @rule(which=st.integers(0, 5), priority=st.sampled_from([*PRIORITIES]))
    def prioritise(self, which: int, priority: str) -> None:
        """Somebody is in a hurry, or is not."""
        if runs := self.runs("waiting", "delayed"):
            run = runs[which % len(runs)]
            self._may_be_late(lambda: decide.prioritise(self.house.world.conn, ASHA, run, priority))

    @rule()
    def pause_or_resume(self) -> None:
        """Somebody stops the queue, or lets it go on."""
        if self.paused:
            decide.go_on(self.house.world.conn, ASHA)
        else:
            decide.pause(self.house.world.conn, ASHA, "a story")
        self.paused = not self.paused

    @rule(which=institutions, times=st.integers(1, 4))
    def break_listing(self, which: int, times: int) -> None:
        """HRIMS does not know an institution, a few times."""
        self.house.remote.fail("data_null", vote=self.votes[which], times=times * 5)

    @rule()
    def start_worker(self) -> None:
        """One more worker, up to two."""
        if len(self.house.alive) < 2:
            self.house.start()

    @precondition(lambda self: self.losses < 4)
    @rule()
    def kill(self) -> None:
        """A worker dies, if one lives."""
        if self.house.alive:
            self.house.kill()
        self.losses += 1

    @precondition(lambda self: self.losses < 4)
    @rule()
    def freeze(self) -> None:
        """A worker is thought dead, and is not."""
        if self.house.alive:
            self.house.freeze()
        self.losses += 1

    @rule()
    def wake(self) -> None:
        """One that was frozen comes back."""
        if self.house.frozen:
            self.house.wake()

    @rule(requests=st.integers(1, 6))
    def proceed(self, requests: int) -> None:
        """Some requests later, if anything is under way."""
        if (runs := self.runs("active")) and self.house.alive:
            self.house.proceed(runs[0], requests)

    def _may_be_late(self, deed: Callable[[], object]) -> None:
        """Does what a person does. That the run has gone on meanwhile is said, and so is that a worker which
        froze holds it: neither is a fault.
        """
        with contextlib.suppress(Conflict, psycopg.errors.LockNotAvailable, ConnectorException):
            deed()

    @invariant()
    def none_is_carried_out_twice_at_once(self) -> None:
        """One attempt a run is open at a time, and who lost its run saves nothing."""
        rows = self.house.world.rows
        assert (
            rows("SELECT run_id FROM run_attempts WHERE ended_at IS NULL GROUP BY 1 HAVING count(*) > 1")
            == []
        )
        assert rows(LATE) == []

    @invariant()
    def none_has_more_attempts_than_it_may(self) -> None:
        """Nor more rescues."""
        rows = self.house.world.rows
        assert rows(f"SELECT id FROM runs WHERE failures > {ATTEMPTS} OR rescues > {MOST_RESCUES}") == []

    def teardown(self) -> None:
        """Every run comes to an end, and what ended well has everybody."""
        while self.house.frozen:
            self.house.wake()
        if self.paused:
            decide.go_on(self.house.world.conn, ASHA)
        if not self.house.alive:
            self.house.start()
        self.house.remote.reset()
        for run_id in self.runs("waiting", "delayed", "active"):
            self.house.world.until_ended(run_id)
        self.none_is_carried_out_twice_at_once()
        for vote in self.votes:
            [done] = self.house.world.rows(DONE.format(vote)) or [None]
            if done:
                assert done == (len(self.house.listed(vote)), len(self.house.saved(vote)))


LATE = """
SELECT p.run_id FROM run_pages p JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
WHERE a.ended_as <> 'finished' AND p.saved_at > a.ended_at
"""

DONE = """
SELECT DISTINCT r.people, r.people FROM runs r JOIN institutions i ON i.id = r.institution_id
WHERE i.vote_code = '{}' AND r.outcome LIKE 'complete%'
"""
