"""The body of a request for a schedule. Each field has its type and its bounds."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from hrims.batches.actions import Institutions
from hrims.jobs.enqueue import PAGE_SIZE, IdentifierType, PageSize
from hrims.jobs.rate_limit.priorities import Priority
from hrims.schedules import calendar
from hrims.validation import Request, to_single_line

TIME_ZONE: Final = "Africa/Dar_es_Salaam"

Name = Annotated[str, Meta(min_length=1, max_length=80, extra={"prepare": to_single_line})]

TypedCron = Annotated[
    str, Meta(max_length=calendar.MAX_CRON_LENGTH, extra={"message": calendar.BAD_LENGTH, "code": "bad_cron"})
]
"""A cron expression that is not parsed yet."""

Cron = Annotated[TypedCron, Meta(extra={"prepare": calendar.parse_cron})]

TimeZone = Annotated[
    str, Meta(max_length=64, extra={"expected": "a name like Africa/Dar_es_Salaam", "code": "bad_time_zone"})
]

SpreadMinutes = Annotated[int, Meta(ge=0, le=1440)]

ClockTime = Annotated[
    str,
    Meta(
        pattern="^(([01][0-9]|2[0-3]):[0-5][0-9](:00)?)?$",
        extra={"prepare": str.strip, "expected": "a time like 22:00", "code": "bad_time"},
    ),
]
"""A time of day. An empty one means none."""


class ScheduleRequest(Request, kw_only=True):
    """A schedule of batches. The priority is low: users wait for single runs, not for a nightly batch."""

    cron: Cron
    name: Name
    time_zone: TimeZone = TIME_ZONE
    institutions: Institutions = "all"
    identifier_type: IdentifierType | None = None
    page_size: PageSize = PAGE_SIZE
    priority: Priority = "low"
    spread_minutes: SpreadMinutes = 0
    missed: Literal["skip", "once"] = "once"
    quiet_from: ClockTime | None = None
    quiet_until: ClockTime | None = None


class ChangedScheduleRequest(ScheduleRequest, kw_only=True):
    """All fields of a schedule; omitted ones get their defaults.

    The institutions are required: a default would turn a selection into the whole register.
    """

    institutions: Annotated[Institutions, Meta(extra={"missing": "no_institutions"})]


DEFAULTS: Final = ScheduleRequest(name="", cron="")
"""The values of omitted fields."""
