"""The names of users. Input: a typed name. Output: the name as it is stored."""

import re

from hrims.errors import InvalidInput

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def normalize_name(name: str) -> str:
    """Return a name as it is stored: in lower case, without surrounding white space."""
    return name.strip().lower()


def check_name(name: str) -> str:
    """Return a name as it is stored. Raises InvalidInput if it is not allowed."""
    name = normalize_name(name)
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A name has 1 to 64 of the letters a to z, digits and . _ @ -, and begins with a letter or "
            "digit. No user was added.",
            "bad_name",
        )
    return name
