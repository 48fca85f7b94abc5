"""The route table, the permissions that it states, and the URLs that the documents name."""

import re

from flask import Flask

from hrims.access.permissions import AUDITOR, ROLES, VIEWER, Permission
from hrims.web.core.permissions import PUBLIC
from hrims.web.routes import ROUTES
from tests.support.documents import PAGES, read

NO_SIGN_IN = {
    "GET /api/openapi.json",
    "GET /set-up/<token>",
    "POST /set-up/<token>",
    "POST /sign-in/code",
    "GET /sign-in/openid",
    "GET /sign-in/openid/callback",
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

REVEALS = {
    "POST /dashboard/admin/people/<employee_id>",
    "POST /api/hrims/people/<employee_id>/reveal",
}
"""The routes that show masked fields. They change nothing, and are open to auditors."""


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
        assert route.endpoint.startswith("api.") == (route.url.startswith("/api/") or probe), route


def test_only_these_routes_need_no_sign_in() -> None:
    assert {f"{route.method} {route.url}" for route in ROUTES if route.permission is PUBLIC} == NO_SIGN_IN


def test_a_route_that_writes_is_closed_to_viewers_and_auditors() -> None:
    writes = [route for route in ROUTES if route.method != "GET" and route.permission is not PUBLIC]
    assert len(writes) > 50
    for route in writes:
        name = f"{route.method} {route.url}"
        for role in (VIEWER, AUDITOR):
            is_own = route.permission is Permission.USE_ACCOUNT
            is_open = is_own or name in SEARCHES or (role == AUDITOR and name in REVEALS)
            assert (route.permission in ROLES[role]) == is_open, name


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
