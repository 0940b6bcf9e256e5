"""Webhooks are signed, as an independent verifier has it, with every secret that is valid."""

import base64
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from speechcall.menus.rules.menu import Webhook as WebhookAction
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.webhooks.rules.webhook import webhook_request
from speechcall.webhooks.use_cases.webhook_secrets import (
    MAX_SECRETS,
    TRUSTED_MSEC,
    SealedSecret,
    Signer,
    TooManySecrets,
    new_secret,
    rotate_secret,
)
from tests.kit.samples import HOOK, MESSAGE, NOW, FakeClock
from tests.stores.webhook_secrets import MemoryWebhookSecrets, seal, unseal

HOUR = 3_600_000
OLD, NEW = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLTMyISE=", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LTMyISE="


class Bench:
    """Secrets, a signer and a clock."""

    def __init__(self):
        self.clock, self.store, self.opened = FakeClock(), MemoryWebhookSecrets(), []
        self.signer = Signer(self.store, self.unseal, self.clock)

    def unseal(self, account_id, sealed):
        self.opened.append(sealed)
        return unseal(account_id, sealed)

    def rotate(self, secret, kept_msec=24 * HOUR):
        now = self.clock.msec
        return rotate_secret("acme", secret, kept_msec, store=self.store, seal=seal, now_msec=now)

    def sign(self, webhook=HOOK, now_sec=None, message=MESSAGE):
        moment = self.clock.msec // 1000 if now_sec is None else now_sec
        return self.signer("acme", webhook_request(message, webhook, "1-1-2-m0-d1-0", moment))


def verify(request, secret):
    """The receiver's side; it looks at the real clock."""
    return Webhook(secret).verify(request.body, dict(request.headers))


def signatures(request):
    return dict(request.headers)["webhook-signature"].split()


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.dictionaries(st.text(max_size=5), st.integers()))
def test_the_librarys_own_verifier_accepts_every_signed_webhook(sender, content):
    bench = Bench()
    bench.rotate(NEW)
    body = str(content).replace("'", '"') if not content else '{"n":1.10}'
    request = bench.sign(WebhookAction("https://x.example/", body), int(time.time()), replace(MESSAGE, sender=sender))
    assert verify(request, NEW)["from"] == sender
    with pytest.raises(WebhookVerificationError):
        verify(request, OLD)


@pytest.mark.parametrize("change", [b" ", b"1"])
def test_a_webhook_that_was_tampered_with_is_refused(change):
    bench = Bench()
    bench.rotate(NEW)
    request = bench.sign(now_sec=int(time.time()))
    with pytest.raises(WebhookVerificationError):
        verify(replace(request, body=request.body + change), NEW)
    for name, value in (("webhook-id", "2"), ("webhook-timestamp", str(int(time.time()) - 1))):
        forged = tuple((given, value if given == name else old) for given, old in request.headers)
        with pytest.raises(WebhookVerificationError):
            verify(replace(request, headers=forged), NEW)


def test_without_a_secret_a_webhook_is_not_signed():
    assert "webhook-signature" not in dict(Bench().sign().headers)


def test_during_a_rotation_both_secrets_sign_and_then_the_new_one_alone():
    bench = Bench()
    bench.rotate(OLD)
    bench.clock.msec += HOUR
    bench.rotate(NEW)
    for secret in (OLD, NEW):
        verify(bench.sign(now_sec=int(time.time())), secret)
    assert len(signatures(bench.sign())) == 2
    # The last moment of the old one, and the first without it
    bench.clock.msec += 24 * HOUR - 1
    assert len(signatures(bench.sign())) == 2
    bench.clock.msec += 1
    assert len(signatures(bench.sign())) == 1
    verify(bench.sign(now_sec=int(time.time())), NEW)


def test_a_second_rotation_never_lengthens_what_an_old_secret_was_given():
    bench = Bench()
    bench.rotate(OLD)
    bench.rotate(NEW, HOUR)
    bench.rotate(new_secret(bytes), 24 * HOUR)
    _, second, first = bench.store.kept["acme"]
    assert first.until_msec == NOW + HOUR
    assert second.until_msec == NOW + 24 * HOUR


def test_what_has_ended_is_forgotten_at_the_next_rotation():
    bench = Bench()
    bench.rotate(OLD)
    bench.rotate(NEW, HOUR)
    bench.clock.msec += HOUR
    bench.rotate(OLD)
    assert len(bench.store.kept["acme"]) == 2


def test_there_are_never_more_than_a_header_should_hold():
    bench = Bench()
    for number in range(MAX_SECRETS):
        assert bench.rotate(f"{NEW[:-3]}{number}E=") is not None
    with pytest.raises(TooManySecrets):
        bench.rotate(NEW)
    assert bench.rotate(NEW, 0) == []
    assert len(bench.store.kept["acme"]) == 1


def test_a_warm_function_reads_once_a_minute_and_opens_each_secret_once():
    bench = Bench()
    bench.rotate(OLD)
    bench.store.reads = 0
    for _ in range(1000):
        bench.sign()
    bench.clock.msec += TRUSTED_MSEC
    bench.sign()
    assert bench.store.reads == 2
    assert len(bench.opened) == 1


def test_a_rotation_is_seen_within_a_minute():
    bench = Bench()
    assert "webhook-signature" not in dict(bench.sign().headers)
    bench.rotate(NEW)
    bench.clock.msec += TRUSTED_MSEC
    verify(bench.sign(now_sec=int(time.time())), NEW)


def test_a_store_that_cannot_be_asked_does_not_keep_a_known_secret_from_signing():
    bench = Bench()
    bench.rotate(NEW)
    bench.sign()

    def unavailable(_account):
        raise StoreUnavailable("down")

    bench.store.secrets_of = unavailable
    bench.clock.msec += 10 * TRUSTED_MSEC
    verify(bench.sign(now_sec=int(time.time())), NEW)
    # An account of which nothing is known is another matter: unsigned it must not go out
    with pytest.raises(StoreUnavailable):
        Signer(bench.store, bench.unseal, bench.clock)("acme", bench.sign())


def test_a_new_secret_has_256_bits_in_the_standards_form():
    secret = new_secret(lambda size: bytes(range(size)))
    assert base64.b64decode(secret.removeprefix("whsec_")) == bytes(range(32))
    assert isinstance(SealedSecret("x", NOW).signs_at(NOW), bool)
