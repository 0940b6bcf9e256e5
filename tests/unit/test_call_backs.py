"""Who calls the caller ID back: what they hear, and that 9 opts them out."""

from dataclasses import replace

import pytest

from speechcall.accounts.rules.account import MOST_CALL_BACK_TEXT, MOST_SENDERS_IN_TEXT, SENDER
from speechcall.callbacks.rules import call_back as rules
from speechcall.callbacks.rules.call_back import NOBODY, WITHHELD, shown_number
from speechcall.callbacks.use_cases.answer_call_back import LastCall, greet, opt_out
from speechcall.optouts.rules.opt_out import By, outweighs
from tests.kit import call_back_desk
from tests.kit.call_back_desk import AUDIO, HER, HIS, settle
from tests.kit.samples import NOW


@pytest.fixture
def desk():
    return call_back_desk.desk()


def test_who_was_called_hears_who_it_was_last_and_may_press_9(desk):
    greeting = greet(HER, desk)
    assert greeting.mid == "8"
    assert "Shop" in greeting.heard.say.text
    assert "Old" not in greeting.heard.say.text
    assert "{from}" not in greeting.heard.say.text
    assert "press 9" in greeting.heard.say.text
    assert (greeting.heard.say.language, greeting.heard.say.voice, greeting.heard.audio_uri) == ("en-US", "Joanna", "")


def test_what_the_account_wants_to_be_said_is_said_in_its_voice(desk):
    settle(desk, text="Tu {from}. 9: koniec.", done_text="{from}: koniec.", language="pl-PL", voice="Maja")
    said = greet(HER, desk).heard.say
    assert (said.text, said.language, said.voice, said.engine) == ("Tu Shop. 9: koniec.", "pl-PL", "Maja", "standard")
    assert opt_out(HER, "8", desk).say.text == "Shop: koniec."


def test_audio_is_played_and_the_text_is_there_for_when_it_cannot_be(desk):
    settle(desk, audio="who", done_audio="gone")
    heard = greet(HER, desk).heard
    assert (heard.audio_uri, "press 9" in heard.say.text) == (AUDIO, True)
    # What the account has removed since is said.
    assert opt_out(HER, "8", desk).audio_uri == ""


@pytest.mark.parametrize("number", ["", "anonymous", "Anonymous", "unknown", "sip:x@y", "+0", "+1234", "+38093667000٣"])
def test_a_withheld_number_hears_that_it_is_and_looks_nothing_up(desk, number):
    greeting = greet(number, replace(desk, called=None))
    assert (greeting.heard.say.text, greeting.mid) == (WITHHELD, "")
    assert opt_out(number, "8", desk) is None


def test_whom_nobody_has_called_hears_just_that(desk):
    greeting = greet(HIS, desk)
    assert (greeting.heard.say.text, greeting.mid) == (NOBODY, "")
    assert "press" not in NOBODY


def test_an_account_that_is_gone_is_still_named(desk):
    desk.accounts.accounts.clear()
    assert "Shop" in greet(HER, desk).heard.say.text


def test_9_opts_out_for_good_of_the_account_that_called(desk):
    heard = opt_out(HER, "8", desk)
    assert "Shop" in heard.say.text
    stored = desk.opt_outs.find("acme", "", desk.opt_outs.digest(HER))
    assert (stored.by, stored.mid, stored.ending, stored.since_msec, stored.holds) == (
        By.CALL_BACK,
        "8",
        "03",
        NOW,
        True,
    )
    # Once more, later: the same is said, and the first one stays.
    desk.clock.sleep(60)
    assert opt_out(HER, "8", desk) == heard
    assert desk.opt_outs.find("acme", "", stored.digest).since_msec == NOW


def test_another_call_of_another_account_meanwhile_changes_nothing(desk):
    greeting = greet(HER, desk)
    desk.called.calls.append(LastCall("9", "other", "Bank", desk.opt_outs.digest(HER)))
    assert "Shop" in opt_out(HER, greeting.mid, desk).say.text
    assert {account for account, _, _ in desk.opt_outs.found} == {"acme"}


@pytest.mark.parametrize(
    ("caller", "mid"), [(HIS, "8"), (HER, "77"), (HER, ""), (HIS, ""), (HER, "none"), (HER, "8" * 20)]
)
def test_nobody_opts_out_for_another_number(desk, caller, mid):
    assert opt_out(caller, mid, desk) is None
    assert desk.opt_outs.found == {}


def test_a_message_of_a_release_without_digests_opts_nobody_out(desk):
    desk.called.calls.append(LastCall("9", "acme", "Shop", ""))
    assert opt_out(HER, "9", desk) is None


def test_a_call_back_counts_as_much_as_a_key(desk):
    assert outweighs(By.CALL_BACK, By.API)
    assert not outweighs(By.API, By.CALL_BACK)
    assert not outweighs(By.KEY, By.CALL_BACK)
    assert not outweighs(By.CALL_BACK, By.KEY)


@pytest.mark.parametrize(("given", "shown"), [(HER, HER), (HER[1:], HER), ("+12065550100", "+12065550100")])
def test_a_number_is_known_with_and_without_its_plus(given, shown):
    assert shown_number(given) == shown


def test_every_text_of_ours_can_be_spoken_by_both_providers():
    texts = [text for name, text in vars(rules).items() if name.isupper() and isinstance(text, str) and " " in text]
    assert len(texts) == 6
    for text in texts:
        assert len(text) <= MOST_CALL_BACK_TEXT
        assert text.count(SENDER) <= MOST_SENDERS_IN_TEXT
    longest = 64  # of a `from`
    assert MOST_CALL_BACK_TEXT + MOST_SENDERS_IN_TEXT * (longest - len(SENDER)) < 1000  # the Chime SDK's limit
