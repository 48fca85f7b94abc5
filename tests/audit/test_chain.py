"""The database and this code compute the same text, digest and hash."""

import hashlib
from random import Random

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from hrims.audit import store
from hrims.audit.chain import FIELDS, FIRST_HASH, digest_of, link
from tests.audit import trail

VALUES = st.lists(st.none() | st.text(), min_size=len(FIELDS), max_size=len(FIELDS))


def test_the_text_of_a_record_is_as_documented() -> None:
    values: list[str | None] = [None] * len(FIELDS)
    values[0], values[3] = "17", "Ng’ambo\n"
    text = "hrims-audit-1\nid:2:17\nactor:10:Ng’ambo\n\n"
    assert digest_of(values) == hashlib.sha256(text.encode()).digest()


def test_the_database_computes_the_same(conn: psycopg.Connection) -> None:
    trail.chained(conn, Random(1), 300)
    with conn.transaction():
        store.set_plain_output(conn)
        links = list(store.stream_links(conn))
    hash_ = FIRST_HASH
    for found in links:
        assert digest_of(found.values) == found.digest
        hash_ = link(hash_, found.digest)
        assert hash_ == found.hash
    assert len(links) == 300


def test_every_column_of_the_table_is_covered(conn: psycopg.Connection) -> None:
    columns = conn.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_log'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    ).fetchall()
    assert tuple(name for (name,) in columns) == FIELDS


@given(VALUES, VALUES)
def test_two_different_records_never_have_the_same_digest(
    first: list[str | None], second: list[str | None]
) -> None:
    assert (digest_of(first) == digest_of(second)) == (first == second)
