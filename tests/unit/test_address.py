"""Where a webhook or a prompt may lead."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.outbound.rules.address import is_forbidden, url_problem

PRIVATE = [
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "172.16.0.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
]


@pytest.mark.parametrize(
    "address", [*PRIVATE, "255.255.255.255", "240.0.0.1", "192.88.99.1", "198.18.0.1", "203.0.113.1"]
)
def test_a_v4_address_that_is_not_public_is_forbidden(address):
    assert is_forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PRIVATE)
def test_a_forbidden_v4_address_is_forbidden_in_every_v6_form(address):
    number = int(ipaddress.IPv4Address(address))
    for wrapped in (
        (0xFFFF << 32) + number,  # mapped, ::ffff:a.b.c.d
        number,  # compatible, ::a.b.c.d
        (0xFFFF << 48) + number,  # translated, ::ffff:0:a.b.c.d
        (0x64FF9B << 96) + number,  # NAT64
        (0x64FF9B0001 << 80) + number,  # NAT64, local use
        (0x2002 << 112) + (number << 80),  # 6to4
        (0x20010000 << 96) + (number ^ 0xFFFFFFFF),  # Teredo
    ):
        assert is_forbidden(ipaddress.IPv6Address(wrapped)), ipaddress.IPv6Address(wrapped)


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
    ],
)
def test_a_v6_address_that_is_not_public_is_forbidden(address):
    assert is_forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_a_public_address_is_allowed(address):
    assert not is_forbidden(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_wrapping_changes_nothing(address):
    assert is_forbidden(ipaddress.IPv6Address((0xFFFF << 32) + int(address))) == is_forbidden(address)
    assert is_forbidden(ipaddress.IPv6Address((0x64FF9B << 96) + int(address))) == is_forbidden(address)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://api.example.com/callback/option1",
            "http://api.smsbat.local/gatereq/temp/hook",
            "http://localhost/1",
        ),
        *("HTTPS://EXAMPLE.COM", "https://example.com:8443/a?b=c&d=%20#e", "https://example.com:/", "https://8.8.8.8/"),
        *(
            "https://[2001:4860:4860::8888]:443/",
            "https://пример.укр/гачок?ключ=значення",
            "https://xn--e1afmkfd.xn--j1amh/",
        ),
        *("https://a.b-c_d.example./", "https://1.example/", "https://0x7f.example/", "https://example.com/a@b:c"),
    ],
)
def test_a_url_that_may_be_called(url):
    assert url_problem(url) is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "must begin with"),
        ("example.com/hook", "must begin with"),
        ("//example.com/hook", "must begin with"),
        ("ftp://example.com/", "must begin with"),
        ("file:///etc/passwd", "must begin with"),
        ("javascript:alert(1)", "must begin with"),
        ("http://", "no host"),
        ("http:///a", "no host"),
        ("http:example.com", "no host"),
        ("http://?a", "no host"),
        ("https://user:password@example.com/", "user name or password"),
        ("https://user@example.com/", "user name or password"),
        ("https://@example.com/", "user name or password"),
        ("https://:@example.com/", "user name or password"),
        ("https://example.com:70000/", "port that is not between"),
        ("https://example.com:http/", "port that is not between"),
        ("https://example.com:0/", "port"),
        ("https://[::1/", "is not a URL"),
        ("https://example.com\uff0f/", "is not a URL"),
        (" https://example.com/", "spaces"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/\r\nX-Forged: 1", "control characters"),
        ("https://example.com/\x7f", "control characters"),
        ("https://example.com\\@10.0.0.1/", "backslashes"),
        ("http://127.0.0.1/", "127.0.0.1, which is not a public address"),
        ("http://169.254.169.254/latest/meta-data/", "not a public address"),
        ("http://[::1]/", "not a public address"),
        ("http://[::ffff:10.0.0.1]/", "not a public address"),
        ("http://[64:ff9b::a00:1]/", "not a public address"),
        ("http://[fe80::1%25eth0]/", "not a public address"),
    ],
)
def test_a_url_that_may_not_be_called_is_told_why(url, says):
    assert says in url_problem(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0x7f000001",
        "0x7f.1",
        "2130706433",
        "017700000001",
        "127.0.0.1.",
        "0177.0.0.1",
        "1.2.3.4.5",
        "8.8.8.08",
        "１２７.０.０.１",
        "256.1.1.1",
        "127。0。0。1",
    ],
)
def test_an_address_in_an_odd_form_is_refused(host):
    assert url_problem(f"http://{host}/")


def test_what_is_wrong_with_a_url_never_shows_its_password():
    assert "hunter2" not in url_problem("https://user:hunter2@example.com/")
    assert "hunter2" not in url_problem("https://user:hunter2@exa\uff0fmple.com/")
