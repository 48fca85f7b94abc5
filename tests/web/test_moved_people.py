"""People who were in an institution's runs and are elsewhere now: counted by its lists, but not shown."""

from typing import NamedTuple

import pytest
from flask import Flask

from hrims.db import Connection
from tests.database import previews
from tests.database.lists import Lists
from tests.support.people import record
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.lists import with_lists
from tests.web.test_previews import do, text

MOVED = "580330000"
ONE_HIDDEN = "1 person is not shown, because they are outside your institutions."
SECRET = "WIZARA YA SIRI"
"""Where the person is now."""


class World(NamedTuple):
    """An institution with runs that met the person, and the ids of what shows the people of its runs."""

    institution: int
    person: int
    before: int
    both: int
    preview: int
    departure: int


@pytest.fixture
def world(conn: Connection, dsn: str) -> World:
    """Sync five people twice, then miss the first until they leave. They are elsewhere now."""
    ids: dict[str, int] = {}

    async def story(lists: Lists) -> None:
        everyone = list(range(30))
        ids["before"], ids["both"] = await lists.run(everyone), await lists.run(everyone)
        ids["preview"] = await previews.fetch(
            conn, lists.pool, lists.ids["health"], [record(n) for n in everyone]
        )
        for _ in range(3):
            ids["after"] = await lists.run(everyone[1:])
        ids["institution"] = lists.ids["health"]

    with_lists(conn, dsn, story)
    person = number(conn, f"SELECT id FROM employees WHERE zan_id = '{MOVED}'")
    departure = number(conn, "SELECT departure_id FROM departure_people")
    move(conn, person, SECRET)
    return World(ids["institution"], person, ids["before"], ids["both"], ids["preview"], departure)


def move(conn: Connection, person: int, name: str) -> None:
    """Move a person to another institution, as a run of that institution does."""
    other = number(conn, f"INSERT INTO institutions (name, vote_code) VALUES ('{name}', '777') RETURNING id")
    place = number(
        conn,
        f"INSERT INTO workplaces (name, institution_id, matched_by) VALUES ('{name}', {other}, 'name')"
        " RETURNING id",
    )
    conn.execute(
        "UPDATE employees SET institution_id = %s, workplace_id = %s, current_workplace = %s,"
        " cadre = 'Cadre SIRI' WHERE id = %s",
        (other, place, name, person),
    )


def number(conn: Connection, statement: str) -> int:
    row = conn.execute(statement.encode()).fetchone()
    assert row
    return int(row[0])


def paths(world: World) -> list[str]:
    """Return what shows the people of these runs."""
    after = f"/dashboard/admin/compare?a={world.before}&b={world.both}"
    return [
        f"{after}&kind=both",
        f"/api/hrims/compare?a={world.before}&b={world.both}&kind=both",
        f"/dashboard/admin/previews/{world.preview}?kind=transfers",
        f"/dashboard/admin/previews/{world.preview}?kind=changed",
        f"/api/hrims/previews/{world.preview}?kind=transfers",
        f"/api/hrims/previews/{world.preview}?kind=returning",
        f"/api/hrims/previews/{world.preview}?kind=changed",
        "/dashboard/admin/leavers",
        f"/dashboard/admin/leavers/{world.departure}",
        "/api/hrims/leavers",
        f"/api/hrims/job-status/{world.before}",
    ]


@pytest.mark.parametrize("role", ["viewer", "supervisor"])
def test_a_person_who_moved_away_is_counted_and_not_shown(
    app: Flask, conn: Connection, world: World, role: str
) -> None:
    browser = signed_in(new_browser(app), conn, "rashid", role, [world.institution])
    assert browser.get(f"/dashboard/admin/people/{world.person}").status_code == 404
    for path in paths(world):
        shown = browser.get(path)
        assert shown.status_code == 200, path
        for mark in ("SIRI", MOVED, "58•••••00", "Asha Mtu 0 Makame"):
            assert mark not in shown.text, (path, mark)
    compared = browser.get(f"/api/hrims/compare?a={world.before}&b={world.both}&kind=both").get_json()
    assert (compared["counts"]["both"], len(compared["rows"]), compared["hidden"]) == (30, 29, 1)
    preview = browser.get(f"/api/hrims/previews/{world.preview}?kind=transfers").get_json()
    assert (preview["counts"]["transfers"], preview["rows"], preview["hidden"]) == (1, [], 1)
    for path in paths(world)[0], paths(world)[2], paths(world)[8]:
        assert ONE_HIDDEN in text(browser.get(path)), path
    (departure,) = browser.get("/api/hrims/leavers").get_json()["recent"]
    assert (departure["count"], departure["people"], departure["morePeople"]) == (1, [], 1)


def test_a_user_of_all_institutions_sees_everyone(administrator: Browser, world: World) -> None:
    for path in paths(world)[:3]:
        shown = administrator.get(path)
        assert MOVED in shown.text, path
        assert "outside your institutions" not in shown.text, path
    assert "Asha Mtu 0 Makame" in administrator.get(f"/dashboard/admin/leavers/{world.departure}").text


@pytest.mark.parametrize("kind", ["only_a", "only_b", "changed"])
def test_every_difference_of_two_runs_hides_who_moved_away(
    app: Flask, conn: Connection, dsn: str, health: int, kind: str
) -> None:
    first = [record(n) for n in range(kind == "only_b", 30)]
    later = [record(n, lastName="Ali" if n == 0 else "Makame") for n in range(kind == "only_a", 30)]
    a, b = (
        do(dsn, lambda pool, people=people: previews.fetch(conn, pool, health, people, "sync"))
        for people in (first, later)
    )
    person = number(conn, f"SELECT id FROM employees WHERE zan_id = '{MOVED}'")
    move(conn, person, SECRET)
    conn.execute(
        "UPDATE listings SET ended_at = now(), ended_run_id = %(run)s, missed_runs = 1,"
        " missed_since_run_id = %(run)s WHERE employee_id = %(person)s",
        {"run": b, "person": person},
    )
    browser = signed_in(new_browser(app), conn, "rashid", "supervisor", [health])
    found = browser.get(f"/api/hrims/compare?a={a}&b={b}&kind={kind}").get_json()
    assert (found["counts"][kind], found["rows"], found["hidden"]) == (1, [], 1)


def test_the_history_of_a_person_who_moved_here_names_no_run_elsewhere(
    app: Flask, conn: Connection, world: World
) -> None:
    here = number(conn, f"SELECT id FROM institutions WHERE name = '{SECRET}'")
    browser = signed_in(new_browser(app), conn, "rashid", "supervisor", [here])
    page = browser.get(f"/dashboard/admin/people/{world.person}")
    assert page.status_code == 200
    assert "First seen" in page.text
    assert "requested by" not in text(page)
    assert "/dashboard/admin/runs/" not in page.text.partition('id="history"')[2]
