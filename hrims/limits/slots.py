"""Slots: a concurrency limiter. It bounds the requests in flight to HRIMS of all workers together."""

import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Callable
from logging import DEBUG, WARNING
from random import Random
from types import TracebackType
from typing import Self

import psycopg
from psycopg_pool import PoolTimeout

from hrims.backoff import exponential_backoff, half_jitter
from hrims.db import AsyncPool
from hrims.limits import store
from hrims.log import get_logger
from hrims.resilience import name_of, note_outage, raise_if_cancelled, retry_on_disconnect

RENEWALS_PER_LEASE = 4
"""Renewals within one lease: some may fail before the slot is lost."""

GRACE = 0.5
"""The fraction of a lease for which its holder may still renew it after it has expired.

When the database returns after an outage, all leases have expired, while their holders may still have
requests in flight.
"""

MAX_IDLE = 2.0
"""Seconds for which a run keeps an idle slot between pages. Then the slot goes to the longest waiter."""

FIRST_PAUSE, MAX_PAUSE = 0.02, 0.5
"""Seconds between two attempts to acquire a slot: doubled from the first value up to the maximum."""

log = get_logger(__name__)


class Slots:
    """The slots of one run. Use it as an async context manager, and ``acquire()`` for each page."""

    def __init__(self, pool: AsyncPool, limit: int | Callable[[], int], lease: float) -> None:
        """Create a holder of slots, of which there are ``limit`` over all workers. The limit may change.

        The slot of a worker that stops renewing becomes free after ``lease`` seconds. Another worker must
        have wanted it for the grace period.
        """
        self._pool, self._lease = pool, lease
        self._get_limit = limit if callable(limit) else lambda: limit
        self._max_idle = min(MAX_IDLE, lease / 2)
        self._holder = uuid.uuid4().hex
        self._busy: dict[int, float] = {}
        self._idle: dict[int, float] = {}
        self._writing = asyncio.Lock()
        self._waits = False
        self._rng = Random()  # noqa: S311 - jitter

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._renewing
        # Not retry_on_disconnect: slots that are not released become free when their lease expires.
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            await self._release([*self._busy, *self._idle])
            if self._waits:
                await self._delete_waiter()
        # The caller may have been cancelled while it waited for the renewal task to end.
        raise_if_cancelled()

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        """Hold a slot during the block. Wait while all are taken."""
        number, since = await self._acquire()
        self._busy[number] = since
        try:
            yield
        finally:
            del self._busy[number]
            self._idle[number] = since

    async def _acquire(self) -> tuple[int, float]:
        for attempts in itertools.count(1):
            await self._release_idle()
            if self._idle:
                return self._idle.popitem()
            number = await retry_on_disconnect(self._acquire_free)
            if number is not None:
                return number, time.monotonic()
            pause = half_jitter(exponential_backoff(FIRST_PAUSE, attempts, MAX_PAUSE), self._rng)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _acquire_free(self) -> int | None:
        # Exclude the slots that this object has, in case the table has lost them.
        held = [*self._busy, *self._idle]
        async with self._pool.connection() as conn:
            number = await store.acquire_slot(
                conn, self._holder, self._get_limit(), self._lease, self._lease * GRACE, held
            )
            if number is None:
                await store.register_waiter(conn, self._holder)
            elif self._waits:
                await store.delete_waiter(conn, self._holder)
        self._waits = number is None
        return number

    async def _release_idle(self) -> None:
        now, limit = time.monotonic(), self._get_limit()
        expired = [
            number for number, since in self._idle.items() if now - since > self._max_idle or number > limit
        ]
        if expired:
            for number in expired:
                del self._idle[number]
            await retry_on_disconnect(lambda: self._release(expired))

    async def _release(self, slots: list[int]) -> None:
        async with self._writing, self._pool.connection() as conn:
            await store.release_slots(conn, self._holder, slots)

    async def _delete_waiter(self) -> None:
        async with self._pool.connection() as conn:
            await store.delete_waiter(conn, self._holder)

    async def _renew(self) -> None:
        pause = self._lease / RENEWALS_PER_LEASE
        while True:
            await asyncio.sleep(pause)
            try:
                await self._release_idle()
                # Serialize renewal and release: a renewal must not insert a slot that was just released.
                async with self._writing, self._pool.connection() as conn:
                    await store.renew_slots(conn, self._holder, [*self._busy, *self._idle], self._lease)
                pause = self._lease / RENEWALS_PER_LEASE
            except (psycopg.Error, PoolTimeout) as error:
                raise_if_cancelled()
                pause = min(pause, MAX_PAUSE)
                log.log(DEBUG if note_outage(error) else WARNING, "slots_not_renewed", error=name_of(error))
