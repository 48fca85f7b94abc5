"""Which addresses may be asked: none of this machine, of the networks around it, or of no single machine."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.addresses import AddressRefused
from hrims.webhooks.delivery import addresses
from hrims.webhooks.delivery.addresses import (
    is_evidently_private,
    is_public,
    is_unicast,
    parse,
)

NEVER = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4",
]  # fmt: skip
NEVER_6 = [
    "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "3fff::/20",
    "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
]  # fmt: skip

private = st.sampled_from(NEVER).flatmap(lambda part: st.ip_addresses(network=part))
private_6 = st.sampled_from(NEVER_6).flatmap(lambda part: st.ip_addresses(network=part))


def mapped(ip: ipaddress.IPv4Address, prefix: str) -> ipaddress.IPv6Address:
    """Return an IPv4 address inside an IPv6 one."""
    return ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) + int(ip))


@given(private)
def test_private_addresses_are_refused_in_every_notation(ip: ipaddress.IPv4Address) -> None:
    assert not is_public(ip)
    assert not is_public(mapped(ip, "::ffff:0:0"))
    assert not is_public(mapped(ip, "64:ff9b::"))
    assert not is_public(ipaddress.IPv6Address((0x2002 << 112) + (int(ip) << 80)))
    assert is_evidently_private(str(ip))
    assert is_evidently_private(str(int(ip)))
    assert is_evidently_private(hex(int(ip)))


@given(private_6)
def test_nor_one_of_ipv6(ip: ipaddress.IPv6Address) -> None:
    assert not is_public(ip)
    assert is_evidently_private(str(ip))


@given(st.ip_addresses(v=4))
def test_only_global_addresses_are_allowed(ip: ipaddress.IPv4Address) -> None:
    assert is_public(ip) <= ip.is_global
    assert is_public(mapped(ip, "::ffff:0:0")) == is_public(ip)


@pytest.mark.parametrize(
    "ip", ["8.8.8.8", "196.41.57.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_those_of_the_internet_may(ip: str) -> None:
    assert is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "::1", "fd00::1", "8.8.8.8"])
def test_the_setting_allows_every_machine(ip: str) -> None:
    assert is_unicast(ipaddress.ip_address(ip))
    assert addresses.ip_rule(private=True)(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ["224.0.0.1", "0.0.0.0", "ff02::1", "::"])  # noqa: S104 - refused
def test_but_nothing_that_is_no_machine(ip: str) -> None:
    assert not is_unicast(ipaddress.ip_address(ip))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.1", "0x7f.1", "017700000001"]
)
def test_odd_ways_to_say_this_machine(host: str) -> None:
    assert is_evidently_private(host)


@pytest.mark.parametrize("host", ["receiver.example", "8.8.8.8", "localhost.example", "10.example"])
def test_names_are_not_guessed_at(host: str) -> None:
    assert not is_evidently_private(host)


@pytest.mark.parametrize(
    "url",
    [
        "", "receiver.example/hook", "ftp://receiver.example", "https://", "https:///hook",
        "https://user:s3cret@receiver.example", "https://@receiver.example", "https://receiver.example:99999",
        "https://receiver.example:0", "https://a b.example", "https://receiver.example/\n", "https://[::1",
        "https://receiver.example/" + "x" * 2000, "file:///etc/passwd", "https://" + "ü" * 80 + ".example",
    ],
)  # fmt: skip
def test_an_invalid_address_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse(url)
    assert "s3cret" not in str(refused.value)


@given(st.text())
def test_no_text_whatever_breaks_it(text: str) -> None:
    for url in (text, f"https://{text}", f"https://receiver.example/{text}"):
        try:
            parsed = parse(url)
        except AddressRefused:
            continue
        assert parsed.host
        is_evidently_private(parsed.host)


def test_a_name_in_another_script_is_taken_by_its_ascii_name() -> None:
    assert parse("https://bücher.example:8443/x").host == "xn--bcher-kva.example"
    assert parse("https://receiver.example").port == 443
    assert parse("http://receiver.example:8080/x?y=1").port == 8080


def test_a_host_is_named_as_requests_name_it() -> None:
    assert parse("https://Receiver.Example:443/x").name == "receiver.example"
    assert parse("http://receiver.example:443/x").name == "receiver.example:443"
    assert parse("http://[2606:4700::1111]:8080/").name == "[2606:4700::1111]:8080"
    assert parse("https://bücher.example").name == "xn--bcher-kva.example"


async def test_one_private_address_among_several_refuses_the_name() -> None:
    async def look_up(host: str, port: int) -> list[str]:
        return ["8.8.8.8", "10.0.0.1"]

    with pytest.raises(AddressRefused, match="HRIMS_WEBHOOK_PRIVATE"):
        await addresses.resolve_allowed(parse("https://receiver.example"), is_public, look_up)


async def test_a_name_that_is_not_found_is_refused() -> None:
    async def look_up(host: str, port: int) -> list[str]:
        raise OSError

    with pytest.raises(AddressRefused, match="cannot be found"):
        await addresses.resolve_allowed(parse("https://receiver.example"), is_public, look_up)
