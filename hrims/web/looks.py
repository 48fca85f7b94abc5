"""What templates use beside their values: moments in words, the page's frame."""

import functools
import re
from datetime import datetime
from importlib import metadata
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g
from jinja2 import StrictUndefined

LABELS = {
    "attemptPause": "“Seconds before the second attempt”",
    "deadlineMinutes": "“Deadline, in minutes”",
    "missed": "“A time that was missed”",
    "name": "The name",
    "pageSize": "The page size",
    "pool": "The pool",
    "priority": "The priority",
    "attempts": "“Attempts”",
    "quietFrom": "“Quiet from”",
    "quietUntil": "“Quiet until”",
    "spreadMinutes": "“Spread over minutes”",
    "startsPerMinute": "“Runs that start in any minute”",
    "timeZone": "The time zone",
}
"""What the pages call the API's fields."""

FIELD = re.compile(rf"^({'|'.join(LABELS)})(?= must )")

VERSION = metadata.version("hrims-sync")


def prepare(app: Flask, zone: ZoneInfo) -> None:
    """Sets an app's templates up."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters["moment"] = functools.partial(moment, zone=zone)
    env.filters["clock"] = functools.partial(clock, zone=zone)
    env.filters["by_label"] = by_label
    env.globals.update(version=VERSION)
    app.context_processor(_frame)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment as people there read it: ``23 Nov 2026, 19:05 EAT``."""
    return f"{at.astimezone(zone):%-d %b %Y, %H:%M %Z}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """The time of day alone, for what is near: ``19:05``."""
    return f"{at.astimezone(zone):%H:%M}"


def by_label(refused: str) -> str:
    """A refusal, which begins with the API's name of a field, as the reader of a form knows that field."""
    return FIELD.sub(lambda field: LABELS[field[1]], refused)


def _frame() -> dict[str, Any]:
    return {"who": g.get("who")}
