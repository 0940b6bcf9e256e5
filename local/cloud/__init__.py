"""The laptop cloud: what AWS does for SpeechCall, in one process, wired by template.yaml."""
