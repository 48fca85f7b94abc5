"""Query strings: the parameter ``query`` of a view states the structure that validates its requests."""

import pytest
from flask import Flask

from hrims.db import Connection
from hrims.queries import ListQuery
from hrims.web.core.route import Route
from hrims.web.routes import ROUTES
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.runs import error_of
from tests.web.test_bodies import path_of

LISTS = [
    route for route in ROUTES if route.method == "GET" and route.query and issubclass(route.query, ListQuery)
]

RUNS = {"a": "1", "b": "2"}
"""Parameters that the comparison requires. Other lists ignore them."""


@pytest.fixture
def administrator(app: Flask, conn: Connection) -> Browser:
    return signed_in(new_browser(app), conn, "salma", "administrator")


def test_these_are_the_lists() -> None:
    assert [route.endpoint for route in LISTS] == [
        "runs.index", "runs.show_list", "batches.index", "batches.show", "batches.show_progress",
        "queue.index", "queue.show_runs", "people.show_results", "leavers.show", "workplaces.index",
        "rejects.index", "rejects.show_list", "rejects.download", "previews.show", "audit.index",
        "audit.download", "webhooks.index",
        "api.batches.index", "api.batches.show", "api.workplaces.index", "api.rejects.index",
        "api.previews.show", "api.compare.show", "api.webhooks.list_messages",
    ]  # fmt: skip


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.endpoint)
def test_a_page_that_is_none_is_refused_by_every_list(
    app: Flask, administrator: Browser, route: Route
) -> None:
    for page in ("0", "-1", "x", "1.0", "²", "100001", "9" * 5000):
        answer = administrator.get(path_of(app, route), query_string=RUNS | {"page": page})
        assert answer.status_code == 400, page
        assert "page must be a whole number from 1 to 100,000." in answer.text
        if route.url.startswith("/api/"):
            assert error_of(answer) == (400, "bad_page")
        else:
            assert 'role="alert"' in answer.text


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.endpoint)
def test_a_parameter_that_is_sent_twice_is_refused_by_every_list(
    app: Flask, administrator: Browser, route: Route
) -> None:
    for pages in (("1", "2"), ("", "2"), ("1", "1")):
        query = [*RUNS.items(), *(("page", page) for page in pages)]
        answer = administrator.get(path_of(app, route), query_string=query)
        assert answer.status_code == 400, pages
        assert "page was sent more than once." in answer.text


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.endpoint)
def test_the_last_page_and_an_empty_parameter_are_accepted_by_every_list(
    app: Flask, administrator: Browser, route: Route
) -> None:
    for page in ("100000", "", " 1 ", "001"):
        query = RUNS | {"page": page, "unknown": "x"}
        with administrator.get(path_of(app, route), query_string=query) as answer:
            assert answer.status_code in {200, 286, 404}, answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/dashboard/admin/runs", "kind"),
        ("/dashboard/admin/batches/1", "kind"),
        ("/dashboard/admin/previews/1", "kind"),
        ("/dashboard/admin/workplaces", "mapped"),
        ("/dashboard/admin/rejects", "per_page"),
        ("/dashboard/admin/rejects/table", "state"),
        ("/dashboard/admin/schedules/1", "saved"),
    ],
)
def test_another_wrong_parameter_is_named_on_the_page(administrator: Browser, path: str, field: str) -> None:
    answer = administrator.get(path, query_string={field: "<b>nonsense"})
    assert answer.status_code == 400
    assert f"{field} must be " in answer.text
    assert "<b>nonsense" not in answer.text


@pytest.mark.parametrize("path", ["fetch-data", "fetch-data/choice", "compare", "workplaces"])
@pytest.mark.parametrize("hint", ["x", "-1", "0", "1.5", "²", "9" * 19, "9" * 5000])
def test_what_is_no_id_selects_nothing(officer: Browser, path: str, hint: str) -> None:
    query = dict.fromkeys(("institution", "a", "workplace", "done", "already"), hint)
    assert officer.get(f"/dashboard/admin/{path}", query_string=query).status_code == 200
