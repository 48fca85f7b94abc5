"""The checks of `hrims doctor` on the audit trail."""

from datetime import timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from hrims.audit import heads
from hrims.audit.store import Head
from hrims.config import Settings
from hrims.monitoring.audit_checks import MAX_UNCHAINED, check_audit
from tests.audit import trail
from tests.support.databases import execute_as_owner


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(audit_heads=tmp_path / "heads.jsonl")


def test_all_is_well(conn: psycopg.Connection, settings: Settings) -> None:
    assert check_audit(conn, settings).message == "0 records in the chain, no head outside yet"
    trail.chained(conn, Random(1), 3)
    heads.append(heads.path_of(settings), conn.info.dbname, trail.head(conn))
    check = check_audit(conn, settings)
    assert (check.state, check.message) == ("ok", f"3 records in the chain, 3 in {settings.audit_heads}")


def test_a_lost_head_is_amiss(conn: psycopg.Connection, settings: Settings) -> None:
    trail.chained(conn, Random(1), 3)
    heads.append(heads.path_of(settings), conn.info.dbname, Head(4, b"\1" * 32))
    check = check_audit(conn, settings)
    assert check.state == "amiss"
    assert check.message.startswith("The audit chain has lost record 4, which ")
    assert check.action == "Run: hrims audit verify"


def test_records_that_wait_for_long_are_a_warning(conn: psycopg.Connection, settings: Settings) -> None:
    trail.write(conn, Random(1), 1)
    assert check_audit(conn, settings).state == "ok"
    age = timedelta(seconds=MAX_UNCHAINED + 5)
    execute_as_owner(
        conn,
        "ALTER TABLE audit_log DISABLE TRIGGER USER;"
        f"UPDATE audit_log SET at = at - interval '{age.total_seconds()} seconds'",
    )
    check = check_audit(conn, settings)
    assert (check.state, check.action) == ("warning", "Start a worker, or see its log.")
