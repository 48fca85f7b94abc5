"""Pools: the name of a pool comes in, the queue of its runs goes out; an institution is tied to one."""

from typing import Final

from hrims.access.audit import Actor, record
from hrims.config.values import POOL
from hrims.db import Connection
from hrims.errors import InvalidInput, NotFound
from hrims.jobs.attempts.patience import Patience
from hrims.jobs.workers import store
from hrims.jobs.workers.store import Care

QUEUE: Final = "sync"
"""The queue of runs of institutions that are tied to no pool."""


def queue_of(pool: str | None) -> str:
    """The queue of a pool's runs."""
    return QUEUE if pool is None else f"{QUEUE}.{pool}"


def has_runs(queue: str) -> bool:
    """Whether a queue is one of runs."""
    return queue == QUEUE or queue.startswith(f"{QUEUE}.")


def check_pool(given: object) -> str | None:
    """The name as it is kept; empty and None say none. Raises InvalidInput."""
    if given is None or given == "":
        return None
    if not isinstance(given, str) or not POOL.fullmatch(given):
        raise InvalidInput(
            "pool must be 1 to 30 small letters, digits and hyphens, like health. Nothing was changed.",
            "bad_pool",
        )
    return given


def care_for(
    conn: Connection, actor: Actor, institution_id: int, pool: str | None, patience: Patience
) -> None:
    """Says how an institution's runs are carried out from now on: by whose workers, and with how much
    patience. One that waits goes over to the pool at once. Raises NotFound.
    """
    with conn.transaction():
        before = store.care(conn, institution_id, hold=True)
        if before is None:
            raise NotFound("There is no institution with this id on the register.", "unknown_institution")
        now = Care(pool, *patience)
        store.set_care(conn, institution_id, now, queue_of(pool))
        changed = {
            name: [old, new] for name, old, new in zip(Care._fields, before, now, strict=True) if old != new
        }
        record(conn, actor, "institution.care", f"institution:{institution_id}", **changed)
