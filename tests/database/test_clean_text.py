"""Text in one form: the two functions agree, and rows in another form are cleaned without history."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.previews import store as previews
from hrims.text import clean, is_clean
from tests.database.previews import fetch
from tests.database.runs import begin, enqueue_run_of, institution, rows
from tests.database.test_save_page import save
from tests.support.people import record

TWO_SPACES = "UPDATE employees SET name = replace(name, ' ', E' \\u00a0 '), cadre = ' ' || cadre"

ODD = " \t\u00a0\u2003\u3000\x1c\x85\u200b\ufeff\u00ade\u0301\u00e9'\u2019\u02bc"
# Only the basic plane: of later planes PostgreSQL and Python may know different versions of Unicode.
TEXTS = st.text(st.sampled_from(ODD) | st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cn"]))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(TEXTS.map(lambda text: text.replace("\0", "")))
def test_python_and_the_database_clean_alike(conn: Connection, text: str) -> None:
    assert conn.execute("SELECT clean_text(%s)", (text,)).fetchone() == (clean(text),)
    assert clean(clean(text)) == clean(text)
    if is_clean(text.strip()):
        assert clean(text) == text.strip()


def test_every_character_of_the_basic_plane_is_cleaned_alike(conn: Connection) -> None:
    texts = [f"a{chr(n)}b" for n in range(1, 0xFFFF) if not 0xD800 <= n <= 0xDFFF]
    found = conn.execute(
        "SELECT array_agg(clean_text(t) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY u(t, n)", (texts,)
    )
    assert found.fetchone() == ([clean(text) for text in texts],)


@pytest.mark.parametrize(
    "other", ["Ng\u2019ambo", "Ng\u02bcambo", "NG`AMBO", "Ng\u00b4ambo", "ng\u2018ambo", "Ng\u02bbambo"]
)
def test_apostrophes_are_the_same_in_a_key(conn: Connection, other: str) -> None:
    assert conn.execute("SELECT name_key(%s) = name_key('Ng''ambo')", (other,)).fetchone() == (True,)


@pytest.mark.parametrize(
    ("text", "other"),
    [("Zoe\u0301", "ZO\u00c9"), ("Wizara\u00a0ya  Afya", "wizara ya afya"), ("A\u00adjira", "Ajira")],
)
def test_forms_and_spaces_are_the_same_in_a_key(conn: Connection, text: str, other: str) -> None:
    assert conn.execute("SELECT name_key(%s) = name_key(%s)", (text, other)).fetchone() == (True,)


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run whose three people were saved before texts were cleaned."""
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(attempt, pool, [record(n) for n in range(3)])
    conn.execute(TWO_SPACES)
    return attempt


async def test_cleaning_a_row_is_no_change(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    conn.execute("UPDATE employees SET last_changed_run_id = 77")
    await save(attempt, pool, [record(n) for n in range(3)], number=1)
    assert rows(conn, "SELECT name FROM employees ORDER BY zan_id") == [
        (f"Asha Mtu {n} Makame",) for n in range(3)
    ]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, "SELECT new, changed, unchanged FROM run_progress") == [(3, 0, 3)]
    assert rows(conn, "SELECT DISTINCT last_changed_run_id FROM employees") == [(77,)]


async def test_a_clean_row_is_not_written_again(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    await save(attempt, pool, [record(n, lastName="Makame \u00a0") for n in range(3)], number=1)
    before = rows(conn, "SELECT ctid, xmin FROM employees ORDER BY id")
    await save(attempt, pool, [record(n, firstName=" Asha\u2003") for n in range(3)], number=2)
    assert rows(conn, "SELECT ctid, xmin FROM employees ORDER BY id") == before


async def test_history_has_only_changed_fields(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    await save(attempt, pool, [record(0, primaryPhone="0770000000"), record(1)], number=1)
    assert rows(conn, "SELECT changes FROM employee_changes") == [({"phone_number": [None, "0770000000"]},)]
    assert rows(conn, "SELECT changed, unchanged FROM run_progress") == [(1, 1 + 0)]


async def test_a_preview_counts_no_cleaning(conn: Connection, pool: AsyncPool) -> None:
    health = institution(conn)
    await fetch(conn, pool, health, [record(n) for n in range(3)], "sync")
    conn.execute(TWO_SPACES)
    preview = await fetch(conn, pool, health, [record(0), record(1), record(2, lastName="Ali")])
    assert previews.compare(conn, preview)[:3] == (0, 1, 2)
