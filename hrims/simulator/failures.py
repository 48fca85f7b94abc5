"""All ways in which HRIMS fails.

Input: a kind of failure and a page. Output: a broken response on the connection. ``FAILURES`` is the whole
list. Each failure gets the exchange, the correct page (None if there is none) and the details of the fault.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from hrims.simulator.answers import Page, failure
from hrims.simulator.exchange import Exchange

Details = dict[str, Any]
Failure = Callable[[Exchange, Page | None, Details], None]

HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


def body500(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send HTTP 200 with a body that reports code 500, the usual failure."""
    message = "Timeout: the operation took longer than 120 seconds"
    exchange.json(failure(500, "Internal failure", message))


def body400(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a body with code 400."""
    exchange.json(failure(400, "Bad request"))


def body404(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a body with code 404."""
    exchange.json(failure(404, "Institution not found"))


def _http(status: int) -> Failure:
    def answer(exchange: Exchange, page: Page | None, details: Details) -> None:
        wait = details.get("retry_after")
        headers = {} if wait is None else {"Retry_After": str(wait)}
        exchange.send(b"The service is not available", status, "text/plain", **headers)

    return answer


def timeout(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send nothing for ``seconds``, then close the connection."""
    exchange.pause(details["seconds"])
    exchange.close()


def reset(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Reset the connection without a response."""
    exchange.reset()


def closed(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Close the connection without a response."""
    exchange.close()


def half_json(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a complete HTTP response whose JSON ends in the middle."""
    exchange.json(_half(page))


def cut_short(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send half of the promised bytes, then close the connection."""
    half = _half(page)
    exchange.write(exchange.head(2 * len(half)) + half)
    exchange.close()


def html(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a web page of a server in front of HRIMS."""
    exchange.send(HTML, 200, "text/html")


def empty(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a response without a body."""
    exchange.send(b"")


def garbage(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send bytes that are not text."""
    exchange.send(b"\x00\xff\xfe\x81 not JSON \x9d" * 40)


def slow_drip(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send the correct response, ``bytes`` (1) at a time, every ``pause_ms`` (100)."""
    raw, step = _whole(page), int(details.get("bytes", 1))
    exchange.over = True
    exchange.write(exchange.head(len(raw)))
    for start in range(0, len(raw), step):
        exchange.write(raw[start : start + step])
        exchange.pause(details.get("pause_ms", 100) / 1000)
    exchange.over = False


def endless(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a page that never ends."""
    exchange.chunks(_people_for_ever(page))


def repeat_page(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send the people of the previous page under the requested number."""
    _send(exchange, page)


def short_page(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Omit the last people of the page: ``missing`` of them, else half."""
    if page:
        del page.data[len(page.data) - details.get("missing", (len(page.data) + 1) // 2) :]
    _send(exchange, page)


def wrong_page_number(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send the requested people under the number of another page."""
    if page:
        page.number, page.spare = details.get("number", page.number + 1), True
    _send(exchange, page)


def too_many_records(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send ``records`` (100,000) people in one page.

    With ``tiny``, the records are so small that the page stays below limits on bytes.
    """
    count = details.get("records", 100_000)
    if page and details.get("tiny"):
        page.data = [_tiny(number) for number in range(count)]
    elif page and page.data:
        page.data = list(itertools.islice(itertools.cycle(page.data), count))
    _send(exchange, page)


def data_null(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a success without data."""
    body = {"code": 200, "status": "Success", "data": None}
    exchange.json(body | {"overallDataSize": page.overall if page else 0})


def data_text(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send a success whose data is not a list."""
    exchange.json({"code": 200, "status": "Success", "overallDataSize": 1, "data": "Hakuna"})


def not_an_object(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Send JSON with a list in place of an object."""
    exchange.json([])


def wrong_types(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Set ``path`` (zanIdNumber) of the record at ``index`` (0) to ``value`` (a list)."""
    if page and page.data:
        index = details.get("index", 0)
        record = json.loads(page.data[index])
        path = details.get("path", "personalInfo.zanIdNumber").split(".")
        _put(record, path, details.get("value", [1, 2]))
        page.data[index] = json.dumps(record).encode()
    _send(exchange, page)


def odd_record(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Replace the record at ``index`` (0) by ``value`` (a text), which is not an employee."""
    if page and page.data:
        page.data[details.get("index", 0)] = json.dumps(details.get("value", "Hakuna")).encode()
    _send(exchange, page)


def wrong_total(exchange: Exchange, page: Page | None, details: Details) -> None:
    """Set ``overallDataSize`` to ``total`` (null), whatever its correct value."""
    body = json.loads(_whole(page))
    exchange.json(body | {"overallDataSize": details.get("total")})


def _half(page: Page | None) -> bytes:
    whole = _whole(page)
    return whole[: len(whole) // 2]


def _whole(page: Page | None) -> bytes:
    return page.encoded() if page else json.dumps(failure(500, "Internal failure")).encode()


def _send(exchange: Exchange, page: Page | None) -> None:
    exchange.json(_whole(page))


def _tiny(number: int) -> bytes:
    return b'{"personalInfo":{"zanIdNumber":"%09d","firstName":"A"}}' % number


def _people_for_ever(page: Page | None) -> Iterator[bytes]:
    """Yield pieces of about 64 KB without end; smaller ones would cost the machine too much."""
    yield page.opening() if page else b'{"code": 200, "data": ['
    person = page.data[0] if page and page.data else b"{}"
    piece = (person + b", ") * (65536 // len(person) + 1)
    while True:
        yield piece


def _put(record: Any, path: list[str], value: Any) -> None:
    """Set the value at a dotted path and create the missing parts.

    A number in the path is an index into a list.
    """
    for step, following in itertools.pairwise(path):
        if isinstance(record, dict) and not record.get(step):
            record[step] = [{}] if following.isdigit() else {}
        record = record[_key(record, step)]
    record[_key(record, path[-1])] = value


def _key(holder: Any, step: str) -> int | str:
    return int(step) if isinstance(holder, list) else step


_BROKEN: list[Failure] = [
    *(body500, body400, body404, timeout, reset, closed),
    *(half_json, cut_short, html, empty, garbage, slow_drip, endless),
    *(repeat_page, short_page, wrong_page_number, too_many_records, wrong_total),
    *(data_null, data_text, not_an_object, wrong_types, odd_record),
]
_STATUSES = (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)

FAILURES: dict[str, Failure] = {failure.__name__: failure for failure in _BROKEN}
FAILURES |= {f"http{status}": _http(status) for status in _STATUSES}

LASTING = {"timeout", "slow_drip", "endless"}
"""Failures that last long; their requests are in flight until they end."""
