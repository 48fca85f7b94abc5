"""What can go wrong before all is up is told in words: what is in the way, and what to do."""

import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.processes.product import Product, env_of, run, wait_until

SECRET = "hidden-password-of-a-test"


def refused(product: Product) -> str:
    """Wait for its end; return its last words, which are no traceback, and leave nothing running."""
    assert product.wait() == 1, product.output
    assert "Traceback" not in product.output
    assert product.processes() == {}
    assert SECRET not in product.output
    return product.output.rpartition("hrims: ")[2]


def test_a_port_that_is_taken(state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refused(Product(state, PORT=str(port)))
    assert f"Port {port} on 127.0.0.1 cannot be used (Address already in use). Nothing was started" in said
    assert "PORT=" in said
    assert not (state / "postgres").exists()


def test_a_host_that_is_not_this_machine(state: Path) -> None:
    said = refused(Product(state, HRIMS_HOST="192.0.2.1"))
    assert "on 192.0.2.1 cannot be used (Cannot assign requested address). Nothing was started" in said
    assert "Set HRIMS_HOST to an address of this machine" in said
    assert "PORT=" not in said


def test_another_one_on_the_same_state_directory(shared: Product) -> None:
    said = refused_beside(shared)
    assert f"already runs on {shared.state} (process {shared.process.pid})" in said
    assert "HRIMS_STATE_DIR=… PORT=… make run" in said
    assert shared.is_ready()


def refused_beside(shared: Product) -> str:
    done = run("up", env={**shared.env(), "PORT": "1"})
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("command", ["up", "worker"])
def test_an_openid_provider_without_its_other_settings(state: Path, command: str) -> None:
    done = run(command, env={**env_of(state), "HRIMS_OIDC_ISSUER": "https://id.example.org"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "hrims: With HRIMS_OIDC_ISSUER, also set HRIMS_OIDC_CLIENT_ID, HRIMS_OIDC_REDIRECT_URL, "
        "HRIMS_OIDC_ROLES. Nothing was started.\n"
    )
    assert not (state / "postgres").exists()


def test_data_of_another_version_of_postgresql(state: Path) -> None:
    data = state / "postgres" / "data"
    data.mkdir(parents=True)
    (state / "postgres").chmod(0o711)
    (data / "PG_VERSION").write_text("15\n")
    said = refused(Product(state))
    assert "was written by PostgreSQL 15, and this is PostgreSQL" in said
    assert (data / "PG_VERSION").read_text() == "15\n"


def test_a_password_for_the_first_administrator_that_is_too_short(userless_dsn: str, state: Path) -> None:
    said = refused(Product(state, DATABASE_URL=userless_dsn, HRIMS_ADMIN_PASSWORD="short9"))
    assert said.startswith("HRIMS_ADMIN_PASSWORD is wrong. A password has 12 to 256 characters.")
    assert "short9" not in said


COMMANDS = [
    ("up",),
    pytest.param(("migrate",), marks=pytest.mark.chaos),
    ("sync", "--vote", "001"),
    pytest.param(("token", "add", "machine"), marks=pytest.mark.chaos),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_database_that_does_not_answer(state: Path, command: tuple[str, ...]) -> None:
    url = f"postgresql://hrims:{SECRET}@127.0.0.1:1/hrims"
    done = run(*command, env={**env_of(state), "DATABASE_URL": url})
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "The database does not answer. Is DATABASE_URL right, and does its server run?" in told
    assert 'connection to server at "127.0.0.1", port 1 failed: Connection refused' in told
    assert "Traceback" not in told
    assert SECRET not in told


def test_a_database_or_a_user_that_does_not_exist(server_dsn: str, state: Path) -> None:
    for part, words in (("dbname", "The server has no such database"), ("user", "knows no such user")):
        done = run("migrate", env={**env_of(state), "DATABASE_URL": f"{server_dsn} {part}=not-here"})
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_a_database_that_is_not_migrated(server_dsn: str, state: Path) -> None:
    url = f"{server_dsn} dbname=template1"
    for command in (
        ("sync", "--vote", "001"),
        ("user", "add", "asha", "--role", "officer", "--password-stdin"),
    ):
        done = run(*command, env={**env_of(state), "DATABASE_URL": url}, stdin="a dry monsoon\n")
        assert done.returncode == 1
        assert done.stderr.endswith("Run `hrims migrate` first.\n")


def test_children_that_keep_failing_are_told_of_with_their_log_and_its_last_line(
    dsn: str, state: Path
) -> None:
    params = {"DATABASE_URL": dsn, "HRIMS_BASE_URL": "http://127.0.0.1:9/hrims"}
    product = Product(state, GUNICORN_CMD_ARGS="--no-such-option", **params)
    product.wait_for_output("web ended (")
    assert f"Its log, {state / 'log' / 'web.log'}, ends: " in product.output
    assert "--no-such-option" in product.output
    assert product.stop(signal.SIGINT) == 0
    wait_until(lambda: not product.processes(), product.describe_state)
