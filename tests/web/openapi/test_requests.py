"""Requests that are generated from the description: every response is as described, and none is a 500."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qsl

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hrims.jobs import control
from hrims.web.core.responses import JSON
from hrims.web.core.route import Route
from hrims.web.routes import ROUTES
from tests.support.users import BINTI
from tests.web.objects import Objects, add_active_run, add_objects
from tests.web.openapi.site import Site
from tests.web.test_access_matrix import INPUT, fill, path_of

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

OPERATIONS: Final = [route for route in ROUTES if route.is_api]

BY_BROWSER: Final = "api.people.reveal"
"""The operation that tokens are refused."""

NEED_MORE: Final = {"api.health.show_metrics"}
"""Operations that need more than an object and a token."""

MIN_REQUESTS: Final = 10_000

numbers = count(1)
"""Each operation gets objects of its own."""

sent: dict[str, int] = {}
"""Requests by operation."""


def add_own_objects(site: Site) -> Objects:
    """Return one object of every kind. Earlier runs are cancelled: a user may have only so many."""
    for (run_id,) in site.conn.execute("SELECT id FROM runs WHERE finished_at IS NULL").fetchall():
        control.cancel(site.conn, BINTI, run_id)
    number = next(numbers)
    made = add_objects(site.conn, f"NAMBA{number}", f"{number:03}", f"{10_000_000 + number}0")
    add_active_run(site.conn, made)
    return made


@pytest.fixture
def objects(site: Site) -> Objects:
    """Provide one object of every kind."""
    return add_own_objects(site)


def operation_of(site: Site, route: Route) -> Any:
    """Return the operation of a route, as the description has it."""
    return site.schema[re.sub("<([a-z_]+)>", r"{\1}", route.url)][route.method]


def send(site: Site, route: Route, case: Any, checks: list[Callable[..., Any]]) -> Any:
    """Send a request and check its response."""
    client = site.browser if route.endpoint == BY_BROWSER else site.machine
    response = case.call(base_url=site.served.url, session=client)
    sent[route.endpoint] = sent.get(route.endpoint, 0) + 1
    case.validate_response(response, checks=checks)
    return response


def parts_of(route: Route, objects: Objects) -> dict[str, Any]:
    """Return path, query and body of a request about these objects."""
    path, _, query = path_of(route, objects, "").partition("?")
    pattern = re.sub("<([a-z_]+)>", r"(?P<\1>[^/]+)", route.url)
    found = re.fullmatch(pattern, path)
    assert found
    ids = {name: int(text) if text.isdigit() else text for name, text in found.groupdict().items()}
    return {"path_parameters": ids, "query": dict(parse_qsl(query))} | (
        {"body": fill(INPUT.get(route.endpoint, {}), objects), "media_type": JSON} if route.body else {}
    )


@pytest.mark.parametrize("route", OPERATIONS, ids=lambda route: f"{route.method} {route.url}")
def test_a_request_about_an_own_object_is_answered_as_described(
    site: Site, objects: Objects, route: Route
) -> None:
    case = operation_of(site, route).Case(**parts_of(route, objects))
    response = send(site, route, case, CHECKS)
    assert response.status_code not in {400, 401, 403, 404, 429} or route.endpoint in NEED_MORE, response.text


def send_generated(site: Site, route: Route, objects: Objects, examples: int) -> None:
    """Send generated requests, valid and invalid ones, half of the valid ones about own objects."""
    operation = operation_of(site, route)
    own = parts_of(route, objects)["path_parameters"]
    limits = hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    @limits
    @hypothesis.given(st.data())
    def send_valid(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        if own and data.draw(st.booleans()):
            case.path_parameters = own
        hypothesis.assume(not is_endless(site, route, case))
        send(site, route, case, CHECKS)

    @limits
    @hypothesis.given(st.data())
    def send_invalid(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
        hypothesis.assume(not is_endless(site, route, case))
        send(site, route, case, [*CHECKS, negative_data_rejection] if is_refused(route, case) else CHECKS)

    send_valid()
    if operation.body or own or operation.query:
        send_invalid()


def is_refused(route: Route, case: Any) -> bool:
    """Return whether a request that does not fit the description must be refused.

    An empty parameter counts as not sent. The browser sends its session also where none is meant.
    """
    empty = [value for value in (case.query or {}).values() if value in ("", [""])]
    return route.endpoint != BY_BROWSER and not empty


def is_endless(site: Site, route: Route, case: Any) -> bool:
    """Return whether the response is the stream of a run that has not ended."""
    if route.endpoint != "api.stream.stream_run":
        return False
    rows = site.conn.execute("SELECT id::text FROM runs WHERE finished_at IS NULL").fetchall()
    return (str(case.path_parameters["job_id"]),) in rows


@pytest.mark.parametrize("route", OPERATIONS, ids=lambda route: f"{route.method} {route.url}")
def test_generated_requests_are_answered_as_described(site: Site, objects: Objects, route: Route) -> None:
    send_generated(site, route, objects, 4)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_ten_thousand_generated_requests_are_answered_as_described(
    site: Site, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sum(sent.values())
    for route in OPERATIONS:
        send_generated(site, route, add_own_objects(site), 110)
    total = sum(sent.values()) - before
    with capsys.disabled():
        print(f"\n{total:,} requests of {len(OPERATIONS)} operations, every response as described")  # noqa: T201 - the figure
    assert total >= MIN_REQUESTS
