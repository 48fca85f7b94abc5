"""What one attempt at a run works with, whatever kind of run it is."""

from collections.abc import Callable
from typing import NamedTuple

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.limits.slots import Slots
from hrims.remote.client import Remote
from hrims.remote.wire import Page
from hrims.sync.spans import Span


class Work(NamedTuple):
    """An attempt, whom it may ask, where it saves, and whether its worker was asked to stop; asking that
    raises DeadlinePassed once the run's time is over.
    """

    attempt: Attempt
    remote: Remote
    pool: AsyncPool
    settings: Settings
    is_stopping: Callable[[], bool]


class Reader(NamedTuple):
    """What a reading needs: the attempt's Work, and places at the remote."""

    attempt: Attempt
    remote: Remote
    pool: AsyncPool
    settings: Settings
    is_stopping: Callable[[], bool]
    slots: Slots

    async def request(self, span: Span) -> Page:
        """Request a page of the institution's list once, in a slot of its own. Raises RemoteError."""
        async with self.slots.one():
            return await self.remote.page(
                self.attempt.identifier_type, self.attempt.identifier, span.number, span.size
            )
