"""Finds unknown variables. A setting whose name is mistyped would silently keep its default."""

import difflib
import re
from collections.abc import Mapping
from typing import Final

from hrims.config.settings import VARIABLES

PREFIX: Final = "HRIMS_"

NOT_SETTINGS: Final = re.compile(
    # Set by the product for its own processes, by its tests and for its tests.
    r"HRIMS_(PARENT_FD|CHROMIUM|TEST_.*|CHAOS_.*"
    # Set by Kubernetes and Docker links for services whose name begins with hrims.
    r"|(.+_)?SERVICE_(HOST|PORT(_.+)?)|(.+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)

LINK: Final = re.compile(r"(tcp|udp|sctp)://")
"""The value of a variable like HRIMS_PORT that Kubernetes sets for a service."""


def find_unknown(environ: Mapping[str, str]) -> list[str]:
    """Return a message for each variable that begins with ``HRIMS_`` and is no setting."""
    known = {name: name.removeprefix(PREFIX) for item in VARIABLES for name in (item.name, item.file) if name}
    return [
        _message(name, known)
        for name, value in sorted(environ.items())
        if name.startswith(PREFIX) and name not in known and not _is_foreign(name, value)
    ]


def _is_foreign(name: str, value: str) -> bool:
    return bool(NOT_SETTINGS.fullmatch(name) or (name.endswith("_PORT") and LINK.match(value)))


def _message(name: str, known: dict[str, str]) -> str:
    # Without the prefix, which would make all names similar.
    close = difflib.get_close_matches(name.removeprefix(PREFIX), known.values(), n=1)
    similar = next((setting for setting, bare in known.items() if bare in close), None)
    hint = f"did you mean {similar}?" if similar else "docs/reference/settings.md lists all."
    return f"There is no setting {name}; {hint}"
