"""The parameters in a request's query."""

import unicodedata
from collections.abc import Mapping

from speechcall.api.use_cases.request_problems import shown
from speechcall.shared.rules.characters import foreign, unseen
from speechcall.shared.rules.errors import Problem, RequestError


def parameter(query: Mapping[str, str], name: str) -> str | None:
    """A parameter's value; None: it is absent. Raises RequestError where there is one that is only spelled otherwise.

    Unknown parameters change nothing, so a `webhookid` that is passed over would have all webhooks sent again.
    """
    if name in query:
        return query[name]
    for given in query:
        if _folded(given) == _folded(name):
            problem = Problem(
                "INVALID_REQUEST", shown(given), f"is not known here; did you mean {name}?{unseen(given)}"
            )
            raise RequestError("The query cannot be used.", [problem])
    return None


def truth(query: Mapping[str, str], name: str) -> bool:
    """A parameter that is true or false; absent, it is false. Raises RequestError."""
    given = parameter(query, name)
    if given is not None and given not in ("true", "false"):
        problem = Problem("INVALID_REQUEST", name, f"must be true or false{foreign(given)}")
        raise RequestError("The query cannot be used.", [problem])
    return given == "true"


def _folded(name: str) -> str:
    """A name's letters and digits alone: case, width, spaces and signs (`webhookId `, `webhook_id`) do not matter."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name))).casefold()
