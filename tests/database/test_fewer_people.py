"""A complete run that met fewer people than the last complete one says so at once, everywhere."""

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.runs import store as run_store
from hrims.runs.model import Run
from hrims.web.api.run_bodies import Result
from tests.database.lists import Lists
from tests.support.people import record


def read(conn: Connection, run_id: int) -> Run:
    run = run_store.find_run(conn, EVERYTHING, run_id)
    assert run
    return run


async def test_it_works(conn: Connection, lists: Lists) -> None:
    await lists.run(range(140))
    run = read(conn, await lists.run(range(100)))
    assert run.outcome == "complete"
    assert run.message == (
        "Complete: all 100 that HRIMS lists are accounted for. 40 fewer than in the last complete run."
    )
    assert Result.of(run, []).fewer_than_last_complete == 40
    assert conn.execute("SELECT fewer_than_last_complete FROM runs_v ORDER BY job_id").fetchall() == [
        (0,),
        (40,),
    ]
    counts = conn.execute("SELECT payload #> '{data,fewerThanLastComplete}' FROM webhook_runs ORDER BY id")
    assert counts.fetchall() == [(0,), (40,)]


async def test_more_people_are_no_drop(conn: Connection, lists: Lists) -> None:
    await lists.run(range(10))
    run = read(conn, await lists.run(range(12)))
    assert run.fewer_than_last_complete == 0
    assert "fewer" not in run.message


async def test_an_incomplete_run_in_between_is_no_measure(conn: Connection, lists: Lists) -> None:
    await lists.run(range(10))
    between = read(conn, await lists.run(range(3), missing=7))
    assert "fewer" not in between.message
    assert read(conn, await lists.run(range(9))).fewer_than_last_complete == 1


async def test_another_list_is_no_measure(conn: Connection, lists: Lists) -> None:
    await lists.run(range(10))
    assert read(conn, await lists.run(range(3), by="tin")).fewer_than_last_complete == 0
    assert read(conn, await lists.run(range(3), "water")).fewer_than_last_complete == 0


async def test_rejects_are_no_drop(conn: Connection, lists: Lists) -> None:
    """HRIMS lists as many as before, whatever can be kept of them."""
    await lists.run(range(10))
    spoiled = [record(number, birthDate="yesterday") for number in range(7)]
    run = read(conn, await lists.run([*spoiled, *range(7, 10)]))
    assert (run.outcome, run.fewer_than_last_complete) == ("complete", 0)
    assert "fewer" not in run.message


async def test_a_drop_after_rejects_is_said(conn: Connection, lists: Lists) -> None:
    spoiled = [record(number, birthDate="yesterday") for number in range(10)]
    await lists.run(spoiled)
    assert read(conn, await lists.run(range(6))).fewer_than_last_complete == 4
    assert read(conn, await lists.run(spoiled[:5])).fewer_than_last_complete == 1
