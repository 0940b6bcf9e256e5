"""How a campaign is named, for who knows no more of it."""

import re

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
OTHER = "other"
"""The funnel of all shapes that have none of their own."""
