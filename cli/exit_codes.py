"""The exit statuses of every command, as docs/cli.md has them."""

DONE = 0
FAILED = 1
"""It could not be done, or what was asked about does not hold. Nothing is open."""
USAGE = 2
"""The command line or the environment cannot be used. Typer's own."""
REFUSED = 3
"""SpeechCall or AWS says no: there is no such thing, not this, not now."""
UNKNOWN = 4
"""Whether it was done is not known."""
