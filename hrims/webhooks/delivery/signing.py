"""Signatures of Standard Webhooks. Input: id, timestamp, body and secret. Output: headers. Pure."""

import base64
import hashlib
import hmac

PREFIX = "whsec_"
"""The prefix of every secret, by which people and secret scanners recognise it."""

SECRET_BYTES = 32


def headers(key: str, at: int, body: bytes, secret: bytes) -> dict[str, str]:
    """Return the headers of a message. ``at`` is the time of this attempt, in seconds since 1970."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature(key, at, body, secret)}",
    }


def signature(key: str, at: int, body: bytes, secret: bytes) -> str:
    """Return the HMAC-SHA256 of ``id.timestamp.body``, in base64."""
    signed = hmac.new(secret, f"{key}.{at}.".encode() + body, hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def format_secret(secret: bytes) -> str:
    """Return a secret as the text that is shown once."""
    return PREFIX + base64.b64encode(secret).decode()
