"""Opt-outs: pure rules and data."""
