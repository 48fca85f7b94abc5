"""All settings: for each its variable, its type with bounds, its default and a one-line description."""

from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from hrims.config.sign_in import SignInSettings
from hrims.config.values import (
    encryption_keys,
    folder,
    long_text,
    pool_name,
    postgres_url,
    url,
    yes_or_no,
    zone,
)
from hrims.config.variables import list_variables, setting
from hrims.errors import ConfigError
from hrims.installation import DEFAULT_STATE_DIR


class Settings(SignInSettings, frozen=True, kw_only=True):
    """All settings, typed. ``repr`` omits secrets."""

    # Locations
    database_url: Annotated[
        str | None,
        setting(
            "DATABASE_URL", "Postgres to use; without it, an embedded one", prepare=postgres_url, secret=True
        ),
    ] = None
    state_dir: Annotated[Path, setting("HRIMS_STATE_DIR", "where embedded data lives", prepare=folder)] = (
        DEFAULT_STATE_DIR
    )
    user: Annotated[
        str | None, setting("HRIMS_USER", "user that commands act as; without it, that of your login name")
    ] = None

    # HRIMS
    base_url: Annotated[
        str | None, setting("HRIMS_BASE_URL", "address of HRIMS; without it, that of the page", prepare=url)
    ] = None
    api_key: Annotated[str, setting("HRIMS_API_KEY", "HRIMS' ApiKey header", secret=True)] = ""
    token: Annotated[str, setting("HRIMS_TOKEN", "HRIMS' Token header", secret=True)] = ""
    connect_timeout: Annotated[
        float, setting("HRIMS_CONNECT_TIMEOUT", "seconds to reach HRIMS", ge=0.1, le=600)
    ] = 10.0
    read_timeout: Annotated[
        float, setting("HRIMS_READ_TIMEOUT", "seconds of silence from HRIMS", ge=0.1, le=3600)
    ] = 125.0
    request_timeout: Annotated[
        float, setting("HRIMS_REQUEST_TIMEOUT", "seconds for a whole answer", ge=0.1, le=3600)
    ] = 150.0
    max_response_mb: Annotated[
        int, setting("HRIMS_MAX_RESPONSE_MB", "largest answer that is read, in MB", ge=1, le=1024)
    ] = 16
    page_tries: Annotated[
        int,
        setting(
            "HRIMS_PAGE_TRIES",
            "tries of a page in one attempt; where others are answered, it is split after 3",
            ge=1,
            le=20,
        ),
    ] = 5
    page_pause: Annotated[
        float,
        setting(
            "HRIMS_PAGE_PAUSE", "seconds before a failed page is asked for again, doubling", ge=0, le=600
        ),
    ] = 2.0

    edges_after: Annotated[
        float,
        setting(
            "HRIMS_EDGES_AFTER",
            "seconds of reading after which the edges between pages are looked at again",
            ge=0,
            le=86400,
        ),
    ] = 60.0
    max_in_flight: Annotated[
        int,
        setting("HRIMS_MAX_IN_FLIGHT", "requests in flight to HRIMS at once, over all workers", ge=1, le=100),
    ] = 4
    probe_pause: Annotated[
        float,
        setting(
            "HRIMS_PROBE_PAUSE",
            "seconds before HRIMS, when it is down, is probed again, doubling",
            ge=0,
            le=600,
        ),
    ] = 15.0

    # Runs and workers
    attempts: Annotated[
        int, setting("HRIMS_ATTEMPTS", "attempts of a run before it has failed", ge=1, le=50)
    ] = 3
    attempt_pause: Annotated[
        float, setting("HRIMS_ATTEMPT_PAUSE", "seconds before the second attempt, doubling", ge=0, le=3600)
    ] = 5.0
    starts_per_minute: Annotated[
        int,
        setting(
            "HRIMS_STARTS_PER_MINUTE",
            "runs started in any minute, over all workers; a person may change it while they run",
            ge=1,
            le=10000,
        ),
    ] = 5
    concurrency: Annotated[int, setting("HRIMS_CONCURRENCY", "runs at once in one worker", ge=1, le=50)] = 2
    pool: Annotated[
        str | None,
        setting(
            "HRIMS_POOL",
            "pool that a worker serves, as does `hrims worker --pool`; without it, institutions of none",
            prepare=pool_name,
        ),
    ] = None
    beat_seconds: Annotated[
        float, setting("HRIMS_BEAT_SECONDS", "seconds between two signs of life of a worker", ge=0.1, le=60)
    ] = 5.0
    silent_seconds: Annotated[
        float,
        setting(
            "HRIMS_SILENT_SECONDS", "seconds of silence after which a worker is thought dead", ge=0.5, le=600
        ),
    ] = 20.0
    stop_seconds: Annotated[
        float,
        setting(
            "HRIMS_STOP_SECONDS", "seconds that a stopping worker gives its pages in flight", ge=0, le=600
        ),
    ] = 10.0

    # Retention
    keep_finished_hours: Annotated[
        int,
        setting(
            "HRIMS_KEEP_FINISHED_HOURS", "hours after which finished jobs leave the queue", ge=1, le=87600
        ),
    ] = 24
    keep_failed_days: Annotated[
        int, setting("HRIMS_KEEP_FAILED_DAYS", "days after which failed jobs leave the queue", ge=1, le=3650)
    ] = 7
    keep_details_days: Annotated[
        int,
        setting(
            "HRIMS_KEEP_DETAILS_DAYS",
            "days after which the pages, rejects and logs of a run are deleted; its summary stays",
            ge=1,
            le=3650,
        ),
    ] = 90

    # Leavers
    leave_after: Annotated[
        int,
        setting(
            "HRIMS_LEAVE_AFTER",
            "complete runs in a row that must miss an employee before they leave",
            ge=1,
            le=100,
        ),
    ] = 2
    leavers_most: Annotated[
        int, setting("HRIMS_LEAVERS_MOST", "leavers at the same time that need no approval", ge=0, le=1000000)
    ] = 20
    leavers_share: Annotated[
        float,
        setting(
            "HRIMS_LEAVERS_SHARE", "per cent of a list that may leave so, from 4 people on", ge=0, le=100
        ),
    ] = 5.0

    # Previews
    preview_days: Annotated[
        int,
        setting(
            "HRIMS_PREVIEW_DAYS", "days after which a preview that was not applied is emptied", ge=1, le=365
        ),
    ] = 7

    # Webhooks
    webhook_private: Annotated[
        bool,
        setting(
            "HRIMS_WEBHOOK_PRIVATE",
            "yes sends webhooks to private and local addresses too",
            prepare=yes_or_no,
        ),
    ] = False

    # Users
    admin_password: Annotated[
        str | None,
        setting("HRIMS_ADMIN_PASSWORD", "the first administrator's; else generated and printed", secret=True),
    ] = None
    secret_key: Annotated[
        str | None,
        setting(
            "SECRET_KEY",
            "signs forms; else one made at first start and kept in the database",
            prepare=long_text,
            secret=True,
        ),
    ] = None
    encryption_key: Annotated[
        str | None,
        setting(
            "HRIMS_ENCRYPTION_KEY",
            "keys that encrypt stored secrets, separated by commas; the first one encrypts",
            prepare=encryption_keys,
            secret=True,
        ),
    ] = None
    https_only: Annotated[
        bool,
        setting("HRIMS_HTTPS_ONLY", "yes behind TLS: cookies are sent over HTTPS alone", prepare=yes_or_no),
    ] = False

    time_zone: Annotated[
        ZoneInfo, setting("HRIMS_TIME_ZONE", "time zone in which pages show times", prepare=zone)
    ] = ZoneInfo("Africa/Dar_es_Salaam")

    given: frozenset[str] = frozenset()
    """The fields that the environment sets."""

    def __post_init__(self) -> None:
        if self.silent_seconds < 2 * self.beat_seconds:
            raise ConfigError(
                "HRIMS_SILENT_SECONDS must be at least twice HRIMS_BEAT_SECONDS, "
                "or workers that are well are thought dead. Nothing was started."
            )
        super().__post_init__()

    def __repr__(self) -> str:
        shown = (f"{item.field}={getattr(self, item.field)!r}" for item in VARIABLES if not item.is_secret)
        return f"Settings({', '.join(shown)})"


VARIABLES: Final = list_variables(Settings)
"""The variables of all settings, in their order."""
