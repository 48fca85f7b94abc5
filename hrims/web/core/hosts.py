"""Check of the Host header. Input: a request. Output: status 400 if the host is not served here."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request

from hrims.config.values import HOST_NAME
from hrims.errors import InvalidInput

PORT = re.compile(r"(?::(\d{1,5}))?")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Allowed under every setting, so that probes on the same machine need no name."""

REFUSED_KEY = "hrims.host_refused"

MESSAGE = "The Host header names a host that is not served here. Nothing was changed."

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def prepare(app: Flask, hosts: frozenset[str]) -> None:
    """Refuse a request if its host is malformed or not served. Empty ``hosts`` serve every host."""
    inner: Wsgi = app.wsgi_app

    def check(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Before Flask reads the name: with a name that it cannot parse, it cannot build the URLs of an
        # error page.
        if not is_served(environ.get("HTTP_HOST"), hosts):
            environ["HTTP_HOST"], environ[REFUSED_KEY] = "localhost", True
        return inner(environ, start_response)

    app.wsgi_app = check  # type: ignore[method-assign] # documented by Flask
    app.before_request(_refuse)


def is_served(host: str | None, hosts: frozenset[str]) -> bool:
    """Return whether a Host header names a served host. A missing header, as of probes, is accepted."""
    if host is None:
        return True
    name = HOST_NAME.match(host)
    port = PORT.fullmatch(host, name.end()) if name else None
    if name is None or port is None or not 0 < int(port[1] or 80) < 65536:
        return False
    return not hosts or name[0].lower().rstrip(".") in hosts | LOOPBACK


def _refuse() -> None:
    if REFUSED_KEY in request.environ:
        raise InvalidInput(MESSAGE, "bad_host")
