"""Finds the institution behind a workplace's name; a name that the register lacks waits, saved.

Names match by the register alone: exactly, or but for case, spaces and punctuation (``name_key`` in
the database is the one definition), or by an alias that a person confirmed. Never by likeness.
"""

from collections.abc import Collection
from typing import NamedTuple

from hrims.db import AsyncConnection
from hrims.employees import store


class Workplace(NamedTuple):
    """A workplace as the database knows it; ``institution_id`` is None while it waits."""

    id: int
    institution_id: int | None


async def meet(conn: AsyncConnection, names: Collection[str]) -> dict[str, Workplace]:
    """The workplace of each name, new ones registered, inside the caller's transaction.

    The rows stay locked until it ends, so that a person who maps a workplace meanwhile waits and
    then moves these people as well.
    """
    known = await store.lock_workplaces(conn, names)
    if len(known) < len(names):
        await store.add_workplaces(conn, names)
        known = await store.lock_workplaces(conn, names)
    return {name: Workplace(*found) for name, found in known.items()}
