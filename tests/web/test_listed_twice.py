"""The confirmed number of people who are listed twice has one name on the page and in the API."""

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, institution


def test_page_and_api_say_the_same(officer: Browser, api: Browser, conn: Connection) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, institution(conn)))
    # HRIMS confirmed two of the five people that a page repeated.
    conn.execute("UPDATE runs SET people = 58, seen_twice = 5")
    conn.execute("UPDATE run_progress SET remote_total = 60, repeated = 2")
    page = officer.get(f"/dashboard/admin/fetch-data/runs/{run_id}").text
    assert "2 people are listed twice." in page
    assert "<dt>Listed twice</dt><dd>2</dd>" in page
    assert api.get(f"/api/hrims/job-status/{run_id}").get_json()["result"]["listedTwice"] == 2
