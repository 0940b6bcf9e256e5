"""Decoded frames as 8 kHz mono samples: every channel mixed in, and nothing but numbers that are near full scale."""

import errno
import math
import re
from array import array
from typing import Any

import av
import av.error
import av.filter
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from speechcall.prompts.adapters.audio_kind import Refused

SAMPLE_RATE = 8000
LEAST_RATE, MOST_RATE = 4000, 192_000
MOST_CHANNELS = 8
USUAL_PEAK = 16.0
"""Times full scale: 24 dB over it is no recording, but a number that went wrong, or one of another scale."""

_FLOATS = {"flt", "fltp", "dbl", "dblp"}
# Four samples in a row at the very end of the scale: a sine at full scale has one, a clipped recording many.
_ENDS = (b"\xff\x7f" * 4, b"\x00\x80" * 4)
_CLIPPED = re.compile(rb"(?s)(?:\xff\x7f){4,}|(?:\x00\x80){4,}")


class Mixer:
    """Frames of one rate, layout and format into one channel at 8 kHz.

    The mean of all channels: a matrix made for loudspeakers leaves some out (the low one, those it does not know).
    """

    def __init__(self) -> None:
        self._graph: Any = None

    def mix(self, frame: AudioFrame | None) -> bytes:
        """The samples that come out for a frame that goes in, as 32-bit floats; None: the last ones."""
        if self._graph is None:
            if frame is None:
                return b""
            self._graph = _graph_for(frame)
        self._graph.push(frame)
        samples = bytearray()
        while True:
            try:
                samples += _content(self._graph.pull(), 4)
            except av.error.FFmpegError as error:
                # It wants the next frame, or has given its last samples.
                if isinstance(error, EOFError) or error.errno == errno.EAGAIN:
                    return bytes(samples)
                raise


def _graph_for(like: AudioFrame) -> Any:
    """An FFmpeg filter graph from frames such as `like` to mono floating-point samples at the telephone's rate."""
    channels = like.layout.nb_channels
    graph = av.filter.Graph()
    source = graph.add(
        "abuffer",
        sample_rate=str(like.sample_rate),
        sample_fmt=like.format.name,
        channel_layout=like.layout.name,
        time_base=f"1/{like.sample_rate}",
    )
    graph.link_nodes(
        source,
        graph.add("aformat", sample_fmts="flt"),
        graph.add("pan", "mono|c0=" + "+".join(f"{1 / channels}*c{index}" for index in range(channels))),
        # A longer filter than usual, for a sharp edge below the 4 kHz of a telephone.
        graph.add("aresample", sample_rate=str(SAMPLE_RATE), filter_size="64", cutoff="0.96"),
        graph.add("aformat", sample_fmts="flt", sample_rates=str(SAMPLE_RATE), channel_layouts="mono"),
        graph.add("abuffersink"),
    )
    graph.configure()
    return graph


class Clipping:
    """Counts the samples that stand in rows at the end of the scale, as those of a clipped recording do."""

    def __init__(self) -> None:
        self._clipped = self._measured = 0
        self.begin()

    def begin(self) -> None:
        """Frames of another shape follow."""
        self._flat = AudioResampler("s16")

    @property
    def share(self) -> float:
        """What share of all samples stands in such rows."""
        return self._clipped / self._measured if self._measured else 0.0

    def count(self, frame: AudioFrame) -> None:
        """Counts the samples of a frame, and those in rows. It leaves the frame as it was."""
        pts, frame.pts = frame.pts, None
        for flat in self._flat.resample(frame):
            samples, channels = array("h", _content(flat, 2)), flat.layout.nb_channels
            self._measured += len(samples)
            for channel in range(channels):
                data = samples[channel::channels].tobytes()
                if any(end in data for end in _ENDS):  # most audio has none, and this is a hundred times faster
                    # Only matches that begin with a sample, which has two bytes.
                    rows = (match for match in _CLIPPED.finditer(data) if match.start() % 2 == 0)
                    self._clipped += sum(len(match[0]) // 2 for match in rows)
        frame.pts = pts


class Usual:
    """Makes silence of samples that are no numbers, or above `most` times full scale, and counts them."""

    def __init__(self, most: float) -> None:
        self._most = most
        self.odd = 0
        self.begin()

    def begin(self) -> None:
        """Frames of another shape follow."""
        self._packed = AudioResampler("flt")

    def made(self, frame: AudioFrame) -> list[AudioFrame]:
        """A frame of whole numbers, which are always usual, as it is; of floating-point ones, what it becomes."""
        if frame.format.name not in _FLOATS:
            return [frame]
        frame.pts = None
        packed = self._packed.resample(frame)
        for one in packed:
            samples = array("f", _content(one, 4))
            if not are_usual(samples, self._most):
                usual = array("f", [value if -self._most <= value <= self._most else 0.0 for value in samples])
                self.odd += sum(1 for before, after in zip(samples, usual, strict=True) if before != after)
                one.planes[0].update(usual.tobytes().ljust(one.planes[0].buffer_size, b"\0"))
        return packed


def _content(packed: AudioFrame, width: int) -> bytes:
    """The samples of a frame whose channels are not apart.

    PyAV must not be asked for the planes of one whose channels are: it looks for their end in what comes behind them,
    and with eight of them reads memory that is not theirs.
    """
    return bytes(packed.planes[0])[: packed.samples * packed.layout.nb_channels * width]


def check_shape(frame: AudioFrame) -> None:
    """Raises Refused for a rate or a number of channels that cannot be used."""
    rate, channels = frame.sample_rate, frame.layout.nb_channels
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise Refused(f"the audio has {rate} samples a second; {LEAST_RATE} to {MOST_RATE} can be used")
    if not 1 <= channels <= MOST_CHANNELS:
        raise Refused(f"the audio has {channels} channels; 1 to {MOST_CHANNELS} can be used")


def are_usual(samples: "array[float]", most: float) -> bool:
    """Whether all are numbers, of at most `most` times full scale."""
    # One sample that is no number or infinite makes the sum so too; finite ones of 32 bits never do.
    return not samples or (math.isfinite(sum(samples)) and -most <= min(samples) and max(samples) <= most)
