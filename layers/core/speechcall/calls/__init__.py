"""One call attempt from the dial to its end: its log, its state machine's tasks, its record."""
