"""Calls that ring no phone: callees who act by a script, for a stack without Amazon Connect and without a number."""
