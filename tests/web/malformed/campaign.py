"""Sends malformed requests. Input: routes and a number. Output: counts, or the first defect."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import accumulate, pairwise
from typing import Any, Final
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings
from werkzeug.test import TestResponse

from hrims.web.core.permissions import PUBLIC, Permission
from hrims.web.core.route import Route
from tests.web.malformed.damage import Sent, requests_of
from tests.web.malformed.valid import fields_of
from tests.web.malformed.world import World

ROUTES_PER_WORLD: Final = 12
"""After so many routes a new database is taken: lists of a thousand objects would slow the pages."""

WEIGHT_OF_FIELDS: Final = 3
"""A route with fields gets so many times the requests of one that only has its URL."""

ALERT: Final = re.compile(r'role="alert">\s*([^<\s][^<]*)')
"""The reason on a page: that of the refused form, or of the error."""

Worlds = Callable[[], AbstractContextManager[World]]


class Campaign:
    """Malformed requests of many routes. Each is sent with every right and with a valid form token."""

    def __init__(self, routes: Sequence[Route], count: int) -> None:
        self.routes = routes
        self.count = count
        self.statuses = Counter[int]()
        self.accepted = Counter[str]()
        self.before: dict[str, str] = {}

    @property
    def sent(self) -> int:
        """Return how many requests were sent."""
        return self.statuses.total()

    @property
    def refused(self) -> int:
        """Return how many requests were refused."""
        return sum(number for status, number in self.statuses.items() if status >= 400)

    def summary(self) -> str:
        """Return the figures."""
        statuses = ", ".join(f"{number:,} x {status}" for status, number in sorted(self.statuses.items()))
        return (
            f"{self.sent:,} malformed requests to {len(self.routes)} routes: {self.refused:,} refused, "
            f"nothing written by them ({statuses})"
        )

    def run(self, new_world: Worlds) -> None:
        """Send the requests. Raise AssertionError for the first defect."""
        shares = share(self.count, [WEIGHT_OF_FIELDS if fields_of(route) else 1 for route in self.routes])
        parts = list(zip(self.routes, shares, strict=True))
        for start in range(0, len(parts), ROUTES_PER_WORLD):
            with new_world() as world:
                for route, number in parts[start : start + ROUTES_PER_WORLD]:
                    self._run_route(world, route, number)

    def _run_route(self, world: World, route: Route, number: int) -> None:
        until = self.sent + number
        self.before = world.digests()

        @seed(crc32(route.endpoint.encode()))
        @settings(
            max_examples=number,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(requests_of(route))
        def check(sent: Sent) -> None:
            self._check(world, route, sent)

        while self.sent < until:  # Hypothesis stops earlier if it has made every example.
            check()

    def _check(self, world: World, route: Route, sent: Sent) -> None:
        world.forget_failures()
        with send(world, route, sent) as answer:
            self.statuses[answer.status_code] += 1
            case = f"{route.method} {route.endpoint}: {describe(sent)}"
            assert answer.status_code < 500, (case, answer.text[:500])
            after = world.digests()
            written = [table for table, digest in after.items() if self.before[table] != digest]
            if answer.status_code >= 400:
                assert written == [], (case, answer.status_code, written)
                check_form(route, answer, case)
                return
        self.accepted[f"{route.endpoint} {sent.kind}"] += 1
        if written and consumes_object(route):
            world.renew()
        self.before = world.digests() if written else self.before


def describe(sent: Sent) -> str:
    """Return what was sent, for a message."""
    return f"{sent.kind} {dict(sent.arguments)} {sent.query} {sent.type} {sent.body({})[:500]!r}"


def consumes_object(route: Route) -> bool:
    """Return whether an accepted request may leave nothing for the next one: a run that is cancelled."""
    return "<" in route.url or route.permission in {PUBLIC, Permission.USE_ACCOUNT}


def share(count: int, weights: Sequence[int]) -> list[int]:
    """Return whole parts of ``count`` by weight. Their sum is ``count``."""
    ends = [count * reached // sum(weights) for reached in accumulate(weights, initial=0)]
    return [end - start for start, end in pairwise(ends)]


def check_form(route: Route, answer: TestResponse, case: str) -> None:
    """Assert that a refusal has the form of the product: JSON of the API, or a page with the reason."""
    assert answer.headers["X-Request-Id"], case
    if not route.url.startswith("/api/"):
        assert answer.mimetype == "text/html", case
        assert ALERT.search(answer.text), (case, answer.status_code, answer.text[:3000])
        return
    assert answer.mimetype == "application/json", case
    body = answer.get_json()
    assert sorted(body) == ["code", "message", "requestId", "success"], case
    assert body["success"] is False, case
    assert re.fullmatch(r"[a-z_]+", body["code"]), case
    assert body["message"].endswith("."), (case, body)
    assert body["requestId"] == answer.headers["X-Request-Id"], case


def send(world: World, route: Route, sent: Sent) -> Any:
    """Send a request by a client with every right, and with the form token of its page."""
    body = sent.body(world.objects.arguments)
    client, headers = _client_of(world, route, sent)
    return client.open(
        path_of(world, route, sent) + sent.query,
        method=route.method,
        data=body,
        content_type=sent.type,
        headers=headers,
        environ_overrides={"CONTENT_LENGTH": str(len(body) + sent.missing_bytes)}
        if sent.missing_bytes
        else {},
    )


def _client_of(world: World, route: Route, sent: Sent) -> tuple[Any, dict[str, str]]:
    if sent.by_token and route.permission in world.permissions_of_token:
        return world.machine, {}
    if route.permission is PUBLIC and route.endpoint != "sign_in.sign_out":
        return world.stranger, {"X-CSRFToken": world.csrf_of_stranger}
    return world.browser, {"X-CSRFToken": world.csrf}


def path_of(world: World, route: Route, sent: Sent) -> str:
    """Return the URL of the route, with the object that it names or a wrong one."""
    arguments = {**world.objects.arguments}
    if "previews" in route.endpoint:
        arguments["run_id"] = arguments["job_id"] = arguments["preview_id"]
    if route.endpoint.endswith(("workplaces.map_institution", "workplaces.register")):
        arguments["workplace_id"] = arguments["waiting_workplace"]
    if route.endpoint.endswith((".cancel", ".set_priority")):
        arguments["run_id"] = arguments["job_id"] = arguments["active_run"]
    if route.endpoint.startswith("set_up"):
        arguments["token"] = arguments["set_up"]
    arguments |= sent.arguments
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: arguments[found[1]], route.url)
