"""Fallbacks: when they may be sent."""
