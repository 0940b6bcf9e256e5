"""Adapters: the stores, queues and clients."""
