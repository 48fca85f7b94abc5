"""Gunicorn settings of the web process in tests: those of the product, with other waits.

TEST_HEARTBEAT is the number of seconds without an event after which a stream sends a heartbeat.
"""

import os

import hrims.cli.gunicorn_settings
from hrims.cli.gunicorn_settings import *  # noqa: F403 - the other settings stay
from hrims.web.api import stream

stream.HEARTBEAT = float(os.environ["TEST_HEARTBEAT"])
stream.CLIENT_CHECK_INTERVAL = 0.1
hrims.cli.gunicorn_settings.READ_SECONDS = 1
graceful_timeout = 1
