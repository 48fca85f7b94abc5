"""Rules on workers, for every state machine: Hypothesis starts, kills, freezes and resumes at most two."""

from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.resilience.state_machine.harness import Harness

MAX_WORKERS = 2


class WorkerRules(RuleBasedStateMachine):
    """A state machine over workers; the test sets ``harness``.

    Two examples never have the same workers at a step, so no precondition reads whether one runs.
    """

    harness: Harness
    max_losses: int
    """Workers that an example kills or freezes at most."""

    def __init__(self) -> None:
        super().__init__()
        self.losses = 0

    @property
    def can_lose_worker(self) -> bool:
        """Whether a worker may be killed or frozen now."""
        return self.losses < self.max_losses

    @rule()
    def start_worker(self) -> None:
        """Start a worker, up to two."""
        if len(self.harness.alive) < MAX_WORKERS:
            self.harness.start()

    @precondition(lambda self: self.can_lose_worker)
    @rule()
    def kill(self) -> None:
        """Kill a worker if one runs."""
        if self.harness.alive:
            self.harness.kill()
        self.losses += 1

    @precondition(lambda self: self.can_lose_worker)
    @rule()
    def freeze(self) -> None:
        """Freeze a worker, so that it is presumed dead."""
        if self.harness.alive:
            self.harness.freeze()
        self.losses += 1

    @rule()
    def resume(self) -> None:
        """Resume a frozen worker."""
        if self.harness.frozen:
            self.harness.resume()

    def ensure_worker(self) -> None:
        """Start a worker if none runs."""
        if not self.harness.alive:
            self.harness.start()

    def resume_all(self) -> None:
        """Resume all frozen workers."""
        while self.harness.frozen:
            self.harness.resume()
