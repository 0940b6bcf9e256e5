"""Stopping: messages, lists, campaigns and accounts are paused, resumed and cancelled; calls in progress are ended."""
