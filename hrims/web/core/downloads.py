"""Downloads: a file is written whole and then sent, so that a slow client occupies no database connection."""

import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Final, cast

from flask import Response

CHUNK: Final = 64 * 1024
"""Bytes of a download sent at a time."""

IN_MEMORY: Final = 1024 * 1024
"""Bytes of a download kept in memory before it is written to a file."""


def send(write: Callable[[IO[bytes]], object], content_type: str, name: str) -> Response:
    """Return a response with what ``write`` writes into a temporary file, to be saved under this name."""
    file = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))  # noqa: SIM115 - closed after it is sent
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    answer = Response(_stream(file), content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.call_on_close(file.close)
    return answer


def _stream(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
