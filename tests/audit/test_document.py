"""The lines of docs/reference/audit.md verify an export, and find what was altered in it."""

import csv
import io
from collections.abc import Callable
from random import Random
from typing import Any

import psycopg
import pytest

from hrims.audit import export
from hrims.audit.chain import FIELDS
from tests import PROJECT
from tests.audit import trail
from tests.support.documents import blocks_of

PAGE = PROJECT / "docs/reference/audit.md"


@pytest.fixture
def verify() -> Callable[[Any], tuple[int, str]]:
    [block] = [block for block in blocks_of(PAGE) if block.language == "python"]
    made: dict[str, Any] = {}
    exec(block.text, made)  # noqa: S102 - our own documentation
    function: Callable[[Any], tuple[int, str]] = made["verify"]
    return function


def exported(conn: psycopg.Connection) -> list[list[str]]:
    file = io.BytesIO()
    export.write_csv(conn, file)
    return list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))


def written(rows: list[list[str]]) -> io.StringIO:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(rows)
    file.seek(0)
    return file


def test_it_verifies_an_export(conn: psycopg.Connection, verify: Callable[[Any], tuple[int, str]]) -> None:
    head = trail.chained(conn, Random(1), 200)[-1]
    trail.write(conn, Random(2), 3)
    rows = exported(conn)
    assert len(rows) == 204
    assert verify(written(rows)) == (200, head.hash.hex())


def test_it_finds_any_altered_cell(
    conn: psycopg.Connection, verify: Callable[[Any], tuple[int, str]]
) -> None:
    trail.chained(conn, Random(1), 20)
    rows = exported(conn)
    for column in range(1, len(rows[0])):
        altered = [list(row) for row in rows]
        altered[7][column] += "0"
        with pytest.raises(AssertionError, match="record 7 was altered"):
            verify(written(altered))
    with pytest.raises(AssertionError, match="record 7 was removed"):
        verify(written([*rows[:7], *rows[8:]]))


def test_the_document_names_every_column_in_its_order() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert ", ".join(f"`{name}`" for name in FIELDS) + ". LENGTH" in text
