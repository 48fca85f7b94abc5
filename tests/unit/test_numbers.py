"""Only whole numbers within bounds are numbers."""

import pytest

from hrims.numbers import LARGEST, whole


def test_it_works() -> None:
    assert whole("7") == 7
    assert whole("007") == 7
    assert whole(str(LARGEST)) == LARGEST
    assert whole("100", 100) == 100


@pytest.mark.parametrize(
    "given",
    [
        "",
        "0",
        "-1",
        "1.0",
        "1e3",
        " 1",
        "٣",
        "²",
        "9" * 1_000_000,
        str(LARGEST + 1),
        "0" * 20 + "7",
        None,
        7,
        True,
    ],
    ids=lambda given: repr(given)[:24],
)
def test_values_that_are_no_number(given: object) -> None:
    assert whole(given) == 0


def test_numbers_above_the_bound() -> None:
    assert whole("101", 100) == 0
