"""`make fuzz`: Schemathesis reads docs/openapi.yaml and holds the laptop cloud to it."""
