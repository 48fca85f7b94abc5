"""The rights of the two users of an approval: of the one who requested it, and of the one who decides."""

from collections.abc import Callable

import psycopg
import pytest

from hrims.access import users
from hrims.approvals import actions
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.errors import Conflict
from tests.support.users import ASHA, BINTI, JUMA, actor_of
from tests.web.runs import institution

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
