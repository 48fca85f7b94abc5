"""SQL of the story of a request id. Each function runs inside its caller's transaction."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hrims.db import Connection, statements

SQL = statements(Path(__file__).with_name("story.sql"))


class Event(NamedTuple):
    """Something that happened: when, where it is recorded, and what it was. It has no personal data."""

    at: datetime
    source: str
    text: str


def read_story(conn: Connection, request_id: str) -> Iterator[Event]:
    """Yield the events of a request id, oldest first."""
    for row in conn.execute(SQL["story"], {"id": request_id}):
        yield Event(*row)
