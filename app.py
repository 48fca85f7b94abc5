"""The composition root of the web application."""

import os

from flask import Flask
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from hrims import config, error_reports, tracing
from hrims.access import openid
from hrims.config import Settings
from hrims.installation import TEMPLATES
from hrims.web import routes
from hrims.web.core import (
    access_log,
    app_state,
    csrf,
    errors,
    headers,
    hosts,
    metrics,
    refusals,
    static_files,
    templating,
    traces,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Create the web application. It connects to no database before the first request."""
    settings = settings or config.load(os.environ)
    openid.check_settings(settings)
    app = Flask("app", template_folder=TEMPLATES, static_folder=None)
    # Otherwise an address with // is redirected to an absolute URL with the host of the request.
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_kb * 1024
    app_state.attach(app, settings)
    tracing.configure(settings, "web")
    error_reports.configure(settings, "web")
    access_log.prepare(app)
    metrics.prepare(app)
    refusals.prepare(app)
    traces.prepare(app)
    Htmx(app)
    errors.prepare(app)
    hosts.prepare(app, settings.served_hosts)
    headers.prepare(app, https_only=settings.https_only)
    static_files.prepare(app)
    templating.configure(app, settings.time_zone)
    csrf.prepare(app, https_only=settings.https_only)
    routes.register(app)
    access_log.identify_requests(app)
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign] # documented by Flask
    return app
