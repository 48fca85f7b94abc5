"""The filters, globals and context of all templates."""

import functools
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g
from jinja2 import StrictUndefined

from hrims.employees.fields import get_label
from hrims.employees.masking import HIDDEN
from hrims.installation import START_COMMAND
from hrims.version import VERSION
from hrims.web.core import guard, serializers, sign_in_checks
from hrims.web.core.browser_names import describe_browser

LABELS = {
    "address": "The address of HRIMS",
    "apiKey": "The API key",
    "connectTimeout": "“Seconds to connect”",
    "description": "“What it is for”",
    "url": "The web address",
    "why": "The reason",
    "attemptPause": "“Seconds before the second attempt”",
    "deadlineMinutes": "“Deadline, in minutes”",
    "missed": "“Missed runs”",
    "maxInFlight": "“Requests in flight”",
    "name": "The name",
    "pageSize": "The page size",
    "pool": "The pool",
    "priority": "The priority",
    "attempts": "“Attempts”",
    "readTimeout": "“Seconds without data”",
    "requestTimeout": "“Seconds for an answer”",
    "quietFrom": "“Quiet from”",
    "quietUntil": "“Quiet until”",
    "spreadMinutes": "“Spread over minutes”",
    "startsPerMinute": "“Runs started per minute”",
    "token": "The token",
    "timeZone": "The time zone",
}
"""The labels that pages use for the fields of the API."""

FIELD = re.compile(rf"^({'|'.join(LABELS)})(?= must )")


def configure(app: Flask, zone: ZoneInfo) -> None:
    """Configure the template environment of an app."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = env.lstrip_blocks = True
    env.filters["moment"] = functools.partial(moment, zone=zone)
    env.filters["clock"] = functools.partial(clock, zone=zone)
    env.filters["by_label"] = by_label
    env.filters["field_label"] = get_label
    env.filters["browser"] = describe_browser
    env.filters["person_name"] = person_name
    env.filters["webhook_url"] = serializers.webhook_url
    env.globals.update(version=VERSION, start_command=START_COMMAND, hidden=HIDDEN)
    app.context_processor(_add_user)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Format a timestamp in the time zone: ``23 Nov 2026, 19:05 EAT``."""
    return f"{at.astimezone(zone):%-d %b %Y, %H:%M %Z}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Format the time of day only, for near times: ``19:05``."""
    return f"{at.astimezone(zone):%H:%M}"


def person_name(person: Mapping[str, Any]) -> str:
    """Return the name of an employee for links and headings; the number here if the name is hidden."""
    if person["name"] == HIDDEN:
        return f"Person {person['id']}"
    return person["name"] or "(no name)"


def by_label(message: str) -> str:
    """Replace the API field at the start of a refusal by its label in the form."""
    return FIELD.sub(lambda field: LABELS[field[1]], message)


def _add_user() -> dict[str, Any]:
    is_restricted = sign_in_checks.must_change_password()
    return {"user": g.get("client"), "can_use": guard.can_use, "is_restricted": is_restricted}
