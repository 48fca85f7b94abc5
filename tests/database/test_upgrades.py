"""Migrations that change rows: what an older version left is there afterwards, in the shape of this one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hrims.db import Connection
from hrims.drift.fields import KNOWN
from hrims.employees.mapping import COLUMNS
from hrims.migrate import FOLDER, migrate
from tests.database.runs import ask_for, institution

Upgrade = Callable[[], None]


@pytest.fixture
def older(server_dsn: str, dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """DSN of a database without the migration that the test names, nor those after it."""
    name = f"{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}_older"
    for file in FOLDER.iterdir():
        if file.name < request.param:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        made = make_conninfo(server_dsn, dbname=name)
        migrate(made, tmp_path)
        yield made
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.mark.parametrize("older", ["0032"], indirect=True)
def test_counts_of_drift_that_went_by_place_go_by_name(older: str) -> None:
    with psycopg.connect(older, autocommit=True) as conn:
        run_id = ask_for(conn, institution(conn))
        _save_by_place(conn, run_id, 0, sampled=20)
        _save_by_place(conn, run_id, 1, sampled=0)
        migrate(older)
        counts = [row[0] for row in conn.execute("SELECT counts FROM run_pages ORDER BY page_number")]
    filled = {name: place for place, name in enumerate(COLUMNS)}
    assert counts == [
        {"filled": filled, "present": {name: place for place, name in enumerate(KNOWN)}},
        {"filled": filled},
    ]


def _save_by_place(conn: Connection, run_id: int, number: int, sampled: int) -> None:
    """Saves a page as versions before 0032 did; each count is its place."""
    conn.execute(
        "INSERT INTO run_pages (run_id, reading, page_size, page_number, attempt, remote_total, records,"
        " people, filled, sampled, present) VALUES (%s, 1, 100, %s, 1, 200, 100, '{}', %s, %s, %s)",
        (run_id, number, [*range(len(COLUMNS))], sampled, [*range(len(KNOWN))]),
    )


@pytest.mark.parametrize("older", ["0036"], indirect=True)
def test_tokens_of_one_name_get_names_of_their_own(older: str) -> None:
    names = ["nightly", "nightly", "nightly-2", "nightly", "x" * 64, "x" * 64, "nightly"]
    revoked = 7
    with psycopg.connect(older, autocommit=True) as conn:
        for id_, name in enumerate(names, 1):
            conn.execute(
                "INSERT INTO tokens (name, role, token_hash, revoked_at)"
                " VALUES (%s, 'officer', sha256(%s), CASE WHEN %s THEN now() END)",
                (name, str(id_).encode(), id_ == revoked),
            )
        migrate(older)
        after = [name for (name,) in conn.execute("SELECT name FROM tokens ORDER BY id")]
        renamed = conn.execute("SELECT subject, details FROM audit_log ORDER BY id").fetchall()
    assert after == ["nightly", "nightly-3", "nightly-2", "nightly-4", "x" * 64, "x" * 62 + "-2", "nightly"]
    assert renamed == [
        (f"token:{id_}", {"before": names[id_ - 1], "after": after[id_ - 1]}) for id_ in (2, 4, 6)
    ]
