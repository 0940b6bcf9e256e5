"""Signature version 4, verified: what AWS would refuse is refused on the laptop too.

Sources: IAM user guide, "Create a signed AWS API request"; Amazon S3 API reference, "Authenticating requests: using
query parameters" and "Error responses". Everybody's secret is `local`, and the access key says who asks. A secret that
anybody can read keeps no program of this machine out; it keeps out what a web page can make a browser send.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from botocore.utils import normalize_url_path

SECRET = "local"
SKEW = timedelta(minutes=15)
LONGEST = timedelta(days=7)
UNSIGNED = "UNSIGNED-PAYLOAD"
ALGORITHM = "AWS4-HMAC-SHA256"

_SCOPE = re.compile(r"([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
_HEADER = re.compile(rf"{ALGORITHM}\s+(.*)", re.DOTALL)
_PARTS = ("Credential", "SignedHeaders", "Signature")
_AT = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class SignedRequest:
    """A request as it was sent: `path` and `query` undecoded, the names of `headers` in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Scope:
    """Who asks for which service, as the signature says."""

    access_key: str
    service: str


class SignatureError(Exception):
    """A request that AWS would not take. The code and status are S3's; of other services these differ by one."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True)
class _Claim:
    """What a signature says of itself, in a header or in the query."""

    credential: str
    signed_headers: str
    signature: str
    at: str
    expires: str | None = None
    """In seconds; None: the signature is in a header."""


def scope_of(request: SignedRequest) -> Scope | None:
    """What a request is signed for, if at all. Not verified."""
    claim = _claim(request)
    found = _SCOPE.fullmatch(claim.credential) if claim else None
    return Scope(found[1], found[4]) if found else None


def verify(request: SignedRequest, now: datetime) -> None:
    """Raises SignatureError unless the request was signed with our secret, for this moment, just as it is."""
    claim = _claim(request)
    if claim is None:
        raise SignatureError("AccessDenied", f"The request is not signed ({ALGORITHM}).")
    if claim.expires is not None and "authorization" in request.headers:
        raise SignatureError("InvalidArgument", "Only one auth mechanism allowed", 400)
    found = _SCOPE.fullmatch(claim.credential)
    at = _moment(claim.at)
    if found is None or at is None:
        raise SignatureError("AuthorizationHeaderMalformed", "The credential or the date is malformed.", 400)
    _check_moment(claim, at, now)
    if found[2] != claim.at[:8]:
        raise SignatureError("SignatureDoesNotMatch", "The credential is of another day than the request.")
    names = claim.signed_headers.split(";")
    if "host" not in names or any(n.startswith("x-amz-") and n not in names for n in request.headers):
        raise SignatureError("AccessDenied", "There were headers present in the request which were not signed")
    if not hmac.compare_digest(_signature(request, names, claim, found).encode(), claim.signature.encode()):
        raise SignatureError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing"
            " method.",
        )


def _claim(request: SignedRequest) -> _Claim | None:
    """What a request says of its own signature, in its query (a presigned URL) or its header; None: it says nothing."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if "X-Amz-Signature" in query or "X-Amz-Credential" in query:
        if query.get("X-Amz-Algorithm") != ALGORITHM:
            return None
        taken = [query.get(f"X-Amz-{name}", "") for name in (*_PARTS, "Date", "Expires")]
        return _Claim(*taken)
    found = _HEADER.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return None
    parts = dict(part.strip().partition("=")[::2] for part in found[1].split(","))
    taken = [*(parts.get(name, "") for name in _PARTS), request.headers.get("x-amz-date", "")]
    return _Claim(*taken)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if _AT.fullmatch(text) else None
    except ValueError:
        return None


def _check_moment(claim: _Claim, at: datetime, now: datetime) -> None:
    """Raises SignatureError for a request signed too long ago or in the future, or a presigned URL that has expired."""
    if claim.expires is None:
        if abs(now - at) > SKEW:
            raise SignatureError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
        return
    if not re.fullmatch(r"[0-9]{1,6}", claim.expires) or not 1 <= int(claim.expires) <= LONGEST.total_seconds():
        raise SignatureError(
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be a number of seconds, and no more than a week.",
            400,
        )
    if at - now > SKEW:
        raise SignatureError("AccessDenied", "Request is not yet valid")
    if now > at + timedelta(seconds=int(claim.expires)):
        raise SignatureError("AccessDenied", "Request has expired")


def _signature(request: SignedRequest, names: list[str], claim: _Claim, scope: re.Match[str]) -> str:
    """The signature that the request should have: AWS Signature Version 4 over its canonical form."""
    _, date, region, service = scope.groups()
    canonical = "\n".join(
        (
            request.method,
            request.path if service == "s3" else quote(normalize_url_path(request.path), safe="/~"),
            _canonical_query(request.query),
            *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in names),
            "",
            claim.signed_headers,
            _payload(request, claim, service),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{claim.at}\n{date}/{region}/{service}/aws4_request\n{digest}"
    key = f"AWS4{SECRET}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def _canonical_query(query: str) -> str:
    pairs = parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)
    encoded = ((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs if name != "X-Amz-Signature")
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _payload(request: SignedRequest, claim: _Claim, service: str) -> str:
    """The hash of the body; a body that is not the one that was signed gives another signature."""
    given = request.headers.get("x-amz-content-sha256", UNSIGNED if claim.expires is not None else "")
    if service == "s3" and (given == UNSIGNED or given.startswith("STREAMING-")):
        return given
    return hashlib.sha256(request.body).hexdigest()
