"""What the laptop has to know of each provider of phone calls: one module for each, all of the form in `record`."""
