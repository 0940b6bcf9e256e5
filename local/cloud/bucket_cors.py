"""Which pages may put files into a bucket: the bucket's CORS configuration, as S3 goes by it.

Sources: S3 User Guide, "Elements of a CORS configuration" (an origin may have one `*`) and "How does Amazon S3 evaluate
the CORS configuration on a bucket?" (the origin, the method and every header of a preflight request have to be allowed
by one rule; otherwise the answer is 403). Fetch, "CORS-safelisted request-header".
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Request, Response

from local.cloud.template import Template
from local.common.this_machine import is_this_machine

_PLAIN_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


class BucketCors:
    """The rules of a template's buckets. A page of this service has, for them, the origin of the stack's API."""

    def __init__(self, template: Template) -> None:
        self._rules: dict[str, list[Mapping[str, Any]]] = {}
        for name, bucket in template.resources_of("AWS::S3::Bucket").items():
            if rules := bucket.get("CorsConfiguration", {}).get("CorsRules", []):
                self._rules[template.ref(name)] = rules
        self._api = template.output("ApiUrl") if self._rules else ""

    def lets_in(self, request: Request, bucket: str) -> bool:
        """Whether a page may send this to a bucket, or ask beforehand whether it may (OPTIONS)."""
        method, headers = request.method, _unusual(request)
        if method == "OPTIONS":
            method = request.headers.get("Access-Control-Request-Method", "")
            named = request.headers.get("Access-Control-Request-Headers", "").split(",")
            headers = {one.strip().lower() for one in named if one.strip()}
        origin = self._origin(request)
        return any(
            method in rule.get("AllowedMethods", [])
            and any(fnmatchcase(origin, one.replace("[", "[[]")) for one in rule.get("AllowedOrigins", []))
            and headers <= {one.lower() for one in rule.get("AllowedHeaders", [])}
            for rule in self._rules.get(bucket, [])
        )

    def _origin(self, request: Request) -> str:
        given = request.headers.get("Origin", "")
        scheme, _, host = given.partition("://")
        port, ours = host.rpartition(":")[2], request.host.rpartition(":")[2]
        return self._api if scheme == "http" and is_this_machine(host) and port == ours else given


def _unusual(request: Request) -> set[str]:
    """The headers of a page's request for which a browser would have asked beforehand."""
    return {"content-type"} if request.mimetype and request.mimetype not in _PLAIN_TYPES else set()


def let_in(request: Request, answer: Response) -> Response:
    """An answer that the page's browser gives to the page."""
    answer.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    answer.headers["Access-Control-Allow-Methods"] = "PUT"
    answer.headers["Vary"] = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
    return answer
