"""Many runs asked for at once: who is meant, what becomes of each, and how they stand together."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.access.audit import Actor
from hrims.batches import ask, store
from hrims.batches.standing import STATES, Total
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.jobs import control, queue
from hrims.jobs import store as jobs
from hrims.jobs.ask import ask as ask_one
from hrims.jobs.starts import decide as starts
from hrims.jobs.starts.priorities import PRIORITIES
from tests.database.runs import ASHA
from tests.web.runs import ended

OMAR = Actor("omar", "api", "127.0.0.1")


@pytest.fixture
def register(conn: Connection) -> list[int]:
    """Six institutions: four with both numbers, one with a TIN alone, one with none."""
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
        (member.institution_id, member.stands, member.joined)
        for member in store.members(conn, batch_id, None, 100, 0)
    ]


def test_all_are_asked_for_and_who_cannot_be_is_named(conn: Connection, register: list[int]) -> None:
    under_way, preview = one(conn, 1), one(conn, 2, "preview")
    batch = ask.ask(conn, OMAR, "all", page_size=50, priority="low")
    assert batch.runs == 3
    assert members(conn, batch.batch_id) == [
        (1, "waiting", True), (2, "skipped", False), (3, "waiting", False), (4, "waiting", False),
        (5, "waiting", False), (6, "skipped", False),
    ]  # fmt: skip
    skipped = [member.words for member in store.members(conn, batch.batch_id, "skipped", 100, 0)]
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


def test_each_job_is_as_if_its_run_had_been_asked_for_alone(conn: Connection, register: list[int]) -> None:
    conn.execute("UPDATE institutions SET pool = 'health', attempts = 7, deadline_minutes = 9 WHERE id = 3")
    look = """
        SELECT j.queue_name, j.task_name, j.priority, j.lock, replace(j.queueing_lock, r.id::text, 'id'),
               replace(j.args::text, r.id::text, 'id'), j.scheduled_at, j.status::text, r.attempts, r.pool,
               r.deadline_at - r.requested_at, r.not_before, p.run_id IS NOT NULL
        FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id JOIN run_progress p ON p.run_id = r.id
        ORDER BY r.institution_id, r.id
    """
    for priority in PRIORITIES:
        ask.ask(conn, ASHA, "selection", institutions=[3, 4], identifier_type="votecode", priority=priority)
        together = conn.execute(look).fetchall()
        _forget(conn)
        for institution_id in (3, 4):
            ask_one(
                conn, ASHA, institution_id=institution_id, identifier_type="votecode",
                identifier=f"00{institution_id}", priority=priority,
            )  # fmt: skip
        assert conn.execute(look).fetchall() == together
        _forget(conn)
    assert queue.RUN_TASK == "sync.run"


def _forget(conn: Connection) -> None:
    conn.execute("TRUNCATE runs, batches CASCADE")
    conn.execute("TRUNCATE procrastinate_jobs CASCADE")


def test_a_tin_is_asked_by_when_that_is_said(conn: Connection, register: list[int]) -> None:
    batch = ask.ask(conn, ASHA, "all", identifier_type="tin")
    assert batch.runs == 5
    assert conn.execute("SELECT DISTINCT identifier_type FROM runs").fetchall() == [("tin",)]
    by_vote = ask.ask(conn, ASHA, "selection", institutions=[5], identifier_type="votecode")
    assert members(conn, by_vote.batch_id) == [(5, "skipped", False)]


def test_those_that_failed_last_time(conn: Connection, register: list[int]) -> None:
    ended(conn, one(conn, 1), "failed", None)
    ended(conn, one(conn, 2), "failed", None)
    ended(conn, one(conn, 2))
    ended(conn, one(conn, 3), outcome="incomplete")
    ended(conn, one(conn, 4), "cancelled", None)
    assert members(conn, ask.ask(conn, ASHA, "failed").batch_id) == [(1, "waiting", False)]


@pytest.mark.parametrize(
    ("wish", "institutions", "error"),
    [
        ("some", None, InvalidInput),
        ("selection", None, InvalidInput),
        ("selection", [], InvalidInput),
        ("selection", [True], InvalidInput),
        ("selection", ["1"], InvalidInput),
        ("selection", [0], InvalidInput),
        ("selection", [2**63], InvalidInput),
        ("selection", [1, 99], NotFound),
        ("failed", None, NotAcceptable),
    ],
)
def test_a_wrong_wish_asks_for_nothing(
    conn: Connection, register: list[int], wish: str, institutions: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask.ask(conn, ASHA, wish, institutions=institutions)
    left = "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM batches) + count(*) FROM audit_log"
    assert conn.execute(f"{left} WHERE action LIKE 'batch%'".encode()).fetchone() == (0,)


def test_two_batches_at_once_ask_for_each_institution_once(
    conn: Connection, dsn: str, register: list[int]
) -> None:
    made: list[int] = []

    def ask_too() -> None:
        with psycopg.connect(dsn, autocommit=True) as mine:
            made.append(ask.ask(mine, ASHA, "all").batch_id)

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
    batch = ask.ask(conn, ASHA, "all").batch_id
    runs: dict[int, int] = dict(conn.execute("SELECT institution_id, id FROM runs").fetchall())
    ended(conn, runs[1], "failed", None)
    ended(conn, runs[2], "failed", None)
    ended(conn, runs[3], "cancelled", None)
    other = one(conn, 2)
    assert ask.retry(conn, OMAR, batch) == 1
    states: dict[int, str] = dict(conn.execute("SELECT id, state FROM runs").fetchall())
    assert states == {
        runs[1]: "waiting", runs[2]: "failed", runs[3]: "cancelled", runs[4]: "waiting", runs[5]: "waiting",
        other: "waiting",
    }  # fmt: skip
    job = "SELECT count(*) FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id WHERE r.id = %s"
    assert conn.execute(f"{job} AND j.status = 'todo'".encode(), (runs[1],)).fetchone() == (1,)
    with pytest.raises(Conflict, match="No run of this batch failed"):
        ask.retry(conn, OMAR, batch)
    with pytest.raises(NotFound):
        ask.retry(conn, OMAR, 99)


def test_cancelling_all_leaves_what_was_under_way_before(conn: Connection, register: list[int]) -> None:
    before = one(conn, 1)
    batch = ask.ask(conn, ASHA, "all").batch_id
    assert ask.cancel(conn, OMAR, batch) == 4
    assert jobs.under_way(conn, 1) == (before, "sync")
    assert conn.execute("SELECT count(*) FROM runs WHERE state = 'cancelled'").fetchone() == (4,)
    waits = conn.execute("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1 ORDER BY 1")
    assert waits.fetchall() == [("cancelled", 4), ("todo", 1)]
    control.cancel(conn, ASHA, before)
    with pytest.raises(Conflict, match="is under way"):
        ask.cancel(conn, OMAR, batch)


def test_starts_are_spread_over_the_time_that_is_said(conn: Connection, register: list[int]) -> None:
    ask.ask(conn, ASHA, "selection", institutions=[1, 2, 3, 4], spread=60)
    found = conn.execute(
        """
        SELECT round(extract(epoch FROM r.not_before - r.requested_at) / 60)::int, j.scheduled_at =
        r.not_before FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id ORDER BY r.id
        """
    ).fetchall()
    assert found == [(None, None), (15, True), (30, True), (45, True)]


def test_ten_thousand_are_asked_for_in_few_statements(conn: Connection) -> None:
    conn.execute(
        "INSERT INTO institutions (name, vote_code) SELECT 'TAASISI ' || n, lpad(n::text, 6, '0')"
        " FROM generate_series(1, 10000) n"
    )
    batch = ask.ask(conn, ASHA, "all")
    assert batch.runs == 10_000
    total = store.total(conn, batch.batch_id)
    assert (total.institutions, total.waiting, total.percent) == (10_000, 10_000, 0)
    assert ask.cancel(conn, ASHA, batch.batch_id) == 10_000


def test_how_it_stands(conn: Connection, register: list[int]) -> None:
    batch = ask.ask(conn, ASHA, "all").batch_id
    runs: dict[int, int] = dict(conn.execute("SELECT institution_id, id FROM runs").fetchall())
    ended(conn, runs[1])
    ended(conn, runs[2], outcome="incomplete")
    ended(conn, runs[3], "failed", None)
    conn.execute(
        "UPDATE runs SET state = 'active', started_at = now() - interval '1 minute' WHERE id = %s", (runs[4],)
    )
    conn.execute("UPDATE run_progress SET saved = 50, remote_total = 100 WHERE run_id = %s", (runs[4],))
    total = store.total(conn, batch)
    assert (total.complete, total.incomplete, total.failed, total.active, total.waiting, total.skipped) == (
        1, 1, 1, 1, 1, 1
    )  # fmt: skip
    assert total.percent == 70
    assert total.done_at
    assert total.done_at > total.now
    assert total.message == "3 of 5 runs ended; 50 people saved."
    starts.pause(conn, ASHA, "Mwisho wa mwezi")
    assert store.total(conn, batch).done_at is None
    conn.execute("UPDATE runs SET state = 'active' WHERE state = 'waiting'")
    assert store.total(conn, batch).done_at
    conn.execute("UPDATE runs SET state = 'waiting' WHERE state = 'active' AND id <> %s", (runs[4],))
    starts.go_on(conn, ASHA)
    assert store.total(conn, batch).done_at
    for state in STATES:
        shown = store.members(conn, batch, state, 100, 0)
        assert {member.stands for member in shown} <= {state}
    assert sum(len(store.members(conn, batch, state, 100, 0)) for state in STATES) == 6
    view = "SELECT institutions, waiting, active, complete, incomplete, failed, skipped FROM batches_v"
    assert conn.execute(view).fetchone() == (6, 1, 1, 1, 1, 1, 1)


NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(
    runs=st.integers(0, 50),
    skipped=st.integers(0, 5),
    waiting=st.integers(0, 50),
    active=st.integers(0, 50),
    share=st.floats(0, 1),
    minutes=st.integers(0, 10_000),
    start=st.none() | st.integers(-100, 10_000),
    is_paused=st.booleans(),
)
def test_per_cent_and_end_are_what_they_can_be(
    runs: int,
    skipped: int,
    waiting: int,
    active: int,
    share: float,
    minutes: int,
    start: int | None,
    is_paused: bool,
) -> None:
    waiting, active = min(waiting, runs), min(active, max(0, runs - waiting))
    over = runs - waiting - active
    total = Total(
        institutions=runs + skipped, skipped=skipped, joined=0, waiting=waiting, active=active, complete=over,
        incomplete=0, failed=0, cancelled=0, people=0, done=over + share * active, own_under_way=0,
        slowest_end_at=None if start is None else NOW + timedelta(minutes=2 * abs(start)),
        began_at=NOW - timedelta(minutes=minutes) if over or active else None,
        last_start_at=None if start is None else NOW + timedelta(minutes=start), now=NOW,
        is_paused=is_paused,
    )  # fmt: skip
    assert 0 <= total.percent <= 100
    assert (total.percent == 100) == total.ended
    assert total.message
    if total.done_at:
        assert not (is_paused and waiting)
        assert total.done_at >= NOW
        assert total.last_start_at is None or total.done_at >= total.last_start_at
