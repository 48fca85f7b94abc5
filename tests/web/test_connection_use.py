"""The page “HRIMS connection”: settings of the environment, the test, and what each worker uses."""

import re

import pytest

from hrims.config import Settings
from hrims.db import Connection
from hrims.remote.connection.store import read_connection
from tests.database.runs import register_worker
from tests.support.simulated import Simulator
from tests.web.browsers import Browser
from tests.web.connections import HRIMS, PAGE, SAVED, SECRETS, audited, fields_of, saved


@pytest.mark.parametrize(
    "environment",
    [{"HRIMS_BASE_URL": "http://10.0.0.7", "HRIMS_TOKEN": "env-token", "HRIMS_READ_TIMEOUT": "77"}],
    indirect=True,
)
def test_settings_of_the_environment_win_and_are_shown_as_such(
    administrator: Browser, conn: Connection, settings: Settings
) -> None:
    answer = administrator.press(PAGE, **SAVED, read_timeout="5", connect_timeout="3")
    assert answer.status_code == 303
    stored = read_connection(conn)
    assert (stored.address, stored.read_timeout, stored.connect_timeout) == (None, None, 3.0)
    assert stored.credentials.keys() == {"api_key"}
    assert saved(conn, settings) | {"max_in_flight": 0} == {
        "base_url": "http://10.0.0.7",
        "api_key": SECRETS["api_key"],
        "token": "env-token",
        "connect_timeout": 3.0,
        "max_in_flight": 0,
    }
    page = administrator.get(PAGE).text
    fields = fields_of(page)
    disabled = {name for name, tag in fields.items() if "disabled" in tag}
    assert disabled == {"address", "token", "read_timeout"}
    assert 'value="http://10.0.0.7"' in fields["address"]
    assert 'value="77"' in fields["read_timeout"]
    for name in ("HRIMS_BASE_URL", "HRIMS_TOKEN", "HRIMS_READ_TIMEOUT"):
        assert f"Source: environment (<code>{name}</code>), which wins over this page." in page
    assert "env-token" not in page


@pytest.mark.parametrize("environment", [{"HRIMS_TOKEN": "env-token"}], indirect=True)
def test_credentials_of_the_environment_go_to_no_address_of_the_page(
    administrator: Browser, conn: Connection
) -> None:
    for path in (PAGE, f"{PAGE}/test"):
        answer = administrator.press(path, address="https://evil.example")
        assert answer.status_code == 422
        assert (
            "HRIMS_TOKEN is set for this process, and is sent only to the address in HRIMS_BASE_URL."
            in answer.text
        )
    assert read_connection(conn).version == 0


@pytest.mark.own_app
def test_another_encryption_key_is_said_and_the_page_still_opens(
    administrator: Browser, conn: Connection, settings: Settings
) -> None:
    administrator.press(PAGE, **SAVED)
    conn.execute("UPDATE remote_credentials SET value = %s", (b"gAAAAA" + b"x" * 120,))
    page = administrator.get(PAGE)
    assert page.status_code == 200
    assert "cannot be decrypted with the key in HRIMS_ENCRYPTION_KEY" in page.text
    assert administrator.press(PAGE, address=HRIMS, connect_timeout="5").status_code == 422
    assert administrator.press(PAGE, **SAVED).status_code == 303
    assert saved(conn, settings)["token"] == SECRETS["token"]


# Test connection


def test_the_typed_connection_is_tested_and_not_saved(administrator: Browser, conn: Connection) -> None:
    with Simulator(scale=0.02, api_key=SECRETS["api_key"], token=SECRETS["token"]) as simulator:
        answer = administrator.press(f"{PAGE}/test", address=simulator.url, **SECRETS)
        assert answer.status_code == 200
        assert [*re.findall(r'<span class="state \w+">(\w+)</span>', answer.text)] == ["ok"] * 5
        assert "HRIMS accepts the credentials." in answer.text
        assert f'value="{simulator.url}"' in fields_of(answer.text)["address"]
        for secret in SECRETS.values():
            assert secret not in answer.text
        wrong = administrator.press(
            f"{PAGE}/test", address=simulator.url, **{**SECRETS, "token": "wrong-token"}
        )
        assert "HRIMS does not accept the credentials." in wrong.text
        assert "wrong-token" not in wrong.text
    assert read_connection(conn).version == 0
    tests = [(action, details["failed"]) for _, action, _, details in audited(conn)]
    assert tests == [("connection.test", None), ("connection.test", "Sign-in")]


def test_the_saved_connection_is_tested_with_its_secrets(administrator: Browser) -> None:
    with Simulator(scale=0.02, api_key=SECRETS["api_key"], token=SECRETS["token"]) as simulator:
        administrator.press(PAGE, address=simulator.url, **SECRETS)
        answer = administrator.post(
            f"{PAGE}/test",
            data={"address": simulator.url, "csrf_token": administrator.csrf()},
            headers={"HX-Request": "true"},
        )
    assert "<html" not in answer.text
    assert answer.text.count(">ok</span>") == 5


def test_a_refusal_is_shown_by_htmx_too(administrator: Browser) -> None:
    answer = administrator.post(
        f"{PAGE}/test",
        data={"address": "http://169.254.169.254/", "csrf_token": administrator.csrf()},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200
    assert "169.254.169.254 is an address that HRIMS cannot have" in answer.text
    assert ">ok</span>" not in answer.text


# Workers


def test_each_worker_shows_the_connection_that_it_uses(administrator: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    for version, problem in ((1, None), (0, None), (1, "No address of HRIMS is known.")):
        worker = register_worker(conn)
        conn.execute(
            "UPDATE workers SET pid = worker_id, connection_version = %s, remote_problem = %s"
            " WHERE worker_id = %s",
            (version, problem, worker),
        )
    found = administrator.get(f"{PAGE}/workers").text
    assert "<html" not in found
    assert re.findall(r'<span class="state \w+">([\w ]+)</span>', found) == [
        "current",
        "changing",
        "not usable",
    ]
    assert "No address of HRIMS is known." in found


def test_without_workers_it_says_so(administrator: Browser) -> None:
    assert "No worker is running." in administrator.get(f"{PAGE}/workers").text


def test_a_sign_in_that_is_not_recent_is_confirmed_first(administrator: Browser, conn: Connection) -> None:
    token = administrator.csrf()
    conn.execute("UPDATE sessions SET confirmed_at = now() - interval '11 minutes'")
    assert administrator.get(PAGE).location.startswith("/sign-in/confirm")
    for path in (PAGE, f"{PAGE}/test"):
        answer = administrator.post(path, data={**SAVED, "csrf_token": token})
        assert (answer.status_code, answer.location.startswith("/sign-in/confirm")) == (303, True)
    assert read_connection(conn).version == 0
    assert audited(conn) == []
