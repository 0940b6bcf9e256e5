"""A laptop cloud for each test that asks for one, and what a client and a callee do with it."""

import struct
from contextlib import contextmanager

import httpx
import pytest

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud, CloudSettings

MANY = {"Lines": "100", "CallsPerSecond": "100"}
SHORT_PROMPT_SECONDS = 0.2


def telephone_wav(seconds):
    """Silence as the telephony plays it: WAV, 8 kHz, mono, µ-law."""
    audio = b"\xff" * int(8000 * seconds)
    header = struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8)
    chunks = b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(audio)) + audio
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@contextmanager
def running(caller=None, *, parameters=None, carrier=None, **settings):
    """A started cloud in which `caller` answers every call; `short` is a prompt of 0.2 s."""
    carrier = {"no_answer_seconds": 2.0, "caller_for": lambda _number: caller, **(carrier or {})}

    def with_short_prompt(template):
        seed.seed(template)
        seed.put_prompt(template, "short", telephone_wav(SHORT_PROMPT_SECONDS))

    cloud_settings = CloudSettings(
        parameters={**MANY, **(parameters or {})}, carrier=carrier, seed=with_short_prompt, **settings
    )
    with Cloud(cloud_settings) as cloud:
        yield cloud


class Client:
    """A customer's program."""

    def __init__(self, url):
        self.url = url

    def post(self, messages, auth=(seed.USER, seed.PASSWORD)):
        return httpx.post(f"{self.url}/bat/messagelist", json={"messages": messages}, auth=auth, timeout=30)

    def send(self, messages):
        """Post and return the ids."""
        answer = self.post(messages)
        assert answer.status_code == 200, answer.text
        return [message["messageId"] for message in answer.json()["messages"]]


def menu(intro="short", idle=1000, **actions):
    return {"introUrl": intro, "idleTimeoutMsec": idle, "dtmfActions": actions}


def message(*menus, to="+380671234567", sender="BazarCOM"):
    return {"from": sender, "to": to, "text": "ivr", "type": "speechcall", "menu": list(menus)}


def webhook(body=None, url="https://api.example.com/hook", **fields):
    return {"action": "webhook", "url": url, "body": {} if body is None else body, **fields}


HANGUP = {"action": "hangup"}


def goto(number):
    return {"action": "gotoMenu", "menu": number}


def finished(cloud, mid, timeout=40):
    """Wait for a message to finish; its last journal entry."""
    return cloud.journal.wait_for(
        lambda entry: entry["mid"] == mid and entry["kind"] == "state" and entry["state"] == "finished", timeout
    )


@pytest.fixture
def cloud_with():
    return running
