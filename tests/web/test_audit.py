"""The page of the audit trail: its filter, its download, and its own records."""

import csv
import io
from typing import Any

import pytest

from hrims.access.audit import record
from hrims.audit import sequencer
from hrims.db import Connection
from tests.support.users import ASHA, BINTI, JUMA
from tests.web.browsers import Browser

PAGE, CSV = "/dashboard/admin/audit", "/dashboard/admin/audit/audit.csv"


@pytest.fixture(autouse=True)
def records(conn: Connection) -> None:
    """Write four records, three of them chained."""
    record(conn, ASHA, "run.cancel", "run:7", institution=1, reason="Wrong list")
    record(conn, JUMA, "leavers.approve", "leavers:3", run=7, before={"state": "waiting"}, people=4)
    record(conn, BINTI._replace(request_id="abc123"), "user.add", "user:omar", role="officer")
    sequencer.chain_all(conn)
    record(conn, ASHA, "run.ask", "run:8")


def shown(page: Any) -> list[str]:
    """Return which of the four records a page shows, by their objects."""
    return [name for name in ("run:7", "leavers:3", "user:omar", "run:8") if f">{name}</a>" in page.text]


def test_it_works(auditor: Browser) -> None:
    page = auditor.get(PAGE)
    assert page.status_code == 200
    assert shown(page) == ["run:7", "leavers:3", "user:omar", "run:8"]
    assert page.text.index(">run:8</a>") < page.text.index(">run:7</a>")
    assert "not chained yet" in page.text
    assert "Wrong list" in page.text
    assert "{&#34;state&#34;: &#34;waiting&#34;}" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("user=asha", ["run:7", "run:8"]),
        ("action=run", ["run:7", "run:8"]),
        ("action=run.cancel", ["run:7"]),
        ("action=ru", []),
        ("object=user:omar", ["user:omar"]),
        ("institution=1", ["run:7"]),
        ("run=7", ["run:7", "leavers:3"]),
        ("request=abc123", ["user:omar"]),
        ("since=2020-01-01&user=juma", ["leavers:3"]),
        ("until=2020-01-01", []),
        ("user=asha&action=run.ask", ["run:8"]),
        ("user=' OR true --", []),
    ],
)
def test_the_filter(auditor: Browser, query: str, found: list[str]) -> None:
    assert shown(auditor.get(f"{PAGE}?{query}")) == found


@pytest.mark.parametrize("query", ["since=2026-02-31", "since=yesterday", "run=x", "institution=0"])
def test_a_wrong_filter_is_refused(auditor: Browser, query: str) -> None:
    assert auditor.get(f"{PAGE}?{query}").status_code == 400
    assert auditor.get(f"{CSV}?{query}").status_code == 400


def test_the_download_has_what_the_filter_shows(auditor: Browser) -> None:
    with auditor.get(f"{CSV}?user=asha") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))
    assert [(row["sequence"], row["subject"], len(row["hash"])) for row in rows] == [
        ("1", "run:7", 64),
        ("", "run:8", 0),
    ]
    assert "attachment" in answer.headers["Content-Disposition"]


def test_its_use_is_recorded(auditor: Browser, conn: Connection) -> None:
    auditor.get(f"{PAGE}?user=asha&since=2020-01-01")
    auditor.get(CSV).close()
    rows = conn.execute(
        "SELECT actor, action, details FROM audit_log WHERE action LIKE 'audit.%' ORDER BY id"
    ).fetchall()
    assert rows == [
        ("salma", "audit.view", {"filters": ["since", "user"]}),
        ("salma", "audit.export", {"filters": []}),
    ]


def test_only_auditors_and_administrators_see_it(officer: Browser, administrator: Browser) -> None:
    assert officer.get(PAGE).status_code == 403
    assert officer.get(CSV).status_code == 403
    assert administrator.get(PAGE).status_code == 200
    assert 'href="/dashboard/admin/audit"' not in officer.get("/dashboard/admin/runs").text
    assert 'href="/dashboard/admin/audit"' in administrator.get("/dashboard/admin/runs").text
