"""The environment of the benchmarks of the web process; all of it is removed afterwards.

It has an embedded Postgres with fsync on, the demo register, the real web process, and an API token.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg

from hrims import postgres
from hrims.db import Connection
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.support.served import Served
from tests.support.users import add_machine, migrate_with_cast


class WebEnvironment(NamedTuple):
    """A database, a connection to it, and an HTTP client of the web process that uses it.

    ``url``, ``token`` and ``pid`` are the address, a token and the process id of the server.
    """

    dsn: str
    conn: Connection
    http: httpx.Client
    url: str
    token: str
    pid: int


@contextlib.contextmanager
def web_environment(settings: Mapping[str, str] | None = None) -> Iterator[WebEnvironment]:
    """Provide the environment, without workers."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        state = Path(folder, "state")
        with postgres.join(state) as server, psycopg.connect(server.dsn, autocommit=True) as conn:
            migrate_with_cast(server.dsn)
            importer.seed(conn, DEMO_REGISTER)
            token = add_machine(conn, "benchmark")
            headers = {"Authorization": f"Bearer {token}"}
            with (
                Served(state, {"DATABASE_URL": server.dsn, **(settings or {})}) as web,
                httpx.Client(base_url=web.url, headers=headers, timeout=30, trust_env=False) as http,
            ):
                yield WebEnvironment(server.dsn, conn, http, web.url, token, web.process.pid)


def percentile(seconds: Sequence[float], share: int) -> float:
    """Return the value below which ``share`` per cent of the measurements are."""
    return statistics.quantiles(seconds, n=100, method="inclusive")[share - 1]


def line(name: str, seconds: Sequence[float], plain: Sequence[float] | None = None) -> str:
    """Return the line of a figure.

    It has median and 99th percentile in milliseconds, and the ratio to a plain request.
    """
    median, highest = percentile(seconds, 50), percentile(seconds, 99)
    text = f"  {name:28} median {median * 1000:7.1f} ms   99th {highest * 1000:7.1f} ms"
    if plain:
        text += f"   ratio of medians {median / percentile(plain, 50):5.1f}"
    return text
