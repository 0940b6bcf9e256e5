"""The API's audio, as a customer's program uses it: over HTTP, on the laptop's cloud."""

import gzip
import json
import math
from array import array
from typing import Any

import boto3
import httpx
import pytest

from local.cloud import seed
from local.cloud.laptop_cloud import Cloud
from speechcall.prompts.adapters.prompts_store import DynamoPrompts
from speechcall.prompts.adapters.s3_audio import S3Audio
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.mu_law import linear
from speechcall.prompts.rules.wav import telephone_samples
from tests.kit.audio_containers import form, wav
from tests.kit.audio_files import Kind, encode, file_of, likeness

MP3 = Kind("mp3", "libmp3lame", 24_000, 2)


@pytest.fixture(scope="module")
def cloud():
    with Cloud() as cloud:
        yield cloud


@pytest.fixture(scope="module")
def api(cloud):
    with httpx.Client(base_url=cloud.url, auth=(seed.USER, seed.PASSWORD), timeout=60, trust_env=False) as client:
        yield client


def played(cloud, name):
    """What a telephone hears."""
    environment = cloud.template.functions["AudioFunction"].environment
    known = DynamoPrompts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"]).find(seed.ACCOUNT_ID, name)
    content = S3Audio(boto3.client("s3"), environment["PROMPTS_BUCKET"]).get(known.prompt.uri)
    return linear(telephone_samples(content, Encoding.MU_LAW))


def check(api, name):
    menu = {"introUrl": name, "dtmfActions": {"d1": [{"action": "hangup"}], "wrong": [{"action": "hangup"}]}}
    message = {"from": "Shop", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [menu]}
    return api.post("/bat/messagelist/check", json={"messages": [message]}).json()["messages"][0]


def test_a_small_file_is_the_body_and_is_heard(api, cloud):
    answer = api.put("/bat/audio/welcome", content=file_of(MP3), headers={"Content-Type": "audio/mpeg"})
    assert answer.status_code == 200
    told = answer.json()
    assert told["introId"] == "welcome"
    assert told["seconds"] == 2.0
    assert told["lastUsedAt"] is None
    assert told["warnings"] == []
    assert likeness(played(cloud, "welcome")) >= 0.98
    assert api.get("/bat/audio/welcome").json() == told
    assert told in api.get("/bat/audio").json()["audio"]
    assert check(api, "welcome")["status"] == "acceptable"


def test_what_the_telephone_plays_can_be_had(api, cloud):
    assert api.put("/bat/audio/played", content=file_of(MP3)).status_code == 200
    answer = api.get("/bat/audio/played/file")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert linear(telephone_samples(answer.content, Encoding.MU_LAW)) == played(cloud, "played")
    head = api.head("/bat/audio/played/file")
    assert (head.status_code, head.headers["content-type"], head.content) == (200, "audio/wav", b"")
    # What the stack carries itself is in another folder
    assert api.get("/bat/audio/ivr_651854/file").status_code == 200
    assert api.get("/bat/audio/none/file").status_code == 404
    # One that a function cannot answer with is had by a URL of its own
    environment = cloud.template.functions["AudioFunction"].environment
    prompts = DynamoPrompts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"])
    known = prompts.find(seed.ACCOUNT_ID, "played")
    prompts.put(seed.ACCOUNT_ID, known._replace(prompt=known.prompt._replace(size=4_500_001)))
    moved = api.get("/bat/audio/played/file")
    assert moved.status_code == 307
    fetched = httpx.get(moved.headers["location"], trust_env=False)
    assert (fetched.status_code, fetched.content) == (200, answer.content)
    # And one whose audio is gone is not there
    gone = known.prompt._replace(uri=known.prompt.uri.replace("/uploaded/", "/uploaded/no-"))
    prompts.put(seed.ACCOUNT_ID, known._replace(prompt=gone))
    assert api.get("/bat/audio/played/file").status_code == 404


def test_a_large_file_goes_to_a_url_of_its_own_without_credentials(api, cloud):
    content = file_of(Kind("wav", "pcm_s24le", 48_000))
    begun = api.post("/bat/audio/large/upload", json={"bytes": len(content)}).json()
    assert begun["url"].startswith(f"{cloud.url}/aws/")
    assert httpx.put(begun["url"], content=content, trust_env=False).status_code == 200
    answer = api.put("/bat/audio/large", params={"uploadId": begun["uploadId"]})
    assert answer.status_code == 200
    assert answer.json()["seconds"] == 2.0
    assert likeness(played(cloud, "large")) >= 0.98
    # Its file is gone
    assert api.put("/bat/audio/large", params={"uploadId": begun["uploadId"]}).status_code == 404


def test_what_is_odd_about_it_is_told_where_it_is_taken_and_where_it_is_named(api):
    silence = encode(Kind("flac", "flac", 8000), array("f", [0.0]) * 8000)
    told = api.put("/bat/audio/silent", content=silence).json()["warnings"]
    assert [warning["code"] for warning in told] == ["SILENT_AUDIO"]
    named = [one for one in check(api, "silent")["warnings"] if one["code"] != "NO_OPT_OUT_KEY"]
    assert [(one["code"], one["path"]) for one in named] == [("SILENT_AUDIO", "messages[0].menu[0].introUrl")]


def numbers(*samples):
    """A WAV file of floating-point numbers."""
    data = array("f", samples).tobytes()
    return wav(data, fmt=form(3, bits=32))


def test_samples_that_are_no_numbers_are_told_or_refused(api):
    answer = api.put("/bat/audio/odd", content=numbers(*[0.25, -0.25] * 4000, math.nan, math.inf, 1e38))
    assert answer.status_code == 200
    assert [one["code"] for one in answer.json()["warnings"]] == ["DAMAGED_AUDIO"]
    answer = api.put("/bat/audio/none", content=numbers(*[math.nan] * 4000))
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "UNUSABLE_AUDIO"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/bat/audio/text", b"Press one.", 422, "UNUSABLE_AUDIO"),
        ("PUT", "/bat/audio/empty", b"", 400, "INVALID_REQUEST"),
        ("PUT", "/bat/audio/a.b", b"RIFF", 400, "INVALID_REQUEST"),
        ("PUT", "/bat/audio/large", b"\0" * (4 * 1024 * 1024 + 1), 413, "PAYLOAD_TOO_LARGE"),
        ("PUT", "/bat/audio/none?uploadId=abcdefghijklmnopqrstuvwx", b"", 404, "NOT_FOUND"),
        ("PUT", "/bat/audio/none?uploadId=../../prompts", b"", 404, "NOT_FOUND"),
        ("POST", "/bat/audio/large/upload", b'{"bytes": 26214401}', 400, "INVALID_REQUEST"),
        ("POST", "/bat/audio/large/upload", b'{"bytes": true}', 400, "INVALID_REQUEST"),
        ("POST", "/bat/audio/large/upload", b"large.wav", 400, "MALFORMED_JSON"),
        ("POST", "/bat/audio/large/upload", b'{"bytes": 1000.5}', 400, "INVALID_REQUEST"),
        ("POST", "/bat/audio/large/upload", b'{"bytes": 1000}' + b" " * 1024 * 1024, 413, "PAYLOAD_TOO_LARGE"),
        ("POST", "/bat/audio/large/upload", b'{"bytes": 1, "bytes": 1}', 400, "MALFORMED_JSON"),
        ("PUT", "/bat/audio/none?uploadid=abcdefghijklmnopqrstuvwx", b"", 400, "INVALID_REQUEST"),
        ("GET", "/bat/audio/nothing", b"", 404, "NOT_FOUND"),
        ("DELETE", "/bat/audio/nothing", b"", 404, "NOT_FOUND"),
    ],
)
def test_a_mistake_is_answered_with_its_code(api, method, path, body, status, code):
    answer = api.request(method, path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


def test_a_size_without_a_fraction_is_a_whole_number(api):
    assert api.post("/bat/audio/large/upload", content=b'{"bytes": 1000.0}').status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", "/bat/messagelist"), ("POST", "/bat/messagelist/check")),
        *(("PUT", "/bat/audio/coded"), ("POST", "/bat/audio/coded/upload")),
    ],
)
def test_a_compressed_body_is_refused_wherever_a_body_is_read(cloud, api, method, path):
    content = gzip.compress(b'{"messages": [], "bytes": 1}')
    for content_type in ("application/json", "audio/wav"):
        given: Any = {"content": content, "headers": {"Content-Encoding": "gzip", "Content-Type": content_type}}
        answer = api.request(method, path, **given)
        assert answer.status_code == 415
        assert answer.json()["error"]["code"] == "UNSUPPORTED_ENCODING"
        assert answer.headers["Accept-Encoding"] == "identity"
        # Who may not ask is told that first
        assert httpx.request(method, f"{cloud.url}{path}", **given, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("/openapi.json", "/health", "/bat/audio", "/bat/audio/ivr_651854", "/bat/audio/nothing", "/bat/audio/a.b"),
        *("/bat/message/1", "/bat/messagelist/1", "/bat/messagelist/1?limit=0", "/bat/none"),
    ],
)
def test_a_head_is_answered_as_the_get_without_its_body(cloud, api, path):
    with httpx.Client(base_url=cloud.url, trust_env=False) as stranger:
        for client in (api, stranger):
            got, head = client.get(path), client.head(path)
            assert head.status_code == got.status_code
            assert head.content == b""
            told = ("Content-Type", "Content-Length", "WWW-Authenticate")
            assert [head.headers.get(name) for name in told] == [got.headers.get(name) for name in told]
            assert client.get(path).content == got.content  # over the same connection: nothing was left on it


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/ivr_651854"), ("PUT", "/x"), ("DELETE", "/x"), ("POST", "/x/upload")]
)
def test_nobody_is_let_in_without_credentials(cloud, method, path):
    answer = httpx.request(method, f"{cloud.url}/bat/audio{path}", trust_env=False)
    assert answer.status_code == 401


def test_a_removed_identifier_cannot_be_named(api):
    api.put("/bat/audio/short", content=file_of(MP3))
    assert api.delete("/bat/audio/short").json() == {"introId": "short", "removed": True}
    assert json.loads(api.get("/bat/audio/short").text)["error"]["code"] == "NOT_FOUND"
    assert check(api, "short")["error"]["code"] == "UNKNOWN_AUDIO"


def test_the_audio_of_what_was_replaced_or_removed_has_the_tag_that_lets_it_expire(api, cloud):
    s3, environment = boto3.client("s3"), cloud.template.functions["AudioFunction"].environment
    bucket = environment["PROMPTS_BUCKET"]

    def put(seconds):
        api.put("/bat/audio/passing", content=wav(bytes(16_000 * seconds))).raise_for_status()
        known = DynamoPrompts(boto3.client("dynamodb"), environment["REGISTRY_TABLE"]).find(seed.ACCOUNT_ID, "passing")
        return known.prompt.uri.partition(".amazonaws.com/")[2]

    def tags(key):
        return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}

    first = put(1)
    before = s3.get_object(Bucket=bucket, Key=first)
    content = before["Body"].read()
    # The same content is another upload's all the same
    second = put(1)
    assert first != second
    assert [tags(key) for key in (first, second)] == [{"removed": "true"}, {}]
    assert api.delete("/bat/audio/passing").json()["removed"]
    assert tags(second) == {"removed": "true"}
    # Messages that are queued still play it, and its age counts from now
    after = s3.get_object(Bucket=bucket, Key=first)
    assert after["Body"].read() == content
    assert after["ContentType"] == "audio/wav"
    assert after["LastModified"] >= before["LastModified"]
