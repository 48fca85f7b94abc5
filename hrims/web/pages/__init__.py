"""The pages, one file each: a page, its fragments and its buttons.

Input: requests of browsers. Output: HTML.
"""

from hrims.web.pages import (
    batches,
    compare,
    fetch_data,
    leavers,
    people,
    previews,
    queue,
    rejects,
    run,
    run_policy,
    runs,
    schedules,
    sign_in,
    webhooks,
    workers,
    workplaces,
)

__all__ = [
    "batches",
    "compare",
    "fetch_data",
    "leavers",
    "people",
    "previews",
    "queue",
    "rejects",
    "run",
    "run_policy",
    "runs",
    "schedules",
    "sign_in",
    "webhooks",
    "workers",
    "workplaces",
]
