"""The settings of the audit trail. ``settings`` has all others."""

from pathlib import Path
from typing import Annotated

from hrims.config.limits import LimitSettings
from hrims.config.values import folder
from hrims.config.variables import setting


class AuditSettings(LimitSettings, frozen=True, kw_only=True):
    """Where the heads of the audit chain go."""

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
