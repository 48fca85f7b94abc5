"""Bodies of the API: the parameter ``body`` of a view states the structure that validates its requests."""

import msgspec
import pytest
from flask import Flask

from hrims.db import Connection
from hrims.web.core.route import Route
from hrims.web.routes import ROUTES
from tests.web.browsers import Browser
from tests.web.runs import error_of, fetch_body, institution

WITHOUT_BODY = {
    "api.approvals.approve", "api.approvals.refuse", "api.approvals.withdraw",
    "api.batches.cancel", "api.batches.retry", "api.jobs.cancel", "api.leavers.approve", "api.leavers.refuse",
    "api.leavers.undo", "api.previews.discard", "api.queue.resume", "api.schedules.pause",
    "api.schedules.remove", "api.schedules.resume", "api.schedules.run", "api.webhooks.remove",
    "api.webhooks.resend", "api.webhooks.send_test", "api.webhooks.switch_off", "api.webhooks.switch_on",
    "api.workplaces.unmap",
}  # fmt: skip
"""Endpoints that need no more than their URL."""

CHANGES = [route for route in ROUTES if route.url.startswith("/api/") and route.method != "GET"]


def path_of(app: Flask, route: Route) -> str:
    """Return a path of the endpoint."""
    [rule] = app.url_map.iter_rules(route.endpoint)
    return str(app.url_map.bind("").build(rule.endpoint, dict.fromkeys(rule.arguments, "1"), route.method))


def test_every_body_has_a_structure() -> None:
    assert {route.endpoint for route in CHANGES if not route.body} == WITHOUT_BODY
    assert not [route.endpoint for route in ROUTES if route.body and route not in CHANGES]


def test_every_structure_can_be_described() -> None:
    schemas, parts = msgspec.json.schema_components({route.body for route in CHANGES if route.body})
    assert len(schemas) == len({schema["$ref"] for schema in schemas})
    for name, part in parts.items():
        assert part["description"], name
        assert part.get("additionalProperties", True) is (name == "RunRequest")


def test_an_unknown_field_is_refused_by_the_structure_of_the_endpoint(
    app: Flask, administrator: Browser
) -> None:
    token = {"X-CSRFToken": administrator.csrf()}
    for route in CHANGES:
        if not route.body or route.endpoint == "api.jobs.fetch_by_institution":
            continue
        answer = administrator.open(path_of(app, route), method=route.method, json={"none": 1}, headers=token)
        names = ", ".join(field.encode_name for field in msgspec.structs.fields(route.body))
        assert error_of(answer) == (400, "unknown_field"), route.endpoint
        assert f"There is no 'none' here; there are {names}." in answer.get_json()["message"]


@pytest.mark.parametrize("other", [None, 7, True, "129673100", ["x"]])
def test_a_fetch_ignores_what_it_does_not_know(api: Browser, conn: Connection, other: object) -> None:
    sent = fetch_body(institution(conn)) | {"tinNumber": other, "requestedBy": "x", "retries": other}
    assert api.post("/api/hrims/fetch-by-institution", json=sent).status_code == 202


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("words", ["Asha", "a\\u0000b"])
def test_a_body_in_another_encoding_is_not_json(api: Browser, encoding: str, words: str) -> None:
    """In UTF-16, an escaped NUL was not found in the bytes and reached the database."""
    sent = f'{{"words": "{words}"}}'.encode(encoding)
    assert error_of(api.post("/api/hrims/people/search", data=sent)) == (400, "not_json")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_json_lacks_is_refused(api: Browser, conn: Connection, constant: str) -> None:
    """Also in a field that the endpoint ignores."""
    sent = f'{{"other": {constant}, "institutionId": {institution(conn)}}}'
    assert error_of(api.post("/api/hrims/fetch-by-institution", data=sent)) == (400, "not_json")


def test_a_repeated_field_is_refused(api: Browser) -> None:
    answer = api.post("/api/hrims/people/search", data='{"words": "Asha", "words": "Juma"}')
    assert error_of(answer) == (400, "repeated_field")
    assert answer.get_json()["message"] == "The body has 'words' more than once. Nothing was changed."
    many = ", ".join(f'"a{number}": 1' for number in range(20_000))
    assert error_of(api.post("/api/hrims/people/search", data=f'{{{many}, "a0": 2}}')) == (
        400, "repeated_field",
    )  # fmt: skip
