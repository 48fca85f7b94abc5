"""No route shows a field to a user whose role does not see its class: every GET route, and each search."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from hrims.db import Connection
from hrims.web.core.route import Route
from hrims.web.routes import ROUTES
from tests.support.workbooks import unpack
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.marked import World, add_world
from tests.web.test_access_matrix import fill, path_of

KINDS = {
    "previews.show": ("new", "changed", "unchanged", "missing", "rejected", "transfers"),
    "api.previews.show": ("new", "changed", "unchanged", "missing", "rejected", "transfers"),
    "compare.index": ("changed", "only_a", "only_b", "both"),
    "api.compare.show": ("changed", "only_a", "only_b", "both"),
}
"""The kinds of rows of a route."""

OTHER_PATHS = (
    "/dashboard/admin/people?run={person_run}",
    "/api/hrims/job-status/{person_run}",
    "/dashboard/admin/runs/{person_run}",
    "/dashboard/admin/runs/{second_run}",
    "/dashboard/admin/rejects/rejects.xlsx",
)

SEARCHES = ("Mtu 1", "PAYROLL77001", "580330001", "Asha Mtu 1 Makame", "Asya")


@pytest.fixture
def world(conn: Connection, dsn: str) -> World:
    """Provide marked people."""
    return add_world(conn, dsn)


def paths_of(route: Route, world: World) -> Iterator[str]:
    """Yield the URLs of a route for the marked people, one for each kind of rows."""
    path = re.sub("[?&]kind=[a-z]+", "", path_of(route, world.objects, "x"))
    for kind in KINDS.get(route.endpoint, ("",)):
        yield f"{path}{'&' if '?' in path else '?'}kind={kind}" if kind else path


def text_of(answer: Any) -> str:
    """Return the text of a response, of a workbook that of its parts."""
    if answer.mimetype.endswith("spreadsheetml.sheet"):
        return "".join(unpack(answer.data))
    text: str = answer.get_data().decode(errors="replace")
    return text


def read_everything(browser: Browser, world: World) -> Iterator[tuple[str, str]]:
    """Yield (request, response) of every GET route and of each search."""
    paths = [path for route in ROUTES if route.method == "GET" for path in paths_of(route, world)]
    for path in (*paths, *(fill(path, world.objects) for path in OTHER_PATHS)):
        with browser.get(path) as answer:
            yield path, text_of(answer)
    csrf = browser.csrf()
    for words in SEARCHES:
        headers = {"X-CSRFToken": csrf}
        yield (
            f"api {words}",
            browser.post("/api/hrims/people/search", json={"words": words}, headers=headers).text,
        )
        answer = browser.post("/dashboard/admin/people", data={"words": words, "csrf_token": csrf})
        page = browser.get(answer.location).text
        # The form shows the words that the user typed.
        yield f"page {words}", re.sub(r'value="[^"]*"', "", page)


def found(browser: Browser, world: World, values: set[str]) -> list[tuple[str, str]]:
    """Return (request, value) for each value that a response shows."""
    return [
        (path, value) for path, text in read_everything(browser, world) for value in values if value in text
    ]


@pytest.mark.parametrize("role", ["viewer", "officer"])
def test_confidential_and_restricted_fields_are_hidden(
    app: Flask, conn: Connection, world: World, role: str
) -> None:
    assert len(world.sensitive) > 60
    browser = signed_in(new_browser(app), conn, "rashid", role)
    assert found(browser, world, world.sensitive) == []


def test_names_are_hidden_from_auditors_too(app: Flask, conn: Connection, world: World) -> None:
    browser = signed_in(new_browser(app), conn, "rashid", "auditor")
    assert {"Asha Mtu 1 Makame", "Asha Mtu 8 Makame"} <= world.names
    assert found(browser, world, world.sensitive | world.names) == []


def test_other_roles_see_them(app: Flask, conn: Connection, world: World) -> None:
    """The requests above reach the pages that show people."""
    for role in ("supervisor", "administrator"):
        browser = signed_in(new_browser(app), conn, "rashid", role)
        seen = found(browser, world, world.sensitive)
        requests = {path.partition("?")[0].rpartition("/")[2] for path, _ in seen}
        assert {value for _, value in seen} >= {"580330001", "PAYROLL77009", "0777700001", "Mtaa mwingine 77"}
        assert len({path for path, _ in seen}) > 20, requests
        files = {path.rpartition(".")[2] for path, value in seen if value == "PAYROLL77009"}
        assert {"csv", "xlsx"} <= {kind.partition("?")[0] for kind in files}
