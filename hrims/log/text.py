"""Text of log lines. Input: any text. Output: the text, cut, without secrets and control characters."""

import json
from collections.abc import Iterable
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hrims.config import VARIABLES, Settings
from hrims.text import escaped

MIN_SECRET_LENGTH = 4
"""The minimum length of a masked secret. Masking shorter ones would make text unreadable."""

MASK = "***"

MAX_LENGTH = 1000
"""Maximum number of logged characters of a value. A traceback is logged in full."""

_secrets: set[str] = set()


def add_secrets(settings: Settings) -> None:
    """Mask the secrets of these settings from now on."""
    _secrets.update(_secrets_of(settings))


def add_secret(secret: str) -> None:
    """Mask a secret that was read from the database or a file from now on."""
    _secrets.update(_forms_of({secret}))


def cut(text: str) -> str:
    """Return at most MAX_LENGTH characters of a text, with the number of characters cut off."""
    left_out = len(text) - MAX_LENGTH
    return f"{text[:MAX_LENGTH]}… ({left_out} more)" if left_out > 0 else text


def masked(text: str) -> str:
    """Return the text with the secrets of the settings in use masked."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets_of(settings: Settings) -> set[str]:
    addresses = {settings.database_url, settings.owner_database_url}
    given = {getattr(settings, item.field) for item in VARIABLES if item.is_secret} - addresses
    given |= {_password_of(address or "") for address in addresses}
    given.update((settings.encryption_key or "").split(","))
    return _forms_of(given)


def _forms_of(secrets: Iterable[str | None]) -> set[str]:
    plain = {secret for secret in secrets if secret and len(secret) >= MIN_SECRET_LENGTH}
    written = {form(secret) for secret in plain for form in (_as_json, _as_field, _as_url_part, escaped)}
    return plain | written


def _as_json(secret: str) -> str:
    return json.dumps(secret)[1:-1]


def _as_field(secret: str) -> str:
    """Return a secret as the value of a field in a line of text shows it."""
    return escaped(json.dumps(secret, ensure_ascii=False)[1:-1])


def _as_url_part(secret: str) -> str:
    return quote(secret, safe="")


def _password_of(dsn: str) -> str | None:
    try:
        password = conninfo_to_dict(dsn).get("password")
    except psycopg.ProgrammingError:
        return None
    return None if password is None else str(password)
