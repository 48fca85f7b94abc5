"""Validation by types. Input: JSON values, a form or a query string. Output: a structure within its bounds.

The structures are also the source of the API's description, so the bounds stand in types:
``Annotated[int, Meta(ge=1, le=500)]``. ``Meta(extra=...)`` holds what JSON Schema cannot express:

- ``prepare`` normalizes a text before its bounds are checked, or raises ValueError,
- ``expected`` states what the field must be, ``message`` replaces the whole sentence,
- ``code`` is the code of the error,
- ``missing`` and ``missing_message`` are code and sentence if the field was not sent,
- ``is_verbatim`` keeps the spaces around a text of a form.
"""

import functools
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo

from hrims.errors import InvalidInput
from hrims.numbers import LARGEST
from hrims.text import is_unicode

UNCHANGED: Final = "Nothing was changed."

MAX_NUMBER_LENGTH: Final = 20
"""Maximum number of characters of a number in a form. A text of a million digits is never converted."""

MAX_SHOWN_NAME: Final = 50
"""Characters of an unknown field that an error repeats."""

MISSING: Final = object()

T = TypeVar("T", bound="Request")


class Request(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """The body or the query string of a request: the fields of the API.

    A form has the same fields under their Python names.
    """

    outcome: ClassVar[str] = UNCHANGED
    """The end of the error messages."""

    is_optional: ClassVar[bool] = False
    """Whether a request without a body gets the defaults."""

    @classmethod
    def select_fields(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        """Return the fields of a body that are validated."""
        return given


def to_number(text: str) -> int | str:
    """Return the number if the text is one of ASCII digits, else the text, which no number field accepts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < MAX_NUMBER_LENGTH else text


def to_single_line(text: str) -> str:
    """Return the text on one line, with single spaces. Raises ValueError like ``to_printable``."""
    return to_printable(" ".join(text.split()))


def to_printable(text: str) -> str:
    """Return the stripped text. Raises ValueError if it has characters that cannot be printed."""
    if not text.strip().isprintable():
        raise ValueError
    return text.strip()


def id_bounds(expected: str, code: str) -> Meta:
    """Return the bounds of an id, which is a number or a text of digits."""
    return Meta(
        ge=1,
        le=LARGEST,
        extra={"prepare": to_number, "expected": expected, "code": code},
        extra_json_schema={"type": ["integer", "string"]},
    )


def validate(type_: type[T], fields: Mapping[str, object]) -> T:
    """Return the structure with these values, strictly by their types.

    Raises InvalidInput for the first field that is wrong, missing or unknown.
    """
    given = type_.select_fields(fields)
    known = _fields(type_)
    unknown = sorted(given.keys() - known.keys())
    if unknown and type_.__struct_config__.forbid_unknown_fields:
        name = unknown[0][:MAX_SHOWN_NAME]
        message = f"There is no {name!r} here; there are {', '.join(known)}."
        raise InvalidInput(f"{message} {type_.outcome}", "unknown_field")
    values = {
        field.name: _convert(field, given.get(name, MISSING), type_.outcome)
        for name, field in known.items()
        if name in given or field.required
    }
    return type_(**values)


def validate_form(type_: type[T], form: Mapping[str, str], **given: object) -> T:
    """Return the structure with the values of a form. An empty field counts as not sent; others are ignored.

    A list takes all values of its field, if ``form`` has several. ``given`` are values that are validated
    already, and those that the form has under another name. Raises InvalidInput.
    """
    fields = _fields(type_)
    texts = {name: _read_text(field.name, field.type, form) for name, field in fields.items()}
    values = {name: given.get(field.name, texts[name]) for name, field in fields.items()}
    return validate(type_, {name: value for name, value in values.items() if value is not MISSING})


def validate_query(type_: type[T], args: Mapping[str, str]) -> T:
    """Return the structure with the values of a query string, read like a form.

    Its parameters have the names of the API. Raises InvalidInput, also for a parameter that was sent more
    than once: programs differ in which value they take.
    """
    get_all: Callable[[str], list[str]] = getattr(args, "getlist", lambda _: [])
    for name, field in _fields(type_).items():
        if len(get_all(name)) > 1 and not is_list(field.type):
            raise InvalidInput(f"{name} was sent more than once. {type_.outcome}".rstrip(), "repeated_field")
    texts = {name: _read_text(name, field.type, args) for name, field in _fields(type_).items()}
    return validate(type_, {name: value for name, value in texts.items() if value is not MISSING})


def build_error(name: str, type_: Any, outcome: str, *, is_missing: bool = False) -> InvalidInput:
    """Return the error for a wrong value of a field: what it must be, and the outcome."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    extra = get_extra(type_)
    code, message = extra.get("code", f"bad_{snake}"), extra.get("message")
    if is_missing:
        code, message = extra.get("missing", code), extra.get("missing_message", message)
    return InvalidInput(f"{message or f'{name} must be {describe(type_)}.'} {outcome}".rstrip(), code)


def describe(type_: Any, separator: str = ",") -> str:
    """Return what a value of this type must be, for a message. ``separator`` is that of thousands."""
    if expected := get_extra(type_).get("expected"):
        return str(expected)
    base, bounds = next(part for part in _alternatives(type_) if part[0] is not type(None))
    if base is bool:
        return "true or false"
    if get_origin(base) is Literal:
        return f"one of {', '.join(get_args(base))}"
    if base in {int, float}:
        low, high = bounds[0].ge, bounds[0].le
        return f"a {'whole ' if base is int else ''}number from {low:{separator}} to {high:{separator}}"
    return f"text of {bounds[0].min_length} to {bounds[0].max_length} characters" if bounds else "text"


def get_extra(type_: Any) -> dict[str, Any]:
    """Return the ``extra`` of a type and its alternatives. The outermost one wins."""
    metas = [meta for _, metas in _alternatives(type_) for meta in metas]
    return {name: value for meta in metas for name, value in (meta.extra or {}).items()}


@functools.cache
def _alternatives(type_: Any) -> list[tuple[Any, tuple[Meta, ...]]]:
    """Return the types of a union, each with its bounds, innermost first."""
    if get_origin(type_) is Annotated:
        inner, *metas = get_args(type_)
        return [(base, (*bounds, *metas)) for base, bounds in _alternatives(inner)]
    if get_origin(type_) in {Union, UnionType}:
        return [found for part in get_args(type_) for found in _alternatives(part)]
    return [(type_, ())]


@functools.cache
def _fields(type_: type[Any]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(type_)}


def _convert(field: FieldInfo, value: object, outcome: str) -> Any:
    if value is MISSING:
        raise build_error(field.encode_name, field.type, outcome, is_missing=True)
    try:
        return msgspec.convert(_prepare(value, get_extra(field.type).get("prepare")), field.type)
    except (ValueError, msgspec.ValidationError):
        raise build_error(field.encode_name, field.type, outcome) from None


def _prepare(value: object, prepare: Callable[[str], object] | None) -> object:
    if not isinstance(value, str):
        return value
    if not is_unicode(value):
        raise ValueError
    return prepare(value) if prepare else value


def _read_text(name: str, type_: Any, texts: Mapping[str, str]) -> object:
    """Return the value of a field of a form, a number if the field is one. MISSING if it is empty."""
    if is_list(type_):
        get_all: Callable[[str], list[str]] = getattr(texts, "getlist", lambda _: [])
        return [read_number(text.strip()) for text in get_all(name) if text.strip()] or MISSING
    text = texts.get(name, "")
    if not get_extra(type_).get("is_verbatim"):
        text = text.strip()
    if not text:
        return MISSING
    return read_number(text) if is_number(type_) and "prepare" not in get_extra(type_) else text


def is_list(type_: Any) -> bool:
    """Return whether a value of this type is a list of numbers."""
    return any(get_origin(base) is list for base, _ in _alternatives(type_))


def is_number(type_: Any) -> bool:
    """Return whether a value of this type may be a number."""
    return any(base in {int, float} for base, _ in _alternatives(type_))


def read_number(text: str) -> int | float | str:
    """Return the number if the text is one, else the text, which no number field accepts."""
    number = to_number(text)
    if isinstance(number, int) or len(text) > MAX_NUMBER_LENGTH or not text.isascii():
        return number
    try:
        return float(text)
    except ValueError:
        return text
