"""The file behind an introUrl, by HTTP, through the guard of every customer's URL."""

import re
import time
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

import httpx

from speechcall.outbound.adapters.http_clients import TOTAL_SECONDS, GuardedClient
from speechcall.outbound.rules.address import is_url
from speechcall.prompts.adapters.content_coding import Damaged, StillCoded, TooMuch, decoded
from speechcall.prompts.use_cases.prompt_sources import Fetched
from speechcall.shared.rules.errors import ForbiddenAddress, PromptUnavailable, PromptUnreachable

MAX_REDIRECTS, MAX_LOCATION = 3, 8192
MAX_BYTES = 25 * 1024 * 1024
MOST_SHOWN = 200
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,1000}")
_PASSING = {408, 425, 429}
_REDIRECTS = {301, 302, 303, 307, 308}
_IN_WORDS = {
    httpx.ConnectError: "no connection can be made, or TLS does not come about on it",
    httpx.RemoteProtocolError: "its answer is not HTTP, or ended too early",
    httpx.NetworkError: "the connection broke",
}
"""The first that fits."""


class AudioFetcher:
    """Fetches with a client of `make_client`, so that every host, redirected to or not, is checked."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def __call__(self, url: str, etag: str | None, last_modified: str | None) -> Fetched:
        """The file: at most 25 MiB, within 10 s, redirected at most three times; no content if it is still the same.

        The 10 s are those of the attempt as a whole: look-ups of names, connections, redirects and the file itself.
        Raises PromptUnavailable, and PromptUnreachable for what may pass: no connection, no answer in time, 408, 425,
        429 and 5xx. The sentences name the URL without its query, which may hold secrets.
        """
        headers = {"Accept-Encoding": "identity"}  # the audio as it is; it is compressed already
        if etag and _VALIDATOR.fullmatch(etag):
            headers["If-None-Match"] = etag
        if last_modified and _VALIDATOR.fullmatch(last_modified):
            headers["If-Modified-Since"] = last_modified
        deadline = time.monotonic() + TOTAL_SECONDS
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(url, headers, deadline)
            if isinstance(answer, Fetched):
                return answer
            url = answer
        raise PromptUnavailable(f"{_shown(url)} is behind more than {MAX_REDIRECTS} redirects")

    def _ask(self, url: str, headers: dict[str, str], deadline: float) -> Fetched | str:
        """The file, or the URL to which it was moved. Raises as `__call__`. `deadline`: by `time.monotonic`."""
        request = self._request(url, headers)
        try:
            response = self._client.exchange(request, deadline - time.monotonic())
            try:
                return _read(response, url)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            text = f"{_shown(url)} did not give its file within {TOTAL_SECONDS:g} s"
            raise PromptUnreachable(text) from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, ForbiddenAddress) as error:
            raise PromptUnavailable(f"{_shown(url)} cannot be fetched: {error}") from error
        except httpx.HTTPError as error:
            raise PromptUnreachable(f"{_shown(url)} could not be fetched: {_word(error)}") from error

    def _request(self, url: str, headers: dict[str, str]) -> httpx.Request:
        """The request for a file. Raises PromptUnavailable for a URL that can never be asked for."""
        try:
            return self._client.build_request("GET", url, headers=headers)
        except ForbiddenAddress as error:
            raise PromptUnavailable(f"{_shown(url)} cannot be fetched: {error}") from error
        except Exception as error:  # whatever a URL leads the libraries to, it can never be asked for
            reason = str(error) if isinstance(error, httpx.InvalidURL) else "it is no URL that can be asked for"
            raise PromptUnavailable(f"{_shown(url)} cannot be fetched: {reason}") from error


def _read(response: httpx.Response, url: str) -> Fetched | str:
    """What a host has answered: the audio, that it is unchanged (no content), or the URL to which it was moved.

    Raises PromptUnreachable where another try may help, PromptUnavailable where none does.
    """
    status = response.status_code
    if status in _REDIRECTS and "location" in response.headers:
        return _moved(url, str(response.headers["location"]))
    validators = (_validator(response, "etag"), _validator(response, "last-modified"))
    if status == 304:
        return Fetched(None, *validators)
    if status in _PASSING or status >= 500:
        raise PromptUnreachable(f"{_shown(url)} answered {status}")
    if status != 200:
        raise PromptUnavailable(f"{_shown(url)} answered {status}")
    too_much = f"{_shown(url)} has more than {MAX_BYTES} bytes"
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BYTES:
        raise PromptUnavailable(too_much)
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise PromptUnavailable(too_much)
    try:
        whole = decoded(bytes(content), response.headers.get("content-encoding", ""), MAX_BYTES)
    except TooMuch:
        raise PromptUnavailable(too_much) from None
    except StillCoded as coding:
        damaged = ", and it is damaged" if isinstance(coding, Damaged) else ""
        text = f"{_shown(url)} sent its file compressed ({coding}), although it was asked not to{damaged}"
        raise PromptUnavailable(text) from None
    return Fetched(whole, *validators)


def _validator(response: httpx.Response, name: str) -> str | None:
    """What can be sent back, to be asked whether the file has changed; None for what a request cannot carry."""
    value = response.headers.get(name)
    return value if value and _VALIDATOR.fullmatch(value) else None


def _moved(url: str, location: str) -> str:
    """The URL to which a redirect leads; its address is checked when it is connected to. Raises PromptUnavailable for
    one that cannot be asked for.
    """
    # `urlsplit` brings letters that are not ASCII into one form, in a time that grows with the square of their number.
    if len(location) > MAX_LOCATION and not location.isascii():
        raise PromptUnavailable(f"{_shown(url)} leads to a URL of more than {MAX_LOCATION} characters")
    target = ""
    with suppress(ValueError):  # a host that cannot be read
        target = urljoin(url, location)
        usable = is_url(target) and urlsplit(target).username is None
        target = target if usable else ""
    if not target:
        raise PromptUnavailable(f"{_shown(url)} leads to a URL that is not http(s), or holds a user name")
    return target


def _word(error: httpx.HTTPError) -> str:
    said = next((words for kind, words in _IN_WORDS.items() if isinstance(error, kind)), "")
    return f"{type(error).__name__} ({said})" if said else type(error).__name__


def _shown(url: str) -> str:
    """A URL as errors name it: without its query, and only the beginning of a long one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"
