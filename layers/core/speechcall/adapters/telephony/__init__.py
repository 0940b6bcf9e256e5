"""The telephony providers."""
