"""The callees of a simulated telephony as the phone page shows them."""
