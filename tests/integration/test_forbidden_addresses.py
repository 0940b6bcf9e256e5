"""Whatever a URL or a name server says, no webhook makes a connection to a forbidden address: shown at the socket."""

import ipaddress
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from speechcall.outbound.adapters.http_clients import make_client
from speechcall.outbound.rules.address import is_forbidden
from speechcall.prompts.adapters.fetch_audio import AudioFetcher
from speechcall.shared.rules.errors import ForbiddenAddress, SpeechCallError, Unreachable
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.webhook import WebhookRequest
from tests.integration.test_http import Server, serving

PUBLIC = "93.184.216.34"
METADATA = "169.254.169.254"

LITERALS = [
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", METADATA),
    *("169.254.170.2", "100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1"),
]
ODD_LITERALS = [
    *("127.1", "127.0.1", "0", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7F.1", "017700000001"),
    *("0177.0.0.1", "00000177.0.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xA9.0xFE.0xA9.0xFE"),
    *("3232235521", "0xc0a80001", "169.254.43518", "4294967296", "127.0.0.1%00.example", "127%2e0%2e0%2e1"),
    *("１２７.０.０.１", "127。0。0。1", "①⑥⑨.②⑤④.①⑥⑨.②⑤④", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost。", "ｌｏｃａｌｈｏｓｔ"),
]
V6_LITERALS = [
    *("::1", "::", "::ffff:127.0.0.1", f"::ffff:{METADATA}", "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:10.0.0.1"),
    *("::ffff:0:10.0.0.1", "::127.0.0.1", f"64:ff9b::{METADATA}", "64:ff9b::a00:1", "64:ff9b:1::a9fe:a9fe"),
    *("2002:a9fe:a9fe::1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1", "fe80::1%25lo"),
    *("fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "fec0::1", "5f00::1", "100::1", "3fff::1", "2001:db8::1"),
]
NAMES = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "metadata.google.internal": [METADATA],
    "instance-data.ec2.internal": [METADATA],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "internal.example": ["10.0.0.5"],
    "vpc.example": ["fd12:3456::1"],
    "one-of-two.example": [PUBLIC, "10.0.0.5"],
    "six-beside-four.example": [PUBLIC, "::1"],
    "mapped.example": [f"::ffff:{METADATA}"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "scoped.example": ["fe80::1%lo"],
    "everything.example": ["0.0.0.0"],
}
TRICKS = [
    f"http://user:secret@{METADATA}/",
    f"http://public.example@{METADATA}/",
    f"http://public.example:80@{METADATA}/",
    f"http://{METADATA}#@public.example/",
    f"http://{METADATA}?@public.example/",
    f"http://public.example\\@{METADATA}/",
    f"http://{METADATA}\t/",
    f"http://{METADATA}:443@public.example:22/",
    f"http:{METADATA}/",
    f"http:///{METADATA}/",
    f"//{METADATA}/",
    f"gopher://{METADATA}/",
    "file:///etc/passwd",
    "http://[::1]@public.example/",
    "http://[::1%25lo]:80/",
    "http://[::1",
    "http://public.example:25/",
    "http://public.example:22/",
    "http://public.example:6379/",
    "http://public.example:11211/",
    "http://user@public.example/",
]
HOSTILE = [
    *(f"http://{host}/latest/meta-data/" for host in (*LITERALS, *ODD_LITERALS, *NAMES)),
    *(f"https://{host}/" for host in (METADATA, "127.0.0.1", "internal.example", "mapped.example")),
    *(f"http://[{host}]/" for host in V6_LITERALS),
    *(f"http://{METADATA}:{port}/" for port in (80, 8080, 1338)),
    *TRICKS,
]


class Sockets:
    """Every connection that the process asks its system for, as Python's own audit hook tells."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if self.asked is None or event != "socket.connect" or not isinstance(given[1], tuple):
            return
        self.asked.append((given[1][0], given[1][1]))
        if not ipaddress.ip_address(given[1][0].partition("%")[0]).is_loopback:
            raise ConnectionRefusedError("nothing leaves this machine in a test")


SOCKETS = Sockets()


@pytest.fixture
def asked() -> Iterator[list[tuple[str, int]]]:
    SOCKETS.asked = []
    yield SOCKETS.asked
    SOCKETS.asked = None


@pytest.fixture
def names(monkeypatch):
    """What the name servers say: NAMES, and what a test puts there. Addresses in any form are read by the system."""
    real = socket.getaddrinfo
    told: dict[str, Any] = {**NAMES, "public.example": [PUBLIC]}

    def getaddrinfo(host, port, *_, **__):
        try:
            return real(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except OSError:
            pass
        answers = told.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        found = answers.pop(0) if answers and isinstance(answers[0], list) else answers
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return told


@pytest.fixture(scope="module")
def client():
    with make_client("", 2.0) as made:
        yield made


def post(client, url):
    return WebhookSender(client)(WebhookRequest(url, (("Content-Type", "application/json"),), b"{}"))


def test_the_table_has_sixty_and_more():
    assert len(set(HOSTILE)) >= 100


@pytest.mark.parametrize("url", HOSTILE)
def test_no_connection_is_made(url, client, names, asked):
    with pytest.raises((ForbiddenAddress, Unreachable)):
        post(client, url)
    with pytest.raises(SpeechCallError):
        AudioFetcher(client)(url, None, None)
    assert asked == []


@pytest.mark.parametrize("url", ["http://public.example/", "https://public.example:8443/a", f"http://{PUBLIC}/"])
def test_a_public_address_is_connected_to_so_that_the_table_can_fail(url, client, names, asked):
    with pytest.raises(Unreachable, match="CONNECTION_REFUSED"):
        post(client, url)
    assert [address for address, _ in asked] == [PUBLIC]


def test_a_name_that_changes_between_the_check_and_the_connection(client, names, asked):
    # Given a name server that says a public address first, and this machine's ever after
    names["rebind.example"] = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]]
    # When a webhook goes there, then it goes where the check has looked
    with pytest.raises(Unreachable):
        post(client, "http://rebind.example/")
    assert asked == [(PUBLIC, 80)]
    # And the next attempt is checked anew
    with pytest.raises(ForbiddenAddress):
        post(client, "http://rebind.example/")
    assert asked == [(PUBLIC, 80)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_chain_of_redirects_ends_at_its_first_link(status, asked):
    with (
        serving(Server()) as inner,
        serving(Server(status=status, headers={"Location": inner.url()})) as outer,
        make_client("loopback", 2.0) as client,
    ):
        assert post(client, outer.url()).status == status
        assert len(outer.seen) == 1
        assert inner.seen == []
    assert [port for _, port in asked] == [outer.port]


@pytest.mark.parametrize("location", ["http://[::1", "http://user@127.0.0.1/", "file:///etc/passwd", "//[", "http://"])
def test_audio_that_was_moved_to_where_nothing_can_be_is_unavailable(location):
    with (
        serving(Server(status=302, headers={"Location": location})) as server,
        make_client("loopback", 2.0) as client,
        pytest.raises(SpeechCallError),
    ):
        AudioFetcher(client)(server.url(), None, None)


@pytest.mark.parametrize("literal", [*LITERALS, *(host.replace("%25", "%") for host in V6_LITERALS)])
def test_every_literal_of_the_table_is_one_that_the_list_forbids(literal):
    assert is_forbidden(ipaddress.ip_address(literal.partition("%")[0]))
