"""The breaker: opens when HRIMS is down or refuses us, says why, one probes, and all go on; nobody takes a
run that he could not ask for.
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
from hrims.jobs.store import HELD
from hrims.jobs.workers import store as workers
from hrims.limits import breaker
from hrims.limits.store import Way, close_breaker
from hrims.remote.client import Remote
from tests.database.runs import HRIMS, ask_for, begin, institution, live
from tests.simulated import Simulator

LATER = Settings(probe_pause=300, request_timeout=5)
SOON = Settings(probe_pause=0, request_timeout=5)
TROUBLE = RemoteUnreachable("HRIMS cannot be reached.")

HOST = "host"
"""Where the workers of these tests are."""

HERE, THERE = Way(HOST, HRIMS), Way(HOST, "https://hrims.there/api")


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


def next_probe(conn: Connection) -> float:
    """Seconds until HRIMS is probed."""
    [(seconds,)] = conn.execute("SELECT extract(epoch FROM probe_at - now())::float8 FROM remote_breakers")
    return float(seconds)


def is_open(conn: Connection) -> bool:
    return bool(conn.execute("SELECT FROM remote_breakers").rowcount)


async def test_it_works(running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection) -> None:
    running.control(down=True)
    assert isinstance(await breaker.suspect(pool, remote, LATER, TROUBLE), RemoteDown)
    asked = running.counters()["requests"]
    with pytest.raises(RemoteDown, match="broke the connection"):
        await breaker.pass_through(pool, remote)
    assert running.counters()["requests"] == asked, "HRIMS was asked although it is down"
    assert next_probe(conn) > 50
    running.control(down=False)
    await breaker.probe(pool, remote, LATER)
    await breaker.pass_through(pool, remote)


async def test_trouble_of_one_run_is_no_trouble_of_hrims(remote: Remote, pool: AsyncPool) -> None:
    for trouble in (RemoteFailed("This page fails."), RemoteBadRequest("HRIMS calls the request wrong.")):
        assert await breaker.suspect(pool, remote, LATER, trouble) is trouble
    await breaker.pass_through(pool, remote)


async def test_an_address_at_which_there_is_no_hrims_is_not_asked(
    running: Simulator, pool: AsyncPool, conn: Connection
) -> None:
    async with Remote(LATER, base_url=f"{running.url}/wrong") as wrong:
        trouble = RemoteBadRequest("There is no HRIMS at this address.")
        assert isinstance(await breaker.suspect(pool, wrong, LATER, trouble), RemoteDown)
    assert conn.execute("SELECT address FROM remote_breakers").fetchall() == [(f"{running.url}/wrong",)]


async def test_refused_credentials_stop_the_others_of_this_host_too(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    refused = RemoteCredentials("HRIMS does not accept the credentials.")
    assert await breaker.suspect(pool, remote, LATER, refused) is refused
    with pytest.raises(RemoteDown, match="credentials"):
        await breaker.pass_through(pool, remote)
    assert running.counters()["requests"] == 0
    assert conn.execute("SELECT host FROM remote_breakers").fetchall() == [(platform.node(),)]


async def test_one_probes_for_all(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    here = Settings(base_url=running.url, probe_pause=0, request_timeout=5)
    await breaker.trip(pool, breaker.way_of(remote), SOON, TROUBLE)
    hold = running.hold(operation="202")
    probing = [asyncio.create_task(breaker.keep_probing(pool, here)) for _ in range(5)]
    await asyncio.to_thread(running.wait_for, held=1)
    running.release(hold)
    while is_open(conn):  # noqa: ASYNC110 - the database tells nobody
        await asyncio.sleep(0.01)
    for one in probing:
        one.cancel()
    await asyncio.wait(probing)
    assert running.counters()["requests"] == 1


async def test_a_probe_that_fails_keeps_it_open_for_longer(
    running: Simulator, remote: Remote, pool: AsyncPool, conn: Connection
) -> None:
    slowly = Settings(base_url=running.url, probe_pause=10, request_timeout=5)
    await breaker.trip(pool, breaker.way_of(remote), slowly, TROUBLE)
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
    assert isinstance(await breaker.suspect(pool, remote, SOON, TROUBLE), RemoteDown)
    assert next_probe(conn) > 190


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


# Who takes a run while HRIMS is not asked from everywhere


def take(conn: Connection, worker: int, queue: str = "sync") -> int | None:
    """The job that a worker gets when it looks for one."""
    row = conn.execute(HELD["take"], {"queues": [queue], "worker_id": worker}).fetchone()
    assert row
    return row[0] if row[0] is None else int(row[0])


def waits(conn: Connection, worker: int) -> Any:
    """In how many seconds a worker that got nothing looks again; None when nothing tells."""
    row = conn.execute(HELD["next_start"], {"queues": ["sync"], "worker_id": worker}).fetchone()
    assert row
    return row[0]


def why(conn: Connection) -> Any:
    return conn.execute("SELECT why FROM queue_v").fetchall()


async def test_who_cannot_ask_hrims_takes_nothing_and_a_colleague_does(
    conn: Connection, pool: AsyncPool
) -> None:
    ask_for(conn, institution(conn))
    here, there = live(conn), live(conn, address=THERE.address)
    await breaker.trip(pool, HERE, LATER, TROUBLE)
    assert take(conn, here) is None
    assert waits(conn, here) is None, "it would look again at once, for as long as the run waits"
    assert why(conn) == [("No worker has taken it yet",)]
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (0,)
    assert take(conn, there)


async def test_the_same_address_from_another_host_is_asked(conn: Connection, pool: AsyncPool) -> None:
    ask_for(conn, institution(conn))
    here = live(conn)
    await breaker.trip(pool, Way("elsewhere", HRIMS), LATER, TROUBLE)
    assert take(conn, here)


async def test_a_pool_that_cannot_ask_uses_up_nobodys_starts(conn: Connection, pool: AsyncPool) -> None:
    institution_id = institution(conn)
    conn.execute("UPDATE institutions SET pool = 'health' WHERE id = %s", (institution_id,))
    ask_for(conn, institution_id)
    there = live(conn, "health", address=THERE.address)
    live(conn)
    await breaker.trip(pool, THERE, LATER, TROUBLE)
    assert take(conn, there, "sync.health") is None
    assert why(conn) == [(f"HRIMS is not asked just now: {TROUBLE}",)]
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (0,)
    async with pool.connection() as other:
        await close_breaker(other, THERE)
    assert take(conn, there, "sync.health")


async def test_one_that_is_handed_back_is_due_at_once_and_spends_no_attempt(
    conn: Connection, pool: AsyncPool
) -> None:
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    live(conn)
    down = await breaker.trip(pool, HERE, LATER, TROUBLE)
    async with pool.connection() as other:
        assert await attempts.hand_back(other, attempt, str(down), down.code)
    assert conn.execute("SELECT state, next_try_at, failures FROM runs").fetchone() == ("waiting", None, 0)
    assert conn.execute("SELECT ended_as, trouble FROM run_attempts").fetchone() == (
        "handed_back",
        str(TROUBLE),
    )
    assert why(conn) == [(f"HRIMS is not asked just now: {TROUBLE}",)]
    colleague = live(conn, address=THERE.address)
    assert why(conn) == [("No worker has taken it yet",)]
    conn.execute("UPDATE runs SET state = 'active'")
    conn.execute("UPDATE workers SET capacity = 1 WHERE worker_id = %s", (colleague,))
    ask_for(conn, institution(conn, "Other", "002", "129673100"), "002")
    assert why(conn)[1:] == [("The workers carry out as many runs as they can at once",)]


async def test_a_worker_without_an_address_leaves_runs_to_who_has_one(conn: Connection) -> None:
    ask_for(conn, institution(conn))
    without, old = live(conn, address=""), live(conn, address=None)
    assert take(conn, without) is None
    conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (old,))
    assert take(conn, without), "its run says what is wrong"


async def test_where_nobody_works_any_more_nothing_is_known(conn: Connection, pool: AsyncPool) -> None:
    here = live(conn)
    await breaker.trip(pool, HERE, LATER, TROUBLE)
    await breaker.trip(pool, THERE, LATER, TROUBLE)
    async with pool.connection() as other:
        await workers.forget(other, 7)
    assert conn.execute("SELECT address FROM remote_breakers").fetchall() == [(HRIMS,)]
    conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (here,))
    async with pool.connection() as other:
        await workers.forget(other, 7)
    assert not is_open(conn)
