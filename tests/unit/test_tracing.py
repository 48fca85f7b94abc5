"""Spans: parents, attributes and errors, with the in-memory exporter of OpenTelemetry."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from hrims import tracing
from hrims.config import load
from hrims.errors import ConfigError, RemoteTimeout


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Provide the spans of this test."""
    exporter = InMemorySpanExporter()
    tracing.use(SimpleSpanProcessor(exporter), "test")
    yield exporter
    tracing.disable()


def by_name(exporter: InMemorySpanExporter) -> dict[str, Any]:
    """Return the finished spans by name."""
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_trace_continues_from_another_process(spans: InMemorySpanExporter) -> None:
    with tracing.span("request", "SERVER"):
        parent = tracing.current()
    assert parent
    with tracing.span("attempt", "CONSUMER", parent, run=7), tracing.span("page"):
        pass
    found = by_name(spans)
    request, attempt, page = found["request"], found["attempt"], found["page"]
    assert attempt.parent.span_id == request.context.span_id
    assert page.parent.span_id == attempt.context.span_id
    assert page.context.trace_id == request.context.trace_id
    assert dict(attempt.attributes) == {"hrims.run": 7}


def test_attributes_that_are_none_are_left_out(spans: InMemorySpanExporter) -> None:
    with tracing.span("page", page=3, total=None) as add:
        add(people=5, nothing=None)
    assert dict(by_name(spans)["page"].attributes) == {"hrims.page": 3, "hrims.people": 5}


def test_an_error_has_its_code_and_not_its_message(spans: InMemorySpanExporter) -> None:
    with pytest.raises(RemoteTimeout), tracing.span("page"):
        raise RemoteTimeout("Juma Hassan 19800101")
    span = by_name(spans)["page"]
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes) == {"error.type": "RemoteTimeout", "hrims.code": RemoteTimeout.code}
    assert "Juma" not in span.to_json()


def test_without_configuration_nothing_is_made() -> None:
    with tracing.span("page", page=3) as add:
        add(people=5)
        assert tracing.current() is None


@pytest.mark.parametrize("parent", ["", "nonsense", "00-0-0-0"])
def test_a_parent_that_is_none_begins_a_trace(spans: InMemorySpanExporter, parent: str) -> None:
    with tracing.span("attempt", parent=parent):
        assert tracing.current()
    assert by_name(spans)["attempt"].parent is None


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python refuses to import a module whose entry is None."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    settings = load({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    with pytest.raises(ConfigError, match=r"Install hrims-sync\[otel\]"):
        tracing.configure(settings, "worker")
