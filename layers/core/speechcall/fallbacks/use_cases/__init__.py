"""Opt-outs: use cases, and what they need of the world around them."""
