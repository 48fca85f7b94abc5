"""How the text of a setting is read: raw text comes in; a value goes out, or a ValueError with a hint."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def text(raw: str) -> str:
    return raw


def long_text(raw: str) -> str:
    if len(raw) < 16:
        raise ValueError("give at least 16 characters that nobody can guess")
    return raw


def folder(raw: str) -> Path:
    return Path(raw).expanduser().absolute()


HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?|\[[0-9a-f]*:[0-9a-f:.]+\]", re.IGNORECASE
)
"""A host as a Host header names it, without its port: a name, or an IP address."""


def host_names(raw: str) -> frozenset[str]:
    names = frozenset(name.strip().lower().rstrip(".") for name in raw.split(","))
    if not all(HOST_NAME.fullmatch(name) for name in names):
        raise ValueError("give names like hrims.example.go.tz, without port, separated by commas")
    return names


def url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give an address like https://hrims.example.go.tz/api")
    if parts.username or parts.password:
        raise ValueError("credentials go into HRIMS_API_KEY and HRIMS_TOKEN, not into the address")
    if parts.query or parts.fragment:
        raise ValueError("give an address without ? and #")
    return raw.rstrip("/")


ONE_AT = re.compile(r"postgres(ql)?://[^@/?#]*@?[^@]*")


def postgres_url(raw: str) -> str:
    if "://" in raw and not ONE_AT.fullmatch(raw):
        # Otherwise a part of the password would be taken for the host, and be repeated in errors.
        raise ValueError("give signs like @ / : in the password as %40 %2F %3A")
    if not raw.startswith(("postgres://", "postgresql://")) and "=" not in raw:
        raise ValueError("give an address like postgresql://user:password@host:5432/hrims")
    return raw


def between(low: float, high: float) -> Callable[[str], float]:
    def parse(raw: str) -> float:
        value = float(raw)
        if not low <= value <= high:
            raise ValueError(f"give a number from {low:g} to {high:g}")
        return value

    return parse


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return int(raw)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw.lower() not in words:
            raise ValueError("give one of: " + ", ".join(words))
        return raw.lower()

    return parse


POOL = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
"""What a pool of workers may be called; the table of institutions says the same."""


def pool_name(raw: str) -> str:
    if not POOL.fullmatch(raw):
        raise ValueError("give 1 to 30 small letters, digits and hyphens, like health")
    return raw


def zone(raw: str) -> ZoneInfo:
    try:
        return ZoneInfo(raw)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("give a name like Africa/Dar_es_Salaam") from None


def yes_or_no(raw: str) -> bool:
    if raw.lower() not in {"yes", "no", "true", "false", "1", "0"}:
        raise ValueError("give yes or no")
    return raw.lower() in {"yes", "true", "1"}
