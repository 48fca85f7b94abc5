"""The JSON API, one file per resource. Input: requests of machines. Output: the shapes of ``serializers``."""

from hrims.web.api import (
    batches,
    compare,
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
    "batches",
    "compare",
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
