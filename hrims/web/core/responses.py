"""Responses of the API. Input: the structure that a view returns. Output: its JSON.

The return type of a view states the structures and the statuses of its responses. The description of the API
takes them from there.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from flask import Response
from msgspec import Meta

JSON = "application/json"


class ResponseBody(msgspec.Struct, rename="camel"):
    """The JSON body of a response. A field that is UNSET is not sent."""


class SuccessBody(ResponseBody, kw_only=True):
    """A body with ``success``, which is always true: errors have a body of their own."""

    success: Literal[True] = True


class ErrorBody(ResponseBody, kw_only=True):
    """Why a request was refused: a sentence for people, a code for machines, and the id in the log."""

    success: Literal[False] = False
    message: str
    code: str
    request_id: str


class Stream(NamedTuple):
    """A response without a structure: its media type, and by name the structures of its events.

    ``is_guarded`` tells that the view itself asks for a token.
    """

    media_type: str
    events: dict[str, tuple[type[ResponseBody], ...]] = {}  # noqa: RUF012 - never changed
    is_guarded: bool = False


class Described(NamedTuple):
    """The responses of a view, without errors: body and statuses. ``stream`` is None for JSON."""

    body: type[ResponseBody] | None
    statuses: tuple[int, ...]
    stream: Stream | None = None


T = TypeVar("T", bound=ResponseBody)

Created = tuple[T, Literal[HTTPStatus.CREATED]]
Accepted = tuple[T, Literal[HTTPStatus.ACCEPTED]]
AcceptedOrDone = tuple[T, Literal[HTTPStatus.ACCEPTED, HTTPStatus.OK]]
"""202 for what was enqueued or waits for a second user, 200 for what is done or exists already."""

Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]

JobId = Annotated[str, Meta(pattern="^[1-9][0-9]*$")]
"""The id of a run, as text."""


def rows_of(type_: type[T], rows: list[dict[str, Any]]) -> list[T]:
    """Return rows about employees as structures. The rows have the names of the API."""
    return msgspec.convert(rows, list[type_])  # type: ignore[valid-type] # a type that is a value


def choice(values: Iterable[str]) -> Meta:
    """Return the schema of a text that is one of these values."""
    return Meta(extra_json_schema={"enum": [*values]})


def describe(view: Callable[..., Any]) -> Described:
    """Return the responses that the return type of a view states."""
    returned = get_type_hints(view, include_extras=True)["return"]
    if get_origin(returned) is Annotated:
        return Described(None, (HTTPStatus.OK,), get_args(returned)[1])
    if get_origin(returned) is tuple:
        body, statuses = get_args(returned)
        return Described(body, get_args(statuses))
    return Described(returned, (HTTPStatus.OK,))


def send(view: Callable[..., Any]) -> Callable[..., Response]:
    """Return a view whose response is the JSON of the structure that the given one returns."""

    def respond(**values: Any) -> Response:
        returned = view(**values)
        body, status = returned if isinstance(returned, tuple) else (returned, HTTPStatus.OK)
        return body if isinstance(body, Response) else encode(body, status)

    return respond


def encode(body: ResponseBody, status: int = HTTPStatus.OK) -> Response:
    """Return the response with this body."""
    return Response(msgspec.json.encode(body), status, content_type=JSON)
