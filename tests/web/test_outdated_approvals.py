"""A request that can no longer be carried out ends, is shown so, and blocks nothing."""

from collections.abc import Callable

import pytest
from flask import Flask

from hrims.access import users
from hrims.approvals import actions
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.leavers import actions as decisions
from tests.support.users import ASHA, BINTI, JUMA, OMAR, actor_of
from tests.web.browsers import new_browser, signed_in
from tests.web.lists import leave
from tests.web.runs import institution

PAGE = "/dashboard/admin/approvals"

ENDED = "SELECT actor, subject FROM audit_log WHERE action = 'approval.end'"


def request_batch(conn: Connection, _dsn: str) -> None:
    """Request the end of a batch whose run then ends."""
    institution(conn)
    batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
    assert actions.cancel_batch(conn, OMAR, batch).waits
    assert batches.cancel_batch(conn, ASHA, batch) == 1


def request_administrator(conn: Connection, _dsn: str) -> None:
    """Request an administrator who then becomes one in another way."""
    zuhura = actor_of(conn, "zuhura", "administrator")
    assert actions.set_role(conn, zuhura, "asha", "administrator").waits
    users.set_role(conn, BINTI, "asha", "administrator", is_approved=True)


def request_leavers(conn: Connection, dsn: str) -> None:
    """Request the undo of leavers that are then undone in another way."""
    leave(conn, dsn, range(1, 7))
    decisions.approve(conn, JUMA, 1)
    zuhura = actor_of(conn, "zuhura", "administrator")
    assert actions.undo_leavers(conn, zuhura, 1).waits
    decisions.undo(conn, JUMA, 1, is_approved=True)


REQUESTS = [request_batch, request_administrator, request_leavers]


@pytest.mark.parametrize("request_", REQUESTS)
def test_it_ends(app: Flask, conn: Connection, dsn: str, request_: Callable[[Connection, str], None]) -> None:
    request_(conn, dsn)
    assert actions.list_waiting(conn, BINTI) == []
    assert [found.state for found in actions.list_recent(conn, BINTI)] == ["outdated"]
    binti = signed_in(new_browser(app), conn, "binti", "administrator")
    for verb in ("approve", "refuse", "withdraw"):
        answer = binti.press(f"{PAGE}/1/{verb}")
        assert answer.status_code == 409
        assert "Request 1 can no longer be carried out" in answer.text
    actions.end_outdated(conn)
    assert conn.execute("SELECT state FROM approvals").fetchall() == [("outdated",)]
    assert conn.execute(ENDED).fetchall() == [("the system", "approval:1")]


def test_what_still_can_be_done_waits(conn: Connection) -> None:
    institution(conn)
    batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
    actions.cancel_batch(conn, OMAR, batch)
    actions.end_outdated(conn)
    assert [found.state for found in actions.list_waiting(conn, BINTI)] == ["waiting"]
    with pytest.raises(
        Conflict, match=r"Request 1 on the page “Approvals” must be approved, refused or with"
    ):
        actions.cancel_batch(conn, OMAR, batch)


def test_an_ended_one_blocks_no_new_request(conn: Connection) -> None:
    institution(conn)
    batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
    actions.cancel_batch(conn, OMAR, batch)
    actions.cancel_batch(conn, ASHA, batch)
    assert conn.execute("SELECT state FROM approvals").fetchall() == [("outdated",)]
    conn.execute("UPDATE runs SET state = 'failed'")
    batches.retry_batch(conn, ASHA, batch)
    assert actions.cancel_batch(conn, OMAR, batch).approval_id == 2
