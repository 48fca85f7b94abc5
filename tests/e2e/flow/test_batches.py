"""A batch with real workers: a failure stops no other run, and only failed runs are retried."""

from hrims.access.scope import EVERYTHING
from hrims.batches import actions, store
from hrims.batches.progress import Total
from hrims.schedules import actions as schedules
from hrims.schedules.request import ScheduleRequest
from tests.support.harness import World
from tests.support.users import ASHA, BINTI


def total(world: World, batch_id: int) -> Total:
    return store.find_total(world.conn, EVERYTHING, batch_id)


def test_a_failure_stops_no_other_run_and_is_retried(world: World) -> None:
    votes = ("001", "002", "003", "005")
    chosen = [
        id_ for (id_,) in world.rows(f"SELECT id FROM institutions WHERE vote_code IN {votes} ORDER BY id")
    ]
    world.simulator.fail("body404", vote="002")
    for _ in range(2):
        world.start_worker()
    batch = actions.enqueue_batch(world.conn, ASHA, "selection", institutions=chosen, page_size=100).batch_id
    runs = [run_id for (run_id,) in world.rows("SELECT id FROM runs ORDER BY id")]
    for run_id in runs:
        world.wait_for_end(run_id)
    now = total(world, batch)
    assert (now.complete, now.failed, now.ended, now.percent) == (3, 1, True, 100)
    world.simulator.reset()
    assert actions.retry_batch(world.conn, ASHA, batch) == 1
    for run_id in runs:
        world.wait_for_end(run_id)
    now = total(world, batch)
    assert (now.complete, now.failed) == (4, 0)
    assert now.people == sum(count for (count,) in world.rows("SELECT people FROM runs"))
    assert world.rows("SELECT count(*) FROM runs") == [(4,)]


def test_any_number_of_workers_ask_for_a_scheduled_batch_once(world: World) -> None:
    chosen = [id_ for (id_,) in world.rows("SELECT id FROM institutions WHERE vote_code IN ('001', '002')")]
    expected = ScheduleRequest(name="Every night", cron="0 1 * * *", institutions=chosen)
    schedule = schedules.add(world.conn, BINTI, expected)
    for _ in range(3):
        world.start_worker()
    world.wait_for_rows("SELECT count(*) FROM workers_v WHERE alive", [(3,)])
    world.conn.execute("UPDATE schedules SET next_at = now()")
    world.wait_for_rows("SELECT became, batch_id FROM schedule_firings", [("enqueued", 1)])
    for run_id in (1, 2):
        assert world.wait_for_end(run_id).outcome == "complete"
    assert world.rows("SELECT count(*) FROM batches") == [(1,)]
    assert world.rows("SELECT next_at > now() FROM schedules") == [(True,)]
    # A worker that begins later, as after a deploy, finds its times as they were.
    world.start_worker()
    world.wait_for_rows("SELECT count(*) FROM workers_v WHERE alive", [(4,)])
    assert world.rows("SELECT id FROM schedules") == [(schedule,)]
    assert world.rows("SELECT count(*) FROM schedule_firings") == [(1,)]
