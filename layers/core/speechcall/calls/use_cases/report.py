"""What a telephony reports, and what it is told to do next: the words that every provider's conversation shares."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, assert_never

from speechcall.calls.rules.call import Call, Command, Kind, Reply
from speechcall.menus.rules.ask import Ask, Input
from speechcall.menus.rules.call_log import ANSWERED, HOLD_SECONDS, IDLE, KEY, MOST_AHEAD, OTHER, PROMPT_ERROR

NEXT, DIGITS = "next", "digits"
HEARD = frozenset({ANSWERED, NEXT, KEY, DIGITS, IDLE, PROMPT_ERROR})
"""The events that a telephony can report."""
_KEYS = frozenset("0123456789*#")


class Heard(NamedTuple):
    """What the telephony reports: one of HEARD; `key` comes with the key, and is all that was entered with DIGITS."""

    event: str
    seq: int
    """The question that it answers or, with NEXT, behind which it asks; without meaning with ANSWERED (the dial's)."""
    key: str = ""
    began_msec: int | None = None
    """When the invocation that brings it began; None: it is not known."""
    repeat: int = 0
    """Which repeat of the question it answers; 0: the first time."""

    def reply(self, call: Call) -> Reply | None:
        """The answer to a command that the report holds; None: it only asks what is next. `answered` is the dial's.

        Digits are an answer like a key, `complete` or `other`: what they are is no part of it.
        """
        if self.event == NEXT:
            return None
        if self.event == ANSWERED:
            return Reply(1, ANSWERED)
        if self.event == DIGITS:
            asked = self._asked(call)
            return Reply(self.seq, KEY, asked.judged(asked.entered(self.key)) if asked else OTHER)
        key = ""
        if self.event == KEY:
            key = f"d{self.key}" if self.key in _KEYS else OTHER
        return Reply(self.seq, self.event, key)

    def digits(self, call: Call) -> str | None:
        """What was entered; None: nothing."""
        asked = self._asked(call) if self.event == DIGITS else None
        return asked.entered(self.key) if asked else None

    def _asked(self, call: Call) -> Input | None:
        """The digits for which the question asks that this report answers; None: it asks for none, or was not asked."""
        menu = call.menu_asked(self.seq)
        if menu is None and call.seq == self.seq:  # a call without a log
            menu = call.command.menu
        return None if menu is None else call.asks[menu].input


class Report(NamedTuple):
    """What a telephony says of one of our calls that is up: which call, which contact, what was heard."""

    mid: str
    attempt: int
    contact_id: str
    heard: Heard
    turn: int = 0
    """The number of the provider's event in its call; 0: it gives none."""

    def begun(self, began_msec: int | None) -> "Report":
        """This report, with the moment at which the invocation that brings it began."""
        return self._replace(heard=self.heard._replace(began_msec=began_msec))


class Op(StrEnum):
    """What a telephony is told to do. A new member is a type error where a provider's answer is made."""

    ASK = "ask"
    HOLD = "hold"
    """To wait a moment, in silence, and to ask again what is next."""
    WAIT = "wait"
    """As HOLD, while a receiver is asked which menu follows: a sound is played, so that the callee knows of it."""
    HANG_UP = "hangup"
    GO_ON = "go_on"
    """With what it does already: a later event of its call is told what is next."""


class Next(NamedTuple):
    """What the telephony is to do: a command with its seq, to hold, to continue as it is, or (no call) to hang up."""

    op: Op
    seq: int
    command: Command | None = None
    call: Call | None = None
    lost: bool = False
    """It is to hang up because the state machine has given no command for too long."""
    repeat: int = 0
    """Which repeat of the question is asked; 0: the first time."""

    @property
    def ask(self) -> Ask:
        """What an ASK asks, with the prompt that is played now. Raises ValueError where nothing is to be asked."""
        if self.command is None or self.call is None:
            raise ValueError(f"{self.op} asks no menu")
        ask = self.call.asks[self.command.menu or 0]
        uri, seconds = ask.prompt(self.repeat)
        return ask._replace(prompt_uri=uri, prompt_seconds=seconds) if self.repeat else ask

    def prompt_beside(self, key: str) -> str:
        """The URI of a file that every stack has (`key`) in the bucket in which the call's prompts are.

        Raises ValueError where there is no call.
        """
        if self.call is None:
            raise ValueError(f"{self.op} plays nothing")
        scheme, _, place = self.call.asks[0].prompt_uri.partition("//")
        return f"{scheme}//{place.partition('/')[0]}/{key}"


def question(seq: int, repeat: int) -> str:
    """A question as a telephony carries it from what it is told to what it reports: `5`, its second repeat `5.2`."""
    return f"{seq}.{repeat}" if repeat else str(seq)


def parse_question(text: str) -> tuple[int, int]:
    """The seq and the repeat of `question`. Raises ValueError."""
    seq, _, repeat = text.partition(".")
    return int(seq), int(repeat or 0)


HANG_UP = Next(Op.HANG_UP, 0)
LOST = Next(Op.HANG_UP, 0, lost=True)
"""The state machine has said nothing for as long as a telephony holds."""


def op_of(command: Command) -> Op:
    """What a telephony is told to do for a command that the state machine has given."""
    match command.kind:
        case Kind.ASK:
            return Op.ASK
        case Kind.HANG_UP:
            return Op.HANG_UP
        case Kind.DIAL:  # it has done that
            return Op.HOLD
        case _:
            assert_never(command.kind)


def told_by_log(call: Call, after: int, now_msec: int) -> Next:
    """What a telephony is to do behind the question `after` (1: the dial); HOLD as long as that is not answered.

    Only a menu is told before the state machine asks it, and at most MOST_AHEAD questions ahead of the machine. All
    else is the machine's to say, and is waited for in holds, for at most HOLD_SECONDS (then LOST); while a lookup is
    not decided, with a sound (WAIT).
    """
    op = op_of(call.command)
    match op:
        case Op.HANG_UP:
            if call.seq > after:
                return Next(op, call.seq, call.command, call)
        case Op.ASK | Op.HOLD | Op.WAIT | Op.GO_ON:  # the log says what is asked
            pass
        case _:
            assert_never(op)
    entry = call.entry(after)
    if entry is None:  # the telephony wants to know what is next while its question is still open
        return Next(Op.HOLD, after)
    menu = call.menu_asked(after + 1)
    if menu is not None and after + 1 <= call.seq + MOST_AHEAD:
        return Next(Op.ASK, after + 1, Command(Kind.ASK, menu), call)
    if call.waits_until(after) is not None:
        return Next(Op.WAIT, after, call=call)
    waits_since = max(entry.at_msec, _commanded_msec(call))
    return LOST if now_msec - waits_since >= HOLD_SECONDS * 1000 else Next(Op.HOLD, after)


def told_again(call: Call, heard: Heard, now_msec: int) -> Next | None:
    """The same question once more, if its menu is repeated and no key was pressed in time; None: silence is heard.

    Nothing of it is in the log, which knows a question by its answer: so what the menus mean, how silence is counted
    and the state machine are as without it. The telephony tells how often it has asked; so a report that comes twice is
    told the same twice. Once no menu may begin any more, none is repeated either.
    """
    menu = call.menu_asked(heard.seq)
    if heard.event != IDLE or menu is None or call.plan is None or call.entry(heard.seq):
        return None
    if heard.repeat >= call.asks[menu].repeats or now_msec >= call.plan.until_msec:
        return None
    return Next(Op.ASK, heard.seq, Command(Kind.ASK, menu), call, repeat=heard.repeat + 1)


def _commanded_msec(call: Call) -> int:
    """When the state machine came to its last command; 0: it cannot be read."""
    try:
        return round(datetime.fromisoformat(call.ticket.visit).timestamp() * 1000)
    except ValueError:
        return 0
