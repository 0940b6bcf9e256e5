"""The providers. A package each, and the choice between them."""
