"""Machines' sign-ins to the API. Input: a name, or a token that a machine sends. Output: a token, shown once,
or which machine it is.
"""

from hrims.access.tokens.actions import DEFAULT_ROLE, LONGEST, Token, add_token, find, revoke
from hrims.access.tokens.store import ListedToken, tokens

__all__ = ["DEFAULT_ROLE", "LONGEST", "ListedToken", "Token", "add_token", "find", "revoke", "tokens"]
