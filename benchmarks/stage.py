"""What benchmarks stand on: an embedded Postgres with fsync on, the demo register, the real web
process, and a machine with a token; all of it gone afterwards.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg

from hrims import postgres
from hrims.access import tokens
from hrims.access.audit import Actor
from hrims.config import PROJECT
from hrims.db import Connection
from hrims.migrate import migrate
from hrims.register import table
from tests.served import Served

REGISTER = PROJECT / "hrims" / "simulator" / "institutions.csv"


class Stage(NamedTuple):
    """A database, a connection to it, and a client of the web process in front."""

    dsn: str
    conn: Connection
    http: httpx.Client


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """A stage without workers."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder, "state")
        with postgres.join(state) as server, psycopg.connect(server.dsn, autocommit=True) as conn:
            migrate(server.dsn)
            table.seed(conn, REGISTER)
            token = tokens.add_token(conn, Actor("benchmark", "system"), "benchmark")
            headers = {"Authorization": f"Bearer {token}"}
            with (
                Served(state, {"DATABASE_URL": server.dsn}) as web,
                httpx.Client(base_url=web.url, headers=headers, timeout=30, trust_env=False) as http,
            ):
                yield Stage(server.dsn, conn, http)


def percentile(seconds: Sequence[float], share: int) -> float:
    """The value below which so many per cent of the measurements lie."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[share - 1]


def line(name: str, seconds: Sequence[float], plain: Sequence[float] | None = None) -> str:
    """One figure: median and 99th percentile in milliseconds, and the ratio to a plain request."""
    median, most = percentile(seconds, 50), percentile(seconds, 99)
    text = f"  {name:28} median {median * 1000:7.1f} ms   99th {most * 1000:7.1f} ms"
    if plain:
        text += f"   ratio of medians {median / percentile(plain, 50):5.1f}"
    return text
