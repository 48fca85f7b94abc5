"""Static files. Input: the folder, read once at start-up. Output: each file under one URL.

The URL has the hash of the file's content. A file is compressed for clients that accept it.
"""

import functools
import gzip
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from flask import Flask, Response, abort, request, url_for

from hrims.installation import STATIC

ENDPOINT = "static_files.serve"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""File types that are served; other files in the folder are for its maintainers."""

HASH_LENGTH = 16
"""Hexadecimal digits of a content hash in a URL."""


class StaticFile(NamedTuple):
    """One served file. ``gzipped`` is None if compression does not make it smaller."""

    content_type: str
    digest: str
    plain: bytes
    gzipped: bytes | None


def prepare(app: Flask) -> None:
    """Read the files and give templates their URLs."""
    files()
    app.jinja_env.globals["static_url"] = static_url


@functools.cache
def files() -> dict[str, StaticFile]:
    """Return every file by its name relative to the folder."""
    paths = (path for path in sorted(STATIC.rglob("*")) if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(STATIC).as_posix(): _read(path) for path in paths}


def static_url(name: str) -> str:
    """Return the URL of a file. It changes only with the content, so browsers may cache it."""
    return url_for(ENDPOINT, filename=name, v=files()[name].digest)


def is_current(name: str, digest: str | None) -> bool:
    """Return whether a URL carries the hash of the current file."""
    return name in files() and files()[name].digest == digest


def serve(filename: str) -> Response:
    """Return the whole file. A Range is ignored, so that no client joins parts of two encodings."""
    file = files().get(filename)
    if file is None:
        abort(HTTPStatus.NOT_FOUND)
    is_gzipped = file.gzipped is not None and request.accept_encodings.quality("gzip") > 0
    response = Response(file.gzipped if is_gzipped else file.plain, content_type=file.content_type)
    response.set_etag(f"{file.digest}-gzip" if is_gzipped else file.digest)
    if is_gzipped:
        response.content_encoding = "gzip"
    if file.gzipped is not None:
        response.vary.add("Accept-Encoding")
    response.headers["Accept-Ranges"] = "none"
    response.make_conditional(request)
    return response


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    # Without a timestamp, so that all web processes send the same bytes under the same ETag.
    gzipped = gzip.compress(plain, mtime=0)
    digest = hashlib.sha256(plain).hexdigest()[:HASH_LENGTH]
    return StaticFile(TYPES[path.suffix], digest, plain, gzipped if len(gzipped) < len(plain) else None)
