"""Headers that say that a body is not what its bytes are: compressed, or a part of something."""

from collections.abc import Mapping

from speechcall.api.use_cases.request_problems import shown
from speechcall.shared.rules.errors import RequestError, UnsupportedEncoding

_PLAIN = {"", "identity", "utf-8", "utf8"}
"""The last two are no codings but a charset, in the wrong header: such a body is plain, and was always taken."""


def check_representation(headers: Mapping[str, str]) -> None:
    """Raises UnsupportedEncoding or RequestError for a body that cannot be read as it is. In: names in lower case.

    RFC 9110: a coding that is not taken is 415 (8.4); a PUT of a part that would be stored as the whole is 400 (14.5).
    """
    given = [one.strip() for one in headers.get("content-encoding", "").split(",")]
    if coded := [one for one in given if one.lower() not in _PLAIN]:
        text = f'The body has the content coding "{shown(coded[0])}", and none is taken; send it as it is.'
        raise UnsupportedEncoding(text)
    if headers.get("content-range"):
        raise RequestError("The body is only a part (Content-Range); send the whole.")
