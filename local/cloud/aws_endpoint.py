"""The laptop's AWS for other processes: boto3 with `endpoint_url=http://127.0.0.1:PORT/aws`.

another process ─► signed request to /aws/… ─► https://SERVICE.eu-central-1.amazonaws.com/… ─► moto, as from within
"""

import io
import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest
from botocore.compat import HTTPHeaders
from moto.core.models import botocore_stubber
from werkzeug.wrappers import Request, Response

from local.cloud.account import REGION
from local.cloud.bucket_cors import BucketCors, let_in
from local.cloud.iam_actions import needs_of_request
from local.cloud.permissions import Permissions
from local.cloud.signature import SignatureError, SignedRequest, scope_of, verify
from local.cloud.template import Template
from local.common.this_machine import comes_from_a_page
from speechcall.telephony.provider import ProviderName, provider

WSGIApplication = Callable[[dict[str, Any], Any], Iterable[bytes]]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))

MOUNT = "/aws"
CONTAINERS_NAME = "host.docker.internal"
"""By which name containers reach this machine."""

RESOURCES = f"{MOUNT}/resources"
"""Unsigned: the names of what is deployed, {"RegistryTable": …}, as a stack's resources would tell them."""
SERVICES = frozenset({"dynamodb", "kms", "s3", "sqs", "states", "sts"})

_NAMED_TYPES = (
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::CloudFormation::Stack",
)
_OF_THE_CONNECTION = frozenset({"connection", "expect", "host", "transfer-encoding"})


class AwsDoor:
    """A WSGI application: requests that are signed for DynamoDB, KMS, S3 (path style), SQS, Step Functions or STS.

    The signature says which service is meant, and every region is the laptop's. What a page in a browser sends is
    refused, signed or not, but for a file that a bucket's CORS configuration lets it put there by a presigned URL.
    """

    def __init__(
        self,
        template: Template,
        others: Mapping[str, WSGIApplication] | None = None,
        peers: Sequence[Network] = LOOPBACK,
        permissions: Permissions | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`others`: services that something else than moto answers, {"connect": application}; `peers`: who may ask.

        With `permissions`, whose access key is a function's logical id may ask what that function may.
        """
        self._now = now
        self._peers, self._permissions = tuple(peers), permissions
        self._others = others or {}
        self._cors = BucketCors(template)
        self._resources = {
            logical_id: template.ref(logical_id)
            for resource_type in _NAMED_TYPES
            for logical_id in template.resources_of(resource_type)
        } | _of_the_telephony(template)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return self.respond(Request(environ))(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Moto's answer to a request from this machine."""
        peer = ipaddress.ip_address(request.remote_addr or "0.0.0.0")
        if not any(peer in network for network in self._peers):
            return _refusal(request, 403, "AccessDenied", "Only this machine may ask the laptop cloud.")
        if not str(request.environ["REQUEST_URI"]).startswith(MOUNT):
            return _refusal(request, 403, "AccessDenied", f"Ask for {MOUNT} in plain letters.")
        if not comes_from_a_page(dict(request.headers)):
            return self._respond(request)
        bucket = _bucket_of(request.host) or request.path.removeprefix(f"{MOUNT}/").partition("/")[0]
        may = "Origin" in request.headers and "Authorization" not in request.headers
        if not may or not self._cors.lets_in(request, bucket):
            return _refusal(request, 403, "AccessDenied", "A page may not ask the laptop cloud.")
        return let_in(request, Response() if request.method == "OPTIONS" else self._respond(request))

    def _respond(self, request: Request) -> Response:
        signed = _as_sent(request)
        scope = scope_of(signed)
        if scope is None:
            if request.path == RESOURCES and request.method == "GET":
                return Response(json.dumps(self._resources), content_type="application/json")
            return _refusal(request, 403, "MissingAuthenticationToken", "The request is not signed (AWS4-HMAC-SHA256).")
        asking, service = scope.access_key, scope.service
        try:
            if service == "s3":
                _check_length(request)
            if request.method == "POST" and "Authorization" not in request.headers:
                raise SignatureError("AccessDenied", "A form may not ask the laptop cloud: sign a header.")
            verify(signed, self._now())
        except SignatureError as error:
            return _not_taken(request, error)
        if why := self._refused(request, asking, service):
            return _refusal(request, 400, "AccessDeniedException", why)
        if service in self._others:
            path = request.path.removeprefix(MOUNT)
            body = io.BytesIO(request.get_data())  # the connection's own may have been read by now
            return Response.from_app(self._others[service], {**request.environ, "PATH_INFO": path, "wsgi.input": body})
        if service not in SERVICES:
            known = ", ".join(sorted(SERVICES | set(self._others)))
            return _refusal(request, 501, "NotImplemented", f"The laptop cloud has no {service} here, only {known}.")
        return _ask_moto(request, service)

    def _refused(self, request: Request, asking: str, service: str) -> str | None:
        """Why IAM would refuse the request, by the policies of the role that asks; None: it is allowed."""
        if self._permissions is None:
            return None
        path, target = request.path.removeprefix(MOUNT), request.headers.get("X-Amz-Target", "")
        bucket = _bucket_of(request.host)
        path = f"/{bucket}{path}" if bucket else path
        needs = needs_of_request(service, request.method, path, target, request.get_data(), dict(request.headers))
        return self._permissions.refusal(asking, needs)


def _of_the_telephony(template: Template) -> dict[str, str]:
    """What names Amazon Connect's part, where there is one: as the parameter and the output of the stack tell it."""
    if arn := template.parameters.get("ConnectInstanceArn", ""):
        stack = provider(ProviderName.CONNECT).stack
        return {"ConnectInstanceArn": arn, "ContactFlowId": template.get_att(stack, "Outputs.ContactFlowId")}
    return {}


def _as_sent(request: Request) -> SignedRequest:
    path, _, query = str(request.environ["REQUEST_URI"]).partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedRequest(request.method, path, query, headers, request.get_data())


def _check_length(request: Request) -> None:
    """S3 takes an object whose length it is told beforehand (API reference, PutObject and "Error responses")."""
    is_chunked = "Transfer-Encoding" in request.headers and "X-Amz-Decoded-Content-Length" not in request.headers
    if request.method != "PUT":
        return
    if is_chunked:
        message = "A header you provided implies functionality that is not implemented"
        raise SignatureError("NotImplemented", message, 501)
    if "Content-Length" not in request.headers and "Transfer-Encoding" not in request.headers:
        raise SignatureError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)


def _not_taken(request: Request, error: SignatureError) -> Response:
    """S3 and SQS's old protocol have codes of their own for each mistake; the services in JSON have one for all."""
    if "json" in (request.content_type or ""):
        return _refusal(request, 400, "InvalidSignatureException", error.message)
    return _refusal(request, error.status, error.code, error.message)


def _ask_moto(request: Request, service: str) -> Response:
    """The answer of moto's service to a request that a process of its own has sent here, as if it were sent to AWS."""
    host = f"{service}.{REGION}.amazonaws.com"
    if service == "s3" and (bucket := _bucket_of(request.host)):
        host = f"{bucket}.{host}"
    headers = {name: value for name, value in request.headers if name.lower() not in _OF_THE_CONNECTION}
    # As it was sent: the decoded path does not tell a key's slash from an escaped one.
    target = request.environ["REQUEST_URI"].removeprefix(MOUNT)
    asked = AWSPreparedRequest(
        method=request.method,
        url=f"https://{host}{target if target.startswith('/') else f'/{target}'}",
        headers=HTTPHeaders.from_dict({**headers, "Host": host}),
        body=request.get_data(),
        stream_output=False,
    )
    try:
        answer = botocore_stubber("before-send", asked)
    except Exception as error:  # noqa: BLE001 - moto stumbles over what is malformed in many ways; AWS answers it 400
        return _refusal(request, 400, "ValidationException", f"The request cannot be read: {error!r}")
    if answer is None:
        return _refusal(request, 501, "NotImplemented", "The laptop cloud has no answer to this request.")
    # A HEAD is answered with the length of what a GET would give; elsewhere it is counted again.
    kept = [
        (name, value)
        for name, value in answer.headers.items()
        if name.lower() not in _OF_THE_CONNECTION and (request.method == "HEAD" or name.lower() != "content-length")
    ]
    return Response([answer.content], answer.status_code, kept)


def _bucket_of(host: str) -> str:
    """The bucket in BUCKET.host.docker.internal:1234, as S3 clients ask where the endpoint is no bare address."""
    bucket, separator, _ = host.rpartition(f".{CONTAINERS_NAME}")
    return bucket if separator else ""


def _refusal(request: Request, status: int, code: str, message: str) -> Response:
    """An error in a form that the asking client can read."""
    if "json" in (request.content_type or ""):
        body = json.dumps({"__type": code, "message": message})
        return Response(body, status, content_type="application/x-amz-json-1.0")
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    if request.content_type and "form-urlencoded" in request.content_type:
        error = f"<ErrorResponse>{error}</ErrorResponse>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status, content_type="application/xml")
