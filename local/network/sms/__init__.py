"""What the simulated providers share."""
