"""Where a request comes from. Input: its headers. Output: whether it is from a page of this site. Pure."""

from typing import Final
from urllib.parse import SplitResult, urlsplit

from werkzeug.datastructures import Headers

FROM_HERE: Final = frozenset({"same-origin", "none"})
"""The values of Sec-Fetch-Site that no other site can cause. ``none``: the user began the request."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def is_from_here(headers: Headers, scheme: str, host: str) -> bool:
    """Return whether a request comes from a page at ``scheme://host``, as far as its headers tell.

    Browsers send Sec-Fetch-Site to addresses with TLS and to localhost, else Origin. Under TLS a request with
    neither must have a Referer. Without TLS it is not from a browser that could be misled.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in FROM_HERE
    source = headers.get("Origin")
    if source is None and scheme == "https":
        source = headers.get("Referer", "")
    return source is None or _is_page_of(source, scheme, host)


def _is_page_of(source: str, scheme: str, host: str) -> bool:
    try:
        page = urlsplit(source)
        own = urlsplit(f"{page.scheme}://{host}")
        is_same = (page.hostname, _port_of(page)) == (own.hostname, _port_of(own))
    except ValueError:
        return False
    # Without TLS here, a proxy in front may have it.
    schemes = {"https"} if scheme == "https" else DEFAULT_PORTS.keys()
    return is_same and bool(page.hostname) and "@" not in page.netloc and page.scheme in schemes


def _port_of(url: SplitResult) -> int | None:
    return url.port or DEFAULT_PORTS.get(url.scheme)
