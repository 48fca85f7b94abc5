"""The story of a request id has each event once."""

from hrims.batches.actions import enqueue_batch
from hrims.db import AsyncPool, Connection
from hrims.jobs.enqueue import enqueue_run
from hrims.stories.store import read_story
from tests.database.runs import begin, institution
from tests.database.test_webhook_endings import fails
from tests.support.users import ASHA, BINTI


def story(conn: Connection, request_id: str) -> list[tuple[str, str]]:
    return [(event.source, event.text) for event in read_story(conn, request_id)]


async def test_a_run(conn: Connection, pool: AsyncPool) -> None:
    actor = ASHA._replace(request_id="abc-1")
    institution(conn)
    run = enqueue_run(conn, actor, institution_id=1, identifier_type="votecode", identifier="001").run_id
    await fails(conn, pool, await begin(conn, pool, run))
    found = story(conn, "abc-1")
    assert [line for line in found if line[0] == "audit"] == [
        ("audit", "run.ask of run:1 by asha, via page"),
        ("audit", "run.start of run:1 by system, via system"),
        ("audit", "run.end of run:1 by system, via system"),
    ]
    assert len(found) == len(set(found))
    assert {source for source, _ in found} >= {"run", "job", "attempt", "audit"}


def test_a_batch(conn: Connection) -> None:
    institution(conn)
    enqueue_batch(conn, BINTI._replace(request_id="abc-2"), "all")
    found = story(conn, "abc-2")
    assert [line for line in found if line[0] != "job"] == [
        ("batch", "batch 1 requested by binti, via page"),
        ("run", "run 1 (sync) requested by binti, via page: WIZARA YA AFYA"),
        ("audit", "batch.ask of batch:1 by binti, via page"),
    ]
