"""A preview and what applies it, with a real worker, a real HRIMS' stand-in and real Postgres."""

import platform
import random
import time
from typing import Any

import psycopg
import pytest

from hrims.access.scope import EVERYTHING
from hrims.institutions import store as institution_store
from hrims.jobs import enqueue
from hrims.previews import actions, store
from tests.database.previews import approve, wanted
from tests.e2e.flow.test_run import expected_rows, saved_rows
from tests.support.harness import World
from tests.support.sample import sampled
from tests.support.users import ASHA

COUNTS = """
SELECT (SELECT count(*) FROM employees), (SELECT count(*) FROM workplaces), (SELECT count(*) FROM listings),
       (SELECT count(*) FROM employee_changes)
"""


def preview(world: World, vote: str = "001") -> int:
    """Queues a preview; returns its run's id."""
    institution = institution_store.find_institution_by(world.conn, "votecode", vote)
    assert institution
    return enqueue.enqueue_run(
        world.conn,
        ASHA,
        institution_id=institution.id,
        identifier_type="votecode",
        identifier=vote,
        page_size=25,
        kind="preview",
    ).run_id


def base(world: World) -> None:
    """Sync the ministry, and change it at HRIMS."""
    world.wait_for_end(world.enqueue())
    people = [one["zan_id"] for one in world.simulator.people(vote="001")]
    for zan_id in people[3:200:7]:
        world.simulator.change_person(zan_id, **{"personalInfo.primaryPhone": "0770000001"})
    world.simulator.remove_people(*people[10:15], vote="001")
    world.simulator.add_people(vote="001", count=20, at=40)


def blocked(world: World, zan_id: str) -> psycopg.Connection[Any]:
    """Lock this new person in another session, so that the page that saves them waits."""
    holder = psycopg.connect(world.dsn)
    holder.execute(
        "INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)"
        " VALUES (%s, 'Confirmed', 1, 1)",
        (zan_id,),
    )
    return holder


def until_waiting(world: World) -> None:
    """Wait until a page transaction waits for a lock."""
    world.wait_for_rows(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()",
        [(True,)],
    )


def test_a_preview_writes_no_employee_and_its_apply_saves_the_list(world: World) -> None:
    world.start_worker()
    base(world)
    before = world.rows(COUNTS)
    run = world.wait_for_end(preview(world))
    assert (run.state, run.outcome, run.people, run.missing) == ("completed", "complete", 255, 0)
    assert world.rows(COUNTS) == before
    found = store.compare(world.conn, run.id)
    assert (found.new, found.changed, found.missing) == (20, run.changed, 5)
    requested = world.simulator.counters()["requests"]
    applied = world.wait_for_end(approve(world.conn, run.id).run_id)
    assert (applied.outcome, applied.people, applied.new, applied.changed) == (
        "complete", 255, 20, found.changed,
    )  # fmt: skip
    assert world.simulator.counters()["requests"] == requested
    gone = world.rows("SELECT count(*) FROM employees")[0][0] - 255
    assert gone == 5
    there = {row[0] for row in expected_rows(world)}
    assert [row for row in saved_rows(world) if row[0] in there] == expected_rows(world)


def test_a_preview_survives_what_a_sync_survives(world: World) -> None:
    """Failing pages, a record that breaks every page, and a worker that is killed."""
    world.simulator.control(poison=[{"vote": "001", "index": 60}])
    world.simulator.fail("body500", page=1, times=2)
    hold = world.simulator.hold(page=7)
    first = world.start_worker()
    run_id = preview(world)
    world.simulator.wait_for(held=1)
    first.kill()
    world.start_worker()
    world.wait_until(run_id, lambda run: run.attempt == 2)
    world.simulator.release(hold)
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people, run.rejected) == ("complete", 239, 1)
    assert world.rows(COUNTS) == [(0, 0, 0, 0)]
    rejected = store.list_entries(world.conn, EVERYTHING, run_id, "rejected", 10)
    assert [(one["record"], one["code"]) for one in rejected] == [(61, "remote_breaks")]


def test_it_is_applied_while_hrims_is_down(world: World) -> None:
    world.start_worker()
    run_id = world.wait_for_end(preview(world)).id
    world.simulator.control(down=True)
    world.conn.execute(
        "INSERT INTO remote_breakers (host, address, reason, code, probe_at)"
        " VALUES (%s, %s, 'HRIMS is down.', 'remote_down', now() + interval '1 hour')",
        (platform.node(), world.simulator.url),
    )
    applied = world.wait_for_end(approve(world.conn, run_id).run_id)
    assert (applied.outcome, applied.people, applied.attempt) == ("complete", 240, 1)


def test_an_apply_killed_in_the_middle_of_a_page_goes_on(world: World) -> None:
    first = world.start_worker()
    run_id = world.wait_for_end(preview(world)).id
    applied = approve_while_blocked(world, run_id)
    first.kill()
    world.start_worker()
    run = world.wait_for_end(applied)
    assert (run.outcome, run.people, run.attempt, run.new) == ("complete", 240, 2, 240)
    assert saved_rows(world) == expected_rows(world)
    pages = world.rows(
        f"SELECT count(*), count(DISTINCT page_number) FROM run_pages WHERE run_id = {applied}"
    )
    assert pages == [(10, 10)]


def approve_while_blocked(world: World, run_id: int) -> int:
    """Apply a preview until one of its pages waits, and let go of it when this returns and the worker is
    killed: the lock ends with the holder.
    """
    version = store.compare(world.conn, run_id).version
    zan_id = world.rows("SELECT zan_id FROM preview_people WHERE page_number = 5 ORDER BY 1 LIMIT 1")[0][0]
    with blocked(world, zan_id) as holder:
        applied = actions.apply(world.conn, ASHA, wanted(world.conn, run_id), version).run_id
        until_waiting(world)
        assert world.run(applied).pages < 10
        for worker in world.workers:
            worker.kill()
        holder.rollback()
    return applied


@pytest.mark.parametrize("seed", sampled(range(12), {0}))
def test_an_apply_killed_at_a_random_moment_goes_on(world: World, seed: int) -> None:
    rng = random.Random(seed)
    worker = world.start_worker()
    run_id = world.wait_for_end(preview(world)).id
    applied = approve(world.conn, run_id).run_id
    at = rng.randint(0, 9)
    world.wait_until(applied, lambda run: run.pages >= at)
    time.sleep(rng.uniform(0, 0.02))  # so that the kill falls anywhere within a page
    worker.kill()
    world.start_worker()
    run = world.wait_for_end(applied)
    assert (run.outcome, run.people, run.new) == ("complete", 240, 240)
    assert saved_rows(world) == expected_rows(world)


def test_what_changed_since_the_approval_stops_it_in_words(world: World) -> None:
    worker = world.start_worker()
    base(world)
    run_id = world.wait_for_end(preview(world)).id
    worker.terminate()
    worker.wait(30)
    applied = approve(world.conn, run_id).run_id
    changed = store.list_entries(world.conn, EVERYTHING, run_id, "changed", 1)[0]["zanId"]
    world.conn.execute("UPDATE employees SET status = 'Retired' WHERE zan_id = %s", (changed,))
    world.start_worker()
    run = world.wait_for_end(applied)
    assert (run.state, run.attempt, run.trouble_code, run.saved) == ("failed", 1, "preview_outdated", 0)
    assert approve(world.conn, run_id).run_id == applied
    assert world.wait_for_end(applied).outcome == "complete"


def test_the_worker_empties_what_is_no_longer_needed(world: World) -> None:
    world.start_worker()
    applied = world.wait_for_end(preview(world)).id
    world.wait_for_end(approve(world.conn, applied).run_id)
    world.wait_for_rows("SELECT count(*) FROM preview_people", [(0,)])
    old = world.wait_for_end(preview(world)).id
    world.conn.execute("UPDATE runs SET finished_at = now() - interval '8 days' WHERE id = %s", (old,))
    world.wait_for_rows("SELECT count(*) FROM preview_people", [(0,)])
    assert world.rows(f"SELECT emptied_why FROM runs WHERE id = {old}") == [("too_old",)]
