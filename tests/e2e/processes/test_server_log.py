"""The log of the embedded server under ``hrims up``: events, once each, and no value of a row."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.processes.product import Product, wait_until

MARK = "Recognisable Makame"


def events(log: Path) -> list[dict[str, Any]]:
    """Return the events of the log. Fails if a line is none."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert {(event["event"], event["logger"]) for event in found} == {("postgres_log", "postgres")}
    return found


def break_a_rule(dsn: str) -> None:
    """Violate a unique key, and make a number of a word, with a value that must not be logged."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE marked (name text PRIMARY KEY)")
        for statement in (f"INSERT INTO marked VALUES ('{MARK}')", f"SELECT '{MARK}'::int"):
            conn.execute(f"INSERT INTO marked VALUES ('{MARK}') ON CONFLICT DO NOTHING".encode())
            with pytest.raises(psycopg.DataError if "SELECT" in statement else psycopg.IntegrityError):
                conn.execute(statement.encode())


def test_its_lines_are_events_without_values(migrated: Path) -> None:
    log = migrated / "log" / "postgres.log"
    product = Product(migrated, HRIMS_LOG_FORMAT="json").up()
    dsn = product.hrims("db", "url").stdout.strip()
    break_a_rule(dsn)
    with psycopg.connect(dsn, autocommit=True) as one, psycopg.connect(dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", (one.info.backend_pid,))
    wait_until(lambda: log.exists() and "57P01" in log.read_text(), product.describe_state)
    postmaster = int((migrated / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_until(
        lambda: "database system was not properly shut down" in log.read_text(), product.describe_state
    )
    assert product.stop() == 0
    messages = [event["message"] for event in events(log)]
    assert messages[-1] == "database system is shut down"
    ended = next(event for event in events(log) if event["sqlstate"] == "57P01")
    assert (ended["level"], ended["severity"], ended["process"]) == ("info", "FATAL", "client backend")
    assert not any(message.startswith("checkpoint ") for message in messages)
    again = Product(migrated, HRIMS_LOG_FORMAT="json").up()
    assert again.stop() == 0
    later = [event["message"] for event in events(log)][len(messages) :]
    assert later[0].startswith("starting PostgreSQL")
    assert later[-1] == "database system is shut down"
    assert MARK not in log.read_text()
    assert MARK not in (migrated / "postgres" / "postgres.log").read_text()
