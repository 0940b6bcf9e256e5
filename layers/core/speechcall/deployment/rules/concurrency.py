"""How many of Lambda's environments the stack may take at once, and how many are set aside for live calls.

Lambda's environments are one pool for all functions of an account and Region, but those that are reserved for a
function; at least 100 must stay unreserved (Lambda developer guide, "Configuring reserved concurrency").
"""

from dataclasses import dataclass

FUNCTIONS_OF_A_CALL = 4
"""What a callee or a line waits for: what the telephony asks, what commands it, what asks receivers which menu follows
(lookup), and what ends the call."""
STREAM_CONSUMERS, STREAM_SHARDS = 2, 4
"""One environment for each shard and consumer; a new on-demand table has four partitions."""
EACH_MINUTE = 6
"""The dialer, which may last beyond its minute, the sweeper, what wakes webhooks, and twice what carries out stops."""
REHEARSALS = 2
"""The least bound that a queue can have."""
ALWAYS_UNRESERVED = 100


@dataclass(frozen=True)
class Load:
    """What decides how many executions there may be at once: the stack's parameters of these names."""

    lines: int
    webhook_concurrency: int
    prompt_concurrency: int
    api_requests_per_second: int

    @property
    def of_calls(self) -> int:
        """While all lines are in calls: each of their functions once for each line."""
        return FUNCTIONS_OF_A_CALL * self.lines

    @property
    def besides(self) -> int:
        """Everything else: webhooks (two queues), prompts, streams, clock, rehearsals; the API's burst and a second of
        its rate.
        """
        webhooks, requests = 2 * self.webhook_concurrency, 2 * self.api_requests_per_second
        return (
            webhooks + self.prompt_concurrency + requests + STREAM_CONSUMERS * STREAM_SHARDS + EACH_MINUTE + REHEARSALS
        )

    @property
    def in_all(self) -> int:
        """The concurrent executions that there may be."""
        return self.of_calls + self.besides


def reserved_for_each(lines: int) -> int:
    """How many concurrent executions are set aside for each function of a call, where they are.

    It is a bound too: an invocation that is cut short and its repeat may overlap, so there is room beyond one for
    each line.
    """
    return lines + lines // 10 + 5


def executions_needed(load: Load, *, reserve: bool) -> int:
    """The concurrent executions that an account has to have free for the stack. `reserve`: some are set aside."""
    if not reserve:
        return load.in_all
    return FUNCTIONS_OF_A_CALL * reserved_for_each(load.lines) + max(load.besides, ALWAYS_UNRESERVED)


def why_too_many(load: Load, executions: int, *, reserve: bool) -> str | None:
    """What is wrong with a load where so many executions are free, and what would be right; None if it fits.

    `reserve`: some are to be set aside for live calls.
    """
    needed = executions_needed(load, reserve=reserve)
    if needed <= executions:
        return None
    advice = [f'ask for {needed} or more in Service Quotas, AWS Lambda, "Concurrent executions" (L-B99A9384)']
    if reserve and load.in_all <= executions:
        advice.insert(0, "deploy with ReserveConcurrency=false, which sets nothing aside for live calls")
    elif most := _lines_within(load, executions, reserve=reserve):
        advice.insert(0, f"deploy with Lines={most} or fewer")
    else:
        advice.insert(0, "lower ApiRequestsPerSecond, WebhookConcurrency and PromptConcurrency")
    return (
        f"Lines={load.lines} needs {needed} concurrent executions of Lambda with this stack's other parameters "
        f"({load.of_calls} for calls, {load.besides} for everything else"
        f"{', with a reserve for calls' if reserve else ''}), and this account has {executions} in this Region that "
        f"are not reserved for other functions. Either {', or '.join(advice)}."
    )


def _lines_within(load: Load, executions: int, *, reserve: bool) -> int:
    """The most lines that fit, with everything else as it is; 0 if none does."""
    low, high = 0, load.lines
    while low < high:
        # Rounded up: rounded down, it would stay at `low` for ever when only two are left.
        middle = (low + high + 1) // 2
        one = Load(middle, load.webhook_concurrency, load.prompt_concurrency, load.api_requests_per_second)
        low, high = (middle, high) if executions_needed(one, reserve=reserve) <= executions else (low, middle - 1)
    return low
