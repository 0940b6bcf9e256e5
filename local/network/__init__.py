"""The simulated telephone network: two providers, telephones with callees, and the phone page."""
