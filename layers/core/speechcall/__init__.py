"""SpeechCall: interactive voice calls from a list of messages.

Imports run one way: functions → adapters → application → statemachine → domain.
"""
