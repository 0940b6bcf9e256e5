"""Audio that can be played: uploaded, fetched or spoken, decoded and levelled."""
