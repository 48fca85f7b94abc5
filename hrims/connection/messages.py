"""What a change of the connection does, in sentences. Input: the result of ``describe_change``. Pure."""

from typing import Any

LABELS = {
    "address": "Address",
    "connect_timeout": "Seconds to connect",
    "read_timeout": "Seconds without data",
    "request_timeout": "Seconds for an answer",
    "max_in_flight": "Requests in flight",
    "api_key": "API key",
    "token": "Token",
}


def describe(details: dict[str, dict[str, Any]]) -> list[str]:
    """Return a sentence for each value. No secret is shown: only what becomes of it."""
    before, after, credentials = (details[part] for part in ("before", "after", "credentials"))
    values = {name: f"{_show(before[name])} becomes {_show(after[name])}" for name in after}
    # By the labels: the database does not keep the order of fields.
    effects = values | credentials
    return [f"{label}: {effects[name]}." for name, label in LABELS.items() if name in effects]


def _show(value: object) -> str:
    return "not set" if value is None else str(value)
