"""Two-step sign-in: a code of an authenticator app (TOTP, RFC 6238) after the password.

Input: a user and a code. Output: whether the code is right. Each code is accepted once. Recovery codes
replace a lost app; each works once.
"""

from hrims.access.two_step.actions import (
    WRONG_CODE,
    Enrolment,
    Status,
    confirm,
    find_enrolment,
    is_code,
    is_on,
    read_status,
    renew_recovery_codes,
    reset_two_step,
    start,
    turn_off,
    verify,
)

__all__ = [
    "WRONG_CODE",
    "Enrolment",
    "Status",
    "confirm",
    "find_enrolment",
    "is_code",
    "is_on",
    "read_status",
    "renew_recovery_codes",
    "reset_two_step",
    "start",
    "turn_off",
    "verify",
]
