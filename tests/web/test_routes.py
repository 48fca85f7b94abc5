"""The addresses that people and machines rely on."""

from flask import Flask

ROUTES = """
GET /
GET /api/hrims/batches
GET /api/hrims/batches/<batch_id>
GET /api/hrims/compare
GET /api/hrims/institutions
GET /api/hrims/institutions/<institution_id>/care
GET /api/hrims/job-status/<job_id>
GET /api/hrims/jobs/<job_id>/attempts
GET /api/hrims/leavers
GET /api/hrims/previews/<job_id>
GET /api/hrims/queue
GET /api/hrims/rejects
GET /api/hrims/schedules
GET /api/hrims/schedules/<schedule_id>
GET /api/hrims/sync-status/<job_id>
GET /api/hrims/webhooks
GET /api/hrims/webhooks/messages
GET /api/hrims/webhooks/messages/<key>
GET /api/hrims/workers
GET /api/hrims/workplaces
GET /dashboard/admin/batches
GET /dashboard/admin/batches/<batch_id>
GET /dashboard/admin/batches/<batch_id>/standing
GET /dashboard/admin/compare
GET /dashboard/admin/fetch-data
GET /dashboard/admin/fetch-data/choice
GET /dashboard/admin/fetch-data/recent
GET /dashboard/admin/fetch-data/runs/<run_id>
GET /dashboard/admin/institutions/<institution_id>
GET /dashboard/admin/leavers
GET /dashboard/admin/leavers/<departure_id>
GET /dashboard/admin/people
GET /dashboard/admin/people/<employee_id>
GET /dashboard/admin/previews/<run_id>
GET /dashboard/admin/queue
GET /dashboard/admin/queue/runs
GET /dashboard/admin/rejects
GET /dashboard/admin/rejects/rejects.<kind>
GET /dashboard/admin/rejects/table
GET /dashboard/admin/runs
GET /dashboard/admin/runs/<run_id>
GET /dashboard/admin/runs/<run_id>/attempts
GET /dashboard/admin/runs/list
GET /dashboard/admin/schedules
GET /dashboard/admin/schedules/<schedule_id>
GET /dashboard/admin/schedules/upcoming
GET /dashboard/admin/webhooks
GET /dashboard/admin/webhooks/messages/<key>
GET /dashboard/admin/workers
GET /dashboard/admin/workers/banner
GET /dashboard/admin/workers/list
GET /dashboard/admin/workplaces
GET /dashboard/admin/workplaces/<workplace_id>/choices
GET /healthz
GET /metrics
GET /readyz
GET /sign-in
GET /static/<path:filename>
POST /api/hrims/batches
POST /api/hrims/batches/<batch_id>/cancel
POST /api/hrims/batches/<batch_id>/retry
POST /api/hrims/fetch-by-institution
POST /api/hrims/fetch-person
POST /api/hrims/institutions/<institution_id>/ask-again
POST /api/hrims/jobs/<job_id>/cancel
POST /api/hrims/jobs/<job_id>/priority
POST /api/hrims/jobs/<job_id>/retry
POST /api/hrims/leavers/<departure_id>/approve
POST /api/hrims/leavers/<departure_id>/refuse
POST /api/hrims/leavers/<departure_id>/undo
POST /api/hrims/people/search
POST /api/hrims/previews/<job_id>/apply
POST /api/hrims/previews/<job_id>/discard
POST /api/hrims/queue/limit
POST /api/hrims/queue/pause
POST /api/hrims/queue/resume
POST /api/hrims/schedules
POST /api/hrims/schedules/<schedule_id>/pause
POST /api/hrims/schedules/<schedule_id>/remove
POST /api/hrims/schedules/<schedule_id>/resume
POST /api/hrims/schedules/<schedule_id>/run
POST /api/hrims/webhooks
POST /api/hrims/webhooks/<endpoint_id>/off
POST /api/hrims/webhooks/<endpoint_id>/on
POST /api/hrims/webhooks/<endpoint_id>/remove
POST /api/hrims/webhooks/<endpoint_id>/test
POST /api/hrims/webhooks/messages/<key>/again
POST /api/hrims/workplaces/<workplace_id>/map
POST /api/hrims/workplaces/<workplace_id>/register
POST /api/hrims/workplaces/<workplace_id>/unmap
POST /dashboard/admin/batches
POST /dashboard/admin/batches/<batch_id>/cancel
POST /dashboard/admin/batches/<batch_id>/retry
POST /dashboard/admin/fetch-data
POST /dashboard/admin/fetch-data/preview
POST /dashboard/admin/fetch-data/runs/<run_id>/afresh
POST /dashboard/admin/fetch-data/runs/<run_id>/cancel
POST /dashboard/admin/fetch-data/runs/<run_id>/retry
POST /dashboard/admin/institutions/<institution_id>
POST /dashboard/admin/leavers/<departure_id>/approve
POST /dashboard/admin/leavers/<departure_id>/refuse
POST /dashboard/admin/leavers/<departure_id>/undo
POST /dashboard/admin/people
POST /dashboard/admin/people/<employee_id>/fetch
POST /dashboard/admin/people/fetch
POST /dashboard/admin/previews/<run_id>/apply
POST /dashboard/admin/previews/<run_id>/discard
POST /dashboard/admin/queue/limit
POST /dashboard/admin/queue/pause
POST /dashboard/admin/queue/resume
POST /dashboard/admin/queue/runs/<run_id>/priority
POST /dashboard/admin/rejects/ask-again
POST /dashboard/admin/schedules
POST /dashboard/admin/schedules/<schedule_id>
POST /dashboard/admin/schedules/<schedule_id>/pause
POST /dashboard/admin/schedules/<schedule_id>/remove
POST /dashboard/admin/schedules/<schedule_id>/resume
POST /dashboard/admin/schedules/<schedule_id>/run
POST /dashboard/admin/webhooks
POST /dashboard/admin/webhooks/<endpoint_id>/off
POST /dashboard/admin/webhooks/<endpoint_id>/on
POST /dashboard/admin/webhooks/<endpoint_id>/remove
POST /dashboard/admin/webhooks/<endpoint_id>/test
POST /dashboard/admin/webhooks/messages/<key>/again
POST /dashboard/admin/workplaces/<workplace_id>/map
POST /dashboard/admin/workplaces/<workplace_id>/register
POST /dashboard/admin/workplaces/<workplace_id>/unmap
POST /sign-in
POST /sign-out
PUT /api/hrims/institutions/<institution_id>/care
PUT /api/hrims/schedules/<schedule_id>
"""


def test_they_are_these(app: Flask) -> None:
    there = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]
    assert sorted(there) == ROUTES.split("\n")[1:-1]
