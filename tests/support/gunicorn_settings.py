"""Gunicorn settings of the web process in tests: those of the product, with other waits.

TEST_HEARTBEAT is the number of seconds without an event after which a stream sends a heartbeat, TEST_STALL
that after which a client that receives nothing is disconnected, TEST_APP another application, TEST_GRACE
the number of seconds in which requests end when the process stops.
"""

import os
from typing import Any

from hrims.cli import gunicorn_worker
from hrims.cli.gunicorn_settings import *  # noqa: F403 - the other settings stay
from hrims.web.api import stream

stream.HEARTBEAT = float(os.environ.get("TEST_HEARTBEAT", stream.HEARTBEAT))
stream.CLIENT_CHECK_INTERVAL = 0.1
gunicorn_worker.STALL_SECONDS = float(os.environ.get("TEST_STALL", gunicorn_worker.STALL_SECONDS))
graceful_timeout = int(os.environ.get("TEST_GRACE", "1"))

if "TEST_APP" in os.environ:
    wsgi_app = os.environ["TEST_APP"]

    def post_worker_init(worker: Any) -> None:
        """Start none of the product's threads: they need its own application."""
