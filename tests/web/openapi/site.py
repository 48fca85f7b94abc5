"""A real web process, and the clients that send it what its own description of the API says."""

import functools
import re
from typing import Any, NamedTuple

import requests

from hrims.access import keys, sessions
from hrims.db import Connection
from tests.support.encryption import KEY
from tests.support.served import Served
from tests.support.users import BINTI, add_machine
from tests.web.browsers import ADDRESS, QUICK_PAGE

ENVIRONMENT = {
    "HRIMS_ENCRYPTION_KEY": KEY,
    "HRIMS_REQUESTS_PER_CLIENT": "1000000",
    "HRIMS_REQUESTS_PER_ADDRESS": "1000000",
}
"""The limits of requests have tests of their own."""


class Site(NamedTuple):
    """A web process, its database and its description. ``machine`` sends a token, ``browser`` a session."""

    served: Served
    conn: Connection
    schema: Any
    machine: requests.Session
    browser: requests.Session


def use_token(conn: Connection) -> requests.Session:
    """Return a client that sends an administrator's token."""
    client = _client()
    client.headers["Authorization"] = f"Bearer {add_machine(conn, 'nightly', 'administrator')}"
    return client


def sign_in(conn: Connection, url: str) -> requests.Session:
    """Return a client that sends an administrator's session, with its form token."""
    assert BINTI.user_id
    client = _client()
    client.cookies.set(
        f"hrims_session_{keys.instance_id(conn)}", sessions.begin(conn, BINTI.user_id, ADDRESS, hours=1)
    )
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(url + QUICK_PAGE).text)
    assert found, "the page carries no form token"
    client.headers["X-CSRFToken"] = found[1]
    return client


def _client() -> requests.Session:
    client = requests.Session()
    client.request = functools.partial(client.request, timeout=30)  # type: ignore[method-assign] # a default for every request
    return client
