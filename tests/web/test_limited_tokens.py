"""A token that is limited to institutions sees no more of its user's requests than these institutions."""

from typing import Any

import pytest
from flask import Flask

from hrims.access import tokens, users
from hrims.access.actor import Actor
from hrims.approvals import actions as approvals
from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.jobs import store as jobs
from hrims.jobs.enqueue_person import enqueue_person
from hrims.runs import store as runs
from tests.database.runs import institution
from tests.support.users import ASHA, BINTI, actor_of
from tests.web.browsers import Browser, new_browser
from tests.web.runs import error_of

API = "/api/hrims"
ZAN_ID = "592675678"


@pytest.fixture
def register(conn: Connection) -> tuple[int, int]:
    """Provide two institutions."""
    return institution(conn), institution(conn, "WIZARA B", "002", "200000000")


@pytest.fixture
def owner(conn: Connection, register: tuple[int, int]) -> Actor:
    """Provide the user of the tokens: a supervisor of all institutions."""
    return actor_of(conn, "mkuu", "supervisor")


def add_token(conn: Connection, owner: Actor, name: str, institutions: list[int] | None) -> tuple[str, Actor]:
    """Add a token that is limited to institutions. Return it and its actor."""
    token = tokens.add_token(conn, owner, name, "sync", institutions=institutions)
    found = tokens.find_token(conn, token)
    assert found
    return token, found


def machine(app: Flask, token: str) -> Browser:
    """Return a client with a token."""
    browser = new_browser(app)
    browser.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return browser


def test_a_person_run_of_its_user_is_hidden(
    app: Flask, conn: Connection, owner: Actor, register: tuple[int, int]
) -> None:
    run = enqueue_person(conn, owner, ZAN_ID).run_id
    limited = machine(app, add_token(conn, owner, "limited", [register[0]])[0])
    assert error_of(limited.get(f"{API}/job-status/{run}")) == (404, "unknown_job")
    assert error_of(limited.get(f"{API}/sync-status/{run}")) == (404, "unknown_job")
    for action in ("cancel", "retry"):
        assert error_of(limited.post(f"{API}/jobs/{run}/{action}")) == (404, "unknown_job")
    assert conn.execute("SELECT state FROM runs").fetchall() == [("waiting",)]
    unlimited = machine(app, add_token(conn, owner, "unlimited", None)[0])
    assert unlimited.get(f"{API}/job-status/{run}").status_code == 200


def test_it_sees_its_own_person_run_and_no_other_tokens(
    app: Flask, conn: Connection, owner: Actor, register: tuple[int, int]
) -> None:
    token, limited = add_token(conn, owner, "limited", [register[0]])
    _, other = add_token(conn, owner, "other", [register[1]])
    own, foreign = (
        enqueue_person(conn, actor, f"{ZAN_ID}{n}").run_id for n, actor in enumerate((limited, other))
    )
    found = [machine(app, token).get(f"{API}/job-status/{run}").status_code for run in (own, foreign)]
    assert found == [200, 404]
    assert [run.id for run in runs.list_unfinished(conn, limited.scope, 10, 0)] == [own]
    assert jobs.count_unfinished(conn, limited.scope)["waiting"] == 1
    assert jobs.count_unfinished(conn, owner.scope)["waiting"] == 2


def test_a_limited_user_still_sees_every_own_person_run(conn: Connection, register: tuple[int, int]) -> None:
    owner = actor_of(conn, "rashid", institutions=[register[0]])
    _, limited = add_token(conn, owner, "limited", [register[0]])
    expected = sorted(
        enqueue_person(conn, actor, f"{ZAN_ID}{n}").run_id for n, actor in enumerate((owner, limited))
    )
    actor = users.identify(conn, "rashid", "page")
    assert sorted(run.id for run in runs.list_unfinished(conn, actor.scope, 10, 0)) == expected


def test_a_batch_and_a_request_about_another_institution_are_hidden(
    app: Flask, conn: Connection, owner: Actor, register: tuple[int, int]
) -> None:
    first, second = register
    inside = batches.enqueue_batch(conn, owner, "selection", institutions=[first]).batch_id
    outside = batches.enqueue_batch(conn, ASHA, "selection", institutions=[second]).batch_id
    own = batches.enqueue_batch(conn, owner, "selection", institutions=[second]).batch_id
    requested = approvals.cancel_batch(conn, owner, outside).approval_id
    client = machine(app, add_token(conn, owner, "limited", [first])[0])
    shown = client.get(f"{API}/batches").get_json()["batches"]
    assert [batch["batchId"] for batch in shown] == [str(inside)]
    assert error_of(client.get(f"{API}/batches/{own}")) == (404, "unknown_batch")
    assert client.get(f"{API}/approvals").get_json()["waiting"] == []
    assert error_of(client.post(f"{API}/approvals/{requested}/withdraw")) == (404, "unknown_approval")


def message_of(answer: Any) -> str:
    """Return the message of a refusal."""
    return str(answer.get_json()["message"])


def test_a_refusal_names_what_the_token_lacks(
    app: Flask, conn: Connection, owner: Actor, register: tuple[int, int]
) -> None:
    approve = f"{API}/leavers/1/approve"
    sync = machine(app, add_token(conn, owner, "sync", None)[0])
    assert message_of(sync.post(approve)) == (
        "The scope of this token does not include this. Nothing was changed. Use a token with a larger scope."
    )
    managing = tokens.add_token(conn, owner, "managing", "manage")
    given = tokens.add_token(conn, BINTI, "given", "manage", user=owner.name)
    assert message_of(machine(app, given).post(approve)) == (
        "Another user made this token, so it approves nothing. Nothing was changed."
    )
    actor_of(conn, "mkuu", "officer")
    assert message_of(machine(app, managing).post(approve)) == (
        "The role of this token's user does not include this. Nothing was changed."
    )
    # A larger scope helps neither a role that lacks it nor what no token may do.
    assert message_of(sync.post(approve)).startswith("The role of this token's user")


def test_a_refusal_names_the_institutions_of_the_token(
    app: Flask, conn: Connection, register: tuple[int, int]
) -> None:
    token = tokens.add_token(conn, BINTI, "limited", "manage", institutions=[register[0]])
    assert message_of(machine(app, token).post(f"{API}/queue/pause", json={})) == (
        "This needs all institutions, and the token or its user has only some. Nothing was changed."
    )


def test_a_token_whose_institutions_are_none_any_more(
    app: Flask, conn: Connection, register: tuple[int, int]
) -> None:
    owner = actor_of(conn, "mkuu", "supervisor")
    limited = machine(app, add_token(conn, owner, "limited", [register[0]])[0])
    actor_of(conn, "mkuu", "supervisor", [register[1]])
    answer = limited.post(f"{API}/batches", json={"institutions": "all"})
    assert error_of(answer) == (422, "none_selected")
    assert message_of(answer) == (
        "None of the institutions on the register is one of this user, or of the token. Nothing was queued."
    )
