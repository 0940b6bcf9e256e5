"""What a message says and does: menus and their actions, as objects.

    Menu(audio="welcome").on(1, webhook("https://shop.example/confirmed", order=7), hangup()).otherwise(goto(0))

They are values: `on` and `otherwise` give another menu, so a menu can be the beginning of several.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

KEYS = (*(f"d{digit}" for digit in range(10)), "d*", "d#")
"""The keys of a telephone, as the API names them."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST to a URL; the next action does not wait for its answer."""

    url: str
    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"action": "webhook", "url": self.url, "body": dict(self.body)}
        return {**told, "headers": dict(self.headers)} if self.headers else told


@dataclass(frozen=True, slots=True)
class GotoMenu:
    """Go on in another menu of the message, or in the same again; the first is 0."""

    menu: int

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        return {"action": "gotoMenu", "menu": self.menu}


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        return {"action": "hangup"}


@dataclass(frozen=True, slots=True)
class OtherAction:
    """An action that this client does not know yet, as the API takes it."""

    content: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it was given."""
        return dict(self.content)


Action: TypeAlias = Webhook | GotoMenu | Hangup | OtherAction


def webhook(
    url: str, *, headers: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None, **more: Any
) -> Webhook:
    """A webhook; what your server gets under `action` is `body` and whatever else is named here."""
    return Webhook(url, {**(body or {}), **more}, dict(headers or {}))


def goto(menu: int) -> GotoMenu:
    """On in the menu of this number; the first is 0."""
    if isinstance(menu, bool) or menu < 0:
        raise ValueError(f"a menu has a number from 0 on, not {menu!r}")
    return GotoMenu(menu)


def hangup() -> Hangup:
    """The end of the call."""
    return Hangup()


def opt_out(list: str | None = None) -> OtherAction:  # noqa: A002 - the API's word
    """The callee's number is not called any more: on a list, or on the account's own."""
    return OtherAction({"action": "optOut", **({"list": list} if list else {})})


def lookup(
    url: str,
    cases: Mapping[str, int],
    otherwise: int,
    *,
    timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    **more: Any,
) -> OtherAction:
    """Your server is asked which menu follows; it answers `{"case": "paid"}`, a name of `cases`.

    What it gets under `action` is `body` and whatever else is named here. `otherwise`: the menu after everything else,
    also after no answer within `timeout` seconds (1 to 5; absent: 3).
    """
    told: dict[str, Any] = {"action": "lookup", "url": url, "body": {**(body or {}), **more}}
    if headers:
        told["headers"] = dict(headers)
    if timeout is not None:
        told["timeoutMsec"] = round(timeout * 1000)
    return OtherAction({**told, "cases": dict(cases), "else": otherwise})


def action(name: str, **content: Any) -> OtherAction:
    """An action that this client does not know yet: `action("record", url="https://…")`."""
    return OtherAction({"action": name, **content})


@dataclass(frozen=True, slots=True)
class Say:
    """A text that is spoken, in a language such as `en-GB`; without a voice the language's first speaks."""

    text: str
    language: str
    voice: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told = {"text": self.text, "language": self.language}
        return {**told, "voice": self.voice} if self.voice else told


@dataclass(frozen=True, slots=True)
class Part:
    """A part of `play`, as the API takes it; `recording`, `spell`, `pause` and `Say` make them."""

    content: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it was given."""
        return dict(self.content)


def recording(audio: str) -> Part:
    """An identifier under which audio was uploaded, or a URL."""
    return Part({"audio": audio})


def spell(digits: str, recordings: str) -> Part:
    """Digits, each by its own recording: `spell("4071", "uk_")` plays uk_4, uk_0, uk_7 and uk_1."""
    return Part({"spell": digits, "recordings": recordings})


def pause(seconds: float) -> Part:
    """Silence, of 0.001 to 10 seconds."""
    return Part({"pauseMsec": round(seconds * 1000)})


class Repeat:
    """How often a menu is asked again in silence (1 to 5), and what is played then; absent: its own introduction."""

    __slots__ = ("_content",)

    def __init__(
        self,
        times: int,
        *,
        audio: str | None = None,
        say: Say | None = None,
        play: Sequence[Part | Say] | None = None,
    ) -> None:
        if isinstance(times, bool) or not 1 <= times <= 5:
            raise ValueError(f"a menu is asked again 1 to 5 times, not {times!r}")
        if (audio, say, play).count(None) < 2:
            raise ValueError("a repeat has at most one of audio, say and play")
        self._content: dict[str, Any] = {"times": times, **_played(audio, say, play)}

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        return dict(self._content)


@dataclass(frozen=True, slots=True)
class Digits:
    """Several digits that a menu asks for in place of a key; `wait` is how many seconds each next one is awaited."""

    most: int
    least: int = 1
    end_key: Literal["#", "*"] = "#"
    wait: float | None = None
    sensitive: bool = False
    """Sealed when they are heard, and erased when their webhooks have ended."""

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"minDigits": self.least, "maxDigits": self.most, "endKey": self.end_key}
        if self.wait is not None:
            told["interDigitMsec"] = round(self.wait * 1000)
        return {**told, "sensitive": True} if self.sensitive else told


class Menu:
    """An introduction, and what is done after each key.

    `audio` is an identifier under which audio was uploaded, or a URL; in its place stands `say`, or `play` with parts
    that are joined to one prompt. `wait` is how many
    seconds are waited for a key once the introduction has ended (0.001 to 180; absent: 10). `repeat`: then it is asked
    again, before what is done after silence. Without `barge_in` no key is taken before the
    introduction has ended. With `digits` it asks for several digits: `on_digits` says what is done.
    """

    __slots__ = ("_audio", "_barge_in", "_digits", "_keys", "_play", "_repeat", "_say", "_wait")

    def __init__(
        self,
        *,
        audio: str | None = None,
        say: Say | None = None,
        play: Sequence[Part | Say] | None = None,
        wait: float | None = None,
        repeat: Repeat | None = None,
        digits: Digits | None = None,
        barge_in: bool = True,
    ) -> None:
        if (audio, say, play).count(None) != 2:
            raise ValueError("a menu has exactly one of audio, say and play")
        if wait is not None and not 0.001 <= wait <= 180:
            raise ValueError(f"a menu waits 0.001 to 180 seconds, not {wait!r}")
        self._audio, self._say, self._wait, self._repeat = audio, say, wait, repeat
        self._digits, self._barge_in = digits, barge_in
        self._play = None if play is None else tuple(play)
        self._keys: dict[str, tuple[Action, ...]] = {}

    def on(self, key: int | str, *actions: Action) -> "Menu":
        """What is done when a key is pressed: 0 to 9, "*" or "#"."""
        name = f"d{key}"
        if isinstance(key, bool) or name not in KEYS:
            raise ValueError(f"a telephone has the keys 0 to 9, * and #, not {key!r}")
        if self._digits:
            raise ValueError("a menu asks for one key or for several digits; for these say on_digits")
        return self._with(name, actions)

    def on_digits(self, *actions: Action) -> "Menu":
        """What is done when as many digits were entered as the menu asks for; its webhooks have them as `digits`."""
        if not self._digits:
            raise ValueError("this menu asks for one key: give it digits=Digits(most=4), say")
        return self._with("complete", actions)

    def otherwise(self, *actions: Action) -> "Menu":
        """What is done after silence, and after a key that has no actions, where nothing else is said for these."""
        return self._with("wrong", actions)

    def on_silence(self, *actions: Action) -> "Menu":
        """What is done when no key is pressed in time."""
        return self._with("silence", actions)

    def on_other_key(self, *actions: Action) -> "Menu":
        """What is done after a key that has no actions."""
        return self._with("invalid", actions)

    def _with(self, name: str, actions: tuple[Action, ...]) -> "Menu":
        if name in self._keys:
            raise ValueError(f"what is done after {_shown(name)} is said already")
        made = Menu(
            audio=self._audio,
            say=self._say,
            play=self._play,
            wait=self._wait,
            repeat=self._repeat,
            digits=self._digits,
            barge_in=self._barge_in,
        )
        made._keys = {**self._keys, name: actions}
        return made

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told = _played(self._audio, self._say, self._play)
        if self._wait is not None:
            told["idleTimeoutMsec"] = round(self._wait * 1000)
        if self._digits:
            told["input"] = self._digits.to_json()
        if not self._barge_in:
            told["bargeIn"] = False
        told["dtmfActions"] = {name: [one.to_json() for one in actions] for name, actions in self._keys.items()}
        return {**told, "repeat": self._repeat.to_json()} if self._repeat else told

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Menu) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        return f"Menu({self.to_json()!r})"


def _played(audio: str | None, say: Say | None, play: Sequence[Part | Say] | None) -> dict[str, Any]:
    """What is played, as the API takes it."""
    if play is not None:
        return {"play": [{"say": one.to_json()} if isinstance(one, Say) else one.to_json() for one in play]}
    if say is not None:
        return {"say": say.to_json()}
    return {} if audio is None else {"introUrl": audio}


def _shown(name: str) -> str:
    others = {
        "wrong": "anything else",
        "silence": "silence",
        "invalid": "a key without actions",
        "complete": "the digits",
    }
    return others.get(name, f"the key {name[1:]}")


@dataclass(frozen=True, slots=True)
class Redial:
    """Dial again when nobody was reached: so many further calls, each so many seconds after the one before."""

    attempts: int
    after_sec: tuple[int, ...] = ()
    on: tuple[Literal["busy", "noAnswer", "failed", "noKey"], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"attempts": self.attempts}
        if self.after_sec:
            told["afterSec"] = list(self.after_sec)
        if self.on:
            told["on"] = list(self.on)
        return told


@dataclass(frozen=True, slots=True)
class Window:
    """Hours in which a phone may ring: `Window("09:00", "20:00", ("mon", "tue"))`."""

    start: str
    end: str
    days: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"from": self.start, "to": self.end}
        return {**told, "days": list(self.days)} if self.days else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One call: whom, as whom, and its menus. `docs/behaviour.md` of the service says what each field means.

    `sender` is the API's `from`. Without `menus` it has those of its request (`send(menus=…)`), with its `vars` for
    their {{names}}. `more` has fields that this client does not know yet, as the API takes them.
    """

    to: str
    sender: str
    menus: tuple[Menu, ...] | list[Menu] = ()
    vars: Mapping[str, str] = field(default_factory=dict)
    text: str = "speechcall"
    customer_message_id: str | None = None
    ttl: int | None = None
    ring_timeout_sec: int | None = None
    silent_repeats: int | None = None
    redial: Redial | None = None
    priority: Literal["normal", "urgent"] | None = None
    send_at: str | None = None
    windows: tuple[Window, ...] | list[Window] = ()
    time_zone: str | None = None
    not_on: tuple[str, ...] | list[str] = ()
    opt_out_lists: tuple[str, ...] | list[str] = ()
    ignore_opt_out: bool = False
    consent: Mapping[str, str] | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As the API takes it."""
        told: dict[str, Any] = {"from": self.sender, "to": self.to, "text": self.text, "type": "speechcall"}
        given = {
            "menu": [menu.to_json() for menu in self.menus] or None,
            "vars": dict(self.vars) or None,
            "customerMessageId": self.customer_message_id,
            "ttl": self.ttl,
            "ringTimeoutSec": self.ring_timeout_sec,
            "silentRepeats": self.silent_repeats,
            "redial": self.redial.to_json() if self.redial else None,
            "priority": self.priority,
            "sendAt": self.send_at,
            "windows": [one.to_json() for one in self.windows] or None,
            "timeZone": self.time_zone,
            "notOn": list(self.not_on) or None,
            "optOutLists": list(self.opt_out_lists) or None,
            "ignoreOptOut": self.ignore_opt_out or None,
            "consent": dict(self.consent) if self.consent else None,
        }
        return {**told, **{name: value for name, value in given.items() if value is not None}, **self.more}

    def with_number(self, to: str, customer_message_id: str | None = None) -> "Message":
        """The same for another number."""
        return replace(self, to=to, customer_message_id=customer_message_id)
