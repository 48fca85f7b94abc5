"""One object of every kind at each of two institutions, for tests of who may see and do what."""

import hashlib
from typing import Any, NamedTuple

from hrims.access import sessions, tokens
from hrims.db import Connection
from hrims.jobs import enqueue
from hrims.people import searches
from hrims.previews import store as previews
from hrims.schedules import actions as schedules
from hrims.schedules.request import ScheduleRequest
from hrims.validation import validate
from tests.support.users import BINTI


class Objects(NamedTuple):
    """The ids of the objects of one institution, by the argument of a route. ``mark`` is in all its texts."""

    mark: str
    institution: int
    arguments: dict[str, str]


WITHOUT_ID = {
    "listings", "run_progress", "departure_people", "batch_members", "run_pages", "preview_people",
}  # fmt: skip


def _insert(conn: Connection, table: str, **values: Any) -> int:
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    key = "0" if table in WITHOUT_ID else "id"
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING {key}"
    row = conn.execute(statement.encode(), list(values.values())).fetchone()
    assert row
    return int(row[0])


def _run(conn: Connection, institution: int, vote: str, mark: str, **values: Any) -> int:
    """Insert a run that has ended."""
    row = {
        "institution_id": institution,
        "identifier_type": "votecode",
        "identifier": vote,
        "started_at": "now",
        "finished_at": "now",
        "page_size": 100,
        "state": "completed",
        "outcome": "complete",
        "requested_by": f"user-{mark.lower()}",
        "requested_via": "system",
        "people": 1,
        "seen_twice": 0,
        "missing": 0,
    }
    run_id = _insert(conn, "runs", **(row | values))
    _insert(conn, "run_progress", run_id=run_id, remote_total=2)
    return run_id


def add_objects(conn: Connection, mark: str, vote: str, tin: str) -> Objects:
    """Add an institution called by its mark, and one object of every kind."""
    institution = _insert(conn, "institutions", name=f"TUME YA {mark}", vote_code=vote, tin=tin)
    run = _run(conn, institution, vote, mark, outcome="incomplete", missing=1)
    second = _run(conn, institution, vote, mark)
    preview = _run(conn, institution, vote, mark, kind="preview")
    workplace = _insert(
        conn, "workplaces", name=f"OFISI YA {mark}", institution_id=institution, matched_by="alias",
        mapped_by="binti", mapped_at="now",
    )  # fmt: skip
    waiting_place = _insert(conn, "workplaces", name=f"KITUO CHA {mark}")
    person, other = (
        _insert(
            conn, "employees", zan_id=f"{n}{tin}"[:9], name=f"Asha {mark} Makame", status="Confirmed",
            current_workplace=place, workplace_id=place_id, institution_id=at, first_run_id=run,
            last_changed_run_id=run,
        )
        for n, place, place_id, at in (
            (1, f"OFISI YA {mark}", workplace, institution), (2, f"KITUO CHA {mark}", waiting_place, None),
        )
    )  # fmt: skip
    for listed in (person, other):
        _insert(
            conn, "listings", institution_id=institution, identifier_type="votecode", employee_id=listed,
            since_run_id=run, missed_runs=2, missed_since_run_id=run,
        )  # fmt: skip
    departure = _insert(
        conn, "departures", institution_id=institution, identifier_type="votecode", run_id=second,
        asked_by="the system", state="waiting", why="Many.", listed=2, people=1,
    )  # fmt: skip
    _insert(conn, "departure_people", departure_id=departure, employee_id=person, missed_since_run_id=run)
    _insert(
        conn, "reject_cases", institution_id=institution, identifier_type="votecode", by_place=True,
        record_key=hashlib.sha256(mark.encode()).digest(), code="no_zan_id", reason="No ZanID.",
        page_size=100, page_number=0, position=3, remote_total=4, first_run_id=run, last_run_id=run,
        name=f"Ali {mark}",
    )  # fmt: skip
    batch = _insert(
        conn, "batches", scope="selection", page_size=100, priority="low", requested_via="system",
        requested_by=f"user-{mark.lower()}",
    )  # fmt: skip
    _insert(conn, "batch_members", batch_id=batch, institution_id=institution, run_id=run)
    schedule, spare = (
        schedules.add(
            conn,
            BINTI,
            validate(
                ScheduleRequest,
                {"name": f"{name} {mark}", "cron": "0 1 * * *", "institutions": [institution]},
            ),
        )
        for name in ("Nightly", "Weekly")
    )
    endpoint, spare_endpoint = (
        _insert(
            conn, "webhook_endpoints", url=f"https://{mark.lower()}.example/{number}", secret=b"s" * 32,
            made_by="binti",
        )
        for number in (1, 2)
    )  # fmt: skip
    message = _insert(
        conn, "webhook_messages", endpoint_id=endpoint, event="webhook.test", payload="{}", queue_job_id=0,
        state="failed", ended_at="now",
    )  # fmt: skip
    approval = _insert(
        conn, "approvals", action="batch.cancel", subject=f"batch:{batch}", institutions=[institution],
        requested_by=f"user-{mark.lower()}", requester_id=BINTI.user_id,
    )  # fmt: skip
    token = tokens.add_token(conn, BINTI, f"token-{mark}")
    session = add_session(conn, BINTI.user_id)
    found = tokens.find_token(conn, token)
    assert found
    row = conn.execute("SELECT key FROM webhook_messages WHERE id = %s", (message,)).fetchone()
    assert row
    return Objects(
        mark,
        institution,
        {
            "run_id": str(run),
            "job_id": str(run),
            "second_run": str(second),
            "preview_id": str(preview),
            "institution_id": str(institution),
            "batch_id": str(batch),
            "schedule_id": str(schedule),
            "spare_schedule": str(spare),
            "spare_endpoint": str(spare_endpoint),
            "departure_id": str(departure),
            "workplace_id": str(workplace),
            "waiting_workplace": str(waiting_place),
            "employee_id": str(person),
            "endpoint_id": str(endpoint),
            "key": str(row[0]),
            "approval_id": str(approval),
            "token_id": str(found.token_id),
            "session_id": session,
            "user_id": str(BINTI.user_id),
            "kind": "csv",
            "free_vote": f"5{vote}",
            "free_tin": f"{tin[:-1]}5",
            "code": "000000",
            "version": previews.compare(conn, preview).version,
            "vote": vote,
        },
    )


def add_moved_person(conn: Connection, here: Objects, there: Objects) -> None:
    """Add a person who works there now to the runs, the preview and the departure of the institution here."""
    person, departure = there.arguments["employee_id"], here.arguments["departure_id"]
    runs = [here.arguments[name] for name in ("run_id", "second_run", "preview_id")]
    for run in runs:
        _insert(
            conn, "run_pages", run_id=run, page_size=100, page_number=0, attempt=1, remote_total=1, records=1,
            people=[int(person)],
        )  # fmt: skip
    since = {"missed_since_run_id": runs[0]}
    _insert(conn, "departure_people", departure_id=departure, employee_id=person, **since)
    found = conn.execute("SELECT zan_id FROM employees WHERE id = %s", (person,)).fetchone()
    assert found
    _insert(
        conn, "preview_people", run_id=runs[-1], reading=1, page_size=100, page_number=0, position=0,
        zan_id=found[0], name="Asha", status="Retired", current_workplace=f"OFISI YA {here.mark}",
    )  # fmt: skip


def add_session(conn: Connection, user_id: int | None) -> str:
    """Begin a session of a user. Return its id."""
    assert user_id
    session = sessions.find(conn, sessions.begin(conn, user_id, None, hours=1))
    assert session
    return str(session.session_id)


def add_active_run(conn: Connection, objects: Objects) -> None:
    """Enqueue a run of the institution, so that lists of unfinished runs show it."""
    enqueue.enqueue_run(
        conn,
        BINTI,
        institution_id=objects.institution,
        identifier_type="votecode",
        identifier=objects.arguments["vote"],
    )


def save_search(conn: Connection, user: str, objects: Objects) -> str:
    """Save a search of a user for the people of the institution. Return its token."""
    token = searches.save_search(conn, user, f"Asha {objects.mark}")
    assert token
    return token
