"""Check of the Host header. Input: a request. Output: status 400 if the host is not served here.

Served are the names of HRIMS_HOSTS, this machine's loopback names, and the IP address at which the connection
arrived. The last one is for probes, which know no name; a page of another site cannot make a browser send it
for a name that it controls.
"""

import ipaddress
import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request

from hrims.config.values import HOST_NAME
from hrims.errors import InvalidInput
from hrims.log import get_logger

PORT = re.compile(r"(?::(\d{1,5}))?")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Allowed under every setting, so that probes on the same machine need no name."""

REFUSED_KEY = "hrims.host_refused"

MESSAGE = (
    "The Host header names a host that is not served here. Nothing was changed. "
    "The operator can add it to the setting HRIMS_HOSTS."
)

LOG_SECONDS = 10.0
"""Minimum seconds between two lines of the log about refused hosts."""

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]

log = get_logger(__name__)


def prepare(app: Flask, hosts: frozenset[str]) -> None:
    """Refuse a request if its host is malformed or not served. ``hosts`` are names in small letters."""
    inner: Wsgi = app.wsgi_app
    refusals = RefusalLog()

    def check(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # Before Flask reads the name: with a name that it cannot parse, it cannot build the URLs of an
        # error page.
        named = environ.get("HTTP_HOST"), target_host(environ.get("RAW_URI", ""))
        refused = [host for host in named if not is_served(host, hosts, environ.get("SERVER_NAME", ""))]
        if refused:
            refusals.add(str(refused[0]))
            environ["HTTP_HOST"], environ[REFUSED_KEY] = "localhost", True
        return inner(environ, start_response)

    app.wsgi_app = check  # type: ignore[method-assign] # documented by Flask
    app.before_request(_refuse)


def is_served(host: str | None, hosts: frozenset[str], address: str) -> bool:
    """Return whether a Host header names a served host. A missing header, as of probes, is accepted.

    ``address`` is the IP address at which the connection arrived.
    """
    if host is None:
        return True
    name = HOST_NAME.match(host)
    port = PORT.fullmatch(host, name.end()) if name else None
    if name is None or port is None or not 0 < int(port[1] or 80) < 65536:
        return False
    given = name[0].lower().rstrip(".")
    return given in hosts | LOOPBACK or _is_address(given, address)


def target_host(target: str) -> str | None:
    """Return the host of a request target that is a whole URL. It takes precedence over the Host header."""
    if target.startswith(("/", "*")) or not target:
        return None
    try:
        return urlsplit(target).netloc
    except ValueError:
        return ""


def _is_address(given: str, address: str) -> bool:
    try:
        parsed = [ipaddress.ip_address(text.strip("[]").partition("%")[0]) for text in (given, address)]
    except ValueError:
        return False
    one, other = (getattr(ip, "ipv4_mapped", None) or ip for ip in parsed)
    return bool(one == other)


def _refuse() -> None:
    if REFUSED_KEY in request.environ:
        raise InvalidInput(MESSAGE, "bad_host")


class RefusalLog:
    """Logs refused hosts now and then, so that an operator sees a name that is missing in HRIMS_HOSTS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._logged_at = float("-inf")

    def add(self, host: str) -> None:
        """Count a refusal, and log it unless one was logged a moment ago. A malformed name is not shown."""
        with self._lock:
            self._count += 1
            if time.monotonic() < self._logged_at + LOG_SECONDS:
                return
            count, self._count, self._logged_at = self._count, 0, time.monotonic()
        name = HOST_NAME.match(host)
        log.warning("host_refused", host=name[0] if name else None, count=count)
