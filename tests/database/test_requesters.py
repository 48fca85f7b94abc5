"""Every user who asks for a run is one of its requesters, and approves nothing that follows from it."""

import psycopg
import pytest

from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import NotAllowed
from hrims.leavers import actions as leavers
from hrims.previews import actions as previews
from hrims.previews import store
from tests.database.lists import Lists
from tests.database.previews import approve, wanted
from tests.support.users import ASHA, BINTI, JUMA

GONE, STAY = range(1, 7), range(100, 130)
"""Six of thirty-six is too large a share."""

REQUESTERS = "SELECT user_id FROM run_requesters WHERE run_id = %s ORDER BY 1"


async def test_a_batch_that_joins_a_run(lists: Lists) -> None:
    await lists.run([*GONE, *STAY])
    await lists.run(STAY)
    run_id = lists.enqueue()
    assert batches.enqueue_batch(lists.conn, JUMA, "all").runs == 1
    assert lists.rows(REQUESTERS, run_id) == [(ASHA.user_id,), (JUMA.user_id,)]
    assert await lists.run(STAY) == run_id
    ((id_, state, *_),) = lists.departures()
    assert state == "waiting"
    with pytest.raises(NotAllowed, match="another user must approve"):
        leavers.approve(lists.conn, JUMA, id_)
    with pytest.raises(psycopg.errors.CheckViolation, match="was requested by the user who approves it"):
        lists.conn.execute(
            "UPDATE departures SET state = 'approved', decided_by = 'juma', decided_by_id = %s,"
            " decided_at = now()",
            (JUMA.user_id,),
        )
    assert leavers.approve(lists.conn, BINTI, id_) == (6, 0)


async def test_a_second_user_who_applies_a_preview(conn: Connection, preview: int) -> None:
    applying = approve(conn, preview).run_id
    version = store.compare(conn, preview).version
    assert previews.apply(conn, JUMA, wanted(conn, preview), version).deduplicated
    assert conn.execute(REQUESTERS, (applying,)).fetchall() == [(ASHA.user_id,), (JUMA.user_id,)]
