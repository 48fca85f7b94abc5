"""The embedded database: processes sign in as a role of few rights, analysts as another."""

import csv
import io

import psycopg
import pytest

from tests.e2e.processes.product import Product


def test_every_session_of_the_product_is_the_application_role(shared: Product) -> None:
    with psycopg.connect(shared.dsn, autocommit=True) as conn:
        users = conn.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'hrims'"
            " AND pid <> pg_backend_pid() AND application_name LIKE 'hrims %'"
        ).fetchall()
    assert users == [("hrims_app",)]


def test_analysts_have_an_address(shared: Product) -> None:
    address = shared.hrims("db", "url", "--reporting").stdout.strip()
    with psycopg.connect(address, autocommit=True) as conn:
        assert conn.execute("SELECT current_user::text").fetchone() == ("hrims_report",)
        assert conn.execute("SELECT count(*) FROM reporting.runs_v").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT FROM employees")


def test_the_trail_is_verified_and_exported(shared: Product) -> None:
    done = shared.hrims("audit", "verify")
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    assert done.stdout.startswith("Intact: ")
    exported = shared.hrims("audit", "export", "-")
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert rows[-1]["action"] == "audit.export"
    assert rows[-1]["via"] == "cli"
