"""Static files: one address each, with the hash of its content; compressed; kept while they are the same."""

import gzip
import itertools
import re
from hashlib import sha256
from typing import Any

from hrims.installation import STATIC
from tests.web.browsers import Browser

PICO = "vendor/pico.min.css"

NAMES = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
SERVED = [name for name in NAMES if not name.endswith(".md")]


def get(client: Browser, name: str, **headers: str) -> Any:
    return client.get(
        f"/static/{name}", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def content(name: str) -> bytes:
    return (STATIC / name).read_bytes()


def test_every_file_has_one_address_with_the_hash_of_its_content(officer: Browser, client: Browser) -> None:
    pages = (
        officer.get("/dashboard/admin/people").text
        + client.get("/sign-in").text
        + client.get("/nothing").text
    )
    addresses = set(re.findall(r'(?:href|src)="/static/([^"]+)"', pages))
    assert sorted(address.partition("?")[0] for address in addresses) == sorted(SERVED)
    for address in addresses:
        name, _, mark = address.partition("?v=")
        assert sha256(content(name)).hexdigest().startswith(mark), name
        assert len(mark) >= 16


def test_compressed_for_clients_that_accept_it(client: Browser) -> None:
    for accepted in ("gzip", "gzip, deflate, br", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*"):
        for name in SERVED:
            answer = get(client, name, Accept_Encoding=accepted)
            assert answer.status_code == 200
            assert answer.headers["Content-Encoding"] == "gzip"
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert int(answer.headers["Content-Length"]) == len(answer.data) < len(content(name))
            assert gzip.decompress(answer.data) == content(name)


def test_plain_for_others(client: Browser) -> None:
    for accepted in ("", "identity", "br", "gzip;q=0", "gzip;q=0, *"):
        answer = get(client, PICO, Accept_Encoding=accepted)
        assert answer.data == content(PICO)
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_each_encoding_has_its_own_etag_and_304_carries_what_caches_need(client: Browser) -> None:
    etags = set()
    for accepted in ("gzip", "identity"):
        first = get(client, PICO, Accept_Encoding=accepted)
        etags.add(first.headers["ETag"])
        again = get(client, PICO, Accept_Encoding=accepted, If_None_Match=first.headers["ETag"])
        assert (again.status_code, again.data) == (304, b"")
        for header in ("ETag", "Vary", "Cache-Control"):
            assert again.headers[header] == first.headers[header]
    assert len(etags) == 2
    assert all(etag.startswith('"') for etag in etags)
    assert get(client, PICO, Accept_Encoding="identity", If_None_Match='"another"').status_code == 200


def test_a_range_is_answered_with_the_whole_file(client: Browser) -> None:
    ranges = ("bytes=0-9", "bytes=5-", "bytes=-5", "bytes=999999999-", "bytes=0-1,3-4", "x")
    for accepted, range_ in itertools.product(("gzip", "identity"), ranges):
        etag = get(client, PICO, Accept_Encoding=accepted).headers["ETag"]
        for more in ({}, {"If_Range": etag}):
            answer = get(client, PICO, Accept_Encoding=accepted, Range=range_, **more)
            assert answer.status_code == 200
            assert "Content-Range" not in answer.headers
            assert answer.headers["Accept-Ranges"] == "none"
            assert (gzip.decompress(answer.data) if accepted == "gzip" else answer.data) == content(PICO)


def test_head_says_what_get_would(client: Browser) -> None:
    received, head = (
        ask("/static/hrims.css", headers={"Accept-Encoding": "gzip"}) for ask in (client.get, client.head)
    )
    assert head.data == b""
    for header in ("Content-Length", "Content-Encoding", "ETag", "Content-Type"):
        assert head.headers[header] == received.headers[header]


def test_nothing_else_is_served(client: Browser) -> None:
    outside = (
        "../app.py",
        "%2e%2e/app.py",
        "vendor/README.md",
        "vendor",
        "vendor/",
        "hrims.css/",
        "nothing.css",
    )
    for name in outside:
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 404, name
        assert answer.headers["Cache-Control"] == "no-store"
