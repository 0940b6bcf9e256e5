"""Lines for messages that are due, and the sweeper that repairs each minute what an event did not do."""
