"""A register with a past, for those who query it: complete, incomplete, failed and cancelled runs, people
who came, changed, moved and left, rejects, names that nobody knows, a queue that waits. All of it by the
product's own functions; only its times are then set back.
"""

import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

from psycopg_pool import ConnectionPool

from hrims.access import sign_in, tokens, users
from hrims.access.audit import Actor
from hrims.batches import ask as batches
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import NotSignedIn, RemoteFailed
from hrims.jobs import ask, control
from hrims.jobs.attempts.attempt import carry_out
from hrims.jobs.attempts.patience import USUAL, Deadline, Patience
from hrims.jobs.attempts.retry import GivenUp, TryAgain
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.starts import decide as queue
from hrims.jobs.store import HELD
from hrims.sync import pages, reconcile
from hrims.sync.pages import Asked
from hrims.webhooks import delivery
from hrims.workplaces import decide as workplaces
from tests.database.lists import JUMA
from tests.database.runs import ASHA, begin, institution, live
from tests.database.webhooks import BINTI, endpoint
from tests.people import page, record
from tests.receiver import Receiver

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
    """A day to come, as HRIMS writes it."""
    return f"{date.today() + timedelta(days=days)}T00:00:00"  # noqa: DTZ011 - tests and database share the clock


def person(
    number: int, *, scale: str = "ZPSE-05", retires: int | None = None, **changes: Any
) -> dict[str, Any]:
    """One employee's JSON: on a salary scale, and retiring in so many days."""
    made = record(number, **changes)
    made["salaryInformation"] = [{"isCurrent": True, "salaryScaleName": scale}]
    if retires is not None:
        made["contractDetails"] = [
            {"isActive": True, "contractTypeName": "Mkataba", "toDate": in_days(retires)}
        ]
    return made


def doctor(number: int) -> dict[str, Any]:
    """Somebody with another cadre and scale than all others."""
    made = person(number, scale="ZPSG-02")
    made["employmentHistories"][0] |= {"titleName": "Daktari", "gradeName": "I"}
    return made


class Past:
    """Tells the story; ``ids`` are the institutions'."""

    def __init__(self, conn: Connection, pool: AsyncPool) -> None:
        self.conn, self.pool = conn, pool
        self.ids = {name: institution(conn, name, *numbers) for name, numbers in REGISTER.items()}
        self.worker = live(conn)
        # Nobody beats for it, however slowly the tests run.
        conn.execute("UPDATE workers SET silent_seconds = 3600")

    async def tell(self) -> None:
        """From the first user to the queue as it stands now."""
        self.let_people_in()
        queue.limit(self.conn, BINTI, 100)
        await self.bring_the_first_lists()
        await self.bring_them_again()
        await self.lose_some()
        await self.let_some_wait()

    def let_people_in(self) -> None:
        """Three people, one machine, and somebody who guesses."""
        admin = Actor("admin", "command")
        for name, role in ((BINTI.name, "administrator"), (ASHA.name, "officer"), (JUMA.name, "officer")):
            users.add_user(self.conn, admin, name, role, PASSWORD)
        tokens.add_token(self.conn, BINTI, "payroll", "auditor")
        with (
            ConnectionPool(self.conn.info.dsn, min_size=1, max_size=1) as pool,
            contextlib.suppress(NotSignedIn),
        ):
            sign_in.sign_in(pool, "asha", "mvua za vuli 26", address="10.0.0.7", hours=1)

    async def bring_the_first_lists(self) -> None:
        """Of health forty days ago, of the others thirty-five."""
        first = [
            person(1, retires=100),
            person(2, retires=200),
            person(3, retires=500),
            *(person(number) for number in range(4, 17)),
            person(17, retires=90),
            *(person(number, payrollNumber="963777") for number in (18, 19)),
            person(20, workplace="Wizara ya Maji"),
        ]
        self.set_back(await self.run(HEALTH, first), 40)
        # Of a list of nine, five will be too many to leave unasked.
        water = [person(number, workplace="Wizara ya Maji") for number in (20, *range(30, 38))]
        self.set_back(await self.run(WATER, water, actor=JUMA), 35)
        of_elections = [person(number, workplace="Tume ya Uchaguzi") for number in range(50, 54)]
        self.set_back(await self.run(ELECTIONS, of_elections), 35)

    async def bring_them_again(self) -> None:
        """Health without one who leaves and one who goes to water; with newcomers, changes and rejects."""
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
        self.set_back(await self.run(HEALTH, now), 9)
        newcomers = [person(21, payrollNumber=None), doctor(22)]
        rejects = [person(23, birthDate="yesterday"), person(24, birthDate="tomorrow")]
        await self.run(HEALTH, [*now, *newcomers, *rejects])
        [(college,)] = self.conn.execute("SELECT id FROM workplaces WHERE name = 'Chuo cha Afya'").fetchall()
        workplaces.map_to(self.conn, JUMA, college, self.ids[HEALTH])

    async def lose_some(self) -> None:
        """Five leave water and wait for approval; elections comes incomplete and then not at all."""
        stay = [person(number, workplace="Wizara ya Maji") for number in (20, 30, 31, 32)]
        for _ in range(2):
            await self.run(WATER, stay, actor=JUMA)
        some = [person(number, workplace="Tume ya Uchaguzi") for number in (50, 51)]
        await self.run(ELECTIONS, [*some, person(54, zanIdNumber="")], missing=2)
        with Receiver(410) as receiver:
            endpoint(self.conn, receiver.url)
            await self.fail(ELECTIONS)
            [(message, job)] = self.conn.execute("SELECT id, queue_job_id FROM webhook_messages").fetchall()
            await delivery.carry_out(self.pool, load({"HRIMS_WEBHOOK_PRIVATE": "yes"}), message, job)
        control.cancel(self.conn, ASHA, self.ask(MUFTI))

    async def let_some_wait(self) -> None:
        """A run that a worker has, an urgent one, a batch that joins it, and a paused queue."""
        run_id = self.ask(MUFTI, actor=JUMA)
        self.take()
        await begin(self.conn, self.pool, run_id)
        water = self.ask(WATER)
        batches.ask(self.conn, BINTI, "selection", institutions=[self.ids[WATER], self.ids[HEALTH]])
        queue.prioritise(self.conn, BINTI, water, "urgent")
        queue.pause(self.conn, BINTI, "Mwisho wa mwezi")

    def ask(self, where: str, *, actor: Actor = ASHA, patience: Patience = USUAL) -> int:
        """A queued run; returns its id."""
        return ask.ask(
            self.conn,
            actor,
            institution_id=self.ids[where],
            identifier_type="votecode",
            identifier=REGISTER[where][0],
            page_size=500,
            patience=patience,
        ).run_id

    async def run(
        self, where: str, records: list[dict[str, Any]], *, actor: Actor = ASHA, missing: int = 0
    ) -> int:
        """A run that meets these people, and lacks ``missing``; returns its id."""
        run_id = self.ask(where, actor=actor)
        async with self.taken():
            attempt = await begin(self.conn, self.pool, run_id)
            total = len(records) + missing
            read = page(records, total=total, size=500)
            await pages.save(attempt, Asked(read, FETCH_MS, pages.shape(read)), self.pool, reading=1)
            counted = await reconcile.add_up(attempt, self.pool, [1], total)
            await reconcile.finish(attempt, self.pool, load({}), counted, repaired=False)
        return run_id

    async def fail(self, where: str) -> None:
        """A run whose two attempts fail."""
        run_id = self.ask(where, patience=Patience(attempts=2, attempt_pause=0.0))

        async def work(attempt: Attempt, deadline: Deadline) -> None:
            logging.getLogger("hrims.sync.story").warning("page 0 failed")
            raise RemoteFailed("HRIMS is busy.")

        for _ in range(2):
            async with self.taken() as job:
                with contextlib.suppress(TryAgain, GivenUp):
                    await carry_out(self.pool, load({}), run_id, job, work)

    def take(self) -> int:
        """The job that comes next, as the worker gets it."""
        row = self.conn.execute(HELD["take"], {"queues": ["sync"], "worker_id": self.worker}).fetchone()
        assert row
        assert row[0]
        return int(row[0])

    @contextlib.asynccontextmanager
    async def taken(self) -> AsyncIterator[int]:
        """A job in the worker's hands; at the end it goes back when its run waits, else it has ended."""
        job = self.take()
        yield job
        given: dict[str, Any] = {"job_id": job, "worker_id": self.worker}
        [(state,)] = self.conn.execute("SELECT state FROM runs WHERE queue_job_id = %s", (job,)).fetchall()
        if state == "delayed":
            again = {"retry_at": None, "priority": None, "queue": None, "lock": None}
            self.conn.execute(HELD["retry"], given | again)
        else:
            self.conn.execute(HELD["finish"], given | {"status": "succeeded", "delete_job": False})

    def set_back(self, run_id: int, days: int) -> None:
        """So many days have passed since this run."""
        for table, column, times in TABLES_OF_A_RUN:
            set_back = ", ".join(f"{time} = {time} - %(by)s" for time in times)
            self.conn.execute(
                f"UPDATE {table} SET {set_back} WHERE {column} = %(run)s".encode(),
                {"by": timedelta(days=days), "run": run_id},
            )
