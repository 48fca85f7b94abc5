"""Sending a message over real HTTP: what is answered, where a redirect may lead, which address is asked."""

import socket
import threading
from collections.abc import Iterator

import pytest

from hrims.addresses import AddressRefused, Ip
from hrims.webhooks.delivery import post
from hrims.webhooks.delivery.addresses import is_public, is_unicast
from tests.support.receiver import Receiver

BODY, HEADERS = b'{"type": "webhook.test"}', {"webhook-id": "msg_1"}


def first(ip: Ip) -> bool:
    """Treat only this address as public; the rest of 127.0.0.0/8 is private."""
    return str(ip) == "127.0.0.1"


async def send(url: str, **more: object) -> post.DeliveryAttempt:
    return await post.post(url, BODY, HEADERS, first, **more)  # type: ignore[arg-type] # what a test gives


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


async def test_it_works(receiver: Receiver) -> None:
    tried = await send(f"{receiver.url}?key=1")
    assert (tried.status, tried.error, tried.delivered) == (204, None, True)
    [received] = receiver.all
    assert (received.path, received.body, received.headers["webhook-id"]) == ("/hook?key=1", BODY, "msg_1")
    assert received.headers["content-type"] == "application/json"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [300, 303, 304, 400, 404, 410, 429, 500, 503])
async def test_everything_but_2xx_has_failed_and_says_so(status: int) -> None:
    with Receiver(status) as receiver:
        tried = await send(receiver.url)
    assert (tried.status, tried.delivered) == (status, False)
    assert tried.error
    assert str(status) in tried.error


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_takes_the_whole_message_along(status: int) -> None:
    with Receiver() as there, Receiver((status, there.url)) as here:
        assert (await send(here.url)).delivered
        assert (there.all[0].body, there.all[0].headers["webhook-id"]) == (BODY, "msg_1")


async def test_a_redirect_to_a_private_address_is_refused() -> None:
    with Receiver(address="127.0.0.2") as inside, Receiver((307, inside.url)) as here:
        tried = await send(here.url)
        assert (tried.status, inside.all) == (None, [])
    assert tried.error
    assert "private" in tried.error


async def test_a_relative_redirect_leads_to_the_same_host() -> None:
    with Receiver((308, "/other")) as here:
        assert (await send(here.url)).delivered
        assert [received.path for received in here.all] == ["/hook", "/other"]


async def test_redirects_end() -> None:
    with Receiver() as here:
        here.answers = [(307, here.url)] * 10
        tried = await send(here.url)
        assert len(here.all) == 1 + post.MAX_REDIRECTS
    assert tried.error == "The receiver sent the message on more than 3 times."


@pytest.mark.parametrize(
    "onward", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://[", "http://u:p@127.0.0.1/"]
)
async def test_a_redirect_to_what_is_no_web_address_is_refused(onward: str) -> None:
    with Receiver((307, onward)) as here:
        assert not (await send(here.url)).delivered
        assert len(here.all) == 1


@pytest.mark.parametrize(
    "location", ["http://receiver.example/hook", "HTTP://other.example", "ftp://x.example"]
)
def test_no_redirect_leads_out_of_https(location: str) -> None:
    for url in ("https://receiver.example/hook", "HTTPS://receiver.example/hook"):
        with pytest.raises(AddressRefused, match="open address"):
            post.redirect_target(url, location)


def test_other_redirects_lead_where_they_say() -> None:
    assert post.redirect_target("https://a.example/x/y", "z?k=1") == "https://a.example/x/z?k=1"
    assert post.redirect_target("https://a.example/x", "//b.example/") == "https://b.example/"
    assert post.redirect_target("http://a.example/x", "https://a.example/x") == "https://a.example/x"


async def test_a_name_is_looked_up_once_and_means_another_machine_afterwards(receiver: Receiver) -> None:
    """DNS rebinding: the second answer would be a private address."""
    with Receiver(address="127.0.0.2") as inside:
        answers = [["127.0.0.1"], ["127.0.0.2"]]

        async def look_up(host: str, port: int) -> list[str]:
            assert host == "receiver.example"
            return answers.pop(0)

        tried = await send(f"http://receiver.example:{receiver.port}/hook", look_up=look_up)
        assert (tried.delivered, len(answers), inside.all) == (True, 1, [])
    assert receiver.all[0].headers["host"] == f"receiver.example:{receiver.port}"


async def test_a_name_of_a_private_address_is_refused(receiver: Receiver) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["127.0.0.2"]

    tried = await send(f"http://receiver.example:{receiver.port}/hook", look_up=look_up)
    assert (tried.status, receiver.all) == (None, [])
    assert tried.error
    assert "HRIMS_WEBHOOK_PRIVATE" in tried.error


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"]
)
async def test_loopback_is_refused_under_every_name(receiver: Receiver, host: str) -> None:
    tried = await post.post(f"http://{host}:{receiver.port}/hook", BODY, HEADERS, is_public)
    assert (tried.delivered, receiver.all) == (False, [])


async def test_the_next_address_is_asked_when_one_takes_no_connection(receiver: Receiver) -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["127.0.0.3", "127.0.0.1"]

    url = f"http://receiver.example:{receiver.port}/hook"
    assert (await post.post(url, BODY, HEADERS, is_unicast, look_up)).delivered


async def test_an_unreachable_receiver_is_reported() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        tried = await send(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert tried.error == "The receiver could not be reached: it takes no connection."


async def test_a_silent_receiver_times_out(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "TIMEOUT", 0.3)
    receiver.hold.clear()
    tried = await send(receiver.url)
    assert tried.error == "The receiver gave no answer in 0.3 seconds."
    assert tried.milliseconds >= 250


def speak(response: bytes, heard: list[bytes] | None = None) -> int:
    """Return a port that sends these bytes repeatedly to its first client; record its request."""
    listening = socket.create_server(("127.0.0.1", 0))

    def say() -> None:
        with listening, listening.accept()[0] as there:
            request = there.recv(65536)
            if heard is not None:
                heard.append(request)
            try:
                for _ in range(10_000):
                    there.sendall(response)
            except OSError:
                return

    threading.Thread(target=say, daemon=True).start()
    return int(listening.getsockname()[1])


async def test_an_endless_answer_is_not_read() -> None:
    port = speak(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 65536)
    assert (await send(f"http://127.0.0.1:{port}/")).delivered


@pytest.mark.parametrize("response", [b"SSH-2.0-x\r\n" * 1000, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000])
async def test_a_response_that_is_not_http_is_reported(response: bytes) -> None:
    tried = await send(f"http://127.0.0.1:{speak(response)}/")
    assert tried.error == "The receiver broke the connection off, or what it answered is no HTTP."


async def test_tls_is_asked_for_by_name_though_the_connection_goes_to_an_address() -> None:
    heard: list[bytes] = []
    port = speak(b"no TLS\n", heard)

    async def look_up(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    assert not (await send(f"https://receiver.example:{port}/", look_up=look_up)).delivered
    assert b"receiver.example" in heard[0]
