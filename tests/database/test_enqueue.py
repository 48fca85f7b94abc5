"""Asking for a run: one transaction, one run an institution, and every wish that is refused."""

import threading
from typing import Any

import psycopg
import pytest

from hrims.db import Connection
from hrims.errors import Conflict, NotFound, Unprocessable
from hrims.jobs import control, enqueue
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.store import FENCED
from tests.database.runs import enqueue_run_of, institution, register_worker
from tests.support.databases import execute_as_owner
from tests.support.users import ASHA

TABLES = ("runs", "run_progress", "procrastinate_jobs", "audit_log")


def counts(conn: Connection) -> list[int]:
    """Return rows of everything that asking writes."""
    return [conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0] for table in TABLES]


def test_it_works(conn: Connection) -> None:
    where = institution(conn)
    requested = enqueue.enqueue_run(
        conn, ASHA, institution_id=where, identifier_type="tin", identifier="156255890", page_size=50
    )
    assert requested == (1, "WIZARA YA AFYA", False)
    run = conn.execute(
        "SELECT institution_id, identifier_type, identifier, page_size, state, requested_by FROM runs"
    ).fetchone()
    assert run == (where, "tin", "156255890", 50, "waiting", "asha")
    job = conn.execute("SELECT task_name, args, status::text FROM procrastinate_jobs").fetchone()
    assert job == ("sync.run", {"run_id": 1}, "todo")
    audit = conn.execute("SELECT actor, via, host(address), action, subject FROM audit_log").fetchone()
    assert audit == ("asha", "page", "127.0.0.1", "run.ask", "run:1")


@pytest.mark.parametrize("table", TABLES)
def test_what_cannot_be_written_whole_is_not_written_at_all(conn: Connection, table: str) -> None:
    where = institution(conn)
    execute_as_owner(
        conn,
        f"""
        CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
        CREATE TRIGGER break BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION break()
        """.encode(),
    )
    with pytest.raises(Exception, match=r"broken|Database error"):
        enqueue_run_of(conn, where)
    assert counts(conn) == [0, 0, 0, 0]


def test_a_second_wish_gets_the_first_ones_run(conn: Connection) -> None:
    where = institution(conn)
    first = enqueue_run_of(conn, where)
    again = enqueue.enqueue_run(
        conn, ASHA, institution_id=where, identifier_type="tin", identifier="156255890"
    )
    assert again == (first, "WIZARA YA AFYA", True)
    assert counts(conn) == [1, 1, 1, 1]


@pytest.mark.parametrize("state", ["waiting", "delayed", "active"])
def test_a_second_request_returns_the_run_whatever_it_waits_for(conn: Connection, state: str) -> None:
    where = institution(conn)
    first = enqueue_run_of(conn, where)
    conn.execute("UPDATE runs SET state = %s", (state,))
    before = counts(conn)
    again = enqueue.enqueue_run(
        conn, ASHA, institution_id=where, identifier_type="votecode", identifier="001"
    )
    assert (again.run_id, again.deduplicated) == (first, True)
    assert counts(conn) == before


@pytest.mark.parametrize(
    ("first", "second", "then"),
    [("normal", "urgent", "urgent"), ("low", "normal", "normal"), ("urgent", "low", "urgent")],
)
def test_a_more_urgent_wish_makes_the_first_ones_run_so(
    conn: Connection, first: str, second: str, then: str
) -> None:
    options: dict[str, Any] = {
        "institution_id": institution(conn), "identifier_type": "tin", "identifier": "156255890"
    }  # fmt: skip
    run_id = enqueue.enqueue_run(conn, ASHA, priority=first, **options).run_id
    assert enqueue.enqueue_run(conn, ASHA, priority=second, **options) == (run_id, "WIZARA YA AFYA", True)
    assert conn.execute("SELECT priority FROM runs").fetchall() == [(then,)]
    assert conn.execute("SELECT priority FROM procrastinate_jobs").fetchall() == [(PRIORITIES[then],)]
    audit = conn.execute(
        "SELECT before #>> '{}', after #>> '{}' FROM audit_log WHERE action = 'run.priority'"
    ).fetchall()
    assert audit == ([(first, second)] if then != first else [])


def test_many_at_the_same_time_make_one_run(conn: Connection, dsn: str) -> None:
    where = institution(conn)
    ready, requested = threading.Barrier(8), []

    def click() -> None:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            ready.wait()
            requested.append(enqueue_run_of(own_conn, where))

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert requested == [requested[0]] * 8
    assert counts(conn) == [1, 1, 1, 1]


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"institution_id": 999}, NotFound, "no institution with this id"),
    ({"identifier": "037"}, Unprocessable, "not that of WIZARA YA AFYA"),
    ({"identifier": ""}, Unprocessable, "not that of WIZARA YA AFYA"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
def test_a_wrong_wish_is_refused_and_changes_nothing(
    conn: Connection, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    right: dict[str, Any] = {"institution_id": institution(conn), "identifier_type": "votecode"}
    right["identifier"] = "001"
    with pytest.raises(error, match=message):
        enqueue.enqueue_run(conn, ASHA, **(right | options))
    assert counts(conn) == [0, 0, 0, 0]


def test_an_institution_without_the_number_is_refused_with_a_message(conn: Connection) -> None:
    conn.execute("INSERT INTO institutions (name) VALUES ('SEKRETARIETI YA AJIRA .')")
    with pytest.raises(Unprocessable, match="has no TIN on the register"):
        enqueue.enqueue_run(conn, ASHA, institution_id=1, identifier_type="tin", identifier="1")


def test_a_cancelled_run_lets_the_next_one_in(conn: Connection) -> None:
    where = institution(conn)
    control.cancel(conn, ASHA, enqueue_run_of(conn, where))
    assert conn.execute("SELECT status::text FROM procrastinate_jobs").fetchall() == [("cancelled",)]
    assert enqueue_run_of(conn, where) == 2


def test_cancelling_a_running_run_aborts_its_job(conn: Connection) -> None:
    """Otherwise its worker sends requests to HRIMS until a page is refused, and occupies slots meanwhile."""
    run_id = enqueue_run_of(conn, institution(conn))
    conn.execute(FENCED["fetch"], {"queues": ["sync"], "worker_id": register_worker(conn)})
    control.cancel(conn, ASHA, run_id)
    jobs = conn.execute("SELECT status::text, abort_requested FROM procrastinate_jobs").fetchall()
    assert jobs == [("doing", True)]


def test_what_has_ended_cannot_be_cancelled(conn: Connection) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    control.cancel(conn, ASHA, run_id)
    with pytest.raises(Conflict, match="ended already"):
        control.cancel(conn, ASHA, run_id)


def test_a_cancelled_run_can_be_tried_again(conn: Connection) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    control.cancel(conn, ASHA, run_id)
    control.retry(conn, ASHA, run_id)
    assert conn.execute("SELECT state, finished_at FROM runs").fetchall() == [("waiting", None)]
    jobs = conn.execute("SELECT status::text FROM procrastinate_jobs ORDER BY id").fetchall()
    assert jobs == [("cancelled",), ("todo",)]


def test_a_run_under_way_cannot_be_tried_again(conn: Connection) -> None:
    with pytest.raises(Conflict, match="Only a failed or cancelled run"):
        control.retry(conn, ASHA, enqueue_run_of(conn, institution(conn)))


def test_trying_again_gives_way_to_a_newer_run(conn: Connection) -> None:
    where = institution(conn)
    run_id = enqueue_run_of(conn, where)
    control.cancel(conn, ASHA, run_id)
    enqueue_run_of(conn, where)
    with pytest.raises(Conflict, match="another run under way"):
        control.retry(conn, ASHA, run_id)
    assert conn.execute("SELECT state FROM runs WHERE id = %s", (run_id,)).fetchall() == [("cancelled",)]


def test_a_completed_run_stays_completed(conn: Connection) -> None:
    enqueue_run_of(conn, institution(conn))
    conn.execute(
        "UPDATE runs SET state = 'completed', outcome = 'complete', finished_at = now(),"
        " people = 0, seen_twice = 0, missing = 0"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot become waiting"):
        conn.execute("UPDATE runs SET state = 'waiting', outcome = NULL, finished_at = NULL")
