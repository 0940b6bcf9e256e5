"""Amazon Polly: text in, telephone audio out."""

from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from speechcall.menus.rules.speech import Say
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.wav import SAMPLE_RATE, wav_file
from speechcall.shared.adapters.settings import AWS_CONFIG
from speechcall.shared.rules.errors import PromptUnavailable, PromptUnreachable

POLLY_CONFIG = AWS_CONFIG.merge(Config(read_timeout=10))
"""Speech begins to come within a second or two, and then comes faster than it is spoken."""

_FORMAT = {Encoding.MU_LAW: "mulaw", Encoding.PCM_16: "pcm"}
_HOPELESS = {
    "EngineNotSupportedException",
    "InvalidSampleRateException",
    "LanguageNotSupportedException",
    "TextLengthExceededException",
    "ValidationException",
}


class PollySpeaker:
    """Speaks in the encoding that the telephony plays.

    Polly gives mulaw at 8000 Hz, and pcm (16 bits, mono, little-endian) at 8000 or 16000 Hz, both without a header
    (API reference, SynthesizeSpeech: OutputFormat and SampleRate).
    """

    def __init__(self, client: Any, encoding: Encoding) -> None:
        self._client, self._encoding = client, encoding

    def speak(self, say: Say) -> bytes:
        """A WAV file, 8 kHz, mono. Raises PromptUnavailable, and PromptUnreachable for what may pass.

        The errors' sentences never hold the text.
        """
        try:
            answer = self._client.synthesize_speech(
                Engine=say.engine,
                LanguageCode=say.language,
                VoiceId=say.voice,
                OutputFormat=_FORMAT[self._encoding],
                SampleRate=str(SAMPLE_RATE),
                TextType="text",
                Text=say.text,
            )
            samples: bytes = answer["AudioStream"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _HOPELESS:
                raise PromptUnavailable(f"the text cannot be spoken: {error.response['Error']['Message']}") from None
            raise PromptUnreachable(f"the text could not be spoken: Amazon Polly answered {code}") from None
        except (BotoCoreError, OSError) as error:
            kind = type(error).__name__
            raise PromptUnreachable(f"the text could not be spoken: Amazon Polly did not answer ({kind})") from None
        return wav_file(samples, self._encoding)
