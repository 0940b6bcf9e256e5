"""Calls back: pure rules and data."""
