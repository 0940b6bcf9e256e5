"""The member `input` of a menu: several digits, in the place of one key."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from speechcall.api.use_cases.request_fields import WHOLE
from speechcall.menus.rules.ask import (
    DEFAULT_INTER_DIGIT_MSEC,
    MAX_INTER_DIGIT_MSEC,
    MIN_INTER_DIGIT_MSEC,
    MOST_DIGITS,
)


class InputModel(BaseModel):
    """Several digits are entered; then `complete` runs, and its webhooks have them as `digits`.

    An entry ends at its `maxDigits`th digit, with the `endKey`, or when no key follows for `interDigitMsec`. Of fewer
    than `minDigits`, and where a key was pressed that is no digit, `invalid` or `wrong` runs.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    minDigits: Annotated[  # noqa: N815
        int, Field(ge=1, le=MOST_DIGITS, description="At most `maxDigits`."), WHOLE
    ] = 1
    maxDigits: Annotated[int, Field(ge=1, le=MOST_DIGITS), WHOLE]  # noqa: N815
    endKey: Annotated[  # noqa: N815
        Literal["#", "*"], Field(description="Ends an entry at once, and is no part of it.")
    ] = "#"
    interDigitMsec: Annotated[  # noqa: N815
        int,
        Field(
            ge=MIN_INTER_DIGIT_MSEC,
            le=MAX_INTER_DIGIT_MSEC,
            description="How long the next key is awaited behind each key, in whole seconds (rounded up). The first "
            "one is awaited for `idleTimeoutMsec`; all together at most 180 s.",
        ),
        WHOLE,
    ] = DEFAULT_INTER_DIGIT_MSEC
    sensitive: Annotated[
        bool,
        Field(
            description="What is entered is sealed when it is heard, opened only for its webhooks and its lookup, "
            "and erased when these have ended; then the webhooks cannot be replayed."
        ),
    ] = False
