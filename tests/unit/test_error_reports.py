"""A report to Sentry holds places in the code, codes and numbers, and nothing that may be about a person."""

import json
import logging
import sys
from typing import Any

import psycopg
import pytest

from hrims import error_reports
from hrims.config import load
from hrims.errors import ConfigError, RemoteTimeout
from hrims.log import Event

MARK = "Juma Hassan 19800101-12345"


def report(error: Exception, **fields: Any) -> dict[str, Any]:
    """Return the scrubbed report of an error, as the SDK would make it."""
    exc_info = (type(error), error, None)
    record = logging.LogRecord(
        "hrims.sync",
        logging.ERROR,
        "x.py",
        1,
        Event("attempt_failed", {"run": 7, "code": "x", **fields}),
        (),
        None,
    )
    made = {
        "event_id": "1",
        "level": "error",
        "request": {"url": MARK, "data": MARK, "cookies": MARK},
        "user": {"name": MARK},
        "breadcrumbs": [MARK],
        "extra": {"row": MARK},
        "contexts": {"trace": MARK},
        "exception": {
            "values": [
                {
                    "type": type(error).__name__,
                    "value": MARK,
                    "stacktrace": {"frames": [{"function": "save", "lineno": 3, "vars": {"row": MARK}}]},
                }
            ]
        },
    }
    found: dict[str, Any] = error_reports.scrub(made, {"log_record": record, "exc_info": exc_info}, "worker")
    return found


def test_nothing_about_a_person_is_kept() -> None:
    found = report(psycopg.errors.UniqueViolation(MARK), name=MARK, row=MARK)
    assert MARK not in json.dumps(found)
    assert found["exception"]["values"][0]["type"] == "UniqueViolation"
    assert found["exception"]["values"][0]["stacktrace"]["frames"] == [{"function": "save", "lineno": 3}]


def test_run_attempt_and_institution_are_tags() -> None:
    found = report(ValueError("x"), institution=3, attempt=2)
    assert found["tags"] == {
        "event": "attempt_failed",
        "process": "worker",
        "run": "7",
        "institution": "3",
        "attempt": "2",
        "code": "x",
    }
    assert found["logentry"] == {"message": "attempt_failed"}


def test_a_message_of_our_own_is_kept() -> None:
    found = report(RemoteTimeout("HRIMS was silent for 125 seconds."))
    assert found["exception"]["values"][0]["value"] == "HRIMS was silent for 125 seconds."


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python refuses to import a module whose entry is None."""
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    settings = load({"SENTRY_DSN": "http://public@127.0.0.1:1/1"})
    with pytest.raises(ConfigError, match=r"Install hrims-sync\[sentry\]"):
        error_reports.configure(settings, "worker")
