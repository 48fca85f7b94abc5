"""The route table of API, probes and metrics: every URL with its view and the permission that it needs."""

from hrims.access.permissions import Permission as Can
from hrims.web import api
from hrims.web.core.permissions import PUBLIC
from hrims.web.core.route import Route

API_ROUTES = (
    # API of runs, called jobs, and the register
    Route("GET", "/api/hrims/institutions", api.jobs.list_institutions, Can.READ_RUNS),
    Route("POST", "/api/hrims/fetch-by-institution", api.jobs.fetch_by_institution, Can.SYNC),
    Route("GET", "/api/hrims/job-status/<job_id>", api.jobs.show_status, Can.READ_RUNS),
    Route("POST", "/api/hrims/jobs/<job_id>/cancel", api.jobs.cancel, Can.SYNC),
    Route("POST", "/api/hrims/jobs/<job_id>/priority", api.jobs.set_priority, Can.SYNC),
    Route("POST", "/api/hrims/jobs/<job_id>/retry", api.jobs.retry, Can.SYNC),
    Route("GET", "/api/hrims/jobs/<job_id>/attempts", api.jobs.list_attempts, Can.READ_RUNS),
    # Server-sent events of a run
    Route("GET", "/api/hrims/sync-status/<job_id>", api.stream.stream_run, Can.READ_RUNS),
    # API of the run policy of an institution
    Route("GET", "/api/hrims/institutions/<institution_id>/care", api.run_policy.show, Can.READ_RUNS),
    Route(
        "PUT", "/api/hrims/institutions/<institution_id>/care", api.run_policy.update, Can.MANAGE_INSTITUTIONS
    ),
    # API of batches
    Route("GET", "/api/hrims/batches", api.batches.index, Can.READ_RUNS),
    Route("POST", "/api/hrims/batches", api.batches.create, Can.SYNC),
    Route("GET", "/api/hrims/batches/<batch_id>", api.batches.show, Can.READ_RUNS),
    Route("POST", "/api/hrims/batches/<batch_id>/retry", api.batches.retry, Can.SYNC),
    Route("POST", "/api/hrims/batches/<batch_id>/cancel", api.batches.cancel, Can.SYNC),
    # API of schedules
    Route("GET", "/api/hrims/schedules", api.schedules.index, Can.READ_RUNS),
    Route("POST", "/api/hrims/schedules", api.schedules.create, Can.MANAGE_SCHEDULES),
    Route("GET", "/api/hrims/schedules/<schedule_id>", api.schedules.show, Can.READ_RUNS),
    Route("PUT", "/api/hrims/schedules/<schedule_id>", api.schedules.update, Can.MANAGE_SCHEDULES),
    Route("POST", "/api/hrims/schedules/<schedule_id>/pause", api.schedules.pause, Can.MANAGE_SCHEDULES),
    Route("POST", "/api/hrims/schedules/<schedule_id>/resume", api.schedules.resume, Can.MANAGE_SCHEDULES),
    Route("POST", "/api/hrims/schedules/<schedule_id>/run", api.schedules.run, Can.MANAGE_SCHEDULES),
    Route("POST", "/api/hrims/schedules/<schedule_id>/remove", api.schedules.remove, Can.MANAGE_SCHEDULES),
    # API of the queue
    Route("GET", "/api/hrims/queue", api.queue.index, Can.READ_RUNS),
    Route("POST", "/api/hrims/queue/pause", api.queue.pause, Can.MANAGE_QUEUE),
    Route("POST", "/api/hrims/queue/resume", api.queue.resume, Can.MANAGE_QUEUE),
    Route("POST", "/api/hrims/queue/limit", api.queue.set_limit, Can.MANAGE_QUEUE),
    # API of people
    Route("POST", "/api/hrims/people/search", api.people.search, Can.READ_PEOPLE),
    Route("POST", "/api/hrims/people/<employee_id>/reveal", api.people.reveal, Can.REVEAL),
    # API that fetches one person
    Route("POST", "/api/hrims/fetch-person", api.person.fetch_person, Can.SYNC),
    # API of leavers
    Route("GET", "/api/hrims/leavers", api.leavers.index, Can.READ_PEOPLE),
    Route("POST", "/api/hrims/leavers/<departure_id>/approve", api.leavers.approve, Can.APPROVE),
    Route("POST", "/api/hrims/leavers/<departure_id>/refuse", api.leavers.refuse, Can.APPROVE),
    Route("POST", "/api/hrims/leavers/<departure_id>/undo", api.leavers.undo, Can.APPROVE),
    # API of approvals
    Route("GET", "/api/hrims/approvals", api.approvals.index, Can.READ_RUNS),
    Route("POST", "/api/hrims/approvals/<approval_id>/approve", api.approvals.approve, Can.APPROVE),
    Route("POST", "/api/hrims/approvals/<approval_id>/refuse", api.approvals.refuse, Can.APPROVE),
    Route("POST", "/api/hrims/approvals/<approval_id>/withdraw", api.approvals.withdraw, Can.SYNC),
    # API of workplaces
    Route("GET", "/api/hrims/workplaces", api.workplaces.index, Can.READ_RUNS),
    Route(
        "POST", "/api/hrims/workplaces/<workplace_id>/map", api.workplaces.map_institution, Can.MAP_WORKPLACES
    ),
    Route(
        "POST",
        "/api/hrims/workplaces/<workplace_id>/register",
        api.workplaces.register,
        Can.MANAGE_INSTITUTIONS,
    ),
    Route("POST", "/api/hrims/workplaces/<workplace_id>/unmap", api.workplaces.unmap, Can.MAP_WORKPLACES),
    # API of rejects
    Route("GET", "/api/hrims/rejects", api.rejects.index, Can.READ_PEOPLE),
    Route(
        "POST",
        "/api/hrims/institutions/<institution_id>/ask-again",
        api.rejects.fetch_again,
        Can.DECIDE_REJECTS,
    ),
    # API of previews
    Route("GET", "/api/hrims/previews/<job_id>", api.previews.show, Can.READ_PEOPLE),
    Route("POST", "/api/hrims/previews/<job_id>/apply", api.previews.apply, Can.SYNC),
    Route("POST", "/api/hrims/previews/<job_id>/discard", api.previews.discard, Can.SYNC),
    # API that compares two runs
    Route("GET", "/api/hrims/compare", api.compare.show, Can.READ_PEOPLE),
    # API of webhooks
    Route("GET", "/api/hrims/webhooks", api.webhooks.index, Can.READ_AUDIT),
    Route("POST", "/api/hrims/webhooks", api.webhooks.create, Can.MANAGE_WEBHOOKS),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/on", api.webhooks.switch_on, Can.MANAGE_WEBHOOKS),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/off", api.webhooks.switch_off, Can.MANAGE_WEBHOOKS),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/remove", api.webhooks.remove, Can.MANAGE_WEBHOOKS),
    Route("POST", "/api/hrims/webhooks/<endpoint_id>/test", api.webhooks.send_test, Can.MANAGE_WEBHOOKS),
    Route("GET", "/api/hrims/webhooks/messages", api.webhooks.list_messages, Can.READ_AUDIT),
    Route("GET", "/api/hrims/webhooks/messages/<key>", api.webhooks.show_message, Can.READ_AUDIT),
    Route("POST", "/api/hrims/webhooks/messages/<key>/again", api.webhooks.resend, Can.MANAGE_WEBHOOKS),
    # API of workers and pools
    Route("GET", "/api/hrims/workers", api.workers.index, Can.READ_RUNS),
    # The description of this API
    Route("GET", "/api/openapi.json", api.description.show, PUBLIC),
    # Health checks and metrics
    Route("GET", "/healthz", api.health.show_liveness, PUBLIC),
    Route("GET", "/readyz", api.health.show_readiness, PUBLIC),
    Route("GET", "/metrics", api.health.show_metrics, PUBLIC),
)
