"""How loud a prompt is, and by how much it is changed."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.prompts.rules.loudness import MOST_GAIN_DB, PEAK_DB, TARGET_DB, UNCHANGED_DB, gain_db, measure, scaled


def tone(level_db, seconds=1.0):
    """A sine of this level: its peak is 3 dB higher."""
    loudness = math.sqrt(2) * 10 ** (level_db / 20)
    return array("f", (loudness * math.sin(0.7 * index) for index in range(round(8000 * seconds))))


SILENCE = array("f", [0.0]) * 8000


@pytest.mark.parametrize("level", [-50, -20, -6])
def test_the_level_of_a_tone_is_its_level(level):
    found = measure(tone(level))
    assert found.level_db == pytest.approx(level, abs=0.1)
    assert found.peak_db == pytest.approx(level + 3, abs=0.1)


@pytest.mark.parametrize("pause", [1, 5])
def test_pauses_do_not_count(pause):
    found = measure(SILENCE * pause + tone(-20, 2) + SILENCE * pause + tone(-20, 2))
    assert found.level_db == pytest.approx(-20, abs=0.7)
    assert found.silent_at_start == pause
    assert found.silent_at_end == 0


def test_what_is_much_softer_than_the_rest_does_not_count():
    assert measure(tone(-20, 3) + tone(-40, 3)).level_db == pytest.approx(-20, abs=0.7)


def test_silence_has_no_level_and_is_left_as_it_is():
    found = measure(SILENCE)
    assert found.level_db is None
    assert found.silent_at_start == 1.0
    assert gain_db(found) == 0.0


@pytest.mark.parametrize(
    ("level", "gain"),
    [
        (TARGET_DB, 0),
        (TARGET_DB + UNCHANGED_DB / 2, 0),
        (TARGET_DB - 6, 6),
        (TARGET_DB + 6, -6),
        (TARGET_DB - MOST_GAIN_DB - 5, MOST_GAIN_DB),
    ],
)
def test_the_gain_leads_to_the_target(level, gain):
    assert gain_db(measure(tone(level))) == pytest.approx(gain, abs=0.1)


def test_a_short_sound_has_a_level_too():
    assert measure(tone(-20, 0.05)).level_db == pytest.approx(-20, abs=0.5)


@given(st.lists(st.floats(-4, 4, width=32), min_size=1, max_size=3000))
def test_no_peak_is_cut_off_and_nothing_breaks(values):
    samples = array("f", values)
    gain = gain_db(measure(samples))
    assert gain <= MOST_GAIN_DB
    highest = max(map(abs, scaled(samples, gain)))
    if gain:
        assert highest <= 32767 * 10 ** (PEAK_DB / 20) + 1
    assert highest <= 32767


@pytest.mark.parametrize("offset", [0.004, 0.3, -0.9])
def test_a_constant_is_not_heard(offset):
    found = measure(array("f", [offset]) * 20_000)
    assert found.level_db is None
    assert found.silent_at_start == 2.5
    assert gain_db(found) == 0.0


@pytest.mark.parametrize("offset", [0.02, -0.3])
def test_an_offset_of_a_recording_is_no_part_of_its_level_and_hides_no_pause(offset):
    spoken = SILENCE * 3 + tone(-30, 2) + SILENCE * 4
    found, without = measure(array("f", (sample + offset for sample in spoken))), measure(spoken)
    assert found.level_db == pytest.approx(without.level_db, abs=0.05)
    assert found.silent_at_start == without.silent_at_start
    assert found.silent_at_end == without.silent_at_end
    assert found.peak_db == pytest.approx(20 * math.log10(max(max(spoken) + offset, -min(spoken) - offset)), abs=0.01)
