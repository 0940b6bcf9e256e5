"""How long a text message may be, and in how many parts it is sent; each part is paid for.

Source: AWS End User Messaging SMS user guide, "SMS character limits": 160 characters of the GSM alphabet or 70 others
in one part; 153 or 67 in each of several; at most 1,530 or 630 in all. The alphabet: 3GPP TS 23.038, 6.2.1, whose
extension takes two places for a character.
"""

from collections.abc import Iterable

MOST_GSM, MOST_OTHER = 1530, 630
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
_ALPHABET = _BASIC | _EXTENDED
_IN_ONE, _IN_EACH = 160, 153
_OTHER_IN_ONE, _OTHER_IN_EACH = 70, 67
_BEYOND_16_BITS = 0x10000


def is_gsm(text: str) -> bool:
    """Whether all its characters are of the GSM alphabet; if one is not, each takes 16 bits or 32."""
    return _ALPHABET.issuperset(text)


def places(text: str) -> int:
    """How many places a text takes: of 7 bits if it `is_gsm`, else of 16."""
    return sum(_sizes(text))


def parts_of(text: str) -> int:
    """In how many parts a text is sent. A character that takes two places is never divided between two parts."""
    one, each = (_IN_ONE, _IN_EACH) if is_gsm(text) else (_OTHER_IN_ONE, _OTHER_IN_EACH)
    if places(text) <= one:
        return 1
    parts, left = 1, each
    for size in _sizes(text):
        if size > left:
            parts, left = parts + 1, each
        left -= size
    return parts


def problem_of_text(text: str) -> str | None:
    """What is wrong with the length of a text, or None."""
    most, what = (
        (MOST_GSM, "of the GSM alphabet") if is_gsm(text) else (MOST_OTHER, "where one is not of the GSM alphabet")
    )
    count = places(text)
    return None if count <= most else f"takes {count} places in an SMS; at most {most} can be sent {what}"


def _sizes(text: str) -> Iterable[int]:
    if is_gsm(text):
        return [2 if one in _EXTENDED else 1 for one in text]
    return [2 if ord(one) >= _BEYOND_16_BITS else 1 for one in text]
