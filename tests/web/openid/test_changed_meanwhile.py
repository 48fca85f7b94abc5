"""A user whose role is changed here while the OpenID provider signs the user in."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import psycopg
from flask import Flask

from hrims.access import users
from hrims.access.actor import system
from hrims.db import Connection
from tests.database.runs import wait_until_blocked
from tests.web.browsers import new_browser
from tests.web.openid.provider import HOME, Provider, records


def test_the_role_is_that_of_the_provider_in_the_end(
    app: Flask, conn: Connection, dsn: str, provider: Provider
) -> None:
    provider.sign_in(new_browser(app))
    with psycopg.connect(dsn) as other, ThreadPoolExecutor(1) as threads:
        with other.transaction():
            users.set_role(other, system("operator"), "asha.makame", "viewer")
            started = threads.submit(provider.sign_in, new_browser(app))
            asyncio.run(wait_until_blocked(conn))
        assert started.result().location == HOME
    user = users.find(conn, "asha.makame")
    assert user
    assert user.role == "officer"
    *_, last = [details for _, action, _, details in records(conn) if action == "user.set_role"]
    assert last == {"by": "openid", "before": "viewer", "after": "officer"}
