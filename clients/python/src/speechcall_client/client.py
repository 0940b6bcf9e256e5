"""The client, for programs that wait (`Client`) and for those that do other things meanwhile (`AsyncClient`).

Both have the same methods; `operations` says what each sends, `retries` when it is sent again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx

from speechcall_client import models, operations
from speechcall_client.errors import ApiError, Unreachable, error_of
from speechcall_client.menus import Menu, Message, Window
from speechcall_client.operations import MAX_BODY_BYTES, MAX_MESSAGES, Operation, envelope_of
from speechcall_client.retries import Patience, Trial

T = TypeVar("T")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_PATIENT = Patience()
_TIMEOUT = httpx.Timeout(40.0, connect=5.0)
"""The gateway answers within 30 seconds, whatever happens behind it."""


class _Base:
    """What both have: where the API is, who asks, and how patient that is."""

    def __init__(
        self, url: str, *, user: str | None, password: str | None, key: str | None, patience: Patience
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("the API's address is like https://api.example.com, without credentials and query")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise ValueError("over http:// everybody on the way could read the credentials; use https://")
        if (key is None) == (user is None or password is None):
            raise ValueError("give either key, or user and password")
        self._url = url.rstrip("/")
        self._auth = httpx.BasicAuth(user, password) if user is not None and password is not None else None
        self._own_headers = {"X-Authorization-Key": key} if key is not None else {}
        self._patience = patience

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def _request(self, operation: Operation[Any]) -> dict[str, Any]:
        return {
            "method": operation.method,
            "url": f"{self._url}{operation.path}",
            "params": dict(operation.query) or None,
            "headers": {**self._own_headers, **operation.headers},
            "content": operation.body,
            "auth": self._auth,
        }


def _read(operation: Operation[T], response: httpx.Response) -> T:
    if response.status_code == 404:  # which `Trial` has taken for done
        return operation.read({})
    if operation.paged:
        following = response.links.get("next", {}).get("url")
        return operation.read((response.content, httpx.URL(following).params.get("cursor") if following else None))
    if operation.raw:
        return operation.read(response.content)
    try:
        return operation.read(response.json())
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(response.status_code, "", "The answer is not one of SpeechCall's.") from error


def _moved(response: httpx.Response) -> str | None:
    """Where a file is that is too large for an answer. It is asked for without credentials."""
    return response.headers.get("location") if response.status_code == 307 else None


class Client(_Base):
    """The API, for one account. Close it, or use it in a `with`."""

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        key: str | None = None,
        patience: Patience = _PATIENT,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`http`: a client of yours, with proxies or certificates of its own; it is not closed here."""
        super().__init__(url, user=user, password=password, key=key, patience=patience)
        self._http = http or httpx.Client(timeout=_TIMEOUT)
        self._is_own, self._sleep = http is None, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections."""
        if self._is_own:
            self._http.close()

    def _ask(self, operation: Operation[T]) -> T:
        trial = Trial(operation, self._patience)
        while True:
            try:
                response = self._http.request(**self._request(operation), follow_redirects=False)
                wait = trial.after_answer(response)
            except httpx.TransportError as error:
                wait = trial.after_error(error)
            else:
                if wait is None:
                    moved = _moved(response) if operation.raw else None
                    return _read(operation, self._fetch("GET", moved) if moved else response)
            self._sleep(wait)

    def _fetch(self, method: str, url: str, content: bytes | None = None) -> httpx.Response:
        """A file at a URL of its own, without credentials."""
        try:
            response = self._http.request(method, url, content=content, follow_redirects=False)
        except httpx.TransportError as error:
            raise Unreachable(f"{method} of a file: no answer ({type(error).__name__})") from error
        if response.status_code >= 300:
            raise error_of(response.status_code, None)
        return response

    # ------------------------------------------------------------------ sending
    def send(
        self,
        messages: Message | Sequence[Message],
        *,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        strict: bool = False,
        idempotency_key: str | None = None,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Accepted:
        """Call each recipient: 1 to 100 messages. Each is `sent` or `rejected`; all rejected is `Invalid`.

        `menus`: those of the messages without menus of their own; a message's `vars` stand there for their {{names}}.
        Nothing is sent twice, however often the client has to try: each request has an Idempotency-Key, its own or
        yours. `strict`: a field that is not known is refused.
        """
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        return self._ask(operations.send(_several(messages), campaign, strict, idempotency_key, envelope))

    def send_many(
        self,
        messages: Iterable[Message],
        *,
        campaign: str,
        idempotency_key: str,
        strict: bool = False,
        menus: Sequence[Menu] = (),
    ) -> Iterator[models.Accepted]:
        """Any number of messages, a hundred at a time, under one campaign. Take all of what it gives, or they wait.

        After an interruption send the same again with the same key: what was accepted is not sent twice.
        """
        for number, part in enumerate(_parts(messages)):
            key = f"{idempotency_key}-{number}"
            yield self.send(part, campaign=campaign, strict=strict, idempotency_key=key, menus=menus)

    def check(
        self,
        messages: Message | Sequence[Message],
        *,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        strict: bool = True,
        picture: bool = False,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Checked:
        """What would be rejected and why, and the warnings. Nothing is stored, spent or called."""
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        return self._ask(operations.check(_several(messages), campaign, strict, picture, envelope))

    def rehearse(
        self,
        messages: Message | Sequence[Message],
        callees: Mapping[str, Any],
        *,
        seeds: int | None = None,
        start: str | datetime | None = None,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Rehearsal:
        """Begins to find out when a list would be over, and how it would end; at most 1,000 messages, and nobody is
        called. `callees`: who is called, as docs/rehearsal.md has it. `rehearsal` tells what came of it.
        """
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        asked = operations.rehearse(_several(messages), callees, seeds, start, campaign, envelope)
        return self._ask(asked)

    def rehearsal(self, rehearsal_id: str) -> models.Rehearsal:
        """How far a rehearsal is, and its figures."""
        return self._ask(operations.rehearsal(rehearsal_id))

    # ------------------------------------------------------------------- asking
    def status(self, message_id: str, *, with_menu: bool = False) -> models.MessageStatus:
        """Where a message stands; `with_menu`: and its menus."""
        return self._ask(operations.message(message_id, with_menu))

    def wait(self, message_id: str, *, within: float = 600.0, every: float = 2.0) -> models.MessageStatus:
        """Where a message stands once it is finished; after `within` seconds a TimeoutError."""
        until = time.monotonic() + within
        while not (found := self.status(message_id)).is_finished:
            if time.monotonic() >= until:
                raise TimeoutError(f"message {message_id} is {found.call.state} after {within:g} s")
            self._sleep(every)
        return found

    def list_status(self, messagelist_id: str, *, limit: int = 100, offset: int = 0) -> models.ListStatus:
        """Where a list of messages stands."""
        return self._ask(operations.messagelist(messagelist_id, limit, offset))

    def campaigns(self) -> Iterator[models.Campaign]:
        """The account's campaigns, the latest first."""
        yield from self._pages(operations.campaigns)

    def campaign(self, name: str) -> models.CampaignStatus:
        """Where a campaign stands."""
        return self._ask(operations.campaign(name))

    def lists_of(self, campaign: str) -> Iterator[models.ListOfCampaign]:
        """The lists of a campaign, the latest first."""
        yield from self._pages(lambda cursor: operations.lists_of_campaign(campaign, cursor))

    def export_list(self, messagelist_id: str) -> Iterator[dict[str, Any]]:
        """What has become of a list's messages, a row each."""
        yield from self._ask(operations.export_list(messagelist_id))[0]

    def export_campaign(self, name: str) -> Iterator[dict[str, Any]]:
        """The same of a campaign's messages, list by list."""
        yield from self._pages(lambda cursor: operations.export_campaign(name, cursor))

    def account(self) -> models.Account:
        """What the account may do, what it has used today, and what the key is for."""
        return self._ask(operations.account())

    def _pages(self, page: Callable[[str | None], Operation[operations.Page[T]]]) -> Iterator[T]:
        cursor: str | None = None
        while True:
            found, cursor = self._ask(page(cursor))
            yield from found
            if cursor is None:
                return

    # ----------------------------------------------------------------- stopping
    def cancel(self, message_id: str, *, hangup: bool = False) -> models.MessageCancelled:
        """A message is not dialled any more; with `hangup` its call is ended."""
        return self._ask(operations.cancel_message(message_id, hangup))

    def cancel_list(self, messagelist_id: str, *, hangup: bool = False) -> models.Stopped:
        """Nothing of a list is dialled any more, for good."""
        return self._ask(operations.stop("messagelist", messagelist_id, "cancel", hangup))

    def pause_list(self, messagelist_id: str) -> models.Stopped:
        """Nothing of a list is dialled until it is resumed."""
        return self._ask(operations.stop("messagelist", messagelist_id, "pause"))

    def resume_list(self, messagelist_id: str) -> models.Stopped:
        """A list is dialled again."""
        return self._ask(operations.stop("messagelist", messagelist_id, "resume"))

    def cancel_campaign(self, name: str, *, hangup: bool = False) -> models.Stopped:
        """Nothing of a campaign is dialled any more, for good."""
        return self._ask(operations.stop("campaign", name, "cancel", hangup))

    def pause_campaign(self, name: str) -> models.Stopped:
        """Nothing of a campaign is dialled until it is resumed."""
        return self._ask(operations.stop("campaign", name, "pause"))

    def resume_campaign(self, name: str) -> models.Stopped:
        """A campaign is dialled again."""
        return self._ask(operations.stop("campaign", name, "resume"))

    # ----------------------------------------------------------------- webhooks
    def given_up_webhooks(
        self, *, since: str | datetime | None = None, state: str | None = None
    ) -> Iterator[models.GivenUpWebhook]:
        """The webhooks that were given up (`failed` or `dead`), the latest first."""
        yield from self._pages(lambda cursor: operations.webhooks(since, state, cursor))

    def replay(self, message_id: str, *, webhook_id: str | None = None) -> models.Replayed:
        """Sends a message's webhooks again that were given up, or the one that is named."""
        return self._ask(operations.replay_message(message_id, webhook_id))

    def replay_all(self, *, since: str | datetime, state: str | None = None) -> Iterator[str]:
        """Sends all webhooks again that were given up since a moment; their ids. Take all of what it gives."""
        yield from self._pages(lambda cursor: operations.replay_all(since, state, cursor))

    def new_webhook_secret(self) -> models.WebhookSecret:
        """Another secret; those before it sign for 24 hours more."""
        return self._ask(operations.new_webhook_secret())

    # ----------------------------------------------------------------- opt-outs
    def opt_out(self, number: str, *, list: str | None = None, reason: str | None = None) -> models.OptOutAdded:
        """A number is not called any more: on a list, or on the account's own, which all messages obey."""
        return self._ask(operations.opt_out(number, list, reason))

    def find_opt_out(self, number: str, *, list: str | None = None) -> models.OptOutFound:
        """Whether a number stands on a list."""
        return self._ask(operations.find_opt_out(number, list))

    def remove_opt_out(
        self, number: str, *, list: str | None = None, consent: Mapping[str, str] | None = None
    ) -> models.OptOutRemoved:
        """A number may be called again. What its owner did with a key needs a `consent`: basis, at and ref."""
        return self._ask(operations.remove_opt_out(number, list, consent))

    def opt_outs(self, *, list: str | None = None) -> Iterator[models.OptOut]:
        """The opt-outs of a list that hold."""
        yield from self._pages(lambda cursor: operations.opt_outs(list, cursor))

    # ------------------------------------------------------------------- people
    def erase(self, number: str) -> dict[str, Any]:
        """Begins to erase all that the account keeps of a person; needs a key with the scope `erase`."""
        return self._ask(operations.erase(number))

    def erasure(self, erasure_id: str) -> dict[str, Any]:
        """How far an erasure is, and its receipt, as the API answers it."""
        return self._ask(operations.erasure(erasure_id))

    def ask_for_person(self, number: str) -> dict[str, Any]:
        """Has all collected that the account keeps of a person."""
        return self._ask(operations.ask_for_person(number))

    def person(self, export_id: str, *, cursor: str | None = None) -> dict[str, Any]:
        """A page of what was collected, as the API answers it."""
        return self._ask(operations.person(export_id, cursor))

    def signed_call(self, message_id: str, *, full_number: bool = False) -> str:
        """The calls of a message that is over, as a signed file."""
        return self._ask(operations.signed_call(message_id, full_number))

    # -------------------------------------------------------------------- audio
    def put_audio(self, intro_id: str, content: bytes) -> models.Audio:
        """Audio under an identifier that menus name: WAV, MP3 and other formats, at most 25 MiB."""
        if len(content) <= MAX_BODY_BYTES:
            return self._ask(operations.put_audio(intro_id, content))
        url, upload_id = self._ask(operations.begin_upload(intro_id, len(content)))
        self._fetch("PUT", url, content)
        return self._ask(operations.finish_upload(intro_id, upload_id))

    def list_audio(self) -> tuple[models.Audio, ...]:
        """All audio that has an identifier."""
        return self._ask(operations.audio_list())

    def audio(self, intro_id: str) -> models.Audio:
        """What is known of an identifier's audio."""
        return self._ask(operations.audio(intro_id))

    def audio_file(self, intro_id: str) -> bytes:
        """The audio as the telephone plays it: WAV, 8 kHz."""
        return self._ask(operations.audio_file(intro_id))

    def remove_audio(self, intro_id: str) -> None:
        """Removes an identifier; what is queued already still plays it."""
        self._ask(operations.remove_audio(intro_id))


class AsyncClient(_Base):
    """As `Client`, for asyncio. Close it, or use it in an `async with`."""

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        key: str | None = None,
        patience: Patience = _PATIENT,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`http`: a client of yours, with proxies or certificates of its own; it is not closed here."""
        super().__init__(url, user=user, password=password, key=key, patience=patience)
        self._http = http or httpx.AsyncClient(timeout=_TIMEOUT)
        self._is_own, self._sleep = http is None, sleep

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the connections."""
        if self._is_own:
            await self._http.aclose()

    async def _ask(self, operation: Operation[T]) -> T:
        trial = Trial(operation, self._patience)
        while True:
            try:
                response = await self._http.request(**self._request(operation), follow_redirects=False)
                wait = trial.after_answer(response)
            except httpx.TransportError as error:
                wait = trial.after_error(error)
            else:
                if wait is None:
                    moved = _moved(response) if operation.raw else None
                    return _read(operation, await self._fetch("GET", moved) if moved else response)
            await self._sleep(wait)

    async def _fetch(self, method: str, url: str, content: bytes | None = None) -> httpx.Response:
        """A file at a URL of its own, without credentials."""
        try:
            response = await self._http.request(method, url, content=content, follow_redirects=False)
        except httpx.TransportError as error:
            raise Unreachable(f"{method} of a file: no answer ({type(error).__name__})") from error
        if response.status_code >= 300:
            raise error_of(response.status_code, None)
        return response

    # ------------------------------------------------------------------ sending
    async def send(
        self,
        messages: Message | Sequence[Message],
        *,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        strict: bool = False,
        idempotency_key: str | None = None,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Accepted:
        """Call each recipient: 1 to 100 messages. Each is `sent` or `rejected`; all rejected is `Invalid`.

        `menus`: those of the messages without menus of their own; a message's `vars` stand there for their {{names}}.
        Nothing is sent twice, however often the client has to try: each request has an Idempotency-Key, its own or
        yours. `strict`: a field that is not known is refused.
        """
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        return await self._ask(operations.send(_several(messages), campaign, strict, idempotency_key, envelope))

    async def send_many(
        self,
        messages: Iterable[Message],
        *,
        campaign: str,
        idempotency_key: str,
        strict: bool = False,
        menus: Sequence[Menu] = (),
    ) -> AsyncIterator[models.Accepted]:
        """Any number of messages, a hundred at a time, under one campaign. Take all of what it gives, or they wait.

        After an interruption send the same again with the same key: what was accepted is not sent twice.
        """
        for number, part in enumerate(_parts(messages)):
            key = f"{idempotency_key}-{number}"
            yield await self.send(part, campaign=campaign, strict=strict, idempotency_key=key, menus=menus)

    async def check(
        self,
        messages: Message | Sequence[Message],
        *,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        strict: bool = True,
        picture: bool = False,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Checked:
        """What would be rejected and why, and the warnings. Nothing is stored, spent or called."""
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        return await self._ask(operations.check(_several(messages), campaign, strict, picture, envelope))

    async def rehearse(
        self,
        messages: Message | Sequence[Message],
        callees: Mapping[str, Any],
        *,
        seeds: int | None = None,
        start: str | datetime | None = None,
        menus: Sequence[Menu] = (),
        campaign: str | None = None,
        send_at: str | datetime | None = None,
        windows: Sequence[Window] = (),
        time_zone: str | None = None,
        not_on: Sequence[str] = (),
    ) -> models.Rehearsal:
        """Begins to find out when a list would be over, and how it would end; at most 1,000 messages, and nobody is
        called. `callees`: who is called, as docs/rehearsal.md has it. `rehearsal` tells what came of it.
        """
        envelope = envelope_of(menus, send_at, windows, time_zone, not_on)
        asked = operations.rehearse(_several(messages), callees, seeds, start, campaign, envelope)
        return await self._ask(asked)

    async def rehearsal(self, rehearsal_id: str) -> models.Rehearsal:
        """How far a rehearsal is, and its figures."""
        return await self._ask(operations.rehearsal(rehearsal_id))

    # ------------------------------------------------------------------- asking
    async def status(self, message_id: str, *, with_menu: bool = False) -> models.MessageStatus:
        """Where a message stands; `with_menu`: and its menus."""
        return await self._ask(operations.message(message_id, with_menu))

    async def wait(self, message_id: str, *, within: float = 600.0, every: float = 2.0) -> models.MessageStatus:
        """Where a message stands once it is finished; after `within` seconds a TimeoutError."""
        until = time.monotonic() + within
        while not (found := await self.status(message_id)).is_finished:
            if time.monotonic() >= until:
                raise TimeoutError(f"message {message_id} is {found.call.state} after {within:g} s")
            await self._sleep(every)
        return found

    async def list_status(self, messagelist_id: str, *, limit: int = 100, offset: int = 0) -> models.ListStatus:
        """Where a list of messages stands."""
        return await self._ask(operations.messagelist(messagelist_id, limit, offset))

    async def campaigns(self) -> AsyncIterator[models.Campaign]:
        """The account's campaigns, the latest first."""
        async for one in self._pages(operations.campaigns):
            yield one

    async def campaign(self, name: str) -> models.CampaignStatus:
        """Where a campaign stands."""
        return await self._ask(operations.campaign(name))

    async def lists_of(self, campaign: str) -> AsyncIterator[models.ListOfCampaign]:
        """The lists of a campaign, the latest first."""
        async for one in self._pages(lambda cursor: operations.lists_of_campaign(campaign, cursor)):
            yield one

    async def export_list(self, messagelist_id: str) -> AsyncIterator[dict[str, Any]]:
        """What has become of a list's messages, a row each."""
        for one in (await self._ask(operations.export_list(messagelist_id)))[0]:
            yield one

    async def export_campaign(self, name: str) -> AsyncIterator[dict[str, Any]]:
        """The same of a campaign's messages, list by list."""
        async for one in self._pages(lambda cursor: operations.export_campaign(name, cursor)):
            yield one

    async def account(self) -> models.Account:
        """What the account may do, what it has used today, and what the key is for."""
        return await self._ask(operations.account())

    async def _pages(self, page: Callable[[str | None], Operation[operations.Page[T]]]) -> AsyncIterator[T]:
        cursor: str | None = None
        while True:
            found, cursor = await self._ask(page(cursor))
            for one in found:
                yield one
            if cursor is None:
                return

    # ----------------------------------------------------------------- stopping
    async def cancel(self, message_id: str, *, hangup: bool = False) -> models.MessageCancelled:
        """A message is not dialled any more; with `hangup` its call is ended."""
        return await self._ask(operations.cancel_message(message_id, hangup))

    async def cancel_list(self, messagelist_id: str, *, hangup: bool = False) -> models.Stopped:
        """Nothing of a list is dialled any more, for good."""
        return await self._ask(operations.stop("messagelist", messagelist_id, "cancel", hangup))

    async def pause_list(self, messagelist_id: str) -> models.Stopped:
        """Nothing of a list is dialled until it is resumed."""
        return await self._ask(operations.stop("messagelist", messagelist_id, "pause"))

    async def resume_list(self, messagelist_id: str) -> models.Stopped:
        """A list is dialled again."""
        return await self._ask(operations.stop("messagelist", messagelist_id, "resume"))

    async def cancel_campaign(self, name: str, *, hangup: bool = False) -> models.Stopped:
        """Nothing of a campaign is dialled any more, for good."""
        return await self._ask(operations.stop("campaign", name, "cancel", hangup))

    async def pause_campaign(self, name: str) -> models.Stopped:
        """Nothing of a campaign is dialled until it is resumed."""
        return await self._ask(operations.stop("campaign", name, "pause"))

    async def resume_campaign(self, name: str) -> models.Stopped:
        """A campaign is dialled again."""
        return await self._ask(operations.stop("campaign", name, "resume"))

    # ----------------------------------------------------------------- webhooks
    async def given_up_webhooks(
        self, *, since: str | datetime | None = None, state: str | None = None
    ) -> AsyncIterator[models.GivenUpWebhook]:
        """The webhooks that were given up (`failed` or `dead`), the latest first."""
        async for one in self._pages(lambda cursor: operations.webhooks(since, state, cursor)):
            yield one

    async def replay(self, message_id: str, *, webhook_id: str | None = None) -> models.Replayed:
        """Sends a message's webhooks again that were given up, or the one that is named."""
        return await self._ask(operations.replay_message(message_id, webhook_id))

    async def replay_all(self, *, since: str | datetime, state: str | None = None) -> AsyncIterator[str]:
        """Sends all webhooks again that were given up since a moment; their ids. Take all of what it gives."""
        async for one in self._pages(lambda cursor: operations.replay_all(since, state, cursor)):
            yield one

    async def new_webhook_secret(self) -> models.WebhookSecret:
        """Another secret; those before it sign for 24 hours more."""
        return await self._ask(operations.new_webhook_secret())

    # ----------------------------------------------------------------- opt-outs
    async def opt_out(self, number: str, *, list: str | None = None, reason: str | None = None) -> models.OptOutAdded:
        """A number is not called any more: on a list, or on the account's own, which all messages obey."""
        return await self._ask(operations.opt_out(number, list, reason))

    async def find_opt_out(self, number: str, *, list: str | None = None) -> models.OptOutFound:
        """Whether a number stands on a list."""
        return await self._ask(operations.find_opt_out(number, list))

    async def remove_opt_out(
        self, number: str, *, list: str | None = None, consent: Mapping[str, str] | None = None
    ) -> models.OptOutRemoved:
        """A number may be called again. What its owner did with a key needs a `consent`: basis, at and ref."""
        return await self._ask(operations.remove_opt_out(number, list, consent))

    async def opt_outs(self, *, list: str | None = None) -> AsyncIterator[models.OptOut]:
        """The opt-outs of a list that hold."""
        async for one in self._pages(lambda cursor: operations.opt_outs(list, cursor)):
            yield one

    # ------------------------------------------------------------------- people
    async def erase(self, number: str) -> dict[str, Any]:
        """Begins to erase all that the account keeps of a person; needs a key with the scope `erase`."""
        return await self._ask(operations.erase(number))

    async def erasure(self, erasure_id: str) -> dict[str, Any]:
        """How far an erasure is, and its receipt, as the API answers it."""
        return await self._ask(operations.erasure(erasure_id))

    async def ask_for_person(self, number: str) -> dict[str, Any]:
        """Has all collected that the account keeps of a person."""
        return await self._ask(operations.ask_for_person(number))

    async def person(self, export_id: str, *, cursor: str | None = None) -> dict[str, Any]:
        """A page of what was collected, as the API answers it."""
        return await self._ask(operations.person(export_id, cursor))

    async def signed_call(self, message_id: str, *, full_number: bool = False) -> str:
        """The calls of a message that is over, as a signed file."""
        return await self._ask(operations.signed_call(message_id, full_number))

    # -------------------------------------------------------------------- audio
    async def put_audio(self, intro_id: str, content: bytes) -> models.Audio:
        """Audio under an identifier that menus name: WAV, MP3 and other formats, at most 25 MiB."""
        if len(content) <= MAX_BODY_BYTES:
            return await self._ask(operations.put_audio(intro_id, content))
        url, upload_id = await self._ask(operations.begin_upload(intro_id, len(content)))
        await self._fetch("PUT", url, content)
        return await self._ask(operations.finish_upload(intro_id, upload_id))

    async def list_audio(self) -> tuple[models.Audio, ...]:
        """All audio that has an identifier."""
        return await self._ask(operations.audio_list())

    async def audio(self, intro_id: str) -> models.Audio:
        """What is known of an identifier's audio."""
        return await self._ask(operations.audio(intro_id))

    async def audio_file(self, intro_id: str) -> bytes:
        """The audio as the telephone plays it: WAV, 8 kHz."""
        return await self._ask(operations.audio_file(intro_id))

    async def remove_audio(self, intro_id: str) -> None:
        """Removes an identifier; what is queued already still plays it."""
        await self._ask(operations.remove_audio(intro_id))


def _several(messages: Message | Sequence[Message]) -> Sequence[Message]:
    return [messages] if isinstance(messages, Message) else messages


def _parts(messages: Iterable[Message]) -> Iterator[list[Message]]:
    part: list[Message] = []
    for message in messages:
        part.append(message)
        if len(part) == MAX_MESSAGES:
            yield part
            part = []
    if part:
        yield part
