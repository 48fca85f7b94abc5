"""The page of webhooks."""

import re

import pytest

from hrims.db import Connection
from tests.database.webhooks import endpoint
from tests.web.browsers import Browser
from tests.web.webhooks import PAGE, UNKNOWN_KEY, URL, audited, failed, key_of, told

__all__ = ["told"]

DEEDS = ("on", "off", "remove", "test")


def test_it_works(administrator: Browser, conn: Connection) -> None:
    assert "No endpoints yet." in administrator.get(PAGE).text
    answer = administrator.press(PAGE, url=f" {URL} ", description="Payroll")
    assert answer.status_code == 201
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)
    assert "shown only once" in answer.text
    page = administrator.get(PAGE).text
    assert "Payroll" in page
    assert URL in page
    assert "Added by binti" in page
    assert secret not in page
    assert "whsec_" not in page
    assert audited(conn) == [("binti", "page", "webhook.add", "webhook:1")]
    details = conn.execute("SELECT details FROM audit_log WHERE action = 'webhook.add'").fetchall()
    assert details == [({"host": "receiver.example"},)]


def test_an_endpoint_is_switched_tried_out_and_removed(administrator: Browser, conn: Connection) -> None:
    endpoint(conn, URL)
    for deed, now in (("off", False), ("on", True)):
        answer = administrator.press(f"{PAGE}/1/{deed}")
        assert (answer.status_code, answer.location) == (303, PAGE)
        assert conn.execute("SELECT active FROM webhook_endpoints").fetchall() == [(now,)]
    assert administrator.press(f"{PAGE}/1/test").status_code == 303
    assert "webhook.test" in administrator.get(PAGE).text
    assert administrator.press(f"{PAGE}/1/remove").status_code == 303
    assert "No endpoints yet." in administrator.get(PAGE).text
    assert "webhook.test" not in administrator.get(PAGE).text
    assert conn.execute("SELECT secret FROM webhook_endpoints").fetchall() == [(None,)]
    assert administrator.press(f"{PAGE}/1/on").status_code == 404
    deeds = [action for _, _, action, _ in audited(conn)[1:]]
    assert deeds == ["webhook.off", "webhook.on", "webhook.test", "webhook.remove"]


def test_a_message_is_shown_with_every_try_and_sent_again(
    administrator: Browser, conn: Connection, told: str
) -> None:
    failed(conn)
    page = administrator.get(PAGE).text
    assert "run.failed" in page
    assert "The receiver answered 500." in page
    page = administrator.get(f"{PAGE}/messages/{told}").text
    assert "1,234" in page
    assert "institutionName" in page
    answer = administrator.press(f"{PAGE}/messages/{told}/again")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/messages/{told}")
    assert conn.execute("SELECT key, state, failures FROM webhook_messages").fetchall() == [
        (told, "waiting", 0)
    ]
    assert "Resend message" not in administrator.get(answer.location).text
    assert audited(conn)[-1] == ("binti", "page", "webhook.send_again", "webhook:1")


def test_messages_come_page_by_page(administrator: Browser, conn: Connection) -> None:
    endpoint(conn, URL)
    for _ in range(26):
        administrator.press(f"{PAGE}/1/test")
    first = administrator.get(PAGE).text
    assert first.count("webhook.test") == 25
    assert "page=2" in first
    assert administrator.get(f"{PAGE}?page=2").text.count("webhook.test") == 1
    assert "Nothing on this page." in administrator.get(f"{PAGE}?page=3").text
    assert administrator.get(f"{PAGE}?page=0").status_code == 400


def test_one_that_switched_itself_off_says_why(administrator: Browser, conn: Connection) -> None:
    endpoint(conn, URL)
    conn.execute("UPDATE webhook_endpoints SET active = false, off_because = 'It is gone for good.'")
    assert "It is gone for good." in administrator.get(PAGE).text
    administrator.press(f"{PAGE}/1/on")
    assert "It is gone for good." not in administrator.get(PAGE).text


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("", 400), ("receiver.example", 400), ("ftp://receiver.example", 400), ("javascript:alert(1)", 400),
        ("https://user:pw@receiver.example", 400), ("http://127.0.0.1/hook", 422), ("http://localhost", 422),
        ("http://[::1]/", 422), ("http://2130706433/", 422), ("https://10.0.0.1/", 422),
        ("http://169.254.169.254/latest", 422), ("http://[::ffff:192.168.0.1]/", 422),
    ],
)  # fmt: skip
def test_what_may_not_be_asked_is_refused_and_said(
    administrator: Browser, conn: Connection, url: str, status: int
) -> None:
    answer = administrator.press(PAGE, url=url, description="Payroll")
    assert answer.status_code == status
    assert "Nothing was added." in answer.text or "url is missing" in answer.text
    assert 'value="Payroll"' in answer.text
    assert "whsec_" not in answer.text
    assert conn.execute("SELECT count(*) FROM webhook_endpoints").fetchone() == (0,)
    assert audited(conn) == []


@pytest.mark.parametrize("environment", [{"HRIMS_WEBHOOK_PRIVATE": "yes"}], indirect=True)
def test_a_private_address_is_taken_when_the_setting_says_so(
    administrator: Browser, conn: Connection
) -> None:
    assert administrator.press(PAGE, url="http://127.0.0.1:8080/hook").status_code == 201


def test_a_description_is_one_short_line(administrator: Browser) -> None:
    assert administrator.press(PAGE, url=URL, description="x" * 201).status_code == 400
    assert administrator.press(PAGE, url=URL, description="a\x00b").status_code == 400


def test_what_it_is_for_is_text_and_no_markup(administrator: Browser) -> None:
    administrator.press(PAGE, url="https://receiver.example/<b>", description="<script>alert(1)</script>")
    page = administrator.get(PAGE).text
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_what_changes_nothing_is_refused(administrator: Browser, conn: Connection, told: str) -> None:
    answer = administrator.press(f"{PAGE}/1/on")
    assert answer.status_code == 409
    assert "is on already" in answer.text
    answer = administrator.press(f"{PAGE}/messages/{told}/again")
    assert answer.status_code == 409
    assert "on its way already" in answer.text
    administrator.press(f"{PAGE}/1/off")
    assert administrator.press(f"{PAGE}/1/test").status_code == 409
    failed(conn)
    assert administrator.press(f"{PAGE}/messages/{told}/again").status_code == 409
    assert [action for *_, action, _ in audited(conn)] == ["webhook.add", "webhook.off"]


def test_what_is_not_there_is_refused(administrator: Browser, conn: Connection) -> None:
    for deed in DEEDS:
        assert administrator.press(f"{PAGE}/7/{deed}").status_code == 404
        assert administrator.press(f"{PAGE}/x/{deed}").status_code == 400
    for key in (UNKNOWN_KEY, "1", "msg_", "msg_" + 32 * "g"):
        assert administrator.get(f"{PAGE}/messages/{key}").status_code == 404
        assert administrator.press(f"{PAGE}/messages/{key}/again").status_code == 404
    assert audited(conn) == []


def test_who_may_not_is_refused(
    auditor: Browser, client: Browser, officer: Browser, administrator: Browser, conn: Connection, told: str
) -> None:
    looks = (PAGE, f"{PAGE}/messages/{told}")
    acts = (PAGE, *(f"{PAGE}/1/{deed}" for deed in DEEDS), f"{PAGE}/messages/{told}/again")
    for path in looks:
        assert client.get(path).status_code == 303
        assert officer.get(path).status_code == 403
        assert URL not in officer.get(path).text
    for path in acts:
        assert client.post(path).status_code == 303
        assert administrator.post(path, data={"url": URL}).status_code == 400, "without the form token"
        for browser in (officer, auditor):
            assert browser.press(path, url=URL).status_code == 403
    assert conn.execute("SELECT count(*), bool_and(active) FROM webhook_endpoints").fetchone() == (1, True)
    assert key_of(conn) == told
    assert len(audited(conn)) == 1


def test_an_auditor_reads_without_secrets_and_buttons(auditor: Browser, conn: Connection, told: str) -> None:
    failed(conn)
    for path in (PAGE, f"{PAGE}/messages/{told}"):
        page = auditor.get(path)
        assert page.status_code == 200
        assert "https://receiver.example<" in page.text
        assert "The receiver answered 500." in page.text
        assert not re.search(r"s3cret|/hook|whsec_", page.text)
        assert re.findall(r'action="([^"]+)"', page.text) == ["/sign-out"]


def test_administrators_and_auditors_see_the_link(
    auditor: Browser, administrator: Browser, officer: Browser
) -> None:
    assert f'href="{PAGE}"' in administrator.get("/dashboard/admin/fetch-data").text
    assert f'href="{PAGE}"' in auditor.get("/dashboard/admin/fetch-data").text
    assert f'href="{PAGE}"' not in officer.get("/dashboard/admin/fetch-data").text
