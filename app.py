"""The web application: joins the parts, nothing else."""

import os

from flask import Flask
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from hrims import config, db
from hrims.config import PROJECT, Settings
from hrims.web import (
    api,
    api_leavers,
    api_people,
    api_person,
    api_workplaces,
    batches,
    batches_api,
    care,
    compare,
    errors,
    fetch_data,
    forms,
    guard,
    headers,
    health,
    leavers,
    looks,
    parts,
    people,
    previews,
    previews_api,
    queue,
    queue_api,
    rejects,
    rejects_api,
    run,
    runs,
    schedules,
    schedules_api,
    sign_in,
    stream,
    webhooks,
    webhooks_api,
    workers,
    workplaces,
)
from hrims.web.hub import Hub

BLUEPRINTS = (
    # /  /sign-in  /sign-out
    sign_in.blueprint,
    # /dashboard/admin/fetch-data
    fetch_data.blueprint,
    # /dashboard/admin/runs
    runs.blueprint,
    # /dashboard/admin/runs/<id>
    run.blueprint,
    # /dashboard/admin/workers  /api/hrims/workers
    workers.blueprint,
    # /dashboard/admin/institutions  /api/hrims/institutions/<id>/care
    care.blueprint,
    # /dashboard/admin/batches
    batches.blueprint,
    # /api/hrims/batches
    batches_api.blueprint,
    # /dashboard/admin/schedules
    schedules.blueprint,
    # /api/hrims/schedules
    schedules_api.blueprint,
    # /dashboard/admin/queue
    queue.blueprint,
    # /dashboard/admin/people
    people.blueprint,
    # /dashboard/admin/leavers
    leavers.blueprint,
    # /dashboard/admin/workplaces
    workplaces.blueprint,
    # /dashboard/admin/rejects
    rejects.blueprint,
    # /dashboard/admin/previews
    previews.blueprint,
    # /dashboard/admin/compare  /api/hrims/compare
    compare.blueprint,
    # /dashboard/admin/webhooks
    webhooks.blueprint,
    # /api/hrims/previews
    previews_api.blueprint,
    # /api/hrims/institutions  fetch-by-institution  job-status  jobs
    api.blueprint,
    # /api/hrims/queue
    queue_api.blueprint,
    # /api/hrims/fetch-person
    api_people.blueprint,
    api_person.blueprint,
    # /api/hrims/leavers
    api_leavers.blueprint,
    # /api/hrims/workplaces
    api_workplaces.blueprint,
    # /api/hrims/rejects  institutions/<id>/ask-again
    rejects_api.blueprint,
    # /api/hrims/webhooks
    webhooks_api.blueprint,
    # /api/hrims/sync-status
    stream.blueprint,
    # /healthz  /readyz  /metrics
    health.blueprint,
)


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Connects to nothing before the first request."""
    settings = settings or config.load(os.environ)
    app = Flask("app", template_folder=PROJECT / "templates", static_folder=PROJECT / "static")
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_kb * 1024
    parts.give(app, settings)
    app.extensions["hrims.hub"] = Hub(lambda: db.dsn_of(settings), settings.max_streams)
    Htmx(app)
    errors.prepare(app)
    headers.prepare(app, https_only=settings.https_only)
    looks.prepare(app, settings.time_zone)
    forms.prepare(app, https_only=settings.https_only)
    app.before_request(guard.let_in)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign] # Flask's own way
    return app
