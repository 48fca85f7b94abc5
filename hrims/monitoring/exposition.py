"""Serves metrics. Input: the registries of a process. Output: the text format, and who may read it.

Web processes of one server share a folder, so that every scrape has the counts of all of them. A worker is
one process and serves its own port.
"""

import hmac
import os
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from hrims.config import Settings
from hrims.log import get_logger
from hrims.monitoring import shared_folder

REFUSED: Final = (
    "Metrics need a token. Send Authorization: Bearer with HRIMS_METRICS_TOKEN or a token of "
    "`hrims token add`, or set HRIMS_METRICS_OPEN=yes. Nothing was shown."
)

REFUSED_BY_WORKER: Final = (
    "Metrics need a token. Send Authorization: Bearer with HRIMS_METRICS_TOKEN, or set "
    "HRIMS_METRICS_OPEN=yes. Nothing was shown."
)

CLIENT_SECONDS: Final = 10.0
"""Seconds of silence after which a client of a worker's port is disconnected."""

log = get_logger(__name__)


def expose(collectors: Iterable[Collector]) -> bytes:
    """Return the metrics of this process, or of all that share its folder, and those of ``collectors``."""
    registry = CollectorRegistry()
    if os.environ.get(shared_folder.VARIABLE):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call] # untyped in prometheus_client
        own = generate_latest(registry)
    else:
        own = generate_latest(REGISTRY)
    return own + generate_latest(_registry_of(collectors))


def _registry_of(collectors: Iterable[Collector]) -> CollectorRegistry:
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return registry


def bearer_of(header: str) -> str:
    """Return the token of an Authorization header; empty if it has none."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def is_open_to(settings: Settings, token: str) -> bool:
    """Return whether the settings alone let a client with this token read the metrics."""
    if settings.metrics_open:
        return True
    expected = settings.metrics_token
    return bool(expected) and hmac.compare_digest(token.encode(), (expected or "").encode())


class _Handler(WSGIRequestHandler):
    def setup(self) -> None:
        """Disconnect a client that is silent for long."""
        super().setup()
        self.connection.settimeout(CLIENT_SECONDS)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the standard library
        """Log nothing: a scrape every few seconds is noise."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking DNS for the name of this host, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that is slow or disconnects."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Server6(_Server):
    address_family = socket.AF_INET6


def serve(settings: Settings, collectors: Iterable[Collector]) -> int | None:
    """Serve the metrics of a worker on its own port in a thread. Return the port; None if there is none.

    A port that is taken does not stop the worker: it is logged.
    """
    if not settings.metrics_port:
        return None
    try:
        server = make_server(
            settings.host,
            settings.metrics_port,
            _application(settings, list(collectors)),
            _Server6 if ":" in settings.host else _Server,
            _Handler,
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        log.warning("metrics_not_served", port=settings.metrics_port, error=reason)
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server.server_port


def _application(settings: Settings, collectors: list[Collector]) -> Callable[..., list[bytes]]:
    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ.get("PATH_INFO") not in {"/", "/metrics"}:
            return _answer(start_response, "404 Not Found", b"Metrics are at /metrics.\n")
        if not is_open_to(settings, bearer_of(environ.get("HTTP_AUTHORIZATION", ""))):
            return _answer(start_response, "401 Unauthorized", f"{REFUSED_BY_WORKER}\n".encode())
        return _answer(start_response, "200 OK", expose(collectors), CONTENT_TYPE_LATEST)

    return respond


def _answer(
    start_response: Callable[..., Any],
    status: str,
    body: bytes,
    content_type: str = "text/plain; charset=utf-8",
) -> list[bytes]:
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [body]
