"""Numbers around the records, however they are written, and institutions without employees."""

from typing import Any

import msgspec
import pytest

from hrims.errors import RemoteGarbled, RemoteTooLarge
from hrims.remote.wire import decode_verdict
from tests.remote.answers import failure, page, person, read

WHOLE = [("150", 150), (150.0, 150), ("150.0", 150), (" 150 ", 150), (1.5e2, 150), (150, 150)]


@pytest.mark.parametrize(("written", "total"), WHOLE)
@pytest.mark.parametrize("record", [person(), person() | {"x": "ODD"}], ids=["JSON", "odd"])
def test_a_whole_number_is_one_however_it_is_written(written: Any, total: int, record: Any) -> None:
    frame = {"code": "200", "currentPage": 0.0, "currentDataSize": "1", "overallDataSize": written}
    assert read(page(record, **frame).replace(b'"ODD"', b"NaN")).total == total


@pytest.mark.parametrize("name", ["code", "currentPage", "currentDataSize", "overallDataSize"])
@pytest.mark.parametrize(
    "wrong",
    [
        "150.5",
        150.5,
        "",
        " ",
        "abc",
        "-1",
        -1,
        True,
        False,
        [],
        {},
        "1,500",
        "1e2",
        "٣",
        "0x10",
        "1" * 19,
        1e300,
        "NaN",
    ],
)
@pytest.mark.parametrize("record", [person(), person() | {"x": "ODD"}], ids=["JSON", "odd"])
def test_any_other_number_is_garbled(name: str, wrong: Any, record: Any) -> None:
    with pytest.raises(RemoteGarbled, match=r"HRIMS (answered|sent)") as garbled:
        read(page(record, **{name: wrong}).replace(b'"ODD"', b"NaN"))
    assert "abc" not in str(garbled.value)


def test_the_wrong_number_is_named() -> None:
    message = "overallDataSize: a whole number expected, text found"
    with pytest.raises(RemoteGarbled, match=message):
        read(page(person(), overallDataSize="1.5"))
    with pytest.raises(RemoteGarbled, match="overallDataSize: NaN found"):
        read(page(person(), overallDataSize="ODD").replace(b'"ODD"', b"NaN"))


@pytest.mark.parametrize("code", [404, "404", 404.0])
def test_a_code_as_text_says_the_same(code: Any) -> None:
    found = decode_verdict(msgspec.json.encode({"code": code}))
    assert found is not None
    assert int(float(found.code)) == 404


def test_a_page_too_large_for_hrims_is_too_large() -> None:
    with pytest.raises(RemoteTooLarge) as refused:
        read(failure(413))
    assert refused.value.is_retryable


# no employees


@pytest.mark.parametrize("data", [{"data": None}, {"data": {}}, {"data": []}, {}])
@pytest.mark.parametrize("total", [0, "0", 0.0])
def test_an_institution_without_employees(data: dict[str, Any], total: Any) -> None:
    received = read(msgspec.json.encode({"code": 200, "overallDataSize": total, **data}))
    assert (received.total, received.records) == (0, [])


@pytest.mark.parametrize("data", [{"data": None}, {"data": {}}, {}, {"data": "x"}, {"data": {"a": 1}}])
def test_without_records_a_total_is_garbled(data: dict[str, Any]) -> None:
    with pytest.raises(RemoteGarbled):
        read(msgspec.json.encode({"code": 200, "overallDataSize": 5, **data}))


@pytest.mark.parametrize("data", ["x", {"a": 1}, 5, False])
def test_anything_else_is_no_empty_institution(data: Any) -> None:
    with pytest.raises(RemoteGarbled, match="a list expected"):
        read(msgspec.json.encode({"code": 200, "overallDataSize": 0, "data": data}))
