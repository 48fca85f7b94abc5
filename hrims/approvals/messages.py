"""What an approval is about, in words for users. Pure."""

from hrims.approvals.store import Approval

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
