"""The breaker: opens when HRIMS is down or refuses us, says why, one probes, and all go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import UTC, datetime, timedelta

import procrastinate
import pytest

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.errors import RemoteCredentials, RemoteDown, RemoteError, RemoteFailed, RemoteUnreachable
from hrims.jobs.attempts import store as jobs
from hrims.jobs.queue import FencedJobManager
from hrims.limits import breaker
from hrims.limits.store import close_breaker
from hrims.remote.client import Remote
from tests.database.runs import ask_for, begin, institution, live, until_blocked
from tests.simulated import Simulator

LATER = Settings(probe_pause=300, request_timeout=5)
SOON = Settings(probe_pause=0, request_timeout=5)
HERE, THERE = "https://hrims.here/api", "https://hrims.there/api"
TROUBLE = RemoteUnreachable("HRIMS cannot be reached.")


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    """One for all of these tests."""
    with Simulator(scale=0.02) as one:
        yield one


@pytest.fixture
async def remote(running: Simulator) -> AsyncIterator[Remote]:
    """HRIMS, well and asked by nobody yet."""
    running.reset()
    async with Remote(LATER, base_url=running.url) as one:
        yield one


async def test_it_works(running: Simulator, remote: Remote, pool: AsyncPool) -> None:
    running.control(down=True)
    down = await breaker.suspect(pool, remote, LATER, TROUBLE)
    assert isinstance(down, RemoteDown)
    asked = running.counters()["requests"]
    with pytest.raises(RemoteDown, match="broke the connection") as told:
        await breaker.pass_through(pool, remote, LATER)
    assert told.value.until > datetime.now(UTC) + timedelta(seconds=50)
    assert running.counters()["requests"] == asked, "HRIMS was asked although it is down"


async def test_while_it_is_closed_nobody_probes(running: Simulator, remote: Remote, pool: AsyncPool) -> None:
    await breaker.pass_through(pool, remote, LATER)
    assert running.counters()["requests"] == 0


async def test_trouble_of_one_run_is_no_trouble_of_hrims(remote: Remote, pool: AsyncPool) -> None:
    trouble = RemoteFailed("This page fails.")
    assert await breaker.suspect(pool, remote, LATER, trouble) is trouble
    await breaker.pass_through(pool, remote, LATER)


async def test_refused_credentials_stop_the_others_too(
    running: Simulator, remote: Remote, pool: AsyncPool
) -> None:
    refused = RemoteCredentials("HRIMS does not accept the credentials.")
    assert await breaker.suspect(pool, remote, LATER, refused) is refused
    with pytest.raises(RemoteDown, match="credentials"):
        await breaker.pass_through(pool, remote, LATER)
    assert running.counters()["requests"] == 0


async def test_one_probes_for_all(running: Simulator, remote: Remote, pool: AsyncPool) -> None:
    await breaker.trip(pool, remote.address, SOON, TROUBLE)
    hold = running.hold(operation="202")
    runs = [asyncio.create_task(_ended(breaker.pass_through(pool, remote, SOON))) for _ in range(5)]
    await asyncio.to_thread(running.wait_for, held=1)
    done: set[asyncio.Task[RemoteError | None]] = set()
    while len(done) < 4:
        done = {one for one in runs if one.done()}
        await asyncio.sleep(0.01)
    assert all(isinstance(one.result(), RemoteDown) for one in done)
    running.release(hold)
    assert [await one for one in runs].count(None) == 1
    assert running.counters()["requests"] == 1


async def test_who_waits_for_hrims_goes_on_when_it_is_back(
    conn: Connection, remote: Remote, pool: AsyncPool
) -> None:
    run_id = ask_for(conn, institution(conn))
    attempt = await begin(conn, pool, run_id)
    far = datetime.now(UTC) + timedelta(hours=1)
    await breaker.trip(pool, remote.address, SOON, TROUBLE)
    async with pool.connection() as other:
        down = RemoteDown(str(TROUBLE), address=remote.address, until=far)
        assert await jobs.wait_for_remote(other, attempt, down)
    conn.execute("UPDATE procrastinate_jobs SET scheduled_at = %s", (far,))
    await breaker.pass_through(pool, remote, SOON)
    assert conn.execute("SELECT next_try_at <= now(), failures FROM runs").fetchone() == (True, 0)
    assert conn.execute("SELECT scheduled_at <= now() FROM procrastinate_jobs").fetchone() == (True,)


async def test_who_learns_too_late_that_hrims_is_down_does_not_wait_for_it(
    conn: Connection, pool: AsyncPool
) -> None:
    """The breaker is closed after a run learns of it, and before it says so."""
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    down = await breaker.trip(pool, HERE, LATER, TROUBLE)
    assert down.until > datetime.now(UTC) + timedelta(seconds=60)
    async with pool.connection() as other:
        await close_breaker(other, HERE)
    async with pool.connection() as other:
        assert await jobs.wait_for_remote(other, attempt, down)
    due = conn.execute("SELECT state, next_try_at <= now() FROM runs").fetchone()
    assert due == ("delayed", True)


async def test_a_probe_that_fails_keeps_it_open_for_longer(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    slowly = Settings(probe_pause=10, request_timeout=5)
    await breaker.trip(pool, remote.address, slowly, TROUBLE)
    running.control(down=True)
    pauses = []
    for _ in range(3):
        conn.execute("UPDATE remote_breakers SET probe_at = now()")
        with pytest.raises(RemoteDown) as told:
            await breaker.pass_through(pool, remote, slowly)
        pauses.append((told.value.until - datetime.now(UTC)).total_seconds())
    assert pauses[0] < 21 < pauses[2] <= 121


async def test_it_waits_for_as_long_as_hrims_asks(
    running: Simulator, remote: Remote, pool: AsyncPool
) -> None:
    running.fail("http503", operation="202", retry_after=200)
    down = await breaker.suspect(pool, remote, SOON, TROUBLE)
    assert isinstance(down, RemoteDown)
    assert down.until > datetime.now(UTC) + timedelta(seconds=190)


async def test_a_probe_is_one_of_the_requests_in_flight(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    conn.execute("INSERT INTO remote_slots VALUES (1, 'somebody', now() + interval '1 hour')")
    one = Settings(probe_pause=0, max_in_flight=1)
    asking = asyncio.create_task(breaker.suspect(pool, remote, one, TROUBLE))
    done, _ = await asyncio.wait([asking], timeout=0.3)
    assert not done
    assert running.counters()["requests"] == 0
    conn.execute("DELETE FROM remote_slots")
    assert await asking is TROUBLE


async def test_who_asks_elsewhere_takes_over_at_once(conn: Connection, pool: AsyncPool) -> None:
    """A worker with a wrong address keeps a run for a moment, and takes no other; its colleague goes on."""
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    here, there, somewhere = (live(conn, address=one) for one in (HERE, THERE, None))
    down = await breaker.trip(pool, HERE, LATER, TROUBLE)
    async with pool.connection() as other:
        assert await jobs.wait_for_remote(other, attempt, down)
    assert conn.execute("SELECT next_try_at <= now() FROM runs").fetchone() == (True,)
    assert _leave(conn, here, there, somewhere) == [True, False, False]
    assert conn.execute("SELECT pool_is_refused(NULL)").fetchone() == (None,)


async def test_nobody_leaves_a_run_to_who_cannot_ask_either(conn: Connection, pool: AsyncPool) -> None:
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    here, there = (live(conn, address=one) for one in (HERE, THERE))
    live(conn, "health", address="https://hrims.of.the.pool/api")
    await breaker.trip(pool, HERE, LATER, TROUBLE)
    down = await breaker.trip(pool, THERE, LATER, TROUBLE)
    async with pool.connection() as other:
        assert await jobs.wait_for_remote(other, attempt, down)
    assert conn.execute("SELECT next_try_at = %s FROM runs", (down.until,)).fetchone() == (True,)
    assert _leave(conn, here, there) == [False, False]
    refused = conn.execute("SELECT pool_is_refused(NULL), pool_is_refused('health')").fetchone()
    assert refused == (str(TROUBLE), None)


async def test_who_leaves_runs_to_others_probes_all_the_same(conn: Connection, pool: AsyncPool) -> None:
    here, _ = (live(conn, address=one) for one in (HERE, THERE))
    await breaker.trip(pool, HERE, LATER, TROUBLE)
    assert _leave(conn, here) == [True]
    conn.execute("UPDATE remote_breakers SET probe_at = now()")
    assert _leave(conn, here) == [False]


def _leave(conn: Connection, *workers: int) -> list[bool]:
    return [one for worker in workers for (one,) in conn.execute("SELECT leaves_to_others(%s)", (worker,))]


async def _ended(passing: Awaitable[None]) -> RemoteError | None:
    try:
        await passing
    except RemoteError as reason:
        return reason
    return None


async def test_a_job_that_goes_back_while_the_breaker_is_closed_is_due_too(
    conn: Connection, dsn: str, pool: AsyncPool
) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=2)
    await connector.open_async()
    manager = FencedJobManager(connector)
    run_id = ask_for(conn, institution(conn))
    job = await manager.fetch_job(queues=None, worker_id=await manager.register_worker())
    assert job
    attempt = await begin(conn, pool, run_id)
    down = await breaker.trip(pool, HERE, LATER, TROUBLE)
    async with pool.connection() as other:
        assert await jobs.wait_for_remote(other, attempt, down)
    async with pool.connection() as closing:
        assert await close_breaker(closing, HERE)
        back = asyncio.create_task(manager.retry_job(job, down.until))
        await until_blocked(conn)
    await back
    await connector.close_async()
    due = conn.execute("SELECT status::text, scheduled_at <= now() FROM procrastinate_jobs").fetchone()
    assert due == ("todo", True)
