"""Parser of server-sent events. Input: the lines of a response. Output: each event's name and data."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

Event = tuple[str, dict[str, Any]]


def parse_events(lines: Iterable[str]) -> Iterator[Event]:
    """Yield each event once its lines have arrived."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
