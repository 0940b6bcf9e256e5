"""What is checked before a deployment may begin."""
