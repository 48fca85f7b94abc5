"""Values in the format of the API."""

from datetime import datetime
from urllib.parse import urlsplit

from hrims.web.core.guard import can_use


def timestamp(at: datetime) -> str:
    """Return a timestamp, such as ``2026-12-01T08:30:00.000+00:00``."""
    return at.isoformat(timespec="milliseconds")


def time(at: datetime | None) -> str | None:
    """Return a timestamp; None if there is none."""
    return timestamp(at) if at else None


def webhook_url(url: str) -> str:
    """Return the URL of a webhook endpoint. Auditors get only scheme and host: the rest can be a secret."""
    if can_use("webhooks.create"):
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"
