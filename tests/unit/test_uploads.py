"""The URL that a customer is given for an upload."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import yaml

from local.cloud.template import TEMPLATE
from speechcall.prompts.adapters.s3_uploads import S3Uploads
from speechcall.shared.adapters.settings import SIGNER_CONFIG

REGIONS = yaml.safe_load((TEMPLATE.parent / ".cfnlintrc").read_text(encoding="utf-8"))["regions"]
BUCKET = "speechcall-promptsbucket-1x2y3z"


def url(region: str, monkeypatch: pytest.MonkeyPatch, endpoint: str | None = None) -> str:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    signer = boto3.client("s3", region_name=region, config=SIGNER_CONFIG, endpoint_url=endpoint)
    return S3Uploads(signer, signer, BUCKET).presign("a/b", 5, 60)


@pytest.mark.parametrize("region", REGIONS)
def test_it_leads_to_the_regions_own_endpoint(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(url(region, monkeypatch))
    assert parts.hostname == f"{BUCKET}.s3.{region}.amazonaws.com"
    assert parts.path == "/uploads/a/b"
    signed = parse_qs(parts.query)
    assert signed["X-Amz-SignedHeaders"] == ["content-length;host"]
    assert f"/{region}/s3/aws4_request" in signed["X-Amz-Credential"][0]


def test_on_this_machine_it_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = urlsplit(url("eu-central-1", monkeypatch, "http://127.0.0.1:1234/aws"))
    assert parts.netloc == "127.0.0.1:1234"
    assert parts.path == f"/aws/{BUCKET}/uploads/a/b"
