"""The screen of rejects across runs, and its downloads."""

import csv
import io
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from hrims.db import Connection
from hrims.rejects import export
from tests.database import previews
from tests.support.people import record
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.cases import add_case, met_by
from tests.web.runs import institution
from tests.web.test_previews import do

HERE = "/dashboard/admin/rejects"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def sheet(browser: Browser, query: str = "") -> list[list[str]]:
    """Return the cells of the XLSX, row by row, as texts."""
    answer = browser.get(f"{HERE}/rejects.xlsx?{query}")
    assert answer.content_type.endswith("spreadsheetml.sheet")
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as book:
        assert book.testzip() is None
        root = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
    assert not root.findall(f".//{MAIN}f"), "a formula"
    return [["".join(cell.itertext()) for cell in row] for row in root.iter(f"{MAIN}row")]


def table(browser: Browser, query: str = "") -> list[dict[str, str]]:
    """Return the rows of the CSV by heading."""
    answer = browser.get(f"{HERE}/rejects.csv?{query}")
    assert answer.content_type == "text/csv; charset=utf-8"
    body = answer.get_data()
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_it_works(officer: Browser, conn: Connection) -> None:
    add_case(conn, met_by(conn, institution(conn)))
    page = text(officer, HERE)
    for words in (
        "1 open, 0 closed",
        "The date is not one that can be read.",
        "Have the date corrected in HRIMS",
    ):
        assert words in page
    assert "58•••••00" in page
    assert re.search(r'href="/dashboard/admin/rejects" aria-current="page"', page)


def test_the_page_says_whose_record_it_is(officer: Browser, app: Flask, conn: Connection) -> None:
    run = met_by(conn, institution(conn))
    add_case(conn, run, 1, person=("Asha <b>Juma</b>", "963000", "Wizara ya Afya"))
    add_case(conn, run, 2, "remote_breaks", masked=None, person=(None, None, None))
    supervisor, auditor = (
        signed_in(new_browser(app), conn, name, role)
        for name, role in (("juma", "supervisor"), ("salma", "auditor"))
    )
    for browser, name, number in (
        (supervisor, "Asha &lt;b&gt;Juma", "963000"),
        (officer, "Asha &lt;b&gt;Juma", "••••••"),
        (auditor, "•••<br>", "••••••"),
    ):
        page = text(browser, HERE)
        for words in (name, f"payroll number {number}<", "Wizara ya Afya"):
            assert page.count(words) == 1, words
        assert ("Juma" in page, "963000" in page) == ("Juma" in name, number == "963000")


def test_the_downloads_say_whose_record_it_is(
    administrator: Browser, officer: Browser, conn: Connection
) -> None:
    run = met_by(conn, institution(conn))
    add_case(conn, run, person=('=HYPERLINK("http://x")', "+963000", "@Wizara"))
    (row,) = table(administrator)
    assert [row[name] for name in ("Name", "Payroll number", "Workplace")] == [
        *('\'=HYPERLINK("http://x")', "'+963000", "'@Wizara")
    ]
    assert sheet(administrator)[1][-3:] == ['=HYPERLINK("http://x")', "+963000", "@Wizara"]
    (row,) = table(officer)
    assert [row["Payroll number"], row["ZanID (masked)"]] == ["•••••••", "58•••••00"]
    assert sheet(officer)[1][-2] == "•••••••"


def test_no_address_holds_a_person(officer: Browser, conn: Connection) -> None:
    add_case(conn, met_by(conn, institution(conn)))
    addresses = re.findall(r'(?:href|action|hx-[a-z]+)="([^"]*)"', text(officer, HERE))
    assert addresses
    assert not any(word in address for address in addresses for word in ("Asha", "963000", "Wizara"))


def test_nothing_is_there(officer: Browser) -> None:
    page = text(officer, HERE)
    assert "No rejects match." in page
    assert "Download" not in page


def test_the_fragment_is_the_same_part_and_the_address_follows(officer: Browser, conn: Connection) -> None:
    at = institution(conn)
    add_case(conn, met_by(conn, at))
    answer = officer.get(f"{HERE}/table?institution={at}&state=all&code=")
    part = answer.get_data(as_text=True)
    assert "<html" not in part
    assert answer.headers["HX-Replace-Url"] == f"{HERE}?institution={at}&state=all&code="
    tokens = re.compile(r'name="csrf_token" value="[^"]+"')
    assert tokens.sub("", part).strip() in tokens.sub("", text(officer, f"{HERE}?institution={at}&state=all"))


def test_pages_lead_to_one_another(officer: Browser, conn: Connection) -> None:
    run = met_by(conn, institution(conn))
    for place in range(51):
        add_case(conn, run, place)
    first, second = text(officer, f"{HERE}?code=bad_date"), text(officer, f"{HERE}?code=bad_date&page=2")
    assert "Page 1 of 2" in first
    assert f'href="{HERE}?code=bad_date&amp;page=2" rel="next"' in first
    assert f'href="{HERE}?code=bad_date" rel="prev"' in second
    assert (first.count("<tr>"), second.count("<tr>")) == (51, 2)


@pytest.mark.parametrize("query", ["institution=x", "code=nonsense", "state=ajar", "page=0", "type=name"])
def test_an_invalid_filter_is_explained_on_the_page(officer: Browser, query: str) -> None:
    for path in (HERE, f"{HERE}/table"):
        answer = officer.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert 'role="alert"' in answer.get_data(as_text=True)
    assert officer.get(f"{HERE}/rejects.csv?{query}").status_code == 400


def test_csv(officer: Browser, conn: Connection) -> None:
    at, other = institution(conn), institution(conn, "OFISI YA MUFTI MKUU", "002", "156255891")
    run = met_by(conn, at)
    add_case(conn, run)
    add_case(conn, run, 60, closed=True)
    add_case(conn, met_by(conn, other, "002"), masked=None)
    rows = table(officer, "state=all")
    assert [row["Institution"] for row in rows] == ["OFISI YA MUFTI MKUU", "WIZARA YA AFYA", "WIZARA YA AFYA"]
    (row,) = table(officer, f"institution={at}")
    assert row["State"] == "open"
    assert row["ZanID (masked)"] == "58•••••00"
    where = [row[name] for name in ("Record", "Page size", "Page (from 0)", "Position (from 0)")]
    assert where == ["58", "100", "0", "57"]
    assert row["What to do"] == "Have the date corrected in HRIMS."
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", row["First met"])


def test_xlsx(officer: Browser, conn: Connection) -> None:
    add_case(conn, met_by(conn, institution(conn)))
    head, row = sheet(officer)
    assert tuple(head) == export.HEADINGS
    assert row[:4] == ["WIZARA YA AFYA", "vote code", "open", "Invalid date"]
    assert "58" in row


@pytest.mark.parametrize("start", [*"=+-@＝＋－＠", "\t", "\r", "\n", " =", '"='])
def test_no_cell_is_run_as_a_formula(officer: Browser, conn: Connection, start: str) -> None:
    at = institution(conn)
    name = f'{start}HYPERLINK("http://x")'
    add_case(conn, met_by(conn, at))
    conn.execute("UPDATE reject_cases SET reason = %s", (name,))
    assert table(officer)[0]["Reason"] == f"'{name}"
    assert sheet(officer)[1][5].replace("_x000D_", "\r").replace("_x0009_", "\t") == name


def test_no_part_of_a_cell_is_run_as_a_formula(officer: Browser, conn: Connection) -> None:
    add_case(conn, met_by(conn, institution(conn)))
    conn.execute("UPDATE reject_cases SET reason = 'a;=1;b,@x'")
    assert table(officer)[0]["Reason"] == "a;'=1;b,'@x"
    assert sheet(officer)[1][5] == "a;=1;b,@x"


def test_many_are_written_in_bounded_memory(officer: Browser, conn: Connection) -> None:
    run = met_by(conn, institution(conn))
    conn.execute(
        """
        INSERT INTO reject_cases (institution_id, identifier_type, record_key, by_place, code, reason,
            page_size, page_number, position, remote_total, first_run_id, last_run_id)
        SELECT 1, 'votecode', record_key('place:' || n), true, 'no_zan_id', 'None.', 1, n, 0, 9999, %s, %s
        FROM generate_series(1, 5000) n
        """,
        (run, run),
    )
    assert len(table(officer)) == 5000
    assert len(sheet(officer)) == 5001


def test_downloads_are_files_with_names(officer: Browser, conn: Connection) -> None:
    for kind in ("csv", "xlsx"):
        answer = officer.get(f"{HERE}/rejects.{kind}")
        assert answer.get_data()
        told = answer.headers["Content-Disposition"]
        assert re.fullmatch(rf'attachment; filename="rejects-\d{{4}}-\d\d-\d\d\.{kind}"', told)
    assert officer.get(f"{HERE}/rejects.pdf").status_code == 404


def test_strangers_are_sent_to_sign_in(client: Browser) -> None:
    for path in (HERE, f"{HERE}/table", f"{HERE}/rejects.csv", f"{HERE}/rejects.xlsx"):
        answer = client.get(path)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/sign-in")


def test_the_default_list_reads_no_more_than_it_shows(conn: Connection) -> None:
    """Open ones first, the latest first, straight from an index."""
    conn.execute("SET enable_seqscan = off")
    plan = conn.execute(
        "EXPLAIN SELECT id FROM reject_cases c ORDER BY (c.closed_at IS NOT NULL), c.id DESC LIMIT 50"
    ).fetchall()
    assert "reject_cases_open_first" in str(plan)
    assert "Sort" not in str(plan)


def test_the_page_of_a_run_says_whose_records_were_rejected(
    officer: Browser, dsn: str, conn: Connection
) -> None:
    rejected = [record(3, zanIdNumber=""), record(4, zanIdNumber="?", payrollNumber=None)]
    run = do(dsn, lambda pool: previews.fetch(conn, pool, institution(conn), rejected, "sync"))
    page = text(officer, f"/dashboard/admin/runs/{run}")
    assert "Asha Mtu 3 Makame, payroll number ••••••, Wizara ya Afya" in page
    assert "Asha Mtu 4 Makame, Wizara ya Afya" in page
