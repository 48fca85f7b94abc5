"""The JSON API, one file per resource. Input: requests of machines. Output: structures, which are the
description of the API as well."""

from hrims.web.api import (
    approvals,
    batches,
    compare,
    description,
    health,
    jobs,
    leavers,
    people,
    person,
    previews,
    queue,
    rejects,
    run_policy,
    schedules,
    stream,
    webhooks,
    workers,
    workplaces,
)

__all__ = [
    "approvals",
    "batches",
    "compare",
    "description",
    "health",
    "jobs",
    "leavers",
    "people",
    "person",
    "previews",
    "queue",
    "rejects",
    "run_policy",
    "schedules",
    "stream",
    "webhooks",
    "workers",
    "workplaces",
]
