"""Static files: the folder comes in, read once at start-up; each file goes out under one address with the
hash of its content, compressed for clients that accept it.
"""

import functools
import gzip
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from flask import Flask, Response, abort, request, url_for

from hrims.config import PROJECT

FOLDER = PROJECT / "static"

ENDPOINT = "static"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
"""Types that are served; other files in the folder are for its maintainers."""

HASH_LENGTH = 16
"""Hexadecimal digits of a content hash in an address."""


class StaticFile(NamedTuple):
    """One file as it is served. ``gzipped`` is None where compression does not make it smaller."""

    content_type: str
    digest: str
    plain: bytes
    gzipped: bytes | None


def prepare(app: Flask) -> None:
    """Serve the folder under /static/."""
    files()
    app.add_url_rule("/static/<path:filename>", ENDPOINT, serve)
    app.jinja_env.globals["static_url"] = static_url


@functools.cache
def files() -> dict[str, StaticFile]:
    """Return every file by its name below the folder."""
    found = (path for path in sorted(FOLDER.rglob("*")) if path.is_file() and path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): _read(path) for path in found}


def static_url(name: str) -> str:
    """Return the address of a file, which changes with its content alone: browsers may keep it."""
    return url_for(ENDPOINT, filename=name, v=files()[name].digest)


def is_current(name: str, digest: str | None) -> bool:
    """Return whether an address carries the hash of the file as it is."""
    return name in files() and files()[name].digest == digest


def serve(filename: str) -> Response:
    """Return a file, whole: a Range is ignored, so that no part of one encoding is taken for another's."""
    file = files().get(filename)
    if file is None:
        abort(HTTPStatus.NOT_FOUND)
    zipped = file.gzipped is not None and request.accept_encodings.quality("gzip") > 0
    answer = Response(file.gzipped if zipped else file.plain, content_type=file.content_type)
    answer.set_etag(f"{file.digest}-gzip" if zipped else file.digest)
    if zipped:
        answer.content_encoding = "gzip"
    if file.gzipped is not None:
        answer.vary.add("Accept-Encoding")
    answer.headers["Accept-Ranges"] = "none"
    answer.make_conditional(request)
    return answer


def _read(path: Path) -> StaticFile:
    plain = path.read_bytes()
    # Without a time, so that all web processes send the same bytes under the same ETag.
    gzipped = gzip.compress(plain, mtime=0)
    digest = hashlib.sha256(plain).hexdigest()[:HASH_LENGTH]
    return StaticFile(TYPES[path.suffix], digest, plain, gzipped if len(gzipped) < len(plain) else None)
