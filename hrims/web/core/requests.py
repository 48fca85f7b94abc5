"""Reads requests. Input: a body, form or query string, or an id in a URL. Output: values within bounds.

A view states its body and its query string in one place, its parameters ``body`` and ``query``: their types
validate the request and describe the API.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import request

from hrims.errors import InvalidInput
from hrims.numbers import whole
from hrims.validation import UNCHANGED, Request, validate, validate_form, validate_query

T = TypeVar("T", bound=Request)
View = Callable[..., Any]


def get_body_type(view: View) -> type[Request] | None:
    """Return the structure of the body of a view: the type of its parameter ``body``."""
    return inspect.get_annotations(view).get("body")


def get_query_type(view: View) -> type[Request] | None:
    """Return the structure of the query string of a view: the type of its parameter ``query``."""
    return inspect.get_annotations(view).get("query")


def pass_input(view: View) -> View:
    """Return a view that gets the validated body and query string, as far as it has parameters for them."""
    body, query = get_body_type(view), get_query_type(view)
    readers: dict[str, Callable[[], Request]] = {}
    if query:
        readers["query"] = lambda: read_query(query)
    if body:
        readers["body"] = lambda: _read_body(body)
    if not readers:
        return view
    return lambda **values: view(**values, **{name: read() for name, read in readers.items()})


def _read_body(type_: type[T]) -> T:
    if type_.is_optional and not request.get_data():
        return type_()
    return validate(type_, _parse_object())


def read_form(type_: type[T], texts: Mapping[str, str] | None = None, **given: object) -> T:
    """Return the form in the body of the request, or in ``texts``, validated. Raises InvalidInput."""
    return validate_form(type_, request.form if texts is None else texts, **given)


def read_query(type_: type[T]) -> T:
    """Return the query string of the request, validated. Raises InvalidInput."""
    return validate_query(type_, request.args)


def id_of(given: str, code: str = "bad_id") -> int:
    """Parse an id of a URL. Raises InvalidInput if it is not one."""
    number = whole(given)
    if not number:
        raise InvalidInput(f"An id is a whole number. {UNCHANGED}", code)
    return number


def _parse_object() -> dict[str, Any]:
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise InvalidInput(f"The body is not JSON. {UNCHANGED}", "not_json") from None
    if not isinstance(given, dict):
        raise InvalidInput(f"The body must be a JSON object. {UNCHANGED}", "not_json")
    if b"\\u0000" in request.get_data():
        raise InvalidInput(f"The body has a NUL character. {UNCHANGED}", "not_json")
    return given
