"""Gunicorn settings of the web process, derived from the settings of HRIMS Sync.

Used as ``gunicorn --config python:hrims.cli.gunicorn_settings``, from a checkout and from a wheel.
"""

import logging
import os
import threading
from typing import Any

from gunicorn import glogging

import hrims.config
import hrims.log
from hrims.cli import gunicorn_limits, parent_watch
from hrims.installation import WSGI_APP
from hrims.monitoring import shared_folder

_settings = hrims.config.load(os.environ)

_metrics_folder = shared_folder.create()

log = hrims.log.get_logger("gunicorn.error")


class logger_class(glogging.Logger):  # type: ignore[misc] # noqa: N801 - named by gunicorn, which is untyped
    """A logger that routes gunicorn's own records to the handlers of HRIMS Sync."""

    def setup(self, cfg: Any) -> None:
        """Configure logging without handlers of gunicorn's own."""
        hrims.log.configure(_settings)
        hrims.log.log_uncaught_errors()
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)


wsgi_app = WSGI_APP
bind = [
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
]
workers = _settings.web_processes
worker_class = "hrims.cli.gunicorn_worker.Worker"
threads = _settings.web_threads
timeout = 60
graceful_timeout = 3
keepalive = 15
control_socket_disable = True

worker_connections = 2 * gunicorn_limits.MAX_CONNECTIONS
"""Never reached: the worker gives connections up before."""

sendfile = False
"""The worker sends: a client that receives slowly must not hold a thread."""

forwarded_allow_ips = ""
forwarder_headers = ""
"""No header of a client changes the scheme or the path. The application trusts HRIMS_TRUSTED_PROXIES only."""


def on_starting(server: object) -> None:
    """Watch the parent process before the first worker is forked."""
    parent_watch.watch_parent()


def post_fork(server: object, worker: object) -> None:
    """Watch the parent process in each worker, and allocate the files of its metrics.

    A worker must also end if the master and the process that started it are killed together.
    """
    parent_watch.watch_parent_in_fork()
    if not shared_folder.reserve():
        log.warning("metrics_not_shared")


def post_worker_init(worker: Any) -> None:
    """Check the schema in a thread, so that a process also starts while the database is unavailable.

    Start the thread of the audit trail.
    """
    from hrims.web.core import audit_thread  # noqa: PLC0415 - the master loads no application
    from hrims.web.core.app_state import check_schema  # noqa: PLC0415 - the same

    audit_thread.start(worker.wsgi)
    if _settings.database_url:
        threading.Thread(target=check_schema, args=(worker.wsgi,), name="schema", daemon=True).start()


def child_exit(server: object, worker: Any) -> None:
    """Forget the gauges of a process that has ended, and free its space. Its counts stay."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - reads the folder's name

    if os.environ.get(shared_folder.VARIABLE):
        shared_folder.release(worker.pid)
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call] # untyped in prometheus_client


def on_exit(server: object) -> None:
    """Delete the folder of the metrics."""
    if _metrics_folder:
        shared_folder.delete(_metrics_folder)
