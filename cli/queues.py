"""What becomes of the messages of an account that is disabled."""

from enum import StrEnum

import typer

from cli.deployment import Deployment
from cli.terminal import is_terminal
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.shared.adapters.clock import SystemClock
from speechcall.stopping.use_cases.stop_many import cancel_queue

ASKED = "Its messages that are stored already: keep them (they are dialled), pause them, or cancel those that wait?"


class Queue(StrEnum):
    """What becomes of the messages."""

    KEEP = "keep"
    PAUSE = "pause"
    CANCEL = "cancel"


def chosen_queue(given: Queue | None) -> Queue:
    """What was given, or is said at the terminal. Raises BadParameter where nobody is there to be asked."""
    if given is not None:
        return given
    if not is_terminal():
        raise typer.BadParameter("say what becomes of its messages: --queue keep, --queue pause or --queue cancel.")
    while True:
        said = str(typer.prompt(ASKED, err=True)).strip().lower()
        if said in set(Queue):
            return Queue(said)


def settle_queue(deployment: Deployment, account_id: str, queue: Queue) -> str:
    """Keeps, pauses or cancels what an account has in its queue. Out: a sentence that says what was done."""
    match queue:
        case Queue.KEEP:
            return "Its messages that are stored already are still dialled."
        case Queue.PAUSE:
            # 0: when it expires, which only the pause of a list does.
            deployment.stops.pause(Stopped(Brake.ACCOUNT, account_id), SystemClock().now_msec(), 0)
            return f"Its messages are paused; `account resume {account_id}` lets them be dialled. Their ttl runs on."
        case Queue.CANCEL:
            cancel_queue(account_id, stops=deployment.stops, clock=SystemClock())
            return "Its messages that wait are cancelled."
