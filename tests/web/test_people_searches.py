"""The results of a search for people have an address, which names no person and is its user's alone."""

import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from flask import Flask

from hrims.db import Connection
from hrims.people import searches
from tests.web.browsers import Browser, new_browser, signed_in, without_form_token
from tests.web.lists import with_lists

PAGE = "/dashboard/admin/people"

NOT_KEPT = "The results of this search have expired"


@pytest.fixture
def people(conn: Connection, dsn: str) -> None:
    """79 people."""
    with_lists(conn, dsn, lambda lists: lists.run(range(1, 80)))


def address(browser: Browser, words: str) -> str:
    """Return the address of the results of a search."""
    answer = browser.press(PAGE, words=words)
    assert answer.status_code == 303
    return str(answer.location)


def names(page: str) -> list[str]:
    """Return the names in the table."""
    return re.findall(rf'href="{PAGE}/\d+">([^<]+)</a>', page)


def test_it_works(officer: Browser, people: None) -> None:
    there = address(officer, "  asha   mtu 7 ")
    assert re.fullmatch(PAGE + r"/searches/[A-Za-z0-9_-]{22}#found-people", there)
    first, again = officer.get(there), officer.get(there)
    assert first.status_code == again.status_code == 200
    assert names(first.text) == names(again.text)
    assert "Asha Mtu 7 Makame" in names(first.text)
    assert 'value="asha mtu 7"' in first.text
    assert first.headers["Cache-Control"] == "no-store"


def test_every_search_has_another_address(officer: Browser) -> None:
    assert len({address(officer, "asha") for _ in range(5)}) == 5


def test_pages(officer: Browser, people: None) -> None:
    there = address(officer, "asha").partition("#")[0]
    first = officer.get(there).text
    [following] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = officer.get(following.replace("&amp;", "&")).text
    met = names(first) + names(second)
    assert (len(names(first)), len(names(second)), len(set(met))) == (50, 29, 79)
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second
    beyond = officer.get(f"{there}?page=9")
    assert (beyond.status_code, names(beyond.text)) == (200, [])
    assert "Nothing on this page." in beyond.text
    for page in ("0", "x", "-1"):
        assert officer.get(f"{there}?page={page}").status_code == 400


def expect_not_kept(browser: Browser, there: str) -> None:
    """Assert that the answer says so in words, offers the form, and gives nothing away."""
    answer = browser.get(there)
    assert answer.status_code == 404
    assert NOT_KEPT in answer.text
    assert 'name="words" value=""' in answer.text
    assert "asha mtu" not in answer.text.lower()
    assert names(answer.text) == []


def test_an_expired_search_says_so_and_offers_the_form(
    officer: Browser, people: None, conn: Connection
) -> None:
    there = address(officer, "asha mtu 7")
    conn.execute("UPDATE people_searches SET expires_at = now() - interval '1 second'")
    expect_not_kept(officer, there)


def test_it_expires_after_half_an_hour(officer: Browser, conn: Connection) -> None:
    address(officer, "asha")
    row = conn.execute("SELECT extract(epoch FROM expires_at - now())::int FROM people_searches").fetchone()
    assert row
    assert 30 * 60 - 60 < row[0] <= 30 * 60


def test_another_users_search_looks_like_none(
    app: Flask, officer: Browser, people: None, conn: Connection
) -> None:
    there = address(officer, "asha mtu 7")
    other = signed_in(new_browser(app), conn, "juma", "administrator")
    expect_not_kept(other, there)
    found, unknown = (
        without_form_token(other.get(path).text) for path in (there, f"{PAGE}/searches/{'x' * 22}")
    )
    assert found == unknown.replace("x" * 22, there)
    signed_out = new_browser(app).get(there)
    assert (signed_out.status_code, signed_out.location.partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("token", ["x", "%20", "é", "x" * 3000, "..%2f1", "\U0001f600"])
def test_what_is_no_token_is_not_kept(officer: Browser, token: str) -> None:
    assert officer.get(f"{PAGE}/searches/{token}").status_code == 404


def test_the_database_has_no_token(officer: Browser, conn: Connection) -> None:
    token = address(officer, "asha").rpartition("/")[2].partition("#")[0]
    rows = str(conn.execute("SELECT s::text, token_hash FROM people_searches s").fetchall())
    assert token not in rows
    assert "asha" in rows


def test_a_user_has_so_many_searches_at_most(app: Flask, officer: Browser, conn: Connection) -> None:
    other = signed_in(new_browser(app), conn, "juma", "officer")
    theirs = address(other, "juma")
    made = [address(officer, f"asha {number}") for number in range(searches.MAX_SAVED + 3)]
    assert [officer.get(one).status_code for one in made] == [404] * 3 + [200] * searches.MAX_SAVED
    assert other.get(theirs).status_code == 200


def test_searches_at_once_do_not_exceed_it(officer: Browser, conn: Connection, dsn: str) -> None:
    def search(number: int) -> None:
        with psycopg.connect(dsn) as own_conn:
            searches.save_search(own_conn, "asha", f"words {number}")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(search, range(2 * searches.MAX_SAVED)))
    assert conn.execute("SELECT count(*) FROM people_searches").fetchone() == (searches.MAX_SAVED,)


def test_a_search_that_is_too_long_is_refused_in_words(officer: Browser, conn: Connection) -> None:
    assert officer.press(PAGE, words="x" * searches.MAX_LENGTH).status_code == 303
    answer = officer.press(PAGE, words="x" * (searches.MAX_LENGTH + 1))
    assert answer.status_code == 400
    assert "at most 100 characters" in answer.text


def test_a_user_who_is_deleted_takes_their_searches_along(officer: Browser, conn: Connection) -> None:
    address(officer, "asha")
    conn.execute("DELETE FROM users WHERE name = 'asha'")
    assert conn.execute("SELECT count(*) FROM people_searches").fetchone() == (0,)
