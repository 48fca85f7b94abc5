"""GET and POST /api/hrims/webhooks and what is below it."""

import base64

import pytest
from flask import Flask

from hrims.db import Connection
from tests.database.webhooks import endpoint
from tests.support.users import add_machine
from tests.web.browsers import Browser, new_browser
from tests.web.runs import error_of
from tests.web.webhooks import API, UNKNOWN_KEY, URL, audited, failed, told

__all__ = ["told"]

DEEDS = ("on", "off", "remove", "test")


def test_it_works(api: Browser, conn: Connection) -> None:
    answer = api.post(API, json={"url": URL, "description": "Payroll"})
    body = answer.get_json()
    assert answer.status_code == 201
    assert len(base64.b64decode(body.pop("secret").removeprefix("whsec_"))) == 32
    del body["madeAt"]
    assert body == {
        "success": True, "id": 1, "url": URL, "description": "Payroll", "active": True, "offBecause": None,
        "madeBy": "token:nightly", "waiting": 0, "failed": 0,
    }  # fmt: skip
    answer = api.get(API)
    assert [one["url"] for one in answer.get_json()["endpoints"]] == [URL]
    assert "whsec_" not in answer.text
    assert audited(conn) == [("token:nightly", "api", "webhook.add", "webhook:1")]


def test_a_scheme_in_capitals_is_the_same(api: Browser) -> None:
    added = api.post(API, json={"url": "HTTPS://Receiver.example/Hook?Key=A"})
    assert added.status_code == 201, added.text
    shown = api.get(API).get_json()["endpoints"]
    assert [one["url"] for one in shown] == ["https://Receiver.example/Hook?Key=A"]


def test_two_endpoints_have_two_secrets(api: Browser) -> None:
    assert len({api.post(API, json={"url": URL}).get_json()["secret"] for _ in range(2)}) == 2


def test_an_endpoint_is_switched_tried_out_and_removed(api: Browser, conn: Connection) -> None:
    endpoint(conn)
    assert api.post(f"{API}/1/off").get_json()["active"] is False
    assert api.post(f"{API}/1/on").get_json()["active"] is True
    answer = api.post(f"{API}/1/test")
    assert answer.status_code == 202
    body = api.get(answer.get_json()["messageUrl"]).get_json()
    assert (body["type"], body["jobId"], body["state"], body["attempts"]) == (
        "webhook.test",
        None,
        "waiting",
        [],
    )
    assert api.get(API).get_json()["endpoints"][0]["waiting"] == 1
    assert api.post(f"{API}/1/remove").get_json()["success"] is True
    assert api.get(API).get_json()["endpoints"] == []
    assert error_of(api.post(f"{API}/1/test")) == (404, "unknown_endpoint")
    deeds = [action for _, _, action, _ in audited(conn)[1:]]
    assert deeds == ["webhook.off", "webhook.on", "webhook.test", "webhook.remove"]


def test_a_message_is_shown_with_every_try_and_sent_again(api: Browser, conn: Connection, told: str) -> None:
    failed(conn)
    [listed] = api.get(f"{API}/messages").get_json()["messages"]
    assert (listed["id"], listed["jobId"], listed["state"], listed["status"]) == (told, "1", "failed", 500)
    body = api.get(f"{API}/messages/{told}").get_json()
    assert body["payload"]["data"]["state"] == "failed"
    [tried] = body["attempts"]
    assert (tried["number"], tried["status"], tried["milliseconds"]) == (1, 500, 1234)
    answer = api.post(f"{API}/messages/{told}/again")
    assert (answer.status_code, answer.get_json()["state"], answer.get_json()["tries"]) == (202, "waiting", 1)
    assert audited(conn)[-1] == ("token:nightly", "api", "webhook.send_again", "webhook:1")


def test_messages_come_page_by_page(api: Browser, conn: Connection) -> None:
    endpoint(conn)
    for _ in range(101):
        api.post(f"{API}/1/test")
    first = api.get(f"{API}/messages").get_json()
    assert len(first["messages"]) == 100
    second = api.get(first["next"]).get_json()
    assert (second["page"], len(second["messages"]), second["next"]) == (2, 1, None)
    assert error_of(api.get(f"{API}/messages?page=0")) == (400, "bad_page")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (b"", (400, "not_json")), (b"[]", (400, "not_json")), (b"{}", (400, "bad_url")),
        (b'{"url": 7}', (400, "bad_url")), (b'{"url": " "}', (400, "bad_url")),
        (b'{"url": "receiver.example"}', (400, "bad_url")),
        (b'{"url": "https://receiver.example", "description": null}', (400, "bad_description")),
        (b'{"url": "https://receiver.example", "description": "a\\nb"}', (400, "bad_description")),
        (b'{"url": "http://127.0.0.1/"}', (422, "private_address")),
        (b'{"url": "http://LOCALHOST./"}', (422, "private_address")),
        (b'{"url": "http://0x7f.1/"}', (422, "private_address")),
        (b'{"url": "http://[fd00::1]/"}', (422, "private_address")),
        (b'{"url": "http://[::ffff:10.0.0.1]/"}', (422, "private_address")),
    ],
)  # fmt: skip
def test_what_may_not_be_asked_is_refused(
    api: Browser, conn: Connection, given: bytes, error: tuple[int, str]
) -> None:
    assert error_of(api.post(API, data=given)) == error
    assert conn.execute("SELECT count(*) FROM webhook_endpoints").fetchone() == (0,)
    assert audited(conn) == []


def test_what_changes_nothing_is_refused(api: Browser, conn: Connection, told: str) -> None:
    assert error_of(api.post(f"{API}/1/on")) == (409, "no_change")
    assert error_of(api.post(f"{API}/messages/{told}/again")) == (409, "under_way")
    api.post(f"{API}/1/off")
    assert error_of(api.post(f"{API}/1/test")) == (409, "endpoint_off")
    failed(conn)
    assert error_of(api.post(f"{API}/messages/{told}/again")) == (409, "endpoint_off")


def test_what_is_not_there_is_refused(api: Browser) -> None:
    for deed in DEEDS:
        assert error_of(api.post(f"{API}/7/{deed}")) == (404, "unknown_endpoint")
        assert error_of(api.post(f"{API}/x/{deed}")) == (400, "bad_endpoint_id")
    for key in (UNKNOWN_KEY, "1", "msg_"):
        assert error_of(api.get(f"{API}/messages/{key}")) == (404, "unknown_message")
        assert error_of(api.post(f"{API}/messages/{key}/again")) == (404, "unknown_message")


def test_who_may_not_is_refused(
    auditor: Browser,
    app: Flask,
    client: Browser,
    officer: Browser,
    administrator: Browser,
    conn: Connection,
    told: str,
) -> None:
    machine = new_browser(app)
    token = add_machine(conn, "payroll", "officer")
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    for path in (API, f"{API}/messages", f"{API}/messages/{told}"):
        assert error_of(client.get(path)) == (401, "not_signed_in")
        for browser in (officer, machine):
            assert error_of(browser.get(path)) == (403, "not_allowed")
        assert auditor.get(path).status_code == 200
    assert [one["url"] for one in auditor.get(API).get_json()["endpoints"]] == ["https://receiver.example"]
    for path in (API, *(f"{API}/1/{deed}" for deed in DEEDS), f"{API}/messages/{told}/again"):
        assert error_of(client.post(path)) == (401, "not_signed_in")
        assert error_of(administrator.post(path)) == (400, "csrf")
        assert error_of(machine.post(path)) == (403, "not_allowed")
        for browser in (officer, auditor):
            answer = browser.post(path, headers={"X-CSRFToken": browser.csrf()})
            assert error_of(answer) == (403, "not_allowed")
    assert conn.execute("SELECT count(*), bool_and(active) FROM webhook_endpoints").fetchone() == (1, True)
    assert len(audited(conn)) == 1
