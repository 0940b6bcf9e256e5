"""The file behind an introUrl: from a real host over a real connection, within its bounds."""

import gzip
import socket
import struct
import threading
import time
import tracemalloc
import zlib
from functools import cache

import pytest

from speechcall.outbound.adapters.http_clients import make_client
from speechcall.prompts.adapters import fetch_audio as adapter
from speechcall.prompts.adapters.fetch_audio import AudioFetcher
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.wav import wav_file
from speechcall.prompts.use_cases.prompt_sources import Fetched
from speechcall.shared.rules.errors import PromptUnavailable, PromptUnreachable
from tests.kit.audio_host import audio_host

WAV = wav_file(bytes(range(256)) * 4, Encoding.MU_LAW)


@pytest.fixture
def host():
    with audio_host() as running:
        yield running


@cache
def client(receiver):
    """To make one takes longer than most of what is done with it."""
    return make_client(receiver)


@pytest.fixture(scope="module", autouse=True)
def clients():
    yield
    for receiver in ("loopback", ""):
        client(receiver).close()
    client.cache_clear()


def fetch(url, etag=None, last_modified=None, receiver="loopback", **settings):
    if not settings:
        return AudioFetcher(client(receiver))(url, etag, last_modified)
    with make_client(receiver, **settings) as other:
        return AudioFetcher(other)(url, etag, last_modified)


def test_the_file_is_had_with_what_tells_whether_it_has_changed(host):
    host.put("/a.wav", b"RIFF" + b"\0" * 100_000, ETag='"v1"', Last_Modified="Mon, 23 Nov 2026 00:00:00 GMT")
    fetched = fetch(host.url())
    assert fetched == Fetched(b"RIFF" + b"\0" * 100_000, '"v1"', "Mon, 23 Nov 2026 00:00:00 GMT")
    assert host.asked[0][1]["accept-encoding"] == "identity"
    assert fetch(host.url(), fetched.etag, fetched.last_modified) == Fetched(None, '"v1"', fetched.last_modified)
    assert host.asked[1][1]["if-modified-since"] == "Mon, 23 Nov 2026 00:00:00 GMT"
    host.put("/a.wav", b"other", ETag='"v2"')
    assert fetch(host.url(), '"v1"') == Fetched(b"other", '"v2"', None)


@pytest.mark.parametrize("status", [201, 204, 206, 300, 400, 401, 403, 404, 410, 451])
def test_an_answer_that_stays_is_the_reason(host, status):
    host.put("/a.wav", b"", status)
    with pytest.raises(PromptUnavailable, match=f"/a.wav answered {status}"):
        fetch(host.url())


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_answer_that_may_pass_is_asked_for_again(host, status):
    host.put("/a.wav", b"", status)
    with pytest.raises(PromptUnreachable, match=f"/a.wav answered {status}"):
        fetch(host.url())


def test_the_query_is_not_told_for_it_may_hold_secrets(host):
    with pytest.raises(PromptUnavailable) as told:
        fetch(host.url("/a.wav?signature=secret"))
    assert str(told.value) == f"{host.url('/a.wav')} answered 404"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_moved_file_is_followed(host, status):
    host.put("/a.wav", b"", status, Location="/b.wav")
    host.put("/b.wav", b"sound")
    assert fetch(host.url()).content == b"sound"


def test_but_not_for_ever(host):
    host.put("/a.wav", b"", 302, Location="/a.wav")
    with pytest.raises(PromptUnavailable, match="more than 3 redirects"):
        fetch(host.url())
    assert len(host.asked) == 4


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("ftp://example.com/a.wav", "not http"),
        ("http://169.254.169.254/latest/meta-data/", "leads to 169.254"),
        ("http://user:password@example.com/", "holds a user name"),
    ],
)
def test_and_not_to_where_no_introduction_may_lead(host, target, reason):
    host.put("/a.wav", b"", 302, Location=target)
    with pytest.raises(PromptUnavailable, match=reason):
        fetch(host.url())


def test_a_forbidden_address_is_not_asked(host):
    with pytest.raises(PromptUnavailable, match=r"127\.0\.0\.1"):
        fetch(host.url(), receiver="")
    with pytest.raises(PromptUnavailable, match="leads to"):
        fetch(host.url(host="localhost"), receiver="")
    assert host.asked == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.wav", "http://no-such-host.invalid/a.wav"])
def test_a_host_that_cannot_be_reached_may_be_there_later(url):
    with pytest.raises(PromptUnreachable, match="could not be fetched: ConnectError"):
        fetch(url)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "RemoteProtocolError \\(its answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "RemoteProtocolError \\(its answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nRIFF", "RemoteProtocolError .*ended too early"),
        (None, "ReadError \\(the connection broke"),
    ],
)
def test_what_was_wrong_is_said_in_words(answer, reason):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_once, args=(listener, answer), daemon=True)
        thread.start()
        with pytest.raises(PromptUnreachable, match=reason):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/a.wav")
        thread.join(5)


def _answer_once(listener, answer):
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        if answer is None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(answer)


def test_a_compressed_file_that_is_cut_off_is_called_damaged(host):
    host.put("/a.wav", gzip.compress(b"RIFF" * 1000)[:-20], Content_Encoding="gzip")
    with pytest.raises(PromptUnavailable, match=r"compressed \(gzip\).* damaged"):
        fetch(host.url())


@pytest.mark.parametrize("url", ["http://a..b/", "http://"])
def test_what_is_no_url_never_is(url):
    with pytest.raises((PromptUnavailable, PromptUnreachable)):
        fetch(url)


def test_a_large_file_is_refused_before_it_is_read(host, monkeypatch):
    monkeypatch.setattr(adapter, "MAX_BYTES", 1000)
    host.put("/a.wav", b"x" * 1000)
    assert len(fetch(host.url()).content) == 1000
    host.put("/a.wav", b"x" * 1001)
    with pytest.raises(PromptUnavailable, match="more than 1000 bytes"):
        fetch(host.url())


def test_an_endless_file_is_left_at_25_mebibytes(host):
    host.put("/a.wav", None)
    tracemalloc.start()
    with pytest.raises(PromptUnavailable, match="more than 26214400 bytes"):
        fetch(host.url())
    assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    tracemalloc.stop()


def test_a_file_that_trickles_is_left_when_its_time_is_up(host, monkeypatch):
    monkeypatch.setattr(adapter, "TOTAL_SECONDS", 0.3)

    def trickle():
        while not host.over.wait(0.01):
            yield b"x"

    host.put("/a.wav", trickle)
    with pytest.raises(PromptUnreachable, match=r"within 0\.3 s"):
        fetch(host.url(), total_seconds=0.3)


def test_a_compressed_file_is_said_to_be(host):
    host.put("/a.wav", b"\x1f\x8b", Content_Encoding="gzip")
    with pytest.raises(PromptUnavailable, match=r"compressed \(gzip\)"):
        fetch(host.url())


@pytest.mark.parametrize(
    "coding",
    [
        "identity",
        "Identity",
        "",
        "aws-chunked",
        "binary",
        "utf-8",
        "none",
        "audio/mpeg",
        "AWS-Chunked, Identity",
        "br;q=0, x",
    ],
)
def test_a_coding_that_changes_no_byte_changes_nothing(host, coding):
    host.put("/a.wav", WAV, Content_Encoding=coding)
    assert fetch(host.url()).content == WAV


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "aws-chunked,gzip"])
def test_a_file_that_is_not_what_its_coding_says_is_what_its_bytes_are(host, coding):
    host.put("/a.wav", WAV, Content_Encoding=coding)
    assert fetch(host.url()).content == WAV


def raw_deflate(content):
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", gzip.compress(WAV)),
        ("X-GZIP", gzip.compress(WAV[:100]) + gzip.compress(WAV[100:])),
        ("deflate", zlib.compress(WAV)),
        ("Deflate", raw_deflate(WAV)),
        ("aws-chunked, gzip", gzip.compress(WAV)),
        ("deflate, gzip", gzip.compress(zlib.compress(WAV))),
    ],
)
def test_what_was_compressed_all_the_same_is_undone(host, coding, content):
    host.put("/a.wav", content, Content_Encoding=coding)
    assert fetch(host.url()).content == WAV


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("br", b"\x8b\x03\x80RI"),
        ("zstd", b"\x28\xb5\x2f\xfd"),
        ("compress", b"\x1f\x9d\x90"),
        ("gzip", gzip.compress(WAV)[:-100]),
        ("gzip, gzip, gzip, gzip", gzip.compress(WAV)),
        ("gzip, BR", b"\x8b\x03\x80RI"),
    ],
)
def test_what_cannot_be_undone_is_said_to_be(host, coding, content):
    host.put("/a.wav", content, Content_Encoding=coding)
    with pytest.raises(PromptUnavailable, match=r"compressed \([a-z, …]+\)"):
        fetch(host.url())


@pytest.mark.parametrize("odd", ["\xff\xfe", "\x01", "e" * 1001, ""])
def test_what_cannot_be_sent_back_is_not_kept(host, odd):
    host.put("/a.wav", WAV, ETag=odd, Last_Modified=odd)
    assert fetch(host.url()) == Fetched(WAV, None, None)
    # Nor sent, where a version before this one has kept it
    assert fetch(host.url(), odd, odd).content == WAV


def test_a_reason_is_a_sentence_however_long_the_url(host):
    host.put("/a.wav", b"", 302, Location="http://127.0.0.1:1/" + "a" * 30_000)
    with pytest.raises(PromptUnreachable) as told:
        fetch(host.url())
    assert len(str(told.value)) < 300


def test_a_small_file_does_not_become_a_large_one(host, monkeypatch):
    monkeypatch.setattr(adapter, "MAX_BYTES", 1_000_000)
    for content in (gzip.compress(bytes(1_000_001)), gzip.compress(bytes(400_000)) * 3):
        host.put("/a.wav", content, Content_Encoding="gzip")
        with pytest.raises(PromptUnavailable, match="more than 1000000 bytes"):
            fetch(host.url())


# ---------------------------------------------------------- the attempt as a whole
def test_redirects_and_the_file_have_one_time_together(host, monkeypatch):
    monkeypatch.setattr(adapter, "TOTAL_SECONDS", 0.5)

    # Given three moves, each of which takes three fifths of the time that there is
    for number in range(3):
        host.put(f"/{number}", b"", 302, Location=f"/{number + 1}")
    host.put("/3", WAV)
    host.pause_seconds = 0.3
    began = time.monotonic()
    with pytest.raises(PromptUnreachable, match=r"within 0\.5 s"):
        fetch(host.url("/0"))
    assert time.monotonic() - began < 0.9
    assert len(host.asked) == 2


@pytest.mark.parametrize(
    "location",
    [
        "https://xn--a.com/",
        "http://xn--a/",
        "http://a..b/",
        "http://[::1/",
        "http://" + "a" * 64 + ".com/",
        "http://exa mple.com/",
        "http://example.com:99999/",
        "//",
        "http://\u202eexample.com/",
        "http://%zz/",
    ],
)
def test_a_move_to_what_is_no_host_ends_the_attempt_with_a_reason(host, location):
    host.put("/a.wav", b"", 302, Location=location.encode().decode("latin-1"))
    with pytest.raises((PromptUnavailable, PromptUnreachable)):
        fetch(host.url())
