"""Campaigns: a name under which lists of messages are counted, stopped, and share the lines of their account."""
