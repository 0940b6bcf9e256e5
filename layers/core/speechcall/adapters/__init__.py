"""The only place that talks to AWS or to the network."""
