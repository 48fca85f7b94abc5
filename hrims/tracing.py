"""Traces of OpenTelemetry: from a request through its run to each request to HRIMS and each saved page.

Needs the extra ``otel`` and an endpoint (``OTEL_EXPORTER_OTLP_ENDPOINT``). Without them, a span does nothing.
Attributes are numbers, codes and names of institutions' runs, never personal data.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from hrims.config import Settings
from hrims.errors import ConfigError
from hrims.version import VERSION

Kind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]

Value = str | int | float | bool | None

AddAttributes = Callable[..., None]
"""Adds attributes to a span. Those that are None are left out."""

MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed. Install hrims-sync[otel], or "
    "unset it. Nothing was started."
)

PARENT = "traceparent"
"""The header, and the column of a run, that name the span from which a trace continues (W3C)."""

ERROR_TYPE = "error.type"
"""The attribute that names the error of a span that failed."""

_tracer: Any = None


def configure(settings: Settings, process: str) -> None:
    """Send the spans of this process to the endpoint of the settings. ``process`` is ``web`` or ``worker``.

    Call it after a fork. Raises ConfigError if the extra is missing.
    """
    if not settings.otel_endpoint or _tracer is not None:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - the extra may be missing
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the extra may be missing
    except ImportError:
        raise ConfigError(MISSING) from None
    endpoint = f"{settings.otel_endpoint.rstrip('/')}/v1/traces"
    use(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)), process)


def use(processor: Any, process: str) -> Any:
    """Send spans to a processor of OpenTelemetry. Return the provider."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the extra may be missing
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the extra may be missing

    global _tracer  # noqa: PLW0603 - one per process
    name = os.environ.get("OTEL_SERVICE_NAME", "hrims-sync")
    resource = Resource.create({"service.name": name, "service.version": VERSION, "hrims.process": process})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("hrims")
    return provider


def disable() -> None:
    """Stop making spans in this process."""
    global _tracer  # noqa: PLW0603 - one per process
    _tracer = None


@contextmanager
def span(
    name: str, kind: Kind = "INTERNAL", parent: str | None = None, **attributes: Value
) -> Iterator[AddAttributes]:
    """Make a span of the block. ``parent`` is a ``traceparent``; without it, the current span is the parent.

    An error is named by its type and code. Its message may repeat data.
    """
    if _tracer is None:
        yield _ignore
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - the extra may be missing

    with _tracer.start_as_current_span(
        name,
        context=_context_of(parent) if parent else None,
        kind=SpanKind[kind],
        attributes=_known(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield lambda **more: _add(made, more)
        except Exception as error:
            _add(made, {ERROR_TYPE: type(error).__name__, "code": getattr(error, "code", None)})
            raise


def _add(made: Any, attributes: Mapping[str, Value]) -> None:
    """Add attributes to a span. One with ERROR_TYPE has failed."""
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - the extra may be missing

    made.set_attributes(_known(attributes))
    if attributes.get(ERROR_TYPE) is not None:
        made.set_status(Status(StatusCode.ERROR))


def _ignore(**attributes: Value) -> None:
    """Add no attributes: no span was made."""


def current() -> str | None:
    """Return the ``traceparent`` of the current span; None if there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - the extra may be missing

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(PARENT)


def _context_of(parent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415 - the extra may be missing

    return TraceContextTextMapPropagator().extract({PARENT: parent})


def _known(attributes: Mapping[str, Value]) -> dict[str, str | int | float | bool]:
    return {
        name if "." in name else f"hrims.{name}": value
        for name, value in attributes.items()
        if value is not None
    }
