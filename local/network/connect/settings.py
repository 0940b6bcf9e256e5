"""What the simulated Amazon Connect instance is told when it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from local.network.shared.faults import Faults
from local.network.shared.quota import Quota
from local.network.shared.scripted_callees import Caller


@dataclass(frozen=True)
class CarrierSettings:
    """One Amazon Connect instance with one contact flow, and the telephones behind it.

    `caller_for` gets the number dialled and gives who answers there; None (the setting, or what it
    gives) leaves the phone to the browser.
    """

    instance_id: str
    instance_arn: str
    region: str
    account: str
    flow_id: str
    no_answer_seconds: float | None = None
    """The network gives up ringing after this; None: after 60 s, or the request's RingTimeoutInSeconds."""
    ring_timeout_needs_campaign: bool = True
    """Whether RingTimeoutInSeconds is refused without TrafficType CAMPAIGN, as somebody has found on the live service
    (dev.classmethod.jp/articles/amazon-connect-ring-timeout-in-seconds, 2026-05-13); AWS announced it for outbound
    campaigns. The API's page names no such condition."""
    input_timer: bool = True
    """False: an input block never reports silence; it waits for a key, a hang-up or a stop."""
    caller_for: Callable[[str], Caller | None] | None = None
    playback: float = 1.0
    """How many times faster than real prompts are played. Idle limits are always real seconds."""
    forgets_external: bool = True
    """Whether a function that fails leaves nothing of the answer before it in $.External; nobody has written which."""
    unplayable: Callable[[str], bool] | None = None
    """Gets a prompt's URI; True: it cannot be played in a call, whatever the file is, as where the bucket's policy does
    not let Connect read it, or its key is AWS's own. The block then takes its Error branch, at once and in silence, and
    nothing else tells of it (administrator guide, "Play prompt" and "Setup prompts to play from an S3 bucket"; of "Get
    customer input" it is inferred)."""
    input_fails_on_hang_up: bool = False
    """Whether an input block during which the callee hangs up takes its Error branch, so that a report is made before
    the news of the end. Neither is written: "Get customer input" says only that the branch is for what cannot be
    played or heard."""
    not_permitted: Callable[[str], bool] | None = None
    """Gets the number that is dialled; True: OutboundContactNotPermittedException ("The contact is not permitted", API
    reference, StartOutboundVoiceContact; what it is about is not written)."""
    has_simulated_calls: bool = True
    """Whether the instance's Region offers simulated calls (CreateTestCase and its like): since 2026-02-02 11 do."""
    test_times_in_msec: bool = False
    """Whether the times of a simulated call's summary are milliseconds, as somebody has found ("year 58120 is out of
    range"); by botocore's model they are seconds."""
    allowed_prefixes: tuple[str, ...] = ("+",)
    """Destinations that the instance may call (E.164 prefixes); others are refused, as by Connect's allow list."""
    claimed_numbers: tuple[str, ...] = ()
    """Numbers that may be the caller ID; none listed: any."""
    concurrent_calls: int | None = None
    """The quota "Concurrent active calls per instance" (10 for a new account); None: no limit."""
    quotas: Mapping[str, Quota] = field(default_factory=dict)
    """How often each operation may be asked for; an operation that is not named: as often as one likes."""
    faults: Faults = field(default_factory=Faults)
