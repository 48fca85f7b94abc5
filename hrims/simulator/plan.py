"""Assigns workplaces to people.

Input: the register and its appointing authority, or one person's random source. Output: seats and workplaces.
"""

import math
import random
from collections.abc import Sequence

from hrims.simulator import vocabulary
from hrims.simulator.person import EMPLOYED, Place
from hrims.simulator.random_source import BLOCK, RandomSource
from hrims.simulator.register import APPOINTING_AUTHORITY, SIZES, Institution
from hrims.simulator.spelling import variant

OWN_PEOPLE = 33
"""Number of people on the list of vote 037 who work there."""

Seat = tuple[int | None, str]
"""An institution's number and name, or None and the name of a workplace that is not on the register.

An empty name means no workplace.
"""


def draw_appointed_seats(register: Sequence[Institution], authority: Institution, seed: int) -> list[Seat]:
    """Return a seat for each of the people that the appointing authority lists, in their order."""
    weights = _weights(register, authority)
    counts = _apportion(list(weights.values()), authority.size)
    seats = [seat for seat, count in zip(weights, counts, strict=True) for _ in range(count)]
    random.Random(f"{seed}/seats").shuffle(seats)  # noqa: S311 - reproducible on purpose
    return seats


def _weights(register: Sequence[Institution], authority: Institution) -> dict[Seat, float]:
    """Return the number of people for each seat among 6,408.

    A few work at the authority and most elsewhere; some workplaces are unknown or empty.
    """
    whole = SIZES[APPOINTING_AUTHORITY]
    own: dict[Seat, float] = {(authority.number, authority.name): OWN_PEOPLE}
    nowhere: dict[Seat, float] = {(None, ""): round(whole * (1 - EMPLOYED))}
    unknown: dict[Seat, float] = {(None, name): n for name, n in vocabulary.UNREGISTERED.items()}
    left = whole - sum((own | nowhere | unknown).values())
    others = {
        institution: math.sqrt(institution.size + 30) for institution in register if institution != authority
    }
    total = sum(others.values())
    elsewhere: dict[Seat, float] = {
        (institution.number, institution.name): left * share / total for institution, share in others.items()
    }
    return own | unknown | elsewhere | nowhere


def _apportion(weights: list[float], size: int) -> list[int]:
    """Return whole numbers that sum to ``size``; the first weight gets at least one."""
    scale = size / sum(weights)
    counts = [int(weight * scale + 1e-9) for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda n: counts[n] - weights[n] * scale)
    for place in by_rest[: size - sum(counts)]:
        counts[place] += 1
    if size and not counts[0]:
        counts[counts.index(max(counts))] -= 1
        counts[0] = 1
    return counts


def draw_seat(register: Sequence[Institution], rng: RandomSource) -> Seat:
    """Return the seat of a person on the list of an ordinary institution; nearly always that institution."""
    home = register[rng.number // BLOCK]
    level = rng.level("place")
    if level < 0.960:
        return home.number, home.name
    if level < 0.974:
        other = rng.choice(list(register))
        return other.number, other.name
    return (None, rng.choice(list(vocabulary.UNREGISTERED))) if level < EMPLOYED else (None, "")


def draw_place(seat: Seat, rng: RandomSource, *, may_shorten: bool) -> Place:
    """Return the seat as HRIMS spells it for this person."""
    number, name = seat
    if not name:
        return Place(None, None)
    if may_shorten and name in vocabulary.SHORT_NAMES and rng.chance(0.4):
        name = vocabulary.SHORT_NAMES[name]
    return Place(variant(name, rng), number)
