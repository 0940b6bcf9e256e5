"""Who does not want to be called: opt-outs, by account and list; numbers are known only by a digest."""
