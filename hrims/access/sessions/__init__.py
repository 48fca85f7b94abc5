"""Sessions of browsers.

Input: a user and the browser of a sign-in. Output: the token of a cookie, and the user of a token. Only a
hash of the token is stored. A session ends at its absolute limit, after its idle limit, or when it is ended.
"""

from hrims.access.sessions.actions import (
    IDLE_MINUTES,
    Renewed,
    SignedIn,
    begin,
    confirm,
    end,
    end_all,
    end_one,
    end_others,
    find,
    renew,
    touch,
)
from hrims.access.sessions.store import ListedSession, list_sessions

__all__ = [
    "IDLE_MINUTES",
    "ListedSession",
    "Renewed",
    "SignedIn",
    "begin",
    "confirm",
    "end",
    "end_all",
    "end_one",
    "end_others",
    "find",
    "list_sessions",
    "renew",
    "touch",
]
