"""The worker checks the rights of the requester again: between request and start they may have ended."""

from typing import Any

import pytest

from hrims.access import tokens, users
from hrims.jobs import control, enqueue
from hrims.jobs.enqueue_person import enqueue_person
from hrims.jobs.rate_limit import actions as queue
from hrims.runs.model import Run
from hrims.schedules import actions as schedules
from hrims.schedules.request import ScheduleRequest
from hrims.validation import validate
from tests.database.previews import approve
from tests.e2e.processes.product import wait_until
from tests.support.harness import World
from tests.support.users import BINTI, actor_of

SAVED = "SELECT (SELECT count(*) FROM employees), (SELECT count(*) FROM run_pages)"


def request(world: World, vote: str, *, kind: str = "sync", user: str = "asha") -> int:
    """Enqueue a run of an institution for a user. Return its id."""
    ((institution_id,),) = world.rows(f"SELECT id FROM institutions WHERE vote_code = '{vote}'")
    return enqueue.enqueue_run(
        world.conn,
        users.identify(world.conn, user, "page"),
        institution_id=institution_id,
        identifier_type="votecode",
        identifier=vote,
        kind=kind,
    ).run_id


def end_of(world: World, run_id: int) -> Run:
    """Resume the queue and return the run when it has ended."""
    if world.rows("SELECT FROM queue_settings WHERE paused_at IS NOT NULL"):
        queue.resume(world.conn, BINTI)
    if not world.workers:
        world.start_worker()
    return world.wait_for_end(run_id)


@pytest.fixture
def paused(world: World) -> World:
    """Provide a world whose queue is paused."""
    queue.pause(world.conn, BINTI, "An audit.")
    return world


def test_what_changed_while_the_queue_was_paused_is_noticed(paused: World) -> None:
    world = paused
    first = request(world, "001")
    second, third = request(world, "037", user="omar"), request(world, "002", user="omar")
    users.disable(world.conn, BINTI, "asha")
    world.conn.execute("UPDATE institutions SET vote_code = '9037' WHERE vote_code = '037'")
    world.conn.execute("UPDATE institutions SET vote_code = NULL WHERE vote_code = '002'")
    ended = [end_of(world, run_id) for run_id in (first, second, third)]
    assert [(run.state, run.trouble_code) for run in ended] == [
        ("failed", "requester_disabled"),
        ("failed", "institution_changed"),
        ("failed", "institution_changed"),
    ]
    assert "asha is disabled" in (ended[0].trouble or "")
    assert "is now 9037, not 037" in (ended[1].trouble or "")
    assert "has no vote code any more" in (ended[2].trouble or "")
    assert all("Nothing was saved" in (run.trouble or "") for run in ended)
    assert world.rows(SAVED) == [(0, 0)]
    assert {run.attempt for run in ended} == {1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda world: actor_of(world.conn, "asha", "viewer"), "requester_not_allowed"),
        (lambda world: actor_of(world.conn, "asha", institutions=[1]), "requester_out_of_scope"),
    ],
    ids=["role", "institutions"],
)
def test_rights_that_ended_are_noticed(paused: World, change: object, code: str) -> None:
    run_id = request(paused, "037")
    change(paused)  # type: ignore[operator] # a parameter
    assert end_of(paused, run_id).trouble_code == code
    assert paused.rows(SAVED) == [(0, 0)]


def test_a_revoked_token_starts_no_run(paused: World) -> None:
    asha = actor_of(paused.conn, "asha")
    machine = tokens.find_token(paused.conn, tokens.add_token(paused.conn, asha, "nightly"))
    assert machine
    run_id = enqueue_person(paused.conn, machine, "592675678").run_id
    tokens.revoke(paused.conn, BINTI, "nightly")
    assert end_of(paused, run_id).trouble_code == "token_revoked"


def test_an_expired_token_starts_no_run(paused: World) -> None:
    asha = actor_of(paused.conn, "asha")
    machine = tokens.find_token(paused.conn, tokens.add_token(paused.conn, asha, "nightly", days=1))
    assert machine
    run_id = enqueue_person(paused.conn, machine, "592675678").run_id
    paused.conn.execute("UPDATE tokens SET expires_at = now() - interval '1 second'")
    assert end_of(paused, run_id).trouble_code == "token_expired"


def test_a_preview_is_applied_with_rights_that_still_hold(world: World) -> None:
    preview = request(world, "001", kind="preview")
    assert end_of(world, preview).state == "completed"
    queue.pause(world.conn, BINTI, "An audit.")
    applied = approve(world.conn, preview).run_id
    users.disable(world.conn, BINTI, "asha")
    assert end_of(world, applied).trouble_code == "requester_disabled"
    assert world.rows("SELECT count(*) FROM employees") == [(0,)]


def test_a_retry_has_the_rights_of_the_user_who_retries(paused: World) -> None:
    run_id = request(paused, "001")
    users.disable(paused.conn, BINTI, "asha")
    assert end_of(paused, run_id).trouble_code == "requester_disabled"
    control.retry(paused.conn, users.identify(paused.conn, "omar", "page"), run_id)
    run = paused.wait_until(run_id, lambda run: run.ended and run.attempt > 1)
    assert run.outcome == "complete"
    assert paused.rows("SELECT user_id FROM run_requesters ORDER BY 1") == [(1,), (3,)]


def test_a_schedule_of_a_disabled_user_starts_nothing(world: World) -> None:
    fields = validate(ScheduleRequest, {"name": "Every night", "cron": "0 1 * * *"})
    id_ = schedules.add(world.conn, users.identify(world.conn, "omar", "page"), fields)
    users.disable(world.conn, BINTI, "omar")
    world.conn.execute("UPDATE schedules SET next_at = now() - interval '1 second'")
    world.start_worker()
    world.wait_for_rows(f"SELECT became FROM schedule_firings WHERE schedule_id = {id_}", [("refused",)])
    assert world.rows("SELECT count(*) FROM runs") == [(0,)]


def test_a_person_outside_the_scope_is_not_saved(world: World) -> None:
    run_id = request(world, "001")
    assert end_of(world, run_id).state == "completed"
    [zan_id, *_] = world.saved_zan_ids("001")
    ((other,),) = world.rows("SELECT id FROM institutions WHERE vote_code = '037'")
    limited = actor_of(world.conn, "rashid", institutions=[other])
    before = world.rows("SELECT * FROM employees ORDER BY id")
    refused = end_of(world, enqueue_person(world.conn, limited, zan_id).run_id)
    assert (refused.state, refused.trouble_code) == ("failed", "remote_unknown")
    assert refused.message == (
        "Failed: HRIMS has no employee with this ZanID or payroll number in your institutions. "
        "Nothing was changed."
    )
    assert world.rows("SELECT * FROM employees ORDER BY id") == before
    allowed = actor_of(world.conn, "salma", institutions=[1])
    assert end_of(world, enqueue_person(world.conn, allowed, zan_id).run_id).state == "completed"


def attempts_of(world: World, run: Run) -> list[tuple[Any, ...]]:
    """Return what the page of a run shows of its attempts, without numbers. Logs are saved after the end."""
    statement = (
        "SELECT ended_as, trouble, trouble_code, traceback, regexp_replace(log::text, '[0-9]+', 'N', 'g')"
        f" FROM run_attempts WHERE run_id = {run.id} AND traceback IS NOT NULL"
    )
    found: list[tuple[Any, ...]] = wait_until(lambda: world.rows(statement))
    return found


def test_a_limited_user_cannot_find_out_which_numbers_exist(world: World) -> None:
    world.settings["HRIMS_LOG_LEVEL"] = "debug"
    assert end_of(world, request(world, "001")).state == "completed"
    [zan_id, *_] = world.saved_zan_ids("001")
    ((other,),) = world.rows("SELECT id FROM institutions WHERE vote_code = '037'")
    limited = actor_of(world.conn, "rashid", institutions=[other])
    runs = [end_of(world, enqueue_person(world.conn, limited, key).run_id) for key in (zan_id, "99999999")]
    assert {(run.state, run.attempt, run.trouble_code, run.message) for run in runs} == {
        ("failed", 1, "remote_unknown", runs[0].message)
    }
    foreign, unknown = (attempts_of(world, run) for run in runs)
    assert foreign == unknown


def test_a_person_outside_the_institutions_of_the_token_is_not_saved(world: World) -> None:
    assert end_of(world, request(world, "001")).state == "completed"
    [zan_id, *_] = world.saved_zan_ids("001")
    ((other,),) = world.rows("SELECT id FROM institutions WHERE vote_code = '037'")
    asha = actor_of(world.conn, "asha")

    def fetch_with(institution_id: int) -> Run:
        token = tokens.add_token(world.conn, asha, f"limited {institution_id}", institutions=[institution_id])
        machine = tokens.find_token(world.conn, token)
        assert machine
        return end_of(world, enqueue_person(world.conn, machine, zan_id).run_id)

    refused = fetch_with(other)
    assert (refused.state, refused.trouble_code) == ("failed", "remote_unknown")
    assert fetch_with(1).state == "completed"
