"""The circuit breaker opens with a reason if HRIMS is down or refuses the credentials.

One worker probes, then all resume. No worker takes a run for which it cannot send requests.
"""

import asyncio
import platform
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.errors import (
    RemoteBadRequest,
    RemoteCredentials,
    RemoteDown,
    RemoteFailed,
    RemoteUnreachable,
)
from hrims.jobs.attempts import store as attempts
from hrims.jobs.store import FENCED
from hrims.jobs.workers import store as workers
from hrims.limits import breaker
from hrims.limits.store import RemoteRoute, close_breaker
from hrims.remote.client import Remote
from tests.database.runs import HRIMS, begin, enqueue_run_of, institution, register_worker
from tests.support.simulated import Simulator

LATER = Settings(probe_pause=300, request_timeout=5)
SOON = Settings(probe_pause=0, request_timeout=5)
TROUBLE = RemoteUnreachable("HRIMS cannot be reached.")

HOST = "host"
"""Where the workers of these tests are."""

HERE, THERE = RemoteRoute(HOST, HRIMS), RemoteRoute(HOST, "https://hrims.there/api")


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    """Provide one for all of these tests."""
    with Simulator(scale=0.02) as simulator:
        yield simulator


@pytest.fixture
async def remote(running: Simulator) -> AsyncIterator[Remote]:
    """Provide a healthy simulator that has had no request."""
    running.reset()
    async with Remote(LATER, base_url=running.url) as client:
        yield client


def next_probe(conn: Connection) -> float:
    """Return seconds until HRIMS is probed."""
    [(seconds,)] = conn.execute("SELECT extract(epoch FROM probe_at - now())::float8 FROM remote_breakers")
    return float(seconds)


def is_open(conn: Connection) -> bool:
    return bool(conn.execute("SELECT FROM remote_breakers").rowcount)


async def test_it_works(running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection) -> None:
    running.control(down=True)
    assert isinstance(await breaker.classify_failure(pool, remote, LATER, TROUBLE), RemoteDown)
    requested = running.counters()["requests"]
    with pytest.raises(RemoteDown, match="broke the connection"):
        await breaker.ensure_closed(pool, remote)
    assert running.counters()["requests"] == requested, "HRIMS was asked although it is down"
    assert next_probe(conn) > 50
    running.control(down=False)
    await breaker.probe(pool, remote, LATER)
    await breaker.ensure_closed(pool, remote)


async def test_trouble_of_one_run_is_no_trouble_of_hrims(remote: Remote, pool: AsyncPool) -> None:
    for error in (RemoteFailed("This page fails."), RemoteBadRequest("HRIMS calls the request wrong.")):
        assert await breaker.classify_failure(pool, remote, LATER, error) is error
    await breaker.ensure_closed(pool, remote)


async def test_an_address_without_hrims_gets_no_more_requests(
    running: Simulator, pool: AsyncPool, conn: Connection
) -> None:
    async with Remote(LATER, base_url=f"{running.url}/wrong") as wrong:
        error = RemoteBadRequest("There is no HRIMS at this address.")
        assert isinstance(await breaker.classify_failure(pool, wrong, LATER, error), RemoteDown)
    assert conn.execute("SELECT address FROM remote_breakers").fetchall() == [(f"{running.url}/wrong",)]


async def test_refused_credentials_stop_the_others_of_this_host_too(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    refused = RemoteCredentials("HRIMS does not accept the credentials.")
    assert await breaker.classify_failure(pool, remote, LATER, refused) is refused
    with pytest.raises(RemoteDown, match="credentials"):
        await breaker.ensure_closed(pool, remote)
    assert running.counters()["requests"] == 0
    assert conn.execute("SELECT host FROM remote_breakers").fetchall() == [(platform.node(),)]


async def test_one_probes_for_all(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    here = Settings(base_url=running.url, probe_pause=0, request_timeout=5)
    await breaker.open_breaker(pool, breaker.route_of(remote), SOON, TROUBLE)
    hold = running.hold(operation="202")
    probing = [asyncio.create_task(breaker.run_breaker_probe(pool, here)) for _ in range(5)]
    await asyncio.to_thread(running.wait_for, held=1)
    running.release(hold)
    while is_open(conn):  # noqa: ASYNC110 - the database sends no signal
        await asyncio.sleep(0.01)
    for task in probing:
        task.cancel()
    await asyncio.wait(probing)
    assert running.counters()["requests"] == 1


async def test_a_probe_that_fails_keeps_it_open_for_longer(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    slowly = Settings(base_url=running.url, probe_pause=10, request_timeout=5)
    await breaker.open_breaker(pool, breaker.route_of(remote), slowly, TROUBLE)
    running.control(down=True)
    pauses = []
    for number in range(3):
        conn.execute("UPDATE remote_breakers SET probes = %s", (number + 1,))
        await breaker.probe(pool, remote, slowly)
        pauses.append(next_probe(conn))
    assert pauses[0] < 21 < pauses[2] <= 121


async def test_it_waits_for_as_long_as_hrims_asks(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    running.fail("http503", operation="202", retry_after=200)
    assert isinstance(await breaker.classify_failure(pool, remote, SOON, TROUBLE), RemoteDown)
    assert next_probe(conn) > 190


async def test_a_probe_is_one_of_the_requests_in_flight(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    conn.execute("INSERT INTO remote_slots VALUES (1, 'another', now() + interval '1 hour')")
    settings = Settings(probe_pause=0, max_in_flight=1)
    asking = asyncio.create_task(breaker.classify_failure(pool, remote, settings, TROUBLE))
    done, _ = await asyncio.wait([asking], timeout=0.3)
    assert not done
    assert running.counters()["requests"] == 0
    conn.execute("DELETE FROM remote_slots")
    assert await asking is TROUBLE


# Who takes a run while HRIMS is not asked from everywhere


def take(conn: Connection, worker: int, queue: str = "sync") -> int | None:
    """Return the job that a worker gets when it looks for one."""
    row = conn.execute(FENCED["fetch"], {"queues": [queue], "worker_id": worker}).fetchone()
    assert row
    return row[0] if row[0] is None else int(row[0])


def waits(conn: Connection, worker: int) -> Any:
    """Return the seconds until a worker without a job polls again; None if the next start is unknown."""
    row = conn.execute(FENCED["next_start"], {"queues": ["sync"], "worker_id": worker}).fetchone()
    assert row
    return row[0]


def why(conn: Connection) -> Any:
    return conn.execute("SELECT why FROM queue_v").fetchall()


async def test_a_worker_that_cannot_reach_hrims_takes_no_run_and_another_does(
    conn: Connection, pool: AsyncPool
) -> None:
    enqueue_run_of(conn, institution(conn))
    here, there = register_worker(conn), register_worker(conn, address=THERE.address)
    await breaker.open_breaker(pool, HERE, LATER, TROUBLE)
    assert take(conn, here) is None
    assert waits(conn, here) is None, "it would look again at once, for as long as the run waits"
    assert why(conn) == [("queued",)]
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (0,)
    assert take(conn, there)


async def test_the_same_address_from_another_host_is_asked(conn: Connection, pool: AsyncPool) -> None:
    enqueue_run_of(conn, institution(conn))
    here = register_worker(conn)
    await breaker.open_breaker(pool, RemoteRoute("elsewhere", HRIMS), LATER, TROUBLE)
    assert take(conn, here)


async def test_a_pool_with_an_open_breaker_uses_no_starts(conn: Connection, pool: AsyncPool) -> None:
    institution_id = institution(conn)
    conn.execute("UPDATE institutions SET pool = 'health' WHERE id = %s", (institution_id,))
    enqueue_run_of(conn, institution_id)
    there = register_worker(conn, "health", address=THERE.address)
    register_worker(conn)
    await breaker.open_breaker(pool, THERE, LATER, TROUBLE)
    assert take(conn, there, "sync.health") is None
    assert why(conn) == [("breaker_open",)]
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (0,)
    async with pool.connection() as other:
        await close_breaker(other, THERE)
    assert take(conn, there, "sync.health")


async def test_one_that_is_handed_back_is_due_at_once_and_spends_no_attempt(
    conn: Connection, pool: AsyncPool
) -> None:
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    register_worker(conn)
    down = await breaker.open_breaker(pool, HERE, LATER, TROUBLE)
    async with pool.connection() as other:
        assert await attempts.hand_back(other, attempt, str(down), down.code)
    assert conn.execute("SELECT state, next_try_at, failures FROM runs").fetchone() == ("waiting", None, 0)
    assert conn.execute("SELECT ended_as, trouble FROM run_attempts").fetchone() == (
        "handed_back",
        str(TROUBLE),
    )
    assert why(conn) == [("breaker_open",)]
    colleague = register_worker(conn, address=THERE.address)
    assert why(conn) == [("queued",)]
    conn.execute("UPDATE runs SET state = 'active'")
    conn.execute("UPDATE workers SET capacity = 1 WHERE worker_id = %s", (colleague,))
    enqueue_run_of(conn, institution(conn, "Other", "002", "129673100"), "002")
    assert why(conn)[1:] == [("workers_busy",)]


async def test_a_worker_without_an_address_takes_no_run(conn: Connection) -> None:
    enqueue_run_of(conn, institution(conn))
    without, old = register_worker(conn, address=""), register_worker(conn, address=None)
    assert take(conn, without) is None
    assert why(conn) == [("queued",)]
    conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (old,))
    assert take(conn, without) is None
    assert waits(conn, without) is None, "it would look again at once, for as long as the run waits"
    assert why(conn) == [("no_address",)]
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (0,)
    conn.execute("UPDATE workers SET address = %s WHERE worker_id = %s", (HRIMS, without))
    assert why(conn) == [("queued",)]
    assert take(conn, without)


async def test_a_worker_without_an_address_applies_previews(conn: Connection, pool: AsyncPool) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    conn.execute("UPDATE runs SET kind = 'apply', of_run_id = %s", (run_id,))
    without = register_worker(conn, address="")
    assert take(conn, without)


async def test_without_workers_the_state_is_unknown(conn: Connection, pool: AsyncPool) -> None:
    here = register_worker(conn)
    await breaker.open_breaker(pool, HERE, LATER, TROUBLE)
    await breaker.open_breaker(pool, THERE, LATER, TROUBLE)
    async with pool.connection() as other:
        await workers.delete_expired_workers(other, 7)
    assert conn.execute("SELECT address FROM remote_breakers").fetchall() == [(HRIMS,)]
    conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (here,))
    async with pool.connection() as other:
        await workers.delete_expired_workers(other, 7)
    assert not is_open(conn)
