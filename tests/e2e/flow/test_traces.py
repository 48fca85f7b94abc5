"""Traces and error reports of the real web process and worker, sent to receivers over HTTP."""

import gzip
import json
from itertools import pairwise
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_httpserver import HTTPServer

from tests.e2e.processes.product import wait_until
from tests.support.databases import execute_as_owner
from tests.support.harness import World
from tests.support.served import Served
from tests.support.users import add_machine

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


class Span:
    """A received span."""

    def __init__(self, made: Any, process: str) -> None:
        self.name, self.process = made.name, process
        self.trace, self.id, self.parent = made.trace_id, made.span_id, made.parent_span_id
        self.attributes = {
            item.key: getattr(item.value, item.value.WhichOneof("value")) for item in made.attributes
        }


def received(httpserver: HTTPServer) -> list[Span]:
    """Return the spans that the collector received."""
    found = []
    for request, _ in httpserver.log:
        if request.path != "/v1/traces":
            continue
        for resource in ExportTraceServiceRequest.FromString(request.get_data()).resource_spans:
            about = {item.key: item.value.string_value for item in resource.resource.attributes}
            assert about["service.name"] == "hrims-sync"
            for scope in resource.scope_spans:
                found += [Span(span, about["hrims.process"]) for span in scope.spans]
    return found


def test_a_trace_from_the_click_to_each_page(world: World, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v1/traces").respond_with_data(b"")
    world.settings |= QUICK | {"OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for("")}
    with Served(world.folder, world.settings) as web:
        world.start_worker()
        token = add_machine(world.conn, "nightly", "administrator")
        [(institution,)] = world.rows("SELECT id FROM institutions WHERE vote_code = '001'")
        answer = httpx.post(
            f"{web.url}/api/hrims/fetch-by-institution",
            json={
                "institutionId": institution,
                "identifierType": "votecode",
                "voteNumber": "001",
                "pageSize": 25,
            },
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        run = world.wait_for_end(int(answer.json()["jobId"]))
        wanted = {"attempt sync", "POST /api/hrims/fetch-by-institution"}
        wait_until(lambda: wanted <= {span.name for span in received(httpserver)})
    spans = received(httpserver)
    [click] = [span for span in spans if span.process == "web" and span.name.startswith("POST ")]
    [attempt] = [span for span in spans if span.name == "attempt sync"]
    assert (click.parent, attempt.parent) == (b"", click.id)
    assert attempt.process == "worker"
    assert attempt.attributes["hrims.run"] == run.id
    pages = [span for span in spans if span.name == "save page"]
    requests = [span for span in spans if span.name == "HRIMS votecode"]
    assert sorted(span.attributes.get("hrims.page", 0) for span in pages) == list(range(10))
    assert {*range(10)} <= {span.attributes.get("hrims.page", 0) for span in requests}
    assert {span.trace for span in [*pages, *requests, attempt]} == {click.trace}


def envelopes(httpserver: HTTPServer) -> list[dict[str, Any]]:
    """Return the events that Sentry's receiver got."""
    found = []
    for request, _ in httpserver.log:
        data = request.get_data()
        body = gzip.decompress(data) if request.headers.get("Content-Encoding") == "gzip" else data
        lines = [json.loads(line) for line in body.decode().splitlines()]
        found += [content for header, content in pairwise(lines) if header.get("type") == "event"]
    return found


def test_a_defect_is_reported_without_data(world: World, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/1/envelope/").respond_with_json({"id": "1"})
    dsn = httpserver.url_for("/1").replace("://", "://public@")
    world.settings |= {"SENTRY_DSN": dsn, "HRIMS_ATTEMPTS": "1", "SENTRY_ENVIRONMENT": "test"}
    # Every page is refused with an error whose text repeats the row.
    execute_as_owner(world.conn, "ALTER TABLE employees ADD CONSTRAINT refused CHECK (name = '')")
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.state, run.trouble_code) == ("failed", "database")
    wait_until(lambda: envelopes(httpserver))
    report = envelopes(httpserver)[0]
    assert report["tags"]["event"] == "attempt_failed"
    assert report["tags"]["run"] == str(run.id)
    assert report["tags"]["attempt"] == "1"
    assert report["environment"] == "test"
    names = [person["name"] for person in world.simulator.people(vote="001")]
    text = json.dumps(envelopes(httpserver))
    assert not [name for name in names if name in text]
