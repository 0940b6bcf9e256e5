"""Use cases: rules put to work through ports."""
