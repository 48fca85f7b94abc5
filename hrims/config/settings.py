"""Every setting: its variable, its type, its default and one line about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hrims.config.values import (
    between,
    folder,
    host_names,
    long_text,
    one_of,
    pool_name,
    postgres_url,
    text,
    url,
    whole,
    yes_or_no,
    zone,
)
from hrims.errors import ConfigError

PROJECT = Path(__file__).resolve().parent.parent.parent
"""The folder of this checkout: templates, static files and migrations stand here."""


def setting(name: str, parse: Callable[[str], Any], default: Any, about: str, *, secret: bool = False) -> Any:
    """One setting: its variable, how it is read, its default, and one line about it."""
    known = {"name": name, "parse": parse, "about": about, "secret": secret}
    return field(default=default, repr=not secret, metadata=known)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, typed. Secrets do not show in ``repr``."""

    # where things are
    database_url: str | None = setting(
        "DATABASE_URL",
        postgres_url,
        None,
        "Postgres to use; without it, an embedded one",
        secret=True,
    )
    state_dir: Path = setting(  # noqa: RUF009 - a path is as frozen as the other defaults
        "HRIMS_STATE_DIR", folder, PROJECT / ".hrims", "where embedded data lives"
    )
    host: str = setting("HRIMS_HOST", text, "127.0.0.1", "address on which the web process listens")
    port: int = setting("PORT", whole(1, 65535), 9002, "port on which the web process listens")

    # the remote
    base_url: str | None = setting("HRIMS_BASE_URL", url, None, "address of HRIMS; without it, the simulator")
    api_key: str = setting("HRIMS_API_KEY", text, "", "HRIMS' ApiKey header", secret=True)
    token: str = setting("HRIMS_TOKEN", text, "", "HRIMS' Token header", secret=True)
    connect_timeout: float = setting(
        "HRIMS_CONNECT_TIMEOUT", between(0.1, 600), 10.0, "seconds to reach HRIMS"
    )
    read_timeout: float = setting(
        "HRIMS_READ_TIMEOUT", between(0.1, 3600), 125.0, "seconds of silence from HRIMS"
    )
    request_timeout: float = setting(
        "HRIMS_REQUEST_TIMEOUT", between(0.1, 3600), 150.0, "seconds for a whole answer"
    )
    max_response_mb: int = setting(
        "HRIMS_MAX_RESPONSE_MB", whole(1, 1024), 16, "largest answer that is read, in MB"
    )
    page_tries: int = setting(
        "HRIMS_PAGE_TRIES",
        whole(1, 20),
        5,
        "tries of a page in one attempt; where others are answered, it is split after 3",
    )
    page_pause: float = setting(
        "HRIMS_PAGE_PAUSE",
        between(0, 600),
        2.0,
        "seconds before a failed page is asked for again, doubling",
    )

    edges_after: float = setting(
        "HRIMS_EDGES_AFTER",
        between(0, 86400),
        60.0,
        "seconds of reading after which the edges between pages are looked at again",
    )
    max_in_flight: int = setting(
        "HRIMS_MAX_IN_FLIGHT", whole(1, 100), 4, "requests in flight to HRIMS at once, over all workers"
    )
    probe_pause: float = setting(
        "HRIMS_PROBE_PAUSE",
        between(0, 600),
        15.0,
        "seconds before HRIMS, when it is down, is probed again, doubling",
    )

    # runs and workers
    attempts: int = setting("HRIMS_ATTEMPTS", whole(1, 50), 3, "attempts of a run before it has failed")
    attempt_pause: float = setting(
        "HRIMS_ATTEMPT_PAUSE", between(0, 3600), 5.0, "seconds before the second attempt, doubling"
    )
    starts_per_minute: int = setting(
        "HRIMS_STARTS_PER_MINUTE",
        whole(1, 10_000),
        5,
        "runs started in any minute, over all workers; a person may change it while they run",
    )
    concurrency: int = setting("HRIMS_CONCURRENCY", whole(1, 50), 2, "runs at once in one worker")
    pool: str | None = setting(
        "HRIMS_POOL",
        pool_name,
        None,
        "pool that a worker serves, as does `hrims worker --pool`; without it, institutions of none",
    )
    beat_seconds: float = setting(
        "HRIMS_BEAT_SECONDS",
        between(0.1, 60),
        5.0,
        "seconds between two signs of life of a worker",
    )
    silent_seconds: float = setting(
        "HRIMS_SILENT_SECONDS",
        between(0.5, 600),
        20.0,
        "seconds of silence after which a worker is thought dead",
    )
    stop_seconds: float = setting(
        "HRIMS_STOP_SECONDS",
        between(0, 600),
        10.0,
        "seconds that a stopping worker gives its pages in flight",
    )

    # how long what is kept
    keep_finished_hours: int = setting(
        "HRIMS_KEEP_FINISHED_HOURS", whole(1, 87_600), 24, "hours after which finished jobs leave the queue"
    )
    keep_failed_days: int = setting(
        "HRIMS_KEEP_FAILED_DAYS", whole(1, 3650), 7, "days after which failed jobs leave the queue"
    )
    keep_details_days: int = setting(
        "HRIMS_KEEP_DETAILS_DAYS",
        whole(1, 3650),
        90,
        "days after which the pages, rejects and logs of a run are deleted; its summary stays",
    )

    # who left
    leave_after: int = setting(
        "HRIMS_LEAVE_AFTER", whole(1, 100), 2, "complete runs in a row that miss somebody who then left"
    )
    leavers_most: int = setting(
        "HRIMS_LEAVERS_MOST", whole(0, 1_000_000), 20, "leavers at once that nobody need approve"
    )
    leavers_share: float = setting(
        "HRIMS_LEAVERS_SHARE", between(0, 100), 5.0, "per cent of a list that may leave so, from 4 people on"
    )

    # previews
    preview_days: int = setting(
        "HRIMS_PREVIEW_DAYS", whole(1, 365), 7, "days after which a preview that nobody applied is emptied"
    )

    # webhooks
    webhook_private: bool = setting(
        "HRIMS_WEBHOOK_PRIVATE", yes_or_no, False, "yes sends webhooks to private and local addresses too"
    )

    # people
    admin_password: str | None = setting(
        "HRIMS_ADMIN_PASSWORD",
        text,
        None,
        "the first administrator's; else generated and printed",
        secret=True,
    )
    secret_key: str | None = setting(
        "SECRET_KEY",
        long_text,
        None,
        "signs forms; else one made at first start and kept in the database",
        secret=True,
    )
    session_hours: float = setting(
        "HRIMS_SESSION_HOURS", between(0.1, 720), 12.0, "hours after which a sign-in ends"
    )
    https_only: bool = setting(
        "HRIMS_HTTPS_ONLY", yes_or_no, False, "yes behind TLS: cookies are sent over HTTPS alone"
    )

    time_zone: ZoneInfo = setting(  # noqa: RUF009 - a time zone is as frozen as the other defaults
        "HRIMS_TIME_ZONE", zone, ZoneInfo("Africa/Dar_es_Salaam"), "time zone in which pages show times"
    )

    # the web process
    web_processes: int = setting("HRIMS_WEB_PROCESSES", whole(1, 64), 1, "processes that answer pages")
    web_threads: int = setting("HRIMS_WEB_THREADS", whole(2, 500), 32, "threads in each of them")
    max_streams: int = setting(
        "HRIMS_MAX_STREAMS", whole(0, 500), 16, "event streams that one process holds open at once"
    )
    max_body_kb: int = setting("HRIMS_MAX_BODY_KB", whole(1, 102400), 256, "largest request body, in KB")
    trusted_proxies: int = setting(
        "HRIMS_TRUSTED_PROXIES",
        whole(0, 10),
        0,
        "proxies in front whose X-Forwarded-For is believed",
    )
    hosts: frozenset[str] = setting(
        "HRIMS_HOSTS",
        host_names,
        frozenset(),
        "host names that are served, separated by commas; without it, every one",
    )

    # logs
    log_level: str = setting(
        "HRIMS_LOG_LEVEL",
        one_of("debug", "info", "warning", "error"),
        "info",
        "least level that is logged",
    )
    log_format: str = setting("HRIMS_LOG_FORMAT", one_of("text", "json"), "text", "text or json")

    def __post_init__(self) -> None:
        if self.silent_seconds < 2 * self.beat_seconds:
            raise ConfigError(
                "HRIMS_SILENT_SECONDS must be at least twice HRIMS_BEAT_SECONDS, "
                "or workers that are well are thought dead. Nothing was started."
            )
        if self.max_streams >= self.web_threads:
            raise ConfigError(
                "HRIMS_MAX_STREAMS must be below HRIMS_WEB_THREADS, or streams take every thread "
                "and no page is answered. Nothing was started."
            )
