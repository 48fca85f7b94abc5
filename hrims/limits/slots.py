"""Places at the remote: whoever asks takes one of ``HRIMS_MAX_IN_FLIGHT``, over all workers."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import AsyncIterator
from random import Random
from types import TracebackType
from typing import Self

import psycopg
from psycopg_pool import PoolTimeout

from hrims.db import AsyncPool
from hrims.limits import store
from hrims.steady import heed_cancellation, patiently

RENEWALS = 4
"""Renewals in the time for which a place is held: some may fail before it is lost."""

GRACE = 0.5
"""Part of that time for which a holder may still renew a place that was not renewed: when the database comes
back, all leases are over, and those who hold places may still be waiting for HRIMS.
"""

TURN = 2.0
"""Seconds for which a place is kept from page to page before it goes to whoever has waited longest."""

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two looks for a free place."""

log = logging.getLogger(__name__)


class Slots:
    """The places of one run. Use it as an async context manager; ``one()`` for each page."""

    def __init__(self, pool: AsyncPool, most: int, lease: float) -> None:
        """``most`` places in all; that of a worker which fell silent is free after ``lease`` seconds and the
        grace, once it is wanted.
        """
        self._pool, self._most, self._lease = pool, most, lease
        self._turn = min(TURN, lease / 2)
        self._holder = uuid.uuid4().hex
        self._busy: dict[int, float] = {}
        self._idle: dict[int, float] = {}
        self._writing = asyncio.Lock()
        self._waits = False
        self._chance = Random()  # noqa: S311 - jitter

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._keep())
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
        # Not patiently: places that are not given back are free as soon as their lease is over.
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            await self._give([*self._busy, *self._idle])
            if self._waits:
                await self._stop_waiting()
        # The caller may have been cancelled while it waited for the renewing to end.
        heed_cancellation()

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A place for as long as the block takes; waits while all are taken."""
        number, since = await self._take()
        self._busy[number] = since
        try:
            yield
        finally:
            del self._busy[number]
            self._idle[number] = since

    async def _take(self) -> tuple[int, float]:
        pause = FIRST_PAUSE
        while True:
            await self._give_old()
            if self._idle:
                return self._idle.popitem()
            number = await patiently(self._take_free)
            if number is not None:
                return number, time.monotonic()
            await asyncio.sleep(pause * self._chance.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _take_free(self) -> int | None:
        # Should the table know nothing of them: places that are held here are not to be had again.
        mine = [*self._busy, *self._idle]
        async with self._pool.connection() as conn:
            number = await store.take_slot(
                conn, self._holder, self._most, self._lease, self._lease * GRACE, mine
            )
            if number is None:
                await store.wait(conn, self._holder)
            elif self._waits:
                await store.stop_waiting(conn, self._holder)
        self._waits = number is None
        return number

    async def _give_old(self) -> None:
        old = [number for number, since in self._idle.items() if time.monotonic() - since > self._turn]
        if old:
            for number in old:
                del self._idle[number]
            await patiently(lambda: self._give(old))

    async def _give(self, numbers: list[int]) -> None:
        async with self._writing, self._pool.connection() as conn:
            await store.give_slots(conn, self._holder, numbers)

    async def _stop_waiting(self) -> None:
        async with self._pool.connection() as conn:
            await store.stop_waiting(conn, self._holder)

    async def _keep(self) -> None:
        pause = self._lease / RENEWALS
        while True:
            await asyncio.sleep(pause)
            try:
                await self._give_old()
                # One after another: what is given back just now must not be renewed behind it.
                async with self._writing, self._pool.connection() as conn:
                    await store.keep_slots(conn, self._holder, [*self._busy, *self._idle], self._lease)
                pause = self._lease / RENEWALS
            except (psycopg.Error, PoolTimeout) as reason:
                heed_cancellation()
                pause = min(pause, LONGEST_PAUSE)
                log.warning("cannot renew places at the remote just now: %s", type(reason).__name__)
