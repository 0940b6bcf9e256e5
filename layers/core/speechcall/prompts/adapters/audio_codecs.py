"""The decoders of sound that take part, and what to do where one lacks a part of its format."""

from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext

CODECS = (
    "pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_mulaw,pcm_alaw,adpcm_ms,adpcm_ima_wav,gsm_ms,mp3float,mp3,mp2float,mp2,flac,vorbis,opus,libopus,speex,libspeex,"
    "aac,alac,libopencore_amrnb,libopencore_amrwb,amrnb,amrwb,wmav1,wmav2"
)
PAUSE_SECONDS = 0.02

_WHOLE = {"amrnb": ("libopencore_amrnb", 8000), "amrwb": ("libopencore_amrwb", 16_000)}
"""FFmpeg's own lack pauses: comfort noise (SID), and frames without data, which a telephone's recorder leaves (DTX)."""
_SPEECH = {"amrnb": range(8), "amrwb": range(9)}
"""The types of frames, four bits of a frame's first byte, that are speech (3GPP TS 26.101 and 26.201)."""


def decoder_of(given: AudioCodecContext) -> AudioCodecContext:
    """The decoder of a stream; where it lacks a part of its format and another decoder does not, that one."""
    name, rate = _WHOLE.get(given.name, ("", 0))
    if name not in av.codec.codecs_available:
        given.thread_count = 1
        return given
    decoder = cast("AudioCodecContext", AudioCodecContext.create(name, "r"))
    decoder.sample_rate, decoder.layout = rate, "mono"
    return decoder


def is_pause(decoder: AudioCodecContext, packet: bytes) -> bool:
    """Whether a packet that a decoder has refused is a pause of 20 ms, which this decoder does not know."""
    speech = _SPEECH.get(decoder.name)
    return speech is not None and bool(packet) and packet[0] >> 3 & 0xF not in speech
