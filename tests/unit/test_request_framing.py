"""Where a request ends: the event loop and gunicorn's parser agree, however the bytes arrive."""

import itertools

import pytest
from gunicorn.config import Config
from gunicorn.http import errors, get_parser
from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.cli.gunicorn_framing import MAX_HEAD, HeadTooLarge, RequestBuffer, RequestBytes

MAX_BODY = 1000

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

names = st.sampled_from(["Content-Length", "content-LENGTH", "Transfer-Encoding", "Expect", "X-A", "Host"])
values = st.sampled_from(
    ["0", "5", "+5", "5, 5", "0x5", " 5 ", "999", "9" * 30, "chunked", "Chunked", "gzip, chunked", "identity"]
)
bodies = st.sampled_from(
    [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"zz\r\n", b"5;a=b\r\n"]
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return a valid request."""
    body = draw(st.binary(max_size=MAX_BODY))
    if not draw(st.booleans()):
        return POST + b"Content-Length: %d\r\n\r\n" % len(body) + body if body else POST + b"\r\n"
    size = draw(st.integers(1, 300))
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    trailers = draw(st.sampled_from([b"", b"X-Sum: 1\r\n"]))
    return (
        CHUNKED
        + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
        + b"0\r\n"
        + trailers
        + b"\r\n"
    )


def take_all(content: bytes, cuts: list[int]) -> list[RequestBytes]:
    """Return the requests that a buffer finds if the bytes arrive in these pieces."""
    buffer, found = RequestBuffer(MAX_BODY), []
    edges = [0, *sorted(cut % (len(content) + 1) for cut in cuts), len(content)]
    for begin, end in itertools.pairwise(edges):
        buffer.add(content[begin:end])
        while request := buffer.take():
            found.append(request)
    return found


@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
def test_it_finds_each_request_however_its_bytes_arrive(sent: list[bytes], cuts: list[int]) -> None:
    assert take_all(b"".join(sent), cuts) == [RequestBytes(request, False) for request in sent]


@settings(max_examples=1000)
@given(st.lists(st.tuples(names, values), max_size=4), bodies, bodies)
def test_gunicorn_reads_no_further_and_leaves_nothing(
    headers: list[tuple[str, str]], body: bytes, more: bytes
) -> None:
    """Otherwise a part of one request could pass as the next one."""
    head = b"POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers).encode()
    for request in take_all(head + b"\r\n" + body + more, []):
        parser = get_parser(Config(), iter([request.content]), ("127.0.0.1", 1))
        try:
            message = next(parser)
            message.body.read()
        except (errors.ParseException, StopIteration):
            return  # the connection is closed
        except errors.NoMoreData:
            assert request.is_cut
            return
        if request.is_cut or message.should_close():
            return
        assert parser.unreader.read() == b""


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_any_bytes_are_handed_over_or_kept(content: bytes, cuts: list[int]) -> None:
    taken = b"".join(request.content for request in take_all(content, cuts))
    assert content.startswith(taken)


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 1001\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + b"Transfer-Encoding: gzip\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"3e9\r\n" + b"a" * 1001,
        CHUNKED + b"1" * 9000,
        CHUNKED + b"1\r\na\r\n" * 1001,
        CHUNKED + b"1" + b";x" * 2000 + b"\r\na\r\n" + (b"1" + b";x" * 2000 + b"\r\na\r\n") * 5,
        CHUNKED + b"0\r\n" + b"x" * (MAX_HEAD + 1),
    ],
)
def test_a_body_that_is_too_large_or_malformed_is_cut(request_: bytes) -> None:
    buffer = RequestBuffer(MAX_BODY)
    buffer.add(request_)
    assert buffer.take() == RequestBytes(request_, True)


@pytest.mark.parametrize("head", [b"x" * (MAX_HEAD + 1), POST + b"X: y\r\n" * 12_000 + b"\r\n"])
def test_a_head_that_is_too_large_is_an_error(head: bytes) -> None:
    buffer = RequestBuffer(MAX_BODY)
    buffer.add(head)
    with pytest.raises(HeadTooLarge):
        buffer.take()


@pytest.mark.parametrize(
    ("version", "body", "expected"), [("1.1", b"", True), ("1.0", b"", False), ("1.1", b"hello", False)]
)
def test_a_client_that_waits_for_it_is_told_to_continue_once(
    version: str, body: bytes, expected: bool
) -> None:
    buffer = RequestBuffer(MAX_BODY)
    head = f"POST / HTTP/{version}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    buffer.add(head.encode() + body)
    assert bool(buffer.take()) is bool(body)
    assert [buffer.take_continue(), buffer.take_continue()] == [expected, False]
