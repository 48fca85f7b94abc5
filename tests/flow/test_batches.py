"""A batch with real workers: a failure stops nobody else, and only the failed are tried again."""

from hrims.batches import ask, store
from hrims.batches.standing import Total
from tests.database.runs import ASHA
from tests.flow.conftest import World


def total(world: World, batch_id: int) -> Total:
    return store.total(world.conn, batch_id)


def test_a_failure_stops_nobody_else_and_is_tried_again(world: World) -> None:
    votes = ("001", "002", "003", "005")
    chosen = [
        id_ for (id_,) in world.rows(f"SELECT id FROM institutions WHERE vote_code IN {votes} ORDER BY id")
    ]
    world.simulator.fail("body404", vote="002")
    for _ in range(2):
        world.start_worker()
    batch = ask.ask(world.conn, ASHA, "selection", institutions=chosen, page_size=100).batch_id
    runs = [run_id for (run_id,) in world.rows("SELECT id FROM runs ORDER BY id")]
    for run_id in runs:
        world.until_ended(run_id)
    now = total(world, batch)
    assert (now.complete, now.failed, now.ended, now.percent) == (3, 1, True, 100)
    world.simulator.reset()
    assert ask.retry(world.conn, ASHA, batch) == 1
    for run_id in runs:
        world.until_ended(run_id)
    now = total(world, batch)
    assert (now.complete, now.failed) == (4, 0)
    assert now.people == sum(count for (count,) in world.rows("SELECT people FROM runs"))
    assert world.rows("SELECT count(*) FROM runs") == [(4,)]
