"""Sessions of frozen workers: a rescue ends those that hold what the successor needs, and no other."""

import psycopg
import pytest

from hrims.db import AsyncPool, Connection
from hrims.jobs.queue import session_name
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.store import FENCED
from tests.database.runs import begin, enqueue_run_of, institution, register_worker
from tests.database.workers import SILENT_SECONDS, expire_heartbeats, run_state


def take(conn: Connection) -> tuple[int, int]:
    """Let a worker take a run's job, and return the run and the worker."""
    run_id = enqueue_run_of(conn, institution(conn))
    worker_id = register_worker(conn)
    conn.execute(FENCED["fetch"], {"queues": ["sync"], "worker_id": worker_id})
    return run_id, worker_id


@pytest.fixture
async def worker(conn: Connection, pool: AsyncPool) -> int:
    """Return a worker that executes a run."""
    run_id, worker_id = take(conn)
    await begin(conn, pool, run_id)
    return worker_id


def name_of(conn: Connection, worker_id: int, host: str = "host") -> str:
    """Return the application name of the sessions of a worker."""
    ((process, pid),) = conn.execute(
        "SELECT process, pid FROM workers WHERE worker_id = %s", (worker_id,)
    ).fetchall()
    return session_name(process, pid, host)


async def test_a_worker_frozen_during_a_page_delays_no_run(
    conn: Connection, dsn: str, pool: AsyncPool, worker: int
) -> None:
    """Its transaction holds the run's row, and in the middle of a COPY no timeout ends it."""
    name = name_of(conn, worker)
    with psycopg.connect(dsn, application_name=name) as frozen, frozen.cursor() as cursor:
        cursor.execute("SELECT FROM runs FOR SHARE")
        cursor.execute("CREATE TEMP TABLE staged (n integer)")
        with pytest.raises(psycopg.OperationalError), cursor.copy("COPY staged FROM STDIN") as copy:  # noqa: PT012 - the error may come with any of these
            expire_heartbeats(conn)
            assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1
            assert run_state(conn) == ("waiting", 1, None)
            copy.write_row((1,))


async def test_a_worker_frozen_before_its_attempt_is_recorded_delays_no_run(
    conn: Connection, dsn: str, pool: AsyncPool
) -> None:
    """Nothing says whose session it is that holds the run's row; its worker fell silent a moment ago."""
    run_id, _ = take(conn)
    with psycopg.connect(dsn, application_name=session_name("0123456789abcdef", 7, "elsewhere")) as frozen:
        frozen.execute("UPDATE runs SET attempt = attempt + 1 WHERE id = %s", (run_id,))
        # Its silence is counted from here on the server's clock, not by how long this test takes.
        conn.execute("SELECT pg_sleep(0.3)")
        expire_heartbeats(conn)
        assert await rescuer.rescue_stalled(pool, 0.2) == 1
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("SELECT 1")
    assert run_state(conn) == ("waiting", 1, None)


async def test_a_worker_frozen_without_a_job_delays_no_run(
    conn: Connection, dsn: str, pool: AsyncPool
) -> None:
    with psycopg.connect(dsn, application_name=session_name("0123456789abcdef", 7, "elsewhere")) as frozen:
        frozen.execute("SELECT pg_advisory_xact_lock(hashtext('hrims starts'))")
        conn.execute("SELECT pg_sleep(0.3)")
        assert await rescuer.rescue_stalled(pool, 0.2) == 0
        with pytest.raises(psycopg.OperationalError):
            frozen.execute("SELECT 1")


async def test_a_worker_in_the_middle_of_its_work_keeps_its_session(
    conn: Connection, dsn: str, pool: AsyncPool, worker: int
) -> None:
    with psycopg.connect(dsn, application_name=session_name("0123456789abcdef", 7, "elsewhere")) as working:
        working.execute("SELECT FROM institutions FOR SHARE")
        expire_heartbeats(conn)
        assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1
        working.execute("SELECT 1")


@pytest.mark.parametrize("host", ["host", "h" * 60, "wizara-ya-afya-é"])
async def test_a_container_with_the_same_host_and_process_id_keeps_its_sessions(
    conn: Connection, dsn: str, pool: AsyncPool, worker: int, host: str
) -> None:
    conn.execute("UPDATE workers SET host = %s", (host,))
    conn.execute("UPDATE run_attempts SET host = %s", (host,))
    expire_heartbeats(conn)
    twin = register_worker(conn)
    with (
        psycopg.connect(dsn, application_name=name_of(conn, worker, host)) as dead,
        psycopg.connect(dsn, application_name=name_of(conn, twin, host)) as alive,
    ):
        alive.execute("SELECT FROM institutions FOR SHARE")
        dead.execute("SELECT FROM runs FOR SHARE")
        assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1
        alive.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            dead.execute("SELECT 1")
    assert run_state(conn) == ("waiting", 1, None)
