"""SpeechCall: interactive voice calls from a list of messages.

A room for each capability; docs/architecture.md says which there are, and which may import which.
"""

VERSION = "0.1.0"
"""Of what is deployed and of the command: pyproject.toml reads it here. Semantic (semver.org)."""
