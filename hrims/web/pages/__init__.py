"""The pages, one file each: a page, its fragments and its buttons.

Input: requests of browsers. Output: HTML.
"""

from hrims.web.pages import (
    account,
    approvals,
    batches,
    compare,
    confirm,
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
    set_up,
    sign_in,
    tokens,
    users,
    webhooks,
    workers,
    workplaces,
)

__all__ = [
    "account",
    "approvals",
    "batches",
    "compare",
    "confirm",
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
    "set_up",
    "sign_in",
    "tokens",
    "users",
    "webhooks",
    "workers",
    "workplaces",
]
