"""The rights of the two users of an approval: of the one who requested it, and of the one who decides."""

from collections.abc import Callable

import psycopg
import pytest
from flask import Flask

from hrims.access import tokens, users
from hrims.access.actor import Actor
from hrims.approvals import actions
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict, NotAllowed, NotFound
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


def machine_of(conn: Connection, maker: Actor, scope: str, institutions: list[int] | None = None) -> Actor:
    """Return a token of a user as an actor."""
    name = f"{scope} {institutions}".replace("[", "").replace("]", "")
    found = tokens.find_token(conn, tokens.add_token(conn, maker, name, scope, institutions=institutions))
    assert found
    return found


def shown_to(conn: Connection, actor: Actor) -> list[str]:
    """Return the actions of the waiting approvals that an actor sees."""
    return [found.action for found in actions.list_waiting(conn, actor)]


class TestClient:
    """A client sees and withdraws only what it may request or decide."""

    @pytest.fixture
    def zuhura(self, conn: Connection) -> Actor:
        """Provide an administrator who has requested another one, and the end of a batch."""
        institution(conn)
        zuhura = actor_of(conn, "zuhura", "administrator")
        actions.set_role(conn, zuhura, "asha", "administrator")
        actions.cancel_batch(conn, zuhura, batches.enqueue_batch(conn, ASHA, "all").batch_id)
        return zuhura

    def test_users(self, conn: Connection, zuhura: Actor) -> None:
        both = ["user.make_administrator", "batch.cancel"]
        assert shown_to(conn, zuhura) == shown_to(conn, BINTI) == both
        assert shown_to(conn, actor_of(conn, "aziza", "auditor")) == both, "the audit trail has them too"
        assert shown_to(conn, JUMA) == shown_to(conn, ASHA) == ["batch.cancel"]
        assert shown_to(conn, actor_of(conn, "vito", "viewer")) == []

    @pytest.mark.parametrize(("scope", "shown"), [("manage", 1), ("sync", 1), ("read", 0)])
    def test_a_token_of_all_institutions(
        self, conn: Connection, zuhura: Actor, scope: str, shown: int
    ) -> None:
        machine = machine_of(conn, zuhura, scope)
        assert shown_to(conn, machine) == ["batch.cancel"][:shown]
        with pytest.raises(NotAllowed, match=r"does not allow you to withdraw this\. Nothing was changed"):
            actions.withdraw(conn, machine, 1)
        assert states(conn)[0] == ("waiting",)

    def test_a_token_of_one_institution(self, conn: Connection, zuhura: Actor) -> None:
        machine = machine_of(conn, zuhura, "manage", [institution(conn, "WIZARA B", "002", "200000000")])
        assert shown_to(conn, machine) == []
        with pytest.raises(NotFound):
            actions.withdraw(conn, machine, 1)

    def test_a_user_who_is_now_limited(self, conn: Connection, zuhura: Actor) -> None:
        place = institution(conn, "WIZARA B", "002", "200000000")
        limited = actor_of(conn, "zuhura", "supervisor", [place])
        assert "user.make_administrator" not in shown_to(conn, limited)
        with pytest.raises(NotFound):
            actions.withdraw(conn, limited, 1)
        assert states(conn)[0] == ("waiting",)

    def test_through_the_api(self, app: Flask, conn: Connection, zuhura: Actor) -> None:
        machine = new_browser(app)
        token = tokens.add_token(conn, zuhura, "nightly", "manage")
        machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        waiting = machine.get("/api/hrims/approvals").get_json()["waiting"]
        assert [found["action"] for found in waiting] == ["batch.cancel"]
        assert error_of(machine.post("/api/hrims/approvals/1/withdraw")) == (403, "not_allowed")
