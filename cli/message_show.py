"""`speechcall message show ID`: one message's whole story from the stack, and where its log is."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli import values
from cli.as_json import AsJson, show_json
from cli.deployment import DEFAULT_PORT, Deployment, Place
from cli.failures import Refusal
from cli.table import show_table
from cli.target import on_place
from cli.terminal import plain
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.stops import Held, StopState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.ids import holder
from speechcall.shared.rules.phone_numbers import masked
from speechcall.status.use_cases.status import NOT_HELD, WAITING, History, describe_message

FREE_TEXT = ("text", "customerMessageId")
"""What the sender wrote, which may name somebody: it is for the sender's own eyes."""
QUERY = (
    "fields @timestamp, function_name, level, message, attempt, outcome, cause, reason, webhook_id, result, status"
    ", error"
    ' | filter mid = "{mid}" | sort @timestamp asc'
)

MessageId = Annotated[str, typer.Argument(metavar="ID", callback=values.message_id, help="messageId.")]


@on_place
def show_message(deployment: Deployment, place: Place, message: MessageId, as_json: AsJson = False) -> None:
    """Show a message's whole story: status, calls, keys, webhooks. Numbers are masked; free text is left out."""
    history = deployment.history.read(message)
    if history is None:
        raise Refusal(f"There is no message {message}, or it was deleted after 30 days.")
    told = _described(deployment, history, SystemClock().now_msec())
    told["log"] = _log(deployment, place, message)
    if as_json:
        show_json(told)
        return
    for line in _head(told, _options(place)):
        typer.echo(plain(line))
    show_table([{"when": when, "what": what} for when, what in sorted(_story(told))], {}, "")
    for line in told["executions"]:
        typer.echo(plain(f"execution  {line}"))
    typer.echo(f"log        {told['log']}")


def _described(deployment: Deployment, history: History, now_msec: int) -> dict[str, Any]:
    """The message as its sender sees it in the API, with what an operator needs, and without the sender's own texts.

    Added: `account`, `executions` (the ARN of each attempt's), and the `destination` of each webhook.
    """
    message = history.message
    held = _held(deployment, message)
    status: dict[str, Any] = {**describe_message(history, now_msec, held)}
    for name in FREE_TEXT:
        status.pop(name, None)
    status["recipient"] = masked(message.number)
    status["account"] = message.account_id
    machine = (message.flow_arn or "").replace(":stateMachine:", ":execution:")
    names = [holder(message.mid, call["attempt"]) for call in status["call"]["attempts"]]
    if status["call"].get("paused"):
        status["pausedBy"] = [brake.value for brake in _paused_by(deployment, message, held)]
    status["executions"] = [f"{machine}:{name}" for name in names] if machine else []
    hosts = {task.event_id: delivery.destination for task, delivery in history.webhooks(now_msec)}
    for one in (*status["call"]["webhooks"], *status["call"]["statusWebhooks"]):
        one["destination"] = hosts.get(one["webhookId"], "")
    return status


def _held(deployment: Deployment, message: Message) -> Held:
    """What may stop a message that waits, of its list, its campaign and its account. Of any other: NOT_HELD."""
    if message.state not in WAITING:
        return NOT_HELD
    given = (message.account_id, message.list_id, message.campaign)
    return deployment.stops.held(*given, is_urgent=message.is_urgent)


def _paused_by(deployment: Deployment, message: Message, held: Held) -> Iterator[Brake]:
    """What holds a message that waits: of its account, its campaign and its list those that are paused.

    `held`: what `_held` gives: it says how many of the three are paused, but not which. The account and the campaign
    are asked about here. If `held` has one pause more than these two, it is the list's.
    """
    account, campaign = message.account_id, message.campaign
    found = sum(stop.state is StopState.PAUSED for stop in held.stops)
    if deployment.turns.find(account, message.is_urgent).is_paused:
        found -= 1
        yield Brake.ACCOUNT
    if campaign and deployment.stops.is_paused(account, campaign):
        found -= 1
        yield Brake.CAMPAIGN
    if found > 0:
        yield Brake.LIST


def _log(deployment: Deployment, place: Place, mid: str) -> str:
    """The command that finds the message's lines: in the file of `make run`, or in the stack's log group."""
    if place.local:
        return f"grep {mid} build/functions{'' if place.port == DEFAULT_PORT else f'-{place.port}'}.log"
    where = deployment.name_of("LogGroup")
    query = QUERY.format(mid=mid)
    return (
        f"aws logs start-query --log-group-name {where} --query-string '{query}' "
        f"--start-time $(($(date +%s) - 30 * 86400)) --end-time $(date +%s){_aws_options(place)}"
    )


def _aws_options(place: Place) -> str:
    given = (("region", place.region), ("profile", place.profile))
    return "".join(f" --{name} {value}" for name, value in given if value)


def _options(place: Place) -> str:
    """The options by which another command means the same place."""
    if place.local:
        return "--local" if place.port == DEFAULT_PORT else f"--local --port {place.port}"
    return f"--stack {place.stack}{_aws_options(place)}"


def _head(told: dict[str, Any], where: str) -> Iterator[str]:
    """The lines above the story: what the message is, and where it stands.

    `told`: what `_described` returns (so in `_story`). `where`: the options by which commands mean this stack.
    """
    call = told["call"]
    campaign = f", campaign {told['campaign']}" if told.get("campaign") else ""
    yield f"message    {told['messageId']} of list {told['messagelistId']}, account {told['account']}{campaign}"
    yield f"to         {told['recipient']}"
    outcome = f": {call['outcome']} ({call['endReason']})" if call["outcome"] else ""
    yield f"status     {told['deliverystatus']}, {call['state']}{', paused' if call.get('paused') else ''}{outcome}"
    for brake in told.get("pausedBy", ()):
        names = {
            "account": told["account"],
            "campaign": f"{told['account']} {told.get('campaign')}",
            "list": told["messagelistId"],
        }
        yield f"paused     by its {brake}: speechcall {brake} resume {names[brake]} {where}"
    if told.get("pausedBy"):
        yield f"by whom    speechcall audit list --account {told['account']} {where}"
    if call["cause"]:
        yield f"cause      {call['cause']}"
    if call["nextAttemptAt"]:
        yield f"next call  {call['nextAttemptAt']}"


def _story(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything that has happened, each with its moment; not in order."""
    call = told["call"]
    yield call["acceptedAt"], "accepted"
    for one in call["attempts"]:
        yield from _attempt(one)
    for step in call["path"]:
        yield step["at"], f"call {step['attempt']}: menu {step['menu']} heard {step['heard']}"
    for hook in (*call["webhooks"], *call["statusWebhooks"]):
        yield from _webhook(hook, call["finishedAt"] or call["acceptedAt"])
    if call["finishedAt"]:
        yield call["finishedAt"], f"finished: {call['outcome']}"


def _attempt(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What has happened in one call attempt, each with its moment."""
    name = f"call {one['attempt']}"
    yield one["dialledAt"], f"{name}: dialled"
    if one["answeredAt"]:
        waited = one["answerToFirstCommandMsec"]
        yield one["answeredAt"], f"{name}: answered" + ("" if waited is None else f", first command after {waited} ms")
    if one["endedAt"]:
        yield one["endedAt"], f"{name}: ended" + (f", {one['cause']}" if one["cause"] else "")


def _webhook(hook: dict[str, Any], otherwise: str) -> Iterator[tuple[str, str]]:
    """What has happened to one webhook, each with its moment. `otherwise`: the moment, where nothing was tried yet."""
    name = f"webhook {hook['webhookId']} to {hook['destination']}"
    if not hook["attempts"]:
        yield hook["nextAttemptAt"] or otherwise, f"{name}: {hook['state']}"
    for number, one in enumerate(hook["attempts"], 1):
        came = one["error"] or one["status"]
        last = f", {hook['state']}" if number == len(hook["attempts"]) else ""
        yield one["at"], f"{name}: attempt {number}, {came} in {one['msec']} ms{last}"
