"""The encryption key as an operator meets it: made by the first start, rotated, shared by machines, lost."""

import re
import stat
from pathlib import Path

import httpx
import psycopg
import pytest

from hrims.access import keys
from hrims.config import load
from hrims.db import Connection
from hrims.vault import Vault, store
from tests.database.connections import change
from tests.database.test_stored_secrets import leave_clear, stored
from tests.database.webhooks import endpoint
from tests.e2e.processes.product import Product, env_of, run, start, wait_until
from tests.e2e.processes.test_doctor import told
from tests.support.encryption import KEY, OTHER_KEY
from tests.support.served import Served
from tests.support.simulated import PLAIN

ONE = load({"HRIMS_ENCRYPTION_KEY": KEY})


@pytest.fixture
def env(dsn: str, state: Path) -> dict[str, str]:
    """Provide the environment of a machine whose key is in a file, if it has one."""
    return {**env_of(state), "DATABASE_URL": dsn}


def secrets_line(env: dict[str, str]) -> tuple[str, str]:
    return told(run("doctor", env=env).stdout)["secrets"]


def test_the_first_start_makes_a_key_file(shared: Product) -> None:
    file = shared.state / "encryption.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    how, words = told(shared.hrims("doctor").stdout)["secrets"]
    assert how == "ok"
    # Two more are stored once a user has signed in.
    assert re.fullmatch(rf"[24] stored, encrypted with the key in {re.escape(str(file))}", words)


def test_a_new_key_can_be_printed(env: dict[str, str]) -> None:
    printed = run("db", "new-key", env=env).stdout.strip()
    load({"HRIMS_ENCRYPTION_KEY": printed})
    assert run("db", "new-key", env=env).stdout.strip() != printed


def test_a_rotation_with_keys_of_the_environment(env: dict[str, str], conn: Connection) -> None:
    form_key = keys.secret_key(conn, ONE)
    endpoint(conn)
    assert secrets_line(env | {"HRIMS_ENCRYPTION_KEY": KEY}) == (
        "ok",
        "3 stored, encrypted with the key in HRIMS_ENCRYPTION_KEY",
    )
    both = env | {"HRIMS_ENCRYPTION_KEY": f"{OTHER_KEY},{KEY}"}
    assert secrets_line(both) == (
        "warning",
        "3 stored secrets use an older key, and 0 are in clear. Run: hrims db rotate-key",
    )
    done = run("db", "rotate-key", env=both)
    assert done.stdout.startswith("3 secrets were encrypted with the first key; 0 were already.")
    again = run("db", "rotate-key", env=both)
    assert again.stdout.startswith("0 secrets were encrypted with the first key; 3 were already.")
    assert secrets_line(env | {"HRIMS_ENCRYPTION_KEY": OTHER_KEY})[0] == "ok"
    assert keys.secret_key(conn, load({"HRIMS_ENCRYPTION_KEY": OTHER_KEY})) == form_key
    [audited, _] = conn.execute(
        "SELECT via, action, details FROM audit_log WHERE action LIKE 'secr%'"
    ).fetchall()
    assert audited == ("cli", "secrets.rotate", {"rotated": 3, "discarded": 0})
    refused = run("db", "rotate-key", "--new", env=both)
    assert (refused.returncode, "goes there" in refused.stderr) == (1, True)
    for output in (done, again, refused):
        assert not re.search(f"{KEY}|{OTHER_KEY}|gAAAAA|Traceback", output.stdout + output.stderr)


def test_a_rotation_of_the_key_file_while_web_runs(
    env: dict[str, str], conn: Connection, state: Path
) -> None:
    with Served(state.parent, env | {"HRIMS_ENCRYPTION_KEY": "", "HRIMS_STATE_DIR": str(state)}) as web:
        page = httpx.get(f"{web.url}/sign-in", verify=PLAIN, trust_env=False)
        assert "csrf_token" in page.text
        done = run("db", "rotate-key", "--new", env=env)
        assert done.returncode == 0, done.stderr
        file = state / "encryption.key"
        assert f"A new key was added to {file}. Back that file up." in done.stdout
        new, old = file.read_text().split()
        assert store.inspect(conn, Vault(load({"HRIMS_ENCRYPTION_KEY": new}))) == (2, 0, 0, [])
        assert old not in done.stdout
        page = httpx.get(f"{web.url}/sign-in", verify=PLAIN, trust_env=False)
        assert page.status_code == 200


def test_clear_secrets_of_an_earlier_version_are_encrypted_by_migrate(
    env: dict[str, str], conn: Connection
) -> None:
    leave_clear(conn)
    done = run("migrate", env=env)
    assert "2 stored secrets were encrypted." in done.stdout
    assert len(stored(conn)) == 3
    file = f"{env['HRIMS_STATE_DIR']}/encryption.key"
    words = f"3 stored, encrypted with the key in {file}; other machines need it too"
    assert secrets_line(env) == ("ok", words)


def test_a_machine_with_another_key_says_so(env: dict[str, str], conn: Connection, state: Path) -> None:
    keys.secret_key(conn, ONE)
    for key, words in (("", "this process has no key"), (OTHER_KEY, "cannot be decrypted with the key in")):
        other = env | {"HRIMS_ENCRYPTION_KEY": key}
        with Served(state.parent, other) as web:
            for path in ("/sign-in", "/api/hrims/queue"):
                answer = httpx.get(f"{web.url}{path}", verify=PLAIN, trust_env=False)
                assert answer.status_code == 503
                assert "lacks the key that encrypted" in answer.text
            log = web.log.read_text()
        assert words in log
        assert not re.search(f"{KEY}|{OTHER_KEY}|gAAAAA|Traceback", log)
        how, message = secrets_line(other)
        assert how == "amiss"
        assert "the key that signs forms" in message
        assert "hrims db rotate-key --discard-unreadable" in message
        refused = run("db", "rotate-key", env=other)
        assert refused.returncode == 1
    assert not (state / "encryption.key").exists()


def test_a_worker_with_another_key_is_named_on_every_machine(
    env: dict[str, str], conn: Connection, state: Path
) -> None:
    """It takes no run. The machine with the right key says so too."""
    ours, other = env | {"HRIMS_ENCRYPTION_KEY": KEY}, env | {"HRIMS_ENCRYPTION_KEY": OTHER_KEY}
    change(conn, address="http://127.0.0.1:9", api_key="key-1")
    log = state.parent / "worker.log"
    worker = start("worker", env=other, log=log)
    try:
        unable = "SELECT pid FROM workers WHERE address = '' AND remote_problem IS NOT NULL"
        (pid,) = wait_until(lambda: conn.execute(unable).fetchone(), log.read_text)
        for machine in (ours, other):
            how, message = told(run("doctor", env=machine).stdout)["breaker"]
            assert how == "amiss"
            assert f"(process {pid})" in message
            assert "cannot be decrypted with the key in HRIMS_ENCRYPTION_KEY" in message
        assert secrets_line(ours)[0] == "ok"
        assert secrets_line(other)[0] == "amiss"
    finally:
        worker.terminate()
        worker.wait(60)


def test_after_a_lost_key_the_product_works_again(env: dict[str, str], conn: Connection, state: Path) -> None:
    keys.secret_key(conn, ONE)
    endpoint(conn)
    done = run("db", "rotate-key", "--discard-unreadable", env=env | {"HRIMS_ENCRYPTION_KEY": OTHER_KEY})
    assert "Deleted: the secret of webhook endpoint 1." in done.stdout
    assert stored(conn) == {}
    with Served(state.parent, env | {"HRIMS_ENCRYPTION_KEY": OTHER_KEY}) as web:
        assert "csrf_token" in httpx.get(f"{web.url}/sign-in", verify=PLAIN, trust_env=False).text


def test_a_file_that_others_may_read_is_a_warning(env: dict[str, str], conn: Connection, state: Path) -> None:
    keys.secret_key(conn, load({"HRIMS_STATE_DIR": str(state)}))
    file = state / "encryption.key"
    file.chmod(0o644)
    assert secrets_line(env) == (
        "warning",
        f"Other users of this machine may read {file}. Run: chmod 600 {file}",
    )


def test_the_key_reaches_no_other_table(dsn: str, conn: Connection) -> None:
    keys.secret_key(conn, ONE)
    with psycopg.connect(dsn) as other:
        text = other.execute("SELECT string_agg(value, ' ') FROM app_secrets").fetchone()
    assert KEY not in str(text)
