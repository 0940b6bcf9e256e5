"""Every error of SpeechCall. A class is a decision of its caller; its name is a contract.

SpeechCallError
├─ RequestError            the client's mistake; carries the HTTP status and the code
│  ├─ MalformedJson        400  the body is not JSON that can be read in only one way
│  ├─ InvalidRequest       400  the envelope is unusable, or every message was refused
│  ├─ InvalidCursor        400  a listing cannot be continued from there
│  ├─ CrossSiteRequest     403  a page of another site wants something changed
│  ├─ ScopeRequired        403  the key is good, and not for this kind of request
│  ├─ AddressNotAllowed    403  the key is good, and not from this address
│  ├─ NotFound             404  there is no such thing in this account
│  ├─ NotReplayable        409  the webhook is being tried, was tried too often, or told what is erased
│  ├─ CallNotOver          409  the file of a message is made when it is final
│  ├─ NotSignedHere        409  the stack has no key for the files of calls
│  ├─ TooManySecrets       409  another webhook secret would be one too many
│  ├─ CampaignCancelled    409  nothing more is taken for the campaign
│  ├─ ListCancelled        409  a list that is cancelled cannot be paused or resumed
│  ├─ RehearsalRunning     409  an account rehearses one list at a time
│  ├─ IdempotencyKeyReused 422  the key came before with another body
│  ├─ ConsentRequired      422  the callee opted out by a key; only a consent takes that back
│  ├─ UnusableAudio        422  the file cannot become a prompt; the sentence says why
│  ├─ TooManyMenuShapes    422  more new shapes of menus than an account may bring in a day
│  ├─ TooManyCampaigns     422  as many campaigns are unfinished as an account may have
│  ├─ RateLimited          429  too many messages a second or a day; carries `retry_after`
│  ├─ Unauthorized         401  no account, or wrong credentials
│  ├─ PayloadTooLarge      413  the body, or what it holds or names, is too large
│  └─ UnsupportedEncoding  415  the body is compressed
├─ RetryableError          may work when tried again; Step Functions retries these by class name
│  ├─ TelephonyThrottled        the provider asks for fewer requests
│  ├─ TelephonyUnavailable      the provider did not answer, or failed
│  ├─ EngineUnavailable         Step Functions asks for fewer requests, or did not answer
│  └─ StoreUnavailable          DynamoDB refused for load, or another transaction was in the way
├─ DestinationRefused      the provider will never call this number
├─ TelephonyMisconfigured  the provider refuses our settings: an operator has to fix them
├─ MenusRefused            Step Functions will never take the state machine that the menus become
├─ PromptUnavailable       an introduction cannot be had, or cannot be played
├─ PromptUnreachable       … could not be had just now; it is asked for again, for a bounded time
├─ ForbiddenAddress        a name leads to an address that no webhook or prompt may reach
├─ UnusableUrl             a URL to which nothing can ever be sent; the sentence says why
└─ Unreachable             a request to a customer's server left no answer; `word` says why

`NOT_ANSWERED` is no exception: it is the error name with which the Dial task is answered.

Step Functions matches the Python class name as a string and knows no inheritance, so the compiled
state machines list the leaves of RetryableError; renaming one changes every state machine.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

NOT_ANSWERED = "NotAnswered"


class SpeechCallError(Exception):
    """Base of all."""


class Problem(NamedTuple):
    """What is wrong at one place of a request: code, path (`messages[0].to`), sentence."""

    code: str
    path: str
    message: str


class RequestError(SpeechCallError):
    """The client's mistake. `status` is the HTTP status, `code` the word a program can test."""

    status = 400
    code = "INVALID_REQUEST"

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class MalformedJson(RequestError):
    code = "MALFORMED_JSON"


class InvalidRequest(RequestError):
    """`code` is that of the first problem, where there is one."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, problems)
        self.code = problems[0].code if problems else "INVALID_REQUEST"


class InvalidCursor(RequestError):
    """It is no cursor, or was made for another listing."""

    code = "INVALID_CURSOR"


class Unauthorized(RequestError):
    status = 401
    code = "UNAUTHORIZED"


class CrossSiteRequest(RequestError):
    """Refused before anything else of the request is looked at."""

    status = 403
    code = "CROSS_SITE_REQUEST"


class ScopeRequired(RequestError):
    status = 403
    code = "SCOPE_REQUIRED"


class AddressNotAllowed(RequestError):
    status = 403
    code = "ADDRESS_NOT_ALLOWED"


class NotFound(RequestError):
    status = 404
    code = "NOT_FOUND"


class NotReplayable(RequestError):
    status = 409
    code = "NOT_REPLAYABLE"


class CallNotOver(RequestError):
    """What is asked for is made when nothing of it can change any more."""

    status = 409
    code = "CALL_NOT_OVER"


class NotSignedHere(RequestError):
    """The stack has no key for calls."""

    status = 409
    code = "NOT_SIGNED_HERE"


class TooManySecrets(RequestError):
    """So many of an account's webhook secrets sign already that another would be one too many."""

    status = 409
    code = "TOO_MANY_SECRETS"


class CampaignCancelled(RequestError):
    """Cancelling is final: what the name stands for is over."""

    status = 409
    code = "CAMPAIGN_CANCELLED"


class ListCancelled(RequestError):
    """Cancelling is final."""

    status = 409
    code = "LIST_CANCELLED"


class RehearsalRunning(RequestError):
    """Another rehearsal of the account has not ended."""

    status = 409
    code = "REHEARSAL_RUNNING"


class IdempotencyKeyReused(RequestError):
    status = 422
    code = "IDEMPOTENCY_KEY_REUSED"


class ConsentRequired(RequestError):
    status = 422
    code = "CONSENT_REQUIRED"


class UnusableAudio(RequestError):
    """The file cannot become a prompt."""

    status = 422
    code = "UNUSABLE_AUDIO"


class TooManyMenuShapes(RequestError):
    """Each new shape of menus is a new state machine, and Step Functions makes one a second."""

    status = 422
    code = "TOO_MANY_MENU_SHAPES"


class TooManyCampaigns(RequestError):
    """A campaign groups lists; one for each message is a mistake."""

    status = 422
    code = "TOO_MANY_CAMPAIGNS"


class RateLimited(RequestError):
    """`retry_after` is in whole seconds."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PayloadTooLarge(RequestError):
    status = 413
    code = "PAYLOAD_TOO_LARGE"


class UnsupportedEncoding(RequestError):
    status = 415
    code = "UNSUPPORTED_ENCODING"


class RetryableError(SpeechCallError):
    """May work when tried again."""


class TelephonyThrottled(RetryableError):
    """The provider asks for fewer requests."""


class TelephonyUnavailable(RetryableError):
    """The provider did not answer, or failed. `maybe_done`: what was asked for may have been done all the same."""

    def __init__(self, message: str = "", *, maybe_done: bool = False) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done


class EngineUnavailable(RetryableError):
    """Step Functions asks for fewer requests, or did not answer."""


class StoreUnavailable(RetryableError):
    """DynamoDB refused for load, did not answer, or another transaction was in the way."""


class DestinationRefused(SpeechCallError):
    """The provider will never call this number. The text is the reason, one word."""


class TelephonyMisconfigured(SpeechCallError):
    """The provider refuses our own settings or rights, whatever the number. The text is its error code."""


class MenusRefused(SpeechCallError):
    """Step Functions will never take the state machine that the menus become."""


class PromptUnavailable(SpeechCallError):
    """An introduction cannot be had, or cannot be played. The sentence is told to its sender."""


class PromptUnreachable(SpeechCallError):
    """An introduction could not be had just now. The sentence says why, should it stay so."""


class ForbiddenAddress(SpeechCallError):
    """A name leads to an address that no webhook or prompt may reach."""


class UnusableUrl(SpeechCallError):
    """A URL to which nothing can ever be sent. The sentence is told to its sender, and shows no password.

    `is_address`: its host is an address, in a form or of a kind that is not used.
    """

    def __init__(self, message: str, *, is_address: bool = False) -> None:
        super().__init__(message)
        self.is_address = is_address


class Unreachable(SpeechCallError):
    """A request to a customer's server left no answer.

    `word`, such as CONNECTION_REFUSED, says why. `ours`: the fault was of our own network. `hopeless`: the request can
    never be sent.
    """

    def __init__(self, word: str, *, ours: bool = False, hopeless: bool = False) -> None:
        super().__init__(word)
        self.word, self.ours, self.hopeless = word, ours, hopeless


def retryable_error_names() -> list[str]:
    """The class names that Step Functions retries: the leaves below RetryableError, sorted."""

    def leaves(error: type[SpeechCallError]) -> Iterator[str]:
        below = error.__subclasses__()
        if not below:
            yield error.__name__
        for child in below:
            yield from leaves(child)

    return sorted(leaves(RetryableError))
