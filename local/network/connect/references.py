"""References in a contact flow: `$.External.op` stands for a value that is known when the flow runs.

Amazon Connect administrator guide, "List of available attributes and their JSONPath references".
Only the references that our flow has a use for are known here; another one is refused when the flow
is loaded, for the simulator could not tell its value.
"""

import re
from collections.abc import Mapping

_NAME = re.compile(
    r"\$\.((?:Attributes|External)\.[A-Za-z0-9_-]+|(?:Customer|System)Endpoint\.Address"
    r"|ContactId|InitialContactId|StoredCustomerInput|InstanceARN|Channel)(?![A-Za-z0-9_-]|\.[A-Za-z0-9])"
)
_MARK = re.compile(r"\$[.\[]")


def is_dynamic(text: str) -> bool:
    """Whether the text holds a reference, known or not."""
    return _MARK.search(text) is not None


def is_reference(text: str) -> bool:
    """Whether the whole text is one reference that is known here."""
    return _NAME.fullmatch(text) is not None


def unknown_reference(text: str) -> bool:
    """Whether the text holds a reference that is not known here."""
    return is_dynamic(_NAME.sub("", text))


def resolve(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its references replaced from `values` ("External.op": "ask").

    None if the whole text is a reference to a value that is absent; inside a longer text that is "".
    """
    if match := _NAME.fullmatch(text):
        return values.get(match[1])
    return _NAME.sub(lambda found: values.get(found[1], ""), text)
