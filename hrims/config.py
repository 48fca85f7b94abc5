"""Every setting: read once from the environment, typed, refused loudly with a hint.

Each secret may also come from a file, named by the same variable with ``_FILE`` behind it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hrims.errors import ConfigError

PROJECT = Path(__file__).resolve().parent.parent
"""The folder of this checkout: templates, static files and migrations stand here."""


def _text(raw: str) -> str:
    return raw


def _long_text(raw: str) -> str:
    if len(raw) < 16:
        raise ValueError("give at least 16 characters that nobody can guess")
    return raw


def _folder(raw: str) -> Path:
    return Path(raw).expanduser().absolute()


def _url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give an address like https://hrims.example.go.tz/api")
    if parts.username or parts.password:
        raise ValueError("credentials go into HRIMS_API_KEY and HRIMS_TOKEN, not into the address")
    return raw.rstrip("/")


ONE_AT = re.compile(r"postgres(ql)?://[^@/?#]*@?[^@]*")


def _postgres_url(raw: str) -> str:
    if "://" in raw and not ONE_AT.fullmatch(raw):
        # Otherwise a part of the password would be taken for the host, and be repeated in errors.
        raise ValueError("give signs like @ / : in the password as %40 %2F %3A")
    if not raw.startswith(("postgres://", "postgresql://")) and "=" not in raw:
        raise ValueError("give an address like postgresql://user:password@host:5432/hrims")
    return raw


def _between(low: float, high: float) -> Callable[[str], float]:
    def parse(raw: str) -> float:
        value = float(raw)
        if not low <= value <= high:
            raise ValueError(f"give a number from {low:g} to {high:g}")
        return value

    return parse


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(raw)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError("give one of: " + ", ".join(words))
        return raw.lower()

    return parse


def _zone(raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("give a name like Africa/Dar_es_Salaam") from None


def _yes_or_no(raw: str) -> bool:
    if raw.lower() not in {"yes", "no", "true", "false", "1", "0"}:
        raise ValueError("give yes or no")
    return raw.lower() in {"yes", "true", "1"}


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
        _postgres_url,
        None,
        "Postgres to use; without it, an embedded one",
        secret=True,
    )
    state_dir: Path = setting(  # noqa: RUF009 - a path is as frozen as the other defaults
        "HRIMS_STATE_DIR", _folder, PROJECT / ".hrims", "where embedded data lives"
    )
    host: str = setting("HRIMS_HOST", _text, "127.0.0.1", "address on which the web process listens")
    port: int = setting("PORT", _whole(1, 65535), 9002, "port on which the web process listens")

    # the remote
    base_url: str | None = setting(
        "HRIMS_BASE_URL", _url, None, "address of HRIMS; without it, the simulator"
    )
    api_key: str = setting("HRIMS_API_KEY", _text, "", "HRIMS' ApiKey header", secret=True)
    token: str = setting("HRIMS_TOKEN", _text, "", "HRIMS' Token header", secret=True)
    connect_timeout: float = setting(
        "HRIMS_CONNECT_TIMEOUT", _between(0.1, 600), 10.0, "seconds to reach HRIMS"
    )
    read_timeout: float = setting(
        "HRIMS_READ_TIMEOUT", _between(0.1, 3600), 125.0, "seconds of silence from HRIMS"
    )
    request_timeout: float = setting(
        "HRIMS_REQUEST_TIMEOUT", _between(0.1, 3600), 150.0, "seconds for a whole answer"
    )
    max_response_mb: int = setting(
        "HRIMS_MAX_RESPONSE_MB", _whole(1, 1024), 16, "largest answer that is read, in MB"
    )
    page_tries: int = setting(
        "HRIMS_PAGE_TRIES", _whole(1, 20), 5, "times a page is asked for within one attempt"
    )
    page_pause: float = setting(
        "HRIMS_PAGE_PAUSE",
        _between(0, 600),
        2.0,
        "seconds before a failed page is asked for again, doubling",
    )

    max_in_flight: int = setting(
        "HRIMS_MAX_IN_FLIGHT", _whole(1, 100), 4, "requests in flight to HRIMS at once, over all workers"
    )
    probe_pause: float = setting(
        "HRIMS_PROBE_PAUSE",
        _between(0, 600),
        15.0,
        "seconds before HRIMS, when it is down, is probed again, doubling",
    )

    # runs and workers
    attempts: int = setting("HRIMS_ATTEMPTS", _whole(1, 50), 3, "attempts of a run before it has failed")
    attempt_pause: float = setting(
        "HRIMS_ATTEMPT_PAUSE", _between(0, 3600), 5.0, "seconds before the second attempt, doubling"
    )
    concurrency: int = setting("HRIMS_CONCURRENCY", _whole(1, 50), 2, "runs at once in one worker")
    beat_seconds: float = setting(
        "HRIMS_BEAT_SECONDS",
        _between(0.1, 60),
        5.0,
        "seconds between two signs of life of a worker",
    )
    silent_seconds: float = setting(
        "HRIMS_SILENT_SECONDS",
        _between(0.5, 600),
        20.0,
        "seconds of silence after which a worker is thought dead",
    )
    stop_seconds: float = setting(
        "HRIMS_STOP_SECONDS",
        _between(0, 600),
        10.0,
        "seconds that a stopping worker gives its pages in flight",
    )

    # people
    admin_password: str | None = setting(
        "HRIMS_ADMIN_PASSWORD",
        _text,
        None,
        "the first administrator's; else generated and printed",
        secret=True,
    )
    secret_key: str | None = setting(
        "SECRET_KEY",
        _long_text,
        None,
        "signs forms; else one made at first start and kept in the database",
        secret=True,
    )
    session_hours: float = setting(
        "HRIMS_SESSION_HOURS", _between(0.1, 720), 12.0, "hours after which a sign-in ends"
    )
    https_only: bool = setting(
        "HRIMS_HTTPS_ONLY", _yes_or_no, False, "yes behind TLS: cookies are sent over HTTPS alone"
    )

    time_zone: ZoneInfo = setting(  # noqa: RUF009 - a time zone is as frozen as the other defaults
        "HRIMS_TIME_ZONE", _zone, ZoneInfo("Africa/Dar_es_Salaam"), "time zone in which pages show times"
    )

    # the web process
    web_processes: int = setting("HRIMS_WEB_PROCESSES", _whole(1, 64), 1, "processes that answer pages")
    web_threads: int = setting("HRIMS_WEB_THREADS", _whole(2, 500), 32, "threads in each of them")
    max_streams: int = setting(
        "HRIMS_MAX_STREAMS", _whole(0, 500), 16, "event streams that one process holds open at once"
    )
    max_body_kb: int = setting("HRIMS_MAX_BODY_KB", _whole(1, 102400), 256, "largest request body, in KB")
    trusted_proxies: int = setting(
        "HRIMS_TRUSTED_PROXIES",
        _whole(0, 10),
        0,
        "proxies in front whose X-Forwarded-For is believed",
    )

    # logs
    log_level: str = setting(
        "HRIMS_LOG_LEVEL",
        _one_of("debug", "info", "warning", "error"),
        "info",
        "least level that is logged",
    )
    log_format: str = setting("HRIMS_LOG_FORMAT", _one_of("text", "json"), "text", "text or json")

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


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment.

    Raises ConfigError, which names the variable, what is wrong with it and what to give instead;
    a secret's value is never repeated.
    """
    values = {}
    for item in fields(Settings):
        raw = _raw(environ, item.metadata["name"], secret=item.metadata["secret"])
        if raw is not None:
            values[item.name] = _parsed(item.metadata, raw)
    return Settings(**values)


def _raw(environ: Mapping[str, str], name: str, *, secret: bool) -> str | None:
    value = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip() if secret else ""
    if value and path:
        raise ConfigError(f"{name} and {name}_FILE are both set; keep one. Nothing was started.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as reason:
            raise ConfigError(
                f"{name}_FILE cannot be read ({type(reason).__name__}). Nothing was started."
            ) from None
    return value or None


def _parsed(about: Mapping[str, Any], raw: str) -> Any:
    try:
        return about["parse"](raw)
    except ValueError as reason:
        hint = str(reason) if "give" in str(reason) or "go into" in str(reason) else "give a number"
        shown = "its value" if about["secret"] or "@" in raw else repr(raw)
        raise ConfigError(
            f"{about['name']} is wrong: {shown} does not do; {hint}. Nothing was started."
        ) from None
