"""Where connections go: public addresses, the services of the settings, and nowhere else, over real HTTP."""

import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harvest.standin.server import StandIn
from harvest.standin.world import Recorded, World
from linkeddata.addresses import PRIVATE, Gate, is_public
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError

PUBLIC = ["208.80.154.240", "2620:0:862:ed1a::2:b", "::ffff:208.80.154.240", "64:ff9b::d050:9af0"]
PRIVATE_ADDRESSES = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),  # noqa: S104
    *("169.254.169.254", "224.0.0.1", "239.255.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE_ADDRESSES)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0", "localhost", "::1"])
def test_whatever_the_system_makes_of_a_host_is_what_is_checked(host: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Gate().addresses(host, 80)
    assert caught.value.code == PRIVATE


def test_one_private_answer_among_public_ones_is_enough_to_refuse() -> None:
    gate = Gate(resolver=lambda host, port: [PUBLIC[0], "10.0.0.1"])
    with pytest.raises(ServiceError, match=r"plates\.example is 10\.0\.0\.1"):
        gate.addresses("plates.example", 443)


def test_services_of_the_settings_may_be_anywhere_but_only_at_their_port() -> None:
    gate = Gate(["http://Wiki.museum.example:8080/w/api.php"], resolver=lambda host, port: ["10.0.0.1"])
    assert gate.addresses("wiki.museum.example.", 8080) == ["10.0.0.1"]
    with pytest.raises(ServiceError):
        gate.addresses("wiki.museum.example", 22)
    assert Gate(allow_private=True, resolver=lambda host, port: ["10.0.0.1"]).addresses("x", 22) == ["10.0.0.1"]


class Names:
    """A name server of our own: gives its answers one after the other and keeps what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if not self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return self.answers.pop(0)


def _leading(*targets: str) -> tuple[Recorded, ...]:
    return tuple(
        Recorded(path=f"/leads/{place}", params={}, body=b"", status=302, headers={"Location": target})
        for place, target in enumerate(targets)
    )


@pytest.fixture
def inside(stand_in: Callable[[World], StandIn]) -> StandIn:
    """A service of our own network that nobody outside should reach through us."""
    return stand_in(World(recorded=(Recorded(path="/secret", params={}, body=b'"secret"'),)))


@pytest.fixture
def outside(stand_in: Callable[[World], StandIn], inside: StandIn) -> StandIn:
    """A service that the settings name, and that leads elsewhere."""
    port = inside.url.rpartition(":")[2]
    return stand_in(
        World(
            recorded=_leading(
                f"{inside.url}/secret",
                f"http://2130706433:{port}/secret",
                f"http://[::ffff:127.0.0.1]:{port}/secret",
                "file:///etc/passwd",
                "/leads/4",
            )
        )
    )


@pytest.mark.parametrize("place", range(5))
def test_a_redirect_is_checked_like_an_address(outside: StandIn, inside: StandIn, place: int) -> None:
    settings = outside.settings(allow_private=False, contact="x@museum.example")
    with Client(settings) as client, pytest.raises(ServiceError) as caught:
        client.get_bytes(f"{outside.url}/leads/{place}", limit=1000)
    assert not isinstance(caught.value, UnreachableError)
    assert caught.value.code == (PRIVATE if place < 3 else "bad-request")
    assert inside.requests.count() == 0
    assert outside.requests.count() <= 6


def test_files_go_where_all_else_may(outside: StandIn, inside: StandIn, tmp_path: Path) -> None:
    settings = outside.settings(allow_private=False, contact="x@museum.example")
    with Client(settings) as client:
        for url in [f"{inside.url}/secret", *(f"{outside.url}/leads/{place}" for place in range(3))]:
            with pytest.raises(ServiceError) as caught:
                client.download(url, tmp_path / "a", limit=1000)
            assert caught.value.code == PRIVATE
    assert inside.requests.count() == 0


def test_only_the_settings_open_the_way_inside(outside: StandIn, inside: StandIn) -> None:
    settings = outside.settings(allow_private=False, contact="x@museum.example")
    with Client(settings) as client, pytest.raises(ServiceError, match="no public address"):
        client.get_bytes(f"{inside.url}/secret", limit=1000)
    assert inside.requests.count() == 0
    with Client(outside.settings(allow_private=True)) as client:
        assert client.get_bytes(f"{outside.url}/leads/0", limit=1000) == b'"secret"'


def test_a_name_is_resolved_once_and_connected_to_as_it_was_checked(inside: StandIn) -> None:
    url = inside.url.replace("127.0.0.1", "plates.museum.example")
    names = Names(["127.0.0.1"])
    with Client(inside.settings(contact="x@museum.example", tries=1), resolver=names) as client:
        assert client.get_json(f"{url}/secret") == "secret"
        assert client.get_json(f"{url}/secret") == "secret"  # the connection was kept open
    assert names.asked == ["plates.museum.example"]


def test_a_name_that_turns_private_later_is_refused(inside: StandIn) -> None:
    port = inside.url.rpartition(":")[2]
    settings = inside.settings(allow_private=False, contact="x@museum.example", tries=1)
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    with Client(settings, resolver=names) as client:
        for _ in range(2):
            with pytest.raises(ServiceError) as caught:
                client.get_json(f"http://plates.museum.example:{port}/secret")
            assert caught.value.code == PRIVATE
        with pytest.raises(UnreachableError, match="no answer"):
            client.get_json(f"http://plates.museum.example:{port}/secret")
    assert inside.requests.count() == 0


def test_a_file_comes_from_the_address_that_was_checked(inside: StandIn, tmp_path: Path) -> None:
    url = inside.url.replace("127.0.0.1", "plates.museum.example")
    names = Names(["127.0.0.1"])
    with Client(inside.settings(contact="x@museum.example", tries=1), resolver=names) as client:
        for _ in range(2):  # the connection is kept open
            assert client.download(f"{url}/secret", tmp_path / "a", limit=1000).data == b'"secret"'
    assert names.asked == ["plates.museum.example"]


def test_a_file_of_a_name_that_turns_private_is_refused(inside: StandIn, tmp_path: Path) -> None:
    port = inside.url.rpartition(":")[2]
    settings = inside.settings(allow_private=False, contact="x@museum.example", tries=1)
    names = Names(["127.0.0.1"], ["208.80.154.240", "169.254.169.254"])
    with Client(settings, resolver=names) as client:
        for _ in range(2):
            with pytest.raises(ServiceError) as caught:
                client.download(f"http://plates.museum.example:{port}/secret", tmp_path / "a", limit=1000)
            assert caught.value.code == PRIVATE
        with pytest.raises(UnreachableError, match="no answer"):
            client.download(f"http://plates.museum.example:{port}/secret", tmp_path / "a", limit=1000)
    assert inside.requests.count() == 0
