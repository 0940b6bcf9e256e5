"""Text messages in place of calls that reached nobody."""
