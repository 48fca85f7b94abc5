"""Invented employees. Input: counts and a seed. Output: the people of a list, with their HRIMS records."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

FIRST_NAMES = ("Asha", "Mwanaidi", "Salma", "Zuwena", "Rukia", "Haji", "Mussa", "Othman", "Vuai", "Kombo")
MIDDLE_NAMES = ("Ali", "Bakari", "Faki", "Hamad", "Issa", "Juma", "Khatib", "Mbarouk", "Nassor", "Pandu")
LAST_NAMES = ("Abdalla", "Chande", "Daudi", "Foum", "Jecha", "Khamis", "Makame", "Omar", "Sheha", "Ussi")

CLASHES = ("name", "birth date", "payroll number")
"""The fields in which two people with one ZanID may differ."""


@dataclass(frozen=True)
class Person:
    """One human being. ``number`` is the identity: two people may share a ZanID, which may also be empty."""

    number: int
    zan_id: str
    first: str
    middle: str
    last: str
    born: date
    payroll: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.middle} {self.last}"

    @property
    def kept(self) -> tuple[str, date, str]:
        """Return what identifies this person in a saved row, beside the ZanID."""
        return self.name, self.born, self.payroll

    def record(self) -> bytes:
        """Return the person as one employee record of the contract."""
        return json.dumps(self._record()).encode()

    def _record(self) -> dict[str, Any]:
        started = f"{2005 + self.number % 15}-02-04T00:00:00"
        return {
            "personalInfo": {
                "zanIdNumber": self.zan_id,
                "payrollNumber": self.payroll,
                "firstName": self.first,
                "middleName": self.middle,
                "lastName": self.last,
                "genderName": "Mwanamke" if self.number % 2 else "Mwanamme",
                "birthDate": f"{self.born.isoformat()}T00:00:00",
                "primaryPhone": f"0770{self.number % 1_000_000:06}",
                "employmentDate": started,
                "isEmployeeConfirmed": True,
            },
            "employmentHistories": [
                {
                    "isCurrent": True,
                    "titleName": "Afisa",
                    "entityName": "WIZARA YA AFYA",
                    "employmentStatusName": "Hai",
                    "fromDate": started,
                }
            ],
            "salaryInformation": [{"isCurrent": True, "salaryScaleName": "ZPSH-06"}],
        }


class Population:
    """Makes people whose ZanIDs and names are distinct within one population, and over ``block`` numbers."""

    def __init__(self, block: int) -> None:
        self._next = block * 10_000

    def one(self) -> Person:
        """Make a person who differs from all others."""
        number = self._next
        self._next += 1
        tens, hundreds = number // 10, number // 100
        return Person(
            number=number,
            zan_id=f"{520_000_000 + number * 3:09}",
            first=FIRST_NAMES[number % 10],
            middle=MIDDLE_NAMES[tens % 10],
            last=LAST_NAMES[hundreds % 10],
            born=date(1965, 1, 1) + timedelta(days=number % 12_000),
            payroll=f"{100_000 + number}",
        )

    def without_zan_id(self) -> Person:
        """Make a person whose ZanID is empty."""
        return replace(self.one(), zan_id="")

    def clash_with(self, person: Person, field: str) -> Person:
        """Make another person with the same ZanID, who differs in ``field`` alone."""
        other = self.one()
        if field == "name":
            return replace(person, number=other.number, first=f"{person.first}na")
        if field == "birth date":
            return replace(person, number=other.number, born=person.born + timedelta(days=400))
        return replace(person, number=other.number, payroll=other.payroll)


def listing_of(
    population: Population,
    rng: Random,
    *,
    count: int,
    twice: int = 0,
    keyless: int = 0,
    clashes: tuple[str, ...] = (),
) -> list[Person]:
    """Make a list of ``count`` records: ``twice`` people stand at two positions, ``keyless`` have no ZanID,
    and for each of ``clashes`` one more person has the ZanID of another.
    """
    plain = [population.one() for _ in range(count - twice - keyless - len(clashes))]
    others = rng.sample(plain, len(clashes))
    more = [population.clash_with(person, field) for person, field in zip(others, clashes, strict=True)]
    more += [population.without_zan_id() for _ in range(keyless)]
    more += rng.sample(plain, twice)
    for person in more:
        plain.insert(rng.randrange(len(plain) + 1), person)
    return plain
