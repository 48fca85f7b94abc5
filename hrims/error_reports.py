"""Error reports to Sentry: defects and failures that the log has at the level ``error``.

Needs the extra ``sentry`` and ``SENTRY_DSN``. A report holds what is listed here and nothing else: no message
of an error that may repeat data, no values of variables, no requests.
"""

import logging
import platform
from typing import Any, Final

from structlog.contextvars import get_contextvars

from hrims.config import Settings
from hrims.errors import ConfigError, HrimsSyncError
from hrims.log import Event, masked
from hrims.version import VERSION

MISSING = (
    "SENTRY_DSN is set, but the Sentry SDK is not installed. Install hrims-sync[sentry], or unset it. "
    "Nothing was started."
)

WRONG = (
    "SENTRY_DSN is wrong: its value is not the address of a project, like https://key@sentry.example/1. "
    "Nothing was started."
)

KEPT: Final = ("event_id", "timestamp", "platform", "level", "release", "environment", "server_name")
"""Fields of a report that the SDK fills and that hold no data."""

TAGS: Final = ("run", "institution", "attempt", "request_id", "code", "task", "method", "error")
"""Fields of the log that become tags."""

FRAME: Final = ("filename", "abs_path", "function", "module", "lineno", "context_line", "in_app")
"""Fields of a frame of a traceback: places in the code, no values."""


def configure(settings: Settings, process: str) -> None:
    """Report errors of this process. Call it after a fork. Raises ConfigError if the extra is missing."""
    if not settings.sentry_dsn:
        return
    try:
        import sentry_sdk  # noqa: PLC0415 - the extra may be missing
        from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415 - the same
        from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415 - the same
        from sentry_sdk.utils import BadDsn, Dsn  # noqa: PLC0415 - the same
    except ImportError:
        raise ConfigError(MISSING) from None
    try:
        Dsn(settings.sentry_dsn)
    except BadDsn:
        raise ConfigError(WRONG) from None
    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        release=f"hrims-sync@{VERSION}",
        environment=settings.sentry_environment,
        server_name=platform.node(),
        default_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR),
            AtexitIntegration(lambda _pending, _timeout: None),  # sends what is pending, and prints nothing
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        before_send=lambda report, hint: scrub(report, hint, process),
    )


def scrub(report: Any, hint: dict[str, Any], process: str) -> Any:
    """Return a report with only the kept fields, the event of the log, its tags and places in the code."""
    record = hint.get("log_record")
    event = record.msg if record is not None and isinstance(record.msg, Event) else None
    fields = {**get_contextvars(), **(event.fields if event else {})}
    tags = {name: masked(str(fields[name])) for name in TAGS if fields.get(name) is not None}
    name = event.name if event else "log"
    return {
        **{field: report[field] for field in KEPT if field in report},
        "logger": record.name if record is not None else "",
        "tags": {"event": name, "process": process, **tags},
        "fingerprint": [name, tags.get("code", ""), tags.get("error", "{{ default }}")],
        "logentry": {"message": name},
        **_exception_of(report, hint),
    }


def _exception_of(report: Any, hint: dict[str, Any]) -> dict[str, Any]:
    values = report.get("exception", {}).get("values", [])
    if not values:
        return {}
    error = (hint.get("exc_info") or (None, None, None))[1]
    # The last value is the error itself, those before are its causes.
    messages = ["" for _ in values[:-1]] + [masked(str(error)) if isinstance(error, HrimsSyncError) else ""]
    return {
        "exception": {
            "values": [
                {
                    "type": value.get("type"),
                    "module": value.get("module"),
                    "value": message,
                    "stacktrace": {"frames": [_place(frame) for frame in _frames_of(value)]},
                }
                for value, message in zip(values, messages, strict=True)
            ]
        }
    }


def _frames_of(value: dict[str, Any]) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = (value.get("stacktrace") or {}).get("frames", [])
    return frames


def _place(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: frame[name] for name in FRAME if name in frame}
