"""Codes of an authenticator app, without the database.

Input: a secret, a typed code and the time in seconds. Output: the step of 30 seconds of the code.
"""

import hmac
import re

import pyotp

STEP = 30
"""Seconds for which an app shows a code."""

SKEW = 1
"""Steps by which the clock of a phone may differ, in both directions."""

ISSUER = "HRIMS Sync"
"""The name of the product in the app."""

CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """Return a new secret: 32 characters, 160 bits."""
    return pyotp.random_base32(32)


def read_code(typed: str) -> str | None:
    """Return the six digits of a typed code, which apps show in groups; None if it is not one."""
    code = "".join(typed.split())
    return code if CODE.fullmatch(code) else None


def find_step(secret: str, code: str, now: float) -> int | None:
    """Return the step whose code this is; None if it is the code of no step near ``now``."""
    totp, current = pyotp.TOTP(secret), int(now) // STEP
    for step in range(current - SKEW, current + SKEW + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            return step
    return None


def build_uri(secret: str, name: str, instance: str) -> str:
    """Return the URI that an app reads from a QR code. ``instance`` is the host that the user knows."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{instance}", issuer_name=ISSUER)


def normalize_recovery_code(typed: str) -> str:
    """Return a typed recovery code as it is hashed: in lower case, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", typed).lower()
