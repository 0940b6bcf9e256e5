"""One function makes the host that is sent; what it cannot make is refused where it is given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.outbound.rules.address import Target, target_of, url_problem
from speechcall.outbound.rules.host import MAX_LABEL, MAX_NAME, sent_host
from speechcall.shared.rules.errors import UnusableUrl


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com", "example.com"),
        ("Ｅxample。com", "example.com"),
        ("пример.укр", "xn--e1afmkfd.xn--j1amh"),
        ("ПРИМЕР.УКР", "xn--e1afmkfd.xn--j1amh"),
        ("XN--E1AFMKFD.xn--j1amh", "xn--e1afmkfd.xn--j1amh"),
        ("straße.example", "xn--strae-oqa.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("bü\u00adcher.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("ｂücher．example", "xn--bcher-kva.example"),
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),
        ("r3---sn-4g5e6nze.video.example", "r3---sn-4g5e6nze.video.example"),
        ("bucket--az1--x-s3.example", "bucket--az1--x-s3.example"),
        ("r3---sn.пример.укр", "r3---sn.xn--e1afmkfd.xn--j1amh"),
        ("a_b.пример.укр", "a_b.xn--e1afmkfd.xn--j1amh"),
        ("_acme._tcp.example", "_acme._tcp.example"),
        ("receiver.example.", "receiver.example."),
        ("receiver.example。", "receiver.example."),
        ("receiver", "receiver"),
        ("1.example", "1.example"),
        ("0x7f.example", "0x7f.example"),
        ("8.8.8.8", "8.8.8.8"),
        ("８.８.８.８", "8.8.8.8"),
        ("8。8。8。8", "8.8.8.8"),
        ("[2001:4860:4860:0:0:0:0:8888]", "2001:4860:4860::8888"),
        ("[2001:DB8::A]", "2001:db8::a"),
        (f"{'a' * 63}.example", f"{'a' * 63}.example"),
        (".".join(["a" * 49] * 5) + ".abc", ".".join(["a" * 49] * 5) + ".abc"),
    ],
)
def test_a_host_has_one_form(written, sent):
    assert sent_host(written) == sent
    # … which is its own
    assert sent_host(f"[{sent}]" if ":" in sent else sent) == sent


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("<your-server>", '"<", which no host name can have'),
        ("$HOST", '"$", which'),
        ("{{host}}", '"{", which'),
        ("{host}.example", '"{", which'),
        ("a..b", "nothing between two dots"),
        (".example", "nothing between two dots"),
        ("example..", "nothing between two dots"),
        ("a。。b", "nothing between two dots"),
        (".", "has no name"),
        ("..", "has no name"),
        ("xn--a", "no international name"),
        ("xn--a.com", '"xn--a", that is no international name'),
        ("shop.xn--a.com", "no international name"),
        ("xn--", "no international name"),
        ("xn---bbk.com", "no international name"),
        ("xn--e1afmkfd-.com", "no international name"),
        ("xn--zzzzzzzz99999999.com", "no international name"),
        ("xn--ls8h.la", "no international name"),
        ("💩.la", "no international name"),
        ("ⓐ\u0300\u200d.example", "no international name"),
        ("a\u200db.example", "no international name"),
        ("אa.example", "no international name"),
        ("\u0300a.example", "no international name"),
        ("a\u202a.example", "U+202A"),
        ("a\u2028b.example", "U+2028"),
        ("\ud800.example", "U+D800"),
        ("\uffff.example", "U+FFFF"),
        ("-a.example", "begins or ends with a hyphen"),
        ("a-.example", "begins or ends with a hyphen"),
        ("a.-", "begins or ends with a hyphen"),
        ("ex%61mple.com", '"%", which'),
        ("example.com%00", '"%", which'),
        ("%6c%6f%63%61lhost", '"%", which'),
        ("exam!ple.com", '"!", which'),
        ("a,b.example", '",", which'),
        ("a;b", '";", which'),
        ("a=b", '"=", which'),
        ("a*b.example", '"*", which'),
        ("*.example", '"*", which'),
        ("~user", '"~", which'),
        ("a'b", "which no host name can have"),
        ("(a)", '"(", which'),
        ("a&b.example", '"&", which'),
        ("a+b.example", '"+", which'),
        ('"a"', "which no host name can have"),
        ("a|b", '"|", which'),
        ("a^b", '"^", which'),
        ("`a`", '"`", which'),
        ("a\u00a0b", "which no host name can have"),
        (f"{'a' * 64}.example", "64 characters; at most 63"),
        ("ж" * 60 + ".example", "no international name"),
        (".".join(["a" * 49] * 5) + ".abcd", "254 characters; at most 253"),
        ("a." * 600, "characters; at most 253"),
        ("ж." * 900, "is no host name"),
        ("127.1", "address in its usual form"),
        ("0x7f000001", "address in its usual form"),
        ("2130706433", "address in its usual form"),
        ("0177.0.0.1", "address in its usual form"),
        ("8.8.8.8.", "address in its usual form"),
        ("8.8.8.08", "address in its usual form"),
        ("256.1.1.1", "address in its usual form"),
        ("example.1", "address in its usual form"),
        ("example.0x", "address in its usual form"),
        ("１.２.３.４.５", "address in its usual form"),
        ("[::g]", "its host cannot be read"),
        ("[]", "its host cannot be read"),
        ("[v1.a]", "its host cannot be read"),
        ("[1.2.3.4]", "its host cannot be read"),
        ("[2001:4860::1%25eth0]", "not a public address"),
        ("[2001:4860::1%25eth0]", "a zone (%)"),
    ],
)
def test_what_can_be_no_host_is_told_by_what_is_wrong(host, says):
    with pytest.raises(UnusableUrl) as told:
        sent_host(host)
    assert says in str(told.value)
    assert len(str(told.value)) < 400
    assert str(told.value).isprintable()
    assert url_problem(f"https://{host}/hook")


@given(st.text(max_size=80) | st.text("xn-a.0Жé。\u200d%_[]:", max_size=80))
def test_a_host_is_made_or_refused_and_what_is_made_can_be_looked_up_and_verified(text):
    try:
        sent = sent_host(text)
    except UnusableUrl:
        return
    assert sent.isascii()
    assert sent == sent.lower()
    if ":" not in sent:
        assert sent_host(sent) == sent
        assert len(sent.removesuffix(".")) <= MAX_NAME
        labels = sent.removesuffix(".").split(".")
        assert all(1 <= len(label) <= MAX_LABEL for label in labels)
        # What socket.getaddrinfo and ssl make of a name before they use it
        assert sent.encode("idna")
        assert not labels[-1].isdigit() or len(labels) == 4


@given(st.text(max_size=40))
def test_whatever_stands_in_a_url_it_is_judged_and_never_more_than_that(text):
    for url in (f"https://{text}/", f"https://{text}", f"http://example.com{text}", text):
        problem = url_problem(url)
        assert problem is None or problem.isprintable()
        if problem is None:
            assert url_problem(target_of(url).url) is None


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://Example.COM", Target("https", "example.com", 443, "/")),
        ("https://example.com?a=b", Target("https", "example.com", 443, "/?a=b")),
        ("https://example.com:/?", Target("https", "example.com", 443, "/?")),
        ("HTTP://example.com:0080/a#b", Target("http", "example.com", 80, "/a")),
        ("http://example.com:443/a@b//c", Target("http", "example.com", 443, "/a@b//c")),
        ("https://пример.укр:8443/гачок?ключ", Target("https", "xn--e1afmkfd.xn--j1amh", 8443, "/гачок?ключ")),
        ("https://[2001:4860:4860::8888]:8443/", Target("https", "2001:4860:4860::8888", 8443, "/")),
        ("https://shop.example./#", Target("https", "shop.example.", 443, "/")),
    ],
)
def test_a_url_is_taken_apart(url, target):
    assert target_of(url) == target
    assert target_of(target.url) == target


@pytest.mark.parametrize(
    "url",
    [
        "https://[2001:4860:4860::8888]x/",
        "https://x[2001:4860:4860::8888]/",
        "https://[2001:4860:4860::8888]:443:443/",
        "https://a:1:2/",
        "https://[[::1]]/",
        "https://example.com:-1/",
        "https://example.com:٨٠/",
        "https://example.com:99999999999999999999/",
    ],
)
def test_an_authority_that_can_be_read_in_two_ways_is_not_read(url):
    with pytest.raises(UnusableUrl):
        target_of(url)


# ------------------------------------------------------------------- loopback
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/",
        "http://127.8.7.6:9000/",
        "http://[::1]:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://localhost:81/",
        "http://127.0.0.1:25/",
    ],
)
def test_this_machine_is_allowed_where_that_is_said_and_only_there(url):
    assert url_problem(url, allow_loopback=True) is None
    assert url_problem(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://[fe80::1]/",
        "http://0.0.0.0/",
        "http://127.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://example.com:25/",
        "http://localhost.example:25/",
    ],
)
def test_where_this_machine_is_allowed_nothing_else_is(url):
    assert url_problem(url, allow_loopback=True)
