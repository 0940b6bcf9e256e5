"""Requests about people, as data."""
