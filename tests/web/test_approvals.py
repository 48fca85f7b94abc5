"""What needs two users: through the page, the API, a token, a schedule and the command line."""

import psycopg
import pytest
from flask import Flask

from hrims.access import tokens, users
from hrims.approvals import actions
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict, NotAllowed
from hrims.leavers import actions as decisions
from hrims.schedules import actions as schedules
from hrims.schedules import scheduler
from hrims.schedules.request import ScheduleRequest
from hrims.validation import validate
from tests.support.users import ASHA, BINTI, JUMA, OMAR, actor_of
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.lists import leave, leavers
from tests.web.runs import error_of, institution

PAGE, API = "/dashboard/admin/approvals", "/api/hrims/approvals"


def states(conn: Connection) -> list[tuple[object, ...]]:
    """Return action, state and decider of every approval."""
    return conn.execute("SELECT action, state, decided_by FROM approvals ORDER BY id").fetchall()


@pytest.fixture
def batch(conn: Connection) -> int:
    """Return a batch of asha with one waiting run."""
    institution(conn)
    return batches.enqueue_batch(conn, ASHA, "all").batch_id


@pytest.fixture
def supervisor(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the supervisor juma is signed in."""
    return signed_in(new_browser(app), conn, "juma", "supervisor")


def test_the_batch_of_another_user_is_cancelled_by_two(
    app: Flask, conn: Connection, supervisor: Browser, batch: int
) -> None:
    omar = signed_in(new_browser(app), conn, "omar", "officer")
    assert omar.press(f"/dashboard/admin/batches/{batch}/cancel").location == PAGE
    assert conn.execute("SELECT state FROM runs").fetchall() == [("waiting",)]
    page = omar.get(PAGE).text
    assert f"Cancel the unfinished runs of batch {batch}" in page
    assert "You requested this, so another user must approve it." in page
    assert omar.press(f"{PAGE}/1/approve").status_code == 403
    assert supervisor.press(f"{PAGE}/1/approve").location == PAGE
    assert conn.execute("SELECT state FROM runs").fetchall() == [("cancelled",)]
    assert states(conn) == [("batch.cancel", "approved", "juma")]
    rows = conn.execute(
        "SELECT actor, action FROM audit_log WHERE action ~ '^approval|^batch.cancel' ORDER BY id"
    )
    assert rows.fetchall() == [
        ("omar", "approval.request"), ("juma", "batch.cancel"), ("juma", "approval.approve"),
    ]  # fmt: skip


def test_a_user_cancels_an_own_batch_alone(conn: Connection, batch: int) -> None:
    assert actions.cancel_batch(conn, ASHA, batch).done == 1
    assert states(conn) == []


def test_a_user_approves_no_own_request_through_any_identity(
    app: Flask, conn: Connection, batch: int
) -> None:
    juma = actor_of(conn, "juma", "supervisor")
    token = tokens.add_token(conn, juma, "nightly", "manage")
    machine = new_browser(app)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    answer = machine.post(f"/api/hrims/batches/{batch}/cancel")
    assert (answer.status_code, answer.get_json()["approvalId"]) == (202, 1)
    page = signed_in(new_browser(app), conn, "juma", "supervisor")
    assert page.press(f"{PAGE}/1/approve").status_code == 403
    assert error_of(machine.post(f"{API}/1/approve")) == (403, "second_person")
    for identity in (juma, users.identify(conn, "juma", "cli"), tokens.find_token(conn, token)):
        assert identity
        with pytest.raises(NotAllowed, match="another user must decide"):
            actions.approve(conn, identity, 1)
    with pytest.raises(psycopg.errors.CheckViolation, match="approvals_by_another"):
        conn.execute(
            "UPDATE approvals SET state = 'approved', decided_by = 'x', decided_by_id = requester_id,"
            " decided_at = now()"
        )
    assert conn.execute("SELECT state FROM runs").fetchall() == [("waiting",)]
    assert actions.approve(conn, BINTI, 1).state == "waiting"


def test_a_token_that_another_user_made_approves_nothing(app: Flask, conn: Connection, batch: int) -> None:
    actor_of(conn, "juma", "supervisor")
    zuhura = actor_of(conn, "zuhura", "administrator")
    assert actions.cancel_batch(conn, zuhura, batch).waits
    machine = new_browser(app)
    token = tokens.add_token(conn, zuhura, "helper", "manage", user="juma")
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert error_of(machine.post(f"{API}/1/approve")) == (403, "not_allowed")
    made_by_juma = tokens.find_token(
        conn, tokens.add_token(conn, users.identify(conn, "juma", "cli"), "own", "manage")
    )
    assert made_by_juma
    assert actions.approve(conn, made_by_juma, 1).state == "waiting"


def test_a_schedule_belongs_to_its_user(conn: Connection) -> None:
    institution(conn)
    id_ = schedules.add(conn, BINTI, validate(ScheduleRequest, {"name": "Nightly", "cron": "0 1 * * *"}))
    conn.execute("UPDATE schedules SET next_at = now() - interval '1 second'")
    assert scheduler.fire_due_schedule(conn)
    [(batch_id,)] = conn.execute("SELECT id FROM batches WHERE schedule_id = %s", (id_,)).fetchall()
    assert actions.cancel_batch(conn, JUMA, batch_id).waits
    assert actions.cancel_batch(conn, BINTI, batch_id).done == 1


def test_leavers_above_the_threshold_are_undone_by_two(conn: Connection, dsn: str) -> None:
    leave(conn, dsn, range(1, 7))
    decisions.approve(conn, JUMA, 1)
    with pytest.raises(Conflict, match="Another user must approve"):
        decisions.undo(conn, JUMA, 1)
    assert actions.undo_leavers(conn, JUMA, 1).waits
    with pytest.raises(Conflict, match="waits for an approval already"):
        actions.undo_leavers(conn, BINTI, 1)
    assert len(leavers(conn)) == 6
    actions.approve(conn, BINTI, 1)
    assert leavers(conn) == []


def test_leavers_below_it_are_undone_by_one(conn: Connection, dsn: str) -> None:
    leave(conn, dsn, [1])
    assert actions.undo_leavers(conn, JUMA, 1).done == 1
    assert leavers(conn) == []


def test_an_administrator_is_made_by_two(conn: Connection) -> None:
    with pytest.raises(Conflict, match="Another administrator must approve"):
        users.set_role(conn, BINTI, "omar", "administrator")
    # No other user was ever an administrator, so the first one does it alone.
    assert actions.set_role(conn, BINTI, "omar", "administrator").done == "administrator"
    assert actions.set_role(conn, BINTI, "asha", "administrator").waits
    with pytest.raises(Conflict, match="Add the user with another role"):
        users.add_user(conn, BINTI, "zuhura", "administrator", "a long monsoon 26")
    with pytest.raises(NotAllowed):
        actions.approve(conn, JUMA, 1)
    omar = users.identify(conn, "omar", "page")
    actions.approve(conn, omar, 1)
    assert users.identify(conn, "asha", "page").role == "administrator"
    users.disable(conn, BINTI, "omar")
    # Disabling the others does not bring the exception back.
    assert actions.set_role(conn, BINTI, "juma", "administrator").waits


def test_the_page_names_the_way_out_if_no_administrator_can_approve(app: Flask, conn: Connection) -> None:
    zuhura = signed_in(new_browser(app), conn, "zuhura", "administrator")
    assert actions.set_role(conn, users.identify(conn, "zuhura", "page"), "asha", "administrator").waits
    way_out = "hrims user set-role NAME administrator"
    assert way_out not in zuhura.get(PAGE).text
    users.disable(conn, JUMA, "binti")
    assert way_out in zuhura.get(PAGE).text


def test_a_request_is_refused_withdrawn_or_expires(conn: Connection, batch: int) -> None:
    assert actions.cancel_batch(conn, OMAR, batch).approval_id == 1
    with pytest.raises(Conflict, match="Only the user who requested"):
        actions.withdraw(conn, JUMA, 1)
    actions.withdraw(conn, OMAR, 1)
    assert actions.cancel_batch(conn, OMAR, batch).approval_id == 2
    actions.refuse(conn, JUMA, 2)
    assert actions.cancel_batch(conn, OMAR, batch).approval_id == 3
    conn.execute("UPDATE approvals SET requested_at = now() - interval '8 days' WHERE id = 3")
    with pytest.raises(Conflict, match="expired already"):
        actions.approve(conn, JUMA, 3)
    assert [found.state for found in actions.list_recent(conn, BINTI)] == [
        "expired",
        "refused",
        "withdrawn",
    ]
    assert actions.cancel_batch(conn, OMAR, batch).waits
    assert [state for _, state, _ in states(conn)] == ["withdrawn", "refused", "expired", "waiting"]
    assert conn.execute("SELECT state FROM runs").fetchall() == [("waiting",)]
