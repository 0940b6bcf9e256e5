"""A shop that has orders confirmed by telephone: its menus, and what it does with the webhooks."""

from dataclasses import dataclass, field

from speechcall_client import InvalidWebhook, KeyPressed, Menu, Message, goto, hangup, verify, webhook

HOOK = "https://shop.example/speechcall"


@dataclass
class Shop:
    """The orders and what callees said of them; `secret` is the account's webhook secret."""

    secret: str
    answers: dict[int, list[bool]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def message(self, order: int, to: str) -> Message:
        """Asks about an order: 1 confirms, 2 leads to a second question, silence repeats the first."""
        confirmed = webhook(HOOK, order=order, confirmed=True)
        cancelled = webhook(HOOK, order=order, confirmed=False)
        return Message(
            to=to,
            sender="Shop",
            menus=[
                Menu(audio="order", wait=2).on(1, confirmed, hangup()).on(2, goto(1)).otherwise(goto(0)),
                Menu(audio="really", wait=2).on(1, cancelled, hangup()).on(2, goto(0)).otherwise(hangup()),
            ],
        )

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """One webhook; the status to answer."""
        try:
            event = verify(headers, body, self.secret)
        except InvalidWebhook:
            return 401
        if isinstance(event, KeyPressed) and event.id not in self.seen:
            self.seen.add(event.id)
            self.answers.setdefault(event.action["order"], []).append(event.action["confirmed"])
        return 204
