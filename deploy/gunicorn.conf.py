"""How the web process runs: settings of HRIMS Sync come in, gunicorn's go out."""

import os

import hrims.config
import hrims.log
from hrims.cli import leash

# Gunicorn takes every plain name of this file for a setting of its own.
_settings = hrims.config.load(os.environ)

wsgi_app = "app:create_app()"
bind = [f"{_settings.host}:{_settings.port}"]
workers = _settings.web_processes
worker_class = "gthread"
threads = _settings.web_threads
timeout = 60
graceful_timeout = 3
keepalive = 15
control_socket_disable = True


def on_starting(server: object) -> None:
    """Before the first worker is forked."""
    hrims.log.configure(_settings)
    leash.hold()


def post_fork(server: object, worker: object) -> None:
    """In each worker."""
    hrims.log.configure(_settings)
