"""A real terminal gets no control character from the database."""

import os
import pty
import subprocess
from pathlib import Path

import psycopg

from tests.e2e.processes.product import HRIMS, env_of


def on_terminal(*words: str, state: Path, dsn: str) -> bytes:
    """Run a command on a terminal of its own. Return what the terminal gets."""
    env = {**env_of(state), "DATABASE_URL": dsn, "TERM": "xterm"}
    ours, its = pty.openpty()
    with subprocess.Popen([HRIMS, *words], env=env, stdin=its, stdout=its, stderr=its):
        os.close(its)
        printed = b""
        try:
            while part := os.read(ours, 65536):
                printed += part
        except OSError:
            pass  # Linux reports the end of a terminal as an error
    os.close(ours)
    return printed


def test_a_name_of_the_database_is_escaped(dsn: str, conn: psycopg.Connection, tmp_path: Path) -> None:
    name = "Health\x1b]0;title\x07\x1b[2J\u202e"
    conn.execute("INSERT INTO institutions (name, vote_code) VALUES (%s, '037')", (name,))
    printed = on_terminal("sync", "--vote", "037", "--no-wait", state=tmp_path, dsn=dsn)
    assert rb"Run 1 for Health\x1b]0;title\x07\x1b[2J\u202e is queued." in printed
    assert b"\x1b" not in printed
