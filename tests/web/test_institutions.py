"""GET /api/hrims/institutions."""

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import institution


def test_it_works(api: Browser, conn: Connection) -> None:
    id_ = institution(conn)
    conn.execute("INSERT INTO institutions (name) VALUES ('SEKRETARIETI YA AJIRA .')")
    assert api.get("/api/hrims/institutions").get_json() == {
        "institutions": [
            {"id": id_ + 1, "name": "SEKRETARIETI YA AJIRA .", "voteNumber": None, "tinNumber": None},
            {"id": id_, "name": "WIZARA YA AFYA", "voteNumber": "001", "tinNumber": "156255890"},
        ]
    }


def test_an_officers_browser_may_ask_too(officer: Browser) -> None:
    assert officer.get("/api/hrims/institutions").get_json() == {"institutions": []}
