"""The message lists that commands name."""

from cli.deployment import Deployment
from cli.failures import Refusal
from speechcall.requests.use_cases.message_list import MessageList


def made_list(deployment: Deployment, list_id: str) -> MessageList:
    """The list of an id. Raises Refusal where there is none."""
    made = deployment.lists.find_list(list_id)
    if made is None:
        raise Refusal(f"There is no message list {list_id}, or it was deleted after 30 days.")
    return made
