"""Audio files of any common format as 8 kHz mono samples, by FFmpeg (PyAV). A program of its own, for one file.

    file ─► stdin ─► what it is, by its first bytes ─► true sizes ─► that demuxer, an audio decoder ─► mixed ─► stdout

The files come from strangers, and what reads them is a million lines of C. So `decode_audio` runs this in a process
that has no credentials, may write no file, and has a limit on time and memory. Only the demuxers and decoders listed
here take part (others open what a file names: playlists, references); what a file says of itself decides nothing.
"""

import io
import json
import resource
import sys
from array import array
from typing import Any

import av
import av.error
from av.audio.frame import AudioFrame

from speechcall.prompts.adapters.audio_codecs import CODECS, PAUSE_SECONDS, decoder_of, is_pause
from speechcall.prompts.adapters.audio_frames import (
    SAMPLE_RATE,
    USUAL_PEAK,
    Clipping,
    Mixer,
    Usual,
    are_usual,
    check_shape,
)
from speechcall.prompts.adapters.audio_kind import DEMUXERS, NAMES, Refused, kind_of
from speechcall.prompts.adapters.audio_sizes import stated_length, with_true_sizes

MAX_SECONDS = 300
CPU_SECONDS = 20
MEMORY_BYTES = 1536 * 1024 * 1024
MAX_DAMAGED_PACKETS = 1000
MOST_PADDING_SECONDS = 0.3
MOST_ODD_SHARE = 0.01
"""So much of a file may be silenced because it is no number, or far above full scale; one with more is no recording."""
LARGEST_SCALE = 2.0**31
"""The largest scale of whole numbers: some programs write them as floating-point numbers as they are."""


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
    """What was found in a file, by the names of `Decoded` (`make_audio`), with `codec` and `channels`; and its samples:
    8 kHz mono, 32-bit floats.

    `clipped`: the share of samples at full scale with others at full scale next to them. Each sample is a finite number
    of at most 2^31 times full scale. Raises Refused; MemoryError, which ends this process.
    """
    kind, start = kind_of(content)
    sized = with_true_sizes(content[start:], kind)
    try:
        facts, samples = _decoded(sized.content, kind)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # whatever PyAV raises, it was these bytes that led it there
        raise Refused(f"the file begins like {NAMES[kind]}, and cannot be read as such ({_reason(error)})") from error
    facts["missing_seconds"] = (sized.times - 1) * len(samples) / 4 / SAMPLE_RATE
    return facts, samples


def _decoded(content: bytes, kind: str) -> tuple[dict[str, Any], bytes]:
    """The sound, and what was found. Raises Refused.

    Where samples are no numbers or far too large, it is decoded again with these silenced, if they are few: first by
    the usual scale, then by that of whole numbers.
    """
    for most in (None, USUAL_PEAK, LARGEST_SCALE):
        with av.open(io.BytesIO(content), format=kind, options=_only(kind), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise Refused("the file holds no sound")
            if container.streams.audio[0].codec_context is None:
                raise Refused("the sound in the file is in a form that cannot be decoded")
            decoding = _Decoding(container, kind, most)
            facts, samples = decoding.run(stated_length(content, kind, _length_of(container)))
        if most is None and are_usual(array("f", samples), USUAL_PEAK):
            return facts, samples
        if most is not None and decoding.odd_share <= MOST_ODD_SHARE:
            return facts, samples
    raise Refused("too many of the samples are no numbers that can be played")


def _length_of(container: Any) -> float | None:
    return container.duration / av.time_base if container.duration else None


def _only(kind: str) -> dict[str, str]:
    """FFmpeg's options: this demuxer, decoders of sound, no protocol: nothing in a file may lead to another one."""
    return {
        "format_whitelist": DEMUXERS.get(kind, kind),
        "codec_whitelist": CODECS,
        "protocol_whitelist": "none",
    }


class _Decoding:
    """The sound of one file, once. `most`: what is above it, or no number, becomes silence; None: nothing does."""

    def __init__(self, container: Any, kind: str, most: float | None) -> None:
        self._container, self._kind = container, kind
        self._stream = container.streams.audio[0]
        self._codec = decoder_of(self._stream.codec_context)
        self._samples = bytearray()
        self._damaged = self._all = 0  # parts not decoded, or with odd samples; all samples of all channels
        self._usual = None if most is None else Usual(most)
        self._facts: dict[str, Any] = {}
        self._mixer = Mixer()
        self._clipping = Clipping()
        self._shape: tuple[Any, ...] = ()  # of the frames so far: format, layout and rate

    @property
    def odd_share(self) -> float:
        """What share of the samples was silenced."""
        return self._usual.odd / self._all if self._usual and self._all else 0.0

    def run(self, stated_seconds: float | None) -> tuple[dict[str, Any], bytes]:
        """What was found, and the samples. `stated_seconds`: how long the file says that it lasts; None: it does not.

        Raises Refused.
        """
        for packet in self._container.demux(self._stream):
            try:
                # The last packet is empty: it has the decoder give what it still holds.
                frames = self._codec.decode(packet if packet.size else None)
            except av.error.EOFError:
                break
            except av.error.FFmpegError as error:
                self._take_undecoded(bytes(packet), error)
                continue
            for frame in frames:
                self._take(frame)
        self._flush()
        if not self._samples:
            raise Refused(f"the file has no sound that can be decoded{' (it is damaged)' if self._damaged else ''}")
        facts = {
            "codec": self._codec.name,
            "damaged": self._damaged,
            "clipped": self._clipping.share,
            "expected_seconds": stated_seconds,
        }
        # MP4 has it in an edit list, WAV in a count of samples.
        length = {"mov": stated_seconds, "wav": _length_of(self._container)}.get(self._kind)
        return {**self._facts, **facts}, bytes(self._samples[: self._end(length)])

    def _end(self, length: float | None) -> int:
        """Where the sound ends, in bytes: a codec pads its last block, and `length` (seconds) says how far it is sound.

        A `length` that is further from the end than padding can be is not believed.
        """
        end = len(self._samples)
        if length is None:
            return end
        meant = round(length * SAMPLE_RATE) * 4
        return meant if 0 < end - meant < MOST_PADDING_SECONDS * SAMPLE_RATE * 4 else end

    def _take_undecoded(self, packet: bytes, error: av.error.FFmpegError) -> None:
        """Keeps 20 ms of silence for a packet that was refused, if it is a pause; else counts it as damaged.

        Raises Refused if more than MAX_DAMAGED_PACKETS are damaged.
        """
        if is_pause(self._codec, packet):
            self._keep(bytes(round(PAUSE_SECONDS * SAMPLE_RATE) * 4))
            return
        self._damaged += 1
        if self._damaged > MAX_DAMAGED_PACKETS:
            raise Refused(f"the file is damaged all over ({_reason(error)})")

    def _take(self, frame: AudioFrame) -> None:
        """Takes in one decoded frame: mixed to mono and kept. A new shape of frames begins a new mixer.

        Raises Refused for a shape that cannot be used, and for too much sound.
        """
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # at the beginning; and where streams were put one behind the other
            check_shape(frame)
            self._flush()
            self._shape = shape
            self._facts = self._facts or {"rate": frame.sample_rate, "channels": frame.layout.nb_channels}
            self._mixer = Mixer()
            self._clipping.begin()
            if self._usual is not None:
                self._usual.begin()
        self._all += frame.samples * frame.layout.nb_channels
        for usual in self._made_usual(frame):
            self._clipping.count(usual)
            usual.pts = None  # gaps in the time stamps are no silence
            self._keep(self._mixer.mix(usual))

    def _made_usual(self, frame: AudioFrame) -> list[AudioFrame]:
        """The frames that a frame becomes where odd samples are silenced; one that had any counts as damaged."""
        if self._usual is None:
            return [frame]
        before = self._usual.odd
        frames = self._usual.made(frame)
        self._damaged += self._usual.odd > before
        return frames

    def _flush(self) -> None:
        self._keep(self._mixer.mix(None))

    def _keep(self, samples: bytes) -> None:
        self._samples += samples
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
