"""A simulator of the Chime SDK's PSTN audio: its API, action lists, and its calls."""
