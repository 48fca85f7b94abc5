"""``hrims up``: what a person sees at the first start and at the next ones."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.e2e.processes.product import Product, state_folder, wait_until
from tests.support.simulated import Simulator


def test_it_works_from_nothing_and_finds_the_same_data_again_beside_another_instance(
    shared: Product, state: Path
) -> None:
    first = Product(state).up()
    assert first.is_ready(), first.describe_state()
    assert re.findall(r"https?://\S+", first.output) == [first.address]
    assert re.findall(r"user name +(\S+)", first.output) == ["admin"]
    [password] = re.findall(r"password +(\S{4}-\S{4}-\S{4}-\S{4})\n", first.output)
    assert first.sign_in("admin", password)
    done = first.hrims("sync", "--vote", "003", "--page-size", "500")
    assert done.returncode == 0, done.stderr
    assert first.stop() == 0
    assert first.processes() == {}
    assert "Stopped. Everything saved is kept." in first.output

    second = Product(state, PORT=str(first.port)).up()
    assert password not in second.output
    [command] = re.findall(r"HRIMS_STATE_DIR=\S+ \S+hrims user reset-password admin", second.output)
    assert str(state) in command
    assert second.sign_in("admin", password)
    with psycopg.connect(second.dsn) as conn:
        assert conn.execute("SELECT count(*) FROM employees").fetchone() != (0,)
        assert conn.execute("SELECT state, outcome FROM runs").fetchall() == [("completed", "complete")]
    changed = second.hrims("user", "reset-password", "admin", "--password-stdin", stdin="another-one-9\n")
    assert changed.returncode == 0, changed.stderr
    assert second.sign_in("admin", "another-one-9")
    assert not second.sign_in("admin", password)
    assert_separate(shared, second)
    assert second.stop() == 0
    assert second.processes() == {}
    assert shared.is_ready()
    assert not shared.sign_in("asha", "a dry monsoon")


def assert_separate(shared: Product, other: Product) -> None:
    """Check that two instances that run share nothing. Add a user to the other one."""
    assert not shared.sign_in("admin", "another-one-9")
    assert shared.is_ready()
    databases = {one.dsn for one in (shared, other)}
    simulators = {(one.state / "simulator.url").read_text() for one in (shared, other)}
    assert len(databases) == len(simulators) == 2
    words = ("user", "add", "asha", "--role", "officer", "--password-stdin")
    assert other.hrims(*words, stdin="a dry monsoon").returncode == 0
    assert other.sign_in("asha", "a dry monsoon")


def test_a_database_a_remote_and_a_password_that_are_given_are_used_alone(
    userless_dsn: str, state: Path
) -> None:
    url = "http://127.0.0.1:9/hrims"
    params = {"DATABASE_URL": userless_dsn, "HRIMS_BASE_URL": url, "HRIMS_ADMIN_PASSWORD": "given-by-a-test"}
    with state_folder() as elsewhere:
        product = Product(state, TMPDIR=str(elsewhere.parent), **params).up()
        assert product.is_ready()
        assert not (state / "postgres").exists()
        assert product.pid_of("simulate") is None
        assert url in product.output
        assert "as given in DATABASE_URL" in product.output
        assert "as given in HRIMS_ADMIN_PASSWORD" in product.output
        assert "given-by-a-test" not in product.output
        assert product.sign_in("admin", "given-by-a-test")
        with psycopg.connect(userless_dsn) as conn:
            assert conn.execute("SELECT count(*) FROM institutions").fetchone() == (0,)
            assert conn.execute("SELECT name, role FROM users").fetchall() == [("admin", "administrator")]
        assert product.stop() == 0
        assert product.processes() == {}


def test_an_address_of_the_page_replaces_the_simulator(migrated: Path) -> None:
    page, password = "/dashboard/admin/connection", "given-by-a-test"
    with Simulator(sizes={"003": 7}, token="s3cret-of-tests") as simulator:
        first = Product(migrated, HRIMS_ADMIN_PASSWORD=password).up()
        assert "the simulator (for a real HRIMS: the page “HRIMS connection”)" in first.output
        with first.browser() as browser:
            assert first.sign_in("admin", password, browser)
            [token] = re.findall(r'name="csrf_token" value="([^"]+)"', browser.get(page).text)[:1]
            form = {"csrf_token": token, "address": simulator.url, "token": "s3cret-of-tests"}
            assert browser.post(page, data=form).status_code == 303
        wait_until(lambda: simulator.url in first.hrims("doctor").stdout, first.describe_state)
        wait_until(lambda: addresses(first) == [(simulator.url,)], first.describe_state)
        assert first.hrims("sync", "--vote", "003").returncode == 0
        assert simulator.counters()["requests"] > 1
        assert first.stop() == 0
        second = Product(migrated).up()
        assert second.pid_of("simulate") is None
        assert f"HRIMS       {simulator.url}" in second.output
        assert second.hrims("sync", "--vote", "003").returncode == 0
        with psycopg.connect(second.dsn) as conn:
            assert conn.execute("SELECT DISTINCT people FROM runs").fetchall() == [(7,)]
        assert second.stop() == 0
    logs = "".join(log.read_text() for log in (migrated / "log").iterdir())
    assert "s3cret-of-tests" not in first.output + second.output + logs


def addresses(product: Product) -> list[tuple[str]]:
    """Return the addresses of HRIMS that the live workers use."""
    with psycopg.connect(product.dsn) as conn:
        return conn.execute("SELECT address FROM workers WHERE ended_at IS NULL").fetchall()


@pytest.mark.parametrize("host", ["::1", "0.0.0.0"])  # noqa: S104 - that is what is tested
@pytest.mark.chaos
def test_other_addresses_to_listen_on(migrated: Path, host: str) -> None:
    product = Product(migrated, HRIMS_HOST=host).up()
    shown = "[::1]" if host == "::1" else "127.0.0.1"
    assert f"http://{shown}:{product.port}" in product.output
    assert product.stop() == 0
