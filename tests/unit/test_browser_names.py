"""Browsers in words."""

import pytest

from hrims.web.core.browser_names import describe_browser

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"{WINDOWS} {CHROMIUM} Safari/537.36", "Chrome on Windows"),
        (f"{WINDOWS} {CHROMIUM} Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        (f"{WINDOWS} {CHROMIUM} Safari/537.36 OPR/120.0", "Opera on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Linux; Android 15) {CHROMIUM} Mobile Safari/537.36", "Chrome on Android"),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iOS",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
                " Version/18.0 Safari/605.1.15"
            ),
            "Safari on macOS",
        ),
        ("curl/8.10.1", "A program"),
        ("python-httpx/0.28.1", "A program"),
        ("<script>", "Unknown browser"),
        ("", "Unknown browser"),
        (None, "Unknown browser"),
    ],
)
def test_it_works(user_agent: str | None, words: str) -> None:
    assert describe_browser(user_agent) == words
