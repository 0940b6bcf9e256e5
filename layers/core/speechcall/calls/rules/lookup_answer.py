"""What a receiver has answered to a lookup: the name of a case, or a word for why it is none."""

from collections.abc import Collection

from speechcall.shared.rules.errors import MalformedJson, PayloadTooLarge
from speechcall.shared.rules.json_text import parse_json

MOST_BYTES = 4096
BAD_ANSWER, UNKNOWN_CASE, NO_PLACE = "BAD_ANSWER", "UNKNOWN_CASE", "NO_TURN"
"""Not `{"case": …}`; a case that the lookup does not have; too many lookups of the same receiver are in flight."""
_OK = 200


def case_in(status: int, body: bytes, cases: Collection[str]) -> tuple[str, str]:
    """The case of an answer and an empty word, or an empty case and the word for why.

    `cases`: those that the lookup has. Members of the answer other than `case` are passed over.
    """
    if status != _OK:
        return "", f"HTTP_{status}"
    try:
        answer = parse_json(body)
    except (MalformedJson, PayloadTooLarge):
        return "", BAD_ANSWER
    case = answer.get("case") if isinstance(answer, dict) else None
    if not isinstance(case, str):
        return "", BAD_ANSWER
    return (case, "") if case in cases else ("", UNKNOWN_CASE)
