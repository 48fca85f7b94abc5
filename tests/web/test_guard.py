"""Nothing answers without a sign-in but what is listed here."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from hrims.access import keys
from hrims.access.permissions import Permission
from hrims.db import Connection
from hrims.web.core import guard, permissions
from tests.support.users import PASSWORD, add_machine, add_user
from tests.web.browsers import Browser, new_browser

INSTITUTIONS = "/api/hrims/institutions"
FETCH = "/api/hrims/fetch-by-institution"


def path_of(rule: Rule) -> str:
    """Return an address that the rule matches."""
    path = rule.rule
    for argument in rule.arguments:
        path = path.replace(f"<{argument}>", "1").replace(f"<path:{argument}>", "x")
    return path


def test_everything_else_needs_a_sign_in(app: Flask) -> None:
    guarded = [rule for rule in app.url_map.iter_rules() if not permissions.is_public(app, rule.endpoint)]
    assert len(guarded) > 8
    for rule in guarded:
        for method in rule.methods or ():
            answer = new_browser(app).open(path_of(rule), method=method)
            if rule.rule.startswith("/api/"):
                assert answer.status_code == 401, (rule, method)
                assert method == "HEAD" or answer.get_json()["code"] == "not_signed_in"
                assert answer.headers["WWW-Authenticate"] == "Bearer"
            else:
                assert answer.status_code == 303, (rule, method)
                assert answer.location.startswith("/sign-in?next=/")


@pytest.mark.own_app
def test_a_view_outside_the_route_table_is_closed(
    app: Flask, client: Browser, officer: Browser, administrator: Browser
) -> None:
    app.add_url_rule("/new", "new", lambda: "private")
    assert client.get("/new").status_code == 303
    assert officer.get("/new").status_code == 403
    assert administrator.get("/new").status_code == 403


def test_a_button_leads_home_after_the_sign_in(client: Browser) -> None:
    assert client.post("/dashboard/admin/fetch-data").location == f"/sign-in?next={guard.HOME}"


def test_htmx_is_told_to_go_to_the_sign_in(client: Browser) -> None:
    headers = {
        "HX-Request": "true",
        "HX-Current-URL": "http://localhost/dashboard/admin/fetch-data?institution=7",
    }
    answer = client.get("/dashboard/admin/fetch-data/runs/1", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/dashboard/admin/fetch-data?institution%3D7"


@pytest.mark.parametrize("url", ["", "http://[", "http://x//evil.example", "nonsense"])
def test_htmx_is_led_home_from_odd_addresses(client: Browser, url: str) -> None:
    answer = client.get(guard.HOME, headers={"HX-Request": "true", "HX-Current-URL": url})
    assert answer.headers["HX-Redirect"] == f"/sign-in?next={guard.HOME}"


def test_a_token_opens_the_api(api: Browser) -> None:
    assert api.get(INSTITUTIONS).json == {"institutions": []}


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(client: Browser, conn: Connection, scheme: str) -> None:
    token = add_machine(conn, "nightly")
    assert client.get(INSTITUTIONS, headers={"Authorization": f"{scheme} {token}"}).status_code == 200


def test_a_token_does_not_open_the_pages(api: Browser) -> None:
    assert api.get(guard.HOME).status_code == 303


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer hrims_wrong", "hrims_wrong", "Basic YTpi", "Bearer \xe9", "Bearer a b"],
)
def test_a_wrong_token_is_refused_though_a_person_is_signed_in(officer: Browser, header: str) -> None:
    assert officer.get(INSTITUTIONS).status_code == 200
    answer = officer.get(INSTITUTIONS, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "bad_token"


def test_a_revoked_token_is_refused(api: Browser, conn: Connection) -> None:
    conn.execute("UPDATE tokens SET revoked_at = now()")
    assert api.get(INSTITUTIONS).status_code == 401


def test_a_token_needs_no_form_token(api: Browser) -> None:
    assert api.post(FETCH, data="{}").get_json()["code"] == "bad_identifier_type"


def test_a_session_writes_through_the_api_only_with_the_form_token(officer: Browser) -> None:
    answer = officer.post(FETCH, data="{}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "csrf")
    answer = officer.post(FETCH, data="{}", headers={"X-CSRFToken": "wrong"})
    assert answer.get_json()["code"] == "csrf"
    answer = officer.post(FETCH, data="{}", headers={"X-CSRFToken": officer.csrf()})
    assert answer.get_json()["code"] == "bad_identifier_type"


def test_a_button_without_the_form_token_is_refused(officer: Browser) -> None:
    assert officer.post(guard.HOME, data={"institution": "1"}).status_code == 400


def test_a_disabled_user_is_out_at_once(officer: Browser, conn: Connection) -> None:
    conn.execute("UPDATE users SET disabled_at = now() WHERE name = 'asha'")
    assert officer.get(INSTITUTIONS).status_code == 401
    assert officer.get(guard.HOME).status_code == 303


def test_an_auditor_looks_and_changes_nothing(auditor: Browser) -> None:
    assert auditor.get(guard.HOME).status_code == 200
    answer = auditor.press(guard.HOME, institution="1", identifier_type="tin")
    assert answer.status_code == 403
    answer = auditor.post(FETCH, data="{}", headers={"X-CSRFToken": auditor.csrf()})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_allowed")
    assert auditor.press("/sign-out").status_code == 303


@pytest.mark.own_app
def test_the_record_names_who_acts(officer: Browser, api: Browser, app: Flask) -> None:
    actors = []

    def act() -> str:
        actors.append(guard.actor())
        return ""

    for path in ("/act", "/api/act"):
        app.add_url_rule(path, path, act)
    permissions.attach(app, dict.fromkeys(("/act", "/api/act"), Permission.READ_RUNS))
    officer.get("/act")
    officer.get("/api/act")
    api.get("/api/act")
    assert [(actor.name, actor.via, actor.address, actor.role) for actor in actors] == [
        ("asha", "page", "127.0.0.1", "officer"),
        ("asha", "api", "127.0.0.1", "officer"),
        ("token:nightly", "api", "127.0.0.1", "administrator"),
    ]
    assert all(actor.user_id and actor.request_id for actor in actors)
    assert [bool(actor.token_id) for actor in actors] == [False, False, True]


class TestBehindProxies:
    """The address that is recorded."""

    def recorded(self, app: Flask, conn: Connection, forwarded: str, remote: str = "10.0.0.1") -> object:
        """Return the address in the record of a sign-in."""
        add_user(conn, "asha", "officer")
        browser = new_browser(app)
        browser.environ_base["REMOTE_ADDR"] = remote
        browser.environ_base["HTTP_X_FORWARDED_FOR"] = forwarded
        assert browser.press("/sign-in", name="asha", password=PASSWORD).status_code == 303
        row = conn.execute("SELECT host(address) FROM audit_log WHERE action = 'session.sign_in'").fetchone()
        assert row
        return row[0]

    def test_no_proxy_is_trusted_by_default(self, app: Flask, conn: Connection) -> None:
        assert self.recorded(app, conn, "192.0.2.7") == "10.0.0.1"

    @pytest.mark.parametrize("environment", [{"HRIMS_TRUSTED_PROXIES": "1"}], indirect=True)
    def test_the_trusted_one_is(self, app: Flask, conn: Connection) -> None:
        assert self.recorded(app, conn, "198.51.100.1, 192.0.2.7") == "192.0.2.7"

    @pytest.mark.parametrize("environment", [{"HRIMS_TRUSTED_PROXIES": "1"}], indirect=True)
    @pytest.mark.parametrize("odd", ["unknown", "192.0.2.7:4711", "<script>", "1.2.3.4.5"])
    def test_what_is_no_address_is_not_recorded(self, app: Flask, conn: Connection, odd: str) -> None:
        assert self.recorded(app, conn, odd) is None

    @pytest.mark.parametrize(
        ("remote", "kept"),
        [
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("", None),
        ],
    )
    def test_addresses_are_recorded_plainly(
        self, app: Flask, conn: Connection, remote: str, kept: object
    ) -> None:
        assert self.recorded(app, conn, "192.0.2.9", remote) == kept


def test_the_cookie_of_another_database_is_not_accepted(client: Browser, conn: Connection) -> None:
    client.set_cookie(f"hrims_session_{keys.instance_id(conn)}", "x" * 43)
    assert client.get(guard.HOME).status_code == 303
