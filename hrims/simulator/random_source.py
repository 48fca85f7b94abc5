"""Reproducible random values.

Input: a seed and a person's number. Output: always the same draws.
"""

import math
import random
from typing import Any, TypeVar

T = TypeVar("T")

BLOCK = 1_000_000
"""Size of the number block of an institution, so that a change of sizes keeps all numbers."""

NO_DATE = "1900-01-01T00:00:00"
ABSENT = object()
"""Marks a field that is omitted."""

_DAYS = [f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 29)]
_FIELDS = """zan_id birth place_of_birth region country phone address zssf payroll cadre department
division employed_on confirmed_on retired_on gender place education""".split()  # noqa: SIM905 - shorter
_PRIMES = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61]
_STEPS = {name: math.sqrt(prime) for name, prime in zip(_FIELDS, _PRIMES, strict=True)}


class RandomSource:
    """The random values of one person."""

    def __init__(self, seed: int, number: int) -> None:
        self.seed, self.number = seed, number
        self.random = random.Random(seed * 10**11 + number)  # noqa: S311 - reproducible on purpose

    def level(self, field: str) -> float:
        """Return a number from 0 to 1, spread evenly over an institution so that shares are as specified."""
        return (self.number % BLOCK * _STEPS[field] + self.seed * 0.6180339887) % 1.0

    def filled(self, field: str, share: float) -> bool:
        """Return whether this person has the field, if ``share`` of all people have it."""
        return self.level(field) < share

    def chance(self, share: float) -> bool:
        """Return true for about ``share`` of the calls."""
        return self.random.random() < share

    def choice(self, choices: list[T]) -> T:
        """Return one of the choices."""
        return choices[int(self.random.random() * len(choices))]

    def text(self, value: str) -> str:
        """Return the value, sometimes with extra spaces around it."""
        return self.choice([f" {value}", f"{value} ", f"  {value}  "]) if self.chance(0.05) else value

    def empty(self) -> Any:
        """Return one of the ways in which HRIMS sends no value."""
        return self.choice([None, None, None, None, ABSENT, ABSENT, "", "  "])

    def no_list(self) -> Any:
        """Return one of the ways in which HRIMS sends an empty list."""
        return self.choice([None, None, ABSENT, []])

    def date(self, first_year: int, last_year: int) -> str:
        """Return a day in these years in HRIMS's format."""
        return f"{self.number_from(first_year, last_year)}-{self.choice(_DAYS)}T00:00:00"

    def number_from(self, low: int, high: int) -> int:
        """Return a whole number, both ends included; several times as fast as ``randint``."""
        return low + int(self.random.random() * (high - low + 1))

    def no_date(self) -> Any:
        """Return one of the ways in which HRIMS sends no date."""
        return self.choice([None, None, ABSENT, NO_DATE, NO_DATE])


def zan_id(seed: int, number: int) -> str:
    """Return a ZanID that is unique in the population.

    Multiplication by a number without the factors 2 and 5 is injective modulo a power of ten.
    """
    digits = 10 if number >= 10**8 else (9, 9, 8, 9, 9, 10, 9, 9)[number % 8]
    return f"{(number * 77_368_787 + seed * 580_330_001 + 12_345_677) % 10**digits:0{digits}d}"


def payroll_number(number: int) -> str:
    """Return a payroll number, unique if no institution has more than 25,000 people of its own."""
    return str(number // BLOCK * 25_000 + number % BLOCK + 100_000)
