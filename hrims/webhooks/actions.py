"""The actions of administrators on endpoints: add, switch on and off, remove, test, send again.

Each action writes its audit record in the same transaction. The record has only the host of the URL, because
a URL may contain a key of the receiver.
"""

import re
import secrets
from typing import NamedTuple

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.addresses import AddressRefused
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound, Unprocessable
from hrims.vault import open_vault
from hrims.vault.columns import WEBHOOK
from hrims.webhooks import store
from hrims.webhooks.delivery import addresses, signing
from hrims.webhooks.store import Endpoint, Message

MESSAGE_KEY = re.compile(r"msg_[0-9a-f]{32}")


class AddedEndpoint(NamedTuple):
    """The id and the secret of a new endpoint. The secret is never shown again."""

    id: int
    secret: str


def add(conn: Connection, actor: Actor, url: str, description: str, settings: Settings) -> AddedEndpoint:
    """Add an endpoint that is switched on. The settings say whether private addresses are allowed.

    Raises InvalidInput; Unprocessable for an address to which no request would be sent; SecretUnreadable if
    this process lacks the encryption key of the database.
    """
    address = _check_url(url, private=settings.webhook_private)
    secret = secrets.token_bytes(signing.SECRET_BYTES)
    with conn.transaction():
        token = open_vault(conn, settings).encrypt(WEBHOOK, secret)
        id_ = store.insert_endpoint(conn, address, description, token, actor.name)
        record(conn, actor, "webhook.add", f"webhook:{id_}", host=addresses.parse(address).host)
    return AddedEndpoint(id_, signing.format_secret(secret))


def switch(conn: Connection, actor: Actor, endpoint_id: int, *, on: bool) -> None:
    """Switch an endpoint on or off. Messages that wait for a switched-off endpoint are not sent.

    Raises Conflict if the endpoint is already in that state.
    """
    with conn.transaction():
        if not store.switch(conn, endpoint_id, on):
            raise Conflict(
                f"This endpoint is {'on' if on else 'off'} already. Nothing was changed.", "no_change"
            )
        record(conn, actor, f"webhook.{'on' if on else 'off'}", f"webhook:{endpoint_id}")


def remove(conn: Connection, actor: Actor, endpoint_id: int) -> None:
    """Remove an endpoint with its secret and its messages."""
    with conn.transaction():
        store.remove_endpoint(conn, endpoint_id)
        record(conn, actor, "webhook.remove", f"webhook:{endpoint_id}")


def test(conn: Connection, actor: Actor, endpoint_id: int) -> str:
    """Enqueue a test message, which belongs to no run. Return its id.

    Raises Conflict if the endpoint is switched off.
    """
    with conn.transaction():
        _check_is_on(find(conn, endpoint_id))
        key = store.insert_test(conn, endpoint_id)
        record(conn, actor, "webhook.test", f"webhook:{endpoint_id}", message=key)
    return key


def send_again(conn: Connection, actor: Actor, message: Message) -> None:
    """Resend a message that has ended, with the same id and a full set of attempts. Raises Conflict."""
    with conn.transaction():
        _check_is_on(find(conn, message.endpoint_id))
        if not store.send_again(conn, message.id):
            raise Conflict("This message is on its way already. Nothing was changed.", "under_way")
        record(conn, actor, "webhook.send_again", f"webhook:{message.endpoint_id}", message=message.key)


def find(conn: Connection, endpoint_id: int) -> Endpoint:
    """Return the endpoint with this id. Raises NotFound."""
    found = store.find_endpoint(conn, endpoint_id)
    if not found:
        raise NotFound("There is no webhook endpoint with this number.", "unknown_endpoint")
    return found


def find_message(conn: Connection, key: str) -> Message:
    """Return the message with this id. Raises NotFound."""
    found = store.find_message(conn, key) if MESSAGE_KEY.fullmatch(key) else None
    if not found:
        raise NotFound("There is no message with this id.", "unknown_message")
    return found


def _check_is_on(endpoint: Endpoint) -> None:
    if not endpoint.active:
        raise Conflict("This endpoint is switched off. Switch it on first. Nothing was sent.", "endpoint_off")


def _check_url(url: str, *, private: bool) -> str:
    try:
        target = addresses.parse(url)
    except AddressRefused as error:
        raise InvalidInput(f"{error} Nothing was added.", "bad_url") from None
    if not private and addresses.is_evidently_private(target.host):
        raise Unprocessable(f"{addresses.PRIVATE} Nothing was added.", "private_address")
    # The scheme is case-insensitive; the rest may not be and stays unchanged.
    return target.url.scheme + url[len(target.url.scheme) :]
