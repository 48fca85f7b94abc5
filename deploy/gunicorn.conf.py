"""How the web process runs: settings of HRIMS Sync come in, gunicorn's go out."""

import os

from hrims import config, log
from hrims.cli import leash

_settings = config.load(os.environ)

wsgi_app = "app:create_app()"
bind = [f"{_settings.host}:{_settings.port}"]
workers = _settings.web_processes
worker_class = "gthread"
threads = _settings.web_threads
timeout = 60
graceful_timeout = 3
keepalive = 15
control_socket_disable = True
accesslog = None


def on_starting(server: object) -> None:
    """Before the first worker is forked."""
    log.configure(_settings)
    leash.hold()


def post_fork(server: object, worker: object) -> None:
    """In each worker."""
    log.configure(_settings)
