"""Schedules: what they say, when they ask, and that each time is asked for once."""

import threading
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.errors import Conflict, InputError, InvalidInput, NotFound
from hrims.schedules import actions, calendar, scheduler, store
from hrims.schedules.request import ScheduleRequest
from hrims.validation import validate
from tests.database.runs import institution
from tests.support.users import ASHA

NIGHTLY: dict[str, Any] = {"name": "Every night", "cron": "0 1 * * *"}


def add(conn: Connection, fields: dict[str, Any]) -> int:
    """Add a schedule with these fields of the API. Return its id."""
    return actions.add(conn, ASHA, validate(ScheduleRequest, fields))


def due(conn: Connection, schedule_id: int, ago: timedelta) -> datetime:
    """Make the schedule due since ``ago`` and return that time."""
    at = store.now(conn) - ago
    conn.execute("UPDATE schedules SET next_at = %s WHERE id = %s", (at, schedule_id))
    return at


def became(conn: Connection, schedule_id: int) -> list[str]:
    return [firing.became for firing in store.list_firings(conn, schedule_id, 100)]


def count(conn: Connection, table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row
    return int(row[0])


def test_a_time_that_has_come_asks_for_a_batch_once(conn: Connection, health: int) -> None:
    id_ = add(conn, NIGHTLY | {"pageSize": 50, "spreadMinutes": 30})
    assert not scheduler.fire_due_schedule(conn)
    at = due(conn, id_, timedelta(seconds=3))
    assert scheduler.fire_due_schedule(conn)
    assert not scheduler.fire_due_schedule(conn)
    [firing] = store.list_firings(conn, id_, 10)
    assert (firing.due_at, firing.became) == (at, "enqueued")
    by = conn.execute(
        "SELECT schedule_id, requested_by, requested_via, page_size, priority FROM batches WHERE id = %s",
        (firing.batch_id,),
    ).fetchone()
    assert by == (id_, "schedule:Every night", "schedule", 50, "low")
    assert count(conn, "runs") == 1
    found = store.find_schedule(conn, EVERYTHING, id_)
    assert found
    assert found.next_at == calendar.next_times("0 1 * * *", found.zone, store.now(conn), 1)[0]
    audited = conn.execute("SELECT action, actor FROM audit_log ORDER BY id").fetchall()
    assert audited == [("schedule.add", "asha"), ("batch.ask", "schedule:Every night")]


def test_a_time_that_becomes_due_again_starts_no_second_batch(conn: Connection, health: int) -> None:
    """A failover to a server whose clock is behind, and a change of the schedule, set back its next time."""
    id_ = add(conn, NIGHTLY)
    at = due(conn, id_, timedelta(seconds=3))
    assert scheduler.fire_due_schedule(conn)
    conn.execute("UPDATE schedules SET next_at = %s", (at,))
    assert scheduler.fire_due_schedule(conn)
    assert (count(conn, "batches"), became(conn, id_)) == (1, ["enqueued"])
    found = store.find_schedule(conn, EVERYTHING, id_)
    assert found
    assert found.next_at > at


def test_any_number_of_workers_fire_a_time_once(conn: Connection, dsn: str, health: int) -> None:
    ids = [add(conn, NIGHTLY | {"name": f"Night {number}"}) for number in range(5)]
    for id_ in ids:
        due(conn, id_, timedelta(seconds=1))
    fired: list[int] = []

    def work() -> None:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            while scheduler.fire_due_schedule(own_conn):
                fired.append(1)

    together = [threading.Thread(target=work) for _ in range(6)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(60)
    assert (len(fired), count(conn, "batches"), count(conn, "schedule_firings")) == (5, 5, 5)
    assert count(conn, "runs") == 1


def test_a_worker_that_dies_while_it_fires_leaves_nothing(conn: Connection, dsn: str, health: int) -> None:
    id_ = add(conn, NIGHTLY)
    due(conn, id_, timedelta(seconds=1))
    with psycopg.connect(dsn, autocommit=True) as dying, dying.transaction(force_rollback=True):
        assert scheduler.fire_due_schedule(dying)
    assert (count(conn, "batches"), became(conn, id_)) == (0, [])
    assert scheduler.fire_due_schedule(conn)
    assert became(conn, id_) == ["enqueued"]


@pytest.mark.parametrize(("missed", "last"), [("skip", "skipped"), ("once", "enqueued")])
def test_missed_times_are_skipped_or_run_once(conn: Connection, health: int, missed: str, last: str) -> None:
    id_ = add(conn, NIGHTLY | {"missed": missed})
    zone = calendar.check_zone("Africa/Dar_es_Salaam")
    night = calendar.next_times("0 1 * * *", zone, store.now(conn), 1)[0]
    conn.execute("UPDATE schedules SET next_at = %s", (night - timedelta(days=4),))
    # Looked at half a day after the last of them, whenever this test runs.
    conn.execute("UPDATE schedules SET cron = %s", (_half_a_day_from(store.now(conn)),))
    assert scheduler.fire_due_schedule(conn)
    assert not scheduler.fire_due_schedule(conn)
    assert became(conn, id_)[0] == last
    assert set(became(conn, id_)[1:]) == {"skipped"}
    assert count(conn, "batches") == (1 if last == "enqueued" else 0)


def _half_a_day_from(now: datetime) -> str:
    at = (now - timedelta(hours=12)).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    return f"{at.minute} {at.hour} * * *"


def test_a_paused_one_asks_for_nothing_and_misses_nothing(conn: Connection, health: int) -> None:
    id_ = add(conn, NIGHTLY)
    actions.pause(conn, ASHA, id_)
    due(conn, id_, timedelta(days=3))
    assert not scheduler.fire_due_schedule(conn)
    with pytest.raises(Conflict):
        actions.pause(conn, ASHA, id_)
    actions.resume(conn, ASHA, id_)
    assert not scheduler.fire_due_schedule(conn)
    assert became(conn, id_) == []
    with pytest.raises(Conflict):
        actions.resume(conn, ASHA, id_)


def test_run_now_leaves_its_times_alone(conn: Connection, health: int) -> None:
    id_ = add(conn, NIGHTLY)
    before = store.find_schedule(conn, EVERYTHING, id_)
    actions.run_now(conn, ASHA, id_)
    assert store.find_schedule(conn, EVERYTHING, id_) == before
    assert conn.execute("SELECT requested_by, schedule_id FROM batches").fetchone() == ("asha", id_)
    assert became(conn, id_) == []


def test_a_schedule_that_means_no_institution_continues(conn: Connection) -> None:
    id_ = add(conn, NIGHTLY | {"institutions": "failed"})
    due(conn, id_, timedelta(seconds=1))
    assert scheduler.fire_due_schedule(conn)
    assert became(conn, id_) == ["none_selected"]
    found = store.find_schedule(conn, EVERYTHING, id_)
    assert found
    assert found.next_at > store.now(conn)


def test_a_change_counts_from_now_and_a_removal_leaves_its_batches(conn: Connection, health: int) -> None:
    id_ = add(conn, NIGHTLY)
    add(conn, NIGHTLY | {"name": "Other"})
    actions.change(conn, ASHA, id_, ScheduleRequest(name="Weekly", cron="0 3 * * 6", institutions=[health]))
    found = store.find_schedule(conn, EVERYTHING, id_)
    assert found
    assert (found.name, found.scope, found.institutions) == ("Weekly", "selection", [health])
    with pytest.raises(Conflict, match="another schedule called Other"):
        actions.change(conn, ASHA, id_, ScheduleRequest(name="Other", cron="0 3 * * 6"))
    with pytest.raises(Conflict, match="another schedule called Other"):
        add(conn, NIGHTLY | {"name": "Other"})
    actions.run_now(conn, ASHA, id_)
    actions.remove(conn, ASHA, id_)
    assert conn.execute("SELECT schedule_id FROM batches").fetchone() == (None,)
    with pytest.raises(NotFound):
        actions.remove(conn, ASHA, id_)
    audited = [action for (action,) in conn.execute("SELECT action FROM audit_log ORDER BY id").fetchall()]
    assert audited == [
        "schedule.add", "schedule.add", "schedule.change", "batch.ask", "schedule.run", "schedule.remove",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "bad_name"),
        ({"name": "x" * 81}, "bad_name"),
        ({"cron": "@daily"}, "bad_cron"),
        ({"timeZone": "Dar"}, "bad_time_zone"),
        ({"institutions": "some"}, "bad_institutions"),
        ({"institutions": []}, "bad_institutions"),
        ({"institutions": [99]}, "unknown_institution"),
        ({"identifierType": "payroll"}, "bad_identifier_type"),
        ({"pageSize": 0}, "bad_page_size"),
        ({"priority": "now"}, "bad_priority"),
        ({"spreadMinutes": -1}, "bad_spread_minutes"),
        ({"spreadMinutes": 1441}, "bad_spread_minutes"),
        ({"missed": "twice"}, "bad_missed"),
        ({"quietFrom": "07:00"}, "bad_time"),
        ({"quietFrom": "07:00", "quietUntil": "07:00"}, "bad_time"),
        ({"quietFrom": "7", "quietUntil": "25:00"}, "bad_time"),
        ({"every": "day"}, "unknown_field"),
    ],
)
def test_a_wrong_field_changes_nothing(
    conn: Connection, health: int, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(InputError) as refused:
        add(conn, NIGHTLY | fields)
    assert refused.value.code == code
    assert count(conn, "schedules") == 0
    assert isinstance(refused.value, InvalidInput | NotFound)


# Quiet hours


# What is wrong with one schedule


def test_what_is_wrong_with_one_keeps_no_other_from_its_own(conn: Connection, health: int) -> None:
    gone = institution(conn, "TUME", "037", "129673100")
    half = add(conn, {"name": "Half", "cron": "0 1 * * *", "institutions": [health, gone]})
    none = add(conn, {"name": "None", "cron": "0 1 * * *", "institutions": [gone]})
    odd = add(conn, {"name": "Odd", "cron": "0 1 * * *"})
    well = add(conn, {"name": "Well", "cron": "0 1 * * *"})
    conn.execute("DELETE FROM institutions WHERE id = %s", (gone,))
    conn.execute("UPDATE schedules SET time_zone = 'Africa/Nowhere' WHERE id = %s", (odd,))
    for id_ in (half, none, odd, well):
        due(conn, id_, timedelta(seconds=5 - id_))
    while scheduler.fire_due_schedule(conn):
        pass
    assert [became(conn, id_) for id_ in (half, none, odd, well)] == [
        ["enqueued"],
        ["none_selected"],
        [],
        ["enqueued"],
    ]
    paused = conn.execute("SELECT paused_by FROM schedules WHERE id = %s", (odd,)).fetchone()
    assert paused == ("the system",)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "right/Europe/Berlin"])
def test_a_zone_that_the_database_does_not_know_is_refused(conn: Connection, zone: str) -> None:
    """Or the queue could not tell whether its runs are quiet, and nothing at all would start."""
    if not store.is_known_zone(conn, zone):
        with pytest.raises(InvalidInput):
            add(conn, NIGHTLY | {"timeZone": zone})
    assert store.is_known_zone(conn, "Africa/Dar_es_Salaam")
    assert not store.is_known_zone(conn, "Africa/Nowhere")


def test_weeks_that_passed_are_skipped_at_once(conn: Connection, health: int) -> None:
    id_ = add(conn, NIGHTLY | {"cron": "*/10 * * * *"})
    due(conn, id_, timedelta(days=14))
    assert scheduler.fire_due_schedule(conn)
    assert count(conn, "schedule_firings") > 2000
    assert count(conn, "batches") == 1


def test_the_record_says_what_was_changed_from_what_to_what(conn: Connection, health: int) -> None:
    other = institution(conn, "TUME", "037", "129673100")
    id_ = add(conn, NIGHTLY | {"institutions": [health]})
    changed = ScheduleRequest(**NIGHTLY, institutions=[other], spread_minutes=30)
    actions.change(conn, ASHA, id_, changed)
    row = conn.execute("SELECT before, after FROM audit_log WHERE action = 'schedule.change'").fetchone()
    assert row == (
        {"institutions": [health], "spread_minutes": "0"},
        {"institutions": [other], "spread_minutes": "30"},
    )
