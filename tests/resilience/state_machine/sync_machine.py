"""State machine of a sync: Hypothesis changes and breaks the remote, and kills and freezes workers.

After every run the remote's people are saved or rejected, or the run is incomplete.
"""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from hrims.jobs.rescuer.task import MAX_RESCUES
from tests.resilience.state_machine.harness import PAGE_SIZE, SIZE
from tests.resilience.state_machine.worker_rules import WorkerRules

FAULTS = (
    "body500",
    "reset",
    "html",
    "half_json",
    "repeat_page",
    "short_page",
    "wrong_page_number",
    "data_null",
)

positions = st.integers(0, SIZE - 10)


class SyncMachine(WorkerRules):
    """One institution."""

    max_losses = MAX_RESCUES

    def __init__(self) -> None:
        super().__init__()
        self.vote = next(self.harness.votes)
        self.harness.remote.reset()
        self.run_id: int | None = None
        self.before: list[str | None] = []
        self.changed = False

    @property
    def can_lose_worker(self) -> bool:
        return bool(self.run_id) and super().can_lose_worker

    @precondition(lambda self: self.run_id is None)
    @rule()
    def enqueue(self) -> None:
        """Enqueue a run."""
        self.before, self.changed, self.losses = self.harness.listed(self.vote), False, 0
        self.run_id = self.harness.world.enqueue(self.vote, page_size=PAGE_SIZE)

    @rule(at=positions)
    def add(self, at: int) -> None:
        """Add a person to the list."""
        self.harness.remote.add_people(vote=self.vote, count=1, at=at)
        self.changed = True

    @rule(at=positions)
    def remove(self, at: int) -> None:
        """Remove a person from the list."""
        known = [zan_id for zan_id in self.harness.listed(self.vote) if zan_id]
        if len(known) > SIZE // 2:
            self.harness.remote.remove_people(known[at % len(known)], vote=self.vote)
            self.changed = True

    @rule(start=positions, end=positions)
    def move(self, start: int, end: int) -> None:
        """Move a person to another position of the list."""
        count = len(self.harness.listed(self.vote))
        self.harness.remote.move_person(start=start % count, end=end % count, vote=self.vote)
        self.changed = True

    @rule(kind=st.sampled_from(FAULTS), page=st.integers(0, SIZE // PAGE_SIZE), times=st.integers(1, 3))
    def fail(self, kind: str, page: int, times: int) -> None:
        """Add a fault of a page."""
        self.harness.remote.fail(kind, vote=self.vote, page=page, size=PAGE_SIZE, times=times)

    @precondition(lambda self: self.run_id)
    @rule(requests=st.integers(1, 8))
    def proceed(self, requests: int) -> None:
        """Wait for some requests."""
        assert self.run_id
        if self.harness.alive:
            self.harness.proceed(self.run_id, requests)

    @precondition(lambda self: self.run_id)
    @rule()
    def wait_for_end(self) -> None:
        """Wait for the end of the run and check its result."""
        assert self.run_id
        self.ensure_worker()
        run = self.harness.world.wait_for_end(self.run_id)
        after, saved = self.harness.listed(self.vote), set(self.harness.world.saved_zan_ids(self.vote))
        lost = {person for person in self.before if person} & {person for person in after if person} - saved
        context = f"{run.outcome}, {run.missing} missing: {run.trouble}; really lost: {lost}"
        assert run.state == "completed", run
        assert not lost or run.outcome == "incomplete", context
        if run.outcome == "incomplete":
            assert self.changed, context
            assert run.missing or run.trouble, context
        elif not self.changed:
            assert run.people == sum(person is not None for person in after), context
            assert run.rejected == after.count(None), context
        self.run_id = None

    @invariant()
    def no_employee_is_listed_twice(self) -> None:
        """Assert that no employee is listed twice."""
        saved = self.harness.world.saved_zan_ids(self.vote)
        assert len(saved) == len(set(saved))

    @invariant()
    def stale_attempts_save_nothing(self) -> None:
        """Assert that a stale attempt saves nothing, however late it resumes."""
        assert self.harness.world.runs_with_stale_pages() == []

    def teardown(self) -> None:
        """Finish the run."""
        self.resume_all()
        if self.run_id:
            self.wait_for_end()
