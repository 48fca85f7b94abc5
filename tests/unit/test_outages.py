"""Why the database is away: the reason in words, at most once in ten seconds, and that it is back."""

import logging
from typing import Any

import psycopg
import pytest

from hrims.log import Event
from hrims.outages import (
    CONNECTING,
    LOST_REASON,
    QUIET_SECONDS,
    STATEMENTS,
    Failure,
    Outages,
    failed_connection,
    failed_statement,
)
from tests import PROJECT

SERVER = 'connection failed: connection to server at "10.0.0.7", port 5432 failed: '


class Clock:
    """A clock that stands until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Provide a clock."""
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> Outages:
    """Provide what a process knows of outages, which is nothing."""
    return Outages(clock)


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the events in the log, and forget them."""
    found = [
        {"event": record.msg.name, **record.msg.fields}
        for record in caplog.records
        if isinstance(record.msg, Event) and record.levelno == logging.WARNING
    ]
    caplog.clear()
    return found


def connecting(message: str) -> psycopg.OperationalError:
    return psycopg.OperationalError(SERVER + message)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('FATAL:  password authentication failed for user "hrims"', "wrong_password"),
        ("fe_sendauth: no password supplied", "no_password"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.8", user "x"', "not_admitted"),
        ('FATAL:  role "x" does not exist', "unknown_user"),
        ('FATAL:  database "x" does not exist', "unknown_database"),
        ('could not translate host name "db" to address: Name or service not known', "unknown_host"),
        ("FATAL:  sorry, too many clients already", "too_many_connections"),
        ("FATAL:  remaining connection slots are reserved for", "too_many_connections"),
        ("FATAL:  the database system is starting up", "starting"),
        ("FATAL:  the database system is shutting down", "stopping"),
        ("session is read-only", "read_only"),
        ("Connection refused\n\tIs the server running on that host", "connection_refused"),
        ("No such file or directory", "connection_refused"),
        ("timeout expired", "timeout"),
        ("No route to host", "unreachable"),
        ("server closed the connection unexpectedly", "connection_lost"),
        ("could not receive data from server: Connection reset by peer", "connection_lost"),
        ("could not send data to server: Broken pipe", "connection_lost"),
        ("FATAL:  terminating connection due to administrator command", "session_ended"),
        ("SSL error: certificate verify failed", "tls"),
        ("something new", "other"),
    ],
)
def test_a_connection_that_failed_says_why(message: str, reason: str) -> None:
    failure = failed_connection(connecting(message))
    first = message.splitlines()[0]
    assert failure == (
        reason,
        "OperationalError",
        (SERVER + first).removeprefix("connection failed: "),
        False,
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"),
            Failure("read_only", "ReadOnlySqlTransaction 25006", "The database is read-only.", True),
        ),
        (
            psycopg.errors.DiskFull('could not extend file for "Amina"'),
            Failure("disk_full", "DiskFull 53100", "The disk of the database is full.", True),
        ),
        (
            psycopg.errors.IoError("could not read Amina"),
            Failure("files", "IoError 58030", STATEMENTS["58"][1], True),
        ),
        (
            psycopg.errors.AdminShutdown("terminating connection"),
            Failure("session_ended", "AdminShutdown 57P01", STATEMENTS["57P01"][1], False),
        ),
        (
            psycopg.OperationalError("consuming input failed: Amina"),
            Failure("connection_lost", "OperationalError", LOST_REASON[1], False),
        ),
    ],
)
def test_a_statement_that_failed_says_why_without_its_message(error: psycopg.Error, failure: Failure) -> None:
    assert failed_statement(error) == failure


def test_a_part_of_a_password_that_became_the_host_is_not_shown() -> None:
    error = psycopg.OperationalError("failed to resolve host 'half@db.example': [Errno -2] Name unknown")
    assert "half" not in failed_connection(error).message
    assert failed_connection(error).reason == "unknown_host"


def test_it_is_said_at_once_then_every_ten_seconds_and_when_it_is_over(
    outages: Outages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outages.note_failure(connecting("Connection refused"))
    [event] = told(caplog)
    assert (event["event"], event["reason"]) == ("database_away", "connection_refused")
    assert (event["seconds"], event["left_out"]) == (0.0, 0)
    for _ in range(3):
        clock.now += QUIET_SECONDS / 4
        outages.note_failure(connecting("Connection refused"))
    assert told(caplog) == []
    clock.now += QUIET_SECONDS / 4
    outages.note_failure(connecting('password authentication failed for user "x"'))
    [event] = told(caplog)
    assert (event["reason"], event["seconds"], event["left_out"]) == ("wrong_password", QUIET_SECONDS, 3)
    clock.now += 2.5
    assert outages.is_away
    outages.note_connection()
    assert told(caplog) == [{"event": "database_back", "seconds": QUIET_SECONDS + 2.5}]
    assert not outages.is_away
    outages.note_connection()
    outages.note_success()
    assert told(caplog) == []


def test_an_outage_that_was_left_out_is_not_said_to_be_over(
    outages: Outages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        outages.note_failure(connecting("Connection refused"))
        outages.note_connection()
        clock.now += 1
    assert [event["event"] for event in told(caplog)] == ["database_away", "database_back"]
    clock.now += QUIET_SECONDS
    outages.note_failure(connecting("Connection refused"))
    assert told(caplog)[0]["left_out"] == 1


def test_a_full_disk_is_not_over_because_a_connection_can_be_opened(
    outages: Outages, caplog: pytest.LogCaptureFixture
) -> None:
    outages.note_failure(psycopg.errors.DiskFull("full"))
    outages.note_connection()
    outages.note_writable()
    assert [event["event"] for event in told(caplog)] == ["database_away"]
    outages.note_success()
    assert [event["event"] for event in told(caplog)] == ["database_back"]


def test_a_session_that_can_write_ends_a_read_only_outage_alone(
    outages: Outages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outages.note_failure(psycopg.errors.ReadOnlySqlTransaction("no"))
    outages.note_connection()
    assert outages.is_away
    outages.note_writable()
    assert [event["event"] for event in told(caplog)] == ["database_away", "database_back"]
    clock.now += QUIET_SECONDS
    outages.note_failure(connecting("Connection refused"))
    outages.note_writable()
    assert outages.is_away


def test_what_an_unusable_database_needs_is_said_every_ten_seconds(
    outages: Outages, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for seconds in (0.0, 1.0, QUIET_SECONDS):
        clock.now = 100.0 + seconds
        outages.note_unusable("Run `hrims migrate` first.")
    assert told(caplog) == [{"event": "database_unusable", "message": "Run `hrims migrate` first."}] * 2


def test_the_reference_lists_every_reason() -> None:
    reference = (PROJECT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    section = reference.partition("## Reasons why the database is away")[2].partition("\n## ")[0]
    reasons = {reason for reason, _ in (*CONNECTING, *STATEMENTS.values(), LOST_REASON)} | {"other"}
    listed = [
        part
        for line in section.splitlines()
        if line.startswith("| `")
        for part in line.split("|")[1].split("`")[1::2]
    ]
    assert sorted(listed) == sorted(reasons)
