"""The API of a deployment, for commands of a customer: `--url`, and the key in SPEECHCALL_KEY. Nothing of AWS."""

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from cli.exit_codes import FAILED, REFUSED, UNKNOWN
from cli.failures import Refusal

KEY = "SPEECHCALL_KEY"
"""The key is taken from here alone: an option would be in the list of processes."""
TRIES = 5
NOT_OURS = "what answers there is not SpeechCall"
LONGEST_WAIT = 120.0
"""Seconds that the API may ask to be waited for."""
SAME_EACH_TIME = frozenset({200, 400, 413, 415, 422})
"""Answers that tell of the tries before them, too: a repeat of what was done is answered as that was, and what is wrong
with the request itself was wrong at first. Any other status (401, 403, 404, 409, 429) is of the moment, or comes from
before SpeechCall has looked: an earlier try may have been carried out all the same."""
Url = Annotated[str, typer.Option("--url", envvar="SPEECHCALL_URL", metavar="URL", help="Of the API.")]


class Stopped(Refusal):
    """A command comes to its end here: the sentence, and the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class Api:
    """Asks; repeats what may be repeated. All that is asked here may be: a question, a cancellation, what has a key."""

    def __init__(self, url: str, http: httpx.Client, sleep: Callable[[float], object] = time.sleep) -> None:
        self._url, self._http, self._sleep = url.rstrip("/"), http, sleep

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        *,
        has: str,
        query: Mapping[str, str] | None = None,
        key: str = "",
        changes: bool = False,
    ) -> tuple[int, Any]:
        """Asks, and returns the answer's status (200, 400 or 403) and its JSON.

        `has`: the member by which a 200 is known to come from SpeechCall. `key`: the Idempotency-Key; empty: none.
        `changes`: the request changes something and has no such key. With either, a try that was not answered, or with
        5xx, may have been carried out: then the status of Stopped is UNKNOWN, whatever came after it, unless that is in
        SAME_EACH_TIME.

        Raises Stopped for any other status, for what is no JSON, and for a 200 without `has`.
        """
        response, is_lost = self._response(method, path, content, query, key, is_open=changes or bool(key))
        try:
            answer = response.json()
        except ValueError as error:
            raise Stopped(NOT_OURS, UNKNOWN if is_lost else FAILED) from error
        if response.status_code == 200 and not (isinstance(answer, dict) and has in answer):
            raise Stopped(NOT_OURS, UNKNOWN if is_lost else FAILED)
        return response.status_code, answer

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """The text that is answered to GET. Raises Stopped for any status but 200."""
        response, _ = self._response("GET", path, None, query, "", is_open=False)
        if response.status_code != 200:
            raise Stopped(f"the API answers {response.status_code}: {_sentence(response)}", REFUSED)
        return response.content.decode()

    def _response(
        self, method: str, path: str, content: bytes | None, query: Mapping[str, str] | None, key: str, *, is_open: bool
    ) -> tuple[httpx.Response, bool]:
        """The answer to a request, if it is 200, 400 or 403, and whether an earlier try may have been carried out.

        No answer, 5xx and 429 are tried again, TRIES times in all; not a 429 that asks to wait for longer than
        LONGEST_WAIT. `key`: the Idempotency-Key; empty: none. `is_open`: after no answer or 5xx it is not known whether
        the request was carried out. Raises Stopped with what came last; for a 403 as well, if it is not known then.
        """
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        told, status, is_lost = "", FAILED, False
        for tried in range(1, TRIES + 1):
            # Seconds: 1, 2, 4 …, each a quarter more or less, so that several clients do not come back together.
            wait = 0.5 * 2**tried * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
            try:
                response = self._http.request(
                    method, f"{self._url}{path}", content=content, params=query, headers=headers, follow_redirects=False
                )
            except httpx.TransportError as error:
                told, status, is_lost = f"the API does not answer ({type(error).__name__})", FAILED, is_open
            else:
                answered = response.status_code
                told, status = f"the API answers {answered}: {_sentence(response)}", REFUSED
                if answered >= 500:
                    status, is_lost = FAILED, is_open
                elif answered in (200, 400) or (answered == 403 and not is_lost):
                    return response, is_lost
                elif answered in SAME_EACH_TIME:
                    raise Stopped(told, REFUSED)
                elif is_lost:
                    told = f"{told.rstrip('.')}; an earlier try was not answered, and may have been carried out"
                asked = response.headers.get("retry-after", "")
                if answered == 429:
                    wait = max(wait, float(asked)) if asked.isdigit() else wait
                elif answered < 500:
                    break
            if tried == TRIES or wait > LONGEST_WAIT:
                break
            self._sleep(wait)
        raise Stopped(told, UNKNOWN if is_lost else status)


def open_api(url: str) -> Api:
    """The API at a URL, to be closed. Raises typer.BadParameter for a wrong or unsafe URL, and without a key."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise typer.BadParameter(f"--url is like https://api.example.com, not {url}.")
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme == "http" and not is_local:
        raise typer.BadParameter("over http:// everybody on the way could read the key; use https://.")
    if not (key := os.environ.get(KEY, "").strip()):
        raise typer.BadParameter(f"put the account's key into the environment: {KEY}=…")
    headers = {"X-Authorization-Key": key}
    # `trust_env`: a proxy that the environment names does not stand between this machine and itself.
    return Api(url, httpx.Client(headers=headers, timeout=40.0, trust_env=not is_local))


def error_of(status: int, answer: Any) -> dict[str, Any]:
    """What an answer that refuses says under `error`: its `message` at least."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return {"message": f"the API answers {status}", **(error if isinstance(error, dict) else {})}


def _sentence(response: httpx.Response) -> str:
    """Why an answer refuses, in its own words: SpeechCall's (`error.message`), or, as API Gateway's, `message`."""
    try:
        given = response.json()
        return str(given["error"]["message"] if "error" in given else given["message"])
    except (ValueError, KeyError, TypeError):
        return "not in the form of SpeechCall"
