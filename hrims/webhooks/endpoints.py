"""What administrators do with endpoints: add, switch on and off, remove, try out, send again; each with its
audit record, in one transaction. A URL may hold a key of its receiver's, so the record has its host alone.
"""

import re
import secrets
from typing import NamedTuple

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.webhooks import addresses, signing, store
from hrims.webhooks.addresses import Refused
from hrims.webhooks.shown import store as shown
from hrims.webhooks.shown.store import Endpoint, Message

LONGEST_DESCRIPTION = 200

KEY = re.compile(r"msg_[0-9a-f]{32}")


class Added(NamedTuple):
    """A new endpoint and its secret, which is never shown again."""

    id: int
    secret: str


def add(conn: Connection, actor: Actor, url: object, description: object, *, private: bool) -> Added:
    """Adds an endpoint that is switched on; ``private`` allows addresses of the own network.

    Raises InvalidInput, or NotAcceptable for an address that would not be asked.
    """
    address = _check_url(url, private=private)
    words = _check_description(description)
    secret = secrets.token_bytes(signing.SECRET_BYTES)
    with conn.transaction():
        id_ = store.insert_endpoint(conn, address, words, secret, actor.name)
        record(conn, actor, "webhook.add", f"webhook:{id_}", host=addresses.parse(address).host)
    return Added(id_, signing.written(secret))


def switch(conn: Connection, actor: Actor, endpoint_id: int, *, on: bool) -> None:
    """Switches an endpoint on or off. What waits for one that is off is not sent. Raises Conflict."""
    with conn.transaction():
        if not store.switch(conn, endpoint_id, on):
            raise Conflict(
                f"This endpoint is {'on' if on else 'off'} already. Nothing was changed.", "no_change"
            )
        record(conn, actor, f"webhook.{'on' if on else 'off'}", f"webhook:{endpoint_id}")


def remove(conn: Connection, actor: Actor, endpoint_id: int) -> None:
    """Removes an endpoint with its secret and its messages."""
    with conn.transaction():
        store.remove_endpoint(conn, endpoint_id)
        record(conn, actor, "webhook.remove", f"webhook:{endpoint_id}")


def test(conn: Connection, actor: Actor, endpoint_id: int) -> str:
    """Sends a message that tells of no run; returns its id. Raises Conflict when the endpoint is off."""
    with conn.transaction():
        _check_is_on(find(conn, endpoint_id))
        key = store.insert_test(conn, endpoint_id)
        record(conn, actor, "webhook.test", f"webhook:{endpoint_id}", message=key)
    return key


def send_again(conn: Connection, actor: Actor, message: Message) -> None:
    """Sends a message that has ended once more, with its id and a full set of tries. Raises Conflict."""
    with conn.transaction():
        _check_is_on(find(conn, message.endpoint_id))
        if not store.send_again(conn, message.id):
            raise Conflict("This message is on its way already. Nothing was changed.", "under_way")
        record(conn, actor, "webhook.send_again", f"webhook:{message.endpoint_id}", message=message.key)


def find(conn: Connection, endpoint_id: int) -> Endpoint:
    """The endpoint with this number. Raises NotFound."""
    found = shown.endpoint(conn, endpoint_id)
    if not found:
        raise NotFound("There is no webhook endpoint with this number.", "unknown_endpoint")
    return found


def find_message(conn: Connection, key: str) -> Message:
    """The message with this id. Raises NotFound."""
    found = shown.message(conn, key) if KEY.fullmatch(key) else None
    if not found:
        raise NotFound("There is no message with this id.", "unknown_message")
    return found


def _check_is_on(endpoint: Endpoint) -> None:
    if not endpoint.active:
        raise Conflict("This endpoint is switched off. Switch it on first. Nothing was sent.", "endpoint_off")


def _check_url(url: object, *, private: bool) -> str:
    if not isinstance(url, str) or not url.strip():
        raise InvalidInput(
            "url is missing: give a web address like https://receiver.example/hook.", "bad_url"
        )
    try:
        target = addresses.parse(url.strip())
    except Refused as reason:
        raise InvalidInput(f"{reason} Nothing was added.", "bad_url") from None
    if not private and addresses.plainly_private(target.host):
        raise NotAcceptable(f"{addresses.PRIVATE} Nothing was added.", "private_address")
    # A scheme is the same in capitals; the rest may not be, and stays as it was given.
    return target.url.scheme + url.strip()[len(target.url.scheme) :]


def _check_description(description: object) -> str:
    words = description.strip() if isinstance(description, str) else description
    if (
        not isinstance(words, str)
        or len(words) > LONGEST_DESCRIPTION
        or not all(letter.isprintable() for letter in words)
    ):
        raise InvalidInput(
            f"description must be one line of {LONGEST_DESCRIPTION} letters at most. Nothing was added.",
            "bad_description",
        )
    return words
