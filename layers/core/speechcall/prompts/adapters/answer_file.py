"""GET /bat/audio/{introId}/file: a prompt's audio, or where it can be had."""

from typing import TYPE_CHECKING

from speechcall.api.adapters.http_answers import MOST_BYTES, Answer, answer_bytes, answer_json
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.prompts.rules.prompt import Prompt
from speechcall.prompts.use_cases.manage_audio import no_audio

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

URL_SECONDS = 60
"""How long the URL is good."""


def answer_file(prompt: Prompt, audio: S3Audio, signer: "S3Client") -> Answer:
    """The audio; where it is too large for a function's answer, a URL of it that `signer` makes. Raises NotFound."""
    if prompt.size > MOST_BYTES:
        url = audio.signed_url(prompt.uri, URL_SECONDS, signer)
        return answer_json(307, {"url": url}, {"Location": url})
    if (content := audio.find(prompt.uri)) is None:
        raise no_audio()
    return answer_bytes(200, content, "audio/wav")
