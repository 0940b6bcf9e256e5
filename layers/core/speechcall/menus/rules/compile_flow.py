"""Menus to the state machine that runs them.

    Dial ─► Menu 0 ─► Menu 0 key? ─► Menu 0 d1 1 webhook ─► Hang up ─► Completed
      │        └─► Menu 0 silent? ─┘        └─► Menu 0 d2 1 lookup ─► Menu 0 d2 1 case? ─► Menu 1
      ├─► Dial silent? ─► Dial answered? ─► Menu 0
      └─► Not answered              (every other end: Caller hung up, Lost, Put off, Failed)

Only shapes go in: texts, audio, urls, bodies, headers and seconds stay in the message and are looked
up by message, menu, key and step, so that messages that differ in nothing else share one machine.
The language is the subset that AWS and moto read alike: JSONPath, no array indices, a Default in
every Choice, an object at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from speechcall.menus.rules.call_log import ANSWERED, IDLE, OTHER, PROMPT_ERROR
from speechcall.menus.rules.integration import integration, retry_command, retry_of
from speechcall.menus.rules.menu import (
    Action,
    GotoMenu,
    Hangup,
    Lookup,
    Menu,
    OptOutStep,
    Webhook,
    ends_list,
    targets_of,
)
from speechcall.shared.rules.errors import NOT_ANSWERED, TelephonyThrottled
from speechcall.shared.rules.outcome import End
from speechcall.shared.rules.time_bounds import (
    DEFAULT_CALL_SECONDS,
    DEFAULT_GRACE_SECONDS,
    FINISH_RETRIES,
    HANG_UP_SECONDS,
    LOOKUP_RETRIES,
    LOOKUP_SECONDS,
    QUEUE_SECONDS,
    WEBHOOK_RETRIES,
    execution_seconds,
    lookup_seconds,
)

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the machine calls, and after how long it is stopped whatever it does."""

    control_call_arn: str
    finish_call_arn: str
    webhook_queue_url: str
    execution_seconds: int = execution_seconds(DEFAULT_CALL_SECONDS, DEFAULT_GRACE_SECONDS)
    ask_receiver_arn: str = ""


def compile_flow(menus: Sequence[Menu], wiring: Wiring) -> State:
    """The Amazon States Language definition for `menus` (1 or more; gotoMenu targets in range).

    The execution's input is `{"mid", "attempt", "waits": {"dial": seconds, "m0": seconds, ...}}`, its output the
    answer of finish_call.
    """
    states: dict[str, State] = {
        "Dial": _dial(wiring),
        "Dial silent?": _ask_outcome(None, wiring),
        "Dial answered?": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.heard.event", "StringEquals": ANSWERED, "Next": "Menu 0"}],
            "Default": "Not answered",
        },
    }
    reached = _reachable(menus)
    for index in reached:
        states.update(_menu_states(index, menus[index], wiring))
    states["Hang up"] = _hang_up(wiring)
    for name, end in _ENDS.items():
        states[name] = _finish(end, wiring)
    return {
        "Comment": "SpeechCall: one shape of menus",
        "StartAt": "Dial",
        "TimeoutSeconds": wiring.execution_seconds + (lookup_seconds() if _has_lookup(menus, reached) else 0),
        "States": states,
    }


_ENDS = {
    "Completed": End.COMPLETED,
    "Not answered": End.NOT_ANSWERED,
    "Caller hung up": End.CALLER_HUNG_UP,
    "Lost": End.LOST,
    "Put off": End.THROTTLED,
    "Failed": End.FAILED,
}


def steps_run(actions: Sequence[Action]) -> list[Action]:
    """The actions of a list that can run: up to and with the first hangup or gotoMenu."""
    ends = [position for position, action in enumerate(actions) if ends_list(action)]
    return list(actions[: ends[0] + 1]) if ends else list(actions)


def _has_lookup(menus: Sequence[Menu], reached: Sequence[int]) -> bool:
    """Whether a call can come to a lookup: the execution may take longer then."""
    lists = (steps_run(menus[index].actions[key]) for index in reached for key in menus[index].lists())
    return any(isinstance(action, Lookup) for actions in lists for action in actions[-1:])


def _reachable(menus: Sequence[Menu]) -> list[int]:
    """The menus to which keys or silence can lead from the first one; the others get no states."""
    seen, waiting = set[int](), [0]
    while waiting:
        index = waiting.pop()
        if index in seen:
            continue
        seen.add(index)
        for actions in (menus[index].actions[key] for key in menus[index].lists()):
            waiting += [target for action in steps_run(actions) for target in targets_of(action)]
    return sorted(seen)


def _menu_states(index: int, menu: Menu, wiring: Wiring) -> dict[str, State]:
    """A menu's states: its question, what to do after silence, the choice by key, and those of steps that need one."""
    name = f"Menu {index}"
    states = {
        name: _ask(index, wiring),
        f"{name} silent?": _ask_outcome(index, wiring),
        f"{name} key?": _choose(index, menu),
    }
    for key in menu.lists():
        actions = steps_run(menu.actions[key])
        for position, action in enumerate(actions):
            match action:
                case Webhook():
                    target = _step_target(index, key, actions, position + 1)
                    states[_webhook_name(index, key, position)] = _webhook(index, key, position, target, wiring)
                case OptOutStep():
                    target = _step_target(index, key, actions, position + 1)
                    states[_opt_out_name(index, key, position)] = _opt_out(index, key, position, target, wiring)
                case Lookup():
                    states.update(_lookup_states(index, key, position, action, wiring))
                case Hangup() | GotoMenu():
                    pass  # no state of their own: the step before them leads where they do
                case _:
                    assert_never(action)
    return states


def _choose(index: int, menu: Menu) -> State:
    """The state that goes by what was heard in a menu, to the first step of its list; to the end if it has no list."""

    def first(key: str | None) -> str:
        return _step_target(index, key, steps_run(menu.actions[key]), 0) if key else "Hang up"

    # `limit`: the menu is not asked any more, for the bounds of the call or for silence.
    heard = [("$.heard.event", "ended", "Caller hung up"), ("$.heard.event", "limit", "Hang up")]
    # PROMPT_ERROR: the callee was asked nothing, so no list of the customer may run.
    heard.append(("$.heard.event", PROMPT_ERROR, "Hang up"))
    heard += [("$.heard.key", key, first(key)) for key in menu.own_keys()]
    silence, other = menu.list_for(IDLE), menu.list_for(OTHER)
    if silence != other:
        heard.append(("$.heard.event", IDLE, first(silence)))
    choices = [{"Variable": path, "StringEquals": value, "Next": target} for path, value, target in heard]
    return {"Type": "Choice", "Choices": choices, "Default": first(other)}


def _step_target(index: int, key: str, actions: Sequence[Action], position: int) -> str:
    """The name of the state that runs step `position` of a list; behind the last step it is "Hang up"."""
    if position >= len(actions):
        return "Hang up"
    match actions[position]:
        case Webhook():
            return _webhook_name(index, key, position)
        case OptOutStep():
            return _opt_out_name(index, key, position)
        case Lookup():
            return _lookup_name(index, key, position)
        case Hangup():
            return "Hang up"
        case GotoMenu(menu):
            return f"Menu {menu}"
        case unknown:
            assert_never(unknown)


def _webhook_name(index: int, key: str, position: int) -> str:
    return f"Menu {index} {key} {position + 1} webhook"


def _opt_out_name(index: int, key: str, position: int) -> str:
    return f"Menu {index} {key} {position + 1} opt-out"


def _lookup_name(index: int, key: str, position: int) -> str:
    return f"Menu {index} {key} {position + 1} lookup"


def _dial(wiring: Wiring) -> State:
    """The state that has the call dialled, until somebody answers. What it catches by name comes before the catch of
    all errors: the first that fits counts.
    """
    state = _command("dial", wiring, "Menu 0")
    state["TimeoutSecondsPath"] = "$.waits.dial"
    # Not tried again with its line held: the pool slows down, and the message is dialled again later.
    state["Retry"] = retry_command(but=TelephonyThrottled.__name__)
    # Timed out is a phone that has rung for as long as it may, or was answered just now.
    ends = {NOT_ANSWERED: "Not answered", TelephonyThrottled.__name__: "Put off", "States.Timeout": "Dial silent?"}
    state["Catch"] = [*(_catch(error, end) for error, end in ends.items()), *state["Catch"]]
    return state


def _ask(index: int, wiring: Wiring) -> State:
    state = _command("ask", wiring, f"Menu {index} key?", menu=index)
    state["TimeoutSecondsPath"] = f"$.waits.m{index}"
    state["Catch"] = [_catch("States.Timeout", f"Menu {index} silent?"), *state["Catch"]]
    return state


def _hang_up(wiring: Wiring) -> State:
    state = _command("hang_up", wiring, "Completed")
    state["TimeoutSeconds"] = HANG_UP_SECONDS
    # finish_call stops a contact that has not ended by then.
    state["Catch"] = [_catch("States.Timeout", "Completed"), *state["Catch"]]
    return state


def _command(command: str, wiring: Wiring, target: str, **details: int) -> State:
    """A waiting state: control_call writes the command, the telephony's answer ends it.

    `command`: `dial`, `ask` or `hang_up`, with its `details`; `target`: the state behind it.
    """
    return {
        "Type": "Task",
        "Resource": integration("lambda:invoke.waitForTaskToken", wiring.control_call_arn),
        "Parameters": {
            "FunctionName": wiring.control_call_arn,
            "Payload": {
                "command": command,
                **details,
                "mid.$": "$.mid",
                "attempt.$": "$.attempt",
                "token.$": "$$.Task.Token",
                "visit.$": "$$.State.EnteredTime",
                "retry.$": "$$.State.RetryCount",
            },
        },
        "ResultPath": "$.heard",
        "Retry": retry_command(),
        "Catch": [_catch("States.ALL", "Failed")],
        "Next": target,
    }


def _ask_outcome(index: int | None, wiring: Wiring) -> State:
    """The state `… silent?`: it asks control_call what has become of a menu, or of the dial (None), that timed out."""
    menu = {} if index is None else {"menu": index}
    return {
        "Type": "Task",
        "Resource": integration("lambda:invoke", wiring.control_call_arn),
        "Parameters": {
            "FunctionName": wiring.control_call_arn,
            "Payload": {"command": "look_up", **menu, "mid.$": "$.mid", "attempt.$": "$.attempt"},
        },
        "ResultSelector": {"event.$": "$.Payload.event", "key.$": "$.Payload.key", "seq.$": "$.Payload.seq"},
        "ResultPath": "$.heard",
        "Retry": retry_command(),
        "Catch": [_catch("States.ALL", "Lost")],
        "Next": "Dial answered?" if index is None else f"Menu {index} key?",
    }


def _webhook(index: int, key: str, step: int, target: str, wiring: Wiring) -> State:
    """The state that queues a webhook; `target` follows. A step of one question is queued once, however often it runs:
    by its MessageDeduplicationId.
    """
    event = f"States.Format('{{}}-{{}}-{{}}-m{index}-{key}-{step}', $.mid, $.attempt, $.heard.seq)"
    return {
        "Type": "Task",
        "Resource": integration("sqs:sendMessage", wiring.control_call_arn),
        "Parameters": {
            "QueueUrl": wiring.webhook_queue_url,
            "MessageGroupId.$": "$.mid",
            "MessageDeduplicationId.$": event,
            "MessageBody": {
                "mid.$": "$.mid",
                "attempt.$": "$.attempt",
                "seq.$": "$.heard.seq",
                "menu": index,
                "key": key,
                "step": step,
                "event_id.$": event,
            },
        },
        "ResultPath": None,
        "Retry": [retry_of(["States.TaskFailed"], attempts=WEBHOOK_RETRIES)],
        "Catch": [_catch("States.ALL", "Failed")],
        "Next": target,
    }


def _opt_out(index: int, key: str, step: int, target: str, wiring: Wiring) -> State:
    """The state that keeps an opt-out; `target` follows only then. finish_call looks up whose number it is.

    An opt-out to which the machine does not come is kept when the call is finished (`owed_opt_outs`).
    """
    return {
        "Type": "Task",
        "Resource": integration("lambda:invoke", wiring.finish_call_arn),
        "Parameters": {
            "FunctionName": wiring.finish_call_arn,
            "Payload": {
                "mid.$": "$.mid",
                "attempt.$": "$.attempt",
                "optOut": {"menu": index, "key": key, "step": step},
            },
        },
        "TimeoutSeconds": QUEUE_SECONDS,
        "ResultPath": None,
        "Retry": [retry_of(["States.TaskFailed", "States.Timeout"], attempts=WEBHOOK_RETRIES)],
        "Catch": [_catch("States.ALL", "Failed")],
        "Next": target,
    }


def _lookup_states(index: int, key: str, step: int, action: Lookup, wiring: Wiring) -> dict[str, State]:
    """The states of a lookup: who asks the receiver, what to do where that fails, and the choice by what was decided.

    The telephony does not wait for any of them: the decision is in the call's log, and is the same for both.
    """
    name, choice = _lookup_name(index, key, step), f"Menu {index} {key} {step + 1} case?"
    # `action.otherwise` is put last: a case that leads there too needs no choice of its own.
    *others, otherwise = [one for one in targets_of(action) if one != action.otherwise] + [action.otherwise]
    after = choice if others else f"Menu {otherwise}"
    question = {"mid.$": "$.mid", "attempt.$": "$.attempt", "seq.$": "$.heard.seq"}
    came = {"ResultSelector": {"menu.$": "$.Payload.menu"}, "ResultPath": "$.led", "Next": after}
    states: dict[str, State] = {
        name: {
            "Type": "Task",
            "Resource": integration("lambda:invoke", wiring.control_call_arn),
            "Parameters": {
                "FunctionName": wiring.ask_receiver_arn,
                "Payload": {**question, "menu": index, "key": key, "step": step},
            },
            "TimeoutSeconds": LOOKUP_SECONDS,
            **came,
            "Retry": [retry_of(["States.TaskFailed", "States.Timeout"], attempts=LOOKUP_RETRIES)],
            "Catch": [_catch("States.ALL", f"{name} silent?")],
        },
        f"{name} silent?": {
            "Type": "Task",
            "Resource": integration("lambda:invoke", wiring.control_call_arn),
            "Parameters": {
                "FunctionName": wiring.control_call_arn,
                "Payload": {"command": "look_up", **question, "otherwise": otherwise},
            },
            **came,
            "Retry": retry_command(),
            "Catch": [_catch("States.ALL", "Lost")],
        },
    }
    if others:
        choices = [
            {"Variable": "$.led.menu", "StringEquals": str(target), "Next": f"Menu {target}"} for target in others
        ]
        states[choice] = {"Type": "Choice", "Choices": choices, "Default": f"Menu {otherwise}"}
    return states


def _finish(end: End, wiring: Wiring) -> State:
    """The last state: gives the line back and finishes the message, with the word of this end."""
    return {
        "Type": "Task",
        "Resource": integration("lambda:invoke", wiring.finish_call_arn),
        "Parameters": {
            "FunctionName": wiring.finish_call_arn,
            "Payload": {"mid.$": "$.mid", "attempt.$": "$.attempt", "end": end.value},
        },
        "ResultSelector": {"outcome.$": "$.Payload.outcome", "reason.$": "$.Payload.reason"},
        "Retry": [retry_of(["States.TaskFailed"], attempts=FINISH_RETRIES)],
        "End": True,
    }


def _catch(error: str, target: str) -> State:
    return {"ErrorEquals": [error], "ResultPath": "$.error", "Next": target}
