"""What the laptop cloud and the simulated telephone network share."""
