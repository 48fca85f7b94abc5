"""Sends the head of the audit chain to receivers. Input: the chain. Output: messages, type audit.head."""

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.cleaner.store import try_lock
from hrims.resilience import run_periodically
from hrims.webhooks.delivery import store


async def run_head_messages(pool: AsyncPool, settings: Settings) -> None:
    """Insert messages periodically until cancelled. Survives outages of the database."""
    seconds = settings.audit_head_seconds
    await run_periodically("audit_head_messages", seconds, lambda: insert_messages(pool, seconds))


async def insert_messages(pool: AsyncPool, seconds: float) -> None:
    """Insert a message for each enabled endpoint, at most one in ``seconds`` over all workers."""
    async with pool.connection() as conn:
        if await try_lock(conn, "audit_head_messages"):
            await store.insert_heads(conn, seconds)
