"""Scrapes of /metrics."""

import httpx

from hrims.db import Connection
from tests.support.databases import BLOCKED
from tests.web.browsers import Browser

OPEN = {"HRIMS_METRICS_OPEN": "yes"}
"""The environment of a server that shows its metrics without a token."""


def metrics_of(client: Browser | httpx.Client) -> dict[str, float]:
    """Return the value of each sample by its name with labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def parse(text: str) -> dict[str, float]:
    """Return the samples of the text format."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def count_blocked(conn: Connection) -> int:
    """Return the number of sessions of this database that wait for a lock."""
    return len(conn.execute(BLOCKED).fetchall())
