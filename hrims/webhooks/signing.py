"""Signatures of Standard Webhooks: an id, a moment, a body and a secret come in; headers go out. Pure."""

import base64
import hashlib
import hmac

PREFIX = "whsec_"
"""What every secret begins with, so that people and secret scanners know one when they see it."""

SECRET_BYTES = 32


def headers(key: str, at: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a message; ``at`` is the moment of this try, in seconds since 1970."""
    return {
        "webhook-id": key,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature(key, at, body, secret)}",
    }


def signature(key: str, at: int, body: bytes, secret: bytes) -> str:
    """HMAC-SHA256 of ``id.timestamp.body``, in base64."""
    signed = hmac.new(secret, f"{key}.{at}.".encode() + body, hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def written(secret: bytes) -> str:
    """A secret as it is shown, once."""
    return PREFIX + base64.b64encode(secret).decode()
