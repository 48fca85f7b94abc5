"""What commands print. Input: text, also of HRIMS and the database. Output: text that a terminal only shows.

A terminal obeys control characters: it hides lines, sets its title, types for its user. So each one but the
end of a line is shown as an escape, whichever module prints it.
"""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

from hrims.text import escaped


def escaped_lines(text: str) -> str:
    """Return a text with every control character but the end of a line as an escape."""
    return text if text.isprintable() else "\n".join(map(escaped, text.split("\n")))


class EscapedStream:
    """A stream that escapes what is written to it. ``raw`` is the stream itself, for progress bars."""

    def __init__(self, raw: TextIO) -> None:
        self.raw = raw

    def write(self, text: str) -> int:
        self.raw.write(escaped_lines(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.raw, name)


@contextlib.contextmanager
def escaped_output() -> Iterator[None]:
    """Escape what this process prints to standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", EscapedStream(raw_stream(stream))) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def raw_stream(stream: TextIO) -> TextIO:
    """Return the stream that does not escape. Give it no text of others that was not escaped."""
    return stream.raw if isinstance(stream, EscapedStream) else stream
