"""Who was called calls back: hears who it was, presses 9, and is not called again."""

from dataclasses import replace

import boto3
import httpx
import pytest

from local.cloud import seed
from local.cloud.simulated_providers import RINGING
from local.network.shared.scripted_callees import Script, busy
from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import CallBack
from speechcall.callbacks.rules.call_back import NOBODY, WITHHELD
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running
from tests.kit.audio_files import Kind, encode, sound

HER, HIS, OURS = "+380671234567", "+380671234568", "+4930123456"
WAIT = 20.0
WAV = Kind("wav", "pcm_s16le", 16_000)
TELEPHONIES = [pytest.param(name, id=name.value) for name in RINGING]


def spoken(cloud, contact_id):
    return [entry["text"] for entry in cloud.journal.entries() if is_of(entry, contact_id, "spoken")]


def is_of(entry, contact_id, kind):
    return entry["kind"] == kind and entry.get("contact_id") == contact_id


def call_back(cloud, number=HER, *keys):
    """Calls our number, presses keys when they are listened for, and waits for the end; what was said."""
    with httpx.Client(base_url=cloud.url, timeout=WAIT, trust_env=False) as page:
        given = page.post("/phone/call-back", json={"number": number, "dialled": OURS})
        contact_id = given.json()["contact_id"]
        phone = cloud.carrier.contacts.get(contact_id).phone
        for block, key in enumerate(keys):
            assert phone.wait_for_input(block, WAIT)
            assert page.post(f"/phone/calls/{contact_id}/keys/{key}").status_code == 200
    assert phone.wait_until_ended(WAIT)
    cloud.journal.wait_for(lambda entry: is_of(entry, contact_id, "ended"), WAIT)
    return spoken(cloud, contact_id)


def found(cloud, number=HER):
    answer = httpx.post(
        f"{cloud.url}/bat/optout/find", json={"number": number}, auth=(seed.USER, seed.PASSWORD), timeout=WAIT
    )
    return answer.json()


def refused(cloud, number=HER):
    """Whether a message to a number is refused because it has opted out."""
    answer = Client(cloud.url).post([message(menu(wrong=[HANGUP]), to=number)])
    return answer.status_code >= 400 and "OPTED_OUT" in answer.text


@pytest.mark.parametrize("telephony", TELEPHONIES)
def test_who_was_called_calls_back_and_opts_out(telephony):
    with running(Script([busy()]), telephony=telephony, carrier={"playback": 20.0}) as cloud:
        # Nobody has called anybody yet.
        assert call_back(cloud) == [NOBODY]
        # A call that is missed, and that is to be repeated.
        redial = {"redial": {"attempts": 1, "afterSec": [3600], "on": ["busy"]}}
        (mid,) = Client(cloud.url).send([message(menu(wrong=[HANGUP]), to=HER, sender="Shop") | redial])
        cloud.journal.wait_for(lambda entry: entry["mid"] == mid and entry["kind"] == "ended", WAIT)
        # Who calls back hears who it was, and presses 9, though not at once.
        first, second, last = call_back(cloud, HER, "1", "9")
        assert first == second
        assert "Shop" in first
        assert last == "Shop will not call you again. Goodbye."
        stored = found(cloud)["optOut"]
        assert (stored["by"], stored["list"], stored["ending"]) == ("callBack", "", "67")
        # From now on nothing is accepted for this number. Others are not concerned.
        assert refused(cloud)
        assert call_back(cloud, HIS) == [NOBODY]
        assert call_back(cloud, "") == [WITHHELD]
        an_account_says_it_in_its_own_audio_and_a_hang_up_opts_out_nobody(cloud)
        assert [entry for entry in cloud.journal.entries() if entry["kind"] == "failure"] == []


def an_account_says_it_in_its_own_audio_and_a_hang_up_opts_out_nobody(cloud):
    audio, auth = encode(WAV, sound(WAV.rate, 2.0)), (seed.USER, seed.PASSWORD)
    assert httpx.put(f"{cloud.url}/bat/audio/who", content=audio, auth=auth, timeout=60).status_code == 200
    accounts = DynamoAccounts(boto3.client("dynamodb"), cloud.template.ref("RegistryTable"))
    (account,) = accounts.all()
    assert accounts.save(replace(account, call_back=CallBack(audio="who")), account)
    (mid,) = Client(cloud.url).send([message(menu(wrong=[HANGUP]), to=HIS)])
    assert finished(cloud, mid)["outcome"] == "busy"
    phone = cloud.carrier.contacts.call_in(HIS, OURS).phone
    assert phone.wait_for_input(0, WAIT)
    prompt = cloud.journal.wait_for(lambda entry: is_of(entry, phone.contact_id, "prompt"), WAIT)
    assert prompt["seconds"] == pytest.approx(0.1, abs=0.01)
    assert phone.hang_up()
    cloud.journal.wait_for(lambda entry: is_of(entry, phone.contact_id, "ended"), WAIT)
    assert spoken(cloud, phone.contact_id) == []
    assert not found(cloud, HIS)["optedOut"]
