"""What a stranger's body costs us grows with its size, not with the square of it, whatever is wrong with it."""

import json
import time

import pytest

from speechcall.accounts.rules.account import Account
from speechcall.requests.use_cases.accept_messages import check_messages
from speechcall.requests.use_cases.read_messages import check_message
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

pytestmark = pytest.mark.slow

ACME = Account("acme", ("*",))
LISTS = MemoryLists({("acme", "ivr_651854")})
HANGUP = {"action": "hangup"}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HANGUP]}}
MESSAGE = {"from": "B", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
MARKS = "\u0345" * 500 + "\u0334" * 500
"""In the wrong order: putting them in the right one takes a step for each pair."""


def message(**changes):
    return [MESSAGE | changes]


def action(**given):
    return message(menu=[MENU | {"dtmfActions": {"d1": [given]}}])


def hook(**given):
    return action(action="webhook", url="https://a.example/", **given)


def goto(menu):
    return {"action": "gotoMenu", "menu": menu}


def names(count):
    return {f"name{number:x}": 0 for number in range(count)}


# By kind: messages that are about so many bytes as JSON
KINDS = {
    "wrong menus": lambda size: message(menu=[{}] * (size // 4)),
    "wrong actions": lambda size: message(menu=[MENU | {"dtmfActions": {"d1": [{}] * (size // 4)}}]),
    "unknown keys": lambda size: message(menu=[MENU | {"dtmfActions": names(size // 16)}]),
    "unknown members of a message": lambda size: message(**names(size // 16)),
    "unknown members of a menu": lambda size: message(menu=[MENU | names(size // 16)]),
    "unknown members of an action": lambda size: action(**HANGUP, **names(size // 16)),
    "wrong headers": lambda size: hook(headers=names(size // 16)),
    "a long header": lambda size: hook(headers={"X-" + "a" * size: "b" * size}),
    "a large body": lambda size: hook(body={"a": [[]] * (size // 4)}),
    "wrong outcomes": lambda size: message(redial={"attempts": 1, "on": ["x"] * (size // 5)}),
    "invisible characters": lambda size: message(to="\u202a" * (size // 3)),
    "almost the right name": lambda size: [{"from\u200b" + "x" * 9: 0, **names(size // 16)}],
    "menus that lead to each other": lambda size: (
        [
            message(
                menu=[
                    MENU
                    | {
                        "dtmfActions": {
                            f"d{key}": [{"action": "gotoMenu", "menu": (at + key) % 20}] for key in range(10)
                        }
                    }
                    for at in range(20)
                ]
            )[0]
        ]
        * (size // 9000 + 1)
    ),
}


def seconds(kind, size):
    body, best = json.dumps({"messages": KINDS[kind](size)}, ensure_ascii=False).encode(), 9.0
    for _ in range(2):
        begin = time.process_time()
        check_messages(ACME, body, prompts=LISTS, clock=FakeClock())
        best = min(best, time.process_time() - begin)
    return best


@pytest.mark.parametrize("kind", KINDS)
def test_the_time_for_a_request_grows_as_its_size(kind):
    check_messages(
        ACME, json.dumps({"messages": message()}).encode(), prompts=LISTS, clock=FakeClock()
    )  # what is done once is done
    # Sixteen times the size: what grows with its square takes 256 times as long
    assert seconds(kind, 128_000) < 60 * max(seconds(kind, 8_000), 0.000_5)


@pytest.mark.parametrize("place", ["url", "introUrl"])
def test_a_host_that_is_longer_than_any_name_is_not_read(place):
    url = f"https://{'́' * 301}/"
    entry = message(menu=[MENU | {"introUrl": url}]) if place == "introUrl" else action(action="webhook", url=url)
    (problem,) = check_message(entry[0], "messages[0]")[1]
    assert problem.message.startswith("has a host name of 301 characters; at most 253 can be")
    path = f"https://a.example/{'́' * 1000}"
    assert check_message(action(action="webhook", url=path)[0], "messages[0]")[1] == []


def test_a_host_of_many_marks_costs_no_more_than_one_of_letters():
    def spent(host):
        best = float("inf")
        for first in (0, 100, 200):  # each host once: what is known of a URL is remembered
            urls = [f"https://{number}{host}/" for number in range(first, first + 100)]
            body = json.dumps({"messages": [action(action="webhook", url=url)[0] for url in urls]}, ensure_ascii=False)
            begin = time.process_time()
            check_messages(ACME, body.encode(), prompts=LISTS, clock=FakeClock())
            best = min(best, time.process_time() - begin)
        return best

    # Read, these marks would take a hundred times as long as the letters
    assert spent(MARKS * 2) < 10 * spent("a" * 2000)
