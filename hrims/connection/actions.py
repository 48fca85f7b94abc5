"""The change of the HRIMS connection: prepared from what was typed, applied at once or after an approval.

A prepared change holds its secrets encrypted, so that it can be stored as JSON until a second user has
approved it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.addresses import AddressRefused
from hrims.config import Settings
from hrims.connection import store
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, Unprocessable
from hrims.remote.connection.addresses import parse_address
from hrims.remote.connection.model import (
    CREDENTIALS,
    FOREIGN_CREDENTIALS,
    NUMBERS,
    VARIABLE_OF,
    Credential,
    StoredConnection,
    decrypt_credential,
    purpose_of,
)
from hrims.remote.connection.store import read_connection
from hrims.vault import open_vault

VALUES: Final[tuple[str, ...]] = ("address", *NUMBERS)

SUBJECT: Final = "connection"

UNCHANGED: Final = "Nothing was changed."

NO_ADDRESS: Final = "Enter the address first: credentials are saved for one address."

OUTDATED: Final = (
    "Another user has changed the HRIMS connection. Nothing was changed. Check it, and repeat yours."
)


class TypedConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What an administrator typed. ``values`` are the address and the numbers, None where a field is empty.

    ``secrets`` are new credentials by name, ``removed`` the names of those to delete. Others stay.
    """

    values: dict[str, Any]
    secrets: dict[str, str]
    removed: frozenset[str] = frozenset()


class ConnectionChange(msgspec.Struct, frozen=True, kw_only=True):
    """The saved connection after the change. ``of_version`` is the one from which it was prepared.

    ``credentials`` has the tokens of new credentials, and None for those to delete.
    """

    of_version: int
    address: str | None
    connect_timeout: float | None
    read_timeout: float | None
    request_timeout: float | None
    max_in_flight: int | None
    credentials: dict[str, str | None]

    def apply_to(self, stored: StoredConnection) -> StoredConnection:
        """Return the saved connection as it would be after the change."""
        credentials = {
            name: item for name, item in stored.credentials.items() if name not in self.credentials
        }
        for name, token in self.credentials.items():
            if token:
                credentials[name] = Credential(token.encode(), "", datetime.now(UTC))
        values = {name: getattr(self, name) for name in VALUES}
        return msgspec.structs.replace(stored, **values, credentials=credentials)


def prepare_change(
    conn: Connection, settings: Settings, stored: StoredConnection, typed: TypedConnection
) -> ConnectionChange:
    """Check what was typed, and return the change. Values of the environment keep what the page saved.

    Raises InvalidInput for a wrong address; Unprocessable if a saved credential belongs to another address,
    or if the environment has credentials for another one.
    """
    values = {name: getattr(stored, name) for name in VALUES}
    values |= {name: typed.values[name] for name in NUMBERS if name not in settings.given}
    if not settings.base_url:
        values["address"] = _check_address(typed.values["address"])
        _refuse_foreign_credentials(settings, values["address"])
    credentials = _prepare_credentials(conn, settings, stored, typed, settings.base_url or values["address"])
    return ConnectionChange(of_version=stored.version, **values, credentials=credentials)


def check_change(conn: Connection, change: ConnectionChange) -> dict[str, dict[str, Any]]:
    """Prevent other changes until the transaction ends. Return what the change does, as ``describe_change``.

    Raises Conflict if the connection was changed since the change was prepared, or if it changes nothing.
    """
    store.lock(conn)
    before = read_connection(conn)
    if before.version != change.of_version:
        raise Conflict(OUTDATED, "connection_changed")
    details = describe_change(before, change)
    if not any(details.values()):
        raise Conflict(f"This is the saved connection already. {UNCHANGED}", "no_change")
    return details


def needs_approval(details: dict[str, dict[str, Any]]) -> bool:
    """Return whether a change needs a second user: it changes where requests go, or their credentials."""
    return "address" in details["after"] or bool(details["credentials"])


def apply_connection_change(
    conn: Connection, actor: Actor, change: ConnectionChange, requested_by: str | None = None
) -> None:
    """Save a change, and write its audit record, in one transaction. Workers use it within seconds.

    ``requested_by`` is the user who requested a change that ``actor`` approves. Raises as ``check_change``.
    """
    with conn.transaction():
        details = check_change(conn, change)
        name = requested_by or actor.name
        store.save(conn, {field: getattr(change, field) for field in VALUES} | {"name": name})
        for credential, token in change.credentials.items():
            if token:
                store.save_credential(conn, credential, token.encode(), name)
            else:
                store.delete_credential(conn, credential)
        store.make_probes_due(conn)
        record(
            conn,
            actor,
            "connection.change",
            SUBJECT,
            before=details["before"],
            after=details["after"],
            credentials=details["credentials"],
        )


def describe_change(before: StoredConnection, change: ConnectionChange) -> dict[str, dict[str, Any]]:
    """Return what a change does, without secrets: values before and after, what becomes of credentials."""
    changed = [name for name in VALUES if getattr(before, name) != getattr(change, name)]
    return {
        "before": {name: getattr(before, name) for name in changed},
        "after": {name: getattr(change, name) for name in changed},
        "credentials": {
            name: ("replaced" if name in before.credentials else "set") if token else "removed"
            for name, token in change.credentials.items()
        },
    }


def _check_address(text: str | None) -> str | None:
    try:
        return parse_address(text) if text else None
    except AddressRefused as error:
        raise InvalidInput(f"{error} {UNCHANGED}", "bad_address") from None


def _refuse_foreign_credentials(settings: Settings, address: str | None) -> None:
    """Keep the credentials of the environment from an address that its owner did not choose."""
    given = [VARIABLE_OF[name] for name in CREDENTIALS if getattr(settings, name)]
    if address and given:
        raise Unprocessable(f"{FOREIGN_CREDENTIALS.format(given[0])} {UNCHANGED}", "foreign_credentials")


def _prepare_credentials(
    conn: Connection,
    settings: Settings,
    stored: StoredConnection,
    typed: TypedConnection,
    address: str | None,
) -> dict[str, str | None]:
    free = [name for name in CREDENTIALS if not getattr(settings, name)]
    secrets = {name: typed.secrets[name] for name in free if typed.secrets.get(name)}
    removed = [name for name in free if name in typed.removed and name in stored.credentials]
    if both := secrets.keys() & typed.removed:
        raise InvalidInput(f"Either enter or remove {_join(both)}, not both. {UNCHANGED}", "bad_credentials")
    if secrets and not address:
        raise InvalidInput(f"{NO_ADDRESS} {UNCHANGED}", "bad_credentials")
    kept = [name for name in free if name in stored.credentials and name not in {*secrets, *removed}]
    for name in kept:
        if address and (problem := decrypt_credential(settings, stored, name, address)[1]):
            raise Unprocessable(f"{problem} {UNCHANGED}", "credentials_needed")
    return dict.fromkeys(removed) | _encrypt(conn, settings, secrets, address or "")


def _encrypt(
    conn: Connection, settings: Settings, secrets: Mapping[str, str], address: str
) -> dict[str, str | None]:
    if not secrets:
        return {}
    vault = open_vault(conn, settings)
    return {
        name: vault.encrypt(purpose_of(name, address), secret.encode()).decode()
        for name, secret in secrets.items()
    }


def _join(names: set[str]) -> str:
    labels = {"api_key": "the API key", "token": "the token"}
    return " and ".join(labels[name] for name in sorted(names))
