"""``hrims doctor``: each check well and amiss, with what to do."""

import json
import re
from pathlib import Path

import psycopg

from hrims.migrate import migrate
from hrims.version import VERSION
from tests.database.connections import change
from tests.e2e.processes.product import Product, env_of, run
from tests.support.encryption import KEY
from tests.support.simulated import Simulator


def told(output: str) -> dict[str, tuple[str, str]]:
    """``{check: (ok, warning or amiss, words)}``"""
    found = re.findall(r"^(ok|warning|amiss) +(\w+) +(.+)$", output, re.MULTILINE)
    return {check: (how, words) for how, check, words in found}


def test_all_is_well(shared: Product) -> None:
    done = shared.hrims("doctor")
    assert done.returncode == 0, done.stdout
    checks = told(done.stdout)
    names = ["instance", "database", "schema", "disk", "remote", "hosts"]
    names += ["secrets", "breaker", "worker", "queue", "clocks", "rights", "audit"]
    assert list(checks) == names
    assert {how for how, _ in checks.values()} == {"ok"}, done.stdout
    assert "embedded, in " in checks["database"][1]
    assert re.search(r"answers in \d+\.\d s$", checks["remote"][1])


def test_the_same_as_json(shared: Product) -> None:
    done = shared.hrims("doctor", "--json")
    found = json.loads(done.stdout)
    assert (found["ok"], done.returncode) == (True, 0)
    assert {check["name"]: check["state"] for check in found["checks"]}["worker"] == "ok"
    assert [*found["checks"][0]] == ["name", "state", "message", "action"]


def test_a_database_that_does_not_answer_comes_first(state: Path) -> None:
    done = run("doctor", env={**env_of(state), "DATABASE_URL": "postgresql://u@127.0.0.1:1/x"})
    assert done.returncode == 1
    checks = told(done.stdout)
    assert checks["database"][1].startswith("The database does not answer. Is DATABASE_URL right")
    assert checks["schema"] == ("amiss", "Not checked: put the database right first.")
    assert checks["remote"][1].startswith("No address of HRIMS is known. Set it on the page")
    assert checks["worker"] == ("amiss", "Not checked: put database and schema right first.")


def test_a_schema_that_is_missing(server_dsn: str, state: Path) -> None:
    done = run("doctor", env={**env_of(state), "DATABASE_URL": f"{server_dsn} dbname=postgres"})
    assert done.returncode == 1
    assert re.fullmatch(r"\d+ migrations are missing. Run: hrims migrate", told(done.stdout)["schema"][1])


def test_no_worker_and_a_remote_that_refuses_our_credentials(dsn: str, state: Path) -> None:
    with Simulator(api_key="right", token="right") as simulator:
        env = {
            **env_of(state),
            "DATABASE_URL": dsn,
            "HRIMS_BASE_URL": simulator.url,
            "HRIMS_TOKEN": "wrong-token",
        }
        done = run("doctor", env=env)
        checks = told(done.stdout)
        assert checks["remote"][0] == "amiss"
        assert "HRIMS does not accept the credentials." in checks["remote"][1]
        assert "HRIMS_API_KEY and HRIMS_TOKEN" in checks["remote"][1]
        assert "wrong-token" not in done.stdout + done.stderr
        assert checks["worker"] == (
            "amiss",
            "No worker is running; runs wait. Start one: hrims worker, or all: make run",
        )
        assert (checks["database"][0], checks["schema"][0], done.returncode) == ("ok", "ok", 1)


def test_one_failure_of_hrims_is_healthy_and_a_pool_without_workers_is_not(dsn: str, state: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn, Simulator() as simulator:
        conn.execute("INSERT INTO institutions (name, vote_code, pool) VALUES ('One', '1', 'health')")
        conn.execute("INSERT INTO institutions (name, vote_code) VALUES ('Other', '2')")
        conn.execute(
            "INSERT INTO workers (worker_id, host, pid, version, capacity, silent_seconds)"
            " VALUES (1, 'here', 1, %s, 2, 600)",
            (VERSION,),
        )
        simulator.fail("body500", times=1)
        env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": simulator.url}
        checks = told(run("doctor", env=env).stdout)
        assert checks["remote"][0] == "ok"
        assert checks["worker"] == (
            "amiss",
            "No worker serves the pool health: their runs wait. Start one: hrims worker --pool health.",
        )
        conn.execute("UPDATE institutions SET pool = NULL")
        conn.execute(
            "UPDATE queue_settings SET paused_at = now(), paused_by = 'asha', paused_why = 'Payroll'"
        )
        checks = told(run("doctor", env=env).stdout)
        assert checks["worker"] == ("ok", "1 worker is alive; no run starts: asha paused the queue")


def test_a_remote_that_cannot_be_reached_and_a_database_of_a_newer_version(dsn: str, state: Path) -> None:
    assert migrate(dsn) == []
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
    env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": "http://127.0.0.1:1/hrims"}
    checks = told(run("doctor", env=env).stdout)
    assert checks["schema"][0] == "amiss"
    assert checks["schema"][1] == (
        "This database is newer than this code: it holds 9999_later.sql. Web processes and workers that "
        "started before continue, and refuse to start again. Restart them with the newer version of HRIMS "
        "Sync."
    )
    assert "http://127.0.0.1:1/hrims" in checks["remote"][1]
    assert "127.0.0.1, port 1 refuses connections: no program listens there." in checks["remote"][1]
    assert "Check the port in the address" in checks["remote"][1]
    assert "HRIMS_BASE_URL" in checks["remote"][1]


def test_a_connection_of_the_page(dsn: str, state: Path) -> None:
    env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_ENCRYPTION_KEY": KEY}
    with psycopg.connect(dsn, autocommit=True) as conn, Simulator(token="s3cret-of-tests") as simulator:
        change(conn, address=simulator.url, token="s3cret-of-tests")
        done = run("doctor", env=env)
        found = told(done.stdout)["remote"]
        assert found[0] == "ok"
        assert re.search(
            r"\n +Name \d+ ms, TCP connection \d+ ms, TLS \d+ ms, Sign-in \d+ ms, One rec", done.stdout
        )
        change(conn, token="another-s3cret")
        done = run("doctor", env=env)
        assert told(done.stdout)["remote"][0] == "amiss"
        assert "page “HRIMS connection”" in told(done.stdout)["remote"][1]
        assert "s3cret" not in done.stdout + done.stderr


def test_a_database_that_is_read_only_is_amiss(dsn: str, state: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f'ALTER DATABASE "{conn.info.dbname}" SET default_transaction_read_only = on'.encode())
    done = run("doctor", env={**env_of(state), "DATABASE_URL": dsn})
    assert done.returncode == 1
    how, message = told(done.stdout)["database"]
    assert how == "amiss"
    assert message.startswith(
        "The database is read-only: pages can be read, nothing can be saved, and runs wait."
    )
    refused = run("token", "add", "nightly", env={**env_of(state), "DATABASE_URL": dsn})
    assert refused.returncode == 1
    assert "The database is read-only at the moment. Nothing was changed." in refused.stderr


def test_a_locked_table_does_not_hold_it(dsn: str, state: Path) -> None:
    env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": "http://127.0.0.1:1"}
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE workers IN ACCESS EXCLUSIVE MODE")
        found = {
            check["name"]: check for check in json.loads(run("doctor", "--json", env=env).stdout)["checks"]
        }
    assert found["worker"]["state"] == "amiss"
    assert "pg_stat_activity" in found["worker"]["action"]
    assert found["queue"]["state"] == "ok"


def test_a_worker_that_fell_silent_is_named(dsn: str, state: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "INSERT INTO workers (worker_id, host, pid, version, capacity, silent_seconds, last_beat)"
            " VALUES (1, 'there', 77, %s, 2, 20, now() - interval '3 minutes')",
            (VERSION,),
        )
    how, message = told(run("doctor", env={**env_of(state), "DATABASE_URL": dsn}).stdout)["worker"]
    assert how == "amiss"
    assert re.search(r"process 77 on there 18\d s ago", message), "180, and the seconds that this test took"
