"""The application, its clients and the objects of a malformed request.

Input: a database of the test. Output: clients with every right, new objects on demand, and a digest of all
tables.
"""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
import psycopg
import pyotp
from flask import Flask
from psycopg import sql

from hrims.access import challenges, sessions, setup_links, throttle, tokens, two_step, users
from hrims.access.permissions import MANAGE_SCOPE, permissions_of
from hrims.config import Settings, load
from hrims.errors import Conflict
from hrims.jobs.enqueue_person import enqueue_person
from hrims.jobs.rate_limit import actions as queue
from hrims.previews import store as previews
from hrims.web.core import app_state
from tests.support.databases import as_application, clone
from tests.support.encryption import KEY
from tests.support.users import BINTI, actor_of, add_user
from tests.web.browsers import Browser, new_browser, shared_app, signed_in
from tests.web.objects import add_objects

WRITTEN_BY_REFUSALS: Final = {
    "request_counts": "the rate limiter counts every request",
    "failed_sign_ins": "the throttle counts wrong passwords and codes",
    "audit_chain": "the chain of the audit records, which follows them",
    "audit_pending": "the same",
}
"""Tables that a refused request changes, each with the reason."""

RECORDED: Final = {
    "request.refused": "every refusal for a missing right or token is recorded",
    "request.refused_more": "the same, those above the limit together",
    "session.sign_in_failed": "a wrong password or code is recorded",
    "rejects.search": "a refused request to fetch rejects again shows the list of rejects",
    "person.view": "a refused reveal shows the masked record of the person",
}
"""Audit records that a refused request writes, each with the reason. A refusal writes no other."""

LAST_USED: Final = {"sessions": ["last_seen_at", "address"], "tokens": ["last_used_at", "last_used_address"]}
"""Columns that change whenever a session or token is used."""

UNLIMITED: Final = {"HRIMS_REQUESTS_PER_CLIENT": "0", "HRIMS_REQUESTS_PER_ADDRESS": "0"}


class World:
    """One database with the application over it."""

    permissions_of_token = permissions_of("administrator", MANAGE_SCOPE)

    def __init__(self, app: Flask, settings: Settings, conn: psycopg.Connection, owner: psycopg.Connection):
        self.app, self.settings, self.conn, self.owner = app, settings, conn, owner
        self.made = 0
        self._tables = _tables(owner)
        self._statement = _digest_statement(self._tables)
        # It creates the key of hashed names, which a process creates when it first needs it.
        throttle.count_failures(conn, settings, "asha")
        self.renew()

    def renew(self) -> None:
        """Add an object of every kind, and sign a new administrator in."""
        self.made += 1
        with self.conn.transaction():
            self._add_all(100_000 + self.made)
        self.csrf = self.browser.csrf()
        self.stranger = new_browser(self.app)
        self.csrf_of_stranger = self.stranger.csrf()

    def _add_all(self, number: int) -> None:
        mark = "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
        self.objects = add_objects(self.conn, mark, str(number), f"{number}800")
        with contextlib.suppress(Conflict):
            queue.resume(self.conn, BINTI)
        self.name = f"malformed.{mark.lower()}"
        self.browser = signed_in(new_browser(self.app), self.conn, self.name, "administrator")
        self.machine = self._machine(self.name)
        self.objects.arguments.update(self._arguments(mark))

    def _machine(self, name: str) -> Browser:
        token = tokens.add_token(self.conn, users.identify(self.conn, name, "page"), name, MANAGE_SCOPE)
        machine = new_browser(self.app)
        machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return machine

    def _arguments(self, mark: str) -> dict[str, str]:
        """Return the arguments of this world beyond those of every test with objects."""
        number = 500_000 + self.made
        user = actor_of(self.conn, f"user.{mark.lower()}").user_id
        own = users.identify(self.conn, self.name, "page").user_id
        assert user
        assert own
        with_code = add_user(self.conn, f"code.{mark.lower()}")
        return {
            "mark": mark.lower(),
            "version": previews.compare(self.conn, int(self.objects.arguments["preview_id"])).version,
            "active_run": str(self._add_active_run()),
            "free_vote": str(number),
            "free_tin": f"{number}800",
            "user_id": str(user),
            "session_id": self._add_session(own),
            "set_up": setup_links.create_setup_link(self.conn, BINTI, user),
            "recovery_code": self._turn_two_step_on(with_code, f"code.{mark.lower()}"),
            "challenge": self._challenge(f"code.{mark.lower()}"),
            "code": self._start_two_step(own, self.name).now(),
        }

    def _add_active_run(self) -> int:
        actor = users.identify(self.conn, self.name, "page")
        return enqueue_person(self.conn, actor, str(200_000_000 + self.made)).run_id

    def _add_session(self, user_id: int) -> str:
        found = sessions.find(self.conn, sessions.begin(self.conn, user_id, None, hours=1))
        assert found
        return str(found.session_id)

    def _challenge(self, name: str) -> str:
        user = users.find(self.conn, name)
        assert user
        return challenges.create(self.conn, user)

    def _start_two_step(self, user_id: int, name: str) -> pyotp.TOTP:
        session = sessions.find(self.conn, sessions.begin(self.conn, user_id, None, hours=1))
        assert session
        two_step.start(self.conn, self.settings, session)
        return pyotp.TOTP(two_step.find_enrolment(self.conn, self.settings, session, "").secret)

    def _turn_two_step_on(self, user_id: int, name: str) -> str:
        totp = self._start_two_step(user_id, name)
        session = sessions.find(self.conn, sessions.begin(self.conn, user_id, None, hours=1))
        assert session
        actor = users.identify(self.conn, name, "page")
        turned_on = two_step.confirm(self.conn, self.settings, actor, session, totp.now(), time.time())
        return turned_on.recovery_codes[0]

    def forget_failures(self) -> None:
        """Let the next wrong password be checked, not throttled."""
        self.owner.execute("DELETE FROM failed_sign_ins")

    def digests(self) -> dict[str, str]:
        """Return a digest by table of every row that a refused request must not change."""
        row = self.owner.execute(self._statement).fetchone()
        assert row
        return dict(zip(self._tables, row, strict=True))


@contextmanager
def new_world(server_dsn: str, template: str) -> Iterator[World]:
    """Provide the application over a new database."""
    with clone(server_dsn, template) as dsn:
        as_app = as_application(dsn, template)
        settings = load({"DATABASE_URL": as_app, "HRIMS_ENCRYPTION_KEY": KEY, **UNLIMITED})
        app = shared_app(msgspec.structs.replace(settings, database_url=None))
        app.secret_key = None
        state = app_state.attach(app, settings)
        try:
            with (
                psycopg.connect(as_app, autocommit=True) as conn,
                psycopg.connect(dsn, autocommit=True) as owner,
            ):
                yield World(app, settings, conn, owner)
        finally:
            state.close()


def _tables(conn: psycopg.Connection) -> list[str]:
    """Return every table of the database, so that a new one is never forgotten."""
    found = conn.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition ORDER BY relname"
    )
    return [name for (name,) in found if name not in WRITTEN_BY_REFUSALS]


def _rows_of(table: str) -> sql.Composed:
    """Return the query for the rows of a table that a refused request must not change, as texts in order."""
    condition: sql.Composable = sql.SQL("true")
    row: sql.Composable = sql.SQL("t::text")
    if table == "audit_log":
        condition = sql.SQL("NOT action = ANY({})").format(sql.Literal(list(RECORDED)))
    if table in LAST_USED:
        row = sql.SQL("(to_jsonb(t) - {}::text[])::text").format(sql.Literal(LAST_USED[table]))
    return sql.SQL("SELECT {} AS row FROM {} t WHERE {} ORDER BY 1").format(
        row, sql.Identifier(table), condition
    )


def _digest_statement(tables: list[str]) -> sql.Composed:
    """Return one statement for the digests of all tables."""
    digests = [
        sql.SQL("(SELECT md5(coalesce(string_agg(row, chr(10)), '')) FROM ({}) rows)").format(_rows_of(table))
        for table in tables
    ]
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(digests))
