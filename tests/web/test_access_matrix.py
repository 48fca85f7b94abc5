"""Every route × every role × an own and a foreign object, generated from the route table."""

import re
import sys
from typing import Any, Final

import pyotp
import pytest
from flask import Flask

from hrims.access import sessions, tokens, two_step, users
from hrims.access.permissions import ROLES, TOKEN_SCOPES, Permission, permissions_of
from hrims.db import Connection
from hrims.jobs.enqueue_person import enqueue_person
from hrims.web.core import app_state
from hrims.web.core.permissions import PUBLIC
from hrims.web.core.route import Route
from hrims.web.routes import ROUTES
from tests.support.users import BINTI, actor_of
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.malformed.valid import BODIES, FORMS
from tests.web.objects import Objects, add_active_run, add_moved_person, add_objects, add_session, save_search

OWN, FOREIGN = "MWENYEWE", "MGENI"
"""Marks in every text of the own and of the foreign institution."""

GUARDED: Final = [route for route in ROUTES if route.permission is not PUBLIC]

INPUT: Final = FORMS | BODIES | {"tokens.create": {**FORMS["tokens.create"], "user": ""}}
"""What a request sends, by endpoint. Each user adds a token of their own."""

QUERY: Final = {
    "compare.index": "?a={run_id}&b={second_run}&kind=both",
    "api.compare.show": "?a={run_id}&b={second_run}&kind=both",
    "previews.show": "?kind=transfers",
    "api.previews.show": "?kind=transfers",
    "fetch_data.show_institution": "?institution={institution_id}",
    "fetch_data.index": "?institution={institution_id}",
    "runs.index": "?institution={institution_id}",
    "runs.show_list": "?institution={institution_id}",
    "rejects.index": "?institution={institution_id}",
    "rejects.show_list": "?institution={institution_id}",
    "rejects.download": "?institution={institution_id}",
    "api.rejects.index": "?institution={institution_id}",
}
"""The query string of a route that names an object there."""

SILENT: Final = {
    "tokens.create",
    "fetch_data.show_institution",
    "fetch_data.index",
    "rejects.index",
    "rejects.show_list",
    "rejects.download",
    "api.rejects.index",
    "compare.index",
}
"""Routes that answer a foreign object as if none was chosen, or on the page itself."""

LAST: Final = (
    "unmap",
    "approve",
    "refuse",
    "undo",
    "cancel",
    "apply",
    "discard",
    "off",
    "remove",
    "end_session",
    "end_other_sessions",
    "confirm",
    "change_password",
)
"""Routes that consume their object come last, so that the others find it."""


def ordered(routes: list[Route]) -> list[Route]:
    """Return the routes in an order in which each finds its object."""

    def place(route: Route) -> int:
        name = route.endpoint.rpartition(".")[2]
        return LAST.index(name) if name in LAST else -1

    return sorted(routes, key=place)


def fill(value: Any, objects: Objects) -> Any:
    """Put the ids of objects into a template."""
    if isinstance(value, dict):
        return {name: fill(item, objects) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, objects) for item in value]
    if not isinstance(value, str):
        return value
    filled = value.format(mark=objects.mark, **objects.arguments)
    is_number = value == "{institution_id}" and filled.isdigit()
    return int(filled) if is_number else filled


def path_of(route: Route, objects: Objects, search: str) -> str:
    """Return the URL of a route for these objects."""
    arguments = {**objects.arguments, "token": search, "filename": "app.css"}
    if "previews" in route.endpoint:
        arguments["run_id"] = arguments["job_id"] = arguments["preview_id"]
    if route.endpoint in {"api.schedules.remove", "api.webhooks.remove"}:
        # The page has removed the other one.
        arguments["schedule_id"] = arguments["spare_schedule"]
        arguments["endpoint_id"] = arguments["spare_endpoint"]
    if route.endpoint.endswith("workplaces.map_institution"):
        arguments["workplace_id"] = arguments["waiting_workplace"]
    path = re.sub(r"<(?:path:)?(\w+)>", lambda found: arguments[found[1]], route.url)
    query: str = fill(QUERY.get(route.endpoint, ""), objects)
    return path + query


def send(browser: Browser, route: Route, objects: Objects, search: str, csrf: str) -> Any:
    """Send a request with what the route needs. Return the response."""
    given = fill(INPUT.get(route.endpoint, {}), objects)
    options: dict[str, Any] = {"method": route.method, "headers": {"X-CSRFToken": csrf} if csrf else {}}
    if route.method != "GET":
        options |= {"json": given} if route.endpoint.startswith("api.") else {"data": given}
    return browser.open(path_of(route, objects, search), **options)


def start_two_step(app: Flask, conn: Connection, user_id: int) -> str:
    """Begin the set-up of a user's second step. Return the code that confirms it."""
    settings = app_state.state_of(app).settings
    session = sessions.find(conn, sessions.begin(conn, user_id, None, hours=1))
    assert session
    two_step.start(conn, settings, session)
    return pyotp.TOTP(two_step.find_enrolment(conn, settings, session, "").secret).now()


def names_object(route: Route) -> bool:
    """Return whether a request of this route names an object of an institution."""
    is_of_search = "<token>" in route.url
    if "<" in route.url.replace("<kind>", "") and not is_of_search:
        return True
    sent = str(INPUT.get(route.endpoint, ""))
    return route.endpoint in QUERY or "{institution_id}" in sent or "{mark}" in sent


@pytest.fixture
def world(conn: Connection) -> tuple[Objects, Objects]:
    """Return the objects of the own and of the foreign institution. A person moved from own to foreign."""
    own = add_objects(conn, OWN, "801", "811111111")
    foreign = add_objects(conn, FOREIGN, "902", "922222222")
    add_moved_person(conn, own, foreign)
    return own, foreign


@pytest.mark.parametrize("role", [role for role in ROLES if role not in {"administrator", "auditor"}])
def test_a_user_of_one_institution_sees_and_changes_nothing_of_another(
    app: Flask, conn: Connection, world: tuple[Objects, Objects], role: str
) -> None:
    own, foreign = world
    browser = signed_in(new_browser(app), conn, "rashid", role, [own.institution])
    csrf = browser.csrf()
    search = save_search(conn, "rashid", foreign)
    add_active_run(conn, foreign)
    before = state_of(conn, foreign)
    for route in ordered(GUARDED):
        with send(browser, route, foreign, search, csrf) as answer:
            if route.permission not in ROLES[role]:
                assert answer.status_code == 403, route
            elif route.endpoint in SILENT or not names_object(route):
                assert answer.status_code < 400 or answer.status_code in {400, 404, 422}, (route, answer.text)
            elif route.endpoint.endswith("people.search"):
                assert answer.status_code < 400, route
            else:
                assert answer.status_code == 404, (route, answer.status_code, answer.text[:300])
            assert f"TUME YA {FOREIGN}" not in answer.text, route
            assert f"Asha {FOREIGN} Makame" not in answer.text, route
            assert f"user-{FOREIGN.lower()}" not in answer.text, route
    assert state_of(conn, foreign) == before


@pytest.mark.parametrize("role", ROLES)
def test_a_user_may_do_with_own_objects_what_the_role_allows(
    app: Flask, conn: Connection, world: tuple[Objects, Objects], role: str
) -> None:
    own, _ = world
    limit = None if role in {"administrator", "auditor"} else [own.institution]
    browser = signed_in(new_browser(app), conn, "rashid", role, limit)
    csrf, search = browser.csrf(), save_search(conn, "rashid", own)
    own.arguments["session_id"] = add_session(conn, users.identify(conn, "rashid", "page").user_id)
    # Who may add none any more still ends those from before.
    officer = users.identify(conn, "rashid", "page")._replace(role="officer")
    token = tokens.find_token(conn, tokens.add_token(conn, officer, "own"))
    assert token
    own.arguments["token_id"] = str(token.token_id)
    own.arguments["code"] = start_two_step(app, conn, officer.user_id or 0)
    for route in ordered(GUARDED):
        # A new password or second step begins another session.
        csrf = csrf if route.method == "GET" else browser.csrf()
        with send(browser, route, own, search, csrf) as answer:
            if route.permission in ROLES[role]:
                # 400 is a request that the action has not seen.
                assert answer.status_code not in {400, 401, 403, 404}, (route, answer.text[:300])
                assert answer.status_code < 500, route
                assert limit is None or FOREIGN not in answer.text, route
            else:
                assert answer.status_code == 403, route


@pytest.mark.parametrize("scope", TOKEN_SCOPES)
@pytest.mark.parametrize("role", ROLES)
def test_a_token_never_exceeds_its_scope_and_its_user(
    app: Flask, conn: Connection, world: tuple[Objects, Objects], role: str, scope: str
) -> None:
    own, foreign = world
    owner = actor_of(conn, "rashid", role)
    maker = owner if owner.can(Permission.OWN_TOKENS) else BINTI
    token = tokens.add_token(conn, maker, "nightly", scope, user=owner.name, institutions=[own.institution])
    machine = new_browser(app)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    granted = permissions_of(role, scope, is_global=False)
    for route in ordered([route for route in GUARDED if route.endpoint.startswith("api.")]):
        if route.endpoint == "api.stream.stream_run":
            continue  # the same lookup as job-status; an open stream never ends
        with send(machine, route, foreign, "", "") as answer:
            if route.permission not in granted:
                assert answer.status_code == 403, route
            elif names_object(route) and route.endpoint not in SILENT | {"api.people.search"}:
                assert answer.status_code == 404, (route, answer.text)
            assert FOREIGN not in answer.text, route
        with send(machine, route, own, "", "") as answer:
            assert (answer.status_code == 403) == (route.permission not in granted), route


def state_of(conn: Connection, objects: Objects) -> list[Any]:
    """Return what a request must not have changed."""
    columns = {"institutions": "id"} | dict.fromkeys(
        ("runs", "departures", "reject_cases", "batch_members", "workplaces"), "institution_id"
    )
    states = [
        conn.execute(
            f"SELECT t::text FROM {table} t WHERE {column} = %s ORDER BY 1".encode(), (objects.institution,)
        ).fetchall()
        for table, column in columns.items()
    ]
    return [*states, conn.execute("SELECT s::text FROM schedules s ORDER BY 1").fetchall()]


def test_the_size_of_the_matrix() -> None:
    users = len(GUARDED) * len(ROLES) * 2
    machines = len([route for route in GUARDED if route.endpoint.startswith("api.")]) * len(ROLES) * 3 * 2
    sys.stdout.write(f"{len(GUARDED)} routes: {users} requests of users, {machines} of tokens\n")
    assert len(GUARDED) == len(ROUTES) - len([route for route in ROUTES if route.permission is PUBLIC])
    assert all(route.permission for route in GUARDED)


def test_a_run_of_one_person_is_for_its_requester_and_for_users_of_all(
    app: Flask, conn: Connection, world: tuple[Objects, Objects]
) -> None:
    own, _ = world
    asha = actor_of(conn, "asha", "officer", [own.institution])
    run_id = enqueue_person(conn, asha, "592675678").run_id
    limited = [own.institution]
    for name, limit, status in (("asha", limited, 200), ("omar", limited, 404), ("juma", None, 200)):
        browser = signed_in(new_browser(app), conn, name, "officer", limit)
        assert browser.get(f"/api/hrims/job-status/{run_id}").status_code == status, name
        assert browser.get(f"/dashboard/admin/people?run={run_id}").status_code == status, name


@pytest.mark.own_app
def test_a_route_without_a_permission_is_found(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "private")
    listed = {route.endpoint for route in ROUTES}
    assert {rule.endpoint for rule in app.url_map.iter_rules()} - listed == {"forgotten"}
