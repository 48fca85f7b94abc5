"""“Test connection” with TLS: each problem of a certificate or a handshake in words, from real servers."""

import asyncio
import re
import ssl
from pathlib import Path

import pytest

from hrims.remote.connection import reach
from tests.remote.checks import check, failure, states
from tests.support.simulated import Simulator
from tests.support.tls import Authority, Script, serve, tls_front


async def test_it_works_with_tls(running: Simulator, authority: Authority) -> None:
    async with tls_front(int(running.url.rpartition(":")[2]), authority.context("localhost")) as port:
        steps = await check(f"https://localhost:{port}")
    assert states(steps) == ["ok"] * 5, steps
    assert steps[2].message.startswith("TLSv1.3; the certificate is valid until ")


async def quiet(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


CERTIFICATES = {
    "expired": ({"days": (-20.0, -1.0)}, r"The certificate expired on \d+ \w+ 20\d\d\. Ask the operators"),
    "future": ({"days": (5.0, 9.0)}, r"The certificate is not valid yet\. It begins on \d+ \w+ 20\d\d\."),
    "ends soon": ({"days": (-5.0, 9.0)}, None),
}


@pytest.mark.parametrize(("made", "words"), CERTIFICATES.values(), ids=list(CERTIFICATES))
async def test_a_certificate_out_of_its_time(
    authority: Authority, running: Simulator, made: dict[str, tuple[float, float]], words: str | None
) -> None:
    context = authority.context("localhost", days=made["days"])
    async with tls_front(int(running.url.rpartition(":")[2]), context) as port:
        steps = await check(f"https://localhost:{port}")
    if words:
        assert re.match(words, failure(steps, "TLS"))
        assert "The clock of this machine says" in steps[2].action
    else:
        assert states(steps) == ["ok", "ok", "warning", "ok", "ok"]
        assert steps[2].action == "Ask the operators of HRIMS to renew it soon."


async def test_a_certificate_for_another_name(authority: Authority) -> None:
    async with serve(quiet, authority.context("hrims.old.example", "10.0.0.7")) as port:
        text = failure(await check(f"https://localhost:{port}"), "TLS")
        assert text.startswith(
            "The certificate is not for localhost, but for hrims.old.example, 10.0.0.7. Use a name of the"
        )
        text = failure(await check(f"https://127.0.0.1:{port}"), "TLS")
        assert text.startswith("The certificate is not for 127.0.0.1, but for hrims.old.example, 10.0.0.7.")


async def test_an_authority_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(Authority(tmp_path, "Another").file))
    stranger = Authority(tmp_path, "Internal Authority")
    async with serve(quiet, stranger.context("localhost")) as port:
        text = failure(await check(f"https://localhost:{port}"), "TLS")
    assert text.startswith(
        "The certificate is from an authority that this machine does not trust. It was issued by Internal "
        "Authority. If it is the right server, install this authority on every machine"
    )


async def test_a_self_signed_certificate(tmp_path: Path) -> None:
    context = Authority(tmp_path).context("localhost", self_signed=True)
    async with serve(quiet, context) as port:
        text = failure(await check(f"https://localhost:{port}"), "TLS")
    assert text.startswith("The certificate is self-signed: no authority confirms it.")
    assert "SSL_CERT_FILE" in text


async def test_a_server_without_tls(running: Simulator) -> None:
    port = running.url.rpartition(":")[2]
    text = failure(await check(f"https://localhost:{port}"), "TLS")
    assert text.startswith(f"localhost answers on port {port} without TLS. Correct the port.")


async def says(data: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        await writer.drain()

    return script


async def test_servers_that_break_tls_off() -> None:
    async with serve(await says(b"")) as port:
        text = failure(await check(f"https://localhost:{port}"), "TLS")
    assert text.startswith("localhost ended the connection during the TLS handshake.") or "failed" in text
    async with serve(quiet) as port:
        text = failure(await check(f"https://localhost:{port}", connect_timeout=0.3), "TLS")
    assert text.startswith("localhost accepted the connection but gave no answer to TLS in 0.3 s.")
    async with serve(await says(b"\x15\x03\x01\x00\x02\x02\x46")) as port:  # the alert protocol_version
        text = failure(await check(f"https://localhost:{port}"), "TLS")
    assert text.startswith("localhost offers only an outdated version of TLS. Ask the operators")


async def test_http_to_another_machine_is_a_warning() -> None:
    message, state, action = reach._describe_plain("10.20.30.40")
    assert (message, state) == ("Not used: credentials and records cross the network unencrypted.", "warning")
    assert "https://" in action


async def test_tls_versions_that_are_outdated(authority: Authority) -> None:
    context = authority.context("localhost")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serve(quiet, context) as port:
        steps = await check(f"https://localhost:{port}", connect_timeout=1, read_timeout=0.5)
    assert steps[2].message.startswith("TLSv1.2; ")
