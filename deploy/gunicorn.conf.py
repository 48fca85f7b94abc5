"""How the web process runs: settings of HRIMS Sync come in, gunicorn's go out."""

import logging
import os
import socket
import struct
import sys
from typing import Any

from gunicorn import glogging

import hrims.config
import hrims.log
from hrims.cli import leash

_settings = hrims.config.load(os.environ)


class logger_class(glogging.Logger):  # noqa: N801 - gunicorn names it
    """Gunicorn's own records leave by the same door as all others."""

    def setup(self, cfg: Any) -> None:
        """No handlers of its own."""
        hrims.log.configure(_settings)
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A client that was too slow is no error of ours, and none to fill the log with."""
        if isinstance(sys.exc_info()[1], BlockingIOError):
            self.error_log.info("a client did not finish its request in time")
        else:
            super().exception(msg, *args, **kwargs)


wsgi_app = "app:create_app()"
bind = [
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
]
workers = _settings.web_processes
worker_class = "gthread"
threads = _settings.web_threads
timeout = 60
graceful_timeout = 3
keepalive = 15
control_socket_disable = True


READ_SECONDS = 10
"""Seconds that a client may be silent in the middle of its request before its thread is taken back."""


def when_ready(server: Any) -> None:
    """Connections inherit the deadline from the socket that accepts them; the threads know none."""
    for listener in server.LISTENERS:
        deadline = struct.pack("ll", READ_SECONDS, 0)
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, deadline)


def on_starting(server: object) -> None:
    """Before the first worker is forked."""
    leash.hold()


def post_fork(server: object, worker: object) -> None:
    """In each worker, which is to end as well when the master was killed together with its starter."""
    leash.hold_in_fork()
