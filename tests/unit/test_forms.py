"""Forms of pages: what is accepted, and what a refusal says."""

import pytest
from werkzeug.datastructures import MultiDict

from hrims.errors import InvalidInput
from hrims.validation import Request, validate_form
from hrims.web.core.forms import (
    ApplyForm,
    CronForm,
    LimitForm,
    MappedForm,
    SelectionForm,
    SimpleForm,
    SpreadForm,
    TimesForm,
)
from hrims.web.core.sign_in_forms import SignInForm

NIGHTLY = {"every": "day", "at": "01:00"}


def refuse(type_: type[Request], form: dict[str, str]) -> tuple[str, str]:
    """Return the code and the message with which a form is refused."""
    with pytest.raises(InvalidInput) as refused:
        validate_form(type_, form)
    return refused.value.code, str(refused.value)


def select(wish: str, *ids: str) -> SelectionForm:
    """Return the form with these checked institutions."""
    return validate_form(SelectionForm, MultiDict([("wish", wish), *(("institution", id_) for id_ in ids)]))


@pytest.mark.parametrize(
    ("form", "code", "message"),
    [
        ({"every": "day"}, "bad_at", "Say at which time, like 01:30."),
        ({"every": "day", "at": " "}, "bad_at", "Say at which time, like 01:30."),
        ({"every": "day", "at": "1 pm"}, "bad_time", "at must be a time like 22:00."),
        ({"at": "01:00"}, "bad_every", "Say how often: every day, weekday, week or month"),
        (NIGHTLY | {"every": "year"}, "bad_every", "Say how often"),
        (NIGHTLY | {"every": "week"}, "bad_every", "Say how often"),
        (NIGHTLY | {"every": "week", "day": "1"}, "bad_every", "Say how often"),
        (NIGHTLY | {"every": "week", "weekday": "7"}, "bad_every", "Say how often"),
        (NIGHTLY | {"every": "month", "weekday": "1"}, "bad_every", "Say how often"),
        (NIGHTLY | {"every": "month", "day": "1.5"}, "bad_every", "Say how often"),
    ],
)
def test_a_simple_choice_says_what_is_missing(form: dict[str, str], code: str, message: str) -> None:
    found, text = refuse(SimpleForm, form)
    assert (found, text[: len(message)]) == (code, message)
    assert text.endswith(" Nothing was changed.")


@pytest.mark.parametrize("other", [{"day": "31"}, {"weekday": "x"}, {"day": "", "weekday": "9" * 5000}])
def test_a_day_that_is_not_chosen_does_not_matter(other: dict[str, str]) -> None:
    assert validate_form(SimpleForm, NIGHTLY | other).cron == "0 1 * * *"


@pytest.mark.parametrize("cron", ["", "* * * *", "0 1 * * * *", "1," * 100])
def test_a_cron_expression_of_another_length_is_refused(cron: str) -> None:
    code, message = refuse(CronForm, {"cron": cron})
    assert (code, message[:55]) == ("bad_cron", "The cron line must have five fields and 100 characters ")


@pytest.mark.parametrize("cron", ["", "0 1 * * *", " 0 1 * * * ", "0 5 * * *"])
def test_a_cron_expression_that_the_form_filled_in_is_not_meant(cron: str) -> None:
    form = {"when": "plain", "cron": cron, "cron_was": "0 5 * * *"}
    validate_form(TimesForm, form).check_cron_is_meant()
    with pytest.raises(InvalidInput, match="but “Simple” is selected"):
        validate_form(TimesForm, form | {"cron": "0 6 * * *"}).check_cron_is_meant()


def test_a_selection_has_the_checked_institutions() -> None:
    assert select("selection", "3", "007").institutions == [3, 7]
    assert select("all").institutions == "all"
    assert select("failed", "").institutions == "failed"
    with pytest.raises(InvalidInput, match=r"^2 checked, but “Selected institutions” is not selected"):
        _ = select("all", "3", "7").institutions


@pytest.mark.parametrize(
    ("wish", "ids"),
    [("", ()), ("every", ()), ("selection", ("x",)), ("selection", ("3", "0")), ("all", ("9" * 5000,)),
     ("selection", ("1",) * 10_001)],
)  # fmt: skip
def test_what_selects_nothing_known_is_refused(wish: str, ids: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"^Select 1 to 10,000 institutions by their ids") as refused:
        select(wish, *ids)
    assert refused.value.code == "bad_institutions"


@pytest.mark.parametrize("form", [{}, {"name": "asha"}, {"name": " ", "password": "x"}, {"password": "x"}])
def test_a_sign_in_needs_a_name_and_a_password(form: dict[str, str]) -> None:
    assert refuse(SignInForm, form)[1] == "Enter your name and your password."


def test_a_password_is_read_as_it_was_typed() -> None:
    fields = validate_form(SignInForm, {"name": " asha ", "password": " 0123 "})
    assert (fields.name, fields.password) == ("asha", " 0123 ")
    assert validate_form(SignInForm, {"name": "asha", "password": "  "}).password == "  "
    for name in ("name", "password"):
        form = {"name": "asha", "password": "x"} | {name: "x" * 10_001}
        message = f"{name} must be text of at most 10,000 characters."
        assert refuse(SignInForm, form) == (f"bad_{name}", message)


def test_a_field_is_named_as_in_the_api() -> None:
    assert validate_form(LimitForm, {"starts": ""}).starts is None
    assert validate_form(SpreadForm, {}).spread == 0
    message = "spreadMinutes must be a whole number from 0 to 1,440. Nothing was changed."
    assert refuse(SpreadForm, {"spread": "many"}) == ("bad_spread_minutes", message)
    assert refuse(LimitForm, {"starts": "0"})[1].startswith("startsPerMinute must be ")
    assert refuse(MappedForm, {"institution": "x"})[0] == "bad_institution_id"
    assert refuse(ApplyForm, {"version": "x" * 101})[1].endswith("Nothing was applied.")
