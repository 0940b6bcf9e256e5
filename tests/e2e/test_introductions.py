"""Introductions in a call: from a URL, and how they and the idle timeout follow each other."""

from local import seed
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, telephone_wav

PLAYBACK = 8.0
IDLE_SECONDS = 1.0


class Silent:
    """Answers, and never presses a key."""

    def take(self, phone):
        phone.answer()


def entry_of(cloud, mid, kind):
    return next(entry for entry in cloud.journal.entries(mid) if entry["kind"] == kind)


def test_the_idle_timeout_begins_when_the_introduction_has_ended_however_long_it_is():
    with running(Silent(), carrier={"playback": PLAYBACK}) as cloud:
        # Given prompts of 1 and 20 seconds, played eight times as fast; the idle timeout is not
        for seconds in (1, 20):
            seed.put_prompt(cloud.template, f"of-{seconds}", telephone_wav(seconds))
        menus = {seconds: menu(f"of-{seconds}", round(IDLE_SECONDS * 1000), wrong=[HANGUP]) for seconds in (1, 20)}
        mids = {seconds: Client(cloud.url).send([message(one)])[0] for seconds, one in menus.items()}
        # When nobody presses a key
        for mid in mids.values():
            assert finished(cloud, mid)["reason"] == "completed"
        for seconds, mid in mids.items():
            begun, listening, silence = (entry_of(cloud, mid, kind) for kind in ("prompt", "listening", "silence"))
            # Then the whole prompt was played, and the whole idle timeout waited behind it
            assert begun["seconds"] == seconds / PLAYBACK
            assert listening["at"] - begun["at"] >= seconds / PLAYBACK - 0.05
            assert silence["at"] - listening["at"] >= IDLE_SECONDS - 0.05
            assert listening["seconds"] == IDLE_SECONDS


def test_an_introduction_behind_a_url_is_heard():
    with running(Silent()) as cloud:
        (mid,) = Client(cloud.url).send([message(menu("https://example.com/welcome.mp3", 1000, wrong=[HANGUP]))])
        assert finished(cloud, mid)["reason"] == "completed"
        heard = entry_of(cloud, mid, "prompt")
    assert round(heard["seconds"], 1) == 3.6
