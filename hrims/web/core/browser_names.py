"""The names of browsers. Input: a User-Agent header. Output: browser and system in words."""

import re
from typing import Final

BROWSERS: Final = (
    (r"\bEdg(?:e|A|iOS)?/", "Edge"),
    (r"\b(?:OPR|Opera)[/ ]", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\b(?:Firefox|FxiOS)/", "Firefox"),
    (r"\bHeadlessChrome/", "Chrome without a window"),
    (r"\b(?:Chrome|CriOS)/", "Chrome"),
    (r"\bVersion/[\d.]+ .*Safari/", "Safari"),
    (r"\b(?:curl|Wget|python-[a-z]+|Python-urllib)/", "a program"),
)
"""Patterns of browsers, in this order: most also name those that they resemble."""

SYSTEMS: Final = (
    (r"\bAndroid\b", "Android"),
    (r"\b(?:iPhone|iPad|iPod)\b", "iOS"),
    (r"\bWindows\b", "Windows"),
    (r"\b(?:Macintosh|Mac OS X)\b", "macOS"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bLinux\b", "Linux"),
)
"""Patterns of operating systems, in this order."""


def describe_browser(user_agent: str | None) -> str:
    """Return the browser in words: ``Firefox on Windows``."""
    browser = _first(BROWSERS, user_agent or "") or "Unknown browser"
    system = _first(SYSTEMS, user_agent or "")
    words = f"{browser} on {system}" if system else browser
    return words[0].upper() + words[1:]


def _first(patterns: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for pattern, name in patterns if re.search(pattern, user_agent)), None)
