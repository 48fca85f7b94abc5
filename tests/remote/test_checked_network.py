"""A client whose address the page names connects only to addresses that HRIMS may have."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from hrims.addresses import AddressRefused
from hrims.errors import RemoteUnreachable
from hrims.remote.client import Remote
from hrims.remote.connection.addresses import may_be_remote, origin_of, parse_address
from hrims.remote.connection.network import CheckedNetwork, Network, PinnedNetwork
from tests.remote.answers import page, person
from tests.remote.servers import answer, settings

REFUSED = [
    "0.0.0.0",  # noqa: S104 - nothing listens on it
    "0.1.2.3", "169.254.0.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1",
    "fec0::1", "ff02::1", "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip

ALLOWED = [
    "10.0.0.7", "127.0.0.1", "172.16.9.9", "192.168.1.1", "100.64.0.1", "41.59.1.1", "::1", "fd12:3456::1",
    "2c0f:f248::1", "::ffff:10.0.0.7", "64:ff9b::a00:7",
]  # fmt: skip


@pytest.mark.parametrize("ip", REFUSED)
def test_what_hrims_never_is(ip: str) -> None:
    assert not may_be_remote(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ALLOWED)
def test_where_hrims_may_be(ip: str) -> None:
    assert may_be_remote(ipaddress.ip_address(ip))


@given(st.ip_addresses(v=4))
def test_no_way_to_write_an_ipv4_address_in_ipv6_opens_it(ip: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + ip.packed)
    nat64 = ipaddress.IPv6Address(ipaddress.ip_address("64:ff9b::").packed[:12] + ip.packed)
    assert may_be_remote(mapped) == may_be_remote(nat64) == may_be_remote(ip)


@pytest.mark.parametrize(
    "text",
    [
        "http://169.254.169.254", "http://169.254.169.254.", "http://[::ffff:a9fe:a9fe]", "http://2852039166",
        "http://0xa9fea9fe", "http://0251.0376.0251.0376", "http://169.254.43518", "http://0",
        "http://[fe80::1%25eth0]", "http://[fd00:ec2::254]:80/x",
    ],
)  # fmt: skip
def test_no_notation_of_a_refused_address_is_taken(text: str) -> None:
    with pytest.raises(AddressRefused, match="HRIMS cannot have"):
        parse_address(text)


def test_an_origin_is_scheme_host_and_port() -> None:
    same = {"https://Hrims.example", "https://hrims.example:443/api", "https://hrims.example./x"}
    assert {origin_of(address) for address in same} == {"https://hrims.example:443"}
    others = {"http://hrims.example", "https://hrims.example:8443", "https://hrims.example.tz"}
    assert not {origin_of(address) for address in others} & {"https://hrims.example:443"}


def remote_of(address: str, network: Network) -> Remote:
    return Remote(settings(connect_timeout=2), base_url=address, network=network)


async def test_it_works(httpserver: HTTPServer) -> None:
    address = answer(httpserver, page(person()))
    async with remote_of(address, CheckedNetwork()) as remote:
        assert (await remote.all_employees(0, 1)).total == 1


async def test_a_name_that_changes_its_address_later_is_not_followed(httpserver: HTTPServer) -> None:
    """The second look-up of DNS rebinding leads to a metadata service. There is no second look-up."""
    port, asked = httpserver.port, 0

    async def look_up(_host: str, _port: int) -> list[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"] if asked == 1 else ["169.254.169.254"]

    answer(httpserver, page(person()))
    async with remote_of(f"http://hrims.example:{port}/api", CheckedNetwork(look_up)) as remote:
        assert (await remote.all_employees(0, 1)).total == 1
        assert asked == 1
    assert httpserver.log[0][0].headers["Host"] == f"hrims.example:{port}"
    async with remote_of(f"http://hrims.example:{port}/api", CheckedNetwork(look_up)) as remote:
        with pytest.raises(RemoteUnreachable, match=r"169\.254\.169\.254, to which hrims\.example leads"):
            await remote.all_employees(0, 1)
    assert len(httpserver.log) == 1


async def test_one_refused_address_of_several_is_enough(httpserver: HTTPServer) -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1", "fe80::1"]

    answer(httpserver, page(person()))
    async with remote_of(f"http://hrims.example:{httpserver.port}/api", CheckedNetwork(look_up)) as remote:
        with pytest.raises(RemoteUnreachable, match="fe80::1"):
            await remote.all_employees(0, 1)
    assert httpserver.log == []


async def test_the_next_address_is_tried(httpserver: HTTPServer) -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.9", "127.0.0.1"]

    answer(httpserver, page(person()))
    async with remote_of(f"http://hrims.example:{httpserver.port}/api", CheckedNetwork(look_up)) as remote:
        assert (await remote.all_employees(0, 1)).total == 1


async def test_a_name_that_is_not_known() -> None:
    async with remote_of("http://hrims.invalid", CheckedNetwork()) as remote:
        with pytest.raises(RemoteUnreachable, match="cannot be reached"):
            await remote.all_employees(0, 1)


async def test_a_pinned_network_asks_no_name_server(httpserver: HTTPServer) -> None:
    answer(httpserver, page(person()))
    pinned = PinnedNetwork("127.0.0.1")
    async with remote_of(f"http://hrims.invalid:{httpserver.port}/api", pinned) as remote:
        assert (await remote.all_employees(0, 1)).total == 1
