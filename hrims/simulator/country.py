"""Everybody whom HRIMS knows: institutions in, listings and their people out, made when asked for.

The remote changes through ``add``, ``remove``, ``move`` and ``change``; all of it is thread-safe.
"""

import itertools
import json
import random
import threading
from collections.abc import Callable
from functools import cached_property

from hrims.simulator import plan, register
from hrims.simulator.chance import BLOCK, Draw, payroll_number, zan_id
from hrims.simulator.options import Options
from hrims.simulator.person import Place, Record, build
from hrims.simulator.register import APPOINTING_AUTHORITY, Institution

_encode = json.JSONEncoder(ensure_ascii=False).encode

WITHOUT_ZAN_ID = 0.003
"""The share without a ZanID, in institutions that are not complete."""

COMPLETE = {"001", APPOINTING_AUTHORITY}
"""Vote codes in which everybody has a ZanID."""


class Person:
    """One employee: the number of the institution where they work, and the record as bytes, which
    is what pages are made of and takes a third of the memory."""

    __slots__ = ("encoded", "institution", "number")

    def __init__(self, number: int, record: Record, institution: int | None) -> None:
        self.number, self.institution = number, institution
        self.write(record)

    def read(self) -> Record:
        """The record, anew each time."""
        record: Record = json.loads(self.encoded)
        return record

    def write(self, record: Record) -> None:
        """Replaces the record."""
        self.encoded = _encode(record).encode()


class Country:
    """People are numbers here until somebody asks for them."""

    def __init__(self, options: Options) -> None:
        self.seed = options.seed
        self.register = register.read(
            options.register, seed=options.seed, scale=options.scale, sizes=options.sizes
        )
        self.lock = threading.RLock()
        self._by_vote = {one.vote_code: one for one in self.register if one.vote_code}
        self._by_tin = {one.tin: one for one in self.register if one.tin}
        self._listings: dict[int, list[int]] = {}
        self._people: dict[int, Person] = {}
        self._added = 0
        self._everybody: list[int] = []
        self._names: dict[str, int] = {}

    def institution(self, *, vote: str = "", tin: str = "") -> Institution | None:
        """The institution with this vote code or TIN."""
        return self._by_vote.get(vote) or self._by_tin.get(tin)

    def listing(self, institution: Institution) -> list[int]:
        """The numbers of those it lists now, in the remote's order; change it under the lock."""
        with self.lock:
            if institution.number not in self._listings:
                self._listings[institution.number] = self._made(institution)
            return self._listings[institution.number]

    def everybody(self) -> list[int]:
        """The numbers of all people, each once, in the order of the register."""
        with self.lock:
            if not self._everybody:
                listings = (self.listing(one) for one in self.register)
                self._everybody = list(dict.fromkeys(itertools.chain.from_iterable(listings)))
            return self._everybody

    def person(self, number: int) -> Person:
        """The person with this number, made now if nobody asked before."""
        with self.lock:
            if number not in self._people:
                self._people[number] = self._born(number)
            return self._people[number]

    def page(self, listing: Callable[[], list[int]], start: int, size: int) -> tuple[list[Person], int]:
        """The people of one page and how many are listed in all, at one and the same moment."""
        with self.lock:
            numbers = listing()
            return [self.person(one) for one in numbers[start : start + size]], len(numbers)

    def find(self, name: str) -> int | None:
        """The number of the person with this ZanID or payroll number."""
        with self.lock:
            if not self._names:
                everybody = self.everybody()
                self._names = {payroll_number(number): number for number in everybody}
                self._names |= {zan_id(self.seed, number): number for number in everybody}
            return self._names.get(name)

    def add(self, institution: Institution, place: Place, at: int | None) -> Person:
        """A new person, listed by the institution at this index, else as its last."""
        with self.lock:
            number = len(self.register) * BLOCK + self._added
            self._added += 1
            listing = self.listing(institution)
            listing.insert(len(listing) if at is None else at, number)
            record = build(Draw(self.seed, number), place)
            self._people[number] = Person(number, record, place.institution)
            self._forget()
            return self._people[number]

    def remove(self, institution: Institution, numbers: set[int]) -> None:
        """The institution lists them no more."""
        with self.lock:
            listing = self.listing(institution)
            listing[:] = [number for number in listing if number not in numbers]
            self._forget()

    def move(self, institution: Institution, start: int, end: int) -> int:
        """One person from one index of the listing to another. Raises IndexError."""
        with self.lock:
            listing = self.listing(institution)
            listing.insert(end, listing.pop(start))
            self._forget()
            return listing[end]

    def shuffle(self, institution: Institution, count: int, luck: random.Random) -> None:
        """So many people of the listing, drawn by luck, move to another place in it."""
        with self.lock:
            listing = self.listing(institution)
            for _ in range(count if listing else 0):
                number = listing.pop(luck.randrange(len(listing)))
                listing.insert(luck.randint(0, len(listing)), number)
            self._forget()

    def _forget(self) -> None:
        """What was worked out from the listings no longer holds."""
        self._everybody, self._names = [], {}

    def _made(self, institution: Institution) -> list[int]:
        """The institution's own block, and at its end people whom vote 037 lists as well."""
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
        return plan.appointed(self.register, authority, self.seed)

    def _born(self, number: int) -> Person:
        home = self.register[number // BLOCK]
        draw = Draw(self.seed, number)
        appointed = home.vote_code == APPOINTING_AUTHORITY
        seat = self._seats[number % BLOCK] if appointed else plan.seat_of(self.register, draw)
        place = plan.place(seat, draw, may_shorten=appointed)
        lacks = home.vote_code not in COMPLETE and not draw.filled("zan_id", 1 - WITHOUT_ZAN_ID)
        record = build(
            draw, place, has_zan_id=not lacks, has_gender=appointed or draw.filled("gender", 0.994)
        )
        return Person(number, record, place.institution)
