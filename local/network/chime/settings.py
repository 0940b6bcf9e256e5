"""What the simulated SIP media application is told when it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.network.shared.faults import Faults
from local.network.shared.quota import Quota
from local.network.shared.scripted_callees import Caller

CREATE, UPDATE = "CreateSipMediaApplicationCall", "UpdateSipMediaApplicationCall"

DOCUMENTED_CALLS = 10
DOCUMENTED_QUOTAS: Mapping[str, Quota] = {CREATE: Quota(1, 1), UPDATE: Quota(5, 5)}
"""AWS General Reference, "Amazon Chime SDK endpoints and quotas", of an account and Region. All can be raised."""


@dataclass(frozen=True)
class Fault:
    """What befalls one invocation of the function."""

    delays: tuple[float, ...] = (0.0,)
    """After how many seconds it gets the event; (): the invocation is lost; (0, 0): it gets it twice at once."""
    echo: float | None = None
    """So many seconds after its answer it gets the event once more, and nobody waits for that answer."""


@dataclass(frozen=True)
class ChimeSettings:
    """One SIP media application with its function, and the telephones behind it.

    `caller_for` gets the number dialled and gives who answers there; None (the setting, or what it
    gives) leaves the phone to the browser.
    """

    application_id: str
    function_arn: str
    region: str
    account: str
    call_back_application_id: str = ""
    """The application at which the SIP rule of the numbers aims that are called; empty: there is no rule."""
    call_back_function_arn: str = ""
    no_answer_seconds: float | None = None
    """The network gives up ringing after this; None: a minute. The API has no ring timeout."""
    input_timer: bool = True
    """False: a list that listens never ends by itself; it waits for a key, a hang-up or an update."""
    caller_for: Callable[[str], Caller | None] | None = None
    playback: float = 1.0
    """How many times faster than real prompts are played. Pauses are always real seconds."""
    owned_numbers: tuple[str, ...] = ()
    """Numbers that may be the caller ID; none listed: any."""
    concurrent_calls: int | None = None
    """The quota "SIP media application active calls" (10 by default); None: no limit."""
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """How often each operation may be asked for; an operation that is not named: as often as one likes."""
    retry_seconds: float = 5.0
    """After so long without an answer the function is invoked again (developer guide, "Timeouts and retries") …"""
    give_up_seconds: float = 20.0
    """… and after so long the call is hung up."""
    unplayable: Callable[[str], bool] | None = None
    """Gets a prompt's URI, s3://bucket/key; True: it cannot be played in a call, as where the bucket's policy does not
    let the service read it: PlayAudio fails with InvalidAudioSource (developer guide, "Debugging unexpected
    ACTION_FAILED events")."""
    action_fails: Callable[[str, str], str | None] | None = None
    """Gets an action's type when its turn comes, and the number of the call; what it gives is the ErrorType with which
    the action fails, such as SystemException ("System error occurred while running action", one page for each action).
    ACTION_FAILED is reported for that action, whichever of its list it is, and the rest of the list is dropped."""
    interrupts: bool = True
    """Whether an answer to a key cuts an action short, as an update does. The guide's pages disagree on it."""
    faults: Faults = field(default_factory=Faults)
    """Of these, what befalls requests to the API; events have their own."""
    fault: Callable[[str, int], Fault] | None = None
    """Gets an event's type and which try it is (1, 2 …); None: everything goes well."""
