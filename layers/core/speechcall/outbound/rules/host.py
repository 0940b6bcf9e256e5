"""The host of a URL, in the one form in which it is judged, resolved, connected to, verified and sent.

UTS 46 maps what was written (capitals, full-width letters, other dots), IDNA 2008 says which names there are, RFC 1035
how long they may be. Submission and delivery use the same function, so what was accepted can be sent.
"""

import ipaddress
import re

from speechcall.shared.rules.errors import UnusableUrl

MAX_NAME, MAX_LABEL = 253, 63
_MAX_SHOWN = 64

# Letters, digits and hyphens (RFC 1123), and the underscore, which RFC 1123 has not, but DNS and many receivers have.
_CHARACTERS = re.compile(r"[a-z0-9_-]*", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)


def sent_host(given: str) -> str:
    """The host that is sent for one as it is in a URL. An IPv6 address comes in its brackets, and goes without them.

    A name is ASCII, in lower case, international labels as A-labels; a dot at its end stays. Raises UnusableUrl.
    """
    if given.startswith("["):
        return str(_v6(given))
    name = given.lower() if given.isascii() else _mapped(given)
    labels = name.removesuffix(".").split(".")
    # A host that ends in a number is an address to every resolver, so it must be one that we can read.
    if _NUMBER.fullmatch(labels[-1]):
        return str(_v4(name))
    sent = ".".join(_label(label, given) for label in labels)
    if len(sent) > MAX_NAME:
        raise UnusableUrl(f"has a host name of {len(sent)} characters; at most {MAX_NAME} can be")
    return sent + name[len(name.removesuffix(".")) :]


def shown_host(sent: str) -> str:
    """A host that `sent_host` has made, for people: international labels in their own letters."""
    if "xn--" not in sent:
        return sent
    import idna  # noqa: PLC0415 - as below

    return ".".join(idna.ulabel(label) if label.startswith("xn--") else label for label in sent.split("."))


def _v6(given: str) -> ipaddress.IPv6Address:
    """The address in brackets. Raises UnusableUrl, `is_address` for one in a zone."""
    literal, zone, _ = given.removeprefix("[").removesuffix("]").partition("%")
    try:
        address = ipaddress.IPv6Address(literal)
    except ValueError:
        raise UnusableUrl("is not a URL: its host cannot be read") from None
    if zone:  # it means an address next to the machine that sends
        raise UnusableUrl(f"leads to {address} in a zone (%), which is not a public address", is_address=True)
    return address


def _v4(given: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(given)
    except ValueError:
        text = "has neither a host name nor an address in its usual form, such as 203.0.113.7"
        raise UnusableUrl(text, is_address=True) from None


def _mapped(given: str) -> str:
    """A host that is not all ASCII, as UTS 46 maps it. Raises UnusableUrl."""
    import idna  # noqa: PLC0415 - its tables are loaded where a name needs them, which is seldom

    try:
        return idna.uts46_remap(given, std3_rules=False)
    except Exception as error:
        raise _no_name(given, _character(getattr(error, "codepoint", None))) from error


def _label(label: str, host: str) -> str:
    """A part of a host name as it is sent; `host` is for the error alone. Raises UnusableUrl."""
    if not label:
        raise _no_name(host, "has nothing between two dots" if host.strip(".") else "has no name")
    if not label.isascii() or label.startswith("xn--"):
        label = _international(label, host)
    elif found := _CHARACTERS.match(label):
        if found.end() < len(label):
            raise _no_name(host, _character(ord(label[found.end()])))
        if label[0] == "-" or label[-1] == "-":
            raise _no_name(host, f'has a part, "{_shown(label)}", that begins or ends with a hyphen')
    if len(label) > MAX_LABEL:
        raise _no_name(host, f"has a part of {len(label)} characters; at most {MAX_LABEL} can be")
    return label


def _international(label: str, host: str) -> str:
    """The A-label of a label that has other letters, or is one already. Raises UnusableUrl, which names `host`."""
    import idna  # noqa: PLC0415

    try:
        if not label.isascii():
            return idna.alabel(label).decode("ascii")
        idna.ulabel(label)
        return label
    except Exception as error:
        why = f'has a part, "{_shown(label)}", that is no international name (IDNA 2008)'
        raise _no_name(host, why) from error


def _no_name(host: str, why: str) -> UnusableUrl:
    return UnusableUrl(f'has the host "{_shown(host)}", which {why}')


def _character(number: int | None) -> str:
    if number is None:
        return "is no host name"
    shown = f'"{chr(number)}"' if chr(number).isprintable() else f"the character U+{number:04X}"
    return f"holds {shown}, which no host name can have"


def _shown(text: str) -> str:
    """The beginning of a text for a message; a character that cannot be seen is shown by its number."""
    seen = "".join(one if one.isprintable() else f"U+{ord(one):04X}" for one in text[:_MAX_SHOWN])
    return seen if len(text) <= _MAX_SHOWN else f"{seen}…"
