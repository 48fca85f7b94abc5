"""A proxy between workers and PostgreSQL: statements of chosen background tasks fail with a chosen SQLSTATE,
as if the server had raised it; what failed and what passed is counted.
"""

import contextlib
import re
import socket
import struct
import threading
from collections import Counter
from typing import NamedTuple

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

LOGIN = "new sessions"

TASKS = {
    LOGIN: r"pg_backend_pid\(\)$",
    "heartbeat": r"INSERT INTO workers",
    "forget workers": r"DELETE FROM workers",
    "take runs": r"fetch_run_job|seconds_to_next_start",
    "take webhooks": r"procrastinate_fetch_job",
    "end jobs": r"procrastinate_(finish|retry)_job.*FROM held",
    "listen": r"^LISTEN|^SELECT 1$",
    "cancel requests": r"abort_requested",
    "lost claims": r"^SELECT id FROM procrastinate_jobs WHERE worker_id",
    "rescuer": r"is_worker_alive|pg_terminate_backend",
    "deadlines": r"deadline_at < now\(\)",
    "cleaner": r"hrims cleaner|DELETE FROM procrastinate_jobs",
    "schedules": r"FROM schedules|schedule_firings",
    "previews": r"kind = 'preview'|preview_people",
    "webhooks": r"webhook_tries|e\.secret",
    "tidy webhooks": r"SET queue_job_id = NULL|DELETE FROM webhook_",
    "audit head messages": r"'audit\.head'",
    "audit sequencer": r"chain_audit_records",
    "audit heads": r"SELECT sequence, hash FROM audit_chain",
    "breaker": r"UPDATE remote_breakers|SELECT reason FROM remote_breakers",
    "connection": r"FROM remote_connection",
    "places at HRIMS": r"remote_(slots|waiters)",
    "attempt log": r"UPDATE run_attempts SET log",
    "attempts": r"INSERT INTO run_attempts|UPDATE runs ",
    "pages": r"run_pages|run_progress",
}
"""Background tasks of a worker, and what is found in their statements alone."""

ENDS = frozenset({"08006", "57P01"})
"""With these the server also ends the session."""

FUNCTION = """
CREATE FUNCTION injected(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = code; END $$
"""

NO_ENCRYPTION = {80877103, 80877104}
STARTUP = 196608


class Fault(NamedTuple):
    """What fails, and how; ``everything`` includes logins and statements of no task."""

    code: str
    tasks: frozenset[str]
    everything: bool = False


def tasks_of(sql: str) -> set[str]:
    """Return the background tasks that a statement belongs to."""
    flat = " ".join(re.sub(r"--[^\n]*", "", sql).split())
    return {name for name, pattern in TASKS.items() if re.search(pattern, flat)}


class Injector:
    """Listens on a free port; ``fault`` is what fails now, None for nothing."""

    def __init__(self, dsn: str) -> None:
        params = conninfo_to_dict(dsn)
        self._upstream = str(params["host"]), int(str(params["port"]))
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(FUNCTION)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        port = self._listener.getsockname()[1]
        self.dsn = make_conninfo(
            dsn, host="127.0.0.1", port=port, hostaddr="", sslmode="disable", gssencmode="disable"
        )
        self.fault: Fault | None = None
        self.failed: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self._sockets: set[socket.socket] = set()
        self._counting = threading.Lock()
        _start(self._accept)

    def close(self) -> None:
        """End every connection and accept no more."""
        self._listener.close()
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                _start(_Session(self, client).serve)

    def connect(self) -> socket.socket:
        """Return a connection to the server."""
        host, port = self._upstream
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{host}/.s.PGSQL.{port}")
        return made

    def keep(self, *sockets: socket.socket) -> None:
        """Close them at the end, if they are still open."""
        self._sockets.update(sockets)

    def drop(self, *sockets: socket.socket) -> None:
        """Close them now."""
        for one in sockets:
            self._sockets.discard(one)
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def fails(self, sql: str) -> str | None:
        """Return the SQLSTATE with which a statement fails now; None if it passes."""
        fault, tasks = self.fault, tasks_of(sql)
        hit = fault is not None and (fault.everything or bool(tasks & fault.tasks))
        with self._counting:
            (self.failed if hit else self.passed).update(tasks)
        return fault.code if fault and hit else None


class _Session:
    """One client's connection: what it sends is read, what the server sends is handed on unread."""

    def __init__(self, injector: Injector, client: socket.socket) -> None:
        self._injector, self._client = injector, client
        self._from_client = client.makefile("rb")
        self._statements: dict[bytes, str] = {}

    def serve(self) -> None:
        """Relay until one side closes the connection, or the session fails."""
        sockets = [self._client]
        self._injector.keep(self._client)
        try:
            startup = self._startup()
            fault = self._injector.fault
            if fault and fault.everything:
                self._injector.failed[LOGIN] += 1
                self._end(fault.code)
                return
            self._server = self._injector.connect()
            sockets.append(self._server)
            self._injector.keep(self._server)
            self._server.sendall(startup)
            _start(self._hand_back)
            while self._one():
                pass
        except (OSError, struct.error):
            pass
        finally:
            self._injector.drop(*sockets)

    def _startup(self) -> bytes:
        while True:
            head = self._read(8)
            length, code = struct.unpack("!ii", head)
            rest = self._read(length - 8)
            if code not in NO_ENCRYPTION:
                return head + rest
            self._client.sendall(b"N")

    def _one(self) -> bool:
        kind = self._read(1)
        length = self._read(4)
        body = self._read(struct.unpack("!i", length)[0] - 4)
        code = self._injector.fails(sql) if (sql := self._executes(kind, body)) is not None else None
        if code is None:
            self._server.sendall(kind + length + body)
        elif code in ENDS:
            self._end(code)
            return False
        else:
            self._server.sendall(_raising(kind, code))
        return True

    def _executes(self, kind: bytes, body: bytes) -> str | None:
        """Return the statement that this message executes, if it does."""
        if kind == b"P":
            name, sql = body.split(b"\0")[:2]
            self._statements[name] = sql.decode()
        if kind == b"B":
            return self._statements.get(body.split(b"\0")[1], "")
        return body.rstrip(b"\0").decode() if kind == b"Q" else None

    def _hand_back(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while some := self._server.recv(65536):
                self._client.sendall(some)
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _end(self, code: str) -> None:
        fields = b"SFATAL\0VFATAL\0C" + code.encode() + b"\0Minjected\0\0"
        self._client.sendall(_message(b"E", fields))

    def _read(self, count: int) -> bytes:
        found = self._from_client.read(count)
        if found is None or len(found) < count:
            raise ConnectionError("the client has hung up")
        return found


def _raising(kind: bytes, code: str) -> bytes:
    """Return what to execute instead. After the error the server skips what else the client has sent."""
    sql = f"SELECT injected('{code}')".encode()
    if kind == b"Q":
        return _message(b"Q", sql + b"\0")
    parse = _message(b"P", b"\0" + sql + b"\0\0\0")
    bind = _message(b"B", b"\0\0\0\0\0\0\0\0")
    return parse + bind + _message(b"E", b"\0\0\0\0\0")


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _start(work: object) -> None:
    threading.Thread(target=work, daemon=True).start()  # type: ignore[arg-type] # a function without arguments
