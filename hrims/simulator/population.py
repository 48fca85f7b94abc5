"""All people in HRIMS.

Input: institutions. Output: their listings and people, created when they are requested. ``add``, ``remove``,
``move`` and ``shuffle`` change the listings. All methods are thread-safe.
"""

import itertools
import json
import random
import threading
from collections.abc import Callable
from functools import cached_property

from hrims.simulator import plan, register
from hrims.simulator.options import Options
from hrims.simulator.person import Place, Record, build
from hrims.simulator.random_source import BLOCK, RandomSource, payroll_number, zan_id
from hrims.simulator.register import APPOINTING_AUTHORITY, Institution

_encode = json.JSONEncoder(ensure_ascii=False).encode

WITHOUT_ZAN_ID = 0.003
"""The share of people without a ZanID in institutions that are not complete."""

COMPLETE = {"001", APPOINTING_AUTHORITY}
"""Vote codes in which every person has a ZanID."""


class Person:
    """One employee: the number of the institution where they work, and the record as bytes.

    Pages are made of these bytes, which take a third of the memory of the decoded record.
    """

    __slots__ = ("encoded", "institution", "number")

    def __init__(self, number: int, record: Record, institution: int | None) -> None:
        self.number, self.institution = number, institution
        self.write(record)

    def read(self) -> Record:
        """Return a new copy of the record."""
        record: Record = json.loads(self.encoded)
        return record

    def write(self, record: Record) -> None:
        """Replace the record."""
        self.encoded = _encode(record).encode()


class Population:
    """The population. People are only numbers until they are requested."""

    def __init__(self, options: Options) -> None:
        self.seed = options.seed
        self.register = register.read(
            options.register, seed=options.seed, scale=options.scale, sizes=options.sizes
        )
        self.lock = threading.RLock()
        self._by_vote = {
            institution.vote_code: institution for institution in self.register if institution.vote_code
        }
        self._by_tin = {institution.tin: institution for institution in self.register if institution.tin}
        self._listings: dict[int, list[int]] = {}
        self._people: dict[int, Person] = {}
        self._added = 0
        self._everybody: list[int] = []
        self._names: dict[str, int] = {}

    def institution(self, *, vote: str = "", tin: str = "") -> Institution | None:
        """Return the institution with this vote code or TIN."""
        return self._by_vote.get(vote) or self._by_tin.get(tin)

    def listing(self, institution: Institution) -> list[int]:
        """Return the numbers of the people that it lists now, in order.

        Change the list only under the lock.
        """
        with self.lock:
            if institution.number not in self._listings:
                self._listings[institution.number] = self._create_numbers(institution)
            return self._listings[institution.number]

    def all_numbers(self) -> list[int]:
        """Return the numbers of all people, each once, in the order of the register."""
        with self.lock:
            if not self._everybody:
                listings = (self.listing(institution) for institution in self.register)
                self._everybody = list(dict.fromkeys(itertools.chain.from_iterable(listings)))
            return self._everybody

    def person(self, number: int) -> Person:
        """Return the person with this number, created on the first request."""
        with self.lock:
            if number not in self._people:
                self._people[number] = self._create_person(number)
            return self._people[number]

    def page(self, listing: Callable[[], list[int]], start: int, size: int) -> tuple[list[Person], int]:
        """Return the people of one page and the size of the listing, both from the same moment."""
        with self.lock:
            numbers = listing()
            return [self.person(index) for index in numbers[start : start + size]], len(numbers)

    def find(self, name: str) -> int | None:
        """Return the number of the person with this ZanID or payroll number."""
        with self.lock:
            if not self._names:
                all_numbers = self.all_numbers()
                self._names = {payroll_number(number): number for number in all_numbers}
                self._names |= {zan_id(self.seed, number): number for number in all_numbers}
            return self._names.get(name)

    def add(self, institution: Institution, place: Place, at: int | None) -> Person:
        """Add a person to the institution's listing at this index, else at its end."""
        with self.lock:
            number = len(self.register) * BLOCK + self._added
            self._added += 1
            listing = self.listing(institution)
            listing.insert(len(listing) if at is None else at, number)
            record = build(RandomSource(self.seed, number), place)
            self._people[number] = Person(number, record, place.institution)
            self._forget()
            return self._people[number]

    def remove(self, institution: Institution, numbers: set[int]) -> None:
        """Remove people from the institution's listing."""
        with self.lock:
            listing = self.listing(institution)
            listing[:] = [number for number in listing if number not in numbers]
            self._forget()

    def move(self, institution: Institution, start: int, end: int) -> int:
        """Move one person from one index of the listing to another. Raises IndexError."""
        with self.lock:
            listing = self.listing(institution)
            listing.insert(end, listing.pop(start))
            self._forget()
            return listing[end]

    def shuffle(self, institution: Institution, count: int, rng: random.Random) -> None:
        """Move ``count`` random people of the listing to random places in it."""
        with self.lock:
            listing = self.listing(institution)
            for _ in range(count if listing else 0):
                number = listing.pop(rng.randrange(len(listing)))
                listing.insert(rng.randint(0, len(listing)), number)
            self._forget()

    def _forget(self) -> None:
        """Discard the values that were derived from the listings."""
        self._everybody, self._names = [], {}

    def _create_numbers(self, institution: Institution) -> list[int]:
        """Return the institution's own block, followed by people that vote 037 lists too."""
        shared = self._shared(institution)[: institution.size // 20]
        first = institution.number * BLOCK
        return [*range(first, first + institution.size - len(shared)), *shared]

    def _shared(self, institution: Institution) -> list[int]:
        authority = self._by_vote.get(APPOINTING_AUTHORITY)
        if authority is None or authority == institution:
            return []
        first = authority.number * BLOCK
        seats = enumerate(self._seats)
        return [first + index for index, seat in seats if seat[0] == institution.number]

    @cached_property
    def _seats(self) -> list[plan.Seat]:
        authority = self._by_vote[APPOINTING_AUTHORITY]
        return plan.draw_appointed_seats(self.register, authority, self.seed)

    def _create_person(self, number: int) -> Person:
        home = self.register[number // BLOCK]
        rng = RandomSource(self.seed, number)
        appointed = home.vote_code == APPOINTING_AUTHORITY
        seat = self._seats[number % BLOCK] if appointed else plan.draw_seat(self.register, rng)
        place = plan.draw_place(seat, rng, may_shorten=appointed)
        lacks = home.vote_code not in COMPLETE and not rng.filled("zan_id", 1 - WITHOUT_ZAN_ID)
        record = build(rng, place, has_zan_id=not lacks, has_gender=appointed or rng.filled("gender", 0.994))
        return Person(number, record, place.institution)
