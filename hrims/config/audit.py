"""The settings of the audit trail and of the owner of the database. ``settings`` has all others."""

from pathlib import Path
from typing import Annotated

from hrims.config.limits import LimitSettings
from hrims.config.values import folder, postgres_url
from hrims.config.variables import setting


class AuditSettings(LimitSettings, frozen=True, kw_only=True):
    """Where the heads of the audit chain go, and who owns the tables."""

    owner_database_url: Annotated[
        str | None,
        setting(
            "HRIMS_OWNER_DATABASE_URL",
            "Postgres as the owner of the tables, for `hrims migrate` alone; without it, DATABASE_URL",
            prepare=postgres_url,
            secret=True,
        ),
    ] = None
    audit_heads: Annotated[
        Path | None,
        setting(
            "HRIMS_AUDIT_HEADS",
            "file to which workers append the head of the audit chain; "
            "without it, audit-heads.jsonl in HRIMS_STATE_DIR",
            prepare=folder,
        ),
    ] = None
    audit_head_seconds: Annotated[
        float,
        setting("HRIMS_AUDIT_HEAD_SECONDS", "seconds between two heads outside the database", ge=1, le=86400),
    ] = 300.0
