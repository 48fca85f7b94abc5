"""Parsers of settings.

Input: the text of a variable. Output: a typed value, or a Hint.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Hint(ValueError):
    """The text is not valid. The message says what to set instead, and does not repeat the text."""


def long_text(raw: str) -> str:
    if len(raw) < 16:
        raise Hint("give at least 16 characters that cannot be guessed")
    return raw


KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
"""A key of Fernet: 32 bytes in URL-safe base64."""


def encryption_keys(raw: str) -> str:
    keys = re.split(r"[\s,]+", raw.strip(", \n"))
    if not all(KEY.fullmatch(key) for key in keys):
        raise Hint("give keys that `hrims db new-key` prints, separated by commas")
    return ",".join(keys)


def header_token(raw: str) -> str:
    if not (raw.isascii() and raw.isprintable()):
        raise Hint("give at least 16 letters, digits or signs of ASCII")
    return long_text(raw)


def folder(raw: str) -> Path:
    return Path(raw).expanduser().absolute()


HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|\[[0-9a-f]*:[0-9a-f:.]+\]", re.IGNORECASE
)
"""A host as in a Host header, without its port: a name or an IP address."""


def host_names(raw: str) -> frozenset[str]:
    names = frozenset(name.strip().lower().rstrip(".") for name in raw.split(","))
    if not all(HOST_NAME.fullmatch(name) for name in names):
        raise Hint("give names like hrims.example.go.tz, without port, separated by commas")
    return names


def url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Hint("give an address like https://hrims.example.go.tz/api")
    if parts.username or parts.password:
        raise Hint("credentials go into HRIMS_API_KEY and HRIMS_TOKEN, not into the address")
    if parts.query or parts.fragment:
        raise Hint("give an address without ? and #")
    return raw.rstrip("/")


ONE_AT = re.compile(r"postgres(ql)?://[^@/?#]*@?[^@]*")


POSTGRES = ("postgres://", "postgresql://")
"""The beginnings of the address of a database."""

ADDRESS = "give an address like postgresql://user:password@host:5432/hrims"


def postgres_url(raw: str) -> str:
    if "://" in raw and not raw.startswith(POSTGRES):
        raise Hint(f"{ADDRESS}; other databases do not work")
    if "://" in raw and not ONE_AT.fullmatch(raw):
        # Otherwise urlsplit takes a part of the password for the host, and errors repeat it.
        raise Hint("give signs like @ / : in the password as %40 %2F %3A")
    if not raw.startswith(POSTGRES) and "=" not in raw:
        raise Hint(ADDRESS)
    return raw


def role_pairs(raw: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.rpartition("=") for pair in raw.split(",")]
    found = tuple((value.strip(), role.strip()) for value, _, role in pairs)
    if not all(value and role for value, role in found):
        raise Hint("give pairs like hr-admins=administrator,hr-officers=officer")
    return found


POOL = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
"""Valid names of a pool of workers; the table of institutions has the same constraint."""


def pool_name(raw: str) -> str:
    if not POOL.fullmatch(raw):
        raise Hint("give 1 to 30 small letters, digits and hyphens, like health")
    return raw


def zone(raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Hint("give a name like Africa/Dar_es_Salaam") from None


def yes_or_no(raw: str) -> bool:
    if raw.lower() not in {"yes", "no", "true", "false", "1", "0"}:
        raise Hint("give yes or no")
    return raw.lower() in {"yes", "true", "1"}
