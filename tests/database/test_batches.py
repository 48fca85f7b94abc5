"""Many runs asked for at once: who is meant, what becomes of each, and how they stand together."""

import threading
from typing import Any

import psycopg
import pytest

from hrims.access.scope import EVERYTHING
from hrims.batches import actions, store
from hrims.batches.progress import STATES
from hrims.db import Connection
from hrims.errors import Conflict, NotFound, Unprocessable
from hrims.jobs import control, queue
from hrims.jobs import store as jobs
from hrims.jobs.enqueue import enqueue_run as ask_one
from hrims.jobs.rate_limit import actions as starts
from hrims.jobs.rate_limit.priorities import PRIORITIES
from tests.support.databases import execute_as_owner
from tests.support.sample import sampled
from tests.support.users import ASHA, OMAR
from tests.web.runs import end_run


@pytest.fixture
def register(conn: Connection) -> list[int]:
    """Return six institutions: four with both numbers, one with a TIN alone, one with none."""
    rows = [(f"TAASISI {n}", f"00{n}", f"10000000{n}") for n in range(1, 5)]
    rows += [("TAASISI 5", None, "100000005"), ("TAASISI 6", None, None)]  # type: ignore[list-item]
    return [
        conn.execute(
            "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s) RETURNING id", row
        ).fetchone()[0]  # type: ignore[index]
        for row in rows
    ]


def one(conn: Connection, institution_id: int, kind: str = "sync") -> int:
    return ask_one(
        conn, ASHA, institution_id=institution_id, identifier_type="votecode",
        identifier=f"00{institution_id}", kind=kind,
    ).run_id  # fmt: skip


def members(conn: Connection, batch_id: int) -> list[tuple[int, str, bool]]:
    return [
        (member.institution_id, member.status, member.joined)
        for member in store.list_members(conn, EVERYTHING, batch_id, None, 100, 0)
    ]


def test_all_institutions_are_enqueued_and_skipped_ones_are_named(
    conn: Connection, register: list[int]
) -> None:
    under_way, preview = one(conn, 1), one(conn, 2, "preview")
    batch = actions.enqueue_batch(conn, OMAR, "all", page_size=50, priority="low")
    assert batch.runs == 3
    assert members(conn, batch.batch_id) == [
        (1, "waiting", True), (2, "skipped", False), (3, "waiting", False), (4, "waiting", False),
        (5, "waiting", False), (6, "skipped", False),
    ]  # fmt: skip
    skipped = [
        member.detail for member in store.list_members(conn, EVERYTHING, batch.batch_id, "skipped", 100, 0)
    ]
    assert skipped == [
        "Skipped: it had a run of another kind under way.",
        "Skipped: the register has neither vote code nor TIN for it.",
    ]
    made = conn.execute(
        "SELECT institution_id, identifier_type, page_size, priority, requested_by, requested_via FROM runs"
        " WHERE id NOT IN (%s, %s) ORDER BY 1",
        (under_way, preview),
    ).fetchall()
    assert made == [
        (3, "votecode", 50, "low", "omar", "api"),
        (4, "votecode", 50, "low", "omar", "api"),
        (5, "tin", 50, "low", "omar", "api"),
    ]
    [(subject, details)] = conn.execute(
        "SELECT subject, details FROM audit_log WHERE action = 'batch.ask'"
    ).fetchall()
    assert (subject, details["institutions"], details["runs"]) == (f"batch:{batch.batch_id}", 6, 3)


def test_each_job_equals_that_of_a_single_run(conn: Connection, register: list[int]) -> None:
    conn.execute("UPDATE institutions SET pool = 'health', attempts = 7, deadline_minutes = 9 WHERE id = 3")
    query = """
        SELECT j.queue_name, j.task_name, j.priority, j.lock, replace(j.queueing_lock, r.id::text, 'id'),
               replace(j.args::text, r.id::text, 'id'), j.scheduled_at, j.status::text, r.attempts, r.pool,
               r.deadline_at - r.requested_at, r.not_before, p.run_id IS NOT NULL
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id JOIN run_progress p ON p.run_id = r.id
        ORDER BY r.institution_id, r.id
    """
    for priority in PRIORITIES:
        actions.enqueue_batch(
            conn, ASHA, "selection", institutions=[3, 4], identifier_type="votecode", priority=priority
        )
        together = conn.execute(query).fetchall()
        _forget(conn)
        for institution_id in (3, 4):
            ask_one(
                conn, ASHA, institution_id=institution_id, identifier_type="votecode",
                identifier=f"00{institution_id}", priority=priority,
            )  # fmt: skip
        assert conn.execute(query).fetchall() == together
        _forget(conn)
    assert queue.RUN_TASK == "sync.run"


def _forget(conn: Connection) -> None:
    execute_as_owner(conn, "TRUNCATE runs, batches CASCADE")
    execute_as_owner(conn, "TRUNCATE procrastinate_jobs CASCADE")


def test_a_batch_by_tin_requests_the_tin(conn: Connection, register: list[int]) -> None:
    batch = actions.enqueue_batch(conn, ASHA, "all", identifier_type="tin")
    assert batch.runs == 5
    assert conn.execute("SELECT DISTINCT identifier_type FROM runs").fetchall() == [("tin",)]
    by_vote = actions.enqueue_batch(conn, ASHA, "selection", institutions=[5], identifier_type="votecode")
    assert members(conn, by_vote.batch_id) == [(5, "skipped", False)]


def test_those_that_failed_last_time(conn: Connection, register: list[int]) -> None:
    end_run(conn, one(conn, 1), "failed", None)
    end_run(conn, one(conn, 2), "failed", None)
    end_run(conn, one(conn, 2))
    end_run(conn, one(conn, 3), outcome="incomplete")
    end_run(conn, one(conn, 4), "cancelled", None)
    assert members(conn, actions.enqueue_batch(conn, ASHA, "failed").batch_id) == [(1, "waiting", False)]


@pytest.mark.parametrize(
    ("kind", "institutions", "error"),
    [
        ("selection", [1, 99], NotFound),
        ("failed", [], Unprocessable),
    ],
)
def test_a_wrong_wish_asks_for_nothing(
    conn: Connection, register: list[int], kind: str, institutions: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        actions.enqueue_batch(conn, ASHA, kind, institutions=institutions)
    left = "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM batches) + count(*) FROM audit_log"
    assert conn.execute(f"{left} WHERE action LIKE 'batch%'".encode()).fetchone() == (0,)


def test_two_batches_at_once_ask_for_each_institution_once(
    conn: Connection, dsn: str, register: list[int]
) -> None:
    made: list[int] = []

    def ask_too() -> None:
        with psycopg.connect(dsn, autocommit=True) as mine:
            made.append(actions.enqueue_batch(mine, ASHA, "all").batch_id)

    together = [threading.Thread(target=ask_too) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(60)
    assert conn.execute("SELECT count(*), count(DISTINCT institution_id) FROM runs").fetchone() == (5, 5)
    assert conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (5,)
    waiting = [[stands for _, stands, _ in members(conn, batch_id)].count("waiting") for batch_id in made]
    assert waiting == [5, 5, 5, 5]
    own = conn.execute(
        "SELECT count(*) FROM batch_members WHERE NOT joined AND run_id IS NOT NULL"
    ).fetchone()
    assert own == (5,)


def test_the_failed_are_tried_again_and_no_others(conn: Connection, register: list[int]) -> None:
    batch = actions.enqueue_batch(conn, ASHA, "all").batch_id
    runs: dict[int, int] = dict(conn.execute("SELECT institution_id, id FROM runs").fetchall())
    end_run(conn, runs[1], "failed", None)
    end_run(conn, runs[2], "failed", None)
    end_run(conn, runs[3], "cancelled", None)
    other = one(conn, 2)
    assert actions.retry_batch(conn, OMAR, batch) == 1
    states: dict[int, str] = dict(conn.execute("SELECT id, state FROM runs").fetchall())
    assert states == {
        runs[1]: "waiting", runs[2]: "failed", runs[3]: "cancelled", runs[4]: "waiting", runs[5]: "waiting",
        other: "waiting",
    }  # fmt: skip
    job = "SELECT count(*) FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id WHERE r.id = %s"
    assert conn.execute(f"{job} AND j.status = 'todo'".encode(), (runs[1],)).fetchone() == (1,)
    with pytest.raises(Conflict, match="No run of this batch failed"):
        actions.retry_batch(conn, OMAR, batch)
    with pytest.raises(NotFound):
        actions.retry_batch(conn, OMAR, 99)


def test_cancelling_all_leaves_what_was_under_way_before(conn: Connection, register: list[int]) -> None:
    before = one(conn, 1)
    batch = actions.enqueue_batch(conn, ASHA, "all").batch_id
    assert actions.cancel_batch(conn, ASHA, batch) == 4
    assert jobs.find_unfinished(conn, 1) == (before, "sync")
    assert conn.execute("SELECT count(*) FROM runs WHERE state = 'cancelled'").fetchone() == (4,)
    waits = conn.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1 ORDER BY 1")
    assert waits.fetchall() == [("cancelled", 4), ("todo", 1)]
    control.cancel(conn, ASHA, before)
    with pytest.raises(Conflict, match="is under way"):
        actions.cancel_batch(conn, ASHA, batch)


def test_starts_are_spread_over_the_time_that_is_said(conn: Connection, register: list[int]) -> None:
    actions.enqueue_batch(conn, ASHA, "selection", institutions=[1, 2, 3, 4], spread=60)
    found = conn.execute(
        """
        SELECT round(extract(epoch FROM r.not_before - r.requested_at) / 60)::int, j.scheduled_at =
        r.not_before FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id ORDER BY r.id
        """
    ).fetchall()
    assert found == [(None, None), (15, True), (30, True), (45, True)]


@pytest.mark.parametrize("many", sampled((2_000, 10_000), {2_000}))
def test_thousands_are_asked_for_in_few_statements(conn: Connection, many: int) -> None:
    conn.execute(
        "INSERT INTO institutions (name, vote_code) SELECT 'TAASISI ' || n, lpad(n::text, 6, '0')"
        " FROM generate_series(1, %s) n",
        (many,),
    )
    batch = actions.enqueue_batch(conn, ASHA, "all")
    assert batch.runs == many
    total = store.find_total(conn, EVERYTHING, batch.batch_id)
    assert (total.institutions, total.waiting, total.percent) == (many, many, 0)
    assert actions.cancel_batch(conn, ASHA, batch.batch_id) == many


def test_how_it_stands(conn: Connection, register: list[int]) -> None:
    batch = actions.enqueue_batch(conn, ASHA, "all").batch_id
    runs: dict[int, int] = dict(conn.execute("SELECT institution_id, id FROM runs").fetchall())
    end_run(conn, runs[1])
    end_run(conn, runs[2], outcome="incomplete")
    end_run(conn, runs[3], "failed", None)
    conn.execute(
        "UPDATE runs SET state = 'active', started_at = now() - interval '1 minute' WHERE id = %s", (runs[4],)
    )
    conn.execute("UPDATE run_progress SET saved = 50, remote_total = 100 WHERE run_id = %s", (runs[4],))
    total = store.find_total(conn, EVERYTHING, batch)
    assert (total.complete, total.incomplete, total.failed, total.active, total.waiting, total.skipped) == (
        1, 1, 1, 1, 1, 1
    )  # fmt: skip
    assert total.percent == 70
    assert total.done_at
    assert total.done_at > total.now
    assert total.message == "3 of 5 runs ended; 50 people saved."
    starts.pause(conn, ASHA, "Mwisho wa mwezi")
    assert store.find_total(conn, EVERYTHING, batch).done_at is None
    conn.execute("UPDATE runs SET state = 'active' WHERE state = 'waiting'")
    assert store.find_total(conn, EVERYTHING, batch).done_at
    conn.execute("UPDATE runs SET state = 'waiting' WHERE state = 'active' AND id <> %s", (runs[4],))
    starts.resume(conn, ASHA)
    assert store.find_total(conn, EVERYTHING, batch).done_at
    for state in STATES:
        shown = store.list_members(conn, EVERYTHING, batch, state, 100, 0)
        assert {member.status for member in shown} <= {state}
    assert sum(len(store.list_members(conn, EVERYTHING, batch, state, 100, 0)) for state in STATES) == 6
    view = "SELECT institutions, waiting, active, complete, incomplete, failed, skipped FROM batches_v"
    assert conn.execute(view).fetchone() == (6, 1, 1, 1, 1, 1, 1)
