"""The pages, one file each: a page, its fragments and its buttons.

Input: requests of browsers. Output: HTML.
"""

from hrims.web.pages import (
    approvals,
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
    tokens,
    users,
    webhooks,
    workers,
    workplaces,
)

__all__ = [
    "approvals",
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
    "tokens",
    "users",
    "webhooks",
    "workers",
    "workplaces",
]
