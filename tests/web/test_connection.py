"""The page “HRIMS connection”: what it saves, what it shows, whose values win, and what it never shows."""

import re
from typing import Any

import pytest

from hrims.config import Settings
from hrims.db import Connection
from hrims.remote.connection.model import resolve_connection
from hrims.remote.connection.store import read_connection
from hrims.version import VERSION
from tests.support.secrets import dump, find_in
from tests.web.browsers import Browser
from tests.web.connections import HRIMS, PAGE, SAVED, SECRETS, audited, fields_of, saved


def test_it_works(administrator: Browser, conn: Connection, settings: Settings) -> None:
    page = administrator.get(PAGE).text
    assert "No address of HRIMS is known." in page
    answer = administrator.press(PAGE, **SAVED, connect_timeout="7.5", max_in_flight="9")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}?saved=yes")
    assert saved(conn, settings) == {
        "base_url": HRIMS,
        **SECRETS,
        "connect_timeout": 7.5,
        "max_in_flight": 9,
    }
    page = administrator.get(answer.location).text
    assert "Saved." in page
    assert f'value="{HRIMS}"' in page
    assert "Last changed by binti" in page
    assert f"<small>HRIMS Sync {VERSION} " in page
    assert len(re.findall(r"Set on <time [^>]*>[^<]*</time> by binti\.", page)) == 2
    assert page.count("Source: this page.") == 5
    assert "Source: default (125)." in page
    for secret in SECRETS.values():
        assert secret not in page
        assert not find_in(dump(conn), secret.encode())


def test_each_change_is_audited_without_secrets(administrator: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    administrator.press(
        PAGE, address=f"{HRIMS}/v2", max_in_flight="2", token="another-token", remove_api_key="yes"
    )
    nothing: dict[str, Any] = {"before": {}, "after": {}, "credentials": {}}
    assert audited(conn) == [
        (
            "binti",
            "connection.change",
            "connection",
            nothing
            | {
                "before": {"address": None},
                "after": {"address": HRIMS},
                "credentials": {"api_key": "set", "token": "set"},
            },
        ),
        (
            "binti",
            "connection.change",
            "connection",
            {
                "before": {"address": HRIMS, "max_in_flight": None},
                "after": {"address": f"{HRIMS}/v2", "max_in_flight": 2},
                "credentials": {"api_key": "removed", "token": "replaced"},
            },
        ),
    ]


def test_an_empty_credential_stays_and_an_empty_value_falls_back(
    administrator: Browser, conn: Connection, settings: Settings
) -> None:
    administrator.press(PAGE, **SAVED, connect_timeout="7", max_in_flight="9")
    assert administrator.press(PAGE, address=f"{HRIMS}/").status_code == 303
    assert saved(conn, settings) == {
        "base_url": HRIMS,
        **SECRETS,
        "connect_timeout": 10.0,
        "max_in_flight": 4,
    }


def test_credentials_do_not_follow_to_another_host(
    administrator: Browser, conn: Connection, settings: Settings
) -> None:
    """An administrator cannot read a secret by naming a server of their own."""
    administrator.press(PAGE, **SAVED)
    before = saved(conn, settings)
    for other in ("https://evil.example/api", "http://hrims.example.go.tz/api", f"{HRIMS[:-4]}:8443/api"):
        for path in (PAGE, f"{PAGE}/test"):
            answer = administrator.press(path, address=other)
            assert answer.status_code == 422
            assert "was saved for another address. Enter it again there." in answer.text
    assert saved(conn, settings) == before
    answer = administrator.press(PAGE, address="https://new.example/api", **{**SECRETS, "token": ""})
    assert answer.status_code == 422
    assert administrator.press(PAGE, address="https://new.example/api", **SECRETS).status_code == 303
    assert saved(conn, settings)["base_url"] == "https://new.example/api"


def test_an_address_that_is_changed_in_the_table_gets_no_credentials(
    administrator: Browser, conn: Connection, settings: Settings
) -> None:
    administrator.press(PAGE, **SAVED)
    conn.execute("UPDATE remote_connection SET address = 'https://evil.example/api'")
    found = resolve_connection(settings, read_connection(conn))
    assert (found.address, found.settings.token) == ("", "")
    assert "was saved for another address" in str(found.problem)
    assert "was saved for another address" in administrator.get(PAGE).text


BAD = {
    "address": (
        "hrims.example",
        "ftp://hrims.example",
        "https://",
        "https://u:p@hrims.example",
        "https://@hrims.example",
        f"{HRIMS}?x=1",
        f"{HRIMS}#x",
        f"{HRIMS}?",
        "https://hrims.example:99999",
        "https://hrims.example:0",
        "https://hrims .example",
        "https://[::1",
        "https://hrims.example\\@evil.example",
        "http://169.254.169.254/latest",
        "http://2852039166/",
        "http://0xa9.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::]/",
        "http://100.100.100.200/",
        "http://168.63.129.16/",
        "javascript:alert(1)",
        f"https://{'x' * 2000}.example",
    ),
    "api_key": ("two words", "s3crét", "x" * 1001),
    "token": ("a\tb",),
    "connect_timeout": ("0", "601", "soon", "nan"),
    "read_timeout": ("0", "3601"),
    "request_timeout": ("-1",),
    "max_in_flight": ("0", "101", "1.5"),
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
def test_a_wrong_value_is_refused(administrator: Browser, conn: Connection, field: str, value: str) -> None:
    for path in (PAGE, f"{PAGE}/test"):
        answer = administrator.press(path, **{"address": HRIMS, field: value})
        assert answer.status_code == 400, value
        assert "Nothing was changed." in answer.text
        assert "s3cr" not in answer.text
    assert read_connection(conn).version == 0
    assert audited(conn) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.7/api",
        "http://192.168.4.9:8080",
        "https://127.0.0.1:8443/api",
        "http://localhost",
        "HTTPS://Hrims.Example",
    ],
)
def test_private_and_local_addresses_are_taken(
    administrator: Browser, conn: Connection, address: str
) -> None:
    assert administrator.press(PAGE, address=address).status_code == 303
    assert read_connection(conn).address == address.replace("HTTPS", "https")


def test_what_was_typed_stays_in_a_refused_form_except_secrets(administrator: Browser) -> None:
    answer = administrator.press(PAGE, address=HRIMS, token="typed-token", connect_timeout="0")
    assert answer.status_code == 400
    fields = fields_of(answer.text)
    assert f'value="{HRIMS}"' in fields["address"]
    assert 'value="0"' in fields["connect_timeout"]
    assert "typed-token" not in answer.text
    assert "“Seconds to connect” must be a number from 0.1 to 600." in answer.text


def test_credentials_need_an_address(administrator: Browser, conn: Connection) -> None:
    answer = administrator.press(PAGE, **SECRETS)
    assert answer.status_code == 400
    assert "Enter the address first" in answer.text
    administrator.press(PAGE, **SAVED)
    answer = administrator.press(PAGE, **SAVED, remove_token="yes")
    assert answer.status_code == 400
    assert "Either enter or remove the token, not both." in answer.text


def test_what_changes_nothing_is_refused(administrator: Browser, conn: Connection) -> None:
    administrator.press(PAGE, **SAVED)
    answer = administrator.press(PAGE, address=HRIMS)
    assert answer.status_code == 409
    assert "This is the saved connection already." in answer.text
    assert len(audited(conn)) == 1


def test_who_may_not_is_refused(
    client: Browser, officer: Browser, auditor: Browser, administrator: Browser, conn: Connection
) -> None:
    for path in (PAGE, f"{PAGE}/workers"):
        assert client.get(path).status_code == 303
        for browser in (officer, auditor):
            assert browser.get(path).status_code == 403
    for path in (PAGE, f"{PAGE}/test"):
        assert client.post(path, data=SAVED).status_code == 303
        assert administrator.post(path, data=SAVED).status_code == 400, "without the form token"
        for browser in (officer, auditor):
            assert browser.press(path, **SAVED).status_code == 403
    assert read_connection(conn).version == 0
    assert f'href="{PAGE}"' in administrator.get("/dashboard/admin/runs").text
    for browser in (officer, auditor):
        assert f'href="{PAGE}"' not in browser.get("/dashboard/admin/runs").text
