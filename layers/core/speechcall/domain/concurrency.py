"""How many of Lambda's environments the lines take at once."""

ENVIRONMENTS_FOR_A_LINE = 3
"""During a call: the function that the telephony asks, the one that commands it, and one for its webhooks."""
ENVIRONMENTS_BESIDES = 5
"""The API, the dialer, prompts, and what runs each minute."""


def environments_for(lines: int) -> int:
    """The concurrent executions that calls on all lines may need."""
    return ENVIRONMENTS_FOR_A_LINE * lines + ENVIRONMENTS_BESIDES


def lines_within(executions: int) -> int:
    """The most lines that fit into so many concurrent executions; 0 if none does."""
    return max(0, executions - ENVIRONMENTS_BESIDES) // ENVIRONMENTS_FOR_A_LINE


def why_too_many(lines: int, executions: int) -> str | None:
    """What is wrong with so many lines where so many executions are free, and what would be right; None if they fit."""
    needed = environments_for(lines)
    if needed <= executions:
        return None
    most = lines_within(executions)
    lower = f"Deploy with Lines={most} or fewer" if most else "Not even one line fits"
    return (
        f"Lines={lines} needs {needed} concurrent executions of Lambda (three for each line, and five), and this "
        f"account has {executions} in this Region that are not reserved for other functions. {lower}, or ask "
        f'for {needed} or more in Service Quotas, AWS Lambda, "Concurrent executions" (L-B99A9384).'
    )
