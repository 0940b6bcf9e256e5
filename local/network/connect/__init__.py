"""A simulator of Amazon Connect: its API, its contact flows, and its contacts."""
