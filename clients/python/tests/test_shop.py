"""The sample customer's shop passes its checks, and each planted error is found by one of them."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
from shop import HOOK, Shop
from shop_checks import (
    CHECKS,
    key_1_confirms,
    keys_2_and_1_cancel,
    silence_is_asked_again,
    the_menus_are_taken_without_a_word,
    the_receiver_is_right,
)

from speechcall_client import InvalidWebhook, KeyPressed, Menu, goto, hangup, verify, webhook

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def audio(laptop):
    laptop.audio("order", "really")


@pytest.mark.parametrize("check", CHECKS)
def test_the_shop_is_right(laptop, check):
    check(laptop, Shop(laptop.secret))


class OtherMenus(Shop):
    """A shop whose first menu is another one."""

    def first(self, confirmed, cancelled):
        raise NotImplementedError

    def message(self, order, to):
        made = super().message(order, to)
        first = self.first(webhook(HOOK, order=order, confirmed=True), webhook(HOOK, order=order, confirmed=False))
        return replace(made, menus=[first, made.menus[1]])


class MisspeltAudio(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="ordr", wait=2).on(1, confirmed, hangup()).on(2, goto(1)).otherwise(goto(0))


class NoSuchMenu(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="order", wait=2).on(1, confirmed, hangup()).on(2, goto(2)).otherwise(goto(0))


class ForgottenHangup(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="order", wait=2).on(1, confirmed).on(2, goto(1)).otherwise(goto(0))


class WrongAnswer(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="order", wait=2).on(1, cancelled, hangup()).on(2, goto(1)).otherwise(goto(0))


class SwappedKeys(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="order", wait=2).on(2, confirmed, hangup()).on(1, goto(1)).otherwise(goto(0))


class HangsUpOnSilence(OtherMenus):
    def first(self, confirmed, cancelled):
        return Menu(audio="order", wait=2).on(1, confirmed, hangup()).on(2, goto(1)).otherwise(hangup())


class TakesAnything(Shop):
    def take(self, headers, body):
        content = json.loads(body)
        if headers["webhook-id"] not in self.seen:
            self.seen.add(headers["webhook-id"])
            self.answers.setdefault(content["action"]["order"], []).append(content["action"]["confirmed"])
        return 204


class CountsTwice(Shop):
    def take(self, headers, body):
        self.seen.clear()
        return super().take(headers, body)


class Redirects(Shop):
    def take(self, headers, body):
        status = super().take(headers, body)
        return 302 if status == 204 else status


class RefusesWhatItKnows(Shop):
    def take(self, headers, body):
        return 409 if headers["webhook-id"] in self.seen else super().take(headers, body)


class ReadsAndWritesAgain(Shop):
    def take(self, headers, body):
        return super().take(headers, json.dumps(json.loads(body), separators=(",", ":")).encode())


class LooksAtNoClock(Shop):
    def take(self, headers, body):
        try:
            event = verify(headers, body, self.secret, tolerance=10**12)
        except InvalidWebhook:
            return 401
        if isinstance(event, KeyPressed) and event.id not in self.seen:
            self.seen.add(event.id)
            self.answers.setdefault(event.action["order"], []).append(event.action["confirmed"])
        return 204


class FirstSignatureOnly(Shop):
    def take(self, headers, body):
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = b64decode(self.secret.removeprefix("whsec_"))
        right = "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return super().take(headers, body) if headers["webhook-signature"].split()[0] == right else 401


PLANTED = [
    (MisspeltAudio, the_menus_are_taken_without_a_word, "UNKNOWN_AUDIO"),
    (NoSuchMenu, the_menus_are_taken_without_a_word, "there is no menu 2"),
    (ForgottenHangup, the_menus_are_taken_without_a_word, "LIST_WITHOUT_END"),
    (WrongAnswer, key_1_confirms, "False"),
    (SwappedKeys, keys_2_and_1_cancel, r"'d2'.*'d1'"),
    (HangsUpOnSilence, silence_is_asked_again, "idle"),
    (TakesAnything, the_receiver_is_right, "without a signature is taken"),
    (CountsTwice, the_receiver_is_right, "what came again was done again"),
    (Redirects, key_1_confirms, "302"),
    (RefusesWhatItKnows, the_receiver_is_right, "comes again is not answered 2xx"),
    (ReadsAndWritesAgain, the_receiver_is_right, "the bytes as they came"),
    (LooksAtNoClock, the_receiver_is_right, "twenty minutes ago is taken"),
    (FirstSignatureOnly, the_receiver_is_right, "only the first is looked at"),
]
"""Each error, the check that has to find it, and what that says."""


@pytest.mark.parametrize(("shop", "check", "says"), PLANTED, ids=lambda one: getattr(one, "__name__", "says"))
def test_a_planted_error_is_found(laptop, shop, check, says):
    with pytest.raises(AssertionError, match=says):
        check(laptop, shop(laptop.secret))
