"""The span of a request: what names it, and when it has failed."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hrims import tracing
from hrims.db import Connection
from tests.web.browsers import Browser

away = pytest.mark.parametrize("environment", [{"DATABASE_URL": "host=127.0.0.1 port=1"}], indirect=True)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Provide the spans of this test."""
    exporter = InMemorySpanExporter()
    tracing.use(SimpleSpanProcessor(exporter), "test")
    yield exporter
    tracing.disable()


def test_a_request(client: Browser, conn: Connection, spans: InMemorySpanExporter) -> None:
    client.get("/sign-in")
    [span] = spans.get_finished_spans()
    assert (span.name, span.status.status_code) == ("GET /sign-in", StatusCode.UNSET)


@away
def test_a_request_that_fails(client: Browser, spans: InMemorySpanExporter) -> None:
    assert client.get("/sign-in").status_code == 503
    [span] = spans.get_finished_spans()
    assert span.attributes
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "503")


def test_a_client_names_no_span(client: Browser, conn: Connection, spans: InMemorySpanExporter) -> None:
    client.open("/Amina", method="AMINA")
    [span] = spans.get_finished_spans()
    assert span.name == "other unmatched"
    assert "amina" not in span.to_json().lower()
