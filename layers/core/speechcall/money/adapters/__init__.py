"""Money: the store of rates."""
