"""Texts of the API that are one of some values. A test compares them with the checks of the database."""

from typing import Annotated, get_args

from hrims.batches.progress import STATES as MEMBER_STATES
from hrims.jobs.enqueue import IdentifierType
from hrims.jobs.rate_limit.priorities import Priority
from hrims.rejects.messages import CODES
from hrims.runs.attempts import ENDED
from hrims.web.core.responses import choice

RunState = Annotated[str, choice(("waiting", "delayed", "active", "completed", "failed", "cancelled"))]

RunKind = Annotated[str, choice(("sync", "preview", "apply", "rejected", "person"))]

RunPriority = Annotated[str, choice(get_args(Priority))]

Phase = Annotated[str, choice(("fetching", "saving"))]

Outcome = Annotated[str, choice(("complete", "complete_after_repair", "incomplete"))]

ListIdentifierType = Annotated[str, choice(get_args(IdentifierType))]
"""The number by which HRIMS lists an institution."""

RunIdentifierType = Annotated[str, choice((*get_args(IdentifierType), "person"))]

AttemptEnd = Annotated[str, choice(filter(None, ENDED))]

BatchScope = Annotated[str, choice(("all", "failed", "selection"))]

MemberState = Annotated[str, choice(MEMBER_STATES)]

Missed = Annotated[str, choice(("once", "skip"))]
"""What happens to due times that were missed."""

FiringResult = Annotated[str, choice(("enqueued", "skipped", "none_selected", "refused", "failed"))]
"""What became of a due time of a schedule."""

DepartureState = Annotated[str, choice(("waiting", "approved", "applied", "refused", "superseded", "undone"))]

RejectCode = Annotated[str, choice(CODES)]

ApprovalAction = Annotated[
    str, choice(("leavers.undo", "batch.cancel", "user.make_administrator", "connection.change"))
]

ApprovalState = Annotated[str, choice(("waiting", "approved", "refused", "withdrawn", "expired", "outdated"))]

MessageType = Annotated[
    str, choice(("run.completed", "run.failed", "run.cancelled", "webhook.test", "audit.head"))
]

MessageState = Annotated[str, choice(("waiting", "delivered", "failed"))]
