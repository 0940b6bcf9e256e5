"""The Amazon Chime SDK's PSTN audio."""
