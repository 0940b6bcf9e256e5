"""Audio files of any common format as 8 kHz mono samples, by FFmpeg (PyAV). A program of its own, for one file.

    file ─► stdin ─► what it is, by its first bytes ─► that demuxer, an audio decoder ─► resampled ─► stdout

The files come from strangers, and what reads them is a million lines of C. So `decode_audio` runs this in a process
that has no credentials, may write no file, and has a limit on time and memory. Only the demuxers and decoders listed
here take part (others open what a file names: playlists, references); what a file says of itself decides nothing.
"""

import io
import json
import re
import resource
import sys
from typing import Any

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from speechcall.adapters.audio_kind import DEMUXERS, NAMES, Refused, kind_of

MAX_SECONDS = 300
SAMPLE_RATE = 8000
LEAST_RATE, MOST_RATE = 4000, 192_000
MOST_CHANNELS = 8
CPU_SECONDS = 20
MEMORY_BYTES = 1536 * 1024 * 1024
MAX_DAMAGED_PACKETS = 1000
MOST_PADDING_SECONDS = 0.3

_CODECS = (
    "pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,"
    "pcm_mulaw,pcm_alaw,adpcm_ms,adpcm_ima_wav,gsm_ms,mp3float,mp3,mp2float,mp2,flac,vorbis,opus,libopus,speex,libspeex,"
    "aac,alac,amrnb,amrwb,wmav1,wmav2"
)
# Four samples in a row at the very end of the scale: a sine at full scale has one, a clipped recording many.
_ENDS = (b"\xff\x7f" * 4, b"\x00\x80" * 4)
_CLIPPED = re.compile(rb"(?s)(?:\xff\x7f){4,}|(?:\x00\x80){4,}")


def main() -> None:
    """stdin: the file. stdout: one line of JSON, then the samples as 32-bit floats, unless it says `refused`."""
    _limit()
    output = sys.stdout.buffer
    try:
        facts, samples = decode(sys.stdin.buffer.read())
    except Refused as refusal:
        output.write(json.dumps({"refused": str(refusal)}).encode())
        return
    output.write(json.dumps(facts).encode() + b"\n")
    output.write(samples)


def decode(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The samples of a file, 8 kHz mono, 32-bit floats; and what was found: `rate`, `channels`, `codec`, `damaged`, …

    `clipped` is the share of the samples that stand at the end of the scale in rows. Raises Refused.
    """
    kind = kind_of(content)
    try:
        with av.open(io.BytesIO(content), format=kind, options=_only(kind), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise Refused("the file holds no sound")
            return _Decoding(container, kind).run()
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise Refused(f"the file begins like {NAMES[kind]}, and cannot be read as such ({_reason(error)})") from error


def _only(kind: str) -> dict[str, str]:
    """This demuxer, decoders of sound, and no protocol: nothing in a file may lead to another one."""
    return {
        "format_whitelist": DEMUXERS.get(kind, kind),
        "codec_whitelist": _CODECS,
        "protocol_whitelist": "none",
    }


class _Decoding:
    def __init__(self, container: Any, kind: str) -> None:
        self._container, self._kind = container, kind
        self._stream = container.streams.audio[0]
        self._stream.codec_context.thread_count = 1
        self._samples = bytearray()
        self._damaged = 0
        self._clipped = self._measured = 0
        self._facts: dict[str, Any] = {}
        self._resampler: AudioResampler | None = None
        self._flat: AudioResampler | None = None
        self._shape: tuple[Any, ...] = ()

    def run(self) -> tuple[dict[str, Any], bytes]:
        for packet in self._container.demux(self._stream):
            try:
                frames = packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError as error:
                self._count_damage(error)
                continue
            for frame in frames:
                self._take(frame)
        self._flush()
        if not self._samples:
            raise Refused(f"the file has no sound that can be decoded{' (it is damaged)' if self._damaged else ''}")
        codec = self._stream.codec_context.name
        expected = self._container.duration / av.time_base if self._container.duration else None
        clipped = self._clipped / self._measured if self._measured else 0.0
        facts = {"codec": codec, "damaged": self._damaged, "clipped": clipped, "expected_seconds": expected}
        return {**self._facts, **facts}, bytes(self._samples[: self._end(expected)])

    def _end(self, expected_seconds: float | None) -> int:
        """Where the sound ends: its last block is filled up, and an edit list or a count of samples says how far."""
        end = len(self._samples)
        if expected_seconds is None or self._kind not in ("mov", "wav"):
            return end
        meant = round(expected_seconds * SAMPLE_RATE) * 4
        return meant if 0 < end - meant < MOST_PADDING_SECONDS * SAMPLE_RATE * 4 else end

    def _count_damage(self, error: av.error.FFmpegError) -> None:
        self._damaged += 1
        if self._damaged > MAX_DAMAGED_PACKETS:
            raise Refused(f"the file is damaged all over ({_reason(error)})")

    def _take(self, frame: AudioFrame) -> None:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # at the beginning; and where streams were put one behind the other
            self._check(frame)
            self._flush()
            self._shape = shape
            self._facts = self._facts or {"rate": frame.sample_rate, "channels": len(frame.layout.channels)}
            # A longer filter than usual, for a sharp edge below the 4 kHz of a telephone.
            options = {"filter_size": "64", "cutoff": "0.96"}
            self._resampler = AudioResampler("flt", "mono", SAMPLE_RATE, options=options)
            self._flat = AudioResampler("s16p")
        self._count_clipped(frame)
        frame.pts = None  # gaps in the time stamps are no silence
        if self._resampler is not None:
            self._keep(self._resampler.resample(frame))

    def _check(self, frame: AudioFrame) -> None:
        rate, channels = frame.sample_rate, len(frame.layout.channels)
        if not LEAST_RATE <= rate <= MOST_RATE:
            raise Refused(f"the audio has {rate} samples a second; {LEAST_RATE} to {MOST_RATE} can be used")
        if not 1 <= channels <= MOST_CHANNELS:
            raise Refused(f"the audio has {channels} channels; 1 to {MOST_CHANNELS} can be used")

    def _count_clipped(self, frame: AudioFrame) -> None:
        pts, frame.pts = frame.pts, None
        for flat in self._flat.resample(frame) if self._flat else ():
            for plane in flat.planes:
                data = bytes(plane)[: flat.samples * 2]
                self._measured += flat.samples
                if any(end in data for end in _ENDS):  # most audio has none, and this is a hundred times faster
                    rows = (match for match in _CLIPPED.finditer(data) if match.start() % 2 == 0)
                    self._clipped += sum(len(match[0]) // 2 for match in rows)
        frame.pts = pts

    def _flush(self) -> None:
        if self._resampler is not None:
            self._keep(self._resampler.resample(None))

    def _keep(self, frames: list[AudioFrame]) -> None:
        for frame in frames:
            self._samples += bytes(frame.planes[0])[: frame.samples * 4]
        if len(self._samples) > MAX_SECONDS * SAMPLE_RATE * 4:
            raise Refused("the audio lasts five minutes or more; less than that can be played")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _limit() -> None:
    """Limits of this process: a file can make a decoder work and allocate far more than its size lets expect."""
    for limit, value in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):  # macOS knows no limit of memory; what is there is bounded less
            continue


if __name__ == "__main__":
    main()
