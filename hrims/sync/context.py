"""The dependencies of one attempt at a run, for every kind of run."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import RemoteError
from hrims.jobs.attempts.store import Attempt
from hrims.limits import breaker
from hrims.limits.slots import Slots
from hrims.remote.client import Remote
from hrims.remote.wire import Page
from hrims.sync.spans import Span


@dataclass(frozen=True)
class SyncContext:
    """An attempt, its HRIMS client, connection pool and settings, and whether the worker is stopping.

    ``is_stopping`` raises DeadlinePassed once the run's deadline has passed.
    """

    attempt: Attempt
    remote: Remote
    pool: AsyncPool
    settings: Settings
    is_stopping: Callable[[], bool]
    slots: Slots = field(init=False)
    """The slots for requests to HRIMS. Requests are sent within a block of ``use_remote``."""

    def __post_init__(self) -> None:
        # A silent worker keeps its slots for as long as it counts as alive.
        slots = Slots(self.pool, lambda: self.remote.max_in_flight, self.settings.silent_seconds)
        object.__setattr__(self, "slots", slots)

    @contextlib.asynccontextmanager
    async def use_remote(self) -> AsyncIterator[None]:
        """Allow requests to HRIMS during the block.

        Raises RemoteDown while the circuit breaker is open. Raises the block's RemoteError as the circuit
        breaker classifies it.
        """
        await breaker.ensure_closed(self.pool, self.remote)
        try:
            async with self.slots:
                yield
        except RemoteError as error:
            raise await breaker.classify_failure(self.pool, self.remote, self.settings, error) from error

    async def request(self, span: Span) -> Page:
        """Request a page of the institution's list once, in its own slot. Raises RemoteError."""
        async with self.slots.acquire():
            return await self.remote.page(
                self.attempt.identifier_type, self.attempt.identifier, span.number, span.size
            )
