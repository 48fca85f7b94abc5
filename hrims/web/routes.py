"""The route table: every URL with its view and the permission that it needs.

Input: an app. Output: its endpoints and their guard. This is the only place that states a permission.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask

from hrims.validation import Request
from hrims.web import api, pages
from hrims.web.core import guard, permissions, requests, static_files
from hrims.web.core.permissions import Permission

PUBLIC = Permission.PUBLIC
"""Everyone, without a sign-in."""

READ = Permission.READ
"""Every user and token. The view changes nothing; a search is a POST so that no name is part of a URL."""

AUDIT = Permission.AUDIT
"""Administrators and auditors."""

WRITE = Permission.WRITE
"""Administrators and officers."""

ADMINISTER = Permission.ADMINISTER
"""Administrators."""


class Route(NamedTuple):
    """One row of the table."""

    method: str
    url: str
    view: Callable[..., Any]
    permission: Permission

    @property
    def endpoint(self) -> str:
        """Return the name for ``url_for``: ``queue.index`` of a page, ``api.queue.index`` of the API."""
        module = self.view.__module__.removeprefix("hrims.web.").removeprefix("pages.").removeprefix("core.")
        return f"{module}.{self.view.__name__}"

    @property
    def body(self) -> type[Request] | None:
        """Return the structure of the JSON body, if the view takes one."""
        return requests.get_body_type(self.view)

    @property
    def query(self) -> type[Request] | None:
        """Return the structure of the query string, if the view takes one."""
        return requests.get_query_type(self.view)


ROUTES = (
    # Sign-in and sign-out
    Route("GET", "/", pages.sign_in.redirect_home, READ),
    Route("GET", "/sign-in", pages.sign_in.show, PUBLIC),
    Route("POST", "/sign-in", pages.sign_in.sign_in, PUBLIC),
    Route("POST", "/sign-out", pages.sign_in.sign_out, PUBLIC),
    # Page that fetches an institution
    Route("GET", "/dashboard/admin/fetch-data", pages.fetch_data.index, READ),
    Route("GET", "/dashboard/admin/fetch-data/choice", pages.fetch_data.show_institution, READ),
    Route("POST", "/dashboard/admin/fetch-data", pages.fetch_data.fetch, WRITE),
    Route("POST", "/dashboard/admin/fetch-data/preview", pages.fetch_data.fetch_preview, WRITE),
    Route("GET", "/dashboard/admin/fetch-data/runs/<run_id>", pages.fetch_data.show_run, READ),
    Route("GET", "/dashboard/admin/fetch-data/recent", pages.fetch_data.show_recent, READ),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/cancel", pages.fetch_data.cancel, WRITE),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/retry", pages.fetch_data.retry, WRITE),
    Route("POST", "/dashboard/admin/fetch-data/runs/<run_id>/afresh", pages.fetch_data.repeat, WRITE),
    # Page of runs
    Route("GET", "/dashboard/admin/runs", pages.runs.index, READ),
    Route("GET", "/dashboard/admin/runs/list", pages.runs.show_list, READ),
    # Page of one run
    Route("GET", "/dashboard/admin/runs/<run_id>", pages.run.show, READ),
    Route("GET", "/dashboard/admin/runs/<run_id>/attempts", pages.run.show_attempts, READ),
    # Page of the run policy of an institution
    Route("GET", "/dashboard/admin/institutions/<institution_id>", pages.run_policy.show, READ),
    Route("POST", "/dashboard/admin/institutions/<institution_id>", pages.run_policy.update, ADMINISTER),
    # Page of batches
    Route("GET", "/dashboard/admin/batches", pages.batches.index, READ),
    Route("POST", "/dashboard/admin/batches", pages.batches.create, WRITE),
    Route("GET", "/dashboard/admin/batches/<batch_id>", pages.batches.show, READ),
    Route("GET", "/dashboard/admin/batches/<batch_id>/standing", pages.batches.show_progress, READ),
    Route("POST", "/dashboard/admin/batches/<batch_id>/retry", pages.batches.retry, WRITE),
    Route("POST", "/dashboard/admin/batches/<batch_id>/cancel", pages.batches.cancel, WRITE),
    # Page of schedules
    Route("GET", "/dashboard/admin/schedules", pages.schedules.index, READ),
    Route("POST", "/dashboard/admin/schedules", pages.schedules.create, ADMINISTER),
    Route("GET", "/dashboard/admin/schedules/upcoming", pages.schedules.show_upcoming, READ),
    Route("GET", "/dashboard/admin/schedules/<schedule_id>", pages.schedules.show, READ),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>", pages.schedules.update, ADMINISTER),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>/pause", pages.schedules.pause, ADMINISTER),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>/resume", pages.schedules.resume, ADMINISTER),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>/run", pages.schedules.run, ADMINISTER),
    Route("POST", "/dashboard/admin/schedules/<schedule_id>/remove", pages.schedules.remove, ADMINISTER),
    # Page of the queue
    Route("GET", "/dashboard/admin/queue", pages.queue.index, READ),
    Route("GET", "/dashboard/admin/queue/runs", pages.queue.show_runs, READ),
    Route("POST", "/dashboard/admin/queue/pause", pages.queue.pause, ADMINISTER),
    Route("POST", "/dashboard/admin/queue/resume", pages.queue.resume, ADMINISTER),
    Route("POST", "/dashboard/admin/queue/limit", pages.queue.set_limit, ADMINISTER),
    Route("POST", "/dashboard/admin/queue/runs/<run_id>/priority", pages.queue.set_priority, WRITE),
    # Page of people
    Route("GET", "/dashboard/admin/people", pages.people.index, READ),
    Route("POST", "/dashboard/admin/people", pages.people.search, READ),
    Route("GET", "/dashboard/admin/people/searches/<token>", pages.people.show_results, READ),
    Route("POST", "/dashboard/admin/people/fetch", pages.people.fetch, WRITE),
    Route("GET", "/dashboard/admin/people/<employee_id>", pages.people.show, READ),
    Route("POST", "/dashboard/admin/people/<employee_id>/fetch", pages.people.refetch, WRITE),
    # Page of leavers
    Route("GET", "/dashboard/admin/leavers", pages.leavers.index, READ),
    Route("GET", "/dashboard/admin/leavers/<departure_id>", pages.leavers.show, READ),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/approve", pages.leavers.approve, WRITE),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/refuse", pages.leavers.refuse, WRITE),
    Route("POST", "/dashboard/admin/leavers/<departure_id>/undo", pages.leavers.undo, WRITE),
    # Page of workplaces
    Route("GET", "/dashboard/admin/workplaces", pages.workplaces.index, READ),
    Route("GET", "/dashboard/admin/workplaces/<workplace_id>/choices", pages.workplaces.show_choices, READ),
    Route("POST", "/dashboard/admin/workplaces/<workplace_id>/map", pages.workplaces.map_institution, WRITE),
    Route("POST", "/dashboard/admin/workplaces/<workplace_id>/register", pages.workplaces.register, WRITE),
    Route("POST", "/dashboard/admin/workplaces/<workplace_id>/unmap", pages.workplaces.unmap, WRITE),
    # Page of rejects
    Route("GET", "/dashboard/admin/rejects", pages.rejects.index, READ),
    Route("GET", "/dashboard/admin/rejects/table", pages.rejects.show_list, READ),
    Route("GET", "/dashboard/admin/rejects/rejects.<kind>", pages.rejects.download, READ),
    Route("POST", "/dashboard/admin/rejects/ask-again", pages.rejects.fetch_again, WRITE),
    # Page of a preview
    Route("GET", "/dashboard/admin/previews/<run_id>", pages.previews.show, READ),
    Route("POST", "/dashboard/admin/previews/<run_id>/apply", pages.previews.apply, WRITE),
    Route("POST", "/dashboard/admin/previews/<run_id>/discard", pages.previews.discard, WRITE),
    # Page that compares two runs
    Route("GET", "/dashboard/admin/compare", pages.compare.index, READ),
    # Page of webhooks
    Route("GET", "/dashboard/admin/webhooks", pages.webhooks.index, AUDIT),
    Route("POST", "/dashboard/admin/webhooks", pages.webhooks.create, ADMINISTER),
    Route("POST", "/dashboard/admin/webhooks/<endpoint_id>/on", pages.webhooks.switch_on, ADMINISTER),
    Route("POST", "/dashboard/admin/webhooks/<endpoint_id>/off", pages.webhooks.switch_off, ADMINISTER),
    Route("POST", "/dashboard/admin/webhooks/<endpoint_id>/remove", pages.webhooks.remove, ADMINISTER),
    Route("POST", "/dashboard/admin/webhooks/<endpoint_id>/test", pages.webhooks.send_test, ADMINISTER),
    Route("GET", "/dashboard/admin/webhooks/messages/<key>", pages.webhooks.show_message, AUDIT),
    Route("POST", "/dashboard/admin/webhooks/messages/<key>/again", pages.webhooks.resend, ADMINISTER),
    # Page of workers and pools
    Route("GET", "/dashboard/admin/workers", pages.workers.index, READ),
    Route("GET", "/dashboard/admin/workers/list", pages.workers.show_list, READ),
    Route("GET", "/dashboard/admin/workers/banner", pages.workers.show_banner, READ),
    # API of runs, called jobs, and the register
    Route("GET", "/api/hrims/institutions", api.jobs.list_institutions, READ),
    Route("POST", "/api/hrims/fetch-by-institution", api.jobs.fetch_by_institution, WRITE),
    Route("GET", "/api/hrims/job-status/<job_id>", api.jobs.show_status, READ),
    Route("POST", "/api/hrims/jobs/<job_id>/cancel", api.jobs.cancel, WRITE),
    Route("POST", "/api/hrims/jobs/<job_id>/priority", api.jobs.set_priority, WRITE),
    Route("POST", "/api/hrims/jobs/<job_id>/retry", api.jobs.retry, WRITE),
    Route("GET", "/api/hrims/jobs/<job_id>/attempts", api.jobs.list_attempts, READ),
    # Server-sent events of a run
    Route("GET", "/api/hrims/sync-status/<job_id>", api.stream.stream_run, READ),
    # API of the run policy of an institution
    Route("GET", "/api/hrims/institutions/<institution_id>/care", api.run_policy.show, READ),
    Route("PUT", "/api/hrims/institutions/<institution_id>/care", api.run_policy.update, ADMINISTER),
    # API of batches
    Route("GET", "/api/hrims/batches", api.batches.index, READ),
    Route("POST", "/api/hrims/batches", api.batches.create, WRITE),
    Route("GET", "/api/hrims/batches/<batch_id>", api.batches.show, READ),
    Route("POST", "/api/hrims/batches/<batch_id>/retry", api.batches.retry, WRITE),
    Route("POST", "/api/hrims/batches/<batch_id>/cancel", api.batches.cancel, WRITE),
    # API of schedules
    Route("GET", "/api/hrims/schedules", api.schedules.index, READ),
    Route("POST", "/api/hrims/schedules", api.schedules.create, ADMINISTER),
    Route("GET", "/api/hrims/schedules/<schedule_id>", api.schedules.show, READ),
    Route("PUT", "/api/hrims/schedules/<schedule_id>", api.schedules.update, ADMINISTER),
    Route("POST", "/api/hrims/schedules/<schedule_id>/pause", api.schedules.pause, ADMINISTER),
    Route("POST", "/api/hrims/schedules/<schedule_id>/resume", api.schedules.resume, ADMINISTER),
    Route("POST", "/api/hrims/schedules/<schedule_id>/run", api.schedules.run, ADMINISTER),
    Route("POST", "/api/hrims/schedules/<schedule_id>/remove", api.schedules.remove, ADMINISTER),
    # API of the queue
    Route("GET", "/api/hrims/queue", api.queue.index, READ),
    Route("POST", "/api/hrims/queue/pause", api.queue.pause, ADMINISTER),
    Route("POST", "/api/hrims/queue/resume", api.queue.resume, ADMINISTER),
    Route("POST", "/api/hrims/queue/limit", api.queue.set_limit, ADMINISTER),
    # API of people
    Route("POST", "/api/hrims/people/search", api.people.search, READ),
    # API that fetches one person
    Route("POST", "/api/hrims/fetch-person", api.person.fetch_person, WRITE),
    # API of leavers
    Route("GET", "/api/hrims/leavers", api.leavers.index, READ),
    Route("POST", "/api/hrims/leavers/<departure_id>/approve", api.leavers.approve, WRITE),
    Route("POST", "/api/hrims/leavers/<departure_id>/refuse", api.leavers.refuse, WRITE),
    Route("POST", "/api/hrims/leavers/<departure_id>/undo", api.leavers.undo, WRITE),
    # API of workplaces
    Route("GET", "/api/hrims/workplaces", api.workplaces.index, READ),
    Route("POST", "/api/hrims/workplaces/<workplace_id>/map", api.workplaces.map_institution, WRITE),
    Route("POST", "/api/hrims/workplaces/<workplace_id>/register", api.workplaces.register, WRITE),
    Route("POST", "/api/hrims/workplaces/<workplace_id>/unmap", api.workplaces.unmap, WRITE),
    # API of rejects
    Route("GET", "/api/hrims/rejects", api.rejects.index, READ),
    Route("POST", "/api/hrims/institutions/<institution_id>/ask-again", api.rejects.fetch_again, WRITE),
    # API of previews
    Route("GET", "/api/hrims/previews/<job_id>", api.previews.show, READ),
    Route("POST", "/api/hrims/previews/<job_id>/apply", api.previews.apply, WRITE),
    Route("POST", "/api/hrims/previews/<job_id>/discard", api.previews.discard, WRITE),
    # API that compares two runs
    Route("GET", "/api/hrims/compare", api.compare.show, READ),
    # API of webhooks
    Route("GET", "/api/hrims/webhooks", api.webhooks.index, AUDIT),
    Route("POST", "/api/hrims/webhooks", api.webhooks.create, ADMINISTER),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/on", api.webhooks.switch_on, ADMINISTER),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/off", api.webhooks.switch_off, ADMINISTER),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/remove", api.webhooks.remove, ADMINISTER),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/test", api.webhooks.send_test, ADMINISTER),
    Route("GET", "/api/hrims/webhooks/messages", api.webhooks.list_messages, AUDIT),
    Route("GET", "/api/hrims/webhooks/messages/<key>", api.webhooks.show_message, AUDIT),
    Route("POST", "/api/hrims/webhooks/messages/<key>/again", api.webhooks.resend, ADMINISTER),
    # API of workers and pools
    Route("GET", "/api/hrims/workers", api.workers.index, READ),
    # Health checks and metrics
    Route("GET", "/healthz", api.health.show_liveness, PUBLIC),
    Route("GET", "/readyz", api.health.show_readiness, PUBLIC),
    Route("GET", "/metrics", api.health.show_metrics, PUBLIC),
    # Static files
    Route("GET", "/static/<path:filename>", static_files.serve, PUBLIC),
)


def register(app: Flask) -> None:
    """Add every route to an app, and the guard that checks its permission."""
    for route in ROUTES:
        view = requests.pass_input(route.view)
        app.add_url_rule(route.url, route.endpoint, view, methods=[route.method])
    permissions.attach(app, {route.endpoint: route.permission for route in ROUTES})
    app.before_request(guard.authorize)
