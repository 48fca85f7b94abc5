"""A database with a history, for tests of queries.

It has complete, incomplete, failed and cancelled runs; employees who joined, changed, moved and left;
rejects, unknown workplaces and a queue. The product's own functions write it; then only times are changed.
"""

import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

from psycopg_pool import ConnectionPool

from hrims.access import sign_in, tokens, users
from hrims.access.actor import Actor, system
from hrims.batches import actions as batches
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import NotSignedIn, RemoteFailed
from hrims.institutions.workplaces import actions as workplaces
from hrims.jobs import control, enqueue
from hrims.jobs.attempts.attempt import run_attempt
from hrims.jobs.attempts.retry import RetryLater, RunFailed
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY, Deadline, RetryPolicy
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.rate_limit import actions as queue
from hrims.jobs.store import FENCED
from hrims.sync import pages, reconcile
from hrims.sync.pages import FetchedPage
from hrims.webhooks.delivery import attempt
from tests.database.runs import begin, institution, register_worker
from tests.database.webhooks import PRIVATE, endpoint
from tests.support.databases import execute_as_owner
from tests.support.people import page, record
from tests.support.receiver import Receiver
from tests.support.users import ASHA, BINTI, CAST, JUMA

PASSWORD = "mvua za masika 26"

FETCH_MS = 250
"""How long a page took to come."""

HEALTH = "WIZARA YA AFYA"
WATER = "WIZARA YA MAJI"
ELECTIONS = "TUME YA UCHAGUZI"
MUFTI = "OFISI YA MUFTI"

REGISTER = {
    HEALTH: ("001", "156255890"),
    WATER: ("002", "156255891"),
    ELECTIONS: ("037", "156255892"),
    MUFTI: ("040", "156255893"),
}

TABLES_OF_A_RUN = (
    ("runs", "id", ("requested_at", "started_at", "finished_at")),
    ("run_attempts", "run_id", ("started_at", "ended_at")),
    ("run_starts", "run_id", ("at",)),
    ("employees", "first_run_id", ("created_at",)),
    ("employee_changes", "run_id", ("changed_at",)),
    ("employee_events", "run_id", ("at",)),
    ("reject_cases", "first_run_id", ("first_seen_at",)),
)
"""What a run leaves behind with a time: table, column with the run, columns with times."""


def in_days(days: int) -> str:
    """Return a day to come, as HRIMS writes it."""
    return f"{date.today() + timedelta(days=days)}T00:00:00"  # noqa: DTZ011 - tests and database share the clock


def person(
    number: int, *, scale: str = "ZPSE-05", retires: int | None = None, **changes: Any
) -> dict[str, Any]:
    """Return one employee's JSON: on a salary scale, and retiring in so many days."""
    made = record(number, **changes)
    made["salaryInformation"] = [{"isCurrent": True, "salaryScaleName": scale}]
    if retires is not None:
        made["contractDetails"] = [
            {"isActive": True, "contractTypeName": "Mkataba", "toDate": in_days(retires)}
        ]
    return made


def doctor(number: int) -> dict[str, Any]:
    """Return an employee whose cadre and scale differ from those of all others."""
    made = person(number, scale="ZPSG-02")
    made["employmentHistories"][0] |= {"titleName": "Daktari", "gradeName": "I"}
    return made


class SampleHistory:
    """Writer of the history; ``ids`` are the ids of the institutions."""

    def __init__(self, conn: Connection, pool: AsyncPool) -> None:
        self.conn, self.pool = conn, pool
        self.ids = {name: institution(conn, name, *numbers) for name, numbers in REGISTER.items()}
        self.worker = register_worker(conn)
        # No process writes its heartbeat, so it must not expire however slow the tests are.
        conn.execute("UPDATE workers SET silent_seconds = 3600")

    async def build(self) -> None:
        """Write the whole history, from the first user to the current queue."""
        self.add_users()
        queue.set_limit(self.conn, BINTI, 100)
        await self.sync_first_lists()
        await self.sync_again()
        await self.sync_with_losses()
        await self.enqueue_waiting()

    def add_users(self) -> None:
        """Add four users and an API token, and fail one sign-in."""
        execute_as_owner(self.conn, "TRUNCATE users RESTART IDENTITY CASCADE")
        for name, role in CAST:
            users.add_user(self.conn, system("admin"), name, role, PASSWORD)
        tokens.add_token(self.conn, BINTI, "payroll", "read", user=BINTI.name)
        with (
            ConnectionPool(self.conn.info.dsn, min_size=1, max_size=1) as pool,
            contextlib.suppress(NotSignedIn),
        ):
            sign_in.sign_in(
                pool,
                "asha",
                "mvua za vuli 26",
                sign_in.Visit(PRIVATE, "10.0.0.7"),
            )

    async def sync_first_lists(self) -> None:
        """Sync health as of forty days ago, and the others as of thirty-five."""
        first = [
            person(1, retires=100),
            person(2, retires=200),
            person(3, retires=500),
            *(person(number) for number in range(4, 17)),
            person(17, retires=90),
            *(person(number, payrollNumber="963777") for number in (18, 19)),
            person(20, workplace="Wizara ya Maji"),
        ]
        self.backdate(await self.run(HEALTH, first), 40)
        # Of a list of nine, five will be too many to leave unasked.
        water = [person(number, workplace="Wizara ya Maji") for number in (20, *range(30, 38))]
        self.backdate(await self.run(WATER, water, actor=JUMA), 35)
        of_elections = [person(number, workplace="Tume ya Uchaguzi") for number in range(50, 54)]
        self.backdate(await self.run(ELECTIONS, of_elections), 35)

    async def sync_again(self) -> None:
        """Sync health again with a leaver, a transfer, new employees, changes and rejects."""
        now = [
            person(1, retires=100),
            person(2, retires=200),
            person(3, retires=500),
            person(4, workplace="Chuo cha Afya"),
            *(person(number, workplace="Hospitali ya Pwani") for number in (5, 6)),
            person(7, scale="ZPSE-06"),
            *(person(number) for number in (8, *range(10, 17))),
            doctor(9),
            *(person(number, payrollNumber="963777") for number in (18, 19)),
        ]
        self.backdate(await self.run(HEALTH, now), 9)
        newcomers = [person(21, payrollNumber=None), doctor(22)]
        rejects = [person(23, birthDate="yesterday"), person(24, birthDate="tomorrow")]
        await self.run(HEALTH, [*now, *newcomers, *rejects])
        [(college,)] = self.conn.execute("SELECT id FROM workplaces WHERE name = 'Chuo cha Afya'").fetchall()
        workplaces.map_workplace(self.conn, JUMA, college, self.ids[HEALTH])

    async def sync_with_losses(self) -> None:
        """Sync water with five leavers that wait for approval; elections: incomplete once, failed once."""
        stay = [person(number, workplace="Wizara ya Maji") for number in (20, 30, 31, 32)]
        for _ in range(2):
            await self.run(WATER, stay, actor=JUMA)
        some = [person(number, workplace="Tume ya Uchaguzi") for number in (50, 51)]
        await self.run(ELECTIONS, [*some, person(54, zanIdNumber="")], missing=2)
        with Receiver(410) as receiver:
            endpoint(self.conn, receiver.url)
            await self.fail(ELECTIONS)
            [(message, job)] = self.conn.execute("SELECT id, queue_job_id FROM webhook_messages").fetchall()
            await attempt.deliver_message(self.pool, PRIVATE, message, job)
        control.cancel(self.conn, ASHA, self.enqueue(MUFTI))

    async def enqueue_waiting(self) -> None:
        """Enqueue a running run, an urgent one and a batch that joins it, and pause the queue."""
        run_id = self.enqueue(MUFTI, actor=JUMA)
        self.take()
        await begin(self.conn, self.pool, run_id)
        water = self.enqueue(WATER)
        batches.enqueue_batch(self.conn, BINTI, "selection", institutions=[self.ids[WATER], self.ids[HEALTH]])
        queue.set_priority(self.conn, BINTI, water, "urgent")
        queue.pause(self.conn, BINTI, "Mwisho wa mwezi")

    def enqueue(self, where: str, *, actor: Actor = ASHA, retry_policy: RetryPolicy = DEFAULT_POLICY) -> int:
        """Enqueue a run and return its id."""
        return enqueue.enqueue_run(
            self.conn,
            actor,
            institution_id=self.ids[where],
            identifier_type="votecode",
            identifier=REGISTER[where][0],
            page_size=500,
            retry_policy=retry_policy,
        ).run_id

    async def run(
        self, where: str, records: list[dict[str, Any]], *, actor: Actor = ASHA, missing: int = 0
    ) -> int:
        """Run over these people, with ``missing`` people lacking, and return the run's id."""
        run_id = self.enqueue(where, actor=actor)
        async with self.taken():
            attempt = await begin(self.conn, self.pool, run_id)
            total = len(records) + missing
            read = page(records, total=total, size=500)
            await pages.save(attempt, FetchedPage(read, FETCH_MS, pages.map_page(read)), self.pool, reading=1)
            counted = await reconcile.reconcile(attempt, self.pool, [1], total)
            await reconcile.finish(attempt, self.pool, load({}), counted, repaired=False)
        return run_id

    async def fail(self, where: str) -> None:
        """Run two attempts that both fail."""
        run_id = self.enqueue(where, retry_policy=RetryPolicy(attempts=2, attempt_pause=0.0))

        async def work(attempt: Attempt, deadline: Deadline) -> None:
            logging.getLogger("hrims.sync.story").warning("page 0 failed")
            raise RemoteFailed("HRIMS is busy.")

        for _ in range(2):
            async with self.taken() as job:
                with contextlib.suppress(RetryLater, RunFailed):
                    await run_attempt(self.pool, load({}), run_id, job, work)

    def take(self) -> int:
        """Take the next job as a worker does and return its id."""
        row = self.conn.execute(FENCED["fetch"], {"queues": ["sync"], "worker_id": self.worker}).fetchone()
        assert row
        assert row[0]
        return int(row[0])

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[int]:
        """Provide a job that the worker has taken; afterwards retry or finish it, as its run requires."""
        job = self.take()
        yield job
        params: dict[str, Any] = {"job_id": job, "worker_id": self.worker}
        [(state,)] = self.conn.execute("SELECT state FROM runs WHERE queue_job_id = %s", (job,)).fetchall()
        if state == "delayed":
            again = {"retry_at": None, "priority": None, "queue": None, "lock": None}
            self.conn.execute(FENCED["retry"], params | again)
        else:
            self.conn.execute(FENCED["finish"], params | {"status": "succeeded", "delete_job": False})

    def backdate(self, run_id: int, days: int) -> None:
        """Move this run ``days`` days into the past."""
        for table, column, times in TABLES_OF_A_RUN:
            backdate = ", ".join(f"{time} = {time} - %(by)s" for time in times)
            self.conn.execute(
                f"UPDATE {table} SET {backdate} WHERE {column} = %(run)s".encode(),
                {"by": timedelta(days=days), "run": run_id},
            )
