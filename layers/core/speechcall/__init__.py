"""SpeechCall: interactive voice calls from a list of messages.

A room for each capability; docs/architecture.md says which there are, and which may import which.
"""
