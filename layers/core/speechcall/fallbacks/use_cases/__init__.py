"""Fallbacks: how they are sent, and what that needs of the world around them."""
