"""A web application with views that fail. Tests with the same settings share it."""

import functools

from flask import Flask

from hrims.access.permissions import Permission
from hrims.config import Settings
from hrims.web.core import permissions
from tests.web.browsers import new_app


@functools.cache
def failing_app(settings: Settings) -> Flask:
    """Create an application with two views that fail, one for machines and one for people."""
    made = new_app(settings)

    def view() -> str:
        raise made.config["FAILS"]

    for path in ("/api/fails", "/fails"):
        made.add_url_rule(path, path, view, methods=["GET", "POST"])
        permissions.attach(made, {path: Permission.READ_RUNS})
    return made


def fails(app: Flask, reason: Exception) -> None:
    """Let these views fail for this reason."""
    app.config["FAILS"] = reason
