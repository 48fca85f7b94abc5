"""Reads requests. Input: a body, form or query string, or an id in a URL. Output: values within bounds.

A view states its body and its query string in one place, its parameters ``body`` and ``query``: their types
validate the request and describe the API.
"""

import inspect
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import request

from hrims.errors import InvalidInput
from hrims.numbers import whole
from hrims.validation import (
    MAX_SHOWN_NAME,
    UNCHANGED,
    Request,
    validate,
    validate_form,
    validate_query,
)

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
        # Only UTF-8, as the standard says: in another encoding the check for NUL would see other bytes.
        text = request.get_data().decode()
        given = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_to_object)
    except (ValueError, RecursionError):
        raise InvalidInput(f"The body is not JSON. {UNCHANGED}", "not_json") from None
    if not isinstance(given, dict):
        raise InvalidInput(f"The body must be a JSON object. {UNCHANGED}", "not_json")
    if "\\u0000" in text:
        raise InvalidInput(f"The body has a NUL character. {UNCHANGED}", "not_json")
    return given


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Refuse a repeated name: programs differ in which value they take."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise InvalidInput(
            f"The body has {name[:MAX_SHOWN_NAME]!r} more than once. {UNCHANGED}", "repeated_field"
        )
    return found
