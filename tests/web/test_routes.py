"""The route table, the permissions that it states, and the URLs that the documents name."""

import re

import pytest
from flask import Flask

from hrims.access import tokens
from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.web.core.permissions import ADMINISTRATOR, AUDITOR, OFFICER, Permission
from hrims.web.routes import AUDIT, PUBLIC, READ, ROUTES
from tests.support.documents import PAGES, read
from tests.web.browsers import Browser, new_browser, signed_in

EVERYBODY = {
    "GET /static/<path:filename>",
    "GET /sign-in",
    "POST /sign-in",
    "POST /sign-out",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}
"""The routes that need no sign-in."""

SEARCHES = {"POST /dashboard/admin/people", "POST /api/hrims/people/search"}
"""The routes of searches: a POST keeps names out of URLs."""


def test_the_app_has_these_routes_and_no_others(app: Flask) -> None:
    registered = [
        (method, rule.rule, rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert sorted(registered) == sorted((route.method, route.url, route.endpoint) for route in ROUTES)


def test_every_endpoint_has_one_row() -> None:
    endpoints = [route.endpoint for route in ROUTES]
    assert len(set(endpoints)) == len(endpoints)


def test_an_api_route_has_an_api_endpoint() -> None:
    for route in ROUTES:
        probe = route.url in {"/healthz", "/readyz", "/metrics"}
        assert route.endpoint.startswith("api.") == (route.url.startswith("/api/hrims/") or probe), route


def test_only_these_routes_need_no_sign_in() -> None:
    assert {f"{route.method} {route.url}" for route in ROUTES if route.permission is PUBLIC} == EVERYBODY


def test_a_route_that_writes_is_closed_to_auditors() -> None:
    writes = [route for route in ROUTES if route.method != "GET" and route.permission is not PUBLIC]
    assert len(writes) > 50
    for route in writes:
        name = f"{route.method} {route.url}"
        assert route.permission.allows(AUDITOR) == (name in SEARCHES), name


def path_of(url: str) -> str:
    """Return a path that matches a URL of the table."""
    return "/".join("1" if part.startswith("<") else part for part in url.split("/")).replace("<kind>", "csv")


def status(browser: Browser, method: str, path: str) -> int:
    """Return the status of a request with a form token and an empty body."""
    headers = {} if method == "GET" else {"X-CSRFToken": browser.csrf()}
    with browser.open(path, method=method, headers=headers) as answer:
        return int(answer.status_code)


@pytest.mark.parametrize("role", [ADMINISTRATOR, OFFICER, AUDITOR])
def test_a_role_gets_403_where_it_lacks_the_permission(app: Flask, conn: Connection, role: str) -> None:
    browser = signed_in(new_browser(app), conn, "rashid", role)
    for route in (route for route in ROUTES if route.permission is not PUBLIC):
        answered = status(browser, route.method, path_of(route.url))
        assert (answered == 403) == (not route.permission.allows(role)), route
        assert answered < 500, route


@pytest.mark.parametrize("role", [OFFICER, AUDITOR])
def test_a_token_gets_403_where_its_role_lacks_the_permission(
    app: Flask, client: Browser, conn: Connection, role: str
) -> None:
    token = tokens.add_token(conn, Actor("test", "system"), "audits", role)
    headers = {"Authorization": f"Bearer {token}"}
    for route in (route for route in ROUTES if route.url.startswith("/api/")):
        with client.open(path_of(route.url), method=route.method, data="{}", headers=headers) as answer:
            assert (answer.status_code == 403) == (not route.permission.allows(role)), route


def test_each_role_has_these_permissions() -> None:
    allowed = {role: {one for one in Permission if one.allows(role)} for role in (OFFICER, AUDITOR)}
    assert allowed == {OFFICER: {PUBLIC, READ, Permission.WRITE}, AUDITOR: {PUBLIC, READ, AUDIT}}
    assert all(permission.allows(ADMINISTRATOR) for permission in Permission)


def test_the_documents_name_no_other_url() -> None:
    known = {re.sub(r"<[^>]+>", "<>", route.url) for route in ROUTES}
    named = {
        path
        for page in PAGES
        for path in re.findall(r"(?:GET|POST|PUT) (/(?:api|dashboard)/[^\s`?…]*)", read(page))
    }
    written = {re.sub(r"<[^>]+>", "<>", path).rstrip("/.,") for path in named}
    assert len(written) > 20
    assert written <= known
