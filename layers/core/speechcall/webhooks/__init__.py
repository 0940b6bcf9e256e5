"""Webhooks from the queue to their end: signed, sent, tried again."""
