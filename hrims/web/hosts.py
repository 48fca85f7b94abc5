"""Which hosts are served: a request's Host header comes in; a request for another host leaves with 400."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request

from hrims.config.values import HOST_NAME
from hrims.errors import InvalidInput

PORT = re.compile(r"(?::(\d{1,5}))?")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Served under every setting, so that probes on the same machine need no name."""

REFUSED = "hrims.host_refused"

WORDS = "The Host header of this request names no host that is served here. Nothing was changed."

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def prepare(app: Flask, hosts: frozenset[str]) -> None:
    """Refuse every request for a host that is malformed, or that ``hosts`` does not name if it names any."""
    inner: Wsgi = app.wsgi_app

    def check(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Before Flask sees the name: one that it cannot parse leaves it without addresses for an error page.
        if not is_served(environ.get("HTTP_HOST"), hosts):
            environ["HTTP_HOST"], environ[REFUSED] = "localhost", True
        return inner(environ, start_response)

    app.wsgi_app = check  # type: ignore[method-assign] # Flask's own way
    app.before_request(_refuse)


def is_served(host: str | None, hosts: frozenset[str]) -> bool:
    """Return whether a Host header names a host that is served; probes that omit it are served."""
    if host is None:
        return True
    name = HOST_NAME.match(host)
    port = PORT.fullmatch(host, name.end()) if name else None
    if name is None or port is None or not 0 < int(port[1] or 80) < 65536:
        return False
    return not hosts or name[0].lower().rstrip(".") in hosts | LOOPBACK


def _refuse() -> None:
    if REFUSED in request.environ:
        raise InvalidInput(WORDS, "bad_host")
