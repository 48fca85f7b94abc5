"""What an approval is about, in words for users. Pure."""

from hrims.approvals.store import Approval
from hrims.connection import messages as connection

TITLES = {
    "leavers.undo": "Undo the approved leavers {id}",
    "batch.cancel": "Cancel the unfinished runs of batch {id}",
    "user.make_administrator": "Make {name} an administrator",
    "connection.change": "Change the connection to HRIMS",
}


def describe(approval: Approval) -> str:
    """Return what would be done."""
    number = approval.subject.partition(":")[2]
    return TITLES[approval.action].format(id=number, name=approval.details.get("name", ""))


def explain(approval: Approval) -> list[str]:
    """Return sentences about what would change, for users who may decide or have requested it."""
    return connection.describe(approval.details["effect"]) if "effect" in approval.details else []
