"""Where requests about people, and what is kept of them, are stored."""
