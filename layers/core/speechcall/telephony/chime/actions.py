"""The action lists that we answer a SIP media application with.

Source: Amazon Chime SDK developer guide, "Supported actions": at most 10 actions in a list, a Pause of
100 to 30,000 ms, Flush longer than InBetween in ReceiveDigits. Numbers are integers.
"""

from typing import Any, assert_never

from speechcall.calls.use_cases.report import Next, Op, Report, question
from speechcall.menus.rules.ask import Ask, Input
from speechcall.telephony.chime.client import HANG_UP
from speechcall.telephony.chime.conversation import ASK, GATHER, HOLD, INPUT, INTRODUCE, Asks, Listens, dump_then

HOLD_MSEC = 300
"""Of silence, after which the next command is asked for again."""
SHORTEST_PAUSE_MSEC = 100
WAIT_KEY = "prompts/74ac8ab0b7601cee2ee02fa8d55e8a765117e4f296736854cad140bd20064fa8.wav"
"""What a callee hears while a receiver is asked: `wait.wav` of this folder, where the stack has put it."""
SILENCE_KEY = "prompts/c726d333dd159a31423f3480dbb1c5c4a9dfcd30efe1f7e12ade390dc92e8908.wav"
"""What is played before digits whose introduction is over already: `silence.wav` of this folder."""
IDLE_PAUSES = 8
"""With ReceiveDigits and PlayAudio as many actions as a list may have: each of 125 ms to 22.5 s."""

MOST_DEAF = 2
"""So often ReceiveDigits may fail in turn; then a menu is played without it."""

KEYS = [*"0123456789*#"]
_LISTEN = {
    # Two keys in quick succession come as one text: the first one counts.
    "InputDigitsRegex": "^[0-9*#]+$",
    "InBetweenDigitsDurationInMilliseconds": 10,
    "FlushDigitsDurationInMilliseconds": 1000,
}

Answer = dict[str, Any]


def go_on() -> Answer:
    """The actions that are there are carried on with: without `Actions` they stay, and the attributes too."""
    return {"SchemaVersion": "1.0"}


def hang_up(named: tuple[str, int] | None = None) -> Answer:
    """The call ends. Its HANGUP event, which says nothing of who hung up, comes back with attributes that do.

    `named`: the message and attempt of the call; None: it is not known, and there are no attributes.
    """
    answer = {"SchemaVersion": "1.0", "Actions": [action("Hangup", SipResponseCode="0")]}
    if named is None:
        return answer
    mid, attempt = named
    return answer | {"TransactionAttributes": {"mid": mid, "attempt": str(attempt), "doing": HANG_UP}}


def placed(mid: str, attempt: int) -> Answer:
    """The call that begins to be dialled gets its name: no actions, which would not be run yet."""
    return {"SchemaVersion": "1.0", "Actions": [], "TransactionAttributes": {"mid": mid, "attempt": str(attempt)}}


def render_next(step: Next, asks: Asks) -> Answer:
    """What is to be done next, as actions, with what the next event needs to know. `asks`: the event to answer."""
    report = asks.report
    match step.op:
        case Op.GO_ON:
            return go_on()
        case Op.HANG_UP:
            return hang_up((report.mid, report.attempt))
        # Its introduction takes no key, so nothing listens yet: `listen_now` answers its end. (`deaf`: it has been
        # heard, and only the listening has failed.)
        case Op.ASK if not (step.ask.barge_in or asks.deaf):
            ask, silence = step.ask, step.prompt_beside(SILENCE_KEY)
            told = {"seq": question(step.seq, step.repeat), "then": dump_then(ask.idle_seconds, ask.input)}
            return _answer([play(ask.prompt_uri, [])], report, doing=INTRODUCE, silence=silence, **told)
        case Op.ASK if step.ask.input:
            asks_for = _gather(step.ask.prompt_uri, step.ask.idle_seconds, step.ask.input)
            return _answer([asks_for], report, doing=INPUT, seq=question(step.seq, step.repeat))
        case Op.ASK:
            actions = _ask(step.ask) if step.ask.barge_in else _await_key(step.ask.idle_seconds)
            seq = question(step.seq, step.repeat)
            if not asks.deaf:
                return _answer(actions, report, doing=ASK, seq=seq)
            # ReceiveDigits, the first action, has failed `deaf` times in turn: it is tried once more. From MOST_DEAF on
            # it is left out (the index is 1): the menu is played, though no key can be heard.
            actions = actions[asks.deaf >= MOST_DEAF :]
            return _answer(actions, report, doing=ASK, seq=seq, deaf=str(asks.deaf))
        case Op.HOLD:
            return _answer([pause(HOLD_MSEC)], report, doing=HOLD, seq=str(step.seq))
        case Op.WAIT:  # if the file cannot be played, we are asked again at once: hence the pause
            actions = [pause(SHORTEST_PAUSE_MSEC), play(step.prompt_beside(WAIT_KEY), [])]
            return _answer(actions, report, doing=HOLD, seq=str(step.seq))
        case _:
            assert_never(step.op)


def listen_now(now: Listens) -> Answer:
    """The introduction is over: what was pressed until now is lost, and a key, or digits, are listened for."""
    if now.input:
        actions, doing = [_gather(now.silence_uri, now.idle_seconds, now.input)], INPUT
    else:
        actions, doing = _await_key(now.idle_seconds), ASK
    return _answer(actions, now, doing=doing, seq=now.seq)


def again(report: Report) -> Answer:
    """For a report that could not be dealt with: a short pause, after which it is reported again."""
    heard = report.heard
    told = {"heard": heard.event, **({"key": heard.key} if heard.key else {})}
    return _answer([pause(HOLD_MSEC)], report, doing=HOLD, seq=question(heard.seq, heard.repeat), **told)


def _ask(ask: Ask) -> list[Answer]:
    """Listens for a key, plays the introduction (which any key stops), and then waits out the idle timeout.

    The wait is cut into pauses of equal length: should the service carry an action to its end before
    it takes up new ones, a key waits for an eighth of the idle timeout at most.
    """
    return [listen(), play(ask.prompt_uri, KEYS), *wait(ask.idle_seconds)]


def _await_key(idle_seconds: int) -> list[Answer]:
    """The same behind an introduction that is over."""
    return [listen(), *wait(idle_seconds)]


def _gather(prompt_uri: str, idle_seconds: int, asked: Input) -> Answer:
    """Plays the introduction and gathers digits, the first of which is awaited for the idle timeout.

    Developer guide, "PlayAudioAndGetDigits": it ends at the maximum, at a terminator, and between digits after
    InBetweenDigitsDurationInMilliseconds. RepeatDurationInMilliseconds as the wait for the first one is what AWS's own
    sample takes for Amazon Connect's InputTimeLimitSeconds (aws-samples, flow player on SIP media applications). It
    asks once, and with a minimum of 0 and no pattern no entry fails: what an entry is worth is decided by us. A sound
    for failures has to be given all the same.
    """
    introduction = _source(prompt_uri)
    return action(
        GATHER,
        AudioSource=introduction,
        FailureAudioSource=introduction,
        MinNumberOfDigits=0,
        MaxNumberOfDigits=asked.max_digits,
        TerminatorDigits=[asked.end_key],
        InBetweenDigitsDurationInMilliseconds=asked.inter_digit_seconds * 1000,
        Repeat=1,
        RepeatDurationInMilliseconds=idle_seconds * 1000,
    )


def listen() -> Answer:
    """A listener for one key."""
    return action("ReceiveDigits", **_LISTEN)


def play(prompt_uri: str, stopped_by: list[str]) -> Answer:
    """A file, which the keys `stopped_by` stop."""
    return action("PlayAudio", AudioSource=_source(prompt_uri), PlaybackTerminators=stopped_by)


def wait(seconds: int) -> list[Answer]:
    """A wait of 1 to 180 s, as pauses of equal length."""
    return [pause(seconds * 1000 // IDLE_PAUSES)] * IDLE_PAUSES


def _source(prompt_uri: str) -> Answer:
    """The file at `https://<bucket>.s3.<region>.amazonaws.com/<key>`."""
    host, _, key = prompt_uri.removeprefix("https://").partition("/")
    return {"Type": "S3", "BucketName": host.partition(".s3.")[0], "Key": key}


def pause(msec: int) -> Answer:
    """Silence."""
    return action("Pause", DurationInMilliseconds=msec)


def action(kind: str, **parameters: Any) -> Answer:
    """An action on the one leg that there is."""
    return {"Type": kind, "Parameters": {"ParticipantTag": "LEG-A", **parameters}}


def _answer(actions: list[Answer], report: Report | Listens, **attributes: str) -> Answer:
    """An answer with actions. `attributes`: what the next event needs to know, but for which call it is.

    They are sent whole each time, and take the place of all that there were.
    """
    whole = {"mid": report.mid, "attempt": str(report.attempt), **attributes}
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": whole}
