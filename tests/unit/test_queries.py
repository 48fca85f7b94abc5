"""Query strings and forms: every parameter has bounds, and any text is a value within them or is refused."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.errors import InvalidInput
from hrims.queries import LAST_PAGE, ListQuery
from hrims.validation import Request, validate, validate_form, validate_query
from hrims.web.core.queries import CompareQuery, RejectsPageQuery, RejectsQuery
from hrims.web.routes import ROUTES
from tests import PROJECT


def subclasses(type_: type[Request]) -> set[type[Request]]:
    """Return all structures of the project below a type."""
    return {type_} | {found for child in type_.__subclasses__() for found in subclasses(child)}


ALL = {found for found in subclasses(Request) if found.__module__.startswith("hrims.")}

STRUCTURES = sorted(ALL, key=lambda found: found.__name__)

QUERIES = [found for found in STRUCTURES if found.__module__ in {"hrims.queries", "hrims.web.core.queries"}]

FORMS = [found for found in STRUCTURES if found.__name__.endswith("Form")]

LISTS = [found for found in STRUCTURES if issubclass(found, ListQuery)]

ODD_TEXTS = [
    "all", "open", "votecode", "selection", "week", "month", "plain", "cron", "0 1 * * *", "01:30", "24:00",
    "/dashboard", "//x", "nan", "1e400", "²", "x" * 300, "9" * 5000, "\ud800",
]  # fmt: skip

NUMBERS = st.from_regex(r"-?[0-9]{1,25}(\.[0-9]{1,3})?", fullmatch=True)

TEXTS = st.text(max_size=40) | NUMBERS | st.sampled_from(ODD_TEXTS)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def draw(type_: type[Request], data: st.DataObject, values: st.SearchStrategy[Any], names: str) -> Any:
    """Draw some of the fields of a structure, by their names in a form or in the API."""
    known = [getattr(field, names) for field in msgspec.structs.fields(type_)]
    return data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(known, values)))


def expect_a_sentence(error: InvalidInput) -> None:
    """Assert that a refusal is a sentence with a code, and no more than a line."""
    assert re.fullmatch(r"[a-z_]+", error.code)
    assert str(error).endswith(".")
    assert not str(error).endswith((" .", ".."))
    assert len(str(error)) < 500


@pytest.mark.parametrize("type_", STRUCTURES, ids=lambda t: t.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_any_input_is_refused_or_within_its_bounds(type_: type[Request], data: st.DataObject) -> None:
    for parse, values, names in (
        (validate_query, TEXTS, "encode_name"),
        (validate_form, TEXTS, "name"),
        (validate, VALUES, "encode_name"),
    ):
        try:
            found = parse(type_, draw(type_, data, values, names))
        except InvalidInput as error:
            expect_a_sentence(error)
        else:
            assert msgspec.json.decode(msgspec.json.encode(found), type=type_) == found


@pytest.mark.parametrize("type_", LISTS, ids=lambda t: t.__name__)
@settings(max_examples=30)
@given(text=TEXTS)
def test_every_list_has_the_same_pages(type_: type[ListQuery], text: str) -> None:
    runs = {"a": "1", "b": "2"} if type_ is CompareQuery else {}
    number = text.strip()
    is_page = re.fullmatch(r"[0-9]{1,19}", number) and 1 <= int(number) <= LAST_PAGE
    if is_page or not number:
        assert validate_query(type_, runs | {"page": text}).page == int(number or "1")
    else:
        with pytest.raises(InvalidInput) as refused:
            validate_query(type_, runs | {"page": text})
        assert str(refused.value) == "page must be a whole number from 1 to 100,000."
        assert refused.value.code == "bad_page"


@pytest.mark.parametrize("type_", [*QUERIES, *FORMS], ids=lambda t: t.__name__)
def test_every_parameter_has_bounds(type_: type[Request]) -> None:
    schema: dict[str, Any] = msgspec.json.schema_components([type_])[1][type_.__name__]
    for name, field in schema["properties"].items():
        for part in field.get("anyOf", [field]):
            match part.get("type"):
                case "integer" | "number":
                    assert {"minimum", "maximum"} <= part.keys(), name
                case "string":
                    assert part.keys() & {"maxLength", "pattern", "enum", "format"}, name
                case "array":
                    assert {"maxItems"} <= part.keys(), name


def test_every_query_string_is_described() -> None:
    queries = {route.query for route in ROUTES if route.query}
    assert queries <= {*QUERIES}
    schemas = msgspec.json.schema_components(queries)[1]
    assert all(schema["description"].endswith(".") for schema in schemas.values())
    assert schemas["PreviewQuery"]["properties"]["page"] == {
        "type": "integer", "minimum": 1, "maximum": LAST_PAGE, "default": 1,
    }  # fmt: skip


def test_a_parameter_is_read_in_no_other_way() -> None:
    """Texts of a refused form are shown again as they were typed."""
    by_hand = re.compile(r"request\.(?:args|form|values)(?:\.get\w*\(|\[)[^)\]]*|request\.(?:json|get)")
    found = {
        (path.name, hit)
        for folder in ("pages", "api")
        for path in (PROJECT / "hrims" / "web" / folder).glob("*.py")
        for hit in by_hand.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {
        ("batches.py", 'request.form.get("page_size"'),
        ("batches.py", 'request.form.getlist("institution"'),
        ("schedules.py", 'request.form.getlist("institution"'),
        ("sign_in.py", 'request.form.get("name", ""'),
        ("tokens.py", 'request.form.getlist("institution"'),
        ("users.py", 'request.form.getlist("institution"'),
    }


@pytest.mark.parametrize("wrong", [{}, {"b": "x"}, {"b": "9" * 30}, {"b": "0"}, {"b": "-1"}])
def test_two_runs_are_compared(wrong: dict[str, str]) -> None:
    assert validate_query(CompareQuery, {"a": "2", "b": "1"}).kind is None
    with pytest.raises(InvalidInput, match=r"^Give the numbers of two runs, as a and b\.$") as refused:
        validate_query(CompareQuery, {"a": "1"} | wrong)
    assert refused.value.code == "bad_job_id"


def test_the_filter_of_rejects_has_other_names_on_screen() -> None:
    same = {"code": "bad_date", "state": "all", "page": "2"}
    of_api = {"institutionId": "7", "identifierType": "tin", "pageSize": "3"}
    on_screen = {"institution": "7", "type": "tin", "per_page": "3"}
    found = validate_query(RejectsQuery, same | of_api)
    shown = validate_query(RejectsPageQuery, same | on_screen)
    assert msgspec.structs.asdict(found) == msgspec.structs.asdict(shown)
    with pytest.raises(InvalidInput, match="per_page must be a whole number from 1 to 500"):
        validate_query(RejectsPageQuery, {"per_page": "501"})
