"""Rules and data. No I/O, no clock, no environment."""
