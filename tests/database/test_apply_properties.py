"""A preview that is applied leaves what a sync would have left, whatever HRIMS lists: repeats, rejects,
people of other lists, workplaces that the register lacks, people who leave and who come back.
"""

import asyncio
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import EDGES, FIRST, SECOND
from tests.database.previews import approve, carry_out, end, fetch, queue, save_all
from tests.database.runs import begin, institution, rows
from tests.database.sync_steps import save
from tests.support.databases import clone
from tests.support.people import page, record

NAMES = ("Makame", "Ali", "Juma")
PLACES = ("Wizara ya Afya", "WIZARA YA AFYA.", "Wizara ya Elimu", "Pengine", "pengine ", " - ", None)

WRONG: tuple[dict[str, Any], ...] = ({"zanIdNumber": " "}, {"birthDate": "soon"}, {"zanIdNumber": "12"})

RECORDS = st.lists(
    st.builds(
        lambda number, name, place, wrong: record(number, lastName=name, workplace=place, **wrong),
        st.integers(0, 14),
        st.sampled_from(NAMES),
        st.sampled_from(PLACES),
        st.sampled_from(({}, {}, {}, {}, {}, *WRONG)),
    ),
    max_size=35,
)

EVERYTHING = {
    "employees": "SELECT to_jsonb(e) - '{id,first_run_id,last_changed_run_id,created_at,updated_at,"
    "workplace_id,left_at,left_run_id}'::text[], w.name_key, first_run_id = %(last)s,"
    " last_changed_run_id = %(last)s, left_at IS NOT NULL, left_run_id = %(last)s"
    " FROM employees e LEFT JOIN workplaces w ON w.id = e.workplace_id ORDER BY zan_id",
    "history": "SELECT e.zan_id, run_id = %(last)s, changes FROM employee_changes c"
    " JOIN employees e ON e.id = c.employee_id ORDER BY e.zan_id, c.id",
    "listings": "SELECT e.zan_id, l.institution_id, identifier_type, since_run_id = %(last)s, missed_runs,"
    " missed_since_run_id = %(last)s, ended_run_id = %(last)s"
    " FROM listings l JOIN employees e ON e.id = l.employee_id ORDER BY 1, 2, 3",
    "departures": "SELECT d.identifier_type, run_id = %(last)s, state, why, listed, people, leavers,"
    " transfers, ARRAY(SELECT e.zan_id || coalesce(became, '') FROM departure_people p JOIN employees e"
    " ON e.id = p.employee_id WHERE p.departure_id = d.id ORDER BY 1) FROM departures d ORDER BY d.id",
    "events": "SELECT e.zan_id, v.kind, v.institution_id, run_id = %(last)s FROM employee_events v"
    " JOIN employees e ON e.id = v.employee_id ORDER BY v.run_id, 1, 2",
    # A sync meets also the workplaces of records that are rejected at the end of the pass.
    "workplaces": "SELECT name_key, institution_id, matched_by FROM workplaces w"
    " WHERE EXISTS (SELECT FROM employees e WHERE e.workplace_id = w.id) ORDER BY 1",
    "rejects": "SELECT reading, page_size, page_number, position, code, field, reason, masked"
    " FROM rejects WHERE run_id = %(last)s ORDER BY 1, 2, 3, 4",
    "pages": "SELECT reading, page_size, page_number, remote_total, records, fingerprint,"
    " ARRAY(SELECT e.zan_id FROM unnest(people) WITH ORDINALITY u(id, n) JOIN employees e USING (id)"
    " ORDER BY n)"
    " FROM run_pages WHERE run_id = %(last)s ORDER BY 1, 2, 3",
    "run": "SELECT state, outcome, people, seen_twice, missing, trouble, counted, institution_id,"
    " identifier_type, identifier, page_size FROM runs WHERE id = %(last)s",
    "progress": "SELECT remote_total, pages, fetched, saved, new, changed, unchanged, rejected, repeated,"
    " unmatched, leavers, leavers_waiting FROM run_progress WHERE run_id = %(last)s",
}


def everything(conn: Connection) -> dict[str, list[Any]]:
    """Return what the latest run left."""
    last = {"last": rows(conn, "SELECT max(id) FROM runs")[0][0]}
    return {name: conn.execute(sql.encode(), last).fetchall() for name, sql in EVERYTHING.items()}


async def _bring(
    conn: Connection,
    pool: AsyncPool,
    kind: str,
    before: list[Any],
    now: list[Any],
    again: list[Any],
    more: int,
    shift: int | None,
) -> None:
    here, there = institution(conn), institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    await fetch(conn, pool, here, before, "sync")
    await fetch(conn, pool, here, before[: len(before) // 2], "sync")
    await fetch(conn, pool, there, before[:5], "sync", vote="002")
    attempt = await begin(conn, pool, queue(conn, here, kind))
    await save_all(attempt, pool, now)
    readings = [FIRST]
    if shift is not None:
        await resolve(attempt, pool, readings)
        await _save_edges(attempt, pool, now[shift:], len(now))
        readings = [FIRST, EDGES]
    if again:
        await resolve(attempt, pool, readings)
        await save_all(attempt, pool, again, reading=SECOND)
        readings = [SECOND]
    await end(attempt, pool, len(again or now) + more, readings)
    if kind == "preview":
        await carry_out(conn, pool, approve(conn, attempt.run_id).run_id)


async def _save_edges(attempt: Attempt, pool: AsyncPool, now: list[Any], total: int) -> None:
    """Save a page of four astride each edge of a list that was read in pages of ten."""
    for number in (2, 5):
        if people := now[4 * number : 4 * number + 4]:
            await save(pool, attempt, page(people, total=total, number=number, size=4), EDGES)


def _left(server_dsn: str, template: str, kind: str, *what: Any) -> dict[str, list[Any]]:
    async def bring(dsn: str) -> dict[str, list[Any]]:
        with psycopg.connect(dsn, autocommit=True) as conn:
            async with AsyncConnectionPool(dsn, min_size=1, max_size=2, open=False) as pool:
                await _bring(conn, pool, kind, *what)
            return everything(conn)

    with clone(server_dsn, template) as dsn:
        return asyncio.run(bring(dsn))


def _agree(server_dsn: str, template: str, *what: Any) -> None:
    synced = _left(server_dsn, template, "sync", *what)
    applied = _left(server_dsn, template, "preview", *what)
    assert applied == synced


QUICK = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


TWO_SPELLINGS, TWO_WORKPLACES = (
    [record(0, lastName="Makame", workplace=first), record(0, lastName="Ali", workplace=second)]
    for first, second in (("WIZARA YA AFYA.", "Wizara ya Afya"), ("Wizara ya Afya", "Wizara ya Elimu"))
)
"""Two people with one ZanID: a sync saves the workplace of both, an applied preview that of the owner."""


OWNER, OWNER_MOVED = [record(7)], [record(7, workplace=" - ")]
TWO_OTHERS = [record(7, lastName="Ali"), record(7, lastName="Juma")]
"""Neither owns the ZanID: both are rejected if a reading met the owner, else the second of them."""


SHIFT = st.sampled_from((None, None, 0, 1, 2))
"""By how many records the list moved until its edges were read again, if they were."""


@QUICK
@given(before=RECORDS, now=RECORDS, again=st.just([]) | RECORDS, more=st.sampled_from((0, 0, 2)), shift=SHIFT)
@example(before=[], now=[], again=TWO_SPELLINGS, more=0, shift=None)
@example(before=[], now=TWO_WORKPLACES, again=[], more=0, shift=None)
@example(before=[], now=TWO_WORKPLACES[::-1], again=TWO_SPELLINGS, more=0, shift=None)
@example(before=TWO_WORKPLACES[:1], now=TWO_WORKPLACES[1:], again=TWO_WORKPLACES, more=0, shift=None)
@example(before=OWNER, now=OWNER_MOVED, again=TWO_OTHERS, more=0, shift=None)
@example(before=OWNER, now=TWO_OTHERS, again=[], more=0, shift=None)
@example(before=OWNER, now=TWO_OTHERS[:1], again=TWO_OTHERS[1:], more=0, shift=None)
def test_apply_leaves_what_a_sync_would_have_left(
    server_dsn: str, template_database: str, before: Any, now: Any, again: Any, more: int, shift: int | None
) -> None:
    _agree(server_dsn, template_database, before, now, again, more, shift)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@settings(QUICK, max_examples=300)
@given(before=RECORDS, now=RECORDS, again=st.just([]) | RECORDS, more=st.sampled_from((0, 0, 2)), shift=SHIFT)
def test_apply_leaves_what_a_sync_would_have_left_long(
    server_dsn: str, template_database: str, before: Any, now: Any, again: Any, more: int, shift: int | None
) -> None:
    _agree(server_dsn, template_database, before, now, again, more, shift)
