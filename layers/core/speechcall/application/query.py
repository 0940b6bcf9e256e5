"""The parameters in a request's query."""

from collections.abc import Mapping

from speechcall.domain.errors import Problem, RequestError


def parameter(query: Mapping[str, str], name: str) -> str | None:
    """A parameter's value, or None. Raises RequestError where one stands in its place that is only spelled otherwise.

    Unknown parameters change nothing, so a `webhookid` that is passed over would have all webhooks sent again.
    """
    if name in query:
        return query[name]
    for given in query:
        if _folded(given) == _folded(name):
            problem = Problem("INVALID_REQUEST", given, f"is not known here; did you mean {name}?")
            raise RequestError("The query cannot be used.", [problem])
    return None


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
