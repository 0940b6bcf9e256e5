"""Amazon Polly of the laptop: SynthesizeSpeech, spoken by espeak-ng where that is installed.

The voices are espeak-ng's, one for each language, whatever voice is asked for; languages and formats are Polly's.
"""

import json
import shutil
import subprocess
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from speechcall.menus.rules.speech import VOICES
from speechcall.prompts.adapters.audio_sandbox import decode_audio
from speechcall.prompts.rules.loudness import scaled
from speechcall.prompts.rules.mu_law import mu_law
from speechcall.shared.rules.errors import PromptUnavailable

PROGRAM = "espeak-ng"
SECONDS = 8
MISSING = "the laptop speaks with espeak-ng, which is not there; install it (Debian: apt-get install espeak-ng)"

_OTHER_NAMES = {"arb": "ar", "es-MX": "es-419", "es-US": "es-419", "fr-BE": "fr-be", "pt-BR": "pt-br"}


class _Refused(Exception):
    """An error of Polly's: its name and its message."""


def answer_as_polly(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """A WSGI application: POST /v1/speech, as boto3 asks for it."""
    request = Request(environ)
    try:
        if (request.method, request.path) != ("POST", "/v1/speech"):
            raise _Refused("ValidationException", "The laptop's Polly has SynthesizeSpeech alone.")
        response = _speech(json.loads(request.get_data()))
    except _Refused as refusal:
        code, message = refusal.args
        response = Response(json.dumps({"message": message}), 400, {"x-amzn-ErrorType": code})
    return response(environ, start_response)


def espeak_voice(language: str) -> str:
    """What espeak-ng calls a language of Polly's."""
    if language in _OTHER_NAMES:
        return _OTHER_NAMES[language]
    return language[:5].lower() if language.startswith(("en-GB", "en-US")) else language.partition("-")[0]


def _speech(given: dict[str, Any]) -> Response:
    form, rate = given.get("OutputFormat"), given.get("SampleRate")
    if (form, rate) not in (("mulaw", "8000"), ("pcm", "8000")):
        raise _Refused("InvalidSampleRateException", f"The laptop's Polly has no {form} at {rate} Hz.")
    language, voice = given.get("LanguageCode", ""), given.get("VoiceId", "")
    if voice not in VOICES.get(language, ()):
        raise _Refused("LanguageNotSupportedException", f"The voice {voice} does not speak {language}.")
    try:
        heard = decode_audio(_spoken(given.get("Text", ""), espeak_voice(language)))
    except PromptUnavailable as error:
        raise _Refused("ValidationException", str(error)) from error
    pcm = scaled(heard.samples, 0.0)
    return Response(mu_law(pcm) if form == "mulaw" else pcm.tobytes(), content_type=f"audio/{form}")


def _spoken(text: str, voice: str) -> bytes:
    """A WAV file. The text comes by standard input: it must not be seen among the machine's processes."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise _Refused("EngineNotSupportedException", MISSING)
    command = [program, "-b", "1", "-v", voice, "--stdin", "--stdout"]
    try:
        return subprocess.run(command, input=text.encode(), capture_output=True, check=True, timeout=SECONDS).stdout
    except (subprocess.SubprocessError, OSError) as error:
        raise _Refused("ValidationException", f"espeak-ng did not speak: {type(error).__name__}") from error
