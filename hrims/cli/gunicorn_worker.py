"""Gunicorn's worker. Its event loop reads requests completely and sends what clients receive slowly.

Input: connections. Output: a thread for each request that has arrived. Slow clients hold no thread, and are
disconnected at deadlines or if there are too many connections (decision 0030).
"""

import contextlib
import errno
import os
import secrets
import socket
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from time import monotonic
from typing import Any, Final

from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.workers.gthread import ThreadWorker

import hrims.config
from hrims.cli.gunicorn_connection import ClientSocket, Connection, SlowReaders, State
from hrims.cli.gunicorn_framing import HeadTooLarge
from hrims.cli.gunicorn_limits import ConnectionLimits, DroppedClients
from hrims.cli.gunicorn_refusals import (
    HEADERS_TOO_LARGE,
    TIMED_OUT,
    TOO_MANY_CONNECTIONS,
    Refusal,
    build_response,
    find_refusal,
)
from hrims.log import get_logger

READ_SIZE: Final = 64 * 1024
"""Bytes that are read from a connection at a time."""

STALL_SECONDS = 30.0
"""Seconds without receiving a byte of a response after which a client is disconnected."""

LINGER_SECONDS: Final = 2.0
"""Seconds in which a client may receive the last response and close the connection."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

FOREVER: Final = float("inf")

GONE: Final = {errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK, errno.EINVAL, errno.ENOTCONN}
"""The errors of a connection that another process accepted, or that its client has closed already."""

log = get_logger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn is untyped
    """A worker with threads, and the event loop in front of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.limits = ConnectionLimits.of(hrims.config.load(os.environ))
        self.connections: dict[Connection, None] = {}
        self.dropped = DroppedClients()
        self._slow_readers = SlowReaders(self.limits.slow_readers)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection. If there are too many, give one up."""
        try:
            sock, peer = listener.accept()
            # The address at which it arrived: that of a listener may stand for all of this machine.
            arrived_at = sock.getsockname()
        except OSError as error:
            if error.errno not in GONE:
                raise
            return
        sock.setblocking(False)
        client = ClientSocket(sock, self._slow_readers)
        conn = Connection(self.cfg, client, peer, arrived_at, self.limits.max_body)
        client.send_later = partial(self.method_queue.defer, self._send_rest, conn)
        victim = self.limits.find_victim(conn, self.connections)
        self.nr_conns += 1
        self.connections[conn] = None
        conn.enter(State.READS, monotonic() + self.cfg.keepalive)
        if victim:
            self.dropped.add("too_many")
        if victim is conn:
            self._refuse(conn, TOO_MANY_CONNECTIONS)
            return
        if victim:
            self._close(victim)
        self._watch(conn, EVENT_READ)

    def _watch(self, conn: Connection, event: int) -> None:
        """Wait until the client has sent or can receive; never for both."""
        callback = partial(self._read if event == EVENT_READ else self._write, conn)
        try:
            self.poller.modify(conn.sock.raw, event, callback)
        except KeyError:
            self.poller.register(conn.sock.raw, event, callback)

    def _unwatch(self, conn: Connection) -> None:
        with contextlib.suppress(KeyError):
            self.poller.unregister(conn.sock.raw)

    # Requests arrive

    def _read(self, conn: Connection, sock: socket.socket) -> None:
        """Read what has arrived. While a connection lingers, discard it."""
        if conn.state not in {State.READS, State.LINGERS}:
            return
        try:
            content = sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        if not content:
            self._close(conn)
        elif conn.state is State.READS:
            if not len(conn.buffer):
                # The deadline is that of the whole request: each further byte does not extend it.
                conn.enter(State.READS, monotonic() + self.limits.read_seconds)
            conn.buffer.add(content)
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        """Let a thread respond to the next request, if it is complete."""
        try:
            request = conn.buffer.take()
        except HeadTooLarge as error:
            self._refuse(conn, HEADERS_TOO_LARGE, _log_refusal(HEADERS_TOO_LARGE, error))
            return
        if request:
            self._unwatch(conn)
            conn.set_request(request)
            conn.enter(State.WORKS, FOREVER)
            self.enqueue_req(conn)
            return
        self._watch(conn, EVENT_READ)
        if conn.buffer.take_continue():
            with contextlib.suppress(OSError):
                conn.sock.sendall(CONTINUE)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Pass a request to the application. Announce the end of the connection if a body is left unread."""
        # The event loop has answered this.
        req._expected_100_continue = False  # noqa: SLF001 - gunicorn has no public name for it
        should_close = req.should_close
        req.should_close = lambda: conn.is_cut or _has_unread_body(req) or should_close()
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        # Nothing is left to drain: the event loop has taken the whole request.
        return bool(keepalive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Respond to a request that was not passed to the application. The connection is closed then."""
        refusal = find_refusal(exc)
        if not refusal:
            super().handle_error(req, client, addr, exc)
            return
        with contextlib.suppress(OSError):
            client.sendall(build_response(refusal, _log_refusal(refusal, exc)))

    # Responses leave

    def _send_rest(self, conn: Connection) -> None:
        if conn.state in {State.WORKS, State.FLUSHES} and conn.sock.has_rest:
            self._watch(conn, EVENT_WRITE)

    def _write(self, conn: Connection, _: socket.socket) -> None:
        """Send more of a response that the client receives slowly."""
        if conn.state not in {State.WORKS, State.FLUSHES}:
            return
        try:
            is_sent = conn.sock.flush()
        except OSError:
            conn.sock.disconnect()
            is_sent = True
        if is_sent:
            self._unwatch(conn)
            if conn.state is State.FLUSHES:
                self._end_response(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Send the rest of a response whose thread is done, and then end it."""
        conn.is_kept = not fs.cancelled() and not fs.exception() and bool(fs.result())
        conn.enter(State.FLUSHES, FOREVER)
        if conn.sock.has_rest:
            self._watch(conn, EVENT_WRITE)
        else:
            self._end_response(conn)

    def _end_response(self, conn: Connection) -> None:
        if conn.sock.is_broken:
            self._close(conn)
        elif conn.is_kept:
            seconds = self.limits.read_seconds if len(conn.buffer) else self.cfg.keepalive
            conn.enter(State.READS, monotonic() + (seconds if self.alive else LINGER_SECONDS))
            self._hand_over(conn)
        else:
            self._linger(conn)

    # Connections end

    def _refuse(self, conn: Connection, refusal: Refusal, request_id: str | None = None) -> None:
        with contextlib.suppress(OSError):
            conn.sock.sendall(build_response(refusal, request_id or _new_request_id()))
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Close the connection after the client has. Closing it at once could discard the response."""
        try:
            conn.sock.raw.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        conn.enter(State.LINGERS, monotonic() + LINGER_SECONDS)
        self._watch(conn, EVENT_READ)

    def _close(self, conn: Connection) -> None:
        self._unwatch(conn)
        conn.enter(State.CLOSED, FOREVER)
        with contextlib.suppress(OSError):
            conn.sock.raw.close()
        self.connections.pop(conn, None)
        self.nr_conns -= 1

    def murder_keepalived(self, force: bool = False) -> None:
        """Disconnect the clients that are late; with ``force``, all. Gunicorn calls it once a second."""
        now = monotonic()
        for conn in list(self.connections):
            if force:
                self._give_up(conn)
            elif conn.deadline <= now:
                self._time_out(conn)
            elif conn.sock.has_rest and conn.sock.received_at + STALL_SECONDS <= now:
                self.dropped.add("stalled")
                self._give_up(conn)
        self.dropped.log_counts(now, is_last=force)

    def _time_out(self, conn: Connection) -> None:
        if conn.state is State.READS and len(conn.buffer):
            self.dropped.add("timed_out")
            self._refuse(conn, TIMED_OUT)
        else:
            self._close(conn)

    def _give_up(self, conn: Connection) -> None:
        conn.sock.disconnect()
        # If a thread responds to it, that gets an error, and the connection is closed after it.
        if conn.state is not State.WORKS:
            self._close(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Close idle connections of a stopping worker by this time."""
        for conn in self.connections:
            if conn.state is State.READS:
                conn.deadline = min(conn.deadline, deadline)


def _has_unread_body(request: Any) -> bool:
    """Return whether the application left a part of the body unread."""
    reader = request.body.reader
    if isinstance(reader, LengthReader):
        return bool(reader.length)
    return isinstance(reader, ChunkedReader) and reader.parser is not None


def _log_refusal(refusal: Refusal, error: Exception) -> str:
    """Log a refusal and return the id of its request. The log has no part of it, which may be a token."""
    log.warning(
        "request_malformed",
        request_id=(request_id := _new_request_id()),
        status=int(refusal.status),
        error=type(error).__name__,
    )
    return request_id


def _new_request_id() -> str:
    return secrets.token_hex(8)
