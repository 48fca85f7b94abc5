"""The forms of pages that differ from the bodies of the API. Each field has its type and its bounds."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta, field

from hrims.batches.actions import BAD_INSTITUTIONS, MAX_SELECTED, Institutions
from hrims.errors import InvalidInput
from hrims.jobs.enqueue import PAGE_SIZE, IdentifierType, PageSize
from hrims.jobs.rate_limit.actions import StartsPerMinute
from hrims.jobs.rate_limit.priorities import NORMAL, Priority
from hrims.numbers import LARGEST
from hrims.people.searches import SearchText
from hrims.queries import Hint
from hrims.schedules import calendar
from hrims.schedules.request import TIME_ZONE, ClockTime, Cron, SpreadMinutes, TimeZone, TypedCron
from hrims.validation import UNCHANGED, Request
from hrims.web.core.bodies import InstitutionId, RejectsRequest, RetryFields


def to_header_value(text: str) -> str:
    """Return the text if an HTTP header can carry it as one word. Raises ValueError."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError
    return text


EMPTY_CRON: Final = "0 1 * * *"
"""The cron expression that an empty form shows."""

HOW_OFTEN: Final = {
    "message": "Say how often: every day, weekday, week or month, on a day from 1 to 28.",
    "code": "bad_every",
}

SelectedId = Annotated[
    int,
    Meta(ge=1, le=LARGEST, extra={"message": "Choose an institution first.", "code": "bad_institution_id"}),
]


class SearchForm(Request):
    """A search for people. An empty one searches nothing."""

    outcome: ClassVar[str] = ""

    words: SearchText = ""


class InstitutionForm(Request):
    """The institution that a form selects."""

    institution: SelectedId


class ShownInstitutionForm(Request):
    """The institution that the page of a refused form shows again."""

    institution: Hint = 0


class MappedForm(Request):
    """The institution to which the page showed a workplace as mapped."""

    institution: InstitutionId | None = None


class RunForm(RetryFields, kw_only=True):
    """A run for one institution whose identifier is that of the register."""

    outcome: ClassVar[str] = "Nothing was queued."

    identifier_type: IdentifierType
    institution: SelectedId
    page_size: PageSize = PAGE_SIZE
    priority: Priority = NORMAL


class ApplyForm(Request):
    """The version of the difference that the page showed. Without it nothing is applied."""

    outcome: ClassVar[str] = "Nothing was applied."

    version: Annotated[str, Meta(max_length=100)] = ""


class RejectsForm(RejectsRequest, kw_only=True):
    """The listing whose rejects are fetched again."""

    institution: SelectedId


class LimitForm(Request):
    """How many runs start per minute. An empty field restores the setting."""

    starts: StartsPerMinute | None = field(name="startsPerMinute", default=None)


HEADER_VALUE: Final = {
    "prepare": to_header_value,
    "expected": "1 to 1,000 letters, digits and signs of ASCII, without spaces",
}

Seconds = Annotated[float, Meta(ge=0.1, le=3600)]

HeaderValue = Annotated[str, Meta(max_length=1000, extra=HEADER_VALUE)]


class ConnectionForm(Request):
    """The HRIMS connection. An empty value falls back to the default, an empty credential stays as it is."""

    address: Annotated[str, Meta(max_length=2000)] | None = None
    connect_timeout: Annotated[float, Meta(ge=0.1, le=600)] | None = None
    read_timeout: Seconds | None = None
    request_timeout: Seconds | None = None
    max_in_flight: Annotated[int, Meta(ge=1, le=100)] | None = None
    api_key: HeaderValue | None = None
    token: HeaderValue | None = None
    remove_api_key: Literal["yes"] | None = None
    remove_token: Literal["yes"] | None = None


class SpreadForm(Request):
    """The minutes over which the runs of a schedule are spread."""

    spread: SpreadMinutes = field(name="spreadMinutes", default=0)


class SelectionForm(Request):
    """The institutions of a batch: all, those whose last run failed, or the checked ones."""

    wish: Annotated[Literal["all", "failed", "selection"], Meta(extra=BAD_INSTITUTIONS)]
    institution: Annotated[
        list[Annotated[int, Meta(ge=1, le=LARGEST)]], Meta(max_length=MAX_SELECTED, extra=BAD_INSTITUTIONS)
    ] = field(default_factory=list)

    @property
    def institutions(self) -> Institutions:
        """Return the selection. Raises InvalidInput if ids are checked but another choice is selected."""
        if self.wish == "selection":
            return self.institution
        if self.institution:
            raise InvalidInput(
                f"{len(self.institution):,} checked, but “Selected institutions” is not selected. Select it, "
                f"or uncheck them. {UNCHANGED}",
                "which_institutions",
            )
        return self.wish


class TimesForm(Request):
    """Which times a form states: the simple choice, or a cron expression.

    ``cron_was`` is the expression with which the form was shown.
    """

    when: Literal["plain", "cron"] = "plain"
    cron: TypedCron = ""
    cron_was: TypedCron = ""
    time_zone: TimeZone = TIME_ZONE

    def check_cron_is_meant(self) -> None:
        """Raise InvalidInput if a cron expression was typed but the simple choice is selected."""
        if self.when == "plain" and self.cron not in {"", EMPTY_CRON, self.cron_was}:
            raise InvalidInput(
                "A cron expression was entered, but “Simple” is selected. Select “Cron expression”, or clear "
                f"it. {UNCHANGED}",
                "which_times",
            )


class CronForm(Request):
    """A cron expression."""

    cron: Cron


class SimpleForm(Request):
    """A simple choice of times. ``weekday`` counts from 0, Sunday."""

    at: Annotated[
        ClockTime, Meta(extra={"missing": "bad_at", "missing_message": "Say at which time, like 01:30."})
    ]
    every: Annotated[Literal["day", "weekday", "week", "month"], Meta(extra=HOW_OFTEN)]
    weekday: Annotated[int, Meta(ge=0, le=6, extra=HOW_OFTEN)] = 0
    day: Annotated[int, Meta(ge=1, le=28, extra=HOW_OFTEN)] = 1

    @classmethod
    def select_fields(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        """Return the fields with the day of a chosen week or month, which is required, and without others."""
        needed = {"week": "weekday", "month": "day"}.get(str(given.get("every")))
        fields = {name: value for name, value in given.items() if name not in {"weekday", "day"}}
        return fields | ({needed: given.get(needed)} if needed else {})

    @property
    def cron(self) -> str:
        """Return the cron expression."""
        return calendar.build_cron(self.every, self.at, self.weekday if self.every == "week" else self.day)
