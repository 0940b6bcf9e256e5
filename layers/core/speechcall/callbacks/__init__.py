"""Who calls the caller ID back: what they hear, and that they may opt out."""
