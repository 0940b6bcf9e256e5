"""What a customer is told about a message or a list, and the replay of its webhooks."""
