"""The rights of the two users of an approval: of the one who requested it, and of the one who decides."""

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask

from hrims.access import users
from hrims.approvals import actions
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict
from tests.support.users import ASHA, BINTI, JUMA, actor_of
from tests.web.browsers import new_browser, signed_in
from tests.web.runs import error_of, institution

LOSSES: dict[str, Callable[[Connection], object]] = {
    "disabled": lambda conn: users.disable(conn, BINTI, "zuhura"),
    "demoted": lambda conn: users.set_role(conn, BINTI, "zuhura", "viewer"),
}
"""How the user who requested something loses the right to request it."""


def states(conn: Connection) -> list[tuple[object, ...]]:
    """Return the state of every approval."""
    return conn.execute("SELECT state FROM approvals ORDER BY id").fetchall()


def run_states(conn: Connection) -> list[tuple[object, ...]]:
    """Return institution and state of every run."""
    return conn.execute("SELECT institution_id, state FROM runs ORDER BY id").fetchall()


class TestRequester:
    """The user who requested it must still be allowed to."""

    @pytest.mark.parametrize("loss", LOSSES)
    def test_a_new_administrator(self, conn: Connection, loss: str) -> None:
        zuhura = actor_of(conn, "zuhura", "administrator")
        assert actions.set_role(conn, zuhura, "asha", "administrator").approval_id == 1
        LOSSES[loss](conn)
        with pytest.raises(Conflict, match=r"zuhura may not request this any more\. Nothing was changed"):
            actions.approve(conn, BINTI, 1)
        user = users.find(conn, "asha")
        assert user
        assert user.role == "officer"
        assert states(conn) == [("waiting",)]
        actions.refuse(conn, BINTI, 1)
        assert states(conn) == [("refused",)]

    @pytest.mark.parametrize("loss", LOSSES)
    def test_the_end_of_a_batch(self, conn: Connection, loss: str) -> None:
        place = institution(conn)
        batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
        assert actions.cancel_batch(conn, actor_of(conn, "zuhura", "officer"), batch).waits
        LOSSES[loss](conn)
        with pytest.raises(Conflict, match="may not request this any more"):
            actions.approve(conn, JUMA, 1)
        assert run_states(conn) == [(place, "waiting")]

    def test_an_institution_that_was_taken_from_the_user(self, conn: Connection) -> None:
        first, second = institution(conn), institution(conn, "WIZARA B", "002", "200000000")
        batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
        zuhura = actor_of(conn, "zuhura", "officer", [first, second])
        assert actions.cancel_batch(conn, zuhura, batch).waits
        users.set_institutions(conn, BINTI, "zuhura", [second])
        with pytest.raises(Conflict, match="may not request this any more"):
            actions.approve(conn, JUMA, 1)
        assert run_states(conn) == [(first, "waiting"), (second, "waiting")]

    def test_the_database_accepts_no_request_of_a_disabled_user(self, conn: Connection) -> None:
        zuhura = actor_of(conn, "zuhura", "administrator")
        actions.set_role(conn, zuhura, "asha", "administrator")
        users.disable(conn, BINTI, "zuhura")
        with pytest.raises(psycopg.errors.CheckViolation, match="is disabled"):
            conn.execute(
                "UPDATE approvals SET state = 'approved', decided_by = 'binti', decided_by_id = %s,"
                " decided_at = now()",
                (BINTI.user_id,),
            )


class TestDecider:
    """An approval does no more than what was requested."""

    def test_a_wider_scope_cancels_no_more_runs(self, conn: Connection) -> None:
        first, second = institution(conn), institution(conn, "WIZARA B", "002", "200000000")
        batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
        zuhura = actor_of(conn, "zuhura", "officer", [first])
        assert actions.cancel_batch(conn, zuhura, batch).waits
        actions.approve(conn, JUMA, 1)
        assert run_states(conn) == [(first, "cancelled"), (second, "waiting")]

    @pytest.mark.parametrize("decision", ["approve", "refuse"])
    @pytest.mark.parametrize("address", ["/dashboard/admin/approvals", "/api/hrims/approvals"])
    def test_the_password_is_asked_for_as_for_the_action(
        self, app: Flask, conn: Connection, decision: str, address: str
    ) -> None:
        zuhura = actor_of(conn, "zuhura", "administrator")
        actions.set_role(conn, zuhura, "asha", "administrator")
        binti = signed_in(new_browser(app), conn, "binti", "administrator")
        conn.execute("UPDATE sessions SET confirmed_at = now() - interval '3 hours'")
        answer = binti.press(f"{address}/1/{decision}")
        if address.startswith("/api"):
            assert error_of(answer) == (403, "sign_in_not_recent")
        else:
            assert answer.location == "/sign-in/confirm?next=/dashboard/admin/approvals&form=yes"
        assert states(conn) == [("waiting",)]
        conn.execute("UPDATE sessions SET confirmed_at = now()")
        assert binti.press(f"{address}/1/{decision}").status_code in {200, 303}
        assert states(conn) == [({"approve": "approved", "refuse": "refused"}[decision],)]

    def test_it_is_not_asked_for_what_asks_no_password_itself(self, app: Flask, conn: Connection) -> None:
        institution(conn)
        batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
        actions.cancel_batch(conn, actor_of(conn, "omar"), batch)
        juma = signed_in(new_browser(app), conn, "juma", "supervisor")
        conn.execute("UPDATE sessions SET confirmed_at = now() - interval '3 hours'")
        assert juma.press("/dashboard/admin/approvals/1/approve").location == "/dashboard/admin/approvals"
        assert states(conn) == [("approved",)]
