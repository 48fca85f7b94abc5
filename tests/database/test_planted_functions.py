"""A role that may create functions in the schema does not become the owner through them.

A function that runs with the owner's rights calls none of the planted ones, although their argument types fit
its calls better than those of PostgreSQL.
"""

from random import Random

import psycopg
import pytest

from hrims.audit import sequencer
from hrims.audit.verification import verify
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from tests.audit import trail
from tests.database.runs import begin, enqueue_run_of, institution
from tests.support.databases import execute_as_owner

PLANTED = {
    "hashtextextended(text, integer)": "bigint",
    "convert_to(text, text)": "bytea",
    "sha256(text)": "bytea",
    "left(text, bigint)": "text",
    "pg_try_advisory_xact_lock(integer)": "boolean",
    "current_setting(name)": "text",
    "to_jsonb(text)": "jsonb",
    "to_jsonb(name)": "jsonb",
    "concat(text, bigint)": "text",
    "jsonb_build_object(text, bigint)": "jsonb",
    "jsonb_build_object(text, text, text, integer, text, text)": "jsonb",
    "jsonb_strip_nulls(target jsonb)": "jsonb",
    "coalesce(bigint, integer)": "bigint",
    "clock_timestamp(integer DEFAULT 1)": "timestamptz",
    "audit_insert(text, text, unknown_text, text, jsonb)": "bigint",
    "audit_insert(actor text, via text, action text, subject text, run_id bigint, request_id text,"
    " institution_id bigint, details jsonb)": "bigint",
    "audit_insert(actor text, via text, action text, subject text, run_id bigint, request_id text,"
    " institution_id bigint, reason text, before jsonb, after jsonb, details jsonb)": "bigint",
    "greatest(timestamptz, timestamptz)": "timestamptz",
    "plus(integer, interval)": "interval",
    "text_and_number(text, bigint)": "text",
    "bytes(bytea, bytea)": "bytea",
}
"""Functions with the types of their results. Each raises an exception."""

OPERATORS = {
    "||": ("text", "bigint", "text_and_number"),
    "*": ("integer", "interval", "plus"),
}
"""Operators with their types and functions."""


@pytest.fixture
async def run(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run that is under way."""
    return await begin(conn, pool, enqueue_run_of(conn, institution(conn)))


@pytest.fixture(autouse=True)
def planted(conn: Connection, run: Attempt) -> None:
    """Create the functions as the application role, as if the schema were open to all."""
    execute_as_owner(conn, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    conn.execute("CREATE DOMAIN unknown_text AS text")
    for signature, result in PLANTED.items():
        name, arguments = signature.split("(", 1)
        conn.execute(
            f'CREATE FUNCTION public."{name}"({arguments} RETURNS {result} LANGUAGE plpgsql'
            f" AS $$ BEGIN RAISE 'planted {name}'; END $$".encode()
        )
    for name, (left, right, function) in OPERATORS.items():
        conn.execute(
            f"CREATE OPERATOR public.{name} (LEFTARG = {left}, RIGHTARG = {right},"
            f" FUNCTION = {function})".encode()
        )


def test_a_planted_function_is_called_otherwise(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match="planted hashtextextended"):
        conn.execute("SELECT hashtextextended('hrims audit chain', 0)")
    with pytest.raises(psycopg.errors.RaiseException, match="planted text_and_number"):
        conn.execute("SELECT 'run:' || 1::bigint")


def test_records_are_written_and_chained(conn: Connection) -> None:
    trail.write(conn, Random(1), 3)
    sequencer.chain_all(conn)
    result = verify(conn, [])
    assert (result.finding, result.pending) == (None, 0)


def test_runs_are_recorded(conn: Connection) -> None:
    """Other triggers are disabled: they use the rights of the role that planted the functions."""
    execute_as_owner(
        conn, "ALTER TABLE runs DISABLE TRIGGER USER; ALTER TABLE runs ENABLE TRIGGER runs_audit"
    )
    conn.execute(
        "INSERT INTO departures (institution_id, identifier_type, run_id, asked_by, state, listed, people)"
        " SELECT institution_id, 'votecode', id, 'asha', 'applied', 1, 1 FROM runs"
    )
    conn.execute("UPDATE runs SET state = 'waiting'")
    conn.execute("UPDATE runs SET state = 'active'")
    conn.execute("UPDATE runs SET state = 'failed', finished_at = now(), trouble_code = 'unexpected'")
    rows = conn.execute(
        "SELECT action, subject FROM audit_log WHERE action <> 'run.ask' AND run_id IS NOT NULL ORDER BY id"
    ).fetchall()
    assert rows == [
        ("run.start", "run:1"),
        ("run.start", "run:1"),
        ("run.end", "run:1"),
        ("leavers.apply", "leavers:1"),
    ]


def test_the_rate_limit_is_read(conn: Connection) -> None:
    assert conn.execute("SELECT starts_per_minute()").fetchone()
    assert conn.execute("SELECT earliest_start(1)").fetchone()
