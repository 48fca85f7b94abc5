"""Records of libraries. Input: a record with a sentence. Output: an event of a bounded set, with fields.

Procrastinate's sentences hold the arguments of jobs, those of gunicorn the addresses of requests, those of
psycopg the values of a row. None is kept.
"""

import logging
import re
from typing import Any, Final

from hrims.errors import HrimsSyncError
from hrims.log.events import Event, make_event

GUNICORN: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "Starting gunicorn %s": ("gunicorn_starting", ("version",)),
    "Listening at: %s (%s)": ("gunicorn_listening", ("address", "pid")),
    "Handling signal: %s": ("gunicorn_signalled", ("signal",)),
    "Shutting down: %s": ("gunicorn_stopping", ()),
    "Reason: %s": ("gunicorn_stopping", ("reason",)),
    "Booting worker with pid: %s": ("gunicorn_process_started", ("pid",)),
    "Worker exiting (pid: %s)": ("gunicorn_process_stopping", ("pid",)),
    "Worker (pid:%s) exited with code %s.": ("gunicorn_process_ended", ("pid", "code")),
    "Worker (pid:%s) was sent %s!": ("gunicorn_process_killed", ("pid", "signal")),
    "Worker (pid:%s) was sent %s! Perhaps out of memory?": ("gunicorn_process_killed", ("pid", "signal")),
    "WORKER TIMEOUT (pid:%s)": ("gunicorn_process_timed_out", ("pid",)),
    "Exception in worker process": ("gunicorn_process_failed", ()),
    "Error handling request": ("gunicorn_request_failed", ()),
    "Error handling request %s": ("gunicorn_request_failed", ()),
    "Error handling request %s %s": ("gunicorn_request_failed", ()),
    "Error handling request (no URI read)": ("gunicorn_request_failed", ()),
    "Socket error processing request.": ("gunicorn_request_failed", ()),
}
"""The event of each sentence of gunicorn, before its values are filled in, and the names of these values."""

GUNICORN_BEGINNINGS: Final[dict[str, str]] = {
    "Invalid request from ip=": "gunicorn_request_refused",
    "Ignored premature client disconnection": "gunicorn_request_refused",
    "Worker (pid:": "gunicorn_process_ended",
}
"""The events of sentences whose values are filled in already or hold a part of a request."""

ACTION: Final = re.compile("[a-z_]+")

PSYCOPG_NOISE: Final = ("error connecting in", "error ignored", "reconnection attempt in", "discarding ")
"""Beginnings of psycopg's sentences about an outage, which ``outages`` logs with its reason."""

WITHOUT_VALUES: Final = {
    "psycopg": "psycopg_message",
    "opentelemetry": "telemetry_message",
    "sentry_sdk": "telemetry_message",
    "urllib3": "telemetry_message",
}
"""The events of libraries whose values are not logged: parts of a row, settings with tokens, addresses."""

JOB_FIELDS: Final = {"job": "id", "task": "task_name", "queue": "queue"}


def event_of(record: logging.LogRecord) -> Event:
    """Return the event of any record: of ours as it is, else one that stands for the library's sentence."""
    if isinstance(record.msg, Event):
        return record.msg
    if record.name.startswith("procrastinate"):
        return _event_of_procrastinate(record)
    if record.name.startswith("gunicorn"):
        return _event_of_gunicorn(record)
    for beginning, name in WITHOUT_VALUES.items():
        if record.name.startswith(beginning):
            return make_event(name, {"message": str(record.msg)})
    if record.name == "asyncio":
        # Its further lines show the task and the message of its error.
        return make_event("asyncio_message", {"message": record.getMessage().partition("\n")[0]})
    return make_event("library_message", {"message": record.getMessage()})


def _event_of_procrastinate(record: logging.LogRecord) -> Event:
    action = getattr(record, "action", None)
    if action is None:
        return make_event("procrastinate_message", {"message": record.getMessage()})
    name = f"procrastinate_{action}" if ACTION.fullmatch(action) else "procrastinate_task_error"
    job = _as_dict(getattr(record, "job", None))
    fields = {key: job.get(name) for key, name in JOB_FIELDS.items()}
    if isinstance(seconds := getattr(record, "duration", None), float):
        fields["seconds"] = round(seconds, 3)
    fields["worker"] = _as_dict(getattr(record, "worker", None)).get("worker_id")
    return make_event(name, {key: value for key, value in fields.items() if value is not None})


def _event_of_gunicorn(record: logging.LogRecord) -> Event:
    sentence = str(record.msg)
    for beginning, name in GUNICORN_BEGINNINGS.items():
        if sentence.startswith(beginning) and sentence not in GUNICORN:
            return make_event(name, {})
    if sentence in GUNICORN:
        name, names = GUNICORN[sentence]
        values = record.args if isinstance(record.args, tuple) else ()
        return make_event(name, dict(zip(names, values, strict=False)))
    # Without its values: at the level debug, gunicorn writes the address of each request.
    return make_event("gunicorn_message", {"message": sentence})


def _as_dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def lower_expected_failures() -> None:
    """Log a job that raised one of our own errors as information: its attempt has logged the failure."""
    logging.getLogger("procrastinate.worker").addFilter(_lower_expected)


def _lower_expected(record: logging.LogRecord) -> bool:
    if record.exc_info and isinstance(record.exc_info[1], HrimsSyncError):
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        record.exc_info, record.exc_text = None, None
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


def drop_noise() -> None:
    """Drop psycopg's own lines about an outage: a pool writes several a second."""
    for name in ("psycopg", "psycopg.pool"):
        logging.getLogger(name).addFilter(_is_no_noise)


def _is_no_noise(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(PSYCOPG_NOISE)
