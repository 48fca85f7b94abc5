"""The API of webhooks. Output: endpoints, messages and attempts."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, Self, TypeVar

from flask import url_for

from hrims.db import Connection, use_snapshot
from hrims.queries import ListQuery
from hrims.web.api.enumerations import MessageState, MessageType
from hrims.web.core import lookups
from hrims.web.core.app_state import pool, settings
from hrims.web.core.bodies import EndpointRequest
from hrims.web.core.guard import actor
from hrims.web.core.paging import Filter
from hrims.web.core.responses import Accepted, Created, JobId, ResponseBody, SuccessBody, Timestamp
from hrims.web.core.serializers import time, timestamp, webhook_url
from hrims.webhooks import actions, store
from hrims.webhooks.store import Endpoint, Message

ROWS = 100
"""Messages in one response."""


class EndpointItem(ResponseBody):
    """An endpoint without its secret. Auditors get only scheme and host of its URL."""

    id: int
    url: str
    description: str
    active: bool
    off_because: str | None
    made_by: str
    made_at: Timestamp
    waiting: int
    failed: int

    @classmethod
    def of(cls, endpoint: Endpoint, **more: Any) -> Self:
        """Return an endpoint, with ``more`` fields of a structure that has them."""
        return cls(
            id=endpoint.id,
            url=webhook_url(endpoint.url),
            description=endpoint.description,
            active=endpoint.active,
            off_because=endpoint.off_because,
            made_by=endpoint.made_by,
            made_at=timestamp(endpoint.made_at),
            waiting=endpoint.waiting,
            failed=endpoint.failed,
            **more,
        )


class EndpointBody(EndpointItem, kw_only=True):
    """An endpoint that was changed."""

    success: Literal[True] = True


class AddedEndpoint(EndpointBody, kw_only=True):
    """An endpoint that was added. Only this response has its secret."""

    secret: str


class Endpoints(SuccessBody):
    """All endpoints."""

    endpoints: list[EndpointItem]


class Removed(SuccessBody):
    """An endpoint that was removed."""

    message: str


class DeliveryBody(ResponseBody):
    """An attempt to send a message. ``status`` is that of the response."""

    number: int
    at: Timestamp
    status: int | None
    trouble: str | None
    milliseconds: int


class MessageItem(ResponseBody):
    """A message and its state. ``status`` is that of the last response."""

    id: str
    endpoint_id: int
    job_id: JobId | None
    type: MessageType
    state: MessageState
    trouble: str | None
    tries: int
    status: int | None
    created_at: Timestamp
    next_try_at: Timestamp | None
    ended_at: Timestamp | None

    @classmethod
    def of(cls, message: Message, **more: Any) -> Self:
        """Return a message, with ``more`` fields of a structure that has them."""
        return cls(
            id=message.key,
            endpoint_id=message.endpoint_id,
            job_id=str(message.run_id) if message.run_id else None,
            type=message.event,
            state=message.state,
            trouble=message.trouble,
            tries=message.tries,
            status=message.status,
            created_at=timestamp(message.created_at),
            next_try_at=time(message.next_try_at),
            ended_at=time(message.ended_at),
            **more,
        )


class MessageBody(MessageItem, kw_only=True):
    """A message with its payload and every attempt."""

    success: Literal[True] = True
    payload: dict[str, Any]
    attempts: list[DeliveryBody]


class SentMessage(MessageBody, kw_only=True):
    """A message that will be sent."""

    message_url: str


class Messages(SuccessBody):
    """One page of messages, newest first, and the URL of the next page."""

    page: int
    messages: list[MessageItem]
    next: str | None


M = TypeVar("M", bound=MessageBody)


def index() -> Endpoints:
    """Return all endpoints, without their secrets."""
    with pool().connection() as conn:
        return Endpoints([EndpointItem.of(endpoint) for endpoint in store.list_endpoints(conn)])


def create(body: EndpointRequest) -> Created[AddedEndpoint]:
    """Add an endpoint. Only this response contains its secret."""
    with pool().connection() as conn:
        added = actions.add(conn, actor(), body.url, body.description, settings())
    with pool().connection() as conn:
        endpoint = actions.find(conn, added.id)
    return AddedEndpoint.of(endpoint, secret=added.secret), HTTPStatus.CREATED


def switch_on(endpoint_id: str) -> EndpointBody:
    """Switch an endpoint on: messages are sent to it."""
    return _switch(endpoint_id, on=True)


def switch_off(endpoint_id: str) -> EndpointBody:
    """Switch an endpoint off: no messages are sent to it."""
    return _switch(endpoint_id, on=False)


def remove(endpoint_id: str) -> Removed:
    """Remove an endpoint with its messages."""
    with pool().connection() as conn:
        actions.remove(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id)
    return Removed("The endpoint was removed.")


def send_test(endpoint_id: str) -> Accepted[SentMessage]:
    """Send a test message, which belongs to no run."""
    return _send(lambda conn: actions.test(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id))


def list_messages(query: ListQuery) -> Messages:
    """Return messages of all endpoints, newest first, by ``?page=``."""
    filter_ = Filter("api.webhooks.list_messages", ROWS, query.page)
    with pool().connection() as conn:
        rows = store.list_messages(conn, filter_.limit, filter_.offset)
    messages = [MessageItem.of(message) for message in filter_.take(rows)]
    return Messages(filter_.page, messages, filter_.next_link)


def show_message(key: str) -> MessageBody:
    """Return one message: its state, its payload and every attempt."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return _find_message(conn, key, MessageBody)


def resend(key: str) -> Accepted[SentMessage]:
    """Resend a message that has ended."""

    def resend_message(conn: Connection) -> str:
        actions.send_again(conn, actor(), actions.find_message(conn, key))
        return key

    return _send(resend_message)


def _switch(endpoint_id: str, *, on: bool) -> EndpointBody:
    with pool().connection() as conn:
        actions.switch(conn, actor(), lookups.find_endpoint(conn, endpoint_id).id, on=on)
        return EndpointBody.of(lookups.find_endpoint(conn, endpoint_id))


def _send(action: Callable[[Connection], str]) -> Accepted[SentMessage]:
    with pool().connection() as conn:
        key = action(conn)
    with pool().connection() as conn:
        url = url_for("api.webhooks.show_message", key=key)
        return _find_message(conn, key, SentMessage, message_url=url), HTTPStatus.ACCEPTED


def _find_message(conn: Connection, key: str, type_: type[M], **more: Any) -> M:
    message = actions.find_message(conn, key)
    attempts = [
        DeliveryBody(
            attempt.number, timestamp(attempt.at), attempt.status, attempt.trouble, attempt.milliseconds
        )
        for attempt in store.list_attempts(conn, message.id)
    ]
    return type_.of(message, payload=message.payload, attempts=attempts, **more)
