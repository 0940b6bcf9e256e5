"""The flow language 2019-10-30, as far as our flows use it (Amazon Connect API reference, "Flow language")."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from speechcall.shared.rules.time_bounds import REPORT_HOLD_SECONDS, REPORT_LIMIT_SECONDS, REPORT_TRIES

HOLD = f'<speak><break time="{REPORT_HOLD_SECONDS}s"/></speak>'
_LAMBDA_LIMIT_SECONDS = str(REPORT_LIMIT_SECONDS)
_MOST_CONDITIONS = 15
"""Of one block. No limit is documented, and no published block with more than a few was found."""
_COLUMN, _ROW, _A_COLUMN = 260, 180, 14
"""Of the picture that the console draws, in its units, and how many blocks stand below one another."""


def flow(actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The content of a flow that begins with the first of its blocks."""
    start = actions[0]["Identifier"]
    return {"Version": "2019-10-30", "StartAction": start, "Metadata": _picture(actions), "Actions": list(actions)}


def _picture(actions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the console draws each block: else they would all be on one spot."""
    places = {
        action["Identifier"]: {"position": {"x": _COLUMN * (1 + number // _A_COLUMN), "y": _ROW * (number % _A_COLUMN)}}
        for number, action in enumerate(actions)
    }
    return {"entryPointPosition": {"x": 0, "y": 0}, "ActionMetadata": places}


def invoke(
    name: str, function_arn: str, attributes: dict[str, str], then: str, gives_up: str
) -> Iterator[dict[str, Any]]:
    """The blocks that try to invoke a function, with a second of silence between two tries; the first is called `name`.

    `attributes`: what it is given. `then`, `gives_up`: which block follows where it has answered, and after the last
    try.
    """
    parameters = {
        "LambdaFunctionARN": function_arn,
        "InvocationTimeLimitSeconds": _LAMBDA_LIMIT_SECONDS,
        "LambdaInvocationAttributes": attributes,
        "ResponseValidation": {"ResponseType": "STRING_MAP"},
    }
    for number in range(1, REPORT_TRIES + 1):
        this = name if number == 1 else f"{name}-{number}"
        if number == REPORT_TRIES:
            yield action(this, "InvokeLambdaFunction", parameters, then, {"NoMatchingError": gives_up})
            return
        hold, again = f"{name}-hold-{number}", f"{name}-{number + 1}"
        yield action(this, "InvokeLambdaFunction", parameters, then, {"NoMatchingError": hold})
        yield action(hold, "MessageParticipant", {"SSML": HOLD}, again, {"NoMatchingError": again})


def media(uri: str) -> dict[str, str]:
    """What a block plays from S3."""
    return {"Uri": uri, "SourceType": "S3", "MediaType": "Audio"}


def compare(name: str, value: str, targets: dict[str, str], otherwise: str = "bye") -> Iterator[dict[str, Any]]:
    """Blocks that compare a value with the names of `targets`, in a chain, for one holds few conditions.

    `targets`: which block follows for each; `otherwise`: which one for any other value. The first is called `name`.
    """
    values = list(targets)
    for begin in range(0, len(values), _MOST_CONDITIONS):
        number, end = begin // _MOST_CONDITIONS + 1, begin + _MOST_CONDITIONS
        this = name if number == 1 else f"{name}-{number}"
        other = f"{name}-{number + 1}" if end < len(values) else otherwise
        part = {one: targets[one] for one in values[begin:end]}
        yield action(this, "Compare", {"ComparisonValue": value}, other, {"NoMatchingCondition": other}, part)


def action(
    name: str,
    kind: str,
    parameters: dict[str, Any],
    next_action: str,
    errors: dict[str, str] | None = None,
    conditions: dict[str, str] | None = None,
) -> dict[str, Any]:
    """One action (block) of the language. `next_action`: which block follows, by its name.

    `errors`: which one for each type of error; `conditions`: which one for each value that is heard or compared.
    """
    return {
        "Identifier": name,
        "Type": kind,
        "Parameters": parameters,
        "Transitions": {
            "NextAction": next_action,
            "Errors": [{"NextAction": target, "ErrorType": error} for error, target in (errors or {}).items()],
            "Conditions": [
                {"NextAction": target, "Condition": {"Operator": "Equals", "Operands": [operand]}}
                for operand, target in (conditions or {}).items()
            ],
        },
    }
