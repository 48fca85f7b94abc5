"""Who works where: institutions in, the workplace of everyone in an institution's own block out."""

import math
import random
from collections.abc import Sequence

from hrims.simulator import words
from hrims.simulator.chance import BLOCK, Draw
from hrims.simulator.person import EMPLOYED, Place
from hrims.simulator.register import APPOINTING_AUTHORITY, SIZES, Institution
from hrims.simulator.spelling import variant

OWN_PEOPLE = 33
"""Of the people whom vote 037 lists, those who work there."""

Seat = tuple[int | None, str]
"""An institution of the register with its name, or None with the name of a workplace it lacks; an
empty name is no workplace at all."""


def appointed(register: Sequence[Institution], authority: Institution, seed: int) -> list[Seat]:
    """A seat for each of the people that the appointing authority lists, in their order."""
    weights = _weights(register, authority)
    counts = _apportion(list(weights.values()), authority.size)
    seats = [seat for seat, count in zip(weights, counts, strict=True) for _ in range(count)]
    random.Random(f"{seed}/seats").shuffle(seats)  # noqa: S311 - reproducible on purpose
    return seats


def _weights(register: Sequence[Institution], authority: Institution) -> dict[Seat, float]:
    """How many sit where among 6,408: few at home, most elsewhere, some nobody knows where."""
    whole = SIZES[APPOINTING_AUTHORITY]
    own: dict[Seat, float] = {(authority.number, authority.name): OWN_PEOPLE}
    nowhere: dict[Seat, float] = {(None, ""): round(whole * (1 - EMPLOYED))}
    unknown: dict[Seat, float] = {(None, name): n for name, n in words.UNREGISTERED.items()}
    left = whole - sum((own | nowhere | unknown).values())
    others = {one: math.sqrt(one.size + 30) for one in register if one != authority}
    total = sum(others.values())
    elsewhere: dict[Seat, float] = {
        (one.number, one.name): left * share / total for one, share in others.items()
    }
    return own | unknown | elsewhere | nowhere


def _apportion(weights: list[float], size: int) -> list[int]:
    """Whole numbers that sum to ``size``; the first weight gets at least one of them."""
    scale = size / sum(weights)
    counts = [int(weight * scale + 1e-9) for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda n: counts[n] - weights[n] * scale)
    for place in by_rest[: size - sum(counts)]:
        counts[place] += 1
    if size and not counts[0]:
        counts[counts.index(max(counts))] -= 1
        counts[0] = 1
    return counts


def seat_of(register: Sequence[Institution], draw: Draw) -> Seat:
    """A seat for somebody listed by an ordinary institution: nearly always at home."""
    home = register[draw.number // BLOCK]
    level = draw.level("place")
    if level < 0.960:
        return home.number, home.name
    if level < 0.974:
        other = draw.one(list(register))
        return other.number, other.name
    return (None, draw.one(list(words.UNREGISTERED))) if level < EMPLOYED else (None, "")


def place(seat: Seat, draw: Draw, *, may_shorten: bool) -> Place:
    """The seat as HRIMS spells it for this person."""
    number, name = seat
    if not name:
        return Place(None, None)
    if may_shorten and name in words.SHORT_NAMES and draw.happens(0.4):
        name = words.SHORT_NAMES[name]
    return Place(variant(name, draw), number)
