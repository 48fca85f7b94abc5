"""Slots at the remote: the limit holds over all processes, and a slot is freed if its holder dies."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hrims.db import AsyncPool, Connection
from hrims.errors import RemoteUnreachable
from hrims.limits import slots as slots_module
from hrims.limits import store
from hrims.limits.slots import Slots
from tests.support.databases import execute_as_owner
from tests.unit.slow_to_cancel import SlowToCancel

LEASE = 30.0
"""Seconds; nothing in these tests waits for it."""

SHORT = 0.4


WANTED = "SELECT count(*) FROM remote_slots WHERE wanted_at IS NOT NULL"


@pytest.fixture
def frequent_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give idle slots back after a moment, at renewals of which a lease has many."""
    monkeypatch.setattr(slots_module, "RENEWALS_PER_LEASE", 100)
    monkeypatch.setattr(slots_module, "MAX_IDLE", 0.2)


class Asking:
    """So many tasks that each hold a place until they are told to go on."""

    def __init__(self, slots: Slots, count: int) -> None:
        self.held, self.most, self.done = 0, 0, asyncio.Event()
        self.tasks = [asyncio.create_task(self._one(slots)) for _ in range(count)]

    async def _one(self, slots: Slots) -> None:
        async with slots.acquire():
            self.held += 1
            self.most = max(self.most, self.held)
            await self.done.wait()
            self.held -= 1

    async def end(self) -> None:
        self.done.set()
        await asyncio.gather(*self.tasks)


async def wait_until(reached: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait for it. A place that is given back is free after up to ten seconds; the machine may be slow."""
    async with asyncio.timeout(60):
        while True:
            found = reached()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


def taken(conn: Connection) -> int:
    """Return the number of slots that are held now."""
    row = conn.execute("SELECT count(*) FROM remote_slots WHERE until > now()").fetchone()
    assert row
    return int(row[0])


async def test_it_works(conn: Connection, pool: AsyncPool, frequent_renewals: None) -> None:
    async with Slots(pool, 3, LEASE) as small, Slots(pool, 3, LEASE) as other:
        first = Asking(small, 2)
        await wait_until(lambda: first.held == 2)
        # Only now: four tasks at once could take all slots, and those of the first would wait for them.
        second = Asking(other, 4)
        await wait_until(lambda: second.held == 1)
        assert taken(conn) == 3
        await first.end()
        # What one gives back, after its turn, the other gets.
        await wait_until(lambda: second.held == 3)
        await second.end()
    assert taken(conn) == 0
    assert second.most == 3


async def test_a_slot_goes_to_the_longest_waiting_task(conn: Connection, pool: AsyncPool) -> None:
    """Who gives one back looks again sooner than anybody else: without turns, others would starve."""
    async with Slots(pool, 2, SHORT) as large, Slots(pool, 2, SHORT) as small, Slots(pool, 2, SHORT) as other:
        pages, ended = 0, asyncio.Event()

        async def ask_on() -> None:
            nonlocal pages
            while not ended.is_set():
                async with large.acquire():
                    await asyncio.sleep(SHORT / 2)  # the whole turn: each page acquires a slot again
                    pages += 1

        asking = [asyncio.create_task(ask_on()) for _ in range(4)]
        await wait_until(lambda: pages >= 2)
        waiting = [asyncio.create_task(_have_one(slots)) for slots in (small, other)]
        before = pages
        async with asyncio.timeout(60):
            await asyncio.gather(*waiting)
        # Those in flight, and once more for each who got a place meanwhile.
        assert pages - before <= 2 * (1 + len(waiting)), "others went first who came later"
        ended.set()
        await asyncio.gather(*asking)
    assert conn.execute("SELECT FROM remote_waiters").rowcount == 0


async def test_a_process_killed_while_it_waited_delays_no_other(conn: Connection, pool: AsyncPool) -> None:
    conn.execute(
        "INSERT INTO remote_waiters VALUES ('gone', now() - interval '1 hour', now() - interval '3 s')"
    )
    async with asyncio.timeout(10), Slots(pool, 1, LEASE) as slots, slots.acquire():
        assert taken(conn) == 1


async def _have_one(slots: Slots) -> None:
    async with slots.acquire():
        pass


async def test_a_place_is_kept_for_the_next_page(conn: Connection, pool: AsyncPool) -> None:
    async with Slots(pool, 3, LEASE) as slots:
        for _ in range(5):
            async with slots.acquire():
                assert taken(conn) == 1


async def test_the_slot_of_a_dead_process_is_free_after_its_lease(conn: Connection, pool: AsyncPool) -> None:
    async with Slots(pool, 1, SHORT) as frozen, Slots(pool, 1, SHORT) as other:
        asking = Asking(frozen, 1)
        await wait_until(lambda: asking.held == 1)
        frozen._renewing.cancel()  # this is what a frozen process comes to
        async with asyncio.timeout(10), other.acquire():
            await asking.end()
            assert taken(conn) == 1, "who had lost the place gave it away"
        async with asyncio.timeout(10), frozen.acquire():
            assert taken(conn) == 1


async def test_a_place_is_held_for_as_long_as_the_page_takes(conn: Connection, pool: AsyncPool) -> None:
    async with Slots(pool, 1, SHORT) as slots, slots.acquire():
        started_at = conn.execute("SELECT until FROM remote_slots").fetchone()
        assert started_at

        def renewed() -> bool:
            return conn.execute(
                "SELECT until > %s + interval '1 second' FROM remote_slots", started_at
            ).fetchone() == (True,)

        await wait_until(renewed)


async def test_a_late_renewal_succeeds_if_the_slot_is_still_free(conn: Connection, pool: AsyncPool) -> None:
    """The database was away for longer than a lease; both come back, and the other one looks first."""
    async with Slots(pool, 1, LEASE) as other:
        async with Slots(pool, 1, LEASE) as holder:
            before = Asking(holder, 1)
            await wait_until(lambda: before.held == 1)
            conn.execute("UPDATE remote_slots SET until = now() - interval '1 minute'")
            after = Asking(other, 1)
            await wait_until(lambda: conn.execute(WANTED).fetchone() == (1,))
            async with pool.connection() as late:
                await store.renew_slots(late, holder._holder, [1], LEASE)
            assert conn.execute(WANTED).fetchone() == (0,)
            assert (before.held, after.held) == (1, 0)
            await before.end()
        await wait_until(lambda: after.held == 1)
        await after.end()


def test_places_are_there_after_a_crash(conn: Connection) -> None:
    kind = conn.execute("SELECT relpersistence::text FROM pg_class WHERE relname = 'remote_slots'")
    assert kind.fetchone() == ("p",)


async def test_places_come_back_if_the_table_forgot_them(conn: Connection, pool: AsyncPool) -> None:
    async with Slots(pool, 2, SHORT) as slots:
        asking = Asking(slots, 2)
        await wait_until(lambda: asking.held == 2)
        execute_as_owner(conn, "TRUNCATE remote_slots")
        await wait_until(lambda: taken(conn) == 2)
        await asking.end()


async def test_a_place_that_is_held_is_not_taken_twice_if_the_table_forgot_it(
    conn: Connection, pool: AsyncPool
) -> None:
    async with Slots(pool, 4, LEASE) as slots:
        before = Asking(slots, 2)
        await wait_until(lambda: before.held == 2)
        execute_as_owner(conn, "TRUNCATE remote_slots")
        after = Asking(slots, 2)
        await wait_until(lambda: after.held == 2)
        assert taken(conn) == 2, "those of before have not been renewed yet"
        await before.end()
        await after.end()


async def test_a_cancellation_while_places_are_given_back_is_heeded(
    conn: Connection, pool: AsyncPool
) -> None:
    """HRIMS failed; the attempt is to be handed back, not to fail, when the worker stops."""
    renewing = SlowToCancel()

    async def work() -> None:
        async with Slots(pool, 3, LEASE) as slots:
            async with slots.acquire():
                pass
            slots._renewing.cancel()
            slots._renewing = asyncio.create_task(renewing.run())
            await renewing.begun.wait()
            raise RemoteUnreachable("it broke off")

    working = asyncio.create_task(work())
    await asyncio.wait_for(renewing.cancelled.wait(), 60)
    working.cancel()
    renewing.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 60)
    assert taken(conn) == 0
