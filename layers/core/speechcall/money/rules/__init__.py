"""Money: pure rules and data."""
