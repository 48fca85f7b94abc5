"""Users whose password was right and whose code is still missing.

Input: such a user. Output: a token that the sign-in page sends with the code, for a few minutes. Only its
hash is stored.
"""

from hrims.access.challenges.actions import MINUTES, create, find, take

__all__ = ["MINUTES", "create", "find", "take"]
