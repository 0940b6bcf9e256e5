"""µ-law, held to what FFmpeg makes of the same samples."""

from array import array

import av

from speechcall.prompts.rules.mu_law import linear, mu_law


def by_ffmpeg(samples):
    codec = av.CodecContext.create("pcm_mulaw", "w")
    codec.sample_rate, codec.layout, codec.format = 8000, "mono", "s16"
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = 8000
    return b"".join(bytes(packet) for packet in codec.encode(frame))


def test_every_sample_has_the_byte_that_ffmpeg_gives_it_or_on_the_edge_of_two_the_other():
    samples = array("h", range(-32768, 32768))
    ours, theirs = mu_law(samples), by_ffmpeg(samples)
    differing = [(one, other) for one, other in zip(ours, theirs, strict=True) if one != other]
    # FFmpeg takes the nearer byte; the standard's decision values lie elsewhere where the steps' size changes.
    assert len(differing) < 0.02 * len(samples)
    assert {abs(one - other) for one, other in differing} <= {1}


def test_the_known_values_of_the_standard():
    samples = array("h", [0, 32767, -32768, 1000, -1000])
    assert mu_law(samples) == bytes([0xFF, 0x80, 0x00, 0xCE, 0x4E])
    assert list(linear(b"\xff\x7f\x80\x00")) == [0.0, 0.0, 32124 / 32768, -32124 / 32768]


def test_what_was_encoded_once_stays_as_it_is():
    every = bytes(range(256))
    again = mu_law(array("h", (round(value * 32768) for value in linear(every))))
    assert again.replace(b"\x7f", b"\xff") == every.replace(b"\x7f", b"\xff")
