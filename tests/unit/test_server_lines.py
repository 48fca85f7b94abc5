"""Lines of the embedded server's log: their parts, and nothing of a row or statement."""

import pytest

from hrims.postgres.log_lines import ServerLine, parse

START = "2026-11-30 21:00:00.123 UTC [77] "


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            START + "(postmaster, 00000) LOG:  starting PostgreSQL 17.2",
            ServerLine("starting PostgreSQL 17.2", "LOG", "postmaster", None, "2026-11-30 21:00:00.123 UTC"),
        ),
        (
            START + "(client backend, 57P01) FATAL:  terminating connection due to administrator command\n",
            ServerLine(
                "terminating connection due to administrator command",
                "FATAL",
                "client backend",
                "57P01",
                "2026-11-30 21:00:00.123 UTC",
            ),
        ),
        (
            START + '(client backend, 22P02) ERROR:  invalid input syntax for type integer: "Amina"',
            ServerLine(None, "ERROR", "client backend", "22P02", "2026-11-30 21:00:00.123 UTC"),
        ),
        (
            START + "(client backend, 00000) LOG:  duration: 9 ms  statement: SELECT 'Amina'",
            ServerLine(
                "duration: 9 ms  statement: …", "LOG", "client backend", None, "2026-11-30 21:00:00.123 UTC"
            ),
        ),
        (
            START + "(client backend, 00000) LOG:  execute p1: SELECT 'Amina'",
            ServerLine("execute p1: …", "LOG", "client backend", None, "2026-11-30 21:00:00.123 UTC"),
        ),
        ("FATAL:  could not create lock file", ServerLine("could not create lock file", "FATAL")),
        ("creating subdirectories ... ok", ServerLine("creating subdirectories ... ok")),
    ],
)
def test_a_line_has_parts(line: str, found: ServerLine) -> None:
    assert parse(line) == found


@pytest.mark.parametrize(
    "line",
    [
        "",
        "\tand (name) = (Amina)",
        START + "(client backend, 23505) DETAIL:  Key (name)=(Amina) already exists.",
        START + "(client backend, 23505) STATEMENT:  INSERT INTO people VALUES ('Amina')",
        START + '(client backend, 23505) CONTEXT:  COPY people, line 1: "Amina"',
        "QUERY:  SELECT 'Amina'",
    ],
)
def test_a_line_with_values_is_not_shown(line: str) -> None:
    assert parse(line) is None
