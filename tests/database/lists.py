"""Runs over whole lists without a remote.

Input: the people that HRIMS lists. Output: a run that ended as the product would end it.
"""

from collections.abc import Iterable
from typing import Any

from hrims.access.actor import Actor
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs import enqueue
from hrims.sync import pages, reconcile
from hrims.sync.pages import FetchedPage
from hrims.sync.repeats.resolve import resolve
from tests.database.runs import begin, institution
from tests.support.people import page, record
from tests.support.users import ASHA

INSTITUTIONS = {
    "health": ("WIZARA YA AFYA", "001", "156255890"),
    "water": ("WIZARA YA MAJI", "002", "156255891"),
}


class Lists:
    """The institutions of a test and their lists."""

    def __init__(self, conn: Connection, pool: AsyncPool) -> None:
        self.conn, self.pool = conn, pool
        self.environ: dict[str, str] = {}
        self.ids = {name: institution(conn, *row) for name, row in INSTITUTIONS.items()}

    async def run(
        self,
        people: Iterable[int | dict[str, Any]],
        where: str = "health",
        *,
        by: str = "votecode",
        actor: Actor = ASHA,
        missing: int = 0,
    ) -> int:
        """Return the id of a run that met these people: numbers of invented people, or records.

        With ``missing`` people the run is incomplete.
        """
        run_id = self.enqueue(where, by=by, actor=actor)
        attempt = await begin(self.conn, self.pool, run_id)
        records = [record(person) if isinstance(person, int) else person for person in people]
        total = len(records) + missing
        read = page(records, total=total, size=500)
        await pages.save(attempt, FetchedPage(read, 1, pages.map_page(read)), self.pool, reading=1)
        await resolve(attempt, self.pool, [1])
        counted = await reconcile.reconcile(attempt, self.pool, [1], total)
        await reconcile.finish(attempt, self.pool, load(self.environ), counted, repaired=False)
        return run_id

    def enqueue(self, where: str = "health", *, by: str = "votecode", actor: Actor = ASHA) -> int:
        """Enqueue a run and return its id."""
        _, vote, tin = INSTITUTIONS[where]
        return enqueue.enqueue_run(
            self.conn,
            actor,
            institution_id=self.ids[where],
            identifier_type=by,
            identifier=vote if by == "votecode" else tin,
            page_size=500,
        ).run_id

    async def leave(self, gone: Iterable[int], stay: Iterable[int], where: str = "health") -> list[int]:
        """Run once over all of them and twice without the leavers; return the three runs."""
        return [await self.run(listed, where) for listed in ([*gone, *stay], stay, stay)]

    def rows(self, sql: str, *given: Any) -> list[Any]:
        """Return what a query returns."""
        return self.conn.execute(sql.encode(), given or None).fetchall()

    def leavers(self) -> list[int]:
        """Return the numbers of those who left."""
        found = self.rows("SELECT zan_id FROM employees WHERE left_at IS NOT NULL ORDER BY zan_id")
        return [int(zan_id[5:]) for (zan_id,) in found]

    def events(self, number: int) -> list[tuple[str, int, str | None]]:
        """Return (kind, run, actor) of a person's history, in order."""
        return self.rows(
            "SELECT kind, run_id, made_by FROM employee_events v JOIN employees e ON e.id = v.employee_id"
            " WHERE zan_id = %s ORDER BY v.id",
            f"58033{number:04d}",
        )

    def departures(self) -> list[tuple[int, str, int, int, int]]:
        """Return (id, state, people, leavers, transfers) of all departures."""
        return self.rows("SELECT id, state, people, leavers, transfers FROM departures ORDER BY id")
