"""Messages as they are stored, and the lines of the pool that they hold."""
