"""How a provider wants its audio. Apart from `wav`: what a callee waits for knows its provider, and reads no audio."""

from enum import Enum


class Encoding(Enum):
    """How a provider wants its samples: the WAV format's number, and the bits of a sample.

    Amazon Connect plays µ-law from S3 and nothing else (administrator guide, "Set up prompts to play from an S3
    bucket"); the Chime SDK's PlayAudio plays uncompressed PCM (developer guide, "PlayAudio").
    """

    MU_LAW = ("mulaw", 7, 8)
    PCM_16 = ("pcm16", 1, 16)

    def __init__(self, word: str, number: int, bits: int) -> None:
        self.word, self.number, self.bits = word, number, bits

    @classmethod
    def of(cls, word: str) -> "Encoding":
        """The encoding that a setting names: `mulaw` or `pcm16`. ValueError for another word."""
        for encoding in cls:
            if encoding.word == word:
                return encoding
        raise ValueError(f'there is no encoding "{word}"; mulaw and pcm16 are known')
