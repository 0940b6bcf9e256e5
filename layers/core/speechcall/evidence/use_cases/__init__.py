"""Erasure and access, and the worker behind them."""
