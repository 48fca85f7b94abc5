"""A WSGI application for tests of the web server. Input: any request. Output: what the path names."""

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import Any

LARGE = 8 * 1024 * 1024
"""Bytes of the response of /large: more than the buffers of the kernel and of the server hold."""

SLOW_SECONDS = 3.0
"""Seconds of the work for /slow: more than idle connections have when the process stops."""

CHUNK = b"x" * 65536


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Return a large or a late response, the digest of the body, or a refusal that leaves the body unread."""
    path = environ["PATH_INFO"]
    if path == "/unread":
        start_response("401 Unauthorized", [("Content-Length", "2")])
        return [b"no"]
    if path == "/slow":
        time.sleep(SLOW_SECONDS)
    body = environ["wsgi.input"].read()
    if path == "/large":
        start_response("200 OK", [("Content-Length", str(LARGE))])
        return (CHUNK for _ in range(LARGE // len(CHUNK)))
    content = f"{environ['wsgi.url_scheme']} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()
    start_response("200 OK", [("Content-Length", str(len(content)))])
    return [content]
