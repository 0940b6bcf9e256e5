"""Fallbacks: the tables, and the service for text messages."""
