"""Authentication of machines for the API.

Input: a name, or a token that a machine sends. Output: a new token, shown once, or the machine of the token.
"""

from hrims.access.tokens.actions import DEFAULT_SCOPE, MAX_DAYS, SCOPES, add_token, find_token, revoke
from hrims.access.tokens.store import ListedToken, list_tokens

__all__ = [
    "DEFAULT_SCOPE",
    "MAX_DAYS",
    "SCOPES",
    "ListedToken",
    "add_token",
    "find_token",
    "list_tokens",
    "revoke",
]
