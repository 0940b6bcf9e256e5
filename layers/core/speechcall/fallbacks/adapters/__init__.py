"""Opt-outs: the table, and the key of the digests."""
