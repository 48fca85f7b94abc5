"""Whether a second administrator can approve. Input: who acts. Output: the rule, or the way out."""

from hrims.access.actor import Actor
from hrims.access.users import store
from hrims.db import Connection

NO_APPROVER = (
    "No other administrator is enabled who could approve it. An operator makes a user administrator on the "
    "command line, without --as and HRIMS_USER: hrims user set-role NAME administrator"
)
"""The way out if an action of administrators needs a second one and there is none."""

ALONE = {"approval": "none: fewer than two administrators were enabled"}
"""What the record says of an administrator who was made without an approval."""


def has_no_second_administrator(conn: Connection, actor: Actor) -> bool:
    """Return whether the actor does alone what needs the approval of a second administrator.

    A user does it while there never was another administrator: disabling the others gives no one this right.
    The system, an operator at a shell, does it while fewer than two administrators are enabled.
    """
    if actor.user_id is None:
        return store.count_administrators(conn) < 2
    return not store.has_other_administrators(conn, actor.user_id)


def explain_missing_approver(conn: Connection, actor: Actor) -> str:
    """Return the way out if no other administrator could approve a request of the actor, else nothing."""
    if actor.user_id is None or store.has_other_enabled_administrators(conn, actor.user_id):
        return ""
    return NO_APPROVER
