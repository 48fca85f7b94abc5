"""Validation by types: what is accepted, and which error names which field."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
from msgspec import Meta

from hrims.errors import InvalidInput
from hrims.validation import Request, id_bounds, to_single_line, validate, validate_form


class Sample(Request, kw_only=True):
    number: Annotated[int, Meta(ge=1, le=500)] = 7
    seconds: Annotated[float, Meta(ge=0, le=3600)] | None = None
    flag: bool = False
    kind_of: Literal["one", "two"] = "one"
    line: Annotated[str, Meta(min_length=1, max_length=5, extra={"prepare": to_single_line})] = "x"
    which: Annotated[int, id_bounds("an id", "bad_which")] | None = None
    free: str = ""


class Strict(Request):
    outcome: ClassVar[str] = "Nothing was queued."

    limit: Annotated[int, Meta(ge=1, le=9)] | None


def refused(given: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as error:
        validate(Sample, given)
    return error.value.code, str(error.value)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"number": 500}, "number", 500),
        ({"seconds": 5}, "seconds", 5.0),
        ({"seconds": None}, "seconds", None),
        ({"flag": True}, "flag", True),
        ({"kindOf": "two"}, "kind_of", "two"),
        ({"line": "  a \t b "}, "line", "a b"),
        ({"which": "007"}, "which", 7),
        ({"which": 2**63 - 1}, "which", 2**63 - 1),
        ({"free": "ä😀"}, "free", "ä😀"),
        ({}, "number", 7),
    ],
)
def test_what_is_within_its_bounds_is_accepted(given: dict[str, Any], field: str, value: object) -> None:
    assert getattr(validate(Sample, given), field) == value


@pytest.mark.parametrize("number", [0, 501, True, 1.0, 1.5, "5", None, [1], float("nan"), 10**400, -1])
def test_what_is_no_number_within_its_bounds_is_refused(number: object) -> None:
    text = "number must be a whole number from 1 to 500. Nothing was changed."
    assert refused({"number": number}) == ("bad_number", text)


@pytest.mark.parametrize("seconds", [True, -0.1, 3600.1, float("nan"), float("inf"), 10**400, "1", {}])
def test_what_is_no_duration_within_its_bounds_is_refused(seconds: object) -> None:
    text = "seconds must be a number from 0 to 3,600. Nothing was changed."
    assert refused({"seconds": seconds}) == ("bad_seconds", text)


@pytest.mark.parametrize("which", [True, 0, 2**63, "0", "9" * 5000, "1e3", "+1", "٣", "", 1.0])
def test_what_is_no_id_is_refused(which: object) -> None:
    assert refused({"which": which}) == ("bad_which", "which must be an id. Nothing was changed.")


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"flag": 1}, "bad_flag", "flag must be true or false."),
        ({"flag": "true"}, "bad_flag", "flag must be true or false."),
        ({"kindOf": "three"}, "bad_kind_of", "kindOf must be one of one, two."),
        ({"kindOf": ["one"]}, "bad_kind_of", "kindOf must be one of one, two."),
        ({"kindOf": None}, "bad_kind_of", "kindOf must be one of one, two."),
        ({"line": " "}, "bad_line", "line must be text of 1 to 5 characters."),
        ({"line": "123456"}, "bad_line", "line must be text of 1 to 5 characters."),
        ({"line": "a\u200bb"}, "bad_line", "line must be text of 1 to 5 characters."),
        ({"line": "\0"}, "bad_line", "line must be text of 1 to 5 characters."),
        ({"free": "\ud800"}, "bad_free", "free must be text."),
        ({"free": 7}, "bad_free", "free must be text."),
        ({"numbers": 1}, "unknown_field", "There is no 'numbers' here; there are number, seconds, flag, "),
        ({"kind_of": "one"}, "unknown_field", "There is no 'kind_of' here"),
        ({"x" * 5000: 1}, "unknown_field", f"There is no {'x' * 50!r} here"),
    ],
)
def test_an_error_names_the_field_and_its_limits(given: dict[str, Any], code: str, text: str) -> None:
    found, message = refused(given)
    assert (found, message[: len(text)]) == (code, text)
    assert message.endswith(" Nothing was changed.")


def test_an_omitted_field_is_not_null() -> None:
    assert validate(Strict, {"limit": None}).limit is None
    with pytest.raises(InvalidInput, match=r"limit must be a whole number from 1 to 9\. Nothing was queued"):
        validate(Strict, {})


@pytest.mark.parametrize(
    ("form", "field", "value"),
    [
        ({"number": " 012 "}, "number", 12),
        ({"number": ""}, "number", 7),
        ({"seconds": "1.5"}, "seconds", 1.5),
        ({"seconds": "0"}, "seconds", 0.0),
        ({"kind_of": "two", "csrf_token": "x"}, "kind_of", "two"),
        ({"free": "012"}, "free", "012"),
        ({"free": "null"}, "free", "null"),
    ],
)
def test_a_form_is_read_by_the_types_of_its_fields(form: dict[str, str], field: str, value: object) -> None:
    assert getattr(validate_form(Sample, form), field) == value


@pytest.mark.parametrize("text", ["0", "501", "1.0", "1e2", "ten", "-1", "٣", "null", "true", "9" * 5000])
def test_a_form_with_no_number_within_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"a whole number from 1 to 500\. Nothing was changed"):
        validate_form(Sample, {"number": text})


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "null", "-1", "soon"])
def test_a_form_with_no_duration_within_its_bounds_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="seconds must be a number"):
        validate_form(Sample, {"seconds": text})
