"""Schedules: what they say, when they ask, and that each time is asked for once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from hrims.db import Connection
from hrims.errors import Conflict, InputError, InvalidInput, NotFound
from hrims.follow import store as follow
from hrims.jobs.store import HELD
from hrims.schedules import calendar, decide, fire, store
from tests.database.runs import ASHA, ask_for, institution, live

NIGHTLY: dict[str, Any] = {"name": "Every night", "cron": "0 1 * * *"}


@pytest.fixture
def health(conn: Connection) -> int:
    return institution(conn)


def due(conn: Connection, schedule_id: int, ago: timedelta) -> datetime:
    """Lets a time of the schedule have come so long ago; returns it."""
    at = store.now(conn) - ago
    conn.execute("UPDATE schedules SET next_at = %s WHERE id = %s", (at, schedule_id))
    return at


def became(conn: Connection, schedule_id: int) -> list[str]:
    return [one.became for one in store.firings(conn, schedule_id, 100)]


def count(conn: Connection, table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row
    return int(row[0])


def test_a_time_that_has_come_asks_for_a_batch_once(conn: Connection, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY | {"pageSize": 50, "spreadMinutes": 30})
    assert not fire.fire_one(conn)
    at = due(conn, id_, timedelta(seconds=3))
    assert fire.fire_one(conn)
    assert not fire.fire_one(conn)
    [firing] = store.firings(conn, id_, 10)
    assert (firing.due_at, firing.became) == (at, "asked")
    by = conn.execute(
        "SELECT schedule_id, requested_by, requested_via, page_size, priority FROM batches WHERE id = %s",
        (firing.batch_id,),
    ).fetchone()
    assert by == (id_, "schedule:Every night", "system", 50, "low")
    assert count(conn, "runs") == 1
    found = store.read(conn, id_)
    assert found
    assert found.next_at == calendar.upcoming("0 1 * * *", found.zone, store.now(conn), 1)[0]
    actions = conn.execute("SELECT action, actor FROM audit_log ORDER BY id").fetchall()
    assert actions == [("schedule.add", "asha"), ("batch.ask", "schedule:Every night")]


def test_any_number_of_workers_fire_a_time_once(conn: Connection, dsn: str, health: int) -> None:
    ids = [decide.add(conn, ASHA, NIGHTLY | {"name": f"Night {number}"}) for number in range(5)]
    for id_ in ids:
        due(conn, id_, timedelta(seconds=1))
    fired: list[int] = []

    def work() -> None:
        with psycopg.connect(dsn, autocommit=True) as mine:
            while fire.fire_one(mine):
                fired.append(1)

    together = [threading.Thread(target=work) for _ in range(6)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(60)
    assert (len(fired), count(conn, "batches"), count(conn, "schedule_firings")) == (5, 5, 5)
    assert count(conn, "runs") == 1


def test_a_worker_that_dies_while_it_fires_leaves_nothing(conn: Connection, dsn: str, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY)
    due(conn, id_, timedelta(seconds=1))
    with psycopg.connect(dsn, autocommit=True) as dying, dying.transaction(force_rollback=True):
        assert fire.fire_one(dying)
    assert (count(conn, "batches"), became(conn, id_)) == (0, [])
    assert fire.fire_one(conn)
    assert became(conn, id_) == ["asked"]


@pytest.mark.parametrize(("missed", "last"), [("skip", "skipped"), ("once", "asked")])
def test_what_was_missed_is_left_out_or_asked_for_once(
    conn: Connection, health: int, missed: str, last: str
) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY | {"missed": missed})
    night = calendar.upcoming("0 1 * * *", calendar.check_zone("Africa/Dar_es_Salaam"), store.now(conn), 1)[0]
    conn.execute("UPDATE schedules SET next_at = %s", (night - timedelta(days=4),))
    # Looked at half a day after the last of them, whenever this test runs.
    conn.execute("UPDATE schedules SET cron = %s", (_half_a_day_from(store.now(conn)),))
    assert fire.fire_one(conn)
    assert not fire.fire_one(conn)
    assert became(conn, id_)[0] == last
    assert set(became(conn, id_)[1:]) == {"skipped"}
    assert count(conn, "batches") == (1 if last == "asked" else 0)


def _half_a_day_from(now: datetime) -> str:
    at = (now - timedelta(hours=12)).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    return f"{at.minute} {at.hour} * * *"


def test_a_paused_one_asks_for_nothing_and_misses_nothing(conn: Connection, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY)
    decide.pause(conn, ASHA, id_)
    due(conn, id_, timedelta(days=3))
    assert not fire.fire_one(conn)
    with pytest.raises(Conflict):
        decide.pause(conn, ASHA, id_)
    decide.resume(conn, ASHA, id_)
    assert not fire.fire_one(conn)
    assert became(conn, id_) == []
    with pytest.raises(Conflict):
        decide.resume(conn, ASHA, id_)


def test_run_now_leaves_its_times_alone(conn: Connection, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY)
    before = store.read(conn, id_)
    decide.run_now(conn, ASHA, id_)
    assert store.read(conn, id_) == before
    assert conn.execute("SELECT requested_by, schedule_id FROM batches").fetchone() == ("asha", id_)
    assert became(conn, id_) == []


def test_one_that_means_nobody_goes_on(conn: Connection) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY | {"institutions": "failed"})
    due(conn, id_, timedelta(seconds=1))
    assert fire.fire_one(conn)
    assert became(conn, id_) == ["nobody_meant"]
    found = store.read(conn, id_)
    assert found
    assert found.next_at > store.now(conn)


def test_a_change_counts_from_now_and_a_removal_leaves_its_batches(conn: Connection, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY)
    decide.add(conn, ASHA, NIGHTLY | {"name": "Other"})
    decide.change(conn, ASHA, id_, {"name": "Weekly", "cron": "0 3 * * 6", "institutions": [health]})
    found = store.read(conn, id_)
    assert found
    assert (found.name, found.wish, found.institutions) == ("Weekly", "selection", [health])
    with pytest.raises(Conflict, match="another schedule called Other"):
        decide.change(conn, ASHA, id_, {"name": "Other", "cron": "0 3 * * 6", "institutions": "all"})
    with pytest.raises(Conflict, match="another schedule called Other"):
        decide.add(conn, ASHA, NIGHTLY | {"name": "Other"})
    decide.run_now(conn, ASHA, id_)
    decide.remove(conn, ASHA, id_)
    assert conn.execute("SELECT schedule_id FROM batches").fetchone() == (None,)
    with pytest.raises(NotFound):
        decide.remove(conn, ASHA, id_)
    actions = [action for (action,) in conn.execute("SELECT action FROM audit_log ORDER BY id").fetchall()]
    assert actions == [
        "schedule.add", "schedule.add", "schedule.change", "batch.ask", "schedule.run", "schedule.remove",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "slug"),
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
def test_a_wrong_wish_changes_nothing(conn: Connection, health: int, wish: dict[str, Any], slug: str) -> None:
    with pytest.raises(InputError) as refused:
        decide.add(conn, ASHA, NIGHTLY | wish)
    assert refused.value.slug == slug
    assert count(conn, "schedules") == 0
    assert isinstance(refused.value, InvalidInput | NotFound)


# Quiet hours


@pytest.mark.parametrize(
    ("opens", "closes", "at", "ends"),
    [
        ("07:00", "16:00", "06:59", None),
        ("07:00", "16:00", "07:00", "16:00"),
        ("07:00", "16:00", "15:59", "16:00"),
        ("07:00", "16:00", "16:00", None),
        ("22:00", "05:00", "21:59", None),
        ("22:00", "05:00", "22:00", "05:00 of the next day"),
        ("22:00", "05:00", "04:59", "05:00"),
        ("22:00", "05:00", "05:00", None),
    ],
)
def test_quiet_hours_end_when_they_say(
    conn: Connection, opens: str, closes: str, at: str, ends: str | None
) -> None:
    zone = calendar.check_zone("Africa/Dar_es_Salaam")
    moment = datetime.fromisoformat(f"2026-11-25T{at}").replace(tzinfo=zone)
    [(found,)] = conn.execute(
        "SELECT quiet_ends(%s::time, %s::time, 'Africa/Dar_es_Salaam', %s)", (opens, closes, moment)
    ).fetchall()
    day = 26 if ends and "next day" in ends else 25
    wanted = ends and datetime.fromisoformat(f"2026-11-{day}T{ends[:5]}").replace(tzinfo=zone)
    assert found == (wanted and wanted.astimezone(UTC))


def quiet_now(conn: Connection) -> tuple[datetime, dict[str, str]]:
    """Now, by the clock there, and quiet hours around it."""
    now = store.now(conn).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    hour = timedelta(hours=1)
    return now, {"quietFrom": f"{now - hour:%H:%M}", "quietUntil": f"{now + hour:%H:%M}"}


def test_a_run_waits_in_its_quiet_hours_and_others_go_before(conn: Connection, health: int) -> None:
    worker = live(conn)
    now, quiet = quiet_now(conn)
    decide.run_now(conn, ASHA, decide.add(conn, ASHA, NIGHTLY | quiet | {"priority": "urgent"}))
    other = ask_for(conn, institution(conn, "TUME", "037", "129673100"), "037")
    quiet_run = follow.read(conn, 1)
    assert quiet_run
    assert quiet_run.message.startswith("Waiting: it was asked for with quiet hours, ")
    assert quiet_run.starts_at
    take = {"queues": None, "worker_id": worker}
    taken = conn.execute(HELD["take"], take).fetchone()
    assert taken
    assert conn.execute("SELECT id FROM runs WHERE queue_job_id = %s", (taken[0],)).fetchone() == (other,)
    assert conn.execute(HELD["take"], take).fetchone()[0] is None  # type: ignore[index]
    conn.execute("UPDATE runs SET quiet_from = %s, quiet_until = %s WHERE quiet_from IS NOT NULL",
                 (f"{now - timedelta(hours=2):%H:%M}", f"{now - timedelta(hours=1):%H:%M}"))  # fmt: skip
    assert conn.execute(HELD["take"], take).fetchone()[0] is not None  # type: ignore[index]


def test_who_asks_for_one_that_waits_for_its_hours_gets_it_now(conn: Connection, health: int) -> None:
    worker = live(conn)
    _, hours = quiet_now(conn)
    decide.run_now(conn, ASHA, decide.add(conn, ASHA, NIGHTLY | hours))
    conn.execute("UPDATE runs SET not_before = now() + interval '3 hours'")
    conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '3 hours'")
    take = {"queues": None, "worker_id": worker}
    assert conn.execute(HELD["take"], take).fetchone()[0] is None  # type: ignore[index]
    assert ask_for(conn, health) == 1
    told = conn.execute("SELECT action FROM audit_log WHERE subject = 'run:1' ORDER BY id").fetchall()
    assert told[-2:] == [("run.start_now",), ("run.priority",)]
    assert conn.execute(HELD["take"], take).fetchone()[0] is not None  # type: ignore[index]


# What is wrong with one schedule


def test_what_is_wrong_with_one_keeps_no_other_from_its_own(conn: Connection, health: int) -> None:
    gone = institution(conn, "TUME", "037", "129673100")
    half = decide.add(conn, ASHA, {"name": "Half", "cron": "0 1 * * *", "institutions": [health, gone]})
    none = decide.add(conn, ASHA, {"name": "None", "cron": "0 1 * * *", "institutions": [gone]})
    odd = decide.add(conn, ASHA, {"name": "Odd", "cron": "0 1 * * *"})
    well = decide.add(conn, ASHA, {"name": "Well", "cron": "0 1 * * *"})
    conn.execute("DELETE FROM institutions WHERE id = %s", (gone,))
    conn.execute("UPDATE schedules SET time_zone = 'Africa/Nowhere' WHERE id = %s", (odd,))
    for id_ in (half, none, odd, well):
        due(conn, id_, timedelta(seconds=5 - id_))
    while fire.fire_one(conn):
        pass
    assert [became(conn, id_) for id_ in (half, none, odd, well)] == [
        ["asked"],
        ["nobody_meant"],
        [],
        ["asked"],
    ]
    paused = conn.execute("SELECT paused_by FROM schedules WHERE id = %s", (odd,)).fetchone()
    assert paused == ("the system",)


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "right/Europe/Berlin"])
def test_a_zone_that_the_database_does_not_know_is_refused(conn: Connection, zone: str) -> None:
    """Or the queue could not tell whether its runs are quiet, and nothing at all would start."""
    if not store.knows_zone(conn, zone):
        with pytest.raises(InvalidInput):
            decide.add(conn, ASHA, NIGHTLY | {"timeZone": zone})
    assert store.knows_zone(conn, "Africa/Dar_es_Salaam")
    assert not store.knows_zone(conn, "Africa/Nowhere")


def test_weeks_that_passed_are_skipped_at_once(conn: Connection, health: int) -> None:
    id_ = decide.add(conn, ASHA, NIGHTLY | {"cron": "*/10 * * * *"})
    due(conn, id_, timedelta(days=14))
    assert fire.fire_one(conn)
    assert count(conn, "schedule_firings") > 2000
    assert count(conn, "batches") == 1


def test_the_record_says_what_was_changed_from_what_to_what(conn: Connection, health: int) -> None:
    other = institution(conn, "TUME", "037", "129673100")
    wish = NIGHTLY | {"institutions": [health]}
    id_ = decide.add(conn, ASHA, wish)
    decide.change(conn, ASHA, id_, wish | {"institutions": [other], "spreadMinutes": 30})
    row = conn.execute("SELECT details FROM audit_log WHERE action = 'schedule.change'").fetchone()
    assert row == ({"institutions": [[health], [other]], "spread_minutes": ["0", "30"]},)


def test_a_deadline_counts_from_the_end_of_the_quiet_hours(conn: Connection, health: int) -> None:
    conn.execute("UPDATE institutions SET deadline_minutes = 60")
    now = store.now(conn).astimezone(calendar.check_zone("Africa/Dar_es_Salaam"))
    quiet = {
        "quietFrom": f"{now - timedelta(hours=1):%H:%M}",
        "quietUntil": f"{now + timedelta(hours=3):%H:%M}",
    }
    decide.run_now(conn, ASHA, decide.add(conn, ASHA, NIGHTLY | quiet))
    assert conn.execute("SELECT deadline_at > now() + interval '3 hours' FROM runs").fetchone() == (True,)
