"""Headers by which a request is refused before it is read: a page of another site sent it, or its body is coded."""

from collections.abc import Mapping

from speechcall.api.use_cases.request_problems import shown
from speechcall.shared.rules.errors import CrossSiteRequest, RequestError, UnsupportedEncoding

_PLAIN = {"", "identity", "utf-8", "utf8"}
"""The last two are no codings but a charset, in the wrong header: such a body is plain, and was always taken."""
_OWN_SITES = ("same-origin", "none")
"""The page is of this host and port, or there is none: a typed address, a bookmark."""
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def check_site(headers: Mapping[str, str]) -> None:
    """Raises CrossSiteRequest if a browser says that a page of another site sent this. In: names in lower case.

    A browser adds the credentials that it was once given for this host to whatever any page has it send here, also to
    a form, and a body is read as JSON whatever its content type. So a page of another site could place calls. Every
    browser says whose page it was (Fetch, "`Origin` header"; Fetch Metadata, "Sec-Fetch-Site"); programs say nothing.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site.strip().lower() not in _OWN_SITES:
        raise _refused()
    if origin is not None:
        scheme, _, authority = origin.strip().lower().partition("://")
        # Either header may leave the default port out. Of another scheme none is left out: no authority ends in ":".
        port = _DEFAULT_PORTS.get(scheme, ":")
        if not authority or authority.removesuffix(port) != headers.get("host", "").lower().removesuffix(port):
            raise _refused()


def _refused() -> CrossSiteRequest:
    return CrossSiteRequest("A page of another site sent this request; only programs and this host's own pages may.")


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
