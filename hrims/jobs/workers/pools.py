"""Pools. Input: the name of a pool. Output: the queue of its runs. Also sets the run policy of
institutions.
"""

from typing import Final

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import NotFound
from hrims.jobs.attempts.retry_policy import RetryPolicy
from hrims.jobs.workers import store
from hrims.jobs.workers.store import RunPolicy

QUEUE: Final = "sync"
"""The queue of runs of institutions that are tied to no pool."""


def queue_name(pool: str | None) -> str:
    """Return the queue of a pool's runs."""
    return QUEUE if pool is None else f"{QUEUE}.{pool}"


def has_runs(queue: str) -> bool:
    """Return whether a queue is for runs."""
    return queue == QUEUE or queue.startswith(f"{QUEUE}.")


def set_run_policy(
    conn: Connection, actor: Actor, institution_id: int, pool: str | None, retry_policy: RetryPolicy
) -> None:
    """Replace the run policy of an institution: its pool and its retry policy.

    An unfinished run moves to the pool immediately. The same policy writes nothing. Raises NotFound.
    """
    with conn.transaction():
        previous = store.find_run_policy(conn, institution_id, lock=True)
        if previous is None:
            raise NotFound("There is no institution with this id on the register.", "unknown_institution")
        policy = RunPolicy(pool, *retry_policy)
        if policy == previous:
            return
        store.save_run_policy(conn, institution_id, policy, queue_name(pool))
        changed = [name for name in RunPolicy._fields if getattr(previous, name) != getattr(policy, name)]
        before, after = ({name: getattr(item, name) for name in changed} for item in (previous, policy))
        subject = f"institution:{institution_id}"
        record(conn, actor, "institution.run_policy", subject, before=before, after=after)
