"""Merges the settings of a process with the connection that the page saved.

Input: settings, the saved connection and the keys. Output: settings with the connection in use, where each
value comes from, and why HRIMS cannot be asked, if so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec

from hrims.config import VARIABLES, Settings
from hrims.log import add_secret
from hrims.remote.connection.addresses import origin_of
from hrims.remote.simulator_url import read_simulator_url
from hrims.vault import Vault
from hrims.vault.errors import SecretUnreadable

CREDENTIALS: Final[tuple[str, ...]] = ("api_key", "token")

NUMBERS: Final[tuple[str, ...]] = ("connect_timeout", "read_timeout", "request_timeout", "max_in_flight")
"""The other values of a connection. Settings have the same names."""

VARIABLE_OF: Final = {item.field: item.name for item in VARIABLES}

NO_ADDRESS: Final = (
    "No address of HRIMS is known. Set it on the page “HRIMS connection”, or set HRIMS_BASE_URL and restart."
)

FOREIGN_CREDENTIALS: Final = (
    "{} is set for this process, and is sent only to the address in HRIMS_BASE_URL. The address comes from "
    "the page “HRIMS connection”. Set HRIMS_BASE_URL too, or unset it."
)

OTHER_ORIGIN: Final = (
    "The {} on the page “HRIMS connection” was saved for another address. Enter it again there."
)


class Source(Enum):
    """Where a value comes from. The value is its name on the page."""

    ENVIRONMENT = "environment"
    PAGE = "this page"
    SIMULATOR = "simulator"
    DEFAULT = "default"
    MISSING = "not set"


class Credential(NamedTuple):
    """A credential that the page saved, encrypted."""

    value: bytes
    set_by: str
    set_at: datetime


class StoredConnection(msgspec.Struct, frozen=True):
    """The connection that the page saved. None is a value that it leaves to the settings."""

    version: int = 0
    address: str | None = None
    connect_timeout: float | None = None
    read_timeout: float | None = None
    request_timeout: float | None = None
    max_in_flight: int | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
    credentials: dict[str, Credential] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class RemoteConnection:
    """The connection that a process uses.

    ``settings`` have its values. ``problem`` says why HRIMS cannot be asked. ``is_checked`` tells that the
    address comes from the page, so that requests go only to IP addresses that HRIMS may have.
    """

    settings: Settings
    sources: Mapping[str, Source]
    version: int = 0
    problem: str | None = None

    @property
    def address(self) -> str:
        """Return the address of HRIMS; empty if it cannot be asked."""
        return "" if self.problem else self.settings.base_url or ""

    @property
    def is_checked(self) -> bool:
        return self.sources["base_url"] is Source.PAGE


def purpose_of(name: str, address: str) -> str:
    """Return the purpose of a stored credential. It holds the origin, so that no other origin gets it."""
    return f"HRIMS {name} for {origin_of(address)}"


def resolve_connection(settings: Settings, stored: StoredConnection) -> RemoteConnection:
    """Return the connection of a process: its environment first, then the page, then the defaults."""
    address, source = _find_address(settings, stored)
    values, sources = _find_numbers(settings, stored)
    values["base_url"], sources["base_url"] = address, source
    problem = None if address else NO_ADDRESS
    for name in CREDENTIALS:
        if getattr(settings, name):
            sources[name] = Source.ENVIRONMENT
            if source is Source.PAGE:
                problem = problem or FOREIGN_CREDENTIALS.format(VARIABLE_OF[name])
        elif name in stored.credentials and source is not Source.SIMULATOR:
            sources[name] = Source.PAGE
            if address:
                values[name], trouble = decrypt_credential(settings, stored, name, address)
                problem = problem or trouble
        else:
            sources[name] = Source.MISSING
    effective = msgspec.structs.replace(settings, **values)
    return RemoteConnection(effective, sources, stored.version, problem)


def _find_address(settings: Settings, stored: StoredConnection) -> tuple[str | None, Source]:
    if settings.base_url:
        return settings.base_url, Source.ENVIRONMENT
    if stored.address:
        return stored.address, Source.PAGE
    if url := read_simulator_url(settings):
        return url, Source.SIMULATOR
    return None, Source.MISSING


def _find_numbers(settings: Settings, stored: StoredConnection) -> tuple[dict[str, Any], dict[str, Source]]:
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for name in NUMBERS:
        saved = getattr(stored, name)
        if name in settings.given:
            sources[name] = Source.ENVIRONMENT
        elif saved is not None:
            values[name], sources[name] = saved, Source.PAGE
        else:
            sources[name] = Source.DEFAULT
    return values, sources


def decrypt_credential(
    settings: Settings, stored: StoredConnection, name: str, address: str
) -> tuple[str, str | None]:
    """Return a saved credential, and why it cannot be used, if so."""
    vault, token = Vault(settings), stored.credentials[name].value
    try:
        secret = vault.decrypt(purpose_of(name, address), token).decode()
    except SecretUnreadable as error:
        return "", OTHER_ORIGIN.format(LABELS[name]) if vault.can_read(token) else str(error)
    add_secret(secret)
    return secret, None


LABELS: Final = {"api_key": "API key", "token": "token"}
"""The credentials as people call them."""
