"""Use cases as plain functions; what they need is handed to them."""
