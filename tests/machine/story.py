"""Stories that nobody thought of: Hypothesis changes the remote, breaks it, kills, freezes and wakes workers
in any order; after every run, the remote's people are saved or rejected, or it says that it is incomplete.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.machine.house import PAGE_SIZE, SIZE, House

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

MOST_LOSSES = 3
"""A run that loses more workers is given up."""

places = st.integers(0, SIZE - 10)


class Story(RuleBasedStateMachine):
    """One institution; ``house`` is set by whoever runs it."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.vote = next(self.house.votes)
        self.house.remote.reset()
        self.run_id: int | None = None
        self.losses = 0
        self.before: list[str | None] = []
        self.changed = False

    @precondition(lambda self: self.run_id is None)
    @rule()
    def ask(self) -> None:
        """Somebody presses the button."""
        self.before, self.changed, self.losses = self.house.listed(self.vote), False, 0
        self.run_id = self.house.world.ask(self.vote, page_size=PAGE_SIZE)

    @rule(at=places)
    def add(self, at: int) -> None:
        """HRIMS lists one more."""
        self.house.remote.add_people(vote=self.vote, count=1, at=at)
        self.changed = True

    @rule(at=places)
    def remove(self, at: int) -> None:
        """HRIMS lists one fewer."""
        known = [one for one in self.house.listed(self.vote) if one]
        if len(known) > SIZE // 2:
            self.house.remote.remove_people(known[at % len(known)], vote=self.vote)
            self.changed = True

    @rule(start=places, end=places)
    def move(self, start: int, end: int) -> None:
        """Somebody stands elsewhere in the list now."""
        count = len(self.house.listed(self.vote))
        self.house.remote.move_person(start=start % count, end=end % count, vote=self.vote)
        self.changed = True

    @rule(kind=st.sampled_from(FAULTS), page=st.integers(0, SIZE // PAGE_SIZE), times=st.integers(1, 3))
    def fail(self, kind: str, page: int, times: int) -> None:
        """A page is going to fail."""
        self.house.remote.fail(kind, vote=self.vote, page=page, size=PAGE_SIZE, times=times)

    # Whether a worker lives is never quite the same twice: no precondition asks for it.

    @rule()
    def start_worker(self) -> None:
        """One more worker, up to two."""
        if len(self.house.alive) < 2:
            self.house.start()

    @precondition(lambda self: self.run_id and self.losses < MOST_LOSSES)
    @rule()
    def kill(self) -> None:
        """A worker dies, if one lives."""
        if self.house.alive:
            self.house.kill()
        self.losses += 1

    @precondition(lambda self: self.run_id and self.losses < MOST_LOSSES)
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

    @precondition(lambda self: self.run_id)
    @rule(requests=st.integers(1, 8))
    def proceed(self, requests: int) -> None:
        """Some requests later."""
        assert self.run_id
        if self.house.alive:
            self.house.proceed(self.run_id, requests)

    @precondition(lambda self: self.run_id)
    @rule()
    def end(self) -> None:
        """The run comes to its end, and is judged."""
        assert self.run_id
        if not self.house.alive:
            self.house.start()
        run = self.house.world.until_ended(self.run_id)
        after, saved = self.house.listed(self.vote), set(self.house.saved(self.vote))
        lost = {one for one in self.before if one} & {one for one in after if one} - saved
        told = f"{run.outcome}, {run.missing} missing: {run.trouble}; lost in truth: {lost}"
        assert run.state == "completed", run
        assert not lost or run.outcome == "incomplete", told
        if run.outcome == "incomplete":
            assert self.changed, told
            assert run.missing or run.trouble, told
        elif not self.changed:
            assert run.people == sum(one is not None for one in after), told
            assert run.rejected == after.count(None), told
        self.run_id = None

    @invariant()
    def nobody_is_there_twice(self) -> None:
        """In the list of an institution."""
        saved = self.house.saved(self.vote)
        assert len(saved) == len(set(saved))

    @invariant()
    def who_lost_a_run_saves_nothing(self) -> None:
        """However late it wakes."""
        if self.run_id:
            assert not self.house.saved_by_zombies(self.run_id)

    def teardown(self) -> None:
        """Every story has an end."""
        while self.house.frozen:
            self.house.wake()
        if self.run_id:
            self.end()
