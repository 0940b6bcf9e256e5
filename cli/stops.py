"""What an operator stops: a message, a list, a campaign, an account's messages. The flags are those of the API."""

import json
from typing import Annotated, assert_never

import typer

from cli import accounts, lists, message_show, values
from cli.accounts import found
from cli.api import Api, error_of
from cli.api import Stopped as ApiStopped
from cli.as_json import AsJson, show_json
from cli.changes import belongs_to, changing
from cli.deployment import Deployment
from cli.exit_codes import REFUSED
from cli.failures import Refusal
from cli.made_lists import made_list
from cli.target import on_api_or_deployment, on_deployment
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.stops import Stop, StopCounts, StopState
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.adapters.clock import SystemClock
from speechcall.stopping.use_cases.stop_answers import count_of
from speechcall.stopping.use_cases.stop_many import cancel_queue, resume_account, resume_campaign, resume_list
from speechcall.stopping.use_cases.stop_message import Cancelled, cancel_waiting
from speechcall.stopping.use_cases.stop_requests import held_messages

messages = typer.Typer(no_args_is_help=True)
campaigns = typer.Typer(no_args_is_help=True)

FOLLOWS = "Its messages' own states follow, at least thirty a second."
TTL_RUNS_ON = "No call of it begins until it is resumed; calls in progress go on, and so does the messages' ttl."
_NO_EXPIRY = 0
"""Of a pause or cancellation: only that of a list expires, with the list."""

MessageId = Annotated[str, typer.Argument(metavar="ID", callback=values.message_id, help="messageId.")]
ListId = Annotated[str, typer.Argument(metavar="ID", callback=values.list_id, help="messagelistId.")]
AccountId = Annotated[str, typer.Argument(metavar="ACCOUNT", callback=values.account_id, help="The account's id.")]
CampaignName = Annotated[str, typer.Argument(metavar="NAME", callback=values.campaign, help="The campaign's name.")]
Hangup = Annotated[bool, typer.Option("--hangup", help="Calls in progress are ended too, within a minute.")]


@messages.callback()
def _messages() -> None:
    """Messages, one at a time."""


messages.command("show")(message_show.show_message)


@messages.command("cancel")
@on_api_or_deployment
@changing("message cancel", "message", "hangup")
def cancel_message_(
    place: Api | Deployment, message: MessageId, hangup: Hangup = False, as_json: AsJson = False
) -> None:
    """Cancel a message: it is not dialled any more. A call in progress goes on, without --hangup.

    Ends with status 3 where it is too late for that.
    """
    if isinstance(place, Api):
        done = _cancel_by_api(place, message, hangup)
        late = "It is in a call, which goes on, or just after one, or finished."
    else:
        # Where there is no such message nothing is changed, and so nothing recorded: any account would do.
        belongs_to(place, lambda: getattr(place.messages.get(message), "account_id", ""))
        found = cancel_waiting(message, hangup, messages=place.messages, clock=SystemClock())
        if found is None:
            raise Refusal(f"There is no message {message}, or it has expired.")
        done, late = found, _too_late(place.messages.get(message)) if found is Cancelled.TOO_LATE else ""
    if as_json:
        show_json({"messageId": message, "state": done.value})
    else:
        typer.echo(_cancelled_in_words(message, done, late))
    if done is Cancelled.TOO_LATE:
        raise typer.Exit(REFUSED)


def _cancel_by_api(api: Api, message: str, hangup: bool) -> Cancelled:
    """What has become of a message that the API was asked to cancel. Raises Stopped."""
    content = json.dumps({"hangup": hangup}).encode()
    status, answer = api.ask("POST", f"/bat/message/{message}/cancel", content, has="state", changes=True)
    if status != 200:
        raise ApiStopped(str(error_of(status, answer)["message"]), REFUSED)
    return Cancelled(answer["state"])


def _cancelled_in_words(message: str, done: Cancelled, late: str) -> str:
    """What came of the cancellation of a message, in a sentence. `late`: that sentence for TOO_LATE; it tells why."""
    match done:
        case Cancelled.CANCELLED:
            return f"The message {message} is cancelled."
        case Cancelled.HANGING_UP:
            return f"The call of message {message} is ended within a minute."
        case Cancelled.HUNG_UP:
            return f"The call of message {message} was ended, and is over."
        case Cancelled.TOO_LATE:
            return late
        case _:
            assert_never(done)


def _too_late(message: Message | None) -> str:
    """Why a message could not be cancelled (TOO_LATE), as it stands now; None: it is there no more."""
    state = State.FINISHED if message is None else message.state
    match state:
        case State.FINISHED:
            return "It is too late: the message is finished."
        case State.SETTLING:
            return (
                "It is too late: the message's call is over, and how it ended is still asked for; it is not dialled "
                "again."
            )
        case State.PREPARING | State.QUEUED | State.CALLING:  # none waits: it would be cancelled
            return "The message is in a call, which goes on (--hangup ends it); it is not dialled again."
        case _:
            assert_never(state)


@lists.app.command("cancel")
@on_deployment
@changing("list cancel", "list_id", "hangup")
def cancel_list(deployment: Deployment, list_id: ListId, hangup: Hangup = False) -> None:
    """Cancel a list for good. Calls in progress go on, without --hangup."""
    made = _made(deployment, list_id)
    deployment.stops.cancel(_what(made), SystemClock().now_msec(), made.expires_at, hangs_up=hangup)
    _tell_cancelled(f"list {list_id}", count_of(deployment.history.summaries(made.message_ids, is_now=True)))


@lists.app.command("pause")
@on_deployment
@changing("list pause", "list_id")
def pause_list(deployment: Deployment, list_id: ListId) -> None:
    """Pause a list: no call of it begins until it is resumed."""
    made = _made(deployment, list_id)
    _tell_stop(f"list {list_id}", deployment.stops.pause(_what(made), SystemClock().now_msec(), made.expires_at))


@lists.app.command("resume")
@on_deployment
@changing("list resume", "list_id")
def resume_list_(deployment: Deployment, list_id: ListId) -> None:
    """Let a paused list be dialled again."""
    made = _made(deployment, list_id)
    held = held_messages(made, deployment.history)
    stops, messages_store = deployment.stops, deployment.messages
    stop = resume_list(_what(made), held, stops=stops, messages=messages_store, clock=SystemClock())
    _tell_stop(f"list {list_id}", stop)


@campaigns.command("cancel")
@on_deployment
@changing("campaign cancel", "name", "hangup")
def cancel_campaign(deployment: Deployment, account: AccountId, name: CampaignName, hangup: Hangup = False) -> None:
    """Cancel a campaign for good. Calls in progress go on, without --hangup."""
    what = Stopped(Brake.CAMPAIGN, account, name)
    if deployment.stops.cancel(what, SystemClock().now_msec(), _NO_EXPIRY, hangs_up=hangup) is None:
        raise Refusal(f"The account {account} has no campaign {name}.")
    numbers = deployment.stops.numbers(account, name)
    _tell_cancelled(f"campaign {name}", numbers.stop_counts if numbers else StopCounts())


@campaigns.command("pause")
@on_deployment
@changing("campaign pause", "name")
def pause_campaign(deployment: Deployment, account: AccountId, name: CampaignName) -> None:
    """Pause a campaign: no call of it begins until it is resumed."""
    what = Stopped(Brake.CAMPAIGN, account, name)
    _tell_stop(f"campaign {name}", deployment.stops.pause(what, SystemClock().now_msec(), _NO_EXPIRY))


@campaigns.command("resume")
@on_deployment
@changing("campaign resume", "name")
def resume_campaign_(deployment: Deployment, account: AccountId, name: CampaignName) -> None:
    """Let a paused campaign be dialled again."""
    what = Stopped(Brake.CAMPAIGN, account, name)
    stop = resume_campaign(what, stops=deployment.stops, turns=deployment.messages.turns, clock=SystemClock())
    _tell_stop(f"campaign {name}", stop)


@accounts.app.command("pause")
@on_deployment
@changing("account pause")
def pause(deployment: Deployment, account_id: AccountId) -> None:
    """Pause an account's messages, urgent ones too: no call of them begins until it is resumed."""
    found(deployment, account_id)
    deployment.stops.pause(Stopped(Brake.ACCOUNT, account_id), SystemClock().now_msec(), _NO_EXPIRY)
    typer.echo(f"The account {account_id} is paused. {TTL_RUNS_ON}")


@accounts.app.command("resume")
@on_deployment
@changing("account resume")
def resume(deployment: Deployment, account_id: AccountId) -> None:
    """Let a paused account's messages be dialled again."""
    found(deployment, account_id)
    resume_account(account_id, stops=deployment.stops, turns=deployment.messages.turns, clock=SystemClock())
    typer.echo(f"The account {account_id} is dialled for again.")


@accounts.app.command("cancel-queue")
@on_deployment
@changing("account cancel-queue")
def cancel_queue_(deployment: Deployment, account_id: AccountId) -> None:
    """Cancel an account's messages that wait, for good. Those that it sends from now on are dialled."""
    found(deployment, account_id)
    cancel_queue(account_id, stops=deployment.stops, clock=SystemClock())
    typer.echo(f"The messages of account {account_id} that wait are cancelled, and none of them is dialled. {FOLLOWS}")


def _made(deployment: Deployment, list_id: str) -> MessageList:
    made = made_list(deployment, list_id)
    belongs_to(deployment, lambda: made.account_id)
    return made


def _what(made: MessageList) -> Stopped:
    return Stopped(Brake.LIST, made.account_id, made.list_id)


def _tell_stop(named: str, stop: Stop | None) -> None:
    """Prints how a list or campaign stands after it was paused or resumed.

    `named`: the list or campaign, as the sentence names it. `stop`: how it stands; None: there is no such list or
    campaign. Raises Refusal for None, and for one that is cancelled: that cannot be undone.
    """
    if stop is None:
        raise Refusal(f"There is no {named} in this account.")
    match stop.state:
        case StopState.CANCELLED:
            raise Refusal(f"The {named} is cancelled, and that is final.")
        case StopState.PAUSED:
            typer.echo(f"The {named} is paused. {TTL_RUNS_ON}")
        case StopState.ACTIVE:
            typer.echo(f"The {named} is dialled again.")


def _tell_cancelled(named: str, counts: StopCounts) -> None:
    typer.echo(
        f"The {named} is cancelled: {counts.not_dialled} not dialled, {counts.in_progress} in progress, "
        f"{counts.finished} finished before. {FOLLOWS}"
    )
