"""Calls back: who has called whom, and counts."""
