"""Reproducible luck: a seed and a person's number in, always the same draws out."""

import math
import random
from typing import Any, TypeVar

T = TypeVar("T")

BLOCK = 1_000_000
"""Every institution numbers its people from its own million, so sizes change nobody's number."""

NO_DATE = "1900-01-01T00:00:00"
ABSENT = object()
"""Stands for a field that is left out altogether."""

_DAYS = [f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
_FIELDS = """zan_id birth place_of_birth region country phone address zssf payroll cadre department
division employed_on confirmed_on retired_on gender place education""".split()  # noqa: SIM905 - shorter
_PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61]
_STEPS = {name: math.sqrt(prime) for name, prime in zip(_FIELDS, _PRIMES, strict=True)}


class Draw:
    """One person's luck."""

    def __init__(self, seed: int, number: int) -> None:
        self.seed, self.number = seed, number
        self.random = random.Random(seed * 10**11 + number)  # noqa: S311 - reproducible on purpose

    def level(self, field: str) -> float:
        """From 0 to 1, spread so evenly over an institution that shares come out as asked."""
        return (self.number % BLOCK * _STEPS[field] + self.seed * 0.6180339887) % 1.0

    def filled(self, field: str, share: float) -> bool:
        """Whether this person has the field, when ``share`` of all people have it."""
        return self.level(field) < share

    def happens(self, share: float) -> bool:
        """True for about ``share`` of the calls."""
        return self.random.random() < share

    def one(self, choices: list[T]) -> T:
        """One of them."""
        return choices[int(self.random.random() * len(choices))]

    def text(self, value: str) -> str:
        """The value, at times with stray spaces around it."""
        return self.one([f" {value}", f"{value} ", f"  {value}  "]) if self.happens(0.05) else value

    def nothing(self) -> Any:
        """One of the ways in which HRIMS says that it has no value."""
        return self.one([None, None, None, None, ABSENT, ABSENT, "", "  "])

    def no_list(self) -> Any:
        """The same for a list."""
        return self.one([None, None, ABSENT, []])

    def date(self, first_year: int, last_year: int) -> str:
        """A day in these years, as HRIMS writes it."""
        return f"{self.number_from(first_year, last_year)}-{self.one(_DAYS)}T00:00:00"

    def number_from(self, low: int, high: int) -> int:
        """A whole number, both ends included; several times as fast as ``randint``."""
        return low + int(self.random.random() * (high - low + 1))

    def no_date(self) -> Any:
        """One of the ways in which HRIMS says that it has no date."""
        return self.one([None, None, ABSENT, NO_DATE, NO_DATE])


def zan_id(seed: int, number: int) -> str:
    """Unique over the country: multiplying by a number without factors 2 and 5 repeats nothing."""
    digits = 10 if number >= 10**8 else (9, 9, 8, 9, 9, 10, 9, 9)[number % 8]
    return f"{(number * 77_368_787 + seed * 580_330_001 + 12_345_677) % 10**digits:0{digits}d}"


def payroll_number(number: int) -> str:
    """Unique as long as no institution has more than 25,000 people of its own."""
    return str(number // BLOCK * 25_000 + number % BLOCK + 100_000)
